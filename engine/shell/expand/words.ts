// Expansion of words into fields: tilde, parameters, commands, arithmetic, then splitting and pathname expansion.

import type { Syscalls } from '../../kernel/process.ts';
import type { Task } from '../interp/task.ts';
import type { Variables } from '../interp/variables.ts';
import type { Collate } from '../collate.ts';
import { parseWord, type ParameterSegment, type Segment, type WordTree } from '../syntax/words.ts';
import { ArithmeticError, evaluateArithmetic, type Integer } from './arithmetic.ts';
import { expandBraces } from './braces.ts';
import { expandPath } from './glob.ts';
import { compilePattern, escapePattern, hasMagic, patternSource, unescapePattern } from './pattern.ts';

/** An expansion that cannot be done. The command is not run; a script ends when `isFatal`. */
export class ExpansionError extends Error {
  readonly isFatal: boolean;
  constructor(message: string, isFatal = false) {
    super(message);
    this.isFatal = isFatal;
  }
}

export interface ExpansionHost {
  readonly sys: Syscalls;
  readonly variables: Variables;
  readonly collate: Collate;
  positional(): readonly string[];
  /** `?`, `$`, `!`, `-`, `0`: undefined when unset. */
  special(name: string): string | undefined;
  option(name: string): boolean;
  substitute(source: string): Task<string>;
  processSubstitution(direction: '<' | '>', source: string): Task<string>;
  home(user: string): string | undefined;
}

type Value = string | undefined | { readonly items: readonly string[]; readonly isStar: boolean };

interface Field {
  text: string;
  pattern: string;
  hasMagic: boolean;
}

export class Expander {
  readonly #host: ExpansionHost;

  constructor(host: ExpansionHost) {
    this.#host = host;
  }

  /** All fields of a word's source. */
  *fields(source: string): Task<string[]> {
    const out: string[] = [];
    for (const one of source.includes('{') ? expandBraces(source) : [source]) {
      const tree = parseWord(one);
      if (tree.plain !== undefined) out.push(tree.plain);
      else {
        for (const field of yield* this.#split(tree)) this.#glob(field, out);
      }
    }
    return out;
  }

  /** One string without splitting and pathname expansion: assignments, `case` words, here-strings. */
  *text(tree: WordTree): Task<string> {
    if (tree.plain !== undefined) return tree.plain;
    let out = '';
    for (const segment of tree.segments) {
      if (segment.type === 'literal') out += segment.text;
      else out += this.#join(yield* this.#value(segment));
    }
    return out;
  }

  /** A pattern in which what was quoted is escaped by backslashes. */
  *pattern(tree: WordTree): Task<string> {
    let out = '';
    for (const segment of tree.segments) {
      if (segment.type === 'literal') out += segment.isQuoted ? escapePattern(segment.text) : segment.text;
      else {
        const text = this.#join(yield* this.#value(segment));
        const isQuoted = 'isQuoted' in segment ? segment.isQuoted : true;
        out += isQuoted ? escapePattern(text) : text;
      }
    }
    return out;
  }

  /** The right side of `=~`: what was quoted matches itself. */
  *regex(tree: WordTree): Task<string> {
    let out = '';
    for (const segment of tree.segments) {
      const text = segment.type === 'literal' ? segment.text : this.#join(yield* this.#value(segment));
      const isQuoted = 'isQuoted' in segment ? segment.isQuoted : true;
      out += isQuoted ? text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : text;
    }
    return out;
  }

  *arithmetic(tree: WordTree): Task<Integer> {
    const source = tree.plain ?? (yield* this.text(tree));
    return this.evaluate(source);
  }

  *#arithmeticExpansion(tree: WordTree): Task<Integer> {
    const source = tree.plain ?? (yield* this.text(tree));
    try {
      return this.evaluate(source);
    } catch (error) {
      if (error instanceof ArithmeticError) error.source = source.trimStart();
      throw error;
    }
  }

  evaluate(source: string): Integer {
    return evaluateArithmetic(source, this.#arithmeticVariables);
  }

  readonly #arithmeticVariables = {
    getText: (name: string, index: string | undefined): string | undefined => {
      const host = this.#host;
      const value = index === undefined ? host.variables.get(name) : host.variables.element(name, this.#indexNow(name, index));
      if (value === undefined && host.option('nounset')) throw new ExpansionError(`${name}: unbound variable`, true);
      return value;
    },
    setText: (name: string, index: string | undefined, value: string): void => {
      if (index === undefined) this.#host.variables.set(name, value);
      else this.#host.variables.setElement(name, this.#indexNow(name, index), value);
    },
  };

  #indexNow(name: string, index: string): number | string {
    if (this.#host.variables.find(name)?.map !== undefined) return index;
    return Number(this.evaluate(index));
  }

  /** An index between brackets: a key of an associative array or a number. */
  *index(name: string, source: string): Task<number | string> {
    const tree = parseWord(source);
    if (this.#host.variables.find(name)?.map !== undefined) return yield* this.text(tree);
    return Number(this.evaluate(yield* this.text(parseWord(source, 'arithmetic'))));
  }

  /** Fields of a word before pathname expansion. */
  *#split(tree: WordTree): Task<Field[]> {
    const fields: Field[] = [];
    let current: Field | undefined;
    const begin = (): Field => (current ??= { text: '', pattern: '', hasMagic: false });
    const end = (): void => {
      if (current !== undefined) fields.push(current);
      current = undefined;
    };
    const quoted = (text: string): void => {
      const field = begin();
      field.text += text;
      field.pattern += escapePattern(text);
    };
    for (const segment of tree.segments) {
      if (segment.type === 'literal') {
        if (segment.isQuoted) quoted(segment.text);
        else {
          const field = begin();
          field.text += segment.text;
          field.pattern += segment.text;
          field.hasMagic = true;
        }
        continue;
      }
      if (segment.type === 'parameter' && isOperandWord(segment)) {
        const inner = yield* this.#operandFields(segment);
        if (inner !== undefined) {
          inner.forEach((field, i) => {
            if (i > 0) end();
            const now = begin();
            now.text += field.text;
            now.pattern += field.pattern;
            now.hasMagic ||= field.hasMagic;
          });
          continue;
        }
      }
      const value = yield* this.#value(segment);
      if (segment.type === 'tilde' || segment.type === 'process') {
        quoted(this.#join(value));
        continue;
      }
      if (segment.isQuoted) {
        if (typeof value === 'object' && !value.isStar) {
          value.items.forEach((item, i) => {
            if (i > 0) end();
            quoted(item);
          });
        } else quoted(this.#join(value));
        continue;
      }
      const items = typeof value === 'object' ? value.items : value === undefined ? [] : [value];
      items.forEach((item, i) => {
        if (i > 0) end();
        for (const piece of splitFields(item, this.#host.variables.get('IFS'))) {
          if (piece === undefined) end();
          else {
            const field = begin();
            field.text += piece;
            field.pattern += piece.includes('\\') ? piece.replaceAll('\\', '\\\\') : piece;
            field.hasMagic = true;
          }
        }
      });
    }
    end();
    return fields;
  }

  /** `${x:-"a b" c}` outside quotes: its operand's own quoting counts. */
  *#operandFields(segment: ParameterSegment): Task<Field[] | undefined> {
    if (segment.isQuoted) return undefined;
    const value = yield* this.#base(segment);
    const isSet = isPresent(value);
    const isEmpty = !isSet || (segment.operator.startsWith(':') && this.#join(value) === '');
    const wantsOperand = segment.operator.endsWith('+') ? !isEmpty : isEmpty;
    if (!wantsOperand || segment.operator.endsWith('=') || segment.operator.endsWith('?')) return undefined;
    return yield* this.#splitOperand(segment.operand!);
  }

  *#splitOperand(tree: WordTree): Task<Field[]> {
    // Literal blanks of an unquoted operand split as well.
    const fields: Field[] = [];
    const segments: Segment[] = [];
    const flush = function* (this: Expander): Task<void> {
      if (segments.length > 0)
        fields.push(...(yield* this.#split({ source: tree.source, segments: segments.splice(0), plain: undefined })));
    }.bind(this);
    for (const segment of tree.segments) {
      if (segment.type === 'literal' && !segment.isQuoted) {
        for (const piece of splitFields(segment.text, this.#host.variables.get('IFS'))) {
          if (piece === undefined) yield* flush();
          else segments.push({ type: 'literal', text: piece, isQuoted: false });
        }
      } else segments.push(segment);
    }
    yield* flush();
    return fields;
  }

  #glob(field: Field, out: string[]): void {
    const host = this.#host;
    if (!field.hasMagic || host.option('noglob') || !hasMagic(field.pattern, host.option('extglob'))) {
      out.push(field.text);
      return;
    }
    const found = expandPath(host.sys, field.pattern, {
      extglob: host.option('extglob'),
      dotglob: host.option('dotglob'),
      ignoreCase: host.option('nocaseglob'),
      globstar: host.option('globstar'),
      collate: host.collate,
    });
    if (found.length > 0) out.push(...found);
    else if (host.option('failglob')) throw new ExpansionError(`no match: ${field.text}`);
    else if (!host.option('nullglob')) out.push(field.text);
  }

  #join(value: Value): string {
    if (value === undefined) return '';
    if (typeof value === 'string') return value;
    const ifs = this.#host.variables.get('IFS');
    return value.items.join(value.isStar ? (ifs === undefined ? ' ' : ifs.slice(0, 1)) : ' ');
  }

  *#value(segment: Segment): Task<Value> {
    const host = this.#host;
    switch (segment.type) {
      case 'literal':
        return segment.text;
      case 'tilde':
        return host.home(segment.user) ?? '~' + segment.user;
      case 'command':
        return yield* host.substitute(segment.source);
      case 'process':
        return yield* host.processSubstitution(segment.direction, segment.source);
      case 'arithmetic':
        return String(yield* this.#arithmeticExpansion(segment.expression));
      case 'parameter':
        return yield* this.#parameter(segment);
    }
  }

  /** The value of the parameter itself, before operators. */
  *#base(segment: ParameterSegment): Task<Value> {
    const host = this.#host;
    if (segment.isBad) throw new ExpansionError(`${segment.text}: bad substitution`, true);
    let { name, index } = segment;
    if (segment.prefix === '!') {
      if (index === '@' || index === '*') return { items: host.variables.keys(name), isStar: index === '*' };
      const target = yield* this.#named(name, index);
      const pointed = typeof target === 'string' ? target : this.#join(target);
      const match = /^([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])(?:\[(.*)\])?$/.exec(pointed);
      if (match === null) {
        if (pointed === '') return undefined;
        throw new ExpansionError(`${pointed}: invalid variable name`);
      }
      name = match[1]!;
      index = match[2];
    }
    return yield* this.#named(name, index);
  }

  *#named(name: string, index: string | undefined): Task<Value> {
    const host = this.#host;
    if (index !== undefined) {
      if (index === '@' || index === '*') return { items: host.variables.values(name), isStar: index === '*' };
      return host.variables.element(name, yield* this.index(name, index));
    }
    const first = name.charCodeAt(0);
    if (first > 64) return host.variables.get(name);
    if (name === '@' || name === '*') return { items: host.positional(), isStar: name === '*' };
    if (name === '#') return String(host.positional().length);
    if (first >= 49 && first <= 57) return host.positional()[Number(name) - 1];
    return host.special(name);
  }

  *#parameter(segment: ParameterSegment): Task<Value> {
    const host = this.#host;
    if (segment.operator === 'names@' || segment.operator === 'names*') {
      const items = host.variables.names().filter((n) => n.startsWith(segment.name) && host.variables.isSet(n));
      return { items, isStar: segment.operator === 'names*' };
    }
    const value = yield* this.#base(segment);
    if (segment.prefix === '#') {
      if (typeof value === 'object') return String(value.items.length);
      if (value === undefined) this.#checkUnset(segment, value);
      return String([...(value ?? '')].length);
    }
    const operator = segment.operator;
    if (operator === '') {
      if (value === undefined) this.#checkUnset(segment, value);
      return value;
    }
    const isSet = isPresent(value);
    switch (operator) {
      case '-':
      case ':-':
        if (isSet && (operator === '-' || this.#join(value) !== '')) return value;
        return yield* this.text(segment.operand!);
      case '+':
      case ':+':
        if (!isSet || (operator === ':+' && this.#join(value) === '')) return '';
        return yield* this.text(segment.operand!);
      case '=':
      case ':=': {
        if (isSet && (operator === '=' || this.#join(value) !== '')) return value;
        const text = yield* this.text(segment.operand!);
        if (!/^[A-Za-z_]/.test(segment.name)) throw new ExpansionError(`$${segment.name}: cannot assign in this way`);
        if (segment.index === undefined) host.variables.set(segment.name, text);
        else host.variables.setElement(segment.name, yield* this.index(segment.name, segment.index), text);
        return text;
      }
      case '?':
      case ':?': {
        if (isSet && (operator === '?' || this.#join(value) !== '')) return value;
        const text = yield* this.text(segment.operand!);
        throw new ExpansionError(`${segment.name}: ${text === '' ? 'parameter null or not set' : text}`, true);
      }
    }
    if (value === undefined) this.#checkUnset(segment, value);
    if (operator === ':') return yield* this.#slice(segment, value);
    const change = yield* this.#change(segment);
    if (typeof value === 'object') return { items: value.items.map(change), isStar: value.isStar };
    return change(value ?? '');
  }

  #checkUnset(segment: ParameterSegment, value: Value): void {
    if (value !== undefined || !this.#host.option('nounset')) return;
    const name = segment.index === undefined ? segment.name : `${segment.name}[${segment.index}]`;
    throw new ExpansionError(`${/^\d/.test(name) ? '$' + name : name}: unbound variable`, true);
  }

  *#slice(segment: ParameterSegment, value: Value): Task<Value> {
    const offset = Number(yield* this.arithmetic(segment.operand!));
    const length = segment.second === undefined ? undefined : Number(yield* this.arithmetic(segment.second));
    if (typeof value === 'object') {
      const isPositional = segment.name === '@' || segment.name === '*';
      const items = isPositional ? [this.#host.special('0') ?? '', ...value.items] : value.items;
      let from: number;
      if (!isPositional && this.#host.variables.find(segment.name)?.list !== undefined) {
        const keys = this.#host.variables.keys(segment.name).map(Number);
        const start = offset < 0 ? (keys.at(-1) ?? -1) + 1 + offset : offset;
        from = keys.findIndex((key) => key >= start);
        if (from < 0) from = items.length;
      } else from = offset < 0 ? items.length + offset : offset;
      if (isPositional && offset === 0 && segment.operand!.source.trim() !== '0') from = 0;
      if (from < 0) return { items: [], isStar: value.isStar };
      if (length !== undefined && length < 0) throw new ExpansionError(`${segment.second!.source}: substring expression < 0`);
      return { items: items.slice(from, length === undefined ? undefined : from + length), isStar: value.isStar };
    }
    const chars = isAscii(value ?? '') ? (value ?? '') : [...(value ?? '')];
    const from = offset < 0 ? chars.length + offset : offset;
    if (from < 0 || from > chars.length) return '';
    let to = length === undefined ? chars.length : length < 0 ? chars.length + length : from + length;
    if (to < from) {
      if (length! < 0) throw new ExpansionError(`${segment.second!.source}: substring expression < 0`);
      to = from;
    }
    const cut = chars.slice(from, to);
    return typeof cut === 'string' ? cut : cut.join('');
  }

  /** What an operator does to one string. */
  *#change(segment: ParameterSegment): Task<(text: string) => string> {
    const { operator } = segment;
    const options = { extglob: this.#host.option('extglob') };
    const pattern = segment.operand === undefined ? '' : yield* this.pattern(segment.operand);
    switch (operator) {
      case '#':
      case '##':
      case '%':
      case '%%': {
        if (pattern === '') return (text) => text;
        if (!hasMagic(pattern, options.extglob)) {
          const literal = unescapePattern(pattern);
          if (operator[0] === '#') return (text) => (text.startsWith(literal) ? text.slice(literal.length) : text);
          return (text) => (text.endsWith(literal) ? text.slice(0, text.length - literal.length) : text);
        }
        const regex = compilePattern(pattern, options);
        return (text) => removeMatch(text, regex, operator);
      }
      case '/':
      case '//':
      case '/#':
      case '/%': {
        const replacement = yield* this.text(segment.second!);
        if (pattern === '') return (text) => (operator === '/#' ? replacement + text : operator === '/%' ? text + replacement : text);
        const body = patternSource(pattern, options);
        const regex = new RegExp(
          operator === '/#' ? `^(?:${body})` : operator === '/%' ? `(?:${body})$` : body,
          operator === '//' ? 'gsu' : 'su',
        );
        return (text) => {
          if (operator === '//') return text.replace(regex, (match) => (match === '' && text !== '' ? '' : replacement));
          return text.replace(regex, () => replacement);
        };
      }
      case '^':
      case '^^':
      case ',':
      case ',,': {
        const regex = compilePattern(pattern === '' ? '?' : pattern, options);
        const convert = (c: string): string => (regex.test(c) ? (operator[0] === '^' ? c.toUpperCase() : c.toLowerCase()) : c);
        return (text) => {
          const chars = [...text];
          return operator.length === 2 ? chars.map(convert).join('') : chars.map((c, i) => (i === 0 ? convert(c) : c)).join('');
        };
      }
      default:
        throw new ExpansionError(`${segment.text}: bad substitution`, true);
    }
  }
}

function isOperandWord(segment: ParameterSegment): boolean {
  return segment.operand !== undefined && /^:?[-+]$/.test(segment.operator);
}

function isPresent(value: Value): boolean {
  return typeof value === 'object' ? value.items.length > 0 : value !== undefined;
}

function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

function removeMatch(text: string, regex: RegExp, operator: string): string {
  const isPrefix = operator[0] === '#';
  const isLongest = operator.length === 2;
  const lengths = Array.from({ length: text.length + 1 }, (_, i) => i);
  if (isLongest) lengths.reverse();
  for (const length of lengths) {
    const piece = isPrefix ? text.slice(0, length) : text.slice(text.length - length);
    if (regex.test(piece)) return isPrefix ? text.slice(length) : text.slice(0, text.length - length);
  }
  return text;
}

/** Splits by IFS; `undefined` stands for a field's end. */
export function splitFields(text: string, ifs: string | undefined): (string | undefined)[] {
  if (ifs === '') return text === '' ? [] : [text];
  const separators = ifs ?? ' \t\n';
  if (separators === ' \t\n') {
    if (!/[ \t\n]/.test(text)) return text === '' ? [] : [text];
    const out: (string | undefined)[] = [];
    for (const piece of text.split(/([ \t\n]+)/)) {
      if (piece === '') continue;
      out.push(/^[ \t\n]/.test(piece) ? undefined : piece);
    }
    return out;
  }
  const out: (string | undefined)[] = [];
  let piece = '';
  let i = 0;
  const isBlank = (c: string): boolean => /[ \t\n]/.test(c) && separators.includes(c);
  while (i < text.length && isBlank(text[i]!)) i++;
  if (i > 0) out.push(undefined);
  let wasDelimited = true;
  for (; i < text.length;) {
    const c = text[i]!;
    if (!separators.includes(c)) {
      piece += c;
      i++;
      wasDelimited = false;
      continue;
    }
    // A delimiter: blanks, at most one other character, blanks.
    let others = 0;
    while (i < text.length && separators.includes(text[i]!)) {
      if (!isBlank(text[i]!)) {
        if (others === 1) break;
        others++;
      }
      i++;
    }
    out.push(piece, undefined);
    piece = '';
    wasDelimited = true;
  }
  if (!wasDelimited || piece !== '') out.push(piece);
  // A field that is empty because of two delimiters in a row stays; blanks alone make none.
  return out.filter((p, at) => p !== '' || out[at + 1] === undefined);
}
