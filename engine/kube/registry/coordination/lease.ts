// Lease.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

const spec = (object: ApiObject): Json => (object['spec'] ?? {}) as Json;

export const LEASE: ResourceDefinition = defineResource<ApiObject>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  table: {
    columns: [NAME_COLUMN, textColumn('Holder', 'Identity of the holder of the lease.'), AGE_COLUMN],
    cells: (object, nowMs) => [object.metadata.name, String(spec(object)['holderIdentity'] ?? ''), ageCell(object, nowMs)],
  },
  isNamespaced: true,
  alsoServedAs: [{ group: 'coordination.k8s.io', version: 'v1beta1' }],
  strategy: { allowsCreateOnUpdate: true },
});
