// APIService.

import { pathSegment } from '../../machinery/names.ts';
import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

const spec = (object: ApiObject): Json => (object['spec'] ?? {}) as Json;

const status = (object: ApiObject): Json => (object['status'] ?? {}) as Json;

export const API_SERVICE: ResourceDefinition = defineResource<ApiObject>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Service', 'The reference to the service that hosts this API endpoint.'),
      textColumn('Available', 'Whether this service is available.'),
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => {
      const service = spec(object)['service'] as { namespace?: string; name?: string } | undefined;
      const condition = ((status(object)['conditions'] ?? []) as readonly { type: string; status: string; reason?: string }[]).find(
        (each) => each.type === 'Available',
      );
      const available =
        condition === undefined ? 'Unknown' : condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason ?? ''})`;
      return [
        object.metadata.name,
        service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`,
        available,
        ageCell(object, nowMs),
      ];
    },
  },
  isNamespaced: false,
  hasStatus: true,
  storagePrefix: 'apiregistration.k8s.io/apiservices',
  categories: ['api-extensions'],
  strategy: { nameProblems: pathSegment },
  alsoServedAs: [{ group: 'apiregistration.k8s.io', version: 'v1beta1' }],
});
