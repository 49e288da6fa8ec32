// Models ping(8) of iputils s20160308 (CentOS 7).

import type { Process, Program } from '../../kernel/process.ts';
import { parseIp } from '../../net/address.ts';
import type { EchoReply } from '../../net/net-stack.ts';
import { resolveAddress } from '../../net/resolver.ts';
import { isSysError } from '../../sim/errno.ts';
import { err, Interrupt, lookup, out, resolveContext } from './io.ts';

interface Options {
  count: number | undefined;
  intervalMs: number;
  waitMs: number;
  deadlineMs: number | undefined;
  sizeBytes: number;
  ttl: number;
  numeric: boolean;
  quiet: boolean;
  flood: boolean;
  source: string | undefined;
  host: string | undefined;
}

const USAGE =
  'Usage: ping [-aAbBdDfhLnOqrRUvV64] [-c count] [-i interval] [-I interface]\n' +
  '            [-m mark] [-M pmtudisc_option] [-l preload] [-p pattern] [-Q tos]\n' +
  '            [-s packetsize] [-S sndbuf] [-t ttl] [-T timestamp_option]\n' +
  '            [-w deadline] [-W timeout] [hop1 ...] destination\n';

export const ping: Program = {
  name: 'ping',
  async main(process) {
    const options = parse(process.argv.slice(1));
    if (typeof options === 'string') {
      await err(process, options);
      return 2;
    }
    if (options.host === undefined) {
      await err(process, USAGE);
      return 2;
    }
    const found = await lookup(process, options.host);
    if (found.kind !== 'found') {
      await err(
        process,
        `ping: ${options.host}: ${found.kind === 'not-found' ? 'Name or service not known' : 'Temporary failure in name resolution'}\n`,
      );
      return 2;
    }
    return run(process, options, found.addresses[0]!);
  },
};

async function run(process: Process, options: Options, address: string): Promise<number> {
  const { sys } = process;
  try {
    sys.net.lookupRoute(address);
  } catch (error) {
    if (!isSysError(error)) throw error;
    await err(process, `connect: ${error.strerror}\n`);
    return 2;
  }
  const interrupt = new Interrupt(process);
  const isNumber = parseIp(options.host!) !== undefined;
  const wholeBytes = options.sizeBytes + 28;
  await out(process, `PING ${options.host} (${address}) ${options.sizeBytes}(${wholeBytes}) bytes of data.\n`);
  // Replies to a number are named only as far as the hosts file knows; a name server would hold every line up.
  const name = isNumber ? address : options.numeric ? address : await nameOf(process, options.host!, address);
  const from = isNumber || options.numeric ? address : `${name} (${address})`;
  const startMs = sys.clock.now();
  const times: number[] = [];
  let sent = 0;
  let received = 0;
  let errors = 0;
  const pending: Promise<void>[] = [];
  const identifier = process.pid & 0xffff;
  const send = (sequence: number): Promise<void> =>
    sys.net
      .ping({
        address,
        ttl: options.ttl,
        sizeBytes: options.sizeBytes,
        timeoutMs: options.waitMs,
        signal: interrupt.signal,
        sequence,
        identifier,
        ...(options.source === undefined ? {} : { source: options.source }),
      })
      .then(async (reply) => {
        if (reply === undefined) return;
        if (reply.kind === 'reply') {
          received++;
          times.push(reply.roundTripUs);
          if (!options.quiet) {
            await out(
              process,
              `${options.sizeBytes + 8} bytes from ${from}: icmp_seq=${sequence} ttl=${reply.ttl} time=${milliseconds(reply.roundTripUs)} ms\n`,
            );
          }
        } else {
          errors++;
          if (!options.quiet) await out(process, `From ${reply.from} icmp_seq=${sequence} ${complaint(reply)}\n`);
        }
      })
      .catch(async (error: unknown) => {
        if (error === interrupt.reason) return;
        if (!isSysError(error)) throw error;
        if (error.errno !== 'EPERM') errors++;
        await err(process, `ping: sendmsg: ${error.strerror}\n`);
      });
  const isOver = (): boolean => interrupt.isRaised || (options.deadlineMs !== undefined && sys.clock.now() - startMs >= options.deadlineMs);
  for (let sequence = 1; !isOver() && (options.count === undefined || sent < options.count); sequence++) {
    sent++;
    const reply = send(sequence & 0xffff);
    pending.push(reply);
    const isLast = options.count !== undefined && sent >= options.count;
    if (isLast) {
      await Promise.all(pending);
      break;
    }
    if (pending.length > 64) void pending.shift();
    try {
      await sys.sleep(options.intervalMs, interrupt.signal);
    } catch (error) {
      if (error !== interrupt.reason) throw error;
    }
  }
  const elapsed = Math.round(sys.clock.now() - startMs);
  const loss = sent === 0 ? 0 : Math.floor(((sent - received) * 100) / sent);
  let summary = `\n--- ${options.host} ping statistics ---\n${sent} packets transmitted, ${received} received, ${errors > 0 ? `+${errors} errors, ` : ''}${loss}% packet loss, time ${elapsed}ms\n`;
  if (received > 0) {
    const [min, max] = [Math.min(...times), Math.max(...times)];
    const average = times.reduce((sum, time) => sum + time, 0) / times.length;
    const deviation = Math.sqrt(Math.max(0, times.reduce((sum, time) => sum + time * time, 0) / times.length - average * average));
    summary += `rtt min/avg/max/mdev = ${[min, average, max, deviation].map((value) => (value / 1000).toFixed(3)).join('/')} ms\n`;
  } else summary += errors > 0 ? `pipe ${Math.min(errors, 4)}\n` : '\n';
  await out(process, summary);
  return received === 0 || (options.count !== undefined && options.deadlineMs !== undefined && received < options.count) ? 1 : 0;
}

async function nameOf(process: Process, host: string, address: string): Promise<string> {
  return (await resolveAddress(address, resolveContext(process))) ?? (parseIp(host) === undefined ? host : address);
}

function complaint(reply: EchoReply): string {
  switch (reply.kind) {
    case 'net-unreachable':
      return 'Destination Net Unreachable';
    case 'port-unreachable':
      return 'Destination Port Unreachable';
    case 'admin-prohibited':
      return 'Destination Host Prohibited';
    case 'ttl-exceeded':
      return 'Time to live exceeded';
    default:
      return 'Destination Host Unreachable';
  }
}

/** Three significant digits, as iputils prints them. */
function milliseconds(us: number): string {
  const ms = us / 1000;
  if (us >= 100_000) return String(Math.round(ms));
  if (us >= 10_000) return ms.toFixed(1);
  return us >= 1_000 ? ms.toFixed(2) : ms.toFixed(3);
}

function parse(args: string[]): Options | string {
  const options: Options = {
    count: undefined,
    intervalMs: 1000,
    waitMs: 10_000,
    deadlineMs: undefined,
    sizeBytes: 56,
    ttl: 64,
    numeric: false,
    quiet: false,
    flood: false,
    source: undefined,
    host: undefined,
  };
  while (args.length > 0) {
    const arg = args.shift()!;
    if (!arg.startsWith('-') || arg === '-') {
      options.host = arg;
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at]!;
      if ('nqvUaAbBdDLOrR46'.includes(letter)) {
        if (letter === 'n') options.numeric = true;
        if (letter === 'q') options.quiet = true;
        continue;
      }
      if (letter === 'f') {
        options.flood = true;
        options.intervalMs = 10;
        continue;
      }
      if (!'ciWwstIMlmpQST'.includes(letter)) return `ping: invalid option -- '${letter}'\n${USAGE}`;
      const value = arg.slice(at + 1) || args.shift();
      if (value === undefined) return `ping: option requires an argument -- '${letter}'\n${USAGE}`;
      const number = Number(value);
      switch (letter) {
        case 'c':
          if (!(number >= 1)) return 'ping: bad number of packets to transmit.\n';
          options.count = number;
          break;
        case 'i':
          if (Number.isNaN(number) || number < 0) return 'ping: bad timing interval\n';
          options.intervalMs = number * 1000;
          break;
        case 'W':
          if (Number.isNaN(number)) return 'ping: bad linger time.\n';
          options.waitMs = Math.max(1, number * 1000);
          break;
        case 'w':
          if (Number.isNaN(number)) return 'ping: bad wait time.\n';
          options.deadlineMs = number * 1000;
          break;
        case 's':
          if (!(number >= 0 && number <= 65_507)) return `ping: packet size ${value} is too large. Maximum is 65507\n`;
          options.sizeBytes = number;
          break;
        case 't':
          if (!(number >= 1 && number <= 255)) return `ping: ttl ${value} out of range\n`;
          options.ttl = number;
          break;
        case 'I':
          if (parseIp(value) !== undefined) options.source = value;
      }
      break;
    }
  }
  return options;
}
