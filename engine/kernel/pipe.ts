// Models pipes and FIFOs: 64 KiB between a writer and a reader.

import { concat } from '../sim/bytes.ts';
import { SysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import { Description, WOULD_BLOCK, type ReadResult, type SavedDescription } from './description.ts';
import type { FileKind, Stat } from './process.ts';

/** As Linux since 2.6.11. */
const PIPE_BYTES = 64 * 1024;

export class PipeBuffer {
  readonly id: number;
  readonly onChange = new Emitter<void>();
  readers = 0;
  writers = 0;
  /** A FIFO that nobody has written to yet waits for a writer instead of reporting the end. */
  hadWriter = false;
  /** Put back after a resume: an end whose other side is gone is silent instead of broken. */
  isDetached = false;
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(id: number) {
    this.id = id;
  }

  get size(): number {
    return this.#size;
  }
  get room(): number {
    return PIPE_BYTES - this.#size;
  }

  take(maxBytes: number): Uint8Array {
    let first = this.#chunks[0]!;
    if (first.length > maxBytes) {
      this.#chunks[0] = first.subarray(maxBytes);
      first = first.subarray(0, maxBytes);
      this.#size -= maxBytes;
      return first;
    }
    // One read(2) returns what is there, over the borders of the writes.
    const taken: Uint8Array[] = [];
    let length = 0;
    while (this.#chunks.length > 0 && length + this.#chunks[0]!.length <= maxBytes) {
      const chunk = this.#chunks.shift()!;
      taken.push(chunk);
      length += chunk.length;
    }
    this.#size -= length;
    return concat(taken);
  }

  put(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
  }
}

export class PipeEnd extends Description {
  readonly kind: FileKind = 'pipe';
  readonly path: string;
  readonly #pipe: PipeBuffer;
  readonly #end: 'read' | 'write' | 'both';
  readonly #subscription;
  readonly #now: () => number;

  constructor(pipe: PipeBuffer, end: 'read' | 'write' | 'both', options: { readonly now: () => number; readonly path?: string }) {
    super();
    this.#pipe = pipe;
    this.#end = end;
    this.#now = options.now;
    this.path = options.path ?? `pipe:[${pipe.id}]`;
    if (end !== 'write') pipe.readers++;
    if (end !== 'read') {
      pipe.writers++;
      pipe.hadWriter = true;
    }
    this.#subscription = pipe.onChange.on(() => this.onReady.emit());
    pipe.onChange.emit();
  }

  get isReadable(): boolean {
    return this.#pipe.size > 0 || this.#isAtEnd;
  }

  tryRead(maxBytes: number): ReadResult {
    if (this.#end === 'write') throw new SysError('EBADF');
    if (this.#pipe.size === 0) return this.#isAtEnd ? undefined : WOULD_BLOCK;
    const bytes = this.#pipe.take(maxBytes);
    this.#pipe.onChange.emit();
    return bytes;
  }

  tryWrite(bytes: Uint8Array): number | typeof WOULD_BLOCK {
    if (this.#end === 'read') throw new SysError('EBADF');
    const pipe = this.#pipe;
    if (pipe.readers === 0) {
      if (pipe.isDetached) return bytes.length;
      throw new SysError('EPIPE');
    }
    if (pipe.room === 0 || (bytes.length <= 4096 && pipe.room < bytes.length)) return WOULD_BLOCK;
    const taken = Math.min(pipe.room, bytes.length);
    // The writer may reuse its buffer.
    pipe.put(bytes.slice(0, taken));
    pipe.onChange.emit();
    return taken;
  }

  stat(): Stat {
    const now = this.#now();
    return {
      kind: 'pipe',
      dev: 8,
      ino: this.#pipe.id,
      mode: 0o600,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev: 0,
      sizeBytes: 0,
      atimeMs: now,
      mtimeMs: now,
      ctimeMs: now,
    };
  }

  override release(): void {
    if (this.#end !== 'write') this.#pipe.readers--;
    if (this.#end !== 'read') this.#pipe.writers--;
    this.#subscription.dispose();
    this.#pipe.onChange.emit();
    super.release();
  }

  override save(): SavedDescription | undefined {
    return this.#end === 'both' || !this.path.startsWith('pipe:') ? undefined : { type: 'pipe', id: this.#pipe.id, end: this.#end };
  }

  get #isAtEnd(): boolean {
    return this.#pipe.writers === 0 && this.#pipe.hadWriter && !this.#pipe.isDetached;
  }
}
