// MutatingWebhookConfiguration.

import { setWebhookDefaults, webhookErrors, webhookUpdateErrors, type WebhookConfiguration } from './webhook-validation.ts';
import { webhooksFromV1beta1 } from './webhook-versions.ts';
import { ageCell, countColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition, AGE_COLUMN, NAME_COLUMN } from '../definition.ts';

export const MUTATING_WEBHOOK_CONFIGURATION: ResourceDefinition = defineResource<WebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  isNamespaced: false,
  hasGeneration: true,
  alsoServedAs: [{ group: 'admissionregistration.k8s.io', version: 'v1beta1', toStorage: webhooksFromV1beta1 }],
  strategy: {
    requiresVersionOnUpdate: true,
    hasFreeFinalizers: true,
    setDefaults: (object) => setWebhookDefaults(object, true),
    validate: (object, served) => webhookErrors(object, served.version, true),
    validateUpdate: (next, current, meta, served) => [...meta.update, ...webhookUpdateErrors(next, current, served.version, true)],
  },
  table: {
    columns: [
      NAME_COLUMN,
      countColumn('Webhooks', 'Webhooks indicates the number of webhooks registered in this configuration.'),
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => [object.metadata.name, (object.webhooks ?? []).length, ageCell(object, nowMs)],
  },
});
