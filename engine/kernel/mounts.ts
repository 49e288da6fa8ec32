// Models mount(2) and the table of mounts, which is part of the machine's durable state.
// Not modelled: mount namespaces (a container sees what is mounted below its root), propagation.

import { SysError } from '../sim/errno.ts';
import { invariant } from '../sim/invariant.ts';
import type { ImageTree } from '../fs/image-tree.ts';
import type { FileSystem } from '../fs/inode.ts';
import { LayerFs } from '../fs/layer-fs.ts';
import { Location, type Mount } from '../fs/location.ts';
import { OverlayFs } from '../fs/overlay-fs.ts';
import type { MountRequest, Vfs, Walker } from '../fs/vfs.ts';
import type { Journal } from '../store/journal.ts';
import type { StatFs } from './process.ts';

export interface MountCall {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options?: string;
}

interface Saved extends MountCall {
  readonly options: string;
  /** Keys of a tmpfs. */
  readonly tmpfs?: number;
}

export interface MountsOptions {
  readonly vfs: Vfs;
  readonly now: () => number;
  readonly journal: Journal;
  /** Ends with a slash. */
  readonly prefix: string;
  readonly memoryBytes: number;
  readonly images: (name: string) => ImageTree | undefined;
  /** File systems by type or by device: proc, sysfs, devtmpfs, /dev/sda1. */
  readonly known: (source: string, type: string) => FileSystem | undefined;
  /** A process works in it or holds a file of it open. */
  readonly isBusy: (mount: Mount) => boolean;
  readonly onChange: () => void;
}

export class Mounts {
  readonly #options: MountsOptions;
  readonly #saved = new Map<Mount, Saved>();
  readonly #images = new Map<string, LayerFs>();
  #nextDev = 40;
  #nextTmpfs = 1;

  constructor(options: MountsOptions) {
    this.#options = options;
  }

  mount(walker: Walker, call: MountCall): Mount {
    const { vfs } = this.#options;
    const options = (call.options ?? '').split(',').filter((option) => option !== '' && option !== 'defaults');
    const at = vfs.find(walker, call.target);
    if (options.includes('remount')) return this.#remount(at, options);
    const tmpfs = call.type === 'tmpfs' || call.type === 'ramfs' ? this.#nextTmpfs++ : undefined;
    const request = this.#request(walker, call, options, tmpfs);
    const mount = vfs.mount(at, request);
    this.#saved.set(mount, {
      source: request.root !== undefined && options.some(isBind) ? vfs.find(walker, call.source).path() : call.source,
      target: at.path(),
      type: call.type,
      options: options.join(','),
      ...(tmpfs === undefined ? {} : { tmpfs }),
    });
    this.#changed();
    return mount;
  }

  /** A mount the kernel makes itself at every start; it is not recorded. */
  mountInitial(target: string, request: MountRequest): Mount {
    const { vfs } = this.#options;
    return vfs.mount(vfs.find(rootWalker(vfs), target), request);
  }

  unmount(walker: Walker, target: string, options?: { readonly lazy?: boolean }): void {
    const at = this.#options.vfs.find(walker, target);
    // A source names a mount too (umount /dev/sda1): programs resolve that; here only the place counts.
    if (at.inode !== at.mount.root || at.mount.at === undefined) throw new SysError('EINVAL', target);
    if (options?.lazy === true) {
      for (const below of [...this.#options.vfs.mounts].reverse()) {
        if (below !== at.mount && below.at?.path().startsWith(`${at.path()}/`) === true) this.#drop(below);
      }
    } else if (at.mount.children.size > 0 || this.#options.isBusy(at.mount)) {
      throw new SysError('EBUSY', target);
    }
    this.#drop(at.mount);
    this.#changed();
  }

  describe(mount: Mount, root: Location): StatFs {
    const usage = mount.fs.usage();
    return {
      source: mount.source,
      type: mount.type,
      target: targetSeen(mount, root) ?? '/',
      ...usage,
      options: mount.options,
    };
  }

  /** What is mounted at or below `root`, in order of mounting. */
  list(root: Location): readonly StatFs[] {
    const seen: StatFs[] = [];
    for (const mount of this.#options.vfs.mounts) {
      if (targetSeen(mount, root) !== undefined) seen.push(this.describe(mount, root));
    }
    return seen;
  }

  count(type: string): number {
    return this.#options.vfs.mounts.filter((mount) => mount.type === type).length;
  }

  /** Mounts again what the store has (opening a lab). */
  restore(): void {
    const { journal, prefix, vfs } = this.#options;
    const saved = JSON.parse(journal.get(`${prefix}mounts`) ?? '[]') as readonly Saved[];
    const walker = rootWalker(vfs);
    for (const one of saved) {
      if (one.tmpfs !== undefined) this.#nextTmpfs = Math.max(this.#nextTmpfs, one.tmpfs + 1);
      const options = one.options.split(',').filter((option) => option !== '');
      const mount = vfs.mount(vfs.find(walker, one.target), this.#request(walker, one, options, one.tmpfs));
      this.#saved.set(mount, one);
    }
  }

  /** A durable tmpfs that the kernel mounts itself (/run). */
  newTmpfs(name: string, options: { readonly sizeBytes: number; readonly mode: number }): LayerFs {
    const { journal, prefix, now } = this.#options;
    return new LayerFs({
      type: 'tmpfs',
      dev: this.#nextDev++,
      now,
      capacityBytes: options.sizeBytes,
      rootMode: options.mode,
      store: { journal, prefix: `${prefix}tmpfs/${name}/` },
    });
  }

  #request(walker: Walker, call: MountCall, options: readonly string[], tmpfs: number | undefined): MountRequest {
    const { vfs } = this.#options;
    if (options.some(isBind)) {
      const from = vfs.find(walker, call.source);
      const shown = options.filter((option) => !isBind(option));
      const access = shown.includes('ro') ? shown : ['rw', ...shown.filter((option) => option !== 'rw')];
      return {
        fs: from.mount.fs,
        root: from.inode,
        source: from.mount.source,
        type: from.mount.type,
        options: mergeOptions(access, from.mount.options),
      };
    }
    const fs = this.#fileSystem(walker, call, options, tmpfs);
    const shown = options.includes('ro') || options.includes('rw') ? options : ['rw', ...options];
    return { fs, source: call.source, type: fs.type, options: shown.includes('relatime') ? shown.join(',') : addRelatime(shown) };
  }

  #fileSystem(walker: Walker, call: MountCall, options: readonly string[], tmpfs: number | undefined): FileSystem {
    switch (call.type) {
      case 'tmpfs':
      case 'ramfs':
        invariant(tmpfs !== undefined, 'a tmpfs has a number');
        return this.newTmpfs(String(tmpfs), {
          sizeBytes: parseSize(value(options, 'size'), this.#options.memoryBytes) ?? Math.floor(this.#options.memoryBytes / 2),
          mode: parseInt(value(options, 'mode') ?? '1777', 8),
        });
      case 'overlay':
        return this.#overlay(walker, options);
      case 'image':
        return this.#image(call.source);
      default: {
        const known = this.#options.known(call.source, call.type);
        if (known === undefined) throw new SysError(call.source.startsWith('/dev/') ? 'EINVAL' : 'ENODEV', call.type);
        return known;
      }
    }
  }

  #overlay(walker: Walker, options: readonly string[]): OverlayFs {
    const { vfs } = this.#options;
    const lowerdir = value(options, 'lowerdir');
    if (lowerdir === undefined) throw new SysError('EINVAL', 'lowerdir');
    // Names of images may hold colons (sha256:...): a new layer starts with a slash or `image:`.
    const lowers = lowerdir
      .split(/:(?=\/|image:)/)
      .map((lower) => (lower.startsWith('image:') ? this.#image(lower.slice('image:'.length)).root : vfs.find(walker, lower).inode));
    const upperdir = value(options, 'upperdir');
    if (upperdir !== undefined && value(options, 'workdir') === undefined) throw new SysError('EINVAL', 'workdir');
    const upper = upperdir === undefined ? undefined : vfs.find(walker, upperdir).inode;
    if (upper !== undefined && upper.kind !== 'directory') throw new SysError('ENOTDIR', upperdir);
    return new OverlayFs({ dev: this.#nextDev++, upper, lowers });
  }

  #image(name: string): LayerFs {
    let fs = this.#images.get(name);
    if (fs === undefined) {
      const image = this.#options.images(name);
      if (image === undefined) throw new SysError('ENOENT', name);
      fs = new LayerFs({ type: 'image', dev: this.#nextDev++, now: this.#options.now, capacityBytes: 0, image, isReadOnly: true });
      this.#images.set(name, fs);
    }
    return fs;
  }

  #remount(at: Location, options: readonly string[]): Mount {
    const { mount } = at;
    if (at.inode !== mount.root) throw new SysError('EINVAL', at.path());
    const others = options.filter((option) => option !== 'remount' && option !== 'bind');
    if (others.includes('ro') || others.includes('rw')) mount.isReadOnly = others.includes('ro');
    const kept = mount.options.split(',').filter((option) => option !== 'ro' && option !== 'rw' && !others.includes(option));
    mount.options = [mount.isReadOnly ? 'ro' : 'rw', ...others.filter((option) => option !== 'ro' && option !== 'rw'), ...kept].join(',');
    const saved = this.#saved.get(mount);
    if (saved !== undefined) this.#saved.set(mount, { ...saved, options: `${saved.options},${mount.isReadOnly ? 'ro' : 'rw'}` });
    this.#changed();
    return mount;
  }

  #drop(mount: Mount): void {
    this.#options.vfs.unmount(mount);
    this.#saved.delete(mount);
    const isUsed = this.#options.vfs.mounts.some((other) => other.fs === mount.fs);
    if (!isUsed && mount.type === 'tmpfs' && mount.fs instanceof LayerFs) mount.fs.records?.erase();
  }

  #changed(): void {
    const { journal, prefix } = this.#options;
    journal.putLater(`${prefix}mounts`, () => JSON.stringify([...this.#saved.values()]));
    this.#options.onChange();
  }
}

function rootWalker(vfs: Vfs): Walker {
  return { identity: { uid: 0, gid: 0, groups: [] }, root: vfs.root, cwd: vfs.root };
}

/** Where a process with that root sees the mount; undefined when it lies outside. */
function targetSeen(mount: Mount, root: Location): string | undefined {
  if (mount === root.mount && root.inode === mount.root) return '/';
  if (mount.at === undefined) return root.parent === undefined ? '/' : undefined;
  if (!mount.at.isWithin(root)) return undefined;
  return mount.at.path(root);
}

function isBind(option: string): boolean {
  return option === 'bind' || option === 'rbind';
}

function value(options: readonly string[], name: string): string | undefined {
  return options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
}

function parseSize(size: string | undefined, memoryBytes: number): number | undefined {
  const match = /^(\d+)([kmg%]?)$/i.exec(size ?? '');
  if (match === null) return undefined;
  const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, '%': memoryBytes / 100 };
  return Math.floor(Number(match[1]) * (units[match[2]!.toLowerCase()] ?? 1));
}

function addRelatime(options: readonly string[]): string {
  const at = options.findIndex((option) => option.includes('='));
  return (at < 0 ? [...options, 'relatime'] : [...options.slice(0, at), 'relatime', ...options.slice(at)]).join(',');
}

function mergeOptions(first: readonly string[], second: string): string {
  const rest = second.split(',').filter((option) => option !== 'ro' && option !== 'rw' && !first.includes(option));
  return [...first, ...rest].join(',');
}
