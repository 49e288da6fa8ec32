// Models the rules of structural schemas: types everywhere, nothing said under anyOf, allOf, oneOf and not that is not said outside.

import { FieldError } from '../../machinery/field-errors.ts';
import { goRegexp, RegexpError } from '../../machinery/go-regexp.ts';
import { additionalSchema, itemsSchema, type JsonSchema } from './types.ts';

type Level = 'root' | 'item' | 'field';

export const child = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
const property = (path: string, name: string): string => `${child(path, 'properties')}[${name}]`;

/** What keeps a schema from being structural, in order of the messages. */
export function structuralErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors = [...invariants(schema, 'root', path), ...completeness(schema, schema, path, path)];
  return errors.sort((a, b) => (a.toString() < b.toString() ? -1 : a.toString() > b.toString() ? 1 : 0));
}

/** Why a schema has no structural form at all; undefined when it has one. */
export function unsupported(schema: JsonSchema): string | undefined {
  const refuse = (field: string): string => `OpenAPIV3Schema '${field}' is not supported`;
  if ((schema.id ?? '') !== '') return refuse('id');
  if ((schema.$schema ?? '') !== '') return refuse('schema');
  if ((schema.$ref ?? '') !== '') return refuse('$ref');
  if (Object.keys(schema.patternProperties ?? {}).length > 0) return refuse('patternProperties');
  if (Object.keys(schema.dependencies ?? {}).length > 0) return refuse('dependencies');
  if (schema.additionalItems !== undefined) return refuse('additionalItems');
  if (Object.keys(schema.definitions ?? {}).length > 0) return refuse('definitions');
  for (const each of [schema.not, ...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), additionalSchema(schema)]) {
    const reason = each === undefined ? undefined : unsupported(each);
    if (reason !== undefined) return reason;
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  if (Array.isArray(schema.items)) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  for (const each of [itemsSchema(schema), ...Object.values(schema.properties ?? {})]) {
    const reason = each === undefined ? undefined : unsupported(each);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function invariants(schema: JsonSchema, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = schema.type ?? '';
  const items = itemsSchema(schema);
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  const properties = schema.properties ?? {};
  if (type === 'array' && items === undefined) errors.push(FieldError.required(child(path, 'items'), 'must be specified'));
  if (items !== undefined) errors.push(...invariants(items, 'item', child(path, 'items')));
  for (const [name, inner] of Object.entries(properties)) errors.push(...invariants(inner, 'field', property(path, name)));
  if (schema.additionalProperties !== undefined) {
    const at = child(path, 'additionalProperties');
    if (level === 'root') errors.push(FieldError.forbidden(at, 'must not be used at the root'));
    const others = additionalSchema(schema);
    if (others !== undefined) errors.push(...invariants(others, 'field', at));
  }
  if (isIntOrString && keepsUnknown) {
    errors.push(
      FieldError.invalid(child(path, 'x-kubernetes-preserve-unknown-fields'), true, 'must be false if x-kubernetes-int-or-string is true'),
    );
  }
  if (isIntOrString && isEmbedded) {
    errors.push(
      FieldError.invalid(child(path, 'x-kubernetes-embedded-resource'), true, 'must be false if x-kubernetes-int-or-string is true'),
    );
  }
  errors.push(
    ...valueRules(
      schema,
      { skipsAnyOf: isIntOrStringPair(schema.anyOf), skipsFirstAllOf: isIntOrStringPair(schema.allOf?.[0]?.anyOf) },
      path,
    ),
  );
  if (isEmbedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    const at = child(path, 'type');
    errors.push(type === '' ? FieldError.required(at, detail) : FieldError.invalid(at, type, detail));
  } else if (type === '' && !isIntOrString && !keepsUnknown) {
    const where = { root: 'at the root', item: 'for specified array items', field: 'for specified object fields' }[level];
    errors.push(FieldError.required(child(path, 'type'), `must not be empty ${where}`));
  }
  if (isEmbedded && schema.additionalProperties !== undefined) {
    errors.push(FieldError.forbidden(child(path, 'additionalProperties'), 'must not be used if x-kubernetes-embedded-resource is set'));
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(FieldError.invalid(child(path, 'type'), type, 'must be object at the root'));
  if (level === 'root' || isEmbedded) {
    for (const [name, wanted] of [
      ['kind', 'string'],
      ['apiVersion', 'string'],
      ['metadata', 'object'],
    ] as const) {
      const inner = properties[name];
      if (inner !== undefined && inner.type !== wanted)
        errors.push(FieldError.invalid(child(property(path, name), 'type'), inner.type ?? '', `must be ${wanted}`));
    }
  }
  const { metadata } = properties;
  if (level === 'root' && metadata !== undefined && !saysOnlyNames(metadata)) {
    errors.push(
      FieldError.forbidden(
        property(path, 'metadata'),
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
  }
  if (isEmbedded && !keepsUnknown && Object.keys(properties).length === 0) {
    errors.push(
      FieldError.required(
        child(path, 'properties'),
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    );
  }
  return errors;
}

function saysOnlyNames(metadata: JsonSchema): boolean {
  const { type: _type, default: _default, properties, ...rest } = metadata;
  const names = Object.keys(properties ?? {});
  if (!names.every((name) => name === 'name' || name === 'generateName')) return false;
  return Object.entries(rest).every(([field, value]) => value === undefined || field === 'externalDocs' || field === 'example');
}

function isIntOrStringPair(schemas: readonly JsonSchema[] | undefined): boolean {
  if (schemas?.length !== 2) return false;
  return ['integer', 'string'].every((type, index) => {
    const { type: given, ...rest } = schemas[index]!;
    return given === type && Object.keys(rest).length === 0;
  });
}

interface Skipped {
  readonly skipsAnyOf: boolean;
  readonly skipsFirstAllOf: boolean;
}
const NOTHING: Skipped = { skipsAnyOf: false, skipsFirstAllOf: false };

function valueRules(schema: JsonSchema, skipped: Skipped, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!skipped.skipsAnyOf)
    for (const [index, each] of (schema.anyOf ?? []).entries())
      errors.push(...nestedRules(each, NOTHING, `${child(path, 'anyOf')}[${index}]`));
  for (const [index, each] of (schema.allOf ?? []).entries()) {
    const skips = { skipsAnyOf: skipped.skipsFirstAllOf && index === 0, skipsFirstAllOf: false };
    errors.push(...nestedRules(each, skips, `${child(path, 'allOf')}[${index}]`));
  }
  for (const [index, each] of (schema.oneOf ?? []).entries())
    errors.push(...nestedRules(each, NOTHING, `${child(path, 'oneOf')}[${index}]`));
  if (schema.not !== undefined) errors.push(...nestedRules(schema.not, NOTHING, child(path, 'not')));
  const { pattern } = schema;
  if (pattern !== undefined && pattern !== '') {
    try {
      goRegexp(pattern);
    } catch (error) {
      if (!(error instanceof RegexpError)) throw error;
      errors.push(FieldError.invalid(child(path, 'pattern'), pattern, `must be a valid regular expression, but isn't: ${error.message}`));
    }
  }
  return errors;
}

const EMPTY = 'must be empty to be structural';
const UNDEFINED = 'must be undefined to be structural';
const FALSE = 'must be false to be structural';

function nestedRules(schema: JsonSchema, skipped: Skipped, path: string): FieldError[] {
  const errors = valueRules(schema, skipped, path);
  const items = itemsSchema(schema);
  if (items !== undefined) errors.push(...nestedRules(items, NOTHING, child(path, 'items')));
  for (const [name, inner] of Object.entries(schema.properties ?? {})) errors.push(...nestedRules(inner, NOTHING, property(path, name)));
  const forbid = (isSet: boolean, field: string, detail: string): void => {
    if (isSet) errors.push(FieldError.forbidden(child(path, field), detail));
  };
  forbid((schema.type ?? '') !== '', 'type', EMPTY);
  forbid(schema.additionalProperties !== undefined, 'additionalProperties', UNDEFINED);
  forbid((schema.default ?? null) !== null, 'default', UNDEFINED);
  forbid((schema.title ?? '') !== '', 'title', EMPTY);
  forbid((schema.description ?? '') !== '', 'description', EMPTY);
  forbid(schema.nullable === true, 'nullable', FALSE);
  forbid(schema['x-kubernetes-preserve-unknown-fields'] === true, 'x-kubernetes-preserve-unknown-fields', FALSE);
  forbid(schema['x-kubernetes-embedded-resource'] === true, 'x-kubernetes-embedded-resource', FALSE);
  forbid(schema['x-kubernetes-int-or-string'] === true, 'x-kubernetes-int-or-string', FALSE);
  forbid((schema['x-kubernetes-list-map-keys'] ?? []).length > 0, 'x-kubernetes-list-map-keys', EMPTY);
  forbid(schema['x-kubernetes-list-type'] !== undefined, 'x-kubernetes-list-type', UNDEFINED);
  forbid(schema['x-kubernetes-map-type'] !== undefined, 'x-kubernetes-map-type', UNDEFINED);
  if (schema.properties?.['metadata'] !== undefined)
    errors.push(FieldError.forbidden(property(path, 'metadata'), 'must not be specified in a nested context'));
  return errors;
}

/** Fields under a junctor have to be there outside of it too. */
function completeness(nested: JsonSchema, schema: JsonSchema | undefined, at: string, from: string): FieldError[] {
  if (schema === undefined) return [FieldError.required(at, `because it is defined in ${from}`)];
  const errors: FieldError[] = [];
  const inner = (each: JsonSchema, where: string): void => void errors.push(...nestedCompleteness(each, schema, at, where));
  if (nested.not !== undefined) inner(nested.not, child(from, 'not'));
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [index, each] of (nested[junctor] ?? []).entries()) inner(each, `${child(from, junctor)}[${index}]`);
  return errors;
}

function nestedCompleteness(nested: JsonSchema, schema: JsonSchema | undefined, at: string, from: string): FieldError[] {
  const errors = completeness(nested, schema, at, from);
  if (schema === undefined) return errors;
  const items = itemsSchema(nested);
  if (items !== undefined) errors.push(...nestedCompleteness(items, itemsSchema(schema), child(at, 'items'), child(from, 'items')));
  for (const [name, inner] of Object.entries(nested.properties ?? {})) {
    const [sAt, vAt] = [property(at, name), property(from, name)];
    const outside = schema.properties?.[name];
    if (outside === undefined) errors.push(FieldError.required(sAt, `because it is defined in ${vAt}`));
    else errors.push(...nestedCompleteness(inner, outside, sAt, vAt));
  }
  return errors;
}
