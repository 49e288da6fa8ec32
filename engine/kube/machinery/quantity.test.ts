import { describe, expect, it } from 'vitest';
import { Quantity } from './quantity.ts';

const CANONICAL: readonly (readonly [string, string])[] = [
  ['0', '0'],
  ['0.5', '500m'],
  ['1', '1'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['0.0001', '100u'],
  ['1024Mi', '1Gi'],
  ['1000Mi', '1000Mi'],
  ['1.5Gi', '1536Mi'],
  ['100', '100'],
  ['1000', '1k'],
  ['1023Ki', '1023Ki'],
  ['0.5Ki', '512'],
  ['1e3', '1e3'],
  ['12e6', '12e6'],
  ['64M', '64M'],
  ['2000k', '2M'],
  ['-250m', '-250m'],
  ['1882148Ki', '1882148Ki'],
];

describe('Quantity', () => {
  it.each(CANONICAL)('writes %s as %s', (given, want) => {
    expect(Quantity.parse(given).toString()).toBe(want);
  });
  it.each(['', 'x', '1.1.1', '1mi', 'Mi', '1 G'])('refuses %j', (given) => {
    expect(() => Quantity.parse(given)).toThrow(/quantit/);
  });
  it('adds and compares across formats', () => {
    expect(Quantity.parse('1Gi').add(Quantity.parse('512Mi')).toString()).toBe('1536Mi');
    expect(Quantity.parse('100m').add(Quantity.parse('0.9')).toString()).toBe('1');
    expect(Quantity.parse('1Gi').compare(Quantity.parse('1G'))).toBe(1);
  });
});
