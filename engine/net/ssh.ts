// Models SSH connections (see ssh-wire.ts): the client's and the server's side.
//
// A client:
//   const ssh = new SshClient(connection);
//   const { hostKey } = await ssh.handshake();           // the caller decides whether it trusts the key
//   await ssh.authenticate({ user: 'root', password });  // true or false; `ssh.methods` says what may go on
//   const shell = await ssh.openShell({ term: 'xterm', columns: 80, rows: 24 });
//   shell.stdout.read(), shell.stdin.write(bytes), shell.resize({ columns, rows }), await shell.exit
//   const done = await ssh.exec('uname -r');
//   ssh.close();
// A server (sshd): new SshServer(connection, options).run().

import { toBase64, fromBase64, utf8 } from '../sim/bytes.ts';
import { isSysError, SysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import type { Disposable } from '../sim/disposable.ts';
import type { ByteSink, ByteSource, Connection } from '../sim/stream.ts';
import { publicPemOf, type SshKeyPair } from './ssh-keys.ts';
import { bodyOf, FRAME, SshWire, type SshFrame } from './ssh-wire.ts';
import { signBytes, verifyBytes } from './x509.ts';

export const OPENSSH_VERSION = 'SSH-2.0-OpenSSH_7.4';

export interface SshSize {
  readonly columns: number;
  readonly rows: number;
}

export interface SshPty extends SshSize {
  readonly term: string;
}

export type SshCredential =
  /** What every client tries first, to learn which methods there are. */
  | { readonly user: string }
  | { readonly user: string; readonly password: string }
  | { readonly user: string; readonly key: SshKeyPair }
  /** A door of the learner's computer has checked that its client owns this key; only connections through it may say so. */
  | { readonly user: string; readonly provenKey: string };

export interface SshExit {
  readonly status: number;
  /** Without SIG; then `status` is 255. */
  readonly signal?: string;
}

export interface SshChannel {
  readonly stdin: ByteSink & { end(): Promise<void> };
  readonly stdout: ByteSource;
  readonly stderr: ByteSource;
  /** Undefined when the connection broke before the command ended. */
  readonly exit: Promise<SshExit | undefined>;
  resize(size: SshSize): void;
  /** Without SIG. */
  signal(name: string): void;
  close(): void;
}

interface OpenRequest {
  readonly pty?: SshPty;
  readonly command?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The server said goodbye, with its own words. */
export class SshDisconnect extends Error {
  override readonly name = 'SshDisconnect';
}

export class SshClient {
  readonly #wire: SshWire;
  readonly #version: string;
  readonly #channels = new Map<number, ClientChannel>();
  readonly #closed = new Emitter<void>();
  readonly #answers: { resolve(frame: SshFrame): void; reject(error: Error): void }[] = [];
  #early: SshFrame[] = [];
  #nextChannel = 0;
  #failure: Error | undefined;
  /** Authentication methods that may continue, as the server last said. */
  methods: readonly string[] = [];
  banner = '';

  constructor(connection: Connection, options: { readonly version?: string } = {}) {
    this.#wire = new SshWire(connection);
    this.#version = options.version ?? OPENSSH_VERSION;
  }

  /** Exchanges versions and gets the host key, whose owner has proved to have it. */
  async handshake(signal?: AbortSignal): Promise<{ readonly serverVersion: string; readonly hostKey: string }> {
    await this.#wire.sendVersion(this.#version);
    const serverVersion = await this.#wire.receiveVersion(signal);
    const nonce = `${this.#wire.connection.localAddress} to ${this.#wire.connection.remoteAddress}`;
    await this.#wire.send(FRAME.keyExchange, 0, { nonce });
    const frame = await this.#wire.receive(signal);
    if (frame === undefined) throw new SysError('ECONNRESET');
    if (frame.kind === FRAME.disconnect) throw new SshDisconnect(bodyOf<{ message: string }>(frame).message);
    const { hostKey, proof } = bodyOf<{ hostKey: string; proof: string }>(frame);
    const pem = publicPemOf(hostKey);
    if (pem === undefined || !verifyBytes(utf8(nonce), fromBase64(proof), pem))
      throw new SshDisconnect('key_verify failed for server_host_key');
    void this.#receive();
    return { serverVersion, hostKey };
  }

  async authenticate(credential: SshCredential): Promise<boolean> {
    const { user } = credential;
    const challenge = utf8(`${user}@${this.#wire.connection.remoteAddress}`);
    const request =
      'password' in credential
        ? { user, method: 'password', password: credential.password }
        : 'key' in credential
          ? {
              user,
              method: 'publickey',
              key: credential.key.publicLine,
              proof: toBase64(signBytes(challenge, credential.key.privateKeyPem)),
              challenge: toBase64(challenge),
            }
          : 'provenKey' in credential
            ? { user, method: 'publickey', key: credential.provenKey }
            : { user, method: 'none' };
    await this.#wire.send(FRAME.auth, 0, request);
    const answer = bodyOf<{ ok: boolean; methods: readonly string[] }>(await this.#answer());
    this.methods = answer.methods;
    return answer.ok;
  }

  openShell(options: SshPty & { readonly env?: Readonly<Record<string, string>> }): Promise<SshChannel> {
    const { env, ...pty } = options;
    return this.#open({ pty, ...(env === undefined ? {} : { env }) });
  }

  exec(command: string, options: { readonly pty?: SshPty; readonly env?: Readonly<Record<string, string>> } = {}): Promise<SshChannel> {
    return this.#open({ command, ...options });
  }

  /** Login shell without a terminal, as `ssh -T`. */
  shellWithoutPty(): Promise<SshChannel> {
    return this.#open({});
  }

  onClose(listener: () => void): Disposable {
    return this.#closed.on(listener);
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  close(): void {
    this.#wire.connection.close();
    this.#end(undefined);
  }

  async #open(request: OpenRequest): Promise<SshChannel> {
    const id = this.#nextChannel++;
    const channel = new ClientChannel(this.#wire, id, () => this.#channels.delete(id));
    this.#channels.set(id, channel);
    await this.#wire.send(FRAME.open, id, request);
    const answer = bodyOf<{ ok: boolean; reason?: string }>(await this.#answer());
    if (!answer.ok) {
      this.#channels.delete(id);
      throw new SshDisconnect(answer.reason ?? 'open failed');
    }
    return channel;
  }

  #answer(): Promise<SshFrame> {
    const early = this.#early.shift();
    if (early !== undefined) return Promise.resolve(early);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#answers.push({ resolve, reject }));
  }

  async #receive(): Promise<void> {
    try {
      for (;;) {
        const frame = await this.#wire.receive();
        if (frame === undefined) break;
        if (frame.kind === FRAME.disconnect) {
          this.#end(new SshDisconnect(bodyOf<{ message: string }>(frame).message));
          return;
        }
        if (frame.kind === FRAME.banner) this.banner += bodyOf<{ text: string }>(frame).text;
        else if (frame.kind === FRAME.authResult || frame.kind === FRAME.opened) {
          const waiting = this.#answers.shift();
          if (waiting === undefined) this.#early.push(frame);
          else waiting.resolve(frame);
        } else await this.#channels.get(frame.channel)?.receive(frame);
      }
      this.#end(new SysError('ECONNRESET'));
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #end(failure: Error | undefined): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure ?? new SysError('ECONNABORTED');
    for (const waiting of this.#answers.splice(0)) waiting.reject(this.#failure);
    for (const channel of this.#channels.values()) channel.broken();
    this.#channels.clear();
    this.#closed.emit();
  }
}

class ClientChannel implements SshChannel {
  readonly stdin: ByteSink & { end(): Promise<void> };
  readonly stdout = new ByteQueue();
  readonly stderr = new ByteQueue();
  readonly exit: Promise<SshExit | undefined>;
  readonly #wire: SshWire;
  readonly #id: number;
  readonly #gone: () => void;
  #status: SshExit | undefined;
  #finish: (exit: SshExit | undefined) => void = () => undefined;

  constructor(wire: SshWire, id: number, gone: () => void) {
    this.#wire = wire;
    this.#id = id;
    this.#gone = gone;
    this.exit = new Promise((resolve) => (this.#finish = resolve));
    this.stdin = {
      write: (bytes) => wire.send(FRAME.data, id, bytes),
      end: () => wire.send(FRAME.eof, id, {}),
    };
  }

  async receive(frame: SshFrame): Promise<void> {
    switch (frame.kind) {
      case FRAME.data:
        // A reader that lags holds the whole connection, as a full window would.
        await this.stdout.whenRoom();
        this.stdout.push(frame.bytes);
        return;
      case FRAME.errorData:
        this.stderr.push(frame.bytes);
        return;
      case FRAME.exit:
        this.#status = bodyOf<SshExit>(frame);
        return;
      case FRAME.close:
        this.broken();
        this.#gone();
    }
  }

  broken(): void {
    this.stdout.end();
    this.stderr.end();
    this.#finish(this.#status);
  }

  resize(size: SshSize): void {
    this.#tell(FRAME.resize, size);
  }

  signal(name: string): void {
    this.#tell(FRAME.signal, { name });
  }

  close(): void {
    this.#tell(FRAME.close, {});
  }

  #tell(kind: number, body: object): void {
    // A connection that is gone has ended the channel already, which is how its user hears of it.
    this.#wire.send(kind, this.#id, body).catch((error: unknown) => {
      if (!isSysError(error)) throw error;
    });
  }
}

const QUEUE_BYTES = 262_144;

/** Bytes that arrived and wait to be read. */
export class ByteQueue implements ByteSource {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #room: (() => void)[] = [];
  readonly #readers: { resolve(bytes: Uint8Array | undefined): void; reject(error: Error): void }[] = [];
  #isEnded = false;

  push(bytes: Uint8Array): void {
    if (this.#isEnded || bytes.length === 0) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve(bytes);
      return;
    }
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
  }

  /** Resolves when a reasonable amount, or less, waits to be read. */
  whenRoom(): Promise<void> {
    return this.#bytes < QUEUE_BYTES || this.#isEnded ? Promise.resolve() : new Promise((resolve) => this.#room.push(resolve));
  }

  end(): void {
    this.#isEnded = true;
    for (const resolve of this.#room.splice(0)) resolve();
    for (const reader of this.#readers.splice(0)) reader.resolve(undefined);
  }

  read(maxBytes = 0x7fffffff, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const first = this.#chunks[0];
    if (first !== undefined) {
      if (first.length <= maxBytes) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(maxBytes);
      const taken = first.subarray(0, maxBytes);
      this.#bytes -= taken.length;
      if (this.#bytes < QUEUE_BYTES) for (const resolve of this.#room.splice(0)) resolve();
      return Promise.resolve(taken);
    }
    if (this.#isEnded) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        const at = this.#readers.indexOf(reader);
        if (at >= 0) this.#readers.splice(at, 1);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const reader = {
        resolve: (bytes: Uint8Array | undefined): void => {
          signal?.removeEventListener('abort', onAbort);
          resolve(bytes);
        },
        reject,
      };
      this.#readers.push(reader);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

export interface SshAuthRequest {
  readonly user: string;
  readonly method: 'none' | 'password' | 'publickey';
  readonly password?: string;
  /** A line of authorized_keys whose owner is there. */
  readonly key?: string;
}

export interface SshServerOptions {
  readonly hostKey: SshKeyPair;
  readonly version?: string;
  readonly banner?: string;
  readonly methods: readonly string[];
  /** Whether a key may be vouched for by the other side (the port forward of the learner's computer). */
  readonly trustsProvenKeys: boolean;
  /** True lets the user in; a string disconnects with that message. */
  authenticate(request: SshAuthRequest): Promise<boolean | string>;
  /** Called for every session that is opened after authentication. */
  open(channel: SshServerChannel): void;
}

/** One session on the server's side. */
export interface SshServerChannel {
  readonly user: string;
  readonly pty: SshPty | undefined;
  readonly command: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** What the client typed; ends when it closed its side. */
  readonly input: ByteSource;
  write(bytes: Uint8Array): Promise<void>;
  writeError(bytes: Uint8Array): Promise<void>;
  onResize(listener: (size: SshSize) => void): Disposable;
  onSignal(listener: (name: string) => void): Disposable;
  /** The client gave the session up, or its connection broke. */
  onClose(listener: () => void): Disposable;
  /** Reports how the command ended and closes the session. */
  finish(exit: SshExit): Promise<void>;
}

/** The server's side of one connection. */
export class SshServer {
  readonly #wire: SshWire;
  readonly #options: SshServerOptions;
  readonly #channels = new Map<number, ServerChannel>();
  #user: string | undefined;

  constructor(connection: Connection, options: SshServerOptions) {
    this.#wire = new SshWire(connection);
    this.#options = options;
  }

  /** Serves until the client is gone. */
  async run(): Promise<void> {
    const wire = this.#wire;
    const { hostKey } = this.#options;
    try {
      await wire.sendVersion(this.#options.version ?? OPENSSH_VERSION);
      await wire.receiveVersion();
      const hello = await wire.receive();
      if (hello === undefined || hello.kind !== FRAME.keyExchange) return;
      const { nonce } = bodyOf<{ nonce: string }>(hello);
      await wire.send(FRAME.keyExchange, 0, {
        hostKey: hostKey.publicLine,
        proof: toBase64(signBytes(utf8(nonce), hostKey.privateKeyPem)),
      });
      if (this.#options.banner !== undefined) await wire.send(FRAME.banner, 0, { text: this.#options.banner });
      for (;;) {
        const frame = await wire.receive();
        if (frame === undefined || !(await this.#handle(frame))) return;
      }
    } catch (error) {
      if (!isSysError(error, 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNABORTED')) throw error;
    } finally {
      for (const channel of this.#channels.values()) channel.closed();
      wire.connection.close();
    }
  }

  async #handle(frame: SshFrame): Promise<boolean> {
    if (frame.kind === FRAME.auth) return this.#authenticate(frame);
    if (frame.kind === FRAME.open) {
      await this.#open(frame);
      return true;
    }
    const channel = this.#channels.get(frame.channel);
    switch (frame.kind) {
      case FRAME.data:
        channel?.input.push(frame.bytes);
        break;
      case FRAME.eof:
        channel?.input.end();
        break;
      case FRAME.resize:
        channel?.resized.emit(bodyOf<SshSize>(frame));
        break;
      case FRAME.signal:
        channel?.signalled.emit(bodyOf<{ name: string }>(frame).name);
        break;
      case FRAME.close:
        channel?.closed();
        this.#channels.delete(frame.channel);
    }
    return true;
  }

  async #authenticate(frame: SshFrame): Promise<boolean> {
    const request = bodyOf<SshAuthRequest & { readonly proof?: string; readonly challenge?: string }>(frame);
    let result: boolean | string = false;
    if (request.method !== 'publickey' || this.#ownsKey(request)) result = await this.#options.authenticate(request);
    if (typeof result === 'string') {
      await this.#wire.send(FRAME.disconnect, 0, { message: result });
      return false;
    }
    if (result) this.#user = request.user;
    await this.#wire.send(FRAME.authResult, 0, { ok: result, methods: this.#options.methods });
    return true;
  }

  #ownsKey(request: { readonly key?: string; readonly proof?: string; readonly challenge?: string }): boolean {
    if (request.key === undefined) return false;
    if (request.proof === undefined || request.challenge === undefined) return this.#options.trustsProvenKeys;
    const pem = publicPemOf(request.key);
    return pem !== undefined && verifyBytes(fromBase64(request.challenge), fromBase64(request.proof), pem);
  }

  async #open(frame: SshFrame): Promise<void> {
    if (this.#user === undefined) {
      await this.#wire.send(FRAME.opened, frame.channel, { ok: false, reason: 'not authenticated' });
      return;
    }
    const request = bodyOf<OpenRequest>(frame);
    const channel = new ServerChannel(this.#wire, frame.channel, this.#user, request);
    this.#channels.set(frame.channel, channel);
    await this.#wire.send(FRAME.opened, frame.channel, { ok: true });
    this.#options.open(channel);
  }
}

class ServerChannel implements SshServerChannel {
  readonly user: string;
  readonly pty: SshPty | undefined;
  readonly command: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly input = new ByteQueue();
  readonly resized = new Emitter<SshSize>();
  readonly signalled = new Emitter<string>();
  readonly #closed = new Emitter<void>();
  readonly #wire: SshWire;
  readonly #id: number;
  #isClosed = false;

  constructor(wire: SshWire, id: number, user: string, request: OpenRequest) {
    this.#wire = wire;
    this.#id = id;
    this.user = user;
    this.pty = request.pty;
    this.command = request.command;
    this.env = request.env ?? {};
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#isClosed ? Promise.reject(new SysError('EPIPE')) : this.#wire.send(FRAME.data, this.#id, bytes);
  }

  writeError(bytes: Uint8Array): Promise<void> {
    return this.#isClosed ? Promise.reject(new SysError('EPIPE')) : this.#wire.send(FRAME.errorData, this.#id, bytes);
  }

  onResize(listener: (size: SshSize) => void): Disposable {
    return this.resized.on(listener);
  }

  onSignal(listener: (name: string) => void): Disposable {
    return this.signalled.on(listener);
  }

  onClose(listener: () => void): Disposable {
    return this.#closed.on(listener);
  }

  async finish(exit: SshExit): Promise<void> {
    if (this.#isClosed) return;
    await this.#wire.send(FRAME.exit, this.#id, exit);
    await this.#wire.send(FRAME.close, this.#id, {});
    this.closed();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.input.end();
    this.#closed.emit();
  }
}
