// CSIDriver.

import { type ApiObject, defineResource, type ResourceDefinition } from '../definition.ts';

export const CSI_DRIVER: ResourceDefinition = defineResource<ApiObject>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  hashedVersion: 'v1beta1',
  plural: 'csidrivers',
  isNamespaced: false,
  alsoServedAs: [{ group: 'storage.k8s.io', version: 'v1beta1' }],
});
