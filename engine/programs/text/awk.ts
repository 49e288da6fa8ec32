// Models gawk 4.0.

import type { Program } from '../../kernel/process.ts';
import { formatPrintf } from '../../shell/interp/printf.ts';
import { RegexError, compilePosix } from '../../shell/interp/posix-regex.ts';
import { formatTime } from '../../shell/time-format.ts';
import { toBytes } from '../../shell/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import { compareBytes } from '../../shell/collate.ts';
import { Exit, tool, type Input, type Tool } from '../coreutils/lib/tool.ts';
import { AwkParser, AwkSyntaxError, type Expr, type Rule, type Stmt } from './awk-parser.ts';

/** A number, a string, or a string from input that counts as a number when it looks like one. */
type Value = number | string | StrNum;
class StrNum {
  readonly text: string;
  readonly value: number | undefined;
  constructor(text: string) {
    this.text = text;
    const trimmed = text.trim();
    this.value =
      trimmed !== '' && /^[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)$/.test(trimmed) ? Number(trimmed) : undefined;
  }
}
type AwkArray = Map<string, Value>;
const UNSET = new StrNum('');
type Jump = 'next' | 'nextfile' | 'break' | 'continue' | 'return' | 'exit' | undefined;

class Fatal extends Error {}

class Awk {
  readonly #t: Tool;
  readonly #rules: readonly Rule[];
  readonly #functions: AwkParser['functions'];
  readonly #globals = new Map<string, Value | AwkArray>();
  #locals: Map<string, Value | AwkArray> | undefined;
  #record = '';
  #fields: Value[] = [];
  #isSplit = true;
  #nf = 0;
  #exitStatus = 0;
  #returned: Value = UNSET;
  #rng: () => number;
  #seed = 0;
  #steps = 0;
  readonly #outputs = new Map<string, { readonly fd: number; readonly pid: number | undefined }>();
  readonly #inputs = new Map<string, { readonly lines: AsyncGenerator<string>; readonly fd: number; readonly pid: number | undefined }>();
  #main: AsyncGenerator<string> | undefined;
  #operands: { at: number } = { at: 1 };
  #input: Input | undefined;
  #depth = 0;
  readonly #regexes = new Map<string, RegExp>();

  constructor(t: Tool, parser: AwkParser) {
    this.#t = t;
    this.#rules = parser.rules;
    this.#functions = parser.functions;
    const rng = t.sys.rng;
    this.#rng = () => rng.float();
    for (const [name, value] of Object.entries({
      FS: ' ',
      OFS: ' ',
      RS: '\n',
      ORS: '\n',
      SUBSEP: '\x1c',
      CONVFMT: '%.6g',
      OFMT: '%.6g',
      FILENAME: '',
    }))
      this.#globals.set(name, value);
    for (const name of ['NR', 'FNR', 'RSTART']) this.#globals.set(name, 0);
    this.#globals.set('RLENGTH', -1);
    const environ: AwkArray = new Map();
    for (const [name, value] of t.env) environ.set(name, new StrNum(value));
    this.#globals.set('ENVIRON', environ);
  }

  setArguments(args: readonly string[]): void {
    this.#globals.set('ARGC', args.length);
    this.#globals.set('ARGV', new Map(args.map((arg, i) => [String(i), new StrNum(arg)])));
  }

  assign(text: string): void {
    const at = text.indexOf('=');
    const raw = text
      .slice(at + 1)
      .replace(
        /\\([\\"/ntrabfv]|[0-7]{1,3})/g,
        (_, c: string) =>
          ({ n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', '/': '/', a: '\x07', b: '\b', f: '\f', v: '\v' })[c] ??
          String.fromCharCode(Number.parseInt(c, 8)),
      );
    this.#setVariable(text.slice(0, at), new StrNum(raw));
  }

  async run(): Promise<number> {
    let jump: Jump;
    for (const rule of this.#rules) {
      if (rule.kind !== 'BEGIN') continue;
      jump = await this.#statement(rule.body!);
      if (jump === 'exit') break;
    }
    const readsInput = this.#rules.some((rule) => rule.kind !== 'BEGIN');
    if (jump !== 'exit' && readsInput) {
      while (await this.#nextRecord()) {
        jump = await this.#rulesFor();
        if (jump === 'exit') break;
        if (jump === 'nextfile') this.#main = undefined;
      }
    }
    for (const rule of this.#rules) {
      if (rule.kind !== 'END') continue;
      if ((await this.#statement(rule.body!)) === 'exit') break;
    }
    await this.#closeAll();
    return this.#exitStatus || this.#t.status;
  }

  async #rulesFor(): Promise<Jump> {
    for (const rule of this.#rules) {
      if (rule.kind === 'BEGIN' || rule.kind === 'END') continue;
      if (rule.kind === 'range') {
        if (!rule.isActive) {
          if (!truth(await this.#eval(rule.pattern!))) continue;
          rule.isActive = true;
        }
        if (truth(await this.#eval(rule.end!))) rule.isActive = false;
      } else if (rule.pattern !== undefined) {
        const value = this.#fast(rule.pattern) ?? (await this.#eval(rule.pattern));
        if (!truth(value)) continue;
      }
      const jump = rule.body === undefined ? await this.#printRecord() : await this.#statement(rule.body);
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  async #printRecord(): Promise<undefined> {
    const wait = this.#t.write(this.#text0() + this.#string(this.#variable('ORS')));
    if (wait !== undefined) await wait;
    return undefined;
  }

  // Records

  async #nextRecord(): Promise<boolean> {
    const line = await this.#readMain();
    if (line === undefined) return false;
    this.#setRecord(line);
    return true;
  }

  async #readMain(): Promise<string | undefined> {
    for (;;) {
      if (this.#main === undefined && !(await this.#openNext())) return undefined;
      const next = await this.#main!.next();
      if (next.done) {
        this.#input?.close();
        this.#input = undefined;
        this.#main = undefined;
        continue;
      }
      this.#globals.set('NR', this.#number(this.#variable('NR')) + 1);
      this.#globals.set('FNR', this.#number(this.#variable('FNR')) + 1);
      if (++this.#steps % 256 === 0) await this.#t.sys.spendCpu(64);
      return next.value;
    }
  }

  #usedStdin = false;

  async #openNext(): Promise<boolean> {
    const argv = this.#globals.get('ARGV') as AwkArray;
    const argc = this.#number(this.#variable('ARGC'));
    for (; this.#operands.at < argc;) {
      const value = argv.get(String(this.#operands.at++));
      const path = value === undefined ? '' : this.#string(value);
      if (path === '') continue;
      if (/^[A-Za-z_]\w*=/.test(path)) {
        this.assign(path);
        continue;
      }
      this.#usedStdin = true;
      let input: Input | undefined;
      try {
        if (path !== '-') this.#t.sys.close(this.#t.sys.open(path, { read: true }));
        input = await this.#t.openInput(path);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        await this.#t.fail(`cmd. line:1: fatal: cannot open file \`${path}' for reading (${error.strerror})`, 2);
        throw new Exit(2);
      }
      if (input === undefined) continue;
      if (input.file.kind === 'directory') {
        await this.#t.message(`warning: command line argument \`${path}' is a directory: skipped`);
        continue;
      }
      this.#globals.set('FILENAME', path === '-' ? '' : path);
      this.#globals.set('FNR', 0);
      this.#input = input;
      this.#main = this.#records(input);
      return true;
    }
    if (this.#usedStdin) return false;
    this.#usedStdin = true;
    this.#input = (await this.#t.openInput('-'))!;
    this.#globals.set('FNR', 0);
    this.#main = this.#records(this.#input);
    return true;
  }

  async *#records(input: Input): AsyncGenerator<string> {
    const rs = this.#string(this.#variable('RS'));
    if (rs === '\n') {
      yield* input.lines();
      return;
    }
    if (rs.length === 1 && rs.charCodeAt(0) < 128) {
      let last: string | undefined;
      for await (const record of input.lines(rs.charCodeAt(0))) {
        if (last !== undefined) yield last;
        last = record;
      }
      if (last !== undefined) {
        if (input.isUnterminated) last = last.replace(/\n$/, '');
        if (!(input.isUnterminated && last === '')) yield last;
      }
      return;
    }
    const text = await input.readText();
    if (rs === '') {
      for (const record of text.replace(/^\n+|\n+$/g, '').split(/\n\n+/)) if (record !== '') yield record;
      return;
    }
    const parts = text.split(new RegExp(this.#regex(rs).source.replace(/\((?!\?)/g, '(?:'), 'su'));
    if (parts.at(-1) === '' || parts.at(-1) === '\n') parts.pop();
    yield* parts;
  }

  #setRecord(text: string): void {
    this.#record = text;
    this.#isSplit = false;
  }

  #text0(): string {
    return this.#record;
  }

  #split(): void {
    if (this.#isSplit) return;
    this.#isSplit = true;
    const parts = this.#splitText(this.#record, this.#string(this.#variable('FS')), this.#variable('RS') === '');
    this.#fields = parts.map((part) => new StrNum(part));
    this.#nf = parts.length;
  }

  #splitText(text: string, fs: string | RegExp, isParagraph = false): string[] {
    if (text === '') return [];
    if (fs === ' ') {
      const trimmed = text.trim();
      return trimmed === '' ? [] : trimmed.split(/[ \t\n]+/);
    }
    if (fs === '') return [...text];
    if (typeof fs === 'string' && fs.length === 1 && fs !== '\\' && !isParagraph) return text.split(fs);
    const source = typeof fs === 'string' ? this.#regex(fs).source : fs.source;
    const regex = new RegExp((isParagraph ? `\\n|(?:${source})` : source).replace(/(?<!\\)\((?!\?)/g, '(?:'), 'su');
    return text.split(regex);
  }

  #field(n: number): Value {
    if (n === 0) return new StrNum(this.#record);
    this.#split();
    return this.#fields[n - 1] ?? UNSET;
  }

  #setField(n: number, value: Value): void {
    if (n === 0) {
      this.#setRecord(this.#string(value));
      return;
    }
    this.#split();
    while (this.#fields.length < n) this.#fields.push(UNSET);
    this.#fields[n - 1] = value;
    this.#nf = this.#fields.length;
    this.#rebuild();
  }

  #rebuild(): void {
    const ofs = this.#string(this.#variable('OFS'));
    this.#record = this.#fields.map((f) => this.#string(f)).join(ofs);
  }

  // Values

  #number(value: Value): number {
    if (typeof value === 'number') return value;
    const text = typeof value === 'string' ? value : value.text;
    if (typeof value === 'object' && value.value !== undefined) return value.value;
    const match = /^\s*[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)/.exec(text);
    return match === null ? 0 : Number(match[0]);
  }

  #string(value: Value, format = 'CONVFMT'): string {
    if (typeof value === 'string') return value;
    if (typeof value === 'object') return value.text;
    if (Number.isInteger(value) && Math.abs(value) < 1e16) return String(value === 0 ? 0 : value);
    if (!Number.isFinite(value)) return Number.isNaN(value) ? (Object.is(value, -Number.NaN) ? '-nan' : 'nan') : value > 0 ? 'inf' : '-inf';
    if (Number.isInteger(value)) return BigInt(value).toString();
    return formatPrintf(this.#string(this.#globals.get(format) as Value), [String(value)], HOST).text;
  }

  #variable(name: string): Value {
    if (name === 'NF') {
      this.#split();
      return this.#nf;
    }
    const value = this.#locals?.get(name) ?? this.#globals.get(name);
    if (value === undefined) return UNSET;
    if (value instanceof Map) throw new Fatal(`attempt to use array \`${name}' in a scalar context`);
    return value;
  }

  #setVariable(name: string, value: Value): void {
    if (name === 'NF') {
      this.#split();
      const n = this.#number(value);
      while (this.#fields.length < n) this.#fields.push(UNSET);
      this.#fields.length = n;
      this.#nf = n;
      this.#rebuild();
      return;
    }
    if (this.#locals?.has(name)) {
      this.#locals.set(name, value);
      return;
    }
    this.#globals.set(name, value);
  }

  #array(name: string): AwkArray {
    const scope = this.#locals?.has(name) ? this.#locals : this.#globals;
    let value = scope.get(name);
    if (value === undefined || value === UNSET) scope.set(name, (value = new Map()));
    if (!(value instanceof Map)) throw new Fatal(`attempt to use scalar \`${name}' as an array`);
    return value;
  }

  async #key(keys: readonly Expr[]): Promise<string> {
    if (keys.length === 1) return this.#string(await this.#eval(keys[0]!));
    const parts: string[] = [];
    for (const key of keys) parts.push(this.#string(await this.#eval(key)));
    return parts.join(this.#string(this.#variable('SUBSEP')));
  }

  #regex(source: string): RegExp {
    let regex = this.#regexes.get(source);
    if (regex === undefined) {
      try {
        regex = compilePosix(source, { extended: true, escapes: true });
      } catch (error) {
        if (error instanceof RegexError) throw new Fatal(`${error.message}: /${source}/`);
        throw error;
      }
      this.#regexes.set(source, regex);
    }
    return regex;
  }

  async #regexOf(e: Expr): Promise<RegExp> {
    return this.#regex(e.k === 'regex' ? e.source : this.#string(await this.#eval(e)));
  }

  // Statements

  async #statement(s: Stmt): Promise<Jump> {
    if (++this.#steps % 1024 === 0) await this.#t.sys.spendCpu(200);
    switch (s.k) {
      case 'block':
        for (const one of s.body) {
          const jump = await this.#statement(one);
          if (jump !== undefined) return jump;
        }
        return undefined;
      case 'expr':
        if (this.#fast(s.e) === undefined) await this.#eval(s.e);
        return undefined;
      case 'print':
        await this.#print(s);
        return undefined;
      case 'if':
        if (truth(await this.#eval(s.test))) return this.#statement(s.yes);
        return s.no === undefined ? undefined : this.#statement(s.no);
      case 'while':
        while (truth(await this.#eval(s.test))) {
          const jump = await this.#statement(s.body);
          if (jump === 'break') break;
          if (jump !== undefined && jump !== 'continue') return jump;
        }
        return undefined;
      case 'do':
        do {
          const jump = await this.#statement(s.body);
          if (jump === 'break') break;
          if (jump !== undefined && jump !== 'continue') return jump;
        } while (truth(await this.#eval(s.test)));
        return undefined;
      case 'for':
        if (s.init !== undefined) await this.#statement(s.init);
        while (s.test === undefined || truth(await this.#eval(s.test))) {
          const jump = await this.#statement(s.body);
          if (jump === 'break') break;
          if (jump !== undefined && jump !== 'continue') return jump;
          if (s.step !== undefined) await this.#statement(s.step);
        }
        return undefined;
      case 'forin':
        for (const key of [...this.#array(s.name).keys()]) {
          if (!this.#array(s.name).has(key)) continue;
          this.#setVariable(s.variable, new StrNum(key));
          const jump = await this.#statement(s.body);
          if (jump === 'break') break;
          if (jump !== undefined && jump !== 'continue') return jump;
        }
        return undefined;
      case 'switch': {
        const on = await this.#eval(s.on);
        let found = -1;
        for (const [i, one] of s.cases.entries()) {
          if (one.test === undefined) continue;
          const isHit =
            one.test.k === 'regex'
              ? this.#regex(one.test.source).test(this.#string(on))
              : this.#compare(on, await this.#eval(one.test)) === 0;
          if (isHit) {
            found = i;
            break;
          }
        }
        if (found < 0) found = s.cases.findIndex((one) => one.test === undefined);
        if (found < 0) return undefined;
        for (const one of s.cases.slice(found)) {
          for (const inner of one.body) {
            const jump = await this.#statement(inner);
            if (jump === 'break') return undefined;
            if (jump !== undefined) return jump;
          }
        }
        return undefined;
      }
      case 'delete':
        if (s.keys === undefined) this.#array(s.name).clear();
        else this.#array(s.name).delete(await this.#key(s.keys));
        return undefined;
      case 'jump':
        return s.to;
      case 'exit':
        if (s.value !== undefined) this.#exitStatus = this.#number(await this.#eval(s.value)) & 255;
        return 'exit';
      case 'return':
        this.#returned = s.value === undefined ? UNSET : await this.#eval(s.value);
        return 'return';
    }
  }

  async #print(s: Extract<Stmt, { k: 'print' }>): Promise<void> {
    let text: string;
    if (s.isFormatted) {
      const values: Value[] = [];
      for (const arg of s.args) values.push(await this.#eval(arg));
      text = this.#format(values);
    } else if (s.args.length === 0) text = this.#text0() + this.#string(this.#variable('ORS'));
    else {
      const parts: string[] = [];
      for (const arg of s.args) parts.push(this.#string(this.#fast(arg) ?? (await this.#eval(arg)), 'OFMT'));
      text = parts.join(this.#string(this.#variable('OFS'))) + this.#string(this.#variable('ORS'));
    }
    if (s.redirect === undefined) {
      const wait = this.#t.write(text);
      if (wait !== undefined) await wait;
      return;
    }
    const to = this.#string(await this.#eval(s.redirect.to));
    if (to === '/dev/stdout' || to === '-') {
      await this.#t.write(text);
      return;
    }
    if (to === '/dev/stderr') {
      await this.#t.flush();
      await this.#t.errorText(text);
      return;
    }
    const fd = await this.#open(to, s.redirect.op);
    await this.#t.sys.file(fd).write(toBytes(text));
  }

  async #open(to: string, op: '>' | '>>' | '|'): Promise<number> {
    const known = this.#outputs.get(to);
    if (known !== undefined) return known.fd;
    const { sys } = this.#t;
    if (op === '|') {
      await this.#t.flush();
      const [readEnd, writeEnd] = sys.pipe();
      const pid = sys.spawn('/bin/sh', ['sh', '-c', to], {
        env: this.#t.env,
        fds: new Map([
          [0, readEnd],
          [1, 1],
          [2, 2],
        ]),
      });
      sys.close(readEnd);
      this.#outputs.set(to, { fd: writeEnd, pid });
      return writeEnd;
    }
    try {
      const fd = sys.open(to, { write: true, create: true, truncate: op === '>', append: op === '>>' });
      this.#outputs.set(to, { fd, pid: undefined });
      return fd;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      throw new Fatal(`can't redirect to \`${to}' (${error.strerror})`);
    }
  }

  async #close(name: string): Promise<number> {
    const output = this.#outputs.get(name);
    const input = this.#inputs.get(name);
    this.#outputs.delete(name);
    this.#inputs.delete(name);
    let status = -1;
    for (const one of [output, input]) {
      if (one === undefined) continue;
      this.#t.sys.close(one.fd);
      status = 0;
      if (one.pid !== undefined) {
        const result = await this.#t.sys.wait(one.pid);
        status = result?.kind === 'exited' ? result.status * 256 : 1;
      }
    }
    return status;
  }

  async #closeAll(): Promise<void> {
    await this.#t.flush();
    for (const name of [...this.#outputs.keys(), ...this.#inputs.keys()]) await this.#close(name);
  }

  #format(values: readonly Value[]): string {
    const [format, ...args] = values;
    if (format === undefined) throw new Fatal('printf: no arguments');
    // Numbers go in whole: %d cuts fractions off, %c makes characters of them.
    const source = this.#string(format);
    let at = 0;
    return source.replace(
      /%([-+ #0']*)(\*|\d*)(?:\.(\*|\d*))?([hlL]*)([a-zA-Z%])/g,
      (whole, flags: string, width: string, precision: string | undefined, _size: string, letter: string) => {
        if (letter === '%') return '%';
        const next = (): Value => args[at++] ?? UNSET;
        const w = width === '*' ? String(this.#number(next())) : width;
        const p = precision === '*' ? String(this.#number(next())) : precision;
        const spec = (kind: string): string => `%${flags}${w}${p === undefined ? '' : '.' + p}${kind}`;
        const value = next();
        switch (letter) {
          case 'd':
          case 'i': {
            const n = Math.trunc(this.#number(value));
            return formatPrintf(spec('d'), [Number.isFinite(n) ? BigInt(n).toString() : '0'], HOST).text;
          }
          case 'o':
          case 'x':
          case 'X':
          case 'u':
            return formatPrintf(spec(letter), [BigInt(Math.trunc(this.#number(value)) || 0).toString()], HOST).text;
          case 'c': {
            const text =
              typeof value === 'number' ? String.fromCodePoint(Math.trunc(this.#number(value))) : ([...this.#string(value)][0] ?? '');
            return formatPrintf(spec('s'), [text], HOST).text;
          }
          case 's':
            return formatPrintf(spec('s'), [this.#string(value)], HOST).text;
          case 'e':
          case 'E':
          case 'f':
          case 'F':
          case 'g':
          case 'G':
            return formatPrintf(spec(letter), [String(this.#number(value))], HOST).text;
          default:
            return whole;
        }
      },
    );
  }

  // Expressions

  /** What can be answered without waiting; undefined for the rest. */
  #fast(e: Expr): Value | undefined {
    switch (e.k) {
      case 'num':
      case 'str':
        return e.value;
      case 'regex':
        return this.#regex(e.source).test(this.#record) ? 1 : 0;
      case 'var':
        return this.#variable(e.name);
      case 'field': {
        if (e.of.k === 'num') return this.#field(e.of.value);
        if (e.of.k === 'var') return this.#field(this.#index(this.#variable(e.of.name)));
        return undefined;
      }
      case 'bin': {
        if (e.op === '&&' || e.op === '||') return undefined;
        const a = this.#fast(e.a);
        if (a === undefined) return undefined;
        const b = this.#fast(e.b);
        return b === undefined ? undefined : this.#binary(e.op, a, b);
      }
      case 'group':
        return this.#fast(e.of);
      default:
        return undefined;
    }
  }

  #index(value: Value): number {
    const n = Math.trunc(this.#number(value));
    if (n < 0) throw new Fatal(`attempt to access field ${n}`);
    return n;
  }

  async #eval(e: Expr): Promise<Value> {
    const quick = this.#fast(e);
    if (quick !== undefined) return quick;
    switch (e.k) {
      case 'group':
        return this.#eval(e.of);
      case 'field':
        return this.#field(this.#index(await this.#eval(e.of)));
      case 'index': {
        const key = await this.#key(e.keys);
        const array = this.#array(e.name);
        const value = array.get(key);
        if (value !== undefined) return value;
        array.set(key, UNSET);
        return UNSET;
      }
      case 'assign': {
        let value = await this.#eval(e.value);
        if (e.op !== '') value = this.#binary(e.op, await this.#eval(e.target), value);
        await this.#store(e.target, value);
        return value;
      }
      case 'cond':
        return truth(await this.#eval(e.test)) ? this.#eval(e.yes) : this.#eval(e.no);
      case 'bin': {
        if (e.op === '&&') return truth(await this.#eval(e.a)) && truth(await this.#eval(e.b)) ? 1 : 0;
        if (e.op === '||') return truth(await this.#eval(e.a)) || truth(await this.#eval(e.b)) ? 1 : 0;
        const a = await this.#eval(e.a);
        return this.#binary(e.op, a, await this.#eval(e.b));
      }
      case 'match': {
        const text = this.#string(await this.#eval(e.a));
        return (await this.#regexOf(e.b)).test(text) !== e.isNegated ? 1 : 0;
      }
      case 'in':
        return this.#array(e.name).has(await this.#key(e.keys)) ? 1 : 0;
      case 'unary': {
        const value = await this.#eval(e.a);
        if (e.op === '!') return truth(value) ? 0 : 1;
        return e.op === '-' ? -this.#number(value) : this.#number(value);
      }
      case 'step': {
        const old = this.#number(await this.#eval(e.target));
        await this.#store(e.target, old + e.by);
        return e.isPrefix ? old + e.by : old;
      }
      case 'call':
        return this.#call(e.name, e.args);
      case 'getline':
        return this.#getline(e);
      default:
        return UNSET;
    }
  }

  async #store(target: Expr, value: Value): Promise<void> {
    if (target.k === 'var') this.#setVariable(target.name, value);
    else if (target.k === 'index') this.#array(target.name).set(await this.#key(target.keys), value);
    else if (target.k === 'field') this.#setField(this.#index(await this.#eval(target.of)), value);
    else if (target.k === 'group') await this.#store(target.of, value);
  }

  #compare(a: Value, b: Value): number {
    const isNumeric = (v: Value): boolean => typeof v === 'number' || (typeof v === 'object' && (v.value !== undefined || v === UNSET));
    if (isNumeric(a) && isNumeric(b)) return this.#number(a) - this.#number(b);
    return compareBytes(this.#string(a), this.#string(b));
  }

  #binary(op: string, a: Value, b: Value): Value {
    switch (op) {
      case ' ':
        return this.#string(a) + this.#string(b);
      case '+':
        return this.#number(a) + this.#number(b);
      case '-':
        return this.#number(a) - this.#number(b);
      case '*':
        return this.#number(a) * this.#number(b);
      case '/': {
        const divisor = this.#number(b);
        if (divisor === 0) throw new Fatal('division by zero attempted');
        return this.#number(a) / divisor;
      }
      case '%': {
        const divisor = this.#number(b);
        if (divisor === 0) throw new Fatal("division by zero attempted in `%'");
        return this.#number(a) % divisor;
      }
      case '^':
        return this.#number(a) ** this.#number(b);
      case '<':
        return this.#compare(a, b) < 0 ? 1 : 0;
      case '<=':
        return this.#compare(a, b) <= 0 ? 1 : 0;
      case '>':
        return this.#compare(a, b) > 0 ? 1 : 0;
      case '>=':
        return this.#compare(a, b) >= 0 ? 1 : 0;
      case '==':
        return this.#compare(a, b) === 0 ? 1 : 0;
      default:
        return this.#compare(a, b) !== 0 ? 1 : 0;
    }
  }

  async #getline(e: Extract<Expr, { k: 'getline' }>): Promise<Value> {
    const { sys } = this.#t;
    if (e.from === 'main') {
      const line = await this.#readMain();
      if (line === undefined) return 0;
      if (e.target === undefined) this.#setRecord(line);
      else await this.#store(e.target, new StrNum(line));
      return 1;
    }
    const name = this.#string(await this.#eval(e.source!));
    let source = this.#inputs.get(name);
    if (source === undefined) {
      await this.#t.flush();
      if (e.from === 'command') {
        const [readEnd, writeEnd] = sys.pipe();
        const pid = sys.spawn('/bin/sh', ['sh', '-c', name], {
          env: this.#t.env,
          fds: new Map([
            [0, 0],
            [1, writeEnd],
            [2, 2],
          ]),
        });
        sys.close(writeEnd);
        const input = (await this.#t.openInput(`/dev/fd/${readEnd}`))!;
        source = { lines: input.lines(), fd: readEnd, pid };
      } else {
        try {
          const fd = sys.open(name, { read: true });
          const input = (await this.#t.openInput(name))!;
          source = { lines: input.lines(), fd, pid: undefined };
        } catch (error) {
          if (error instanceof SysError) return -1;
          throw error;
        }
      }
      this.#inputs.set(name, source);
    }
    const next = await source.lines.next();
    if (next.done) return 0;
    if (e.from === 'command') this.#globals.set('NR', this.#number(this.#variable('NR')) + 1);
    if (e.target === undefined) this.#setRecord(next.value);
    else await this.#store(e.target, new StrNum(next.value));
    return 1;
  }

  async #call(name: string, args: readonly Expr[]): Promise<Value> {
    const func = this.#functions.get(name);
    if (func !== undefined) return this.#callFunction(func, args);
    if (name === 'split' || name === 'patsplit') {
      const text = this.#string(await this.#eval(args[0]!));
      const array = this.#array((args[1] as { name: string }).name);
      const separator =
        args[2] === undefined
          ? this.#string(this.#variable('FS'))
          : args[2].k === 'regex'
            ? this.#regex(args[2].source)
            : this.#string(await this.#eval(args[2]));
      const parts = this.#splitText(text, separator);
      array.clear();
      parts.forEach((part, i) => array.set(String(i + 1), new StrNum(part)));
      return parts.length;
    }
    if (name === 'sub' || name === 'gsub') return this.#substitute(name === 'gsub', args);
    if (name === 'length' && args[0]?.k === 'var') {
      const value = this.#locals?.get(args[0].name) ?? this.#globals.get(args[0].name);
      if (value instanceof Map) return value.size;
    }
    if (name === 'asort' || name === 'asorti') {
      const source = this.#array((args[0] as { name: string }).name);
      const target = args[1] === undefined ? source : this.#array((args[1] as { name: string }).name);
      const items: Value[] =
        name === 'asort' ? [...source.values()].sort((a, b) => this.#compare(a, b)) : [...source.keys()].sort(compareBytes);
      target.clear();
      items.forEach((item, i) => target.set(String(i + 1), item));
      return items.length;
    }
    if (name === 'match') {
      const text = this.#string(await this.#eval(args[0]!));
      const found = (await this.#regexOf(args[1]!)).exec(text);
      this.#globals.set('RSTART', found === null ? 0 : [...text.slice(0, found.index)].length + 1);
      this.#globals.set('RLENGTH', found === null ? -1 : [...found[0]].length);
      if (args[2] !== undefined) {
        const array = this.#array((args[2] as { name: string }).name);
        array.clear();
        found?.forEach((group, i) => array.set(String(i), new StrNum(group ?? '')));
      }
      return this.#variable('RSTART');
    }
    const values: Value[] = [];
    for (const arg of args) values.push(await this.#eval(arg));
    const number = (i: number): number => this.#number(values[i] ?? UNSET);
    const text = (i: number): string => this.#string(values[i] ?? UNSET);
    const bits = (i: number): bigint => BigInt(Math.trunc(number(i)));
    switch (name) {
      case 'length':
        return [...(args.length === 0 ? this.#text0() : text(0))].length;
      case 'substr': {
        const chars = [...text(0)];
        const start = Math.round(number(1));
        const end = values[2] === undefined ? Infinity : start + Math.round(number(2));
        return chars.slice(Math.max(0, start - 1), Math.max(0, end - 1)).join('');
      }
      case 'index': {
        const at = text(0).indexOf(text(1));
        return at < 0 ? 0 : [...text(0).slice(0, at)].length + 1;
      }
      case 'sprintf':
        return this.#format(values);
      case 'sin':
        return Math.sin(number(0));
      case 'cos':
        return Math.cos(number(0));
      case 'atan2':
        return Math.atan2(number(0), number(1));
      case 'exp':
        return Math.exp(number(0));
      case 'log':
        return Math.log(number(0));
      case 'sqrt':
        return Math.sqrt(number(0));
      case 'int':
        return Math.trunc(number(0));
      case 'rand':
        return this.#rng();
      case 'srand': {
        const old = this.#seed;
        this.#seed = values[0] === undefined ? Math.floor(this.#t.sys.now() / 1000) : number(0);
        const rng = this.#t.sys.rng.fork(`awk-${this.#seed}`);
        this.#rng = () => rng.float();
        return old;
      }
      case 'tolower':
        return text(0).toLowerCase();
      case 'toupper':
        return text(0).toUpperCase();
      case 'system': {
        await this.#t.flush();
        const pid = this.#t.sys.spawn('/bin/sh', ['sh', '-c', text(0)], { env: this.#t.env });
        const result = await this.#t.sys.wait(pid);
        return result?.kind === 'exited' ? result.status : 1;
      }
      case 'close':
        return this.#close(text(0));
      case 'fflush':
        await this.#t.flush();
        return 0;
      case 'gensub': {
        const regex = await this.#regexOf(args[0]!);
        const how = text(2);
        const subject = values[3] === undefined ? this.#text0() : text(3);
        const wanted = /^[gG]/.test(how) ? 0 : Math.max(1, number(2));
        let count = 0;
        return subject.replace(new RegExp(regex.source, 'gsu'), (match: string, ...rest: unknown[]) => {
          count++;
          if (wanted !== 0 && count !== wanted) return match;
          return text(1).replace(/\\\\|\\(\d)|\\&|&/g, (m, digit?: string) =>
            m === '\\\\'
              ? '\\'
              : m === '\\&'
                ? '&'
                : m === '&' || digit === '0'
                  ? match
                  : ((rest[Number(digit) - 1] as string | undefined) ?? ''),
          );
        });
      }
      case 'strftime':
        return formatTime(
          values[0] === undefined ? '%a %b %e %H:%M:%S %Z %Y' : text(0),
          values[1] === undefined ? this.#t.sys.now() : number(1) * 1000,
          this.#t.sys,
          this.#t.env.get('TZ'),
        );
      case 'systime':
        return Math.floor(this.#t.sys.now() / 1000);
      case 'mktime': {
        const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = text(0).split(/\s+/).map(Number);
        return Date.UTC(y, mo - 1, d, h, mi, s) / 1000 - 9 * 3600;
      }
      case 'and':
        return Number(bits(0) & bits(1));
      case 'or':
        return Number(bits(0) | bits(1));
      case 'xor':
        return Number(bits(0) ^ bits(1));
      case 'lshift':
        return Number(bits(0) << bits(1));
      case 'rshift':
        return Number(bits(0) >> bits(1));
      case 'strtonum':
        return /^0[xX]/.test(text(0)) ? Number(text(0)) : /^0[0-7]+$/.test(text(0)) ? Number.parseInt(text(0), 8) : number(0);
      default:
        throw new Fatal(`function \`${name}' not defined`);
    }
  }

  async #callFunction(
    func: { readonly name: string; readonly params: readonly string[]; readonly body: Stmt },
    args: readonly Expr[],
  ): Promise<Value> {
    if (this.#depth > 500) throw new Fatal(`function \`${func.name}': maximum call depth exceeded`);
    const locals = new Map<string, Value | AwkArray>();
    const shared: { readonly param: string; readonly name: string }[] = [];
    for (const [i, param] of func.params.entries()) {
      const arg = args[i];
      if (arg === undefined) locals.set(param, UNSET);
      else if (arg.k === 'var') {
        const value = this.#locals?.has(arg.name) ? this.#locals.get(arg.name)! : this.#globals.get(arg.name);
        if (value === undefined || value === UNSET) {
          // Untyped yet: it may become an array in the function, and then is one outside.
          locals.set(param, UNSET);
          shared.push({ param, name: arg.name });
        } else locals.set(param, arg.name === 'NF' ? this.#variable('NF') : value);
      } else locals.set(param, await this.#eval(arg));
    }
    const outer = this.#locals;
    this.#locals = locals;
    this.#depth++;
    this.#returned = UNSET;
    try {
      await this.#statement(func.body);
    } finally {
      this.#depth--;
      this.#locals = outer;
    }
    for (const { param, name } of shared) {
      const value = locals.get(param);
      if (value instanceof Map) (this.#locals?.has(name) ? this.#locals : this.#globals).set(name, value);
    }
    const value = this.#returned;
    this.#returned = UNSET;
    return value;
  }

  async #substitute(isGlobal: boolean, args: readonly Expr[]): Promise<Value> {
    const regex = await this.#regexOf(args[0]!);
    const replacement = this.#string(await this.#eval(args[1]!));
    const target: Expr = args[2] ?? { k: 'field', of: { k: 'num', value: 0 } };
    const subject = this.#string(await this.#eval(target));
    let count = 0;
    let lastEnd = -1;
    const out = subject.replace(new RegExp(regex.source, isGlobal ? 'gsu' : 'su'), (match: string, ...rest: unknown[]) => {
      const at = rest.findLast((x) => typeof x === 'number') as number;
      if (match === '' && at === lastEnd) return '';
      lastEnd = at + match.length;
      count++;
      return replacement.replace(/\\\\&|\\&|\\\\|&/g, (m) => (m === '\\&' ? '&' : m === '&' ? match : m === '\\\\&' ? '\\' + match : '\\'));
    });
    if (count > 0) await this.#store(target, out);
    return count;
  }
}

const HOST = { nowMs: () => 0, quote: (text: string) => text };

function truth(value: Value): boolean {
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'string') return value !== '';
  return value.value === undefined ? value.text !== '' : value.value !== 0;
}

const awk = (name: 'awk' | 'gawk'): Program =>
  tool(
    name,
    async (t) => {
      const o = await t.options('+F:f:v:', {
        'field-separator': 'F:',
        file: 'f:',
        assign: 'v:',
        posix: 'posix',
        traditional: 'traditional',
        're-interval': 'ri',
      });
      const rest = [...o.rest];
      let source: string;
      if (o.has('f')) {
        const parts: string[] = [];
        for (const path of o.all('f')) {
          try {
            parts.push(path === '-' ? await (await t.openInput('-'))!.readText() : t.sys.readTextFile(path));
          } catch (error) {
            if (!(error instanceof SysError)) throw error;
            return void (await t.die(`fatal: can't open source file \`${path}' for reading (${error.strerror})`, 2));
          }
        }
        source = parts.join('\n');
      } else {
        const first = rest.shift();
        if (first === undefined) {
          await t.errorText(
            "Usage: awk [POSIX or GNU style options] -f progfile [--] file ...\nUsage: awk [POSIX or GNU style options] [--] 'program' file ...\n",
          );
          return 1;
        }
        source = first;
      }
      try {
        const parser = new AwkParser(source);
        parser.parse();
        const machine = new Awk(t, parser);
        for (const assignment of o.all('v')) machine.assign(assignment);
        const fs = o.get('F');
        if (fs !== undefined) machine.assign(`FS=${fs === 't' ? '\\t' : fs}`);
        machine.setArguments([name, ...rest]);
        return await machine.run();
      } catch (error) {
        if (error instanceof AwkSyntaxError) {
          const before = source.slice(0, error.at);
          const line = before.split('\n').length;
          const column = error.at - (before.lastIndexOf('\n') + 1);
          const text = source.split('\n')[line - 1] ?? '';
          await t.flush();
          await t.errorText(`${name}: cmd. line:${line}: ${text}\n${name}: cmd. line:${line}: ${' '.repeat(column)}^ ${error.message}\n`);
          return 1;
        }
        if (error instanceof Fatal) return void (await t.die(`cmd. line:1: fatal: ${error.message}`, 2));
        throw error;
      }
    },
    { paths: [`/usr/bin/${name}`] },
  );

export const AWK_PROGRAMS: readonly Program[] = [awk('awk'), awk('gawk')];
