// Models the NoExecute taint manager: evicts pods from tainted nodes, at once or when their toleration runs out.

import type { Disposable } from '../../sim/disposable.ts';
import { isNotFound } from '../machinery/api-error.ts';
import { NODE, POD, keyOf, splitKey } from '../machinery/resources.ts';
import type { Node, Pod } from '../machinery/types.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';
import { stayOf } from './node-taints.ts';

interface Eviction {
  readonly createdMs: number;
  readonly dueMs: number;
  readonly timer: Disposable;
}

export function startTaintManager(context: ControllerContext): void {
  const nodes = context.informers.for<Node>(NODE);
  const pods = context.informers.for<Pod>(POD);
  const events = context.recorder('taint-controller');
  const queue = context.queue('noexec_taint_pod');
  const evictions = new Map<string, Eviction>();
  context.signal.addEventListener('abort', () => {
    for (const { timer } of evictions.values()) timer.dispose();
  });

  onEach(nodes, (node, old, removed) => {
    if (!removed && old !== undefined && isDeepEqual(noExecute(old), noExecute(node))) return;
    for (const pod of pods.lister.list()) if (pod.spec?.nodeName === node.metadata.name) queue.add(keyOf(pod));
  });
  onEach(pods, (pod, old) => {
    const isSame =
      old !== undefined && old.spec?.nodeName === pod.spec?.nodeName && isDeepEqual(old.spec?.tolerations, pod.spec?.tolerations);
    if (!isSame) queue.add(keyOf(pod));
  });

  const cancel = (key: string, about: Pod | undefined): void => {
    const eviction = evictions.get(key);
    if (eviction === undefined) return;
    evictions.delete(key);
    eviction.timer.dispose();
    if (about !== undefined) events.event(about, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
  };
  const evict = async (key: string): Promise<void> => {
    const pod = pods.lister.get(key);
    if (pod === undefined) return;
    context.log('I', `NoExecuteTaintManager is deleting Pod: ${key}`);
    events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
    const { namespace, name } = splitKey(key);
    try {
      await context.client.delete(POD, name, namespace);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  runWorkers(context, queue, { workers: 8, after: [nodes, pods], what: 'taint eviction of pod' }, async (key) => {
    const pod = pods.lister.get(key);
    const node = pod?.spec?.nodeName === undefined ? undefined : nodes.lister.get(pod.spec.nodeName);
    if (pod === undefined || node === undefined) return cancel(key, undefined);
    if (pod.metadata.deletionTimestamp !== undefined) return cancel(key, undefined);
    const due = evictions.get(key);
    const nowMs = context.clock.now();
    if (due !== undefined && due.dueMs <= nowMs) {
      evictions.delete(key);
      return evict(key);
    }
    const taints = noExecute(node);
    const stay = taints.length === 0 ? undefined : stayOf(pod.spec?.tolerations ?? [], taints);
    if (stay === undefined) return cancel(key, taints.length === 0 ? pod : undefined);
    if (stay === 'now') {
      cancel(key, undefined);
      return evict(key);
    }
    // The time runs from the first taint; a second one may only shorten it.
    const createdMs = due?.createdMs ?? nowMs;
    const dueMs = createdMs + stay * 1000;
    if (due !== undefined && due.dueMs <= dueMs) return;
    due?.timer.dispose();
    evictions.set(key, { createdMs, dueMs, timer: context.clock.setTimer(dueMs - nowMs, () => queue.add(key)) });
  });
}

function noExecute(node: Node): NonNullable<NonNullable<Node['spec']>['taints']> {
  return (node.spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute');
}
