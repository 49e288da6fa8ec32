/** A wrong command line or a plain failure; printed after `nobox: `, exit status 2 or as given. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly status: number;
  constructor(message: string, status = 2) {
    super(message);
    this.status = status;
  }
}

/** `--name value`, `--name=value`, bare `--name` for flags, words in between; `--` ends options. */
export function parseOptions(
  args: readonly string[],
  spec: Readonly<Record<string, 'string' | 'flag'>>,
): { readonly values: Readonly<Record<string, string>>; readonly flags: ReadonlySet<string>; readonly words: readonly string[] } {
  const values: Record<string, string> = {};
  const flags = new Set<string>();
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('--')) {
      words.push(arg);
      continue;
    }
    const [name = '', inline] = arg.slice(2).split(/=(.*)/s);
    const kind = spec[name];
    if (kind === undefined) throw new CliError(`unknown option --${name}`);
    if (kind === 'flag') {
      if (inline !== undefined) throw new CliError(`option --${name} takes no value`);
      flags.add(name);
    } else {
      const value = inline ?? args[++i];
      if (value === undefined) throw new CliError(`option --${name} needs a value`);
      values[name] = value;
    }
  }
  return { values, flags, words };
}
