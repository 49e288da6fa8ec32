// Contract of HTTP/1.1 over any Connection. The bytes on the wire are real HTTP, so real clients can be let in.

import type { ByteSource, Connection } from '../sim/stream.ts';

export interface HttpRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Lower-case names; a repeated header is joined with `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: ByteSource;
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** PEM of the certificate the client proved to own, when the connection is TLS. */
  readonly clientCertificate: string | undefined;
}

export interface HttpResponseHead {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpResponder {
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** A whole answer with Content-Length. */
  send(head: HttpResponseHead, body?: Uint8Array | string): Promise<void>;
  /** A chunked answer; `end` finishes it. `write` rejects with EPIPE or ECONNRESET when the client is gone. */
  stream(head: HttpResponseHead): Promise<{ write(bytes: Uint8Array | string): Promise<void>; end(): Promise<void> }>;
  /** 101 (or another head) and then the raw connection. */
  upgrade(head: HttpResponseHead): Promise<Connection>;
}

export type HttpHandler = (request: HttpRequest, respond: HttpResponder) => Promise<void>;

export interface HttpResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: ByteSource;
  /** For 101: the connection behind it. */
  readonly upgraded: Connection | undefined;
}
