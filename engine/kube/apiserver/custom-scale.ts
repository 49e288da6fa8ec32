// Models the scale subresource of custom resources: a Scale read from and written to where the definition says.

import { deepCopy, isRecord } from '../machinery/deep.ts';
import { badRequest, internalError, methodNotSupported } from '../machinery/status.ts';
import { nestedValue } from '../registry/apiextensions/custom-resource.ts';
import type { ApiObject, Json, ScalePaths } from '../registry/definition.ts';
import type { SpecialRequest } from './server.ts';
import { scaleChange } from './subresources.ts';

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
  const makeScale = await scaleChange(special);
  const change = (current: ApiObject): ApiObject => {
    const { scale: before, isSet } = scaleOf(current, paths);
    if (!isSet) (before['spec'] as Json)['replicas'] = UNSET;
    const { spec, metadata } = makeScale(before as unknown as ApiObject) as unknown as {
      spec?: { replicas?: unknown };
      metadata?: { name?: string; resourceVersion?: string };
    };
    if ((metadata?.name ?? '') !== info.name)
      throw badRequest(`the name of the object (${metadata?.name ?? ''}) does not match the name on the URL (${info.name})`);
    const replicas = spec?.replicas ?? 0;
    if (replicas === UNSET) throw badRequest(`the spec replicas field ${JSON.stringify(paths.specReplicasPath)} cannot be empty`);
    if (typeof replicas !== 'number' || !Number.isInteger(replicas))
      throw badRequest(
        `Scale in version "v1" cannot be handled as a Scale: v1.Scale.Spec: v1.ScaleSpec.Replicas: readUint32: unexpected character: \ufffd`,
      );
    const next = deepCopy(current);
    setAt(next, paths.specReplicasPath, replicas);
    const meta = next.metadata as unknown as Json;
    const version = metadata?.resourceVersion ?? '';
    if (version === '') delete meta['resourceVersion'];
    else meta['resourceVersion'] = version;
    return next;
  };
  const { stored } = await endpoint.change(
    info.name,
    change,
    { ...context, subresource: '', manager: '' },
    { isDerived: info.verb === 'patch' },
  );
  return special.sendObject(200, scaleOf(stored.object, paths).scale);
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
