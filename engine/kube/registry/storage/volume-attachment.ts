// VolumeAttachment.

import { type ApiObject, defineResource, type ResourceDefinition } from '../definition.ts';

export const VOLUME_ATTACHMENT: ResourceDefinition = defineResource<ApiObject>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  isNamespaced: false,
  hasStatus: true,
  alsoServedAs: [{ group: 'storage.k8s.io', version: 'v1beta1', hasStatus: false }],
});
