// Models the cgroup v1 hierarchies as processes see them: directories by the groups that processes are in.
// Not modelled: making and moving groups by mkdir and echo; a process's group is set when it is spawned.

import { ComputedFs, file, type ComputedNode } from '../../fs/computed-fs.ts';
import { LayerFs } from '../../fs/layer-fs.ts';
import type { LinuxKernel } from '../linux-kernel.ts';

const CONTROLLERS = [
  'systemd',
  'hugetlb',
  'perf_event',
  'memory',
  'pids',
  'freezer',
  'cpuset',
  'blkio',
  'net_cls,net_prio',
  'cpu,cpuacct',
  'devices',
];

export function cgroupFs(kernel: LinuxKernel): { readonly root: LayerFs; readonly controllers: ReadonlyMap<string, ComputedFs> } {
  const now = (): number => kernel.now();
  const root = new LayerFs({ type: 'tmpfs', dev: 21, now, capacityBytes: Math.floor(kernel.memoryBytes / 2) });
  const controllers = new Map<string, ComputedFs>();
  CONTROLLERS.forEach((name, index) => {
    root.root.create(name, { kind: 'directory', mode: 0o755, uid: 0, gid: 0 });
    controllers.set(name, new ComputedFs({ type: 'cgroup', dev: 22 + index, now, root: group(kernel, name, '') }));
  });
  for (const [alias, target] of [
    ['cpu', 'cpu,cpuacct'],
    ['cpuacct', 'cpu,cpuacct'],
    ['net_cls', 'net_cls,net_prio'],
    ['net_prio', 'net_cls,net_prio'],
  ] as const) {
    root.root.create(alias, { kind: 'symlink', mode: 0o777, uid: 0, gid: 0, target });
  }
  return { root, controllers };
}

function group(kernel: LinuxKernel, controller: string, path: string): ComputedNode {
  const own = files(kernel, controller, path === '' ? '/' : path);
  const below = (): ReadonlySet<string> => {
    const names = new Set<string>();
    for (const task of kernel.table.tasks) {
      if (task.isKernelThread || !task.cgroup.startsWith(`${path}/`)) continue;
      const name = task.cgroup.slice(path.length + 1).split('/', 1)[0]!;
      if (name !== '') names.add(name);
    }
    return names;
  };
  return {
    kind: 'directory',
    mode: 0o755,
    names: () => [...own.keys(), ...below()],
    lookup: (name) => own.get(name) ?? (below().has(name) ? group(kernel, controller, `${path}/${name}`) : undefined),
  };
}

function files(kernel: LinuxKernel, controller: string, path: string): ReadonlyMap<string, ComputedNode> {
  const members = (): string =>
    [...kernel.table.tasks]
      .filter((task) => !task.isZombie && task.cgroup === path)
      .map((task) => `${task.pid}\n`)
      .join('');
  const entries = new Map<string, ComputedNode>([
    ['cgroup.clone_children', file(() => '0\n', { mode: 0o644 })],
    ['cgroup.procs', file(members, { mode: 0o644 })],
    ['notify_on_release', file(() => '0\n', { mode: 0o644 })],
    ['tasks', file(members, { mode: 0o644 })],
  ]);
  if (controller === 'memory') {
    entries.set(
      'memory.limit_in_bytes',
      file(() => '9223372036854771712\n', { mode: 0o644 }),
    );
    entries.set(
      'memory.usage_in_bytes',
      file(() => `${usage(kernel, path)}\n`),
    );
  }
  if (controller === 'cpu,cpuacct') {
    entries.set(
      'cpu.shares',
      file(() => '1024\n', { mode: 0o644 }),
    );
    entries.set(
      'cpuacct.usage',
      file(() => `${cpuNanoseconds(kernel, path)}\n`),
    );
  }
  return entries;
}

function isBelow(cgroup: string, path: string): boolean {
  return path === '/' || cgroup === path || cgroup.startsWith(`${path}/`);
}

function usage(kernel: LinuxKernel, path: string): number {
  let bytes = 0;
  for (const task of kernel.table.tasks) if (isBelow(task.cgroup, path)) bytes += task.residentBytes;
  return bytes;
}

function cpuNanoseconds(kernel: LinuxKernel, path: string): number {
  let us = 0;
  for (const task of kernel.table.tasks) if (isBelow(task.cgroup, path)) us += task.cpuUs;
  return Math.floor(us * 1000);
}
