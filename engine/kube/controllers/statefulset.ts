// Models the StatefulSet controller: pods with fixed names, made and removed one after another.
// Not modelled: volume claim templates are created but never resized.

import { isAlreadyExists, isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import type { ControllerRevision, PersistentVolumeClaim, StatefulSet } from '../machinery/kinds.ts';
import { CONTROLLER_REVISION, PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET, keyOf, splitKey } from '../machinery/resources.ts';
import { labelSelectorOf } from '../machinery/selectors.ts';
import type { Pod, PodTemplateSpec } from '../machinery/types.ts';
import { messageOf, onEach, runWorkers, type ControllerContext } from './controller.ts';
import { claim, controllerOf, isPodReady, ownerReference, safeEncode } from './objects.ts';
import { podFromTemplate, type NewPod } from './pods.ts';
import { ensureRevision, pruneRevisions, revisionData } from './revisions.ts';

const REVISION_LABEL = 'controller-revision-hash';
const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';

export function startStatefulSet(context: ControllerContext): void {
  const sets = context.informers.for<StatefulSet>(STATEFUL_SET);
  const pods = context.informers.for<Pod>(POD);
  const revisions = context.informers.for<ControllerRevision>(CONTROLLER_REVISION);
  const claims = context.informers.for<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIM);
  const events = context.recorder('statefulset-controller');
  const queue = context.queue('statefulset');
  onEach(sets, (set) => queue.add(keyOf(set)));
  onEach(pods, (pod) => {
    const owner = controllerOf(pod);
    if (owner?.kind === 'StatefulSet') queue.add(`${pod.metadata.namespace}/${owner.name}`);
  });

  const createPodOf = async (set: StatefulSet, ordinal: number, revision: ControllerRevision): Promise<void> => {
    const pod = statefulPod(set, ordinal, revision);
    const name = pod.metadata.name!;
    for (const template of set.spec?.volumeClaimTemplates ?? []) {
      const claimName = `${template.metadata?.name}-${name}`;
      if (claims.lister.get(`${set.metadata.namespace}/${claimName}`) !== undefined) continue;
      try {
        await context.client.create<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIM, {
          ...template,
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: claimName, namespace: set.metadata.namespace ?? '', labels: { ...set.spec?.selector.matchLabels } },
        });
        const what = `Claim ${claimName} Pod ${name} in StatefulSet ${set.metadata.name}`;
        events.event(set, 'Normal', 'SuccessfulCreate', `create ${what} success`);
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    }
    const what = `Pod ${name} in StatefulSet ${set.metadata.name}`;
    try {
      await context.client.create<Pod>(POD, pod);
      events.event(set, 'Normal', 'SuccessfulCreate', `create ${what} successful`);
    } catch (error) {
      if (isAlreadyExists(error)) return;
      events.event(set, 'Warning', 'FailedCreate', `create ${what} failed error: ${messageOf(error)}`);
      throw error;
    }
  };
  const removePod = async (set: StatefulSet, pod: Pod): Promise<void> => {
    const what = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    try {
      await context.client.delete(POD, pod.metadata.name, pod.metadata.namespace);
      events.event(set, 'Normal', 'SuccessfulDelete', `delete ${what} successful`);
    } catch (error) {
      if (isNotFound(error)) return;
      events.event(set, 'Warning', 'FailedDelete', `delete ${what} failed error: ${messageOf(error)}`);
      throw error;
    }
  };

  runWorkers(context, queue, { workers: 5, after: [sets, pods, revisions, claims], what: 'StatefulSet' }, async (key) => {
    const set = sets.lister.get(key);
    if (set?.spec === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const namespace = splitKey(key).namespace;
    const selector = labelSelectorOf(set.spec.selector);
    const members = await claim(context.client, POD, pods.lister.list(namespace), {
      owner: set,
      ownerResource: STATEFUL_SET,
      matches: (pod) => selector.matches(pod.metadata.labels) && ordinalOf(set, pod) !== undefined,
      mayAdopt: (pod) => ordinalOf(set, pod) !== undefined,
    });
    const owned = revisions.lister.list(namespace).filter((revision) => controllerOf(revision)?.uid === set.metadata.uid);
    const hash = revisionHash(set.spec.template, set.status?.collisionCount);
    const { current: update, others } = await ensureRevision(context.client, set, STATEFUL_SET, owned, {
      hash,
      template: set.spec.template,
    });
    const current = owned.find((revision) => revision.metadata.name === set.status?.currentRevision) ?? update;
    const next = stepOf(set, members, { current: current.metadata.name, update: update.metadata.name });
    // A pod is created from the revision it belongs to, which for low ordinals may be the old one.
    for (const ordinal of next.create) {
      const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
      const isOld = ordinal < partition || (set.spec.updateStrategy?.type !== 'OnDelete' && set.status?.currentRevision === undefined);
      await createPodOf(set, ordinal, isOld && set.status?.currentRevision !== undefined ? current : update);
    }
    for (const pod of next.remove) await removePod(set, pod);
    await writeStatus(context, set, members, { current: current.metadata.name, update: update.metadata.name });
    const inUse = new Set(members.map((pod) => pod.metadata.labels?.[REVISION_LABEL] ?? ''));
    await pruneRevisions(
      context.client,
      others.filter((revision) => revision !== current && !inUse.has(revision.metadata.name)),
      set.spec.revisionHistoryLimit ?? 10,
      inUse,
    );
  });
}

export function ordinalOf(set: { readonly metadata: { readonly name: string } }, pod: Pod): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const rest = pod.metadata.name.startsWith(prefix) ? pod.metadata.name.slice(prefix.length) : '';
  return /^\d+$/.test(rest) ? Number(rest) : undefined;
}

/** What to do now: ordered sets do one thing and wait for it. */
export function stepOf(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: { readonly current: string; readonly update: string },
): { readonly create: readonly number[]; readonly remove: readonly Pod[] } {
  const replicas = set.spec?.replicas ?? 1;
  const isParallel = set.spec?.podManagementPolicy === 'Parallel';
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod)!, pod]));
  const isHealthy = (pod: Pod): boolean =>
    pod.status?.phase === 'Running' && isPodReady(pod) && pod.metadata.deletionTimestamp === undefined;
  const create: number[] = [];
  for (let ordinal = 0; ordinal < replicas; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined) {
      create.push(ordinal);
      if (!isParallel) return { create, remove: [] };
      continue;
    }
    if (pod.status?.phase === 'Failed' && pod.metadata.deletionTimestamp === undefined) return { create: [], remove: [pod] };
    if (!isParallel && !isHealthy(pod)) return { create: [], remove: [] };
  }
  if (create.length > 0) return { create, remove: [] };
  const surplus = [...byOrdinal].filter(([ordinal]) => ordinal >= replicas).sort(([a], [b]) => b - a);
  if (surplus.length > 0) {
    const removable = surplus.filter(([, pod]) => pod.metadata.deletionTimestamp === undefined).map(([, pod]) => pod);
    if (isParallel) return { create: [], remove: removable };
    // The highest goes first, and the next one only when it is gone.
    return { create: [], remove: surplus[0]![1].metadata.deletionTimestamp === undefined ? [surplus[0]![1]] : [] };
  }
  if (set.spec?.updateStrategy?.type === 'OnDelete') return { create: [], remove: [] };
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let ordinal = replicas - 1; ordinal >= partition; ordinal--) {
    const pod = byOrdinal.get(ordinal)!;
    if (pod.metadata.labels?.[REVISION_LABEL] !== revisions.update && pod.metadata.deletionTimestamp === undefined)
      return { create: [], remove: [pod] };
    if (!isHealthy(pod)) return { create: [], remove: [] };
  }
  return { create: [], remove: [] };
}

function statefulPod(set: StatefulSet, ordinal: number, revision: ControllerRevision): NewPod {
  const name = `${set.metadata.name}-${ordinal}`;
  const template = (revision.data as unknown as ReturnType<typeof revisionData>).spec.template as PodTemplateSpec & { $patch?: string };
  const { $patch: _patch, ...plain } = template;
  const pod = podFromTemplate(plain, set, ownerReference(set, STATEFUL_SET));
  const { generateName: _generated, ...metadata } = pod.metadata;
  const claimed = (set.spec?.volumeClaimTemplates ?? []).map((claimTemplate) => ({
    name: claimTemplate.metadata?.name ?? '',
    persistentVolumeClaim: { claimName: `${claimTemplate.metadata?.name}-${name}` },
  }));
  const others = (pod.spec?.volumes ?? []).filter((volume) => !claimed.some((claimVolume) => claimVolume.name === volume.name));
  const volumes = [...claimed, ...others];
  return {
    ...pod,
    metadata: { ...metadata, name, labels: { ...metadata.labels, [POD_NAME_LABEL]: name, [REVISION_LABEL]: revision.metadata.name } },
    spec: {
      ...pod.spec!,
      hostname: name,
      ...(set.spec?.serviceName === undefined ? {} : { subdomain: set.spec.serviceName }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
}

/** FNV-1 of the revision's JSON, keys in order, as Go writes it. */
function revisionHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  const withZeroTime = { ...template, metadata: { creationTimestamp: null, ...template.metadata } };
  const text =
    sortedJson({ spec: { template: { $patch: 'replace', ...withZeroTime } } }) +
    (collisionCount === undefined ? '' : String(collisionCount));
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return safeEncode(String(hash));
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${sortedJson(member)}`)
    .join(',')}}`;
}

async function writeStatus(
  context: ControllerContext,
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: { readonly current: string; readonly update: string },
): Promise<void> {
  const replicas = set.spec?.replicas ?? 1;
  const living = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const ready = living.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length;
  const updated = living.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === revisions.update).length;
  const isRolledOut = updated === replicas && ready === replicas && living.length === replicas;
  const currentRevision = isRolledOut ? revisions.update : revisions.current;
  const currentCount = living.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === currentRevision).length;
  const status: NonNullable<StatefulSet['status']> = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(currentCount === 0 ? {} : { currentReplicas: currentCount }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    currentRevision,
    updateRevision: revisions.update,
    collisionCount: set.status?.collisionCount ?? 0,
  };
  if (isDeepEqual(status, set.status)) return;
  await context.client.updateStatus<StatefulSet>(STATEFUL_SET, { ...set, status });
}
