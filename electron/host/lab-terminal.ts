// A terminal tab: root logs in over the emulated port forward, as the book's SuperPuTTY sessions do, or sits at the machine's screen.

import type { Disposable } from '#engine/sim/disposable.ts';
import { Emitter } from '#engine/sim/event.ts';
import { isSysError } from '#engine/sim/errno.ts';
import { text } from '#engine/sim/bytes.ts';
import { SshClient, SshDisconnect, type SshChannel } from '#engine/net/ssh.ts';
import type { Lab } from '#engine/lab/lab.ts';
import type { HostedTerminal } from './hosted-lab.ts';
import type { Size } from './driven-lab.ts';

/** The box's account for the book's sessions. */
const LOGIN = { user: 'root', password: 'vagrant' } as const;
/** PuTTY gives a connection up after this much lab time without an answer. */
const CONNECT_TIMEOUT_MS = 15_000;

/** `onCommandLine` hears what is entered at a prompt, before it is run. */
export function openTerminal(
  lab: Lab,
  target: { readonly machine: string; readonly console?: boolean },
  size: Size,
  onCommandLine: (line: string) => void,
): HostedTerminal {
  return target.console === true
    ? new ConsoleTerminal(lab, target.machine, size)
    : new SshTerminal(lab, target.machine, size, onCommandLine);
}

class ConsoleTerminal implements HostedTerminal {
  readonly whenReady = Promise.resolve();
  readonly #exit = new Emitter<string>();
  readonly #session: ReturnType<Lab['machines'][number]['openConsole']>;

  constructor(lab: Lab, machine: string, size: Size) {
    this.#session = lab.machine(machine).openConsole(size);
  }

  onData(listener: (bytes: Uint8Array) => void): Disposable {
    return this.#session.onData(listener);
  }
  write(bytes: Uint8Array): void {
    this.#session.write(bytes);
  }
  resize(size: Size): void {
    this.#session.resize(size);
  }
  onExit(listener: (reason: string) => void): Disposable {
    return this.#exit.on(listener);
  }
  close(): void {
    this.#session.close();
  }
}

class SshTerminal implements HostedTerminal {
  readonly whenReady: Promise<void>;
  readonly #data = new Emitter<Uint8Array>();
  readonly #exit = new Emitter<string>();
  readonly #prompt = new PromptLine();
  readonly #onCommandLine: (line: string) => void;
  #size: Size;
  #client: SshClient | undefined;
  #channel: SshChannel | undefined;
  #isClosed = false;

  constructor(lab: Lab, machine: string, size: Size, onCommandLine: (line: string) => void) {
    this.#size = size;
    this.#onCommandLine = onCommandLine;
    this.whenReady = this.#connect(lab, lab.machine(machine).spec.sshPort);
  }

  onData(listener: (bytes: Uint8Array) => void): Disposable {
    return this.#data.on(listener);
  }

  write(bytes: Uint8Array): void {
    if (bytes.includes(13)) {
      const line = this.#prompt.commandLine();
      if (line !== undefined) this.#onCommandLine(line);
    }
    this.#channel?.stdin.write(bytes).catch((error: unknown) => {
      if (!isSysError(error)) throw error;
    });
  }

  resize(size: Size): void {
    this.#size = size;
    this.#channel?.resize(size);
  }

  onExit(listener: (reason: string) => void): Disposable {
    return this.#exit.on(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#client?.close();
  }

  async #connect(lab: Lab, port: number): Promise<void> {
    const stop = new AbortController();
    const timer = lab.clock.setTimer(CONNECT_TIMEOUT_MS, () => stop.abort(new Error('Connection timed out during banner exchange')));
    try {
      const client = new SshClient(await lab.connectForward(port));
      this.#client = client;
      await client.handshake(stop.signal);
      if (!(await client.authenticate(LOGIN))) throw new Error(`${LOGIN.user}@127.0.0.1: Permission denied (${client.methods.join(',')}).`);
      const channel = await client.openShell({ term: 'xterm-256color', ...this.#size });
      this.#channel = channel;
      void this.#follow(client, channel, port);
    } catch (error) {
      this.#client?.close();
      throw new Error(reasonOf(error, port));
    } finally {
      timer.dispose();
    }
  }

  async #follow(client: SshClient, channel: SshChannel, port: number): Promise<void> {
    for (;;) {
      const chunk = await this.#read(channel);
      if (chunk === undefined) break;
      this.#prompt.saw(chunk);
      this.#data.emit(chunk);
    }
    const exit = await channel.exit;
    client.close();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#exit.emit(exit === undefined ? `Connection to 127.0.0.1 closed by remote host.` : `Connection to 127.0.0.1 port ${port} closed.`);
  }

  async #read(channel: SshChannel): Promise<Uint8Array | undefined> {
    try {
      return await channel.stdout.read();
    } catch (error) {
      if (isSysError(error) || error instanceof SshDisconnect) return undefined;
      throw error;
    }
  }
}

function reasonOf(error: unknown, port: number): string {
  const where = `127.0.0.1 port ${port}`;
  if (isSysError(error, 'ECONNREFUSED')) return `ssh: connect to host ${where}: Connection refused`;
  if (isSysError(error, 'ECONNRESET', 'EPIPE')) return `kex_exchange_identification: Connection reset by ${where}`;
  if (isSysError(error)) return `ssh: connect to host ${where}: ${error.strerror}`;
  return error instanceof Error ? error.message : String(error);
}

/** The line the cursor is on, as far as it can be told from the output: what a restore point is named after. */
class PromptLine {
  #line = '';

  saw(bytes: Uint8Array): void {
    const seen = this.#line + text(bytes);
    this.#line = seen.slice(seen.lastIndexOf('\n') + 1).slice(-4000);
  }

  /** What stands behind the prompt; undefined when the line is no prompt or nothing was typed. */
  commandLine(): string | undefined {
    const plain = this.#line.replace(/\x1b\][^\x07]*\x07|\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]/g, '');
    // Ctrl-L draws the prompt again on the same line: the last one counts.
    const match = /^.*\[[^\]]+\][#$] (.+)$/.exec(plain);
    return match?.[1]?.trim() === '' ? undefined : match?.[1];
  }
}
