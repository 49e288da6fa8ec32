import { describe, expect, it } from 'vitest';
import { applyJsonPatch, applyMergePatch } from './json-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';

type Json = Record<string, unknown>;
const pod = (spec: Json): Json => ({ spec });

const STRATEGIC: readonly {
  readonly name: string;
  readonly given: Json;
  readonly patch: Json;
  readonly want: Json;
  readonly struct?: string;
}[] = [
  {
    name: 'merges containers by name and puts what the patch names into its order',
    given: pod({ containers: [{ name: 'a', image: '1', env: [{ name: 'X', value: '1' }] }] }),
    patch: pod({
      containers: [
        { name: 'b', image: '2' },
        { name: 'a', env: [{ name: 'Y', value: '2' }] },
      ],
    }),
    want: pod({
      containers: [
        { name: 'b', image: '2' },
        {
          name: 'a',
          image: '1',
          env: [
            { name: 'Y', value: '2' },
            { name: 'X', value: '1' },
          ],
        },
      ],
    }),
  },
  {
    name: 'orders elements as $setElementOrder says',
    given: pod({ containers: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }),
    patch: pod({
      $setElementOrder: undefined,
      '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }, { name: 'd' }],
      containers: [{ name: 'd' }],
    }),
    want: pod({ containers: [{ name: 'b' }, { name: 'c' }, { name: 'a' }, { name: 'd' }] }),
  },
  {
    name: 'deletes an element by $patch and its merge key',
    given: pod({
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'w', emptyDir: {} },
      ],
    }),
    patch: pod({ volumes: [{ $patch: 'delete', name: 'v' }] }),
    want: pod({ volumes: [{ name: 'w', emptyDir: {} }] }),
  },
  {
    name: 'replaces lists without a merge key',
    given: pod({ tolerations: [{ key: 'a' }] }),
    patch: pod({ tolerations: [{ key: 'b' }] }),
    want: pod({ tolerations: [{ key: 'b' }] }),
  },
  {
    name: 'keeps only $retainKeys of a union',
    struct: 'apps/v1.Deployment',
    given: { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
    patch: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    want: { spec: { strategy: { type: 'Recreate' } } },
  },
  {
    name: 'unites finalizers and takes some out',
    given: { metadata: { finalizers: ['a', 'b'] } },
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] } },
    want: { metadata: { finalizers: ['c', 'b'] } },
  },
  {
    name: 'removes what is null and replaces a map by $patch',
    given: { metadata: { labels: { a: '1', b: '2' }, annotations: { c: '3' } } },
    patch: { metadata: { labels: { a: null }, annotations: { $patch: 'replace', d: '4' } } },
    want: { metadata: { labels: { b: '2' }, annotations: { d: '4' } } },
  },
  {
    name: 'merges ports of a container by containerPort',
    given: { spec: { containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] } },
    patch: { spec: { containers: [{ name: 'c', ports: [{ containerPort: 81 }] }] } },
    want: { spec: { containers: [{ name: 'c', ports: [{ containerPort: 81 }, { containerPort: 80 }] }] } },
  },
  {
    name: 'merges ports of a service by port',
    struct: 'core/v1.Service',
    given: { spec: { ports: [{ port: 80, targetPort: 80 }] } },
    patch: { spec: { ports: [{ port: 80, nodePort: 30000 }] } },
    want: { spec: { ports: [{ port: 80, targetPort: 80, nodePort: 30000 }] } },
  },
];

describe('strategic merge patch', () => {
  it.each(STRATEGIC)('$name', ({ given, patch, want, struct = 'core/v1.Pod' }) => {
    const before = structuredClone(given);
    expect(applyStrategicMergePatch(given, patch, struct)).toEqual(want);
    expect(given).toEqual(before);
  });
});

describe('JSON patches', () => {
  it('adds, removes, replaces, moves, copies and tests', () => {
    const given = { a: { b: [1, 2] }, c: 'x' };
    expect(
      applyJsonPatch(given, [
        { op: 'test', path: '/c', value: 'x' },
        { op: 'add', path: '/a/b/-', value: 3 },
        { op: 'add', path: '/a/b/0', value: 0 },
        { op: 'remove', path: '/a/b/1' },
        { op: 'replace', path: '/c', value: 'y' },
        { op: 'copy', from: '/c', path: '/d~1e' },
        { op: 'move', from: '/c', path: '/f' },
      ]),
    ).toEqual({ a: { b: [0, 2, 3] }, 'd/e': 'y', f: 'y' });
    expect(() => applyJsonPatch(given, [{ op: 'test', path: '/c', value: 'z' }])).toThrow('testing value /c failed');
    expect(() => applyJsonPatch(given, [{ op: 'remove', path: '/zz' }])).toThrow(
      "error in remove for path: '/zz': Unable to remove nonexistent key: zz: missing value",
    );
  });
  it('merge patches replace lists and drop nulls', () => {
    expect(applyMergePatch({ a: [1], b: { c: 1, d: 2 } }, { a: [2], b: { c: null } })).toEqual({ a: [2], b: { d: 2 } });
  });
});
