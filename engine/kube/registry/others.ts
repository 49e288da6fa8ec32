// Kinds beyond core and apps: batch, autoscaling, coordination, networking, policy, storage, RBAC and the rest.

import { pathSegment } from '../machinery/names.ts';
import { BATCH } from './batch.ts';
import { CRD_DEFINITION } from './custom-resource-definition.ts';
import { ingressFromV1beta1, ingressToV1beta1 } from './ingress-versions.ts';
import { OTHER_TABLES as TABLES } from './other-tables.ts';
import { RBAC_KINDS } from './rbac-kinds.ts';
import { defineResource, type ResourceDefinition, type ApiObject, type Json } from './definition.ts';

const beta = (group: string): { readonly alsoServedAs: ResourceDefinition['alsoServedAs'] } => ({
  alsoServedAs: [{ group, version: 'v1beta1' }],
});

export const OTHERS: readonly ResourceDefinition[] = [
  ...BATCH,
  defineResource<ApiObject>({
    group: 'coordination.k8s.io',
    version: 'v1',
    kind: 'Lease',
    plural: 'leases',
    table: TABLES.leases,
    isNamespaced: true,
    ...beta('coordination.k8s.io'),
    strategy: { allowsCreateOnUpdate: true },
  }),
  defineResource<ApiObject>({
    group: 'discovery.k8s.io',
    version: 'v1beta1',
    kind: 'EndpointSlice',
    strategy: {
      setDefaults(object) {
        for (const port of (object['ports'] ?? []) as { name?: string; protocol?: string }[]) {
          port.name ??= '';
          port.protocol ??= 'TCP';
        }
      },
    },
    plural: 'endpointslices',
    table: TABLES.endpointslices,
    isNamespaced: true,
  }),
  defineResource<ApiObject>({
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'Ingress',
    alsoServedAs: [
      { group: 'networking.k8s.io', version: 'v1beta1', toStorage: ingressFromV1beta1, fromStorage: ingressToV1beta1 },
      { group: 'extensions', version: 'v1beta1', toStorage: ingressFromV1beta1, fromStorage: ingressToV1beta1 },
    ],
    plural: 'ingresses',
    table: TABLES.ingresses,
    shortNames: ['ing'],
    isNamespaced: true,
    hasStatus: true,
    hasGeneration: true,
    storagePrefix: 'ingress',
  }),
  defineResource<ApiObject>({
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'IngressClass',
    plural: 'ingressclasses',
    table: TABLES.ingressclasses,
    isNamespaced: false,
    hasGeneration: true,
    ...beta('networking.k8s.io'),
  }),
  defineResource<ApiObject>({
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'NetworkPolicy',
    strategy: {
      setDefaults(object) {
        const spec = object['spec'] as
          { policyTypes?: string[]; egress?: unknown[]; ingress?: { ports?: { protocol?: string }[] }[] } | undefined;
        if (spec === undefined) return;
        for (const rule of spec.ingress ?? []) for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
        if ((spec.policyTypes ?? []).length === 0) spec.policyTypes = ['Ingress', ...((spec.egress ?? []).length > 0 ? ['Egress'] : [])];
      },
    },
    plural: 'networkpolicies',
    table: TABLES.networkpolicies,
    shortNames: ['netpol'],
    isNamespaced: true,
    hasGeneration: true,
  }),
  defineResource<ApiObject>({
    group: 'policy',
    version: 'v1beta1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    table: TABLES.poddisruptionbudgets,
    shortNames: ['pdb'],
    isNamespaced: true,
    hasStatus: true,
    hasGeneration: true,
  }),
  defineResource<ApiObject>({
    group: 'policy',
    version: 'v1beta1',
    kind: 'PodSecurityPolicy',
    plural: 'podsecuritypolicies',
    shortNames: ['psp'],
    isNamespaced: false,
    storagePrefix: 'podsecuritypolicy',
  }),
  defineResource<ApiObject>({
    group: 'storage.k8s.io',
    version: 'v1',
    kind: 'StorageClass',
    strategy: {
      setDefaults(object) {
        object['reclaimPolicy'] ??= 'Delete';
        object['volumeBindingMode'] ??= 'Immediate';
      },
    },
    plural: 'storageclasses',
    table: TABLES.storageclasses,
    shortNames: ['sc'],
    isNamespaced: false,
    ...beta('storage.k8s.io'),
  }),
  defineResource<ApiObject>({
    group: 'storage.k8s.io',
    version: 'v1',
    kind: 'CSINode',
    plural: 'csinodes',
    isNamespaced: false,
    ...beta('storage.k8s.io'),
  }),
  defineResource<ApiObject>({
    group: 'storage.k8s.io',
    version: 'v1',
    kind: 'CSIDriver',
    plural: 'csidrivers',
    isNamespaced: false,
    ...beta('storage.k8s.io'),
  }),
  defineResource<ApiObject>({
    group: 'storage.k8s.io',
    version: 'v1',
    kind: 'VolumeAttachment',
    plural: 'volumeattachments',
    isNamespaced: false,
    hasStatus: true,
    ...beta('storage.k8s.io'),
  }),
  ...RBAC_KINDS,
  defineResource<ApiObject>({
    group: 'scheduling.k8s.io',
    version: 'v1',
    kind: 'PriorityClass',
    strategy: { setDefaults: (object) => void (object['preemptionPolicy'] ??= 'PreemptLowerPriority') },
    plural: 'priorityclasses',
    table: TABLES.priorityclasses,
    shortNames: ['pc'],
    isNamespaced: false,
    ...beta('scheduling.k8s.io'),
  }),
  defineResource<ApiObject>({
    group: 'node.k8s.io',
    version: 'v1',
    kind: 'RuntimeClass',
    plural: 'runtimeclasses',
    table: TABLES.runtimeclasses,
    isNamespaced: false,
    ...beta('node.k8s.io'),
  }),
  defineResource<ApiObject>({
    group: 'certificates.k8s.io',
    version: 'v1',
    kind: 'CertificateSigningRequest',
    plural: 'certificatesigningrequests',
    table: TABLES.certificatesigningrequests,
    shortNames: ['csr'],
    isNamespaced: false,
    hasStatus: true,
    ...beta('certificates.k8s.io'),
    strategy: {
      // A request speaks for who sent it, whatever it says itself (certificates/strategy.go).
      prepareForCreate(object: ApiObject, { user }) {
        const { username: _name, groups: _groups, uid: _uid, extra: _extra, ...spec } = (object['spec'] ?? {}) as Json;
        object['spec'] = {
          ...spec,
          username: user.name,
          groups: user.groups,
          ...(user.uid === undefined ? {} : { uid: user.uid }),
          ...(user.extra === undefined ? {} : { extra: user.extra }),
        };
        object['status'] = {};
      },
    },
    otherSubresources: [{ name: 'approval', kind: 'CertificateSigningRequest', verbs: ['get', 'patch', 'update'] }],
  }),
  defineResource<ApiObject>({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind: 'MutatingWebhookConfiguration',
    plural: 'mutatingwebhookconfigurations',
    isNamespaced: false,
    hasGeneration: true,
    ...beta('admissionregistration.k8s.io'),
  }),
  defineResource<ApiObject>({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind: 'ValidatingWebhookConfiguration',
    plural: 'validatingwebhookconfigurations',
    isNamespaced: false,
    hasGeneration: true,
    ...beta('admissionregistration.k8s.io'),
  }),
  defineResource<ApiObject>({
    group: 'apiregistration.k8s.io',
    version: 'v1',
    kind: 'APIService',
    plural: 'apiservices',
    table: TABLES.apiservices,
    isNamespaced: false,
    hasStatus: true,
    storagePrefix: 'apiregistration.k8s.io/apiservices',
    categories: ['api-extensions'],
    strategy: { nameProblems: pathSegment },
    ...beta('apiregistration.k8s.io'),
  }),
  CRD_DEFINITION,
];
