// Models port forwarding's server: pairs of a data and an error stream over SPDY or WebSocket, each pair one connection.

import { background } from '../../../sim/background.ts';
import { utf8 } from '../../../sim/bytes.ts';
import type { Clock } from '../../../sim/clock.ts';
import type { Disposable } from '../../../sim/disposable.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { ByteSink, ByteSource } from '../../../sim/stream.ts';
import type { HttpRequest, HttpResponder } from '../../../net/http.ts';
import type { SpdySession, SpdyStream } from '../../../net/spdy/session.ts';
import { isWebSocketRequest } from '../../../net/websocket.ts';
import { RuntimeError } from '../container-runtime.ts';
import { acceptChannels } from './channel-socket.ts';
import { upgradeToSpdy } from './upgrade.ts';

const PROTOCOL = 'portforward.k8s.io';
const WEB_SOCKET_PROTOCOLS = ['', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'];
/** How long a pair may take to become one. */
const STREAM_CREATION_MS = 30_000;

export interface PortForwardOptions {
  readonly clock: Clock;
  /** The sandbox, as messages name the pod. */
  readonly pod: string;
  /** Of a WebSocket client: it names its ports in the query. */
  readonly ports: readonly number[];
  /** Carries one connection; RuntimeError when it could not be made. */
  readonly forward: (port: number, stream: ByteSource & ByteSink, gone: AbortSignal) => Promise<void>;
}

export async function servePortForward(request: HttpRequest, respond: HttpResponder, options: PortForwardOptions): Promise<void> {
  if (isWebSocketRequest(request)) return serveOverWebSocket(request, respond, options);
  const upgraded = await upgradeToSpdy(request, respond, { protocols: [PROTOCOL], clock: options.clock });
  if (upgraded === undefined) return;
  const { session } = upgraded;
  const pairs = new Pairs(session, options);
  try {
    for (;;) {
      const stream = await session.accept();
      if (stream === undefined) return;
      await pairs.add(stream);
    }
  } catch (error) {
    if (!isSysError(error)) throw error;
  } finally {
    pairs.dispose();
    await session.close();
  }
}

interface Pair {
  data: SpdyStream | undefined;
  error: SpdyStream | undefined;
  readonly timeout: Disposable;
}

/** Streams that wait for their other half, by request. */
class Pairs implements Disposable {
  readonly #session: SpdySession;
  readonly #options: PortForwardOptions;
  readonly #pairs = new Map<string, Pair>();

  constructor(session: SpdySession, options: PortForwardOptions) {
    this.#session = session;
    this.#options = options;
  }

  async add(stream: SpdyStream): Promise<void> {
    const port = Number(stream.header('port') ?? '');
    const type = stream.header('streamtype');
    const isPort = /^\d+$/.test(stream.header('port') ?? '') && port >= 1 && port <= 65535;
    if (!isPort || (type !== 'data' && type !== 'error')) return stream.reset();
    await stream.reply();
    // Clients of old give no number: their two streams follow each other, the error stream first.
    const request = stream.header('requestid') ?? String(type === 'error' ? stream.id : stream.id - 2);
    let pair = this.#pairs.get(request);
    if (pair === undefined) {
      const timeout = this.#options.clock.setTimer(STREAM_CREATION_MS, () => this.#giveUp(request));
      pair = { data: undefined, error: undefined, timeout };
      this.#pairs.set(request, pair);
    }
    if (pair[type] !== undefined) {
      await tell(pair.error, `error processing stream for request ${request}: ${type} stream already assigned`);
      return;
    }
    pair[type] = stream;
    const { data, error } = pair;
    if (data === undefined || error === undefined) return;
    pair.timeout.dispose();
    this.#pairs.delete(request);
    background(this.#forward(port, data, error));
  }

  async #forward(port: number, data: SpdyStream, error: SpdyStream): Promise<void> {
    const message = await forwarded(this.#options, port, data, this.#session.ended);
    if (message !== undefined) await tell(error, message);
    await quietly(data.finish());
    await quietly(error.finish());
  }

  #giveUp(request: string): void {
    const error = this.#pairs.get(request)?.error;
    this.#pairs.delete(request);
    background(tell(error, `(request=${request}) timed out waiting for streams`));
  }

  dispose(): void {
    for (const pair of this.#pairs.values()) pair.timeout.dispose();
    this.#pairs.clear();
  }
}

/** Channels 2n and 2n+1 are the data and the errors of the nth port; both start with the port's number. */
async function serveOverWebSocket(request: HttpRequest, respond: HttpResponder, options: PortForwardOptions): Promise<void> {
  const { ports } = options;
  const socket = await acceptChannels(request, respond, { protocols: WEB_SOCKET_PROTOCOLS, read: ports.map((_, index) => index * 2) });
  if (socket === undefined) return;
  const gone = new AbortController();
  const over = new AbortController();
  background(
    socket
      .run(over.signal)
      .catch((error: unknown) => {
        if (!over.signal.aborted && !isSysError(error)) throw error;
      })
      .finally(() => gone.abort(new Error('the client is gone'))),
  );
  try {
    for (const [index, port] of ports.entries()) {
      const start = Uint8Array.of(port & 255, port >> 8);
      await quietly(socket.sink(index * 2).write(start));
      await quietly(socket.sink(index * 2 + 1).write(start));
    }
    const each = async (port: number, index: number): Promise<void> => {
      const source = socket.source(index * 2);
      const stream = { read: source.read.bind(source), write: socket.sink(index * 2).write };
      const message = await forwarded(options, port, stream, gone.signal);
      if (message !== undefined) await quietly(socket.sink(index * 2 + 1).write(utf8(message)));
    };
    await Promise.all(ports.map(each));
  } finally {
    over.abort(new Error('nothing is forwarded any more'));
    await socket.close();
  }
}

/** Undefined when all went well. */
async function forwarded(
  { pod, forward }: PortForwardOptions,
  port: number,
  stream: ByteSource & ByteSink,
  gone: AbortSignal,
): Promise<string | undefined> {
  try {
    await forward(port, stream, gone);
    return undefined;
  } catch (error) {
    if (error instanceof RuntimeError) return `error forwarding port ${port} to pod ${pod}, uid : ${error.message}`;
    if (isSysError(error) || gone.aborted) return undefined;
    throw error;
  }
}

async function tell(stream: SpdyStream | undefined, message: string): Promise<void> {
  await quietly(stream?.write(utf8(message)));
}

async function quietly(work: Promise<void> | undefined): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isSysError(error)) throw error;
  }
}
