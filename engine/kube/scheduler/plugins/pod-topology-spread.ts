// Models PodTopologySpread: constraints of the pod, or the system's defaults for pods of services and sets.

import { labelSelectorOf, selectorFromSet, LabelSelector, type LabelSelectorSpec } from '../../machinery/selectors.ts';
import { matchesNodeAffinity } from '../../machinery/node-affinity.ts';
import type { Pod } from '../../machinery/types.ts';
import { FITS, MAX_SCORE, refuse, refuseForGood, type FilterPlugin, type NodeInfo, type ScorePlugin, type Snapshot } from '../framework.ts';

interface Constraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly selector: LabelSelector;
}

const HOSTNAME = 'kubernetes.io/hostname';
const MISMATCH = "node(s) didn't match pod topology spread constraints";

function constraintsOf(pod: Pod, when: 'DoNotSchedule' | 'ScheduleAnyway'): readonly Constraint[] {
  return (pod.spec?.topologySpreadConstraints ?? [])
    .filter((constraint) => constraint.whenUnsatisfiable === when)
    .map(({ maxSkew, topologyKey, labelSelector }) => ({ maxSkew, topologyKey, selector: labelSelectorOf(labelSelector) }));
}

/** Pods of services and sets are spread over hosts (skew 3) and zones (skew 5) when they say nothing themselves. */
function defaultConstraints(pod: Pod, snapshot: Snapshot): readonly Constraint[] {
  const selector = selectorOfOwners(pod, snapshot);
  if (selector.isEmpty) return [];
  return [
    { maxSkew: 3, topologyKey: HOSTNAME, selector },
    { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', selector },
  ];
}

/** Everything that services and the owning set ask of this pod's labels (helper.DefaultSelector). */
function selectorOfOwners(pod: Pod, snapshot: Snapshot): LabelSelector {
  const namespace = pod.metadata.namespace ?? '';
  const requirements = snapshot
    .services(namespace)
    .map((service) => selectorFromSet(service.spec?.selector))
    .filter((selector) => !selector.isEmpty && selector.matches(pod.metadata.labels))
    .flatMap((selector) => selector.requirements);
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true);
  const sets: readonly { readonly metadata: { readonly uid: string }; readonly spec?: { readonly selector?: LabelSelectorSpec } }[] =
    owner?.kind === 'ReplicaSet' ? snapshot.replicaSets(namespace) : owner?.kind === 'StatefulSet' ? snapshot.statefulSets(namespace) : [];
  const set = sets.find((candidate) => candidate.metadata.uid === owner?.uid);
  return new LabelSelector([...requirements, ...(set === undefined ? [] : labelSelectorOf(set.spec?.selector).requirements)]);
}

function countOn(node: NodeInfo, pod: Pod, selector: LabelSelector): number {
  return node.pods.filter(
    (other) =>
      other.metadata.deletionTimestamp === undefined &&
      other.metadata.namespace === pod.metadata.namespace &&
      selector.matches(other.metadata.labels),
  ).length;
}

export const podTopologySpread: FilterPlugin & ScorePlugin = {
  name: 'PodTopologySpread',
  weight: 2,
  filter: (pod, node, snapshot) => {
    const constraints = constraintsOf(pod, 'DoNotSchedule');
    for (const { topologyKey, maxSkew, selector } of constraints) {
      const domain = node.node.metadata.labels?.[topologyKey];
      if (domain === undefined) return refuseForGood(`${MISMATCH} (missing required label)`);
      const counts = new Map<string, number>();
      for (const other of snapshot.nodes) {
        const labels = other.node.metadata.labels ?? {};
        const hasAll = constraints.every((constraint) => labels[constraint.topologyKey] !== undefined);
        if (!hasAll || !matchesNodeAffinity(pod.spec, other.node)) continue;
        const key = labels[topologyKey]!;
        counts.set(key, (counts.get(key) ?? 0) + countOn(other, pod, selector));
      }
      const self = selector.matches(pod.metadata.labels) ? 1 : 0;
      if ((counts.get(domain) ?? 0) + self - Math.min(...counts.values()) > maxSkew) return refuse(MISMATCH);
    }
    return FITS;
  },
  score: (pod, nodes, snapshot) => {
    const own = constraintsOf(pod, 'ScheduleAnyway');
    const isOwn = (pod.spec?.topologySpreadConstraints ?? []).length > 0;
    const constraints = isOwn ? own : defaultConstraints(pod, snapshot);
    if (constraints.length === 0) return nodes.map(() => MAX_SCORE);
    // A node without a constraint's label cannot be compared; with the defaults it just does not take part in that one.
    const isIgnored = ({ node }: NodeInfo): boolean =>
      isOwn && constraints.some(({ topologyKey }) => node.metadata.labels?.[topologyKey] === undefined);
    const weights = constraints.map(({ topologyKey }) => {
      const known = nodes.filter((info) => !isIgnored(info) && info.node.metadata.labels?.[topologyKey] !== undefined);
      const size = topologyKey === HOSTNAME ? known.length : new Set(known.map((info) => info.node.metadata.labels![topologyKey])).size;
      return Math.log(size + 2);
    });
    const raw = nodes.map((info) => {
      if (isIgnored(info)) return undefined;
      let score = 0;
      for (const [i, { topologyKey, maxSkew, selector }] of constraints.entries()) {
        const domain = info.node.metadata.labels?.[topologyKey];
        if (domain === undefined) continue;
        const count =
          topologyKey === HOSTNAME
            ? countOn(info, pod, selector)
            : snapshot.nodes
                .filter((other) => other.node.metadata.labels?.[topologyKey] === domain)
                .reduce((sum, other) => sum + countOn(other, pod, selector), 0);
        score += count * weights[i]! + (maxSkew - 1);
      }
      return Math.trunc(score);
    });
    const counted = raw.filter((score) => score !== undefined);
    const max = Math.max(...counted);
    const min = Math.min(...counted);
    return raw.map((score) => {
      if (score === undefined) return 0;
      return max === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (max + min - score)) / max);
    });
  },
};
