import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../net/http-client.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { openTestApi, type TestApi } from './test-api.ts';

let api: TestApi;
let http: HttpClient;
beforeAll(async () => {
  api = await openTestApi({ clock: new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() }) });
  http = new HttpClient({ connect: () => Promise.resolve(api.connect()), host: 'm-k8s:6443' });
});
afterAll(async () => {
  http.close();
  await api[Symbol.asyncDispose]();
});

const warning = async (method: string, target: string, body?: object): Promise<string | undefined> => {
  const response = await http.request({
    method,
    target,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.headers.get('warning');
};

const INGRESS = '299 - "extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress"';

describe('a version on its way out is warned of', () => {
  const table: readonly (readonly [name: string, method: string, target: string, body?: object])[] = [
    ['in a list', 'GET', '/apis/extensions/v1beta1/ingresses'],
    ['when the object is not there', 'GET', '/apis/extensions/v1beta1/namespaces/default/ingresses/none'],
    ['when the object is refused', 'POST', '/apis/extensions/v1beta1/namespaces/default/ingresses', { metadata: { name: 'X' } }],
    [
      'when it is made',
      'POST',
      '/apis/extensions/v1beta1/namespaces/default/ingresses',
      { metadata: { name: 'x' }, spec: { backend: { serviceName: 's', servicePort: 80 } } },
    ],
    ['when it is deleted', 'DELETE', '/apis/extensions/v1beta1/namespaces/default/ingresses/x'],
    ['in a watch', 'GET', '/apis/extensions/v1beta1/ingresses?watch=true&timeoutSeconds=1'],
  ];
  for (const [name, method, target, body] of table) {
    it(name, async () => {
      const pending = warning(method, target, body);
      await api.clock.advance(2000);
      expect(await pending).toBe(INGRESS);
    });
  }

  const others = [
    [
      '/apis/networking.k8s.io/v1beta1/ingressclasses',
      'networking.k8s.io/v1beta1 IngressClass is deprecated in v1.19+, unavailable in v1.22+; use networking.k8s.io/v1 IngressClassList',
    ],
    [
      '/apis/rbac.authorization.k8s.io/v1beta1/roles',
      'rbac.authorization.k8s.io/v1beta1 Role is deprecated in v1.17+, unavailable in v1.22+; use rbac.authorization.k8s.io/v1 Role',
    ],
    [
      '/apis/scheduling.k8s.io/v1beta1/priorityclasses',
      'scheduling.k8s.io/v1beta1 PriorityClass is deprecated in v1.14+, unavailable in v1.22+; use scheduling.k8s.io/v1 PriorityClass',
    ],
    ['/api/v1/componentstatuses', 'v1 ComponentStatus is deprecated in v1.19+'],
  ] as const;
  for (const [target, words] of others) it(`at ${target}`, async () => expect(await warning('GET', target)).toBe(`299 - "${words}"`));

  it('and no other is', async () => {
    for (const target of [
      '/apis/batch/v1beta1/cronjobs',
      '/apis/policy/v1beta1/poddisruptionbudgets',
      '/apis/autoscaling/v2beta1/horizontalpodautoscalers',
      '/apis/node.k8s.io/v1beta1/runtimeclasses',
      '/apis/events.k8s.io/v1beta1/events',
      '/apis/networking.k8s.io/v1/ingresses',
    ])
      expect(await warning('GET', target), target).toBeUndefined();
  });
});
