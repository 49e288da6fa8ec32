// Models the programs of coreutils 8.22 that change the tree: cp, mv, rm, mkdir, rmdir, touch, ln, chmod, chown, mktemp, install.

import type { Program, Stat } from '../../kernel/process.ts';
import { SysError } from '../../sim/errno.ts';
import { modeText, parseMode } from './lib/mode.ts';
import { Accounts, baseName, dirName, joinPath, quote, tool, type Options, type Tool } from './lib/tool.ts';
import { withArgs } from './lib/with-args.ts';
import { parseDate } from './lib/date-parser.ts';

/** y or Y from standard input. */
async function confirm(t: Tool, question: string): Promise<boolean> {
  await t.flush();
  await t.errorText(`${t.name}: ${question}`);
  let line = '';
  for (;;) {
    const chunk = await t.process.stdin.read(1);
    if (chunk === undefined || chunk[0] === 10) break;
    line += String.fromCharCode(chunk[0]!);
  }
  return /^[yY]/.test(line);
}

async function missing(t: Tool, o: Options): Promise<void> {
  if (o.rest.length === 0) await t.dieUsage('missing file operand');
  if (o.rest.length === 1 && !o.has('t')) await t.dieUsage(`missing destination file operand after ${quote(t, o.rest[0]!)}`);
}

/** Copies bytes of a file through the kernel, in pieces. */
async function copyBytes(t: Tool, from: string, to: string, mode: number): Promise<void> {
  const input = t.sys.open(from, { read: true });
  try {
    const output = t.sys.open(to, { write: true, create: true, truncate: true, mode });
    try {
      for (;;) {
        const chunk = await t.sys.file(input).read(65_536);
        if (chunk === undefined) break;
        await t.sys.file(output).write(chunk);
      }
    } finally {
      t.sys.close(output);
    }
  } finally {
    t.sys.close(input);
  }
}

const CP_LONG = {
  archive: 'a',
  backup: 'b',
  force: 'f',
  interactive: 'i',
  link: 'l',
  dereference: 'L',
  'no-clobber': 'n',
  'no-dereference': 'P',
  parents: 'parents',
  recursive: 'r',
  preserve: 'p',
  'symbolic-link': 's',
  'target-directory': 't:',
  'no-target-directory': 'T',
  update: 'u',
  verbose: 'v',
};

const cp = tool('cp', async (t) => {
  const o = await t.options('abdfiHlLnPprRst:TuvxZ', { ...CP_LONG, preserve: 'p::', backup: 'b::' });
  await missing(t, o);
  const operands = [...o.rest];
  const target = o.get('t') ?? operands.pop()!;
  const intoDirectory = !o.has('T') && t.isDirectory(target);
  if (!intoDirectory && (operands.length > 1 || o.has('t'))) {
    if (t.stat(target) === undefined && o.has('t')) return void (await t.die(`target ${quote(t, target)} is not a directory`));
    return void (await t.die(`target ${quote(t, target)} is not a directory`));
  }
  for (const from of operands) {
    if (intoDirectory && o.has('parents')) t.sys.mkdir(joinPath(target, dirName(from)), { recursive: true });
    const to = intoDirectory ? joinPath(target, o.has('parents') ? from : baseName(from)) : target;
    await copyOne(t, o, from, to, true);
  }
  return t.status;
});

async function copyOne(t: Tool, o: Options, from: string, to: string, isOperand: boolean): Promise<void> {
  const { sys } = t;
  const keeps = o.has('a', 'p');
  const isRecursive = o.has('r', 'R', 'a');
  const follows = o.has('L') || (isOperand && o.has('H')) || (!o.has('P', 'd', 'a') && !isRecursive);
  let stat: Stat;
  try {
    stat = follows ? sys.stat(from) : sys.lstat(from);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return t.fail(`cannot stat ${quote(t, from)}: ${error.strerror}`);
  }
  const existing = t.stat(to, false);
  const existingTarget = t.stat(to);
  try {
    if (stat.kind === 'directory') {
      if (!isRecursive) return await t.fail(`omitting directory ${quote(t, from)}`);
      if (existingTarget !== undefined && existingTarget.kind !== 'directory')
        return await t.fail(`cannot overwrite non-directory ${quote(t, to)} with directory ${quote(t, from)}`);
      const real = sys.realpath(from);
      const parent = sys.realpath(t.stat(to) === undefined ? dirName(to) : to);
      if (parent === real || parent.startsWith(real + '/'))
        return await t.fail(`cannot copy a directory, ${quote(t, from)}, into itself, ${quote(t, to)}`);
      if (existingTarget === undefined) {
        sys.mkdir(to, { mode: stat.mode | 0o700 });
        if (o.has('v')) await t.write(`${quote(t, from)} -> ${quote(t, to)}\n`);
      }
      for (const name of [...sys.readdir(from)].sort()) await copyOne(t, o, joinPath(from, name), joinPath(to, name), false);
      if (keeps) preserve(t, to, stat);
      return;
    }
    if (existingTarget !== undefined && existingTarget.dev === stat.dev && existingTarget.ino === stat.ino && stat.kind !== 'symlink')
      return await t.fail(`${quote(t, from)} and ${quote(t, to)} are the same file`);
    if (existingTarget?.kind === 'directory') return await t.fail(`cannot overwrite directory ${quote(t, to)} with non-directory`);
    if (existing !== undefined) {
      if (o.last('n', 'i', 'f') === 'n') return;
      if (o.has('u') && existing.mtimeMs >= stat.mtimeMs) return;
      if (o.last('n', 'i') === 'i' && !(await confirm(t, `overwrite ${quote(t, to)}? `))) return;
      if (o.has('b')) sys.rename(to, to + '~');
    }
    if (o.has('l')) {
      if (existing !== undefined) sys.unlink(to);
      sys.link(from, to);
    } else if (o.has('s')) sys.symlink(from, to);
    else if (stat.kind === 'symlink') {
      if (existing !== undefined) sys.unlink(to);
      sys.symlink(sys.readlink(from), to);
    } else if (stat.kind === 'pipe' && isRecursive) sys.mknod(to, 'pipe', stat.mode);
    else {
      try {
        await copyBytes(t, from, to, stat.mode);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        if (o.has('f') && existing !== undefined && error.errno === 'EACCES') {
          sys.unlink(to);
          await copyBytes(t, from, to, stat.mode);
        } else if (t.stat(from) !== undefined && error.errno === 'EACCES' && !canRead(t, from))
          return await t.fail(`cannot open ${quote(t, from)} for reading: ${error.strerror}`);
        else return await t.fail(`cannot create regular file ${quote(t, to)}: ${error.strerror}`);
      }
      if (keeps) preserve(t, to, stat);
    }
    if (o.has('v')) await t.write(`${quote(t, from)} -> ${quote(t, to)}\n`);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const what =
      stat.kind === 'directory'
        ? `cannot create directory ${quote(t, to)}`
        : `cannot create ${stat.kind === 'symlink' ? 'symbolic link' : 'regular file'} ${quote(t, to)}`;
    await t.fail(`${what}: ${error.strerror}`);
  }
}

function canRead(t: Tool, path: string): boolean {
  try {
    t.sys.access(path, { read: true });
    return true;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

function preserve(t: Tool, path: string, stat: Stat): void {
  try {
    t.sys.chown(path, stat.uid, stat.gid);
  } catch (error) {
    if (!(error instanceof SysError && error.errno === 'EPERM')) throw error;
  }
  t.sys.chmod(path, stat.mode);
  t.sys.utimes(path, stat.atimeMs, stat.mtimeMs);
}

const mv = tool('mv', async (t) => {
  const o = await t.options('bfint:TuvZ', {
    backup: 'b::',
    force: 'f',
    interactive: 'i',
    'no-clobber': 'n',
    'target-directory': 't:',
    'no-target-directory': 'T',
    update: 'u',
    verbose: 'v',
  });
  await missing(t, o);
  const operands = [...o.rest];
  const target = o.get('t') ?? operands.pop()!;
  const intoDirectory = !o.has('T') && t.isDirectory(target);
  if (!intoDirectory && (operands.length > 1 || o.has('t'))) return void (await t.die(`target ${quote(t, target)} is not a directory`));
  for (const from of operands) {
    const to = intoDirectory ? joinPath(target, baseName(from)) : target;
    const stat = t.stat(from, false);
    if (stat === undefined) {
      await t.attempt(`cannot stat ${quote(t, from)}`, () => t.sys.lstat(from));
      continue;
    }
    const existing = t.stat(to, false);
    if (existing !== undefined) {
      if (existing.dev === stat.dev && existing.ino === stat.ino) {
        await t.fail(`${quote(t, from)} and ${quote(t, to)} are the same file`);
        continue;
      }
      const how = o.last('f', 'i', 'n');
      if (how === 'n') continue;
      if (o.has('u') && existing.mtimeMs >= stat.mtimeMs) continue;
      if (how === 'i' && !(await confirm(t, `overwrite ${quote(t, to)}? `))) continue;
      if (existing.kind === 'directory' && stat.kind !== 'directory') {
        await t.fail(`cannot overwrite directory ${quote(t, to)} with non-directory`);
        continue;
      }
      if (existing.kind !== 'directory' && stat.kind === 'directory') {
        await t.fail(`cannot overwrite non-directory ${quote(t, to)} with directory ${quote(t, from)}`);
        continue;
      }
      if (o.has('b')) t.sys.rename(to, to + '~');
    }
    try {
      t.sys.rename(from, to);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      if (error.errno === 'EXDEV') {
        await copyTree(t, from, to);
        await removeTree(t, from);
      } else if (error.errno === 'EINVAL') {
        await t.fail(`cannot move ${quote(t, from)} to a subdirectory of itself, ${quote(t, to)}`);
        continue;
      } else {
        await t.fail(`cannot move ${quote(t, from)} to ${quote(t, to)}: ${error.strerror}`);
        continue;
      }
    }
    if (o.has('v')) await t.write(`${quote(t, from)} -> ${quote(t, to)}\n`);
  }
  return t.status;
});

async function copyTree(t: Tool, from: string, to: string): Promise<void> {
  const stat = t.sys.lstat(from);
  if (stat.kind === 'directory') {
    if (!t.isDirectory(to)) t.sys.mkdir(to, { mode: stat.mode });
    for (const name of t.sys.readdir(from)) await copyTree(t, joinPath(from, name), joinPath(to, name));
  } else if (stat.kind === 'symlink') t.sys.symlink(t.sys.readlink(from), to);
  else await copyBytes(t, from, to, stat.mode);
  if (stat.kind !== 'symlink') preserve(t, to, stat);
}

async function removeTree(t: Tool, path: string): Promise<void> {
  if (t.sys.lstat(path).kind !== 'directory') return t.sys.unlink(path);
  for (const name of t.sys.readdir(path)) await removeTree(t, joinPath(path, name));
  t.sys.rmdir(path);
}

const rm = tool('rm', async (t) => {
  const o = await t.options('dfiIrRv', {
    dir: 'd',
    force: 'f',
    interactive: 'interactive::',
    'one-file-system': 'one-file-system',
    'no-preserve-root': 'npr',
    'preserve-root': 'pr',
    recursive: 'r',
    verbose: 'v',
  });
  if (o.rest.length === 0) {
    if (o.has('f')) return 0;
    await t.dieUsage('missing operand');
  }
  const isRecursive = o.has('r', 'R');
  const asks =
    o.last('f', 'i', 'interactive') === 'i' ||
    (o.last('f', 'i', 'interactive') === 'interactive' && /^(?:always|yes)?$/.test(o.get('interactive') ?? ''));
  if (o.has('I') && (o.rest.length > 3 || isRecursive)) {
    const count = o.rest.length;
    if (!(await confirm(t, `remove ${count} argument${count === 1 ? '' : 's'}${isRecursive ? ' recursively' : ''}? `))) return 0;
  }
  const remove = async (path: string): Promise<boolean> => {
    const stat = t.stat(path, false);
    if (stat === undefined) {
      try {
        t.sys.lstat(path);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        if (!(o.has('f') && (error.errno === 'ENOENT' || error.errno === 'ENOTDIR')))
          await t.fail(`cannot remove ${quote(t, path)}: ${error.strerror}`);
      }
      return false;
    }
    const protectedFile = !o.has('f') && t.process.stdin.tty !== undefined && stat.kind !== 'symlink' && !mayWrite(t, path);
    const describe =
      stat.kind === 'directory'
        ? 'directory'
        : stat.kind === 'symlink'
          ? 'symbolic link'
          : stat.kind === 'pipe'
            ? 'fifo'
            : stat.kind === 'socket'
              ? 'socket'
              : stat.sizeBytes === 0
                ? 'regular empty file'
                : 'regular file';
    if (stat.kind === 'directory') {
      if (!isRecursive && !o.has('d')) {
        await t.fail(`cannot remove ${quote(t, path)}: Is a directory`);
        return false;
      }
      let names: readonly string[];
      try {
        names = t.sys.readdir(path);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        await t.fail(`cannot remove ${quote(t, path)}: ${error.strerror}`);
        return false;
      }
      if (isRecursive && names.length > 0) {
        if (asks && !(await confirm(t, `descend into directory ${quote(t, path)}? `))) return false;
        let isEmpty = true;
        for (const name of names) if (!(await remove(joinPath(path, name)))) isEmpty = false;
        if (!isEmpty) return false;
      }
      if (asks && !(await confirm(t, `remove directory ${quote(t, path)}? `))) return false;
    } else if (protectedFile || asks) {
      if (!(await confirm(t, `remove ${protectedFile ? 'write-protected ' : ''}${describe} ${quote(t, path)}? `))) return false;
    }
    try {
      if (stat.kind === 'directory') t.sys.rmdir(path);
      else t.sys.unlink(path);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await t.fail(`cannot remove ${quote(t, path)}: ${error.strerror}`);
      return false;
    }
    if (o.has('v')) await t.write(stat.kind === 'directory' ? `removed directory: ${quote(t, path)}\n` : `removed ${quote(t, path)}\n`);
    return true;
  };
  for (const path of o.rest) {
    if (/^(?:.*\/)?\.\.?\/*$/.test(path)) {
      await t.fail(`cannot remove directory: ${quote(t, path)}`);
      continue;
    }
    if (isRecursive && !o.has('npr') && /^\/+$/.test(path)) {
      await t.fail(`it is dangerous to operate recursively on ${quote(t, '/')}`);
      await t.message('use --no-preserve-root to override this failsafe');
      continue;
    }
    await remove(path);
  }
  return t.status;
});

function mayWrite(t: Tool, path: string): boolean {
  try {
    t.sys.access(path, { write: true });
    return true;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

const mkdir = tool('mkdir', async (t) => {
  const o = await t.options('m:pvZ', { mode: 'm:', parents: 'p', verbose: 'v' });
  if (o.rest.length === 0) await t.dieUsage('missing operand');
  const given = o.get('m');
  const mode = given === undefined ? undefined : parseMode(given, t.sys.umask());
  if (given !== undefined && mode === undefined) await t.die(`invalid mode ${quote(t, given)}`);
  for (const path of o.rest) {
    try {
      if (o.has('p')) {
        const parts = path.split('/').filter((part) => part !== '');
        let at = path.startsWith('/') ? '/' : '';
        for (const part of parts) {
          at = at === '' || at === '/' ? at + part : `${at}/${part}`;
          const stat = t.stat(at);
          if (stat?.kind === 'directory') continue;
          if (stat !== undefined) throw new SysError(at === path ? 'EEXIST' : 'ENOTDIR', at);
          t.sys.mkdir(at);
          if (o.has('v')) await t.write(`mkdir: created directory ${quote(t, at)}\n`);
        }
      } else {
        t.sys.mkdir(path);
        if (o.has('v')) await t.write(`mkdir: created directory ${quote(t, path)}\n`);
      }
      if (mode !== undefined) t.sys.chmod(path, mode(0o777, true));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await t.fail(`cannot create directory ${quote(t, path)}: ${error.strerror}`);
    }
  }
  return t.status;
});

const rmdir = tool('rmdir', async (t) => {
  const o = await t.options('pv', { parents: 'p', verbose: 'v', 'ignore-fail-on-non-empty': 'ignore' });
  if (o.rest.length === 0) await t.dieUsage('missing operand');
  for (const path of o.rest) {
    let at = path.replace(/(.)\/+$/, '$1');
    for (;;) {
      if (o.has('v')) await t.write(`rmdir: removing directory, ${quote(t, at)}\n`);
      try {
        t.sys.rmdir(at);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        if (!(o.has('ignore') && error.errno === 'ENOTEMPTY'))
          await t.fail(`failed to remove ${at === path ? '' : 'directory '}${quote(t, at)}: ${error.strerror}`);
        break;
      }
      const parent = dirName(at);
      if (!o.has('p') || parent === '.' || parent === '/') break;
      at = parent;
    }
  }
  return t.status;
});

const touch = tool('touch', async (t) => {
  const o = await t.options('acd:fhmr:t:', { 'no-create': 'c', date: 'd:', reference: 'r:', time: 'time:' });
  if (o.rest.length === 0) await t.dieUsage('missing file operand');
  let atime = t.sys.now();
  let mtime = atime;
  const reference = o.get('r');
  if (reference !== undefined) {
    const stat = t.stat(reference);
    if (stat === undefined) return void (await t.die(`failed to get attributes of ${quote(t, reference)}: No such file or directory`));
    atime = stat.atimeMs;
    mtime = stat.mtimeMs;
  }
  const date = o.get('d');
  if (date !== undefined) {
    const parsed = parseDate(date, t.sys.now(), t);
    if (parsed === undefined) return void (await t.die(`invalid date format ${quote(t, date)}`));
    atime = mtime = parsed;
  }
  const stamp = o.get('t');
  if (stamp !== undefined) {
    const match = /^(?:(\d\d)?(\d\d))?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?$/.exec(stamp);
    if (match === null) return void (await t.die(`invalid date format ${quote(t, stamp)}`));
    const year =
      match[2] === undefined
        ? new Date(t.sys.now()).getUTCFullYear()
        : Number((match[1] ?? (Number(match[2]) < 69 ? '20' : '19')) + match[2]);
    const parsed = parseDate(`${year}-${match[3]}-${match[4]} ${match[5]}:${match[6]}:${match[7] ?? '00'}`, t.sys.now(), t);
    if (parsed === undefined) return void (await t.die(`invalid date format ${quote(t, stamp)}`));
    atime = mtime = parsed;
  }
  for (const path of o.rest) {
    try {
      let stat = t.stat(path);
      if (stat === undefined) {
        if (o.has('c')) continue;
        t.sys.close(t.sys.open(path, { write: true, create: true }));
        stat = t.sys.stat(path);
        if (date === undefined && stamp === undefined && reference === undefined) continue;
      }
      t.sys.utimes(path, o.has('m') && !o.has('a') ? stat.atimeMs : atime, o.has('a') && !o.has('m') ? stat.mtimeMs : mtime);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await t.fail(`cannot touch ${quote(t, path)}: ${error.strerror}`);
    }
  }
  return t.status;
});

const ln = tool('ln', async (t) => {
  const o = await t.options('bdfFinrst:TvLP', {
    force: 'f',
    interactive: 'i',
    'no-dereference': 'n',
    relative: 'r',
    symbolic: 's',
    'target-directory': 't:',
    'no-target-directory': 'T',
    verbose: 'v',
  });
  if (o.rest.length === 0) await t.dieUsage('missing file operand');
  const operands = [...o.rest];
  const last = operands.at(-1)!;
  const lastStat = t.stat(last, !o.has('n'));
  let target: string;
  if (o.has('t')) target = o.get('t')!;
  else if (operands.length === 1) target = '.';
  else target = operands.pop()!;
  const intoDirectory = operands.length > 0 && (o.has('t') || o.rest.length === 1 || (!o.has('T') && lastStat?.kind === 'directory'));
  if (!intoDirectory && operands.length > 1) return void (await t.die(`target ${quote(t, target)} is not a directory`));
  for (const from of operands) {
    const to = intoDirectory ? joinPath(target, baseName(from)) : target;
    const words = o.has('s') ? 'symbolic link' : 'hard link';
    try {
      if (t.stat(to, false) !== undefined) {
        if (o.has('i') && !(await confirm(t, `replace ${quote(t, to)}? `))) continue;
        if (o.has('f', 'i')) {
          if (t.stat(to, false)!.kind === 'directory') {
            await t.fail(`${quote(t, to)}: cannot overwrite directory`);
            continue;
          }
          t.sys.unlink(to);
        }
      }
      if (o.has('s')) t.sys.symlink(o.has('r') ? relative(t, from, to) : from, to);
      else {
        const stat = t.stat(from, false);
        if (stat === undefined) {
          await t.attempt(`failed to access ${quote(t, from)}`, () => t.sys.lstat(from));
          continue;
        }
        if (stat.kind === 'directory') {
          await t.fail(`${quote(t, from)}: hard link not allowed for directory`);
          continue;
        }
        t.sys.link(from, to);
      }
      if (o.has('v')) await t.write(`${quote(t, to)} ${o.has('s') ? '->' : '=>'} ${quote(t, from)}\n`);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await t.fail(
        `failed to create ${words} ${quote(t, to)}${o.has('s') || error.errno === 'EEXIST' ? '' : ` => ${quote(t, from)}`}: ${error.strerror}`,
      );
    }
  }
  return t.status;
});

function relative(t: Tool, from: string, to: string): string {
  const absolute = (path: string): string[] => {
    const out: string[] = [];
    for (const part of (path.startsWith('/') ? path : `${t.sys.cwd()}/${path}`).split('/')) {
      if (part === '..') out.pop();
      else if (part !== '' && part !== '.') out.push(part);
    }
    return out;
  };
  const a = absolute(from);
  const b = absolute(dirName(to));
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  return [...b.slice(i).map(() => '..'), ...a.slice(i)].join('/') || '.';
}

async function walk(
  t: Tool,
  path: string,
  isRecursive: boolean,
  visit: (path: string, stat: Stat) => Promise<void>,
  follow: boolean,
): Promise<void> {
  let stat: Stat;
  try {
    stat = follow ? t.sys.stat(path) : t.sys.lstat(path);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await t.fail(`cannot access ${quote(t, path)}: ${error.strerror}`);
    return;
  }
  await visit(path, stat);
  if (!isRecursive || stat.kind !== 'directory') return;
  let names: readonly string[];
  try {
    names = t.sys.readdir(path);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await t.fail(`cannot read directory ${quote(t, path)}: ${error.strerror}`);
    return;
  }
  for (const name of names) await walk(t, joinPath(path, name), true, visit, false);
}

const chmod = tool('chmod', async (t) => {
  // A mode like -x looks like an option; it is one of the operands.
  const modes = t.args.filter((arg) => /^-[rwxXstugoa]+(?:[,+=-].*)?$/.test(arg) && !/^-R/.test(arg));
  const mask = new Set(modes);
  const args = t.args.filter((arg) => !mask.has(arg));
  const o = await withArgs(t, args).options('cfvR', {
    changes: 'c',
    silent: 'f',
    quiet: 'f',
    verbose: 'v',
    recursive: 'R',
    reference: 'ref:',
    'preserve-root': 'pr',
    'no-preserve-root': 'npr',
  });
  const reference = o.get('ref');
  const operands = [...o.rest];
  let text = modes[0];
  if (text === undefined && reference === undefined) {
    if (operands.length === 0) await t.dieUsage('missing operand');
    text = operands.shift()!;
  }
  if (operands.length === 0) await t.dieUsage(`missing operand after ${quote(t, text ?? '')}`);
  let change: (old: number, isDirectory: boolean) => number;
  if (reference !== undefined) {
    const stat = t.sys.stat(reference);
    change = () => stat.mode;
  } else {
    const parsed = parseMode(text!, t.sys.umask());
    if (parsed === undefined) return t.dieUsage(`invalid mode: ${quote(t, text!)}`);
    change = parsed;
  }
  for (const path of operands) {
    await walk(
      t,
      path,
      o.has('R'),
      async (at, stat) => {
        if (stat.kind === 'symlink') return;
        const mode = change(stat.mode, stat.kind === 'directory');
        try {
          t.sys.chmod(at, mode);
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
          t.status = 1;
          if (!o.has('f')) await t.fail(`changing permissions of ${quote(t, at)}: ${error.strerror}`);
          return;
        }
        const show = (m: number): string => `${m.toString(8).padStart(4, '0')} (${modeText('file', m).slice(1)})`;
        if (o.has('v') || (o.has('c') && mode !== stat.mode))
          await t.write(
            mode === stat.mode
              ? `mode of ${quote(t, at)} retained as ${show(mode)}\n`
              : `mode of ${quote(t, at)} changed from ${show(stat.mode)} to ${show(mode)}\n`,
          );
      },
      true,
    );
  }
  return t.status;
});

const chown = (name: 'chown' | 'chgrp'): Program =>
  tool(name, async (t) => {
    const o = await t.options('cfhvRHLP', {
      changes: 'c',
      silent: 'f',
      quiet: 'f',
      'no-dereference': 'h',
      verbose: 'v',
      recursive: 'R',
      reference: 'ref:',
      from: 'from:',
      dereference: 'dereference',
      'preserve-root': 'pr',
    });
    const operands = [...o.rest];
    const reference = o.get('ref');
    const spec = reference === undefined ? operands.shift() : '';
    if (spec === undefined) return t.dieUsage('missing operand');
    if (operands.length === 0) return t.dieUsage(`missing operand after ${quote(t, spec)}`);
    const accounts = new Accounts(t.sys);
    let uid = -1;
    let gid = -1;
    if (reference !== undefined) {
      const stat = t.sys.stat(reference);
      uid = name === 'chown' ? stat.uid : -1;
      gid = stat.gid;
    } else if (name === 'chgrp') {
      gid = /^\d+$/.test(spec) ? Number(spec) : (accounts.group(spec) ?? -1);
      if (gid < 0 && spec !== '') return void (await t.die(`invalid group: ${quote(t, spec)}`));
    } else {
      const match = /^([^:.]*)(?:([:.])(.*))?$/.exec(spec)!;
      const [, user = '', separator, group] = match;
      if (user !== '') {
        const known = accounts.user(user);
        uid = known?.uid ?? (/^\d+$/.test(user) ? Number(user) : -1);
        if (uid < 0) return void (await t.die(`invalid user: ${quote(t, spec)}`));
        if (separator !== undefined && group === '') gid = known?.gid ?? -1;
      }
      if (group !== undefined && group !== '') {
        gid = accounts.group(group) ?? (/^\d+$/.test(group) ? Number(group) : -1);
        if (gid < 0) return void (await t.die(`invalid group: ${quote(t, spec)}`));
      }
    }
    for (const path of operands) {
      await walk(
        t,
        path,
        o.has('R'),
        async (at, stat) => {
          try {
            t.sys.chown(at, uid < 0 ? stat.uid : uid, gid < 0 ? stat.gid : gid, { followSymlink: !o.has('h') && stat.kind !== 'symlink' });
          } catch (error) {
            if (!(error instanceof SysError)) throw error;
            t.status = 1;
            if (!o.has('f')) await t.fail(`changing ${name === 'chown' ? 'ownership' : 'group'} of ${quote(t, at)}: ${error.strerror}`);
          }
          if (o.has('v')) await t.write(`ownership of ${quote(t, at)} retained\n`);
        },
        !o.has('h'),
      );
    }
    return t.status;
  });

const mktemp = tool('mktemp', async (t) => {
  const o = await t.options('dp:qtuV', { directory: 'd', tmpdir: 'p::', quiet: 'q', suffix: 'suffix:', 'dry-run': 'u' });
  let template = o.rest[0];
  if (o.rest.length > 1) await t.dieUsage('too many templates');
  const usesDirectory = template === undefined || o.has('p', 't');
  template ??= 'tmp.XXXXXXXXXX';
  const suffix = o.get('suffix') ?? '';
  const match = /(X{3,})([^X]*)$/.exec(template);
  if (match === null) return void (await t.die(`too few X's in template ${quote(t, template)}`));
  const directory = usesDirectory ? (o.get('p') ?? t.env.get('TMPDIR') ?? '/tmp') : '';
  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  for (let tries = 0; tries < 100; tries++) {
    const random = Array.from({ length: match[1]!.length }, () => LETTERS[t.sys.rng.int(LETTERS.length)]!).join('');
    const name = template.slice(0, match.index) + random + match[2]! + suffix;
    const path = directory === '' ? name : joinPath(directory, name);
    try {
      if (o.has('u')) {
        if (t.stat(path, false) !== undefined) continue;
      } else if (o.has('d')) t.sys.mkdir(path, { mode: 0o700 });
      else t.sys.close(t.sys.open(path, { write: true, create: true, exclusive: true, mode: 0o600 }));
      await t.write(path + '\n');
      return 0;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      if (error.errno === 'EEXIST') continue;
      if (o.has('q')) return 1;
      return void (await t.die(
        `failed to create ${o.has('d') ? 'directory' : 'file'} via template ${quote(t, joinPath(directory || '.', template).replace(/^\.\//, ''))}: ${error.strerror}`,
      ));
    }
  }
  return 1;
});

const install = tool('install', async (t) => {
  const o = await t.options('bcCdDg:m:o:pst:Tv', {
    directory: 'd',
    group: 'g:',
    mode: 'm:',
    owner: 'o:',
    'preserve-timestamps': 'p',
    'target-directory': 't:',
    verbose: 'v',
  });
  const mode = parseMode(o.get('m') ?? '755', 0)?.(0, false) ?? 0o755;
  const accounts = new Accounts(t.sys);
  const own = (path: string): void => {
    const owner = o.get('o');
    const group = o.get('g');
    if (owner === undefined && group === undefined) return;
    const stat = t.sys.stat(path);
    const uid = owner === undefined ? stat.uid : (accounts.user(owner)?.uid ?? Number(owner));
    const gid = group === undefined ? stat.gid : (accounts.group(group) ?? Number(group));
    t.sys.chown(path, uid, gid);
  };
  if (o.has('d')) {
    if (o.rest.length === 0) await t.dieUsage('missing file operand');
    for (const path of o.rest) {
      await t.attempt(`cannot create directory ${quote(t, path)}`, () => {
        if (!t.isDirectory(path)) t.sys.mkdir(path, { recursive: true });
        t.sys.chmod(path, mode);
        own(path);
      });
    }
    return t.status;
  }
  await missing(t, o);
  const operands = [...o.rest];
  const target = o.get('t') ?? operands.pop()!;
  for (const from of operands) {
    const to = t.isDirectory(target) ? joinPath(target, baseName(from)) : target;
    if (o.has('D')) t.sys.mkdir(dirName(to), { recursive: true });
    if (t.stat(from) === undefined) {
      await t.attempt(`cannot stat ${quote(t, from)}`, () => t.sys.stat(from));
      continue;
    }
    if (t.stat(to, false) !== undefined) t.sys.unlink(to);
    await copyBytes(t, from, to, 0o600);
    t.sys.chmod(to, mode);
    own(to);
    if (o.has('v')) await t.write(`${quote(t, from)} -> ${quote(t, to)}\n`);
  }
  return t.status;
});

const mkfifo = tool('mkfifo', async (t) => {
  const o = await t.options('m:Z', { mode: 'm:' });
  if (o.rest.length === 0) await t.dieUsage('missing operand');
  for (const path of o.rest)
    await t.attempt(`cannot create fifo ${quote(t, path)}`, () =>
      t.sys.mknod(path, 'pipe', parseMode(o.get('m') ?? '666', 0)?.(0, false) ?? 0o666),
    );
  return t.status;
});

const truncate = tool('truncate', async (t) => {
  const o = await t.options('cor:s:', { 'no-create': 'c', size: 's:', reference: 'r:' });
  const spec = o.get('s');
  if (spec === undefined && !o.has('r')) await t.dieUsage("you must specify either '--size' or '--reference'");
  if (o.rest.length === 0) await t.dieUsage('missing file operand');
  const match = /^([-+<>/%]?)(\d+)([kKMGT]?)(B?)$/.exec(spec ?? '0');
  if (match === null) return void (await t.die(`Invalid number: ${quote(t, spec ?? '')}`));
  const unit = (match[4] === 'B' ? 1000 : 1024) ** ' KMGT'.indexOf(match[3] === '' ? ' ' : match[3]!.toUpperCase());
  const amount = Number(match[2]) * unit;
  for (const path of o.rest) {
    await t.attempt(`cannot open ${quote(t, path)} for writing`, () => {
      if (o.has('c') && t.stat(path) === undefined) return;
      const fd = t.sys.open(path, { write: true, create: !o.has('c') });
      const now = t.sys.file(fd).stat().sizeBytes;
      const size = o.has('r')
        ? t.sys.stat(o.get('r')!).sizeBytes
        : match[1] === '+'
          ? now + amount
          : match[1] === '-'
            ? Math.max(0, now - amount)
            : match[1] === '<'
              ? Math.min(now, amount)
              : match[1] === '>'
                ? Math.max(now, amount)
                : amount;
      t.sys.file(fd).truncate(size);
      t.sys.close(fd);
    });
  }
  return t.status;
});

export const FILE_PROGRAMS: readonly Program[] = [
  cp,
  mv,
  rm,
  mkdir,
  rmdir,
  touch,
  ln,
  chmod,
  chown('chown'),
  chown('chgrp'),
  mktemp,
  install,
  mkfifo,
  truncate,
];
