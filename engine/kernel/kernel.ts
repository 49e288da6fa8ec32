// The kernel of one machine as its privileged users see it: systemd, docker, kubelet, modprobe, sysctl, dmesg.

import type { Disposable } from '../sim/disposable.ts';
import type { NetStack } from '../net/net-stack.ts';
import type { ProcessInfo } from './process.ts';

export interface ModuleInfo {
  readonly name: string;
  readonly sizeBytes: number;
  /** Names of loaded modules that use it. */
  readonly usedBy: readonly string[];
  /** References other than by modules; a module with any is in use. */
  readonly references: number;
}

export interface Modules {
  list(): readonly ModuleInfo[];
  isLoaded(name: string): boolean;
  /** Loads it and what it depends on. ENOENT when the kernel has no such module. */
  load(name: string): void;
  /** Unloads it and, as `modprobe -r`, dependencies nobody else uses. EBUSY when in use, ENOENT when not loaded. */
  unload(name: string): void;
  /** rmmod(8): this module alone. EBUSY when in use, ENOENT when not loaded. */
  remove(name: string): void;
  onChange(listener: (change: { readonly name: string; readonly isLoaded: boolean }) => void): Disposable;
}

export interface Sysctl {
  /** Keys with dots, of the given network namespace for net.*; keys of modules that are not loaded do not exist. */
  keys(netNamespace?: string): readonly string[];
  /** ENOENT when there is no such key. */
  get(key: string, netNamespace?: string): string;
  /** ENOENT, EINVAL, EACCES (read only). */
  set(key: string, value: string, netNamespace?: string): void;
}

export interface NetNamespaces {
  /** The machine's own is `host`. */
  get(name: string): NetStack;
  names(): readonly string[];
  create(name: string): NetStack;
  /** Takes its links with it. */
  delete(name: string): void;
}

export interface KernelMessage {
  readonly uptimeMs: number;
  readonly level: number;
  readonly text: string;
}

export interface Kernel {
  readonly machine: string;
  readonly release: string;
  /** date -s: moves this machine's wall clock, not lab time. */
  setTime(nowMs: number): void;
  readonly bootMs: number;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly modules: Modules;
  readonly sysctl: Sysctl;
  readonly netNamespaces: NetNamespaces;
  /** dmesg(1). */
  readonly messages: readonly KernelMessage[];
  log(text: string, level?: number): void;
  /** dmesg -C. */
  clearMessages(): void;
  onMessage(listener: (message: KernelMessage) => void): Disposable;
  processes(): readonly ProcessInfo[];
  process(pid: number): ProcessInfo | undefined;
  /** Fires for every process that ends, after it is a zombie or gone. */
  onExit(
    listener: (ended: {
      readonly pid: number;
      readonly status: number;
      readonly signal: string | undefined;
      readonly cgroup: string;
    }) => void,
  ): Disposable;
  /** Memory used as free(1) counts it. */
  readonly usedMemoryBytes: number;
  /** What this hardware can be asked to do: init's last step. */
  power(action: 'off' | 'reboot' | 'halt'): void;
  /**
   * A read-only tree that ships with the lab (the machine's base image, a container image's root), to mount as
   * `image` with this name as source. ENOENT when there is none.
   */
  hasImage(name: string): boolean;
  /** Opens or creates a keyed database file (as etcd's bolt file is): every entry is kept on its own, so a change costs one entry. */
  database(path: string): Database;
}

export interface Database {
  get(key: string): string | undefined;
  put(key: string, value: string): void;
  delete(key: string): void;
  /** In order of keys. */
  entries(prefix?: string): readonly (readonly [string, string])[];
}
