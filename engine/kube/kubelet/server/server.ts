// Models the kubelet's HTTPS server on port 10250: logs, exec, attach, port-forward, pods, statistics.

import { isSysError } from '../../../sim/errno.ts';
import type { HttpHandler, HttpRequest, HttpResponder } from '../../../net/http.ts';
import { isWebSocketRequest } from '../../../net/websocket.ts';
import type { Process } from '../../../kernel/process.ts';
import type { Pod } from '../../machinery/types.ts';
import { RuntimeError, type ContainerRuntime } from '../container-runtime.ts';
import type { Kubelet } from '../kubelet.ts';
import type { KubeletConfig } from '../config.ts';
import { statusOf } from '../pod-actions.ts';
import { servePortForward } from '../streaming/port-forward.ts';
import { serveRemoteCommand, type RemoteStatus } from '../streaming/remote-command.ts';
import type { Access } from './access.ts';
import { serveContainerLogs } from './container-logs.ts';
import { HttpError } from './http-error.ts';
import { serveNodeLogs } from './node-logs.ts';
import { cadvisorMetrics, kubeletMetrics, resourceMetrics, summary, type StatisticsOptions } from './statistics.ts';

export interface ServerOptions {
  readonly process: Process;
  readonly kubelet: Kubelet;
  readonly runtime: ContainerRuntime;
  readonly access: Access;
  readonly config: KubeletConfig;
  readonly startMs: number;
}

export function kubeletServer(options: ServerOptions): HttpHandler {
  return async (request, respond) => {
    try {
      await route(options, request, respond);
    } catch (error) {
      if (respond.signal.aborted) return;
      if (error instanceof HttpError)
        await respond.send({ status: error.status, headers: { 'content-type': 'text/plain; charset=utf-8' } }, error.message);
      else if (error instanceof RuntimeError)
        await respond.send(
          { status: 500, headers: { 'content-type': 'text/plain; charset=utf-8' } },
          `rpc error: code = Unknown desc = ${error.message}`,
        );
      else throw error;
    }
  };
}

/** Roots that are served; all else is not even asked for credentials. */
const ROOTS = new Set([
  'healthz',
  'pods',
  'runningpods',
  'containerLogs',
  'exec',
  'attach',
  'portForward',
  'run',
  'stats',
  'metrics',
  'logs',
  'configz',
]);
const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } as const;
const METRICS = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } as const;

async function route(options: ServerOptions, request: HttpRequest, respond: HttpResponder): Promise<void> {
  const [path = '', query = ''] = split(request.target, '?');
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const root = parts[0] ?? '';
  if (!ROOTS.has(root)) return respond.send({ status: 404, headers: TEXT }, '404 page not found\n');
  await options.access.check(request);
  const values = parseQuery(query);
  const allows = (...methods: readonly string[]): void => {
    if (!methods.includes(request.method)) throw new HttpError(405, '405: Method Not Allowed');
  };
  const noSuchPage = (): Promise<void> => respond.send({ status: 404, headers: TEXT }, '404: Page Not Found');
  const statistics = (): StatisticsOptions => ({
    sys: options.process.sys,
    nodeName: options.config.nodeName,
    pods: options.kubelet.pods(),
  });
  switch (root) {
    case 'healthz':
      return healthz(respond, parts[1], values);
    case 'pods':
      allows('GET');
      return parts.length > 1 ? noSuchPage() : sendJson(respond, podList(options.kubelet.pods()));
    case 'runningpods':
      allows('GET');
      return parts.length > 1 ? noSuchPage() : sendJson(respond, podList(await runningPods(options)));
    case 'containerLogs':
      allows('GET');
      return parts.length === 4 ? logs(options, respond, parts, values) : noSuchPage();
    case 'exec':
    case 'attach':
      allows('GET', 'POST');
      return parts.length === 4 || parts.length === 5 ? remoteCommand(options, request, respond, parts, values) : noSuchPage();
    case 'portForward':
      allows('GET', 'POST');
      return parts.length === 3 || parts.length === 4 ? portForward(options, request, respond, parts, values) : noSuchPage();
    case 'run':
      allows('POST');
      return parts.length === 4 || parts.length === 5 ? run(options, respond, parts, values) : noSuchPage();
    case 'stats':
      allows('GET', 'POST');
      return parts[1] === 'summary' ? sendJson(respond, summary(statistics())) : noSuchPage();
    case 'metrics':
      if (parts.length === 1)
        return respond.send({ status: 200, headers: METRICS }, kubeletMetrics(statistics(), { startMs: options.startMs }));
      if (parts[1] === 'cadvisor') return respond.send({ status: 200, headers: METRICS }, cadvisorMetrics(statistics()));
      if (parts[1] === 'resource') return respond.send({ status: 200, headers: METRICS }, resourceMetrics(statistics()));
      return respond.send({ status: 404, headers: TEXT }, '404 page not found\n');
    case 'logs':
      allows('GET');
      return serveNodeLogs(options.process.sys, path, respond);
    default:
      return sendJson(respond, { kubeletconfig: configz(options.config) });
  }
}

async function healthz(respond: HttpResponder, check: string | undefined, values: ReadonlyMap<string, readonly string[]>): Promise<void> {
  const checks = ['ping', 'log', 'syncloop'];
  if (check !== undefined && !checks.includes(check)) return respond.send({ status: 404, headers: TEXT }, '404 page not found\n');
  if (check !== undefined || !values.has('verbose')) return respond.send({ status: 200, headers: TEXT }, 'ok');
  await respond.send({ status: 200, headers: TEXT }, `${checks.map((one) => `[+]${one} ok\n`).join('')}healthz check passed\n`);
}

function podList(items: readonly Pod[]): unknown {
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: items.length === 0 ? null : items.map(untyped) };
}

/** Items of a list carry no kind of their own. */
function untyped(pod: Pod): unknown {
  return Object.fromEntries(Object.entries(pod).filter(([name]) => name !== 'kind' && name !== 'apiVersion'));
}

/** What the runtime runs, whatever the API wants. */
async function runningPods({ runtime }: ServerOptions): Promise<readonly Pod[]> {
  const containers = (await runtime.containers()).filter((container) => container.state === 'running');
  const sandboxes = (await runtime.sandboxes()).filter((sandbox) => sandbox.state === 'ready');
  return sandboxes.map((sandbox) => ({
    metadata: { name: sandbox.name, namespace: sandbox.namespace, uid: sandbox.podUid, creationTimestamp: null },
    spec: {
      containers: containers
        .filter((container) => container.sandboxId === sandbox.id)
        .map((container) => ({ name: container.name, image: container.imageId, resources: {} })),
    },
    status: {},
  })) as unknown as readonly Pod[];
}

async function logs(
  options: ServerOptions,
  respond: HttpResponder,
  parts: readonly string[],
  query: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const [, namespace = '', podName = '', container = ''] = parts;
  const pod = options.kubelet.find(namespace, podName);
  if (pod === undefined) throw new HttpError(404, `pod "${podName}" does not exist`);
  if (![...pod.spec!.containers, ...(pod.spec!.initContainers ?? [])].some((each) => each.name === container))
    throw new HttpError(404, `container "${container}" not found in pod "${podName}"`);
  await serveContainerLogs({ pod, container, query, nowMs: options.process.sys.now(), runtime: options.runtime }, respond);
}

/** The oldest way to run a command: its output in one piece. */
async function run(
  options: ServerOptions,
  respond: HttpResponder,
  parts: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const [, namespace = '', podName = ''] = parts;
  const name = parts.at(-1) ?? '';
  const pod = podOf(options, namespace, podName);
  const container = statusOf(name, await options.kubelet.observe(pod.metadata.uid));
  if (container?.state !== 'running') throw new HttpError(500, `container not found ("${name}")`);
  const { exitCode, output } = await options.runtime.execSync(container.id, (values.get('cmd')?.[0] ?? '').split(' '), 0);
  if (exitCode !== 0) throw new HttpError(500, `command '${values.get('cmd')?.[0] ?? ''}' exited with ${exitCode}: ${output}`);
  await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, output);
}

/** KubeletConfiguration as it is in force, as far as it is modelled. */
function configz(config: KubeletConfig): unknown {
  return {
    staticPodPath: config.staticPodPath ?? '',
    syncFrequency: '1m0s',
    fileCheckFrequency: '20s',
    httpCheckFrequency: '20s',
    address: config.address,
    port: config.port,
    authentication: {
      x509: { clientCAFile: config.clientCaFile ?? '' },
      webhook: { enabled: config.reviewsTokens, cacheTTL: '2m0s' },
      anonymous: { enabled: config.isAnonymous },
    },
    authorization: { mode: config.authorizationMode, webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' } },
    healthzPort: config.healthzPort,
    healthzBindAddress: config.healthzAddress,
    clusterDomain: config.clusterDomain,
    clusterDNS: config.clusterDns,
    streamingConnectionIdleTimeout: '4h0m0s',
    nodeLeaseDurationSeconds: config.leaseSeconds,
    maxPods: config.maxPods,
    resolvConf: config.resolvConf,
    serializeImagePulls: config.serializesPulls,
    enableServer: true,
    enableControllerAttachDetach: true,
    enableDebuggingHandlers: true,
    enableSystemLogHandler: true,
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    // A stray % stands for itself.
    if (error instanceof URIError) return part;
    throw error;
  }
}

async function sendJson(respond: HttpResponder, body: unknown): Promise<void> {
  await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, JSON.stringify(body));
}

function split(value: string, separator: string): readonly [string, string] {
  const at = value.indexOf(separator);
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
}

function parseQuery(query: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const [name, value] = split(part, '=');
    const key = decode(name);
    values.set(key, [...(values.get(key) ?? []), decode(value.replaceAll('+', ' '))]);
  }
  return values;
}

function podOf(options: ServerOptions, namespace: string, name: string): Pod {
  const pod = options.kubelet.find(namespace, name);
  if (pod === undefined) throw new HttpError(404, `pod does not exist`);
  return pod;
}

async function remoteCommand(
  options: ServerOptions,
  request: HttpRequest,
  respond: HttpResponder,
  parts: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const [kind, namespace = '', podName = ''] = parts;
  // With a uid in the path the container comes after it.
  const name = parts.at(-1) ?? '';
  const isOne = (key: string): boolean => values.get(key)?.[0] === '1';
  const wantsTty = isOne('tty');
  const wants = { stdin: isOne('input'), stdout: isOne('output'), stderr: isOne('error') && !wantsTty };
  if (!wants.stdin && !wants.stdout && !wants.stderr) throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr');
  const pod = podOf(options, namespace, podName);
  const container = statusOf(name, await options.kubelet.observe(pod.metadata.uid));
  const isAttach = kind === 'attach';
  if (container === undefined || container.state !== 'running') {
    throw new HttpError(500, isAttach ? `container ${name} not found in pod ${podName}_${namespace}` : `container not found ("${name}")`);
  }
  // Whether the process has a terminal was decided when it started; attaching can't change it.
  const spec = [...pod.spec!.containers, ...(pod.spec!.initContainers ?? [])].find((one) => one.name === name);
  const tty = isAttach ? spec?.tty === true : wantsTty;
  upgradeRequired(request);
  await serveRemoteCommand(
    request,
    respond,
    { ...wants, stderr: wants.stderr && !tty, tty, clock: options.process.sys.clock },
    async (streams, gone) => {
      try {
        if (isAttach) await options.runtime.attach(container.id, streams, gone);
        else {
          const code = await options.runtime.exec(container.id, values.get('command') ?? [], streams, gone);
          if (code !== 0) return exitStatus(code);
        }
      } catch (error) {
        if (!(error instanceof RuntimeError) && !isSysError(error)) throw error;
        const what = isAttach ? 'error attaching to container' : 'error executing command in container';
        return internalError(`${what}: ${error.message}`);
      }
      return { metadata: {}, status: 'Success' };
    },
  );
}

function exitStatus(code: number): RemoteStatus {
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: Error executing in Docker Container: ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}

function internalError(message: string): RemoteStatus {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  };
}

/** The request is handed to the runtime's own streaming server, which takes nothing but upgrades. */
function upgradeRequired(request: HttpRequest): void {
  if (!(request.headers.get('connection') ?? '').toLowerCase().includes('upgrade')) throw new HttpError(500, 'Upgrade request required');
}

async function portForward(
  options: ServerOptions,
  request: HttpRequest,
  respond: HttpResponder,
  parts: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const [, namespace = '', podName = '', uid] = parts;
  const ports = isWebSocketRequest(request) ? forwardedPorts(values.get('port') ?? []) : [];
  const pod = podOf(options, namespace, podName);
  if (uid !== undefined && uid !== pod.metadata.uid) throw new HttpError(404, 'pod not found');
  const observed = await options.kubelet.observe(pod.metadata.uid);
  const [sandbox] = observed.sandboxes;
  const isRunning = sandbox?.state === 'ready' || observed.containers.some((container) => container.state === 'running');
  if (sandbox === undefined || !isRunning) throw new HttpError(500, `pod not found ("${podName}_${namespace}")`);
  if (sandbox.state !== 'ready') throw new HttpError(500, `container not running (${sandbox.id})`);
  upgradeRequired(request);
  await servePortForward(request, respond, {
    clock: options.process.sys.clock,
    pod: sandbox.id,
    ports,
    forward: (port, stream, gone) => options.runtime.portForward(sandbox.id, port, stream, gone),
  });
}

function forwardedPorts(given: readonly string[]): readonly number[] {
  if (given.length === 0) throw new HttpError(400, 'query parameter "port" is required');
  return given.flatMap((ports) => {
    if (ports === '') throw new HttpError(400, 'query parameter "port" cannot be empty');
    return ports.split(',').map((port) => {
      if (!/^\d+$/.test(port))
        throw new HttpError(400, `unable to parse "${ports}" as a port: strconv.ParseUint: parsing "${port}": invalid syntax`);
      if (Number(port) > 65535)
        throw new HttpError(400, `unable to parse "${ports}" as a port: strconv.ParseUint: parsing "${port}": value out of range`);
      if (Number(port) < 1) throw new HttpError(400, `port "${ports}" must be > 0`);
      return Number(port);
    });
  });
}
