import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { Backoff, goDuration } from './backoff.ts';

describe('back-off', () => {
  it('doubles from ten seconds to five minutes and is forgotten after ten minutes of peace', () => {
    const clock = new VirtualClock({ startMs: 1_000_000, settle: () => Promise.resolve() });
    const backoff = new Backoff(clock);
    const delays: number[] = [];
    for (let i = 0; i < 7; i++) {
      backoff.next('c', clock.now());
      delays.push(backoff.delayOf('c') / 1000);
      clock.moveTo(clock.now() + backoff.delayOf('c'));
    }
    expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300]);
    clock.moveTo(clock.now() + 600_001);
    backoff.next('c', clock.now());
    expect(backoff.delayOf('c')).toBe(10_000);
  });

  it('waits from the end of the container, not from the last look at it', () => {
    const clock = new VirtualClock({ startMs: 1_000_000, settle: () => Promise.resolve() });
    const backoff = new Backoff(clock);
    backoff.next('c', clock.now());
    expect(backoff.isWaitingSince('c', clock.now())).toBe(true);
    clock.moveTo(clock.now() + 9_999);
    expect(backoff.isWaitingSince('c', 1_000_000)).toBe(true);
    clock.moveTo(clock.now() + 1);
    expect(backoff.isWaitingSince('c', 1_000_000)).toBe(false);
  });

  it.each([
    [10_000, '10s'],
    [80_000, '1m20s'],
    [300_000, '5m0s'],
    [3_600_000, '1h0m0s'],
    [2160.726, '2.160726s'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(goDuration(ms)).toBe(text);
  });
});
