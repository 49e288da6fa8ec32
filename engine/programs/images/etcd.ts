// Models the etcd program: one member, its client door and its metrics door.

import { background } from '../../sim/background.ts';
import type { Process, Program } from '../../kernel/process.ts';
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
  const stamp = (): string => new Date(sys.now()).toISOString().replace('T', ' ').replace('Z', '000');
  const say = (level: 'I' | 'W' | 'C', text: string): void => {
    process.stderr.write(utf8(`${stamp()} ${level} | ${text}\n`)).then(undefined, (error: unknown) => {
      if (!isSysError(error) && !(error instanceof Error && error.name === 'ProcessExit')) throw error;
    });
  };
  sys.mkdir(`${dataDirectory}/member/snap`, { recursive: true, mode: 0o700 });
  sys.mkdir(`${dataDirectory}/member/wal`, { recursive: true, mode: 0o700 });
  const store = new MultiVersionStore(sys.kernel.database(sys.realpath(`${dataDirectory}/member/snap`) + '/db'), {
    identity: () => `${sys.now()}-${sys.rng.int(2 ** 31)}`,
    quotaBytes: Number(flags.or('quota-backend-bytes', '0')),
  });
  const name = flags.or('name', 'default');
  const memberId = memberIdOf(flags.or('initial-advertise-peer-urls', name));
  const server = new EtcdServer({ store, clock: sys.clock, identity: { name, memberId, version: VERSION } });

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
  sys.onSignal('SIGTERM', () => stop.abort(new SysError('EINTR')));
  sys.onSignal('SIGINT', () => stop.abort(new SysError('EINTR')));
  if (!process.resumed) {
    say('I', `etcdmain: etcd Version: ${VERSION}`);
    say('I', `etcdserver: name = ${name}`);
    say('I', `etcdserver: data dir = ${dataDirectory}`);
    say('I', `raft: ${memberId} became leader at term 2`);
    say(
      'I',
      `etcdserver: published {Name:${name} ClientURLs:[${flags.or('advertise-client-urls', 'http://localhost:2379')}]} to cluster 90daf8f4ab6a6f34`,
    );
    say('I', 'embed: ready to serve client requests');
  }
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
      serving.push(serveHttp(listen(url), healthOf(server), { clock: sys.clock, rng: sys.rng, signal: stop.signal }));
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
    readonly say: (level: 'I' | 'W', text: string) => void;
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

function healthOf(server: EtcdServer): HttpHandler {
  return async (request, respond) => {
    const path = request.target.split('?')[0];
    if (path === '/health') {
      await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, '{"health":"true"}');
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

/** Sixteen hex digits from the peer address, as etcd derives member ids. */
function memberIdOf(peer: string): string {
  let a = 0x811c9dc5;
  let b = 0xcbf29ce4;
  for (const char of peer) {
    a = Math.imul(a ^ char.charCodeAt(0), 0x01000193) >>> 0;
    b = Math.imul(b ^ char.charCodeAt(0), 0x85ebca6b) >>> 0;
  }
  return (a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0')).replace(/^0+/, '');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
