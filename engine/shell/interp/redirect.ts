// Redirections on the shell's own descriptors, with the way back.

import type { Redirection } from 'unbash';
import { isSysError, SysError } from '../../sim/errno.ts';
import { toBytes } from '../bytes.ts';
import { parseWord } from '../syntax/words.ts';
import type { Interpreter } from './interpreter.ts';
import { wait, type Task } from './task.ts';

/** Descriptors of the shell's own begin here, as bash does it. */
const SAVED_FROM = 10;

export interface SavedDescriptors {
  readonly entries: { readonly fd: number; readonly saved: number | undefined }[];
}

/** A redirection that failed; the message is what follows the shell's name. */
export class RedirectionError extends Error {}

/** Applies redirections in order. When one fails the ones before are undone and RedirectionError is thrown. */
export function* applyRedirections(shell: Interpreter, redirections: readonly Redirection[]): Task<SavedDescriptors> {
  const saved: SavedDescriptors = { entries: [] };
  try {
    for (const redirection of redirections) yield* applyOne(shell, redirection, saved);
  } catch (error) {
    restoreDescriptors(shell, saved);
    throw error;
  }
  return saved;
}

export function restoreDescriptors(shell: Interpreter, saved: SavedDescriptors): void {
  for (const { fd, saved: copy } of saved.entries.reverse()) {
    if (copy === undefined) {
      if (shell.sys.descriptors().includes(fd)) shell.sys.close(fd);
    } else {
      shell.sys.dup2(copy, fd);
      shell.sys.close(copy);
      shell.privateDescriptors.delete(copy);
    }
  }
}

/** Keeps the changes (`exec > file`): only the copies go. */
export function keepDescriptors(shell: Interpreter, saved: SavedDescriptors): void {
  for (const { saved: copy } of saved.entries) {
    if (copy === undefined) continue;
    shell.sys.close(copy);
    shell.privateDescriptors.delete(copy);
  }
}

function save(shell: Interpreter, fd: number, into: SavedDescriptors): void {
  let copy: number | undefined;
  if (shell.sys.descriptors().includes(fd)) {
    copy = shell.sys.dup(fd, SAVED_FROM);
    shell.sys.setCloseOnExec(copy, true);
    shell.privateDescriptors.add(copy);
  }
  into.entries.push({ fd, saved: copy });
}

function place(shell: Interpreter, opened: number, fd: number, into: SavedDescriptors): void {
  if (opened === fd) {
    into.entries.push({ fd, saved: undefined });
    return;
  }
  save(shell, fd, into);
  shell.sys.dup2(opened, fd);
  shell.sys.close(opened);
}

function* applyOne(shell: Interpreter, redirection: Redirection, into: SavedDescriptors): Task<void> {
  const { sys } = shell;
  let fd = redirection.descriptor?.type === 'FileDescriptor' ? redirection.descriptor.value : undefined;
  const variable = redirection.descriptor?.type === 'FileDescriptorVariable' ? redirection.descriptor.name : undefined;
  const settle = (opened: number): void => {
    if (variable === undefined) {
      place(shell, opened, fd!, into);
      return;
    }
    const high = sys.dup(opened, SAVED_FROM);
    sys.close(opened);
    shell.variables.set(variable, String(high));
  };
  if (redirection.type === 'HereDoc' || redirection.type === 'HereString') {
    let body: string;
    if (redirection.type === 'HereString') body = (yield* shell.expander.text(parseWord(redirection.target?.text ?? ''))) + '\n';
    else body = yield* hereDocument(shell, redirection.operator === '<<-', redirection.delimiter?.quoted ?? false, redirection.body.text);
    fd ??= 0;
    settle(yield* documentDescriptor(shell, body));
    return;
  }
  const { operator } = redirection;
  const source = redirection.target?.text ?? '';
  const fields = yield* shell.expander.fields(source);
  if (fields.length !== 1) throw new RedirectionError(`${source}: ambiguous redirect`);
  const target = fields[0]!;
  if (operator === '<&' || (operator === '>&' && (/^\d+-?$/.test(target) || target === '-'))) {
    fd ??= operator === '<&' ? 0 : 1;
    if (target === '-') {
      const closing = variable === undefined ? fd : Number(shell.variables.get(variable));
      if (variable !== undefined) {
        if (sys.descriptors().includes(closing)) sys.close(closing);
        return;
      }
      save(shell, fd, into);
      if (sys.descriptors().includes(fd)) sys.close(fd);
      return;
    }
    if (!/^\d+-?$/.test(target)) throw new RedirectionError(`${target}: ambiguous redirect`);
    const from = Number.parseInt(target, 10);
    if (!sys.descriptors().includes(from) || shell.privateDescriptors.has(from)) throw new RedirectionError(`${from}: Bad file descriptor`);
    if (variable !== undefined) {
      shell.variables.set(variable, String(sys.dup(from, SAVED_FROM)));
      return;
    }
    if (from !== fd) {
      save(shell, fd, into);
      sys.dup2(from, fd);
    }
    if (target.endsWith('-')) {
      save(shell, from, into);
      sys.close(from);
    }
    return;
  }
  const both = operator === '&>' || operator === '&>>' || operator === '>&';
  fd ??= operator === '<' || operator === '<>' ? 0 : 1;
  if ((operator === '>' || both) && operator !== '&>>' && shell.option('noclobber') && isRegular(shell, target))
    throw new RedirectionError(`${target}: cannot overwrite existing file`);
  let opened: number;
  try {
    if (operator === '<') opened = sys.open(target, { read: true });
    else if (operator === '<>') opened = sys.open(target, { read: true, write: true, create: true });
    else if (operator === '>>' || operator === '&>>') opened = sys.open(target, { write: true, create: true, append: true });
    else opened = sys.open(target, { write: true, create: true, truncate: true });
  } catch (error) {
    if (error instanceof SysError) throw new RedirectionError(`${target}: ${error.strerror}`);
    throw error;
  }
  settle(opened);
  if (both) {
    save(shell, 2, into);
    sys.dup2(1, 2);
  }
}

function isRegular(shell: Interpreter, path: string): boolean {
  try {
    return shell.sys.stat(path).kind === 'file';
  } catch (error) {
    if (isSysError(error)) return false;
    throw error;
  }
}

function* hereDocument(shell: Interpreter, isStripped: boolean, isQuoted: boolean, text: string): Task<string> {
  const body = isStripped ? text.replace(/^\t+/gm, '') : text;
  if (isQuoted) return body;
  return yield* shell.expander.text(parseWord(body, 'heredoc'));
}

/** A pipe holds what fits; more goes to a file that has lost its name, as bash does. */
function* documentDescriptor(shell: Interpreter, body: string): Task<number> {
  const { sys } = shell;
  const bytes = toBytes(body);
  if (bytes.length <= 60_000) {
    const [readEnd, writeEnd] = sys.pipe();
    if (bytes.length > 0) yield* wait(sys.file(writeEnd).write(bytes));
    sys.close(writeEnd);
    return readEnd;
  }
  const path = `/tmp/sh-thd-${sys.rng.int(0x7fffffff)}`;
  sys.writeFile(path, bytes, { mode: 0o600 });
  const fd = sys.open(path, { read: true });
  sys.unlink(path);
  return fd;
}
