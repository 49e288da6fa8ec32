// The sysctl keys of the lab's kernel with their defaults and what they accept.

import type { LinuxKernel } from './linux-kernel.ts';

export interface SysctlSpec {
  readonly initial: string;
  /** The value as it is kept, undefined when it is invalid. */
  readonly normalise: (value: string) => string | undefined;
  readonly isReadOnly?: boolean;
  readonly isPerNamespace?: boolean;
  /** Only the machine's own network namespace has it. */
  readonly isHostOnly?: boolean;
  readonly module?: string;
  readonly read?: (kernel: LinuxKernel) => string;
  readonly write?: (kernel: LinuxKernel, value: string) => void;
}

type Extra = Partial<Omit<SysctlSpec, 'initial' | 'normalise'>>;

function number(initial: number, min = -2147483648, max = 2147483647, extra: Extra = {}): SysctlSpec {
  return {
    initial: String(initial),
    normalise: (value) => {
      if (!/^[-+]?(0x[0-9a-fA-F]+|\d+)$/.test(value)) return undefined;
      const parsed = Number(value);
      return parsed < min || parsed > max ? undefined : String(parsed);
    },
    ...extra,
  };
}

/** Booleans of net.* take any number and are true unless 0. */
function flag(initial: number, extra: Extra = {}): SysctlSpec {
  return number(initial, -2147483648, 2147483647, extra);
}

function numbers(initial: string, extra: Extra = {}): SysctlSpec {
  const count = initial.split('\t').length;
  return {
    initial,
    normalise: (value) => {
      const parts = value.split(/\s+/);
      return parts.length === count && parts.every((part) => /^\d+$/.test(part)) ? parts.join('\t') : undefined;
    },
    ...extra,
  };
}

function word(initial: string, extra: Extra = {}): SysctlSpec {
  return { initial, normalise: (value) => value, ...extra };
}

const PER_NAMESPACE: Extra = { isPerNamespace: true };
const HOST_ONLY: Extra = { isHostOnly: true };
const READ_ONLY: Extra = { isReadOnly: true };
const BRIDGE: Extra = { module: 'br_netfilter', isHostOnly: true };
const CONNTRACK: Extra = { module: 'nf_conntrack' };

export const SYSCTL_KEYS: ReadonlyMap<string, SysctlSpec> = new Map<string, SysctlSpec>([
  ['fs.aio-max-nr', number(65536, 0)],
  ['fs.file-max', number(94474, 0)],
  ['fs.file-nr', word('1024\t0\t94474', READ_ONLY)],
  ['fs.inotify.max_queued_events', number(16384, 0)],
  ['fs.inotify.max_user_instances', number(128, 0)],
  ['fs.inotify.max_user_watches', number(8192, 0)],
  ['fs.nr_open', number(1048576, 8)],
  ['fs.pipe-max-size', number(1048576, 4096)],
  ['fs.protected_hardlinks', number(1, 0, 1)],
  ['fs.protected_symlinks', number(1, 0, 1)],
  ['fs.may_detach_mounts', number(0, 0, 1)],
  ['kernel.core_pattern', word('core')],
  ['kernel.core_uses_pid', number(1)],
  ['kernel.ctrl-alt-del', number(0)],
  ['kernel.domainname', word('(none)')],
  [
    'kernel.hostname',
    word('', { read: (kernel) => kernel.hostname, write: (kernel, value) => kernel.setHostname({ uts: kernel.table.hostUts }, value) }),
  ],
  ['kernel.keys.root_maxbytes', number(25000000, 0)],
  ['kernel.keys.root_maxkeys', number(1000000, 0)],
  ['kernel.msgmax', number(8192, 0)],
  ['kernel.msgmnb', number(16384, 0)],
  ['kernel.osrelease', word('', { ...READ_ONLY, read: (kernel) => kernel.release })],
  ['kernel.ostype', word('Linux', READ_ONLY)],
  ['kernel.panic', number(0)],
  ['kernel.panic_on_oops', number(1)],
  ['kernel.pid_max', number(32768, 301, 4194304)],
  ['kernel.printk', numbers('4\t4\t1\t7')],
  ['kernel.random.boot_id', word('', { ...READ_ONLY, read: (kernel) => uuidOf(`${kernel.machine} ${kernel.bootMs}`) })],
  ['kernel.randomize_va_space', number(2, 0, 2)],
  ['kernel.sem', numbers('250\t32000\t32\t128')],
  ['kernel.shmall', word('18446744073692774399')],
  ['kernel.shmmax', word('18446744073692774399')],
  ['kernel.shmmni', number(4096, 0)],
  ['kernel.sysrq', number(16)],
  ['kernel.threads-max', number(11767, 20)],
  ['kernel.version', word('#1 SMP Wed Sep 16 22:53:08 UTC 2020', READ_ONLY)],
  ['net.core.rmem_default', number(212992, 2048, undefined, HOST_ONLY)],
  ['net.core.rmem_max', number(212992, 2048, undefined, HOST_ONLY)],
  ['net.core.wmem_default', number(212992, 2048, undefined, HOST_ONLY)],
  ['net.core.wmem_max', number(212992, 2048, undefined, HOST_ONLY)],
  ['net.core.netdev_max_backlog', number(1000, 0, undefined, HOST_ONLY)],
  ['net.core.somaxconn', number(128, 0, 65535, PER_NAMESPACE)],
  ['net.core.default_qdisc', word('pfifo_fast', HOST_ONLY)],
  ['net.bridge.bridge-nf-call-arptables', flag(1, BRIDGE)],
  ['net.bridge.bridge-nf-call-ip6tables', flag(1, BRIDGE)],
  ['net.bridge.bridge-nf-call-iptables', flag(1, BRIDGE)],
  ['net.bridge.bridge-nf-filter-pppoe-tagged', flag(0, BRIDGE)],
  ['net.bridge.bridge-nf-filter-vlan-tagged', flag(0, BRIDGE)],
  ['net.bridge.bridge-nf-pass-vlan-input-dev', flag(0, BRIDGE)],
  ['net.ipv4.icmp_echo_ignore_all', flag(0, PER_NAMESPACE)],
  ['net.ipv4.icmp_echo_ignore_broadcasts', flag(1, PER_NAMESPACE)],
  ['net.ipv4.icmp_ratelimit', number(1000, 0, undefined, PER_NAMESPACE)],
  ['net.ipv4.ip_default_ttl', number(64, 1, 255, PER_NAMESPACE)],
  ['net.ipv4.ip_forward', flag(0, PER_NAMESPACE)],
  ['net.ipv4.ip_local_port_range', numbers('32768\t60999', PER_NAMESPACE)],
  ['net.ipv4.ip_nonlocal_bind', flag(0, PER_NAMESPACE)],
  ['net.ipv4.ip_unprivileged_port_start', number(1024, 0, 65535, PER_NAMESPACE)],
  ['net.ipv4.neigh.default.gc_thresh1', number(128, 0, undefined, HOST_ONLY)],
  ['net.ipv4.neigh.default.gc_thresh2', number(512, 0, undefined, HOST_ONLY)],
  ['net.ipv4.neigh.default.gc_thresh3', number(1024, 0, undefined, HOST_ONLY)],
  ['net.ipv4.tcp_fin_timeout', number(60, 0, undefined, PER_NAMESPACE)],
  ['net.ipv4.tcp_keepalive_intvl', number(75, 1, 32767, PER_NAMESPACE)],
  ['net.ipv4.tcp_keepalive_probes', number(9, 1, 127, PER_NAMESPACE)],
  ['net.ipv4.tcp_keepalive_time', number(7200, 1, 32767, PER_NAMESPACE)],
  ['net.ipv4.tcp_max_syn_backlog', number(128, 0, undefined, PER_NAMESPACE)],
  ['net.ipv4.tcp_retries1', number(3, 0, 255, PER_NAMESPACE)],
  ['net.ipv4.tcp_retries2', number(15, 0, 255, PER_NAMESPACE)],
  ['net.ipv4.tcp_syn_retries', number(6, 1, 127, PER_NAMESPACE)],
  ['net.ipv4.tcp_synack_retries', number(5, 0, 255, PER_NAMESPACE)],
  ['net.ipv4.tcp_syncookies', number(1, 0, 2, PER_NAMESPACE)],
  ['net.ipv4.tcp_timestamps', flag(1, PER_NAMESPACE)],
  ['net.ipv4.tcp_tw_reuse', flag(0, PER_NAMESPACE)],
  ['net.ipv4.vs.conntrack', flag(0, { module: 'ip_vs', isPerNamespace: true })],
  ['net.ipv6.conf.all.disable_ipv6', flag(0, PER_NAMESPACE)],
  ['net.ipv6.conf.all.forwarding', flag(0, PER_NAMESPACE)],
  ['net.ipv6.conf.default.disable_ipv6', flag(0, PER_NAMESPACE)],
  ['net.ipv6.conf.default.forwarding', flag(0, PER_NAMESPACE)],
  ['net.ipv6.conf.lo.disable_ipv6', flag(0, PER_NAMESPACE)],
  ['net.netfilter.nf_conntrack_acct', flag(0, { ...CONNTRACK, isPerNamespace: true })],
  ['net.netfilter.nf_conntrack_buckets', number(16384, 0, undefined, CONNTRACK)],
  ['net.netfilter.nf_conntrack_max', number(65536, 0, undefined, CONNTRACK)],
  ['net.netfilter.nf_conntrack_tcp_be_liberal', flag(0, { ...CONNTRACK, isPerNamespace: true })],
  ['net.netfilter.nf_conntrack_tcp_timeout_close_wait', number(60, 0, undefined, { ...CONNTRACK, isPerNamespace: true })],
  ['net.netfilter.nf_conntrack_tcp_timeout_established', number(432000, 0, undefined, { ...CONNTRACK, isPerNamespace: true })],
  ['net.netfilter.nf_conntrack_udp_timeout', number(30, 0, undefined, { ...CONNTRACK, isPerNamespace: true })],
  ['net.netfilter.nf_conntrack_udp_timeout_stream', number(180, 0, undefined, { ...CONNTRACK, isPerNamespace: true })],
  ['net.nf_conntrack_max', number(65536, 0, undefined, CONNTRACK)],
  ['net.unix.max_dgram_qlen', number(512, 0, undefined, PER_NAMESPACE)],
  ['user.max_user_namespaces', number(0, 0)],
  ['vm.dirty_background_ratio', number(10, 0, 100)],
  ['vm.dirty_ratio', number(30, 0, 100)],
  ['vm.drop_caches', number(0, 1, 4)],
  ['vm.max_map_count', number(65530, 0)],
  ['vm.min_free_kbytes', number(45056, 0)],
  ['vm.overcommit_memory', number(0, 0, 2)],
  ['vm.overcommit_ratio', number(50, 0)],
  ['vm.panic_on_oom', number(0, 0, 2)],
  ['vm.swappiness', number(30, 0, 100)],
  ['vm.vfs_cache_pressure', number(100, 0)],
]);

/** net.ipv4.conf.LINK.* of each link, of `all` and of `default`. */
export const LINK_KEYS: ReadonlyMap<string, SysctlSpec> = new Map<string, SysctlSpec>(
  (
    [
      ['accept_local', 0],
      ['accept_redirects', 1],
      ['accept_source_route', 0],
      ['arp_accept', 0],
      ['arp_announce', 0],
      ['arp_filter', 0],
      ['arp_ignore', 0],
      ['forwarding', 0],
      ['log_martians', 0],
      ['proxy_arp', 0],
      ['proxy_arp_pvlan', 0],
      ['promote_secondaries', 1],
      ['route_localnet', 0],
      ['rp_filter', 1],
      ['secure_redirects', 1],
      ['send_redirects', 1],
      ['src_valid_mark', 0],
    ] as const
  ).map(([name, initial]) => [name, flag(initial, PER_NAMESPACE)] as const),
);

function uuidOf(seed: string): string {
  let hash = 0x811c9dc5;
  let hex = '';
  for (let round = 0; hex.length < 32; round++) {
    for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i) ^ round, 0x01000193) >>> 0;
    hex += hash.toString(16).padStart(8, '0');
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
