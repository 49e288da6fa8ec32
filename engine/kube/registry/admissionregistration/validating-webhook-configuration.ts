// ValidatingWebhookConfiguration.

import { type ApiObject, defineResource, type ResourceDefinition } from '../definition.ts';

export const VALIDATING_WEBHOOK_CONFIGURATION: ResourceDefinition = defineResource<ApiObject>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  isNamespaced: false,
  hasGeneration: true,
  alsoServedAs: [{ group: 'admissionregistration.k8s.io', version: 'v1beta1' }],
});
