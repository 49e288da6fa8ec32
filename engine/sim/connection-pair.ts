// Two ends of a stream in memory: unix sockets, tests, and whatever else needs no network in between.

import { SysError } from './errno.ts';
import type { Connection } from './stream.ts';

/** Bytes a writer may be ahead of its reader, as with pipes. */
const CAPACITY_BYTES = 64 * 1024;

/** One direction: chunks in order, with room for a bounded number of bytes. */
class Channel {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;
  #failure: SysError | undefined;
  #isReaderGone = false;
  readonly #waiting = new Set<() => void>();

  async read(maxBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const head = this.#chunks[0];
      if (head !== undefined) {
        const taken = head.subarray(0, maxBytes);
        if (taken.length === head.length) this.#chunks.shift();
        else this.#chunks[0] = head.subarray(maxBytes);
        this.#bytes -= taken.length;
        this.#wake();
        return taken;
      }
      if (this.#isEnded) return undefined;
      await this.#change(signal);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    while (this.#bytes >= CAPACITY_BYTES && !this.#isReaderGone && this.#failure === undefined) await this.#change(undefined);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isReaderGone || this.#isEnded) throw new SysError('EPIPE');
    if (bytes.length === 0) return;
    this.#chunks.push(bytes.slice());
    this.#bytes += bytes.length;
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  abandon(): void {
    this.#isReaderGone = true;
    this.#wake();
  }

  fail(error: SysError): void {
    this.#failure ??= error;
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason instanceof Error ? signal.reason : new SysError('EINTR'));
        return;
      }
      const onAbort = (): void => {
        this.#waiting.delete(resume);
        reject(signal?.reason instanceof Error ? signal.reason : new SysError('EINTR'));
      };
      const resume = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiting.add(resume);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

class End implements Connection {
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly #incoming: Channel;
  readonly #outgoing: Channel;

  constructor(addresses: { readonly local: string; readonly remote: string }, incoming: Channel, outgoing: Channel) {
    this.localAddress = addresses.local;
    this.remoteAddress = addresses.remote;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  read(maxBytes = CAPACITY_BYTES, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#incoming.read(maxBytes, signal);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#outgoing.write(bytes);
  }

  shutdownWrite(): void {
    this.#outgoing.end();
  }

  close(options: { readonly reset?: boolean } = {}): void {
    if (options.reset === true) this.#outgoing.fail(new SysError('ECONNRESET'));
    this.#outgoing.end();
    this.#incoming.abandon();
  }
}

/** Two connected ends; what one writes the other reads. */
export function connectionPair(addresses: { readonly client?: string; readonly server?: string } = {}): readonly [Connection, Connection] {
  const client = addresses.client ?? 'client';
  const server = addresses.server ?? 'server';
  const toServer = new Channel();
  const toClient = new Channel();
  return [new End({ local: client, remote: server }, toClient, toServer), new End({ local: server, remote: client }, toServer, toClient)];
}
