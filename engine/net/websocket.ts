// Models WebSocket (RFC 6455) as Go's x/net/websocket serves it: the handshake, frames, and messages.

import { sha1 } from '@noble/hashes/legacy.js';
import { concat, toBase64, utf8 } from '../sim/bytes.ts';
import { isSysError } from '../sim/errno.ts';
import type { Connection } from '../sim/stream.ts';
import type { HttpRequest, HttpResponder } from './http.ts';
import { reasonPhrase } from './http-status.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Longer messages end the connection. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

const NORMAL_CLOSURE = 1000;
const PROTOCOL_ERROR = 1002;
const TOO_BIG = 1009;

/** The peer broke the protocol. */
export class WebSocketError extends Error {
  override readonly name = 'WebSocketError';
  readonly code: number;
  constructor(message: string, code = PROTOCOL_ERROR) {
    super(message);
    this.code = code;
  }
}

export function isWebSocketRequest(request: Pick<HttpRequest, 'headers'>): boolean {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return false;
  return /(^|.*,\s*)upgrade($|\s*,)/.test((request.headers.get('connection') ?? '').toLowerCase());
}

export interface AcceptedWebSocket {
  readonly socket: WebSocket;
  /** Empty when the client asked for none. */
  readonly protocol: string;
}

/**
 * Answers the handshake with the first protocol of the client that is among `protocols` (`''`: a client that names none).
 * Undefined when it was refused; the answer has been given then.
 */
export async function acceptWebSocket(
  request: HttpRequest,
  respond: HttpResponder,
  protocols: readonly string[],
): Promise<AcceptedWebSocket | undefined> {
  const refuse = async (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Promise<undefined> => {
    const connection = await respond.upgrade({ status, reason: reasonPhrase(status), headers });
    await connection.write(utf8(body));
    connection.close();
    return undefined;
  };
  if (request.method !== 'GET') return refuse(405, 'bad method');
  const key = request.headers.get('sec-websocket-key') ?? '';
  if (key === '') return refuse(400, 'mismatch challenge/response');
  if (request.headers.get('sec-websocket-version') !== '13')
    return refuse(400, 'missing or bad WebSocket Version', { 'Sec-WebSocket-Version': '13' });
  const named = (request.headers.get('sec-websocket-protocol') ?? '').trim();
  const offered = named === '' ? [''] : named.split(',').map((name) => name.trim());
  const protocol = offered.find((name) => protocols.includes(name));
  if (protocol === undefined) return refuse(403, '');
  const connection = await respond.upgrade({
    status: 101,
    reason: 'Switching Protocols',
    headers: {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Accept': toBase64(sha1(utf8(key + GUID))),
      ...(protocol === '' ? {} : { 'Sec-WebSocket-Protocol': protocol }),
    },
  });
  return { socket: new WebSocket(connection), protocol };
}

export interface WebSocketFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly isMasked: boolean;
  readonly payload: Uint8Array;
}

/** Decodes frames, whatever the pieces they arrive in. */
export class WebSocketDecoder {
  #pieces: Uint8Array[] = [];
  #length = 0;

  /** The frames that are whole by now. Throws WebSocketError for what is none. */
  *push(bytes: Uint8Array): Generator<WebSocketFrame> {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    for (;;) {
      const start = this.#first(14);
      const head = headOf(start);
      if (head === undefined || this.#length < head.bytes + head.length) return;
      const whole = this.#first(head.bytes + head.length);
      const raw = whole.subarray(head.bytes, head.bytes + head.length);
      const rest = whole.subarray(head.bytes + head.length);
      this.#pieces = rest.length > 0 ? [rest] : [];
      this.#length = rest.length;
      const { mask, opcode, isFinal } = head;
      const payload = mask === undefined ? raw : raw.map((byte, index) => byte ^ mask[index & 3]!);
      yield { opcode, isFinal, isMasked: mask !== undefined, payload };
    }
  }

  /** At least so many bytes in one piece, or all there are. */
  #first(count: number): Uint8Array {
    if (this.#pieces.length === 0) return new Uint8Array();
    if (this.#pieces.length > 1 && this.#pieces[0]!.length < count) this.#pieces = [concat(this.#pieces)];
    return this.#pieces.length === 1 || this.#pieces[0]!.length < count ? this.#pieces[0]! : (this.#pieces = [concat(this.#pieces)])[0]!;
  }
}

interface FrameHead {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly mask: Uint8Array | undefined;
  readonly bytes: number;
  readonly length: number;
}

function headOf(start: Uint8Array): FrameHead | undefined {
  if (start.length < 2) return undefined;
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const first = start[0]!;
  if ((first & 0x70) !== 0) throw new WebSocketError('reserved bits are set');
  const opcode = first & 15;
  if (opcode > PONG || (opcode > BINARY && opcode < CLOSE)) throw new WebSocketError(`unknown opcode ${opcode}`);
  const isFinal = (first & 0x80) !== 0;
  const short = start[1]! & 127;
  if (opcode >= CLOSE && (!isFinal || short > 125)) throw new WebSocketError('control frames are short and whole');
  let at = 2;
  let length = short;
  if (short === 126) {
    if (start.length < 4) return undefined;
    length = view.getUint16(2);
    at = 4;
  } else if (short === 127) {
    if (start.length < 10) return undefined;
    if (view.getUint32(2) !== 0) throw new WebSocketError('frame payload size exceeds limit', TOO_BIG);
    length = view.getUint32(6);
    at = 10;
  }
  if (length > MAX_MESSAGE_BYTES) throw new WebSocketError('frame payload size exceeds limit', TOO_BIG);
  const isMasked = (start[1]! & 0x80) !== 0;
  if (isMasked && start.length < at + 4) return undefined;
  return { opcode, isFinal, mask: isMasked ? start.slice(at, at + 4) : undefined, bytes: isMasked ? at + 4 : at, length };
}

/** One frame as a server sends it: whole and without a mask. */
export function webSocketFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const head =
    length < 126
      ? [0x80 | opcode, length]
      : length < 0x10000
        ? [0x80 | opcode, 126, length >> 8, length & 255]
        : [0x80 | opcode, 127, 0, 0, 0, 0, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255];
  return concat([Uint8Array.from(head), payload]);
}

/** The server's end of a WebSocket. */
export class WebSocket {
  readonly #connection: Connection;
  readonly #decoder = new WebSocketDecoder();
  readonly #frames: WebSocketFrame[] = [];
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #isClosed = false;
  #sending: Promise<void> = Promise.resolve();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The next message; undefined when the client has closed, or was sent away for breaking the protocol. */
  async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      for (;;) {
        const frame = this.#frames.shift();
        if (frame === undefined) {
          const chunk = await this.#connection.read(undefined, signal);
          if (chunk === undefined) return undefined;
          this.#frames.push(...this.#decoder.push(chunk));
          continue;
        }
        if (!frame.isMasked) throw new WebSocketError('client must mask all data');
        if (frame.opcode === PING) await this.#send(PONG, frame.payload);
        else if (frame.opcode === CLOSE) {
          await this.close();
          return undefined;
        } else if (frame.opcode !== PONG) {
          const message = this.#assemble(frame);
          if (message !== undefined) return message;
        }
      }
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      await this.close(error.code);
      return undefined;
    }
  }

  #assemble(frame: WebSocketFrame): Uint8Array | undefined {
    if (frame.opcode === CONTINUATION ? this.#parts.length === 0 : this.#parts.length > 0)
      throw new WebSocketError('continuation out of order');
    this.#partBytes += frame.payload.length;
    if (this.#partBytes > MAX_MESSAGE_BYTES) throw new WebSocketError('message is too big', TOO_BIG);
    this.#parts.push(frame.payload);
    if (!frame.isFinal) return undefined;
    const message = concat(this.#parts);
    this.#parts = [];
    this.#partBytes = 0;
    return message;
  }

  async write(message: Uint8Array, kind: 'text' | 'binary'): Promise<void> {
    await this.#send(kind === 'text' ? TEXT : BINARY, message);
  }

  async close(code = NORMAL_CLOSURE): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#send(CLOSE, Uint8Array.of(code >> 8, code & 255));
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
    this.#isClosed = true;
    this.#connection.close();
  }

  async #send(opcode: number, payload: Uint8Array): Promise<void> {
    const before = this.#sending;
    const mine = (async () => {
      await before;
      await this.#connection.write(webSocketFrame(opcode, payload));
    })();
    this.#sending = mine.then(undefined, () => undefined);
    await mine;
  }
}
