// Models the Engine API v1.40 on /var/run/docker.sock, as far as docker(1) and the kubelet use it.

import { text, utf8 } from '../../../sim/bytes.ts';
import { SysError } from '../../../sim/errno.ts';
import type { Connection } from '../../../sim/stream.ts';
import type { HttpHandler, HttpRequest, HttpResponder } from '../../../net/http.ts';
import { RuntimeError } from '../../kubelet/container-runtime.ts';
import type { Daemon } from './daemon.ts';
import { inspectContainer, listContainers } from './listing.ts';
import { isSelected, readLog, type LogEntry, type LogSelection } from './json-log.ts';
import type { ProcessIo } from './process-io.ts';
import { readAll } from './registry-client.ts';
import { frame } from './stream-frames.ts';
import { parseNano } from '../nano-time.ts';
import { Query } from '../query.ts';
import type { ExecRequest, StartedExec } from './execs.ts';
import { DockerError, type CreateRequest } from './types.ts';

interface Call {
  readonly request: HttpRequest;
  readonly respond: HttpResponder;
  readonly query: Query;
  /** What the route's groups matched. */
  readonly args: readonly string[];
  readonly daemon: Daemon;
}

type Route = readonly [method: RegExp, path: RegExp, handle: (call: Call) => Promise<void>];

const NAME = '(.+)';
const route = (method: string, path: string, handle: Route[2]): Route => [new RegExp(`^${method}$`), new RegExp(`^${path}$`), handle];

const ROUTES: readonly Route[] = [
  route('(?:GET|HEAD)', '/_ping', ({ respond }) =>
    respond.send({ status: 200, headers: { 'api-version': '1.40', ostype: 'linux' } }, 'OK'),
  ),
  route('GET', '/version', ({ respond, daemon }) => json(respond, 200, daemon.version())),
  route('GET', '/info', ({ respond, daemon }) => json(respond, 200, daemon.info())),
  route('GET', '/events', events),
  route('GET', '/system/df', ({ respond, daemon }) => json(respond, 200, daemon.diskUsage())),
  route('GET', '/containers/json', list),
  route('POST', '/containers/create', create),
  route('GET', `/containers/${NAME}/json`, ({ respond, daemon, args }) => json(respond, 200, inspectContainer(daemon.store.get(args[0]!)))),
  route('GET', `/containers/${NAME}/logs`, logs),
  route('GET', `/containers/${NAME}/top`, ({ respond, daemon, args }) => json(respond, 200, daemon.top(args[0]!))),
  route('GET', `/containers/${NAME}/stats`, ({ respond, daemon, args }) => json(respond, 200, daemon.stats(args[0]!))),
  route('POST', `/containers/${NAME}/start`, async ({ respond, daemon, args }) =>
    respond.send({ status: (await daemon.containers.start(args[0]!)) === 'started' ? 204 : 304 }),
  ),
  route('POST', `/containers/${NAME}/stop`, async ({ respond, daemon, args, query }) =>
    respond.send({ status: (await daemon.containers.stop(args[0]!, seconds(query))) === 'stopped' ? 204 : 304 }),
  ),
  route('POST', `/containers/${NAME}/restart`, async ({ respond, daemon, args, query }) => {
    await daemon.containers.restart(args[0]!, seconds(query));
    await respond.send({ status: 204 });
  }),
  route('POST', `/containers/${NAME}/kill`, async ({ respond, daemon, args, query }) => {
    await daemon.containers.kill(args[0]!, query.get('signal') ?? undefined);
    await respond.send({ status: 204 });
  }),
  route('POST', `/containers/${NAME}/wait`, async ({ respond, daemon, args, query }) => {
    const code = await daemon.containers.wait(args[0]!, query.get('condition') ?? 'not-running', respond.signal);
    await json(respond, 200, { Error: null, StatusCode: code });
  }),
  route('POST', `/containers/${NAME}/attach`, attach),
  route('POST', `/containers/${NAME}/resize`, async ({ respond, daemon, args, query }) => {
    const { record } = daemon.store.get(args[0]!);
    await daemon.containers.shimOf(record.ID)({ op: 'resize', id: 'init', size: sizeOf(query) });
    await respond.send({ status: 200 });
  }),
  route('POST', `/containers/${NAME}/exec`, async ({ request, respond, daemon, args }) => {
    const body = JSON.parse(text(await readAll(request.body))) as ExecRequest;
    await json(respond, 201, { Id: daemon.execs.create(args[0]!, body) });
  }),
  route('DELETE', `/containers/${NAME}`, async ({ respond, daemon, args, query }) => {
    await daemon.containers.remove(args[0]!, { force: isTrue(query, 'force'), withVolumes: isTrue(query, 'v') });
    await respond.send({ status: 204 });
  }),
  route('POST', `/exec/${NAME}/start`, startExec),
  route('POST', `/exec/${NAME}/resize`, async ({ respond, daemon, args, query }) => {
    await daemon.execs.resize(args[0]!, sizeOf(query));
    await respond.send({ status: 201 });
  }),
  route('GET', `/exec/${NAME}/json`, ({ respond, daemon, args }) => json(respond, 200, daemon.execs.inspect(args[0]!))),
  route('GET', '/images/json', ({ respond, daemon, query }) => json(respond, 200, daemon.imageSummaries(filtersOf(query)))),
  route('GET', '/images/search', ({ respond, daemon, query }) => json(respond, 200, daemon.search(query.get('term') ?? ''))),
  route('POST', '/images/create', pull),
  route('GET', `/images/${NAME}/json`, ({ respond, daemon, args }) => json(respond, 200, daemon.inspectImage(args[0]!))),
  route('GET', `/images/${NAME}/history`, ({ respond, daemon, args }) => json(respond, 200, daemon.history(args[0]!))),
  route('POST', `/images/${NAME}/tag`, async ({ respond, daemon, args, query }) => {
    const tag = query.get('tag');
    daemon.images.tag(args[0]!, `${query.get('repo') ?? ''}${tag === null || tag === '' ? '' : `:${tag}`}`);
    await respond.send({ status: 201 });
  }),
  route('DELETE', `/images/${NAME}`, ({ respond, daemon, args, query }) =>
    json(respond, 200, daemon.removeImage(args[0]!, isTrue(query, 'force'))),
  ),
  route('GET', '/networks', ({ respond, daemon }) => json(respond, 200, daemon.networks.list())),
  route('GET', `/networks/${NAME}`, ({ respond, daemon, args }) => json(respond, 200, daemon.inspectNetwork(args[0]!))),
  route('GET', '/volumes', ({ respond, daemon }) => json(respond, 200, { Volumes: daemon.volumes.list(), Warnings: null })),
  route('POST', '/volumes/create', async ({ request, respond, daemon }) => {
    const body = JSON.parse(text(await readAll(request.body))) as { readonly Name?: string };
    await json(respond, 201, daemon.volumes.create(body.Name));
  }),
  route('GET', `/volumes/${NAME}`, ({ respond, daemon, args }) => json(respond, 200, daemon.volumes.get(args[0]!))),
  route('DELETE', `/volumes/${NAME}`, async ({ respond, daemon, args }) => {
    daemon.removeVolume(args[0]!);
    await respond.send({ status: 204 });
  }),
];

function matchRoute(method: string, path: string): { readonly handle: Route[2]; readonly args: readonly string[] } | undefined {
  for (const [methods, pattern, handle] of ROUTES) {
    if (!methods.test(method)) continue;
    const match = pattern.exec(path);
    if (match !== null) return { handle, args: match.slice(1) };
  }
  return undefined;
}

export function dockerApi(daemon: Daemon): HttpHandler {
  return async (request, respond) => {
    const [rawPath = '', rawQuery = ''] = splitOnce(request.target, '?');
    const path = decodeURIComponent(rawPath.replace(/^\/v\d+\.\d+(?=\/)/, ''));
    const query = new Query(rawQuery);
    const matched = matchRoute(request.method, path);
    try {
      if (matched === undefined) throw new DockerError(404, 'page not found');
      await matched.handle({ request, respond, query, daemon, args: matched.args });
    } catch (error) {
      const status =
        error instanceof DockerError ? error.status : error instanceof RuntimeError ? 400 : error instanceof SysError ? 500 : undefined;
      if (status === undefined || respond.signal.aborted) throw error;
      const message = error instanceof SysError ? error.message : (error as Error).message;
      await json(respond, status, { message });
    }
  };
}

async function json(respond: HttpResponder, status: number, body: unknown): Promise<void> {
  await respond.send({ status, headers: { 'content-type': 'application/json' } }, `${JSON.stringify(body)}\n`);
}

function splitOnce(value: string, separator: string): readonly [string, string] {
  const at = value.indexOf(separator);
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
}

function isTrue(query: Query, name: string): boolean {
  return ['1', 'true', 'True'].includes(query.get(name) ?? '');
}

function seconds(query: Query): number | undefined {
  const value = query.get('t');
  return value === null || value === '' ? undefined : Number(value);
}

function sizeOf(query: Query): { readonly columns: number; readonly rows: number } {
  return { columns: Number(query.get('w') ?? '80'), rows: Number(query.get('h') ?? '24') };
}

/** `{"name":["a"]}` and the older `{"name":{"a":true}}`. */
function filtersOf(query: Query): Readonly<Record<string, readonly string[]>> {
  const given = query.get('filters');
  if (given === null || given === '') return {};
  const parsed = JSON.parse(given) as Record<string, string[] | Record<string, boolean>>;
  return Object.fromEntries(Object.entries(parsed).map(([name, values]) => [name, Array.isArray(values) ? values : Object.keys(values)]));
}

async function list({ respond, query, daemon }: Call): Promise<void> {
  const options = {
    isAll: isTrue(query, 'all'),
    limit: Number(query.get('limit') ?? '0'),
    filters: filtersOf(query),
    imageId: (name: string) => daemon.images.lookup(name),
  };
  await json(respond, 200, listContainers(daemon.store, options, daemon.sys.now()));
}

async function create({ request, respond, query, daemon }: Call): Promise<void> {
  const body = JSON.parse(text(await readAll(request.body))) as CreateRequest;
  const { id } = daemon.containers.create(body, query.get('name') ?? undefined);
  await json(respond, 201, { Id: id, Warnings: [] });
}

async function pull({ respond, query, daemon }: Call): Promise<void> {
  const from = query.get('fromImage') ?? '';
  const tag = query.get('tag') ?? '';
  const name = tag === '' ? from : `${from}${tag.startsWith('sha256:') ? '@' : ':'}${tag}`;
  // Nothing is sent before the first line, so that a pull that fails at once is an answer with an error status.
  let body: { write(bytes: string): Promise<void>; end(): Promise<void> } | undefined;
  let sending = Promise.resolve();
  const send = (line: unknown): void => {
    sending = sending.then(async () => {
      body ??= await respond.stream({ status: 200, headers: { 'content-type': 'application/json' } });
      await body.write(`${JSON.stringify(line)}\r\n`);
    });
    sending.catch(clientGone);
  };
  try {
    await daemon.images.pull(name, send);
    await sending;
    await body?.end();
  } catch (error) {
    if (!(error instanceof DockerError) || body === undefined) throw error;
    send({ errorDetail: { message: error.message }, error: error.message });
    await sending;
    await body.end();
  }
}

/** A client that does not want to read on; the work it asked for goes on. */
function clientGone(error: unknown): void {
  if (!(error instanceof SysError)) throw error;
}

async function events({ respond, query, daemon }: Call): Promise<void> {
  const filters = filtersOf(query);
  const body = await respond.stream({ status: 200, headers: { 'content-type': 'application/json' } });
  const sys = daemon.sys;
  let sending = Promise.resolve();
  await sys.block<void>((resolve) => {
    const subscription = daemon.events.on((event) => {
      if (filters['type']?.includes(event.Type) === false) return;
      if (filters['event']?.includes(event.Action) === false) return;
      sending = sending.then(() => body.write(`${JSON.stringify(event)}\n`));
      sending.catch(clientGone);
    });
    respond.signal.addEventListener(
      'abort',
      () => {
        subscription.dispose();
        resolve();
      },
      { once: true },
    );
    return subscription;
  });
}

function selectionOf(query: Query): LogSelection {
  const tail = query.get('tail') ?? 'all';
  const time = (name: string, otherwise: number): number => {
    const given = query.get(name);
    if (given === null || given === '' || given === '0') return otherwise;
    return /^\d+(\.\d+)?$/.test(given) ? Number(given) * 1000 : parseNano(given);
  };
  return {
    stdout: isTrue(query, 'stdout'),
    stderr: isTrue(query, 'stderr'),
    tail: /^\d+$/.test(tail) ? Number(tail) : undefined,
    sinceMs: time('since', 0),
    untilMs: time('until', Number.MAX_SAFE_INTEGER),
  };
}

async function logs({ respond, query, daemon, args }: Call): Promise<void> {
  const { record } = daemon.store.get(args[0]!);
  const selection = selectionOf(query);
  if (!selection.stdout && !selection.stderr) throw new DockerError(400, 'Bad parameters: you must choose at least one stream');
  const body = await respond.stream({ status: 200, headers: { 'content-type': 'application/vnd.docker.raw-stream' } });
  const withTime = isTrue(query, 'timestamps');
  const encode = (entry: LogEntry): Uint8Array => {
    const line = utf8(withTime ? `${entry.time} ${entry.log}` : entry.log);
    return record.Config.Tty ? line : frame(entry.stream, line);
  };
  const queue: LogEntry[] = [];
  let wake = (): void => undefined;
  let isEnded = !isTrue(query, 'follow') || !record.State.Running;
  const subscription = isEnded
    ? undefined
    : daemon.containers.onLog(record.ID, (entries) => {
        queue.push(...entries.filter((entry) => isSelected(entry, selection)));
        wake();
      });
  const stopped = daemon.containers.stopped.on((id) => {
    if (id !== record.ID) return;
    isEnded = true;
    wake();
  });
  const onAbort = (): void => wake();
  respond.signal.addEventListener('abort', onAbort);
  try {
    for (const entry of readLog(daemon.sys, record.LogPath, selection)) await body.write(encode(entry));
    for (;;) {
      while (queue.length > 0) await body.write(encode(queue.shift()!));
      if (isEnded || respond.signal.aborted) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (!respond.signal.aborted) await body.end();
  } finally {
    subscription?.dispose();
    stopped.dispose();
    respond.signal.removeEventListener('abort', onAbort);
  }
}

const RAW_STREAM = { 'content-type': 'application/vnd.docker.raw-stream', connection: 'Upgrade', upgrade: 'tcp' } as const;

async function attach({ respond, query, daemon, args }: Call): Promise<void> {
  const { record } = daemon.store.get(args[0]!);
  const connection = await respond.upgrade({ status: 101, reason: 'UPGRADED', headers: RAW_STREAM });
  const io = daemon.containers.io(record.ID) ?? (isTrue(query, 'stream') ? await daemon.containers.nextIo(record.ID) : undefined);
  if (io === undefined) {
    connection.close();
    return;
  }
  await relay(daemon, connection, io, {
    isTty: record.Config.Tty,
    hasStdin: isTrue(query, 'stdin'),
    closesStdin: record.Config.StdinOnce && !record.Config.Tty,
  });
}

async function startExec({ request, respond, daemon, args }: Call): Promise<void> {
  const id = args[0]!;
  const body = JSON.parse(text(await readAll(request.body)) || '{}') as { readonly Detach?: boolean };
  if (body.Detach === true) {
    await daemon.execs.start(id);
    await respond.send({ status: 200 });
    return;
  }
  let started: StartedExec;
  try {
    started = await daemon.execs.start(id);
  } catch (error) {
    if (!(error instanceof DockerError) || !error.message.startsWith('OCI runtime')) throw error;
    // By then docker has given the connection away already: what runc says goes down the stream, the exit code tells the rest.
    const refused = await respond.upgrade({ status: 101, reason: 'UPGRADED', headers: RAW_STREAM });
    const line = utf8(`${error.message}\r\n`);
    await refused.write(daemon.execs.isTty(id) ? line : frame('stdout', line));
    refused.close();
    return;
  }
  const connection = await respond.upgrade({ status: 101, reason: 'UPGRADED', headers: RAW_STREAM });
  const isTty = daemon.execs.isTty(id);
  await relay(daemon, connection, started.io, { isTty, hasStdin: true, closesStdin: !isTty });
}

/** Carries bytes between a client and a process until the process ends or the client goes. */
async function relay(
  daemon: Daemon,
  connection: Connection,
  io: ProcessIo,
  options: { readonly isTty: boolean; readonly hasStdin: boolean; readonly closesStdin: boolean },
): Promise<void> {
  // Pieces follow each other, also those that came before anybody listened.
  let sending = Promise.resolve();
  let isGone = false;
  const output = io.onOutput((stream, bytes) => {
    const message = options.isTty ? bytes : frame(stream, bytes);
    sending = sending.then(async () => {
      if (isGone) return;
      try {
        await connection.write(message);
      } catch (error) {
        clientGone(error);
        isGone = true;
      }
    });
    return sending;
  });
  const over = new AbortController();
  const input = async (): Promise<void> => {
    for (;;) {
      const chunk = await connection.read(undefined, over.signal);
      if (chunk === undefined) break;
      if (options.hasStdin) await io.writeStdin(chunk);
    }
    if (options.hasStdin && options.closesStdin) io.closeStdin();
    // A terminal has no end of file: whoever leaves it hears nothing more, and its process goes on.
    else if (options.hasStdin && options.isTty) leave();
  };
  let leave = (): void => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const reading = input().catch((error: unknown) => {
    if (!over.signal.aborted && !(error instanceof SysError)) throw error;
    if (!over.signal.aborted && options.isTty) leave();
  });
  await daemon.sys.block<void>((resolve) => {
    io.onEnd(resolve);
    void left.then(resolve);
    return undefined;
  });
  output.dispose();
  await sending;
  over.abort(new Error('the process has ended'));
  await reading;
  connection.close();
}
