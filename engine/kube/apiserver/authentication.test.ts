import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../net/http.ts';
import { createCertificate, generateKeyPair, parseCertificate } from '../../net/x509.ts';
import { SeededRng } from '../../sim/rng.ts';
import { ApiError } from '../machinery/api-error.ts';
import { Authenticator } from './authentication.ts';
import { fileTokens } from './tokens.ts';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const rng = new SeededRng(9);

interface Authority {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

function authority(commonName: string): Authority {
  const keys = generateKeyPair(rng);
  const certificatePem = createCertificate({
    subject: { commonName, organizations: [] },
    publicKeyPem: keys.publicKeyPem,
    issuer: { selfSignedBy: keys.privateKeyPem },
    serial: Uint8Array.of(1),
    notBeforeMs: NOW - DAY,
    notAfterMs: NOW + 365 * DAY,
    isCa: true,
  });
  return { certificatePem, privateKeyPem: keys.privateKeyPem };
}

function client(issuer: Authority, commonName: string, organizations: readonly string[], notAfterMs = NOW + DAY): string {
  return createCertificate({
    subject: { commonName, organizations },
    publicKeyPem: generateKeyPair(rng).publicKeyPem,
    issuer,
    serial: Uint8Array.of(2),
    notBeforeMs: NOW - DAY,
    notAfterMs,
    usages: ['client'],
  });
}

const ca = authority('kubernetes');
const proxyCa = authority('front-proxy-ca');
const other = authority('other');
const lines: string[] = [];
const authenticator = new Authenticator({
  subjectOf: (pem) => parseCertificate(pem).subject,
  clientCa: ca.certificatePem,
  requestHeader: {
    clientCa: proxyCa.certificatePem,
    allowedNames: ['front-proxy-client'],
    extraHeaderPrefixes: ['X-Remote-Extra-'],
    groupHeaders: ['X-Remote-Group'],
    usernameHeaders: ['X-Remote-User'],
  },
  tokens: [fileTokens('t0k3n,jane,7,"a,b"', '/t.csv')],
  nowMs: () => NOW,
  log: (line) => lines.push(line),
});

function outcome(clientCertificate: string | undefined, headers: Record<string, string> = {}): unknown {
  const request = { method: 'GET', target: '/', headers: new Map(Object.entries(headers)), clientCertificate } as unknown as HttpRequest;
  try {
    const { name, groups, extra } = authenticator.authenticate(request);
    return extra === undefined ? [name, ...groups] : [name, ...groups, extra];
  } catch (error) {
    if (error instanceof ApiError) return error.status.code;
    throw error;
  }
}

describe('who a request is from', () => {
  const remote = { 'x-remote-user': 'bob', 'x-remote-group': 'g1, g2', 'x-remote-extra-scopes': 'x' };
  const cases: readonly (readonly [name: string, certificate: string | undefined, headers: Record<string, string>, want: unknown])[] = [
    ['nobody in particular', undefined, {}, ['system:anonymous', 'system:unauthenticated']],
    ['a certificate’s name and organisations', client(ca, 'jane', ['dev']), {}, ['jane', 'dev', 'system:authenticated']],
    ['a certificate before a token', client(ca, 'ann', []), { authorization: 'Bearer t0k3n' }, ['ann', 'system:authenticated']],
    ['a token', undefined, { authorization: 'bearer t0k3n' }, ['jane', 'a', 'b', 'system:authenticated']],
    [
      'a token on a WebSocket',
      undefined,
      {
        upgrade: 'websocket',
        'sec-websocket-protocol': `base64url.bearer.authorization.k8s.io.${btoa('t0k3n').replace(/=+$/, '')}, v4.channel.k8s.io`,
      },
      ['jane', 'a', 'b', 'system:authenticated'],
    ],
    ['a wrong token', undefined, { authorization: 'Bearer nosuch' }, 401],
    ['another scheme, which says nothing', undefined, { authorization: 'Basic eA==' }, ['system:anonymous', 'system:unauthenticated']],
    ['a certificate that ran out', client(ca, 'jane', [], NOW - 1000), {}, 401],
    ['a certificate of somebody else’s authority', client(other, 'jane', ['system:masters']), {}, 401],
    ['a proxy', client(proxyCa, 'front-proxy-client', []), remote, ['bob', 'g1', 'g2', 'system:authenticated', { scopes: ['x'] }]],
    ['a proxy that is not allowed', client(proxyCa, 'mallory', []), remote, 401],
    ['headers of somebody who is no proxy', client(ca, 'jane', []), remote, ['jane', 'system:authenticated']],
  ];
  for (const [name, certificate, headers, want] of cases)
    it(`is told by ${name}`, () => expect(outcome(certificate, headers)).toEqual(want));

  it('is logged when it is not good', () => {
    lines.length = 0;
    outcome(undefined, { authorization: 'Bearer nosuch' });
    expect(lines).toEqual(['Unable to authenticate the request due to an error: invalid bearer token']);
  });
});
