// Models one virtual machine: hardware with a power button, a disk that stays, and a kernel while it is on.

import type { Clock } from '../sim/clock.ts';
import type { Disposable } from '../sim/disposable.ts';
import { SysError, isSysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import type { Rng } from '../sim/rng.ts';
import { text } from '../sim/bytes.ts';
import type { ImageTree } from '../fs/image-tree.ts';
import type { Walker } from '../fs/vfs.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { hasSavedKernel, LinuxKernel } from '../kernel/linux-kernel.ts';
import type { Process, Program, SpawnOptions, TerminalSize } from '../kernel/process.ts';
import type { EthernetPort, NetStack, NetStackOptions, OwnedNetStack } from '../net/net-stack.ts';
import type { Journal } from '../store/journal.ts';
import { bootLog } from './boot-log.ts';
import { ConsoleScreen } from './console-screen.ts';
import { KERNEL_RELEASE } from './images/centos7.ts';
import type { ConsoleSession, Machine, MachineSpec, PowerState } from './machine.ts';
import { writeMachineFiles, type HostEntry } from './machine-files.ts';

export interface MachineOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly journal: Journal;
  readonly programs: { get(name: string): Program | undefined };
  /** Read-only trees by name: the base image and those of containers. */
  readonly images: (name: string) => ImageTree | undefined;
  readonly createNetStack: (options: NetStackOptions) => OwnedNetStack;
  /** Cables of adapter 1 (NAT) and adapter 2 (host-only). */
  readonly natPort: EthernetPort;
  readonly hostOnlyPort: EthernetPort;
  /** All machines of the lab, for /etc/hosts. */
  readonly hosts: readonly HostEntry[];
}

/** Time of the firmware and of the boot loader's menu. */
const FIRMWARE_MS = 2500;
const INIT = '/usr/lib/systemd/systemd';
/** How often a booting machine is asked whether it is up, and when it counts as up anyway. */
const BOOT_CHECK_MS = 500;
const BOOT_LIMIT_MS = 180_000;
/** What CentOS 7 with docker and the Kubernetes packages takes on a real disk. */
const BASE_USED_BYTES = 2.4 * 1024 ** 3;
const IMAGE_TIME_MS = Date.UTC(2020, 11, 2, 3, 14, 0);
const UNITS_DATABASE = '/run/systemd/units';

const AGENT_ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['HOME', '/root'],
  ['LANG', 'en_US.UTF-8'],
  ['LOGNAME', 'root'],
  ['PATH', '/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin:/root/bin'],
  ['SHELL', '/bin/bash'],
  ['USER', 'root'],
];

export class EmulatedMachine implements Machine, Disposable {
  readonly spec: MachineSpec;
  readonly #options: MachineOptions;
  readonly #screen = new ConsoleScreen();
  readonly #onPower = new Emitter<PowerState>();
  readonly #onCrash = new Emitter<{ readonly command: string; readonly error: unknown }>();
  #power: PowerState = 'off';
  #kernel: LinuxKernel | undefined;
  #timer: Disposable | undefined;

  /** Off until `powerOn` or `restore`. */
  constructor(spec: MachineSpec, options: MachineOptions) {
    this.spec = spec;
    this.#options = options;
  }

  get name(): string {
    return this.spec.name;
  }
  get power(): PowerState {
    return this.#power;
  }
  get kernel(): Kernel | undefined {
    return this.#kernel;
  }
  get net(): NetStack | undefined {
    return this.#kernel?.netNamespaces.get('host');
  }

  onPower(listener: (power: PowerState) => void): Disposable {
    return this.#onPower.on(listener);
  }

  /** A program of this machine failed by a fault of the emulator. */
  onCrash(listener: (crash: { readonly command: string; readonly error: unknown }) => void): Disposable {
    return this.#onCrash.on(listener);
  }

  /** Goes on from what the store has: a machine that was on is on at once, with its processes. */
  restore(): void {
    const power = this.#options.journal.get(this.#key('power')) ?? 'off';
    if (power === 'off') return;
    if (!hasSavedKernel(this.#options.journal, this.name)) {
      this.powerOn();
      return;
    }
    const kernel = this.#newKernel({ isResumed: true });
    if (power === 'booting') {
      // Init's jobs are not kept, so a boot cannot be taken up in its middle: it starts over.
      this.#cutPower();
      this.powerOn();
      return;
    }
    kernel.table.records.resume();
    this.#setPower('on');
    if (power === 'stopping') this.powerOff('acpi');
  }

  powerOn(): void {
    if (this.#power !== 'off') return;
    this.#setPower('booting');
    this.#screen.clear();
    this.#screen.print('Booting from Hard Disk...');
    this.#after(FIRMWARE_MS, () => this.#startKernel());
  }

  powerOff(how: 'acpi' | 'hard'): void {
    if (this.#power === 'off') return;
    if (how === 'hard' || this.#kernel === undefined) {
      this.#cutPower();
      return;
    }
    if (this.#power === 'stopping') return;
    this.#setPower('stopping');
    // logind's answer to the power button.
    this.spawnAgentAnyway(async ({ sys }) => {
      const pid = sys.spawn('/usr/sbin/poweroff', ['poweroff']);
      await sys.wait(pid);
      return 0;
    });
  }

  reset(): void {
    this.powerOff('hard');
    this.powerOn();
  }

  openConsole(size: TerminalSize): ConsoleSession {
    return this.#screen.open(size);
  }

  spawnAgent(main: (process: Process) => Promise<number>, options?: SpawnOptions & { readonly title?: string }): number {
    if (this.#power !== 'on') throw new SysError('EIO', this.name);
    return this.spawnAgentAnyway(main, options);
  }

  /** Like `spawnAgent`, while the machine boots or stops too. */
  spawnAgentAnyway(main: (process: Process) => Promise<number>, options?: SpawnOptions): number {
    const kernel = this.#kernel;
    const init = kernel?.table.find(1);
    if (kernel === undefined || init === undefined) throw new SysError('EIO', this.name);
    const fds = new Map([0, 1, 2].filter((fd) => init.slots.has(fd)).map((fd) => [fd, fd] as const));
    const task = kernel.table.fork(init, main, {
      newSession: true,
      env: new Map(AGENT_ENVIRONMENT),
      cwd: '/root',
      cgroup: '/system.slice/vboxadd-service.service',
      title: '/usr/sbin/VBoxService',
      fds,
      ...options,
    });
    return task.pid;
  }

  /** Active state of a unit as systemd has it; `inactive` while the machine is off or knows no such unit. */
  unitState(unit: string): string {
    const kernel = this.#kernel;
    if (kernel === undefined || this.#find(UNITS_DATABASE) === undefined) return 'inactive';
    const saved = kernel.database(UNITS_DATABASE).get(unit);
    return saved === undefined ? 'inactive' : ((JSON.parse(saved) as { readonly active?: string }).active ?? 'inactive');
  }

  /** A file of the machine, as a look from outside; undefined when it is off or has no such file. */
  readTextFile(path: string): string | undefined {
    const inode = this.#find(path);
    return inode?.kind === 'file' ? text(inode.read(0, Infinity)) : undefined;
  }

  /** The store keeps what was; nothing is told to the guest. */
  dispose(): void {
    this.#timer?.dispose();
    this.#kernel?.dispose();
    this.#kernel = undefined;
    this.#screen.dispose();
  }

  #find(path: string): ReturnType<LinuxKernel['vfs']['find']>['inode'] | undefined {
    const vfs = this.#kernel?.vfs;
    if (vfs === undefined) return undefined;
    const walker: Walker = { identity: { uid: 0, gid: 0, groups: [] }, root: vfs.root, cwd: vfs.root };
    try {
      return vfs.find(walker, path).inode;
    } catch (error) {
      if (isSysError(error)) return undefined;
      throw error;
    }
  }

  #startKernel(): void {
    const kernel = this.#newKernel({ isResumed: false });
    if (this.#options.journal.get(this.#diskKey) === undefined) {
      writeMachineFiles(kernel.vfs, this.spec, this.#options.hosts);
      this.#options.journal.put(this.#diskKey, '1');
    }
    const lines = bootLog(this.spec, kernel.release);
    const show = (index: number): void => {
      const line = lines[index];
      if (line === undefined) {
        this.#startInit(kernel);
        return;
      }
      kernel.log(line.text, 6);
      this.#screen.print(`[${(line.atMs / 1000).toFixed(6).padStart(12)}] ${line.text}`);
      const next = lines[index + 1];
      if (next === undefined || next.atMs === line.atMs) show(index + 1);
      else this.#after(next.atMs - line.atMs, () => show(index + 1));
    };
    show(0);
  }

  #startInit(kernel: LinuxKernel): void {
    // Init's first act.
    const hostname = this.readTextFile('/etc/hostname')?.trim() ?? 'localhost';
    kernel.setHostname({ uts: kernel.table.hostUts }, hostname);
    kernel.log(`systemd[1]: Set hostname to <${hostname}>.`, 6);
    kernel.startInit(INIT, [INIT, '--switched-root', '--system', '--deserialize', '22']);
    this.#awaitBoot(this.#options.clock.now());
  }

  /** A machine counts as on when its default target is reached. */
  #awaitBoot(sinceMs: number): void {
    this.#after(BOOT_CHECK_MS, () => {
      const isUp = this.unitState('multi-user.target') === 'active' || this.#options.clock.now() - sinceMs > BOOT_LIMIT_MS;
      if (isUp && this.#power === 'booting') this.#setPower('on');
      else if (this.#power === 'booting') this.#awaitBoot(sinceMs);
    });
  }

  #newKernel(options: { readonly isResumed: boolean }): LinuxKernel {
    const { clock, rng, journal, programs, images, createNetStack } = this.#options;
    const image = images(this.spec.image);
    if (image === undefined) throw new Error(`there is no base image named ${this.spec.image}`);
    const kernel: LinuxKernel = new LinuxKernel({
      machine: this.name,
      release: KERNEL_RELEASE,
      cpus: this.spec.cpus,
      memoryBytes: this.spec.memoryBytes,
      diskBytes: this.spec.diskBytes,
      clock,
      rng: rng.fork(`kernel ${clock.now()}`),
      journal,
      programs,
      images,
      image,
      baseUsedBytes: BASE_USED_BYTES,
      imageTimeMs: IMAGE_TIME_MS,
      createNetStack,
      attachHardware: (stack) => this.#attach(stack),
      onPower: (action) => this.#powered(kernel, action),
      isResumed: options.isResumed,
    });
    kernel.table.onCrash.on(({ task, error }) => this.#onCrash.emit({ command: task.command, error }));
    this.#kernel = kernel;
    this.#screen.connect(kernel.devices.console);
    return kernel;
  }

  #attach(stack: OwnedNetStack): void {
    const { natPort, hostOnlyPort } = this.#options;
    stack.attach('eth0', { mac: this.spec.natMac, port: natPort });
    stack.attach('eth1', { mac: this.spec.mac, port: hostOnlyPort });
  }

  /** What init's last step asks of the hardware. */
  #powered(kernel: LinuxKernel, action: 'off' | 'reboot' | 'halt'): void {
    if (this.#kernel !== kernel) return;
    // Whoever asks is a process that is about to end; let its call return first.
    this.#after(0, () => {
      if (this.#kernel !== kernel) return;
      if (action === 'halt') this.#screen.print('System halted.');
      this.#cutPower();
      if (action === 'reboot') this.powerOn();
    });
  }

  #cutPower(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
    this.#screen.disconnect();
    this.#kernel?.dispose({ isPowerCut: true });
    this.#kernel = undefined;
    this.#setPower('off');
  }

  #setPower(power: PowerState): void {
    if (this.#power === power) return;
    this.#power = power;
    this.#options.journal.put(this.#key('power'), power);
    this.#onPower.emit(power);
  }

  #after(delayMs: number, action: () => void): void {
    this.#timer?.dispose();
    this.#timer = this.#options.clock.setTimer(delayMs, action);
  }

  #key(name: string): string {
    return `machine/${this.name}/${name}`;
  }

  /** Set once the disk has the machine's own files. */
  get #diskKey(): string {
    return `disk/${this.name}:configured`;
  }
}
