// ReplicaSet.

import { ageOf } from '../../machinery/time.ts';
import type { ReplicaSet } from '../../machinery/types.ts';
import { countColumn, selectorCell, templateCells, WORKLOAD_COLUMNS } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { REPLICA_SET_STRATEGY } from './replica-set-strategy.ts';

export const REPLICA_SET: ResourceDefinition = defineResource<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  hasScale: true,
  fields: { 'status.replicas': (set) => String(set.status?.replicas ?? 0) },
  strategy: REPLICA_SET_STRATEGY,
  table: {
    columns: [
      NAME_COLUMN,
      countColumn('Desired', 'Replicas is the number of desired replicas.'),
      countColumn('Current', 'Replicas is the most recently oberved number of replicas.'),
      countColumn('Ready', 'The number of ready replicas for this replica set.'),
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      spec?.replicas ?? 0,
      status?.replicas ?? 0,
      status?.readyReplicas ?? 0,
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
      selectorCell(spec?.selector),
    ],
  },
});
