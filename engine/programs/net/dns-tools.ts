// Models bind-utils 9.11: nslookup, dig and host.

import type { Process, Program } from '../../kernel/process.ts';
import { reverseNameOf, type DnsMessage, type RecordType } from '../../net/dns.ts';
import { parseIp } from '../../net/address.ts';
import { ask, candidateNames, parseResolvConf, type ResolverConfig } from '../../net/resolver.ts';
import { err, lookup, out, readIfThere } from './io.ts';
import { formatTime } from './time.ts';

const TYPES: readonly RecordType[] = ['A', 'NS', 'CNAME', 'SOA', 'PTR', 'MX', 'TXT', 'AAAA', 'SRV', 'ANY'];

interface Answer {
  readonly message: DnsMessage;
  readonly server: string;
  readonly name: string;
}

/** Asks the servers in turn for every candidate name; undefined when nobody answered. */
async function find(
  process: Process,
  name: string,
  type: RecordType,
  config: ResolverConfig,
  options: { readonly search: boolean },
): Promise<Answer | undefined> {
  let last: Answer | undefined;
  for (const candidate of options.search ? candidateNames(name, config) : [name.replace(/\.$/, '')]) {
    const answer = await askAll(process, candidate, type, config);
    if (answer === undefined) return last;
    last = answer;
    if (answer.message.code === 'NOERROR' && answer.message.answers.length > 0) return answer;
  }
  return last;
}

async function askAll(process: Process, name: string, type: RecordType, config: ResolverConfig): Promise<Answer | undefined> {
  const { net, clock, rng } = process.sys;
  for (let attempt = 0; attempt < config.attempts + 1; attempt++) {
    for (const server of config.servers) {
      const message = await ask(server, name, type, config.timeoutMs, { net, clock, rng });
      if (message !== undefined) return { message, server, name };
    }
  }
  return undefined;
}

async function configOf(process: Process, server: string | undefined): Promise<ResolverConfig | string> {
  const config = parseResolvConf(readIfThere(process, '/etc/resolv.conf'));
  if (server === undefined) return config;
  const found = await lookup(process, server);
  return found.kind === 'found' ? { ...config, servers: found.addresses.slice(0, 1) } : server;
}

export const nslookup: Program = {
  name: 'nslookup',
  async main(process) {
    let type: RecordType = 'A';
    const words: string[] = [];
    for (const arg of process.argv.slice(1)) {
      const option = /^-(?:type|query|q)=(\w+)$/.exec(arg);
      if (option !== null) type = option[1]!.toUpperCase() as RecordType;
      else if (!arg.startsWith('-')) words.push(arg);
    }
    const [name, serverName] = words;
    if (name === undefined) {
      await err(process, 'not emulated: interactive nslookup\n');
      return 1;
    }
    const config = await configOf(process, serverName);
    if (typeof config === 'string') {
      await out(process, `nslookup: couldn't get address for '${config}': not found\n`);
      return 1;
    }
    const isReverse = parseIp(name) !== undefined;
    const answer = await find(process, isReverse ? reverseNameOf(name) : name, isReverse ? 'PTR' : type, config, { search: !isReverse });
    if (answer === undefined) {
      await out(process, ';; connection timed out; no servers could be reached\n\n');
      return 1;
    }
    let text = isReverse ? '' : `Server:\t\t${answer.server}\nAddress:\t${answer.server}#53\n\n`;
    const { message } = answer;
    if (message.code !== 'NOERROR') {
      await out(process, `${text}** server can't find ${isReverse ? reverseNameOf(name) : name}: ${message.code}\n\n`);
      return 1;
    }
    if (message.answers.length === 0) {
      await out(process, `${text}*** Can't find ${name}: No answer\n\n`);
      return 1;
    }
    if (message.isAuthoritative !== true && !isReverse) text += 'Non-authoritative answer:\n';
    for (const record of message.answers) {
      if (record.type === 'A' || record.type === 'AAAA') text += `Name:\t${record.name}\nAddress: ${record.data}\n`;
      else if (record.type === 'CNAME') text += `${record.name}\tcanonical name = ${record.data}.\n`;
      else if (record.type === 'PTR') text += `${record.name}\tname = ${record.data}.\n`;
      else if (record.type === 'SRV') text += `${record.name}\tservice = ${record.data}.\n`;
      else text += `${record.name}\t${record.type.toLowerCase()} = ${record.data}\n`;
    }
    if (isReverse && message.isAuthoritative !== true) text += '\nAuthoritative answers can be found from:\n';
    await out(process, `${text}\n`);
    return 0;
  },
};

export const host: Program = {
  name: 'host',
  async main(process) {
    const args = process.argv.slice(1);
    let type: RecordType | undefined;
    const words: string[] = [];
    while (args.length > 0) {
      const arg = args.shift()!;
      if (arg === '-t') type = (args.shift() ?? 'A').toUpperCase() as RecordType;
      else if (!arg.startsWith('-')) words.push(arg);
    }
    const [name, serverName] = words;
    if (name === undefined) {
      await err(
        process,
        'Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]\n            [-R number] [-m flag] hostname [server]\n',
      );
      return 1;
    }
    const config = await configOf(process, serverName);
    if (typeof config === 'string') {
      await out(process, `host: couldn't get address for '${config}': not found\n`);
      return 1;
    }
    const isReverse = parseIp(name) !== undefined;
    const answer = await find(process, isReverse ? reverseNameOf(name) : name, type ?? (isReverse ? 'PTR' : 'A'), config, {
      search: !isReverse,
    });
    if (answer === undefined) {
      await out(process, ';; connection timed out; no servers could be reached\n');
      return 1;
    }
    let text = serverName === undefined ? '' : `Using domain server:\nName: ${serverName}\nAddress: ${answer.server}#53\nAliases: \n\n`;
    if (answer.message.code !== 'NOERROR') {
      await out(process, `${text}Host ${isReverse ? `${reverseNameOf(name)}.` : name} not found: 3(${answer.message.code})\n`);
      return 1;
    }
    for (const record of answer.message.answers) {
      if (record.type === 'A') text += `${record.name} has address ${record.data}\n`;
      else if (record.type === 'CNAME') text += `${record.name} is an alias for ${record.data}.\n`;
      else if (record.type === 'PTR') text += `${record.name} domain name pointer ${record.data}.\n`;
      else if (record.type === 'SRV') text += `${record.name} has SRV record ${record.data}.\n`;
      else text += `${record.name} has ${record.type} record ${record.data}\n`;
    }
    if (text === '') text = `${name} has no ${type ?? 'A'} record\n`;
    await out(process, text);
    return 0;
  },
};

export const dig: Program = {
  name: 'dig',
  async main(process) {
    const args = process.argv.slice(1);
    let server: string | undefined;
    let name = '.';
    let type: RecordType = 'A';
    let short = false;
    let search = false;
    let answerOnly = false;
    while (args.length > 0) {
      const arg = args.shift()!;
      if (arg.startsWith('@')) server = arg.slice(1);
      else if (arg === '+short') short = true;
      else if (arg === '+search') search = true;
      else if (arg === '+noall') answerOnly = true;
      else if (arg.startsWith('+')) continue;
      else if (arg === '-x') {
        name = reverseNameOf(args.shift() ?? '');
        type = 'PTR';
      } else if (arg === '-t') type = (args.shift() ?? 'A').toUpperCase() as RecordType;
      else if (arg === '-p') args.shift();
      else if (TYPES.includes(arg.toUpperCase() as RecordType)) type = arg.toUpperCase() as RecordType;
      else name = arg;
    }
    const config = await configOf(process, server);
    const head = `\n; <<>> DiG 9.11.4-P2-RedHat-9.11.4-26.P2.el7_9.13 <<>> ${process.argv.slice(1).join(' ')}\n`;
    if (typeof config === 'string') {
      await out(process, `dig: couldn't get address for '${config}': not found\n`);
      return 10;
    }
    const started = process.sys.clock.now();
    const answer = await find(process, name, type, config, { search });
    if (answer === undefined) {
      await out(process, `${short ? '' : `${head};; global options: +cmd\n`};; connection timed out; no servers could be reached\n`);
      return 9;
    }
    const { message } = answer;
    const row = (record: { readonly name: string; readonly ttl: number; readonly type: RecordType; readonly data: string }): string => {
      const isName =
        record.type === 'CNAME' || record.type === 'PTR' || record.type === 'NS' || record.type === 'SRV' || record.type === 'MX';
      const left = `${record.name}.`;
      return `${left}${'\t'.repeat(Math.max(1, 3 - Math.floor(left.length / 8)))}${record.ttl}\tIN\t${record.type}\t${record.data}${isName ? '.' : ''}\n`;
    };
    if (short || answerOnly) {
      await out(
        process,
        message.answers.map((record) => (short ? `${record.data}${record.type === 'A' ? '' : '.'}\n` : row(record))).join(''),
      );
      return 0;
    }
    const flags = ['qr', ...(message.isAuthoritative === true ? ['aa'] : []), 'rd', ...(message.recursionAvailable === true ? ['ra'] : [])];
    let text = `${head};; global options: +cmd\n;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: ${message.code}, id: ${message.id}\n`;
    text += `;; flags: ${flags.join(' ')}; QUERY: 1, ANSWER: ${message.answers.length}, AUTHORITY: ${message.authority?.length ?? 0}, ADDITIONAL: ${message.additional?.length ?? 0}\n\n`;
    const question = `;${answer.name === '' ? '' : answer.name}.`;
    text += `;; QUESTION SECTION:\n${question}${'\t'.repeat(Math.max(1, 4 - Math.floor(question.length / 8)))}IN\t${type}\n\n`;
    if (message.answers.length > 0) text += `;; ANSWER SECTION:\n${message.answers.map(row).join('')}\n`;
    if ((message.authority?.length ?? 0) > 0) text += `;; AUTHORITY SECTION:\n${message.authority!.map(row).join('')}\n`;
    text += `;; Query time: ${Math.round(process.sys.clock.now() - started)} msec\n;; SERVER: ${answer.server}#53(${answer.server})\n`;
    text += `;; WHEN: ${formatTime(process, process.sys.now()).replace(/(\d{4})$/, 'KST $1')}\n;; MSG SIZE  rcvd: ${48 + message.answers.length * 16}\n\n`;
    await out(process, text);
    return 0;
  },
};
