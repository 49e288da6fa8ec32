// Models socat 1.7.3 between its standard streams and TCP: what the kubelet forwards ports with.
// Not modelled: other addresses than STDIO, TCP and TCP-LISTEN.

import type { ByteSink, ByteSource, Connection, Process, Program } from '../../kernel/process.ts';
import { zoneOf } from '../../kernel/time-zone.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import { err, lookup } from './io.ts';

/** After one side has ended, the other may be silent for this long (-t). */
const CLOSING_MS = 500;

interface Side {
  readonly read: ByteSource;
  readonly write: ByteSink;
  /** The other side has ended. */
  shutdown(): void;
  close(): void;
}

class Fatal extends Error {}

export const socat: Program = {
  name: 'socat',
  async main(process) {
    const words: string[] = [];
    const args = process.argv.slice(1);
    let closingMs = CLOSING_MS;
    while (args.length > 0) {
      const arg = args.shift()!;
      if (arg === '-' || !arg.startsWith('-')) words.push(arg);
      else if (arg.startsWith('-t')) closingMs = Number(arg.slice(2) || (args.shift() ?? '')) * 1000;
      else if (!/^-(?:d+|v|u|U)$/.test(arg)) return complain(process, `unknown option "${arg}"; use option "-h" for help`);
    }
    if (words.length !== 2) return complain(process, `exactly 2 addresses required (there are ${words.length}); use option "-h" for help`);
    try {
      const left = await open(process, words[0]!);
      const right = await open(process, words[1]!);
      await join(process, left, right, closingMs);
      return 0;
    } catch (error) {
      if (error instanceof Fatal) return complain(process, error.message);
      throw error;
    }
  },
};

async function complain(process: Process, message: string): Promise<number> {
  const { sys } = process;
  const local = new Date(sys.now() + zoneOf(sys, process.env.get('TZ')).offsetMinutes * 60_000).toISOString();
  await err(process, `${local.slice(0, 10).replaceAll('-', '/')} ${local.slice(11, 19)} socat[${process.pid}] E ${message}\n`);
  return 1;
}

async function open(process: Process, address: string): Promise<Side> {
  if (address === '-' || /^stdio$/i.test(address))
    return { read: process.stdin, write: process.stdout, shutdown: () => undefined, close: () => undefined };
  const match = /^(tcp4?|tcp4?-listen|tcp4?-l)(?::(.*))?$/i.exec(address);
  if (match === null) throw new Fatal(`unknown device/address "${address.split(':')[0]!}"`);
  const kind = match[1]!.toLowerCase();
  const parts = (match[2] ?? '').split(',')[0]!.split(':');
  const { net } = process.sys;
  if (kind.includes('-l')) {
    const port = Number(parts[0]);
    try {
      const listener = net.listen({ address: '0.0.0.0', port });
      const connection = await listener.accept();
      listener.close();
      return sideOf(connection);
    } catch (error) {
      if (!isSysError(error)) throw error;
      throw new Fatal(`bind(5, {AF=2 0.0.0.0:${port}}, 16): ${error.strerror}`);
    }
  }
  if (parts.length !== 2)
    throw new Fatal(`${match[1]!.toUpperCase()}: wrong number of parameters (${parts[0] === '' ? 0 : parts.length} instead of 2)`);
  const [host = '', port = ''] = parts;
  const found = await lookup(process, host);
  if (found.kind !== 'found') throw new Fatal(`getaddrinfo("${host}", "NULL", {1,2,1,6}, {}): Name or service not known`);
  const to = found.addresses[0]!;
  try {
    return sideOf(await net.connect({ address: to, port: Number(port) }));
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Fatal(`connect(5, AF=2 ${to}:${port}, 16): ${error.strerror}`);
  }
}

function sideOf(connection: Connection): Side {
  return { read: connection, write: connection, shutdown: () => connection.shutdownWrite(), close: () => connection.close() };
}

/** Both ways until both have ended, or one has and the other is silent. */
async function join(process: Process, left: Side, right: Side, closingMs: number): Promise<void> {
  const over = new AbortController();
  let lastMs = 0;
  let hasEnded = false;
  const { clock } = process.sys;
  const watch = (): void => {
    const leftMs = lastMs + closingMs - clock.now();
    if (leftMs <= 0) over.abort(new SysError('EINTR'));
    else clock.setTimer(leftMs, watch);
  };
  const copy = async (from: Side, to: Side): Promise<void> => {
    try {
      for (;;) {
        const chunk = await from.read.read(undefined, over.signal);
        if (chunk === undefined) break;
        lastMs = clock.now();
        await to.write.write(chunk);
      }
      to.shutdown();
    } catch (error) {
      if (!isSysError(error)) throw error;
      over.abort(error);
    }
    lastMs = clock.now();
    if (!hasEnded) watch();
    hasEnded = true;
  };
  await Promise.all([copy(left, right), copy(right, left)]);
  over.abort(new SysError('EINTR'));
  left.close();
  right.close();
}
