import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelSelectorOf, parseLabelSelector, type Labels } from './selectors.ts';

// The same cases every time.
fc.configureGlobal({ seed: 1 });

const KEY = fc.constantFrom('app', 'tier', 'example.com/n', 'in');
const VALUE: fc.Arbitrary<string> = fc.constantFrom('', 'web', 'db', '5', '17');
const LABELS: fc.Arbitrary<Labels> = fc.dictionary(KEY, VALUE, { noNullPrototype: true });

interface Rule {
  readonly text: string;
  readonly matches: (labels: Labels) => boolean;
}

const RULE: fc.Arbitrary<Rule> = fc
  .tuple(
    KEY,
    fc.uniqueArray(VALUE, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('=', '==', '!=', 'in', 'notin', 'exists', '!', '>', '<'),
  )
  .map(([key, values, operator]) => {
    const [first = ''] = values;
    const has = (labels: Labels): boolean => Object.hasOwn(labels, key);
    switch (operator) {
      case '=':
      case '==':
        return { text: `${key}${operator}${first}`, matches: (labels) => has(labels) && labels[key] === first };
      case '!=':
        return { text: `${key}!=${first}`, matches: (labels) => !has(labels) || labels[key] !== first };
      case 'in':
        return { text: `${key} in (${values.join(',')})`, matches: (labels) => has(labels) && values.includes(labels[key]!) };
      case 'notin':
        return { text: `${key} notin (${values.join(', ')})`, matches: (labels) => !has(labels) || !values.includes(labels[key]!) };
      case 'exists':
        return { text: key, matches: has };
      case '!':
        return { text: `!${key}`, matches: (labels) => !has(labels) };
      default: {
        const number = (text: string): number => (/^\d+$/.test(text) ? Number(text) : NaN);
        return {
          text: `${key}${operator}10`,
          matches: (labels) => has(labels) && (operator === '>' ? number(labels[key]!) > 10 : number(labels[key]!) < 10),
        };
      }
    }
  });

describe('label selectors against brute force', () => {
  it('match what every one of their requirements matches', () => {
    fc.assert(
      fc.property(fc.array(RULE, { minLength: 1, maxLength: 3 }), LABELS, (rules, labels) => {
        const text = rules.map((rule) => rule.text).join(',');
        const want = rules.every((rule) => rule.matches(labels));
        const selector = parseLabelSelector(text);
        expect(selector.matches(labels), text).toBe(want);
        // What they print says the same.
        expect(parseLabelSelector(selector.toString()).matches(labels), selector.toString()).toBe(want);
      }),
      { numRuns: 500 },
    );
  });

  it('of objects match as their expressions say', () => {
    const expression = fc.record({
      key: KEY,
      operator: fc.constantFrom('In' as const, 'NotIn' as const, 'Exists' as const, 'DoesNotExist' as const),
      values: fc.uniqueArray(VALUE, { minLength: 1, maxLength: 2 }),
    });
    fc.assert(
      fc.property(LABELS, fc.array(expression, { maxLength: 3 }), LABELS, (matchLabels, expressions, labels) => {
        const matchExpressions = expressions.map(({ values, ...rest }) => ({
          ...rest,
          ...(rest.operator.endsWith('In') ? { values } : {}),
        }));
        const want =
          Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
          expressions.every(({ key, operator, values }) => {
            const has = Object.hasOwn(labels, key);
            if (operator === 'Exists') return has;
            if (operator === 'DoesNotExist') return !has;
            return operator === 'In' ? has && values.includes(labels[key]!) : !has || !values.includes(labels[key]!);
          });
        expect(labelSelectorOf({ matchLabels, matchExpressions }).matches(labels)).toBe(want);
      }),
      { numRuns: 500 },
    );
  });
});
