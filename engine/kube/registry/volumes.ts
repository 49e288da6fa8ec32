// PersistentVolume and PersistentVolumeClaim.

import { isRecord } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { Quantity } from '../machinery/quantity.ts';
import { ageOf } from '../machinery/time.ts';
import type { KubeObject } from '../machinery/types.ts';
import { specOf } from './apps.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from './definition.ts';
import { defaults, roundResources } from './pod-defaults.ts';

const MODES: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX' };
const MODE_NAMES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce'];

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

function modesCell(modes: readonly string[] | undefined): string {
  return ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany']
    .filter((mode) => modes?.includes(mode) === true)
    .map((mode) => MODES[mode]!)
    .join(',');
}

function unknownModes(modes: readonly string[], path: string): FieldError[] {
  return modes.filter((mode) => !MODE_NAMES.includes(mode)).map((mode) => FieldError.notSupported(path, mode, MODE_NAMES));
}

const NOT_SOURCES = [
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
];

export const VOLUMES: readonly ResourceDefinition[] = [
  defineResource<Claim>({
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
      },
      validate(claim) {
        const errors: FieldError[] = [];
        const modes = claim.spec?.accessModes ?? [];
        if (modes.length === 0) errors.push(FieldError.required('spec.accessModes', 'at least 1 access mode is required'));
        errors.push(...unknownModes(modes, 'spec.accessModes'));
        const storage = claim.spec?.resources?.requests?.['storage'];
        if (storage === undefined) errors.push(FieldError.required('spec.resources[storage]', ''));
        else if (Quantity.parse(storage).nanos <= 0n)
          errors.push(FieldError.invalid('spec.resources[storage]', storage, 'must be greater than zero'));
        return errors;
      },
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
  }),
  defineResource<Volume>({
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
      validate(volume) {
        const errors: FieldError[] = [];
        const modes = volume.spec?.accessModes ?? [];
        if (modes.length === 0) errors.push(FieldError.required('spec.accessModes', ''));
        errors.push(...unknownModes(modes, 'spec.accessModes'));
        if (Object.keys(volume.spec?.capacity ?? {}).length === 0) errors.push(FieldError.required('spec.capacity', ''));
        if (!Object.keys(volume.spec ?? {}).some((key) => !NOT_SOURCES.includes(key)))
          errors.push(FieldError.required('spec', 'must specify a volume type'));
        return errors;
      },
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
        spec?.storageClassName ?? '',
        status?.reason ?? '',
        ageOf(metadata.creationTimestamp, nowMs),
        spec?.volumeMode ?? '<unset>',
      ],
    },
  }),
];
