// Models a disk or a tmpfs: a writable layer in memory, over a read-only image if there is one. With a store behind it every
// entry that differs from the image is kept under its path and written when the journal flushes, once per flush.

import { SysError } from '../sim/errno.ts';
import { imageIndex } from './image-index.ts';
import type { ImageTree } from './image-tree.ts';
import type { FileSystem, Usage } from './inode.ts';
import { LayerNode } from './layer-node.ts';
import { LayerRecords, type LayerStore } from './layer-records.ts';

const BLOCK_BYTES = 4096;

export interface LayerOptions {
  readonly type: string;
  readonly dev: number;
  readonly now: () => number;
  readonly capacityBytes: number;
  /** Counted as used from the start: what the image's files stand for on a real disk. */
  readonly baseUsedBytes?: number;
  readonly totalInodes?: number;
  readonly image?: ImageTree;
  /** Time stamps of everything in the image. */
  readonly imageTimeMs?: number;
  readonly rootMode?: number;
  readonly isReadOnly?: boolean;
  readonly store?: LayerStore;
}

export class LayerFs implements FileSystem {
  readonly type: string;
  readonly dev: number;
  readonly isReadOnly: boolean;
  readonly root: LayerNode;
  readonly now: () => number;
  readonly imageTimeMs: number;
  readonly records: LayerRecords | undefined;
  readonly #capacityBytes: number;
  readonly #totalInodes: number;
  #usedBytes: number;
  #usedInodes: number;
  #nextIno: number;

  constructor(options: LayerOptions) {
    this.type = options.type;
    this.dev = options.dev;
    this.isReadOnly = options.isReadOnly ?? false;
    this.now = options.now;
    this.imageTimeMs = options.imageTimeMs ?? 0;
    this.#capacityBytes = options.capacityBytes;
    this.#totalInodes = options.totalInodes ?? Math.floor(options.capacityBytes / 2048);
    this.#usedBytes = options.baseUsedBytes ?? 0;
    const index = options.image === undefined ? undefined : imageIndex(options.image);
    this.#usedInodes = index?.nodeCount ?? 1;
    // Numbers of image nodes start at 64, as xfs's root inode; new ones come after them.
    this.#nextIno = 64 + (index?.nodeCount ?? 0) + 64;
    this.root =
      index === undefined
        ? new LayerNode(this, 2, { kind: 'directory', mode: options.rootMode ?? 0o755, uid: 0, gid: 0 }, undefined)
        : new LayerNode(this, index.root.ino, undefined, index.root);
    this.root.nlink = 1;
    if (options.store !== undefined) {
      this.records = new LayerRecords(this, options.store);
      this.records.load();
    }
  }

  usage(): Usage {
    return {
      totalBytes: this.#capacityBytes,
      usedBytes: this.#usedBytes,
      availableBytes: Math.max(0, this.#capacityBytes - this.#usedBytes),
      totalInodes: this.#totalInodes,
      usedInodes: this.#usedInodes,
    };
  }

  newIno(atLeast?: number): number {
    if (atLeast !== undefined) {
      this.#nextIno = Math.max(this.#nextIno, atLeast + 1);
      return atLeast;
    }
    return this.#nextIno++;
  }

  /** Charges or frees blocks for a file whose size changes; ENOSPC when the disk is full. */
  resize(oldBytes: number, newBytes: number): void {
    const delta = blocks(newBytes) - blocks(oldBytes);
    if (delta > 0 && this.#usedBytes + delta > this.#capacityBytes) throw new SysError('ENOSPC');
    this.#usedBytes += delta;
  }

  countInode(delta: number): void {
    if (delta > 0 && this.#usedInodes + delta > this.#totalInodes) throw new SysError('ENOSPC');
    this.#usedInodes += delta;
  }

  assertWritable(): void {
    if (this.isReadOnly) throw new SysError('EROFS');
  }

  dispose(): void {
    this.records?.dispose();
  }
}

function blocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}
