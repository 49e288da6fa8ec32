// Brace expansion: purely textual, before anything else.

import { skipUnit } from '../syntax/scan.ts';

const cache = new Map<string, readonly string[]>();

/** The words that `source` stands for; itself when there is nothing to expand. */
export function expandBraces(source: string): readonly string[] {
  if (!source.includes('{')) return [source];
  let out = cache.get(source);
  if (out === undefined) {
    out = expand(source);
    if (cache.size > 2000) cache.clear();
    cache.set(source, out);
  }
  return out;
}

function expand(source: string): readonly string[] {
  for (let i = 0; i < source.length;) {
    if (source[i] === '{') {
      const group = readGroup(source, i);
      if (group !== undefined) {
        const before = source.slice(0, i);
        const tails = expand(source.slice(group.end));
        const heads = group.items.flatMap((item) => (group.isSequence ? [item] : expand(item)));
        return heads.flatMap((head) => tails.map((tail) => before + head + tail));
      }
      i++;
    } else i = skipUnit(source, i);
  }
  return [source];
}

function readGroup(source: string, at: number): { items: string[]; end: number; isSequence: boolean } | undefined {
  let depth = 0;
  let from = at + 1;
  const items: string[] = [];
  for (let i = at + 1; i < source.length;) {
    const c = source[i]!;
    if (c === '{') {
      depth++;
      i++;
    } else if (c === '}') {
      if (depth === 0) {
        const last = source.slice(from, i);
        if (items.length > 0) return { items: [...items, last], end: i + 1, isSequence: false };
        const sequence = expandSequence(last);
        return sequence === undefined ? undefined : { items: sequence, end: i + 1, isSequence: true };
      }
      depth--;
      i++;
    } else if (c === ',' && depth === 0) {
      items.push(source.slice(from, i));
      from = i + 1;
      i++;
    } else i = skipUnit(source, i);
  }
  return undefined;
}

function expandSequence(body: string): string[] | undefined {
  const numbers = /^([+-]?\d+)\.\.([+-]?\d+)(?:\.\.([+-]?\d+))?$/.exec(body);
  const letters = /^([A-Za-z])\.\.([A-Za-z])(?:\.\.([+-]?\d+))?$/.exec(body);
  const match = numbers ?? letters;
  if (match === null) return undefined;
  const first = numbers ? Number(match[1]) : match[1]!.charCodeAt(0);
  const last = numbers ? Number(match[2]) : match[2]!.charCodeAt(0);
  const step = Math.abs(Number(match[3] ?? 1)) || 1;
  if (Math.abs(last - first) / step > 10_000_000) return undefined;
  const isPadded = numbers !== null && [match[1]!, match[2]!].some((n) => /^[+-]?0\d/.test(n));
  const width = isPadded ? Math.max(match[1]!.length, match[2]!.length) : 0;
  const out: string[] = [];
  for (let n = first; first <= last ? n <= last : n >= last; n += first <= last ? step : -step) {
    if (numbers === null) out.push(String.fromCharCode(n));
    else if (isPadded) out.push((n < 0 ? '-' : '') + String(Math.abs(n)).padStart(width - (n < 0 ? 1 : 0), '0'));
    else out.push(String(n));
  }
  return out;
}
