// Models the namespace controller: empties a namespace that is to go, kind by kind, then lets it go.

import { isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { NAMESPACE, POD, keyOf, resourcePath } from '../machinery/resources.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { KubeObject, Namespace, Pod } from '../machinery/types.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';
import { discover } from './discovery.ts';

/** Watch events of the last creations in the namespace are to arrive before it is emptied (namespaceDeletionGracePeriod). */
const GRACE_MS = 5_000;
const RESYNC_MS = 5 * 60_000;
/** Seconds a kind is estimated to need when objects remain that are not pods. */
const FINALIZER_ESTIMATE_S = 15;

type Condition = NonNullable<NonNullable<Namespace['status']>['conditions']>[number];

export function startNamespace(context: ControllerContext): void {
  const namespaces = context.informers.for<Namespace>(NAMESPACE);
  const queue = context.queue('namespace');
  onEach(namespaces, (namespace, _old, removed) => {
    if (!removed && namespace.metadata.deletionTimestamp !== undefined) queue.addAfter(keyOf(namespace), GRACE_MS);
  });
  runWorkers(context, queue, { workers: 10, after: [namespaces], what: 'namespace' }, async (key) => {
    const cached = namespaces.lister.get(key);
    if (cached?.metadata.deletionTimestamp === undefined) return;
    const remainsS = await empty(context, cached.metadata.name);
    if (remainsS !== undefined) queue.addAfter(key, Math.min(RESYNC_MS, (Math.floor(remainsS / 2) + 1) * 1000));
  });
}

/** One pass. Returns undefined when the namespace is done, otherwise the seconds the rest is estimated to take. */
async function empty(context: ControllerContext, name: string): Promise<number | undefined> {
  let namespace: Namespace;
  try {
    namespace = await context.client.get<Namespace>(NAMESPACE, name);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  if (namespace.metadata.deletionTimestamp === undefined) return undefined;
  if (!(namespace.spec?.finalizers ?? []).includes('kubernetes')) return undefined;
  const remaining = await deleteContent(context, namespace);
  namespace = await writeConditions(context, namespace, remaining);
  if (remaining.total > 0 || remaining.failed.length > 0) return remaining.estimateS;
  const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== 'kubernetes');
  await context.client.raw('PUT', resourcePath(NAMESPACE, { name, subresource: 'finalize' }), {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...namespace, spec: { ...namespace.spec, finalizers } }),
  });
  return undefined;
}

interface Remaining {
  readonly total: number;
  readonly estimateS: number;
  readonly byKind: readonly string[];
  readonly byFinalizer: readonly string[];
  readonly failed: readonly string[];
}

async function deleteContent(context: ControllerContext, namespace: Namespace): Promise<Remaining> {
  const name = namespace.metadata.name;
  const { resources, failed } = await discover(context.client);
  const kinds: string[] = [];
  const finalizers = new Map<string, number>();
  let total = 0;
  let estimateS = 0;
  for (const resource of resources) {
    const canEmpty = resource.isNamespaced && ['list', 'delete'].every((verb) => resource.verbs.includes(verb));
    if (!canEmpty) continue;
    const before = await context.client.list(resource, { namespace: name });
    for (const object of before.items) {
      if (object.metadata.deletionTimestamp !== undefined) continue;
      try {
        await context.client.delete(resource, object.metadata.name, name, { propagationPolicy: 'Background' });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const after = before.items.length === 0 ? [] : (await context.client.list(resource, { namespace: name })).items;
    if (after.length === 0) continue;
    total += after.length;
    kinds.push(`${resource.resource}.${resource.group} has ${after.length} resource instances`);
    for (const object of after) {
      for (const finalizer of object.metadata.finalizers ?? []) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
    }
    estimateS = Math.max(
      estimateS,
      resource.resource === POD.resource && resource.group === '' ? podEstimate(after) : FINALIZER_ESTIMATE_S,
    );
  }
  return {
    total,
    estimateS,
    byKind: kinds.sort(),
    byFinalizer: [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).sort(),
    failed,
  };
}

function podEstimate(pods: readonly KubeObject[]): number {
  return Math.max(0, ...pods.map((pod) => (pod as Pod).spec?.terminationGracePeriodSeconds ?? 0));
}

async function writeConditions(context: ControllerContext, namespace: Namespace, remaining: Remaining): Promise<Namespace> {
  const now = rfc3339(context.clock.now());
  const condition = (type: string, isBad: boolean, bad: readonly [string, string], good: readonly [string, string]): Condition => {
    const status = isBad ? 'True' : 'False';
    const [reason, message] = isBad ? bad : good;
    const former = namespace.status?.conditions?.find((other) => other.type === type);
    return { type, status, lastTransitionTime: former?.status === status ? (former.lastTransitionTime ?? now) : now, reason, message };
  };
  const conditions = [
    condition(
      'NamespaceDeletionDiscoveryFailure',
      remaining.failed.length > 0,
      [
        'DiscoveryFailed',
        `Discovery failed for some groups, ${remaining.failed.length} failing: unable to retrieve the complete list of server APIs: ${[...remaining.failed].sort().join(', ')}`,
      ],
      ['ResourcesDiscovered', 'All resources successfully discovered'],
    ),
    condition(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      ['', ''],
      ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    ),
    condition(
      'NamespaceDeletionContentFailure',
      false,
      ['', ''],
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    ),
    condition(
      'NamespaceContentRemaining',
      remaining.total > 0,
      ['SomeResourcesRemain', `Some resources are remaining: ${remaining.byKind.join(', ')}`],
      ['ContentRemoved', 'All content successfully removed'],
    ),
    condition(
      'NamespaceFinalizersRemaining',
      remaining.byFinalizer.length > 0,
      ['SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${remaining.byFinalizer.join(', ')}`],
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ),
  ];
  if (isDeepEqual(namespace.status?.conditions, conditions)) return namespace;
  return context.client.updateStatus<Namespace>(NAMESPACE, { ...namespace, status: { ...namespace.status, conditions } });
}
