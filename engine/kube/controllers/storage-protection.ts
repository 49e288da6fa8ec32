// Models the pvc-protection and pv-protection controllers: a claim stays while a pod uses it, a volume while a claim has it.

import { isNotFound } from '../machinery/api-error.ts';
import { keyOf, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, splitKey } from '../machinery/resources.ts';
import type { KubeObject, Pod } from '../machinery/types.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

type Volume = KubeObject & { status?: { phase?: string } };

const isDeleting = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined;
const has = (object: KubeObject, finalizer: string): boolean => (object.metadata.finalizers ?? []).includes(finalizer);

function withFinalizers<T extends KubeObject>(object: T, finalizers: string[]): T {
  return { ...object, metadata: { ...object.metadata, finalizers } };
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

export function startPvcProtection(context: ControllerContext): void {
  const claims = context.informers.for<KubeObject>(PERSISTENT_VOLUME_CLAIM);
  const pods = context.informers.for<Pod>(POD);
  const queue = context.queue('pvcprotection');
  onEach(claims, (claim, _old, removed) => {
    if (removed) return;
    if (isDeleting(claim) ? has(claim, CLAIM_FINALIZER) : !has(claim, CLAIM_FINALIZER)) queue.add(keyOf(claim));
  });
  onEach(pods, (pod, _old, removed) => {
    const isOver = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (!removed && !isOver && (pod.spec?.nodeName ?? '') !== '') return;
    for (const name of claimsOf(pod)) queue.add(`${pod.metadata.namespace}/${name}`);
  });
  runWorkers(context, queue, { workers: 1, after: [claims, pods], what: 'PVC' }, async (key) => {
    const claim = claims.lister.get(key);
    if (claim === undefined) return;
    const finalizers = claim.metadata.finalizers ?? [];
    if (!isDeleting(claim)) {
      if (!has(claim, CLAIM_FINALIZER))
        await context.client.update(PERSISTENT_VOLUME_CLAIM, withFinalizers(claim, [...finalizers, CLAIM_FINALIZER]));
      return;
    }
    if (!has(claim, CLAIM_FINALIZER)) return;
    const { namespace = '', name } = splitKey(key);
    // The cache may lag, and a claim that goes too early takes a running pod's data with it.
    const { items } = await context.client.list<Pod>(POD, { namespace });
    if (items.some((pod) => (pod.spec?.nodeName ?? '') !== '' && claimsOf(pod).includes(name))) return;
    const rest = finalizers.filter((each) => each !== CLAIM_FINALIZER);
    await unlessGone(context.client.update(PERSISTENT_VOLUME_CLAIM, withFinalizers(claim, rest)));
  });
}

function claimsOf(pod: Pod): readonly string[] {
  return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName],
  );
}

export function startPvProtection(context: ControllerContext): void {
  const volumes = context.informers.for<Volume>(PERSISTENT_VOLUME);
  const queue = context.queue('pvprotection');
  onEach(volumes, (volume, _old, removed) => {
    if (removed) return;
    if (isDeleting(volume) ? has(volume, VOLUME_FINALIZER) : !has(volume, VOLUME_FINALIZER)) queue.add(volume.metadata.name);
  });
  runWorkers(context, queue, { workers: 1, after: [volumes], what: 'PV' }, async (name) => {
    const volume = volumes.lister.get(name);
    if (volume === undefined) return;
    const finalizers = volume.metadata.finalizers ?? [];
    if (!isDeleting(volume)) {
      if (!has(volume, VOLUME_FINALIZER))
        await context.client.update(PERSISTENT_VOLUME, withFinalizers(volume, [...finalizers, VOLUME_FINALIZER]));
      return;
    }
    // A bound volume is looked at again when it is released: that is an event of its own.
    if (!has(volume, VOLUME_FINALIZER) || volume.status?.phase === 'Bound') return;
    const rest = finalizers.filter((each) => each !== VOLUME_FINALIZER);
    await unlessGone(context.client.update(PERSISTENT_VOLUME, withFinalizers(volume, rest)));
  });
}
