// Pure part of the DaemonSet controller: on which nodes a set runs, and which pods to make and remove.

import type { DaemonSet, Node, OwnerReference, Pod, Toleration } from '../machinery/types.ts';
import { matchesNodeAffinity } from '../machinery/node-affinity.ts';
import { podFromTemplate, type NewPod } from './pods.ts';
import { tolerates } from './node-taints.ts';

export interface NodeFit {
  readonly shouldRun: boolean;
  readonly shouldContinue: boolean;
}

/** Tolerations every daemon pod gets: it stays on nodes that are unwell. */
function daemonTolerations(hostNetwork: boolean): readonly Toleration[] {
  const pressure = ['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'];
  return [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
    ...pressure.map((name) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect: 'NoSchedule' })),
    ...(hostNetwork ? [{ key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' }] : []),
  ];
}

export function tolerationsOf(set: DaemonSet): readonly Toleration[] {
  const own = set.spec?.template.spec?.tolerations ?? [];
  const same = (a: Toleration, b: Toleration): boolean =>
    a.key === b.key && a.effect === b.effect && (a.operator ?? 'Equal') === (b.operator ?? 'Equal') && (a.value ?? '') === (b.value ?? '');
  const missing = daemonTolerations(set.spec?.template.spec?.hostNetwork === true).filter(
    (toleration) => !own.some((other) => same(other, toleration)),
  );
  return [...own, ...missing];
}

export function nodeFit(set: DaemonSet, node: Node): NodeFit {
  const spec = set.spec?.template.spec;
  const isNamed = spec?.nodeName === undefined || spec.nodeName === '' || spec.nodeName === node.metadata.name;
  if (!isNamed || !matchesNodeAffinity(spec, node)) return { shouldRun: false, shouldContinue: false };
  const tolerations = tolerationsOf(set);
  const isTolerated = (effect: string): boolean =>
    (node.spec?.taints ?? [])
      .filter((taint) => taint.effect === effect)
      .every((taint) => tolerations.some((toleration) => tolerates(toleration, taint)));
  if (!isTolerated('NoExecute')) return { shouldRun: false, shouldContinue: false };
  return isTolerated('NoSchedule') ? { shouldRun: true, shouldContinue: true } : { shouldRun: false, shouldContinue: true };
}

/** Names of nodes that want a pod, and pods that must go. */
export function plan(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
): { readonly create: readonly string[]; readonly remove: readonly Pod[] } {
  const create: string[] = [];
  const remove: Pod[] = [];
  const onNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    const node = targetNode(pod);
    onNode.set(node, [...(onNode.get(node) ?? []), pod]);
  }
  for (const node of nodes) {
    const here = onNode.get(node.metadata.name) ?? [];
    onNode.delete(node.metadata.name);
    const { shouldRun, shouldContinue } = nodeFit(set, node);
    const living = here.filter((pod) => pod.metadata.deletionTimestamp === undefined);
    if (shouldRun && here.length === 0) create.push(node.metadata.name);
    if (!shouldContinue) remove.push(...living);
    else {
      remove.push(...living.filter((pod) => pod.status?.phase === 'Failed'));
      const running = living.filter((pod) => pod.status?.phase !== 'Failed');
      running.sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp));
      remove.push(...running.slice(1));
    }
  }
  // Pods that wait for a node that is gone and have not been bound can never run.
  for (const [, orphans] of onNode) {
    remove.push(...orphans.filter((pod) => (pod.spec?.nodeName ?? '') === '' && pod.metadata.deletionTimestamp === undefined));
  }
  return { create, remove };
}

function targetNode(pod: Pod): string {
  if ((pod.spec?.nodeName ?? '') !== '') return pod.spec!.nodeName!;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms[0]?.matchFields?.find((field) => field.key === 'metadata.name')?.values?.[0] ?? '';
}

/** The pod for one node: pinned by node affinity, so that the scheduler binds it. */
export function daemonPod(set: DaemonSet, node: string, hash: string, reference: OwnerReference): NewPod {
  const pod = podFromTemplate(set.spec!.template, set, reference);
  const generation = set.metadata.annotations?.['deprecated.daemonset.template.generation'];
  const affinity = pod.spec?.affinity;
  const former = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  const terms = former.length === 0 ? [{ matchFields }] : former.map((term) => ({ ...term, matchFields }));
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        'controller-revision-hash': hash,
        ...(generation === undefined ? {} : { 'pod-template-generation': generation }),
      },
    },
    spec: {
      ...pod.spec!,
      affinity: {
        ...affinity,
        nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
      },
      tolerations: [...tolerationsOf(set)],
    },
  };
}
