// VolumeAttachment.

import { ageCell, textColumn } from '../columns.ts';
import { type ApiObject, defineResource, type ResourceDefinition, AGE_COLUMN, NAME_COLUMN } from '../definition.ts';
import { validateVolumeAttachment, validateVolumeAttachmentUpdate } from './storage-validation.ts';

interface Spec {
  readonly attacher?: string;
  readonly nodeName?: string;
  readonly source?: { readonly persistentVolumeName?: string };
}

export const VOLUME_ATTACHMENT: ResourceDefinition = defineResource<ApiObject>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  strategy: {
    requiresVersionOnUpdate: true,
    prepareForCreate: (object) => void delete object['status'],
    validate: validateVolumeAttachment,
    validateUpdate: validateVolumeAttachmentUpdate,
    validateStatusUpdate: validateVolumeAttachmentUpdate,
  },
  isNamespaced: false,
  hasStatus: true,
  alsoServedAs: [{ group: 'storage.k8s.io', version: 'v1beta1', hasStatus: false }],
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Attacher', 'The driver that attaches.'),
      textColumn('PV', 'The volume that is attached.'),
      textColumn('Node', 'The node it is attached to.'),
      { name: 'Attached', type: 'boolean', description: 'Whether it is attached.' },
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => {
      const { attacher, nodeName, source } = (object['spec'] ?? {}) as Spec;
      const { attached } = (object['status'] ?? {}) as { attached?: boolean };
      const { name } = object.metadata;
      return [name, attacher ?? '', source?.persistentVolumeName ?? '', nodeName ?? '', attached ?? false, ageCell(object, nowMs)];
    },
  },
});
