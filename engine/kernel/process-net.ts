// The network as one process holds it: a stack whose sockets belong to the process.

import type { Disposable } from '../sim/disposable.ts';
import type { Connection, Listener } from '../sim/stream.ts';
import type { NetStack, UdpSocket } from '../net/net-stack.ts';
import type { ProcessCalls } from './process-calls.ts';

/** Ends with the process; every wait in it is a wait of the process. */
export class OwnedConnection implements Connection {
  readonly inner: Connection;
  readonly #calls: ProcessCalls;
  readonly #ownership: Disposable;

  constructor(calls: ProcessCalls, inner: Connection) {
    this.inner = inner;
    this.#calls = calls;
    this.#ownership = calls.own({ dispose: () => inner.close() });
  }

  get localAddress(): string {
    return this.inner.localAddress;
  }
  get remoteAddress(): string {
    return this.inner.remoteAddress;
  }
  read(maxBytes?: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#calls.until(() => this.inner.read(maxBytes, signal));
  }
  write(bytes: Uint8Array): Promise<void> {
    return this.#calls.until(() => this.inner.write(bytes));
  }
  shutdownWrite(): void {
    this.inner.shutdownWrite();
  }
  close(options?: { readonly reset?: boolean }): void {
    this.#calls.disown(this.#ownership);
    this.inner.close(options);
  }
  /** Gives it away without closing it. */
  release(): Connection {
    this.#calls.disown(this.#ownership);
    return this.inner;
  }
}

export class OwnedListener implements Listener {
  readonly #calls: ProcessCalls;
  readonly #inner: Listener;
  readonly #ownership: Disposable;
  readonly #close: () => void;

  constructor(calls: ProcessCalls, inner: Listener, close: () => void = () => inner.close()) {
    this.#calls = calls;
    this.#inner = inner;
    this.#close = close;
    this.#ownership = calls.own({ dispose: close });
  }

  get address(): string {
    return this.#inner.address;
  }
  get port(): number {
    return this.#inner.port;
  }
  async accept(signal?: AbortSignal): Promise<Connection> {
    return new OwnedConnection(this.#calls, await this.#calls.until(() => this.#inner.accept(signal)));
  }
  close(): void {
    this.#calls.disown(this.#ownership);
    this.#close();
  }
}

class OwnedUdpSocket implements UdpSocket {
  readonly #calls: ProcessCalls;
  readonly #inner: UdpSocket;
  readonly #ownership: Disposable;

  constructor(calls: ProcessCalls, inner: UdpSocket) {
    this.#calls = calls;
    this.#inner = inner;
    this.#ownership = calls.own(inner);
  }

  get port(): number {
    return this.#inner.port;
  }
  send(...args: Parameters<UdpSocket['send']>): void {
    this.#inner.send(...args);
  }
  receive(signal?: AbortSignal): ReturnType<UdpSocket['receive']> {
    return this.#calls.until(() => this.#inner.receive(signal));
  }
  dispose(): void {
    this.#calls.disown(this.#ownership);
    this.#inner.dispose();
  }
}

/** A view of `stack` for one process. Everything but sockets goes straight through. */
export function processNet(calls: ProcessCalls, stack: NetStack): NetStack {
  const owner = (): { readonly pid: number; readonly uid: number } => ({ pid: calls.task.pid, uid: calls.task.identity.uid });
  const sockets: Pick<NetStack, 'connect' | 'listen' | 'udp' | 'ping' | 'onChange' | 'onHop' | 'onCapture'> = {
    connect: async (options) => new OwnedConnection(calls, await calls.until(() => stack.connect({ ...owner(), ...options }))),
    listen: (options) => new OwnedListener(calls, stack.listen({ ...owner(), ...options })),
    udp: (options) => new OwnedUdpSocket(calls, stack.udp({ ...owner(), ...options })),
    ping: (options) => calls.until(() => stack.ping(options)),
    onChange: (listener) => calls.own(stack.onChange(listener)),
    onHop: (listener) => calls.own(stack.onHop(listener)),
    onCapture: (link, listener) => calls.own(stack.onCapture(link, listener)),
  };
  return new Proxy(stack, {
    get(target, property) {
      if (property in sockets) return sockets[property as keyof typeof sockets];
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
