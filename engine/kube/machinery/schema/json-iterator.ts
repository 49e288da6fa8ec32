// Models how json-iterator reads a body into the API's types, and what it says when it cannot: it goes on reading after an error, which
// gets the names of all that it passes on its way out. Only asked when a body has failed: it reads text, slowly, and keeps nothing.

import { utf8 } from '../../../sim/bytes.ts';
import { base64Problem, ownProblem } from './own-decoders.ts';
import { declaredFields, jsonFields, type Field, type TypeRef } from './schema.ts';

/** What reading `json` into a struct (`core/v1.Pod`) fails with; undefined when it does not. */
export function readingProblem(struct: string, json: string): string | undefined {
  const iterator = new Iterator(json);
  iterator.read({ kind: 'struct', name: struct });
  return iterator.error;
}

const NEAR = 10;
const WIDE = 50;
/** Structs with more fields are read by another loop, which stops elsewhere. */
const MAX_SMALL = 10;
const END = '';
const MAX_UINT32 = 2n ** 32n - 1n;

class Iterator {
  error: string | undefined;
  /** One character for each byte. */
  readonly #text: string;
  #head = 0;
  #hasEnded = false;

  constructor(json: string) {
    let text = '';
    for (const byte of utf8(json)) text += String.fromCharCode(byte);
    this.#text = text;
  }

  read(type: TypeRef): void {
    switch (type.kind) {
      case 'pointer':
        if (!this.#readNull()) this.read(type.to);
        return;
      case 'struct':
        this.#readStruct(type.name);
        return;
      case 'slice':
        this.#readSlice(type.of);
        this.#wrap(`[]${goName(type.of)}: `);
        return;
      case 'map':
        this.#readMap(type.of);
        return;
      case 'string':
        this.#readString();
        return;
      case 'bool':
        if (!this.#readNull()) this.#readBool();
        return;
      case 'int':
        if (!this.#readNull()) this.#readInteger(type.go === 'int32' ? 32 : 64);
        return;
      case 'float':
        if (!this.#readNull()) this.#readFloat();
        return;
      case 'bytes':
        this.#readBytes();
        return;
      default:
        this.#readOwn(type.kind);
    }
  }

  #readStruct(struct: string): void {
    if (!this.#readObjectStart()) return;
    const fields = jsonFields(struct);
    const isSmall = fields.length <= MAX_SMALL;
    let next: string;
    do {
      const name = isSmall ? this.#readFieldHash() : this.#readString();
      if (!isSmall) this.#expectColon('ReadObject', 'expect : after object field');
      const path = pathTo(struct, name);
      if (path === undefined) this.#skip();
      else {
        this.read(path.at(-1)!.type);
        // Inner fields of embedded structs are wrapped as often as they are embedded.
        for (const field of [...path].reverse()) this.#wrap(`${field.goName}: `);
      }
      next = this.#nextToken();
      if (isSmall && next !== ',' && next !== '}') this.#report('isObjectEnd', `object ended prematurely, unexpected char ${shown(next)}`);
    } while (next === ',');
    this.#wrap(`${goName({ kind: 'struct', name: struct })}.`);
    if (!isSmall && next !== '}') this.#report('struct Decode', `expect }, but found ${shown(next)}`);
  }

  #readObjectStart(): boolean {
    const first = this.#nextToken();
    if (first === '{') {
      if (this.#nextToken() === '}') return false;
      this.#unread();
      return true;
    }
    if (first === 'n') this.#expectRest('ull');
    else this.#report('readObjectStart', `expect { or n, but found ${shown(first)}`);
    return false;
  }

  #readFieldHash(): string {
    const first = this.#nextToken();
    if (first !== '"') {
      this.#report('readFieldHash', `expect ", but found ${shown(first)}`);
      return END;
    }
    const plain = this.#plainString();
    // After an error a name with escapes is left where the first of them is.
    if (plain === undefined && this.error !== undefined) while (this.#text[this.#head] !== '\\') this.#head++;
    const name = plain ?? this.#readEscapedString();
    return this.#expectColon('readFieldHash', 'expect :') ? name : END;
  }

  #expectColon(operation: string, what: string): boolean {
    const next = this.#nextToken();
    if (next !== ':') this.#report(operation, `${what}, but found ${shown(next)}`);
    return next === ':';
  }

  #readSlice(of: TypeRef): void {
    const first = this.#nextToken();
    if (first === 'n') {
      this.#expectRest('ull');
      return;
    }
    if (first !== '[') {
      this.#report('decode slice', `expect [ or n, but found ${shown(first)}`);
      return;
    }
    if (this.#nextToken() === ']') return;
    this.#unread();
    let next: string;
    do {
      this.read(of);
      next = this.#nextToken();
    } while (next === ',');
    if (next !== ']') this.#report('decode slice', `expect ], but found ${shown(next)}`);
  }

  #readMap(of: TypeRef): void {
    const first = this.#nextToken();
    if (first === 'n') {
      this.#expectRest('ull');
      return;
    }
    if (first !== '{') {
      this.#report('ReadMapCB', `expect { or n, but found ${shown(first)}`);
      return;
    }
    if (this.#nextToken() === '}') return;
    this.#unread();
    let next: string;
    do {
      this.#readString();
      if (!this.#expectColon('ReadMapCB', 'expect : after object field')) return;
      this.read(of);
      next = this.#nextToken();
    } while (next === ',');
    if (next !== '}') this.#report('ReadMapCB', `expect }, but found ${shown(next)}`);
  }

  #readString(): string {
    const first = this.#nextToken();
    if (first === '"') {
      const plain = this.#plainString();
      if (plain !== undefined) return plain;
      return this.#readEscapedString();
    }
    if (first === 'n') this.#expectRest('ull');
    else this.#report('ReadString', `expects " or n, but found ${shown(first)}`);
    return '';
  }

  /** The rest of a string without escapes; nothing is read when it has some. */
  #plainString(): string | undefined {
    const start = this.#head;
    for (let at = start; at < this.#text.length; at++) {
      const character = this.#text[at]!;
      if (character === '"') {
        this.#head = at + 1;
        return this.#text.slice(start, at);
      }
      if (character === '\\') return undefined;
      if (character < ' ') {
        this.#report('ReadString', `invalid control character found: ${character.charCodeAt(0)}`);
        return '';
      }
    }
    return undefined;
  }

  /** After an error such a string is not read at all. */
  #readEscapedString(): string {
    if (this.error !== undefined || this.#hasEnded) return '';
    const start = this.#head;
    for (let at = start; at < this.#text.length; at++) {
      if (this.#text[at] === '\\') at++;
      else if (this.#text[at] === '"') {
        this.#head = at + 1;
        return JSON.parse(`"${this.#text.slice(start, at)}"`) as string;
      }
    }
    this.#head = this.#text.length;
    this.#report('readStringSlowPath', 'unexpected end of input');
    return '';
  }

  #readBool(): void {
    const first = this.#nextToken();
    if (first === 't') this.#expectRest('rue');
    else if (first === 'f') this.#expectRest('alse');
    else this.#report('ReadBool', `expect t or f, but found ${shown(first)}`);
  }

  #readInteger(bits: 32 | 64): void {
    let first = this.#nextToken();
    const isNegative = first === '-';
    if (isNegative) first = this.#text[this.#head++] ?? END;
    // The byte that is shown is the table's mark for what is no digit, which is no character.
    if (!/[0-9]/.test(first)) {
      this.#report(`readUint${bits}`, 'unexpected character: \ufffd');
      return;
    }
    let digits = first;
    if (first !== '0') while (/[0-9]/.test(this.#text[this.#head] ?? END)) digits += this.#text[this.#head++]!;
    const value = BigInt(digits);
    if (value > (bits === 32 ? MAX_UINT32 : 2n ** 64n - 1n)) this.#report(`readUint${bits}`, 'overflow');
    else if (this.#text[this.#head] === '.') this.#report('assertInteger', 'can not decode float as int');
    else if (value > 2n ** BigInt(bits - 1) - (isNegative ? 0n : 1n)) this.#report(`ReadInt${bits}`, `overflow: ${value}`);
  }

  #readFloat(): void {
    const first = this.#nextToken();
    this.#unread();
    if (/[-0-9]/.test(first)) this.#skip();
    else this.#report('readNumberAsString', 'invalid number');
  }

  #readBytes(): void {
    if (this.#readNull()) return;
    const first = this.#nextToken();
    this.#unread();
    if (first !== '"') {
      this.#report('base64Codec', 'invalid input');
      return;
    }
    const problem = base64Problem(this.#readString());
    if (problem !== undefined) this.#report('decode base64', problem);
  }

  /** A type that decodes itself gets the text of its value. */
  #readOwn(kind: TypeRef['kind']): void {
    this.#nextToken();
    this.#unread();
    const start = this.#head;
    this.#skip();
    if (this.error !== undefined) return;
    const problem = ownProblem(kind, this.#text.slice(start, this.#head));
    if (problem !== undefined) this.#report('unmarshalerDecoder', problem);
  }

  #skip(): void {
    const first = this.#nextToken();
    if (first === '"') {
      if (this.#plainString() !== undefined) return;
      this.#unread();
      this.#readString();
    } else if (first === 'n') this.#expectRest('ull');
    else if (first === 't') this.#expectRest('rue');
    else if (first === 'f') this.#expectRest('alse');
    else if (/[-0-9]/.test(first)) while (/[-+.eE0-9]/.test(this.#text[this.#head] ?? END)) this.#head++;
    else if (first === '[' || first === '{') this.#skipMembers(first);
    else this.#report('Skip', `do not know how to skip: ${first === END ? 0 : first.charCodeAt(0)}`);
  }

  #skipMembers(open: '[' | '{'): void {
    const close = open === '[' ? ']' : '}';
    if (this.#nextToken() === close) return;
    this.#unread();
    let next: string;
    do {
      if (open === '{') {
        this.#readString();
        this.#expectColon('ReadObject', 'expect : after object field');
      }
      this.#skip();
      next = this.#nextToken();
    } while (next === ',');
    if (next === close) return;
    if (open === '[') this.#report('ReadArrayCB', `expect ] in the end, but found ${shown(next)}`);
    else this.#report('ReadObjectCB', 'object not ended with }');
  }

  #readNull(): boolean {
    if (this.#nextToken() === 'n') {
      this.#expectRest('ull');
      return true;
    }
    this.#unread();
    return false;
  }

  #expectRest(rest: string): void {
    for (const character of rest) {
      if (this.#text[this.#head++] === character) continue;
      this.#report(rest.length === 3 ? 'skipThreeBytes' : 'skipFourBytes', `expect ${rest}`);
      return;
    }
  }

  #nextToken(): string {
    while (this.#head < this.#text.length) {
      const character = this.#text[this.#head++]!;
      if (!' \n\t\r'.includes(character)) return character;
    }
    if (this.error === undefined) this.#hasEnded = true;
    return END;
  }

  /** Nothing is given back after an error. */
  #unread(): void {
    if (this.error === undefined && !this.#hasEnded) this.#head--;
  }

  #report(operation: string, message: string): void {
    if (this.error !== undefined) return;
    const text = this.#text;
    const head = Math.min(this.#head, text.length);
    const start = Math.max(0, head - NEAR);
    const near = characters(text.slice(start, head + NEAR));
    const wide = characters(text.slice(Math.max(0, head - WIDE), head + WIDE));
    this.error = `${operation}: ${message}, error found in #${head - start} byte of ...|${near}|..., bigger context ...|${wide}|...`;
  }

  #wrap(prefix: string): void {
    if (this.error !== undefined) this.error = prefix + this.error;
  }
}

function shown(character: string): string {
  return character === END ? '\0' : characters(character);
}

/** Bytes as text; what is cut off in the middle of a character is none. */
function characters(bytes: string): string {
  let out = '';
  for (let at = 0; at < bytes.length;) {
    const lead = bytes.charCodeAt(at);
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
    const part = bytes.slice(at, at + length);
    const isWhole = length > 0 && part.length === length && /^.[\x80-\xbf]*$/s.test(part);
    out += isWhole ? decodeURIComponent(escapeBytes(part)) : '\ufffd';
    at += isWhole ? length : 1;
  }
  return out;
}

function escapeBytes(part: string): string {
  return [...part].map((byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
}

/** The fields that lead to a JSON member: embedded structs first. */
function pathTo(struct: string, name: string): readonly Field[] | undefined {
  for (const field of declaredFields(struct)) {
    if (!field.isInline) {
      if (field.json === name) return [field];
      continue;
    }
    const inner = field.type.kind === 'pointer' ? field.type.to : field.type;
    const rest = inner.kind === 'struct' ? pathTo(inner.name, name) : undefined;
    if (rest !== undefined) return [field, ...rest];
  }
  return undefined;
}

function goName(type: TypeRef): string {
  switch (type.kind) {
    case 'struct':
      return type.name.slice(type.name.indexOf('/') + 1);
    case 'pointer':
      return `*${goName(type.to)}`;
    case 'slice':
      return `[]${goName(type.of)}`;
    case 'string':
    case 'bool':
    case 'int':
    case 'float':
      return type.go;
    case 'bytes':
      return '[]uint8';
    case 'intstr':
      return 'intstr.IntOrString';
    case 'quantity':
      return 'resource.Quantity';
    case 'map':
      return `map[${type.key}]${goName(type.of)}`;
    case 'raw':
      return 'runtime.RawExtension';
    default:
      return 'v1.Time';
  }
}
