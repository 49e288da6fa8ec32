// Plain data shown on screen. The host computes it, the screen only lays it out.

export type PowerView = 'off' | 'booting' | 'on' | 'stopping';

export interface MachineView {
  readonly name: string;
  readonly power: PowerView;
  readonly address: string;
  /** Port of 127.0.0.1 that leads to its sshd while the SSH door is open. */
  readonly sshPort: number;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly services: readonly ServiceUnitView[];
}

export interface ServiceUnitView {
  readonly name: string;
  /** As systemctl is-active says it: active, inactive, failed, activating, deactivating. */
  readonly state: string;
}

export interface NodeView {
  readonly name: string;
  /** kubectl's STATUS column: `Ready`, `NotReady,SchedulingDisabled`. */
  readonly status: string;
  readonly roles: string;
  readonly version: string;
  readonly address: string;
  readonly createdMs: number;
  readonly pods: number;
}

export interface PodView {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** kubectl's READY column: `1/1`. */
  readonly ready: string;
  /** kubectl's STATUS column: `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`. */
  readonly status: string;
  readonly tone: Tone;
  readonly restarts: number;
  readonly node: string | undefined;
  readonly address: string | undefined;
  readonly createdMs: number;
}

/** How a state feels: fine, on its way, broken, over. */
export type Tone = 'good' | 'busy' | 'bad' | 'idle';

export interface SnapshotView {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly parent: string | undefined;
  /** Lab time at which it was taken. */
  readonly labMs: number;
  /** Wall time at which it was taken. */
  readonly createdMs: number;
  readonly summary: string;
}

export interface RestorePointView {
  readonly revision: number;
  /** The command line it was taken before. */
  readonly label: string;
  readonly labMs: number;
}

export interface TerminalView {
  readonly id: string;
  readonly target: TerminalTarget;
  readonly title: string;
  readonly state: 'connecting' | 'open' | 'closed';
  /** Why it is closed, as the client would print it. */
  readonly reason: string | undefined;
}

export type TerminalTarget = { readonly machine: string; readonly console?: boolean } | { readonly kind: 'host-shell' };

export interface ClockView {
  readonly labMs: number;
  /** Lab seconds per second; 0 is paused. */
  readonly speed: number;
  /** The host waits for a screen that is behind. */
  readonly isHeld: boolean;
}

export interface DoorsView {
  readonly ssh: { readonly isOpen: boolean; readonly ports: Readonly<Record<string, number>> };
  readonly api: { readonly isOpen: boolean; readonly url: string | undefined; readonly kubeconfig: string | undefined };
}

export interface ClusterView {
  /** The API server does not answer; what is shown is the last known state. */
  readonly isStale: boolean;
}

export interface LabView {
  readonly name: string;
  readonly path: string | undefined;
  /** The snapshot the present goes back to. */
  readonly basedOn: string | undefined;
  /** A shell of the user's own computer can be opened. */
  readonly hasHostShell: boolean;
}

/** Every kind of view that a LabDelta carries, with its type. `lab`, `clock`, `doors` and `cluster` are one each. */
export interface Views {
  lab: LabView;
  clock: ClockView;
  doors: DoorsView;
  cluster: ClusterView;
  machine: MachineView;
  node: NodeView;
  pod: PodView;
  snapshot: SnapshotView;
  terminal: TerminalView;
}
export type ViewKind = keyof Views;
