// Models the resource quota controller: it measures what quotas limit when they are made, changed or old, and when something goes.

import { isConflict } from '../machinery/api-error.ts';
import type { ResourceAmounts } from '../machinery/quantity.ts';
import { addUsage, evaluatorFor, isInScopes, maskUsage, parseUsage, showUsage, type QuotaSpec, type Usage } from '../machinery/quota.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import {
  CONFIG_MAP,
  keyOf,
  PERSISTENT_VOLUME_CLAIM,
  POD,
  REPLICATION_CONTROLLER,
  RESOURCE_QUOTA,
  SECRET,
  SERVICE,
} from '../machinery/resources.ts';
import type { KubeObject, Pod, ResourceReference } from '../machinery/types.ts';
import { every, onEach, runWorkers, type ControllerContext } from './controller.ts';
import { discover } from './discovery.ts';

/** --resource-quota-sync-period. */
const RESYNC_MS = 5 * 60_000;
/** --concurrent-resource-quota-syncs. */
const WORKERS = 5;

type ResourceQuota = KubeObject & {
  spec?: QuotaSpec;
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
};

const CORE: readonly ResourceReference[] = [
  POD,
  SERVICE,
  PERSISTENT_VOLUME_CLAIM,
  CONFIG_MAP,
  SECRET,
  REPLICATION_CONTROLLER,
  RESOURCE_QUOTA,
];

export function startResourceQuota(context: ControllerContext): void {
  const quotas = context.informers.for<ResourceQuota>(RESOURCE_QUOTA);
  const queue = context.queue('resourcequota_primary');
  const watched = new Map<string, ResourceReference>();

  /** Caches of kinds are kept from the first quota on that counts them. */
  const watch = (resource: ResourceReference): void => {
    const key = `${resource.resource}.${resource.group}`;
    if (watched.has(key)) return;
    watched.set(key, resource);
    const evaluator = evaluatorFor(resource.group, resource.resource);
    onEach(context.informers.for<KubeObject>(resource), (object, old, removed) => {
      if (!removed && (old === undefined || !usesLess(resource, old, object))) return;
      for (const quota of quotas.lister.list(object.metadata.namespace)) {
        if (evaluator.matchingResources(Object.keys(quota.status?.hard ?? {})).length > 0) queue.add(keyOf(quota));
      }
    });
  };
  const resourcesOf = async (names: readonly string[]): Promise<readonly ResourceReference[]> => {
    const found = CORE.filter(({ group, resource }) => evaluatorFor(group, resource).matchingResources(names).length > 0);
    const others = names.filter((name) => name.startsWith('count/') && !found.some((each) => countOf(each) === name));
    if (others.length === 0) return found;
    const { resources } = await discover(context.client);
    return [...found, ...resources.filter((each) => each.isNamespaced && each.verbs.includes('list') && others.includes(countOf(each)))];
  };

  onEach(quotas, (quota, old, removed) => {
    if (removed) return;
    if (old === undefined || !isDeepEqual(old.spec, quota.spec)) queue.add(keyOf(quota));
  });
  every(context, 'resource quotas', RESYNC_MS, () => {
    for (const quota of quotas.lister.list()) queue.add(keyOf(quota));
    return Promise.resolve();
  });

  runWorkers(context, queue, { workers: WORKERS, after: [quotas], what: 'resource quota' }, async (key) => {
    const quota = quotas.lister.get(key);
    if (quota === undefined) return;
    const hard = quota.spec?.hard ?? {};
    const names = Object.keys(hard);
    const resources = await resourcesOf(names);
    for (const resource of resources) watch(resource);
    const informers = resources.map((resource) => ({ resource, informer: context.informers.for<KubeObject>(resource) }));
    await Promise.all(informers.map(({ informer }) => informer.synced));
    let used: Usage = maskUsage(parseUsage(quota.status?.used), names);
    for (const { resource, informer } of informers) {
      const evaluator = evaluatorFor(resource.group, resource.resource);
      const matching = evaluator.matchingResources(names);
      let sum: Usage = parseUsage(Object.fromEntries(matching.map((name) => [name, '0'])));
      for (const object of informer.lister.list(quota.metadata.namespace)) {
        if (isInScopes(evaluator, object, quota.spec ?? {}))
          sum = addUsage(sum, maskUsage(evaluator.usage(object, context.clock.now()), matching));
      }
      used = { ...used, ...sum };
    }
    const status = { hard: canonical(hard), used: showUsage(used) };
    if (
      isDeepEqual(status, { hard: canonical(quota.status?.hard ?? {}), used: canonical(quota.status?.used ?? {}) }) &&
      quota.status?.hard !== undefined
    )
      return;
    try {
      await context.client.updateStatus<ResourceQuota>(RESOURCE_QUOTA, { ...quota, status });
    } catch (error) {
      // Admission charges the same document; measure again.
      if (!isConflict(error)) throw error;
      queue.addRateLimited(key);
    }
  });
}

function countOf({ group, resource }: ResourceReference): string {
  return group === '' ? `count/${resource}` : `count/${resource}.${group}`;
}

function canonical(amounts: ResourceAmounts): Record<string, string> {
  return showUsage(parseUsage(amounts));
}

/** Of changes only those matter that free something: a pod that ends, a service of another type. */
function usesLess(resource: ResourceReference, old: KubeObject, next: KubeObject): boolean {
  if (resource === POD) {
    const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    return isOver(next as Pod) && !isOver(old as Pod);
  }
  if (resource !== SERVICE) return false;
  const typeOf = (object: KubeObject): unknown => (object as unknown as { spec?: { type?: string } }).spec?.type;
  return typeOf(old) !== typeOf(next);
}
