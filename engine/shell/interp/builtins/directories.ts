// cd, pwd, pushd, popd, dirs.

import { SysError, isSysError } from '../../../sim/errno.ts';
import type { Interpreter } from '../interpreter.ts';
import type { Task } from '../task.ts';
import { takeOptions, usage, type Builtin } from './types.ts';

/** `a/../b` taken literally, as cd -L does. */
export function normalizePath(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') out.pop();
    else out.push(part);
  }
  return '/' + out.join('/');
}

function* changeDirectory(shell: Interpreter, target: string, command: string, isPhysical: boolean): Task<number> {
  const { variables, sys } = shell;
  const before = variables.get('PWD') ?? sys.cwd();
  let logical = normalizePath(target.startsWith('/') ? target : `${before}/${target}`);
  try {
    try {
      sys.chdir(isPhysical ? target : logical);
    } catch (error) {
      if (!isSysError(error) || isPhysical) throw error;
      sys.chdir(target);
      logical = sys.cwd();
    }
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    yield* shell.builtinError(command, `${target}: ${error.strerror}`);
    return 1;
  }
  variables.set('OLDPWD', before);
  variables.set('PWD', isPhysical ? sys.cwd() : logical);
  variables.export('PWD');
  variables.export('OLDPWD');
  return 0;
}

function* cd(shell: Interpreter, args: readonly string[]): Task<number> {
  const { options, rest, bad } = takeOptions(args, 'LPe');
  if (bad !== undefined) return yield* usage(shell, 'cd', bad, 'cd [-L|[-P [-e]]] [dir]');
  let target = rest[0];
  let shows = false;
  if (target === undefined) {
    target = shell.variables.get('HOME');
    if (target === undefined) {
      yield* shell.builtinError('cd', 'HOME not set');
      return 1;
    }
    if (target === '') return 0;
  } else if (target === '-') {
    target = shell.variables.get('OLDPWD');
    if (target === undefined) {
      yield* shell.builtinError('cd', 'OLDPWD not set');
      return 1;
    }
    shows = true;
  } else if (target === '') return 0;
  const isPhysical = options.has('P') || shell.option('physical');
  if (rest[0] !== undefined && !/^(?:\/|\.\.?(?:\/|$))/.test(target) && target !== '-') {
    for (const directory of (shell.variables.get('CDPATH') ?? '').split(':')) {
      if (directory === '') continue;
      const candidate = `${directory}/${target}`;
      try {
        if (shell.sys.stat(candidate).kind !== 'directory') continue;
      } catch (error) {
        if (isSysError(error)) continue;
        throw error;
      }
      const status = yield* changeDirectory(shell, candidate, 'cd', isPhysical);
      if (status === 0) yield* shell.out(`${shell.variables.get('PWD')}\n`, 'cd');
      return status;
    }
  }
  const status = yield* changeDirectory(shell, target, 'cd', isPhysical);
  if (status === 0 && shows) yield* shell.out(`${shell.variables.get('PWD')}\n`, 'cd');
  return status;
}

function tilde(shell: Interpreter, path: string): string {
  const home = shell.variables.get('HOME');
  if (home === undefined || home === '/' || home === '') return path;
  return path === home ? '~' : path.startsWith(home + '/') ? '~' + path.slice(home.length) : path;
}

function* dirs(shell: Interpreter, args: readonly string[]): Task<number> {
  const stack = [shell.variables.get('PWD') ?? shell.sys.cwd(), ...shell.directoryStack];
  const flags = args.filter((arg) => arg.startsWith('-')).join('');
  if (flags.includes('c')) {
    shell.directoryStack = [];
    return 0;
  }
  const index = args.find((arg) => /^[-+]\d+$/.test(arg));
  const show = (path: string): string => (flags.includes('l') ? path : tilde(shell, path));
  if (index !== undefined) {
    const n = Number(index.slice(1));
    const path = stack[index.startsWith('+') ? n : stack.length - 1 - n];
    if (path === undefined) {
      yield* shell.builtinError('dirs', `${index}: directory stack index out of range`);
      return 1;
    }
    return yield* shell.out(show(path) + '\n', 'dirs');
  }
  if (flags.includes('v')) return yield* shell.out(stack.map((path, i) => `${String(i).padStart(2)}  ${show(path)}\n`).join(''), 'dirs');
  return yield* shell.out(stack.map(show).join(flags.includes('p') ? '\n' : ' ') + '\n', 'dirs');
}

export const DIRECTORY_BUILTINS: Readonly<Record<string, Builtin['run']>> = {
  cd,
  *pwd(shell, args) {
    const { options, bad } = takeOptions(args, 'LP');
    if (bad !== undefined) return yield* usage(shell, 'pwd', bad, 'pwd [-LP]');
    return yield* shell.out(`${options.has('P') ? shell.sys.cwd() : (shell.variables.get('PWD') ?? shell.sys.cwd())}\n`, 'pwd');
  },
  dirs,
  *pushd(shell, args) {
    const current = shell.variables.get('PWD') ?? shell.sys.cwd();
    const stack = [current, ...shell.directoryStack];
    const [given] = args;
    if (given === undefined || /^[-+]\d+$/.test(given)) {
      if (given === undefined && stack.length < 2) {
        yield* shell.builtinError('pushd', 'no other directory');
        return 1;
      }
      const n = given === undefined ? 1 : given.startsWith('+') ? Number(given) : stack.length - 1 - Number(given.slice(1));
      if (stack[n] === undefined) {
        yield* shell.builtinError('pushd', `${given}: directory stack index out of range`);
        return 1;
      }
      const rotated = given === undefined ? [stack[1]!, stack[0]!, ...stack.slice(2)] : [...stack.slice(n), ...stack.slice(0, n)];
      const status = yield* changeDirectory(shell, rotated[0]!, 'pushd', false);
      if (status !== 0) return status;
      shell.directoryStack = rotated.slice(1);
    } else {
      const status = yield* changeDirectory(shell, given, 'pushd', false);
      if (status !== 0) return status;
      shell.directoryStack = stack;
    }
    return yield* dirs(shell, []);
  },
  *popd(shell, args) {
    if (shell.directoryStack.length === 0) {
      yield* shell.builtinError('popd', 'directory stack empty');
      return 1;
    }
    const [given] = args;
    const size = shell.directoryStack.length;
    const n = given === undefined ? 0 : given.startsWith('+') ? Number(given) : size - Number(given.slice(1));
    if (n === 0) {
      const status = yield* changeDirectory(shell, shell.directoryStack[0]!, 'popd', false);
      if (status !== 0) return status;
      shell.directoryStack = shell.directoryStack.slice(1);
    } else if (n > 0 && n <= size) shell.directoryStack = shell.directoryStack.filter((_, i) => i !== n - 1);
    else {
      yield* shell.builtinError('popd', `${given}: directory stack index out of range`);
      return 1;
    }
    return yield* dirs(shell, []);
  },
};
