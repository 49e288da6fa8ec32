// Models kuberuntime's computePodActions: what has to be done so that the containers become what the pod says.

import type { Container, Pod } from '../machinery/types.ts';
import type { ContainerStatus, SandboxStatus } from './container-runtime.ts';

/** What the runtime has of a pod; both lists newest first. */
export interface ObservedPod {
  readonly sandboxes: readonly SandboxStatus[];
  readonly containers: readonly ContainerStatus[];
}

export const NOTHING_OBSERVED: ObservedPod = { sandboxes: [], containers: [] };

export interface ContainerToKill {
  readonly id: string;
  readonly name: string;
  readonly container: Container;
  readonly message: string;
  readonly reason: 'liveness' | 'startup' | 'changed' | 'unknown';
}

export interface PodActions {
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  /** The sandbox to use, or the old one when a new one has to be made; empty when there is none. */
  readonly sandboxId: string;
  readonly attempt: number;
  readonly initContainerToStart: Container | undefined;
  readonly containersToStart: readonly Container[];
  readonly containersToKill: readonly ContainerToKill[];
}

export interface Verdicts {
  /** Hash of a container's definition, as it is kept in its label. */
  readonly hashOf: (container: Container) => string;
  readonly hasFailedLiveness: (containerId: string) => boolean;
  readonly hasFailedStartup: (containerId: string) => boolean;
}

const HASH_LABEL = 'io.kubernetes.container.hash';

export function computePodActions(pod: Pod, observed: ObservedPod, verdicts: Verdicts): PodActions {
  const spec = pod.spec!;
  const sandbox = sandboxChange(pod, observed);
  const initContainers = spec.initContainers ?? [];
  const none = { initContainerToStart: undefined, containersToStart: [], containersToKill: [] };
  if (sandbox.isChanged) {
    const base = { ...none, killPod: true, createSandbox: true, sandboxId: sandbox.id, attempt: sandbox.attempt };
    if (!restartsOnFailure(pod) && sandbox.attempt !== 0 && observed.containers.length > 0) return { ...base, createSandbox: false };
    const toStart = spec.containers.filter((container) => !(spec.restartPolicy === 'OnFailure' && hasSucceeded(container.name, observed)));
    if (toStart.length === 0 && nextInitContainer(pod, observed).isDone) return { ...base, createSandbox: false };
    if (initContainers.length > 0) return { ...base, initContainerToStart: initContainers[0] };
    return { ...base, containersToStart: toStart };
  }
  const base = { ...none, killPod: false, createSandbox: false, sandboxId: sandbox.id, attempt: sandbox.attempt };
  const init = nextInitContainer(pod, observed);
  if (!init.isDone) {
    if (init.next === undefined) return base;
    if (init.failed !== undefined && !restartsOnFailure(pod)) return { ...base, killPod: true };
    const unknown = init.failed?.state === 'unknown' ? init.failed : undefined;
    return {
      ...base,
      initContainerToStart: init.next,
      containersToKill:
        unknown === undefined
          ? []
          : [
              {
                id: unknown.id,
                name: unknown.name,
                container: init.next,
                reason: 'unknown',
                message: `Init container is in "unknown" state, try killing it before restart`,
              },
            ],
    };
  }
  const containersToStart: Container[] = [];
  const containersToKill: ContainerToKill[] = [];
  let kept = 0;
  for (const container of spec.containers) {
    const status = statusOf(container.name, observed);
    if (status === undefined || status.state !== 'running') {
      if (!shouldBeRestarted(container, pod, observed)) continue;
      containersToStart.push(container);
      if (status?.state === 'unknown') {
        const message = `Container is in "unknown" state, try killing it before restart`;
        containersToKill.push({ id: status.id, name: container.name, container, reason: 'unknown', message });
      }
      continue;
    }
    const failure = failureOf(container, status, verdicts);
    if (failure === undefined) {
      kept++;
      continue;
    }
    const restarts = failure.reason === 'changed' || restartsOnFailure(pod);
    if (restarts) containersToStart.push(container);
    containersToKill.push({
      id: status.id,
      name: container.name,
      container,
      reason: failure.reason,
      message: restarts ? `${failure.message}, will be restarted` : failure.message,
    });
  }
  return { ...base, killPod: kept === 0 && containersToStart.length === 0, containersToStart, containersToKill };
}

function failureOf(
  container: Container,
  status: ContainerStatus,
  verdicts: Verdicts,
): { readonly reason: ContainerToKill['reason']; readonly message: string } | undefined {
  const hash = status.labels[HASH_LABEL];
  if (hash !== undefined && hash !== verdicts.hashOf(container))
    return { reason: 'changed', message: `Container ${container.name} definition changed` };
  if (verdicts.hasFailedLiveness(status.id)) return { reason: 'liveness', message: `Container ${container.name} failed liveness probe` };
  if (verdicts.hasFailedStartup(status.id)) return { reason: 'startup', message: `Container ${container.name} failed startup probe` };
  return undefined;
}

function sandboxChange(pod: Pod, observed: ObservedPod): { readonly isChanged: boolean; readonly attempt: number; readonly id: string } {
  const latest = observed.sandboxes[0];
  if (latest === undefined) return { isChanged: true, attempt: 0, id: '' };
  const ready = observed.sandboxes.filter((sandbox) => sandbox.state === 'ready').length;
  if (ready > 1 || latest.state !== 'ready') return { isChanged: true, attempt: latest.attempt + 1, id: latest.id };
  if (latest.hostNetwork !== (pod.spec!.hostNetwork === true)) return { isChanged: true, attempt: latest.attempt + 1, id: '' };
  if (!latest.hostNetwork && latest.address === undefined) return { isChanged: true, attempt: latest.attempt + 1, id: latest.id };
  return { isChanged: false, attempt: latest.attempt, id: latest.id };
}

function nextInitContainer(
  pod: Pod,
  observed: ObservedPod,
): { readonly isDone: boolean; readonly next: Container | undefined; readonly failed: ContainerStatus | undefined } {
  const containers = pod.spec!.initContainers ?? [];
  const done = { isDone: true, next: undefined, failed: undefined };
  if (containers.length === 0) return done;
  // A container that runs or has run means that every init container is done.
  if (pod.spec!.containers.some((container) => statusOf(container.name, observed)?.state === 'running')) return done;
  for (const container of [...containers].reverse()) {
    const status = statusOf(container.name, observed);
    if (status !== undefined && (status.state === 'unknown' || (status.state === 'exited' && status.exitCode !== 0))) {
      return { isDone: false, next: container, failed: status };
    }
  }
  for (let index = containers.length - 1; index >= 0; index--) {
    const status = statusOf(containers[index]!.name, observed);
    if (status === undefined) continue;
    if (status.state === 'running') return { isDone: false, next: undefined, failed: undefined };
    if (status.state === 'exited') {
      if (index === containers.length - 1) return done;
      return { isDone: false, next: containers[index + 1], failed: undefined };
    }
    if (status.state === 'created') return { isDone: false, next: containers[index], failed: undefined };
  }
  return { isDone: false, next: containers[0], failed: undefined };
}

/** The newest container of a name. */
export function statusOf(name: string, observed: ObservedPod): ContainerStatus | undefined {
  return observed.containers.find((container) => container.name === name);
}

function hasSucceeded(name: string, observed: ObservedPod): boolean {
  const status = statusOf(name, observed);
  return status?.state === 'exited' && status.exitCode === 0;
}

function restartsOnFailure(pod: Pod): boolean {
  return pod.spec!.restartPolicy !== 'Never';
}

export function shouldBeRestarted(container: Container, pod: Pod, observed: ObservedPod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  const status = statusOf(container.name, observed);
  if (status === undefined) return true;
  if (status.state === 'running') return false;
  if (status.state === 'unknown' || status.state === 'created') return true;
  if (pod.spec!.restartPolicy === 'Never') return false;
  return !(pod.spec!.restartPolicy === 'OnFailure' && status.exitCode === 0);
}
