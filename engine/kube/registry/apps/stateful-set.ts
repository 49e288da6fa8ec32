// StatefulSet.

import type { LabelSelectorSpec } from '../../machinery/selectors.ts';
import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { templateCells, WORKLOAD_COLUMNS } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { STATEFUL_SET_STRATEGY } from './stateful-set-strategy.ts';

type StatefulSet = KubeObject & {
  spec?: { replicas?: number; serviceName?: string; selector?: LabelSelectorSpec; template?: Parameters<typeof templateCells>[0] };
  status?: { replicas?: number; readyReplicas?: number };
};

export const STATEFUL_SET: ResourceDefinition = defineResource<StatefulSet>({
  group: 'apps',
  version: 'v1',
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  hasScale: true,
  strategy: STATEFUL_SET_STRATEGY,
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Ready', type: 'string', description: 'Number of the pod with ready state' },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS.slice(0, 2),
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
    ],
  },
});
