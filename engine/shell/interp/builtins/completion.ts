// complete, compgen, compopt: programmable completion.

import { generate } from '../../line-editor/completion.ts';
import type { CompletionSpec } from '../../line-editor/completion-spec.ts';
import { singleQuote } from '../printf.ts';
import type { Interpreter } from '../interpreter.ts';
import type { Task } from '../task.ts';
import { usage, type Builtin } from './types.ts';

interface Parsed {
  readonly spec: CompletionSpec;
  readonly flags: ReadonlySet<string>;
  readonly rest: readonly string[];
  readonly bad: string | undefined;
}

const ACTIONS: Readonly<Record<string, string>> = {
  a: 'alias',
  b: 'builtin',
  c: 'command',
  d: 'directory',
  e: 'export',
  f: 'file',
  g: 'group',
  j: 'job',
  k: 'keyword',
  s: 'service',
  u: 'user',
  v: 'variable',
};

function parse(args: readonly string[]): Parsed {
  const actions: string[] = [];
  const options = new Set<string>();
  const flags = new Set<string>();
  const values = new Map<string, string>();
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '--') {
      at++;
      break;
    }
    if (!/^-./.test(arg)) break;
    for (let i = 1; i < arg.length; i++) {
      const letter = arg[i]!;
      if (ACTIONS[letter] !== undefined) actions.push(ACTIONS[letter]);
      else if ('prDE'.includes(letter)) flags.add(letter);
      else if ('oAGWFCXPS'.includes(letter)) {
        const value = i + 1 < arg.length ? arg.slice(i + 1) : (args[++at] ?? '');
        if (letter === 'o') options.add(value);
        else if (letter === 'A') actions.push(value);
        else values.set(letter, value);
        break;
      } else return { spec: emptySpec(), flags, rest: [], bad: '-' + letter };
    }
  }
  return {
    spec: {
      function: values.get('F'),
      words: values.get('W'),
      glob: values.get('G'),
      command: values.get('C'),
      filter: values.get('X'),
      prefix: values.get('P') ?? '',
      suffix: values.get('S') ?? '',
      actions,
      options,
    },
    flags,
    rest: args.slice(at),
    bad: undefined,
  };
}

function emptySpec(): CompletionSpec {
  return {
    function: undefined,
    words: undefined,
    glob: undefined,
    command: undefined,
    filter: undefined,
    prefix: '',
    suffix: '',
    actions: [],
    options: new Set(),
  };
}

function describe(name: string, spec: CompletionSpec): string {
  const parts = ['complete'];
  for (const option of spec.options) parts.push('-o', option);
  for (const action of spec.actions) {
    const letter = Object.entries(ACTIONS).find(([, a]) => a === action)?.[0];
    if (letter === undefined) parts.push('-A', action);
    else parts.push('-' + letter);
  }
  if (spec.glob !== undefined) parts.push('-G', singleQuote(spec.glob));
  if (spec.words !== undefined) parts.push('-W', singleQuote(spec.words));
  if (spec.prefix !== '') parts.push('-P', singleQuote(spec.prefix));
  if (spec.suffix !== '') parts.push('-S', singleQuote(spec.suffix));
  if (spec.filter !== undefined) parts.push('-X', singleQuote(spec.filter));
  if (spec.command !== undefined) parts.push('-C', singleQuote(spec.command));
  if (spec.function !== undefined) parts.push('-F', spec.function);
  return [...parts, name].join(' ');
}

function* complete(shell: Interpreter, args: readonly string[]): Task<number> {
  const { spec, flags, rest, bad } = parse(args);
  if (bad !== undefined)
    return yield* usage(
      shell,
      'complete',
      bad,
      'complete [-abcdefgjksuv] [-pr] [-DE] [-o option] [-A action] [-G globpat] [-W wordlist]  [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [name ...]',
    );
  const names = [...rest, ...(flags.has('D') ? ['-D'] : []), ...(flags.has('E') ? ['-E'] : [])];
  if (flags.has('r')) {
    if (names.length === 0) shell.completions.clear();
    for (const name of names) shell.completions.delete(name);
    return 0;
  }
  if (flags.has('p') || args.length === 0) {
    let status = 0;
    for (const name of names.length > 0 ? names : shell.completions.keys()) {
      const known = shell.completions.get(name);
      if (known === undefined) {
        yield* shell.builtinError('complete', `${name}: no completion specification`);
        status = 1;
      } else yield* shell.out(describe(name, known) + '\n', 'complete');
    }
    return status;
  }
  for (const name of names) shell.completions.set(name, spec);
  return 0;
}

function* compgen(shell: Interpreter, args: readonly string[]): Task<number> {
  const { spec, rest, bad } = parse(args);
  if (bad !== undefined)
    return yield* usage(
      shell,
      'compgen',
      bad,
      'compgen [-abcdefgjksuv] [-o option]  [-A action] [-G globpat] [-W wordlist]  [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [word]',
    );
  const found = yield* generate(shell, spec, rest[0] ?? '');
  yield* shell.out(found.map((word) => word + '\n').join(''), 'compgen');
  return found.length > 0 ? 0 : 1;
}

export const COMPLETION_BUILTINS: Readonly<Record<string, Builtin['run']>> = {
  complete,
  compgen,
  *compopt(shell, args) {
    const current = shell.currentCompletionOptions;
    if (current === undefined) {
      yield* shell.builtinError('compopt', 'not currently executing completion function');
      return 1;
    }
    for (let i = 0; i < args.length; i += 2) {
      if (args[i] === '-o') current.add(args[i + 1] ?? '');
      else if (args[i] === '+o') current.delete(args[i + 1] ?? '');
    }
    return 0;
  },
};
