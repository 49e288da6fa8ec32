// Models less 458 and more: pagers.

import type { Program, Tty } from '../../kernel/process.ts';
import { toText } from '../../shell/bytes.ts';
import { compilePosix, RegexError } from '../../shell/interp/posix-regex.ts';
import { KeyReader } from '../../shell/line-editor/keys.ts';
import { charWidth } from '../../shell/width.ts';
import { SysError } from '../../sim/errno.ts';
import { tool, type Input, type Tool } from '../coreutils/lib/tool.ts';

const pager = (name: 'less' | 'more'): Program =>
  tool(
    name,
    async (t) => {
      const o = await t.options('+SNRrFXEefiInqsKMmcdpuG', {
        'chop-long-lines': 'S',
        'LINE-NUMBERS': 'N',
        'RAW-CONTROL-CHARS': 'R',
        'quit-if-one-screen': 'F',
        'no-init': 'X',
        'quit-at-eof': 'e',
        'ignore-case': 'i',
      });
      const paths = o.rest.filter((path) => !path.startsWith('+'));
      const follows = o.rest.includes('+F');
      const toEnd = o.rest.includes('+G');
      const output = t.process.stdout.tty;
      if (paths.length === 0 && t.process.stdin.tty !== undefined) {
        await t.errorText(
          name === 'less'
            ? 'Missing filename ("less --help" for help)\n'
            : 'usage: more [-dflpcsu] [+linenum | +/pattern] name1 name2 ...\n',
        );
        return 1;
      }
      let text = '';
      let title = '';
      for (const path of paths.length === 0 ? ['-'] : paths) {
        let input: Input | undefined;
        if (path !== '-' && t.isDirectory(path)) {
          await t.errorText(name === 'less' ? `${path} is a directory\n` : `\n*** ${path}: directory ***\n\n`);
          if (paths.length === 1) return name === 'less' ? 1 : 0;
          continue;
        }
        try {
          if (path !== '-') t.sys.close(t.sys.open(path, { read: true }));
          input = await t.openInput(path);
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
          await t.errorText(`${path}: ${error.strerror}\n`);
          t.status = 1;
          continue;
        }
        if (output === undefined && path !== '-' && name === 'more' && paths.length > 1)
          text += `::::::::::::::\n${path}\n::::::::::::::\n`;
        text += await input!.readText();
        title ||= path === '-' ? '' : path;
        input!.close();
      }
      if (output === undefined) {
        await t.write(text);
        return t.status;
      }
      if (text === '' && t.status !== 0) return t.status;
      // Keys come from the terminal even when the text comes through a pipe.
      const fd = t.process.stdin.tty === undefined ? t.sys.open('/dev/tty', { read: true, write: true }) : 0;
      return new Pager(t, output, fd, text, title, {
        isMore: name === 'more',
        chops: o.has('S'),
        numbers: o.has('N'),
        raw: o.has('R', 'r'),
        ignoreCase: o.has('i', 'I'),
        keepsScreen: o.has('X'),
        quitsIfShort: o.has('F'),
        follows,
        toEnd,
      }).run();
    },
    { paths: [`/usr/bin/${name}`] },
  );

interface PagerOptions {
  readonly isMore: boolean;
  chops: boolean;
  numbers: boolean;
  readonly raw: boolean;
  ignoreCase: boolean;
  readonly keepsScreen: boolean;
  readonly quitsIfShort: boolean;
  readonly follows: boolean;
  readonly toEnd: boolean;
}

class Pager {
  readonly #t: Tool;
  readonly #tty: Tty;
  readonly #keys: KeyReader;
  readonly #o: PagerOptions;
  readonly #title: string;
  #lines: string[];
  #rows: { readonly text: string; readonly line: number }[] = [];
  #width = 0;
  #top = 0;
  #left = 0;
  #pattern: RegExp | undefined;
  #forward = true;
  #message = '';
  #wasShown = false;

  constructor(t: Tool, tty: Tty, fd: number, text: string, title: string, options: PagerOptions) {
    this.#t = t;
    this.#tty = tty;
    this.#keys = new KeyReader(() => t.sys.file(fd).read(), { hasEscapeKey: true });
    this.#lines = text.replace(/\n$/, '').split('\n');
    this.#title = title;
    this.#o = options;
  }

  get #height(): number {
    return Math.max(1, this.#tty.size.rows - 1);
  }

  async run(): Promise<number> {
    this.#layout();
    if (this.#o.isMore) return this.#more();
    if (this.#o.quitsIfShort && this.#rows.length <= this.#height) {
      await this.#print(this.#lines.join('\n') + '\n');
      return 0;
    }
    const before = this.#tty.termios;
    this.#tty.termios = { ...before, canonical: false, echo: false, signals: false, inputCrToNl: false };
    const resize = this.#tty.onResize(() => {
      this.#layout();
      void this.#paint();
    });
    if (!this.#o.keepsScreen) await this.#print('\x1b[?1049h\x1b[?1h\x1b=\r');
    if (this.#o.toEnd || this.#o.follows) this.#top = this.#lastTop;
    this.#message = this.#title;
    try {
      for (;;) {
        await this.#paint();
        const key = await this.#keys.next();
        if (key === undefined || (await this.#press(key.name))) break;
      }
    } finally {
      resize.dispose();
      await this.#print(`\r\x1b[K${this.#o.keepsScreen ? '' : '\x1b[?1l\x1b>\x1b[?1049l'}`);
      this.#tty.termios = before;
    }
    return 0;
  }

  get #lastTop(): number {
    return Math.max(0, this.#rows.length - this.#height);
  }

  /** Cuts lines into screen rows. */
  #layout(): void {
    this.#width = this.#tty.size.columns - (this.#o.numbers ? 8 : 0);
    this.#rows = [];
    this.#lines.forEach((line, number) => {
      for (const text of this.#cut(line)) this.#rows.push({ text, line: number });
    });
  }

  #cut(line: string): string[] {
    const out: string[] = [];
    let text = '';
    let column = 0;
    let skip = this.#o.chops ? this.#left : 0;
    for (let i = 0; i < line.length;) {
      const escape = /^\x1b\[[0-9;]*m/.exec(line.slice(i));
      if (escape !== null && this.#o.raw) {
        text += escape[0];
        i += escape[0].length;
        continue;
      }
      const char = String.fromCodePoint(line.codePointAt(i)!);
      i += char.length;
      const code = char.codePointAt(0)!;
      let shown = char;
      let size = charWidth(code);
      if (char === '\t') {
        size = 8 - (column % 8);
        shown = ' '.repeat(size);
      } else if (char === '\r' && i === line.length) shown = '^M';
      else if (code === 0x1b) {
        shown = '\x1b[7mESC\x1b[27m';
        size = 3;
      } else if (code < 32 || code === 127) {
        shown = `\x1b[7m^${String.fromCharCode(code ^ 64)}\x1b[27m`;
        size = 2;
      }
      if (skip > 0) {
        skip -= size;
        continue;
      }
      if (column + size > this.#width) {
        if (this.#o.chops) break;
        out.push(text);
        text = '';
        column = 0;
      }
      text += shown;
      column += size;
    }
    out.push(text);
    return out;
  }

  async #print(text: string): Promise<void> {
    await this.#t.process.stdout.write(new TextEncoder().encode(text));
  }

  async #paint(): Promise<void> {
    const height = this.#height;
    let out = '\x1b[H';
    let lastNumber = -1;
    for (let i = 0; i < height; i++) {
      const row = this.#rows[this.#top + i];
      let text = row === undefined ? '~' : this.#highlight(row.text);
      if (row === undefined) text = this.#wasShown || this.#rows.length >= 1 ? '~' : '';
      else if (this.#o.numbers) text = (row.line === lastNumber ? ' '.repeat(8) : `${String(row.line + 1).padStart(7)} `) + text;
      if (row !== undefined) lastNumber = row.line;
      out += `${text}\x1b[m\x1b[K\r\n`;
    }
    this.#wasShown = true;
    const isEnd = this.#top + height >= this.#rows.length;
    const prompt =
      this.#message !== ''
        ? `\x1b[7m${this.#message}${isEnd && this.#message === this.#title ? ' (END)' : ''}\x1b[27m`
        : isEnd
          ? '\x1b[7m(END)\x1b[27m'
          : ':';
    this.#message = '';
    await this.#print(`${out}${prompt}\x1b[K`);
  }

  #highlight(text: string): string {
    if (this.#pattern === undefined || this.#o.raw) return text;
    return text.replace(new RegExp(this.#pattern.source, this.#pattern.flags + 'g'), (match) =>
      match === '' ? '' : `\x1b[7m${match}\x1b[27m`,
    );
  }

  #count = '';

  async #press(name: string): Promise<boolean> {
    const height = this.#height;
    if (/^\d$/.test(name)) {
      this.#count += name;
      this.#message = `:${this.#count}`;
      return false;
    }
    const count = this.#count === '' ? undefined : Number(this.#count);
    this.#count = '';
    const move = (to: number): void => {
      this.#top = Math.max(0, Math.min(this.#lastTop, to));
    };
    switch (name) {
      case 'q':
      case 'Q':
      case ':':
        if (name === ':') return (await this.#keys.next())?.name === 'q';
        return true;
      case 'Z':
        return (await this.#keys.next())?.name === 'Z';
      case ' ':
      case 'f':
      case '<C-f>':
      case '<C-v>':
      case '<pagedown>':
        move(this.#top + (count ?? height));
        return false;
      case 'b':
      case '<C-b>':
      case '<M-v>':
      case '<pageup>':
        move(this.#top - (count ?? height));
        return false;
      case 'd':
      case '<C-d>':
        move(this.#top + Math.floor(height / 2));
        return false;
      case 'u':
      case '<C-u>':
        move(this.#top - Math.floor(height / 2));
        return false;
      case 'j':
      case 'e':
      case '<C-m>':
      case '<C-j>':
      case '<C-n>':
      case '<C-e>':
      case '<down>':
        move(this.#top + (count ?? 1));
        return false;
      case 'k':
      case 'y':
      case '<C-p>':
      case '<C-y>':
      case '<up>':
        move(this.#top - (count ?? 1));
        return false;
      case 'g':
      case '<':
      case '<home>':
        move(count === undefined ? 0 : this.#rows.findIndex((row) => row.line >= count - 1));
        return false;
      case 'G':
      case '>':
      case '<end>':
        move(count === undefined ? this.#lastTop : this.#rows.findIndex((row) => row.line >= count - 1));
        return false;
      case 'p':
      case '%':
        move(Math.floor(((count ?? 0) / 100) * this.#rows.length));
        return false;
      case '<right>':
      case '<left>':
        this.#o.chops = true;
        this.#left = Math.max(0, this.#left + (name === '<right>' ? 1 : -1) * Math.floor(this.#width / 2));
        this.#layout();
        return false;
      case '/':
      case '?':
        await this.#search(name);
        return false;
      case 'n':
      case 'N':
        if (this.#pattern === undefined) this.#message = 'No previous regular expression';
        else this.#find((name === 'n') === this.#forward);
        return false;
      case '-': {
        await this.#print('\r\x1b[K-');
        const option = (await this.#keys.next())?.name;
        if (option === 'S') this.#o.chops = !this.#o.chops;
        else if (option === 'N') this.#o.numbers = !this.#o.numbers;
        else if (option === 'i') this.#o.ignoreCase = !this.#o.ignoreCase;
        else this.#message = `There is no ${option ?? ''} option ("less --help" for help)`;
        this.#layout();
        move(this.#top);
        return false;
      }
      case '=':
      case '<C-g>': {
        const last = Math.min(this.#rows.length, this.#top + height);
        this.#message = `${this.#title === '' ? '' : this.#title + ' '}lines ${(this.#rows[this.#top]?.line ?? 0) + 1}-${(this.#rows[last - 1]?.line ?? 0) + 1}/${this.#lines.length}${last >= this.#rows.length ? ' (END)' : ''}`;
        return false;
      }
      case 'v':
        if (this.#title !== '') {
          const pid = this.#t.sys.spawn('/usr/bin/vi', ['vi', this.#title], { env: this.#t.env });
          await this.#t.sys.wait(pid);
          this.#lines = toText(this.#t.sys.readFile(this.#title)).replace(/\n$/, '').split('\n');
          this.#layout();
        }
        return false;
      case '<C-l>':
      case 'r':
        return false;
      default:
        await this.#print('\x07');
        return false;
    }
  }

  async #search(how: string): Promise<void> {
    let text = '';
    for (;;) {
      await this.#print(`\r\x1b[K${how}${text}`);
      const key = await this.#keys.next();
      if (key === undefined || key.name === '<escape>' || key.name === '<C-c>' || (key.name === '<C-h>' && text === '')) return;
      if (key.name === '<C-m>') break;
      if (key.name === '<C-h>') text = [...text].slice(0, -1).join('');
      else if (!key.name.startsWith('<') || key.name === '<') text += key.name;
    }
    this.#forward = how === '/';
    if (text !== '') {
      try {
        this.#pattern = compilePosix(text, { extended: true, ignoreCase: this.#o.ignoreCase && !/[A-Z]/.test(text) });
      } catch (error) {
        if (!(error instanceof RegexError)) throw error;
        this.#message = error.message;
        return;
      }
    }
    if (this.#pattern !== undefined) this.#find(this.#forward, true);
  }

  #find(forward: boolean, isNew = false): void {
    const here = this.#rows[this.#top]?.line ?? 0;
    const step = forward ? 1 : -1;
    for (let line = isNew && forward ? here : here + step; line >= 0 && line < this.#lines.length; line += step) {
      if (!this.#pattern!.test(this.#lines[line]!)) continue;
      this.#top = this.#rows.findIndex((row) => row.line === line);
      return;
    }
    this.#message = 'Pattern not found  (press RETURN)';
  }

  /** more: prints on, page by page. */
  async #more(): Promise<number> {
    const before = this.#tty.termios;
    this.#tty.termios = { ...before, canonical: false, echo: false, signals: false, inputCrToNl: false };
    const size = this.#rows.reduce((sum, row) => sum + row.text.length + 1, 0);
    try {
      let at = 0;
      let take = this.#height;
      while (at < this.#rows.length) {
        const piece = this.#rows.slice(at, at + take);
        await this.#print(piece.map((row) => row.text + '\n').join(''));
        at += take;
        if (at >= this.#rows.length) break;
        const done = this.#rows.slice(0, at).reduce((sum, row) => sum + row.text.length + 1, 0);
        await this.#print(`\x1b[7m--More--${this.#title === '' ? '' : `(${Math.floor((done / size) * 100)}%)`}\x1b[27m`);
        for (;;) {
          const key = await this.#keys.next();
          if (key === undefined || key.name === 'q' || key.name === 'Q' || key.name === '<C-c>') {
            await this.#print('\r\x1b[K');
            return 0;
          }
          if (key.name === ' ' || key.name === 'f') take = this.#height;
          else if (key.name === '<C-m>' || key.name === 'j') take = 1;
          else if (key.name === 'd') take = 11;
          else continue;
          break;
        }
        await this.#print('\r\x1b[K');
      }
      return 0;
    } finally {
      this.#tty.termios = before;
    }
  }
}

export const PAGER_PROGRAMS: readonly Program[] = [pager('less'), pager('more')];
