// Models resource.Quantity: parsing, canonical form, arithmetic.

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_WRONG = "unable to parse quantity's suffix";

const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY_NAMES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL_NAMES = new Map(Object.entries(DECIMAL).map(([name, exponent]) => [exponent, name]));

const NANO = 1_000_000_000n;
const MAX = (1n << 63n) - 1n;

/** An amount in units of 1e-9, exact as Kubernetes keeps it. Immutable. */
export class Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;

  constructor(nanos: bigint, format: QuantityFormat) {
    this.nanos = nanos;
    this.format = format;
  }

  static parse(text: string): Quantity {
    if (text === '') throw new QuantityError(FORMAT_WRONG);
    if (text === '0') return new Quantity(0n, 'DecimalSI');
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/.exec(text)!;
    const [, sign, whole = '', fraction = '', suffix = ''] = match;
    if (whole === '' && fraction === '') throw new QuantityError(FORMAT_WRONG);
    const { exponent, format } = suffixOf(suffix);
    let nanos: bigint;
    const digits = BigInt(whole + fraction);
    if (format === 'BinarySI') nanos = divideUp(digits * (1n << BigInt(exponent)) * NANO, 10n ** BigInt(fraction.length));
    else {
      const scale = exponent + 9 - fraction.length;
      nanos = scale >= 0 ? digits * 10n ** BigInt(scale) : divideUp(digits, 10n ** BigInt(-scale));
    }
    // Beyond int64 everything is the same much.
    if (nanos > MAX * NANO) nanos = MAX * NANO;
    return new Quantity(sign === '-' ? -nanos : nanos, format);
  }

  static fromInteger(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(value) * NANO, format);
  }

  static fromMilli(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(value) * 1_000_000n, format);
  }

  /** Rounded up, as Quantity.Value. */
  get value(): number {
    return Number(divideUp(this.nanos, NANO));
  }

  /** Rounded up, as Quantity.MilliValue. */
  get milli(): number {
    return Number(divideUp(this.nanos, 1_000_000n));
  }

  get isZero(): boolean {
    return this.nanos === 0n;
  }

  add(other: Quantity): Quantity {
    return new Quantity(this.nanos + other.nanos, this.isZero ? other.format : this.format);
  }

  subtract(other: Quantity): Quantity {
    return new Quantity(this.nanos - other.nanos, this.isZero ? other.format : this.format);
  }

  compare(other: Quantity): -1 | 0 | 1 {
    return this.nanos < other.nanos ? -1 : this.nanos > other.nanos ? 1 : 0;
  }

  /** Nothing finer than thousandths is left; what there is rounds up (defaulting of resource lists does so). */
  roundUpToMilli(): Quantity {
    return new Quantity(divideUp(this.nanos, 1_000_000n) * 1_000_000n, this.format);
  }

  /** The canonical form. */
  toString(): string {
    if (this.nanos === 0n) return '0';
    const isNegative = this.nanos < 0n;
    const size = isNegative ? -this.nanos : this.nanos;
    const sign = isNegative ? '-' : '';
    if (this.format === 'BinarySI' && size >= 1024n * NANO && size % NANO === 0n) {
      let mantissa = size / NANO;
      let exponent = 0;
      while (mantissa % 1024n === 0n && exponent < 6) {
        mantissa /= 1024n;
        exponent++;
      }
      return `${sign}${mantissa}${BINARY_NAMES[exponent]!}`;
    }
    let mantissa = size;
    let exponent = -9;
    while (mantissa % 10n === 0n) {
      mantissa /= 10n;
      exponent++;
    }
    // Suffixes go in steps of a thousand.
    while (exponent % 3 !== 0 || exponent > 18) {
      mantissa *= 10n;
      exponent--;
    }
    if (this.format === 'DecimalExponent') return `${sign}${mantissa}${exponent === 0 ? '' : `e${exponent}`}`;
    return `${sign}${mantissa}${DECIMAL_NAMES.get(exponent)!}`;
  }
}

/** Amounts come again and again in the same few words. */
const canonical = new Map<string, string>();
const MAX_REMEMBERED = 4096;

/** The text as the server writes it; a QuantityError when it is none. */
export function canonicalQuantity(text: string): string {
  let known = canonical.get(text);
  if (known === undefined) {
    known = Quantity.parse(text).toString();
    if (canonical.size >= MAX_REMEMBERED) canonical.clear();
    canonical.set(text, known);
  }
  return known;
}

function suffixOf(suffix: string): { readonly exponent: number; readonly format: QuantityFormat } {
  const binary = BINARY[suffix];
  if (binary !== undefined) return { exponent: binary, format: 'BinarySI' };
  const decimal = Object.hasOwn(DECIMAL, suffix) ? DECIMAL[suffix] : undefined;
  if (decimal !== undefined) return { exponent: decimal, format: 'DecimalSI' };
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix);
  if (exponent !== null) return { exponent: Number(exponent[1]), format: 'DecimalExponent' };
  throw new QuantityError(/^[eEinumkKMGTP]*[-+]?[0-9]*$/.test(suffix) ? SUFFIX_WRONG : FORMAT_WRONG);
}

/** Away from zero, as Kubernetes rounds. */
function divideUp(value: bigint, by: bigint): bigint {
  const whole = value / by;
  const rest = value % by;
  if (rest === 0n) return whole;
  return rest > 0n ? whole + 1n : whole - 1n;
}

export type ResourceAmounts = Readonly<Record<string, string>>;

/** The sum of resource lists. */
export function addResources(a: ResourceAmounts, b: ResourceAmounts): Record<string, string> {
  const out: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const have = out[name];
    out[name] = have === undefined ? amount : Quantity.parse(have).add(Quantity.parse(amount)).toString();
  }
  return out;
}
