// How a process reaches the API server its configuration names: a connection of its own machine or pod, TLS, HTTP.

import { HttpClient } from '../../net/http-client.ts';
import { connectTls } from '../../net/tls.ts';
import { SysError } from '../../sim/errno.ts';
import type { Connection } from '../../sim/stream.ts';
import type { Process } from '../../kernel/process.ts';
import type { ClientConfig } from './kubeconfig.ts';
import { RestClient } from './rest-client.ts';

/** A client for `config`, over the network namespace of `process`. `resolve` turns names into addresses; without it only /etc/hosts is asked. */
export function createClient(
  process: Process,
  config: ClientConfig,
  options: { readonly userAgent: string; readonly maxIdle?: number; readonly resolve?: (name: string) => Promise<string> },
): RestClient {
  return new RestClient({ transport: createTransport(process, config, options), userAgent: options.userAgent, token: config.token });
}

/** The connections below a client; what they carry is for whoever uses them to say. */
export function createTransport(
  process: Process,
  config: ClientConfig,
  options: { readonly maxIdle?: number; readonly resolve?: (name: string) => Promise<string> },
): HttpClient {
  const connect = (signal?: AbortSignal): Promise<Connection> => openConnection(process, config, options.resolve, signal);
  return new HttpClient({ connect, host: `${config.host}:${config.port}`, maxIdle: options.maxIdle ?? 4 });
}

/** The user agent of a component of this version: `kubelet/v1.20.2 (linux/amd64) kubernetes/faecb19`. */
export function userAgentOf(component: string): string {
  return `${component}/v1.20.2 (linux/amd64) kubernetes/faecb19`;
}

async function openConnection(
  process: Process,
  config: ClientConfig,
  resolve: ((name: string) => Promise<string>) | undefined,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const { sys } = process;
  const address = /^[\d.]+$/.test(config.host) ? config.host : await (resolve ?? hostsFile(process))(config.host);
  const connection = await sys.net.connect({ address, port: config.port, pid: process.pid, ...(signal === undefined ? {} : { signal }) });
  if (!config.isTls) return connection;
  return connectTls(connection, {
    serverName: config.serverName ?? config.host,
    nowMs: sys.now(),
    rng: sys.rng,
    insecure: config.isInsecure,
    ...(config.ca === undefined ? {} : { ca: config.ca }),
    ...(config.certificate === undefined ? {} : { certificate: config.certificate }),
  });
}

function hostsFile(process: Process): (name: string) => Promise<string> {
  return (name) => {
    for (const line of process.sys.readTextFile('/etc/hosts').split('\n')) {
      const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
      if (address !== undefined && names.includes(name) && !address.includes(':')) return Promise.resolve(address);
    }
    if (name === 'localhost') return Promise.resolve('127.0.0.1');
    return Promise.reject(new SysError('EHOSTUNREACH', `lookup ${name}: no such host`));
  };
}
