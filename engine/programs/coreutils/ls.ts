// Models ls of coreutils 8.22, with the SELinux dot and the colours of CentOS's /etc/DIR_COLORS.

import type { Stat } from '../../kernel/process.ts';
import { collateFor } from '../../shell/collate.ts';
import { formatTime } from '../../shell/time-format.ts';
import { textWidth } from '../../shell/width.ts';
import { SysError } from '../../sim/errno.ts';
import { modeText } from './lib/mode.ts';
import { Accounts, humanSize, joinPath, tool, type Options, type Tool } from './lib/tool.ts';

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly stat: Stat | undefined;
  /** Where a symbolic link leads. */
  readonly target: string | undefined;
  readonly targetStat: Stat | undefined;
}

export const ls = (name: 'ls' | 'dir'): ReturnType<typeof tool> => tool(name, run, { usageStatus: 2 });

const LONG = {
  all: 'a',
  'almost-all': 'A',
  author: 'author',
  escape: 'b',
  'block-size': 'block-size:',
  'ignore-backups': 'B',
  color: 'color::',
  directory: 'd',
  classify: 'F',
  'file-type': 'p',
  'full-time': 'full-time',
  'group-directories-first': 'gdf',
  'no-group': 'G',
  'human-readable': 'h',
  si: 'si',
  inode: 'i',
  ignore: 'I:',
  dereference: 'L',
  'numeric-uid-gid': 'n',
  literal: 'N',
  'hide-control-chars': 'q',
  'show-control-chars': 'show-control-chars',
  'quote-name': 'Q',
  reverse: 'r',
  recursive: 'R',
  size: 's',
  sort: 'sort:',
  time: 'time:',
  'time-style': 'time-style:',
  width: 'w:',
  context: 'Z',
  format: 'format:',
};

async function run(t: Tool): Promise<number> {
  const o = await t.options('aAbBcCdfFgGhHiI:klLmnNopqQrRsStTuUvw:xXZ1', LONG);
  const listing = new Listing(t, o);
  return listing.run();
}

class Listing {
  readonly #t: Tool;
  readonly #o: Options;
  readonly #accounts: Accounts;
  readonly #isLong: boolean;
  readonly #colors: boolean;
  readonly #showsAll: boolean;
  readonly #almostAll: boolean;
  readonly #followsOperands: boolean;
  #printed = false;
  #usedReset = false;

  constructor(t: Tool, o: Options) {
    this.#t = t;
    this.#o = o;
    this.#accounts = new Accounts(t.sys);
    this.#isLong = o.has('l', 'g', 'n', 'o', 'full-time') && o.last('l', 'g', 'n', 'o', 'full-time', 'C', '1', 'm', 'x') !== 'C';
    const color = o.has('color') ? (o.get('color') ?? 'always') : 'never';
    this.#colors = ['always', 'yes', 'force'].includes(color) || (['auto', 'tty', 'if-tty'].includes(color) && t.isTerminal);
    this.#showsAll = o.has('a', 'f');
    this.#almostAll = o.has('A');
    this.#followsOperands = !this.#isLong && !o.has('d', 'F');
  }

  async run(): Promise<number> {
    const t = this.#t;
    const operands = this.#o.rest.length === 0 ? ['.'] : this.#o.rest;
    const files: Entry[] = [];
    const directories: Entry[] = [];
    for (const path of operands) {
      let stat: Stat;
      try {
        stat = this.#o.has('L', 'H') ? t.sys.stat(path) : t.sys.lstat(path);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        await t.fail(`cannot access ${path}: ${error.strerror}`, 2);
        continue;
      }
      const entry = this.#entry(path, path, stat);
      const target = stat.kind === 'symlink' && this.#followsOperands ? entry.targetStat : stat;
      if (target?.kind === 'directory' && !this.#o.has('d')) directories.push(entry);
      else files.push(entry);
    }
    if (files.length > 0) {
      await this.#print(this.#sort(files));
      this.#printed = true;
    }
    const withNames = operands.length > 1 || this.#o.has('R');
    for (const entry of this.#sort(directories)) await this.#directory(entry.path, withNames);
    return t.status;
  }

  #entry(name: string, path: string, stat: Stat | undefined): Entry {
    let target: string | undefined;
    let targetStat: Stat | undefined;
    if (stat?.kind === 'symlink') {
      targetStat = this.#t.stat(path);
      try {
        target = this.#t.sys.readlink(path);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
      }
    }
    return { name, path, stat, target, targetStat };
  }

  async #directory(path: string, withName: boolean): Promise<void> {
    const t = this.#t;
    let names: string[];
    try {
      names = [...t.sys.readdir(path)];
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await t.fail(`cannot open directory ${path}: ${error.strerror}`, this.#o.rest.length > 0 || path === '.' ? 2 : 1);
      return;
    }
    if (withName) {
      await t.write(`${this.#printed ? '\n' : ''}${path}:\n`);
    }
    this.#printed = true;
    const ignored = this.#o.all('I');
    names = names.filter((name) => {
      if (name.startsWith('.') && !this.#showsAll && !this.#almostAll) return false;
      if (this.#o.has('B') && name.endsWith('~')) return false;
      return !ignored.some((pattern) =>
        new RegExp(
          `^${pattern
            .replace(/[.+^${}()|\\]/g, '\\$&')
            .replace(/\*/g, '.*')
            .replace(/\?/g, '.')}$`,
        ).test(name),
      );
    });
    if (this.#showsAll) names.push('.', '..');
    const entries: Entry[] = [];
    for (const name of names) {
      const full = joinPath(path, name);
      const stat = t.stat(full, this.#o.has('L'));
      entries.push(this.#entry(name, full, stat ?? t.stat(full, false)));
    }
    const sorted = this.#sort(entries);
    if (this.#isLong || this.#o.has('s')) {
      const blocks = sorted.reduce((sum, entry) => sum + blocksOf(entry.stat), 0);
      await t.write(`total ${this.#o.has('h') ? humanSize(blocks * 1024) : blocks}\n`);
    }
    await this.#print(sorted);
    if (this.#o.has('R')) {
      for (const entry of sorted) {
        if (entry.stat?.kind === 'directory' && entry.name !== '.' && entry.name !== '..') await this.#directory(entry.path, true);
      }
    }
  }

  #sort(entries: readonly Entry[]): Entry[] {
    const o = this.#o;
    const collate = collateFor(this.#t.env);
    const byName = (a: Entry, b: Entry): number => collate(a.name, b.name);
    const word = o.get('sort');
    const kind = o.last('t', 'S', 'X', 'U', 'f', 'v', 'sort');
    const by = kind === 'sort' ? { time: 't', size: 'S', extension: 'X', none: 'U', version: 'v' }[word ?? ''] : kind;
    const out = [...entries];
    const timeOf = (e: Entry): number => this.#time(e.stat);
    if (by === 'U' || by === 'f') return out;
    if (by === 't') out.sort((a, b) => timeOf(b) - timeOf(a) || byName(a, b));
    else if (by === 'S') out.sort((a, b) => (b.stat?.sizeBytes ?? 0) - (a.stat?.sizeBytes ?? 0) || byName(a, b));
    else if (by === 'X') {
      const extension = (e: Entry): string => /\.[^.]*$/.exec(e.name)?.[0] ?? '';
      out.sort((a, b) => collate(extension(a), extension(b)) || byName(a, b));
    } else if (by === 'v') out.sort((a, b) => compareVersions(a.name, b.name));
    else if (o.has('c', 'u') && !this.#isLong) out.sort((a, b) => timeOf(b) - timeOf(a) || byName(a, b));
    else out.sort(byName);
    if (o.has('r')) out.reverse();
    if (o.has('gdf')) out.sort((a, b) => Number(isDirectoryEntry(b)) - Number(isDirectoryEntry(a)));
    return out;
  }

  #time(stat: Stat | undefined): number {
    if (stat === undefined) return 0;
    const which = this.#o.last('c', 'u', 'time');
    const word = which === 'time' ? this.#o.get('time') : which;
    if (word === 'c' || word === 'ctime' || word === 'status') return stat.ctimeMs;
    if (word === 'u' || word === 'atime' || word === 'access' || word === 'use') return stat.atimeMs;
    return stat.mtimeMs;
  }

  async #print(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    if (this.#colors && !this.#usedReset) {
      this.#usedReset = true;
      if (entries.some((entry) => this.#color(entry) !== undefined)) await this.#t.write('\x1b[0m');
    }
    if (this.#isLong) return this.#long(entries);
    const o = this.#o;
    const layout = o.last('C', '1', 'm', 'x') ?? (this.#t.isTerminal ? 'C' : '1');
    const inodeWidth = o.has('i') ? Math.max(...entries.map((e) => String(e.stat?.ino ?? '?').length)) : 0;
    const sizeWidth = o.has('s') ? Math.max(...entries.map((e) => this.#blocks(e).length)) : 0;
    const cells = entries.map((entry) => {
      const before =
        (o.has('i') ? String(entry.stat?.ino ?? '?').padStart(layout === '1' || layout === 'C' ? inodeWidth : 0) + ' ' : '') +
        (o.has('s') ? this.#blocks(entry).padStart(sizeWidth) + ' ' : '');
      const shown = this.#name(entry);
      return { text: before + shown.text, width: before.length + shown.width };
    });
    if (layout === '1') {
      for (const cell of cells) await this.#t.write(cell.text + '\n');
      return;
    }
    if (layout === 'm') {
      await this.#t.write(cells.map((cell) => cell.text).join(', ') + '\n');
      return;
    }
    await this.#columns(cells, layout === 'x');
  }

  #blocks(entry: Entry): string {
    const blocks = blocksOf(entry.stat);
    return this.#o.has('h') ? humanSize(blocks * 1024) : String(blocks);
  }

  /** As many columns as fit, filled downwards (or across), two blanks between. */
  async #columns(cells: readonly { readonly text: string; readonly width: number }[], across: boolean): Promise<void> {
    const width = Number(this.#o.get('w') ?? this.#t.columns) || Number.MAX_SAFE_INTEGER;
    const most = Math.min(cells.length, Math.max(1, Math.floor(width / 3)));
    let columns = 1;
    let widths = [Math.max(...cells.map((cell) => cell.width))];
    for (let count = most; count > 1; count--) {
      const rows = Math.ceil(cells.length / count);
      const tried = Array.from({ length: count }, () => 0);
      cells.forEach((cell, i) => {
        const column = across ? i % count : Math.floor(i / rows);
        const isLast = column === count - 1;
        tried[column] = Math.max(tried[column]!, cell.width + (isLast ? 0 : 2));
      });
      if (
        tried.reduce((sum, w) => sum + Math.max(w, 3), 0) < width + (tried.at(-1)! < 3 ? 3 : 0) &&
        tried.reduce((sum, w) => sum + w, 0) < width
      ) {
        columns = count;
        widths = tried;
        break;
      }
    }
    const rows = Math.ceil(cells.length / columns);
    for (let row = 0; row < rows; row++) {
      let line = '';
      for (let column = 0; column < columns; column++) {
        const at = across ? row * columns + column : column * rows + row;
        const cell = cells[at];
        if (cell === undefined) break;
        const next = cells[across ? at + 1 : at + rows];
        const isEnd = column === columns - 1 || next === undefined || (across && column === columns - 1);
        line += cell.text + (isEnd ? '' : ' '.repeat(Math.max(0, widths[column]! - cell.width)));
      }
      await this.#t.write(line + '\n');
    }
  }

  async #long(entries: readonly Entry[]): Promise<void> {
    const o = this.#o;
    const isNumeric = o.has('n');
    const rows = entries.map((entry) => {
      const { stat } = entry;
      const isDevice = stat?.kind === 'character' || stat?.kind === 'block';
      return {
        entry,
        inode: String(stat?.ino ?? '?'),
        blocks: this.#blocks(entry),
        mode: stat === undefined ? '??????????' : modeText(stat.kind, stat.mode) + (this.#hasContext(entry) ? '.' : ''),
        links: String(stat?.nlink ?? '?'),
        user: stat === undefined ? '?' : isNumeric ? String(stat.uid) : this.#accounts.userName(stat.uid),
        group: stat === undefined ? '?' : isNumeric ? String(stat.gid) : this.#accounts.groupName(stat.gid),
        size:
          stat === undefined
            ? '?'
            : isDevice
              ? `${stat.rdev >> 8}, ${String(stat.rdev & 255).padStart(3)}`
              : o.has('h')
                ? humanSize(stat.sizeBytes)
                : o.has('si')
                  ? humanSize(stat.sizeBytes, 1000, 'kMGTPE')
                  : String(stat.sizeBytes),
        time: stat === undefined ? '?' : this.#timeText(this.#time(stat)),
      };
    });
    const width = (pick: (row: (typeof rows)[number]) => string): number => Math.max(...rows.map((row) => textWidth(pick(row))));
    const widths = {
      inode: width((r) => r.inode),
      blocks: width((r) => r.blocks),
      mode: width((r) => r.mode),
      links: width((r) => r.links),
      user: width((r) => r.user),
      group: width((r) => r.group),
      size: width((r) => r.size),
      time: width((r) => r.time),
    };
    for (const row of rows) {
      let line = '';
      if (o.has('i')) line += row.inode.padStart(widths.inode) + ' ';
      if (o.has('s')) line += row.blocks.padStart(widths.blocks) + ' ';
      line += `${row.mode.padEnd(widths.mode)} ${row.links.padStart(widths.links)} `;
      if (!o.has('g')) line += (isNumeric ? row.user.padStart(widths.user) : row.user.padEnd(widths.user)) + ' ';
      if (!o.has('o', 'G')) line += (isNumeric ? row.group.padStart(widths.group) : row.group.padEnd(widths.group)) + ' ';
      if (o.has('Z')) line += 'unconfined_u:object_r:admin_home_t:s0 ';
      line += `${row.size.padStart(widths.size)} ${row.time.padStart(widths.time)} `;
      line += this.#name(row.entry).text;
      const { entry } = row;
      if (entry.target !== undefined) {
        const pointed: Entry = { name: entry.target, path: entry.path, stat: entry.targetStat, target: undefined, targetStat: undefined };
        line += ` -> ${this.#name(pointed).text}`;
      }
      await this.#t.write(line + '\n');
    }
  }

  /** /proc, /sys and the like have no label. */
  #hasContext(entry: Entry): boolean {
    const path = entry.path.startsWith('/') ? entry.path : `${this.#t.sys.cwd()}/`;
    return !/^\/(?:proc|sys)(?:\/|$)/.test(path);
  }

  #timeText(ms: number): string {
    const { sys, env } = this.#t;
    const tz = env.get('TZ');
    const style = this.#o.has('full-time') ? 'full-iso' : this.#o.get('time-style');
    if (style === 'full-iso') return formatTime('%Y-%m-%d %H:%M:%S.%N %z', ms, sys, tz);
    if (style === 'long-iso') return formatTime('%Y-%m-%d %H:%M', ms, sys, tz);
    if (style?.startsWith('+')) return formatTime(style.slice(1), ms, sys, tz);
    const now = sys.now();
    const isRecent = ms <= now && ms > now - 31_556_952_000 / 2;
    if (style === 'iso') return formatTime(isRecent ? '%m-%d %H:%M' : '%Y-%m-%d ', ms, sys, tz);
    return formatTime(isRecent ? '%b %e %H:%M' : '%b %e  %Y', ms, sys, tz);
  }

  #name(entry: Entry): { readonly text: string; readonly width: number } {
    const o = this.#o;
    let shown = entry.name;
    if (o.has('Q')) shown = `"${shown.replace(/[\\"]/g, '\\$&')}"`;
    else if (o.has('b'))
      shown = shown.replace(/[\x00-\x20\\]/g, (c) => (c === '\n' ? '\\n' : c === '\t' ? '\\t' : c === ' ' ? '\\ ' : '\\\\'));
    else if (this.#t.isTerminal || o.has('q')) shown = shown.replace(/[\x00-\x1f\x7f]/g, '?');
    let mark = '';
    if (o.has('F') || o.has('p')) {
      const kind = entry.stat?.kind;
      if (kind === 'directory') mark = '/';
      else if (o.has('F')) {
        if (kind === 'symlink') mark = this.#isLong ? '' : '@';
        else if (kind === 'pipe') mark = '|';
        else if (kind === 'socket') mark = '=';
        else if (kind === 'file' && (entry.stat!.mode & 0o111) !== 0) mark = '*';
      }
    }
    const width = textWidth(shown) + mark.length;
    const color = this.#colors ? this.#color(entry) : undefined;
    return { text: (color === undefined ? shown : `\x1b[${color}m${shown}\x1b[0m`) + mark, width };
  }

  /** CentOS 7's default colours. */
  #color(entry: Entry): string | undefined {
    const { stat } = entry;
    if (stat === undefined) return this.#colors ? '01;05;37;41' : undefined;
    const palette = this.#palette();
    if (stat.kind === 'symlink') {
      if (entry.targetStat === undefined) return palette.get('or') ?? palette.get('ln');
      return palette.get('ln');
    }
    if (stat.kind === 'directory') {
      if ((stat.mode & 0o1002) === 0o1002) return palette.get('tw');
      if ((stat.mode & 0o002) !== 0) return palette.get('ow');
      if ((stat.mode & 0o1000) !== 0) return palette.get('st');
      return palette.get('di');
    }
    if (stat.kind === 'pipe') return palette.get('pi');
    if (stat.kind === 'socket') return palette.get('so');
    if (stat.kind === 'block') return palette.get('bd');
    if (stat.kind === 'character') return palette.get('cd');
    if ((stat.mode & 0o4000) !== 0) return palette.get('su');
    if ((stat.mode & 0o2000) !== 0) return palette.get('sg');
    if ((stat.mode & 0o111) !== 0) return palette.get('ex');
    const lower = entry.name.toLowerCase();
    const dot = lower.lastIndexOf('.');
    return dot < 0 ? undefined : palette.get('*' + lower.slice(dot));
  }

  #palette(): ReadonlyMap<string, string> {
    if (this.#known !== undefined) return this.#known;
    const spec = this.#t.env.get('LS_COLORS') ?? DEFAULT_COLORS;
    const out = new Map<string, string>();
    for (const item of spec.split(':')) {
      const at = item.indexOf('=');
      if (at > 0) out.set(item.slice(0, at), item.slice(at + 1));
    }
    return (this.#known = out);
  }
  #known: ReadonlyMap<string, string> | undefined;
}

const ARCHIVES = ['tar', 'tgz', 'gz', 'zip', 'xz', 'bz2', 'rpm', 'deb', 'jar', 'Z', '7z'].map((e) => `*.${e}=38;5;9`).join(':');
const IMAGES = ['jpg', 'jpeg', 'gif', 'png', 'svg', 'bmp'].map((e) => `*.${e}=38;5;13`).join(':');
const DEFAULT_COLORS = `rs=0:di=38;5;27:ln=38;5;51:mh=44;38;5;15:pi=40;38;5;11:so=38;5;13:do=38;5;5:bd=48;5;232;38;5;11:cd=48;5;232;38;5;3:or=48;5;232;38;5;9:mi=05;48;5;232;38;5;15:su=48;5;196;38;5;15:sg=48;5;11;38;5;16:ca=48;5;196;38;5;226:tw=48;5;10;38;5;16:ow=48;5;10;38;5;21:st=48;5;21;38;5;15:ex=38;5;34:${ARCHIVES}:${IMAGES}`;

function isDirectoryEntry(entry: Entry): boolean {
  return (entry.targetStat ?? entry.stat)?.kind === 'directory';
}

/** 1 KiB blocks on a disk with 4 KiB blocks. */
export function blocksOf(stat: Stat | undefined): number {
  if (stat === undefined || (stat.kind !== 'file' && stat.kind !== 'directory')) return 0;
  if (stat.kind === 'directory') return stat.sizeBytes > 4096 ? Math.ceil(stat.sizeBytes / 4096) * 4 : stat.sizeBytes > 200 ? 4 : 0;
  return Math.ceil(stat.sizeBytes / 4096) * 4;
}

/** `ls -v` and `sort -V`. */
export function compareVersions(a: string, b: string): number {
  const split = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const x = split(a);
  const y = split(b);
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const p = x[i] ?? '';
    const q = y[i] ?? '';
    if (p === q) continue;
    if (/^\d/.test(p) && /^\d/.test(q)) {
      const difference = Number(p) - Number(q);
      if (difference !== 0) return difference;
      continue;
    }
    if (p === '') return -1;
    if (q === '') return 1;
    return p < q ? -1 : 1;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
