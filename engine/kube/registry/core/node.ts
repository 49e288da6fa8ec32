// Node.

import { FieldError } from '../../machinery/field-errors.ts';
import { ageOf } from '../../machinery/time.ts';
import type { Node } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
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
      roundResources(node.status?.capacity);
      roundResources(node.status?.allocatable);
    },
    validateUpdate(next, current) {
      const errors: FieldError[] = [];
      const [before, after] = [current.spec?.podCIDR ?? '', next.spec?.podCIDR ?? ''];
      if (before !== '' && before !== after)
        errors.push(FieldError.forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
      const provider = current.spec?.providerID ?? '';
      if (provider !== '' && provider !== (next.spec?.providerID ?? '')) {
        errors.push(FieldError.forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
      }
      for (const [index, taint] of (next.spec?.taints ?? []).entries()) {
        if (!['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(taint.effect)) {
          errors.push(
            FieldError.notSupported(`metadata.taints[${index}].effect`, taint.effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
          );
        }
      }
      return errors;
    },
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
