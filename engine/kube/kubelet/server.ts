// Models the kubelet's HTTPS server on port 10250: logs, exec, attach, port-forward, pods, statistics.

import { text, utf8 } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import type { ByteSink, ByteSource } from '../../sim/stream.ts';
import type { HttpHandler, HttpRequest, HttpResponder } from '../../net/http.ts';
import { parseCertificate, verifyCertificate, X509Error } from '../../net/x509.ts';
import type { Process, TerminalSize } from '../../kernel/process.ts';
import type { Pod } from '../machinery/types.ts';
import { RuntimeError, type ContainerRuntime, type ContainerStatus, type ExecStreams } from './container-runtime.ts';
import type { Kubelet } from './kubelet.ts';
import { statusOf } from './pod-actions.ts';
import { acceptWebSocket, isWebSocket, type ChannelSocket } from './websocket.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;

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

async function containerOf(options: ServerOptions, pod: Pod, name: string): Promise<ContainerStatus> {
  const status = statusOf(name, await options.kubelet.observe(pod.metadata.uid));
  if (status === undefined) throw new HttpError(500, `container not found ("${name}")`);
  return status;
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
  const pod = podOf(options, namespace, podName);
  const container = await containerOf(options, pod, name);
  if (container.state !== 'running') throw new HttpError(500, `container not found ("${name}")`);
  const tty = isTrue(values, 'tty');
  const wants = {
    stdin: isTrue(values, 'input') || isTrue(values, 'stdin'),
    stdout: isTrue(values, 'output') || isTrue(values, 'stdout'),
    stderr: (isTrue(values, 'error') || isTrue(values, 'stderr')) && !tty,
  };
  if (!isWebSocket(request)) throw new HttpError(400, 'unable to upgrade: missing upgrade headers in request');
  const socket = await acceptWebSocket(request, respond);
  if (socket === undefined) return;
  const remote = new RemoteStreams(socket, wants);
  const over = new AbortController();
  const reading = remote.pump(over.signal).finally(() => over.abort(new Error('the client is gone')));
  reading.catch(clientGone);
  const streams: ExecStreams = {
    stdin: wants.stdin ? remote.stdin : undefined,
    stdout: wants.stdout ? remote.sink(STDOUT) : undefined,
    stderr: wants.stderr ? remote.sink(STDERR) : undefined,
    tty,
    resize: tty ? remote.sizes : undefined,
  };
  let status: unknown = { metadata: {}, status: 'Success' };
  try {
    if (kind === 'attach') await options.runtime.attach(container.id, streams, over.signal);
    else {
      const code = await options.runtime.exec(container.id, values.get('command') ?? [], streams, over.signal);
      if (code !== 0) {
        status = {
          metadata: {},
          status: 'Failure',
          message: `command terminated with non-zero exit code: Error executing in Docker Container: ${code}`,
          reason: 'NonZeroExitCode',
          details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
        };
      }
    }
  } catch (error) {
    if (!(error instanceof RuntimeError) && !(error instanceof SysError)) throw error;
    const message = `Internal error occurred: error executing command in container: ${error.message}`;
    status = {
      metadata: {},
      status: 'Failure',
      message,
      reason: 'InternalError',
      details: { causes: [{ message: error.message }] },
      code: 500,
    };
  }
  try {
    await socket.write(ERROR, utf8(JSON.stringify(status)));
    await socket.close();
  } catch (error) {
    clientGone(error);
  }
  over.abort(new Error('the command has ended'));
}

function clientGone(error: unknown): void {
  if (!(error instanceof SysError)) throw error;
}

/** Queues what arrives on a socket's channels. */
class RemoteStreams {
  readonly #socket: ChannelSocket;
  readonly #wants: { readonly stdin: boolean };
  readonly #input: Uint8Array[] = [];
  #isInputClosed = false;
  #wakeInput = (): void => undefined;
  readonly #sizes: TerminalSize[] = [];
  #wakeSizes = (): void => undefined;

  constructor(socket: ChannelSocket, wants: { readonly stdin: boolean }) {
    this.#socket = socket;
    this.#wants = wants;
  }

  async pump(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const message = await this.#socket.read(signal);
        if (message === undefined) return;
        if (message.channel === STDIN && this.#wants.stdin) {
          this.#input.push(message.bytes);
          this.#wakeInput();
        } else if (message.channel === RESIZE) {
          const size = JSON.parse(text(message.bytes)) as { readonly Width?: number; readonly Height?: number };
          this.#sizes.push({ columns: size.Width ?? 80, rows: size.Height ?? 24 });
          this.#wakeSizes();
        }
      }
    } catch (error) {
      if (!signal.aborted) clientGone(error);
    } finally {
      this.#isInputClosed = true;
      this.#wakeInput();
    }
  }

  readonly stdin: ByteSource = {
    read: async (_maxBytes, signal) => {
      for (;;) {
        const chunk = this.#input.shift();
        // An empty message closes stdin: WebSocket channels have no other way to say so.
        if (chunk !== undefined) return chunk.length === 0 ? undefined : chunk;
        if (this.#isInputClosed) return undefined;
        signal?.throwIfAborted();
        await new Promise<void>((resolve, reject) => {
          this.#wakeInput = resolve;
          signal?.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted')), {
            once: true,
          });
        });
      }
    },
  };

  sink(channel: number): ByteSink {
    return { write: (bytes) => this.#socket.write(channel, bytes) };
  }

  readonly sizes: AsyncIterable<TerminalSize> = {
    [Symbol.asyncIterator]: () => ({
      next: async (): Promise<IteratorResult<TerminalSize>> => {
        for (;;) {
          const value = this.#sizes.shift();
          if (value !== undefined) return { value, done: false };
          await new Promise<void>((resolve) => {
            this.#wakeSizes = resolve;
          });
        }
      },
    }),
  };
}

/** Channels 2n and 2n+1 are the data and the errors of the nth port; both start with the port's number. */
async function portForward(
  options: ServerOptions,
  request: HttpRequest,
  respond: HttpResponder,
  parts: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const [, namespace = '', podName = ''] = parts;
  const pod = podOf(options, namespace, podName);
  const { sys } = options.process;
  const observed = await options.kubelet.observe(pod.metadata.uid);
  const sandbox = observed.sandboxes.find((candidate) => candidate.state === 'ready');
  if (sandbox === undefined) throw new HttpError(500, `unable to do port forwarding: pod is not running`);
  if (!isWebSocket(request)) throw new HttpError(400, 'unable to upgrade: missing upgrade headers in request');
  const ports = (values.get('port') ?? []).flatMap((port) => port.split(',')).map(Number);
  const socket = await acceptWebSocket(request, respond);
  if (socket === undefined) return;
  const address = sandbox.hostNetwork ? '127.0.0.1' : (sandbox.address ?? '');
  const connections = new Map<number, { readonly write: (bytes: Uint8Array) => Promise<void>; readonly close: () => void }>();
  const open = async (index: number): Promise<void> => {
    const port = ports[index]!;
    const head = Uint8Array.of(port & 255, port >> 8);
    await socket.write(index * 2, head);
    await socket.write(index * 2 + 1, head);
    try {
      const connection = await sys.net.connect({ address, port });
      connections.set(index, connection);
      for (;;) {
        const chunk = await connection.read();
        if (chunk === undefined) return;
        await socket.write(index * 2, chunk);
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await socket.write(
        index * 2 + 1,
        utf8(
          `error forwarding port ${port} to pod ${sandbox.id}, uid : exit status 1: connect(5, AF=2 ${address}:${port}, 16): ${error.strerror}\n`,
        ),
      );
    }
  };
  const opened = ports.map((_, index) => open(index).catch(clientGone));
  for (;;) {
    const message = await socket.read(respond.signal);
    if (message === undefined) break;
    await connections
      .get(message.channel >> 1)
      ?.write(message.bytes)
      .catch(clientGone);
  }
  for (const connection of connections.values()) connection.close();
  await Promise.all(opened);
  await socket.close();
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
