// Models GNU sed 4.2.2.

import type { Program } from '../../kernel/process.ts';
import { toBytes } from '../../shell/bytes.ts';
import { RegexError, translatePosix } from '../../shell/interp/posix-regex.ts';
import { SysError } from '../../sim/errno.ts';
import { Exit, tool, type Options, type Tool } from '../coreutils/lib/tool.ts';

type Address =
  | { readonly kind: 'line'; readonly line: number }
  | { readonly kind: 'last' }
  | { readonly kind: 'regex'; readonly regex: RegExp | undefined }
  | { readonly kind: 'step'; readonly first: number; readonly step: number }
  | { readonly kind: 'plus'; readonly count: number }
  | { readonly kind: 'multiple'; readonly count: number };

interface Command {
  readonly first: Address | undefined;
  readonly second: Address | undefined;
  readonly isNegated: boolean;
  readonly name: string;
  readonly text: string;
  readonly regex: RegExp | undefined;
  readonly replacement: readonly ReplacementPart[];
  readonly flags: {
    readonly global: boolean;
    readonly nth: number;
    readonly print: boolean;
    readonly evaluate: boolean;
    readonly file: string | undefined;
  };
  readonly map: ReadonlyMap<string, string> | undefined;
  /** Index of the command to go on with: of a `}` or a label. */
  target: number;
  // State of a range
  isActive: boolean;
  endLine: number;
}

type ReplacementPart = string | number | { readonly change: 'U' | 'L' | 'u' | 'l' | 'E' };

class SedError extends Error {}

class Parser {
  readonly #source: string;
  readonly #extended: boolean;
  #at = 0;
  readonly commands: Command[] = [];
  readonly #blocks: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { readonly command: Command; readonly label: string }[] = [];
  readonly #expression: number;

  constructor(source: string, extended: boolean, expression: number) {
    this.#source = source;
    this.#extended = extended;
    this.#expression = expression;
  }

  #fail(message: string): never {
    throw new SedError(`-e expression #${this.#expression}, char ${Math.max(this.#at, 0)}: ${message}`);
  }

  parse(): readonly Command[] {
    const s = this.#source;
    for (;;) {
      while (this.#at < s.length && /[\s;]/.test(s[this.#at]!)) this.#at++;
      if (this.#at >= s.length) break;
      if (s[this.#at] === '#') {
        const end = s.indexOf('\n', this.#at);
        this.#at = end < 0 ? s.length : end;
        continue;
      }
      this.#command();
    }
    if (this.#blocks.length > 0) {
      this.#at = 0;
      this.#fail("unmatched `{'");
    }
    for (const { command, label } of this.#jumps) {
      if (label === '') command.target = this.commands.length;
      else {
        const target = this.#labels.get(label);
        if (target === undefined) throw new SedError(`can't find label for jump to \`${label}'`);
        command.target = target;
      }
    }
    return this.commands;
  }

  #blanks(): void {
    while (/[ \t]/.test(this.#source[this.#at] ?? '')) this.#at++;
  }

  #address(isSecond: boolean): Address | undefined {
    const s = this.#source;
    const c = s[this.#at];
    if (c === undefined) return undefined;
    const number = /^\d+/.exec(s.slice(this.#at));
    if (number !== null) {
      this.#at += number[0].length;
      const step = /^~(\d+)/.exec(s.slice(this.#at));
      if (step !== null && !isSecond) {
        this.#at += step[0].length;
        return { kind: 'step', first: Number(number[0]), step: Number(step[1]) };
      }
      return { kind: 'line', line: Number(number[0]) };
    }
    if (c === '$') {
      this.#at++;
      return { kind: 'last' };
    }
    if (isSecond && (c === '+' || c === '~')) {
      const count = /^\d+/.exec(s.slice(this.#at + 1));
      if (count === null) this.#fail('expected number');
      this.#at += 1 + count[0].length;
      return c === '+' ? { kind: 'plus', count: Number(count[0]) } : { kind: 'multiple', count: Number(count[0]) };
    }
    if (c === '/' || c === '\\') {
      if (c === '\\') this.#at++;
      const delimiter = s[this.#at]!;
      this.#at++;
      const source = this.#delimited(delimiter, true, 'unterminated address regex');
      let ignoreCase = false;
      let multiline = false;
      for (; /[IM]/.test(s[this.#at] ?? ''); this.#at++) {
        if (s[this.#at] === 'I') ignoreCase = true;
        else multiline = true;
      }
      return { kind: 'regex', regex: source === '' ? undefined : this.#regex(source, ignoreCase, multiline) };
    }
    return undefined;
  }

  /** Text up to an unquoted delimiter; a quoted one loses its backslash. */
  #delimited(delimiter: string, isRegex: boolean, message: string): string {
    const s = this.#source;
    let out = '';
    let inBracket = false;
    for (; this.#at < s.length; this.#at++) {
      const c = s[this.#at]!;
      if (c === '\\') {
        const next = s[this.#at + 1];
        if (next === delimiter && !inBracket) {
          out +=
            isRegex && /[|+?(){}.*^$[\]]/.test(delimiter) && delimiter !== '/'
              ? /[|+?(){}]/.test(delimiter)
                ? delimiter
                : '\\' + delimiter
              : delimiter;
          this.#at++;
          continue;
        }
        if (inBracket) {
          out += c;
          if (next === 'n' || next === ']') continue;
          continue;
        }
        out += c + (next ?? '');
        this.#at++;
        continue;
      }
      if (isRegex && c === '\n' && delimiter !== '\n' && message.includes('address')) this.#fail(message);
      if (isRegex) {
        if (inBracket) {
          if (c === ']') inBracket = false;
        } else if (c === '[') {
          const rest = s.slice(this.#at);
          const open = /^\[\^?\]?(?:\[[:.=][^\]]*[:.=]\]|[^\]])*\]/.exec(rest);
          if (open !== null) {
            out += open[0].replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll('\\/', '/');
            this.#at += open[0].length - 1;
            continue;
          }
        }
      }
      if (c === delimiter) {
        this.#at++;
        return out;
      }
      out += c;
    }
    return this.#fail(message);
  }

  #regex(source: string, ignoreCase: boolean, multiline: boolean): RegExp {
    try {
      const body = translatePosix(source, { extended: this.#extended, escapes: true });
      return new RegExp(body, `su${ignoreCase ? 'i' : ''}${multiline ? 'm' : ''}g`);
    } catch (error) {
      if (error instanceof RegexError) return this.#fail(error.message);
      if (error instanceof SyntaxError) return this.#fail('Invalid preceding regular expression');
      throw error;
    }
  }

  #command(): void {
    const s = this.#source;
    const first = this.#address(false);
    this.#blanks();
    let second: Address | undefined;
    if (first !== undefined && s[this.#at] === ',') {
      this.#at++;
      this.#blanks();
      second = this.#address(true);
      if (second === undefined) {
        this.#at++;
        this.#fail("unexpected `,'");
      }
    }
    this.#blanks();
    let isNegated = false;
    while (s[this.#at] === '!') {
      isNegated = true;
      this.#at++;
      this.#blanks();
    }
    const name = s[this.#at];
    if (name === undefined) this.#fail('missing command');
    this.#at++;
    if (first?.kind === 'line' && first.line === 0 && second?.kind !== 'regex') this.#fail('invalid usage of line address 0');
    const base = {
      first,
      second,
      isNegated,
      name,
      text: '',
      regex: undefined as RegExp | undefined,
      replacement: [] as readonly ReplacementPart[],
      map: undefined as Command['map'],
      target: -1,
      isActive: false,
      endLine: 0,
    };
    const flags = { global: false, nth: 0, print: false, evaluate: false, file: undefined as string | undefined };
    const add = (extra: Partial<Command> = {}): Command => {
      const command: Command = { ...base, flags, ...extra };
      this.commands.push(command);
      return command;
    };
    const end = (): void => {
      this.#blanks();
      const c = s[this.#at];
      if (c === undefined || c === '\n' || c === ';' || c === '}' || c === '#') return;
      this.#at++;
      this.#fail('extra characters after command');
    };
    switch (name) {
      case '{':
        this.#blocks.push(this.commands.length);
        add();
        return;
      case '}': {
        if (first !== undefined) this.#fail("} doesn't want any addresses");
        const open = this.#blocks.pop();
        if (open === undefined) this.#fail("unexpected `}'");
        add();
        this.commands[open]!.target = this.commands.length;
        end();
        return;
      }
      case '=':
      case 'd':
      case 'D':
      case 'g':
      case 'G':
      case 'h':
      case 'H':
      case 'n':
      case 'N':
      case 'p':
      case 'P':
      case 'x':
      case 'z':
      case 'F':
        add();
        end();
        return;
      case 'q':
      case 'Q':
      case 'l':
      case 'L': {
        this.#blanks();
        const number = /^\d+/.exec(s.slice(this.#at))?.[0] ?? '';
        this.#at += number.length;
        add({ text: number });
        end();
        return;
      }
      case ':': {
        if (first !== undefined) this.#fail(": doesn't want any addresses");
        this.#blanks();
        const label = /^[^\n;]*/.exec(s.slice(this.#at))![0];
        this.#at += label.length;
        if (label.trim() === '') this.#fail('":" lacks a label');
        this.#labels.set(label.trim(), this.commands.length);
        return;
      }
      case 'b':
      case 't':
      case 'T': {
        this.#blanks();
        const label = /^[^\n;}]*/.exec(s.slice(this.#at))![0];
        this.#at += label.length;
        this.#jumps.push({ command: add(), label: label.trim() });
        return;
      }
      case 'a':
      case 'i':
      case 'c': {
        this.#blanks();
        if (s[this.#at] === '\\') {
          this.#at++;
          const blank = /^[ \t]*\n/.exec(s.slice(this.#at));
          if (blank !== null) this.#at += blank[0].length;
          else this.#blanks();
        }
        if (this.#at >= s.length) this.#fail("expected \\ after `a', `c' or `i'");
        let text = '';
        for (; this.#at < s.length && s[this.#at] !== '\n'; this.#at++) {
          if (s[this.#at] === '\\') {
            this.#at++;
            const next = s[this.#at] ?? '';
            text += next === 't' && text !== '' ? '\t' : next;
          } else text += s[this.#at];
        }
        add({ text: text + '\n' });
        return;
      }
      case 'r':
      case 'R':
      case 'w':
      case 'W': {
        this.#blanks();
        const file = /^[^\n]*/.exec(s.slice(this.#at))![0];
        this.#at += file.length;
        if (file === '') this.#fail('missing filename in r/R/w/W commands');
        add({ text: file });
        return;
      }
      case 'e': {
        const text = /^[^\n]*/.exec(s.slice(this.#at))![0];
        this.#at += text.length;
        add({ text: text.trim() });
        return;
      }
      case 's': {
        const delimiter = s[this.#at];
        if (delimiter === undefined || delimiter === '\n' || delimiter === '\\') this.#fail("unterminated `s' command");
        this.#at++;
        const source = this.#delimited(delimiter, true, "unterminated `s' command");
        const replacement = this.#replacement(delimiter);
        let ignoreCase = false;
        let multiline = false;
        for (;;) {
          const c = s[this.#at];
          if (c === 'g') flags.global = true;
          else if (c === 'p') flags.print = true;
          else if (c === 'i' || c === 'I') ignoreCase = true;
          else if (c === 'm' || c === 'M') multiline = true;
          else if (c === 'e') flags.evaluate = true;
          else if (c !== undefined && /\d/.test(c)) {
            const number = /^\d+/.exec(s.slice(this.#at))![0];
            if (Number(number) === 0) {
              this.#at++;
              this.#fail("number option to `s' command may not be zero");
            }
            flags.nth = Number(number);
            this.#at += number.length - 1;
          } else if (c === 'w') {
            this.#at++;
            this.#blanks();
            const file = /^[^\n]*/.exec(s.slice(this.#at))![0];
            flags.file = file;
            this.#at += file.length;
            break;
          } else if (c === undefined || /[\s;}#]/.test(c)) break;
          else {
            this.#at++;
            this.#fail("unknown option to `s'");
          }
          this.#at++;
        }
        const regex = source === '' ? undefined : this.#regex(source, ignoreCase, multiline);
        const groups = (source.match(this.#extended ? /(?<!\\)\((?!\?)/g : /\\\(/g) ?? []).length;
        const highest = replacement.reduce<number>((max, part) => (typeof part === 'number' ? Math.max(max, part) : max), 0);
        if (regex !== undefined && highest > groups) this.#fail(`invalid reference \\${highest} on \`s' command's RHS`);
        add({ regex, replacement });
        end();
        return;
      }
      case 'y': {
        const delimiter = s[this.#at];
        if (delimiter === undefined) this.#fail("unterminated `y' command");
        this.#at++;
        const unescape = (text: string): string[] => [
          ...text.replace(/\\([\\nt])/g, (_, c: string) => ({ '\\': '\\', n: '\n', t: '\t' })[c]!),
        ];
        const from = unescape(this.#delimited(delimiter, false, "unterminated `y' command"));
        const to = unescape(this.#delimited(delimiter, false, "unterminated `y' command"));
        if (from.length !== to.length) this.#fail("strings for `y' command are different lengths");
        add({ map: new Map(from.map((c, i) => [c, to[i]!])) });
        end();
        return;
      }
      default:
        this.#fail(`unknown command: \`${name}'`);
    }
  }

  #replacement(delimiter: string): ReplacementPart[] {
    const s = this.#source;
    const out: ReplacementPart[] = [];
    let text = '';
    const flush = (): void => {
      if (text !== '') out.push(text);
      text = '';
    };
    for (; this.#at < s.length; this.#at++) {
      const c = s[this.#at]!;
      if (c === delimiter) {
        this.#at++;
        flush();
        return out;
      }
      if (c === '&') {
        flush();
        out.push(0);
      } else if (c === '\\') {
        const next = s[++this.#at];
        if (next === undefined) break;
        if (/\d/.test(next)) {
          flush();
          out.push(Number(next));
        } else if (/[ULulE]/.test(next)) {
          flush();
          out.push({ change: next as 'U' });
        } else text += { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07' }[next] ?? next;
      } else text += c;
    }
    return this.#fail("unterminated `s' command");
  }
}

class Runner {
  readonly #t: Tool;
  readonly #commands: readonly Command[];
  readonly #o: Options;
  readonly #outputs = new Map<string, string>();
  #space = '';
  #hold = '';
  #line = 0;
  #append: string[] = [];
  #lastRegex: RegExp | undefined;
  #replaced = false;
  #quitStatus: number | undefined;
  #out: string | undefined;
  #lines: AsyncGenerator<{ readonly text: string; readonly isUnterminated: boolean }> | undefined;
  #next: { readonly text: string; readonly isUnterminated: boolean } | undefined;
  #missingNewline = false;
  #path = '-';

  constructor(t: Tool, commands: readonly Command[], o: Options) {
    this.#t = t;
    this.#commands = commands;
    this.#o = o;
  }

  /** Runs the script over these files as one stream; `capture` returns the output instead of printing it. */
  async run(paths: readonly string[], capture: boolean): Promise<string> {
    this.#out = capture ? '' : undefined;
    if (this.#o.has('s') || capture) this.#line = 0;
    this.#lines = this.#read(paths);
    this.#next = (await this.#lines.next()).value ?? undefined;
    while (this.#next !== undefined && this.#quitStatus === undefined) {
      await this.#fetch();
      let again = true;
      while (again) again = (await this.#cycle()) === 'restart';
    }
    for (const [file, text] of this.#outputs) {
      if (file === '/dev/stdout' || file === '/dev/stderr') continue;
      this.#t.sys.writeFile(file, toBytes(text));
    }
    return this.#out ?? '';
  }

  get quitStatus(): number | undefined {
    return this.#quitStatus;
  }

  async *#read(paths: readonly string[]): AsyncGenerator<{ readonly text: string; readonly isUnterminated: boolean }> {
    for (const path of paths) {
      let input;
      if (path === '-') input = await this.#t.openInput('-');
      else {
        try {
          this.#t.sys.close(this.#t.sys.open(path, { read: true }));
          input = await this.#t.openInput(path);
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
          await this.#t.fail(`can't read ${path}: ${error.strerror}`, 2);
          continue;
        }
      }
      if (input === undefined) continue;
      if (input.file.kind === 'directory') {
        await this.#t.fail(`read error on ${path}: Is a directory`, 2);
        continue;
      }
      this.#path = path;
      for await (const text of input.lines(this.#o.has('z') ? 0 : 10)) yield { text, isUnterminated: input.isUnterminated };
      input.close();
    }
  }

  async #fetch(): Promise<boolean> {
    if (this.#next === undefined) return false;
    this.#space = this.#next.text;
    this.#missingNewline = this.#next.isUnterminated;
    this.#line++;
    // The line after is needed to know the last one, but only where `$` is asked for; reading ahead would hold a terminal.
    const result = await this.#lines!.next();
    this.#next = result.done ? undefined : result.value;
    return true;
  }

  async #print(text: string, isPatternSpace = true): Promise<void> {
    const end = this.#o.has('z') ? '\0' : '\n';
    const out = text + (isPatternSpace && this.#missingNewline && this.#next === undefined ? '' : end);
    await this.#raw(out);
  }

  async #raw(text: string): Promise<void> {
    if (this.#out === undefined) {
      await this.#t.write(text);
      if (this.#o.has('u')) await this.#t.flush();
    } else this.#out += text;
  }

  #matches(address: Address): boolean {
    switch (address.kind) {
      case 'line':
        return this.#line === address.line;
      case 'last':
        return this.#next === undefined;
      case 'step':
        return address.step === 0
          ? this.#line === address.first
          : this.#line >= address.first && (this.#line - address.first) % address.step === 0;
      case 'regex':
        return this.#test(address.regex);
      default:
        return false;
    }
  }

  #test(regex: RegExp | undefined): boolean {
    const used = regex ?? this.#lastRegex;
    if (used === undefined) throw new SedError('no previous regular expression');
    this.#lastRegex = used;
    used.lastIndex = 0;
    return used.test(this.#space);
  }

  #selects(command: Command): boolean {
    const { first, second } = command;
    if (first === undefined) return true;
    if (second === undefined) return this.#matches(first);
    if (command.isActive) {
      if (second.kind === 'line' || second.kind === 'plus' || second.kind === 'multiple') {
        if (this.#line >= command.endLine) command.isActive = false;
        // A range whose end has passed already was one line long.
        return this.#line <= command.endLine;
      }
      if (this.#matches(second)) command.isActive = false;
      return true;
    }
    const startsAtZero = first.kind === 'line' && first.line === 0;
    if (startsAtZero ? this.#line === 1 : this.#matches(first)) {
      if (second.kind === 'line') {
        command.endLine = second.line;
        command.isActive = second.line > this.#line;
      } else if (second.kind === 'plus') {
        command.endLine = this.#line + second.count;
        command.isActive = second.count > 0;
      } else if (second.kind === 'multiple') {
        command.endLine = second.count === 0 ? this.#line : Math.ceil(this.#line / second.count) * second.count;
        command.isActive = command.endLine > this.#line;
      } else if (second.kind === 'last') command.isActive = this.#next !== undefined;
      else command.isActive = startsAtZero ? !this.#matches(second) : true;
      return true;
    }
    return false;
  }

  async #cycle(): Promise<'restart' | 'done'> {
    const commands = this.#commands;
    this.#replaced = false;
    let isDeleted = false;
    let result: 'restart' | 'done' = 'done';
    for (let at = 0; at < commands.length; at++) {
      const command = commands[at]!;
      if (this.#selects(command) === command.isNegated) {
        if (command.name === '{') at = command.target - 1;
        continue;
      }
      switch (command.name) {
        case '{':
        case '}':
          break;
        case '=':
          await this.#raw(`${this.#line}\n`);
          break;
        case 'a':
          this.#append.push(command.text);
          break;
        case 'i':
          await this.#raw(command.text);
          break;
        case 'c':
          if (command.second === undefined || command.isNegated || !command.isActive) await this.#raw(command.text);
          isDeleted = true;
          break;
        case 'd':
          isDeleted = true;
          break;
        case 'D': {
          const newline = this.#space.indexOf('\n');
          if (newline < 0) isDeleted = true;
          else {
            this.#space = this.#space.slice(newline + 1);
            isDeleted = true;
            result = 'restart';
          }
          break;
        }
        case 'e':
          await this.#t.die('not emulated: the e command');
          break;
        case 'F':
          await this.#raw(`${this.#path}\n`);
          break;
        case 'g':
          this.#space = this.#hold;
          break;
        case 'G':
          this.#space += '\n' + this.#hold;
          break;
        case 'h':
          this.#hold = this.#space;
          break;
        case 'H':
          this.#hold += '\n' + this.#space;
          break;
        case 'l':
          await this.#raw(list(this.#space, Number(command.text || this.#o.get('l') || 70)));
          break;
        case 'n':
          if (this.#next === undefined) {
            if (!this.#o.has('n')) await this.#print(this.#space);
            await this.#flushAppend();
            this.#quitStatus ??= 0;
            return 'done';
          }
          if (!this.#o.has('n')) await this.#print(this.#space);
          await this.#flushAppend();
          await this.#fetch();
          break;
        case 'N': {
          if (this.#next === undefined) {
            if (!this.#o.has('n', 'posix')) await this.#print(this.#space);
            await this.#flushAppend();
            this.#quitStatus ??= 0;
            return 'done';
          }
          const before = this.#space;
          await this.#flushAppend();
          await this.#fetch();
          this.#space = `${before}\n${this.#space}`;
          break;
        }
        case 'p':
          await this.#print(this.#space);
          break;
        case 'P':
          await this.#print(this.#space.split('\n')[0]!, false);
          break;
        case 'q':
        case 'Q':
          this.#quitStatus = Number(command.text || 0);
          if (command.name === 'q') {
            if (!this.#o.has('n')) await this.#print(this.#space);
            await this.#flushAppend();
          }
          return 'done';
        case 'r':
        case 'R':
          try {
            this.#append.push(this.#t.sys.readTextFile(command.text));
          } catch (error) {
            if (!(error instanceof SysError)) throw error;
          }
          break;
        case 's':
          await this.#substitute(command);
          break;
        case 't':
          if (this.#replaced) {
            this.#replaced = false;
            at = command.target - 1;
          }
          break;
        case 'T':
          if (!this.#replaced) at = command.target - 1;
          this.#replaced = false;
          break;
        case 'b':
          at = command.target - 1;
          break;
        case 'w':
        case 'W':
          await this.#output(command.text, (command.name === 'w' ? this.#space : this.#space.split('\n')[0]!) + '\n');
          break;
        case 'x':
          [this.#space, this.#hold] = [this.#hold, this.#space];
          break;
        case 'y':
          this.#space = [...this.#space].map((c) => command.map!.get(c) ?? c).join('');
          break;
        case 'z':
          this.#space = '';
          break;
      }
      if (isDeleted) break;
    }
    if (!isDeleted && !this.#o.has('n')) await this.#print(this.#space);
    await this.#flushAppend();
    return result;
  }

  async #flushAppend(): Promise<void> {
    if (this.#append.length === 0) return;
    if (this.#missingNewline && this.#next === undefined) {
      await this.#raw('\n');
      this.#missingNewline = false;
    }
    for (const text of this.#append) await this.#raw(text);
    this.#append = [];
  }

  async #output(file: string, text: string): Promise<void> {
    if (file === '/dev/stdout') await this.#raw(text);
    else if (file === '/dev/stderr') await this.#t.errorText(text);
    else this.#outputs.set(file, (this.#outputs.get(file) ?? '') + text);
  }

  async #substitute(command: Command): Promise<void> {
    const regex = command.regex ?? this.#lastRegex;
    if (regex === undefined) throw new SedError('no previous regular expression');
    this.#lastRegex = regex;
    regex.lastIndex = 0;
    let count = 0;
    let isChanged = false;
    const { global, nth } = command.flags;
    let out = '';
    let from = 0;
    let lastEnd = -1;
    for (const match of this.#space.matchAll(regex)) {
      // An empty match right after another one is none.
      if (match[0] === '' && match.index === lastEnd) continue;
      lastEnd = match.index + match[0].length;
      count++;
      if (count < nth) continue;
      out += this.#space.slice(from, match.index) + build(command.replacement, match);
      from = match.index + match[0].length;
      isChanged = true;
      if (!global) break;
    }
    if (!isChanged) return;
    this.#space = out + this.#space.slice(from);
    this.#replaced = true;
    if (command.flags.print) await this.#print(this.#space);
    if (command.flags.file !== undefined) await this.#output(command.flags.file, this.#space + '\n');
  }
}

function build(parts: readonly ReplacementPart[], match: RegExpMatchArray): string {
  let out = '';
  let mode = 'E';
  let once = '';
  for (const part of parts) {
    if (typeof part === 'object') {
      if (part.change === 'u' || part.change === 'l') once = part.change;
      else mode = part.change;
      continue;
    }
    let text = typeof part === 'number' ? (match[part] ?? '') : part;
    if (mode === 'U') text = text.toUpperCase();
    else if (mode === 'L') text = text.toLowerCase();
    if (once !== '' && text !== '') {
      text = (once === 'u' ? text[0]!.toUpperCase() : text[0]!.toLowerCase()) + text.slice(1);
      once = '';
    }
    out += text;
  }
  return out;
}

function list(text: string, width: number): string {
  let out = '';
  let column = 0;
  const escapes: Readonly<Record<string, string>> = {
    '\\': '\\\\',
    '\x07': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
  };
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const piece =
      escapes[char] ??
      (code < 32 || code > 126 ? [...new TextEncoder().encode(char)].map((b) => '\\' + b.toString(8).padStart(3, '0')).join('') : char);
    if (width > 1 && column + piece.length > width - 1) {
      out += '\\\n';
      column = 0;
    }
    out += piece;
    column += piece.length;
  }
  return out + '$\n';
}

const sed = tool('sed', async (t) => {
  let o: Options;
  try {
    o = await t.options('bf:e:Ei::l:nrsuz', {
      quiet: 'n',
      silent: 'n',
      expression: 'e:',
      file: 'f:',
      'in-place': 'i::',
      'line-length': 'l:',
      posix: 'posix',
      'regexp-extended': 'r',
      separate: 's',
      unbuffered: 'u',
      'null-data': 'z',
      'follow-symlinks': 'fs',
    });
  } catch (error) {
    if (error instanceof Exit) return error.status;
    throw error;
  }
  const rest = [...o.rest];
  let script: string;
  const parts = o.list.filter((option) => option.key === 'e' || option.key === 'f');
  if (parts.length === 0) {
    const first = rest.shift();
    if (first === undefined) {
      await t.errorText('Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n');
      return 1;
    }
    script = first;
  } else {
    const sources: string[] = [];
    for (const part of parts) {
      if (part.key === 'e') sources.push(part.value!);
      else {
        try {
          sources.push(
            (part.value === '-' ? await (await t.openInput('-'))!.readText() : t.sys.readTextFile(part.value!)).replace(/\n$/, ''),
          );
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
          return void (await t.die(`couldn't open file ${part.value}: ${error.strerror}`));
        }
      }
    }
    script = sources.join('\n');
  }
  let options = o;
  if (/^#n\n/.test(script)) {
    options = o;
    options.add('n', undefined);
  }
  try {
    const commands = new Parser(script, o.has('r', 'E'), Math.max(1, parts.length)).parse();
    if (o.has('i')) {
      const suffix = o.get('i') ?? '';
      for (const path of rest) {
        const stat = t.stat(path);
        if (stat === undefined) {
          await t.fail(`can't read ${path}: No such file or directory`, 1);
          continue;
        }
        if (stat.kind !== 'file') {
          await t.fail(`couldn't edit ${path}: not a regular file`, 4);
          continue;
        }
        const runner = new Runner(t, commands, options);
        const before = t.sys.readFile(path);
        const out = await runner.run([path], true);
        if (suffix !== '')
          t.sys.writeFile(suffix.includes('*') ? suffix.replaceAll('*', path) : path + suffix, before, { mode: stat.mode });
        t.sys.writeFile(path, toBytes(out));
        if (runner.quitStatus !== undefined && runner.quitStatus !== 0) return runner.quitStatus;
      }
      return t.status;
    }
    const runner = new Runner(t, commands, options);
    await runner.run(rest.length === 0 ? ['-'] : rest, false);
    return runner.quitStatus !== undefined && runner.quitStatus !== 0 ? runner.quitStatus : t.status;
  } catch (error) {
    if (!(error instanceof SedError)) throw error;
    return void (await t.die(error.message));
  }
});

export const SED_PROGRAMS: readonly Program[] = [sed];
