// Models glibc's resolver: /etc/hosts, then the servers of /etc/resolv.conf with search list and ndots. A library over texts:
// whoever calls it reads the files of its own root.

import type { Clock } from '../sim/clock.ts';
import { isSysError } from '../sim/errno.ts';
import type { Rng } from '../sim/rng.ts';
import { decodeDns, encodeDns, reverseNameOf, type DnsMessage, type RecordType } from './dns.ts';
import { parseIp } from './address.ts';
import type { NetStack } from './net-stack.ts';

export interface ResolverConfig {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly timeoutMs: number;
  readonly attempts: number;
}

/** glibc asks at most three servers and knows at most six search domains. */
const MAX_SERVERS = 3;
const MAX_SEARCH = 6;

export function parseResolvConf(text: string): ResolverConfig {
  const servers: string[] = [];
  let search: readonly string[] = [];
  let ndots = 1;
  let timeoutMs = 5_000;
  let attempts = 2;
  for (const line of text.split('\n')) {
    const words = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    switch (words[0]) {
      case 'nameserver':
        if (words[1] !== undefined && servers.length < MAX_SERVERS) servers.push(words[1]);
        break;
      case 'domain':
      case 'search':
        search = words.slice(1, 1 + MAX_SEARCH);
        break;
      case 'options':
        for (const option of words.slice(1)) {
          const [name, value] = option.split(':');
          if (name === 'ndots') ndots = Math.min(15, Number(value));
          else if (name === 'timeout') timeoutMs = Math.min(30, Number(value)) * 1000;
          else if (name === 'attempts') attempts = Math.min(5, Number(value));
        }
    }
  }
  return { servers: servers.length === 0 ? ['127.0.0.1'] : servers, search, ndots, timeoutMs, attempts };
}

/** Address of a name in the text of /etc/hosts; IPv4 only. */
export function lookupHostsFile(hosts: string, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const line of hosts.split('\n')) {
    const [address, ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (address !== undefined && parseIp(address) !== undefined && names.some((one) => one.toLowerCase() === wanted)) return address;
  }
  return undefined;
}

/** First name of an address in the text of /etc/hosts. */
export function nameInHostsFile(hosts: string, address: string): string | undefined {
  for (const line of hosts.split('\n')) {
    const [one, name] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (one === address && name !== undefined) return name;
  }
  return undefined;
}

export type Resolution =
  | { readonly kind: 'found'; readonly addresses: readonly string[]; readonly canonicalName: string }
  /** EAI_NONAME: the name does not exist. */
  | { readonly kind: 'not-found' }
  /** EAI_AGAIN: no server answered, or they failed. */
  | { readonly kind: 'try-again' };

export interface ResolveContext {
  readonly net: NetStack;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Texts of the files; an absent file is an empty text. */
  readonly resolvConf: string;
  readonly hosts: string;
  readonly signal?: AbortSignal;
}

/** getaddrinfo(3) for IPv4: numbers, the hosts file, then DNS. */
export async function resolveHost(name: string, context: ResolveContext): Promise<Resolution> {
  if (parseIp(name) !== undefined) return { kind: 'found', addresses: [name], canonicalName: name };
  if (name === '' || name.length > 253 || /[^\w.-]/.test(name)) return { kind: 'not-found' };
  const inHosts = lookupHostsFile(context.hosts, name);
  if (inHosts !== undefined) return { kind: 'found', addresses: [inHosts], canonicalName: name };
  const config = parseResolvConf(context.resolvConf);
  let mustTryAgain = false;
  for (const candidate of candidateNames(name, config)) {
    const answer = await query(candidate, 'A', config, context);
    if (answer === undefined || answer.code === 'SERVFAIL' || answer.code === 'REFUSED') {
      mustTryAgain = true;
      // Without any server there is no point in the next suffix either.
      if (answer === undefined) break;
      continue;
    }
    const addresses = answer.answers.filter((record) => record.type === 'A').map((record) => record.data);
    if (addresses.length > 0) {
      const last = answer.answers.findLast((record) => record.type === 'A');
      return { kind: 'found', addresses, canonicalName: last?.name ?? candidate };
    }
  }
  return { kind: mustTryAgain ? 'try-again' : 'not-found' };
}

/** getnameinfo(3): the hosts file, then PTR. */
export async function resolveAddress(address: string, context: ResolveContext): Promise<string | undefined> {
  const inHosts = nameInHostsFile(context.hosts, address);
  if (inHosts !== undefined) return inHosts;
  const answer = await query(reverseNameOf(address), 'PTR', parseResolvConf(context.resolvConf), context);
  return answer?.answers.find((record) => record.type === 'PTR')?.data;
}

/** The names glibc tries, in order. */
export function candidateNames(name: string, config: ResolverConfig): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const dots = name.split('.').length - 1;
  const searched = config.search.map((domain) => (domain === '.' || domain === '' ? name : `${name}.${domain.replace(/\.$/, '')}`));
  return dots >= config.ndots ? [name, ...searched] : [...searched, name];
}

/** One question to the configured servers; undefined when none answered in time. */
export async function query(
  name: string,
  type: RecordType,
  config: ResolverConfig,
  context: Pick<ResolveContext, 'net' | 'clock' | 'rng' | 'signal'>,
): Promise<DnsMessage | undefined> {
  let failure: DnsMessage | undefined;
  for (let attempt = 0; attempt < config.attempts; attempt++) {
    for (const server of config.servers) {
      const answer = await ask(server, name, type, config.timeoutMs, context);
      if (answer === undefined) continue;
      if (answer.code !== 'SERVFAIL' && answer.code !== 'REFUSED') return answer;
      failure = answer;
    }
  }
  return failure;
}

/** One question to one server; undefined on time-out or when the server cannot be reached. */
export async function ask(
  server: string,
  name: string,
  type: RecordType,
  timeoutMs: number,
  context: Pick<ResolveContext, 'net' | 'clock' | 'rng' | 'signal'>,
  port = 53,
): Promise<DnsMessage | undefined> {
  if (parseIp(server) === undefined) return undefined;
  const { net, clock, rng } = context;
  const socket = net.udp({});
  const id = rng.int(65_536);
  const giveUp = new AbortController();
  const timer = clock.setTimer(timeoutMs, () => giveUp.abort(TIMED_OUT));
  try {
    const question: DnsMessage = {
      id,
      isResponse: false,
      recursionDesired: true,
      code: 'NOERROR',
      questions: [{ name, type }],
      answers: [],
    };
    socket.send(encodeDns(question), { address: server, port });
    for (;;) {
      const signal = context.signal === undefined ? giveUp.signal : AbortSignal.any([giveUp.signal, context.signal]);
      const { bytes, from } = await socket.receive(signal);
      const answer = decodeDns(bytes);
      if (answer !== undefined && answer.id === id && answer.isResponse && from.address === server) return answer;
    }
  } catch (error) {
    if (error === TIMED_OUT || isSysError(error, 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH', 'EPERM', 'EADDRNOTAVAIL', 'EINVAL'))
      return undefined;
    throw error;
  } finally {
    timer.dispose();
    socket.dispose();
  }
}

const TIMED_OUT = new Error('no answer in time');
