// Models the pod-template hash: FNV-1a over the Go dump of the template, spelled in an alphabet without vowels.

import { Quantity } from './quantity.ts';
import { declaredFields, type Field, type TypeRef } from './schema/schema.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** The value of the pod-template-hash label: `template` after defaulting; `collisionCount` as the deployment's status has it. */
export function podTemplateHash(template: object, collisionCount?: number): string {
  let hash = fnv1a(0x811c9dc5, new TextEncoder().encode(dumpTemplate(template)));
  if (collisionCount !== undefined) {
    // Eight bytes, little endian, of which four are used.
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, collisionCount, true);
    hash = fnv1a(hash, bytes);
  }
  return safeEncode(hash);
}

/** rand.SafeEncodeString of a hash's decimal form: what names are made of. */
export function safeEncode(hash: number): string {
  return [...String(hash >>> 0)].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]!).join('');
}

/** hashutil.DeepHashObject of any API struct (`core/v1.PodTemplateSpec`). */
export function deepHash(struct: string, value: object): number {
  return fnv1a(0x811c9dc5, new TextEncoder().encode(dump(struct, value)));
}

export function dumpTemplate(template: object): string {
  return dump('core/v1.PodTemplateSpec', template);
}

function dump(struct: string, value: object): string {
  return `(${goNameOf(struct)})${print({ kind: 'struct', name: struct }, value)}`;
}

function goNameOf(struct: string): string {
  return struct.slice(struct.indexOf('/') + 1);
}

function fnv1a(seed: number, bytes: Uint8Array): number {
  let hash = seed;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function print(type: TypeRef, value: unknown): string {
  switch (type.kind) {
    case 'pointer':
      return value === undefined || value === null ? '<nil>' : print(type.to, value);
    case 'slice': {
      if (value === undefined || value === null || (value as readonly unknown[]).length === 0) return '<nil>';
      return `[${(value as readonly unknown[]).map((element) => print(type.of, element)).join(' ')}]`;
    }
    case 'map': {
      const map = (value ?? {}) as Readonly<Record<string, unknown>>;
      const keys = Object.keys(map).sort();
      if (keys.length === 0) return '<nil>';
      return `map[${keys.map((key) => `${key}:${print(type.of, map[key])}`).join(' ')}]`;
    }
    case 'struct':
      return printStruct(type.name, (value ?? {}) as Readonly<Record<string, unknown>>);
    case 'string':
      return typeof value === 'string' ? value : '';
    case 'bool':
      return String(value ?? false);
    case 'int':
    case 'float':
      return String(value ?? 0);
    case 'quantity':
      return printQuantity(String(value ?? '0'));
    case 'intstr':
      return typeof value === 'string'
        ? `{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)${value}}`
        : `{Type:(intstr.Type)0 IntVal:(int32)${Number(value ?? 0)} StrVal:(string)}`;
    case 'time':
      return '{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}';
    default:
      throw new Error(`no dump for ${type.kind}`);
  }
}

function printStruct(name: string, value: Readonly<Record<string, unknown>>): string {
  return `{${declaredFields(name)
    .map((field) => `${field.goName}:(${field.goType})${print(field.type, field.isInline ? value : memberOf(field, value))}`)
    .join(' ')}}`;
}

function memberOf(field: Field, value: Readonly<Record<string, unknown>>): unknown {
  return value[field.json];
}

function printQuantity(text: string): string {
  const quantity = Quantity.parse(text);
  const canonical = quantity.toString();
  const { value, scale } = amountOf(canonical, quantity);
  return `{i:(resource.int64Amount){value:(int64)${value} scale:(resource.Scale)${scale}} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)${canonical} Format:(resource.Format)${quantity.format}}`;
}

/** How parsing splits a canonical form: the digits and the power of ten of the suffix; binary suffixes are multiplied out. */
function amountOf(canonical: string, quantity: Quantity): { readonly value: bigint; readonly scale: number } {
  if (/[KMGTPE]i$/.test(canonical)) return { value: quantity.nanos / 1_000_000_000n, scale: 0 };
  const scales: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
  const match = /^(-?\d+)(?:([numkMGTPE])|e(-?\d+))?$/.exec(canonical)!;
  const scale = match[2] !== undefined ? scales[match[2]]! : Number(match[3] ?? '0');
  return { value: BigInt(match[1]!), scale };
}
