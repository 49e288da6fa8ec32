// jobs, fg, bg, wait, kill, disown, suspend, trap.

import { isSysError, SysError } from '../../../sim/errno.ts';
import type { Interpreter } from '../interpreter.ts';
import { describeSignal, formatJob, parseSignal, SIGNALS, signalNumber, statusOf, type Job } from '../jobs.ts';
import { waitForeground } from '../pipeline.ts';
import { singleQuote } from '../printf.ts';
import { wait, type Task } from '../task.ts';
import { takeOptions, usage, type Builtin } from './types.ts';

function* findJob(shell: Interpreter, spec: string | undefined, command: string): Task<Job | undefined> {
  const found = shell.jobs.find(spec ?? '%%');
  if (found === 'ambiguous') {
    yield* shell.builtinError(command, `${spec}: ambiguous job spec`);
    return undefined;
  }
  if (found === undefined) yield* shell.builtinError(command, `${spec ?? 'current'}: no such job`);
  return found;
}

function* jobs(shell: Interpreter, args: readonly string[]): Task<number> {
  const { options, rest, bad } = takeOptions(args, 'lnprs');
  if (bad !== undefined) return yield* usage(shell, 'jobs', bad, 'jobs [-lnprs] [jobspec ...] or jobs -x command [args]');
  yield* wait(shell.jobs.collect());
  const wanted: Job[] = [];
  for (const spec of rest) {
    const job = yield* findJob(shell, spec, 'jobs');
    if (job === undefined) return 1;
    wanted.push(job);
  }
  for (const job of rest.length > 0 ? wanted : [...shell.jobs.all]) {
    const state = shell.jobs.state(job);
    if (options.has('r') && state !== 'running') continue;
    if (options.has('s') && state !== 'stopped') continue;
    yield* shell.out((options.has('p') ? String(job.group) : formatJob(shell.jobs, job, options.has('l'))) + '\n', 'jobs');
    if (state === 'done') shell.jobs.remove(job);
  }
  return 0;
}

function* resume(shell: Interpreter, args: readonly string[], command: 'fg' | 'bg'): Task<number> {
  if (!shell.hasJobControl) {
    yield* shell.builtinError(command, 'no job control');
    return 1;
  }
  yield* wait(shell.jobs.collect());
  let status = 0;
  for (const spec of args.length === 0 ? [undefined] : args) {
    const job = yield* findJob(shell, spec, command);
    if (job === undefined) return 1;
    const state = shell.jobs.state(job);
    if (state === 'done') {
      yield* shell.builtinError(command, 'job has terminated');
      return 1;
    }
    if (command === 'bg' && state === 'running') {
      yield* shell.builtinError('bg', `job ${job.number} already in background`);
      continue;
    }
    shell.jobs.touch(job);
    const mark = job === shell.jobs.current ? '+' : '-';
    yield* shell.out(command === 'fg' ? `${job.command}\n` : `[${job.number}]${mark} ${job.command} &\n`, command);
    for (const process of job.processes) process.isStopped = false;
    job.notified = 'running';
    const tty = shell.sys.controllingTty();
    if (command === 'fg' && tty !== undefined) tty.foregroundGroup = job.group;
    shell.sys.kill(-job.group, 'SIGCONT');
    if (command === 'fg')
      status = yield* waitForeground(
        shell,
        job.processes.map((p) => p.pid),
        job.group,
        () => job.command,
        job,
      );
  }
  return status;
}

function* waitFor(shell: Interpreter, args: readonly string[]): Task<number> {
  let status = 0;
  const waitPid = function* (pid: number): Task<number | undefined> {
    const result = yield* shell.interruptible((signal) => shell.sys.wait(pid, { signal }));
    if (result === undefined) return undefined;
    shell.jobs.record(result);
    return statusOf(result);
  };
  const interrupted = function* (): Task<number> {
    if (shell.isInterrupted) {
      yield* shell.tick();
      return 130;
    }
    yield* shell.runPendingTraps();
    return 130;
  };
  if (args.length === 0) {
    for (;;) {
      const job = shell.jobs.all.find((j) => shell.jobs.state(j) === 'running');
      if (job === undefined) break;
      for (const process of job.processes) {
        while (process.status === undefined) {
          try {
            if ((yield* waitPid(process.pid)) === undefined) return yield* interrupted();
          } catch (error) {
            if (!isSysError(error, 'ECHILD')) throw error;
            process.status = 127;
          }
        }
      }
      if (!shell.isInteractive) shell.jobs.remove(job);
    }
    for (const pid of shell.substitutionPids.splice(0)) {
      try {
        yield* waitPid(pid);
      } catch (error) {
        if (!isSysError(error, 'ECHILD')) throw error;
      }
    }
    return 0;
  }
  for (const arg of args) {
    if (arg.startsWith('%')) {
      const job = yield* findJob(shell, arg, 'wait');
      if (job === undefined) return 127;
      for (const process of job.processes) {
        while (process.status === undefined) if ((yield* waitPid(process.pid)) === undefined) return yield* interrupted();
      }
      status = job.processes.at(-1)!.status ?? 0;
      shell.jobs.remove(job);
      continue;
    }
    if (!/^\d+$/.test(arg)) {
      yield* shell.builtinError('wait', `\`${arg}': not a pid or valid job spec`);
      status = 1;
      continue;
    }
    const pid = Number(arg);
    const job = shell.jobs.all.find((j) => j.processes.some((p) => p.pid === pid));
    const known = job?.processes.find((p) => p.pid === pid)?.status ?? shell.jobs.finished.get(pid);
    if (known !== undefined) {
      status = known;
      continue;
    }
    try {
      const got = yield* waitPid(pid);
      if (got === undefined) return yield* interrupted();
      status = got;
      if (job !== undefined && !shell.isInteractive && shell.jobs.state(job) === 'done') shell.jobs.remove(job);
    } catch (error) {
      if (!isSysError(error, 'ECHILD')) throw error;
      yield* shell.builtinError('wait', `pid ${pid} is not a child of this shell`);
      status = 127;
    }
  }
  return status;
}

function* kill(shell: Interpreter, args: readonly string[]): Task<number> {
  const USAGE = 'kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n';
  let signal: ReturnType<typeof parseSignal> = 'SIGTERM';
  let at = 0;
  const first = args[0];
  if (first === undefined) {
    yield* shell.errorText(USAGE);
    return 2;
  }
  if (first === '-l' || first === '-L') {
    if (args.length === 1) {
      let text = '';
      const known = SIGNALS.flatMap((name, number) => (name === undefined ? [] : [`${String(number).padStart(2)}) ${name}`]));
      known.forEach((item, i) => (text += item + ((i + 1) % 5 === 0 || i === known.length - 1 ? '\n' : '\t')));
      return yield* shell.out(text, 'kill');
    }
    for (const arg of args.slice(1)) {
      const number = Number(arg);
      const found = /^\d+$/.test(arg) ? SIGNALS[number > 128 ? number - 128 : number] : parseSignal(arg);
      if (found === undefined || found === 0) {
        yield* shell.builtinError('kill', `${arg}: invalid signal specification`);
        return 1;
      }
      yield* shell.out(`${/^\d+$/.test(arg) ? found.slice(3) : signalNumber(found)}\n`, 'kill');
    }
    return 0;
  }
  if (first === '-s' || first === '-n') {
    signal = parseSignal(args[1] ?? '');
    at = 2;
    if (signal === undefined) {
      yield* shell.builtinError('kill', `${args[1] ?? ''}: invalid signal specification`);
      return 1;
    }
  } else if (first === '--') at = 1;
  else if (/^-./.test(first)) {
    signal = parseSignal(first.slice(1));
    at = 1;
    if (signal === undefined) {
      yield* shell.builtinError('kill', `${first.slice(1)}: invalid signal specification`);
      return 1;
    }
  }
  if (args[at] === '--') at++;
  if (at >= args.length) {
    yield* shell.errorText(USAGE);
    return 2;
  }
  let status = 0;
  for (const target of args.slice(at)) {
    try {
      if (target.startsWith('%')) {
        const job = yield* findJob(shell, target, 'kill');
        if (job === undefined) {
          status = 1;
          continue;
        }
        if (shell.hasJobControl) shell.sys.kill(-job.group, signal);
        else for (const process of job.processes) shell.sys.kill(process.pid, signal);
        if (shell.jobs.state(job) === 'stopped' && (signal === 'SIGTERM' || signal === 'SIGHUP')) shell.sys.kill(-job.group, 'SIGCONT');
      } else if (!/^-?\d+$/.test(target)) {
        yield* shell.builtinError('kill', `${target}: arguments must be process or job IDs`);
        status = 1;
      } else shell.sys.kill(Number(target), signal);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      yield* shell.builtinError('kill', `(${target}) - ${error.strerror}`);
      status = 1;
    }
  }
  return status;
}

const PSEUDO = ['EXIT', 'ERR', 'DEBUG', 'RETURN'];

function* trap(shell: Interpreter, args: readonly string[]): Task<number> {
  const { options, rest, bad } = takeOptions(args, 'lp');
  if (bad !== undefined) return yield* usage(shell, 'trap', bad, 'trap [-lp] [[arg] signal_spec ...]');
  const nameOf = (spec: string): string | undefined => {
    if (spec === '0') return 'EXIT';
    const upper = spec.toUpperCase().replace(/^SIG/, '');
    if (PSEUDO.includes(upper)) return upper;
    const signal = parseSignal(spec);
    return signal === undefined || signal === 0 ? undefined : signal.slice(3);
  };
  if (options.has('l')) return yield* kill(shell, ['-l']);
  if (rest.length === 0 || options.has('p')) {
    const order = ['EXIT', ...SIGNALS.map((s) => s?.slice(3) ?? ''), 'ERR', 'DEBUG', 'RETURN'];
    const wanted = rest.map(nameOf);
    let text = '';
    for (const name of order) {
      const action = shell.traps.get(name);
      if (action === undefined || (rest.length > 0 && !wanted.includes(name))) continue;
      text += `trap -- ${singleQuote(action)} ${PSEUDO.includes(name) ? name : 'SIG' + name}\n`;
    }
    return yield* shell.out(text, 'trap');
  }
  let action: string | undefined = rest[0]!;
  let specs = rest.slice(1);
  if (action === '-') action = undefined;
  else if (specs.length === 0 || (/^\d+$/.test(action) && nameOf(action) !== undefined)) {
    // `trap INT` alone resets.
    if (specs.length === 0 && nameOf(action) === undefined) {
      yield* shell.errorText('trap: usage: trap [-lp] [[arg] signal_spec ...]\n');
      return 2;
    }
    specs = [...rest];
    action = undefined;
  }
  let status = 0;
  for (const spec of specs) {
    const name = nameOf(spec);
    if (name === undefined) {
      yield* shell.builtinError('trap', `${spec}: invalid signal specification`);
      status = 1;
    } else shell.setTrap(name, action);
  }
  return status;
}

export const JOB_BUILTINS: Readonly<Record<string, Builtin['run']>> = {
  jobs,
  fg: (shell, args) => resume(shell, args, 'fg'),
  bg: (shell, args) => resume(shell, args, 'bg'),
  wait: waitFor,
  kill,
  *disown(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'ahr');
    if (bad !== undefined) return yield* usage(shell, 'disown', bad, 'disown [-h] [-ar] [jobspec ...]');
    if (options.has('a')) for (const job of [...shell.jobs.all]) shell.jobs.remove(job);
    else {
      for (const spec of rest.length === 0 ? [undefined] : rest) {
        const byPid = spec !== undefined && /^\d+$/.test(spec) ? shell.jobs.all.find((j) => j.group === Number(spec)) : undefined;
        const job = byPid ?? (yield* findJob(shell, spec, 'disown'));
        if (job === undefined) return 1;
        if (options.has('h')) job.isDisowned = true;
        else shell.jobs.remove(job);
      }
    }
    return 0;
  },
  *suspend(shell) {
    if (shell.isLogin) {
      yield* shell.builtinError('suspend', 'cannot suspend a login shell');
      return 1;
    }
    shell.sys.onSignal('SIGTSTP', 'default');
    shell.sys.kill(shell.process.pid, 'SIGSTOP');
    shell.resetSignal('SIGTSTP');
    return 0;
  },
  trap,
};
void describeSignal;
