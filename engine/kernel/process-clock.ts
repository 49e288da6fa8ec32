// The clock as one process holds it: its timers end with it.

import type { Clock } from '../sim/clock.ts';
import type { Disposable } from '../sim/disposable.ts';
import type { ProcessCalls } from './process-calls.ts';

export class ProcessClock implements Clock {
  readonly #calls: ProcessCalls;
  readonly #clock: Clock;

  constructor(calls: ProcessCalls, clock: Clock) {
    this.#calls = calls;
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimer(delayMs: number, fire: () => void): Disposable {
    if (this.#calls.isGone) return { dispose: () => undefined };
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#calls.disown(timer);
      fire();
    });
    this.#calls.own(timer);
    return {
      dispose: () => {
        this.#calls.disown(timer);
        timer.dispose();
      },
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.#calls.sleep(delayMs, signal);
  }
}
