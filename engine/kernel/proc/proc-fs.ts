// Models procfs: computed when it is read, as the process that asks sees it.

import { ComputedFs, file, type ComputedNode } from '../../fs/computed-fs.ts';
import type { LinuxKernel } from '../linux-kernel.ts';
import type { Task } from '../task.ts';
import { processNode } from './proc-process.ts';
import { sysctlNode } from './proc-sys.ts';
import * as system from './proc-system.ts';

export function procFs(kernel: LinuxKernel): ComputedFs {
  const fixed = new Map<string, ComputedNode>([
    ['cgroups', file(() => system.cgroups())],
    ['cmdline', file(() => system.commandLine(kernel))],
    ['cpuinfo', file(() => system.cpuInfo(kernel))],
    ['devices', file(() => system.DEVICES)],
    ['filesystems', file(() => system.fileSystems(kernel))],
    ['loadavg', file(() => system.loadAverage(kernel))],
    ['meminfo', file(() => system.memoryInfo(kernel))],
    ['misc', file(() => system.MISC)],
    ['modules', file(() => system.modules(kernel))],
    ['mounts', { kind: 'symlink', target: () => 'self/mounts' }],
    ['net', { kind: 'symlink', target: () => 'self/net' }],
    ['partitions', file(() => system.PARTITIONS)],
    ['self', { kind: 'symlink', target: () => String(pidOfViewer(kernel)) }],
    ['stat', file(() => system.statistics(kernel))],
    ['swaps', file(() => 'Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n')],
    ['sys', sysctlNode(kernel)],
    ['uptime', file(() => system.uptime(kernel))],
    ['version', file(() => system.version(kernel))],
    ['vmstat', file(() => system.vmStatistics(kernel))],
  ]);
  return new ComputedFs({
    type: 'proc',
    dev: 3,
    now: () => kernel.now(),
    root: {
      kind: 'directory',
      mode: 0o555,
      names: () => [...visible(kernel).keys()].map(String).concat([...fixed.keys()]),
      lookup: (name) => {
        if (!/^[1-9]\d*$/.test(name)) return fixed.get(name);
        const task = visible(kernel).get(Number(name));
        return task === undefined ? undefined : processNode(kernel, task);
      },
    },
  });
}

/** The pid namespace of whoever looks. */
function visible(kernel: LinuxKernel): ReadonlyMap<number, Task> {
  return (kernel.viewer?.pidNamespace ?? kernel.table.rootNamespace).tasks;
}

function pidOfViewer(kernel: LinuxKernel): number {
  return kernel.viewer?.namespacePid ?? 1;
}
