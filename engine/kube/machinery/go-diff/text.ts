// Models the text trees of go-cmp's reports: lines, wrapped values and lists, which are written on one line where that is allowed.

import { goQuote } from '../go-syntax.ts';

/** What a record is: common to both sides, or only on one. */
export type Mark = '' | '-' | '+';

export type TextNode = TextLine | TextWrap | TextList;

export interface TextLine {
  readonly kind: 'line';
  readonly text: string;
}
export interface TextWrap {
  readonly kind: 'wrap';
  readonly prefix: string;
  readonly value: TextNode;
  readonly suffix: string;
}
export interface TextList {
  readonly kind: 'list';
  readonly records: readonly TextRecord[];
}
export interface TextRecord {
  readonly mark: Mark;
  readonly key: string;
  readonly value: TextNode;
  readonly elidesComma: boolean;
  readonly comment: Stats | string | undefined;
}

/** Counts of records that are not shown. */
export interface Stats {
  readonly name: string;
  readonly identical: number;
  readonly removed: number;
  readonly inserted: number;
  readonly modified: number;
}

export const line = (text: string): TextLine => ({ kind: 'line', text });
export const NIL = line('nil');
export const ELLIPSIS = line('...');

export function braces(records: readonly TextRecord[]): TextWrap {
  return { kind: 'wrap', prefix: '{', value: { kind: 'list', records }, suffix: '}' };
}

export function recordOf(value: TextNode, more: Partial<TextRecord> = {}): TextRecord {
  return { mark: '', key: '', value, elidesComma: false, comment: undefined, ...more };
}

export const noStats = (name: string): Stats => ({ name, identical: 0, removed: 0, inserted: 0, modified: 0 });

export function differences(stats: Stats): number {
  return stats.removed + stats.inserted + stats.modified;
}

export function addStats(a: Stats, b: Stats): Stats {
  return {
    name: a.name,
    identical: a.identical + b.identical,
    removed: a.removed + b.removed,
    inserted: a.inserted + b.inserted,
    modified: a.modified + b.modified,
  };
}

/** `...` at the end, once; with what it stands for. */
export function appendEllipsis(records: TextRecord[], stats: Stats | undefined): void {
  const last = records.at(-1);
  if (last === undefined || last.value !== ELLIPSIS) records.push(recordOf(ELLIPSIS, { elidesComma: true, comment: stats }));
  else if (stats !== undefined && typeof last.comment === 'object')
    records[records.length - 1] = { ...last, comment: addStats(last.comment, stats) };
}

export function isSame(a: TextNode, b: TextNode): boolean {
  if (a.kind === 'line') return b.kind === 'line' && a.text === b.text;
  if (a.kind === 'wrap') return b.kind === 'wrap' && a.prefix === b.prefix && a.suffix === b.suffix && isSame(a.value, b.value);
  if (b.kind !== 'list' || a.records.length !== b.records.length) return false;
  return a.records.every((record, index) => {
    const other = b.records[index]!;
    return record.mark === other.mark && record.key === other.key && isSame(record.value, other.value) && record.comment === other.comment;
  });
}

/** Length of the text on one line. */
export function lengthOf(node: TextNode): number {
  if (node.kind === 'line') return node.text.length;
  if (node.kind === 'wrap') return node.prefix.length + lengthOf(node.value) + node.suffix.length;
  let length = 0;
  for (const [index, { key, value }] of node.records.entries())
    length += (key === '' ? 0 : key.length + 2) + lengthOf(value) + (index < node.records.length - 1 ? 2 : 0);
  return length;
}

const MAX_COLUMNS = 80;

/** The whole text, with a line's end. */
export function render(node: TextNode): string {
  return `${indent(0, '')}${expanded(compact(node, '').node, '', 0)}\n`;
}

/** The text on one line, and the node with all that fits on one line made a line. */
function compact(node: TextNode, mark: Mark): { readonly text: string; readonly node: TextNode } {
  if (node.kind === 'line') return { text: node.text, node };
  if (node.kind === 'wrap') {
    const inner = compact(node.value, mark);
    const text = node.prefix + inner.text + node.suffix;
    return { text, node: inner.node.kind === 'line' ? line(text) : { ...node, value: inner.node } };
  }
  let isMultiLine = false;
  const parts: string[] = [];
  const records = node.records.map((record) => {
    const inner = compact(record.value, record.mark === '' ? mark : record.mark);
    if (record.mark !== '' || inner.node.kind !== 'line' || record.comment !== undefined) isMultiLine = true;
    parts.push((record.key === '' ? '' : `${record.key}: `) + inner.text);
    return { ...record, value: inner.node };
  });
  const text = parts.join(', ');
  if (mark !== '' && text.length > MAX_COLUMNS) isMultiLine = true;
  return { text, node: isMultiLine ? { kind: 'list', records } : line(text) };
}

function indent(depth: number, mark: Mark): string {
  return `${mark === '' ? ' ' : mark} ${'\t'.repeat(depth)}`;
}

function expanded(node: TextNode, mark: Mark, depth: number): string {
  if (node.kind === 'line') return node.text;
  if (node.kind === 'wrap') return node.prefix + expanded(node.value, mark, depth) + node.suffix;
  const { records } = node;
  if (records.length > 0 && records.every((each) => each.mark === '' && each.key === '' && isLine(each) && each.comment === undefined))
    return batches(records, mark, depth);
  const afterKey = padding(
    records,
    (record) => record.key !== '' && isLine(record),
    (record) => record.key.length,
  );
  const afterValue = padding(
    records,
    (record) => isLine(record) && record.value !== ELLIPSIS && record.comment !== undefined,
    (record) => lengthOf(record.value),
  );
  let out = '';
  for (const [index, record] of records.entries()) {
    const own = record.mark === '' ? mark : record.mark;
    out += `\n${indent(depth + 1, own)}`;
    if (record.key !== '') out += `${record.key}: `;
    out += ' '.repeat(afterKey[index]!) + expanded(record.value, own, depth + 1);
    if (!record.elidesComma) out += ',';
    out += ' '.repeat(afterValue[index]!);
    if (record.comment !== undefined) out += ` // ${commentOf(record.comment)}`;
  }
  return `${out}\n${indent(depth, mark)}`;
}

const isLine = (record: TextRecord): boolean => record.value.kind === 'line';

/** Plain values, as many on a line as fit. */
function batches(records: readonly TextRecord[], mark: Mark, depth: number): string {
  let out = '';
  let batch = '';
  const emit = (): void => {
    if (batch !== '') out += `\n${indent(depth + 1, mark)}${batch.replace(/ +$/, '')}`;
    batch = '';
  };
  for (const { value } of records) {
    const { text } = value as TextLine;
    if (batch.length + text.length + 2 > MAX_COLUMNS) emit();
    batch += `${text}, `;
  }
  emit();
  return `${out}\n${indent(depth, mark)}`;
}

/** Blanks that align neighbours; records that take no part end a group. */
function padding(
  records: readonly TextRecord[],
  takesPart: (record: TextRecord) => boolean,
  lengthOfRecord: (record: TextRecord) => number,
): readonly number[] {
  const out = records.map(() => 0);
  let start = 0;
  const close = (end: number): void => {
    const most = Math.max(0, ...records.slice(start, end).map(lengthOfRecord));
    for (let at = start; at < end; at++) out[at] = most - lengthOfRecord(records[at]!);
    start = end + 1;
  };
  for (const [index, record] of records.entries()) if (!takesPart(record)) close(index);
  close(records.length);
  return out;
}

/** `2 identical and 1 removed fields`. */
function commentOf(stats: Stats | string): string {
  if (typeof stats === 'string') return stats;
  const parts: string[] = [];
  let sum = 0;
  for (const what of ['identical', 'removed', 'inserted', 'modified'] as const) {
    if (stats[what] > 0) parts.push(`${stats[what]} ${what}`);
    sum += stats[what];
  }
  let { name } = stats;
  if (sum > 1) name = name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`;
  if (parts.length < 3) return `${parts.join(' and ')} ${name}`;
  return `${parts.slice(0, -1).join(', ')}, and ${parts.at(-1)!} ${name}`;
}

/** In quotes; in backquotes where that saves escapes. */
export function quoted(text: string): string {
  const plain = goQuote(text);
  if (plain.length === text.length + 2) return plain;
  return /[`\n]/.test(text) || goQuote(text.replace(/["\\\t]/g, '')).length !== text.replace(/["\\\t]/g, '').length + 2
    ? plain
    : `\`${text}\``;
}
