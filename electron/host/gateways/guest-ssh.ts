// The contract of a login to an emulated sshd, as the SSH door needs it.

import type { Connection } from '#engine/sim/stream.ts';
import type { TerminalSize } from '#shared/protocol/protocol.ts';

export interface GuestChannelRequest {
  /** Left out: the login shell. */
  readonly command?: string;
  readonly pty?: TerminalSize & { readonly term: string };
}

export interface GuestChannel {
  /** The next piece comes when the listener's promise has resolved. */
  onStdout(listener: (bytes: Uint8Array) => void | Promise<void>): void;
  onStderr(listener: (bytes: Uint8Array) => void | Promise<void>): void;
  /** Called once, after all output: exit status (and signal), or undefined when the connection broke. */
  onExit(listener: (status: number | undefined, signal: string | undefined) => void): void;
  write(bytes: Uint8Array): Promise<void>;
  endInput(): void;
  resize(size: TerminalSize): void;
  signal(name: string): void;
  close(): void;
}

export interface GuestLogin {
  password(user: string, password: string): Promise<boolean>;
  /** The key is the line of an authorized_keys file, without comment; its owner has proved to have it. */
  publicKey(user: string, key: string): Promise<boolean>;
  open(request: GuestChannelRequest): Promise<GuestChannel>;
  /** Called once, when the guest's side is gone. */
  onClose(listener: () => void): void;
  close(): void;
}

export type GuestLoginOpener = (connection: Connection) => Promise<GuestLogin>;
