// etcdctl snapshot: copies of etcd's data in files, and new data directories from them.
// Not modelled: bolt's format; a file holds the keys of one revision and a digest, and is as long as bolt's would be.

import { sha256 } from '@noble/hashes/sha2.js';
import type { Process } from '../../../kernel/process.ts';
import { DEFAULT_TOKEN, memberOf, storeMember } from '../../../etcd/membership.ts';
import { restoreSnapshot } from '../../../etcd/mvcc.ts';
import type { SnapshotResult } from '../../../etcd/protocol.ts';
import { text, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import { withEtcd } from './connection.ts';
import { badArgs, Failure } from './failure.ts';
import { need, type CommandLine, type FlagTable } from './flags.ts';
import { drawTable, sizeOf, unsupported } from './printer.ts';

export const SNAPSHOT_FLAGS: FlagTable = {
  'data-dir': 'value',
  'initial-advertise-peer-urls': 'value',
  'initial-cluster': 'value',
  'initial-cluster-token': 'value',
  name: 'value',
  'skip-hash-check': 'switch',
  'wal-dir': 'value',
};

const MAGIC = 'etcd-snapshot ';
const DIGEST_BYTES = 32;

export async function snapshot(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  const [verb, path, ...more] = words;
  switch (verb) {
    case 'save':
      need(path !== undefined && more.length === 0, 'snapshot save expects one argument');
      return save(process, line, path!);
    case 'status':
      need(path !== undefined && more.length === 0, 'snapshot status requires exactly one argument');
      return status(process, line, path!);
    case 'restore':
      need(path !== undefined && more.length === 0, 'snapshot restore requires exactly one argument');
      return restore(process, line, path!);
    default:
      throw new Failure(`unknown command ${JSON.stringify(verb ?? '')} for "etcdctl snapshot"`);
  }
}

/** A line of zap's log: fields in order. */
async function log(process: Process, caller: string, msg: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  const now = process.sys.now();
  // The client's own logger writes dates, the snapshot's seconds.
  const ts = caller.startsWith('clientv3/') ? new Date(now).toISOString() : now / 1000;
  await process.stderr.write(utf8(`${JSON.stringify({ level: 'info', ts, caller, msg, ...fields })}\n`));
}

async function save(process: Process, line: CommandLine, path: string): Promise<number> {
  const { endpoints } = line;
  if (endpoints.length > 1) throw badArgs(`snapshot must be requested to one selected node, not multiple [${endpoints.join(' ')}]`);
  await log(process, 'snapshot/v3_snapshot.go:119', 'created temporary db file', { path: `${path}.part` });
  const { result, endpoint } = await withEtcd(process, line, async ({ client, endpoint: to }) => {
    await client.status();
    await log(process, 'clientv3/maintenance.go:200', 'opened snapshot stream; downloading', {});
    await log(process, 'snapshot/v3_snapshot.go:127', 'fetching snapshot', { endpoint: to });
    return { result: await client.snapshot(), endpoint: to };
  });
  await log(process, 'clientv3/maintenance.go:208', 'completed snapshot read; closing', {});
  const bytes = encode(result);
  try {
    process.sys.writeFile(path, bytes, { mode: 0o600 });
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Failure(`could not open ${path}.part (open ${path}.part: ${error.strerror.toLowerCase()})`);
  }
  const took = 0.01 + process.sys.rng.float() / 20;
  await log(process, 'snapshot/v3_snapshot.go:142', 'fetched snapshot', {
    endpoint,
    size: sizeOf(bytes.length),
    took: Number(took.toFixed(9)),
  });
  await log(process, 'snapshot/v3_snapshot.go:152', 'saved', { path });
  await process.stdout.write(utf8(`Snapshot saved at ${path}\n`));
  return 0;
}

async function status(process: Process, line: CommandLine, path: string): Promise<number> {
  const bytes = read(process, path, `stat ${path}`);
  const result = decode(bytes, { isChecked: false });
  const row = [crcOf(bytes), String(result.revision), String(result.kvs.length), sizeOf(bytes.length)];
  const { format } = line;
  if (format === 'table') await process.stdout.write(utf8(drawTable(['HASH', 'REVISION', 'TOTAL KEYS', 'TOTAL SIZE'], [row])));
  else if (format === 'json') {
    const hash = Number.parseInt(row[0]!, 16);
    await process.stdout.write(
      utf8(`${JSON.stringify({ hash, revision: result.revision, totalKey: result.kvs.length, totalSize: bytes.length })}\n`),
    );
  } else if (format === 'fields') {
    await process.stdout.write(
      utf8(
        `"Hash" : ${Number.parseInt(row[0]!, 16)}\n"Revision" : ${result.revision}\n"Keys" : ${result.kvs.length}\n"Size" : ${bytes.length}\n`,
      ),
    );
  } else if (format === 'simple') await process.stdout.write(utf8(`${row.join(', ')}\n`));
  else throw unsupported(format);
  return 0;
}

async function restore(process: Process, line: CommandLine, path: string): Promise<number> {
  const { sys } = process;
  const name = line.or('name', 'default');
  const directory = line.or('data-dir', `${name}.etcd`);
  const walDirectory = line.or('wal-dir', `${directory}/member/wal`);
  const snapDirectory = `${directory}/member/snap`;
  const peers = line.or('initial-advertise-peer-urls', 'http://localhost:2380').split(',');
  const cluster = line.or('initial-cluster', 'default=http://localhost:2380');
  const own = cluster
    .split(',')
    .filter((each) => each.startsWith(`${name}=`))
    .map((each) => each.slice(name.length + 1));
  if (own.length === 0) throw badArgs(`couldn't find local name ${JSON.stringify(name)} in the initial cluster configuration`);
  if ([...own].sort().join(',') !== [...peers].sort().join(',')) {
    throw badArgs(
      `--initial-cluster has ${cluster} but missing from --initial-advertise-peer-urls=${peers.join(',')} (resolved urls: "${peers.join(',')}" != "${own.join(',')}")`,
    );
  }
  const token = line.or('initial-cluster-token', DEFAULT_TOKEN);
  if (sys.exists(directory)) throw new Failure(`data-dir ${JSON.stringify(directory)} exists`);
  await log(process, 'snapshot/v3_snapshot.go:296', 'restoring snapshot', {
    path,
    'wal-dir': walDirectory,
    'data-dir': directory,
    'snap-dir': snapDirectory,
  });
  const bytes = read(process, path, `open ${path}`);
  const result = decode(bytes, { isChecked: !line.isOn('skip-hash-check') });
  sys.mkdir(snapDirectory, { recursive: true, mode: 0o700 });
  sys.mkdir(walDirectory, { recursive: true, mode: 0o700 });
  const member = memberOf(own, token);
  const database = sys.database(`${snapDirectory}/db`);
  restoreSnapshot(database, result, `${sys.now()}-${sys.rng.int(2 ** 31)}`);
  storeMember(database, member);
  await log(process, 'mvcc/kvstore.go:388', 'restored last compact revision', {
    'meta-bucket-name': 'meta',
    'meta-bucket-name-key': 'finishedCompactRev',
    'restored-compact-revision': Math.max(0, result.revision - 1),
  });
  await log(process, 'membership/cluster.go:392', 'added member', {
    'cluster-id': member.clusterId,
    'local-member-id': '0',
    'added-peer-id': member.memberId,
    'added-peer-peer-urls': own,
  });
  await log(process, 'snapshot/v3_snapshot.go:309', 'restored snapshot', {
    path,
    'wal-dir': walDirectory,
    'data-dir': directory,
    'snap-dir': snapDirectory,
  });
  return 0;
}

function read(process: Process, path: string, what: string): Uint8Array {
  try {
    return process.sys.readFile(path);
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Failure(`${what}: ${error.strerror.toLowerCase()}`);
  }
}

/** The contents, zeros up to the size of the database, and the digest of both. */
function encode(result: SnapshotResult): Uint8Array {
  const head = utf8(`${MAGIC}${JSON.stringify({ revision: result.revision, kvs: result.kvs })}\n`);
  const length = Math.max(result.sizeBytes, head.length);
  const bytes = new Uint8Array(length + DIGEST_BYTES);
  bytes.set(head);
  bytes.set(sha256(bytes.subarray(0, length)), length);
  return bytes;
}

function decode(bytes: Uint8Array, { isChecked }: { readonly isChecked: boolean }): SnapshotResult {
  const end = bytes.indexOf(10);
  if (end < 0 || !text(bytes.subarray(0, MAGIC.length)).startsWith(MAGIC)) throw new Failure('invalid database');
  if (isChecked) {
    const length = bytes.length - DIGEST_BYTES;
    const got = bytes.subarray(length);
    const want = sha256(bytes.subarray(0, length));
    if (want.some((byte, index) => byte !== got[index]))
      throw new Failure(`expected sha256 [${[...got].join(' ')}], got [${[...want].join(' ')}]`);
  }
  let contents: Pick<SnapshotResult, 'revision' | 'kvs'>;
  try {
    contents = JSON.parse(text(bytes.subarray(MAGIC.length, end))) as Pick<SnapshotResult, 'revision' | 'kvs'>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Failure('invalid database');
  }
  return { ...contents, sizeBytes: bytes.length };
}

/** CRC-32 (Castagnoli) of the file, in hexadecimal digits. */
function crcOf(bytes: Uint8Array): string {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ((crc ^ 0xffffffff) >>> 0).toString(16);
}
