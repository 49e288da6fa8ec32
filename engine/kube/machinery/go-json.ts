// JSON as Go's encoding/json reads it: what is wrong with a text is said in its words.

/** A text that is no JSON. */
export class GoJsonError extends Error {
  override readonly name = 'GoJsonError';
}

/** How deep Go's decoder goes. */
const MAX_DEPTH = 10_000;

/** Refuses what is deeper than `maxDepth`: every level costs a stack frame of whoever walks the value. */
export function parseGoJson(text: string, maxDepth = MAX_DEPTH): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new GoJsonError(new Scanner(text).problem() ?? error.message);
  }
  if (text.length > maxDepth && depthOf(text) > maxDepth) throw new GoJsonError('exceeded max depth');
  return value;
}

/** Upper bound of the nesting of braces and brackets in a text, be it JSON or YAML's flow style. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (isInString) {
      if (char === 0x5c) i++;
      else if (char === 0x22) isInString = false;
    } else if (char === 0x22) isInString = true;
    else if (char === 0x7b || char === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (char === 0x7d || char === 0x5d) depth--;
  }
  return deepest;
}

class Problem extends Error {}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  problem(): string | undefined {
    try {
      this.#value();
      this.#space();
      if (this.#at < this.#text.length) this.#fail('after top-level value');
      return undefined;
    } catch (error) {
      if (error instanceof Problem) return error.message;
      throw error;
    }
  }

  #fail(context: string): never {
    if (this.#at >= this.#text.length) throw new Problem('unexpected end of JSON input');
    throw new Problem(`invalid character ${quoted(this.#text, this.#at)} ${context}`);
  }

  #char(): string {
    return this.#text[this.#at] ?? '';
  }

  #space(): void {
    while (this.#char() !== '' && ' \t\r\n'.includes(this.#char())) this.#at++;
  }

  #value(): void {
    // An explicit stack: bad texts may be deep too.
    const open: ('{' | '[')[] = [];
    for (;;) {
      this.#space();
      const char = this.#char();
      if (char === '{') {
        this.#at++;
        this.#space();
        if (this.#char() === '}') this.#at++;
        else {
          open.push('{');
          this.#key();
          continue;
        }
      } else if (char === '[') {
        this.#at++;
        this.#space();
        if (this.#char() === ']') this.#at++;
        else {
          open.push('[');
          continue;
        }
      } else this.#scalar();
      for (;;) {
        const container = open.at(-1);
        if (container === undefined) return;
        this.#space();
        if (this.#char() === ',') {
          this.#at++;
          if (container === '{') {
            this.#space();
            this.#key();
          }
          break;
        }
        if (this.#char() !== (container === '{' ? '}' : ']')) {
          this.#fail(container === '{' ? 'after object key:value pair' : 'after array element');
        }
        this.#at++;
        open.pop();
      }
    }
  }

  #key(): void {
    if (this.#char() !== '"') this.#fail('looking for beginning of object key string');
    this.#string();
    this.#space();
    if (this.#char() !== ':') this.#fail('after object key');
    this.#at++;
  }

  #scalar(): void {
    const char = this.#char();
    if (char === '"') return this.#string();
    if (char === '-' || /\d/.test(char)) return this.#number();
    for (const literal of ['true', 'false', 'null']) {
      if (char !== literal[0] || char === '') continue;
      for (let i = 0; i < literal.length; i++, this.#at++) {
        if (this.#char() !== literal[i]) this.#fail(`in literal ${literal} (expecting '${literal[i]!}')`);
      }
      return;
    }
    this.#fail('looking for beginning of value');
  }

  #string(): void {
    for (this.#at++; this.#char() !== '"'; this.#at++) {
      if (this.#char() === '' || this.#char() < ' ') this.#fail('in string literal');
      if (this.#char() !== '\\') continue;
      this.#at++;
      if (this.#char() === 'u') {
        for (let i = 0; i < 4; i++) {
          this.#at++;
          if (!/[0-9a-fA-F]/.test(this.#char())) this.#fail('in \\u hexadecimal character escape');
        }
      } else if (this.#char() === '' || !'"\\/bfnrt'.includes(this.#char())) this.#fail('in string escape code');
    }
    this.#at++;
  }

  #digits(context: string): void {
    if (!/\d/.test(this.#char())) this.#fail(context);
    while (/\d/.test(this.#char())) this.#at++;
  }

  #number(): void {
    if (this.#char() === '-') this.#at++;
    if (this.#char() === '0') this.#at++;
    else this.#digits('in numeric literal');
    if (this.#char() === '.') {
      this.#at++;
      this.#digits('after decimal point in numeric literal');
    }
    if (this.#char() === 'e' || this.#char() === 'E') {
      this.#at++;
      if (this.#char() === '+' || this.#char() === '-') this.#at++;
      this.#digits('in exponent of numeric literal');
    }
  }
}

/** One byte as Go shows it in these messages. */
function quoted(text: string, at: number): string {
  const byte = new TextEncoder().encode(String.fromCodePoint(text.codePointAt(at)!))[0]!;
  if (byte === 0x27) return "'\\''";
  if (byte === 0x22) return "'\"'";
  const char = String.fromCharCode(byte);
  const named: Readonly<Record<string, string>> = {
    '\n': '\\n',
    '\t': '\\t',
    '\r': '\\r',
    '\\': '\\\\',
    '\b': '\\b',
    '\f': '\\f',
    '\v': '\\v',
    '\x07': '\\a',
  };
  if (named[char] !== undefined) return `'${named[char]}'`;
  return byte < 0x20 || (byte >= 0x7f && byte < 0xa1) || byte === 0xad
    ? `'${byte < 0x80 ? '\\x' : '\\u00'}${byte.toString(16).padStart(2, '0')}'`
    : `'${char}'`;
}

/** The kind of a decoded value, as `json: cannot unmarshal string into ...` names it. */
export function jsonKind(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
}
