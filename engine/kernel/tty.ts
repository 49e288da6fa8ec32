// Models a terminal with the N_TTY line discipline: canonical editing, echo, signals from the keyboard, job control.

import { utf8 } from '../sim/bytes.ts';
import type { Disposable } from '../sim/disposable.ts';
import { SysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import { RETRY, WOULD_BLOCK, type ReadResult } from './description.ts';
import type { SignalName, TerminalSize, Termios, Tty } from './process.ts';
import type { Session, Task } from './task.ts';

export const SANE: Termios = { canonical: true, echo: true, signals: true, inputCrToNl: true, outputNlToCrNl: true, flowControl: true };

const CTRL_C = 3;
const CTRL_D = 4;
const BACKSPACE = 8;
const NL = 10;
const CR = 13;
const CTRL_Q = 17;
const CTRL_R = 18;
const CTRL_S = 19;
const CTRL_U = 21;
const CTRL_V = 22;
const CTRL_W = 23;
const CTRL_Z = 26;
const CTRL_BACKSLASH = 28;
const DELETE = 127;

/** What the line discipline keeps for its reader; more is dropped, with a bell. */
const INPUT_BYTES = 4096;
/** Output waiting for the screen; a writer waits above it. */
const OUTPUT_BYTES = 64 * 1024;

/** What a terminal asks of the process table. */
export interface JobControl {
  signalGroup(group: number, signal: SignalName): void;
  isOrphaned(group: number): boolean;
  /** Blocks or ignores it. */
  isIgnored(task: Task, signal: SignalName): boolean;
}

export class Terminal implements Tty {
  readonly name: string;
  readonly #jobs: JobControl;
  readonly onReady = new Emitter<void>();
  /** Output became available for the screen. */
  readonly onOutput = new Emitter<void>();
  #termios: Termios = SANE;
  owner: Session | undefined;
  isHungUp = false;
  #size: TerminalSize;
  #foreground = 0;
  readonly #resized = new Emitter<TerminalSize>();
  /** The line being edited. */
  #line: number[] = [];
  /** Complete lines (canonical) or bytes (raw) for readers; an empty one is end of file. */
  #ready: Uint8Array[] = [];
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  #isOutputStopped = false;
  #isLiteralNext = false;

  constructor(name: string, options: { readonly size: TerminalSize; readonly jobs: JobControl }) {
    this.name = name;
    this.#size = options.size;
    this.#jobs = options.jobs;
  }

  get size(): TerminalSize {
    return this.#size;
  }
  get termios(): Termios {
    return this.#termios;
  }
  /** A half-typed line becomes readable when a program turns to raw mode. */
  set termios(termios: Termios) {
    if (this.#termios.canonical && !termios.canonical && this.#line.length > 0) {
      this.#ready.push(Uint8Array.from(this.#line));
      this.#line = [];
      this.onReady.emit();
    }
    this.#termios = termios;
  }
  get session(): number {
    return this.owner?.id ?? 0;
  }
  get foregroundGroup(): number {
    return this.#foreground;
  }
  set foregroundGroup(group: number) {
    this.#foreground = group;
  }

  onResize(listener: (size: TerminalSize) => void): Disposable {
    return this.#resized.on(listener);
  }

  /** TIOCSWINSZ: the foreground group gets SIGWINCH when it differs. */
  resize(size: TerminalSize): void {
    if (size.columns === this.#size.columns && size.rows === this.#size.rows) return;
    this.#size = { columns: size.columns, rows: size.rows };
    this.#resized.emit(this.#size);
    if (this.#foreground > 0) this.#jobs.signalGroup(this.#foreground, 'SIGWINCH');
  }

  // The side of the keyboard and the screen

  /** Bytes from the keyboard. */
  input(bytes: Uint8Array): void {
    if (this.isHungUp) return;
    for (const byte of bytes) this.#inputByte(byte);
    this.onReady.emit();
  }

  /** The next piece of output for the screen. */
  takeOutput(maxBytes = Infinity): Uint8Array | undefined {
    if (this.#isOutputStopped) return undefined;
    const first = this.#output[0];
    if (first === undefined) return undefined;
    if (first.length > maxBytes) {
      this.#output[0] = first.subarray(maxBytes);
      this.#outputBytes -= maxBytes;
      this.onReady.emit();
      return first.subarray(0, maxBytes);
    }
    this.#output.shift();
    this.#outputBytes -= first.length;
    this.onReady.emit();
    return first;
  }

  get hasOutput(): boolean {
    return this.#output.length > 0 && !this.#isOutputStopped;
  }

  /** The line is gone: the session's leader gets SIGHUP and everybody reads end of file. */
  hangUp(): void {
    if (this.isHungUp) return;
    this.isHungUp = true;
    const owner = this.owner;
    if (owner !== undefined) {
      const foreground = this.#foreground;
      this.disown();
      this.#jobs.signalGroup(owner.leader.group, 'SIGHUP');
      this.#jobs.signalGroup(owner.leader.group, 'SIGCONT');
      if (foreground > 0 && foreground !== owner.leader.group) {
        this.#jobs.signalGroup(foreground, 'SIGHUP');
        this.#jobs.signalGroup(foreground, 'SIGCONT');
      }
    }
    this.onReady.emit();
  }

  disown(): void {
    if (this.owner !== undefined) this.owner.tty = undefined;
    this.owner = undefined;
    this.#foreground = 0;
  }

  // The side of the processes

  get isReadable(): boolean {
    return this.#ready.length > 0 || this.isHungUp;
  }

  tryRead(maxBytes: number, task: Task): ReadResult {
    if (this.isHungUp) return undefined;
    if (this.#isBackground(task)) {
      if (this.#jobs.isIgnored(task, 'SIGTTIN') || this.#jobs.isOrphaned(task.group)) throw new SysError('EIO');
      this.#jobs.signalGroup(task.group, 'SIGTTIN');
      return RETRY;
    }
    const first = this.#ready[0];
    if (first === undefined) return WOULD_BLOCK;
    if (first.length > maxBytes) {
      this.#ready[0] = first.subarray(maxBytes);
      return first.subarray(0, maxBytes);
    }
    this.#ready.shift();
    return first.length === 0 ? undefined : first;
  }

  tryWrite(bytes: Uint8Array): number | typeof WOULD_BLOCK {
    if (this.isHungUp) throw new SysError('EIO');
    if (this.#outputBytes >= OUTPUT_BYTES || this.#isOutputStopped) return WOULD_BLOCK;
    this.#put(this.termios.outputNlToCrNl ? withCarriageReturns(bytes) : bytes.slice());
    return bytes.length;
  }

  /** tcsetpgrp(3) by `task`: a background process is stopped for it. */
  checkForegroundChange(task: Task): void {
    if (!this.#isBackground(task) || this.#jobs.isIgnored(task, 'SIGTTOU')) return;
    if (this.#jobs.isOrphaned(task.group)) throw new SysError('EIO');
    this.#jobs.signalGroup(task.group, 'SIGTTOU');
  }

  /** Drops typed and unread input. */
  flushInput(): void {
    this.#line = [];
    this.#ready = [];
  }

  #isBackground(task: Task): boolean {
    return this.owner !== undefined && task.session === this.owner && this.#foreground !== 0 && task.group !== this.#foreground;
  }

  #inputByte(original: number): void {
    const { canonical, signals, inputCrToNl, flowControl } = this.termios;
    let byte = original;
    if (this.#isLiteralNext) {
      this.#isLiteralNext = false;
      this.#accept(byte);
      return;
    }
    if (flowControl && byte === CTRL_S) {
      this.#isOutputStopped = true;
      return;
    }
    if (flowControl && byte === CTRL_Q) {
      this.#isOutputStopped = false;
      this.onOutput.emit();
      return;
    }
    if (signals && this.#signalKey(byte)) return;
    if (inputCrToNl && byte === CR) byte = NL;
    if (!canonical) {
      if (this.termios.echo) this.#echo([byte]);
      this.#append(byte);
      return;
    }
    this.#edit(byte);
  }

  #signalKey(byte: number): boolean {
    const signal = byte === CTRL_C ? 'SIGINT' : byte === CTRL_Z ? 'SIGTSTP' : byte === CTRL_BACKSLASH ? 'SIGQUIT' : undefined;
    if (signal === undefined) return false;
    this.flushInput();
    this.#isOutputStopped = false;
    if (this.termios.echo) this.#echoControl(byte);
    if (this.#foreground > 0) this.#jobs.signalGroup(this.#foreground, signal);
    return true;
  }

  #edit(byte: number): void {
    switch (byte) {
      case BACKSPACE:
      case DELETE:
        this.#erase();
        return;
      case CTRL_U:
        while (this.#line.length > 0) this.#erase();
        return;
      case CTRL_W: {
        while (this.#line.length > 0 && this.#line.at(-1) === 0x20) this.#erase();
        while (this.#line.length > 0 && this.#line.at(-1) !== 0x20) this.#erase();
        return;
      }
      case CTRL_R:
        this.#echo([CR, NL, ...this.#line]);
        return;
      case CTRL_V:
        this.#isLiteralNext = true;
        return;
      case CTRL_D:
        this.#ready.push(Uint8Array.from(this.#line));
        this.#line = [];
        return;
      case NL:
        if (this.termios.echo) this.#echo([NL]);
        this.#line.push(NL);
        this.#ready.push(Uint8Array.from(this.#line));
        this.#line = [];
        return;
      default:
        this.#accept(byte);
    }
  }

  #accept(byte: number): void {
    if (this.#line.length >= INPUT_BYTES - 1) {
      this.#put(Uint8Array.of(7));
      return;
    }
    this.#line.push(byte);
    if (!this.termios.echo) return;
    if (byte < 0x20 && byte !== 9) this.#echoControl(byte);
    else this.#echo([byte]);
  }

  /** Takes back one character: all bytes of a UTF-8 sequence, with as many columns as it took. */
  #erase(): void {
    if (this.#line.length === 0) return;
    const bytes: number[] = [];
    do bytes.unshift(this.#line.pop()!);
    while ((bytes[0]! & 0xc0) === 0x80 && this.#line.length > 0);
    if (!this.termios.echo) return;
    const columns = bytes[0]! < 0x20 ? 2 : bytes.length >= 3 ? 2 : 1;
    this.#put(utf8('\b \b'.repeat(columns)));
  }

  #append(byte: number): void {
    const last = this.#ready.at(-1);
    if (last === undefined || last.length === 0 || last.length >= INPUT_BYTES) this.#ready.push(Uint8Array.of(byte));
    else {
      const grown = new Uint8Array(last.length + 1);
      grown.set(last);
      grown[last.length] = byte;
      this.#ready[this.#ready.length - 1] = grown;
    }
  }

  #echo(bytes: readonly number[]): void {
    const raw = Uint8Array.from(bytes);
    this.#put(this.termios.outputNlToCrNl ? withCarriageReturns(raw) : raw);
  }

  #echoControl(byte: number): void {
    this.#put(utf8(`^${String.fromCharCode(byte ^ 0x40)}`));
  }

  #put(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#output.push(bytes);
    this.#outputBytes += bytes.length;
    this.onOutput.emit();
  }
}

function withCarriageReturns(bytes: Uint8Array): Uint8Array {
  let count = 0;
  for (const byte of bytes) if (byte === NL) count++;
  if (count === 0) return bytes.slice();
  const out = new Uint8Array(bytes.length + count);
  let at = 0;
  for (const byte of bytes) {
    if (byte === NL) out[at++] = CR;
    out[at++] = byte;
  }
  return out;
}
