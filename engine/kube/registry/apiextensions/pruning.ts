// Models pruning and defaulting of custom objects by their structural schema. All work in place.

import { deepCopy, isRecord } from '../../machinery/deep.ts';
import { additionalSchema, itemsSchema, type JsonSchema } from './types.ts';

const META_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

/** Removes what the schema does not name; the type and the metadata of embedded objects stay. */
export function prune(value: unknown, schema: JsonSchema | undefined): void {
  if (schema?.['x-kubernetes-preserve-unknown-fields'] === true) {
    keepUnknown(value, schema);
    return;
  }
  if (Array.isArray(value)) {
    const items = schema === undefined ? undefined : itemsSchema(schema);
    for (const element of value as unknown[]) prune(element, items);
  } else if (isRecord(value)) {
    for (const key of Object.keys(value)) {
      if (schema?.['x-kubernetes-embedded-resource'] === true && META_FIELDS.has(key)) continue;
      const property = propertyOf(schema, key);
      if (property !== undefined) prune(value[key], property);
      else if (allowsOthers(schema)) prune(value[key], additionalSchema(schema!));
      else delete value[key];
    }
  }
}

/** Below a field that keeps unknown fields only what is specified is pruned. */
function keepUnknown(value: unknown, schema: JsonSchema | undefined): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    for (const element of value as unknown[]) keepUnknown(element, itemsSchema(schema));
  } else if (isRecord(value)) {
    for (const key of Object.keys(value)) {
      if (schema['x-kubernetes-embedded-resource'] === true && META_FIELDS.has(key)) continue;
      const property = propertyOf(schema, key);
      if (property !== undefined) prune(value[key], property);
      else if (allowsOthers(schema)) prune(value[key], additionalSchema(schema));
    }
  }
}

/** `additionalProperties: false` too counts as a word on other fields here, as upstream has it. */
function allowsOthers(schema: JsonSchema | undefined): boolean {
  return schema?.additionalProperties !== undefined;
}

export function propertyOf(schema: JsonSchema | undefined, key: string): JsonSchema | undefined {
  const properties = schema?.properties;
  return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

/** Removes nulls where the schema has neither `nullable` nor a default. */
export function pruneNulls(value: unknown, schema: JsonSchema | undefined): void {
  if (Array.isArray(value)) {
    const items = schema === undefined ? undefined : itemsSchema(schema);
    for (const element of value as unknown[]) pruneNulls(element, items);
  } else if (isRecord(value)) {
    for (const key of Object.keys(value)) {
      const inner = propertyOf(schema, key) ?? (schema === undefined ? undefined : additionalSchema(schema));
      if (value[key] === null && inner !== undefined && inner.nullable !== true && (inner.default ?? null) === null) delete value[key];
      else pruneNulls(value[key], inner);
    }
  }
}

/** Fills in defaults, for nulls that may not be null too. */
export function applyDefaults(value: unknown, schema: JsonSchema | undefined): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    const items = itemsSchema(schema);
    for (let index = 0; index < value.length; index++) {
      if (isForbiddenNull(value[index], items)) value[index] = deepCopy(items!.default ?? null);
      applyDefaults(value[index], items);
    }
  } else if (isRecord(value)) {
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      if ((property.default ?? null) === null) continue;
      if (!Object.hasOwn(value, key) || isForbiddenNull(value[key], property)) value[key] = deepCopy(property.default);
    }
    const others = additionalSchema(schema);
    for (const key of Object.keys(value)) {
      const property = propertyOf(schema, key);
      if (property !== undefined) applyDefaults(value[key], property);
      else if (others !== undefined) {
        if (isForbiddenNull(value[key], others)) value[key] = deepCopy(others.default ?? null);
        applyDefaults(value[key], others);
      }
    }
  }
}

function isForbiddenNull(value: unknown, schema: JsonSchema | undefined): boolean {
  return value === null && schema !== undefined && schema.nullable !== true;
}
