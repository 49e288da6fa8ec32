import type { Program } from '../../kernel/process.ts';
import { curl } from './curl.ts';
import { dhclient } from './dhclient.ts';
import { ip } from './ip/index.ts';
import { ip6tables, iptables, iptablesRestore, iptablesSave } from './iptables.ts';
import { networkScripts } from './network-scripts.ts';
import { ping } from './ping.ts';
import { sftpServer } from './sftp-server/index.ts';
import { socat } from './socat.ts';
import { netstat, ss } from './sockets.ts';
import { ssh } from './ssh/index.ts';
import { sshCopyId, sshKeygen, sshpass } from './ssh/keygen.ts';
import { scp } from './ssh/scp.ts';
import { dig, host, nslookup } from './dns-tools.ts';
import { arp, brctl, ifconfig, route } from './net-tools.ts';
import { conntrack, ipset } from './sets.ts';
import { nc, telnet, wget } from './streams.ts';
import { tcpdump, tracepath, traceroute } from './tracing.ts';

export const programs: readonly Program[] = [
  curl,
  dhclient,
  ip,
  ip6tables,
  iptables,
  iptablesRestore,
  iptablesSave,
  netstat,
  networkScripts,
  ping,
  scp,
  sftpServer,
  socat,
  ss,
  ssh,
  sshCopyId,
  sshKeygen,
  sshpass,
  arp,
  brctl,
  conntrack,
  dig,
  host,
  ifconfig,
  ipset,
  nc,
  nslookup,
  route,
  tcpdump,
  telnet,
  tracepath,
  traceroute,
  wget,
];
