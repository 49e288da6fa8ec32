// The contract of one machine of the lab: hardware that is on or off, with a kernel while it is on.

import type { Disposable } from '../sim/disposable.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Process, SpawnOptions, TerminalSize } from '../kernel/process.ts';
import type { NetStack } from '../net/net-stack.ts';

export type PowerState = 'off' | 'booting' | 'on' | 'stopping';

export interface MachineSpec {
  readonly name: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Adapter 1, NAT: every machine has the same address there. */
  readonly natMac: string;
  /** Adapter 2, host-only network. */
  readonly address: string;
  readonly mac: string;
  /** Port of 127.0.0.1 on the learner's computer that leads to the guest's port 22. */
  readonly sshPort: number;
  /** Base image of its disk (engine/machine/images). */
  readonly image: string;
  readonly diskBytes: number;
}

export interface Machine {
  readonly spec: MachineSpec;
  readonly name: string;
  readonly power: PowerState;
  /** Undefined while the power is off. */
  readonly kernel: Kernel | undefined;
  /** The machine's own network namespace while it is on. */
  readonly net: NetStack | undefined;
  onPower(listener: (power: PowerState) => void): Disposable;
  /** Starts the boot; the console shows it. Does nothing unless off. */
  powerOn(): void;
  /** 'acpi' asks init to stop the units and then cuts the power; 'hard' cuts it now: what was not written to disk is gone. */
  powerOff(how: 'acpi' | 'hard'): void;
  /** The reset button: hard off, then on. */
  reset(): void;
  /** The screen of the machine (boot messages, tty1 with a login prompt); works with the network down. */
  openConsole(size: TerminalSize): ConsoleSession;
  /**
   * Runs `main` as a process of root's, child of init, as a hypervisor's guest agent would: no network in between.
   * `fds` are made of the given streams. Returns its pid; throws SysError EIO while the machine is not on.
   */
  spawnAgent(main: (process: Process) => Promise<number>, options?: SpawnOptions & { readonly title?: string }): number;
  dispose(): void;
}

/** Both ends of a screen: what it shows and what is typed. */
export interface ConsoleSession {
  onData(listener: (bytes: Uint8Array) => void): Disposable;
  write(bytes: Uint8Array): void;
  resize(size: TerminalSize): void;
  close(): void;
}
