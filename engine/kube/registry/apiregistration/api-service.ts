// APIService.

import { pathSegment } from '../../machinery/names.ts';
import { rfc3339 } from '../../machinery/time.ts';
import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { apiServiceErrors, apiServiceStatusErrors, type ApiServiceObject } from './api-service-validation.ts';

const LOCAL = { reason: 'Local', message: 'Local APIServices are always available' };

const spec = (object: ApiServiceObject): Json => (object.spec ?? {}) as Json;

const status = (object: ApiServiceObject): Json => (object.status ?? {}) as Json;

export const API_SERVICE: ResourceDefinition = defineResource<ApiServiceObject>({
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
  strategy: {
    requiresVersionOnUpdate: true,
    nameProblems: pathSegment,
    hasFreeFinalizers: true,
    setDefaults(object) {
      const { service } = object.spec;
      if (service !== undefined && service !== null) service.port ??= 443;
    },
    prepareForCreate(object, { nowMs }) {
      object.status =
        (object.spec.service ?? undefined) === undefined
          ? { conditions: [{ type: 'Available', status: 'True', lastTransitionTime: rfc3339(nowMs), ...LOCAL }] }
          : {};
    },
    validate: apiServiceErrors,
    validateUpdate: (next, _current, meta) => [...meta.update, ...meta.object, ...apiServiceErrors(next)],
    validateStatusUpdate: (next, _current, meta) => [...meta.update, ...apiServiceStatusErrors(next)],
  },
  alsoServedAs: [{ group: 'apiregistration.k8s.io', version: 'v1beta1' }],
});
