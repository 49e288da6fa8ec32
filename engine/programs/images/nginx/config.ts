// Reads nginx's configuration language: directives with arguments, and blocks of them.

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly block: readonly Directive[] | undefined;
  readonly file: string;
  readonly line: number;
}

/** `message` is what follows `[emerg] `. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

interface Token {
  readonly text: string;
  readonly isQuoted: boolean;
  readonly line: number;
}

function tokens(source: string, file: string): readonly Token[] {
  const found: Token[] = [];
  let line = 1;
  let at = 0;
  while (at < source.length) {
    const character = source[at]!;
    if (character === '\n') line++;
    if (/\s/.test(character)) {
      at++;
    } else if (character === '#') {
      while (at < source.length && source[at] !== '\n') at++;
    } else if ('{};'.includes(character)) {
      found.push({ text: character, isQuoted: false, line });
      at++;
    } else if (character === '"' || character === "'") {
      const start = line;
      let value = '';
      for (at++; at < source.length && source[at] !== character; at++) {
        if (source[at] === '\n') line++;
        if (source[at] === '\\' && at + 1 < source.length) {
          at++;
          const escaped = source[at]!;
          value +=
            escaped === 'n'
              ? '\n'
              : escaped === 't'
                ? '\t'
                : escaped === 'r'
                  ? '\r'
                  : ['"', "'", '\\'].includes(escaped)
                    ? escaped
                    : `\\${escaped}`;
        } else value += source[at]!;
      }
      if (at >= source.length) throw new ConfigError(`unexpected end of file, expecting ";" or "}" in ${file}:${line}`);
      at++;
      found.push({ text: value, isQuoted: true, line: start });
    } else {
      const start = at;
      while (at < source.length && !/[\s;]/.test(source[at]!) && !(source[at] === '{' && source[at - 1] !== '$')) {
        if (source[at] === '$' && source[at + 1] === '{') at = Math.max(at, source.indexOf('}', at));
        at++;
      }
      found.push({ text: source.slice(start, at), isQuoted: false, line });
    }
  }
  return found;
}

/** Parses a file; `include` returns the directives of the files a pattern names. */
export function parseConfig(source: string, file: string, include: (pattern: string) => readonly Directive[]): readonly Directive[] {
  const stream = tokens(source, file);
  let at = 0;
  const parseBlock = (isTop: boolean): readonly Directive[] => {
    const directives: Directive[] = [];
    for (;;) {
      const token = stream[at];
      if (token === undefined) {
        if (!isTop) throw new ConfigError(`unexpected end of file, expecting "}" in ${file}:${stream.at(-1)?.line ?? 1}`);
        return directives;
      }
      if (token.text === '}' && !token.isQuoted) {
        if (isTop) throw new ConfigError(`unexpected "}" in ${file}:${token.line}`);
        at++;
        return directives;
      }
      if ((token.text === ';' || token.text === '{') && !token.isQuoted)
        throw new ConfigError(`unexpected "${token.text}" in ${file}:${token.line}`);
      const args: string[] = [];
      at++;
      let block: readonly Directive[] | undefined;
      for (;;) {
        const next = stream[at];
        if (next === undefined)
          throw new ConfigError(`unexpected end of file, expecting ";" or "}" in ${file}:${stream.at(-1)?.line ?? 1}`);
        at++;
        if (!next.isQuoted && next.text === ';') break;
        if (!next.isQuoted && next.text === '{') {
          block = parseBlock(false);
          break;
        }
        if (!next.isQuoted && next.text === '}') throw new ConfigError(`unexpected "}" in ${file}:${next.line}`);
        args.push(next.text);
      }
      if (token.text === 'include') directives.push(...include(args[0] ?? ''));
      else directives.push({ name: token.text, args, block, file, line: token.line });
    }
  };
  return parseBlock(true);
}

export function findAll(directives: readonly Directive[], name: string): readonly Directive[] {
  return directives.filter((directive) => directive.name === name);
}

/** The last directive of a name: in nginx, too, what is said later counts. */
export function find(directives: readonly Directive[], name: string): Directive | undefined {
  return findAll(directives, name).at(-1);
}
