// Models structured-merge-diff's updater: what a write does to the sets of all managers, and the merge of an applied configuration.
// Not modelled: unions, which v1.20 has switched off, and lists that turn from one value into many with the schema.

import { compare, isSame, type Comparison } from './compare.ts';
import { TypedError } from './elements.ts';
import { difference, intersection, isEmptySet, LEAF, pathsOf, union, type FieldSet } from './field-set.ts';
import { identityOf, type Manager, type Managers } from './managers.ts';
import { fieldsNamedBy, mergeTyped, removeItems, validateTyped } from './typed-value.ts';
import type { TypedNode } from './typed-schema.ts';

/** Knows the versions a kind is served in; objects are those of JSON. */
export interface Converter {
  /** Undefined when that version is gone. */
  typeOf(apiVersion: string): TypedNode | undefined;
  convert(object: unknown, from: string, to: string): unknown;
}

export interface Conflict {
  readonly manager: Manager;
  readonly path: readonly string[];
}

export class ApplyConflict extends Error {
  override readonly name = 'ApplyConflict';
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super('conflict');
    this.conflicts = conflicts;
  }
}

type ManagerMap = Map<string, Manager>;

/** What changed between `live` and `next` is taken from all managers; conflicts only count when not `force`d. */
function settle(
  live: unknown,
  next: unknown,
  apiVersion: string,
  managers: Managers,
  options: { readonly self: string; readonly isApply: boolean; readonly force: boolean; readonly converter: Converter },
): { readonly managers: ManagerMap; readonly comparison: Comparison } {
  const { self, isApply, force, converter } = options;
  const type = converter.typeOf(apiVersion);
  if (type === undefined) throw new TypedError([`no corresponding type for ${apiVersion}`]);
  const comparison = compare(live, next, type);
  const versions = new Map<string, Comparison>([[apiVersion, comparison]]);
  const out: ManagerMap = new Map();
  const conflicts: Conflict[] = [];
  for (const [identity, manager] of managers) {
    if (identity === self && isApply) {
      out.set(identity, manager);
      continue;
    }
    let theirs = versions.get(manager.apiVersion);
    if (theirs === undefined) {
      const theirType = converter.typeOf(manager.apiVersion);
      // What a version owned that is gone nobody owns.
      if (theirType === undefined) continue;
      const [before, after] = [live, next].map((object) => converter.convert(object, apiVersion, manager.apiVersion));
      theirs = compare(before, after, theirType);
      versions.set(manager.apiVersion, theirs);
    }
    let { fields } = manager;
    // What an updater changes of his own stays his.
    const taken =
      identity === self || isSame(theirs) ? LEAF : union(intersection(fields, theirs.modified), intersection(fields, theirs.added));
    if (!isEmptySet(taken)) {
      for (const path of pathsOf(taken)) conflicts.push({ manager, path });
      fields = difference(fields, taken);
    }
    if (!isEmptySet(theirs.removed)) fields = difference(fields, theirs.removed);
    if (!isEmptySet(fields)) out.set(identity, fields === manager.fields ? manager : { ...manager, fields });
  }
  if (!force && conflicts.length > 0) throw new ApplyConflict(byIdentity(conflicts));
  return { managers: out, comparison };
}

function byIdentity(conflicts: readonly Conflict[]): readonly Conflict[] {
  const keyed = conflicts.map((conflict) => [identityOf(conflict.manager), conflict] as const);
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, conflict]) => conflict);
}

/** The sets after a write of `self` that is no apply, without what he changed, which comes beside them. */
export function updateManagers(
  live: unknown,
  next: unknown,
  apiVersion: string,
  managers: Managers,
  options: { readonly self: string; readonly converter: Converter },
): { readonly managers: ManagerMap; readonly changed: FieldSet } {
  const { managers: left, comparison } = settle(live, next, apiVersion, managers, { ...options, isApply: false, force: true });
  return { managers: left, changed: difference(union(comparison.modified, comparison.added), comparison.removed) };
}

export interface Applied {
  /** Undefined when the configuration changes nothing. */
  readonly object: unknown;
  readonly managers: ManagerMap;
}

/** Merges `config` into `live` under the name of `applier`, whose fields and time count for nothing. */
export function applyConfiguration(
  live: unknown,
  config: unknown,
  managers: Managers,
  options: { readonly applier: Manager; readonly force: boolean; readonly converter: Converter },
): Applied {
  const { applier, force, converter } = options;
  const { apiVersion } = applier;
  const type = converter.typeOf(apiVersion)!;
  const self = identityOf(applier);
  validate('patch', config, type);
  validate('live', live, type);
  const merged = mergeTyped(live, config, type);
  const last = managers.get(self);
  const now: ManagerMap = new Map(managers);
  now.set(self, { ...applier, time: last?.time, fields: fieldsNamedBy(config, type) });
  const pruned = prune(merged, now, last, apiVersion, converter);
  const { managers: settled, comparison } = settle(live, pruned, apiVersion, now, { self, isApply: true, force, converter });
  if (isEmptySet(settled.get(self)?.fields ?? LEAF)) settled.delete(self);
  return { object: isSame(comparison) ? undefined : pruned, managers: settled };
}

function validate(what: string, object: unknown, type: TypedNode): void {
  try {
    validateTyped(object, type);
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    throw new TypedError([`failed to create typed ${what} object: ${error.message}`]);
  }
}

/** Removes what the applier named last time, does not name now, and nobody else owns. */
function prune(merged: unknown, managers: Managers, last: Manager | undefined, apiVersion: string, converter: Converter): unknown {
  if (last === undefined || isEmptySet(last.fields)) return merged;
  const type = converter.typeOf(last.apiVersion);
  if (type === undefined) return merged;
  const before = converter.convert(merged, apiVersion, last.apiVersion);
  let pruned = removeItems(before, last.fields, type);
  // What others own, or this configuration still names, comes back.
  const owned = new Map<string, FieldSet>();
  for (const manager of managers.values()) owned.set(manager.apiVersion, union(owned.get(manager.apiVersion) ?? LEAF, manager.fields));
  let at = last.apiVersion;
  let whole = before;
  for (const [version, fields] of owned) {
    const theirType = converter.typeOf(version);
    if (theirType === undefined) continue;
    whole = converter.convert(whole, at, version);
    pruned = converter.convert(pruned, at, version);
    at = version;
    const keep = union(fieldsNamedBy(pruned, theirType), fields);
    pruned = removeItems(whole, difference(fieldsNamedBy(whole, theirType), keep), theirType);
  }
  // What went but was never the applier's, comes back too.
  pruned = converter.convert(pruned, at, last.apiVersion);
  const gone = difference(fieldsNamedBy(before, type), fieldsNamedBy(pruned, type));
  return converter.convert(removeItems(before, intersection(gone, last.fields), type), last.apiVersion, apiVersion);
}
