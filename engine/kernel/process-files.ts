// Open files and terminals as one process holds them: the shared description, with this process's waiting and signals.

import type { Disposable } from '../sim/disposable.ts';
import { isSysError } from '../sim/errno.ts';
import { RETRY, WOULD_BLOCK, type Description } from './description.ts';
import type { ProcessCalls } from './process-calls.ts';
import type { FileKind, OpenFile, Stat, TerminalSize, Termios, Tty } from './process.ts';
import type { Terminal } from './tty.ts';

const DEFAULT_READ_BYTES = 64 * 1024;
/** CPU time of one read or write: keeps a loop that never waits from standing outside time. */
const CALL_US = 2;
const BYTES_PER_US = 4096;

export class FileHandle implements OpenFile {
  readonly #calls: ProcessCalls;
  readonly description: Description;

  constructor(calls: ProcessCalls, description: Description) {
    this.#calls = calls;
    this.description = description;
  }

  get kind(): FileKind {
    return this.description.kind;
  }
  get path(): string {
    return this.description.path;
  }
  get tty(): Tty | undefined {
    const tty = this.description.tty;
    return tty === undefined ? undefined : this.#calls.terminalHandle(tty as Terminal);
  }
  get isReadable(): boolean {
    return this.description.isReadable;
  }

  async read(maxBytes = DEFAULT_READ_BYTES, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#calls.assertAlive();
      signal?.throwIfAborted();
      const got = this.description.tryRead(maxBytes, this.#calls.task);
      if (got === WOULD_BLOCK) {
        await this.#calls.waitFor(this.description.onReady, signal);
      } else if (got === RETRY) {
        await this.#calls.pause();
      } else {
        const debt = this.#calls.charge(CALL_US + (got === undefined ? 0 : got.length / BYTES_PER_US));
        if (debt !== undefined) await debt;
        return got;
      }
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    do {
      this.#calls.assertAlive();
      let taken;
      try {
        taken = this.description.tryWrite(rest, this.#calls.task);
      } catch (error) {
        if (isSysError(error, 'EPIPE')) this.#calls.raise('SIGPIPE');
        throw error;
      }
      if (taken === WOULD_BLOCK) await this.#calls.waitFor(this.description.onReady);
      else if (taken === RETRY) await this.#calls.pause();
      else rest = taken === rest.length ? rest.subarray(0, 0) : rest.subarray(taken);
    } while (rest.length > 0);
    const debt = this.#calls.charge(CALL_US + bytes.length / BYTES_PER_US);
    if (debt !== undefined) await debt;
  }

  stat(): Stat {
    return this.description.stat();
  }
  seek(offset: number, whence: 'set' | 'current' | 'end'): number {
    return this.description.seek(offset, whence);
  }
  truncate(sizeBytes: number): void {
    this.description.truncate(sizeBytes);
  }
}

export class TerminalHandle implements Tty {
  readonly #calls: ProcessCalls;
  readonly terminal: Terminal;

  constructor(calls: ProcessCalls, terminal: Terminal) {
    this.#calls = calls;
    this.terminal = terminal;
  }

  get name(): string {
    return this.terminal.name;
  }
  get size(): TerminalSize {
    return this.terminal.size;
  }
  resize(size: TerminalSize): void {
    this.terminal.resize(size);
  }
  flushInput(): void {
    this.terminal.flushInput();
  }
  get termios(): Termios {
    return this.terminal.termios;
  }
  set termios(termios: Termios) {
    this.terminal.termios = termios;
  }
  get foregroundGroup(): number {
    return this.#calls.groupAsSeen(this.terminal.foregroundGroup);
  }
  set foregroundGroup(group: number) {
    this.terminal.checkForegroundChange(this.#calls.task);
    this.terminal.foregroundGroup = this.#calls.groupOfSeen(group);
  }
  get session(): number {
    return this.#calls.groupAsSeen(this.terminal.session);
  }
  onResize(listener: (size: TerminalSize) => void): Disposable {
    return this.#calls.own(this.terminal.onResize(listener));
  }
}
