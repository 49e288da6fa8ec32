// Models client-go's newer event recorder (events.k8s.io), which the scheduler uses: no counting up of equal messages, but one
// event per state of the object, and a series from the second time on.
// Not modelled: writing out how often a series was seen when nothing else is recorded after it.

import { background } from '../../sim/background.ts';
import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import { ApiError, isNotFound } from '../machinery/api-error.ts';
import { EVENT } from '../machinery/resources.ts';
import { rfc3339Micro } from '../machinery/time.ts';
import type { Event, KubeObject } from '../machinery/types.ts';
import type { EventRecorder, KubeClient } from './contracts.ts';

/** A series that was not seen for this long has ended. */
const SERIES_END_MS = 360_000;
const TRIES = 12;
const RETRY_DELAY_MS = 10_000;

interface Known {
  readonly name: string;
  readonly namespace: string;
  seenMs: number;
  /** How often it was seen again; 0 when it has no series yet. */
  count: number;
  writtenCount: number;
}

export interface SeriesRecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** `default-scheduler`. */
  readonly controller: string;
  readonly host: string;
  readonly onError?: (error: Error) => void;
}

export class SeriesRecorder implements EventRecorder {
  readonly #options: SeriesRecorderOptions;
  readonly #known = new Map<string, Known>();
  #sending: Promise<void> = Promise.resolve();
  #serial = 0;

  constructor(options: SeriesRecorderOptions) {
    this.#options = options;
  }

  event(
    about: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options: { readonly fieldPath?: string; readonly action?: string } = {},
  ): void {
    const { controller, host, clock } = this.#options;
    const { name, uid, resourceVersion } = about.metadata;
    const namespace = about.metadata.namespace ?? 'default';
    // The version belongs to what is compared: news of an object that has changed is a new event.
    const key = JSON.stringify([options.action ?? '', reason, about.kind, namespace, name, uid, resourceVersion, options.fieldPath]);
    this.#endOldSeries();
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.seenMs = clock.now();
      known.count++;
      if (known.count === 1) this.#enqueue(() => this.#writeSeries(known));
      return;
    }
    const nanos = BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(this.#serial++ % 1_000_000);
    const event = {
      kind: 'Event',
      apiVersion: 'v1',
      metadata: { name: `${name}.${nanos.toString(16)}`, namespace },
      involvedObject: {
        kind: about.kind,
        ...(about.metadata.namespace === undefined ? {} : { namespace: about.metadata.namespace }),
        name,
        uid,
        apiVersion: about.apiVersion,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(options.fieldPath === undefined ? {} : { fieldPath: options.fieldPath }),
      },
      reason,
      message,
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      type,
      eventTime: rfc3339Micro(clock.now()),
      ...(options.action === undefined ? {} : { action: options.action }),
      reportingComponent: controller,
      reportingInstance: `${controller}-${host}`,
    } as unknown as Event;
    this.#known.set(key, { name: event.metadata.name, namespace, seenMs: clock.now(), count: 0, writtenCount: 0 });
    this.#enqueue(() => this.#options.client.create<Event>(EVENT, event));
  }

  #endOldSeries(): void {
    const before = this.#options.clock.now() - SERIES_END_MS;
    for (const [key, known] of this.#known) {
      if (known.seenMs >= before) continue;
      this.#known.delete(key);
      if (known.count > known.writtenCount) this.#enqueue(() => this.#writeSeries(known));
    }
  }

  async #writeSeries(known: Known): Promise<void> {
    const { count } = known;
    try {
      await this.#options.client.patch<Event>(
        EVENT,
        { name: known.name, namespace: known.namespace },
        'application/strategic-merge-patch+json',
        {
          series: { count, lastObservedTime: rfc3339Micro(known.seenMs) },
        },
      );
      known.writtenCount = count;
    } catch (error) {
      // Events live for an hour.
      if (!isNotFound(error)) throw error;
    }
  }

  #enqueue(send: () => Promise<unknown>): void {
    this.#sending = this.#sending.then(() => this.#deliver(send));
    background(this.#sending);
  }

  async #deliver(send: () => Promise<unknown>): Promise<void> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        await send();
        return;
      } catch (error) {
        if (!(error instanceof ApiError) && !isSysError(error)) throw error;
        this.#options.onError?.(error);
        if (error instanceof ApiError) return;
      }
      await this.#options.clock.sleep(RETRY_DELAY_MS);
    }
  }
}
