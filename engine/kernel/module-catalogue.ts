// What /lib/modules of a CentOS 7 kernel holds, as far as the lab meets it: sizes and dependencies as lsmod shows them.

export interface ModuleSpec {
  readonly sizeBytes: number;
  readonly needs: readonly string[];
  readonly path: string;
  readonly description: string;
  /** Lines for the kernel log when it is loaded. */
  readonly messages?: readonly string[];
  /** Part of the kernel image: always there, in no list. */
  readonly isBuiltIn?: boolean;
  /** References that its hardware or the root file system hold for ever. */
  readonly pins?: number;
}

type Row = readonly [name: string, sizeBytes: number, needs: string, path: string, description: string];

const NETFILTER = 'net/netfilter';
const IPV4 = 'net/ipv4/netfilter';

const ROWS: readonly Row[] = [
  ['llc', 14552, '', 'net/llc', 'LLC core'],
  ['stp', 12976, 'llc', 'net/802', ''],
  ['bridge', 151336, 'stp llc', 'net/bridge', ''],
  ['br_netfilter', 22256, 'bridge', 'net/bridge', 'Linux ethernet netfilter firewall bridge'],
  ['overlay', 91659, '', 'fs/overlayfs', 'Overlay filesystem'],
  ['nf_conntrack', 139264, 'libcrc32c', NETFILTER, ''],
  ['nf_defrag_ipv4', 12729, '', IPV4, ''],
  ['nf_conntrack_ipv4', 15053, 'nf_conntrack nf_defrag_ipv4', IPV4, ''],
  ['nf_conntrack_netlink', 40492, 'nf_conntrack nfnetlink', NETFILTER, ''],
  ['nf_nat', 26583, 'nf_conntrack libcrc32c', NETFILTER, ''],
  ['nf_nat_ipv4', 14115, 'nf_nat', IPV4, ''],
  ['nf_nat_masquerade_ipv4', 13430, 'nf_nat nf_conntrack', IPV4, ''],
  ['nfnetlink', 14519, '', NETFILTER, 'Netfilter messages via netlink socket'],
  ['ip_tables', 27126, '', IPV4, 'IPv4 packet filter'],
  ['ip6_tables', 26912, '', 'net/ipv6/netfilter', 'IPv6 packet filter'],
  ['ip6table_filter', 12815, 'ip6_tables', 'net/ipv6/netfilter', 'ip6tables filter table'],
  ['iptable_filter', 12810, 'ip_tables', IPV4, 'iptables filter table'],
  ['iptable_mangle', 12695, 'ip_tables', IPV4, 'iptables mangle table'],
  ['iptable_nat', 12875, 'ip_tables nf_nat_ipv4', IPV4, ''],
  ['iptable_raw', 12678, 'ip_tables', IPV4, 'iptables raw table'],
  ['ipt_MASQUERADE', 12678, 'nf_nat_masquerade_ipv4', IPV4, 'Xtables: automatic-address SNAT'],
  ['ipt_REJECT', 12541, 'nf_reject_ipv4', IPV4, 'Xtables: packet "rejection" target for IPv4'],
  ['ipt_rpfilter', 12606, '', IPV4, 'iptables: ipv4 reverse path filter match'],
  ['nf_reject_ipv4', 13373, '', IPV4, ''],
  ['xt_addrtype', 12676, '', NETFILTER, 'Xtables: address type match'],
  ['xt_comment', 12504, '', NETFILTER, 'Xtables: No-op match which can be tagged with a 16bit string'],
  ['xt_conntrack', 12760, 'nf_conntrack', NETFILTER, 'Xtables: connection tracking state match'],
  ['xt_limit', 12711, '', NETFILTER, 'Xtables: rate-limit match'],
  ['xt_LOG', 12690, '', NETFILTER, 'Xtables: IPv4/IPv6 packet logging'],
  ['xt_mark', 12563, '', NETFILTER, 'Xtables: packet mark operations'],
  ['xt_multiport', 12798, '', NETFILTER, 'Xtables: multiple port matching for TCP, UDP, UDP-Lite, SCTP and DCCP'],
  ['xt_nat', 12681, 'nf_nat', NETFILTER, ''],
  ['xt_recent', 18577, '', NETFILTER, 'Xtables: "recently-seen" host matching'],
  ['xt_statistic', 12601, '', NETFILTER, 'Xtables: statistics-based matching ("Nth", random)'],
  ['xt_set', 18141, 'ip_set', NETFILTER, 'Xtables: IP set match and target module'],
  ['xt_tcpudp', 12884, '', NETFILTER, 'Xtables: TCP, UDP and UDP-Lite match'],
  ['xt_REDIRECT', 12658, 'nf_nat', NETFILTER, 'Xtables: Connection redirection to localhost'],
  ['ip_set', 45799, 'nfnetlink', NETFILTER, 'core IP set support'],
  ['ip_set_hash_ip', 31658, 'ip_set', `${NETFILTER}/ipset`, 'hash:ip type of IP sets'],
  ['ip_set_hash_net', 36021, 'ip_set', `${NETFILTER}/ipset`, 'hash:net type of IP sets'],
  ['ip_vs', 145458, 'nf_conntrack libcrc32c', `${NETFILTER}/ipvs`, ''],
  ['ip_vs_rr', 12600, 'ip_vs', `${NETFILTER}/ipvs`, ''],
  ['ip_vs_wrr', 12697, 'ip_vs', `${NETFILTER}/ipvs`, ''],
  ['ip_vs_sh', 12688, 'ip_vs', `${NETFILTER}/ipvs`, ''],
  ['ip_tunnel', 25163, '', 'net/ipv4', ''],
  ['tunnel4', 13252, '', 'net/ipv4', ''],
  ['ipip', 13465, 'tunnel4 ip_tunnel', 'net/ipv4', ''],
  ['udp_tunnel', 14423, '', 'net/ipv4', ''],
  ['ip6_udp_tunnel', 12755, '', 'net/ipv6', ''],
  ['vxlan', 54057, 'udp_tunnel ip6_udp_tunnel', 'drivers/net', 'Driver for VXLAN encapsulated traffic'],
  ['veth', 16384, '', 'drivers/net', 'Virtual Ethernet Tunnel'],
  ['dummy', 12960, '', 'drivers/net', ''],
  ['tun', 36164, '', 'drivers/net', 'Universal TUN/TAP device driver'],
  ['8021q', 33159, 'garp mrp', 'net/8021q', ''],
  ['garp', 14384, 'stp llc', 'net/802', ''],
  ['mrp', 18542, '', 'net/802', 'Multiple Registration Protocol (MRP)'],
  ['libcrc32c', 12644, '', 'lib', 'CRC32c (Castagnoli) calculations'],
  ['xfs', 997127, 'libcrc32c', 'fs/xfs', 'SGI XFS with ACLs, security attributes, no debug enabled'],
  ['ext4', 592077, 'jbd2 mbcache', 'fs/ext4', 'Fourth Extended Filesystem'],
  ['jbd2', 107486, '', 'fs/jbd2', ''],
  ['mbcache', 14958, '', 'fs', 'Meta block cache (for extended attributes)'],
  ['e1000', 137586, '', 'drivers/net/ethernet/intel/e1000', 'Intel(R) PRO/1000 Network Driver'],
  ['libata', 243133, '', 'drivers/ata', 'Library module for ATA devices'],
  ['ata_piix', 35052, 'libata', 'drivers/ata', 'SCSI low-level driver for Intel PIIX/ICH ATA controllers'],
  ['ata_generic', 12923, 'libata', 'drivers/ata', 'low-level driver for generic ATA'],
  ['pata_acpi', 13053, 'libata', 'drivers/ata', 'SCSI low-level driver for ATA in ACPI mode'],
  ['crc_t10dif', 12912, 'crct10dif_generic', 'lib', 'T10 DIF CRC calculation'],
  ['crct10dif_generic', 12647, '', 'crypto', 'T10 DIF CRC calculation.'],
  ['sd_mod', 46281, 'crc_t10dif', 'drivers/scsi', 'SCSI disk (sd) driver'],
  ['dm_mod', 124499, '', 'drivers/md', 'device-mapper driver'],
  ['dm_log', 18411, 'dm_mod', 'drivers/md', 'device-mapper dirty region log'],
  ['dm_region_hash', 20813, 'dm_mod dm_log', 'drivers/md', 'device-mapper region hash'],
  ['dm_mirror', 22289, 'dm_region_hash dm_log dm_mod', 'drivers/md', 'device-mapper mirror target'],
  ['i2c_core', 63151, '', 'drivers/i2c', 'I2C-Bus main module'],
  ['i2c_piix4', 22401, 'i2c_core', 'drivers/i2c/busses', 'PIIX4 SMBus driver'],
  ['video', 24538, '', 'drivers/acpi', 'ACPI Video Driver'],
  ['parport', 46395, '', 'drivers/parport', ''],
  ['parport_pc', 28205, 'parport', 'drivers/parport', 'PC-style parallel port driver'],
  ['ppdev', 17671, 'parport', 'drivers/char', ''],
  ['sg', 40719, '', 'drivers/scsi', 'SCSI generic (sg) driver'],
  ['joydev', 17389, '', 'drivers/input', 'Joystick device interfaces'],
  ['pcspkr', 12718, '', 'drivers/input/misc', 'PC Speaker beeper driver'],
  ['serio_raw', 13434, '', 'drivers/input/serio', 'Raw serio driver'],
  ['iosf_mbi', 15582, '', 'arch/x86/platform/intel', 'IOSF Mailbox Interface accessor'],
  ['crc32_pclmul', 13133, '', 'arch/x86/crypto', ''],
  ['ghash_clmulni_intel', 13273, '', 'arch/x86/crypto', 'GHASH Message Digest Algorithm, acclerated by PCLMULQDQ-NI'],
  ['sunrpc', 354099, '', 'net/sunrpc', ''],
  ['grace', 13515, '', 'fs/nfs_common', ''],
  ['lockd', 98048, 'sunrpc grace', 'fs/lockd', 'NFS file locking service version 0.5.'],
  ['nfs_acl', 12837, 'sunrpc', 'fs/nfs_common', ''],
  ['auth_rpcgss', 59415, 'sunrpc', 'net/sunrpc/auth_gss', ''],
  ['nfsd', 351321, 'auth_rpcgss nfs_acl lockd sunrpc grace', 'fs/nfsd', ''],
  ['nfs', 262111, 'lockd sunrpc fscache', 'fs/nfs', ''],
  ['nfsv4', 584056, 'nfs sunrpc dns_resolver', 'fs/nfs', ''],
  ['fscache', 64987, '', 'fs/fscache', 'FS Cache Manager'],
  ['dns_resolver', 13140, '', 'net/dns_resolver', 'DNS Resolver'],
  ['ip6t_REJECT', 12625, '', 'net/ipv6/netfilter', 'Xtables: packet "rejection" target for IPv6'],
  ['ebtables', 35009, 'bridge', 'net/bridge/netfilter', ''],
  ['ebtable_filter', 12827, 'ebtables', 'net/bridge/netfilter', ''],
  ['nbd', 43117, '', 'drivers/block', 'Network Block Device'],
  ['loop', 28072, '', 'drivers/block', ''],
  ['fuse', 100350, '', 'fs/fuse', 'Filesystem in Userspace'],
];

const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  bridge: [
    'bridge: automatic filtering via arp/ip/ip6tables has been deprecated. Update your scripts to load br_netfilter if you need this.',
  ],
  br_netfilter: ['Bridge firewalling registered'],
  ip_tables: ['ip_tables: (C) 2000-2006 Netfilter Core Team'],
  nf_conntrack: ['nf_conntrack version 0.5.0 (16384 buckets, 65536 max)'],
  ip_set: ['ip_set: protocol 7'],
  ip_vs: ['IPVS: Registered protocols (TCP, UDP, SCTP, AH, ESP)', 'IPVS: ipvs loaded.'],
  ipip: ['ipip: IPv4 over IPv4 tunneling driver'],
  fuse: ['fuse init (API version 7.22)'],
  nfsd: ['Installing knfsd (copyright (C) 1996 okir@monad.swb.de).'],
};

const PINS: Readonly<Record<string, number>> = { ata_piix: 1, sd_mod: 3, dm_mod: 9, sunrpc: 1, e1000: 0 };

const BUILT_IN = ['ipv6', 'unix', 'inet', 'ext_core', 'nf_log', 'x_tables_core'];

function build(): ReadonlyMap<string, ModuleSpec> {
  const catalogue = new Map<string, ModuleSpec>();
  for (const [name, sizeBytes, needs, path, description] of ROWS) {
    const messages = MESSAGES[name];
    const pins = PINS[name];
    catalogue.set(name, {
      sizeBytes,
      needs: needs === '' ? [] : needs.split(' '),
      path: `kernel/${path}/${name}.ko.xz`,
      description,
      ...(messages === undefined ? {} : { messages }),
      ...(pins === undefined ? {} : { pins }),
    });
  }
  for (const name of BUILT_IN) {
    catalogue.set(name, { sizeBytes: 0, needs: [], path: `kernel/${name}.ko`, description: '', isBuiltIn: true });
  }
  return catalogue;
}

export const MODULE_CATALOGUE: ReadonlyMap<string, ModuleSpec> = build();

/** What udev and the initramfs load on the lab's hardware before the first unit starts. */
export const INITIAL_MODULES: readonly string[] = [
  'dm_mod',
  'sd_mod',
  'ata_generic',
  'pata_acpi',
  'ata_piix',
  'e1000',
  'xfs',
  'serio_raw',
  'video',
  'sg',
  'pcspkr',
  'i2c_piix4',
  'joydev',
  'parport_pc',
  'ppdev',
  'crc32_pclmul',
  'ghash_clmulni_intel',
  'iosf_mbi',
  'sunrpc',
  'dm_mirror',
  'ip_tables',
];
