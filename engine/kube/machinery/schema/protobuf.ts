// Models runtime's protobuf serializer: the envelope around an object that stands alone, and the frames of a watch.

import { readParts } from './proto-decode.ts';
import { freshWriter, writeMessage, writeStruct } from './proto-encode.ts';
import { BYTES, ProtoError, ProtoReader } from './proto-wire.ts';

export { decodeMessage, type DecodeOptions } from './proto-decode.ts';
export { encodeMessage } from './proto-encode.ts';

type Json = Record<string, unknown>;

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
