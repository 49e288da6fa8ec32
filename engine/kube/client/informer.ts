// Models client-go's shared informers: list, watch, and list again when the watch cannot go on.

import { background } from '../../sim/background.ts';
import type { Clock } from '../../sim/clock.ts';
import type { Disposable } from '../../sim/disposable.ts';
import { isSysError } from '../../sim/errno.ts';
import { Emitter } from '../../sim/event.ts';
import type { Rng } from '../../sim/rng.ts';
import { ApiError, isGone } from '../machinery/api-error.ts';
import { deepFreeze } from '../machinery/deep.ts';
import { isTooLargeVersion } from '../machinery/status.ts';
import { diagnosis } from '../../sim/diagnosis.ts';
import { keyOf, withoutManagedFields } from '../machinery/resources.ts';
import type { KubeObject, ResourceReference } from '../machinery/types.ts';
import type { Change, Informer, InformerSet, KubeClient, Lister, ListOptions } from './contracts.ts';
import { ObjectStore } from './store.ts';

/** client-go's reflector: 800 ms doubling to 30 s with a jitter of 100 %, forgotten after two quiet minutes. */
const FIRST_BACKOFF_MS = 800;
const LAST_BACKOFF_MS = 30_000;
const BACKOFF_RESET_MS = 120_000;
/** A watch is asked to last between one and two times this. */
const MIN_WATCH_SECONDS = 300;

type Scope = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

interface Parts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly onError: ((resource: ResourceReference, error: Error) => void) | undefined;
  readonly keepsManagedFields: boolean;
}

class ReflectingInformer<T extends KubeObject> implements Informer<T> {
  readonly synced: Promise<void>;
  readonly #parts: Parts;
  readonly #resource: ResourceReference;
  readonly #scope: Scope;
  readonly #store = new ObjectStore<T>();
  readonly #changes = new Emitter<Change<T>>();
  #markSynced!: () => void;
  #hasSynced = false;
  #lastVersion = '';
  #isLastVersionGone = false;
  #backoffMs = FIRST_BACKOFF_MS;
  #lastBackoffAtMs = 0;

  constructor(parts: Parts, resource: ResourceReference, scope: Scope) {
    this.#parts = parts;
    this.#resource = resource;
    this.#scope = scope;
    this.synced = new Promise((resolve) => (this.#markSynced = resolve));
  }

  get lister(): Lister<T> {
    return this.#store;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** A listener that comes late is told of what is already known, as client-go does. */
  onChange(listener: (change: Change<T>) => void): Disposable {
    for (const object of this.#store.list()) listener({ type: 'added', object });
    return this.#changes.on(listener);
  }

  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void {
    this.#store.addIndex(name, valuesOf);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#listAndWatch(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!isExpected(error)) throw error;
        this.#parts.onError?.(this.#resource, error);
      }
      if (signal.aborted) return;
      try {
        await this.#parts.clock.sleep(this.#nextBackoffMs(), signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    await this.#list();
    while (!signal.aborted) {
      const startedMs = this.#parts.clock.now();
      let events = 0;
      const timeoutSeconds = Math.floor(MIN_WATCH_SECONDS * (1 + this.#parts.rng.float()));
      try {
        const watch = this.#parts.client.watch<T>(this.#resource, {
          ...this.#scope,
          resourceVersion: this.#lastVersion,
          allowBookmarks: true,
          timeoutSeconds,
          signal,
        });
        for await (const event of watch) {
          events++;
          const version = event.object.metadata.resourceVersion;
          if (event.type === 'DELETED') this.#remove(keyOf(event.object));
          else if (event.type !== 'BOOKMARK') this.#put(event.object);
          this.#lastVersion = version;
        }
      } catch (error) {
        if (signal.aborted) return;
        // Nobody listens: the server is restarting, and what we know is still good, so only the watch is tried again.
        if (isSysError(error, 'ECONNREFUSED')) {
          this.#parts.onError?.(this.#resource, error);
          await this.#parts.clock.sleep(this.#nextBackoffMs(), signal);
          continue;
        }
        if (isGone(error)) {
          this.#parts.onError?.(this.#resource, error);
          return;
        }
        throw error;
      }
      // client-go: "very short watch: unexpected watch close"; listing again makes sure that nothing was missed.
      if (events === 0 && this.#parts.clock.now() - startedMs < 1000) return;
    }
  }

  async #list(): Promise<void> {
    const resourceVersion = this.#isLastVersionGone ? '' : this.#lastVersion === '' ? '0' : this.#lastVersion;
    let list;
    try {
      list = await this.#parts.client.list<T>(this.#resource, { ...this.#scope, resourceVersion });
    } catch (error) {
      if (!isGone(error) && !isTooLargeVersion(error)) throw error;
      // The server does not know our version any more, or not yet: ask for the newest.
      this.#isLastVersionGone = true;
      list = await this.#parts.client.list<T>(this.#resource, this.#scope);
    }
    this.#isLastVersionGone = false;
    this.#lastVersion = list.resourceVersion;
    const seen = new Set<string>();
    for (const item of list.items) {
      seen.add(keyOf(item));
      this.#put(item);
    }
    for (const key of this.#store.keys()) if (!seen.has(key)) this.#remove(key);
    if (this.#hasSynced) return;
    this.#hasSynced = true;
    this.#markSynced();
  }

  #put(given: T): void {
    const object = this.#parts.keepsManagedFields ? given : withoutManagedFields(given);
    const frozen = diagnosis.freezesShared ? deepFreeze(object) : object;
    const old = this.#store.set(keyOf(object), frozen);
    if (old === undefined) this.#changes.emit({ type: 'added', object: frozen });
    else if (old.metadata.resourceVersion !== frozen.metadata.resourceVersion) this.#changes.emit({ type: 'updated', object: frozen, old });
  }

  #remove(key: string): void {
    const object = this.#store.delete(key);
    if (object !== undefined) this.#changes.emit({ type: 'removed', object });
  }

  #nextBackoffMs(): number {
    const now = this.#parts.clock.now();
    if (now - this.#lastBackoffAtMs > BACKOFF_RESET_MS) this.#backoffMs = FIRST_BACKOFF_MS;
    this.#lastBackoffAtMs = now;
    const delay = this.#backoffMs * (1 + this.#parts.rng.float());
    this.#backoffMs = Math.min(this.#backoffMs * 2, LAST_BACKOFF_MS);
    return delay;
  }
}

export class SharedInformers implements InformerSet {
  readonly #parts: Parts;
  readonly #informers = new Map<string, ReflectingInformer<KubeObject>>();
  #signal: AbortSignal | undefined;

  constructor(options: {
    readonly client: KubeClient;
    readonly clock: Clock;
    readonly rng: Rng;
    /** Told of every list or watch that failed, before it is tried again. */
    readonly onError?: (resource: ResourceReference, error: Error) => void;
    /** They are most of an object's memory and mostly nobody's concern; an update without them leaves them as they are. */
    readonly keepsManagedFields?: boolean;
  }) {
    this.#parts = {
      client: options.client,
      clock: options.clock,
      rng: options.rng,
      onError: options.onError,
      keepsManagedFields: options.keepsManagedFields ?? false,
    };
  }

  for<T extends KubeObject>(
    resource: ResourceReference,
    options: { readonly fieldSelector?: string; readonly labelSelector?: string; readonly namespace?: string } = {},
  ): Informer<T> {
    const { group, version, resource: plural } = resource;
    const key = [group, version, plural, options.namespace, options.labelSelector, options.fieldSelector].join('|');
    let informer = this.#informers.get(key);
    if (informer === undefined) {
      informer = new ReflectingInformer<KubeObject>(this.#parts, resource, options);
      this.#informers.set(key, informer);
      if (this.#signal !== undefined) this.#run(informer, this.#signal);
    }
    // One key stands for one kind, so the informer found is of the type asked for.
    return informer as unknown as Informer<T>;
  }

  start(signal: AbortSignal): void {
    this.#signal = signal;
    for (const informer of this.#informers.values()) this.#run(informer, signal);
  }

  #run(informer: ReflectingInformer<KubeObject>, signal: AbortSignal): void {
    background(informer.run(signal));
  }
}

/** The network and what speaks over it: all of it passes, so all of it is tried again. */
const PASSING = ['TlsError', 'X509Error', 'HttpParseError'];

function isExpected(error: unknown): error is Error {
  return error instanceof ApiError || isSysError(error) || (error instanceof Error && PASSING.includes(error.name));
}
