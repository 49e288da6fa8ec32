import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeepEqual, isRecord } from './deep.ts';
import { applyJsonPatch, applyMergePatch, type JsonPatchOperation } from './json-patch.ts';
import { normalize } from './schema/codec.ts';
import { objectOf } from './schema/random-object.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';

// The same cases every time.
fc.configureGlobal({ seed: 1 });

type Json = Record<string, unknown>;

const KEY = fc.constantFrom('a', 'b', 'c', 'x/y', 'm~n', '');
const { value: VALUE } = fc.letrec<{ value: unknown; list: unknown[]; map: Json }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, fc.integer(), fc.boolean(), fc.constantFrom('p', 'q', ''), tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  map: fc.dictionary(KEY, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}));
const MAP = fc.dictionary(KEY, VALUE, { maxKeys: 4, noNullPrototype: true });

/** The merge patch that makes `after` of `before`. */
function mergeDiff(before: Json, after: Json): Json {
  const out: Json = {};
  for (const key of Object.keys(before)) if (!(key in after)) out[key] = null;
  for (const [key, value] of Object.entries(after)) {
    if (isDeepEqual(before[key], value)) continue;
    const old = before[key];
    out[key] = isRecord(value) && isRecord(old) ? mergeDiff(old, value) : value;
  }
  return out;
}

/** A JSON patch that makes `after` of `before`, by way of every kind of operation. */
function jsonDiff(before: unknown, after: unknown, path = ''): JsonPatchOperation[] {
  if (isDeepEqual(before, after)) return [{ op: 'test', path, value: after }];
  if (Array.isArray(before) && Array.isArray(after)) {
    const common = before.findIndex((value, index) => !isDeepEqual(value, after[index]));
    const keep = common < 0 ? Math.min(before.length, after.length) : common;
    return [
      ...before.slice(keep).map(() => ({ op: 'remove', path: `${path}/${keep}` })),
      ...after.slice(keep).map((value: unknown) => ({ op: 'add', path: `${path}/-`, value })),
    ];
  }
  if (!isRecord(before) || !isRecord(after)) return [{ op: 'replace', path, value: after }];
  const pointer = (key: string): string => `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return [
    ...Object.keys(before).flatMap((key) =>
      key in after ? jsonDiff(before[key], after[key], pointer(key)) : [{ op: 'remove', path: pointer(key) }],
    ),
    ...Object.keys(after).flatMap((key) => (key in before ? [] : [{ op: 'add', path: pointer(key), value: after[key] }])),
  ];
}

const withoutRootTest = (operations: readonly JsonPatchOperation[]): JsonPatchOperation[] => operations.filter(({ path }) => path !== '');

describe('JSON merge patch', () => {
  it('makes the object that the difference was made for', () => {
    fc.assert(
      fc.property(MAP, MAP, (before, after) => {
        expect(applyMergePatch(before, mergeDiff(before, after))).toEqual(after);
      }),
    );
  });
  it('changes nothing when applied twice', () => {
    fc.assert(
      fc.property(MAP, MAP, MAP, (target, one, two) => {
        const patch = mergeDiff(one, two);
        const once = applyMergePatch(target, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });
  it('is the patch itself on what is no object', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.array(VALUE)), MAP, (target, patch) => {
        expect(applyMergePatch(target, patch)).toEqual(patch);
      }),
    );
  });
  it('leaves its arguments alone', () => {
    fc.assert(
      fc.property(MAP, MAP, (before, after) => {
        const [target, patch] = [structuredClone(before), mergeDiff(before, after)];
        const copy = structuredClone(patch);
        applyMergePatch(before, patch);
        expect([before, patch]).toEqual([target, copy]);
      }),
    );
  });
});

describe('JSON patch', () => {
  it('makes the object that the difference was made for', () => {
    fc.assert(
      fc.property(MAP, MAP, (before, after) => {
        expect(applyJsonPatch(before, withoutRootTest(jsonDiff(before, after)))).toEqual(after);
      }),
    );
  });
  it('moves as it copies and removes', () => {
    fc.assert(
      fc.property(MAP, fc.constantFrom('/moved', '/a/moved'), (map, path) => {
        const document = { ...map, from: { v: 1 }, a: {} };
        const moved = applyJsonPatch(document, [{ op: 'move', from: '/from', path }]);
        expect(moved).toEqual(
          applyJsonPatch(document, [
            { op: 'copy', from: '/from', path },
            { op: 'remove', path: '/from' },
          ]),
        );
      }),
    );
  });
});

describe('strategic merge patch', () => {
  const DEPLOYMENT = 'apps/v1.Deployment';
  const named = objectOf(DEPLOYMENT, 4).map((object) => unique(object) as Json);
  it('changes nothing when applied twice', () => {
    fc.assert(
      fc.property(named, named, (target, patch) => {
        const once = applyStrategicMergePatch(target, patch, DEPLOYMENT);
        expect(normalize(DEPLOYMENT, applyStrategicMergePatch(once, patch, DEPLOYMENT))).toEqual(normalize(DEPLOYMENT, once));
      }),
      { numRuns: 200 },
    );
  });
  it('of an object on itself gives the object', () => {
    fc.assert(
      fc.property(named, (object) => {
        const before = normalize(DEPLOYMENT, object);
        expect(normalize(DEPLOYMENT, applyStrategicMergePatch(before, before, DEPLOYMENT))).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });
});

const KEYS = ['name', 'containerPort', 'mountPath', 'devicePath', 'ip', 'topologyKey', 'uid', 'type', 'port'];

/** Lists that merge by a key have it, once each; sets have every value once. */
function unique(value: unknown): unknown {
  if (Array.isArray(value)) {
    const inner = value.map(unique);
    if (inner.every((element) => !isRecord(element)))
      return [...new Map(inner.map((element) => [JSON.stringify(element), element])).values()];
    return inner.map((element, index) => {
      const out = { ...(element as Json) };
      for (const key of KEYS) {
        if (key === 'containerPort' || key === 'port') out[key] = index + 1;
        else out[key] = `k${index}`;
      }
      return out;
    });
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, unique(member)]));
}
