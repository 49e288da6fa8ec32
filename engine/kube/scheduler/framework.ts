// Models the scheduling framework of v1.20 as far as plugins need it: what a node holds, filters and scores.

import type { ReplicaSet, Service } from '../machinery/types.ts';
import type { PersistentVolumeClaim, StatefulSet } from '../machinery/kinds.ts';
import type { Node, Pod } from '../machinery/types.ts';
import type { Resources } from './resources.ts';

export const MAX_SCORE = 100;

export interface NodeInfo {
  readonly node: Node;
  readonly pods: readonly Pod[];
  readonly allocatable: Resources;
  readonly requested: Resources;
  /** What scoring counts: pods that ask for nothing weigh 100 millicores and 200 MB. */
  readonly nonZero: { readonly cpuMilli: number; readonly memoryBytes: number };
}

/** `resolvable` says that removing pods from the node could help (preemption). */
export type FilterVerdict =
  { readonly fits: true } | { readonly fits: false; readonly reasons: readonly string[]; readonly resolvable: boolean };
export const FITS: FilterVerdict = { fits: true };

export const refuse = (...reasons: readonly string[]): FilterVerdict => ({ fits: false, reasons, resolvable: true });
/** No eviction makes this node fit. */
export const refuseForGood = (...reasons: readonly string[]): FilterVerdict => ({ fits: false, reasons, resolvable: false });

/** The cluster as one scheduling cycle sees it. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  /** Objects that select pods of a namespace: services, replica sets, stateful sets. */
  services(namespace: string): readonly Service[];
  replicaSets(namespace: string): readonly ReplicaSet[];
  statefulSets(namespace: string): readonly StatefulSet[];
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
}

export interface FilterPlugin {
  readonly name: string;
  /** Once a cycle; a verdict that refuses refuses every node. */
  preFilter?(pod: Pod, snapshot: Snapshot): FilterVerdict;
  filter(pod: Pod, node: NodeInfo, snapshot: Snapshot): FilterVerdict;
}

export interface ScorePlugin {
  readonly name: string;
  readonly weight: number;
  /** One score a node, in their order, already normalized to 0..100. */
  score(pod: Pod, nodes: readonly NodeInfo[], snapshot: Snapshot): readonly number[];
}

/** helper.DefaultNormalizeScore. */
export function normalize(scores: readonly number[], options: { readonly reverse: boolean }): readonly number[] {
  const max = Math.max(0, ...scores);
  if (max === 0) return scores.map(() => (options.reverse ? MAX_SCORE : 0));
  return scores.map((score) => {
    const scaled = Math.trunc((MAX_SCORE * score) / max);
    return options.reverse ? MAX_SCORE - scaled : scaled;
  });
}
