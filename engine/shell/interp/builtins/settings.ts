// set, shopt, umask, ulimit, enable, help, bind, times, caller.

import { OPTION_LETTERS, SHOPT_NAMES } from '../options.ts';
import { shellQuote, singleQuote } from '../printf.ts';
import { printFunction } from '../print-function.ts';
import type { Interpreter } from '../interpreter.ts';
import type { Task } from '../task.ts';
import { builtinNames, findBuiltin } from './index.ts';
import { takeOptions, usage, type Builtin } from './types.ts';
import { doubleQuote } from './variables.ts';

const SET_USAGE = 'set [-abefhkmnptuvxBCHP] [-o option-name] [--] [arg ...]';

function* set(shell: Interpreter, args: readonly string[]): Task<number> {
  if (args.length === 0) {
    let text = '';
    for (const name of shell.variables.names()) {
      const v = shell.variables.find(name);
      const value = shell.variables.get(name);
      if (v?.list !== undefined)
        text += `${name}=(${Object.entries(v.list)
          .map(([k, x]) => `[${k}]=${doubleQuote(x)}`)
          .join(' ')})\n`;
      else if (v?.map !== undefined) text += `${name}=(${[...v.map].map(([k, x]) => `[${k}]=${doubleQuote(x)} `).join('')})\n`;
      else if (value !== undefined)
        text += `${name}=${/[^A-Za-z0-9_@%+=:,./-]/.test(value) ? (/[\x00-\x1f]/.test(value) ? shellQuote(value) : singleQuote(value)) : value}\n`;
    }
    if (!shell.isPosix) for (const func of shell.functions.values()) text += printFunction(func) + '\n';
    return yield* shell.out(text, 'set');
  }
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '--') {
      shell.args = args.slice(at + 1);
      return 0;
    }
    if (arg === '-') {
      shell.options.delete('xtrace');
      shell.options.delete('verbose');
      if (at + 1 < args.length) shell.args = args.slice(at + 1);
      return 0;
    }
    if (!/^[-+]./.test(arg)) break;
    const isOn = arg.startsWith('-');
    for (const letter of arg.slice(1)) {
      if (letter === 'o') {
        const name = args[at + 1];
        if (name === undefined) {
          let text = '';
          for (const option of OPTION_LETTERS.keys())
            text += isOn
              ? `${option.padEnd(15)}\t${shell.option(option) ? 'on' : 'off'}\n`
              : `set ${shell.option(option) ? '-o' : '+o'} ${option}\n`;
          return yield* shell.out(text, 'set');
        }
        at++;
        if (!OPTION_LETTERS.has(name)) {
          yield* shell.builtinError('set', `${name}: invalid option name`);
          return 1;
        }
        setOption(shell, name, isOn);
        continue;
      }
      const option = [...OPTION_LETTERS].find(([, l]) => l === letter)?.[0];
      if (option === undefined) return yield* usage(shell, 'set', arg[0]! + letter, SET_USAGE);
      setOption(shell, option, isOn);
    }
  }
  if (at < args.length) shell.args = args.slice(at);
  return 0;
}

export function setOption(shell: Interpreter, name: string, isOn: boolean): void {
  if (isOn) shell.options.add(name);
  else shell.options.delete(name);
  if (name === 'monitor') shell.hasJobControl = isOn && shell.subshellLevel === 0;
  if (name === 'posix') shell.isPosix = isOn;
}

/** ulimit's resources: letter, words, value in a fresh CentOS 7 root shell. */
const LIMITS: readonly (readonly [string, string, string])[] = [
  ['c', 'core file size          (blocks, -c)', '0'],
  ['d', 'data seg size           (kbytes, -d)', 'unlimited'],
  ['e', 'scheduling priority             (-e)', '0'],
  ['f', 'file size               (blocks, -f)', 'unlimited'],
  ['i', 'pending signals                 (-i)', '11828'],
  ['l', 'max locked memory       (kbytes, -l)', '64'],
  ['m', 'max memory size         (kbytes, -m)', 'unlimited'],
  ['n', 'open files                      (-n)', '1024'],
  ['p', 'pipe size            (512 bytes, -p)', '8'],
  ['q', 'POSIX message queues     (bytes, -q)', '819200'],
  ['r', 'real-time priority              (-r)', '0'],
  ['s', 'stack size              (kbytes, -s)', '8192'],
  ['t', 'cpu time               (seconds, -t)', 'unlimited'],
  ['u', 'max user processes              (-u)', '11828'],
  ['v', 'virtual memory          (kbytes, -v)', 'unlimited'],
  ['x', 'file locks                      (-x)', 'unlimited'],
];

export const OPTION_BUILTINS: Readonly<Record<string, Builtin['run']>> = {
  set,
  *shopt(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'pqsuo');
    if (bad !== undefined) return yield* usage(shell, 'shopt', bad, 'shopt [-pqsu] [-o] [optname ...]');
    const isSetO = options.has('o');
    const known = isSetO ? [...OPTION_LETTERS.keys()] : SHOPT_NAMES;
    let status = 0;
    const show = (name: string): string => {
      const isOn = shell.option(name);
      if (options.has('p')) return isSetO ? `set ${isOn ? '-' : '+'}o ${name}\n` : `shopt ${isOn ? '-s' : '-u'} ${name}\n`;
      return `${name.padEnd(15)}\t${isOn ? 'on' : 'off'}\n`;
    };
    for (const name of rest) {
      if (!known.includes(name)) {
        yield* shell.builtinError('shopt', `${name}: invalid ${isSetO ? 'option name' : 'shell option name'}`);
        status = 1;
      } else if (options.has('s') || options.has('u')) setOption(shell, name, options.has('s'));
      else {
        if (!shell.option(name)) status = 1;
        if (!options.has('q')) yield* shell.out(show(name), 'shopt');
      }
    }
    if (rest.length === 0) {
      const shown = known.filter((name) => (options.has('s') ? shell.option(name) : options.has('u') ? !shell.option(name) : true));
      yield* shell.out(shown.map(show).join(''), 'shopt');
    }
    return status;
  },
  *umask(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'pS');
    if (bad !== undefined) return yield* usage(shell, 'umask', bad, 'umask [-p] [-S] [mode]');
    const mask = shell.sys.umask();
    const [given] = rest;
    if (given === undefined) {
      const octal = mask.toString(8).padStart(4, '0');
      const rwx = (bits: number): string => (bits & 4 ? '' : 'r') + (bits & 2 ? '' : 'w') + (bits & 1 ? '' : 'x');
      const symbolic = `u=${rwx(mask >> 6)},g=${rwx(mask >> 3)},o=${rwx(mask)}`;
      return yield* shell.out(
        `${options.has('p') ? (options.has('S') ? 'umask -S ' : 'umask ') : ''}${options.has('S') ? symbolic : octal}\n`,
        'umask',
      );
    }
    if (/^\d+$/.test(given)) {
      if (!/^[0-7]{1,4}$/.test(given)) {
        yield* shell.builtinError('umask', `${given}: octal number out of range`);
        return 1;
      }
      shell.sys.umask(Number.parseInt(given, 8));
      return 0;
    }
    let allowed = ~mask & 0o777;
    for (const clause of given.split(',')) {
      const match = /^([ugoa]*)([-+=])([rwx]*)$/.exec(clause);
      if (match === null) {
        yield* shell.builtinError('umask', `\`${clause[0]}': invalid symbolic mode operator`);
        return 1;
      }
      const bits = [...match[3]!].reduce((sum, c) => sum | { r: 4, w: 2, x: 1 }[c as 'r' | 'w' | 'x'], 0);
      for (const who of match[1] === '' || match[1]!.includes('a') ? 'ugo' : match[1]!) {
        const shift = { u: 6, g: 3, o: 0 }[who as 'u' | 'g' | 'o'];
        if (match[2] === '+') allowed |= bits << shift;
        else if (match[2] === '-') allowed &= ~(bits << shift);
        else allowed = (allowed & ~(7 << shift)) | (bits << shift);
      }
    }
    shell.sys.umask(~allowed & 0o777);
    return 0;
  },
  *ulimit(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'SHacdefilmnpqrstuvx');
    if (bad !== undefined) return yield* usage(shell, 'ulimit', bad, 'ulimit [-SHacdefilmnpqrstuvx] [limit]');
    if (options.has('a'))
      return yield* shell.out(LIMITS.map(([letter, words]) => `${words} ${limitOf(shell, letter)}\n`).join(''), 'ulimit');
    const letters = [...options.keys()].filter((letter) => letter !== 'S' && letter !== 'H');
    const letter = letters[0] ?? 'f';
    if (rest[0] !== undefined) {
      if (!/^(?:\d+|unlimited|hard|soft)$/.test(rest[0])) {
        yield* shell.builtinError('ulimit', `${rest[0]}: invalid number`);
        return 1;
      }
      shell.limits.set(letter, rest[0]);
      return 0;
    }
    return yield* shell.out(
      letters.length > 1
        ? letters.map((l) => `${LIMITS.find(([x]) => x === l)![1]} ${limitOf(shell, l)}\n`).join('')
        : `${limitOf(shell, letter)}\n`,
      'ulimit',
    );
  },
  *enable(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'adnpsf:');
    if (bad !== undefined) return yield* usage(shell, 'enable', bad, 'enable [-a] [-dnps] [-f filename] [name ...]');
    if (rest.length === 0)
      return yield* shell.out(
        builtinNames()
          .map((name) => `enable ${name}\n`)
          .join(''),
        'enable',
      );
    let status = 0;
    for (const name of rest) {
      if (findBuiltin(name) === undefined || options.has('n')) {
        yield* shell.builtinError(
          'enable',
          findBuiltin(name) === undefined ? `${name}: not a shell builtin` : `not emulated: disabling ${name}`,
        );
        status = 1;
      }
    }
    return status;
  },
  *help(shell, args) {
    if (args.length === 0) {
      const names = builtinNames();
      return yield* shell.out(
        `GNU bash, version 4.2.46(2)-release (x86_64-redhat-linux-gnu)\nThese shell commands are defined internally.  Type \`help name' to find out whether \`name' is one.\n\n${names.map((name) => ` ${name}\n`).join('')}`,
        'help',
      );
    }
    let status = 0;
    for (const name of args) {
      if (findBuiltin(name) === undefined) {
        yield* shell.builtinError('help', `no help topics match \`${name}'.  Try \`help help' or \`man -k ${name}' or \`info ${name}'.`);
        status = 1;
      } else yield* shell.out(`${name}: a shell builtin\n`, 'help');
    }
    return status;
  },
  *bind() {
    return 0;
  },
  *times(shell) {
    const own = shell.sys.processes().find((p) => p.pid === shell.process.pid)?.cpuMs ?? 0;
    const time = `${Math.floor(own / 60_000)}m${((own % 60_000) / 1000).toFixed(3)}s`;
    return yield* shell.out(`${time} 0m0.000s\n0m0.000s 0m0.000s\n`, 'times');
  },
  *caller(shell, args) {
    const at = Number(args[0] ?? '0');
    const call = shell.calls[at];
    if (call === undefined) return 1;
    const outer = shell.calls[at + 1];
    return yield* shell.out(
      `${call.line}${args.length > 0 ? ` ${outer?.function ?? 'main'}` : ''} ${outer?.source || shell.frame.name || 'NULL'}\n`,
      'caller',
    );
  },
};

function limitOf(shell: Interpreter, letter: string): string {
  return shell.limits.get(letter) ?? LIMITS.find(([l]) => l === letter)?.[2] ?? 'unlimited';
}
