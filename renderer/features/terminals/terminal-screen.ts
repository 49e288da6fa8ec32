// One xterm and its channel. Lives outside React: a pane only gives it a place on the page.

import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { Terminal } from '@xterm/xterm';
import type { TerminalChannel } from '#shared/protocol/protocol.ts';
import { host } from '../../lab.ts';
import { getSettings, onSettings } from '../../store/settings.ts';
import { currentTheme, onTheme } from '../shell/theme.ts';
import { sanitisePaste, runsSomething } from './paste.ts';
import { TERMINAL_COLORS } from './terminal-colors.ts';

const FONTS =
  "'JetBrains Mono', 'Cascadia Mono', 'SF Mono', Menlo, Consolas, 'D2Coding', 'DejaVu Sans Mono', 'Noto Sans Mono CJK KR', 'NanumGothicCoding', 'Malgun Gothic', monospace";
const SCROLLBACK_LINES = 5000;
/** Drawn characters are told to the host in pieces of this size. */
const ACKNOWLEDGE_CHARACTERS = 5000;

/** Asks the learner before several lines run by themselves; set by the dialog that can ask. */
export const pasteGuard: { ask: (text: string, paste: () => void) => void } = { ask: (_, paste) => paste() };

export class TerminalScreen {
  readonly id: string;
  readonly element = document.createElement('div');
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #undo: (() => void)[] = [];
  #channel: TerminalChannel | undefined;
  #undrawn = 0;

  constructor(id: string, onKey: (event: KeyboardEvent) => boolean) {
    this.id = id;
    this.element.className = 'xterm-place';
    this.#terminal = new Terminal({
      allowProposedApi: true,
      cursorBlink: true,
      fontFamily: FONTS,
      fontSize: getSettings().fontSize,
      lineHeight: 1.15,
      scrollback: SCROLLBACK_LINES,
      minimumContrastRatio: 4.5,
      screenReaderMode: false,
      macOptionIsMeta: true,
      theme: TERMINAL_COLORS[currentTheme()],
    });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.unicode.activeVersion = '11';
    this.#terminal.attachCustomKeyEventHandler((event) => this.#ownKey(event) && onKey(event));
    this.#terminal.open(this.element);
    this.element.addEventListener('paste', this.#onPaste, true);
    this.#terminal.onData((data) => this.#channel?.write(data));
    this.#terminal.onBinary((data) => this.#channel?.write(data));
    this.#terminal.onResize(({ cols, rows }) => this.#channel?.resize({ columns: cols, rows }));
    this.#undo.push(
      onTheme(() => (this.#terminal.options.theme = TERMINAL_COLORS[currentTheme()])),
      onSettings(() => {
        if (this.#terminal.options.fontSize === getSettings().fontSize) return;
        this.#terminal.options.fontSize = getSettings().fontSize;
        this.fit();
      }),
    );
  }

  /** Puts the screen into `place`; the first time it also asks the host for what there is to see. */
  mount(place: HTMLElement): void {
    place.append(this.element);
    this.fit();
    this.#channel ??= this.#attach();
  }

  unmount(): void {
    this.element.remove();
  }

  fit(): void {
    if (this.element.isConnected && this.element.clientWidth > 0) this.#fit.fit();
  }

  focus(): void {
    this.#terminal.focus();
  }

  get selection(): string {
    return this.#terminal.getSelection();
  }

  selectAll(): void {
    this.#terminal.selectAll();
  }

  clear(): void {
    this.#terminal.clear();
  }

  /** For text of the clipboard: cleaned, and asked about when it would run several lines. */
  paste(text: string): void {
    const clean = sanitisePaste(text);
    if (clean === '') return;
    const paste = (): void => {
      this.#terminal.paste(clean);
      this.#terminal.focus();
    };
    // A program that asked for bracketed paste gets the text as text and runs nothing of it.
    const runs = runsSomething(clean) && !this.#terminal.modes.bracketedPasteMode;
    if (runs && getSettings().warnsOfLines) pasteGuard.ask(clean, paste);
    else paste();
  }

  /** Text on the screen and above it, for tests. */
  get text(): string {
    const buffer = this.#terminal.buffer.active;
    return Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? '').join('\n');
  }

  dispose(): void {
    for (const undo of this.#undo) undo();
    this.#channel?.detach();
    this.element.remove();
    this.#terminal.dispose();
  }

  #attach(): TerminalChannel {
    const channel = host.attach(this.id, { columns: this.#terminal.cols, rows: this.#terminal.rows });
    channel.onData((data, isReplay) => {
      if (isReplay) this.#terminal.reset();
      this.#terminal.write(data, () => {
        if (isReplay) return;
        this.#undrawn += data.length;
        if (this.#undrawn < ACKNOWLEDGE_CHARACTERS && data.length < ACKNOWLEDGE_CHARACTERS) return;
        channel.acknowledge(this.#undrawn);
        this.#undrawn = 0;
      });
    });
    return channel;
  }

  /** Copy and select all are the window's, not the shell's. Says false for keys xterm must leave alone. */
  #ownKey(event: KeyboardEvent): boolean {
    const isCopy = event.code === 'KeyC' && ((event.ctrlKey && event.shiftKey) || (event.metaKey && !event.ctrlKey));
    if (!isCopy || event.type !== 'keydown') return !isCopy;
    if (this.#terminal.hasSelection()) void navigator.clipboard.writeText(this.#terminal.getSelection());
    event.preventDefault();
    return false;
  }

  #onPaste = (event: ClipboardEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    this.paste(event.clipboardData?.getData('text/plain') ?? '');
  };
}
