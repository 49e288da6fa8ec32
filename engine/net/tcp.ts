// Models TCP's tables: listeners, connections, TIME-WAIT, and who gets an arriving segment.
// Not modelled: SYN cookies, SO_REUSEPORT.

import { disposable, type Disposable } from '../sim/disposable.ts';
import type { Clock } from '../sim/clock.ts';
import { SysError, type Errno } from '../sim/errno.ts';
import type { Connection, Listener } from '../sim/stream.ts';
import { ANY, formatIp, parseIp, type Ip } from './address.ts';
import type { ConnectOptions, SocketView } from './net-stack.ts';
import { ACK, FIN, Packet, RST, SYN, TCP } from './packet.ts';
import type { Stack } from './stack.ts';
import { TcpConnection } from './tcp-connection.ts';

/** net.core.somaxconn of CentOS 7. */
const DEFAULT_BACKLOG = 128;
const TIME_WAIT_MS = 60_000;
/** TCP_DELACK_MIN. */
const LATEST_ACKNOWLEDGEMENT_MS = 40;

interface TimeWait {
  readonly local: Ip;
  readonly localPort: number;
  readonly remote: Ip;
  readonly remotePort: number;
  readonly untilMs: number;
  readonly sendNext: number;
  readonly receiveNext: number;
}

export class TcpLayer {
  readonly stack: Stack;
  readonly clock: Clock;
  readonly #connections = new Map<number, TcpConnection[]>();
  readonly #listeners = new Map<number, TcpListener[]>();
  readonly #timeWait = new Map<string, TimeWait>();
  #expireAt = 2048;
  /** Connections that may have to (re)arm a timer once the current walk is over. */
  readonly #unsettled: TcpConnection[] = [];
  /** Connections that may have to acknowledge something when the timer, one for all of them, fires. */
  #acknowledging: TcpConnection[] = [];
  #acknowledgeTimer: Disposable | undefined;

  constructor(stack: Stack, clock: Clock) {
    this.stack = stack;
    this.clock = clock;
  }

  connect(options: ConnectOptions): Promise<Connection> {
    let remote = parseIp(options.address);
    if (remote === undefined) return Promise.reject(new SysError('EINVAL', options.address));
    if (remote === ANY) remote = parseIp('127.0.0.1')!;
    let local = options.sourceAddress === undefined ? ANY : (parseIp(options.sourceAddress) ?? ANY);
    if (local !== ANY && this.stack.localAddress(local) === undefined)
      return Promise.reject(new SysError('EADDRNOTAVAIL', options.sourceAddress));
    const route = this.stack.ip.route(remote);
    if ('errno' in route) return Promise.reject(new SysError(route.errno, options.address));
    if (local === ANY) local = route.source;
    if (local === ANY) return Promise.reject(new SysError('EADDRNOTAVAIL', options.address));
    const peer = remote;
    const source = local;
    let port = options.sourcePort;
    if (port === undefined) port = this.stack.ephemeralPort((candidate) => this.#isTupleFree(source, candidate, peer, options.port));
    else if (!this.#isTupleFree(source, port, peer, options.port))
      return Promise.reject(new SysError('EADDRINUSE', `${formatIp(source)}:${port}`));
    const connection = new TcpConnection(this, {
      local: source,
      localPort: port,
      remote: peer,
      remotePort: options.port,
      pid: options.pid,
      uid: options.uid,
      keepAliveMs: options.keepAliveMs,
    });
    this.#add(connection);
    return connection.open(options.signal);
  }

  listen(options: {
    readonly address: string;
    readonly port: number;
    readonly pid?: number;
    readonly backlog?: number;
    readonly keepAliveMs?: number;
  }): Listener {
    const address = parseIp(options.address === '::' ? '0.0.0.0' : options.address);
    if (address === undefined) throw new SysError('EINVAL', options.address);
    if (address !== ANY && this.stack.localAddress(address) === undefined) throw new SysError('EADDRNOTAVAIL', options.address);
    const port = options.port === 0 ? this.stack.ephemeralPort((candidate) => this.#canListen(address, candidate)) : options.port;
    if (!this.#canListen(address, port)) throw new SysError('EADDRINUSE', `${options.address}:${port}`);
    const listener = new TcpListener(this, {
      address,
      port,
      pid: options.pid,
      backlog: options.backlog ?? DEFAULT_BACKLOG,
      keepAliveMs: options.keepAliveMs,
    });
    const list = this.#listeners.get(port);
    if (list === undefined) this.#listeners.set(port, [listener]);
    else list.push(listener);
    return listener;
  }

  receive(packet: Packet): void {
    const connection = this.#find(packet.destination, packet.destinationPort, packet.source, packet.sourcePort);
    if (connection !== undefined) {
      if (this.stack.isTraced) this.stack.delivered(packet, `tcp:${packet.destinationPort}`);
      connection.receive(packet);
      return;
    }
    if ((packet.flags & (SYN | ACK | RST)) === SYN) {
      const listener = this.#listenerFor(packet.destination, packet.destinationPort);
      if (listener !== undefined) {
        this.#timeWait.delete(keyOf(packet.destination, packet.destinationPort, packet.source, packet.sourcePort));
        this.#accept(listener, packet);
        return;
      }
    } else {
      const waiting = this.#timeWait.get(keyOf(packet.destination, packet.destinationPort, packet.source, packet.sourcePort));
      if (waiting !== undefined && waiting.untilMs > this.clock.now()) {
        if (packet.flags & FIN) this.#answerInTimeWait(packet, waiting);
        return;
      }
    }
    this.stack.dropped(packet, 'no TCP socket');
    this.reset(packet);
  }

  /** An ICMP error about a segment of ours. */
  receiveError(about: Packet, errno: Errno, error: Packet): void {
    const connection = this.#find(about.source, about.sourcePort, about.destination, about.destinationPort);
    connection?.receiveError(errno, error);
  }

  /** Answers a segment with RST; also what REJECT --reject-with tcp-reset does. */
  reset(packet: Packet): void {
    if (packet.flags & RST) return;
    const answer = new Packet(packet.id, TCP);
    answer.source = packet.destination;
    answer.destination = packet.source;
    answer.sourcePort = packet.destinationPort;
    answer.destinationPort = packet.sourcePort;
    if (packet.flags & ACK) {
      answer.flags = RST;
      answer.sequence = packet.acknowledgement;
    } else {
      answer.flags = RST | ACK;
      answer.acknowledgement = packet.sequence + packet.payload.length + (packet.flags & SYN ? 1 : 0) + (packet.flags & FIN ? 1 : 0);
    }
    if (packet.flow !== undefined) {
      answer.flow = packet.flow;
      answer.isReply = !packet.isReply;
    }
    this.stack.ip.send(answer);
  }

  remove(connection: TcpConnection): void {
    const key = connection.localPort * 65536 + connection.remotePort;
    const list = this.#connections.get(key);
    if (list === undefined) return;
    const at = list.indexOf(connection);
    if (at < 0) return;
    if (list.length === 1) this.#connections.delete(key);
    else list.splice(at, 1);
  }

  enterTimeWait(connection: TcpConnection, sendNext: number, receiveNext: number): void {
    this.remove(connection);
    if (this.#timeWait.size > this.#expireAt) {
      this.#expireTimeWait();
      this.#expireAt = Math.max(2048, this.#timeWait.size * 2);
    }
    const { local, localPort, remote, remotePort } = connection;
    const entry = { local, localPort, remote, remotePort, untilMs: this.clock.now() + TIME_WAIT_MS, sendNext, receiveNext };
    this.#timeWait.set(keyOf(local, localPort, remote, remotePort), entry);
  }

  settleLater(connection: TcpConnection): void {
    if (connection.isUnsettled) return;
    connection.isUnsettled = true;
    this.#unsettled.push(connection);
  }

  /** An answer will most likely carry the acknowledgement; if there is none, it goes alone within 40 ms. */
  acknowledgeLater(connection: TcpConnection): void {
    if (connection.isAcknowledgingLater) return;
    connection.isAcknowledgingLater = true;
    this.#acknowledging.push(connection);
    this.#acknowledgeTimer ??= this.clock.setTimer(LATEST_ACKNOWLEDGEMENT_MS, () => this.#acknowledge());
  }

  #acknowledge(): void {
    this.#acknowledgeTimer = undefined;
    const due = this.#acknowledging;
    this.#acknowledging = [];
    for (const connection of due) {
      connection.isAcknowledgingLater = false;
      connection.acknowledge();
    }
  }

  /** The walk is over: what is still unacknowledged now needs a timer. */
  settle(): void {
    const unsettled = this.#unsettled;
    if (unsettled.length === 0) return;
    for (const connection of unsettled) {
      connection.isUnsettled = false;
      connection.settle();
    }
    unsettled.length = 0;
  }

  removeListener(listener: TcpListener): void {
    const rest = (this.#listeners.get(listener.port) ?? []).filter((other) => other !== listener);
    if (rest.length === 0) this.#listeners.delete(listener.port);
    else this.#listeners.set(listener.port, rest);
  }

  views(): readonly SocketView[] {
    const out: SocketView[] = [];
    for (const listener of [...this.#listeners.values()].flat()) out.push(listener.view());
    for (const connection of [...this.#connections.values()].flat()) out.push(connection.view());
    this.#expireTimeWait();
    for (const entry of this.#timeWait.values()) {
      out.push({
        protocol: 'tcp',
        state: 'TIME-WAIT',
        localAddress: formatIp(entry.local),
        localPort: entry.localPort,
        remoteAddress: formatIp(entry.remote),
        remotePort: entry.remotePort,
        pid: undefined,
        receiveQueueBytes: 0,
        sendQueueBytes: 0,
      });
    }
    return out;
  }

  /** The power is cut: nothing is said to anybody. */
  dispose(): void {
    for (const listener of [...this.#listeners.values()].flat()) listener.vanish();
    for (const connection of [...this.#connections.values()].flat()) connection.vanish();
    this.#acknowledgeTimer?.dispose();
    this.#acknowledging = [];
    this.#connections.clear();
    this.#timeWait.clear();
  }

  #accept(listener: TcpListener, packet: Packet): void {
    if (listener.isFull) {
      this.stack.dropped(packet, 'listen queue overflow');
      return;
    }
    this.stack.delivered(packet, `tcp:${packet.destinationPort}`);
    const connection = new TcpConnection(this, {
      local: packet.destination,
      localPort: packet.destinationPort,
      remote: packet.source,
      remotePort: packet.sourcePort,
      pid: listener.pid,
      uid: undefined,
      keepAliveMs: listener.keepAliveMs,
      listener,
    });
    this.#add(connection);
    connection.acceptSyn(packet);
  }

  #answerInTimeWait(packet: Packet, waiting: TimeWait): void {
    const answer = new Packet(packet.id, TCP);
    answer.source = waiting.local;
    answer.destination = waiting.remote;
    answer.sourcePort = waiting.localPort;
    answer.destinationPort = waiting.remotePort;
    answer.flags = ACK;
    answer.sequence = waiting.sendNext;
    answer.acknowledgement = waiting.receiveNext;
    this.stack.ip.send(answer);
  }

  #add(connection: TcpConnection): void {
    const key = connection.localPort * 65536 + connection.remotePort;
    const list = this.#connections.get(key);
    if (list === undefined) this.#connections.set(key, [connection]);
    else list.push(connection);
  }

  #find(local: Ip, localPort: number, remote: Ip, remotePort: number): TcpConnection | undefined {
    const list = this.#connections.get(localPort * 65536 + remotePort);
    if (list !== undefined) for (const one of list) if (one.local === local && one.remote === remote) return one;
    return undefined;
  }

  #listenerFor(address: Ip, port: number): TcpListener | undefined {
    const list = this.#listeners.get(port);
    return list?.find((one) => one.bound === address) ?? list?.find((one) => one.bound === ANY);
  }

  #canListen(address: Ip, port: number): boolean {
    return !(this.#listeners.get(port) ?? []).some((other) => other.bound === ANY || address === ANY || other.bound === address);
  }

  #isTupleFree(local: Ip, localPort: number, remote: Ip, remotePort: number): boolean {
    if (this.#listeners.has(localPort)) return false;
    const waiting = this.#timeWait.get(keyOf(local, localPort, remote, remotePort));
    if (waiting !== undefined && waiting.untilMs > this.clock.now()) return false;
    return this.#find(local, localPort, remote, remotePort) === undefined;
  }

  #expireTimeWait(): void {
    const now = this.clock.now();
    for (const [key, entry] of this.#timeWait) if (entry.untilMs <= now) this.#timeWait.delete(key);
  }
}

export class TcpListener implements Listener {
  readonly #layer: TcpLayer;
  readonly bound: Ip;
  readonly port: number;
  readonly pid: number | undefined;
  readonly keepAliveMs: number | undefined;
  readonly #backlog: number;
  readonly #ready: TcpConnection[] = [];
  readonly #halfOpen = new Set<TcpConnection>();
  readonly #waiting: { resolve(connection: Connection): void; reject(error: Error): void }[] = [];
  #isClosed = false;

  constructor(
    layer: TcpLayer,
    options: {
      readonly address: Ip;
      readonly port: number;
      readonly pid: number | undefined;
      readonly backlog: number;
      readonly keepAliveMs: number | undefined;
    },
  ) {
    this.#layer = layer;
    this.bound = options.address;
    this.port = options.port;
    this.pid = options.pid;
    this.keepAliveMs = options.keepAliveMs;
    this.#backlog = options.backlog;
  }

  get address(): string {
    return formatIp(this.bound);
  }

  get isFull(): boolean {
    return this.#ready.length + this.#halfOpen.size > this.#backlog;
  }

  accept(signal?: AbortSignal): Promise<Connection> {
    const ready = this.#ready.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#isClosed) return Promise.reject(new SysError('EBADF'));
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const release = disposable(() => signal?.removeEventListener('abort', onAbort));
      const waiter = {
        resolve: (connection: Connection): void => {
          release.dispose();
          resolve(connection);
        },
        reject: (error: Error): void => {
          release.dispose();
          reject(error);
        },
      };
      this.#waiting.push(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  started(connection: TcpConnection): void {
    this.#halfOpen.add(connection);
  }

  /** The handshake is done. False when nobody listens any more. */
  established(connection: TcpConnection): boolean {
    this.#halfOpen.delete(connection);
    if (this.#isClosed) return false;
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) waiter.resolve(connection);
    else this.#ready.push(connection);
    return true;
  }

  abandoned(connection: TcpConnection): void {
    this.#halfOpen.delete(connection);
    const at = this.#ready.indexOf(connection);
    if (at >= 0) this.#ready.splice(at, 1);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#layer.removeListener(this);
    for (const connection of [...this.#ready.splice(0), ...this.#halfOpen]) connection.close({ reset: true });
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new SysError('EBADF'));
  }

  vanish(): void {
    this.#isClosed = true;
    this.#layer.removeListener(this);
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new SysError('EBADF'));
  }

  view(): SocketView {
    return {
      protocol: 'tcp',
      state: 'LISTEN',
      localAddress: this.address,
      localPort: this.port,
      remoteAddress: '0.0.0.0',
      remotePort: 0,
      pid: this.pid,
      receiveQueueBytes: this.#ready.length,
      sendQueueBytes: this.#backlog,
    };
  }
}

function keyOf(local: Ip, localPort: number, remote: Ip, remotePort: number): string {
  return `${local}:${localPort}:${remote}:${remotePort}`;
}
