// Models the VFS's inode and super block: what every file system offers to the path walk.

import { SysError } from '../sim/errno.ts';

export type NodeKind = 'file' | 'directory' | 'symlink' | 'pipe' | 'character' | 'block' | 'socket';

export interface Attributes {
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly rdev: number;
  readonly sizeBytes: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

export type AttributeChange = Partial<Pick<Attributes, 'mode' | 'uid' | 'gid' | 'atimeMs' | 'mtimeMs'>>;

export interface NewNode {
  readonly kind: NodeKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Where a symlink points. */
  readonly target?: string;
  readonly rdev?: number;
}

export interface Usage {
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly availableBytes: number;
  readonly totalInodes: number;
  readonly usedInodes: number;
}

export interface FileSystem {
  /** `xfs`, `tmpfs`, `overlay`, `proc`... */
  readonly type: string;
  /** st_dev. */
  readonly dev: number;
  readonly root: Inode;
  readonly isReadOnly: boolean;
  usage(): Usage;
  /** Unmounted for good: a file system that lives in memory is gone with it. */
  dispose(): void;
}

export interface NodeChange {
  readonly type: 'created' | 'modified' | 'deleted' | 'moved-to' | 'moved-from';
  /** Name in the directory; undefined when the watched node itself changed. */
  readonly name: string | undefined;
}

/**
 * One object of a file system. A directory hands out the same Inode for a name as long as the object lives, so that mounts
 * and watches can hang on it. Permissions are not checked here but in the path walk.
 */
export abstract class Inode {
  abstract readonly fs: FileSystem;
  abstract readonly ino: number;
  abstract readonly kind: NodeKind;
  /** inotify(7): who wants to hear of changes. */
  watchers: Set<(change: NodeChange) => void> | undefined;
  /** What hangs on it beside its data: a listening unix socket, a named pipe's buffer. */
  attachment: object | undefined;

  abstract attributes(): Attributes;
  abstract setAttributes(change: AttributeChange): void;

  /** What access control looks at, for every name of every path that is walked: cheaper than all attributes. */
  permissions(): Pick<Attributes, 'mode' | 'uid' | 'gid'> {
    return this.attributes();
  }

  /** Grows with each change of the contents. */
  get version(): number {
    return 0;
  }

  lookup(_name: string): Inode | undefined {
    throw new SysError('ENOTDIR');
  }
  names(): readonly string[] {
    throw new SysError('ENOTDIR');
  }
  get isEmpty(): boolean {
    return this.names().length === 0;
  }
  /** The name must be free. */
  create(_name: string, _node: NewNode): Inode {
    throw new SysError('EPERM');
  }
  link(_name: string, _inode: Inode): void {
    throw new SysError('EPERM');
  }
  unlink(_name: string): void {
    throw new SysError('EPERM');
  }
  /** Moves an entry to a directory of the same file system, where the name must be free. */
  move(_name: string, _to: Inode, _newName: string): void {
    throw new SysError('EPERM');
  }

  /** At most `length` bytes from `offset`; empty at the end of the file. */
  read(_offset: number, _length: number): Uint8Array {
    throw new SysError(this.kind === 'directory' ? 'EISDIR' : 'EINVAL');
  }
  write(_offset: number, _bytes: Uint8Array): void {
    throw new SysError(this.kind === 'directory' ? 'EISDIR' : 'EINVAL');
  }
  truncate(_sizeBytes: number): void {
    throw new SysError(this.kind === 'directory' ? 'EISDIR' : 'EINVAL');
  }
  target(): string {
    throw new SysError('EINVAL');
  }
  /** The object a magic link (/proc/PID/fd/N) leads to without a path. */
  magicTarget(): object | undefined {
    return undefined;
  }

  notify(change: NodeChange): void {
    if (this.watchers !== undefined) for (const watcher of [...this.watchers]) watcher(change);
  }
}

export function isOnSameFs(a: Inode, b: Inode): boolean {
  return a.fs === b.fs;
}
