import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { openTestApi } from '../apiserver/test-api.ts';
import { DEPLOYMENT, POD, SERVICE } from '../machinery/resources.ts';
import { podTemplateHash } from '../machinery/pod-template-hash.ts';
import type { Deployment, Pod, Service } from '../machinery/types.ts';

const makeClock = (): VirtualClock => new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });

describe('defaults and validation of a deployment', () => {
  it('are those of v1.20', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const { client } = api;
    const created = await client.create<Deployment>(DEPLOYMENT, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'nginx', namespace: 'default', labels: { app: 'nginx' } },
      spec: {
        selector: { matchLabels: { app: 'nginx' } },
        template: {
          metadata: { labels: { app: 'nginx' } },
          spec: { containers: [{ name: 'nginx', image: 'nginx', resources: {}, nosuch: 1 } as never] },
        },
      },
    });
    expect(created.spec).toEqual({
      replicas: 1,
      selector: { matchLabels: { app: 'nginx' } },
      template: {
        metadata: { creationTimestamp: null, labels: { app: 'nginx' } },
        spec: {
          containers: [
            {
              name: 'nginx',
              image: 'nginx',
              resources: {},
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
              imagePullPolicy: 'Always',
            },
          ],
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          securityContext: {},
          schedulerName: 'default-scheduler',
        },
      },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    expect(podTemplateHash(created.spec!.template!)).toBe('6799fc88d8');
    expect(created.metadata.generation).toBe(1);
    const scaled = await client.patch<Deployment>(DEPLOYMENT, { name: 'nginx', namespace: 'default' }, 'application/merge-patch+json', {
      spec: { replicas: 3 },
    });
    expect(scaled.metadata.generation).toBe(2);
    const pod = await client.create<Pod>(POD, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'nginx:1.19' }] },
    });
    expect(pod.spec?.containers[0]).toMatchObject({ imagePullPolicy: 'IfNotPresent', resources: {} });
    expect(pod.spec?.enableServiceLinks).toBe(true);
    await expect(
      client.create(POD, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'x', namespace: 'default' },
        spec: { containers: [{ name: 'c' }] },
      } as never),
    ).rejects.toThrow('Pod "x" is invalid: spec.containers[0].image: Required value');
    await expect(
      client.create<Service>(SERVICE, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: '1svc', namespace: 'default' },
        spec: { ports: [{ port: 80 }] },
      }),
    ).rejects.toThrow("(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')");
  });
});
