// What the manager knows of its children: who ended how, and when a control group is empty.

import type { Process, WaitResult } from '../kernel/process.ts';
import { isSysError } from '../sim/errno.ts';

export type Ended = Extract<WaitResult, { readonly kind: 'exited' } | { readonly kind: 'signaled' }>;

/** Collects every child of pid 1, its own and adopted orphans, as they end. */
export class Reaper {
  readonly #process: Process;
  readonly #watched = new Map<number, (ended: Ended) => void>();

  constructor(process: Process) {
    this.#process = process;
    process.sys.onSignal('SIGCHLD', () => this.#collect());
  }

  /** Calls `listener` once when the child ends. */
  watch(pid: number, listener: (ended: Ended) => void): void {
    this.#watched.set(pid, listener);
  }

  /** Resolves when the child ended. */
  ended(pid: number): Promise<Ended> {
    return this.#process.sys.block((resolve) => {
      this.watch(pid, resolve);
      return { dispose: () => this.#watched.delete(pid) };
    });
  }

  #collect(): void {
    const collect = async (): Promise<void> => {
      for (;;) {
        const result = await waitNoHang(this.#process);
        if (result === undefined) return;
        if (result.kind !== 'exited' && result.kind !== 'signaled') continue;
        const listener = this.#watched.get(result.pid);
        this.#watched.delete(result.pid);
        listener?.(result);
      }
    };
    void collect();
  }
}

async function waitNoHang(process: Process): Promise<WaitResult | undefined> {
  try {
    return await process.sys.wait(-1, { noHang: true });
  } catch (error) {
    if (isSysError(error, 'ECHILD')) return undefined;
    throw error;
  }
}

/** Pids whose control group is `cgroup` or below it. */
export function membersOf(process: Process, cgroup: string): readonly number[] {
  return process.sys
    .processes()
    .filter((info) => info.state !== 'Z' && (info.cgroup === cgroup || info.cgroup.startsWith(`${cgroup}/`)))
    .map((info) => info.pid);
}

/** Waits until the group is empty or the time is up; says whether it is empty. */
export async function emptied(process: Process, pids: () => readonly number[], timeoutMs: number): Promise<boolean> {
  const { sys } = process;
  if (pids().length === 0) return true;
  return sys.block<boolean>((resolve) => {
    const timer = timeoutMs === Infinity ? undefined : sys.clock.setTimer(timeoutMs, () => done(false));
    const exits = sys.kernel.onExit(() => {
      if (pids().length === 0) done(true);
    });
    const dispose = (): void => {
      timer?.dispose();
      exits.dispose();
    };
    const done = (isEmpty: boolean): void => {
      dispose();
      resolve(isEmpty);
    };
    return { dispose };
  });
}

/** ESRCH is what the sender wanted. */
export function signalIfAlive(process: Process, pid: number, signal: Parameters<Process['sys']['kill']>[1]): void {
  try {
    process.sys.kill(pid, signal);
  } catch (error) {
    if (!isSysError(error, 'ESRCH')) throw error;
  }
}
