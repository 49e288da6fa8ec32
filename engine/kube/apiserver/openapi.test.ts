import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../net/http-client.ts';
import type { HttpResponse } from '../../net/http.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { text } from '../../sim/bytes.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { provideApiDocs } from '../machinery/schema/docs.ts';
import { openTestApi, type TestApi } from './test-api.ts';

const PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema & Readonly<Record<string, unknown>>>>;
}

let api: TestApi;
let http: HttpClient;
let definitions: Readonly<Record<string, Schema & Readonly<Record<string, unknown>>>>;

const get = (headers: Readonly<Record<string, string>>): Promise<HttpResponse> =>
  http.request({ method: 'GET', target: '/openapi/v2', headers });
const read = async (): Promise<typeof definitions> => {
  const response = await get({ accept: 'application/json' });
  return (JSON.parse(text(await readAllBytes(response.body))) as { definitions: typeof definitions }).definitions;
};

beforeAll(async () => {
  provideApiDocs(() => ({ 'core/v1': { Pod: ['What runs.', { spec: 'What it should be.' }] } }));
  api = await openTestApi({ clock: new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() }) });
  http = new HttpClient({ connect: () => Promise.resolve(api.connect()), host: 'm-k8s:6443' });
  definitions = await read();
});
afterAll(async () => {
  provideApiDocs(() => undefined);
  http.close();
  await api[Symbol.asyncDispose]();
});

describe('/openapi/v2', () => {
  it('comes in the form that is wanted most', async () => {
    const table = [
      [PROTOBUF, 'application/octet-stream'],
      ['', 'text/plain; charset=utf-8'],
      ['application/json;q=0.5,' + PROTOBUF, 'application/octet-stream'],
      ['text/html,*/*;q=0.1', 'text/plain; charset=utf-8'],
    ] as const;
    for (const [accept, type] of table) expect((await get({ accept })).headers.get('content-type')).toBe(type);
    expect((await get({ accept: 'text/html' })).status).toBe(406);
  });

  it('is not sent again to who has it', async () => {
    const first = await get({ accept: PROTOBUF });
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^"[0-9A-F]{128}"$/);
    const again = await get({ accept: PROTOBUF, 'if-none-match': etag });
    expect([again.status, (await readAllBytes(again.body)).length]).toEqual([304, 0]);
    expect((await get({ accept: 'application/json', 'if-none-match': etag })).status).toBe(200);
  });

  it('describes types with what is said of them', () => {
    expect(definitions['io.k8s.api.core.v1.Pod']).toMatchObject({
      description: 'What runs.',
      type: 'object',
      properties: { spec: { description: 'What it should be.', $ref: '#/definitions/io.k8s.api.core.v1.PodSpec' } },
      'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Pod' }],
    });
  });

  it('says what is required, in the order of the fields', () => {
    expect(definitions['io.k8s.api.core.v1.ContainerStatus']!.required).toEqual(['name', 'ready', 'restartCount', 'image', 'imageID']);
    expect(definitions['io.k8s.api.rbac.v1beta1.RoleBinding']!.required).toEqual(['roleRef']);
  });

  it('says how lists merge', () => {
    const ports = definitions['io.k8s.api.core.v1.ServiceSpec']!.properties!['ports'];
    expect(ports).toMatchObject({
      type: 'array',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-patch-merge-key': 'port',
      'x-kubernetes-patch-strategy': 'merge',
    });
    expect(definitions['io.k8s.api.core.v1.PodSpec']!.properties!['volumes']).toMatchObject({
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge,retainKeys',
    });
  });

  it('has lists, subresources and types of any JSON, but nothing that is not served', () => {
    for (const name of [
      'io.k8s.api.autoscaling.v2beta1.HorizontalPodAutoscalerList',
      'io.k8s.api.policy.v1beta1.Eviction',
      'io.k8s.api.authentication.v1.TokenRequest',
      'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
      'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1.APIService',
    ])
      expect(definitions, name).toHaveProperty([name]);
    expect(definitions['io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON']).not.toHaveProperty('type');
    for (const name of ['io.k8s.api.extensions.v1beta1.Deployment', 'io.k8s.api.core.v1.PodExecOptions'])
      expect(definitions, name).not.toHaveProperty([name]);
  });

  it('refers to nothing that it does not define', () => {
    const text = JSON.stringify(definitions);
    const missing = [...text.matchAll(/"#\/definitions\/([^"]+)"/g)]
      .map(([, name]) => name!)
      .filter((name) => definitions[name] === undefined);
    expect(missing).toEqual([]);
  });
});
