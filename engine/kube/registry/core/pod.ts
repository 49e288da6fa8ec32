// Pod.

import { ageOf } from '../../machinery/time.ts';
import type { Pod } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition, type RowCondition } from '../definition.ts';
import { POD_STRATEGY } from './pod-strategy.ts';

export const POD: ResourceDefinition = defineResource<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  isNamespaced: true,
  hasStatus: true,
  returnsDeleted: true,
  otherSubresources: [
    { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1beta1', verbs: ['create'] },
    { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
    { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    { name: 'proxy', kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
  ],
  fields: {
    'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIP ?? '',
    'status.podIPs': (pod) => pod.status?.podIP ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  strategy: POD_STRATEGY,
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Ready', type: 'string', description: 'The aggregate readiness state of this pod for accepting traffic.' },
      { name: 'Status', type: 'string', description: 'The aggregate status of the containers in this pod.' },
      {
        name: 'Restarts',
        type: 'integer',
        description: 'The number of times the containers in this pod have been restarted.',
      },
      AGE_COLUMN,
      {
        name: 'IP',
        type: 'string',
        priority: 1,
        description: 'IP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.',
      },
      {
        name: 'Node',
        type: 'string',
        priority: 1,
        description:
          'NodeName is a request to schedule this pod onto a specific node. If it is non-empty, the scheduler simply schedules this pod onto that node, assuming that it fits resource requirements.',
      },
      {
        name: 'Nominated Node',
        type: 'string',
        priority: 1,
        description:
          'nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods.',
      },
      {
        name: 'Readiness Gates',
        type: 'string',
        priority: 1,
        description: 'If specified, all readiness gates will be evaluated for pod readiness.',
      },
    ],
    cells: podCells,
    conditions: podConditions,
  },
});

interface Status {
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string };
    readonly running?: object;
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number; readonly signal?: number };
  };
}

/** Pods that are through, for clients that grey such rows. */
function podConditions({ status }: Pod): readonly RowCondition[] {
  const completed = (reason: string, message: string): readonly RowCondition[] => [{ type: 'Completed', status: 'True', reason, message }];
  if (status?.phase === 'Succeeded') return completed('Succeeded', 'The pod has completed successfully.');
  return status?.phase === 'Failed' ? completed('Failed', 'The pod failed.') : [];
}

/** printPod of the API server's printers. */
function podCells(pod: Pod, nowMs: number): readonly unknown[] {
  const { spec, status, metadata } = pod;
  const total = spec?.containers.length ?? 0;
  let restarts = 0;
  let ready = 0;
  let reason = status?.phase ?? '';
  if ((status?.reason ?? '') !== '') reason = status!.reason!;
  let isInitializing = false;
  const initStatuses = (status?.initContainerStatuses ?? []) as readonly Status[];
  for (const [index, container] of initStatuses.entries()) {
    restarts += container.restartCount ?? 0;
    const { waiting, terminated } = container.state ?? {};
    if (terminated !== undefined && terminated.exitCode === 0) continue;
    if (terminated !== undefined) {
      if ((terminated.reason ?? '') === '')
        reason = (terminated.signal ?? 0) !== 0 ? `Init:Signal:${terminated.signal!}` : `Init:ExitCode:${terminated.exitCode ?? 0}`;
      else reason = `Init:${terminated.reason!}`;
    } else if ((waiting?.reason ?? '') !== '' && waiting!.reason !== 'PodInitializing') reason = `Init:${waiting!.reason!}`;
    else reason = `Init:${index}/${spec?.initContainers?.length ?? 0}`;
    isInitializing = true;
    break;
  }
  if (!isInitializing) {
    restarts = 0;
    let hasRunning = false;
    for (const container of ([...(status?.containerStatuses ?? [])] as Status[]).reverse()) {
      restarts += container.restartCount ?? 0;
      const { waiting, running, terminated } = container.state ?? {};
      if ((waiting?.reason ?? '') !== '') reason = waiting!.reason!;
      else if (terminated !== undefined && (terminated.reason ?? '') !== '') reason = terminated.reason!;
      else if (terminated !== undefined)
        reason = (terminated.signal ?? 0) !== 0 ? `Signal:${terminated.signal!}` : `ExitCode:${terminated.exitCode ?? 0}`;
      else if (container.ready === true && running !== undefined) {
        hasRunning = true;
        ready++;
      }
    }
    // One container still runs: the pod has not completed.
    if (reason === 'Completed' && hasRunning) reason = isPodReady(pod) ? 'Running' : 'NotReady';
  }
  if (metadata.deletionTimestamp !== undefined) reason = status?.reason === 'NodeLost' ? 'Unknown' : 'Terminating';
  const gates = spec?.readinessGates ?? [];
  const passed = gates.filter((gate) =>
    status?.conditions?.some((condition) => condition.type === gate.conditionType && condition.status === 'True'),
  ).length;
  return [
    metadata.name,
    `${ready}/${total}`,
    reason,
    restarts,
    ageOf(metadata.creationTimestamp, nowMs),
    orNone(status?.podIP),
    orNone(spec?.nodeName),
    orNone(status?.nominatedNodeName),
    gates.length === 0 ? '<none>' : `${passed}/${gates.length}`,
  ];
}

function isPodReady(pod: Pod): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
}

function orNone(text: string | undefined): string {
  return text === undefined || text === '' ? '<none>' : text;
}
