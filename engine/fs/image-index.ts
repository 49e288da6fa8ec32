// Turns a flat ImageTree into a tree of nodes, once per image; all machines share it.

import { utf8 } from '../sim/bytes.ts';
import { executable, type ImageEntry, type ImageTree } from './image-tree.ts';
import type { NodeKind } from './inode.ts';

export interface ImageNode {
  readonly ino: number;
  readonly kind: NodeKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly children: ReadonlyMap<string, ImageNode> | undefined;
  readonly target: string | undefined;
  contents(): Uint8Array;
}

export interface ImageIndex {
  readonly root: ImageNode;
  readonly nodeCount: number;
  readonly sizeBytes: number;
}

const indexes = new WeakMap<ImageTree, ImageIndex>();

/** The index of a tree; trees are immutable, so it is made once. */
export function imageIndex(tree: ImageTree): ImageIndex {
  let index = indexes.get(tree);
  if (index === undefined) {
    index = build(tree);
    indexes.set(tree, index);
  }
  return index;
}

class Node implements ImageNode {
  readonly children: Map<string, Node> | undefined;
  #entry: ImageEntry | undefined;
  #size = -1;

  constructor(
    readonly ino: number,
    entry: ImageEntry | undefined,
  ) {
    this.#entry = entry;
    if (this.kind === 'directory') this.children = new Map();
  }

  get kind(): NodeKind {
    const kind = this.#entry?.kind ?? 'directory';
    return kind === 'program' ? 'file' : kind;
  }
  get mode(): number {
    const entry = this.#entry;
    if (entry === undefined) return 0o755;
    if (entry.kind === 'symlink') return 0o777;
    return entry.mode ?? (entry.kind === 'file' ? 0o644 : 0o755);
  }
  get uid(): number {
    return this.#entry === undefined || this.#entry.kind === 'symlink' ? 0 : (this.#entry.uid ?? 0);
  }
  get gid(): number {
    return this.#entry === undefined || this.#entry.kind === 'symlink' ? 0 : (this.#entry.gid ?? 0);
  }
  get target(): string | undefined {
    return this.#entry?.kind === 'symlink' ? this.#entry.target : undefined;
  }
  get sizeBytes(): number {
    if (this.#size < 0) this.#size = this.kind === 'file' ? this.contents().length : 0;
    return this.#size;
  }

  define(entry: ImageEntry): void {
    this.#entry = entry;
  }

  contents(): Uint8Array {
    const entry = this.#entry;
    if (entry?.kind === 'program') return utf8(executable(entry.program));
    if (entry?.kind !== 'file') return new Uint8Array(0);
    return typeof entry.contents === 'string' ? utf8(entry.contents) : entry.contents;
  }
}

function build(tree: ImageTree): ImageIndex {
  let ino = 64;
  const root = new Node(ino++, tree.entries.get('/'));
  let count = 1;
  for (const [path, entry] of tree.entries) {
    const names = path.split('/').filter((name) => name !== '');
    let at = root;
    names.forEach((name, depth) => {
      const isLast = depth === names.length - 1;
      let next = at.children?.get(name);
      if (next === undefined) {
        next = new Node(ino++, isLast ? entry : undefined);
        count++;
        at.children?.set(name, next);
      } else if (isLast) {
        next.define(entry);
      }
      at = next;
    });
  }
  return { root, nodeCount: count, sizeBytes: 0 };
}
