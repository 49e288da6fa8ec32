// Streams of bytes: what pipes, terminals and sockets have in common.

/** Thrown through a program's main when its process ends by a signal or by `sys.exit`. Never catch it for good. */
export class ProcessExit extends Error {
  override readonly name = 'ProcessExit';
}

/** What a call returns that is done at once: who sees this very promise need not wait for it. */
export const DONE: Promise<void> = Promise.resolve();

export interface ByteSource {
  /** The next chunk, or undefined at end of file. `signal` gives up waiting: the call rejects with its reason. */
  read(maxBytes?: number, signal?: AbortSignal): Promise<Uint8Array | undefined>;
}
export interface ByteSink {
  /** Resolves when there was room; raises SIGPIPE, then rejects with EPIPE, when the reader is gone. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A connected stream: TCP or unix. */
export interface Connection extends ByteSource, ByteSink {
  /** `address:port`, or the path of a unix socket. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** Half close: the peer reads end of file. */
  shutdownWrite(): void;
  /** Closes; with `reset` the peer gets RST instead of FIN. */
  close(options?: { readonly reset?: boolean }): void;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** The next connection; rejects when closed or when `signal` aborts. */
  accept(signal?: AbortSignal): Promise<Connection>;
  close(): void;
}
