// ReplicationController.

import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { labelsCell, templateCells, WORKLOAD_COLUMNS } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { REPLICATION_CONTROLLER_STRATEGY } from './replication-controller-strategy.ts';

type Controller = KubeObject & {
  spec?: {
    replicas?: number;
    selector?: Record<string, string>;
    template?: { metadata?: { labels?: Record<string, string> } } & Parameters<typeof templateCells>[0];
  };
  status?: { replicas?: number; readyReplicas?: number };
};

export const REPLICATION_CONTROLLER: ResourceDefinition = defineResource<Controller>({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  hasScale: true,
  storagePrefix: 'controllers',
  strategy: REPLICATION_CONTROLLER_STRATEGY,
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Desired', type: 'integer', description: 'Replicas is the number of desired replicas.' },
      { name: 'Current', type: 'integer', description: 'Replicas is the most recently oberved number of replicas.' },
      { name: 'Ready', type: 'integer', description: 'The number of ready replicas for this replication controller.' },
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
      labelsCell(spec?.selector),
    ],
  },
});
