// Models systemd-journald's volatile journal (/run/log/journal): the newest entries of this boot.

import type { Database } from '../kernel/kernel.ts';
import type { Syscalls } from '../kernel/process.ts';

/** Entries kept; a lab's journal is read in its newest part only. */
const MAX_ENTRIES = 3000;

export interface JournalEntry {
  /** Wall clock of the machine. */
  readonly timeMs: number;
  readonly unit: string | undefined;
  readonly identifier: string;
  readonly pid: number;
  /** syslog(3): 6 info, 4 warning, 3 error. */
  readonly priority: number;
  readonly message: string;
}

export const JOURNAL_PATH = '/run/log/journal/system.journal';

export class Journald {
  readonly #sys: Syscalls;
  readonly #database: Database;
  #first: number;
  #next: number;

  constructor(sys: Syscalls, options: { readonly isNewBoot: boolean }) {
    this.#sys = sys;
    sys.mkdir('/run/log/journal', { recursive: true });
    this.#database = sys.kernel.database(JOURNAL_PATH);
    const keys = this.#database.entries().map(([key]) => key);
    if (options.isNewBoot) for (const key of keys) this.#database.delete(key);
    const numbers = options.isNewBoot ? [] : keys.map(Number);
    this.#first = numbers[0] ?? 0;
    this.#next = (numbers.at(-1) ?? -1) + 1;
  }

  append(entry: Omit<JournalEntry, 'timeMs'>): void {
    const whole: JournalEntry = { timeMs: this.#sys.now(), ...entry };
    this.#database.put(keyOf(this.#next++), JSON.stringify(whole));
    while (this.#next - this.#first > MAX_ENTRIES) this.#database.delete(keyOf(this.#first++));
  }
}

/** What journalctl reads, oldest first. */
export function readJournal(sys: Syscalls): readonly JournalEntry[] {
  return sys.kernel
    .database(JOURNAL_PATH)
    .entries()
    .map(([, value]) => JSON.parse(value) as JournalEntry);
}

function keyOf(index: number): string {
  return String(index).padStart(10, '0');
}
