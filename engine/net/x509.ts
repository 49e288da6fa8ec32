// Models X.509 v3 certificates and PKCS#10 requests with ECDSA P-256 keys, as kubeadm and the kubelet make them.
// Not modelled: RSA keys, revocation, name constraints, intermediate authorities.

import { p256 } from '@noble/curves/nist.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { concat, fromBase64, text, toBase64, toHex, utf8 } from '../sim/bytes.ts';
import { invariant } from '../sim/invariant.ts';
import type { Rng } from '../sim/rng.ts';
import { isRsaSignature, verifyRsa } from './rsa.ts';
import { ascii, bits, boolean, der, integer, octets, oid, readAll, readOid, readTime, sequence, set, time, type DerNode } from './der.ts';

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const PRIME256V1 = '1.2.840.10045.3.1.7';
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const KEY_USAGE = '2.5.29.15';
const ALT_NAMES = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SUBJECT_KEY_ID = '2.5.29.14';
const AUTHORITY_KEY_ID = '2.5.29.35';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

export interface KeyPair {
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
}

export interface Name {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

export interface CertificateOptions {
  readonly subject: Name;
  readonly publicKeyPem: string;
  /** Who signs. `selfSignedBy` makes the certificate its own issuer. */
  readonly issuer: { readonly certificatePem: string; readonly privateKeyPem: string } | { readonly selfSignedBy: string };
  readonly serial: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isCa?: boolean;
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  readonly usages?: readonly ('server' | 'client')[];
}

export interface Certificate {
  readonly subject: Name;
  readonly issuer: Name;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  readonly usages: readonly ('server' | 'client')[];
  readonly isCa: boolean;
  /** Lower-case hex. */
  readonly serial: string;
  readonly publicKeyPem: string;
  /** SHA-256 of the DER form, lower-case hex. */
  readonly fingerprint: string;
}

export interface CertificateRequest {
  readonly subject: Name;
  readonly publicKeyPem: string;
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
}

/** Why a certificate is not accepted; the message is Go's (crypto/x509). */
export class X509Error extends Error {
  override readonly name = 'X509Error';
}

export function generateKeyPair(rng: Rng): KeyPair {
  const secret = p256.utils.randomSecretKey(rng.bytes(48));
  const point = p256.getPublicKey(secret, false);
  const privateDer = sequence(integer(Uint8Array.from([1])), octets(secret), der(0xa0, oid(PRIME256V1)), der(0xa1, bits(point)));
  return { privateKeyPem: pem('EC PRIVATE KEY', privateDer), publicKeyPem: pem('PUBLIC KEY', publicKeyInfo(point)) };
}

// A lab multiplies the base point a few dozen times: the large table that pays off after thousands would be most of the work.
p256.Point.BASE.precompute(4);

// Curve arithmetic costs about a millisecond, and the same keys and tokens are met thousands of times. What these two keep
// is a pure function of its key, so labs may share it.
const publicKeys = new Map<string, string>();
const verifications = new Map<string, boolean>();
const REMEMBERED = 1024;

function remember<T>(memory: Map<string, T>, key: string, compute: () => T): T {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const value = compute();
  if (memory.size >= REMEMBERED) memory.clear();
  memory.set(key, value);
  return value;
}

/** The public half of a private key. */
export function publicKeyOf(privateKeyPem: string): string {
  return remember(publicKeys, privateKeyPem, () =>
    pem('PUBLIC KEY', publicKeyInfo(embeddedPoint(privateKeyPem) ?? p256.getPublicKey(secretOf(privateKeyPem), false))),
  );
}

/** ECDSA over SHA-256, deterministic (RFC 6979); `raw` is r and s side by side, as JWT's ES256 has it. */
export function signBytes(bytes: Uint8Array, privateKeyPem: string, form: 'der' | 'raw' = 'der'): Uint8Array {
  return p256.sign(bytes, secretOf(privateKeyPem), { lowS: false, format: form === 'raw' ? 'compact' : 'der' });
}

/** Says true of a good signature sooner than the arithmetic here does; what it is not sure of is computed here. */
export type SignatureShortcut = (bytes: Uint8Array, signature: Uint8Array, publicKeyPem: string, form: 'der' | 'raw') => boolean;
let isSurelyGood: SignatureShortcut = () => false;

/** Lets the host lend what its own platform has for it. The answers are the same. */
export function lendSignatureShortcut(shortcut: SignatureShortcut): void {
  isSurelyGood = shortcut;
}

export function verifyBytes(bytes: Uint8Array, signature: Uint8Array, publicKeyPem: string, form: 'der' | 'raw' = 'der'): boolean {
  const key = `${form} ${toHex(signature)} ${toHex(sha256(bytes))} ${publicKeyPem}`;
  return remember(
    verifications,
    key,
    () =>
      isSurelyGood(bytes, signature, publicKeyPem, form) ||
      p256.verify(signature, bytes, publicPointOf(publicKeyPem), { lowS: false, format: form === 'raw' ? 'compact' : 'der' }),
  );
}

/** Returns the PEM form. */
export function createCertificate(options: CertificateOptions): string {
  const isSelfSigned = 'selfSignedBy' in options.issuer;
  const signingKey = 'selfSignedBy' in options.issuer ? options.issuer.selfSignedBy : options.issuer.privateKeyPem;
  const issuerKey = isSelfSigned ? options.publicKeyPem : publicKeyOf(signingKey);
  const issuerName = 'selfSignedBy' in options.issuer ? name(options.subject) : subjectDer(options.issuer.certificatePem);
  const body = sequence(
    der(0xa0, integer(Uint8Array.from([2]))),
    integer(options.serial),
    sequence(oid(ECDSA_SHA256)),
    issuerName,
    sequence(time(options.notBeforeMs), time(options.notAfterMs)),
    name(options.subject),
    derOf(options.publicKeyPem),
    der(0xa3, sequence(...extensions(options, issuerKey))),
  );
  return pem('CERTIFICATE', signed(body, signingKey));
}

/** Returns the PEM form of a PKCS#10 request. */
export function createCertificateRequest(options: {
  readonly subject: Name;
  readonly privateKeyPem: string;
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}): string {
  const names = altNames(options.dnsNames ?? [], options.addresses ?? []);
  const attributes =
    names === undefined ? der(0xa0) : der(0xa0, sequence(oid(EXTENSION_REQUEST), set(sequence(sequence(oid(ALT_NAMES), octets(names))))));
  const body = sequence(integer(Uint8Array.from([0])), name(options.subject), derOf(publicKeyOf(options.privateKeyPem)), attributes);
  return pem('CERTIFICATE REQUEST', signed(body, options.privateKeyPem));
}

/** Throws X509Error when it is malformed or not signed by its own key. */
export function parseCertificateRequest(requestPem: string): CertificateRequest {
  const { body, algorithm, signature } = unwrapSigned(requestPem);
  const [, subject, key, attributes] = readAll(body.content);
  invariant(subject && key, 'a request has a subject and a key');
  const publicKeyPem = pem('PUBLIC KEY', key.raw);
  if (isRsaSignature(algorithm)) {
    if (!verifyRsa(body.raw, signature, algorithm, key.raw)) throw new X509Error('crypto/rsa: verification error');
  } else if (!verifyBytes(body.raw, signature, publicKeyPem)) throw new X509Error('x509: ECDSA verification failure');
  let found: { dnsNames: string[]; addresses: string[] } = { dnsNames: [], addresses: [] };
  for (const attribute of attributes === undefined ? [] : readAll(attributes.content)) {
    const [, values] = readAll(attribute.content);
    for (const list of values === undefined ? [] : readAll(values.content)) {
      for (const extension of readAll(list.content)) {
        const [id, value] = readAll(extension.content);
        if (id !== undefined && value !== undefined && readOid(id.content) === ALT_NAMES) found = readAltNames(value.content);
      }
    }
  }
  return { subject: readName(subject), publicKeyPem, ...found };
}

/** Of the first certificate in the text. Throws X509Error when there is none or it is malformed. */
export function parseCertificate(certificatePem: string): Certificate {
  const { body } = unwrapSigned(certificatePem);
  const nodes = readAll(body.content);
  const [, serial, , issuer, validity, subject, key, extensionsNode] = nodes;
  if (!serial || !issuer || !validity || !subject || !key) throw new X509Error('x509: malformed certificate');
  const [from, until] = readAll(validity.content);
  invariant(from && until, 'a validity has two ends');
  let names: { dnsNames: string[]; addresses: string[] } = { dnsNames: [], addresses: [] };
  let isCa = false;
  const usages: ('server' | 'client')[] = [];
  const list = extensionsNode === undefined ? [] : readAll(readAll(extensionsNode.content)[0]?.content ?? new Uint8Array());
  for (const extension of list) {
    const fields = readAll(extension.content);
    const id = readOid(fields[0]!.content);
    const value = fields.at(-1)!.content;
    if (id === ALT_NAMES) names = readAltNames(value);
    if (id === BASIC_CONSTRAINTS) isCa = readAll(readAll(value)[0]?.content ?? new Uint8Array())[0]?.content[0] === 0xff;
    if (id === EXTENDED_KEY_USAGE) {
      for (const usage of readAll(readAll(value)[0]!.content)) {
        const dotted = readOid(usage.content);
        if (dotted === SERVER_AUTH) usages.push('server');
        if (dotted === CLIENT_AUTH) usages.push('client');
      }
    }
  }
  return {
    subject: readName(subject),
    issuer: readName(issuer),
    notBeforeMs: readTime(from),
    notAfterMs: readTime(until),
    ...names,
    usages,
    isCa,
    serial: toHex(serial.content),
    publicKeyPem: pem('PUBLIC KEY', key.raw),
    fingerprint: toHex(sha256(derOf(certificatePem))),
  };
}

/** Checks signature, dates, usage and host; throws X509Error. `caPem` may hold several certificates. */
export function verifyCertificate(
  certificatePem: string,
  caPem: string,
  options: { readonly nowMs: number; readonly usage: 'server' | 'client'; readonly host?: string },
): void {
  const certificate = parseCertificate(certificatePem);
  if (options.host !== undefined) verifyHost(certificate, options.host);
  if (options.nowMs < certificate.notBeforeMs || options.nowMs > certificate.notAfterMs) {
    const now = rfc3339(options.nowMs);
    throw new X509Error(
      options.nowMs < certificate.notBeforeMs
        ? `x509: certificate has expired or is not yet valid: current time ${now} is before ${rfc3339(certificate.notBeforeMs)}`
        : `x509: certificate has expired or is not yet valid: current time ${now} is after ${rfc3339(certificate.notAfterMs)}`,
    );
  }
  if (certificate.usages.length > 0 && !certificate.usages.includes(options.usage)) {
    throw new X509Error('x509: certificate specifies an incompatible key usage');
  }
  const { body, signature } = unwrapSigned(certificatePem);
  for (const candidate of splitPem(caPem)) {
    const authority = parseCertificate(candidate);
    const isIssuer = authority.isCa && sameName(authority.subject, certificate.issuer);
    const isItself = authority.fingerprint === certificate.fingerprint;
    if ((isIssuer || isItself) && verifyBytes(body.raw, signature, authority.publicKeyPem)) return;
  }
  throw new X509Error('x509: certificate signed by unknown authority');
}

/** All certificates of a bundle, each as PEM. */
export function splitPem(bundle: string): readonly string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g) ?? [];
}

function verifyHost(certificate: Certificate, host: string): void {
  if (/^[\d.]+$/.test(host)) {
    if (certificate.addresses.includes(host)) return;
    throw new X509Error(
      certificate.addresses.length === 0
        ? `x509: cannot validate certificate for ${host} because it doesn't contain any IP SANs`
        : `x509: certificate is valid for ${certificate.addresses.join(', ')}, not ${host}`,
    );
  }
  const matches = certificate.dnsNames.some((pattern) =>
    pattern.startsWith('*.') ? host.split('.').slice(1).join('.') === pattern.slice(2) : pattern === host,
  );
  if (!matches) {
    throw new X509Error(
      certificate.dnsNames.length === 0
        ? `x509: certificate is not valid for any names, but wanted to match ${host}`
        : `x509: certificate is valid for ${[...certificate.dnsNames].join(', ')}, not ${host}`,
    );
  }
}

function extensions(options: CertificateOptions, issuerKeyPem: string): Uint8Array[] {
  const out: Uint8Array[] = [];
  const isCa = options.isCa === true;
  // Bit 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign (RFC 5280, 4.2.1.3).
  const usageBits = isCa ? [0xa4, 2] : [0xa0, 5];
  out.push(sequence(oid(KEY_USAGE), boolean(true), octets(bits(Uint8Array.from([usageBits[0]!]), usageBits[1]!))));
  if (options.usages !== undefined && options.usages.length > 0) {
    const ids = options.usages.map((usage) => oid(usage === 'server' ? SERVER_AUTH : CLIENT_AUTH));
    out.push(sequence(oid(EXTENDED_KEY_USAGE), octets(sequence(...ids))));
  }
  out.push(sequence(oid(BASIC_CONSTRAINTS), boolean(true), octets(isCa ? sequence(boolean(true)) : sequence())));
  if (isCa) out.push(sequence(oid(SUBJECT_KEY_ID), octets(octets(keyId(options.publicKeyPem)))));
  else out.push(sequence(oid(AUTHORITY_KEY_ID), octets(sequence(der(0x80, keyId(issuerKeyPem))))));
  const names = altNames(options.dnsNames ?? [], options.addresses ?? []);
  if (names !== undefined) out.push(sequence(oid(ALT_NAMES), octets(names)));
  return out;
}

function keyId(publicKeyPem: string): Uint8Array {
  return sha1(publicPointOf(publicKeyPem));
}

function altNames(dnsNames: readonly string[], addresses: readonly string[]): Uint8Array | undefined {
  if (dnsNames.length + addresses.length === 0) return undefined;
  return sequence(
    ...dnsNames.map((dns) => der(0x82, ascii(dns))),
    ...addresses.map((address) => der(0x87, Uint8Array.from(address.split('.').map(Number)))),
  );
}

function readAltNames(value: Uint8Array): { dnsNames: string[]; addresses: string[] } {
  const dnsNames: string[] = [];
  const addresses: string[] = [];
  for (const node of readAll(readAll(value)[0]?.content ?? new Uint8Array())) {
    if (node.tag === 0x82) dnsNames.push(String.fromCharCode(...node.content));
    if (node.tag === 0x87 && node.content.length === 4) addresses.push(node.content.join('.'));
  }
  return { dnsNames, addresses };
}

function name(subject: Name): Uint8Array {
  const parts = subject.organizations.map((organization) => set(sequence(oid(ORGANIZATION), der(0x0c, utf8(organization)))));
  if (subject.commonName !== '') parts.push(set(sequence(oid(COMMON_NAME), der(0x0c, utf8(subject.commonName)))));
  return sequence(...parts);
}

function readName(node: DerNode): Name {
  let commonName = '';
  const organizations: string[] = [];
  for (const part of readAll(node.content)) {
    for (const pair of readAll(part.content)) {
      const [id, value] = readAll(pair.content);
      if (id === undefined || value === undefined) continue;
      const dotted = readOid(id.content);
      if (dotted === COMMON_NAME) commonName = text(value.content);
      if (dotted === ORGANIZATION) organizations.push(text(value.content));
    }
  }
  return { commonName, organizations };
}

function sameName(a: Name, b: Name): boolean {
  return a.commonName === b.commonName && a.organizations.join('\0') === b.organizations.join('\0');
}

function subjectDer(certificatePem: string): Uint8Array {
  return readAll(unwrapSigned(certificatePem).body.content)[5]!.raw;
}

function signed(body: Uint8Array, privateKeyPem: string): Uint8Array {
  return sequence(body, sequence(oid(ECDSA_SHA256)), bits(signBytes(body, privateKeyPem)));
}

function unwrapSigned(pemText: string): { body: DerNode; algorithm: string; signature: Uint8Array } {
  let body: DerNode | undefined;
  let signature: DerNode | undefined;
  let algorithm = '';
  try {
    const [first, second, third] = readAll(readAll(derOf(pemText))[0]!.content);
    [body, signature] = [first, third];
    if (second !== undefined) algorithm = readOid(readAll(second.content)[0]!.content);
  } catch (error) {
    throw new X509Error(`x509: malformed certificate: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!body || !signature) throw new X509Error('x509: malformed certificate');
  return { body, algorithm, signature: signature.content.subarray(1) };
}

function publicKeyInfo(point: Uint8Array): Uint8Array {
  return sequence(sequence(oid(EC_PUBLIC_KEY), oid(PRIME256V1)), bits(point));
}

/** The point of a public key on its curve, uncompressed: 4, x, y. */
export function publicPointOf(publicKeyPem: string): Uint8Array {
  const [, key] = readAll(readAll(derOf(publicKeyPem))[0]!.content);
  invariant(key, 'a public key has a point');
  return key.content.subarray(1);
}

/** The public point that a key file may carry beside the secret, which saves computing it. */
function embeddedPoint(privateKeyPem: string): Uint8Array | undefined {
  const optional = readAll(readAll(derOf(privateKeyPem, 'EC PRIVATE KEY'))[0]!.content).find(({ tag }) => tag === 0xa1);
  return optional === undefined ? undefined : readAll(optional.content)[0]?.content.subarray(1);
}

function secretOf(privateKeyPem: string): Uint8Array {
  const [, secret] = readAll(readAll(derOf(privateKeyPem, 'EC PRIVATE KEY'))[0]!.content);
  invariant(secret, 'a private key has a secret');
  return secret.content;
}

/** The bytes of the first PEM block, or of the first with that label: a file may hold a certificate and its key. */
function derOf(pemText: string, label = '[^-]+'): Uint8Array {
  const match = new RegExp(`-----BEGIN ${label}-----([\\s\\S]*?)-----END ${label}-----`).exec(pemText);
  if (!match) throw new X509Error('x509: no PEM block');
  return fromBase64(match[1]!.replace(/\s+/g, ''));
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = toBase64(concat([bytes])).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
