// Models client-go's controller expectations: how many of its own creations and deletions a controller has yet to see.
// The cache may lag behind; acting on it before they are seen would create or delete the same pods twice.

import type { Clock } from '../../sim/clock.ts';

/** After this long unmet expectations are taken for lost events (ExpectationsTimeout). */
const TIMEOUT_MS = 5 * 60_000;

interface Expected {
  creations: number;
  deletions: Set<string>;
  sinceMs: number;
}

export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  met(key: string): boolean {
    const expected = this.#expected.get(key);
    if (expected === undefined) return true;
    if (expected.creations <= 0 && expected.deletions.size === 0) return true;
    return this.#clock.now() - expected.sinceMs > TIMEOUT_MS;
  }

  expectCreations(key: string, count: number): void {
    this.#expected.set(key, { creations: count, deletions: new Set(), sinceMs: this.#clock.now() });
  }

  expectDeletions(key: string, podKeys: readonly string[]): void {
    this.#expected.set(key, { creations: 0, deletions: new Set(podKeys), sinceMs: this.#clock.now() });
  }

  expect(key: string, creations: number, podKeys: readonly string[]): void {
    this.#expected.set(key, { creations, deletions: new Set(podKeys), sinceMs: this.#clock.now() });
  }

  observedCreation(key: string): void {
    const expected = this.#expected.get(key);
    if (expected !== undefined) expected.creations--;
  }

  observedDeletion(key: string, podKey: string): void {
    this.#expected.get(key)?.deletions.delete(podKey);
  }

  forget(key: string): void {
    this.#expected.delete(key);
  }
}
