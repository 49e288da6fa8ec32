// Models etcd's multi-version store. The newest version of every key is durable; history before a restart counts as
// compacted, so a watcher that missed something before it lists again, as it does after a compaction.

import {
  COMPACTED,
  DUPLICATE_KEY,
  EMPTY_KEY,
  FUTURE_REVISION,
  LEASE_NOT_FOUND,
  NO_SPACE,
  TOO_MANY_OPERATIONS,
  type Compare,
  type EtcdEvent,
  type KeyValue,
  type LeaseResult,
  type Op,
  type OpResult,
  type RangeAnswer,
  type RangeOptions,
  type RangeResult,
  type SnapshotResult,
  type TxnResult,
} from './protocol.ts';
import { SortedKeys } from './sorted-keys.ts';

/** What the store needs of the kernel's keyed database files. */
export interface Database {
  get(key: string): string | undefined;
  put(key: string, value: string): void;
  delete(key: string): void;
  entries(prefix?: string): readonly (readonly [string, string])[];
}

const KEY = 'key/';
const LEASE = 'lease/';
const META = 'meta/revision';
const IDENTITY = 'meta/identity';
/** etcd's --quota-backend-bytes when it is not given. */
const DEFAULT_QUOTA_BYTES = 2 * 1024 * 1024 * 1024;
/** etcd's --max-txn-ops when it is not given. */
const MAX_OPERATIONS = 128;
/** What bolt and the revision take beside a key and its value. */
const OVERHEAD_BYTES = 64;
const PAGE_BYTES = 4096;
/** bolt's first pages. */
const LEAST_BYTES = 20480;

export class EtcdError extends Error {
  override readonly name = 'EtcdError';
}

interface Lease {
  readonly id: number;
  readonly ttlSeconds: number;
  expiresMs: number;
  readonly keys: Set<string>;
}

interface Tombstone {
  readonly mod: number;
  readonly isDeleted: true;
}

/** A key with its versions that no compaction has taken. */
interface Entry {
  readonly key: string;
  current: KeyValue | undefined;
  /** Older ones, oldest first. */
  past: (KeyValue | Tombstone)[] | undefined;
}

export type CommitListener = (events: readonly EtcdEvent[], revision: number) => void;

export class MultiVersionStore {
  /** Which data this is; a restored snapshot gets a new one. */
  readonly identity: string;
  readonly #database: Database;
  readonly #quotaBytes: number;
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new SortedKeys();
  /** Those with a past: all that a compaction has to look at. */
  readonly #withPast = new Set<Entry>();
  readonly #leases = new Map<number, Lease>();
  #history: { readonly revision: number; readonly events: readonly EtcdEvent[] }[] = [];
  readonly #listeners = new Set<CommitListener>();
  readonly #compactions = new Set<(revision: number) => void>();
  #revision = 1;
  #compacted = 0;
  #live = 0;
  #sizeBytes = 0;
  /** A file that has grown stays so large until it is defragmented. */
  #fileBytes = LEAST_BYTES;
  #hasNoSpace = false;
  #nextLease: number;

  constructor(database: Database, options: { readonly identity?: () => string; readonly quotaBytes?: number } = {}) {
    this.#database = database;
    this.#quotaBytes = options.quotaBytes === undefined || options.quotaBytes <= 0 ? DEFAULT_QUOTA_BYTES : options.quotaBytes;
    for (const [key, value] of database.entries(KEY)) {
      const kv = parseRecord(key.slice(KEY.length), value);
      this.#entries.set(kv.key, { key: kv.key, current: kv, past: undefined });
      this.#keys.add(kv.key);
      this.#live++;
      this.#revision = Math.max(this.#revision, kv.mod);
      this.#sizeBytes += bytesOf(kv);
    }
    this.#revision = Math.max(this.#revision, Number(database.get(META) ?? '1'));
    // What a new file has not seen cannot have been compacted.
    this.#compacted = this.#revision === 1 ? 0 : this.#revision;
    this.#fileBytes = this.#neededBytes();
    this.#nextLease = 0x10_0000 + this.#revision * 16;
    for (const [key, value] of database.entries(LEASE)) {
      const { ttlSeconds, expiresMs } = JSON.parse(value) as { ttlSeconds: number; expiresMs: number };
      const id = Number(key.slice(LEASE.length));
      this.#leases.set(id, { id, ttlSeconds, expiresMs, keys: new Set() });
      this.#nextLease = Math.max(this.#nextLease, id + 1);
    }
    for (const { current } of this.#entries.values()) if (current !== undefined) this.#leases.get(current.lease)?.keys.add(current.key);
    const known = database.get(IDENTITY);
    this.identity = known ?? options.identity?.() ?? 'data';
    if (known === undefined) database.put(IDENTITY, this.identity);
  }

  get revision(): number {
    return this.#revision;
  }

  get compacted(): number {
    return this.#compacted;
  }

  /** What the file takes on disk. */
  get sizeBytes(): number {
    return this.#fileBytes;
  }

  /** What of it is used. */
  get usedBytes(): number {
    return this.#neededBytes();
  }

  get keyCount(): number {
    return this.#live;
  }

  /** Writes are refused: the file has reached its quota. */
  get hasNoSpace(): boolean {
    return this.#hasNoSpace;
  }

  disarm(): void {
    this.#hasNoSpace = false;
  }

  onCompaction(listener: (revision: number) => void): () => void {
    this.#compactions.add(listener);
    return () => this.#compactions.delete(listener);
  }

  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  range(key: string, options: RangeOptions = {}): RangeResult {
    const revision = options.revision ?? 0;
    if (revision > this.#revision) throw new EtcdError(FUTURE_REVISION);
    if (revision > 0 && revision < this.#compacted) throw new EtcdError(COMPACTED);
    return { ...this.#range(key, options), revision: this.#revision };
  }

  commit(when: readonly Compare[], then: readonly Op[], otherwise: readonly Op[]): TxnResult {
    checkOps(then);
    checkOps(otherwise);
    const succeeded = when.every((compare) => this.#holds(compare));
    const ops = succeeded ? then : otherwise;
    for (const op of ops) if (op.op === 'put') this.#checkPut(op);
    const revision = this.#revision + 1;
    const events: EtcdEvent[] = [];
    const results = ops.map((op): OpResult => {
      switch (op.op) {
        case 'range':
          return this.#range(op.key, op);
        case 'put': {
          const replaced = this.#put(op, revision, events);
          return op.previous === true ? { replaced } : null;
        }
        case 'delete': {
          const previous = this.#delete(op.key, op.end, revision, events);
          return { deleted: previous.length, ...(op.previous === true ? { previous } : {}) };
        }
      }
    });
    if (events.length > 0) this.#publish(revision, events);
    return { succeeded, revision: this.#revision, results };
  }

  /** Events after `revision`, oldest first, for a watch that starts in the past. */
  eventsSince(revision: number): readonly { readonly revision: number; readonly events: readonly EtcdEvent[] }[] {
    if (revision < this.#compacted) throw new EtcdError(COMPACTED);
    let from = this.#history.length;
    while (from > 0 && this.#history[from - 1]!.revision > revision) from--;
    return this.#history.slice(from);
  }

  /** Forgets what was replaced or deleted up to `revision`. */
  compact(revision: number): void {
    if (revision > this.#revision) throw new EtcdError(FUTURE_REVISION);
    if (revision <= this.#compacted) throw new EtcdError(COMPACTED);
    this.#compacted = revision;
    const keep = this.#history.findIndex((entry) => entry.revision > revision);
    this.#history = keep < 0 ? [] : this.#history.slice(keep);
    for (const entry of this.#withPast) this.#forget(entry, revision);
    for (const listener of this.#compactions) listener(revision);
  }

  defragment(): void {
    this.#fileBytes = this.#neededBytes();
  }

  grant(ttlSeconds: number, nowMs: number): number {
    const id = this.#nextLease++;
    const lease = { id, ttlSeconds, expiresMs: nowMs + ttlSeconds * 1000, keys: new Set<string>() };
    this.#leases.set(id, lease);
    this.#database.put(LEASE + id, JSON.stringify({ ttlSeconds, expiresMs: lease.expiresMs }));
    return id;
  }

  revoke(id: number): void {
    const lease = this.#lease(id);
    this.#leases.delete(id);
    this.#database.delete(LEASE + id);
    const revision = this.#revision + 1;
    const events: EtcdEvent[] = [];
    for (const key of lease.keys) this.#delete(key, undefined, revision, events);
    if (events.length > 0) this.#publish(revision, events);
  }

  /** Starts a lease's time again; returns its seconds. */
  keepAlive(id: number, nowMs: number): number {
    const lease = this.#lease(id);
    lease.expiresMs = nowMs + lease.ttlSeconds * 1000;
    this.#database.put(LEASE + id, JSON.stringify({ ttlSeconds: lease.ttlSeconds, expiresMs: lease.expiresMs }));
    return lease.ttlSeconds;
  }

  timeToLive(id: number, nowMs: number): LeaseResult {
    const { ttlSeconds, expiresMs, keys } = this.#lease(id);
    return { ttlSeconds: Math.floor((expiresMs - nowMs) / 1000), grantedSeconds: ttlSeconds, keys: [...keys].sort() };
  }

  leases(): readonly number[] {
    return [...this.#leases.keys()];
  }

  /** When the next lease runs out. */
  get nextExpiryMs(): number | undefined {
    let next: number | undefined;
    for (const lease of this.#leases.values()) if (next === undefined || lease.expiresMs < next) next = lease.expiresMs;
    return next;
  }

  expire(nowMs: number): void {
    for (const lease of [...this.#leases.values()]) if (lease.expiresMs <= nowMs) this.revoke(lease.id);
  }

  /** A number over all keys and values at a revision, equal for equal contents. */
  hash(revision: number): number {
    let hash = 0x811c9dc5;
    const mix = (part: string): void => {
      for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
    };
    for (const kv of this.range('', { end: '\u{10ffff}', revision }).kvs) mix(`${kv.key}\0${kv.mod}\0${kv.value}\0`);
    return hash >>> 0;
  }

  snapshot(): SnapshotResult {
    return { revision: this.#revision, kvs: this.#range('', { end: '\u{10ffff}' }).kvs, sizeBytes: this.#fileBytes };
  }

  #lease(id: number): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw new EtcdError(LEASE_NOT_FOUND);
    return lease;
  }

  #holds(compare: Compare): boolean {
    const kv = this.#entries.get(compare.key)?.current;
    if ('exists' in compare) return (kv !== undefined) === compare.exists;
    if ('mod' in compare) return (kv?.mod ?? 0) === compare.mod;
    const { target, is, than } = compare;
    // A key that is not there has no value to compare; its numbers are 0.
    if (target === 'value' && kv === undefined) return false;
    const actual = target === 'value' ? kv!.value : (kv?.[target] ?? 0);
    switch (is) {
      case '=':
        return actual === than;
      case '!=':
        return actual !== than;
      case '<':
        return actual < than;
      case '>':
        return actual > than;
    }
  }

  #checkPut(op: { readonly key: string; readonly value: string; readonly lease?: number }): void {
    const { key, value, lease = 0 } = op;
    if (key === '') throw new EtcdError(EMPTY_KEY);
    if (lease !== 0) this.#lease(lease);
    if (this.#fileBytes + key.length + value.length > this.#quotaBytes) this.#hasNoSpace = true;
    if (this.#hasNoSpace) throw new EtcdError(NO_SPACE);
  }

  #publish(revision: number, events: readonly EtcdEvent[]): void {
    this.#revision = revision;
    this.#fileBytes = Math.max(this.#fileBytes, this.#neededBytes());
    this.#history.push({ revision, events });
    for (const listener of this.#listeners) listener(events, revision);
  }

  #put(
    op: { readonly key: string; readonly value: string; readonly lease?: number },
    revision: number,
    events: EtcdEvent[],
  ): KeyValue | undefined {
    const { key, value, lease = 0 } = op;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { key, current: undefined, past: undefined };
      this.#entries.set(key, entry);
      this.#keys.add(key);
    }
    const old = entry.current;
    const create = old?.create ?? revision;
    const version = (old?.version ?? 0) + 1;
    const kv: KeyValue = { key, value, create, mod: revision, version, lease };
    if (old === undefined) this.#live++;
    else {
      if (old.lease !== 0) this.#leases.get(old.lease)?.keys.delete(key);
      this.#bury(entry, old);
    }
    if (lease !== 0) this.#leases.get(lease)?.keys.add(key);
    this.#sizeBytes += bytesOf(kv);
    entry.current = kv;
    this.#database.put(KEY + key, `${create} ${revision} ${version} ${lease}\n${value}`);
    events.push({ type: 'put', kv, previous: old });
    return old;
  }

  #delete(key: string, end: string | undefined, revision: number, events: EtcdEvent[]): readonly KeyValue[] {
    const deleted: KeyValue[] = [];
    for (const each of this.#keysIn(key, end)) {
      const entry = this.#entries.get(each)!;
      const previous = entry.current;
      if (previous === undefined) continue;
      entry.current = undefined;
      this.#live--;
      if (previous.lease !== 0) this.#leases.get(previous.lease)?.keys.delete(each);
      this.#bury(entry, previous);
      this.#bury(entry, { mod: revision, isDeleted: true });
      this.#sizeBytes += each.length + OVERHEAD_BYTES;
      this.#database.delete(KEY + each);
      events.push({ type: 'delete', key: each, mod: revision, previous });
      deleted.push(previous);
    }
    // Versions of keys tell the revision by themselves; a deletion leaves no key that could.
    if (deleted.length > 0) this.#database.put(META, String(revision));
    return deleted;
  }

  #bury(entry: Entry, version: KeyValue | Tombstone): void {
    if (entry.past === undefined) {
      entry.past = [version];
      this.#withPast.add(entry);
    } else entry.past.push(version);
  }

  /** What a compaction leaves of a key: the version that held at `revision`, and everything newer. */
  #forget(entry: Entry, revision: number): void {
    const past = entry.past!;
    let keep = past.length;
    if (entry.current === undefined || entry.current.mod > revision) {
      while (keep > 0 && past[keep - 1]!.mod > revision) keep--;
      if (keep > 0 && !('isDeleted' in past[keep - 1]!)) keep--;
    }
    for (const version of past.splice(0, keep)) {
      this.#sizeBytes -= 'isDeleted' in version ? entry.key.length + OVERHEAD_BYTES : bytesOf(version);
    }
    if (past.length > 0) return;
    entry.past = undefined;
    this.#withPast.delete(entry);
    if (entry.current !== undefined) return;
    this.#entries.delete(entry.key);
    this.#keys.delete(entry.key);
  }

  #range(key: string, { end, revision = 0, limit = 0, keysOnly, countOnly }: RangeOptions): RangeAnswer {
    const at = revision > 0 && revision < this.#revision ? revision : undefined;
    const kvs: KeyValue[] = [];
    let count = 0;
    for (const each of this.#keysIn(key, end)) {
      const entry = this.#entries.get(each)!;
      const kv = at === undefined ? entry.current : versionAt(entry, at);
      if (kv === undefined) continue;
      count++;
      if (countOnly === true || (limit > 0 && kvs.length >= limit)) continue;
      kvs.push(keysOnly === true ? { ...kv, value: '' } : kv);
    }
    return { kvs, count, more: countOnly !== true && kvs.length < count };
  }

  #keysIn(key: string, end: string | undefined): readonly string[] {
    if (end === undefined) return this.#entries.has(key) ? [key] : [];
    return this.#keys.between(key, end);
  }

  #neededBytes(): number {
    return Math.max(LEAST_BYTES, Math.ceil((this.#sizeBytes * 1.25) / PAGE_BYTES) * PAGE_BYTES);
  }
}

function versionAt({ current, past }: Entry, revision: number): KeyValue | undefined {
  if (current !== undefined && current.mod <= revision) return current;
  if (past === undefined) return undefined;
  for (let at = past.length - 1; at >= 0; at--) {
    const version = past[at]!;
    if (version.mod <= revision) return 'isDeleted' in version ? undefined : version;
  }
  return undefined;
}

function bytesOf(kv: KeyValue): number {
  return kv.key.length + kv.value.length + OVERHEAD_BYTES;
}

function checkOps(ops: readonly Op[]): void {
  if (ops.length > MAX_OPERATIONS) throw new EtcdError(TOO_MANY_OPERATIONS);
  if (ops.length < 2) return;
  const puts = new Set<string>();
  for (const op of ops) {
    if (op.op !== 'put') continue;
    if (puts.has(op.key)) throw new EtcdError(DUPLICATE_KEY);
    puts.add(op.key);
  }
}

/** A line of numbers and the value; what the first versions of this program wrote was JSON. */
function parseRecord(key: string, record: string): KeyValue {
  if (record.startsWith('{')) return { key, ...(JSON.parse(record) as Omit<KeyValue, 'key'>) };
  const end = record.indexOf('\n');
  const [create = 0, mod = 0, version = 0, lease = 0] = record.slice(0, end).split(' ').map(Number);
  return { key, value: record.slice(end + 1), create, mod, version, lease };
}

/** Fills an empty database with a snapshot, as `etcdctl snapshot restore` does. */
export function restoreSnapshot(database: Database, { kvs, revision }: SnapshotResult, identity: string): void {
  for (const { key, value, create, mod, version } of kvs) database.put(KEY + key, `${create} ${mod} ${version} 0\n${value}`);
  database.put(META, String(revision));
  database.put(IDENTITY, identity);
}
