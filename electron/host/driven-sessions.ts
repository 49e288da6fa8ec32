// Terminals of `nobox drive`: a headless screen behind each, so that programs can ask what a person would see.

import headless from '@xterm/headless';
import type { Size } from './driven-lab.ts';
import type { HostedTerminal } from './hosted-lab.ts';

interface Session {
  readonly terminal: HostedTerminal;
  readonly screen: headless.Terminal;
}

export class DrivenSessions {
  readonly #open: (machine: string, size: Size, isConsole: boolean) => HostedTerminal;
  readonly #sessions = new Map<string, Session>();
  #last = 0;

  constructor(open: (machine: string, size: Size, isConsole: boolean) => HostedTerminal) {
    this.#open = open;
  }

  /** Resolves with the session's name when the shell is there. */
  async open(machine: string, size: Size, isConsole: boolean): Promise<string> {
    const terminal = this.#open(machine, size, isConsole);
    const screen = new headless.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true, scrollback: 5000 });
    terminal.onData((bytes) => screen.write(bytes));
    terminal.onExit((reason) => screen.write(`\r\n${reason}\r\n`));
    // Answers of the terminal to questions of programs (cursor position, device attributes).
    screen.onData((answer) => terminal.write(Buffer.from(answer, 'utf8')));
    const name = `s${++this.#last}`;
    this.#sessions.set(name, { terminal, screen });
    await terminal.whenReady;
    return name;
  }

  type(name: string, text: string): void {
    this.#find(name).terminal.write(Buffer.from(text, 'utf8'));
  }

  async screen(name: string): Promise<{ readonly lines: readonly string[]; readonly cursor: readonly [number, number] }> {
    const { screen } = this.#find(name);
    // An empty write comes back when everything before it has been drawn.
    await new Promise<void>((resolve) => screen.write('', resolve));
    const buffer = screen.buffer.active;
    const lines = Array.from({ length: screen.rows }, (_, row) => buffer.getLine(buffer.baseY + row)?.translateToString(true) ?? '');
    return { lines, cursor: [buffer.cursorY, buffer.cursorX] };
  }

  resize(name: string, size: Size): void {
    const { screen, terminal } = this.#find(name);
    screen.resize(size.columns, size.rows);
    terminal.resize(size);
  }

  close(name: string): void {
    this.#find(name).terminal.close();
    this.#drop(name);
  }

  closeAll(): void {
    for (const name of [...this.#sessions.keys()]) this.close(name);
  }

  #drop(name: string): void {
    this.#sessions.get(name)?.screen.dispose();
    this.#sessions.delete(name);
  }

  #find(name: string): Session {
    const session = this.#sessions.get(name);
    if (session === undefined) throw new Error(`no session is named "${name}"`);
    return session;
  }
}
