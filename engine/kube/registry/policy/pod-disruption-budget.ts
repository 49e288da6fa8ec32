// PodDisruptionBudget.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { POD_DISRUPTION_BUDGET_STRATEGY } from './pod-disruption-budget-strategy.ts';

const spec = (object: ApiObject): Json => (object['spec'] ?? {}) as Json;

const status = (object: ApiObject): Json => (object['status'] ?? {}) as Json;

export const POD_DISRUPTION_BUDGET: ResourceDefinition = defineResource<ApiObject>({
  group: 'policy',
  version: 'v1beta1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Min Available', 'The minimum number of pods that must be available.'),
      textColumn('Max Unavailable', 'The maximum number of pods that may be unavailable.'),
      { name: 'Allowed Disruptions', type: 'integer', description: 'Calculated number of pods that may be disrupted at this time.' },
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => [
      object.metadata.name,
      String(spec(object)['minAvailable'] ?? 'N/A'),
      String(spec(object)['maxUnavailable'] ?? 'N/A'),
      Number(status(object)['disruptionsAllowed'] ?? 0),
      ageCell(object, nowMs),
    ],
  },
  shortNames: ['pdb'],
  isNamespaced: true,
  hasStatus: true,
  strategy: POD_DISRUPTION_BUDGET_STRATEGY,
  hasGeneration: true,
});
