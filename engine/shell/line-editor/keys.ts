// Bytes from a terminal as keys.

/** A character, or a name in angle brackets: `<up>`, `<C-a>`, `<M-b>`, `<paste>`. */
export interface Key {
  readonly name: string;
  /** What was pasted. */
  readonly text: string;
}

const SEQUENCES: Readonly<Record<string, string>> = {
  '[A': '<up>',
  '[B': '<down>',
  '[C': '<right>',
  '[D': '<left>',
  '[H': '<home>',
  '[F': '<end>',
  OA: '<up>',
  OB: '<down>',
  OC: '<right>',
  OD: '<left>',
  OH: '<home>',
  OF: '<end>',
  '[1~': '<home>',
  '[2~': '<insert>',
  '[3~': '<delete>',
  '[4~': '<end>',
  '[5~': '<pageup>',
  '[6~': '<pagedown>',
  '[7~': '<home>',
  '[8~': '<end>',
  '[1;5C': '<M-f>',
  '[1;5D': '<M-b>',
  '[1;3C': '<M-f>',
  '[1;3D': '<M-b>',
  '[5C': '<M-f>',
  '[5D': '<M-b>',
  '[Z': '<backtab>',
};

export class KeyReader {
  readonly #read: () => Promise<Uint8Array | undefined>;
  readonly #hasEscapeKey: boolean;
  #bytes: number[] = [];

  /** With `hasEscapeKey` an escape that comes alone, or before what begins no sequence, is the Escape key (vi). */
  constructor(read: () => Promise<Uint8Array | undefined>, options: { readonly hasEscapeKey?: boolean } = {}) {
    this.#read = read;
    this.#hasEscapeKey = options.hasEscapeKey ?? false;
  }

  /** True when a key is there without waiting for the terminal. */
  get hasPending(): boolean {
    return this.#bytes.length > 0;
  }

  async #byte(): Promise<number | undefined> {
    while (this.#bytes.length === 0) {
      const chunk = await this.#read();
      if (chunk === undefined) return undefined;
      this.#bytes.push(...chunk);
    }
    return this.#bytes.shift();
  }

  /** The next key; undefined when the terminal is gone. */
  async next(): Promise<Key | undefined> {
    const first = await this.#byte();
    if (first === undefined) return undefined;
    if (first === 0x1b) return this.#escape();
    if (first === 0x7f) return { name: '<C-h>', text: '' };
    if (first < 0x20) return { name: `<C-${String.fromCharCode(first + 0x60)}>`, text: '' };
    if (first < 0x80) return { name: String.fromCharCode(first), text: '' };
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    const bytes = [first];
    while (bytes.length < length) {
      const next = await this.#byte();
      if (next === undefined) return undefined;
      bytes.push(next);
    }
    return { name: new TextDecoder().decode(Uint8Array.from(bytes)), text: '' };
  }

  async #escape(): Promise<Key | undefined> {
    if (this.#hasEscapeKey) {
      const [first, second] = this.#bytes;
      const begins = first === 0x5b || (first === 0x4f && second !== undefined && 'ABCDHF'.includes(String.fromCharCode(second)));
      if (!begins) return { name: '<escape>', text: '' };
    }
    const next = await this.#byte();
    if (next === undefined) return undefined;
    const char = String.fromCharCode(next);
    if (char !== '[' && char !== 'O') {
      if (next === 0x7f || next === 8) return { name: '<M-h>', text: '' };
      if (next === 0x1b) return { name: '<M-escape>', text: '' };
      if (next < 0x20) return { name: `<M-C-${String.fromCharCode(next + 0x60)}>`, text: '' };
      return { name: `<M-${char}>`, text: '' };
    }
    let sequence = char;
    for (;;) {
      const byte = await this.#byte();
      if (byte === undefined) return undefined;
      sequence += String.fromCharCode(byte);
      if (byte >= 0x40 && byte <= 0x7e) break;
      if (sequence.length > 16) break;
    }
    if (sequence === '[200~') return this.#paste();
    return { name: SEQUENCES[sequence] ?? '<unknown>', text: '' };
  }

  async #paste(): Promise<Key | undefined> {
    const bytes: number[] = [];
    const end = [0x1b, 0x5b, 0x32, 0x30, 0x31, 0x7e];
    for (;;) {
      const byte = await this.#byte();
      if (byte === undefined) return undefined;
      bytes.push(byte);
      if (bytes.length >= 6 && end.every((b, i) => bytes[bytes.length - 6 + i] === b)) break;
    }
    return { name: '<paste>', text: new TextDecoder().decode(Uint8Array.from(bytes.slice(0, -6))).replace(/\r\n?/g, '\n') };
  }
}
