// Models the STATUS and ROLES columns of `kubectl get nodes` (v1.20 printers, printNode).

import type { Node } from '#engine/kube/machinery/types.ts';
import type { NodeView } from '#shared/views/views.ts';

const ROLE_LABEL = 'node-role.kubernetes.io/';

export function nodeView(node: Node, pods: number): NodeView {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const status = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (node.spec?.unschedulable) status.push('SchedulingDisabled');
  const roles = Object.keys(node.metadata.labels ?? {})
    .filter((label) => label.startsWith(ROLE_LABEL))
    .map((label) => label.slice(ROLE_LABEL.length))
    .sort();
  return {
    name: node.metadata.name,
    status: status.join(','),
    roles: roles.join(',') || '<none>',
    version: node.status?.nodeInfo?.kubeletVersion ?? '',
    address: node.status?.addresses?.find((address) => address.type === 'InternalIP')?.address ?? '',
    createdMs: Date.parse(node.metadata.creationTimestamp),
    pods,
  };
}
