// Models the subresources of pods that the server carries out by itself: binding to a node, and eviction under disruption budgets.

import type { Clock } from '../../sim/clock.ts';
import { ApiError } from '../machinery/api-error.ts';
import { isRecord } from '../machinery/deep.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { labelSelectorOf, type LabelSelectorSpec } from '../machinery/selectors.ts';
import { badRequest, conflict, forbidden, plainError, tooManyRequests } from '../machinery/status.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { Pod } from '../machinery/types.ts';
import type { ApiObject, Json } from '../registry/definition.ts';
import type { ClusterReader } from './admission.ts';
import { deleteOptionsOf } from './request-options.ts';
import type { ResourceEndpoint } from './resource-endpoint.ts';
import { Overtaken, type Stored } from './resource-store.ts';
import { methodNotAllowed } from './routes.ts';
import type { SpecialHandler, SpecialRequest } from './server.ts';
import { typedBody } from './typed-body.ts';

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
const WOULD_VIOLATE = "Cannot evict pod as it would violate the pod's disruption budget.";
/** More evictions than this that the controller has not confirmed are too many. */
const MOST_DISRUPTED = 2000;

interface Options {
  readonly clock: Clock;
  readonly reader: ClusterReader;
  readonly pods: () => ResourceEndpoint;
}

export function podSubresources(options: Options): readonly (readonly [string, SpecialHandler])[] {
  const bind: SpecialHandler = (special) => bindPod(special, options);
  return [
    ['pods./binding', bind],
    ['bindings.', bind],
    ['pods./eviction', (special) => evict(special, options)],
  ];
}

/** The body as an object of a kind; a client may leave the kind out. */
async function bodyOf(special: SpecialRequest, kind: keyof typeof STRUCTS): Promise<Json> {
  if (special.info.method !== 'POST') throw methodNotAllowed();
  const body = (await special.readBody()) ?? {};
  if (!isRecord(body)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
  const given = body['kind'] ?? kind;
  if (given !== kind && given !== '') {
    const shown = typeof given === 'string' ? given : JSON.stringify(given);
    throw badRequest(
      `${shown} in version ${JSON.stringify(body['apiVersion'] ?? '')} cannot be handled as a ${kind}: no kind ${JSON.stringify(shown)} is registered for version ${JSON.stringify(body['apiVersion'] ?? '')} in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"`,
    );
  }
  return typedBody(STRUCTS[kind], body);
}

const STRUCTS = { Binding: 'core/v1.Binding', Eviction: 'policy/v1beta1.Eviction' } as const;

function text(of: unknown, field: string): string {
  const value = isRecord(of) ? of[field] : undefined;
  return typeof value === 'string' ? value : '';
}

async function bindPod(special: SpecialRequest, { pods, clock }: Options): Promise<void> {
  const { info, context } = special;
  const body = await bodyOf(special, 'Binding');
  const { metadata, target } = body;
  const ownName = text(metadata, 'name');
  const name = info.name === '' ? ownName : info.name;
  if (ownName !== name) throw badRequest('name in URL does not match name in Binding object');
  const errors: FieldError[] = [];
  const kind = text(target, 'kind');
  if (kind !== '' && kind !== 'Node') errors.push(FieldError.notSupported('target.kind', kind, ['Node', '<empty>']));
  const node = text(target, 'name');
  if (node === '') errors.push(FieldError.required('target.name', ''));
  // Upstream returns these as they are, without a Status of their own.
  if (errors.length > 0) throw plainError(errors.length === 1 ? errors[0]!.toString() : `[${errors.join(', ')}]`);
  const endpoint = pods();
  await special.endpoint.admitSubresource('CREATE', name, body as unknown as ApiObject, undefined, context);
  const asked = { uid: text(metadata, 'uid'), key: endpoint.store.keyOf(info.namespace, name) };
  const annotations = isRecord(metadata) && isRecord(metadata['annotations']) ? metadata['annotations'] : {};
  await endpoint.rewrite(info.namespace, name, (pod) => bound(pod, node, { ...asked, annotations }, clock.now()), context);
  await special.sendObject(201, SUCCESS);
}

function bound(
  object: ApiObject,
  node: string,
  asked: { readonly uid: string; readonly key: string; readonly annotations: Json },
  nowMs: number,
): ApiObject {
  const { spec, status } = object as unknown as Pod;
  const { name, uid, deletionTimestamp, annotations } = object.metadata;
  if (asked.uid !== '' && asked.uid !== uid) {
    throw conflict(
      { group: '', resource: 'pods' },
      name,
      `StorageError: invalid object, Code: 4, Key: ${asked.key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${asked.uid}, UID in object meta: ${uid}`,
    );
  }
  const refuse = (why: string): ApiError => conflict({ group: '', resource: 'pods/binding' }, name, why);
  if (deletionTimestamp !== undefined) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if ((spec?.nodeName ?? '') !== '') throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(spec!.nodeName!)}`);
  const others = (status?.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled');
  const condition = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: rfc3339(nowMs) };
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, ...(asked.annotations as Record<string, string>) } },
    spec: { ...(object['spec'] as Json), nodeName: node },
    status: { ...(object['status'] as Json), conditions: [...others, condition] },
  };
}

async function evict(special: SpecialRequest, options: Options): Promise<void> {
  const { info, context } = special;
  const body = await bodyOf(special, 'Eviction');
  if (text(body['metadata'], 'name') !== info.name) throw badRequest('name in URL does not match name in Eviction object');
  const given = body['deleteOptions'] ?? undefined;
  const asked = given === undefined ? {} : deleteOptionsOf(given, info, '');
  const isDryRun = context.isDryRun || (asked.dryRun ?? []).length > 0;
  const pods = options.pods();
  await pods.admitSubresource('CREATE', info.name, body as unknown as ApiObject, undefined, context);
  const pod = (await pods.read(info.namespace, info.name)).object;
  const phase = (pod as unknown as Pod).status?.phase;
  // A pod that serves nothing is no disruption.
  const isFree = phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;
  if (!isFree) await spendBudget(pod, options, isDryRun);
  await pods.delete(info.name, asked, { ...context, isDryRun, served: pods.definition, subresource: '' });
  await special.sendObject(201, SUCCESS);
}

interface BudgetStatus {
  readonly disruptionsAllowed?: number;
  readonly currentHealthy?: number;
  readonly desiredHealthy?: number;
  readonly observedGeneration?: number;
  readonly disruptedPods?: Json;
}

/** One disruption less, and the pod is noted until the controller sees it gone; 429 when there is none left. */
async function spendBudget(pod: ApiObject, { reader, clock }: Options, isDryRun: boolean): Promise<void> {
  const { namespace = '', name } = pod.metadata;
  const store = reader.store('policy', 'poddisruptionbudgets');
  const budgets = store.list(namespace).filter(({ object }) => covers(object, pod));
  if (budgets.length > 1) {
    throw plainError('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  }
  if (budgets[0] === undefined) return;
  let current = await store.read(namespace, budgets[0].object.metadata.name);
  while (current !== undefined) {
    const status = (current.object['status'] ?? {}) as BudgetStatus;
    const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0, disruptedPods = {} } = status;
    // A pod that is not ready takes nothing from the healthy ones.
    if (!isReady(pod) && currentHealthy >= desiredHealthy && desiredHealthy > 0) return;
    checkBudget(current.object, status);
    if (isDryRun) return;
    const next = {
      ...current.object,
      status: {
        ...status,
        disruptionsAllowed: disruptionsAllowed - 1,
        disruptedPods: { ...disruptedPods, [name]: rfc3339(clock.now()) },
      },
    };
    const written: Stored | Overtaken = await store.update(current, next);
    if (!(written instanceof Overtaken)) return;
    current = written.current;
  }
}

function checkBudget({ metadata }: ApiObject, status: BudgetStatus): void {
  const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0, observedGeneration = 0, disruptedPods = {} } = status;
  const refuse = (message: string, retryAfterSeconds: number): ApiError => {
    const refusal = tooManyRequests(WOULD_VIOLATE, retryAfterSeconds);
    const details = { causes: [{ reason: 'DisruptionBudget', message }], ...refusal.status.details };
    return new ApiError({ ...refusal.status, details });
  };
  if (observedGeneration < (metadata.generation ?? 0)) {
    throw refuse(`The disruption budget ${metadata.name} is still being processed by the server.`, 10);
  }
  const names = { group: 'policy', resource: 'poddisruptionbudget' };
  if (disruptionsAllowed < 0) throw forbidden(names, metadata.name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > MOST_DISRUPTED) {
    throw forbidden(names, metadata.name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (disruptionsAllowed > 0) return;
  throw refuse(`The disruption budget ${metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`, 0);
}

function covers(budget: ApiObject, pod: ApiObject): boolean {
  const selector = (budget['spec'] as { selector?: LabelSelectorSpec | null } | undefined)?.selector ?? undefined;
  // Upstream's v1beta1: an empty selector covers nothing.
  if (selector === undefined || Object.keys(selector).length === 0) return false;
  return labelSelectorOf(selector).matches(pod.metadata.labels);
}

function isReady(pod: ApiObject): boolean {
  const { status } = pod as unknown as Pod;
  return (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');
}
