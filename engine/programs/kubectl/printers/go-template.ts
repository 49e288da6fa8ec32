// Models text/template for -o go-template: fields, pipelines, range, if, with, variables and the common functions.
// Not modelled: define, template and block.

import { fromBase64, text as utf8Text } from '../../../sim/bytes.ts';
import { compareBytes, goValue, isObject, marshal, sortKeys } from './json.ts';

export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: string }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: string;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

export class GoTemplate {
  readonly #nodes: readonly Node[];
  readonly #allowMissingKeys: boolean;

  constructor(source: string, options: { readonly allowMissingKeys: boolean }) {
    this.#allowMissingKeys = options.allowMissingKeys;
    const parser = new Parser(source);
    this.#nodes = parser.block([]).nodes;
  }

  execute(data: unknown): string {
    return this.#run(this.#nodes, { dot: data, variables: new Map([['$', data]]) });
  }

  #run(nodes: readonly Node[], scope: Scope): string {
    let out = '';
    for (const node of nodes) {
      if (node.kind === 'text') out += node.text;
      else if (node.kind === 'action') {
        const value = this.#evaluate(node.pipeline, scope);
        if (value !== NOTHING) out += display(value);
      } else out += this.#control(node, scope);
    }
    return out;
  }

  #control(node: Extract<Node, { kind: 'if' | 'with' | 'range' }>, scope: Scope): string {
    const inner: Scope = { dot: scope.dot, variables: new Map(scope.variables) };
    if (node.kind === 'range') {
      const match = /^(\$\w*)\s*(?:,\s*(\$\w*)\s*)?:=\s*(.*)$/s.exec(node.pipeline);
      const value = this.#evaluate(match?.[3] ?? node.pipeline, inner);
      const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(value)
        ? value.map((item, index) => [index, item] as const)
        : isObject(value)
          ? Object.keys(value)
              .sort(compareBytes)
              .map((key) => [key, value[key]] as const)
          : [];
      if (value !== null && value !== undefined && typeof value !== 'object')
        throw new TemplateError(`range can't iterate over ${goValue(value)}`);
      if (entries.length === 0) return this.#run(node.otherwise, inner);
      return entries
        .map(([key, item]) => {
          const each: Scope = { dot: item, variables: new Map(inner.variables) };
          if (match !== null) {
            if (match[2] === undefined) each.variables.set(match[1] ?? '', item);
            else {
              each.variables.set(match[1] ?? '', key);
              each.variables.set(match[2], item);
            }
          }
          return this.#run(node.body, each);
        })
        .join('');
    }
    const match = /^(\$\w+)\s*:=\s*(.*)$/s.exec(node.pipeline);
    const value = this.#evaluate(match?.[2] ?? node.pipeline, inner);
    if (match !== null) inner.variables.set(match[1] ?? '', value);
    if (!isTrue(value)) return this.#run(node.otherwise, inner);
    return this.#run(node.body, node.kind === 'with' ? { dot: value, variables: inner.variables } : inner);
  }

  #evaluate(pipeline: string, scope: Scope): unknown {
    const assign = /^(\$\w*)\s*:?=\s*(.*)$/s.exec(pipeline);
    if (assign !== null) {
      scope.variables.set(assign[1] ?? '', this.#evaluate(assign[2] ?? '', scope));
      return NOTHING;
    }
    let value: unknown = NOTHING;
    for (const command of splitTop(pipeline, '|')) {
      const words = splitTop(command.trim(), ' ').filter((word) => word !== '');
      const [first = ''] = words;
      const rest = words.slice(1).map((word) => () => this.#operand(word, scope));
      const piped = value === NOTHING ? [] : [(): unknown => value];
      const name = FUNCTIONS[first] === undefined ? undefined : first;
      if (name === undefined) value = this.#operand(first, scope);
      else {
        const previous = piped.map((get) => get());
        value = FUNCTIONS[name]?.([...rest.map((get) => get()), ...previous]);
      }
    }
    return value;
  }

  #operand(word: string, scope: Scope): unknown {
    if (word.startsWith('(')) {
      const close = closingParen(word);
      return this.#fields(this.#evaluate(word.slice(1, close), scope), word.slice(close + 1));
    }
    if (word === '.') return scope.dot;
    if (word.startsWith('"')) return JSON.parse(word) as string;
    if (word.startsWith('`')) return word.slice(1, -1);
    if (/^-?\d/.test(word)) return Number(word);
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'nil') return null;
    if (word.startsWith('$')) {
      const name = /^\$\w*/.exec(word)?.[0] ?? '$';
      if (!scope.variables.has(name)) throw new TemplateError(`undefined variable "${name}"`);
      return this.#fields(scope.variables.get(name), word.slice(name.length));
    }
    if (word.startsWith('.')) return this.#fields(scope.dot, word);
    throw new TemplateError(`function "${word}" not defined`);
  }

  #fields(value: unknown, path: string): unknown {
    let current = value;
    for (const name of path.split('.').filter((part) => part !== '')) {
      if (current === null || current === undefined) {
        if (!this.#allowMissingKeys) throw new TemplateError(`nil pointer evaluating interface {}.${name}`);
        return undefined;
      }
      if (!isObject(current)) throw new TemplateError(`can't evaluate field ${name} in type interface {}`);
      if (current[name] === undefined && !this.#allowMissingKeys) throw new TemplateError(`map has no entry for key "${name}"`);
      current = current[name];
    }
    return current;
  }
}

interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, unknown>;
}

const NOTHING = Symbol('nothing');

function display(value: unknown): string {
  return value === null || value === undefined ? '<no value>' : goValue(value);
}

function isTrue(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return isObject(value) ? Object.keys(value).length > 0 : true;
}

const FUNCTIONS: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  len: ([value]) => (typeof value === 'string' || Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0),
  index: ([value, ...keys]) =>
    keys.reduce<unknown>((current, key) => (current as Record<string, unknown> | undefined)?.[String(key)], value),
  eq: ([first, ...others]) => others.some((other) => other === first),
  ne: ([a, b]) => a !== b,
  lt: ([a, b]) => (a as number) < (b as number),
  le: ([a, b]) => (a as number) <= (b as number),
  gt: ([a, b]) => (a as number) > (b as number),
  ge: ([a, b]) => (a as number) >= (b as number),
  not: ([value]) => !isTrue(value),
  and: (values) => values.find((value) => !isTrue(value)) ?? values[values.length - 1],
  or: (values) => values.find(isTrue) ?? values[values.length - 1],
  print: (values) => values.map(display).join(''),
  println: (values) => `${values.map(display).join(' ')}\n`,
  printf: ([format, ...values]) => sprintf(String(format), values),
  exists: ([value, ...keys]) =>
    keys.reduce<unknown>((current, key) => (current as Record<string, unknown> | undefined)?.[String(key)], value) !== undefined,
  base64decode: ([value]) => utf8Text(fromBase64(String(value))),
  js: ([value]) => JSON.stringify(String(value)).slice(1, -1),
  html: ([value]) => String(value).replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`),
};

function sprintf(format: string, values: readonly unknown[]): string {
  let at = 0;
  return format.replace(/%(-?)(\d*)([svdqt%])/g, (whole, left: string, width: string, verb: string) => {
    if (verb === '%') return '%';
    if (at >= values.length) return `%!${verb}(MISSING)`;
    const value = values[at++];
    const shown = verb === 'q' ? marshal(String(value)) : display(sortKeys(value));
    void whole;
    return left === '' ? shown.padStart(Number(width || 0)) : shown.padEnd(Number(width || 0));
  });
}

function closingParen(text: string): number {
  let depth = 0;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote !== '') {
      if (char === '\\' && quote === '"') at++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === '`') quote = char;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return at;
  }
  throw new TemplateError('unclosed left paren');
}

function splitTop(text: string, separator: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let quote = '';
  let part = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote !== '') {
      part += char;
      if (char === '\\' && quote === '"') part += text[++at] ?? '';
      else if (char === quote) quote = '';
      continue;
    }
    if (char === '"' || char === '`') quote = char;
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (depth === 0 && (char === separator || (separator === ' ' && /\s/.test(char)))) {
      out.push(part);
      part = '';
    } else part += char;
  }
  out.push(part);
  return out;
}

class Parser {
  readonly #parts: readonly string[];
  #at = 0;

  constructor(source: string) {
    this.#parts = lex(source);
  }

  block(ends: readonly string[]): { readonly nodes: Node[]; readonly end: string } {
    const nodes: Node[] = [];
    while (this.#at < this.#parts.length) {
      const isAction = this.#at % 2 === 1;
      const part = this.#parts[this.#at++] ?? '';
      if (!isAction) {
        if (part !== '') nodes.push({ kind: 'text', text: part });
        continue;
      }
      const word = /^\S*/.exec(part)?.[0] ?? '';
      const rest = part.slice(word.length).trim();
      if (part.startsWith('/*')) continue;
      if (word === 'end' || word === 'else') {
        if (!ends.includes(word)) throw new TemplateError(`unexpected {{${word}}}`);
        return { nodes, end: part };
      }
      if (word === 'if' || word === 'with' || word === 'range') nodes.push(this.#control(word, rest));
      else nodes.push({ kind: 'action', pipeline: part });
    }
    if (ends.length > 0) throw new TemplateError('unexpected EOF');
    return { nodes, end: '' };
  }

  #control(kind: 'if' | 'with' | 'range', pipeline: string): Node {
    const body = this.block(['end', 'else']);
    if (!body.end.startsWith('else')) return { kind, pipeline, body: body.nodes, otherwise: [] };
    const chained = /^else\s+if\s+(.*)$/s.exec(body.end);
    if (chained !== null) return { kind, pipeline, body: body.nodes, otherwise: [this.#control('if', chained[1] ?? '')] };
    return { kind, pipeline, body: body.nodes, otherwise: this.block(['end']).nodes };
  }
}

/** Text and actions in turn, trim markers applied. */
function lex(source: string): readonly string[] {
  const parts: string[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf('{{', at);
    let textPart = open < 0 ? source.slice(at) : source.slice(at, open);
    if (trimNext) textPart = textPart.trimStart();
    if (open < 0) {
      parts.push(textPart);
      return parts;
    }
    let close = open + 2;
    let quote = '';
    while (close < source.length && (quote !== '' || !source.startsWith('}}', close))) {
      const char = source[close] ?? '';
      if (quote !== '') {
        if (char === '\\' && quote === '"') close++;
        else if (char === quote) quote = '';
      } else if (char === '"' || char === '`') quote = char;
      close++;
    }
    if (close >= source.length) throw new TemplateError('unclosed action');
    let action = source.slice(open + 2, close);
    if (/^-\s/.test(action)) {
      action = action.slice(1);
      textPart = textPart.trimEnd();
    }
    trimNext = /\s-$/.test(action);
    if (trimNext) action = action.slice(0, -1);
    parts.push(textPart, action.trim());
    at = close + 2;
  }
}
