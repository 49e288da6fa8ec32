// Models connected unix stream sockets: two directions with a buffer each.

import { SysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import type { Connection, Listener } from '../sim/stream.ts';

/** net.core.wmem_default of a CentOS 7 kernel. */
const BUFFER_BYTES = 212_992;

class Direction {
  readonly onChange = new Emitter<void>();
  chunks: Uint8Array[] = [];
  size = 0;
  isWriterGone = false;
  isReaderGone = false;
  isReset = false;

  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        subscription.dispose();
        reject(signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason)));
      };
      const subscription = this.onChange.on(() => {
        subscription.dispose();
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

class End implements Connection {
  constructor(
    readonly localAddress: string,
    readonly remoteAddress: string,
    private readonly incoming: Direction,
    private readonly outgoing: Direction,
  ) {}

  async read(maxBytes = BUFFER_BYTES, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      signal?.throwIfAborted();
      const { incoming } = this;
      const first = incoming.chunks[0];
      if (first !== undefined) {
        const taken = first.length > maxBytes ? first.subarray(0, maxBytes) : first;
        if (taken === first) incoming.chunks.shift();
        else incoming.chunks[0] = first.subarray(maxBytes);
        incoming.size -= taken.length;
        incoming.onChange.emit();
        return taken;
      }
      if (incoming.isReset) throw new SysError('ECONNRESET');
      if (incoming.isWriterGone || incoming.isReaderGone) return undefined;
      await incoming.wait(signal);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { outgoing } = this;
    if (bytes.length === 0) return;
    while (outgoing.size >= BUFFER_BYTES && !outgoing.isReaderGone && !outgoing.isWriterGone) await outgoing.wait();
    if (outgoing.isReaderGone || outgoing.isWriterGone) throw new SysError('EPIPE');
    outgoing.chunks.push(bytes.slice());
    outgoing.size += bytes.length;
    outgoing.onChange.emit();
  }

  shutdownWrite(): void {
    this.outgoing.isWriterGone = true;
    this.outgoing.onChange.emit();
  }

  close(options?: { readonly reset?: boolean }): void {
    if (options?.reset === true) this.outgoing.isReset = true;
    this.outgoing.isWriterGone = true;
    this.incoming.isReaderGone = true;
    this.outgoing.onChange.emit();
    this.incoming.onChange.emit();
  }
}

export function streamPair(client: string, server: string): readonly [Connection, Connection] {
  const up = new Direction();
  const down = new Direction();
  return [new End(client, server, down, up), new End(server, client, up, down)];
}

/** What a socket file's inode carries while somebody listens. */
export class UnixListener implements Listener {
  readonly port = 0;
  readonly #queue: Connection[] = [];
  readonly #onChange = new Emitter<void>();
  isClosed = false;

  constructor(readonly address: string) {}

  connect(): Connection {
    const [client, server] = streamPair('', this.address);
    this.#queue.push(server);
    this.#onChange.emit();
    return client;
  }

  accept(signal?: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const attempt = (): boolean => {
        if (signal?.aborted === true) reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
        else if (this.#queue.length > 0) resolve(this.#queue.shift()!);
        else if (this.isClosed) reject(new SysError('EINVAL'));
        else return false;
        subscription?.dispose();
        signal?.removeEventListener('abort', attempt);
        return true;
      };
      let subscription: { dispose(): void } | undefined;
      if (attempt()) return;
      subscription = this.#onChange.on(attempt);
      signal?.addEventListener('abort', attempt, { once: true });
    });
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const connection of this.#queue) connection.close({ reset: true });
    this.#queue.length = 0;
    this.#onChange.emit();
  }
}
