// CronJob.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import type { LabelSelectorSpec } from '../../machinery/selectors.ts';
import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { selectorCell, WORKLOAD_COLUMNS } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults, specOf } from '../object-access.ts';
import { containerCells, type Template, validateJobTemplate } from './job-template.ts';

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
  strategy: {
    setDefaults(cron) {
      const spec = specOf(cron);
      defaults(spec, { concurrencyPolicy: 'Allow', successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 });
      spec['suspend'] ??= false;
      const template = isRecord(spec['jobTemplate']) ? spec['jobTemplate'] : {};
      spec['jobTemplate'] = template;
      if (!isRecord(template['spec'])) template['spec'] = {};
      const job = template['spec'] as Json;
      if (isRecord(job['template'])) defaultPodTemplate(job['template']);
    },
    prepareForCreate(cron) {
      cron.status = {};
    },
    validate(cron) {
      const errors: FieldError[] = [];
      const schedule = cron.spec?.schedule ?? '';
      if (schedule === '') errors.push(FieldError.required('spec.schedule', ''));
      else if (!schedule.startsWith('@') && schedule.trim().split(/\s+/).length !== 5) {
        errors.push(
          FieldError.invalid(
            'spec.schedule',
            schedule,
            `expected exactly 5 fields, found ${schedule.trim().split(/\s+/).length}: ${schedule}`,
          ),
        );
      }
      errors.push(...validateJobTemplate(cron.spec?.jobTemplate?.spec?.template, 'spec.jobTemplate.spec.template'));
      return errors;
    },
  },
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
