// Models the line tools of coreutils: head, tail, wc, sort, uniq, cut, paste, tr, tee, nl, tac, rev, shuf, comm, join, fold, split, column.

import type { Program } from '../../kernel/process.ts';
import { compareBytes, collateFor, type Collate } from '../../shell/collate.ts';
import { toBytes } from '../../shell/bytes.ts';
import { textWidth } from '../../shell/width.ts';
import { SysError } from '../../sim/errno.ts';
import { compareVersions } from './ls.ts';
import { parseSize, quote, tool, type Input, type Tool } from './lib/tool.ts';
import { withArgs } from './lib/with-args.ts';

/** `head -5` is `head -n 5`. */
function oldCount(args: readonly string[], plus: boolean): readonly string[] {
  return args.flatMap((arg, i) => {
    if (i > 0 && /^-[nc]$/.test(args[i - 1]!)) return [arg];
    const match = (plus ? /^([-+])(\d+)([bcl]?)(f?)$/ : /^(-)(\d+)([bckmlqv]*)$/).exec(arg);
    if (match === null || (match[1] === '+' && i > 0)) return [arg];
    const count = match[1] === '+' ? '+' + match[2]! : match[2]!;
    return [...(match[3] === 'c' ? ['-c', count] : ['-n', count]), ...(match[4] === 'f' ? ['-f'] : [])];
  });
}

const head = tool('head', async (t) => {
  const o = await withArgs(t, oldCount(t.args, false)).options('c:n:qvz', {
    bytes: 'c:',
    lines: 'n:',
    quiet: 'q',
    silent: 'q',
    verbose: 'v',
    'zero-terminated': 'z',
  });
  const isBytes = o.last('c', 'n') === 'c';
  const text = o.get(isBytes ? 'c' : 'n') ?? '10';
  const count = parseSize(text.replace(/^[-+]/, ''));
  if (count === undefined) return void (await t.die(`invalid number of ${isBytes ? 'bytes' : 'lines'}: ${quote(t, text)}`));
  const isAllBut = text.startsWith('-');
  const withNames = (o.rest.length > 1 || o.has('v')) && !o.has('q');
  let isFirst = true;
  for (const path of o.rest.length === 0 ? ['-'] : o.rest) {
    let input: Input;
    if (path === '-') input = (await t.openInput('-'))!;
    else {
      let fd: number;
      try {
        fd = t.sys.open(path, { read: true });
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        await t.fail(`cannot open ${quote(t, path)} for reading: ${error.strerror}`);
        continue;
      }
      t.sys.close(fd);
      input = (await t.openInput(path))!;
    }
    if (withNames) await t.write(`${isFirst ? '' : '\n'}==> ${path === '-' ? 'standard input' : path} <==\n`);
    isFirst = false;
    if (input.file.kind === 'directory') {
      await t.fail(`error reading ${quote(t, path)}: Is a directory`);
      input.close();
      continue;
    }
    if (isAllBut) {
      const all = await input.readAll();
      if (isBytes) await t.write(all.subarray(0, Math.max(0, all.length - count)));
      else {
        let end = all.length;
        if (end > 0 && all[end - 1] === 10) end--;
        let left = count;
        let at = all.length;
        while (left > 0) {
          const found = all.lastIndexOf(10, end - 1);
          at = found + 1;
          end = found;
          left--;
          if (found < 0) break;
        }
        await t.write(all.subarray(0, left > 0 ? 0 : at));
      }
    } else {
      let left = count;
      while (left > 0) {
        const chunk = await input.read(8192);
        if (chunk === undefined) break;
        let end = chunk.length;
        if (isBytes) {
          end = Math.min(left, chunk.length);
          left -= end;
        } else {
          for (let i = 0; i < chunk.length; i++) {
            if (chunk[i] === 10 && --left === 0) {
              end = i + 1;
              break;
            }
          }
        }
        await t.write(chunk.subarray(0, end));
        // What was read too much goes back, where that is possible.
        if (end < chunk.length && path === '-' && input.file.kind === 'file') input.file.seek(end - chunk.length, 'current');
      }
    }
    input.close();
  }
  return t.status;
});

const tail = tool('tail', async (t) => {
  const o = await withArgs(t, oldCount(t.args, true)).options('c:fFn:qs:vz', {
    bytes: 'c:',
    lines: 'n:',
    follow: 'follow::',
    retry: 'retry',
    quiet: 'q',
    silent: 'q',
    verbose: 'v',
    pid: 'pid:',
    'sleep-interval': 's:',
  });
  const isBytes = o.last('c', 'n') === 'c';
  const text = o.get(isBytes ? 'c' : 'n') ?? '10';
  const count = parseSize(text.replace(/^[-+]/, ''));
  if (count === undefined) return void (await t.die(`invalid number of ${isBytes ? 'bytes' : 'lines'}: ${quote(t, text)}`));
  const fromStart = text.startsWith('+');
  const follows = o.has('f', 'F', 'follow');
  const paths = o.rest.length === 0 ? ['-'] : o.rest;
  const withNames = (paths.length > 1 || o.has('v')) && !o.has('q');
  let shown: string | undefined;
  const header = async (path: string): Promise<void> => {
    if (!withNames || shown === path) return;
    await t.write(`${shown === undefined ? '' : '\n'}==> ${path === '-' ? 'standard input' : path} <==\n`);
    shown = path;
  };
  const followed: { readonly path: string; readonly input: Input }[] = [];
  for (const path of paths) {
    let input: Input | undefined;
    if (path === '-') input = await t.openInput('-');
    else {
      try {
        t.sys.close(t.sys.open(path, { read: true }));
        input = await t.openInput(path);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        await t.fail(`cannot open ${quote(t, path)} for reading: ${error.strerror}`);
      }
    }
    if (input === undefined) continue;
    await header(path);
    if (input.file.kind === 'directory') {
      await t.fail(`error reading ${quote(t, path)}: Is a directory`);
      continue;
    }
    const all = await input.readAll();
    await t.write(tailOf(all, count, isBytes, fromStart));
    if (follows && !(path === '-' && input.file.kind === 'pipe')) followed.push({ path, input });
    else input.close();
  }
  await t.flush();
  if (!follows) return t.status;
  if (followed.length === 0) {
    if (o.rest.length > 0 && !o.rest.includes('-')) await t.message('no files remaining');
    return t.status;
  }
  // inotify tells when there is more.
  for (;;) {
    for (const { path, input } of followed) {
      const size = input.file.kind === 'file' ? input.file.stat().sizeBytes : undefined;
      const at = size === undefined ? 0 : input.file.seek(0, 'current');
      if (size !== undefined && size < at) {
        await t.message(`${path}: file truncated`);
        input.file.seek(0, 'set');
      }
      for (;;) {
        if (input.file.kind !== 'file' && !input.file.isReadable) break;
        const chunk = await input.file.read(65_536);
        if (chunk === undefined || chunk.length === 0) break;
        await header(path);
        await t.write(chunk);
      }
    }
    await t.flush();
    await t.sys.block<void>((resolve) => {
      const watches = followed.map(({ path }) => (path === '-' ? undefined : t.sys.watch(path, () => resolve())));
      const isFresh = followed.some(
        ({ input }) => input.file.kind === 'file' && input.file.stat().sizeBytes !== input.file.seek(0, 'current'),
      );
      if (isFresh) resolve();
      return { dispose: () => watches.forEach((watch) => watch?.dispose()) };
    });
  }
});

function tailOf(all: Uint8Array, count: number, isBytes: boolean, fromStart: boolean): Uint8Array {
  if (isBytes) return fromStart ? all.subarray(Math.max(0, count - 1)) : all.subarray(Math.max(0, all.length - count));
  if (fromStart) {
    let at = 0;
    for (let line = 1; line < count; line++) {
      const end = all.indexOf(10, at);
      if (end < 0) return all.subarray(all.length);
      at = end + 1;
    }
    return all.subarray(at);
  }
  if (count === 0) return all.subarray(all.length);
  let at = all.length;
  let end = all.length;
  if (end > 0 && all[end - 1] === 10) end--;
  for (let left = count; left > 0; left--) {
    const found = end <= 0 ? -1 : all.lastIndexOf(10, end - 1);
    at = found + 1;
    end = found;
    if (found < 0) break;
  }
  return all.subarray(at);
}

const wc = tool('wc', async (t) => {
  const o = await t.options('clLmw', { bytes: 'c', chars: 'm', lines: 'l', 'max-line-length': 'L', words: 'w' });
  const all = !o.has('c', 'l', 'L', 'm', 'w');
  const rows: { readonly counts: number[]; readonly name: string }[] = [];
  const total = [0, 0, 0, 0, 0];
  await t.eachInput(o.rest, async (input, path) => {
    const counts = [0, 0, 0, 0, 0];
    let inWord = false;
    let width = 0;
    for (;;) {
      const chunk = await input.read(65_536);
      if (chunk === undefined) break;
      counts[3]! += chunk.length;
      for (const byte of chunk) {
        if ((byte & 0xc0) !== 0x80) counts[2]!++;
        if (byte === 10) {
          counts[0]!++;
          counts[4] = Math.max(counts[4]!, width);
          width = 0;
        } else if ((byte & 0xc0) !== 0x80) width++;
        const isSpace = byte === 32 || (byte >= 9 && byte <= 13);
        if (!isSpace && !inWord) counts[1]!++;
        inWord = !isSpace;
      }
    }
    counts[4] = Math.max(counts[4]!, width);
    rows.push({ counts, name: o.rest.length === 0 ? '' : path });
    counts.forEach((n, i) => (total[i] = i === 4 ? Math.max(total[4]!, n) : total[i]! + n));
  });
  if (o.rest.length > 1) rows.push({ counts: total, name: 'total' });
  const wanted = [
    [0, all || o.has('l')],
    [1, all || o.has('w')],
    [2, o.has('m')],
    [3, all || o.has('c')],
    [4, o.has('L')],
  ].filter(([, isWanted]) => isWanted) as [number, boolean][];
  // One number of one input stands alone; else the widths come from the sizes, 7 for what has no size.
  const single = wanted.length === 1 && rows.length <= 1;
  const regular = o.rest.length > 0 && o.rest.every((path) => path !== '-' && t.stat(path)?.kind !== 'pipe');
  const bytes = o.rest.reduce((sum, path) => sum + (path === '-' ? 0 : (t.stat(path)?.sizeBytes ?? 0)), 0);
  const width = single ? 1 : regular ? String(bytes).length : 7;
  for (const { counts, name } of rows)
    await t.write(wanted.map(([i]) => String(counts[i]).padStart(width)).join(' ') + (name === '' ? '' : ` ${name}`) + '\n');
  return t.status;
});

interface SortKey {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number] | undefined;
  readonly flags: string;
}

const sort = tool(
  'sort',
  async (t) => {
    const o = await t.options('bcCdfghik:mMno:rRsS:t:T:uVz', {
      'ignore-leading-blanks': 'b',
      check: 'c::',
      'dictionary-order': 'd',
      'ignore-case': 'f',
      'general-numeric-sort': 'g',
      'human-numeric-sort': 'h',
      key: 'k:',
      merge: 'm',
      'month-sort': 'M',
      'numeric-sort': 'n',
      output: 'o:',
      reverse: 'r',
      'random-sort': 'R',
      stable: 's',
      'field-separator': 't:',
      unique: 'u',
      'version-sort': 'V',
      'zero-terminated': 'z',
      parallel: 'parallel:',
      'buffer-size': 'S:',
    });
    const globalFlags = ['b', 'd', 'f', 'g', 'h', 'i', 'M', 'n', 'r', 'R', 'V'].filter((flag) => o.has(flag)).join('');
    const keys: SortKey[] = [];
    for (const spec of o.all('k')) {
      const match = /^(\d+)(?:\.(\d+))?([bdfghiMnrRV]*)(?:,(\d+)(?:\.(\d+))?([bdfghiMnrRV]*))?$/.exec(spec);
      if (match === null) return void (await t.die(`invalid number at field start: invalid count at start of ${quote(t, spec)}`, 2));
      if (match[1] === '0') return void (await t.die(`field number is zero: invalid field specification ${quote(t, spec)}`, 2));
      const flags = (match[3] ?? '') + (match[6] ?? '');
      keys.push({
        from: [Number(match[1]) - 1, Number(match[2] ?? 1) - 1],
        to: match[4] === undefined ? undefined : [Number(match[4]), Number(match[5] ?? 0)],
        flags: flags === '' ? globalFlags : flags,
      });
    }
    let separator = o.get('t');
    if (separator === '\\0') separator = '\0';
    if (separator !== undefined && [...separator].length > 1) return void (await t.die(`multi-character tab ${quote(t, separator)}`, 2));
    const collate = collateFor(t.env);
    const terminator = o.has('z') ? 0 : 10;
    const end = String.fromCharCode(terminator);
    const lines: string[] = [];
    for (const path of o.rest.length === 0 ? ['-'] : o.rest) {
      let input: Input | undefined;
      try {
        if (path !== '-') t.sys.close(t.sys.open(path, { read: true }));
        input = await t.openInput(path);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        return void (await t.die(`cannot read: ${path}: ${error.strerror}`, 2));
      }
      if (input!.file.kind === 'directory') return void (await t.die(`read failed: ${path}: Is a directory`, 2));
      for await (const batch of input!.batches(terminator)) for (const line of batch) lines.push(line);
      input!.close();
    }
    const salt = t.sys.rng.int(0x7fffffff);
    const compareKeys = makeComparer(
      keys.length > 0 ? keys : [{ from: [0, 0], to: undefined, flags: globalFlags }],
      separator,
      collate,
      salt,
    );
    const isWholeLine = keys.length === 0 && globalFlags.replace('r', '') === '';
    const reverses = globalFlags.includes('r');
    const lastResort = (a: string, b: string): number =>
      reverses ? collate(b, a) || compareBytes(b, a) : collate(a, b) || compareBytes(a, b);
    const compare = (a: string, b: string): number => {
      const order = compareKeys(a, b);
      return order !== 0 || o.has('s', 'u') || isWholeLine ? order : lastResort(a, b);
    };
    if (o.has('c', 'C')) {
      for (let i = 1; i < lines.length; i++) {
        const order = compare(lines[i - 1]!, lines[i]!);
        if (order > 0 || (order === 0 && o.has('u'))) {
          if (!o.has('C') && o.get('c') !== 'quiet' && o.get('c') !== 'silent')
            await t.message(`${o.rest[0] ?? '-'}:${i + 1}: disorder: ${lines[i]}`);
          return 1;
        }
      }
      return 0;
    }
    await t.work(lines.length * 20);
    lines.sort(compare);
    let out = lines;
    if (o.has('u')) out = lines.filter((line, i) => i === 0 || compareKeys(lines[i - 1]!, line) !== 0);
    const output = o.get('o');
    if (output !== undefined) {
      t.sys.writeFile(output, toBytes(out.map((line) => line + end).join('')));
      return 0;
    }
    for (let i = 0; i < out.length; i += 1000) await t.write(out.slice(i, i + 1000).join(end) + end);
    return t.status;
  },
  { usageStatus: 2 },
);

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

function makeComparer(
  keys: readonly SortKey[],
  separator: string | undefined,
  collate: Collate,
  salt: number,
): (a: string, b: string) => number {
  const extract = (line: string, key: SortKey): string => {
    if (key.from[0] === 0 && key.from[1] === 0 && key.to === undefined) return key.flags.includes('b') ? line.replace(/^[ \t]+/, '') : line;
    const starts: number[] = [];
    const ends: number[] = [];
    if (separator !== undefined) {
      let at = 0;
      for (;;) {
        const next = line.indexOf(separator, at);
        starts.push(at);
        ends.push(next < 0 ? line.length : next);
        if (next < 0) break;
        at = next + separator.length;
      }
    } else {
      const regex = /[ \t]*[^ \t]+|[ \t]+$/g;
      for (const match of line.matchAll(regex)) {
        starts.push(match.index);
        ends.push(match.index + match[0].length);
      }
    }
    const skip = (at: number, field: number): number => {
      let i = at;
      if (key.flags.includes('b')) while (i < (ends[field] ?? line.length) && /[ \t]/.test(line[i]!)) i++;
      return i;
    };
    const fromField = key.from[0];
    if (fromField >= starts.length) return '';
    const from = Math.min(skip(starts[fromField]!, fromField) + key.from[1], line.length);
    let to = line.length;
    if (key.to !== undefined) {
      const [field, char] = key.to;
      if (field - 1 < starts.length) to = char === 0 ? ends[field - 1]! : Math.min(skip(starts[field - 1]!, field - 1) + char, line.length);
    }
    return line.slice(from, Math.max(from, to));
  };
  const numeric = (text: string): number => {
    const match = /^[ \t]*(-?)(\d*\.?\d*)/.exec(text)!;
    const value = Number(match[2] === '' || match[2] === '.' ? 0 : match[2]);
    return match[1] === '-' ? -value : value;
  };
  const human = (text: string): number => {
    const match = /^[ \t]*(-?)(\d*\.?\d*)([kKMGTPEZY]?)/.exec(text)!;
    const value = Number(match[2] || 0) * 1024 ** (' KMGTPEZY'.indexOf(match[3] === '' ? ' ' : match[3]!.toUpperCase()) || 0);
    return match[1] === '-' ? -value : value;
  };
  const hash = (text: string): number => {
    let h = salt;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return h >>> 0;
  };
  return (a, b) => {
    for (const key of keys) {
      let x = extract(a, key);
      let y = extract(b, key);
      const { flags } = key;
      let order: number;
      if (flags.includes('n')) order = numeric(x) - numeric(y);
      else if (flags.includes('h')) order = human(x) - human(y);
      else if (flags.includes('g')) order = (Number.parseFloat(x) || 0) - (Number.parseFloat(y) || 0);
      else if (flags.includes('M'))
        order = MONTHS.indexOf(x.trim().slice(0, 3).toUpperCase()) - MONTHS.indexOf(y.trim().slice(0, 3).toUpperCase());
      else if (flags.includes('V')) order = compareVersions(x, y);
      else if (flags.includes('R')) order = hash(x) - hash(y);
      else {
        if (flags.includes('d')) [x, y] = [x.replace(/[^\p{L}\p{N} \t]/gu, ''), y.replace(/[^\p{L}\p{N} \t]/gu, '')];
        if (flags.includes('f')) [x, y] = [x.toUpperCase(), y.toUpperCase()];
        order = collate(x, y);
      }
      if (order !== 0) return flags.includes('r') ? -order : order;
    }
    return 0;
  };
}

const uniq = tool('uniq', async (t) => {
  const o = await t.options('cdDf:is:uw:z', {
    count: 'c',
    repeated: 'd',
    'all-repeated': 'D',
    'skip-fields': 'f:',
    'ignore-case': 'i',
    'skip-chars': 's:',
    unique: 'u',
    'check-chars': 'w:',
    'zero-terminated': 'z',
  });
  const input = await t.openInput(o.rest[0] ?? '-');
  if (input === undefined) return 1;
  const key = (line: string): string => {
    let text = line;
    for (let i = Number(o.get('f') ?? 0); i > 0; i--) text = text.replace(/^[ \t]*[^ \t]*/, '');
    text = text.slice(Number(o.get('s') ?? 0));
    if (o.has('w')) text = text.slice(0, Number(o.get('w')));
    return o.has('i') ? text.toLowerCase() : text;
  };
  let out = '';
  let last: string | undefined;
  let lastKey = '';
  let count = 0;
  const emit = async (): Promise<void> => {
    if (last === undefined || (o.has('d') && count < 2) || (o.has('u') && count > 1) || o.has('D')) return;
    const line = (o.has('c') ? `${String(count).padStart(7)} ` : '') + last + '\n';
    if (o.rest[1] === undefined) await t.write(line);
    else out += line;
  };
  for await (const line of input.lines()) {
    const k = key(line);
    if (last !== undefined && k === lastKey) {
      if (o.has('D')) {
        if (count === 1) await t.write(last + '\n');
        await t.write(line + '\n');
      }
      count++;
      continue;
    }
    await emit();
    last = line;
    lastKey = k;
    count = 1;
  }
  await emit();
  if (o.rest[1] !== undefined) t.sys.writeFile(o.rest[1], toBytes(out));
  input.close();
  return t.status;
});

/** `1,3-5,7-` as a test on 1-based positions. */
function parseList(text: string): ((n: number) => boolean) | undefined {
  const ranges: [number, number][] = [];
  for (const part of text.split(/[, ]/)) {
    const match = /^(\d*)(-?)(\d*)$/.exec(part);
    if (match === null || part === '' || part === '-' || match[1] === '0') return undefined;
    const from = match[1] === '' ? 1 : Number(match[1]);
    const to = match[2] === '' ? from : match[3] === '' ? Number.MAX_SAFE_INTEGER : Number(match[3]);
    if (to < from) return undefined;
    ranges.push([from, to]);
  }
  return (n) => ranges.some(([from, to]) => n >= from && n <= to);
}

const cut = tool('cut', async (t) => {
  const o = await t.options('b:c:d:f:nsz', {
    bytes: 'b:',
    characters: 'c:',
    delimiter: 'd:',
    fields: 'f:',
    complement: 'complement',
    'only-delimited': 's',
    'output-delimiter': 'od:',
  });
  const kinds = ['b', 'c', 'f'].filter((kind) => o.has(kind));
  if (kinds.length === 0) await t.dieUsage('you must specify a list of bytes, characters, or fields');
  if (kinds.length > 1) await t.dieUsage('only one type of list may be specified');
  const [kind] = kinds as [string];
  const list = parseList(o.get(kind)!);
  if (list === undefined)
    return t.dieUsage(
      /(?:^|,)0/.test(o.get(kind)!)
        ? kind === 'f'
          ? 'fields and positions are numbered from 1'
          : 'fields and positions are numbered from 1'
        : `invalid ${kind === 'f' ? 'field' : 'byte or field'} list`,
    );
  const wants = o.has('complement') ? (n: number): boolean => !list(n) : list;
  const delimiter = o.get('d') ?? '\t';
  if (o.has('d') && [...delimiter].length > 1) await t.dieUsage('the delimiter must be a single character');
  if (kind !== 'f' && o.has('d')) await t.dieUsage('an input delimiter may be specified only when operating on fields');
  const joiner = o.get('od') ?? (kind === 'f' ? delimiter : '');
  await t.eachInput(o.rest, async (input) => {
    for await (const line of input.lines()) {
      if (kind === 'f') {
        if (!line.includes(delimiter)) {
          if (!o.has('s')) await t.write(line + '\n');
          continue;
        }
        await t.write(
          line
            .split(delimiter)
            .filter((_, i) => wants(i + 1))
            .join(joiner) + '\n',
        );
      } else {
        // 8.22 counts bytes for -c as well.
        const bytes = toBytes(line);
        const out = bytes.filter((_, i) => wants(i + 1));
        await t.write(out);
        await t.write('\n');
      }
    }
  });
  return t.status;
});

const paste = tool('paste', async (t) => {
  const o = await t.options('d:sz', { delimiters: 'd:', serial: 's' });
  const delimiters = [...(o.get('d') ?? '\t').replace(/\\([nt\\0])/g, (_, c: string) => ({ n: '\n', t: '\t', '\\': '\\', '0': '' })[c]!)];
  const paths = o.rest.length === 0 ? ['-'] : o.rest;
  const inputs: AsyncGenerator<string>[] = [];
  const shared = new Map<string, AsyncGenerator<string>>();
  for (const path of paths) {
    const known = shared.get(path);
    if (path === '-' && known !== undefined) {
      inputs.push(known);
      continue;
    }
    const input = await t.openInput(path);
    if (input === undefined) return 1;
    const lines = input.lines();
    if (path === '-') shared.set('-', lines);
    inputs.push(lines);
  }
  if (o.has('s')) {
    for (const lines of inputs) {
      let out = '';
      let i = 0;
      for await (const line of lines) {
        out += (i === 0 ? '' : delimiters[(i - 1) % delimiters.length]!) + line;
        i++;
      }
      await t.write(out + '\n');
    }
    return t.status;
  }
  for (;;) {
    let out = '';
    let isAny = false;
    for (const [i, lines] of inputs.entries()) {
      const next = await lines.next();
      if (!next.done) isAny = true;
      out += (next.done ? '' : next.value) + (i < inputs.length - 1 ? (delimiters[i % delimiters.length] ?? '') : '');
    }
    if (!isAny) break;
    await t.write(out + '\n');
  }
  return t.status;
});

function expandSet(t: Tool, spec: string): number[] {
  const text = spec.replace(/\\(?:([0-7]{1,3})|([abfnrtv\\]))/g, (_, octal?: string, letter?: string) =>
    octal !== undefined
      ? String.fromCharCode(Number.parseInt(octal, 8) & 255)
      : '\ue000' + { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' }[letter!]!,
  );
  const out: number[] = [];
  const classes: Readonly<Record<string, RegExp>> = {
    alpha: /[A-Za-z]/,
    digit: /\d/,
    alnum: /[A-Za-z0-9]/,
    upper: /[A-Z]/,
    lower: /[a-z]/,
    space: /[ \t\n\v\f\r]/,
    blank: /[ \t]/,
    punct: /[!-/:-@[-`{-~]/,
    cntrl: /[\x00-\x1f\x7f]/,
    print: /[\x20-\x7e]/,
    graph: /[\x21-\x7e]/,
    xdigit: /[0-9A-Fa-f]/,
  };
  const bytes = toBytes(text.replaceAll('\ue000', ''));
  const latin = [...bytes].map((b) => String.fromCharCode(b)).join('');
  for (let i = 0; i < latin.length; i++) {
    const named = /^\[:(\w+):\]/.exec(latin.slice(i));
    if (named !== null && classes[named[1]!] !== undefined) {
      for (let b = 0; b < 256; b++) if (b < 128 && classes[named[1]!]!.test(String.fromCharCode(b))) out.push(b);
      i += named[0].length - 1;
      continue;
    }
    const repeat = /^\[(.)\*(\d*)\]/s.exec(latin.slice(i));
    if (repeat !== null) {
      const count = repeat[2] === '' ? 256 : Number(repeat[2]);
      for (let n = 0; n < count; n++) out.push(repeat[1]!.charCodeAt(0));
      i += repeat[0].length - 1;
      continue;
    }
    if (latin[i + 1] === '-' && latin[i + 2] !== undefined) {
      for (let b = latin.charCodeAt(i); b <= latin.charCodeAt(i + 2); b++) out.push(b);
      i += 2;
      continue;
    }
    out.push(latin.charCodeAt(i));
  }
  void t;
  return out;
}

const tr = tool('tr', async (t) => {
  const o = await t.options('+cCdst', { complement: 'c', delete: 'd', 'squeeze-repeats': 's', 'truncate-set1': 't' });
  const [first, second] = o.rest;
  if (first === undefined) return t.dieUsage('missing operand');
  if (second === undefined && !o.has('d', 's')) {
    await t.message(`missing operand after ${quote(t, first)}`);
    await t.errorText("Two strings must be given when translating.\nTry 'tr --help' for more information.\n");
    return 1;
  }
  if (second !== undefined && o.has('d') && !o.has('s')) {
    await t.message(`extra operand ${quote(t, second)}`);
    await t.errorText("Only one string may be given when deleting without squeezing repeats.\nTry 'tr --help' for more information.\n");
    return 1;
  }
  let from = expandSet(t, first);
  const to = second === undefined ? [] : expandSet(t, second);
  if (o.has('c', 'C')) {
    const given = new Set(from);
    from = Array.from({ length: 256 }, (_, i) => i).filter((b) => !given.has(b));
  }
  const table = Array.from({ length: 256 }, (_, i) => i);
  const deleted = new Uint8Array(256);
  const squeezed = new Uint8Array(256);
  if (o.has('d')) for (const b of from) deleted[b] = 1;
  else if (second !== undefined) from.forEach((b, i) => (table[b] = to[Math.min(i, to.length - 1)] ?? b));
  if (o.has('s')) for (const b of second === undefined ? from : to) squeezed[b] = 1;
  const input = (await t.openInput('-'))!;
  let last = -1;
  for (;;) {
    const chunk = await input.read(65_536);
    if (chunk === undefined) break;
    const out = new Uint8Array(chunk.length);
    let length = 0;
    for (const byte of chunk) {
      if (deleted[byte]) continue;
      const mapped = table[byte]!;
      if (squeezed[mapped] && mapped === last) continue;
      out[length++] = mapped;
      last = mapped;
    }
    await t.write(out.subarray(0, length));
  }
  return 0;
});

const tee = tool('tee', async (t) => {
  const o = await t.options('ai', { append: 'a', 'ignore-interrupts': 'i' });
  if (o.has('i')) t.sys.onSignal('SIGINT', 'ignore');
  const outputs: { readonly fd: number; readonly path: string }[] = [];
  for (const path of o.rest) {
    await t.attempt(path, () =>
      outputs.push({ fd: t.sys.open(path, { write: true, create: true, truncate: !o.has('a'), append: o.has('a') }), path }),
    );
  }
  const input = (await t.openInput('-'))!;
  for (;;) {
    const chunk = await input.read(65_536);
    if (chunk === undefined) break;
    await t.write(chunk);
    await t.flush();
    for (const { fd } of outputs) await t.sys.file(fd).write(chunk);
  }
  return t.status;
});

const nl = tool('nl', async (t) => {
  const o = await t.options('b:d:f:h:i:l:n:ps:v:w:', {
    'body-numbering': 'b:',
    'line-increment': 'i:',
    'number-format': 'n:',
    'number-separator': 's:',
    'starting-line-number': 'v:',
    'number-width': 'w:',
    'join-blank-lines': 'l:',
    'header-numbering': 'h:',
    'footer-numbering': 'f:',
    'section-delimiter': 'd:',
    'no-renumber': 'p',
  });
  const style = o.get('b') ?? 't';
  const width = Number(o.get('w') ?? 6);
  const separator = o.get('s') ?? '\t';
  const pattern = style.startsWith('p') ? new RegExp(style.slice(1)) : undefined;
  let number = Number(o.get('v') ?? 1);
  await t.eachInput(o.rest, async (input) => {
    for await (const line of input.lines()) {
      const counts = style === 'a' || (style === 't' && line !== '') || (pattern?.test(line) ?? false);
      if (!counts) {
        await t.write(' '.repeat(width + separator.length) + line + '\n');
        continue;
      }
      const text = String(number);
      const format = o.get('n') ?? 'rn';
      await t.write((format === 'ln' ? text.padEnd(width) : text.padStart(width, format === 'rz' ? '0' : ' ')) + separator + line + '\n');
      number += Number(o.get('i') ?? 1);
    }
  });
  return t.status;
});

const tac = tool('tac', async (t) => {
  const o = await t.options('br s:'.replace(' ', ''), { separator: 's:', before: 'b', regex: 'r' });
  await t.eachInput(o.rest, async (input) => {
    const text = await input.readText();
    const separator = o.get('s') ?? '\n';
    const parts = text.split(separator);
    const last = parts.pop()!;
    const lines = parts.map((part) => part + separator);
    if (last !== '') lines.push(last);
    for (const line of lines.reverse()) await t.write(line);
  });
  return t.status;
});

const rev = tool('rev', async (t) => {
  const o = await t.options('');
  await t.eachInput(o.rest, async (input) => {
    for await (const line of input.lines()) await t.write([...line].reverse().join('') + '\n');
  });
  return t.status;
});

const shuf = tool('shuf', async (t) => {
  const o = await t.options('ei:n:o:rz', { echo: 'e', 'input-range': 'i:', 'head-count': 'n:', output: 'o:', repeat: 'r' });
  let lines: string[] = [];
  if (o.has('e')) lines = [...o.rest];
  else if (o.has('i')) {
    const match = /^(\d+)-(\d+)$/.exec(o.get('i')!);
    if (match === null) return void (await t.die(`invalid input range ${quote(t, o.get('i')!)}`));
    for (let n = Number(match[1]); n <= Number(match[2]); n++) lines.push(String(n));
  } else {
    const input = await t.openInput(o.rest[0] ?? '-');
    if (input === undefined) return 1;
    for await (const line of input.lines()) lines.push(line);
  }
  for (let i = lines.length - 1; i > 0; i--) {
    const j = t.sys.rng.int(i + 1);
    [lines[i], lines[j]] = [lines[j]!, lines[i]!];
  }
  if (o.has('n')) lines = lines.slice(0, Number(o.get('n')));
  for (const line of lines) await t.write(line + '\n');
  return t.status;
});

const comm = tool('comm', async (t) => {
  const o = await t.options('123', { 'check-order': 'co', 'nocheck-order': 'nco', 'output-delimiter': 'od:' });
  if (o.rest.length < 2) await t.dieUsage(o.rest.length === 0 ? 'missing operand' : `missing operand after ${quote(t, o.rest[0]!)}`);
  const [a, b] = [await t.openInput(o.rest[0]!), await t.openInput(o.rest[1]!)];
  if (a === undefined || b === undefined) return 1;
  const collate = collateFor(t.env);
  const tab = o.get('od') ?? '\t';
  const second = o.has('1') ? '' : tab;
  const third = second + (o.has('2') ? '' : tab);
  const [left, right] = [a.lines(), b.lines()];
  let [x, y] = [await left.next(), await right.next()];
  while (!x.done || !y.done) {
    const order = x.done ? 1 : y.done ? -1 : collate(x.value, y.value);
    if (order < 0) {
      if (!o.has('1')) await t.write((x.value as string) + '\n');
      x = await left.next();
    } else if (order > 0) {
      if (!o.has('2')) await t.write(second + (y.value as string) + '\n');
      y = await right.next();
    } else {
      if (!o.has('3')) await t.write(third + (x.value as string) + '\n');
      x = await left.next();
      y = await right.next();
    }
  }
  return t.status;
});

const join = tool('join', async (t) => {
  const o = await t.options('a:e:i1:2:j:o:t:v:', { 'ignore-case': 'i', header: 'header' });
  if (o.rest.length < 2) await t.dieUsage(o.rest.length === 0 ? 'missing operand' : `missing operand after ${quote(t, o.rest[0]!)}`);
  const separator = o.get('t');
  const split = (line: string): string[] => (separator === undefined ? line.trim().split(/[ \t]+/) : line.split(separator));
  const keyAt = [Number(o.get('1') ?? o.get('j') ?? 1) - 1, Number(o.get('2') ?? o.get('j') ?? 1) - 1] as const;
  const read = async (path: string): Promise<string[][]> => {
    const input = await t.openInput(path);
    const out: string[][] = [];
    if (input !== undefined) for await (const line of input.lines()) out.push(split(line));
    return out;
  };
  const [left, right] = [await read(o.rest[0]!), await read(o.rest[1]!)];
  const glue = separator ?? ' ';
  const fold = (text: string): string => (o.has('i') ? text.toLowerCase() : text);
  const unpaired = new Set([...o.all('a'), ...o.all('v')]);
  const format = o.get('o')?.split(/[ ,]/);
  const emit = async (a: string[] | undefined, b: string[] | undefined): Promise<void> => {
    const key = a?.[keyAt[0]] ?? b?.[keyAt[1]] ?? '';
    const fields =
      format === undefined
        ? [key, ...(a ?? []).filter((_, i) => i !== keyAt[0]), ...(b ?? []).filter((_, i) => i !== keyAt[1])]
        : format.map((spec) => (spec === '0' ? key : ((spec.startsWith('1') ? a : b)?.[Number(spec.slice(2)) - 1] ?? o.get('e') ?? '')));
    await t.write(fields.join(glue) + '\n');
  };
  const used = new Set<string[]>();
  for (const a of left) {
    const pairs = right.filter((b) => fold(b[keyAt[1]] ?? '') === fold(a[keyAt[0]] ?? ''));
    for (const b of pairs) {
      used.add(b);
      if (!o.has('v')) await emit(a, b);
    }
    if (pairs.length === 0 && unpaired.has('1')) await emit(a, undefined);
  }
  if (unpaired.has('2')) for (const b of right) if (!used.has(b)) await emit(undefined, b);
  return t.status;
});

const fold = tool('fold', async (t) => {
  const o = await t.options('bsw:', { bytes: 'b', spaces: 's', width: 'w:' });
  const width = Number(o.get('w') ?? 80);
  await t.eachInput(o.rest, async (input) => {
    for await (const line of input.lines()) {
      let rest = line;
      while (textWidth(rest) > width) {
        let end = 0;
        let used = 0;
        for (const char of rest) {
          const w = textWidth(char);
          if (used + w > width) break;
          used += w;
          end += char.length;
        }
        const blank = o.has('s') ? rest.lastIndexOf(' ', end - 1) : -1;
        if (blank >= 0) end = blank + 1;
        await t.write(rest.slice(0, end) + '\n');
        rest = rest.slice(end);
      }
      await t.write(rest + (input.isUnterminated ? '' : '\n'));
    }
  });
  return t.status;
});

const expand = tool('expand', async (t) => {
  const o = await t.options('it:', { initial: 'i', tabs: 't:' });
  const size = Number(o.get('t') ?? 8);
  await t.eachInput(o.rest, async (input) => {
    for await (const line of input.lines()) {
      let out = '';
      for (const char of line) out += char === '\t' ? ' '.repeat(size - (textWidth(out) % size)) : char;
      await t.write(out + '\n');
    }
  });
  return t.status;
});

const split = tool('split', async (t) => {
  const o = await t.options('a:b:C:dl:n:', {
    'suffix-length': 'a:',
    bytes: 'b:',
    'numeric-suffixes': 'd',
    lines: 'l:',
    'additional-suffix': 'as:',
  });
  const input = await t.openInput(o.rest[0] ?? '-');
  if (input === undefined) return 1;
  const prefix = o.rest[1] ?? 'x';
  const length = Number(o.get('a') ?? 2);
  const all = await input.readAll();
  const pieces: Uint8Array[] = [];
  if (o.has('b')) {
    const size = parseSize(o.get('b')!) ?? 0;
    if (size === 0) return void (await t.die(`invalid number of bytes: ${quote(t, o.get('b')!)}`));
    for (let at = 0; at < all.length; at += size) pieces.push(all.subarray(at, at + size));
  } else {
    const count = Number(o.get('l') ?? 1000);
    let from = 0;
    let lines = 0;
    for (let i = 0; i < all.length; i++) {
      if (all[i] === 10 && ++lines % count === 0) {
        pieces.push(all.subarray(from, i + 1));
        from = i + 1;
      }
    }
    if (from < all.length) pieces.push(all.subarray(from));
  }
  pieces.forEach((piece, i) => {
    let suffix = '';
    let n = i;
    for (let k = 0; k < length; k++) {
      suffix = (o.has('d') ? String(n % 10) : String.fromCharCode(97 + (n % 26))) + suffix;
      n = Math.floor(n / (o.has('d') ? 10 : 26));
    }
    t.sys.writeFile(prefix + suffix + (o.get('as') ?? ''), piece);
  });
  return t.status;
});

const column = tool('column', async (t) => {
  const o = await t.options('c:ts:o:xn', { columns: 'c:', table: 't', separator: 's:', 'output-separator': 'o:', fillrows: 'x' });
  const lines: string[] = [];
  await t.eachInput(o.rest, async (input) => {
    for await (const line of input.lines()) if (line.trim() !== '') lines.push(line);
  });
  if (o.has('t')) {
    const separators = o.get('s');
    const rows = lines.map((line) =>
      separators === undefined ? line.trim().split(/[ \t]+/) : line.split(new RegExp(`[${separators.replace(/[\\\]^-]/g, '\\$&')}]+`)),
    );
    const widths: number[] = [];
    for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, textWidth(cell))));
    const glue = o.get('o') ?? '  ';
    for (const row of rows)
      await t.write(
        row.map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - textWidth(cell)) + glue)).join('') + '\n',
      );
    return t.status;
  }
  const width = Number(o.get('c') ?? t.columns);
  const cell = (Math.floor(Math.max(0, ...lines.map(textWidth)) / 8) + 1) * 8;
  const count = Math.max(1, Math.floor(width / cell));
  const rows = Math.ceil(lines.length / count);
  for (let row = 0; row < rows; row++) {
    let out = '';
    for (let i = 0; i < count; i++) {
      const item = lines[o.has('x') ? row * count + i : i * rows + row];
      if (item === undefined) break;
      const next = lines[o.has('x') ? row * count + i + 1 : (i + 1) * rows + row];
      out += item + (next === undefined || i === count - 1 ? '' : '\t'.repeat(Math.ceil((cell - textWidth(item)) / 8)));
    }
    await t.write(out + '\n');
  }
  return t.status;
});

export const LINE_PROGRAMS: readonly Program[] = [
  head,
  tail,
  wc,
  sort,
  uniq,
  cut,
  paste,
  tr,
  tee,
  nl,
  tac,
  rev,
  shuf,
  comm,
  join,
  fold,
  expand,
  split,
  column,
];
