// What components of the cluster know of it: the REST API, and caches that follow it by list and watch.
// A client holds a kubeconfig and speaks HTTP over the network of the machine (or pod) it runs on; nothing else.

import type { Disposable } from '../../sim/disposable.ts';
import type { HttpResponse } from '../../net/http.ts';
import type { KubeObject, ResourceReference } from '../machinery/types.ts';

export type PatchType =
  | 'application/json-patch+json'
  | 'application/merge-patch+json'
  | 'application/strategic-merge-patch+json'
  | 'application/apply-patch+yaml';

export interface ListOptions {
  /** Left out: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly limit?: number;
  readonly continue?: string;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export type WatchEvent<T extends KubeObject> = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T };

/** Errors: ApiError for an answer of the server; SysError (ECONNREFUSED, ETIMEDOUT, ...) when there was none. */
export interface KubeClient {
  get<T extends KubeObject>(resource: ResourceReference, name: string, namespace?: string): Promise<T>;
  list<T extends KubeObject>(
    resource: ResourceReference,
    options?: ListOptions,
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string; readonly continue: string | undefined }>;
  /** The namespace and name are those of the object's metadata. */
  create<T extends KubeObject>(resource: ResourceReference, object: DeepPartialObject<T>): Promise<T>;
  update<T extends KubeObject>(resource: ResourceReference, object: T): Promise<T>;
  updateStatus<T extends KubeObject>(resource: ResourceReference, object: T): Promise<T>;
  patch<T extends KubeObject>(
    resource: ResourceReference,
    target: { readonly name: string; readonly namespace?: string; readonly subresource?: string },
    type: PatchType,
    body: unknown,
  ): Promise<T>;
  delete(resource: ResourceReference, name: string, namespace?: string, options?: DeleteOptions): Promise<void>;
  /** POST to a subresource: `binding`, `eviction`. */
  createSubresource(
    resource: ResourceReference,
    name: string,
    namespace: string | undefined,
    subresource: string,
    body: unknown,
  ): Promise<unknown>;
  /** Ends when the server ends it; throws ApiError 410 when the version is gone. */
  watch<T extends KubeObject>(
    resource: ResourceReference,
    options: ListOptions & { readonly signal: AbortSignal; readonly allowBookmarks?: boolean; readonly timeoutSeconds?: number },
  ): AsyncIterable<WatchEvent<T>>;
  /** Any request; `target` is path and query. */
  raw(
    method: string,
    target: string,
    options?: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Uint8Array; readonly signal?: AbortSignal },
  ): Promise<HttpResponse>;
  close(): void;
}

/** An object as a client makes it: the server fills in the rest of its metadata. */
export type DeepPartialObject<T extends KubeObject> = Omit<T, 'metadata'> & { metadata: Partial<T['metadata']> };

export type Change<T> =
  { readonly type: 'added' | 'removed'; readonly object: T } | { readonly type: 'updated'; readonly object: T; readonly old: T };

export interface Lister<T extends KubeObject> {
  /** `namespace/name`, or `name` for cluster kinds. */
  get(key: string): T | undefined;
  list(namespace?: string): readonly T[];
  byIndex(index: string, value: string): readonly T[];
}

export interface Informer<T extends KubeObject> {
  readonly lister: Lister<T>;
  readonly hasSynced: boolean;
  readonly synced: Promise<void>;
  onChange(listener: (change: Change<T>) => void): Disposable;
  /** Values under which `lister.byIndex(name, value)` finds an object. To be called before start. */
  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void;
}

export interface InformerSet {
  /** One shared informer per resource and selector; list, watch, and list again when the watch cannot go on, with back-off. */
  for<T extends KubeObject>(
    resource: ResourceReference,
    options?: { readonly fieldSelector?: string; readonly labelSelector?: string; readonly namespace?: string },
  ): Informer<T>;
  /** Starts every informer asked for so far; those asked for later start at once. */
  start(signal: AbortSignal): void;
}

export interface WorkQueue {
  add(key: string): void;
  addAfter(key: string, delayMs: number): void;
  /** 5 ms doubling to 1000 s per key, and 10 a second with bursts of 100 in all (client-go's default controller limiter). */
  addRateLimited(key: string): void;
  forget(key: string): void;
  retries(key: string): number;
  /** The next key, never one that is being worked on; undefined after shutDown. */
  take(): Promise<string | undefined>;
  done(key: string): void;
  shutDown(): void;
  readonly length: number;
}

export interface EventRecorder {
  /** Creates an Event or counts one up (client-go's correlator: the same event within 10 minutes is patched with a higher count). Never throws. */
  event(
    about: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    /** `fieldPath` names a part of the object: `spec.containers{nginx}`. */
    options?: {
      readonly fieldPath?: string;
      readonly annotations?: Readonly<Record<string, string>>;
      /** What the reporter was doing; only events of events.k8s.io have it. */
      readonly action?: string;
    },
  ): void;
}
