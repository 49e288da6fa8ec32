// Models Go's resolver as daemons use it: /etc/hosts, then the servers of /etc/resolv.conf over UDP.

import { text } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import type { Syscalls } from '../../kernel/process.ts';

const TIMEOUT_MS = 5_000;
const ATTEMPTS = 2;
const TYPE_A = 1;
const DNS_PORT = 53;

/** Worded as Go words it: `lookup NAME on SERVER:53: no such host`. */
export class ResolveError extends Error {
  override readonly name = 'ResolveError';
}

/** The IPv4 addresses of a host name; an address is its own answer. */
export async function resolveHost(sys: Syscalls, name: string, signal?: AbortSignal): Promise<readonly string[]> {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return [name];
  const fromFile = hostsFile(sys, name);
  if (fromFile.length > 0) return fromFile;
  const servers = nameServers(sys);
  let failure = new ResolveError(`lookup ${name}: no such host`);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (const server of servers) {
      const answer = await query(sys, server, name, signal);
      if (typeof answer === 'string') {
        failure = new ResolveError(`lookup ${name} on ${server}:53: ${answer}`);
        if (answer === 'no such host') throw failure;
        continue;
      }
      return answer;
    }
  }
  throw failure;
}

function hostsFile(sys: Syscalls, name: string): readonly string[] {
  if (!sys.exists('/etc/hosts')) return [];
  return sys
    .readTextFile('/etc/hosts')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .filter(([address, ...names]) => address !== undefined && /^\d+\./.test(address) && names.includes(name))
    .map(([address]) => address!);
}

function nameServers(sys: Syscalls): readonly string[] {
  if (!sys.exists('/etc/resolv.conf')) return ['127.0.0.1'];
  const servers = [...sys.readTextFile('/etc/resolv.conf').matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
  return servers.length === 0 ? ['127.0.0.1'] : servers;
}

/** Addresses, or what went wrong. */
async function query(sys: Syscalls, server: string, name: string, signal: AbortSignal | undefined): Promise<readonly string[] | string> {
  const socket = sys.net.udp({});
  const timeout = new AbortController();
  const timer = sys.clock.setTimer(TIMEOUT_MS, () => timeout.abort());
  const onAbort = (): void => timeout.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const id = sys.rng.int(0x10000);
  try {
    socket.send(encodeQuery(id, name), { address: server, port: DNS_PORT });
    for (;;) {
      const { bytes } = await socket.receive(timeout.signal);
      const answer = decodeAnswer(bytes, id);
      if (answer !== undefined) return answer.length === 0 ? 'no such host' : answer;
    }
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason instanceof Error ? signal.reason : error;
    if (timeout.signal.aborted) return `read udp ${server}:53: i/o timeout`;
    if (error instanceof SysError) return `dial udp ${server}:53: connect: ${error.strerror.toLowerCase()}`;
    throw error;
  } finally {
    timer.dispose();
    signal?.removeEventListener('abort', onAbort);
    socket.dispose();
  }
}

function encodeQuery(id: number, name: string): Uint8Array {
  const labels = name.replace(/\.$/, '').split('.');
  const out = [id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  for (const label of labels) {
    out.push(label.length);
    for (const character of label) out.push(character.charCodeAt(0));
  }
  out.push(0, 0, TYPE_A, 0, 1);
  return Uint8Array.from(out);
}

/** Addresses of the answer to query `id`; undefined when it is another one's. */
function decodeAnswer(bytes: Uint8Array, id: number): readonly string[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint16(0) !== id) return undefined;
  const questions = view.getUint16(4);
  const answers = view.getUint16(6);
  let at = 12;
  const skipName = (): void => {
    while (at < bytes.length) {
      const length = bytes[at]!;
      if ((length & 0xc0) === 0xc0) {
        at += 2;
        return;
      }
      at += 1 + length;
      if (length === 0) return;
    }
  };
  for (let i = 0; i < questions; i++) {
    skipName();
    at += 4;
  }
  const found: string[] = [];
  for (let i = 0; i < answers && at + 10 <= bytes.length; i++) {
    skipName();
    const type = view.getUint16(at);
    const length = view.getUint16(at + 8);
    at += 10;
    if (type === TYPE_A && length === 4) found.push([...bytes.subarray(at, at + 4)].join('.'));
    at += length;
  }
  return found;
}

/** What a file under /etc names as search path and servers, for containers. */
export function resolvConf(sys: Syscalls): string {
  return sys.exists('/etc/resolv.conf') ? text(sys.readFile('/etc/resolv.conf')) : '';
}
