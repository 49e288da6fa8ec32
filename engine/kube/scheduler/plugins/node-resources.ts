// Models NodeResourcesFit, NodeResourcesLeastAllocated and NodeResourcesBalancedAllocation.

import type { Pod } from '../../machinery/types.ts';
import { FITS, MAX_SCORE, refuse, type FilterPlugin, type NodeInfo, type ScorePlugin } from '../framework.ts';
import { nonZeroRequestOf, requestOf } from '../resources.ts';

export const nodeResourcesFit: FilterPlugin = {
  name: 'NodeResourcesFit',
  filter: (pod, { allocatable, requested }) => {
    const request = requestOf(pod);
    const reasons: string[] = [];
    if (requested.pods + 1 > allocatable.pods) reasons.push('Too many pods');
    const lacks = (asked: number, used: number, there: number): boolean => asked > 0 && asked > there - used;
    if (lacks(request.cpuMilli, requested.cpuMilli, allocatable.cpuMilli)) reasons.push('Insufficient cpu');
    if (lacks(request.memoryBytes, requested.memoryBytes, allocatable.memoryBytes)) reasons.push('Insufficient memory');
    if (lacks(request.ephemeralBytes, requested.ephemeralBytes, allocatable.ephemeralBytes)) reasons.push('Insufficient ephemeral-storage');
    for (const [name, amount] of request.scalars) {
      if (lacks(amount, requested.scalars.get(name) ?? 0, allocatable.scalars.get(name) ?? 0)) reasons.push(`Insufficient ${name}`);
    }
    return reasons.length === 0 ? FITS : refuse(...reasons);
  },
};

/** Used and offered after the pod would be there: cpu, then memory. */
function loads(pod: Pod, { nonZero, allocatable }: NodeInfo): readonly (readonly [number, number])[] {
  const asked = nonZeroRequestOf(pod);
  return [
    [nonZero.cpuMilli + asked.cpuMilli, allocatable.cpuMilli],
    [nonZero.memoryBytes + asked.memoryBytes, allocatable.memoryBytes],
  ];
}

export const leastAllocated: ScorePlugin = {
  name: 'NodeResourcesLeastAllocated',
  weight: 1,
  score: (pod, nodes) =>
    nodes.map((node) => {
      const parts = loads(pod, node).map(([used, there]) =>
        there === 0 || used > there ? 0 : Math.trunc(((there - used) * MAX_SCORE) / there),
      );
      return Math.trunc(parts.reduce((a, b) => a + b, 0) / parts.length);
    }),
};

export const balancedAllocation: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  score: (pod, nodes) =>
    nodes.map((node) => {
      const [cpu = 1, memory = 1] = loads(pod, node).map(([used, there]) => (there === 0 ? 1 : used / there));
      return cpu >= 1 || memory >= 1 ? 0 : Math.trunc((1 - Math.abs(cpu - memory)) * MAX_SCORE);
    }),
};
