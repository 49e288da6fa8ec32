// Models /openapi/v2: the schema of every built-in kind, as JSON and as gnostic's protobuf, which is what kubectl reads.

import { utf8 } from '../../sim/bytes.ts';
import { allStructs, jsonFields, structOf, type Field, type TypeRef } from '../machinery/schema/schema.ts';
import type { OpenApiPart } from '../registry/apiextensions/open-api.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import { ProtoWriter } from './proto-writer.ts';
import type { PathHandler } from './server.ts';

interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  description?: string;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema;
  properties?: Record<string, Schema>;
  [extension: `x-${string}`]: unknown;
}
interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}
interface Path {
  readonly path: string;
  readonly kind: Kind;
}

const PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const GVK = 'x-kubernetes-group-version-kind';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** `custom` tells of the kinds that were defined; another object each time they change. */
export function openApiPaths(definitions: readonly ResourceDefinition[], custom: () => OpenApiPart): PathHandler {
  let shown: OpenApiPart | undefined;
  let document: { readonly schemas: Readonly<Record<string, Schema>>; readonly paths: readonly Path[] } | undefined;
  let protobuf: Uint8Array | undefined;
  let json: string | undefined;
  return async (info, request, respond) => {
    if (info.path !== '/openapi/v2') return false;
    const part = custom();
    if (part !== shown) {
      shown = part;
      document = undefined;
      protobuf = undefined;
      json = undefined;
    }
    document ??= {
      schemas: { ...schemasOf(definitions), ...(part.schemas as Readonly<Record<string, Schema>>) },
      paths: [...pathsOf(definitions), ...part.paths],
    };
    const accept = request.headers.get('accept') ?? '';
    if (accept.includes(PROTOBUF)) {
      protobuf ??= encodeDocument(document.schemas, document.paths);
      await respond.send(
        { status: 200, headers: { 'content-type': 'application/octet-stream', 'cache-control': 'no-cache, private' } },
        protobuf,
      );
    } else {
      json ??= JSON.stringify(swagger(document.schemas, document.paths));
      await respond.send({ status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' } }, json);
    }
    return true;
  };
}

/** `core/v1.Pod` as OpenAPI names it. */
function nameOf(struct: string): string {
  const slash = struct.indexOf('/');
  const pkg = struct.slice(0, slash);
  const rest = struct.slice(slash + 1);
  if (pkg === 'meta') return `io.k8s.apimachinery.pkg.apis.meta.${rest}`;
  if (pkg === 'apiextensions') return `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${rest}`;
  return `io.k8s.api.${pkg}.${rest}`;
}

const SCALARS: Readonly<Record<string, Schema>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'string' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: 'string', format: 'int-or-string' },
  [`${META}.Time`]: { type: 'string', format: 'date-time' },
  [`${META}.MicroTime`]: { type: 'string', format: 'date-time' },
  [`${META}.Duration`]: { type: 'string' },
  [`${META}.FieldsV1`]: { type: 'object' },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { type: 'object' },
};

function schemasOf(definitions: readonly ResourceDefinition[]): Record<string, Schema> {
  const kinds = new Map<string, Kind[]>();
  for (const { kind, group, version } of servedKinds(definitions)) {
    const struct = structOf(group, version, kind);
    if (struct !== undefined) kinds.set(struct, [...(kinds.get(struct) ?? []), { group, kind, version }]);
  }
  const out: Record<string, Schema> = { ...SCALARS };
  for (const struct of allStructs()) {
    const fields = jsonFields(struct).filter((field) => !field.isInline && field.json !== '' && field.json !== '-');
    const required = fields.filter((field) => !field.isOptional).map((field) => field.json);
    const served = kinds.get(struct);
    out[nameOf(struct)] = {
      type: 'object',
      ...(required.length === 0 ? {} : { required: required.sort() }),
      ...(fields.length === 0 ? {} : { properties: Object.fromEntries(fields.map((field) => [field.json, propertyOf(field)])) }),
      ...(served === undefined ? {} : { [GVK]: served }),
    };
  }
  return out;
}

function servedKinds(definitions: readonly ResourceDefinition[]): readonly Kind[] {
  return definitions
    .filter((definition) => !definition.isCustom)
    .flatMap((definition) =>
      [definition, ...definition.alsoServedAs].map(({ group, version }) => ({ group, version, kind: definition.kind })),
    );
}

function pathsOf(definitions: readonly ResourceDefinition[]): readonly Path[] {
  return definitions.flatMap((definition) =>
    definition.verbs.includes('patch')
      ? [definition, ...definition.alsoServedAs].map(({ group, version }) => ({
          path: `${group === '' ? `/api/${version}` : `/apis/${group}/${version}`}${definition.isNamespaced ? '/namespaces/{namespace}' : ''}/${definition.plural}/{name}`,
          kind: { group, version, kind: definition.kind },
        }))
      : [],
  );
}

function propertyOf(field: Field): Schema {
  const schema: Schema = { ...typeOf(field.type) };
  const { patchKey, retainsKeys, listType, mapKeys } = field;
  const strategies = [...(patchKey === undefined ? [] : ['merge']), ...(retainsKeys ? ['retainKeys'] : [])];
  if (listType !== 'atomic' && mapKeys.length > 1) {
    schema['x-kubernetes-list-map-keys'] = mapKeys;
    schema['x-kubernetes-list-type'] = listType;
  }
  if (patchKey !== undefined && patchKey !== '') schema['x-kubernetes-patch-merge-key'] = patchKey;
  if (strategies.length > 0) schema['x-kubernetes-patch-strategy'] = strategies.join(',');
  return schema;
}

function typeOf(type: TypeRef): Schema {
  const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });
  switch (type.kind) {
    case 'pointer':
      return typeOf(type.to);
    case 'struct':
      return ref(nameOf(type.name));
    case 'slice':
      return { type: 'array', items: typeOf(type.of) };
    case 'map':
      return { type: 'object', additionalProperties: typeOf(type.of) };
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
    case 'quantity':
      return ref('io.k8s.apimachinery.pkg.api.resource.Quantity');
    case 'intstr':
      return ref('io.k8s.apimachinery.pkg.util.intstr.IntOrString');
    case 'time':
      return ref(`${META}.Time`);
    case 'microtime':
      return ref(`${META}.MicroTime`);
    case 'duration':
      return ref(`${META}.Duration`);
    case 'fields':
      return ref(`${META}.FieldsV1`);
    case 'raw':
      // JSON of any form has no type.
      return type.go === undefined ? ref('io.k8s.apimachinery.pkg.runtime.RawExtension') : {};
  }
}

function swagger(schemas: Readonly<Record<string, Schema>>, paths: readonly Path[]): object {
  const dryRun = { in: 'query', name: 'dryRun', type: 'string', uniqueItems: true };
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'v1.20.2' },
    paths: Object.fromEntries(
      paths.map(({ path, kind }) => [path, { patch: { parameters: [dryRun], responses: { 200: { description: 'OK' } }, [GVK]: kind } }]),
    ),
    definitions: schemas,
  };
}

function encodeDocument(schemas: Readonly<Record<string, Schema>>, paths: readonly Path[]): Uint8Array {
  const writer = new ProtoWriter();
  writer.string(1, '2.0');
  writer.message(2, (info) => {
    info.string(1, 'Kubernetes');
    info.string(2, 'v1.20.2');
  });
  writer.message(8, (all) => {
    for (const { path, kind } of paths) {
      all.message(2, (entry) => {
        entry.string(1, path);
        entry.message(2, (item) =>
          item.message(8, (operation) => {
            operation.message(8, (parameters) =>
              parameters.message(1, (parameter) =>
                parameter.message(2, (nonBody) =>
                  nonBody.message(3, (query) => {
                    query.string(2, 'query');
                    query.string(4, 'dryRun');
                    query.string(6, 'string');
                  }),
                ),
              ),
            );
            operation.message(9, (responses) =>
              responses.message(1, (response) => {
                response.string(1, '200');
                response.message(2, (value) => value.message(1, (ok) => ok.string(1, 'OK')));
              }),
            );
            extension(operation, 13, GVK, kind);
          }),
        );
      });
    }
  });
  writer.message(9, (definitions) => {
    for (const [name, schema] of Object.entries(schemas)) {
      definitions.message(1, (entry) => {
        entry.string(1, name);
        entry.message(2, (value) => encodeSchema(value, schema));
      });
    }
  });
  return writer.finish();
}

function encodeSchema(writer: ProtoWriter, schema: Schema): void {
  if (schema.$ref !== undefined) writer.string(1, schema.$ref);
  if (schema.format !== undefined) writer.string(2, schema.format);
  if (schema.description !== undefined) writer.string(4, schema.description);
  for (const name of schema.required ?? []) writer.string(19, name);
  const { additionalProperties, items, properties, type } = schema;
  if (additionalProperties !== undefined)
    writer.message(21, (item) => item.message(1, (inner) => encodeSchema(inner, additionalProperties)));
  if (type !== undefined) writer.message(22, (item) => item.string(1, type));
  if (items !== undefined) writer.message(23, (item) => item.message(1, (inner) => encodeSchema(inner, items)));
  if (properties !== undefined) {
    writer.message(25, (all) => {
      for (const [name, property] of Object.entries(properties)) {
        all.message(1, (entry) => {
          entry.string(1, name);
          entry.message(2, (inner) => encodeSchema(inner, property));
        });
      }
    });
  }
  for (const [name, value] of Object.entries(schema)) if (name.startsWith('x-')) extension(writer, 31, name, value);
}

/** A vendor extension carries its value as YAML, of which JSON is a part. */
function extension(writer: ProtoWriter, field: number, name: string, value: unknown): void {
  writer.message(field, (named) => {
    named.string(1, name);
    named.message(2, (any) => any.bytes(2, utf8(JSON.stringify(value))));
  });
}
