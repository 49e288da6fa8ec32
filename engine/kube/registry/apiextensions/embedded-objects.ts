// Models what the server does with objects embedded in custom objects: their type and metadata follow the rules of any object.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goSyntax } from '../../machinery/go-values.ts';
import { GoSyntax } from '../../machinery/go-syntax.ts';
import { dns1035Label, pathSegment, qualifiedName } from '../../machinery/names.ts';
import { DecodeError, normalize } from '../../machinery/schema/codec.ts';
import { validateAnnotations, validateLabels } from '../meta-validation.ts';
import { propertyOf } from './pruning.ts';
import { child } from './structural.ts';
import { additionalSchema, itemsSchema, type JsonSchema } from './types.ts';

const OBJECT_META = 'meta/v1.ObjectMeta';

export interface CoerceOptions {
  /** What does not fit its type is dropped instead of reported. */
  readonly dropsInvalid?: boolean;
}

/** Drops unknown fields of embedded metadata, in place; returns the first type that does not fit. */
export function coerceEmbedded(
  value: unknown,
  schema: JsonSchema | undefined,
  path: string,
  options: CoerceOptions = {},
): FieldError | undefined {
  if (schema === undefined) return undefined;
  if (Array.isArray(value)) {
    for (const [index, element] of (value as unknown[]).entries()) {
      const error = coerceEmbedded(element, itemsSchema(schema), `${path}[${index}]`, options);
      if (error !== undefined) return error;
    }
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  for (const key of Object.keys(value)) {
    if (schema['x-kubernetes-embedded-resource'] === true) {
      const error = coerceField(value, key, path, options);
      if (error !== undefined) return error;
    }
    const property = propertyOf(schema, key);
    const error =
      property === undefined
        ? coerceEmbedded(value[key], additionalSchema(schema), `${path}[${key}]`, options)
        : coerceEmbedded(value[key], property, child(path, key), options);
    if (error !== undefined) return error;
  }
  return undefined;
}

function invalidAt(path: string, value: unknown, detail: string): FieldError {
  return FieldError.invalid(path, value === null ? null : new GoSyntax(goSyntax(value)), detail);
}

function coerceField(
  object: Record<string, unknown>,
  key: string,
  path: string,
  { dropsInvalid = false }: CoerceOptions,
): FieldError | undefined {
  const value = object[key];
  if (key === 'apiVersion' || key === 'kind') {
    if (typeof value === 'string') return undefined;
    if (!dropsInvalid) return invalidAt(child(path, key), value, 'must be a string');
    delete object[key];
  } else if (key === 'metadata') {
    const meta = readMeta(value);
    if (typeof meta !== 'string') object[key] = meta;
    else if (!dropsInvalid) return invalidAt(child(path, key), value, meta);
  }
  return undefined;
}

/** The metadata as ObjectMeta keeps it, or why it is none. */
export function readMeta(value: unknown): Record<string, unknown> | string {
  if (value === null) return {};
  if (!isRecord(value))
    return `json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type v1.ObjectMeta`;
  try {
    const meta = normalize<Record<string, unknown>>(OBJECT_META, value);
    if ((meta['creationTimestamp'] ?? null) === null) delete meta['creationTimestamp'];
    return meta;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return error.message;
  }
}

/** What is wrong with the types and the metadata of embedded objects. */
export function embeddedErrors(value: unknown, schema: JsonSchema | undefined, path: string): FieldError[] {
  if (schema === undefined) return [];
  const errors: FieldError[] = [];
  if (Array.isArray(value)) {
    for (const [index, element] of (value as unknown[]).entries())
      errors.push(...embeddedErrors(element, itemsSchema(schema), `${path}[${index}]`));
  } else if (isRecord(value)) {
    if (schema['x-kubernetes-embedded-resource'] === true) errors.push(...resourceErrors(value, path));
    for (const [key, member] of Object.entries(value)) {
      const property = propertyOf(schema, key);
      if (property !== undefined) errors.push(...embeddedErrors(member, property, child(path, key)));
      else errors.push(...embeddedErrors(member, additionalSchema(schema), `${path}[${key}]`));
    }
  }
  return errors;
}

function resourceErrors(object: Readonly<Record<string, unknown>>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['apiVersion', 'kind'])
    if (object[field] === undefined) errors.push(FieldError.required(child(path, field), 'must not be empty'));
  for (const [field, value] of Object.entries(object)) {
    const at = child(path, field);
    if (field === 'apiVersion' || field === 'kind') {
      if (typeof value !== 'string') errors.push(invalidAt(at, value, 'must be a string'));
      else if (value === '') errors.push(FieldError.invalid(at, value, 'must not be empty'));
      else if (field === 'apiVersion' && value.split('/').length > 2) {
        errors.push(FieldError.invalid(at, value, `unexpected GroupVersion string: ${value}`));
      } else if (field === 'kind') {
        const problems = dns1035Label(value.toLowerCase());
        if (problems.length > 0)
          errors.push(FieldError.invalid(at, value, `may have mixed case, but should otherwise match: ${problems.join(',')}`));
      }
    } else if (field === 'metadata') {
      const meta = readMeta(value);
      errors.push(...(typeof meta === 'string' ? [invalidAt(at, value, meta)] : metaErrors(meta, at)));
    }
  }
  return errors;
}

function metaErrors(meta: Readonly<Record<string, unknown>>, path: string): FieldError[] {
  const {
    name = '',
    generateName = '',
    labels,
    annotations,
    finalizers,
  } = meta as {
    name?: string;
    generateName?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
  };
  const errors: FieldError[] = [];
  if (generateName !== '')
    for (const problem of pathSegment(generateName)) errors.push(FieldError.invalid(child(path, 'generateName'), generateName, problem));
  if (name !== '') for (const problem of pathSegment(name)) errors.push(FieldError.invalid(child(path, 'name'), name, problem));
  errors.push(...validateLabels(labels, child(path, 'labels')), ...validateAnnotations(annotations, child(path, 'annotations')));
  for (const finalizer of finalizers ?? [])
    for (const problem of qualifiedName(finalizer)) errors.push(FieldError.invalid(child(path, 'finalizers'), finalizer, problem));
  return errors;
}
