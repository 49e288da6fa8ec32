// Models etcdctl 3.4 (v3 API).
// Not modelled: users and roles, elections and locks, mirrors, clusters of more than one member, the v2 API's keys.

import type { Process, Program } from '../../../kernel/process.ts';
import { EtcdError } from '../../../etcd/mvcc.ts';
import { utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import { EXIT_ERROR, Failure } from './failure.ts';
import { readCommandLine, type CommandLine, type FlagTable } from './flags.ts';
import { del, DEL_FLAGS, get, GET_FLAGS, lease, LEASE_FLAGS, put, PUT_FLAGS, txn, TXN_FLAGS, watch, WATCH_FLAGS } from './keys.ts';
import {
  alarm,
  check,
  CHECK_FLAGS,
  compaction,
  COMPACTION_FLAGS,
  defrag,
  DEFRAG_FLAGS,
  endpoint,
  ENDPOINT_FLAGS,
  member,
  MEMBER_FLAGS,
  moveLeader,
} from './maintenance.ts';
import { snapshot, SNAPSHOT_FLAGS } from './snapshots.ts';
import { withEtcd } from './connection.ts';

const VERSION = '3.4.13';

interface Command {
  readonly about: string;
  readonly flags?: FlagTable;
  run(process: Process, line: CommandLine, words: readonly string[]): Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  'alarm disarm': { about: 'Disarms all alarms', run: (process, line, words) => alarm(process, line, words) },
  'alarm list': { about: 'Lists all alarms', run: (process, line, words) => alarm(process, line, words) },
  'auth disable': { about: 'Disables authentication', run: auth },
  'auth enable': { about: 'Enables authentication', run: auth },
  'check perf': { about: 'Checks the performance of the cluster', flags: CHECK_FLAGS, run: check },
  compaction: { about: 'Compacts the history of keys', flags: COMPACTION_FLAGS, run: compaction },
  defrag: { about: 'Defragments the storage of members', flags: DEFRAG_FLAGS, run: (process, line) => defrag(process, line) },
  del: { about: 'Removes a key or a range of keys', flags: DEL_FLAGS, run: del },
  'endpoint hashkv': { about: 'Prints a hash of the history of each endpoint', flags: ENDPOINT_FLAGS, run: endpoint },
  'endpoint health': { about: 'Checks the health of endpoints', flags: ENDPOINT_FLAGS, run: endpoint },
  'endpoint status': { about: 'Prints the status of endpoints', flags: ENDPOINT_FLAGS, run: endpoint },
  get: { about: 'Gets a key or a range of keys', flags: GET_FLAGS, run: get },
  'lease grant': { about: 'Creates leases', flags: LEASE_FLAGS, run: lease },
  'lease keep-alive': { about: 'Keeps leases alive', flags: LEASE_FLAGS, run: lease },
  'lease list': { about: 'Lists active leases', flags: LEASE_FLAGS, run: lease },
  'lease revoke': { about: 'Revokes leases', flags: LEASE_FLAGS, run: lease },
  'lease timetolive': { about: 'Shows how long leases last', flags: LEASE_FLAGS, run: lease },
  'member add': { about: 'Adds a member to the cluster', flags: MEMBER_FLAGS, run: member },
  'member list': { about: 'Lists the members of the cluster', flags: MEMBER_FLAGS, run: member },
  'member promote': { about: 'Promotes a learner', flags: MEMBER_FLAGS, run: member },
  'member remove': { about: 'Removes a member from the cluster', flags: MEMBER_FLAGS, run: member },
  'member update': { about: 'Updates a member of the cluster', flags: MEMBER_FLAGS, run: member },
  'move-leader': { about: 'Gives the leadership to another member', run: moveLeader },
  put: { about: 'Puts a key', flags: PUT_FLAGS, run: put },
  'role list': { about: 'Lists all roles', run: nobody },
  'snapshot restore': { about: 'Makes a data directory from a snapshot', flags: SNAPSHOT_FLAGS, run: snapshot },
  'snapshot save': { about: 'Stores a snapshot in a file', flags: SNAPSHOT_FLAGS, run: snapshot },
  'snapshot status': { about: 'Says what a snapshot file contains', flags: SNAPSHOT_FLAGS, run: snapshot },
  txn: { about: 'Carries out all requests in one transaction', flags: TXN_FLAGS, run: txn },
  'user list': { about: 'Lists all users', run: nobody },
  version: { about: 'Prints the version', run: version },
  watch: { about: 'Watches keys for changes', flags: WATCH_FLAGS, run: watch },
};

/** Commands that have others below them. */
const GROUPS: ReadonlySet<string> = new Set(
  Object.keys(COMMANDS)
    .filter((name) => name.includes(' '))
    .map((name) => name.split(' ')[0]!),
);

export const etcdctl: Program = {
  name: 'etcdctl',
  paths: [],
  async main(process) {
    try {
      if (process.env.get('ETCDCTL_API') === '2') return await versionTwo(process);
      return await run(process);
    } catch (error) {
      const status = error instanceof Failure ? error.status : EXIT_ERROR;
      if (!(error instanceof Failure) && !(error instanceof EtcdError) && !isSysError(error)) throw error;
      await process.stderr.write(utf8(`Error: ${error.message}\n`));
      return status;
    }
  },
};

async function run(process: Process): Promise<number> {
  const line = readCommandLine(process, (words) => COMMANDS[words.join(' ')]?.flags ?? COMMANDS[words[0] ?? '']?.flags ?? {});
  const [first = '', second = ''] = line.words;
  if (first === '' || (first === 'help' && second === '')) return help(process, '');
  if (GROUPS.has(first)) {
    const command = COMMANDS[`${first} ${second}`];
    if (command === undefined || line.isOn('help')) return help(process, first);
    return command.run(process, line, line.words.slice(1));
  }
  const command = COMMANDS[first];
  if (command === undefined) {
    await process.stderr.write(utf8(`Error: unknown command ${JSON.stringify(first)} for "etcdctl"\nRun 'etcdctl --help' for usage.\n`));
    throw new Failure(`unknown command ${JSON.stringify(first)} for "etcdctl"`);
  }
  if (line.isOn('help')) return help(process, first);
  return command.run(process, line, line.words.slice(1));
}

async function help(process: Process, group: string): Promise<number> {
  const names = Object.keys(COMMANDS).filter((name) => group === '' || name === group || name.startsWith(`${group} `));
  const width = Math.max(...names.map((name) => name.length));
  const list = names.map((name) => `\t${name.padEnd(width)}\t${COMMANDS[name]!.about}\n`).join('');
  await process.stdout.write(
    utf8(
      `NAME:\n\tetcdctl - A simple command line client for etcd3.\n\nUSAGE:\n\tetcdctl${group === '' ? ' [flags]' : ` ${group}`}\n\nVERSION:\n\t${VERSION}\n\nAPI VERSION:\n\t3.4\n\n\nCOMMANDS:\n${list}\n`,
    ),
  );
  return 0;
}

async function version(process: Process): Promise<number> {
  await process.stdout.write(utf8(`etcdctl version: ${VERSION}\nAPI version: 3.4\n`));
  return 0;
}

/** Nobody has been added: etcd's own users are not emulated. */
async function nobody(process: Process, line: CommandLine): Promise<number> {
  await withEtcd(process, line, ({ client }) => client.status());
  return 0;
}

async function auth(process: Process, line: CommandLine, words: readonly string[]): Promise<number> {
  await withEtcd(process, line, ({ client }) => client.status());
  if (words[0] === 'enable') throw new EtcdError('etcdserver: root user does not exist');
  await process.stdout.write(utf8('Authentication Disabled\n'));
  return 0;
}

const V2_COMMANDS = [
  'backup',
  'cluster-health',
  'mk',
  'mkdir',
  'rm',
  'rmdir',
  'get',
  'ls',
  'set',
  'setdir',
  'update',
  'updatedir',
  'watch',
  'exec-watch',
  'member',
  'user',
  'role',
  'auth',
];

/** ETCDCTL_API=2: a server of 3.4 does not answer that API. */
async function versionTwo(process: Process): Promise<number> {
  const args = process.argv.slice(1);
  const flag = args.find((arg) => /^--?(cacert|cert|key|write-out|w|prefix|keys-only)\b/.test(arg));
  if (args.includes('--version') || args.includes('-v')) {
    await process.stdout.write(utf8(`etcdctl version: ${VERSION}\nAPI version: 2\n`));
    return 0;
  }
  if (flag !== undefined) {
    await process.stderr.write(utf8(`Incorrect Usage. flag provided but not defined: -${flag.replace(/^-+/, '').split('=')[0]!}\n\n`));
    throw new Failure(`flag provided but not defined: -${flag.replace(/^-+/, '').split('=')[0]!}`);
  }
  const command = args.find((arg) => !arg.startsWith('-'));
  if (command === undefined || !V2_COMMANDS.includes(command)) {
    await process.stdout.write(utf8(`No help topic for '${command ?? ''}'\n`));
    return 3;
  }
  await process.stderr.write(
    utf8(
      'Error:  client: etcd cluster is unavailable or misconfigured; error #0: malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02"\n; error #1: dial tcp 127.0.0.1:4001: connect: connection refused\n\n',
    ),
  );
  return 4;
}
