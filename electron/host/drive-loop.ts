// Moves virtual time for those who wait for something: commands that run, and requests to let time pass.
// Time jumps from timer to timer as long as anybody waits, and stands still otherwise.

import type { VirtualClock } from '#engine/sim/clock.ts';

export class DriveLoop {
  readonly #clock: VirtualClock;
  readonly #commands = new Set<symbol>();
  #isRunning = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Lets time jump until `work` settles. */
  async during<T>(work: Promise<T>): Promise<T> {
    const command = Symbol('command');
    this.#commands.add(command);
    const settled = work.finally(() => this.#commands.delete(command));
    this.#run();
    return settled;
  }

  /** Lets `durationMs` of lab time pass. */
  async advance(durationMs: number): Promise<void> {
    await this.during(this.#clock.sleep(durationMs));
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    try {
      await this.#clock.settle();
      while (this.#commands.size > 0) {
        if (!(await this.#clock.step(Number.MAX_SAFE_INTEGER))) {
          // No timer is set: only somebody outside can make things go on.
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
    } finally {
      // In the same turn as the last look at the commands: one that comes a moment later starts the loop again.
      this.#isRunning = false;
    }
  }
}
