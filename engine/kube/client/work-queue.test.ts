import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { RateLimitingQueue } from './work-queue.ts';

const makeClock = (): VirtualClock => new VirtualClock({ startMs: 0, settle: () => setImmediate() });

describe('RateLimitingQueue', () => {
  it('hands out a key once, and again only when it came back while being worked on', async () => {
    const queue = new RateLimitingQueue(makeClock());
    queue.add('a');
    queue.add('a');
    expect(await queue.take()).toBe('a');
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect(queue.length).toBe(1);
  });
  it('doubles the delay of a failing key until it is forgotten', async () => {
    const clock = makeClock();
    const queue = new RateLimitingQueue(clock);
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) {
      queue.addRateLimited('a');
      const taken = queue.take();
      const before = clock.now();
      while (queue.retries('a') > 0 && clock.now() - before < 100) {
        if ((await Promise.race([taken, Promise.resolve('')])) === 'a') break;
        await clock.advance(1);
      }
      seen.push(clock.now() - before);
      queue.done('a');
    }
    expect(seen).toEqual([5, 10, 20]);
    queue.forget('a');
    expect(queue.retries('a')).toBe(0);
  });
  it('ends its takers at shutdown', async () => {
    const queue = new RateLimitingQueue(makeClock());
    const taken = queue.take();
    queue.shutDown();
    expect(await taken).toBeUndefined();
  });
});
