// The grammar of awk: a program's text as a tree.

export type Expr =
  | { readonly k: 'num'; readonly value: number }
  | { readonly k: 'str'; readonly value: string }
  | { readonly k: 'regex'; readonly source: string }
  | { readonly k: 'var'; readonly name: string }
  | { readonly k: 'index'; readonly name: string; readonly keys: readonly Expr[] }
  | { readonly k: 'field'; readonly of: Expr }
  | { readonly k: 'assign'; readonly op: string; readonly target: Expr; readonly value: Expr }
  | { readonly k: 'cond'; readonly test: Expr; readonly yes: Expr; readonly no: Expr }
  | { readonly k: 'bin'; readonly op: string; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'match'; readonly isNegated: boolean; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'in'; readonly keys: readonly Expr[]; readonly name: string }
  | { readonly k: 'unary'; readonly op: string; readonly a: Expr }
  | { readonly k: 'step'; readonly target: Expr; readonly by: number; readonly isPrefix: boolean }
  | { readonly k: 'call'; readonly name: string; readonly args: readonly Expr[] }
  | { readonly k: 'group'; readonly of: Expr }
  | {
      readonly k: 'getline';
      readonly target: Expr | undefined;
      readonly from: 'main' | 'file' | 'command';
      readonly source: Expr | undefined;
    };

export type Stmt =
  | { readonly k: 'expr'; readonly e: Expr }
  | {
      readonly k: 'print';
      readonly args: readonly Expr[];
      readonly isFormatted: boolean;
      readonly redirect: { readonly op: '>' | '>>' | '|'; readonly to: Expr } | undefined;
    }
  | { readonly k: 'block'; readonly body: readonly Stmt[] }
  | { readonly k: 'if'; readonly test: Expr; readonly yes: Stmt; readonly no: Stmt | undefined }
  | { readonly k: 'while'; readonly test: Expr; readonly body: Stmt }
  | { readonly k: 'do'; readonly test: Expr; readonly body: Stmt }
  | {
      readonly k: 'for';
      readonly init: Stmt | undefined;
      readonly test: Expr | undefined;
      readonly step: Stmt | undefined;
      readonly body: Stmt;
    }
  | { readonly k: 'forin'; readonly variable: string; readonly name: string; readonly body: Stmt }
  | {
      readonly k: 'switch';
      readonly on: Expr;
      readonly cases: readonly { readonly test: Expr | undefined; readonly body: readonly Stmt[] }[];
    }
  | { readonly k: 'delete'; readonly name: string; readonly keys: readonly Expr[] | undefined }
  | { readonly k: 'jump'; readonly to: 'next' | 'nextfile' | 'break' | 'continue' }
  | { readonly k: 'exit' | 'return'; readonly value: Expr | undefined };

export interface Rule {
  readonly kind: 'BEGIN' | 'END' | 'pattern' | 'range';
  readonly pattern: Expr | undefined;
  readonly end: Expr | undefined;
  readonly body: Stmt | undefined;
  isActive: boolean;
}

export interface AwkFunction {
  readonly name: string;
  readonly params: readonly string[];
  readonly body: Stmt;
}

export class AwkSyntaxError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

interface Token {
  readonly type: 'num' | 'str' | 'regex' | 'name' | 'func' | 'builtin' | 'key' | 'op' | 'nl' | 'end';
  readonly text: string;
  readonly at: number;
}

const KEYWORDS = new Set([
  'BEGIN',
  'END',
  'function',
  'func',
  'if',
  'else',
  'while',
  'for',
  'do',
  'break',
  'continue',
  'next',
  'nextfile',
  'exit',
  'return',
  'delete',
  'in',
  'getline',
  'print',
  'printf',
  'switch',
  'case',
  'default',
]);
export const BUILTINS = new Set([
  'length',
  'substr',
  'index',
  'split',
  'sub',
  'gsub',
  'match',
  'sprintf',
  'sin',
  'cos',
  'atan2',
  'exp',
  'log',
  'sqrt',
  'int',
  'rand',
  'srand',
  'tolower',
  'toupper',
  'system',
  'close',
  'fflush',
  'gensub',
  'strftime',
  'systime',
  'mktime',
  'and',
  'or',
  'xor',
  'lshift',
  'rshift',
  'compl',
  'asort',
  'asorti',
  'strtonum',
  'patsplit',
  'isarray',
]);

export class AwkParser {
  readonly #source: string;
  #at = 0;
  #token: Token;
  #noGreater = 0;
  readonly rules: Rule[] = [];
  readonly functions = new Map<string, AwkFunction>();

  constructor(source: string) {
    this.#source = source;
    this.#token = this.#scan();
  }

  parse(): void {
    this.#newlines();
    while (this.#token.type !== 'end') {
      this.#item();
      while (this.#token.type === 'nl' || this.#is(';')) this.#advance();
    }
  }

  #fail(): never {
    const isEnd = this.#token.type === 'end' || this.#token.type === 'nl';
    throw new AwkSyntaxError(isEnd ? 'unexpected newline or end of string' : 'syntax error', this.#token.at);
  }

  // Tokens

  #scan(): Token {
    const s = this.#source;
    for (;;) {
      const c = s[this.#at];
      if (c === ' ' || c === '\t' || c === '\r') this.#at++;
      else if (c === '\\' && s[this.#at + 1] === '\n') this.#at += 2;
      else if (c === '\\' && s.startsWith('\\\r\n', this.#at)) this.#at += 3;
      else if (c === '#') while (this.#at < s.length && s[this.#at] !== '\n') this.#at++;
      else break;
    }
    const at = this.#at;
    const c = s[at];
    if (c === undefined) return { type: 'end', text: '', at };
    if (c === '\n') {
      this.#at++;
      return { type: 'nl', text: '\n', at };
    }
    const number = /^(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)/.exec(s.slice(at, at + 64));
    if (number !== null) {
      this.#at += number[0].length;
      return { type: 'num', text: number[0], at };
    }
    if (c === '"') {
      let text = '';
      let i = at + 1;
      for (; s[i] !== '"'; i++) {
        if (i >= s.length || s[i] === '\n') throw new AwkSyntaxError('unterminated string', at);
        if (s[i] !== '\\') {
          text += s[i];
          continue;
        }
        i++;
        const octal = /^[0-7]{1,3}/.exec(s.slice(i, i + 3));
        if (octal !== null) {
          text += String.fromCharCode(Number.parseInt(octal[0], 8));
          i += octal[0].length - 1;
        } else if (s[i] === '\n') continue;
        else
          text +=
            { n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', '/': '/', a: '\x07', b: '\b', f: '\f', v: '\v' }[s[i]!] ?? '\\' + s[i]!;
      }
      this.#at = i + 1;
      return { type: 'str', text, at };
    }
    const name = /^[A-Za-z_]\w*/.exec(s.slice(at, at + 128));
    if (name !== null) {
      this.#at += name[0].length;
      if (KEYWORDS.has(name[0])) return { type: 'key', text: name[0], at };
      if (BUILTINS.has(name[0])) return { type: 'builtin', text: name[0], at };
      return { type: s[this.#at] === '(' ? 'func' : 'name', text: name[0], at };
    }
    const operator = /^(?:\*\*=|\*\*|\+\+|--|\+=|-=|\*=|\/=|%=|\^=|==|<=|>=|!=|&&|\|\||>>|\|&|!~|[-+*/%^!<>|?:~$=,;(){}[\]])/.exec(
      s.slice(at, at + 3),
    );
    if (operator === null) throw new AwkSyntaxError('syntax error', at);
    this.#at += operator[0].length;
    return { type: 'op', text: operator[0], at };
  }

  #advance(): Token {
    const token = this.#token;
    this.#token = this.#scan();
    return token;
  }

  #is(text: string): boolean {
    return (this.#token.type === 'op' || this.#token.type === 'key') && this.#token.text === text;
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#advance();
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) this.#fail();
  }

  #newlines(): void {
    while (this.#token.type === 'nl') this.#advance();
  }

  // Program

  #item(): void {
    if (this.#is('function') || this.#is('func')) {
      this.#advance();
      const name = this.#advance();
      if (name.type !== 'name' && name.type !== 'func') this.#fail();
      this.#expect('(');
      const params: string[] = [];
      while (!this.#is(')')) {
        params.push(this.#advance().text);
        this.#take(',');
        this.#newlines();
      }
      this.#expect(')');
      this.#newlines();
      this.functions.set(name.text, { name: name.text, params, body: this.#block() });
      return;
    }
    if (this.#is('BEGIN') || this.#is('END')) {
      const kind = this.#advance().text as 'BEGIN' | 'END';
      this.rules.push({ kind, pattern: undefined, end: undefined, body: this.#block(), isActive: false });
      return;
    }
    let pattern: Expr | undefined;
    let end: Expr | undefined;
    if (!this.#is('{')) {
      pattern = this.#expr();
      if (this.#take(',')) {
        this.#newlines();
        end = this.#expr();
      }
    }
    const body = this.#is('{') ? this.#block() : undefined;
    this.rules.push({ kind: end === undefined ? 'pattern' : 'range', pattern, end, body, isActive: false });
  }

  #block(): Stmt {
    this.#expect('{');
    const body: Stmt[] = [];
    for (;;) {
      while (this.#token.type === 'nl' || this.#is(';')) this.#advance();
      if (this.#take('}')) break;
      if (this.#token.type === 'end') this.#fail();
      body.push(this.#statement());
    }
    return { k: 'block', body };
  }

  #body(): Stmt {
    this.#newlines();
    if (this.#take(';')) return { k: 'block', body: [] };
    return this.#statement();
  }

  #terminate(): void {
    if (this.#take(';') || this.#token.type === 'nl') {
      this.#newlines();
      return;
    }
    if (this.#is('}') || this.#token.type === 'end') return;
    this.#fail();
  }

  #statement(): Stmt {
    if (this.#is('{')) return this.#block();
    if (this.#take('if')) {
      this.#expect('(');
      const test = this.#expr();
      this.#expect(')');
      const yes = this.#body();
      const saved = { at: this.#at, token: this.#token };
      while (this.#token.type === 'nl' || this.#is(';')) this.#advance();
      if (this.#take('else')) return { k: 'if', test, yes, no: this.#body() };
      this.#at = saved.at;
      this.#token = saved.token;
      return { k: 'if', test, yes, no: undefined };
    }
    if (this.#take('while')) {
      this.#expect('(');
      const test = this.#expr();
      this.#expect(')');
      return { k: 'while', test, body: this.#body() };
    }
    if (this.#take('do')) {
      const body = this.#body();
      while (this.#token.type === 'nl' || this.#is(';')) this.#advance();
      this.#expect('while');
      this.#expect('(');
      const test = this.#expr();
      this.#expect(')');
      this.#terminate();
      return { k: 'do', test, body };
    }
    if (this.#take('for')) return this.#for();
    if (this.#take('switch')) {
      this.#expect('(');
      const on = this.#expr();
      this.#expect(')');
      this.#newlines();
      this.#expect('{');
      const cases: { test: Expr | undefined; body: Stmt[] }[] = [];
      for (;;) {
        while (this.#token.type === 'nl' || this.#is(';')) this.#advance();
        if (this.#take('}')) break;
        if (this.#take('case')) {
          const test = this.#primary();
          this.#expect(':');
          cases.push({ test, body: [] });
        } else if (this.#take('default')) {
          this.#expect(':');
          cases.push({ test: undefined, body: [] });
        } else if (cases.length > 0) cases.at(-1)!.body.push(this.#statement());
        else this.#fail();
      }
      return { k: 'switch', on, cases };
    }
    const statement = this.#simple();
    this.#terminate();
    return statement;
  }

  #for(): Stmt {
    this.#expect('(');
    if (this.#token.type === 'name') {
      const saved = { at: this.#at, token: this.#token };
      const variable = this.#advance().text;
      if (this.#take('in') && this.#token.type === 'name') {
        const name = this.#advance().text;
        if (this.#take(')')) return { k: 'forin', variable, name, body: this.#body() };
      }
      this.#at = saved.at;
      this.#token = saved.token;
    }
    const init = this.#is(';') ? undefined : this.#simple();
    this.#expect(';');
    this.#newlines();
    const test = this.#is(';') ? undefined : this.#expr();
    this.#expect(';');
    this.#newlines();
    const step = this.#is(')') ? undefined : this.#simple();
    this.#expect(')');
    return { k: 'for', init, test, step, body: this.#body() };
  }

  #simple(): Stmt {
    const word = this.#token.type === 'key' ? this.#token.text : '';
    switch (word) {
      case 'print':
      case 'printf': {
        this.#advance();
        let args: Expr[] = [];
        const ends = (): boolean =>
          this.#token.type === 'nl' || this.#token.type === 'end' || [';', '}', '>', '>>', '|'].some((text) => this.#is(text));
        this.#noGreater++;
        if (!ends()) {
          args = this.#list();
          // print (a, b) > "x": the list in parentheses is the arguments.
          const [only] = args;
          if (args.length === 1 && only?.k === 'group' && (only as { list?: Expr[] }).list !== undefined)
            args = (only as { list?: Expr[] }).list!;
        }
        this.#noGreater--;
        let redirect: { op: '>' | '>>' | '|'; to: Expr } | undefined;
        for (const op of ['>', '>>', '|'] as const) {
          if (!this.#is(op)) continue;
          this.#advance();
          redirect = { op, to: this.#concatenation(true) };
          break;
        }
        return { k: 'print', args, isFormatted: word === 'printf', redirect };
      }
      case 'delete': {
        this.#advance();
        const name = this.#advance().text;
        if (this.#take('[')) {
          const keys = this.#list();
          this.#expect(']');
          return { k: 'delete', name, keys };
        }
        return { k: 'delete', name, keys: undefined };
      }
      case 'next':
      case 'nextfile':
      case 'break':
      case 'continue':
        this.#advance();
        return { k: 'jump', to: word };
      case 'exit':
      case 'return': {
        this.#advance();
        const isBare = this.#token.type === 'nl' || this.#token.type === 'end' || this.#is(';') || this.#is('}');
        return { k: word, value: isBare ? undefined : this.#expr() };
      }
    }
    return { k: 'expr', e: this.#expr() };
  }

  #list(): Expr[] {
    const out = [this.#expr()];
    while (this.#take(',')) {
      this.#newlines();
      out.push(this.#expr());
    }
    return out;
  }

  // Expressions, loosest first

  #expr(): Expr {
    const left = this.#ternary();
    if (
      this.#token.type === 'op' &&
      /^(?:=|[-+*/%^]=|\*\*=)$/.test(this.#token.text) &&
      (left.k === 'var' || left.k === 'index' || left.k === 'field')
    ) {
      const op = this.#advance().text.replace('**', '^').slice(0, -1);
      this.#newlines();
      return { k: 'assign', op, target: left, value: this.#expr() };
    }
    return left;
  }

  #ternary(): Expr {
    const test = this.#or();
    if (!this.#take('?')) return test;
    this.#newlines();
    const yes = this.#expr();
    this.#newlines();
    this.#expect(':');
    this.#newlines();
    return { k: 'cond', test, yes, no: this.#expr() };
  }

  #or(): Expr {
    let left = this.#and();
    while (this.#take('||')) {
      this.#newlines();
      left = { k: 'bin', op: '||', a: left, b: this.#and() };
    }
    return left;
  }

  #and(): Expr {
    let left = this.#in();
    while (this.#take('&&')) {
      this.#newlines();
      left = { k: 'bin', op: '&&', a: left, b: this.#in() };
    }
    return left;
  }

  #in(): Expr {
    let left = this.#match();
    while (this.#is('in')) {
      this.#advance();
      const name = this.#advance().text;
      const list = (left as { list?: Expr[] }).list;
      left = { k: 'in', keys: left.k === 'group' && list !== undefined ? list : [left], name };
    }
    return left;
  }

  #match(): Expr {
    let left = this.#comparison();
    while (this.#is('~') || this.#is('!~')) {
      const isNegated = this.#advance().text === '!~';
      left = { k: 'match', isNegated, a: left, b: this.#comparison() };
    }
    return left;
  }

  #comparison(): Expr {
    let left = this.#concatenation();
    for (;;) {
      const op = this.#token.type === 'op' ? this.#token.text : '';
      if (op === '|') {
        const saved = { at: this.#at, token: this.#token };
        this.#advance();
        if (this.#take('getline')) {
          left = { k: 'getline', target: this.#lvalueMaybe(), from: 'command', source: left };
          continue;
        }
        this.#at = saved.at;
        this.#token = saved.token;
        return left;
      }
      if (!['<', '<=', '==', '!=', '>=', '>'].includes(op) || (op === '>' && this.#noGreater > 0)) return left;
      this.#advance();
      left = { k: 'bin', op, a: left, b: this.#concatenation() };
    }
  }

  #concatenation(isTarget = false): Expr {
    let left = this.#additive();
    if (isTarget) return left;
    for (;;) {
      const t = this.#token;
      const starts =
        t.type === 'num' ||
        t.type === 'str' ||
        t.type === 'name' ||
        t.type === 'func' ||
        t.type === 'builtin' ||
        (t.type === 'op' && ['$', '!', '(', '-', '+', '++', '--'].includes(t.text));
      if (!starts || (t.type === 'op' && (t.text === '-' || t.text === '+'))) return left;
      left = { k: 'bin', op: ' ', a: left, b: this.#additive() };
    }
  }

  #additive(): Expr {
    let left = this.#multiplicative();
    while (this.#is('+') || this.#is('-')) {
      const op = this.#advance().text;
      left = { k: 'bin', op, a: left, b: this.#multiplicative() };
    }
    return left;
  }

  #multiplicative(): Expr {
    let left = this.#unary();
    while (this.#is('*') || this.#is('/') || this.#is('%')) {
      const op = this.#advance().text;
      left = { k: 'bin', op, a: left, b: this.#unary() };
    }
    return left;
  }

  #unary(): Expr {
    if (this.#is('!') || this.#is('-') || this.#is('+')) {
      const op = this.#advance().text;
      return { k: 'unary', op, a: this.#unary() };
    }
    return this.#power();
  }

  #power(): Expr {
    const base = this.#postfix();
    if (this.#is('^') || this.#is('**')) {
      this.#advance();
      const exponent = this.#is('-') || this.#is('+') || this.#is('!') ? this.#unary() : this.#power();
      return { k: 'bin', op: '^', a: base, b: exponent };
    }
    return base;
  }

  #postfix(): Expr {
    if (this.#is('++') || this.#is('--')) {
      const by = this.#advance().text === '++' ? 1 : -1;
      return { k: 'step', target: this.#primary(), by, isPrefix: true };
    }
    const target = this.#primary();
    if ((this.#is('++') || this.#is('--')) && (target.k === 'var' || target.k === 'index' || target.k === 'field'))
      return { k: 'step', target, by: this.#advance().text === '++' ? 1 : -1, isPrefix: false };
    return target;
  }

  #lvalueMaybe(): Expr | undefined {
    if (this.#is('$') || this.#token.type === 'name') return this.#primary();
    return undefined;
  }

  #primary(): Expr {
    const t = this.#token;
    if (t.type === 'num') {
      this.#advance();
      return { k: 'num', value: Number(t.text) };
    }
    if (t.type === 'str') {
      this.#advance();
      return { k: 'str', value: t.text };
    }
    if (t.type === 'op' && (t.text === '/' || t.text === '/=')) return this.#regex();
    if (this.#take('$')) {
      if (this.#is('++') || this.#is('--')) {
        const by = this.#advance().text === '++' ? 1 : -1;
        return { k: 'field', of: { k: 'step', target: this.#primary(), by, isPrefix: true } };
      }
      if (this.#is('-')) {
        this.#advance();
        return { k: 'field', of: { k: 'unary', op: '-', a: this.#primary() } };
      }
      return { k: 'field', of: this.#primary() };
    }
    if (this.#take('(')) {
      const noGreater = this.#noGreater;
      this.#noGreater = 0;
      const list = this.#list();
      this.#newlines();
      this.#expect(')');
      this.#noGreater = noGreater;
      const group: Expr & { list?: Expr[] } = { k: 'group', of: list[0]! };
      if (list.length > 1 || this.#noGreater > 0) group.list = list;
      return group;
    }
    if (this.#take('getline')) {
      const target = this.#lvalueMaybe();
      if (this.#take('<')) return { k: 'getline', target, from: 'file', source: this.#concatenation(true) };
      return { k: 'getline', target, from: 'main', source: undefined };
    }
    if (t.type === 'builtin') {
      this.#advance();
      const args: Expr[] = [];
      if (this.#take('(')) {
        const noGreater = this.#noGreater;
        this.#noGreater = 0;
        this.#newlines();
        if (!this.#is(')')) args.push(...this.#list());
        this.#newlines();
        this.#expect(')');
        this.#noGreater = noGreater;
      } else if (t.text !== 'length') this.#fail();
      return { k: 'call', name: t.text, args };
    }
    if (t.type === 'func') {
      this.#advance();
      this.#expect('(');
      const noGreater = this.#noGreater;
      this.#noGreater = 0;
      this.#newlines();
      const args = this.#is(')') ? [] : this.#list();
      this.#newlines();
      this.#expect(')');
      this.#noGreater = noGreater;
      return { k: 'call', name: t.text, args };
    }
    if (t.type === 'name') {
      this.#advance();
      if (this.#take('[')) {
        const keys = this.#list();
        this.#expect(']');
        return { k: 'index', name: t.text, keys };
      }
      return { k: 'var', name: t.text };
    }
    if (this.#is('!') || this.#is('-') || this.#is('+')) return this.#unary();
    return this.#fail();
  }

  #regex(): Expr {
    const s = this.#source;
    let at = this.#token.at + 1;
    let source = '';
    let inBracket = false;
    for (; ; at++) {
      const c = s[at];
      if (c === undefined || c === '\n') throw new AwkSyntaxError('unterminated regexp', this.#token.at);
      if (c === '\\') {
        source += s[at + 1] === '/' ? '/' : c + s[at + 1]!;
        at++;
        continue;
      }
      if (c === '[') inBracket = true;
      else if (c === ']') inBracket = false;
      else if (c === '/' && !inBracket) break;
      source += c;
    }
    this.#at = at + 1;
    this.#token = this.#scan();
    return { k: 'regex', source };
  }
}
