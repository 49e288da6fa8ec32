// Files of /proc that tell of the whole machine.

import type { LinuxKernel } from '../linux-kernel.ts';

const KIB = 1024;
/** What a machine of the lab keeps in its page cache after boot, as far as memory allows. */
const CACHE_BYTES = 620 * KIB * KIB;

export interface MemoryView {
  readonly total: number;
  readonly used: number;
  readonly free: number;
  readonly buffers: number;
  readonly cached: number;
  readonly shared: number;
  readonly available: number;
}

/** How free(1) divides the memory up. */
export function memoryView(kernel: { readonly memoryBytes: number; readonly usedMemoryBytes: number }): MemoryView {
  // The kernel image and its reserved areas are not part of MemTotal.
  const total = kernel.memoryBytes - Math.floor(kernel.memoryBytes * 0.028) - 24 * KIB * KIB;
  const used = Math.min(total, kernel.usedMemoryBytes);
  const cache = Math.min(CACHE_BYTES, Math.floor((total - used) * 0.8));
  const buffers = 2108 * KIB;
  const free = Math.max(0, total - used - cache);
  const shared = 11 * KIB * KIB;
  return { total, used, free, buffers, cached: Math.max(0, cache - buffers), shared, available: Math.floor(free + cache * 0.85) };
}

export function memoryInfo(kernel: LinuxKernel): string {
  const memory = memoryView(kernel);
  const rows: readonly (readonly [string, number])[] = [
    ['MemTotal', memory.total],
    ['MemFree', memory.free],
    ['MemAvailable', memory.available],
    ['Buffers', memory.buffers],
    ['Cached', memory.cached],
    ['SwapCached', 0],
    ['Active', memory.used * 0.7],
    ['Inactive', memory.cached * 0.6],
    ['Unevictable', 0],
    ['Mlocked', 0],
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Dirty', 24 * KIB],
    ['Writeback', 0],
    ['AnonPages', memory.used * 0.8],
    ['Mapped', memory.used * 0.3],
    ['Shmem', memory.shared],
    ['Slab', 90 * KIB * KIB],
    ['SReclaimable', 50 * KIB * KIB],
    ['SUnreclaim', 40 * KIB * KIB],
    ['KernelStack', 5200 * KIB],
    ['PageTables', 9200 * KIB],
    ['CommitLimit', memory.total / 2],
    ['Committed_AS', memory.used * 2],
    ['VmallocTotal', 34359738367 * KIB],
  ];
  return rows.map(([name, bytes]) => `${`${name}:`.padEnd(16)}${String(Math.floor(bytes / KIB)).padStart(8)} kB\n`).join('');
}

export function cpuInfo(kernel: LinuxKernel): string {
  const cpus: string[] = [];
  for (let cpu = 0; cpu < kernel.cpus; cpu++) {
    cpus.push(
      [
        `processor\t: ${cpu}`,
        'vendor_id\t: GenuineIntel',
        'cpu family\t: 6',
        'model\t\t: 158',
        'model name\t: Intel(R) Core(TM) i7-8750H CPU @ 2.20GHz',
        'stepping\t: 10',
        'cpu MHz\t\t: 2208.000',
        'cache size\t: 9216 KB',
        'physical id\t: 0',
        `siblings\t: ${kernel.cpus}`,
        `core id\t\t: ${cpu}`,
        `cpu cores\t: ${kernel.cpus}`,
        `apicid\t\t: ${cpu}`,
        'fpu\t\t: yes',
        'fpu_exception\t: yes',
        'cpuid level\t: 22',
        'wp\t\t: yes',
        'flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx rdtscp lm constant_tsc rep_good nopl xtopology nonstop_tsc pni pclmulqdq ssse3 cx16 sse4_1 sse4_2 x2apic movbe popcnt aes xsave avx rdrand hypervisor lahf_lm abm avx2',
        'bogomips\t: 4416.00',
        'clflush size\t: 64',
        'cache_alignment\t: 64',
        'address sizes\t: 39 bits physical, 48 bits virtual',
        'power management:',
        '',
        '',
      ].join('\n'),
    );
  }
  return cpus.join('');
}

export function uptime(kernel: LinuxKernel): string {
  const seconds = (kernel.clock.now() - kernel.bootMs) / 1000;
  let busy = 0;
  for (const task of kernel.table.tasks) busy += task.cpuUs / 1_000_000;
  return `${seconds.toFixed(2)} ${Math.max(0, seconds * kernel.cpus - busy).toFixed(2)}\n`;
}

/** Share of the time since boot in which processes ran: the emulated machine has no run queue to sample. */
export function loadOf(kernel: LinuxKernel): number {
  const uptimeMs = Math.max(60_000, kernel.clock.now() - kernel.bootMs);
  let cpuUs = 0;
  for (const task of kernel.table.tasks) cpuUs += task.cpuUs;
  return cpuUs / 1000 / uptimeMs;
}

export function loadAverage(kernel: LinuxKernel): string {
  const load = loadOf(kernel).toFixed(2);
  let count = 0;
  for (const task of kernel.table.tasks) if (!task.isZombie) count++;
  return `${load} ${load} ${load} 1/${count} ${kernel.table.lastPid}\n`;
}

export function statistics(kernel: LinuxKernel): string {
  let user = 0;
  for (const task of kernel.table.tasks) user += task.cpuUs / 10_000;
  const total = ((kernel.clock.now() - kernel.bootMs) / 10) * kernel.cpus;
  const system = Math.floor(user * 0.3);
  const idle = Math.max(0, Math.floor(total - user));
  const lines = [`cpu  ${Math.floor(user * 0.7)} 0 ${system} ${idle} 0 0 0 0 0 0`];
  for (let cpu = 0; cpu < kernel.cpus; cpu++) {
    const share = (value: number): number => Math.floor(value / kernel.cpus);
    lines.push(`cpu${cpu} ${share(user * 0.7)} 0 ${share(system)} ${share(idle)} 0 0 0 0 0 0`);
  }
  lines.push('intr 0', 'ctxt 0', `btime ${Math.floor((kernel.bootMs + kernel.clockOffsetMs) / 1000)}`);
  lines.push(`processes ${kernel.table.lastPid}`, 'procs_running 1', 'procs_blocked 0');
  return `${lines.join('\n')}\n`;
}

export function version(kernel: LinuxKernel): string {
  const built = 'mockbuild@kbuilder.bsys.centos.org) (gcc version 4.8.5 20150623 (Red Hat 4.8.5-39) (GCC) )';
  return `Linux version ${kernel.release} (${built} ${kernel.sysctl.get('kernel.version')}\n`;
}

export function commandLine(kernel: LinuxKernel): string {
  const root = 'root=/dev/mapper/centos_k8s-root ro no_timer_check console=tty0 console=ttyS0,115200n8 net.ifnames=0 biosdevname=0';
  return `BOOT_IMAGE=/vmlinuz-${kernel.release} ${root} elevator=noop crashkernel=auto rd.lvm.lv=centos_k8s/root rd.lvm.lv=centos_k8s/swap rhgb quiet\n`;
}

export function modules(kernel: LinuxKernel): string {
  return kernel.modules
    .list()
    .map((module, index) => {
      const users = module.usedBy.length === 0 ? '-' : `${module.usedBy.join(',')},`;
      const address = `0xffffffffc0${(0x800000 - index * 0x9000).toString(16).padStart(6, '0')}`;
      return `${module.name} ${module.sizeBytes} ${module.references + module.usedBy.length} ${users} Live ${address}\n`;
    })
    .join('');
}

export function fileSystems(kernel: LinuxKernel): string {
  const virtual = ['sysfs', 'rootfs', 'ramfs', 'bdev', 'proc', 'cgroup', 'cpuset', 'tmpfs', 'devtmpfs', 'debugfs', 'securityfs', 'sockfs'];
  const more = ['dax', 'pipefs', 'anon_inodefs', 'configfs', 'devpts', 'hugetlbfs', 'autofs', 'pstore', 'mqueue'];
  const lines = [...virtual, ...more].map((name) => `nodev\t${name}`);
  if (kernel.modules.isLoaded('xfs')) lines.push('\txfs');
  if (kernel.modules.isLoaded('overlay')) lines.push('nodev\toverlay');
  return `${lines.join('\n')}\n`;
}

export function cgroups(): string {
  const names = [
    'cpuset',
    'cpu',
    'cpuacct',
    'blkio',
    'memory',
    'devices',
    'freezer',
    'net_cls',
    'perf_event',
    'net_prio',
    'hugetlb',
    'pids',
  ];
  const lines = names.map((name, index) => `${name}\t${index + 1}\t1\t1`);
  return `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${lines.join('\n')}\n`;
}

export function vmStatistics(kernel: LinuxKernel): string {
  const memory = memoryView(kernel);
  return `nr_free_pages ${Math.floor(memory.free / 4096)}\nnr_file_pages ${Math.floor(memory.cached / 4096)}\npswpin 0\npswpout 0\n`;
}

export const PARTITIONS = `major minor  #blocks  name

   8        0   41943040 sda
   8        1    1048576 sda1
   8        2   40893440 sda2
 253        0   38789120 dm-0
 253        1    2097152 dm-1
`;

export const DEVICES = `Character devices:
  1 mem
  4 /dev/vc/0
  4 tty
  4 ttyS
  5 /dev/tty
  5 /dev/console
  5 /dev/ptmx
  7 vcs
 10 misc
 13 input
136 pts

Block devices:
259 blkext
  8 sd
253 device-mapper
254 mdp
`;

export const MISC = `229 fuse
 63 vga_arbiter
130 watchdog
236 device-mapper
237 loop-control
`;
