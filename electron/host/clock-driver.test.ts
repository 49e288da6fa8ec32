import { expect, test } from 'vitest';
import { VirtualClock } from '#engine/sim/clock.ts';
import { ClockDriver, type WallClock } from './clock-driver.ts';

/** Wall time that passes when the test says so. */
class FakeWall implements WallClock {
  #nowMs = 0;
  #waiting: { readonly dueMs: number; readonly wake: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  rest(delayMs: number): { readonly done: Promise<void>; wake(): void } {
    let wake = (): void => undefined;
    const done = new Promise<void>((resolve) => (wake = resolve));
    this.#waiting.push({ dueMs: this.#nowMs + delayMs, wake });
    return { done, wake };
  }

  /** In steps as a computer that is awake makes them; one leap is a computer that slept. */
  async pass(durationMs: number, stepMs = 5): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    while (this.#nowMs < endMs) {
      this.#nowMs = Math.min(endMs, this.#nowMs + stepMs);
      const due = this.#waiting.filter((waiting) => waiting.dueMs <= this.#nowMs);
      this.#waiting = this.#waiting.filter((waiting) => waiting.dueMs > this.#nowMs);
      for (const { wake } of due) wake();
      await settle();
      await settle();
    }
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function drive(): { clock: VirtualClock; wall: FakeWall; driver: ClockDriver } {
  const clock = new VirtualClock({ startMs: 0, settle });
  const wall = new FakeWall();
  const driver = new ClockDriver({
    clock,
    wall,
    onFault: (error) => {
      throw error;
    },
  });
  driver.start();
  return { clock, wall, driver };
}

test('lab time runs with wall time, and its timers fire on time', async () => {
  const { clock, wall, driver } = drive();
  const fired: number[] = [];
  const tick = (): void => {
    fired.push(clock.now());
    clock.setTimer(100, tick);
  };
  clock.setTimer(100, tick);
  await wall.pass(1000);
  expect(fired).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
  expect(clock.now()).toBeGreaterThanOrEqual(990);
  await driver.stop();
});

test.each([
  [10, 10_000],
  [60, 60_000],
])('at %d times the speed a second is %d ms', async (speed, want) => {
  const { clock, wall, driver } = drive();
  driver.setSpeed(speed);
  await wall.pass(1000);
  expect(Math.abs(clock.now() - want)).toBeLessThan(want * 0.02);
  await driver.stop();
});

test('a pause lets nothing pass, and nothing is made up for afterwards', async () => {
  const { clock, wall, driver } = drive();
  await wall.pass(100);
  driver.setSpeed(0);
  const pausedMs = clock.now();
  await wall.pass(5000);
  expect(clock.now() - pausedMs).toBeLessThanOrEqual(10);
  driver.setSpeed(1);
  await wall.pass(100);
  expect(clock.now() - pausedMs).toBeLessThanOrEqual(115);
  await driver.stop();
});

test('who holds the clock stops it for everyone, until the last has released', async () => {
  const { clock, wall, driver } = drive();
  driver.hold('a');
  driver.hold('b');
  await wall.pass(500);
  driver.release('a');
  await wall.pass(500);
  expect(driver.isHeld).toBe(true);
  expect(clock.now()).toBe(0);
  driver.release('b');
  await wall.pass(500);
  expect(clock.now()).toBeGreaterThan(480);
  await driver.stop();
});

test('a computer that slept for an hour does not owe the lab an hour', async () => {
  const { clock, wall, driver } = drive();
  await wall.pass(100);
  await wall.pass(3_600_000, 3_600_000);
  await wall.pass(100);
  expect(clock.now()).toBeLessThan(300);
  await driver.stop();
});

test('a timer that is far away is not waited for in one go: input may set a nearer one', async () => {
  const { clock, wall, driver } = drive();
  clock.setTimer(60_000, () => undefined);
  await wall.pass(20);
  let firedMs = 0;
  clock.setTimer(3, () => (firedMs = clock.now()));
  driver.poke();
  await wall.pass(20);
  expect(firedMs).toBeGreaterThan(0);
  await driver.stop();
});
