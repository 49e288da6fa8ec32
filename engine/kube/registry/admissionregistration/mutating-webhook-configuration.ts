// MutatingWebhookConfiguration.

import { webhooksFromV1beta1 } from './webhook-versions.ts';
import { records } from '../object-access.ts';
import { ageCell, countColumn } from '../columns.ts';
import { type ApiObject, defineResource, type ResourceDefinition, AGE_COLUMN, NAME_COLUMN } from '../definition.ts';

export const MUTATING_WEBHOOK_CONFIGURATION: ResourceDefinition = defineResource<ApiObject>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  isNamespaced: false,
  hasGeneration: true,
  alsoServedAs: [{ group: 'admissionregistration.k8s.io', version: 'v1beta1', toStorage: webhooksFromV1beta1 }],
  table: {
    columns: [
      NAME_COLUMN,
      countColumn('Webhooks', 'Webhooks indicates the number of webhooks registered in this configuration.'),
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => [object.metadata.name, records(object['webhooks']).length, ageCell(object, nowMs)],
  },
});
