// Models the garbage collector: a graph of who owns whom over all kinds, and the deletions that follow from it.

import { isConflict, isNotFound } from '../machinery/api-error.ts';
import type { KubeObject, OwnerReference, ResourceReference } from '../machinery/types.ts';
import { apiVersionOf } from '../machinery/resources.ts';
import type { WorkQueue } from '../client/contracts.ts';
import { every, onEach, runWorkers, type ControllerContext } from './controller.ts';
import { discover } from './discovery.ts';
import { OwnerGraph, type GraphNode } from './owner-graph.ts';

/** How often new kinds (custom resources) are looked for. */
const DISCOVERY_PERIOD_MS = 30_000;
const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';
/** Kinds without owners worth following (ignored by upstream, too). */
const IGNORED = new Set(['events']);

export function startGarbageCollector(context: ControllerContext): void {
  new GarbageCollector(context).start();
}

class GarbageCollector {
  readonly #context: ControllerContext;
  readonly #graph: OwnerGraph;
  readonly #toDelete: WorkQueue;
  readonly #toOrphan: WorkQueue;
  /** `apiVersion/kind` to where it is served. */
  readonly #kinds = new Map<string, ResourceReference>();
  readonly #monitored = new Set<string>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#toDelete = context.queue('garbage_collector_attempt_to_delete');
    this.#toOrphan = context.queue('garbage_collector_attempt_to_orphan');
    this.#graph = new OwnerGraph({ toDelete: (uid) => this.#toDelete.add(uid), toOrphan: (uid) => this.#toOrphan.add(uid) });
  }

  start(): void {
    every(this.#context, 'garbage collector', DISCOVERY_PERIOD_MS, () => this.#monitorNewKinds());
    runWorkers(this.#context, this.#toDelete, { workers: 20, what: 'garbage of' }, (uid) => this.#attemptToDelete(uid));
    runWorkers(this.#context, this.#toOrphan, { workers: 20, what: 'orphans of' }, (uid) => this.#attemptToOrphan(uid));
  }

  async #monitorNewKinds(): Promise<void> {
    const { resources } = await discover(this.#context.client);
    for (const resource of resources) {
      const id = `${resource.group}/${resource.resource}`;
      const canFollow = ['list', 'watch', 'delete'].every((verb) => resource.verbs.includes(verb));
      if (!canFollow || IGNORED.has(resource.resource) || this.#monitored.has(id)) continue;
      this.#monitored.add(id);
      this.#kinds.set(`${apiVersionOf(resource)}/${resource.kind}`, resource);
      const { group, version, kind, isNamespaced } = resource;
      const reference = { group, version, resource: resource.resource, kind, isNamespaced };
      onEach(this.#context.informers.for<KubeObject>(reference), (object, old, removed) => {
        if (removed) this.#graph.removed(object.metadata.uid);
        else this.#graph.changed(object, reference, old);
      });
    }
  }

  async #attemptToDelete(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (node === undefined || (node.isBeingDeleted && !node.isDeletingDependents)) return;
    const resource = node.resource ?? this.#kinds.get(`${node.apiVersion}/${node.kind}`);
    if (resource === undefined) {
      this.#toDelete.addRateLimited(uid);
      return;
    }
    const live = await this.#read(resource, node.name, node.namespace);
    if (live === undefined || live.metadata.uid !== uid) {
      this.#graph.removed(uid);
      return;
    }
    if (node.isVirtual) this.#graph.changed(live, resource, undefined);
    if (node.isDeletingDependents) return this.#finishForeground(node, resource, live);
    const owners = live.metadata.ownerReferences ?? [];
    if (owners.length === 0) return;
    const sorted = await this.#sortOwners(owners, node.namespace);
    if (sorted.solid.length > 0) {
      const gone = [...sorted.dangling, ...sorted.waiting];
      if (gone.length > 0) await this.#dropOwners(resource, live, gone);
      return;
    }
    if (sorted.waiting.length > 0 && node.dependents.size > 0) {
      // A dependent that waits for its own dependents would block the circle for ever.
      if ([...node.dependents].some((dependent) => this.#graph.get(dependent)?.isDeletingDependents === true)) {
        await this.#unblockOwners(resource, live);
      }
      return this.#delete(resource, live, 'Foreground');
    }
    const finalizers = live.metadata.finalizers ?? [];
    const policy = finalizers.includes(ORPHAN) ? 'Orphan' : finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background';
    await this.#delete(resource, live, policy);
  }

  async #finishForeground(node: GraphNode, resource: ResourceReference, live: KubeObject): Promise<void> {
    const blocking = [...node.dependents].map((uid) => this.#graph.get(uid)).filter((dependent) => dependent?.blocks(node.uid) === true);
    if (blocking.length === 0) return this.#removeFinalizer(resource, live, FOREGROUND);
    for (const dependent of blocking) if (dependent !== undefined && !dependent.isDeletingDependents) this.#toDelete.add(dependent.uid);
  }

  async #sortOwners(
    owners: readonly OwnerReference[],
    namespace: string | undefined,
  ): Promise<{ readonly solid: OwnerReference[]; readonly dangling: OwnerReference[]; readonly waiting: OwnerReference[] }> {
    const sorted: { solid: OwnerReference[]; dangling: OwnerReference[]; waiting: OwnerReference[] } = {
      solid: [],
      dangling: [],
      waiting: [],
    };
    for (const owner of owners) {
      const resource = this.#kinds.get(`${owner.apiVersion}/${owner.kind}`);
      if (resource === undefined) throw new Error(`unable to get REST mapping for ${owner.apiVersion}/${owner.kind}.`);
      const live = await this.#read(resource, owner.name, resource.isNamespaced ? namespace : undefined);
      if (live === undefined || live.metadata.uid !== owner.uid) sorted.dangling.push(owner);
      else if (live.metadata.deletionTimestamp !== undefined && (live.metadata.finalizers ?? []).includes(FOREGROUND))
        sorted.waiting.push(owner);
      else sorted.solid.push(owner);
    }
    return sorted;
  }

  async #attemptToOrphan(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (node?.resource === undefined) return;
    for (const dependentUid of node.dependents) {
      const dependent = this.#graph.get(dependentUid);
      if (dependent?.resource === undefined) continue;
      const live = await this.#read(dependent.resource, dependent.name, dependent.namespace);
      const owner = live?.metadata.ownerReferences?.find((reference) => reference.uid === uid);
      if (live !== undefined && owner !== undefined) await this.#dropOwners(dependent.resource, live, [owner]);
    }
    const live = await this.#read(node.resource, node.name, node.namespace);
    if (live !== undefined && live.metadata.uid === uid) await this.#removeFinalizer(node.resource, live, ORPHAN);
  }

  async #read(resource: ResourceReference, name: string, namespace: string | undefined): Promise<KubeObject | undefined> {
    try {
      return await this.#context.client.get<KubeObject>(resource, name, resource.isNamespaced ? namespace : undefined);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #delete(resource: ResourceReference, live: KubeObject, propagationPolicy: 'Foreground' | 'Background' | 'Orphan'): Promise<void> {
    const { name, namespace, uid } = live.metadata;
    try {
      await this.#context.client.delete(resource, name, namespace, { propagationPolicy, preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #dropOwners(resource: ResourceReference, live: KubeObject, gone: readonly OwnerReference[]): Promise<void> {
    const uids = new Set(gone.map((owner) => owner.uid));
    await this.#patchMeta(resource, live, {
      ownerReferences: (live.metadata.ownerReferences ?? []).filter((owner) => !uids.has(owner.uid)),
    });
  }

  async #unblockOwners(resource: ResourceReference, live: KubeObject): Promise<void> {
    await this.#patchMeta(resource, live, {
      ownerReferences: (live.metadata.ownerReferences ?? []).map((owner) => ({ ...owner, blockOwnerDeletion: false })),
    });
  }

  async #removeFinalizer(resource: ResourceReference, live: KubeObject, finalizer: string): Promise<void> {
    const finalizers = live.metadata.finalizers ?? [];
    if (!finalizers.includes(finalizer)) return;
    await this.#patchMeta(resource, live, { finalizers: finalizers.filter((other) => other !== finalizer) });
  }

  async #patchMeta(resource: ResourceReference, live: KubeObject, change: object): Promise<void> {
    const { name, namespace, uid, resourceVersion } = live.metadata;
    try {
      await this.#context.client.patch(resource, namespace === undefined ? { name } : { name, namespace }, 'application/merge-patch+json', {
        metadata: { ...change, uid, resourceVersion },
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
