// The terminals of a host: each one is a session in the lab, a recorded screen, and the screens that watch it.

import headless from '@xterm/headless';
import { SerializeAddon } from '@xterm/addon-serialize';
import { utf8 } from '#engine/sim/bytes.ts';
import { Emitter } from '#engine/sim/event.ts';
import type { TerminalSize } from '#shared/protocol/protocol.ts';
import type { TerminalTarget, TerminalView } from '#shared/views/views.ts';
import type { ClockDriver } from './clock-driver.ts';
import type { HostedTerminal } from './hosted-lab.ts';

/** Lines above the screen that a reload brings back. */
const RECORDED_LINES = 5000;
/** Sent and not yet drawn: above the first the clock is held, below the second it goes on. As VS Code's flow control. */
const HIGH_WATER_CHARACTERS = 100_000;
const LOW_WATER_CHARACTERS = 20_000;
/** Output is collected this long before it leaves, so that a burst is one frame and one commit. */
const GATHER_MS = 2;

export interface TerminalScreen {
  readonly name: string;
  /** Draws; `isReplay` is the screen so far, for an empty terminal. */
  show(terminal: string, data: string, isReplay: boolean): void;
}

export type OpenSession = (target: TerminalTarget, size: TerminalSize) => HostedTerminal;

export class Terminals {
  readonly onChange = new Emitter<void>();
  readonly #driver: ClockDriver;
  readonly #open: OpenSession;
  readonly #flush: () => void;
  readonly #terminals = new Map<string, RecordedTerminal>();
  #count = 0;

  constructor(options: { readonly driver: ClockDriver; readonly open: OpenSession; readonly flush: () => void }) {
    this.#driver = options.driver;
    this.#open = options.open;
    this.#flush = options.flush;
  }

  views(): readonly TerminalView[] {
    return [...this.#terminals.values()].map((terminal) => terminal.view);
  }

  open(target: TerminalTarget, size: TerminalSize): string {
    const id = `t${++this.#count}`;
    const terminal = new RecordedTerminal({
      id,
      target,
      title: this.#titleFor(target),
      size,
      connect: (now) => this.#open(target, now),
      driver: this.#driver,
      flush: this.#flush,
      onChange: () => this.onChange.emit(),
    });
    this.#terminals.set(id, terminal);
    terminal.connect();
    this.onChange.emit();
    return id;
  }

  get(id: string): RecordedTerminal {
    const terminal = this.#terminals.get(id);
    if (terminal === undefined) throw new Error(`there is no terminal ${id}`);
    return terminal;
  }

  find(id: string): RecordedTerminal | undefined {
    return this.#terminals.get(id);
  }

  close(id: string): void {
    this.get(id).dispose();
    this.#terminals.delete(id);
    this.onChange.emit();
  }

  /** A screen went away. */
  forget(screen: TerminalScreen): void {
    for (const terminal of this.#terminals.values()) terminal.detach(screen);
  }

  /** The machines behind the terminals are not the same any more: whatever session is left has lost its other end. */
  drop(reason: string): void {
    for (const terminal of this.#terminals.values()) if ('machine' in terminal.view.target) terminal.drop(reason);
  }

  /** Connects the closed terminals of a machine again (all machines' when left out), as after a restore. */
  reconnect(machine?: string): void {
    for (const terminal of [...this.#terminals.values()]) {
      const { target, state } = terminal.view;
      if (!('machine' in target) || state !== 'closed') continue;
      if (machine === undefined || target.machine === machine) terminal.connect();
    }
  }

  dispose(): void {
    for (const terminal of this.#terminals.values()) terminal.dispose();
    this.#terminals.clear();
  }

  /** `m-k8s`, then `m-k8s (2)`: the lowest number that is free. */
  #titleFor(target: TerminalTarget): string {
    const base = 'machine' in target ? (target.console === true ? `${target.machine} tty1` : target.machine) : 'host';
    const taken = new Set(this.views().map((view) => view.title));
    if (!taken.has(base)) return base;
    for (let number = 2; ; number++) if (!taken.has(`${base} (${number})`)) return `${base} (${number})`;
  }
}

interface Watcher {
  readonly screen: TerminalScreen;
  /** Undefined until the replay has been sent; then what is to follow it is kept here. */
  pending: string[] | undefined;
  undrawn: number;
}

interface RecordedTerminalOptions {
  readonly id: string;
  readonly target: TerminalTarget;
  readonly title: string;
  readonly size: TerminalSize;
  readonly connect: (size: TerminalSize) => HostedTerminal;
  readonly driver: ClockDriver;
  readonly flush: () => void;
  readonly onChange: () => void;
}

export class RecordedTerminal {
  readonly #options: RecordedTerminalOptions;
  readonly #recorder: headless.Terminal;
  readonly #serializer = new SerializeAddon();
  readonly #watchers = new Map<TerminalScreen, Watcher>();
  #size: TerminalSize;
  #session: HostedTerminal | undefined;
  #state: TerminalView['state'] = 'closed';
  #reason: string | undefined;
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #gathered = '';
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: RecordedTerminalOptions) {
    this.#options = options;
    this.#size = options.size;
    this.#recorder = new headless.Terminal({
      cols: options.size.columns,
      rows: options.size.rows,
      scrollback: RECORDED_LINES,
      allowProposedApi: true,
    });
    // The addon asks for no more of a terminal than the headless one has.
    this.#recorder.loadAddon(this.#serializer as unknown as headless.ITerminalAddon);
  }

  get view(): TerminalView {
    const { id, target, title } = this.#options;
    return { id, target, title, state: this.#state, reason: this.#reason };
  }

  /** Starts a session; does nothing while there is one. */
  connect(): void {
    if (this.#session !== undefined) return;
    this.#decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let session: HostedTerminal;
    try {
      session = this.#options.connect(this.#size);
    } catch (error) {
      this.#ended(undefined, messageOf(error));
      return;
    }
    this.#session = session;
    this.#setState('connecting', undefined);
    session.onData((bytes) => {
      if (this.#session === session) this.#gather(this.#decoder.decode(bytes, { stream: true }));
    });
    session.onExit((reason) => this.#ended(session, reason));
    session.whenReady.then(
      () => {
        if (this.#session === session) this.#setState('open', undefined);
      },
      (error: unknown) => this.#ended(session, messageOf(error)),
    );
  }

  write(data: string): void {
    this.#session?.write(utf8(data));
  }

  resize(size: TerminalSize): void {
    if (size.columns === this.#size.columns && size.rows === this.#size.rows) return;
    this.#size = size;
    this.#recorder.resize(size.columns, size.rows);
    this.#session?.resize(size);
  }

  attach(screen: TerminalScreen, size: TerminalSize): void {
    this.detach(screen);
    this.resize(size);
    this.#send();
    const watcher: Watcher = { screen, pending: [], undrawn: 0 };
    this.#watchers.set(screen, watcher);
    // The recorder works through what it was given first; only then the screen is complete.
    this.#recorder.write('', () => {
      if (this.#watchers.get(screen) !== watcher) return;
      const pending = watcher.pending ?? [];
      watcher.pending = undefined;
      screen.show(this.#options.id, this.#serializer.serialize({ scrollback: RECORDED_LINES }), true);
      for (const data of pending) this.#show(watcher, data);
    });
  }

  detach(screen: TerminalScreen): void {
    if (this.#watchers.delete(screen)) this.#options.driver.release(this.#holder(screen));
  }

  acknowledge(screen: TerminalScreen, characters: number): void {
    const watcher = this.#watchers.get(screen);
    if (watcher === undefined) return;
    watcher.undrawn = Math.max(0, watcher.undrawn - characters);
    if (watcher.undrawn < LOW_WATER_CHARACTERS) this.#options.driver.release(this.#holder(screen));
  }

  /** Ends the session from this side, as if its connection had broken. */
  drop(reason: string): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#ended(session, reason);
    session.close();
  }

  dispose(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.close();
    clearTimeout(this.#gathering);
    for (const screen of [...this.#watchers.keys()]) this.detach(screen);
    this.#recorder.dispose();
  }

  #gather(data: string): void {
    this.#gathered += data;
    this.#gathering ??= setTimeout(() => this.#send(), GATHER_MS);
  }

  #send(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const data = this.#gathered;
    if (data === '') return;
    this.#gathered = '';
    this.#options.flush();
    this.#recorder.write(data);
    for (const watcher of this.#watchers.values()) {
      if (watcher.pending === undefined) this.#show(watcher, data);
      else watcher.pending.push(data);
    }
  }

  #show(watcher: Watcher, data: string): void {
    watcher.undrawn += data.length;
    if (watcher.undrawn > HIGH_WATER_CHARACTERS) this.#options.driver.hold(this.#holder(watcher.screen));
    watcher.screen.show(this.#options.id, data, false);
  }

  #ended(session: HostedTerminal | undefined, reason: string): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    // A program that was cut off leaves its modes behind: alternate screen (1049 would also move the cursor), mouse, bracketed paste.
    const restore = '\x1b[?1047l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[0m';
    this.#gather(`${restore}${this.#recorder.buffer.active.cursorX > 0 || this.#gathered !== '' ? '\r\n' : ''}${reason}\r\n`);
    this.#setState('closed', reason);
  }

  #setState(state: TerminalView['state'], reason: string | undefined): void {
    this.#state = state;
    this.#reason = reason;
    this.#options.onChange();
  }

  #holder(screen: TerminalScreen): string {
    return `${screen.name} ${this.#options.id}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
