// CSINode.

import { type ApiObject, defineResource, type ResourceDefinition } from '../definition.ts';

export const CSI_NODE: ResourceDefinition = defineResource<ApiObject>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  isNamespaced: false,
  alsoServedAs: [{ group: 'storage.k8s.io', version: 'v1beta1' }],
});
