// Lease.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { int, isSet } from '../rules.ts';

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
  strategy: {
    allowsCreateOnUpdate: true,
    requiresVersionOnUpdate: true,
    validate: validateLease,
    validateUpdate: (next, _current, meta) => [...meta.update, ...validateLease(next)],
  },
});

function validateLease(lease: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec(lease);
  if (isSet(duration) && int(duration) <= 0)
    errors.push(FieldError.invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  if (isSet(transitions) && int(transitions) < 0)
    errors.push(FieldError.invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  return errors;
}
