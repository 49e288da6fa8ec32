// Models the API that metrics-server serves: metrics.k8s.io/v1beta1 for users whom the API server vouches for.

import { readAllBytes } from '../../../net/http-message.ts';
import type { HttpHandler, HttpRequest, HttpResponder } from '../../../net/http.ts';
import { parseCertificate, verifyCertificate, X509Error } from '../../../net/x509.ts';
import { text } from '../../../sim/bytes.ts';
import type { KubeClient } from '../../../kube/client/contracts.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import { parseLabelSelector, SelectorError } from '../../../kube/machinery/selectors.ts';
import { NODE, POD } from '../../../kube/machinery/resources.ts';
import { badRequest, forbidden, notFound, unauthorized } from '../../../kube/machinery/status.ts';
import type { KubeObject } from '../../../kube/machinery/types.ts';
import type { NodeUsage, PodUsage, Scraper, Usage } from './scraper.ts';

const GROUP = 'metrics.k8s.io';
const VERSION = 'v1beta1';
const ROOT = `/apis/${GROUP}/${VERSION}`;
/** Over how much time v0.3.6 says that it has looked. */
const WINDOW = '30s';

export interface ApiOptions {
  readonly scraper: Scraper;
  readonly client: KubeClient;
  readonly nowMs: () => number;
  /** The front proxy's authority, as the API server published it. */
  readonly proxyCa: () => string | undefined;
}

export function metricsApi(options: ApiOptions): HttpHandler {
  return async (request, respond) => {
    try {
      await route(request, respond, options);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      await sendJson(respond, error.status.code, error.status);
    }
  };
}

function sendJson(respond: HttpResponder, status: number, body: object): Promise<void> {
  return respond.send({ status, headers: { 'content-type': 'application/json' } }, `${JSON.stringify(body)}\n`);
}

async function route(request: HttpRequest, respond: HttpResponder, options: ApiOptions): Promise<void> {
  const [path = '', query = ''] = request.target.split('?');
  if (path === '/healthz') return respond.send({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } }, 'ok');
  const user = userOf(request, options);
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .slice(3)
    .map(decodeURIComponent);
  const [namespace, [resource = '', name = '']] = parts[0] === 'namespaces' ? [parts[1] ?? '', parts.slice(2)] : ['', parts];
  await authorize(user, { path, namespace, resource, name }, options);
  if (path === '/apis') return sendJson(respond, 200, { kind: 'APIGroupList', apiVersion: 'v1', groups: [group()] });
  if (path === `/apis/${GROUP}`) return sendJson(respond, 200, { kind: 'APIGroup', apiVersion: 'v1', ...group() });
  if (path === ROOT) return sendJson(respond, 200, RESOURCES);
  if (!path.startsWith(`${ROOT}/`) || (resource !== 'nodes' && resource !== 'pods'))
    return respond.send({ status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } }, '404 page not found\n');
  const selector = decodeURIComponent(/(?:^|&)labelSelector=([^&]*)/.exec(query)?.[1] ?? '').replaceAll('+', ' ');
  return sendJson(respond, 200, await (resource === 'nodes' ? nodes(name, selector, options) : pods(namespace, name, selector, options)));
}

function group(): object {
  const version = { groupVersion: `${GROUP}/${VERSION}`, version: VERSION };
  return { name: GROUP, versions: [version], preferredVersion: version };
}

const RESOURCES = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${GROUP}/${VERSION}`,
  resources: [
    { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
    { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
  ],
};

interface Asker {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Headers say who asks when the front proxy's certificate comes with them. */
function userOf(request: HttpRequest, options: ApiOptions): Asker {
  const ca = options.proxyCa();
  const name = request.headers.get('x-remote-user');
  if (request.clientCertificate !== undefined && ca !== undefined && name !== undefined) {
    try {
      verifyCertificate(request.clientCertificate, ca, { nowMs: options.nowMs(), usage: 'client' });
      if (parseCertificate(request.clientCertificate).subject.commonName !== 'front-proxy-client') throw unauthorized();
      return { name, groups: (request.headers.get('x-remote-group') ?? '').split(', ') };
    } catch (error) {
      if (!(error instanceof X509Error)) throw error;
      throw unauthorized();
    }
  }
  return { name: 'system:anonymous', groups: ['system:unauthenticated'] };
}

interface Asked {
  readonly path: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
}

/** The API server knows who may do what. */
async function authorize({ name: user, groups }: Asker, asked: Asked, { client }: ApiOptions): Promise<void> {
  if (groups.includes('system:masters')) return;
  const { path, namespace, resource, name } = asked;
  const verb = name === '' ? 'list' : 'get';
  const attributes =
    resource === ''
      ? { nonResourceAttributes: { path, verb: 'get' } }
      : {
          resourceAttributes: {
            group: GROUP,
            version: VERSION,
            resource,
            verb,
            ...(namespace === '' ? {} : { namespace }),
            ...(name === '' ? {} : { name }),
          },
        };
  const response = await client.raw('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { user, groups, ...attributes } }),
  });
  const review = JSON.parse(text(await readAllBytes(response.body))) as { status?: { allowed?: boolean } };
  if (review.status?.allowed === true) return;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const what =
    resource === ''
      ? `get path ${JSON.stringify(path)}`
      : `${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(GROUP)} ${where}`;
  throw forbidden(
    resource === '' ? { group: '', resource: '' } : { group: GROUP, resource },
    name,
    `User ${JSON.stringify(user)} cannot ${what}`,
  );
}

async function nodes(name: string, selector: string, { scraper, client, nowMs }: ApiOptions): Promise<object> {
  if (name !== '') {
    const found = scraper.nodes.get(name);
    if (found === undefined) throw notFound({ group: GROUP, resource: 'nodes' }, name);
    return { kind: 'NodeMetrics', apiVersion: `${GROUP}/${VERSION}`, ...nodeMetrics(found, nowMs()) };
  }
  const names = await selected(selector, () => client.list(NODE));
  const items = [...scraper.nodes.values()].filter((node) => names?.has(node.name) ?? true).sort((a, b) => (a.name < b.name ? -1 : 1));
  return listOf(
    'NodeMetricsList',
    `${ROOT}/nodes`,
    items.map((node) => nodeMetrics(node, nowMs())),
  );
}

async function pods(namespace: string, name: string, selector: string, { scraper, client, nowMs }: ApiOptions): Promise<object> {
  if (name !== '') {
    const found = scraper.pods.get(`${namespace}/${name}`);
    if (found === undefined) throw notFound({ group: GROUP, resource: 'pods' }, `${namespace}/${name}`);
    return { kind: 'PodMetrics', apiVersion: `${GROUP}/${VERSION}`, ...podMetrics(found, nowMs()) };
  }
  const names = await selected(selector, () => client.list(POD, namespace === '' ? {} : { namespace }));
  const items = [...scraper.pods.values()]
    .filter((pod) => (namespace === '' || pod.namespace === namespace) && (names?.has(`${pod.namespace}/${pod.name}`) ?? true))
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
  const link = namespace === '' ? `${ROOT}/pods` : `${ROOT}/namespaces/${namespace}/pods`;
  return listOf(
    'PodMetricsList',
    link,
    items.map((pod) => podMetrics(pod, nowMs())),
  );
}

/** Names of what a selector selects; undefined when there is none. */
async function selected(
  selector: string,
  list: () => Promise<{ readonly items: readonly KubeObject[] }>,
): Promise<ReadonlySet<string> | undefined> {
  if (selector === '') return undefined;
  try {
    const wanted = parseLabelSelector(selector);
    const { items } = await list();
    return new Set(
      items
        .filter(({ metadata }) => wanted.matches(metadata.labels))
        .map(({ metadata }) => (metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`)),
    );
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw badRequest(error.message);
  }
}

function listOf(kind: string, selfLink: string, items: readonly object[]): object {
  return { kind, apiVersion: `${GROUP}/${VERSION}`, metadata: { selfLink }, items };
}

function now(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function nodeMetrics(node: NodeUsage, nowMs: number): object {
  const metadata = { name: node.name, selfLink: `${ROOT}/nodes/${node.name}`, creationTimestamp: now(nowMs) };
  return { metadata, timestamp: node.time, window: WINDOW, usage: amounts(node) };
}

function podMetrics(pod: PodUsage, nowMs: number): object {
  const { name, namespace } = pod;
  const metadata = { name, namespace, selfLink: `${ROOT}/namespaces/${namespace}/pods/${name}`, creationTimestamp: now(nowMs) };
  const containers = pod.containers.map((container) => ({ name: container.name, usage: amounts(container) }));
  return { metadata, timestamp: pod.time, window: WINDOW, containers };
}

function amounts({ nanoCores, memoryBytes }: Usage): object {
  return { cpu: nanoCores === 0 ? '0' : `${Math.round(nanoCores)}n`, memory: `${Math.floor(memoryBytes / 1024)}Ki` };
}
