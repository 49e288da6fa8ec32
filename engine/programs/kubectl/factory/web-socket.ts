// Models a WebSocket client (RFC 6455) over an upgraded connection, as exec, attach and port-forward use it.

import { concat, toBase64 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Connection } from '../../../sim/stream.ts';
import type { Rng } from '../../../sim/rng.ts';

const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Headers that ask for an upgrade. */
export function upgradeHeaders(rng: Rng, protocols: readonly string[]): Readonly<Record<string, string>> {
  return {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': toBase64(rng.bytes(16)),
    'sec-websocket-protocol': protocols.join(', '),
  };
}

export class WebSocketClient {
  readonly #connection: Connection;
  readonly #rng: Rng;
  #buffer: Uint8Array = new Uint8Array();
  #isClosed = false;

  constructor(connection: Connection, rng: Rng) {
    this.#connection = connection;
    this.#rng = rng;
  }

  /** Sends one binary message; does nothing when the peer is gone. */
  async send(payload: Uint8Array): Promise<void> {
    await this.#frame(BINARY, payload);
  }

  /** The next message; undefined when the peer closed. */
  async receive(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const frame = await this.#nextFrame(signal);
      if (frame === undefined) return undefined;
      if (frame.opcode === PING) await this.#frame(PONG, frame.payload);
      else if (frame.opcode === CLOSE) {
        await this.#frame(CLOSE, frame.payload);
        return undefined;
      } else if (frame.opcode !== PONG) {
        parts.push(frame.payload);
        if (frame.isFinal) return concat(parts);
      }
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#frame(CLOSE, Uint8Array.from([0x03, 0xe8]));
    this.#isClosed = true;
    this.#connection.close();
  }

  async #nextFrame(
    signal?: AbortSignal,
  ): Promise<{ readonly opcode: number; readonly isFinal: boolean; readonly payload: Uint8Array } | undefined> {
    const head = await this.#take(2, signal);
    if (head === undefined) return undefined;
    const [first = 0, second = 0] = head;
    let length = second & 0x7f;
    if (length >= 126) {
      const more = await this.#take(length === 126 ? 2 : 8, signal);
      if (more === undefined) return undefined;
      length = more.reduce((sum, byte) => sum * 256 + byte, 0);
    }
    const mask = (second & 0x80) === 0 ? undefined : await this.#take(4, signal);
    const payload = await this.#take(length, signal);
    if (payload === undefined) return undefined;
    const plain = mask === undefined ? payload : payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
    return { opcode: first & 0x0f, isFinal: (first & 0x80) !== 0, payload: plain };
  }

  async #take(count: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    while (this.#buffer.length < count) {
      let chunk: Uint8Array | undefined;
      try {
        chunk = await this.#connection.read(undefined, signal);
      } catch (error) {
        if (isSysError(error, 'ECONNRESET', 'EPIPE', 'ETIMEDOUT')) return undefined;
        throw error;
      }
      if (chunk === undefined) return undefined;
      this.#buffer = concat([this.#buffer, chunk]);
    }
    const taken = this.#buffer.slice(0, count);
    this.#buffer = this.#buffer.slice(count);
    return taken;
  }

  async #frame(opcode: number, payload: Uint8Array): Promise<void> {
    if (this.#isClosed) return;
    const mask = this.#rng.bytes(4);
    const length =
      payload.length < 126
        ? [0x80 | payload.length]
        : payload.length < 0x10000
          ? [0x80 | 126, payload.length >> 8, payload.length & 0xff]
          : [
              0x80 | 127,
              0,
              0,
              0,
              0,
              (payload.length >>> 24) & 0xff,
              (payload.length >>> 16) & 0xff,
              (payload.length >>> 8) & 0xff,
              payload.length & 0xff,
            ];
    try {
      await this.#connection.write(
        concat([Uint8Array.from([0x80 | opcode, ...length]), mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]),
      );
    } catch (error) {
      if (!isSysError(error)) throw error;
      this.#isClosed = true;
    }
  }
}
