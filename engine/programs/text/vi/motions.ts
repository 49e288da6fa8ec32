// Where the keys of normal mode lead.

import type { Buffer, Position } from './buffer.ts';

export interface Motion {
  readonly to: Position;
  /** An operator takes whole lines. */
  readonly isLinewise?: boolean;
  /** An operator takes the character at the target as well. */
  readonly isInclusive?: boolean;
  /** The start of what an operator takes, for text objects. */
  readonly from?: Position;
}

function classOf(char: string | undefined, isBig: boolean): number {
  if (char === undefined || /\s/.test(char)) return 0;
  if (isBig) return 1;
  if (/[\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f]/.test(char)) return 3;
  return /[\p{L}\p{N}_]/u.test(char) ? 1 : 2;
}

export function nextWord(b: Buffer, p: Position, isBig: boolean): Position {
  let { row, col } = p;
  const kind = classOf(b.line(row)[col], isBig);
  while (col < b.line(row).length && kind !== 0 && classOf(b.line(row)[col], isBig) === kind) col++;
  for (;;) {
    const line = b.line(row);
    while (col < line.length && classOf(line[col], isBig) === 0) col++;
    if (col < line.length) return { row, col };
    if (row >= b.lines.length - 1) return { row, col: line.length };
    row++;
    col = 0;
    if (b.line(row) === '') return { row, col: 0 };
  }
}

export function previousWord(b: Buffer, p: Position, isBig: boolean): Position {
  let { row, col } = p;
  for (;;) {
    const line = b.line(row);
    col--;
    while (col >= 0 && classOf(line[col], isBig) === 0) col--;
    if (col >= 0) {
      const kind = classOf(line[col], isBig);
      while (col > 0 && classOf(line[col - 1], isBig) === kind) col--;
      return { row, col };
    }
    if (row === 0) return { row: 0, col: 0 };
    row--;
    col = b.line(row).length;
    if (col === 0) return { row, col: 0 };
  }
}

export function endOfWord(b: Buffer, p: Position, isBig: boolean): Position {
  let { row, col } = p;
  col++;
  for (;;) {
    const line = b.line(row);
    while (col < line.length && classOf(line[col], isBig) === 0) col++;
    if (col < line.length) {
      const kind = classOf(line[col], isBig);
      while (col + 1 < line.length && classOf(line[col + 1], isBig) === kind) col++;
      return { row, col };
    }
    if (row >= b.lines.length - 1) return { row, col: Math.max(0, line.length - 1) };
    row++;
    col = 0;
  }
}

export function firstNonBlank(b: Buffer, row: number): number {
  const at = b.line(row).search(/\S/);
  return at < 0 ? Math.max(0, b.line(row).length - 1) : at;
}

export function matchingBracket(b: Buffer, p: Position): Position | undefined {
  const pairs = '()[]{}';
  let col = p.col;
  while (col < b.line(p.row).length && !pairs.includes(b.line(p.row)[col]!)) col++;
  const char = b.line(p.row)[col];
  if (char === undefined) return undefined;
  const at = pairs.indexOf(char);
  const other = pairs[at ^ 1]!;
  const step = at % 2 === 0 ? 1 : -1;
  let depth = 0;
  let row = p.row;
  for (;;) {
    const line = b.line(row);
    for (; col >= 0 && col < line.length; col += step) {
      if (line[col] === char) depth++;
      else if (line[col] === other && --depth === 0) return { row, col };
    }
    row += step;
    if (row < 0 || row >= b.lines.length) return undefined;
    col = step > 0 ? 0 : b.line(row).length - 1;
  }
}

export function paragraph(b: Buffer, row: number, step: 1 | -1): number {
  let at = row;
  while (at > 0 && at < b.lines.length - 1 && b.line(at) === '') at += step;
  while (at > 0 && at < b.lines.length - 1 && b.line(at) !== '') at += step;
  return Math.max(0, Math.min(b.lines.length - 1, at));
}

/** `iw`, `aw`, `i"`, `a(` and their like. */
export function textObject(b: Buffer, p: Position, isAround: boolean, kind: string): Motion | undefined {
  const line = b.line(p.row);
  if (kind === 'w' || kind === 'W') {
    const c = classOf(line[p.col], kind === 'W');
    let from = p.col;
    let to = p.col;
    while (from > 0 && classOf(line[from - 1], kind === 'W') === c) from--;
    while (to + 1 < line.length && classOf(line[to + 1], kind === 'W') === c) to++;
    if (isAround) {
      const end = to;
      while (to + 1 < line.length && classOf(line[to + 1], false) === 0) to++;
      if (to === end) while (from > 0 && classOf(line[from - 1], false) === 0) from--;
    }
    return { from: { row: p.row, col: from }, to: { row: p.row, col: to }, isInclusive: true };
  }
  if (kind === 'p') {
    let from = p.row;
    let to = p.row;
    const isBlank = line === '';
    while (from > 0 && (b.line(from - 1) === '') === isBlank) from--;
    while (to < b.lines.length - 1 && (b.line(to + 1) === '') === isBlank) to++;
    if (isAround) while (to < b.lines.length - 1 && (b.line(to + 1) === '') !== isBlank) to++;
    return { from: { row: from, col: 0 }, to: { row: to, col: 0 }, isLinewise: true };
  }
  if (kind === '"' || kind === "'" || kind === '`') {
    let from = line.lastIndexOf(kind, p.col);
    let to = line.indexOf(kind, p.col + 1);
    if (from < 0) {
      from = to;
      to = line.indexOf(kind, from + 1);
    } else if (to < 0) {
      to = from;
      from = line.lastIndexOf(kind, to - 1);
    }
    if (from < 0 || to < 0 || from === to) return undefined;
    return isAround
      ? { from: { row: p.row, col: from }, to: { row: p.row, col: to }, isInclusive: true }
      : { from: { row: p.row, col: from + 1 }, to: { row: p.row, col: to } };
  }
  const open = { '(': '(', ')': '(', b: '(', '[': '[', ']': '[', '{': '{', '}': '{', B: '{', '<': '<', '>': '<' }[kind];
  if (open === undefined) return undefined;
  const close = { '(': ')', '[': ']', '{': '}', '<': '>' }[open]!;
  let depth = 0;
  let { row, col } = p;
  if (b.line(row)[col] === close) col--;
  for (; row >= 0; row--, col = b.line(row).length - 1) {
    for (; col >= 0; col--) {
      const char = b.line(row)[col];
      if (char === close) depth++;
      else if (char === open && depth-- === 0) {
        const start = { row, col };
        let inner = 0;
        for (let r = row, k = col; r < b.lines.length; r++, k = 0) {
          for (; k < b.line(r).length; k++) {
            if (b.line(r)[k] === open) inner++;
            else if (b.line(r)[k] === close && --inner === 0)
              return isAround
                ? { from: start, to: { row: r, col: k }, isInclusive: true }
                : { from: { row, col: start.col + 1 }, to: { row: r, col: k } };
          }
        }
        return undefined;
      }
    }
  }
  return undefined;
}
