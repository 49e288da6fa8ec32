// The conditions of test, [ and [[.

import type { Stat, Syscalls } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';
import { compareBytes } from '../collate.ts';

export class TestError extends Error {}

export interface TestHost {
  readonly sys: Syscalls;
  isSet(name: string): boolean;
  isOption(name: string): boolean;
}

export const UNARY = /^-[a-hknoprstuwxzGLNOSv]$/;
export const BINARY = /^(?:=|==|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/;

export function testUnary(host: TestHost, operator: string, operand: string): boolean {
  const { sys } = host;
  switch (operator) {
    case '-n':
      return operand !== '';
    case '-z':
      return operand === '';
    case '-o':
      return host.isOption(operand);
    case '-v':
      return host.isSet(operand);
    case '-t':
      return sys.descriptors().includes(Number(operand)) && sys.file(Number(operand)).tty !== undefined;
    case '-h':
    case '-L':
      return statOf(sys, operand, false)?.kind === 'symlink';
    case '-r':
      return mayAccess(sys, operand, { read: true });
    case '-w':
      return mayAccess(sys, operand, { write: true });
    case '-x':
      return mayAccess(sys, operand, { execute: true });
  }
  const stat = statOf(sys, operand, true);
  if (stat === undefined) return false;
  switch (operator) {
    case '-a':
    case '-e':
      return true;
    case '-b':
      return stat.kind === 'block';
    case '-c':
      return stat.kind === 'character';
    case '-d':
      return stat.kind === 'directory';
    case '-f':
      return stat.kind === 'file';
    case '-p':
      return stat.kind === 'pipe';
    case '-S':
      return stat.kind === 'socket';
    case '-s':
      return stat.sizeBytes > 0;
    case '-g':
      return (stat.mode & 0o2000) !== 0;
    case '-u':
      return (stat.mode & 0o4000) !== 0;
    case '-k':
      return (stat.mode & 0o1000) !== 0;
    case '-O':
      return stat.uid === sys.credentials().uid;
    case '-G':
      return stat.gid === sys.credentials().gid;
    case '-N':
      return stat.mtimeMs > stat.atimeMs;
    default:
      throw new TestError(`${operator}: unary operator expected`);
  }
}

export function testFiles(sys: Syscalls, operator: string, left: string, right: string): boolean {
  const a = statOf(sys, left, true);
  const b = statOf(sys, right, true);
  if (operator === '-ef') return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
  if (operator === '-nt') return a !== undefined && (b === undefined || a.mtimeMs > b.mtimeMs);
  return b !== undefined && (a === undefined || a.mtimeMs < b.mtimeMs);
}

function statOf(sys: Syscalls, path: string, follow: boolean): Stat | undefined {
  try {
    return follow ? sys.stat(path) : sys.lstat(path);
  } catch (error) {
    if (isSysError(error)) return undefined;
    throw error;
  }
}

function mayAccess(sys: Syscalls, path: string, mode: { read?: boolean; write?: boolean; execute?: boolean }): boolean {
  try {
    sys.access(path, mode);
    return true;
  } catch (error) {
    if (isSysError(error)) return false;
    throw error;
  }
}

function integer(text: string): number {
  const trimmed = text.trim();
  if (!/^[+-]?\d+$/.test(trimmed)) throw new TestError(`${text}: integer expression expected`);
  return Number(trimmed);
}

function testBinary(host: TestHost, left: string, operator: string, right: string): boolean {
  switch (operator) {
    case '=':
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return compareBytes(left, right) < 0;
    case '>':
      return compareBytes(left, right) > 0;
    case '-eq':
      return integer(left) === integer(right);
    case '-ne':
      return integer(left) !== integer(right);
    case '-lt':
      return integer(left) < integer(right);
    case '-le':
      return integer(left) <= integer(right);
    case '-gt':
      return integer(left) > integer(right);
    case '-ge':
      return integer(left) >= integer(right);
    default:
      return testFiles(host.sys, operator, left, right);
  }
}

/** test(1): the arguments without the command's name and without a closing bracket. Throws TestError. */
export function evaluateTest(host: TestHost, args: readonly string[]): boolean {
  const [a = '', b = '', c = ''] = args;
  switch (args.length) {
    case 0:
      return false;
    case 1:
      return a !== '';
    case 2:
      if (a === '!') return b === '';
      if (UNARY.test(a)) return testUnary(host, a, b);
      throw new TestError(`${a}: unary operator expected`);
    case 3:
      if (BINARY.test(b)) return testBinary(host, a, b, c);
      if (b === '-a') return a !== '' && c !== '';
      if (b === '-o') return a !== '' || c !== '';
      if (a === '!') return !evaluateTest(host, args.slice(1));
      if (a === '(' && c === ')') return b !== '';
      throw new TestError(`${b}: binary operator expected`);
    case 4:
      if (a === '!') return !evaluateTest(host, args.slice(1));
      if (a === '(' && args[3] === ')') return evaluateTest(host, args.slice(1, 3));
  }
  return new TestParser(host, args).parse();
}

class TestParser {
  readonly #host: TestHost;
  readonly #args: readonly string[];
  #at = 0;

  constructor(host: TestHost, args: readonly string[]) {
    this.#host = host;
    this.#args = args;
  }

  parse(): boolean {
    const value = this.#or();
    if (this.#at < this.#args.length) throw new TestError('too many arguments');
    return value;
  }

  #or(): boolean {
    let value = this.#and();
    while (this.#args[this.#at] === '-o') {
      this.#at++;
      const right = this.#and();
      value = value || right;
    }
    return value;
  }

  #and(): boolean {
    let value = this.#term();
    while (this.#args[this.#at] === '-a') {
      this.#at++;
      const right = this.#term();
      value = value && right;
    }
    return value;
  }

  #term(): boolean {
    const args = this.#args;
    const first = args[this.#at];
    if (first === undefined) throw new TestError('argument expected');
    if (first === '!') {
      this.#at++;
      return !this.#term();
    }
    if (first === '(') {
      this.#at++;
      const value = this.#or();
      if (args[this.#at] !== ')') throw new TestError("`)' expected");
      this.#at++;
      return value;
    }
    const operator = args[this.#at + 1];
    if (operator !== undefined && BINARY.test(operator) && this.#at + 2 < args.length) {
      const right = args[this.#at + 2]!;
      this.#at += 3;
      return testBinary(this.#host, first, operator, right);
    }
    if (UNARY.test(first) && this.#at + 1 < args.length) {
      this.#at += 2;
      return testUnary(this.#host, first, args[this.#at - 1]!);
    }
    this.#at++;
    return first !== '';
  }
}
