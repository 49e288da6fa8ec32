// A queue of bytes between one writer and one reader, bounded: the writer waits while the reader is behind.

import { SysError } from './errno.ts';
import type { ByteSource } from './stream.ts';

export class ByteQueue implements ByteSource {
  readonly #limitBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;
  readonly #waiting = new Set<() => void>();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Resolves when the reader is not too far behind; what comes after the end is dropped. */
  async push(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (this.#isEnded || bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    this.#wake();
    while (this.#bytes > this.#limitBytes && !this.#isEnded) await this.#change(signal);
  }

  /** What was pushed can still be read. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async read(maxBytes = Number.POSITIVE_INFINITY, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const head = this.#chunks[0];
      if (head !== undefined) {
        const taken = head.subarray(0, Math.min(maxBytes, head.length));
        if (taken.length === head.length) this.#chunks.shift();
        else this.#chunks[0] = head.subarray(taken.length);
        this.#bytes -= taken.length;
        this.#wake();
        return taken;
      }
      if (this.#isEnded) return undefined;
      await this.#change(signal);
    }
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(resume);
        reject(signal?.reason instanceof Error ? signal.reason : new SysError('EINTR'));
      };
      const resume = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      if (signal?.aborted === true) return onAbort();
      this.#waiting.add(resume);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
