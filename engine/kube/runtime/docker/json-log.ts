// Models docker's json-file log driver.

import { text, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Syscalls } from '../../../kernel/process.ts';
import { parseNano, rfc3339Nano } from '../nano-time.ts';

export type LogStream = 'stdout' | 'stderr';

export interface LogEntry {
  readonly log: string;
  readonly stream: LogStream;
  readonly time: string;
}

export interface LogSelection {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Number of last lines; undefined for all. */
  readonly tail: number | undefined;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Cuts a container's output into lines and appends them to its log. */
export class JsonLogWriter {
  readonly #sys: Syscalls;
  readonly #path: string;
  readonly #rest = new Map<LogStream, string>();
  readonly #onEntries: (entries: readonly LogEntry[]) => void;
  #atMs = 0;
  #sequence = 0;

  constructor(sys: Syscalls, path: string, onEntries: (entries: readonly LogEntry[]) => void) {
    this.#sys = sys;
    this.#path = path;
    this.#onEntries = onEntries;
  }

  write(stream: LogStream, bytes: Uint8Array): void {
    const lines = ((this.#rest.get(stream) ?? '') + text(bytes)).split('\n');
    this.#rest.set(stream, lines.pop() ?? '');
    this.#append(lines.map((line) => this.#entry(stream, `${line}\n`)));
  }

  /** The container has ended: what came without a newline is a line too. */
  finish(): void {
    for (const [stream, rest] of this.#rest) if (rest !== '') this.#append([this.#entry(stream, rest)]);
    this.#rest.clear();
  }

  #entry(stream: LogStream, log: string): LogEntry {
    const nowMs = this.#sys.now();
    this.#sequence = nowMs === this.#atMs ? this.#sequence + 1 : 0;
    this.#atMs = nowMs;
    return { log, stream, time: rfc3339Nano(nowMs, this.#sequence) };
  }

  #append(entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    this.#sys.writeFile(this.#path, utf8(entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')), { append: true, mode: 0o640 });
    this.#onEntries(entries);
  }
}

export function parseLogLine(line: string): LogEntry | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line) as LogEntry;
  } catch (error) {
    // A line cut off by a power loss.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The entries of a log file that a selection wants; a missing file is an empty log. */
export function readLog(sys: Syscalls, path: string, selection: LogSelection): readonly LogEntry[] {
  let contents: string;
  try {
    contents = sys.readTextFile(path);
  } catch (error) {
    if (isSysError(error, 'ENOENT')) return [];
    throw error;
  }
  const all = contents
    .split('\n')
    .map(parseLogLine)
    .filter((entry): entry is LogEntry => entry !== undefined && isSelected(entry, selection));
  if (selection.tail === undefined) return all;
  return selection.tail === 0 ? [] : all.slice(-selection.tail);
}

export function isSelected(entry: LogEntry, selection: LogSelection): boolean {
  if (!selection[entry.stream]) return false;
  const atMs = parseNano(entry.time);
  return atMs >= selection.sinceMs && atMs <= selection.untilMs;
}
