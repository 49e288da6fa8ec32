// Models go-cmp's report of long words that differ: pieces of them, or lines where there are several.

import type { Comparison } from './compare.ts';
import { type Edit, editsBetween } from './edits.ts';
import { addStats, appendEllipsis, braces, differences, line, noStats, quoted, recordOf } from './text.ts';
import type { Mark, Stats, TextNode, TextRecord } from './text.ts';

const MIN_LENGTH = 64;
const PIECE = 64;
const CONTEXT = 2;

export function isLongText({ type, x, y, different }: Comparison): boolean {
  return (
    type.kind === 'string' &&
    different > 0 &&
    typeof x === 'string' &&
    typeof y === 'string' &&
    x.length >= MIN_LENGTH &&
    y.length >= MIN_LENGTH
  );
}

const MIN_LINES = 4;

export function formatLongText(node: Comparison, verbosity: number): TextNode {
  const [x, y] = [node.x as string, node.y as string];
  const lines = (x + y).split('\n');
  const isLined = lines.length - 1 >= MIN_LINES && lines.slice(0, -1).every((each) => each.length <= 1024);
  const records = isLined
    ? pieces(x.split('\n'), y.split('\n'), { size: 1, name: 'line', verbosity, write: (part) => quoted(part[0]!) })
    : pieces([...x], [...y], { size: PIECE, name: 'byte', verbosity, write: (part) => quoted(part.join('')) });
  const body: TextNode =
    isLined && records.every(isPlainLine)
      ? { kind: 'wrap', prefix: '(', value: { kind: 'list', records: tripleQuoted(records) }, suffix: ')' }
      : { kind: 'wrap', prefix: 'strings.Join(', value: braces(records), suffix: `, ${isLined ? '"\\n"' : '""'})` };
  if (node.type.name === 'string') return body;
  const isWrapped = body.kind === 'wrap' && body.prefix === '(';
  return {
    kind: 'wrap',
    prefix: node.type.name,
    value: isWrapped ? body : { kind: 'wrap', prefix: '(', value: body, suffix: ')' },
    suffix: '',
  };
}

function isPlainLine({ value }: TextRecord): boolean {
  return value.kind === 'line' && (value.text === '...' || (/^"[^\\]*"$|^`/.test(value.text) && !/^.("""|\.\.\.)/.test(value.text)));
}

function tripleQuoted(records: readonly TextRecord[]): readonly TextRecord[] {
  const fence = recordOf(line('"""'), { elidesComma: true });
  const plain = records.map((record): TextRecord => {
    if (record.value.kind !== 'line' || record.value.text === '...') return record;
    return { ...record, value: line(record.value.text.slice(1, -1)), elidesComma: true };
  });
  // A single empty line at the end is not worth showing.
  const last = plain.at(-1);
  if (last !== undefined && last.mark === '' && last.value.kind === 'line' && last.value.text === '') plain.pop();
  return [fence, ...plain, fence];
}

interface Pieces {
  readonly size: number;
  readonly name: string;
  readonly verbosity: number;
  readonly write: (part: readonly string[]) => string;
}

function pieces(x: readonly string[], y: readonly string[], { size, name, verbosity, write }: Pieces): TextRecord[] {
  const edits = editsBetween(x.length, y.length, (a, b) => (x[a] === y[b] ? { same: 1, different: 0 } : { same: 0, different: 2 }));
  const groups = joinShort(groupsOf(edits, name), Math.floor(size / 4));
  const most = (1 << verbosity) << 2;
  const out: TextRecord[] = [];
  let hidden: Stats | undefined;
  let [atX, atY, shown] = [0, 0, 0];
  const append = (parts: readonly string[], mark: Mark): void => {
    for (let at = 0; at < parts.length; at += size) out.push(recordOf(line(write(parts.slice(at, at + size))), { mark }));
  };
  for (const [index, stats] of groups.entries()) {
    if (shown >= most) {
      hidden = hidden === undefined ? stats : addStats(hidden, stats);
      continue;
    }
    if (differences(stats) === 0) {
      const equal = stats.identical;
      const head = index === 0 ? 0 : Math.min(size * CONTEXT, equal);
      let tail = index === groups.length - 1 ? 0 : Math.min(size * CONTEXT, equal - head);
      if (equal - (head + tail) <= size) tail = equal - head;
      append(x.slice(atX, atX + head), '');
      if (equal > head + tail) appendEllipsis(out, { ...stats, identical: equal - head - tail });
      append(x.slice(atX + equal - tail, atX + equal), '');
      atX += equal;
      atY += equal;
      continue;
    }
    const before = out.length;
    const ofX = stats.identical + stats.removed + stats.modified;
    const ofY = stats.identical + stats.inserted + stats.modified;
    append(x.slice(atX, atX + ofX), '-');
    append(y.slice(atY, atY + ofY), '+');
    atX += ofX;
    atY += ofY;
    shown += out.length - before;
  }
  if (hidden !== undefined) appendEllipsis(out, hidden);
  return out;
}

const COUNTED = { identity: 'identical', onlyX: 'removed', onlyY: 'inserted', modified: 'modified' } as const;

function groupsOf(edits: readonly Edit[], name: string): readonly Stats[] {
  const groups: Stats[] = [];
  let wasEqual: boolean | undefined;
  for (const edit of edits) {
    const isEqual = edit === 'identity';
    if (wasEqual !== isEqual) groups.push(noStats(name));
    wasEqual = isEqual;
    const last = groups.pop()!;
    const what = COUNTED[edit];
    groups.push({ ...last, [what]: last[what] + 1 });
  }
  return groups;
}

/** Short equal parts between differences are shown as different: a word is easier to read than its letters. */
function joinShort(groups: readonly Stats[], window: number): readonly Stats[] {
  const out: Stats[] = [];
  for (const next of groups) {
    const [previous, between] = [out.at(-2), out.at(-1)];
    if (previous !== undefined && between !== undefined && differences(next) > 0) {
      const hasX = previous.removed > 0 || next.removed > 0;
      const hasY = previous.inserted > 0 || next.inserted > 0;
      if (hasX && hasY && between.identical <= window) {
        out.splice(-2, 2, addStats(addStats(previous, between), next));
        continue;
      }
    }
    out.push(next);
  }
  return out;
}
