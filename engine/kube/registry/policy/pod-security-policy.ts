// PodSecurityPolicy.

import { textColumn } from '../columns.ts';
import { type ApiObject, defineResource, type ResourceDefinition, NAME_COLUMN } from '../definition.ts';
import { POD_SECURITY_POLICY_STRATEGY } from './pod-security-policy-strategy.ts';

interface Rule {
  readonly rule?: string;
}
interface Spec {
  readonly privileged?: boolean;
  readonly allowedCapabilities?: readonly string[];
  readonly seLinux?: Rule;
  readonly runAsUser?: Rule;
  readonly fsGroup?: Rule;
  readonly supplementalGroups?: Rule;
  readonly readOnlyRootFilesystem?: boolean;
  readonly volumes?: readonly string[];
}

export const POD_SECURITY_POLICY: ResourceDefinition = defineResource<ApiObject>({
  group: 'policy',
  version: 'v1beta1',
  kind: 'PodSecurityPolicy',
  plural: 'podsecuritypolicies',
  shortNames: ['psp'],
  isNamespaced: false,
  storagePrefix: 'podsecuritypolicy',
  strategy: POD_SECURITY_POLICY_STRATEGY,
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Priv', 'Whether pods may run privileged.'),
      textColumn('Caps', 'Capabilities that may be added.'),
      textColumn('SELinux', 'Rule for SELinux labels.'),
      textColumn('RunAsUser', 'Rule for users.'),
      textColumn('FsGroup', 'Rule for groups of volumes.'),
      textColumn('SupGroup', 'Rule for supplemental groups.'),
      textColumn('ReadOnlyRootFs', 'Whether the root file system must be read only.'),
      textColumn('Volumes', 'Kinds of volumes that may be used.'),
    ],
    cells: (object) => {
      const spec = (object['spec'] ?? {}) as Spec;
      return [
        object.metadata.name,
        String(spec.privileged ?? false),
        (spec.allowedCapabilities ?? []).join(','),
        spec.seLinux?.rule ?? '',
        spec.runAsUser?.rule ?? '',
        spec.fsGroup?.rule ?? '',
        spec.supplementalGroups?.rule ?? '',
        spec.readOnlyRootFilesystem ?? false,
        (spec.volumes ?? []).join(','),
      ];
    },
  },
});
