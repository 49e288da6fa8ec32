// Models NodeUnschedulable, NodeName, NodePorts, NodeAffinity and NodePreferAvoidPods.

import { matchesNodeAffinity, matchesTerm } from '../../machinery/node-affinity.ts';
import type { Pod, Toleration } from '../../machinery/types.ts';
import { FITS, MAX_SCORE, normalize, refuse, refuseForGood, type FilterPlugin, type ScorePlugin } from '../framework.ts';
import { tolerates } from './taint-toleration.ts';

const UNSCHEDULABLE = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const AVOID_PODS = 'scheduler.alpha.kubernetes.io/preferAvoidPods';

export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  filter: (pod, { node }) => {
    if (node.spec?.unschedulable !== true) return FITS;
    const isTolerated = (pod.spec?.tolerations ?? []).some((toleration: Toleration) => tolerates(toleration, UNSCHEDULABLE));
    return isTolerated ? FITS : refuseForGood('node(s) were unschedulable');
  },
};

export const nodeName: FilterPlugin = {
  name: 'NodeName',
  filter: (pod, { node }) => {
    const wanted = pod.spec?.nodeName ?? '';
    return wanted === '' || wanted === node.metadata.name ? FITS : refuseForGood("node(s) didn't match the requested hostname");
  },
};

interface HostPort {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

function hostPorts(pod: Pod): readonly HostPort[] {
  return (pod.spec?.containers ?? []).flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) > 0)
      .map((port) => ({ protocol: port.protocol ?? 'TCP', address: port.hostIP ?? '0.0.0.0', port: port.hostPort! })),
  );
}

const ANY = '0.0.0.0';
const collide = (a: HostPort, b: HostPort): boolean =>
  a.protocol === b.protocol && a.port === b.port && (a.address === b.address || a.address === ANY || b.address === ANY);

export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  filter: (pod, { pods }) => {
    const wanted = hostPorts(pod);
    if (wanted.length === 0) return FITS;
    const used = pods.flatMap(hostPorts);
    return wanted.some((port) => used.some((other) => collide(port, other)))
      ? refuse("node(s) didn't have free ports for the requested pod ports")
      : FITS;
  },
};

export const nodeAffinity: FilterPlugin & ScorePlugin = {
  name: 'NodeAffinity',
  weight: 1,
  filter: (pod, { node }) => (matchesNodeAffinity(pod.spec, node) ? FITS : refuseForGood("node(s) didn't match Pod's node affinity")),
  score: (pod, nodes) => {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const scores = nodes.map(({ node }) =>
      preferred.reduce((sum, term) => sum + (term.weight !== 0 && matchesTerm(term.preference, node) ? term.weight : 0), 0),
    );
    return normalize(scores, { reverse: false });
  },
};

export const nodePreferAvoidPods: ScorePlugin = {
  name: 'NodePreferAvoidPods',
  weight: 10_000,
  score: (pod, nodes) => {
    const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true);
    const isWatched = owner?.kind === 'ReplicationController' || owner?.kind === 'ReplicaSet';
    return nodes.map(({ node }) => {
      const annotation = node.metadata.annotations?.[AVOID_PODS];
      return isWatched && annotation !== undefined && annotation.includes(owner.uid) ? 0 : MAX_SCORE;
    });
  },
};
