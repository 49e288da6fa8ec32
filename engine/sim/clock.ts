// Lab time. The only source of time in the engine; how fast it runs is the host's decision.

import { disposable, type Disposable } from './disposable.ts';
import { invariant } from './invariant.ts';

export interface Clock {
  /** Milliseconds since the Unix epoch, simulated. */
  now(): number;
  /** Fires once, no earlier than `delayMs` from now. Timers due at the same instant fire in the order they were set. */
  setTimer(delayMs: number, fire: () => void): Disposable;
  /** Rejects with the signal's reason when aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

interface Timer {
  dueMs: number;
  readonly order: number;
  fire: (() => void) | undefined;
}

/**
 * A clock that is moved by hand. `settle` waits until every promise chain has run to its next wait;
 * the engine knows no task queue, so the host hands it in (setImmediate in Node).
 */
export class VirtualClock implements Clock {
  readonly #settle: () => Promise<void>;
  readonly #heap: Timer[] = [];
  #nowMs: number;
  #order = 0;
  #live = 0;

  constructor(options: { readonly startMs: number; readonly settle: () => Promise<void> }) {
    this.#nowMs = options.startMs;
    this.#settle = options.settle;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Timers that are set and neither fired nor disposed. */
  get pendingTimers(): number {
    return this.#live;
  }

  get nextDueAtMs(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.dueMs;
  }

  setTimer(delayMs: number, fire: () => void): Disposable {
    invariant(!Number.isNaN(delayMs), 'a timer has a delay');
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#push(timer);
    this.#live++;
    return disposable(() => {
      if (timer.fire === undefined) return;
      timer.fire = undefined;
      this.#live--;
    });
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(asError(signal.reason));
        return;
      }
      const onAbort = (): void => {
        timer.dispose();
        reject(asError(signal?.reason));
      };
      const timer = this.setTimer(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Waits until every promise chain has run to its next wait, without moving time. */
  settle(): Promise<void> {
    return this.#settle();
  }

  /** Fires every timer due within `deltaMs`, oldest first, and lets all promise work settle after each one. */
  async advance(deltaMs: number): Promise<void> {
    const untilMs = this.#nowMs + deltaMs;
    await this.#settle();
    while (await this.step(untilMs));
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Fires the next timer if it is due by `untilMs` and settles; says whether one fired. */
  async step(untilMs: number): Promise<boolean> {
    this.#dropCancelled();
    const timer = this.#heap[0];
    if (timer === undefined || timer.dueMs > untilMs) return false;
    this.#pop();
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    const fire = timer.fire;
    timer.fire = undefined;
    this.#live--;
    fire?.();
    await this.#settle();
    return true;
  }

  /** Moves time forward without firing anything due later than now; nothing may be due in between. */
  moveTo(nowMs: number): void {
    const due = this.nextDueAtMs;
    this.#nowMs = Math.max(this.#nowMs, due === undefined ? nowMs : Math.min(nowMs, due));
  }

  /** Sets another time, as opening a saved lab does; what is still set keeps its distance. */
  reset(nowMs: number): void {
    const shiftMs = nowMs - this.#nowMs;
    this.#nowMs = nowMs;
    // Shifting every timer alike keeps their order, and so the heap.
    for (const timer of this.#heap) timer.dueMs += shiftMs;
  }

  #dropCancelled(): void {
    while (this.#heap[0] !== undefined && this.#heap[0].fire === undefined) this.#pop();
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
