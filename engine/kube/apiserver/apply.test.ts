import { describe, expect, it } from 'vitest';
import { setImmediate } from 'node:timers/promises';
import { text, utf8 } from '../../sim/bytes.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { HttpClient } from '../../net/http-client.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { openTestApi, type TestApi } from './test-api.ts';

type Json = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly warning: string | undefined;
  readonly body: Json & { metadata: Json & { managedFields?: Json[]; resourceVersion?: string }; message?: string; spec?: Json };
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

/** Sends plain requests, so that every header and query is the test's own. */
class Wire implements AsyncDisposable {
  readonly api: TestApi;
  readonly #http: HttpClient;
  readonly clock: VirtualClock;

  private constructor(api: TestApi, clock: VirtualClock) {
    this.api = api;
    this.clock = clock;
    this.#http = new HttpClient({ connect: () => Promise.resolve(api.connect()), host: '192.168.1.10:6443' });
  }

  static async open(): Promise<Wire> {
    const clock = new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() as Promise<void> });
    return new Wire(await openTestApi({ clock }), clock);
  }

  async send(method: string, target: string, body?: unknown, type = 'application/json', agent = 'tester/v1'): Promise<Answer> {
    const response = await this.#http.request({
      method,
      target,
      headers: { 'content-type': type, 'user-agent': agent },
      ...(body === undefined ? {} : { body: utf8(typeof body === 'string' ? body : JSON.stringify(body)) }),
    });
    const warning = response.headers.get('warning');
    return { status: response.status, warning, body: JSON.parse(text(await readAllBytes(response.body))) as Answer['body'] };
  }

  apply(target: string, config: Json, query: string): Promise<Answer> {
    return this.send('PATCH', `${target}?${query}`, config, 'application/apply-patch+yaml');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
    await this.api[Symbol.asyncDispose]();
  }
}

const configMap = (data: Json, metadata: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', ...metadata },
  data,
});

function fieldsOf(answer: Answer, manager: string): unknown {
  return answer.body.metadata.managedFields?.find((entry) => entry['manager'] === manager)?.['fieldsV1'];
}

const deployment = (spec: Json): Json => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
    ...spec,
  },
});

describe('server-side apply', () => {
  it('makes what is not there, says 201, and 200 from then on', async () => {
    await using wire = await Wire.open();
    const first = await wire.apply(`${CONFIG_MAPS}/c`, configMap({ a: '1' }), 'fieldManager=one');
    expect(first.status).toBe(201);
    expect(first.body.metadata.managedFields).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} } },
      },
    ]);
    await wire.clock.advance(5000);
    const again = await wire.apply(`${CONFIG_MAPS}/c`, configMap({ a: '1' }), 'fieldManager=one');
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
  });

  it('refuses what another manager owns, unless forced; the other then loses it', async () => {
    await using wire = await Wire.open();
    await wire.send('POST', CONFIG_MAPS, configMap({ a: '1', b: '1' }));
    const refused = await wire.apply(`${CONFIG_MAPS}/c`, configMap({ a: '2', b: '1' }), 'fieldManager=two');
    expect(refused).toEqual({
      status: 409,
      warning: undefined,
      body: {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'Apply failed with 1 conflict: conflict with "tester" using v1: .data.a',
        reason: 'Conflict',
        details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "tester" using v1', field: '.data.a' }] },
        code: 409,
      },
    });
    const forced = await wire.apply(`${CONFIG_MAPS}/c`, configMap({ a: '2', b: '1' }), 'fieldManager=two&force=true');
    expect(forced.body['data']).toEqual({ a: '2', b: '1' });
    expect(fieldsOf(forced, 'two')).toEqual({ 'f:data': { 'f:a': {}, 'f:b': {} } });
    expect(fieldsOf(forced, 'tester')).toEqual({ 'f:data': { '.': {}, 'f:b': {} } });
  });

  it('lists several conflicts by manager', async () => {
    await using wire = await Wire.open();
    await wire.send('POST', `${CONFIG_MAPS}?fieldManager=a`, configMap({ x: '1', y: '1' }));
    await wire.send('PATCH', `${CONFIG_MAPS}/c?fieldManager=b`, { data: { z: '1' } }, 'application/merge-patch+json');
    const refused = await wire.apply(`${CONFIG_MAPS}/c`, configMap({ x: '2', y: '2', z: '2' }), 'fieldManager=c');
    expect(refused.body.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "a" using v1:\n- .data.x\n- .data.y\nconflicts with "b" using v1:\n- .data.z',
    );
  });

  it('removes what is no longer applied, but for what others own', async () => {
    await using wire = await Wire.open();
    await wire.apply(`${CONFIG_MAPS}/c`, configMap({ a: '1', b: '1', c: '1' }), 'fieldManager=one');
    await wire.apply(`${CONFIG_MAPS}/c`, configMap({ b: '1' }), 'fieldManager=two');
    const less = await wire.apply(`${CONFIG_MAPS}/c`, configMap({ a: '1' }), 'fieldManager=one');
    expect(less.body['data']).toEqual({ a: '1', b: '1' });
    const none = await wire.apply(`${CONFIG_MAPS}/c`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }, 'fieldManager=one');
    expect(none.body['data']).toEqual({ b: '1' });
    expect(fieldsOf(none, 'one')).toBeUndefined();
  });

  it('merges containers, ports and sets by their keys', async () => {
    await using wire = await Wire.open();
    const withPort = (port: Json, extra: Json = {}): Json =>
      deployment({
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'c', image: 'nginx', ports: [port] }], ...extra },
        },
      });
    await wire.apply(`${DEPLOYMENTS}/web`, withPort({ containerPort: 80 }), 'fieldManager=one');
    const both = await wire.apply(`${DEPLOYMENTS}/web`, withPort({ containerPort: 53, protocol: 'UDP' }), 'fieldManager=two');
    const containers = (both.body.spec?.['template'] as { spec: { containers: { ports: unknown }[] } }).spec.containers;
    expect(containers[0]!.ports).toEqual([
      { containerPort: 80, protocol: 'TCP' },
      { containerPort: 53, protocol: 'UDP' },
    ]);
    const own = fieldsOf(both, 'two') as { 'f:spec': { 'f:template': { 'f:spec': Json } } };
    expect(own['f:spec']['f:template']['f:spec']).toEqual({
      'f:containers': {
        'k:{"name":"c"}': {
          '.': {},
          'f:image': {},
          'f:name': {},
          'f:ports': { 'k:{"containerPort":53,"protocol":"UDP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} } },
        },
      },
    });
  });

  it('lets kubectl take over what client-side apply set', async () => {
    await using wire = await Wire.open();
    const last = configMap({ a: '1' });
    const annotated = configMap({ a: '1' }, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(last) } });
    await wire.send('POST', `${CONFIG_MAPS}?fieldManager=kubectl-client-side-apply`, annotated);
    const other = await wire.apply(`${CONFIG_MAPS}/c`, configMap({ a: '2' }), 'fieldManager=someone');
    expect(other.status).toBe(409);
    const taken = await wire.apply(`${CONFIG_MAPS}/c`, configMap({ a: '2' }), 'fieldManager=kubectl');
    expect(taken.body['data']).toEqual({ a: '2' });
    expect(taken.body.metadata['annotations']).toEqual({
      'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify({ apiVersion: 'v1', data: { a: '2' }, kind: 'ConfigMap', metadata: { name: 'c' } })}\n`,
    });
  });

  it('gives what was there before tracking to before-first-apply', async () => {
    await using wire = await Wire.open();
    await wire.send('POST', CONFIG_MAPS, configMap({ a: '1' }));
    const reset = await wire.send('PATCH', `${CONFIG_MAPS}/c`, { metadata: { managedFields: [{}] } }, 'application/merge-patch+json');
    expect(reset.body.metadata.managedFields).toBeUndefined();
    const untracked = await wire.send('PATCH', `${CONFIG_MAPS}/c`, { data: { b: '2' } }, 'application/merge-patch+json');
    expect(untracked.body.metadata.managedFields).toBeUndefined();
    const applied = await wire.apply(`${CONFIG_MAPS}/c`, configMap({ c: '3' }), 'fieldManager=one');
    expect(fieldsOf(applied, 'before-first-apply')).toEqual({ 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } });
  });

  it('keeps ten updaters and puts the oldest together', async () => {
    await using wire = await Wire.open();
    await wire.send('POST', `${CONFIG_MAPS}?fieldManager=m0`, configMap({ k0: '0' }));
    let last: Answer | undefined;
    for (let i = 1; i <= 11; i++) {
      await wire.clock.advance(1000);
      last = await wire.send('PATCH', `${CONFIG_MAPS}/c?fieldManager=m${i}`, { data: { [`k${i}`]: '1' } }, 'application/merge-patch+json');
    }
    const names = last!.body.metadata.managedFields!.map((entry) => entry['manager']);
    expect(names).toEqual(['ancient-changes', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9', 'm10', 'm11']);
    expect(fieldsOf(last!, 'ancient-changes')).toEqual({ 'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {} } });
  });

  it('does not count a write that sets nothing new as one in time', async () => {
    await using wire = await Wire.open();
    await wire.send('POST', CONFIG_MAPS, configMap({ a: '1' }));
    await wire.clock.advance(60_000);
    const changed = await wire.send('PATCH', `${CONFIG_MAPS}/c`, { data: { a: '2' } }, 'application/merge-patch+json');
    expect(changed.body.metadata.managedFields![0]!['time']).toBe('2026-01-01T00:00:00Z');
  });

  it('knows the fields that other versions of a kind own', async () => {
    await using wire = await Wire.open();
    const autoscalers = (version: string): string => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
    const spec = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3 };
    const made = { kind: 'HorizontalPodAutoscaler', metadata: { name: 'h' } };
    await wire.send('POST', autoscalers('v1'), { apiVersion: 'autoscaling/v1', ...made, spec });
    const applied = await wire.apply(
      `${autoscalers('v2beta2')}/h`,
      { apiVersion: 'autoscaling/v2beta2', ...made, spec: { ...spec, maxReplicas: 5 } },
      'fieldManager=two',
    );
    expect(applied.body.message).toBe('Apply failed with 1 conflict: conflict with "tester" using autoscaling/v1: .spec.maxReplicas');
  });
});

const REFUSED: readonly {
  readonly name: string;
  readonly config: Json | string;
  readonly query: string;
  readonly status: number;
  readonly message: string;
}[] = [
  {
    name: 'no field manager',
    config: configMap({}),
    query: '',
    status: 422,
    message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  },
  {
    name: 'another version',
    config: { ...configMap({}), apiVersion: 'v2' },
    query: 'fieldManager=x',
    status: 400,
    message: 'Incorrect version specified in apply patch. Specified patch version: v2, expected: v1',
  },
  {
    name: 'managed fields',
    config: configMap({}, { managedFields: [] }),
    query: 'fieldManager=x',
    status: 400,
    message: 'metadata.managedFields must be nil',
  },
  {
    name: 'an unknown field',
    config: { ...configMap({}), nosuch: 1 },
    query: 'fieldManager=x',
    status: 500,
    message: 'failed to create typed patch object: .nosuch: field not declared in schema',
  },
  {
    name: 'a value of another type',
    config: configMap({ a: 1 }),
    query: 'fieldManager=x',
    status: 500,
    message: 'failed to create typed patch object: .data.a: expected string, got &value.valueUnstructured{Value:1}',
  },
  {
    name: 'another name',
    config: configMap({}, { name: 'd' }),
    query: 'fieldManager=x',
    status: 400,
    message: 'the name of the object (d) does not match the name on the URL (c)',
  },
  {
    name: 'no name',
    config: { apiVersion: 'v1', kind: 'ConfigMap' },
    query: 'fieldManager=x',
    status: 400,
    message: 'the name of the object (c based on URL) was undeterminable: name must be provided',
  },
  {
    name: 'another dry run',
    config: configMap({}),
    query: 'fieldManager=x&dryRun=Some',
    status: 422,
    message: 'PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Some"}: supported values: "All"',
  },
];

describe('server-side apply refuses', () => {
  it.each(REFUSED)('$name', async ({ config, query, status, message }) => {
    await using wire = await Wire.open();
    const answer = await wire.apply(`${CONFIG_MAPS}/c`, config as Json, query);
    expect([answer.status, answer.body.message]).toEqual([status, message]);
  });
});

const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';

/** Defines widgets with this schema of their spec and waits until they are served. */
async function defineWidgets(wire: Wire, spec: Json): Promise<void> {
  await wire.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } }],
    },
  });
  for (let i = 0; i < 20; i++) await wire.clock.advance(1000);
}

const widget = (spec: Json): Json => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec });

describe('server-side apply of custom resources', () => {
  it('merges lists as their schema says', async () => {
    await using wire = await Wire.open();
    const items = { type: 'object', properties: { name: { type: 'string' }, size: { type: 'integer' } }, required: ['name'] };
    await defineWidgets(wire, {
      type: 'object',
      properties: {
        parts: { type: 'array', items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        steps: { type: 'array', items: { type: 'string' } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    });
    const first = await wire.apply(
      `${WIDGETS}/w`,
      widget({ parts: [{ name: 'a', size: 1 }], tags: ['x'], steps: ['1'] }),
      'fieldManager=one',
    );
    expect([first.status, fieldsOf(first, 'one')]).toEqual([
      201,
      {
        'f:spec': {
          'f:parts': { 'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:size': {} } },
          'f:steps': {},
          'f:tags': { 'v:"x"': {} },
        },
      },
    ]);
    const second = await wire.apply(`${WIDGETS}/w`, widget({ parts: [{ name: 'b', size: 2 }], tags: ['y'] }), 'fieldManager=two');
    expect(second.body.spec).toEqual({
      parts: [
        { name: 'a', size: 1 },
        { name: 'b', size: 2 },
      ],
      tags: ['x', 'y'],
      steps: ['1'],
    });
    const refused = await wire.apply(`${WIDGETS}/w`, widget({ steps: ['2'], parts: [{ name: 'a', size: 3 }] }), 'fieldManager=two');
    expect(refused.body.message).toBe('Apply failed with 2 conflicts: conflicts with "one":\n- .spec.steps\n- .spec.parts[name="a"].size');
  });

  it('refuses what the schema does not have', async () => {
    await using wire = await Wire.open();
    await defineWidgets(wire, { type: 'object', properties: { size: { type: 'integer' } } });
    const refused = await wire.apply(`${WIDGETS}/w`, widget({ nosuch: 1 }), 'fieldManager=one');
    expect([refused.status, refused.body.message]).toEqual([
      500,
      'failed to create typed patch object: .spec.nosuch: field not declared in schema',
    ]);
  });

  it('takes no strategic merge patch', async () => {
    await using wire = await Wire.open();
    await defineWidgets(wire, { type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
    const made = await wire.send('POST', WIDGETS, widget({ a: { b: 1 } }));
    expect(fieldsOf(made, 'tester')).toEqual({ 'f:spec': { '.': {}, 'f:a': {} } });
    const refused = await wire.send('PATCH', `${WIDGETS}/w`, {}, 'application/strategic-merge-patch+json');
    expect([refused.status, refused.body.message]).toEqual([
      415,
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    ]);
  });
});

describe('patches', () => {
  it('let no object become one of another kind, nor grow by copies without end', async () => {
    await using wire = await Wire.open();
    await wire.send('POST', CONFIG_MAPS, configMap({ a: 'x'.repeat(100_000) }));
    const other = await wire.send('PATCH', `${CONFIG_MAPS}/c`, { kind: 'Nosuch' }, 'application/merge-patch+json');
    expect([other.status, other.body.message]).toEqual([
      422,
      expect.stringContaining('no kind \"Nosuch\" is registered for version \"v1\" in scheme'),
    ]);
    const copies = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/data/a', path: `/data/a${i}` }));
    const grown = await wire.send('PATCH', `${CONFIG_MAPS}/c`, copies, 'application/json-patch+json');
    expect(grown.status).toBe(422);
  });

  const CASES: readonly {
    readonly name: string;
    readonly type: string;
    readonly body: unknown;
    readonly status: number;
    readonly message?: string;
  }[] = [
    {
      name: 'an unknown type',
      type: 'application/x',
      body: {},
      status: 415,
      message:
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
    },
    {
      name: 'JSON patch that does not apply',
      type: 'application/json-patch+json',
      body: [{ op: 'remove', path: '/data/x' }],
      status: 422,
      message: 'the server rejected our request due to an error in our request',
    },
    {
      name: 'JSON patch that is an object',
      type: 'application/json-patch+json',
      body: {},
      status: 400,
      message: 'json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    },
    {
      name: 'JSON patch of too many operations',
      type: 'application/json-patch+json',
      body: Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'ConfigMap' })),
      status: 413,
      message: 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    },
    {
      name: 'JSON patch that replaces a key that is not there',
      type: 'application/json-patch+json',
      body: [{ op: 'replace', path: '/data/new', value: 'x' }],
      status: 200,
    },
    {
      name: 'merge patch that is no JSON',
      type: 'application/merge-patch+json',
      body: '{"a":',
      status: 500,
      message: 'Invalid JSON Patch',
    },
    {
      name: 'strategic patch that is no JSON',
      type: 'application/strategic-merge-patch+json',
      body: '{"a":x}',
      status: 400,
      message: "invalid character 'x' looking for beginning of value",
    },
    {
      name: 'a stale version in the patch',
      type: 'application/merge-patch+json',
      body: { metadata: { resourceVersion: '1' } },
      status: 409,
      message:
        'Operation cannot be fulfilled on configmaps "c": the object has been modified; please apply your changes to the latest version and try again',
    },
    {
      name: 'force without apply',
      type: 'application/merge-patch+json&force',
      body: {},
      status: 422,
      message: 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    },
    {
      name: 'another name',
      type: 'application/merge-patch+json',
      body: { metadata: { name: 'd' } },
      status: 400,
      message: 'the name of the object (d) does not match the name on the URL (c)',
    },
  ];
  it.each(CASES)('$name', async ({ type, body, status, message }) => {
    await using wire = await Wire.open();
    await wire.send('POST', CONFIG_MAPS, configMap({ a: '1' }));
    const [contentType, force] = type.split('&');
    const answer = await wire.send('PATCH', `${CONFIG_MAPS}/c${force === undefined ? '' : '?force=true'}`, body, contentType);
    expect([answer.status, answer.body.message]).toEqual([status, message]);
  });

  it('cannot make of the managed fields what they are not', async () => {
    await using wire = await Wire.open();
    await wire.send('POST', CONFIG_MAPS, configMap({ a: '1' }));
    const text = await wire.send(
      'PATCH',
      `${CONFIG_MAPS}/c`,
      { metadata: { managedFields: 'x' } },
      'application/strategic-merge-patch+json',
    );
    expect([text.status, text.body['reason']]).toEqual([422, 'Invalid']);
    const bad = [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'Other', fieldsV1: {} }];
    const kept = await wire.send('PATCH', `${CONFIG_MAPS}/c`, { metadata: { managedFields: bad } }, 'application/merge-patch+json');
    expect(kept.body.metadata.managedFields).toMatchObject([{ manager: 'tester', fieldsV1: { 'f:data': { '.': {}, 'f:a': {} } } }]);
  });

  it.each([
    ['application/merge-patch+json', `{"data":${'{"a":'.repeat(5000)}1${'}'.repeat(5001)}`, 500],
    ['application/strategic-merge-patch+json', `{"data":${'{"a":'.repeat(5000)}1${'}'.repeat(5001)}`, 400],
    ['application/apply-patch+yaml', `a: ${'['.repeat(200_000)}`, 400],
    [
      'application/json-patch+json',
      JSON.stringify(Array.from({ length: 1500 }, (_, i) => ({ op: 'add', path: '/a'.repeat(i + 1), value: {} }))),
      422,
    ],
  ])('of type %s that nest without end are refused', async (type, body, status) => {
    await using wire = await Wire.open();
    await wire.send('POST', CONFIG_MAPS, configMap({ a: '1' }));
    const answer = await wire.send('PATCH', `${CONFIG_MAPS}/c${type.includes('yaml') ? '?fieldManager=x' : ''}`, body, type);
    expect([answer.status, answer.body['kind']]).toEqual([status, 'Status']);
  });

  it('name an owner once, with a warning', async () => {
    await using wire = await Wire.open();
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' };
    const made = await wire.send('POST', CONFIG_MAPS, configMap({}, { ownerReferences: [owner, owner] }));
    expect([made.body.metadata['ownerReferences'], made.warning]).toEqual([
      [owner],
      '299 - ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u"',
    ]);
  });

  it('say what does not merge in a list', async () => {
    await using wire = await Wire.open();
    await wire.send('POST', DEPLOYMENTS, deployment({}));
    const patch = { spec: { template: { spec: { containers: [{ image: 'x' }] } } } };
    const answer = await wire.send('PATCH', `${DEPLOYMENTS}/web`, patch, 'application/strategic-merge-patch+json');
    expect([answer.status, answer.body.message]).toEqual([500, 'map: map[image:x] does not contain declared merge key: name']);
  });

  it('do not make what is not there', async () => {
    await using wire = await Wire.open();
    const answer = await wire.send('PATCH', `${CONFIG_MAPS}/c`, 'not json', 'application/merge-patch+json');
    expect([answer.status, answer.body.message]).toEqual([404, 'configmaps "c" not found']);
  });

  it('scale through the subresource', async () => {
    await using wire = await Wire.open();
    await wire.send('POST', DEPLOYMENTS, deployment({}));
    const target = `${DEPLOYMENTS}/web/scale`;
    const merged = await wire.send('PATCH', target, { spec: { replicas: 4 } }, 'application/merge-patch+json');
    expect(merged.body.spec).toEqual({ replicas: 4 });
    const json = await wire.send('PATCH', target, [{ op: 'replace', path: '/spec/replicas', value: 5 }], 'application/json-patch+json');
    expect(json.body.spec).toEqual({ replicas: 5 });
    const stale = await wire.send(
      'PATCH',
      target,
      { metadata: { resourceVersion: '1' }, spec: { replicas: 6 } },
      'application/merge-patch+json',
    );
    expect(stale.status).toBe(409);
  });
});
