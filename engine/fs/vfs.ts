// Models the VFS: the mount table, the path walk with its permission checks, and the operations on names.

import { SysError } from '../sim/errno.ts';
import type { FileSystem, Inode, NewNode, NodeKind } from './inode.ts';
import { Location, type Mount } from './location.ts';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** From where and as whom a path is walked. */
export interface Walker {
  readonly identity: Identity;
  readonly root: Location;
  readonly cwd: Location;
}

export interface MountRequest {
  readonly fs: FileSystem;
  /** What becomes visible; the file system's root unless it is a bind mount. */
  readonly root?: Inode;
  readonly source: string;
  readonly type: string;
  readonly options: string;
}

const MAX_SYMLINKS = 40;
const MAX_NAME = 255;
const MAX_PATH = 4096;

export const READ = 4;
export const WRITE = 2;
export const EXECUTE = 1;

export class Vfs {
  readonly rootMount: Mount;
  readonly #mounts: Mount[] = [];
  #nextMount = 1;

  constructor(request: MountRequest) {
    this.rootMount = this.#newMount(request, undefined);
    this.#mounts.push(this.rootMount);
  }

  get root(): Location {
    return new Location(this.rootMount, this.rootMount.root, undefined, '');
  }

  /** In order of mounting. */
  get mounts(): readonly Mount[] {
    return this.#mounts;
  }

  mount(at: Location, request: MountRequest): Mount {
    const root = request.root ?? request.fs.root;
    if ((at.inode.kind === 'directory') !== (root.kind === 'directory')) throw new SysError('ENOTDIR', at.path());
    const mount = this.#newMount(request, at);
    at.mount.children.set(at.inode, mount);
    this.#mounts.push(mount);
    return mount;
  }

  /** The mount must be the topmost at its place and have no mounts below. */
  unmount(mount: Mount): void {
    if (mount.at === undefined || mount.children.size > 0) throw new SysError('EBUSY', mount.at?.path());
    mount.at.mount.children.delete(mount.at.inode);
    this.#mounts.splice(this.#mounts.indexOf(mount), 1);
    if (!this.#mounts.some((other) => other.fs === mount.fs)) mount.fs.dispose();
  }

  dispose(): void {
    const seen = new Set(this.#mounts.map((mount) => mount.fs));
    for (const fs of seen) fs.dispose();
  }

  /** The object a path names. ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG. */
  find(walker: Walker, path: string, options?: { readonly noFollow?: boolean }): Location {
    const { parent, name, location } = this.#walk(walker, path, options?.noFollow !== true);
    if (location === undefined) throw new SysError('ENOENT', path);
    void parent;
    void name;
    return location;
  }

  /** The directory and last name of a path whose last component may not exist yet. */
  findEntry(
    walker: Walker,
    path: string,
    options?: { readonly follow?: boolean },
  ): { readonly parent: Location; readonly name: string; readonly location: Location | undefined } {
    return this.#walk(walker, path, options?.follow === true);
  }

  /** EACCES unless `identity` may do what `mask` says. */
  permit(inode: Inode, identity: Identity, mask: number, path?: string): void {
    if (!mayAccess(inode, identity, mask)) throw new SysError('EACCES', path);
  }

  /** Creates an entry; EEXIST, EACCES, EROFS, ENOSPC. */
  create(walker: Walker, path: string, node: Omit<NewNode, 'uid' | 'gid'>): Location {
    const { parent, name, location } = this.findEntry(walker, path);
    if (location !== undefined) throw new SysError('EEXIST', path);
    if (node.kind !== 'directory' && /[^/]\/+$/.test(path)) throw new SysError('ENOENT', path);
    return this.createAt(walker.identity, parent, name, node);
  }

  createAt(identity: Identity, parent: Location, name: string, node: Omit<NewNode, 'uid' | 'gid'>): Location {
    this.#permitChange(parent, identity);
    const directory = parent.inode.permissions();
    // A setgid directory hands down its group, to directories with the bit itself.
    const isSetgid = (directory.mode & 0o2000) !== 0;
    const created = parent.inode.create(name, {
      ...node,
      mode: isSetgid && node.kind === 'directory' ? node.mode | 0o2000 : node.mode,
      uid: identity.uid,
      gid: isSetgid ? directory.gid : identity.gid,
    });
    parent.inode.notify({ type: 'created', name });
    return new Location(parent.mount, created, parent, name);
  }

  unlink(walker: Walker, path: string): Location {
    const { parent, name, location } = this.findEntry(walker, path);
    if (location === undefined) throw new SysError('ENOENT', path);
    if (location.inode.kind === 'directory') throw new SysError('EISDIR', path);
    if (path.endsWith('/')) throw new SysError('ENOTDIR', path);
    this.#permitRemoval(parent, location.inode, walker.identity);
    if (location.inode !== parent.inode.lookup(name)) throw new SysError('EBUSY', path);
    parent.inode.unlink(name);
    parent.inode.notify({ type: 'deleted', name });
    location.inode.notify({ type: 'deleted', name: undefined });
    return location;
  }

  rmdir(walker: Walker, path: string): void {
    if (/(^|\/)\.\/*$/.test(path)) throw new SysError('EINVAL', path);
    const { parent, name, location } = this.findEntry(walker, path);
    if (location === undefined) throw new SysError('ENOENT', path);
    if (location.inode.kind !== 'directory') throw new SysError('ENOTDIR', path);
    if (location.parent === undefined || name === '..') throw new SysError(name === '..' ? 'ENOTEMPTY' : 'EBUSY', path);
    this.#permitRemoval(parent, location.inode, walker.identity);
    if (location.inode !== parent.inode.lookup(name)) throw new SysError('EBUSY', path);
    if (!location.inode.isEmpty) throw new SysError('ENOTEMPTY', path);
    parent.inode.unlink(name);
    parent.inode.notify({ type: 'deleted', name });
    location.inode.notify({ type: 'deleted', name: undefined });
  }

  link(walker: Walker, from: string, to: string): void {
    const source = this.find(walker, from, { noFollow: true });
    if (source.inode.kind === 'directory') throw new SysError('EPERM', from);
    const { parent, name, location } = this.findEntry(walker, to);
    if (location !== undefined) throw new SysError('EEXIST', to);
    if (source.mount !== parent.mount) throw new SysError('EXDEV', to);
    this.#permitChange(parent, walker.identity);
    parent.inode.link(name, source.inode);
    parent.inode.notify({ type: 'created', name });
  }

  rename(walker: Walker, from: string, to: string): void {
    const source = this.findEntry(walker, from);
    if (source.location === undefined) throw new SysError('ENOENT', from);
    const target = this.findEntry(walker, to);
    const moved = source.location.inode;
    const replaced = target.location?.inode;
    if (isDots(source.name) || isDots(target.name) || source.location.parent === undefined) throw new SysError('EBUSY', from);
    if (source.parent.mount !== target.parent.mount) throw new SysError('EXDEV', to);
    if (source.location.mount !== source.parent.mount) throw new SysError('EBUSY', from);
    if (target.location !== undefined && target.location.mount !== target.parent.mount) throw new SysError('EBUSY', to);
    if (moved.kind !== 'directory' && (from.endsWith('/') || (to.endsWith('/') && replaced === undefined)))
      throw new SysError('ENOTDIR', to);
    if (moved === replaced) return;
    if (moved.kind === 'directory' && isWithin(target.parent, moved)) throw new SysError('EINVAL', to);
    this.#permitRemoval(source.parent, moved, walker.identity);
    this.#permitChange(target.parent, walker.identity);
    if (replaced !== undefined) {
      this.#permitRemoval(target.parent, replaced, walker.identity);
      if (replaced.kind === 'directory') {
        if (moved.kind !== 'directory') throw new SysError('EISDIR', to);
        if (!replaced.isEmpty) throw new SysError('ENOTEMPTY', to);
      } else if (moved.kind === 'directory') {
        throw new SysError('ENOTDIR', to);
      }
      target.parent.inode.unlink(target.name);
      replaced.notify({ type: 'deleted', name: undefined });
    }
    source.parent.inode.move(source.name, target.parent.inode, target.name);
    source.parent.inode.notify({ type: 'moved-from', name: source.name });
    target.parent.inode.notify({ type: 'moved-to', name: target.name });
  }

  #newMount(request: MountRequest, at: Location | undefined): Mount {
    return {
      id: this.#nextMount++,
      fs: request.fs,
      root: request.root ?? request.fs.root,
      at,
      source: request.source,
      type: request.type,
      options: request.options,
      isReadOnly: request.options.split(',').includes('ro'),
      children: new Map(),
    };
  }

  #permitChange(directory: Location, identity: Identity): void {
    if (directory.inode.kind !== 'directory') throw new SysError('ENOTDIR');
    this.permit(directory.inode, identity, WRITE | EXECUTE);
    if (directory.isReadOnly) throw new SysError('EROFS');
  }

  /** In a sticky directory only the owner of the entry or of the directory removes it. */
  #permitRemoval(directory: Location, inode: Inode, identity: Identity): void {
    this.#permitChange(directory, identity);
    const { mode, uid } = directory.inode.permissions();
    if ((mode & 0o1000) === 0 || identity.uid === 0 || identity.uid === uid) return;
    if (identity.uid !== inode.permissions().uid) throw new SysError('EPERM');
  }

  #walk(
    walker: Walker,
    path: string,
    followLast: boolean,
  ): { readonly parent: Location; readonly name: string; readonly location: Location | undefined } {
    if (path === '') throw new SysError('ENOENT', path);
    if (path.length >= MAX_PATH) throw new SysError('ENAMETOOLONG', path);
    let at = path.startsWith('/') ? walker.root : walker.cwd;
    let names = split(path);
    let mustBeDirectory = path.endsWith('/') && names.length > 0;
    let links = 0;
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      if (at.inode.kind !== 'directory') throw new SysError('ENOTDIR', path);
      this.permit(at.inode, walker.identity, EXECUTE, path);
      const isLast = index === names.length - 1;
      if (name === '.') continue;
      if (name === '..') {
        at = at.isAt(walker.root) ? at : (at.parent ?? at);
        continue;
      }
      if (name.length > MAX_NAME) throw new SysError('ENAMETOOLONG', path);
      const next = at.child(name);
      if (next === undefined) {
        if (isLast) return { parent: at, name, location: undefined };
        throw new SysError('ENOENT', path);
      }
      if (next.inode.kind === 'symlink' && (!isLast || followLast || mustBeDirectory)) {
        if (++links > MAX_SYMLINKS) throw new SysError('ELOOP', path);
        const magic = next.inode.magicTarget();
        if (magic instanceof Location) {
          at = magic;
          if (isLast) return { parent: next.parent ?? next, name, location: at };
          continue;
        }
        // A descriptor without a path (/proc/self/fd/0 of a pipe): whoever opens it takes the description itself.
        if (magic !== undefined && isLast) return { parent: next.parent ?? next, name, location: next };
        const target = next.inode.target();
        if (isLast && target.endsWith('/')) mustBeDirectory = true;
        if (target.startsWith('/')) at = walker.root;
        names = [...split(target), ...names.slice(index + 1)];
        index = -1;
        if (names.length === 0) return { parent: at, name: '.', location: at };
        continue;
      }
      if (isLast) {
        if (mustBeDirectory && next.inode.kind !== 'directory') throw new SysError('ENOTDIR', path);
        return { parent: at, name, location: next };
      }
      at = next;
    }
    return { parent: at.parent ?? at, name: names.at(-1) ?? '.', location: at };
  }
}

/** Discretionary access control; root passes, but executes only what has an x bit at all. */
export function mayAccess(inode: Inode, identity: Identity, mask: number): boolean {
  const { mode, uid, gid } = inode.permissions();
  if (identity.uid === 0) return (mask & EXECUTE) === 0 || inode.kind === 'directory' || (mode & 0o111) !== 0;
  const shift = identity.uid === uid ? 6 : identity.gid === gid || identity.groups.includes(gid) ? 3 : 0;
  return ((mode >> shift) & 7 & mask) === mask;
}

export function isKind(kind: NodeKind, ...kinds: readonly NodeKind[]): boolean {
  return kinds.includes(kind);
}

function split(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function isDots(name: string): boolean {
  return name === '.' || name === '..';
}

function isWithin(location: Location, inode: Inode): boolean {
  for (let at: Location | undefined = location; at !== undefined; at = at.parent) if (at.inode === inode) return true;
  return false;
}
