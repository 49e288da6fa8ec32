// Models managedFields: which client set which field.

import { isDeepEqual, isRecord } from '../machinery/deep.ts';
import { listRule } from '../machinery/merge-keys.ts';
import { normalize } from '../machinery/schema/codec.ts';
import { structOf } from '../machinery/schema/schema.ts';
import { apiVersionOf } from '../machinery/resources.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { ApiObject, ResourceDefinition } from '../registry/definition.ts';

type FieldSet = { [key: string]: FieldSet };

interface Entry {
  manager: string;
  operation: 'Update' | 'Apply';
  apiVersion: string;
  time?: string;
  fieldsType: 'FieldsV1';
  fieldsV1: FieldSet;
}

interface Write {
  readonly next: ApiObject;
  readonly current: ApiObject | undefined;
  readonly context: { readonly manager: string; readonly served: { readonly group: string; readonly version: string } };
  readonly nowMs: number;
  readonly definition: ResourceDefinition;
}

/** An entry per manager; more than this and the oldest are put together, as the server does. */
const MAX_ENTRIES = 10;

/** Puts what `next` changes against `current` under the writer's name, and takes it from the others. */
export function recordManager({ next, current, context, nowMs, definition }: Write): void {
  // What nobody owned a field of when it was made is not tracked later either.
  if (current !== undefined && (current.metadata.managedFields ?? []).length === 0) {
    delete next.metadata.managedFields;
    return;
  }
  const given = (next.metadata.managedFields ?? []) as unknown as Entry[];
  const known = ((current?.metadata.managedFields ?? []) as unknown as Entry[]).map((entry) => ({ ...entry }));
  // A client that sends an empty list asks for a reset.
  let entries = current !== undefined && given.length === 0 && Array.isArray(next.metadata.managedFields) ? [] : known;
  const now = fieldsOf(next);
  // Against a new object stands the empty one, whose fields that are always written belong to nobody.
  const changed = changedFields(next, current ?? emptyOf(definition));
  const apiVersion = apiVersionOf(context.served);
  let isChanged = false;
  entries = entries.flatMap((entry) => {
    const isOwn = entry.manager === context.manager && entry.operation === 'Update' && entry.apiVersion === apiVersion;
    // What is gone from the object nobody owns; what another writer changed is his.
    const kept = intersect(isOwn || isEmptySet(changed) ? entry.fieldsV1 : subtract(entry.fieldsV1, changed), now);
    return isEmptySet(kept) && !isOwn ? [] : [{ ...entry, fieldsV1: kept }];
  });
  if (!isEmptySet(changed)) {
    const own = entries.find(
      (entry) => entry.manager === context.manager && entry.operation === 'Update' && entry.apiVersion === apiVersion,
    );
    const time = rfc3339(nowMs);
    if (own === undefined) {
      entries.push({ manager: context.manager, operation: 'Update', apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: changed });
      isChanged = true;
    } else {
      const union = unite(own.fieldsV1, changed);
      isChanged = true;
      own.fieldsV1 = union;
      own.time = time;
    }
  }
  entries = entries.filter((entry) => !isEmptySet(entry.fieldsV1));
  if (isChanged) entries.sort(byAge);
  if (entries.length > MAX_ENTRIES) entries = entries.slice(-MAX_ENTRIES);
  for (const entry of entries) entry.fieldsV1 = sortSet(entry.fieldsV1);
  if (entries.length === 0) delete next.metadata.managedFields;
  else next.metadata.managedFields = entries as unknown as NonNullable<ApiObject['metadata']['managedFields']>;
}

const empties = new Map<ResourceDefinition, ApiObject>();

function emptyOf(definition: ResourceDefinition): ApiObject {
  let empty = empties.get(definition);
  if (empty === undefined) {
    const struct = definition.isCustom ? undefined : structOf(definition.group, definition.version, definition.kind);
    empty = (struct === undefined ? { metadata: {} } : normalize(struct, { metadata: {} })) as unknown as ApiObject;
    empties.set(definition, empty);
  }
  return empty;
}

/** A write of the server itself: the record stays. */
export function forceManagers(next: ApiObject, current: ApiObject): void {
  if (current.metadata.managedFields === undefined) delete next.metadata.managedFields;
  else next.metadata.managedFields = current.metadata.managedFields;
}

function byAge(a: Entry, b: Entry): number {
  if (a.operation !== b.operation) return a.operation === 'Apply' ? -1 : 1;
  const [x, y] = [a.time ?? '', b.time ?? ''];
  if (x !== y) return x < y ? -1 : 1;
  return a.manager < b.manager ? -1 : a.manager > b.manager ? 1 : 0;
}

/** Metadata the server owns. */
const NOT_MANAGED = new Set([
  'name',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'clusterName',
]);

/** All fields an object has. */
export function fieldsOf(object: ApiObject): FieldSet {
  const out: FieldSet = {};
  for (const [key, value] of Object.entries(object)) {
    if (key === 'apiVersion' || key === 'kind' || value === undefined || value === null) continue;
    if (key === 'metadata') {
      const meta: FieldSet = {};
      for (const [field, member] of Object.entries(object.metadata)) {
        if (!NOT_MANAGED.has(field) && member !== undefined && member !== null) meta[`f:${field}`] = setOf(member, ['metadata', field]);
      }
      if (!isEmptySet(meta)) out['f:metadata'] = meta;
      continue;
    }
    out[`f:${key}`] = setOf(value, [key]);
  }
  return out;
}

/** Fields whose value differs from the current object's. */
function changedFields(next: ApiObject, current: ApiObject): FieldSet {
  const out: FieldSet = {};
  for (const key of Object.keys(next)) {
    if (key === 'apiVersion' || key === 'kind') continue;
    if (key === 'metadata') {
      const meta: FieldSet = {};
      const old = current.metadata as unknown as Record<string, unknown>;
      for (const [field, member] of Object.entries(next.metadata)) {
        if (NOT_MANAGED.has(field)) continue;
        const difference = changedOf(member, old[field], ['metadata', field]);
        if (difference !== undefined) meta[`f:${field}`] = difference;
      }
      if (!isEmptySet(meta)) out['f:metadata'] = meta;
      continue;
    }
    const difference = changedOf(next[key], current[key], [key]);
    if (difference !== undefined) out[`f:${key}`] = difference;
  }
  return out;
}

function changedOf(next: unknown, old: unknown, path: readonly string[]): FieldSet | undefined {
  if (next === undefined || next === null || isDeepEqual(next, old)) return undefined;
  if (old === undefined) return setOf(next, path);
  if (isRecord(next) && (isRecord(old) || old === null)) {
    if (isAtomic(next, path)) return {};
    const out: FieldSet = {};
    for (const [key, value] of Object.entries(next)) {
      const difference = changedOf(value, old === null ? undefined : old[key], [...path, key]);
      if (difference !== undefined) out[`f:${key}`] = difference;
    }
    return isEmptySet(out) ? undefined : out;
  }
  if (Array.isArray(next) && (Array.isArray(old) || old === null)) {
    const rule = listRule(path);
    if (rule === undefined) return {};
    const out: FieldSet = {};
    const before = new Map((old ?? []).map((element: unknown) => [elementKey(element, rule.mapKeys), element] as const));
    for (const element of next as unknown[]) {
      const key = elementKey(element, rule.mapKeys);
      if (!before.has(key)) out[key] = elementSet(element, path, rule.mapKeys);
      else {
        const difference = changedOf(element, before.get(key), path);
        if (difference !== undefined) out[key] = difference;
      }
    }
    return isEmptySet(out) ? undefined : out;
  }
  return {};
}

/** A value that was not there before: itself and everything in it. */
function setOf(value: unknown, path: readonly string[]): FieldSet {
  if (isRecord(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length === 0 || isAtomic(value, path)) return {};
    const out: FieldSet = { '.': {} };
    for (const [key, member] of members) out[`f:${key}`] = setOf(member, [...path, key]);
    return out;
  }
  if (!Array.isArray(value)) return {};
  const rule = listRule(path);
  if (rule === undefined) return {};
  const out: FieldSet = { '.': {} };
  for (const element of value as unknown[]) out[elementKey(element, rule.mapKeys)] = elementSet(element, path, rule.mapKeys);
  return out;
}

function elementSet(element: unknown, path: readonly string[], mapKeys: readonly string[]): FieldSet {
  return mapKeys.length === 0 ? {} : setOf(element, path);
}

/** Label selectors are one value. */
function isAtomic(value: Record<string, unknown>, path: readonly string[]): boolean {
  return /selector$/i.test(path.at(-1)!) && Object.keys(value).every((key) => key === 'matchLabels' || key === 'matchExpressions');
}

function elementKey(element: unknown, mapKeys: readonly string[]): string {
  if (mapKeys.length === 0 || !isRecord(element)) return `v:${JSON.stringify(element)}`;
  const key: Record<string, unknown> = {};
  for (const name of [...mapKeys].sort()) if (element[name] !== undefined) key[name] = element[name];
  return `k:${JSON.stringify(key)}`;
}

function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** The members of `set` whose path `other` has too. */
function intersect(set: FieldSet, other: FieldSet): FieldSet {
  const out: FieldSet = {};
  for (const [key, members] of Object.entries(set)) {
    if (key === '.') {
      out['.'] = {};
      continue;
    }
    const there = other[key];
    if (there === undefined) continue;
    if (isEmptySet(members)) out[key] = {};
    else {
      const both = intersect(members, there);
      if (!isEmptySet(both)) out[key] = both;
    }
  }
  return out;
}

/** `set` without the leaves of `other`. */
function subtract(set: FieldSet, other: FieldSet): FieldSet {
  const out: FieldSet = {};
  for (const [key, members] of Object.entries(set)) {
    const there = other[key];
    if (there === undefined) out[key] = members;
    else if (!isEmptySet(members) && !isEmptySet(there)) {
      const rest = subtract(members, there);
      if (!isEmptySet(rest)) out[key] = rest;
    } else if (!isEmptySet(members)) {
      out[key] = members;
    }
  }
  return out;
}

function unite(a: FieldSet, b: FieldSet): FieldSet {
  const out: FieldSet = { ...a };
  for (const [key, members] of Object.entries(b)) out[key] = out[key] === undefined ? members : unite(out[key], members);
  return out;
}

/** Keys in the order structured-merge-diff writes them: the field itself, fields, then elements. */
function sortSet(set: FieldSet): FieldSet {
  const rank = (key: string): number => (key === '.' ? 0 : key.startsWith('f:') ? 1 : 2);
  const out: FieldSet = {};
  for (const key of Object.keys(set).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))) out[key] = sortSet(set[key]!);
  return out;
}
