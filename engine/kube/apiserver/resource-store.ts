// Models the API server's storage of one resource: objects in etcd, and a watch cache that follows them.
// The cache is fed by etcd's watch alone; on our connection an event comes before the answer to the write that caused it,
// so a finished write is always in the cache.

import type { Clock } from '../../sim/clock.ts';
import type { EtcdClient } from '../../etcd/client.ts';
import { prefixEnd, type EtcdEvent, type KeyValue } from '../../etcd/protocol.ts';
import { gone } from '../machinery/status.ts';
import type { ApiObject, ResourceDefinition } from '../registry/definition.ts';

export interface Stored {
  readonly key: string;
  readonly revision: number;
  /** Never changed in place. */
  readonly object: ApiObject;
  /** The object in JSON, made once. */
  readonly json: string;
}

export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly revision: number;
  /** After the change; for a deletion the last state with the deletion's version. */
  readonly stored: Stored;
  readonly previous: Stored | undefined;
}

export interface StoreWatcher {
  event(event: StoreEvent): void;
  /** The watch cannot go on: etcd is gone. */
  end(): void;
}

/** Events kept for watches that start in the past. */
const HISTORY = 200;
const FIRST_RETRY_MS = 1000;

export class ResourceStore {
  readonly definition: ResourceDefinition;
  readonly #etcd: EtcdClient;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #objects = new Map<string, Stored>();
  #sorted: Stored[] | undefined;
  #history: StoreEvent[] = [];
  /** Watches from before this version have to list again. */
  #oldest = 0;
  #revision = 0;
  readonly #watchers = new Set<StoreWatcher>();
  /** What we are writing: the event that brings it back needs no parsing. */
  readonly #writing = new Map<string, { readonly value: string; readonly object: ApiObject }>();
  #isReady = false;
  #whenReady: Promise<void>;
  #markReady!: () => void;

  constructor(options: { readonly definition: ResourceDefinition; readonly etcd: EtcdClient; readonly clock: Clock }) {
    this.definition = options.definition;
    this.#etcd = options.etcd;
    this.#clock = options.clock;
    this.#prefix = `/registry/${options.definition.storagePrefix}/`;
    this.#whenReady = new Promise((resolve) => (this.#markReady = resolve));
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get whenReady(): Promise<void> {
    return this.#whenReady;
  }

  /** The newest version this store has seen of its own objects. */
  get revision(): number {
    return this.#revision;
  }

  keyOf(namespace: string | undefined, name: string): string {
    return this.definition.isNamespaced ? `${this.#prefix}${namespace ?? ''}/${name}` : this.#prefix + name;
  }

  get(namespace: string | undefined, name: string): Stored | undefined {
    return this.#objects.get(this.keyOf(namespace, name));
  }

  /** In order of keys. */
  list(namespace?: string): readonly Stored[] {
    this.#sorted ??= [...this.#objects.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    if (namespace === undefined || !this.definition.isNamespaced) return this.#sorted;
    const prefix = `${this.#prefix}${namespace}/`;
    return this.#sorted.filter((stored) => stored.key.startsWith(prefix));
  }

  /** Undefined when the key exists already. */
  async create(object: ApiObject): Promise<Stored | undefined> {
    const key = this.keyOf(object.metadata.namespace, object.metadata.name);
    const lease = this.definition.ttlSeconds === undefined ? 0 : await this.#etcd.grant(this.definition.ttlSeconds);
    return await this.#write(key, object, { key, exists: false }, lease);
  }

  /** Undefined when somebody else changed it since `current`. */
  update(current: Stored, object: ApiObject): Promise<Stored | undefined> {
    return this.#write(current.key, object, { key: current.key, mod: current.revision }, 0);
  }

  /** The deleted object with its last version, or undefined when somebody else changed it since `current`. */
  async delete(current: Stored): Promise<Stored | undefined> {
    const { key } = current;
    const result = await this.#etcd.txn([{ key, mod: current.revision }], [{ op: 'delete', key }]);
    return result.succeeded ? withRevision(current, result.revision) : undefined;
  }

  /**
   * Tells `watcher` of everything after `revision` and returns how to stop. Undefined as revision: of everything from now on.
   * Throws 410 when the history does not reach back that far.
   */
  watch(revision: number | undefined, watcher: StoreWatcher): () => void {
    if (revision !== undefined) {
      if (revision < this.#oldest) throw gone(`too old resource version: ${revision} (${this.#oldest})`);
      for (const event of this.#history) if (event.revision > revision) watcher.event(event);
    }
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Follows etcd until `signal` aborts. */
  async run(signal: AbortSignal, options: { readonly onFailure: (error: Error) => void }): Promise<void> {
    while (!signal.aborted) {
      let closed!: () => void;
      const untilClosed = new Promise<void>((resolve) => (closed = resolve));
      try {
        const end = prefixEnd(this.#prefix);
        const list = await this.#etcd.range(this.#prefix, { end });
        this.#replace(list.kvs, list.revision);
        await this.#etcd.watch(
          this.#prefix,
          { end, revision: list.revision },
          { events: (events, revision) => this.#apply(events, revision), closed },
        );
        this.#isReady = true;
        this.#markReady();
        await untilClosed;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Error)) throw error;
        options.onFailure(error);
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

  async #write(
    key: string,
    object: ApiObject,
    when: { readonly key: string; readonly exists: boolean } | { readonly key: string; readonly mod: number },
    lease: number,
  ): Promise<Stored | undefined> {
    const { resourceVersion: _, ...metadata } = object.metadata;
    const value = JSON.stringify({ ...object, metadata });
    this.#writing.set(key, { value, object });
    try {
      const result = await this.#etcd.txn([when], [{ op: 'put', key, value, ...(lease === 0 ? {} : { lease }) }]);
      if (!result.succeeded) return undefined;
      const stored = this.#objects.get(key);
      if (stored?.revision === result.revision) return stored;
      return materialize({ key, value, mod: result.revision }, object);
    } finally {
      this.#writing.delete(key);
    }
  }

  #apply(events: readonly EtcdEvent[], revision: number): void {
    for (const event of events) {
      const key = event.type === 'put' ? event.kv.key : event.key;
      const previous = this.#objects.get(key);
      if (event.type === 'put') {
        const writing = this.#writing.get(key);
        const stored = materialize(event.kv, writing?.value === event.kv.value ? writing.object : undefined);
        this.#objects.set(key, stored);
        this.#tell({ type: 'put', revision, stored, previous });
      } else if (previous !== undefined) {
        this.#objects.delete(key);
        this.#tell({ type: 'delete', revision, stored: withRevision(previous, revision), previous });
      }
    }
    this.#sorted = undefined;
    this.#revision = revision;
  }

  #tell(event: StoreEvent): void {
    this.#history.push(event);
    if (this.#history.length > HISTORY * 1.5) {
      const dropped = this.#history.splice(0, this.#history.length - HISTORY);
      this.#oldest = dropped.at(-1)!.revision;
    }
    for (const watcher of [...this.#watchers]) watcher.event(event);
  }

  #replace(kvs: readonly KeyValue[], revision: number): void {
    this.#objects.clear();
    for (const kv of kvs) this.#objects.set(kv.key, materialize(kv, undefined));
    this.#sorted = undefined;
    this.#history = [];
    this.#oldest = revision;
    this.#revision = revision;
  }
}

/** etcd's value has no version; it goes in behind the uid, where the API's field order has it. */
function materialize(kv: Pick<KeyValue, 'key' | 'value' | 'mod'>, known: ApiObject | undefined): Stored {
  const parsed = known ?? (JSON.parse(kv.value) as ApiObject);
  const version = String(kv.mod);
  const metadata: Record<string, unknown> = {};
  let isPlaced = false;
  for (const [field, value] of Object.entries(parsed.metadata)) {
    if (field === 'resourceVersion') continue;
    metadata[field] = value;
    if (field !== 'uid') continue;
    metadata['resourceVersion'] = version;
    isPlaced = true;
  }
  if (!isPlaced) metadata['resourceVersion'] = version;
  const object = { ...parsed, metadata } as unknown as ApiObject;
  const uid = `"uid":"${parsed.metadata.uid}"`;
  const at = isPlaced ? kv.value.indexOf(uid) : -1;
  const json =
    at < 0
      ? JSON.stringify(object)
      : `${kv.value.slice(0, at + uid.length)},"resourceVersion":"${version}"${kv.value.slice(at + uid.length)}`;
  return { key: kv.key, revision: kv.mod, object, json };
}

function withRevision(stored: Stored, revision: number): Stored {
  const object: ApiObject = { ...stored.object, metadata: { ...stored.object.metadata, resourceVersion: String(revision) } };
  return { key: stored.key, revision, object, json: JSON.stringify(object) };
}
