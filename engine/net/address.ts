// Models IPv4 and MAC addresses. Inside the stack an IPv4 address is an unsigned 32-bit number; text only at the edges.

export type Ip = number;

export const ANY: Ip = 0;
export const LIMITED_BROADCAST: Ip = 0xffffffff;
export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';

/** Dotted quad to number; undefined when it is none. */
export function parseIp(text: string): Ip | undefined {
  let value = 0;
  let part = 0;
  let parts = 1;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 46) {
      if (digits === 0 || ++parts > 4) return undefined;
      value = value * 256 + part;
      part = 0;
      digits = 0;
    } else if (code >= 48 && code <= 57) {
      part = part * 10 + code - 48;
      if (++digits > 3 || part > 255) return undefined;
    } else return undefined;
  }
  return parts === 4 && digits > 0 ? value * 256 + part : undefined;
}

export function formatIp(ip: Ip): string {
  return `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;
}

/** The netmask of a prefix length. */
export function maskOf(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

export interface Prefix {
  readonly address: Ip;
  readonly length: number;
}

/** `10.0.0.0/8` or a bare address (a /32); undefined when it is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  if (slash < 0) return { address, length: 32 };
  const tail = text.slice(slash + 1);
  if (!/^\d{1,2}$/.test(tail) || Number(tail) > 32) return undefined;
  return { address, length: Number(tail) };
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatIp(prefix.address)}/${prefix.length}`;
}

export function networkOf(address: Ip, length: number): Ip {
  return (address & maskOf(length)) >>> 0;
}

export function isIn(address: Ip, network: Ip, length: number): boolean {
  return ((address ^ network) & maskOf(length)) === 0;
}

export function isLoopback(address: Ip): boolean {
  return address >>> 24 === 127;
}

export function isMulticast(address: Ip): boolean {
  return address >>> 28 === 14;
}

/** Prefix length of a contiguous mask such as 255.255.255.0; undefined when it has holes. */
export function lengthOfMask(mask: Ip): number | undefined {
  for (let length = 0; length <= 32; length++) if (maskOf(length) === mask) return length;
  return undefined;
}

/** The IPv6 link-local address that an interface makes of its MAC (EUI-64). */
export function linkLocal6(mac: string): string {
  const bytes = mac.split(':').map((part) => parseInt(part, 16));
  const eui = [bytes[0]! ^ 2, bytes[1]!, bytes[2]!, 0xff, 0xfe, bytes[3]!, bytes[4]!, bytes[5]!];
  const groups: string[] = [];
  for (let i = 0; i < 8; i += 2) groups.push(((eui[i]! << 8) | eui[i + 1]!).toString(16));
  return `fe80::${groups.join(':')}`;
}
