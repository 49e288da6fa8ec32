// type, command -v, hash, alias: what a name means.

import { isSysError } from '../../../sim/errno.ts';
import { printFunction } from '../print-function.ts';
import type { Interpreter } from '../interpreter.ts';
import { singleQuote } from '../printf.ts';
import { findInPath } from '../simple.ts';
import { findBuiltin } from './index.ts';
import { takeOptions, usage, type Builtin } from './types.ts';

const KEYWORDS = new Set([
  'if',
  'then',
  'else',
  'elif',
  'fi',
  'case',
  'esac',
  'for',
  'select',
  'while',
  'until',
  'do',
  'done',
  'in',
  'function',
  'time',
  '{',
  '}',
  '!',
  '[[',
  ']]',
  'coproc',
]);

/** Lines that say what a name is; none when it is nothing. */
export function describeCommand(
  shell: Interpreter,
  name: string,
  style: 'short' | 'long' | 'type' | 'path',
  all: boolean,
  skipsFunctions = false,
): string[] {
  const out: string[] = [];
  const add = (short: string, long: string, type: string): void => {
    if (style === 'path') return;
    out.push(style === 'short' ? short : style === 'long' ? long : type);
  };
  const isDone = (): boolean => !all && out.length > 0;
  const alias = shell.aliases.get(name);
  if (alias !== undefined && shell.option('expand_aliases'))
    add(`alias ${name}=${singleQuote(alias)}`, `${name} is aliased to \`${alias}'`, 'alias');
  if (isDone()) return out;
  if (KEYWORDS.has(name)) add(name, `${name} is a shell keyword`, 'keyword');
  if (isDone()) return out;
  const func = skipsFunctions ? undefined : shell.functions.get(name);
  if (func !== undefined) add(name, `${name} is a function\n${printFunction(func)}`, 'function');
  if (isDone()) return out;
  if (findBuiltin(name) !== undefined) add(name, `${name} is a shell builtin`, 'builtin');
  if (isDone()) return out;
  const found = new Set<string>();
  if (name.includes('/')) {
    try {
      shell.sys.access(name, { execute: true });
      if (shell.sys.stat(name).kind === 'file') found.add(name);
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
  } else if (all) {
    for (const directory of (shell.variables.get('PATH') ?? '').split(':')) {
      const path = findInPath(shell, name, directory);
      if (path !== undefined) found.add(path);
    }
  } else {
    const hashed = shell.commandHash.get(name);
    const path = hashed?.path ?? findInPath(shell, name);
    if (path !== undefined) {
      if (style === 'long' && hashed !== undefined) return [...out, `${name} is hashed (${path})`];
      found.add(path);
    }
  }
  for (const path of found) out.push(style === 'long' ? `${name} is ${path}` : style === 'type' ? 'file' : path);
  return out;
}

export const NAME_BUILTINS: Readonly<Record<string, Builtin['run']>> = {
  *type(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'afptP');
    if (bad !== undefined) return yield* usage(shell, 'type', bad, 'type [-afptP] name [name ...]');
    const style = options.has('t') ? 'type' : options.has('p') || options.has('P') ? 'path' : 'long';
    let status = 0;
    for (const name of rest) {
      if (options.has('p') && !options.has('P') && (shell.functions.has(name) || findBuiltin(name) !== undefined)) continue;
      const found = describeCommand(shell, name, style, options.has('a'), options.has('f'));
      if (found.length === 0) {
        status = 1;
        if (style === 'long') yield* shell.builtinError('type', `${name}: not found`);
      } else yield* shell.out(found.map((line) => line + '\n').join(''), 'type');
    }
    return status;
  },
  *hash(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'lrp:dt');
    if (bad !== undefined) return yield* usage(shell, 'hash', bad, 'hash [-lr] [-p pathname] [-dt] [name ...]');
    if (options.has('r')) shell.commandHash.clear();
    if (options.has('p')) {
      for (const name of rest) shell.commandHash.set(name, { path: options.get('p')!, hits: 0 });
      return 0;
    }
    let status = 0;
    if (rest.length === 0 && !options.has('r')) {
      if (shell.commandHash.size === 0) return yield* shell.out('hash: hash table empty\n', 'hash');
      let text = options.has('l') ? '' : 'hits\tcommand\n';
      for (const [name, { path, hits }] of shell.commandHash)
        text += options.has('l') ? `builtin hash -p ${path} ${name}\n` : `${String(hits).padStart(4)}\t${path}\n`;
      return yield* shell.out(text, 'hash');
    }
    for (const name of rest) {
      const known = shell.commandHash.get(name);
      if (options.has('d')) shell.commandHash.delete(name);
      else if (options.has('t')) {
        if (known === undefined) {
          yield* shell.builtinError('hash', `${name}: not found`);
          status = 1;
        } else yield* shell.out(`${rest.length > 1 ? name + '\t' : ''}${known.path}\n`, 'hash');
      } else if (findBuiltin(name) === undefined && !shell.functions.has(name)) {
        const path = findInPath(shell, name);
        if (path === undefined) {
          yield* shell.builtinError('hash', `${name}: not found`);
          status = 1;
        } else shell.commandHash.set(name, { path, hits: 0 });
      }
    }
    return status;
  },
  *alias(shell, args) {
    const { rest, bad } = takeOptions(args, 'p');
    if (bad !== undefined) return yield* usage(shell, 'alias', bad, 'alias [-p] [name[=value] ... ]');
    if (rest.length === 0) {
      let text = '';
      for (const name of [...shell.aliases.keys()].sort()) text += `alias ${name}=${singleQuote(shell.aliases.get(name)!)}\n`;
      return yield* shell.out(text, 'alias');
    }
    let status = 0;
    for (const arg of rest) {
      const at = arg.indexOf('=', 1);
      if (at > 0) {
        const name = arg.slice(0, at);
        if (/[\s$`'"\\|&;()<>/]/.test(name)) {
          yield* shell.builtinError('alias', `\`${name}': invalid alias name`);
          status = 1;
        } else shell.aliases.set(name, arg.slice(at + 1));
        continue;
      }
      const value = shell.aliases.get(arg);
      if (value === undefined) {
        yield* shell.builtinError('alias', `${arg}: not found`);
        status = 1;
      } else yield* shell.out(`alias ${arg}=${singleQuote(value)}\n`, 'alias');
    }
    return status;
  },
  *unalias(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'a');
    if (bad !== undefined) return yield* usage(shell, 'unalias', bad, 'unalias [-a] name [name ...]');
    if (options.has('a')) {
      shell.aliases.clear();
      return 0;
    }
    if (rest.length === 0) {
      yield* shell.errorText('unalias: usage: unalias [-a] name [name ...]\n');
      return 2;
    }
    let status = 0;
    for (const name of rest) {
      if (!shell.aliases.delete(name)) {
        yield* shell.builtinError('unalias', `${name}: not found`);
        status = 1;
      }
    }
    return status;
  },
};
