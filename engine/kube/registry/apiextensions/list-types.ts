// Models what x-kubernetes-list-type promises: sets without twins, maps without two elements of one key.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goSyntax } from '../../machinery/go-values.ts';
import { GoSyntax } from '../../machinery/go-syntax.ts';
import { propertyOf } from './pruning.ts';
import { additionalSchema, itemsSchema, type JsonSchema } from './types.ts';
import { child } from './structural.ts';

export function listTypeErrors(schema: JsonSchema | undefined, value: unknown, path = ''): FieldError[] {
  if (schema === undefined) return [];
  const errors: FieldError[] = [];
  if (Array.isArray(value)) {
    const elements = value as unknown[];
    const type = schema['x-kubernetes-list-type'];
    if (type === 'set') errors.push(...twins(elements, path));
    else if (type === 'map') errors.push(...mapTwins(schema, elements, path));
    const items = itemsSchema(schema);
    if (items !== undefined)
      for (const [index, element] of elements.entries()) errors.push(...listTypeErrors(items, element, `${path}[${index}]`));
  } else if (isRecord(value)) {
    const others = additionalSchema(schema);
    for (const [key, member] of Object.entries(value)) {
      const property = propertyOf(schema, key);
      if (others !== undefined) errors.push(...listTypeErrors(others, member, `${path}[${key}]`));
      if (property !== undefined) errors.push(...listTypeErrors(property, member, child(path, key)));
    }
  }
  return errors;
}

const duplicate = (path: string, index: number, value: unknown): FieldError =>
  FieldError.duplicate(`${path}[${index}]`, new GoSyntax(goSyntax(value)));

/** Each value that comes again is told of once, where it comes the second time. */
function twins(elements: readonly unknown[], path: string): FieldError[] {
  const seen = new Map<string, number>();
  const errors: FieldError[] = [];
  for (const [index, element] of elements.entries()) {
    const key = canonical(element);
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    if (times === 1) errors.push(duplicate(path, index, element));
  }
  return errors;
}

function mapTwins(schema: JsonSchema, elements: readonly unknown[], path: string): FieldError[] {
  for (const [index, element] of elements.entries()) {
    if (element !== null && !isRecord(element)) {
      return [FieldError.invalid(`${path}[${index}]`, new GoSyntax(goSyntax(element)), 'must be an object for an array of list-type map')];
    }
  }
  const keys = elements.map((element) => {
    const key: Record<string, unknown> = {};
    if (isRecord(element))
      for (const name of schema['x-kubernetes-list-map-keys'] ?? []) if (element[name] !== undefined) key[name] = element[name];
    return key;
  });
  return twins(keys, path);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value);
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`;
}
