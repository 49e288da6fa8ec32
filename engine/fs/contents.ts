// Models the data of a regular file as pages: holes and pages of zeros cost nothing, an append touches only the last page.

import { concat } from '../sim/bytes.ts';

/** Big enough to keep the page list of a log short, small enough that rewriting the last page of one is cheap. */
export const PAGE_BYTES = 16 * 1024;

/** What `/dev/zero` hands out; writing it again is recognised without looking at the bytes. */
export const ZEROS = new Uint8Array(1024 * 1024);

const EMPTY = new Uint8Array(0);

export class FileContents {
  #sizeBytes = 0;
  /** Pages that are not all zero; a page's array may be shorter than PAGE_BYTES (the rest is zero). */
  readonly #pages = new Map<number, Uint8Array>();
  /** How much of a page array is in use; arrays grow by doubling. */
  #changed: Set<number> | undefined;

  static from(bytes: Uint8Array): FileContents {
    const contents = new FileContents();
    contents.write(0, bytes);
    return contents;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Pages written since the last call of `takeChanges`. */
  takeChanges(): ReadonlySet<number> | undefined {
    const changed = this.#changed;
    this.#changed = undefined;
    return changed;
  }

  page(index: number): Uint8Array | undefined {
    const page = this.#pages.get(index);
    if (page === undefined) return undefined;
    const used = Math.min(PAGE_BYTES, this.#sizeBytes - index * PAGE_BYTES);
    return page.length > used ? page.subarray(0, used) : page;
  }

  get pageCount(): number {
    return Math.ceil(this.#sizeBytes / PAGE_BYTES);
  }

  /** Numbers of the pages that are not all zero, ascending. */
  pages(): readonly number[] {
    return [...this.#pages.keys()].sort((a, b) => a - b);
  }

  /** At most `length` bytes; empty at the end. The caller must not change them. */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(this.#sizeBytes, offset + length);
    if (offset >= end) return EMPTY;
    const first = Math.floor(offset / PAGE_BYTES);
    const last = Math.floor((end - 1) / PAGE_BYTES);
    if (first === last) {
      const page = this.#pages.get(first);
      const from = offset - first * PAGE_BYTES;
      const to = end - first * PAGE_BYTES;
      if (page === undefined) return ZEROS.subarray(0, to - from);
      if (page.length >= to) return page.slice(from, to);
    }
    if (this.#pages.size === 0 && end - offset <= ZEROS.length) return ZEROS.subarray(0, end - offset);
    const out = new Uint8Array(end - offset);
    for (let index = first; index <= last; index++) {
      const page = this.#pages.get(index);
      if (page === undefined) continue;
      const start = index * PAGE_BYTES;
      const from = Math.max(0, offset - start);
      const to = Math.min(page.length, end - start);
      if (from < to) out.set(page.subarray(from, to), start + from - offset);
    }
    return out;
  }

  write(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const end = offset + bytes.length;
    const isZero = bytes.buffer === ZEROS.buffer;
    const oldSize = this.#sizeBytes;
    if (end > this.#sizeBytes) this.#sizeBytes = end;
    const first = Math.floor(offset / PAGE_BYTES);
    const last = Math.floor((end - 1) / PAGE_BYTES);
    if (isZero && offset >= oldSize && (first > last || !this.#pages.has(first))) return;
    for (let index = first; index <= last; index++) {
      const start = index * PAGE_BYTES;
      const from = Math.max(0, offset - start);
      const to = Math.min(PAGE_BYTES, end - start);
      const piece = bytes.subarray(start + from - offset, start + to - offset);
      let page = this.#pages.get(index);
      if (page === undefined && (isZero || isAllZero(piece))) continue;
      page = this.#roomFor(index, page, to);
      page.set(piece, from);
      (this.#changed ??= new Set()).add(index);
    }
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.#sizeBytes) {
      const keep = Math.ceil(sizeBytes / PAGE_BYTES);
      for (const index of [...this.#pages.keys()]) {
        if (index >= keep) {
          this.#pages.delete(index);
          this.#changed?.delete(index);
        }
      }
      const page = this.#pages.get(keep - 1);
      const used = sizeBytes - (keep - 1) * PAGE_BYTES;
      if (page !== undefined && used < PAGE_BYTES) {
        page.fill(0, used);
        (this.#changed ??= new Set()).add(keep - 1);
      }
    }
    this.#sizeBytes = sizeBytes;
  }

  all(): Uint8Array {
    return this.read(0, this.#sizeBytes);
  }

  clone(): FileContents {
    const copy = new FileContents();
    copy.#sizeBytes = this.#sizeBytes;
    for (const [index, page] of this.#pages) {
      copy.#pages.set(index, page.slice());
      (copy.#changed ??= new Set()).add(index);
    }
    return copy;
  }

  #roomFor(index: number, page: Uint8Array | undefined, used: number): Uint8Array {
    if (page !== undefined && page.length >= used) return page;
    let room = Math.max(64, page?.length ?? 0);
    while (room < used) room *= 2;
    if (page === undefined && used > room / 2) room = used;
    const grown = page === undefined ? new Uint8Array(room) : concat([page, new Uint8Array(room - page.length)]);
    this.#pages.set(index, grown);
    return grown;
  }
}

function isAllZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
