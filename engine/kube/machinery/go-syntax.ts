// Models fmt's %#v for API values: what a field error shows of a bad value that is neither text nor a plain number.
// Not modelled: addresses behind pointers (Go prints where they happen to lie; here it is always the same place).

import { declaredFields, type TypeRef } from './schema/schema.ts';

/** A value already written as Go source; field errors print it as it is. */
export class GoSyntax {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** `core.ServicePort{Name:"", Protocol:"TCP", ...}`: a struct of the schema (`core/v1.ServicePort`) as the server's own type prints. */
export function goStruct(struct: string, value: unknown): GoSyntax {
  return new GoSyntax(printStruct(struct, asRecord(value)));
}

/** `[]string{"a", "b"}`; `[]string(nil)` for a list that was never set. */
export function goStrings(values: readonly string[] | null | undefined, type = 'string'): GoSyntax {
  return new GoSyntax(values === null || values === undefined ? `[]${type}(nil)` : `[]${type}{${values.map(goQuote).join(', ')}}`);
}

/** `map[string]string{"a":"b"}`. */
export function goStringMap(map: Readonly<Record<string, string>> | null | undefined): GoSyntax {
  return new GoSyntax(printMap(map, 'string', (value) => goQuote(String(value)), 'string'));
}

/** A list of structs of the schema: `[]core.LimitRangeItem{...}`. */
export function goStructs(struct: string, values: readonly unknown[] | null | undefined): GoSyntax {
  const name = typeName(struct);
  if (values === null || values === undefined) return new GoSyntax(`[]${name}(nil)`);
  return new GoSyntax(`[]${name}{${values.map((value) => printStruct(struct, asRecord(value))).join(', ')}}`);
}

/** `resource.Quantity{i:...}`: an amount as the struct it is kept in, from its canonical text. */
export function goQuantity(text: string): GoSyntax {
  const [, sign = '', whole = '', fraction = '', suffix = ''] = /^([+-]?)(\d*)\.?(\d*)(.*)$/.exec(text) ?? [];
  const power = BINARY_SUFFIXES.indexOf(suffix);
  const isBinary = power >= 0;
  const decimal = DECIMAL_SUFFIXES[suffix];
  const format = isBinary ? 'BinarySI' : decimal === undefined ? 'DecimalExponent' : 'DecimalSI';
  const digits = BigInt(`${sign}${whole}${fraction}`);
  const value = isBinary ? digits << BigInt(10 * (power + 1)) : digits;
  const scale = isBinary ? 0 : (decimal ?? Number(suffix.slice(1))) - fraction.length;
  // Text that is surely canonical is kept.
  const isKept = isBinary ? digits % 8n !== 0n : scale % 3 === 0 && !/000$/.test(whole + fraction);
  return new GoSyntax(
    `resource.Quantity{i:resource.int64Amount{value:${value}, scale:${scale}}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:${goQuote(isKept ? text : '')}, Format:"${format}"}`,
  );
}

const BINARY_SUFFIXES = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL_SUFFIXES: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** strconv.Quote. */
export function goQuote(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const escape = ESCAPES[char];
    if (escape !== undefined) out += escape;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (char !== ' ' && UNPRINTABLE.test(char))
      out += code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    else out += char;
  }
  return `${out}"`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};
/** What unicode.IsPrint refuses: controls, unassigned, separators but the space. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
const SOMEWHERE = '0xc000000000';

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** The internal type's package is named by the group, the shared types of meta/v1 by their version. */
function typeName(struct: string): string {
  const dot = struct.lastIndexOf('.');
  const pkg = struct.slice(0, dot);
  const short = pkg === 'meta/v1' ? 'v1' : pkg.slice(0, pkg.indexOf('/'));
  return `${short}.${struct.slice(dot + 1)}`;
}

function printStruct(struct: string, value: Readonly<Record<string, unknown>>): string {
  const fields = declaredFields(struct).map((field) => {
    if (field.isInline) return `${field.goName}:${print(field.type, value)}`;
    return `${field.goName}:${print(field.type, value[field.json])}`;
  });
  return `${typeName(struct)}{${fields.join(', ')}}`;
}

function print(type: TypeRef, value: unknown): string {
  switch (type.kind) {
    case 'struct':
      return printStruct(type.name, asRecord(value));
    case 'pointer':
      return value === undefined || value === null ? `(*${nameOf(type.to)})(nil)` : `(*${nameOf(type.to)})(${SOMEWHERE})`;
    case 'slice':
      return Array.isArray(value)
        ? `[]${nameOf(type.of)}{${value.map((element: unknown) => print(type.of, element)).join(', ')}}`
        : `[]${nameOf(type.of)}(nil)`;
    case 'map':
      return printMap(asMap(value), type.key, (element) => print(type.of, element), nameOf(type.of));
    case 'string':
      return goQuote(typeof value === 'string' ? value : '');
    case 'bytes':
      return value === undefined || value === null ? '[]uint8(nil)' : '[]uint8{...}';
    case 'bool':
      return value === true ? 'true' : 'false';
    case 'int':
    case 'float':
      return String(value ?? 0);
    case 'intstr':
      return typeof value === 'string'
        ? `intstr.IntOrString{Type:1, IntVal:0, StrVal:${goQuote(value)}}`
        : `intstr.IntOrString{Type:0, IntVal:${Number(value ?? 0)}, StrVal:""}`;
    case 'quantity':
      return goQuantity(typeof value === 'string' ? value : '0').text;
    default:
      return `${nameOf(type)}{}`;
  }
}

function asMap(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function printMap(
  map: Readonly<Record<string, unknown>> | null | undefined,
  key: string,
  element: (value: unknown) => string,
  of: string,
): string {
  if (map === null || map === undefined) return `map[${key}]${of}(nil)`;
  const shown = Object.keys(map)
    .sort()
    .map((each) => `${goQuote(each)}:${element(map[each])}`);
  return `map[${key}]${of}{${shown.join(', ')}}`;
}

function nameOf(type: TypeRef): string {
  switch (type.kind) {
    case 'struct':
      return typeName(type.name);
    case 'pointer':
      return `*${nameOf(type.to)}`;
    case 'slice':
      return `[]${nameOf(type.of)}`;
    case 'map':
      return `map[${type.key}]${nameOf(type.of)}`;
    case 'string':
    case 'bool':
    case 'int':
    case 'float':
    case 'bytes':
      return type.go.replace(/^v\d\w*\./, 'core.');
    case 'quantity':
      return 'resource.Quantity';
    case 'time':
      return 'v1.Time';
    case 'microtime':
      return 'v1.MicroTime';
    case 'duration':
      return 'v1.Duration';
    case 'intstr':
      return 'intstr.IntOrString';
    default:
      return 'runtime.RawExtension';
  }
}
