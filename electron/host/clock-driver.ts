// Drives lab time: wall time multiplied by a speed. Holds the clock while a screen is behind, and forgets time the computer slept.

import type { VirtualClock } from '#engine/sim/clock.ts';
import { Emitter } from '#engine/sim/event.ts';

/** Longest rest between two looks: a timer set meanwhile by a program is served at most this late. */
const LONGEST_REST_MS = 10;
/** Longest piece of work before input gets its turn; half a frame. */
const WORK_SLICE_MS = 8;
/** A lab that falls further behind than this runs slower instead of chasing. */
const GREATEST_LAG_MS = 500;
/** A gap between two looks that only a suspended computer explains. */
const SLEEP_GAP_MS = 5000;

export interface WallClock {
  nowMs(): number;
  rest(delayMs: number): { readonly done: Promise<void>; wake(): void };
}

export class ClockDriver {
  readonly onChange = new Emitter<void>();
  readonly #clock: VirtualClock;
  readonly #wall: WallClock;
  readonly #onFault: (error: unknown) => void;
  readonly #holders = new Set<string>();
  #speed = 1;
  #lastWallMs: number;
  /** Lab time that has passed on the wall and is not yet lived through. */
  #owedMs = 0;
  #isRunning = false;
  #isPaused = false;
  #resting: { wake(): void } | undefined;
  #stopped: Promise<void> = Promise.resolve();

  constructor(options: { readonly clock: VirtualClock; readonly wall?: WallClock; readonly onFault: (error: unknown) => void }) {
    this.#clock = options.clock;
    this.#wall = options.wall ?? SYSTEM_WALL;
    this.#onFault = options.onFault;
    this.#lastWallMs = this.#wall.nowMs();
  }

  get speed(): number {
    return this.#speed;
  }

  get isHeld(): boolean {
    return this.#holders.size > 0;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#lastWallMs = this.#wall.nowMs();
    this.#stopped = this.#run().catch((error: unknown) => {
      this.#isRunning = false;
      this.#onFault(error);
    });
  }

  /** Resolves when the step under way has ended. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#resting?.wake();
    await this.#stopped;
  }

  setSpeed(speed: number): void {
    if (speed === this.#speed) return;
    this.#collect();
    this.#speed = speed;
    if (speed === 0) this.#owedMs = 0;
    this.#resting?.wake();
    this.onChange.emit();
  }

  /** Stops time until everyone who holds has released. */
  hold(holder: string): void {
    if (this.#holders.has(holder)) return;
    this.#collect();
    this.#holders.add(holder);
    if (this.#holders.size === 1) this.onChange.emit();
  }

  release(holder: string): void {
    this.#collect();
    if (!this.#holders.delete(holder) || this.#holders.size > 0) return;
    this.#resting?.wake();
    this.onChange.emit();
  }

  /** Runs `change` while no timer fires: for a restore, which replaces what the timers belong to. */
  async whileStopped<T>(change: () => Promise<T> | T): Promise<T> {
    await this.stop();
    try {
      return await change();
    } finally {
      this.#owedMs = 0;
      this.start();
    }
  }

  /** Something came in from outside: brings lab time up to now and looks for timers at once. */
  poke(): void {
    if (!this.#isPaused) return;
    this.#collect();
    this.#moveFreely();
    this.#resting?.wake();
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      this.#collect();
      const endMs = this.#wall.nowMs() + WORK_SLICE_MS;
      while (this.#isRunning && !this.isHeld && this.#owedMs > 0) {
        const before = this.#clock.now();
        const fired = await this.#clock.step(before + this.#owedMs);
        this.#owedMs = Math.max(0, this.#owedMs - (this.#clock.now() - before));
        if (!fired) this.#moveFreely();
        if (!fired || this.#wall.nowMs() > endMs) break;
      }
      const rest = this.#wall.rest(this.#restMs());
      this.#resting = rest;
      this.#isPaused = true;
      await rest.done;
      this.#isPaused = false;
      this.#resting = undefined;
    }
  }

  /** Lives through the owed time up to the next timer, without firing it. */
  #moveFreely(): void {
    if (this.isHeld || this.#owedMs <= 0) return;
    const before = this.#clock.now();
    this.#clock.moveTo(before + this.#owedMs);
    this.#owedMs = Math.max(0, this.#owedMs - (this.#clock.now() - before));
  }

  #collect(): void {
    const nowMs = this.#wall.nowMs();
    const passedMs = nowMs - this.#lastWallMs;
    this.#lastWallMs = nowMs;
    if (passedMs <= 0 || passedMs > SLEEP_GAP_MS || this.isHeld) return;
    this.#owedMs = Math.min(this.#owedMs + passedMs * this.#speed, GREATEST_LAG_MS * Math.max(1, this.#speed));
  }

  #restMs(): number {
    if (this.#speed === 0 || this.isHeld) return LONGEST_REST_MS;
    const dueMs = this.#clock.nextDueAtMs;
    if (dueMs === undefined) return LONGEST_REST_MS;
    return Math.min(LONGEST_REST_MS, Math.max(0, (dueMs - this.#clock.now() - this.#owedMs) / this.#speed));
  }
}

const SYSTEM_WALL: WallClock = {
  nowMs: () => performance.now(),
  rest(delayMs) {
    let wake = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      if (delayMs < 1) {
        setImmediate(resolve);
        return;
      }
      const timer = setTimeout(resolve, delayMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return { done, wake };
  },
};
