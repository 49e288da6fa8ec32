import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../sim/clock.ts';
import { ApiError } from '../../machinery/api-error.ts';
import {
  LIMIT_RANGE,
  NAMESPACE,
  PERSISTENT_VOLUME_CLAIM,
  POD,
  PRIORITY_CLASS,
  RUNTIME_CLASS,
  SECRET,
  SERVICE_ACCOUNT,
  STORAGE_CLASS,
} from '../../machinery/resources.ts';
import type { ResourceReference } from '../../machinery/types.ts';
import { openTestApi, type TestApi } from '../test-api.ts';
import { pluginNames } from './chain.ts';

type Json = Record<string, unknown>;
let api: TestApi;
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

async function open(
  options: { readonly enabledPlugins?: readonly string[]; readonly disabledPlugins?: readonly string[] } = {},
): Promise<void> {
  const clock = new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() as Promise<void> });
  api = await openTestApi({ clock, ...options });
}

const make = (resource: ResourceReference, name: string, more: Json = {}, metadata: Json = {}): Promise<Json> =>
  api.client.create(resource, {
    apiVersion: resource.group === '' ? 'v1' : `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name, ...(resource.isNamespaced ? { namespace: 'default' } : {}), ...metadata },
    ...more,
  } as never) as Promise<unknown> as Promise<Json>;
const pod = (name: string, spec: Json = {}, container: Json = {}): Promise<Json> =>
  make(POD, name, { spec: { containers: [{ name: 'c', image: 'i:1', ...container }], ...spec } });
const specOf = (object: Json): Json => object['spec'] as Json;

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'ok';
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

describe('Priority', () => {
  it('turns names into numbers, and knows one default', async () => {
    await open();
    expect(specOf(await pod('none'))).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
    expect(specOf(await pod('critical', { priorityClassName: 'system-node-critical' }))).toMatchObject({ priority: 2000001000 });
    expect(await failure(pod('a', { priorityClassName: 'nosuch' }))).toBe(
      'pods "a" is forbidden: no PriorityClass with name nosuch was found',
    );
    expect(await failure(pod('a', { priority: 5 }))).toBe(
      'pods "a" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    );
    await make(PRIORITY_CLASS, 'usual', { value: 7, globalDefault: true, preemptionPolicy: 'Never' });
    expect(specOf(await pod('b'))).toMatchObject({ priorityClassName: 'usual', priority: 7, preemptionPolicy: 'Never' });
    expect(await failure(make(PRIORITY_CLASS, 'second', { value: 8, globalDefault: true }))).toBe(
      'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
    );
  });
});

describe('ServiceAccount', () => {
  it('mounts the account’s token, once there is one', async () => {
    await open({ disabledPlugins: [] });
    expect(await failure(pod('a'))).toBe(
      'pods "a" is forbidden: error looking up service account default/default: serviceaccount "default" not found',
    );
    const account = (await make(SERVICE_ACCOUNT, 'default')) as { metadata: { uid: string } };
    const early = await pod('a').then(
      () => undefined,
      (error: unknown) => (error as ApiError).status,
    );
    expect(early).toMatchObject({
      code: 500,
      reason: 'ServerTimeout',
      message:
        'No API token found for service account "default", retry after the token is automatically created and added to the service account',
      details: { name: 'create pod', kind: 'serviceaccounts', retryAfterSeconds: 1 },
    });
    const annotations = { 'kubernetes.io/service-account.name': 'default', 'kubernetes.io/service-account.uid': account.metadata.uid };
    await make(SECRET, 'default-token-abcde', { type: 'kubernetes.io/service-account-token' }, { annotations });
    await api.client.update(SERVICE_ACCOUNT, { ...account, secrets: [{ name: 'default-token-abcde' }] } as never);
    const spec = specOf(await pod('a')) as { volumes: Json[]; containers: { volumeMounts: Json[] }[] };
    expect(spec.volumes).toEqual([{ name: 'default-token-abcde', secret: { secretName: 'default-token-abcde', defaultMode: 420 } }]);
    expect(spec.containers[0]!.volumeMounts).toEqual([
      { name: 'default-token-abcde', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ]);
  });
});

describe('RuntimeClass and tolerations', () => {
  it('adds what running there costs, and where that is', async () => {
    await open();
    expect(await failure(pod('a', { runtimeClassName: 'kata' }))).toBe(
      'pods "a" is forbidden: pod rejected: RuntimeClass "kata" not found',
    );
    const scheduling = { nodeSelector: { kata: 'yes' }, tolerations: [{ key: 'kata', operator: 'Exists' }] };
    await make(RUNTIME_CLASS, 'kata', { handler: 'kata', overhead: { podFixed: { memory: '120Mi' } }, scheduling });
    const spec = specOf(await pod('a', { runtimeClassName: 'kata' }));
    expect(spec).toMatchObject({ overhead: { memory: '120Mi' }, nodeSelector: { kata: 'yes' } });
    expect((spec['tolerations'] as { key: string }[]).map(({ key }) => key)).toEqual([
      'node.kubernetes.io/not-ready',
      'node.kubernetes.io/unreachable',
      'kata',
    ]);
    expect(await failure(pod('b', { runtimeClassName: 'kata', nodeSelector: { kata: 'no' } }))).toBe(
      'pods "b" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[kata] = yes; pod.spec.nodeSelector[kata] = no',
    );
    expect(await failure(pod('b', { overhead: { memory: '1Mi' } }))).toBe(
      'pods "b" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    );
  });
});

describe('storage', () => {
  const claim = (name: string, storage: string, more: Json = {}): Promise<Json> =>
    make(PERSISTENT_VOLUME_CLAIM, name, { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...more } });

  it('gives claims the default class and a finalizer, and bounds their size', async () => {
    await open();
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    await make(STORAGE_CLASS, 'gold', { provisioner: 'x/y' }, { annotations });
    const made = (await claim('a', '1Mi')) as { metadata: { finalizers: string[] } } & Json;
    expect(specOf(made)).toMatchObject({ storageClassName: 'gold' });
    expect(made.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    expect(specOf(await claim('b', '1Mi', { storageClassName: '' }))).toMatchObject({ storageClassName: '' });
    const bound = (await api.client.updateStatus(PERSISTENT_VOLUME_CLAIM, {
      ...made,
      status: { phase: 'Bound' },
    } as never)) as unknown as Json;
    const larger = { ...bound, spec: { ...specOf(bound), resources: { requests: { storage: '2Mi' } } } };
    expect(await failure(api.client.update(PERSISTENT_VOLUME_CLAIM, larger as never))).toBe(
      'persistentvolumeclaims "a" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
    await make(LIMIT_RANGE, 'size', {
      spec: { limits: [{ type: 'PersistentVolumeClaim', min: { storage: '1Mi' }, max: { storage: '5Mi' } }] },
    });
    expect(await failure(claim('c', '10Mi'))).toBe(
      'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Mi, but request is 10Mi',
    );
    await make(STORAGE_CLASS, 'silver', { provisioner: 'x/y' }, { annotations });
    expect(await failure(claim('d', '2Mi'))).toBe(
      'persistentvolumeclaims "d" is forbidden: Internal error occurred: 2 default StorageClasses were found',
    );
  });
});

describe('plugins that a flag turns on', () => {
  it('have their effect', async () => {
    await open({ enabledPlugins: ['AlwaysPullImages', 'NamespaceAutoProvision', 'ExtendedResourceToleration'] });
    const spec = specOf(await pod('a', {}, { imagePullPolicy: 'Never', resources: { limits: { 'example.com/gpu': '1' } } }));
    expect((spec['containers'] as Json[])[0]).toMatchObject({ imagePullPolicy: 'Always' });
    expect(spec['tolerations']).toContainEqual({ key: 'example.com/gpu', operator: 'Exists' });
    await make(SECRET, 's', {}, { namespace: 'new' });
    expect(await api.client.get(NAMESPACE, 'new')).toMatchObject({ metadata: { name: 'new' } });
  });
  it('come in the order of v1.20', async () => {
    await open();
    expect(pluginNames(['NodeRestriction', 'AlwaysPullImages'], ['Priority']).slice(0, 6)).toEqual([
      'NamespaceLifecycle',
      'LimitRanger',
      'ServiceAccount',
      'NodeRestriction',
      'TaintNodesByCondition',
      'AlwaysPullImages',
    ]);
  });
});
