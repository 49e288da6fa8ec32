// Models ss(8) of iproute 4.11 and netstat(8) of net-tools 2.0, which both list sockets.

import type { Process, Program } from '../../kernel/process.ts';
import type { SocketView } from '../../net/net-stack.ts';
import { err, out } from './io.ts';

interface Filter {
  tcp: boolean;
  udp: boolean;
  listening: boolean;
  all: boolean;
  processes: boolean;
  numeric: boolean;
  noHeader: boolean;
}

const PORT_NAMES: Readonly<Record<number, string>> = {
  22: 'ssh',
  25: 'smtp',
  53: 'domain',
  67: 'bootps',
  68: 'bootpc',
  80: 'http',
  111: 'sunrpc',
  179: 'bgp',
  443: 'https',
  2049: 'nfs',
};

export const ss: Program = {
  name: 'ss',
  paths: ['/usr/sbin/ss'],
  async main(process) {
    const filter = emptyFilter();
    let summary = false;
    const conditions: string[] = [];
    for (const arg of process.argv.slice(1)) {
      if (arg === '--tcp') filter.tcp = true;
      else if (arg === '--udp') filter.udp = true;
      else if (arg === '--listening') filter.listening = true;
      else if (arg === '--all') filter.all = true;
      else if (arg === '--processes') filter.processes = true;
      else if (arg === '--numeric') filter.numeric = true;
      else if (arg === '--no-header') filter.noHeader = true;
      else if (arg === '--summary') summary = true;
      else if (arg.startsWith('--')) {
        await err(process, `ss: unrecognized option '${arg}'\n${SS_USAGE}`);
        return 255;
      } else if (arg.startsWith('-')) {
        for (const letter of arg.slice(1)) {
          if (letter === 't') filter.tcp = true;
          else if (letter === 'u') filter.udp = true;
          else if (letter === 'l') filter.listening = true;
          else if (letter === 'a') filter.all = true;
          else if (letter === 'p') filter.processes = true;
          else if (letter === 'n') filter.numeric = true;
          else if (letter === 'H') filter.noHeader = true;
          else if (letter === 's') summary = true;
          else if (!'4eoimxwr0'.includes(letter)) {
            await err(process, `ss: invalid option -- '${letter}'\n${SS_USAGE}`);
            return 255;
          }
        }
      } else conditions.push(arg);
    }
    if (summary) {
      await out(process, ssSummary(process));
      return 0;
    }
    const both = !filter.tcp && !filter.udp;
    const rows = select(process, { ...filter, tcp: filter.tcp || both, udp: filter.udp || both }).filter(matching(conditions));
    const withType = both || (filter.tcp && filter.udp);
    const local = (one: SocketView): string => `${address(one.localAddress)}:${port(one.localPort, filter.numeric)}`;
    const remote = (one: SocketView): string => `${address(one.remoteAddress)}:${port(one.remotePort, filter.numeric)}`;
    const lines = rows.map((one) => {
      const type = withType ? `${one.protocol.padEnd(5)} ` : '';
      const owner = filter.processes && one.pid !== undefined ? ` users:(("${commandOf(process, one.pid)}",pid=${one.pid},fd=3))` : '';
      return `${type}${one.state.padEnd(10)} ${String(one.receiveQueueBytes).padEnd(6)} ${String(one.sendQueueBytes).padEnd(6)} ${padAddress(local(one))} ${padAddress(remote(one))}${owner === '' ? '             ' : `             ${owner.trim()}`}\n`;
    });
    const header = `${withType ? 'Netid ' : ''}State      Recv-Q Send-Q ${'Local Address:Port'.padStart(18).padEnd(27)} ${'Peer Address:Port'.padStart(17).padEnd(20)}\n`;
    await out(process, (filter.noHeader ? '' : header) + lines.join(''));
    return 0;
  },
};

export const netstat: Program = {
  name: 'netstat',
  async main(process) {
    const filter = emptyFilter();
    let routes = false;
    let interfaces = false;
    for (const arg of process.argv.slice(1)) {
      if (arg.startsWith('--')) {
        const name = arg.slice(2);
        if (name === 'tcp') filter.tcp = true;
        else if (name === 'udp') filter.udp = true;
        else if (name === 'listening') filter.listening = true;
        else if (name === 'all') filter.all = true;
        else if (name === 'program' || name === 'programs') filter.processes = true;
        else if (name === 'numeric') filter.numeric = true;
        else if (name === 'route') routes = true;
        else {
          await err(process, `netstat: unrecognized option '${arg}'\n${NETSTAT_USAGE}`);
          return 4;
        }
        continue;
      }
      for (const letter of arg.replace(/^-/, '')) {
        if (letter === 't') filter.tcp = true;
        else if (letter === 'u') filter.udp = true;
        else if (letter === 'l') filter.listening = true;
        else if (letter === 'a') filter.all = true;
        else if (letter === 'p') filter.processes = true;
        else if (letter === 'n') filter.numeric = true;
        else if (letter === 'r') routes = true;
        else if (letter === 'i') interfaces = true;
        else if (!'4wWevo'.includes(letter)) {
          await err(process, `netstat: invalid option -- '${letter}'\n${NETSTAT_USAGE}`);
          return 4;
        }
      }
    }
    if (routes) {
      await out(process, kernelRoutes(process));
      return 0;
    }
    if (interfaces) {
      await out(process, interfaceTable(process));
      return 0;
    }
    const both = !filter.tcp && !filter.udp;
    const rows = select(process, { ...filter, tcp: filter.tcp || both, udp: filter.udp || both });
    const isRoot = process.sys.credentials().uid === 0;
    let text = '';
    if (filter.processes && !isRoot) {
      await err(
        process,
        '(Not all processes could be identified, non-owned process info\n will not be shown, you would have to be root to see it all.)\n',
      );
    }
    text += `Active Internet connections (${filter.listening ? 'only servers' : filter.all ? 'servers and established' : 'w/o servers'})\n`;
    text += `Proto Recv-Q Send-Q Local Address           Foreign Address         State      ${filter.processes ? ' PID/Program name    ' : ''}\n`;
    for (const one of rows) {
      const local = `${one.localAddress}:${port(one.localPort, filter.numeric)}`;
      const remote = `${one.remoteAddress}:${port(one.remotePort, filter.numeric)}`;
      const state = one.protocol === 'udp' ? '' : NETSTAT_STATES[one.state];
      const owner = !filter.processes
        ? ''
        : one.pid === undefined || !isRoot
          ? ' -                   '
          : ` ${`${one.pid}/${commandOf(process, one.pid)}`.padEnd(20)}`;
      const queue = one.state === 'LISTEN' ? [0, 0] : [one.receiveQueueBytes, one.sendQueueBytes];
      text += `${one.protocol.padEnd(5)} ${String(queue[0]).padStart(6)} ${String(queue[1]).padStart(6)} ${local.padEnd(23)} ${remote.padEnd(23)} ${state.padEnd(11)}${owner}\n`;
    }
    await out(process, text);
    return 0;
  },
};

/** `route -n` and `netstat -rn`. */
export function kernelRoutes(process: Process, extended = false): string {
  let text = `Kernel IP routing table\nDestination     Gateway         Genmask         Flags ${extended ? 'Metric Ref    Use Iface' : '  MSS Window  irtt Iface'}\n`;
  for (const route of process.sys.net.routes()) {
    const [destination = '', length = '32'] = route.destination.split('/');
    const mask = Number(length) === 0 ? '0.0.0.0' : maskText(Number(length));
    const isReject = route.type === 'blackhole' || route.type === 'unreachable';
    const flags = isReject ? '!' : `U${route.via === undefined ? '' : 'G'}${length === '32' ? 'H' : ''}`;
    const tail = extended
      ? isReject
        ? `-      -        - -`
        : `${String(route.metric ?? 0).padEnd(6)} 0        0 ${route.device ?? ''}`
      : `${isReject ? '    - -          -' : '    0 0          0'} ${route.device ?? '-'}`;
    text += `${destination.padEnd(15)} ${(isReject ? '-' : (route.via ?? '0.0.0.0')).padEnd(15)} ${mask.padEnd(15)} ${flags.padEnd(5)} ${tail}\n`;
  }
  return text;
}

function interfaceTable(process: Process): string {
  let text = 'Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n';
  for (const link of process.sys.net.links()) {
    if (!link.isUp) continue;
    const { rxPackets, rxDropped, txPackets } = link.statistics;
    const flags = link.kind === 'loopback' ? 'LRU' : link.kind === 'ipip' ? 'ORU' : link.hasCarrier ? 'BMRU' : 'BMU';
    text += `${link.name.padEnd(15)} ${String(link.mtu).padStart(5)} ${String(rxPackets).padStart(8)}      0 ${String(rxDropped).padStart(6)} 0      ${String(txPackets).padStart(8)}      0      0      0 ${flags}\n`;
  }
  return text;
}

function emptyFilter(): Filter {
  return { tcp: false, udp: false, listening: false, all: false, processes: false, numeric: false, noHeader: false };
}

function select(process: Process, filter: Filter): readonly SocketView[] {
  const isServer = (one: SocketView): boolean => one.state === 'LISTEN' || one.state === 'UNCONN';
  return process.sys.net
    .sockets()
    .filter((one) => (one.protocol === 'tcp' ? filter.tcp : filter.udp))
    .filter((one) => filter.all || (filter.listening ? isServer(one) : !isServer(one)))
    .filter((one) => filter.all || filter.listening || one.state !== 'TIME-WAIT' || process.argv[0]?.endsWith('netstat') === true);
}

/** `sport = :22`, `dport = :80`, `state established`, `dst 10.0.0.1`. */
function matching(conditions: readonly string[]): (one: SocketView) => boolean {
  const words = conditions.join(' ').replace(/[()]/g, ' ').trim().split(/\s+/);
  const tests: ((one: SocketView) => boolean)[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === 'sport' || word === 'dport') {
      const skip = words[at + 1] === '=' || words[at + 1] === '==' || words[at + 1] === 'eq' ? 2 : 1;
      const text = (words[at + skip] ?? '').replace(/^:/, '');
      const wanted = Number(text) || Number(Object.entries(PORT_NAMES).find(([, name]) => name === text)?.[0] ?? 0);
      tests.push((one) => (word === 'sport' ? one.localPort : one.remotePort) === wanted);
      at += skip;
    } else if (word === 'state') {
      const wanted = (words[++at] ?? '').toLowerCase();
      tests.push((one) => one.state.toLowerCase() === (wanted === 'established' ? 'estab' : wanted === 'listening' ? 'listen' : wanted));
    } else if (word === 'dst' || word === 'src') {
      const wanted = (words[++at] ?? '').split(':')[0];
      tests.push((one) => (word === 'dst' ? one.remoteAddress : one.localAddress) === wanted);
    }
  }
  return (one) => tests.every((test) => test(one));
}

function commandOf(process: Process, pid: number): string {
  return process.sys.processes().find((one) => one.pid === pid)?.command ?? '';
}

function address(text: string): string {
  return text === '0.0.0.0' ? '*' : text;
}

function port(value: number, numeric: boolean): string {
  if (value === 0) return '*';
  return numeric ? String(value) : (PORT_NAMES[value] ?? String(value));
}

/** The port's column is where the colon stands. */
function padAddress(text: string): string {
  const colon = text.lastIndexOf(':');
  return `${text.slice(0, colon).padStart(13)}:${text.slice(colon + 1).padEnd(18)}`;
}

function maskText(length: number): string {
  const mask = (0xffffffff << (32 - length)) >>> 0;
  return `${mask >>> 24}.${(mask >>> 16) & 255}.${(mask >>> 8) & 255}.${mask & 255}`;
}

function ssSummary(process: Process): string {
  const sockets = process.sys.net.sockets();
  const tcp = sockets.filter((one) => one.protocol === 'tcp');
  const count = (state: SocketView['state']): number => tcp.filter((one) => one.state === state).length;
  return (
    `Total: ${sockets.length} (kernel 0)\n` +
    `TCP:   ${tcp.length} (estab ${count('ESTAB')}, closed ${count('TIME-WAIT')}, orphaned 0, synrecv 0, timewait ${count('TIME-WAIT')}/0), ports 0\n\n` +
    `Transport Total     IP        IPv6\n*\t  0         -         -        \nRAW\t  0         0         0        \n` +
    `UDP\t  ${String(sockets.length - tcp.length).padEnd(9)} ${String(sockets.length - tcp.length).padEnd(9)} 0        \nTCP\t  ${String(tcp.length).padEnd(9)} ${String(tcp.length).padEnd(9)} 0        \n` +
    `INET\t  ${String(sockets.length).padEnd(9)} ${String(sockets.length).padEnd(9)} 0        \nFRAG\t  0         0         0        \n\n`
  );
}

const NETSTAT_STATES: Readonly<Record<SocketView['state'], string>> = {
  LISTEN: 'LISTEN',
  ESTAB: 'ESTABLISHED',
  'SYN-SENT': 'SYN_SENT',
  'SYN-RECV': 'SYN_RECV',
  'FIN-WAIT-1': 'FIN_WAIT1',
  'FIN-WAIT-2': 'FIN_WAIT2',
  'TIME-WAIT': 'TIME_WAIT',
  'CLOSE-WAIT': 'CLOSE_WAIT',
  CLOSING: 'CLOSING',
  'LAST-ACK': 'LAST_ACK',
  UNCONN: '',
};

const SS_USAGE = 'Usage: ss [ OPTIONS ]\n       ss [ OPTIONS ] [ FILTER ]\n';
const NETSTAT_USAGE =
  'usage: netstat [-vWeenNcCF] [<Af>] -r         netstat {-V|--version|-h|--help}\n       netstat [-vWnNcaeol] [<Socket> ...]\n';
