// What jobs and the templates of cron jobs share.

import { FieldError } from '../../machinery/field-errors.ts';
import { nonNegative, record, text } from '../checks.ts';
import { templateCells } from '../columns.ts';
import { validatePodTemplate } from '../core/pod-spec-validation.ts';
import type { Json } from '../definition.ts';

export type Template = { metadata?: { labels?: Record<string, string> }; spec?: Json } & Json;

const COUNTS = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'];

/** validateJobSpec: all but the selector. */
export function validateJobBase(errors: FieldError[], spec: Json, path: string): void {
  for (const field of COUNTS) nonNegative(errors, `${path}.${field}`, spec[field]);
  const template = record(spec['template']);
  validatePodTemplate(errors, template, `${path}.template`);
  const policy = text(record(template?.['spec'])?.['restartPolicy']);
  // A job's pods come to an end: the author must say what happens to those that fail.
  if (policy === 'Always' || policy === '')
    errors.push(FieldError.required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
}

export function containerCells(template: Template | undefined): readonly [string, string] {
  return templateCells(template as Parameters<typeof templateCells>[0]);
}
