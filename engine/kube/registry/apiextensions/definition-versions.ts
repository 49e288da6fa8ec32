// Models the conversion of CustomResourceDefinitions between v1, which says everything for each version, and what is stored,
// which is v1beta1 and says at the top what all versions share.

import { deepCopy, isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { normalize } from '../../machinery/schema/codec.ts';
import type { ApiObject, Json } from '../definition.ts';
import type { Column, Conversion, JsonSchema, Spec, Version } from './types.ts';

const JSON_SCHEMA = 'apiextensions/v1.JSONSchemaProps';

/** v1 to what is stored. */
export function fromV1(object: ApiObject): ApiObject {
  const given = (object['spec'] ?? {}) as Json;
  const conversion = given['conversion'] as
    { strategy?: string; webhook?: { clientConfig?: Json; conversionReviewVersions?: string[] } } | undefined;
  const versions = ((given['versions'] ?? []) as Json[]).map((version) => {
    const { additionalPrinterColumns, ...rest } = version;
    return { ...rest, ...columns('additionalPrinterColumns', additionalPrinterColumns, 'jsonPath', 'JSONPath') } as unknown as Version;
  });
  const [first] = versions;
  const shared = <K extends 'schema' | 'subresources' | 'additionalPrinterColumns'>(field: K): Version[K] | undefined =>
    versions.every((version) => isDeepEqual(version[field], first?.[field])) ? first?.[field] : undefined;
  const validation = shared('schema');
  const subresources = shared('subresources');
  const printed = shared('additionalPrinterColumns');
  const spec: Spec = cleanSpec({
    group: (given['group'] ?? '') as string,
    ...(first === undefined ? {} : { version: first.name }),
    names: given['names'] as Spec['names'],
    scope: (given['scope'] ?? '') as string,
    ...(validation === undefined ? {} : { validation }),
    ...(subresources === undefined ? {} : { subresources }),
    versions: versions.map((version) => {
      const { schema, subresources: own, additionalPrinterColumns, ...rest } = version;
      return {
        ...rest,
        ...(schema === undefined || validation !== undefined ? {} : { schema }),
        ...(own === undefined || subresources !== undefined ? {} : { subresources: own }),
        ...(additionalPrinterColumns === undefined || printed !== undefined ? {} : { additionalPrinterColumns }),
      };
    }),
    ...(printed === undefined ? {} : { additionalPrinterColumns: printed }),
    ...(conversion === undefined
      ? {}
      : {
          conversion: {
            strategy: conversion.strategy ?? '',
            ...(conversion.webhook?.clientConfig === undefined
              ? {}
              : { webhookClientConfig: conversion.webhook.clientConfig as NonNullable<Conversion['webhookClientConfig']> }),
            ...(conversion.webhook?.conversionReviewVersions === undefined || conversion.webhook.conversionReviewVersions === null
              ? {}
              : { conversionReviewVersions: conversion.webhook.conversionReviewVersions }),
          },
        }),
    preserveUnknownFields: given['preserveUnknownFields'] === true,
  });
  return { ...object, spec: spec };
}

/** What is stored to v1. */
export function toV1(object: ApiObject): ApiObject {
  const spec = object['spec'] as Spec;
  const { conversion } = spec;
  const versions =
    (spec.versions ?? []).length === 0 && (spec.version ?? '') !== ''
      ? [{ name: spec.version!, served: true, storage: true }]
      : spec.versions;
  const hasWebhook = conversion?.webhookClientConfig !== undefined || conversion?.conversionReviewVersions !== undefined;
  return {
    ...object,
    spec: {
      group: spec.group,
      names: spec.names,
      scope: spec.scope,
      versions: ((versions ?? []) as readonly Version[]).map((version) => {
        const schema = spec.validation ?? version.schema;
        const subresources = spec.subresources ?? version.subresources;
        const printed = spec.additionalPrinterColumns ?? version.additionalPrinterColumns;
        const { name, served, storage, deprecated, deprecationWarning } = version;
        return {
          name,
          served,
          storage,
          ...(deprecated === true ? { deprecated } : {}),
          ...(deprecationWarning === undefined ? {} : { deprecationWarning }),
          ...(schema === undefined ? {} : { schema }),
          ...(subresources === undefined ? {} : { subresources }),
          ...columns('additionalPrinterColumns', printed, 'JSONPath', 'jsonPath'),
        };
      }),
      ...(conversion === undefined
        ? {}
        : {
            conversion: {
              strategy: conversion.strategy,
              ...(hasWebhook
                ? {
                    webhook: {
                      ...(conversion.webhookClientConfig === undefined ? {} : { clientConfig: conversion.webhookClientConfig }),
                      conversionReviewVersions: conversion.conversionReviewVersions ?? null,
                    },
                  }
                : {}),
            },
          }),
      ...(spec.preserveUnknownFields === true ? { preserveUnknownFields: true } : {}),
    },
  };
}

/** v1beta1 is stored as it comes, but for schemas: those are kept as the types have them. */
export function fromV1beta1(object: ApiObject): ApiObject {
  return { ...object, spec: cleanSpec((object['spec'] ?? {}) as unknown as Spec) };
}

function columns(field: string, given: unknown, from: string, to: string): Json {
  if (!Array.isArray(given) || given.length === 0) return {};
  return {
    [field]: (given as Json[]).map(({ [from]: path, ...column }) => ({ ...column, [to]: path ?? '' })) as unknown as readonly Column[],
  };
}

function cleanSpec(spec: Spec): Spec {
  const { validation, versions } = spec;
  return {
    ...spec,
    ...(validation === undefined ? {} : { validation: cleanValidation(validation) }),
    ...(versions === undefined
      ? {}
      : {
          versions: versions.map((version) =>
            version.schema === undefined ? version : { ...version, schema: cleanValidation(version.schema) },
          ),
        }),
  };
}

function cleanValidation(validation: NonNullable<Spec['validation']>): NonNullable<Spec['validation']> {
  const schema = validation.openAPIV3Schema;
  return schema === undefined || schema === null ? {} : { openAPIV3Schema: cleanSchema(schema) };
}

/** The decoder takes schemas under items and the like as they come; here they get the form of the others. */
export function cleanSchema(given: JsonSchema): JsonSchema {
  const schema = { ...normalize<Record<string, unknown>>(JSON_SCHEMA, given as Record<string, unknown>) };
  // Null is no default to Go.
  for (const field of ['default', 'example']) if (schema[field] === null) delete schema[field];
  const inner = (value: unknown): unknown => (isRecord(value) ? cleanSchema(value as JsonSchema) : value);
  for (const field of ['not', 'additionalProperties', 'additionalItems'])
    if (schema[field] !== undefined) schema[field] = inner(schema[field]);
  for (const field of ['allOf', 'oneOf', 'anyOf']) if (schema[field] !== undefined) schema[field] = (schema[field] as unknown[]).map(inner);
  const { items } = schema;
  if (items !== undefined) schema['items'] = Array.isArray(items) ? (items as unknown[]).map(inner) : inner(items);
  for (const field of ['properties', 'patternProperties', 'definitions', 'dependencies']) {
    const map = schema[field];
    if (!isRecord(map)) continue;
    schema[field] = Object.fromEntries(Object.entries(map).map(([name, value]) => [name, inner(value)]));
  }
  for (const field of ['items', 'additionalProperties', 'additionalItems', 'not']) if (schema[field] === null) delete schema[field];
  return deepCopy(schema) as JsonSchema;
}
