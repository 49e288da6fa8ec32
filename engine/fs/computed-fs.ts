// Models file systems without storage (proc, sysfs, cgroup, devtmpfs): nodes are made when they are walked to and read.

import { utf8 } from '../sim/bytes.ts';
import { SysError } from '../sim/errno.ts';
import { Inode, type AttributeChange, type Attributes, type FileSystem, type NodeKind, type Usage } from './inode.ts';

export type ComputedNode =
  | {
      readonly kind: 'directory';
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
      names(): readonly string[];
      lookup(name: string): ComputedNode | undefined;
    }
  | {
      readonly kind: 'file';
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
      read(): string | Uint8Array;
      /** Gets what one write(2) wrote. Read only when left out. */
      write?(contents: string): void;
      /** Size that stat(2) shows; proc shows 0. */
      readonly sizeBytes?: number;
    }
  | {
      readonly kind: 'symlink';
      readonly uid?: number;
      readonly gid?: number;
      target(): string;
      magicTarget?(): object | undefined;
    }
  | { readonly kind: 'character' | 'block'; readonly mode?: number; readonly uid?: number; readonly gid?: number; readonly rdev: number };

export class ComputedFs implements FileSystem {
  readonly type: string;
  readonly dev: number;
  readonly root: ComputedInode;
  readonly isReadOnly = false;
  readonly now: () => number;
  #nextIno = 1;

  constructor(options: { readonly type: string; readonly dev: number; readonly now: () => number; readonly root: ComputedNode }) {
    this.type = options.type;
    this.dev = options.dev;
    this.now = options.now;
    this.root = new ComputedInode(this, options.root);
  }

  newIno(): number {
    return this.#nextIno++;
  }

  usage(): Usage {
    return { totalBytes: 0, usedBytes: 0, availableBytes: 0, totalInodes: 0, usedInodes: 0 };
  }

  dispose(): void {
    // Nothing is stored.
  }
}

/** Wraps one computed node; directories remember the wrappers that somebody mounted on or watches. */
export class ComputedInode extends Inode {
  readonly fs: ComputedFs;
  readonly ino: number;
  readonly kind: NodeKind;
  readonly #node: ComputedNode;
  readonly #bornMs: number;
  readonly #children = new Map<string, ComputedInode>();

  constructor(fs: ComputedFs, node: ComputedNode) {
    super();
    this.fs = fs;
    this.ino = fs.newIno();
    this.kind = node.kind;
    this.#node = node;
    this.#bornMs = fs.now();
  }

  override get version(): number {
    return -1;
  }

  attributes(): Attributes {
    const node = this.#node;
    const modes = { directory: 0o555, file: node.kind === 'file' && node.write !== undefined ? 0o644 : 0o444, symlink: 0o777 };
    const fallback = node.kind === 'character' || node.kind === 'block' ? 0o600 : modes[node.kind];
    return {
      mode: node.kind === 'symlink' ? 0o777 : (node.mode ?? fallback),
      uid: node.uid ?? 0,
      gid: node.gid ?? 0,
      nlink: node.kind === 'directory' ? 2 : 1,
      rdev: node.kind === 'character' || node.kind === 'block' ? node.rdev : 0,
      sizeBytes: node.kind === 'file' ? (node.sizeBytes ?? 0) : 0,
      atimeMs: this.#bornMs,
      mtimeMs: this.#bornMs,
      ctimeMs: this.#bornMs,
    };
  }

  setAttributes(change: AttributeChange): void {
    if (change.mode !== undefined || change.uid !== undefined || change.gid !== undefined) throw new SysError('EPERM');
  }

  override lookup(name: string): ComputedInode | undefined {
    const node = this.#node;
    if (node.kind !== 'directory') throw new SysError('ENOTDIR');
    const child = node.lookup(name);
    const known = this.#children.get(name);
    if (child === undefined) {
      if (known !== undefined) this.#children.delete(name);
      return undefined;
    }
    if (known !== undefined && (known.#node === child || known.kind === 'directory') && known.kind === child.kind) return known;
    const made = new ComputedInode(this.fs, child);
    if (child.kind === 'directory' || child.kind === 'character') this.#children.set(name, made);
    return made;
  }

  override names(): readonly string[] {
    return this.#node.kind === 'directory' ? this.#node.names() : super.names();
  }

  override read(offset: number, length: number): Uint8Array {
    if (this.#node.kind !== 'file') return super.read(offset, length);
    const contents = this.#node.read();
    const bytes = typeof contents === 'string' ? utf8(contents) : contents;
    return bytes.subarray(offset, offset + length);
  }

  /** What a whole read gives; an open file keeps it, so that reading in pieces sees one moment. */
  snapshot(): Uint8Array {
    return this.read(0, Infinity);
  }

  override write(_offset: number, bytes: Uint8Array): void {
    if (this.#node.kind !== 'file') super.write(_offset, bytes);
    else if (this.#node.write === undefined) throw new SysError('EACCES');
    else this.#node.write(new TextDecoder().decode(bytes));
  }

  override truncate(): void {
    // O_TRUNC on a control file means nothing.
  }

  override target(): string {
    return this.#node.kind === 'symlink' ? this.#node.target() : super.target();
  }

  override magicTarget(): object | undefined {
    return this.#node.kind === 'symlink' ? this.#node.magicTarget?.() : undefined;
  }
}

export function directory(entries: ReadonlyMap<string, ComputedNode> | (() => ReadonlyMap<string, ComputedNode>)): ComputedNode {
  const get = typeof entries === 'function' ? entries : (): ReadonlyMap<string, ComputedNode> => entries;
  return { kind: 'directory', mode: 0o555, names: () => [...get().keys()], lookup: (name) => get().get(name) };
}

export function file(read: () => string | Uint8Array, options?: { readonly mode?: number }): ComputedNode {
  return { kind: 'file', mode: options?.mode ?? 0o444, read };
}
