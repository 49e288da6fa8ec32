// Models the scale subresource of custom resources: a Scale read from and written to where the definition says.

import { deepCopy, isRecord } from '../machinery/deep.ts';
import { applyJsonPatch, applyMergePatch, type JsonPatchOperation } from '../machinery/json-patch.ts';
import { badRequest, internalError, methodNotSupported } from '../machinery/status.ts';
import { nestedValue } from '../registry/apiextensions/custom-resource.ts';
import type { ApiObject, Json, ScalePaths } from '../registry/definition.ts';
import type { SpecialRequest } from './server.ts';

/** What a Scale says of an object that says nothing: the smallest int32. */
const UNSET = -2147483648;

export async function serveCustomScale(special: SpecialRequest): Promise<void> {
  const { info, endpoint, context, served } = special;
  const { definition } = endpoint;
  const paths = definition.scaleOf!(served)!;
  if (info.verb === 'get') {
    const { scale, isSet } = scaleOf(endpoint.find(info.namespace, info.name).object, paths);
    if (!isSet) throw internalError(`the spec replicas field ${JSON.stringify(paths.specReplicasPath)} does not exist`);
    return special.sendObject(200, scale);
  }
  if (info.verb !== 'update' && info.verb !== 'patch')
    throw methodNotSupported({ group: definition.group, resource: definition.plural }, info.verb);
  const body = await special.readBody();
  const type = (special.request.headers.get('content-type') ?? '').split(';')[0]!.trim();
  const change = (current: ApiObject): ApiObject => {
    const { scale: before, isSet } = scaleOf(current, paths);
    if (!isSet) (before['spec'] as Json)['replicas'] = UNSET;
    const wanted =
      info.verb === 'update'
        ? body
        : type === 'application/json-patch+json'
          ? applyJsonPatch(before, body as JsonPatchOperation[])
          : applyMergePatch(before, body);
    if (!isRecord(wanted)) throw badRequest('the body of the request is not an object');
    const { spec, metadata } = wanted as { spec?: { replicas?: number }; metadata?: { resourceVersion?: string } };
    const replicas = spec?.replicas ?? 0;
    if (replicas === UNSET) throw badRequest(`the spec replicas field ${JSON.stringify(paths.specReplicasPath)} cannot be empty`);
    const next = deepCopy(current);
    setAt(next, paths.specReplicasPath, replicas);
    const asked = info.verb === 'update' ? metadata?.resourceVersion : versionIn(body);
    const meta = next.metadata as unknown as Json;
    if (asked === undefined || asked === '') delete meta['resourceVersion'];
    else meta['resourceVersion'] = asked;
    return next;
  };
  const { stored } = await endpoint.change(info.name, change, { ...context, subresource: '', manager: '' });
  return special.sendObject(200, scaleOf(stored.object, paths).scale);
}

function versionIn(patch: unknown): string | undefined {
  const metadata = isRecord(patch) ? patch['metadata'] : undefined;
  return isRecord(metadata) ? (metadata['resourceVersion'] as string | undefined) : undefined;
}

function scaleOf(object: ApiObject, paths: ScalePaths): { readonly scale: Json; readonly isSet: boolean } {
  const read = (path: string, type: 'int64' | 'string'): unknown => {
    const found = nestedValue(object, path, type);
    if (found.isFound) return found.value;
    if (found.error !== undefined) throw internalError(found.error);
    return undefined;
  };
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = read(paths.specReplicasPath, 'int64') as number | undefined;
  const selector =
    paths.labelSelectorPath === undefined || paths.labelSelectorPath === ''
      ? ''
      : ((read(paths.labelSelectorPath, 'string') ?? '') as string);
  return {
    isSet: replicas !== undefined,
    scale: {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
      spec: replicas === undefined || replicas === 0 ? {} : { replicas },
      status: { replicas: read(paths.statusReplicasPath, 'int64') ?? 0, ...(selector === '' ? {} : { selector }) },
    },
  };
}

function setAt(object: ApiObject, path: string, value: unknown): void {
  const steps = path.replace(/^\./, '').split('.');
  let at: Record<string, unknown> = object;
  for (const [index, step] of steps.slice(0, -1).entries()) {
    const inner = (at[step] ??= {});
    if (!isRecord(inner))
      throw internalError(`value cannot be set because .${steps.slice(0, index + 1).join('.')} is not a map[string]interface{}`);
    at = inner;
  }
  at[steps.at(-1)!] = value;
}
