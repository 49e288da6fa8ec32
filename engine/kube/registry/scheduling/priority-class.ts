// PriorityClass.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

export const PRIORITY_CLASS: ResourceDefinition = defineResource<ApiObject>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  strategy: { setDefaults: (object) => void (object['preemptionPolicy'] ??= 'PreemptLowerPriority') },
  plural: 'priorityclasses',
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Value', 'The value of this priority class.'),
      { name: 'Global-Default', type: 'boolean', description: 'Whether it is the default.' },
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => [
      object.metadata.name,
      Number(object['value'] ?? 0),
      object['globalDefault'] === true,
      ageCell(object, nowMs),
    ],
  },
  shortNames: ['pc'],
  isNamespaced: false,
  alsoServedAs: [{ group: 'scheduling.k8s.io', version: 'v1beta1' }],
});
