import { describe, expect, it } from 'vitest';
import type { Container, Pod } from '../machinery/types.ts';
import type { ContainerStatus, SandboxStatus } from './container-runtime.ts';
import { computePodActions, NOTHING_OBSERVED, type ObservedPod, type PodActions } from './pod-actions.ts';

const container = (name: string): Container => ({ name, image: 'nginx' });

function pod(options: { readonly restartPolicy?: string; readonly init?: readonly string[]; readonly hostNetwork?: boolean } = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
    spec: {
      containers: [container('a'), container('b')],
      restartPolicy: options.restartPolicy ?? 'Always',
      ...(options.init === undefined ? {} : { initContainers: options.init.map(container) }),
      ...(options.hostNetwork === true ? { hostNetwork: true } : {}),
    },
  };
}

const sandbox = (change: Partial<SandboxStatus> = {}): SandboxStatus => ({
  id: 's0',
  podUid: 'u',
  name: 'p',
  namespace: 'default',
  attempt: 0,
  state: 'ready',
  address: '172.16.221.129',
  hostNetwork: false,
  createdMs: 0,
  ...change,
});

function status(name: string, state: ContainerStatus['state'], exitCode = 0): ContainerStatus {
  return {
    id: `id-${name}`,
    sandboxId: 's0',
    podUid: 'u',
    name,
    attempt: 0,
    image: '',
    imageId: '',
    state,
    createdMs: 0,
    startedMs: 0,
    finishedMs: 0,
    exitCode,
    reason: '',
    message: '',
    labels: {},
    annotations: {},
    logPath: '',
  };
}

interface Want {
  readonly killPod?: boolean;
  readonly createSandbox?: boolean;
  readonly attempt?: number;
  readonly init?: string;
  readonly start?: readonly string[];
  readonly kill?: readonly string[];
}

const both = (a: ContainerStatus['state'], b: ContainerStatus['state'], exitCode = 0): ContainerStatus[] => [
  status('a', a, exitCode),
  status('b', b, exitCode),
];
const seen = (containers: readonly ContainerStatus[], sandboxes: readonly SandboxStatus[] = [sandbox()]): ObservedPod => ({
  sandboxes,
  containers,
});

const CASES: readonly {
  readonly name: string;
  readonly pod?: Pod;
  readonly observed: ObservedPod;
  readonly failed?: string;
  readonly changed?: string;
  readonly want: Want;
}[] = [
  {
    name: 'a new pod gets a sandbox and all its containers',
    observed: NOTHING_OBSERVED,
    want: { killPod: true, createSandbox: true, attempt: 0, start: ['a', 'b'] },
  },
  { name: 'a running pod is left alone', observed: seen(both('running', 'running')), want: {} },
  { name: 'a dead container is started again', observed: seen(both('running', 'exited', 1)), want: { start: ['b'] } },
  {
    name: 'a container that succeeded stays down with OnFailure',
    pod: pod({ restartPolicy: 'OnFailure' }),
    observed: seen(both('running', 'exited', 0)),
    want: {},
  },
  {
    name: 'a container that failed is started again with OnFailure',
    pod: pod({ restartPolicy: 'OnFailure' }),
    observed: seen(both('running', 'exited', 1)),
    want: { start: ['b'] },
  },
  {
    name: 'nothing is started again with Never',
    pod: pod({ restartPolicy: 'Never' }),
    observed: seen(both('running', 'exited', 1)),
    want: {},
  },
  {
    name: 'a pod whose containers have all ended for good is ended',
    pod: pod({ restartPolicy: 'Never' }),
    observed: seen(both('exited', 'exited', 1)),
    want: { killPod: true },
  },
  {
    name: 'a dead sandbox takes the pod with it and the next attempt is made',
    observed: seen(both('running', 'running'), [sandbox({ state: 'not-ready', attempt: 2 })]),
    want: { killPod: true, createSandbox: true, attempt: 3, start: ['a', 'b'] },
  },
  {
    name: 'a sandbox without an address is made anew',
    observed: seen(both('running', 'running'), [sandbox({ address: undefined })]),
    want: { killPod: true, createSandbox: true, attempt: 1, start: ['a', 'b'] },
  },
  {
    name: 'a dead sandbox of a pod that never restarts is not made anew',
    pod: pod({ restartPolicy: 'Never' }),
    observed: seen(both('exited', 'exited', 1), [sandbox({ state: 'not-ready' })]),
    want: { killPod: true, attempt: 1 },
  },
  {
    name: 'containers that succeeded are left out of the new sandbox with OnFailure',
    pod: pod({ restartPolicy: 'OnFailure' }),
    observed: seen([status('a', 'exited', 0), status('b', 'exited', 1)], [sandbox({ state: 'not-ready' })]),
    want: { killPod: true, createSandbox: true, attempt: 1, start: ['b'] },
  },
  {
    name: 'init containers come first',
    pod: pod({ init: ['i', 'j'] }),
    observed: NOTHING_OBSERVED,
    want: { killPod: true, createSandbox: true, init: 'i' },
  },
  {
    name: 'the next init container follows the one that succeeded',
    pod: pod({ init: ['i', 'j'] }),
    observed: seen([status('i', 'exited', 0)]),
    want: { init: 'j' },
  },
  {
    name: 'nothing happens while an init container runs',
    pod: pod({ init: ['i', 'j'] }),
    observed: seen([status('i', 'running')]),
    want: {},
  },
  {
    name: 'the containers follow the last init container',
    pod: pod({ init: ['i'] }),
    observed: seen([status('i', 'exited', 0)]),
    want: { start: ['a', 'b'] },
  },
  {
    name: 'a failed init container is tried again',
    pod: pod({ init: ['i', 'j'] }),
    observed: seen([status('i', 'exited', 1)]),
    want: { init: 'i' },
  },
  {
    name: 'a failed init container ends a pod that never restarts',
    pod: pod({ init: ['i'], restartPolicy: 'Never' }),
    observed: seen([status('i', 'exited', 1)]),
    want: { killPod: true },
  },
  {
    name: 'a container that failed its liveness probe is killed and started',
    observed: seen(both('running', 'running')),
    failed: 'id-a',
    want: { kill: ['Container a failed liveness probe, will be restarted'], start: ['a'] },
  },
  {
    name: 'a container whose definition changed is killed and started',
    observed: seen([{ ...status('a', 'running'), labels: { 'io.kubernetes.container.hash': 'old' } }, status('b', 'running')]),
    changed: 'new',
    want: { kill: ['Container a definition changed, will be restarted'], start: ['a'] },
  },
];

function flat(actions: PodActions): Want {
  return {
    ...(actions.killPod ? { killPod: true } : {}),
    ...(actions.createSandbox ? { createSandbox: true } : {}),
    ...(actions.attempt > 0 || actions.createSandbox ? { attempt: actions.attempt } : {}),
    ...(actions.initContainerToStart === undefined ? {} : { init: actions.initContainerToStart.name }),
    ...(actions.containersToStart.length === 0 ? {} : { start: actions.containersToStart.map((one) => one.name) }),
    ...(actions.containersToKill.length === 0 ? {} : { kill: actions.containersToKill.map((one) => one.message) }),
  };
}

describe('computePodActions', () => {
  it.each(CASES)('$name', ({ pod: given, observed, failed, changed, want }) => {
    const actions = computePodActions(given ?? pod(), observed, {
      hashOf: () => changed ?? 'old',
      hasFailedLiveness: (id) => id === failed,
      hasFailedStartup: () => false,
    });
    expect(flat(actions)).toEqual({ ...(want.createSandbox === true ? { attempt: 0 } : {}), ...want });
  });
});
