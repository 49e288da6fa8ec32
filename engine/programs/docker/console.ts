// What docker's commands share: output, errors, tables, flags.

import { utf8 } from '../../sim/bytes.ts';
import type { Process } from '../../kernel/process.ts';
import type { DockerClient } from '../../kube/runtime/docker/client.ts';

export interface Console {
  readonly process: Process;
  readonly docker: DockerClient;
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
}

export function consoleOf(process: Process, docker: DockerClient): Console {
  return {
    process,
    docker,
    out: (text) => process.stdout.write(utf8(text)),
    err: (text) => process.stderr.write(utf8(text)),
  };
}

/** Ends a command with a message on stderr and an exit status. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly status: number;
  constructor(message: string, status = 1) {
    super(message);
    this.status = status;
  }
}

const MIN_WIDTH = 20;
const PADDING = 3;

/** docker's tables: columns of at least twenty characters, three blanks between. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(MIN_WIDTH, ...rows.map((row) => (row[column] ?? '').length + PADDING)));
  return rows
    .map((row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join('')}\n`)
    .join('');
}

export interface FlagSpec {
  /** Without a value. */
  readonly switches: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
  /** Flags end at the first argument that is none (`run`, `exec`). */
  readonly stopsAtArgument?: boolean;
}

export interface Flags {
  has(name: string): boolean;
  get(name: string): string | undefined;
  all(name: string): readonly string[];
  readonly args: readonly string[];
}

/** Reads flags as pflag does; names are the long ones, `switches` and `values` map what may be typed to them. */
export function parseFlags(command: string, args: readonly string[], spec: FlagSpec): Flags {
  const seen = new Map<string, string[]>();
  const rest: string[] = [];
  const add = (name: string, value: string): void => void seen.set(name, [...(seen.get(name) ?? []), value]);
  const help = `\nSee 'docker ${command} --help'.`;
  for (let at = 0; at < args.length; at++) {
    const argument = args[at]!;
    if (argument === '--') {
      rest.push(...args.slice(at + 1));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      rest.push(argument);
      if (spec.stopsAtArgument === true) {
        rest.push(...args.slice(at + 1));
        break;
      }
      continue;
    }
    if (argument.startsWith('--')) {
      const [typed = '', given] = splitOnce(argument.slice(2));
      if (spec.switches[typed] !== undefined) add(spec.switches[typed], given ?? 'true');
      else if (spec.values[typed] !== undefined) {
        const value = given ?? args[++at];
        if (value === undefined) throw new CliError(`flag needs an argument: --${typed}${help}`, 125);
        add(spec.values[typed], value);
      } else throw new CliError(`unknown flag: --${typed}${help}`, 125);
      continue;
    }
    for (let index = 1; index < argument.length; index++) {
      const letter = argument[index]!;
      if (spec.switches[letter] !== undefined) {
        add(spec.switches[letter], 'true');
        continue;
      }
      const name = spec.values[letter];
      if (name === undefined) throw new CliError(`unknown shorthand flag: '${letter}' in ${argument}${help}`, 125);
      const joined = argument.slice(index + 1).replace(/^=/, '');
      const value = joined === '' ? args[++at] : joined;
      if (value === undefined) throw new CliError(`flag needs an argument: '${letter}' in ${argument}${help}`, 125);
      add(name, value);
      break;
    }
  }
  return {
    has: (name) => seen.get(name)?.at(-1) === 'true',
    get: (name) => seen.get(name)?.at(-1),
    all: (name) => seen.get(name) ?? [],
    args: rest,
  };
}

function splitOnce(text: string): readonly [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** `"docker rm" requires at least 1 argument.` and the usage below it. */
export function needArguments(
  flags: Flags,
  command: string,
  options: { readonly least?: number; readonly exactly?: number; readonly most?: number; readonly usage: string; readonly about: string },
): void {
  const { length } = flags.args;
  const count = options.exactly ?? options.least ?? options.most ?? 0;
  const isWrong =
    options.exactly !== undefined ? length !== options.exactly : options.least !== undefined ? length < options.least : length > count;
  if (!isWrong) return;
  const how = options.exactly !== undefined ? 'exactly ' : options.least !== undefined ? 'at least ' : 'at most ';
  throw new CliError(
    `"docker ${command}" requires ${how}${count} argument${count === 1 ? '' : 's'}.\nSee 'docker ${command} --help'.\n\nUsage:  docker ${command} ${options.usage}\n\n${options.about}`,
  );
}

/** `key=value` filters as the API takes them. */
export function filtersOf(given: readonly string[]): Record<string, string[]> | undefined {
  if (given.length === 0) return undefined;
  const filters: Record<string, string[]> = {};
  for (const filter of given) {
    const [name, value] = splitOnce(filter);
    if (value === undefined) throw new CliError('bad format of filter (expected name=value)');
    filters[name.trim().toLowerCase()] = [...(filters[name] ?? []), value.trim()];
  }
  return filters;
}
