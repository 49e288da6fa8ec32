// Models the server side of WebSocket (RFC 6455) with Kubernetes' channel protocols, as exec, attach and port-forward use it.

import { sha1 } from '@noble/hashes/legacy.js';
import { concat, text, toBase64, utf8 } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import type { Connection } from '../../sim/stream.ts';
import type { HttpRequest, HttpResponder } from '../../net/http.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CHANNEL_PROTOCOLS = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io', 'channel.k8s.io', 'base64.channel.k8s.io', ''] as const;

export function isWebSocket(request: HttpRequest): boolean {
  return /websocket/i.test(request.headers.get('upgrade') ?? '');
}

/** Accepts the upgrade; undefined when no protocol in common (answered with 403). */
export async function acceptWebSocket(request: HttpRequest, respond: HttpResponder): Promise<ChannelSocket | undefined> {
  const offered = (request.headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim());
  const protocol = CHANNEL_PROTOCOLS.find((known) => offered.includes(known));
  if (protocol === undefined) {
    await respond.send({ status: 403 }, '');
    return undefined;
  }
  const accept = toBase64(sha1(utf8((request.headers.get('sec-websocket-key') ?? '') + GUID)));
  const connection = await respond.upgrade({
    status: 101,
    reason: 'Switching Protocols',
    headers: {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Accept': accept,
      ...(protocol === '' ? {} : { 'Sec-WebSocket-Protocol': protocol }),
    },
  });
  return new ChannelSocket(connection, protocol.includes('base64'));
}

export interface ChannelMessage {
  readonly channel: number;
  readonly bytes: Uint8Array;
}

/** Messages whose first byte is the channel. */
export class ChannelSocket {
  readonly #connection: Connection;
  readonly #isBase64: boolean;
  #rest: Uint8Array = new Uint8Array();

  constructor(connection: Connection, isBase64: boolean) {
    this.#connection = connection;
    this.#isBase64 = isBase64;
  }

  /** The next message; undefined when the client has closed. */
  async read(signal?: AbortSignal): Promise<ChannelMessage | undefined> {
    for (;;) {
      const frame = await this.#frame(signal);
      if (frame === undefined) return undefined;
      if (frame.opcode === 8) return undefined;
      if (frame.opcode === 9) await this.#send(10, frame.payload);
      if (frame.opcode > 2 || frame.payload.length === 0) continue;
      if (!this.#isBase64) return { channel: frame.payload[0]!, bytes: frame.payload.slice(1) };
      const message = text(frame.payload);
      return { channel: Number(message[0]), bytes: Uint8Array.from(atob(message.slice(1)), (character) => character.charCodeAt(0)) };
    }
  }

  async write(channel: number, bytes: Uint8Array): Promise<void> {
    if (this.#isBase64) await this.#send(1, utf8(`${channel}${toBase64(bytes)}`));
    else await this.#send(2, concat([Uint8Array.of(channel), bytes]));
  }

  async close(): Promise<void> {
    try {
      await this.#send(8, Uint8Array.of(0x03, 0xe8));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
    this.#connection.close();
  }

  async #send(opcode: number, payload: Uint8Array): Promise<void> {
    const head =
      payload.length < 126
        ? [0x80 | opcode, payload.length]
        : payload.length < 0x10000
          ? [0x80 | opcode, 126, payload.length >> 8, payload.length & 255]
          : undefined;
    if (head !== undefined) return this.#connection.write(concat([Uint8Array.from(head), payload]));
    const long = new Uint8Array(10);
    long[0] = 0x80 | opcode;
    long[1] = 127;
    new DataView(long.buffer).setUint32(6, payload.length);
    await this.#connection.write(concat([long, payload]));
  }

  async #frame(signal: AbortSignal | undefined): Promise<{ readonly opcode: number; readonly payload: Uint8Array } | undefined> {
    const start = await this.#take(2, signal);
    if (start === undefined) return undefined;
    let length = start[1]! & 127;
    if (length === 126) {
      const more = await this.#take(2, signal);
      if (more === undefined) return undefined;
      length = (more[0]! << 8) | more[1]!;
    } else if (length === 127) {
      const more = await this.#take(8, signal);
      if (more === undefined) return undefined;
      length = new DataView(more.buffer, more.byteOffset).getUint32(4);
    }
    const isMasked = (start[1]! & 128) !== 0;
    const mask = isMasked ? await this.#take(4, signal) : undefined;
    const payload = await this.#take(length, signal);
    if (payload === undefined) return undefined;
    return { opcode: start[0]! & 15, payload: mask === undefined ? payload : payload.map((byte, index) => byte ^ mask[index % 4]!) };
  }

  async #take(count: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    while (this.#rest.length < count) {
      const chunk = await this.#connection.read(undefined, signal);
      if (chunk === undefined) return undefined;
      this.#rest = concat([this.#rest, chunk]);
    }
    const taken = this.#rest.slice(0, count);
    this.#rest = this.#rest.slice(count);
    return taken;
  }
}
