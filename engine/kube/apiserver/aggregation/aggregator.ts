// Models kube-aggregator: groups and versions are APIServices, those of others are asked for by proxy, and a controller says which
// of them can be.

import { background } from '../../../sim/background.ts';
import type { Clock } from '../../../sim/clock.ts';
import type { HttpRequest, HttpResponder } from '../../../net/http.ts';
import { isConflict, isNotFound } from '../../machinery/api-error.ts';
import { isDeepEqual } from '../../machinery/deep.ts';
import { type CustomResourceDefinition, EXTENSIONS_GROUP, versionsOf } from '../../registry/apiextensions/types.ts';
import type { ApiObject } from '../../registry/definition.ts';
import type { WriteContext } from '../resource-endpoint.ts';
import type { ResourceStore } from '../resource-store.ts';
import type { ApiServer } from '../server.ts';
import type { ServiceCallOptions } from '../service-call.ts';
import type { User } from '../user.ts';
import { AUTOMANAGED, byGroup, discoveryGroup, localApiService, withAvailability, type ApiService } from './api-services.ts';
import { checkAvailability } from './availability.ts';
import { builtInVersions } from './priorities.ts';
import { proxyTo } from './proxy.ts';

const GROUP = 'apiregistration.k8s.io';
const PLURAL = 'apiservices';
const SELF = { name: 'system:apiserver', groups: ['system:masters'] };
/** Availability is looked at again this often, and at most so long after a failure. */
const RESYNC_MS = 30_000;
const FIRST_RETRY_MS = 5;

export interface AggregatorOptions extends ServiceCallOptions {
  readonly server: () => ApiServer;
  readonly clock: Clock;
}

export class Aggregator {
  readonly #options: AggregatorOptions;
  readonly #queue = new Set<string>();
  readonly #failures = new Map<string, number>();
  #wake: (() => void) | undefined;
  #hasRegistered = false;

  constructor(options: AggregatorOptions) {
    this.#options = options;
  }

  /** Registers what the server has, now and from now on, and keeps the availability of the rest up to date. */
  async follow(signal: AbortSignal): Promise<void> {
    background(this.#work(signal));
    background(this.#resync(signal));
    await Promise.all([
      this.#onChanges(signal, this.#store, (object) => this.#add(object.metadata.name)),
      this.#onChanges(signal, this.#server.store('', 'services'), (object) => this.#addThoseOf(object)),
      this.#onChanges(signal, this.#server.store('', 'endpoints'), (object) => this.#addThoseOf(object)),
      this.#onChanges(signal, this.#definitions, (object) => this.#addVersionsOf(object)),
    ]);
  }

  /** Registers what is built in and not there yet; part of the server's start. */
  async register(): Promise<void> {
    const wanted = new Set<string>();
    for (const { group, version } of builtInVersions()) {
      const service = localApiService(group, version);
      wanted.add(service.metadata.name);
      await this.#ensureLocal(service);
    }
    // What another version of the server registered goes.
    for (const { metadata } of this.#services()) {
      if (metadata.labels?.[AUTOMANAGED] !== 'onstart' || wanted.has(metadata.name)) continue;
      await this.#server.endpoint(GROUP, PLURAL).delete(metadata.name, {}, this.#context());
    }
    this.#hasRegistered = true;
  }

  /** /apis; undefined as long as nothing is registered. */
  groups(): readonly Record<string, unknown>[] | undefined {
    if (!this.#hasRegistered) return undefined;
    const own = ['v1', 'v1beta1'].map((version) => ({ groupVersion: `${GROUP}/${version}`, version }));
    const others = byGroup(this.#services()).filter(([first]) => (first!.spec.group ?? '') !== '');
    return [{ name: GROUP, versions: own, preferredVersion: own[0] }, ...others.map(discoveryGroup)];
  }

  /** /apis/GROUP; undefined when no APIService is of that group. */
  group(name: string): Record<string, unknown> | undefined {
    const [services] = byGroup(this.#services().filter((service) => service.spec.group === name));
    return services === undefined ? undefined : discoveryGroup(services);
  }

  /** Who else serves a group and version; undefined when nobody does or the server itself does. */
  remote(group: string, version: string): ApiService | undefined {
    const service = this.#store.get(undefined, `${version}.${group}`)?.object as unknown as ApiService | undefined;
    return (service?.spec.service ?? undefined) === undefined ? undefined : service;
  }

  proxy(service: ApiService, at: { readonly user: User; readonly request: HttpRequest; readonly respond: HttpResponder }): Promise<void> {
    return proxyTo(service, { ...at, options: this.#options });
  }

  get #server(): ApiServer {
    return this.#options.server();
  }

  get #store(): ResourceStore {
    return this.#server.store(GROUP, PLURAL);
  }

  get #definitions(): ResourceStore {
    return this.#server.store(EXTENSIONS_GROUP, 'customresourcedefinitions');
  }

  #services(): readonly ApiService[] {
    return this.#store.list().map(({ object }) => object as unknown as ApiService);
  }

  async #onChanges(signal: AbortSignal, store: ResourceStore, changed: (object: ApiObject) => void): Promise<void> {
    while (!signal.aborted) {
      await store.whenReady;
      let ended!: () => void;
      const end = new Promise<void>((resolve) => (ended = resolve));
      signal.addEventListener('abort', ended, { once: true });
      const stop = store.watch(undefined, { event: ({ stored }) => changed(stored.object), end: ended });
      for (const { object } of store.list()) changed(object);
      await end;
      stop();
    }
  }

  #add(name: string): void {
    this.#queue.add(name);
    this.#wake?.();
  }

  #addThoseOf({ metadata }: ApiObject): void {
    for (const { spec, metadata: own } of this.#services())
      if (spec.service?.name === metadata.name && spec.service.namespace === metadata.namespace) this.#add(own.name);
  }

  #addVersionsOf(object: ApiObject): void {
    const { spec } = object as unknown as CustomResourceDefinition;
    for (const { name } of versionsOf(spec)) this.#add(`${name}.${spec.group}`);
  }

  async #resync(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#options.clock.sleep(RESYNC_MS, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      for (const service of this.#services()) if ((service.spec.service ?? undefined) !== undefined) this.#add(service.metadata.name);
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
    const running = new Set<string>();
    while (!signal.aborted) {
      const name = [...this.#queue].find((each) => !running.has(each));
      if (name === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      this.#queue.delete(name);
      running.add(name);
      // A backend that does not answer must not keep the others waiting.
      background(
        this.#attempt(name, signal).finally(() => {
          running.delete(name);
          this.#wake?.();
        }),
      );
    }
  }

  async #attempt(name: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#registerDefined(name);
      if (await this.#check(name, signal)) {
        this.#failures.delete(name);
        return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Error)) throw error;
      if (isConflict(error) || isNotFound(error)) return;
    }
    const failures = this.#failures.get(name) ?? 0;
    this.#failures.set(name, failures + 1);
    this.#options.clock.setTimer(Math.min(FIRST_RETRY_MS * 2 ** failures, RESYNC_MS), () => this.#add(name));
  }

  /** A version that is defined and served is registered; when it no longer is, what was registered goes. */
  async #registerDefined(name: string): Promise<void> {
    const dot = name.indexOf('.');
    const [version, group] = [name.slice(0, dot), name.slice(dot + 1)];
    const isDefined = this.#definitions.list().some(({ object }) => {
      const { spec } = object as unknown as CustomResourceDefinition;
      return spec.group === group && versionsOf(spec).some((each) => each.name === version && each.served);
    });
    const current = this.#store.get(undefined, name)?.object as unknown as ApiService | undefined;
    const wanted = isDefined ? localApiService(group, version) : undefined;
    if (current === undefined) {
      if (wanted !== undefined) await this.#ensureLocal(wanted);
      return;
    }
    // Others' objects, and what is only set right at the start, are left alone.
    if (current.metadata.labels?.[AUTOMANAGED] !== 'true') return;
    const endpoint = this.#server.endpoint(GROUP, PLURAL);
    if (wanted === undefined) {
      await endpoint.delete(name, { preconditions: { uid: current.metadata.uid } }, this.#context());
    } else if (!isDeepEqual(current.spec, wanted['spec'])) {
      await endpoint.change(name, (was) => ({ ...was, spec: wanted['spec'] }), this.#context());
    }
  }

  /** Writes how available a remote APIService is; false when it should be looked at again soon. */
  async #check(name: string, signal: AbortSignal): Promise<boolean> {
    const service = this.#store.get(undefined, name)?.object as unknown as ApiService | undefined;
    if (service === undefined) return true;
    const { condition, isFailure } = await checkAvailability(service, this.#options, this.#options.clock, signal);
    const status = withAvailability(service, condition, this.#options.clock.now());
    if (!isDeepEqual(service.status, status)) {
      const context = { ...this.#context(), subresource: 'status' };
      await this.#server.endpoint(GROUP, PLURAL).change(name, (current) => ({ ...current, status }), context);
    }
    return !isFailure;
  }

  async #ensureLocal(object: ApiObject): Promise<void> {
    const endpoint = this.#server.endpoint(GROUP, PLURAL);
    const { name } = object.metadata;
    const current = endpoint.store.get(undefined, name)?.object;
    if (current === undefined) await endpoint.create(object, this.#context());
    else if (current.metadata.labels?.[AUTOMANAGED] !== undefined && !isDeepEqual(current['spec'], object['spec']))
      await endpoint.change(name, (was) => ({ ...was, spec: object['spec'] }), this.#context());
  }

  #context(): WriteContext {
    const served = this.#server.endpoint(GROUP, PLURAL).definition;
    return { user: SELF, served, namespace: '', isDryRun: false, manager: 'kube-apiserver', subresource: '' };
  }
}
