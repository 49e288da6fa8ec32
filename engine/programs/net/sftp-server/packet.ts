// Packets of the SSH file transfer protocol, version 3 (draft-ietf-secsh-filexfer-02), as OpenSSH 7.4 speaks it.

import { text, utf8 } from '../../../sim/bytes.ts';
import type { ByteSource } from '../../../sim/stream.ts';

export const PACKET = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 200,
} as const;

export const STATUS = { ok: 0, endOfFile: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, badMessage: 5, unsupported: 8 } as const;

/** OpenSSH's limit (sftp-common.h): a longer packet is an attack or a bug. */
const LONGEST_PACKET = 256 * 1024;

export class BadPacket extends Error {
  override readonly name = 'BadPacket';
}

/** Takes the fields of a packet apart, in order. */
export class PacketReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.#take(8)));
  }

  bytes(): Uint8Array {
    const length = this.uint32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  string(): string {
    return text(this.bytes());
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new BadPacket('a field is longer than its packet');
    this.#at += length;
    return at;
  }
}

/** Puts a packet together. */
export class PacketWriter {
  readonly #parts: Uint8Array[] = [];

  byte(value: number): this {
    this.#parts.push(Uint8Array.of(value));
    return this;
  }

  uint32(value: number): this {
    const part = new Uint8Array(4);
    new DataView(part.buffer).setUint32(0, value);
    this.#parts.push(part);
    return this;
  }

  uint64(value: number): this {
    const part = new Uint8Array(8);
    new DataView(part.buffer).setBigUint64(0, BigInt(value));
    this.#parts.push(part);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.uint32(value.length);
    this.#parts.push(value);
    return this;
  }

  string(value: string): this {
    return this.bytes(utf8(value));
  }

  append(value: Uint8Array): this {
    this.#parts.push(value);
    return this;
  }

  /** The fields alone. */
  body(): Uint8Array {
    const out = new Uint8Array(this.#parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  /** With the length in front, as it goes onto the wire. */
  packet(): Uint8Array {
    const body = this.body();
    return new PacketWriter().uint32(body.length).append(body).body();
  }
}

/** Cuts a stream into packets. */
export class PacketStream {
  readonly #source: ByteSource;
  #rest: Uint8Array = new Uint8Array();

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Undefined at the end of the stream. */
  async next(): Promise<Uint8Array | undefined> {
    if (!(await this.#fill(4))) return undefined;
    const length = new DataView(this.#rest.buffer, this.#rest.byteOffset).getUint32(0);
    if (length === 0 || length > LONGEST_PACKET) throw new BadPacket(`bad message length ${length}`);
    if (!(await this.#fill(4 + length))) return undefined;
    const packet = this.#rest.slice(4, 4 + length);
    this.#rest = this.#rest.subarray(4 + length);
    return packet;
  }

  async #fill(length: number): Promise<boolean> {
    const parts = [this.#rest];
    let have = this.#rest.length;
    while (have < length) {
      const chunk = await this.#source.read();
      if (chunk === undefined) return false;
      parts.push(chunk);
      have += chunk.length;
    }
    if (parts.length > 1) {
      const joined = new Uint8Array(have);
      let at = 0;
      for (const part of parts) {
        joined.set(part, at);
        at += part.length;
      }
      this.#rest = joined;
    }
    return true;
  }
}
