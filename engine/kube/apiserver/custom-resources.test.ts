import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { text } from '../../sim/bytes.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { readAllBytes } from '../../net/http-message.ts';
import type { Json } from '../registry/definition.ts';
import { openTestApi, type TestApi } from './test-api.ts';

const makeClock = (): VirtualClock => new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });

interface Answer {
  readonly status: number;
  readonly body: Json & { readonly message?: string; readonly metadata: Json; readonly spec: Json; readonly items: readonly Json[] };
}

async function call(api: TestApi, method: string, target: string, body?: unknown, type = 'application/json'): Promise<Answer> {
  const response = await api.client.raw(method, target, {
    headers: { 'content-type': type },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const answer = text(await readAllBytes(response.body));
  return { status: response.status, body: (answer.startsWith('{') ? JSON.parse(answer) : { message: answer }) as Answer['body'] };
}

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const FOOS = '/apis/example.com/v1/namespaces/default/foos';

const SPEC_SCHEMA = {
  type: 'object',
  properties: { replicas: { type: 'integer', default: 1 }, image: { type: 'string' }, size: { type: 'integer' } },
};
const rootSchema = (spec: object): object => ({
  openAPIV3Schema: { type: 'object', properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } },
});

function definition(versions: readonly object[], names: object = {}): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'foos.example.com' },
    spec: { group: 'example.com', scope: 'Namespaced', names: { plural: 'foos', kind: 'Foo', ...names }, versions },
  };
}

const V1 = { name: 'v1', served: true, storage: true, schema: rootSchema(SPEC_SCHEMA) };
const WITH_STATUS = {
  ...V1,
  subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
};
const foo = (name: string, more: object = {}): object => ({ apiVersion: 'example.com/v1', kind: 'Foo', metadata: { name }, ...more });

async function withFoos(versions: readonly object[], test: (api: TestApi) => Promise<void>): Promise<void> {
  await using api = await openTestApi({ clock: makeClock() });
  expect((await call(api, 'POST', CRDS, definition(versions))).status).toBe(201);
  await api.clock.settle();
  await test(api);
}

const conditionsOf = ({ body }: Answer): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ((body['status'] as Json)['conditions'] as { type: string; status: string; reason: string }[]).map((each) => [
      each.type,
      `${each.status} ${each.reason}`,
    ]),
  );

describe('custom resources', () => {
  it('are served as soon as they are defined, pruned and defaulted', () =>
    withFoos([V1], async (api) => {
      expect(conditionsOf(await call(api, 'GET', `${CRDS}/foos.example.com`))).toEqual({
        NamesAccepted: 'True NoConflicts',
        Established: 'True InitialNamesAccepted',
      });
      const made = await call(api, 'POST', FOOS, foo('a', { spec: { image: 'x', other: 1 }, more: true }));
      expect(made.body.spec).toEqual({ image: 'x', replicas: 1 });
      expect(made.body['more']).toBeUndefined();
      expect(made.body.metadata['generation']).toBe(1);
    }));

  it('count generations: of the spec alone where the status is a subresource', () =>
    withFoos([WITH_STATUS], async (api) => {
      await call(api, 'POST', FOOS, foo('a', { spec: {}, status: { phase: 'Odd' } }));
      const before = await call(api, 'GET', `${FOOS}/a`);
      expect(before.body['status']).toBeUndefined();
      const status = await call(
        api,
        'PATCH',
        `${FOOS}/a/status`,
        { spec: { image: 'y' }, status: { phase: 'Ready' } },
        'application/merge-patch+json',
      );
      expect([status.body['status'], status.body.spec, status.body.metadata['generation']]).toEqual([
        { phase: 'Ready' },
        { replicas: 1 },
        1,
      ]);
      const spec = await call(api, 'PATCH', `${FOOS}/a`, { spec: { image: 'y' }, status: {} }, 'application/merge-patch+json');
      expect([spec.body['status'], spec.body.metadata['generation']]).toEqual([{ phase: 'Ready' }, 2]);
    }));

  it('count generations of the status too where it is a field', () =>
    withFoos([V1], async (api) => {
      await call(api, 'POST', FOOS, foo('a'));
      const next = await call(api, 'PATCH', `${FOOS}/a`, { status: { phase: 'Ready' } }, 'application/merge-patch+json');
      expect(next.body.metadata['generation']).toBe(2);
      expect((await call(api, 'GET', `${FOOS}/a/status`)).status).toBe(404);
    }));

  it('scale', () =>
    withFoos([WITH_STATUS], async (api) => {
      await call(api, 'POST', FOOS, foo('a', { spec: {} }));
      const scaled = await call(api, 'PATCH', `${FOOS}/a/scale`, { spec: { replicas: 4 } }, 'application/merge-patch+json');
      expect([scaled.body['kind'], scaled.body.spec]).toEqual(['Scale', { replicas: 4 }]);
      expect((await call(api, 'GET', `${FOOS}/a`)).body.spec['replicas']).toBe(4);
      const wrong = await call(api, 'PATCH', `${FOOS}/a/scale`, { spec: { replicas: -1 } }, 'application/merge-patch+json');
      expect(wrong.body.message).toBe(
        'Foo.example.com "a" is invalid: .spec.replicas: Invalid value: -1: should be a non-negative integer',
      );
    }));

  it('are shown in each version by its schema, and stored by that of the stored one', () =>
    withFoos(
      [
        V1,
        {
          name: 'v1beta1',
          served: true,
          storage: false,
          schema: rootSchema({ type: 'object', properties: { image: { type: 'string' } } }),
        },
        { name: 'v1alpha1', served: false, storage: false, schema: rootSchema(SPEC_SCHEMA) },
      ],
      async (api) => {
        await call(api, 'POST', FOOS, foo('a', { spec: { image: 'x', size: 3 } }));
        const beta = await call(api, 'GET', FOOS.replace('v1', 'v1beta1') + '/a');
        expect([beta.body['apiVersion'], beta.body.spec]).toEqual(['example.com/v1beta1', { image: 'x' }]);
        expect(await call(api, 'GET', FOOS.replace('v1', 'v1alpha1'))).toEqual({ status: 404, body: { message: '404 page not found\n' } });
        const group = await call(api, 'GET', '/apis/example.com');
        expect((group.body['versions'] as Json[]).map((each) => each['version'])).toEqual(['v1', 'v1beta1']);
      },
    ));

  it('take up what changes in their definition', () =>
    withFoos([V1], async (api) => {
      await call(api, 'POST', FOOS, foo('a', { spec: { size: 3 } }));
      const later = rootSchema({ ...SPEC_SCHEMA, properties: { ...SPEC_SCHEMA.properties, colour: { type: 'string', default: 'red' } } });
      const versions = [
        { ...V1, storage: false, schema: later },
        { ...V1, name: 'v2', schema: later },
      ];
      const changed = await call(api, 'PATCH', `${CRDS}/foos.example.com`, { spec: { versions } }, 'application/merge-patch+json');
      expect((changed.body['status'] as Json)['storedVersions']).toEqual(['v1', 'v2']);
      await api.clock.settle();
      const shown = await call(api, 'GET', `${FOOS.replace('v1', 'v2')}/a`);
      expect([shown.body['apiVersion'], shown.body.spec]).toEqual(['example.com/v2', { replicas: 1, size: 3, colour: 'red' }]);
    }));

  it('refuse strategic merge patches and field selectors of their own', () =>
    withFoos([V1], async (api) => {
      await call(api, 'POST', FOOS, foo('a'));
      const strategic = await call(api, 'PATCH', `${FOOS}/a`, {}, 'application/strategic-merge-patch+json');
      expect([strategic.status, strategic.body.message]).toEqual([
        415,
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
      ]);
      expect((await call(api, 'GET', `${FOOS}?fieldSelector=spec.image%3Dx`)).body.message).toBe('field label not supported: spec.image');
      expect((await call(api, 'GET', `${FOOS}?fieldSelector=metadata.name%3Da`)).body.items).toHaveLength(1);
    }));

  it('want the version in a replacement', () =>
    withFoos([V1], async (api) => {
      await call(api, 'POST', FOOS, foo('a'));
      expect((await call(api, 'PUT', `${FOOS}/a`, foo('a', { spec: {} }))).body.message).toBe(
        'foos.example.com "a" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
      );
    }));

  it('go with their definition, once their finalizers let them', () =>
    withFoos([V1], async (api) => {
      await call(api, 'POST', FOOS, { ...foo('a'), metadata: { name: 'a', finalizers: ['example.com/wait'] } });
      await call(api, 'POST', FOOS, foo('b'));
      const watch = await api.client.raw('GET', `${FOOS}?watch=true`);
      expect((await call(api, 'DELETE', `${CRDS}/foos.example.com`)).body.metadata['finalizers']).toEqual([
        'customresourcecleanup.apiextensions.k8s.io',
      ]);
      await api.clock.settle();
      expect(conditionsOf(await call(api, 'GET', `${CRDS}/foos.example.com`))['Terminating']).toBe('True InstanceDeletionInProgress');
      const refused = await call(api, 'POST', FOOS, foo('c'));
      expect([refused.status, refused.body.message]).toEqual([405, 'create not allowed while custom resource definition is terminating']);
      expect((await call(api, 'GET', FOOS)).body.items.map((each) => (each['metadata'] as Json)['name'])).toEqual(['a']);
      await call(api, 'PATCH', `${FOOS}/a`, { metadata: { finalizers: null } }, 'application/merge-patch+json');
      await api.clock.advance(5000);
      expect((await call(api, 'GET', `${CRDS}/foos.example.com`)).status).toBe(404);
      expect((await call(api, 'GET', FOOS)).status).toBe(404);
      // The watch of what is gone ends.
      expect(text(await readAllBytes(watch.body))).toContain('"DELETED"');
      expect((await call(api, 'POST', CRDS, definition([V1]))).status).toBe(201);
      await api.clock.settle();
      expect((await call(api, 'GET', FOOS)).body.items).toEqual([]);
    }));

  it('wait for names that others of the group have', () =>
    withFoos([V1], async (api) => {
      const other = {
        ...definition([V1], { plural: 'bars', kind: 'Foo', shortNames: ['foo'] }),
        metadata: { name: 'bars.example.com' },
      };
      await call(api, 'POST', CRDS, other);
      await api.clock.settle();
      const conflicting = await call(api, 'GET', `${CRDS}/bars.example.com`);
      expect(conditionsOf(conflicting)).toEqual({ NamesAccepted: 'False ListKindConflict', Established: 'False NotAccepted' });
      expect((conflicting.body['status'] as Json)['acceptedNames']).toEqual({ plural: 'bars', kind: '' });
      await call(api, 'DELETE', `${CRDS}/foos.example.com`);
      await api.clock.settle();
      expect(conditionsOf(await call(api, 'GET', `${CRDS}/bars.example.com`))).toEqual({
        NamesAccepted: 'True NoConflicts',
        Established: 'True InitialNamesAccepted',
      });
    }));

  it('are only looked at in a dry run', () =>
    withFoos([V1], async (api) => {
      expect((await call(api, 'POST', `${FOOS}?dryRun=All`, foo('a', { spec: { image: 'x' } }))).body.spec).toEqual({
        image: 'x',
        replicas: 1,
      });
      expect((await call(api, 'GET', FOOS)).body.items).toEqual([]);
      expect((await call(api, 'POST', `${CRDS}?dryRun=All`, definition([V1]))).body.message).toContain('already exists');
    }));
});
