import { describe, expect, it } from 'vitest';
import { labelSelectorOf, matchesFields, parseFieldSelector, parseLabelSelector } from './selectors.ts';

const LABELS = { app: 'web', tier: 'front', n: '5' };

const MATCHING: readonly (readonly [string, boolean])[] = [
  ['', true],
  ['app=web', true],
  ['app==web,tier!=back', true],
  ['app in (web,db)', true],
  ['app notin (web, db)', false],
  ['nosuch notin (a)', true],
  ['app', true],
  ['!app', false],
  ['!nosuch', true],
  ['n>4,n<6', true],
  ['app in ()', false],
  ['in in (in)', false],
];

describe('label selectors', () => {
  it.each(MATCHING)('%j matches: %s', (selector, want) => {
    expect(parseLabelSelector(selector).matches(LABELS)).toBe(want);
  });
  it.each(['a=b=c', 'a in b', ',a', 'a,', 'x y', '=b'])('%j is refused', (selector) => {
    expect(() => parseLabelSelector(selector)).toThrow();
  });
  it('prints as it is parsed, keys in order', () => {
    expect(parseLabelSelector('b in (y,x),a=1,!c').toString()).toBe('a=1,b in (x,y),!c');
  });
  it('takes null for nothing and an empty one for everything', () => {
    expect(labelSelectorOf(undefined).matches(LABELS)).toBe(false);
    expect(labelSelectorOf({}).matches(LABELS)).toBe(true);
    expect(labelSelectorOf({ matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] }).matches(LABELS)).toBe(true);
  });
});

describe('field selectors', () => {
  it('compare by = and !=', () => {
    const valueOf = (field: string): string => ({ 'spec.nodeName': 'w1', 'status.phase': 'Running' })[field] ?? '';
    expect(matchesFields(parseFieldSelector('spec.nodeName=w1,status.phase!=Failed'), valueOf)).toBe(true);
    expect(matchesFields(parseFieldSelector('spec.nodeName!=w1'), valueOf)).toBe(false);
  });
});
