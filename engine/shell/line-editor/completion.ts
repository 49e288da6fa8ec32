// What may come next in a line: commands, files, variables, and what `complete` registered.

import { isSysError } from '../../sim/errno.ts';
import { builtinNames } from '../interp/builtins/index.ts';
import type { Interpreter } from '../interp/interpreter.ts';
import { callFunction } from '../interp/simple.ts';
import { type Task } from '../interp/task.ts';
import { matchesPattern } from '../expand/pattern.ts';
import type { CompletionSpec } from './completion-spec.ts';

export interface Completions {
  /** Where the completed text begins in the line. */
  readonly from: number;
  /** Candidates as they replace the text from `from`, unquoted. */
  readonly words: readonly string[];
  /** Candidates name files: they get quoted, and directories a slash. */
  readonly areFiles: boolean;
  readonly noSpace: boolean;
}

const KEYWORDS = [
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
];

/** Candidates for the word before `cursor`. */
export function* completeLine(shell: Interpreter, line: string, cursor: number): Task<Completions> {
  const before = line.slice(0, cursor);
  const words = splitLine(before);
  const current = words.at(-1)!;
  const text = unquote(current.text);
  if (current.text.startsWith('$') && !current.text.includes('(')) {
    const isBraced = current.text.startsWith('${');
    const prefix = current.text.slice(isBraced ? 2 : 1);
    const names = shell.variables.names().filter((name) => name.startsWith(prefix));
    return { from: current.at, words: names.map((n) => (isBraced ? `\${${n}}` : '$' + n)), areFiles: false, noSpace: false };
  }
  if (current.isCommand && !text.includes('/')) {
    return { from: current.at, words: commands(shell, text), areFiles: false, noSpace: false };
  }
  if (text.startsWith('~') && !text.includes('/')) {
    return {
      from: current.at,
      words: users(shell)
        .filter((u) => u.startsWith(text.slice(1)))
        .map((u) => `~${u}/`),
      areFiles: false,
      noSpace: true,
    };
  }
  const first = words.findLastIndex((w, i) => w.isCommand && i < words.length - 1);
  const command = first < 0 ? undefined : unquote(words[first]!.text);
  if (command !== undefined && !current.isRedirection) {
    const known = shell.completions.get(command) ?? shell.completions.get(command.slice(command.lastIndexOf('/') + 1));
    let spec = known ?? shell.completions.get('-D');
    if (spec !== undefined) {
      const argv = splitByBreaks(before, words.slice(first));
      let result = yield* runSpec(shell, spec, argv, before.slice(words[first]!.at), command);
      if (result === 'again') {
        spec = shell.completions.get(command) ?? spec;
        result = yield* runSpec(shell, spec, argv, before.slice(words[first]!.at), command);
      }
      if (result !== 'again' && (result.words.length > 0 || !(result.options.has('default') || result.options.has('bashdefault')))) {
        const last = argv.at(-1) ?? '';
        return {
          from: cursor - last.length,
          words: result.words,
          areFiles: result.options.has('filenames'),
          noSpace: result.options.has('nospace'),
        };
      }
    }
  }
  const onlyDirectories = command === 'cd' || command === 'pushd' || command === 'rmdir';
  let found = files(shell, text, onlyDirectories && !current.isRedirection);
  if (current.isCommand) found = found.filter((path) => isDirectory(shell, path) || isExecutable(shell, path));
  return { from: current.at, words: found, areFiles: true, noSpace: false };
}

interface LineWord {
  readonly text: string;
  readonly at: number;
  readonly isCommand: boolean;
  readonly isRedirection: boolean;
}

/** Words of the line so far; the last one is what is being typed and may be empty. */
function splitLine(line: string): LineWord[] {
  const out: LineWord[] = [];
  let isCommand = true;
  let isRedirection = false;
  let i = 0;
  for (;;) {
    while (i < line.length && (line[i] === ' ' || line[i] === '\t' || line[i] === '\n')) i++;
    const at = i;
    let text = '';
    while (i < line.length && !/[\s;|&<>()]/.test(line[i]!)) {
      const c = line[i]!;
      if (c === '\\') {
        text += line.slice(i, i + 2);
        i += 2;
      } else if (c === "'" || c === '"') {
        const end = line.indexOf(c, i + 1);
        const to = end < 0 ? line.length : end + 1;
        text += line.slice(i, to);
        i = to;
      } else if (c === '$' && line[i + 1] === '(') {
        text = '';
        i += 2;
        isCommand = true;
        break;
      } else {
        text += c;
        i++;
      }
    }
    if (i >= line.length) {
      out.push({ text, at, isCommand, isRedirection });
      return out;
    }
    if (text !== '') {
      out.push({ text, at, isCommand, isRedirection });
      if (
        isCommand &&
        !/^[A-Za-z_]\w*=/.test(text) &&
        !['sudo', 'if', 'then', 'do', 'else', 'while', 'until', 'time', '!', '{', 'exec', 'nohup', 'watch', 'xargs'].includes(text)
      )
        isCommand = false;
      isRedirection = false;
    }
    if (/[;|&(]/.test(line[i]!) && !(line[i] === '&' && /[<>]/.test(line[i - 1] ?? ''))) {
      isCommand = true;
      i++;
    } else if (line[i] === '<' || line[i] === '>') {
      isRedirection = true;
      i++;
    } else if (line[i] === ')') i++;
  }
}

export function unquote(text: string): string {
  return text.replace(
    /\\([\s\S])|'([^']*)'?|"((?:\\.|[^"\\])*)"?/g,
    (_, escaped?: string, single?: string, double?: string) => escaped ?? single ?? double?.replace(/\\([$`"\\])/g, '$1') ?? '',
  );
}

/** COMP_WORDBREAKS parts words as bash hands them to completion functions. */
function splitByBreaks(_line: string, words: readonly LineWord[]): string[] {
  const out: string[] = [];
  for (const word of words) {
    if (word.text === '') {
      out.push('');
      continue;
    }
    for (const piece of word.text.match(/[=:]+|[^=:]+/g) ?? []) out.push(piece);
    if (/[=:]$/.test(word.text) && word === words.at(-1)) out.push('');
  }
  return out;
}

function* runSpec(
  shell: Interpreter,
  spec: CompletionSpec,
  argv: readonly string[],
  line: string,
  command: string,
): Task<{ readonly words: string[]; readonly options: ReadonlySet<string> } | 'again'> {
  const last = argv.at(-1) ?? '';
  // A separator alone completes as an empty word after it.
  const word = /^[=:]+$/.test(last) ? '' : last;
  const options = new Set(spec.options);
  const words = yield* generate(shell, { ...spec, function: undefined }, word);
  if (spec.function !== undefined) {
    const func = shell.functions.get(spec.function);
    if (func === undefined) yield* shell.errorText('');
    else {
      const { variables } = shell;
      variables.setList('COMP_WORDS', argv);
      variables.set('COMP_CWORD', String(argv.length - 1));
      variables.set('COMP_LINE', line);
      variables.set('COMP_POINT', String(line.length));
      variables.set('COMP_TYPE', '9');
      variables.set('COMP_KEY', '9');
      variables.setList('COMPREPLY', []);
      const { status } = shell;
      shell.currentCompletionOptions = options;
      let result: number;
      try {
        result = yield* shell.guarded(callFunction(shell, func, [command, word, argv.at(-2) ?? '']));
      } finally {
        shell.currentCompletionOptions = undefined;
        shell.status = status;
        shell.flow = undefined;
      }
      if (result === 124) return 'again';
      words.push(...variables.values('COMPREPLY'));
      for (const name of ['COMP_WORDS', 'COMP_CWORD', 'COMP_LINE', 'COMP_POINT', 'COMP_TYPE', 'COMP_KEY', 'COMPREPLY'])
        variables.unset(name);
    }
  }
  return { words: [...new Set(words)].sort(shell.collate), options };
}

/** What a specification yields for a word, without its function. */
export function* generate(shell: Interpreter, spec: CompletionSpec, word: string): Task<string[]> {
  const out: string[] = [];
  for (const action of spec.actions) {
    const names = actionNames(shell, action, word);
    out.push(...names.filter((name) => name.startsWith(word)));
  }
  if (spec.words !== undefined) {
    const fields = yield* shell.expander.fields(spec.words.includes('$') || spec.words.includes('`') ? spec.words : quoteless(spec.words));
    out.push(...fields.flatMap((f) => f.split(/[ \t\n]+/)).filter((w) => w !== '' && w.startsWith(word)));
  }
  if (spec.glob !== undefined) out.push(...(yield* shell.expander.fields(spec.glob)));
  if (spec.function !== undefined) {
    const func = shell.functions.get(spec.function);
    if (func !== undefined) {
      shell.variables.setList('COMPREPLY', []);
      yield* callFunction(shell, func, ['', word, '']);
      out.push(...shell.variables.values('COMPREPLY'));
    }
  }
  let found = out;
  if (spec.filter !== undefined) {
    const isNegated = spec.filter.startsWith('!');
    const pattern = isNegated ? spec.filter.slice(1) : spec.filter;
    found = found.filter((w) => matchesPattern(w, pattern, { extglob: true }) === isNegated);
  }
  return found.map((w) => spec.prefix + w + spec.suffix);
}

function quoteless(words: string): string {
  return words.replace(/[|&;<>()*?[\]{}~#!]/g, '\\$&').replace(/\n/g, ' ');
}

function actionNames(shell: Interpreter, action: string, word: string): string[] {
  switch (action) {
    case 'alias':
      return [...shell.aliases.keys()];
    case 'builtin':
    case 'helptopic':
    case 'enabled':
      return [...builtinNames()];
    case 'command':
      return commands(shell, word);
    case 'directory':
      return files(shell, word, true);
    case 'file':
      return files(shell, word, false);
    case 'function':
      return [...shell.functions.keys()];
    case 'keyword':
      return KEYWORDS;
    case 'user':
      return users(shell);
    case 'group':
      return names(shell, '/etc/group');
    case 'variable':
      return shell.variables.names();
    case 'export':
      return [...shell.variables.environment().keys()];
    case 'job':
      return shell.jobs.all.map((job) => job.command.split(' ')[0]!);
    case 'hostname':
      return hosts(shell);
    case 'signal':
      return ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGSTOP', 'SIGCONT', 'SIGTSTP'];
    default:
      return [];
  }
}

function commands(shell: Interpreter, prefix: string): string[] {
  const found = new Set<string>();
  for (const list of [shell.aliases.keys(), shell.functions.keys(), builtinNames(), KEYWORDS])
    for (const name of list) if (name.startsWith(prefix)) found.add(name);
  for (const directory of (shell.variables.get('PATH') ?? '').split(':')) {
    try {
      for (const name of shell.sys.readdir(directory === '' ? '.' : directory))
        if (name.startsWith(prefix) && isExecutable(shell, `${directory}/${name}`)) found.add(name);
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
  }
  return [...found].sort(shell.collate);
}

/** Paths that begin with `prefix`, as typed; directories end in a slash. */
function files(shell: Interpreter, prefix: string, onlyDirectories: boolean): string[] {
  const slash = prefix.lastIndexOf('/');
  const head = prefix.slice(0, slash + 1);
  const name = prefix.slice(slash + 1);
  const real = head.startsWith('~') ? (shell.home(/^~([^/]*)/.exec(head)![1]!) ?? '') + head.slice(head.indexOf('/')) : head;
  let entries: readonly string[];
  try {
    entries = shell.sys.readdir(real === '' ? '.' : real);
  } catch (error) {
    if (isSysError(error)) return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.startsWith(name) && (name !== '' || !entry.startsWith('.')))
    .filter((entry) => !onlyDirectories || isDirectory(shell, real + entry))
    .sort(shell.collate)
    .map((entry) => head + entry);
}

export function isDirectory(shell: Interpreter, path: string): boolean {
  const real = path.startsWith('~')
    ? (shell.home(/^~([^/]*)/.exec(path)![1]!) ?? '') + path.slice(path.includes('/') ? path.indexOf('/') : path.length)
    : path;
  try {
    return shell.sys.stat(real).kind === 'directory';
  } catch (error) {
    if (isSysError(error)) return false;
    throw error;
  }
}

function isExecutable(shell: Interpreter, path: string): boolean {
  try {
    shell.sys.access(path, { execute: true });
    return shell.sys.stat(path).kind === 'file';
  } catch (error) {
    if (isSysError(error)) return false;
    throw error;
  }
}

function users(shell: Interpreter): string[] {
  return names(shell, '/etc/passwd');
}

function names(shell: Interpreter, path: string): string[] {
  try {
    return shell.sys
      .readTextFile(path)
      .split('\n')
      .map((line) => line.split(':')[0]!)
      .filter((name) => name !== '');
  } catch (error) {
    if (isSysError(error)) return [];
    throw error;
  }
}

function hosts(shell: Interpreter): string[] {
  try {
    return shell.sys
      .readTextFile('/etc/hosts')
      .split('\n')
      .flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1));
  } catch (error) {
    if (isSysError(error)) return [];
    throw error;
  }
}
