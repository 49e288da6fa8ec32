// What jobs and the templates of cron jobs share.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { templateCells } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { validatePodSpec } from '../core/pod-validation.ts';
import type { Json } from '../definition.ts';

export type Template = { metadata?: { labels?: Record<string, string> }; spec?: Json } & Json;

export function defaultJobSpec(spec: Json): void {
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

export function validateJobTemplate(template: Template | undefined, path: string): FieldError[] {
  const errors = validatePodSpec(template?.spec ?? {}, `${path}.spec`);
  const policy = template?.spec?.['restartPolicy'];
  if (policy === 'Always') errors.push(FieldError.required(`${path}.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  return errors;
}

export function containerCells(template: Template | undefined): readonly [string, string] {
  return templateCells(template as Parameters<typeof templateCells>[0]);
}
