import { createHash, X509Certificate, createPrivateKey, createPublicKey, verify as nodeVerify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { connectionPair } from '../sim/connection-pair.ts';
import { utf8 } from '../sim/bytes.ts';
import { SeededRng } from '../sim/rng.ts';
import { acceptTls, connectTls } from './tls.ts';
import {
  createCertificate,
  createCertificateRequest,
  generateKeyPair,
  parseCertificate,
  parseCertificateRequest,
  signBytes,
  verifyCertificate,
} from './x509.ts';

const nowMs = Date.UTC(2026, 0, 1);
const rng = new SeededRng(7);
const caKey = generateKeyPair(rng);
const ca = createCertificate({
  subject: { commonName: 'kubernetes', organizations: [] },
  publicKeyPem: caKey.publicKeyPem,
  issuer: { selfSignedBy: caKey.privateKeyPem },
  serial: Uint8Array.from([0]),
  notBeforeMs: nowMs - 1000,
  notAfterMs: nowMs + 3650 * 86400_000,
  isCa: true,
});
const issuer = { certificatePem: ca, privateKeyPem: caKey.privateKeyPem };
const leaf = (commonName: string, usage: 'server' | 'client'): { certificatePem: string; privateKeyPem: string } => {
  const key = generateKeyPair(rng);
  const certificatePem = createCertificate({
    subject: { commonName, organizations: usage === 'client' ? ['system:masters'] : [] },
    publicKeyPem: key.publicKeyPem,
    issuer,
    serial: rng.bytes(8),
    notBeforeMs: nowMs - 1000,
    notAfterMs: nowMs + 365 * 86400_000,
    dnsNames: usage === 'server' ? ['kubernetes', 'm-k8s'] : [],
    addresses: usage === 'server' ? ['10.96.0.1', '192.168.1.10'] : [],
    usages: [usage],
  });
  return { certificatePem, privateKeyPem: key.privateKeyPem };
};

describe('certificates', () => {
  it('are what OpenSSL takes them for', () => {
    const server = leaf('kube-apiserver', 'server');
    const seen = new X509Certificate(server.certificatePem);
    expect(seen.subject).toBe('CN=kube-apiserver');
    expect(seen.subjectAltName).toBe('DNS:kubernetes, DNS:m-k8s, IP Address:10.96.0.1, IP Address:192.168.1.10');
    expect(seen.verify(new X509Certificate(ca).publicKey)).toBe(true);
    expect(seen.checkPrivateKey(createPrivateKey(server.privateKeyPem))).toBe(true);
    expect(new X509Certificate(ca).ca).toBe(true);
    expect(parseCertificate(server.certificatePem).fingerprint).toBe(createHash('sha256').update(seen.raw).digest('hex'));
  });

  it('read back what was put in', () => {
    const client = parseCertificate(leaf('kubernetes-admin', 'client').certificatePem);
    expect(client.subject).toEqual({ commonName: 'kubernetes-admin', organizations: ['system:masters'] });
    expect(client.issuer.commonName).toBe('kubernetes');
    expect(client.usages).toEqual(['client']);
    expect(client.isCa).toBe(false);
  });

  it.each([
    {
      name: 'an unknown authority',
      run: () => verifyCertificate(leaf('x', 'server').certificatePem, '', { nowMs, usage: 'server' }),
      want: 'x509: certificate signed by unknown authority',
    },
    {
      name: 'another address',
      run: () => verifyCertificate(leaf('x', 'server').certificatePem, ca, { nowMs, usage: 'server', host: '192.168.1.11' }),
      want: 'x509: certificate is valid for 10.96.0.1, 192.168.1.10, not 192.168.1.11',
    },
    {
      name: 'a date beyond',
      run: () => verifyCertificate(leaf('x', 'server').certificatePem, ca, { nowMs: nowMs + 400 * 86400_000, usage: 'server' }),
      want: 'x509: certificate has expired or is not yet valid: current time 2027-02-05T00:00:00Z is after 2027-01-01T00:00:00Z',
    },
    {
      name: 'another use',
      run: () => verifyCertificate(leaf('x', 'client').certificatePem, ca, { nowMs, usage: 'server' }),
      want: 'x509: certificate specifies an incompatible key usage',
    },
  ])('refuse $name as Go words it', ({ run, want }) => {
    expect(run).toThrow(want);
  });

  it('can be asked for', () => {
    const key = generateKeyPair(rng);
    const request = createCertificateRequest({
      subject: { commonName: 'system:node:w1-k8s', organizations: ['system:nodes'] },
      privateKeyPem: key.privateKeyPem,
    });
    expect(parseCertificateRequest(request)).toMatchObject({
      subject: { commonName: 'system:node:w1-k8s', organizations: ['system:nodes'] },
      publicKeyPem: key.publicKeyPem,
    });
  });

  it('sign what Node verifies', () => {
    const key = generateKeyPair(rng);
    const bytes = utf8('header.payload');
    expect(nodeVerify('sha256', bytes, createPublicKey(key.publicKeyPem), signBytes(bytes, key.privateKeyPem))).toBe(true);
  });
});

describe('the handshake', () => {
  const server = leaf('kube-apiserver', 'server');

  it('tells both sides who the other is', async () => {
    const [a, b] = connectionPair();
    const admin = leaf('kubernetes-admin', 'client');
    const [client, accepted] = await Promise.all([
      connectTls(a, { serverName: '192.168.1.10', ca, certificate: admin, nowMs, rng }),
      acceptTls(b, { certificate: server, clientCa: ca, nowMs, rng }),
    ]);
    expect(accepted.peerCertificatePem).toBe(admin.certificatePem);
    await client.write(utf8('GET / HTTP/1.1\r\n'));
    expect(new TextDecoder().decode(await accepted.read())).toBe('GET / HTTP/1.1\r\n');
  });

  it('ends for both when the client does not trust the server', async () => {
    const [a, b] = connectionPair();
    const accepted = acceptTls(b, { certificate: server, nowMs, rng });
    await expect(connectTls(a, { serverName: '192.168.1.10', nowMs, rng })).rejects.toThrow(
      'x509: certificate signed by unknown authority',
    );
    await expect(accepted).rejects.toThrow('remote error: tls: bad certificate');
  });

  it('does not believe a certificate without its key', async () => {
    const [a, b] = connectionPair();
    const stolen = { certificatePem: leaf('kubernetes-admin', 'client').certificatePem, privateKeyPem: leaf('x', 'client').privateKeyPem };
    const accepted = acceptTls(b, { certificate: server, clientCa: ca, nowMs, rng });
    const client = await connectTls(a, { serverName: 'm-k8s', ca, certificate: stolen, nowMs, rng });
    await expect(accepted).rejects.toThrow('tls: invalid signature by the client certificate');
    await expect(client.read()).rejects.toThrow('remote error: tls: bad certificate');
  });

  it('answers plain HTTP in plain HTTP', async () => {
    const [a, b] = connectionPair();
    const accepted = acceptTls(b, { certificate: server, nowMs, rng });
    await a.write(utf8('GET / HTTP/1.1\r\n\r\n'));
    await expect(accepted).rejects.toThrow();
    expect(new TextDecoder().decode(await a.read())).toContain('Client sent an HTTP request to an HTTPS server.');
  });
});
