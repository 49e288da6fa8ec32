// The command line of etcdctl: flags anywhere (cobra), and variables of the environment for the global ones.

import type { Process } from '../../../kernel/process.ts';
import { badArgs, Failure } from './failure.ts';

export type Kind = 'value' | 'switch';
export type FlagTable = Readonly<Record<string, Kind>>;

const GLOBAL: FlagTable = {
  cacert: 'value',
  cert: 'value',
  'command-timeout': 'value',
  debug: 'switch',
  'dial-timeout': 'value',
  'discovery-srv': 'value',
  endpoints: 'value',
  hex: 'switch',
  'insecure-discovery': 'switch',
  'insecure-skip-tls-verify': 'switch',
  'insecure-transport': 'switch',
  'keepalive-time': 'value',
  'keepalive-timeout': 'value',
  key: 'value',
  password: 'value',
  user: 'value',
  'write-out': 'value',
  help: 'switch',
};
const SHORT: Readonly<Record<string, string>> = { w: 'write-out', d: 'discovery-srv', h: 'help', i: 'interactive' };
const FORMATS = ['simple', 'json', 'fields', 'table', 'protobuf'];

export class CommandLine {
  readonly words: readonly string[];
  readonly #given: ReadonlyMap<string, string>;
  readonly #env: ReadonlyMap<string, string>;

  constructor(words: readonly string[], given: ReadonlyMap<string, string>, env: ReadonlyMap<string, string>) {
    this.words = words;
    this.#given = given;
    this.#env = env;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }
  isOn(name: string): boolean {
    return this.get(name) === 'true';
  }
  get(name: string): string | undefined {
    return this.#given.get(name) ?? this.#env.get(`ETCDCTL_${name.toUpperCase().replaceAll('-', '_')}`);
  }
  or(name: string, otherwise: string): string {
    return this.get(name) ?? otherwise;
  }
  integer(name: string, otherwise: number): number {
    const given = this.get(name);
    if (given === undefined) return otherwise;
    if (!/^-?\d+$/.test(given)) {
      const shown = JSON.stringify(given);
      throw new Failure(`invalid argument ${shown} for "--${name}" flag: strconv.ParseInt: parsing ${shown}: invalid syntax`);
    }
    return Number(given);
  }
  /** A duration of Go, in milliseconds. */
  duration(name: string, otherwiseMs: number): number {
    const given = this.get(name);
    if (given === undefined) return otherwiseMs;
    const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
    const parts = [...given.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
    if (parts.length === 0 || parts.map((part) => part[0]).join('') !== given) {
      throw new Failure(`invalid argument ${JSON.stringify(given)} for "--${name}" flag: time: invalid duration ${given}`);
    }
    return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0);
  }
  get format(): string {
    const format = this.or('write-out', 'simple');
    if (!FORMATS.includes(format)) throw new Failure('unsupported output format', 4);
    return format;
  }
  get endpoints(): readonly string[] {
    return this.or('endpoints', '127.0.0.1:2379')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
  }
}

/** `tableFor` names the flags of the command that the words so far stand for. */
export function readCommandLine(process: Process, tableFor: (words: readonly string[]) => FlagTable): CommandLine {
  const given = new Map<string, string>();
  const words: string[] = [];
  const args = process.argv.slice(1);
  // All words first: flags may stand before the command they belong to.
  const command = commandOf(args);
  const table = { ...GLOBAL, ...tableFor(command) };
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '--') {
      words.push(...args.slice(at + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      continue;
    }
    const equals = arg.indexOf('=');
    let name = equals < 0 ? arg : arg.slice(0, equals);
    let value = equals < 0 ? undefined : arg.slice(equals + 1);
    if (name.startsWith('--')) name = name.slice(2);
    else {
      const letter = name.slice(1, 2);
      const long = SHORT[letter];
      if (long === undefined || table[long] === undefined) throw new Failure(`unknown shorthand flag: '${letter}' in ${arg}`);
      if (name.length > 2) value = name.slice(2);
      name = long;
    }
    const kind = table[name];
    if (kind === undefined) throw new Failure(`unknown flag: --${name}`);
    if (kind === 'switch') given.set(name, value ?? 'true');
    else {
      value ??= args[++at];
      if (value === undefined) throw new Failure(`flag needs an argument: --${name}`);
      given.set(name, value);
    }
  }
  return new CommandLine(words, given, process.env);
}

/** The first words that are no flags and no values of flags. */
function commandOf(args: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (let at = 0; at < args.length && words.length < 2; at++) {
    const arg = args[at]!;
    if (!arg.startsWith('-')) words.push(arg);
    else if (!arg.includes('=')) {
      const name = arg.startsWith('--') ? arg.slice(2) : (SHORT[arg.slice(1)] ?? '');
      if (GLOBAL[name] === 'value') at++;
    }
  }
  return words;
}

export function need(condition: boolean, message: string): void {
  if (!condition) throw badArgs(message);
}
