// Models apiserver's field manager: who owns which field after a write, and the merge of server-side apply.

import { isDeepEqual, isRecord } from '../deep.ts';
import { compare } from './compare.ts';
import { shapeKey } from './shape-key.ts';
import { TypedError } from './elements.ts';
import { difference, equalSets, hasPath, isEmptySet, LEAF, setOfPath, union, type FieldSet } from './field-set.ts';
import {
  decodeManagers,
  encodeManagers,
  equalManagers,
  identityOf,
  shared,
  type ManagedFieldsEntry,
  type Manager,
  type Managers,
  type Operation,
} from './managers.ts';
import { fieldsNamedBy, validateTyped } from './typed-value.ts';
import { ApplyConflict, applyConfiguration, updateManagers, type Converter } from './updater.ts';

type Json = Record<string, unknown>;

export interface TrackedWrite {
  /** The object before, without managedFields; for a create what `empty` is. */
  readonly live: Json;
  /** What a new object of the kind has before anybody set a field. */
  readonly empty: Json;
  readonly isCreate: boolean;
  readonly liveManagers: readonly ManagedFieldsEntry[] | undefined;
  readonly manager: string;
  readonly apiVersion: string;
  readonly time: string;
  readonly converter: Converter;
}

/** More managers than this that only update are put together. */
const MAX_UPDATERS = 10;
const OLDEST = 'ancient-changes';
const BEFORE_FIRST_APPLY = 'before-first-apply';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What the server fills in belongs to nobody. */
const STRIPPED: FieldSet = [
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (field) => ['f:metadata', `f:${field}`],
  ),
]
  .map(setOfPath)
  .reduce(union);

/** managedFields of a new object that says nothing of its own about them. */
export function trackCreate(write: TrackedWrite, next: Json, shapes: ShapeCache): readonly ManagedFieldsEntry[] | undefined {
  const { manager, apiVersion, time, live, converter } = write;
  const type = converter.typeOf(apiVersion)!;
  const key = shapeKey(next, type, live);
  let fields = shapes.get(key);
  if (fields === undefined) {
    try {
      const { added, modified } = compare(live, next, type);
      fields = shared(difference(union(modified, added), STRIPPED));
    } catch (error) {
      if (!(error instanceof TypedError)) throw error;
      return undefined;
    }
    if (key.length <= MAX_KEY_LENGTH) {
      if (shapes.size >= MAX_SHAPES) shapes.clear();
      shapes.set(key, fields);
    }
  }
  return isEmptySet(fields) ? undefined : [{ manager, operation: 'Update', apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: fields }];
}

/** Fields of new objects by what tells them apart: most objects of a kind have one of few shapes. */
export type ShapeCache = Map<string, FieldSet>;
const MAX_SHAPES = 512;
const MAX_KEY_LENGTH = 4096;

/** managedFields after a create, update or patch of any kind but apply. `given` is what the request's object has. */
export function trackUpdate(
  write: TrackedWrite,
  next: Json,
  given: readonly ManagedFieldsEntry[] | undefined | null,
  options: { readonly ignoresGiven: boolean },
): readonly ManagedFieldsEntry[] | undefined {
  const live = write.liveManagers ?? [];
  let before: Managers;
  const isUntouched = given === live || given === undefined || given === null || options.ignoresGiven || isDeepEqual(given, live);
  if (isUntouched) before = decodeManagers(live) ?? new Map();
  else if (isReset(given)) before = new Map();
  else {
    const decoded = decodeManagers(given);
    before = decoded === undefined || decoded.size === 0 ? (decodeManagers(live) ?? new Map()) : decoded;
  }
  // An object that nobody owns a field of is not tracked until it is applied.
  if (before.size === 0 && !write.isCreate) return undefined;
  try {
    const after = capUpdaters(updated(write, next, before));
    if (isUntouched && after === before) return live;
    return after.size === 0 ? undefined : encodeManagers(after.values());
  } catch (error) {
    // A list with two elements of one key cannot be tracked; the write goes on without.
    if (error instanceof TypedError) return undefined;
    throw error;
  }
}

/** A list that is there but empty, or has one empty entry, asks to forget everything. */
function isReset(given: readonly ManagedFieldsEntry[]): boolean {
  return (
    given.length === 0 ||
    (given.length === 1 && isRecord(given[0]) && Object.values(given[0]).every((value) => value === null || value === ''))
  );
}

function updated(write: TrackedWrite, next: Json, before: Managers): Managers {
  const { manager: name, apiVersion, time, converter } = write;
  const identity = identityOf({ name, operation: 'Update', apiVersion });
  const { managers, changed: all } = updateManagers(write.live, next, apiVersion, before, { self: identity, converter });
  const changed = difference(all, STRIPPED);
  const former = before.get(identity);
  if (!isEmptySet(changed)) {
    const fields = union(managers.get(identity)?.fields ?? LEAF, changed);
    const isAsBefore = former !== undefined && equalSets(former.fields, fields);
    managers.set(identity, isAsBefore ? former : { name, operation: 'Update', apiVersion, time, fields });
  }
  return isSameMap(managers, before) ? before : managers;
}

function isSameMap(a: Managers, b: Managers): boolean {
  if (a.size !== b.size) return false;
  for (const [identity, manager] of a) if (b.get(identity) !== manager) return false;
  return true;
}

/** Puts the oldest updaters of one version together until there are few enough. */
function capUpdaters(managers: Managers): Managers {
  const updaters = [...managers].filter(([, { operation }]) => operation !== 'Apply');
  if (updaters.length <= MAX_UPDATERS) return managers;
  updaters.sort(([a, { time: x = '' }], [b, { time: y = '' }]) => (x < y ? -1 : x > y ? 1 : a < b ? -1 : 1));
  const out = new Map(managers);
  const firstOf = new Map<string, string>();
  let count = updaters.length;
  for (const [identity, manager] of updaters) {
    if (count <= MAX_UPDATERS) break;
    const { apiVersion } = manager;
    const first = firstOf.get(apiVersion);
    if (first === undefined) {
      firstOf.set(apiVersion, identity);
      continue;
    }
    const bucket: Manager = { name: OLDEST, operation: 'Update', apiVersion, time: manager.time, fields: LEAF };
    const id = identityOf(bucket);
    let collected = out.get(id)?.fields;
    if (collected === undefined) {
      collected = out.get(first)!.fields;
      out.delete(first);
    }
    out.delete(identity);
    out.set(id, { ...bucket, fields: union(manager.fields, collected) });
    count--;
  }
  return out;
}

export interface AppliedObject {
  /** Without managedFields; itself the live object when nothing changed. */
  readonly object: Json;
  readonly managedFields: readonly ManagedFieldsEntry[] | undefined;
}

/** Server-side apply. Throws ApplyConflict, or TypedError when configuration and type do not fit. */
export function trackApply(write: TrackedWrite, config: Json, options: { readonly force: boolean }): AppliedObject {
  const { manager: name, apiVersion, time, converter, live } = write;
  const decoded = decodeManagers(write.liveManagers);
  if (decoded === undefined) throw new TypedError(['failed to decode managed fields']);
  let managers: Managers = decoded;
  if (managers.size === 0 && !write.isCreate) {
    // Whoever made it did so before anybody applied.
    managers = updated({ ...write, live: write.empty, manager: BEFORE_FIRST_APPLY }, live, managers);
  }
  const applier: Manager = { name, operation: 'Apply' satisfies Operation, apiVersion, time: undefined, fields: LEAF };
  const run = (force: boolean): AppliedObject => {
    const { object, managers: settled } = applyConfiguration(live, config, managers, { applier, force, converter });
    const self = identityOf(applier);
    const own = settled.get(self);
    const after = new Map(settled);
    if (own !== undefined) {
      const fields = difference(own.fields, STRIPPED);
      if (isEmptySet(fields)) after.delete(self);
      else after.set(self, { ...own, fields });
    }
    const isChanged = object !== undefined || !equalManagers(after, managers);
    const final = after.get(self);
    if (isChanged && final !== undefined) after.set(self, { ...final, time });
    const entries = after.size === 0 ? undefined : encodeManagers(after.values());
    return { object: syncLastApplied((object ?? live) as Json, config, name), managedFields: entries };
  };
  try {
    return run(options.force);
  } catch (error) {
    if (!(error instanceof ApplyConflict) || name !== 'kubectl') throw error;
    const allowed = ownedByLastApplied(live, apiVersion, converter);
    if (allowed === undefined) throw error;
    const left = error.conflicts.filter(({ path }) => !hasPath(allowed, path));
    if (left.length > 0) throw new ApplyConflict(left);
    return run(true);
  }
}

function annotationsOf(object: Json): Readonly<Record<string, unknown>> | undefined {
  const metadata = object['metadata'];
  const annotations = isRecord(metadata) ? metadata['annotations'] : undefined;
  return isRecord(annotations) ? annotations : undefined;
}

/** The fields that client-side apply set and that still have its values: kubectl may take these over. */
function ownedByLastApplied(live: Json, apiVersion: string, converter: Converter): FieldSet | undefined {
  const text = annotationsOf(live)?.[LAST_APPLIED];
  const type = converter.typeOf(apiVersion);
  if (typeof text !== 'string' || text === '' || type === undefined) return undefined;
  try {
    const last = JSON.parse(text) as unknown;
    if (!isRecord(last) || last['apiVersion'] !== apiVersion) return undefined;
    validateTyped(last, type);
    const { added, modified, removed } = compare(last, live, type);
    return [modified, added, removed].reduce(difference, fieldsNamedBy(last, type));
  } catch (error) {
    if (error instanceof TypedError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** kubectl's own annotation stays true when it goes over to server-side apply. */
function syncLastApplied(object: Json, config: Json, manager: string): Json {
  const annotations = annotationsOf(object);
  if (manager !== 'kubectl' || annotations?.[LAST_APPLIED] === undefined) return object;
  const given = annotationsOf(config);
  let source = config;
  if (given?.[LAST_APPLIED] !== undefined) {
    const { [LAST_APPLIED]: _, ...others } = given;
    source = { ...config, metadata: { ...(config['metadata'] as Json), annotations: others } };
  }
  const text = `${JSON.stringify(sortKeys(source))}\n`;
  return { ...object, metadata: { ...(object['metadata'] as Json), annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}
