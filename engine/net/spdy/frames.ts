// Models the frames of SPDY/3.1: what travels on a connection that was upgraded for exec, attach or port-forward.
// Not modelled: CREDENTIAL frames and push (nothing of Kubernetes uses them).

import { Deflate, Inflate } from 'pako';
import { concat, text, utf8 } from '../../sim/bytes.ts';
import { headerDictionary } from './dictionary.ts';

const VERSION = 3;
const HEAD_BYTES = 8;
const Z_SYNC_FLUSH = 2;
/** A block of headers that unpacks to more than this is an attack, not a header. */
const MAX_HEADER_BYTES = 1024 * 1024;

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const HEADERS = 8;
const WINDOW_UPDATE = 9;

const FLAG_FIN = 1;

/** The peer broke the protocol; the session ends. */
export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}

/** Lower-case names. Several values of one name are separated by NUL on the wire. */
export type SpdyHeaders = ReadonlyMap<string, readonly string[]>;

export type SpdyFrame =
  | { readonly type: 'data'; readonly stream: number; readonly isLast: boolean; readonly bytes: Uint8Array }
  | {
      readonly type: 'syn-stream';
      readonly stream: number;
      readonly associated: number;
      readonly priority: number;
      readonly isLast: boolean;
      readonly isUnidirectional: boolean;
      readonly headers: SpdyHeaders;
    }
  | { readonly type: 'syn-reply' | 'headers'; readonly stream: number; readonly isLast: boolean; readonly headers: SpdyHeaders }
  | { readonly type: 'rst-stream'; readonly stream: number; readonly status: number }
  | { readonly type: 'settings'; readonly values: ReadonlyMap<number, number> }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway'; readonly lastGoodStream: number; readonly status: number }
  | { readonly type: 'window-update'; readonly stream: number; readonly delta: number };

/** Encodes frames of one direction: all its headers share one compression. */
export class SpdyEncoder {
  readonly #deflate = new Deflate({ dictionary: headerDictionary() });
  #packed: Uint8Array[] = [];

  constructor() {
    this.#deflate.onData = (chunk) => {
      this.#packed.push(chunk);
    };
  }

  encode(frame: SpdyFrame): Uint8Array {
    switch (frame.type) {
      case 'data': {
        const head = new Uint8Array(HEAD_BYTES);
        const view = new DataView(head.buffer);
        view.setUint32(0, frame.stream & 0x7fffffff);
        view.setUint32(4, frame.bytes.length);
        head[4] = frame.isLast ? FLAG_FIN : 0;
        return concat([head, frame.bytes]);
      }
      case 'syn-stream': {
        const flags = (frame.isLast ? FLAG_FIN : 0) | (frame.isUnidirectional ? 2 : 0);
        const start = words(frame.stream, frame.associated);
        return control(SYN_STREAM, flags, concat([start, Uint8Array.of(frame.priority << 5, 0), this.#headers(frame.headers)]));
      }
      case 'syn-reply':
      case 'headers': {
        const type = frame.type === 'headers' ? HEADERS : SYN_REPLY;
        return control(type, frame.isLast ? FLAG_FIN : 0, concat([words(frame.stream), this.#headers(frame.headers)]));
      }
      case 'rst-stream':
        return control(RST_STREAM, 0, words(frame.stream, frame.status));
      case 'settings': {
        const entries = [...frame.values].flatMap(([id, value]) => [id & 0xffffff, value]);
        return control(SETTINGS, 0, words(frame.values.size, ...entries));
      }
      case 'ping':
        return control(PING, 0, words(frame.id));
      case 'goaway':
        return control(GOAWAY, 0, words(frame.lastGoodStream, frame.status));
      case 'window-update':
        return control(WINDOW_UPDATE, 0, words(frame.stream, frame.delta));
    }
  }

  #headers(headers: SpdyHeaders): Uint8Array {
    const parts: Uint8Array[] = [words(headers.size)];
    for (const [name, values] of headers) {
      for (const string of [name.toLowerCase(), values.join('\0')]) {
        const bytes = utf8(string);
        parts.push(words(bytes.length), bytes);
      }
    }
    this.#packed = [];
    this.#deflate.push(concat(parts), Z_SYNC_FLUSH);
    return concat(this.#packed);
  }
}

/** Decodes one direction, whatever the pieces it arrives in. */
export class SpdyDecoder {
  readonly #inflate = new Inflate({ dictionary: headerDictionary() });
  #pieces: Uint8Array[] = [];
  #length = 0;
  #unpacked: Uint8Array[] = [];
  #unpackedBytes = 0;

  constructor() {
    this.#inflate.onData = (chunk) => {
      this.#unpackedBytes += chunk.length;
      if (this.#unpackedBytes > MAX_HEADER_BYTES) throw new SpdyError('header block is too large');
      this.#unpacked.push(chunk);
    };
  }

  /** The frames that are whole by now. Throws SpdyError for what is none. */
  *push(bytes: Uint8Array): Generator<SpdyFrame> {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    for (;;) {
      if (this.#length < HEAD_BYTES) return;
      const buffer = this.#joined(HEAD_BYTES);
      const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
      const size = view.getUint32(4) & 0xffffff;
      if (this.#length < HEAD_BYTES + size) return;
      const whole = this.#joined(HEAD_BYTES + size);
      const frame = this.#frame(whole.subarray(0, HEAD_BYTES + size));
      this.#pieces = whole.length > HEAD_BYTES + size ? [whole.subarray(HEAD_BYTES + size)] : [];
      this.#length = whole.length - HEAD_BYTES - size;
      if (frame !== undefined) yield frame;
    }
  }

  /** The first bytes in one piece; the pieces are only joined when they have to be. */
  #joined(count: number): Uint8Array {
    const first = this.#pieces[0]!;
    if (first.length >= count && this.#pieces.length === 1) return first;
    const whole = concat(this.#pieces);
    this.#pieces = [whole];
    return whole;
  }

  #frame(bytes: Uint8Array): SpdyFrame | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const flags = bytes[4]!;
    const isLast = (flags & FLAG_FIN) !== 0;
    if ((bytes[0]! & 0x80) === 0) {
      const stream = view.getUint32(0);
      if (stream === 0) throw new SpdyError('data frame without a stream');
      return { type: 'data', stream, isLast, bytes: bytes.subarray(HEAD_BYTES) };
    }
    const version = view.getUint16(0) & 0x7fff;
    if (version !== VERSION) throw new SpdyError(`unsupported version ${version}`);
    const type = view.getUint16(2);
    const word = (index: number): number => {
      if (HEAD_BYTES + index * 4 + 4 > bytes.length) throw new SpdyError('invalid control frame');
      return view.getUint32(HEAD_BYTES + index * 4);
    };
    const id = (index: number): number => word(index) & 0x7fffffff;
    switch (type) {
      case SYN_STREAM: {
        const stream = id(0);
        const associated = id(1);
        if (bytes.length < HEAD_BYTES + 10) throw new SpdyError('invalid control frame');
        if (stream === 0) throw new SpdyError('zero stream id');
        const headers = this.#headers(bytes.subarray(HEAD_BYTES + 10));
        const priority = bytes[HEAD_BYTES + 8]! >> 5;
        return { type: 'syn-stream', stream, associated, priority, isLast, isUnidirectional: (flags & 2) !== 0, headers };
      }
      case SYN_REPLY:
      case HEADERS: {
        const stream = id(0);
        if (stream === 0) throw new SpdyError('zero stream id');
        const headers = this.#headers(bytes.subarray(HEAD_BYTES + 4));
        return { type: type === HEADERS ? 'headers' : 'syn-reply', stream, isLast, headers };
      }
      case RST_STREAM:
        return { type: 'rst-stream', stream: id(0), status: word(1) };
      case SETTINGS: {
        const count = word(0);
        if (bytes.length !== HEAD_BYTES + 4 + count * 8) throw new SpdyError('invalid control frame');
        const values = new Map<number, number>();
        for (let at = 0; at < count; at++) values.set(word(1 + at * 2) & 0xffffff, word(2 + at * 2));
        return { type: 'settings', values };
      }
      case PING:
        return { type: 'ping', id: word(0) };
      case GOAWAY:
        return { type: 'goaway', lastGoodStream: id(0), status: word(1) };
      case WINDOW_UPDATE:
        return { type: 'window-update', stream: id(0), delta: id(1) };
      default:
        // Frames of later extensions are skipped, as the protocol asks.
        return undefined;
    }
  }

  #headers(packed: Uint8Array): SpdyHeaders {
    this.#unpacked = [];
    this.#unpackedBytes = 0;
    // An empty block leaves the compression as it is.
    if (packed.length > 0) this.#inflate.push(packed, Z_SYNC_FLUSH);
    if (this.#inflate.err < 0 && this.#inflate.err !== -5) throw new SpdyError(`header block: ${this.#inflate.msg}`);
    if (this.#inflate.ended) throw new SpdyError('header block: the compression ended');
    return parseHeaders(this.#unpacked.length === 0 ? new Uint8Array() : concat(this.#unpacked));
  }
}

function parseHeaders(block: Uint8Array): SpdyHeaders {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const headers = new Map<string, readonly string[]>();
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new SpdyError('header block is cut off');
    at += 4;
    return view.getUint32(at - 4);
  };
  const string = (): string => {
    const length = number();
    if (at + length > block.length) throw new SpdyError('header block is cut off');
    at += length;
    return text(block.subarray(at - length, at));
  };
  const count = number();
  for (let index = 0; index < count; index++) {
    const name = string();
    const value = string();
    if (name === '' || name !== name.toLowerCase()) throw new SpdyError(`invalid header name ${JSON.stringify(name)}`);
    if (headers.has(name)) throw new SpdyError(`duplicate header ${JSON.stringify(name)}`);
    headers.set(name, value.split('\0'));
  }
  return headers;
}

function words(...values: readonly number[]): Uint8Array {
  const out = new Uint8Array(values.length * 4);
  const view = new DataView(out.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value >>> 0);
  return out;
}

function control(type: number, flags: number, payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint16(0, 0x8000 | VERSION);
  view.setUint16(2, type);
  view.setUint32(4, payload.length);
  head[4] = flags;
  return concat([head, payload]);
}
