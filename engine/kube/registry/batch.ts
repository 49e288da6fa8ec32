// Job, CronJob and HorizontalPodAutoscaler.

import { isDeepEqual, isRecord } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import type { LabelSelectorSpec } from '../machinery/selectors.ts';
import { ageOf, humanDuration } from '../machinery/time.ts';
import type { KubeObject } from '../machinery/types.ts';
import { specOf } from './apps.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type Json, type ResourceDefinition } from './definition.ts';
import { defaultPodTemplate, defaults } from './pod-defaults.ts';
import { validatePodSpec } from './pod-validation.ts';
import { selectorCell, templateCells, WORKLOAD_COLUMNS } from './workload-columns.ts';

type Template = { metadata?: { labels?: Record<string, string> }; spec?: Json } & Json;
type Job = KubeObject & {
  spec?: { completions?: number; parallelism?: number; selector?: LabelSelectorSpec; template?: Template; manualSelector?: boolean };
  status?: { succeeded?: number; startTime?: string; completionTime?: string };
};
type CronJob = KubeObject & {
  spec?: { schedule?: string; suspend?: boolean; jobTemplate?: { spec?: { template?: Template; selector?: LabelSelectorSpec } } };
  status?: { active?: object[]; lastScheduleTime?: string };
};

function defaultJobSpec(spec: Json): void {
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) Object.assign(spec, { completions: 1, parallelism: 1 });
  spec['parallelism'] ??= 1;
  spec['backoffLimit'] ??= 6;
  spec['template'] ??= {};
  const template = spec['template'] as Json;
  // A job's pods have no restart policy by default: the author must say which.
  const given = isRecord(template['spec']) ? template['spec']['restartPolicy'] : undefined;
  defaultPodTemplate(template);
  if (given === undefined) (template['spec'] as Json)['restartPolicy'] = 'Always';
}

function validateJobTemplate(template: Template | undefined, path: string): FieldError[] {
  const errors = validatePodSpec(template?.spec ?? {}, `${path}.spec`);
  const policy = template?.spec?.['restartPolicy'];
  if (policy === 'Always') errors.push(FieldError.required(`${path}.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  return errors;
}

function containerCells(template: Template | undefined): readonly [string, string] {
  return templateCells(template as Parameters<typeof templateCells>[0]);
}

export const BATCH: readonly ResourceDefinition[] = [
  defineResource<Job>({
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
            : humanDuration(
                (status.completionTime === undefined ? nowMs : Date.parse(status.completionTime)) - Date.parse(status.startTime),
              );
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
  }),
  defineResource<CronJob>({
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
  }),
  defineResource<Autoscaler>({
    group: 'autoscaling',
    version: 'v1',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    shortNames: ['hpa'],
    isNamespaced: true,
    categories: ['all'],
    hasStatus: true,
    strategy: {
      setDefaults: (scaler) => {
        specOf(scaler)['minReplicas'] ??= 1;
      },
      prepareForCreate(scaler) {
        scaler.status = { currentReplicas: 0, desiredReplicas: 0 };
      },
      validate({ spec }) {
        const errors: FieldError[] = [];
        const most = spec?.maxReplicas ?? 0;
        if (most < 1) errors.push(FieldError.invalid('spec.maxReplicas', most, 'must be greater than 0'));
        if (most < (spec?.minReplicas ?? 1))
          errors.push(FieldError.invalid('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`'));
        return errors;
      },
    },
    table: {
      columns: [
        NAME_COLUMN,
        { name: 'Reference', type: 'string', description: 'What is scaled.' },
        { name: 'Targets', type: 'string', description: 'Current and wanted metrics.' },
        { name: 'MinPods', type: 'string', description: 'Lower limit of replicas.' },
        { name: 'MaxPods', type: 'string', description: 'Upper limit of replicas.' },
        { name: 'Replicas', type: 'string', description: 'Current replicas.' },
        AGE_COLUMN,
      ],
      cells({ metadata, spec, status }, nowMs) {
        const current = status?.currentCPUUtilizationPercentage;
        const target = spec?.targetCPUUtilizationPercentage;
        return [
          metadata.name,
          `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`,
          target === undefined ? '<none>' : `${current === undefined ? '<unknown>' : `${current}%`}/${target}%`,
          String(spec?.minReplicas ?? '<unset>'),
          spec?.maxReplicas ?? 0,
          status?.currentReplicas ?? 0,
          ageOf(metadata.creationTimestamp, nowMs),
        ];
      },
    },
  }),
];

type Autoscaler = KubeObject & {
  spec?: {
    scaleTargetRef?: { kind?: string; name?: string };
    minReplicas?: number;
    maxReplicas?: number;
    targetCPUUtilizationPercentage?: number;
  };
  status?: { currentReplicas: number; desiredReplicas: number; currentCPUUtilizationPercentage?: number };
};
