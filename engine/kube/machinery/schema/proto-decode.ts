// Messages to objects in JSON's form.

import { toBase64 } from '../../../sim/bytes.ts';
import { normalize } from './codec.ts';
import { showDuration } from './proto-duration.ts';
import { planOf, SCHEMA } from './proto-plan.ts';
import { BYTES, FIXED64, ProtoError, ProtoReader, VARINT } from './proto-wire.ts';
import type { TypeRef } from './schema.ts';

type Json = Record<string, unknown>;

export interface DecodeOptions {
  /** Whole numbers that JavaScript's numbers do not hold stay bigints. */
  readonly keepsBig?: boolean;
}

/** The members of a struct as they are in the message; zero values are there where the message has them. */
export function decodeMessage(struct: string, bytes: Uint8Array, options: DecodeOptions = {}): Json {
  return readStruct(new ProtoReader(bytes), struct, {}, options);
}

function readStruct(reader: ProtoReader, struct: string, out: Json, options: DecodeOptions): Json {
  const { byNumber } = planOf(struct);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const wire = tag % 8;
    const field = byNumber.get(Math.floor(tag / 8));
    if (field === undefined) {
      if (tag < 8) throw new ProtoError(`proto: ${struct}: illegal tag ${Math.floor(tag / 8)} (wire type ${wire})`);
      reader.skip(wire);
      continue;
    }
    const { json, type, free } = field;
    if (json === '') {
      if (type.kind === 'struct') readStruct(reader.message(), type.name, out, options);
      else reader.skip(wire);
    } else if (type.kind === 'slice') {
      const list = (out[json] ??= []) as unknown[];
      if (field.isWrapped) readItems(reader.message(), type.of, list, options);
      else list.push(readValue(reader, type.of, wire, free, options));
    } else if (type.kind === 'map') readEntry(reader.message(), type.of, (out[json] ??= {}) as Json, free, options);
    else out[json] = readValue(reader, type, wire, free, options);
  }
  return out;
}

function readItems(reader: ProtoReader, type: TypeRef, list: unknown[], options: DecodeOptions): void {
  while (!reader.isAtEnd) list.push(readValue(reader, type, reader.varint() % 8, '', options));
}

function readEntry(reader: ProtoReader, type: TypeRef, map: Json, free: string, options: DecodeOptions): void {
  let key = '';
  let value: unknown;
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    if (tag >> 3 === 1) key = reader.text();
    else if (tag >> 3 !== 2) reader.skip(tag % 8);
    else if (type.kind === 'slice') readItems(reader.message(), type.of, (value ??= []) as unknown[], options);
    else value = readValue(reader, type, tag % 8, free, options);
  }
  Object.defineProperty(map, key, {
    value: value ?? (type.kind === 'string' ? '' : null),
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function readValue(reader: ProtoReader, type: TypeRef, wire: number, free: string, options: DecodeOptions): unknown {
  const expected = type.kind === 'float' ? FIXED64 : type.kind === 'int' || type.kind === 'bool' ? VARINT : BYTES;
  if (wire !== expected) throw new ProtoError(`proto: wrong wireType = ${wire} for field`);
  switch (type.kind) {
    case 'string':
      return reader.text();
    case 'bool':
      return reader.varint() !== 0;
    case 'int': {
      if (options.keepsBig !== true) return reader.varint();
      const value = reader.bigVarint();
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case 'float':
      return reader.double();
    case 'struct':
      return readStruct(reader.message(), type.name, {}, options);
    case 'pointer':
      return readValue(reader, type.to, wire, free, options);
    case 'bytes':
      return toBase64(reader.bytes());
    case 'quantity':
      return (readParts(reader.message())[1] as string | undefined) ?? '0';
    case 'intstr': {
      const parts = readParts(reader.message());
      return parts[1] === 1 ? (parts[3] ?? '') : (parts[2] ?? 0);
    }
    case 'time':
    case 'microtime':
      return readTime(readParts(reader.message()), type.kind === 'microtime');
    case 'duration':
      return showDuration(BigInt((readParts(reader.message())[1] as number | undefined) ?? 0));
    case 'fields':
    case 'raw':
      return readFree(reader.message(), free, options);
    default:
      throw new ProtoError(`proto: a ${type.kind} cannot be read`);
  }
}

/** A small message of numbers and texts. */
export function readParts(reader: ProtoReader): Readonly<Record<number, string | number>> {
  const out: Record<number, string | number> = {};
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    out[Math.floor(tag / 8)] = tag % 8 === BYTES ? reader.text() : reader.varint();
  }
  return out;
}

/** The farthest that Date goes. */
const MAX_TIME_MS = 8.64e15;

function readTime(parts: Readonly<Record<number, string | number>>, isMicro: boolean): string | null {
  if (parts[1] === undefined && parts[2] === undefined) return null;
  const ms = Number(parts[1] ?? 0) * 1000;
  if (!(Math.abs(ms) <= MAX_TIME_MS)) throw new ProtoError('proto: time out of range');
  const text = new Date(ms).toISOString().slice(0, -5);
  return isMicro ? `${text}.${String(Math.floor(Number(parts[2] ?? 0) / 1000)).padStart(6, '0')}Z` : `${text}Z`;
}

function readFree(reader: ProtoReader, free: string, options: DecodeOptions): unknown {
  let raw: unknown;
  const many: unknown[] = [];
  let allows: boolean | undefined;
  let schema: Json | undefined;
  const isShaped = free.startsWith('JSONSchemaPropsOr');
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    if (!isShaped) {
      if (number === 1) raw = parseRaw(reader.text());
      else reader.skip(tag % 8);
    } else if (tag % 8 === VARINT) allows = reader.varint() !== 0;
    else if (free === 'JSONSchemaPropsOrStringArray' && number === 2) many.push(reader.text());
    else if (free === 'JSONSchemaPropsOrArray' && number === 2) many.push(readSchema(reader.message(), options));
    else schema = readSchema(reader.message(), options);
  }
  if (!isShaped) return raw ?? null;
  return schema ?? (many.length > 0 ? many : (allows ?? null));
}

/** To the tables a schema within a schema is free JSON, so nobody else takes its empty members away. */
function readSchema(reader: ProtoReader, options: DecodeOptions): Json {
  return normalize(SCHEMA, readStruct(reader, SCHEMA, {}, options));
}

function parseRaw(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ProtoError('raw field is no JSON');
  }
}
