// Models command lines of unit files (systemd.service(5), COMMAND LINES).

export interface ExecCommand {
  readonly path: string;
  readonly argv: readonly string[];
  /** `-`: a failure does not count. */
  readonly ignoresFailure: boolean;
}

/** Splits at blanks outside of quotes, takes the prefixes off and puts variables in. Undefined for an empty command. */
export function parseExecCommand(text: string, environment: ReadonlyMap<string, string>): ExecCommand | undefined {
  const words = splitWords(text);
  const first = words.shift();
  if (first === undefined) return undefined;
  let path = first.text;
  let ignoresFailure = false;
  let hasArgv0 = false;
  while (/^[-@+!:]/.test(path)) {
    if (path.startsWith('-')) ignoresFailure = true;
    if (path.startsWith('@')) hasArgv0 = true;
    path = path.slice(1);
  }
  const args = words.flatMap((word) => expand(word, environment));
  const argv = hasArgv0 ? args : [path, ...args];
  return { path, argv, ignoresFailure };
}

interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** A whole unquoted word `$NAME` becomes as many words as its value has; `${NAME}` becomes one. */
function expand(word: Word, environment: ReadonlyMap<string, string>): readonly string[] {
  const whole = /^\$([A-Za-z_]\w*)$/.exec(word.text);
  if (whole !== null && !word.isQuoted) return splitWords(environment.get(whole[1]!) ?? '').map((each) => each.text);
  return [
    word.text.replace(/\$\{([A-Za-z_]\w*)\}|\$\$/g, (_, name: string | undefined) =>
      name === undefined ? '$' : (environment.get(name) ?? ''),
    ),
  ];
}

function splitWords(text: string): Word[] {
  const words: Word[] = [];
  let current: string | undefined;
  let isQuoted = false;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"') current = (current ?? '') + (text[++i] ?? '');
      else current = (current ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      isQuoted = true;
      current ??= '';
    } else if (char === '\\') current = (current ?? '') + (text[++i] ?? '');
    else if (/\s/.test(char)) {
      if (current !== undefined) words.push({ text: current, isQuoted });
      current = undefined;
      isQuoted = false;
    } else current = (current ?? '') + char;
  }
  if (current !== undefined) words.push({ text: current, isQuoted });
  return words;
}

/** An EnvironmentFile: NAME=value a line, quotes taken off. */
export function parseEnvironmentFile(source: string): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const raw of source.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const equals = line.indexOf('=');
    if (equals <= 0) continue;
    const value = line.slice(equals + 1).trim();
    const quoted = /^(["'])(.*)\1$/.exec(value);
    out.set(line.slice(0, equals).trim(), quoted === null ? value : quoted[2]!);
  }
  return out;
}

/** `Environment=` settings: several assignments, each may be quoted. */
export function parseEnvironment(text: string): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const { text: word } of splitWords(text)) {
    const equals = word.indexOf('=');
    if (equals > 0) out.set(word.slice(0, equals), word.slice(equals + 1));
  }
  return out;
}
