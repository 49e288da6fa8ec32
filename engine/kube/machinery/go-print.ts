// Models %#v of the API server's internal objects, which messages about whole structures show. Values are the JSON of the stored version.

import { goQuote } from './go-syntax.ts';
import { Quantity } from './quantity.ts';
import { type GoType, internalType, memberOf } from './schema/internal-types.ts';

/** `v1.LabelSelector{MatchLabels:map[string]string{"a":"b"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}`. */
export function goPrint(type: string, value: unknown): string {
  return print(internalType(type), value);
}

/** `map[string]string{"a":"b"}` */
export function goStringMap(map: Readonly<Record<string, string>> | null | undefined): string {
  return goPrint('map[string]string', map);
}

function print(type: GoType, value: unknown): string {
  switch (type.kind) {
    case 'pointer':
      if (type.to.kind === 'time') return value === undefined || value === null ? '<nil>' : print(type.to, value);
      return `(${type.name})(${value === undefined || value === null ? 'nil' : addressOf(value)})`;
    case 'struct': {
      const holder = (value ?? {}) as Readonly<Record<string, unknown>>;
      return `${type.name}{${type.fields.map((field) => `${field.name}:${print(field.type, memberOf(type, field, holder))}`).join(', ')}}`;
    }
    case 'slice':
      if (value === undefined || value === null) return `${type.name}(nil)`;
      return `${type.name}{${(value as readonly unknown[]).map((element) => print(type.of, element)).join(', ')}}`;
    case 'map': {
      if (value === undefined || value === null) return `${type.name}(nil)`;
      const members = value as Readonly<Record<string, unknown>>;
      const shown = Object.keys(members)
        .sort()
        .map((key) => `${goQuote(key)}:${print(type.of, members[key])}`);
      return `${type.name}{${shown.join(', ')}}`;
    }
    case 'string':
      return goQuote(typeof value === 'string' ? value : '');
    case 'bool':
      return String(value === true);
    case 'int':
    case 'float':
      return String(typeof value === 'number' ? value : 0);
    case 'time':
      return goTime(value);
    case 'quantity':
      return goQuantity(value);
    case 'intstr':
      return typeof value === 'string'
        ? `intstr.IntOrString{Type:1, IntVal:0, StrVal:${goQuote(value)}}`
        : `intstr.IntOrString{Type:0, IntVal:${Number(value ?? 0)}, StrVal:""}`;
    case 'bytes':
      if (typeof value !== 'string') return '[]uint8(nil)';
      return `[]uint8{${[...atob(value)].map((byte) => `0x${byte.charCodeAt(0).toString(16)}`).join(', ')}}`;
    case 'other':
      return `${type.name}{}`;
  }
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

function goTime(value: unknown): string {
  if (typeof value !== 'string') return 'time.Date(1, time.January, 1, 0, 0, 0, 0, time.UTC)';
  const date = new Date(value);
  return `time.Date(${date.getUTCFullYear()}, time.${MONTHS[date.getUTCMonth()]!}, ${date.getUTCDate()}, ${date.getUTCHours()}, ${date.getUTCMinutes()}, ${date.getUTCSeconds()}, 0, time.Local)`;
}

const SUFFIX_SCALES: readonly (readonly [RegExp, number])[] = [
  [/n$/, -9],
  [/u$/, -6],
  [/m$/, -3],
  [/k$/, 3],
  [/M$/, 6],
  [/G$/, 9],
  [/T$/, 12],
  [/P$/, 15],
  [/E$/, 18],
];

/** Quantities keep the digits and the scale they were written with. */
function goQuantity(value: unknown): string {
  const { amount, scale, kept, format } = quantityParts(value);
  return `resource.Quantity{i:resource.int64Amount{value:${amount}, scale:${scale}}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:${goQuote(kept)}, Format:${goQuote(format)}}`;
}

function quantityParts(value: unknown): {
  readonly amount: number;
  readonly scale: number;
  readonly kept: string;
  readonly format: string;
} {
  const text = String((value ?? '') as string | number);
  if (text === '') return { amount: 0, scale: 0, kept: '', format: '' };
  const quantity = Quantity.parse(text);
  const { format } = quantity;
  // The text is kept where it is sure to be the canonical one, and that is not looked into deeply.
  if (format === 'BinarySI')
    return { amount: quantity.value, scale: 0, kept: (Number.parseInt(text, 10) & 7) !== 0 && !text.includes('.') ? text : '', format };
  const [, whole = '', fraction = ''] = /^([+-]?\d*)(?:\.(\d*))?/.exec(text)!;
  const digits = whole + fraction;
  const scale = (SUFFIX_SCALES.find(([suffix]) => suffix.test(text))?.[1] ?? 0) - fraction.length;
  const isKept = scale % 3 === 0 && !digits.endsWith('000') && !/^[+-]?0/.test(digits);
  return { amount: Number(digits), scale, kept: isKept ? text : '', format };
}

const AMOUNT: GoType = {
  kind: 'struct',
  name: 'resource.int64Amount',
  fields: [
    { name: 'value', json: 'value', type: { kind: 'int', name: 'int64' } },
    { name: 'scale', json: 'scale', type: { kind: 'int', name: 'resource.Scale' } },
  ],
};

/** A quantity's fields as its struct has them. */
export function goQuantityFields(value: unknown): readonly { readonly name: string; readonly type: GoType; readonly value: unknown }[] {
  const { amount, scale, kept, format } = quantityParts(value);
  return [
    { name: 'i', type: AMOUNT, value: { value: amount, scale } },
    { name: 's', type: internalType('string'), value: kept },
    { name: 'Format', type: { kind: 'string', name: 'resource.Format' }, value: format },
  ];
}

/** An address on Go's heap, the same for the same value. */
function addressOf(value: unknown): string {
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify(value)) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return `0xc0${((hash & ~7) >>> 0).toString(16).padStart(8, '0')}`;
}
