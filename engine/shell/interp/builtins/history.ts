// history and fc.

import { isSysError, SysError } from '../../../sim/errno.ts';
import type { Interpreter } from '../interpreter.ts';
import type { Task } from '../task.ts';
import { formatTime } from '../../time-format.ts';
import { takeOptions, usage, type Builtin } from './types.ts';

/** Number of the oldest line in the list. */
function base(shell: Interpreter): number {
  return shell.historyBase;
}

export function loadHistory(shell: Interpreter): void {
  const path = shell.variables.get('HISTFILE');
  if (path === undefined) return;
  try {
    for (const line of shell.sys.readTextFile(path).split('\n')) if (line !== '' && !/^#\d+$/.test(line)) shell.history.push(line);
  } catch (error) {
    if (!isSysError(error)) throw error;
  }
  shell.historyLoaded = shell.history.length;
}

/** What this session added goes to the file's end. */
export function saveHistory(shell: Interpreter): void {
  const path = shell.variables.get('HISTFILE');
  if (path === undefined || path === '') return;
  const fresh = shell.history.slice(shell.historyLoaded);
  if (fresh.length === 0) return;
  const limit = Number(shell.variables.get('HISTFILESIZE') ?? '500');
  try {
    let old: string[] = [];
    if (shell.sys.exists(path))
      old = shell.sys
        .readTextFile(path)
        .split('\n')
        .filter((line) => line !== '');
    const lines = [...old, ...fresh];
    shell.sys.writeFile(path, lines.slice(Number.isFinite(limit) && limit >= 0 ? -limit || lines.length : 0).join('\n') + '\n', {
      mode: 0o600,
    });
    shell.historyLoaded = shell.history.length;
  } catch (error) {
    if (!isSysError(error)) throw error;
  }
}

/** Adds a line as HISTCONTROL and HISTSIZE have it. */
export function addHistory(shell: Interpreter, line: string): void {
  const control = (shell.variables.get('HISTCONTROL') ?? '').split(':');
  const both = control.includes('ignoreboth');
  if ((both || control.includes('ignorespace')) && /^[ \t]/.test(line)) return;
  if ((both || control.includes('ignoredups')) && shell.history.at(-1) === line) return;
  if (control.includes('erasedups')) {
    for (let i = shell.history.length - 1; i >= 0; i--) if (shell.history[i] === line) shell.history.splice(i, 1);
  }
  shell.history.push(line);
  const limit = Number(shell.variables.get('HISTSIZE') ?? '500');
  while (Number.isFinite(limit) && limit >= 0 && shell.history.length > limit) {
    shell.history.shift();
    shell.historyBase++;
    shell.historyLoaded = Math.max(0, shell.historyLoaded - 1);
  }
}

function* history(shell: Interpreter, args: readonly string[]): Task<number> {
  const { options, rest, bad } = takeOptions(args, 'cd:anrwps');
  if (bad !== undefined)
    return yield* usage(shell, 'history', bad, 'history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]');
  if (options.has('c')) {
    shell.history.length = 0;
    shell.historyBase = 1;
    shell.historyLoaded = 0;
    return 0;
  }
  if (options.has('d')) {
    const at = Number(options.get('d')) - base(shell);
    if (!Number.isInteger(at) || at < 0 || at >= shell.history.length) {
      yield* shell.builtinError('history', `${options.get('d')}: history position out of range`);
      return 1;
    }
    shell.history.splice(at, 1);
    return 0;
  }
  if (options.has('s')) {
    shell.history.pop();
    shell.history.push(rest.join(' '));
    return 0;
  }
  if (options.has('p')) return yield* shell.out(rest.map((line) => line + '\n').join(''), 'history');
  const file = rest[0] ?? shell.variables.get('HISTFILE');
  if (options.has('a') || options.has('w') || options.has('r') || options.has('n')) {
    if (file === undefined) return 1;
    try {
      if (options.has('w')) shell.sys.writeFile(file, shell.history.map((line) => line + '\n').join(''), { mode: 0o600 });
      else if (options.has('a')) {
        shell.sys.writeFile(
          file,
          shell.history
            .slice(shell.historyLoaded)
            .map((line) => line + '\n')
            .join(''),
          { mode: 0o600, append: true },
        );
        shell.historyLoaded = shell.history.length;
      } else for (const line of shell.sys.readTextFile(file).split('\n')) if (line !== '') shell.history.push(line);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      yield* shell.builtinError('history', `${file}: ${error.strerror}`);
      return 1;
    }
    return 0;
  }
  const given = rest[0];
  if (given !== undefined && !/^\d+$/.test(given)) {
    yield* shell.builtinError('history', `${given}: numeric argument required`);
    return 1;
  }
  const from = given === undefined ? 0 : Math.max(0, shell.history.length - Number(given));
  const format = shell.variables.get('HISTTIMEFORMAT');
  const stamp = format === undefined ? '' : formatTime(format, shell.sys.now(), shell.sys, shell.variables.get('TZ'));
  let text = '';
  for (let i = from; i < shell.history.length; i++) text += `${String(i + base(shell)).padStart(5)}  ${stamp}${shell.history[i]}\n`;
  return yield* shell.out(text, 'history');
}

function* fc(shell: Interpreter, args: readonly string[]): Task<number> {
  const { options, rest, bad } = takeOptions(
    args.filter((arg) => !/^-\d+$/.test(arg)),
    'e:lnrs',
  );
  if (bad !== undefined) return yield* usage(shell, 'fc', bad, 'fc [-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]');
  const lines = shell.history.slice(0, -1);
  const locate = (spec: string): number => {
    if (/^-?\d+$/.test(spec)) {
      const n = Number(spec);
      return n < 0 ? lines.length + n : n - base(shell);
    }
    for (let i = lines.length - 1; i >= 0; i--) if (lines[i]!.startsWith(spec)) return i;
    return -1;
  };
  const specs = [...args.filter((arg) => /^-\d+$/.test(arg)), ...rest];
  if (options.has('l')) {
    const first = Math.max(0, specs[0] === undefined ? lines.length - 16 : locate(specs[0]));
    const last = Math.min(lines.length - 1, specs[1] === undefined ? lines.length - 1 : locate(specs[1]));
    let shown = lines.slice(first, last + 1).map((line, i) => `${options.has('n') ? '' : first + i + base(shell)}\t ${line}\n`);
    if (options.has('r')) shown = shown.reverse();
    return yield* shell.out(shown.join(''), 'fc');
  }
  if (options.has('s')) {
    const replacement = specs[0]?.includes('=') ? specs.shift() : undefined;
    const at = specs[0] === undefined ? lines.length - 1 : locate(specs[0]);
    let line = lines[at];
    if (line === undefined) {
      yield* shell.builtinError('fc', 'no command found');
      return 1;
    }
    if (replacement !== undefined) {
      const eq = replacement.indexOf('=');
      line = line.replace(replacement.slice(0, eq), replacement.slice(eq + 1));
    }
    yield* shell.errorText(line + '\n');
    shell.history[shell.history.length - 1] = line;
    return yield* shell.runText(line);
  }
  yield* shell.builtinError('fc', 'not emulated: editing commands');
  return 1;
}

export const HISTORY_BUILTINS: Readonly<Record<string, Builtin['run']>> = { history, fc };
