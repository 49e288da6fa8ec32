// The text of an editor: lines, undo history, registers.

export interface Position {
  row: number;
  col: number;
}

interface Snapshot {
  readonly lines: readonly string[];
  readonly cursor: Position;
}

export class Buffer {
  lines: string[] = [''];
  isModified = false;
  #undo: Snapshot[] = [];
  #redo: Snapshot[] = [];

  /** Remembers the present for `u`; call before a change. */
  checkpoint(cursor: Position): void {
    const last = this.#undo.at(-1);
    if (last !== undefined && last.lines.length === this.lines.length && last.lines.every((line, i) => line === this.lines[i])) return;
    this.#undo.push({ lines: [...this.lines], cursor: { ...cursor } });
    if (this.#undo.length > 500) this.#undo.shift();
    this.#redo = [];
  }

  undo(cursor: Position): Position | undefined {
    for (let last = this.#undo.pop(); last !== undefined; last = this.#undo.pop()) {
      if (last.lines.length === this.lines.length && last.lines.every((line, i) => line === this.lines[i])) continue;
      this.#redo.push({ lines: this.lines, cursor: { ...cursor } });
      return this.#restore(last);
    }
    return undefined;
  }

  redo(cursor: Position): Position | undefined {
    const next = this.#redo.pop();
    if (next === undefined) return undefined;
    this.#undo.push({ lines: this.lines, cursor: { ...cursor } });
    return this.#restore(next);
  }

  #restore(to: Snapshot): Position {
    const first = to.lines.findIndex((line, i) => line !== this.lines[i]);
    this.lines = [...to.lines];
    this.isModified = true;
    const row = first < 0 ? to.cursor.row : Math.min(first, this.lines.length - 1);
    return { row, col: row === to.cursor.row ? to.cursor.col : 0 };
  }

  get canUndo(): boolean {
    return this.#undo.length > 0;
  }

  line(row: number): string {
    return this.lines[row] ?? '';
  }

  setLine(row: number, text: string): void {
    this.lines[row] = text;
    this.isModified = true;
  }

  insertLines(row: number, texts: readonly string[]): void {
    this.lines.splice(row, 0, ...texts);
    this.isModified = true;
  }

  deleteLines(from: number, count: number): string[] {
    const gone = this.lines.splice(from, count);
    if (this.lines.length === 0) this.lines = [''];
    this.isModified = true;
    return gone;
  }

  /** Text between two positions, the second one excluded. */
  slice(from: Position, to: Position): string {
    if (from.row === to.row) return this.line(from.row).slice(from.col, to.col);
    return [this.line(from.row).slice(from.col), ...this.lines.slice(from.row + 1, to.row), this.line(to.row).slice(0, to.col)].join('\n');
  }

  delete(from: Position, to: Position): string {
    const gone = this.slice(from, to);
    const joined = this.line(from.row).slice(0, from.col) + this.line(to.row).slice(to.col);
    this.lines.splice(from.row, to.row - from.row + 1, joined);
    this.isModified = true;
    return gone;
  }

  /** Inserts text that may have newlines; returns the position after it. */
  insert(at: Position, text: string): Position {
    const line = this.line(at.row);
    const parts = text.split('\n');
    if (parts.length === 1) {
      this.setLine(at.row, line.slice(0, at.col) + text + line.slice(at.col));
      return { row: at.row, col: at.col + text.length };
    }
    const first = line.slice(0, at.col) + parts[0]!;
    const last = parts.at(-1)! + line.slice(at.col);
    this.lines.splice(at.row, 1, first, ...parts.slice(1, -1), last);
    this.isModified = true;
    return { row: at.row + parts.length - 1, col: parts.at(-1)!.length };
  }
}
