// A word's source taken apart into literals and expansions, in the order in which they are expanded.

import { byteChar, normalize } from '../bytes.ts';
import { skipAnsi, skipArithmetic, skipBacktick, skipBrace, skipBracket, skipCommand, skipDouble, skipParen, skipSingle } from './scan.ts';

export interface LiteralSegment {
  readonly type: 'literal';
  readonly text: string;
  readonly isQuoted: boolean;
}
export interface CommandSegment {
  readonly type: 'command';
  readonly source: string;
  readonly isQuoted: boolean;
}
export interface ProcessSegment {
  readonly type: 'process';
  readonly direction: '<' | '>';
  readonly source: string;
}
export interface ArithmeticSegment {
  readonly type: 'arithmetic';
  readonly expression: WordTree;
  readonly isQuoted: boolean;
}
export interface TildeSegment {
  readonly type: 'tilde';
  /** What follows the tilde up to the slash. */
  readonly user: string;
}
export interface ParameterSegment {
  readonly type: 'parameter';
  readonly isQuoted: boolean;
  readonly name: string;
  /** `#` length, `!` indirection. */
  readonly prefix: '' | '#' | '!';
  /** `@` and `*` as they are, everything else to be expanded. */
  readonly index: string | undefined;
  readonly operator: string;
  readonly operand: WordTree | undefined;
  readonly second: WordTree | undefined;
  /** Source, for messages. */
  readonly text: string;
  /** Not a valid expansion: fails when it is expanded. */
  readonly isBad: boolean;
}
export type Segment = LiteralSegment | CommandSegment | ProcessSegment | ArithmeticSegment | TildeSegment | ParameterSegment;

export interface WordTree {
  readonly source: string;
  readonly segments: readonly Segment[];
  /** The text when the word is a plain literal without glob characters, braces or a tilde. */
  readonly plain: string | undefined;
}

export type WordMode =
  /** An ordinary word. */
  | 'word'
  /** The right side of an assignment: tildes after colons. */
  | 'assignment'
  /** Between double quotes. */
  | 'double'
  /** A here-document whose delimiter is not quoted. */
  | 'heredoc'
  /** Arithmetic: double quotes vanish. */
  | 'arithmetic'
  /** A pattern or operand inside `${...}` between double quotes. */
  | 'operand';

const caches = new Map<WordMode, Map<string, WordTree>>();

/** Takes a word's source apart. Trees are immutable and shared. */
export function parseWord(source: string, mode: WordMode = 'word'): WordTree {
  let cache = caches.get(mode);
  if (cache === undefined) caches.set(mode, (cache = new Map()));
  let tree = cache.get(source);
  if (tree === undefined) {
    tree = new WordParser(source, mode).parse();
    if (cache.size > 20_000) cache.clear();
    cache.set(source, tree);
  }
  return tree;
}

const GLOB = /[*?[]/;
const EXTGLOB = /[?*+@!]\(/;

class WordParser {
  readonly #segments: Segment[] = [];
  readonly #source: string;
  readonly #mode: WordMode;
  #literal = '';
  #literalQuoted = false;

  constructor(source: string, mode: WordMode) {
    this.#source = source;
    this.#mode = mode;
  }

  parse(): WordTree {
    const mode = this.#mode;
    if (mode === 'word' || mode === 'assignment') this.#unquoted(mode === 'assignment');
    else this.#quoted(this.#source, mode);
    this.#flush();
    const segments = this.#segments;
    let plain: string | undefined;
    if (segments.every((s) => s.type === 'literal' && (s.isQuoted || !(GLOB.test(s.text) || EXTGLOB.test(s.text)))))
      plain = segments.map((s) => (s as LiteralSegment).text).join('');
    if (segments.length === 0 && mode === 'word') plain = undefined;
    return { source: this.#source, segments, plain };
  }

  #add(text: string, isQuoted: boolean): void {
    if (isQuoted !== this.#literalQuoted) this.#flush();
    this.#literalQuoted = isQuoted;
    this.#literal += text;
  }

  #flush(isForced = false): void {
    if (this.#literal !== '' || isForced)
      this.#segments.push({ type: 'literal', text: normalize(this.#literal), isQuoted: isForced || this.#literalQuoted });
    this.#literal = '';
  }

  #push(segment: Segment): void {
    this.#flush();
    this.#segments.push(segment);
  }

  #unquoted(isAssignment: boolean): void {
    const source = this.#source;
    for (let i = 0; i < source.length;) {
      const c = source[i]!;
      if (c === '\\') {
        if (source[i + 1] === '\n') i += 2;
        else if (i + 1 >= source.length) {
          this.#add('\\', true);
          i++;
        } else {
          this.#add(source[i + 1]!, true);
          i += 2;
        }
      } else if (c === "'") {
        const end = skipSingle(source, i);
        this.#quote(source.slice(i + 1, source[end - 1] === "'" ? end - 1 : end));
        i = end;
      } else if (c === '"') {
        i = this.#double(i);
      } else if (c === '$' && source[i + 1] === "'") {
        const end = skipAnsi(source, i + 1);
        this.#quote(ansiUnescape(source.slice(i + 2, end - 1)));
        i = end;
      } else if (c === '$' && source[i + 1] === '"') {
        i = this.#double(i + 1);
      } else if (c === '$' || c === '`') {
        i = this.#expansion(source, i, false, 'word');
      } else if ((c === '<' || c === '>') && source[i + 1] === '(') {
        const end = skipCommand(source, i + 1);
        this.#push({ type: 'process', direction: c, source: source.slice(i + 2, end - 1) });
        i = end;
      } else if (c === '~' && (i === 0 || (isAssignment && source[i - 1] === ':'))) {
        const user = /^[A-Za-z0-9_.+-]*/.exec(source.slice(i + 1))![0];
        const after = source[i + 1 + user.length];
        if (after === undefined || after === '/' || (isAssignment && after === ':')) {
          this.#push({ type: 'tilde', user });
          i += 1 + user.length;
        } else {
          this.#add(c, false);
          i++;
        }
      } else if (source[i + 1] === '(' && '?*+@!'.includes(c)) {
        // An extended glob keeps its parentheses together; what is quoted inside is quoted there.
        const end = skipParen(source, i + 1);
        this.#add(c + '(', false);
        const inner = new WordParser(source.slice(i + 2, end - 1), 'word');
        inner.#unquoted(false);
        inner.#flush();
        for (const segment of inner.#segments) {
          if (segment.type === 'literal') this.#add(segment.text, segment.isQuoted);
          else this.#push(segment);
        }
        this.#add(')', false);
        i = end;
      } else {
        this.#add(c, false);
        i++;
      }
    }
  }

  #quote(text: string): void {
    this.#add(text, true);
    if (text === '') this.#flush(true);
  }

  #double(at: number): number {
    const source = this.#source;
    const end = skipDouble(source, at);
    const inner = source.slice(at + 1, source[end - 1] === '"' && end - 1 > at ? end - 1 : end);
    if (inner === '') {
      this.#flush();
      this.#flush(true);
    } else this.#quoted(inner, 'double');
    return end;
  }

  #quoted(text: string, mode: WordMode): void {
    for (let i = 0; i < text.length;) {
      const c = text[i]!;
      if (c === '\\') {
        const next = text[i + 1];
        if (next === '\n') i += 2;
        else if (next !== undefined && (next === '$' || next === '`' || next === '\\' || (next === '"' && mode !== 'heredoc'))) {
          this.#add(next, true);
          i += 2;
        } else if (next === '}' && mode === 'operand') {
          this.#add('}', true);
          i += 2;
        } else {
          this.#add('\\', true);
          i++;
        }
      } else if (c === '$' || c === '`') {
        i = this.#expansion(text, i, true, mode);
      } else if (c === '"' && mode === 'arithmetic') {
        i++;
      } else if (c === '"' && mode === 'operand') {
        const end = skipDouble(text, i);
        this.#quoted(text.slice(i + 1, end - 1), 'double');
        i = end;
      } else {
        this.#add(c, true);
        i++;
      }
    }
  }

  #expansion(source: string, at: number, isQuoted: boolean, mode: WordMode): number {
    if (source[at] === '`') {
      const end = skipBacktick(source, at);
      const inner = source.slice(at + 1, end - 1);
      const unescaped = mode === 'double' ? inner.replace(/\\([$`\\"])/g, '$1') : inner.replace(/\\([$`\\])/g, '$1');
      this.#push({ type: 'command', source: unescaped, isQuoted });
      return end;
    }
    const next = source[at + 1];
    if (next === '(') {
      if (source[at + 2] === '(') {
        const end = skipArithmetic(source, at);
        if (end !== undefined) {
          this.#push({ type: 'arithmetic', expression: parseWord(source.slice(at + 3, end - 2), 'arithmetic'), isQuoted });
          return end;
        }
      }
      const end = skipCommand(source, at + 1);
      this.#push({ type: 'command', source: source.slice(at + 2, end - 1), isQuoted });
      return end;
    }
    if (next === '[') {
      const end = skipBracket(source, at + 1);
      this.#push({ type: 'arithmetic', expression: parseWord(source.slice(at + 2, end - 1), 'arithmetic'), isQuoted });
      return end;
    }
    if (next === '{') {
      const end = skipBrace(source, at + 1, isQuoted);
      this.#push(parseParameter(source.slice(at + 2, end - 1), source.slice(at, end), isQuoted));
      return end;
    }
    const match = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/.exec(source.slice(at + 1));
    if (match === null) {
      this.#add('$', isQuoted);
      return at + 1;
    }
    this.#push(simpleParameter(match[0], isQuoted));
    return at + 1 + match[0].length;
  }
}

function simpleParameter(name: string, isQuoted: boolean): ParameterSegment {
  return {
    type: 'parameter',
    isQuoted,
    name,
    prefix: '',
    index: undefined,
    operator: '',
    operand: undefined,
    second: undefined,
    text: '$' + name,
    isBad: false,
  };
}

function parseParameter(inner: string, text: string, isQuoted: boolean): ParameterSegment {
  const bad: ParameterSegment = { ...simpleParameter('', isQuoted), text, isBad: true };
  let at = 0;
  let prefix: '' | '#' | '!' = '';
  const nameAt = (from: number): string => /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])/.exec(inner.slice(from))?.[0] ?? '';
  if (inner[0] === '#' && inner.length > 1 && /^[A-Za-z0-9_@*?$!#-]/.test(inner.slice(1))) {
    const name = nameAt(1);
    const after = inner.slice(1 + name.length);
    if (name !== '' && (after === '' || (after.startsWith('[') && skipBracket(after, 0) === after.length))) prefix = '#';
  } else if (inner[0] === '!' && inner.length > 1 && /[A-Za-z0-9_@*#?$]/.test(inner[1]!)) prefix = '!';
  if (prefix !== '') at = 1;
  const name = nameAt(at);
  if (name === '') return bad;
  at += name.length;
  let index: string | undefined;
  if (inner[at] === '[' && /^[A-Za-z_]/.test(name)) {
    const end = skipBracket(inner, at);
    index = inner.slice(at + 1, end - 1);
    at = end;
  }
  const base = { ...simpleParameter(name, isQuoted), prefix, index, text };
  const rest = inner.slice(at);
  if (rest === '') return base;
  if (prefix === '#') return bad;
  if (prefix === '!' && (rest === '*' || rest === '@') && index === undefined) return { ...base, operator: 'names' + rest };
  const operandMode: WordMode = isQuoted ? 'operand' : 'word';
  const two = rest.slice(0, 2);
  if (/^:[-=?+]/.test(two)) return { ...base, operator: two, operand: parseWord(rest.slice(2), operandMode) };
  const one = rest[0]!;
  if ('-=?+'.includes(one)) return { ...base, operator: one, operand: parseWord(rest.slice(1), operandMode) };
  if (two === '##' || two === '%%') return { ...base, operator: two, operand: parseWord(rest.slice(2)) };
  if (one === '#' || one === '%') return { ...base, operator: one, operand: parseWord(rest.slice(1)) };
  if (one === ':') {
    const cut = splitSlice(rest.slice(1));
    return {
      ...base,
      operator: ':',
      operand: parseWord(cut[0], 'arithmetic'),
      second: cut[1] === undefined ? undefined : parseWord(cut[1], 'arithmetic'),
    };
  }
  if (one === '/') {
    const operator = rest[1] === '/' || rest[1] === '#' || rest[1] === '%' ? two : '/';
    const body = rest.slice(operator.length);
    let end = 0;
    while (end < body.length && (body[end] !== '/' || end === 0)) end = skipOperand(body, end);
    return {
      ...base,
      operator,
      operand: parseWord(body.slice(0, end)),
      second: parseWord(body.slice(end + 1), 'word'),
    };
  }
  if (two === '^^' || two === ',,') return { ...base, operator: two, operand: parseWord(rest.slice(2)) };
  if (one === '^' || one === ',') return { ...base, operator: one, operand: parseWord(rest.slice(1)) };
  return bad;
}

function skipOperand(body: string, at: number): number {
  const c = body[at]!;
  if (c === '\\') return at + 2;
  if (c === "'") return skipSingle(body, at);
  if (c === '"') return skipDouble(body, at);
  if (c === '[') {
    const close = body.indexOf(']', at + 2);
    const slash = body.indexOf('/', at);
    if (close > 0 && (slash < 0 || close > slash) && slash > 0) return close + 1;
    return at + 1;
  }
  if (c === '$' && body[at + 1] === '{') return skipBrace(body, at + 1);
  if (c === '$' && body[at + 1] === '(') return skipCommand(body, at + 1);
  if (c === '`') return skipBacktick(body, at);
  return at + 1;
}

/** The offset and the length of `${x:offset:length}`; a colon of `?:` or inside an expansion does not part them. */
function splitSlice(body: string): [string, string | undefined] {
  let questions = 0;
  let depth = 0;
  for (let i = 0; i < body.length;) {
    const c = body[i]!;
    if (c === '$' && (body[i + 1] === '{' || body[i + 1] === '(')) {
      i = body[i + 1] === '{' ? skipBrace(body, i + 1) : skipCommand(body, i + 1);
      continue;
    }
    if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === '?') questions++;
    else if (c === ':' && depth === 0) {
      if (questions === 0) return [body.slice(0, i), body.slice(i + 1)];
      questions--;
    }
    i++;
  }
  return [body, undefined];
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?',
};

/** The escapes of `$'...'`. */
export function ansiUnescape(text: string): string {
  if (!text.includes('\\')) return text;
  const raw = text.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|c([\s\S])|([\s\S]))/g,
    (whole, octal?: string, hex?: string, short?: string, long?: string, control?: string, other?: string) => {
      if (octal !== undefined) return byteChar(Number.parseInt(octal, 8) & 255);
      if (hex !== undefined) return byteChar(Number.parseInt(hex, 16));
      if (short !== undefined) return String.fromCodePoint(Number.parseInt(short, 16));
      if (long !== undefined) return String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(long, 16)));
      if (control !== undefined) return String.fromCharCode(control.charCodeAt(0) & 0x1f);
      return SIMPLE_ESCAPES[other!] ?? whole;
    },
  );
  const zero = raw.indexOf('\0');
  return normalize(zero < 0 ? raw : raw.slice(0, zero));
}
