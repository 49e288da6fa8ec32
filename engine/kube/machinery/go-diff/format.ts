// Models go-cmp's report of a difference: common parts are shortened, what differs is shown from both sides.

import { goQuote } from '../go-syntax.ts';
import type { GoType } from '../schema/internal-types.ts';
import { internalType, memberOf } from '../schema/internal-types.ts';
import { ABSENT, compare, type Comparison, holderOf, isNil, isZero, plainFields } from './compare.ts';
import { formatLongText, isLongText } from './long-text.ts';
import {
  addStats,
  appendEllipsis,
  braces,
  differences,
  ELLIPSIS,
  isSame,
  lengthOf,
  line,
  NIL,
  noStats,
  quoted,
  recordOf,
  render,
} from './text.ts';
import type { Mark, Stats, TextNode, TextRecord } from './text.ts';

/** The difference between two values of a type (`core.PodSpec`) given as JSON; '' when there is none. */
export function goDiff(type: string, x: unknown, y: unknown): string {
  const root = compare(internalType(type), x, y);
  if (root.different === 0) return '';
  return render(formatDiff(root, { mode: 'unknown', types: 'emit', verbosity: 0, avoidsStringer: false }));
}

/** What is written: both sides, what they have in common, or one of them. */
type Mode = 'unknown' | 'identical' | 'removed' | 'inserted';

interface Options {
  readonly mode: Mode;
  /** Whether a value's type is written: always, never, or of composite values only. */
  readonly types: 'emit' | 'elide' | 'auto';
  readonly verbosity: number;
  readonly avoidsStringer: boolean;
}

const CONTEXT_RECORDS = 2;
const MAX_PRESET = 3;

const level = (options: Options): number => Math.min(16, Math.max(0, options.verbosity));
const preset = (options: Options, step: number): Options => ({
  ...options,
  verbosity: level(options) + 2 * step,
  avoidsStringer: step > 0 || options.avoidsStringer,
});

function formatDiff(node: Comparison, given: Options): TextNode {
  const options: Options = { ...given, verbosity: given.mode === 'identical' ? 1 : 3 };
  if (options.mode === 'unknown' && isLongText(node)) return formatLongText(node, level(options));
  if (node.depth === 0) return formatLeaf(node, options);
  if (node.target !== undefined) return { kind: 'wrap', prefix: '&', value: formatDiff(node.target, options), suffix: '' };
  return formatType(node.type, formatRecords(node, options), options);
}

function formatLeaf(node: Comparison, options: Options): TextNode {
  if (options.mode === 'removed') return formatValue(node.type, node.x, options);
  if (options.mode === 'inserted') return formatValue(node.type, node.y, options);
  if (node.different === 0) {
    const [x, y] = [formatValue(node.type, node.x, options), formatValue(node.type, node.y, options)];
    return lengthOf(x) < lengthOf(y) ? x : y;
  }
  const { removed, inserted } = distinct((each) => {
    const bare: Options = { ...each, types: 'elide' };
    return [
      node.x === ABSENT ? undefined : formatValue(node.type, node.x, bare),
      node.y === ABSENT ? undefined : formatValue(node.type, node.y, bare),
    ];
  }, options);
  const records: TextRecord[] = [];
  if (removed !== undefined) records.push(recordOf(removed, { mark: '-' }));
  if (inserted !== undefined) records.push(recordOf(inserted, { mark: '+' }));
  return formatType(node.type, { kind: 'list', records }, { ...options, types: 'emit' });
}

/** Both sides, with as much detail as it takes to tell them apart. */
function distinct(
  write: (options: Options) => readonly [TextNode | undefined, TextNode | undefined],
  options: Options,
): { readonly removed: TextNode | undefined; readonly inserted: TextNode | undefined } {
  let [removed, inserted] = write(options);
  for (let step = 0; step <= MAX_PRESET && removed !== undefined && inserted !== undefined && isSame(removed, inserted); step++)
    [removed, inserted] = write(preset(options, step));
  return { removed, inserted };
}

function formatType(type: GoType, value: TextNode, options: Options): TextNode {
  if (options.types === 'elide') return value;
  if (options.types === 'auto') {
    if (!isComposite(type) || isSame(value, NIL) || options.mode === 'identical') return value;
  }
  const name = type.kind === 'pointer' ? `(${type.name})` : type.name;
  const isWrapped = value.kind === 'wrap' && /^[({]/.test(value.prefix) && /[)}]$/.test(value.suffix);
  return { kind: 'wrap', prefix: name, value: isWrapped ? value : { kind: 'wrap', prefix: '(', value, suffix: ')' }, suffix: '' };
}

function isComposite(type: GoType): boolean {
  return ['struct', 'slice', 'map', 'bytes', 'quantity', 'intstr', 'time', 'other'].includes(type.kind);
}

function formatRecords(node: Comparison, given: Options): TextNode {
  const isStruct = node.type.kind === 'struct' || node.type.kind === 'intstr';
  const isMap = node.type.kind === 'map';
  const keyOf = (key: string): string => (isMap ? quoted(key) : key);
  const most = given.mode === 'identical' ? ((1 << level(given)) >> 1) << 2 : (1 << level(given)) << 1;
  const options: Options = { ...given, types: isStruct ? 'auto' : 'elide', verbosity: given.verbosity - 1 };
  if (options.mode === 'unknown') {
    const name = isStruct ? 'field' : isMap ? 'entry' : 'element';
    return braces(formatGroups(node, name, most, options, keyOf));
  }
  const records: TextRecord[] = [];
  let isCut = false;
  for (const { key, node: child } of node.records) {
    if (records.length === most) {
      isCut = true;
      break;
    }
    if (isStruct && isElided(child, options.mode)) continue;
    records.push(recordOf(formatDiff(child, options), { key: keyOf(key) }));
  }
  if (isCut) appendEllipsis(records, undefined);
  return braces(records);
}

/** Fields that were never set are left out. */
function isElided(child: Comparison, mode: Mode): boolean {
  if (mode === 'removed') return isZero(child.type, child.x);
  if (mode === 'inserted') return isZero(child.type, child.y);
  return isZero(child.type, child.x) || isZero(child.type, child.y);
}

/** Runs of records that are the same or not. */
function groupsOf(node: Comparison, name: string): readonly Stats[] {
  const groups: { stats: Stats; isEqual: boolean }[] = [];
  for (const { node: child } of node.records) {
    const isEqual = child.different === 0;
    if (groups.at(-1)?.isEqual !== isEqual) groups.push({ stats: noStats(name), isEqual });
    const group = groups.at(-1)!;
    const what = isEqual ? 'identical' : child.y === ABSENT ? 'removed' : child.x === ABSENT ? 'inserted' : 'modified';
    group.stats = { ...group.stats, [what]: group.stats[what] + 1 };
  }
  return groups.map(({ stats }) => stats);
}

function formatGroups(
  node: Comparison,
  name: string,
  most: number,
  options: Options,
  keyOf: (key: string) => string,
): readonly TextRecord[] {
  const out: TextRecord[] = [];
  const groups = groupsOf(node, name);
  let rest = node.records;
  let shown = 0;
  let hidden: Stats | undefined;
  for (const [index, stats] of groups.entries()) {
    if (shown >= most) {
      hidden = hidden === undefined ? stats : addStats(hidden, stats);
      continue;
    }
    const different = differences(stats);
    if (different > 0) {
      for (const { key, node: child } of rest.slice(0, different)) out.push(...formatUnequal(keyOf(key), child, options));
      rest = rest.slice(different);
      shown += different;
      continue;
    }
    const equal = stats.identical;
    const head = index === 0 ? 0 : Math.min(CONTEXT_RECORDS, equal);
    let tail = index === groups.length - 1 ? 0 : Math.min(CONTEXT_RECORDS, equal - head);
    // One record alone is as short as saying that it is left out.
    if (equal - (head + tail) === 1) tail++;
    const same = ({ key, node: child }: { readonly key: string; readonly node: Comparison }): TextRecord =>
      recordOf(formatDiff(child, { ...options, mode: 'identical' }), { key: keyOf(key) });
    out.push(...rest.slice(0, head).map(same));
    if (equal > head + tail) appendEllipsis(out, { ...stats, identical: equal - head - tail });
    out.push(...rest.slice(equal - tail, equal).map(same));
    rest = rest.slice(equal);
  }
  if (hidden !== undefined) appendEllipsis(out, hidden);
  return out;
}

function formatUnequal(key: string, child: Comparison, options: Options): readonly TextRecord[] {
  if (isLongText(child)) return [recordOf(formatLongText(child, level(options)), { key })];
  // What forks is looked into; a single value is written as it was and as it is.
  if (child.children !== child.depth) return [recordOf(formatDiff(child, options), { key })];
  const { removed, inserted } = distinct(
    (each) => [
      child.x === ABSENT ? undefined : formatDiff(child, { ...each, mode: 'removed' }),
      child.y === ABSENT ? undefined : formatDiff(child, { ...each, mode: 'inserted' }),
    ],
    options,
  );
  const records: TextRecord[] = [];
  if (removed !== undefined) records.push(recordOf(removed, { mark: '-', key }));
  if (inserted !== undefined) records.push(recordOf(inserted, { mark: '+', key }));
  return records;
}

function formatValue(type: GoType, value: unknown, options: Options): TextNode {
  const word = options.avoidsStringer ? undefined : ownWord(type, value);
  if (word !== undefined) return formatString('s', word, options);
  const limit = ((1 << level(options)) >> 1) << 2;
  const deeper: Options = { ...options, verbosity: options.verbosity - 1 };
  switch (type.kind) {
    case 'pointer':
      if (isNil(value)) return formatType(type, NIL, options);
      return { kind: 'wrap', prefix: '&', value: formatValue(type.to, value, options), suffix: '' };
    case 'struct': {
      const holder = holderOf(value);
      const fields = type.fields.map((field) => ({ name: field.name, type: field.type, value: memberOf(type, field, holder) }));
      return formatType(type, formatFields(fields, limit, deeper), options);
    }
    case 'quantity':
    case 'intstr':
      return formatType(type, formatFields(plainFields(type, value)!, limit, deeper), options);
    case 'slice':
      if (isNil(value)) return formatType(type, NIL, options);
      return formatType(
        type,
        formatMembers(
          (value as readonly unknown[]).map((each) => ['', each]),
          type.of,
          limit,
          deeper,
        ),
        options,
      );
    case 'map': {
      if (isNil(value)) return formatType(type, NIL, options);
      const entries = Object.entries(holderOf(value)).sort(([a], [b]) => (a < b ? -1 : 1));
      const keyed = entries.map(([key, each]): readonly [string, unknown] => [quoted(key), each]);
      return formatType(type, formatMembers(keyed, type.of, limit, deeper), options);
    }
    case 'bool':
      return formatType(type, line(String(value === true)), options);
    case 'int':
    case 'float':
      return formatType(type, line(String(value ?? 0)), options);
    default:
      return formatType(type, formatString('', String(value ?? ''), options), options);
  }
}

function formatFields(
  fields: readonly { readonly name: string; readonly type: GoType; readonly value: unknown }[],
  limit: number,
  options: Options,
): TextNode {
  const records: TextRecord[] = [];
  for (const { name, type, value } of fields) {
    if (isZero(type, value)) continue;
    if (records.length === limit) {
      appendEllipsis(records, undefined);
      break;
    }
    records.push(recordOf(formatValue(type, value, { ...options, types: 'auto' }), { key: name }));
  }
  return braces(records);
}

function formatMembers(members: readonly (readonly [string, unknown])[], of: GoType, limit: number, options: Options): TextNode {
  const records: TextRecord[] = [];
  for (const [key, value] of members) {
    if (records.length === limit) {
      appendEllipsis(records, undefined);
      break;
    }
    records.push(recordOf(formatValue(of, value, { ...options, types: 'elide' }), { key }));
  }
  return braces(records);
}

/** What a value's own String method says, for the few types that have one. */
function ownWord(type: GoType, value: unknown): string | undefined {
  if (isNil(value)) return undefined;
  if (type.kind === 'time') return String(value);
  if (type.kind !== 'pointer') return undefined;
  if (type.to.kind === 'quantity' || type.to.kind === 'intstr') return String(value as string | number);
  return type.to.name === 'v1.LabelSelector' ? selectorWord(holderOf(value)) : undefined;
}

function selectorWord(selector: Readonly<Record<string, unknown>>): string {
  const labels = Object.entries(holderOf(selector['matchLabels'])).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = (selector['matchExpressions'] ?? []) as readonly { key: string; operator: string; values?: readonly string[] }[];
  const shown = expressions.map(
    ({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.map(([key, value]) => `${key}: ${String(value)},`).join('')}},MatchExpressions:[]LabelSelectorRequirement{${shown.join('')}},}`;
}

/** A word in quotes, cut where the verbosity says so; a text of several lines that is only on one side keeps its lines. */
function formatString(prefix: string, text: string, options: Options): TextNode {
  const limit = (1 << level(options)) << 5;
  const mark = options.mode === 'removed' ? '-' : options.mode === 'inserted' ? '+' : '';
  const lines = text
    .replace(/\n$/, '')
    .split('\n')
    .map((each) => each.replace(/\r$/, '').replace(/^\r/, ''));
  if (mark !== '' && lines.length >= MIN_LINES && lines.every((each) => isPlain(each, limit))) {
    const fence = recordOf(line(`${prefix}"""`), { mark, elidesComma: true });
    return { kind: 'wrap', prefix: '(', value: { kind: 'list', records: [fence, ...textLines(lines, mark, options), fence] }, suffix: ')' };
  }
  if (text.length > limit + ELLIPSIS.text.length) return line(`${prefix}${quoted(text.slice(0, limit))}...`);
  return line(prefix + quoted(text));
}

const MIN_LINES = 4;

function isPlain(text: string, limit: number): boolean {
  const bare = text.replace(/["\\\t]/g, '');
  return text.length <= limit && !text.startsWith('"""') && !text.startsWith('...') && goQuote(bare).length === bare.length + 2;
}

function textLines(lines: readonly string[], mark: Mark, options: Options): readonly TextRecord[] {
  const most = (1 << level(options)) << 2;
  const cut = lines.length > most ? most - 1 : lines.length;
  const shown = lines.slice(0, cut).map((each) => recordOf(line(each), { mark, elidesComma: true }));
  if (cut === lines.length) return shown;
  return [...shown, recordOf(ELLIPSIS, { mark, elidesComma: true, comment: `${lines.length - cut} elided lines` })];
}
