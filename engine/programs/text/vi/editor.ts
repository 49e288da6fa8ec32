// Models vim 7.4 as learners use it: normal, insert, visual and command-line mode on one window.
// Not modelled: several windows and buffers, macros, folds, syntax colours, vimrc beyond `set`.

import { RegexError, translatePosix } from '../../../shell/interp/posix-regex.ts';
import { charWidth, textWidth } from '../../../shell/width.ts';
import type { Key } from '../../../shell/line-editor/keys.ts';
import { Buffer, type Position } from './buffer.ts';
import { endOfWord, firstNonBlank, matchingBracket, nextWord, paragraph, previousWord, textObject, type Motion } from './motions.ts';

export type Mode = 'normal' | 'insert' | 'replace' | 'visual' | 'visual-line' | 'visual-block' | 'command' | 'search';

export interface EditorHost {
  readonly rows: number;
  readonly columns: number;
  /** Next key; undefined when the terminal is gone. */
  key(): Promise<Key | undefined>;
  /** Reads a file; an error's words when it cannot. */
  read(path: string): { readonly text: string } | { readonly error: string; readonly isMissing: boolean };
  /** Undefined when it was written. */
  write(path: string, text: string): string | undefined;
  exists(path: string): boolean;
  isWritable(path: string): boolean;
  /** Runs a shell command on the normal screen, or with its output captured. */
  shell(command: string): Promise<void>;
  capture(command: string, input?: string): Promise<string>;
  paint(frame: Frame): Promise<void>;
}

export interface Frame {
  readonly rows: readonly string[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

interface Register {
  readonly text: string;
  readonly isLinewise: boolean;
}

export class Editor {
  readonly buffer = new Buffer();
  cursor: Position = { row: 0, col: 0 };
  mode: Mode = 'normal';
  path: string | undefined;
  message = '';
  isError = false;
  isReadonly = false;
  exitStatus: number | undefined;
  readonly #host: EditorHost;
  #top = 0;
  #wanted = 0;
  #anchor: Position = { row: 0, col: 0 };
  #registers = new Map<string, Register>();
  #register = '"';
  #marks = new Map<string, Position>();
  #search = '';
  #searchForward = true;
  #highlights = false;
  #find: { readonly char: string; readonly key: string } | undefined;
  #commandLine = '';
  #history: string[] = [];
  #options = {
    number: false,
    paste: false,
    ignorecase: false,
    smartcase: false,
    tabstop: 8,
    shiftwidth: 8,
    expandtab: false,
    autoindent: true,
    list: false,
    hlsearch: true,
    wrap: true,
    relativenumber: false,
  };
  /** Keys of the last change, for `.`. */
  #recorded: Key[] = [];
  #lastChange: Key[] = [];
  #isRecording = false;
  #replay: Key[] = [];
  #pending = '';
  #isNew = false;
  #missingNewline = false;
  #args: readonly string[] = [];
  #argAt = 0;

  constructor(host: EditorHost) {
    this.#host = host;
  }

  open(path: string): void {
    this.path = path;
    // The file types whose indentation vim follows.
    this.#options.autoindent = /\.(?:ya?ml|sh|py|json|conf|js|c|go)$/.test(path);
    const result = this.#host.read(path);
    this.#isNew = false;
    if ('error' in result) {
      this.buffer.lines = [''];
      this.buffer.isModified = false;
      if (result.isMissing) {
        this.#isNew = true;
        this.say(`"${path}" [New File]`);
      } else this.fail(`"${path}" ${result.error}`);
      return;
    }
    const { text } = result;
    this.#missingNewline = text !== '' && !text.endsWith('\n');
    this.buffer.lines = text === '' ? [''] : text.replace(/\n$/, '').split('\n');
    this.buffer.isModified = false;
    this.isReadonly = !this.#host.isWritable(path);
    const size = new TextEncoder().encode(text).length;
    const count = text === '' ? 0 : this.buffer.lines.length;
    this.say(`"${path}" ${this.isReadonly ? '[readonly] ' : ''}${this.#missingNewline ? '[noeol] ' : ''}${count}L, ${size}C`);
    this.cursor = { row: 0, col: 0 };
  }

  setArguments(paths: readonly string[]): void {
    this.#args = paths;
  }

  say(text: string): void {
    this.message = text;
    this.isError = false;
  }

  fail(text: string): void {
    this.message = text;
    this.isError = true;
  }

  async run(): Promise<number> {
    for (;;) {
      await this.paint();
      const key = await this.#next();
      if (key === undefined) return 1;
      await this.#press(key);
      if (this.exitStatus !== undefined) return this.exitStatus;
    }
  }

  async #next(): Promise<Key | undefined> {
    const replayed = this.#replay.shift();
    const key = replayed ?? (await this.#host.key());
    if (key !== undefined && this.#isRecording && replayed === undefined) this.#recorded.push(key);
    return key;
  }

  async #press(key: Key): Promise<void> {
    switch (this.mode) {
      case 'insert':
      case 'replace':
        return this.#insertKey(key);
      case 'command':
      case 'search':
        return this.#commandKey(key);
      default:
        return this.#normalKey(key);
    }
  }

  // Normal and visual mode

  async #normalKey(first: Key): Promise<void> {
    this.#pending = '';
    this.#recorded = [first];
    this.#isRecording = this.#replay.length === 0;
    this.#register = '"';
    let key: Key | undefined = first;
    let count: number | undefined;
    if (this.mode === 'normal' && key.name !== ':' && !this.isError) this.message = this.message.startsWith('"') ? this.message : '';
    for (;;) {
      if (key.name === '"') {
        const name = await this.#more(key);
        if (name === undefined) return;
        this.#register = name.name;
      } else if (/^[1-9]$/.test(key.name) || (key.name === '0' && count !== undefined)) count = (count ?? 0) * 10 + Number(key.name);
      else break;
      this.#pending += key.name;
      key = await this.#more(key);
      if (key === undefined) return;
    }
    if (this.mode.startsWith('visual')) await this.#visual(key, count);
    else await this.#command(key, count);
    this.#isRecording = false;
    if (this.mode === 'normal') this.#clamp();
  }

  async #more(_after: Key): Promise<Key | undefined> {
    await this.paint();
    return this.#next();
  }

  #clamp(): void {
    const { buffer: b } = this;
    this.cursor.row = Math.max(0, Math.min(b.lines.length - 1, this.cursor.row));
    const length = b.line(this.cursor.row).length;
    const most = this.mode === 'insert' || this.mode === 'replace' ? length : Math.max(0, length - 1);
    this.cursor.col = Math.max(0, Math.min(most, this.cursor.col));
    if (isLow(b.line(this.cursor.row), this.cursor.col)) this.cursor.col--;
  }

  #right(p: Position): number {
    return p.col + charLength(this.buffer.line(p.row), p.col);
  }
  #left(p: Position): number {
    return Math.max(0, p.col - (isLow(this.buffer.line(p.row), p.col - 1) ? 2 : 1));
  }

  /** A motion for this key; undefined when the key is none, null when it fails. */
  async #motion(key: Key, count: number | undefined, isOperator: boolean): Promise<Motion | undefined | null> {
    const b = this.buffer;
    const p = this.cursor;
    const n = count ?? 1;
    const times = (step: (at: Position) => Position): Position => {
      let at = { ...p };
      for (let i = 0; i < n; i++) at = step(at);
      return at;
    };
    const vertical = (row: number): Motion => {
      const to = Math.max(0, Math.min(b.lines.length - 1, row));
      return { to: { row: to, col: columnAt(b.line(to), this.#wanted, this.#options.tabstop) }, isLinewise: true };
    };
    const line = (row: number): Motion => {
      const to = Math.max(0, Math.min(b.lines.length - 1, row));
      return { to: { row: to, col: firstNonBlank(b, to) }, isLinewise: true };
    };
    switch (key.name) {
      case 'h':
      case '<left>':
      case '<C-h>':
        return { to: times((at) => ({ row: at.row, col: this.#left(at) })) };
      case 'l':
      case '<right>':
      case ' ':
        return { to: times((at) => ({ row: at.row, col: Math.min(this.#right(at), b.line(at.row).length) })) };
      case 'j':
      case '<down>':
      case '<C-n>':
        return p.row >= b.lines.length - 1 ? null : vertical(p.row + n);
      case 'k':
      case '<up>':
      case '<C-p>':
        return p.row === 0 ? null : vertical(p.row - n);
      case '0':
      case '<home>':
        return { to: { row: p.row, col: 0 } };
      case '^':
        return { to: { row: p.row, col: firstNonBlank(b, p.row) } };
      case '_':
        return line(p.row + n - 1);
      case '$':
      case '<end>': {
        const row = Math.min(b.lines.length - 1, p.row + n - 1);
        this.#wanted = Infinity;
        return { to: { row, col: Math.max(0, b.line(row).length - 1) }, isInclusive: b.line(row).length > 0 };
      }
      case 'w':
      case 'W': {
        const to = times((at) => nextWord(b, at, key.name === 'W'));
        // A word operated on does not take the next line's indentation along.
        if (isOperator && to.row > p.row && b.line(to.row).slice(0, to.col).trim() === '')
          return { to: { row: to.row - 1, col: b.line(to.row - 1).length } };
        return { to };
      }
      case 'b':
      case 'B':
        return { to: times((at) => previousWord(b, at, key.name === 'B')) };
      case 'e':
      case 'E':
        return { to: times((at) => endOfWord(b, at, key.name === 'E')), isInclusive: true };
      case 'G':
        return line(count === undefined ? b.lines.length - 1 : count - 1);
      case 'H':
        return line(this.#top + n - 1);
      case 'M':
        return line(Math.floor((this.#top + Math.min(b.lines.length - 1, this.#top + this.#height - 1)) / 2));
      case 'L':
        return line(Math.min(b.lines.length, this.#top + this.#height) - n);
      case '+':
      case '<C-m>':
        return line(p.row + n);
      case '-':
        return line(p.row - n);
      case '|':
        return { to: { row: p.row, col: columnAt(b.line(p.row), n - 1, this.#options.tabstop) } };
      case '%': {
        const to = matchingBracket(b, p);
        return to === undefined ? null : { to, isInclusive: true };
      }
      case '{':
        return { to: times((at) => ({ row: paragraph(b, at.row, -1), col: 0 })) };
      case '}': {
        const to = times((at) => ({ row: paragraph(b, at.row, 1), col: 0 }));
        return { to: to.row === b.lines.length - 1 ? { row: to.row, col: b.line(to.row).length } : to };
      }
      case 'f':
      case 'F':
      case 't':
      case 'T': {
        const next = await this.#more(key);
        if (next === undefined) return null;
        this.#find = { char: next.name, key: key.name };
        return this.#findChar(key.name, next.name, n, false);
      }
      case ';':
      case ',': {
        if (this.#find === undefined) return null;
        const { char, key: how } = this.#find;
        const swapped = { f: 'F', F: 'f', t: 'T', T: 't' }[how]!;
        return this.#findChar(key.name === ';' ? how : swapped, char, n, true);
      }
      case 'n':
      case 'N': {
        if (this.#search === '') {
          this.fail('E35: No previous regular expression');
          return null;
        }
        let to: Position | undefined = { ...p };
        for (let i = 0; i < n && to !== undefined; i++)
          to = this.#findPattern(this.#search, to, (key.name === 'n') === this.#searchForward);
        this.#highlights = true;
        return to === undefined ? null : { to };
      }
      case '*':
      case '#': {
        const word = textObject(b, p, false, 'w');
        if (word === undefined) return null;
        this.#search = `\\<${b.slice(word.from!, { row: word.to.row, col: word.to.col + 1 })}\\>`;
        this.#searchForward = key.name === '*';
        this.#highlights = true;
        const to = this.#findPattern(this.#search, p, this.#searchForward);
        return to === undefined ? null : { to };
      }
      case '`':
      case "'": {
        const name = await this.#more(key);
        const mark = name === undefined ? undefined : this.#marks.get(name.name);
        if (mark === undefined) {
          this.fail('E20: Mark not set');
          return null;
        }
        return key.name === "'" ? line(mark.row) : { to: { ...mark } };
      }
      case 'g': {
        const next = await this.#more(key);
        if (next?.name === 'g') return line((count ?? 1) - 1);
        if (next?.name === 'e') return { to: times((at) => previousWord(b, at, false)), isInclusive: true };
        if (next?.name === '_') return { to: { row: p.row, col: Math.max(0, b.line(p.row).trimEnd().length - 1) }, isInclusive: true };
        if (next?.name === 'j') return vertical(p.row + n);
        if (next?.name === 'k') return vertical(p.row - n);
        return null;
      }
      default:
        return undefined;
    }
  }

  #findChar(how: string, char: string, count: number, isRepeat: boolean): Motion | null {
    const { row, col } = this.cursor;
    const line = this.buffer.line(row);
    let at = col;
    for (let i = 0; i < count; i++) {
      if (how === 'f' || how === 't') at = line.indexOf(char, at + (how === 't' && isRepeat && i === 0 ? 2 : 1));
      else at = at <= 0 ? -1 : line.lastIndexOf(char, at - (how === 'T' && isRepeat && i === 0 ? 2 : 1));
      if (at < 0) return null;
    }
    if (how === 't') at--;
    if (how === 'T') at++;
    return { to: { row, col: at }, isInclusive: how === 'f' || how === 't' };
  }

  #pattern(source: string): RegExp | undefined {
    const { ignorecase, smartcase } = this.#options;
    let flags = ignorecase && !(smartcase && /[A-Z]/.test(source)) ? 'i' : '';
    let body = source;
    if (body.includes('\\c')) flags = 'i';
    body = body.replace(/\\[cC]/g, '');
    let extended = false;
    if (body.startsWith('\\v')) {
      extended = true;
      body = body.slice(2);
    }
    // vim writes \= for \?, \s and \d work as everywhere.
    body = body
      .replace(/\\=/g, '\\?')
      .replace(/\\d/g, '[0-9]')
      .replace(/\\a/g, '[A-Za-z]')
      .replace(/\\\{-([^}]*)\}/g, '*')
      .replace(/\\\{(\d*,?\d*)\}/g, '\\{$1\\}');
    try {
      return new RegExp(translatePosix(body, { extended, escapes: true }), `su${flags}g`);
    } catch (error) {
      if (error instanceof RegexError || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  #findPattern(source: string, from: Position, forward: boolean): Position | undefined {
    const regex = this.#pattern(source);
    const b = this.buffer;
    if (regex === undefined) {
      this.fail(`E383: Invalid search string: ${source}`);
      return undefined;
    }
    const count = b.lines.length;
    for (let i = 0; i <= count; i++) {
      const row = (from.row + (forward ? i : -i) + count * 2) % count;
      const hits = [...b.line(row).matchAll(regex)].map((m) => m.index);
      const found = forward ? hits.find((col) => i > 0 || col > from.col) : hits.findLast((col) => i > 0 || col < from.col);
      if (found === undefined) continue;
      if (i === count && found === undefined) break;
      if (forward ? row < from.row || (row === from.row && i > 0) : row > from.row || (row === from.row && i > 0))
        this.fail(forward ? 'search hit BOTTOM, continuing at TOP' : 'search hit TOP, continuing at BOTTOM');
      else this.say(`${forward ? '/' : '?'}${source}`);
      return { row, col: found };
    }
    this.fail(`E486: Pattern not found: ${source}`);
    return undefined;
  }

  #go(motion: Motion, key: Key): void {
    const isVertical = /^(?:j|k|<up>|<down>|<C-n>|<C-p>)$/.test(key.name);
    if (/^(?:G|g|n|N|%|\*|#|'|`|H|L|M|\{|\})$/.test(key.name)) {
      this.#marks.set("'", { ...this.cursor });
      this.#marks.set('`', { ...this.cursor });
    }
    this.cursor = { ...motion.to };
    this.#clampFor();
    if (!isVertical && key.name !== '$' && key.name !== '<end>')
      this.#wanted = columnOf(this.buffer.line(this.cursor.row), this.cursor.col, this.#options.tabstop);
  }

  #clampFor(): void {
    if (this.mode.startsWith('visual')) {
      this.cursor.row = Math.max(0, Math.min(this.buffer.lines.length - 1, this.cursor.row));
      this.cursor.col = Math.max(0, Math.min(Math.max(0, this.buffer.line(this.cursor.row).length - 1), this.cursor.col));
    } else this.#clamp();
  }

  async #command(key: Key, count: number | undefined): Promise<void> {
    const b = this.buffer;
    const p = this.cursor;
    const n = count ?? 1;
    const change = (): void => b.checkpoint(p);
    switch (key.name) {
      case ':':
        this.mode = 'command';
        this.#commandLine = count === undefined ? '' : count === 1 ? '.' : `.,.+${count - 1}`;
        return;
      case '/':
      case '?':
        this.mode = 'search';
        this.#searchForward = key.name === '/';
        this.#commandLine = '';
        return;
      case 'i':
      case '<insert>':
        return this.#beginInsert(n);
      case 'I':
        p.col = /^\s*/.exec(b.line(p.row))![0].length;
        return this.#beginInsert(n);
      case 'a':
        p.col = Math.min(b.line(p.row).length, this.#right(p));
        return this.#beginInsert(n);
      case 'A':
        p.col = b.line(p.row).length;
        return this.#beginInsert(n);
      case 'o':
      case 'O': {
        change();
        const row = key.name === 'o' ? p.row + 1 : p.row;
        const indent = this.#options.autoindent && !this.#options.paste ? /^[ \t]*/.exec(b.line(p.row))![0] : '';
        b.insertLines(row, [indent]);
        this.cursor = { row, col: indent.length };
        return this.#beginInsert(n, true);
      }
      case 'R':
        change();
        this.mode = 'replace';
        return;
      case 'x':
      case '<delete>': {
        if (b.line(p.row) === '') return;
        change();
        let end = p.col;
        for (let i = 0; i < n; i++) end += charLength(b.line(p.row), end);
        this.#store(b.delete(p, { row: p.row, col: Math.min(end, b.line(p.row).length) }), false);
        return this.#changed();
      }
      case 'X': {
        if (p.col === 0) return;
        change();
        const from = Math.max(0, p.col - n);
        this.#store(b.delete({ row: p.row, col: from }, { ...p }), false);
        p.col = from;
        return this.#changed();
      }
      case 'D':
      case 'C':
        change();
        this.#store(b.delete(p, { row: p.row, col: b.line(p.row).length }), false);
        if (key.name === 'C') return this.#beginInsert(1, true);
        return this.#changed();
      case 's':
        change();
        this.#store(b.delete(p, { row: p.row, col: Math.min(b.line(p.row).length, p.col + n) }), false);
        return this.#beginInsert(1, true);
      case 'S':
        return this.#operateLines('c', p.row, p.row + n - 1);
      case 'Y':
        return this.#operateLines('y', p.row, p.row + n - 1);
      case 'J': {
        change();
        for (let i = 0; i < Math.max(1, n - 1); i++) this.#join(p.row);
        return this.#changed();
      }
      case 'r': {
        const next = await this.#more(key);
        if (next === undefined || (next.name.startsWith('<') && next.name.length > 1 && next.name !== '<C-m>')) return;
        const line = b.line(p.row);
        if (p.col + n > line.length) return;
        change();
        if (next.name === '<C-m>') {
          b.delete(p, { row: p.row, col: p.col + n });
          b.insert(p, '\n');
          this.cursor = { row: p.row + 1, col: 0 };
        } else {
          b.setLine(p.row, line.slice(0, p.col) + next.name.repeat(n) + line.slice(p.col + n));
          p.col += n - 1;
        }
        return this.#changed();
      }
      case '~': {
        change();
        const line = b.line(p.row);
        const piece = line.slice(p.col, p.col + n);
        b.setLine(
          p.row,
          line.slice(0, p.col) +
            [...piece].map((c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())).join('') +
            line.slice(p.col + n),
        );
        p.col += n;
        return this.#changed();
      }
      case 'p':
      case 'P':
        change();
        this.#put(key.name === 'p', n);
        return this.#changed();
      case 'u': {
        for (let i = 0; i < n; i++) {
          const to = b.undo(p);
          if (to === undefined) {
            this.say('Already at oldest change');
            return;
          }
          this.cursor = to;
        }
        return;
      }
      case '<C-r>': {
        const to = b.redo(p);
        if (to === undefined) this.say('Already at newest change');
        else this.cursor = to;
        return;
      }
      case '.':
        this.#replay = [...this.#lastChange];
        if (this.#replay.length > 0) {
          const first = this.#replay.shift()!;
          await this.#normalKey(first);
          while (this.#replay.length > 0) await this.#press(this.#replay.shift()!);
        }
        return;
      case 'v':
      case 'V':
      case '<C-v>':
        this.mode = key.name === 'v' ? 'visual' : key.name === 'V' ? 'visual-line' : 'visual-block';
        this.#anchor = { ...p };
        return;
      case 'm': {
        const name = await this.#more(key);
        if (name !== undefined) this.#marks.set(name.name, { ...p });
        return;
      }
      case 'Z': {
        const next = await this.#more(key);
        if (next?.name === 'Z') await this.#execute('x');
        else if (next?.name === 'Q') await this.#execute('q!');
        return;
      }
      case 'z': {
        const next = await this.#more(key);
        if (next?.name === 'z' || next?.name === '.') this.#top = Math.max(0, p.row - Math.floor(this.#height / 2));
        else if (next?.name === 't' || next?.name === '<C-m>') this.#top = p.row;
        else if (next?.name === 'b' || next?.name === '-') this.#top = Math.max(0, p.row - this.#height + 1);
        return;
      }
      case '<C-f>':
      case '<pagedown>':
        this.#scroll(n * (this.#height - 2));
        return;
      case '<C-b>':
      case '<pageup>':
        this.#scroll(-n * (this.#height - 2));
        return;
      case '<C-d>':
        this.#scroll(Math.floor(this.#height / 2), true);
        return;
      case '<C-u>':
        this.#scroll(-Math.floor(this.#height / 2), true);
        return;
      case '<C-e>':
        this.#top = Math.min(b.lines.length - 1, this.#top + n);
        p.row = Math.max(p.row, this.#top);
        return;
      case '<C-y>':
        this.#top = Math.max(0, this.#top - n);
        p.row = Math.min(p.row, this.#top + this.#height - 1);
        return;
      case '<C-g>':
        this.say(
          `"${this.path ?? '[No Name]'}"${b.isModified ? ' [Modified]' : ''} ${b.lines.length} line${b.lines.length === 1 ? '' : 's'} --${Math.floor(((p.row + 1) / b.lines.length) * 100)}%--`,
        );
        return;
      case '<C-l>':
        return;
      case '<C-c>':
        this.say('Type  :quit<Enter>  to exit Vim');
        return;
      case '<C-a>':
      case '<C-x>': {
        const line = b.line(p.row);
        const match = [...line.matchAll(/-?\d+/g)].find((m) => m.index + m[0].length > p.col);
        if (match === undefined) return;
        change();
        const text = String(Number(match[0]) + (key.name === '<C-a>' ? n : -n));
        b.setLine(p.row, line.slice(0, match.index) + text + line.slice(match.index + match[0].length));
        p.col = match.index + text.length - 1;
        return this.#changed();
      }
      case 'd':
      case 'y':
      case 'c':
      case '>':
      case '<':
      case '=':
        return this.#operator(key, count);
    }
    if (key.name === '<paste>') {
      for (const char of key.text) this.#replay.push({ name: char === '\n' ? '<C-m>' : char, text: '' });
      return;
    }
    if (key.name === 'g') {
      const next = await this.#more(key);
      if (next?.name === 'u' || next?.name === 'U' || next?.name === '~') return this.#operator({ name: 'g' + next.name, text: '' }, count);
      if (next?.name === 'J') {
        change();
        b.setLine(p.row, b.line(p.row) + b.line(p.row + 1));
        if (p.row + 1 < b.lines.length) b.deleteLines(p.row + 1, 1);
        return this.#changed();
      }
      if (next?.name === 'v') {
        this.mode = 'visual';
        return;
      }
      if (next !== undefined) {
        this.#replay.unshift(next);
        const motion = await this.#motion(key, count, false);
        if (motion) this.#go(motion, key);
      }
      return;
    }
    const motion = await this.#motion(key, count, false);
    if (motion) this.#go(motion, key);
  }

  #scroll(by: number, movesCursor = false): void {
    const last = this.buffer.lines.length - 1;
    this.#top = Math.max(0, Math.min(last, this.#top + by));
    if (movesCursor) this.cursor.row = Math.max(0, Math.min(last, this.cursor.row + by));
    else
      this.cursor.row =
        by > 0 ? Math.max(this.#top, Math.min(this.cursor.row, last)) : Math.min(this.cursor.row, this.#top + this.#height - 1);
    this.cursor.row = Math.max(this.#top, Math.min(this.cursor.row, this.#top + this.#height - 1, last));
    this.cursor.col = firstNonBlank(this.buffer, this.cursor.row);
  }

  /** A change is complete: `.` repeats it. */
  #changed(): void {
    if (this.#isRecording) this.#lastChange = [...this.#recorded];
    this.#isRecording = false;
  }

  #store(text: string, isLinewise: boolean, isYank = false): void {
    const register: Register = { text, isLinewise };
    if (this.#register === '_') return;
    this.#registers.set('"', register);
    if (this.#register !== '"') this.#registers.set(this.#register, register);
    if (isYank) this.#registers.set('0', register);
  }

  #put(isAfter: boolean, count: number): void {
    const register = this.#registers.get(this.#register);
    const b = this.buffer;
    const p = this.cursor;
    if (register === undefined) {
      this.fail(`E353: Nothing in register ${this.#register}`);
      return;
    }
    if (register.isLinewise) {
      const row = isAfter ? p.row + 1 : p.row;
      const lines = Array.from({ length: count }, () => register.text.split('\n')).flat();
      b.insertLines(row, lines);
      this.cursor = { row, col: firstNonBlank(b, row) };
      if (lines.length > 2) this.say(`${lines.length} more lines`);
      return;
    }
    const at = { row: p.row, col: isAfter && b.line(p.row) !== '' ? this.#right(p) : p.col };
    const end = b.insert(at, register.text.repeat(count));
    this.cursor = register.text.includes('\n') ? at : { row: end.row, col: Math.max(0, end.col - 1) };
  }

  #join(row: number): void {
    const b = this.buffer;
    if (row + 1 >= b.lines.length) return;
    const left = b.line(row);
    const right = b.line(row + 1).replace(/^\s+/, '');
    const glue = left === '' || /\s$/.test(left) || right === '' || right.startsWith(')') ? '' : ' ';
    this.cursor.col = left.length;
    b.setLine(row, left + glue + right);
    b.deleteLines(row + 1, 1);
  }

  async #operator(key: Key, count: number | undefined): Promise<void> {
    const operator = key.name;
    this.#pending += operator;
    let next = await this.#more(key);
    let inner: number | undefined;
    while (next !== undefined && (/^[1-9]$/.test(next.name) || (next.name === '0' && inner !== undefined))) {
      inner = (inner ?? 0) * 10 + Number(next.name);
      next = await this.#more(key);
    }
    if (next === undefined) return;
    const total = count === undefined && inner === undefined ? undefined : (count ?? 1) * (inner ?? 1);
    const p = this.cursor;
    if (next.name === operator || (operator.startsWith('g') && next.name === operator[1]))
      return this.#operateLines(operator, p.row, p.row + (total ?? 1) - 1);
    let motion: Motion | undefined | null;
    if ((next.name === 'i' || next.name === 'a') && operator !== '') {
      const kind = await this.#more(next);
      motion = kind === undefined ? null : textObject(this.buffer, p, next.name === 'a', kind.name);
    } else {
      // `cw` on a word is `ce`.
      const isWordChange = operator === 'c' && (next.name === 'w' || next.name === 'W') && /\S/.test(this.buffer.line(p.row)[p.col] ?? '');
      if (isWordChange) {
        const line = this.buffer.line(p.row);
        const object = textObject(this.buffer, p, false, next.name);
        motion =
          (total ?? 1) === 1 && object !== undefined
            ? { to: object.to, isInclusive: true }
            : await this.#motion({ name: next.name === 'w' ? 'e' : 'E', text: '' }, total, true);
        void line;
      } else motion = await this.#motion(next, total, true);
    }
    if (!motion) return;
    const from = motion.from ?? p;
    const [start, end] = before(from, motion.to) ? [from, motion.to] : [motion.to, from];
    if (motion.isLinewise) return this.#operateLines(operator, start.row, end.row);
    const isForward = start === from;
    const to = { row: end.row, col: motion.isInclusive && (isForward || motion.from !== undefined) ? this.#right(end) : end.col };
    this.#operate(operator, { ...start }, to);
  }

  #operate(operator: string, start: Position, end: Position): void {
    const b = this.buffer;
    if (operator === 'y') {
      this.#store(b.slice(start, end), false, true);
      this.cursor = start;
      return;
    }
    if (operator === '>' || operator === '<' || operator === '=') return this.#operateLines(operator, start.row, end.row);
    b.checkpoint(this.cursor);
    if (operator.startsWith('g')) {
      const text = b.delete(start, end);
      b.insert(start, convert(text, operator[1]!));
      this.cursor = start;
      return this.#changed();
    }
    this.#store(b.delete(start, end), false);
    this.cursor = start;
    if (operator === 'c') return this.#beginInsert(1, true);
    return this.#changed();
  }

  #operateLines(operator: string, from: number, to: number): void {
    const b = this.buffer;
    const last = Math.min(to, b.lines.length - 1);
    const count = last - from + 1;
    if (operator === 'y') {
      this.#store(b.lines.slice(from, last + 1).join('\n'), true, true);
      if (count > 2) this.say(`${count} lines yanked`);
      if (from !== this.cursor.row) this.cursor = { row: from, col: this.cursor.col };
      return;
    }
    b.checkpoint(this.cursor);
    if (operator === '>' || operator === '<') {
      const { shiftwidth, expandtab, tabstop } = this.#options;
      for (let row = from; row <= last; row++) {
        const line = b.line(row);
        const indent = /^[ \t]*/.exec(line)![0];
        if (line === '' && operator === '>') continue;
        const width = Math.max(0, columnOf(indent, indent.length, tabstop) + (operator === '>' ? shiftwidth : -shiftwidth));
        b.setLine(
          row,
          (expandtab ? ' '.repeat(width) : '\t'.repeat(Math.floor(width / tabstop)) + ' '.repeat(width % tabstop)) +
            line.slice(indent.length),
        );
      }
      this.cursor = { row: from, col: firstNonBlank(b, from) };
      if (count > 2) this.say(`${count} lines ${operator}ed 1 time`);
      return this.#changed();
    }
    if (operator === '=') return this.#changed();
    if (operator.startsWith('g')) {
      for (let row = from; row <= last; row++) b.setLine(row, convert(b.line(row), operator[1]!));
      return this.#changed();
    }
    this.#store(b.lines.slice(from, last + 1).join('\n'), true);
    if (operator === 'c') {
      const indent = this.#options.autoindent && !this.#options.paste ? /^[ \t]*/.exec(b.line(from))![0] : '';
      b.lines.splice(from, count, indent);
      b.isModified = true;
      this.cursor = { row: from, col: indent.length };
      return this.#beginInsert(1, true);
    }
    b.deleteLines(from, count);
    if (count > 2) this.say(b.lines.length === 1 && b.line(0) === '' ? '--No lines in buffer--' : `${count} fewer lines`);
    else if (b.lines.length === 1 && b.line(0) === '') this.say('--No lines in buffer--');
    const row = Math.min(from, b.lines.length - 1);
    this.cursor = { row, col: firstNonBlank(b, row) };
    return this.#changed();
  }

  async #visual(key: Key, count: number | undefined): Promise<void> {
    const b = this.buffer;
    const { mode } = this;
    const leave = (): void => {
      this.#marks.set('<', { ...this.#anchor });
      this.#marks.set('>', { ...this.cursor });
      this.mode = 'normal';
    };
    const [start, end] = before(this.#anchor, this.cursor) ? [this.#anchor, this.cursor] : [this.cursor, this.#anchor];
    switch (key.name) {
      case '<C-c>':
      case '<escape>':
      case 'v':
      case 'V':
      case '<C-v>': {
        const modes: Readonly<Record<string, Mode>> = { v: 'visual', V: 'visual-line', '<C-v>': 'visual-block' };
        const wanted = modes[key.name];
        if (wanted !== undefined && wanted !== mode) this.mode = wanted;
        else leave();
        return;
      }
      case 'o':
        [this.#anchor, this.cursor] = [this.cursor, this.#anchor];
        return;
      case ':':
        leave();
        this.#marks.set('<', { ...start });
        this.#marks.set('>', { ...end });
        this.mode = 'command';
        this.#commandLine = "'<,'>";
        return;
      case 'i':
      case 'a': {
        if (mode === 'visual-block') break;
        const kind = await this.#more(key);
        const object = kind === undefined ? undefined : textObject(b, this.cursor, key.name === 'a', kind.name);
        if (object?.from === undefined) return;
        this.#anchor = { ...object.from };
        this.cursor = { row: object.to.row, col: object.isInclusive || object.isLinewise ? object.to.col : Math.max(0, object.to.col - 1) };
        return;
      }
    }
    if (mode === 'visual-block' && (key.name === 'I' || key.name === 'A' || 'dxyc~rs'.includes(key.name)))
      return this.#block(key, start, end);
    if ('dxyc><=~uUJsDXYCSpPr'.includes(key.name) && key.name.length === 1) {
      const first = { ...start };
      const last = { ...end };
      leave();
      this.cursor = { ...first };
      const operator = { x: 'd', X: 'd', D: 'd', s: 'c', S: 'c', C: 'c', Y: 'y', u: 'gu', U: 'gU', '~': 'g~' }[key.name] ?? key.name;
      if (key.name === 'J') {
        b.checkpoint(this.cursor);
        for (let i = 0; i < Math.max(1, last.row - first.row); i++) this.#join(first.row);
        return;
      }
      if (key.name === 'r') {
        const next = await this.#more(key);
        if (next === undefined || next.name.length > 2) return;
        b.checkpoint(this.cursor);
        const text = b.delete(first, { row: last.row, col: Math.min(b.line(last.row).length, last.col + 1) });
        b.insert(first, text.replace(/[^\n]/g, next.name));
        return;
      }
      if (key.name === 'p' || key.name === 'P') {
        const register = this.#registers.get(this.#register);
        if (register === undefined) return;
        b.checkpoint(this.cursor);
        if (mode === 'visual-line') {
          b.lines.splice(first.row, last.row - first.row + 1, ...register.text.split('\n'));
          b.isModified = true;
        } else {
          b.delete(first, { row: last.row, col: last.col + 1 });
          b.insert(first, register.text);
        }
        return;
      }
      const isLinewise = mode === 'visual-line' || /^[XDSYC]$/.test(key.name);
      if (isLinewise) {
        if ((operator === '>' || operator === '<') && count !== undefined)
          for (let i = 1; i < count; i++) this.#operateLines(operator, first.row, last.row);
        return this.#operateLines(operator, first.row, last.row);
      }
      const length = b.line(last.row).length;
      const stop =
        last.col >= length && last.row < b.lines.length - 1
          ? { row: last.row + 1, col: 0 }
          : { row: last.row, col: Math.min(length, this.#right(last)) };
      return this.#operate(operator, first, stop);
    }
    const motion = await this.#motion(key, count, false);
    if (motion) this.#go(motion, key);
  }

  #blockInsert: { readonly rows: readonly number[]; readonly col: number; readonly row: number; readonly isAppend: boolean } | undefined;

  async #block(key: Key, start: Position, end: Position): Promise<void> {
    const b = this.buffer;
    const left = Math.min(start.col, end.col);
    const right = Math.max(start.col, end.col) + 1;
    this.mode = 'normal';
    b.checkpoint(this.cursor);
    const rows: number[] = [];
    for (let row = start.row; row <= end.row; row++) rows.push(row);
    this.cursor = { row: start.row, col: left };
    if (key.name === 'I' || key.name === 'A') {
      const col = key.name === 'I' ? left : right;
      if (key.name === 'A') for (const row of rows) b.setLine(row, b.line(row).padEnd(right));
      this.#blockInsert = { rows: rows.slice(1), col, row: start.row, isAppend: key.name === 'A' };
      this.cursor = { row: start.row, col };
      return this.#beginInsert(1, true);
    }
    this.#store(rows.map((row) => b.line(row).slice(left, right)).join('\n'), false, key.name === 'y');
    if (key.name === 'y') return;
    if (key.name === 'r') {
      const next = await this.#more(key);
      if (next === undefined) return;
      for (const row of rows)
        b.setLine(
          row,
          b.line(row).slice(0, left) + next.name.repeat(Math.max(0, Math.min(right, b.line(row).length) - left)) + b.line(row).slice(right),
        );
      return;
    }
    for (const row of rows) b.setLine(row, b.line(row).slice(0, left) + b.line(row).slice(right));
    if (key.name === 'c' || key.name === 's') {
      this.#blockInsert = { rows: rows.slice(1), col: left, row: start.row, isAppend: false };
      this.#beginInsert(1, true);
    }
  }

  // Insert mode

  #insertCount = 1;
  #insertStart: Position = { row: 0, col: 0 };
  #typed = '';

  #beginInsert(count: number, isCheckpointed = false): void {
    if (!isCheckpointed) this.buffer.checkpoint(this.cursor);
    this.mode = 'insert';
    this.#insertCount = count;
    this.#insertStart = { ...this.cursor };
    this.#typed = '';
    this.message = '';
  }

  async #insertKey(key: Key): Promise<void> {
    const b = this.buffer;
    const p = this.cursor;
    if (!this.#isRecording) this.#recorded.push(key);
    switch (key.name) {
      case '<escape>':
      case '<C-c>':
        return this.#endInsert();
      case '<C-m>':
      case '<C-j>': {
        const indent = this.#options.autoindent && !this.#options.paste ? /^[ \t]*/.exec(b.line(p.row))![0] : '';
        const before = b.line(p.row).slice(0, p.col);
        // Indentation alone is not left behind.
        if (before.trim() === '' && before !== '' && b.line(p.row).slice(p.col) === '') b.setLine(p.row, '');
        b.insert({ row: p.row, col: Math.min(p.col, b.line(p.row).length) }, '\n' + indent);
        this.cursor = { row: p.row + 1, col: indent.length };
        this.#typed += '\n';
        return;
      }
      case '<C-h>':
        if (p.col > 0) {
          const from = this.#left(p);
          b.delete({ row: p.row, col: from }, { ...p });
          p.col = from;
          this.#typed = this.#typed.slice(0, -1);
        } else if (p.row > 0) {
          const col = b.line(p.row - 1).length;
          b.delete({ row: p.row - 1, col }, { row: p.row, col: 0 });
          this.cursor = { row: p.row - 1, col };
        }
        return;
      case '<delete>':
        if (p.col < b.line(p.row).length) b.delete(p, { row: p.row, col: this.#right(p) });
        else if (p.row + 1 < b.lines.length) b.delete(p, { row: p.row + 1, col: 0 });
        return;
      case '<C-w>': {
        const to = previousWord(b, p, false);
        const from = to.row === p.row ? to : { row: p.row, col: 0 };
        b.delete(from, { ...p });
        this.cursor = from;
        return;
      }
      case '<C-u>':
        b.delete({ row: p.row, col: 0 }, { ...p });
        p.col = 0;
        return;
      case '<C-t>':
      case '<C-d>': {
        const length = b.line(p.row).length;
        const mode = this.mode;
        this.#operateLines(key.name === '<C-t>' ? '>' : '<', p.row, p.row);
        this.mode = mode;
        this.cursor = { row: p.row, col: Math.max(0, p.col + b.line(p.row).length - length) };
        return;
      }
      case '<left>':
        p.col = this.#left(p);
        return;
      case '<right>':
        if (p.col < b.line(p.row).length) p.col = this.#right(p);
        return;
      case '<up>':
      case '<down>': {
        const row = Math.max(0, Math.min(b.lines.length - 1, p.row + (key.name === '<up>' ? -1 : 1)));
        const column = columnOf(b.line(p.row), p.col, this.#options.tabstop);
        this.cursor = { row, col: Math.min(b.line(row).length, columnAt(b.line(row), column, this.#options.tabstop)) };
        return;
      }
      case '<home>':
        p.col = 0;
        return;
      case '<end>':
        p.col = b.line(p.row).length;
        return;
      case '<pageup>':
      case '<pagedown>':
        this.#scroll(key.name === '<pageup>' ? -(this.#height - 2) : this.#height - 2);
        return;
      case '<C-i>':
        return this.#type(
          this.#options.expandtab && !this.#options.paste
            ? ' '.repeat(this.#options.shiftwidth - (columnOf(b.line(p.row), p.col, this.#options.tabstop) % this.#options.shiftwidth))
            : '\t',
        );
      case '<C-v>': {
        const next = await this.#next();
        if (next !== undefined) this.#type(next.name === '<C-i>' ? '\t' : next.name === '<escape>' ? '\x1b' : next.name);
        return;
      }
      case '<paste>': {
        for (const char of key.text) await this.#insertKey({ name: char === '\n' ? '<C-m>' : char === '\t' ? '<C-i>' : char, text: '' });
        return;
      }
      case '<C-r>': {
        const name = await this.#next();
        const register = name === undefined ? undefined : this.#registers.get(name.name);
        if (register !== undefined) this.cursor = b.insert(p, register.text + (register.isLinewise ? '\n' : ''));
        return;
      }
    }
    if (key.name.startsWith('<') && key.name.length > 1) return;
    this.#type(key.name);
  }

  #type(text: string): void {
    const b = this.buffer;
    const p = this.cursor;
    if (this.mode === 'replace' && p.col < b.line(p.row).length) b.delete(p, { row: p.row, col: this.#right(p) });
    this.cursor = b.insert(p, text);
    this.#typed += text;
  }

  #endInsert(): void {
    const b = this.buffer;
    if (this.#insertCount > 1 && this.#typed !== '') this.cursor = b.insert(this.cursor, this.#typed.repeat(this.#insertCount - 1));
    if (this.#blockInsert !== undefined) {
      const { rows, col, row } = this.#blockInsert;
      const text = b.line(row).slice(this.#insertStart.col, this.cursor.col);
      if (this.cursor.row === row)
        for (const other of rows)
          if (b.line(other).length >= col) b.setLine(other, b.line(other).slice(0, col) + text + b.line(other).slice(col));
      this.#blockInsert = undefined;
    }
    this.mode = 'normal';
    if (this.#replay.length === 0) this.#lastChange = [...this.#recorded];
    if (b.line(this.cursor.row).trim() === '' && b.line(this.cursor.row) !== '' && this.#typed === '' && this.#options.autoindent)
      b.setLine(this.cursor.row, '');
    this.cursor.col = this.#left(this.cursor);
    this.#clamp();
    this.#wanted = columnOf(b.line(this.cursor.row), this.cursor.col, this.#options.tabstop);
  }

  // Command line

  #historyAt = 0;

  async #commandKey(key: Key): Promise<void> {
    switch (key.name) {
      case '<escape>':
      case '<C-c>':
        this.mode = 'normal';
        this.message = '';
        return;
      case '<C-h>':
        if (this.#commandLine === '') this.mode = 'normal';
        this.#commandLine = [...this.#commandLine].slice(0, -1).join('');
        return;
      case '<C-u>':
        this.#commandLine = '';
        return;
      case '<C-w>':
        this.#commandLine = this.#commandLine.replace(/\S*\s*$/, '');
        return;
      case '<up>':
      case '<down>': {
        this.#historyAt = Math.max(0, Math.min(this.#history.length, this.#historyAt + (key.name === '<up>' ? -1 : 1)));
        this.#commandLine = this.#history[this.#historyAt] ?? '';
        return;
      }
      case '<C-m>':
      case '<C-j>': {
        const line = this.#commandLine;
        const { mode } = this;
        this.mode = 'normal';
        this.message = '';
        this.isError = false;
        if (mode === 'command') {
          if (line.trim() !== '') this.#history.push(line);
          this.#historyAt = this.#history.length;
          await this.#execute(line);
        } else {
          if (line !== '') this.#search = line;
          if (this.#search === '') {
            this.fail('E35: No previous regular expression');
            return;
          }
          this.#highlights = true;
          const to = this.#findPattern(this.#search, this.cursor, this.#searchForward);
          if (to !== undefined) {
            this.#marks.set("'", { ...this.cursor });
            this.cursor = to;
            this.#wanted = columnOf(this.buffer.line(to.row), to.col, this.#options.tabstop);
          }
        }
        this.#clamp();
        return;
      }
      case '<paste>':
        this.#commandLine += key.text.split('\n')[0]!;
        return;
    }
    if (key.name.startsWith('<') && key.name.length > 1) return;
    this.#commandLine += key.name;
  }

  /** Runs an Ex command line. */
  async #execute(source: string): Promise<void> {
    const b = this.buffer;
    const line = source.replace(/^[\s:]+/, '');
    const range = this.#range(line);
    if (range === undefined) return;
    const { from, to, rest, isGiven } = range;
    const match =
      /^(w|wq|x|xit|exit|write|q|quit|wqa|wa|wall|qa|qall|e|edit|r|read|s|substitute|set|se|d|delete|y|yank|noh|nohlsearch|g|global|v|vglobal|m|move|t|co|copy|j|join|n|next|N|prev|f|file|p|print|nu|normal|norm|u|undo|red|redo|reg|registers|h|help|sy|syntax|colorscheme|colo|retab|sort|[0-9]+|!|>|<|=|&|k|ma|mark|pu|put|sh|shell|ter|version|ve|up|update|sav|saveas)(?![A-Za-z])(!?)\s*(.*)$/s.exec(
        rest,
      );
    if (rest === '') {
      if (isGiven) this.cursor = { row: to, col: firstNonBlank(b, to) };
      return;
    }
    if (match === null) {
      this.fail(`E492: Not an editor command: ${line}`);
      return;
    }
    const [, name = '', bang = '', argument = ''] = match;
    switch (name) {
      case 'w':
      case 'write':
      case 'up':
      case 'update':
      case 'wa':
      case 'wall':
      case 'sav':
      case 'saveas':
        if ((name === 'up' || name === 'update') && !b.isModified) return;
        if (argument.startsWith('!')) {
          this.say('');
          await this.#host.capture(argument.slice(1), b.lines.slice(from, to + 1).join('\n') + '\n');
          return;
        }
        this.#write(argument.replace(/^>>\s*/, ''), bang === '!', isGiven ? [from, to] : undefined, argument.startsWith('>>'));
        return;
      case 'wq':
      case 'x':
      case 'xit':
      case 'exit':
      case 'wqa':
        if (name === 'x' && !b.isModified && argument === '' && !this.#isNew) {
          this.exitStatus = 0;
          return;
        }
        if (this.#write(argument, bang === '!', isGiven ? [from, to] : undefined, false)) this.exitStatus = 0;
        return;
      case 'q':
      case 'quit':
      case 'qa':
      case 'qall':
        if (b.isModified && bang === '') {
          this.fail('E37: No write since last change (add ! to override)');
          return;
        }
        if (bang === '' && this.#argAt < this.#args.length - 1) {
          const left = this.#args.length - 1 - this.#argAt;
          this.fail(`E173: ${left} more file${left === 1 ? '' : 's'} to edit`);
          this.#argAt = this.#args.length - 1;
          return;
        }
        this.exitStatus = 0;
        return;
      case 'e':
      case 'edit':
        if (b.isModified && bang === '') {
          this.fail('E37: No write since last change (add ! to override)');
          return;
        }
        this.open(argument === '' ? (this.path ?? '') : argument);
        return;
      case 'n':
      case 'next':
      case 'N':
      case 'prev': {
        const step = name.startsWith('n') ? 1 : -1;
        if (b.isModified && bang === '') {
          this.fail('E37: No write since last change (add ! to override)');
          return;
        }
        const next = this.#args[this.#argAt + step];
        if (next === undefined) {
          this.fail(
            this.#args.length < 2
              ? 'E163: There is only one file to edit'
              : step > 0
                ? 'E165: Cannot go beyond last file'
                : 'E164: Cannot go before first file',
          );
          return;
        }
        this.#argAt += step;
        this.open(next);
        return;
      }
      case 'r':
      case 'read': {
        const at = isGiven ? to + 1 : this.cursor.row + 1;
        let text: string;
        if (argument.startsWith('!')) text = await this.#host.capture(argument.slice(1));
        else {
          const result = this.#host.read(argument);
          if ('error' in result) {
            this.fail(`E484: Can't open file ${argument}`);
            return;
          }
          text = result.text;
        }
        b.checkpoint(this.cursor);
        const lines = text.replace(/\n$/, '').split('\n');
        b.insertLines(isGiven && /^0/.test(line) ? 0 : at, lines);
        this.cursor = { row: isGiven && /^0/.test(line) ? 0 : at, col: 0 };
        if (!argument.startsWith('!')) this.say(`"${argument}" ${lines.length}L, ${new TextEncoder().encode(text).length}C`);
        return;
      }
      case '!':
        if (isGiven) {
          const out = await this.#host.capture(argument, b.lines.slice(from, to + 1).join('\n') + '\n');
          b.checkpoint(this.cursor);
          b.lines.splice(from, to - from + 1, ...out.replace(/\n$/, '').split('\n'));
          b.isModified = true;
          return;
        }
        await this.#host.shell(bang + argument);
        return;
      case 'sh':
      case 'shell':
        await this.#host.shell('');
        return;
      case 's':
      case 'substitute':
      case '&':
        this.#substitute(from, to, name === '&' ? '' : bang + rest.slice(/^\w+/.exec(rest)![0].length).trim());
        return;
      case 'g':
      case 'global':
      case 'v':
      case 'vglobal': {
        const inverted = name.startsWith('v') || bang === '!';
        const delimiter = argument[0];
        if (delimiter === undefined) return;
        const end = argument.indexOf(delimiter, 1);
        const pattern = argument.slice(1, end < 0 ? undefined : end);
        const command = end < 0 ? 'p' : argument.slice(end + 1);
        const regex = this.#pattern(pattern);
        if (regex === undefined) return;
        this.#search = pattern;
        b.checkpoint(this.cursor);
        const [first, last] = isGiven ? [from, to] : [0, b.lines.length - 1];
        const marked = b.lines.slice(first, last + 1).filter((text) => text.search(regex) >= 0 !== inverted);
        if (marked.length === 0) {
          this.fail(`E486: Pattern not found: ${pattern}`);
          return;
        }
        for (let row = first; row < b.lines.length;) {
          if (row > last && !command.startsWith('d')) break;
          const hit = b.line(row).search(regex) >= 0 !== inverted;
          if (!hit) {
            row++;
            continue;
          }
          if (/^d(?:elete)?$/.test(command)) {
            b.deleteLines(row, 1);
            if (b.lines.length === 1 && b.line(0) === '') break;
            continue;
          }
          if (/^s/.test(command)) this.#substitute(row, row, command.slice(1), true);
          row++;
        }
        this.cursor.row = Math.min(this.cursor.row, b.lines.length - 1);
        return;
      }
      case 'set':
      case 'se':
        this.#set(argument);
        return;
      case 'd':
      case 'delete':
        this.#register = '"';
        this.#operateLines('d', from, to);
        return;
      case 'y':
      case 'yank':
        this.#operateLines('y', from, to);
        return;
      case '>':
      case '<':
        this.#operateLines(name, from, to);
        return;
      case 'm':
      case 'move':
      case 't':
      case 'co':
      case 'copy': {
        const target = this.#range(argument);
        if (target === undefined) return;
        b.checkpoint(this.cursor);
        let at = argument.trim() === '0' ? 0 : target.to + 1;
        const lines = b.lines.slice(from, to + 1);
        if (name.startsWith('m')) {
          b.deleteLines(from, lines.length);
          if (at > from) at -= lines.length;
        }
        b.insertLines(Math.max(0, at), lines);
        this.cursor = { row: Math.max(0, at + lines.length - 1), col: 0 };
        return;
      }
      case 'pu':
      case 'put':
        b.checkpoint(this.cursor);
        this.cursor.row = to;
        this.#put(true, 1);
        return;
      case 'j':
      case 'join':
        b.checkpoint(this.cursor);
        this.cursor.row = from;
        for (let i = 0; i < Math.max(1, to - from); i++) this.#join(from);
        return;
      case 'sort': {
        b.checkpoint(this.cursor);
        const [first, last] = isGiven ? [from, to] : [0, b.lines.length - 1];
        const sorted = b.lines.slice(first, last + 1).sort();
        b.lines.splice(first, last - first + 1, ...(bang === '!' ? sorted.reverse() : sorted));
        b.isModified = true;
        return;
      }
      case 'retab':
        b.checkpoint(this.cursor);
        b.lines = b.lines.map((text) => (this.#options.expandtab ? text.replace(/\t/g, ' '.repeat(this.#options.tabstop)) : text));
        b.isModified = true;
        return;
      case 'noh':
      case 'nohlsearch':
        this.#highlights = false;
        return;
      case 'f':
      case 'file':
        if (argument !== '') this.path = argument;
        this.say(`"${this.path ?? '[No Name]'}"${b.isModified ? ' [Modified]' : ''} ${b.lines.length} lines`);
        return;
      case '=':
        this.say(String(isGiven ? to + 1 : b.lines.length));
        return;
      case 'p':
      case 'print':
      case 'nu':
        this.cursor.row = to;
        this.say((name === 'nu' ? `${String(to + 1).padStart(3)} ` : '') + b.line(to));
        return;
      case 'u':
      case 'undo': {
        const back = b.undo(this.cursor);
        if (back !== undefined) this.cursor = back;
        return;
      }
      case 'red':
      case 'redo': {
        const back = b.redo(this.cursor);
        if (back !== undefined) this.cursor = back;
        return;
      }
      case 'k':
      case 'ma':
      case 'mark':
        this.#marks.set(argument, { row: to, col: 0 });
        return;
      case 'sy':
      case 'syntax':
      case 'colo':
      case 'colorscheme':
        return;
      default:
        this.fail(`E319: Sorry, the command is not available in this version`);
    }
  }

  #range(line: string): { readonly from: number; readonly to: number; readonly rest: string; readonly isGiven: boolean } | undefined {
    const last = this.buffer.lines.length - 1;
    let rest = line;
    if (rest.startsWith('%')) return { from: 0, to: last, rest: rest.slice(1).trimStart(), isGiven: true };
    const address = (): number | undefined | null => {
      rest = rest.trimStart();
      let row: number | undefined;
      const number = /^\d+/.exec(rest);
      const mark = /^'(.)/.exec(rest);
      const search = /^\/((?:\\.|[^/\\])*)\/?|^\?((?:\\.|[^?\\])*)\??/.exec(rest);
      if (number !== null) {
        row = Number(number[0]) - 1;
        rest = rest.slice(number[0].length);
      } else if (rest.startsWith('.')) {
        row = this.cursor.row;
        rest = rest.slice(1);
      } else if (rest.startsWith('$')) {
        row = last;
        rest = rest.slice(1);
      } else if (mark !== null) {
        const at = this.#marks.get(mark[1]!);
        if (at === undefined) {
          this.fail('E20: Mark not set');
          return null;
        }
        row = at.row;
        rest = rest.slice(2);
      } else if (search !== null) {
        const found = this.#findPattern(search[1] ?? search[2] ?? '', this.cursor, search[1] !== undefined);
        if (found === undefined) return null;
        row = found.row;
        rest = rest.slice(search[0].length);
      }
      for (let offset = /^([-+])(\d*)/.exec(rest); offset !== null; offset = /^([-+])(\d*)/.exec(rest)) {
        row = (row ?? this.cursor.row) + (offset[1] === '+' ? 1 : -1) * Number(offset[2] === '' ? 1 : offset[2]);
        rest = rest.slice(offset[0].length);
      }
      return row;
    };
    const first = address();
    if (first === null) return undefined;
    let second: number | undefined | null = first;
    let isGiven = first !== undefined;
    if (/^\s*[,;]/.test(rest)) {
      rest = rest.trimStart().slice(1);
      second = address();
      if (second === null) return undefined;
      second ??= this.cursor.row;
      isGiven = true;
    }
    const from = first ?? this.cursor.row;
    const to = second ?? from;
    if (from > to) {
      this.fail('E493: Backwards range given');
      return undefined;
    }
    if (to > last && !/^\s*$/.test(rest)) {
      this.fail('E16: Invalid range');
      return undefined;
    }
    return { from: Math.max(0, Math.min(from, last)), to: Math.max(0, Math.min(to, last)), rest: rest.trimStart(), isGiven };
  }

  #lastSubstitute: { readonly pattern: string; readonly replacement: string } | undefined;

  #substitute(from: number, to: number, source: string, isQuiet = false): void {
    const b = this.buffer;
    const delimiter = source[0];
    let { pattern, replacement } = this.#lastSubstitute ?? { pattern: '', replacement: '' };
    let flags = source;
    if (delimiter !== undefined && /[^\w\s"|\\]/.test(delimiter)) {
      const parts: string[] = ['', '', ''];
      let at = 0;
      for (let i = 1; i < source.length; i++) {
        if (source[i] === '\\' && source[i + 1] === delimiter) {
          parts[at] = parts[at]! + delimiter;
          i++;
        } else if (source[i] === '\\') parts[at] = parts[at]! + source[i]! + (source[++i] ?? '');
        else if (source[i] === delimiter && at < 2) at++;
        else parts[at] = parts[at]! + source[i]!;
      }
      [pattern, replacement, flags] = parts as [string, string, string];
      if (pattern === '') pattern = this.#search;
      this.#lastSubstitute = { pattern, replacement };
    } else if (this.#lastSubstitute === undefined) {
      this.fail('E35: No previous regular expression');
      return;
    }
    const base = this.#pattern(pattern);
    if (base === undefined) {
      this.fail(`E383: Invalid search string: ${pattern}`);
      return;
    }
    this.#search = pattern;
    const regex = new RegExp(
      base.source,
      base.flags.replace('g', '') + (flags.includes('g') ? 'g' : '') + (flags.includes('i') && !base.flags.includes('i') ? 'i' : ''),
    );
    if (!isQuiet) b.checkpoint(this.cursor);
    let count = 0;
    let lines = 0;
    let lastRow = this.cursor.row;
    for (let row = from; row <= to; row++) {
      const before = b.line(row);
      let hits = 0;
      const after = before.replace(regex, (...args: unknown[]) => {
        hits++;
        return replacement.replace(/\\(\d|n|r|t|&|\\|\/)|&/g, (m, c?: string) =>
          m === '&' || c === '0'
            ? (args[0] as string)
            : c === 'r' || c === 'n'
              ? '\n'
              : c === 't'
                ? '\t'
                : /\d/.test(c!)
                  ? ((args[Number(c)] as string | undefined) ?? '')
                  : c!,
        );
      });
      if (hits === 0) continue;
      count += hits;
      lines++;
      lastRow = row;
      if (flags.includes('n')) continue;
      const parts = after.split('\n');
      b.lines.splice(row, 1, ...parts);
      b.isModified = true;
      row += parts.length - 1;
      to += parts.length - 1;
      lastRow = row;
    }
    if (count === 0) {
      if (!isQuiet && !flags.includes('e')) this.fail(`E486: Pattern not found: ${pattern}`);
      return;
    }
    this.cursor = { row: Math.min(lastRow, b.lines.length - 1), col: 0 };
    if (isQuiet) return;
    if (flags.includes('n')) this.say(`${count} match${count === 1 ? '' : 'es'} on ${lines} line${lines === 1 ? '' : 's'}`);
    else if (count > 2) this.say(`${count} substitutions on ${lines} line${lines === 1 ? '' : 's'}`);
  }

  #set(argument: string): void {
    const names: Readonly<Record<string, keyof Editor['optionNames']>> = {
      nu: 'number',
      number: 'number',
      rnu: 'relativenumber',
      relativenumber: 'relativenumber',
      paste: 'paste',
      ic: 'ignorecase',
      ignorecase: 'ignorecase',
      scs: 'smartcase',
      smartcase: 'smartcase',
      ts: 'tabstop',
      tabstop: 'tabstop',
      sw: 'shiftwidth',
      shiftwidth: 'shiftwidth',
      sts: 'shiftwidth',
      softtabstop: 'shiftwidth',
      et: 'expandtab',
      expandtab: 'expandtab',
      ai: 'autoindent',
      autoindent: 'autoindent',
      list: 'list',
      hls: 'hlsearch',
      hlsearch: 'hlsearch',
      wrap: 'wrap',
    };
    for (const word of argument.split(/\s+/).filter((w) => w !== '')) {
      const match = /^(no|inv)?([a-z]+)([!?]|=(.*))?$/.exec(word);
      const exact = match === null ? undefined : names[match[1] === undefined ? match[2]! : match[2]!];
      const whole = match === null ? undefined : names[(match[1] ?? '') + match[2]!];
      const name = whole ?? exact;
      if (match === null || name === undefined) {
        this.fail(`E518: Unknown option: ${word}`);
        continue;
      }
      const options = this.#options as Record<string, boolean | number>;
      const now = options[name]!;
      if (match[3]?.startsWith('=')) {
        if (typeof now !== 'number' || !/^\d+$/.test(match[4] ?? '')) {
          this.fail(typeof now === 'number' ? `E521: Number required after =: ${word}` : `E474: Invalid argument: ${word}`);
          continue;
        }
        options[name] = Number(match[4]);
      } else if (match[3] === '?') this.say(typeof now === 'number' ? `  ${name}=${now}` : now ? `  ${name}` : `no${name}`);
      else if (typeof now === 'number') this.say(`  ${name}=${now}`);
      else options[name] = match[3] === '!' || match[1] === 'inv' ? !now : !(match[1] === 'no' && whole === undefined);
    }
  }

  /** Only for the type of option names. */
  get optionNames(): Readonly<
    Record<
      | 'number'
      | 'relativenumber'
      | 'paste'
      | 'ignorecase'
      | 'smartcase'
      | 'tabstop'
      | 'shiftwidth'
      | 'expandtab'
      | 'autoindent'
      | 'list'
      | 'hlsearch'
      | 'wrap',
      unknown
    >
  > {
    return this.#options;
  }

  set(argument: string): void {
    this.#set(argument);
  }

  async execute(command: string): Promise<void> {
    await this.#execute(command);
  }

  #write(target: string, isForced: boolean, rows: readonly [number, number] | undefined, isAppend: boolean): boolean {
    const path = target === '' ? this.path : target;
    const b = this.buffer;
    if (path === undefined || path === '') {
      this.fail('E32: No file name');
      return false;
    }
    const isOther = target !== '' && target !== this.path;
    if (isOther && this.#host.exists(path) && !isForced && !isAppend) {
      this.fail('E13: File exists (add ! to override)');
      return false;
    }
    if (!isOther && this.isReadonly && !isForced) {
      this.fail("E45: 'readonly' option is set (add ! to override)");
      return false;
    }
    const lines = rows === undefined ? b.lines : b.lines.slice(rows[0], rows[1] + 1);
    const isEmpty = lines.length === 1 && lines[0] === '' && (this.#isNew || !b.isModified || b.lines.length === 1);
    let text = isEmpty && lines[0] === '' ? '' : lines.join('\n') + (this.#missingNewline && !b.isModified ? '' : '\n');
    const isNew = !this.#host.exists(path);
    if (isAppend) {
      const old = this.#host.read(path);
      if ('text' in old) text = old.text + text;
    }
    const error = this.#host.write(path, text);
    if (error !== undefined) {
      this.fail(`"${path}" E212: Can't open file for writing`);
      return false;
    }
    const count = text === '' ? 0 : lines.length;
    this.say(`"${path}" ${isNew ? '[New] ' : ''}${count}L, ${new TextEncoder().encode(text).length}C ${isAppend ? 'appended' : 'written'}`);
    if (!isOther || this.path === undefined) {
      this.path = path;
      if (rows === undefined) b.isModified = false;
      this.#isNew = false;
    }
    return true;
  }

  // Painting

  get #height(): number {
    return Math.max(1, this.#host.rows - 1);
  }

  get #gutter(): number {
    return this.#options.number || this.#options.relativenumber ? Math.max(3, String(this.buffer.lines.length).length) + 1 : 0;
  }

  /** Screen rows a line takes. */
  #rowsOf(line: string): number {
    const width = Math.max(1, this.#host.columns - this.#gutter);
    return Math.max(1, Math.ceil(columnOf(line, line.length, this.#options.tabstop) / width));
  }

  async paint(): Promise<void> {
    const b = this.buffer;
    const { columns } = this.#host;
    const height = this.#height;
    const gutter = this.#gutter;
    const width = Math.max(1, columns - gutter);
    const { tabstop } = this.#options;
    if (this.cursor.row < this.#top)
      this.#top = this.cursor.row < this.#top - height ? Math.max(0, this.cursor.row - Math.floor(height / 2)) : this.cursor.row;
    let used = 0;
    for (let row = this.#top; row <= this.cursor.row; row++) used += this.#rowsOf(b.line(row));
    if (used > height) {
      if (this.cursor.row - this.#top > height * 2) this.#top = Math.max(0, this.cursor.row - Math.floor(height / 2));
      else while (used > height && this.#top < this.cursor.row) used -= this.#rowsOf(b.line(this.#top++));
    }
    const rows: string[] = [];
    let cursorRow = 0;
    let cursorColumn = 0;
    const regex = this.#highlights && this.#options.hlsearch && this.#search !== '' ? this.#pattern(this.#search) : undefined;
    for (let row = this.#top; rows.length < height; row++) {
      if (row >= b.lines.length) {
        rows.push('\x1b[94m~\x1b[m');
        continue;
      }
      const line = b.line(row);
      if (this.#rowsOf(line) > height - rows.length && rows.length > 0) {
        while (rows.length < height) rows.push('\x1b[94m@\x1b[m');
        break;
      }
      const number = this.#options.relativenumber && row !== this.cursor.row ? Math.abs(row - this.cursor.row) : row + 1;
      const label = gutter === 0 ? '' : `\x1b[33m${String(number).padStart(gutter - 1)} \x1b[m`;
      const first = rows.length;
      const painted = this.#paintLine(line, row, width, regex);
      painted.forEach((text, i) => rows.push((i === 0 ? label : ' '.repeat(gutter)) + text));
      if (row === this.cursor.row) {
        const isInsert = this.mode === 'insert' || this.mode === 'replace';
        let column = columnOf(line, this.cursor.col, tabstop);
        if (!isInsert && line[this.cursor.col] === '\t') column = columnOf(line, this.cursor.col + 1, tabstop) - 1;
        cursorRow = first + Math.floor(column / width);
        cursorColumn = gutter + (column % width);
      }
    }
    rows.length = height;
    rows.push(this.#statusLine());
    if (this.mode === 'command' || this.mode === 'search') {
      cursorRow = height;
      cursorColumn = Math.min(columns - 1, 1 + textWidth(this.#commandLine));
    }
    await this.#host.paint({ rows, cursorRow: Math.min(cursorRow, height), cursorColumn });
  }

  /** The line cut into screen rows, with highlights. */
  #paintLine(line: string, row: number, width: number, regex: RegExp | undefined): string[] {
    const { tabstop } = this.#options;
    const marks = new Uint8Array(line.length + 1);
    if (regex !== undefined) for (const hit of line.matchAll(regex)) marks.fill(1, hit.index, hit.index + hit[0].length);
    if (this.mode.startsWith('visual')) {
      const [start, end] = before(this.#anchor, this.cursor) ? [this.#anchor, this.cursor] : [this.cursor, this.#anchor];
      if (row >= start.row && row <= end.row) {
        let [from, to] = [row === start.row ? start.col : 0, row === end.row ? end.col + 1 : line.length + 1];
        if (this.mode === 'visual-line') [from, to] = [0, line.length + 1];
        if (this.mode === 'visual-block') [from, to] = [Math.min(start.col, end.col), Math.max(start.col, end.col) + 1];
        marks.fill(2, Math.min(from, marks.length), Math.min(to, marks.length));
      }
    }
    const out: string[] = [];
    let text = '';
    let column = 0;
    let mark = 0;
    const set = (next: number): void => {
      if (next === mark) return;
      if (mark !== 0) text += '\x1b[m';
      if (next !== 0) text += next === 1 ? '\x1b[30;43m' : '\x1b[7m';
      mark = next;
    };
    const add = (shown: string, size: number, at: number): void => {
      if (column + size > width) {
        set(0);
        out.push(text);
        text = '';
        column = 0;
      }
      set(marks[at]!);
      text += shown;
      column += size;
    };
    let at = 0;
    let total = 0;
    for (const char of line) {
      const code = char.codePointAt(0)!;
      if (char === '\t') {
        const size = tabstop - (total % tabstop);
        for (let i = 0; i < size; i++) add(this.#options.list ? (i === 0 ? '^' : i === 1 ? 'I' : '') || ' ' : ' ', 1, at);
        total += size;
      } else if (code < 32 || code === 127) {
        add('^' + String.fromCharCode(code ^ 64), 2, at);
        total += 2;
      } else {
        const size = charWidth(code);
        add(char, size, at);
        total += size;
      }
      at += char.length;
    }
    if (marks[line.length] === 2 && this.mode !== 'visual-block') add(' ', 1, line.length);
    if (this.#options.list) text += '\x1b[94m$\x1b[m';
    set(0);
    out.push(text);
    return out;
  }

  #statusLine(): string {
    const { columns } = this.#host;
    if (this.mode === 'command') return ':' + this.#commandLine;
    if (this.mode === 'search') return (this.#searchForward ? '/' : '?') + this.#commandLine;
    const names: Partial<Record<Mode, string>> = {
      insert: this.#options.paste ? '-- INSERT (paste) --' : '-- INSERT --',
      replace: '-- REPLACE --',
      visual: '-- VISUAL --',
      'visual-line': '-- VISUAL LINE --',
      'visual-block': '-- VISUAL BLOCK --',
    };
    const name = names[this.mode];
    const left = name === undefined ? this.message : name;
    const { row, col } = this.cursor;
    const line = this.buffer.line(row);
    const shown = columnOf(line, col, this.#options.tabstop);
    const display = line[col] === '\t' && this.mode === 'normal' ? columnOf(line, col + 1, this.#options.tabstop) - 1 : shown;
    const bytes = new TextEncoder().encode(line.slice(0, col)).length + 1;
    const place = line === '' ? `${row + 1},0-1` : bytes === display + 1 ? `${row + 1},${bytes}` : `${row + 1},${bytes}-${display + 1}`;
    const height = this.#height;
    const last = this.buffer.lines.length;
    const percent =
      last <= height
        ? 'All'
        : this.#top === 0
          ? 'Top'
          : this.#top + height >= last
            ? 'Bot'
            : `${Math.floor((this.#top / (last - height)) * 100)}%`;
    const ruler = `${place.padEnd(14)}${percent}`;
    const room = columns - 18;
    let text = '';
    let used = 0;
    for (const char of left) {
      const size = charWidth(char.codePointAt(0)!);
      if (used + size > (room > 20 ? room - 1 : columns - 1)) break;
      text += char;
      used += size;
    }
    const dressed =
      name !== undefined
        ? `\x1b[1m${text}\x1b[m`
        : this.isError && /^E\d+/.test(left)
          ? `\x1b[97;41m${text}\x1b[m`
          : this.isError
            ? `\x1b[91m${text}\x1b[m`
            : text;
    if (room <= 20) return dressed;
    return `${dressed}${' '.repeat(Math.max(0, room - used))}${ruler}`;
  }
}

function before(a: Position, b: Position): boolean {
  return a.row < b.row || (a.row === b.row && a.col <= b.col);
}

function convert(text: string, how: string): string {
  if (how === 'u') return text.toLowerCase();
  if (how === 'U') return text.toUpperCase();
  return [...text].map((c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())).join('');
}

function isLow(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return code >= 0xdc00 && code < 0xe000 && at > 0;
}

function charLength(line: string, at: number): number {
  const code = line.codePointAt(at);
  return code !== undefined && code > 0xffff ? 2 : 1;
}

/** The screen column on which the character at `col` begins. */
export function columnOf(line: string, col: number, tabstop: number): number {
  let column = 0;
  let at = 0;
  for (const char of line) {
    if (at >= col) break;
    at += char.length;
    const code = char.codePointAt(0)!;
    column += char === '\t' ? tabstop - (column % tabstop) : code < 32 || code === 127 ? 2 : charWidth(code);
  }
  return column;
}

/** The character on a screen column, or the last one. */
export function columnAt(line: string, column: number, tabstop: number): number {
  if (column === Infinity) return Math.max(0, line.length - 1);
  let at = 0;
  let now = 0;
  for (const char of line) {
    const code = char.codePointAt(0)!;
    const size = char === '\t' ? tabstop - (now % tabstop) : code < 32 || code === 127 ? 2 : charWidth(code);
    if (now + size > column) return at;
    now += size;
    at += char.length;
  }
  return at;
}
