// What kube-apiserver publishes about itself as a process and about its requests to etcd.
// Not modelled: the runtime of Go (goroutines, heap, garbage collection); there is none.

import type { Process } from '../../kernel/process.ts';
import type { Call } from '../../etcd/protocol.ts';
import { labelText, type Histogram, type MetricRegistry } from '../../kube/apiserver/metrics.ts';
import { BUILT_IN } from '../../kube/registry/index.ts';

const SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5,
  5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

export function processMetrics({ sys, pid }: Process, metrics: MetricRegistry): void {
  const own = (): ReturnType<typeof sys.processes>[number] | undefined => sys.processes().find((each) => each.pid === pid);
  const gauge = (
    name: string,
    help: string,
    read: (info: NonNullable<ReturnType<typeof own>>) => number,
    type: 'gauge' | 'counter' = 'gauge',
  ): void =>
    metrics.gauge(
      name,
      help,
      () => {
        const info = own();
        return info === undefined ? [] : [[{}, read(info)]];
      },
      type,
    );
  gauge('process_cpu_seconds_total', 'CPU time spent, in seconds.', (info) => info.cpuMs / 1000, 'counter');
  gauge('process_resident_memory_bytes', 'Memory in use, in bytes.', (info) => info.residentBytes);
  gauge('process_start_time_seconds', 'When the process started, in seconds since the epoch.', (info) => info.startMs / 1000);
  gauge('process_virtual_memory_bytes', 'Address space in use, in bytes.', (info) => info.virtualBytes);
  metrics.gauge('go_info', 'What the program was built with.', () => [[{ version: 'go1.15.5' }, 1]]);
}

/** Times requests to etcd by what they do and to which kind; what comes before the registry is there is not counted. */
export class EtcdTimes {
  #histogram: Histogram | undefined;
  readonly #labels = new Map<string, Map<string, string>>();
  /** `pods` to `*core.Pod`, by the first part of the key below /registry. */
  readonly #types: ReadonlyMap<string, string>;

  constructor() {
    this.#types = new Map(
      BUILT_IN.map(({ storagePrefix, group, kind }) => [storagePrefix, `*${group === '' ? 'core' : group.split('.')[0]!}.${kind}`]),
    );
  }

  publish(metrics: MetricRegistry): void {
    this.#histogram = metrics.histogram('etcd_request_duration_seconds', '[ALPHA] How long etcd took, by operation and kind.', SECONDS);
  }

  observe(call: Call, ms: number): void {
    const [operation, key] = operationOf(call);
    if (operation === '' || this.#histogram === undefined) return;
    const prefix = prefixOf(key);
    let byPrefix = this.#labels.get(operation);
    if (byPrefix === undefined) this.#labels.set(operation, (byPrefix = new Map()));
    let labels = byPrefix.get(prefix);
    if (labels === undefined) {
      const type = this.#types.get(prefix) ?? this.#types.get(prefix.split('/')[0]!) ?? '*unstructured.Unstructured';
      byPrefix.set(prefix, (labels = labelText({ operation, type })));
    }
    this.#histogram.observe(labels, ms / 1000);
  }
}

/** What stands below /registry before the last two parts of a key, or before the last when there are only two. */
function prefixOf(key: string): string {
  const below = '/registry/'.length;
  const last = key.lastIndexOf('/');
  if (last < below) return key.slice(below);
  const before = key.lastIndexOf('/', last - 1);
  return key.slice(below, before < below ? last : before);
}

function operationOf(call: Call): readonly [operation: string, key: string] {
  if (call.verb === 'range') return [call.end === undefined ? 'get' : 'list', call.key];
  if (call.verb !== 'txn') return ['', ''];
  const [first] = call.then;
  if (first === undefined) return ['', ''];
  if (first.op === 'delete') return ['delete', first.key];
  if (first.op !== 'put') return ['get', first.key];
  return [call.when.some((each) => 'exists' in each && each.exists === false) ? 'create' : 'update', first.key];
}
