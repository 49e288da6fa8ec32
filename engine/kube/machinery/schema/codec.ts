// Models what decoding into Go's structs and encoding again does to an object: unknown fields go, fields come in their order,
// what is empty is left out where the type says so, and structs that are no pointers are always there.

import { canonicalQuantity } from '../quantity.ts';
import { readingProblem } from './json-iterator.ts';
import { base64Problem, ownProblem } from './own-decoders.ts';
import type { Field, TypeRef } from './schema.ts';
import { jsonFields } from './schema.ts';

/** A value that does not fit its type. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  /** How conversion from a map, which a patch goes through, words it. */
  readonly conversion: string;
  readonly #struct: string;

  constructor(struct: string, object: unknown, conversion: string) {
    // Without the excerpts: there is no text that the object was read from.
    super(readingProblem(struct, JSON.stringify(object))?.replace(/, error found in #\d+ byte of .*$/s, '') ?? conversion);
    this.#struct = struct;
    this.conversion = conversion;
  }

  /** How the JSON decoder words it, with excerpts of the text it read. */
  describe(json: string): string {
    return readingProblem(this.#struct, json) ?? this.message;
  }
}

/** What a value has against its type, on its way out to where the whole object is known. */
class Mismatch extends Error {}

type Json = Record<string, unknown>;

/** The object as the API server would keep it; `struct` is its type (`core/v1.Pod`). */
export function normalize<T>(struct: string, object: T): T {
  try {
    return normalizeStruct(struct, object as Json) as T;
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new DecodeError(struct, object, error.message);
  }
}

function normalizeStruct(struct: string, value: Json): Json {
  const out: Json = {};
  for (const { field, isLeftOut, isNullWhenEmpty } of planOf(struct)) {
    const given = value[field.json];
    if (isLeftOut && (given === undefined || given === null)) continue;
    const member = normalizeField(field, given);
    if (member !== undefined) out[field.json] = isNullWhenEmpty && isEmptyList(field.type, member) ? null : member;
  }
  return out;
}

interface PlannedField {
  readonly field: Field;
  /** Not written when it is not given. */
  readonly isLeftOut: boolean;
  readonly isNullWhenEmpty: boolean;
}

const plans = new Map<string, readonly PlannedField[]>();

function planOf(struct: string): readonly PlannedField[] {
  let known = plans.get(struct);
  if (known === undefined) {
    const isProto = !KEPT_AS_JSON.test(struct);
    known = jsonFields(struct)
      .filter((field) => !field.isInline)
      .map((field) => ({
        field,
        isLeftOut: field.omitsEmpty && field.type.kind !== 'struct' && !ALWAYS_WRITTEN.has(field.type.kind),
        isNullWhenEmpty: isProto && !field.omitsEmpty,
      }));
    plans.set(struct, known);
  }
  return known;
}

/** What is not stored, or is stored as JSON: elsewhere the storage's protobuf does not tell an empty list from none. */
const KEPT_AS_JSON = /^(meta|authentication|authorization|apiextensions|apiregistration)\//;

function isEmptyList(type: TypeRef, value: unknown): boolean {
  if (type.kind === 'slice') return Array.isArray(value) && value.length === 0;
  return type.kind === 'map' && isObject(value) && isEmpty(type, value);
}

/** Types that write themselves: Go leaves none of them out for being empty. */
const ALWAYS_WRITTEN = new Set<TypeRef['kind']>(['time', 'microtime', 'quantity', 'intstr']);

function normalizeField(field: Field, given: unknown): unknown {
  const value = normalizeValue(field.type, given ?? undefined);
  if (value === undefined) return field.omitsEmpty && !ALWAYS_WRITTEN.has(field.type.kind) ? undefined : zeroOf(field.type);
  return field.omitsEmpty && isEmpty(field.type, value) ? undefined : value;
}

function normalizeValue(type: TypeRef, value: unknown): unknown {
  if (value === undefined && type.kind !== 'struct') return undefined;
  switch (type.kind) {
    case 'pointer':
      return normalizeValue(type.to, value);
    case 'struct':
      if (value === undefined) return normalizeStruct(type.name, {});
      if (!isObject(value)) throw new Mismatch(`cannot restore struct from: ${goKind(value)}`);
      return normalizeStruct(type.name, value);
    case 'slice':
      if (!Array.isArray(value)) throw new Mismatch(`cannot restore slice from ${goKind(value)}`);
      return (value as unknown[]).map((element) => normalizeValue(type.of, element ?? undefined) ?? zeroOf(type.of));
    case 'map': {
      if (!isObject(value)) throw new Mismatch(`cannot restore map from ${goKind(value)}`);
      const out: Json = {};
      // Go writes maps in order of their keys.
      for (const key of Object.keys(value).sort()) out[key] = normalizeValue(type.of, value[key] ?? undefined) ?? zeroOf(type.of);
      return out;
    }
    case 'string':
      if (typeof value === 'string') return value;
      throw new Mismatch(Number.isInteger(value) ? `cannot convert int64 to ${type.go}` : 'unrecognized type: string');
    case 'bytes': {
      if (typeof value !== 'string') throw new Mismatch(`cannot restore slice from ${goKind(value)}`);
      const problem = base64Problem(value);
      if (problem !== undefined) throw new Mismatch(`error decoding from json: ${problem}`);
      return value;
    }
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw new Mismatch('unrecognized type: bool');
    case 'int':
      return integer(value, type.go);
    case 'float':
      if (typeof value === 'number') return value;
      throw new Mismatch('unrecognized type: float64');
    case 'quantity':
      checkOwn(type.kind, value);
      return canonicalQuantity(String(value as string | number).trim());
    case 'intstr':
      if (typeof value === 'string') return value;
      checkOwn(type.kind, value);
      return value;
    case 'time':
    case 'microtime':
      if (typeof value === 'string' && PLAIN_TIME.test(value)) return value;
      checkOwn(type.kind, value);
      return value;
    case 'duration':
      checkOwn(type.kind, value);
      return value;
    case 'raw':
    case 'fields':
      return value;
  }
}

/** What the server itself writes, and needs no closer look. */
const PLAIN_TIME = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{6})?Z$/;

function checkOwn(kind: TypeRef['kind'], value: unknown): void {
  if (kind === 'quantity' && typeof value === 'string' && /^[1-9][0-9]*(m|[KMGT]i)?$/.test(value)) return;
  const problem = ownProblem(kind, JSON.stringify(value));
  if (problem !== undefined) throw new Mismatch(problem);
}

const MAX_INT32 = 2 ** 31 - 1;

function integer(value: unknown, go: string): number {
  const bits = go === 'int32' ? 'int32' : 'int64';
  if (typeof value !== 'number') throw new Mismatch(`unrecognized type: ${bits}`);
  if (!Number.isInteger(value)) throw new Mismatch(`cannot convert float64 to ${go}`);
  if (bits === 'int32' && (value > MAX_INT32 || value < -MAX_INT32 - 1)) throw new Mismatch(`cannot convert int64 to ${go}`);
  return value;
}

/** What Go writes for a field that was never set and is not left out. */
function zeroOf(type: TypeRef): unknown {
  switch (type.kind) {
    case 'struct':
      return normalizeStruct(type.name, {});
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int':
    case 'float':
    case 'intstr':
      return 0;
    case 'quantity':
      return '0';
    default:
      return null;
  }
}

function isEmpty(type: TypeRef, value: unknown): boolean {
  switch (type.kind) {
    case 'slice':
      return (value as unknown[]).length === 0;
    case 'map':
      return Object.keys(value as object).length === 0;
    case 'string':
    case 'bytes':
      return value === '';
    case 'bool':
      return value === false;
    case 'int':
    case 'float':
      return value === 0;
    // Structs and pointers are never empty to Go; nor are the types that write themselves.
    default:
      return false;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What reflection calls a decoded JSON value. */
function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'map';
}
