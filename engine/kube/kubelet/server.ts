// Models the kubelet's HTTPS server on port 10250: logs, exec, attach, port-forward, pods, statistics.

import { isSysError, SysError } from '../../sim/errno.ts';
import type { ByteSink } from '../../sim/stream.ts';
import type { HttpHandler, HttpRequest, HttpResponder } from '../../net/http.ts';
import { isWebSocketRequest } from '../../net/websocket.ts';
import { parseCertificate, verifyCertificate, X509Error } from '../../net/x509.ts';
import type { Process } from '../../kernel/process.ts';
import type { Pod } from '../machinery/types.ts';
import { RuntimeError, type ContainerRuntime } from './container-runtime.ts';
import type { Kubelet } from './kubelet.ts';
import { statusOf } from './pod-actions.ts';
import { servePortForward } from './streaming/port-forward.ts';
import { serveRemoteCommand, type RemoteStatus } from './streaming/remote-command.ts';

export interface ServerOptions {
  readonly process: Process;
  readonly kubelet: Kubelet;
  readonly runtime: ContainerRuntime;
  readonly clientCa: () => string | undefined;
  readonly isAnonymous: boolean;
  readonly nodeName: string;
  /** Asks the API server whether a user may use the node's API. */
  readonly isAllowed: (
    user: { readonly name: string; readonly groups: readonly string[] },
    verb: string,
    subresource: string,
  ) => Promise<boolean>;
}

class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function kubeletServer(options: ServerOptions): HttpHandler {
  return async (request, respond) => {
    try {
      await authorize(options, request);
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

async function authorize(options: ServerOptions, request: HttpRequest): Promise<void> {
  const user = userOf(options, request);
  if (user.groups.includes('system:masters')) return;
  const verb = ({ GET: 'get', POST: 'create', PUT: 'update', DELETE: 'delete' } as Record<string, string>)[request.method] ?? 'get';
  const path = request.target.split('?')[0] ?? '';
  const subresource = path.startsWith('/stats')
    ? 'stats'
    : path.startsWith('/metrics')
      ? 'metrics'
      : path.startsWith('/logs')
        ? 'log'
        : 'proxy';
  if (await options.isAllowed(user, verb, subresource)) return;
  throw new HttpError(403, `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource=${subresource})`);
}

function userOf(options: ServerOptions, request: HttpRequest): { readonly name: string; readonly groups: readonly string[] } {
  const ca = options.clientCa();
  if (request.clientCertificate !== undefined && ca !== undefined) {
    try {
      verifyCertificate(request.clientCertificate, ca, { nowMs: options.process.sys.now(), usage: 'client' });
      const { subject } = parseCertificate(request.clientCertificate);
      return { name: subject.commonName, groups: [...subject.organizations, 'system:authenticated'] };
    } catch (error) {
      if (!(error instanceof X509Error)) throw error;
    }
  }
  if (!options.isAnonymous) throw new HttpError(401, 'Unauthorized');
  return { name: 'system:anonymous', groups: ['system:unauthenticated'] };
}

async function route(options: ServerOptions, request: HttpRequest, respond: HttpResponder): Promise<void> {
  const [path = '', query = ''] = split(request.target, '?');
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const values = parseQuery(query);
  switch (parts[0]) {
    case 'healthz':
      return respond.send({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } }, 'ok');
    case 'pods':
    case 'runningpods':
      return sendJson(respond, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: options.kubelet.pods() });
    case 'containerLogs':
      return logs(options, respond, parts, values);
    case 'exec':
    case 'attach':
      return remoteCommand(options, request, respond, parts, values);
    case 'portForward':
      return portForward(options, request, respond, parts, values);
    case 'stats':
      return sendJson(respond, summary(options));
    default:
      return respond.send({ status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } }, '404 page not found\n');
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
    const key = decodeURIComponent(name);
    values.set(key, [...(values.get(key) ?? []), decodeURIComponent(value.replaceAll('+', ' '))]);
  }
  return values;
}

const isTrue = (values: ReadonlyMap<string, readonly string[]>, name: string): boolean =>
  ['1', 'true'].includes(values.get(name)?.[0] ?? '');

function podOf(options: ServerOptions, namespace: string, name: string): Pod {
  const pod = options.kubelet.find(namespace, name);
  if (pod === undefined) throw new HttpError(404, `pod does not exist`);
  return pod;
}

async function logs(
  options: ServerOptions,
  respond: HttpResponder,
  parts: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const [, namespace = '', podName = '', name = ''] = parts;
  const pod = options.kubelet.find(namespace, podName);
  if (pod === undefined) throw new HttpError(404, `pod "${podName}" does not exist`);
  if (![...pod.spec!.containers, ...(pod.spec!.initContainers ?? [])].some((container) => container.name === name)) {
    throw new HttpError(404, `container "${name}" not found in pod "${podName}"`);
  }
  const observed = (await options.kubelet.observe(pod.metadata.uid)).containers.filter((container) => container.name === name);
  const isPrevious = isTrue(values, 'previous');
  const container = isPrevious
    ? observed
        .filter((candidate) => candidate.state === 'exited')
        .at(
          observed[0]?.state === 'exited'
            ? pod.status?.containerStatuses?.find((status) => status.name === name)?.state?.waiting !== undefined
              ? 0
              : 1
            : 0,
        )
    : observed[0];
  if (container === undefined || container.state === 'created') {
    if (isPrevious) throw new HttpError(400, `previous terminated container "${name}" in pod "${podName}" not found`);
    const waiting = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
      (status) => status.name === name,
    )?.state?.waiting?.reason;
    throw new HttpError(400, waitingMessage(name, podName, waiting));
  }
  const nowMs = options.process.sys.now();
  const since = values.get('sinceSeconds')?.[0];
  const sinceTime = values.get('sinceTime')?.[0];
  const tail = values.get('tailLines')?.[0];
  const limit = values.get('limitBytes')?.[0];
  let left = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  const body = await respond.stream({ status: 200, headers: { 'content-type': 'text/plain' } });
  const sink: ByteSink = {
    write: async (bytes) => {
      if (left <= 0) return;
      const part = bytes.length > left ? bytes.slice(0, left) : bytes;
      left -= part.length;
      await body.write(part);
    },
  };
  try {
    await options.runtime.logs(
      container.id,
      {
        follow: isTrue(values, 'follow') && container.state === 'running',
        tail: tail === undefined ? undefined : Number(tail),
        sinceMs: since !== undefined ? nowMs - Number(since) * 1000 : sinceTime !== undefined ? Date.parse(sinceTime) : 0,
        timestamps: isTrue(values, 'timestamps'),
      },
      sink,
      sink,
      respond.signal,
    );
    await body.end();
  } catch (error) {
    if (!respond.signal.aborted && !(error instanceof SysError)) throw error;
  }
}

function waitingMessage(name: string, pod: string, reason: string | undefined): string {
  const about = `container "${name}" in pod "${pod}" is`;
  switch (reason) {
    case 'ErrImagePull':
      return `${about} waiting to start: image can't be pulled`;
    case 'ImagePullBackOff':
      return `${about} waiting to start: trying and failing to pull image`;
    case undefined:
      return `${about} not available`;
    default:
      return `${about} waiting to start: ${reason}`;
  }
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

function summary(options: ServerOptions): unknown {
  const { sys } = options.process;
  const now = new Date(sys.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const processes = sys.kernel.processes();
  const usage = (list: typeof processes): unknown => ({
    cpu: { time: now, usageNanoCores: 0, usageCoreNanoSeconds: list.reduce((sum, one) => sum + one.cpuMs, 0) * 1_000_000 },
    memory: {
      time: now,
      usageBytes: list.reduce((sum, one) => sum + one.residentBytes, 0),
      workingSetBytes: list.reduce((sum, one) => sum + one.residentBytes, 0),
    },
  });
  return {
    node: { nodeName: options.nodeName, startTime: new Date(sys.kernel.bootMs).toISOString(), ...(usage(processes) as object) },
    pods: options.kubelet.pods().map((pod) => ({
      podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      startTime: pod.status?.startTime,
      containers: (pod.status?.containerStatuses ?? []).map((container) => ({
        name: container.name,
        ...(usage(
          processes.filter(
            (one) => container.containerID !== undefined && one.cgroup.endsWith(container.containerID.replace('docker://', '/')),
          ),
        ) as object),
      })),
      ...(usage(processes.filter((one) => one.cgroup.includes(`/pod${pod.metadata.uid}/`))) as object),
    })),
  };
}
