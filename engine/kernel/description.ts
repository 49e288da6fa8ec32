// Models open file descriptions: what descriptors, across dup and fork, share.

import { SysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import { ComputedInode } from '../fs/computed-fs.ts';
import type { Inode } from '../fs/inode.ts';
import type { Location } from '../fs/location.ts';
import type { FileKind, Stat, Tty } from './process.ts';
import type { Task } from './task.ts';

/** A read or write that has to wait for `onReady`. */
export const WOULD_BLOCK = Symbol('would block');
/** The caller was stopped by job control: try again once it runs. */
export const RETRY = Symbol('retry');

export type ReadResult = Uint8Array | undefined | typeof WOULD_BLOCK | typeof RETRY;

/** How a descriptor of a durable process is found again when a saved lab is opened. */
export type SavedDescription =
  | {
      readonly type: 'path';
      readonly path: string;
      readonly read: boolean;
      readonly write: boolean;
      readonly append: boolean;
      readonly offset: number;
    }
  | { readonly type: 'pipe'; readonly id: number; readonly end: 'read' | 'write' }
  | { readonly type: 'pty'; readonly id: number; readonly end: 'master' | 'slave' };

export abstract class Description {
  refs = 0;
  abstract readonly kind: FileKind;
  abstract readonly path: string;
  /** Fires when a read or a write that had to wait may go on. */
  readonly onReady = new Emitter<void>();

  get tty(): Tty | undefined {
    return undefined;
  }
  /** Undefined is end of file. */
  abstract tryRead(maxBytes: number, task: Task): ReadResult;
  /** Number of bytes taken. */
  abstract tryWrite(bytes: Uint8Array, task: Task): number | typeof WOULD_BLOCK | typeof RETRY;
  abstract get isReadable(): boolean;
  abstract stat(): Stat;

  seek(_offset: number, _whence: 'set' | 'current' | 'end'): number {
    throw new SysError('ESPIPE');
  }
  truncate(_sizeBytes: number): void {
    throw new SysError('EINVAL');
  }
  /** The last descriptor is gone. */
  release(): void {
    this.onReady.emit();
  }
  save(): SavedDescription | undefined {
    return undefined;
  }
}

export function statOf(inode: Inode): Stat {
  const attributes = inode.attributes();
  return { kind: inode.kind, dev: inode.fs.dev, ino: inode.ino, ...attributes };
}

export interface AccessMode {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
}

/** A regular file or a directory. */
export class FileDescription extends Description {
  readonly location: Location;
  readonly #access: AccessMode;
  #offset = 0;
  #snapshot: Uint8Array | undefined;

  constructor(location: Location, access: AccessMode) {
    super();
    this.location = location;
    this.#access = access;
  }

  get kind(): FileKind {
    return this.location.inode.kind;
  }
  get path(): string {
    const path = this.location.path();
    return this.location.isLinked ? path : `${path} (deleted)`;
  }
  get isReadable(): boolean {
    return true;
  }

  tryRead(maxBytes: number): ReadResult {
    if (!this.#access.read) throw new SysError('EBADF');
    const inode = this.location.inode;
    let bytes: Uint8Array;
    if (inode instanceof ComputedInode && inode.kind === 'file') {
      if (this.#offset === 0 || this.#snapshot === undefined) this.#snapshot = inode.snapshot();
      bytes = this.#snapshot.subarray(this.#offset, this.#offset + maxBytes);
    } else {
      bytes = inode.read(this.#offset, maxBytes);
    }
    if (bytes.length === 0) return undefined;
    this.#offset += bytes.length;
    return bytes;
  }

  tryWrite(bytes: Uint8Array): number {
    if (!this.#access.write) throw new SysError('EBADF');
    const inode = this.location.inode;
    if (this.#access.append) this.#offset = inode.attributes().sizeBytes;
    inode.write(this.#offset, bytes);
    this.#offset += bytes.length;
    this.#modified();
    return bytes.length;
  }

  stat(): Stat {
    return statOf(this.location.inode);
  }

  override seek(offset: number, whence: 'set' | 'current' | 'end'): number {
    const base = whence === 'set' ? 0 : whence === 'current' ? this.#offset : this.location.inode.attributes().sizeBytes;
    if (base + offset < 0) throw new SysError('EINVAL');
    this.#offset = base + offset;
    return this.#offset;
  }

  override truncate(sizeBytes: number): void {
    if (!this.#access.write) throw new SysError('EINVAL');
    this.location.inode.truncate(sizeBytes);
    this.#modified();
  }

  override save(): SavedDescription | undefined {
    if (!this.location.isLinked) return undefined;
    return { type: 'path', path: this.location.path(), ...this.#access, offset: this.#offset };
  }

  #modified(): void {
    notifyModified(this.location);
  }
}

/** Tells those who watch the file or its directory. */
export function notifyModified(location: Location): void {
  location.inode.notify({ type: 'modified', name: undefined });
  location.parent?.inode.notify({ type: 'modified', name: location.name });
}
