// Models sets of fields (structured-merge-diff's fieldpath.Set) in the form the API writes them: `{"f:spec":{".":{},"f:replicas":{}}}`.
// A node is a member when it is `{}` or has "."; sets are never changed in place, so that they may be shared.

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

type Building = Record<string, FieldSet>;

/** A member without members below it; as a whole set: nothing. */
export const LEAF: FieldSet = Object.freeze({});

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

function isMember(node: FieldSet): boolean {
  return node['.'] !== undefined || isEmptySet(node);
}

/** A node of its parts; undefined when nothing is left of it. */
function nodeOf(member: boolean, children: Building | undefined): FieldSet | undefined {
  if (children === undefined) return member ? LEAF : undefined;
  return member ? { '.': LEAF, ...children } : children;
}

/** The members of both; `a` itself when `b` adds nothing. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  let out: Building | undefined;
  for (const key in b) {
    if (key === '.') continue;
    const [mine, theirs] = [a[key], b[key]!];
    const both = mine === undefined ? theirs : uniteNodes(mine, theirs);
    if (both !== mine) (out ??= { ...a })[key] = both;
  }
  return out ?? a;
}

function uniteNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const [isOwn, isTheirs] = [isMember(a), isMember(b)];
  if (isEmptySet(a)) return isTheirs ? b : { '.': LEAF, ...b };
  const children = union(a, b);
  if (isOwn || !isTheirs) return children;
  return { '.': LEAF, ...children };
}

/** What is a member of both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return common(a, b) ?? LEAF;
}

function common(a: FieldSet, b: FieldSet): Building | undefined {
  let out: Building | undefined;
  for (const key in a) {
    const there = key === '.' ? undefined : b[key];
    if (there === undefined) continue;
    const here = a[key]!;
    const node = here === there ? here : nodeOf(isMember(here) && isMember(there), common(here, there));
    if (node !== undefined) (out ??= {})[key] = node;
  }
  return out;
}

/** Members of `a` that are none of `b`; a field stays although fields below it go, and the other way round. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return rest(a, b, false) ?? LEAF;
}

/** As difference, but with a field goes everything below it. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return rest(a, b, true) ?? LEAF;
}

function rest(a: FieldSet, b: FieldSet, isRecursive: boolean): Building | undefined {
  let out: Building | undefined;
  for (const key in a) {
    if (key === '.') continue;
    const here = a[key]!;
    const there = b[key];
    let node: FieldSet | undefined = here;
    if (there !== undefined) {
      const isTaken = isMember(there);
      node = isRecursive && isTaken ? undefined : nodeOf(isMember(here) && !isTaken, rest(here, there, isRecursive));
    }
    if (node !== undefined) (out ??= {})[key] = node;
  }
  return out;
}

/** The fields below an element, the element itself left out. */
export function below(set: FieldSet, element: string): FieldSet {
  const node = set[element];
  if (node === undefined) return LEAF;
  const { '.': _, ...children } = node;
  return children;
}

export function hasElement(set: FieldSet, element: string): boolean {
  const node = set[element];
  return node !== undefined && isMember(node);
}

export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let at: FieldSet | undefined = set;
  for (const element of path) {
    at = at[element];
    if (at === undefined) return false;
  }
  return path.length > 0 && isMember(at);
}

/** The set with that path; fields on the way to it do not become members. */
export function setOfPath(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((inner, element) => ({ [element]: inner }), LEAF);
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  let count = 0;
  for (const key in a) {
    const there = b[key];
    if (there === undefined || !equalSets(a[key]!, there)) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/** All members, those of a level before those below it. */
export function* pathsOf(set: FieldSet, prefix: readonly string[] = []): Generator<readonly string[]> {
  const keys = Object.keys(set).filter((key) => key !== '.');
  for (const key of keys) if (isMember(set[key]!)) yield [...prefix, key];
  for (const key of keys) yield* pathsOf(set[key]!, [...prefix, key]);
}

/** The set as a client sent it: unknown kinds of elements are dropped. Undefined when it is no set at all. */
export function parseSet(value: unknown): FieldSet | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const out: Building = {};
  for (const [key, member] of Object.entries(value)) {
    if (key !== '.' && !/^[fkvi]:/s.test(key)) {
      if (key.length < 2 || key[1] !== ':') return undefined;
      continue;
    }
    const child = key === '.' ? LEAF : parseSet(member);
    if (child === undefined || (/^[kv]:/.test(key) && valueIn(key) === undefined)) return undefined;
    out[key] = child;
  }
  return out;
}

// -- elements

const RANK: Readonly<Record<string, number>> = { '.': 0, f: 1, k: 2, v: 3, i: 4 };

/** The order in which the API writes elements: fields by name, list elements by the values of their keys. */
export function compareElements(a: string, b: string): number {
  const rank = RANK[a[0]!]! - RANK[b[0]!]!;
  if (rank !== 0) return rank;
  switch (a[0]) {
    case 'i':
      return Number(a.slice(2)) - Number(b.slice(2));
    case 'k':
      return compareKeys(valueIn(a) as Json, valueIn(b) as Json);
    case 'v':
      return compareValues(valueIn(a), valueIn(b));
    default:
      return a < b ? -1 : a > b ? 1 : 0;
  }
}

type Json = Readonly<Record<string, unknown>>;

function compareKeys(a: Json, b: Json): number {
  const [left, right] = [Object.keys(a).sort(), Object.keys(b).sort()];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]! < right[i]! ? -1 : 1;
    const order = compareValues(a[left[i]!], b[right[i]!]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Numbers, strings, booleans, then null. */
function compareValues(a: unknown, b: unknown): number {
  const kind = (value: unknown): number => ['number', 'string', 'boolean', 'object'].indexOf(typeof value);
  if (kind(a) !== kind(b)) return kind(a) - kind(b);
  if (typeof a === 'object' || a === b) return 0;
  return (a as number) < (b as number) ? -1 : 1;
}

function valueIn(element: string): unknown {
  try {
    return JSON.parse(element.slice(2)) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** Everything in the order it is written; the set itself when it is in order already. */
export function sortedSet(set: FieldSet): FieldSet {
  const keys = Object.keys(set);
  let isChanged = false;
  for (let i = 1; i < keys.length && !isChanged; i++) isChanged = compareElements(keys[i - 1]!, keys[i]!) > 0;
  if (isChanged) keys.sort(compareElements);
  const out: Building = {};
  for (const key of keys) {
    const inner = set[key]!;
    out[key] = sortedSet(inner);
    if (out[key] !== inner) isChanged = true;
  }
  return isChanged ? out : set;
}

const ESCAPED = /[<>&\u2028\u2029]/g;

/** JSON as Go writes it: what could be markup is escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `.spec.template.spec.containers[name="nginx"].image` */
export function showPath(path: readonly string[]): string {
  return path.map(showElement).join('');
}

export function showElement(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('i:')) return `[${text}]`;
  if (element.startsWith('v:')) return `[=${showValue(valueIn(element))}]`;
  const keys = valueIn(element) as Json;
  return `[${Object.keys(keys)
    .sort()
    .map((key) => `${key}=${showValue(keys[key])}`)
    .join(',')}]`;
}

function showValue(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
