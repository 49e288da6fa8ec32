import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareElements,
  difference,
  equalSets,
  hasPath,
  intersection,
  isEmptySet,
  LEAF,
  parseSet,
  pathsOf,
  recursiveDifference,
  setOfPath,
  sortedSet,
  union,
  type FieldSet,
} from './field-set.ts';

// The same cases every time.
fc.configureGlobal({ seed: 1 });

type Path = readonly string[];

const PATH = fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1'), { minLength: 1, maxLength: 3 });
const PATHS = fc.array(PATH, { maxLength: 8 });

const setOf = (paths: readonly Path[]): FieldSet => paths.map(setOfPath).reduce(union, LEAF);
const text = (path: Path): string => path.join(' / ');
const texts = (set: FieldSet): string[] => [...pathsOf(set)].map(text).sort();
const unique = (paths: Iterable<string>): string[] => [...new Set(paths)].sort();
const isBelow = (path: Path, other: Path): boolean =>
  other.length <= path.length && other.every((element, index) => path[index] === element);

describe('sets of fields against sets of paths', () => {
  const cases: readonly (readonly [
    string,
    (a: FieldSet, b: FieldSet) => FieldSet,
    (a: readonly Path[], b: readonly Path[]) => string[],
  ])[] = [
    ['union', union, (a, b) => unique([...a, ...b].map(text))],
    ['intersection', intersection, (a, b) => unique(a.map(text).filter((path) => b.map(text).includes(path)))],
    ['difference', difference, (a, b) => unique(a.map(text).filter((path) => !b.map(text).includes(path)))],
    ['recursive difference', recursiveDifference, (a, b) => unique(a.filter((path) => !b.some((other) => isBelow(path, other))).map(text))],
  ];
  it.each(cases)('%s', (_name, operation, expected) => {
    fc.assert(
      fc.property(PATHS, PATHS, (a, b) => {
        const result = operation(setOf(a), setOf(b));
        expect(texts(result)).toEqual(expected(a, b));
        expect(isEmptySet(result)).toBe(expected(a, b).length === 0);
      }),
    );
  });

  it('are the same after writing and reading', () => {
    fc.assert(
      fc.property(PATHS, (paths) => {
        const set = setOf(paths);
        const read = parseSet(JSON.parse(JSON.stringify(sortedSet(set))))!;
        expect(equalSets(read, set)).toBe(true);
        for (const path of paths) expect(hasPath(read, path)).toBe(true);
      }),
    );
  });

  it('leave their arguments alone', () => {
    fc.assert(
      fc.property(PATHS, PATHS, (a, b) => {
        const [left, right] = [setOf(a), setOf(b)];
        const before = JSON.stringify([left, right]);
        for (const operation of [union, intersection, difference, recursiveDifference]) operation(left, right);
        expect(JSON.stringify([left, right])).toBe(before);
      }),
    );
  });

  it('write fields by name and list elements by the values of their keys', () => {
    const elements = ['k:{"port":443}', 'f:b', 'k:{"port":80}', '.', 'f:a', 'v:10', 'v:9', 'v:"a"'];
    expect([...elements].sort(compareElements)).toEqual(['.', 'f:a', 'f:b', 'k:{"port":80}', 'k:{"port":443}', 'v:9', 'v:10', 'v:"a"']);
  });
});
