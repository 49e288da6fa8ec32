// read and mapfile.

import { toText } from '../../bytes.ts';
import { splitFields } from '../../expand/words.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Interpreter } from '../interpreter.ts';
import { assignText } from '../simple.ts';
import { wait, type Task } from '../task.ts';
import { takeOptions, usage, type Builtin } from './types.ts';

class TimeoutError extends Error {}

function* read(shell: Interpreter, args: readonly string[]): Task<number> {
  const { options, rest, bad } = takeOptions(args, 'rsea:d:i:n:N:p:t:u:');
  if (bad !== undefined)
    return yield* usage(
      shell,
      'read',
      bad,
      'read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]',
    );
  const names = rest;
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*(?:\[.*\])?$/.test(name)) {
      yield* shell.builtinError('read', `\`${name}': not a valid identifier`);
      return 1;
    }
  }
  const timeout = options.get('t');
  if (timeout !== undefined && !/^\d*\.?\d+$/.test(timeout)) {
    yield* shell.builtinError('read', `${timeout}: invalid timeout specification`);
    return 1;
  }
  const fd = Number(options.get('u') ?? '0');
  if (!shell.sys.descriptors().includes(fd)) {
    yield* shell.builtinError('read', `${fd}: invalid file descriptor: Bad file descriptor`);
    return 1;
  }
  const file = shell.sys.file(fd);
  const { tty } = file;
  if (tty !== undefined && options.has('p')) yield* shell.errorText(options.get('p')!);
  const delimiter = options.has('N') ? undefined : options.has('d') ? (options.get('d')!.charCodeAt(0) || 0) & 255 : 10;
  const limit = options.has('N') ? Number(options.get('N')) : options.has('n') ? Number(options.get('n')) : undefined;
  const isRaw = options.has('r');
  const termios = tty?.termios;
  if (tty !== undefined && (options.has('s') || limit !== undefined || options.has('d')))
    tty.termios = {
      ...tty.termios,
      ...(options.has('s') ? { echo: false } : {}),
      ...(limit !== undefined || options.has('d') ? { canonical: false } : {}),
    };
  if (timeout !== undefined && Number(timeout) === 0) return file.isReadable ? 0 : 1;
  let timer: { dispose(): void } | undefined;
  const timeoutController = new AbortController();
  if (timeout !== undefined) timer = shell.sys.clock.setTimer(Number(timeout) * 1000, () => timeoutController.abort(new TimeoutError()));
  // What is between escapes is kept apart, so that splitting does not see it.
  const bytes: number[] = [];
  const quoted: boolean[] = [];
  let status = 0;
  let count = 0;
  let isEscaped = false;
  try {
    while (limit === undefined || count < limit) {
      let chunk: Uint8Array | undefined;
      try {
        chunk = yield* shell.interruptible((signal) =>
          file.read(1, timeout === undefined ? signal : AbortSignal.any([signal, timeoutController.signal])),
        );
      } catch (error) {
        if (error instanceof TimeoutError) {
          status = 142;
          break;
        }
        if (isSysError(error)) {
          yield* shell.builtinError('read', `read error: ${fd}: ${error.strerror}`);
          return 1;
        }
        throw error;
      }
      if (chunk === undefined || chunk.length === 0) {
        status = shell.isInterrupted ? 130 : 1;
        break;
      }
      const byte = chunk[0]!;
      if (isEscaped) {
        isEscaped = false;
        if (byte === 10) continue;
        bytes.push(byte);
        quoted.push(true);
        count++;
        continue;
      }
      if (byte === delimiter) break;
      if (byte === 92 && !isRaw) {
        isEscaped = true;
        continue;
      }
      bytes.push(byte);
      quoted.push(false);
      if ((byte & 0xc0) !== 0xc0 && (byte & 0xc0) !== 0x80) count++;
      else if (limit !== undefined && isCharacterEnd(bytes)) count++;
    }
  } finally {
    timer?.dispose();
    if (tty !== undefined && termios !== undefined) tty.termios = termios;
  }
  if (shell.isInterrupted) {
    yield* shell.tick();
    return 130;
  }
  yield* assignLine(shell, bytes, quoted, names, options.get('a'), options.has('N'));
  return status;
}

function isCharacterEnd(bytes: readonly number[]): boolean {
  let i = bytes.length - 1;
  while (i >= 0 && (bytes[i]! & 0xc0) === 0x80) i--;
  const first = bytes[i] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.length - i === length;
}

function* assignLine(
  shell: Interpreter,
  bytes: readonly number[],
  quoted: readonly boolean[],
  names: readonly string[],
  array: string | undefined,
  isWhole: boolean,
): Task<void> {
  const line = toText(Uint8Array.from(bytes)).replaceAll('\0', '');
  if (names.length === 0 && array === undefined) {
    shell.variables.set('REPLY', line);
    return;
  }
  // Escaped separators hide behind a private character while the line is split.
  const ifs = shell.variables.get('IFS') ?? ' \t\n';
  let masked = '';
  const hidden: string[] = [];
  if (quoted.some(Boolean)) {
    for (let i = 0; i < bytes.length; i++) {
      const char = String.fromCharCode(bytes[i]!);
      if (quoted[i] && ifs.includes(char)) {
        masked += String.fromCharCode(0xe000 + hidden.length);
        hidden.push(char);
      } else masked += bytes[i]! < 0x80 ? char : String.fromCharCode(0xdc00 + bytes[i]!);
    }
    masked = toText(new Uint8Array(encodeMasked(masked)));
  } else masked = line;
  const reveal = (text: string): string =>
    hidden.length === 0 ? text : text.replace(/[\ue000-\uf8ff]/g, (c) => hidden[c.charCodeAt(0) - 0xe000] ?? c);
  if (array !== undefined) {
    const fields = splitFields(masked, ifs).filter((f): f is string => f !== undefined);
    shell.variables.setList(array, fields.map(reveal));
    return;
  }
  if (isWhole) {
    yield* setNamed(shell, names[0]!, line);
    for (const name of names.slice(1)) yield* setNamed(shell, name, '');
    return;
  }
  let rest = masked;
  const blanks = [...ifs].filter((c) => ' \t\n'.includes(c)).join('');
  const trimStart = (text: string): string => {
    let i = 0;
    while (i < text.length && blanks.includes(text[i]!)) i++;
    return text.slice(i);
  };
  const trimEnd = (text: string): string => {
    let i = text.length;
    while (i > 0 && blanks.includes(text[i - 1]!)) i--;
    return text.slice(0, i);
  };
  rest = trimStart(rest);
  for (const [i, name] of names.entries()) {
    if (i === names.length - 1) {
      let last = trimEnd(rest);
      // A single trailing delimiter belongs to the field's end.
      const others = [...ifs].filter((c) => !blanks.includes(c));
      if (last !== '' && others.includes(last.at(-1)!) && ![...last.slice(0, -1)].some((c) => others.includes(c)))
        last = trimEnd(last.slice(0, -1));
      yield* setNamed(shell, name, reveal(last));
      break;
    }
    let end = 0;
    while (end < rest.length && !ifs.includes(rest[end]!)) end++;
    yield* setNamed(shell, name, reveal(rest.slice(0, end)));
    rest = trimStart(rest.slice(end));
    if (end < masked.length && rest !== '' && ifs.includes(rest[0]!) && !blanks.includes(rest[0]!)) rest = trimStart(rest.slice(1));
  }
}

function encodeMasked(text: string): number[] {
  const out: number[] = [];
  for (const c of text) {
    const code = c.charCodeAt(0);
    if (code >= 0xdc80 && code <= 0xdcff) out.push(code - 0xdc00);
    else if (code >= 0xe000 && code <= 0xf8ff) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else out.push(code);
  }
  return out;
}

function* setNamed(shell: Interpreter, target: string, value: string): Task<void> {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[(.*)\])?$/.exec(target)!;
  yield* assignText(shell, match[1]!, match[2], value, false);
}

function* mapfile(shell: Interpreter, args: readonly string[]): Task<number> {
  const { options, rest, bad } = takeOptions(args, 'tn:O:s:u:C:c:');
  if (bad !== undefined)
    return yield* usage(shell, 'mapfile', bad, 'mapfile [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]');
  const file = shell.sys.file(Number(options.get('u') ?? '0'));
  const bytes: number[] = [];
  for (;;) {
    const chunk = yield* wait(file.read());
    if (chunk === undefined) break;
    for (const byte of chunk) bytes.push(byte);
  }
  const text = toText(Uint8Array.from(bytes));
  let lines: string[] = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  lines = lines.slice(Number(options.get('s') ?? '0'));
  const limit = Number(options.get('n') ?? '0');
  if (limit > 0) lines = lines.slice(0, limit);
  const values = options.has('t') ? lines.map((line) => line.replace(/\n$/, '')) : lines;
  const name = rest[0] ?? 'MAPFILE';
  if (options.has('O')) values.forEach((value, i) => shell.variables.setElement(name, Number(options.get('O')) + i, value));
  else shell.variables.setList(name, values);
  return 0;
}

export const INPUT_BUILTINS: Readonly<Record<string, Builtin['run']>> = { read, mapfile, readarray: mapfile };
