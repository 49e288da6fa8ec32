// Job.

import type { LabelSelectorSpec } from '../../machinery/selectors.ts';
import { ageOf, humanDuration } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { selectorCell, WORKLOAD_COLUMNS } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { containerCells, type Template } from './job-template.ts';
import { JOB_STRATEGY } from './job-strategy.ts';

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
  strategy: JOB_STRATEGY,
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
