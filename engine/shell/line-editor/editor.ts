// The prompt's line editor: readline's emacs mode.
// Not modelled: vi mode, macros, key bindings from ~/.inputrc.

import type { Tty } from '../../kernel/process.ts';
import { toBytes } from '../bytes.ts';
import type { Interpreter } from '../interp/interpreter.ts';
import { wait, type Task } from '../interp/task.ts';
import { textWidth } from '../width.ts';
import { completeLine, isDirectory, type Completions } from './completion.ts';
import { KeyReader, type Key } from './keys.ts';
import { LineScreen } from './screen.ts';

/** readline's completion-query-items. */
const ASK_FROM = 100;

type Finish = { readonly line: string } | 'interrupted' | 'end';

export class LineEditor {
  readonly #shell: Interpreter;
  readonly #tty: Tty;
  readonly #keys: KeyReader;
  readonly #screen: LineScreen;
  #run: (task: Task<unknown>) => Promise<unknown> = () => Promise.resolve();
  #text = '';
  #cursor = 0;
  #mark = 0;
  /** History lines as edited in this call, and the new line at the end. */
  #lines: string[] = [];
  #at = 0;
  #kills: string[] = [];
  #lastWasKill = false;
  #yanked: { readonly from: number; readonly to: number; readonly ring: number } | undefined;
  #lastArgument: { readonly from: number; readonly to: number; readonly back: number } | undefined;
  #undo: { readonly text: string; readonly cursor: number }[] = [];
  #lastWasTab = false;
  #lastWasInsert = false;
  #argument: string | undefined;
  /** Lines of a paste that wait to be entered. */
  #queued: Key[] = [];
  #prompt = '';

  constructor(shell: Interpreter, tty: Tty) {
    this.#shell = shell;
    this.#tty = tty;
    this.#keys = new KeyReader(() => shell.sys.file(0).read());
    this.#screen = new LineScreen(
      async (text) => {
        if (text !== '') await shell.sys.file(2).write(toBytes(text));
      },
      () => Math.max(2, tty.size.columns),
    );
  }

  /** A line without its newline; undefined at end of file; null after Ctrl-C. */
  async readLine(prompt: string, run: (task: Task<unknown>) => Promise<unknown>): Promise<string | undefined | null> {
    this.#run = run;
    const before = this.#tty.termios;
    this.#tty.termios = { ...before, canonical: false, echo: false, signals: false, inputCrToNl: false };
    const resize = this.#tty.onResize(() => {
      void this.#screen.refresh();
    });
    this.#lines = [...this.#shell.history, ''];
    this.#at = this.#lines.length - 1;
    this.#text = '';
    this.#cursor = 0;
    this.#undo = [];
    this.#argument = undefined;
    this.#lastWasKill = this.#lastWasTab = this.#lastWasInsert = false;
    this.#prompt = prompt;
    try {
      await this.#screen.begin(prompt);
      for (;;) {
        const key = this.#queued.shift() ?? (await this.#keys.next());
        if (key === undefined) return undefined;
        const finish = await this.#press(key);
        if (finish === undefined) {
          if (this.#keys.hasPending && key.name.length === 1) continue;
          await this.#screen.update(this.#text, this.#cursor);
          continue;
        }
        if (finish === 'interrupted') {
          await this.#screen.update(this.#text, this.#cursor);
          await this.#screen.end('^C');
          return null;
        }
        if (finish === 'end') return undefined;
        await this.#screen.update(this.#text, this.#cursor);
        await this.#screen.end();
        return finish.line;
      }
    } finally {
      resize.dispose();
      this.#tty.termios = before;
    }
  }

  async #press(key: Key): Promise<Finish | undefined> {
    const { name } = key;
    const wasKill = this.#lastWasKill;
    const wasTab = this.#lastWasTab;
    const yanked = this.#yanked;
    const lastArgument = this.#lastArgument;
    this.#lastWasKill = this.#lastWasTab = false;
    this.#yanked = undefined;
    this.#lastArgument = undefined;
    if (/^<M-[0-9-]>$/.test(name)) {
      this.#argument = (this.#argument ?? '') + name[3]!;
      return undefined;
    }
    if (this.#argument !== undefined && /^[0-9]$/.test(name)) {
      this.#argument += name;
      return undefined;
    }
    const hasArgument = this.#argument !== undefined;
    const count = hasArgument ? (this.#argument === '-' ? -1 : Number(this.#argument)) || 0 : 1;
    this.#argument = undefined;
    const repeat = (forward: () => void, backward?: () => void): void => {
      const action = count < 0 ? (backward ?? forward) : forward;
      for (let i = 0; i < Math.abs(count); i++) action();
    };
    if (name.length > 0 && !name.startsWith('<')) {
      if (!this.#lastWasInsert) this.#remember();
      this.#lastWasInsert = true;
      this.#insert(name.repeat(Math.max(1, count)));
      return undefined;
    }
    if (name === '<') {
      this.#insert('<');
      return undefined;
    }
    this.#lastWasInsert = false;
    switch (name) {
      case '<C-m>':
      case '<C-j>':
        return { line: this.#text };
      case '<C-c>':
        return 'interrupted';
      case '<C-d>':
        if (this.#text === '') return 'end';
        this.#remember();
        repeat(() => this.#delete(this.#cursor, this.#next(this.#cursor)));
        return undefined;
      case '<C-a>':
      case '<home>':
        this.#cursor = 0;
        return undefined;
      case '<C-e>':
      case '<end>':
        this.#cursor = this.#text.length;
        return undefined;
      case '<C-b>':
      case '<left>':
        repeat(
          () => (this.#cursor = this.#previous(this.#cursor)),
          () => (this.#cursor = this.#next(this.#cursor)),
        );
        return undefined;
      case '<C-f>':
      case '<right>':
        repeat(
          () => (this.#cursor = this.#next(this.#cursor)),
          () => (this.#cursor = this.#previous(this.#cursor)),
        );
        return undefined;
      case '<M-b>':
        repeat(() => (this.#cursor = this.#wordLeft()));
        return undefined;
      case '<M-f>':
        repeat(() => (this.#cursor = this.#wordRight()));
        return undefined;
      case '<C-h>':
        this.#remember();
        if (this.#cursor === 0) await this.#screen.bell();
        repeat(() => {
          const from = this.#previous(this.#cursor);
          this.#delete(from, this.#cursor);
        });
        return undefined;
      case '<delete>':
        this.#remember();
        repeat(() => this.#delete(this.#cursor, this.#next(this.#cursor)));
        return undefined;
      case '<C-k>':
        this.#kill(this.#cursor, this.#text.length, wasKill, false);
        return undefined;
      case '<C-u>':
      case '<C-x>':
        if (name === '<C-x>') return this.#prefixed();
        this.#kill(0, this.#cursor, wasKill, true);
        return undefined;
      case '<C-w>': {
        let from = this.#cursor;
        while (from > 0 && /\s/.test(this.#text[from - 1]!)) from--;
        while (from > 0 && !/\s/.test(this.#text[from - 1]!)) from--;
        this.#kill(from, this.#cursor, wasKill, true);
        return undefined;
      }
      case '<M-d>':
        this.#kill(this.#cursor, this.#wordRight(), wasKill, false);
        return undefined;
      case '<M-h>':
        this.#kill(this.#wordLeft(), this.#cursor, wasKill, true);
        return undefined;
      case '<M-\\>': {
        this.#remember();
        let from = this.#cursor;
        let to = this.#cursor;
        while (from > 0 && /[ \t]/.test(this.#text[from - 1]!)) from--;
        while (to < this.#text.length && /[ \t]/.test(this.#text[to]!)) to++;
        this.#delete(from, to);
        return undefined;
      }
      case '<C-y>':
        this.#yank(0);
        return undefined;
      case '<M-y>':
        if (yanked === undefined || this.#kills.length === 0) await this.#screen.bell();
        else {
          this.#delete(yanked.from, yanked.to);
          this.#yank(yanked.ring + 1);
        }
        return undefined;
      case '<M-.>':
      case '<M-_>':
        this.#insertLastArgument(lastArgument);
        return undefined;
      case '<C-t>':
        this.#transpose();
        return undefined;
      case '<M-t>':
        this.#transposeWords();
        return undefined;
      case '<M-u>':
      case '<M-l>':
      case '<M-c>':
        this.#changeCase(name[3]!);
        return undefined;
      case '<C-_>':
      case '<C-\x7f>': {
        const last = this.#undo.pop();
        if (last === undefined) await this.#screen.bell();
        else {
          this.#text = last.text;
          this.#cursor = last.cursor;
        }
        return undefined;
      }
      case '<M-r>':
        if (this.#undo.length > 0) {
          this.#text = this.#undo[0]!.text;
          this.#cursor = this.#text.length;
          this.#undo = [];
        }
        return undefined;
      case '<C-l>':
        await this.#screen.update(this.#text, this.#cursor);
        await this.#screen.clear();
        return undefined;
      case '<up>':
      case '<C-p>':
        await this.#goto(this.#at - 1);
        return undefined;
      case '<down>':
      case '<C-n>':
        await this.#goto(this.#at + 1);
        return undefined;
      case '<M-<>':
      case '<pageup>':
        if (name === '<M-<>') await this.#goto(0);
        return undefined;
      case '<M->>':
      case '<pagedown>':
        if (name === '<M->>') await this.#goto(this.#lines.length - 1);
        return undefined;
      case '<C-r>':
        return this.#search(-1);
      case '<C-s>':
        return this.#search(1);
      case '<C-i>':
        this.#lastWasTab = true;
        await this.#complete(wasTab);
        return undefined;
      case '<M-?>':
      case '<M-=>':
        await this.#complete(true, true);
        return undefined;
      case '<M-*>': {
        const found = await this.#completions();
        if (found.words.length > 0) this.#replace(found.from, found.words.map((w) => (found.areFiles ? quoteFile(w) : w)).join(' ') + ' ');
        return undefined;
      }
      case '<C-v>':
      case '<C-q>': {
        const next = await this.#keys.next();
        if (next !== undefined) this.#insert(literal(next));
        return undefined;
      }
      case '<M-#>':
        this.#text = '#' + this.#text;
        return { line: this.#text };
      case '<C-o>': {
        const line = this.#text;
        return { line };
      }
      case '<paste>': {
        this.#remember();
        // bash 4.2 knows no bracketed paste: the text arrives as if typed, line by line.
        const lines = key.text.split('\n');
        this.#insert(lines[0]!);
        if (lines.length > 1) {
          for (const line of lines.slice(1, -1)) this.#queued.push({ name: '<text>', text: line }, { name: '<C-m>', text: '' });
          if (lines.at(-1) !== '') this.#queued.push({ name: '<text>', text: lines.at(-1)! });
          return { line: this.#text };
        }
        return undefined;
      }
      case '<text>':
        this.#insert(key.text);
        return undefined;
      case '<C-g>':
      case '<C-`>':
        if (name === '<C-`>') this.#mark = this.#cursor;
        else await this.#screen.bell();
        return undefined;
      default:
        return undefined;
    }
  }

  async #prefixed(): Promise<undefined> {
    const key = await this.#keys.next();
    if (key?.name === '<C-x>') [this.#cursor, this.#mark] = [Math.min(this.#mark, this.#text.length), this.#cursor];
    else if (key?.name === '<C-u>') {
      const last = this.#undo.pop();
      if (last !== undefined) {
        this.#text = last.text;
        this.#cursor = last.cursor;
      }
    }
    return undefined;
  }

  // Editing

  #remember(): void {
    this.#undo.push({ text: this.#text, cursor: this.#cursor });
    if (this.#undo.length > 500) this.#undo.shift();
  }

  #insert(text: string): void {
    this.#text = this.#text.slice(0, this.#cursor) + text + this.#text.slice(this.#cursor);
    this.#cursor += text.length;
  }

  #delete(from: number, to: number): void {
    this.#text = this.#text.slice(0, from) + this.#text.slice(to);
    this.#cursor = from;
  }

  #replace(from: number, text: string): void {
    this.#remember();
    this.#text = this.#text.slice(0, from) + text + this.#text.slice(this.#cursor);
    this.#cursor = from + text.length;
  }

  #kill(from: number, to: number, isContinued: boolean, isBackward: boolean): void {
    this.#lastWasKill = true;
    if (from === to) return;
    this.#remember();
    const cut = this.#text.slice(from, to);
    if (isContinued && this.#kills.length > 0) this.#kills[0] = isBackward ? cut + this.#kills[0]! : this.#kills[0]! + cut;
    else this.#kills.unshift(cut);
    if (this.#kills.length > 10) this.#kills.pop();
    this.#delete(from, to);
  }

  #yank(ring: number): void {
    if (this.#kills.length === 0) return;
    this.#remember();
    const at = ring % this.#kills.length;
    const from = this.#cursor;
    this.#insert(this.#kills[at]!);
    this.#yanked = { from, to: this.#cursor, ring: at };
  }

  #insertLastArgument(last: { readonly from: number; readonly to: number; readonly back: number } | undefined): void {
    const back = (last?.back ?? 0) + 1;
    const line = this.#shell.history.at(-back);
    if (line === undefined) return;
    this.#remember();
    if (last !== undefined) this.#delete(last.from, last.to);
    const word = (line.match(/(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s\\'"])+/g) ?? []).at(-1) ?? '';
    const from = this.#cursor;
    this.#insert(word);
    this.#lastArgument = { from, to: this.#cursor, back };
  }

  #transpose(): void {
    if (this.#text.length < 2 || this.#cursor === 0) return;
    this.#remember();
    const at = this.#cursor === this.#text.length ? this.#previous(this.#cursor) : this.#cursor;
    const before = this.#previous(at);
    const after = this.#next(at);
    this.#text = this.#text.slice(0, before) + this.#text.slice(at, after) + this.#text.slice(before, at) + this.#text.slice(after);
    this.#cursor = after;
  }

  #transposeWords(): void {
    const end2 = this.#wordRight();
    this.#cursor = end2;
    const start2 = this.#wordLeft();
    this.#cursor = start2;
    const start1 = this.#wordLeft();
    this.#cursor = start1;
    const end1 = this.#wordRight();
    if (start1 < start2 && end1 <= start2) {
      const t = this.#text;
      this.#text = t.slice(0, start1) + t.slice(start2, end2) + t.slice(end1, start2) + t.slice(start1, end1) + t.slice(end2);
    }
    this.#cursor = end2;
  }

  #changeCase(how: string): void {
    this.#remember();
    const to = this.#wordRight();
    const word = this.#text.slice(this.#cursor, to);
    const changed =
      how === 'u'
        ? word.toUpperCase()
        : how === 'l'
          ? word.toLowerCase()
          : word.toLowerCase().replace(/[\p{L}\p{N}]/u, (c) => c.toUpperCase());
    this.#text = this.#text.slice(0, this.#cursor) + changed + this.#text.slice(to);
    this.#cursor = to;
  }

  #next(at: number): number {
    return at >= this.#text.length ? at : at + String.fromCodePoint(this.#text.codePointAt(at)!).length;
  }

  #previous(at: number): number {
    if (at <= 0) return 0;
    const code = this.#text.charCodeAt(at - 1);
    return code >= 0xdc00 && code < 0xe000 && at > 1 ? at - 2 : at - 1;
  }

  #wordLeft(): number {
    let at = this.#cursor;
    const isWord = (c: string): boolean => /[\p{L}\p{N}]/u.test(c);
    while (at > 0 && !isWord(this.#text[at - 1]!)) at--;
    while (at > 0 && isWord(this.#text[at - 1]!)) at--;
    return at;
  }

  #wordRight(): number {
    let at = this.#cursor;
    const isWord = (c: string): boolean => /[\p{L}\p{N}]/u.test(c);
    while (at < this.#text.length && !isWord(this.#text[at]!)) at++;
    while (at < this.#text.length && isWord(this.#text[at]!)) at++;
    return at;
  }

  // History

  async #goto(at: number): Promise<void> {
    if (at < 0 || at >= this.#lines.length) {
      await this.#screen.bell();
      return;
    }
    this.#lines[this.#at] = this.#text;
    this.#at = at;
    this.#text = this.#lines[at]!;
    this.#cursor = this.#text.length;
    this.#undo = [];
  }

  async #search(direction: -1 | 1): Promise<Finish | undefined> {
    const before = { text: this.#text, cursor: this.#cursor, at: this.#at };
    this.#lines[this.#at] = this.#text;
    let needle = '';
    let at = this.#at;
    let isFailed = false;
    let way = direction;
    const show = async (): Promise<void> => {
      this.#screen.setPrompt(`(${isFailed ? 'failed ' : ''}${way < 0 ? 'reverse-' : ''}i-search)\`${needle}': `);
      await this.#screen.update(this.#text, this.#cursor);
      await this.#screen.refresh();
    };
    const find = (from: number): void => {
      for (let i = from; i >= 0 && i < this.#lines.length; i += way) {
        const line = this.#lines[i]!;
        const found = line.lastIndexOf(needle);
        if (found < 0) continue;
        at = i;
        isFailed = false;
        this.#text = line;
        this.#cursor = found;
        return;
      }
      isFailed = true;
    };
    const leave = async (): Promise<void> => {
      this.#screen.setPrompt(this.#prompt.split('\n').at(-1)!);
      await this.#screen.update(this.#text, this.#cursor);
      await this.#screen.refresh();
    };
    await show();
    for (;;) {
      const key = await this.#keys.next();
      if (key === undefined) return 'end';
      if (key.name === '<C-r>' || key.name === '<C-s>') {
        way = key.name === '<C-r>' ? -1 : 1;
        if (needle === '') needle = this.#lastSearch;
        else find(at + way);
        if (at === before.at) find(at);
      } else if (key.name === '<C-h>') {
        needle = [...needle].slice(0, -1).join('');
        at = before.at;
        find(at);
      } else if (key.name === '<C-g>' || key.name === '<C-c>') {
        this.#text = before.text;
        this.#cursor = before.cursor;
        await leave();
        return key.name === '<C-c>' ? 'interrupted' : undefined;
      } else if (!key.name.startsWith('<') || key.name === '<') {
        needle += key.name;
        find(at);
      } else {
        if (needle !== '') this.#lastSearch = needle;
        this.#at = at;
        await leave();
        if (key.name === '<M-escape>' || key.name === '<unknown>') return undefined;
        return this.#press(key);
      }
      if (isFailed) await this.#screen.bell();
      await show();
    }
  }

  #lastSearch = '';

  // Completion

  async #completions(): Promise<Completions> {
    let found: Completions | undefined;
    const shell = this.#shell;
    const { text, cursor } = { text: this.#text, cursor: this.#cursor };
    await this.#run(
      (function* (): Task<void> {
        found = yield* completeLine(shell, text, cursor);
      })(),
    );
    return found!;
  }

  async #complete(lists: boolean, onlyLists = false): Promise<void> {
    const found = await this.#completions();
    const { words } = found;
    if (words.length === 0) {
      await this.#screen.bell();
      return;
    }
    const typed = this.#text.slice(found.from, this.#cursor);
    const quote = /^["']/.exec(typed)?.[0];
    const dress = (word: string): string => (!found.areFiles ? word : quote === undefined ? quoteFile(word) : quote + word);
    if (words.length === 1 && !onlyLists) {
      const [word] = words as [string];
      let tail = found.noSpace ? '' : ' ';
      if (found.areFiles && isDirectory(this.#shell, word)) tail = word.endsWith('/') ? '' : '/';
      else if (quote !== undefined && found.areFiles) tail = quote + ' ';
      this.#replace(found.from, dress(word) + tail);
      return;
    }
    let common = words[0]!;
    for (const word of words) while (!word.startsWith(common)) common = common.slice(0, -1);
    const dressed = dress(common);
    if (!onlyLists && common !== '' && dressed.length > typed.length && unescaped(dressed).startsWith(unescaped(typed))) {
      this.#replace(found.from, dressed);
      return;
    }
    if (!lists) {
      await this.#screen.bell();
      return;
    }
    await this.#list(found);
  }

  async #list(found: Completions): Promise<void> {
    await this.#screen.update(this.#text, this.#cursor);
    await this.#screen.end();
    if (found.words.length > ASK_FROM) {
      await this.#screen.print(`Display all ${found.words.length} possibilities? (y or n)`);
      for (;;) {
        const key = await this.#keys.next();
        if (key === undefined) return;
        if (/^[yY ]$/.test(key.name) || key.name === '<C-i>') break;
        if (/^[nN]$/.test(key.name) || key.name === '<C-h>' || key.name === '<C-c>') {
          await this.#screen.print('\n');
          await this.#screen.again();
          return;
        }
        await this.#screen.bell();
      }
      await this.#screen.print('\n');
    }
    const shown = found.words.map((word) => {
      if (!found.areFiles) return word;
      const name = word.replace(/\/$/, '');
      return name.slice(name.lastIndexOf('/') + 1) + (isDirectory(this.#shell, word) ? '/' : '');
    });
    const width = Math.max(...shown.map(textWidth)) + 2;
    const columns = Math.max(1, Math.floor(this.#screen.columns / width));
    const rows = Math.ceil(shown.length / columns);
    let out = '';
    for (let row = 0; row < rows; row++) {
      let line = '';
      for (let column = 0; column < columns; column++) {
        const word = shown[column * rows + row];
        if (word === undefined) break;
        line +=
          word +
          (shown[(column + 1) * rows + row] === undefined ? ' '.repeat(width - textWidth(word)) : ' '.repeat(width - textWidth(word)));
      }
      out += line.trimEnd() + '\n';
    }
    await this.#screen.print(out);
    await this.#screen.again();
  }
}

function literal(key: Key): string {
  const control = /^<C-(.)>$/.exec(key.name);
  if (control !== null) return String.fromCharCode(control[1]!.charCodeAt(0) & 0x1f);
  return key.name.startsWith('<') && key.name.length > 1 ? '\x1b' : key.name;
}

function quoteFile(word: string): string {
  const tilde = /^~[^/]*\//.exec(word)?.[0] ?? '';
  return tilde + word.slice(tilde.length).replace(/[\s!"#$&'()*,:;<=>?@[\\\]^`{|}]/g, (c) => (',:=@'.includes(c) ? c : '\\' + c));
}

function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, '$1').replace(/^["']/, '');
}
void wait;
