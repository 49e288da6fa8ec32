// Models find, xargs, which, file, tree and watch.

import type { Program, Stat } from '../../kernel/process.ts';
import { toText } from '../../shell/bytes.ts';
import { collateFor } from '../../shell/collate.ts';
import { matchesPattern } from '../../shell/expand/pattern.ts';
import { formatTime } from '../../shell/time-format.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import { isUtf8 } from '../../sim/bytes.ts';
import { findProgram } from './basics.ts';
import { blocksOf } from './ls.ts';
import { modeText, parseMode } from './lib/mode.ts';
import { Accounts, baseName, dirName, Exit, joinPath, quote, tool, type Tool } from './lib/tool.ts';

interface Found {
  readonly path: string;
  readonly start: string;
  readonly depth: number;
  readonly stat: Stat;
}
type Test = (found: Found) => Promise<boolean>;

class Finder {
  readonly #t: Tool;
  #words: readonly string[] = [];
  #at = 0;
  #hasAction = false;
  #minDepth = 0;
  #maxDepth = Infinity;
  #isDepthFirst = false;
  #oneFileSystem = false;
  #prune = false;
  #quit = false;
  readonly #batches: { readonly argv: readonly string[]; readonly paths: string[] }[] = [];

  constructor(t: Tool) {
    this.#t = t;
  }

  async run(): Promise<number> {
    const t = this.#t;
    let at = 0;
    let follow = false;
    for (; /^-[HLP]$/.test(t.args[at] ?? ''); at++) follow = t.args[at] === '-L';
    const paths: string[] = [];
    for (; at < t.args.length && !/^(?:-.|[!(),]$)/.test(t.args[at]!); at++) paths.push(t.args[at]!);
    this.#words = t.args.slice(at);
    let test = this.#words.length === 0 ? async (): Promise<boolean> => true : await this.#or();
    if (this.#at < this.#words.length) {
      const word = this.#words[this.#at]!;
      if (word === ')') return this.#die("invalid expression; you have too many ')'");
      return this.#die(`paths must precede expression: ${word}`);
    }
    if (!this.#hasAction) {
      const inner = test;
      test = async (found) => {
        if (!(await inner(found))) return false;
        await t.write(found.path + '\n');
        return true;
      };
    }
    for (const path of paths.length === 0 ? ['.'] : paths) {
      const stat = t.stat(path, follow) ?? t.stat(path, false);
      if (stat === undefined) {
        await t.attempt(quote(t, path), () => t.sys.lstat(path));
        continue;
      }
      await this.#visit({ path, start: path, depth: 0, stat }, test, follow, stat.dev);
      if (this.#quit) break;
    }
    for (const batch of this.#batches) if (batch.paths.length > 0) await this.#spawn([...batch.argv, ...batch.paths]);
    return t.status;
  }

  async #die(message: string): Promise<never> {
    await this.#t.message(message);
    throw new Exit(1);
  }

  async #visit(found: Found, test: Test, follow: boolean, dev: number): Promise<void> {
    const t = this.#t;
    if (this.#quit) return;
    this.#prune = false;
    const isDirectory = found.stat.kind === 'directory';
    if (!this.#isDepthFirst && found.depth >= this.#minDepth) await test(found);
    const pruned = this.#prune;
    if (
      isDirectory &&
      found.depth < this.#maxDepth &&
      !(pruned && !this.#isDepthFirst) &&
      !(this.#oneFileSystem && found.stat.dev !== dev)
    ) {
      let names: readonly string[] = [];
      try {
        names = t.sys.readdir(found.path);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        await t.fail(`${quote(t, found.path)}: ${error.strerror}`);
      }
      for (const name of names) {
        const path = joinPath(found.path, name);
        const stat = (follow ? t.stat(path) : undefined) ?? t.stat(path, false);
        if (stat !== undefined) await this.#visit({ path, start: found.start, depth: found.depth + 1, stat }, test, follow, dev);
      }
    }
    if (this.#isDepthFirst && found.depth >= this.#minDepth) await test(found);
  }

  async #or(): Promise<Test> {
    let left = await this.#and();
    for (;;) {
      const word = this.#words[this.#at];
      if (word === ',') {
        this.#at++;
        const [a, b] = [left, await this.#and()];
        left = async (f) => {
          await a(f);
          return b(f);
        };
      } else if (word === '-o' || word === '-or') {
        this.#at++;
        const [a, b] = [left, await this.#and()];
        left = async (f) => (await a(f)) || (await b(f));
      } else return left;
    }
  }

  async #and(): Promise<Test> {
    let left = await this.#not();
    for (;;) {
      const word = this.#words[this.#at];
      if (word === undefined || word === ')' || word === ',' || word === '-o' || word === '-or') return left;
      if (word === '-a' || word === '-and') this.#at++;
      const [a, b] = [left, await this.#not()];
      left = async (f) => (await a(f)) && (await b(f));
    }
  }

  async #not(): Promise<Test> {
    const word = this.#words[this.#at];
    if (word === '!' || word === '-not') {
      this.#at++;
      const inner = await this.#not();
      return async (f) => !(await inner(f));
    }
    if (word === '(') {
      this.#at++;
      const inner = await this.#or();
      if (this.#words[this.#at] !== ')')
        return this.#die("invalid expression; I was expecting to find a ')' somewhere but did not see one.");
      this.#at++;
      return inner;
    }
    return this.#primary();
  }

  async #value(name: string): Promise<string> {
    const value = this.#words[this.#at++];
    if (value === undefined) return this.#die(`missing argument to \`${name}'`);
    return value;
  }

  async #compare(name: string): Promise<(n: number) => boolean> {
    const text = await this.#value(name);
    const match = /^([-+]?)(\d+(?:\.\d+)?)$/.exec(text);
    if (match === null) return this.#die(`invalid argument \`${text}' to \`${name}'`);
    const wanted = Number(match[2]);
    return match[1] === '+' ? (n) => n > wanted : match[1] === '-' ? (n) => n < wanted : (n) => n === wanted;
  }

  async #primary(): Promise<Test> {
    const t = this.#t;
    const name = this.#words[this.#at++]!;
    const accounts = new Accounts(t.sys);
    switch (name) {
      case '-name':
      case '-iname': {
        const pattern = await this.#value(name);
        return async (f) => matchesPattern(baseName(f.path) || '/', pattern, { ignoreCase: name === '-iname' });
      }
      case '-path':
      case '-wholename':
      case '-ipath': {
        const pattern = await this.#value(name);
        return async (f) => matchesPattern(f.path, pattern, { ignoreCase: name === '-ipath' });
      }
      case '-regex':
      case '-iregex': {
        const source = await this.#value(name);
        const regex = new RegExp(`^(?:${source.replace(/\\([|()])/g, '$1')})$`, name === '-iregex' ? 'i' : '');
        return async (f) => regex.test(f.path);
      }
      case '-type': {
        const letter = await this.#value(name);
        const kinds: Readonly<Record<string, string>> = {
          f: 'file',
          d: 'directory',
          l: 'symlink',
          p: 'pipe',
          s: 'socket',
          c: 'character',
          b: 'block',
        };
        if (kinds[letter] === undefined) return this.#die(`Unknown argument to -type: ${letter}`);
        return async (f) => f.stat.kind === kinds[letter];
      }
      case '-size': {
        const text = await this.#value(name);
        const match = /^([-+]?)(\d+)([bcwkMG]?)$/.exec(text);
        if (match === null) return this.#die(`invalid -size type \`${text.at(-1)}'`);
        const unit = { b: 512, '': 512, c: 1, w: 2, k: 1024, M: 1_048_576, G: 1_073_741_824 }[match[3] as 'b']!;
        const wanted = Number(match[2]);
        return async (f) => {
          const n = Math.ceil(f.stat.sizeBytes / unit);
          return match[1] === '+' ? n > wanted : match[1] === '-' ? n < wanted : n === wanted;
        };
      }
      case '-empty':
        return async (f) =>
          f.stat.kind === 'file' ? f.stat.sizeBytes === 0 : f.stat.kind === 'directory' && t.sys.readdir(f.path).length === 0;
      case '-mtime':
      case '-atime':
      case '-ctime':
      case '-mmin':
      case '-amin':
      case '-cmin': {
        const test = await this.#compare(name);
        const unit = name.endsWith('min') ? 60_000 : 86_400_000;
        const key = `${name[1]!}timeMs` as 'mtimeMs' | 'atimeMs' | 'ctimeMs';
        return async (f) => test(Math.floor((t.sys.now() - f.stat[key]) / unit));
      }
      case '-newer': {
        const path = await this.#value(name);
        const other = t.stat(path);
        if (other === undefined) return this.#die(`${quote(t, path)}: No such file or directory`);
        return async (f) => f.stat.mtimeMs > other.mtimeMs;
      }
      case '-user': {
        const user = await this.#value(name);
        const uid = accounts.user(user)?.uid ?? (/^\d+$/.test(user) ? Number(user) : undefined);
        if (uid === undefined) return this.#die(`${quote(t, user)} is not the name of a known user`);
        return async (f) => f.stat.uid === uid;
      }
      case '-group': {
        const group = await this.#value(name);
        const gid = accounts.group(group) ?? (/^\d+$/.test(group) ? Number(group) : undefined);
        if (gid === undefined) return this.#die(`${quote(t, group)} is not the name of an existing group`);
        return async (f) => f.stat.gid === gid;
      }
      case '-nouser':
        return async (f) => !accounts.hasUser(f.stat.uid);
      case '-nogroup':
        return async (f) => !accounts.hasGroup(f.stat.gid);
      case '-uid': {
        const test = await this.#compare(name);
        return async (f) => test(f.stat.uid);
      }
      case '-links': {
        const test = await this.#compare(name);
        return async (f) => test(f.stat.nlink);
      }
      case '-inum': {
        const test = await this.#compare(name);
        return async (f) => test(f.stat.ino);
      }
      case '-perm': {
        const text = await this.#value(name);
        const bits = parseMode(text.replace(/^[-/+]/, ''), 0)?.(0, false);
        if (bits === undefined) return this.#die(`invalid mode ${quote(t, text)}`);
        return async (f) =>
          text.startsWith('-')
            ? (f.stat.mode & bits) === bits
            : /^[/+]/.test(text)
              ? bits === 0 || (f.stat.mode & bits) !== 0
              : f.stat.mode === bits;
      }
      case '-readable':
      case '-writable':
      case '-executable':
        return async (f) => {
          try {
            t.sys.access(f.path, name === '-readable' ? { read: true } : name === '-writable' ? { write: true } : { execute: true });
            return true;
          } catch (error) {
            if (isSysError(error)) return false;
            throw error;
          }
        };
      case '-maxdepth':
      case '-mindepth': {
        const depth = Number(await this.#value(name));
        if (!Number.isInteger(depth) || depth < 0)
          return this.#die(`Expected a positive decimal integer argument to ${name}, but got ${quote(t, this.#words[this.#at - 1]!)}`);
        if (name === '-maxdepth') this.#maxDepth = depth;
        else this.#minDepth = depth;
        return async () => true;
      }
      case '-depth':
        this.#isDepthFirst = true;
        return async () => true;
      case '-mount':
      case '-xdev':
        this.#oneFileSystem = true;
        return async () => true;
      case '-true':
      case '-noleaf':
        return async () => true;
      case '-false':
        return async () => false;
      case '-prune':
        return async () => {
          this.#prune = true;
          return true;
        };
      case '-quit':
        this.#hasAction = true;
        return async () => {
          this.#quit = true;
          return true;
        };
      case '-print':
      case '-print0':
        this.#hasAction = true;
        return async (f) => {
          await t.write(f.path + (name === '-print' ? '\n' : '\0'));
          return true;
        };
      case '-printf': {
        this.#hasAction = true;
        const format = await this.#value(name);
        return async (f) => {
          await t.write(this.#format(format, f, accounts));
          return true;
        };
      }
      case '-ls':
        this.#hasAction = true;
        return async (f) => {
          const s = f.stat;
          await t.write(
            `${String(s.ino).padStart(6)} ${String(blocksOf(s)).padStart(4)} ${modeText(s.kind, s.mode)} ${String(s.nlink).padStart(3)} ${accounts.userName(s.uid).padEnd(8)} ${accounts.groupName(s.gid).padEnd(8)} ${String(s.sizeBytes).padStart(8)} ${formatTime('%b %e %H:%M', s.mtimeMs, t.sys, t.env.get('TZ'))} ${f.path}\n`,
          );
          return true;
        };
      case '-delete':
        this.#hasAction = true;
        this.#isDepthFirst = true;
        return async (f) => {
          if (f.path === '.') return true;
          const done = await t.attempt(
            `cannot delete ${quote(t, f.path)}`,
            () => (f.stat.kind === 'directory' ? t.sys.rmdir(f.path) : t.sys.unlink(f.path)) ?? true,
          );
          return done === true;
        };
      case '-exec':
      case '-execdir':
      case '-ok': {
        this.#hasAction = true;
        const argv: string[] = [];
        for (;;) {
          const word = this.#words[this.#at++];
          if (word === undefined) return this.#die(`missing argument to \`${name}'`);
          if (word === ';') break;
          if (word === '+' && argv.at(-1) === '{}') {
            argv.pop();
            const batch = { argv, paths: [] as string[] };
            this.#batches.push(batch);
            return async (f) => {
              batch.paths.push(f.path);
              return true;
            };
          }
          argv.push(word);
        }
        return async (f) =>
          (await this.#spawn(
            argv.map((word) => word.replaceAll('{}', name === '-execdir' ? `./${baseName(f.path)}` : f.path)),
            name === '-execdir' ? dirName(f.path) : undefined,
          )) === 0;
      }
      default:
        if (name.startsWith('-')) return this.#die(`unknown predicate \`${name}'`);
        return this.#die(`paths must precede expression: ${name}`);
    }
  }

  #format(format: string, f: Found, accounts: Accounts): string {
    const s = f.stat;
    const time = (ms: number, letter: string | undefined): string =>
      letter === '@'
        ? (ms / 1000).toFixed(10)
        : formatTime(letter === undefined ? '%a %b %e %H:%M:%S.%N %Y' : `%${letter}`, ms, this.#t.sys, this.#t.env.get('TZ'));
    return format
      .replace(/\\([ntr0\\])/g, (_, c: string) => ({ n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' })[c]!)
      .replace(
        /%(-?\d*)(?:([TAC])(.)|([a-zA-Z%]))/g,
        (whole, width: string, which: string | undefined, letter: string | undefined, plain: string | undefined) => {
          let value: string;
          if (which !== undefined) value = time(which === 'T' ? s.mtimeMs : which === 'A' ? s.atimeMs : s.ctimeMs, letter);
          else
            value =
              {
                p: f.path,
                f: baseName(f.path),
                h: dirName(f.path),
                P: f.path.slice(f.start.length).replace(/^\//, ''),
                s: String(s.sizeBytes),
                m: s.mode.toString(8),
                M: modeText(s.kind, s.mode),
                u: accounts.userName(s.uid),
                g: accounts.groupName(s.gid),
                U: String(s.uid),
                G: String(s.gid),
                y: { file: 'f', directory: 'd', symlink: 'l', pipe: 'p', socket: 's', character: 'c', block: 'b' }[s.kind],
                l: s.kind === 'symlink' ? this.#t.sys.readlink(f.path) : '',
                d: String(f.depth),
                n: String(s.nlink),
                i: String(s.ino),
                k: String(blocksOf(s)),
                b: String(blocksOf(s) * 2),
                t: time(s.mtimeMs, undefined),
                a: time(s.atimeMs, undefined),
                c: time(s.ctimeMs, undefined),
                '%': '%',
              }[plain!] ?? whole;
          return width.startsWith('-') ? value.padEnd(-Number(width)) : value.padStart(Number(width || 0));
        },
      );
  }

  async #spawn(argv: readonly string[], cwd?: string): Promise<number> {
    return (await runChild(this.#t, argv, cwd)) ?? 1;
  }
}

/** Runs a command and waits; undefined when it could not start. */
async function runChild(t: Tool, argv: readonly string[], cwd?: string): Promise<number | undefined> {
  await t.flush();
  let pid: number;
  try {
    pid = t.sys.spawn(findProgram(t, argv[0]!), argv, { env: t.env, ...(cwd === undefined ? {} : { cwd }) });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await t.fail(
      `${t.name === 'find' ? quote(t, argv[0]!) : argv[0]}: ${error.strerror}`,
      t.name === 'find' ? 1 : error.errno === 'ENOENT' ? 127 : 126,
    );
    return undefined;
  }
  const result = await t.sys.wait(pid);
  return result?.kind === 'exited' ? result.status : 255;
}

const find = tool('find', (t) => new Finder(t).run());

const xargs = tool('xargs', async (t) => {
  const o = await t.options('+0a:d:E:I:i::L:l::n:prs:tP:x', {
    null: '0',
    'arg-file': 'a:',
    delimiter: 'd:',
    replace: 'i::',
    'max-lines': 'l::',
    'max-args': 'n:',
    interactive: 'p',
    'no-run-if-empty': 'r',
    verbose: 't',
    'max-procs': 'P:',
  });
  const command = o.rest.length === 0 ? ['echo'] : o.rest;
  const input = await t.openInput(o.get('a') ?? '-');
  if (input === undefined) return 1;
  const text = await input.readText();
  const replace = o.get('I') ?? (o.has('i') ? (o.get('i') ?? '{}') : undefined);
  const perLine = o.get('L') ?? (o.has('l') ? (o.get('l') ?? '1') : undefined);
  let lines: string[][];
  if (o.has('0'))
    lines = text
      .split('\0')
      .filter((word, i, all) => i < all.length - 1 || word !== '')
      .map((word) => [word]);
  else if (o.has('d')) {
    const mark = o.get('d')!.replace(/\\n/, '\n').replace(/\\t/, '\t').replace(/\\0/, '\0');
    const parts = text.split(mark);
    if (parts.at(-1) === '' || parts.at(-1) === '\n') parts.pop();
    lines = parts.map((word) => [word]);
  } else if (replace !== undefined)
    lines = text
      .split('\n')
      .map((line) => line.replace(/^[ \t]+/, ''))
      .filter((line) => line !== '')
      .map((line) => [line.replace(/\\(.)|'([^']*)'|"([^"]*)"/g, (_, a?: string, b?: string, c?: string) => a ?? b ?? c ?? '')]);
  else {
    lines = [];
    for (const line of text.split('\n')) {
      const words: string[] = [];
      let word = '';
      let has = false;
      for (let i = 0; i < line.length; i++) {
        const c = line[i]!;
        if (c === '\\') {
          word += line[++i] ?? '';
          has = true;
        } else if (c === "'" || c === '"') {
          const end = line.indexOf(c, i + 1);
          if (end < 0)
            return void (await t.die(
              `unmatched ${c === '"' ? 'double' : 'single'} quote; by default quotes are special to xargs unless you use the -0 option`,
            ));
          word += line.slice(i + 1, end);
          has = true;
          i = end;
        } else if (c === ' ' || c === '\t') {
          if (has) words.push(word);
          word = '';
          has = false;
        } else {
          word += c;
          has = true;
        }
      }
      if (has) words.push(word);
      if (words.length > 0) lines.push(words);
    }
  }
  const runs: string[][] = [];
  if (replace !== undefined) for (const [line] of lines as [string][]) runs.push(command.map((word) => word.replaceAll(replace, line)));
  else if (perLine !== undefined)
    for (let i = 0; i < lines.length; i += Number(perLine)) runs.push([...command, ...lines.slice(i, i + Number(perLine)).flat()]);
  else {
    const words = lines.flat();
    const most = Number(o.get('n') ?? 0) || 5000;
    for (let i = 0; i < words.length; i += most) runs.push([...command, ...words.slice(i, i + most)]);
  }
  if (runs.length === 0 && !o.has('r') && replace === undefined) runs.push([...command]);
  let status = 0;
  const limit = Number(o.get('P') ?? 1) || 64;
  const queue = [...runs];
  let stopped = false;
  const worker = async (): Promise<void> => {
    for (let argv = queue.shift(); argv !== undefined && !stopped; argv = queue.shift()) {
      if (o.has('t')) await t.errorText(argv.join(' ') + '\n');
      const result = await runChild(t, argv);
      if (result === undefined) {
        status = t.status;
        stopped = true;
      } else if (result === 255) {
        await t.message(`${argv[0]}: exited with status 255; aborting`);
        status = 124;
        stopped = true;
      } else if (result !== 0) status = 123;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, runs.length) }, worker));
  return status;
});

const which = tool('which', async (t) => {
  const o = await t.options('ai', {
    all: 'a',
    'read-alias': 'i',
    'tty-only': 'tty',
    'show-dot': 'dot',
    'show-tilde': 'tilde',
    'read-functions': 'rf',
    'skip-alias': 'sa',
  });
  const aliases = new Map<string, string>();
  if (o.has('i') && !(o.has('tty') && !t.isTerminal)) {
    const input = (await t.openInput('-'))!;
    for await (const line of input.lines()) {
      const match = /^alias ([^=]+)=(.*)$/.exec(line);
      if (match !== null) aliases.set(match[1]!, line);
    }
  }
  for (const name of o.rest) {
    let isFound = false;
    const alias = aliases.get(name);
    if (alias !== undefined) {
      await t.write(alias + '\n');
      isFound = true;
      const value = /='?([^' ]+)/.exec(alias)?.[1];
      if (value !== undefined && !o.has('a')) {
        try {
          await t.write(`\t${findProgram(t, value)}\n`);
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
        }
        continue;
      }
    }
    for (const directory of name.includes('/') ? [''] : (t.env.get('PATH') ?? '').split(':')) {
      const path = name.includes('/') ? name : `${directory || '.'}/${name}`;
      if (t.stat(path)?.kind !== 'file') continue;
      try {
        t.sys.access(path, { execute: true });
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        continue;
      }
      await t.write((alias === undefined ? '' : '\t') + path + '\n');
      isFound = true;
      if (!o.has('a')) break;
    }
    if (!isFound) {
      t.status = Math.min(255, t.status + 1);
      await t.flush();
      await t.errorText(
        name.includes('/') ? `which: no ${baseName(name)} in (${dirName(name)})\n` : `which: no ${name} in (${t.env.get('PATH') ?? ''})\n`,
      );
    }
  }
  return t.status;
});

const file = tool('file', async (t) => {
  const o = await t.options('biLhmnsz', { brief: 'b', mime: 'i', dereference: 'L', 'mime-type': 'mt' });
  if (o.rest.length === 0) {
    await t.errorText(
      'Usage: file [-bchikLlNnprsvz0] [--apple] [--mime-encoding] [--mime-type]\n            [-e testname] [-F separator] [-f namefile] [-m magicfiles] file ...\n       file -C [-m magicfiles]\n       file [--help]\n',
    );
    return 1;
  }
  const width = Math.max(...o.rest.map((path) => path.length));
  for (const path of o.rest)
    await t.write((o.has('b') ? '' : `${path}: ${' '.repeat(width - path.length)}`) + (describeFile(t, path, o.has('L')) + '\n'));
  return t.status;
});

function describeFile(t: Tool, path: string, follow: boolean): string {
  const stat = t.stat(path, follow);
  if (stat === undefined) return `cannot open (No such file or directory)`;
  switch (stat.kind) {
    case 'directory':
      return (stat.mode & 0o1000) !== 0 ? 'sticky directory' : 'directory';
    case 'symlink':
      return t.stat(path) === undefined
        ? `broken symbolic link to \`${t.sys.readlink(path)}'`
        : `symbolic link to \`${t.sys.readlink(path)}'`;
    case 'pipe':
      return 'fifo (named pipe)';
    case 'socket':
      return 'socket';
    case 'character':
      return 'character special';
    case 'block':
      return 'block special';
  }
  if (stat.sizeBytes === 0) return 'empty';
  let bytes: Uint8Array;
  try {
    bytes = t.sys.readFile(path).subarray(0, 8192);
  } catch (error) {
    if (error instanceof SysError) return `regular file, no read permission`;
    throw error;
  }
  const head = toText(bytes);
  if (head.startsWith('\x7fELF'))
    return 'ELF 64-bit LSB executable, x86-64, version 1 (SYSV), dynamically linked (uses shared libs), for GNU/Linux 2.6.32, stripped';
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip compressed data, from Unix';
  if (head.slice(257, 262) === 'ustar') return 'POSIX tar archive (GNU)';
  if (head.startsWith('PK\x03\x04')) return 'Zip archive data, at least v2.0 to extract';
  if (head.startsWith('-----BEGIN CERTIFICATE')) return 'PEM certificate';
  if (head.startsWith('-----BEGIN')) return 'PEM RSA private key';
  if (bytes.includes(0)) return 'data';
  const encoding = isUtf8(bytes) ? (/[^\x00-\x7f]/.test(head) ? 'UTF-8 Unicode' : 'ASCII') : 'ISO-8859';
  const crlf = head.includes('\r\n') ? ', with CRLF line terminators' : '';
  const shebang = /^#![ \t]*(\S+)/.exec(head);
  if (shebang !== null)
    return `${/\/(?:ba)?sh$/.test(shebang[1]!) ? (shebang[1]!.endsWith('bash') ? 'Bourne-Again shell script' : 'POSIX shell script') : `a ${shebang[1]} script`}, ${encoding} text executable${crlf}`;
  return `${encoding} text${head.split('\n').some((line) => line.length > 300) ? ', with very long lines' : ''}${crlf}`;
}

const tree = tool('tree', async (t) => {
  const o = await t.options('adfghI:iL:nP:pstuChDF', { noreport: 'nr', dirsfirst: 'df', charset: 'charset:' });
  let directories = 0;
  let files = 0;
  const collate = collateFor(t.env);
  const limit = Number(o.get('L') ?? Infinity);
  const utf = /utf-?8/i.test(t.env.get('LC_ALL') || t.env.get('LC_CTYPE') || t.env.get('LANG') || '') && o.get('charset') !== 'ascii';
  const [branch, last, bar] = utf ? ['├── ', '└── ', '│\u00a0\u00a0 '] : ['|-- ', '`-- ', '|   '];
  const colored = o.has('C') || (t.isTerminal && t.env.has('LS_COLORS') && !o.has('n'));
  const paint = (name: string, stat: Stat): string => {
    const code = stat.kind === 'directory' ? '01;34' : stat.kind === 'symlink' ? '01;36' : (stat.mode & 0o111) !== 0 ? '01;32' : undefined;
    return colored && code !== undefined ? `\x1b[${code}m${name}\x1b[00m` : name;
  };
  const walk = async (path: string, prefix: string, depth: number): Promise<void> => {
    let names = [...t.sys.readdir(path)].filter((name) => o.has('a') || !name.startsWith('.'));
    const ignored = o.get('I');
    if (ignored !== undefined) names = names.filter((name) => !ignored.split('|').some((pattern) => matchesPattern(name, pattern)));
    names.sort(collate);
    let entries = names.map((name) => ({ name, full: joinPath(path, name), stat: t.sys.lstat(joinPath(path, name)) }));
    if (o.has('d')) entries = entries.filter((entry) => entry.stat.kind === 'directory');
    if (o.has('P')) entries = entries.filter((entry) => entry.stat.kind === 'directory' || matchesPattern(entry.name, o.get('P')!));
    if (o.has('df')) entries.sort((a, b) => Number(b.stat.kind === 'directory') - Number(a.stat.kind === 'directory'));
    for (const [i, { name, full, stat }] of entries.entries()) {
      const isLast = i === entries.length - 1;
      const target = stat.kind === 'symlink' ? ` -> ${t.sys.readlink(full)}` : '';
      await t.write(`${o.has('i') ? '' : prefix + (isLast ? last : branch)}${paint(o.has('f') ? full : name, stat)}${target}\n`);
      if (stat.kind === 'directory') {
        directories++;
        if (depth < limit) await walk(full, prefix + (isLast ? '    ' : bar), depth + 1);
      } else files++;
    }
  };
  for (const path of o.rest.length === 0 ? ['.'] : o.rest) {
    const stat = t.stat(path);
    if (stat?.kind !== 'directory') {
      await t.write(`${path} [error opening dir]\n`);
      continue;
    }
    await t.write(paint(path, stat) + '\n');
    await walk(path, '', 1);
  }
  if (!o.has('nr'))
    await t.write(
      `\n${directories} director${directories === 1 ? 'y' : 'ies'}${o.has('d') ? '' : `, ${files} file${files === 1 ? '' : 's'}`}\n`,
    );
  return t.status;
});

const watch = tool('watch', async (t) => {
  const o = await t.options('+bcdegn:tx', {
    beep: 'b',
    color: 'c',
    differences: 'd',
    errexit: 'e',
    chgexit: 'g',
    interval: 'n:',
    'no-title': 't',
    exec: 'x',
  });
  if (o.rest.length === 0) {
    await t.errorText('Usage:\n watch [options] command\n');
    return 1;
  }
  const given = Number(o.get('n') ?? 2);
  const interval = Math.max(0.1, Number.isFinite(given) ? given : 2);
  const command = o.rest.join(' ');
  const tty = t.process.stdout.tty;
  let before: readonly string[] | undefined;
  if (tty !== undefined) await t.write('\x1b[?1049h\x1b[H\x1b[2J');
  const size = (): { readonly columns: number; readonly rows: number } => tty?.size ?? { columns: 80, rows: 24 };
  const end = async (): Promise<void> => {
    if (tty !== undefined) await t.process.stdout.write(new TextEncoder().encode(`\x1b[${size().rows};1H\x1b[?1049l`));
  };
  const interrupted = new AbortController();
  t.sys.onSignal('SIGINT', () => {
    ended = true;
    interrupted.abort(new Exit(0));
  });
  let ended = false;
  let last: string | undefined;
  try {
    while (!ended) {
      const [readEnd, writeEnd] = t.sys.pipe();
      const argv = o.has('x') ? o.rest : ['sh', '-c', command];
      const pid = t.sys.spawn(findProgram(t, argv[0]!), argv, {
        env: new Map(t.env).set('COLUMNS', String(size().columns)).set('LINES', String(size().rows)),
        fds: new Map([
          [0, 0],
          [1, writeEnd],
          [2, writeEnd],
        ]),
      });
      t.sys.close(writeEnd);
      let out = '';
      for (;;) {
        const chunk = await t.sys.file(readEnd).read();
        if (chunk === undefined) break;
        out += toText(chunk);
      }
      t.sys.close(readEnd);
      const result = await t.sys.wait(pid);
      const { columns, rows } = size();
      const lines: string[] = [];
      if (!o.has('t')) {
        const left = `Every ${interval.toFixed(1)}s: ${command}`;
        const right = formatTime('%a %b %e %H:%M:%S %Y', t.sys.now(), t.sys, t.env.get('TZ'));
        const room = columns - right.length;
        lines.push(
          left.length > room - 1 ? (room > 4 ? left.slice(0, room - 4) + '... ' : '').padEnd(room) + right : left.padEnd(room) + right,
          '',
        );
      }
      for (const line of out.split('\n')) {
        if (lines.length >= rows) break;
        lines.push((o.has('c') ? line : line.replace(/\x1b\[[0-9;]*m/g, '')).replace(/\t/g, '        ').slice(0, columns));
      }
      let paint = '\x1b[H';
      lines.forEach((line, i) => {
        const old = before?.[i];
        let shown = line;
        if (o.has('d') && before !== undefined && i > 1 && old !== undefined && old !== line)
          shown = [...line].map((c, k) => (c === old[k] ? c : `\x1b[7m${c}\x1b[27m`)).join('');
        paint += `${shown}\x1b[K${i < rows - 1 ? '\r\n' : ''}`;
      });
      await t.write(paint + '\x1b[J');
      await t.flush();
      before = lines;
      if (o.has('g') && last !== undefined && last !== out) break;
      last = out;
      if (o.has('e') && result?.kind === 'exited' && result.status !== 0) {
        await t.write(`\x1b[${rows};1Hcommand exit with a non-zero status, press a key to exit`);
        await t.flush();
        await t.process.stdin.read(1);
        await end();
        return 8;
      }
      await t.sys.sleep(interval * 1000, interrupted.signal);
    }
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
  } finally {
    t.sys.onSignal('SIGINT', 'default');
  }
  await end();
  return 0;
});

export const SEARCH_PROGRAMS: readonly Program[] = [find, xargs, which, file, tree, watch];
