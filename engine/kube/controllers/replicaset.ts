// Models the ReplicaSet controller, and with another kind the ReplicationController's: keeps the number of live pods equal to spec.replicas.

import { isDeepEqual } from '../machinery/deep.ts';
import { POD, REPLICA_SET, REPLICATION_CONTROLLER, keyOf, splitKey } from '../machinery/resources.ts';
import { labelSelectorOf, selectorFromSet, type Labels, type LabelSelectorSpec } from '../machinery/selectors.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { KubeObject, Pod, PodTemplateSpec, ReplicaSet, ResourceReference } from '../machinery/types.ts';
import type { EventRecorder, Lister, WorkQueue } from '../client/contracts.ts';
import { isConflict, isNotFound } from '../machinery/api-error.ts';
import { messageOf, onEach, runWorkers, type ControllerContext } from './controller.ts';
import { inDeletionOrder } from './deletion-order.ts';
import { Expectations } from './expectations.ts';
import { claim, controllerOf, isPodActive, isPodAvailable, isPodReady, ownerReference } from './objects.ts';
import { createPod, deletePod, podFromTemplate } from './pods.ts';

/** Most pods created or deleted in one sync (BurstReplicas). */
const BURST = 500;

/** What ReplicaSet and ReplicationController have in common. */
type ReplicaOwner = KubeObject & {
  spec?: { replicas?: number; minReadySeconds?: number; template?: PodTemplateSpec; selector?: unknown };
  status?: ReplicaSet['status'];
};

export function startReplicaSet(context: ControllerContext): void {
  new ReplicaSetController(context, REPLICA_SET, 'replicaset-controller', (set, pod) =>
    labelSelectorOf(set.spec?.selector as LabelSelectorSpec | undefined).matches(pod.metadata.labels),
  ).start();
}

export function startReplicationController(context: ControllerContext): void {
  new ReplicaSetController(context, REPLICATION_CONTROLLER, 'replication-controller', (set, pod) => {
    const selector = selectorFromSet(set.spec?.selector as Labels | undefined);
    return !selector.isEmpty && selector.matches(pod.metadata.labels);
  }).start();
}

class ReplicaSetController {
  readonly #context: ControllerContext;
  readonly #resource: ResourceReference;
  readonly #matches: (set: ReplicaOwner, pod: Pod) => boolean;
  readonly #events: EventRecorder;
  readonly #queue: WorkQueue;
  readonly #expectations: Expectations;
  readonly #sets: Lister<ReplicaOwner>;
  readonly #pods: Lister<Pod>;

  constructor(
    context: ControllerContext,
    resource: ResourceReference,
    component: string,
    matches: (set: ReplicaOwner, pod: Pod) => boolean,
  ) {
    this.#context = context;
    this.#resource = resource;
    this.#matches = matches;
    this.#events = context.recorder(component);
    this.#queue = context.queue(resource.resource);
    this.#expectations = new Expectations(context.clock);
    this.#sets = context.informers.for<ReplicaOwner>(resource).lister;
    this.#pods = context.informers.for<Pod>(POD).lister;
  }

  start(): void {
    const sets = this.#context.informers.for<ReplicaOwner>(this.#resource);
    const pods = this.#context.informers.for<Pod>(POD);
    onEach(sets, (set, _old, removed) => {
      if (removed) this.#expectations.forget(keyOf(set));
      this.#queue.add(keyOf(set));
    });
    onEach(pods, (pod, old, removed) => this.#podChanged(pod, old, removed));
    runWorkers(this.#context, this.#queue, { workers: 5, after: [sets, pods], what: this.#resource.kind }, (key) => this.#sync(key));
  }

  #podChanged(pod: Pod, old: Pod | undefined, removed: boolean): void {
    const owner = this.#ownerKey(pod);
    const formerOwner = old === undefined ? undefined : this.#ownerKey(old);
    if (formerOwner !== undefined && formerOwner !== owner) this.#queue.add(formerOwner);
    if (owner === undefined) {
      if (!removed && controllerOf(pod) === undefined) this.#wakeAdopters(pod);
      return;
    }
    const isGoing = pod.metadata.deletionTimestamp !== undefined;
    if (removed || isGoing) this.#expectations.observedDeletion(owner, keyOf(pod));
    else if (old === undefined) this.#expectations.observedCreation(owner);
    this.#queue.add(owner);
    // A pod becomes available only after minReadySeconds, without any further change to wake us.
    const set = this.#sets.get(owner);
    const minReady = set?.spec?.minReadySeconds ?? 0;
    if (old !== undefined && !isPodReady(old) && isPodReady(pod) && minReady > 0) {
      this.#queue.addAfter(owner, (minReady + 1) * 1000);
    }
  }

  #ownerKey(pod: Pod): string | undefined {
    const owner = controllerOf(pod);
    if (owner?.kind !== this.#resource.kind) return undefined;
    const key = `${pod.metadata.namespace}/${owner.name}`;
    const set = this.#sets.get(key);
    return set !== undefined && set.metadata.uid !== owner.uid ? undefined : key;
  }

  #wakeAdopters(pod: Pod): void {
    for (const set of this.#sets.list(pod.metadata.namespace)) if (this.#matches(set, pod)) this.#queue.add(keyOf(set));
  }

  async #sync(key: string): Promise<void> {
    const set = this.#sets.get(key);
    if (set === undefined) {
      this.#expectations.forget(key);
      return;
    }
    const needsSync = this.#expectations.met(key);
    const candidates = this.#pods.list(splitKey(key).namespace).filter(isPodActive);
    const pods = await claim(this.#context.client, POD, candidates, {
      owner: set,
      ownerResource: this.#resource,
      matches: (pod) => this.#matches(set, pod),
      mayAdopt: isPodActive,
    });
    let failure: unknown;
    if (needsSync && set.metadata.deletionTimestamp === undefined) failure = await this.#manage(key, set, pods);
    await this.#updateStatus(set, statusOf(set, pods, failure, this.#context.clock.now()));
    if (failure !== undefined) throw failure;
  }

  /** Creates or deletes pods; returns what went wrong, for the status. */
  async #manage(key: string, set: ReplicaOwner, pods: readonly Pod[]): Promise<unknown> {
    const difference = pods.length - (set.spec?.replicas ?? 1);
    try {
      if (difference < 0) await this.#create(key, set, Math.min(-difference, BURST));
      if (difference > 0) await this.#delete(key, set, pods, Math.min(difference, BURST));
      return undefined;
    } catch (error) {
      if (this.#context.signal.aborted) throw error;
      return error;
    }
  }

  /** In batches of 1, 2, 4, ...: when the first creation fails, hundreds of others would fail the same way. */
  async #create(key: string, set: ReplicaOwner, count: number): Promise<void> {
    this.#expectations.expectCreations(key, count);
    let left = count;
    for (let batch = 1; left > 0; batch *= 2) {
      const size = Math.min(batch, left);
      let failure: unknown;
      for (let i = 0; i < size; i++) {
        try {
          await createPod(
            this.#context.client,
            this.#events,
            set,
            podFromTemplate(set.spec?.template ?? {}, set, ownerReference(set, this.#resource)),
          );
        } catch (error) {
          failure ??= error;
          this.#expectations.observedCreation(key);
        }
      }
      left -= size;
      if (failure !== undefined) {
        for (let i = 0; i < left; i++) this.#expectations.observedCreation(key);
        throw failure;
      }
    }
  }

  async #delete(key: string, set: ReplicaOwner, pods: readonly Pod[], count: number): Promise<void> {
    const going = inDeletionOrder(pods, this.#relatedPods(set)).slice(0, count);
    this.#expectations.expectDeletions(key, going.map(keyOf));
    let failure: unknown;
    for (const pod of going) {
      try {
        await deletePod(this.#context.client, this.#events, set, pod);
      } catch (error) {
        this.#expectations.observedDeletion(key, keyOf(pod));
        if (!isNotFound(error)) failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** Pods of every set with the same controller: during a rollout old and new pods share the nodes. */
  #relatedPods(set: ReplicaOwner): readonly Pod[] {
    const controller = controllerOf(set);
    const sets = this.#sets
      .list(set.metadata.namespace)
      .filter((other) => other === set || (controller !== undefined && controllerOf(other)?.uid === controller.uid));
    const uids = new Set(sets.map((other) => other.metadata.uid));
    return this.#pods.list(set.metadata.namespace).filter((pod) => uids.has(controllerOf(pod)?.uid ?? ''));
  }

  async #updateStatus(set: ReplicaOwner, status: NonNullable<ReplicaOwner['status']>): Promise<void> {
    const current = set.status;
    const wanted = { ...status, observedGeneration: set.metadata.generation ?? 0 };
    if (current !== undefined && isDeepEqual(withoutZeros(current), withoutZeros(wanted))) return;
    try {
      await this.#context.client.updateStatus(this.#resource, { ...set, status: wanted });
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
      const fresh = await this.#context.client.get<ReplicaOwner>(this.#resource, set.metadata.name, set.metadata.namespace);
      if (fresh.metadata.uid === set.metadata.uid) {
        await this.#context.client.updateStatus(this.#resource, { ...fresh, status: wanted });
      }
    }
  }
}

/** Counters that are 0 are left out on the wire. */
function withoutZeros(status: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(status).filter(([key, value]) => value !== 0 || key === 'replicas'));
}

export function statusOf(set: ReplicaOwner, pods: readonly Pod[], failure: unknown, nowMs: number): NonNullable<ReplicaOwner['status']> {
  const templateLabels = selectorFromSet(set.spec?.template?.metadata?.labels);
  const fullyLabeled = pods.filter((pod) => templateLabels.matches(pod.metadata.labels)).length;
  const ready = pods.filter(isPodReady);
  const available = ready.filter((pod) => isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)).length;
  const others = (set.status?.conditions ?? []).filter((condition) => condition.type !== 'ReplicaFailure');
  const former = (set.status?.conditions ?? []).find((condition) => condition.type === 'ReplicaFailure');
  const conditions = [...others];
  if (failure !== undefined) {
    const reason = pods.length < (set.spec?.replicas ?? 1) ? 'FailedCreate' : 'FailedDelete';
    conditions.push(
      former ?? { type: 'ReplicaFailure', status: 'True', lastTransitionTime: rfc3339(nowMs), reason, message: messageOf(failure) },
    );
  }
  return {
    replicas: pods.length,
    ...(fullyLabeled === 0 ? {} : { fullyLabeledReplicas: fullyLabeled }),
    ...(ready.length === 0 ? {} : { readyReplicas: ready.length }),
    ...(available === 0 ? {} : { availableReplicas: available }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}
