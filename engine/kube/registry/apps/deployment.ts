// Deployment.

import { ageOf } from '../../machinery/time.ts';
import type { Deployment } from '../../machinery/types.ts';
import { selectorCell, templateCells, WORKLOAD_COLUMNS } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { DEPLOYMENT_STRATEGY } from './deployment-strategy.ts';

export const DEPLOYMENT: ResourceDefinition = defineResource<Deployment>({
  group: 'apps',
  version: 'v1',
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  hasScale: true,
  strategy: DEPLOYMENT_STRATEGY,
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Ready', type: 'string', description: 'Number of the pod with ready state' },
      {
        name: 'Up-to-date',
        type: 'string',
        description: 'Total number of non-terminated pods targeted by this deployment that have the desired template spec.',
      },
      {
        name: 'Available',
        type: 'string',
        description: 'Total number of available pods (ready for at least minReadySeconds) targeted by this deployment.',
      },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
      status?.updatedReplicas ?? 0,
      status?.availableReplicas ?? 0,
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
      selectorCell(spec?.selector),
    ],
  },
});
