// Models client-go's jsonpath templates: fields, filters, slices, unions, range and text.

import { goSyntax, isObject, marshal, sortKeys } from './go-values.ts';

export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly nodes: Node[] }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'array'; readonly params: readonly (number | undefined)[] }
  | { readonly kind: 'filter'; readonly left: Node; readonly right: Node; readonly operator: string }
  | { readonly kind: 'union'; readonly nodes: readonly Node[] }
  | { readonly kind: 'recursive' }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'literal'; readonly value: number | boolean }
  | { readonly kind: 'identifier'; readonly name: string };

const UNARY = /^(?:[^"'\s]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')*/;

/** A parsed template. */
export class JsonPath {
  readonly #roots: readonly Node[];
  readonly allowMissingKeys: boolean;

  /** Throws JsonPathError with client-go's message. */
  constructor(template: string, options: { readonly allowMissingKeys: boolean }) {
    this.#roots = parseTemplate(template);
    this.allowMissingKeys = options.allowMissingKeys;
  }

  /** The results of every action, ranges unrolled. */
  find(data: unknown): readonly (readonly unknown[])[] {
    const out: unknown[][] = [];
    this.#run(this.#roots, 0, [data], out);
    return out;
  }

  execute(data: unknown): string {
    return this.find(data)
      .map((results) => results.map(toText).join(' '))
      .join('');
  }

  /** Evaluates nodes until `end`; returns the index after it. */
  #run(nodes: readonly Node[], from: number, current: readonly unknown[], out: unknown[][]): number {
    let at = from;
    for (; at < nodes.length; at++) {
      const node = nodes[at];
      if (node === undefined) break;
      const first = node.kind === 'list' ? node.nodes[0] : undefined;
      if (first?.kind === 'identifier' && first.name === 'end') {
        if (from === 0) throw new JsonPathError('not in range, nothing to end');
        return at + 1;
      }
      if (node.kind === 'list' && first?.kind === 'identifier' && first.name === 'range') {
        const items = this.#walk(current, { kind: 'list', nodes: node.nodes.slice(1) });
        let after = skipRange(nodes, at + 1);
        for (const item of items) after = this.#run(nodes, at + 1, [item], out);
        at = after - 1;
        continue;
      }
      out.push(this.#walk(current, node));
    }
    if (from !== 0 && at >= nodes.length) throw new JsonPathError('unexpected EOF: unterminated range');
    return at;
  }

  #walk(values: readonly unknown[], node: Node): unknown[] {
    switch (node.kind) {
      case 'text':
        return [node.text];
      case 'literal':
        return [node.value];
      case 'list': {
        let current: unknown[] = [...values];
        for (const child of node.nodes) current = this.#walk(current, child);
        return current;
      }
      case 'field':
        return this.#field(values, node.name);
      case 'array':
        return this.#array(values, node.params);
      case 'filter':
        return this.#filter(values, node);
      case 'union':
        return node.nodes.flatMap((child) => this.#walk(values, child));
      case 'wildcard':
        return values.flatMap((value) => children(value));
      case 'recursive':
        return values.flatMap((value) => descendants(value));
      case 'identifier':
        throw new JsonPathError(`unsupported identifier ${node.name}`);
    }
  }

  #field(values: readonly unknown[], name: string): unknown[] {
    const out: unknown[] = [];
    // With nothing to look in, a field is as missing as in an empty object, save that client-go then says nothing.
    if (values.length === 0) return out;
    for (const value of values) if (isObject(value) && value[name] !== undefined) out.push(value[name]);
    if (out.length === 0 && !this.allowMissingKeys) throw new JsonPathError(`${name} is not found`);
    return out;
  }

  #array(values: readonly unknown[], params: readonly (number | undefined)[]): unknown[] {
    const out: unknown[] = [];
    for (const value of values) {
      if (value === null || value === undefined) continue;
      if (!Array.isArray(value)) throw new JsonPathError(`${goTypeName(value)} is not array or slice`);
      const length = value.length;
      const [first, last, step] = params;
      let from = first ?? 0;
      let to = last ?? length;
      if (first !== undefined && from < 0) from += length;
      if (last !== undefined && to < 0) to += length;
      if (length === 0) continue;
      if (params.length === 1) {
        if (from >= length || from < 0) throw new JsonPathError(`array index out of bounds: index ${from}, length ${length}`);
        out.push(value[from]);
        continue;
      }
      if (from >= length || from < 0) throw new JsonPathError(`array index out of bounds: index ${from}, length ${length}`);
      if (to > length || to < 0) throw new JsonPathError(`array index out of bounds: index ${to - 1}, length ${length}`);
      if (from > to) throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
      for (let at = from; at < to; at += step ?? 1) out.push(value[at]);
    }
    return out;
  }

  #filter(values: readonly unknown[], node: Extract<Node, { kind: 'filter' }>): unknown[] {
    const out: unknown[] = [];
    for (const list of values) {
      if (!Array.isArray(list)) throw new JsonPathError(`${goSyntax(list)} is not array or slice and cannot be filtered`);
      for (const item of list) {
        const left = this.#optional([item], node.left);
        if (node.operator === 'exists') {
          if (left.length > 0) out.push(item);
          continue;
        }
        if (left.length === 0) continue;
        if (left.length > 1) throw new JsonPathError('can only compare one element at a time');
        const right = this.#walk([item], node.right);
        if (right.length === 0) continue;
        if (right.length > 1) throw new JsonPathError('can only compare one element at a time');
        if (compare(left[0], right[0], node.operator)) out.push(item);
      }
    }
    return out;
  }

  #optional(values: readonly unknown[], node: Node): unknown[] {
    try {
      return this.#walk(values, node);
    } catch (error) {
      if (error instanceof JsonPathError) return [];
      throw error;
    }
  }
}

function skipRange(nodes: readonly Node[], from: number): number {
  let depth = 1;
  for (let at = from; at < nodes.length; at++) {
    const node = nodes[at];
    const first = node?.kind === 'list' ? node.nodes[0] : undefined;
    if (first?.kind !== 'identifier') continue;
    if (first.name === 'range') depth++;
    if (first.name === 'end' && --depth === 0) return at + 1;
  }
  throw new JsonPathError('unexpected EOF: unterminated range');
}

function compare(left: unknown, right: unknown, operator: string): boolean {
  if (operator === '==' || operator === '!=') return (left === right) === (operator === '==');
  if (typeof left !== typeof right) throw new JsonPathError('incompatible types for comparison');
  const a = left as string | number;
  const b = right as string | number;
  if (operator === '<') return a < b;
  if (operator === '>') return a > b;
  return operator === '<=' ? a <= b : a >= b;
}

function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(sortKeys(value) as object) : [];
}

function descendants(value: unknown): unknown[] {
  const out: unknown[] = [];
  const visit = (node: unknown): void => {
    if (!Array.isArray(node) && !isObject(node)) return;
    out.push(node);
    for (const child of children(node)) visit(child);
  };
  visit(value);
  return out;
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return marshal(sortKeys(value));
  return String(value);
}

function goTypeName(value: unknown): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'int64';
  return typeof value === 'boolean' ? 'bool' : 'map[string]interface {}';
}

function parseTemplate(template: string): readonly Node[] {
  const nodes: Node[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    if (open < 0) {
      nodes.push({ kind: 'text', text: template.slice(at) });
      break;
    }
    if (open > at) nodes.push({ kind: 'text', text: template.slice(at, open) });
    const parser = new ActionParser(template, open + 1);
    nodes.push(parser.parse());
    at = parser.position;
  }
  return nodes;
}

/** Parses one `{...}`. */
class ActionParser {
  readonly #text: string;
  position: number;

  constructor(text: string, from: number) {
    this.#text = text;
    this.position = from;
  }

  parse(): Node {
    const nodes: Node[] = [];
    for (;;) {
      const char = this.#text[this.position];
      if (char === undefined || char === '\n') throw new JsonPathError('unclosed action');
      if (char === '}') {
        this.position++;
        return { kind: 'list', nodes };
      }
      this.#token(char, nodes);
    }
  }

  #token(char: string, nodes: Node[]): void {
    const rest = this.#text.slice(this.position);
    if (char === ' ' || char === '@' || char === '$') this.position++;
    else if (char === '[') this.#bracket(nodes);
    else if (char === '"' || char === "'") nodes.push(this.#quote(char));
    else if (rest.startsWith('..')) {
      this.position += 2;
      nodes.push({ kind: 'recursive' });
      const next = this.#text[this.position];
      if (next !== undefined && /[\p{L}\p{N}_]/u.test(next)) this.#field(nodes);
    } else if (char === '.') {
      this.position++;
      this.#field(nodes);
    } else if (/[+\-0-9]/.test(char)) {
      const match = /^[+-]?\d+(\.\d+)?/.exec(rest)?.[0] ?? '';
      if (match === '') throw new JsonPathError(`cannot parse number ${rest}`);
      this.position += match.length;
      nodes.push({ kind: 'literal', value: Number(match) });
    } else if (/[\p{L}_]/u.test(char)) {
      const name = /^[\p{L}\p{N}_]+/u.exec(rest)?.[0] ?? '';
      this.position += name.length;
      if (name === 'true' || name === 'false') nodes.push({ kind: 'literal', value: name === 'true' });
      else if (name === 'range' || name === 'end') nodes.push({ kind: 'identifier', name });
      else throw new JsonPathError(`unrecognized identifier ${name}`);
    } else
      throw new JsonPathError(
        `unrecognized character in action: U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} '${char}'`,
      );
  }

  #field(nodes: Node[]): void {
    let name = '';
    for (;;) {
      const char = this.#text[this.position];
      if (char === '\\') {
        name += this.#text[this.position + 1] ?? '';
        this.position += 2;
        continue;
      }
      if (char === undefined || ' \t\n\r.,[])@$({}|"\''.includes(char) || char === '>' || char === '<' || char === '=' || char === '!')
        break;
      name += char;
      this.position++;
    }
    if (name === '*') nodes.push({ kind: 'wildcard' });
    else if (name !== '') nodes.push({ kind: 'field', name });
  }

  #quote(quote: string): Node {
    let at = this.position + 1;
    let text = '';
    for (;;) {
      const char = this.#text[at];
      if (char === undefined || char === '\n') throw new JsonPathError('unterminated quoted string');
      if (char === quote) break;
      if (char === '\\') {
        const next = this.#text[at + 1] ?? '';
        text += next === 'n' ? '\n' : next === 't' ? '\t' : next === 'r' ? '\r' : next;
        at += 2;
        continue;
      }
      text += char;
      at++;
    }
    this.position = at + 1;
    return { kind: 'text', text };
  }

  #bracket(nodes: Node[]): void {
    const close = this.#closing();
    if (close < 0) throw new JsonPathError('unterminated array');
    const inner = this.#text.slice(this.position + 1, close);
    const isFilter = /^\?\(/.test(inner);
    if (!isFilter && inner.includes('}') && !/['"]/.test(inner)) throw new JsonPathError('unterminated array');
    this.position = close + 1;
    if (isFilter) {
      if (!inner.endsWith(')')) throw new JsonPathError('unterminated filter');
      nodes.push(parseFilter(inner.slice(2, -1)));
      return;
    }
    nodes.push(parseSubscript(inner));
  }

  #closing(): number {
    let quote = '';
    let depth = 0;
    for (let at = this.position; at < this.#text.length; at++) {
      const char = this.#text[at] ?? '';
      if (quote !== '') {
        if (char === '\\') at++;
        else if (char === quote) quote = '';
      } else if (char === '"' || char === "'") quote = char;
      else if (char === '[') depth++;
      else if (char === ']' && --depth === 0) return at;
    }
    return -1;
  }
}

function parseSubscript(inner: string): Node {
  if (inner === '*') return { kind: 'wildcard' };
  const quoted = /^\s*(['"])((?:\\.|(?!\1).)*)\1\s*$/.exec(inner);
  if (quoted !== null) return { kind: 'field', name: (quoted[2] ?? '').replace(/\\(.)/g, '$1') };
  if (inner.includes(',')) return { kind: 'union', nodes: inner.split(',').map((part) => parseSubscript(part.trim())) };
  const slice = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(inner.trim());
  if (slice === null || inner.trim() === '') throw new JsonPathError(`invalid array index ${inner}`);
  const number = (part: string | undefined): number | undefined =>
    part === undefined || part === '' || part === ':' ? undefined : Number(part.replace(':', ''));
  if (slice[2] === undefined) return { kind: 'array', params: [number(slice[1])] };
  return { kind: 'array', params: [number(slice[1]), number(slice[2]), number(slice[3])] };
}

function parseFilter(inner: string): Node {
  const left = UNARY.exec(inner)?.[0] ?? '';
  const match = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/.exec(inner);
  const side = (text: string): Node => new ActionParser(`${text.trim()}}`, 0).parse();
  if (match === null) {
    if (left.trim() === '') throw new JsonPathError('unrecognized filter');
    return { kind: 'filter', left: side(inner), right: { kind: 'list', nodes: [] }, operator: 'exists' };
  }
  return { kind: 'filter', left: side(match[1] ?? ''), right: side(match[3] ?? ''), operator: match[2] ?? '' };
}

/** get's relaxed form of an expression: `x.y`, `.x.y` and `{x.y}` all become `{.x.y}`; undefined when it is none. */
export function relaxedExpression(path: string): string | undefined {
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(path);
  if (match === null) return undefined;
  return `{.${match[1] ?? match[2] ?? ''}}`;
}
