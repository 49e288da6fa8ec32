// Jobs of a shell: background pipelines and stopped ones.

import type { SignalName, Syscalls, WaitResult } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';

export interface JobProcess {
  readonly pid: number;
  status: number | undefined;
  signal: SignalName | undefined;
  isStopped: boolean;
}

export interface Job {
  readonly number: number;
  readonly group: number;
  readonly processes: JobProcess[];
  readonly command: string;
  /** Runs in the foreground now. */
  isForeground: boolean;
  /** What has been told to the user. */
  notified: 'running' | 'stopped' | 'done' | undefined;
  isDisowned: boolean;
}

export const SIGNALS: readonly (SignalName | undefined)[] = buildSignals();

function buildSignals(): (SignalName | undefined)[] {
  const out: (SignalName | undefined)[] = [];
  const numbers: readonly (readonly [number, SignalName])[] = [
    [1, 'SIGHUP'],
    [2, 'SIGINT'],
    [3, 'SIGQUIT'],
    [4, 'SIGILL'],
    [5, 'SIGTRAP'],
    [6, 'SIGABRT'],
    [7, 'SIGBUS'],
    [8, 'SIGFPE'],
    [9, 'SIGKILL'],
    [10, 'SIGUSR1'],
    [11, 'SIGSEGV'],
    [12, 'SIGUSR2'],
    [13, 'SIGPIPE'],
    [14, 'SIGALRM'],
    [15, 'SIGTERM'],
    [17, 'SIGCHLD'],
    [18, 'SIGCONT'],
    [19, 'SIGSTOP'],
    [20, 'SIGTSTP'],
    [21, 'SIGTTIN'],
    [22, 'SIGTTOU'],
    [28, 'SIGWINCH'],
  ];
  for (const [number, name] of numbers) out[number] = name;
  return out;
}

export function signalNumber(name: SignalName): number {
  return SIGNALS.indexOf(name);
}

/** `9`, `KILL`, `SIGKILL`, `kill`. */
export function parseSignal(text: string): SignalName | 0 | undefined {
  if (/^\d+$/.test(text)) return text === '0' ? 0 : SIGNALS[Number(text)];
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : 'SIG' + upper;
  return SIGNALS.find((s) => s === name);
}

const DESCRIPTIONS: Partial<Record<SignalName, string>> = {
  SIGHUP: 'Hangup',
  SIGINT: 'Interrupt',
  SIGQUIT: 'Quit',
  SIGILL: 'Illegal instruction',
  SIGTRAP: 'Trace/breakpoint trap',
  SIGABRT: 'Aborted',
  SIGBUS: 'Bus error',
  SIGFPE: 'Floating point exception',
  SIGKILL: 'Killed',
  SIGUSR1: 'User defined signal 1',
  SIGSEGV: 'Segmentation fault',
  SIGUSR2: 'User defined signal 2',
  SIGPIPE: 'Broken pipe',
  SIGALRM: 'Alarm clock',
  SIGTERM: 'Terminated',
};

export function describeSignal(name: SignalName): string {
  return DESCRIPTIONS[name] ?? name;
}

export function statusOf(result: WaitResult): number {
  if (result.kind === 'exited') return result.status & 255;
  if (result.kind === 'continued') return 0;
  return 128 + signalNumber(result.signal);
}

export class JobTable {
  readonly #sys: Syscalls;
  #jobs: Job[] = [];
  /** Most recent last. */
  #recent: Job[] = [];
  /** Statuses of finished children that left the table, for `wait PID`. */
  readonly finished = new Map<number, number>();

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  get all(): readonly Job[] {
    return this.#jobs;
  }

  get current(): Job | undefined {
    return this.#recent.at(-1);
  }

  get previous(): Job | undefined {
    return this.#recent.at(-2);
  }

  add(group: number, pids: readonly number[], command: string): Job {
    const number = this.#jobs.reduce((max, job) => Math.max(max, job.number), 0) + 1;
    const job: Job = {
      number,
      group,
      processes: pids.map((pid) => ({ pid, status: undefined, signal: undefined, isStopped: false })),
      command,
      isForeground: false,
      notified: undefined,
      isDisowned: false,
    };
    this.#jobs.push(job);
    this.#recent.push(job);
    return job;
  }

  remove(job: Job): void {
    this.#jobs = this.#jobs.filter((other) => other !== job);
    this.#recent = this.#recent.filter((other) => other !== job);
    const last = job.processes.at(-1);
    if (last?.status !== undefined) this.finished.set(last.pid, last.status);
  }

  touch(job: Job): void {
    this.#recent = [...this.#recent.filter((other) => other !== job), job];
  }

  /** Takes in what happened to children since, without waiting. */
  async collect(): Promise<void> {
    for (const job of this.#jobs) {
      for (const process of job.processes) {
        if (process.status !== undefined) continue;
        try {
          for (;;) {
            const result = await this.#sys.wait(process.pid, { noHang: true, untraced: true });
            if (result === undefined) break;
            this.record(result);
            if (result.kind === 'exited' || result.kind === 'signaled') break;
          }
        } catch (error) {
          if (!isSysError(error, 'ECHILD')) throw error;
          process.status = 127;
        }
      }
    }
  }

  record(result: WaitResult): void {
    for (const job of this.#jobs) {
      for (const process of job.processes) {
        if (process.pid === result.pid) recordProcess(process, result);
      }
    }
  }

  state(job: Job): 'running' | 'stopped' | 'done' {
    if (job.processes.every((p) => p.status !== undefined)) return 'done';
    return job.processes.some((p) => p.isStopped && p.status === undefined) ? 'stopped' : 'running';
  }

  /** `%1`, `%%`, `%+`, `%-`, `%name`, `%?text`. */
  find(spec: string): Job | 'ambiguous' | undefined {
    const text = spec.startsWith('%') ? spec.slice(1) : spec;
    if (text === '' || text === '%' || text === '+') return this.current;
    if (text === '-') return this.previous ?? this.current;
    if (/^\d+$/.test(text)) return this.#jobs.find((job) => job.number === Number(text));
    const found = this.#jobs.filter((job) => (text.startsWith('?') ? job.command.includes(text.slice(1)) : job.command.startsWith(text)));
    return found.length > 1 ? 'ambiguous' : found[0];
  }
}

export function recordProcess(process: JobProcess, result: WaitResult): void {
  if (result.kind === 'stopped') process.isStopped = true;
  else if (result.kind === 'continued') process.isStopped = false;
  else {
    process.status = statusOf(result);
    process.signal = result.kind === 'signaled' ? result.signal : undefined;
    process.isStopped = false;
  }
}

/** One line of `jobs`. */
export function formatJob(table: JobTable, job: Job, long = false): string {
  const mark = job === table.current ? '+' : job === table.previous ? '-' : ' ';
  const state = table.state(job);
  const last = job.processes.at(-1)!;
  let words: string;
  if (state === 'running') words = 'Running';
  else if (state === 'stopped') words = 'Stopped';
  else if (last.signal !== undefined) words = describeSignal(last.signal);
  else words = last.status === 0 ? 'Done' : `Exit ${last.status}`;
  const pid = long ? `${String(job.group).padStart(5)} ` : '';
  const suffix = state === 'running' ? ' &' : '';
  return `[${job.number}]${mark}  ${pid}${words.padEnd(24)}${job.command}${suffix}`;
}
