// Models an HTTP/1.1 client with a pool of kept-alive connections.

import { utf8 } from '../sim/bytes.ts';
import { SysError } from '../sim/errno.ts';
import type { ByteSource, Connection } from '../sim/stream.ts';
import { formatMessage, HttpParseError, HttpReader, isConnectionLost, type HttpBody } from './http-message.ts';
import type { HttpResponse } from './http.ts';

export interface HttpClientOptions {
  /** Opens a connection (TLS and all); its errors reach the caller of `request`. */
  readonly connect: (signal?: AbortSignal) => Promise<Connection>;
  /** The Host header. */
  readonly host: string;
  /** Idle connections kept for the next request. */
  readonly maxIdle?: number;
}

export interface HttpClientRequest {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Gives up: closes the connection, and the call or the body's next read rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  #isClosed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** Throws SysError when there was no answer; an answer with an error status is an answer. */
  async request(request: HttpClientRequest): Promise<HttpResponse> {
    for (;;) {
      const reused = this.#idle.pop();
      if (reused === undefined) return this.#exchange(await this.#connect(request.signal), request);
      try {
        return await this.#exchange(reused, request);
      } catch (error) {
        // The server may have closed an idle connection while the request was on its way: try another one.
        if (request.signal?.aborted === true || !isConnectionLost(error)) throw error;
      }
    }
  }

  /** Closes every connection, also those with an answer under way. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#open) connection.close();
    this.#open.clear();
    this.#idle.length = 0;
  }

  async #connect(signal: AbortSignal | undefined): Promise<Connection> {
    signal?.throwIfAborted();
    const connection = await this.#options.connect(signal);
    this.#open.add(connection);
    return connection;
  }

  async #exchange(connection: Connection, request: HttpClientRequest): Promise<HttpResponse> {
    const { signal } = request;
    const onAbort = (): void => this.#drop(connection);
    signal?.addEventListener('abort', onAbort, { once: true });
    const release = (): void => signal?.removeEventListener('abort', onAbort);
    try {
      const body = request.body === undefined ? NO_BYTES : typeof request.body === 'string' ? utf8(request.body) : request.body;
      await connection.write(formatMessage(this.#head(request, body.length), body));
      const reader = new HttpReader(connection);
      let head = await reader.head(request.signal);
      while (head?.startLine.startsWith('HTTP/1.1 100') === true) head = await reader.head(request.signal);
      if (head === undefined) throw new SysError('ECONNRESET', 'EOF');
      const { status, reason } = statusOf(head.startLine);
      const answer = { status, reason, headers: head.headers };
      if (status === 101) {
        release();
        return { ...answer, body: EMPTY, upgraded: reader.raw() };
      }
      const isEmpty = request.method === 'HEAD' || status === 204 || status === 304;
      const isKept = head.headers.get('connection')?.toLowerCase() !== 'close' && head.startLine.startsWith('HTTP/1.1');
      const source = isEmpty ? EMPTY : reader.body(head.headers, { untilClose: true });
      const finish = (): void => {
        release();
        if (isKept && !source.endsConnection) this.#keep(connection);
        else this.#drop(connection);
      };
      if (source.isDone) finish();
      return {
        ...answer,
        body: new FinishingBody(source, { finish, fail: () => this.#drop(connection), signal: request.signal }),
        upgraded: undefined,
      };
    } catch (error) {
      release();
      this.#drop(connection);
      if (request.signal?.aborted === true) throw asError(request.signal.reason);
      throw error;
    }
  }

  #head(request: HttpClientRequest, length: number): string {
    const { headers } = request;
    let head = `${request.method} ${request.target} HTTP/1.1\r\nHost: ${headers?.['Host'] ?? this.#options.host}\r\n`;
    for (const name in headers) {
      if (name === 'Host' || (name === 'Content-Length' && request.body !== undefined)) continue;
      head += `${name}: ${headers[name]}\r\n`;
    }
    if (request.body !== undefined) head += `Content-Length: ${length}\r\n`;
    return `${head}\r\n`;
  }

  #keep(connection: Connection): void {
    if (this.#isClosed || this.#idle.length >= (this.#options.maxIdle ?? 2)) this.#drop(connection);
    else this.#idle.push(connection);
  }

  #drop(connection: Connection): void {
    connection.close();
    this.#open.delete(connection);
  }
}

const NO_BYTES = new Uint8Array(0);

/** The last status line that was read: most are alike. */
let lastStatus: { readonly line: string; readonly status: number; readonly reason: string } = { line: '', status: 0, reason: '' };

function statusOf(line: string): { readonly status: number; readonly reason: string } {
  if (line === lastStatus.line) return lastStatus;
  const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(line);
  if (match === null) throw new HttpParseError(`malformed HTTP response "${line}"`);
  lastStatus = { line, status: Number(match[1]), reason: match[2]! };
  return lastStatus;
}

const EMPTY: HttpBody = { isDone: true, endsConnection: false, read: () => Promise.resolve(undefined) };

/** A body that gives its connection back when it has been read. */
class FinishingBody implements ByteSource {
  readonly #source: HttpBody;
  readonly #hooks: { readonly finish: () => void; readonly fail: () => void; readonly signal: AbortSignal | undefined };
  #isFinished: boolean;

  constructor(source: HttpBody, hooks: { finish: () => void; fail: () => void; signal: AbortSignal | undefined }) {
    this.#source = source;
    this.#hooks = hooks;
    this.#isFinished = source.isDone;
  }

  async read(maxBytes?: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#isFinished) return undefined;
    try {
      const chunk = await this.#source.read(maxBytes, signal ?? this.#hooks.signal);
      if (chunk === undefined || this.#source.isDone) {
        this.#isFinished = true;
        this.#hooks.finish();
      }
      return chunk;
    } catch (error) {
      if (signal?.aborted === true && this.#hooks.signal?.aborted !== true) throw error;
      this.#isFinished = true;
      this.#hooks.fail();
      if (this.#hooks.signal?.aborted === true) throw asError(this.#hooks.signal.reason);
      throw error;
    }
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new SysError('EINTR');
}
