// The door for real SSH clients: one port a machine on loopback, as VirtualBox's NAT forwards are, and behind it the emulated
// sshd through the emulated NAT adapter. The real client speaks to ssh2 here; its login, channels and bytes go on to the guest.

import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type Server, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type ssh2Types from 'ssh2';
import type { AuthContext, Connection as SshConnection, ServerChannel, Session } from 'ssh2';
import { isSysError } from '#engine/sim/errno.ts';
import type { Connection } from '#engine/sim/stream.ts';
import { boxHostKey } from '#engine/net/ssh-keys.ts';
import type { ClockDriver } from '../clock-driver.ts';
import type { HostedLab } from '../hosted-lab.ts';
import type { GuestChannel, GuestChannelRequest, GuestLogin, GuestLoginOpener } from './guest-ssh.ts';

/** Loaded when the door opens: most commands open none, and it takes as long as a tenth of a lab's start. */
const ssh2 = (): typeof ssh2Types => createRequire(import.meta.url)('ssh2') as typeof ssh2Types;

/** What CentOS 7's sshd offers; the rest of its list needs Kerberos. */
const METHODS = ['publickey', 'password'] as const;
/** Ports tried after the book's own when that is taken. */
const MOST_PORT_TRIES = 200;

/**
 * A reset comes when the client has written its version and reads: one that meets the write kills OpenSSH by SIGPIPE
 * before it can say anything, which no forward that has to ask a guest first is quick enough for.
 */
const RESET_AFTER_MS = 40;

export interface SshDoorOptions {
  readonly lab: HostedLab;
  readonly driver: ClockDriver;
  /** Speaks the emulated SSH with a guest. */
  readonly login: GuestLoginOpener;
  readonly onError: (error: unknown) => void;
}

export interface SshDoor {
  readonly ports: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export async function openSshDoor(options: SshDoorOptions): Promise<SshDoor> {
  const { lab } = options;
  // The key that all machines of the box share: a client sees the fingerprint that it sees inside.
  const hostKey = createPrivateKey(boxHostKey().privateKeyPem).export({ type: 'sec1', format: 'pem' }).toString();
  const taken = new Set<number>();
  const forwards = lab.machines().map((machine) => new Forward(options, machine.name, machine.sshPort, hostKey));
  for (const forward of forwards) taken.add(await forward.reserve(taken));
  const apply = (): void => {
    for (const machine of lab.machines()) {
      // A switched-off machine has no process that listens.
      forwards.find((forward) => forward.machine === machine.name)?.setOn(machine.power !== 'off');
    }
  };
  apply();
  const watching = lab.onChanged(apply);
  return {
    ports: Object.fromEntries(forwards.map((forward) => [forward.machine, forward.port])),
    async close() {
      watching.dispose();
      await Promise.all(forwards.map((forward) => forward.close()));
    },
  };
}

/** The listening end of one machine's port forward. */
class Forward {
  readonly machine: string;
  port = 0;
  readonly #options: SshDoorOptions;
  readonly #bookPort: number;
  readonly #ssh: ssh2Types.Server;
  readonly #sockets = new Set<Socket>();
  readonly #guests = new Map<string, Connection>();
  #server: Server | undefined;
  #isOn = false;
  #changing: Promise<void> = Promise.resolve();

  constructor(options: SshDoorOptions, machine: string, bookPort: number, hostKey: string) {
    this.#options = options;
    this.machine = machine;
    this.#bookPort = bookPort;
    this.#ssh = new (ssh2().Server)({ hostKeys: [hostKey], ident: 'OpenSSH_7.4' }, (client, { ip, port }) =>
      this.#attend(client, `${ip}:${port}`),
    );
  }

  /** Finds the port: the book's, or the next one that is free. */
  async reserve(taken: ReadonlySet<number>): Promise<number> {
    for (let port = this.#bookPort; port < this.#bookPort + MOST_PORT_TRIES; port++) {
      if (taken.has(port)) continue;
      try {
        await this.#listen(port);
      } catch (error) {
        if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) continue;
        throw error;
      }
      this.port = port;
      this.#isOn = true;
      return port;
    }
    throw new Error(`no free port for ${this.machine} from ${this.#bookPort} on`);
  }

  setOn(isOn: boolean): void {
    if (this.#isOn === isOn) return;
    this.#isOn = isOn;
    const change = async (): Promise<void> => {
      if (isOn) await this.#listen(this.port);
      else await this.#stop();
    };
    this.#changing = this.#changing.then(change).catch(this.#options.onError);
  }

  async close(): Promise<void> {
    await this.#changing;
    await this.#stop();
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer(
        { noDelay: true, pauseOnConnect: true },
        (socket) => void this.#accept(socket).catch(this.#options.onError),
      );
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        server.on('error', this.#options.onError);
        this.#server = server;
        resolve();
      });
    });
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** The forward has accepted already when it tries the guest: a guest that refuses shows as a reset, one that is silent as silence. */
  async #accept(socket: Socket): Promise<void> {
    const { lab, driver } = this.#options;
    this.#sockets.add(socket);
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#guests.get(peer)?.close();
      this.#guests.delete(peer);
    });
    driver.poke();
    let guest: Connection;
    try {
      guest = await lab.connectForward(this.#bookPort);
    } catch (error) {
      if (!isSysError(error)) throw error;
      setTimeout(() => socket.resetAndDestroy(), RESET_AFTER_MS);
      return;
    }
    if (socket.destroyed) {
      guest.close();
      return;
    }
    this.#guests.set(peer, guest);
    this.#ssh.injectSocket(socket);
    socket.resume();
  }

  #attend(client: SshConnection, peer: string): void {
    const connection = this.#guests.get(peer);
    if (connection === undefined) {
      client.end();
      return;
    }
    new SshSession({ ...this.#options, client, connection });
  }
}

/** One real client and its login in the guest. */
class SshSession {
  readonly #lab: HostedLab;
  readonly #driver: ClockDriver;
  readonly #client: SshConnection;
  readonly #login: Promise<GuestLogin>;
  readonly #onError: (error: unknown) => void;

  constructor(options: SshDoorOptions & { readonly client: SshConnection; readonly connection: Connection }) {
    const { client, connection } = options;
    this.#lab = options.lab;
    this.#driver = options.driver;
    this.#client = client;
    this.#onError = options.onError;
    this.#login = options.login(connection);
    this.#login.then(
      (login) => login.onClose(() => client.end()),
      (error: unknown) => {
        client.end();
        if (!isSysError(error)) this.#onError(error);
      },
    );
    client.on('authentication', (context) => void this.#authenticate(context).catch((error: unknown) => this.#fail(error)));
    client.on('session', (accept) => this.#session(accept()));
    client.on('error', () => connection.close());
    client.on('close', () => void this.#login.then((login) => login.close()).catch(() => connection.close()));
  }

  #fail(error: unknown): void {
    this.#client.end();
    if (!isSysError(error)) this.#onError(error);
  }

  async #authenticate(context: AuthContext): Promise<void> {
    this.#driver.poke();
    const login = await this.#login;
    if (context.method === 'password') {
      if (await login.password(context.username, context.password)) context.accept();
      else context.reject([...METHODS]);
      return;
    }
    if (context.method !== 'publickey') {
      context.reject([...METHODS]);
      return;
    }
    const key = ssh2().utils.parseKey(context.key.data);
    const isProven =
      context.signature !== undefined &&
      context.blob !== undefined &&
      !(key instanceof Error) &&
      key.verify(context.blob, context.signature, context.hashAlgo) === true;
    // The first question is only whether the key would do; which keys do is known in the guest, after the proof.
    if (context.signature === undefined) context.accept();
    else if (isProven && (await login.publicKey(context.username, `${context.key.algo} ${context.key.data.toString('base64')}`)))
      context.accept();
    else context.reject([...METHODS]);
  }

  #session(session: Session): void {
    let pty: GuestChannelRequest['pty'];
    let channel: GuestChannel | undefined;
    session.on('pty', (accept, _, info) => {
      pty = { columns: info.cols, rows: info.rows, term: (info as { term?: string }).term ?? 'xterm' };
      accept?.();
    });
    session.on('window-change', (accept, _, info) => {
      channel?.resize({ columns: info.cols, rows: info.rows });
      accept?.();
    });
    session.on('env', (accept) => accept?.());
    session.on('signal', (accept, _, info) => {
      channel?.signal(info.name);
      accept?.();
    });
    const open = async (stream: ServerChannel, command: string | undefined): Promise<void> => {
      const login = await this.#login;
      channel = await login.open({ ...(command === undefined ? {} : { command }), ...(pty === undefined ? {} : { pty }) });
      this.#join(stream, channel);
    };
    const start = (stream: ServerChannel, command?: string): void => {
      open(stream, command).catch((error: unknown) => {
        stream.close();
        this.#fail(error);
      });
    };
    session.on('shell', (accept) => start(accept()));
    session.on('exec', (accept, _, info) => start(accept(), info.command));
    session.on('subsystem', (accept, reject, info) => {
      if (info.name === 'sftp') start(accept(), SFTP_SERVER);
      else reject?.();
    });
  }

  #join(stream: ServerChannel, channel: GuestChannel): void {
    let hasEnded = false;
    const send = async (to: Writable, bytes: Uint8Array): Promise<void> => {
      this.#lab.flush();
      if (!to.write(bytes) && !stream.destroyed) await Promise.race([once(to, 'drain'), once(stream, 'close')]);
    };
    channel.onStdout((bytes) => send(stream, bytes));
    channel.onStderr((bytes) => send(stream.stderr, bytes));
    channel.onExit((status, signal) => {
      hasEnded = true;
      this.#lab.flush();
      if (status === undefined) {
        this.#client.end();
        return;
      }
      // The status first, then the end: the other way round scp hangs.
      if (signal === undefined) stream.exit(status);
      else stream.exit(signal, false, '');
      stream.end();
    });
    stream.on('data', (data: Buffer) => {
      this.#driver.poke();
      stream.pause();
      channel.write(Uint8Array.from(data)).then(
        () => stream.resume(),
        (error: unknown) => {
          if (!isSysError(error)) this.#onError(error);
        },
      );
    });
    // The end of a client's input ends the command's input, never the command.
    stream.on('end', () => channel.endInput());
    stream.on('close', () => {
      if (!hasEnded) channel.close();
    });
  }
}

/** Where CentOS 7 has it; sftp clients ask for it by the name of the subsystem. */
const SFTP_SERVER = '/usr/libexec/openssh/sftp-server';
