import { beforeEach, describe, expect, it } from 'vitest';
import { History } from './history.ts';
import { MemoryStore } from './memory-store.ts';

let store: MemoryStore;
let history: History;
const put = (key: string, value: string): number => store.commit([{ op: 'put', key, value }]);
const value = (key: string): string | undefined => store.range(key).kvs[0]?.value;

beforeEach(() => {
  store = new MemoryStore();
  history = new History(store);
});

describe('history', () => {
  it('brings back everything as it was, and the broken present can be brought back too', () => {
    put('disk/a', 'good');
    put('disk/b', 'good');
    history.save({ name: 'before', timeMs: 1 });
    put('disk/a', 'broken');
    store.commit([{ op: 'delete', key: 'disk/b' }]);
    put('disk/c', 'litter');
    const broken = history.mark('restore before', 2);
    history.restore(history.find('before').revision, history.find('before').id);
    expect([value('disk/a'), value('disk/b'), value('disk/c')]).toEqual(['good', 'good', undefined]);
    history.restore(broken.revision);
    expect([value('disk/a'), value('disk/b'), value('disk/c')]).toEqual(['broken', undefined, 'litter']);
  });

  it('makes a tree: a snapshot taken after a restore branches off', () => {
    put('x', '1');
    const first = history.save({ name: 'one', timeMs: 1 });
    put('x', '2');
    const second = history.save({ name: 'two', timeMs: 2 });
    history.restore(first.revision, first.id);
    put('x', '3');
    const third = history.save({ name: 'three', timeMs: 3 });
    expect([second.parent, third.parent]).toEqual(['s1', 's1']);
    history.delete('one');
    expect(history.snapshots().map((snapshot) => snapshot.parent)).toEqual([undefined, undefined]);
    history.restore(history.find('two').revision);
    expect(value('x')).toBe('2');
  });

  it('keeps what snapshots see through compaction', () => {
    put('x', '1');
    history.save({ name: 'one', timeMs: 1 });
    put('x', '2');
    put('x', '3');
    history.compact();
    history.restore(history.find('one').revision);
    expect(value('x')).toBe('1');
  });

  it.each([
    { name: 'a name twice', run: () => history.save({ name: 'a', timeMs: 2 }), want: 'a snapshot named "a" exists already' },
    { name: 'no name', run: () => history.save({ name: ' ', timeMs: 2 }), want: 'a snapshot needs a name' },
    { name: 'an unknown name', run: () => history.find('b'), want: 'no snapshot is named "b"' },
  ])('refuses $name', ({ run, want }) => {
    history.save({ name: 'a', timeMs: 1 });
    expect(run).toThrow(want);
  });

  it('marks a point once as long as nothing changed', () => {
    put('x', '1');
    history.mark('ls', 1);
    history.mark('ls again', 2);
    put('x', '2');
    history.mark('rm x', 3);
    expect(history.points().map((point) => point.label)).toEqual(['ls', 'rm x']);
  });
});
