// Models kubectl's validation of files against the server's OpenAPI document (--validate).

import { isNotFound } from '../../../kube/machinery/api-error.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { compareBytes, isObject } from '../printers/json.ts';
import { OpenApi, type Model } from './openapi.ts';

const HINT = 'if you choose to ignore these errors, turn validation off with --validate=false';

/** A check that throws CliError with kubectl's text; the schema is fetched at its first use. */
export function validatorOf(context: Context): (value: unknown, source: string) => Promise<void> {
  let api: OpenApi | undefined;
  return async (value, source) => {
    api ??= await loadSchema(context);
    const errors = validate(api, value);
    if (errors.length === 0) return;
    const text = errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`;
    throw new CliError(`error validating "${source}": error validating data: ${text}; ${HINT}`);
  };
}

/** A server without the document leaves nothing to check against. */
async function loadSchema(context: Context): Promise<OpenApi> {
  try {
    return await OpenApi.load(context);
  } catch (error) {
    if (isNotFound(error)) return new OpenApi({});
    throw error;
  }
}

/** The problems of a document, empty when it is fine or its kind is unknown. */
export function validate(api: OpenApi, value: unknown): readonly string[] {
  if (!isObject(value)) return ['invalid object to validate'];
  const problems = (['apiVersion', 'kind'] as const).flatMap((field) => {
    const given = value[field];
    if (given === undefined || given === null) return [`${field} not set`];
    return typeof given === 'string' ? [] : [`${field} isn't string type`];
  });
  if (problems.length > 0 || typeof value['apiVersion'] !== 'string' || typeof value['kind'] !== 'string') return problems;
  if (value['kind'].endsWith('List') && Array.isArray(value['items']))
    return (value['items'] as unknown[]).flatMap((item) => validate(api, item));
  const model = api.kind(value['apiVersion'], value['kind']);
  if (model === undefined) return [];
  const errors: string[] = [];
  visit(api, value, model, value['kind'], errors);
  return [...new Set(errors)];
}

function visit(api: OpenApi, value: unknown, model: Model, path: string, errors: string[]): void {
  const { schema } = model;
  const add = (message: string): void => {
    errors.push(`ValidationError(${path}): ${message}`);
  };
  const wrongType = (actual: string, expected: string): void =>
    add(`invalid type for ${model.path}: got "${actual}", expected "${expected}"`);
  if (value === null || value === undefined) {
    errors.push(`unknown object type "nil" in ${path}`);
    return;
  }
  const actual = Array.isArray(value) ? 'array' : isObject(value) ? 'map' : primitiveOf(value);
  if (schema.properties !== undefined) {
    if (!isObject(value)) return wrongType(actual, 'map');
    for (const key of Object.keys(value).sort(compareBytes)) {
      const item = value[key];
      if (item === null || item === undefined) continue;
      const field = api.field(model, key);
      if (field === undefined) add(`unknown field "${key}" in ${model.path}`);
      else visit(api, item, field, `${path}.${key}`, errors);
    }
    for (const name of schema.required ?? [])
      if (value[name] === undefined || value[name] === null) add(`missing required field "${name}" in ${model.path}`);
    return;
  }
  if (schema.type === 'array') {
    if (!Array.isArray(value)) return wrongType(actual, 'array');
    const items = api.resolve(schema.items ?? {}, model.path);
    value.forEach((item, index) => visit(api, item, items, `${path}[${index}]`, errors));
    return;
  }
  if (schema.additionalProperties !== undefined) {
    if (!isObject(value)) return wrongType(actual, 'map');
    const items = api.resolve(schema.additionalProperties, model.path);
    for (const key of Object.keys(value).sort(compareBytes)) visit(api, value[key], items, `${path}.${key}`, errors);
    return;
  }
  if (schema.type === undefined || schema.type === 'object' || schema.type === 'string') {
    if (schema.type === 'string' && (actual === 'map' || actual === 'array')) wrongType(actual, 'string');
    return;
  }
  const fits = schema.type === 'boolean' ? actual === 'boolean' : actual === 'integer' || actual === 'number';
  if (!fits) wrongType(actual, schema.type);
}

function primitiveOf(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'boolean' ? 'boolean' : 'string';
}
