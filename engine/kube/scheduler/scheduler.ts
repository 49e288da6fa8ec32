// Models kube-scheduler v1.20: one pod after another gets a node, by a binding posted to the API server.

import type { Clock } from '../../sim/clock.ts';
import type { Rng } from '../../sim/rng.ts';
import { ProcessExit } from '../../sim/stream.ts';
import type { EventRecorder, InformerSet, KubeClient } from '../client/contracts.ts';
import { isConflict, isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import type { PersistentVolumeClaim, StatefulSet } from '../machinery/kinds.ts';
import { NODE, PERSISTENT_VOLUME_CLAIM, POD, REPLICA_SET, SERVICE, STATEFUL_SET, keyOf } from '../machinery/resources.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { Node, Pod, ReplicaSet, Service } from '../machinery/types.ts';
import { decide, preempt } from './decide.ts';
import type { FilterVerdict, Snapshot } from './framework.ts';
import { SchedulingQueue } from './queue.ts';
import { nodeInfo } from './resources.ts';

export interface SchedulerOptions {
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly signal: AbortSignal;
  readonly name?: string;
  log(severity: 'I' | 'W' | 'E', text: string): void;
}

const isBound = (pod: Pod): boolean => (pod.spec?.nodeName ?? '') !== '';
const isFinished = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Schedules until the signal aborts. */
export async function runScheduler(options: SchedulerOptions): Promise<void> {
  await new Scheduler(options).run();
}

class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #queue: SchedulingQueue;
  /** Pods that have a node but whose binding the cache does not show yet. */
  readonly #assumed = new Map<string, { readonly pod: Pod; readonly node: string }>();
  /** Pods that wait for their victims on a node to go. */
  readonly #nominated = new Map<string, { readonly pod: Pod; readonly node: string }>();
  readonly #snapshotNodes: () => Snapshot;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#queue = new SchedulingQueue(options.clock);
    const { informers } = options;
    const nodes = informers.for<Node>(NODE);
    const pods = informers.for<Pod>(POD);
    const services = informers.for<Service>(SERVICE).lister;
    const sets = informers.for<ReplicaSet>(REPLICA_SET).lister;
    const stateful = informers.for<StatefulSet>(STATEFUL_SET).lister;
    const claims = informers.for<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIM).lister;
    this.#snapshotNodes = () => {
      const onNode = new Map<string, Pod[]>();
      const put = (node: string, pod: Pod): void => {
        const list = onNode.get(node);
        if (list === undefined) onNode.set(node, [pod]);
        else list.push(pod);
      };
      for (const pod of pods.lister.list()) if (isBound(pod) && !isFinished(pod)) put(pod.spec!.nodeName!, pod);
      for (const { pod, node } of this.#assumed.values()) put(node, pod);
      return {
        nodes: nodes.lister.list().map((node) => nodeInfo(node, onNode.get(node.metadata.name) ?? [])),
        services: (namespace) => services.list(namespace),
        replicaSets: (namespace) => sets.list(namespace),
        statefulSets: (namespace) => stateful.list(namespace),
        claim: (namespace, name) => claims.get(`${namespace}/${name}`),
      };
    };
  }

  async run(): Promise<void> {
    const { informers, signal } = this.#options;
    const nodes = informers.for<Node>(NODE);
    const pods = informers.for<Pod>(POD);
    const others = [SERVICE, REPLICA_SET, STATEFUL_SET, PERSISTENT_VOLUME_CLAIM].map((resource) => informers.for(resource));
    signal.addEventListener('abort', () => this.#queue.close(), { once: true });
    await Promise.all([nodes, ...others].map((informer) => informer.synced));
    pods.onChange((change) =>
      this.#podChanged(change.object, change.type === 'updated' ? change.old : undefined, change.type === 'removed'),
    );
    await pods.synced;
    // Those that were there before we listened.
    for (const pod of pods.lister.list()) if (this.#isOurs(pod)) this.#queue.add(pod);
    nodes.onChange((change) => {
      if (change.type !== 'updated' || matters(change.old, change.object)) this.#queue.moveAll();
    });
    for (const informer of others) informer.onChange(() => this.#queue.moveAll());
    for (let next = await this.#queue.take(); next !== undefined; next = await this.#queue.take()) {
      if (signal.aborted) return;
      try {
        await this.#schedule(next.key, next.moves);
      } catch (error) {
        if (error instanceof ProcessExit || signal.aborted) throw error;
        this.#options.log('E', `Error scheduling pod ${next.key}; retrying: ${error instanceof Error ? error.message : String(error)}`);
        this.#queue.unschedulable(next.key, -1);
      }
    }
  }

  #isOurs(pod: Pod): boolean {
    return (
      !isBound(pod) && !isFinished(pod) && (pod.spec?.schedulerName ?? 'default-scheduler') === (this.#options.name ?? 'default-scheduler')
    );
  }

  #podChanged(pod: Pod, old: Pod | undefined, removed: boolean): void {
    const key = keyOf(pod);
    if (removed) {
      this.#assumed.delete(key);
      this.#nominated.delete(key);
      this.#queue.delete(pod);
      if (isBound(pod)) this.#queue.moveAll();
      return;
    }
    if (isBound(pod)) {
      this.#assumed.delete(key);
      this.#nominated.delete(key);
      if (old === undefined || !isBound(old)) {
        this.#queue.delete(pod);
        if (hasAffinity(pod)) this.#queue.moveAll();
      } else if (isFinished(pod) !== isFinished(old)) this.#queue.moveAll();
      return;
    }
    if (!this.#isOurs(pod) || this.#assumed.has(key)) return;
    if (old === undefined) this.#queue.add(pod);
    else if (!isDeepEqual(old.spec, pod.spec) || !isDeepEqual(comparedMeta(old), comparedMeta(pod))) this.#queue.update(pod);
    else if (pod.metadata.deletionTimestamp !== undefined && old.metadata.deletionTimestamp === undefined) this.#queue.update(pod);
  }

  async #schedule(key: string, moves: number): Promise<void> {
    const pod = this.#options.informers.for<Pod>(POD).lister.get(key);
    if (pod === undefined || !this.#isOurs(pod)) return this.#queue.done(key);
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.#options.events.event(pod, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${key}`, { action: 'Scheduling' });
      return this.#queue.done(key);
    }
    const snapshot = this.#withNominated(pod, this.#snapshotNodes());
    const decision = decide(pod, snapshot, this.#options.rng);
    if (decision.node === undefined) return this.#failed(pod, moves, decision.message, snapshot, decision.verdicts);
    await this.#bind(pod, decision.node);
  }

  /** Room on a node that a more important pod waits for counts as taken. */
  #withNominated(pod: Pod, snapshot: Snapshot): Snapshot {
    const waiting = [...this.#nominated.entries()].filter(
      ([key, { pod: other }]) => key !== keyOf(pod) && (other.spec?.priority ?? 0) >= (pod.spec?.priority ?? 0),
    );
    if (waiting.length === 0) return snapshot;
    const nodes = snapshot.nodes.map((info) => {
      const here = waiting.filter(([, { node }]) => node === info.node.metadata.name).map(([, { pod: other }]) => other);
      return here.length === 0 ? info : nodeInfo(info.node, [...info.pods, ...here]);
    });
    return { ...snapshot, nodes };
  }

  async #bind(pod: Pod, node: string): Promise<void> {
    const key = keyOf(pod);
    const { name, namespace, uid } = pod.metadata;
    this.#assumed.set(key, { pod: { ...pod, spec: { ...pod.spec!, nodeName: node } }, node });
    this.#nominated.delete(key);
    try {
      await this.#options.client.createSubresource(POD, name, namespace, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      });
    } catch (error) {
      this.#assumed.delete(key);
      if (isNotFound(error)) return this.#queue.done(key);
      if (!isConflict(error)) this.#options.log('I', `Failed to bind pod: ${key}`);
      throw error;
    }
    this.#queue.done(key);
    this.#options.log('I', `"Successfully bound pod to node" pod="${key}" node="${node}"`);
    this.#options.events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`, { action: 'Binding' });
  }

  async #failed(pod: Pod, moves: number, message: string, snapshot: Snapshot, verdicts: ReadonlyMap<string, FilterVerdict>): Promise<void> {
    const key = keyOf(pod);
    const plan = preempt(pod, snapshot, verdicts);
    if (plan !== undefined) {
      this.#nominated.set(key, { pod, node: plan.node });
      for (const victim of plan.victims) {
        try {
          await this.#options.client.delete(POD, victim.metadata.name, victim.metadata.namespace);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
        this.#options.events.event(victim, 'Normal', 'Preempted', `Preempted by ${key} on node ${plan.node}`, { action: 'Preempting' });
      }
    }
    this.#options.log('I', `"Unable to schedule pod; no fit; waiting" pod="${key}" err="${message}"`);
    this.#options.events.event(pod, 'Warning', 'FailedScheduling', message, { action: 'Scheduling' });
    this.#queue.unschedulable(key, moves);
    await this.#writeCondition(pod, message, plan?.node);
  }

  async #writeCondition(pod: Pod, message: string, nominatedNodeName: string | undefined): Promise<void> {
    const former = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
    const isSame = former?.status === 'False' && former.reason === 'Unschedulable' && former.message === message;
    if (isSame && nominatedNodeName === undefined) return;
    const now = rfc3339(this.#options.clock.now());
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: former?.status === 'False' ? former.lastTransitionTime : now,
    };
    const { name, namespace } = pod.metadata;
    try {
      await this.#options.client.patch(
        POD,
        { name, ...(namespace === undefined ? {} : { namespace }), subresource: 'status' },
        'application/strategic-merge-patch+json',
        { status: { conditions: [condition], ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) } },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function hasAffinity(pod: Pod): boolean {
  return (
    pod.spec?.affinity?.podAffinity !== undefined ||
    pod.spec?.affinity?.podAntiAffinity !== undefined ||
    Object.keys(pod.metadata.labels ?? {}).length > 0
  );
}

/** Changes of a node that can make it fit for a pod; heartbeats cannot. */
function matters(old: Node, node: Node): boolean {
  const facts = (of: Node): unknown => [
    of.spec?.unschedulable ?? false,
    of.spec?.taints ?? [],
    of.metadata.labels ?? {},
    of.status?.allocatable ?? {},
    (of.status?.conditions ?? []).map((condition) => [condition.type, condition.status]),
  ];
  return !isDeepEqual(facts(old), facts(node));
}

/** What makes a pod worth another try: all but its versions. managedFields count, so the scheduler's own first condition does too. */
function comparedMeta({ metadata }: Pod): object {
  const { resourceVersion: _version, generation: _generation, ...rest } = metadata;
  return rest;
}
