// What happens to jobs on their way into the store (pkg/registry/batch/job).

import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { statusOf, templateLabelsMatch, templateOf } from '../apps/workload-validation.ts';
import { hasMembers, IS_IMMUTABLE, labelSelector, nonNegative, record, selectorOf } from '../checks.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { dropDisabledTemplateFields } from '../core/pod-fields.ts';
import type { Json, Strategy } from '../definition.ts';
import { specOf } from '../object-access.ts';
import { validateJobBase } from './job-template.ts';

const UID = 'controller-uid';
const NAME = 'job-name';

export const JOB_STRATEGY: Strategy<KubeObject> = {
  setDefaults(job) {
    const spec = specOf(job);
    if (spec['completions'] === undefined && spec['parallelism'] === undefined) spec['completions'] = 1;
    spec['parallelism'] ??= 1;
    spec['backoffLimit'] ??= 6;
    spec['template'] ??= {};
    defaultPodTemplate(spec['template']);
    labelAsTemplate(job);
  },
  prepareForCreate(job) {
    Object.assign(job, { status: {} });
    // Cleaning up after a time is a feature that is off.
    delete specOf(job)['ttlSecondsAfterFinished'];
    dropDisabledTemplateFields(templateOf(job), undefined);
    // It has no name yet when that is made for it: the selector is only given its place.
    if (specOf(job)['manualSelector'] !== true) specOf(job)['selector'] ??= {};
  },
  validate(job) {
    const errors: FieldError[] = [];
    if (specOf(job)['manualSelector'] !== true) generateSelector(job);
    generatedSelector(errors, job);
    validateSpec(errors, specOf(job));
    return errors;
  },
  prepareForUpdate(next, current) {
    if (specOf(current)['ttlSecondsAfterFinished'] === undefined) delete specOf(next)['ttlSecondsAfterFinished'];
    dropDisabledTemplateFields(templateOf(next), templateOf(current));
  },
  validateUpdate(next, current, meta) {
    const faults: FieldError[] = [];
    validateSpec(faults, specOf(next));
    const errors = [...meta.object];
    generatedSelector(errors, next);
    errors.push(...faults, ...meta.update, ...faults);
    const [spec, old] = [specOf(next), specOf(current)];
    for (const [field, type] of FIXED) {
      if (!isDeepEqual(spec[field], old[field])) errors.push(FieldError.invalidOf(`spec.${field}`, type, spec[field], IS_IMMUTABLE));
    }
    return errors;
  },
  validateStatusUpdate(next, _current, meta) {
    const errors = [...meta.update];
    for (const field of ['active', 'succeeded', 'failed']) nonNegative(errors, `status.${field}`, statusOf(next)[field]);
    return errors;
  },
  // As it was before there was a garbage collector.
  garbageCollection: 'OrphanDependents',
};

const FIXED = [
  ['completions', 'int32'],
  ['selector', 'v1.LabelSelector'],
  ['template', 'core.PodTemplateSpec'],
] as const;

type Labels = Record<string, string>;

/** A job without labels of its own is labelled as its pods are. */
function labelAsTemplate(job: KubeObject): void {
  const labels = record(record(templateOf(job)?.['metadata'])?.['labels']) as Labels | undefined;
  if (labels !== undefined && !hasMembers(job.metadata.labels)) job.metadata.labels = { ...labels };
}

/** A job's own uid tells its pods from all others. What the author gave stays, and may then be refused. */
function generateSelector(job: KubeObject): void {
  const spec = specOf(job);
  const template = spec['template'] as Json;
  const metadata = (record(template['metadata']) ?? {}) as { labels?: Labels };
  const given = metadata.labels ?? {};
  const isLabelledAlike = isDeepEqual(given, job.metadata.labels ?? {});
  metadata.labels = { [NAME]: job.metadata.name, [UID]: job.metadata.uid, ...given };
  template['metadata'] = metadata;
  const selector = record(spec['selector']) ?? {};
  spec['selector'] = { ...selector, matchLabels: { [UID]: job.metadata.uid, ...(selector['matchLabels'] as Labels | undefined) } };
  if (isLabelledAlike) job.metadata.labels = { ...metadata.labels };
}

function generatedSelector(errors: FieldError[], job: KubeObject): void {
  const spec = specOf(job);
  const { selector } = spec;
  if (spec['manualSelector'] === true || record(selector) === undefined) return;
  const { name, uid } = job.metadata;
  if ((uid ?? '') === '') errors.push(FieldError.required('metadata.uid', ''));
  const labels = record(record(templateOf(job)?.['metadata'])?.['labels']) as Labels | undefined;
  hasLabel(errors, labels, UID, uid);
  hasLabel(errors, labels, NAME, name);
  const usable = selectorOf(selector);
  if (usable !== undefined && !usable.matches({ [UID]: uid, [NAME]: name }))
    errors.push(FieldError.invalidOf('spec.selector', 'v1.LabelSelector', selector, '`selector` not auto-generated'));
}

function hasLabel(errors: FieldError[], labels: Labels | undefined, key: string, value: string): void {
  const path = `spec.template.metadata.labels[${key}]`;
  if (labels?.[key] === undefined) errors.push(FieldError.required(path, `must be '${value}'`));
  else if (labels[key] !== value) errors.push(FieldError.invalidOf(path, 'map[string]string', labels, `must be '${value}'`));
}

function validateSpec(errors: FieldError[], spec: Json): void {
  validateJobBase(errors, spec, 'spec');
  if (record(spec['selector']) === undefined) errors.push(FieldError.required('spec.selector', ''));
  else labelSelector(errors, 'spec.selector', spec['selector']);
  const selector = selectorOf(spec['selector']);
  if (selector !== undefined) templateLabelsMatch(errors, selector, record(spec['template']), 'spec.template');
}
