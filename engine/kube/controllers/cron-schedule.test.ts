import { describe, expect, test } from 'vitest';
import { nextTime, parseSchedule } from './cron-schedule.ts';

const AFTER = Date.parse('2026-01-01T00:00:30Z');

describe('the next time of a schedule after New Year 2026, 00:00:30', () => {
  test.each([
    ['*/1 * * * *', '2026-01-01T00:01:00.000Z'],
    ['*/15 * * * *', '2026-01-01T00:15:00.000Z'],
    ['30 2 * * *', '2026-01-01T02:30:00.000Z'],
    ['0 9-17 * * mon-fri', '2026-01-01T09:00:00.000Z'],
    ['0 0 13 * fri', '2026-01-02T00:00:00.000Z'],
    ['@hourly', '2026-01-01T01:00:00.000Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00.000Z'],
  ])('%s is %s', (schedule, time) => {
    expect(new Date(nextTime(parseSchedule(schedule)!, AFTER)!).toISOString()).toBe(time);
  });

  test.each(['', '* * * *', '60 * * * *', '* * * * mom', '5-1 * * * *'])('%j is no schedule', (schedule) => {
    expect(parseSchedule(schedule)).toBeUndefined();
  });
});
