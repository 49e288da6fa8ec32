// Models the DaemonSet controller: one pod on every node that fits, replaced node by node when the template changes.

import { isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { podTemplateHash } from '../machinery/pod-template-hash.ts';
import type { ControllerRevision } from '../machinery/kinds.ts';
import { CONTROLLER_REVISION, DAEMON_SET, NODE, POD, keyOf, splitKey } from '../machinery/resources.ts';
import { labelSelectorOf } from '../machinery/selectors.ts';
import type { DaemonSet, Node, Pod } from '../machinery/types.ts';
import type { EventRecorder, Informer, WorkQueue } from '../client/contracts.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';
import { daemonPod, nodeFit, plan } from './daemonset-plan.ts';
import { Expectations } from './expectations.ts';
import { claim, controllerOf, isPodActive, isPodAvailable, isPodReady, ownerReference, scaledValue } from './objects.ts';
import { createPod, deletePod } from './pods.ts';
import { ensureRevision, pruneRevisions } from './revisions.ts';

const HASH_LABEL = 'controller-revision-hash';

export function startDaemonSet(context: ControllerContext): void {
  new DaemonSetController(context).start();
}

class DaemonSetController {
  readonly #context: ControllerContext;
  readonly #events: EventRecorder;
  readonly #queue: WorkQueue;
  readonly #expectations: Expectations;
  readonly #sets: Informer<DaemonSet>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #revisions: Informer<ControllerRevision>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#events = context.recorder('daemonset-controller');
    this.#queue = context.queue('daemonset');
    this.#expectations = new Expectations(context.clock);
    this.#sets = context.informers.for<DaemonSet>(DAEMON_SET);
    this.#pods = context.informers.for<Pod>(POD);
    this.#nodes = context.informers.for<Node>(NODE);
    this.#revisions = context.informers.for<ControllerRevision>(CONTROLLER_REVISION);
  }

  start(): void {
    onEach(this.#sets, (set, _old, removed) => {
      if (removed) this.#expectations.forget(keyOf(set));
      this.#queue.add(keyOf(set));
    });
    onEach(this.#pods, (pod, old, removed) => this.#podChanged(pod, old, removed));
    onEach(this.#nodes, (node, old) => this.#nodeChanged(node, old));
    const after = [this.#sets, this.#pods, this.#nodes, this.#revisions];
    runWorkers(this.#context, this.#queue, { workers: 2, after, what: 'daemon set' }, (key) => this.#sync(key));
  }

  #podChanged(pod: Pod, old: Pod | undefined, removed: boolean): void {
    const owner = controllerOf(pod);
    if (owner === undefined) {
      for (const set of this.#sets.lister.list(pod.metadata.namespace)) {
        if (!removed && labelSelectorOf(set.spec?.selector).matches(pod.metadata.labels)) this.#queue.add(keyOf(set));
      }
      return;
    }
    if (owner.kind !== 'DaemonSet') return;
    const key = `${pod.metadata.namespace}/${owner.name}`;
    if (removed || pod.metadata.deletionTimestamp !== undefined) this.#expectations.observedDeletion(key, keyOf(pod));
    else if (old === undefined) this.#expectations.observedCreation(key);
    this.#queue.add(key);
    const minReady = this.#sets.lister.get(key)?.spec?.minReadySeconds ?? 0;
    if (old !== undefined && minReady > 0 && !isPodReady(old) && isPodReady(pod)) this.#queue.addAfter(key, (minReady + 1) * 1000);
  }

  /** Only a change that can alter where a set runs wakes it: heartbeats come every ten seconds from every node. */
  #nodeChanged(node: Node, old: Node | undefined): void {
    for (const set of this.#sets.lister.list()) {
      const fit = nodeFit(set, node);
      if (old !== undefined && isDeepEqual(nodeFit(set, old), fit)) continue;
      this.#queue.add(keyOf(set));
    }
  }

  async #sync(key: string): Promise<void> {
    const set = this.#sets.lister.get(key);
    if (set === undefined) {
      this.#expectations.forget(key);
      return;
    }
    const selector = labelSelectorOf(set.spec?.selector);
    if (selector.isEmpty) {
      this.#events.event(set, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.');
      return;
    }
    const namespace = splitKey(key).namespace;
    const owned = this.#revisions.lister.list(namespace).filter((revision) => controllerOf(revision)?.uid === set.metadata.uid);
    const hash = podTemplateHash(set.spec!.template, set.status?.collisionCount);
    const { current, others } = await ensureRevision(this.#context.client, set, DAEMON_SET, owned, {
      hash,
      template: set.spec!.template,
    });
    const currentHash = current.metadata.labels?.[HASH_LABEL] ?? hash;
    const pods = await claim(this.#context.client, POD, this.#pods.lister.list(namespace), {
      owner: set,
      ownerResource: DAEMON_SET,
      matches: (pod) => selector.matches(pod.metadata.labels),
      mayAdopt: isPodActive,
    });
    if (set.metadata.deletionTimestamp === undefined && this.#expectations.met(key)) {
      await this.#manage(key, set, pods, currentHash);
      if (this.#expectations.met(key)) {
        if (set.spec?.updateStrategy?.type !== 'OnDelete') await this.#rollOver(key, set, pods, currentHash);
        await pruneRevisions(
          this.#context.client,
          others,
          set.spec?.revisionHistoryLimit ?? 10,
          new Set(pods.map((pod) => pod.metadata.labels?.[HASH_LABEL] ?? '')),
        );
      }
    }
    await this.#updateStatus(set, pods, currentHash);
  }

  async #manage(key: string, set: DaemonSet, pods: readonly Pod[], hash: string): Promise<void> {
    const { create, remove } = plan(set, this.#nodes.lister.list(), pods);
    for (const pod of remove.filter((gone) => gone.status?.phase === 'Failed')) {
      const where = `${pod.metadata.namespace}/${pod.metadata.name} on node ${nodeOf(pod)}`;
      this.#events.event(set, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${where}, will try to kill it`);
    }
    await this.#apply(key, set, create, remove, hash);
  }

  async #rollOver(key: string, set: DaemonSet, pods: readonly Pod[], hash: string): Promise<void> {
    const nowMs = this.#context.clock.now();
    const minReady = set.spec?.minReadySeconds ?? 0;
    const wanted = this.#nodes.lister.list().filter((node) => nodeFit(set, node).shouldRun);
    const isUp = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && isPodAvailable(pod, minReady, nowMs);
    const most = scaledValue(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, wanted.length, 'up');
    let unavailable = wanted.filter((node) => !pods.some((pod) => nodeOf(pod) === node.metadata.name && isUp(pod))).length;
    const old = pods.filter((pod) => pod.metadata.labels?.[HASH_LABEL] !== hash && pod.metadata.deletionTimestamp === undefined);
    const going = old.filter((pod) => !isUp(pod));
    for (const pod of old.filter(isUp)) {
      if (unavailable >= most) break;
      going.push(pod);
      unavailable++;
    }
    if (going.length > 0) await this.#apply(key, set, [], going, hash);
  }

  async #apply(key: string, set: DaemonSet, create: readonly string[], remove: readonly Pod[], hash: string): Promise<void> {
    this.#expectations.expect(key, create.length, remove.map(keyOf));
    let failure: unknown;
    for (const node of create) {
      try {
        await createPod(this.#context.client, this.#events, set, daemonPod(set, node, hash, ownerReference(set, DAEMON_SET)));
      } catch (error) {
        this.#expectations.observedCreation(key);
        failure ??= error;
      }
    }
    for (const pod of remove) {
      try {
        await deletePod(this.#context.client, this.#events, set, pod);
      } catch (error) {
        this.#expectations.observedDeletion(key, keyOf(pod));
        if (!isNotFound(error)) failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async #updateStatus(set: DaemonSet, pods: readonly Pod[], hash: string): Promise<void> {
    const nowMs = this.#context.clock.now();
    const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
    for (const node of this.#nodes.lister.list()) {
      const here = pods.filter((pod) => nodeOf(pod) === node.metadata.name);
      if (!nodeFit(set, node).shouldRun) {
        if (here.length > 0) counts.misscheduled++;
        continue;
      }
      counts.desired++;
      const oldest = [...here].sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))[0];
      if (oldest === undefined) continue;
      counts.current++;
      if (isPodReady(oldest)) {
        counts.ready++;
        if (isPodAvailable(oldest, set.spec?.minReadySeconds ?? 0, nowMs)) counts.available++;
      }
      if (oldest.metadata.labels?.[HASH_LABEL] === hash) counts.updated++;
    }
    const unavailable = counts.desired - counts.available;
    const { collisionCount } = set.status ?? {};
    const status: NonNullable<DaemonSet['status']> = {
      currentNumberScheduled: counts.current,
      numberMisscheduled: counts.misscheduled,
      desiredNumberScheduled: counts.desired,
      numberReady: counts.ready,
      observedGeneration: set.metadata.generation ?? 0,
      ...(counts.updated === 0 ? {} : { updatedNumberScheduled: counts.updated }),
      ...(counts.available === 0 ? {} : { numberAvailable: counts.available }),
      ...(unavailable === 0 ? {} : { numberUnavailable: unavailable }),
      ...(collisionCount === undefined ? {} : { collisionCount }),
    };
    if (isDeepEqual(set.status, status)) return;
    await this.#context.client.updateStatus<DaemonSet>(DAEMON_SET, { ...set, status });
  }
}

function nodeOf(pod: Pod): string {
  if (pod.spec?.nodeName !== undefined && pod.spec.nodeName !== '') return pod.spec.nodeName;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms[0]?.matchFields?.find((field) => field.key === 'metadata.name')?.values?.[0] ?? '';
}
