// Models DHCP messages (RFC 2131) with the options of a simple lease.

import { formatIp, parseIp } from './address.ts';

export type DhcpKind = 'DISCOVER' | 'OFFER' | 'REQUEST' | 'ACK' | 'NAK' | 'RELEASE';

const KINDS: Readonly<Record<DhcpKind, number>> = { DISCOVER: 1, OFFER: 2, REQUEST: 3, ACK: 5, NAK: 6, RELEASE: 7 };
const HEADER_BYTES = 236;
const COOKIE = [99, 130, 83, 99];

export interface DhcpMessage {
  readonly kind: DhcpKind;
  readonly transaction: number;
  readonly mac: string;
  /** Address that is offered or given. */
  readonly yourAddress?: string;
  readonly clientAddress?: string;
  readonly requested?: string;
  readonly server?: string;
  readonly netmask?: string;
  readonly router?: string;
  readonly nameServers?: readonly string[];
  readonly leaseSeconds?: number;
}

export function encodeDhcp(message: DhcpMessage): Uint8Array {
  const head = new Uint8Array(HEADER_BYTES);
  head[0] = message.kind === 'OFFER' || message.kind === 'ACK' || message.kind === 'NAK' ? 2 : 1;
  head[1] = 1;
  head[2] = 6;
  head.set(long(message.transaction), 4);
  head.set(address(message.clientAddress), 12);
  head.set(address(message.yourAddress), 16);
  head.set(
    message.mac.split(':').map((part) => parseInt(part, 16)),
    28,
  );
  const options: number[] = [53, 1, KINDS[message.kind]];
  const add = (code: number, bytes: readonly number[]): void => void options.push(code, bytes.length, ...bytes);
  if (message.requested !== undefined) add(50, address(message.requested));
  if (message.leaseSeconds !== undefined) add(51, long(message.leaseSeconds));
  if (message.server !== undefined) add(54, address(message.server));
  if (message.netmask !== undefined) add(1, address(message.netmask));
  if (message.router !== undefined) add(3, address(message.router));
  if (message.nameServers !== undefined) add(6, message.nameServers.flatMap(address));
  return Uint8Array.from([...head, ...COOKIE, ...options, 255]);
}

/** Undefined for bytes that are no DHCP message. */
export function decodeDhcp(bytes: Uint8Array): DhcpMessage | undefined {
  if (bytes.length < HEADER_BYTES + 4 || COOKIE.some((byte, at) => bytes[HEADER_BYTES + at] !== byte)) return undefined;
  const options = new Map<number, Uint8Array>();
  for (let at = HEADER_BYTES + 4; at < bytes.length && bytes[at] !== 255; at += 2 + bytes[at + 1]!) {
    options.set(bytes[at]!, bytes.subarray(at + 2, at + 2 + bytes[at + 1]!));
  }
  const kind = Object.entries(KINDS).find(([, value]) => value === options.get(53)?.[0])?.[0] as DhcpKind | undefined;
  if (kind === undefined) return undefined;
  const number = (part: Uint8Array | undefined): number | undefined =>
    part === undefined ? undefined : ((part[0]! << 24) | (part[1]! << 16) | (part[2]! << 8) | part[3]!) >>> 0;
  const ip = (part: Uint8Array | undefined): string | undefined => (part === undefined ? undefined : formatIp(number(part)!));
  const given = (name: string, value: string | undefined): object => (value === undefined || value === '0.0.0.0' ? {} : { [name]: value });
  const servers = options.get(6);
  const lease = number(options.get(51));
  return {
    kind,
    transaction: number(bytes.subarray(4, 8))!,
    mac: [...bytes.subarray(28, 34)].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    ...given('clientAddress', ip(bytes.subarray(12, 16))),
    ...given('yourAddress', ip(bytes.subarray(16, 20))),
    ...given('requested', ip(options.get(50))),
    ...given('server', ip(options.get(54))),
    ...given('netmask', ip(options.get(1))),
    ...given('router', ip(options.get(3))),
    ...(servers === undefined ? {} : { nameServers: chunks(servers).map((part) => ip(part)!) }),
    ...(lease === undefined ? {} : { leaseSeconds: lease }),
  };
}

function chunks(bytes: Uint8Array): readonly Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) out.push(bytes.subarray(at, at + 4));
  return out;
}

function long(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function address(text: string | undefined): number[] {
  return long(text === undefined ? 0 : (parseIp(text) ?? 0));
}
