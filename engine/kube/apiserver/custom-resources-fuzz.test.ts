import fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { text } from '../../sim/bytes.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { deepCopy, isRecord } from '../machinery/deep.ts';
import { openTestApi, type TestApi } from './test-api.ts';

/** More of them with NOBOX_FUZZ. */
const RUNS = Number(process.env['NOBOX_FUZZ'] ?? '200');
const SCHEMA = {
  type: 'object',
  required: ['spec'],
  properties: {
    metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 20 } } },
    spec: {
      type: 'object',
      minProperties: 1,
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 9, exclusiveMaximum: true, multipleOf: 1, default: 2 },
        mode: { type: 'string', enum: ['a', 'b'], nullable: true, default: 'a' },
        when: { type: 'string', format: 'date-time' },
        name: { type: 'string', pattern: '^[a-z]+$', minLength: 1, maxLength: 5 },
        port: { 'x-kubernetes-int-or-string': true },
        any: { 'x-kubernetes-preserve-unknown-fields': true },
        pod: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
        map: { type: 'object', additionalProperties: { type: 'string', default: 'x' } },
        set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', maxItems: 3 },
        list: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: { type: 'number', default: 1.5 } } },
        },
      },
      oneOf: [{ required: ['mode'] }, { required: ['name'] }],
      not: { required: ['when', 'port'] },
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } },
  },
};
const SUBRESOURCES = {
  status: {},
  scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' },
};
const columns = (path: string): object[] => [
  { name: 'Size', type: 'integer', [path]: '.spec.size', priority: 1 },
  { name: 'When', type: 'date', [path]: '.spec.when' },
  { name: 'List', type: 'string', [path]: '.spec.list[?(@.k=="a")].v' },
];
const NAMES = { plural: 'foos', singular: 'foo', kind: 'Foo', listKind: 'FooList', shortNames: ['fo'], categories: ['all'] };
const metadata = { name: 'foos.example.com' };
const version = { served: true, schema: { openAPIV3Schema: SCHEMA }, subresources: SUBRESOURCES };
const V1 = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata,
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: NAMES,
    conversion: { strategy: 'None' },
    preserveUnknownFields: false,
    versions: [
      { name: 'v1', storage: true, ...version, additionalPrinterColumns: columns('jsonPath') },
      { name: 'v1beta1', storage: false, deprecated: true, ...version },
    ],
  },
};
/** There are defaults only in v1. */
const PLAIN_SCHEMA = JSON.parse(JSON.stringify(SCHEMA, (key, value: unknown) => (key === 'default' ? undefined : value))) as object;
const V1BETA1 = {
  apiVersion: 'apiextensions.k8s.io/v1beta1',
  kind: 'CustomResourceDefinition',
  metadata,
  spec: {
    group: 'example.com',
    version: 'v1',
    scope: 'Namespaced',
    names: NAMES,
    versions: [{ name: 'v1', served: true, storage: true }],
    preserveUnknownFields: false,
    validation: { openAPIV3Schema: PLAIN_SCHEMA },
    subresources: SUBRESOURCES,
    additionalPrinterColumns: columns('JSONPath'),
  },
};
const FOO = {
  apiVersion: 'example.com/v1',
  kind: 'Foo',
  metadata: { name: 'a', labels: { app: 'a' } },
  spec: {
    size: 3,
    mode: 'a',
    when: '2026-01-01T00:00:00Z',
    any: { a: [1, null] },
    pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: {} },
    map: { a: 'b' },
    set: ['a', 'b'],
    list: [{ k: 'a', v: 1 }],
  },
};

const ODD: readonly unknown[] = [
  null,
  '',
  'x',
  'v1',
  '.spec.a[',
  '(',
  -1,
  0,
  1.5,
  1e300,
  true,
  false,
  [],
  {},
  [null],
  [{}],
  [[1]],
  { a: null },
];
type Change = readonly [place: number, what: number];
const changes = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 3 });

/** Every place of a tree, as the container and the key in it. */
function placesOf(tree: unknown): (readonly [Record<string, unknown>, string])[] {
  if (!isRecord(tree) && !Array.isArray(tree)) return [];
  const container = tree as Record<string, unknown>;
  return Object.keys(container).flatMap((key) => [[container, key] as const, ...placesOf(container[key])]);
}

/** Some of its places hold what does not belong there, what belongs elsewhere, or nothing. */
function spoilt(tree: object, list: readonly Change[]): object {
  const copy = deepCopy(tree);
  for (const [place, what] of list) {
    const places = placesOf(copy);
    if (places.length === 0) break;
    const [container, key] = places[place % places.length]!;
    const kind = what % 4;
    if (kind === 0 && !Array.isArray(container)) delete container[key];
    else if (kind === 1) {
      const [other, otherKey] = places[(what >> 2) % places.length]!;
      container[key] = deepCopy(other[otherKey]);
    } else if (kind === 2 && !Array.isArray(container)) container[`x${key}`] = container[key];
    else container[key] = deepCopy(ODD[(what >> 2) % ODD.length]);
  }
  return copy;
}

async function withApi(
  test: (api: TestApi, send: (method: string, target: string, body?: object, type?: string) => Promise<number>) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });
  const logged: string[] = [];
  await using api = await openTestApi({ clock, log: (line) => logged.push(line) });
  await test(api, async (method, target, body, type = 'application/json') => {
    const response = await api.client.raw(method, target, {
      headers: { 'content-type': type, accept: 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = text(await readAllBytes(response.body));
    expect(logged.filter((line) => line.includes("panic'd"))).toEqual([]);
    expect(answer).not.toContain('caused apiserver to panic');
    return response.status;
  });
}

const CRDS = 'customresourcedefinitions';
const FOOS = '/apis/example.com/v1/namespaces/default/foos';

describe('custom resources under random requests', () => {
  it.each([
    { name: 'v1', valid: V1 },
    { name: 'v1beta1', valid: V1BETA1 },
  ])('definitions of $name are kept or refused, and what is kept serves', { timeout: 600_000 }, ({ name, valid }) =>
    withApi(async (api, send) => {
      const base = `/apis/apiextensions.k8s.io/${name}/${CRDS}`;
      expect(await send('POST', base, valid)).toBe(201);
      await api.clock.settle();
      expect(await send('POST', FOOS, FOO)).toBe(201);
      expect(await send('DELETE', `${base}/foos.example.com`)).toBe(200);
      await api.clock.advance(1000);
      await fc.assert(
        fc.asyncProperty(changes, async (list) => {
          const given = spoilt(valid, list);
          const status = await send('POST', base, given);
          expect(status).not.toBe(500);
          if (status !== 201) return;
          await api.clock.settle();
          await send('POST', FOOS, FOO);
          await send('GET', FOOS);
          await send('GET', '/openapi/v2');
          await send('PUT', `${FOOS}/a/scale`, {
            kind: 'Scale',
            apiVersion: 'autoscaling/v1',
            metadata: { name: 'a' },
            spec: { replicas: 4 },
          });
          await send(
            'PATCH',
            `${base}/foos.example.com`,
            spoilt({ spec: (valid as { spec: object }).spec }, list),
            'application/merge-patch+json',
          );
          const left = (given as { metadata?: { name?: string } }).metadata?.name ?? 'foos.example.com';
          await send('DELETE', `${base}/${left}`);
          await api.clock.advance(1000);
          expect(await send('GET', `${base}/${left}`)).toBe(404);
        }),
        { numRuns: RUNS },
      );
    }),
  );

  it('objects are kept or refused, and what is kept stays valid', { timeout: 600_000 }, () =>
    withApi(async (api, send) => {
      await send('POST', `/apis/apiextensions.k8s.io/v1/${CRDS}`, V1);
      await api.clock.settle();
      await fc.assert(
        fc.asyncProperty(changes, changes, async (first, second) => {
          const given = spoilt(FOO, first);
          const status = await send('POST', FOOS, given);
          expect(status).not.toBe(500);
          await send('PATCH', `${FOOS}/a`, spoilt({ spec: FOO.spec, metadata: FOO.metadata }, second), 'application/merge-patch+json');
          await send('PATCH', `${FOOS}/a?fieldManager=t&force=true`, spoilt(FOO, second), 'application/apply-patch+yaml');
          await send('PUT', `${FOOS}/a/status`, spoilt({ ...FOO, status: { replicas: 1 } }, second));
          await send('GET', `/apis/example.com/v1beta1/namespaces/default/foos`);
          for (const { object } of api.server.store('example.com', 'foos').list()) {
            const { resourceVersion: _version, uid: _uid, ...meta } = object.metadata;
            await send('DELETE', `${FOOS}/${object.metadata.name}`);
            expect(await send('POST', FOOS, { ...object, metadata: meta })).toBe(201);
            await send('DELETE', `${FOOS}/${object.metadata.name}`);
          }
        }),
        { numRuns: RUNS },
      );
    }),
  );
});
