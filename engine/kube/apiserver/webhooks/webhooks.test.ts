import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { text, toBase64, utf8 } from '../../../sim/bytes.ts';
import { VirtualClock } from '../../../sim/clock.ts';
import { connectionPair } from '../../../sim/connection-pair.ts';
import { readAllBytes } from '../../../net/http-message.ts';
import { serveConnection } from '../../../net/http-server.ts';
import type { Connection } from '../../../sim/stream.ts';
import type { Json } from '../../registry/definition.ts';
import { ResolveError } from '../../runtime/resolver.ts';
import { openTestApi, type TestApi } from '../test-api.ts';

const makeClock = (): VirtualClock => new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });

async function call(api: TestApi, method: string, target: string, body?: object): Promise<{ status: number; body: Json }> {
  const response = await api.client.raw(method, target, {
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(text(await readAllBytes(response.body))) as Json };
}

interface Review {
  readonly request: {
    readonly uid: string;
    readonly operation: string;
    readonly kind: Json;
    readonly object: Json;
    readonly dryRun: boolean;
  };
}
type Answerer = (review: Review, path: string) => object | undefined;

function backend(clock: VirtualClock, answer: Answerer): () => Promise<Connection> {
  return () => {
    const [near, far] = connectionPair();
    void serveConnection(
      far,
      async (request, respond) => {
        const review = JSON.parse(text(await readAllBytes(request.body))) as Review;
        const response = answer(review, request.target);
        // Nothing said: the caller waits until it has waited enough.
        if (response === undefined) return new Promise<void>(() => undefined);
        const body = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: { uid: review.request.uid, ...response } };
        await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, JSON.stringify(body));
      },
      { clock, onFault: () => undefined },
    );
    return Promise.resolve(near);
  };
}

const configuration = (kind: string, more: object = {}): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name: 'test' },
  webhooks: [
    {
      name: 'test.example.com',
      clientConfig: { service: { namespace: 'default', name: 'hook', path: '/check' } },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      timeoutSeconds: 2,
      ...more,
    },
  ],
});
const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, labels: object = {}): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } });

async function withHook(kind: string, answer: Answerer, more: object, test: (api: TestApi) => Promise<void>): Promise<void> {
  const clock = makeClock();
  await using api = await openTestApi({ clock, connectBackend: backend(clock, answer) });
  await call(api, 'POST', '/api/v1/namespaces/default/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hook' },
    spec: { ports: [{ port: 443 }] },
  });
  const plural = `${kind.toLowerCase()}s`;
  const made = await call(api, 'POST', `/apis/admissionregistration.k8s.io/v1/${plural}`, configuration(kind, more));
  expect(made.status).toBe(201);
  await test(api);
}

describe('admission webhooks', () => {
  it('refuse with what they say', () =>
    withHook(
      'ValidatingWebhookConfiguration',
      ({ request }) => ({ allowed: false, status: { code: 403, message: `no ${String((request.object['metadata'] as Json)['name'])}` } }),
      {},
      async (api) => {
        const { status, body } = await call(api, 'POST', CONFIGMAPS, configMap('a'));
        expect([status, body['message']]).toEqual([403, 'admission webhook "test.example.com" denied the request: no a']);
        expect((await call(api, 'POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 's' } })).status).toBe(201);
      },
    ));

  it('change what is stored', () =>
    withHook(
      'MutatingWebhookConfiguration',
      () => ({
        allowed: true,
        patchType: 'JSONPatch',
        patch: toBase64(utf8(JSON.stringify([{ op: 'add', path: '/data', value: { by: 'hook' } }]))),
      }),
      {},
      async (api) => {
        expect((await call(api, 'POST', CONFIGMAPS, configMap('a'))).body['data']).toEqual({ by: 'hook' });
      },
    ));

  it('are asked only about what they select', () =>
    withHook(
      'ValidatingWebhookConfiguration',
      () => ({ allowed: false }),
      { objectSelector: { matchLabels: { app: 'web' } } },
      async (api) => {
        expect((await call(api, 'POST', CONFIGMAPS, configMap('a'))).status).toBe(201);
        expect((await call(api, 'POST', CONFIGMAPS, configMap('b', { app: 'web' }))).body['message']).toBe(
          'admission webhook "test.example.com" denied the request without explanation',
        );
      },
    ));

  it.each([
    { failurePolicy: 'Fail', status: 500 },
    { failurePolicy: 'Ignore', status: 201 },
  ])('that do not answer in time: $failurePolicy', ({ failurePolicy, status }) =>
    withHook(
      'ValidatingWebhookConfiguration',
      () => undefined,
      { failurePolicy },
      async (api) => {
        const pending = call(api, 'POST', CONFIGMAPS, configMap('a'));
        await api.clock.settle();
        await api.clock.advance(2000);
        const answer = await pending;
        expect(answer.status).toBe(status);
        if (status === 500)
          expect(answer.body['message']).toBe(
            'Internal error occurred: failed calling webhook "test.example.com": Post "https://hook.default.svc:443/check?timeout=2s": context deadline exceeded',
          );
      },
    ),
  );

  it('with effects of their own are no part of a dry run', () =>
    withHook(
      'ValidatingWebhookConfiguration',
      ({ request }) => ({ allowed: request.dryRun }),
      {},
      async (api) => {
        expect((await call(api, 'POST', `${CONFIGMAPS}?dryRun=All`, configMap('a'))).status).toBe(201);
      },
    ));

  it('at a host nobody knows fail as Go says it', async () => {
    const clock = makeClock();
    const asked: string[] = [];
    await using api = await openTestApi({
      clock,
      connectBackend: ({ address }) => {
        asked.push(address);
        return Promise.reject(new ResolveError(`lookup ${address} on 10.0.2.3:53: no such host`));
      },
    });
    const elsewhere = configuration('ValidatingWebhookConfiguration', { clientConfig: { url: 'https://hook.example.com/check' } });
    await call(api, 'POST', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', elsewhere);
    expect((await call(api, 'POST', CONFIGMAPS, configMap('a'))).body['message']).toBe(
      'Internal error occurred: failed calling webhook "test.example.com": Post "https://hook.example.com/check?timeout=2s": dial tcp: lookup hook.example.com on 10.0.2.3:53: no such host',
    );
    expect(asked).toEqual(['hook.example.com']);
  });

  it('have warnings for the client', () =>
    withHook(
      'ValidatingWebhookConfiguration',
      () => ({ allowed: true, warnings: ['mind the "gap"'] }),
      {},
      async (api) => {
        const response = await api.client.raw('POST', CONFIGMAPS, {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(configMap('a')),
        });
        await readAllBytes(response.body);
        expect([response.status, response.headers.get('warning')]).toEqual([201, '299 - "mind the \\"gap\\""']);
      },
    ));

  it.each([
    { reinvocationPolicy: 'Never', asked: 1 },
    { reinvocationPolicy: 'IfNeeded', asked: 2 },
  ])('that change a pod have the plugins before them look again: $reinvocationPolicy', async ({ reinvocationPolicy, asked }) => {
    const clock = makeClock();
    const paths: string[] = [];
    const hook = (name: string, more: object): object => ({
      name: `${name}.example.com`,
      clientConfig: { service: { namespace: 'default', name: 'hook', path: `/${name}` } },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      ...more,
    });
    const sidecar = { op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image: 'proxy' } };
    const answer: Answerer = (_review, path) => {
      paths.push(path.replace(/\?.*/, ''));
      return path.startsWith('/second')
        ? { allowed: true, patchType: 'JSONPatch', patch: toBase64(utf8(JSON.stringify([sidecar]))) }
        : { allowed: true };
    };
    await using api = await openTestApi({ clock, connectBackend: backend(clock, answer) });
    const post = (target: string, body: object): Promise<{ status: number; body: Json }> => call(api, 'POST', target, body);
    await post('/api/v1/namespaces/default/services', { metadata: { name: 'hook' }, spec: { ports: [{ port: 443 }] } });
    await post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    await post('/api/v1/namespaces/default/limitranges', {
      metadata: { name: 'limits' },
      spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '100m' } }] },
    });
    await post('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
      metadata: { name: 'test' },
      webhooks: [hook('first', { reinvocationPolicy }), hook('second', {})],
    });
    const pod = { metadata: { name: 'web' }, spec: { automountServiceAccountToken: false, containers: [{ name: 'a', image: 'nginx' }] } };
    const { status, body } = await post('/api/v1/namespaces/default/pods', pod);
    expect([status, body['message']]).toEqual([201, undefined]);
    const { containers } = body['spec'] as { containers: { name: string; resources: object }[] };
    const requests = { requests: { cpu: '100m' } };
    expect(containers.map(({ name, resources }) => ({ name, resources }))).toEqual([
      { name: 'a', resources: requests },
      { name: 'sidecar', resources: requests },
    ]);
    expect(paths.filter((path) => path === '/first')).toHaveLength(asked);
    expect(paths.filter((path) => path === '/second')).toHaveLength(1);
  });
});
