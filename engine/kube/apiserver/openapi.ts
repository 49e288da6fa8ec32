// Models /openapi/v2: the schema of every kind, as JSON and as gnostic's protobuf, which is what kubectl reads.
// Not modelled: the operations of each path; only which of them take a dry run is told.

import { sha512 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../../sim/bytes.ts';
import { readApiDocs } from '../machinery/schema/docs.ts';
import type { OpenApiPart } from '../registry/apiextensions/open-api.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import { encodeDocument, type Path } from './openapi-proto.ts';
import { builtInSchemas, GVK, type Schema } from './openapi-schema.ts';
import type { PathHandler } from './server.ts';

const JSON_TYPE = 'application/json';
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

interface Answer {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** `custom` tells of the kinds that were defined; another object each time they change. */
export function openApiPaths(definitions: readonly ResourceDefinition[], custom: () => OpenApiPart): PathHandler {
  // Some megabytes that a whole lab may never ask for: made when needed, and the memory's to take back.
  const answers = new Map<string, { readonly part: OpenApiPart; readonly answer: WeakRef<Answer> }>();
  const answerOf = (type: string): Answer => {
    const part = custom();
    const known = answers.get(type);
    const kept = known?.part === part ? known.answer.deref() : undefined;
    if (kept !== undefined) return kept;
    const schemas = { ...builtInSchemas(definitions), ...describedCustom(part) };
    const paths = [...pathsOf(definitions), ...part.paths];
    const bytes = type === PROTOBUF ? encodeDocument(schemas, paths) : utf8(JSON.stringify(swagger(schemas, paths)));
    const answer = { bytes, etag: `"${toHex(sha512(bytes)).toUpperCase()}"` };
    answers.set(type, { part, answer: new WeakRef(answer) });
    return answer;
  };
  return async (info, request, respond) => {
    if (info.path !== '/openapi/v2') return false;
    const vary = { vary: 'Accept', 'cache-control': 'no-cache, private' };
    const type = acceptedType(request.headers.get('accept') ?? '');
    if (type === undefined) {
      await respond.send({ status: 406, headers: vary });
      return true;
    }
    const { bytes, etag } = answerOf(type);
    const headers = { ...vary, etag };
    if (request.headers.get('if-none-match') === etag) await respond.send({ status: 304, headers });
    else {
      // Nobody says what it is: the type is guessed from the first bytes, and JSON looks like text.
      const contentType = type === PROTOBUF ? 'application/octet-stream' : 'text/plain; charset=utf-8';
      await respond.send({ status: 200, headers: { ...headers, 'accept-ranges': 'bytes', 'content-type': contentType } }, bytes);
    }
    return true;
  };
}

/** What every object has is described alike, on custom kinds and their lists as well. */
function describedCustom(part: OpenApiPart): Record<string, Schema> {
  const { Pod: [, ofObjects] = ['', {}], PodList: [, ofLists] = ['', {}] } = readApiDocs()['core/v1'] ?? {};
  const schemas = part.schemas as Readonly<Record<string, Schema>>;
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { properties } = schema;
      if (schema[GVK] === undefined || properties === undefined) return [name, schema];
      const texts = properties['metadata']?.$ref?.endsWith('.ListMeta') === true ? ofLists : ofObjects;
      const common = ['apiVersion', 'kind', 'metadata'].filter((field) => properties[field] !== undefined && texts[field] !== undefined);
      const described = common.map((field) => [field, { description: texts[field]!, ...properties[field] }] as const);
      return [name, { ...schema, properties: { ...properties, ...Object.fromEntries(described) } }];
    }),
  );
}

/** The form a client wants most of those there are. */
function acceptedType(accept: string): string | undefined {
  const clauses = (accept === '' ? '*/*' : accept).split(',').map((clause) => {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { type, quality: quality === undefined ? 1 : Number(quality) };
  });
  clauses.sort((a, b) => b.quality - a.quality);
  for (const { type } of clauses) {
    if (type === PROTOBUF) return PROTOBUF;
    if ([JSON_TYPE, 'application/*', '*/*'].includes(type)) return JSON_TYPE;
  }
  return undefined;
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
