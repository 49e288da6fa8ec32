// Models how the API server reaches servers behind a Service: by its cluster IP, with TLS, as a client of the network like any other.

import { isSysError } from '../../sim/errno.ts';
import type { Connection } from '../../sim/stream.ts';
import type { HttpClient } from '../../net/http-client.ts';
import { isConnectionLost } from '../../net/http-message.ts';
import type { Service } from '../machinery/types.ts';
import type { ClusterReader } from './admission.ts';
import type { BackendAddress, BackendTls } from './assemble.ts';

export interface ServiceCallOptions {
  readonly reader: ClusterReader;
  readonly connect: (to: BackendAddress) => Promise<Connection>;
  readonly newHttpClient: (connect: () => Promise<Connection>, host: string) => HttpClient;
}

export interface ServicePort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** No request can be made; the message is what Go would say. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** Where a service's port is. Throws UnreachableError. */
export function resolveService(
  reader: ClusterReader,
  { namespace, name, port }: ServicePort,
): { readonly address: string; readonly port: number } {
  const service = reader.store('', 'services').get(namespace, name)?.object as unknown as Service | undefined;
  if (service === undefined) throw new UnreachableError(`service ${JSON.stringify(name)} not found`);
  const { type = 'ClusterIP', clusterIP = '', externalName = '', ports = [] } = service.spec ?? {};
  if (type === 'ExternalName') return { address: externalName, port };
  if (clusterIP === 'None') throw new UnreachableError('cannot route to service with ClusterIP "None"');
  if (!ports.some((each) => each.port === port))
    throw new UnreachableError(`no service port ${port} found for service ${JSON.stringify(name)}`);
  return { address: clusterIP, port };
}

/** A client of one address; every request dials anew. */
export function clientOf(
  options: ServiceCallOptions,
  at: { readonly address: string; readonly port: number },
  tls: BackendTls,
  signal: AbortSignal,
): HttpClient {
  return options.newHttpClient(() => options.connect({ ...at, isTls: true, tls, signal }), `${at.address}:${at.port}`);
}

/** Go's words for a request that got no answer; what is no such thing is thrown on. */
export function transportProblem(error: unknown, host: string): string {
  if (isSysError(error)) {
    if (error.errno === 'ECONNRESET' || error.errno === 'EPIPE') return 'EOF';
    if (error.errno === 'ETIMEDOUT') return `dial tcp ${host}: i/o timeout`;
    return `dial tcp ${host}: connect: ${error.strerror.toLowerCase()}`;
  }
  if (isConnectionLost(error)) return 'EOF';
  if (error instanceof Error && error.name === 'TlsError') return error.message;
  if (error instanceof Error && error.name === 'ResolveError') return `dial tcp: ${error.message}`;
  throw error;
}
