// Models the kubelet's status manager: sends pods' statuses to the API, and finishes the deletion of pods that have ended.

import { SysError } from '../../sim/errno.ts';
import type { Clock } from '../../sim/clock.ts';
import type { KubeClient } from '../client/contracts.ts';
import { ApiError, isConflict, isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { POD } from '../machinery/resources.ts';
import type { Pod } from '../machinery/types.ts';
import type { Klog } from './klog.ts';
import type { PodStatus } from './pod-status.ts';

/** syncBatch: what could not be sent is tried again then. */
const RETRY_MS = 10_000;
/** Somebody else wrote at the same time. */
const CONFLICT_MS = 100;

export interface StatusManagerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Klog;
  /** The API's pod that shows this status: the mirror of a static pod; undefined while there is none. */
  readonly apiPod: (pod: Pod) => Pod | undefined;
  readonly onFault: (error: unknown) => void;
}

interface Entry {
  pod: Pod;
  status: PodStatus;
  sent: PodStatus | undefined;
  sentTo: string | undefined;
  isSending: boolean;
  isDirty: boolean;
}

export class StatusManager {
  readonly #o: StatusManagerOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: StatusManagerOptions) {
    this.#o = options;
  }

  get(uid: string): PodStatus | undefined {
    return this.#entries.get(uid)?.status;
  }

  set(pod: Pod, status: PodStatus): void {
    const entry = this.#entries.get(pod.metadata.uid);
    if (entry === undefined) {
      const fresh: Entry = { pod, status, sent: undefined, sentTo: undefined, isSending: false, isDirty: true };
      this.#entries.set(pod.metadata.uid, fresh);
      this.#send(fresh);
      return;
    }
    entry.pod = pod;
    entry.status = status;
    this.#send(entry);
  }

  /** The mirror pod is another one now, or the API's status was changed by somebody else. */
  refresh(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) this.#send(entry);
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  #send(entry: Entry): void {
    entry.isDirty = true;
    if (entry.isSending) return;
    entry.isSending = true;
    this.#run(entry)
      .catch(this.#o.onFault)
      .finally(() => {
        entry.isSending = false;
      })
      .catch(this.#o.onFault);
  }

  async #run(entry: Entry): Promise<void> {
    while (entry.isDirty && this.#entries.get(entry.pod.metadata.uid) === entry) {
      entry.isDirty = false;
      const target = this.#o.apiPod(entry.pod);
      if (target === undefined) return;
      if (entry.sentTo === target.metadata.uid && isDeepEqual(entry.sent, entry.status)) continue;
      const { status } = entry;
      try {
        await this.#put(target, status);
        entry.sent = status;
        entry.sentTo = target.metadata.uid;
      } catch (error) {
        if (isNotFound(error)) return;
        if (isConflict(error)) {
          await this.#o.clock.sleep(CONFLICT_MS);
          entry.isDirty = true;
        } else if (error instanceof ApiError || error instanceof SysError) {
          this.#o.log(
            'W',
            'status_manager.go:550',
            `Failed to get status for pod "${target.metadata.name}_${target.metadata.namespace ?? ''}(${target.metadata.uid})": ${error.message}`,
          );
          await this.#o.clock.sleep(RETRY_MS);
          entry.isDirty = true;
        } else throw error;
      }
    }
  }

  async #put(target: Pod, status: PodStatus): Promise<void> {
    const { client } = this.#o;
    const { name, namespace, uid } = target.metadata;
    const current = await client.get<Pod>(POD, name, namespace);
    if (current.metadata.uid !== uid) return;
    if (isDeepEqual(current.status, status)) return;
    await client.updateStatus<Pod>(POD, { ...current, status });
  }

  /** The pod has ended and nothing of it is left: takes it out of the API. */
  async finishDeletion(pod: Pod): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    try {
      await this.#o.client.delete(POD, name, namespace, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}
