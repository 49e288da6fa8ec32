import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { generateKeyPair } from '../../net/x509.ts';
import { SeededRng } from '../../sim/rng.ts';
import { claimsOf } from '../machinery/jwt.ts';
import { number } from './metrics.ts';
import { openTestApi, type TestApi } from './test-api.ts';

const makeClock = (): VirtualClock => new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() as Promise<void> });

async function get(
  api: TestApi,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; headers: ReadonlyMap<string, string> }> {
  const response = await api.client.raw('GET', path, { headers });
  const chunks: Uint8Array[] = [];
  for (let chunk = await response.body.read(); chunk !== undefined; chunk = await response.body.read()) chunks.push(chunk);
  return { status: response.status, text: Buffer.concat(chunks).toString(), headers: response.headers };
}

describe('the server’s own paths', () => {
  it('tells how it is', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    expect(await get(api, '/livez')).toMatchObject({ status: 200, text: 'ok' });
    expect((await get(api, '/livez/etcd')).text).toBe('ok');
    expect((await get(api, '/livez/nosuch')).status).toBe(404);
    const verbose = (await get(api, '/readyz?verbose&exclude=etcd&exclude=nosuch')).text;
    expect(verbose).toContain('[+]log ok\n[+]etcd excluded: ok\n[+]informer-sync ok\n');
    expect(
      verbose.endsWith('[+]shutdown ok\nwarn: some health checks cannot be excluded: no matches for "nosuch"\nreadyz check passed\n'),
    ).toBe(true);
    const index = JSON.parse((await get(api, '/')).text) as { paths: string[] };
    expect(index.paths).toEqual(expect.arrayContaining(['/apis/apps/v1', '/healthz/poststarthook/rbac/bootstrap-roles', '/version']));
  });

  it('counts its requests and names their flow', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const answer = await get(api, '/api/v1/namespaces/default/pods');
    expect(answer.headers.get('cache-control')).toBe('no-cache, private');
    const schemas = JSON.parse((await get(api, '/apis/flowcontrol.apiserver.k8s.io/v1beta1/flowschemas')).text) as {
      items: { metadata: { uid: string; name: string } }[];
    };
    const uid = answer.headers.get('x-kubernetes-pf-flowschema-uid');
    expect(schemas.items.find((each) => each.metadata.uid === uid)?.metadata.name).toBe('global-default');
    const { text } = await get(api, '/metrics');
    expect(text).toContain(
      'apiserver_request_total{code="200",component="apiserver",contentType="application/json",dry_run="",group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1"} 1\n',
    );
    expect(text).toContain('etcd_object_counts{resource="namespaces"} 4\n');
    expect([0.05, 1000, 1e6, 1234567, 0.00001].map(number)).toEqual(['0.05', '1000', '1e+06', '1.234567e+06', '1e-05']);
  });

  it('issues tokens with an end, and says how to check them', async () => {
    const clock = makeClock();
    const keys = generateKeyPair(new SeededRng(5));
    const issuer = 'https://kubernetes.default.svc.cluster.local';
    await using api = await openTestApi({
      clock,
      authorizationModes: ['RBAC'],
      tokenFile: 'root,root,1,"system:masters"',
      serviceAccount: { publicPem: keys.publicKeyPem, privatePem: keys.privateKeyPem, issuer },
    });
    const root = api.clientAs({ token: 'root' });
    const account = { group: '', version: 'v1', resource: 'serviceaccounts', kind: 'ServiceAccount', isNamespaced: true };
    await root.create(account, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a', namespace: 'default' } });
    const ask = (spec: object): Promise<unknown> => root.createSubresource(account, 'a', 'default', 'token', { spec });
    const { status } = (await ask({ expirationSeconds: 600 })) as { status: { token: string; expirationTimestamp: string } };
    expect(status.expirationTimestamp).toBe('2026-01-01T00:10:00Z');
    expect(claimsOf(status.token)).toMatchObject({ aud: [issuer], iss: issuer, sub: 'system:serviceaccount:default:a' });
    const review = { group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews', kind: 'TokenReview', isNamespaced: false };
    const check = async (token: string): Promise<unknown> =>
      (
        (await root.create(review, {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          metadata: {},
          spec: { token },
        } as never)) as unknown as { status: unknown }
      ).status;
    expect(await check(status.token)).toMatchObject({
      authenticated: true,
      audiences: [issuer],
      user: { username: 'system:serviceaccount:default:a' },
    });
    await clock.advance(601_000);
    expect(await check(status.token)).toEqual({ user: {}, error: '[invalid bearer token, Token has expired.]' });
    await expect(ask({ expirationSeconds: 599 })).rejects.toThrow(
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
    );
    await expect(ask({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'nosuch' } })).rejects.toThrow('pods "nosuch" not found');
    const known = await root.raw('GET', '/.well-known/openid-configuration');
    expect(known.headers.get('content-type')).toBe('application/json');
    root.close();
  });
});
