// Shell patterns as regular expressions. A backslash quotes the next character.

const cache = new Map<string, RegExp>();

export interface PatternOptions {
  readonly extglob?: boolean;
  readonly ignoreCase?: boolean;
  /** `*` and `?` do not match a slash (pathname expansion). */
  readonly isPath?: boolean;
}

/** Compiles a pattern that must match a whole string. */
export function compilePattern(pattern: string, options: PatternOptions = {}): RegExp {
  const key = `${options.extglob ? 'x' : ''}${options.ignoreCase ? 'i' : ''}${options.isPath ? 'p' : ''}\0${pattern}`;
  let regex = cache.get(key);
  if (regex === undefined) {
    regex = new RegExp(`^(?:${patternSource(pattern, options)})$`, options.ignoreCase ? 'sui' : 'su');
    if (cache.size > 5000) cache.clear();
    cache.set(key, regex);
  }
  return regex;
}

export function matchesPattern(text: string, pattern: string, options?: PatternOptions): boolean {
  return compilePattern(pattern, options).test(text);
}

/** Says whether an unquoted character of the pattern makes it one. */
export function hasMagic(pattern: string, extglob: boolean): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') i++;
    else if (c === '*' || c === '?') return true;
    else if (c === '[' && pattern.includes(']', i + 1)) return true;
    else if (extglob && pattern[i + 1] === '(' && '+@!'.includes(c)) return true;
  }
  return false;
}

/** Removes the quoting backslashes. */
export function unescapePattern(pattern: string): string {
  return pattern.includes('\\') ? pattern.replace(/\\([\s\S])/g, '$1') : pattern;
}

export function escapePattern(text: string): string {
  return /[*?[\]\\()|!+@^-]/.test(text) ? text.replace(/[*?[\]\\()|!+@^-]/g, '\\$&') : text;
}

export function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** The body of the regular expression (flags `su`), without anchors. */
export function patternSource(pattern: string, options: PatternOptions = {}): string {
  return translate(pattern, options);
}

function translate(pattern: string, options: PatternOptions): string {
  let out = '';
  const any = options.isPath ? '[^/]' : '.';
  for (let i = 0; i < pattern.length;) {
    const c = pattern[i]!;
    if (c === '\\') {
      if (i + 1 >= pattern.length) out += '\\\\';
      else out += escapeChar(String.fromCodePoint(pattern.codePointAt(i + 1)!));
      i += 1 + String.fromCodePoint(pattern.codePointAt(i + 1) ?? 32).length;
      continue;
    }
    if (options.extglob && pattern[i + 1] === '(' && '?*+@!'.includes(c)) {
      const end = groupEnd(pattern, i + 1);
      if (end !== undefined) {
        const body = alternatives(pattern.slice(i + 2, end - 1))
          .map((part) => translate(part, options))
          .join('|');
        if (c === '!') {
          const rest = translate(pattern.slice(end), options);
          return `${out}(?!(?:${body})${rest}$)${any}*?${rest}`;
        }
        out += `(?:${body})${c === '@' ? '' : c}`;
        i = end;
        continue;
      }
    }
    if (c === '*') {
      while (pattern[i + 1] === '*') i++;
      out += `${any}*`;
      i++;
    } else if (c === '?') {
      out += any;
      i++;
    } else if (c === '[') {
      const bracket = readBracket(pattern, i);
      if (bracket === undefined) {
        out += '\\[';
        i++;
      } else {
        out += bracket.source;
        i = bracket.end;
      }
    } else {
      const char = String.fromCodePoint(pattern.codePointAt(i)!);
      out += escapeChar(char);
      i += char.length;
    }
  }
  return out;
}

function escapeChar(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? '\\' + char : char;
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: '\\p{L}',
  digit: '0-9',
  alnum: '\\p{L}\\p{Nd}',
  upper: '\\p{Lu}',
  lower: '\\p{Ll}',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`\\{-~',
  print: '\\x20-\\x7e\\u00a0-\\u{10ffff}',
  graph: '\\x21-\\x7e\\u00a1-\\u{10ffff}',
  cntrl: '\\x00-\\x1f\\x7f',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
};

/** A bracket expression at `at`, as a regular expression's; undefined when it is not closed. */
export function readBracket(pattern: string, at: number, quotes = true): { source: string; end: number } | undefined {
  let i = at + 1;
  let isNegated = false;
  if (pattern[i] === '!' || pattern[i] === '^') {
    isNegated = true;
    i++;
  }
  let body = '';
  let isFirst = true;
  for (;;) {
    if (i >= pattern.length) return undefined;
    const c = String.fromCodePoint(pattern.codePointAt(i)!);
    if (c === ']' && !isFirst) break;
    isFirst = false;
    if (c === '[' && pattern[i + 1] === ':') {
      const end = pattern.indexOf(':]', i + 2);
      const name = end < 0 ? undefined : CLASSES[pattern.slice(i + 2, end)];
      if (name !== undefined) {
        body += name;
        i = end + 2;
        continue;
      }
    }
    if (c === '[' && (pattern[i + 1] === '.' || pattern[i + 1] === '=')) {
      const end = pattern.indexOf(pattern[i + 1]! + ']', i + 2);
      if (end > 0) {
        body += escapeInClass(pattern.slice(i + 2, end));
        i = end + 2;
        continue;
      }
    }
    let char = c;
    if (quotes && c === '\\' && i + 1 < pattern.length) {
      i++;
      char = String.fromCodePoint(pattern.codePointAt(i)!);
    }
    i += char.length;
    if (pattern[i] === '-' && pattern[i + 1] !== ']' && pattern[i + 1] !== undefined) {
      let to = String.fromCodePoint(pattern.codePointAt(i + 1)!);
      let length = to.length;
      if (quotes && to === '\\') {
        to = String.fromCodePoint(pattern.codePointAt(i + 2) ?? 92);
        length = 1 + to.length;
      }
      if (to === '[' && (pattern[i + 2] === '.' || pattern[i + 2] === '=')) {
        const end = pattern.indexOf(pattern[i + 2]! + ']', i + 3);
        if (end > 0) {
          to = pattern.slice(i + 3, end);
          length = end + 2 - (i + 1);
        }
      }
      if (to.codePointAt(0)! >= char.codePointAt(0)!) body += `${escapeInClass(char)}-${escapeInClass(to)}`;
      i += 1 + length;
    } else body += escapeInClass(char);
  }
  if (body === '') return { source: isNegated ? '[\\s\\S]' : '[^\\s\\S]', end: i + 1 };
  return { source: `[${isNegated ? '^' : ''}${body}]`, end: i + 1 };
}

function escapeInClass(char: string): string {
  return /[\\\]^[\-/(){}|]/.test(char) ? '\\' + char : char;
}

function groupEnd(pattern: string, at: number): number | undefined {
  let depth = 0;
  for (let i = at; i < pattern.length; i++) {
    if (pattern[i] === '\\') i++;
    else if (pattern[i] === '(') depth++;
    else if (pattern[i] === ')' && --depth === 0) return i + 1;
  }
  return undefined;
}

function alternatives(body: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < body.length; i++) {
    if (body[i] === '\\') i++;
    else if (body[i] === '(') depth++;
    else if (body[i] === ')') depth--;
    else if (body[i] === '|' && depth === 0) {
      out.push(body.slice(from, i));
      from = i + 1;
    }
  }
  return [...out, body.slice(from)];
}
