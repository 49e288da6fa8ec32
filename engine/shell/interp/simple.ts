// Simple commands: assignments, words, redirections; then a function, a builtin or a program found by PATH.

import type { ArrayValue, Assignment, Command, Redirection } from 'unbash';
import { isSysError, SysError } from '../../sim/errno.ts';
import { ProcessExit, type SpawnOptions } from '../../kernel/process.ts';
import { toText } from '../bytes.ts';
import { ExpansionError } from '../expand/words.ts';
import { skipBracket } from '../syntax/scan.ts';
import { parseWord } from '../syntax/words.ts';
import { DECLARATIONS, findBuiltin, SPECIAL_BUILTINS } from './builtins/index.ts';
import type { ShellFunction } from './function.ts';
import type { Interpreter } from './interpreter.ts';
import { jobText, waitForeground } from './pipeline.ts';
import { executeNode } from './execute.ts';
import { applyRedirections, keepDescriptors, restoreDescriptors, type SavedDescriptors } from './redirect.ts';
import type { Task } from './task.ts';
import { newVariable, ReadonlyError, type Variable } from './variables.ts';

export function* runSimple(shell: Interpreter, node: Command): Task<number> {
  shell.position = node.pos;
  const mayReplace = shell.mayReplace;
  shell.mayReplace = false;
  const substitutions = shell.openSubstitutions.length;
  let saved: SavedDescriptors | undefined;
  let keeps = false;
  try {
    const words: string[] = [];
    const arrays = new Map<string, Assignment>();
    if (node.name !== undefined) {
      for (const field of yield* shell.expander.fields(node.name.text)) words.push(field);
      const isDeclaration = words.length > 0 && DECLARATIONS.has(words[0]!) && !shell.functions.has(words[0]!);
      for (const arg of node.suffix) {
        if (arg.type === 'Word') {
          for (const field of yield* shell.expander.fields(arg.text)) words.push(field);
        } else if (arg.type === 'Assignment') {
          if (!isDeclaration) {
            for (const field of yield* shell.expander.fields(arg.text)) words.push(field);
          } else if (arg.value.type === 'ArrayValue') {
            arrays.set(arg.name, arg);
            words.push(arg.name);
          } else {
            const at = arg.text.indexOf('=');
            words.push(arg.text.slice(0, at + 1) + (yield* shell.expander.text(parseWord(arg.text.slice(at + 1), 'assignment'))));
          }
        }
      }
    }
    const assignments: Assignment[] = [];
    const redirections: Redirection[] = [];
    for (const part of node.prefix) {
      if (part.type === 'Assignment') assignments.push(part);
      else redirections.push(part);
    }
    for (const part of node.suffix)
      if (part.type === 'Redirect' || part.type === 'HereDoc' || part.type === 'HereString') redirections.push(part);

    if (words.length === 0) {
      // Only assignments: the status is that of the last substitution.
      const before = shell.status;
      shell.status = 0;
      if (redirections.length > 0) saved = yield* applyRedirections(shell, redirections);
      for (const assignment of assignments) {
        yield* assign(shell, assignment);
        if (shell.option('xtrace')) yield* trace(shell, [`${assignment.name}=${shell.variables.get(assignment.name) ?? ''}`]);
      }
      if (node.name === undefined && assignments.length === 0 && redirections.length === 0) shell.status = before;
      yield* shell.failed(shell.status);
      return shell.status;
    }

    const name = words[0]!;
    if (shell.option('xtrace')) yield* trace(shell, words);
    const func = shell.isPosix && SPECIAL_BUILTINS.has(name) ? undefined : shell.functions.get(name);
    const builtin = func === undefined ? findBuiltin(name) : undefined;
    shell.position = node.pos;
    if (func === undefined && builtin === undefined) {
      const status = yield* runExternal(shell, node, words, assignments, redirections, mayReplace);
      yield* shell.failed(status);
      yield* shell.tick();
      return status;
    }
    if (redirections.length > 0) saved = yield* applyRedirections(shell, redirections);
    const undo = assignments.length > 0 ? yield* assignTemporarily(shell, assignments) : undefined;
    try {
      if (func !== undefined) shell.status = yield* callFunction(shell, func, words.slice(1));
      else {
        shell.mayReplace = mayReplace;
        shell.status = yield* builtin!.run(shell, words.slice(1), { arrays, name });
        keeps = name === 'exec' && words.length === 1 && shell.status === 0;
      }
    } finally {
      undo?.();
    }
    shell.lastArgument = words.at(-1)!;
    if (shell.status !== 0 && func === undefined) yield* shell.failed(shell.status);
    yield* shell.tick();
    return shell.status;
  } catch (error) {
    const status = yield* shell.reportFailure(error);
    yield* shell.failed(status);
    if (
      (error instanceof ReadonlyError || (error instanceof ExpansionError && shell.isInteractive)) &&
      shell.flow === undefined &&
      node.name === undefined
    ) {
      if (!shell.isInteractive) shell.flow = { kind: 'exit' };
    }
    return status;
  } finally {
    if (saved !== undefined) {
      if (keeps) keepDescriptors(shell, saved);
      else restoreDescriptors(shell, saved);
    }
    if (shell.openSubstitutions.length > substitutions) shell.closeSubstitutions(substitutions);
  }
}

/** `set -x`: to standard error, quoted where needed. */
function* trace(shell: Interpreter, words: readonly string[]): Task<void> {
  const prefix = yield* shell.expander.text(parseWord(shell.variables.get('PS4') ?? '+ ', 'double'));
  yield* shell.errorText(`${prefix}${words.map(quoteForTrace).join(' ')}\n`);
}

function quoteForTrace(word: string): string {
  if (word === '') return "''";
  const assignment = /^([A-Za-z_][A-Za-z0-9_]*=)([\s\S]*)$/.exec(word);
  if (assignment !== null) return assignment[1]! + (assignment[2] === '' ? '' : quoteForTrace(assignment[2]!));
  if (!/[^A-Za-z0-9_@%+=:,./-]/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

// Assignments

/** Performs one assignment in this shell. */
export function* assign(shell: Interpreter, node: Assignment): Task<void> {
  const { variables } = shell;
  if (node.value.type === 'ArrayValue') {
    if (node.index !== undefined)
      throw new ExpansionError(`${node.text.slice(0, node.text.indexOf('='))}: cannot assign list to array member`);
    yield* assignArray(shell, node.name, variables.obtain(node.name), node.value, node.append ?? false);
    return;
  }
  const source = node.text.slice(node.text.indexOf('=', node.index === undefined ? 0 : node.index.end - node.pos) + 1);
  const value = yield* shell.expander.text(parseWord(source, 'assignment'));
  yield* assignText(shell, node.name, node.index?.text, value, node.append ?? false);
}

export function* assignText(shell: Interpreter, name: string, index: string | undefined, value: string, append: boolean): Task<void> {
  const { variables } = shell;
  if (index !== undefined) {
    const variable = variables.obtain(name);
    if (index === '') throw new ExpansionError(`${name}[]: bad array subscript`);
    let key = yield* shell.expander.index(name, index);
    if (variable.map === undefined) {
      variables.makeList(variable);
      if (typeof key === 'number' && key < 0) {
        key += variable.list!.length;
        if (key < 0) throw new ExpansionError(`${name}[${index}]: bad array subscript`);
      }
    }
    const old = append ? (variables.element(name, key) ?? '') : '';
    variables.setElement(name, key, append && variable.isInteger ? `(${old || 0})+(${value})` : old + value);
    return;
  }
  if (!append) {
    variables.set(name, value);
    if (shell.option('allexport')) variables.export(name);
    return;
  }
  const variable = variables.find(name);
  const old = variables.get(name) ?? '';
  variables.set(name, variable?.isInteger ? `(${old || 0})+(${value})` : old + value);
}

/** `name=(...)`. */
export function* assignArray(shell: Interpreter, name: string, variable: Variable, node: ArrayValue, append: boolean): Task<void> {
  if (variable.isReadonly) throw new ReadonlyError(name);
  const { variables, expander } = shell;
  const entries: { key: string | undefined; value: string; append: boolean }[] = [];
  for (const element of node.elements) {
    const end = element.text.startsWith('[') ? skipBracket(element.text, 0) : 0;
    const after = element.text.slice(end);
    if (end > 0 && (after.startsWith('=') || after.startsWith('+='))) {
      const isAppend = after.startsWith('+');
      entries.push({
        key: element.text.slice(1, end - 1),
        value: yield* expander.text(parseWord(after.slice(isAppend ? 2 : 1), 'assignment')),
        append: isAppend,
      });
    } else for (const field of yield* expander.fields(element.text)) entries.push({ key: undefined, value: field, append: false });
  }
  if (variable.map !== undefined) {
    if (!append) variable.map.clear();
    for (const entry of entries) {
      if (entry.key === undefined) {
        yield* shell.error(`${name}: ${entry.value}: must use subscript when assigning associative array`);
        continue;
      }
      const key = yield* expander.text(parseWord(entry.key));
      variable.map.set(key, variables.shape(variable, (entry.append ? (variable.map.get(key) ?? '') : '') + entry.value));
    }
    return;
  }
  if (append) variables.makeList(variable);
  else {
    variable.value = undefined;
    variable.list = [];
  }
  const list = variable.list!;
  let next = append ? list.length : 0;
  for (const entry of entries) {
    if (entry.key !== undefined) next = Number(expander.evaluate(yield* expander.text(parseWord(entry.key, 'arithmetic'))));
    if (next < 0) next += list.length;
    list[next] = variables.shape(variable, (entry.append ? (list[next] ?? '') : '') + entry.value);
    next++;
  }
}

/** `VAR=x command` for functions and builtins: returns the way back. */
function* assignTemporarily(shell: Interpreter, assignments: readonly Assignment[]): Task<() => void> {
  const { variables } = shell;
  const before: [string, Variable | undefined][] = [];
  for (const assignment of assignments) {
    const old = variables.find(assignment.name);
    before.push([
      assignment.name,
      old === undefined ? undefined : { ...old, list: old.list?.slice(), map: old.map === undefined ? undefined : new Map(old.map) },
    ]);
    yield* assign(shell, assignment);
    variables.export(assignment.name);
  }
  return () => {
    for (const [name, old] of before.reverse()) {
      if (old === undefined) variables.unset(name);
      else Object.assign(variables.find(name) ?? variables.obtain(name), newVariable(), old);
      variables.forgetEnvironment();
      variables.onChange?.(name);
    }
  };
}

// Functions

/** bash has no limit of its own here; ours keeps the host's stack whole. */
const MAX_DEPTH = 800;

export function* callFunction(shell: Interpreter, func: ShellFunction, args: readonly string[]): Task<number> {
  if (shell.calls.length >= MAX_DEPTH) {
    yield* shell.error(`${func.name}: maximum function nesting level exceeded (${MAX_DEPTH})`);
    return 1;
  }
  const outer = { args: shell.args, frame: shell.frame, position: shell.position, loopDepth: shell.loopDepth };
  shell.calls.unshift({ function: func.name, source: func.sourceName, line: shell.line });
  shell.variables.pushScope();
  shell.args = args;
  shell.loopDepth = 0;
  shell.frame = { text: func.text, lineOffset: func.lineOffset, name: func.sourceName };
  try {
    const status = yield* executeNode(shell, func.body);
    if (shell.flow?.kind === 'return') {
      shell.flow = undefined;
      return shell.status;
    }
    return shell.flow === undefined ? status : shell.status;
  } finally {
    shell.variables.popScope();
    shell.calls.shift();
    shell.args = outer.args;
    shell.frame = outer.frame;
    shell.position = outer.position;
    shell.loopDepth = outer.loopDepth;
  }
}

// Programs

/** The path of a command without a slash, or undefined. */
export function findInPath(shell: Interpreter, name: string, path = shell.variables.get('PATH') ?? ''): string | undefined {
  let denied: string | undefined;
  for (const directory of path.split(':')) {
    const candidate = `${directory === '' ? '.' : directory}/${name}`;
    try {
      const stat = shell.sys.stat(candidate);
      if (stat.kind !== 'file') continue;
      shell.sys.access(candidate, { execute: true });
      return candidate;
    } catch (error) {
      if (!isSysError(error)) throw error;
      if (error.errno === 'EACCES') denied ??= candidate;
    }
  }
  return denied;
}

export function hashedPath(shell: Interpreter, name: string): string | undefined {
  const known = shell.commandHash.get(name);
  if (known !== undefined && isFile(shell, known.path)) {
    known.hits++;
    return known.path;
  }
  const found = findInPath(shell, name);
  if (found !== undefined && shell.option('hashall') && found.startsWith('/')) shell.commandHash.set(name, { path: found, hits: 1 });
  return found;
}

function isFile(shell: Interpreter, path: string): boolean {
  try {
    shell.sys.access(path, { execute: true });
    return true;
  } catch (error) {
    if (isSysError(error)) return false;
    throw error;
  }
}

function* runExternal(
  shell: Interpreter,
  node: Command,
  words: readonly string[],
  assignments: readonly Assignment[],
  redirections: readonly Redirection[],
  mayReplace: boolean,
): Task<number> {
  const { sys } = shell;
  const name = words[0]!;
  let env = shell.variables.environment();
  let path: string | undefined;
  if (assignments.length > 0) {
    const undo = yield* assignTemporarily(shell, assignments);
    env = new Map(shell.variables.environment());
    path = name.includes('/') ? name : hashedPath(shell, name);
    undo();
  } else path = name.includes('/') ? name : hashedPath(shell, name);
  shell.lastArgument = words.at(-1)!;
  const saved = yield* applyRedirections(shell, redirections);
  let pid: number;
  try {
    if (path === undefined || name === '') {
      yield* notFound(shell, name, words);
      return (shell.status = 127);
    }
    const withUnderscore = new Map(env).set('_', path);
    if (mayReplace && shell.traps.get('EXIT') === undefined) {
      try {
        return yield* replaceProcess(shell, path, words, withUnderscore);
      } catch (error) {
        if (error instanceof ProcessExit || !(error instanceof SysError)) throw error;
        return yield* spawnFailed(shell, error, path, words, withUnderscore);
      }
    }
    const options: SpawnOptions = {
      env: withUnderscore,
      fds: shell.childDescriptors(),
      ...(shell.hasJobControl ? { processGroup: 0, foreground: true } : {}),
      ...ignoredSignals(shell),
    };
    try {
      pid = sys.spawn(path, words, options);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return yield* spawnFailed(shell, error, path, words, withUnderscore);
    }
  } finally {
    restoreDescriptors(shell, saved);
  }
  return yield* waitForeground(shell, [pid], pid, () => jobText(shell, node));
}

export function ignoredSignals(shell: Interpreter): Pick<SpawnOptions, 'ignoredSignals'> {
  const ignored = [...shell.traps].filter(([, action]) => action === '').map(([signal]) => `SIG${signal}`);
  return ignored.length === 0 ? {} : { ignoredSignals: ignored as NonNullable<SpawnOptions['ignoredSignals']> };
}

export function* replaceProcess(
  shell: Interpreter,
  path: string,
  words: readonly string[],
  env: ReadonlyMap<string, string>,
): Task<number> {
  // exec closes nothing of ours by itself but what is marked so.
  for (const fd of shell.privateDescriptors) if (shell.sys.descriptors().includes(fd)) shell.sys.setCloseOnExec(fd, true);
  return (yield shell.sys.exec(path, words, env)) as number;
}

function* notFound(shell: Interpreter, name: string, words: readonly string[]): Task<void> {
  const handler = shell.functions.get('command_not_found_handle');
  if (handler !== undefined) {
    shell.status = yield* callFunction(shell, handler, words);
    return;
  }
  yield* shell.error(`${name}: command not found`);
}

/** execve failed: the message, the status, or a script without #!. */
function* spawnFailed(
  shell: Interpreter,
  error: SysError,
  path: string,
  words: readonly string[],
  env: ReadonlyMap<string, string>,
): Task<number> {
  const { sys } = shell;
  const name = words[0]!;
  const shown = name.includes('/') ? name : path;
  let stat;
  try {
    stat = sys.stat(path);
  } catch (failure) {
    if (!(failure instanceof SysError)) throw failure;
    yield* shell.error(`${shown}: ${failure.strerror}`);
    return (shell.status = failure.errno === 'ENOENT' ? 127 : 126);
  }
  if (stat.kind === 'directory') {
    yield* shell.error(`${shown}: Is a directory`);
    return (shell.status = 126);
  }
  if (error.errno === 'ENOEXEC') return yield* runAsScript(shell, path, words, env);
  if (error.errno === 'ENOENT') {
    const interpreter = /^#![ \t]*(\S+)/.exec(toText(sys.readFile(path).subarray(0, 256)));
    yield* shell.error(
      interpreter === null
        ? `${shown}: No such file or directory`
        : `${shown}: ${interpreter[1]}: bad interpreter: No such file or directory`,
    );
    return (shell.status = interpreter === null ? 127 : 126);
  }
  yield* shell.error(`${shown}: ${error.strerror}`);
  return (shell.status = 126);
}

/** A file without #! that is text: the shell runs it itself, in a child. */
function* runAsScript(shell: Interpreter, path: string, words: readonly string[], env: ReadonlyMap<string, string>): Task<number> {
  const bytes = shell.sys.readFile(path);
  if (bytes.subarray(0, 80).includes(0)) {
    yield* shell.error(`${words[0]}: cannot execute binary file`);
    return (shell.status = 126);
  }
  void env;
  const pid = shell.forkShell(
    function* (child) {
      child.isInteractive = false;
      child.name = path;
      child.args = words.slice(1);
      child.subshellLevel = 0;
      child.functions.clear();
      child.aliases.clear();
      return yield* child.runText(toText(bytes), { name: path, lineOffset: 0 });
    },
    shell.childDescriptors(),
    shell.hasJobControl ? { processGroup: 0, foreground: true } : {},
  );
  return yield* waitForeground(shell, [pid], pid, () => words.join(' '));
}
