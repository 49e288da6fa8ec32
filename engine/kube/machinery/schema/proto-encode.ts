// Objects in JSON's form to messages. What is no pointer is always written, as the generated code of Go does.

import { fromBase64 } from '../../../sim/bytes.ts';
import { canonicalQuantity } from '../quantity.ts';
import { parseDuration } from './proto-duration.ts';
import { planOf, SCHEMA, type ProtoField } from './proto-plan.ts';
import { BYTES, FIXED64, ProtoWriter, VARINT } from './proto-wire.ts';
import type { TypeRef } from './schema.ts';

type Json = Record<string, unknown>;

/** One writer for all: nothing waits while it writes. */
let writerForAll = new ProtoWriter();
const MAX_KEPT_BYTES = 1 << 20;

export function freshWriter(): ProtoWriter {
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

export function writeMessage(writer: ProtoWriter, number: number, write: () => void): void {
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
