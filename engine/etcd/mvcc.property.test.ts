import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MultiVersionStore, type Database } from './mvcc.ts';
import { prefixEnd, type KeyValue } from './protocol.ts';

class MapDatabase implements Database {
  readonly #map = new Map<string, string>();
  get(key: string): string | undefined {
    return this.#map.get(key);
  }
  put(key: string, value: string): void {
    this.#map.set(key, value);
  }
  delete(key: string): void {
    this.#map.delete(key);
  }
  entries(prefix = ''): readonly (readonly [string, string])[] {
    return [...this.#map].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

const key = fc.constantFrom('/a', '/a/b', '/b', '/b/c', '/c');
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value: fc.string({ maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deletePrefix' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), back: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

/** What is simple enough to be right: the whole contents at every revision. */
class Model {
  readonly states: Map<string, KeyValue>[] = [new Map(), new Map()];

  get now(): Map<string, KeyValue> {
    return this.states.at(-1)!;
  }
  get revision(): number {
    return this.states.length - 1;
  }
  put(name: string, value: string): void {
    const old = this.now.get(name);
    const revision = this.states.length;
    const next = new Map(this.now);
    next.set(name, { key: name, value, create: old?.create ?? revision, mod: revision, version: (old?.version ?? 0) + 1, lease: 0 });
    this.states.push(next);
  }
  delete(matches: (name: string) => boolean): void {
    const gone = [...this.now.keys()].filter(matches);
    if (gone.length === 0) return;
    const next = new Map(this.now);
    for (const name of gone) next.delete(name);
    this.states.push(next);
  }
  list(revision: number, from: string, to: string): KeyValue[] {
    return [...this.states[revision]!.values()].filter((kv) => kv.key >= from && kv.key < to).sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

describe('MultiVersionStore against a model that keeps everything', () => {
  it('shows every revision that no compaction took as it was, whole and in pages, and tells a watch what changed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const database = new MapDatabase();
        let store = new MultiVersionStore(database);
        const model = new Model();
        let compacted = 0;
        for (const each of steps) {
          if (each.kind === 'put') {
            store.commit([], [{ op: 'put', key: each.key, value: each.value }], []);
            model.put(each.key, each.value);
          } else if (each.kind === 'delete') {
            store.commit([], [{ op: 'delete', key: each.key }], []);
            model.delete((name) => name === each.key);
          } else if (each.kind === 'deletePrefix') {
            store.commit([], [{ op: 'delete', key: each.key, end: prefixEnd(each.key) }], []);
            model.delete((name) => name.startsWith(each.key));
          } else if (each.kind === 'compact') {
            const to = model.revision - each.back;
            if (to <= compacted) expect(() => store.compact(to)).toThrow('compacted');
            else {
              store.compact(to);
              compacted = to;
            }
          } else {
            store = new MultiVersionStore(database);
            compacted = model.revision === 1 ? 0 : model.revision;
          }
          expect(store.revision).toBe(model.revision);
        }
        for (let revision = 1; revision <= model.revision; revision++) {
          if (revision < compacted) {
            expect(() => store.range('/', { end: '0', revision })).toThrow('compacted');
            continue;
          }
          const want = model.list(revision, '/', '0');
          expect(store.range('/', { end: '0', revision }).kvs).toEqual(want);
          expect(pages(store, revision)).toEqual(want);
          // The contents at a revision and what is told after it make the present.
          const replayed = new Map(want.map((kv) => [kv.key, kv] as const));
          for (const { events } of store.eventsSince(revision)) {
            for (const event of events) {
              if (event.type === 'put') replayed.set(event.kv.key, event.kv);
              else replayed.delete(event.key);
            }
          }
          expect([...replayed.values()].sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual(model.list(model.revision, '/', '0'));
        }
        expect(() => store.range('/', { end: '0', revision: model.revision + 1 })).toThrow('future revision');
        expect(store.keyCount).toBe(model.now.size);
      }),
      { numRuns: 300 },
    );
  });
});

function pages(store: MultiVersionStore, revision: number): KeyValue[] {
  const out: KeyValue[] = [];
  let from = '/';
  for (;;) {
    const page = store.range(from, { end: '0', revision, limit: 2 });
    out.push(...page.kvs);
    if (!page.more) return out;
    from = `${page.kvs.at(-1)!.key}\0`;
  }
}
