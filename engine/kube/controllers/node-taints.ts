// Pure parts of the node lifecycle: which taints a node's conditions ask for, and patches that bring them about.

import type { NodeCondition, Taint, Toleration } from '../machinery/types.ts';
import type { Node } from '../machinery/types.ts';
import { rfc3339 } from '../machinery/time.ts';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/** Condition type, the status that is bad, and the taint that says so. */
const CONDITION_TAINTS: readonly (readonly [string, string, string])[] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
];
const OWNED_KEYS: ReadonlySet<string> = new Set([...CONDITION_TAINTS.map(([, , key]) => key), UNSCHEDULABLE]);

export function conditionOfNode(node: Node, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

export function hasTaint(node: Node, key: string, effect: string): boolean {
  return (node.spec?.taints ?? []).some((taint) => taint.key === key && taint.effect === effect);
}

/** The taints with the NoSchedule ones set as conditions and spec.unschedulable ask for, or undefined when they are so already. */
export function withConditionTaints(node: Node, nowMs: number): readonly Taint[] | undefined {
  const wanted: string[] = [];
  for (const [type, bad, key] of CONDITION_TAINTS) if (conditionOfNode(node, type)?.status === bad) wanted.push(key);
  if (node.spec?.unschedulable === true) wanted.push(UNSCHEDULABLE);
  const taints = node.spec?.taints ?? [];
  const isOwned = (taint: Taint): boolean => taint.effect === 'NoSchedule' && OWNED_KEYS.has(taint.key);
  const present = taints.filter(isOwned).map((taint) => taint.key);
  const toAdd = wanted.filter((key) => !present.includes(key));
  if (toAdd.length === 0 && present.every((key) => wanted.includes(key))) return undefined;
  const kept = taints.filter((taint) => !isOwned(taint) || wanted.includes(taint.key));
  return [...kept, ...toAdd.map((key) => ({ key, effect: 'NoSchedule', timeAdded: rfc3339(nowMs) }))];
}

/** NoExecute taints with `add` in and `remove` out, or undefined when nothing changes. */
export function withNoExecute(
  node: Node,
  change: { readonly add?: string; readonly remove: readonly string[] },
  nowMs: number,
): readonly Taint[] | undefined {
  const taints = node.spec?.taints ?? [];
  const kept = taints.filter((taint) => taint.effect !== 'NoExecute' || !change.remove.includes(taint.key));
  const isMissing = change.add !== undefined && !hasTaint(node, change.add, 'NoExecute');
  if (kept.length === taints.length && !isMissing) return undefined;
  return isMissing ? [...kept, { key: change.add!, effect: 'NoExecute', timeAdded: rfc3339(nowMs) }] : kept;
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if ((toleration.effect ?? '') !== '' && toleration.effect !== taint.effect) return false;
  if ((toleration.key ?? '') !== '' && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? 'Equal') {
    case 'Exists':
      return true;
    case 'Equal':
    case '':
      return (toleration.value ?? '') === (taint.value ?? '');
    default:
      return false;
  }
}

/**
 * How long a pod may stay on a node with these NoExecute taints: 'now' when one is not tolerated, undefined when all are
 * tolerated for good, otherwise seconds.
 */
export function stayOf(tolerations: readonly Toleration[], taints: readonly Taint[]): 'now' | number | undefined {
  const used: Toleration[] = [];
  for (const taint of taints) {
    const found = tolerations.find((toleration) => tolerates(toleration, taint));
    if (found === undefined) return 'now';
    used.push(found);
  }
  const limits = used.map((toleration) => toleration.tolerationSeconds).filter((seconds) => seconds !== undefined);
  return limits.length === 0 ? undefined : Math.max(0, Math.min(...limits));
}

export type ZoneState = 'normal' | 'partial' | 'full';

/** How disturbed a zone is (ComputeZoneState, threshold 0.55, at least three nodes). */
export function zoneState(conditions: readonly (NodeCondition | undefined)[], threshold: number): ZoneState {
  const ready = conditions.filter((condition) => condition?.status === 'True').length;
  const bad = conditions.length - ready;
  if (ready === 0 && bad > 0) return 'full';
  return bad > 2 && bad / conditions.length >= threshold ? 'partial' : 'normal';
}
