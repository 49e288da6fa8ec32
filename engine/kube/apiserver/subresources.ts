// Models the subresources that are no plain reads and writes: binding, eviction, scale, finalize.

import type { Clock } from '../../sim/clock.ts';
import { isRecord } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { labelSelectorOf, type LabelSelectorSpec } from '../machinery/selectors.ts';
import { badRequest, conflict, invalid, OBJECT_WAS_MODIFIED } from '../machinery/status.ts';
import type { ApiObject, Json } from '../registry/definition.ts';
import type { ClusterReader } from './admission.ts';
import { APPLY_PATCH, configurationOf, MERGE_PATCH, patchFunction } from './patch.ts';
import { podSubresources } from './pod-subresources.ts';
import type { ResourceEndpoint } from './resource-endpoint.ts';
import { methodNotAllowed } from './routes.ts';
import type { SpecialHandler, SpecialRequest } from './server.ts';
import { namespaceFinalizerErrors } from '../registry/core/namespace.ts';
import { typedBody } from './typed-body.ts';

export interface SubresourceOptions {
  readonly clock: Clock;
  readonly reader: ClusterReader;
  readonly pods: () => ResourceEndpoint;
}

export function subresources(options: SubresourceOptions): ReadonlyMap<string, SpecialHandler> {
  return new Map<string, SpecialHandler>([
    ...podSubresources(options),
    ['namespaces./finalize', finalize],
    ...['deployments.apps', 'replicasets.apps', 'statefulsets.apps', 'replicationcontrollers.'].map(
      (resource) => [`${resource}/scale`, scale] as const,
    ),
  ]);
}

function only(special: SpecialRequest, ...verbs: readonly string[]): void {
  if (verbs.includes(special.info.verb)) return;
  throw methodNotAllowed();
}

/** A namespace's own finalizers, whatever else the body says. */
const finalize: SpecialHandler = async (special) => {
  only(special, 'update');
  const { info, context } = special;
  const { object } = await special.readNamed();
  const { name, resourceVersion = '' } = object.metadata;
  if (name !== info.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  const finalizers = (object['spec'] as { finalizers?: unknown } | undefined)?.finalizers ?? [];
  if (!Array.isArray(finalizers) || !finalizers.every((each) => typeof each === 'string'))
    throw badRequest('spec.finalizers must be a list of strings');
  const errors = finalizers.flatMap((each, index) => namespaceFinalizerErrors(each, `spec.finalizers[${index}]`));
  if (errors.length > 0) throw invalid({ group: '', kind: 'Namespace' }, name, errors);
  const stored = await special.endpoint.rewrite(
    '',
    info.name,
    (namespace) => {
      if (resourceVersion !== '' && resourceVersion !== namespace.metadata.resourceVersion)
        throw conflict({ group: '', resource: 'namespaces' }, name, OBJECT_WAS_MODIFIED);
      return { ...namespace, spec: finalizers.length === 0 ? {} : { finalizers } };
    },
    context,
  );
  await special.sendObject(200, stored.object);
};

interface Scalable {
  readonly spec?: { readonly replicas?: number; readonly selector?: LabelSelectorSpec | Record<string, string> };
  readonly status?: { readonly replicas?: number };
}

function scaleOf(object: ApiObject): Json {
  const { spec, status } = object as unknown as Scalable;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = spec?.selector ?? {};
  const isPlain = object.kind === 'ReplicationController';
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: spec?.replicas === undefined || spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: {
      replicas: status?.replicas ?? 0,
      selector: labelSelectorOf(isPlain ? { matchLabels: selector as Record<string, string> } : (selector as LabelSelectorSpec)).toString(),
    },
  };
}

const scale: SpecialHandler = async (special) => {
  only(special, 'get', 'update', 'patch');
  const { info, endpoint, context } = special;
  if (info.verb === 'get') return special.sendObject(200, scaleOf(endpoint.find(info.namespace, info.name).object));
  const makeScale = await scaleChange(special);
  const { stored } = await endpoint.change(
    info.name,
    (current) => {
      const wanted = typedBody('autoscaling/v1.Scale', makeScale(scaleOf(current) as unknown as ApiObject));
      const { spec, metadata } = wanted as unknown as {
        spec?: { replicas?: number };
        metadata?: { resourceVersion?: string; name?: string };
      };
      if ((metadata?.name ?? '') !== info.name) {
        throw badRequest(`the name of the object (${metadata?.name ?? ''}) does not match the name on the URL (${info.name})`);
      }
      const replicas = spec?.replicas ?? 0;
      if (replicas < 0)
        throw invalid({ group: 'autoscaling', kind: 'Scale' }, info.name, [
          FieldError.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
        ]);
      const meta = { ...current.metadata } as Record<string, unknown>;
      const version = metadata?.resourceVersion ?? '';
      if (version === '') delete meta['resourceVersion'];
      else meta['resourceVersion'] = version;
      return { ...current, metadata: meta as unknown as ApiObject['metadata'], spec: { ...(current['spec'] as Json), replicas } };
    },
    // Who scales does not come to own the replicas: v1.20 tracks the Scale, which keeps nothing.
    { ...context, subresource: '', manager: '' },
    { isDerived: info.verb === 'patch' },
  );
  await special.sendObject(200, scaleOf(stored.object));
};

/** What the request makes of a Scale. */
export async function scaleChange({ info, request, readBody, readText }: SpecialRequest): Promise<(current: ApiObject) => ApiObject> {
  if (info.verb === 'update') {
    const body = await readBody();
    if (!isRecord(body)) throw badRequest('the body of the request is not an object');
    const scale = typedBody('autoscaling/v1.Scale', body);
    return () => scale as unknown as ApiObject;
  }
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!;
  const text = await readText();
  // Nobody owns the fields of a Scale, so that an apply has nothing to conflict with or to remove.
  if (type === APPLY_PATCH) return patchFunction(MERGE_PATCH, JSON.stringify(configurationOf(text)), undefined);
  return patchFunction(type, text, 'autoscaling/v1.Scale');
}
