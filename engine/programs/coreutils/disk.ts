// Models df, du and stat.

import type { Program, Stat } from '../../kernel/process.ts';
import { formatTime } from '../../shell/time-format.ts';
import { SysError } from '../../sim/errno.ts';
import { blocksOf } from './ls.ts';
import { modeText } from './lib/mode.ts';
import { Accounts, humanSize, joinPath, quote, tool } from './lib/tool.ts';

const df = tool('df', async (t) => {
  const o = await t.options('aBhHiklmPt:Tvx:', {
    all: 'a',
    'human-readable': 'h',
    si: 'H',
    inodes: 'i',
    local: 'l',
    portability: 'P',
    total: 'total',
    type: 't:',
    'print-type': 'T',
    'exclude-type': 'x:',
    'block-size': 'B:',
  });
  const mounts = t.sys.mounts();
  let wanted = mounts.filter(
    (m) =>
      o.has('a') ||
      (m.totalBytes > 0 &&
        !['proc', 'sysfs', 'devpts', 'cgroup', 'mqueue', 'securityfs', 'debugfs', 'configfs', 'overlay-private'].includes(m.type)),
  );
  // A file system that is mounted more than once is shown by its first place.
  if (!o.has('a'))
    wanted = wanted.filter(
      (m, i) =>
        m.source === 'tmpfs' ||
        m.source === 'overlay' ||
        m.source === 'shm' ||
        wanted.findIndex((other) => other.source === m.source) === i,
    );
  if (o.rest.length > 0) {
    wanted = [];
    for (const path of o.rest) {
      const found = await t.attempt(quote(t, path), () => t.sys.statfs(path));
      if (found !== undefined) wanted.push(found);
    }
    if (wanted.length === 0) {
      await t.message('no file systems processed');
      return 1;
    }
  }
  if (o.has('t')) wanted = wanted.filter((m) => o.all('t').includes(m.type));
  if (o.has('x')) wanted = wanted.filter((m) => !o.all('x').includes(m.type));
  if (wanted.length === 0) return void (await t.die('no file systems processed'));
  const size = (bytes: number): string =>
    o.has('h')
      ? bytes === 0
        ? '0'
        : humanSize(bytes)
      : o.has('H')
        ? bytes === 0
          ? '0'
          : humanSize(bytes, 1000, 'kMGTPE')
        : String(Math.ceil(bytes / (o.has('m') ? 1_048_576 : 1024)));
  const percent = (used: number, available: number): string =>
    used + available === 0 ? '-' : `${Math.ceil((used / (used + available)) * 100)}%`;
  const header = o.has('i')
    ? ['Filesystem', ...(o.has('T') ? ['Type'] : []), 'Inodes', 'IUsed', 'IFree', 'IUse%', 'Mounted on']
    : [
        'Filesystem',
        ...(o.has('T') ? ['Type'] : []),
        o.has('h', 'H') ? 'Size' : o.has('m') ? '1M-blocks' : o.has('P') ? '1024-blocks' : '1K-blocks',
        'Used',
        o.has('h', 'H') ? 'Avail' : 'Available',
        o.has('P') ? 'Capacity' : 'Use%',
        'Mounted on',
      ];
  const rows = wanted.map((m) => {
    const type = o.has('T') ? [m.type] : [];
    if (o.has('i')) {
      const show = (n: number): string => (o.has('h') ? humanSize(n) : String(n));
      return [
        m.source,
        ...type,
        show(m.totalInodes),
        show(m.usedInodes),
        show(m.totalInodes - m.usedInodes),
        percent(m.usedInodes, m.totalInodes - m.usedInodes),
        m.target,
      ];
    }
    return [
      m.source,
      ...type,
      size(m.totalBytes),
      size(m.usedBytes),
      size(m.availableBytes),
      percent(m.usedBytes, m.availableBytes),
      m.target,
    ];
  });
  const table = [header, ...rows];
  const left = o.has('T') ? 2 : 1;
  const widths = header.map((_, i) =>
    Math.max(...table.map((row) => row[i]!.length), i === 0 ? 14 : i >= left && i < left + 3 ? (o.has('h', 'H', 'i') ? 5 : 0) : 0),
  );
  for (const row of table)
    await t.write(
      row.map((cell, i) => (i === row.length - 1 ? cell : i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' ') + '\n',
    );
  return t.status;
});

const du = tool('du', async (t) => {
  const o = await t.options('abcd:hHkLlmsSxX:', {
    all: 'a',
    bytes: 'b',
    'apparent-size': 'apparent',
    total: 'c',
    'max-depth': 'd:',
    'human-readable': 'h',
    summarize: 's',
    'one-file-system': 'x',
    exclude: 'exclude:',
    'separate-dirs': 'S',
    time: 'time::',
  });
  const limit = o.has('s') ? 0 : o.has('d') ? Number(o.get('d')) : Infinity;
  if (o.has('s') && o.has('a')) await t.dieUsage('cannot both summarize and show all entries');
  const seen = new Set<string>();
  const isApparent = o.has('b', 'apparent');
  const show = (bytes: number): string =>
    o.has('h')
      ? bytes === 0
        ? '0'
        : humanSize(bytes)
      : o.has('b')
        ? String(bytes)
        : o.has('m')
          ? String(Math.ceil(bytes / 1_048_576))
          : String(Math.ceil(bytes / 1024));
  const sizeOf = (stat: Stat): number => (isApparent ? stat.sizeBytes : blocksOf(stat) * 1024);
  const walk = async (path: string, depth: number, dev: number): Promise<number> => {
    const stat = t.stat(path, false);
    if (stat === undefined) {
      if (depth === 0) await t.attempt(`cannot access ${quote(t, path)}`, () => t.sys.lstat(path));
      return 0;
    }
    if (o.has('x') && depth > 0 && stat.dev !== dev) return 0;
    if (
      o
        .all('exclude')
        .some((pattern) => new RegExp(`(?:^|/)${pattern.replace(/[.+^${}()|\\]/g, '\\$&').replace(/\*/g, '[^/]*')}$`).test(path))
    )
      return 0;
    if (stat.kind !== 'directory') {
      const key = `${stat.dev}:${stat.ino}`;
      if (stat.nlink > 1 && seen.has(key)) return 0;
      seen.add(key);
      const bytes = sizeOf(stat);
      if (depth === 0 || (o.has('a') && depth <= limit)) await t.write(`${show(bytes)}\t${path}\n`);
      return bytes;
    }
    let total = sizeOf(stat);
    let names: readonly string[] = [];
    try {
      names = t.sys.readdir(path);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await t.fail(`cannot read directory ${quote(t, path)}: ${error.strerror}`);
    }
    for (const name of names) total += await walk(joinPath(path, name), depth + 1, dev);
    if (depth <= limit) await t.write(`${show(total)}\t${path}\n`);
    return total;
  };
  let sum = 0;
  for (const path of o.rest.length === 0 ? ['.'] : o.rest) sum += await walk(path, 0, t.stat(path, false)?.dev ?? 0);
  if (o.has('c')) await t.write(`${show(sum)}\ttotal\n`);
  return t.status;
});

const KINDS: Readonly<Record<Stat['kind'], string>> = {
  file: 'regular file',
  directory: 'directory',
  symlink: 'symbolic link',
  pipe: 'fifo',
  character: 'character special file',
  block: 'block special file',
  socket: 'socket',
};
const TYPE_BITS: Readonly<Record<Stat['kind'], number>> = {
  file: 0o100000,
  directory: 0o40000,
  symlink: 0o120000,
  pipe: 0o10000,
  character: 0o20000,
  block: 0o60000,
  socket: 0o140000,
};

const stat = tool('stat', async (t) => {
  const o = await t.options('c:fLtZ', { dereference: 'L', 'file-system': 'f', format: 'c:', printf: 'printf:', terse: 't' });
  if (o.rest.length === 0) await t.dieUsage('missing operand');
  const accounts = new Accounts(t.sys);
  const time = (ms: number): string => formatTime('%Y-%m-%d %H:%M:%S.%N %z', ms, t.sys, t.env.get('TZ'));
  for (const path of o.rest) {
    if (o.has('f')) {
      const fs = await t.attempt(`cannot read file system information for ${quote(t, path)}`, () => t.sys.statfs(path));
      if (fs === undefined) continue;
      const block = 4096;
      await t.write(
        `  File: "${path}"\n    ID: fd0000000000 Namelen: 255     Type: ${fs.type}\nBlock size: ${block}       Fundamental block size: ${block}\nBlocks: Total: ${String(Math.floor(fs.totalBytes / block)).padEnd(10)} Free: ${String(Math.floor(fs.availableBytes / block)).padEnd(10)} Available: ${Math.floor(fs.availableBytes / block)}\nInodes: Total: ${String(fs.totalInodes).padEnd(10)} Free: ${fs.totalInodes - fs.usedInodes}\n`,
      );
      continue;
    }
    const s = await t.attempt(`cannot stat ${quote(t, path)}`, () => (o.has('L') ? t.sys.stat(path) : t.sys.lstat(path)));
    if (s === undefined) continue;
    const kind = s.kind === 'file' && s.sizeBytes === 0 ? 'regular empty file' : KINDS[s.kind];
    const name = s.kind === 'symlink' ? `${quote(t, path)} -> ${quote(t, t.sys.readlink(path))}` : quote(t, path);
    const blocks = blocksOf(s) * 2;
    const format = o.get('c') ?? o.get('printf');
    if (format !== undefined) {
      const values: Readonly<Record<string, () => string>> = {
        a: () => s.mode.toString(8),
        A: () => modeText(s.kind, s.mode),
        b: () => String(blocks),
        B: () => '512',
        d: () => String(s.dev),
        D: () => s.dev.toString(16),
        f: () => (TYPE_BITS[s.kind] | s.mode).toString(16),
        F: () => kind,
        g: () => String(s.gid),
        G: () => accounts.groupName(s.gid),
        h: () => String(s.nlink),
        i: () => String(s.ino),
        n: () => path,
        N: () => name,
        o: () => '4096',
        s: () => String(s.sizeBytes),
        u: () => String(s.uid),
        U: () => accounts.userName(s.uid),
        x: () => time(s.atimeMs),
        X: () => String(Math.floor(s.atimeMs / 1000)),
        y: () => time(s.mtimeMs),
        Y: () => String(Math.floor(s.mtimeMs / 1000)),
        z: () => time(s.ctimeMs),
        Z: () => String(Math.floor(s.ctimeMs / 1000)),
        w: () => '-',
        W: () => '0',
        m: () => t.sys.statfs(path).target,
        '%': () => '%',
      };
      const shown = format.replace(/%(-?\d*)([a-zA-Z%])/g, (whole, width: string, letter: string) => {
        const value = values[letter]?.() ?? whole;
        return width.startsWith('-') ? value.padEnd(-Number(width)) : value.padStart(Number(width || 0));
      });
      await t.write(o.has('printf') ? shown.replace(/\\n/g, '\n').replace(/\\t/g, '\t') : shown + '\n');
      continue;
    }
    const pad = (text: string, width: number): string => text.padEnd(width);
    await t.write(
      `  File: ${name}\n  Size: ${pad(String(s.sizeBytes), 10)}\tBlocks: ${pad(String(blocks), 10)} IO Block: 4096   ${kind}\n` +
        `Device: ${s.dev.toString(16)}h/${s.dev}d\tInode: ${pad(String(s.ino), 11)} Links: ${s.nlink}\n` +
        `Access: (${s.mode.toString(8).padStart(4, '0')}/${modeText(s.kind, s.mode)})  Uid: (${String(s.uid).padStart(5)}/${accounts.userName(s.uid).padStart(8)})   Gid: (${String(s.gid).padStart(5)}/${accounts.groupName(s.gid).padStart(8)})\n` +
        `Access: ${time(s.atimeMs)}\nModify: ${time(s.mtimeMs)}\nChange: ${time(s.ctimeMs)}\n Birth: -\n`,
    );
  }
  return t.status;
});

export const DISK_PROGRAMS: readonly Program[] = [df, du, stat];
