// How etcdctl reaches etcd, and what it says when it does not.

import type { Process } from '../../../kernel/process.ts';
import { DEADLINE_EXCEEDED, EtcdClient } from '../../../etcd/client.ts';
import { EtcdError } from '../../../etcd/mvcc.ts';
import { connectTls } from '../../../net/tls.ts';
import { utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import { badArgs, Failure } from './failure.ts';
import type { CommandLine } from './flags.ts';

const COMMAND_TIMEOUT_MS = 5000;

export interface Etcd {
  readonly client: EtcdClient;
  readonly endpoint: string;
}

/** Runs `use` with a client of one endpoint. */
export async function withEtcd<T>(process: Process, line: CommandLine, use: (etcd: Etcd) => Promise<T>, endpoint?: string): Promise<T> {
  const to = endpoint ?? line.endpoints[0];
  if (to === undefined) throw badArgs('etcdclient: no available endpoints');
  const timeoutMs = line.duration('command-timeout', COMMAND_TIMEOUT_MS);
  const client = connect(process, line, to, timeoutMs);
  try {
    return await use({ client, endpoint: to });
  } catch (error) {
    if (error instanceof EtcdError && error.message === DEADLINE_EXCEEDED) await explain(process, client, to);
    throw error;
  } finally {
    client.close();
  }
}

function connect(process: Process, line: CommandLine, endpoint: string, timeoutMs: number): EtcdClient {
  const { sys } = process;
  const match = /^(?:(https?):\/\/)?\[?([^\]/:]+)\]?(?::(\d+))?\/?$/.exec(endpoint);
  if (match === null) throw badArgs(`bad endpoint ${endpoint}`);
  const [, scheme, host = '', port = '2379'] = match;
  const certificate = identityOf(process, line);
  const ca = line.get('cacert');
  const caPem = ca === undefined ? undefined : readFile(process, ca);
  const isInsecure = line.isOn('insecure-skip-tls-verify');
  // Without a scheme, files for TLS mean TLS.
  const isTls = scheme === 'https' || (scheme === undefined && (ca !== undefined || certificate !== undefined || isInsecure));
  return new EtcdClient({
    clock: sys.clock,
    timeoutMs,
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
        ...(isInsecure ? { insecure: true } : {}),
        ...(caPem === undefined ? {} : { ca: caPem }),
        ...(certificate === undefined ? {} : { certificate }),
      });
    },
  });
}

function identityOf(process: Process, line: CommandLine): { readonly certificatePem: string; readonly privateKeyPem: string } | undefined {
  const [cert, key] = [line.get('cert'), line.get('key')];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new Failure(`KeyFile and CertFile must both be present[key: ${key ?? ''}, cert: ${cert ?? ''}]`);
  return { certificatePem: readFile(process, cert), privateKeyPem: readFile(process, key) };
}

function readFile(process: Process, path: string): string {
  try {
    return process.sys.readTextFile(path);
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Failure(`open ${path}: ${error.strerror.toLowerCase()}`);
  }
}

/** The line of the client's own log about the last attempt. */
async function explain(process: Process, client: EtcdClient, endpoint: string): Promise<void> {
  const target = `endpoint://client-${clientId(process)}/${endpoint.replace(/^https?:\/\//, '')}`;
  const why = lastErrorOf(client, endpoint);
  const line = {
    level: 'warn',
    ts: new Date(process.sys.now()).toISOString(),
    caller: 'clientv3/retry_interceptor.go:62',
    msg: 'retrying of unary invoker failed',
    target,
    attempt: 0,
    error: `rpc error: code = DeadlineExceeded desc = ${why}`,
  };
  await process.stderr.write(utf8(`${JSON.stringify(line)}\n`));
}

function lastErrorOf(client: EtcdClient, endpoint: string): string {
  const { lastError } = client;
  if (lastError === undefined) return DEADLINE_EXCEEDED;
  const all = 'latest balancer error: all SubConns are in TransientFailure, latest connection error: ';
  const address = endpoint.replace(/^https?:\/\//, '').replace(/[[\]]/g, '');
  if (isSysError(lastError, 'ECONNRESET', 'EPIPE')) return `${all}connection closed`;
  const inner = isSysError(lastError)
    ? `transport: Error while dialing dial tcp ${address.includes(':') ? address : `${address}:2379`}: connect: ${lastError.strerror.toLowerCase()}`
    : `transport: authentication handshake failed: ${lastError.message}`;
  return `${all}connection error: desc = ${JSON.stringify(inner)}`;
}

function clientId(process: Process): string {
  const hex = (count: number): string => {
    let out = '';
    for (let i = 0; i < count; i++) out += process.sys.rng.int(16).toString(16);
    return out;
  };
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}
