// PriorityLevelConfiguration.
// Not modelled: the queues and limits it asks for.

import { isRecord } from '../../machinery/deep.ts';
import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ApiObject, type Json, type ResourceDefinition } from '../definition.ts';
import { specOf } from '../object-access.ts';
import { conditionErrors, validatePriorityLevel, validatePriorityLevelUpdate } from './flow-validation.ts';

interface Queuing {
  readonly queues?: number;
  readonly handSize?: number;
  readonly queueLengthLimit?: number;
}
interface Spec {
  readonly type?: string;
  readonly limited?: {
    readonly assuredConcurrencyShares?: number;
    readonly limitResponse?: { readonly type?: string; readonly queuing?: Queuing };
  };
}

const DEFAULT_SHARES = 30;
const DEFAULT_QUEUING: Readonly<Record<string, number>> = { queues: 64, handSize: 8, queueLengthLimit: 50 };

/** Numbers that are zero or left out get their default. */
function fill(target: Json, values: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(values)) if ((target[key] ?? 0) === 0) target[key] = value;
}

export const PRIORITY_LEVEL_CONFIGURATION: ResourceDefinition = defineResource<ApiObject>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1beta1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  isNamespaced: false,
  hasStatus: true,
  hasGeneration: true,
  strategy: {
    setDefaults(object) {
      const { limited } = specOf(object);
      if (!isRecord(limited)) return;
      fill(limited, { assuredConcurrencyShares: DEFAULT_SHARES });
      const response = limited['limitResponse'];
      if (isRecord(response) && isRecord(response['queuing'])) fill(response['queuing'], DEFAULT_QUEUING);
    },
    prepareForCreate(object) {
      object['status'] = {};
    },
    validate: validatePriorityLevel,
    validateUpdate: validatePriorityLevelUpdate,
    validateStatusUpdate: conditionErrors,
  },
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Type', 'Whether requests of this level are limited.'),
      textColumn('AssuredConcurrencyShares', 'Share of the concurrency that this level is sure of.'),
      textColumn('Queues', 'Number of queues.'),
      textColumn('HandSize', 'Number of queues a flow may use.'),
      textColumn('QueueLengthLimit', 'Requests that may wait in a queue.'),
      AGE_COLUMN,
    ],
    cells(object, nowMs) {
      const { type, limited } = (object['spec'] ?? {}) as Spec;
      const { queues, handSize, queueLengthLimit } = limited?.limitResponse?.queuing ?? {};
      const shown = (value: number | undefined): number | string => value ?? '<none>';
      return [
        object.metadata.name,
        type ?? '',
        shown(limited?.assuredConcurrencyShares),
        shown(queues),
        shown(handSize),
        shown(queueLengthLimit),
        ageCell(object, nowMs),
      ];
    },
  },
});
