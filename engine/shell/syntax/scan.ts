// Finds the ends of quotes and expansions in shell source. Each function takes the index of the opening and returns
// the index after the closing, or the length of the source when it is not closed.

import { parse } from 'unbash';

export function skipSingle(source: string, at: number): number {
  const end = source.indexOf("'", at + 1);
  return end < 0 ? source.length : end + 1;
}

/** `$'...'`, `at` on the quote. */
export function skipAnsi(source: string, at: number): number {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === "'") return i + 1;
  }
  return source.length;
}

export function skipDouble(source: string, at: number): number {
  for (let i = at + 1; i < source.length;) {
    const c = source[i]!;
    if (c === '"') return i + 1;
    if (c === '\\') i += 2;
    else if (c === '`') i = skipBacktick(source, i);
    else if (c === '$') i = skipDollar(source, i);
    else i++;
  }
  return source.length;
}

export function skipBacktick(source: string, at: number): number {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === '`') return i + 1;
  }
  return source.length;
}

/** `$` and what follows it: `$(...)`, `$((...))`, `${...}`, `$[...]` or a name. */
export function skipDollar(source: string, at: number): number {
  const next = source[at + 1];
  if (next === '(') {
    if (source[at + 2] === '(') {
      const end = skipArithmetic(source, at);
      if (end !== undefined) return end;
    }
    return skipCommand(source, at + 1);
  }
  if (next === '{') return skipBrace(source, at + 1);
  if (next === '[') return skipBracket(source, at + 1);
  if (next === undefined) return at + 1;
  const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/.exec(source.slice(at + 1, at + 257));
  return at + 1 + (name?.[0].length ?? 0);
}

/** `$((` ... `))`, `at` on the dollar; undefined when it is a command substitution that begins with a subshell. */
export function skipArithmetic(source: string, at: number): number | undefined {
  let depth = 0;
  for (let i = at + 3; i < source.length;) {
    const c = source[i]!;
    if (c === '(') {
      depth++;
      i++;
    } else if (c === ')') {
      if (depth === 0) return source[i + 1] === ')' ? i + 2 : undefined;
      depth--;
      i++;
    } else if (c === "'") i = skipSingle(source, i);
    else if (c === '"') i = skipDouble(source, i);
    else if (c === '`') i = skipBacktick(source, i);
    else if (c === '\\') i += 2;
    else if (c === '$' && (source[i + 1] === '(' || source[i + 1] === '{')) i = skipDollar(source, i);
    else i++;
  }
  return source.length;
}

/** `(` ... `)` of a command or process substitution. The grammar decides: parentheses of `case` and of here-documents do not close. */
export function skipCommand(source: string, at: number): number {
  const simple = /^[^()'"`$\\#<{}\n]*\)/.exec(source.slice(at + 1, at + 513));
  if (simple !== null && !/\b(?:case|esac)\b/.test(simple[0])) return at + 1 + simple[0].length;
  const rest = source.slice(at + 1);
  const errors = [...(parse(rest).errors ?? [])].sort((a, b) => a.pos - b.pos);
  for (const error of errors) if (rest[error.pos] === ')') return at + 1 + error.pos + 1;
  return source.length;
}

/** `{` ... `}` of a parameter expansion. */
export function skipBrace(source: string, at: number, isQuoted = false): number {
  for (let i = at + 1; i < source.length;) {
    const c = source[i]!;
    if (c === '}') return i + 1;
    if (c === '\\') i += 2;
    else if (c === "'" && !isQuoted) i = skipSingle(source, i);
    else if (c === '"') i = skipDouble(source, i);
    else if (c === '`') i = skipBacktick(source, i);
    else if (c === '$') {
      if (source[i + 1] === "'" && !isQuoted) i = skipAnsi(source, i + 1);
      else i = skipDollar(source, i);
    } else i++;
  }
  return source.length;
}

/** `[` ... `]` of an index. */
export function skipBracket(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i < source.length;) {
    const c = source[i]!;
    if (c === '[') depth++;
    if (c === ']' && --depth === 0) return i + 1;
    if (c === '\\') i += 2;
    else if (c === "'") i = skipSingle(source, i);
    else if (c === '"') i = skipDouble(source, i);
    else if (c === '`') i = skipBacktick(source, i);
    else if (c === '$') i = skipDollar(source, i);
    else i++;
  }
  return source.length;
}

/** Parentheses of an extended glob, `at` on the opening one. */
export function skipParen(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i < source.length;) {
    const c = source[i]!;
    if (c === '(') depth++;
    if (c === ')' && --depth === 0) return i + 1;
    if (c === '\\') i += 2;
    else if (c === "'") i = skipSingle(source, i);
    else if (c === '"') i = skipDouble(source, i);
    else if (c === '`') i = skipBacktick(source, i);
    else if (c === '$') i = skipDollar(source, i);
    else i++;
  }
  return source.length;
}

/** Skips whatever begins at `at` as one unit: an escape, a quote, an expansion or a single character. */
export function skipUnit(source: string, at: number): number {
  const c = source[at]!;
  if (c === '\\') return at + 2;
  if (c === "'") return skipSingle(source, at);
  if (c === '"') return skipDouble(source, at);
  if (c === '`') return skipBacktick(source, at);
  if (c === '$') {
    if (source[at + 1] === "'") return skipAnsi(source, at + 1);
    if (source[at + 1] === '"') return skipDouble(source, at + 1);
    return skipDollar(source, at);
  }
  if ((c === '<' || c === '>') && source[at + 1] === '(') return skipCommand(source, at + 1);
  return at + 1;
}
