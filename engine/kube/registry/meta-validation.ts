// Validation of labels and annotations.

import { FieldError } from '../machinery/field-errors.ts';
import { labelValue, qualifiedName } from '../machinery/names.ts';

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const problem of qualifiedName(key)) errors.push(FieldError.invalid(path, key, problem));
    for (const problem of labelValue(value)) errors.push(FieldError.invalid(path, value, problem));
  }
  return errors;
}

const MAX_ANNOTATIONS_BYTES = 256 * 1024;

export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const problem of qualifiedName(key.toLowerCase())) errors.push(FieldError.invalid(path, key, problem));
    size += key.length + value.length;
  }
  if (size > MAX_ANNOTATIONS_BYTES) errors.push(FieldError.tooLong(path, MAX_ANNOTATIONS_BYTES));
  return errors;
}
