// Models the node lifecycle controller: finds nodes whose kubelet has gone silent, says so in their conditions, marks
// their pods not ready, and taints them, at a rate that depends on how much of the cluster is disturbed.
// Not modelled: several zones have one limiter each, but the labels of zones only decide the grouping.

import { isConflict, isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { LEASE, NODE, POD, keyOf } from '../machinery/resources.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { Lease, Node, NodeCondition, Pod, Taint } from '../machinery/types.ts';
import type { EventRecorder, Lister, WorkQueue } from '../client/contracts.ts';
import { every, inBackground, millisOf, onEach, runWorkers, type ControllerContext } from './controller.ts';
import {
  NOT_READY,
  UNREACHABLE,
  conditionOfNode,
  hasTaint,
  withConditionTaints,
  withNoExecute,
  zoneState,
  type ZoneState,
} from './node-taints.ts';
import { TokenBucket } from './token-bucket.ts';

export interface NodeLifecycleOptions {
  readonly monitorPeriodMs: number;
  readonly gracePeriodMs: number;
  readonly startupGracePeriodMs: number;
  readonly evictionRate: number;
  readonly secondaryEvictionRate: number;
  readonly largeClusterSize: number;
  readonly unhealthyThreshold: number;
}

export const NODE_LIFECYCLE_DEFAULTS: NodeLifecycleOptions = {
  monitorPeriodMs: 5_000,
  gracePeriodMs: 40_000,
  startupGracePeriodMs: 60_000,
  evictionRate: 0.1,
  secondaryEvictionRate: 0.01,
  largeClusterSize: 50,
  unhealthyThreshold: 0.55,
};

/** Conditions a silent kubelet leaves unknown. */
const WATCHED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

interface Health {
  readonly conditions: readonly NodeCondition[];
  probeMs: number;
  renewTime: string | undefined;
}

interface Zone {
  readonly limiter: TokenBucket;
  /** Nodes waiting for their NoExecute taint, in order. */
  readonly waiting: Set<string>;
  state: ZoneState;
}

export function startNodeLifecycle(context: ControllerContext, options: NodeLifecycleOptions = NODE_LIFECYCLE_DEFAULTS): void {
  new NodeLifecycle(context, options).start();
}

class NodeLifecycle {
  readonly #context: ControllerContext;
  readonly #options: NodeLifecycleOptions;
  readonly #events: EventRecorder;
  readonly #nodes: Lister<Node>;
  readonly #pods: Lister<Pod>;
  readonly #leases: Lister<Lease>;
  readonly #taintQueue: WorkQueue;
  readonly #podQueue: WorkQueue;
  readonly #known = new Map<string, Node>();
  readonly #health = new Map<string, Health>();
  readonly #zones = new Map<string, Zone>();
  readonly #podsToMark = new Set<string>();
  #isAllDisrupted = false;
  #isFirstPass = true;
  #isTainting = false;

  constructor(context: ControllerContext, options: NodeLifecycleOptions) {
    this.#context = context;
    this.#options = options;
    this.#events = context.recorder('node-controller');
    this.#nodes = context.informers.for<Node>(NODE).lister;
    this.#pods = context.informers.for<Pod>(POD).lister;
    this.#leases = context.informers.for<Lease>(LEASE, { namespace: 'kube-node-lease' }).lister;
    this.#taintQueue = context.queue('node_lifecycle_controller');
    this.#podQueue = context.queue('node_lifecycle_controller_pods');
  }

  start(): void {
    const { informers } = this.#context;
    const nodes = informers.for<Node>(NODE);
    const pods = informers.for<Pod>(POD);
    const leases = informers.for<Lease>(LEASE, { namespace: 'kube-node-lease' });
    onEach(nodes, (node, _old, removed) => {
      if (!removed) this.#taintQueue.add(node.metadata.name);
    });
    onEach(pods, (pod, old, removed) => {
      if (!removed && (old === undefined || old.spec?.nodeName !== pod.spec?.nodeName)) this.#podQueue.add(keyOf(pod));
    });
    const after = [nodes, pods, leases];
    runWorkers(this.#context, this.#taintQueue, { workers: 8, after, what: 'node taints' }, (name) => this.#taintByCondition(name));
    runWorkers(this.#context, this.#podQueue, { workers: 4, after, what: 'pod of node' }, (key) => this.#checkPod(key));
    inBackground(this.#context, 'node lifecycle', async () => {
      await Promise.all(after.map((informer) => informer.synced));
      every(this.#context, 'Error monitoring node health', this.#options.monitorPeriodMs, () => this.#monitor());
    });
  }

  async #monitor(): Promise<void> {
    const nodes = this.#nodes.list();
    this.#noticeMembers(nodes);
    const zones = new Map<string, (NodeCondition | undefined)[]>();
    for (const node of nodes) {
      const { observed, current } = await this.#updateHealth(node);
      const zone = zoneOf(node);
      zones.set(zone, [...(zones.get(zone) ?? []), current]);
      if (current === undefined) continue;
      await this.#taintByReadiness(node, observed.status);
      const turnedBad = current.status !== 'True' && observed.status === 'True';
      if (turnedBad) {
        this.#events.event(node, 'Normal', 'NodeNotReady', `Node ${node.metadata.name} status is now: NodeNotReady`);
      }
      if (turnedBad || (this.#podsToMark.has(node.metadata.name) && observed.status !== 'True')) {
        await this.#markPodsNotReady(node.metadata.name);
      }
    }
    await this.#handleDisruption(zones, nodes);
    await this.#taintWaiting();
  }

  #noticeMembers(nodes: readonly Node[]): void {
    const present = new Set(nodes.map((node) => node.metadata.name));
    const areOld = this.#context.isResumed === true && this.#known.size === 0;
    for (const node of nodes) {
      const { name } = node.metadata;
      this.#zone(zoneOf(node));
      if (this.#known.has(name)) continue;
      if (areOld) {
        this.#known.set(name, node);
        continue;
      }
      this.#context.log('I', `Controller observed a new Node: ${JSON.stringify(name)}`);
      this.#events.event(node, 'Normal', 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
      this.#known.set(name, node);
    }
    for (const [name, node] of this.#known) {
      if (present.has(name)) continue;
      this.#context.log('I', `Controller observed a Node deletion: ${name}`);
      this.#events.event(node, 'Normal', 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`);
      this.#known.delete(name);
      this.#health.delete(name);
      for (const zone of this.#zones.values()) zone.waiting.delete(name);
    }
  }

  #zone(name: string): Zone {
    let zone = this.#zones.get(name);
    if (zone === undefined) {
      zone = { limiter: new TokenBucket(this.#context.clock, this.#options.evictionRate, 1), waiting: new Set(), state: 'normal' };
      this.#zones.set(name, zone);
    }
    return zone;
  }

  /** Notes signs of life; after the grace period without any the conditions become Unknown. */
  async #updateHealth(node: Node): Promise<{ readonly observed: NodeCondition; readonly current: NodeCondition | undefined }> {
    const nowMs = this.#context.clock.now();
    const ready = conditionOfNode(node, 'Ready');
    const created = node.metadata.creationTimestamp;
    const observed: NodeCondition = ready ?? { type: 'Ready', status: 'Unknown', lastHeartbeatTime: created, lastTransitionTime: created };
    const graceMs = ready === undefined ? this.#options.startupGracePeriodMs : this.#options.gracePeriodMs;
    const conditions = node.status?.conditions ?? [];
    const former = this.#health.get(node.metadata.name);
    const formerReady = former?.conditions.find((condition) => condition.type === 'Ready');
    let health: Health;
    if (former === undefined) {
      health = { conditions, probeMs: ready === undefined ? millisOf(created) : nowMs, renewTime: undefined };
    } else {
      const isAlive = (formerReady === undefined) !== (ready === undefined) || formerReady?.lastHeartbeatTime !== ready?.lastHeartbeatTime;
      health = { conditions, probeMs: isAlive ? nowMs : former.probeMs, renewTime: former.renewTime };
    }
    const renewTime = this.#leases.get(`kube-node-lease/${node.metadata.name}`)?.spec?.renewTime;
    if (renewTime !== undefined && (health.renewTime === undefined || health.renewTime < renewTime)) {
      health.renewTime = renewTime;
      health.probeMs = nowMs;
    }
    this.#health.set(node.metadata.name, health);
    if (nowMs <= health.probeMs + graceMs) return { observed, current: ready };
    const unknown = silentConditions(node, nowMs);
    if (isDeepEqual(unknown, conditions)) return { observed, current: ready };
    const current = unknown.find((condition) => condition.type === 'Ready');
    try {
      const written = await this.#context.client.updateStatus<Node>(NODE, { ...node, status: { ...node.status, conditions: unknown } });
      this.#health.set(node.metadata.name, { ...health, conditions: written.status?.conditions ?? unknown });
    } catch (error) {
      // The kubelet wrote at the same moment, so it lives; the next pass sees what it wrote.
      if (!isConflict(error) && !isNotFound(error)) throw error;
      return { observed, current: ready };
    }
    return { observed, current };
  }

  async #taintByReadiness(node: Node, status: string): Promise<void> {
    const zone = this.#zone(zoneOf(node));
    const { name } = node.metadata;
    if (status === 'True') {
      await this.#patchTaints(node, withNoExecute(node, { remove: [UNREACHABLE, NOT_READY] }, this.#context.clock.now()));
      if (zone.waiting.delete(name)) this.#context.log('I', `Node ${name} is healthy again, removing all taints`);
      return;
    }
    const [wanted, other] = status === 'False' ? [NOT_READY, UNREACHABLE] : [UNREACHABLE, NOT_READY];
    if (hasTaint(node, other!, 'NoExecute')) {
      await this.#patchTaints(node, withNoExecute(node, { add: wanted!, remove: [other!] }, this.#context.clock.now()));
    } else if (!hasTaint(node, wanted!, 'NoExecute') && !zone.waiting.has(name)) {
      zone.waiting.add(name);
      const what = status === 'False' ? 'NotReady' : 'unresponsive';
      this.#context.log(
        'I',
        `Node ${name} is ${what} as of ${new Date(this.#context.clock.now()).toISOString()}. Adding it to the Taint queue.`,
      );
    }
  }

  /** Gives waiting nodes their NoExecute taint as fast as their zone's rate allows. */
  async #taintWaiting(): Promise<void> {
    if (this.#isTainting) return;
    this.#isTainting = true;
    try {
      for (const zone of this.#zones.values()) {
        for (const name of [...zone.waiting]) {
          if (!zone.limiter.take()) {
            this.#wakeTainting(zone);
            break;
          }
          zone.waiting.delete(name);
          const node = this.#nodes.get(name);
          const status = node === undefined ? 'True' : conditionOfNode(node, 'Ready')?.status;
          if (node === undefined || status === 'True') continue;
          const [add, remove] = status === 'False' ? [NOT_READY, UNREACHABLE] : [UNREACHABLE, NOT_READY];
          await this.#patchTaints(node, withNoExecute(node, { add: add!, remove: [remove!] }, this.#context.clock.now()));
        }
      }
    } finally {
      this.#isTainting = false;
    }
  }

  #wakeTainting(zone: Zone): void {
    const delayMs = zone.limiter.nextInMs();
    if (delayMs === undefined) return;
    inBackground(this.#context, 'node taints', async () => {
      await this.#context.clock.sleep(delayMs, this.#context.signal);
      await this.#taintWaiting();
    });
  }

  async #patchTaints(node: Node, taints: readonly Taint[] | undefined): Promise<void> {
    if (taints === undefined) return;
    try {
      // A merge patch of the whole list, guarded by the version it was made from.
      await this.#context.client.patch<Node>(NODE, { name: node.metadata.name }, 'application/merge-patch+json', {
        metadata: { resourceVersion: node.metadata.resourceVersion },
        spec: { taints },
      });
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      this.#taintQueue.addAfter(node.metadata.name, 50);
    }
  }

  async #taintByCondition(name: string): Promise<void> {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    const taints = withConditionTaints(node, this.#context.clock.now());
    if (taints === undefined) return;
    await this.#context.client.patch<Node>(NODE, { name }, 'application/merge-patch+json', {
      metadata: { resourceVersion: node.metadata.resourceVersion },
      spec: { taints },
    });
  }

  /** A pod bound to a node that is not ready is not ready either. */
  async #checkPod(key: string): Promise<void> {
    const pod = this.#pods.get(key);
    const nodeName = pod?.spec?.nodeName;
    if (pod === undefined || nodeName === undefined || !this.#health.has(nodeName)) return;
    const node = this.#nodes.get(nodeName);
    const ready = node === undefined ? undefined : conditionOfNode(node, 'Ready');
    if (ready !== undefined && ready.status !== 'True') await this.#markPodNotReady(pod);
  }

  async #markPodsNotReady(nodeName: string): Promise<void> {
    this.#podsToMark.delete(nodeName);
    for (const pod of this.#pods.list()) {
      if (pod.spec?.nodeName !== nodeName) continue;
      try {
        await this.#markPodNotReady(pod);
      } catch (error) {
        if (this.#context.signal.aborted) throw error;
        this.#podsToMark.add(nodeName);
      }
    }
  }

  async #markPodNotReady(pod: Pod): Promise<void> {
    const conditions = pod.status?.conditions ?? [];
    const ready = conditions.find((condition) => condition.type === 'Ready');
    if (ready === undefined || ready.status === 'False') return;
    const now = rfc3339(this.#context.clock.now());
    try {
      await this.#context.client.updateStatus<Pod>(POD, {
        ...pod,
        status: {
          ...pod.status,
          conditions: conditions.map((condition) =>
            condition === ready ? { ...ready, status: 'False', lastTransitionTime: now } : condition,
          ),
        },
      });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    this.#events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
  }

  /** When everything looks dead, the fault is more likely ours: nothing is evicted then. */
  async #handleDisruption(zones: ReadonlyMap<string, readonly (NodeCondition | undefined)[]>, nodes: readonly Node[]): Promise<void> {
    const states = new Map(
      [...zones].map(([name, conditions]) => [name, zoneState(conditions, this.#options.unhealthyThreshold)] as const),
    );
    const isAllDisrupted = states.size > 0 && [...states.values()].every((state) => state === 'full');
    if (isAllDisrupted && !this.#isAllDisrupted) {
      this.#context.log('I', 'Controller detected that all Nodes are not-Ready. Entering master disruption mode.');
      for (const node of nodes) {
        await this.#patchTaints(node, withNoExecute(node, { remove: [UNREACHABLE, NOT_READY] }, this.#context.clock.now()));
        this.#zone(zoneOf(node)).waiting.delete(node.metadata.name);
      }
      for (const zone of this.#zones.values()) zone.limiter.setRate(0);
    } else if (!isAllDisrupted && this.#isAllDisrupted) {
      this.#context.log('I', 'Controller detected that some Nodes are Ready. Exiting master disruption mode.');
      for (const health of this.#health.values()) health.probeMs = this.#context.clock.now();
    }
    if (!isAllDisrupted) {
      for (const [name, state] of states) {
        const zone = this.#zone(name);
        if (zone.state !== state || this.#isAllDisrupted || this.#isFirstPass) {
          this.#context.log('I', `Controller detected that zone ${name} is now in state ${ZONE_STATES[state]}.`);
        }
        zone.limiter.setRate(this.#rateOf(state, zones.get(name)?.length ?? 0));
        zone.state = state;
      }
    }
    this.#isAllDisrupted = isAllDisrupted;
    this.#isFirstPass = false;
  }

  #rateOf(state: ZoneState, size: number): number {
    if (state !== 'partial') return this.#options.evictionRate;
    return size > this.#options.largeClusterSize ? this.#options.secondaryEvictionRate : 0;
  }
}

const ZONE_STATES: Readonly<Record<ZoneState, string>> = { normal: 'Normal', partial: 'PartialDisruption', full: 'FullDisruption' };

function zoneOf(node: Node): string {
  const labels = node.metadata.labels ?? {};
  const region = labels['topology.kubernetes.io/region'] ?? '';
  const zone = labels['topology.kubernetes.io/zone'] ?? '';
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`;
}

/** The conditions of a node nobody has heard of for the grace period. */
export function silentConditions(node: Node, nowMs: number): readonly NodeCondition[] & NodeCondition[] {
  const now = rfc3339(nowMs);
  const conditions = [...(node.status?.conditions ?? [])];
  for (const type of WATCHED) {
    const at = conditions.findIndex((condition) => condition.type === type);
    const current = conditions[at];
    if (current === undefined) {
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: now,
      });
    } else if (current.status !== 'Unknown') {
      conditions[at] = {
        ...current,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      };
    }
  }
  return conditions;
}
