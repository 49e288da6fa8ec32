// Paints the line being edited: prompt, text, cursor, over as many rows as they need.

import { charWidth } from '../width.ts';

interface Spot {
  readonly row: number;
  readonly column: number;
}

/** What control characters look like. */
export function visible(char: string): string {
  const code = char.codePointAt(0)!;
  if (code < 0x20 && char !== '\n') return '^' + String.fromCharCode(code + 0x40);
  if (code === 0x7f) return '^?';
  return char;
}

export class LineScreen {
  readonly #write: (text: string) => Promise<void>;
  readonly #columns: () => number;
  #prompt = '';
  /** The prompt's last line without what is not printed. */
  #promptWidth = 0;
  #text = '';
  #cursor = 0;
  #cursorRow = 0;
  #isShown = false;

  constructor(write: (text: string) => Promise<void>, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Shows a fresh prompt on the current row. U+0001 and U+0002 enclose what takes no room. */
  async begin(prompt: string): Promise<void> {
    const lines = prompt.split('\n');
    const last = lines.pop()!;
    if (lines.length > 0) await this.#write(lines.map((line) => line.replace(/[\x01\x02]/g, '') + '\n').join(''));
    this.setPrompt(last);
    this.#text = '';
    this.#cursor = 0;
    this.#cursorRow = 0;
    this.#isShown = true;
    await this.#write(this.#prompt);
  }

  setPrompt(last: string): void {
    this.#prompt = last.replace(/[\x01\x02]/g, '');
    let width = 0;
    for (const char of last.replace(/\x01[^\x02]*\x02/g, '').replace(/\x1b\[[0-9;?]*[A-Za-z]/g, ''))
      width += charWidth(char.codePointAt(0)!);
    this.#promptWidth = width;
  }

  /** Brings the screen to this text and cursor. */
  async update(text: string, cursor: number): Promise<void> {
    const old = this.#text;
    const oldCursor = this.#cursor;
    if (text === old && cursor === oldCursor && this.#isShown) return;
    const columns = this.#columns();
    const end = this.#place(text, text.length, columns);
    // Typing at the end of a line that does not wrap: only the new text.
    if (
      this.#isShown &&
      oldCursor === old.length &&
      cursor === text.length &&
      text.startsWith(old) &&
      end.column > 0 &&
      !text.slice(old.length).includes('\n')
    ) {
      this.#text = text;
      this.#cursor = cursor;
      this.#cursorRow = end.row;
      await this.#write([...text.slice(old.length)].map(visible).join(''));
      return;
    }
    const isOneRow = end.row === 0 && this.#place(old, old.length, columns).row === 0;
    if (this.#isShown && isOneRow && text === old) {
      const from = this.#place(text, oldCursor, columns).column;
      const to = this.#place(text, cursor, columns).column;
      this.#cursor = cursor;
      await this.#write(to < from ? '\b'.repeat(from - to) : to > from ? `\x1b[${to - from}C` : '');
      return;
    }
    if (this.#isShown && isOneRow && cursor === text.length && old.startsWith(text) && oldCursor === old.length) {
      const from = this.#place(old, oldCursor, columns).column;
      this.#text = text;
      this.#cursor = cursor;
      await this.#write(`${'\b'.repeat(from - end.column)}\x1b[K`);
      return;
    }
    this.#text = text;
    this.#cursor = cursor;
    await this.#write(this.#paint());
  }

  /** Paints everything anew from the row the prompt begins on. */
  async refresh(): Promise<void> {
    await this.#write(this.#paint());
  }

  #paint(): string {
    const columns = this.#columns();
    let out = '\r';
    if (this.#cursorRow > 0) out += `\x1b[${this.#cursorRow}A`;
    out += this.#prompt;
    for (const char of this.#text) out += char === '\n' ? '\x1b[K\r\n' : visible(char);
    const end = this.#place(this.#text, this.#text.length, columns);
    if (end.column === 0 && end.row > 0 && !this.#text.endsWith('\n')) out += ' \r';
    out += '\x1b[J';
    const spot = this.#place(this.#text, this.#cursor, columns);
    if (end.row > spot.row) out += `\x1b[${end.row - spot.row}A`;
    if (end.row !== spot.row || end.column !== spot.column) out += spot.column === 0 ? '\r' : `\r\x1b[${spot.column}C`;
    this.#cursorRow = spot.row;
    this.#isShown = true;
    return out;
  }

  /** Leaves the line: the cursor goes below it. */
  async end(mark = ''): Promise<void> {
    const columns = this.#columns();
    const last = this.#place(this.#text, this.#text.length, columns);
    let out = '';
    if (mark === '' && last.row > this.#cursorRow) out += `\x1b[${last.row - this.#cursorRow}B`;
    this.#cursorRow = 0;
    await this.#write(`${out}${mark}\n`);
    this.#isShown = false;
  }

  async clear(): Promise<void> {
    this.#cursorRow = 0;
    await this.#write('\x1b[H\x1b[2J');
    await this.refresh();
  }

  /** After something else was printed: the line appears again on a new row. */
  async again(): Promise<void> {
    this.#cursorRow = 0;
    this.#isShown = true;
    await this.#write(this.#paint().replace('\x1b[J', ''));
  }

  async bell(): Promise<void> {
    await this.#write('\x07');
  }

  async print(text: string): Promise<void> {
    await this.#write(text);
  }

  get columns(): number {
    return this.#columns();
  }

  #place(text: string, index: number, columns: number): Spot {
    let row = Math.floor(this.#promptWidth / columns);
    let column = this.#promptWidth % columns;
    let at = 0;
    for (const char of text) {
      if (at >= index) break;
      at += char.length;
      if (char === '\n') {
        row++;
        column = 0;
        continue;
      }
      const shown = visible(char);
      const width = shown.length > 1 && shown !== char ? 2 : charWidth(char.codePointAt(0)!);
      if (column + width > columns) {
        row++;
        column = 0;
      }
      column += width;
      if (column === columns) {
        row++;
        column = 0;
      }
    }
    return { row, column };
  }
}
