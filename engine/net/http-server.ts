// Models an HTTP/1.1 server over emulated connections, with keep-alive, streaming and upgrades; TLS when asked for.

import { utf8 } from '../sim/bytes.ts';
import type { Clock } from '../sim/clock.ts';
import { SysError } from '../sim/errno.ts';
import type { Rng } from '../sim/rng.ts';
import type { Connection, Listener } from '../sim/stream.ts';
import { formatChunk, formatHead, HttpParseError, HttpReader, isConnectionLost, LAST_CHUNK, type HttpBody } from './http-message.ts';
import { reasonPhrase } from './http-status.ts';
import type { HttpHandler, HttpRequest, HttpResponder, HttpResponseHead } from './http.ts';
import { acceptTls, TlsError, type Identity, type TlsConnection } from './tls.ts';

export interface HttpServerOptions {
  readonly clock: Clock;
  readonly rng?: Rng;
  readonly tls?: {
    readonly certificate: Identity;
    readonly clientCa?: string;
    readonly requireClient?: boolean;
    readonly verifiesClient?: boolean;
  };
  /** Ends the server: the listener and every connection are closed. */
  readonly signal?: AbortSignal;
  /** Answers without a handler's Date header get the clock's. */
  readonly serverName?: string;
  /** A handler threw: our own fault; the client gets 500. Without it the error ends the server. */
  readonly onFault?: (error: unknown) => void;
}

/** Serves until the listener closes or `signal` aborts. Connections are independent of each other. */
export async function serveHttp(listener: Listener, handler: HttpHandler, options: HttpServerOptions): Promise<void> {
  const open = new Set<Connection>();
  const faults: { fail: (error: unknown) => void } = { fail: () => undefined };
  const failed = new Promise<never>((_, reject) => {
    faults.fail = reject;
  });
  const stop = (): void => {
    listener.close();
    for (const connection of open) connection.close({ reset: true });
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const connection = await Promise.race([listener.accept(options.signal), failed]);
      open.add(connection);
      serveConnection(connection, handler, options)
        .finally(() => open.delete(connection))
        .catch((error: unknown) => (options.onFault === undefined ? faults.fail(error) : options.onFault(error)));
    }
  } catch (error) {
    if (options.signal?.aborted === true) return;
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    stop();
  }
}

/** One connection, request after request. Returns when either side closes. */
export async function serveConnection(connection: Connection, handler: HttpHandler, options: HttpServerOptions): Promise<void> {
  let secured: Connection | TlsConnection = connection;
  try {
    if (options.tls !== undefined) {
      const nowMs = options.clock.now();
      secured = await acceptTls(connection, { ...options.tls, nowMs, ...(options.rng === undefined ? {} : { rng: options.rng }) });
    }
    const reader = new HttpReader(secured);
    for (;;) {
      const exchange = await nextExchange(reader, secured, options);
      if (exchange === undefined) break;
      const isKept = await exchange.run(handler, options);
      if (!isKept) return;
    }
  } catch (error) {
    if (!isConnectionLost(error) && !(error instanceof TlsError)) {
      connection.close({ reset: true });
      throw error;
    }
  }
  connection.close();
}

async function nextExchange(
  reader: HttpReader,
  connection: Connection | TlsConnection,
  options: HttpServerOptions,
): Promise<Exchange | undefined> {
  const head = await reader.head();
  if (head === undefined) return undefined;
  const match = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(head.startLine);
  if (match === null) {
    await connection.write(
      utf8('HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request'),
    );
    throw new HttpParseError('malformed HTTP request');
  }
  const body = reader.body(head.headers, { untilClose: false });
  const request: HttpRequest = {
    method: match[1]!,
    target: match[2]!,
    headers: head.headers,
    body,
    remoteAddress: connection.remoteAddress,
    localAddress: connection.localAddress,
    clientCertificate: 'peerCertificatePem' in connection ? connection.peerCertificatePem : undefined,
  };
  const wantsClose = match[3] === '0' || head.headers.get('connection')?.toLowerCase() === 'close';
  if (head.headers.get('expect')?.toLowerCase() === '100-continue') await connection.write(utf8('HTTP/1.1 100 Continue\r\n\r\n'));
  return new Exchange(request, body, reader, connection, { wantsClose, clock: options.clock, serverName: options.serverName });
}

/** A request and the answer being given to it. */
class Exchange implements HttpResponder {
  readonly #request: HttpRequest;
  readonly #body: HttpBody;
  readonly #reader: HttpReader;
  readonly #connection: Connection;
  readonly #gone = new AbortController();
  readonly #clock: Clock;
  readonly #serverName: string | undefined;
  #isClosing: boolean;
  #state: 'waiting' | 'streaming' | 'done' | 'upgraded' = 'waiting';
  #watching: AbortController | undefined;

  constructor(
    request: HttpRequest,
    body: HttpBody,
    reader: HttpReader,
    connection: Connection,
    options: { wantsClose: boolean; clock: Clock; serverName: string | undefined },
  ) {
    this.#request = request;
    this.#body = body;
    this.#reader = reader;
    this.#connection = connection;
    this.#isClosing = options.wantsClose;
    this.#clock = options.clock;
    this.#serverName = options.serverName;
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Runs the handler; says whether the connection serves on. */
  async run(handler: HttpHandler, options: HttpServerOptions): Promise<boolean> {
    try {
      await handler(this.#request, this);
    } catch (error) {
      if (!isConnectionLost(error) || !(error instanceof SysError)) {
        if (this.#state === 'waiting')
          await this.send({ status: 500, headers: { 'content-type': 'text/plain; charset=utf-8' } }, 'Internal Server Error\n');
        else this.#connection.close({ reset: true });
        if (options.onFault === undefined) throw error;
        options.onFault(error);
        return false;
      }
      this.#connection.close({ reset: true });
      return false;
    }
    if (this.#state === 'upgraded') return false;
    if (this.#state !== 'done') {
      this.#connection.close({ reset: true });
      return false;
    }
    this.#watching?.abort(new SysError('EINTR'));
    if (this.#isClosing) {
      this.#connection.close();
      return false;
    }
    while (!this.#body.isDone) await this.#body.read();
    return true;
  }

  async send(head: HttpResponseHead, body: Uint8Array | string = ''): Promise<void> {
    const bytes = typeof body === 'string' ? utf8(body) : body;
    const isHeadRequest = this.#request.method === 'HEAD';
    const hasBody = head.status !== 204 && head.status !== 304;
    const start = utf8(
      this.#head(head, hasBody && head.headers?.['content-length'] === undefined ? { 'Content-Length': String(bytes.length) } : {}),
    );
    const whole = new Uint8Array(start.length + (isHeadRequest || !hasBody ? 0 : bytes.length));
    whole.set(start);
    if (!isHeadRequest && hasBody) whole.set(bytes, start.length);
    this.#state = 'done';
    await this.#connection.write(whole);
  }

  async stream(head: HttpResponseHead): Promise<{ write(bytes: Uint8Array | string): Promise<void>; end(): Promise<void> }> {
    this.#state = 'streaming';
    await this.#connection.write(utf8(this.#head(head, { 'Transfer-Encoding': 'chunked' })));
    this.#watchForEnd();
    return {
      write: async (bytes) => {
        if (this.#gone.signal.aborted) throw new SysError('EPIPE');
        const chunk = typeof bytes === 'string' ? utf8(bytes) : bytes;
        if (chunk.length > 0) await this.#connection.write(formatChunk(chunk));
      },
      end: async () => {
        this.#state = 'done';
        await this.#connection.write(utf8(LAST_CHUNK));
      },
    };
  }

  async upgrade(head: HttpResponseHead): Promise<Connection> {
    this.#state = 'upgraded';
    await this.#connection.write(
      utf8(formatHead(`HTTP/1.1 ${head.status} ${head.reason ?? reasonPhrase(head.status)}`, Object.entries(head.headers ?? {}))),
    );
    return this.#reader.raw();
  }

  /** A client that hangs up during a stream is noticed by the end of its side. */
  #watchForEnd(): void {
    if (!this.#body.isDone && this.#request.method !== 'GET') return;
    this.#watching = new AbortController();
    const watching = this.#watching.signal;
    this.#connection.read(1, watching).then(
      (chunk) => {
        // Pipelined bytes while a stream runs: no client of ours does it; the connection will not be used again.
        this.#isClosing = true;
        if (chunk === undefined) this.#gone.abort(new SysError('EPIPE'));
      },
      (error: unknown) => {
        if (!watching.aborted) this.#gone.abort(error);
      },
    );
  }

  #head(head: HttpResponseHead, framing: Readonly<Record<string, string>>): string {
    const headers = new Map<string, string>(Object.entries(head.headers ?? {}));
    let hasServer = false;
    let hasDate = false;
    let hasConnection = false;
    for (const given of headers.keys()) {
      const name = given.toLowerCase();
      if (name === 'server') hasServer = true;
      else if (name === 'date') hasDate = true;
      else if (name === 'connection') hasConnection = true;
    }
    if (this.#serverName !== undefined && !hasServer) headers.set('Server', this.#serverName);
    if (!hasDate) headers.set('Date', httpDate(this.#clock.now()));
    for (const [name, value] of Object.entries(framing)) headers.set(name, value);
    if (this.#isClosing && !hasConnection) headers.set('Connection', 'close');
    return formatHead(`HTTP/1.1 ${head.status} ${head.reason ?? reasonPhrase(head.status)}`, headers);
  }
}

/** The last date that was written out: many answers are given within one second. */
const lastDate = { second: -1, text: '' };

function httpDate(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== lastDate.second) {
    lastDate.second = second;
    lastDate.text = new Date(second * 1000).toUTCString();
  }
  return lastDate.text;
}
