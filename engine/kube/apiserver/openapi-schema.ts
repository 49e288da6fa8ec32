// Models how kube-openapi describes Go types: one definition for every type that some request or answer holds.

import { readApiDocs, type ApiDocs } from '../machinery/schema/docs.ts';
import { jsonFields, structOf, type Field, type TypeRef } from '../machinery/schema/schema.ts';
import type { ResourceDefinition } from '../registry/definition.ts';

export interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  description?: string;
  required?: readonly string[];
  items?: Schema;
  additionalProperties?: Schema;
  properties?: Record<string, Schema>;
  [extension: `x-${string}`]: unknown;
}

export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export const GVK = 'x-kubernetes-group-version-kind';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const REF = '#/definitions/';

/** Types of meta/v1 that every group has requests and answers of. */
const COMMON = ['APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions', 'DeleteOptions', 'Status'];

const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const RAW_EXTENSION = 'io.k8s.apimachinery.pkg.runtime.RawExtension';

/** Types that write themselves, with where their description stands. */
const SPECIAL: Readonly<Record<string, readonly [schema: Schema, docs?: string]>> = {
  [QUANTITY]: [{ type: 'string' }, 'api/resource.Quantity'],
  [INT_OR_STRING]: [{ type: 'string', format: 'int-or-string' }],
  [`${META}.Time`]: [{ type: 'string', format: 'date-time' }, 'meta/v1.Time'],
  [`${META}.MicroTime`]: [{ type: 'string', format: 'date-time' }, 'meta/v1.MicroTime'],
  [`${META}.Duration`]: [{ type: 'string' }],
  [`${META}.FieldsV1`]: [{ type: 'object' }, 'meta/v1.FieldsV1'],
  [`${META}.Patch`]: [{ type: 'object' }, 'meta/v1.Patch'],
  [RAW_EXTENSION]: [{ type: 'object' }],
  [`${META}.WatchEvent`]: [
    { type: 'object', required: ['type', 'object'], properties: { object: { $ref: REF + RAW_EXTENSION }, type: { type: 'string' } } },
    'meta/v1.WatchEvent',
  ],
};

const SPECIAL_OF: Readonly<Partial<Record<TypeRef['kind'], string>>> = {
  quantity: QUANTITY,
  intstr: INT_OR_STRING,
  time: `${META}.Time`,
  microtime: `${META}.MicroTime`,
  duration: `${META}.Duration`,
  fields: `${META}.FieldsV1`,
};

/** Definitions of what the built-in kinds consist of, by name and in order of names. */
export function builtInSchemas(definitions: readonly ResourceDefinition[]): Record<string, Schema> {
  const docs = readApiDocs();
  const out = new Map<string, Schema>();
  const pending = COMMON.map((type) => `meta/v1.${type}`);
  const kinds = new Map<string, Kind[]>();
  for (const kind of documentedKinds(definitions)) {
    const struct = structOf(kind.group, kind.version, kind.kind);
    if (struct === undefined) continue;
    kinds.set(struct, [...(kinds.get(struct) ?? []), kind]);
    pending.push(struct);
  }
  for (const [name, [schema, path]] of Object.entries(SPECIAL)) out.set(name, described(schema, docOf(docs, path)));
  for (let struct = pending.pop(); struct !== undefined; struct = pending.pop()) {
    const name = nameOf(struct);
    if (!out.has(name)) out.set(name, structSchema(struct, kinds.get(struct), { docs, out, pending }));
  }
  return Object.fromEntries([...out].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is known so far, and what still has to be described. */
interface Work {
  readonly docs: ApiDocs;
  readonly out: Map<string, Schema>;
  readonly pending: string[];
}

function structSchema(struct: string, served: readonly Kind[] | undefined, work: Work): Schema {
  const { docs } = work;
  const fields = jsonFields(struct).filter((field) => !field.isInline && field.json !== '' && field.json !== '-');
  const required = fields.filter((field) => !field.isOptional).map((field) => field.json);
  const [pkg, type] = split(struct);
  const [description, byField] = docs[pkg]?.[type] ?? ['', {}];
  // Where an older version leaves something unsaid, v1 says it.
  const [, byFieldInV1] = docs[`${pkg.split('/')[0]!}/v1`]?.[type] ?? ['', {}];
  const properties = Object.fromEntries(
    fields
      .map((field) => [field.json, described(propertyOf(field, work), byField[field.json] ?? byFieldInV1[field.json])] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return {
    ...described({}, description),
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    ...(fields.length === 0 ? {} : { properties }),
    ...(served === undefined ? {} : { [GVK]: served }),
  };
}

/** Every kind that has a definition of its own: what is served, their lists, and what subresources take. */
function documentedKinds(definitions: readonly ResourceDefinition[]): readonly Kind[] {
  return definitions
    .flatMap((definition) =>
      definition.isCustom
        ? []
        : [definition, ...definition.alsoServedAs].flatMap(({ group, version }) => [
            { group, version, kind: definition.kind },
            ...(definition.verbs.includes('list') ? [{ group, version, kind: `${definition.kind}List` }] : []),
            ...(definition.hasScale ? [{ group: 'autoscaling', version: 'v1', kind: 'Scale' }] : []),
            ...definition.otherSubresources
              .filter((other) => other.verbs.includes('create') && !other.kind.endsWith('Options') && other.kind !== definition.kind)
              .map((other) => ({ group: other.group ?? group, version: other.version ?? version, kind: other.kind })),
          ]),
    )
    .filter(isFirst());
}

function isFirst(): (kind: Kind) => boolean {
  const seen = new Set<string>();
  return ({ group, version, kind }) => {
    const key = `${group}/${version}/${kind}`;
    return seen.has(key) ? false : seen.add(key) !== undefined;
  };
}

function described(schema: Schema, description: string | undefined): Schema {
  return description === undefined || description === '' ? schema : { description, ...schema };
}

function docOf(docs: ApiDocs, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const [pkg, type] = split(path);
  return docs[pkg]?.[type]?.[0];
}

function split(struct: string): readonly [pkg: string, type: string] {
  const dot = struct.lastIndexOf('.');
  return [struct.slice(0, dot), struct.slice(dot + 1)];
}

/** `core/v1.Pod` as OpenAPI names it. */
function nameOf(struct: string): string {
  const slash = struct.indexOf('/');
  const pkg = struct.slice(0, slash);
  const rest = struct.slice(slash + 1);
  if (pkg === 'meta') return `io.k8s.apimachinery.pkg.apis.meta.${rest}`;
  if (pkg === 'apiextensions') return `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${rest}`;
  if (pkg === 'apiregistration') return `io.k8s.kube-aggregator.pkg.apis.apiregistration.${rest}`;
  return `io.k8s.api.${pkg}.${rest}`;
}

function propertyOf(field: Field, work: Work): Schema {
  const schema: Schema = { ...typeOf(field.type, work) };
  const { patchKey, retainsKeys, declaredListType, mapKeys } = field;
  const strategies = [...(patchKey === undefined ? [] : ['merge']), ...(retainsKeys ? ['retainKeys'] : [])];
  if (declaredListType === 'map') schema['x-kubernetes-list-map-keys'] = mapKeys;
  if (declaredListType !== undefined) schema['x-kubernetes-list-type'] = declaredListType;
  if (patchKey !== undefined && patchKey !== '') schema['x-kubernetes-patch-merge-key'] = patchKey;
  if (strategies.length > 0) schema['x-kubernetes-patch-strategy'] = strategies.join(',');
  return schema;
}

function typeOf(type: TypeRef, work: Work): Schema {
  const { docs, out, pending } = work;
  switch (type.kind) {
    case 'pointer':
      return typeOf(type.to, work);
    case 'struct': {
      const name = nameOf(type.name);
      if (!out.has(name)) pending.push(type.name);
      return { $ref: REF + name };
    }
    case 'slice':
      return { type: 'array', items: typeOf(type.of, work) };
    case 'map':
      return { type: 'object', additionalProperties: typeOf(type.of, work) };
    case 'string':
      return { type: 'string' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'bool':
      return { type: 'boolean' };
    case 'int':
      return { type: 'integer', format: type.go === 'int64' ? 'int64' : 'int32' };
    case 'float':
      return { type: 'number', format: 'double' };
    case 'raw': {
      if (type.name === undefined) return { $ref: REF + RAW_EXTENSION };
      // Free-form JSON: a definition that allows everything.
      const name = nameOf(type.name);
      if (!out.has(name)) out.set(name, described({}, docOf(docs, type.name)));
      return { $ref: REF + name };
    }
    default:
      return { $ref: REF + SPECIAL_OF[type.kind]! };
  }
}
