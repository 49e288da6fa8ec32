// Models the PATCH verb in its four content types.

import { text } from '../../sim/bytes.ts';
import type { HttpRequest } from '../../net/http.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { ApiError } from '../machinery/api-error.ts';
import { isRecord } from '../machinery/deep.ts';
import { applyJsonPatch, applyMergePatch, PatchError, type JsonPatchOperation } from '../machinery/json-patch.ts';
import { badRequest, unsupportedMediaType } from '../machinery/status.ts';
import { applyStrategicMergePatch } from '../machinery/strategic-merge.ts';
import type { ApiObject } from '../registry/definition.ts';
import type { RequestInfo } from './request-info.ts';
import type { ResourceEndpoint, WriteContext } from './resource-endpoint.ts';
import type { Stored } from './resource-store.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';

export async function applyPatch(
  endpoint: ResourceEndpoint,
  info: RequestInfo,
  request: HttpRequest,
  context: WriteContext,
): Promise<{ readonly stored: Stored; readonly isNew: boolean }> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!.trim();
  const accepted = [JSON_PATCH, MERGE_PATCH, ...(endpoint.definition.isCustom ? [] : [STRATEGIC])];
  if (!accepted.includes(type)) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${[...accepted, 'application/apply-patch+yaml'].join(', ')}`,
    );
  }
  const body = parse(text(await readAllBytes(request.body)));
  const change = (current: ApiObject): ApiObject => {
    const changed = patched(type, current, body);
    // Without a version of its own a patch applies to whatever is there.
    const asked = isRecord(body) && isRecord(body['metadata']) ? body['metadata']['resourceVersion'] : undefined;
    const metadata = { ...changed.metadata } as Record<string, unknown>;
    if (typeof asked !== 'string' || asked === '') delete metadata['resourceVersion'];
    if (Array.isArray(body) && !body.some((operation) => String((operation as JsonPatchOperation).path) === '/metadata/resourceVersion')) {
      delete metadata['resourceVersion'];
    }
    return { ...changed, metadata: metadata as unknown as ApiObject['metadata'] };
  };
  return endpoint.change(info.name, change, type === STRATEGIC && isRecord(body) ? { ...context, patch: body } : context);
}

function patched(type: string, current: ApiObject, body: unknown): ApiObject {
  try {
    if (type === JSON_PATCH) {
      if (!Array.isArray(body)) throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
      return applyJsonPatch(current, body as JsonPatchOperation[]) as ApiObject;
    }
    if (!isRecord(body)) throw badRequest(`json: cannot unmarshal ${jsonKind(body)} into Go value of type map[string]interface {}`);
    if (type === MERGE_PATCH) return applyMergePatch(current, body) as ApiObject;
    return applyStrategicMergePatch(current, body) as ApiObject;
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    if (type === JSON_PATCH) {
      throw new ApiError({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'the server rejected our request due to an error in our request',
        reason: 'Invalid',
        code: 422,
      });
    }
    throw badRequest(error.message);
  }
}

function jsonKind(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badRequest(`error decoding patch: ${error.message}`);
  }
}
