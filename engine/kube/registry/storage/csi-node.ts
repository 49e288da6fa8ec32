// CSINode.

import { ageCell, countColumn } from '../columns.ts';
import { type ApiObject, defineResource, type ResourceDefinition, AGE_COLUMN, NAME_COLUMN } from '../definition.ts';
import { validateCsiNode, validateCsiNodeUpdate } from './storage-validation.ts';

export const CSI_NODE: ResourceDefinition = defineResource<ApiObject>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  strategy: { requiresVersionOnUpdate: true, validate: validateCsiNode, validateUpdate: validateCsiNodeUpdate },
  isNamespaced: false,
  alsoServedAs: [{ group: 'storage.k8s.io', version: 'v1beta1' }],
  table: {
    columns: [NAME_COLUMN, countColumn('Drivers', 'Drivers indicates the number of CSI drivers registered on the node'), AGE_COLUMN],
    cells: (object, nowMs) => {
      const { drivers } = (object['spec'] ?? {}) as { drivers?: readonly unknown[] | null };
      return [object.metadata.name, drivers?.length ?? 0, ageCell(object, nowMs)];
    },
  },
});
