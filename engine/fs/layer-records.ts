// The durable side of a LayerFs: one JSON record per path that differs from the image, large contents as page blobs.

import { fromBase64, isUtf8, text, toBase64, utf8 } from '../sim/bytes.ts';
import type { Disposable } from '../sim/disposable.ts';
import { invariant } from '../sim/invariant.ts';
import { prefixEnd } from '../store/kv-store.ts';
import type { Journal } from '../store/journal.ts';
import { FileContents, PAGE_BYTES } from './contents.ts';
import type { NodeKind } from './inode.ts';
import type { LayerFs } from './layer-fs.ts';
import { LayerNode } from './layer-node.ts';

export interface LayerStore {
  readonly journal: Journal;
  /** Ends with a slash; keys are prefix + path without its first slash. */
  readonly prefix: string;
}

/** Contents up to this size lie in the record itself. */
const INLINE_BYTES = 8 * 1024;

/** Short names, since there are many: kind, ino, mode, uid, gid, times, size, rdev, target, inline text or base64, pages. */
interface Record {
  readonly k: NodeKind | 'whiteout';
  readonly i?: number;
  readonly m?: number;
  readonly u?: number;
  readonly g?: number;
  readonly t?: readonly [number, number, number];
  readonly s?: number;
  readonly d?: number;
  readonly l?: string;
  readonly c?: string;
  readonly b?: string;
  /** Pages in order: a blob's digest, a number for that many pages of zeros. */
  readonly p?: readonly (string | number)[];
  /** The last page, when it is short. */
  readonly e?: string;
  /** A directory that hides what the image has below it. */
  readonly o?: 1;
  /** Contents are still the image's: only attributes differ. */
  readonly x?: 1;
}

export class LayerRecords implements Disposable {
  readonly #fs: LayerFs;
  readonly #journal: Journal;
  readonly #prefix: string;
  readonly #nodes = new Set<LayerNode>();
  readonly #paths = new Set<string>();
  readonly #stored = new Set<string>();
  readonly #digests = new WeakMap<LayerNode, Map<number, string>>();
  readonly #onFlush: Disposable;
  #isLoading = false;

  constructor(fs: LayerFs, store: LayerStore) {
    this.#fs = fs;
    this.#journal = store.journal;
    this.#prefix = store.prefix;
    this.#onFlush = this.#journal.onBeforeFlush.on(() => this.write());
  }

  touch(node: LayerNode): void {
    if (!this.#isLoading) this.#nodes.add(node);
  }

  /** An entry is about to go: its key is written anew under whatever is there at the flush. */
  touchPath(node: LayerNode, parent: LayerNode, name: string): void {
    for (const path of pathsOf(parent)) this.#paths.add(path === '' ? name : `${path}/${name}`);
    if (node.nlink > 1) this.#nodes.add(node);
  }

  forget(node: LayerNode): void {
    this.#nodes.delete(node);
  }

  /** Hands everything that changed to the journal. */
  write(): void {
    if (this.#nodes.size === 0 && this.#paths.size === 0) return;
    for (const node of this.#nodes) for (const path of pathsOf(node)) this.#paths.add(path);
    this.#nodes.clear();
    const paths = [...this.#paths];
    this.#paths.clear();
    for (const path of paths) this.#writePath(path);
  }

  load(): void {
    this.#isLoading = true;
    const byIno = new Map<number, LayerNode>();
    for (const { key, value } of this.#journal.list(this.#prefix, prefixEnd(this.#prefix))) {
      const path = key.slice(this.#prefix.length);
      this.#stored.add(path);
      this.#restore(path, JSON.parse(value) as Record, byIno);
    }
    this.#isLoading = false;
  }

  /** Drops the file system's keys: a tmpfs that is unmounted or loses its power. */
  erase(): void {
    for (const path of this.#stored) this.#journal.delete(this.#prefix + path);
    this.#stored.clear();
    this.#nodes.clear();
    this.#paths.clear();
  }

  dispose(): void {
    this.write();
    this.#onFlush.dispose();
  }

  #writePath(path: string): void {
    const record = this.#recordAt(path);
    if (record !== undefined) {
      this.#stored.add(path);
      this.#journal.put(this.#prefix + path, JSON.stringify(record));
    } else if (this.#stored.delete(path)) {
      this.#journal.delete(this.#prefix + path);
    }
  }

  #recordAt(path: string): Record | undefined {
    if (path === '') return this.#fs.root.isChanged ? this.#recordOf(this.#fs.root) : undefined;
    const names = path.split('/');
    const last = names.pop()!;
    let parent: LayerNode = this.#fs.root;
    for (const name of names) {
      const next = parent.own(name);
      // Hidden or never touched: whatever is below has no record of its own.
      if (next === undefined || next === null || next.kind !== 'directory') return undefined;
      parent = next;
    }
    const own = parent.own(last);
    if (own === null) return { k: 'whiteout' };
    if (own === undefined || !own.isChanged) return undefined;
    return this.#recordOf(own);
  }

  #recordOf(node: LayerNode): Record {
    const base = {
      k: node.kind,
      i: node.ino,
      m: node.mode,
      u: node.uid,
      g: node.gid,
      t: [node.atimeMs, node.mtimeMs, node.ctimeMs] as const,
    };
    switch (node.kind) {
      case 'directory':
        return node.lower === undefined ? { ...base, o: 1 } : base;
      case 'symlink':
        return { ...base, l: node.target() };
      case 'file':
        return node.contents === undefined && node.lower !== undefined ? { ...base, x: 1 } : { ...base, ...this.#contentsOf(node) };
      default:
        return { ...base, d: node.rdev };
    }
  }

  #contentsOf(node: LayerNode): Partial<Record> {
    const contents = node.contents;
    if (contents === undefined || contents.sizeBytes === 0) return { s: 0 };
    const s = contents.sizeBytes;
    if (s <= INLINE_BYTES) {
      this.#digests.delete(node);
      const bytes = contents.all();
      return isUtf8(bytes) ? { s, c: text(bytes) } : { s, b: toBase64(bytes) };
    }
    return { s, ...this.#pagesOf(node, contents) };
  }

  #pagesOf(node: LayerNode, contents: FileContents): Partial<Record> {
    const changed = contents.takeChanges();
    let digests = this.#digests.get(node);
    if (digests === undefined) this.#digests.set(node, (digests = new Map()));
    const p: (string | number)[] = [];
    let next = 0;
    let e: string | undefined;
    const last = contents.pageCount - 1;
    for (const index of contents.pages()) {
      const page = contents.page(index)!;
      if (index > next) p.push(index - next);
      next = index + 1;
      if (index === last && page.length <= INLINE_BYTES) {
        e = toBase64(page);
        digests.delete(index);
        continue;
      }
      let digest = digests.get(index);
      if (digest === undefined || changed?.has(index) === true) {
        digest = this.#journal.putBlob(page.slice());
        digests.set(index, digest);
      }
      p.push(digest);
    }
    return e === undefined ? { p } : { p, e };
  }

  #restore(path: string, record: Record, byIno: Map<number, LayerNode>): void {
    if (path === '') {
      applyAttributes(this.#fs.root, record);
      return;
    }
    const names = path.split('/');
    const last = names.pop()!;
    let parent: LayerNode = this.#fs.root;
    for (const name of names) {
      const next = parent.lookup(name);
      invariant(next !== undefined, `a stored path has its directory: ${path}`);
      parent = next;
    }
    if (record.k === 'whiteout') {
      parent.restoreEntry(last, null);
      return;
    }
    const known = record.i === undefined ? undefined : byIno.get(record.i);
    if (known !== undefined) {
      parent.restoreEntry(last, known);
      return;
    }
    const below = record.o === undefined && (record.k === 'directory' || record.x === 1) ? parent.lookup(last) : undefined;
    const node = below ?? this.#newNode(record);
    if (below === undefined) parent.restoreEntry(last, node);
    applyAttributes(node, record);
    if (record.k === 'file' && record.x === undefined) node.restoreContents(this.#readContents(node, record));
    if (record.k !== 'directory' && record.i !== undefined) byIno.set(record.i, node);
  }

  #newNode(record: Record): LayerNode {
    this.#fs.countInode(1);
    const kind = record.k === 'whiteout' ? 'file' : record.k;
    return new LayerNode(
      this.#fs,
      this.#fs.newIno(record.i),
      {
        kind,
        mode: record.m ?? 0,
        uid: record.u ?? 0,
        gid: record.g ?? 0,
        ...(record.l === undefined ? {} : { target: record.l }),
        ...(record.d === undefined ? {} : { rdev: record.d }),
      },
      undefined,
    );
  }

  #readContents(node: LayerNode, record: Record): FileContents {
    if (record.c !== undefined) return FileContents.from(utf8(record.c));
    if (record.b !== undefined) return FileContents.from(fromBase64(record.b));
    const contents = new FileContents();
    const digests = new Map<number, string>();
    let index = 0;
    for (const page of record.p ?? []) {
      if (typeof page === 'number') {
        index += page;
        continue;
      }
      contents.write(index * PAGE_BYTES, this.#journal.blob(page));
      digests.set(index++, page);
    }
    if (record.e !== undefined) contents.write((Math.ceil((record.s ?? 0) / PAGE_BYTES) - 1) * PAGE_BYTES, fromBase64(record.e));
    contents.truncate(record.s ?? 0);
    contents.takeChanges();
    this.#digests.set(node, digests);
    return contents;
  }
}

function applyAttributes(node: LayerNode, record: Record): void {
  node.mode = record.m ?? node.mode;
  node.uid = record.u ?? node.uid;
  node.gid = record.g ?? node.gid;
  if (record.t !== undefined) [node.atimeMs, node.mtimeMs, node.ctimeMs] = record.t;
  node.isChanged = true;
}

/** Every path of a node, without the first slash; the root's is empty. */
function pathsOf(node: LayerNode): readonly string[] {
  if (node === node.fs.root) return [''];
  const paths: string[] = [];
  for (const { parent, name } of node.entries) {
    for (const path of pathsOf(parent)) paths.push(path === '' ? name : `${path}/${name}`);
  }
  return paths;
}
