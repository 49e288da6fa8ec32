// Models nf_nat: a flow's first packet chooses the mapping, every later one (and every ICMP error about it) is rewritten by it.

import type { Ip } from '../address.ts';
import type { Flow } from '../conntrack.ts';
import { ICMP, TCP, UDP, type Packet } from '../packet.ts';
import type { Stack } from '../stack.ts';

export interface NatRange {
  /** 0 leaves the address as it is. */
  readonly first: Ip;
  readonly last: Ip;
  readonly ports: { readonly first: number; readonly last: number } | undefined;
  readonly isRandom: boolean;
}

export type Manip = 'source' | 'destination';

/** Ports that are tried before a mapping is given up as impossible. */
const MAX_PORT_TRIES = 4096;

/** DNAT for a flow's first packet. */
export function mapDestination(stack: Stack, packet: Packet, range: NatRange): 'accept' | 'drop' {
  const { flow } = packet;
  if (flow === undefined || flow.destinationDecided) return 'accept';
  flow.destinationDecided = true;
  const address =
    range.first === 0
      ? flow.original.destination
      : range.first + (range.last > range.first ? stack.rng.int(range.last - range.first + 1) : 0);
  let port = flow.original.destinationPort;
  if (range.ports !== undefined && hasPorts(packet)) {
    const { first, last } = range.ports;
    port = first === last ? first : first + stack.rng.int(last - first + 1);
  }
  if (address === flow.reply.source && port === flow.reply.sourcePort) return 'accept';
  flow.reply = { ...flow.reply, source: address, sourcePort: port };
  flow.isDestinationMapped = true;
  return 'accept';
}

/** SNAT and MASQUERADE for a flow's first packet: keeps the port when it is free. */
export function mapSource(stack: Stack, packet: Packet, range: NatRange): 'accept' | 'drop' {
  const { flow } = packet;
  if (flow === undefined || flow.sourceDecided) return 'accept';
  flow.sourceDecided = true;
  const address =
    range.first === 0 ? flow.original.source : range.first + (range.last > range.first ? stack.rng.int(range.last - range.first + 1) : 0);
  return chooseSource(stack, packet, flow, address, range) ? 'accept' : 'drop';
}

/** Nobody mapped the source: it stays, unless another flow already uses what the answers would look like. */
export function keepSource(stack: Stack, packet: Packet, flow: Flow): boolean {
  flow.sourceDecided = true;
  if (!stack.flows.isTaken(flow.reply)) return true;
  return chooseSource(stack, packet, flow, flow.original.source, { first: 0, last: 0, ports: undefined, isRandom: false });
}

function chooseSource(stack: Stack, packet: Packet, flow: Flow, address: Ip, range: NatRange): boolean {
  const wanted = flow.original.sourcePort;
  let reply = { ...flow.reply, destination: address };
  const isInRange = range.ports === undefined || (wanted >= range.ports.first && wanted <= range.ports.last);
  const mayKeep = isInRange && !range.isRandom;
  if (!mayKeep || stack.flows.isTaken(reply)) {
    if (!hasPorts(packet) && packet.protocol !== ICMP) return true;
    const [first, last] =
      range.ports !== undefined ? [range.ports.first, range.ports.last] : packet.protocol === ICMP ? [0, 65_535] : portClass(wanted);
    const count = last - first + 1;
    const start = range.isRandom ? stack.rng.int(count) : Math.max(0, wanted - first);
    let isFound = false;
    for (let tried = 0; tried < Math.min(count, MAX_PORT_TRIES) && !isFound; tried++) {
      const port = first + ((start + tried) % count);
      reply = { ...reply, destinationPort: port, ...(packet.protocol === ICMP ? { sourcePort: port } : {}) };
      isFound = !stack.flows.isTaken(reply);
    }
    if (!isFound) return false;
  }
  if (reply.destination !== flow.original.source || reply.destinationPort !== wanted) {
    flow.reply = reply;
    flow.isSourceMapped = true;
  }
  return true;
}

/** Rewrites a packet of a mapped flow at a hook that may change the given side. */
export function translate(packet: Packet, flow: Flow, manip: Manip): void {
  if (packet.isRelated) {
    translateError(packet, flow, manip);
    return;
  }
  // An answer is mapped back at the opposite hook.
  if (manip === 'destination') {
    if (packet.isReply ? !flow.isSourceMapped : !flow.isDestinationMapped) return;
    packet.destination = packet.isReply ? flow.original.source : flow.reply.source;
    if (packet.protocol === ICMP) setIdentifier(packet, packet.isReply ? flow.original.sourcePort : flow.reply.sourcePort);
    else packet.destinationPort = packet.isReply ? flow.original.sourcePort : flow.reply.sourcePort;
  } else {
    if (packet.isReply ? !flow.isDestinationMapped : !flow.isSourceMapped) return;
    packet.source = packet.isReply ? flow.original.destination : flow.reply.destination;
    if (packet.protocol === ICMP) setIdentifier(packet, packet.isReply ? flow.original.sourcePort : flow.reply.destinationPort);
    else packet.sourcePort = packet.isReply ? flow.original.destinationPort : flow.reply.destinationPort;
  }
}

/** nf_nat_icmp_reply_translation: the outer address as for any packet of that direction, the quoted one the other way round. */
function translateError(packet: Packet, flow: Flow, manip: Manip): void {
  const { inner } = packet;
  const isMapped = (manip === 'destination') !== packet.isReply ? flow.isDestinationMapped : flow.isSourceMapped;
  if (!isMapped || inner === undefined) return;
  const other = packet.isReply ? flow.original : flow.reply;
  // `other` is how the far side sees the flow, inverted: its source is where such packets go to.
  if (manip === 'destination') {
    packet.destination = other.source;
    inner.source = other.source;
    inner.sourcePort = other.sourcePort;
  } else {
    packet.source = other.destination;
    inner.destination = other.destination;
    inner.destinationPort = other.destinationPort;
  }
}

function setIdentifier(packet: Packet, identifier: number): void {
  packet.sourcePort = identifier;
  packet.destinationPort = identifier;
}

function hasPorts(packet: Packet): boolean {
  return packet.protocol === TCP || packet.protocol === UDP;
}

/** A mapped port stays in its class, as privileged ports mean something. */
function portClass(port: number): readonly [number, number] {
  if (port < 512) return [1, 511];
  return port < 1024 ? [600, 1023] : [1024, 65_535];
}
