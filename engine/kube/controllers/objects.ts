// Small questions about objects that several controllers ask, and how they own and adopt.

import type { KubeClient } from '../client/contracts.ts';
import { apiVersionOf } from '../machinery/resources.ts';
import type { KubeObject, OwnerReference, Pod, ResourceReference } from '../machinery/types.ts';

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

export function ownerReference(owner: KubeObject, resource: ResourceReference): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Neither finished nor on its way out. */
export function isPodActive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed' && pod.metadata.deletionTimestamp === undefined;
}

export function isPodReady(pod: Pod): boolean {
  return pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (ready?.status !== 'True') return false;
  if (minReadySeconds === 0) return true;
  const since = Date.parse(String(ready.lastTransitionTime ?? ''));
  return !Number.isNaN(since) && since + minReadySeconds * 1000 <= nowMs;
}

/**
 * Those of `candidates` that `owner` controls, after releasing the ones its selector no longer matches and adopting
 * matching orphans. `canAdopt` reads the owner anew: an owner that is going or was replaced must not adopt.
 */
export async function claim<T extends KubeObject>(
  client: KubeClient,
  resource: ResourceReference,
  candidates: readonly T[],
  options: {
    readonly owner: KubeObject;
    readonly ownerResource: ResourceReference;
    readonly matches: (object: T) => boolean;
    readonly mayAdopt: (object: T) => boolean;
  },
): Promise<readonly T[]> {
  const { owner } = options;
  const claimed: T[] = [];
  for (const object of candidates) {
    const controller = controllerOf(object);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (options.matches(object)) claimed.push(object);
      else if (owner.metadata.deletionTimestamp === undefined) await release(client, resource, object, owner);
      continue;
    }
    if (owner.metadata.deletionTimestamp !== undefined || !options.matches(object)) continue;
    if (object.metadata.deletionTimestamp !== undefined || !options.mayAdopt(object)) continue;
    const fresh = await client.get(options.ownerResource, owner.metadata.name, owner.metadata.namespace);
    if (fresh.metadata.uid !== owner.metadata.uid || fresh.metadata.deletionTimestamp !== undefined) continue;
    claimed.push(
      await client.patch<T>(resource, target(object), 'application/strategic-merge-patch+json', {
        metadata: { ownerReferences: [ownerReference(owner, options.ownerResource)], uid: object.metadata.uid },
      }),
    );
  }
  return claimed;
}

async function release(client: KubeClient, resource: ResourceReference, object: KubeObject, owner: KubeObject): Promise<void> {
  await client.patch(resource, target(object), 'application/strategic-merge-patch+json', {
    metadata: { ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }], uid: object.metadata.uid },
  });
}

export function target(object: KubeObject): { name: string; namespace?: string } {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? { name } : { name, namespace };
}

/** An int or a percentage of `total` (intstr.GetScaledValueFromIntOrPercent). */
export function scaledValue(value: string | number | undefined, total: number, rounding: 'up' | 'down'): number {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  if (percent === undefined) return Number.parseInt(value, 10) || 0;
  const exact = (Number(percent) * total) / 100;
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Maps a decimal number into names that spell no words (rand.SafeEncodeString). */
export function safeEncode(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) out += ALPHABET[text.charCodeAt(i) % ALPHABET.length];
  return out;
}

/** FNV-1a, 32 bit, over the text's bytes. */
export function fnv1a(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ (text.charCodeAt(i) & 0xff), 0x01000193);
  return hash >>> 0;
}
