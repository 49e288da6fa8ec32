// What all text programs share: options as getopt_long reads them, buffered output, lines of input, messages.

import type { OpenFile, Process, Program, Stat, Syscalls } from '../../../kernel/process.ts';
import { SysError } from '../../../sim/errno.ts';
import { toBytes, toText } from '../../../shell/bytes.ts';

/** Output is handed on in pieces of this size, as stdio does it. */
const FLUSH_BYTES = 16_384;

/** Ends a program with this status after its message was printed. */
export class Exit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

export interface ToolOptions {
  readonly paths?: readonly string[];
  /** Status of a wrong command line; 1 if left out. */
  readonly usageStatus?: number;
}

/** A program that is written over a Tool. */
export function tool(name: string, run: (t: Tool) => Promise<number | void>, options: ToolOptions = {}): Program {
  return {
    name,
    ...(options.paths === undefined ? {} : { paths: options.paths }),
    async main(process) {
      const t = new Tool(name, process, options);
      let status: number;
      try {
        status = (await run(t)) ?? t.status;
        await t.flush();
      } catch (error) {
        if (error instanceof Exit) {
          await t.flush();
          return error.status;
        }
        if (!(error instanceof SysError)) throw error;
        if (error.errno === 'EPIPE') return 1;
        await t.message(`write error: ${error.strerror}`);
        return 1;
      }
      return status;
    },
  };
}

export class Tool {
  readonly name: string;
  readonly process: Process;
  readonly sys: Syscalls;
  readonly args: readonly string[];
  /** What the program returns when `run` returns nothing: raised by `fail`. */
  status = 0;
  readonly #usageStatus: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #isTerminal: boolean | undefined;

  constructor(name: string, process: Process, options: ToolOptions) {
    this.name = name;
    this.process = process;
    this.sys = process.sys;
    this.args = process.argv.slice(1);
    this.#usageStatus = options.usageStatus ?? 1;
  }

  get env(): Map<string, string> {
    return this.process.env;
  }

  /** Standard output is a terminal. */
  get isTerminal(): boolean {
    return (this.#isTerminal ??= this.process.stdout.tty !== undefined);
  }

  get columns(): number {
    const given = Number(this.env.get('COLUMNS'));
    return this.process.stdout.tty?.size.columns ?? (given > 0 ? given : 80);
  }

  // Output

  /** Adds to the output; waits when there is much of it. */
  write(data: string | Uint8Array): Promise<void> | undefined {
    if (data.length === 0) return undefined;
    const bytes = typeof data === 'string' ? toBytes(data) : data;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    return this.#pendingBytes >= FLUSH_BYTES ? this.flush() : undefined;
  }

  async flush(): Promise<void> {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    const size = this.#pendingBytes;
    this.#pendingBytes = 0;
    if (pending.length === 1) {
      await this.process.stdout.write(pending[0]!);
      return;
    }
    const all = new Uint8Array(size);
    let at = 0;
    for (const piece of pending) {
      all.set(piece, at);
      at += piece.length;
    }
    await this.process.stdout.write(all);
  }

  /** A line on standard error, after what was printed so far. */
  async message(text: string): Promise<void> {
    await this.flush();
    await this.errorText(`${this.name}: ${text}\n`);
  }

  async errorText(text: string): Promise<void> {
    await this.process.stderr.write(toBytes(text));
  }

  /** A complaint that makes the exit status 1 (or what is given) and lets the program go on. */
  async fail(text: string, status = 1): Promise<void> {
    this.status = Math.max(this.status, status);
    await this.message(text);
  }

  /** A complaint that ends the program. */
  async die(text: string, status = 1): Promise<never> {
    await this.message(text);
    throw new Exit(status);
  }

  async dieUsage(text: string): Promise<never> {
    await this.message(text);
    await this.errorText(`Try '${this.name} --help' for more information.\n`);
    throw new Exit(this.#usageStatus);
  }

  /** Runs a call and complains of its failure as `NAME: PATH: STRERROR`; undefined then. */
  async attempt<T>(what: string, call: () => T): Promise<T | undefined> {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await this.fail(`${what}: ${error.strerror}`);
      return undefined;
    }
  }

  // Options

  /**
   * Parses as getopt_long does, options and operands mixed. `short`: letters, `x:` with a value, `x::` with an optional one;
   * a leading `+` stops at the first operand. `long`: name to the key it is stored under, with the same marks.
   */
  async options(short: string, long: Readonly<Record<string, string>> = {}, args = this.args): Promise<Options> {
    const out = new Options();
    const stops = short.startsWith('+') || this.env.has('POSIXLY_CORRECT');
    const letters = short.replace(/^\+/, '');
    const rest: string[] = [];
    for (let at = 0; at < args.length; at++) {
      const arg = args[at]!;
      if (arg === '--') {
        rest.push(...args.slice(at + 1));
        break;
      }
      if (arg.startsWith('--')) {
        const equals = arg.indexOf('=');
        const given = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
        const exact = long[given] !== undefined;
        const names = exact ? [given] : Object.keys(long).filter((name) => name.startsWith(given));
        const keys = new Set(names.map((name) => long[name]));
        if (names.length === 0) {
          if (given === 'help') return this.#help();
          if (given === 'version') return this.#version();
          return this.dieUsage(`unrecognized option '--${given}'`);
        }
        if (keys.size > 1) {
          await this.message(`option '--${given}' is ambiguous; possibilities: ${names.map((name) => `'--${name}'`).join(' ')}`);
          await this.errorText(`Try '${this.name} --help' for more information.\n`);
          throw new Exit(this.#usageStatus);
        }
        const spec = long[names[0]!]!;
        const key = spec.replace(/:+$/, '');
        if (spec.endsWith('::')) out.add(key, equals < 0 ? undefined : arg.slice(equals + 1));
        else if (spec.endsWith(':')) {
          const value = equals < 0 ? args[++at] : arg.slice(equals + 1);
          if (value === undefined) return this.dieUsage(`option '--${names[0]}' requires an argument`);
          out.add(key, value);
        } else if (equals >= 0) return this.dieUsage(`option '--${names[0]}' doesn't allow an argument`);
        else out.add(key, undefined);
        continue;
      }
      if (!arg.startsWith('-') || arg === '-') {
        if (stops) {
          rest.push(...args.slice(at));
          break;
        }
        rest.push(arg);
        continue;
      }
      for (let i = 1; i < arg.length; i++) {
        const letter = arg[i]!;
        const where = letter === ':' ? -1 : letters.indexOf(letter);
        if (where < 0) return this.dieUsage(`invalid option -- '${letter}'`);
        if (letters[where + 1] !== ':') {
          out.add(letter, undefined);
          continue;
        }
        const inline = arg.slice(i + 1);
        if (letters[where + 2] === ':') out.add(letter, inline === '' ? undefined : inline);
        else {
          const value = inline === '' ? args[++at] : inline;
          if (value === undefined) return this.dieUsage(`option requires an argument -- '${letter}'`);
          out.add(letter, value);
        }
        break;
      }
    }
    out.rest = rest;
    return out;
  }

  async #help(): Promise<never> {
    await this.write(`Usage: ${this.name} [OPTION]...\n`);
    throw new Exit(0);
  }

  async #version(): Promise<never> {
    await this.write(`${this.name} (GNU coreutils) 8.22\n`);
    throw new Exit(0);
  }

  // Input

  /** Opens for reading; `-` is standard input. Complains and returns undefined when it cannot. */
  async openInput(path: string): Promise<Input | undefined> {
    if (path === '-') return new Input(this.process.stdin, undefined, this, '-');
    try {
      const fd = this.sys.open(path, { read: true });
      const file = this.sys.file(fd);
      return new Input(file, () => this.sys.close(fd), this, path);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await this.fail(`${path}: ${error.strerror}`);
      return undefined;
    }
  }

  /** Each file's lines in turn (standard input when there is none). Directories and missing files are complained of. */
  async eachInput(paths: readonly string[], visit: (input: Input, path: string) => Promise<void>): Promise<void> {
    for (const path of paths.length === 0 ? ['-'] : paths) {
      const input = await this.openInput(path);
      if (input === undefined) continue;
      try {
        if (input.file.kind === 'directory') await this.fail(`${path}: Is a directory`);
        else await visit(input, path);
      } finally {
        input.close();
      }
    }
  }

  stat(path: string, follow = true): Stat | undefined {
    try {
      return follow ? this.sys.stat(path) : this.sys.lstat(path);
    } catch (error) {
      if (error instanceof SysError) return undefined;
      throw error;
    }
  }

  isDirectory(path: string): boolean {
    return this.stat(path)?.kind === 'directory';
  }

  /** Charges time for a long synchronous piece of work. */
  work(steps: number): Promise<void> {
    return this.sys.spendCpu(Math.ceil(steps / 20));
  }
}

export class Options {
  rest: readonly string[] = [];
  /** In the order in which they were given. */
  readonly list: { readonly key: string; readonly value: string | undefined }[] = [];

  add(key: string, value: string | undefined): void {
    this.list.push({ key, value });
  }

  has(...keys: readonly string[]): boolean {
    return this.list.some((option) => keys.includes(option.key));
  }

  /** The last value given. */
  get(key: string): string | undefined {
    return this.list.findLast((option) => option.key === key)?.value;
  }

  all(key: string): readonly string[] {
    return this.list.flatMap((option) => (option.key === key && option.value !== undefined ? [option.value] : []));
  }

  /** Which of these keys came last. */
  last(...keys: readonly string[]): string | undefined {
    return this.list.findLast((option) => keys.includes(option.key))?.key;
  }
}

export class Input {
  readonly file: OpenFile;
  readonly path: string;
  readonly #close: (() => void) | undefined;
  readonly #tool: Tool;
  /** The last line had no newline. */
  isUnterminated = false;

  constructor(file: OpenFile, close: (() => void) | undefined, owner: Tool, path: string) {
    this.file = file;
    this.path = path;
    this.#close = close;
    this.#tool = owner;
  }

  close(): void {
    this.#close?.();
  }

  /** The next bytes; what was printed so far goes out before a wait. */
  async read(maxBytes?: number): Promise<Uint8Array | undefined> {
    if (this.#tool.isTerminal || !this.file.isReadable) await this.#tool.flush();
    return this.file.read(maxBytes);
  }

  async readAll(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const chunk = await this.read();
      if (chunk === undefined) break;
      chunks.push(chunk);
      size += chunk.length;
    }
    const out = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }

  async readText(): Promise<string> {
    return toText(await this.readAll());
  }

  /** Lines without their ends, as many as have come. */
  async *batches(separator = 10): AsyncGenerator<string[]> {
    let rest: Uint8Array[] = [];
    const mark = String.fromCharCode(separator);
    for (;;) {
      const chunk = await this.read();
      if (chunk === undefined) break;
      const end = chunk.lastIndexOf(separator);
      if (end < 0) {
        rest.push(chunk);
        continue;
      }
      rest.push(chunk.subarray(0, end));
      const lines = toText(join(rest)).split(mark);
      rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
      await this.#tool.sys.spendCpu(Math.ceil(lines.length / 20));
      yield lines;
    }
    if (rest.length > 0) {
      this.isUnterminated = true;
      yield [toText(join(rest))];
    }
  }

  async *lines(separator = 10): AsyncGenerator<string> {
    for await (const batch of this.batches(separator)) yield* batch;
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** GNU quotes of names in messages: ‘x’ in UTF-8 locales of coreutils 8.22. */
export function quote(t: Tool, name: string): string {
  const locale = t.env.get('LC_ALL') || t.env.get('LC_CTYPE') || t.env.get('LANG') || 'C';
  return /utf-?8/i.test(locale) ? `‘${name}’` : `'${name}'`;
}

/** Joins a directory and a name. */
export function joinPath(directory: string, name: string): string {
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return path === '' ? '' : '/';
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

export function dirName(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  const at = trimmed.lastIndexOf('/');
  if (at < 0) return path.startsWith('/') ? '/' : '.';
  return trimmed.slice(0, at).replace(/\/+$/, '') || '/';
}

/** `10`, `5k`, `2M`: bytes, or undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+)(b|[kKMGTPE](?:B|iB)?|c|w)?$/.exec(text);
  if (match === null) return undefined;
  const unit = match[2] ?? '';
  if (unit === 'b') return Number(match[1]) * 512;
  if (unit === 'c' || unit === '') return Number(match[1]);
  if (unit === 'w') return Number(match[1]) * 2;
  const power = 'KMGTPE'.indexOf(unit[0]!.toUpperCase()) + 1;
  return Number(match[1]) * (unit.endsWith('B') && !unit.endsWith('iB') ? 1000 : 1024) ** power;
}

/** `ls -h`: 1 digit after the point below 10, rounded up. */
export function humanSize(bytes: number, base = 1024, suffixes = 'KMGTPE'): string {
  if (bytes < base) return String(bytes);
  let value = bytes;
  let unit = -1;
  while (value >= base && unit < suffixes.length - 1) {
    value /= base;
    unit++;
  }
  let rounded = value < 10 ? Math.ceil(value * 10) / 10 : Math.ceil(value);
  if (rounded >= base && unit < suffixes.length - 1) {
    rounded = 1;
    unit++;
  }
  return (rounded < 10 ? rounded.toFixed(1) : String(Math.ceil(rounded))) + suffixes[unit]!;
}

export class Accounts {
  readonly #users = new Map<number, string>();
  readonly #groups = new Map<number, string>();
  readonly #uids = new Map<string, { readonly uid: number; readonly gid: number }>();
  readonly #gids = new Map<string, number>();

  constructor(sys: Syscalls) {
    const read = (path: string): string[][] => {
      try {
        return sys
          .readTextFile(path)
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => line.split(':'));
      } catch (error) {
        if (error instanceof SysError) return [];
        throw error;
      }
    };
    for (const [name = '', , uid, gid] of read('/etc/passwd')) {
      if (!this.#users.has(Number(uid))) this.#users.set(Number(uid), name);
      this.#uids.set(name, { uid: Number(uid), gid: Number(gid) });
    }
    for (const [name = '', , gid] of read('/etc/group')) {
      if (!this.#groups.has(Number(gid))) this.#groups.set(Number(gid), name);
      this.#gids.set(name, Number(gid));
    }
  }

  userName(uid: number): string {
    return this.#users.get(uid) ?? String(uid);
  }
  groupName(gid: number): string {
    return this.#groups.get(gid) ?? String(gid);
  }
  hasUser(uid: number): boolean {
    return this.#users.has(uid);
  }
  hasGroup(gid: number): boolean {
    return this.#groups.has(gid);
  }
  user(name: string): { readonly uid: number; readonly gid: number } | undefined {
    return this.#uids.get(name);
  }
  group(name: string): number | undefined {
    return this.#gids.get(name);
  }
}
