import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { SeriesRecorder } from '../client/series-recorder.ts';
import { EVENT, POD } from '../machinery/resources.ts';
import type { Event, Pod } from '../machinery/types.ts';
import { openTestApi } from './test-api.ts';

const makeClock = (): VirtualClock => new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });

const POD_A = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'nginx' }] },
};
const A = { name: 'a', namespace: 'default' };
const STRATEGIC = 'application/strategic-merge-patch+json';

describe('what the API server says about', () => {
  it('a field selector it does not know: only the field, the rest is the client’s', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    await expect(api.client.list<Pod>(POD, { fieldSelector: 'status.nosuch=x' })).rejects.toMatchObject({
      status: { code: 400, message: 'field label not supported: status.nosuch' },
    });
  });

  it('a strategic merge patch that does not fit: the patch is invalid', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    await api.client.create<Pod>(POD, POD_A);
    await expect(api.client.patch<Pod>(POD, A, STRATEGIC, { spec: { activeDeadlineSeconds: 'two' } })).rejects.toMatchObject({
      status: {
        code: 422,
        message: ' "" is invalid: patch: Invalid value: "map[spec:map[activeDeadlineSeconds:two]]": unrecognized type: int64',
      },
    });
  });

  it('a body that does not fit: it quotes the body where it stopped', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const bad = { ...POD_A, spec: { containers: [{ name: false, image: 'nginx' }] } };
    await expect(api.client.create(POD, bad as never)).rejects.toThrow('error found in #10 byte of ...|[{"name":false,"imag|..., bigger');
  });
});

it('nobody owns what admission filled in', async () => {
  await using api = await openTestApi({ clock: makeClock() });
  const pod = await api.client.create<Pod>(POD, POD_A);
  expect(JSON.stringify(pod.metadata.managedFields)).toContain('f:image');
  expect(JSON.stringify(pod.metadata.managedFields)).not.toContain('f:priority');
});

it('the scheduler’s recorder makes one event per state of a pod, then a series', async () => {
  await using api = await openTestApi({ clock: makeClock() });
  const { client, clock } = api;
  const first = await client.create<Pod>(POD, POD_A);
  const recorder = new SeriesRecorder({ client, clock, controller: 'default-scheduler', host: 'm-k8s' });
  const fail = (pod: Pod): void => recorder.event(pod, 'Warning', 'FailedScheduling', 'no room', { action: 'Scheduling' });
  fail(first);
  const second = await client.patch<Pod>(POD, A, STRATEGIC, { metadata: { labels: { a: 'b' } } });
  fail(second);
  fail(second);
  await clock.settle();
  await clock.settle();
  const { items } = await client.list<Event & { readonly series?: { readonly count: number } }>(EVENT);
  expect(items.map(({ reason, series }) => [reason, series?.count])).toEqual([
    ['FailedScheduling', undefined],
    ['FailedScheduling', 1],
  ]);
});
