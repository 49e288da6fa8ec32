// Models an HTTP/1.1 server over emulated connections, with keep-alive, streaming and upgrades; TLS when asked for.

import { utf8 } from '../sim/bytes.ts';
import type { Clock } from '../sim/clock.ts';
import { SysError } from '../sim/errno.ts';
import type { Rng } from '../sim/rng.ts';
import type { Connection, Listener } from '../sim/stream.ts';
import {
  formatChunk,
  formatHead,
  formatMessage,
  HttpParseError,
  HttpReader,
  isConnectionLost,
  LAST_CHUNK,
  type HttpBody,
  type MessageHead,
} from './http-message.ts';
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
  let head: MessageHead | undefined;
  try {
    head = await reader.head();
  } catch (error) {
    if (!(error instanceof HttpParseError) || error.message === 'unexpected EOF') throw error;
    if (error.message === 'header too large') {
      await refuse(connection, '431 Request Header Fields Too Large');
      // What is still on its way must not reset the answer away.
      await linger(connection, options.clock);
    } else await refuse(connection, '400 Bad Request');
    throw error;
  }
  if (head === undefined) return undefined;
  const problem = problemOf(head);
  if (problem !== undefined) {
    await refuse(connection, problem.status, problem.text);
    throw new HttpParseError('malformed HTTP request');
  }
  const [, method = '', given = '', minor] = REQUEST_LINE.exec(head.startLine)!;
  const absolute = given.startsWith('/') ? null : /^https?:\/\/([^/?#]*)(.*)$/i.exec(given);
  const headers = absolute === null ? head.headers : new Map([...head.headers, ['host', absolute[1]!]]);
  const target = absolute === null ? given : absolute[2]!.startsWith('/') ? absolute[2]! : `/${absolute[2]!}`;
  const framed = reader.body(headers, { untilClose: false });
  const expect = headers.get('expect')?.toLowerCase();
  const body = expect === '100-continue' && minor === '1' ? new ContinuingBody(framed, connection) : framed;
  const request: HttpRequest = {
    method,
    target,
    headers,
    body,
    remoteAddress: connection.remoteAddress,
    localAddress: connection.localAddress,
    clientCertificate: 'peerCertificatePem' in connection ? connection.peerCertificatePem : undefined,
  };
  const persistence = headers.get('connection')?.toLowerCase() ?? '';
  const wantsClose = minor === '0' ? persistence !== 'keep-alive' : persistence === 'close';
  const exchange = new Exchange(request, body, reader, connection, { wantsClose, clock: options.clock, serverName: options.serverName });
  if (expect !== undefined && expect !== '100-continue') {
    await exchange.send({ status: 417, headers: { Connection: 'close' } });
    throw new HttpParseError('an expectation that is not met');
  }
  return exchange;
}

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\/\S*|https?:\/\/\S+|\*) HTTP\/1\.([01])$/;

/** What Go's server finds wrong with a head; `text` when it says more than the status. */
function problemOf({ startLine, headers }: MessageHead): { readonly status: string; readonly text?: string } | undefined {
  const status = '400 Bad Request';
  const match = REQUEST_LINE.test(startLine);
  if (!match)
    return / HTTP\/\d+\.\d+$/.test(startLine) && !/ HTTP\/1\.[01]$/.test(startLine) ? because('unsupported protocol version') : { status };
  const headerProblem = problemOfHeaders(headers);
  if (headerProblem !== undefined) return headerProblem;
  if (!headers.has('host') && startLine.endsWith('1')) return because('missing required Host header');
  const encoding = headers.get('transfer-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked')
    return { status: '501 Not Implemented', text: 'Unsupported transfer encoding' };
  const length = headers.get('content-length');
  if (encoding === undefined && length !== undefined && !/^\d{1,18}$/.test(length)) return { status };
  return undefined;
}

/** Heads that came through before share their headers (http-message.ts). */
const soundHeaders = new WeakSet<ReadonlyMap<string, string>>();

function problemOfHeaders(headers: ReadonlyMap<string, string>): { readonly status: string } | undefined {
  if (soundHeaders.has(headers)) return undefined;
  for (const [name, value] of headers) {
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) return because('invalid header name');
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) return because('invalid header value');
  }
  soundHeaders.add(headers);
  return undefined;
}

function because(reason: string): { readonly status: string } {
  return { status: `400 Bad Request: ${reason}` };
}

async function refuse(connection: Connection, status: string, text = status): Promise<void> {
  await connection.write(utf8(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}`));
}

/** How long Go's server waits for its last words to be read (rstAvoidanceDelay). */
const LINGER_MS = 500;

async function linger(connection: Connection, clock: Clock): Promise<void> {
  connection.shutdownWrite();
  const late = new AbortController();
  const timer = clock.setTimer(LINGER_MS, () => late.abort(new SysError('ETIMEDOUT')));
  try {
    while ((await connection.read(undefined, late.signal)) !== undefined);
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
  } finally {
    timer.dispose();
  }
}

/** A client that waits for leave to send its body gets it when somebody wants to read it. */
class ContinuingBody implements HttpBody {
  readonly #body: HttpBody;
  readonly #connection: Connection;
  #hasLeave = false;

  constructor(body: HttpBody, connection: Connection) {
    this.#body = body;
    this.#connection = connection;
  }

  get isDone(): boolean {
    // A body that was never asked for does not come.
    return this.#body.isDone || !this.#hasLeave;
  }

  get endsConnection(): boolean {
    return !this.#hasLeave || this.#body.endsConnection;
  }

  async read(maxBytes?: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    if (!this.#hasLeave) {
      this.#hasLeave = true;
      if (!this.#body.isDone) await this.#connection.write(utf8('HTTP/1.1 100 Continue\r\n\r\n'));
    }
    return this.#body.read(maxBytes, signal);
  }
}

/** A request and the answer being given to it. */
class Exchange implements HttpResponder {
  readonly #request: HttpRequest;
  readonly #body: HttpBody;
  readonly #reader: HttpReader;
  readonly #connection: Connection;
  #gone: AbortController | undefined;
  #goneReason: unknown;
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
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      if (this.#goneReason !== undefined) this.#gone.abort(this.#goneReason);
    }
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
    if (this.#body.endsConnection) this.#isClosing = true;
    const bytes = typeof body === 'string' ? utf8(body) : body;
    const isHeadRequest = this.#request.method === 'HEAD';
    const hasBody = head.status !== 204 && head.status !== 304;
    const start = this.#head(
      head,
      hasBody && head.headers?.['content-length'] === undefined ? ['Content-Length', String(bytes.length)] : undefined,
    );
    this.#state = 'done';
    await this.#connection.write(formatMessage(start, isHeadRequest || !hasBody ? NO_BYTES : bytes));
  }

  async stream(head: HttpResponseHead): Promise<{ write(bytes: Uint8Array | string): Promise<void>; end(): Promise<void> }> {
    this.#state = 'streaming';
    await this.#connection.write(utf8(this.#head(head, ['Transfer-Encoding', 'chunked'])));
    this.#watchForEnd();
    return {
      write: async (bytes) => {
        if (this.#goneReason !== undefined) throw new SysError('EPIPE');
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
        if (chunk === undefined) this.#clientGone(new SysError('EPIPE'));
      },
      (error: unknown) => {
        if (!watching.aborted) this.#clientGone(error);
      },
    );
  }

  #clientGone(reason: unknown): void {
    this.#goneReason ??= reason ?? new SysError('EPIPE');
    this.#gone?.abort(this.#goneReason);
  }

  #head(head: HttpResponseHead, framing: readonly [string, string] | undefined): string {
    const given = givenHeaders(head.headers);
    let text = `HTTP/1.1 ${head.status} ${head.reason ?? reasonPhrase(head.status)}\r\n`;
    text += framing !== undefined && given.names.has(framing[0]) ? withoutHeader(given.text, framing[0]) : given.text;
    if (this.#serverName !== undefined && !given.lowerNames.has('server')) text += `Server: ${this.#serverName}\r\n`;
    if (!given.lowerNames.has('date')) text += `Date: ${httpDate(this.#clock.now())}\r\n`;
    if (framing !== undefined) text += `${framing[0]}: ${framing[1]}\r\n`;
    if (this.#isClosing && !given.lowerNames.has('connection')) text += 'Connection: close\r\n';
    return `${text}\r\n`;
  }
}

const NO_BYTES = new Uint8Array(0);

interface GivenHeaders {
  /** As they stand in the head, each with its end of line. */
  readonly text: string;
  readonly names: ReadonlySet<string>;
  readonly lowerNames: ReadonlySet<string>;
}

// A server answers with nearly the same headers again and again. What is kept is a pure function of its key.
const knownHeaders = new Map<string, GivenHeaders>();
const MOST_KNOWN = 500;

function givenHeaders(headers: Readonly<Record<string, string>> | undefined): GivenHeaders {
  let key = '';
  for (const name in headers) key += `${name}\n${headers[name]}\n`;
  let known = knownHeaders.get(key);
  if (known === undefined) {
    const ordered = new Map(goOrder(headers));
    known = {
      text: [...ordered].map(([name, value]) => `${name}: ${value}\r\n`).join(''),
      names: new Set(ordered.keys()),
      lowerNames: new Set([...ordered.keys()].map((name) => name.toLowerCase())),
    };
    if (knownHeaders.size >= MOST_KNOWN) knownHeaders.clear();
    if (key.length <= 1024) knownHeaders.set(key, known);
  }
  return known;
}

/** Framing is the server's own business, whatever the handler says. */
function withoutHeader(text: string, name: string): string {
  return text
    .split(/(?<=\r\n)/)
    .filter((line) => !line.startsWith(`${name}: `))
    .join('');
}

/**
 * Servers written in Go name their headers in lower case here; on the wire they are in canonical case and sorted, as net/http
 * writes them. Names in any other case are a server's own and stay as they are.
 */
function goOrder(headers: Readonly<Record<string, string>> | undefined): readonly (readonly [string, string])[] {
  if (headers === undefined) return [];
  const entries = Object.entries(headers).map(([name, value]) => [canonicalName(name), value] as const);
  return entries.length > 1 && entries.every(([name], index) => name !== Object.keys(headers)[index])
    ? entries.sort(([a], [b]) => (a < b ? -1 : 1))
    : entries;
}

const canonicalNames = new Map<string, string>();

function canonicalName(name: string): string {
  let canonical = canonicalNames.get(name);
  if (canonical === undefined) {
    canonical = name === name.toLowerCase() ? name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()) : name;
    if (canonicalNames.size < 1000) canonicalNames.set(name, canonical);
  }
  return canonical;
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
