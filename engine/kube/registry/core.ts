// Kinds of the core group.

import { dns1035Label, dns1123Label, pathSegment } from '../machinery/names.ts';
import type { Namespace, Pod } from '../machinery/types.ts';
import { defineResource, type ResourceDefinition } from './definition.ts';

const plain = (kind: string, plural: string, more: Partial<ResourceDefinition> = {}): ResourceDefinition =>
  defineResource({ group: '', version: 'v1', kind, plural, isNamespaced: true, ...more });

export const CORE: readonly ResourceDefinition[] = [
  plain('ConfigMap', 'configmaps', { shortNames: ['cm'] }),
  plain('Endpoints', 'endpoints', { shortNames: ['ep'], storagePrefix: 'services/endpoints', strategy: { allowsCreateOnUpdate: true } }),
  plain('Event', 'events', { shortNames: ['ev'], ttlSeconds: 3600, strategy: { allowsCreateOnUpdate: true, nameProblems: pathSegment } }),
  plain('LimitRange', 'limitranges', { shortNames: ['limits'] }),
  defineResource<Namespace>({
    group: '',
    version: 'v1',
    kind: 'Namespace',
    plural: 'namespaces',
    shortNames: ['ns'],
    isNamespaced: false,
    hasStatus: true,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    returnsDeleted: true,
    otherSubresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
    strategy: {
      nameProblems: dns1123Label,
      prepareForCreate(namespace) {
        namespace.spec = { finalizers: ['kubernetes'] };
        namespace.status = { phase: 'Active' };
      },
      prepareForUpdate(next, current) {
        if (current.spec !== undefined) next.spec = current.spec;
      },
    },
  }),
  plain('Node', 'nodes', { shortNames: ['no'], isNamespaced: false, hasStatus: true, storagePrefix: 'minions' }),
  plain('PersistentVolumeClaim', 'persistentvolumeclaims', { shortNames: ['pvc'], hasStatus: true }),
  plain('PersistentVolume', 'persistentvolumes', { shortNames: ['pv'], isNamespaced: false, hasStatus: true }),
  defineResource<Pod>({
    group: '',
    version: 'v1',
    kind: 'Pod',
    plural: 'pods',
    shortNames: ['po'],
    categories: ['all'],
    isNamespaced: true,
    hasStatus: true,
    returnsDeleted: true,
    fields: {
      'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
      'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
      'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
      'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
      'status.phase': (pod) => pod.status?.phase ?? '',
      'status.podIP': (pod) => pod.status?.podIP ?? '',
      'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
    },
    strategy: {
      prepareForCreate(pod) {
        Object.assign(pod, { status: { phase: 'Pending', qosClass: 'BestEffort' } });
      },
      gracePeriodSeconds(pod, requested) {
        let grace = requested ?? pod.spec?.terminationGracePeriodSeconds ?? 0;
        // Nothing runs: nothing to wait for.
        if ((pod.spec?.nodeName ?? '') === '') grace = 0;
        if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') grace = 0;
        return Math.max(0, grace);
      },
    },
  }),
  plain('PodTemplate', 'podtemplates'),
  plain('ReplicationController', 'replicationcontrollers', {
    shortNames: ['rc'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    hasScale: true,
    storagePrefix: 'controllers',
  }),
  plain('ResourceQuota', 'resourcequotas', { shortNames: ['quota'], hasStatus: true }),
  plain('Secret', 'secrets', { fields: { type: (secret) => String(secret['type'] ?? '') } }),
  plain('ServiceAccount', 'serviceaccounts', { shortNames: ['sa'] }),
  plain('Service', 'services', {
    shortNames: ['svc'],
    categories: ['all'],
    hasStatus: true,
    storagePrefix: 'services/specs',
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    strategy: { nameProblems: dns1035Label },
  }),
];
