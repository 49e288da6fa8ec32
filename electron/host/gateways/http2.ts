// HTTP/2 at the API door: what Go's server speaks on the same port when the client offers it. Each stream becomes a request on a
// connection of its own to the emulated server, under the client's name; nothing else is changed.

import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { concat, utf8 } from '#engine/sim/bytes.ts';
import type { Connection } from '#engine/sim/stream.ts';
import { formatChunk, formatHead, HttpReader, isConnectionLost, LAST_CHUNK } from '#engine/net/http-message.ts';
import type { PipeHooks } from './pipe.ts';

/** Of kube-apiserver (--http2-max-streams-per-connection) and of Go's http2. */
const SETTINGS = { maxConcurrentStreams: 1000, initialWindowSize: 256 * 1024, maxFrameSize: 256 * 1024, maxHeaderListSize: 1_048_896 };
/** Connections to the emulated server kept for the next stream. */
const MOST_IDLE = 16;
/** Headers of one connection, which HTTP/2 does not have. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'te', 'host']);

export interface Http2Options extends PipeHooks {
  /** The connection opened when the client came: as long as it lives, so does the server. */
  readonly first: Connection;
  /** Another one under the same name. */
  readonly connect: () => Promise<Connection>;
  readonly onError: (error: unknown) => void;
}

/** Not imported: loading it takes longer than much else of a lab's start, and few labs are asked in HTTP/2. */
const http2 = (): typeof import('node:http2') => process.getBuiltinModule('node:http2');

/** Serves until either side ends. */
export function serveHttp2(socket: TLSSocket, options: Http2Options): Promise<void> {
  const session = http2().performServerHandshake(socket, { settings: SETTINGS });
  const upstream = new Upstream(options.connect);
  session.on('stream', (stream, headers) => {
    options.poke();
    stream.on('error', () => undefined);
    exchange(stream, headers, upstream, options).catch((error: unknown) => {
      if (!stream.destroyed) stream.close(http2().constants.NGHTTP2_INTERNAL_ERROR);
      if (!isConnectionLost(error)) options.onError(error);
      else if (!upstream.isClosed) void endWithServer(session, options);
    });
  });
  session.on('error', () => socket.destroy());
  watchServer(session, options);
  return new Promise((resolve) =>
    session.once('close', () => {
      upstream.close();
      options.first.close();
      resolve();
    }),
  );
}

/** The first connection carries nothing: it ends when the server does. */
function watchServer(session: ServerHttp2Session, { first }: Http2Options): void {
  first.read().then(
    () => session.destroy(),
    () => session.destroy(),
  );
}

/** One broken connection may be its own affair; a server that is gone breaks the first one too. */
async function endWithServer(session: ServerHttp2Session, { connect }: Http2Options): Promise<void> {
  try {
    (await connect()).close();
  } catch {
    session.destroy();
  }
}

/** Connections to the emulated server, one for each stream under way. */
class Upstream {
  readonly #connect: () => Promise<Connection>;
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  isClosed = false;

  constructor(connect: () => Promise<Connection>) {
    this.#connect = connect;
  }

  async take(): Promise<Connection> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const connection = await this.#connect();
    if (this.isClosed) connection.close();
    this.#open.add(connection);
    return connection;
  }

  give(connection: Connection): void {
    if (this.isClosed || this.#idle.length >= MOST_IDLE) this.drop(connection);
    else this.#idle.push(connection);
  }

  drop(connection: Connection): void {
    this.#open.delete(connection);
    connection.close();
  }

  close(): void {
    this.isClosed = true;
    for (const connection of this.#open) connection.close();
    this.#open.clear();
  }
}

async function exchange(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, upstream: Upstream, hooks: PipeHooks): Promise<void> {
  const connection = await upstream.take();
  let isReusable = false;
  const onClose = (): void => {
    // A client that gives a stream up hangs up on its request.
    if (!isReusable) upstream.drop(connection);
  };
  stream.once('close', onClose);
  try {
    const sending = send(stream, headers, connection, hooks);
    sending.catch(() => undefined);
    const isKept = await answer(stream, headers[':method'] ?? 'GET', connection, hooks);
    if (isKept && stream.readableEnded) {
      await sending;
      isReusable = true;
      upstream.give(connection);
    } else upstream.drop(connection);
  } catch (error) {
    upstream.drop(connection);
    if (stream.aborted || stream.destroyed) return;
    throw error;
  }
}

async function send(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection, hooks: PipeHooks): Promise<void> {
  const lines: [string, string][] = [['Host', headers[':authority'] ?? headers.host ?? '']];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || HOP_BY_HOP.has(name) || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) lines.push([name, one]);
  }
  const hasBody = !stream.endAfterHeaders;
  const isChunked = hasBody && headers['content-length'] === undefined;
  if (isChunked) lines.push(['transfer-encoding', 'chunked']);
  const head = utf8(formatHead(`${headers[':method']} ${headers[':path']} HTTP/1.1`, lines));
  if (!hasBody) {
    stream.resume();
    await connection.write(head);
    return;
  }
  let start: Uint8Array | undefined = head;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hooks.poke();
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    const part = isChunked ? formatChunk(bytes) : bytes;
    await connection.write(start === undefined ? part : concat([start, part]));
    start = undefined;
  }
  if (start !== undefined) await connection.write(start);
  if (isChunked) await connection.write(utf8(LAST_CHUNK));
}

/** Passes the answer on; says whether the connection can take another request. */
async function answer(stream: ServerHttp2Stream, method: string, connection: Connection, hooks: PipeHooks): Promise<boolean> {
  const reader = new HttpReader(connection);
  let head = await reader.head();
  while (head?.startLine.startsWith('HTTP/1.1 100') === true) {
    if (!stream.destroyed) stream.additionalHeaders({ ':status': 100 });
    head = await reader.head();
  }
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head?.startLine ?? '')?.[1]);
  if (head === undefined || Number.isNaN(status)) {
    stream.close(http2().constants.NGHTTP2_INTERNAL_ERROR);
    return false;
  }
  const out: OutgoingHttpHeaders = { ':status': status };
  for (const [name, value] of head.headers) if (!HOP_BY_HOP.has(name)) out[name] = value;
  const isKept = head.headers.get('connection')?.toLowerCase() !== 'close';
  const isEmpty = method === 'HEAD' || status === 204 || status === 304;
  const body = reader.body(head.headers, { untilClose: true });
  hooks.flush();
  if (stream.destroyed) return false;
  if (isEmpty || body.isDone) {
    stream.respond(out, { endStream: true });
    return isKept;
  }
  stream.respond(out);
  const size = Number(head.headers.get('content-length') ?? Number.NaN);
  for (let sent = 0; ;) {
    const chunk = await body.read();
    if (chunk === undefined) break;
    sent += chunk.length;
    hooks.flush();
    if (stream.destroyed) return false;
    // The last bytes and the end of the stream travel together.
    if (sent === size) {
      stream.end(chunk);
      return isKept;
    }
    if (!stream.write(chunk)) await drained(stream);
  }
  stream.end();
  return isKept && !body.endsConnection;
}

function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.once('drain', done);
    stream.once('close', done);
  });
}
