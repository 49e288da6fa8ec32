// Models tcpdump's one-line view of a frame, with numbers instead of names.

import { formatIp } from './address.ts';
import type { CapturedFrame, Frame } from './net-stack.ts';
import { ACK, FIN, ICMP, IPIP, Packet, PSH, RST, SYN, TCP, UDP, URG, type ArpMessage } from './packet.ts';

export function describeFrame(link: string, frame: Frame, direction: 'in' | 'out'): CapturedFrame {
  const { payload } = frame;
  const common = { link, direction, sizeBytes: payload.sizeBytes + 14, source: frame.source, destination: frame.destination };
  if (!(payload instanceof Packet)) {
    const arp = payload as ArpMessage;
    const text =
      arp.operation === 'request'
        ? `ARP, Request who-has ${formatIp(arp.targetIp)} tell ${formatIp(arp.senderIp)}, length 28`
        : `ARP, Reply ${formatIp(arp.senderIp)} is-at ${arp.senderMac}, length 28`;
    return {
      ...common,
      text,
      protocol: 'arp',
      sourceAddress: formatIp(arp.senderIp),
      destinationAddress: formatIp(arp.targetIp),
      sourcePort: 0,
      destinationPort: 0,
    };
  }
  return {
    ...common,
    text: `IP ${describePacket(payload)}`,
    protocol: payload.protocol === TCP ? 'tcp' : payload.protocol === UDP ? 'udp' : payload.protocol === IPIP ? 'ipip' : 'icmp',
    sourceAddress: formatIp(payload.source),
    destinationAddress: formatIp(payload.destination),
    sourcePort: payload.sourcePort,
    destinationPort: payload.destinationPort,
  };
}

function describePacket(packet: Packet): string {
  const source = formatIp(packet.source);
  const destination = formatIp(packet.destination);
  switch (packet.protocol) {
    case TCP:
      return `${source}.${packet.sourcePort} > ${destination}.${packet.destinationPort}: ${describeSegment(packet)}`;
    case UDP:
      return `${source}.${packet.sourcePort} > ${destination}.${packet.destinationPort}: UDP, length ${packet.payload.length}`;
    case ICMP:
      return `${source} > ${destination}: ${describeIcmp(packet)}`;
    default:
      return `${source} > ${destination}: ${packet.inner === undefined ? `ip-proto-${packet.protocol}` : `IP ${describePacket(packet.inner)} (ipip-proto-4)`}`;
  }
}

function describeSegment(packet: Packet): string {
  const { flags } = packet;
  const letters =
    (flags & FIN ? 'F' : '') +
    (flags & SYN ? 'S' : '') +
    (flags & RST ? 'R' : '') +
    (flags & PSH ? 'P' : '') +
    (flags & URG ? 'U' : '') +
    (flags & ACK ? '.' : '');
  const length = packet.payload.length;
  const first = packet.sequence >>> 0;
  const sequence = length > 0 ? `seq ${first}:${(first + length) >>> 0}, ` : flags & (SYN | FIN | RST) ? `seq ${first}, ` : '';
  const acknowledgement = flags & ACK ? `ack ${packet.acknowledgement >>> 0}, ` : '';
  return `Flags [${letters}], ${sequence}${acknowledgement}win ${Math.min(packet.window, 65_535)}, length ${length}`;
}

function describeIcmp(packet: Packet): string {
  const length = packet.transportBytes;
  const inner = packet.inner;
  const target = inner === undefined ? '' : formatIp(inner.destination);
  switch (packet.icmpType) {
    case 8:
      return `ICMP echo request, id ${packet.sourcePort}, seq ${packet.icmpSequence}, length ${length}`;
    case 0:
      return `ICMP echo reply, id ${packet.sourcePort}, seq ${packet.icmpSequence}, length ${length}`;
    case 11:
      return `ICMP time exceeded in-transit, length ${length}`;
    case 3: {
      switch (packet.icmpCode) {
        case 0:
          return `ICMP net ${target} unreachable, length ${length}`;
        case 2:
          return `ICMP ${target} protocol ${inner?.protocol ?? 0} unreachable, length ${length}`;
        case 3:
          return `ICMP ${target} ${inner?.protocol === UDP ? 'udp' : 'tcp'} port ${inner?.destinationPort ?? 0} unreachable, length ${length}`;
        case 4:
          return `ICMP ${target} unreachable - need to frag (mtu ${packet.icmpMtu}), length ${length}`;
        case 10:
        case 13:
          return `ICMP host ${target} unreachable - admin prohibited, length ${length}`;
        default:
          return `ICMP host ${target} unreachable, length ${length}`;
      }
    }
    default:
      return `ICMP type-#${packet.icmpType}, length ${length}`;
  }
}
