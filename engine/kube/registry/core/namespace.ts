// Namespace.

import { dns1123Label } from '../../machinery/names.ts';
import { ageOf } from '../../machinery/time.ts';
import type { Namespace } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

export const NAMESPACE: ResourceDefinition = defineResource<Namespace>({
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
  fields: { 'status.phase': (namespace) => namespace.status?.phase ?? '', name: (namespace) => namespace.metadata.name },
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
  table: {
    columns: [NAME_COLUMN, { name: 'Status', type: 'string', description: 'The status of the namespace' }, AGE_COLUMN],
    cells: (namespace, nowMs) => [
      namespace.metadata.name,
      namespace.status?.phase ?? '',
      ageOf(namespace.metadata.creationTimestamp, nowMs),
    ],
  },
});
