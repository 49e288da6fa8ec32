// Models open(2) and what the special files behind it do.

import { SysError } from '../sim/errno.ts';
import type { Inode } from '../fs/inode.ts';
import type { Location } from '../fs/location.ts';
import { READ, WRITE, type Vfs, type Walker } from '../fs/vfs.ts';
import { Description, FileDescription, notifyModified } from './description.ts';
import type { Devices } from './devices.ts';
import { PipeBuffer, PipeEnd } from './pipe.ts';
import type { OpenFlags } from './process.ts';
import type { Task } from './task.ts';

export class Files {
  readonly #vfs: Vfs;
  readonly #devices: Devices;
  readonly #newPipe: () => PipeBuffer;
  readonly #now: () => number;

  constructor(options: { readonly vfs: Vfs; readonly devices: Devices; readonly newPipe: () => PipeBuffer; readonly now: () => number }) {
    this.#vfs = options.vfs;
    this.#devices = options.devices;
    this.#newPipe = options.newPipe;
    this.#now = options.now;
  }

  /** A new open file description; the caller installs it. */
  open(walker: Walker, task: Task, path: string, flags: OpenFlags): Description {
    const { location } = this.#vfs.findEntry(walker, path, { follow: true });
    if (location === undefined) return this.#create(walker, task, path, flags);
    if (flags.create === true && flags.exclusive === true) throw new SysError('EEXIST', path);
    return this.#openExisting(walker, task, location, path, flags);
  }

  /** Removes a name; a unix socket that listens on it goes on without one. */
  unlink(walker: Walker, path: string): void {
    this.#vfs.unlink(walker, path);
  }

  #create(walker: Walker, task: Task, path: string, flags: OpenFlags): Description {
    if (flags.create !== true) throw new SysError('ENOENT', path);
    if (path.endsWith('/')) throw new SysError('EISDIR', path);
    // Creating through a dangling link creates what it points to.
    const target = this.#vfs.findEntry(walker, path).location === undefined ? path : this.#danglingTarget(walker, path);
    const location = this.#vfs.create(walker, target, { kind: 'file', mode: (flags.mode ?? 0o666) & ~task.umask });
    return new FileDescription(location, accessOf(flags));
  }

  #danglingTarget(walker: Walker, path: string): string {
    let at = path;
    for (let depth = 0; depth < 40; depth++) {
      const { location } = this.#vfs.findEntry(walker, at);
      if (location === undefined || location.inode.kind !== 'symlink') return at;
      const target = location.inode.target();
      at = target.startsWith('/') ? target : `${at.replace(/[^/]*$/, '')}${target}`;
    }
    throw new SysError('ELOOP', path);
  }

  #openExisting(walker: Walker, task: Task, location: Location, path: string, flags: OpenFlags): Description {
    const { inode } = location;
    const access = accessOf(flags);
    const magic = inode.kind === 'symlink' ? inode.magicTarget() : undefined;
    if (magic instanceof Description) return magic;
    if (inode.kind === 'directory' && (access.write || flags.create === true)) throw new SysError('EISDIR', path);
    if (flags.directory === true && inode.kind !== 'directory') throw new SysError('ENOTDIR', path);
    if (inode.kind === 'socket') throw new SysError('ENXIO', path);
    this.#vfs.permit(inode, walker.identity, (access.read ? READ : 0) | (access.write ? WRITE : 0), path);
    switch (inode.kind) {
      case 'character':
      case 'block':
        return this.#devices.open(inode.attributes().rdev, location, task);
      case 'pipe':
        return this.#openFifo(inode, location, access);
      default:
    }
    if (access.write && location.isReadOnly) throw new SysError('EROFS', path);
    if (flags.truncate === true && access.write && inode.attributes().sizeBytes > 0) {
      inode.truncate(0);
      notifyModified(location);
    }
    return new FileDescription(location, access);
  }

  #openFifo(inode: Inode, location: Location, access: { readonly read: boolean; readonly write: boolean }): Description {
    if (!(inode.attachment instanceof PipeBuffer)) inode.attachment = this.#newPipe();
    const end = access.read && access.write ? 'both' : access.write ? 'write' : 'read';
    return new PipeEnd(inode.attachment as PipeBuffer, end, { now: this.#now, path: location.path() });
  }
}

function accessOf(flags: OpenFlags): { readonly read: boolean; readonly write: boolean; readonly append: boolean } {
  return {
    read: flags.read ?? (flags.write !== true && flags.append !== true),
    write: flags.write === true || flags.append === true,
    append: flags.append === true,
  };
}
