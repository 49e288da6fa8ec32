// Models etcd's multi-version store. The newest version of every key is durable; history before a restart counts as
// compacted, so a watcher that was away lists again, as it does after a compaction.

import {
  COMPACTED,
  FUTURE_REVISION,
  LEASE_NOT_FOUND,
  type EtcdEvent,
  type KeyValue,
  type Op,
  type Compare,
  type RangeAnswer,
  type RangeResult,
  type TxnResult,
} from './protocol.ts';

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

export class EtcdError extends Error {
  override readonly name = 'EtcdError';
}

interface Lease {
  readonly id: number;
  readonly ttlSeconds: number;
  readonly expiresMs: number;
  readonly keys: Set<string>;
}

export type CommitListener = (events: readonly EtcdEvent[], revision: number) => void;

export class MultiVersionStore {
  readonly #database: Database;
  readonly #current = new Map<string, KeyValue>();
  readonly #leases = new Map<number, Lease>();
  readonly #history: { readonly revision: number; readonly events: readonly EtcdEvent[] }[] = [];
  readonly #listeners = new Set<CommitListener>();
  /** Keys in order; undefined after a key came or went. */
  #sorted: string[] | undefined;
  #revision = 1;
  #compacted = 0;
  #sizeBytes = 0;
  #nextLease: number;

  constructor(database: Database) {
    this.#database = database;
    for (const [key, value] of database.entries(KEY)) {
      const kv = JSON.parse(value) as Omit<KeyValue, 'key'>;
      const name = key.slice(KEY.length);
      this.#current.set(name, { key: name, ...kv });
      this.#revision = Math.max(this.#revision, kv.mod);
      this.#sizeBytes += name.length + kv.value.length;
    }
    this.#revision = Math.max(this.#revision, Number(database.get(META) ?? '1'));
    this.#compacted = this.#revision;
    this.#nextLease = 7587850000000000 + this.#revision;
    for (const [key, value] of database.entries(LEASE)) {
      const { ttlSeconds, expiresMs } = JSON.parse(value) as { ttlSeconds: number; expiresMs: number };
      const id = Number(key.slice(LEASE.length));
      this.#leases.set(id, { id, ttlSeconds, expiresMs, keys: new Set() });
      this.#nextLease = Math.max(this.#nextLease, id + 1);
    }
    for (const kv of this.#current.values()) this.#leases.get(kv.lease)?.keys.add(kv.key);
  }

  get revision(): number {
    return this.#revision;
  }

  get compacted(): number {
    return this.#compacted;
  }

  /** What the file would take on disk: never less than bolt's first pages. */
  get sizeBytes(): number {
    return Math.max(20480, Math.ceil((this.#sizeBytes * 1.6) / 4096) * 4096);
  }

  get keyCount(): number {
    return this.#current.size;
  }

  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  range(
    key: string,
    options: {
      readonly end?: string | undefined;
      readonly revision?: number | undefined;
      readonly limit?: number | undefined;
      readonly keysOnly?: boolean | undefined;
    } = {},
  ): RangeResult {
    const { revision } = options;
    if (revision !== undefined && revision > 0 && revision !== this.#revision) {
      if (revision > this.#revision) throw new EtcdError(FUTURE_REVISION);
      if (revision < this.#compacted) throw new EtcdError(COMPACTED);
      return { ...this.#rangeAt(key, options.end, revision, options.limit), revision: this.#revision };
    }
    return { ...this.#range(key, options), revision: this.#revision };
  }

  commit(when: readonly Compare[], then: readonly Op[], otherwise: readonly Op[]): TxnResult {
    const succeeded = when.every((compare) => {
      const kv = this.#current.get(compare.key);
      return 'exists' in compare ? (kv !== undefined) === compare.exists : (kv?.mod ?? 0) === compare.mod;
    });
    const revision = this.#revision + 1;
    const events: EtcdEvent[] = [];
    const results = (succeeded ? then : otherwise).map((op) => {
      switch (op.op) {
        case 'range':
          return this.#range(op.key, op);
        case 'put':
          this.#put(op, revision, events);
          return null;
        case 'delete':
          return { deleted: this.#delete(op.key, op.end, revision, events) };
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

  compact(revision: number): void {
    if (revision > this.#revision) throw new EtcdError(FUTURE_REVISION);
    if (revision <= this.#compacted) throw new EtcdError(COMPACTED);
    this.#compacted = revision;
    const keep = this.#history.findIndex((entry) => entry.revision > revision);
    this.#history.splice(0, keep < 0 ? this.#history.length : keep);
  }

  grant(ttlSeconds: number, nowMs: number): number {
    const id = this.#nextLease++;
    const lease = { id, ttlSeconds, expiresMs: nowMs + ttlSeconds * 1000, keys: new Set<string>() };
    this.#leases.set(id, lease);
    this.#database.put(LEASE + id, JSON.stringify({ ttlSeconds, expiresMs: lease.expiresMs }));
    return id;
  }

  revoke(id: number): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw new EtcdError(LEASE_NOT_FOUND);
    this.#leases.delete(id);
    this.#database.delete(LEASE + id);
    const revision = this.#revision + 1;
    const events: EtcdEvent[] = [];
    for (const key of lease.keys) this.#delete(key, undefined, revision, events);
    if (events.length > 0) this.#publish(revision, events);
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

  #publish(revision: number, events: readonly EtcdEvent[]): void {
    this.#revision = revision;
    this.#history.push({ revision, events });
    for (const listener of this.#listeners) listener(events, revision);
  }

  #put(op: { readonly key: string; readonly value: string; readonly lease?: number }, revision: number, events: EtcdEvent[]): void {
    const { key, value, lease = 0 } = op;
    if (lease !== 0 && !this.#leases.has(lease)) throw new EtcdError(LEASE_NOT_FOUND);
    const old = this.#current.get(key);
    const kv: KeyValue = { key, value, create: old?.create ?? revision, mod: revision, version: (old?.version ?? 0) + 1, lease };
    if (old === undefined) this.#sorted = undefined;
    else this.#leases.get(old.lease)?.keys.delete(key);
    this.#leases.get(lease)?.keys.add(key);
    this.#sizeBytes += key.length + value.length - (old === undefined ? 0 : key.length + old.value.length);
    this.#current.set(key, kv);
    this.#database.put(KEY + key, JSON.stringify({ value, create: kv.create, mod: kv.mod, version: kv.version, lease }));
    events.push({ type: 'put', kv });
  }

  #delete(key: string, end: string | undefined, revision: number, events: EtcdEvent[]): number {
    const keys = this.#keys(key, end);
    for (const each of keys) {
      const previous = this.#current.get(each)!;
      this.#current.delete(each);
      this.#leases.get(previous.lease)?.keys.delete(each);
      this.#sizeBytes -= each.length + previous.value.length;
      this.#database.delete(KEY + each);
      events.push({ type: 'delete', key: each, mod: revision, previous });
    }
    if (keys.length > 0) {
      this.#sorted = undefined;
      this.#database.put(META, String(revision));
    }
    return keys.length;
  }

  #range(
    key: string,
    options: { readonly end?: string | undefined; readonly limit?: number | undefined; readonly keysOnly?: boolean | undefined },
  ): RangeAnswer {
    const keys = this.#keys(key, options.end);
    const limit = options.limit ?? 0;
    const shown = limit > 0 ? keys.slice(0, limit) : keys;
    const kvs = shown.map((each) => {
      const kv = this.#current.get(each)!;
      return options.keysOnly === true ? { ...kv, value: '' } : kv;
    });
    return { kvs, count: keys.length, more: shown.length < keys.length };
  }

  /** The past: the present with the events after it undone. */
  #rangeAt(key: string, end: string | undefined, revision: number, limit = 0): RangeAnswer {
    const past = new Map<string, KeyValue | undefined>();
    for (let at = this.#history.length - 1; at >= 0 && this.#history[at]!.revision > revision; at--) {
      for (const event of this.#history[at]!.events) {
        const changed = event.type === 'put' ? event.kv.key : event.key;
        past.set(changed, this.#before(changed, this.#history[at]!.revision));
      }
    }
    const inRange = (each: string): boolean => (end === undefined ? each === key : each >= key && each < end);
    const kvs = new Map(this.#keys(key, end).map((each) => [each, this.#current.get(each)] as const));
    for (const [each, kv] of past) if (inRange(each)) kvs.set(each, kv);
    const all = [...kvs.values()].filter((kv) => kv !== undefined).sort((a, b) => (a.key < b.key ? -1 : 1));
    const shown = limit > 0 ? all.slice(0, limit) : all;
    return { kvs: shown, count: all.length, more: shown.length < all.length };
  }

  #before(key: string, revision: number): KeyValue | undefined {
    for (let at = this.#history.length - 1; at >= 0; at--) {
      const entry = this.#history[at]!;
      if (entry.revision > revision) continue;
      for (const event of entry.events) {
        if (entry.revision === revision && event.type === 'delete' && event.key === key) return event.previous;
        if (entry.revision < revision && event.type === 'put' && event.kv.key === key) return event.kv;
        if (entry.revision < revision && event.type === 'delete' && event.key === key) return undefined;
      }
    }
    return undefined;
  }

  #keys(key: string, end: string | undefined): readonly string[] {
    if (end === undefined) return this.#current.has(key) ? [key] : [];
    this.#sorted ??= [...this.#current.keys()].sort();
    const sorted = this.#sorted;
    const from = lowerBound(sorted, key);
    return sorted.slice(from, lowerBound(sorted, end, from));
  }
}

function lowerBound(sorted: readonly string[], key: string, from = 0): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
