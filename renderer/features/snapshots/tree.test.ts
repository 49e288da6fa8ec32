import { expect, test } from 'vitest';
import type { SnapshotView } from '#shared/views/views.ts';
import { treeOf } from './tree.ts';

const snapshot = (id: string, parent?: string, createdMs = Number(id.slice(1))): SnapshotView => ({
  id,
  name: id,
  note: '',
  parent,
  labMs: 0,
  createdMs,
  summary: '',
});

test.each([
  ['a chain stays on one level', [snapshot('s1'), snapshot('s2', 's1'), snapshot('s3', 's2')], ['s1 0', 's2 0', 's3 0']],
  ['a fork is set in', [snapshot('s1'), snapshot('s2', 's1'), snapshot('s3', 's1')], ['s1 0', 's2 1', 's3 1']],
  ['a child of a deleted one moves to the top', [snapshot('s2', 's1')], ['s2 0']],
  ['the older comes first', [snapshot('s9'), snapshot('s1')], ['s1 0', 's9 0']],
])('%s', (_, given, want) => {
  expect(treeOf(given).map((branch) => `${branch.snapshot.id} ${branch.depth}`)).toEqual(want);
});
