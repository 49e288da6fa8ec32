// Models generateAPIPodStatus: from what the runtime has of a pod to what the API says of it.

import type * as core from 'kubernetes-types/core/v1';
import { rfc3339 } from '../machinery/time.ts';
import type { Container, ContainerState, ContainerStatus as ApiContainerStatus, Pod, PodCondition } from '../machinery/types.ts';
import type { ContainerStatus } from './container-runtime.ts';
import { shouldBeRestarted, statusOf, type ObservedPod } from './pod-actions.ts';

export type PodStatus = core.PodStatus;

export interface StatusInputs {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  /** What the API last said. */
  readonly previous: PodStatus;
  readonly nowMs: number;
  readonly hostAddress: string;
  /** Why a container is not started, by its name: CrashLoopBackOff, ErrImagePull... */
  readonly waiting: (name: string) => { readonly reason: string; readonly message: string } | undefined;
  /** Of a running container: whether its start-up probe and readiness probe let it count. */
  readonly isStarted: (container: Container, id: string) => boolean;
  readonly isReady: (container: Container, id: string) => boolean;
  /** A pod that was not admitted, evicted or has passed its deadline. */
  readonly failure?: { readonly reason: string; readonly message: string };
}

export function generatePodStatus(inputs: StatusInputs): PodStatus {
  const { pod, observed, previous } = inputs;
  const spec = pod.spec!;
  const initContainers = spec.initContainers ?? [];
  const initStatuses = containerStatuses(inputs, initContainers, previous.initContainerStatuses ?? [], true);
  const statuses = containerStatuses(inputs, spec.containers, previous.containerStatuses ?? [], false);
  const phase = inputs.failure === undefined ? phaseOf(pod, initStatuses, statuses) : 'Failed';
  const address = addressOf(pod, observed, inputs.hostAddress) ?? previous.podIP;
  const conditions = conditionsOf(inputs, phase, initStatuses, statuses);
  return {
    phase: previous.phase === 'Failed' || previous.phase === 'Succeeded' ? previous.phase : phase,
    conditions,
    ...(inputs.failure === undefined ? {} : { reason: inputs.failure.reason, message: inputs.failure.message }),
    hostIP: inputs.hostAddress,
    ...(address === undefined || address === '' ? {} : { podIP: address, podIPs: [{ ip: address }] }),
    startTime: previous.startTime ?? rfc3339(inputs.nowMs),
    ...(initContainers.length === 0 ? {} : { initContainerStatuses: initStatuses }),
    ...(inputs.failure !== undefined && observed.containers.length === 0 ? {} : { containerStatuses: statuses }),
    qosClass: qosClassOf(pod),
  };
}

function addressOf(pod: Pod, observed: ObservedPod, hostAddress: string): string | undefined {
  if (pod.spec!.hostNetwork === true) return hostAddress;
  return observed.sandboxes.find((sandbox) => sandbox.state === 'ready')?.address;
}

function containerStatuses(
  inputs: StatusInputs,
  containers: readonly Container[],
  previous: readonly ApiContainerStatus[],
  isInit: boolean,
): ApiContainerStatus[] {
  const { pod, observed } = inputs;
  const initialReason = (pod.spec!.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating';
  return [...containers]
    .sort((a, b) => (isInit ? 0 : a.name < b.name ? -1 : 1))
    .map((container) => {
      const found = observed.containers.filter((status) => status.name === container.name);
      const old = previous.find((status) => status.name === container.name);
      let status =
        found[0] === undefined ? unseen(container, old, initialReason) : seen(inputs, container, found[0], found[1], old, isInit);
      const latest = statusOf(container.name, observed);
      const isFinishedInit = isInit && latest?.state === 'exited' && latest.exitCode === 0;
      const reason = inputs.waiting(container.name);
      if (!isFinishedInit && reason !== undefined && shouldBeRestarted(container, pod, observed)) {
        const lastState = status.state?.terminated === undefined ? status.lastState : status.state;
        status = {
          ...status,
          lastState: lastState ?? {},
          state: { waiting: { ...(reason.message === '' ? {} : { message: reason.message }), reason: reason.reason } },
          ready: false,
          started: false,
        };
      }
      return isInit ? withoutStarted(status) : status;
    });
}

function withoutStarted(status: ApiContainerStatus): ApiContainerStatus {
  const { started: _started, ...rest } = status;
  return rest;
}

function unseen(container: Container, old: ApiContainerStatus | undefined, reason: string): ApiContainerStatus {
  if (old?.state?.terminated !== undefined) return old;
  // What ran and cannot be found any more has ended somehow.
  const lost: ContainerState | undefined =
    old?.state?.running === undefined
      ? undefined
      : {
          terminated: {
            exitCode: 137,
            reason: 'ContainerStatusUnknown',
            message: 'The container could not be located when the pod was deleted.  The container used to be Running',
            startedAt: null as unknown as string,
            finishedAt: null as unknown as string,
          },
        };
  return {
    image: container.image ?? '',
    imageID: '',
    lastState: lost ?? old?.lastState ?? {},
    name: container.name,
    ready: false,
    restartCount: (old?.restartCount ?? 0) + (lost === undefined ? 0 : 1),
    started: false,
    state: { waiting: { reason } },
  };
}

function seen(
  inputs: StatusInputs,
  container: Container,
  current: ContainerStatus,
  before: ContainerStatus | undefined,
  old: ApiContainerStatus | undefined,
  isInit: boolean,
): ApiContainerStatus {
  const isRunning = current.state === 'running';
  const isStarted = isRunning && inputs.isStarted(container, current.id);
  const isReady = isInit ? current.state === 'exited' && current.exitCode === 0 : isStarted && inputs.isReady(container, current.id);
  const lastState = before === undefined ? (old?.containerID === `docker://${current.id}` ? old.lastState : undefined) : stateOf(before);
  return {
    containerID: `docker://${current.id}`,
    image: current.image,
    imageID: current.imageId,
    lastState: lastState ?? {},
    name: container.name,
    ready: isReady,
    restartCount: restartCountOf(current),
    started: isStarted,
    state: stateOf(current),
  };
}

export function restartCountOf(status: ContainerStatus): number {
  return Number(status.annotations['io.kubernetes.container.restartCount'] ?? String(status.attempt));
}

function stateOf(status: ContainerStatus): ContainerState {
  if (status.state === 'running') return { running: { startedAt: rfc3339(status.startedMs) } };
  if (status.state === 'exited') {
    return {
      terminated: {
        containerID: `docker://${status.id}`,
        exitCode: status.exitCode,
        finishedAt: rfc3339(status.finishedMs),
        ...(status.message === '' ? {} : { message: status.message }),
        reason: status.reason,
        startedAt: rfc3339(status.startedMs),
      },
    };
  }
  return { waiting: { reason: 'ContainerCreating' } };
}

function phaseOf(pod: Pod, init: readonly ApiContainerStatus[], containers: readonly ApiContainerStatus[]): string {
  const policy = pod.spec!.restartPolicy;
  let pendingInit = 0;
  let failedInit = 0;
  for (const status of init) {
    const terminated = status.state?.terminated ?? (status.state?.waiting !== undefined ? status.lastState?.terminated : undefined);
    if (status.state?.running !== undefined || terminated === undefined) pendingInit++;
    else if (terminated.exitCode !== 0) failedInit++;
  }
  if (failedInit > 0 && policy === 'Never') return 'Failed';
  const counts = { waiting: 0, running: 0, stopped: 0, succeeded: 0 };
  for (const status of containers) {
    if (status.state?.running !== undefined) counts.running++;
    else if (status.state?.terminated !== undefined) {
      counts.stopped++;
      if (status.state.terminated.exitCode === 0) counts.succeeded++;
    } else if (status.lastState?.terminated !== undefined) counts.stopped++;
    else counts.waiting++;
  }
  if (pendingInit > 0 || failedInit > 0) return 'Pending';
  if (counts.waiting > 0) return 'Pending';
  if (counts.running > 0) return 'Running';
  if (policy === 'Always' || policy === undefined) return 'Running';
  if (counts.stopped === counts.succeeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function conditionsOf(
  inputs: StatusInputs,
  phase: string,
  init: readonly ApiContainerStatus[],
  containers: readonly ApiContainerStatus[],
): PodCondition[] {
  const notReady = containers.filter((status) => !status.ready).map((status) => status.name);
  const unknown = inputs.pod
    .spec!.containers.filter((container) => !containers.some((status) => status.name === container.name))
    .map((container) => container.name);
  const incomplete = init.filter((status) => !status.ready).map((status) => status.name);
  const isDone = phase === 'Succeeded';
  const initialized: Verdict =
    incomplete.length === 0
      ? { status: 'True' }
      : isDone
        ? { status: 'True', reason: 'PodCompleted' }
        : { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${incomplete.join(' ')}]` };
  const ready: Verdict = isDone
    ? { status: 'False', reason: 'PodCompleted' }
    : notReady.length > 0 || unknown.length > 0
      ? {
          status: 'False',
          reason: 'ContainersNotReady',
          message: [
            ...(unknown.length > 0 ? [`containers with unknown status: [${unknown.join(' ')}]`] : []),
            ...(notReady.length > 0 ? [`containers with unready status: [${notReady.join(' ')}]`] : []),
          ].join(', '),
        }
      : { status: 'True' };
  const gates = inputs.pod.spec!.readinessGates ?? [];
  const others = inputs.previous.conditions ?? [];
  const failedGates = gates.filter((gate) => others.find((condition) => condition.type === gate.conditionType)?.status !== 'True');
  const podReady: Verdict =
    ready.status === 'True' && failedGates.length > 0
      ? {
          status: 'False',
          reason: 'ReadinessGatesNotReady',
          message: failedGates
            .map((gate) => `corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`)
            .join(', '),
        }
      : ready;
  const own: readonly (readonly [string, Verdict])[] = [
    ['Initialized', isDone && incomplete.length === 0 ? { status: 'True', reason: 'PodCompleted' } : initialized],
    ['Ready', podReady],
    ['ContainersReady', ready],
    ['PodScheduled', { status: 'True' }],
  ];
  const made = own.map(([type, verdict]) => condition(type, verdict, others, inputs));
  return [...made, ...others.filter((other) => !own.some(([type]) => type === other.type))];
}

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

function condition(type: string, verdict: Verdict, previous: readonly PodCondition[], inputs: StatusInputs): PodCondition {
  const old = previous.find((candidate) => candidate.type === type);
  const time =
    old !== undefined && old.status === verdict.status && old.lastTransitionTime !== undefined
      ? old.lastTransitionTime
      : rfc3339(inputs.nowMs);
  return {
    lastProbeTime: null as unknown as string,
    lastTransitionTime: time,
    ...(verdict.message === undefined ? {} : { message: verdict.message }),
    ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
    status: verdict.status,
    type,
  };
}

export function qosClassOf(pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...pod.spec!.containers, ...(pod.spec!.initContainers ?? [])];
  const names = ['cpu', 'memory'] as const;
  const value = (list: Record<string, string | number> | undefined, name: string): string => String(list?.[name] ?? '');
  const isSet = containers.some((container) =>
    names.some((name) => value(container.resources?.requests, name) !== '' || value(container.resources?.limits, name) !== ''),
  );
  if (!isSet) return 'BestEffort';
  const isGuaranteed = containers.every((container) =>
    names.every((name) => {
      const limit = value(container.resources?.limits, name);
      const request = value(container.resources?.requests, name);
      return limit !== '' && (request === '' || request === limit);
    }),
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}
