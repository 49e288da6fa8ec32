// printf(1) and echo -e: the formatting shared by the builtins and the programs of the same names.

import { byteChar, normalize } from '../bytes.ts';

export interface PrintfResult {
  readonly text: string;
  /** Complaints, without the command's name: `abc: invalid number`. */
  readonly errors: readonly string[];
  /** The format itself is bad: nothing more was printed. */
  readonly isFatal: boolean;
}

export interface PrintfHost {
  nowMs(): number;
  formatTime?(format: string, ms: number): string;
  quote(text: string): string;
}

/** Formats as printf does, going round as long as arguments are left. */
export function formatPrintf(format: string, args: readonly string[], host: PrintfHost): PrintfResult {
  const errors: string[] = [];
  let out = '';
  let at = 0;
  let isStopped = false;
  const parts = splitFormat(format);
  do {
    const before = at;
    for (const part of parts) {
      if (typeof part === 'string') {
        const { text, stops } = unescape(part, false);
        out += text;
        if (stops) isStopped = true;
        if (isStopped) break;
        continue;
      }
      const next = (): string | undefined => args[at++];
      let { width, precision, flags } = part;
      if (width === '*') {
        const given = Number.parseInt(next() ?? '0', 10) || 0;
        if (given < 0) flags += '-';
        width = String(Math.abs(given));
      }
      if (precision === '*') precision = String(Number.parseInt(next() ?? '0', 10) || 0);
      const pad = (body: string, isNumeric = false): string => padTo(body, width, flags, isNumeric);
      const limit = precision === undefined ? undefined : Number(precision || 0);
      switch (part.conversion) {
        case '%':
          out += '%';
          break;
        case 's': {
          const value = next() ?? '';
          out += pad(limit === undefined ? value : [...value].slice(0, limit).join(''));
          break;
        }
        case 'b': {
          const { text, stops } = unescape(next() ?? '', true);
          out += pad(limit === undefined ? text : [...text].slice(0, limit).join(''));
          if (stops) isStopped = true;
          break;
        }
        case 'q':
          out += pad(host.quote(next() ?? ''));
          break;
        case 'c':
          out += pad([...(next() ?? '')][0] ?? '');
          break;
        case 'T': {
          const given = next();
          const ms = given === undefined || given === '-1' || given === '' ? host.nowMs() : Number(given) * 1000;
          out += pad(host.formatTime?.(part.timeFormat ?? '%X', ms) ?? '');
          break;
        }
        case 'd':
        case 'i':
        case 'o':
        case 'u':
        case 'x':
        case 'X': {
          const value = toInteger(next(), errors);
          out += pad(formatInteger(value, part.conversion, flags, limit), limit === undefined);
          break;
        }
        case 'e':
        case 'E':
        case 'f':
        case 'F':
        case 'g':
        case 'G':
        case 'a':
        case 'A': {
          const value = toFloat(next(), errors);
          out += pad(formatFloat(value, part.conversion, flags, limit), Number.isFinite(value));
          break;
        }
        default:
          errors.push(
            part.conversion === '' ? `\`${part.text}': missing format character` : `\`${part.conversion}': invalid format character`,
          );
          return { text: normalize(out), errors, isFatal: true };
      }
      if (isStopped) break;
    }
    if (isStopped || at === before) break;
  } while (at < args.length);
  return { text: normalize(out), errors, isFatal: false };
}

interface Conversion {
  readonly text: string;
  readonly flags: string;
  readonly width: string;
  readonly precision: string | undefined;
  readonly conversion: string;
  readonly timeFormat: string | undefined;
}

function splitFormat(format: string): (string | Conversion)[] {
  const out: (string | Conversion)[] = [];
  const regex = /%([-+ #0']*)(\*|\d*)(?:\.(\*|-?\d*))?(?:hh|h|ll|l|L|q(?=[diouxX])|j|z|t)?(?:\(([^)]*)\)(?=T))?([\s\S]?)/g;
  let from = 0;
  for (const match of format.matchAll(regex)) {
    if (match.index > from) out.push(format.slice(from, match.index));
    out.push({
      text: match[0],
      flags: match[1]!,
      width: match[2]!,
      precision: match[3],
      conversion: match[5]!,
      timeFormat: match[4],
    });
    from = match.index + match[0].length;
  }
  if (from < format.length) out.push(format.slice(from));
  return out;
}

function padTo(body: string, width: string, flags: string, isNumeric: boolean): string {
  const size = Number(width || 0);
  const length = [...body].length;
  if (length >= size) return body;
  const fill = size - length;
  if (flags.includes('-')) return body + ' '.repeat(fill);
  if (flags.includes('0') && isNumeric) {
    const sign = /^(?:[-+ ]?0[xX]|[-+ ])/.exec(body)?.[0] ?? '';
    return sign + '0'.repeat(fill) + body.slice(sign.length);
  }
  return ' '.repeat(fill) + body;
}

function toInteger(text: string | undefined, errors: string[]): bigint {
  if (text === undefined || text === '') return 0n;
  if (/^['"]/.test(text)) return BigInt(text.codePointAt(1) ?? 0);
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text);
  if (match === null) {
    errors.push(`${text}: invalid number`);
    return 0n;
  }
  const digits = match[2]!;
  const value = BigInt(/^0[0-7]+$/.test(digits) ? '0o' + digits.slice(1) : digits);
  if (match[0].length !== text.length)
    errors.push(
      /^0[0-7]*$/.test(digits) && /^[89]/.test(text.slice(match[0].length)) ? `${text}: invalid octal number` : `${text}: invalid number`,
    );
  return match[1] === '-' ? -value : value;
}

function toFloat(text: string | undefined, errors: string[]): number {
  if (text === undefined || text === '') return 0;
  if (/^['"]/.test(text)) return text.codePointAt(1) ?? 0;
  const match = /^\s*[+-]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)/i.exec(text);
  if (match === null) {
    errors.push(`${text}: invalid number`);
    return 0;
  }
  if (match[0].length !== text.length) errors.push(`${text}: invalid number`);
  const word = match[0].trim().toLowerCase();
  if (word.includes('inf')) return word.startsWith('-') ? -Infinity : Infinity;
  if (word.includes('nan')) return Number.NaN;
  return Number(word);
}

export function formatInteger(value: bigint, conversion: string, flags: string, precision: number | undefined): string {
  let digits: string;
  let sign = '';
  if (conversion === 'd' || conversion === 'i') {
    digits = (value < 0n ? -value : value).toString();
    sign = value < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
    if (flags.includes("'")) digits = digits.replace(/\B(?=(\d{3})+$)/g, ',');
  } else {
    const unsigned = BigInt.asUintN(64, value);
    digits = unsigned.toString(conversion === 'o' ? 8 : conversion === 'u' ? 10 : 16);
    if (conversion === 'X') digits = digits.toUpperCase();
    if (flags.includes('#') && unsigned !== 0n) {
      if (conversion === 'o') digits = '0' + digits;
      else if (conversion !== 'u') sign = conversion === 'x' ? '0x' : '0X';
    }
  }
  if (precision !== undefined) digits = digits.padStart(precision, '0');
  return sign + digits;
}

export function formatFloat(value: number, conversion: string, flags: string, precision: number | undefined): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const size = Math.abs(value);
  const isUpper = conversion === conversion.toUpperCase();
  if (!Number.isFinite(size)) {
    const word = Number.isNaN(size) ? 'nan' : 'inf';
    return (Number.isNaN(size) ? '' : sign) + (isUpper ? word.toUpperCase() : word);
  }
  const digits = Math.min(precision ?? 6, 100);
  let body: string;
  switch (conversion.toLowerCase()) {
    case 'f':
      body = toFixed(size, digits);
      break;
    case 'e':
      body = exponent(size, digits);
      break;
    default: {
      const significant = digits === 0 ? 1 : digits;
      const power = size === 0 ? 0 : Number(/e([+-]\d+)$/.exec(size.toExponential(significant - 1))![1]);
      if (power < -4 || power >= significant) {
        body = exponent(size, significant - 1);
        if (!flags.includes('#')) body = body.replace(/\.?0+e/, 'e');
      } else {
        body = toFixed(size, Math.max(0, significant - 1 - power));
        if (!flags.includes('#') && body.includes('.')) body = body.replace(/\.?0+$/, '');
      }
    }
  }
  return sign + (isUpper ? body.toUpperCase() : body);
}

function toFixed(value: number, digits: number): string {
  if (value >= 1e21) return BigInt(value).toString() + (digits > 0 ? '.' + '0'.repeat(digits) : '');
  return value.toFixed(digits);
}

function exponent(value: number, digits: number): string {
  return value.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');
}

const SIMPLE: Readonly<Record<string, string>> = {
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
};

/** Backslash escapes: of a printf format, or (`isEcho`) of `echo -e` and `%b`, where octal needs a zero and `\c` stops. */
export function unescape(text: string, isEcho: boolean): { readonly text: string; readonly stops: boolean } {
  if (!text.includes('\\')) return { text, stops: false };
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c !== '\\') {
      out += c;
      continue;
    }
    const rest = text.slice(i + 1, i + 11);
    const next = rest[0];
    if (next === undefined) {
      out += '\\';
      break;
    }
    if (isEcho && next === 'c') return { text: normalize(out), stops: true };
    const octal = (isEcho ? /^0[0-7]{0,3}|^[1-7][0-7]{0,2}/ : /^[0-7]{1,3}/).exec(rest);
    const hex = /^x([0-9a-fA-F]{1,2})/.exec(rest);
    const unicode = /^u([0-9a-fA-F]{1,4})|^U([0-9a-fA-F]{1,8})/.exec(rest);
    if (octal !== null) {
      out += byteChar(Number.parseInt(octal[0], 8) & 255);
      i += octal[0].length;
    } else if (hex !== null) {
      out += byteChar(Number.parseInt(hex[1]!, 16));
      i += hex[0].length;
    } else if (unicode !== null) {
      out += String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(unicode[1] ?? unicode[2]!, 16)));
      i += unicode[0].length;
    } else if (SIMPLE[next] !== undefined) {
      out += SIMPLE[next];
      i++;
    } else if (!isEcho && (next === '"' || next === "'" || next === '?')) {
      out += next;
      i++;
    } else out += '\\';
  }
  return { text: isEcho ? normalize(out) : out, stops: false };
}

/** `printf %q`: what the shell would read back as this text. */
export function shellQuote(text: string): string {
  if (text === '') return "''";
  if (/[\x00-\x1f\x7f]/.test(text)) {
    return `$'${text.replace(/[\\'\x00-\x1f\x7f]/g, (c) => {
      const named = {
        '\n': '\\n',
        '\t': '\\t',
        '\r': '\\r',
        '\x1b': '\\E',
        '\x07': '\\a',
        '\b': '\\b',
        '\f': '\\f',
        '\v': '\\v',
        '\\': '\\\\',
        "'": "\\'",
      }[c];
      return named ?? '\\' + c.charCodeAt(0).toString(8).padStart(3, '0');
    })}'`;
  }
  return text.replace(/[^\p{L}\p{N}_@%+=:./-]|^[~#]/gu, '\\$&');
}

/** Single quotes, as `set`, `alias` and `trap -p` print. */
export function singleQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
