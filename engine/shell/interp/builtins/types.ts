import type { Assignment } from 'unbash';
import type { Interpreter } from '../interpreter.ts';
import type { Task } from '../task.ts';

export interface BuiltinContext {
  /** Array assignments among the arguments, by name. */
  readonly arrays: ReadonlyMap<string, Assignment>;
  readonly name: string;
}

export interface Builtin {
  readonly run: (shell: Interpreter, args: readonly string[], context: BuiltinContext) => Task<number>;
}

/** Takes leading options apart: letters without a value, letters with one (`x:`). */
export function takeOptions(
  args: readonly string[],
  letters: string,
): { readonly options: Map<string, string>; readonly rest: readonly string[]; readonly bad: string | undefined } {
  const options = new Map<string, string>();
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '--') {
      at++;
      break;
    }
    if (!arg.startsWith('-') || arg === '-') break;
    for (let i = 1; i < arg.length; i++) {
      const letter = arg[i]!;
      const where = letters.indexOf(letter);
      if (where < 0 || letter === ':') return { options, rest: args.slice(at), bad: '-' + letter };
      if (letters[where + 1] === ':') {
        const value = i + 1 < arg.length ? arg.slice(i + 1) : args[++at];
        if (value === undefined) return { options, rest: [], bad: '-' + letter + ':' };
        options.set(letter, value);
        break;
      }
      options.set(letter, '');
    }
  }
  return { options, rest: args.slice(at), bad: undefined };
}

/** `invalid option` and the usage line. */
export function* usage(shell: Interpreter, name: string, bad: string, line: string): Task<number> {
  if (bad.endsWith(':')) yield* shell.builtinError(name, `${bad.slice(0, -1)}: option requires an argument`);
  else yield* shell.builtinError(name, `${bad}: invalid option`);
  yield* shell.errorText(`${name}: usage: ${line}\n`);
  return 2;
}
