// Models the PATCH verb in its four content types.

import { parse as parseYaml } from 'yaml';
import { ApiError } from '../machinery/api-error.ts';
import { isRecord } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { depthOf, GoJsonError, jsonKind, parseGoJson } from '../machinery/go-json.ts';
import { applyJsonPatch, applyMergePatch, PatchError, type JsonPatchOperation } from '../machinery/json-patch.ts';
import { badRequest, invalid, plainError, unsupportedMediaType } from '../machinery/status.ts';
import { applyStrategicMergePatch, StrategicError } from '../machinery/strategic-merge.ts';
import { structOf } from '../machinery/schema/schema.ts';
import type { ApiObject } from '../registry/definition.ts';
import type { ResourceEndpoint, WriteContext } from './resource-endpoint.ts';
import type { Stored } from './resource-store.ts';

export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

const MAX_JSON_OPERATIONS = 10_000;
/** Nothing that is stored is nearly so deep. */
const MAX_DEPTH = 1000;

/** The type of a patch that a resource takes; throws 415 with the list when it takes none such. */
export function patchTypeOf(contentType: string | undefined, accepted: readonly string[]): string {
  const type = (contentType ?? '').split(';')[0]!;
  if (accepted.includes(type)) return type;
  throw unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`);
}

/** In the order upstream lists them. */
export function patchTypesOf({ isCustom }: { readonly isCustom: boolean }): readonly string[] {
  return [JSON_PATCH, MERGE_PATCH, ...(isCustom ? [] : [STRATEGIC_PATCH]), APPLY_PATCH];
}

export interface PatchRequest {
  readonly name: string;
  readonly type: string;
  readonly body: string;
  readonly force: boolean;
}

/** Patches an object; only server-side apply makes one that is not there. */
export async function applyPatch(
  endpoint: ResourceEndpoint,
  { name, type, body, force }: PatchRequest,
  context: WriteContext,
): Promise<{ readonly stored: Stored; readonly isNew: boolean }> {
  if (type === APPLY_PATCH) return endpoint.apply(name, configurationOf(body), context, { force });
  const { served } = context;
  const struct = structOf(served.group, served.version, endpoint.definition.kind);
  // Read when there is something to patch: an object that is missing is said first.
  let patched: ((current: ApiObject) => ApiObject) | undefined;
  const change = (current: ApiObject): ApiObject => (patched ??= patchFunction(type, body, struct))(current);
  const strategic = type === STRATEGIC_PATCH ? strategicOf(body) : undefined;
  return endpoint.change(name, change, { ...context, patch: { strategic } }, { isDerived: true });
}

/** For messages that quote the patch. */
function strategicOf(body: string): unknown {
  try {
    return parseGoJson(body, MAX_DEPTH) ?? {};
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    return {};
  }
}

/** What a patch makes of an object; a patch that cannot be read is refused at once. `struct` is the object's type, for merging lists. */
export function patchFunction(type: string, body: string, struct: string | undefined): (current: ApiObject) => ApiObject {
  if (type === JSON_PATCH) {
    const operations = operationsOf(body);
    return (current) => {
      try {
        const patched = applyJsonPatch(current, operations);
        if (isTooDeep(patched, 0)) throw unprocessable();
        return asObject(patched, current);
      } catch (error) {
        // Operations may also build what is too deep to walk.
        if (error instanceof PatchError || error instanceof RangeError) throw unprocessable();
        throw error;
      }
    };
  }
  if (type === MERGE_PATCH) {
    let patch: unknown;
    try {
      patch = parseGoJson(body, MAX_DEPTH);
    } catch (error) {
      if (!(error instanceof GoJsonError)) throw error;
    }
    // The library says no more, and the server has no better status for it.
    if (typeof patch !== 'object' || patch === null) throw plainError('Invalid JSON Patch');
    return (current) => asObject(applyMergePatch(current, patch), current);
  }
  const patch = read(body, (message) => message);
  if (patch !== null && !isRecord(patch)) {
    throw badRequest(`json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`);
  }
  return (current) => {
    try {
      return applyStrategicMergePatch(current, patch ?? {}, struct) as ApiObject;
    } catch (error) {
      if (!(error instanceof StrategicError)) throw error;
      if (error.kind === 'bad format') throw badRequest(error.message);
      throw error.kind === 'unprocessable' ? unprocessable() : plainError(error.message);
    }
  };
}

function isTooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth > MAX_DEPTH) return true;
  return Object.values(value).some((member) => isTooDeep(member, depth + 1));
}

function read(body: string, worded: (message: string) => string): unknown {
  try {
    return parseGoJson(body, MAX_DEPTH);
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    throw badRequest(worded(error.message));
  }
}

function operationsOf(body: string): readonly JsonPatchOperation[] {
  const patch = read(body, (message) => message);
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw badRequest(`json: cannot unmarshal ${jsonKind(patch)} into Go value of type jsonpatch.Patch`);
  const stray = (patch as unknown[]).find((operation) => operation !== null && !isRecord(operation));
  if (stray !== undefined) throw badRequest(`json: cannot unmarshal ${jsonKind(stray)} into Go value of type jsonpatch.Operation`);
  if (patch.length > MAX_JSON_OPERATIONS) {
    throw new ApiError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_JSON_OPERATIONS}, got ${patch.length}`,
      reason: 'RequestEntityTooLarge',
      code: 413,
    });
  }
  return (patch as (JsonPatchOperation | null)[]).map((operation) => operation ?? ({} as JsonPatchOperation));
}

const SCHEME = 'k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30';

/** What is no object any more, or one of another kind, cannot be read back. */
function asObject(value: unknown, current: ApiObject): ApiObject {
  if (isRecord(value) && (value['metadata'] === undefined || isRecord(value['metadata']))) {
    const { kind = current.kind, apiVersion = current.apiVersion } = value;
    if (kind !== current.kind || apiVersion !== current.apiVersion) {
      const why = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "${SCHEME}"`;
      throw invalid({ group: '', kind: '' }, '', [FieldError.invalid('patch', JSON.stringify(value), why)]);
    }
    return (value['metadata'] === undefined ? { ...value, metadata: {} } : value) as unknown as ApiObject;
  }
  const text = JSON.stringify(value);
  const why = isRecord(value)
    ? `json: cannot unmarshal ${jsonKind(value['metadata'])} into Go struct field .metadata of type v1.ObjectMeta`
    : `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonKind(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
  throw invalid({ group: '', kind: '' }, '', [FieldError.invalid('patch', text, why)]);
}

/** The body of an apply: YAML, of which JSON is a part. */
export function configurationOf(body: string): Record<string, unknown> {
  const refuse = (why: string): ApiError => badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${why}`);
  // Before it is read: deep nesting takes the reader seconds.
  if (depthOf(body) > MAX_DEPTH) throw refuse('exceeded max depth of 10000');
  let value: unknown;
  try {
    value = body.trimStart().startsWith('{') ? JSON.parse(body) : parseYaml(body);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // What looks like JSON may still be YAML.
    try {
      value = parseYaml(body);
    } catch (inner) {
      if (!(inner instanceof Error)) throw inner;
      throw refuse(inner.message.split('\n')[0]!);
    }
  }
  if (value === null || value === undefined) return {};
  if (!isRecord(value)) {
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`,
    );
  }
  const metadata = value['metadata'];
  return metadata === undefined || isRecord(metadata) ? value : { ...value, metadata: {} };
}

/** 422 without a word about what is wrong. */
function unprocessable(): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server rejected our request due to an error in our request',
    reason: 'Invalid',
    details: {},
    code: 422,
  });
}
