// Signal numbers of Linux on x86_64, as exit statuses and docker's --signal need them.

import type { SignalName, WaitResult } from '../../kernel/process.ts';

const NUMBERS: Readonly<Record<SignalName, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGWINCH: 28,
};

/** `TERM`, `SIGTERM`, `15`; undefined when there is no such signal. */
export function parseSignal(text: string): SignalName | undefined {
  const names = Object.keys(NUMBERS) as SignalName[];
  if (/^\d+$/.test(text)) return names.find((name) => NUMBERS[name] === Number(text));
  const upper = text.toUpperCase();
  return names.find((name) => name === upper || name === `SIG${upper}`);
}

/** What a shell and docker make of a process's end: its status, or 128 and the signal. */
export function exitCodeOf(result: WaitResult): number {
  if (result.kind === 'exited') return result.status;
  if (result.kind === 'signaled') return 128 + NUMBERS[result.signal];
  return 0;
}
