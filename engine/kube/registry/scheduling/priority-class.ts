// PriorityClass.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { PRIORITY_CLASS_STRATEGY } from './priority-class-strategy.ts';

export const PRIORITY_CLASS: ResourceDefinition = defineResource<ApiObject>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  strategy: PRIORITY_CLASS_STRATEGY,
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
