// Checks RSA signatures (PKCS #1 v1.5): nothing here makes such keys, but requests that come from outside have them.

import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { readAll, readOid } from './der.ts';

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';

/** By the identifier of the signature: what digests, and the DER that stands before the digest. */
const DIGESTS: Readonly<Record<string, readonly [digest: (bytes: Uint8Array) => Uint8Array, prefix: readonly number[]]>> = {
  '1.2.840.113549.1.1.11': [sha256, [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32]],
  '1.2.840.113549.1.1.12': [sha384, [0x30, 0x41, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 4, 48]],
  '1.2.840.113549.1.1.13': [sha512, [0x30, 0x51, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3, 5, 0, 4, 64]],
};

export function isRsaSignature(algorithm: string): boolean {
  return Object.hasOwn(DIGESTS, algorithm);
}

/** `publicKey` is a SubjectPublicKeyInfo. */
export function verifyRsa(bytes: Uint8Array, signature: Uint8Array, algorithm: string, publicKey: Uint8Array): boolean {
  const known = DIGESTS[algorithm];
  const [kind, key] = readAll(readAll(publicKey)[0]!.content);
  if (known === undefined || kind === undefined || key === undefined || readOid(readAll(kind.content)[0]!.content) !== RSA_ENCRYPTION)
    return false;
  // Behind the count of unused bits.
  const [modulus, exponent] = readAll(readAll(key.content.subarray(1))[0]!.content);
  if (modulus === undefined || exponent === undefined) return false;
  const n = numberOf(modulus.content);
  const length = modulus.content.length - (modulus.content[0] === 0 ? 1 : 0);
  const [digest, prefix] = known;
  const hash = digest(bytes);
  const padding = length - 3 - prefix.length - hash.length;
  if (signature.length !== length || padding < 8) return false;
  const wanted = [0, 1, ...new Uint8Array(padding).fill(0xff), 0, ...prefix, ...hash];
  return power(numberOf(signature), numberOf(exponent.content), n) === numberOf(Uint8Array.from(wanted));
}

function numberOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let at = base % modulus, left = exponent; left > 0n; left >>= 1n, at = (at * at) % modulus)
    if ((left & 1n) === 1n) result = (result * at) % modulus;
  return result;
}
