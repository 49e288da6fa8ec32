// StorageClass.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { validateStorageClass, validateStorageClassUpdate } from './storage-validation.ts';

const DEFAULT_ANNOTATIONS = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

export const STORAGE_CLASS: ResourceDefinition = defineResource<ApiObject>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  strategy: {
    setDefaults(object) {
      object['reclaimPolicy'] ??= 'Delete';
      object['volumeBindingMode'] ??= 'Immediate';
    },
    validate: validateStorageClass,
    validateUpdate: validateStorageClassUpdate,
  },
  plural: 'storageclasses',
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Provisioner', 'Provisioner indicates the type of the provisioner.'),
      textColumn('ReclaimPolicy', 'What happens to volumes of this class when they are released.'),
      textColumn('VolumeBindingMode', 'When volumes of this class are bound.'),
      textColumn('AllowVolumeExpansion', 'Whether volumes may grow.'),
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => {
      const isDefault = DEFAULT_ANNOTATIONS.some((name) => object.metadata.annotations?.[name] === 'true');
      return [
        `${object.metadata.name}${isDefault ? ' (default)' : ''}`,
        String(object['provisioner'] ?? ''),
        String(object['reclaimPolicy'] ?? 'Delete'),
        String(object['volumeBindingMode'] ?? '<unset>'),
        object['allowVolumeExpansion'] === true,
        ageCell(object, nowMs),
      ];
    },
  },
  shortNames: ['sc'],
  isNamespaced: false,
  alsoServedAs: [{ group: 'storage.k8s.io', version: 'v1beta1' }],
});
