// What the commands of ip share: their surroundings, their errors, and how words are taken.

import type { Process } from '../../../kernel/process.ts';
import { SysError } from '../../../sim/errno.ts';
import type { Style } from './format.ts';

/** What ip prints and how it ends when its arguments are wrong. */
export class IpError extends Error {
  readonly status: number;
  constructor(message: string, status = 255) {
    super(message);
    this.status = status;
  }
}

export interface IpContext {
  readonly process: Process;
  readonly style: Style;
}

/** Changing anything needs CAP_NET_ADMIN. */
export function requireRoot({ process }: IpContext): void {
  if (process.sys.credentials().uid !== 0) throw new SysError('EPERM');
}

/** `ip` takes any beginning of a command's name. */
export function isCommand(word: string | undefined, ...names: readonly string[]): boolean {
  return word !== undefined && names.some((name) => name.startsWith(word));
}

export function nextArgument(args: string[]): string {
  const value = args.shift();
  if (value === undefined) throw new IpError('Command line is not complete. Try option "help"');
  return value;
}

export function unknownCommand(command: string, object: string): IpError {
  return new IpError(`Command "${command}" is unknown, try "ip ${object} help".`);
}
