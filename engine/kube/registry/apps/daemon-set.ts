// DaemonSet.

import { ageOf } from '../../machinery/time.ts';
import type { DaemonSet } from '../../machinery/types.ts';
import { countColumn, labelsCell, selectorCell, templateCells, WORKLOAD_COLUMNS } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { DAEMON_SET_STRATEGY } from './daemon-set-strategy.ts';

export const DAEMON_SET: ResourceDefinition = defineResource<DaemonSet>({
  group: 'apps',
  version: 'v1',
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  strategy: DAEMON_SET_STRATEGY,
  table: {
    columns: [
      NAME_COLUMN,
      countColumn(
        'Desired',
        'The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod).',
      ),
      countColumn('Current', 'The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod.'),
      countColumn(
        'Ready',
        'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and ready.',
      ),
      countColumn('Up-to-date', 'The total number of nodes that are running updated daemon pod'),
      countColumn(
        'Available',
        'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available.',
      ),
      { name: 'Node Selector', type: 'string', description: 'A selector which must be true for the pod to fit on a node.' },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      status?.desiredNumberScheduled ?? 0,
      status?.currentNumberScheduled ?? 0,
      status?.numberReady ?? 0,
      status?.updatedNumberScheduled ?? 0,
      status?.numberAvailable ?? 0,
      labelsCell(spec?.template.spec?.nodeSelector),
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
      selectorCell(spec?.selector),
    ],
  },
});
