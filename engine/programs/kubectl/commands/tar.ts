// Models the ustar archives that `kubectl cp` sends and reads.

import { concat, text, utf8 } from '../../../sim/bytes.ts';

const BLOCK = 512;

export interface TarEntry {
  readonly name: string;
  readonly mode: number;
  readonly isFolder: boolean;
  readonly contents: Uint8Array;
}

export function writeTar(entries: readonly TarEntry[]): Uint8Array {
  const parts = entries.flatMap((entry) => [
    header(entry),
    entry.contents,
    new Uint8Array((BLOCK - (entry.contents.length % BLOCK)) % BLOCK),
  ]);
  return concat([...parts, new Uint8Array(BLOCK * 2)]);
}

function header(entry: TarEntry): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, value: string): void => block.set(utf8(value), at);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  put(0, entry.name.slice(0, 100));
  put(100, octal(entry.mode & 0o7777, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(entry.contents.length, 12));
  put(136, octal(0, 12));
  put(148, '        ');
  put(156, entry.isFolder ? '5' : '0');
  put(257, 'ustar\u000000');
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** Files and folders of an archive; other kinds are left out. */
export function readTar(bytes: Uint8Array): readonly TarEntry[] {
  const entries: TarEntry[] = [];
  const field = (at: number, length: number): string => text(bytes.subarray(at, at + length)).replace(/\0.*$/s, '');
  for (let at = 0; at + BLOCK <= bytes.length;) {
    if (bytes[at] === 0) break;
    const size = Number.parseInt(field(at + 124, 12).trim() || '0', 8);
    const type = field(at + 156, 1);
    const prefix = field(at + 345, 155);
    const name = `${prefix === '' ? '' : `${prefix}/`}${field(at, 100)}`;
    const contents = bytes.slice(at + BLOCK, at + BLOCK + size);
    if (type === '' || type === '0' || type === '5')
      entries.push({ name, mode: Number.parseInt(field(at + 100, 8).trim() || '644', 8), isFolder: type === '5', contents });
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}
