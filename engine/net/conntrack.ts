// Models nf_conntrack: flows, their TCP states and timeouts. A flow whose time is over is gone when next looked at; no timers.
// Not modelled: helpers (FTP and the like), zones, expectations.

import type { Clock } from '../sim/clock.ts';
import { formatIp, type Ip } from './address.ts';
import { ACK, FIN, ICMP, ICMP_ECHO_REQUEST, RST, SYN, TCP, UDP, type Packet } from './packet.ts';

export type TcpFlowState =
  'NONE' | 'SYN_SENT' | 'SYN_RECV' | 'ESTABLISHED' | 'FIN_WAIT' | 'CLOSE_WAIT' | 'LAST_ACK' | 'TIME_WAIT' | 'CLOSE';

export interface Tuple {
  protocol: number;
  source: Ip;
  destination: Ip;
  sourcePort: number;
  destinationPort: number;
}

export class Flow {
  original: Tuple;
  reply: Tuple;
  isConfirmed = false;
  hasReply = false;
  isAssured = false;
  /** A source (or destination) mapping was chosen, be it the identity. */
  sourceDecided = false;
  destinationDecided = false;
  isSourceMapped = false;
  isDestinationMapped = false;
  mark = 0;
  state: TcpFlowState = 'NONE';
  deadlineMs = 0;
  icmpType = 0;
  icmpCode = 0;

  constructor(original: Tuple) {
    this.original = original;
    this.reply = invert(original);
  }
}

export type FlowState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED';

export function invert(tuple: Tuple): Tuple {
  return {
    protocol: tuple.protocol,
    source: tuple.destination,
    destination: tuple.source,
    sourcePort: tuple.destinationPort,
    destinationPort: tuple.sourcePort,
  };
}

interface Entry {
  readonly tuple: Tuple;
  readonly flow: Flow;
  readonly isReply: boolean;
  next: Entry | undefined;
}

/** Seconds, by the whole key of their sysctl; the kernel's defaults, used where the sysctl is missing. */
const TCP_TIMEOUTS: Readonly<Record<TcpFlowState, readonly [string, number]>> = {
  NONE: ['net.netfilter.nf_conntrack_tcp_timeout_close', 10],
  SYN_SENT: ['net.netfilter.nf_conntrack_tcp_timeout_syn_sent', 120],
  SYN_RECV: ['net.netfilter.nf_conntrack_tcp_timeout_syn_recv', 60],
  ESTABLISHED: ['net.netfilter.nf_conntrack_tcp_timeout_established', 432_000],
  FIN_WAIT: ['net.netfilter.nf_conntrack_tcp_timeout_fin_wait', 120],
  CLOSE_WAIT: ['net.netfilter.nf_conntrack_tcp_timeout_close_wait', 60],
  LAST_ACK: ['net.netfilter.nf_conntrack_tcp_timeout_last_ack', 30],
  TIME_WAIT: ['net.netfilter.nf_conntrack_tcp_timeout_time_wait', 120],
  CLOSE: ['net.netfilter.nf_conntrack_tcp_timeout_close', 10],
};
const DEFAULT_MAX = 65_536;

export class Conntrack {
  readonly #clock: Clock;
  readonly #setting: (key: string, otherwise: number) => number;
  readonly #buckets = new Map<number, Entry>();
  #flows = new Set<Flow>();
  #sweepAt = 1024;

  /** `setting` reads a sysctl; it is asked for every packet. */
  constructor(clock: Clock, setting: (key: string, otherwise: number) => number) {
    this.#clock = clock;
    this.#setting = setting;
  }

  /**
   * Finds or makes the packet's flow and notes it on the packet. False: the table is full and the packet must go.
   * A packet that belongs to no flow and cannot start one is left without (INVALID).
   */
  track(packet: Packet): boolean {
    if (packet.flow !== undefined || packet.isUntracked) return true;
    if (packet.isIcmpError) {
      this.#trackError(packet);
      return true;
    }
    const found = this.#find(packet.protocol, packet.source, packet.destination, packet.sourcePort, packet.destinationPort);
    if (found !== undefined && !isReopened(found.flow, packet, found.isReply)) {
      packet.flow = found.flow;
      packet.isReply = found.isReply;
      this.#refresh(found.flow, packet, found.isReply);
      return true;
    }
    if (found !== undefined) this.delete(found.flow);
    if (packet.protocol === TCP && !mayStart(packet)) return true;
    if (packet.protocol === ICMP && packet.icmpType !== ICMP_ECHO_REQUEST) return true;
    const max = this.#setting('net.netfilter.nf_conntrack_max', DEFAULT_MAX);
    if (this.#flows.size >= max) {
      this.#sweep();
      if (this.#flows.size >= max) return false;
    }
    const flow = new Flow(tupleOf(packet));
    if (packet.protocol === ICMP) {
      flow.icmpType = packet.icmpType;
      flow.icmpCode = packet.icmpCode;
    }
    packet.flow = flow;
    packet.isReply = false;
    this.#refresh(flow, packet, false);
    return true;
  }

  /** Puts a new flow into the table, once its first packet has passed every hook. False when somebody else took the tuple. */
  confirm(flow: Flow): boolean {
    if (flow.isConfirmed) return true;
    if (this.isTaken(flow.reply) || this.isTaken(flow.original)) return false;
    flow.isConfirmed = true;
    this.#insert(flow.original, flow, false);
    this.#insert(flow.reply, flow, true);
    this.#flows.add(flow);
    if (this.#flows.size > this.#sweepAt) {
      this.#sweep();
      this.#sweepAt = Math.max(1024, this.#flows.size * 2);
    }
    return true;
  }

  isTaken(tuple: Tuple): boolean {
    return this.#find(tuple.protocol, tuple.source, tuple.destination, tuple.sourcePort, tuple.destinationPort) !== undefined;
  }

  delete(flow: Flow): void {
    if (!this.#flows.delete(flow)) return;
    this.#remove(flow.original, flow);
    this.#remove(flow.reply, flow);
  }

  flush(): void {
    this.#buckets.clear();
    this.#flows.clear();
  }

  /** Live flows, oldest first. */
  flows(): readonly Flow[] {
    this.#sweep();
    return [...this.#flows];
  }

  get count(): number {
    this.#sweep();
    return this.#flows.size;
  }

  secondsLeft(flow: Flow): number {
    return Math.max(0, Math.round((flow.deadlineMs - this.#clock.now()) / 1000));
  }

  #trackError(packet: Packet): void {
    const inner = packet.inner;
    if (inner === undefined) return;
    // The quoted packet went the other way, so its tuple is looked up inverted.
    const found = this.#find(inner.protocol, inner.destination, inner.source, inner.destinationPort, inner.sourcePort);
    if (found === undefined) return;
    packet.flow = found.flow;
    packet.isReply = found.isReply;
    packet.isRelated = true;
  }

  #refresh(flow: Flow, packet: Packet, isReply: boolean): void {
    if (isReply) flow.hasReply = true;
    let seconds: number;
    switch (packet.protocol) {
      case TCP: {
        flow.state = nextTcpState(flow.state, packet.flags, isReply);
        if (flow.state === 'ESTABLISHED' && flow.hasReply) flow.isAssured = true;
        const [key, otherwise] = TCP_TIMEOUTS[flow.state];
        seconds = this.#setting(key, otherwise);
        break;
      }
      case UDP:
        if (flow.hasReply) {
          if (!isReply) flow.isAssured = true;
          seconds = this.#setting('net.netfilter.nf_conntrack_udp_timeout_stream', 180);
        } else seconds = this.#setting('net.netfilter.nf_conntrack_udp_timeout', 30);
        break;
      case ICMP:
        seconds = this.#setting('net.netfilter.nf_conntrack_icmp_timeout', 30);
        break;
      default:
        seconds = this.#setting('net.netfilter.nf_conntrack_generic_timeout', 600);
    }
    flow.deadlineMs = this.#clock.now() + seconds * 1000;
    if (packet.protocol === TCP && flow.isConfirmed && packet.flags & RST && !flow.isAssured) this.delete(flow);
  }

  #find(protocol: number, source: Ip, destination: Ip, sourcePort: number, destinationPort: number): Entry | undefined {
    let entry = this.#buckets.get(hash(protocol, source, destination, sourcePort, destinationPort));
    for (; entry !== undefined; entry = entry.next) {
      const tuple = entry.tuple;
      if (
        tuple.source === source &&
        tuple.destination === destination &&
        tuple.sourcePort === sourcePort &&
        tuple.destinationPort === destinationPort &&
        tuple.protocol === protocol
      ) {
        if (entry.flow.deadlineMs > this.#clock.now()) return entry;
        this.delete(entry.flow);
        return undefined;
      }
    }
    return undefined;
  }

  #insert(tuple: Tuple, flow: Flow, isReply: boolean): void {
    const key = hashOf(tuple);
    this.#buckets.set(key, { tuple, flow, isReply, next: this.#buckets.get(key) });
  }

  #remove(tuple: Tuple, flow: Flow): void {
    const key = hashOf(tuple);
    let rest: Entry | undefined;
    for (let entry = this.#buckets.get(key); entry !== undefined; entry = entry.next) {
      if (entry.flow === flow && entry.tuple === tuple) continue;
      rest = { tuple: entry.tuple, flow: entry.flow, isReply: entry.isReply, next: rest };
    }
    if (rest === undefined) this.#buckets.delete(key);
    else this.#buckets.set(key, rest);
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const flow of this.#flows) if (flow.deadlineMs <= now) this.delete(flow);
  }
}

/** What the `state` and `ctstate` matches see. */
export function stateOf(packet: Packet): FlowState {
  if (packet.isUntracked) return 'UNTRACKED';
  if (packet.flow === undefined) return 'INVALID';
  if (packet.isRelated) return 'RELATED';
  return packet.isReply || packet.flow.hasReply ? 'ESTABLISHED' : 'NEW';
}

/** One line of /proc/net/nf_conntrack as conntrack(8) -L prints it. */
export function formatFlow(flow: Flow, secondsLeft: number): string {
  const { protocol } = flow.original;
  const name = protocol === TCP ? 'tcp' : protocol === UDP ? 'udp' : protocol === ICMP ? 'icmp' : 'unknown';
  const state = protocol === TCP ? ` ${flow.state}` : '';
  const unreplied = flow.hasReply ? '' : ' [UNREPLIED]';
  const assured = flow.isAssured ? ' [ASSURED]' : '';
  return (
    `${name.padEnd(8)} ${protocol} ${secondsLeft}${state} ${formatTuple(flow.original, flow, 8)}${unreplied} ` +
    `${formatTuple(flow.reply, flow, 0)}${assured} mark=${flow.mark} use=1`
  );
}

function formatTuple(tuple: Tuple, flow: Flow, icmpType: number): string {
  const addresses = `src=${formatIp(tuple.source)} dst=${formatIp(tuple.destination)}`;
  if (tuple.protocol === ICMP) return `${addresses} type=${icmpType} code=${flow.icmpCode} id=${tuple.sourcePort}`;
  if (tuple.protocol === TCP || tuple.protocol === UDP) return `${addresses} sport=${tuple.sourcePort} dport=${tuple.destinationPort}`;
  return addresses;
}

function tupleOf(packet: Packet): Tuple {
  return {
    protocol: packet.protocol,
    source: packet.source,
    destination: packet.destination,
    sourcePort: packet.sourcePort,
    destinationPort: packet.destinationPort,
  };
}

/** nf_conntrack_tcp_loose: a flow may be picked up in the middle, but not by a RST or by an answer to an unseen SYN. */
function mayStart(packet: Packet): boolean {
  if (packet.flags & RST) return false;
  if (packet.flags & SYN) return (packet.flags & ACK) === 0;
  return (packet.flags & ACK) !== 0;
}

/** A SYN on a closed connection's ports starts a new flow. */
function isReopened(flow: Flow, packet: Packet, isReply: boolean): boolean {
  if (packet.protocol !== TCP || isReply || (packet.flags & (SYN | ACK)) !== SYN) return false;
  return flow.state === 'TIME_WAIT' || flow.state === 'CLOSE' || flow.state === 'LAST_ACK';
}

function nextTcpState(state: TcpFlowState, flags: number, isReply: boolean): TcpFlowState {
  if (flags & RST) return 'CLOSE';
  if (flags & SYN) {
    if (flags & ACK) return isReply && (state === 'SYN_SENT' || state === 'SYN_RECV') ? 'SYN_RECV' : state;
    if (isReply) return state;
    return state === 'NONE' || state === 'SYN_SENT' || state === 'TIME_WAIT' || state === 'CLOSE' || state === 'LAST_ACK'
      ? 'SYN_SENT'
      : state;
  }
  if (flags & FIN) {
    switch (state) {
      case 'SYN_RECV':
      case 'ESTABLISHED':
      case 'NONE':
        return 'FIN_WAIT';
      case 'FIN_WAIT':
      case 'CLOSE_WAIT':
        return 'LAST_ACK';
      default:
        return state;
    }
  }
  switch (state) {
    case 'NONE':
    case 'SYN_RECV':
      return 'ESTABLISHED';
    case 'FIN_WAIT':
      return 'CLOSE_WAIT';
    case 'LAST_ACK':
      return 'TIME_WAIT';
    default:
      return state;
  }
}

function hashOf(tuple: Tuple): number {
  return hash(tuple.protocol, tuple.source, tuple.destination, tuple.sourcePort, tuple.destinationPort);
}

function hash(protocol: number, source: Ip, destination: Ip, sourcePort: number, destinationPort: number): number {
  let h = Math.imul(source ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(destination, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15) ^ ((sourcePort << 16) | destinationPort), 0x27d4eb2f) ^ protocol;
  return (h ^ (h >>> 13)) | 0;
}
