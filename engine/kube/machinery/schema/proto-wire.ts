// Protocol buffers' wire format: written from the end to the beginning, so that lengths are known when they are due.

const FIRST_SIZE = 512;
const UTF8 = new TextEncoder();
const FROM_UTF8 = new TextDecoder();

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;

export class ProtoWriter {
  #buffer = new Uint8Array(FIRST_SIZE);
  #view = new DataView(this.#buffer.buffer);
  /** Where what is written so far begins. */
  #at = FIRST_SIZE;

  /** How much is written; the length of a message is how much this grew while it was written. */
  get size(): number {
    return this.#buffer.length - this.#at;
  }

  get capacity(): number {
    return this.#buffer.length;
  }

  reset(): void {
    this.#at = this.#buffer.length;
  }

  finish(): Uint8Array {
    return this.#buffer.slice(this.#at);
  }

  tag(field: number, wire: number): void {
    const tag = field * 8 + wire;
    if (tag < 0x80) this.byte(tag);
    else this.varint(tag);
  }

  byte(value: number): void {
    if (this.#at < 1) this.#grow(1);
    this.#buffer[--this.#at] = value;
  }

  varint(value: number | bigint): void {
    if (typeof value === 'bigint' || value < 0 || value > Number.MAX_SAFE_INTEGER) {
      this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
    if (this.#at < length) this.#grow(length);
    this.#at -= length;
    let at = this.#at;
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#buffer[at++] = (rest % 0x80) | 0x80;
    this.#buffer[at] = rest;
  }

  #bigVarint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.raw(Uint8Array.from(bytes));
  }

  double(value: number): void {
    if (this.#at < 8) this.#grow(8);
    this.#at -= 8;
    this.#view.setFloat64(this.#at, value, true);
  }

  raw(bytes: Uint8Array): void {
    if (this.#at < bytes.length) this.#grow(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  /** The bytes of a text and their length. */
  text(text: string): void {
    const { length } = text;
    if (this.#at < length) this.#grow(length);
    let at = this.#at;
    for (let i = length - 1; i >= 0; i--) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        const bytes = UTF8.encode(text);
        this.raw(bytes);
        this.varint(bytes.length);
        return;
      }
      this.#buffer[--at] = code;
    }
    this.#at = at;
    if (length < 0x80) this.byte(length);
    else this.varint(length);
  }

  #grow(needed: number): void {
    const used = this.size;
    const bigger = new Uint8Array(Math.max(this.#buffer.length * 2, used + needed));
    bigger.set(this.#buffer.subarray(this.#at), bigger.length - used);
    this.#buffer = bigger;
    this.#view = new DataView(bigger.buffer);
    this.#at = bigger.length - used;
  }
}

/** Bytes that are no message. */
export class ProtoError extends Error {
  override readonly name = 'ProtoError';
}

export class ProtoReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new ProtoError('unexpected EOF');
    return this.#bytes[this.#at++]!;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    const start = this.#at;
    for (let i = 0; i < 7; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    this.#at = start;
    return Number(this.bigVarint());
  }

  /** As a signed number of 64 bits. */
  bigVarint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new ProtoError('proto: integer overflow');
  }

  double(): number {
    if (this.#at + 8 > this.#end) throw new ProtoError('unexpected EOF');
    const value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8).getFloat64(0, true);
    this.#at += 8;
    return value;
  }

  /** A reader of the message that follows. */
  message(): ProtoReader {
    const start = this.#skipLength();
    return new ProtoReader(this.#bytes, start, this.#at);
  }

  bytes(): Uint8Array {
    const start = this.#skipLength();
    return this.#bytes.subarray(start, this.#at);
  }

  text(): string {
    const start = this.#skipLength();
    const end = this.#at;
    // Short plain texts, which most are, are faster without the decoder.
    if (end - start < 24) {
      let out = '';
      for (let i = start; i < end; i++) {
        const byte = this.#bytes[i]!;
        if (byte > 0x7f) return FROM_UTF8.decode(this.#bytes.subarray(start, end));
        out += String.fromCharCode(byte);
      }
      return out;
    }
    return FROM_UTF8.decode(this.#bytes.subarray(start, end));
  }

  #skipLength(): number {
    const length = this.varint();
    const start = this.#at;
    if (length < 0 || start + length > this.#end) throw new ProtoError('unexpected EOF');
    this.#at = start + length;
    return start;
  }

  skip(wire: number): void {
    if (wire === VARINT) this.bigVarint();
    else if (wire === FIXED64) this.#advance(8);
    else if (wire === BYTES) this.#skipLength();
    else if (wire === 5) this.#advance(4);
    else throw new ProtoError(`proto: illegal wireType ${wire}`);
  }

  #advance(count: number): void {
    if (this.#at + count > this.#end) throw new ProtoError('unexpected EOF');
    this.#at += count;
  }
}
