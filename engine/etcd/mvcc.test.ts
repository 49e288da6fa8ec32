import { describe, expect, it } from 'vitest';
import { MultiVersionStore, type Database } from './mvcc.ts';
import { prefixEnd } from './protocol.ts';

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

const put = (key: string, value: string, lease = 0) => ({ op: 'put', key, value, lease }) as const;

describe('MultiVersionStore', () => {
  it('gives every writing transaction one revision and keeps it for reading ones', () => {
    const store = new MultiVersionStore(new MapDatabase());
    expect(store.commit([], [put('/a', '1'), put('/b', '2')], []).revision).toBe(2);
    expect(store.commit([], [{ op: 'range', key: '/a' }], []).revision).toBe(2);
    expect(store.range('/a').kvs[0]).toMatchObject({ value: '1', create: 2, mod: 2, version: 1 });
    store.commit([], [put('/a', '3')], []);
    expect(store.range('/a').kvs[0]).toMatchObject({ value: '3', create: 2, mod: 3, version: 2 });
  });

  it('writes only when every comparison holds', () => {
    const store = new MultiVersionStore(new MapDatabase());
    expect(store.commit([{ key: '/a', exists: false }], [put('/a', '1')], []).succeeded).toBe(true);
    const lost = store.commit([{ key: '/a', mod: 1 }], [put('/a', '2')], [{ op: 'range', key: '/a' }]);
    expect(lost.succeeded).toBe(false);
    expect(lost.results[0]).toMatchObject({ kvs: [{ value: '1' }] });
  });

  it('shows the past as it was', () => {
    const store = new MultiVersionStore(new MapDatabase());
    store.commit([], [put('/p/a', '1')], []);
    store.commit([], [put('/p/b', '1')], []);
    const then = store.revision;
    store.commit([], [put('/p/a', '2')], []);
    store.commit([], [{ op: 'delete', key: '/p/b' }], []);
    store.commit([], [put('/p/c', '1')], []);
    const past = store.range('/p/', { end: prefixEnd('/p/'), revision: then });
    expect(past.kvs.map(({ key, value }) => [key, value])).toEqual([
      ['/p/a', '1'],
      ['/p/b', '1'],
    ]);
    store.compact(then + 1);
    expect(() => store.range('/p/', { end: prefixEnd('/p/'), revision: then })).toThrow('required revision has been compacted');
  });

  it('goes on at its revision after a restart, deletions counted', () => {
    const database = new MapDatabase();
    const before = new MultiVersionStore(database);
    before.commit([], [put('/a', '1')], []);
    before.commit([], [{ op: 'delete', key: '/a' }], []);
    const after = new MultiVersionStore(database);
    expect(after.revision).toBe(before.revision);
    expect(() => after.eventsSince(1)).toThrow('compacted');
    expect(after.commit([], [put('/b', '1')], []).revision).toBe(4);
  });

  it('takes the keys of a lease with it when the lease runs out', () => {
    const store = new MultiVersionStore(new MapDatabase());
    const lease = store.grant(60, 0);
    store.commit([], [put('/a', '1', lease), put('/b', '1')], []);
    store.expire(59_999);
    expect(store.keyCount).toBe(2);
    store.expire(60_000);
    expect(store.range('/a').count).toBe(0);
    expect(store.range('/b').count).toBe(1);
  });
});
