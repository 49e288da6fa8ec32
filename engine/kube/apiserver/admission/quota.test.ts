import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../sim/clock.ts';
import { ApiError } from '../../machinery/api-error.ts';
import { LIMIT_RANGE, NAMESPACE, PERSISTENT_VOLUME_CLAIM, POD, RESOURCE_QUOTA, SERVICE } from '../../machinery/resources.ts';
import { openTestApi, type TestApi } from '../test-api.ts';

let api: TestApi;
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

const open = async (): Promise<void> => {
  api = await openTestApi({
    clock: new VirtualClock({ startMs: Date.parse('2026-01-01T00:00:00Z'), settle: () => setImmediate() as Promise<void> }),
  });
};

type Json = Record<string, unknown>;
const pod = (name: string, more: Json = {}, container: Json = {}): never =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i', ...container }], ...more },
  }) as never;

async function quota(name: string, hard: Record<string, string>, spec: Json = {}): Promise<void> {
  const created = await api.client.create(RESOURCE_QUOTA, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name, namespace: 'default' },
    spec: { hard, ...spec },
  } as never);
  const used = Object.fromEntries(Object.keys(hard).map((key) => [key, '0']));
  await api.client.updateStatus(RESOURCE_QUOTA, { ...created, status: { hard, used } } as never);
}

const used = async (name: string): Promise<unknown> =>
  ((await api.client.get(RESOURCE_QUOTA, name, 'default')) as unknown as { status: { used: unknown } }).status.used;

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'ok';
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

describe('ResourceQuota', () => {
  it('refuses what goes beyond, in the words of the real server', async () => {
    await open();
    await quota('q', { pods: '2' });
    await api.client.create(POD, pod('a'));
    await api.client.create(POD, pod('b'));
    expect(await failure(api.client.create(POD, pod('c')))).toBe(
      'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
    );
    expect(await used('q')).toEqual({ pods: '2' });
  });

  it('is never exceeded by creates at the same time', async () => {
    await open();
    await quota('q', { pods: '3', 'requests.cpu': '1' });
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        failure(api.client.create(POD, pod(`p${index}`, {}, { resources: { requests: { cpu: '200m' } } }))),
      ),
    );
    expect(results.filter((result) => result === 'ok')).toHaveLength(3);
    expect(await used('q')).toEqual({ pods: '3', 'requests.cpu': '600m' });
  });

  it('asks for what it limits, and leaves no charge behind on a dry run', async () => {
    await open();
    await quota('q', { 'limits.cpu': '1', 'requests.memory': '1Gi' });
    expect(await failure(api.client.create(POD, pod('a')))).toBe(
      'pods "a" is forbidden: failed quota: q: must specify limits.cpu,requests.memory',
    );
    const resources = { requests: { memory: '600Mi' }, limits: { cpu: '500m' } };
    const body = JSON.stringify(pod('a', {}, { resources }));
    const headers = { 'content-type': 'application/json' };
    const dry = await api.client.raw('POST', '/api/v1/namespaces/default/pods?dryRun=All', { headers, body });
    expect(dry.status).toBe(201);
    expect(await used('q')).toEqual({ 'limits.cpu': '0', 'requests.memory': '0' });
    await api.client.create(POD, pod('a', {}, { resources }));
    expect(await failure(api.client.create(POD, pod('b', {}, { resources })))).toBe(
      'pods "b" is forbidden: exceeded quota: q, requested: requests.memory=600Mi, used: requests.memory=600Mi, limited: requests.memory=1Gi',
    );
  });

  it('looks at scopes, node ports and storage classes', async () => {
    await open();
    await quota('best-effort', { pods: '1' }, { scopes: ['BestEffort'] });
    await quota('services', { services: '5', 'services.nodeports': '1' });
    await quota('storage', { 'gold.storageclass.storage.k8s.io/requests.storage': '5Gi' });
    await api.client.create(POD, pod('a', {}, { resources: { requests: { cpu: '1' } } }));
    await api.client.create(POD, pod('b'));
    expect(await failure(api.client.create(POD, pod('c')))).toContain('exceeded quota: best-effort, requested: pods=1');
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'default' } };
    const ports = [
      { port: 80, name: 'a' },
      { port: 81, name: 'b' },
    ];
    expect(await failure(api.client.create(SERVICE, { ...service, spec: { type: 'NodePort', ports } } as never))).toBe(
      'services "s" is forbidden: exceeded quota: services, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
    );
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'p', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'gold', resources: { requests: { storage: '6Gi' } } },
    };
    expect(await failure(api.client.create(PERSISTENT_VOLUME_CLAIM, claim as never))).toContain(
      'requested: gold.storageclass.storage.k8s.io/requests.storage=6Gi',
    );
  });
});

describe('LimitRanger', () => {
  const range = async (limits: readonly Json[]): Promise<void> => {
    await api.client.create(LIMIT_RANGE, {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'l', namespace: 'default' },
      spec: { limits },
    } as never);
  };

  it('fills in defaults and says so', async () => {
    await open();
    await range([{ type: 'Container', default: { memory: '512Mi', cpu: '1' }, defaultRequest: { memory: '256Mi', cpu: '1' } }]);
    const created = (await api.client.create(POD, pod('a'))) as unknown as {
      metadata: { annotations: Json };
      spec: { containers: Json[] };
    };
    expect(created.spec.containers[0]!['resources']).toEqual({
      limits: { cpu: '1', memory: '512Mi' },
      requests: { cpu: '1', memory: '256Mi' },
    });
    expect(created.metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c',
    );
  });

  it('refuses too much, too little and too far apart', async () => {
    await open();
    await range([{ type: 'Container', max: { memory: '1Gi' }, min: { memory: '100Mi' }, maxLimitRequestRatio: { cpu: '2' } }]);
    const resources = { limits: { memory: '2Gi', cpu: '1' }, requests: { memory: '50Mi', cpu: '100m' } };
    expect(await failure(api.client.create(POD, pod('a', {}, { resources })))).toBe(
      'pods "a" is forbidden: [minimum memory usage per Container is 100Mi, but request is 50Mi, maximum memory usage per Container is 1Gi, but limit is 2Gi, cpu max limit to request ratio per Container is 2, but provided ratio is 10.000000]',
    );
  });
});

describe('NamespaceLifecycle', () => {
  it('keeps the first namespaces and knows missing ones', async () => {
    await open();
    expect(await failure(api.client.delete(NAMESPACE, 'default'))).toBe(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
    const elsewhere = { ...(pod('a') as object), metadata: { name: 'a', namespace: 'nosuch' } };
    expect(await failure(api.client.create(POD, elsewhere as never))).toBe('namespaces "nosuch" not found');
  });
});
