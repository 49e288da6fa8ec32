import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quantity } from './quantity.ts';

// The same cases every time.
fc.configureGlobal({ seed: 1 });

const SUFFIXES: readonly (readonly [string, bigint, bigint])[] = [
  ['n', 1n, 1_000_000_000n],
  ['u', 1n, 1_000_000n],
  ['m', 1n, 1000n],
  ['', 1n, 1n],
  ['k', 1000n, 1n],
  ['M', 1_000_000n, 1n],
  ['Ki', 1024n, 1n],
  ['Mi', 1024n ** 2n, 1n],
  ['Gi', 1024n ** 3n, 1n],
  ['e3', 1000n, 1n],
];

interface Amount {
  readonly text: string;
  /** In units of 1e-9, as a fraction. */
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const AMOUNT: fc.Arbitrary<Amount> = fc
  .tuple(fc.integer({ min: 0, max: 99_999 }), fc.integer({ min: 0, max: 3 }), fc.constantFrom(...SUFFIXES), fc.boolean())
  .map(([digits, places, [suffix, up, down], isNegative]) => {
    const shown = digits.toString().padStart(places + 1, '0');
    const text = `${isNegative ? '-' : ''}${places === 0 ? shown : `${shown.slice(0, -places)}.${shown.slice(-places)}`}${suffix}`;
    return { text, numerator: BigInt(isNegative ? -digits : digits) * up * 1_000_000_000n, denominator: down * 10n ** BigInt(places) };
  });

/** Away from zero. */
function rounded({ numerator, denominator }: Amount): bigint {
  const size = numerator < 0n ? -numerator : numerator;
  const up = (size + denominator - 1n) / denominator;
  return numerator < 0n ? -up : up;
}

describe('quantities against rationals', () => {
  it('are read exactly, finer than a thousand-millionth rounded away from zero', () => {
    fc.assert(
      fc.property(AMOUNT, (amount) => {
        expect(Quantity.parse(amount.text).nanos).toBe(rounded(amount));
      }),
    );
  });
  it('add, subtract and compare as the numbers do', () => {
    fc.assert(
      fc.property(AMOUNT, AMOUNT, (a, b) => {
        const [left, right] = [Quantity.parse(a.text), Quantity.parse(b.text)];
        expect(left.add(right).nanos).toBe(rounded(a) + rounded(b));
        expect(left.subtract(right).nanos).toBe(rounded(a) - rounded(b));
        expect(left.compare(right)).toBe(rounded(a) < rounded(b) ? -1 : rounded(a) > rounded(b) ? 1 : 0);
      }),
    );
  });
  it('have one canonical form for one amount and suffix family, which reads back as the same', () => {
    fc.assert(
      fc.property(AMOUNT, (amount) => {
        const quantity = Quantity.parse(amount.text);
        const again = Quantity.parse(quantity.toString());
        expect(again.nanos).toBe(quantity.nanos);
        expect(again.toString()).toBe(quantity.toString());
        // No fraction, and the largest suffix that does without one.
        expect(quantity.toString()).toMatch(/^-?\d+(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e-?\d+)?$/);
        if (quantity.format === 'DecimalSI' && !quantity.isZero) expect(quantity.toString()).not.toMatch(/000[numkMGTP]?$/);
      }),
    );
  });
  it('round whole numbers and thousandths up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (nanos) => {
        const quantity = Quantity.parse(`${nanos}n`);
        expect(quantity.milli).toBe(Math.ceil(nanos / 1_000_000));
        expect(quantity.value).toBe(Math.ceil(nanos / 1_000_000_000));
      }),
    );
  });
});
