import { describe, expect, test } from 'vitest';
import { humanAge } from './age.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('the AGE column', () => {
  test.each([
    ['a clock that runs behind by more than a second', -2 * SECOND, '<invalid>'],
    ['a new object', 0, '0s'],
    ['119 seconds', 119 * SECOND, '119s'],
    ['two minutes', 2 * MINUTE, '2m'],
    ['minutes and seconds below ten minutes', 2 * MINUTE + 5 * SECOND, '2m5s'],
    ['minutes alone above', 10 * MINUTE + 5 * SECOND, '10m'],
    ['179 minutes', 179 * MINUTE, '179m'],
    ['three hours', 3 * HOUR, '3h'],
    ['hours and minutes below eight', 3 * HOUR + 4 * MINUTE, '3h4m'],
    ['47 hours', 47 * HOUR, '47h'],
    ['days and hours below eight days', 2 * DAY + 3 * HOUR, '2d3h'],
    ['days', 100 * DAY, '100d'],
    ['years and days', 800 * DAY, '2y70d'],
  ])('%s', (_, ageMs, want) => {
    expect(humanAge(1_000_000, 1_000_000 + ageMs)).toBe(want);
  });
});
