// Models the disruption controller: how many pods of a budget may be evicted now.

import type { PodDisruptionBudget, ReplicationController, StatefulSet } from '../machinery/kinds.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import {
  DEPLOYMENT,
  POD,
  POD_DISRUPTION_BUDGET,
  REPLICATION_CONTROLLER,
  REPLICA_SET,
  STATEFUL_SET,
  keyOf,
  splitKey,
} from '../machinery/resources.ts';
import { labelSelectorOf } from '../machinery/selectors.ts';
import type { Deployment, Pod, ReplicaSet } from '../machinery/types.ts';
import { millisOf, onEach, runWorkers, type ControllerContext } from './controller.ts';
import { controllerOf, isPodReady, scaledValue } from './objects.ts';

/** An eviction that was granted counts as gone for this long, until the pod is seen going. */
const DISRUPTION_TIMEOUT_MS = 120_000;

export function startDisruption(context: ControllerContext): void {
  const budgets = context.informers.for<PodDisruptionBudget>(POD_DISRUPTION_BUDGET);
  const pods = context.informers.for<Pod>(POD);
  const sets = context.informers.for<ReplicaSet>(REPLICA_SET);
  const deployments = context.informers.for<Deployment>(DEPLOYMENT);
  const stateful = context.informers.for<StatefulSet>(STATEFUL_SET);
  const controllers = context.informers.for<ReplicationController>(REPLICATION_CONTROLLER);
  const events = context.recorder('controllermanager');
  const queue = context.queue('disruption');
  onEach(budgets, (budget, _old, removed) => {
    if (!removed) queue.add(keyOf(budget));
  });
  onEach(pods, (pod, old) => {
    for (const budget of budgets.lister.list(pod.metadata.namespace)) {
      const selector = labelSelectorOf(budget.spec?.selector);
      if (selector.matches(pod.metadata.labels) || (old !== undefined && selector.matches(old.metadata.labels))) queue.add(keyOf(budget));
    }
  });

  /** The size the owners of these pods should have, each owner counted once. */
  const expectedScale = (members: readonly Pod[]): number => {
    const scales = new Map<string, number>();
    for (const pod of members) {
      const owner = controllerOf(pod);
      if (owner === undefined) continue;
      const key = `${pod.metadata.namespace}/${owner.name}`;
      if (owner.kind === 'ReplicaSet') {
        const set = sets.lister.get(key);
        const above = set === undefined ? undefined : controllerOf(set);
        const deployment = above?.kind === 'Deployment' ? deployments.lister.get(`${pod.metadata.namespace}/${above.name}`) : undefined;
        scales.set(deployment?.metadata.uid ?? owner.uid, deployment?.spec?.replicas ?? set?.spec?.replicas ?? 0);
      } else if (owner.kind === 'StatefulSet') scales.set(owner.uid, stateful.lister.get(key)?.spec?.replicas ?? 0);
      else if (owner.kind === 'ReplicationController') scales.set(owner.uid, controllers.lister.get(key)?.spec?.replicas ?? 0);
    }
    return [...scales.values()].reduce((sum, scale) => sum + scale, 0);
  };

  const after = [budgets, pods, sets, deployments, stateful, controllers];
  runWorkers(context, queue, { workers: 1, after, what: 'PodDisruptionBudget' }, async (key) => {
    const budget = budgets.lister.get(key);
    if (budget?.spec === undefined) return;
    const selector = labelSelectorOf(budget.spec.selector);
    const members = pods.lister
      .list(splitKey(key).namespace)
      .filter((pod) => selector.matches(pod.metadata.labels) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed');
    if (members.length === 0) events.event(budget, 'Normal', 'NoPods', 'No matching pods found');
    const { minAvailable, maxUnavailable } = budget.spec;
    let expected = members.length;
    let desired: number;
    if (maxUnavailable !== undefined) {
      expected = expectedScale(members);
      desired = Math.max(0, expected - scaledValue(maxUnavailable, expected, 'up'));
    } else if (typeof minAvailable === 'string') {
      expected = expectedScale(members);
      desired = scaledValue(minAvailable, expected, 'up');
    } else desired = minAvailable ?? 1;
    const nowMs = context.clock.now();
    const disrupted = Object.entries(budget.status?.disruptedPods ?? {}).filter(
      ([name, time]) =>
        nowMs - millisOf(time as string) < DISRUPTION_TIMEOUT_MS &&
        members.some((pod) => pod.metadata.name === name && pod.metadata.deletionTimestamp === undefined),
    );
    const gone = new Set(disrupted.map(([name]) => name));
    const healthy = members.filter(
      (pod) => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined && !gone.has(pod.metadata.name),
    ).length;
    const status: NonNullable<PodDisruptionBudget['status']> = {
      observedGeneration: budget.metadata.generation ?? 0,
      ...(disrupted.length === 0 ? {} : { disruptedPods: Object.fromEntries(disrupted) }),
      disruptionsAllowed: expected <= 0 ? 0 : Math.max(0, healthy - desired),
      currentHealthy: healthy,
      desiredHealthy: desired,
      expectedPods: expected,
    };
    if (isDeepEqual(status, budget.status)) return;
    await context.client.updateStatus<PodDisruptionBudget>(POD_DISRUPTION_BUDGET, { ...budget, status });
  });
}
