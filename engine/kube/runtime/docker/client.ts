// A client of the Engine API: what docker(1) and the kubelet's dockershim speak.

import { text } from '../../../sim/bytes.ts';
import { SysError } from '../../../sim/errno.ts';
import type { ByteSink, Connection } from '../../../sim/stream.ts';
import type { HttpResponse } from '../../../net/http.ts';
import { HttpClient } from '../../../net/http-client.ts';
import type { Syscalls, TerminalSize } from '../../../kernel/process.ts';
import type { ExecStreams, LogOptions } from '../../kubelet/container-runtime.ts';
import { queryOf } from '../query.ts';
import type { ExecJson, ExecRequest } from './execs.ts';
import type { PullProgress } from './image-service.ts';
import { readAll } from './registry-client.ts';
import { FrameReader } from './stream-frames.ts';
import {
  DockerError,
  type ContainerInspect,
  type ContainerSummary,
  type CreateRequest,
  type DockerEvent,
  type ImageSummary,
} from './types.ts';

const SOCKET = '/var/run/docker.sock';

/** Nobody answers on the socket. */
export class DaemonUnreachable extends Error {
  override readonly name = 'DaemonUnreachable';
}

export class DockerClient {
  readonly #sys: Syscalls;
  readonly #http: HttpClient;

  constructor(sys: Syscalls, socket = SOCKET) {
    this.#sys = sys;
    this.#http = new HttpClient({ host: 'docker', maxIdle: 2, connect: () => sys.connectUnix(socket) });
  }

  close(): void {
    this.#http.close();
  }

  /** The answer's JSON; DockerError for an error status, DaemonUnreachable when there is no daemon. */
  async call<T>(method: string, target: string, options: { readonly body?: unknown; readonly signal?: AbortSignal } = {}): Promise<T> {
    const response = await this.request(method, target, options);
    const body = text(await readAll(response.body));
    return (body.trim() === '' ? undefined : JSON.parse(body)) as T;
  }

  async request(
    method: string,
    target: string,
    options: { readonly body?: unknown; readonly signal?: AbortSignal; readonly upgrade?: boolean } = {},
  ): Promise<HttpResponse> {
    let response: HttpResponse;
    try {
      response = await this.#http.request({
        method,
        target: `/v1.40${target}`,
        headers: {
          'user-agent': 'Docker-Client/19.03.14 (linux)',
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(options.upgrade === true ? { connection: 'Upgrade', upgrade: 'tcp' } : {}),
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (error) {
      if (error instanceof SysError && options.signal?.aborted !== true) {
        if (error.errno === 'EACCES') {
          throw new DaemonUnreachable(
            `Got permission denied while trying to connect to the Docker daemon socket at unix://${SOCKET}: ${method === 'GET' ? 'Get' : 'Post'} http://%2Fvar%2Frun%2Fdocker.sock/v1.40${target}: dial unix ${SOCKET}: connect: permission denied`,
          );
        }
        throw new DaemonUnreachable(`Cannot connect to the Docker daemon at unix://${SOCKET}. Is the docker daemon running?`);
      }
      throw error;
    }
    if (response.status >= 400) {
      const body = text(await readAll(response.body));
      throw new DockerError(response.status, messageOf(body));
    }
    return response;
  }

  containers(
    options: { readonly all?: boolean; readonly limit?: number; readonly filters?: Readonly<Record<string, readonly string[]>> } = {},
  ): Promise<ContainerSummary[]> {
    const filters = options.filters === undefined ? undefined : JSON.stringify(options.filters);
    return this.call('GET', `/containers/json${queryOf({ all: options.all === true ? 1 : undefined, limit: options.limit, filters })}`);
  }

  inspect(id: string): Promise<ContainerInspect> {
    return this.call('GET', `/containers/${encodeURIComponent(id)}/json`);
  }

  create(request: CreateRequest, name?: string): Promise<{ readonly Id: string }> {
    return this.call('POST', `/containers/create${queryOf({ name })}`, { body: request });
  }

  async start(id: string): Promise<void> {
    await this.call('POST', `/containers/${encodeURIComponent(id)}/start`);
  }

  async stop(id: string, seconds?: number): Promise<void> {
    await this.call('POST', `/containers/${encodeURIComponent(id)}/stop${queryOf({ t: seconds })}`);
  }

  async remove(id: string, options: { readonly force?: boolean; readonly volumes?: boolean } = {}): Promise<void> {
    await this.call(
      'DELETE',
      `/containers/${encodeURIComponent(id)}${queryOf({ force: options.force === true ? 1 : undefined, v: options.volumes === true ? 1 : undefined })}`,
    );
  }

  images(filters?: Readonly<Record<string, readonly string[]>>): Promise<ImageSummary[]> {
    return this.call('GET', `/images/json${queryOf({ filters: filters === undefined ? undefined : JSON.stringify(filters) })}`);
  }

  /** Follows a pull; throws DockerError with the daemon's message. */
  async pull(name: string, onProgress: (line: PullProgress) => void): Promise<void> {
    const response = await this.request('POST', `/images/create${queryOf({ fromImage: name })}`);
    await eachLine(response, (line) => {
      const progress = JSON.parse(line) as PullProgress;
      if (progress.error !== undefined) throw new DockerError(500, progress.error);
      onProgress(progress);
    });
  }

  async logs(
    id: string,
    options: LogOptions,
    sinks: { readonly stdout: ByteSink; readonly stderr: ByteSink },
    signal: AbortSignal,
  ): Promise<void> {
    const { Config: config } = await this.inspect(id);
    const query = queryOf({
      stdout: 1,
      stderr: 1,
      follow: options.follow ? 1 : undefined,
      tail: options.tail,
      since: options.sinceMs === 0 ? undefined : options.sinceMs / 1000,
      timestamps: options.timestamps ? 1 : undefined,
    });
    const response = await this.request('GET', `/containers/${encodeURIComponent(id)}/logs${query}`, { signal });
    const frames = new FrameReader();
    for (;;) {
      const chunk = await response.body.read(undefined, signal);
      if (chunk === undefined) return;
      if (config.Tty) await sinks.stdout.write(chunk);
      else for (const { stream, bytes } of frames.push(chunk)) await (stream === 'stdout' ? sinks.stdout : sinks.stderr).write(bytes);
    }
  }

  /** Every event from now on, until `signal` aborts or the daemon goes. `onOpen` is called once events are being delivered. */
  async events(onEvent: (event: DockerEvent) => void, signal: AbortSignal, onOpen: () => void = () => undefined): Promise<void> {
    const response = await this.request('GET', '/events', { signal });
    onOpen();
    await eachLine(response, (line) => onEvent(JSON.parse(line) as DockerEvent), signal);
  }

  /** Runs a process in a container; resolves with its exit code. */
  async exec(id: string, request: Omit<ExecRequest, 'Tty'>, streams: ExecStreams, signal: AbortSignal): Promise<number> {
    const created = await this.call<{ readonly Id: string }>('POST', `/containers/${encodeURIComponent(id)}/exec`, {
      body: { ...request, Tty: streams.tty, AttachStdin: streams.stdin !== undefined, AttachStdout: true, AttachStderr: true },
    });
    const response = await this.request('POST', `/exec/${created.Id}/start`, { body: { Detach: false, Tty: streams.tty }, upgrade: true });
    await this.hijack(response.upgraded!, streams, (size) => this.#resize(`/exec/${created.Id}`, size), signal);
    const result = await this.call<ExecJson>('GET', `/exec/${created.Id}/json`);
    return result.ExitCode ?? 0;
  }

  async attach(id: string, streams: ExecStreams, signal: AbortSignal, onOpen: () => void = () => undefined): Promise<void> {
    const target = `/containers/${encodeURIComponent(id)}/attach${queryOf({ stream: 1, stdin: streams.stdin === undefined ? 0 : 1, stdout: 1, stderr: 1 })}`;
    const response = await this.request('POST', target, { upgrade: true });
    onOpen();
    await this.hijack(response.upgraded!, streams, (size) => this.#resize(`/containers/${encodeURIComponent(id)}`, size), signal);
  }

  async #resize(target: string, size: TerminalSize): Promise<void> {
    await this.call('POST', `${target}/resize${queryOf({ h: size.rows, w: size.columns })}`);
  }

  /** Carries the streams over a raw connection until the other side closes it. */
  async hijack(
    connection: Connection,
    streams: ExecStreams,
    resize: (size: TerminalSize) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const over = new AbortController();
    const onAbort = (): void => connection.close();
    signal.addEventListener('abort', onAbort, { once: true });
    const input = this.#input(connection, streams, over.signal).catch((error: unknown) => endOfStream(error, over.signal));
    const sizes = this.#sizes(streams, resize, over.signal).catch((error: unknown) => endOfStream(error, over.signal));
    try {
      const frames = new FrameReader();
      for (;;) {
        const chunk = await connection.read();
        if (chunk === undefined) break;
        if (streams.tty) await streams.stdout?.write(chunk);
        else for (const { stream, bytes } of frames.push(chunk)) await sinkOf(streams, stream)?.write(bytes);
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      over.abort(new Error('the stream is over'));
      connection.close();
    }
    await Promise.all([input, sizes]);
  }

  async #input(connection: Connection, streams: ExecStreams, signal: AbortSignal): Promise<void> {
    if (streams.stdin === undefined) return;
    for (;;) {
      const chunk = await streams.stdin.read(undefined, signal);
      if (chunk === undefined) break;
      await connection.write(chunk);
    }
    connection.shutdownWrite();
  }

  async #sizes(streams: ExecStreams, resize: (size: TerminalSize) => Promise<void>, signal: AbortSignal): Promise<void> {
    if (streams.resize === undefined) return;
    const iterator = streams.resize[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#sys.block<IteratorResult<TerminalSize> | undefined>((resolve, reject) => {
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
        if (signal.aborted) resolve(undefined);
        iterator.next().then(resolve, reject);
        return undefined;
      });
      if (next === undefined || next.done === true) return;
      await resize(next.value);
    }
  }
}

function sinkOf(streams: ExecStreams, stream: 'stdout' | 'stderr'): ByteSink | undefined {
  return stream === 'stdout' ? streams.stdout : streams.stderr;
}

/** A connection or terminal that closes ends its copying; so does the end of the whole. */
function endOfStream(error: unknown, over: AbortSignal): void {
  if (!over.aborted && !(error instanceof SysError) && !(error instanceof DockerError)) throw error;
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { readonly message?: string }).message ?? body.trim();
  } catch (error) {
    if (error instanceof SyntaxError) return body.trim();
    throw error;
  }
}

/** Calls `each` with every line of an answer's body. */
export async function eachLine(response: HttpResponse, each: (line: string) => void | Promise<void>, signal?: AbortSignal): Promise<void> {
  let rest = '';
  for (;;) {
    const chunk = await response.body.read(undefined, signal);
    if (chunk === undefined) break;
    const lines = (rest + text(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') await each(line.trim());
  }
  if (rest.trim() !== '') await each(rest.trim());
}
