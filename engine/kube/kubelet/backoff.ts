// Models client-go's flowcontrol.Backoff, as the kubelet uses it for crashing containers and failing pulls.

import type { Clock } from '../../sim/clock.ts';

export const FIRST_BACKOFF_MS = 10_000;
export const LAST_BACKOFF_MS = 300_000;

interface Entry {
  delayMs: number;
  updatedMs: number;
}

export class Backoff {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  delayOf(key: string): number {
    return this.#entries.get(key)?.delayMs ?? 0;
  }

  /** Counts a failure: 10 s at first, doubled up to 5 min; forgotten when nothing failed for 10 min. */
  next(key: string, eventMs: number): void {
    const entry = this.#entries.get(key);
    const nowMs = this.#clock.now();
    if (entry === undefined || isExpired(entry, eventMs)) this.#entries.set(key, { delayMs: FIRST_BACKOFF_MS, updatedMs: nowMs });
    else this.#entries.set(key, { delayMs: Math.min(entry.delayMs * 2, LAST_BACKOFF_MS), updatedMs: nowMs });
  }

  /** Whether what ended at `eventMs` has to wait still. */
  isWaitingSince(key: string, eventMs: number): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined || isExpired(entry, eventMs)) return false;
    return this.#clock.now() - eventMs < entry.delayMs;
  }

  /** The same, counted from the last failure. */
  isWaiting(key: string): boolean {
    const entry = this.#entries.get(key);
    const nowMs = this.#clock.now();
    if (entry === undefined || isExpired(entry, nowMs)) return false;
    return nowMs - entry.updatedMs < entry.delayMs;
  }

  /** Drops entries of objects that are gone: nobody asks for them for ten minutes. */
  collect(): void {
    for (const [key, entry] of this.#entries) if (isExpired(entry, this.#clock.now())) this.#entries.delete(key);
  }
}

function isExpired(entry: Entry, eventMs: number): boolean {
  return eventMs - entry.updatedMs > 2 * LAST_BACKOFF_MS;
}

/** `10s`, `1m20s`, `5m0s`: Go's time.Duration. */
export function goDuration(ms: number): string {
  const seconds = ms / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${Number((seconds % 60).toFixed(9))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
