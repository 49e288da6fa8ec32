// metadata.managedFields as the server works on it: a set of fields for each manager, and back to the list on the wire.

import { isRecord } from '../deep.ts';
import { LEAF, parseSet, sortedSet, equalSets, type FieldSet } from './field-set.ts';

export type Operation = 'Apply' | 'Update';

/** One entry of metadata.managedFields. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: FieldSet;
}

/** What one manager owns. Its identity is name and operation, for updates also the version. */
export interface Manager {
  readonly name: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

export type Managers = ReadonlyMap<string, Manager>;

export function identityOf({ name, operation, apiVersion }: Pick<Manager, 'name' | 'operation' | 'apiVersion'>): string {
  return JSON.stringify(operation === 'Apply' ? { manager: name, operation } : { manager: name, operation, apiVersion });
}

/** Lists that were written here are not read again. */
const decoded = new WeakMap<readonly ManagedFieldsEntry[], Managers>();

/** Undefined when the list cannot be read. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined | null): Managers | undefined {
  if (entries !== undefined && entries !== null && !Array.isArray(entries)) return undefined;
  const found = entries === undefined || entries === null ? undefined : decoded.get(entries);
  if (found !== undefined) return found;
  if (entries !== undefined && entries !== null && !Array.isArray(entries)) return undefined;
  const out = new Map<string, Manager>();
  for (const entry of entries ?? []) {
    if (!isRecord(entry) || entry['fieldsType'] !== 'FieldsV1') return undefined;
    const { manager: name = '', operation = '', apiVersion = '', time } = entry as ManagedFieldsEntry;
    if ([name, operation, apiVersion, time ?? ''].some((each: unknown) => typeof each !== 'string')) return undefined;
    const fields = known.has(entry['fieldsV1'] as FieldSet) ? (entry['fieldsV1'] as FieldSet) : parseSet(entry['fieldsV1'] ?? LEAF);
    if (fields === undefined) return undefined;
    const manager: Manager = { name, operation: operation as Operation, apiVersion, time: time ?? undefined, fields };
    out.set(identityOf(manager), manager);
  }
  // Stored lists are never changed in place.
  if (entries !== undefined && entries !== null) decoded.set(entries, out);
  return out;
}

/** In the order of the wire: appliers first, then by age, name and version. */
export function encodeManagers(managers: Iterable<Manager>): ManagedFieldsEntry[] {
  return [...managers].sort(byAge).map(({ name, operation, apiVersion, time, fields }) => ({
    ...(name === '' ? {} : { manager: name }),
    ...((operation as string) === '' ? {} : { operation }),
    ...(apiVersion === '' ? {} : { apiVersion }),
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: shared(fields),
  }));
}

function byAge(a: Manager, b: Manager): number {
  const text = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
  return text(a.operation, b.operation) || text(a.time ?? '', b.time ?? '') || text(a.name, b.name) || text(a.apiVersion, b.apiVersion);
}

/** How many different sets are kept to be shared; many objects of one shape own the same fields. */
const MAX_SHARED = 4096;
let sharedSets = new Map<string, FieldSet>();
/** Sets that are in order and known to be sets. */
const known = new WeakSet<FieldSet>();

/** The same set for the same members, in order. */
export function shared(fields: FieldSet): FieldSet {
  if (known.has(fields)) return fields;
  const sorted = sortedSet(fields);
  const text = JSON.stringify(sorted);
  const found = sharedSets.get(text);
  if (found !== undefined) return found;
  if (sharedSets.size >= MAX_SHARED) sharedSets = new Map();
  sharedSets.set(text, sorted);
  known.add(sorted);
  return sorted;
}

export function equalManagers(a: Managers, b: Managers): boolean {
  if (a.size !== b.size) return false;
  for (const [identity, manager] of a) {
    const other = b.get(identity);
    if (other === undefined || other.apiVersion !== manager.apiVersion || !equalSets(manager.fields, other.fields)) return false;
  }
  return true;
}
