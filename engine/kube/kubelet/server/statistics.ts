// Models what the kubelet tells of resources: /stats/summary, and the Prometheus texts under /metrics.
// Not modelled: network and file system counters, histograms of the kubelet's own work.

import type { ProcessInfo, Syscalls } from '../../../kernel/process.ts';
import { rfc3339 } from '../../machinery/time.ts';
import type { Pod } from '../../machinery/types.ts';

export interface StatisticsOptions {
  readonly sys: Syscalls;
  readonly nodeName: string;
  readonly pods: readonly Pod[];
}

interface Usage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

function usageOf(processes: readonly ProcessInfo[]): Usage {
  let cpuMs = 0;
  let memoryBytes = 0;
  for (const one of processes) {
    cpuMs += one.cpuMs;
    memoryBytes += one.residentBytes;
  }
  return { cpuMs, memoryBytes };
}

interface ContainerUsage extends Usage {
  readonly pod: Pod;
  readonly name: string;
  readonly id: string;
  readonly image: string;
  readonly startMs: number;
  readonly cgroup: string;
}

/** Running containers with what the processes of their control groups use. */
function containersOf({ sys, pods }: StatisticsOptions): readonly ContainerUsage[] {
  const processes = sys.kernel.processes();
  return pods.flatMap((pod) =>
    (pod.status?.containerStatuses ?? []).flatMap((status) => {
      const id = status.containerID?.replace('docker://', '') ?? '';
      if (status.state?.running === undefined || id === '') return [];
      const own = processes.filter((one) => one.cgroup.endsWith(`/${id}`));
      const startMs = Date.parse(String(status.state.running.startedAt ?? ''));
      const cgroup = own[0]?.cgroup ?? '';
      return [{ pod, name: status.name, id, image: status.image, startMs: Number.isNaN(startMs) ? 0 : startMs, cgroup, ...usageOf(own) }];
    }),
  );
}

export function summary(options: StatisticsOptions): unknown {
  const { sys, nodeName, pods } = options;
  const time = rfc3339(sys.now());
  const processes = sys.kernel.processes();
  const shown = ({ cpuMs, memoryBytes }: Usage): object => ({
    cpu: { time, usageNanoCores: 0, usageCoreNanoSeconds: cpuMs * 1_000_000 },
    memory: { time, usageBytes: memoryBytes, workingSetBytes: memoryBytes, rssBytes: memoryBytes },
  });
  const containers = containersOf(options);
  return {
    node: { nodeName, startTime: rfc3339(sys.kernel.bootMs), ...shown(usageOf(processes)) },
    pods: pods.map((pod) => ({
      podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      startTime: pod.status?.startTime ?? null,
      containers: containers
        .filter((one) => one.pod === pod)
        .map((one) => ({ name: one.name, startTime: rfc3339(one.startMs), ...shown(one) })),
      ...shown(usageOf(processes.filter((one) => one.cgroup.includes(`/pod${pod.metadata.uid}/`)))),
    })),
  };
}

/** One family of metrics in Prometheus' text format. */
function family(
  name: string,
  help: string,
  type: 'counter' | 'gauge',
  samples: readonly (readonly [labels: string, value: number])[],
): string {
  if (samples.length === 0) return '';
  const lines = samples.map(([labels, value]) => `${name}${labels === '' ? '' : `{${labels}}`} ${goFloat(value)}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** As strconv.FormatFloat(v, 'g', -1, 64) prints it. */
function goFloat(value: number): string {
  if (value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e21 && String(Math.trunc(value)).length <= 6)) return String(value);
  const [digits = '0', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  return Math.abs(power) < 21 && power < 6 && power > -5
    ? String(value)
    : `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

const quote = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

export function kubeletMetrics(options: StatisticsOptions, own: { readonly startMs: number }): string {
  const running = containersOf(options);
  return [
    family('kubelet_node_name', "[ALPHA] The node's name. The count is always 1.", 'gauge', [[`node=${quote(options.nodeName)}`, 1]]),
    family('kubelet_running_containers', '[ALPHA] Number of containers currently running', 'gauge', [
      ['container_state="running"', running.length],
    ]),
    family('kubelet_running_pods', '[ALPHA] Number of pods currently running', 'gauge', [
      ['', new Set(running.map((one) => one.pod)).size],
    ]),
    family('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', 'gauge', [['', own.startMs / 1000]]),
  ].join('');
}

/** What cAdvisor collects of containers and the machine. */
export function cadvisorMetrics(options: StatisticsOptions): string {
  const { sys } = options;
  const containers = containersOf(options);
  const labels = (one: ContainerUsage): string =>
    [
      `container=${quote(one.name)}`,
      `id=${quote(one.cgroup)}`,
      `image=${quote(one.image)}`,
      `name=${quote(`k8s_${one.name}_${one.pod.metadata.name}_${one.pod.metadata.namespace}_${one.pod.metadata.uid}_0`)}`,
      `namespace=${quote(one.pod.metadata.namespace ?? '')}`,
      `pod=${quote(one.pod.metadata.name)}`,
    ].join(',');
  const each = (value: (one: ContainerUsage) => number): (readonly [string, number])[] =>
    containers.map((one) => [labels(one), value(one)] as const);
  return [
    family(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed in seconds.',
      'counter',
      containers.map((one) => [labels(one).replace(',id=', ',cpu="total",id='), one.cpuMs / 1000] as const),
    ),
    family(
      'container_last_seen',
      'Last time a container was seen by the exporter',
      'gauge',
      each(() => Math.floor(sys.now() / 1000)),
    ),
    family(
      'container_memory_rss',
      'Size of RSS in bytes.',
      'gauge',
      each((one) => one.memoryBytes),
    ),
    family(
      'container_memory_usage_bytes',
      'Current memory usage in bytes, including all memory regardless of when it was accessed',
      'gauge',
      each((one) => one.memoryBytes),
    ),
    family(
      'container_memory_working_set_bytes',
      'Current working set in bytes.',
      'gauge',
      each((one) => one.memoryBytes),
    ),
    family(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds.',
      'gauge',
      each((one) => one.startMs / 1000),
    ),
  ].join('');
}

/** /metrics/resource: what the resource metrics pipeline needs. */
export function resourceMetrics(options: StatisticsOptions): string {
  const containers = containersOf(options);
  const node = usageOf(options.sys.kernel.processes());
  const labels = (one: ContainerUsage): string =>
    `container=${quote(one.name)},namespace=${quote(one.pod.metadata.namespace ?? '')},pod=${quote(one.pod.metadata.name)}`;
  return [
    family(
      'container_cpu_usage_seconds_total',
      '[ALPHA] Cumulative cpu time consumed by the container in core-seconds',
      'counter',
      containers.map((one) => [labels(one), one.cpuMs / 1000] as const),
    ),
    family(
      'container_memory_working_set_bytes',
      '[ALPHA] Current working set of the container in bytes',
      'gauge',
      containers.map((one) => [labels(one), one.memoryBytes] as const),
    ),
    family('node_cpu_usage_seconds_total', '[ALPHA] Cumulative cpu time consumed by the node in core-seconds', 'counter', [
      ['', node.cpuMs / 1000],
    ]),
    family('node_memory_working_set_bytes', '[ALPHA] Current working set of the node in bytes', 'gauge', [['', node.memoryBytes]]),
    family('scrape_error', '[ALPHA] 1 if there was an error while getting container metrics, 0 otherwise', 'gauge', [['', 0]]),
  ].join('');
}
