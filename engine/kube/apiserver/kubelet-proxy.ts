// Models the way from the API server to kubelets and pods: logs, exec, attach, port forwarding, proxy.

import { isSysError, type SysError } from '../../sim/errno.ts';
import type { Connection } from '../../sim/stream.ts';
import type { HttpClient } from '../../net/http-client.ts';
import { isConnectionLost, readAllBytes } from '../../net/http-message.ts';
import type { HttpResponse } from '../../net/http.ts';
import { text } from '../../sim/bytes.ts';
import { ApiError } from '../machinery/api-error.ts';
import { badRequest, noSuchResource, serviceUnavailable } from '../machinery/status.ts';
import type { Node, Pod, Service } from '../machinery/types.ts';
import type { ClusterReader } from './admission.ts';
import type { BackendAddress } from './assemble.ts';
import { queryValues } from './request-info.ts';
import type { SpecialHandler, SpecialRequest } from './server.ts';

const KUBELET_PORT = 10250;
/** Headers that belong to one connection and are not passed on. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-authorization',
  'proxy-authenticate',
  'host',
  'content-length',
]);

export interface KubeletProxyOptions {
  readonly reader: ClusterReader;
  readonly connect: (to: BackendAddress) => Promise<Connection>;
  readonly newHttpClient: (connect: () => Promise<Connection>, host: string) => HttpClient;
}

export function kubeletProxy(options: KubeletProxyOptions): ReadonlyMap<string, SpecialHandler> {
  return new Map<string, SpecialHandler>([
    ['pods./log', (special) => logs(special, options)],
    ['pods./exec', (special) => streams(special, options, 'exec')],
    ['pods./attach', (special) => streams(special, options, 'attach')],
    ['pods./portforward', (special) => streams(special, options, 'portForward')],
    ['pods./proxy', (special) => proxyToPod(special, options)],
    ['services./proxy', (special) => proxyToService(special, options)],
    ['nodes./proxy', (special) => proxyToNode(special, options)],
  ]);
}

function kubeletOf(pod: Pod, reader: ClusterReader): { readonly address: string; readonly port: number; readonly name: string } {
  const name = pod.spec?.nodeName ?? '';
  if (name === '') throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return nodeAddress(name, reader);
}

function nodeAddress(name: string, reader: ClusterReader): { readonly address: string; readonly port: number; readonly name: string } {
  const node = reader.store('', 'nodes').get(undefined, name)?.object as unknown as Node | undefined;
  if (node === undefined) throw noSuchNode(name);
  const addresses = node.status?.addresses ?? [];
  for (const type of ['InternalIP', 'ExternalIP', 'Hostname']) {
    const found = addresses.find((each) => each.type === type);
    if (found !== undefined)
      return { address: found.address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? KUBELET_PORT, name };
  }
  throw serverError(500, `no preferred addresses found; known addresses: []`);
}

function noSuchNode(name: string): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `nodes "${name}" not found`,
    reason: 'NotFound',
    details: { name, kind: 'nodes' },
    code: 404,
  });
}

function serverError(code: number, message: string): ApiError {
  return new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code });
}

/** The container meant, as the server finds it when the client names none. */
function containerOf(pod: Pod, given: string | undefined): string {
  const containers = [...(pod.spec?.containers ?? [])];
  const inits = [...(pod.spec?.initContainers ?? [])];
  const ephemeral = [...(pod.spec?.ephemeralContainers ?? [])];
  const { name } = pod.metadata;
  if (given === undefined || given === '') {
    if (containers.length === 1) return containers[0]!.name;
    if (containers.length === 0) throw badRequest(`a container name must be specified for pod ${name}`);
    const choices = `[${containers.map((each) => each.name).join(' ')}]`;
    const more = inits.length === 0 ? '' : ` or one of the init containers: [${inits.map((each) => each.name).join(' ')}]`;
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: ${choices}${more}`);
  }
  if (![...containers, ...inits, ...ephemeral].some((each) => each.name === given))
    throw badRequest(`container ${given} is not valid for pod ${name}`);
  return given;
}

async function logs(special: SpecialRequest, options: KubeletProxyOptions): Promise<void> {
  const { info, endpoint, respond } = special;
  const pod = endpoint.find(info.namespace, info.name).object as unknown as Pod;
  const container = containerOf(pod, info.query.get('container'));
  // Nowhere yet: there is nothing to read, which is no error.
  if ((pod.spec?.nodeName ?? '') === '') return respond.send({ status: 200, headers: { 'content-type': 'text/plain' } }, '');
  const node = kubeletOf(pod, options.reader);
  const wanted = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes'].filter(
    (key) => (info.query.get(key) ?? '') !== '',
  );
  const query = wanted.map((key) => `${key}=${encodeURIComponent(info.query.get(key)!)}`).join('&');
  const target = `/containerLogs/${info.namespace}/${info.name}/${container}${query === '' ? '' : `?${query}`}`;
  const { client, response } = await ask(special, options, { node, target, method: 'GET' });
  try {
    if (response.status >= 400) throw kubeletError(response.status, text(await readAllBytes(response.body)), `pods/log ${info.name}`);
    const out = await respond.stream({ status: 200, headers: { 'content-type': response.headers.get('content-type') ?? 'text/plain' } });
    await copyBody(response, out, respond.signal);
  } finally {
    client.close();
  }
}

async function copyBody(
  response: HttpResponse,
  out: { write(bytes: Uint8Array): Promise<void>; end(): Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const chunk = await response.body.read(undefined, signal);
      if (chunk === undefined) break;
      await out.write(chunk);
    }
  } catch (error) {
    // Either side is gone; what came through stands.
    if (signal.aborted) return;
    if (!isConnectionLost(error)) throw error;
  }
  await out.end();
}

interface Ask {
  readonly node: { readonly address: string; readonly port: number };
  readonly target: string;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly isTls?: boolean;
}

async function ask(
  special: SpecialRequest,
  options: KubeletProxyOptions,
  { node, target, method, headers, body, isTls = true }: Ask,
): Promise<{ readonly client: HttpClient; readonly response: HttpResponse }> {
  const host = `${node.address}:${node.port}`;
  const { signal } = special.respond;
  const client = options.newHttpClient(() => options.connect({ address: node.address, port: node.port, isTls, signal }), host);
  try {
    const response = await client.request({
      method,
      target,
      signal,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    });
    return { client, response };
  } catch (error) {
    client.close();
    if (isSysError(error)) throw dialError(error, { method, url: `http${isTls ? 's' : ''}://${host}${target}`, host });
    if (error instanceof Error && error.name === 'TlsError')
      throw serverError(500, `${goMethod(method)} "https://${host}${target}": ${error.message}`);
    throw error;
  }
}

function dialError(error: SysError, at: { readonly method: string; readonly url: string; readonly host: string }): ApiError {
  const what =
    error.errno === 'ETIMEDOUT' ? `dial tcp ${at.host}: i/o timeout` : `dial tcp ${at.host}: connect: ${error.strerror.toLowerCase()}`;
  const isLost = error.errno === 'ECONNRESET' || error.errno === 'EPIPE';
  return serverError(500, `${goMethod(at.method)} "${at.url}": ${isLost ? 'EOF' : what}`);
}

function goMethod(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase();
}

/** What the server makes of a kubelet's refusal. */
function kubeletError(code: number, body: string, about: string): ApiError {
  const reasons: Readonly<Record<number, string>> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    500: 'InternalError',
    503: 'ServiceUnavailable',
  };
  const reason = reasons[code];
  const message =
    code === 400
      ? body.trimEnd()
      : code === 404
        ? `the server could not find the requested resource ( ${about})`
        : `an error on the server (${JSON.stringify(body.trimEnd() === '' ? 'unknown' : body.trimEnd())}) has prevented the request from succeeding ( ${about})`;
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    code,
  });
}

/** exec, attach and port forwarding: the upgrade and everything after it pass through untouched. */
async function streams(special: SpecialRequest, options: KubeletProxyOptions, kind: 'exec' | 'attach' | 'portForward'): Promise<void> {
  const { info, endpoint, request } = special;
  const pod = endpoint.find(info.namespace, info.name).object as unknown as Pod;
  const parameters: string[] = [];
  let path = `/${kind}/${info.namespace}/${info.name}`;
  if (kind === 'portForward') {
    for (const port of queryValues(request.target, 'ports')) parameters.push(`port=${encodeURIComponent(port)}`);
  } else {
    path += `/${containerOf(pod, info.query.get('container'))}`;
    const names = [
      ['stdin', 'input'],
      ['stdout', 'output'],
      ['stderr', 'error'],
      ['tty', 'tty'],
    ] as const;
    for (const [ours, theirs] of names) if (['true', '1'].includes(info.query.get(ours) ?? '')) parameters.push(`${theirs}=1`);
    for (const argument of queryValues(request.target, 'command')) parameters.push(`command=${encodeURIComponent(argument)}`);
  }
  const node = kubeletOf(pod, options.reader);
  await pass(special, options, { node, target: `${path}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`, isUpgrade: true });
}

interface Passage {
  readonly node: { readonly address: string; readonly port: number };
  readonly target: string;
  readonly isUpgrade?: boolean;
  readonly isTls?: boolean;
}

/** Passes a request on and its answer back; an upgrade becomes a pipe. */
async function pass(special: SpecialRequest, options: KubeletProxyOptions, passage: Passage): Promise<void> {
  const { request, respond } = special;
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) if (!HOP_BY_HOP.has(name) && name !== 'authorization') headers[name] = value;
  const upgrade = request.headers.get('upgrade');
  if (upgrade !== undefined) {
    headers['connection'] = 'Upgrade';
    headers['upgrade'] = upgrade;
  } else if (passage.isUpgrade === true) throw badRequest('Upgrade request required');
  const body = upgrade === undefined ? await readAllBytes(request.body) : undefined;
  const { client, response } = await ask(special, options, {
    node: passage.node,
    target: passage.target,
    method: request.method,
    headers,
    isTls: passage.isTls ?? true,
    ...(body === undefined || body.length === 0 ? {} : { body }),
  });
  try {
    const answer: Record<string, string> = {};
    for (const [name, value] of response.headers) if (!HOP_BY_HOP.has(name)) answer[name] = value;
    if (response.upgraded !== undefined) {
      const near = await respond.upgrade({
        status: 101,
        reason: 'Switching Protocols',
        headers: { ...answer, Connection: 'Upgrade', Upgrade: response.headers.get('upgrade') ?? upgrade ?? '' },
      });
      await joined(near, response.upgraded);
      return;
    }
    const out = await respond.stream({ status: response.status, reason: response.reason, headers: answer });
    await copyBody(response, out, respond.signal);
  } finally {
    client.close();
  }
}

/** Two connections as one, until both directions have ended. */
async function joined(a: Connection, b: Connection): Promise<void> {
  const pump = async (from: Connection, to: Connection): Promise<void> => {
    try {
      for (;;) {
        const chunk = await from.read();
        if (chunk === undefined) break;
        await to.write(chunk);
      }
      to.shutdownWrite();
    } catch (error) {
      if (!isSysError(error)) throw error;
      from.close();
      to.close();
    }
  };
  await Promise.all([pump(a, b), pump(b, a)]);
  a.close();
  b.close();
}

/** `https:name:port`, `name:port`, `name`. */
function parseProxyName(name: string): { readonly scheme: string; readonly name: string; readonly port: string } {
  const parts = name.split(':');
  if (parts.length === 3) return { scheme: parts[0] === '' ? 'http' : parts[0]!, name: parts[1]!, port: parts[2]! };
  return { scheme: 'http', name: parts[0]!, port: parts[1] ?? '' };
}

function restOf(special: SpecialRequest): string {
  const mark = special.request.target.indexOf('?');
  const path = mark < 0 ? special.request.target : special.request.target.slice(0, mark);
  const at = path.indexOf('/proxy');
  const rest = path.slice(at + '/proxy'.length);
  return `${rest === '' ? '/' : rest}${mark < 0 ? '' : special.request.target.slice(mark)}`;
}

async function proxyToPod(special: SpecialRequest, options: KubeletProxyOptions): Promise<void> {
  const { scheme, name, port } = parseProxyName(special.info.name);
  const pod = special.endpoint.find(special.info.namespace, name).object as unknown as Pod;
  const address = pod.status?.podIP ?? '';
  if (address === '') throw serverError(500, 'address not allowed');
  const first = pod.spec?.containers.flatMap((container) => container.ports ?? [])[0]?.containerPort;
  const number = port === '' ? (first ?? 80) : Number(port);
  await pass(special, options, { node: { address, port: number }, target: restOf(special), isTls: scheme === 'https' });
}

async function proxyToService(special: SpecialRequest, options: KubeletProxyOptions): Promise<void> {
  const { scheme, name, port } = parseProxyName(special.info.name);
  const service = special.endpoint.find(special.info.namespace, name).object as unknown as Service;
  const ports = service.spec?.ports ?? [];
  const chosen =
    port === '' ? (ports.length === 1 ? ports[0] : undefined) : ports.find((each) => each.name === port || String(each.port) === port);
  if (chosen === undefined) throw serviceUnavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`);
  const endpoints = options.reader.store('', 'endpoints').get(special.info.namespace, name)?.object as
    { subsets?: { addresses?: { ip: string }[]; ports?: { name?: string; port: number }[] }[] } | undefined;
  for (const subset of endpoints?.subsets ?? []) {
    const target = (subset.ports ?? []).find((each) => (each.name ?? '') === (chosen.name ?? ''));
    const address = subset.addresses?.[0]?.ip;
    if (target !== undefined && address !== undefined)
      return pass(special, options, { node: { address, port: target.port }, target: restOf(special), isTls: scheme === 'https' });
  }
  throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(special.info.name)}`);
}

async function proxyToNode(special: SpecialRequest, options: KubeletProxyOptions): Promise<void> {
  const { name, port } = parseProxyName(special.info.name);
  if (special.info.name === '') throw noSuchResource();
  const node = nodeAddress(name, options.reader);
  await pass(special, options, { node: { address: node.address, port: port === '' ? node.port : Number(port) }, target: restOf(special) });
}
