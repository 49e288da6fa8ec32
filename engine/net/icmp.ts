// Models ICMP: echo, and errors handed to the sockets they are about.

import type { Clock } from '../sim/clock.ts';
import { formatIp, parseIp, type Ip } from './address.ts';
import { SysError } from '../sim/errno.ts';
import { ADMIN_PROHIBITED, FRAGMENTATION_NEEDED, UNREACHABLE_HOST, UNREACHABLE_NET, UNREACHABLE_PORT, UNREACHABLE_PROTOCOL } from './ip.ts';
import type { Link } from './link.ts';
import type { EchoReply } from './net-stack.ts';
import { ICMP, ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE, Packet, TCP, UDP } from './packet.ts';
import type { Stack } from './stack.ts';

/** What a hop of wire costs on a gigabit host-only network: ping shows fractions of a millisecond. */
const LOCAL_ROUND_TRIP_US = 45;
const ROUND_TRIP_PER_HOP_US = 190;

interface Waiting {
  readonly identifier: number;
  readonly sequence: number;
  readonly destination: Ip;
  settle(reply: EchoReply | undefined): void;
}

export class IcmpLayer {
  readonly #stack: Stack;
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #identifier = 0;

  constructor(stack: Stack, clock: Clock) {
    this.#stack = stack;
    this.#clock = clock;
  }

  receive(packet: Packet, link: Link): void {
    switch (packet.icmpType) {
      case ICMP_ECHO_REQUEST:
        this.#answer(packet, link);
        return;
      case ICMP_ECHO_REPLY:
        this.#stack.delivered(packet, 'icmp');
        this.#settle(packet.sourcePort, packet.icmpSequence, packet, 'reply');
        return;
      case ICMP_UNREACHABLE:
      case ICMP_TIME_EXCEEDED:
        this.#handleError(packet);
    }
  }

  /** One echo request; the identifier belongs to one ping(8) run when given. */
  ping(options: {
    readonly address: string;
    readonly ttl?: number;
    readonly sizeBytes?: number;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
    readonly source?: string;
    readonly sequence?: number;
    readonly identifier?: number;
  }): Promise<EchoReply | undefined> {
    const destination = parseIp(options.address);
    if (destination === undefined) return Promise.reject(new SysError('EINVAL', options.address));
    return new Promise((resolve, reject) => {
      options.signal?.throwIfAborted();
      const packet = new Packet(this.#stack.nextPacketId(), ICMP);
      packet.icmpType = ICMP_ECHO_REQUEST;
      packet.destination = destination;
      packet.source = options.source === undefined ? 0 : (parseIp(options.source) ?? 0);
      packet.ttl = options.ttl ?? 64;
      const identifier = options.identifier ?? (this.#identifier = (this.#identifier + 1) & 0xffff);
      packet.sourcePort = packet.destinationPort = identifier;
      packet.icmpSequence = options.sequence ?? 1;
      packet.payload = new Uint8Array(options.sizeBytes ?? 56);
      const onAbort = (): void => {
        finish();
        reject(options.signal?.reason instanceof Error ? options.signal.reason : new Error('aborted'));
      };
      const finish = (): void => {
        timer.dispose();
        this.#waiting.delete(waiting);
        options.signal?.removeEventListener('abort', onAbort);
      };
      const waiting: Waiting = {
        identifier,
        sequence: packet.icmpSequence,
        destination,
        settle: (reply) => {
          finish();
          resolve(reply);
        },
      };
      const timer = this.#clock.setTimer(options.timeoutMs, () => waiting.settle(undefined));
      this.#waiting.add(waiting);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      const result = this.#stack.ip.send(packet);
      if (result !== 'sent') {
        finish();
        reject(new SysError(result, options.address));
      }
    });
  }

  dispose(): void {
    for (const waiting of [...this.#waiting]) waiting.settle(undefined);
  }

  #answer(packet: Packet, link: Link): void {
    const stack = this.#stack;
    if (stack.isEchoIgnored()) return;
    stack.delivered(packet, 'icmp');
    const reply = new Packet(packet.id, ICMP);
    reply.icmpType = ICMP_ECHO_REPLY;
    reply.source = stack.isBroadcastOf(link, packet.destination) ? 0 : packet.destination;
    reply.destination = packet.source;
    reply.sourcePort = reply.destinationPort = packet.sourcePort;
    reply.icmpSequence = packet.icmpSequence;
    reply.payload = packet.payload;
    stack.ip.send(reply);
  }

  #handleError(packet: Packet): void {
    const inner = packet.inner;
    if (inner === undefined) return;
    if (inner.protocol === ICMP) {
      this.#settle(inner.sourcePort, inner.icmpSequence, packet, kindOf(packet));
    } else if (inner.protocol === TCP) {
      this.#stack.tcp.receiveError(inner, errnoOf(packet), packet);
    } else if (inner.protocol === UDP) {
      this.#stack.udpLayer.receiveError(inner, packet);
    }
  }

  #settle(identifier: number, sequence: number, packet: Packet, kind: EchoReply['kind']): void {
    for (const waiting of this.#waiting) {
      if (waiting.identifier !== identifier || waiting.sequence !== sequence) continue;
      const hops = kind === 'reply' ? hopsOf(packet.ttl) : 0;
      const isLocal = this.#stack.localAddress(packet.source) !== undefined;
      const jitter = this.#stack.jitter();
      const roundTripUs = Math.round((isLocal ? LOCAL_ROUND_TRIP_US : LOCAL_ROUND_TRIP_US + ROUND_TRIP_PER_HOP_US * (1 + hops)) * jitter);
      waiting.settle({ kind, from: formatIp(packet.source), ttl: packet.ttl, roundTripUs });
      return;
    }
  }
}

/** errno that a TCP or UDP socket gets for an ICMP error (icmp_err_convert). */
export function errnoOf(packet: Packet): 'ENETUNREACH' | 'EHOSTUNREACH' | 'ECONNREFUSED' | 'EMSGSIZE' {
  if (packet.icmpType === ICMP_TIME_EXCEEDED) return 'EHOSTUNREACH';
  switch (packet.icmpCode) {
    case UNREACHABLE_NET:
    case 6:
    case 9:
    case 11:
      return 'ENETUNREACH';
    case UNREACHABLE_PORT:
      return 'ECONNREFUSED';
    case UNREACHABLE_PROTOCOL:
      // ENOPROTOOPT in Linux; programs see it as a refused connection here.
      return 'ECONNREFUSED';
    case FRAGMENTATION_NEEDED:
      return 'EMSGSIZE';
    case UNREACHABLE_HOST:
    case ADMIN_PROHIBITED:
    default:
      return 'EHOSTUNREACH';
  }
}

function kindOf(packet: Packet): EchoReply['kind'] {
  if (packet.icmpType === ICMP_TIME_EXCEEDED) return 'ttl-exceeded';
  switch (packet.icmpCode) {
    case UNREACHABLE_NET:
      return 'net-unreachable';
    case UNREACHABLE_PORT:
      return 'port-unreachable';
    case 9:
    case 10:
    case ADMIN_PROHIBITED:
      return 'admin-prohibited';
    default:
      return 'host-unreachable';
  }
}

function hopsOf(ttl: number): number {
  return ttl > 64 ? (ttl > 128 ? 255 - ttl : 128 - ttl) : 64 - ttl;
}
