// Models InterPodAffinity: required and preferred terms of the pod, and those of the pods that run already.

import { labelSelectorOf, type LabelSelectorSpec } from '../../machinery/selectors.ts';
import type { Pod } from '../../machinery/types.ts';
import { FITS, MAX_SCORE, refuse, refuseForGood, type FilterPlugin, type NodeInfo, type ScorePlugin } from '../framework.ts';

interface Term {
  readonly labelSelector?: LabelSelectorSpec;
  readonly namespaces?: readonly string[];
  readonly topologyKey: string;
}

const BASE = "node(s) didn't match pod affinity/anti-affinity";
/** Weight of the implicit preference behind a running pod's required affinity. */
const HARD_WEIGHT = 1;

function meets(term: Term, owner: Pod, pod: Pod): boolean {
  const namespaces = term.namespaces === undefined || term.namespaces.length === 0 ? [owner.metadata.namespace] : term.namespaces;
  return namespaces.includes(pod.metadata.namespace ?? '') && labelSelectorOf(term.labelSelector).matches(pod.metadata.labels);
}

const required = (pod: Pod, kind: 'podAffinity' | 'podAntiAffinity'): readonly Term[] =>
  pod.spec?.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

const sameDomain = (key: string, a: NodeInfo, b: NodeInfo): boolean => {
  const value = a.node.metadata.labels?.[key];
  return value !== undefined && value === b.node.metadata.labels?.[key];
};

export const interPodAffinity: FilterPlugin & ScorePlugin = {
  name: 'InterPodAffinity',
  weight: 1,
  filter: (pod, node, snapshot) => {
    const affinity = required(pod, 'podAffinity');
    // A pod that is the first of its kind may satisfy its own terms.
    const isFirst =
      affinity.length > 0 &&
      !snapshot.nodes.some((other) => other.pods.some((running) => affinity.every((term) => meets(term, pod, running)))) &&
      affinity.every((term) => meets(term, pod, pod));
    for (const term of affinity) {
      if (node.node.metadata.labels?.[term.topologyKey] === undefined)
        return refuseForGood(BASE, "node(s) didn't match pod affinity rules");
      const isMet = snapshot.nodes.some(
        (other) =>
          sameDomain(term.topologyKey, node, other) && other.pods.some((running) => affinity.every((each) => meets(each, pod, running))),
      );
      if (!isMet && !isFirst) return refuseForGood(BASE, "node(s) didn't match pod affinity rules");
    }
    for (const term of required(pod, 'podAntiAffinity')) {
      const isHit = snapshot.nodes.some(
        (other) => sameDomain(term.topologyKey, node, other) && other.pods.some((running) => meets(term, pod, running)),
      );
      if (isHit) return refuse(BASE, "node(s) didn't match pod anti-affinity rules");
    }
    for (const other of snapshot.nodes) {
      for (const running of other.pods) {
        const isHit = required(running, 'podAntiAffinity').some(
          (term) => sameDomain(term.topologyKey, node, other) && meets(term, running, pod),
        );
        if (isHit) return refuse(BASE, "node(s) didn't satisfy existing pods anti-affinity rules");
      }
    }
    return FITS;
  },
  score: (pod, nodes, snapshot) => {
    const raw = nodes.map(() => 0);
    const add = (key: string, other: NodeInfo, weight: number): void => {
      for (const [i, node] of nodes.entries()) if (sameDomain(key, node, other)) raw[i]! += weight;
    };
    const preferred = (
      of: Pod,
      kind: 'podAffinity' | 'podAntiAffinity',
    ): readonly { readonly weight: number; readonly podAffinityTerm: Term }[] =>
      of.spec?.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const other of snapshot.nodes) {
      for (const running of other.pods) {
        for (const { weight, podAffinityTerm: term } of preferred(pod, 'podAffinity'))
          if (meets(term, pod, running)) add(term.topologyKey, other, weight);
        for (const { weight, podAffinityTerm: term } of preferred(pod, 'podAntiAffinity'))
          if (meets(term, pod, running)) add(term.topologyKey, other, -weight);
        for (const term of required(running, 'podAffinity')) if (meets(term, running, pod)) add(term.topologyKey, other, HARD_WEIGHT);
        for (const { weight, podAffinityTerm: term } of preferred(running, 'podAffinity'))
          if (meets(term, running, pod)) add(term.topologyKey, other, weight);
        for (const { weight, podAffinityTerm: term } of preferred(running, 'podAntiAffinity'))
          if (meets(term, running, pod)) add(term.topologyKey, other, -weight);
      }
    }
    const max = Math.max(0, ...raw);
    const min = Math.min(0, ...raw);
    return raw.map((score) => (max === min ? 0 : Math.trunc((MAX_SCORE * (score - min)) / (max - min))));
  },
};
