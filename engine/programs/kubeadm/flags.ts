// Models pflag as kubeadm uses it: long flags with or without `=`, words in between.

export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  readonly kind: 'string' | 'bool';
}

export interface ParsedFlags {
  readonly values: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

/** A wrong command line; the message is pflag's. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function parseFlags(args: readonly string[], specs: readonly FlagSpec[]): ParsedFlags {
  const values = new Map<string, string>();
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      continue;
    }
    const isLong = arg.startsWith('--');
    const [name = '', inline] = isLong
      ? split(arg.slice(2))
      : [arg.slice(1, 2), arg.length > 2 ? arg.slice(2).replace(/^=/, '') : undefined];
    const spec = specs.find((candidate) => (isLong ? candidate.name === name : candidate.short === name));
    if (spec === undefined) throw new UsageError(isLong ? `unknown flag: --${name}` : `unknown shorthand flag: '${name}' in ${arg}`);
    if (spec.kind === 'bool') {
      const value = inline ?? 'true';
      if (value !== 'true' && value !== 'false') {
        throw new UsageError(
          `invalid argument "${value}" for "--${spec.name}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`,
        );
      }
      values.set(spec.name, value);
    } else {
      const value = inline ?? args[++i];
      if (value === undefined)
        throw new UsageError(isLong ? `flag needs an argument: --${name}` : `flag needs an argument: '${name}' in ${arg}`);
      values.set(spec.name, value);
    }
  }
  return { values, words };
}

function split(text: string): [string, string | undefined] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}
