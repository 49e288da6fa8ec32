// Models the kubelet's own look at a pod before it takes it: does it fit on this node?

import type { Pod } from '../machinery/types.ts';
import { quantity } from './environment.ts';

export interface NodeCapacity {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly maxPods: number;
}

const EVICTION_MEMORY_BYTES = 100 * 1024 * 1024;

/** Why the pod is refused; undefined when it is taken. */
export function admit(
  pod: Pod,
  others: readonly Pod[],
  node: NodeCapacity,
): { readonly reason: string; readonly message: string } | undefined {
  if (others.length + 1 > node.maxPods) {
    return refusal('pods', 1, others.length, node.maxPods);
  }
  const asked = requestsOf(pod);
  const used = others
    .map(requestsOf)
    .reduce((sum, each) => ({ cpu: sum.cpu + each.cpu, memory: sum.memory + each.memory }), { cpu: 0, memory: 0 });
  if (asked.cpu > 0 && used.cpu + asked.cpu > node.cpuMilli) return refusal('cpu', asked.cpu, used.cpu, node.cpuMilli);
  const memory = node.memoryBytes - EVICTION_MEMORY_BYTES;
  if (asked.memory > 0 && used.memory + asked.memory > memory) return refusal('memory', asked.memory, used.memory, memory);
  return undefined;
}

function refusal(
  resource: string,
  requested: number,
  used: number,
  capacity: number,
): { readonly reason: string; readonly message: string } {
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}

/** The larger of what the containers need together and what an init container needs alone. */
function requestsOf(pod: Pod): { readonly cpu: number; readonly memory: number } {
  const of = (container: { resources?: { requests?: Record<string, string | number> } }, name: string): number =>
    quantity(container.resources?.requests?.[name] ?? 0);
  const total = (name: string, scale: number): number => {
    const together = pod.spec!.containers.reduce((sum, container) => sum + of(container, name), 0);
    const alone = Math.max(0, ...(pod.spec!.initContainers ?? []).map((container) => of(container, name)));
    return Math.round(Math.max(together, alone) * scale);
  };
  return { cpu: total('cpu', 1000), memory: total('memory', 1) };
}
