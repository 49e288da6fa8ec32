// /proc/net as the network namespace of a process has it.

import { file, type ComputedNode } from '../../fs/computed-fs.ts';
import type { LinkView, NetStack, SocketView } from '../../net/net-stack.ts';
import type { LinuxKernel } from '../linux-kernel.ts';
import type { Task } from '../task.ts';

export function netNodes(kernel: LinuxKernel, task: Task): ReadonlyMap<string, ComputedNode> {
  const stack = (): NetStack => kernel.netNamespaces.get(task.netNamespace);
  return new Map<string, ComputedNode>([
    ['arp', file(() => arp(stack()))],
    ['dev', file(() => devices(stack()))],
    ['nf_conntrack', file(() => `${stack().conntrack().join('\n')}\n`, { mode: 0o440 })],
    [
      'ip_tables_names',
      file(() => (kernel.modules.isLoaded('iptable_nat') ? 'nat\nfilter\n' : kernel.modules.isLoaded('iptable_filter') ? 'filter\n' : '')),
    ],
    ['route', file(() => routes(stack()))],
    ['tcp', file(() => sockets(stack(), 'tcp'))],
    ['udp', file(() => sockets(stack(), 'udp'))],
    ['unix', file(() => 'Num       RefCount Protocol Flags    Type St Inode Path\n')],
  ]);
}

function devices(stack: NetStack): string {
  const head = 'Inter-|   Receive                                                |  Transmit\n';
  const columns =
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';
  const line = ({ name, statistics: s }: LinkView): string => {
    const received = [s.rxBytes, s.rxPackets, 0, s.rxDropped, 0, 0, 0, 0].map((value, i) =>
      String(value).padStart([7, 8, 5, 5, 5, 6, 11, 10][i]! - (i === 0 ? 0 : 1)),
    );
    const sent = [s.txBytes, s.txPackets, 0, 0, 0, 0, 0, 0].map((value, i) =>
      String(value).padStart([8, 8, 5, 5, 5, 6, 8, 11][i]! - (i === 0 ? 0 : 1)),
    );
    return `${name.padStart(6)}: ${received.join(' ')} ${sent.join(' ')}\n`;
  };
  return head + columns + stack.links().map(line).join('');
}

function arp(stack: NetStack): string {
  const head = 'IP address       HW type     Flags       HW address            Mask     Device\n';
  const line = (n: { address: string; mac: string; device: string; state: string }): string =>
    `${n.address.padEnd(16)} 0x1         ${n.state === 'PERMANENT' ? '0x6' : n.mac === '' ? '0x0' : '0x2'}         ${(n.mac === '' ? '00:00:00:00:00:00' : n.mac).padEnd(21)} *        ${n.device}\n`;
  return head + stack.neighbours().map(line).join('');
}

function routes(stack: NetStack): string {
  const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
  const lines = stack.routes().flatMap((route) => {
    if (route.device === undefined || route.type !== 'unicast') return [];
    const [address = '0.0.0.0', length = '32'] = route.destination.split('/');
    const mask = Number(length) === 0 ? 0 : (0xffffffff << (32 - Number(length))) >>> 0;
    const flags = 1 | (route.via === undefined ? 0 : 2) | (Number(length) === 32 ? 4 : 0);
    const hexMask = littleEndian([mask >>> 24, (mask >>> 16) & 255, (mask >>> 8) & 255, mask & 255]);
    return [
      `${route.device}\t${hexAddress(address)}\t${hexAddress(route.via ?? '0.0.0.0')}\t${flags.toString(16).padStart(4, '0')}\t0\t0\t${route.metric ?? 0}\t${hexMask}\t0\t0\t0`,
    ];
  });
  return `${[head, ...lines].map((line) => line.padEnd(127)).join('\n')}\n`;
}

const TCP_STATES: Readonly<Record<SocketView['state'], string>> = {
  ESTAB: '01',
  'SYN-SENT': '02',
  'SYN-RECV': '03',
  'FIN-WAIT-1': '04',
  'FIN-WAIT-2': '05',
  'TIME-WAIT': '06',
  UNCONN: '07',
  CLOSING: '0B',
  'CLOSE-WAIT': '08',
  'LAST-ACK': '09',
  LISTEN: '0A',
};

function sockets(stack: NetStack, protocol: 'tcp' | 'udp'): string {
  const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  const place = (address: string, port: number): string => `${hexAddress(address)}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = stack
    .sockets()
    .filter((socket) => socket.protocol === protocol)
    .map(
      (socket, index) =>
        `${String(index).padStart(4)}: ${place(socket.localAddress, socket.localPort)} ${place(socket.remoteAddress, socket.remotePort)} ${TCP_STATES[socket.state]} 00000000:00000000 00:00000000 00000000     0        0 ${20000 + index} 1 0000000000000000 100 0 0 10 0`,
    );
  return `${[head, ...lines].map((line) => line.padEnd(149)).join('\n')}\n`;
}

function hexAddress(address: string): string {
  const bytes = address.split('.').map(Number);
  return littleEndian(bytes.length === 4 && bytes.every((byte) => byte >= 0 && byte < 256) ? bytes : [0, 0, 0, 0]);
}

function littleEndian(bytes: readonly number[]): string {
  return [...bytes]
    .reverse()
    .map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'))
    .join('');
}
