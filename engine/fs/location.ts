// Models the pair of mount and dentry: where in the tree an object was found, and by which names.

import type { FileSystem, Inode } from './inode.ts';

export interface Mount {
  readonly id: number;
  readonly fs: FileSystem;
  readonly root: Inode;
  /** What it covers; undefined for the first mount. */
  readonly at: Location | undefined;
  readonly source: string;
  readonly type: string;
  /** Changed by a remount. */
  options: string;
  isReadOnly: boolean;
  /** Mounts on top of this one, by the inode they cover. */
  readonly children: Map<Inode, Mount>;
}

export class Location {
  readonly mount: Mount;
  readonly inode: Inode;
  /** The directory it was found in; crossing a mount point leads to the directory that holds it. */
  readonly parent: Location | undefined;
  readonly name: string;

  constructor(mount: Mount, inode: Inode, parent: Location | undefined, name: string) {
    this.mount = mount;
    this.inode = inode;
    this.parent = parent;
    this.name = name;
  }

  get isReadOnly(): boolean {
    return this.mount.isReadOnly || this.mount.fs.isReadOnly;
  }

  /** The entry of that name, with whatever is mounted on it. */
  child(name: string): Location | undefined {
    const found = this.inode.lookup(name);
    if (found === undefined) return undefined;
    let mount = this.mount;
    let inode = found;
    for (let top = mount.children.get(inode); top !== undefined; top = mount.children.get(inode)) {
      mount = top;
      inode = top.root;
    }
    return new Location(mount, inode, this, name);
  }

  isAt(other: Location): boolean {
    return this.inode === other.inode && this.mount === other.mount;
  }

  /** Absolute as seen from `root`; of the whole tree if left out. */
  path(root?: Location): string {
    let path = '';
    for (let at: Location = this; at.parent !== undefined; at = at.parent) {
      if (root !== undefined && at.isAt(root)) break;
      path = `/${at.name}${path}`;
    }
    return path === '' ? '/' : path;
  }

  isWithin(root: Location): boolean {
    for (let at: Location | undefined = this; at !== undefined; at = at.parent) if (at.isAt(root)) return true;
    return false;
  }

  /** False once it was unlinked from the directory it was found in. */
  get isLinked(): boolean {
    if (this.parent === undefined) return true;
    return this.parent.inode.kind === 'directory' && this.parent.child(this.name)?.inode === this.inode && this.parent.isLinked;
  }
}
