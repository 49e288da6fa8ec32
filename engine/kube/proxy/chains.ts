// Names of kube-proxy's chains: a prefix and 16 characters of a hash of the service port (and endpoint).

import { sha256 } from '@noble/hashes/sha2.js';
import { utf8 } from '../../sim/bytes.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function hash16(text: string): string {
  const digest = sha256(utf8(text));
  let out = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of digest) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5 && out.length < 16) {
      bits -= 5;
      out += BASE32[(buffer >> bits) & 31];
    }
    buffer &= (1 << bits) - 1;
  }
  return out;
}

export type ChainKind = 'SVC' | 'FW' | 'XLB';

/** `servicePort` is `namespace/name` or `namespace/name:port`. */
export function serviceChain(kind: ChainKind, servicePort: string, protocol: string): string {
  return `KUBE-${kind}-${hash16(`${servicePort}${protocol.toLowerCase()}`)}`;
}

export function endpointChain(servicePort: string, protocol: string, endpoint: string): string {
  return `KUBE-SEP-${hash16(`${servicePort}${protocol.toLowerCase()}${endpoint}`)}`;
}
