// The SSH door's side towards a guest: the emulated SSH of engine/net/ssh.ts.

import { isSysError } from '#engine/sim/errno.ts';
import type { ByteSource, Connection } from '#engine/sim/stream.ts';
import { SshClient, SshDisconnect, type SshChannel, type SshSize } from '#engine/net/ssh.ts';
import type { GuestChannel, GuestChannelRequest, GuestLogin } from './guest-ssh.ts';

/** Speaks the emulated handshake. Rejects when the guest does not answer as an sshd. */
export async function loginToGuest(connection: Connection): Promise<GuestLogin> {
  const ssh = new SshClient(connection);
  await ssh.handshake();
  return {
    password: (user, password) => authenticate(() => ssh.authenticate({ user, password })),
    publicKey: (user, provenKey) => authenticate(() => ssh.authenticate({ user, provenKey })),
    open: async (request) => new JoinedChannel(await openChannel(ssh, request)),
    onClose: (listener) => void ssh.onClose(listener),
    close: () => ssh.close(),
  };
}

/** A server that says goodbye in the middle says no. */
async function authenticate(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof SshDisconnect) return false;
    throw error;
  }
}

function openChannel(ssh: SshClient, request: GuestChannelRequest): Promise<SshChannel> {
  const { command, pty } = request;
  if (command !== undefined) return ssh.exec(command, pty === undefined ? {} : { pty });
  return pty === undefined ? ssh.shellWithoutPty() : ssh.openShell(pty);
}

class JoinedChannel implements GuestChannel {
  readonly #channel: SshChannel;
  #reading: Promise<void>[] = [];

  constructor(channel: SshChannel) {
    this.#channel = channel;
  }

  onStdout(listener: (bytes: Uint8Array) => void | Promise<void>): void {
    this.#reading.push(drain(this.#channel.stdout, listener));
  }

  onStderr(listener: (bytes: Uint8Array) => void | Promise<void>): void {
    this.#reading.push(drain(this.#channel.stderr, listener));
  }

  onExit(listener: (status: number | undefined, signal: string | undefined) => void): void {
    // All output first: a client closes at the exit status.
    void this.#channel.exit.then(async (exit) => {
      await Promise.all(this.#reading);
      listener(exit?.status, exit?.signal);
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#channel.stdin.write(bytes);
  }

  endInput(): void {
    // A connection that is gone has ended the channel already.
    this.#channel.stdin.end().catch(ignoreGone);
  }

  resize(size: SshSize): void {
    this.#channel.resize(size);
  }

  signal(name: string): void {
    this.#channel.signal(name);
  }

  close(): void {
    this.#channel.close();
  }
}

async function drain(source: ByteSource, listener: (bytes: Uint8Array) => void | Promise<void>): Promise<void> {
  for (let bytes = await source.read(); bytes !== undefined; bytes = await source.read()) await listener(bytes);
}

function ignoreGone(error: unknown): void {
  if (!isSysError(error)) throw error;
}
