// Models traceroute 2.0.22, tracepath and tcpdump 4.9 with simple filters.

import type { Process, Program } from '../../kernel/process.ts';
import type { CapturedFrame } from '../../net/net-stack.ts';
import { isSysError } from '../../sim/errno.ts';
import { err, Interrupt, lookup, out } from './io.ts';

const MAX_HOPS = 30;
const WAIT_MS = 5_000;

export const traceroute: Program = {
  name: 'traceroute',
  async main(process) {
    const args = process.argv.slice(1);
    let hops = MAX_HOPS;
    let probes = 3;
    let waitMs = WAIT_MS;
    let host: string | undefined;
    while (args.length > 0) {
      const arg = args.shift()!;
      if (arg === '-m') hops = Number(args.shift());
      else if (arg === '-q') probes = Number(args.shift());
      else if (arg === '-w') waitMs = Number(args.shift()) * 1000;
      else if (!arg.startsWith('-')) host ??= arg;
    }
    if (host === undefined) {
      await err(
        process,
        'Usage:\n  traceroute [ -46dFITnreAUDV ] [ -f first_ttl ] [ -g gate,... ] [ -i device ] [ -m max_ttl ] host [ packetlen ]\n',
      );
      return 2;
    }
    const found = await lookup(process, host);
    if (found.kind !== 'found') {
      await err(process, `${host}: Name or service not known\nCannot handle "host" cmdline arg \`${host}' on position 1 (argc 1)\n`);
      return 2;
    }
    const address = found.addresses[0]!;
    await out(process, `traceroute to ${host} (${address}), ${hops} hops max, 60 byte packets\n`);
    const interrupt = new Interrupt(process);
    for (let ttl = 1; ttl <= hops && !interrupt.isRaised; ttl++) {
      const replies = await Promise.all(Array.from({ length: probes }, (_, at) => probe(process, address, ttl, waitMs, at + 1, interrupt)));
      let line = `${String(ttl).padStart(2)} `;
      let from = '';
      let isOver = false;
      for (const reply of replies) {
        if (reply === undefined) {
          line += ' *';
          continue;
        }
        if (reply.from !== from) line += ` ${reply.from} (${reply.from}) `;
        from = reply.from;
        line += ` ${(reply.roundTripUs / 1000).toFixed(3)} ms`;
        if (reply.kind === 'host-unreachable') line += ' !H';
        else if (reply.kind === 'net-unreachable') line += ' !N';
        else if (reply.kind === 'admin-prohibited') line += ' !X';
        if (reply.kind !== 'ttl-exceeded') isOver = true;
      }
      await out(process, `${line}\n`);
      if (isOver) break;
    }
    return 0;
  },
};

async function probe(
  process: Process,
  address: string,
  ttl: number,
  timeoutMs: number,
  sequence: number,
  interrupt: Interrupt,
): ReturnType<Process['sys']['net']['ping']> {
  try {
    return await process.sys.net.ping({
      address,
      ttl,
      timeoutMs,
      sizeBytes: 32,
      sequence: ttl * 8 + sequence,
      identifier: process.pid & 0xffff,
      signal: interrupt.signal,
    });
  } catch (error) {
    if (error === interrupt.reason || isSysError(error)) return undefined;
    throw error;
  }
}

export const tracepath: Program = {
  name: 'tracepath',
  async main(process) {
    const host = process.argv.slice(1).find((arg) => !arg.startsWith('-'));
    if (host === undefined) {
      await err(process, 'Usage: tracepath [-n] [-b] [-l <len>] [-p port] <destination>\n');
      return 255;
    }
    const found = await lookup(process, host);
    if (found.kind !== 'found') {
      await err(process, `tracepath: ${host}: Name or service not known\n`);
      return 1;
    }
    const address = found.addresses[0]!;
    const interrupt = new Interrupt(process);
    const route = process.sys.net.lookupRoute(address);
    const mtu = process.sys.net.links().find((link) => link.name === route.device)?.mtu ?? 1500;
    await out(process, ` 1?: [LOCALHOST]                                         pmtu ${mtu}\n`);
    for (let ttl = 1; ttl <= MAX_HOPS && !interrupt.isRaised; ttl++) {
      const reply = await probe(process, address, ttl, 1_000, 1, interrupt);
      if (reply === undefined) await out(process, `${String(ttl).padStart(2)}:  no reply\n`);
      else {
        const isEnd = reply.kind !== 'ttl-exceeded';
        await out(
          process,
          `${String(ttl).padStart(2)}:  ${reply.from.padEnd(52)} ${`${(reply.roundTripUs / 1000).toFixed(3)}ms`.padStart(8)} ${isEnd ? 'reached' : ''}\n`,
        );
        if (isEnd) {
          await out(process, `     Resume: pmtu ${mtu} hops ${ttl} back ${ttl} \n`);
          return 0;
        }
      }
    }
    await out(process, `     Too many hops: pmtu ${mtu}\n     Resume: pmtu ${mtu} \n`);
    return 0;
  },
};

export const tcpdump: Program = {
  name: 'tcpdump',
  paths: ['/usr/sbin/tcpdump'],
  async main(process) {
    const args = process.argv.slice(1);
    let link: string | undefined;
    let count: number | undefined;
    let withMac = false;
    const words: string[] = [];
    while (args.length > 0) {
      const arg = args.shift()!;
      if (arg === '-i') link = args.shift();
      else if (arg === '-c') count = Number(args.shift());
      else if (arg === '-w' || arg === '-r') {
        await err(process, `tcpdump: not emulated: ${arg}\n`);
        return 1;
      } else if (arg === '-s') args.shift();
      else if (/^-[a-zA-Z]+$/.test(arg)) {
        if (arg.includes('e')) withMac = true;
        const attached = /i(\w+)$/.exec(arg);
        if (attached !== null) link = attached[1];
        else if (arg.endsWith('i')) link = args.shift();
      } else words.push(arg);
    }
    const { sys } = process;
    if (sys.credentials().uid !== 0) {
      await err(
        process,
        `tcpdump: ${link ?? 'eth0'}: You don't have permission to capture on that device\n(socket: Operation not permitted)\n`,
      );
      return 1;
    }
    link ??= sys.net.links().find((one) => one.isUp && one.kind !== 'loopback')?.name ?? 'lo';
    if (link !== 'any' && !sys.net.links().some((one) => one.name === link)) {
      await err(process, `tcpdump: ${link}: No such device exists\n(SIOCGIFHWADDR: No such device)\n`);
      return 1;
    }
    const filter = compile(
      words
        .join(' ')
        .replace(/[()]/g, ' ')
        .trim()
        .split(/\s+/)
        .filter((word) => word !== ''),
    );
    if (filter === undefined) {
      await err(process, 'tcpdump: syntax error\n');
      return 1;
    }
    const kind =
      link === 'any'
        ? 'LINUX_SLL (Linux cooked)'
        : sys.net.links().find((one) => one.name === link)!.kind === 'ipip'
          ? 'RAW (Raw IP)'
          : 'EN10MB (Ethernet)';
    await err(
      process,
      `tcpdump: verbose output suppressed, use -v or -vv for full protocol decode\nlistening on ${link}, link-type ${kind}, capture size 262144 bytes\n`,
    );
    const lines: string[] = [];
    let captured = 0;
    let wake: () => void = () => undefined;
    const capture = sys.net.onCapture(link, (frame) => {
      if (!filter(frame) || (count !== undefined && captured >= count)) return;
      captured++;
      lines.push(
        `${timeOf(process)} ${withMac ? `${frame.source} > ${frame.destination}, length ${frame.sizeBytes}: ` : ''}${frame.text}\n`,
      );
      wake();
    });
    let isStopped = false;
    sys.onSignal('SIGINT', () => {
      isStopped = true;
      wake();
    });
    try {
      for (;;) {
        while (lines.length > 0) await out(process, lines.shift()!);
        if (isStopped || (count !== undefined && captured >= count)) break;
        await sys.block<void>((resolve) => {
          wake = () => resolve();
          return undefined;
        });
      }
    } finally {
      capture.dispose();
    }
    await err(
      process,
      `${isStopped ? '\n' : ''}${captured} packets captured\n${captured} packets received by filter\n0 packets dropped by kernel\n`,
    );
    return 0;
  },
};

function timeOf(process: Process): string {
  const ms = process.sys.now() + 9 * 3_600_000;
  return `${new Date(ms).toISOString().slice(11, 23)}000`;
}

type Filter = (frame: CapturedFrame) => boolean;

/** `and`, `or`, `not` from left to right over primitives; undefined for what is no filter. */
function compile(words: readonly string[]): Filter | undefined {
  let result: Filter | undefined;
  let join: 'and' | 'or' = 'and';
  let negated = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === 'and' || word === '&&' || word === 'or' || word === '||') {
      join = word === 'and' || word === '&&' ? 'and' : 'or';
      continue;
    }
    if (word === 'not' || word === '!') {
      negated = !negated;
      continue;
    }
    let side: 'src' | 'dst' | undefined;
    let kind = word;
    if (word === 'src' || word === 'dst') {
      side = word;
      kind = words[at + 1] === 'port' || words[at + 1] === 'host' || words[at + 1] === 'net' ? words[++at]! : 'host';
    }
    let primitive: Filter;
    if (['tcp', 'udp', 'icmp', 'arp'].includes(kind)) primitive = (frame) => frame.protocol === kind;
    else if (kind === 'ip') primitive = (frame) => frame.protocol !== 'arp';
    else if (kind === 'proto') {
      const value = words[++at];
      primitive = (frame) => (value === '4' ? frame.protocol === 'ipip' : frame.protocol === value);
    } else if (kind === 'port') {
      const port = Number(words[++at]);
      if (Number.isNaN(port)) return undefined;
      primitive = (frame) => (side !== 'dst' && frame.sourcePort === port) || (side !== 'src' && frame.destinationPort === port);
    } else if (kind === 'host' || kind === 'net') {
      const value = words[++at] ?? '';
      const start = kind === 'net' ? value.replace(/(\.0)*(\/\d+)?$/, '.') : value;
      const fits = (address: string): boolean => (kind === 'net' ? address.startsWith(start) : address === value);
      primitive = (frame) => (side !== 'dst' && fits(frame.sourceAddress)) || (side !== 'src' && fits(frame.destinationAddress));
    } else return undefined;
    const one: Filter = negated ? (frame) => !primitive(frame) : primitive;
    negated = false;
    const before = result;
    result = before === undefined ? one : join === 'and' ? (frame) => before(frame) && one(frame) : (frame) => before(frame) || one(frame);
    join = 'and';
  }
  return result ?? (() => true);
}
