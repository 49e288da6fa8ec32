// What the administration programs share: printing, options, accounts.

import { utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import type { Process, Program, Syscalls } from '../../kernel/process.ts';

export async function print(process: Process, text: string): Promise<void> {
  if (text !== '') await process.stdout.write(utf8(text));
}

export async function complain(process: Process, text: string): Promise<void> {
  await process.stderr.write(utf8(text));
}

/** A usage error or another end with a message; `main` of `program` prints it. */
export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export interface Options {
  has(name: string): boolean;
  value(name: string): string | undefined;
  values(name: string): readonly string[];
  readonly operands: readonly string[];
}

export interface OptionSpec {
  /** getopt(3) letters: `ab:c` has a value for b. */
  readonly short: string;
  /** Long names to the short letter or the name they are kept under; `=` at the end of the name asks for a value. */
  readonly long?: Readonly<Record<string, string>>;
  /** Options end at the first operand. */
  readonly stopsAtOperand?: boolean;
  /** What follows the getopt message on stderr. */
  readonly hint?: string;
  readonly status?: number;
}

/** Parses as GNU getopt_long does, with its messages. */
export function parseOptions(argv: readonly string[], spec: OptionSpec): Options {
  const found: (readonly [string, string])[] = [];
  const operands: string[] = [];
  const program = argv[0]!.slice(argv[0]!.lastIndexOf('/') + 1);
  const fail = (message: string): never => {
    throw new Failure(`${program}: ${message}\n${spec.hint ?? ''}`, spec.status ?? 1);
  };
  const rest = argv.slice(1);
  for (let at = 0; at < rest.length; at++) {
    const arg = rest[at]!;
    if (arg === '--') {
      operands.push(...rest.slice(at + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const [given = '', inline] = splitOnce(arg.slice(2));
      const names = Object.keys(spec.long ?? {});
      const exact = names.find((name) => name.replace(/=$/, '') === given);
      const matches = exact === undefined ? names.filter((name) => name.startsWith(given)) : [exact];
      if (matches.length === 0) fail(`unrecognized option '--${given}'`);
      if (matches.length > 1) fail(`option '--${given}' is ambiguous`);
      const name = matches[0]!;
      const key = spec.long![name]!;
      if (!name.endsWith('=')) {
        if (inline !== undefined) fail(`option '--${name}' doesn't allow an argument`);
        found.push([key, '']);
        continue;
      }
      const value = inline ?? rest[++at];
      if (value === undefined) fail(`option '--${name.slice(0, -1)}' requires an argument`);
      found.push([key, value!]);
      continue;
    }
    if (arg.startsWith('-') && arg.length > 1) {
      for (let letter = 1; letter < arg.length; letter++) {
        const name = arg[letter]!;
        const place = name === ':' ? -1 : spec.short.indexOf(name);
        if (place < 0) fail(`invalid option -- '${name}'`);
        if (spec.short[place + 1] !== ':') {
          found.push([name, '']);
          continue;
        }
        const value = letter + 1 < arg.length ? arg.slice(letter + 1) : rest[++at];
        if (value === undefined) fail(`option requires an argument -- '${name}'`);
        found.push([name, value!]);
        break;
      }
      continue;
    }
    operands.push(arg);
    if (spec.stopsAtOperand === true) {
      operands.push(...rest.slice(at + 1));
      break;
    }
  }
  return {
    has: (name) => found.some(([key]) => key === name),
    value: (name) => found.findLast(([key]) => key === name)?.[1],
    values: (name) => found.filter(([key]) => key === name).map(([, value]) => value),
    operands,
  };
}

/** A program whose `Failure`s become its message and status. */
export function program(
  name: string,
  main: (process: Process) => Promise<number>,
  more: Partial<Omit<Program, 'name' | 'main'>> = {},
): Program {
  return {
    name,
    ...more,
    async main(process) {
      try {
        return await main(process);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        await complain(process, error.message);
        return error.status;
      }
    },
  };
}

export function strerrorOf(error: unknown): string {
  if (isSysError(error)) return error.strerror;
  throw error;
}

/** Name the program was called by, without its directory. */
export function nameOf(process: Process): string {
  const called = process.argv[0] ?? '';
  return called.slice(called.lastIndexOf('/') + 1).replace(/^-/, '');
}

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

export function accounts(sys: Syscalls): readonly Account[] {
  return readLines(sys, '/etc/passwd').flatMap((line) => {
    const [name, , uid, gid, comment, home, shell] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined) return [];
    return [
      {
        name,
        uid: Number(uid),
        gid: Number(gid),
        comment: comment ?? '',
        home: home ?? '/',
        shell: shell === undefined || shell === '' ? '/bin/sh' : shell,
      },
    ];
  });
}

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

export function groups(sys: Syscalls): readonly Group[] {
  return readLines(sys, '/etc/group').flatMap((line) => {
    const [name, , gid, members] = line.split(':');
    if (name === undefined || gid === undefined) return [];
    return [{ name, gid: Number(gid), members: (members ?? '').split(',').filter((member) => member !== '') }];
  });
}

/** Groups a login gives: the primary one and those that list the user. */
export function groupsOf(sys: Syscalls, account: Account): readonly number[] {
  const listed = groups(sys)
    .filter((group) => group.members.includes(account.name) && group.gid !== account.gid)
    .map((group) => group.gid);
  return [account.gid, ...listed];
}

export function userName(sys: Syscalls, uid: number): string | undefined {
  return accounts(sys).find((account) => account.uid === uid)?.name;
}

export function readLines(sys: Syscalls, path: string): readonly string[] {
  try {
    return sys
      .readTextFile(path)
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    if (isSysError(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Moment in the guest's time zone, Korea: nine hours ahead all year. */
export function localTime(ms: number): Date {
  return new Date(ms + 9 * 3_600_000);
}

export const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function two(value: number): string {
  return String(value).padStart(2, '0');
}

function splitOnce(text: string): readonly [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
