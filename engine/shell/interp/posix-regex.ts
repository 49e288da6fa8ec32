// POSIX extended and basic regular expressions as JavaScript's. Leftmost-longest becomes leftmost-first, which differs only for
// alternations of which an earlier one is a prefix of a later one.

import { readBracket } from '../expand/pattern.ts';

export class RegexError extends Error {}

const BACKSLASHES: Readonly<Record<string, string>> = {
  w: '[\\p{L}\\p{N}_]',
  W: '[^\\p{L}\\p{N}_]',
  s: '\\s',
  S: '\\S',
  b: '(?:(?<=[\\p{L}\\p{N}_])(?![\\p{L}\\p{N}_])|(?<![\\p{L}\\p{N}_])(?=[\\p{L}\\p{N}_]))',
  B: '(?:(?<=[\\p{L}\\p{N}_])(?=[\\p{L}\\p{N}_])|(?<![\\p{L}\\p{N}_])(?![\\p{L}\\p{N}_]))',
  '<': '(?<![\\p{L}\\p{N}_])(?=[\\p{L}\\p{N}_])',
  '>': '(?<=[\\p{L}\\p{N}_])(?![\\p{L}\\p{N}_])',
  '`': '(?<![\\s\\S])',
  "'": '(?![\\s\\S])',
};

export interface RegexOptions {
  readonly extended: boolean;
  readonly ignoreCase?: boolean;
  readonly multiline?: boolean;
  /** `\n` and `\t` mean newline and tab (sed, awk). */
  readonly escapes?: boolean;
  readonly global?: boolean;
}

/** Throws RegexError with GNU's words for what is wrong. */
export function compilePosix(source: string, options: RegexOptions): RegExp {
  const body = translatePosix(source, options);
  try {
    return new RegExp(body, `su${options.ignoreCase ? 'i' : ''}${options.multiline ? 'm' : ''}${options.global ? 'g' : ''}`);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RegexError('Invalid regular expression');
    throw error;
  }
}

/** The body of a regular expression (flags `su`). */
export function translatePosix(source: string, options: RegexOptions): string {
  const { extended } = options;
  let out = '';
  let depth = 0;
  let groups = 0;
  let atStart = true;
  let canRepeat = false;
  for (let i = 0; i < source.length;) {
    const c = source[i]!;
    if (c === '\\') {
      const next = source[i + 1];
      if (next === undefined) throw new RegexError('Trailing backslash');
      i += 2;
      if (!extended && next === '(') {
        out += '(';
        depth++;
        groups++;
        atStart = true;
        canRepeat = false;
        continue;
      }
      if (!extended && next === ')') {
        if (depth === 0) throw new RegexError('Unmatched ) or \\)');
        out += ')';
        depth--;
        canRepeat = true;
        atStart = false;
        continue;
      }
      if (!extended && next === '|') {
        out += '|';
        atStart = true;
        canRepeat = false;
        continue;
      }
      if (!extended && (next === '+' || next === '?')) {
        out += canRepeat ? next : '\\' + next;
        atStart = false;
        continue;
      }
      if (!extended && next === '{') {
        const end = source.indexOf('\\}', i);
        if (end < 0) throw new RegexError('Unmatched \\{');
        out += interval(source.slice(i, end));
        i = end + 2;
        continue;
      }
      atStart = false;
      if (/[1-9]/.test(next)) {
        if (Number(next) > groups) throw new RegexError('Invalid back reference');
        out += `(?:\\${next})`;
        canRepeat = true;
      } else if (next === 'n' && options.escapes) {
        out += '\\n';
        canRepeat = true;
      } else if (next === 't' && options.escapes) {
        out += '\\t';
        canRepeat = true;
      } else if (options.escapes && /[rfv]/.test(next)) {
        out += '\\' + next;
        canRepeat = true;
      } else if (BACKSLASHES[next] !== undefined) {
        out += BACKSLASHES[next];
        canRepeat = true;
      } else {
        out += /[\\^$.*+?()[\]{}|/]/.test(next) ? '\\' + next : escapeChar(next);
        canRepeat = true;
      }
      continue;
    }
    if (c === '[') {
      const bracket = readBracket(
        source.startsWith('[!', i) ? source.slice(0, i) + '[\\!' + source.slice(i + 2) : source,
        i,
        source.startsWith('[!', i),
      );
      if (bracket === undefined) throw new RegexError('Unmatched [ or [^');
      const shift = source.startsWith('[!', i) ? 1 : 0;
      out += bracket.source;
      i = bracket.end - shift;
      canRepeat = true;
      atStart = false;
      continue;
    }
    if (c === '*') {
      if (!canRepeat) out += extended ? '' : '\\*';
      else if (!/[*+?]$/.test(out) || /\\[*+?]$/.test(out)) out += '*';
      else out = `${out.replace(/[*+?]$/, '')}*`;
      if (!canRepeat && !extended) canRepeat = true;
      i++;
      atStart = false;
      continue;
    }
    if (extended && (c === '+' || c === '?')) {
      if (canRepeat) out = /[*+?]$/.test(out) && !/\\[*+?]$/.test(out) ? `${out.replace(/[*+?]$/, '')}*` : out + c;
      i++;
      continue;
    }
    if (extended && c === '{') {
      const match = /^\{(\d*)(,?)(\d*)\}/.exec(source.slice(i));
      if (match !== null && (match[1] !== '' || match[3] !== '') && canRepeat) {
        out += interval(match[0].slice(1, -1));
        i += match[0].length;
      } else {
        out += '\\{';
        i++;
        canRepeat = true;
      }
      atStart = false;
      continue;
    }
    if (extended && c === '(') {
      out += '(';
      depth++;
      groups++;
      i++;
      atStart = true;
      canRepeat = false;
      continue;
    }
    if (extended && c === ')') {
      if (depth > 0) {
        out += ')';
        depth--;
      } else throw new RegexError('Unmatched ) or \\)');
      i++;
      canRepeat = true;
      atStart = false;
      continue;
    }
    if (extended && c === '|') {
      out += '|';
      i++;
      atStart = true;
      canRepeat = false;
      continue;
    }
    if (c === '^') {
      out += extended || atStart ? '^' : '\\^';
      canRepeat = !extended && !atStart;
      i++;
      continue;
    }
    if (c === '$') {
      const isAnchor = extended || i === source.length - 1 || source.startsWith('\\)', i + 1) || source.startsWith('\\|', i + 1);
      out += isAnchor ? '$' : '\\$';
      canRepeat = !isAnchor;
      i++;
      atStart = false;
      continue;
    }
    const char = String.fromCodePoint(source.codePointAt(i)!);
    out += c === '.' ? '.' : escapeChar(char);
    i += char.length;
    canRepeat = true;
    atStart = false;
  }
  if (depth > 0) throw new RegexError('Unmatched ( or \\(');
  return out;
}

function interval(body: string): string {
  const match = /^(\d*)(?:(,)(\d*))?$/.exec(body);
  if (match === null || body === '') throw new RegexError('Invalid content of \\{\\}');
  const [, low = '', comma, high = ''] = match;
  if (high !== '' && Number(high) < Number(low || '0')) throw new RegexError('Invalid content of \\{\\}');
  return `{${low === '' ? '0' : low}${comma ?? ''}${high}}`;
}

function escapeChar(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? '\\' + char : char;
}
