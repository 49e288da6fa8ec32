// Models what the OpenAPI document says of a custom kind: its schema as OpenAPI v2 can have it, and its paths.

import { isRecord } from '../../machinery/deep.ts';
import { hasUnknownType, someSchema } from './schema-rules.ts';
import { structuralErrors, unsupported } from './structural.ts';
import { effectiveVersion, type JsonSchema, type Names, type Spec, versionsOf } from './types.ts';

/** A schema of OpenAPI v2. */
export type OpenApiSchema = { [field: string]: unknown };

export interface OpenApiPart {
  readonly schemas: Readonly<Record<string, OpenApiSchema>>;
  readonly paths: readonly {
    readonly path: string;
    readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  }[];
}

const GVK = 'x-kubernetes-group-version-kind';
const META = '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1';
const API_VERSION: OpenApiSchema = { type: 'string' };
const KIND: OpenApiSchema = { type: 'string' };

export function openApiOf(spec: Spec, names: Names): OpenApiPart {
  const schemas: Record<string, OpenApiSchema> = {};
  const paths: OpenApiPart['paths'][number][] = [];
  const { group } = spec;
  const { kind, listKind = `${names.kind}List`, plural } = names;
  for (const given of versionsOf(spec)) {
    if (!given.served) continue;
    const version = effectiveVersion(spec, given);
    const prefix = `${group.split('.').reverse().join('.')}.${version.name}`;
    const of = (name: string): object[] => [{ group, kind: name, version: version.name }];
    schemas[`${prefix}.${kind}`] = { ...kindSchema(version.schema?.openAPIV3Schema, spec.preserveUnknownFields === true), [GVK]: of(kind) };
    schemas[`${prefix}.${listKind}`] = {
      description: `${listKind} is a list of ${kind}`,
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: API_VERSION,
        items: {
          description: `List of ${plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
          type: 'array',
          items: { $ref: `#/definitions/${prefix}.${kind}` },
        },
        kind: KIND,
        metadata: { $ref: `${META}.ListMeta` },
      },
      [GVK]: of(listKind),
    };
    const root = `/apis/${group}/${version.name}${spec.scope === 'Namespaced' ? '/namespaces/{namespace}' : ''}/${plural}/{name}`;
    const served = { group, version: version.name, kind };
    paths.push({ path: root, kind: served });
    if (version.subresources?.status !== undefined) paths.push({ path: `${root}/status`, kind: served });
    if (version.subresources?.scale !== undefined) paths.push({ path: `${root}/scale`, kind: served });
  }
  return { schemas, paths };
}

/** Clients take fields that are not named for errors; so what keeps unknown fields names none. */
function kindSchema(schema: JsonSchema | undefined, keepsUnknown: boolean): OpenApiSchema {
  const isUsable =
    schema !== undefined &&
    !someSchema(schema, hasUnknownType) &&
    unsupported(schema) === undefined &&
    structuralErrors(schema, '').length === 0;
  if (!isUsable || keepsUnknown || schema['x-kubernetes-preserve-unknown-fields'] === true) return { type: 'object' };
  const out = versionTwo(schema);
  const properties = (out['properties'] ?? {}) as Record<string, OpenApiSchema>;
  return {
    ...out,
    properties: sorted({ ...properties, apiVersion: API_VERSION, kind: KIND, metadata: { $ref: `${META}.ObjectMeta` } }),
  };
}

const DROPPED = new Set(['allOf', 'oneOf', 'anyOf', 'not', 'nullable', 'externalDocs', 'example']);

/** Without what OpenAPI v2 does not know and what clients of it take wrong. */
function versionTwo(schema: JsonSchema): OpenApiSchema {
  const out: OpenApiSchema = {};
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const isLoose = schema.nullable === true || keepsUnknown;
  for (const [field, value] of Object.entries(schema)) {
    if (DROPPED.has(field) || (isLoose && (field === 'items' || field === 'properties'))) continue;
    if (field === 'properties')
      out[field] = sorted(
        Object.fromEntries(Object.entries(value as Record<string, JsonSchema>).map(([name, each]) => [name, versionTwo(each)])),
      );
    else if (field === 'items' || (field === 'additionalProperties' && isRecord(value))) out[field] = versionTwo(value as JsonSchema);
    else out[field] = value;
  }
  if (schema.nullable === true || (out['items'] === undefined && schema.type === 'array') || (keepsUnknown && schema.type === 'object'))
    delete out['type'];
  if (Array.isArray(out['required'])) {
    const required = (out['required'] as string[]).filter((name) => schema.properties?.[name]?.nullable !== true);
    if (required.length === 0) delete out['required'];
    else out['required'] = required;
  }
  if (schema['x-kubernetes-embedded-resource'] === true && !keepsUnknown) {
    out['properties'] = sorted({
      ...((out['properties'] ?? {}) as Record<string, OpenApiSchema>),
      apiVersion: API_VERSION,
      kind: KIND,
      metadata: { $ref: `${META}.ObjectMeta` },
    });
    out['required'] = [...new Set([...((out['required'] ?? []) as string[]), 'kind', 'apiVersion'])];
  }
  return out;
}

function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
