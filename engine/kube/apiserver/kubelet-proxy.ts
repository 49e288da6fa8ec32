// Models the way from the API server to kubelets and pods: logs, exec, attach, port forwarding, proxy.

import { text } from '../../sim/bytes.ts';
import { isSysError, type SysError } from '../../sim/errno.ts';
import type { Rng } from '../../sim/rng.ts';
import type { Connection } from '../../sim/stream.ts';
import type { HttpClient } from '../../net/http-client.ts';
import { readAllBytes } from '../../net/http-message.ts';
import type { HttpResponse } from '../../net/http.ts';
import { isWebSocketRequest } from '../../net/websocket.ts';
import { ApiError } from '../machinery/api-error.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { badRequest, invalid } from '../machinery/status.ts';
import type { Pod } from '../machinery/types.ts';
import type { ClusterReader } from './admission.ts';
import type { BackendAddress } from './assemble.ts';
import { kubeletAddress } from './proxy/kubelet-address.ts';
import { resourceProxies } from './proxy/resource-proxies.ts';
import { copyBody, passOn, plainError } from './proxy/reverse-proxy.ts';
import { queryValues, type RequestInfo } from './request-info.ts';
import type { SpecialHandler, SpecialRequest } from './server.ts';
import { overWebSocket } from './websocket-responder.ts';

export interface KubeletProxyOptions {
  readonly reader: ClusterReader;
  readonly rng: Rng;
  readonly connect: (to: BackendAddress) => Promise<Connection>;
  readonly newHttpClient: (connect: () => Promise<Connection>, host: string) => HttpClient;
}

export function kubeletProxy(options: KubeletProxyOptions): ReadonlyMap<string, SpecialHandler> {
  return new Map<string, SpecialHandler>([
    ['pods./log', (special) => logs(special, options)],
    ['pods./exec', (special) => streams(special, options, 'exec')],
    ['pods./attach', (special) => streams(special, options, 'attach')],
    ['pods./portforward', (special) => streams(special, options, 'portForward')],
    ...resourceProxies(options),
  ]);
}

function kubeletOf(pod: Pod, reader: ClusterReader): { readonly address: string; readonly port: number } {
  const name = pod.spec?.nodeName ?? '';
  if (name === '') throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return kubeletAddress(name, reader);
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

/** What the options of a log may be. */
function checkLogOptions({ query, name }: RequestInfo): void {
  const errors: FieldError[] = [];
  const number = (key: string): number | undefined => {
    const given = query.get(key) ?? '';
    if (given === '') return undefined;
    if (!/^[+-]?\d+$/.test(given)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(given)}: invalid syntax`);
    return Number(given);
  };
  const [tail, limit, since] = [number('tailLines'), number('limitBytes'), number('sinceSeconds')];
  if (tail !== undefined && tail < 0) errors.push(FieldError.invalid('tailLines', tail, 'must be greater than or equal to 0'));
  if (limit !== undefined && limit < 1) errors.push(FieldError.invalid('limitBytes', limit, 'must be greater than 0'));
  if (since !== undefined && (query.get('sinceTime') ?? '') !== '')
    errors.push(FieldError.forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  else if (since !== undefined && since < 1) errors.push(FieldError.invalid('sinceSeconds', since, 'must be greater than 0'));
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, name, errors);
}

async function logs(special: SpecialRequest, options: KubeletProxyOptions): Promise<void> {
  const { info, endpoint, request } = special;
  const respond = isWebSocketRequest(request) ? overWebSocket(request, special.respond, 'bytes') : special.respond;
  checkLogOptions(info);
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
    const out = await respond.stream({ status: 200, headers: { 'content-type': 'text/plain' } });
    await copyBody(response.body, out, respond.signal);
  } finally {
    client.close();
  }
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
      throw plainError(500, `${goMethod(method)} "https://${host}${target}": ${error.message}`);
    throw error;
  }
}

function dialError(error: SysError, at: { readonly method: string; readonly url: string; readonly host: string }): ApiError {
  const what =
    error.errno === 'ETIMEDOUT' ? `dial tcp ${at.host}: i/o timeout` : `dial tcp ${at.host}: connect: ${error.strerror.toLowerCase()}`;
  const isLost = error.errno === 'ECONNRESET' || error.errno === 'EPIPE';
  return plainError(500, `${goMethod(at.method)} "${at.url}": ${isLost ? 'EOF' : what}`);
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
  const { info, endpoint, request, respond } = special;
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
  const to = { ...kubeletOf(pod, options.reader), isTls: true };
  const target = `${path}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
  await passOn(request, respond, { to, target, isUpgradeRequired: true, connect: options.connect });
}
