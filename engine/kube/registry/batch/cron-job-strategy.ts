// What happens to cron jobs on their way into the store (pkg/registry/batch/cronjob).

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { nonNegative, oneOf, record, text } from '../checks.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { dropDisabledTemplateFields } from '../core/pod-fields.ts';
import type { Json, Strategy } from '../definition.ts';
import { specOf } from '../object-access.ts';
import { scheduleProblem } from './cron-schedule.ts';
import { validateJobBase } from './job-template.ts';

/** A job's name gets 11 characters more than its cron job's, and may have 63. */
const MAX_NAME = 52;

export const CRON_JOB_STRATEGY: Strategy<KubeObject> = {
  setDefaults(cron) {
    const spec = specOf(cron);
    if (text(spec['concurrencyPolicy']) === '') spec['concurrencyPolicy'] = 'Allow';
    spec['suspend'] ??= false;
    spec['successfulJobsHistoryLimit'] ??= 3;
    spec['failedJobsHistoryLimit'] ??= 1;
    if (!isRecord(spec['jobTemplate'])) spec['jobTemplate'] = {};
    const template = spec['jobTemplate'] as Json;
    if (!isRecord(template['spec'])) template['spec'] = {};
    const job = template['spec'] as Json;
    job['template'] ??= {};
    defaultPodTemplate(job['template']);
  },
  prepareForCreate(cron) {
    Object.assign(cron, { status: {} });
    dropDisabledTemplateFields(podTemplateOf(cron), undefined);
  },
  validate(cron) {
    const errors: FieldError[] = [];
    validateSpec(errors, specOf(cron));
    const { name = '' } = cron.metadata as { name?: string };
    if (name.length > MAX_NAME) errors.push(FieldError.invalid('metadata.name', name, `must be no more than ${MAX_NAME} characters`));
    return errors;
  },
  prepareForUpdate: (next, current) => dropDisabledTemplateFields(podTemplateOf(next), podTemplateOf(current)),
  validateUpdate(next, _current, meta) {
    const errors = [...meta.update];
    validateSpec(errors, specOf(next));
    return errors;
  },
  validateStatusUpdate: () => [],
  // As it was before there was a garbage collector.
  garbageCollection: 'OrphanDependents',
};

function podTemplateOf(cron: KubeObject): Json | undefined {
  return record(record(record(specOf(cron)['jobTemplate'])?.['spec'])?.['template']);
}

const POLICIES = ['Allow', 'Forbid', 'Replace'];

function validateSpec(errors: FieldError[], spec: Json): void {
  const schedule = text(spec['schedule']);
  if (schedule === '') errors.push(FieldError.required('spec.schedule', ''));
  else {
    const problem = scheduleProblem(schedule);
    if (problem !== undefined) errors.push(FieldError.invalid('spec.schedule', schedule, problem));
  }
  nonNegative(errors, 'spec.startingDeadlineSeconds', spec['startingDeadlineSeconds']);
  oneOf(errors, 'spec.concurrencyPolicy', spec['concurrencyPolicy'], POLICIES);
  const job = record(record(spec['jobTemplate'])?.['spec']) ?? {};
  const path = 'spec.jobTemplate.spec';
  validateJobBase(errors, job, path);
  // Each job has a selector of its own, made for it.
  if (job['selector'] !== undefined)
    errors.push(FieldError.invalidOf(`${path}.selector`, 'v1.LabelSelector', job['selector'], '`selector` will be auto-generated'));
  if (job['manualSelector'] === true) errors.push(FieldError.notSupported(`${path}.manualSelector`, true, ['nil', 'false']));
  nonNegative(errors, 'spec.successfulJobsHistoryLimit', spec['successfulJobsHistoryLimit']);
  nonNegative(errors, 'spec.failedJobsHistoryLimit', spec['failedJobsHistoryLimit']);
}
