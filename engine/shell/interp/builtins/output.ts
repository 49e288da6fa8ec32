// echo and printf.

import { formatTime } from '../../time-format.ts';
import { formatPrintf, shellQuote, unescape } from '../printf.ts';
import { assignText } from '../simple.ts';
import { takeOptions, usage, type Builtin } from './types.ts';

export const OUTPUT_BUILTINS: Readonly<Record<string, Builtin['run']>> = {
  *echo(shell, args) {
    let at = 0;
    let newline = '\n';
    let escapes = shell.option('xpg_echo');
    for (; at < args.length && /^-[neE]+$/.test(args[at]!); at++) {
      for (const letter of args[at]!.slice(1)) {
        if (letter === 'n') newline = '';
        else escapes = letter === 'e';
      }
    }
    let text = args.slice(at).join(' ');
    if (escapes) {
      const done = unescape(text, true);
      text = done.text;
      if (done.stops) newline = '';
    }
    return yield* shell.out(text + newline, 'echo');
  },
  *printf(shell, args) {
    const { options, rest, bad } = takeOptions(args, 'v:');
    if (bad !== undefined) return yield* usage(shell, 'printf', bad, 'printf [-v var] format [arguments]');
    if (rest.length === 0) {
      yield* shell.errorText('printf: usage: printf [-v var] format [arguments]\n');
      return 2;
    }
    const result = formatPrintf(rest[0]!, rest.slice(1), {
      nowMs: () => shell.sys.now(),
      formatTime: (format, ms) => formatTime(format, ms, shell.sys, shell.variables.get('TZ')),
      quote: shellQuote,
    });
    for (const error of result.errors) yield* shell.builtinError('printf', error);
    const variable = options.get('v');
    if (variable !== undefined) {
      const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[(.*)\])?$/.exec(variable);
      if (match === null) {
        yield* shell.builtinError('printf', `\`${variable}': not a valid identifier`);
        return 2;
      }
      yield* assignText(shell, match[1]!, match[2], result.text, false);
      return result.errors.length > 0 ? 1 : 0;
    }
    const status = yield* shell.out(result.text, 'printf');
    return result.errors.length > 0 ? 1 : status;
  },
};
