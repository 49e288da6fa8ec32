// CronJob.

import type { LabelSelectorSpec } from '../../machinery/selectors.ts';
import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { selectorCell, WORKLOAD_COLUMNS } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { containerCells, type Template } from './job-template.ts';
import { CRON_JOB_STRATEGY } from './cron-job-strategy.ts';

type CronJob = KubeObject & {
  spec?: { schedule?: string; suspend?: boolean; jobTemplate?: { spec?: { template?: Template; selector?: LabelSelectorSpec } } };
  status?: { active?: object[]; lastScheduleTime?: string };
};

export const CRON_JOB: ResourceDefinition = defineResource<CronJob>({
  group: 'batch',
  version: 'v1beta1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  strategy: CRON_JOB_STRATEGY,
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Schedule', type: 'string', description: 'The schedule in Cron format.' },
      { name: 'Suspend', type: 'boolean', description: 'Whether subsequent executions are suspended.' },
      { name: 'Active', type: 'integer', description: 'Number of currently running jobs.' },
      { name: 'Last Schedule', type: 'string', description: 'When the job was last successfully scheduled.' },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      spec?.schedule ?? '',
      spec?.suspend === true ? 'True' : 'False',
      status?.active?.length ?? 0,
      status?.lastScheduleTime === undefined ? '<none>' : ageOf(status.lastScheduleTime, nowMs),
      ageOf(metadata.creationTimestamp, nowMs),
      ...containerCells(spec?.jobTemplate?.spec?.template),
      selectorCell(spec?.jobTemplate?.spec?.selector ?? {}),
    ],
  },
});
