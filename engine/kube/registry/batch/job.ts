// Job.

import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import type { LabelSelectorSpec } from '../../machinery/selectors.ts';
import { ageOf, humanDuration } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { selectorCell, WORKLOAD_COLUMNS } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { specOf } from '../object-access.ts';
import { containerCells, defaultJobSpec, type Template, validateJobTemplate } from './job-template.ts';

type Job = KubeObject & {
  spec?: { completions?: number; parallelism?: number; selector?: LabelSelectorSpec; template?: Template; manualSelector?: boolean };
  status?: { succeeded?: number; startTime?: string; completionTime?: string };
};

export const JOB: ResourceDefinition = defineResource<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  fields: { 'status.successful': (job) => String(job.status?.succeeded ?? 0) },
  strategy: {
    setDefaults: (job) => defaultJobSpec(specOf(job)),
    prepareForCreate(job) {
      job.status = {};
      const spec = specOf(job);
      if (spec['manualSelector'] === true) return;
      const labels = { 'controller-uid': job.metadata.uid, 'job-name': job.metadata.name };
      const template = spec['template'] as Template;
      template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } };
      spec['selector'] = { matchLabels: { 'controller-uid': job.metadata.uid } };
      if (Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...template.metadata.labels };
    },
    validate: (job) => validateJobTemplate(job.spec?.template, 'spec.template'),
    validateUpdate(next, current) {
      const errors = validateJobTemplate(next.spec?.template, 'spec.template');
      for (const field of ['completions', 'selector', 'template'] as const) {
        if (!isDeepEqual(next.spec?.[field], current.spec?.[field]))
          errors.push(FieldError.invalid(`spec.${field}`, next.spec?.[field] ?? null, 'field is immutable'));
      }
      return errors;
    },
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Completions', type: 'string', description: 'Successful pods of those wanted.' },
      { name: 'Duration', type: 'string', description: 'Time required to complete the job.' },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells({ metadata, spec, status }, nowMs) {
      const done = status?.succeeded ?? 0;
      const completions =
        spec?.completions !== undefined
          ? `${done}/${spec.completions}`
          : (spec?.parallelism ?? 0) > 1
            ? `${done}/1 of ${spec!.parallelism!}`
            : `${done}/1`;
      const duration =
        status?.startTime === undefined
          ? ''
          : humanDuration((status.completionTime === undefined ? nowMs : Date.parse(status.completionTime)) - Date.parse(status.startTime));
      return [
        metadata.name,
        completions,
        duration,
        ageOf(metadata.creationTimestamp, nowMs),
        ...containerCells(spec?.template),
        selectorCell(spec?.selector),
      ];
    },
  },
});
