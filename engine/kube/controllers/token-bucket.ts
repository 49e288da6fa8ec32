// A token bucket on lab time (client-go's flowcontrol).

import type { Clock } from '../../sim/clock.ts';

export class TokenBucket {
  readonly #clock: Clock;
  readonly #burst: number;
  #perSecond: number;
  #tokens: number;
  #atMs: number;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#atMs = clock.now();
  }

  take(): boolean {
    this.#refill();
    if (this.#perSecond <= 0 || this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** A rate of 0 lets nothing through; a bucket that starts again starts as full as it was. */
  setRate(perSecond: number): void {
    this.#refill();
    this.#perSecond = perSecond;
  }

  /** Milliseconds until `take` can succeed; undefined when it never will at this rate. */
  nextInMs(): number | undefined {
    this.#refill();
    if (this.#perSecond <= 0) return undefined;
    return Math.max(0, Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000));
  }

  #refill(): void {
    const nowMs = this.#clock.now();
    if (this.#perSecond > 0) this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * this.#perSecond);
    this.#atMs = nowMs;
  }
}
