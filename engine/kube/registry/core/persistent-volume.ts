// PersistentVolume.

import { isRecord } from '../../machinery/deep.ts';
import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults, specOf } from '../object-access.ts';
import { modesCell } from './access-modes.ts';
import { validatePersistentVolume, validatePersistentVolumeUpdate } from './persistent-volume-validation.ts';
import { roundResources } from './pod-defaults.ts';

type Volume = KubeObject & {
  spec?: {
    capacity?: Record<string, string>;
    accessModes?: string[];
    persistentVolumeReclaimPolicy?: string;
    storageClassName?: string;
    volumeMode?: string;
    claimRef?: { namespace?: string; name?: string };
  };
  status?: { phase?: string; reason?: string };
};

export const PERSISTENT_VOLUME: ResourceDefinition = defineResource<Volume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  isNamespaced: false,
  hasStatus: true,
  returnsDeleted: true,
  strategy: {
    setDefaults(volume) {
      const spec = specOf(volume);
      defaults(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' });
      if (isRecord(spec['hostPath'])) spec['hostPath']['type'] ??= '';
      roundResources(spec['capacity']);
      volume.status ??= {};
      volume.status.phase ??= 'Pending';
    },
    prepareForCreate(volume) {
      volume.status = { phase: 'Pending' };
    },
    validate: validatePersistentVolume,
    validateUpdate: validatePersistentVolumeUpdate,
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Capacity', type: 'string', description: "A description of the persistent volume's resources and capacity." },
      { name: 'Access Modes', type: 'string', description: 'AccessModes contains all ways the volume can be mounted.' },
      { name: 'Reclaim Policy', type: 'string', description: 'What happens to a persistent volume when released from its claim.' },
      {
        name: 'Status',
        type: 'string',
        description: 'Phase indicates if a volume is available, bound to a claim, or released by a claim.',
      },
      {
        name: 'Claim',
        type: 'string',
        description: 'ClaimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim.',
      },
      { name: 'StorageClass', type: 'string', description: 'Name of StorageClass to which this persistent volume belongs.' },
      { name: 'Reason', type: 'string', description: 'Reason is a brief CamelCase string that describes any failure.' },
      AGE_COLUMN,
      {
        name: 'VolumeMode',
        type: 'string',
        priority: 1,
        description: 'volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block state.',
      },
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      spec?.capacity?.['storage'] ?? '0',
      modesCell(spec?.accessModes),
      spec?.persistentVolumeReclaimPolicy ?? '',
      metadata.deletionTimestamp !== undefined ? 'Terminating' : (status?.phase ?? ''),
      spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
      metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '',
      status?.reason ?? '',
      ageOf(metadata.creationTimestamp, nowMs),
      spec?.volumeMode ?? '<unset>',
    ],
  },
});
