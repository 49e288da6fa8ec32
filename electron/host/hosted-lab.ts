// The contract of a lab as the doors of the host see it. lab-host.ts keeps it; tests bring a small fake.

import type { Connection } from '#engine/sim/stream.ts';
import type { VirtualClock } from '#engine/sim/clock.ts';
import type { Disposable } from '#engine/sim/disposable.ts';
import type { KubeObject } from '#engine/kube/machinery/types.ts';
import type { TerminalSize } from '#shared/protocol/protocol.ts';

export interface HostedMachine {
  readonly name: string;
  readonly power: 'off' | 'booting' | 'on' | 'stopping';
  readonly address: string;
  readonly sshPort: number;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly services: readonly { readonly name: string; readonly state: string }[];
}

/** One terminal of a machine: an emulated SSH login through the NAT adapter, or the machine's own screen. */
export interface HostedTerminal {
  /** Resolves when the shell (or the screen) is there; rejects with the client's message when the login failed. */
  readonly whenReady: Promise<void>;
  onData(listener: (bytes: Uint8Array) => void): Disposable;
  write(bytes: Uint8Array): void;
  resize(size: TerminalSize): void;
  /** Called once, with what an SSH client would print. */
  onExit(listener: (reason: string) => void): Disposable;
  close(): void;
}

export interface HostedSnapshot {
  readonly id: string;
  readonly name: string;
  readonly note?: string | undefined;
  readonly parent?: string | undefined;
  readonly timeMs: number;
  readonly createdAt: number;
  readonly summary: string;
}

export interface HostedRestorePoint {
  readonly revision: number;
  readonly label: string;
  readonly timeMs: number;
}

export interface ClusterPki {
  readonly caPem: string;
  readonly caKeyPem: string;
  readonly adminKubeconfigYaml: string;
}

export interface HostedLab {
  readonly name: string;
  readonly path: string | undefined;
  readonly clock: VirtualClock;
  machines(): readonly HostedMachine[];
  powerOn(name: string): void;
  powerOff(name: string, how: 'acpi' | 'hard'): void;
  reset(name: string): void;
  openTerminal(target: { readonly machine: string; readonly console?: boolean }, size: TerminalSize): HostedTerminal;
  /** Through the NAT adapter's port forward: rejects with SysError ECONNREFUSED, ECONNRESET or ETIMEDOUT. */
  connectForward(hostPort: number): Promise<Connection>;
  /** From the learner's computer on the host-only network. */
  connectHostOnly(address: string, port: number): Promise<Connection>;
  clusterPki(): ClusterPki | undefined;
  /** The last known state, seen through the API. */
  objects(kind: 'nodes' | 'pods'): readonly KubeObject[];
  /** The API does not answer at the moment. */
  readonly isStale: boolean;
  snapshots(): readonly HostedSnapshot[];
  saveSnapshot(name: string, note?: string): HostedSnapshot;
  restoreSnapshot(id: string): Promise<void>;
  deleteSnapshot(id: string): void;
  renameSnapshot(id: string, name: string, note?: string): void;
  restorePoints(): readonly HostedRestorePoint[];
  restorePoint(revision: number): Promise<void>;
  /** Something that is shown changed: power, a service, an object, a snapshot. */
  onChanged(listener: () => void): Disposable;
  onRestored(listener: () => void): Disposable;
  /** Commits what is pending. Called before any output leaves the lab. */
  flush(): void;
  close(): Promise<void>;
}
