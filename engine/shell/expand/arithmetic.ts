// Models bash arithmetic: 64-bit integers, evaluated from text after expansion.

/** Small values are numbers, values beyond 2^53 bigints; the type is a matter of speed only. */
export type Integer = number | bigint;

export interface ArithmeticVariables {
  /** The text of a variable (`index` is the source between brackets), undefined when unset. */
  getText(name: string, index: string | undefined): string | undefined;
  setText(name: string, index: string | undefined, value: string): void;
}

/** An error of the expression; `token` is what bash calls the error token. */
export class ArithmeticError extends Error {
  readonly token: string;
  /** The whole expression, when it was an expansion. */
  source: string | undefined;
  constructor(message: string, token: string) {
    super(message);
    this.token = token;
  }
}

type Node = (variables: ArithmeticVariables, depth: number) => Integer;

const cache = new Map<string, Node>();

/** Evaluates an expression. Throws ArithmeticError. */
export function evaluateArithmetic(source: string, variables: ArithmeticVariables, depth = 0): Integer {
  let node = cache.get(source);
  if (node === undefined) {
    if (/^\s*-?(?:[1-9]\d{0,14}|0)\s*$/.test(source)) return Number(source);
    node = new ArithmeticParser(source).parse();
    if (cache.size > 5000) cache.clear();
    cache.set(source, node);
  }
  return node(variables, depth);
}

function fit(value: bigint): Integer {
  const wrapped = BigInt.asIntN(64, value);
  return wrapped >= -9007199254740991n && wrapped <= 9007199254740991n ? Number(wrapped) : wrapped;
}

function isSmall(value: number): boolean {
  return value >= -9007199254740991 && value <= 9007199254740991;
}

function add(a: Integer, b: Integer): Integer {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (isSmall(sum)) return sum;
  }
  return fit(BigInt(a) + BigInt(b));
}
function multiply(a: Integer, b: Integer): Integer {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    if (isSmall(product)) return product + 0;
  }
  return fit(BigInt(a) * BigInt(b));
}
function isInt32(value: Integer): value is number {
  return typeof value === 'number' && value === (value | 0);
}

function compute(operator: string, a: Integer, b: Integer, token: string): Integer {
  switch (operator) {
    case '+':
      return add(a, b);
    case '-':
      return add(a, typeof b === 'number' ? -b : -b);
    case '*':
      return multiply(a, b);
    case '/':
    case '%': {
      if (b == 0) throw new ArithmeticError('division by 0', token);
      if (typeof a === 'number' && typeof b === 'number') return (operator === '/' ? Math.trunc(a / b) : a % b) + 0;
      return fit(operator === '/' ? BigInt(a) / BigInt(b) : BigInt(a) % BigInt(b));
    }
    case '**': {
      if (b < 0) throw new ArithmeticError('exponent less than 0', token);
      let result: Integer = 1;
      let base: Integer = a;
      for (let n = BigInt(b); n > 0n; n >>= 1n) {
        if (n & 1n) result = multiply(result, base);
        base = multiply(base, base);
      }
      return result;
    }
    case '<<':
      return fit(BigInt(a) << (BigInt(b) & 63n));
    case '>>':
      return fit(BigInt(a) >> (BigInt(b) & 63n));
    case '&':
      return isInt32(a) && isInt32(b) ? a & b : fit(BigInt(a) & BigInt(b));
    case '|':
      return isInt32(a) && isInt32(b) ? a | b : fit(BigInt(a) | BigInt(b));
    case '^':
      return isInt32(a) && isInt32(b) ? a ^ b : fit(BigInt(a) ^ BigInt(b));
    case '<':
      return a < b ? 1 : 0;
    case '>':
      return a > b ? 1 : 0;
    case '<=':
      return a <= b ? 1 : 0;
    case '>=':
      return a >= b ? 1 : 0;
    case '==':
      return a == b ? 1 : 0;
    case '!=':
      return a != b ? 1 : 0;
    default:
      throw new ArithmeticError('syntax error: invalid arithmetic operator', token);
  }
}

const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const OPERATORS = [
  '<<=',
  '>>=',
  '**',
  '++',
  '--',
  '&&',
  '||',
  '<<',
  '>>',
  '<=',
  '>=',
  '==',
  '!=',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
];

interface Token {
  readonly type: 'number' | 'name' | 'operator' | 'end';
  readonly text: string;
  readonly index: string | undefined;
  readonly at: number;
}

class ArithmeticParser {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node {
    this.#tokenize();
    if (this.#peek().type === 'end') return () => 0;
    const node = this.#comma();
    const left = this.#peek();
    if (left.type !== 'end') throw new ArithmeticError(this.#misplaced(left), this.#rest(left));
    return node;
  }

  #misplaced(token: Token): string {
    if (token.type === 'operator' && token.text !== ')' && /^[^()+\-*/%<>=!&|^?:,~]/.test(token.text)) {
      return 'syntax error: invalid arithmetic operator';
    }
    return 'syntax error in expression';
  }

  #rest(token: Token): string {
    return token.type === 'end' ? this.#source.slice(this.#tokens.at(-2)?.at ?? 0) : this.#source.slice(token.at);
  }

  #tokenize(): void {
    const source = this.#source;
    for (let i = 0; i < source.length;) {
      const c = source[i]!;
      if (/\s/.test(c)) {
        i++;
        continue;
      }
      const rest = source.slice(i);
      const number = /^(?:0[xX][0-9a-fA-F]+|[0-9]+#[0-9a-zA-Z@_]+|[0-9][0-9a-zA-Z_]*)/.exec(rest);
      if (number !== null) {
        this.#tokens.push({ type: 'number', text: number[0], index: undefined, at: i });
        i += number[0].length;
        continue;
      }
      const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest);
      if (name !== null) {
        let end = i + name[0].length;
        let index: string | undefined;
        if (source[end] === '[') {
          let depth = 0;
          let close = end;
          for (; close < source.length; close++) {
            if (source[close] === '[') depth++;
            else if (source[close] === ']' && --depth === 0) break;
          }
          index = source.slice(end + 1, close);
          end = close + 1;
        }
        this.#tokens.push({ type: 'name', text: name[0], index, at: i });
        i = end;
        continue;
      }
      const operator = OPERATORS.find((o) => rest.startsWith(o)) ?? c;
      this.#tokens.push({ type: 'operator', text: operator, index: undefined, at: i });
      i += operator.length;
    }
    this.#tokens.push({ type: 'end', text: '', index: undefined, at: source.length });
  }

  #peek(): Token {
    return this.#tokens[this.#at]!;
  }

  #take(operator: string): boolean {
    const token = this.#peek();
    if (token.type !== 'operator' || token.text !== operator) return false;
    this.#at++;
    return true;
  }

  #comma(): Node {
    let left = this.#assignment();
    while (this.#take(',')) {
      const first = left;
      const right = this.#assignment();
      left = (v, d) => {
        first(v, d);
        return right(v, d);
      };
    }
    return left;
  }

  #assignment(): Node {
    const token = this.#peek();
    const next = this.#tokens[this.#at + 1];
    if (token.type === 'name' && next?.type === 'operator' && /^(?:=|[-+*/%&|^]=|<<=|>>=)$/.test(next.text)) {
      this.#at += 2;
      const right = this.#assignment();
      const { text: name, index } = token;
      const operator = next.text.slice(0, -1);
      const rest = this.#rest(next);
      return (v, d) => {
        const value = right(v, d);
        const result = operator === '' ? value : compute(operator, readVariable(v, name, index, d), value, rest);
        v.setText(name, index, String(result));
        return result;
      };
    }
    const node = this.#ternary();
    const after = this.#peek();
    if (after.type === 'operator' && /^(?:=|[-+*/%&|^]=|<<=|>>=)$/.test(after.text))
      throw new ArithmeticError('attempted assignment to non-variable', this.#rest(after));
    return node;
  }

  #ternary(): Node {
    const test = this.#binary(0);
    if (!this.#take('?')) return test;
    const yes = this.#comma();
    if (!this.#take(':')) throw new ArithmeticError("`:' expected for conditional expression", this.#rest(this.#peek()));
    const no = this.#assignment();
    return (v, d) => (test(v, d) != 0 ? yes(v, d) : no(v, d));
  }

  #binary(level: number): Node {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#power();
    let left = this.#binary(level + 1);
    for (;;) {
      const token = this.#peek();
      if (token.type !== 'operator' || !operators.includes(token.text)) return left;
      this.#at++;
      const a = left;
      const operator = token.text;
      const rest = this.#source.slice(this.#peek().at);
      const b = this.#binary(level + 1);
      if (operator === '&&') left = (v, d) => (a(v, d) != 0 && b(v, d) != 0 ? 1 : 0);
      else if (operator === '||') left = (v, d) => (a(v, d) != 0 || b(v, d) != 0 ? 1 : 0);
      else left = (v, d) => compute(operator, a(v, d), b(v, d), rest);
    }
  }

  #power(): Node {
    const base = this.#unary();
    const token = this.#peek();
    if (!this.#take('**')) return base;
    const rest = this.#source.slice(this.#peek().at);
    void token;
    const exponent = this.#power();
    return (v, d) => compute('**', base(v, d), exponent(v, d), rest);
  }

  #unary(): Node {
    const token = this.#peek();
    if (token.type === 'operator') {
      if (token.text === '++' || token.text === '--') {
        this.#at++;
        const target = this.#peek();
        if (target.type === 'name') {
          this.#at++;
          return this.#step(target, token.text === '++' ? 1 : -1, true);
        }
        const operand = this.#unary();
        return operand;
      }
      if (this.#take('!')) {
        const operand = this.#unary();
        return (v, d) => (operand(v, d) == 0 ? 1 : 0);
      }
      if (this.#take('~')) {
        const operand = this.#unary();
        return (v, d) => fit(~BigInt(operand(v, d)));
      }
      if (this.#take('-')) {
        const operand = this.#unary();
        return (v, d) => compute('-', 0, operand(v, d), '');
      }
      if (this.#take('+')) return this.#unary();
    }
    return this.#primary();
  }

  #step(target: Token, by: number, isPrefix: boolean): Node {
    const { text: name, index } = target;
    return (v, d) => {
      const old = readVariable(v, name, index, d);
      const result = add(old, by);
      v.setText(name, index, String(result));
      return isPrefix ? result : old;
    };
  }

  #primary(): Node {
    const token = this.#peek();
    if (token.type === 'number') {
      this.#at++;
      const value = parseInteger(token.text, this.#source.slice(token.at));
      return () => value;
    }
    if (token.type === 'name') {
      this.#at++;
      if (this.#take('++')) return this.#step(token, 1, false);
      if (this.#take('--')) return this.#step(token, -1, false);
      const { text: name, index } = token;
      return (v, d) => readVariable(v, name, index, d);
    }
    if (this.#take('(')) {
      const inner = this.#comma();
      if (!this.#take(')')) throw new ArithmeticError("missing `)'", this.#rest(this.#peek()));
      return inner;
    }
    if (token.type === 'end' || '()+-*/%<>=!&|^?:,~'.includes(token.text[0]!))
      throw new ArithmeticError('syntax error: operand expected', this.#rest(token));
    throw new ArithmeticError('syntax error: operand expected', this.#source.slice(token.at));
  }
}

function readVariable(variables: ArithmeticVariables, name: string, index: string | undefined, depth: number): Integer {
  const text = variables.getText(name, index);
  if (text === undefined || text === '') return 0;
  const number = Number(text);
  if (Number.isSafeInteger(number) && /^-?[1-9]\d*$|^0$/.test(text)) return number;
  if (depth > 1000) throw new ArithmeticError('expression recursion level exceeded', text);
  return evaluateArithmetic(text, variables, depth + 1);
}

/** A numeric literal: decimal, octal, hexadecimal or base#digits. */
export function parseInteger(text: string, token: string): Integer {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return fit(BigInt(text));
  if (/^[1-9]\d*$|^0$/.test(text)) return text.length < 16 ? Number(text) : fit(BigInt(text));
  if (/^0/.test(text) && !text.includes('#')) {
    if (/^[0-7]+$/.test(text)) return fit(BigInt('0o' + text));
    throw new ArithmeticError('value too great for base', token);
  }
  const based = /^(\d+)#(.+)$/.exec(text);
  if (based === null) throw new ArithmeticError('value too great for base', token);
  const base = Number(based[1]);
  if (base < 2 || base > 64) throw new ArithmeticError('invalid arithmetic base', token);
  let value = 0n;
  for (const c of based[2]!) {
    let digit: number;
    if (c >= '0' && c <= '9') digit = Number(c);
    else if (c >= 'a' && c <= 'z') digit = c.charCodeAt(0) - 87;
    else if (c >= 'A' && c <= 'Z') digit = c.charCodeAt(0) - (base <= 36 ? 55 : 29);
    else digit = c === '@' ? 62 : 63;
    if (digit >= base) throw new ArithmeticError('value too great for base', token);
    value = value * BigInt(base) + BigInt(digit);
  }
  return fit(value);
}
