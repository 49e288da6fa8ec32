// The screen and keyboard of a machine, which outlive its kernels: what was shown last, and who looks at it.

import type { Disposable } from '../sim/disposable.ts';
import { Emitter } from '../sim/event.ts';
import { utf8 } from '../sim/bytes.ts';
import type { TerminalSize } from '../kernel/process.ts';
import type { Terminal } from '../kernel/tty.ts';
import type { ConsoleSession } from './machine.ts';

/** What a newly opened console still sees. */
const KEPT_BYTES = 32 * 1024;

export class ConsoleScreen implements Disposable {
  readonly #onData = new Emitter<Uint8Array>();
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #terminal: Terminal | undefined;
  #pump: Disposable | undefined;
  #size: TerminalSize = { columns: 80, rows: 24 };

  /** Shows what the kernel's console prints, and types into it. */
  connect(terminal: Terminal): void {
    this.disconnect();
    this.#terminal = terminal;
    terminal.resize(this.#size);
    const drain = (): void => {
      for (let bytes = terminal.takeOutput(); bytes !== undefined; bytes = terminal.takeOutput()) this.#show(bytes);
    };
    this.#pump = terminal.onOutput.on(drain);
    drain();
  }

  disconnect(): void {
    this.#pump?.dispose();
    this.#pump = undefined;
    this.#terminal = undefined;
  }

  print(line: string): void {
    this.#show(utf8(`${line}\r\n`));
  }

  clear(): void {
    this.#kept.length = 0;
    this.#keptBytes = 0;
    this.#onData.emit(utf8('\x1b[H\x1b[2J'));
  }

  open(size: TerminalSize): ConsoleSession {
    const listeners: Disposable[] = [];
    const resize = (next: TerminalSize): void => {
      this.#size = next;
      this.#terminal?.resize(next);
    };
    resize(size);
    return {
      onData: (listener) => {
        for (const bytes of [...this.#kept]) listener(bytes);
        const subscription = this.#onData.on(listener);
        listeners.push(subscription);
        return subscription;
      },
      write: (bytes) => this.#terminal?.input(bytes),
      resize,
      close: () => {
        for (const listener of listeners) listener.dispose();
      },
    };
  }

  dispose(): void {
    this.disconnect();
  }

  #show(bytes: Uint8Array): void {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    while (this.#keptBytes > KEPT_BYTES && this.#kept.length > 1) this.#keptBytes -= this.#kept.shift()!.length;
    this.#onData.emit(bytes);
  }
}
