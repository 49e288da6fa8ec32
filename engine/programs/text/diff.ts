// Models GNU diff 3.3: the normal and the unified format, directories one by one.

import type { Program } from '../../kernel/process.ts';
import { SysError } from '../../sim/errno.ts';
import { formatTime } from '../../shell/time-format.ts';
import { baseName, joinPath, tool, type Options, type Tool } from '../coreutils/lib/tool.ts';

/** A run of lines that differ: half-open ranges of both sides. */
interface Hunk {
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
}

const diff = tool(
  'diff',
  async (t) => {
    const o = await t.options('abBcC:dEiNqrsuU:wy', {
      brief: 'q',
      'ignore-case': 'i',
      'ignore-all-space': 'w',
      'ignore-space-change': 'b',
      'ignore-blank-lines': 'B',
      'new-file': 'N',
      recursive: 'r',
      'report-identical-files': 's',
      unified: 'u',
      text: 'a',
      color: 'color::',
    });
    const [first, second] = o.rest;
    if (first === undefined || second === undefined) return t.dieUsage(`missing operand after '${first ?? 'diff'}'`);
    if (o.rest.length > 2) return t.dieUsage(`extra operand '${o.rest[2]}'`);
    return compare(t, o, first, second, false);
  },
  { usageStatus: 2 },
);

async function compare(t: Tool, o: Options, first: string, second: string, isInner: boolean): Promise<number> {
  let [a, b] = [first, second];
  const [isDirA, isDirB] = [a !== '-' && t.isDirectory(a), b !== '-' && t.isDirectory(b)];
  if (isDirA && isDirB) {
    if (isInner && !o.has('r')) {
      await t.write(`Common subdirectories: ${a} and ${b}\n`);
      return 0;
    }
    let status = 0;
    const names = new Set([...t.sys.readdir(a), ...t.sys.readdir(b)]);
    for (const name of [...names].sort()) {
      const [x, y] = [joinPath(a, name), joinPath(b, name)];
      if ((t.stat(x) === undefined || t.stat(y) === undefined) && !o.has('N')) {
        await t.write(`Only in ${t.stat(x) === undefined ? b : a}: ${name}\n`);
        status = Math.max(status, 1);
      } else status = Math.max(status, await compare(t, o, x, y, true));
    }
    return status;
  }
  if (isDirA) a = joinPath(a, baseName(b));
  else if (isDirB) b = joinPath(b, baseName(a));
  const texts: string[] = [];
  for (const path of [a, b]) {
    try {
      if (path !== '-') t.sys.close(t.sys.open(path, { read: true }));
      const input = (await t.openInput(path))!;
      texts.push(await input.readText());
      input.close();
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      if (o.has('N') && error.errno === 'ENOENT') texts.push('');
      else {
        await t.message(`${path}: ${error.strerror}`);
        return 2;
      }
    }
  }
  const [x, y] = texts as [string, string];
  const key = (line: string): string => {
    let out = line;
    if (o.has('w')) out = out.replace(/\s+/g, '');
    else if (o.has('b')) out = out.replace(/\s+/g, ' ').trimEnd();
    return o.has('i') ? out.toLowerCase() : out;
  };
  const [linesA, linesB] = [split(x), split(y)];
  const hunks = findHunks(linesA.map(key), linesB.map(key)).filter(
    (hunk) => !(o.has('B') && [...linesA.slice(...hunk.a), ...linesB.slice(...hunk.b)].every((line) => line.trim() === '')),
  );
  if (hunks.length === 0) {
    if (o.has('s')) await t.write(`Files ${a} and ${b} are identical\n`);
    return 0;
  }
  if (o.has('q')) {
    await t.write(`Files ${a} and ${b} differ\n`);
    return 1;
  }
  if (x.includes('\0') || y.includes('\0')) {
    await t.write(`Binary files ${a} and ${b} differ\n`);
    return 1;
  }
  await t.work(linesA.length + linesB.length);
  if (isInner) await t.write(`diff ${t.args.filter((arg) => arg.startsWith('-') && arg !== '-').join(' ')} ${a} ${b}\n`);
  if (o.has('u', 'U')) await unified(t, hunks, linesA, linesB, a, b, Number(o.get('U') ?? 3));
  else {
    const range = (from: number, to: number): string => (to - from <= 1 ? String(to) : `${from + 1},${to}`);
    for (const hunk of hunks) {
      const [fromA, toA] = hunk.a;
      const [fromB, toB] = hunk.b;
      const letter = fromA === toA ? 'a' : fromB === toB ? 'd' : 'c';
      await t.write(`${range(fromA, toA)}${letter}${range(fromB, toB)}\n`);
      for (let i = fromA; i < toA; i++) await t.write(shown('< ', linesA[i]!));
      if (letter === 'c') await t.write('---\n');
      for (let i = fromB; i < toB; i++) await t.write(shown('> ', linesB[i]!));
    }
  }
  return 1;
}

/** Lines with their ends: the last one may have none. */
function split(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function shown(mark: string, line: string): string {
  return line.endsWith('\n') ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`;
}

async function unified(
  t: Tool,
  hunks: readonly Hunk[],
  a: readonly string[],
  b: readonly string[],
  nameA: string,
  nameB: string,
  context: number,
): Promise<void> {
  const stamp = (path: string): string =>
    formatTime('%Y-%m-%d %H:%M:%S.%N %z', path === '-' ? t.sys.now() : (t.stat(path)?.mtimeMs ?? 0), t.sys, t.env.get('TZ'));
  await t.write(`--- ${nameA}\t${stamp(nameA)}\n+++ ${nameB}\t${stamp(nameB)}\n`);
  for (let i = 0; i < hunks.length;) {
    let end = i;
    while (end + 1 < hunks.length && hunks[end + 1]!.a[0] - hunks[end]!.a[1] <= context * 2) end++;
    const [first, last] = [hunks[i]!, hunks[end]!];
    const fromA = Math.max(0, first.a[0] - context);
    const toA = Math.min(a.length, last.a[1] + context);
    const fromB = Math.max(0, first.b[0] - context);
    const toB = Math.min(b.length, last.b[1] + context);
    const range = (from: number, to: number): string =>
      to - from === 1 ? String(from + 1) : `${to === from ? from : from + 1},${to - from}`;
    await t.write(`@@ -${range(fromA, toA)} +${range(fromB, toB)} @@\n`);
    let at = fromA;
    for (const hunk of hunks.slice(i, end + 1)) {
      for (; at < hunk.a[0]; at++) await t.write(shown(' ', a[at]!));
      for (; at < hunk.a[1]; at++) await t.write(shown('-', a[at]!));
      for (let k = hunk.b[0]; k < hunk.b[1]; k++) await t.write(shown('+', b[k]!));
    }
    for (; at < toA; at++) await t.write(shown(' ', a[at]!));
    i = end + 1;
  }
}

/** Myers' greedy algorithm: the shortest script of deletions and insertions. */
function findHunks(a: readonly string[], b: readonly string[]): Hunk[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const x = a.slice(head, a.length - tail);
  const y = b.slice(head, b.length - tail);
  const most = x.length + y.length;
  const trace: Map<number, number>[] = [];
  let reached = new Map<number, number>([[1, 0]]);
  let steps = 0;
  outer: for (; steps <= most; steps++) {
    trace.push(new Map(reached));
    const next = new Map(reached);
    for (let k = -steps; k <= steps; k += 2) {
      const down = k === -steps || (k !== steps && (next.get(k - 1) ?? -1) < (next.get(k + 1) ?? -1));
      let i = down ? next.get(k + 1)! : next.get(k - 1)! + 1;
      let j = i - k;
      while (i < x.length && j < y.length && x[i] === y[j]) {
        i++;
        j++;
      }
      next.set(k, i);
      if (i >= x.length && j >= y.length) {
        reached = next;
        break outer;
      }
    }
    reached = next;
  }
  const edits: { readonly a: number; readonly b: number; readonly isDeletion: boolean }[] = [];
  let [i, j] = [x.length, y.length];
  for (let d = steps; d > 0; d--) {
    const before = trace[d]!;
    const k = i - j;
    const down = k === -d || (k !== d && (before.get(k - 1) ?? -1) < (before.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const startI = before.get(from)!;
    const startJ = startI - from;
    while (
      i > startI &&
      j > startJ &&
      i > 0 &&
      j > 0 &&
      x[i - 1] === y[j - 1] &&
      !(down ? i === startI && j === startJ + 1 : i === startI + 1 && j === startJ)
    ) {
      i--;
      j--;
    }
    edits.unshift({ a: down ? startI : startI, b: startJ, isDeletion: !down });
    [i, j] = [startI, startJ];
  }
  const hunks: { a: [number, number]; b: [number, number] }[] = [];
  for (const edit of edits) {
    const last = hunks.at(-1);
    const atA = head + edit.a;
    const atB = head + edit.b;
    if (last !== undefined && last.a[1] === atA && last.b[1] === atB) {
      if (edit.isDeletion) last.a[1]++;
      else last.b[1]++;
    } else hunks.push(edit.isDeletion ? { a: [atA, atA + 1], b: [atB, atB] } : { a: [atA, atA], b: [atB, atB + 1] });
  }
  return hunks;
}

export const DIFF_PROGRAMS: readonly Program[] = [diff];
