// Models strategic merge patches as a client makes them: two objects' difference, and the three-way patch of apply.

import { compareBytes, isObject, type JsonObject } from '../printers/json.ts';

/** How lists of a field merge: by a key of their items, as a set of values, or as a whole. */
type ListRule = { readonly mergeKey: string } | 'set' | 'atomic';

const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  volumes: 'name',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  conditions: 'type',
  ownerReferences: 'uid',
  secrets: 'name',
  addresses: 'type',
};
/** Lists of values that merge. */
const SETS = ['finalizers', 'podCIDRs'];
/** Objects of which only the keys that are set may stay. */
const RETAIN_KEYS = ['strategy', 'updateStrategy'];

function ruleFor(field: string, ...lists: readonly unknown[]): ListRule {
  const items = lists.flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  if (field === 'ports') {
    if (items.some((item) => isObject(item) && 'containerPort' in item)) return { mergeKey: 'containerPort' };
    return items.every((item) => isObject(item) && 'port' in item) && items.length > 0 ? { mergeKey: 'port' } : 'atomic';
  }
  if (SETS.includes(field)) return 'set';
  const mergeKey = MERGE_KEYS[field];
  return mergeKey !== undefined && items.every((item) => isObject(item) && mergeKey in item) ? { mergeKey } : 'atomic';
}

interface DiffOptions {
  readonly ignoreDeletions: boolean;
  readonly ignoreChanges: boolean;
}

/** The patch from `original` to `modified`. */
export function strategicDiff(original: JsonObject, modified: JsonObject): JsonObject {
  return diffMaps(original, modified, { ignoreDeletions: false, ignoreChanges: false });
}

/** apply's patch: what changed or was added against `current`, and what `original` had and `modified` has no more. */
export function threeWayStrategic(original: JsonObject | undefined, modified: JsonObject, current: JsonObject): JsonObject {
  const delta = diffMaps(current, modified, { ignoreDeletions: true, ignoreChanges: false });
  const deletions = diffMaps(original ?? {}, modified, { ignoreDeletions: false, ignoreChanges: true });
  return mergePatches(deletions, delta);
}

function diffMaps(original: JsonObject, modified: JsonObject, options: DiffOptions): JsonObject {
  const patch: JsonObject = {};
  for (const key of [...new Set([...Object.keys(original), ...Object.keys(modified)])].sort(compareBytes)) {
    const before = original[key];
    const after = modified[key];
    if (after === undefined) {
      if (!options.ignoreDeletions) patch[key] = null;
    } else if (before === undefined) {
      if (!options.ignoreChanges) patch[key] = after;
    } else if (isObject(before) && isObject(after)) diffObjects(patch, key, before, after, options);
    else if (Array.isArray(before) && Array.isArray(after)) diffLists(patch, key, before, after, options);
    else if (!equal(before, after) && !options.ignoreChanges) patch[key] = after;
  }
  return patch;
}

function diffObjects(patch: JsonObject, key: string, before: JsonObject, after: JsonObject, options: DiffOptions): void {
  const inner = diffMaps(before, after, options);
  if (Object.keys(inner).length === 0) return;
  patch[key] =
    RETAIN_KEYS.includes(key) && !options.ignoreChanges ? { ...inner, $retainKeys: Object.keys(after).sort(compareBytes) } : inner;
}

function diffLists(patch: JsonObject, key: string, before: readonly unknown[], after: readonly unknown[], options: DiffOptions): void {
  const rule = ruleFor(key, before, after);
  if (rule === 'atomic') {
    if (!equal(before, after) && !options.ignoreChanges) patch[key] = after;
    return;
  }
  if (rule === 'set') {
    const removed = before.filter((item) => !after.some((other) => equal(item, other)));
    const added = after.filter((item) => !before.some((other) => equal(item, other)));
    if (!options.ignoreDeletions && removed.length > 0) patch[`$deleteFromPrimitiveList/${key}`] = removed;
    if (!options.ignoreChanges && added.length > 0) patch[key] = added;
    if ((!options.ignoreDeletions && removed.length > 0) || (!options.ignoreChanges && added.length > 0))
      patch[`$setElementOrder/${key}`] = after;
    return;
  }
  diffMergingLists(patch, key, rule.mergeKey, before as readonly JsonObject[], after as readonly JsonObject[], options);
}

function diffMergingLists(
  patch: JsonObject,
  key: string,
  mergeKey: string,
  before: readonly JsonObject[],
  after: readonly JsonObject[],
  options: DiffOptions,
): void {
  const items: JsonObject[] = [];
  const find = (list: readonly JsonObject[], value: unknown): JsonObject | undefined => list.find((item) => equal(item[mergeKey], value));
  for (const item of after) {
    const old = find(before, item[mergeKey]);
    if (old === undefined) {
      if (!options.ignoreChanges) items.push(item);
      continue;
    }
    const inner = diffMaps(old, item, options);
    if (Object.keys(inner).length > 0) items.push({ ...inner, [mergeKey]: item[mergeKey] });
  }
  const deletions = options.ignoreDeletions
    ? []
    : before.filter((item) => find(after, item[mergeKey]) === undefined).map((item) => ({ $patch: 'delete', [mergeKey]: item[mergeKey] }));
  const order = after.map((item) => ({ [mergeKey]: item[mergeKey] }));
  const hasNewOrder = !options.ignoreChanges && orderDiffers(before, after, mergeKey);
  if (items.length + deletions.length === 0 && !hasNewOrder) return;
  patch[`$setElementOrder/${key}`] = order;
  if (items.length + deletions.length > 0) patch[key] = [...items, ...deletions];
}

/** True when items both lists have stand in another order. */
function orderDiffers(before: readonly JsonObject[], after: readonly JsonObject[], mergeKey: string): boolean {
  const common = (list: readonly JsonObject[], other: readonly JsonObject[]): readonly unknown[] =>
    list.map((item) => item[mergeKey]).filter((value) => other.some((item) => equal(item[mergeKey], value)));
  return !equal(common(before, after), common(after, before));
}

/** Lays `second` over `first`; both are patches. */
function mergePatches(first: JsonObject, second: JsonObject): JsonObject {
  const out: JsonObject = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const own = out[key];
    if (isObject(own) && isObject(value)) out[key] = mergePatches(own, value);
    else if (Array.isArray(own) && Array.isArray(value) && !key.startsWith('$'))
      out[key] = mergeLists(key, own as JsonObject[], value as JsonObject[]);
    else out[key] = value;
  }
  for (const [key, order] of Object.entries(out)) {
    const field = key.startsWith('$setElementOrder/') ? key.slice('$setElementOrder/'.length) : '';
    const list = out[field];
    if (field !== '' && Array.isArray(list) && Array.isArray(order)) out[field] = inOrder(list, order);
  }
  return out;
}

/** The server wants the elements of a patch in the order the patch names; deletions are not in it and come last. */
function inOrder(list: readonly unknown[], order: readonly unknown[]): readonly unknown[] {
  const place = (item: unknown): number => {
    const at = order.findIndex((each) =>
      isObject(each) && isObject(item) ? Object.keys(each).every((key) => equal(each[key], item[key])) : equal(each, item),
    );
    return at < 0 ? order.length : at;
  };
  return [...list].sort((a, b) => place(a) - place(b));
}

function mergeLists(key: string, first: readonly JsonObject[], second: readonly JsonObject[]): readonly unknown[] {
  const rule = ruleFor(key, first, second);
  if (rule === 'atomic') return second;
  if (rule === 'set') return [...first, ...second];
  const merged = second.map((item) => {
    const other = first.find((candidate) => equal(candidate[rule.mergeKey], item[rule.mergeKey]));
    return other === undefined ? item : mergePatches(other, item);
  });
  return [...merged, ...first.filter((item) => !second.some((candidate) => equal(candidate[rule.mergeKey], item[rule.mergeKey])))];
}

/** Deep equality of JSON values, whatever the order of keys. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  return keys.length === Object.keys(b).filter((key) => b[key] !== undefined).length && keys.every((key) => equal(a[key], b[key]));
}

/** RFC 7386: the patch that makes `modified` of `original`. */
export function mergePatchDiff(
  original: JsonObject,
  modified: JsonObject,
  keep: { readonly deletions: boolean; readonly changes: boolean } = { deletions: true, changes: true },
): JsonObject {
  const patch: JsonObject = {};
  for (const key of [...new Set([...Object.keys(original), ...Object.keys(modified)])].sort(compareBytes)) {
    const before = original[key];
    const after = modified[key];
    if (after === undefined) {
      if (keep.deletions) patch[key] = null;
    } else if (isObject(before) && isObject(after)) {
      const inner = mergePatchDiff(before, after, keep);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (keep.changes && !equal(before, after)) patch[key] = after;
  }
  return patch;
}

/** apply's patch for kinds kubectl does not know. */
export function threeWayMerge(original: JsonObject | undefined, modified: JsonObject, current: JsonObject): JsonObject {
  const additions = mergePatchDiff(current, modified, { deletions: false, changes: true });
  const deletions = mergePatchDiff(original ?? {}, modified, { deletions: true, changes: false });
  return mergePatches(deletions, additions);
}

const KNOWN_GROUPS = [
  '',
  'apps',
  'batch',
  'autoscaling',
  'policy',
  'extensions',
  'networking.k8s.io',
  'rbac.authorization.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'node.k8s.io',
  'certificates.k8s.io',
  'admissionregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'flowcontrol.apiserver.k8s.io',
];

/** True for kinds kubectl knows, which are patched strategically. */
export function isKnownKind(mapping: { readonly group: string }): boolean {
  return KNOWN_GROUPS.includes(mapping.group);
}
