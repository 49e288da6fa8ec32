// Models the etcd program: one member, its client door and its metrics door.

import { background } from '../../sim/background.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { currentTerm, decimalOf, DEFAULT_TOKEN, memberOf, nextTerm, storedMember, storeMember } from '../../etcd/membership.ts';
import { MultiVersionStore } from '../../etcd/mvcc.ts';
import { EtcdServer } from '../../etcd/server.ts';
import { serveHttp } from '../../net/http-server.ts';
import type { HttpHandler } from '../../net/http.ts';
import { acceptTls, TlsError } from '../../net/tls.ts';
import { X509Error } from '../../net/x509.ts';
import { utf8 } from '../../sim/bytes.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import type { Connection, Listener } from '../../sim/stream.ts';
import { FlagError, Flags } from '../../kube/apiserver/flags.ts';

const KNOWN = {
  'advertise-client-urls': 'value',
  'cert-file': 'value',
  'client-cert-auth': 'boolean',
  'data-dir': 'value',
  'initial-advertise-peer-urls': 'value',
  'initial-cluster': 'value',
  'initial-cluster-state': 'value',
  'initial-cluster-token': 'value',
  'key-file': 'value',
  'listen-client-urls': 'value',
  'listen-metrics-urls': 'value',
  'listen-peer-urls': 'value',
  name: 'value',
  'peer-cert-file': 'value',
  'peer-client-cert-auth': 'boolean',
  'peer-key-file': 'value',
  'peer-trusted-ca-file': 'value',
  'snapshot-count': 'value',
  'trusted-ca-file': 'value',
  'auto-compaction-retention': 'value',
  'quota-backend-bytes': 'value',
} as const;

const VERSION = '3.4.13';

export const etcd: Program = {
  name: 'etcd',
  paths: [],
  async main(process) {
    try {
      return await run(process, new Flags(process.argv.slice(1), KNOWN));
    } catch (error) {
      if (!(error instanceof FlagError)) throw error;
      const name = /unknown flag: --(\S+)/.exec(error.message)?.[1];
      await process.stderr.write(utf8(name === undefined ? `${error.message}\n` : `flag provided but not defined: -${name}\n`));
      return 2;
    }
  },
};

async function run(process: Process, flags: Flags): Promise<number> {
  const { sys } = process;
  const dataDirectory = flags.or('data-dir', `${flags.or('name', 'default')}.etcd`);
  const { say, raft } = logOf(process);
  const name = flags.or('name', 'default');
  const warning = "[WARNING] Deprecated '--logger=capnslog' flag is set; use '--logger=zap' flag instead\n";
  if (!process.resumed) {
    await process.stderr.write(utf8(warning));
    say('I', `etcdmain: etcd Version: ${VERSION}`);
    say('I', 'etcdmain: Git SHA: ae9734ed2');
    say('I', 'etcdmain: Go Version: go1.12.17');
    say('I', 'etcdmain: Go OS/Arch: linux/amd64');
    say('I', 'etcdmain: setting maximum number of CPUs to 2, total number of available CPUs is 2');
    if (sys.exists(`${dataDirectory}/member`))
      say('N', 'etcdmain: the server is already initialized as member before, starting as etcd member...');
    await process.stderr.write(utf8(warning));
  }
  sys.mkdir(`${dataDirectory}/member/snap`, { recursive: true, mode: 0o700 });
  sys.mkdir(`${dataDirectory}/member/wal`, { recursive: true, mode: 0o700 });
  const database = sys.database(`${dataDirectory}/member/snap/db`);
  const store = new MultiVersionStore(database, {
    identity: () => `${sys.now()}-${sys.rng.int(2 ** 31)}`,
    quotaBytes: Number(flags.or('quota-backend-bytes', '0')),
  });
  const isNew = storedMember(database) === undefined;
  const peerUrls = urls(flags.or('initial-advertise-peer-urls', 'http://localhost:2380'));
  const member = storedMember(database) ?? memberOf(peerUrls, flags.or('initial-cluster-token', DEFAULT_TOKEN));
  if (isNew) storeMember(database, member);
  const { memberId, clusterId } = member;
  const term = process.resumed ? currentTerm(database) : nextTerm(database);
  const clientUrls = urls(flags.or('advertise-client-urls', 'http://localhost:2379'));
  const identity = { name, memberId, clusterId, version: VERSION, term, peerUrls: member.peerUrls, clientUrls };
  const server = new EtcdServer({ store, clock: sys.clock, identity });

  let tls:
    | {
        readonly certificate: { certificatePem: string; privateKeyPem: string };
        readonly clientCa?: string;
        readonly requireClient?: boolean;
      }
    | undefined;
  try {
    const certificate = flags.get('cert-file');
    const key = flags.get('key-file');
    const ca = flags.get('trusted-ca-file');
    if (certificate !== undefined && key !== undefined) {
      tls = {
        certificate: { certificatePem: sys.readTextFile(certificate), privateKeyPem: sys.readTextFile(key) },
        ...(ca === undefined ? {} : { clientCa: sys.readTextFile(ca) }),
        requireClient: flags.isTrue('client-cert-auth'),
      };
    }
  } catch (error) {
    if (!isSysError(error, 'ENOENT', 'EACCES')) throw error;
    say('C', `etcdmain: open ${error.message.replace(/^(.*): (.*)$/, '$2: $1').toLowerCase()}`);
    server.dispose();
    return 1;
  }

  const stop = new AbortController();
  const onSignal = (name: string): void => {
    say('N', `pkg/osutil: received ${name} signal, shutting down...`);
    say('I', 'etcdserver: skipped leadership transfer for single voting member cluster');
    stop.abort(new SysError('EINTR'));
  };
  sys.onSignal('SIGTERM', () => onSignal('terminated'));
  sys.onSignal('SIGINT', () => onSignal('interrupt'));
  if (!process.resumed) {
    const tlsOf = (prefix: string): string =>
      `cert = ${flags.or(`${prefix}cert-file`, '')}, key = ${flags.or(`${prefix}key-file`, '')}, trusted-ca = ${flags.or(`${prefix}trusted-ca-file`, '')}, client-cert-auth = ${flags.isTrue(`${prefix}client-cert-auth`)}, crl-file = `;
    const voters = decimalOf(memberId);
    if (flags.has('peer-cert-file')) say('I', `embed: peerTLS: ${tlsOf('peer-')}`);
    say('I', `embed: name = ${name}`);
    say('I', `embed: data dir = ${dataDirectory}`);
    say('I', `embed: member dir = ${dataDirectory}/member`);
    say('I', 'embed: heartbeat = 100ms');
    say('I', 'embed: election = 1000ms');
    say('I', `embed: snapshot count = ${flags.or('snapshot-count', '100000')}`);
    say('I', `embed: advertise client URLs = ${clientUrls.join(',')}`);
    if (isNew) say('I', `etcdserver: starting member ${memberId} in cluster ${clusterId}`);
    else say('I', `etcdserver: restarting member ${memberId} in cluster ${clusterId} at commit index ${store.revision + 8}`);
    raft(`${memberId} switched to configuration voters=(${isNew ? '' : voters})`);
    raft(`${memberId} became follower at term ${term - 1}`);
    raft(
      `newRaft ${memberId} [peers: [${isNew ? '' : memberId}], term: ${term - 1}, commit: ${store.revision + 8}, applied: 0, lastindex: ${store.revision + 8}, lastterm: ${term - 1}]`,
    );
    say('W', 'auth: simple token is not cryptographically signed');
    say('I', 'etcdserver: starting server... [version: 3.4.13, cluster version: to_be_decided]');
    if (isNew) say('I', `etcdserver: ${memberId} as single-node; fast-forwarding 9 ticks (election ticks 10)`);
    say('I', `etcdserver/membership: added member ${memberId} [${member.peerUrls.join(' ')}] to cluster ${clusterId}`);
    if (tls !== undefined) say('I', `embed: ClientTLS: ${tlsOf('')}`);
    for (const url of urls(flags.or('listen-peer-urls', ''))) say('I', `embed: listening for peers on ${url.replace(/^https?:\/\//, '')}`);
    for (const url of urls(flags.or('listen-metrics-urls', ''))) say('I', `embed: listening for metrics on ${url}`);
    raft(`${memberId} is starting a new election at term ${term - 1}`);
    raft(`${memberId} became candidate at term ${term}`);
    raft(`${memberId} received MsgVoteResp from ${memberId} at term ${term}`);
    raft(`${memberId} became leader at term ${term}`);
    raft(`raft.node: ${memberId} elected leader ${memberId} at term ${term}`);
    if (isNew) {
      say('I', 'etcdserver: setting up the initial cluster version to 3.4');
      say('N', 'etcdserver/membership: set the initial cluster version to 3.4');
      say('I', 'etcdserver/api: enabled capabilities for version 3.4');
    }
    say('I', `etcdserver: published {Name:${name} ClientURLs:[${clientUrls.join(' ')}]} to cluster ${clusterId}`);
    const doors = urls(flags.or('listen-client-urls', 'http://localhost:2379'));
    for (const _ of doors) say('I', 'embed: ready to serve client requests');
    for (const url of doors) say('I', `embed: serving client requests on ${url.replace(/^https?:\/\//, '')}`);
  }
  const stopWatching = store.onCompaction((revision) => {
    say('I', `mvcc: store.index: compact ${revision}`);
    say('I', `mvcc: finished scheduled compaction at ${revision} (took ${(0.8 + sys.rng.float()).toFixed(6)}ms)`);
  });
  const listeners: Listener[] = [];
  const listen = (url: string): Listener => {
    const match = /^https?:\/\/([^:/]+):(\d+)/.exec(url);
    if (match === null) throw new FlagError(`URL scheme must be http, https, unix, or unixs: ${url}`);
    const listener = sys.net.listen({ address: match[1]!, port: Number(match[2]), pid: process.pid });
    listeners.push(listener);
    return listener;
  };
  const connections = new Set<Connection>();
  try {
    const serving: Promise<unknown>[] = [];
    for (const url of urls(flags.or('listen-client-urls', 'http://localhost:2379'))) {
      const isTls = url.startsWith('https:');
      serving.push(acceptClients(listen(url), isTls ? tls : undefined, { sys, server, connections, signal: stop.signal, say }));
    }
    for (const url of urls(flags.or('listen-metrics-urls', ''))) {
      serving.push(serveHttp(listen(url), healthOf(server, say), { clock: sys.clock, rng: sys.rng, signal: stop.signal }));
    }
    // The peer door is open, though nobody calls in a cluster of one.
    for (const url of urls(flags.or('listen-peer-urls', ''))) listen(url);
    await Promise.race([Promise.all(serving), sys.block<never>(() => undefined), aborted(stop.signal)]);
    return 0;
  } catch (error) {
    if (!isSysError(error, 'EADDRINUSE', 'EADDRNOTAVAIL')) throw error;
    say('C', `etcdmain: listen tcp: bind: ${error.strerror.toLowerCase()}`);
    return 1;
  } finally {
    stop.abort(new SysError('EINTR'));
    stopWatching();
    for (const listener of listeners) listener.close();
    for (const connection of connections) connection.close({ reset: true });
    server.dispose();
  }
}

async function acceptClients(
  listener: Listener,
  tls:
    | {
        readonly certificate: { certificatePem: string; privateKeyPem: string };
        readonly clientCa?: string;
        readonly requireClient?: boolean;
      }
    | undefined,
  door: {
    readonly sys: Process['sys'];
    readonly server: EtcdServer;
    readonly connections: Set<Connection>;
    readonly signal: AbortSignal;
    readonly say: Log;
  },
): Promise<void> {
  const serve = async (connection: Connection): Promise<void> => {
    door.connections.add(connection);
    try {
      const secured = tls === undefined ? connection : await acceptTls(connection, { ...tls, nowMs: door.sys.now(), rng: door.sys.rng });
      await door.server.serve(secured);
    } catch (error) {
      if (!(error instanceof TlsError) && !(error instanceof X509Error) && !isSysError(error)) throw error;
      door.say('W', `embed: rejected connection from "${connection.remoteAddress}" (error "${error.message}", ServerName "")`);
      connection.close();
    } finally {
      door.connections.delete(connection);
    }
  };
  while (!door.signal.aborted) {
    try {
      background(serve(await listener.accept(door.signal)));
    } catch (error) {
      if (door.signal.aborted) return;
      throw error;
    }
  }
}

function healthOf(server: EtcdServer, say: Log): HttpHandler {
  return async (request, respond) => {
    const path = request.target.split('?')[0];
    if (path === '/health') {
      await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, '{"health":"true"}');
      say('I', 'etcdserver/api/etcdhttp: /health OK (status code 200)');
    } else if (path === '/metrics') {
      const { dbSizeBytes } = server.status();
      await respond.send(
        { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } },
        `# HELP etcd_mvcc_db_total_size_in_bytes Total size of the underlying database physically allocated in bytes.\n# TYPE etcd_mvcc_db_total_size_in_bytes gauge\netcd_mvcc_db_total_size_in_bytes ${dbSizeBytes}\n# HELP etcd_server_has_leader Whether or not a leader exists. 1 is existence, 0 is not.\n# TYPE etcd_server_has_leader gauge\netcd_server_has_leader 1\n`,
      );
    } else await respond.send({ status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } }, '404 page not found\n');
  };
}

function urls(list: string): readonly string[] {
  return list.split(',').filter((url) => url !== '');
}

type Log = (level: 'I' | 'W' | 'N' | 'C', text: string) => void;

/** capnslog's lines, and those of raft, which has a logger of its own. */
function logOf(process: Process): { readonly say: Log; readonly raft: (text: string) => void } {
  const print = (line: string): void => {
    process.stderr.write(utf8(line)).then(undefined, (error: unknown) => {
      if (!isSysError(error) && !(error instanceof Error && error.name === 'ProcessExit')) throw error;
    });
  };
  const stamp = (): string => new Date(process.sys.now()).toISOString().replace('T', ' ').replace('Z', '000');
  return {
    say: (level, text) => print(`${stamp()} ${level} | ${text}\n`),
    raft: (text) => print(`raft${stamp().slice(0, 19).replaceAll('-', '/')} INFO: ${text}\n`),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
