// Models how the body of a request is read: its size, its type, its text, and the kind it says it is.

import { parseDocument } from 'yaml';
import { text } from '../../sim/bytes.ts';
import type { HttpRequest } from '../../net/http.ts';
import { readAllBytes } from '../../net/http-message.ts';
import type { ApiError } from '../machinery/api-error.ts';
import { isRecord } from '../machinery/deep.ts';
import { depthOf, GoJsonError, parseGoJson } from '../machinery/go-json.ts';
import { apiVersionOf } from '../machinery/resources.ts';
import { badRequest, entityTooLarge, unsupportedMediaType } from '../machinery/status.ts';
import type { ApiObject, ResourceDefinition, ServedVersion } from '../registry/definition.ts';

/** The largest body the server reads. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** Go reads 10,000 levels; nothing that is stored is nearly so deep, and every level costs a stack frame of whoever walks it. */
const MAX_DEPTH = 1000;
/** As many aliases as a document may use before it counts as a bomb. */
const MAX_ALIASES = 10_000;
const EXCERPT = 30;
const SCHEME = 'k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30';
const TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** A body that is no JSON and no YAML. */
class BodyError extends Error {}

export async function readText(request: HttpRequest): Promise<string> {
  const bytes = await readAllBytes(request.body);
  if (bytes.length > MAX_BODY_BYTES) throw entityTooLarge(`limit is ${MAX_BODY_BYTES}`);
  return text(bytes);
}

/** The body of an options object or a subresource; undefined when there is none. */
export async function readObject(request: HttpRequest): Promise<unknown> {
  const body = await readText(request);
  if (body === '') return undefined;
  const isYaml = isYamlType(request, false);
  try {
    return parse(body, isYaml);
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    throw badRequest(error.message);
  }
}

/** The object of a create or an update, of the kind the path stands for. */
export async function readApiObject(
  request: HttpRequest,
  definition: ResourceDefinition,
  served: ServedVersion,
  knows: (apiVersion: string, kind: string) => boolean,
): Promise<{ readonly object: ApiObject; readonly body: string }> {
  const isYaml = isYamlType(request, definition.isCustom);
  const body = await readText(request);
  let value: unknown;
  try {
    value = parse(body, isYaml) ?? {};
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    throw unrecognized(definition, body, error.message);
  }
  // YAML is made JSON before anybody looks into it, so that is what messages quote.
  const json = isYaml ? JSON.stringify(value) : body;
  return { object: checked(value, body, { definition, served, knows }), body: json };
}

function parse(body: string, isYaml: boolean): unknown {
  const value = isYaml ? parseYaml(body) : parseJson(body);
  if (body.length > MAX_DEPTH && isTooDeep(value, 0))
    throw new BodyError("couldn't get version/kind; json parse error: exceeded max depth");
  return value;
}

function parseJson(body: string): unknown {
  try {
    return parseGoJson(body);
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    throw new BodyError(`couldn't get version/kind; json parse error: ${error.message}`);
  }
}

function parseYaml(body: string): unknown {
  // Before it is read: deep nesting takes the reader seconds.
  if (depthOf(body) > MAX_DEPTH) throw new BodyError('yaml: exceeded max depth of 10000');
  const document = parseDocument(body, { version: '1.1', merge: true, uniqueKeys: false, prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) throw new BodyError(`yaml: ${problem.message}`);
  try {
    return asJson(document.toJS({ maxAliasCount: MAX_ALIASES, mapAsMap: true }));
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new BodyError('yaml: document contains excessive aliasing');
  }
}

/** What JSON has no form for (dates, big integers) becomes what it was in the text, or nearly. */
function asJson(value: unknown): unknown {
  if (value instanceof Map) {
    const out: Record<string, unknown> = {};
    for (const [key, member] of value) {
      if (typeof key === 'object' && key !== null)
        throw new BodyError(`Unsupported map key of type: ${Array.isArray(key) ? 'slice' : 'map'}`);
      Object.defineProperty(out, String(key), { value: asJson(member), enumerable: true, writable: true, configurable: true });
    }
    return out;
  }
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Set) return [...value].map(asJson);
  return value instanceof Uint8Array ? btoa(String.fromCharCode(...value)) : (value ?? null);
}

function isTooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth >= MAX_DEPTH) return true;
  for (const key in value) if (isTooDeep((value as Record<string, unknown>)[key], depth + 1)) return true;
  return false;
}

/** Protobuf is read before; this is what is left. */
function isYamlType(request: HttpRequest, isCustom: boolean): boolean {
  const given = request.headers.get('content-type') ?? '';
  const type = (given.split(';')[0] ?? '').trim().toLowerCase();
  if (type === '' || type === 'application/json') return false;
  if (type === 'application/yaml') return true;
  const accepted = ['application/json', 'application/yaml', ...(isCustom ? [] : ['application/vnd.kubernetes.protobuf'])];
  throw unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`);
}

interface Expected {
  readonly definition: ResourceDefinition;
  readonly served: ServedVersion;
  readonly knows: (apiVersion: string, kind: string) => boolean;
}

function checked(value: unknown, body: string, { definition, served, knows }: Expected): ApiObject {
  const complain = (what: string): ApiError => unrecognized(definition, body, `couldn't get version/kind; json parse error: json: ${what}`);
  if (!isRecord(value)) throw complain(`cannot unmarshal ${jsonKind(value)} into Go value of type ${TYPE_META}`);
  const expected = apiVersionOf(served);
  for (const field of ['apiVersion', 'kind']) {
    const given = value[field];
    if (given !== undefined && given !== null && typeof given !== 'string')
      throw complain(`cannot unmarshal ${jsonKind(given)} into Go struct field .${field} of type string`);
  }
  const kind = ((value['kind'] as string | null | undefined) ?? '') || definition.kind;
  const apiVersion = ((value['apiVersion'] as string | null | undefined) ?? '') || expected;
  const parts = apiVersion.split('/');
  if (parts.length > 2) throw unrecognized(definition, body, `unexpected GroupVersion string: ${apiVersion}`);
  const version = parts.at(-1)!;
  const cannot = (why: string): ApiError =>
    badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${definition.kind}: ${why}`);
  if (!definition.isCustom && (kind !== definition.kind || apiVersion !== expected)) {
    if (!knows(apiVersion, kind))
      throw cannot(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "${SCHEME}"`);
    if (kind !== definition.kind)
      throw cannot(`converting (${version}.${kind}) to (${packageOf(definition)}.${definition.kind}): unknown conversion`);
  }
  if (apiVersion !== expected)
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected})`);
  const metadata = value['metadata'];
  if (metadata !== undefined && metadata !== null && !isRecord(metadata) && definition.isCustom)
    throw badRequest(`json: cannot unmarshal ${jsonKind(metadata)} into Go struct field .metadata of type v1.ObjectMeta`);
  const object = { ...value, kind, apiVersion } as unknown as ApiObject;
  // What is no metadata at all the decoder of the kind complains about.
  object.metadata = (isRecord(metadata) ? { ...metadata } : (metadata ?? {})) as ApiObject['metadata'];
  return object;
}

function unrecognized(definition: ResourceDefinition, body: string, why: string): ApiError {
  return badRequest(`the object provided is unrecognized (must be of type ${definition.kind}): ${why} (${excerpt(body)})`);
}

/** The start of a body: as it is when it looks like JSON, otherwise in hexadecimal digits. */
function excerpt(body: string): string {
  if (body === '') return '<empty>';
  const bytes = new TextEncoder().encode(body.slice(0, EXCERPT + 1));
  const isLong = bytes.length > EXCERPT || body.length > EXCERPT;
  const start = bytes.slice(0, EXCERPT);
  const shown = body.startsWith('{') ? text(start) : [...start].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return isLong ? `${shown} ...` : shown;
}

/** The Go package of the internal type. */
function packageOf({ group }: ResourceDefinition): string {
  return group === '' ? 'core' : group.split('.')[0]!;
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
