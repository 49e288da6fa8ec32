// /proc/PID: one process.

import { directory, file, type ComputedNode } from '../../fs/computed-fs.ts';
import { FileDescription } from '../description.ts';
import type { LinuxKernel } from '../linux-kernel.ts';
import type { Task } from '../task.ts';
import { SIGNALS, signalNumber } from '../signals.ts';
import { makeDevice } from '../devices.ts';
import { netNodes } from './proc-net.ts';

const PAGE = 4096;
const CONTROLLERS = [
  'hugetlb',
  'perf_event',
  'memory',
  'pids',
  'freezer',
  'cpuset',
  'blkio',
  'net_prio,net_cls',
  'cpuacct,cpu',
  'devices',
  'name=systemd',
];

export function processNode(kernel: LinuxKernel, task: Task): ComputedNode {
  const owner = { uid: task.identity.uid, gid: task.identity.gid };
  const own = (node: ComputedNode): ComputedNode => ({ ...node, ...owner });
  const entries = (): ReadonlyMap<string, ComputedNode> =>
    new Map<string, ComputedNode>([
      ['cgroup', own(file(() => cgroup(task)))],
      ['cmdline', own(file(() => commandLine(task)))],
      ['comm', own(file(() => `${task.command}\n`, { mode: 0o644 }))],
      ['cwd', own({ kind: 'symlink', target: () => task.cwd.path(task.root), magicTarget: () => task.cwd })],
      ['environ', own(file(() => environment(task), { mode: 0o400 }))],
      ['exe', own({ kind: 'symlink', target: () => task.executable })],
      ['fd', own(descriptors(task))],
      ['limits', own(file(() => LIMITS))],
      ['mountinfo', own(file(() => mountInfo(kernel, task)))],
      ['mounts', own(file(() => mounts(kernel, task)))],
      ['net', own(directory(netNodes(kernel, task)))],
      ['ns', own(namespaces(kernel, task))],
      ['oom_score_adj', own(file(() => '0\n', { mode: 0o644 }))],
      ['root', own({ kind: 'symlink', target: () => task.root.path(), magicTarget: () => task.root })],
      ['stat', own(file(() => stat(kernel, task)))],
      ['statm', own(file(() => statm(kernel, task)))],
      ['status', own(file(() => status(kernel, task)))],
    ]);
  const node = directory(entries);
  return { ...node, ...owner };
}

function commandLine(task: Task): string {
  if (task.isZombie || task.isKernelThread) return '';
  const argv = task.title === undefined ? task.argv : [task.title];
  return argv.map((arg) => `${arg}\0`).join('');
}

function environment(task: Task): string {
  return task.isZombie ? '' : [...task.environment].map(([name, value]) => `${name}=${value}\0`).join('');
}

function cgroup(task: Task): string {
  return CONTROLLERS.map((controller, index) => `${CONTROLLERS.length - index}:${controller}:${task.cgroup}\n`).join('');
}

function descriptors(task: Task): ComputedNode {
  return {
    kind: 'directory',
    mode: 0o500,
    names: () => [...task.slots.keys()].map(String),
    lookup: (name) => {
      const slot = task.slots.get(Number(name));
      if (slot === undefined || !/^\d+$/.test(name)) return undefined;
      const { description } = slot;
      const location = description instanceof FileDescription ? description.location : undefined;
      return {
        kind: 'symlink',
        target: () => description.path,
        // A file is found again by its path; what has none is the description itself.
        magicTarget: () => (location?.isLinked === true ? location : description),
      };
    },
  };
}

function namespaces(kernel: LinuxKernel, task: Task): ComputedNode {
  const net = 4026531956 + kernel.netNamespaces.names().indexOf(task.netNamespace);
  const numbers: Readonly<Record<string, number>> = {
    ipc: 4026531839,
    mnt: task.root.parent === undefined ? 4026531840 : 4026532000 + task.root.mount.id,
    net,
    pid: 4026531836 + task.pidNamespace.id,
    user: 4026531837,
    uts: task.uts === kernel.table.hostUts ? 4026531838 : 4026532400 + task.pid,
  };
  return directory(
    new Map(
      Object.entries(numbers).map(([name, id]) => [
        name,
        { kind: 'symlink', target: () => `${name}:[${id}]`, magicTarget: () => task } as const,
      ]),
    ),
  );
}

function stat(kernel: LinuxKernel, task: Task): string {
  const info = kernel.table.infoOf(task, kernel.viewer?.pidNamespace ?? kernel.table.rootNamespace);
  const ticks = Math.floor(task.cpuUs / 10_000);
  const start = Math.max(0, Math.floor((task.startMs - kernel.clockOffsetMs - kernel.bootMs) / 10));
  const tty = info.tty === undefined ? 0 : makeDevice(info.tty.startsWith('pts/') ? 136 : 4, Number(/\d+$/.exec(info.tty)?.[0] ?? 0));
  const flags = task.isKernelThread ? 2129984 : 4202752;
  const head = [info.pid, `(${task.command})`, info.state, info.parent, info.group, info.session, tty, info.foregroundGroup, flags];
  const times = [0, 0, 0, 0, Math.floor(ticks * 0.7), Math.ceil(ticks * 0.3), 0, 0, 20, 0, 1, 0, start];
  const memory = [info.virtualBytes, Math.floor(info.residentBytes / PAGE), '18446744073709551615'];
  const rest = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  return `${[...head, ...times, ...memory, ...rest].join(' ')}\n`;
}

function statm(kernel: LinuxKernel, task: Task): string {
  const info = kernel.table.infoOf(task, kernel.table.rootNamespace);
  const resident = Math.floor(info.residentBytes / PAGE);
  return `${Math.floor(info.virtualBytes / PAGE)} ${resident} ${Math.floor(resident / 2)} 10 0 ${Math.floor(resident / 3)} 0\n`;
}

const STATES: Readonly<Record<string, string>> = {
  R: 'R (running)',
  S: 'S (sleeping)',
  D: 'D (disk sleep)',
  T: 'T (stopped)',
  Z: 'Z (zombie)',
};

function status(kernel: LinuxKernel, task: Task): string {
  const info = kernel.table.infoOf(task, kernel.viewer?.pidNamespace ?? kernel.table.rootNamespace);
  const { uid, gid, groups } = task.identity;
  const mask = (kind: 'ignore' | 'handle'): string => {
    let bits = 0n;
    for (const signal of SIGNALS) {
      const disposition = task.dispositions.get(signal);
      if (disposition !== undefined && (disposition === 'ignore') === (kind === 'ignore')) bits |= 1n << BigInt(signalNumber(signal) - 1);
    }
    return bits.toString(16).padStart(16, '0');
  };
  const lines = [
    `Name:\t${task.command}`,
    `Umask:\t${task.umask.toString(8).padStart(4, '0')}`,
    `State:\t${STATES[info.state]}`,
    `Tgid:\t${info.pid}`,
    'Ngid:\t0',
    `Pid:\t${info.pid}`,
    `PPid:\t${info.parent}`,
    'TracerPid:\t0',
    `Uid:\t${task.realUid}\t${uid}\t${uid}\t${uid}`,
    `Gid:\t${gid}\t${gid}\t${gid}\t${gid}`,
    `FDSize:\t${Math.max(64, task.slots.size)}`,
    `Groups:\t${groups.join(' ')} `,
  ];
  if (!task.isZombie && !task.isKernelThread) {
    const kib = (bytes: number): string => `${String(Math.floor(bytes / 1024)).padStart(8)} kB`;
    lines.push(`VmPeak:\t${kib(info.virtualBytes)}`, `VmSize:\t${kib(info.virtualBytes)}`, `VmLck:\t${kib(0)}`, `VmPin:\t${kib(0)}`);
    lines.push(`VmHWM:\t${kib(info.residentBytes)}`, `VmRSS:\t${kib(info.residentBytes)}`, `VmSwap:\t${kib(0)}`);
  }
  lines.push('Threads:\t1', 'SigQ:\t0/5883', `SigPnd:\t${'0'.repeat(16)}`, `ShdPnd:\t${'0'.repeat(16)}`, `SigBlk:\t${'0'.repeat(16)}`);
  const capabilities = uid === 0 ? '0000001fffffffff' : '0000000000000000';
  lines.push(`SigIgn:\t${mask('ignore')}`, `SigCgt:\t${mask('handle')}`, `CapInh:\t${'0'.repeat(16)}`, `CapPrm:\t${capabilities}`);
  lines.push(`CapEff:\t${capabilities}`, 'CapBnd:\t0000001fffffffff', `CapAmb:\t${'0'.repeat(16)}`, 'NoNewPrivs:\t0', 'Seccomp:\t0');
  lines.push(
    `Cpus_allowed:\t${(2 ** kernel.cpus - 1).toString(16)}`,
    `Cpus_allowed_list:\t${kernel.cpus > 1 ? `0-${kernel.cpus - 1}` : '0'}`,
  );
  return `${lines.join('\n')}\n`;
}

function mounts(kernel: LinuxKernel, task: Task): string {
  const escape = (field: string): string => field.replaceAll(' ', '\\040');
  return kernel.mounts
    .list(task.root)
    .map((mount) => `${escape(mount.source)} ${escape(mount.target)} ${mount.type} ${mount.options} 0 0\n`)
    .join('');
}

function mountInfo(kernel: LinuxKernel, task: Task): string {
  return kernel.mounts
    .list(task.root)
    .map(
      (mount, index) =>
        `${index + 17} ${index === 0 ? 1 : 17} 0:${index + 3} / ${mount.target} ${mount.options} - ${mount.type} ${mount.source} rw\n`,
    )
    .join('');
}

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max data size             unlimited            unlimited            bytes     
Max stack size            8388608              unlimited            bytes     
Max core file size        0                    unlimited            bytes     
Max resident set          unlimited            unlimited            bytes     
Max processes             5883                 5883                 processes 
Max open files            1024                 4096                 files     
Max locked memory         65536                65536                bytes     
Max address space         unlimited            unlimited            bytes     
Max file locks            unlimited            unlimited            locks     
Max pending signals       5883                 5883                 signals   
Max msgqueue size         819200               819200               bytes     
Max nice priority         0                    0                    
Max realtime priority     0                    0                    
Max realtime timeout      unlimited            unlimited            us        
`;
