// What pods ask for and nodes offer, in numbers.

import { Quantity } from '../machinery/quantity.ts';
import type { Node, Pod } from '../machinery/types.ts';
import type { NodeInfo } from './framework.ts';

export interface Resources {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  readonly pods: number;
  /** Extended resources and huge pages. */
  readonly scalars: ReadonlyMap<string, number>;
}

const DEFAULT_CPU_MILLI = 100;
const DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024;

type Amounts = Readonly<Record<string, string | number | undefined>> | undefined;

function amounts(list: Amounts, pods: number): Resources {
  const scalars = new Map<string, number>();
  let cpuMilli = 0;
  let memoryBytes = 0;
  let ephemeralBytes = 0;
  for (const [name, amount] of Object.entries(list ?? {})) {
    const quantity = Quantity.parse(String(amount));
    if (name === 'cpu') cpuMilli = quantity.milli;
    else if (name === 'memory') memoryBytes = quantity.value;
    else if (name === 'ephemeral-storage') ephemeralBytes = quantity.value;
    else if (name === 'pods') pods = quantity.value;
    else scalars.set(name, quantity.value);
  }
  return { cpuMilli, memoryBytes, ephemeralBytes, pods, scalars };
}

function combine(a: Resources, b: Resources, how: (x: number, y: number) => number): Resources {
  const scalars = new Map(a.scalars);
  for (const [name, amount] of b.scalars) scalars.set(name, how(scalars.get(name) ?? 0, amount));
  return {
    cpuMilli: how(a.cpuMilli, b.cpuMilli),
    memoryBytes: how(a.memoryBytes, b.memoryBytes),
    ephemeralBytes: how(a.ephemeralBytes, b.ephemeralBytes),
    pods: how(a.pods, b.pods),
    scalars,
  };
}

const NOTHING = amounts(undefined, 0);
const sum = (x: number, y: number): number => x + y;

/** The sum of the containers, or the largest init container where that is more; and the overhead. */
export function requestOf(pod: Pod): Resources {
  let total = NOTHING;
  for (const container of pod.spec?.containers ?? []) total = combine(total, amounts(container.resources?.requests, 0), sum);
  for (const container of pod.spec?.initContainers ?? []) total = combine(total, amounts(container.resources?.requests, 0), Math.max);
  return combine(total, amounts(pod.spec?.overhead, 0), sum);
}

/** Every container counts with something, so that pods without requests spread, too. */
export function nonZeroRequestOf(pod: Pod): { readonly cpuMilli: number; readonly memoryBytes: number } {
  let cpuMilli = 0;
  let memoryBytes = 0;
  for (const container of pod.spec?.containers ?? []) {
    const requests = container.resources?.requests;
    cpuMilli += requests?.['cpu'] === undefined ? DEFAULT_CPU_MILLI : amounts(requests, 0).cpuMilli;
    memoryBytes += requests?.['memory'] === undefined ? DEFAULT_MEMORY_BYTES : amounts(requests, 0).memoryBytes;
  }
  return { cpuMilli, memoryBytes };
}

export function nodeInfo(node: Node, pods: readonly Pod[]): NodeInfo {
  let requested = NOTHING;
  let cpuMilli = 0;
  let memoryBytes = 0;
  for (const pod of pods) {
    requested = combine(requested, { ...requestOf(pod), pods: 1 }, sum);
    const nonZero = nonZeroRequestOf(pod);
    cpuMilli += nonZero.cpuMilli;
    memoryBytes += nonZero.memoryBytes;
  }
  return { node, pods, allocatable: amounts(node.status?.allocatable, 0), requested, nonZero: { cpuMilli, memoryBytes } };
}
