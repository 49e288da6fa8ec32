// declare, local, export, readonly, unset, let, shift, getopts.

import { assignArray, assignText } from '../simple.ts';
import type { Interpreter } from '../interpreter.ts';
import { printFunction } from '../print-function.ts';
import { shellQuote } from '../printf.ts';
import type { Task } from '../task.ts';
import { ReadonlyError, type Variable } from '../variables.ts';
import { ArithmeticError } from '../../expand/arithmetic.ts';
import { takeOptions, usage, type Builtin, type BuiltinContext } from './types.ts';

export function doubleQuote(text: string): string {
  if (/[\x00-\x1f\x7f]/.test(text)) return shellQuote(text);
  return `"${text.replace(/[\\"$`]/g, '\\$&')}"`;
}

function attributes(v: Variable): string {
  const letters =
    (v.list !== undefined ? 'a' : '') +
    (v.map !== undefined ? 'A' : '') +
    (v.isInteger ? 'i' : '') +
    (v.isLower ? 'l' : '') +
    (v.isReadonly ? 'r' : '') +
    (v.isUpper ? 'u' : '') +
    (v.isExported ? 'x' : '');
  return letters === '' ? '--' : '-' + letters;
}

/** `declare -p` of one variable. */
export function declaration(name: string, v: Variable): string {
  const flags = attributes(v);
  if (v.list !== undefined)
    return `declare ${flags} ${name}='(${Object.entries(v.list)
      .map(([key, value]) => `[${key}]=${doubleQuote(value)}`)
      .join(' ')})'`;
  if (v.map !== undefined)
    return `declare ${flags} ${name}='(${[...v.map].map(([key, value]) => `[${/^[A-Za-z0-9_]+$/.test(key) ? key : doubleQuote(key)}]=${doubleQuote(value)} `).join('')})'`;
  return v.value === undefined ? `declare ${flags} ${name}` : `declare ${flags} ${name}=${doubleQuote(v.value)}`;
}

interface Splitted {
  readonly name: string;
  readonly index: string | undefined;
  readonly value: string | undefined;
  readonly append: boolean;
}

function splitAssignment(arg: string): Splitted | undefined {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\]]*)\])?(?:(\+?)=([\s\S]*))?$/.exec(arg);
  if (match === null) return undefined;
  return { name: match[1]!, index: match[2], value: match[4], append: match[3] === '+' };
}

const LETTERS: readonly (readonly [string, keyof Variable])[] = [
  ['i', 'isInteger'],
  ['l', 'isLower'],
  ['u', 'isUpper'],
  ['r', 'isReadonly'],
  ['x', 'isExported'],
];

function* declare(shell: Interpreter, args: readonly string[], context: BuiltinContext): Task<number> {
  const { name: command } = context;
  const { variables } = shell;
  const on = new Set<string>();
  const off = new Set<string>();
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '--') {
      at++;
      break;
    }
    if (!/^[-+]./.test(arg)) break;
    for (const letter of arg.slice(1)) {
      if (!'aAfFgilrtuxp'.includes(letter))
        return yield* usage(shell, command, arg[0]! + letter, `${command} [-aAfFgilrtux] [-p] [name[=value] ...]`);
      (arg[0] === '-' ? on : off).add(letter);
    }
  }
  const rest = args.slice(at);
  if (on.has('f') || on.has('F')) {
    const names = rest.length > 0 ? rest : [...shell.functions.keys()].sort();
    let status = 0;
    for (const name of names) {
      const func = shell.functions.get(name);
      if (func === undefined) status = 1;
      else if (on.has('F')) yield* shell.out(rest.length > 0 ? `${name}\n` : `declare -f ${name}\n`, command);
      else yield* shell.out(printFunction(func) + '\n', command);
    }
    return status;
  }
  if (command === 'local' && shell.calls.every((call) => call.function === 'source')) {
    yield* shell.builtinError('local', 'can only be used in a function');
    return 1;
  }
  if (rest.length === 0) {
    let text = '';
    for (const name of variables.names()) {
      const v = variables.find(name);
      if (v === undefined || (command === 'local' && !variables.isLocal(name))) continue;
      const wanted = [...on].filter((letter) => letter !== 'p');
      const flags = attributes(v);
      if (wanted.some((letter) => !flags.includes(letter))) continue;
      text += on.size > 0 ? declaration(name, v) + '\n' : `${name}=${v.value === undefined ? '' : shellQuote(v.value)}\n`;
    }
    return yield* shell.out(text, command);
  }
  let status = 0;
  for (const arg of rest) {
    const parts = splitAssignment(arg);
    if (parts === undefined) {
      yield* shell.builtinError(command, `\`${arg}': not a valid identifier`);
      status = 1;
      continue;
    }
    const { name, index, value, append } = parts;
    if (on.has('p')) {
      const v = variables.find(name);
      if (v === undefined) {
        yield* shell.builtinError(command, `${name}: not found`);
        status = 1;
      } else yield* shell.out(declaration(name, v) + '\n', command);
      continue;
    }
    const isLocal = (command === 'local' || variables.depth > 0) && !on.has('g') && command !== 'export' && command !== 'readonly';
    const v = isLocal ? variables.declareLocal(name) : on.has('g') ? variables.obtainGlobal(name) : variables.obtain(name);
    const isAssigned = value !== undefined || context.arrays.has(name);
    if (v.isReadonly && (isAssigned || off.has('r'))) {
      yield* shell.builtinError(command, `${name}: readonly variable`);
      status = 1;
      continue;
    }
    if (on.has('A') && v.map === undefined) {
      if (v.list !== undefined) {
        yield* shell.builtinError(command, `${name}: cannot convert indexed to associative array`);
        status = 1;
        continue;
      }
      v.map = new Map(v.value === undefined ? [] : [['0', v.value]]);
      v.value = undefined;
    }
    if (on.has('a') && v.list === undefined) {
      if (v.map !== undefined) {
        yield* shell.builtinError(command, `${name}: cannot convert associative to indexed array`);
        status = 1;
        continue;
      }
      variables.makeList(v);
    }
    for (const [letter, flag] of LETTERS) {
      if (letter === 'r') continue;
      if (on.has(letter)) (v[flag] as boolean) = true;
      if (off.has(letter)) (v[flag] as boolean) = false;
    }
    const array = context.arrays.get(name);
    if (array !== undefined && array.value.type === 'ArrayValue') yield* assignArray(shell, name, v, array.value, array.append ?? false);
    else if (value !== undefined) {
      const compound = /^\(([\s\S]*)\)$/.exec(value);
      if (compound !== null && (v.list !== undefined || v.map !== undefined)) yield* shell.runText(`${name}=${value}`);
      else if (on.has('g')) variables.assign(name, v, value);
      else yield* assignText(shell, name, index, value, append);
    }
    if (on.has('r')) v.isReadonly = true;
    if (on.has('x') || off.has('x')) variables.forgetEnvironment();
  }
  return status;
}

function* exportOrReadonly(shell: Interpreter, args: readonly string[], context: BuiltinContext): Task<number> {
  const isExport = context.name === 'export';
  const { options, rest, bad } = takeOptions(args, isExport ? 'fnp' : 'aAfp');
  if (bad !== undefined)
    return yield* usage(
      shell,
      context.name,
      bad,
      isExport ? 'export [-fn] [name[=value] ...] or export -p' : 'readonly [-aAf] [name[=value] ...] or readonly -p',
    );
  const { variables } = shell;
  if (rest.length === 0) {
    let text = '';
    for (const name of variables.names()) {
      const v = variables.find(name);
      if (v === undefined || !(isExport ? v.isExported : v.isReadonly)) continue;
      text += declaration(name, v) + '\n';
    }
    return yield* shell.out(text, context.name);
  }
  let status = 0;
  for (const arg of rest) {
    if (options.has('f')) {
      const func = shell.functions.get(arg);
      if (func === undefined) {
        yield* shell.builtinError(context.name, `${arg}: not a function`);
        status = 1;
      } else if (isExport) func.isExported = !options.has('n');
      else func.isReadonly = true;
      continue;
    }
    const parts = splitAssignment(arg);
    if (parts === undefined || parts.index !== undefined) {
      yield* shell.builtinError(context.name, `\`${arg}': not a valid identifier`);
      status = 1;
      continue;
    }
    const array = context.arrays.get(parts.name);
    try {
      const v = variables.obtain(parts.name);
      if (options.has('A') && v.map === undefined) v.map = new Map();
      if (array !== undefined && array.value.type === 'ArrayValue')
        yield* assignArray(shell, parts.name, v, array.value, array.append ?? false);
      else if (parts.value !== undefined) yield* assignText(shell, parts.name, undefined, parts.value, parts.append);
    } catch (error) {
      if (!(error instanceof ReadonlyError)) throw error;
      yield* shell.error(error.message);
      status = 1;
      continue;
    }
    if (isExport) variables.export(parts.name, !options.has('n'));
    else variables.obtain(parts.name).isReadonly = true;
  }
  return status;
}

function* getopts(shell: Interpreter, args: readonly string[]): Task<number> {
  const [spec, name, ...given] = args;
  if (spec === undefined || name === undefined) {
    yield* shell.errorText('getopts: usage: getopts optstring name [arg]\n');
    return 2;
  }
  const words = given.length > 0 ? given : shell.args;
  const { variables } = shell;
  let index = Math.max(1, Number(variables.get('OPTIND') ?? '1') || 1);
  if (index !== shell.getoptsState.index) shell.getoptsState = { index, offset: 1 };
  const state = shell.getoptsState;
  const isSilent = spec.startsWith(':');
  const finish = (): number => {
    variables.set(name, '?');
    variables.unset('OPTARG');
    variables.set('OPTIND', String(index));
    shell.getoptsState = { index, offset: 1 };
    return 1;
  };
  const word = words[index - 1];
  if (word === undefined || !word.startsWith('-') || word === '-') return finish();
  if (word === '--') {
    index++;
    return finish();
  }
  const letter = word[state.offset]!;
  let offset = state.offset + 1;
  const at = spec.indexOf(letter, isSilent ? 1 : 0);
  const advance = (): void => {
    if (offset >= word.length) {
      index++;
      offset = 1;
    }
  };
  variables.unset('OPTARG');
  const complain = variables.get('OPTERR') !== '0';
  if (at < 0 || letter === ':') {
    advance();
    variables.set(name, '?');
    if (isSilent) variables.set('OPTARG', letter);
    else if (complain) yield* shell.errorText(`${shell.name}: illegal option -- ${letter}\n`);
  } else if (spec[at + 1] === ':') {
    let value: string | undefined;
    if (offset < word.length) {
      value = word.slice(offset);
      index++;
    } else {
      value = words[index];
      index += 2;
    }
    offset = 1;
    if (value === undefined) {
      index--;
      variables.set(name, isSilent ? ':' : '?');
      if (isSilent) variables.set('OPTARG', letter);
      else if (complain) yield* shell.errorText(`${shell.name}: option requires an argument -- ${letter}\n`);
    } else {
      variables.set('OPTARG', value);
      variables.set(name, letter);
    }
  } else {
    advance();
    variables.set(name, letter);
  }
  variables.set('OPTIND', String(index));
  shell.getoptsState = { index, offset };
  return 0;
}

export const VARIABLE_BUILTINS: Readonly<Record<string, Builtin['run']>> = {
  declare,
  typeset: declare,
  local: declare,
  export: exportOrReadonly,
  readonly: exportOrReadonly,
  *unset(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'fv');
    if (bad !== undefined) return yield* usage(shell, 'unset', bad, 'unset [-f] [-v] [name ...]');
    let status = 0;
    for (const arg of rest) {
      if (options.has('f')) {
        shell.functions.delete(arg);
        continue;
      }
      const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[([\s\S]*)\])?$/.exec(arg);
      if (match === null) {
        yield* shell.builtinError('unset', `\`${arg}': not a valid identifier`);
        status = 1;
        continue;
      }
      const name = match[1]!;
      try {
        if (match[2] !== undefined && match[2] !== '@' && match[2] !== '*')
          shell.variables.unsetElement(name, yield* shell.expander.index(name, match[2]));
        else if (shell.variables.find(name) !== undefined || shell.variables.dynamic.has(name)) shell.variables.unset(name);
        else if (!options.has('v')) shell.functions.delete(name);
      } catch (error) {
        if (!(error instanceof ReadonlyError)) throw error;
        yield* shell.builtinError('unset', `${name}: cannot unset: readonly variable`);
        status = 1;
      }
    }
    return status;
  },
  *let(shell, args) {
    if (args.length === 0) {
      yield* shell.builtinError('let', 'expression expected');
      return 1;
    }
    let value: number | bigint = 0;
    for (const arg of args) {
      try {
        value = shell.expander.evaluate(arg);
      } catch (error) {
        if (!(error instanceof ArithmeticError)) throw error;
        yield* shell.builtinError('let', `${arg}: ${error.message} (error token is "${error.token}")`);
        return 1;
      }
    }
    return value == 0 ? 1 : 0;
  },
  *shift(shell, args) {
    const given = args[0] ?? '1';
    if (!/^[+-]?\d+$/.test(given)) {
      yield* shell.builtinError('shift', `${given}: numeric argument required`);
      return 1;
    }
    const count = Number(given);
    if (count < 0) {
      yield* shell.builtinError('shift', `${given}: shift count out of range`);
      return 1;
    }
    if (count > shell.args.length) {
      if (shell.option('shift_verbose')) yield* shell.builtinError('shift', `${given}: shift count out of range`);
      return 1;
    }
    shell.args = shell.args.slice(count);
    return 0;
  },
  getopts,
};
