import { describe, expect, it } from 'vitest';
import { POD, NAMESPACE } from '../machinery/resources.ts';
import type { Namespace, Pod } from '../machinery/types.ts';
import { SharedInformers } from '../client/informer.ts';
import { SeededRng } from '../../sim/rng.ts';
import { setImmediate } from 'node:timers/promises';
import { VirtualClock } from '../../sim/clock.ts';
import { openTestApi } from './test-api.ts';

const makeClock = (): VirtualClock => new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });

const POD_SPEC = { containers: [{ name: 'web', image: 'nginx' }] };

describe('ApiServer over the wire', () => {
  it('creates, reads, updates, patches and deletes', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const { client } = api;
    const created = await client.create<Namespace>(NAMESPACE, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web' } });
    expect(created.status).toEqual({ phase: 'Active' });
    const pod = await client.create<Pod>(POD, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'web-', namespace: 'default' },
      spec: POD_SPEC,
    });
    expect(pod.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    const labelled = await client.patch<Pod>(
      POD,
      { name: pod.metadata.name, namespace: 'default' },
      'application/strategic-merge-patch+json',
      {
        metadata: { labels: { app: 'web' } },
      },
    );
    expect(labelled.metadata.labels).toEqual({ app: 'web' });
    await expect(client.update(POD, { ...pod, metadata: { ...pod.metadata, labels: { a: 'b' } } })).rejects.toThrow(
      'the object has been modified',
    );
    const list = await client.list<Pod>(POD, { labelSelector: 'app=web' });
    expect(list.items.map((each) => each.metadata.uid)).toEqual([pod.metadata.uid]);
    await client.delete(POD, pod.metadata.name, 'default');
    await expect(client.get(POD, pod.metadata.name, 'default')).rejects.toThrow(`pods "${pod.metadata.name}" not found`);
  });

  it('feeds informers', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const { client, clock } = api;
    const informers = new SharedInformers({ client, clock, rng: new SeededRng(3) });
    const stop = new AbortController();
    const pods = informers.for<Pod>(POD);
    const seen: string[] = [];
    pods.onChange((change) => seen.push(`${change.type} ${change.object.metadata.name}`));
    informers.start(stop.signal);
    await pods.synced;
    await client.create<Pod>(POD, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'default' }, spec: POD_SPEC });
    await client.patch<Pod>(POD, { name: 'a', namespace: 'default', subresource: 'status' }, 'application/merge-patch+json', {
      status: { phase: 'Running' },
    });
    await client.delete(POD, 'a', 'default');
    await clock.settle();
    // A pod on no node gets no grace: it is marked, then it goes.
    expect(seen).toEqual(['added a', 'updated a', 'updated a', 'removed a']);
    stop.abort(new Error('done'));
  });
});

describe('custom resources', () => {
  it('are served once they are defined', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const { client, clock } = api;
    const crd = {
      group: 'apiextensions.k8s.io',
      version: 'v1',
      resource: 'customresourcedefinitions',
      kind: 'CustomResourceDefinition',
      isNamespaced: false,
    };
    await client.create(crd, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'ippools.crd.projectcalico.org' },
      spec: {
        group: 'crd.projectcalico.org',
        names: { kind: 'IPPool', listKind: 'IPPoolList', plural: 'ippools', singular: 'ippool' },
        scope: 'Cluster',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: { spec: { type: 'object', required: ['cidr'], properties: { cidr: { type: 'string' } } } },
              },
            },
          },
        ],
      },
    } as never);
    await clock.settle();
    const pool = { group: 'crd.projectcalico.org', version: 'v1', resource: 'ippools', kind: 'IPPool', isNamespaced: false };
    const created = await client.create(pool, {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'IPPool',
      metadata: { name: 'default' },
      spec: { cidr: '172.16.0.0/16' },
    } as never);
    expect(created).toMatchObject({ spec: { cidr: '172.16.0.0/16' } });
    await expect(
      client.create(pool, { apiVersion: 'crd.projectcalico.org/v1', kind: 'IPPool', metadata: { name: 'bad' }, spec: {} } as never),
    ).rejects.toThrow('spec.cidr: Required value');
    expect(await client.get(crd, 'ippools.crd.projectcalico.org')).toMatchObject({ status: { acceptedNames: { kind: 'IPPool' } } });
  });
});
