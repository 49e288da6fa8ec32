// The wire of our SSH: version lines as the real protocol has them, then frames of a kind, a channel and bytes. What the real
// protocol negotiates and encrypts is left out; what it means (host keys, authentication, channels) is kept.

import { concat, text, utf8 } from '../sim/bytes.ts';
import { SysError } from '../sim/errno.ts';
import type { Connection } from '../sim/stream.ts';

export const FRAME = {
  /** Client: a nonce to sign. Server: host key and signature. */
  keyExchange: 1,
  auth: 2,
  authResult: 3,
  open: 4,
  opened: 5,
  data: 6,
  errorData: 7,
  eof: 8,
  exit: 9,
  close: 10,
  resize: 11,
  signal: 12,
  disconnect: 13,
  keepAlive: 14,
  banner: 15,
} as const;

export interface SshFrame {
  readonly kind: number;
  readonly channel: number;
  readonly bytes: Uint8Array;
}

const HEAD_BYTES = 9;
const MAX_VERSION_BYTES = 255;

/** Frames over a connection. Writes keep their order. */
export class SshWire {
  readonly connection: Connection;
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(connection: Connection) {
    this.connection = connection;
  }

  sendVersion(version: string): Promise<void> {
    return this.connection.write(utf8(`${version}\r\n`));
  }

  /** The other side's first line; ECONNRESET when the connection ends before. */
  async receiveVersion(signal?: AbortSignal): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(10);
      if (end >= 0) {
        const line = text(this.#buffer.subarray(0, end)).replace(/\r$/, '');
        this.#buffer = this.#buffer.slice(end + 1);
        if (line.startsWith('SSH-')) return line;
        continue;
      }
      if (this.#buffer.length > MAX_VERSION_BYTES || !(await this.#more(signal))) throw new SysError('ECONNRESET');
    }
  }

  send(kind: number, channel: number, body: Uint8Array | object): Promise<void> {
    const bytes = body instanceof Uint8Array ? body : utf8(JSON.stringify(body));
    const head = new Uint8Array(HEAD_BYTES);
    const view = new DataView(head.buffer);
    view.setUint8(0, kind);
    view.setUint32(1, channel);
    view.setUint32(5, bytes.length);
    return this.connection.write(concat([head, bytes]));
  }

  /** The next frame, or undefined when the other side has closed. */
  async receive(signal?: AbortSignal): Promise<SshFrame | undefined> {
    while (this.#buffer.length < HEAD_BYTES) if (!(await this.#more(signal))) return undefined;
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset);
    const length = view.getUint32(5);
    while (this.#buffer.length < HEAD_BYTES + length) if (!(await this.#more(signal))) return undefined;
    const frame = {
      kind: this.#buffer[0]!,
      channel: new DataView(this.#buffer.buffer, this.#buffer.byteOffset).getUint32(1),
      bytes: this.#buffer.slice(HEAD_BYTES, HEAD_BYTES + length),
    };
    this.#buffer = this.#buffer.subarray(HEAD_BYTES + length);
    return frame;
  }

  async #more(signal: AbortSignal | undefined): Promise<boolean> {
    const bytes = await this.connection.read(undefined, signal);
    if (bytes === undefined) return false;
    this.#buffer = this.#buffer.length === 0 ? Uint8Array.from(bytes) : concat([this.#buffer, bytes]);
    return true;
  }
}

/** Body of a frame that carries JSON. */
export function bodyOf<T>(frame: SshFrame): T {
  return JSON.parse(text(frame.bytes)) as T;
}
