// Models what the server lets a definition's OpenAPI schema say.

import { FieldError } from '../../machinery/field-errors.ts';
import { GoSyntax, goStrings } from '../../machinery/go-syntax.ts';
import { defaultErrors } from './default-validation.ts';
import { child, structuralErrors, unsupported } from './structural.ts';
import { additionalSchema, itemsSchema, type JsonSchema, type Validation } from './types.ts';

export interface SchemaRules {
  readonly allowsDefaults: boolean;
  /** Why not, for the message. */
  readonly noDefaultsBecause: string;
  readonly requiresKnownTypes: boolean;
  readonly requiresStructural: boolean;
  readonly requiresPrunedDefaults: boolean;
  readonly requiresAtomicSets: boolean;
  readonly requiresGoodMapKeys: boolean;
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
/** What may stand at the root when status is taken out of it; Go's names. */
const AT_ROOT: Readonly<Record<string, string>> = {
  description: 'Description',
  type: 'Type',
  format: 'Format',
  title: 'Title',
  maximum: 'Maximum',
  exclusiveMaximum: 'ExclusiveMaximum',
  minimum: 'Minimum',
  exclusiveMinimum: 'ExclusiveMinimum',
  maxLength: 'MaxLength',
  minLength: 'MinLength',
  pattern: 'Pattern',
  maxItems: 'MaxItems',
  minItems: 'MinItems',
  uniqueItems: 'UniqueItems',
  multipleOf: 'MultipleOf',
  required: 'Required',
  items: 'Items',
  properties: 'Properties',
  externalDocs: 'ExternalDocs',
  example: 'Example',
  'x-kubernetes-preserve-unknown-fields': 'XPreserveUnknownFields',
};

export function validationErrors(validation: Validation | undefined, hasStatus: boolean, rules: SchemaRules, path: string): FieldError[] {
  const schema = validation?.openAPIV3Schema;
  if (schema === undefined) return [];
  const errors: FieldError[] = [];
  const at = child(path, 'openAPIV3Schema');
  if (hasStatus) errors.push(...rootErrors(schema, at));
  if (schema.nullable === true) errors.push(FieldError.forbidden(`${at}.nullable`, 'nullable cannot be true at the root'));
  errors.push(...schemaErrors(schema, at, { rules, isRoot: true, isInMeta: false }));
  if (rules.requiresStructural) {
    const reason = unsupported(schema);
    if (reason !== undefined) {
      if (errors.length === 0) errors.push(FieldError.invalid(at, '', reason));
    } else {
      const structural = structuralErrors(schema, at);
      errors.push(...(structural.length > 0 ? structural : defaultErrors(schema, at, rules.requiresPrunedDefaults)));
    }
  }
  return errors;
}

function rootErrors(schema: JsonSchema, at: string): FieldError[] {
  for (const [field, value] of Object.entries(schema)) {
    if (value === undefined || value === false) continue;
    if (field === 'type') {
      if (value === 'object') continue;
      return [
        FieldError.invalid(
          `${at}.type`,
          value,
          'only "object" is allowed as the type at the root of the schema if the status subresource is enabled',
        ),
      ];
    }
    if (AT_ROOT[field] === undefined) {
      return [
        FieldError.invalid(
          at,
          new GoSyntax(JSON.stringify(schema)),
          `only [${Object.values(AT_ROOT).join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`,
        ),
      ];
    }
  }
  return [];
}

interface Place {
  readonly rules: SchemaRules;
  readonly isRoot: boolean;
  readonly isInMeta: boolean;
}

const META_FIELDS = new Set(['metadata', 'kind', 'apiVersion']);

const withoutDefaults = (place: Place, reason: string): Place => ({
  ...place,
  rules: { ...place.rules, allowsDefaults: false, noDefaultsBecause: reason },
});

function schemaErrors(schema: JsonSchema, path: string, place: Place): FieldError[] {
  const errors = unsupportedFields(schema, path, place);
  const below: Place = { ...place, isRoot: false };
  if (schema.uniqueItems === true) {
    errors.push(
      FieldError.forbidden(child(path, 'uniqueItems'), 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'),
    );
  }
  const { additionalProperties, properties = {} } = schema;
  if (additionalProperties !== undefined) {
    const at = child(path, 'additionalProperties');
    if (Object.keys(properties).length > 0 && additionalProperties !== true)
      errors.push(FieldError.forbidden(at, 'additionalProperties and properties are mutual exclusive'));
    const others = additionalSchema(schema);
    const inner = place.isInMeta ? withoutDefaults(below, 'inside additionalProperties applying to object metadata') : below;
    if (others !== undefined) errors.push(...schemaErrors(others, at, inner));
  }
  for (const name of Object.keys(properties).sort()) {
    let inner = below;
    if ((place.isRoot || schema['x-kubernetes-embedded-resource'] === true) && META_FIELDS.has(name)) {
      inner = { ...inner, isInMeta: true };
      if (place.isRoot) inner = withoutDefaults(inner, `in top-level ${name}`);
    }
    errors.push(...schemaErrors(properties[name]!, `${child(path, 'properties')}[${name}]`, inner));
  }
  if (schema.not !== undefined) errors.push(...schemaErrors(schema.not, child(path, 'not'), below));
  for (const junctor of ['allOf', 'oneOf', 'anyOf'] as const)
    for (const [index, each] of (schema[junctor] ?? []).entries())
      errors.push(...schemaErrors(each, `${child(path, junctor)}[${index}]`, below));
  for (const [name, each] of Object.entries(schema.definitions ?? {}))
    errors.push(...schemaErrors(each, `${child(path, 'definitions')}[${name}]`, below));
  if (Array.isArray(schema.items))
    for (const [index, each] of (schema.items as JsonSchema[]).entries())
      errors.push(...schemaErrors(each, `${child(path, 'items')}[${index}]`, below));
  else if (schema.items !== undefined) errors.push(...schemaErrors(schema.items as JsonSchema, child(path, 'items'), below));
  errors.push(...extensionErrors(schema, path, place.rules));
  return errors;
}

function unsupportedFields(schema: JsonSchema, path: string, { rules, isInMeta }: Place): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '' } = schema;
  if (rules.requiresKnownTypes && type !== '' && !TYPES.includes(type))
    errors.push(FieldError.notSupported(child(path, 'type'), type, TYPES));
  if ((schema.default ?? null) !== null && !rules.allowsDefaults) {
    const reason = rules.noDefaultsBecause;
    errors.push(FieldError.forbidden(child(path, 'default'), `must not be set${reason === '' ? '' : ` ${reason}`}`));
  }
  const refuse = (isSet: boolean, field: string): void => {
    if (isSet) errors.push(FieldError.forbidden(child(path, field), `${field} is not supported`));
  };
  refuse((schema.id ?? '') !== '', 'id');
  refuse(schema.additionalItems !== undefined, 'additionalItems');
  refuse(Object.keys(schema.patternProperties ?? {}).length > 0, 'patternProperties');
  refuse(Object.keys(schema.definitions ?? {}).length > 0, 'definitions');
  refuse(schema.dependencies !== undefined, 'dependencies');
  refuse(schema.$ref !== undefined, '$ref');
  if (type === 'null') errors.push(FieldError.forbidden(child(path, 'type'), 'type cannot be set to null, use nullable as an alternative'));
  if (Array.isArray(schema.items) && schema.items.length > 0)
    errors.push(FieldError.forbidden(child(path, 'items'), 'items must be a schema object and not an array'));
  if (isInMeta && schema['x-kubernetes-embedded-resource'] === true)
    errors.push(FieldError.forbidden(child(path, 'x-kubernetes-embedded-resource'), 'must not be used inside of resource meta'));
  return errors;
}

function extensionErrors(schema: JsonSchema, path: string, rules: SchemaRules): FieldError[] {
  const errors: FieldError[] = [];
  const at = (field: string): string => child(path, field);
  const { type = '' } = schema;
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(FieldError.invalid(at('x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'));
  const mustBe = (wanted: string, extension: string): void => {
    const detail = `must be ${wanted} if ${extension} is specified`;
    errors.push(type === '' ? FieldError.required(at('type'), detail) : FieldError.invalid(at('type'), type, detail));
  };
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType !== undefined && type !== 'object') mustBe('object', 'x-kubernetes-map-type');
  if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular')
    errors.push(FieldError.notSupported(at('x-kubernetes-map-type'), mapType, ['atomic', 'granular']));
  const listType = schema['x-kubernetes-list-type'];
  const items = itemsSchema(schema);
  if (listType !== undefined && type !== 'array') mustBe('array', 'x-kubernetes-list-type');
  else if (rules.requiresAtomicSets && listType === 'set' && items !== undefined) {
    const itemsListType = items['x-kubernetes-list-type'];
    const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    if (items.type === 'array' && itemsListType !== undefined && itemsListType !== 'atomic')
      errors.push(FieldError.invalid(at('items.x-kubernetes-list-type'), itemsListType, detail));
    if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
      errors.push(FieldError.invalid(at('items.x-kubernetes-map-type'), itemsListType, detail));
  }
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType))
    errors.push(FieldError.notSupported(at('x-kubernetes-list-type'), listType, ['atomic', 'set', 'map']));
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const field = at('x-kubernetes-list-type');
    errors.push(listType === undefined ? FieldError.required(field, detail) : FieldError.invalid(field, listType, detail));
  }
  if (listType === 'map') errors.push(...mapErrors(schema, items, keys, path));
  if (rules.requiresGoodMapKeys) errors.push(...mapKeyErrors(schema, path));
  return errors;
}

function mapErrors(schema: JsonSchema, items: JsonSchema | undefined, keys: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const at = (field: string): string => child(path, field);
  if (keys.length === 0)
    errors.push(FieldError.required(at('x-kubernetes-list-map-keys'), 'must not be empty if x-kubernetes-list-type is map'));
  if (schema.items === undefined) errors.push(FieldError.required(at('items'), 'must have a schema if x-kubernetes-list-type is map'));
  else if (items === undefined)
    errors.push(FieldError.invalid(at('items'), schema.items, 'must only have a single schema if x-kubernetes-list-type is map'));
  else if (items.type !== 'object')
    errors.push(FieldError.invalid(at('items.type'), items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"));
  else {
    const seen = new Set<string>();
    const keysAt = at('x-kubernetes-list-map-keys');
    for (const key of keys) {
      const property = items.properties?.[key];
      if (property === undefined) errors.push(FieldError.invalid(keysAt, goStrings(keys), 'entries must all be names of item properties'));
      else if (property.type === 'array' || property.type === 'object') {
        errors.push(
          FieldError.invalid(
            `${at('items.properties')}[${key}].type`,
            items.type,
            "must be a scalar type if parent array's x-kubernetes-list-type is map",
          ),
        );
      }
      if (seen.has(key)) errors.push(FieldError.invalid(keysAt, goStrings(keys), 'must not contain duplicate entries'));
      seen.add(key);
    }
  }
  return errors;
}

/** Keys of list maps have to be there in every element. */
export function mapKeyErrors(schema: JsonSchema, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  const items = itemsSchema(schema);
  if (items === undefined || (listType !== 'set' && listType !== 'map')) return [];
  const errors: FieldError[] = [];
  if (items.nullable === true)
    errors.push(FieldError.forbidden(child(path, 'items.nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  if (listType !== 'map') return errors;
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const property = items.properties?.[key];
    if (property === undefined) continue;
    const at = `${child(path, 'items.properties')}[${key}]`;
    if (!(items.required ?? []).includes(key) && (property.default ?? null) === null) {
      errors.push(
        FieldError.required(
          `${at}.default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      );
    }
    if (property.nullable === true)
      errors.push(FieldError.forbidden(`${at}.nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'));
  }
  return errors;
}

/** Whether the schema or any below it is so. */
export function someSchema(schema: JsonSchema | undefined, test: (schema: JsonSchema) => boolean): boolean {
  if (schema === undefined) return false;
  if (test(schema)) return true;
  const lists = [schema.allOf, schema.anyOf, schema.oneOf, Array.isArray(schema.items) ? (schema.items as JsonSchema[]) : undefined];
  const single = [schema.not, itemsSchema(schema), additionalSchema(schema)];
  const maps = [schema.properties, schema.patternProperties, schema.definitions];
  return (
    single.some((each) => someSchema(each, test)) ||
    lists.some((list) => (list ?? []).some((each) => someSchema(each, test))) ||
    maps.some((map) => Object.values(map ?? {}).some((each) => someSchema(each, test)))
  );
}

export const hasUnknownType = (schema: JsonSchema): boolean => (schema.type ?? '') !== '' && !TYPES.includes(schema.type!);
