// Checks that the rules of many kinds are made of. Each adds what is wrong to `errors`.

import { FieldError } from '../machinery/field-errors.ts';
import { labelValue, percent, qualifiedName } from '../machinery/names.ts';
import { type LabelSelector, labelSelectorOf, type LabelSelectorSpec } from '../machinery/selectors.ts';
import type { Json } from './definition.ts';
import { findings as problems, int as number, NOT_NEGATIVE, str as text } from './rules.ts';

export { findings as problems, int as number, oneOf, str as text } from './rules.ts';

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : NONE);
export const record = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
const NONE: readonly unknown[] = [];

export function required(errors: FieldError[], path: string, value: unknown): void {
  if (text(value) === '') errors.push(FieldError.required(path, ''));
}

export const IS_IMMUTABLE = 'field is immutable';

export function nonNegative(errors: FieldError[], path: string, value: unknown): void {
  if (typeof value === 'number' && value < 0) errors.push(FieldError.invalid(path, value, NOT_NEGATIVE));
}

export function labels(errors: FieldError[], path: string, given: unknown): void {
  const map = record(given);
  if (map === undefined) return;
  for (const key in map) {
    problems(errors, path, key, qualifiedName(key));
    problems(errors, path, map[key], labelValue(text(map[key])));
  }
}

export function labelSelector(errors: FieldError[], path: string, given: unknown): void {
  const selector = record(given);
  if (selector === undefined) return;
  labels(errors, `${path}.matchLabels`, selector['matchLabels']);
  for (const [index, each] of list(selector['matchExpressions']).entries()) {
    const expression = each as Json;
    const at = `${path}.matchExpressions[${index}]`;
    const operator = text(expression['operator']);
    const values = list(expression['values']).length;
    if (operator === 'In' || operator === 'NotIn') {
      if (values === 0) errors.push(FieldError.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values > 0)
        errors.push(FieldError.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else errors.push(FieldError.invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    problems(errors, `${at}.key`, text(expression['key']), qualifiedName(text(expression['key'])));
  }
}

/** The selector as one can ask it, or undefined when it makes no sense. Without any selector nothing matches. */
export function selectorOf(given: unknown): LabelSelector | undefined {
  const faults: FieldError[] = [];
  labelSelector(faults, '', given);
  for (const each of list(record(given)?.['matchExpressions'])) {
    for (const value of list((each as Json)['values'])) problems(faults, '', value, labelValue(text(value)));
  }
  return faults.length > 0 ? undefined : labelSelectorOf(given as LabelSelectorSpec | undefined);
}

export function isEmptySelector(given: unknown): boolean {
  const selector = record(given);
  return selector !== undefined && !hasMembers(selector['matchLabels']) && list(selector['matchExpressions']).length === 0;
}

export function hasMembers(given: unknown): boolean {
  for (const _ in record(given)) return true;
  return false;
}

/** Nothing or 0 or more, as a count or `5%`. */
export function countOrPercent(errors: FieldError[], path: string, value: unknown): void {
  if (typeof value === 'string') {
    for (const problem of percent(value)) errors.push(FieldError.invalidOf(path, 'intstr.IntOrString', value, problem));
  } else nonNegative(errors, path, value);
}

export function notMoreThanAll(errors: FieldError[], path: string, value: unknown): void {
  if (typeof value !== 'string' || percent(value).length > 0) return;
  if (Number.parseInt(value, 10) > 100)
    errors.push(FieldError.invalidOf(path, 'intstr.IntOrString', value, 'must not be greater than 100%'));
}

/** The count, or the figure of the percentage; words that are neither count as 0. */
export function amountOf(value: unknown): number {
  if (typeof value !== 'string') return number(value);
  return /^[+-]?\d+%?$/.test(value) ? Number.parseInt(value, 10) : 0;
}
