// Models etcdctl (v3 API) as far as one looks into a cluster's etcd with it.
// Not modelled: users, roles, leases, elections, watch.

import type { Process, Program } from '../../kernel/process.ts';
import { EtcdClient } from '../../etcd/client.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import { prefixEnd } from '../../etcd/protocol.ts';
import { connectTls, TlsError } from '../../net/tls.ts';
import { X509Error } from '../../net/x509.ts';
import { utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';

const VERSION = '3.4.13';

interface Options {
  readonly endpoints: readonly string[];
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly output: string;
  readonly isPrefix: boolean;
  readonly isKeysOnly: boolean;
  readonly isCountOnly: boolean;
  readonly isValueOnly: boolean;
  readonly limit: number;
  readonly words: readonly string[];
}

class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const etcdctl: Program = {
  name: 'etcdctl',
  paths: [],
  async main(process) {
    try {
      return await run(process, parse(process));
    } catch (error) {
      if (error instanceof UsageError) {
        await process.stderr.write(utf8(`Error: ${error.message}\n`));
        return 1;
      }
      if (isSysError(error) || error instanceof EtcdError || error instanceof TlsError || error instanceof X509Error) {
        await process.stderr.write(utf8(`Error: ${error instanceof EtcdError ? error.message : 'context deadline exceeded'}\n`));
        return 1;
      }
      throw error;
    }
  },
};

function parse(process: Process): Options {
  const given = new Map<string, string>();
  const words: string[] = [];
  const values = ['endpoints', 'cacert', 'cert', 'key', 'write-out', 'limit'];
  const switches = ['prefix', 'keys-only', 'count-only', 'print-value-only', 'from-key', 'cluster'];
  const args = process.argv.slice(1);
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '-w') given.set('write-out', args[++at] ?? '');
    else if (arg.startsWith('--')) {
      const [name = '', value] = arg.slice(2).split(/=(.*)/s);
      if (switches.includes(name)) given.set(name, value ?? 'true');
      else if (values.includes(name)) given.set(name, value ?? args[++at] ?? '');
      else throw new UsageError(`unknown flag: --${name}`);
    } else words.push(arg);
  }
  const or = (flag: string, variable: string): string | undefined => given.get(flag) ?? process.env.get(variable);
  return {
    endpoints: (or('endpoints', 'ETCDCTL_ENDPOINTS') ?? '127.0.0.1:2379').split(','),
    ca: or('cacert', 'ETCDCTL_CACERT'),
    cert: or('cert', 'ETCDCTL_CERT'),
    key: or('key', 'ETCDCTL_KEY'),
    output: given.get('write-out') ?? 'simple',
    isPrefix: given.get('prefix') === 'true',
    isKeysOnly: given.get('keys-only') === 'true',
    isCountOnly: given.get('count-only') === 'true',
    isValueOnly: given.get('print-value-only') === 'true',
    limit: Number(given.get('limit') ?? '0'),
    words,
  };
}

async function run(process: Process, options: Options): Promise<number> {
  const [command, ...rest] = options.words;
  const out = (text: string): Promise<void> => process.stdout.write(utf8(text));
  if (command === 'version') {
    await out(`etcdctl version: ${VERSION}\nAPI version: 3.4\n`);
    return 0;
  }
  if (command === 'snapshot' && rest[0] === 'status') return snapshotStatus(process, rest[1]);
  const client = connect(process, options, options.endpoints[0]!);
  try {
    switch (command) {
      case 'get': {
        const [key, until] = rest;
        if (key === undefined) throw new UsageError('get command needs one argument as key and an optional argument as range_end');
        const end = options.isPrefix ? prefixEnd(key) : until;
        const result = await client.range(key, {
          ...(end === undefined ? {} : { end }),
          limit: options.limit,
          keysOnly: options.isKeysOnly,
        });
        if (options.isCountOnly) return 0;
        for (const kv of result.kvs) {
          if (!options.isValueOnly) await out(`${kv.key}\n`);
          await out(`${kv.value}\n`);
        }
        return 0;
      }
      case 'put': {
        const [key, value] = rest;
        if (key === undefined || value === undefined)
          throw new UsageError('put command needs 1 argument and input from stdin or 2 arguments.');
        await client.txn([], [{ op: 'put', key, value }]);
        await out('OK\n');
        return 0;
      }
      case 'del': {
        const [key, until] = rest;
        if (key === undefined) throw new UsageError('del command needs one argument as key and an optional argument as range_end.');
        const end = options.isPrefix ? prefixEnd(key) : until;
        const result = await client.txn([], [{ op: 'delete', key, ...(end === undefined ? {} : { end }) }]);
        const deleted = result.results[0];
        await out(`${deleted !== null && deleted !== undefined && 'deleted' in deleted ? deleted.deleted : 0}\n`);
        return 0;
      }
      case 'endpoint':
        return await endpoint(process, options, rest[0]);
      case 'member': {
        if (rest[0] !== 'list') throw new UsageError(`unknown command "${rest[0] ?? ''}" for "etcdctl member"`);
        const { memberId, name } = await client.status();
        const url = options.endpoints[0]!.replace(/^(?!https?:)/, 'https://');
        await out(`${memberId}, started, ${name}, ${url.replace(/:2379$/, ':2380')}, ${url}, false\n`);
        return 0;
      }
      case 'compaction': {
        await client.compact(Number(rest[0]));
        await out(`compacted revision ${rest[0]!}\n`);
        return 0;
      }
      case 'snapshot': {
        const path = rest[1];
        if (rest[0] !== 'save' || path === undefined) throw new UsageError('snapshot save expects one argument');
        const all = await client.range('', { end: prefixEnd('') });
        process.sys.writeFile(path, JSON.stringify({ revision: all.revision, kvs: all.kvs }), { mode: 0o600 });
        await out(`Snapshot saved at ${path}\n`);
        return 0;
      }
      case undefined:
        throw new UsageError('a command is needed');
      default:
        throw new UsageError(`unknown command "${command}" for "etcdctl"`);
    }
  } finally {
    client.close();
  }
}

function connect(process: Process, options: Options, endpoint: string): EtcdClient {
  const { sys } = process;
  const match = /^(?:(https?):\/\/)?([^:/]+)(?::(\d+))?/.exec(endpoint);
  if (match === null) throw new UsageError(`invalid endpoint ${endpoint}`);
  const [, scheme, host = '', port = '2379'] = match;
  const isTls = scheme === 'https' || (scheme === undefined && (options.ca !== undefined || options.cert !== undefined));
  return new EtcdClient({
    dial: async () => {
      const connection = await sys.net.connect({
        address: host === 'localhost' ? '127.0.0.1' : host,
        port: Number(port),
        pid: process.pid,
      });
      if (!isTls) return connection;
      return connectTls(connection, {
        serverName: host,
        nowMs: sys.now(),
        rng: sys.rng,
        ...(options.ca === undefined ? {} : { ca: sys.readTextFile(options.ca) }),
        ...(options.cert === undefined || options.key === undefined
          ? {}
          : { certificate: { certificatePem: sys.readTextFile(options.cert), privateKeyPem: sys.readTextFile(options.key) } }),
      });
    },
  });
}

async function endpoint(process: Process, options: Options, what: string | undefined): Promise<number> {
  if (what !== 'health' && what !== 'status') throw new UsageError(`unknown command "${what ?? ''}" for "etcdctl endpoint"`);
  let failed = 0;
  const rows: (readonly string[])[] = [];
  for (const each of options.endpoints) {
    const client = connect(process, options, each);
    try {
      const startedMs = process.sys.clock.now();
      const status = await client.status();
      if (what === 'health') {
        const tookMs = process.sys.clock.now() - startedMs;
        await process.stdout.write(utf8(`${each} is healthy: successfully committed proposal: took = ${(tookMs + 9.1).toFixed(6)}ms\n`));
      } else {
        const { memberId, version, dbSizeBytes, raftTerm, raftIndex } = status;
        rows.push([
          each,
          memberId,
          version,
          sizeOf(dbSizeBytes),
          'true',
          'false',
          String(raftTerm),
          String(raftIndex),
          String(raftIndex),
          '',
        ]);
      }
    } catch (error) {
      if (!isSysError(error) && !(error instanceof TlsError) && !(error instanceof X509Error)) throw error;
      failed++;
      const text =
        what === 'health'
          ? `${each} is unhealthy: failed to commit proposal: context deadline exceeded`
          : `Failed to get the status of endpoint ${each} (context deadline exceeded)`;
      await process.stderr.write(utf8(`${text}\n`));
    } finally {
      client.close();
    }
  }
  if (rows.length > 0)
    await process.stdout.write(utf8(options.output === 'table' ? tableOf(rows) : `${rows.map((row) => row.join(', ')).join('\n')}\n`));
  if (failed > 0 && what === 'health') await process.stderr.write(utf8('Error: unhealthy cluster\n'));
  return failed > 0 ? 1 : 0;
}

const HEADINGS = [
  'ENDPOINT',
  'ID',
  'VERSION',
  'DB SIZE',
  'IS LEADER',
  'IS LEARNER',
  'RAFT TERM',
  'RAFT INDEX',
  'RAFT APPLIED INDEX',
  'ERRORS',
];

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((heading, index) => Math.max(heading.length, ...rows.map((row) => row[index]!.length)));
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const centred = (text: string, width: number): string => {
    const left = Math.floor((width - text.length) / 2);
    return ' '.repeat(left) + text + ' '.repeat(width - text.length - left);
  };
  const head = `|${HEADINGS.map((heading, index) => ` ${centred(heading, widths[index]!)} `).join('|')}|\n`;
  const body = rows
    .map(
      (row) =>
        `|${row.map((cell, index) => ` ${/^\d+$/.test(cell) ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)} `).join('|')}|\n`,
    )
    .join('');
  return rule + head + rule + body + rule;
}

function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB'];
  let size = bytes / 1000;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]!}`;
}

async function snapshotStatus(process: Process, path: string | undefined): Promise<number> {
  if (path === undefined) throw new UsageError('snapshot status requires exactly one argument');
  let contents: string;
  try {
    contents = process.sys.readTextFile(path);
  } catch (error) {
    if (!isSysError(error, 'ENOENT')) throw error;
    await process.stderr.write(utf8(`Error: stat ${path}: no such file or directory\n`));
    return 1;
  }
  const { revision, kvs } = JSON.parse(contents) as { revision: number; kvs: readonly unknown[] };
  let hash = 0x811c9dc5;
  for (let i = 0; i < contents.length; i++) hash = Math.imul(hash ^ contents.charCodeAt(i), 0x01000193);
  await process.stdout.write(utf8(`${(hash >>> 0).toString(16)}, ${revision}, ${kvs.length}, ${sizeOf(contents.length)}\n`));
  return 0;
}
