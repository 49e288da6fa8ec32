// Models the scheduling queue: pods to try now, pods that back off, and pods that wait for the cluster to change.

import type { Clock } from '../../sim/clock.ts';
import type { Disposable } from '../../sim/disposable.ts';
import type { Pod } from '../machinery/types.ts';
import { keyOf } from '../machinery/resources.ts';

const FIRST_BACKOFF_MS = 1_000;
const LAST_BACKOFF_MS = 10_000;
/** Unschedulable pods are tried again after this long even if nothing happened; looked at every 30 s. */
const STALE_MS = 60_000;
const FLUSH_PERIOD_MS = 30_000;

interface Entry {
  readonly key: string;
  priority: number;
  /** When it came into the queue it is in: the order among equals. */
  atMs: number;
  order: number;
  attempts: number;
  state: 'active' | 'backoff' | 'unschedulable' | 'taken';
  timer: Disposable | undefined;
}

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #order = 0;
  #wake: (() => void) | undefined;
  /** Counts calls of moveAll: a pod that was being tried meanwhile must not sleep through the change. */
  #moves = 0;
  #flush: Disposable | undefined;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A pod that is new or has changed. */
  add(pod: Pod): void {
    const entry = this.#entries.get(keyOf(pod)) ?? this.#create(keyOf(pod));
    entry.priority = pod.spec?.priority ?? 0;
    if (entry.state !== 'taken') this.#activate(entry);
  }

  /** An update that may make an unschedulable pod schedulable; a pod that backs off stays where it is. */
  update(pod: Pod): void {
    const entry = this.#entries.get(keyOf(pod));
    if (entry === undefined) this.add(pod);
    else if (entry.state === 'unschedulable') this.#release(entry);
  }

  delete(pod: Pod): void {
    const entry = this.#entries.get(keyOf(pod));
    entry?.timer?.dispose();
    this.#entries.delete(keyOf(pod));
  }

  /** The next pod's key by priority, then by age; undefined after `close`. */
  async take(): Promise<{ readonly key: string; readonly moves: number } | undefined> {
    for (;;) {
      if (this.#isClosed) return undefined;
      const next = [...this.#entries.values()]
        .filter((entry) => entry.state === 'active')
        .sort((a, b) => b.priority - a.priority || a.atMs - b.atMs || a.order - b.order)[0];
      if (next !== undefined) {
        next.state = 'taken';
        next.attempts++;
        return { key: next.key, moves: this.#moves };
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** It found no node. `moves` is what `take` said. */
  unschedulable(key: string, moves: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.atMs = this.#clock.now();
    if (moves !== this.#moves) this.#backOff(entry);
    else {
      entry.state = 'unschedulable';
      this.#startFlush();
    }
  }

  /** It has its node. */
  done(key: string): void {
    this.#entries.delete(key);
  }

  /** Something changed that could help any of them. */
  moveAll(): void {
    this.#moves++;
    for (const entry of this.#entries.values()) if (entry.state === 'unschedulable') this.#release(entry);
  }

  close(): void {
    this.#isClosed = true;
    this.#flush?.dispose();
    for (const entry of this.#entries.values()) entry.timer?.dispose();
    this.#wake?.();
  }

  #create(key: string): Entry {
    const entry: Entry = { key, priority: 0, atMs: 0, order: 0, attempts: 0, state: 'active', timer: undefined };
    this.#entries.set(key, entry);
    return entry;
  }

  #activate(entry: Entry): void {
    entry.timer?.dispose();
    entry.state = 'active';
    entry.atMs = this.#clock.now();
    entry.order = this.#order++;
    this.#wake?.();
  }

  #release(entry: Entry): void {
    if (this.#clock.now() >= this.#backoffEndMs(entry)) this.#activate(entry);
    else this.#backOff(entry);
  }

  #backOff(entry: Entry): void {
    entry.state = 'backoff';
    entry.timer?.dispose();
    entry.timer = this.#clock.setTimer(this.#backoffEndMs(entry) - this.#clock.now(), () => this.#activate(entry));
  }

  #backoffEndMs(entry: Entry): number {
    return entry.atMs + Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.max(0, entry.attempts - 1));
  }

  #startFlush(): void {
    if (this.#flush !== undefined || this.#isClosed) return;
    this.#flush = this.#clock.setTimer(FLUSH_PERIOD_MS, () => {
      this.#flush = undefined;
      let isWaiting = false;
      for (const entry of this.#entries.values()) {
        if (entry.state !== 'unschedulable') continue;
        if (this.#clock.now() - entry.atMs > STALE_MS) this.#release(entry);
        else isWaiting = true;
      }
      if (isWaiting) this.#startFlush();
    });
  }
}
