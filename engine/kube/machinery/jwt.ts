// Models the JSON web tokens of service accounts (go-jose with an ECDSA key: ES256).

import { sha256 } from '@noble/hashes/sha2.js';
import { publicKeyOf, signBytes, verifyBytes } from '../../net/x509.ts';
import { fromBase64, text, toBase64, utf8 } from '../../sim/bytes.ts';

export type Claims = Readonly<Record<string, unknown>>;

export function base64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export function fromBase64Url(part: string): Uint8Array {
  return fromBase64(part.replaceAll('-', '+').replaceAll('_', '/'));
}

/** The key's name in tokens and in the published key set: the hash of its DER form. */
export function keyIdOf(publicKeyPem: string): string {
  return base64Url(sha256(fromBase64(publicKeyPem.replace(/-----[^-]+-----/g, '').replace(/\s+/g, ''))));
}

export function signToken(claims: Claims, privateKeyPem: string): string {
  const header = { alg: 'ES256', kid: keyIdOf(publicKeyOf(privateKeyPem)) };
  const signed = `${base64Url(utf8(JSON.stringify(header)))}.${base64Url(utf8(JSON.stringify(claims)))}`;
  return `${signed}.${base64Url(signBytes(utf8(signed), privateKeyPem, 'raw'))}`;
}

/** The claims of a token, whoever signed it; undefined for what is no token at all. */
export function claimsOf(token: string): Claims | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const claims: unknown = JSON.parse(text(fromBase64Url(parts[1]!)));
    return typeof claims === 'object' && claims !== null ? (claims as Claims) : undefined;
  } catch (error) {
    // Whatever does not decode is no token.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

export function isSignedBy(token: string, publicKeyPem: string): boolean {
  const [header = '', payload = '', signature] = token.split('.');
  if (signature === undefined) return false;
  try {
    return verifyBytes(utf8(`${header}.${payload}`), fromBase64Url(signature), publicKeyPem, 'raw');
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
