// Models the status of a Deployment: counters, and the conditions Available, Progressing and ReplicaFailure.

import { rfc3339 } from '../machinery/time.ts';
import type { Deployment, ReplicaSet } from '../machinery/types.ts';
import { millisOf } from './controller.ts';
import { maxUnavailable, replicasOf, total } from './deployment-revisions.ts';

export type DeploymentStatus = NonNullable<Deployment['status']>;
export type DeploymentCondition = NonNullable<DeploymentStatus['conditions']>[number];

export function conditionOf(status: DeploymentStatus | undefined, type: string): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function newCondition(
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  nowMs: number,
): DeploymentCondition {
  const time = rfc3339(nowMs);
  return { type, status, lastUpdateTime: time, lastTransitionTime: time, reason, message };
}

/** Puts it last, unless the same status and reason stand there already. */
export function withCondition(status: DeploymentStatus, condition: DeploymentCondition): DeploymentStatus {
  const current = conditionOf(status, condition.type);
  if (current?.status === condition.status && current.reason === condition.reason) return status;
  const kept = current?.status === condition.status ? { ...condition, ...transitionOf(current) } : condition;
  return { ...status, conditions: [...(status.conditions ?? []).filter((other) => other.type !== condition.type), kept] };
}

function transitionOf(condition: DeploymentCondition): Pick<DeploymentCondition, 'lastTransitionTime'> {
  return condition.lastTransitionTime === undefined ? {} : { lastTransitionTime: condition.lastTransitionTime };
}

export function withoutCondition(status: DeploymentStatus, type: string): DeploymentStatus {
  return { ...status, conditions: (status.conditions ?? []).filter((condition) => condition.type !== type) };
}

export function calculateStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const available = total(all, (set) => set.status?.availableReplicas ?? 0);
  const isAvailable = available >= replicasOf(deployment) - maxUnavailable(deployment);
  const { collisionCount, conditions } = deployment.status ?? {};
  return withCondition(
    {
      observedGeneration: deployment.metadata.generation ?? 0,
      replicas: total(all, (set) => set.status?.replicas ?? 0),
      updatedReplicas: newSet?.status?.replicas ?? 0,
      readyReplicas: total(all, (set) => set.status?.readyReplicas ?? 0),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, total(all, replicasOf) - available),
      ...(collisionCount === undefined ? {} : { collisionCount }),
      conditions: [...(conditions ?? [])],
    },
    isAvailable
      ? newCondition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', nowMs)
      : newCondition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', nowMs),
  );
}

/** The status of a rollout: what calculateStatus says, and whether it progresses. */
export function rolloutStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  let status = calculateStatus(deployment, all, newSet, nowMs);
  if (!hasProgressDeadline(deployment)) status = withoutCondition(status, 'Progressing');
  const current = conditionOf(deployment.status, 'Progressing');
  const isDone = status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable';
  if (hasProgressDeadline(deployment) && !isDone) {
    const what = newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
    if (isComplete(deployment, status)) {
      status = withCondition(
        status,
        newCondition('Progressing', 'True', 'NewReplicaSetAvailable', `${what} has successfully progressed.`, nowMs),
      );
    } else if (isProgressing(deployment, status)) {
      // Replaced even when it says the same: its time of update is what the deadline counts from.
      const condition = newCondition('Progressing', 'True', 'ReplicaSetUpdated', `${what} is progressing.`, nowMs);
      const kept = current?.status === 'True' ? { ...condition, ...transitionOf(current) } : condition;
      status = withCondition(withoutCondition(status, 'Progressing'), kept);
    } else if (hasTimedOut(deployment, status, nowMs)) {
      status = withCondition(
        status,
        newCondition('Progressing', 'False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`, nowMs),
      );
    }
  }
  const failure = replicaFailure(all, newSet);
  return failure === undefined ? withoutCondition(status, 'ReplicaFailure') : withCondition(status, failure);
}

export function hasProgressDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== 2147483647;
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const replicas = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function isProgressing(deployment: Deployment, status: DeploymentStatus): boolean {
  const old = deployment.status ?? {};
  const oldOutdated = (old.replicas ?? 0) - (old.updatedReplicas ?? 0);
  const outdated = (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (status.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    outdated < oldOutdated ||
    (status.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

function hasTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const condition = conditionOf(status, 'Progressing');
  if (condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return millisOf(condition.lastUpdateTime) + (deployment.spec?.progressDeadlineSeconds ?? 600) * 1000 < nowMs;
}

/** When to look again at a rollout that could exceed its deadline in silence. */
export function recheckDelayMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const condition = conditionOf(deployment.status, 'Progressing');
  if (!hasProgressDeadline(deployment) || condition === undefined) return undefined;
  if (isComplete(deployment, status) || condition.reason === 'ProgressDeadlineExceeded') return undefined;
  const dueMs = millisOf(condition.lastUpdateTime) + (deployment.spec?.progressDeadlineSeconds ?? 600) * 1000;
  return Math.max(0, dueMs - nowMs) + 1000;
}

function replicaFailure(all: readonly ReplicaSet[], newSet: ReplicaSet | undefined): DeploymentCondition | undefined {
  const ofSet = (set: ReplicaSet | undefined): DeploymentCondition | undefined => {
    const found = set?.status?.conditions?.find((condition) => condition.type === 'ReplicaFailure');
    return found === undefined ? undefined : { ...found, lastUpdateTime: found.lastTransitionTime ?? '' };
  };
  return ofSet(newSet) ?? all.map(ofSet).find((condition) => condition !== undefined);
}

/** Counters of 0 are left out on the wire. */
export function trimmed(status: DeploymentStatus): DeploymentStatus {
  return Object.fromEntries(
    Object.entries(status).filter(([, value]) => value !== 0 && !(Array.isArray(value) && value.length === 0)),
  ) as DeploymentStatus;
}
