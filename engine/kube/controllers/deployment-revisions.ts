// Models how the Deployment controller numbers and annotates its replica sets (deployment/util of v1.20).

import { isDeepEqual } from '../machinery/deep.ts';
import type { Deployment, PodTemplateSpec, ReplicaSet } from '../machinery/types.ts';
import { scaledValue } from './objects.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
export const HASH_LABEL = 'pod-template-hash';

/** Annotations of a deployment that its replica sets do not inherit. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);

export const replicasOf = (object: Deployment | ReplicaSet): number => object.spec?.replicas ?? 1;
export const isActive = (set: ReplicaSet): boolean => (set.spec?.replicas ?? 1) > 0;
export const byCreation = (a: ReplicaSet, b: ReplicaSet): number =>
  a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) || (a.metadata.name < b.metadata.name ? -1 : 1);

export function total(sets: readonly (ReplicaSet | undefined)[], count: (set: ReplicaSet) => number): number {
  return sets.reduce((sum, set) => sum + (set === undefined ? 0 : count(set)), 0);
}

export function isRolling(deployment: Deployment): boolean {
  return deployment.spec?.strategy?.type === 'RollingUpdate';
}

/** Surge and unavailability in pods; when both come to none, one may be unavailable, or nothing could ever move. */
export function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 };
  const rolling = deployment.spec?.strategy?.rollingUpdate;
  const replicas = replicasOf(deployment);
  const surge = scaledValue(rolling?.maxSurge, replicas, 'up');
  const unavailable = scaledValue(rolling?.maxUnavailable, replicas, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function maxUnavailable(deployment: Deployment): number {
  const replicas = replicasOf(deployment);
  return isRolling(deployment) && replicas > 0 ? Math.min(fenceposts(deployment).unavailable, replicas) : 0;
}

/** The replica set with the deployment's present template; of several the oldest, so that everybody picks the same. */
export function newReplicaSetOf(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = withoutHash(deployment.spec?.template);
  return [...sets].sort(byCreation).find((set) => isDeepEqual(withoutHash(set.spec?.template), wanted));
}

function withoutHash(template: PodTemplateSpec | undefined): unknown {
  const { [HASH_LABEL]: _hash, ...labels } = template?.metadata?.labels ?? {};
  const { creationTimestamp: _time, ...metadata } = template?.metadata ?? {};
  return { ...template, metadata: { ...metadata, labels } };
}

export function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0) || 0;
}

/** The annotations a new or current replica set should have, or undefined when it has them. */
export function newSetAnnotations(
  deployment: Deployment,
  set: ReplicaSet,
  revision: number,
  exists: boolean,
): Record<string, string> | undefined {
  const annotations = { ...set.metadata.annotations };
  let changed = false;
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (NOT_COPIED.has(key) || annotations[key] === value) continue;
    annotations[key] = value;
    changed = true;
  }
  const old = annotations[REVISION];
  if ((Number(old ?? 0) || 0) < revision) {
    annotations[REVISION] = String(revision);
    changed = true;
  }
  if (old !== undefined && changed) {
    const history = annotations[REVISION_HISTORY] ?? '';
    annotations[REVISION_HISTORY] = history === '' ? old : `${history},${old}`;
  }
  if (!exists) {
    const size = replicasAnnotations(deployment);
    if (annotations[DESIRED_REPLICAS] !== size[DESIRED_REPLICAS] || annotations[MAX_REPLICAS] !== size[MAX_REPLICAS]) changed = true;
    Object.assign(annotations, size);
  }
  return changed ? annotations : undefined;
}

export function replicasAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = replicasOf(deployment);
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + fenceposts(deployment).surge) };
}

/** How large the new set may become now without more than `replicas + maxSurge` pods in all. */
export function newSetSize(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const replicas = replicasOf(deployment);
  if (!isRolling(deployment)) return replicas;
  const room = replicas + fenceposts(deployment).surge - total(all, replicasOf);
  return room <= 0 ? current : current + Math.min(room, replicas - current);
}

/** What proportional scaling gives one of several active sets (GetProportion). */
export function proportion(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (replicasOf(set) === 0 || toAdd === 0 || toAdd === added) return 0;
  const fraction = shareOf(deployment, set);
  const allowed = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, allowed) : Math.max(fraction, allowed);
}

function shareOf(deployment: Deployment, set: ReplicaSet): number {
  const size = replicasOf(set);
  if (replicasOf(deployment) === 0) return -size;
  const former = Number(set.metadata.annotations?.[MAX_REPLICAS] ?? deployment.status?.replicas ?? 0) || 1;
  return Math.round((size * (replicasOf(deployment) + fenceposts(deployment).surge)) / former) - size;
}
