// Models pflag: flags with shorthands, types, defaults and values without an argument; messages are pflag's own.

import { parseGoDuration } from './duration.ts';

export type FlagKind = 'bool' | 'int' | 'string' | 'duration' | 'list' | 'array' | 'map';

export interface Flag {
  readonly name: string;
  readonly shorthand: string;
  readonly kind: FlagKind;
  readonly defaultText: string;
  /** Value when the flag is given without one. */
  readonly noValue: string | undefined;
  /** Printed as `Flag --x has been deprecated, ...` when it is used. */
  readonly deprecated?: string;
  /** A number of 32 bits. */
  readonly isShort: boolean;
}

export class FlagError extends Error {
  override readonly name = 'FlagError';
}

type Value = string | boolean | number | readonly string[];

/** Values without an argument of flags that are no booleans. */
const NO_VALUE: Readonly<Record<string, string>> = { 'dry-run': 'unchanged', cascade: 'background' };

const INTEGER = /^[+-]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|\d+)$/;

/** Reads one word of a flag table, `s/name=default`. */
export function flagFromWord(word: string, deprecated?: string): Flag {
  const equals = word.indexOf('=');
  const left = word.slice(0, equals);
  const isShort = /=-?\d+i32$/.test(word);
  const defaultText = word.slice(equals + 1, isShort ? -'i32'.length : undefined);
  const slash = left.indexOf('/');
  const name = slash < 0 ? left : left.slice(slash + 1);
  const kind = kindOf(defaultText);
  return {
    name,
    shorthand: slash < 0 ? '' : left.slice(0, slash),
    kind,
    defaultText,
    isShort,
    noValue: kind === 'bool' ? 'true' : NO_VALUE[name],
    ...(deprecated === undefined ? {} : { deprecated }),
  };
}

function kindOf(defaultText: string): FlagKind {
  if (defaultText === 'true' || defaultText === 'false') return 'bool';
  if (defaultText === '[*]') return 'array';
  if (defaultText === '[=]') return 'map';
  if (defaultText.startsWith('[')) return 'list';
  if (/^-?\d+$/.test(defaultText)) return 'int';
  if (/^(\d+[hms])+$/.test(defaultText)) return 'duration';
  return 'string';
}

/** The flags of one command and what the user gave for them. */
export class FlagSet {
  readonly #flags = new Map<string, Flag>();
  readonly #shorthands = new Map<string, Flag>();
  readonly #values = new Map<string, Value>();
  readonly #changed: string[] = [];
  /** Every flag as it was given, with its text, in order. */
  readonly given: (readonly [string, string])[] = [];
  /** Operands in order. */
  readonly args: string[] = [];
  /** How many operands stood before `--`; -1 without one. */
  argsBeforeDash = -1;
  /** Deprecation messages of used flags. */
  readonly warnings: string[] = [];

  add(flag: Flag): void {
    this.#flags.set(flag.name, flag);
    if (flag.shorthand !== '') this.#shorthands.set(flag.shorthand, flag);
  }

  has(name: string): boolean {
    return this.#flags.has(name);
  }

  /** True for a flag that takes a list, as some commands have it under the name of a global one. */
  isList(name: string): boolean {
    const kind = this.#flags.get(name)?.kind;
    return kind === 'list' || kind === 'array' || kind === 'map';
  }

  all(): readonly Flag[] {
    return [...this.#flags.values()];
  }

  isChanged(name: string): boolean {
    return this.#changed.includes(name);
  }

  /** Names of given flags, sorted. */
  changedNames(): readonly string[] {
    return [...this.#changed].sort();
  }

  /** The value as text, as pflag's Value.String() has it. */
  valueText(name: string): string {
    const flag = this.#flags.get(name);
    if (flag?.kind === 'list' || flag?.kind === 'array' || flag?.kind === 'map') return `[${this.list(name).join(',')}]`;
    if (flag?.kind === 'bool') return String(this.bool(name));
    return String(this.#values.get(name) ?? defaultValue(flag));
  }

  string(name: string): string {
    return String(this.#values.get(name) ?? defaultValue(this.#flags.get(name)));
  }

  bool(name: string): boolean {
    const flag = this.#flags.get(name);
    if (flag === undefined) return false;
    const value = this.#values.get(name);
    return value === undefined ? flag.defaultText === 'true' : value === true;
  }

  int(name: string): number {
    return Number(this.#values.get(name) ?? this.#flags.get(name)?.defaultText ?? 0);
  }

  /** Milliseconds. */
  duration(name: string): number {
    const value = this.#values.get(name);
    if (typeof value === 'number') return value;
    return parseGoDuration(this.#flags.get(name)?.defaultText ?? '0s') ?? 0;
  }

  list(name: string): readonly string[] {
    const value = this.#values.get(name);
    if (value !== undefined) return value as readonly string[];
    const text = this.#flags.get(name)?.defaultText ?? '[]';
    return text === '[]' || text === '[*]' || text === '[=]' ? [] : text.slice(1, -1).split(',');
  }

  /** A flag of keys with values. */
  map(name: string): ReadonlyMap<string, string> {
    return new Map(this.list(name).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
  }

  /** Sets a value as if the user had given it. */
  set(name: string, text: string): void {
    const flag = this.#flags.get(name);
    if (flag !== undefined) this.#assign(flag, text);
  }

  /** Throws FlagError with pflag's message. `onHelp` is called for -h and --help. */
  parse(words: readonly string[], onHelp: () => void): void {
    for (let at = 0; at < words.length; at++) {
      const word = words[at] ?? '';
      if (word === '--') {
        this.argsBeforeDash = this.args.length;
        this.args.push(...words.slice(at + 1));
        return;
      }
      if (!word.startsWith('-') || word === '-') this.args.push(word);
      else if (word.startsWith('--')) at += this.#parseLong(word, words[at + 1], onHelp);
      else at += this.#parseShort(word, words[at + 1], onHelp);
    }
  }

  /** Returns how many further words were used. */
  #parseLong(word: string, next: string | undefined, onHelp: () => void): number {
    const equals = word.indexOf('=');
    const given = equals < 0 ? word.slice(2) : word.slice(2, equals);
    if (given === '' || given.startsWith('-') || given.startsWith('=')) throw new FlagError(`bad flag syntax: ${word}`);
    const name = given.replace(/_/g, '-');
    const flag = this.#flags.get(name);
    if (flag === undefined) {
      if (name === 'help') {
        onHelp();
        return 0;
      }
      throw new FlagError(`unknown flag: --${name}`);
    }
    if (equals >= 0) {
      this.#assign(flag, word.slice(equals + 1));
      return 0;
    }
    if (flag.noValue !== undefined) {
      this.#assign(flag, flag.noValue);
      return 0;
    }
    if (next === undefined) throw new FlagError(`flag needs an argument: --${name}`);
    this.#assign(flag, next);
    return 1;
  }

  #parseShort(word: string, next: string | undefined, onHelp: () => void): number {
    let letters = word.slice(1);
    while (letters !== '') {
      const letter = letters[0] ?? '';
      const flag = this.#shorthands.get(letter);
      if (flag === undefined) {
        if (letter === 'h') {
          onHelp();
          return 0;
        }
        throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`);
      }
      if (letters.length > 2 && letters[1] === '=') {
        this.#assign(flag, letters.slice(2));
        return 0;
      }
      if (flag.noValue !== undefined) {
        this.#assign(flag, flag.noValue);
        letters = letters.slice(1);
        continue;
      }
      if (letters.length > 1) {
        this.#assign(flag, letters.slice(1));
        return 0;
      }
      if (next === undefined) throw new FlagError(`flag needs an argument: '${letter}' in -${letters}`);
      this.#assign(flag, next);
      return 1;
    }
    return 0;
  }

  #assign(flag: Flag, text: string): void {
    this.given.push([flag.name, text]);
    this.#values.set(flag.name, this.#convert(flag, text));
    if (!this.#changed.includes(flag.name)) {
      this.#changed.push(flag.name);
      if (flag.deprecated !== undefined) this.warnings.push(`Flag --${flag.name} has been deprecated, ${flag.deprecated}`);
    }
  }

  #convert(flag: Flag, text: string): Value {
    const invalid = (why: string): FlagError => {
      const label = flag.shorthand === '' ? `--${flag.name}` : `-${flag.shorthand}, --${flag.name}`;
      return new FlagError(`invalid argument ${goQuote(text)} for ${goQuote(label)} flag: ${why}`);
    };
    switch (flag.kind) {
      case 'bool':
        if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
        if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
        throw invalid(`strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
      case 'int': {
        if (!INTEGER.test(text)) throw invalid(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
        const sign = text.startsWith('-') ? -1 : 1;
        const digits = text.replace(/^[+-]/, '');
        const number = sign * Number(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
        if (Math.abs(number + 0.5) > (flag.isShort ? 2 ** 31 : 2 ** 63))
          throw invalid(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
        return number;
      }
      case 'duration': {
        const ms = parseGoDuration(text);
        if (ms === undefined) throw invalid(`time: invalid duration ${goQuote(text)}`);
        return ms;
      }
      case 'list':
        return [...(this.#changed.includes(flag.name) ? this.list(flag.name) : []), ...splitCsv(text)];
      case 'map': {
        const pairs = text.split('=').length === 2 ? [text.replace(/^"(.*)"$/s, '$1')] : splitCsv(text);
        const bad = pairs.find((pair) => !pair.includes('='));
        if (bad !== undefined) throw invalid(`${bad} must be formatted as key=value`);
        return [...(this.#changed.includes(flag.name) ? this.list(flag.name) : []), ...pairs];
      }
      case 'array':
        return [...(this.#changed.includes(flag.name) ? this.list(flag.name) : []), text];
      case 'string':
        return text;
    }
  }
}

function defaultValue(flag: Flag | undefined): string {
  return flag?.defaultText.replace(/^'|'$/g, '') ?? '';
}

/** One record of encoding/csv, as StringSlice flags read it. */
function splitCsv(text: string): readonly string[] {
  if (text === '') return [];
  const out: string[] = [];
  let field = '';
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (isQuoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') {
        field += '"';
        at++;
      } else isQuoted = false;
    } else if (char === '"' && field === '') isQuoted = true;
    else if (char === ',') {
      out.push(field);
      field = '';
    } else field += char;
  }
  out.push(field);
  return out;
}

/** Go's %q for ordinary text. */
export function goQuote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
