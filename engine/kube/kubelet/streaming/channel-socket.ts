// Models the channel protocols of Kubernetes over WebSocket: every message begins with the number of its channel.

import { concat, fromBase64, text, toBase64, utf8 } from '../../../sim/bytes.ts';
import { ByteQueue } from '../../../sim/byte-queue.ts';
import type { ByteSink } from '../../../sim/stream.ts';
import type { HttpRequest, HttpResponder } from '../../../net/http.ts';
import { acceptWebSocket, type WebSocket } from '../../../net/websocket.ts';

/** What a reader may be behind before the socket is read no further. */
const QUEUE_BYTES = 1024 * 1024;

export interface ChannelSocket {
  /** The protocol agreed on; empty when the client named none. */
  readonly protocol: string;
  /** What the client sends on a channel; never anything on one that is not read. */
  source(channel: number): ByteQueue;
  /** Where to write to a channel. */
  sink(channel: number): ByteSink;
  /** Delivers messages to their channels until the client goes; ends every source. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Undefined when the handshake was refused, which has been answered then. */
export async function acceptChannels(
  request: HttpRequest,
  respond: HttpResponder,
  options: { readonly protocols: readonly string[]; readonly read: readonly number[] },
): Promise<ChannelSocket | undefined> {
  const accepted = await acceptWebSocket(request, respond, options.protocols);
  return accepted === undefined ? undefined : new Channels(accepted.socket, accepted.protocol, options.read);
}

class Channels implements ChannelSocket {
  readonly protocol: string;
  readonly #socket: WebSocket;
  readonly #isBase64: boolean;
  readonly #sources: ReadonlyMap<number, ByteQueue>;
  readonly #nothing = new ByteQueue(0);

  constructor(socket: WebSocket, protocol: string, read: readonly number[]) {
    this.#socket = socket;
    this.protocol = protocol;
    this.#isBase64 = protocol.includes('base64');
    this.#sources = new Map(read.map((channel) => [channel, new ByteQueue(QUEUE_BYTES)]));
    this.#nothing.end();
  }

  source(channel: number): ByteQueue {
    return this.#sources.get(channel) ?? this.#nothing;
  }

  sink(channel: number): ByteSink {
    return {
      write: (bytes) =>
        this.#isBase64
          ? this.#socket.write(utf8(`${channel}${toBase64(bytes)}`), 'text')
          : this.#socket.write(concat([Uint8Array.of(channel), bytes]), 'binary'),
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const message = await this.#socket.read(signal);
        if (message === undefined) return;
        if (message.length === 0) continue;
        const channel = this.#isBase64 ? message[0]! - 48 : message[0]!;
        const bytes = this.#isBase64 ? decoded(message.subarray(1)) : message.subarray(1);
        if (bytes !== undefined) await this.#sources.get(channel)?.push(bytes, signal);
      }
    } finally {
      for (const source of this.#sources.values()) source.end();
    }
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

/** Undefined for what is no base64: such a message is passed over. */
function decoded(base64: Uint8Array): Uint8Array | undefined {
  const letters = text(base64);
  return /^[A-Za-z0-9+/]*={0,2}$/.test(letters) && letters.length % 4 === 0 ? fromBase64(letters) : undefined;
}
