import { describe, expect, test } from 'vitest';
import type { Pod } from '#engine/kube/machinery/types.ts';
import { podView } from './pod-view.ts';

type Status = NonNullable<Pod['status']>;
type ContainerStatus = NonNullable<Status['containerStatuses']>[number];

const container = (state: ContainerStatus['state'], more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'c',
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...(state === undefined ? {} : { state }),
  ...more,
});

const pod = (status: Status, more: { readonly isDeleted?: boolean; readonly initContainers?: number } = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    namespace: 'default',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(more.isDeleted ? { deletionTimestamp: '2026-01-01T00:01:00Z' } : {}),
  },
  spec: {
    containers: [{ name: 'c' }],
    ...(more.initContainers ? { initContainers: Array.from({ length: more.initContainers }, (_, i) => ({ name: `i${i}` })) } : {}),
  },
  status,
});

const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };

describe('the columns of kubectl get pods', () => {
  test.each<[string, Pod, string]>([
    ['waiting to be scheduled', pod({ phase: 'Pending' }), '0/1 Pending 0 busy'],
    [
      'being made',
      pod({ phase: 'Pending', containerStatuses: [container({ waiting: { reason: 'ContainerCreating' } })] }),
      '0/1 ContainerCreating 0 busy',
    ],
    ['running', pod({ phase: 'Running', containerStatuses: [container(running, { ready: true })] }), '1/1 Running 0 good'],
    ['running, not ready', pod({ phase: 'Running', containerStatuses: [container(running)] }), '0/1 Running 0 busy'],
    [
      'crashing',
      pod({ phase: 'Running', containerStatuses: [container({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 4 })] }),
      '0/1 CrashLoopBackOff 4 bad',
    ],
    [
      'done',
      pod({ phase: 'Succeeded', containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed' } })] }),
      '0/1 Completed 0 idle',
    ],
    [
      'killed',
      pod({ phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 137, signal: 9 } })] }),
      '0/1 Signal:9 0 bad',
    ],
    ['evicted', pod({ phase: 'Failed', reason: 'Evicted' }), '0/1 Evicted 0 bad'],
    [
      'going away',
      pod({ phase: 'Running', containerStatuses: [container(running, { ready: true })] }, { isDeleted: true }),
      '1/1 Terminating 0 busy',
    ],
    [
      'in its second init container',
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [container({ terminated: { exitCode: 0 } }), container({ waiting: { reason: 'PodInitializing' } })],
        },
        { initContainers: 2 },
      ),
      '0/1 Init:1/2 0 busy',
    ],
    [
      'in an init container that fails',
      pod(
        { phase: 'Pending', initContainerStatuses: [container({ terminated: { exitCode: 1, reason: 'Error' } }, { restartCount: 2 })] },
        { initContainers: 1 },
      ),
      '0/1 Init:Error 2 bad',
    ],
  ])('%s', (_, given, want) => {
    const { ready, status, restarts, tone } = podView(given);
    expect(`${ready} ${status} ${restarts} ${tone}`).toBe(want);
  });
});
