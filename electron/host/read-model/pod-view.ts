// Models the READY, STATUS and RESTARTS columns of `kubectl get pods` (v1.20 printers, printPod).

import type { Pod } from '#engine/kube/machinery/types.ts';
import type { PodView, Tone } from '#shared/views/views.ts';

export function podView(pod: Pod): PodView {
  const containers = pod.spec?.containers ?? [];
  const { status, restarts, readyCount } = summarise(pod);
  return {
    uid: pod.metadata.uid,
    namespace: pod.metadata.namespace ?? '',
    name: pod.metadata.name,
    ready: `${readyCount}/${containers.length}`,
    status,
    tone: toneOf(status, readyCount === containers.length),
    restarts,
    node: pod.spec?.nodeName,
    address: pod.status?.podIP,
    createdMs: Date.parse(pod.metadata.creationTimestamp),
  };
}

function summarise(pod: Pod): { readonly status: string; readonly restarts: number; readonly readyCount: number } {
  let status = pod.status?.reason ?? pod.status?.phase ?? 'Unknown';
  let restarts = 0;
  let readyCount = 0;
  const init = initProgress(pod);
  if (init !== undefined) {
    status = init.status;
    restarts = init.restarts;
  } else {
    let hasRunning = false;
    for (const container of [...(pod.status?.containerStatuses ?? [])].reverse()) {
      restarts += container.restartCount;
      const { waiting, terminated, running } = container.state ?? {};
      if (waiting?.reason) status = waiting.reason;
      else if (terminated) status = terminated.reason || endOf(terminated);
      else if (container.ready && running) {
        hasRunning = true;
        readyCount++;
      }
    }
    const isReady = pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
    if (status === 'Completed' && hasRunning) status = isReady ? 'Running' : 'NotReady';
  }
  if (pod.metadata.deletionTimestamp !== undefined) status = pod.status?.reason === 'NodeLost' ? 'Unknown' : 'Terminating';
  return { status, restarts, readyCount };
}

/** Undefined when all init containers are done. */
function initProgress(pod: Pod): { readonly status: string; readonly restarts: number } | undefined {
  const total = pod.spec?.initContainers?.length ?? 0;
  let restarts = 0;
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    restarts += container.restartCount;
    const { waiting, terminated } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (terminated) return { status: `Init:${terminated.reason || endOf(terminated)}`, restarts };
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return { status: `Init:${waiting.reason}`, restarts };
    return { status: `Init:${index}/${total}`, restarts };
  }
  return undefined;
}

function endOf(terminated: { readonly signal?: number; readonly exitCode: number }): string {
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

function toneOf(status: string, isReady: boolean): Tone {
  if (status === 'Running') return isReady ? 'good' : 'busy';
  if (status === 'Completed' || status === 'Succeeded') return 'idle';
  if (['Pending', 'ContainerCreating', 'PodInitializing', 'Terminating'].includes(status) || /^Init:\d/.test(status)) return 'busy';
  return 'bad';
}
