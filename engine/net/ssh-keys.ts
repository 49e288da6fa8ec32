// Models SSH keys: ECDSA P-256 in OpenSSH's public form, with fingerprints as ssh-keygen(1) shows them.
// Not modelled: RSA's arithmetic. A key of type rsa has an RSA key's form and files, with the point of an ECDSA key inside.

import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, fromBase64, toBase64, toHex, utf8 } from '../sim/bytes.ts';
import { SeededRng, type Rng } from '../sim/rng.ts';
import { generateKeyPair, publicKeyOf } from './x509.ts';

export const SSH_KEY_TYPE = 'ecdsa-sha2-nistp256';
/** The uncompressed point at the end of a P-256 SubjectPublicKeyInfo. */
const POINT_BYTES = 65;
const MODULUS_BYTES = 256;
const EC_LABEL = 'EC PRIVATE KEY';
const RSA_LABEL = 'RSA PRIVATE KEY';
const SPKI_HEAD = fromBase64('MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE').subarray(0, 26);
/** Every machine is cloned from one box, host key included, so all of them have this one. */
const BOX_SEED = 0x0b0c5;

export interface SshKeyPair {
  readonly privateKeyPem: string;
  /** `ecdsa-sha2-nistp256 AAAA...`, without a comment. */
  readonly publicLine: string;
}

export function generateSshKey(rng: Rng, type: 'ecdsa' | 'rsa' = 'ecdsa'): SshKeyPair {
  const { privateKeyPem } = generateKeyPair(rng);
  return sshKeyOfPem(type === 'ecdsa' ? privateKeyPem : privateKeyPem.replaceAll(EC_LABEL, RSA_LABEL));
}

/** The host key the box ships with. */
export function boxHostKey(): SshKeyPair {
  return generateSshKey(new SeededRng(BOX_SEED));
}

/** Reads a private key file. */
export function sshKeyOfPem(privateKeyPem: string): SshKeyPair {
  const isRsa = privateKeyPem.includes(RSA_LABEL);
  const ecPem = privateKeyPem.replaceAll(RSA_LABEL, EC_LABEL);
  const point = pointOf(publicKeyOf(ecPem));
  return { privateKeyPem: ecPem, publicLine: isRsa ? rsaLine(point) : ecdsaLine(point) };
}

/** The file as it is written to disk. */
export function privateFileOf(key: SshKeyPair): string {
  return key.publicLine.startsWith('ssh-rsa') ? key.privateKeyPem.replaceAll(EC_LABEL, RSA_LABEL) : key.privateKeyPem;
}

/** PEM of the public key in a line of authorized_keys or known_hosts; undefined for other key types. */
export function publicPemOf(line: string): string | undefined {
  const [type, blob] = line.trim().split(/\s+/);
  if ((type !== SSH_KEY_TYPE && type !== 'ssh-rsa') || blob === undefined) return undefined;
  const bytes = fromBase64(blob);
  const der = concat([SPKI_HEAD, bytes.subarray(bytes.length - POINT_BYTES)]);
  return `-----BEGIN PUBLIC KEY-----\n${toBase64(der)
    .replace(/(.{64})/g, '$1\n')
    .trimEnd()}\n-----END PUBLIC KEY-----\n`;
}

/** `SHA256:...` without padding. */
export function sha256Fingerprint(line: string): string {
  return `SHA256:${toBase64(sha256(blobOf(line))).replace(/=+$/, '')}`;
}

/** `MD5:aa:bb:...`. */
export function md5Fingerprint(line: string): string {
  return `MD5:${toHex(md5(blobOf(line))).replace(/(..)(?=.)/g, '$1:')}`;
}

/** Name of the key's kind as messages have it. */
export function keyKind(line: string): string {
  const type = line.trim().split(/\s+/)[0] ?? '';
  if (type.startsWith('ecdsa-')) return 'ECDSA';
  if (type === 'ssh-ed25519') return 'ED25519';
  return type === 'ssh-rsa' ? 'RSA' : 'DSA';
}

function blobOf(line: string): Uint8Array {
  return fromBase64(line.trim().split(/\s+/)[1] ?? '');
}

function pointOf(publicKeyPem: string): Uint8Array {
  const der = fromBase64(publicKeyPem.replace(/-----[^-]+-----/g, '').replace(/\s+/g, ''));
  return der.subarray(der.length - POINT_BYTES);
}

function ecdsaLine(point: Uint8Array): string {
  return `${SSH_KEY_TYPE} ${toBase64(concat([field(utf8(SSH_KEY_TYPE)), field(utf8('nistp256')), field(point)]))}`;
}

/** A modulus of 2048 bits that ends with the point. */
function rsaLine(point: Uint8Array): string {
  const filler: Uint8Array[] = [];
  let block: Uint8Array = sha256(point);
  for (let length = 0; length < MODULUS_BYTES; length += block.length) filler.push((block = sha256(block)));
  const modulus = concat([Uint8Array.of(0, 0xc5), concat(filler).subarray(0, MODULUS_BYTES - 1 - POINT_BYTES), point]);
  return `ssh-rsa ${toBase64(concat([field(utf8('ssh-rsa')), field(Uint8Array.of(1, 0, 1)), field(modulus)]))}`;
}

function field(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  return concat([Uint8Array.of(length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255), bytes]);
}
