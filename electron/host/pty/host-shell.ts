// A real shell of the learner's own computer in a tab, opened by the learner only. The lab's helpers come first in its PATH.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import type * as NodePty from 'node-pty';
import type { Disposable } from '#engine/sim/disposable.ts';
import { Emitter } from '#engine/sim/event.ts';
import type { TerminalSize } from '#shared/protocol/protocol.ts';
import type { HostedTerminal } from '../hosted-lab.ts';

export interface HostShells extends Disposable {
  open(size: TerminalSize): HostedTerminal;
}

export interface HostShellOptions {
  /** The nobox command of this installation, as argv. */
  readonly nobox: readonly string[];
  readonly environment: () => Readonly<Record<string, string>>;
}

/** Undefined where node-pty cannot be loaded: the tab is not offered then. */
export function hostShells(options: HostShellOptions): HostShells | undefined {
  let pty: typeof NodePty;
  try {
    pty = createRequire(import.meta.url)('node-pty') as typeof NodePty;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
  const helpers = mkdtempSync(path.join(tmpdir(), 'nobox-bin-'));
  for (const name of ['vagrant', 'nobox']) writeHelper(helpers, name, options.nobox);
  return {
    open: (size) => new HostShell(pty, size, { ...options.environment(), PATH: `${helpers}${path.delimiter}${process.env['PATH'] ?? ''}` }),
    dispose: () => rmSync(helpers, { recursive: true, force: true }),
  };
}

function writeHelper(folder: string, name: string, nobox: readonly string[]): void {
  const words = nobox.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\nexec ${words}${name === 'nobox' ? '' : ` ${name}`} "$@"\n`);
  chmodSync(file, 0o755);
}

class HostShell implements HostedTerminal {
  readonly whenReady = Promise.resolve();
  readonly #pty: NodePty.IPty;
  readonly #data = new Emitter<Uint8Array>();
  readonly #exit = new Emitter<string>();

  constructor(pty: typeof NodePty, size: TerminalSize, environment: Readonly<Record<string, string>>) {
    const shell = process.platform === 'win32' ? 'powershell.exe' : (process.env['SHELL'] ?? '/bin/sh');
    this.#pty = pty.spawn(shell, process.platform === 'win32' ? [] : ['-l'], {
      name: 'xterm-256color',
      cols: size.columns,
      rows: size.rows,
      cwd: homedir(),
      env: { ...process.env, ...environment },
      encoding: null,
    });
    this.#pty.onData((data) => this.#data.emit(data as unknown as Uint8Array));
    this.#pty.onExit(({ exitCode }) => this.#exit.emit(`[${exitCode}]`));
  }

  onData(listener: (bytes: Uint8Array) => void): Disposable {
    return this.#data.on(listener);
  }

  onExit(listener: (reason: string) => void): Disposable {
    return this.#exit.on(listener);
  }

  write(bytes: Uint8Array): void {
    this.#pty.write(Buffer.from(bytes));
  }

  resize(size: TerminalSize): void {
    this.#pty.resize(size.columns, size.rows);
  }

  close(): void {
    this.#pty.kill();
  }
}
