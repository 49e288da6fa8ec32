// Pipelines: all stages at once, each in a process of its own; foreground waiting and background starting.

import type { CommandNode, Pipeline, Statement } from 'unbash';
import type { Tty, WaitResult } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';
import { executeNode } from './execute.ts';
import type { Interpreter } from './interpreter.ts';
import { describeSignal, formatJob, recordProcess, statusOf, type Job, type JobProcess } from './jobs.ts';
import { wait, type Task } from './task.ts';

export function* runPipeline(shell: Interpreter, node: Pipeline): Task<number> {
  const mayReplace = shell.mayReplace;
  shell.mayReplace = false;
  const time = node.prefixes.find((prefix) => prefix.type === 'Time');
  const isNegated = node.prefixes.filter((prefix) => prefix.type === 'Negation').length % 2 === 1;
  const startMs = shell.sys.now();
  const startCpuMs = time === undefined ? 0 : cpuMs(shell);
  let status: number;
  if (isNegated) shell.unchecked++;
  try {
    const [only] = node.commands;
    if (node.commands.length === 0) status = 0;
    else if (node.commands.length === 1 && only!.type !== 'Subshell') {
      if (time === undefined && !isNegated) shell.mayReplace = mayReplace;
      status = yield* executeNode(shell, only!);
    } else {
      status = yield* runStages(shell, node);
      if (!isNegated) yield* shell.failed(status);
    }
  } finally {
    if (isNegated) shell.unchecked--;
  }
  if (isNegated && shell.flow === undefined) shell.status = status = status === 0 ? 1 : 0;
  if (time !== undefined) {
    const real = shell.sys.now() - startMs;
    const cpu = Math.max(0, cpuMs(shell) - startCpuMs);
    yield* shell.errorText(formatTimes(shell, real, cpu, time.type === 'Time' && time.posix !== undefined));
  }
  return status;
}

function cpuMs(shell: Interpreter): number {
  return shell.sys.processes().find((p) => p.pid === shell.process.pid)?.cpuMs ?? 0;
}

function formatTimes(shell: Interpreter, realMs: number, cpu: number, isPosix: boolean): string {
  if (isPosix) return `real ${(realMs / 1000).toFixed(2)}\nuser ${(cpu / 1000).toFixed(2)}\nsys 0.00\n`;
  const format = shell.variables.get('TIMEFORMAT') ?? '\nreal\t%3lR\nuser\t%3lU\nsys\t%3lS';
  if (format === '') return '';
  const long = (ms: number, digits: number): string => `${Math.floor(ms / 60_000)}m${((ms % 60_000) / 1000).toFixed(digits)}s`;
  const values: Record<string, number> = { R: realMs, U: cpu, S: 0 };
  return (
    format.replace(/%(?:(\d)?(l)?([RUS])|(P)|(%))/g, (_, digits?: string, l?: string, which?: string, p?: string) => {
      if (p !== undefined) return '0.00';
      if (which === undefined) return '%';
      const ms = values[which]!;
      const precision = Math.min(3, Number(digits ?? 3));
      return l === undefined ? (ms / 1000).toFixed(precision) : long(ms, precision);
    }) + '\n'
  );
}

/** The text of a job, as `jobs` shows it. */
export function jobText(shell: Interpreter, node: { readonly pos: number; readonly end: number }): string {
  const source = shell.frame.text.slice(node.pos, node.end).replace(/\s*&\s*$/, '');
  return source
    .replace(/\\\n/g, '')
    .replace(/\s*\n\s*/g, '; ')
    .replace(/\s+/g, ' ')
    .replace(/\b(do|then|else|\{); /g, '$1 ');
}

function* runStages(shell: Interpreter, node: Pipeline): Task<number> {
  const { pids, group } = startStages(shell, node.commands, node.operators, { isBackground: false });
  const result = yield* waitForeground(shell, pids, group, () => jobText(shell, node));
  return result;
}

interface StartedStages {
  readonly pids: readonly number[];
  readonly group: number;
}

function startStages(
  shell: Interpreter,
  commands: readonly CommandNode[],
  operators: readonly string[],
  options: { readonly isBackground: boolean },
): StartedStages {
  const { sys } = shell;
  const pids: number[] = [];
  const ends: number[] = [];
  let group = 0;
  let input: number | undefined;
  // The parent holds both ends of every pipe until all stages are there.
  const base = shell.childDescriptors();
  for (const [i, command] of commands.entries()) {
    const fds = new Map(base);
    if (input !== undefined) fds.set(0, input);
    else if (options.isBackground && !shell.hasJobControl) {
      const nothing = sys.open('/dev/null', { read: true });
      ends.push(nothing);
      fds.set(0, nothing);
    }
    if (i < commands.length - 1) {
      const [readEnd, writeEnd] = sys.pipe();
      ends.push(readEnd, writeEnd);
      input = readEnd;
      fds.set(1, writeEnd);
      if (operators[i] === '|&') fds.set(2, writeEnd);
    }
    const pid = shell.forkShell(
      (child) => {
        child.mayReplace = true;
        child.hasJobControl = false;
        return executeNode(child, command);
      },
      fds,
      {
        ...(shell.hasJobControl ? { processGroup: group } : {}),
        ...(shell.hasJobControl && !options.isBackground && i === 0 ? { foreground: true } : {}),
        isBackground: options.isBackground,
      },
    );
    if (i === 0 && shell.hasJobControl) group = pid;
    pids.push(pid);
  }
  for (const fd of ends) sys.close(fd);
  return { pids, group: group === 0 ? (pids[0] ?? 0) : group };
}

/** Waits for a foreground job; a stopped one becomes a job of the table. Sets PIPESTATUS and the status. */
export function* waitForeground(
  shell: Interpreter,
  pids: readonly number[],
  group: number,
  describe: () => string,
  existing?: Job,
): Task<number> {
  const { sys } = shell;
  const tty = shell.hasJobControl ? sys.controllingTty() : undefined;
  const processes: JobProcess[] =
    existing?.processes ?? pids.map((pid) => ({ pid, status: undefined, signal: undefined, isStopped: false }));
  const termios = tty?.termios;
  let wasInterrupted = false;
  if (!shell.isInteractive && !shell.traps.has('INT') && shell.subshellLevel === 0) {
    sys.onSignal('SIGINT', () => {
      wasInterrupted = true;
    });
  }
  let isStopped = false;
  for (const process of processes) {
    while (process.status === undefined && !isStopped) {
      let result: WaitResult | undefined;
      try {
        result = yield* wait(sys.wait(process.pid, { untraced: shell.hasJobControl }));
      } catch (error) {
        if (!isSysError(error, 'ECHILD')) throw error;
        process.status = 127;
        break;
      }
      if (result === undefined) continue;
      recordProcess(process, result);
      if (result.kind === 'stopped') isStopped = true;
    }
    if (isStopped) break;
  }
  const last = processes.at(-1)!;
  if (!shell.isInteractive && !shell.traps.has('INT') && shell.subshellLevel === 0) {
    sys.onSignal('SIGINT', 'default');
    if (wasInterrupted && processes.some((p) => p.signal === 'SIGINT'))
      sys.kill(sys.processes().length >= 0 ? shell.process.pid : 0, 'SIGINT');
  }
  if (tty !== undefined) takeTerminal(shell, tty);
  if (isStopped) {
    if (tty !== undefined && termios !== undefined) tty.termios = termios;
    const job = existing ?? shell.jobs.add(group, pids, describe());
    if (existing === undefined) job.processes.splice(0, job.processes.length, ...processes);
    for (const process of job.processes) if (process.status === undefined) process.isStopped = true;
    job.isForeground = false;
    shell.jobs.touch(job);
    job.notified = 'stopped';
    yield* shell.errorText(`\n${formatJob(shell.jobs, job)}\n`);
    return (shell.status = 148);
  }
  if (existing !== undefined) shell.jobs.remove(existing);
  shell.variables.setList(
    'PIPESTATUS',
    processes.map((p) => String(p.status ?? 0)),
  );
  let status = last.status ?? 0;
  if (shell.option('pipefail')) status = processes.reduce((sum, p) => ((p.status ?? 0) !== 0 ? p.status! : sum), 0);
  shell.status = status;
  const killed = processes.find((p) => p.signal !== undefined && p.signal !== 'SIGPIPE') ?? undefined;
  if (killed?.signal !== undefined) {
    if (tty !== undefined && termios !== undefined) tty.termios = termios;
    if (killed.signal === 'SIGINT') {
      if (shell.isInteractive) {
        shell.interrupt();
        yield* shell.tick();
      }
    } else if (last.signal !== undefined && last.signal !== 'SIGPIPE') yield* reportKilled(shell, last, describe());
  }
  return status;
}

function* reportKilled(shell: Interpreter, process: JobProcess, command: string): Task<void> {
  const words = describeSignal(process.signal!);
  if (shell.isInteractive) yield* shell.errorText(`${words}\n`);
  else yield* shell.errorText(`${shell.name}: line ${shell.line}: ${String(process.pid).padStart(5)} ${words.padEnd(23)} ${command}\n`);
}

export function takeTerminal(shell: Interpreter, tty: Tty): void {
  const own = ownGroup(shell);
  if (tty.foregroundGroup !== own) tty.foregroundGroup = own;
}

export function ownGroup(shell: Interpreter): number {
  return shell.sys.processes().find((p) => p.pid === shell.process.pid)?.group ?? shell.process.pid;
}

export function* startBackground(shell: Interpreter, statement: Statement): Task<number> {
  const node = statement.command;
  const isPlain = node.type === 'Pipeline' && node.prefixes.length === 0;
  const commands: readonly CommandNode[] = isPlain ? node.commands : [asCommand(statement)];
  const { pids, group } = startStages(shell, commands, isPlain ? node.operators : [], { isBackground: true });
  shell.lastBackground = pids.at(-1);
  const job = shell.jobs.add(group, pids, jobText(shell, statement));
  job.notified = 'running';
  if (shell.isInteractive && shell.hasJobControl) yield* shell.errorText(`[${job.number}] ${pids.at(-1)}\n`);
  return (shell.status = 0);
}

function asCommand(statement: Statement): CommandNode {
  const node = statement.command;
  if (node.type !== 'AndOr' && node.type !== 'Pipeline') return node;
  // A list in the background is a brace group in a subshell.
  return {
    type: 'BraceGroup',
    pos: node.pos,
    end: node.end,
    body: { type: 'CompoundList', pos: node.pos, end: node.end, commands: [{ ...statement, background: undefined }] },
  };
}

/** What an interactive shell tells before a prompt. */
export function* notifyJobs(shell: Interpreter): Task<void> {
  yield* wait(shell.jobs.collect());
  for (const job of [...shell.jobs.all]) {
    const state = shell.jobs.state(job);
    if (state === 'done') {
      if (shell.isInteractive && !job.isDisowned) yield* shell.errorText(`${formatJob(shell.jobs, job)}\n`);
      shell.jobs.remove(job);
    } else if (state === 'stopped' && job.notified !== 'stopped') {
      job.notified = 'stopped';
      if (shell.isInteractive) yield* shell.errorText(`\n${formatJob(shell.jobs, job)}\n`);
    }
  }
}

void statusOf;
