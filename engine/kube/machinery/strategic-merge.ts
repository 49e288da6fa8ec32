// Models strategic merge patch: maps merge by key, lists by the merge key of their type, directives steer.

import { deepCopy, isDeepEqual, isRecord } from './deep.ts';
import { PatchError } from './json-patch.ts';
import { listRule } from './merge-keys.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList/';
const SET_ORDER = '$setElementOrder/';

type Json = Record<string, unknown>;

/** Returns the patched copy. */
export function applyStrategicMergePatch(original: Json, patch: Json): Json {
  return mergeMap(deepCopy(original), deepCopy(patch), []);
}

function mergeMap(original: Json, patch: Json, path: readonly string[]): Json {
  const directive = patch[DIRECTIVE];
  if (directive === 'replace') {
    const { [DIRECTIVE]: _, ...rest } = patch;
    return rest;
  }
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge')
    throw new PatchError(`Unknown patch type found: ${JSON.stringify(directive).slice(1, -1)}`);

  const retained = patch[RETAIN_KEYS];
  if (Array.isArray(retained)) for (const key of Object.keys(original)) if (!retained.includes(key)) delete original[key];

  for (const [key, value] of Object.entries(patch)) {
    if (key === DIRECTIVE || key === RETAIN_KEYS) continue;
    if (key.startsWith(DELETE_FROM)) {
      const field = key.slice(DELETE_FROM.length);
      const list = original[field];
      if (Array.isArray(list)) original[field] = list.filter((element) => !(value as unknown[]).includes(element));
      continue;
    }
    if (key.startsWith(SET_ORDER)) {
      const field = key.slice(SET_ORDER.length);
      if (!Object.hasOwn(patch, field)) original[field] = mergeList(original[field] ?? [], [], [...path, field], value as unknown[]);
      if (Array.isArray(original[field]) && original[field].length === 0) delete original[field];
      continue;
    }
    if (value === null) {
      delete original[key];
      continue;
    }
    const here = [...path, key];
    const old = original[key];
    if (isRecord(value)) original[key] = mergeMap(isRecord(old) ? old : {}, value, here);
    else if (Array.isArray(value))
      original[key] = mergeList(Array.isArray(old) ? old : [], value, here, patch[SET_ORDER + key] as unknown[] | undefined);
    else original[key] = value;
  }
  return original;
}

function mergeList(
  original: unknown,
  patch: readonly unknown[],
  path: readonly string[],
  order: readonly unknown[] | undefined,
): unknown[] {
  const list = Array.isArray(original) ? (original as unknown[]) : [];
  const rule = listRule(path);
  if (rule === undefined) return patch.filter((element) => !isRecord(element) || element[DIRECTIVE] === undefined) as unknown[];
  const key = rule.patchKey;
  if (key === undefined) {
    const merged = [...list, ...patch.filter((element) => !list.includes(element))];
    return order === undefined ? merged : arrange(merged, list, order, (element) => element);
  }
  if (patch.some((element) => isRecord(element) && element[DIRECTIVE] === 'replace' && element[key] === undefined)) {
    return patch.filter((element) => isRecord(element) && element[DIRECTIVE] !== 'replace') as unknown[];
  }
  const merged = [...list];
  for (const element of patch) {
    if (!isRecord(element)) throw new PatchError(`expected a map in list ${path.at(-1)!}`);
    if (element[key] === undefined) {
      if (element[DIRECTIVE] !== undefined) continue;
      throw new PatchError(`map: ${goMap(element)} does not contain declared merge key: ${key}`);
    }
    const at = merged.findIndex((other) => isRecord(other) && isDeepEqual(other[key], element[key]));
    const directive = element[DIRECTIVE];
    if (directive === 'delete') {
      // Every element of that key goes, should there be several.
      for (let i = merged.length - 1; i >= 0; i--) {
        const other = merged[i];
        if (isRecord(other) && isDeepEqual(other[key], element[key])) merged.splice(i, 1);
      }
      continue;
    }
    if (at < 0) merged.push(mergeMap({}, element, path));
    else merged[at] = mergeMap(merged[at] as Json, element, path);
  }
  return order === undefined
    ? merged
    : arrange(
        merged,
        list,
        order.map((element) => (isRecord(element) ? element[key] : element)),
        (element) => (isRecord(element) ? element[key] : element),
      );
}

/** Elements named in `order` come in that order; those only the server has stay where they were among them. */
function arrange(
  merged: readonly unknown[],
  server: readonly unknown[],
  order: readonly unknown[],
  keyOf: (element: unknown) => unknown,
): unknown[] {
  const rank = (element: unknown): number => order.findIndex((each) => isDeepEqual(each, keyOf(element)));
  const place = (element: unknown): number => server.findIndex((each) => isDeepEqual(keyOf(each), keyOf(element)));
  const named = merged.filter((element) => rank(element) >= 0).sort((a, b) => rank(a) - rank(b));
  const others = merged.filter((element) => rank(element) < 0);
  const out: unknown[] = [];
  while (named.length > 0 && others.length > 0) {
    const next = named[0];
    const inServer = place(next);
    if (inServer >= 0 && inServer < place(others[0])) out.push(named.shift());
    else if (inServer < 0) out.push(named.shift());
    else out.push(others.shift());
  }
  return [...out, ...named, ...others];
}

function goMap(map: Json): string {
  return `map[${Object.keys(map)
    .sort()
    .map((key) => `${key}:${isRecord(map[key]) ? goMap(map[key]) : String(map[key])}`)
    .join(' ')}]`;
}
