// Models GNU grep 2.20: grep, egrep, fgrep.

import type { Program } from '../../kernel/process.ts';
import { matchesPattern } from '../../shell/expand/pattern.ts';
import { RegexError, translatePosix } from '../../shell/interp/posix-regex.ts';
import { SysError } from '../../sim/errno.ts';
import { baseName, Exit, joinPath, tool, type Input, type Options, type Tool } from '../coreutils/lib/tool.ts';

const LONG = {
  'extended-regexp': 'E',
  'fixed-strings': 'F',
  'basic-regexp': 'G',
  'perl-regexp': 'P',
  regexp: 'e:',
  file: 'f:',
  'ignore-case': 'i',
  'invert-match': 'v',
  'word-regexp': 'w',
  'line-regexp': 'x',
  count: 'c',
  color: 'color::',
  colour: 'color::',
  'files-without-match': 'L',
  'files-with-matches': 'l',
  'max-count': 'm:',
  'only-matching': 'o',
  quiet: 'q',
  silent: 'q',
  'no-messages': 's',
  'byte-offset': 'b',
  'with-filename': 'H',
  'no-filename': 'h',
  label: 'label:',
  'line-number': 'n',
  'initial-tab': 'T',
  null: 'Z',
  'after-context': 'A:',
  'before-context': 'B:',
  context: 'C:',
  text: 'a',
  'binary-files': 'binary:',
  directories: 'd:',
  exclude: 'exclude:',
  'exclude-dir': 'exclude-dir:',
  include: 'include:',
  recursive: 'r',
  'dereference-recursive': 'R',
  'line-buffered': 'lb',
  'null-data': 'z',
};

const grep = (name: 'grep' | 'egrep' | 'fgrep'): Program =>
  tool(
    name,
    async (t) => {
      // -NUM is context.
      const args = t.args.flatMap((arg) => {
        const match = /^-(\d+)$/.exec(arg);
        return match === null ? [arg] : ['-C', match[1]!];
      });
      let o: Options;
      try {
        o = await t.options('A:B:C:EFGHILPTUVZabcd:e:f:hilLm:noqRrsuvwxyz', LONG, args);
      } catch (error) {
        if (error instanceof Exit && error.status === 2) throw error;
        throw error;
      }
      return new Grep(t, o, name).run();
    },
    { usageStatus: 2, paths: [`/usr/bin/${name}`] },
  );

class Grep {
  readonly #t: Tool;
  readonly #o: Options;
  readonly #name: string;
  #regex: RegExp = /(?:)/g;
  #test: RegExp = /(?:)/;
  #withName = false;
  #hasMatch = false;
  #hasError = false;
  readonly #colors: boolean;
  #after = 0;
  #before = 0;
  #limit = Infinity;
  #printedAny = false;

  constructor(t: Tool, o: Options, name: string) {
    this.#t = t;
    this.#o = o;
    this.#name = name;
    const when = o.has('color') ? (o.get('color') ?? 'auto') : 'never';
    this.#colors = when === 'always' || (when === 'auto' && t.isTerminal && t.env.get('TERM') !== 'dumb');
  }

  async run(): Promise<number> {
    const t = this.#t;
    const o = this.#o;
    const patterns = [...o.all('e')];
    for (const path of o.all('f')) {
      const input = await t.openInput(path);
      if (input === undefined) return 2;
      const text = await input.readText();
      if (text !== '') patterns.push(...text.replace(/\n$/, '').split('\n'));
      else if (o.all('e').length === 0) patterns.push('\0never\0');
    }
    const operands = [...o.rest];
    if (!o.has('e', 'f')) {
      const first = operands.shift();
      if (first === undefined) {
        await t.errorText(`Usage: ${this.#name} [OPTION]... PATTERN [FILE]...\nTry '${this.#name} --help' for more information.\n`);
        return 2;
      }
      patterns.push(first);
    }
    for (const [key, apply] of [
      ['A', (n: number) => (this.#after = n)],
      ['B', (n: number) => (this.#before = n)],
      ['C', (n: number) => (this.#after = this.#before = n)],
    ] as const) {
      const given = key === 'C' || o.has(key) ? o.get(key) : undefined;
      if (given === undefined) continue;
      if (!/^\d+$/.test(given)) return this.#fatal(`${given}: invalid context length argument`);
      if (key === 'C') {
        if (!o.has('A')) this.#after = Number(given);
        if (!o.has('B')) this.#before = Number(given);
      } else apply(Number(given));
    }
    if (o.has('m')) {
      if (!/^-?\d+$/.test(o.get('m')!)) return this.#fatal('invalid max count');
      this.#limit = Number(o.get('m'));
    }
    try {
      this.#compile(patterns.flatMap((pattern) => pattern.split('\n')));
    } catch (error) {
      if (!(error instanceof RegexError)) throw error;
      return this.#fatal(error.message);
    }
    const isRecursive = o.has('r', 'R') || o.get('d') === 'recurse';
    if (operands.length === 0) operands.push(isRecursive ? '.' : '-');
    this.#withName = o.last('h', 'H') === 'H' || (o.last('h', 'H') !== 'h' && (operands.length > 1 || isRecursive));
    const bare = isRecursive && o.rest.length === (o.has('e', 'f') ? 0 : 1);
    for (const path of operands) {
      await this.#path(path, isRecursive, true, bare);
      if (this.#hasMatch && o.has('q')) return 0;
    }
    if (this.#hasError) return 2;
    return this.#hasMatch ? 0 : 1;
  }

  async #fatal(message: string): Promise<number> {
    await this.#t.message(message);
    return 2;
  }

  #compile(patterns: readonly string[]): void {
    const o = this.#o;
    const kind = o.last('E', 'F', 'G', 'P') ?? (this.#name === 'egrep' ? 'E' : this.#name === 'fgrep' ? 'F' : 'G');
    const bodies = patterns.map((pattern) => {
      if (kind === 'F') return pattern.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
      if (kind === 'P') return pattern;
      return translatePosix(pattern, { extended: kind === 'E' });
    });
    let body = bodies.map((b) => `(?:${b})`).join('|');
    if (bodies.length === 1) body = bodies[0]!;
    if (o.has('x')) body = `^(?:${body})$`;
    else if (o.has('w')) body = `(?<![\\p{L}\\p{N}_])(?:${body})(?![\\p{L}\\p{N}_])`;
    const flags = `su${o.has('i', 'y') ? 'i' : ''}`;
    try {
      this.#regex = new RegExp(body, flags + 'g');
      this.#test = new RegExp(body, flags);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      if (kind !== 'P') throw new RegexError('Invalid regular expression');
      try {
        this.#regex = new RegExp(body, flags.replace('u', '') + 'g');
        this.#test = new RegExp(body, flags.replace('u', ''));
      } catch (inner) {
        if (inner instanceof SyntaxError) throw new RegexError(inner.message);
        throw inner;
      }
    }
  }

  async #path(path: string, isRecursive: boolean, isOperand: boolean, bare: boolean): Promise<void> {
    const t = this.#t;
    const o = this.#o;
    if (path === '-') {
      await this.#search((await t.openInput('-'))!, o.get('label') ?? '(standard input)');
      return;
    }
    const stat = isOperand || o.has('R') ? t.stat(path) : t.stat(path, false);
    if (stat?.kind === 'directory') {
      if (!isRecursive) {
        if (o.get('d') !== 'skip' && !o.has('s')) await t.message(`${path}: Is a directory`);
        return;
      }
      let names: string[];
      try {
        names = [...t.sys.readdir(path)];
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        this.#hasError = true;
        if (!o.has('s')) await t.message(`${path}: ${error.strerror}`);
        return;
      }
      for (const name of names) {
        const full = bare && isOperand ? name : joinPath(path, name);
        const child = t.stat(full, o.has('R'));
        if (child?.kind === 'directory') {
          if (o.all('exclude-dir').some((pattern) => matchesPattern(name, pattern))) continue;
        } else {
          if (child === undefined || (child.kind !== 'file' && !(child.kind === 'symlink' && o.has('R')))) continue;
          const included = o.all('include');
          if (included.length > 0 && !included.some((pattern) => matchesPattern(name, pattern))) continue;
          if (o.all('exclude').some((pattern) => matchesPattern(name, pattern))) continue;
        }
        await this.#path(full, true, false, bare);
        if (this.#hasMatch && o.has('q')) return;
      }
      return;
    }
    if (isOperand && stat !== undefined) {
      const name = baseName(path);
      if (o.all('exclude').some((pattern) => matchesPattern(name, pattern))) return;
      const included = o.all('include');
      if (included.length > 0 && !included.some((pattern) => matchesPattern(name, pattern))) return;
    }
    let fd: number;
    try {
      fd = t.sys.open(path, { read: true });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.#hasError = true;
      if (!o.has('s')) await t.message(`${path}: ${error.strerror}`);
      return;
    }
    t.sys.close(fd);
    const input = await t.openInput(path);
    if (input === undefined) return;
    try {
      await this.#search(input, path);
    } finally {
      input.close();
    }
  }

  async #search(input: Input, name: string): Promise<void> {
    const t = this.#t;
    const o = this.#o;
    const isInverted = o.has('v');
    const listsOnly = o.has('l', 'L', 'q', 'c');
    let number = 0;
    let count = 0;
    let afterLeft = 0;
    let lastPrinted = 0;
    let isBinary: boolean | undefined;
    let offset = 0;
    const queue: { readonly line: string; readonly number: number; readonly offset: number }[] = [];
    const hasContext = this.#after > 0 || this.#before > 0;
    if (this.#limit <= 0) return;
    outer: for await (const batch of input.batches()) {
      isBinary ??= !o.has('a') && batch.some((line) => line.includes('\0'));
      for (const line of batch) {
        number++;
        const lineOffset = offset;
        if (o.has('b')) offset += new TextEncoder().encode(line).length + 1;
        const isHit = count < this.#limit && this.#test.test(line) !== isInverted;
        if (isHit) {
          count++;
          this.#hasMatch = true;
          if (o.has('q')) return;
          if (o.has('l')) break outer;
          if (o.has('L')) break outer;
          if (isBinary && !listsOnly) {
            await t.write(`Binary file ${name} matches\n`);
            return;
          }
          if (!listsOnly) {
            if (
              hasContext && lastPrinted > 0
                ? (queue[0]?.number ?? number) > lastPrinted + 1
                : hasContext && this.#printedAny && lastPrinted === 0
            )
              await t.write(this.#paint('36', '--') + '\n');
            for (const item of queue) await this.#line(item.line, name, item.number, item.offset, '-', false);
            queue.length = 0;
            await this.#line(line, name, number, lineOffset, ':', true);
            lastPrinted = number;
            this.#printedAny = true;
            afterLeft = this.#after;
          }
          if (count >= this.#limit && afterLeft === 0) break outer;
          continue;
        }
        if (listsOnly) {
          if (count >= this.#limit) break outer;
          continue;
        }
        if (afterLeft > 0) {
          afterLeft--;
          await this.#line(line, name, number, lineOffset, '-', false);
          lastPrinted = number;
        } else if (count >= this.#limit) break outer;
        else if (this.#before > 0) {
          queue.push({ line, number, offset: lineOffset });
          if (queue.length > this.#before) queue.shift();
        }
      }
    }
    const prefix = this.#withName ? this.#paint('35', name) + (o.has('Z') ? '\0' : this.#paint('36', ':')) : '';
    if (o.has('c') && !o.has('l', 'L')) await t.write(`${prefix}${count}\n`);
    if ((o.has('l') && count > 0) || (o.has('L') && count === 0)) {
      await t.write(this.#paint('35', name) + (o.has('Z') ? '\0' : '\n'));
      if (o.has('L')) this.#hasMatch = true;
    }
  }

  #paint(color: string, text: string): string {
    return this.#colors ? `\x1b[${color}m\x1b[K${text}\x1b[m\x1b[K` : text;
  }

  async #line(line: string, name: string, number: number, offset: number, separator: string, isHit: boolean): Promise<void> {
    const t = this.#t;
    const o = this.#o;
    const mark = this.#paint('36', separator);
    const prefix =
      (this.#withName ? this.#paint('35', name) + (o.has('Z') ? '\0' : mark) : '') +
      (o.has('n') ? this.#paint('32', String(number)) + mark : '') +
      (o.has('b') ? this.#paint('32', String(offset)) + mark : '');
    if (o.has('o')) {
      if (!isHit || o.has('v')) return;
      for (const match of line.matchAll(this.#regex)) if (match[0] !== '') await t.write(`${prefix}${this.#paint('01;31', match[0])}\n`);
      return;
    }
    const shown =
      this.#colors && isHit && !o.has('v') ? line.replace(this.#regex, (match) => (match === '' ? '' : this.#paint('01;31', match))) : line;
    const written = t.write(`${prefix}${shown}\n`);
    if (written !== undefined) await written;
    if (o.has('lb')) await t.flush();
  }
}

export const GREP_PROGRAMS: readonly Program[] = [grep('grep'), grep('egrep'), grep('fgrep')];
