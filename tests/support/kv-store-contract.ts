import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CompactedError, prefixEnd, type KvStore } from '#engine/store/kv-store.ts';

/** What every implementation of the store promises. */
export function describeKvStore(name: string, make: () => KvStore): void {
  describe(`${name} keeps the store's contract`, () => {
    let store: KvStore;
    beforeEach(() => {
      store = make();
    });
    afterEach(() => store.close());
    const put = (key: string, value: string) => ({ op: 'put', key, value }) as const;
    const del = (key: string) => ({ op: 'delete', key }) as const;

    it('counts one revision a transaction and none for a transaction that writes nothing', () => {
      expect(store.revision).toBe(0);
      expect(store.commit([put('a', '1'), put('b', '1')])).toBe(1);
      expect(store.commit([])).toBe(1);
      expect(store.commit([del('missing')])).toBe(1);
      expect(store.commit([del('a')])).toBe(2);
    });

    it('keeps create revision, mod revision and version as etcd does', () => {
      store.commit([put('a', '1')]);
      store.commit([put('a', '2')]);
      expect(store.range('a').kvs).toEqual([{ key: 'a', value: '2', createRevision: 1, modRevision: 2, version: 2 }]);
      store.commit([del('a')]);
      store.commit([put('a', '3')]);
      expect(store.range('a').kvs).toEqual([{ key: 'a', value: '3', createRevision: 4, modRevision: 4, version: 1 }]);
    });

    it('lists a prefix in order, with a limit, and at an older revision', () => {
      store.commit([put('p/2', 'b'), put('p/1', 'a'), put('q', 'x')]);
      store.commit([put('p/3', 'c'), del('p/1')]);
      const prefix = { end: prefixEnd('p/') };
      expect(store.range('p/', prefix).kvs.map((kv) => kv.key)).toEqual(['p/2', 'p/3']);
      expect(store.range('p/', { ...prefix, limit: 1 })).toMatchObject({ more: true, kvs: [{ key: 'p/2' }] });
      expect(store.range('p/', { ...prefix, atRevision: 1 }).kvs.map((kv) => kv.key)).toEqual(['p/1', 'p/2']);
    });

    it('says which keys differ between two revisions, not which were touched', () => {
      store.commit([put('same', '1'), put('changed', '1'), put('gone', '1')]);
      store.commit([put('same', '2'), put('changed', '2')]);
      store.commit([put('same', '1'), del('gone'), put('new', '1')]);
      expect(store.changed(1, 3)).toEqual(['changed', 'gone', 'new']);
      expect(store.changed(3, 1)).toEqual(['changed', 'gone', 'new']);
    });

    it('the last write of a key within a transaction counts', () => {
      store.commit([put('a', '1'), put('a', '2')]);
      expect(store.range('a').kvs[0]?.value).toBe('2');
    });

    it('drops by compaction what no kept revision sees', () => {
      store.commit([put('a', '1')]);
      store.commit([put('a', '2')]);
      store.commit([put('a', '3'), put('b', '1')]);
      store.commit([del('b')]);
      store.compact(4, [2]);
      expect(store.range('a', { atRevision: 2 }).kvs[0]?.value).toBe('2');
      expect(store.range('a').kvs[0]?.value).toBe('3');
      expect(store.range('b').kvs).toEqual([]);
      expect(() => store.range('a', { atRevision: 1 })).toThrow(CompactedError);
    });

    it('keeps contents by digest', () => {
      store.putBlob('abc', Uint8Array.from([1, 2, 0, 255]));
      store.putBlob('abc', Uint8Array.from([1, 2, 0, 255]));
      expect([...store.blob('abc')]).toEqual([1, 2, 0, 255]);
      expect(() => store.blob('nosuch')).toThrow('no blob nosuch');
    });

    it('keeps keys and values that are not ASCII', () => {
      store.commit([put('파일/한글', '내용 \u0000 끝')]);
      expect(store.range('파일/', { end: prefixEnd('파일/') }).kvs[0]?.value).toBe('내용 \u0000 끝');
    });
  });
}
