// Models overlayfs: an upper directory over one or more lower ones. Files are copied up when they are first changed;
// a deleted lower entry is a character device 0/0 in the upper directory, as on the real thing.
// Not modelled: redirect_dir (renaming a lower directory copies it), index, xino.

import { SysError } from '../sim/errno.ts';
import { invariant } from '../sim/invariant.ts';
import {
  Inode,
  type AttributeChange,
  type Attributes,
  type FileSystem,
  type NewNode,
  type NodeChange,
  type NodeKind,
  type Usage,
} from './inode.ts';

const OPAQUE = '.wh..wh..opq';

export class OverlayFs implements FileSystem {
  readonly type = 'overlay';
  readonly dev: number;
  readonly root: OverlayNode;
  readonly isReadOnly: boolean;
  readonly upper: Inode | undefined;
  #lastIno = 1;

  /** `lowers` from top to bottom; without an upper directory it is read only. */
  constructor(options: { readonly dev: number; readonly upper: Inode | undefined; readonly lowers: readonly Inode[] }) {
    this.dev = options.dev;
    this.upper = options.upper;
    this.isReadOnly = options.upper === undefined;
    this.root = new OverlayNode(this, undefined, '', options.upper, options.lowers);
  }

  newIno(): number {
    return ++this.#lastIno;
  }

  usage(): Usage {
    return (this.upper ?? this.root.real).fs.usage();
  }

  dispose(): void {
    // Everything lies in the upper directory, which stays.
  }
}

export class OverlayNode extends Inode {
  readonly fs: OverlayFs;
  readonly ino: number;
  readonly kind: NodeKind;
  #parent: OverlayNode | undefined;
  #name: string;
  #upper: Inode | undefined;
  #lowers: readonly Inode[];
  readonly #children = new Map<string, OverlayNode>();

  constructor(fs: OverlayFs, parent: OverlayNode | undefined, name: string, upper: Inode | undefined, lowers: readonly Inode[]) {
    super();
    this.fs = fs;
    this.ino = fs.newIno();
    this.#parent = parent;
    this.#name = name;
    this.#upper = upper;
    this.#lowers = lowers;
    this.kind = this.real.kind;
  }

  get real(): Inode {
    const real = this.#upper ?? this.#lowers[0];
    invariant(real !== undefined, 'an overlay node lies in some layer');
    return real;
  }

  override get version(): number {
    return this.real.version;
  }

  attributes(): Attributes {
    return this.real.attributes();
  }

  override permissions(): Pick<Attributes, 'mode' | 'uid' | 'gid'> {
    return this.real.permissions();
  }

  setAttributes(change: AttributeChange): void {
    this.#copyUp().setAttributes(change);
  }

  override lookup(name: string): OverlayNode | undefined {
    const known = this.#children.get(name);
    if (known !== undefined) {
      // The upper directory may also be changed from beside the mount (docker cp does).
      if (known.#upper === undefined || this.#upper?.lookup(name) === known.#upper) return known;
      this.#children.delete(name);
    }
    if (name === OPAQUE && this.kind === 'directory') return undefined;
    const upper = this.#upper?.lookup(name);
    if (upper !== undefined && isWhiteout(upper)) return undefined;
    const lowers: Inode[] = [];
    if (upper === undefined || (upper.kind === 'directory' && !isOpaque(upper))) {
      for (const layer of this.#lowers) {
        const below = layer.lookup(name);
        if (below === undefined) continue;
        if (isWhiteout(below)) break;
        if (below.kind !== 'directory') {
          if (upper === undefined && lowers.length === 0) lowers.push(below);
          break;
        }
        lowers.push(below);
        if (isOpaque(below)) break;
      }
    }
    if (upper === undefined && lowers.length === 0) return undefined;
    const node = new OverlayNode(this.fs, this, name, upper, lowers);
    this.#children.set(name, node);
    return node;
  }

  override names(): readonly string[] {
    const names = new Set<string>();
    const hidden = new Set<string>();
    for (const layer of this.#upper === undefined ? this.#lowers : [this.#upper, ...this.#lowers]) {
      for (const name of layer.names()) {
        if (names.has(name) || hidden.has(name) || name === OPAQUE) continue;
        if (isWhiteout(layer.lookup(name)!)) hidden.add(name);
        else names.add(name);
      }
    }
    return [...names];
  }

  override get isEmpty(): boolean {
    return this.names().length === 0;
  }

  override create(name: string, node: NewNode): OverlayNode {
    const upper = this.#copyUp();
    const wasHidden = this.#removeWhiteout(upper, name);
    const created = upper.create(name, node);
    if (wasHidden && node.kind === 'directory') created.create(OPAQUE, { kind: 'file', mode: 0, uid: 0, gid: 0 });
    return this.#adopt(name, created, []);
  }

  override link(name: string, inode: Inode): void {
    if (!(inode instanceof OverlayNode) || inode.fs !== this.fs) throw new SysError('EXDEV');
    const upper = this.#copyUp();
    this.#removeWhiteout(upper, name);
    upper.link(name, inode.#copyUp());
  }

  override unlink(name: string): void {
    const node = this.lookup(name);
    if (node === undefined) throw new SysError('ENOENT', name);
    const upper = this.#copyUp();
    if (node.#upper !== undefined) {
      if (node.kind === 'directory') for (const entry of node.#upper.names()) node.#upper.unlink(entry);
      upper.unlink(name);
    }
    this.#children.delete(name);
    this.#hide(upper, name);
  }

  override move(name: string, to: Inode, newName: string): void {
    if (!(to instanceof OverlayNode) || to.fs !== this.fs) throw new SysError('EXDEV');
    const node = this.lookup(name);
    if (node === undefined) throw new SysError('ENOENT', name);
    node.#copyUpTree();
    const from = this.#copyUp();
    const target = to.#copyUp();
    to.#removeWhiteout(target, newName);
    from.move(name, target, newName);
    this.#hide(from, name);
    this.#children.delete(name);
    to.#children.set(newName, node);
    node.#parent = to;
    node.#name = newName;
  }

  override read(offset: number, length: number): Uint8Array {
    return this.real.read(offset, length);
  }
  override write(offset: number, bytes: Uint8Array): void {
    this.#copyUp().write(offset, bytes);
  }
  override truncate(sizeBytes: number): void {
    this.#copyUp().truncate(sizeBytes);
  }
  override target(): string {
    return this.real.target();
  }
  override notify(change: NodeChange): void {
    super.notify(change);
    this.#upper?.notify(change);
  }

  #adopt(name: string, upper: Inode, lowers: readonly Inode[]): OverlayNode {
    const node = new OverlayNode(this.fs, this, name, upper, lowers);
    this.#children.set(name, node);
    return node;
  }

  #hasBelow(name: string): boolean {
    for (const layer of this.#lowers) {
      const below = layer.lookup(name);
      if (below !== undefined) return !isWhiteout(below);
    }
    return false;
  }

  #hide(upper: Inode, name: string): void {
    if (this.#hasBelow(name)) upper.create(name, { kind: 'character', mode: 0, uid: 0, gid: 0, rdev: 0 });
  }

  #removeWhiteout(upper: Inode, name: string): boolean {
    const there = upper.lookup(name);
    if (there === undefined || !isWhiteout(there)) return false;
    upper.unlink(name);
    return true;
  }

  #copyUp(): Inode {
    if (this.#upper !== undefined) return this.#upper;
    if (this.#parent === undefined) throw new SysError('EROFS');
    const parent = this.#parent.#copyUp();
    const from = this.real;
    const { mode, uid, gid, atimeMs, mtimeMs, rdev } = from.attributes();
    const node = { kind: this.kind, mode, uid, gid, rdev };
    const upper = parent.create(this.#name, this.kind === 'symlink' ? { ...node, target: from.target() } : node);
    if (this.kind === 'file') {
      const bytes = from.read(0, from.attributes().sizeBytes);
      if (bytes.length > 0) upper.write(0, bytes);
      this.#lowers = [];
    }
    upper.setAttributes({ atimeMs, mtimeMs });
    this.#upper = upper;
    return upper;
  }

  #copyUpTree(): void {
    const upper = this.#copyUp();
    if (this.kind !== 'directory') return;
    for (const name of this.names()) this.lookup(name)!.#copyUpTree();
    if (this.#lowers.length > 0) {
      for (const name of upper.names()) if (isWhiteout(upper.lookup(name)!)) upper.unlink(name);
      if (upper.lookup(OPAQUE) === undefined) upper.create(OPAQUE, { kind: 'file', mode: 0, uid: 0, gid: 0 });
      this.#lowers = [];
    }
  }
}

function isWhiteout(inode: Inode): boolean {
  return inode.kind === 'character' && inode.attributes().rdev === 0;
}

function isOpaque(inode: Inode): boolean {
  return inode.lookup(OPAQUE) !== undefined;
}
