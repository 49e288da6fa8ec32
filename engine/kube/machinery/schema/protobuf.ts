// Models the protocol buffers of the API's types: objects in JSON's form to bytes and back. What is no pointer is always written,
// as the generated code of Go does; field numbers come from proto-fields.json, which scripts/api-fields.mjs makes.

import { canonicalQuantity } from '../quantity.ts';
import { fromBase64, toBase64 } from '../../../sim/bytes.ts';
import numbers from './proto-fields.json' with { type: 'json' };
import { normalize } from './codec.ts';
import { BYTES, FIXED64, ProtoError, ProtoReader, ProtoWriter, VARINT } from './proto-wire.ts';
import { declaredFields, type TypeRef } from './schema.ts';

type Json = Record<string, unknown>;

interface ProtoField {
  readonly number: number;
  /** '' for an embedded struct: its members are the parent's in JSON. */
  readonly json: string;
  readonly type: TypeRef;
  readonly isPointer: boolean;
  /** A list that is a message of its own with the elements as field 1. */
  readonly isWrapped: boolean;
  /** Go's name of a type that JSON has in a free form. */
  readonly free: string;
}

const NUMBERS = numbers as unknown as Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Plan {
  /** By number, highest first: the order in which they are written from the end. */
  readonly fields: readonly ProtoField[];
  readonly byNumber: ReadonlyMap<number, ProtoField>;
}

const plans = new Map<string, Plan>();

/** The name of a type without its package; a named map's is that of its values. */
function freeName(goType: string): string {
  const name = goType.replace(/^.*[\]*.]/, '');
  return name === 'JSONSchemaDependencies' ? 'JSONSchemaPropsOrStringArray' : name;
}

function planOf(struct: string): Plan {
  const known = plans.get(struct);
  if (known !== undefined) return known;
  const dot = struct.lastIndexOf('.');
  const given = new Map(
    (NUMBERS[struct.slice(0, dot)]?.[struct.slice(dot + 1)] ?? '')
      .split(',')
      .map((entry) => entry.split('=') as [string, string | undefined]),
  );
  const fields: ProtoField[] = [];
  for (const field of declaredFields(struct)) {
    const number = given.get(field.goName);
    if (number === undefined) continue;
    const isPointer = field.type.kind === 'pointer';
    const type = field.type.kind === 'pointer' ? field.type.to : field.type;
    fields.push({
      number: Number(number),
      json: field.isInline ? '' : field.json,
      type,
      isPointer,
      isWrapped: type.kind === 'slice' && !field.goType.includes('[]'),
      free: freeName(field.goType),
    });
  }
  fields.sort((a, b) => b.number - a.number);
  const plan = { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
  plans.set(struct, plan);
  return plan;
}

// -- writing

/** One writer for all: nothing waits while it writes. */
let writerForAll = new ProtoWriter();
const MAX_KEPT_BYTES = 1 << 20;

function freshWriter(): ProtoWriter {
  if (writerForAll.capacity > MAX_KEPT_BYTES) writerForAll = new ProtoWriter();
  writerForAll.reset();
  return writerForAll;
}

/** The message of a struct. */
export function encodeMessage(struct: string, object: Readonly<Json>): Uint8Array {
  const writer = freshWriter();
  writeStruct(writer, struct, object);
  return writer.finish();
}

export function writeStruct(writer: ProtoWriter, struct: string, object: Readonly<Json>): void {
  for (const field of planOf(struct).fields) {
    const { number, json, type, isPointer } = field;
    if (json === '') {
      if (type.kind === 'struct') writeMessage(writer, number, () => writeStruct(writer, type.name, object));
      continue;
    }
    const value = object[json];
    if (isPointer && (value === undefined || value === null)) continue;
    writeField(writer, field, value);
  }
}

function writeMessage(writer: ProtoWriter, number: number, write: () => void): void {
  const before = writer.size;
  write();
  writer.varint(writer.size - before);
  writer.tag(number, BYTES);
}

function writeField(writer: ProtoWriter, field: ProtoField, value: unknown): void {
  const { number, type, free, isWrapped } = field;
  if (type.kind === 'slice') {
    if (!Array.isArray(value)) return;
    const elements = value as readonly unknown[];
    const [target, at] = isWrapped ? ([1, 0] as const) : ([number, 0] as const);
    const all = (): void => {
      for (let i = elements.length - 1; i >= at; i--) writeValue(writer, target, type.of, elements[i], free);
    };
    if (isWrapped) writeMessage(writer, number, all);
    else all();
  } else if (type.kind === 'map') {
    if (typeof value !== 'object' || value === null) return;
    writeMap(writer, number, type, value as Json, free);
  } else writeValue(writer, number, type, value, free);
}

function writeMap(writer: ProtoWriter, number: number, type: TypeRef & { readonly kind: 'map' }, map: Json, free: string): void {
  const keys = Object.keys(map).sort();
  for (let i = keys.length - 1; i >= 0; i--) {
    const before = writer.size;
    const value = map[keys[i]!];
    const { of } = type;
    // A list as a map's value is a message of its own.
    if (of.kind === 'slice') {
      const elements = Array.isArray(value) ? (value as readonly unknown[]) : [];
      writeMessage(writer, 2, () => {
        for (let at = elements.length - 1; at >= 0; at--) writeValue(writer, 1, of.of, elements[at], free);
      });
    } else writeValue(writer, 2, of, value, free);
    writer.text(keys[i]!);
    writer.tag(1, BYTES);
    writer.varint(writer.size - before);
    writer.tag(number, BYTES);
  }
}

function writeValue(writer: ProtoWriter, number: number, type: TypeRef, value: unknown, free: string): void {
  switch (type.kind) {
    case 'string':
      writer.text(typeof value === 'string' ? value : '');
      writer.tag(number, BYTES);
      return;
    case 'bool':
      writer.byte(value === true ? 1 : 0);
      writer.tag(number, VARINT);
      return;
    case 'int':
      writer.varint(typeof value === 'number' || typeof value === 'bigint' ? value : 0);
      writer.tag(number, VARINT);
      return;
    case 'float':
      writer.double(typeof value === 'number' ? value : 0);
      writer.tag(number, FIXED64);
      return;
    case 'struct': {
      const before = writer.size;
      writeStruct(writer, type.name, (value ?? {}) as Json);
      writer.varint(writer.size - before);
      writer.tag(number, BYTES);
      return;
    }
    case 'pointer':
      if (value !== undefined && value !== null) writeValue(writer, number, type.to, value, free);
      return;
    case 'bytes': {
      if (typeof value !== 'string') return;
      const bytes = fromBase64(value);
      writer.raw(bytes);
      writer.varint(bytes.length);
      writer.tag(number, BYTES);
      return;
    }
    case 'quantity': {
      const before = writer.size;
      writer.text(value === undefined || value === null ? '0' : canonicalQuantity(String(value as string)));
      writer.tag(1, BYTES);
      writer.varint(writer.size - before);
      writer.tag(number, BYTES);
      return;
    }
    case 'intstr':
      writeMessage(writer, number, () => {
        const isText = typeof value === 'string';
        writer.text(isText ? value : '');
        writer.tag(3, BYTES);
        writer.varint(typeof value === 'number' ? value : 0);
        writer.tag(2, VARINT);
        writer.varint(isText ? 1 : 0);
        writer.tag(1, VARINT);
      });
      return;
    case 'time':
    case 'microtime':
      writeMessage(writer, number, () => writeTime(writer, value));
      return;
    case 'duration':
      writeMessage(writer, number, () => {
        writer.varint(typeof value === 'string' ? parseDuration(value) : 0n);
        writer.tag(1, VARINT);
      });
      return;
    case 'fields':
    case 'raw':
      writeMessage(writer, number, () => writeFree(writer, value, free));
      return;
    default:
      throw new Error(`a ${type.kind} has no value in protocol buffers`);
  }
}

function writeTime(writer: ProtoWriter, value: unknown): void {
  // The zero time is an empty message.
  if (typeof value !== 'string') return;
  // Fractions are kept; Date knows only milliseconds.
  const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
  const ms = Date.parse(fraction === '' ? value : value.replace(`.${fraction}`, ''));
  writer.varint(fraction === '' ? 0 : Number(fraction.slice(0, 9).padEnd(9, '0')));
  writer.tag(2, VARINT);
  writer.varint(Number.isNaN(ms) ? 0 : Math.floor(ms / 1000));
  writer.tag(1, VARINT);
}

/** Types that are plain JSON to JSON but have a shape in protocol buffers. */
function writeFree(writer: ProtoWriter, value: unknown, free: string): void {
  const schema = (given: unknown): void =>
    writeMessage(writer, free === 'JSONSchemaPropsOrBool' ? 2 : 1, () => writeStruct(writer, SCHEMA, given as Json));
  switch (free) {
    case 'JSONSchemaPropsOrArray':
      if (Array.isArray(value)) {
        for (let i = value.length - 1; i >= 0; i--) writeMessage(writer, 2, () => writeStruct(writer, SCHEMA, (value as Json[])[i]!));
      } else if (value !== undefined && value !== null) schema(value);
      return;
    case 'JSONSchemaPropsOrBool':
      if (typeof value === 'object' && value !== null) schema(value);
      writer.byte(value === false || value === undefined || value === null ? 0 : 1);
      writer.tag(1, VARINT);
      return;
    case 'JSONSchemaPropsOrStringArray':
      if (Array.isArray(value)) {
        for (let i = value.length - 1; i >= 0; i--) {
          writer.text(String(value[i]));
          writer.tag(2, BYTES);
        }
      } else if (value !== undefined && value !== null) schema(value);
      return;
    default:
      if (value === undefined) return;
      writer.text(JSON.stringify(value));
      writer.tag(1, BYTES);
  }
}

/** Schemas refer to schemas of their own version; the two have the same numbers. */
const SCHEMA = 'apiextensions/v1.JSONSchemaProps';

// -- reading

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
function readParts(reader: ProtoReader): Readonly<Record<number, string | number>> {
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

const UNIT_NS: readonly (readonly [string, bigint])[] = [
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['us', 1000n],
  ['µs', 1000n],
  ['ns', 1n],
];

/** `1h2m3.5s` in nanoseconds. */
function parseDuration(text: string): bigint {
  let total = 0n;
  for (const [, amount = '0', unit = 's'] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g)) {
    const scale = UNIT_NS.find(([name]) => name === unit)![1];
    total += BigInt(Math.round(Number(amount) * Number(scale)));
  }
  return text.startsWith('-') ? -total : total;
}

function showDuration(ns: bigint): string {
  if (ns === 0n) return '0s';
  const size = ns < 0n ? -ns : ns;
  const [hours, minutes] = [size / UNIT_NS[0]![1], (size / UNIT_NS[1]![1]) % 60n];
  const seconds = Number(size % UNIT_NS[1]![1]) / 1e9;
  const head = hours > 0n ? `${hours}h${minutes}m` : minutes > 0n ? `${minutes}m` : '';
  return `${ns < 0n ? '-' : ''}${head}${seconds}s`;
}

// -- the envelope

const PREFIX = Uint8Array.of(0x6b, 0x38, 0x73, 0);

/** `k8s\0` and a runtime.Unknown: how an object stands alone. */
export function encodeObject(
  struct: string,
  type: { readonly apiVersion: string; readonly kind: string },
  object: Readonly<Json>,
): Uint8Array {
  const writer = freshWriter();
  writer.text('');
  writer.tag(4, BYTES);
  writer.text('');
  writer.tag(3, BYTES);
  const before = writer.size;
  writeStruct(writer, struct, object);
  writer.varint(writer.size - before);
  writer.tag(2, BYTES);
  writeMessage(writer, 1, () => {
    writer.text(type.kind);
    writer.tag(2, BYTES);
    writer.text(type.apiVersion);
    writer.tag(1, BYTES);
  });
  writer.raw(PREFIX);
  return writer.finish();
}

export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes.length >= PREFIX.length && PREFIX.every((byte, index) => bytes[index] === byte);
}

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

/** What stands alone; throws ProtoError when it is nothing of the kind. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (!isProtobuf(bytes)) throw new ProtoError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  const reader = new ProtoReader(bytes, PREFIX.length);
  let [apiVersion, kind, raw] = ['', '', new Uint8Array()];
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    if (tag === 0x0a) {
      const parts = readParts(reader.message());
      [apiVersion, kind] = [String(parts[1] ?? ''), String(parts[2] ?? '')];
    } else if (tag === 0x12) raw = new Uint8Array(reader.bytes());
    else reader.skip(tag % 8);
  }
  return { apiVersion, kind, raw };
}

/** A watch event as the stream carries it: its length in four bytes, then meta/v1.WatchEvent around the object. */
export function encodeWatchFrame(type: string, object: Uint8Array): Uint8Array {
  const writer = freshWriter();
  writeMessage(writer, 2, () => {
    writer.raw(object);
    writer.varint(object.length);
    writer.tag(1, BYTES);
  });
  writer.text(type);
  writer.tag(1, BYTES);
  const event = writer.finish();
  const out = new Uint8Array(event.length + 4);
  new DataView(out.buffer).setUint32(0, event.length);
  out.set(event, 4);
  return out;
}
