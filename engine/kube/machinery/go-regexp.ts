// Go's regular expressions (RE2 syntax) run by this language's engine, and Go's words for those that do not parse.

const compiled = new Map<string, RegExp | RegexpError>();
/** Schemas bring few patterns; more than this means that somebody makes them up. */
const MAX_COMPILED = 1000;

export class RegexpError extends Error {
  override readonly name = 'RegexpError';
}

/** Throws RegexpError with Go's message. */
export function goRegexp(pattern: string): RegExp {
  let known = compiled.get(pattern);
  if (known === undefined) {
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    known = compile(pattern);
    compiled.set(pattern, known);
  }
  if (known instanceof RegexpError) throw known;
  return known;
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

function compile(pattern: string): RegExp | RegexpError {
  const perl = /\(\?(?:[=!>]|<[=!])/.exec(pattern);
  if (perl !== null) return new RegexpError(`error parsing regexp: invalid or unsupported Perl syntax: \`${perl[0].slice(0, 3)}\``);
  const reference = /(?:^|[^\\])(?:\\\\)*(\\[1-9])/.exec(pattern);
  if (reference !== null) return new RegexpError(`error parsing regexp: invalid escape sequence: \`${reference[1]!}\``);
  let flags = /\\[pP]/.test(pattern) ? 'u' : '';
  let source = pattern
    .replaceAll(/\[:(\^?)(\w+):\]/g, (whole, not: string, name: string) => (not === '' ? (CLASSES[name] ?? whole) : whole))
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$');
  const leading = /^\(\?([imsU]+)\)/.exec(source);
  if (leading !== null) {
    for (const flag of leading[1]!) if ('ims'.includes(flag)) flags += flag;
    source = source.slice(leading[0].length);
  }
  try {
    return new RegExp(source, flags);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new RegexpError(`error parsing regexp: ${reasonOf(error.message, pattern)}`);
  }
}

function reasonOf(message: string, pattern: string): string {
  if (message.includes('Unterminated group')) return `missing closing ): \`${pattern}\``;
  if (message.includes('Unmatched')) return `unexpected ): \`${pattern}\``;
  if (message.includes('Unterminated character class')) return `missing closing ]: \`${pattern.slice(pattern.lastIndexOf('['))}\``;
  if (message.includes('Nothing to repeat')) {
    const doubled = /[*+?]{2,}/.exec(pattern);
    return doubled === null
      ? `missing argument to repetition operator: \`${/[*+?]/.exec(pattern)?.[0] ?? '*'}\``
      : `invalid nested repetition operator: \`${doubled[0]}\``;
  }
  if (message.includes('Range out of order')) return `invalid character class range: \`${/\w-\w/.exec(pattern)?.[0] ?? pattern}\``;
  if (message.includes('\\ at end')) return 'trailing backslash at end of expression: ``';
  return `invalid escape sequence: \`${/\\./.exec(pattern)?.[0] ?? pattern}\``;
}
