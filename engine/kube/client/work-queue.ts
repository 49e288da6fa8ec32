// Models client-go's work queue with delays and rate limits: dirty, processing and queued keys.

import type { Clock } from '../../sim/clock.ts';
import type { Disposable } from '../../sim/disposable.ts';
import type { WorkQueue } from './contracts.ts';

const FIRST_DELAY_MS = 5;
const LAST_DELAY_MS = 1000_000;
const OVERALL_PER_SECOND = 10;
const OVERALL_BURST = 100;

export class RateLimitingQueue implements WorkQueue {
  readonly #clock: Clock;
  /** Keys that need work, whether queued or still being worked on. */
  readonly #dirty = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #order: string[] = [];
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Map<string, { readonly atMs: number; readonly timer: Disposable }>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #firstDelayMs: number;
  readonly #lastDelayMs: number;
  #tokens = OVERALL_BURST;
  #tokensAtMs: number;
  #isShutDown = false;

  constructor(clock: Clock, options: { readonly firstDelayMs?: number; readonly lastDelayMs?: number } = {}) {
    this.#clock = clock;
    this.#firstDelayMs = options.firstDelayMs ?? FIRST_DELAY_MS;
    this.#lastDelayMs = options.lastDelayMs ?? LAST_DELAY_MS;
    this.#tokensAtMs = clock.now();
  }

  get length(): number {
    return this.#order.length;
  }

  add(key: string): void {
    if (this.#isShutDown || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (this.#processing.has(key)) return;
    this.#offer(key);
  }

  addAfter(key: string, delayMs: number): void {
    if (this.#isShutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.now() + delayMs;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined) {
      if (waiting.atMs <= atMs) return;
      waiting.timer.dispose();
    }
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { atMs, timer });
  }

  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const own = Math.min(this.#firstDelayMs * 2 ** failures, this.#lastDelayMs);
    this.addAfter(key, Math.max(own, this.#reserve()));
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  retries(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  take(): Promise<string | undefined> {
    const key = this.#order.shift();
    if (key !== undefined) {
      this.#begin(key);
      return Promise.resolve(key);
    }
    if (this.#isShutDown) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: string): void {
    this.#processing.delete(key);
    if (this.#dirty.has(key)) this.#offer(key);
  }

  shutDown(): void {
    this.#isShutDown = true;
    for (const { timer } of this.#delayed.values()) timer.dispose();
    this.#delayed.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #offer(key: string): void {
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#order.push(key);
      return;
    }
    this.#begin(key);
    taker(key);
  }

  #begin(key: string): void {
    this.#processing.add(key);
    this.#dirty.delete(key);
  }

  /** Delay of the overall token bucket, in which every caller takes a token, be it one of the future. */
  #reserve(): number {
    const now = this.#clock.now();
    this.#tokens = Math.min(OVERALL_BURST, this.#tokens + ((now - this.#tokensAtMs) / 1000) * OVERALL_PER_SECOND);
    this.#tokensAtMs = now;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / OVERALL_PER_SECOND) * 1000;
  }
}
