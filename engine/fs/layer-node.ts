// One file, directory or link of a LayerFs: its own state, and what it still has of the image below.

import { invariant } from '../sim/invariant.ts';
import { SysError } from '../sim/errno.ts';
import { FileContents } from './contents.ts';
import type { ImageNode } from './image-index.ts';
import { Inode, type AttributeChange, type Attributes, type NewNode, type NodeKind } from './inode.ts';
import type { LayerFs } from './layer-fs.ts';

export class LayerNode extends Inode {
  readonly fs: LayerFs;
  readonly ino: number;
  readonly kind: NodeKind;
  mode: number;
  uid: number;
  gid: number;
  rdev = 0;
  nlink = 0;
  atimeMs: number;
  mtimeMs: number;
  ctimeMs: number;
  /** Directory entries that lead here; the root has none. */
  readonly entries: { readonly parent: LayerNode; readonly name: string }[] = [];
  /** Differs from the image in its own record. */
  isChanged: boolean;
  #version = 0;
  #lower: ImageNode | undefined;
  #contents: FileContents | undefined;
  #target: string | undefined;
  /** Entries that were walked to or differ from the image; null hides the image's entry of that name. */
  readonly #children: Map<string, LayerNode | null> | undefined;

  constructor(fs: LayerFs, ino: number, node: NewNode | undefined, lower: ImageNode | undefined) {
    super();
    this.fs = fs;
    this.ino = ino;
    this.#lower = lower;
    const from = node ?? lower;
    invariant(from !== undefined, 'a node is new or comes from an image');
    this.kind = from.kind;
    this.mode = from.mode;
    this.uid = from.uid;
    this.gid = from.gid;
    this.#target = from.target;
    this.rdev = node?.rdev ?? 0;
    const timeMs = lower === undefined ? fs.now() : fs.imageTimeMs;
    this.atimeMs = timeMs;
    this.mtimeMs = timeMs;
    this.ctimeMs = timeMs;
    this.isChanged = lower === undefined;
    if (this.kind === 'directory') this.#children = new Map();
  }

  override get version(): number {
    return this.#version;
  }

  get sizeBytes(): number {
    if (this.kind === 'directory') return 6 + this.#children!.size * 16;
    if (this.kind === 'symlink') return this.#target!.length;
    return this.#contents?.sizeBytes ?? this.#lower?.sizeBytes ?? 0;
  }

  attributes(): Attributes {
    return {
      mode: this.mode,
      uid: this.uid,
      gid: this.gid,
      nlink: this.kind === 'directory' ? 2 + this.#subdirectories() : this.nlink,
      rdev: this.rdev,
      sizeBytes: this.sizeBytes,
      atimeMs: this.atimeMs,
      mtimeMs: this.mtimeMs,
      ctimeMs: this.ctimeMs,
    };
  }

  override permissions(): this {
    return this;
  }

  setAttributes(change: AttributeChange): void {
    this.fs.assertWritable();
    if (change.mode !== undefined) this.mode = change.mode;
    if (change.uid !== undefined) this.uid = change.uid;
    if (change.gid !== undefined) this.gid = change.gid;
    if (change.atimeMs !== undefined) this.atimeMs = change.atimeMs;
    if (change.mtimeMs !== undefined) this.mtimeMs = change.mtimeMs;
    this.ctimeMs = this.fs.now();
    this.touch();
  }

  /** The image's node below a directory whose entries still show through. */
  get lower(): ImageNode | undefined {
    return this.#lower;
  }

  override lookup(name: string): LayerNode | undefined {
    const children = this.#directory();
    const known = children.get(name);
    if (known !== undefined) return known ?? undefined;
    const below = this.#lower?.children?.get(name);
    if (below === undefined) return undefined;
    const node = new LayerNode(this.fs, below.ino, undefined, below);
    node.nlink = 1;
    node.entries.push({ parent: this, name });
    children.set(name, node);
    return node;
  }

  override names(): readonly string[] {
    const children = this.#directory();
    const names: string[] = [];
    for (const name of this.#lower?.children?.keys() ?? []) if (children.get(name) !== null) names.push(name);
    for (const [name, child] of children) {
      if (child !== null && this.#lower?.children?.has(name) !== true) names.push(name);
    }
    return names;
  }

  override get isEmpty(): boolean {
    return this.names().length === 0;
  }

  override create(name: string, node: NewNode): LayerNode {
    this.fs.assertWritable();
    this.fs.countInode(1);
    const created = new LayerNode(this.fs, this.fs.newIno(), node, undefined);
    if (created.kind === 'directory') this.fs.resize(0, 1);
    this.#attach(name, created);
    return created;
  }

  override link(name: string, inode: Inode): void {
    this.fs.assertWritable();
    if (!(inode instanceof LayerNode) || inode.fs !== this.fs) throw new SysError('EXDEV');
    this.#attach(name, inode);
    inode.ctimeMs = this.fs.now();
    inode.touch();
  }

  override unlink(name: string): void {
    this.fs.assertWritable();
    const node = this.lookup(name);
    if (node === undefined) throw new SysError('ENOENT', name);
    this.#detach(name, node);
    if (node.nlink === 0) {
      this.fs.countInode(-1);
      if (node.kind === 'file') this.fs.resize(node.sizeBytes, 0);
      else if (node.kind === 'directory') this.fs.resize(1, 0);
      this.fs.records?.forget(node);
    }
  }

  override move(name: string, to: Inode, newName: string): void {
    this.fs.assertWritable();
    if (!(to instanceof LayerNode) || to.fs !== this.fs) throw new SysError('EXDEV');
    const node = this.lookup(name);
    if (node === undefined) throw new SysError('ENOENT', name);
    // What lies below moves with it, so it no longer is where the image has it.
    node.#bringUp();
    node.#forgetPaths();
    this.#detach(name, node);
    to.#attach(newName, node);
    node.#touchTree();
  }

  override read(offset: number, length: number): Uint8Array {
    if (this.kind !== 'file') return super.read(offset, length);
    if (this.#contents !== undefined) return this.#contents.read(offset, length);
    const below = this.#lower?.contents();
    if (below === undefined) return new Uint8Array(0);
    return offset === 0 && length >= below.length ? below : below.subarray(offset, offset + length);
  }

  override write(offset: number, bytes: Uint8Array): void {
    if (this.kind !== 'file') super.write(offset, bytes);
    this.fs.assertWritable();
    const contents = this.#own();
    const end = offset + bytes.length;
    if (end > contents.sizeBytes) this.fs.resize(contents.sizeBytes, end);
    contents.write(offset, bytes);
    this.#modified();
  }

  override truncate(sizeBytes: number): void {
    if (this.kind !== 'file') super.truncate(sizeBytes);
    this.fs.assertWritable();
    const current = this.sizeBytes;
    this.fs.resize(current, sizeBytes);
    if (sizeBytes === 0) this.#contents = new FileContents();
    else this.#own().truncate(sizeBytes);
    this.#modified();
  }

  override target(): string {
    if (this.#target === undefined) return super.target();
    return this.#target;
  }

  /** Own contents, or undefined while the image's show through. */
  get contents(): FileContents | undefined {
    return this.#contents;
  }

  /** Puts stored contents in (opening a lab). */
  restoreContents(contents: FileContents): void {
    this.fs.resize(this.#contents?.sizeBytes ?? 0, contents.sizeBytes);
    this.#contents = contents;
  }

  /** Puts a stored entry in; `null` hides what the image has there. */
  restoreEntry(name: string, node: LayerNode | null): void {
    this.#directory().set(name, node);
    if (node === null) return;
    node.nlink++;
    node.entries.push({ parent: this, name });
  }

  /** What the layer says about a name: a node, null for a whiteout, undefined for the image's. */
  own(name: string): LayerNode | null | undefined {
    return this.#children?.get(name);
  }

  hasLower(name: string): boolean {
    return this.#lower?.children?.has(name) ?? false;
  }

  /** Marks the record as to be written. */
  touch(): void {
    this.isChanged = true;
    this.fs.records?.touch(this);
  }

  #modified(): void {
    this.#version++;
    this.mtimeMs = this.ctimeMs = this.fs.now();
    this.touch();
  }

  #directory(): Map<string, LayerNode | null> {
    if (this.#children === undefined) throw new SysError('ENOTDIR');
    return this.#children;
  }

  #own(): FileContents {
    this.#contents ??= this.#lower === undefined ? new FileContents() : FileContents.from(this.#lower.contents());
    return this.#contents;
  }

  #attach(name: string, node: LayerNode): void {
    invariant(this.lookup(name) === undefined, 'a new entry has a free name');
    this.#directory().set(name, node);
    node.nlink++;
    node.entries.push({ parent: this, name });
    this.mtimeMs = this.ctimeMs = this.fs.now();
    this.touch();
    node.touch();
  }

  #detach(name: string, node: LayerNode): void {
    if (this.hasLower(name)) this.#directory().set(name, null);
    else this.#directory().delete(name);
    this.fs.records?.touchPath(node, this, name);
    node.nlink--;
    node.entries.splice(
      node.entries.findIndex((entry) => entry.parent === this && entry.name === name),
      1,
    );
    this.mtimeMs = this.ctimeMs = node.ctimeMs = this.fs.now();
    this.touch();
    if (node.nlink > 0) node.touch();
  }

  /** Makes a subtree independent of its place in the image. */
  #bringUp(): void {
    if (this.kind === 'directory') {
      for (const name of this.names()) this.lookup(name)!.#bringUp();
      for (const [name, child] of this.#directory()) if (child === null) this.#directory().delete(name);
      this.#lower = undefined;
    } else if (this.kind === 'file' && this.#lower !== undefined) {
      this.#own();
      this.#lower = undefined;
    }
    this.isChanged = true;
  }

  #forgetPaths(): void {
    if (this.fs.records === undefined || this.kind !== 'directory') return;
    for (const [name, child] of this.#directory()) {
      if (child === null) continue;
      this.fs.records.touchPath(child, this, name);
      child.#forgetPaths();
    }
  }

  #touchTree(): void {
    this.touch();
    if (this.kind === 'directory') for (const child of this.#directory().values()) if (child !== null) child.#touchTree();
  }

  #subdirectories(): number {
    let count = 0;
    for (const [name, below] of this.#lower?.children ?? []) {
      if (below.kind === 'directory' && this.#children!.get(name) === undefined) count++;
    }
    for (const child of this.#children!.values()) if (child?.kind === 'directory') count++;
    return count;
  }
}
