// Models the subresources that are no plain reads and writes: binding, eviction, scale, finalize, approval.

import type { Clock } from '../../sim/clock.ts';
import { isRecord } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { labelSelectorOf, type LabelSelectorSpec } from '../machinery/selectors.ts';
import { badRequest, conflict, invalid, methodNotSupported, tooManyRequests } from '../machinery/status.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { Pod } from '../machinery/types.ts';
import type { ApiObject, Json } from '../registry/definition.ts';
import type { ClusterReader } from './admission.ts';
import { APPLY_PATCH, configurationOf, MERGE_PATCH, patchFunction } from './patch.ts';
import type { ResourceEndpoint } from './resource-endpoint.ts';
import { Overtaken, type Stored } from './resource-store.ts';
import type { SpecialHandler, SpecialRequest } from './server.ts';

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

export interface SubresourceOptions {
  readonly clock: Clock;
  readonly reader: ClusterReader;
  readonly pods: () => ResourceEndpoint;
}

export function subresources(options: SubresourceOptions): ReadonlyMap<string, SpecialHandler> {
  const bind: SpecialHandler = async (special) => {
    only(special, 'create');
    const body = (await special.readBody()) as { metadata?: { name?: string; uid?: string }; target?: { kind?: string; name?: string } };
    const name = special.info.name === '' ? (body.metadata?.name ?? '') : special.info.name;
    const node = body.target?.name ?? '';
    if (node === '') throw invalid({ group: '', kind: 'Binding' }, name, [FieldError.required('target.name', '')]);
    await options.pods().rewrite(special.info.namespace, name, (object) => bound(object, node, body.metadata?.uid, options.clock.now()));
    await special.sendObject(201, SUCCESS);
  };
  return new Map<string, SpecialHandler>([
    ['pods./binding', bind],
    ['bindings.', bind],
    ['pods./eviction', (special) => evict(special, options)],
    ['namespaces./finalize', finalize],
    ['certificatesigningrequests.certificates.k8s.io/approval', approve],
    ...['deployments.apps', 'replicasets.apps', 'statefulsets.apps', 'replicationcontrollers.'].map(
      (resource) => [`${resource}/scale`, scale] as const,
    ),
  ]);
}

function only(special: SpecialRequest, ...verbs: readonly string[]): void {
  if (verbs.includes(special.info.verb)) return;
  const { definition } = special.endpoint;
  throw methodNotSupported({ group: definition.group, resource: definition.plural }, special.info.verb);
}

function bound(object: ApiObject, node: string, uid: string | undefined, nowMs: number): ApiObject {
  const pod = object as unknown as Pod;
  const { name } = object.metadata;
  const names = { group: '', resource: 'pods/binding' };
  if (uid !== undefined && uid !== '' && uid !== object.metadata.uid) {
    throw conflict(names, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`);
  }
  if (object.metadata.deletionTimestamp !== undefined)
    throw conflict(names, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  if ((pod.spec?.nodeName ?? '') !== '') throw conflict(names, name, `pod ${name} is already assigned to node "${pod.spec!.nodeName!}"`);
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled');
  const condition = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: rfc3339(nowMs) };
  return {
    ...object,
    spec: { ...(object['spec'] as Json), nodeName: node },
    status: { ...(object['status'] as Json), conditions: [...others, condition] },
  };
}

async function evict(special: SpecialRequest, options: SubresourceOptions): Promise<void> {
  only(special, 'create');
  const { info, context } = special;
  const body = ((await special.readBody()) ?? {}) as { deleteOptions?: object };
  const pods = options.pods();
  const pod = pods.find(info.namespace, info.name).object;
  const phase = (pod as unknown as Pod).status?.phase;
  if (phase !== 'Succeeded' && phase !== 'Failed' && phase !== 'Pending' && pod.metadata.deletionTimestamp === undefined) {
    const budgets = options.reader
      .store('policy', 'poddisruptionbudgets')
      .list(info.namespace)
      .filter(({ object }) => {
        const selector = (object['spec'] as { selector?: LabelSelectorSpec } | undefined)?.selector;
        return (
          selector !== undefined &&
          selector !== null &&
          Object.keys(selector).length > 0 &&
          labelSelectorOf(selector).matches(pod.metadata.labels)
        );
      });
    if (budgets.length > 1) {
      throw tooManyRequests('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.', 0);
    }
    const budget = budgets[0]?.object;
    if (budget !== undefined) {
      const {
        disruptionsAllowed = 0,
        currentHealthy = 0,
        desiredHealthy = 0,
        observedGeneration = 0,
      } = (budget['status'] ?? {}) as {
        disruptionsAllowed?: number;
        currentHealthy?: number;
        desiredHealthy?: number;
        observedGeneration?: number;
      };
      if (observedGeneration < (budget.metadata.generation ?? 0)) {
        throw tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 10);
      }
      if (disruptionsAllowed <= 0) {
        const refusal = tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 0);
        const causes = [
          {
            reason: 'DisruptionBudget',
            message: `The disruption budget ${budget.metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
          },
        ];
        throw Object.assign(refusal, { status: { ...refusal.status, details: { causes } } });
      }
      if (!context.isDryRun) await spend(options, info.namespace, budget.metadata.name, info.name);
    }
  }
  await pods.delete(info.name, (body.deleteOptions ?? {}) as object, { ...context, served: pods.definition, subresource: '' });
  await special.sendObject(201, SUCCESS);
}

/** One disruption less, and the pod is noted until the controller sees it gone. */
async function spend(options: SubresourceOptions, namespace: string, budget: string, pod: string): Promise<void> {
  const store = options.reader.store('policy', 'poddisruptionbudgets');
  let current = await store.read(namespace, budget);
  while (current !== undefined) {
    const status = current.object['status'] as { disruptionsAllowed: number; disruptedPods?: Json };
    const next = {
      ...current.object,
      status: {
        ...status,
        disruptionsAllowed: status.disruptionsAllowed - 1,
        disruptedPods: { ...status.disruptedPods, [pod]: rfc3339(options.clock.now()) },
      },
    };
    const written: Stored | Overtaken = await store.update(current, next);
    if (!(written instanceof Overtaken)) return;
    current = written.current;
  }
}

const finalize: SpecialHandler = async (special) => {
  only(special, 'update');
  const body = (await special.readBody()) as { spec?: { finalizers?: string[] } };
  const stored = await special.endpoint.rewrite('', special.info.name, (namespace) => ({ ...namespace, spec: body.spec ?? {} }));
  await special.sendObject(200, stored.object);
};

const approve: SpecialHandler = async (special) => {
  const { info } = special;
  if (info.verb === 'get') return special.sendObject(200, special.endpoint.find('', info.name).object);
  only(special, 'update', 'patch');
  const body = (await special.readBody()) as { status?: { conditions?: unknown[] } };
  const approved = (request: ApiObject): ApiObject => ({
    ...request,
    status: { ...(request['status'] as Json | undefined), conditions: body.status?.conditions ?? [] },
  });
  const current = special.endpoint.find('', info.name).object;
  await special.endpoint.admitSubresource('UPDATE', info.name, approved(current), current, special.context);
  const stored = await special.endpoint.rewrite('', info.name, approved);
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
      const wanted = makeScale(scaleOf(current) as unknown as ApiObject);
      const { spec, metadata } = wanted as unknown as {
        spec?: { replicas?: unknown };
        metadata?: { resourceVersion?: string; name?: string };
      };
      if ((metadata?.name ?? '') !== info.name) {
        throw badRequest(`the name of the object (${metadata?.name ?? ''}) does not match the name on the URL (${info.name})`);
      }
      const replicas = spec?.replicas ?? 0;
      if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
        throw badRequest(
          `Scale in version "v1" cannot be handled as a Scale: v1.Scale.Spec: v1.ScaleSpec.Replicas: readUint32: unexpected character: \ufffd`,
        );
      }
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
async function scaleChange({ info, request, readBody, readText }: SpecialRequest): Promise<(current: ApiObject) => ApiObject> {
  if (info.verb === 'update') {
    const body = await readBody();
    if (!isRecord(body)) throw badRequest('the body of the request is not an object');
    return () => body as unknown as ApiObject;
  }
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!;
  const text = await readText();
  // Nobody owns the fields of a Scale, so that an apply has nothing to conflict with or to remove.
  if (type === APPLY_PATCH) return patchFunction(MERGE_PATCH, JSON.stringify(configurationOf(text)), undefined);
  return patchFunction(type, text, 'autoscaling/v1.Scale');
}
