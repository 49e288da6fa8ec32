// Models what decoding into Go's structs and encoding again does to an object: unknown fields go, fields come in their order,
// what is empty is left out where the type says so, and structs that are no pointers are always there.

import { canonicalQuantity, QuantityError } from '../quantity.ts';
import { excerpts, valueAt } from './json-position.ts';
import type { Field, TypeRef } from './schema.ts';
import { jsonFields } from './schema.ts';

/** A value that does not fit its type, worded as the JSON decoder words it. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  /** Keys and indexes that lead to the value. */
  readonly trail: (string | number)[] = [];
  /** How conversion from a map, which a patch goes through, words the same. */
  readonly conversion: string;
  readonly #stopsAt: 'first byte' | 'end';

  constructor(message: string, options: { readonly conversion: string; readonly stopsAt: 'first byte' | 'end' }) {
    super(message);
    this.conversion = options.conversion;
    this.#stopsAt = options.stopsAt;
  }

  /** The whole message, with excerpts of the text that was read. */
  describe(json: string): string {
    const span = valueAt(json, this.trail);
    return span === undefined ? this.message : `${this.message}${excerpts(json, this.#stopsAt === 'end' ? span.end : span.start + 1)}`;
  }
}

/** Runs `read` for the value at `step`, which goes into the trail of what it throws. */
function within<T>(step: string | number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) error.trail.unshift(step);
    throw error;
  }
}

type Json = Record<string, unknown>;

/** The object as the API server would keep it; `struct` is its type (`core/v1.Pod`). */
export function normalize<T>(struct: string, object: T): T {
  return normalizeStruct(struct, object as Json, '') as T;
}

function normalizeStruct(struct: string, value: Json, path: string): Json {
  const out: Json = {};
  const isProto = isStoredAsProto(struct);
  for (const field of jsonFields(struct)) {
    if (field.isInline) continue;
    const member = within(field.json, () => normalizeField(field, value[field.json], `${path}${goName(struct)}.${field.goName}: `));
    if (member !== undefined) out[field.json] = isProto && !field.omitsEmpty && isEmptyList(field.type, member) ? null : member;
  }
  return out;
}

/** What is not stored, or is stored as JSON: elsewhere the storage's protobuf does not tell an empty list from none. */
const KEPT_AS_JSON = /^(meta|authentication|authorization|apiextensions|apiregistration)\//;

const storedAsProto = new Map<string, boolean>();

function isStoredAsProto(struct: string): boolean {
  let known = storedAsProto.get(struct);
  if (known === undefined) storedAsProto.set(struct, (known = !KEPT_AS_JSON.test(struct)));
  return known;
}

function isEmptyList(type: TypeRef, value: unknown): boolean {
  if (type.kind === 'slice') return Array.isArray(value) && value.length === 0;
  return type.kind === 'map' && isObject(value) && isEmpty(type, value);
}

/** Types that write themselves: Go leaves none of them out for being empty. */
const ALWAYS_WRITTEN = new Set<TypeRef['kind']>(['time', 'microtime', 'quantity', 'intstr']);

function normalizeField(field: Field, given: unknown, path: string): unknown {
  const value = normalizeValue(field.type, given ?? undefined, path);
  if (value === undefined) return field.omitsEmpty && !ALWAYS_WRITTEN.has(field.type.kind) ? undefined : zeroOf(field.type);
  return field.omitsEmpty && isEmpty(field.type, value) ? undefined : value;
}

function normalizeValue(type: TypeRef, value: unknown, path: string): unknown {
  switch (type.kind) {
    case 'pointer':
      return value === undefined ? undefined : normalizeValue(type.to, value, path);
    case 'struct':
      if (value === undefined) return normalizeStruct(type.name, {}, path);
      if (!isObject(value)) throw mismatch(path, 'object', value);
      return normalizeStruct(type.name, value, path);
    case 'slice':
      if (value === undefined) return undefined;
      if (!Array.isArray(value)) throw mismatch(path, 'array', value);
      return value.map(
        (element, index) =>
          within(index, () =>
            normalizeValue(type.of, element ?? undefined, type.of.kind === 'struct' ? `${path}[]${goName(type.of.name)}: ` : path),
          ) ?? zeroOf(type.of),
      );
    case 'map': {
      if (value === undefined) return undefined;
      if (!isObject(value)) throw mismatch(path, 'object', value);
      const out: Json = {};
      // Go writes maps in order of their keys.
      for (const key of Object.keys(value).sort())
        out[key] = within(key, () => normalizeValue(type.of, value[key] ?? undefined, path)) ?? zeroOf(type.of);
      return out;
    }
    case 'string':
      if (value !== undefined && typeof value !== 'string') throw mismatch(path, 'string', value);
      return value;
    case 'bytes': {
      if (value === undefined) return undefined;
      if (typeof value !== 'string') throw mismatch(path, 'string', value);
      const stray = value.search(/[^A-Za-z0-9+/=\r\n]/);
      if (stray >= 0) {
        const why = `illegal base64 data at input byte ${stray}`;
        throw new DecodeError(`${path}decode base64: ${why}`, { conversion: why, stopsAt: 'end' });
      }
      return value;
    }
    case 'bool':
      if (value !== undefined && typeof value !== 'boolean') throw mismatch(path, 'bool', value);
      return value;
    case 'int':
      if (value !== undefined && (typeof value !== 'number' || !Number.isInteger(value))) throw mismatch(path, type.go, value);
      return value;
    case 'float':
      if (value !== undefined && typeof value !== 'number') throw mismatch(path, 'float64', value);
      return value;
    case 'quantity':
      if (value === undefined) return undefined;
      if (typeof value !== 'string' && typeof value !== 'number') throw mismatch(path, 'quantity', value);
      try {
        return canonicalQuantity(String(value).trim());
      } catch (error) {
        if (!(error instanceof QuantityError)) throw error;
        throw new DecodeError(`${path}unmarshalerDecoder: ${error.message}`, { conversion: error.message, stopsAt: 'end' });
      }
    case 'intstr':
      if (value !== undefined && typeof value !== 'number' && typeof value !== 'string') throw mismatch(path, 'int or string', value);
      return value;
    case 'time':
    case 'microtime':
    case 'duration':
      if (value !== undefined && typeof value !== 'string') throw mismatch(path, 'string', value);
      return value;
    case 'raw':
    case 'fields':
      return value;
  }
}

/** What Go writes for a field that was never set and is not left out. */
function zeroOf(type: TypeRef): unknown {
  switch (type.kind) {
    case 'struct':
      return normalizeStruct(type.name, {}, '');
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

function goName(struct: string): string {
  return struct.slice(struct.indexOf('/') + 1);
}

function mismatch(path: string, wanted: string, value: unknown): DecodeError {
  const reads: Readonly<Record<string, string>> = {
    string: 'ReadString: expects " or n',
    bool: 'ReadBool: expect t or f',
    object: 'ReadObject: expect { or , or } or n',
    array: 'decode slice: expect [ or n',
    int32: 'readUint32: unexpected character: \ufffd',
    int64: 'readUint64: unexpected character: \ufffd',
  };
  const first = JSON.stringify(value)[0]!;
  const what = reads[wanted] ?? `unmarshalerDecoder: json: cannot unmarshal into ${wanted}`;
  const found = wanted === 'object' || wanted === 'array' || wanted === 'string' ? `, but found ${first}` : '';
  const restores: Readonly<Record<string, string>> = {
    object: `cannot restore struct from: ${goKind(value)}`,
    array: `cannot restore slice from ${goKind(value)}`,
  };
  return new DecodeError(`${path}${what}${found}`, {
    conversion: restores[wanted] ?? `unrecognized type: ${wanted}`,
    stopsAt: 'first byte',
  });
}

/** What reflection calls a decoded JSON value. */
function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'map';
}
