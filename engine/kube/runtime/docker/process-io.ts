// The FIFOs between a container's process and the daemon, as containerd's cio lays them out.

import { disposable, type Disposable } from '../../../sim/disposable.ts';
import { SysError } from '../../../sim/errno.ts';
import type { Syscalls } from '../../../kernel/process.ts';
import type { LogStream } from './json-log.ts';

const FIFO_ROOT = '/run/docker/containerd';

/** Takes a piece of output; a promise holds the next one back. Must not reject. */
export type OutputListener = (stream: LogStream, bytes: Uint8Array) => void | Promise<void>;

export class ProcessIo {
  readonly stdinPath: string;
  readonly stdoutPath: string;
  readonly stderrPath: string;
  readonly #sys: Syscalls;
  readonly #isTty: boolean;
  readonly #hasStdin: boolean;
  readonly #ended = new AbortController();
  #listeners: OutputListener[] = [];
  /** What came before anybody listened; afterwards nobody has to. */
  #backlog: { readonly stream: LogStream; readonly bytes: Uint8Array }[] | undefined = [];
  #onEnd: (() => void)[] = [];
  #stdin: number | undefined;
  readonly #reads: { readonly fd: number; readonly stream: LogStream; readonly done: Promise<void> }[] = [];

  constructor(
    sys: Syscalls,
    options: { readonly containerId: string; readonly processId: string; readonly isTty: boolean; readonly hasStdin: boolean },
  ) {
    this.#sys = sys;
    this.#isTty = options.isTty;
    this.#hasStdin = options.hasStdin;
    const base = `${FIFO_ROOT}/${options.containerId}/${options.processId}`;
    this.stdinPath = `${base}-stdin`;
    this.stdoutPath = `${base}-stdout`;
    this.stderrPath = `${base}-stderr`;
    sys.mkdir(`${FIFO_ROOT}/${options.containerId}`, { recursive: true, mode: 0o700 });
  }

  /** Opens the daemon's ends and starts to copy. The container may have been running for long (a resumed lab). */
  open(): void {
    const sys = this.#sys;
    const paths = [...(this.#hasStdin ? [this.stdinPath] : []), this.stdoutPath, ...(this.#isTty ? [] : [this.stderrPath])];
    for (const path of paths) if (!sys.exists(path)) sys.mknod(path, 'pipe', 0o700);
    this.#copy('stdout', this.stdoutPath);
    if (!this.#isTty) this.#copy('stderr', this.stderrPath);
    // Both ways, so that the container does not read end of file before somebody attaches.
    if (this.#hasStdin) this.#stdin = sys.open(this.stdinPath, { read: true, write: true });
  }

  #copy(stream: LogStream, path: string): void {
    // Read and write: the pipe then never ends by itself between two writers.
    const fd = this.#sys.open(path, { read: true, write: true });
    const file = this.#sys.file(fd);
    const copy = async (): Promise<void> => {
      for (;;) {
        const chunk = await file.read(undefined, this.#ended.signal);
        if (chunk === undefined) return;
        await this.#deliver(stream, chunk);
      }
    };
    this.#reads.push({ fd, stream, done: copy().catch((error: unknown) => this.#swallowEnd(error)) });
  }

  #swallowEnd(error: unknown): void {
    if (!this.#ended.signal.aborted && !(error instanceof SysError)) throw error;
  }

  /** Whoever takes output may be slow: the pipe is read no further, and the process waits when it is full. */
  async #deliver(stream: LogStream, bytes: Uint8Array): Promise<void> {
    this.#backlog?.push({ stream, bytes });
    const waiting: Promise<void>[] = [];
    for (const listener of this.#listeners) {
      const taken = listener(stream, bytes);
      if (taken !== undefined) waiting.push(taken);
    }
    if (waiting.length > 0) await Promise.all(waiting);
  }

  onOutput(listener: OutputListener): Disposable {
    this.#listeners = [...this.#listeners, listener];
    for (const { stream, bytes } of this.#backlog ?? []) void listener(stream, bytes);
    this.#backlog = undefined;
    return disposable(() => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    });
  }

  /** Calls back once everything the process wrote was delivered. */
  onEnd(listener: () => void): void {
    if (this.#ended.signal.aborted) listener();
    else this.#onEnd.push(listener);
  }

  async writeStdin(bytes: Uint8Array): Promise<void> {
    if (this.#stdin !== undefined) await this.#sys.file(this.#stdin).write(bytes);
  }

  /** The process reads end of file. */
  closeStdin(): void {
    if (this.#stdin === undefined) return;
    this.#sys.close(this.#stdin);
    this.#stdin = undefined;
  }

  /** The process is gone: reads what is left in the pipes and removes them. */
  async finish(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(new Error('the process has ended'));
    const sys = this.#sys;
    for (const { fd, stream, done } of this.#reads) {
      await done;
      const file = sys.file(fd);
      while (file.isReadable) {
        const chunk = await file.read();
        if (chunk === undefined) break;
        await this.#deliver(stream, chunk);
      }
      sys.close(fd);
    }
    this.closeStdin();
    for (const path of [this.stdinPath, this.stdoutPath, this.stderrPath]) if (sys.exists(path)) sys.unlink(path);
    for (const listener of this.#onEnd) listener();
    this.#onEnd = [];
  }
}
