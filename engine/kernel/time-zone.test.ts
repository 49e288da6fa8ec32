import { describe, expect, it } from 'vitest';
import { offsetOf } from './time-zone.ts';

describe('the distance of a zone from universal time', () => {
  it.each([
    [540, '', '+0900'],
    [540, ':', '+09:00'],
    [-210, '', '-0330'],
    [0, '', '+0000'],
  ])('%i minutes with "%s" between is %s', (minutes, separator, want) => {
    expect(offsetOf(minutes, separator)).toBe(want);
  });
});
