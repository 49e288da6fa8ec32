import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { text } from '../../../sim/bytes.ts';
import { VirtualClock } from '../../../sim/clock.ts';
import { connectionPair } from '../../../sim/connection-pair.ts';
import { SysError } from '../../../sim/errno.ts';
import type { HttpRequest } from '../../../net/http.ts';
import { readAllBytes } from '../../../net/http-message.ts';
import { serveConnection } from '../../../net/http-server.ts';
import type { BackendAddress } from '../assemble.ts';
import { openTestApi, type TestApi } from '../test-api.ts';

const makeClock = (): VirtualClock => new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });

const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const METRICS = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1beta1.metrics.k8s.io' },
  spec: {
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service: { name: 'metrics-server', namespace: 'kube-system' },
  },
};

async function call(api: TestApi, method: string, target: string, body?: object): Promise<{ status: number; text: string }> {
  const response = await api.client.raw(method, target, {
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: text(await readAllBytes(response.body)) };
}

async function available(api: TestApi): Promise<string> {
  await api.clock.settle();
  const { text: body } = await call(api, 'GET', `${SERVICES}/v1beta1.metrics.k8s.io`);
  const { conditions } = (JSON.parse(body) as { status: { conditions: { status: string; reason: string; message: string }[] } }).status;
  return `${conditions[0]!.status} ${conditions[0]!.reason}: ${conditions[0]!.message}`;
}

describe('aggregation', () => {
  it('says step by step what keeps a group from being available, then asks its server', async () => {
    const clock = makeClock();
    let isUp = false;
    const dialled: BackendAddress[] = [];
    const asked: HttpRequest[] = [];
    await using api = await openTestApi({
      clock,
      connectBackend: (to) => {
        dialled.push(to);
        if (!isUp) return Promise.reject(new SysError('ECONNREFUSED'));
        const [near, far] = connectionPair();
        void serveConnection(
          far,
          async (request, respond) => {
            asked.push(request);
            await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, `{"path":"${request.target}"}`);
          },
          { clock, onFault: () => undefined },
        );
        return Promise.resolve(near);
      },
    });
    await call(api, 'POST', SERVICES, METRICS);
    expect(await available(api)).toBe('False ServiceNotFound: service/metrics-server in "kube-system" is not present');
    expect(await call(api, 'GET', '/apis/metrics.k8s.io/v1beta1/nodes')).toEqual({ status: 503, text: 'service unavailable\n' });
    const meta = { name: 'metrics-server', namespace: 'kube-system' };
    await call(api, 'POST', '/api/v1/namespaces/kube-system/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta,
      spec: { clusterIP: '10.96.0.77', ports: [{ name: 'https', port: 444 }] },
    });
    expect(await available(api)).toBe('False ServicePortError: service/metrics-server in "kube-system" is not listening on port 443');
    await call(api, 'PUT', '/api/v1/namespaces/kube-system/services/metrics-server', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...meta, resourceVersion: await versionOf(api, '/api/v1/namespaces/kube-system/services/metrics-server') },
      spec: { clusterIP: '10.96.0.77', ports: [{ name: 'https', port: 443 }] },
    });
    expect(await available(api)).toBe('False EndpointsNotFound: cannot find endpoints for service/metrics-server in "kube-system"');
    const endpoints = (subsets: object[]): object => ({ apiVersion: 'v1', kind: 'Endpoints', metadata: meta, subsets });
    await call(api, 'POST', '/api/v1/namespaces/kube-system/endpoints', endpoints([]));
    expect(await available(api)).toBe(
      'False MissingEndpoints: endpoints for service/metrics-server in "kube-system" have no addresses with port name "https"',
    );
    await call(
      api,
      'PUT',
      '/api/v1/namespaces/kube-system/endpoints/metrics-server',
      endpoints([{ addresses: [{ ip: '10.1.1.1' }], ports: [{ name: 'https', port: 4443 }] }]),
    );
    const url = 'https://10.96.0.77:443/apis/metrics.k8s.io/v1beta1';
    expect(await available(api)).toBe(
      `False FailedDiscoveryCheck: failing or missing response from ${url}: Get "${url}": dial tcp 10.96.0.77:443: connect: connection refused`,
    );
    isUp = true;
    await clock.advance(30_000);
    expect(await available(api)).toBe('True Passed: all checks passed');
    expect(await call(api, 'GET', '/apis/metrics.k8s.io/v1beta1/nodes?limit=5')).toEqual({
      status: 200,
      text: '{"path":"/apis/metrics.k8s.io/v1beta1/nodes?limit=5"}',
    });
    expect(asked.at(-1)!.headers.get('x-remote-user')).toBe('system:anonymous');
    expect(dialled.at(-1)).toMatchObject({
      address: '10.96.0.77',
      port: 443,
      tls: { serverName: 'metrics-server.kube-system.svc', identity: 'proxy' },
    });
  });

  it('registers what is defined and forgets it with the definition', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const schema = { openAPIV3Schema: { type: 'object' } };
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await call(api, 'POST', crds, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'foos.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural: 'foos', kind: 'Foo' },
        versions: ['v1beta1', 'v2', 'v1'].map((name) => ({ name, served: true, storage: name === 'v1', schema })),
      },
    });
    await api.clock.settle();
    const groups = JSON.parse((await call(api, 'GET', '/apis')).text) as { groups: { name: string; versions: { version: string }[] }[] };
    expect(groups.groups.at(-1)).toMatchObject({
      name: 'example.com',
      versions: [{ version: 'v2' }, { version: 'v1' }, { version: 'v1beta1' }],
    });
    expect((await call(api, 'GET', `${SERVICES}/v2.example.com`)).text).toContain('"kube-aggregator.kubernetes.io/automanaged":"true"');
    await call(api, 'DELETE', `${crds}/foos.example.com`);
    await api.clock.settle();
    expect((await call(api, 'GET', `${SERVICES}/v2.example.com`)).status).toBe(404);
  });
});

async function versionOf(api: TestApi, path: string): Promise<string> {
  const { metadata } = JSON.parse((await call(api, 'GET', path)).text) as { metadata: { resourceVersion: string } };
  return metadata.resourceVersion;
}
