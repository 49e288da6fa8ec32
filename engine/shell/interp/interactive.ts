// The read-run loop of an interactive shell.

import { isSysError } from '../../sim/errno.ts';
import type { Tty } from '../../kernel/process.ts';
import { LineEditor } from '../line-editor/editor.ts';
import { expandHistory, HistoryError } from '../line-editor/history-expansion.ts';
import { readScript } from '../syntax/script.ts';
import { addHistory, loadHistory, saveHistory } from './builtins/history.ts';
import type { Flow, Interpreter } from './interpreter.ts';
import { readLine } from './execute.ts';
import { notifyJobs, ownGroup } from './pipeline.ts';
import { expandPrompt } from './prompt.ts';
import { run, wait, type Task } from './task.ts';

/** Prepares job control and reads the history. */
export function* beginInteractive(shell: Interpreter): Task<void> {
  const { sys, variables } = shell;
  shell.takeSignals();
  for (const option of ['expand_aliases', 'histexpand', 'history', 'monitor', 'checkwinsize', 'emacs']) shell.options.add(option);
  const tty = sys.controllingTty();
  shell.hasJobControl = tty !== undefined;
  if (tty !== undefined) {
    if (ownGroup(shell) !== shell.process.pid && tty.session !== shell.process.pid) {
      try {
        sys.setProcessGroup(shell.process.pid, shell.process.pid);
      } catch (error) {
        if (!isSysError(error)) throw error;
      }
    }
    tty.foregroundGroup = ownGroup(shell);
  } else {
    shell.options.delete('monitor');
    yield* shell.errorText('bash: no job control in this shell\n');
  }
  if (!variables.isSet('HISTFILE')) variables.set('HISTFILE', `${variables.get('HOME') ?? ''}/.bash_history`);
  if (!variables.isSet('HISTSIZE')) variables.set('HISTSIZE', '500');
  if (!variables.isSet('HISTFILESIZE')) variables.set('HISTFILESIZE', '500');
  if (!variables.isSet('PS1')) variables.set('PS1', '\\s-\\v\\$ ');
  if (!variables.isSet('PS2')) variables.set('PS2', '> ');
  if (tty !== undefined) setSize(shell, tty);
}

function setSize(shell: Interpreter, tty: Tty): void {
  shell.variables.set('COLUMNS', String(tty.size.columns));
  shell.variables.set('LINES', String(tty.size.rows));
}

/** Reads and runs lines until end of file or exit. */
export function* interactiveLoop(shell: Interpreter, beforeCommand?: (line: string) => void | Promise<void>): Task<number> {
  loadHistory(shell);
  const tty = shell.sys.file(0).tty;
  const editor = tty === undefined ? undefined : new LineEditor(shell, tty);
  for (;;) {
    yield* notifyJobs(shell);
    if (shell.hasPendingTraps) yield* shell.runPendingTraps();
    if (tty !== undefined) setSize(shell, tty);
    const hook = shell.variables.get('PROMPT_COMMAND');
    if (hook !== undefined && hook !== '') {
      const { status } = shell;
      yield* shell.guarded(shell.runText(hook));
      shell.status = status;
    }
    const source = yield* readCommand(shell, editor);
    if (source === undefined) {
      const stopped = shell.jobs.all.some((job) => shell.jobs.state(job) === 'stopped');
      if (stopped && !shell.hasWarnedOfJobs) {
        shell.hasWarnedOfJobs = true;
        yield* shell.errorText(`${shell.isLogin ? 'logout' : 'exit'}\nThere are stopped jobs.\n`);
        continue;
      }
      yield* shell.errorText(shell.isLogin ? 'logout\n' : 'exit\n');
      break;
    }
    if (source === null || source.trim() === '') continue;
    const before = beforeCommand?.(source);
    if (before instanceof Promise) yield* wait(before);
    shell.commandNumber++;
    yield* runLine(shell, source);
    if (shell.flow?.kind === 'exit') break;
    shell.flow = undefined;
    if (!/^\s*(?:exit|logout)\b/.test(source)) shell.hasWarnedOfJobs = false;
  }
  saveHistory(shell);
  return shell.status;
}

/** Runs one line as typed; a Ctrl-C in it drops the rest. */
export function* runLine(shell: Interpreter, source: string): Task<void> {
  shell.flow = undefined;
  shell.isInterrupted = false;
  try {
    yield* shell.guarded(shell.runText(source, { lineOffset: 0 }));
  } finally {
    shell.loopDepth = 0;
    shell.unchecked = 0;
  }
  if (shell.isInterrupted) yield* shell.tick();
  const flow = shell.flow as Flow | undefined;
  if (flow?.kind === 'interrupt' && flow.isKey) yield* shell.errorText('\n');
  if (shell.hasPendingTraps) yield* shell.runPendingTraps();
}

/** A complete command, over several lines when needed. `undefined`: end of file. `null`: dropped by Ctrl-C. */
function* readCommand(shell: Interpreter, editor: LineEditor | undefined): Task<string | undefined | null> {
  let source = '';
  const lines: string[] = [];
  for (;;) {
    const prompt = yield* expandPrompt(shell, shell.variables.get(source === '' ? 'PS1' : 'PS2') ?? '');
    const read = editor === undefined ? yield* plainLine(shell, prompt) : yield* wait(editor.readLine(prompt, (task) => run(task)));
    if (read === null) {
      shell.status = 130;
      return null;
    }
    if (read === undefined) {
      if (source === '') return undefined;
      const { failure } = readScript(source);
      yield* shell.errorText('\n');
      if (failure !== undefined) yield* shell.syntaxError(source, failure);
      shell.status = 2;
      return null;
    }
    let line = read;
    if (shell.option('histexpand') && line.includes('!')) {
      try {
        const expanded = expandHistory(line, shell.history, shell.historyBase);
        if (expanded.line !== line) {
          line = expanded.line;
          yield* shell.errorText(line + '\n');
        }
        if (expanded.onlyPrints) {
          addHistory(shell, line);
          return null;
        }
      } catch (error) {
        if (!(error instanceof HistoryError)) throw error;
        yield* shell.errorText(`${shell.name}: ${error.message}\n`);
        shell.status = 1;
        return null;
      }
    }
    lines.push(line);
    source += line + '\n';
    const script = readScript(source);
    if ((script.failure?.isIncomplete ?? false) || script.openHereDocs.length > 0) continue;
    if (source.trim() !== '') addHistory(shell, joinLines(lines));
    return source;
  }
}

/** Several lines as one history entry (cmdhist). */
function joinLines(lines: readonly string[]): string {
  let out = lines[0]!;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (out.endsWith('\\') && !out.endsWith('\\\\')) out = out.slice(0, -1) + line;
    else {
      const open = readScript(out + '\n');
      const isQuote = open.failure?.message.startsWith('unexpected EOF') ?? false;
      if (open.openHereDocs.length > 0 || isQuote || /\n/.test(out)) out += '\n' + line;
      else if (/(?:^|[\s;])(?:do|then|else|\{|\(|&&|\|\||\|)\s*$|;;\s*$|;\s*$/.test(out) || line.trim() === '') out += ' ' + line.trim();
      else out += '; ' + line.trim();
    }
  }
  return out;
}

function* plainLine(shell: Interpreter, prompt: string): Task<string | undefined | null> {
  yield* shell.errorText(prompt.replace(/[\x01\x02]/g, ''));
  return yield* readLine(shell);
}
