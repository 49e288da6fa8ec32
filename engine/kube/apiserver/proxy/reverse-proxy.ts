// Models the upgrade-aware proxy of the API server: a request goes on to a kubelet, a pod or a service, and its answer comes back.

import { text, utf8 } from '../../../sim/bytes.ts';
import { isSysError, SysError } from '../../../sim/errno.ts';
import type { Connection } from '../../../sim/stream.ts';
import { formatChunk, formatHead, HttpReader, isConnectionLost, LAST_CHUNK, readAllBytes } from '../../../net/http-message.ts';
import type { HttpBody } from '../../../net/http-message.ts';
import type { HttpRequest, HttpResponder } from '../../../net/http.ts';
import { ApiError } from '../../machinery/api-error.ts';
import { badRequest } from '../../machinery/status.ts';
import type { BackendAddress } from '../assemble.ts';
import { joinPath, rewriteHtml, rewriteLink, type LinkContext } from './html-links.ts';

/** Headers that belong to one connection and are not passed on. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-authorization',
  'proxy-authenticate',
]);
const CORS = [
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
];

export interface Passage {
  readonly to: BackendAddress;
  /** Path and query there. */
  readonly target: string;
  readonly isUpgradeRequired?: boolean;
  /** Links of what comes back are kept inside the proxy; left out for what is none of a page's business. */
  readonly keepsLinks?: boolean;
  readonly connect: (to: BackendAddress) => Promise<Connection>;
}

export async function passOn(request: HttpRequest, respond: HttpResponder, passage: Passage): Promise<void> {
  if ((request.headers.get('connection') ?? '').toLowerCase().includes('upgrade')) return upgrade(request, respond, passage);
  if (passage.isUpgradeRequired === true) throw badRequest('Upgrade request required');
  const links = linksOf(request, passage);
  const headers = forwarded(request, passage);
  if (links !== undefined) {
    headers.set('x-forwarded-uri', links.uri);
  }
  const hasBody = request.headers.has('content-length') || request.headers.has('transfer-encoding');
  const isChunked = hasBody && !request.headers.has('content-length');
  if (isChunked) headers.set('transfer-encoding', 'chunked');
  let connection: Connection;
  try {
    connection = await passage.connect({ ...passage.to, signal: respond.signal });
  } catch (error) {
    throw unreachable(error, passage);
  }
  const onGone = (): void => connection.close();
  respond.signal.addEventListener('abort', onGone, { once: true });
  try {
    const sending = send(request, headers, passage.target, { connection, hasBody, isChunked });
    // An answer may come before all was sent; then the rest is of no use.
    sending.catch((error: unknown) => {
      if (!isConnectionLost(error)) throw error;
    });
    const reader = new HttpReader(connection);
    let head;
    try {
      head = await reader.head();
      while (head?.startLine.startsWith('HTTP/1.1 100') === true) head = await reader.head();
      if (head === undefined) throw new SysError('ECONNRESET', 'EOF');
    } catch (error) {
      throw unreachable(error, passage);
    }
    const [, code = '502', reason = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(head.startLine) ?? [];
    const status = Number(code);
    const isEmpty = request.method === 'HEAD' || status === 204 || status === 304;
    const body = reader.body(head.headers, { untilClose: true });
    await answer(respond, { status, reason, headers: head.headers, body, isEmpty }, links?.context);
  } finally {
    respond.signal.removeEventListener('abort', onGone);
    connection.close();
  }
}

interface Links {
  readonly context: LinkContext;
  readonly uri: string;
}

/** Where pages believe to be, and where they are. */
function linksOf(request: HttpRequest, { to, target, keepsLinks }: Passage): Links | undefined {
  if (keepsLinks !== true) return undefined;
  const path = request.target.split('?')[0]!;
  const own = target.split('?')[0]!;
  const prefix = path.endsWith(own) ? path.slice(0, path.length - own.length) : path;
  const uri = `${joinPath(prefix, own)}${own.endsWith('/') ? '/' : ''}`;
  const context = { prefix, pageHost: `${to.address}:${to.port}`, requestHost: request.headers.get('host') ?? '' };
  return { context, uri };
}

function forwarded(request: HttpRequest, { to }: Passage): Map<string, string> {
  const headers = new Map<string, string>([['host', request.headers.get('host') ?? `${to.address}:${to.port}`]]);
  for (const [name, value] of request.headers)
    if (!HOP_BY_HOP.has(name) && name !== 'host' && name !== 'authorization') headers.set(name, value);
  const before = headers.get('x-forwarded-for');
  const client = request.remoteAddress.replace(/:\d+$/, '');
  headers.set('x-forwarded-for', before === undefined ? client : `${before}, ${client}`);
  return headers;
}

async function send(
  request: HttpRequest,
  headers: ReadonlyMap<string, string>,
  target: string,
  { connection, hasBody, isChunked }: { readonly connection: Connection; readonly hasBody: boolean; readonly isChunked: boolean },
): Promise<void> {
  await connection.write(utf8(formatHead(`${request.method} ${target} HTTP/1.1`, headers)));
  if (!hasBody) return;
  for (;;) {
    const chunk = await request.body.read();
    if (chunk === undefined) break;
    await connection.write(isChunked ? formatChunk(chunk) : chunk);
  }
  if (isChunked) await connection.write(utf8(LAST_CHUNK));
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: HttpBody;
  readonly isEmpty: boolean;
}

async function answer(respond: HttpResponder, from: Answer, links: LinkContext | undefined): Promise<void> {
  const { status, reason, body } = from;
  const headers: Record<string, string> = {};
  for (const [name, value] of from.headers) if (!HOP_BY_HOP.has(name)) headers[name] = value;
  if (links !== undefined) for (const name of CORS) delete headers[name];
  const { location } = headers;
  if (links !== undefined && location !== undefined) headers['location'] = rewriteLink(location, links);
  const isPage = links !== undefined && location === undefined && (headers['content-type'] ?? '').split(';')[0]!.trim() === 'text/html';
  if (from.isEmpty) return respond.send({ status, reason, headers });
  if (isPage && (headers['content-encoding'] ?? '') === '') {
    delete headers['content-length'];
    return respond.send({ status, reason, headers }, rewriteHtml(text(await readAllBytes(body)), links));
  }
  // What is short and known is sent in one piece.
  const size = headers['content-length'];
  if (size !== undefined && Number(size) <= 65536) {
    delete headers['content-length'];
    return respond.send({ status, reason, headers }, await readAllBytes(body));
  }
  delete headers['content-length'];
  const out = await respond.stream({ status, reason, headers });
  await copyBody(body, out, respond.signal);
}

/** Until the body ends; either side may go away, and what came through stands. */
export async function copyBody(
  body: { read(maxBytes?: number, signal?: AbortSignal): Promise<Uint8Array | undefined> },
  out: { write(bytes: Uint8Array): Promise<void>; end(): Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const chunk = await body.read(undefined, signal);
      if (chunk === undefined) break;
      await out.write(chunk);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (!isConnectionLost(error)) throw error;
  }
  if (!signal.aborted) await out.end();
}

/** The request as it is, the answer as it is, and after a 101 every byte as it is. */
async function upgrade(request: HttpRequest, respond: HttpResponder, passage: Passage): Promise<void> {
  let connection: Connection;
  try {
    connection = await passage.connect({ ...passage.to, signal: respond.signal });
  } catch (error) {
    throw plainError(500, `error dialing backend: ${reasonOf(error, passage)}`);
  }
  const headers = forwarded(request, passage);
  headers.set('connection', 'Upgrade');
  headers.set('upgrade', request.headers.get('upgrade') ?? '');
  try {
    await connection.write(utf8(formatHead(`${request.method} ${passage.target} HTTP/1.1`, headers)));
    const reader = new HttpReader(connection);
    const head = await reader.head();
    if (head === undefined) throw plainError(500, 'unexpected EOF');
    const [, code = '500', reason = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(head.startLine) ?? [];
    const status = Number(code);
    if (status !== 101 && status < 400) throw plainError(500, `invalid upgrade response: status code ${status}`);
    if (status !== 101) {
      const body = reader.body(head.headers, { untilClose: true });
      return await answer(respond, { status, reason, headers: head.headers, body, isEmpty: false }, undefined);
    }
    const near = await respond.upgrade({ status, reason, headers: Object.fromEntries(head.headers) });
    await joined(near, reader.raw());
  } catch (error) {
    if (isConnectionLost(error)) throw plainError(500, reasonOf(error, passage));
    throw error;
  } finally {
    connection.close();
  }
}

/** Two connections as one: the end of either is the end of both. */
async function joined(a: Connection, b: Connection): Promise<void> {
  const pump = async (from: Connection, to: Connection): Promise<void> => {
    try {
      for (;;) {
        const chunk = await from.read();
        if (chunk === undefined) return;
        await to.write(chunk);
      }
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
  };
  const both = [pump(a, b), pump(b, a)];
  await Promise.race(both);
  a.close();
  b.close();
  await Promise.all(both);
}

function unreachable(error: unknown, passage: Passage): ApiError {
  if (error instanceof ApiError) return error;
  return plainError(500, `error trying to reach service: ${reasonOf(error, passage)}`);
}

/** As Go's dialler words it; rethrows what is none of the network's doing. */
function reasonOf(error: unknown, { to }: Pick<Passage, 'to'>): string {
  if (isSysError(error)) {
    if (error.errno === 'ECONNRESET' || error.errno === 'EPIPE') return 'EOF';
    const at = `dial tcp ${to.address}:${to.port}`;
    return error.errno === 'ETIMEDOUT' ? `${at}: i/o timeout` : `${at}: connect: ${error.strerror.toLowerCase()}`;
  }
  if (error instanceof Error && (error.name === 'TlsError' || error.name === 'X509Error' || error.name === 'HttpParseError'))
    return error.message;
  throw error;
}

export function plainError(code: number, message: string): ApiError {
  return new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code });
}
