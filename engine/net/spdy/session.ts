// Models a SPDY/3.1 session as Kubernetes uses it (spdystream): many streams over one upgraded connection.
// Windows: Kubernetes' own ends neither announce nor obey them, TCP holds a fast writer back. A peer that shows that it knows
// windows (SETTINGS or WINDOW_UPDATE) gets them obeyed and renewed.

import { background } from '../../sim/background.ts';
import type { Clock } from '../../sim/clock.ts';
import type { Disposable } from '../../sim/disposable.ts';
import { ByteQueue } from '../../sim/byte-queue.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import type { ByteSink, ByteSource, Connection } from '../../sim/stream.ts';
import { SpdyDecoder, SpdyEncoder, SpdyError, type SpdyFrame, type SpdyHeaders } from './frames.ts';

const PROTOCOL_ERROR = 1;
const CANCEL = 5;
const INITIAL_WINDOW_SETTING = 7;
const INITIAL_WINDOW_BYTES = 64 * 1024;
/** What a stream may hold unread before the connection is read no further. */
const QUEUE_BYTES = 1024 * 1024;
/** The longest frame written at once, so that streams take turns. */
const MAX_FRAME_BYTES = 32 * 1024;

export class SpdySession {
  readonly #connection: Connection;
  readonly #encoder = new SpdyEncoder();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #isServer: boolean;
  readonly #incoming: SpdyStream[] = [];
  readonly #ended = new AbortController();
  readonly #idle: { readonly clock: Clock; readonly timeoutMs: number } | undefined;
  #idleTimer: Disposable | undefined;
  #activeMs: number;
  #sending: Promise<void> = Promise.resolve();
  #wakeAccept = (): void => undefined;
  #nextId: number;
  #lastPeerId = 0;
  #isGoneAway = false;
  /** The peer has shown that it knows windows. */
  #hasWindows = false;
  #initialWindow = INITIAL_WINDOW_BYTES;

  constructor(connection: Connection, role: 'client' | 'server', idle?: { readonly clock: Clock; readonly timeoutMs: number }) {
    this.#connection = connection;
    this.#isServer = role === 'server';
    this.#nextId = this.#isServer ? 2 : 1;
    this.#idle = idle;
    this.#activeMs = idle?.clock.now() ?? 0;
    this.#watchIdle();
    background(this.#receive());
  }

  /** Aborts when the connection is gone or the session was closed. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** The next stream the peer opened, not answered yet: `reply` or `reset` it. Undefined when the session has ended. */
  async accept(signal?: AbortSignal): Promise<SpdyStream | undefined> {
    for (;;) {
      const stream = this.#incoming.shift();
      if (stream !== undefined) return stream;
      if (this.#ended.signal.aborted) return undefined;
      signal?.throwIfAborted();
      await waitFor((resolve) => (this.#wakeAccept = resolve), signal);
    }
  }

  /** Opens a stream without waiting for the answer. EPIPE when the peer accepts none any more. */
  async open(headers: SpdyHeaders): Promise<SpdyStream> {
    if (this.#isGoneAway || this.#ended.signal.aborted) throw new SysError('EPIPE');
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = this.#add(id, headers);
    await this.send({ type: 'syn-stream', stream: id, associated: 0, priority: 0, isLast: false, isUnidirectional: false, headers });
    return stream;
  }

  /** Resets every stream, says goodbye and closes the connection. What was written before arrives. */
  async close(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    try {
      for (const stream of this.#streams.values()) await stream.reset();
      if (!this.#isGoneAway) await this.send({ type: 'goaway', lastGoodStream: this.#lastPeerId, status: 0 });
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
    this.#end();
  }

  /** Headers share their compression, so frames are written in the very order they are encoded in. */
  async send(frame: SpdyFrame): Promise<void> {
    const bytes = this.#encoder.encode(frame);
    const before = this.#sending;
    const mine = (async () => {
      await before;
      await this.#connection.write(bytes);
      this.#activeMs = this.#idle?.clock.now() ?? 0;
    })();
    // Whoever waits is told of a failure by his own promise; the next in line meets it himself.
    this.#sending = mine.then(undefined, () => undefined);
    await mine;
  }

  /** Closes the session when nothing has passed for that long. */
  #watchIdle(): void {
    const idle = this.#idle;
    if (idle === undefined) return;
    const leftMs = this.#activeMs + idle.timeoutMs - idle.clock.now();
    if (leftMs <= 0) {
      this.#end();
      return;
    }
    this.#idleTimer = idle.clock.setTimer(leftMs, () => this.#watchIdle());
  }

  /** For streams: this much was taken from the queue. */
  taken(stream: SpdyStream, bytes: number): void {
    if (!this.#hasWindows || this.#ended.signal.aborted) return;
    this.send({ type: 'window-update', stream: stream.id, delta: bytes }).catch(connectionGone);
  }

  get hasWindows(): boolean {
    return this.#hasWindows;
  }

  forget(stream: SpdyStream): void {
    this.#streams.delete(stream.id);
  }

  #add(id: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream(this, id, headers, this.#initialWindow);
    this.#streams.set(id, stream);
    return stream;
  }

  async #receive(): Promise<void> {
    const decoder = new SpdyDecoder();
    try {
      for (;;) {
        const chunk = await this.#connection.read(undefined, this.#ended.signal);
        if (chunk === undefined) break;
        this.#activeMs = this.#idle?.clock.now() ?? 0;
        for (const frame of decoder.push(chunk)) await this.#take(frame);
      }
    } catch (error) {
      if (error instanceof SpdyError)
        this.send({ type: 'goaway', lastGoodStream: this.#lastPeerId, status: PROTOCOL_ERROR }).catch(connectionGone);
      else if (!this.#ended.signal.aborted && !isSysError(error) && (error as Error).name !== 'TlsError') throw error;
    } finally {
      this.#end();
    }
  }

  async #take(frame: SpdyFrame): Promise<void> {
    switch (frame.type) {
      case 'syn-stream': {
        if (this.#isGoneAway) return;
        const isTheirs = frame.stream % 2 === (this.#isServer ? 1 : 0);
        if (!isTheirs || frame.stream <= this.#lastPeerId) {
          await this.send({ type: 'rst-stream', stream: frame.stream, status: PROTOCOL_ERROR });
          return;
        }
        this.#lastPeerId = frame.stream;
        const stream = this.#add(frame.stream, frame.headers);
        if (frame.isLast) stream.finishIncoming();
        this.#incoming.push(stream);
        this.#wakeAccept();
        return;
      }
      case 'syn-reply':
      case 'headers':
        if (frame.isLast) this.#streams.get(frame.stream)?.finishIncoming();
        return;
      case 'data': {
        const stream = this.#streams.get(frame.stream);
        if (stream === undefined) return;
        if (frame.bytes.length > 0) await stream.deliver(frame.bytes, this.#ended.signal);
        if (frame.isLast) stream.finishIncoming();
        return;
      }
      case 'rst-stream':
        this.#streams.get(frame.stream)?.abandon();
        return;
      case 'settings': {
        const window = frame.values.get(INITIAL_WINDOW_SETTING);
        if (window === undefined) return;
        this.#hasWindows = true;
        for (const stream of this.#streams.values()) stream.widen(window - this.#initialWindow);
        this.#initialWindow = window;
        return;
      }
      case 'window-update':
        this.#hasWindows = true;
        this.#streams.get(frame.stream)?.widen(frame.delta);
        return;
      case 'ping':
        if (frame.id % 2 === (this.#isServer ? 1 : 0)) await this.send(frame);
        return;
      case 'goaway':
        this.#isGoneAway = true;
        return;
    }
  }

  #end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(new SysError('EPIPE'));
    for (const stream of [...this.#streams.values()]) stream.abandon();
    this.#idleTimer?.dispose();
    this.#wakeAccept();
    this.#connection.close();
  }
}

export class SpdyStream implements ByteSource, ByteSink {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #session: SpdySession;
  readonly #incoming = new ByteQueue(QUEUE_BYTES);
  #window: number;
  #isOutgoingDone = false;
  #wakeWriters: (() => void)[] = [];

  constructor(session: SpdySession, id: number, headers: SpdyHeaders, window: number) {
    this.#session = session;
    this.id = id;
    this.headers = headers;
    this.#window = window;
  }

  header(name: string): string | undefined {
    return this.headers.get(name)?.[0];
  }

  /** Takes the stream the peer opened. */
  async reply(): Promise<void> {
    await this.#session.send({ type: 'syn-reply', stream: this.id, isLast: false, headers: new Map() });
  }

  /** Ends both directions at once; what is queued can still be read. */
  async reset(): Promise<void> {
    this.abandon();
    await this.#session.send({ type: 'rst-stream', stream: this.id, status: CANCEL });
  }

  async read(maxBytes?: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const chunk = await this.#incoming.read(maxBytes, signal);
    if (chunk !== undefined) this.#session.taken(this, chunk.length);
    return chunk;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#isOutgoingDone || this.#session.ended.aborted) throw new SysError('EPIPE');
      const room = this.#session.hasWindows ? this.#window : MAX_FRAME_BYTES;
      if (room <= 0) {
        await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
        continue;
      }
      const part = bytes.subarray(at, at + Math.min(room, MAX_FRAME_BYTES));
      at += part.length;
      this.#window -= part.length;
      await this.#session.send({ type: 'data', stream: this.id, isLast: false, bytes: part });
    }
  }

  /** The peer reads end of file. */
  async finish(): Promise<void> {
    if (this.#isOutgoingDone || this.#session.ended.aborted) return;
    this.#isOutgoingDone = true;
    if (this.#incoming.isEnded) this.#session.forget(this);
    await this.#session.send({ type: 'data', stream: this.id, isLast: true, bytes: new Uint8Array() });
  }

  /** For the session: bytes arrived. Waits while too much is unread. */
  deliver(bytes: Uint8Array, ended: AbortSignal): Promise<void> {
    return this.#incoming.push(bytes, ended);
  }

  /** For the session: no more bytes will arrive. */
  finishIncoming(): void {
    this.#incoming.end();
    if (this.#isOutgoingDone) this.#session.forget(this);
  }

  /** For the session: neither direction goes on. */
  abandon(): void {
    this.#isOutgoingDone = true;
    this.finishIncoming();
    this.widen(0);
  }

  /** For the session: the peer has room for more. */
  widen(bytes: number): void {
    this.#window += bytes;
    for (const resume of this.#wakeWriters.splice(0)) resume();
  }
}

function waitFor(register: (resolve: () => void) => void, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal?.reason instanceof Error ? signal.reason : new SysError('EINTR'));
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    register(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}

function connectionGone(error: unknown): void {
  if (!isSysError(error)) throw error;
}
