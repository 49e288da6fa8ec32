// Writes protocol buffers: just strings, bytes and nested messages.

import { concat, utf8 } from '../../sim/bytes.ts';

const LENGTH_DELIMITED = 2;

export class ProtoWriter {
  readonly #chunks: Uint8Array[] = [];

  string(field: number, text: string): void {
    this.bytes(field, utf8(text));
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#chunks.push(varint((field << 3) | LENGTH_DELIMITED), varint(bytes.length), bytes);
  }

  message(field: number, write: (writer: ProtoWriter) => void): void {
    const inner = new ProtoWriter();
    write(inner);
    this.bytes(field, inner.finish());
  }

  finish(): Uint8Array {
    return this.#chunks.length === 0 ? new Uint8Array() : concat(this.#chunks);
  }
}

function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  while (rest > 127) {
    out.push((rest & 127) | 128);
    rest >>>= 7;
  }
  out.push(rest);
  return Uint8Array.from(out);
}
