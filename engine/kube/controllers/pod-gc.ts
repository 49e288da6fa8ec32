// Models the pod garbage collector: pods of nodes that are gone, terminating pods that were never scheduled, and too many finished ones.

import { isNotFound } from '../machinery/api-error.ts';
import { NODE, POD } from '../machinery/resources.ts';
import type { Node, Pod } from '../machinery/types.ts';
import { every, inBackground, type ControllerContext } from './controller.ts';

const PERIOD_MS = 20_000;
/** A node must have been missing this long before its pods go (quarantineTime). */
const QUARANTINE_MS = 40_000;

export function startPodGc(context: ControllerContext, terminatedThreshold = 12_500): void {
  const nodes = context.informers.for<Node>(NODE);
  const pods = context.informers.for<Pod>(POD);
  const missingSinceMs = new Map<string, number>();

  const forceDelete = async (pod: Pod): Promise<void> => {
    try {
      await context.client.delete(POD, pod.metadata.name, pod.metadata.namespace, { gracePeriodSeconds: 0 });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  const collect = async (): Promise<void> => {
    const all = pods.lister.list();
    const finished = all
      .filter((pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
      .sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp));
    if (terminatedThreshold > 0) {
      for (const pod of finished.slice(0, Math.max(0, finished.length - terminatedThreshold))) await forceDelete(pod);
    }
    const nowMs = context.clock.now();
    const present = new Set(nodes.lister.list().map((node) => node.metadata.name));
    for (const name of missingSinceMs.keys()) if (present.has(name)) missingSinceMs.delete(name);
    for (const pod of all) {
      const node = pod.spec?.nodeName;
      if (node === undefined || present.has(node)) continue;
      if (!missingSinceMs.has(node)) missingSinceMs.set(node, nowMs);
    }
    for (const [node, sinceMs] of missingSinceMs) {
      if (nowMs - sinceMs < QUARANTINE_MS) continue;
      missingSinceMs.delete(node);
      try {
        await context.client.get<Node>(NODE, node);
        continue;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      for (const pod of all) {
        if (pod.spec?.nodeName !== node) continue;
        context.log('I', `Found orphaned Pod ${pod.metadata.namespace}/${pod.metadata.name} assigned to the Node ${node}, deleting.`);
        await forceDelete(pod);
      }
    }
    for (const pod of all) {
      if (pod.metadata.deletionTimestamp !== undefined && (pod.spec?.nodeName ?? '') === '') await forceDelete(pod);
    }
  };
  inBackground(context, 'pod garbage collector', async () => {
    await Promise.all([nodes.synced, pods.synced]);
    every(context, 'pod garbage collector', PERIOD_MS, collect);
  });
}
