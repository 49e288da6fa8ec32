// Models the kernel of one machine: puts its parts together and keeps what of them is durable.

import type { Clock } from '../sim/clock.ts';
import type { Disposable } from '../sim/disposable.ts';
import { Emitter } from '../sim/event.ts';
import type { Rng } from '../sim/rng.ts';
import type { ImageTree } from '../fs/image-tree.ts';
import { LayerFs } from '../fs/layer-fs.ts';
import { Vfs } from '../fs/vfs.ts';
import type { NetHost, NetStackOptions, OwnedNetStack } from '../net/net-stack.ts';
import type { Journal } from '../store/journal.ts';
import type { Location } from '../fs/location.ts';
import { Databases } from './database.ts';
import { Devices } from './devices.ts';
import { Loader } from './executable.ts';
import { Files } from './files.ts';
import type { Database, Kernel, KernelMessage, Modules } from './kernel.ts';
import { KernelModules } from './modules.ts';
import { Mounts } from './mounts.ts';
import { NetNamespaceTable } from './net-namespaces.ts';
import { ProcessTable } from './process-table.ts';
import type { Program, SignalName } from './process.ts';
import { procFs } from './proc/proc-fs.ts';
import { sysFs } from './proc/sys-fs.ts';
import { cgroupFs } from './proc/cgroup-fs.ts';
import { SysctlTree } from './sysctl.ts';
import type { Task } from './task.ts';

export interface KernelOptions {
  readonly machine: string;
  readonly release: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly journal: Journal;
  readonly programs: { get(name: string): Program | undefined };
  readonly images: (name: string) => ImageTree | undefined;
  /** Base image of the disk. */
  readonly image: ImageTree;
  /** What the image's files stand for on a real disk. */
  readonly baseUsedBytes: number;
  readonly imageTimeMs: number;
  readonly createNetStack: (options: NetStackOptions) => OwnedNetStack;
  /** Plugs the hardware into the machine's own network namespace. */
  readonly attachHardware: (stack: OwnedNetStack) => void;
  readonly onPower: (action: 'off' | 'reboot' | 'halt') => void;
  /** Goes on with what the store has of a running kernel instead of starting fresh. */
  readonly isResumed: boolean;
}

interface SavedKernel {
  readonly bootMs: number;
  readonly clockOffsetMs: number;
  readonly hostname: string;
  readonly lastPid: number;
  readonly modules: readonly string[];
  readonly sysctl: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly messages: readonly KernelMessage[];
}

/** As CONFIG_LOG_BUF_SHIFT allows of usual lines. */
const MAX_MESSAGES = 2000;
const BOOT_BYTES = 1_063_256_064;

/** /dev/sda1, mounted on /boot. */
const BOOT_IMAGE: ImageTree = {
  name: 'boot',
  entries: new Map([
    ['/grub2/grub.cfg', { kind: 'file', contents: 'set default="0"\nset timeout=5\n', mode: 0o644 }],
    ['/efi', { kind: 'directory' }],
  ]),
};

export class LinuxKernel implements Kernel {
  readonly machine: string;
  readonly release: string;
  readonly bootMs: number;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly journal: Journal;
  readonly prefix: string;
  readonly vfs: Vfs;
  readonly devices: Devices;
  readonly files: Files;
  readonly mounts: Mounts;
  readonly modules: Modules & KernelModules;
  readonly sysctl: SysctlTree;
  readonly netNamespaces: NetNamespaceTable;
  readonly table: ProcessTable;
  /** The process whose call is being served: what /proc/self means. */
  viewer: Task | undefined;
  clockOffsetMs: number;
  hostname: string;
  readonly #options: KernelOptions;
  readonly #databases: Databases;
  readonly #messages: KernelMessage[] = [];
  readonly #onMessage = new Emitter<KernelMessage>();
  readonly #onFlush: Disposable;
  #isDirty = true;
  #isDisposed = false;

  constructor(options: KernelOptions) {
    this.#options = options;
    this.machine = options.machine;
    this.release = options.release;
    this.memoryBytes = options.memoryBytes;
    this.cpus = options.cpus;
    this.clock = options.clock;
    this.rng = options.rng;
    this.journal = options.journal;
    this.prefix = `machine/${options.machine}/`;
    const saved = options.isResumed ? readSaved(options.journal, this.prefix) : undefined;
    this.bootMs = saved?.bootMs ?? options.clock.now();
    this.clockOffsetMs = saved?.clockOffsetMs ?? (Number(options.journal.get(`${this.prefix}clock-offset`) ?? 0) || 0);
    this.hostname = saved?.hostname ?? '(none)';
    this.#messages.push(...(saved?.messages ?? []));

    const now = (): number => this.now();
    const disk = new LayerFs({
      type: 'xfs',
      dev: 64768,
      now,
      capacityBytes: options.diskBytes,
      baseUsedBytes: options.baseUsedBytes,
      image: options.image,
      imageTimeMs: options.imageTimeMs,
      store: { journal: options.journal, prefix: `disk/${options.machine}/` },
    });
    this.vfs = new Vfs({ fs: disk, source: '/dev/mapper/centos_k8s-root', type: 'xfs', options: 'rw,relatime,attr2,inode64,noquota' });
    this.table = new ProcessTable(this);
    this.devices = new Devices({ jobs: this.table, rng: options.rng.fork('devices'), now, kmsg: this });
    this.files = new Files({ vfs: this.vfs, devices: this.devices, newPipe: () => this.table.newPipeBuffer(), now });
    this.modules = new KernelModules({
      log: (text) => this.log(text, 6),
      references: (name) => this.#moduleReferences(name),
      isPinned: (name) => name === 'bridge' && this.#hasBridge(),
      onDirty: () => this.changedState(),
    });
    this.sysctl = new SysctlTree({
      kernel: this,
      isModuleLoaded: (name) => this.modules.isLoaded(name),
      onDirty: () => this.changedState(),
    });
    this.netNamespaces = new NetNamespaceTable({
      clock: options.clock,
      rng: options.rng.fork('net'),
      journal: options.journal,
      prefix: `${this.prefix}net/`,
      host: this.#netHost(),
      createNetStack: options.createNetStack,
      onDelete: (name) => this.sysctl.forget(name),
    });
    this.mounts = new Mounts({
      vfs: this.vfs,
      now,
      journal: options.journal,
      prefix: this.prefix,
      memoryBytes: options.memoryBytes,
      images: options.images,
      known: (source, type) => this.#knownFileSystem(source, type),
      isBusy: (mount) => this.table.uses(mount),
      onChange: () => undefined,
    });
    this.#databases = new Databases({
      journal: options.journal,
      prefix: `database/${options.machine}/`,
      volatilePrefix: `${this.prefix}database/`,
      vfs: this.vfs,
      now,
    });
    this.#mountInitial();
    if (saved === undefined) this.modules.loadInitial();
    else this.modules.restore(saved.modules);
    options.attachHardware(this.netNamespaces.createHost());
    if (saved !== undefined) {
      this.sysctl.restore(saved.sysctl);
      this.table.lastPid = saved.lastPid;
      this.netNamespaces.restore();
      this.mounts.restore();
    }
    this.table.addKernelThreads();
    this.#onFlush = options.journal.onBeforeFlush.on(() => this.#save());
  }

  get loader(): Loader {
    this.#loader ??= new Loader(this.vfs, this.#options.programs);
    return this.#loader;
  }
  #loader: Loader | undefined;

  now(): number {
    return this.clock.now() + this.clockOffsetMs;
  }

  /** date -s: moves this machine's wall clock. */
  setTime(nowMs: number): void {
    this.clockOffsetMs = Math.round(nowMs - this.clock.now());
    this.changedState();
  }

  /** Starts the first process: pid 1 in an empty table. */
  startInit(path: string, argv: readonly string[]): void {
    this.table.startInit(path, argv);
  }

  get messages(): readonly KernelMessage[] {
    return this.#messages;
  }

  log(text: string, level = 6): void {
    const message = { uptimeMs: this.clock.now() - this.bootMs, level, text };
    this.#messages.push(message);
    if (this.#messages.length > MAX_MESSAGES) this.#messages.splice(0, this.#messages.length - MAX_MESSAGES);
    this.changedState();
    this.#onMessage.emit(message);
  }

  /** dmesg -c. */
  clearMessages(): void {
    this.#messages.length = 0;
    this.changedState();
  }

  onMessage(listener: (message: KernelMessage) => void): Disposable {
    return this.#onMessage.on(listener);
  }

  processes(): ReturnType<Kernel['processes']> {
    return this.table.processesIn(this.table.rootNamespace);
  }

  process(pid: number): ReturnType<Kernel['process']> {
    const task = this.table.find(pid);
    return task === undefined ? undefined : this.table.infoOf(task, this.table.rootNamespace);
  }

  onExit(listener: Parameters<Kernel['onExit']>[0]): Disposable {
    return this.table.onEnd.on(listener);
  }

  get usedMemoryBytes(): number {
    // What the kernel itself, slabs and page tables take on an idle node.
    let used = 190 * 1024 * 1024;
    for (const task of this.table.tasks) used += task.residentBytes * 0.7;
    return Math.min(Math.floor(used), this.memoryBytes);
  }

  power(action: 'off' | 'reboot' | 'halt'): void {
    this.#options.onPower(action);
  }

  hasImage(name: string): boolean {
    return this.#options.images(name) !== undefined;
  }

  database(path: string, root?: Location): Database {
    return this.#databases.open(path, root);
  }

  /** SIGKILL from the hardware's side: a signal from outside every namespace. */
  killProcess(pid: number, signal: SignalName): void {
    const task = this.table.find(pid);
    if (task !== undefined) this.table.deliver(task, signal, { isForced: true });
  }

  changedState(): void {
    this.#isDirty = true;
  }

  /** Ends every process without a word, and with `isPowerCut` forgets what lived in memory. */
  dispose(options?: { readonly isPowerCut?: boolean }): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.table.dispose();
    this.netNamespaces.dispose();
    this.#onFlush.dispose();
    if (options?.isPowerCut === true) {
      this.journal.flush();
      for (const { key } of this.journal.list(this.prefix, `${this.prefix}\u{10ffff}`)) {
        if (!isKeptOverPowerCut(key.slice(this.prefix.length))) this.journal.delete(key);
      }
      this.journal.put(`${this.prefix}clock-offset`, String(this.clockOffsetMs));
    }
    this.vfs.dispose();
    // The next start reads the store.
    if (options?.isPowerCut === true) this.journal.flush();
  }

  // For ProcessCalls

  setHostname(task: Pick<Task, 'uts'>, name: string): void {
    task.uts.hostname = name;
    if (task.uts === this.table.hostUts) {
      this.hostname = name;
      this.changedState();
    }
  }

  #mountInitial(): void {
    const megabyte = 1024 * 1024;
    const now = (): number => this.now();
    const { mounts } = this;
    const dev = new LayerFs({ type: 'devtmpfs', dev: 6, now, capacityBytes: Math.floor(this.memoryBytes / 2) - 8 * megabyte });
    this.devices.populate(dev);
    const half = Math.floor(this.memoryBytes / 2);
    const kib = Math.floor(dev.usage().totalBytes / 1024);
    const initial = (target: string, fs: Parameters<typeof mounts.mountInitial>[1]['fs'], source: string, options: string): void => {
      mounts.mountInitial(target, { fs, source, type: fs.type, options });
    };
    initial('/sys', sysFs(this), 'sysfs', 'rw,nosuid,nodev,noexec,relatime');
    initial('/proc', procFs(this), 'proc', 'rw,nosuid,nodev,noexec,relatime');
    initial('/dev', dev, 'devtmpfs', `rw,nosuid,size=${kib}k,nr_inodes=${Math.floor(kib / 4)},mode=755`);
    initial('/dev/shm', mounts.newTmpfs('shm', { sizeBytes: half, mode: 0o1777 }), 'tmpfs', 'rw,nosuid,nodev');
    initial('/dev/pts', this.devices.pts, 'devpts', 'rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000');
    initial('/run', mounts.newTmpfs('run', { sizeBytes: half, mode: 0o755 }), 'tmpfs', 'rw,nosuid,nodev,mode=755');
    const cgroups = cgroupFs(this);
    initial('/sys/fs/cgroup', cgroups.root, 'tmpfs', 'ro,nosuid,nodev,noexec,mode=755');
    for (const [controller, fs] of cgroups.controllers) {
      const name = controller === 'systemd' ? 'xattr,release_agent=/usr/lib/systemd/systemd-cgroups-agent,name=systemd' : controller;
      initial(`/sys/fs/cgroup/${controller}`, fs, 'cgroup', `rw,nosuid,nodev,noexec,relatime,${name}`);
    }
    const boot = new LayerFs({
      type: 'xfs',
      dev: 2049,
      now,
      capacityBytes: BOOT_BYTES,
      baseUsedBytes: 145 * megabyte,
      image: BOOT_IMAGE,
      imageTimeMs: this.#options.imageTimeMs,
      store: { journal: this.journal, prefix: `disk/${this.machine}:boot/` },
    });
    initial('/boot', boot, '/dev/sda1', 'rw,relatime,attr2,inode64,noquota');
  }

  #knownFileSystem(source: string, type: string): ReturnType<ConstructorParameters<typeof Mounts>[0]['known']> {
    const byDevice = this.vfs.mounts.find((mount) => mount.source === source && source.startsWith('/dev/'));
    if (byDevice !== undefined && (type === byDevice.type || type === '' || type === 'auto')) return byDevice.fs;
    switch (type) {
      case 'proc':
        return procFs(this);
      case 'sysfs':
        return sysFs(this);
      case 'devpts':
        return this.devices.pts;
      case 'devtmpfs':
        return this.vfs.mounts.find((mount) => mount.type === 'devtmpfs')?.fs;
      case 'mqueue':
        return new LayerFs({ type: 'mqueue', dev: 14, now: () => this.now(), capacityBytes: 1024 * 1024, rootMode: 0o1777 });
      case 'cgroup':
        return cgroupFs(this).controllers.get(source) ?? cgroupFs(this).controllers.get('systemd');
      default:
        return undefined;
    }
  }

  #moduleReferences(name: string): number {
    if (name === 'overlay') return this.mounts.count('overlay');
    if (name === 'xfs') return 2;
    return 0;
  }

  #hasBridge(): boolean {
    const { netNamespaces } = this;
    return netNamespaces.names().some((name) =>
      netNamespaces
        .get(name)
        .links()
        .some((link) => link.kind === 'bridge'),
    );
  }

  #netHost(): NetHost {
    const { modules, sysctl } = this;
    return {
      isModuleLoaded: (name) => modules.isLoaded(name),
      requestModule: (name) => modules.request(name),
      sysctl: (namespace, key) => sysctl.peek(key, namespace),
      onChange: (listener) => {
        const subscriptions = [
          modules.onChange((change) => listener({ module: change.name, isLoaded: change.isLoaded })),
          sysctl.onChange((key) => listener({ sysctl: key })),
        ];
        return { dispose: () => subscriptions.forEach((subscription) => subscription.dispose()) };
      },
      log: (text) => this.log(text, 4),
    };
  }

  #save(): void {
    if (!this.#isDirty || this.#isDisposed) return;
    this.#isDirty = false;
    const saved: SavedKernel = {
      bootMs: this.bootMs,
      clockOffsetMs: this.clockOffsetMs,
      hostname: this.hostname,
      lastPid: this.table.lastPid,
      modules: this.modules.list().map((module) => module.name),
      sysctl: this.sysctl.save(),
      messages: this.#messages.slice(-500),
    };
    this.journal.put(`${this.prefix}kernel`, JSON.stringify(saved));
  }
}

/** Whether the store has the state of a kernel that was running. */
export function hasSavedKernel(journal: Journal, machine: string): boolean {
  return journal.get(`machine/${machine}/kernel`) !== undefined;
}

function readSaved(journal: Journal, prefix: string): SavedKernel {
  const saved = journal.get(`${prefix}kernel`);
  if (saved === undefined) throw new Error(`no saved kernel under ${prefix}`);
  return JSON.parse(saved) as SavedKernel;
}

/** Power, the time set in the hardware clock and the journal outlive a power cut; everything else was in memory. */
function isKeptOverPowerCut(key: string): boolean {
  return key === 'power' || key === 'clock-offset' || key.startsWith('journal/');
}
