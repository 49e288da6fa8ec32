// etcdctl endpoint, member, alarm, defrag, compaction, check and move-leader.

import type { Process } from '../../../kernel/process.ts';
import { decimalOf } from '../../../etcd/membership.ts';
import { EtcdError } from '../../../etcd/mvcc.ts';
import { prefixEnd, type StatusResult } from '../../../etcd/protocol.ts';
import { utf8 } from '../../../sim/bytes.ts';
import { withEtcd } from './connection.ts';
import { badArgs, Failure } from './failure.ts';
import { need, type CommandLine, type FlagTable } from './flags.ts';
import { drawTable, headerJson, headerOf, sizeOf, unsupported } from './printer.ts';

export const ENDPOINT_FLAGS: FlagTable = { cluster: 'switch', rev: 'value' };
export const DEFRAG_FLAGS: FlagTable = { cluster: 'switch', 'data-dir': 'value' };
export const COMPACTION_FLAGS: FlagTable = { physical: 'switch' };
export const CHECK_FLAGS: FlagTable = { load: 'value', prefix: 'value', 'auto-compact': 'switch', 'auto-defrag': 'switch' };
export const MEMBER_FLAGS: FlagTable = { 'peer-urls': 'value', learner: 'switch' };

/** With --cluster the endpoints are what the members say. */
async function endpointsOf(process: Process, line: CommandLine): Promise<readonly string[]> {
  if (!line.isOn('cluster')) return line.endpoints;
  return withEtcd(process, line, async ({ client }) => (await client.status()).clientUrls);
}

export async function endpoint(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  const [what = ''] = words;
  if (what === 'health') return health(process, line);
  if (what === 'status') return status(process, line);
  if (what === 'hashkv') return hash(process, line);
  throw new Failure(`unknown command ${JSON.stringify(what)} for "etcdctl endpoint"`);
}

async function health(process: Process, line: CommandLine): Promise<number> {
  const { format } = line;
  const found: { readonly endpoint: string; readonly took: string; readonly error: string }[] = [];
  for (const each of await endpointsOf(process, line)) {
    const startedMs = process.sys.now();
    let error = '';
    try {
      await withEtcd(process, line, ({ client }) => client.range('health'), each);
    } catch (cause) {
      if (!(cause instanceof EtcdError)) throw cause;
      error = cause.message;
    }
    // On the lab's network a question takes no time; on a real one a few milliseconds.
    const tookMs = process.sys.now() - startedMs + 5 + process.sys.rng.float() * 8;
    found.push({ endpoint: each, took: tookMs >= 1000 ? `${(tookMs / 1000).toFixed(9)}s` : `${tookMs.toFixed(6)}ms`, error });
  }
  if (format === 'json') {
    await process.stdout.write(
      utf8(
        `${JSON.stringify(found.map((each) => ({ endpoint: each.endpoint, health: each.error === '', took: each.took, ...(each.error === '' ? {} : { error: each.error }) })))}\n`,
      ),
    );
  } else if (format === 'table') {
    const rows = found.map((each) => [each.endpoint, String(each.error === ''), each.took, each.error]);
    await process.stdout.write(utf8(drawTable(['ENDPOINT', 'HEALTH', 'TOOK', 'ERROR'], rows)));
  } else if (format === 'simple') {
    for (const { endpoint: to, took, error } of found) {
      if (error === '') await process.stdout.write(utf8(`${to} is healthy: successfully committed proposal: took = ${took}\n`));
      else await process.stderr.write(utf8(`${to} is unhealthy: failed to commit proposal: ${error}\n`));
    }
  } else throw unsupported(format);
  if (found.some((each) => each.error !== '')) throw new Failure('unhealthy cluster');
  return 0;
}

const STATUS = [
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

async function status(process: Process, line: CommandLine): Promise<number> {
  const { format } = line;
  const found: { readonly endpoint: string; readonly status: StatusResult }[] = [];
  let failed: string | undefined;
  for (const each of await endpointsOf(process, line)) {
    try {
      found.push({ endpoint: each, status: await withEtcd(process, line, ({ client }) => client.status(), each) });
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      failed = error.message;
      await process.stderr.write(utf8(`Failed to get the status of endpoint ${each} (${error.message})\n`));
    }
  }
  const rows = found.map(({ endpoint: to, status: s }) => [
    to,
    s.memberId,
    s.version,
    sizeOf(s.dbSizeBytes),
    'true',
    'false',
    String(s.raftTerm),
    String(s.raftIndex),
    String(s.raftIndex),
    s.alarms.map((alarm) => `memberID:${decimalOf(s.memberId)} alarm:${alarm} `).join(''),
  ]);
  if (format === 'table') await process.stdout.write(utf8(drawTable(STATUS, rows)));
  else if (format === 'json') {
    const shown = found.map(
      ({ endpoint: to, status: s }) =>
        `{"Endpoint":${JSON.stringify(to)},"Status":{${headerJson(headerOf(s))},"version":${JSON.stringify(s.version)},"dbSize":${s.dbSizeBytes},"leader":${decimalOf(s.memberId)},"raftIndex":${s.raftIndex},"raftTerm":${s.raftTerm},"raftAppliedIndex":${s.raftIndex},"dbSizeInUse":${s.dbSizeInUseBytes}}}`,
    );
    await process.stdout.write(utf8(`[${shown.join(',')}]\n`));
  } else if (format === 'simple') await process.stdout.write(utf8(rows.map((row) => `${row.join(', ')}\n`).join('')));
  else throw unsupported(format);
  return failed === undefined ? 0 : 1;
}

async function hash(process: Process, line: CommandLine): Promise<number> {
  const rows: string[][] = [];
  for (const each of await endpointsOf(process, line)) {
    const result = await withEtcd(process, line, ({ client }) => client.hash(line.integer('rev', 0)), each);
    rows.push([each, String(result.hash)]);
  }
  if (line.format === 'table') await process.stdout.write(utf8(drawTable(['ENDPOINT', 'HASH'], rows)));
  else if (line.format === 'simple') await process.stdout.write(utf8(rows.map((row) => `${row.join(', ')}\n`).join('')));
  else throw unsupported(line.format);
  return 0;
}

export async function member(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  const [what = '', id = ''] = words;
  if (what === 'list') {
    const s = await withEtcd(process, line, ({ client }) => client.status());
    const row = [s.memberId, 'started', s.name, s.peerUrls.join(','), s.clientUrls.join(','), 'false'];
    const { format } = line;
    if (format === 'table')
      await process.stdout.write(utf8(drawTable(['ID', 'STATUS', 'NAME', 'PEER ADDRS', 'CLIENT ADDRS', 'IS LEARNER'], [row])));
    else if (format === 'json') {
      const shown = `{"ID":${decimalOf(s.memberId)},"name":${JSON.stringify(s.name)},"peerURLs":${JSON.stringify(s.peerUrls)},"clientURLs":${JSON.stringify(s.clientUrls)}}`;
      await process.stdout.write(
        utf8(
          `{"header":{"cluster_id":${decimalOf(s.clusterId)},"member_id":${decimalOf(s.memberId)},"raft_term":${s.raftTerm}},"members":[${shown}]}\n`,
        ),
      );
    } else if (format === 'simple') await process.stdout.write(utf8(`${row.join(', ')}\n`));
    else throw unsupported(format);
    return 0;
  }
  if (!['add', 'remove', 'update', 'promote'].includes(what))
    throw new Failure(`unknown command ${JSON.stringify(what)} for "etcdctl member"`);
  if (what === 'add') throw new Failure('not emulated: a cluster of more than one member');
  need(id !== '', what === 'remove' ? 'member ID is not provided' : `member ${what} command needs a member ID`);
  if (!/^[0-9a-fA-F]{1,16}$/.test(id))
    throw badArgs(`bad member ID arg (strconv.ParseUint: parsing ${JSON.stringify(id)}: invalid syntax), expecting ID in Hex`);
  const { memberId } = await withEtcd(process, line, ({ client }) => client.status());
  if (memberId !== id.toLowerCase().replace(/^0+/, '')) throw new EtcdError('etcdserver: member not found');
  if (what === 'promote') throw new EtcdError('etcdserver: can only promote a learner member');
  if (what === 'update') throw new Failure('not emulated: peers at other addresses');
  // The last member cannot be taken out of its own cluster.
  throw new EtcdError('etcdserver: re-configuration failed due to not enough started members');
}

export async function alarm(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  const [what = ''] = words;
  if (what !== 'list' && what !== 'disarm') throw new Failure(`unknown command ${JSON.stringify(what)} for "etcdctl alarm"`);
  const { alarms, memberId } = await withEtcd(process, line, async ({ client }) => ({
    alarms: await client.alarms(what === 'disarm'),
    memberId: (await client.status()).memberId,
  }));
  for (const each of alarms) await process.stdout.write(utf8(`memberID:${decimalOf(memberId)} alarm:${each} \n`));
  return 0;
}

export async function defrag(process: Process, line: CommandLine): Promise<number> {
  let failures = 0;
  for (const each of await endpointsOf(process, line)) {
    try {
      await withEtcd(process, line, ({ client }) => client.defragment(), each);
      await process.stdout.write(utf8(`Finished defragmenting etcd member[${each}]\n`));
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      failures++;
      await process.stderr.write(utf8(`Failed to defragment etcd member[${each}] (${error.message})\n`));
    }
  }
  return failures === 0 ? 0 : 1;
}

export async function compaction(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  const [given] = words;
  need(given !== undefined && words.length === 1, 'compaction command needs 1 argument');
  if (!/^-?\d+$/.test(given!)) throw new Failure(`strconv.ParseInt: parsing ${JSON.stringify(given)}: invalid syntax`);
  await withEtcd(process, line, ({ client }) => client.compact(Number(given)));
  await process.stdout.write(utf8(`compacted revision ${given}\n`));
  return 0;
}

export async function moveLeader(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  const [given] = words;
  need(given !== undefined && words.length === 1, 'move-leader command needs 1 argument');
  if (!/^[0-9a-fA-F]{1,16}$/.test(given!)) throw badArgs(`strconv.ParseUint: parsing ${JSON.stringify(given)}: invalid syntax`);
  const { memberId } = await withEtcd(process, line, ({ client }) => client.status());
  if (memberId !== given!.toLowerCase().replace(/^0+/, '')) throw new EtcdError('etcdserver: bad leader transferee');
  await process.stdout.write(utf8(`Leadership transferred from ${memberId} to ${memberId}\n`));
  return 0;
}

const LOADS: Readonly<Record<string, { readonly limit: number; readonly seconds: number }>> = {
  s: { limit: 150, seconds: 60 },
  m: { limit: 1000, seconds: 60 },
  l: { limit: 8000, seconds: 60 },
  xl: { limit: 15000, seconds: 60 },
};

/** Writes for a minute and says how it went. */
export async function check(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  const [what = ''] = words;
  if (what !== 'perf') throw new Failure(`unknown command ${JSON.stringify(what)} for "etcdctl check"`);
  const load = { s: 's', small: 's', m: 'm', medium: 'm', l: 'l', large: 'l', xl: 'xl', xLarge: 'xl' }[line.or('load', 's')];
  if (load === undefined) throw badArgs(`unknown load option ${line.or('load', 's')}`);
  const { limit, seconds } = LOADS[load]!;
  const prefix = line.or('prefix', '/etcdctl-check-perf/');
  return withEtcd(process, line, async ({ client }) => {
    const there = await client.range(prefix, { end: prefixEnd(prefix), limit: 1 });
    if (there.count > 0) throw new Failure(`prefix ${JSON.stringify(prefix)} has keys. Delete with etcdctl del --prefix ${prefix} first.`);
    for (let second = 1; second <= seconds; second++) {
      // A second's writes at its start: what counts is that they all came through.
      for (let i = 0; i < limit; i++) await client.txn([], [{ op: 'put', key: `${prefix}${second}-${i}`, value: 'x'.repeat(1024) }]);
      await process.sys.sleep(1000);
      const share = (second / seconds) * 100;
      await process.stdout.write(
        utf8(`\r ${second} / ${seconds} Booooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo! ${share.toFixed(2)}%`),
      );
    }
    await client.txn([], [{ op: 'delete', key: prefix, end: prefixEnd(prefix) }]);
    await process.stdout.write(
      utf8(
        ` ${Math.floor(seconds / 60)}m0s\nPASS: Throughput is ${limit} writes/s\nPASS: Slowest request took 0.020000s\nPASS: Stddev is 0.001000s\nPASS\n`,
      ),
    );
    return 0;
  });
}
