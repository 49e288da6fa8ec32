// Models the proxy subresources of pods, services and nodes: whom a name means, and the request that goes there.

import type { Rng } from '../../../sim/rng.ts';
import type { Connection } from '../../../sim/stream.ts';
import type { ApiError } from '../../machinery/api-error.ts';
import { badRequest, notFound, serviceUnavailable } from '../../machinery/status.ts';
import type { Endpoints, Pod, Service } from '../../machinery/types.ts';
import type { ClusterReader } from '../admission.ts';
import type { BackendAddress } from '../assemble.ts';
import type { SpecialHandler, SpecialRequest } from '../server.ts';
import { kubeletAddress } from './kubelet-address.ts';
import { passOn } from './reverse-proxy.ts';

export interface ResourceProxyOptions {
  readonly reader: ClusterReader;
  readonly rng: Rng;
  readonly connect: (to: BackendAddress) => Promise<Connection>;
}

type Locate = (special: SpecialRequest, options: ResourceProxyOptions) => BackendAddress;

export function resourceProxies(options: ResourceProxyOptions): ReadonlyMap<string, SpecialHandler> {
  const proxy =
    (locate: Locate): SpecialHandler =>
    async (special) => {
      const { request, respond } = special;
      const { path, query } = pathAfterProxy(special);
      const to = locate(special, options);
      const isUpgrade = (request.headers.get('connection') ?? '').toLowerCase().includes('upgrade');
      if (path === '' && !isUpgrade) {
        await respond.send({ status: 301, headers: { location: `${special.info.path}/${query}` } });
        return;
      }
      const target = `${path === '' ? '/' : path}${query}`;
      await passOn(request, respond, { to, target, keepsLinks: true, connect: options.connect });
    };
  return new Map([
    ['pods./proxy', proxy(podAddress)],
    ['services./proxy', proxy(serviceAddress)],
    ['nodes./proxy', proxy(nodeAddress)],
  ]);
}

/** What follows `/proxy` in the path as it was sent. */
function pathAfterProxy({ request, info }: SpecialRequest): { readonly path: string; readonly query: string } {
  const mark = request.target.indexOf('?');
  const whole = mark < 0 ? request.target : request.target.slice(0, mark);
  const before = info.namespace === '' || info.resource === 'nodes' ? 4 : 6;
  // /api/v1/namespaces/NS/pods/NAME/proxy/REST: the part after the one named proxy.
  const parts = whole.split('/');
  const rest = parts.slice(before + 2).join('/');
  return { path: parts.length > before + 2 ? `/${rest}` : '', query: mark < 0 ? '' : request.target.slice(mark) };
}

interface ProxyName {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

/** `name`, `name:port`, `https:name:port`; undefined for anything else. */
function parseName(id: string): ProxyName | undefined {
  const parts = id.split(':');
  const [scheme, name, port] = parts.length === 3 ? parts : ['', parts[0], parts[1] ?? ''];
  if (parts.length > 3 || name === undefined || name === '' || !['', 'http', 'https'].includes(scheme ?? '')) return undefined;
  return { scheme: scheme ?? '', name, port: port ?? '' };
}

function invalid(kind: string, id: string): ApiError {
  return badRequest(`invalid ${kind} request ${JSON.stringify(id)}`);
}

function podAddress({ info, endpoint }: SpecialRequest): BackendAddress {
  const id = parseName(info.name);
  if (id === undefined) throw invalid('pod', info.name);
  const pod = endpoint.find(info.namespace, id.name).object as unknown as Pod;
  const first = pod.spec?.containers.find((container) => (container.ports ?? []).length > 0)?.ports?.[0]?.containerPort;
  const address = pod.status?.podIP ?? '';
  if (!isProxyable(address)) throw badRequest('address not allowed');
  const isTls = id.scheme === 'https';
  return { address, port: id.port === '' ? (first ?? (isTls ? 443 : 80)) : Number(id.port), isTls };
}

/** Addresses of the server's own machine and of its link are nobody's business. */
function isProxyable(address: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(address) && !/^(?:127\.|169\.254\.|0\.0\.0\.0$|22[4-9]\.|23\d\.)/.test(address);
}

function serviceAddress({ info, endpoint }: SpecialRequest, { reader, rng }: ResourceProxyOptions): BackendAddress {
  const id = parseName(info.name);
  if (id === undefined) throw invalid('service', info.name);
  let { port } = id;
  if (/^[+-]?\d+$/.test(port)) {
    const service = endpoint.find(info.namespace, id.name).object as unknown as Service;
    const found = (service.spec?.ports ?? []).find((each) => each.port === Number(port));
    if (found === undefined) throw serviceUnavailable(`no service port ${Number(port)} found for service ${JSON.stringify(id.name)}`);
    port = found.name ?? '';
  }
  const stored = reader.store('', 'endpoints').get(info.namespace, id.name);
  if (stored === undefined) throw notFound({ group: '', resource: 'endpoints' }, id.name);
  const subsets = (stored.object as unknown as Endpoints).subsets ?? [];
  if (subsets.length === 0) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(id.name)}`);
  const start = rng.int(subsets.length);
  for (let step = 0; step < subsets.length; step++) {
    const { addresses = [], ports = [] } = subsets[(start + step) % subsets.length]!;
    if (addresses.length === 0) continue;
    for (const each of ports) {
      if ((each.name ?? '') !== port) continue;
      const first = rng.int(addresses.length);
      for (let attempt = 0; attempt < addresses.length; attempt++) {
        const address = addresses[(first + attempt) % addresses.length]!;
        if (isPodOf(address, info.namespace, reader)) return { address: address.ip, port: each.port, isTls: id.scheme === 'https' };
      }
    }
  }
  throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(info.name)}`);
}

/** Whoever may write endpoints must not be led to other places by them: only pods of the namespace count. */
function isPodOf(
  address: { readonly ip: string; readonly targetRef?: { readonly namespace?: string; readonly name?: string } },
  namespace: string,
  reader: ClusterReader,
): boolean {
  if (address.targetRef === undefined || address.targetRef.namespace !== namespace) return false;
  const pod = reader.store('', 'pods').get(namespace, address.targetRef.name ?? '')?.object as unknown as Pod | undefined;
  return pod?.status?.podIP === address.ip;
}

function nodeAddress({ info }: SpecialRequest, { reader }: ResourceProxyOptions): BackendAddress {
  const id = parseName(info.name);
  if (id === undefined) throw invalid('node', info.name);
  const kubelet = kubeletAddress(id.name, reader);
  if (id.port === '' || Number(id.port) === kubelet.port) return { address: kubelet.address, port: kubelet.port, isTls: true };
  return { address: kubelet.address, port: Number(id.port), isTls: id.scheme === 'https' };
}
