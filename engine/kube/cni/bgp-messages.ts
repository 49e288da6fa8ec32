// The wire of BGP-4 (RFC 4271) as far as hosts of one Calico mesh speak it: OPEN, UPDATE, KEEPALIVE, NOTIFICATION.

import { addressNumber, addressText } from './blocks.ts';

export type BgpMessage =
  | { readonly type: 'open'; readonly asNumber: number; readonly holdSeconds: number; readonly routerId: string }
  | { readonly type: 'update'; readonly announced: readonly string[]; readonly withdrawn: readonly string[]; readonly nextHop: string }
  | { readonly type: 'notification'; readonly code: number; readonly subcode: number }
  | { readonly type: 'keepalive' };

const HEADER_LENGTH = 19;

export function encodeBgp(message: BgpMessage): Uint8Array {
  switch (message.type) {
    case 'open':
      return frame(1, [4, ...u16(message.asNumber), ...u16(message.holdSeconds), ...octets(message.routerId), 0]);
    case 'update': {
      const withdrawn = message.withdrawn.flatMap(prefix);
      const announced = message.announced.flatMap(prefix);
      // ORIGIN igp, an empty AS_PATH, NEXT_HOP, LOCAL_PREF 100: the attributes of a route inside one system.
      const attributes =
        announced.length === 0 ? [] : [0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4, ...octets(message.nextHop), 0x40, 5, 4, 0, 0, 0, 100];
      return frame(2, [...u16(withdrawn.length), ...withdrawn, ...u16(attributes.length), ...attributes, ...announced]);
    }
    case 'notification':
      return frame(3, [message.code, message.subcode]);
    case 'keepalive':
      return frame(4, []);
  }
}

const u16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const octets = (address: string): number[] => address.split('.').map(Number);

function frame(type: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([...Array<number>(16).fill(0xff), ...u16(HEADER_LENGTH + body.length), type, ...body]);
}

function prefix(cidr: string): number[] {
  const [address = '0.0.0.0', length = '32'] = cidr.split('/');
  return [Number(length), ...octets(address).slice(0, Math.ceil(Number(length) / 8))];
}

/** The first whole message of `bytes` and how long it is; undefined while more bytes are needed. Throws on what is no BGP. */
export function decodeBgp(bytes: Uint8Array): { readonly message: BgpMessage; readonly length: number } | undefined {
  if (bytes.length < HEADER_LENGTH) return undefined;
  const length = bytes[16]! * 256 + bytes[17]!;
  if (length < HEADER_LENGTH || bytes.subarray(0, 16).some((byte) => byte !== 0xff)) throw new BgpError('Connection not synchronized');
  if (bytes.length < length) return undefined;
  return { message: decodeBody(bytes[18]!, bytes.subarray(HEADER_LENGTH, length)), length };
}

export class BgpError extends Error {
  override readonly name = 'BgpError';
}

function decodeBody(type: number, body: Uint8Array): BgpMessage {
  const at16 = (at: number): number => body[at]! * 256 + body[at + 1]!;
  switch (type) {
    case 1:
      return { type: 'open', asNumber: at16(1), holdSeconds: at16(3), routerId: [...body.subarray(5, 9)].join('.') };
    case 2: {
      const withdrawnEnd = 2 + at16(0);
      const attributesEnd = withdrawnEnd + 2 + at16(withdrawnEnd);
      return {
        type: 'update',
        withdrawn: prefixes(body.subarray(2, withdrawnEnd)),
        announced: prefixes(body.subarray(attributesEnd)),
        nextHop: nextHopOf(body.subarray(withdrawnEnd + 2, attributesEnd)),
      };
    }
    case 3:
      return { type: 'notification', code: body[0] ?? 0, subcode: body[1] ?? 0 };
    case 4:
      return { type: 'keepalive' };
    default:
      throw new BgpError('Bad message type');
  }
}

function prefixes(bytes: Uint8Array): string[] {
  const out: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at++]!;
    const size = Math.ceil(length / 8);
    const parts = [...bytes.subarray(at, at + size), 0, 0, 0, 0].slice(0, 4);
    out.push(`${addressText(addressNumber(parts.join('.')))}/${length}`);
    at += size;
  }
  return out;
}

function nextHopOf(attributes: Uint8Array): string {
  for (let at = 0; at + 2 < attributes.length;) {
    const type = attributes[at + 1]!;
    const length = attributes[at + 2]!;
    if (type === 3) return [...attributes.subarray(at + 3, at + 7)].join('.');
    at += 3 + length;
  }
  return '';
}
