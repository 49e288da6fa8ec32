// Models UDP sockets. Not modelled: multicast groups, connected sockets' filtering of senders.

import { SysError, type Errno } from '../sim/errno.ts';
import { ANY, formatIp, LIMITED_BROADCAST, parseIp, type Ip } from './address.ts';
import { errnoOf } from './icmp.ts';
import { UNREACHABLE_PORT } from './ip.ts';
import type { Link } from './link.ts';
import type { UdpSocket } from './net-stack.ts';
import { ICMP_UNREACHABLE, Packet, UDP } from './packet.ts';
import type { Stack } from './stack.ts';

type Datagram = Awaited<ReturnType<UdpSocket['receive']>>;

/** Datagrams beyond this many wait for nobody (SO_RCVBUF). */
const MAX_QUEUED = 256;

export class UdpLayer {
  readonly #stack: Stack;
  readonly #sockets = new Map<number, Socket[]>();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  open(options: {
    readonly address?: string;
    readonly port?: number;
    readonly pid?: number;
    readonly uid?: number;
    /** Binds to one link, as SO_BINDTODEVICE does; such a socket may send without having an address (DHCP). */
    readonly device?: string;
  }): UdpSocket {
    const address = options.address === undefined ? ANY : parseIp(options.address);
    if (address === undefined) throw new SysError('EINVAL', options.address);
    if (address !== ANY && this.#stack.localAddress(address) === undefined) throw new SysError('EADDRNOTAVAIL', options.address);
    const link = options.device === undefined ? undefined : this.#stack.link(options.device);
    const port =
      options.port === undefined || options.port === 0 ? this.#stack.ephemeralPort((p) => this.#isFree(p, address, link)) : options.port;
    if (!this.#isFree(port, address, link)) throw new SysError('EADDRINUSE', `${formatIp(address)}:${port}`);
    const isClient = options.port === undefined || options.port === 0;
    const socket = new Socket(this.#stack, this, { address, port, pid: options.pid, uid: options.uid, link, isClient });
    const list = this.#sockets.get(port);
    if (list === undefined) this.#sockets.set(port, [socket]);
    else list.push(socket);
    return socket;
  }

  receive(packet: Packet, link: Link): void {
    const candidates = this.#sockets.get(packet.destinationPort) ?? [];
    const socket =
      candidates.find((one) => one.address === packet.destination) ??
      candidates.find((one) => one.address === ANY && one.link === undefined);
    if (socket !== undefined) {
      this.#stack.delivered(packet, `udp:${packet.destinationPort}`);
      socket.deliver(packet);
      return;
    }
    if (packet.destination === LIMITED_BROADCAST || this.#stack.isBroadcastOf(link, packet.destination)) return;
    this.#stack.dropped(packet, 'no UDP socket');
    this.#stack.ip.sendError(packet, ICMP_UNREACHABLE, UNREACHABLE_PORT, link);
  }

  /** Sockets bound to a link are packet sockets: they get what arrives there before any rule or address is looked at. */
  receiveRaw(packet: Packet, link: Link): boolean {
    const socket = this.#sockets.get(packet.destinationPort)?.find((one) => one.link === link);
    if (socket === undefined) return false;
    this.#stack.delivered(packet, `udp:${packet.destinationPort}`);
    socket.deliver(packet);
    return true;
  }

  /** `about` is one of our datagrams that somebody could not deliver. */
  receiveError(about: Packet, error: Packet): void {
    for (const socket of this.#sockets.get(about.sourcePort) ?? []) socket.fail(errnoOf(error), about.destination);
  }

  list(): readonly Socket[] {
    return [...this.#sockets.values()].flat();
  }

  remove(socket: Socket): void {
    const rest = (this.#sockets.get(socket.port) ?? []).filter((other) => other !== socket);
    if (rest.length === 0) this.#sockets.delete(socket.port);
    else this.#sockets.set(socket.port, rest);
  }

  dispose(): void {
    for (const socket of this.list()) socket.dispose();
  }

  #isFree(port: number, address: Ip, link: Link | undefined): boolean {
    return !(this.#sockets.get(port) ?? []).some(
      (other) => other.link === link && (other.address === ANY || address === ANY || other.address === address),
    );
  }
}

class Socket implements UdpSocket {
  readonly #stack: Stack;
  readonly #layer: UdpLayer;
  readonly address: Ip;
  readonly port: number;
  readonly pid: number | undefined;
  readonly link: Link | undefined;
  readonly #uid: number | undefined;
  readonly #isClient: boolean;
  readonly #queue: Datagram[] = [];
  readonly #readers: { resolve(datagram: Datagram): void; reject(error: Error): void }[] = [];
  #error: Errno | undefined;
  #isClosed = false;
  /** The only peer spoken to so far: an error about it is this socket's, as for a connected socket. */
  #peer: Ip | undefined;

  constructor(
    stack: Stack,
    layer: UdpLayer,
    options: {
      readonly address: Ip;
      readonly port: number;
      readonly pid: number | undefined;
      readonly uid: number | undefined;
      readonly link: Link | undefined;
      /** Errors concern clients alone: a server's socket speaks to many and is not connected. */
      readonly isClient: boolean;
    },
  ) {
    this.#stack = stack;
    this.#layer = layer;
    this.address = options.address;
    this.port = options.port;
    this.pid = options.pid;
    this.link = options.link;
    this.#uid = options.uid;
    this.#isClient = options.isClient;
  }

  send(bytes: Uint8Array, to: { readonly address: string; readonly port: number }, from?: string): void {
    if (this.#isClosed) throw new SysError('EBADF');
    const destination = parseIp(to.address);
    if (destination === undefined) throw new SysError('EINVAL', to.address);
    this.#peer = destination;
    const packet = new Packet(this.#stack.nextPacketId(), UDP);
    packet.source = from === undefined ? this.address : (parseIp(from) ?? ANY);
    packet.destination = destination;
    packet.sourcePort = this.port;
    packet.destinationPort = to.port;
    packet.payload = bytes;
    packet.owner = this.#uid;
    const result = this.#stack.ip.send(packet, this.link === undefined ? {} : { link: this.link });
    if (result !== 'sent') throw new SysError(result, to.address);
  }

  receive(signal?: AbortSignal): Promise<Datagram> {
    const queued = this.#queue.shift();
    if (queued !== undefined) return Promise.resolve(queued);
    if (this.#isClosed) return Promise.reject(new SysError('EBADF'));
    if (this.#error !== undefined) {
      const errno = this.#error;
      this.#error = undefined;
      return Promise.reject(new SysError(errno));
    }
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        const at = this.#readers.indexOf(reader);
        if (at >= 0) this.#readers.splice(at, 1);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const reader = {
        resolve: (datagram: Datagram): void => {
          signal?.removeEventListener('abort', onAbort);
          resolve(datagram);
        },
        reject: (error: Error): void => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      this.#readers.push(reader);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  deliver(packet: Packet): void {
    const datagram: Datagram = {
      bytes: packet.payload,
      from: { address: formatIp(packet.source), port: packet.sourcePort },
      to: formatIp(packet.destination),
    };
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve(datagram);
    else if (this.#queue.length < MAX_QUEUED) this.#queue.push(datagram);
  }

  fail(errno: Errno, destination: Ip): void {
    if (!this.#isClient || this.#peer !== destination) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.reject(new SysError(errno));
    else this.#error = errno;
  }

  dispose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#layer.remove(this);
    for (const reader of this.#readers.splice(0)) reader.reject(new SysError('EBADF'));
  }
}
