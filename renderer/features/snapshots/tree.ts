// Snapshots as the tree they are: each one lies below the one it came from.

import type { SnapshotView } from '#shared/views/views.ts';

export interface Branch {
  readonly snapshot: SnapshotView;
  readonly depth: number;
}

/**
 * In the order in which they are drawn. One whose parent was deleted moves up to the top. A chain of only children stays
 * on one level: only where the history forks it is set in.
 */
export function treeOf(snapshots: Iterable<SnapshotView>): readonly Branch[] {
  const all = [...snapshots].sort((a, b) => a.createdMs - b.createdMs || a.labMs - b.labMs);
  const ids = new Set(all.map((snapshot) => snapshot.id));
  const children = new Map<string | undefined, SnapshotView[]>();
  for (const snapshot of all) {
    const parent = snapshot.parent !== undefined && ids.has(snapshot.parent) ? snapshot.parent : undefined;
    children.set(parent, [...(children.get(parent) ?? []), snapshot]);
  }
  const drawn: Branch[] = [];
  const draw = (parent: string | undefined, depth: number): void => {
    const branches = children.get(parent) ?? [];
    for (const snapshot of branches) {
      drawn.push({ snapshot, depth });
      draw(snapshot.id, (children.get(snapshot.id)?.length ?? 0) > 1 ? depth + 1 : depth);
    }
  };
  draw(undefined, 0);
  return drawn;
}
