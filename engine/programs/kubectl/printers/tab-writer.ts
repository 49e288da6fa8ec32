// Models text/tabwriter (with the fork's remembered widths): cells ended by tabs, aligned per block of lines.

export interface TabWriterOptions {
  readonly minWidth: number;
  readonly padding: number;
  /** Columns stay as wide as they were after a flush. */
  readonly rememberWidths?: boolean;
}

export const TABLE_LAYOUT: TabWriterOptions = { minWidth: 6, padding: 3, rememberWidths: true };
export const DESCRIBE_LAYOUT: TabWriterOptions = { minWidth: 0, padding: 2 };

export class TabWriter {
  readonly #options: TabWriterOptions;
  #text = '';
  readonly #remembered: number[] = [];

  constructor(options: TabWriterOptions) {
    this.#options = options;
  }

  write(text: string): void {
    this.#text += text;
  }

  /** The aligned text of everything written since the last flush. */
  flush(): string {
    const lines = this.#text.split('\n').map((line) => line.split('\t'));
    this.#text = '';
    const out: string[] = [];
    this.#format(lines, [], 0, lines.length, out);
    return out.join('\n');
  }

  #format(lines: readonly (readonly string[])[], widths: number[], from: number, to: number, out: string[]): void {
    const column = widths.length;
    let start = from;
    for (let at = from; at < to; at++) {
      if (column >= (lines[at]?.length ?? 0) - 1) continue;
      this.#print(lines, widths, start, at, out);
      start = at;
      let width = Math.max(this.#options.minWidth, this.#options.rememberWidths === true ? (this.#remembered[column] ?? 0) : 0);
      for (; at < to; at++) {
        const line = lines[at] ?? [];
        if (column >= line.length - 1) break;
        width = Math.max(width, textWidth(line[column] ?? '') + this.#options.padding);
      }
      this.#remembered[column] = width;
      widths.push(width);
      this.#format(lines, widths, start, at, out);
      widths.pop();
      start = at;
    }
    this.#print(lines, widths, start, to, out);
  }

  #print(lines: readonly (readonly string[])[], widths: readonly number[], from: number, to: number, out: string[]): void {
    for (let at = from; at < to; at++) {
      const cells = lines[at] ?? [];
      out.push(
        cells
          .map((cell, index) =>
            index < widths.length && index < cells.length - 1
              ? cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - textWidth(cell)))
              : cell,
          )
          .join(''),
      );
    }
  }
}

/** Runs one text through a writer of its own. */
export function alignTabs(text: string, options: TabWriterOptions): string {
  const writer = new TabWriter(options);
  writer.write(text);
  return writer.flush();
}

function textWidth(text: string): number {
  return [...text].length;
}
