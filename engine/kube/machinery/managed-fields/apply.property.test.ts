import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeepEqual } from '../deep.ts';
import { normalize } from '../schema/codec.ts';
import { compare } from './compare.ts';
import { difference, intersection, isEmptySet, pathsOf, type FieldSet } from './field-set.ts';
import type { ManagedFieldsEntry } from './managers.ts';
import { trackApply, trackCreate, trackUpdate, type TrackedWrite } from './tracker.ts';
import { typeOfStruct } from './typed-schema.ts';
import { fieldsNamedBy } from './typed-value.ts';
import { ApplyConflict, type Converter } from './updater.ts';

// The same cases every time.
fc.configureGlobal({ seed: 1 });

type Json = Record<string, unknown>;

const STRUCT = 'apps/v1.Deployment';
const TYPE = typeOfStruct(STRUCT);
const CONVERTER: Converter = { typeOf: () => TYPE, convert: (object) => object };
const EMPTY = normalize<Json>(STRUCT, { kind: 'Deployment', apiVersion: 'apps/v1', metadata: {} });

const LABELS = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { maxKeys: 3, noNullPrototype: true });
const byKey = <T>(key: keyof T & string, element: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.uniqueArray(element, { maxLength: 2, selector: (each) => each[key] });
const CONTAINER = fc.record(
  {
    name: fc.constantFrom('x', 'y', 'z'),
    image: fc.constantFrom('nginx', 'httpd'),
    args: fc.array(fc.constantFrom('-a', '-b'), { maxLength: 2 }),
    ports: byKey('containerPort', fc.record({ containerPort: fc.constantFrom(80, 443), protocol: fc.constant('TCP') })),
    env: byKey('name', fc.record({ name: fc.constantFrom('A', 'B'), value: fc.constantFrom('1', '2') })),
  },
  { requiredKeys: ['name'] },
);
const CONFIG: fc.Arbitrary<Json> = fc
  .record(
    {
      replicas: fc.constantFrom(1, 2),
      paused: fc.boolean(),
      selector: fc.record({
        matchLabels: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), { minKeys: 1, noNullPrototype: true }),
      }),
      template: fc.record(
        { metadata: fc.record({ labels: LABELS }), spec: fc.record({ containers: byKey('name', CONTAINER) }) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )
  .chain((spec) =>
    fc.record({ labels: LABELS, finalizers: fc.uniqueArray(fc.constantFrom('f/a', 'f/b')) }, { requiredKeys: [] }).map((metadata) => ({
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: { name: 'web', ...metadata },
      spec,
    })),
  );

interface State {
  readonly object: Json | undefined;
  readonly managedFields: readonly ManagedFieldsEntry[] | undefined;
}
const NOTHING: State = { object: undefined, managedFields: undefined };

const write = (state: State, manager: string): TrackedWrite => ({
  live: state.object ?? EMPTY,
  empty: EMPTY,
  isCreate: state.object === undefined,
  liveManagers: state.managedFields,
  manager,
  apiVersion: 'apps/v1',
  time: '2026-01-01T00:00:00Z',
  converter: CONVERTER,
});

function apply(state: State, manager: string, config: Json, force = false): State {
  const { object, managedFields } = trackApply(write(state, manager), config, { force });
  return { object: normalize(STRUCT, object), managedFields };
}

function tryApply(state: State, manager: string, config: Json): State | undefined {
  try {
    return apply(state, manager, config);
  } catch (error) {
    if (error instanceof ApplyConflict) return undefined;
    throw error;
  }
}

const fieldsOf = (state: State, manager: string): FieldSet =>
  state.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1 ?? {};

describe('server-side apply', () => {
  it('twice is once', () => {
    fc.assert(
      fc.property(CONFIG, CONFIG, (first, second) => {
        const base = apply(apply(NOTHING, 'other', first), 'me', second, true);
        expect(apply(base, 'me', second)).toEqual(base);
      }),
    );
  });

  it('of one manager gives what was asked for, and nothing when nothing is asked for any more', () => {
    const none = { kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'web' } };
    fc.assert(
      fc.property(CONFIG, CONFIG, (first, second) => {
        const state = apply(apply(NOTHING, 'me', first), 'me', second);
        expect(compare(normalize(STRUCT, second), state.object, TYPE).modified).toEqual({});
        // A list or map that is given empty belongs to nobody, so it may stay.
        const left = apply(state, 'me', none);
        expect(fieldsOf(left, 'me')).toEqual({});
        const mine = difference(intersection(fieldsNamedBy(left.object, TYPE), fieldsOf(state, 'me')), fieldsNamedBy(EMPTY, TYPE));
        expect([...pathsOf(mine)]).toEqual([]);
      }),
    );
  });

  it('never lets two managers own different values of a field without force', () => {
    fc.assert(
      fc.property(CONFIG, CONFIG, CONFIG, (one, two, three) => {
        let state = apply(NOTHING, 'one', one);
        const wanted: Record<string, Json> = { one };
        for (const [manager, config] of [
          ['two', two],
          ['one', three],
        ] as const) {
          const next = tryApply(state, manager, config);
          if (next === undefined) continue;
          // What others own is as it was.
          const { modified } = compare(state.object, next.object, TYPE);
          for (const other of Object.keys(wanted)) {
            if (other !== manager) expect(isEmptySet(intersection(fieldsOf(state, other), modified))).toBe(true);
          }
          state = next;
          wanted[manager] = config;
        }
        // What somebody owns has the value he asked for.
        for (const [manager, config] of Object.entries(wanted)) {
          const { modified } = compare(config, state.object, TYPE);
          expect(isEmptySet(intersection(fieldsOf(state, manager), modified)), `${manager} ${JSON.stringify(modified)}`).toBe(true);
        }
      }),
    );
  });

  it('with force takes the fields from whoever had them', () => {
    fc.assert(
      fc.property(CONFIG, CONFIG, (one, two) => {
        const state = apply(apply(NOTHING, 'one', one), 'two', two, true);
        const { modified } = compare(one, state.object, TYPE);
        expect(isEmptySet(intersection(fieldsOf(state, 'one'), modified))).toBe(true);
      }),
    );
  });
});

describe('tracking of updates', () => {
  it('gives new objects of one shape what comparing them gives', () => {
    const shapes = new Map<string, FieldSet>();
    fc.assert(
      fc.property(CONFIG, (config) => {
        const next = normalize(STRUCT, config);
        const slow = trackUpdate(write(NOTHING, 'me'), next, undefined, { ignoresGiven: false });
        expect(trackCreate(write(NOTHING, 'me'), next, shapes)).toEqual(slow);
      }),
      { numRuns: 1000 },
    );
  });

  it('tells apart what an empty object has already', () => {
    const type = typeOfStruct('apps/v1.ReplicaSet');
    const converter: Converter = { typeOf: () => type, convert: (object) => object };
    const empty = normalize<Json>('apps/v1.ReplicaSet', { kind: 'ReplicaSet', apiVersion: 'apps/v1', metadata: {} });
    const shapes = new Map<string, FieldSet>();
    const fields = [0, 1, 0].map((replicas) => {
      const next = normalize<Json>('apps/v1.ReplicaSet', { ...empty, metadata: { labels: { a: 'b' } }, status: { replicas } });
      return trackCreate({ ...write(NOTHING, 'me'), live: empty, empty, converter }, next, shapes)![0]!.fieldsV1;
    });
    const labels = { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } } };
    expect(fields).toEqual([labels, { ...labels, 'f:status': { 'f:replicas': {} } }, labels]);
  });

  it('gives every field to exactly who changed it last', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), CONFIG), { minLength: 2, maxLength: 5 }), (writes) => {
        let state: State = NOTHING;
        for (const [manager, config] of writes) {
          const next = normalize(STRUCT, config);
          const before = state;
          state = { object: next, managedFields: trackUpdate(write(state, manager), next, undefined, { ignoresGiven: false }) };
          if (before.managedFields === undefined && before.object !== undefined) return;
          const { added, modified } = compare(before.object ?? EMPTY, next, TYPE);
          const owners = [...new Set(writes.map(([each]) => each))].filter((each) => each !== manager);
          for (const other of owners) {
            expect(isEmptySet(intersection(fieldsOf(state, other), modified))).toBe(true);
            expect(isEmptySet(intersection(fieldsOf(state, other), added))).toBe(true);
          }
          if (isDeepEqual(before.object, next)) expect(state.managedFields).toEqual(before.managedFields);
        }
      }),
    );
  });
});
