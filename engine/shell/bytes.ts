// Text and bytes of the shell. Bytes that are no UTF-8 travel as lone surrogates U+DC80..U+DCFF, so that nothing is lost on the way.

import { text as decode, utf8 } from '../sim/bytes.ts';

/** Decodes UTF-8; bytes that are none become lone surrogates that `toBytes` turns back. */
export function toText(bytes: Uint8Array): string {
  const quick = decode(bytes);
  if (!quick.includes('\ufffd')) return quick;
  let out = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at]!;
    const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    let isGood = length > 0 && at + length <= bytes.length;
    for (let k = 1; isGood && k < length; k++) isGood = (bytes[at + k]! & 0xc0) === 0x80;
    const piece = isGood ? decode(bytes.subarray(at, at + length)) : '';
    if (isGood && (!piece.includes('\ufffd') || length === 3)) {
      out += piece;
      at += length;
    } else {
      out += String.fromCharCode(first < 0x80 ? first : 0xdc00 + first);
      at++;
    }
  }
  return out;
}

const LONE = /(?<![\ud800-\udbff])[\udc80-\udcff]/;

/** Encodes UTF-8, lone surrogates of `toText` as the bytes they stand for. */
export function toBytes(text: string): Uint8Array {
  if (!LONE.test(text)) return utf8(text);
  const out: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) out.push(code - 0xdc00);
    else out.push(...utf8(char));
  }
  return Uint8Array.from(out);
}

/** The character that stands for a byte of a string made by `\xHH` or `\NNN`. Several bytes are joined by `normalize`. */
export function byteChar(byte: number): string {
  return String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
}

/** Joins bytes that came apart (`\354\225\210`) into the characters they make. */
export function normalize(text: string): string {
  return LONE.test(text) ? toText(toBytes(text)) : text;
}
