// CSIDriver.

import { ageCell, textColumn } from '../columns.ts';
import { type ApiObject, defineResource, type ResourceDefinition, AGE_COLUMN, NAME_COLUMN } from '../definition.ts';
import { pathSegment } from '../../machinery/names.ts';
import { defaultCsiDriver, dropGatedCsiFields, validateCsiDriver, validateCsiDriverUpdate } from './storage-validation.ts';

interface Spec {
  readonly attachRequired?: boolean;
  readonly podInfoOnMount?: boolean;
  readonly volumeLifecycleModes?: readonly string[];
}

export const CSI_DRIVER: ResourceDefinition = defineResource<ApiObject>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  hashedVersion: 'v1beta1',
  plural: 'csidrivers',
  strategy: {
    requiresVersionOnUpdate: true,
    nameProblems: pathSegment,
    validatesMetaLast: true,
    setDefaults: defaultCsiDriver,
    prepareForCreate: dropGatedCsiFields,
    validate: validateCsiDriver,
    prepareForUpdate: dropGatedCsiFields,
    validateUpdate: validateCsiDriverUpdate,
  },
  isNamespaced: false,
  alsoServedAs: [{ group: 'storage.k8s.io', version: 'v1beta1' }],
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'AttachRequired', type: 'boolean', description: 'Whether volumes of this driver have to be attached.' },
      { name: 'PodInfoOnMount', type: 'boolean', description: 'Whether the driver wants to know of the pod.' },
      textColumn('Modes', 'What kinds of volumes the driver has.'),
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => {
      const { attachRequired, podInfoOnMount, volumeLifecycleModes } = (object['spec'] ?? {}) as Spec;
      const modes = (volumeLifecycleModes ?? []).join(',');
      return [
        object.metadata.name,
        attachRequired ?? true,
        podInfoOnMount ?? false,
        modes === '' ? '<none>' : modes,
        ageCell(object, nowMs),
      ];
    },
  },
});
