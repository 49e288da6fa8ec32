// PersistentVolumeClaim.

import { isRecord } from '../../machinery/deep.ts';
import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults, specOf } from '../object-access.ts';
import { modesCell } from './access-modes.ts';
import { claimStatusErrors, dropUnknownDataSource, validateClaim, validateClaimUpdate } from './persistent-volume-validation.ts';
import { roundResources } from './pod-defaults.ts';

type Claim = KubeObject & {
  spec?: {
    volumeName?: string;
    storageClassName?: string;
    volumeMode?: string;
    accessModes?: string[];
    resources?: { requests?: Record<string, string> };
  };
  status?: { phase?: string; accessModes?: string[]; capacity?: Record<string, string> };
};

export const PERSISTENT_VOLUME_CLAIM: ResourceDefinition = defineResource<Claim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  isNamespaced: true,
  hasStatus: true,
  returnsDeleted: true,
  strategy: {
    setDefaults(claim) {
      const spec = specOf(claim);
      defaults(spec, { volumeMode: 'Filesystem' });
      if (isRecord(spec['resources'])) {
        roundResources(spec['resources']['requests']);
        roundResources(spec['resources']['limits']);
      }
      claim.status ??= {};
      claim.status.phase ??= 'Pending';
    },
    prepareForCreate(claim) {
      claim.status = { phase: 'Pending' };
      dropUnknownDataSource(claim);
    },
    validate: validateClaim,
    prepareForUpdate: dropUnknownDataSource,
    validateUpdate: validateClaimUpdate,
    validateStatusUpdate: (next, _current, meta) => [...meta.update, ...claimStatusErrors(next)],
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Status', type: 'string', description: 'Phase represents the current phase of PersistentVolumeClaim.' },
      { name: 'Volume', type: 'string', description: 'VolumeName is the binding reference to the PersistentVolume backing this claim.' },
      { name: 'Capacity', type: 'string', description: 'Represents the actual resources of the underlying volume.' },
      {
        name: 'Access Modes',
        type: 'string',
        description: 'AccessModes contains the actual access modes the volume backing the PVC has.',
      },
      { name: 'StorageClass', type: 'string', description: 'Name of the StorageClass required by the claim.' },
      AGE_COLUMN,
      {
        name: 'VolumeMode',
        type: 'string',
        priority: 1,
        description: 'volumeMode defines what type of volume is required by the claim.',
      },
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      metadata.deletionTimestamp !== undefined ? 'Terminating' : (status?.phase ?? ''),
      spec?.volumeName ?? '',
      (spec?.volumeName ?? '') === '' ? '' : (status?.capacity?.['storage'] ?? '0'),
      (spec?.volumeName ?? '') === '' ? '' : modesCell(status?.accessModes),
      metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '',
      ageOf(metadata.creationTimestamp, nowMs),
      spec?.volumeMode ?? '<unset>',
    ],
  },
});
