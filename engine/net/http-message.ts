// Models HTTP/1.1 message framing (RFC 7230): heads, Content-Length, chunked bodies.

import { concat, text, utf8 } from '../sim/bytes.ts';
import { SysError } from '../sim/errno.ts';
import type { ByteSource, Connection } from '../sim/stream.ts';

const encoder = new TextEncoder();

/** A head larger than this is not read further, as Go's server does (1 MiB). */
const MAX_HEAD_BYTES = 1024 * 1024 + 4096;

export class HttpParseError extends Error {
  override readonly name = 'HttpParseError';
}

export interface MessageHead {
  readonly startLine: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** Reads a connection piece by piece and keeps what belongs to the next piece. */
export class HttpReader {
  readonly #connection: Connection;
  #rest: Uint8Array = new Uint8Array();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Undefined when the connection ended before the first byte. */
  async head(signal?: AbortSignal): Promise<MessageHead | undefined> {
    let searched = 0;
    for (;;) {
      const end = indexOfBlankLine(this.#rest, searched);
      if (end !== undefined && end.bodyStart > MAX_HEAD_BYTES) throw new HttpParseError('header too large');
      if (end !== undefined) {
        const head = parseHead(text(this.#rest.subarray(0, end.headEnd)));
        this.#rest = this.#rest.subarray(end.bodyStart);
        return head;
      }
      if (this.#rest.length > MAX_HEAD_BYTES) throw new HttpParseError('header too large');
      searched = Math.max(0, this.#rest.length - 3);
      if (!(await this.#more(signal))) {
        if (this.#rest.length === 0) return undefined;
        throw new HttpParseError('unexpected EOF');
      }
    }
  }

  /** The body that the head announces; `untilClose` for answers without a length. */
  body(headers: ReadonlyMap<string, string>, options: { readonly untilClose: boolean }): HttpBody {
    if (headers.get('transfer-encoding')?.toLowerCase().includes('chunked') === true) return new ChunkedBody(this);
    const length = headers.get('content-length');
    if (length !== undefined) return new SizedBody(this, Number(length));
    return options.untilClose ? new RestBody(this) : new SizedBody(this, 0);
  }

  /** What has been read ahead, and from then on the connection itself. */
  raw(): Connection {
    const inner = this.#connection;
    return {
      localAddress: inner.localAddress,
      remoteAddress: inner.remoteAddress,
      read: (maxBytes = 65536, signal) => this.take(maxBytes, signal),
      write: (bytes) => inner.write(bytes),
      shutdownWrite: () => inner.shutdownWrite(),
      close: (options) => inner.close(options),
    };
  }

  /** At most `maxBytes`; undefined at the end. */
  async take(maxBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0 && !(await this.#more(signal))) return undefined;
    const taken = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async line(signal?: AbortSignal): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0) {
        const line = text(this.#rest.subarray(0, end)).replace(/\r$/, '');
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (!(await this.#more(signal))) throw new HttpParseError('unexpected EOF');
    }
  }

  async #more(signal?: AbortSignal): Promise<boolean> {
    const chunk = await this.#connection.read(65536, signal);
    if (chunk === undefined) return false;
    this.#rest = this.#rest.length === 0 ? chunk : concat([this.#rest, chunk]);
    return true;
  }
}

export interface HttpBody extends ByteSource {
  /** The next message may follow: everything has been read. */
  readonly isDone: boolean;
  /** Its end is the end of the connection. */
  readonly endsConnection: boolean;
}

class SizedBody implements HttpBody {
  readonly endsConnection = false;
  readonly #reader: HttpReader;
  #left: number;

  constructor(reader: HttpReader, length: number) {
    this.#reader = reader;
    this.#left = length;
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  async read(maxBytes = 65536, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#left === 0) return undefined;
    const chunk = await this.#reader.take(Math.min(maxBytes, this.#left), signal);
    if (chunk === undefined) throw new HttpParseError('unexpected EOF');
    this.#left -= chunk.length;
    return chunk;
  }
}

class ChunkedBody implements HttpBody {
  readonly endsConnection = false;
  readonly #reader: HttpReader;
  #left = 0;
  #isBroken = false;
  isDone = false;

  constructor(reader: HttpReader) {
    this.#reader = reader;
  }

  async read(maxBytes = 65536, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.isDone) return undefined;
    // Where the next chunk begins is not known any more.
    if (this.#isBroken) throw new HttpParseError('malformed chunked encoding');
    if (this.#left === 0) {
      const size = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(await this.#reader.line(signal))?.[1];
      if (size === undefined) {
        this.#isBroken = true;
        throw new HttpParseError('malformed chunked encoding');
      }
      this.#left = Number.parseInt(size, 16);
      if (this.#left === 0) {
        while ((await this.#reader.line(signal)) !== '');
        this.isDone = true;
        return undefined;
      }
    }
    const chunk = await this.#reader.take(Math.min(maxBytes, this.#left), signal);
    if (chunk === undefined) throw new HttpParseError('unexpected EOF');
    this.#left -= chunk.length;
    if (this.#left === 0) await this.#reader.line(signal);
    return chunk;
  }
}

class RestBody implements HttpBody {
  readonly endsConnection = true;
  readonly #reader: HttpReader;
  isDone = false;

  constructor(reader: HttpReader) {
    this.#reader = reader;
  }

  async read(maxBytes = 65536, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const chunk = await this.#reader.take(maxBytes, signal);
    if (chunk === undefined) this.isDone = true;
    return chunk;
  }
}

/** Everything a source has. */
export async function readAllBytes(source: ByteSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await source.read();
    if (chunk === undefined) return concat(chunks);
    chunks.push(chunk.slice());
  }
}

export function formatHead(startLine: string, headers: Iterable<readonly [string, string]>): string {
  let out = `${startLine}\r\n`;
  for (const [name, value] of headers) out += `${name}: ${value}\r\n`;
  return `${out}\r\n`;
}

/** A head and its body in one piece. */
export function formatMessage(head: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(head.length + body.length);
  // A head is nearly always ASCII, and then as long as it is encoded.
  const { read, written } = encoder.encodeInto(head, out);
  if (read !== head.length || written !== head.length) return concat([utf8(head), body]);
  out.set(body, written);
  return out;
}

/** One chunk of a chunked body. */
export function formatChunk(bytes: Uint8Array): Uint8Array {
  return concat([utf8(`${bytes.length.toString(16)}\r\n`), bytes, utf8('\r\n')]);
}

export const LAST_CHUNK = '0\r\n\r\n';

/** A connection that broke, told from our own faults. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof SysError || error instanceof HttpParseError;
}

// One client (or server) sends nearly the same headers again and again. What is kept is a pure function of its key, so labs may
// share it.
const knownHeaders = new Map<string, ReadonlyMap<string, string>>();
const MOST_KNOWN = 500;
const LONGEST_KNOWN = 1024;

function parseHead(block: string): MessageHead {
  const end = block.indexOf('\n');
  if (end < 0) return { startLine: block, headers: parseHeaders('') };
  const startLine = block.slice(0, block.charCodeAt(end - 1) === 13 ? end - 1 : end);
  const rest = block.slice(end + 1);
  let headers = knownHeaders.get(rest);
  if (headers === undefined) {
    headers = parseHeaders(rest);
    if (rest.length <= LONGEST_KNOWN) {
      if (knownHeaders.size >= MOST_KNOWN) knownHeaders.clear();
      knownHeaders.set(rest, headers);
    }
  }
  return { startLine, headers };
}

function parseHeaders(block: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  if (block === '') return headers;
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw new HttpParseError(`malformed MIME header line: ${line}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function indexOfBlankLine(bytes: Uint8Array, from: number): { headEnd: number; bodyStart: number } | undefined {
  for (let at = bytes.indexOf(10, from); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return { headEnd: at, bodyStart: at + 2 };
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return { headEnd: bytes[at - 1] === 13 ? at - 1 : at, bodyStart: at + 3 };
  }
  return undefined;
}
