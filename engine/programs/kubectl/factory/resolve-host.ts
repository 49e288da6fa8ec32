// Models the resolver kubectl uses: numbers, /etc/hosts, then the name servers of /etc/resolv.conf.

import type { Process } from '../../../kernel/process.ts';
import { isSysError } from '../../../sim/errno.ts';
import { DialError } from './dial-error.ts';

const TIMEOUT_MS = 5_000;

/** The IPv4 address of a host. Throws DialError with Go's words. */
export async function resolveHost(process: Process, host: string): Promise<string> {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return host;
  const fromFile = lookupHosts(process, host);
  if (fromFile !== undefined) return fromFile;
  if (host === 'localhost') return '127.0.0.1';
  const servers = lines(process, '/etc/resolv.conf')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((server) => server !== undefined);
  for (const server of servers) {
    const answer = await query(process, server, host);
    if (answer !== undefined) return answer;
  }
  throw new DialError(`dial tcp: lookup ${host}${servers[0] === undefined ? '' : ` on ${servers[0]}:53`}: no such host`);
}

function lookupHosts(process: Process, host: string): string | undefined {
  for (const line of lines(process, '/etc/hosts')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (names.includes(host) && address.includes('.')) return address;
  }
  return undefined;
}

function lines(process: Process, path: string): readonly string[] {
  try {
    return process.sys.readTextFile(path).split('\n');
  } catch (error) {
    if (isSysError(error)) return [];
    throw error;
  }
}

/** One question for an A record; undefined without a usable answer in time. */
async function query(process: Process, server: string, host: string): Promise<string | undefined> {
  const socket = process.sys.net.udp({ pid: process.pid });
  const controller = new AbortController();
  const timer = process.sys.clock.setTimer(TIMEOUT_MS, () => controller.abort(new DialError('i/o timeout')));
  try {
    socket.send(question(process.sys.rng.int(0x10000), host), { address: server, port: 53 });
    return firstAddress((await socket.receive(controller.signal)).bytes);
  } catch (error) {
    if (error instanceof DialError || isSysError(error)) return undefined;
    throw error;
  } finally {
    timer.dispose();
    socket.dispose();
  }
}

function question(id: number, host: string): Uint8Array {
  const bytes = [id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  for (const label of host.replace(/\.$/, '').split('.')) bytes.push(label.length, ...[...label].map((char) => char.charCodeAt(0)));
  bytes.push(0, 0, 1, 0, 1);
  return Uint8Array.from(bytes);
}

function firstAddress(bytes: Uint8Array): string | undefined {
  const word = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const skipName = (at: number): number => {
    for (;;) {
      const length = bytes[at] ?? 0;
      if (length >= 0xc0) return at + 2;
      if (length === 0) return at + 1;
      at += length + 1;
    }
  };
  let at = 12;
  for (let count = word(4); count > 0; count--) at = skipName(at) + 4;
  for (let count = word(6); count > 0; count--) {
    at = skipName(at);
    const length = word(at + 8);
    if (word(at) === 1 && length === 4) return [...bytes.subarray(at + 10, at + 14)].join('.');
    at += 10 + length;
  }
  return undefined;
}
