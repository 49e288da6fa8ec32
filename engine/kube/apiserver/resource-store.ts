// Models the API server's storage of one resource: objects in etcd, and a watch cache that follows them.
// The cache is fed by etcd's watch alone; on our connection an event comes before the answer to the write that caused it,
// so a finished write is always in the cache. Whether the cache is as new as etcd, etcd's revision tells.

import type { Clock } from '../../sim/clock.ts';
import type { EtcdClient } from '../../etcd/client.ts';
import { prefixEnd, type Compare, type EtcdEvent, type KeyValue, type RangeOptions } from '../../etcd/protocol.ts';
import { gone, tooLargeVersion } from '../machinery/status.ts';
import type { ApiObject, ResourceDefinition } from '../registry/definition.ts';
import { isObjectValue, StoredObject, type Stored } from './stored.ts';

export type { Stored } from './stored.ts';

export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly revision: number;
  /** After the change; for a deletion the last state with the deletion's version. */
  readonly stored: Stored;
  readonly previous: Stored | undefined;
}

export interface StoreWatcher {
  event(event: StoreEvent): void;
  /** The watch cannot go on: what it missed is no longer in etcd. */
  end(): void;
}

/** What a write met when somebody else was faster: the object as it is now, or nothing. */
export class Overtaken {
  readonly current: Stored | undefined;
  constructor(current: Stored | undefined) {
    this.current = current;
  }
}

export interface Page {
  readonly items: readonly Stored[];
  /** Of the whole list at the revision of the page. */
  readonly revision: number;
  /** How many keys the range has, from the start of the page on. */
  readonly count: number;
  readonly hasMore: boolean;
}

/** Events younger than this are kept for watches that start in the past, and never fewer than the least number. */
const FRESH_MS = 75_000;
const LEAST_HISTORY = 100;
const MOST_HISTORY = 102_400;
const FIRST_RETRY_MS = 1000;
/** How long a read waits for the cache to reach a version that a client has seen. */
const WAIT_FOR_VERSION_MS = 3000;
/** Objects with a time to live share a lease with those of the next minute. */
const LEASE_SHARED_MS = 60_000;

export class ResourceStore {
  readonly definition: ResourceDefinition;
  readonly prefix: string;
  readonly #etcd: EtcdClient;
  readonly #clock: Clock;
  readonly #objects = new Map<string, StoredObject>();
  #sorted: StoredObject[] | undefined;
  /** Somebody holds the sorted list: it is copied before it changes. */
  #isShared = false;
  #history: { readonly event: StoreEvent; readonly atMs: number }[] = [];
  /** Watches from before this version have to list again. */
  #oldest = 0;
  #revision = 0;
  readonly #watchers = new Set<StoreWatcher>();
  readonly #waiters = new Set<() => void>();
  /** What we are writing: the event that brings it back needs no parsing. */
  readonly #writing = new Map<string, { readonly value: string; readonly object: ApiObject }>();
  #lease: { readonly id: number; readonly expiresMs: number } | undefined;
  #isReady = false;
  /** The data the cache was filled from; etcd may meanwhile serve other data. */
  #epoch = -1;
  #whenReady: Promise<void>;
  #markReady!: () => void;

  constructor(options: { readonly definition: ResourceDefinition; readonly etcd: EtcdClient; readonly clock: Clock }) {
    this.definition = options.definition;
    this.#etcd = options.etcd;
    this.#clock = options.clock;
    this.prefix = `/registry/${options.definition.storagePrefix}/`;
    this.#whenReady = new Promise((resolve) => (this.#markReady = resolve));
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** How many objects there are. */
  get size(): number {
    return this.#objects.size;
  }

  get whenReady(): Promise<void> {
    return this.#whenReady;
  }

  /** The newest version this store has seen of its own objects. */
  get revision(): number {
    return this.#revision;
  }

  keyOf(namespace: string | undefined, name: string): string {
    return this.definition.isNamespaced ? `${this.prefix}${namespace ?? ''}/${name}` : this.prefix + name;
  }

  /** Where the objects of a namespace lie, or all of them. */
  prefixOf(namespace: string | undefined): string {
    return namespace === undefined || namespace === '' || !this.definition.isNamespaced ? this.prefix : `${this.prefix}${namespace}/`;
  }

  /** From the cache. */
  get(namespace: string | undefined, name: string): Stored | undefined {
    return this.#objects.get(this.keyOf(namespace, name));
  }

  /** From the cache, in order of keys. */
  list(namespace?: string): readonly Stored[] {
    const sorted = (this.#sorted ??= [...this.#objects.values()].sort((a, b) => (a.key < b.key ? -1 : 1)));
    const prefix = this.prefixOf(namespace);
    if (prefix === this.prefix) {
      this.#isShared = true;
      return sorted;
    }
    const from = lowerBound(sorted, prefix);
    return sorted.slice(from, lowerBound(sorted, prefixEnd(prefix)));
  }

  /** What is true now, whoever wrote it last. */
  async read(namespace: string | undefined, name: string): Promise<Stored | undefined> {
    if ((await this.#confirm()) !== undefined) return this.get(namespace, name);
    const { kvs } = await this.#etcd.range(this.keyOf(namespace, name));
    return kvs[0] === undefined ? undefined : this.#storedOf(kvs[0]);
  }

  /** All that is true now, with the revision it is true at. */
  async readAll(namespace?: string): Promise<Page> {
    const revision = await this.#confirm();
    if (revision === undefined) return this.readPage({ start: this.prefixOf(namespace), end: prefixEnd(this.prefixOf(namespace)) });
    const items = this.list(namespace);
    // While the answer was on its way into our hands, newer events may have come in.
    return { items, revision: Math.max(revision, this.#revision), count: items.length, hasMore: false };
  }

  /** A part of the list as it is, or as it was at `revision`. */
  async readPage(page: { readonly start: string } & RangeOptions): Promise<Page> {
    const { start, ...options } = page;
    const { kvs, revision, count, more } = await this.#etcd.range(start, options);
    const items = kvs.filter((kv) => isObjectValue(kv.value)).map((kv) => this.#storedOf(kv));
    return { items, revision: page.revision ?? revision, count, hasMore: more };
  }

  /** Resolves when the cache has reached `revision`; 504 when it does not in time. */
  async waitUntilFresh(revision: number): Promise<void> {
    await this.#whenReady;
    if (this.#revision >= revision) return;
    const giveUp = new AbortController();
    const late = this.#clock.sleep(WAIT_FOR_VERSION_MS, giveUp.signal).then(
      () => true,
      () => true,
    );
    try {
      let isLate = false;
      while (this.#revision < revision) {
        if (isLate) throw tooLargeVersion(revision, this.#revision);
        let wake!: () => void;
        const moved = new Promise<boolean>((resolve) => (wake = () => resolve(false)));
        this.#waiters.add(wake);
        isLate = await Promise.race([moved, late]);
        this.#waiters.delete(wake);
      }
    } finally {
      giveUp.abort(new Error('fresh'));
    }
  }

  /** Overtaken when the key exists already. */
  create(object: ApiObject): Promise<Stored | Overtaken> {
    const key = this.keyOf(object.metadata.namespace, object.metadata.name);
    return this.#write(key, object, { key, exists: false });
  }

  /** Overtaken when somebody else changed it since `current`. */
  update(current: Stored, object: ApiObject): Promise<Stored | Overtaken> {
    return this.#write(current.key, object, { key: current.key, mod: current.revision });
  }

  /** The deleted object with its last version, or Overtaken when somebody else changed it since `current`. */
  async delete(current: Stored): Promise<Stored | Overtaken> {
    const { key } = current;
    const result = await this.#etcd.txn([{ key, mod: current.revision }], [{ op: 'delete', key }], [{ op: 'range', key }], WRITE);
    if (result.succeeded) return atRevision(current, result.revision);
    return this.#overtaken(result.results[0]);
  }

  /**
   * Tells `watcher` of everything after `revision` and returns how to stop. Undefined as revision: of everything from now on.
   * Throws 410 when the history does not reach back that far.
   */
  watch(revision: number | undefined, watcher: StoreWatcher): () => void {
    let added = watcher;
    if (revision !== undefined) {
      if (revision < this.#oldest) throw gone(`too old resource version: ${revision} (${this.#oldest})`);
      for (const { event } of this.#history) if (event.revision > revision) watcher.event(event);
      // A version from the future is waited for.
      if (revision > this.#revision) {
        added = {
          event: (event) => {
            if (event.revision > revision) watcher.event(event);
          },
          end: () => watcher.end(),
        };
      }
    }
    this.#watchers.add(added);
    return () => this.#watchers.delete(added);
  }

  /** Follows etcd until `signal` aborts. */
  async run(signal: AbortSignal, options: { readonly onFailure: (error: Error) => void }): Promise<void> {
    while (!signal.aborted) {
      let closed!: () => void;
      const untilClosed = new Promise<void>((resolve) => (closed = resolve));
      let stop = (): void => undefined;
      try {
        const end = prefixEnd(this.prefix);
        const list = await this.#etcd.range(this.prefix, { end });
        this.#replace(list.kvs, list.revision);
        stop = await this.#etcd.watch(
          this.prefix,
          { end, revision: list.revision },
          { events: (events, revision) => this.#apply(events, revision), closed },
        );
        this.#isReady = true;
        this.#markReady();
        signal.addEventListener('abort', closed, { once: true });
        await untilClosed;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Error)) throw error;
        options.onFailure(error);
      } finally {
        signal.removeEventListener('abort', closed);
        stop();
      }
      if (this.#isReady) {
        this.#isReady = false;
        this.#whenReady = new Promise((resolve) => (this.#markReady = resolve));
      }
      for (const watcher of [...this.#watchers]) watcher.end();
      this.#watchers.clear();
      if (signal.aborted) return;
      try {
        await this.#clock.sleep(FIRST_RETRY_MS, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** etcd's revision when the cache shows what etcd has at it; undefined when the cache cannot be trusted. */
  async #confirm(): Promise<number | undefined> {
    const revision = await this.#etcd.revision();
    return this.#isReady && this.#epoch === this.#etcd.epoch ? revision : undefined;
  }

  async #write(key: string, object: ApiObject, when: Compare): Promise<Stored | Overtaken> {
    const kept = this.definition.toEtcd?.(object) ?? object;
    const value = JSON.stringify('resourceVersion' in kept.metadata ? withoutVersion(kept) : kept);
    const { ttlSeconds } = this.definition;
    const lease = ttlSeconds === undefined ? 0 : await this.#leaseFor(ttlSeconds);
    this.#writing.set(key, { value, object: kept });
    try {
      const put = { op: 'put', key, value, ...(lease === 0 ? {} : { lease }) } as const;
      const result = await this.#etcd.txn([when], [put], [{ op: 'range', key }], WRITE);
      if (!result.succeeded) return this.#overtaken(result.results[0]);
      const stored = this.#objects.get(key);
      if (stored?.revision === result.revision) return stored;
      return new StoredObject({ key, value, mod: result.revision }, kept, this.definition.fromEtcd);
    } finally {
      this.#writing.delete(key);
    }
  }

  #overtaken(result: unknown): Overtaken {
    const kv = (result as { readonly kvs: readonly KeyValue[] }).kvs[0];
    return new Overtaken(kv === undefined ? undefined : this.#storedOf(kv));
  }

  async #leaseFor(ttlSeconds: number): Promise<number> {
    const now = this.#clock.now();
    const neededMs = now + ttlSeconds * 1000;
    if (this.#lease === undefined || this.#lease.expiresMs < neededMs || this.#lease.expiresMs > neededMs + LEASE_SHARED_MS) {
      const id = await this.#etcd.grant(ttlSeconds + LEASE_SHARED_MS / 1000, WRITE);
      this.#lease = { id, expiresMs: neededMs + LEASE_SHARED_MS };
    }
    return this.#lease.id;
  }

  /** The cached object when it is the same version: it is parsed already. */
  #storedOf(kv: KeyValue): StoredObject {
    const cached = this.#objects.get(kv.key);
    return cached?.revision === kv.mod && cached.value === kv.value ? cached : new StoredObject(kv, undefined, this.definition.fromEtcd);
  }

  #apply(events: readonly EtcdEvent[], revision: number): void {
    for (const event of events) {
      const key = event.type === 'put' ? event.kv.key : event.key;
      const previous = this.#objects.get(key);
      if (event.type === 'put') {
        const writing = this.#writing.get(key);
        const known = writing?.value === event.kv.value ? writing.object : undefined;
        // What somebody put there by hand and is no object is nobody's.
        if (known === undefined && !isObjectValue(event.kv.value)) continue;
        const stored = new StoredObject(event.kv, known, this.definition.fromEtcd);
        this.#objects.set(key, stored);
        this.#place(key, stored, previous !== undefined);
        this.#tell({ type: 'put', revision, stored, previous });
      } else if (previous !== undefined) {
        this.#objects.delete(key);
        this.#place(key, undefined, true);
        this.#tell({ type: 'delete', revision, stored: previous.at(revision), previous });
      }
    }
    this.#revision = revision;
    for (const wake of this.#waiters) wake();
  }

  #place(key: string, stored: StoredObject | undefined, isThere: boolean): void {
    if (this.#sorted === undefined) return;
    if (this.#isShared) this.#sorted = this.#sorted.slice();
    this.#isShared = false;
    this.#sorted.splice(lowerBound(this.#sorted, key), isThere ? 1 : 0, ...(stored === undefined ? [] : [stored]));
  }

  #tell(event: StoreEvent): void {
    const atMs = this.#clock.now();
    this.#history.push({ event, atMs });
    this.#trim(atMs);
    for (const watcher of this.#watchers) watcher.event(event);
  }

  /** In steps, as moving the rest of the history costs something. */
  #trim(nowMs: number): void {
    const history = this.#history;
    const excess = history.length - LEAST_HISTORY;
    if (excess < LEAST_HISTORY || excess < history.length / 4) return;
    let drop = 0;
    while (drop < excess && (history[drop]!.atMs < nowMs - FRESH_MS || history.length - drop > MOST_HISTORY)) drop++;
    if (drop < LEAST_HISTORY) return;
    this.#history = history.slice(drop);
    this.#oldest = this.#history[0]!.event.revision - 1;
  }

  #replace(kvs: readonly KeyValue[], revision: number): void {
    this.#objects.clear();
    for (const kv of kvs) if (isObjectValue(kv.value)) this.#objects.set(kv.key, new StoredObject(kv, undefined, this.definition.fromEtcd));
    this.#sorted = undefined;
    this.#isShared = false;
    this.#history = [];
    this.#oldest = revision;
    this.#revision = revision;
    this.#epoch = this.#etcd.epoch;
    for (const wake of this.#waiters) wake();
  }
}

function withoutVersion(object: ApiObject): object {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** How long a write may take, as the handlers of writes have it. */
const WRITE = { timeoutMs: 34_000 };

function atRevision(stored: Stored, revision: number): Stored {
  if (stored instanceof StoredObject) return stored.at(revision);
  return stored;
}

function lowerBound(sorted: readonly StoredObject[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
