// Node.

import { ageOf } from '../../machinery/time.ts';
import type { Node } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { linkPodCidrs, validateNode, validateNodeUpdate } from './node-validation.ts';
import { roundResources } from './pod-defaults.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

export const NODE: ResourceDefinition = defineResource<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  isNamespaced: false,
  hasStatus: true,
  storagePrefix: 'minions',
  otherSubresources: [{ name: 'proxy', kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }],
  fields: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false) },
  strategy: {
    setDefaults(node) {
      const { status } = node;
      if (status !== undefined) {
        roundResources(status.capacity);
        if (status.capacity !== undefined) status.allocatable ??= { ...status.capacity };
        roundResources(status.allocatable);
      }
      linkPodCidrs(node);
    },
    validate: validateNode,
    validateUpdate: (next, current, meta) => [...meta.object, ...validateNode(next), ...validateNodeUpdate(next, current, meta)],
    validateStatusUpdate: validateNodeUpdate,
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Status', type: 'string', description: 'The status of the node' },
      { name: 'Roles', type: 'string', description: 'The roles of the node' },
      AGE_COLUMN,
      { name: 'Version', type: 'string', description: 'Kubelet Version reported by the node.' },
      { name: 'Internal-IP', type: 'string', priority: 1, description: 'List of addresses reachable to the node.' },
      { name: 'External-IP', type: 'string', priority: 1, description: 'List of addresses reachable to the node.' },
      {
        name: 'OS-Image',
        type: 'string',
        priority: 1,
        description: 'OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).',
      },
      {
        name: 'Kernel-Version',
        type: 'string',
        priority: 1,
        description: "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).",
      },
      {
        name: 'Container-Runtime',
        type: 'string',
        priority: 1,
        description: 'ContainerRuntime Version reported by the node through runtime remote API (e.g. docker://1.5.0).',
      },
    ],
    cells(node, nowMs) {
      const { status } = node;
      const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
      const states = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
      if (node.spec?.unschedulable === true) states.push('SchedulingDisabled');
      const info = status?.nodeInfo;
      const orUnknown = (text: string | undefined): string => (text === undefined || text === '' ? '<unknown>' : text);
      const address = (type: string): string => status?.addresses?.find((each) => each.type === type)?.address ?? '<none>';
      return [
        node.metadata.name,
        states.join(','),
        rolesOf(node),
        ageOf(node.metadata.creationTimestamp, nowMs),
        info?.kubeletVersion ?? '',
        address('InternalIP'),
        address('ExternalIP'),
        orUnknown(info?.osImage),
        orUnknown(info?.kernelVersion),
        orUnknown(info?.containerRuntimeVersion),
      ];
    },
  },
});

function rolesOf(node: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX)) {
      const role = key.slice(ROLE_PREFIX.length);
      if (role !== '') roles.add(role);
    } else if (key === ROLE_LABEL && value !== '') roles.add(value);
  }
  return roles.size === 0 ? '<none>' : [...roles].sort().join(',');
}
