// The one contract between the host and whoever shows the lab. Host, preload and renderer derive their types from here.

import type { RestorePointView, SnapshotView, TerminalTarget, ViewKind, Views } from '../views/views.ts';

export type Unsubscribe = () => void;
export type Speed = 0 | 1 | 10 | 60;
export const SPEEDS: readonly Speed[] = [0, 1, 10, 60];

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export type Changed = { [Kind in ViewKind]: { readonly kind: Kind; readonly id: string; readonly view: Views[Kind] } }[ViewKind];

/** What changed since the delta before; `isWhole` says that it holds everything. */
export interface LabDelta {
  readonly sequence: number;
  readonly isWhole: boolean;
  readonly changed: readonly Changed[];
  readonly removed: readonly { readonly kind: ViewKind; readonly id: string }[];
}

export interface Welcome {
  readonly version: number;
  /** The state of everything; deltas follow. */
  readonly lab: LabDelta;
}

export interface HostCalls {
  /** First call of a connection. Answers everything there is and starts the stream of `labChanged`. */
  hello(version: number): Welcome;
  powerOn(machine: string): void;
  powerOff(machine: string, how: 'acpi' | 'hard'): void;
  reset(machine: string): void;
  setSpeed(speed: Speed): void;
  saveSnapshot(name: string, note: string): SnapshotView;
  /** The present becomes a restore point first. */
  restoreSnapshot(id: string): void;
  deleteSnapshot(id: string): void;
  renameSnapshot(id: string, name: string, note: string): void;
  /** Newest first. */
  restorePoints(): readonly RestorePointView[];
  restorePoint(revision: number): void;
  /** Opens a new terminal; answers its id. Attach to see it. */
  openTerminal(target: TerminalTarget, size: TerminalSize): string;
  /** From here on its data comes as frames; the first holds the screen and scrollback so far. */
  attachTerminal(id: string, size: TerminalSize): void;
  /** Ends the session and forgets it. */
  closeTerminal(id: string): void;
  /** Connects a closed terminal again. */
  reconnectTerminal(id: string): void;
  setDoor(door: 'ssh' | 'api', isOpen: boolean): void;
  /** The kubeconfig for real clients outside, as text. */
  kubeconfig(): string;
}
export type CallName = keyof HostCalls;

export interface HostEvents {
  labChanged: LabDelta;
  /** A bug of ours stopped the lab. */
  hostFault: { readonly message: string; readonly report: string };
}
export type EventName = keyof HostEvents;

/** Frames from the screen to the host. */
export type ClientFrame =
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly type: 'write'; readonly terminal: string; readonly data: string }
  | { readonly type: 'resize'; readonly terminal: string; readonly columns: number; readonly rows: number }
  | { readonly type: 'acknowledge'; readonly terminal: string; readonly characters: number }
  | { readonly type: 'ping' };

/** Frames from the host to the screen. */
export type HostFrame =
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly message: string }
  | { [Name in EventName]: { readonly type: 'event'; readonly name: Name; readonly value: HostEvents[Name] } }[EventName]
  /** `isReplay`: the screen so far, to be drawn on an empty terminal. */
  | { readonly type: 'data'; readonly terminal: string; readonly data: string; readonly isReplay?: boolean }
  | { readonly type: 'pong' };

/** What the renderer sees of a host, over whichever port. */
export interface HostTransport {
  call<Name extends CallName>(name: Name, ...args: Parameters<HostCalls[Name]>): Promise<ReturnType<HostCalls[Name]>>;
  on<Name extends EventName>(name: Name, listener: (event: HostEvents[Name]) => void): Unsubscribe;
  onState(listener: (state: ConnectionState) => void): Unsubscribe;
  readonly state: ConnectionState;
  attach(terminal: string, size: TerminalSize): TerminalChannel;
  close(): void;
}

export type ConnectionState = 'connecting' | 'open' | 'lost' | 'refused';

export interface TerminalChannel {
  write(data: string): void;
  resize(size: TerminalSize): void;
  /** Tells the host how much was drawn; above the high-water mark it holds the clock until the screen has caught up. */
  acknowledge(characters: number): void;
  onData(listener: (data: string, isReplay: boolean) => void): Unsubscribe;
  /** Stops listening; the session goes on at the host. */
  detach(): void;
}
