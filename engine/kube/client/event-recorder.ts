// Models client-go's event recorder and correlator: spam filter, aggregation of similar events, counting of equal ones.

import { background } from '../../sim/background.ts';
import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import type { Rng } from '../../sim/rng.ts';
import { ApiError, isNotFound } from '../machinery/api-error.ts';
import { EVENT } from '../machinery/resources.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { Event, KubeObject } from '../machinery/types.ts';
import type { EventRecorder, KubeClient } from './contracts.ts';

/** Similar events of one object within this time are counted towards aggregation. */
const AGGREGATE_INTERVAL_MS = 600_000;
const AGGREGATE_AFTER = 10;
const SPAM_BURST = 25;
const SPAM_REFILL_PER_SECOND = 1 / 300;
const TRIES = 12;
const RETRY_DELAY_MS = 10_000;

interface Seen {
  name: string;
  namespace: string;
  count: number;
  firstTimestamp: string;
  resourceVersion: string;
}

export interface RecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly rng: Rng;
  /** `kubelet`, `default-scheduler`, `deployment-controller`. */
  readonly component: string;
  readonly host?: string;
  readonly onError?: (error: Error) => void;
}

export class CorrelatingRecorder implements EventRecorder {
  readonly #options: RecorderOptions;
  readonly #seen = new Map<string, Seen>();
  readonly #similar = new Map<string, { messages: Set<string>; lastMs: number }>();
  readonly #spam = new Map<string, { tokens: number; atMs: number }>();
  #sending: Promise<void> = Promise.resolve();
  #serial = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  event(
    about: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options: { readonly fieldPath?: string; readonly annotations?: Readonly<Record<string, string>> } = {},
  ): void {
    const { component, host, clock } = this.#options;
    const namespace = about.metadata.namespace ?? 'default';
    const timestamp = rfc3339(clock.now());
    // The name's suffix is nanoseconds in hexadecimal; the serial keeps two events of one instant apart.
    const nanos = BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(this.#serial++ % 1_000_000);
    const event: Event = {
      kind: 'Event',
      apiVersion: 'v1',
      metadata: {
        name: `${about.metadata.name}.${nanos.toString(16)}`,
        namespace,
        ...(options.annotations === undefined ? {} : { annotations: { ...options.annotations } }),
      } as Event['metadata'],
      involvedObject: {
        kind: about.kind,
        ...(about.metadata.namespace === undefined ? {} : { namespace: about.metadata.namespace }),
        name: about.metadata.name,
        uid: about.metadata.uid,
        apiVersion: about.apiVersion,
        ...(about.metadata.resourceVersion === undefined ? {} : { resourceVersion: about.metadata.resourceVersion }),
        ...(options.fieldPath === undefined ? {} : { fieldPath: options.fieldPath }),
      },
      reason,
      message,
      source: { component, ...(host === undefined ? {} : { host }) },
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      count: 1,
      type,
      reportingComponent: '',
      reportingInstance: '',
    } as unknown as Event;
    this.#sending = this.#sending.then(() => this.#record(event));
    background(this.#sending);
  }

  async #record(given: Event): Promise<void> {
    const event = this.#aggregate(given);
    if (this.#isSpam(event)) return;
    const key = identityOf(event);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        await this.#send(event, key);
        return;
      } catch (error) {
        if (error instanceof ApiError) {
          this.#options.onError?.(error);
          return;
        }
        if (!isSysError(error)) throw error;
        this.#options.onError?.(error);
      }
      // The first wait is random so that components do not all come back at once.
      await this.#options.clock.sleep(attempt === 0 ? RETRY_DELAY_MS * this.#options.rng.float() : RETRY_DELAY_MS);
    }
  }

  async #send(event: Event, key: string): Promise<void> {
    const { client } = this.#options;
    const seen = this.#seen.get(key);
    if (seen !== undefined) {
      try {
        const patched = await client.patch<Event>(
          EVENT,
          { name: seen.name, namespace: seen.namespace },
          'application/strategic-merge-patch+json',
          {
            count: seen.count + 1,
            lastTimestamp: event.lastTimestamp,
            message: event.message,
          },
        );
        seen.count++;
        seen.resourceVersion = patched.metadata.resourceVersion;
        return;
      } catch (error) {
        // Events live for an hour; one that is gone is created anew with its count.
        if (!isNotFound(error)) throw error;
      }
    }
    const count = (seen?.count ?? 0) + 1;
    const firstTimestamp = seen?.firstTimestamp ?? String(event.firstTimestamp);
    const created = await client.create<Event>(EVENT, { ...event, count, firstTimestamp });
    this.#seen.set(key, {
      name: created.metadata.name,
      namespace: created.metadata.namespace ?? 'default',
      count,
      firstTimestamp,
      resourceVersion: created.metadata.resourceVersion,
    });
  }

  #aggregate(event: Event): Event {
    const now = this.#options.clock.now();
    const key = groupOf(event);
    let similar = this.#similar.get(key);
    if (similar === undefined || now - similar.lastMs > AGGREGATE_INTERVAL_MS) {
      similar = { messages: new Set(), lastMs: now };
      this.#similar.set(key, similar);
    }
    similar.messages.add(event.message ?? '');
    similar.lastMs = now;
    if (similar.messages.size < AGGREGATE_AFTER) return event;
    // Forgetting one message keeps the set at the limit while new ones arrive.
    similar.messages.delete(similar.messages.values().next().value!);
    return { ...event, message: `(combined from similar events): ${event.message ?? ''}` };
  }

  #isSpam(event: Event): boolean {
    const now = this.#options.clock.now();
    const key = sourceOf(event);
    const bucket = this.#spam.get(key) ?? { tokens: SPAM_BURST, atMs: now };
    bucket.tokens = Math.min(SPAM_BURST, bucket.tokens + ((now - bucket.atMs) / 1000) * SPAM_REFILL_PER_SECOND);
    bucket.atMs = now;
    this.#spam.set(key, bucket);
    if (bucket.tokens < 1) return true;
    bucket.tokens -= 1;
    return false;
  }
}

function sourceOf(event: Event): string {
  const about = event.involvedObject;
  return [event.source?.component, event.source?.host, about.kind, about.namespace, about.name, about.uid, about.apiVersion].join('\0');
}

function groupOf(event: Event): string {
  return [sourceOf(event), event.involvedObject.fieldPath, event.type, event.reason].join('\0');
}

/** Aggregated messages count as one whatever they say. */
function identityOf(event: Event): string {
  const message = event.message?.startsWith('(combined from similar events): ') === true ? '(combined)' : event.message;
  return [groupOf(event), message].join('\0');
}
