// Models IPv4 packets (with TCP, UDP, ICMP and IP-in-IP inside) and ARP messages as objects, not as bytes.
// A packet is one sk_buff: headers plus what the kernel notes about it. Not modelled: fragments, IP options, checksums.

import type { FramePayload } from './net-stack.ts';
import type { Ip } from './address.ts';
import type { Flow } from './conntrack.ts';

export const ICMP = 1;
export const IPIP = 4;
export const TCP = 6;
export const UDP = 17;

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;

export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_ECHO_REQUEST = 8;
export const ICMP_TIME_EXCEEDED = 11;

const NOTHING = new Uint8Array(0);
const IP_HEADER_BYTES = 20;

export class Packet implements FramePayload {
  readonly kind = 'ip';
  readonly id: number;
  source: Ip = 0;
  destination: Ip = 0;
  protocol: number;
  ttl = 64;
  tos = 0;
  dontFragment = true;
  /** TCP and UDP; for ICMP echo both hold the identifier. */
  sourcePort = 0;
  destinationPort = 0;
  flags = 0;
  sequence = 0;
  acknowledgement = 0;
  window = 0;
  icmpType = 0;
  icmpCode = 0;
  icmpSequence = 0;
  /** MTU in "fragmentation needed". */
  icmpMtu = 0;
  payload: Uint8Array = NOTHING;
  /** What IP-in-IP carries, or the packet an ICMP error quotes. */
  inner: Packet | undefined = undefined;

  // What the kernel notes about it while it is on this machine.
  mark = 0;
  flow: Flow | undefined = undefined;
  isReply = false;
  /** An ICMP error about `flow`. */
  isRelated = false;
  /** NOTRACK. */
  isUntracked = false;
  /** uid of the sending process. */
  owner: number | undefined = undefined;
  /** Ports of the bridge it came in by and goes out by. */
  physicalIn: string | undefined = undefined;
  physicalOut: string | undefined = undefined;
  sourceMac: string | undefined = undefined;

  constructor(id: number, protocol: number) {
    this.id = id;
    this.protocol = protocol;
  }

  /** Total length as the IP header says it. */
  get sizeBytes(): number {
    return IP_HEADER_BYTES + this.transportBytes;
  }

  /** Header of the transport protocol and payload. */
  get transportBytes(): number {
    switch (this.protocol) {
      case TCP:
        return (this.flags & SYN ? 40 : 32) + this.payload.length;
      case UDP:
        return 8 + this.payload.length;
      case ICMP:
        return 8 + this.payload.length + (this.inner === undefined ? 0 : IP_HEADER_BYTES + 8);
      default:
        return this.payload.length + (this.inner?.sizeBytes ?? 0);
    }
  }

  copy(): Packet {
    const other = new Packet(this.id, this.protocol);
    Object.assign(other, this);
    other.inner = this.inner?.copy();
    return other;
  }

  /** Forgets what the last machine or namespace noted about it. */
  scrub(): void {
    this.mark = 0;
    this.flow = undefined;
    this.isReply = false;
    this.isRelated = false;
    this.isUntracked = false;
    this.owner = undefined;
    this.physicalIn = undefined;
    this.physicalOut = undefined;
  }

  get isIcmpError(): boolean {
    return (
      this.protocol === ICMP &&
      (this.icmpType === 3 || this.icmpType === 4 || this.icmpType === 5 || this.icmpType === 11 || this.icmpType === 12)
    );
  }
}

export interface ArpMessage extends FramePayload {
  readonly kind: 'arp';
  readonly operation: 'request' | 'reply';
  readonly senderMac: string;
  readonly senderIp: Ip;
  readonly targetMac: string;
  readonly targetIp: Ip;
}

export function arpMessage(message: Omit<ArpMessage, 'kind' | 'sizeBytes'>): ArpMessage {
  return { kind: 'arp', sizeBytes: 28, ...message };
}
