// Validation of custom objects against the schema of their definition: types, required fields, enumerations, bounds, patterns.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';

export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly nullable?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

export function validateAgainstSchema(schema: JsonSchema, value: unknown, path: string): FieldError[] {
  const at = path === '' ? '<nil>' : path;
  if (value === null && schema.nullable === true) return [];
  if (schema['x-kubernetes-int-or-string'] === true) return [];
  const errors: FieldError[] = [];
  const actual = typeName(value);
  if (schema.type !== undefined && actual !== schema.type && !(schema.type === 'number' && actual === 'integer')) {
    return [FieldError.invalid(at, actual, `${path} in body must be of type ${schema.type}: ${JSON.stringify(actual)}`)];
  }
  if (isRecord(value)) {
    for (const name of schema.required ?? [])
      if (value[name] === undefined) errors.push(FieldError.required(path === '' ? name : `${path}.${name}`, ''));
    for (const [name, member] of Object.entries(value)) {
      const inner =
        schema.properties?.[name] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
      if (inner !== undefined && !(path === '' && name === 'metadata'))
        errors.push(...validateAgainstSchema(inner, member, path === '' ? name : `${path}.${name}`));
    }
  } else if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined)
      for (const [index, element] of (value as unknown[]).entries())
        errors.push(...validateAgainstSchema(items, element, `${path}[${index}]`));
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) errors.push(FieldError.notSupported(at, value, schema.enum.map(String)));
  if (typeof value === 'number' && schema.minimum !== undefined && value < schema.minimum) {
    errors.push(FieldError.invalid(at, value, `${path} in body should be greater than or equal to ${schema.minimum}`));
  }
  if (typeof value === 'number' && schema.maximum !== undefined && value > schema.maximum) {
    errors.push(FieldError.invalid(at, value, `${path} in body should be less than or equal to ${schema.maximum}`));
  }
  if (typeof value === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) {
    errors.push(FieldError.invalid(at, value, `${path} in body should match '${schema.pattern}'`));
  }
  return errors;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
