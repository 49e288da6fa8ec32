// Models controller history: the ControllerRevisions of daemon sets and stateful sets.

import { isAlreadyExists, isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import type { ControllerRevision } from '../machinery/kinds.ts';
import { CONTROLLER_REVISION } from '../machinery/resources.ts';
import type { KubeObject, PodTemplateSpec, ResourceReference } from '../machinery/types.ts';
import type { KubeClient } from '../client/contracts.ts';
import { ownerReference } from './objects.ts';

/** The patch a revision keeps: the template as a whole. */
export function revisionData(template: PodTemplateSpec): { readonly spec: { readonly template: object } } {
  return { spec: { template: { ...template, $patch: 'replace' } } };
}

/** Finds the revision with this template, raising it above all others, or creates it. */
export async function ensureRevision(
  client: KubeClient,
  owner: KubeObject & { readonly metadata: { readonly annotations?: Record<string, string> } },
  resource: ResourceReference,
  existing: readonly ControllerRevision[],
  wanted: { readonly hash: string; readonly template: PodTemplateSpec },
): Promise<{ readonly current: ControllerRevision; readonly others: readonly ControllerRevision[] }> {
  const data = revisionData(wanted.template);
  const newest = Math.max(0, ...existing.map((revision) => revision.revision));
  const same = [...existing].sort((a, b) => b.revision - a.revision).find((revision) => isDeepEqual(revision.data, data));
  const others = existing.filter((revision) => revision !== same);
  if (same !== undefined) {
    if (same.revision >= newest) return { current: same, others };
    return { current: await client.update<ControllerRevision>(CONTROLLER_REVISION, { ...same, revision: newest + 1 }), others };
  }
  const name = `${owner.metadata.name}-${wanted.hash}`;
  const namespace = owner.metadata.namespace ?? '';
  try {
    const current = await client.create<ControllerRevision>(CONTROLLER_REVISION, {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name,
        namespace,
        labels: { ...wanted.template.metadata?.labels, 'controller-revision-hash': wanted.hash },
        annotations: { ...owner.metadata.annotations },
        ownerReferences: [ownerReference(owner, resource)],
      },
      data: data as NonNullable<ControllerRevision['data']>,
      revision: newest + 1,
    });
    return { current, others };
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const current = await client.get<ControllerRevision>(CONTROLLER_REVISION, name, namespace);
    if (!isDeepEqual(current.data, data)) throw error;
    return { current, others };
  }
}

/** Keeps at most `limit` revisions besides those that pods still run. */
export async function pruneRevisions(
  client: KubeClient,
  others: readonly ControllerRevision[],
  limit: number,
  inUse: ReadonlySet<string>,
): Promise<void> {
  const idle = others.filter((revision) => !inUse.has(revision.metadata.labels?.['controller-revision-hash'] ?? ''));
  const surplus = [...idle].sort((a, b) => a.revision - b.revision).slice(0, Math.max(0, idle.length - limit));
  for (const revision of surplus) {
    try {
      await client.delete(CONTROLLER_REVISION, revision.metadata.name, revision.metadata.namespace);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
