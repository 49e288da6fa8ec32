// Pure part of the scheduler: which node a pod goes to, or why to none, and whom it could push aside.

import type { Rng } from '../../sim/rng.ts';
import type { Pod } from '../machinery/types.ts';
import { FITS, type FilterVerdict, type NodeInfo, type Snapshot } from './framework.ts';
import { FILTERS, SCORES } from './plugins/index.ts';
import { nodeInfo } from './resources.ts';

export type Decision =
  { readonly node: string } | { readonly node: undefined; readonly message: string; readonly verdicts: ReadonlyMap<string, FilterVerdict> };

export function decide(pod: Pod, snapshot: Snapshot, rng: Rng): Decision {
  if (snapshot.nodes.length === 0) return { node: undefined, message: 'no nodes available to schedule pods', verdicts: new Map() };
  const verdicts = new Map<string, FilterVerdict>();
  const refusal = FILTERS.map((plugin) => plugin.preFilter?.(pod, snapshot) ?? FITS).find((verdict) => !verdict.fits);
  for (const node of snapshot.nodes) verdicts.set(node.node.metadata.name, refusal ?? filterNode(pod, node, snapshot));
  const feasible = snapshot.nodes.filter((node) => verdicts.get(node.node.metadata.name)?.fits === true);
  if (feasible.length === 0) return { node: undefined, message: fitError(verdicts), verdicts };
  if (feasible.length === 1) return { node: feasible[0]!.node.metadata.name };
  const totals = scoreNodes(pod, feasible, snapshot);
  return { node: feasible[pickBest(totals, rng)]!.node.metadata.name };
}

export function filterNode(pod: Pod, node: NodeInfo, snapshot: Snapshot): FilterVerdict {
  for (const plugin of FILTERS) {
    const verdict = plugin.filter(pod, node, snapshot);
    if (!verdict.fits) return verdict;
  }
  return FITS;
}

export function scoreNodes(pod: Pod, nodes: readonly NodeInfo[], snapshot: Snapshot): readonly number[] {
  const totals = nodes.map(() => 0);
  for (const plugin of SCORES) {
    for (const [i, score] of plugin.score(pod, nodes, snapshot).entries()) totals[i]! += score * plugin.weight;
  }
  return totals;
}

/** The highest; among equals chance decides, each with the same probability. */
function pickBest(totals: readonly number[], rng: Rng): number {
  let best = 0;
  let ties = 1;
  for (let i = 1; i < totals.length; i++) {
    if (totals[i]! > totals[best]!) {
      best = i;
      ties = 1;
    } else if (totals[i] === totals[best]) {
      ties++;
      if (rng.int(ties) === 0) best = i;
    }
  }
  return best;
}

/** `0/4 nodes are available: 1 node(s) had taint ..., 3 Insufficient cpu.` */
export function fitError(verdicts: ReadonlyMap<string, FilterVerdict>): string {
  const counts = new Map<string, number>();
  for (const verdict of verdicts.values()) {
    if (!verdict.fits) for (const reason of verdict.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${verdicts.size} nodes are available: ${parts.join(', ')}.`;
}

export interface Preemption {
  readonly node: string;
  readonly victims: readonly Pod[];
}

const priorityOf = (pod: Pod): number => pod.spec?.priority ?? 0;

/** The node where removing pods of lower priority makes room at the least cost. */
export function preempt(pod: Pod, snapshot: Snapshot, verdicts: ReadonlyMap<string, FilterVerdict>): Preemption | undefined {
  if (pod.spec?.preemptionPolicy === 'Never') return undefined;
  const candidates: Preemption[] = [];
  for (const node of snapshot.nodes) {
    const verdict = verdicts.get(node.node.metadata.name);
    if (verdict === undefined || verdict.fits || !verdict.resolvable) continue;
    const victims = victimsOn(pod, node, snapshot);
    if (victims !== undefined && victims.length > 0) candidates.push({ node: node.node.metadata.name, victims });
  }
  const cost = ({ victims }: Preemption): readonly number[] => [
    Math.max(...victims.map(priorityOf)),
    victims.reduce((sum, victim) => sum + priorityOf(victim) + 2 ** 31, 0),
    victims.length,
    -Math.min(...victims.map((victim) => Date.parse(String(victim.status?.startTime ?? victim.metadata.creationTimestamp)))),
  ];
  return candidates.sort((a, b) => compare(cost(a), cost(b)))[0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value - b[i]!;
  return 0;
}

/** Takes all lower pods away and gives back, most important first, those that fit beside the new one. */
function victimsOn(pod: Pod, node: NodeInfo, snapshot: Snapshot): readonly Pod[] | undefined {
  const lower = node.pods.filter((other) => priorityOf(other) < priorityOf(pod));
  let kept = node.pods.filter((other) => !lower.includes(other));
  const fits = (pods: readonly Pod[]): boolean => {
    const changed = nodeInfo(node.node, pods);
    const nodes = snapshot.nodes.map((other) => (other === node ? changed : other));
    return filterNode(pod, changed, { ...snapshot, nodes }).fits;
  };
  if (!fits(kept)) return undefined;
  const victims: Pod[] = [];
  const important = [...lower].sort(
    (a, b) => priorityOf(b) - priorityOf(a) || String(a.status?.startTime ?? '').localeCompare(String(b.status?.startTime ?? '')),
  );
  for (const other of important) {
    if (fits([...kept, other])) kept = [...kept, other];
    else victims.push(other);
  }
  return victims;
}
