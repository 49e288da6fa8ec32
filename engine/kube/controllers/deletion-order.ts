// Models which pods a replica set gives up first (controller.ActivePodsWithRanks of v1.20).

import type { Pod } from '../machinery/types.ts';
import { isPodActive, isPodReady } from './objects.ts';

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** The first to go comes first. `related` are the live pods of all sets with the same owner: nodes that hold several lose one first. */
export function inDeletionOrder(pods: readonly Pod[], related: readonly Pod[]): readonly Pod[] {
  const onNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName ?? '';
    if (isPodActive(pod)) onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  const rank = (pod: Pod): number => onNode.get(pod.spec?.nodeName ?? '') ?? 0;
  return [...pods].sort(
    (a, b) =>
      Number(isAssigned(a)) - Number(isAssigned(b)) ||
      (PHASES[a.status?.phase ?? ''] ?? 0) - (PHASES[b.status?.phase ?? ''] ?? 0) ||
      Number(isPodReady(a)) - Number(isPodReady(b)) ||
      rank(b) - rank(a) ||
      readyOrder(a, b) ||
      mostRestarts(b) - mostRestarts(a) ||
      b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp),
  );
}

function isAssigned(pod: Pod): boolean {
  return (pod.spec?.nodeName ?? '') !== '';
}

/** Of two ready pods the one that has been ready for less time goes first. */
function readyOrder(a: Pod, b: Pod): number {
  if (!isPodReady(a) || !isPodReady(b)) return 0;
  return readySince(b).localeCompare(readySince(a));
}

function readySince(pod: Pod): string {
  return String(pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.lastTransitionTime ?? '');
}

function mostRestarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));
}
