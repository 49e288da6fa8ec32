// PodSecurityPolicy.

import { type ApiObject, defineResource, type ResourceDefinition } from '../definition.ts';

export const POD_SECURITY_POLICY: ResourceDefinition = defineResource<ApiObject>({
  group: 'policy',
  version: 'v1beta1',
  kind: 'PodSecurityPolicy',
  plural: 'podsecuritypolicies',
  shortNames: ['psp'],
  isNamespaced: false,
  storagePrefix: 'podsecuritypolicy',
});
