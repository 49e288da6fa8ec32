// Builtins that steer: break, continue, return, exit, eval, source, exec, command, builtin, true, false, test.

import { ProcessExit } from '../../../kernel/process.ts';
import { isSysError, SysError } from '../../../sim/errno.ts';
import { toText } from '../../bytes.ts';
import { isVariableSet } from '../execute.ts';
import type { Interpreter } from '../interpreter.ts';
import { wait, type Task } from '../task.ts';
import { callFunction, findInPath, hashedPath, ignoredSignals, replaceProcess } from '../simple.ts';
import { evaluateTest, TestError } from '../test.ts';
import { waitForeground } from '../pipeline.ts';
import { findBuiltin } from './index.ts';
import { takeOptions, usage, type Builtin } from './types.ts';
import { describeCommand } from './names.ts';

function* loopControl(shell: Interpreter, args: readonly string[], kind: 'break' | 'continue'): Task<number> {
  if (shell.loopDepth === 0) {
    yield* shell.builtinError(kind, "only meaningful in a `for', `while', or `until' loop");
    return 0;
  }
  const given = args[0] ?? '1';
  if (!/^[+-]?\d+$/.test(given)) {
    yield* shell.builtinError(kind, `${given}: numeric argument required`);
    shell.flow = { kind: 'exit' };
    return 128;
  }
  const levels = Number(given);
  if (levels < 1) {
    yield* shell.builtinError(kind, `${given}: loop count out of range`);
    shell.flow = { kind: 'break', levels: shell.loopDepth };
    return 1;
  }
  shell.flow = { kind, levels: Math.min(levels, shell.loopDepth) };
  return 0;
}

function* statusArgument(shell: Interpreter, name: string, args: readonly string[]): Task<number> {
  const given = args[0] === '--' ? args[1] : args[0];
  if (given === undefined) return shell.status;
  if (!/^\s*[+-]?\d+\s*$/.test(given)) {
    yield* shell.builtinError(name, `${given}: numeric argument required`);
    return name === 'exit' || name === 'logout' ? 255 : 255;
  }
  return Number(BigInt.asUintN(8, BigInt(given.trim())));
}

function* exit(shell: Interpreter, args: readonly string[]): Task<number> {
  if (shell.isInteractive && shell.subshellLevel === 0 && shell.sourceDepth === 0) {
    yield* shell.errorText(shell.isLogin ? 'logout\n' : 'exit\n');
    const stopped = shell.jobs.all.some((job) => shell.jobs.state(job) === 'stopped');
    if (stopped && !shell.hasWarnedOfJobs) {
      shell.hasWarnedOfJobs = true;
      yield* shell.errorText('There are stopped jobs.\n');
      return 1;
    }
  }
  if (args.length > 1 && /^\s*[+-]?\d+\s*$/.test(args[0]!)) {
    yield* shell.builtinError('exit', 'too many arguments');
    return 1;
  }
  const status = yield* statusArgument(shell, 'exit', args);
  shell.status = status;
  shell.flow = { kind: 'exit' };
  return status;
}

function* source(shell: Interpreter, args: readonly string[], name: string): Task<number> {
  const [file, ...rest] = args[0] === '--' ? args.slice(1) : args;
  if (file === undefined) {
    yield* shell.builtinError(name, 'filename argument required');
    yield* shell.errorText(`${name}: usage: ${name} filename [arguments]\n`);
    return 2;
  }
  let path = file;
  if (!file.includes('/')) {
    for (const directory of (shell.variables.get('PATH') ?? '').split(':')) {
      const candidate = `${directory === '' ? '.' : directory}/${file}`;
      try {
        if (shell.sys.stat(candidate).kind === 'file') {
          path = candidate;
          break;
        }
      } catch (error) {
        if (!isSysError(error)) throw error;
      }
    }
  }
  let text: string;
  try {
    if (shell.sys.stat(path).kind === 'directory') {
      yield* shell.builtinError(name, `${file}: is a directory`);
      return 1;
    }
    text = yield* readWhole(shell, path);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    yield* shell.error(`${file}: ${error.strerror}`);
    if (shell.isPosix && !shell.isInteractive) shell.flow = { kind: 'exit' };
    return 1;
  }
  const outer = shell.args;
  if (rest.length > 0) shell.args = rest;
  shell.sourceDepth++;
  shell.calls.unshift({ function: 'source', source: path, line: shell.line });
  const wasInteractive = shell.isInteractive;
  const outerName = shell.name;
  try {
    const status = yield* shell.runText(text, { name: path, lineOffset: 0 });
    if (shell.flow?.kind === 'return') shell.flow = undefined;
    return shell.flow === undefined ? shell.status : status;
  } finally {
    shell.isInteractive = wasInteractive;
    shell.name = outerName;
    shell.calls.shift();
    shell.sourceDepth--;
    if (rest.length > 0) shell.args = outer;
  }
}

/** A file's text; pipes (process substitutions) are read to their end. */
export function* readWhole(shell: Interpreter, path: string): Task<string> {
  const fd = shell.sys.open(path, { read: true });
  try {
    const chunks: number[] = [];
    const file = shell.sys.file(fd);
    for (;;) {
      const chunk = yield* wait(file.read());
      if (chunk === undefined) break;
      for (const byte of chunk) chunks.push(byte);
    }
    return toText(Uint8Array.from(chunks));
  } finally {
    shell.sys.close(fd);
  }
}

function* exec(shell: Interpreter, args: readonly string[]): Task<number> {
  const { options, rest, bad } = takeOptions(args, 'cla:');
  if (bad !== undefined) return yield* usage(shell, 'exec', bad, 'exec [-cl] [-a name] [command [arguments ...]] [redirection ...]');
  if (rest.length === 0) return 0;
  const name = rest[0]!;
  const path = name.includes('/') ? name : hashedPath(shell, name);
  const fail = function* (message: string, status: number): Task<number> {
    yield* shell.builtinError('exec', message);
    if (!shell.isInteractive && !shell.option('execfail')) {
      shell.status = status;
      shell.flow = { kind: 'exit' };
    }
    return status;
  };
  if (path === undefined) return yield* fail(`${name}: not found`, 127);
  const argv = [...rest];
  if (options.has('a')) argv[0] = options.get('a')!;
  if (options.has('l')) argv[0] = '-' + argv[0];
  try {
    return yield* replaceProcess(shell, path, argv, options.has('c') ? new Map() : shell.variables.environment());
  } catch (error) {
    if (error instanceof ProcessExit || !(error instanceof SysError)) throw error;
    return yield* fail(
      `${name}: ${error.errno === 'ENOEXEC' ? 'cannot execute binary file' : `cannot execute: ${error.strerror}`}`,
      error.errno === 'ENOENT' ? 127 : 126,
    );
  }
}

function* command(shell: Interpreter, args: readonly string[], context: Parameters<Builtin['run']>[2]): Task<number> {
  const { options, rest, bad } = takeOptions(args, 'pvV');
  if (bad !== undefined) return yield* usage(shell, 'command', bad, 'command [-pVv] command [arg ...]');
  if (rest.length === 0) return 0;
  if (options.has('v') || options.has('V')) {
    let status = 1;
    for (const name of rest) {
      const found = describeCommand(shell, name, options.has('V') ? 'long' : 'short', false);
      if (found.length > 0) {
        status = 0;
        yield* shell.out(found.map((line) => line + '\n').join(''), 'command');
      } else if (options.has('V')) yield* shell.builtinError('command', `${name}: not found`);
    }
    return status;
  }
  const builtin = findBuiltin(rest[0]!);
  if (builtin !== undefined) return yield* builtin.run(shell, rest.slice(1), { ...context, name: rest[0]! });
  const path = rest[0]!.includes('/')
    ? rest[0]!
    : options.has('p')
      ? findInPath(shell, rest[0]!, '/usr/bin:/bin:/usr/sbin:/sbin')
      : hashedPath(shell, rest[0]!);
  if (path === undefined) {
    yield* shell.error(`${rest[0]}: command not found`);
    return 127;
  }
  let pid: number;
  try {
    pid = shell.sys.spawn(path, rest, {
      env: shell.variables.environment(),
      fds: shell.childDescriptors(),
      ...(shell.hasJobControl ? { processGroup: 0, foreground: true } : {}),
      ...ignoredSignals(shell),
    });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    yield* shell.error(`${rest[0]}: ${error.strerror}`);
    return error.errno === 'ENOENT' ? 127 : 126;
  }
  return yield* waitForeground(shell, [pid], pid, () => rest.join(' '));
}

function* test(shell: Interpreter, args: readonly string[], name: string): Task<number> {
  let operands = args;
  if (name === '[') {
    if (args.at(-1) !== ']') {
      yield* shell.builtinError('[', "missing `]'");
      return 2;
    }
    operands = args.slice(0, -1);
  }
  try {
    const host = { sys: shell.sys, isSet: (v: string) => isVariableSet(shell, v), isOption: (o: string) => shell.option(o) };
    return evaluateTest(host, operands) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    yield* shell.builtinError(name, error.message);
    return 2;
  }
}

export const FLOW_BUILTINS: Readonly<Record<string, Builtin['run']>> = {
  *':'() {
    return 0;
  },
  *true() {
    return 0;
  },
  *false() {
    return 1;
  },
  break: (shell, args) => loopControl(shell, args, 'break'),
  continue: (shell, args) => loopControl(shell, args, 'continue'),
  *return(shell, args) {
    if (shell.calls.length === 0 && shell.sourceDepth === 0) {
      yield* shell.builtinError('return', "can only `return' from a function or sourced script");
      return 1;
    }
    const status = yield* statusArgument(shell, 'return', args);
    shell.status = status;
    shell.flow = { kind: 'return' };
    return status;
  },
  exit,
  *logout(shell, args) {
    if (!shell.isLogin) {
      yield* shell.builtinError('logout', "not login shell: use `exit'");
      return 1;
    }
    return yield* exit(shell, args);
  },
  *eval(shell, args) {
    const rest = args[0] === '--' ? args.slice(1) : args;
    const text = rest.join(' ');
    if (text.trim() === '') return 0;
    yield* shell.guarded(shell.runText(text));
    return shell.status;
  },
  source: (shell, args) => source(shell, args, 'source'),
  '.': (shell, args) => source(shell, args, '.'),
  exec,
  command,
  *builtin(shell, args, context) {
    if (args.length === 0) return 0;
    const builtin = findBuiltin(args[0]!);
    if (builtin === undefined) {
      yield* shell.builtinError('builtin', `${args[0]}: not a shell builtin`);
      return 1;
    }
    return yield* builtin.run(shell, args.slice(1), { ...context, name: args[0]! });
  },
  test: (shell, args) => test(shell, args, 'test'),
  '[': (shell, args) => test(shell, args, '['),
};
void callFunction;
