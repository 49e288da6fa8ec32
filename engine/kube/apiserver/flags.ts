// Command lines of Kubernetes' own daemons (pflag): `--name=value`, `--name value` and bare booleans.

export class FlagError extends Error {
  override readonly name = 'FlagError';
}

export class Flags {
  readonly #values = new Map<string, string>();

  /** `known` maps a flag to whether it is a boolean. Throws FlagError in pflag's words. */
  constructor(
    args: readonly string[],
    known: Readonly<Record<string, 'boolean' | 'value'>>,
    shorthands: Readonly<Record<string, string>> = {},
  ) {
    for (let at = 0; at < args.length; at++) {
      const short = /^-([A-Za-z])(?:=?(.*))$/.exec(args[at]!);
      const long = short === null ? undefined : shorthands[short[1]!];
      const arg = long === undefined ? args[at]! : short![2] === '' ? `--${long}` : `--${long}=${short![2]!}`;
      if (!arg.startsWith('--'))
        throw new FlagError(
          arg.startsWith('-') && arg !== '-' ? `unknown shorthand flag: '${arg[1]!}' in ${arg}` : `unknown command "${arg}"`,
        );
      const equals = arg.indexOf('=');
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
      const kind = Object.hasOwn(known, name) ? known[name] : undefined;
      if (kind === undefined) throw new FlagError(`unknown flag: --${name}`);
      if (equals >= 0) this.#values.set(name, arg.slice(equals + 1));
      else if (kind === 'boolean') this.#values.set(name, 'true');
      else if (at + 1 < args.length) this.#values.set(name, args[++at]!);
      else throw new FlagError(`flag needs an argument: --${name}`);
      const value = this.#values.get(name)!;
      if (kind === 'boolean' && !/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) {
        throw new FlagError(`invalid argument "${value}" for "--${name}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`);
      }
    }
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  or(name: string, otherwise: string): string {
    return this.#values.get(name) ?? otherwise;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  isTrue(name: string): boolean {
    return /^(1|t|true)$/i.test(this.#values.get(name) ?? '');
  }

  list(name: string): readonly string[] {
    return (this.#values.get(name) ?? '').split(',').filter((each) => each !== '');
  }
}
