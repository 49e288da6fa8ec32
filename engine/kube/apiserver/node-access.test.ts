import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { ApiError } from '../machinery/api-error.ts';
import { CONFIG_MAP, LEASE, NODE, POD, SECRET } from '../machinery/resources.ts';
import type { Node } from '../machinery/types.ts';
import type { RestClient } from '../client/rest-client.ts';
import { openTestApi, type TestApi } from './test-api.ts';

let api: TestApi;
let w1: RestClient;
let admin: RestClient;

beforeEach(async () => {
  const clock = new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() as Promise<void> });
  api = await openTestApi({
    clock,
    authorizationModes: ['Node', 'RBAC'],
    tokenFile: 'admin,admin,1,"system:masters"\nw1,system:node:w1,2,"system:nodes"',
  });
  admin = api.clientAs({ token: 'admin' });
  w1 = api.clientAs({ token: 'w1' });
  for (const name of ['w1', 'w2']) await admin.create(NODE, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  for (const name of ['used', 'unused']) {
    await admin.create(SECRET, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' } });
    await admin.create(CONFIG_MAP, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });
  }
  const pod = (name: string, nodeName: string): never =>
    ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: {
        nodeName,
        containers: [{ name: 'c', image: 'i', envFrom: [{ configMapRef: { name: 'used' } }] }],
        volumes: [{ name: 'v', secret: { secretName: 'used' } }],
      },
    }) as never;
  await admin.create(POD, pod('mine', 'w1'));
  await admin.create(POD, pod('other', 'w2'));
});
afterEach(async () => {
  admin.close();
  w1.close();
  await api[Symbol.asyncDispose]();
});

async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'ok';
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

describe('what a kubelet may do', () => {
  it('reads what its pods refer to, by name', async () => {
    const refusal = (resource: string, verb: string): string =>
      `User "system:node:w1" cannot ${verb} resource "${resource}" in API group "" in the namespace "default"`;
    expect(await outcome(w1.get(SECRET, 'used', 'default'))).toBe('ok');
    expect(await outcome(w1.get(CONFIG_MAP, 'used', 'default'))).toBe('ok');
    expect(await outcome(w1.list(SECRET, { namespace: 'default', fieldSelector: 'metadata.name=used' }))).toBe('ok');
    expect(await outcome(w1.get(SECRET, 'unused', 'default'))).toBe(
      `secrets "unused" is forbidden: ${refusal('secrets', 'get')}: no relationship found between node 'w1' and this object`,
    );
    expect(await outcome(w1.list(SECRET, { namespace: 'default' }))).toBe(
      `secrets is forbidden: ${refusal('secrets', 'list')}: No Object name found`,
    );
    expect(await outcome(w1.delete(CONFIG_MAP, 'used', 'default'))).toBe(
      `configmaps "used" is forbidden: ${refusal('configmaps', 'delete')}: can only read resources of this type`,
    );
    await admin.delete(POD, 'mine', 'default', { gracePeriodSeconds: 0 });
    expect(await outcome(w1.get(SECRET, 'used', 'default'))).toContain('no relationship found');
  });

  it('writes its own node, lease and pods, and nothing of others', async () => {
    const own = await w1.get<Node>(NODE, 'w1');
    expect(await outcome(w1.updateStatus(NODE, own))).toBe('ok');
    expect(await outcome(w1.updateStatus(NODE, await w1.get<Node>(NODE, 'w2')))).toBe(
      'nodes "w2" is forbidden: node "w1" is not allowed to modify node "w2"',
    );
    expect(await outcome(w1.update(NODE, { ...(await w1.get<Node>(NODE, 'w1')), spec: { taints: [] } }))).toBe(
      'nodes "w1" is forbidden: node "w1" is not allowed to modify taints',
    );
    const labelled = await w1.get<Node>(NODE, 'w1');
    expect(
      await outcome(
        w1.update(NODE, {
          ...labelled,
          metadata: { ...labelled.metadata, labels: { 'node-role.kubernetes.io/master': '', 'kubernetes.io/os': 'linux' } },
        }),
      ),
    ).toBe('nodes "w1" is forbidden: is not allowed to modify labels: node-role.kubernetes.io/master');
    const lease = (name: string, namespace: string): never =>
      ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } }) as never;
    expect(await outcome(w1.create(LEASE, lease('w1', 'kube-node-lease')))).toBe('ok');
    expect(await outcome(w1.create(LEASE, lease('w2', 'kube-node-lease')))).toBe(
      'leases.coordination.k8s.io "w2" is forbidden: can only access node lease with the same name as the requesting node',
    );
    expect(await outcome(w1.create(LEASE, lease('w1', 'default')))).toContain(
      'can only access leases in the "kube-node-lease" system namespace',
    );
    expect(await outcome(w1.delete(POD, 'other', 'default', { gracePeriodSeconds: 0 }))).toBe(
      'pods "other" is forbidden: node "w1" can only delete pods with spec.nodeName set to itself',
    );
    const plain = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'new', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    expect(await outcome(w1.create(POD, plain as never))).toBe(
      'pods "new" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "w1" can only create mirror pods',
    );
    expect(await outcome(w1.delete(POD, 'mine', 'default', { gracePeriodSeconds: 0 }))).toBe('ok');
  });
});
