// Models `kubectl proxy`: a local HTTP server whose requests go to the API server with kubectl's identity, and files of a directory.

import { goRegexp, RegexpError } from '../../../kube/machinery/go-regexp.ts';
import { HttpClient } from '../../../net/http-client.ts';
import { serveHttp } from '../../../net/http-server.ts';
import type { HttpRequest, HttpResponder, HttpResponse } from '../../../net/http.ts';
import { readAll } from '../../../kube/client/rest-client.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { ByteSink, ByteSource, Connection, Listener } from '../../../sim/stream.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError } from '../errors.ts';
import { klogLine } from '../klog.ts';
import { serveFile } from './proxy-files.ts';

export const proxy: Command = { name: 'proxy', run };

const DEFAULT_PORT = 8001;
const FATAL_STATUS = 255;
/** Headers of one hop, which are not passed on. */
const HOP_HEADERS = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

interface Filter {
  readonly acceptPaths: readonly RegExp[];
  readonly rejectPaths: readonly RegExp[];
  readonly acceptHosts: readonly RegExp[];
  readonly rejectMethods: readonly RegExp[];
}

async function run(context: Context): Promise<void> {
  const { flags, process } = context;
  const { sys } = process;
  context.config.restConfig();
  await context.flushWarnings();
  const warn = (place: string, text: string): Promise<void> => context.err(`${klogLine(process, 'W', place, text)}\n`);
  const socket = flags.string('unix-socket');
  if (flags.bool('disable-filter') && socket === '')
    await warn('proxy.go:167', 'Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious');
  const filter = flags.bool('disable-filter') ? undefined : filterOf(context);
  const port = flags.int('port');
  if (port !== DEFAULT_PORT && socket !== '') throw new CliError('cannot set --unix-socket and --port at the same time');
  const folder = flags.string('www');
  if (folder !== '') await checkFolder(context, folder, warn);
  const address = flags.string('address');
  const listener = listen(context, socket, address, port);
  await context.out(`Starting to serve on ${socket === '' ? `${address}:${listener.port}` : socket}\n`);
  const client = new HttpClient({ connect: (signal) => context.rest.connect(signal), host: context.rest.host, maxIdle: 8 });
  const apiPrefix = withSlash(flags.string('api-prefix'));
  const filePrefix = withSlash(flags.string('www-prefix'));
  const handle = async (request: HttpRequest, respond: HttpResponder): Promise<void> => {
    const path = pathOf(request.target);
    // The longest prefix wins, as in Go's mux.
    const isFile = folder !== '' && path.startsWith(filePrefix) && (filePrefix.length > apiPrefix.length || !path.startsWith(apiPrefix));
    if (isFile) {
      await serveFile(sys, folder, decodeURIComponent(path.slice(filePrefix.length)), respond);
      return;
    }
    if (!path.startsWith(apiPrefix)) {
      await plain(respond, 404, '404 page not found');
      return;
    }
    const target = apiPrefix.startsWith('/api') ? request.target : `/${request.target.slice(apiPrefix.length)}`;
    if (filter !== undefined && !accepts(filter, request, pathOf(target))) {
      await plain(respond, 403, 'Forbidden');
      return;
    }
    await forward(context, client, request, target, respond);
  };
  try {
    await serveHttp(listener, handle, { clock: sys.clock });
  } finally {
    client.close();
  }
}

function withSlash(prefix: string): string {
  return prefix.endsWith('/') ? prefix : `${prefix}/`;
}

function pathOf(target: string): string {
  return target.split('?')[0] ?? '';
}

function filterOf(context: Context): Filter {
  const all = (name: string): readonly RegExp[] =>
    context.flags
      .string(name)
      .split(',')
      .map((pattern) => {
        try {
          return goRegexp(pattern);
        } catch (error) {
          if (!(error instanceof RegexpError)) throw error;
          throw new ExitError(FATAL_STATUS, klogLine(context.process, 'F', 'proxy_server.go:80', `Error compiling re: ${error.message}`));
        }
      });
  return {
    acceptPaths: all('accept-paths'),
    rejectPaths: all('reject-paths'),
    acceptHosts: all('accept-hosts'),
    rejectMethods: all('reject-methods'),
  };
}

function accepts(filter: Filter, request: HttpRequest, path: string): boolean {
  const header = request.headers.get('host') ?? '';
  const host = header.replace(/^\[(.*)\]:\d+$/, '$1').replace(/^([^:]*):\d+$/, '$1');
  const matches = (list: readonly RegExp[], text: string): boolean => list.some((pattern) => pattern.test(text));
  if (matches(filter.rejectPaths, path) || matches(filter.rejectMethods, request.method)) return false;
  return matches(filter.acceptPaths, path) && matches(filter.acceptHosts, host);
}

async function checkFolder(context: Context, folder: string, warn: (place: string, text: string) => Promise<void>): Promise<void> {
  try {
    if (context.process.sys.stat(folder).kind !== 'directory')
      await warn('proxy.go:193', `Static file directory ${folder} is not a directory`);
  } catch (error) {
    if (!isSysError(error)) throw error;
    await warn('proxy.go:191', `Failed to stat static file directory ${folder}: stat ${folder}: ${error.strerror.toLowerCase()}`);
  }
}

function listen(context: Context, socket: string, address: string, port: number): Listener {
  const { sys, pid } = context.process;
  try {
    if (socket === '') return sys.net.listen({ address, port, pid });
    if (sys.exists(socket) && sys.stat(socket).kind === 'socket') sys.unlink(socket);
    return sys.listenUnix(socket, 0o700);
  } catch (error) {
    if (!isSysError(error)) throw error;
    const where = socket === '' ? `tcp ${address}:${port}` : `unix ${socket}`;
    throw new CliError(`listen ${where}: bind: ${error.strerror.toLowerCase()}`);
  }
}

export async function plain(respond: HttpResponder, status: number, text: string): Promise<void> {
  await respond.send(
    { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } },
    `${text}\n`,
  );
}

/** One request to the API server and its answer back; an upgraded connection is joined through. */
async function forward(context: Context, client: HttpClient, request: HttpRequest, target: string, respond: HttpResponder): Promise<void> {
  const isUpgrade = /upgrade/i.test(request.headers.get('connection') ?? '');
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) {
    if (name !== 'host' && name !== 'content-length' && (isUpgrade || !HOP_HEADERS.includes(name))) headers[name] = value;
  }
  let response: HttpResponse;
  try {
    const body = isUpgrade ? new Uint8Array() : await readAll(request.body, respond.signal);
    response = await client.request({
      method: request.method,
      target,
      headers: { ...headers, ...context.rest.config.headers },
      ...(body.length === 0 ? {} : { body }),
      signal: respond.signal,
    });
  } catch (error) {
    if (respond.signal.aborted || !(error instanceof Error) || error.name === 'ProcessExit') throw error;
    await context.err(`${klogLine(context.process, 'E', 'proxy_server.go:147', `Error while proxying request: ${error.message}`)}\n`);
    await plain(respond, 500, error.message);
    return;
  }
  const kept: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    if (name !== 'content-length' && (response.upgraded !== undefined || !HOP_HEADERS.includes(name))) kept[name] = value;
  }
  const head = { status: response.status, reason: response.reason, headers: kept };
  if (response.upgraded !== undefined) {
    await join(await respond.upgrade(head), response.upgraded);
    return;
  }
  if (response.headers.has('content-length')) {
    await respond.send(head, await readAll(response.body, respond.signal));
    return;
  }
  const stream = await respond.stream(head);
  for (;;) {
    const chunk = await response.body.read(undefined, respond.signal);
    if (chunk === undefined) break;
    await stream.write(chunk);
  }
  await stream.end();
}

async function join(a: Connection, b: Connection): Promise<void> {
  try {
    await Promise.race([copy(a, b), copy(b, a)]);
  } finally {
    a.close();
    b.close();
  }
}

async function copy(from: ByteSource, to: ByteSink): Promise<void> {
  try {
    for (;;) {
      const chunk = await from.read();
      if (chunk === undefined) return;
      await to.write(chunk);
    }
  } catch (error) {
    // Either side going away ends both.
    if (!isSysError(error)) throw error;
  }
}
