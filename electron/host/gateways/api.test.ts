// The API door before the real kubectl, with an API server of cardboard behind it that says who it was asked by.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { connectionPair } from '#engine/sim/connection-pair.ts';
import { SysError } from '#engine/sim/errno.ts';
import { utf8 } from '#engine/sim/bytes.ts';
import { SeededRng } from '#engine/sim/rng.ts';
import type { Connection } from '#engine/sim/stream.ts';
import { acceptTls, type Identity } from '#engine/net/tls.ts';
import { createCertificate, generateKeyPair, parseCertificate } from '#engine/net/x509.ts';
import { findKubectl } from '../../../scripts/lib/real-kubectl.mjs';
import { FakeLab } from '../../../tests/support/fake-lab.ts';
import { ClockDriver } from '../clock-driver.ts';
import { openApiDoor, type ApiDoor } from './api.ts';

const KUBECTL = findKubectl();

const YEAR_MS = 365 * 86_400_000;
const NOW_MS = Date.UTC(2026, 0, 1);
const rng = new SeededRng(1);

function issue(commonName: string, organizations: readonly string[], authority?: Identity, validForMs = 10 * YEAR_MS): Identity {
  const { privateKeyPem, publicKeyPem } = generateKeyPair(rng);
  const certificatePem = createCertificate({
    subject: { commonName, organizations },
    publicKeyPem,
    issuer: authority ?? { selfSignedBy: privateKeyPem },
    serial: rng.bytes(8),
    notBeforeMs: NOW_MS - 3_600_000,
    notAfterMs: NOW_MS + validForMs,
    isCa: authority === undefined,
    usages: authority === undefined ? [] : commonName === 'kube-apiserver' ? ['server'] : ['client'],
    ...(commonName === 'kube-apiserver' ? { addresses: ['192.168.1.10'] } : {}),
  });
  return { certificatePem, privateKeyPem };
}

const authority = issue('kubernetes', []);
const server = issue('kube-apiserver', [], authority);
const admin = issue('kubernetes-admin', ['system:masters'], authority);

/** Answers every request with the name in the client's certificate. */
async function answer(connection: Connection): Promise<void> {
  const secured = await acceptTls(connection, { certificate: server, clientCa: authority.certificatePem, nowMs: NOW_MS });
  for (let chunk = await secured.read(); chunk !== undefined; chunk = await secured.read()) {
    const pem = secured.peerCertificatePem;
    const name = pem === undefined ? 'nobody' : parseCertificate(pem).subject.commonName;
    const body = JSON.stringify({ major: '1', minor: '20', gitVersion: name });
    await secured.write(utf8(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
  }
}

const kubeconfig = (identity: Identity): string => `apiVersion: v1
kind: Config
clusters:
- name: kubernetes
  cluster:
    certificate-authority-data: ${Buffer.from(authority.certificatePem).toString('base64')}
    server: https://192.168.1.10:6443
contexts:
- name: c
  context: {cluster: kubernetes, user: u}
current-context: c
users:
- name: u
  user:
    client-certificate-data: ${Buffer.from(identity.certificatePem).toString('base64')}
    client-key-data: ${Buffer.from(identity.privateKeyPem).toString('base64')}
`;

let door: ApiDoor | undefined;
afterEach(async () => {
  await door?.close();
  door = undefined;
});

async function open(lab: FakeLab, identity = admin): Promise<ApiDoor> {
  lab.pki = { caPem: authority.certificatePem, caKeyPem: authority.privateKeyPem, adminKubeconfigYaml: kubeconfig(identity) };
  lab.apiServer ??= () => {
    const [near, far] = connectionPair();
    void answer(far).catch(() => far.close());
    return Promise.resolve(near);
  };
  const driver = new ClockDriver({ clock: lab.clock, onFault: () => undefined });
  door = await openApiDoor({ lab, driver, pki: lab.pki, onError: () => undefined });
  return door;
}

function ask(url: string, identity?: Identity): Promise<string> {
  return new Promise((resolve) => {
    const options = { ca: authority.certificatePem, ...(identity ? { cert: identity.certificatePem, key: identity.privateKeyPem } : {}) };
    request(`${url}/version`, { ...options, agent: false }, (response) => {
      let text = '';
      response.on('data', (data: Buffer) => (text += data.toString()));
      response.on('end', () => resolve((JSON.parse(text) as { gitVersion: string }).gitVersion));
    })
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .end();
  });
}

describe('the API door', () => {
  test.each([
    ['admin stays admin', admin, 'kubernetes-admin'],
    ['nobody stays nobody', undefined, 'nobody'],
    ['one that the cluster did not sign is refused by the server behind', issue('kubernetes-admin', [], issue('other', [])), 'ECONNRESET'],
  ])('%s', async (_, identity, want) => {
    const { url } = await open(new FakeLab());
    expect(await ask(url, identity)).toBe(want);
  });

  test('resets while the server refuses, then has no listener, and is back when the server is', async () => {
    const lab = new FakeLab();
    const { url } = await open(lab);
    const works = lab.apiServer;
    lab.apiServer = () => Promise.reject(new SysError('ECONNREFUSED'));
    expect(await ask(url, admin)).toBe('ECONNRESET');
    expect(await ask(url, admin)).toBe('ECONNREFUSED');
    lab.apiServer = works;
    await expect.poll(() => ask(url, admin), { timeout: 5000 }).toBe('kubernetes-admin');
  });

  test.skipIf(KUBECTL === undefined)(
    `real kubectl takes the kubeconfig${KUBECTL === undefined ? ' (skipped: no kubectl v1.20.2 here)' : ''}`,
    async () => {
      const { kubeconfig: text } = await open(new FakeLab());
      const folder = mkdtempSync(path.join(tmpdir(), 'nobox-api-'));
      const file = path.join(folder, 'config');
      writeFileSync(file, text);
      const output = await new Promise<string>((resolve) =>
        execFile(KUBECTL!, ['--kubeconfig', file, 'get', '--raw', '/version'], (_, stdout, stderr) => resolve(stdout + stderr)),
      );
      rmSync(folder, { recursive: true });
      expect(output).toContain('kubernetes-admin');
    },
  );
});
