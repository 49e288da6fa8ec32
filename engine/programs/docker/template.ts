// Go templates as far as docker's --format needs them: fields, range, if, index, json, join, println.

import { CliError } from './console.ts';

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: string }
  | {
      readonly kind: 'block';
      readonly word: 'range' | 'if' | 'with';
      readonly pipeline: string;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

export type Template = (data: unknown) => string;

export function compileTemplate(source: string): Template {
  const parts = source
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')
    .split(/(\{\{-?.*?-?\}\})/s);
  let at = 0;
  const parse = (isTop: boolean): { readonly nodes: readonly Node[]; readonly ended: 'end' | 'else' | 'eof' } => {
    const nodes: Node[] = [];
    for (; at < parts.length; at++) {
      const part = parts[at]!;
      if (!part.startsWith('{{')) {
        if (part !== '') nodes.push({ kind: 'text', text: part });
        continue;
      }
      const action = part.slice(2, -2).replace(/^-|-$/g, '').trim();
      const [word = ''] = action.split(/\s+/);
      if (word === 'end' || word === 'else') {
        if (isTop) throw fault(`unexpected {{${word}}}`);
        return { nodes, ended: word };
      }
      if (word === 'range' || word === 'if' || word === 'with') {
        at++;
        const body = parse(false);
        let otherwise: readonly Node[] = [];
        if (body.ended === 'else') {
          at++;
          otherwise = parse(false).nodes;
        }
        nodes.push({ kind: 'block', word, pipeline: action.slice(word.length).trim(), body: body.nodes, otherwise });
        continue;
      }
      nodes.push({ kind: 'print', pipeline: action });
    }
    if (!isTop) throw fault('unexpected EOF');
    return { nodes, ended: 'eof' };
  };
  const { nodes } = parse(true);
  return (data) => render(nodes, data, data, new Map());
}

function fault(message: string): CliError {
  return new CliError(`Template parsing error: template: :1: ${message}`, 64);
}

function render(nodes: readonly Node[], dot: unknown, root: unknown, variables: Map<string, unknown>): string {
  let output = '';
  for (const node of nodes) {
    if (node.kind === 'text') output += node.text;
    else if (node.kind === 'print') output += show(evaluate(node.pipeline, dot, root, variables));
    else {
      const assigned = /^(?:(\$\w+)\s*,\s*)?(\$\w+)\s*:=\s*(.*)$/s.exec(node.pipeline);
      const value = evaluate(assigned?.[3] ?? node.pipeline, dot, root, variables);
      if (node.word === 'range') {
        const entries = Array.isArray(value)
          ? value.map((item: unknown, index) => [index, item] as const)
          : Object.entries((value ?? {}) as object).sort(([a], [b]) => (a < b ? -1 : 1));
        for (const [key, item] of entries) {
          const inner = new Map(variables);
          if (assigned?.[2] !== undefined) inner.set(assigned[2], item);
          if (assigned?.[1] !== undefined) inner.set(assigned[1], key);
          output += render(node.body, item, root, inner);
        }
        if (entries.length === 0) output += render(node.otherwise, dot, root, variables);
      } else if (isTrue(value)) output += render(node.body, node.word === 'with' ? value : dot, root, variables);
      else output += render(node.otherwise, dot, root, variables);
    }
  }
  return output;
}

function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function evaluate(pipeline: string, dot: unknown, root: unknown, variables: Map<string, unknown>): unknown {
  let piped: unknown;
  let isFirst = true;
  for (const stage of pipeline.split('|').map((part) => part.trim())) {
    const words = stage.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|\([^)]*\)|[^\s()]+/g) ?? [];
    const values = words.slice(1).map((word) => operand(word, dot, root, variables));
    if (!isFirst) values.push(piped);
    piped = call(words[0] ?? '', values, dot, root, variables);
    isFirst = false;
  }
  return piped;
}

function call(name: string, args: readonly unknown[], dot: unknown, root: unknown, variables: Map<string, unknown>): unknown {
  switch (name) {
    case 'json':
      return JSON.stringify(args[0] ?? null);
    case 'index':
      return args.slice(1).reduce<unknown>((value, key) => field(value, String(key)), args[0]);
    case 'len':
      return Array.isArray(args[0]) || typeof args[0] === 'string' ? args[0].length : Object.keys((args[0] ?? {}) as object).length;
    case 'join':
      return (args[0] as string[]).join(String(args[1] ?? ''));
    case 'upper':
      return String(args[0]).toUpperCase();
    case 'lower':
      return String(args[0]).toLowerCase();
    case 'println':
      return `${args.map(show).join(' ')}\n`;
    case 'print':
      return args.map(show).join('');
    case 'eq':
      return args.slice(1).some((other) => other === args[0]);
    case 'ne':
      return args[0] !== args[1];
    case 'not':
      return !isTrue(args[0]);
    default:
      return operand(name, dot, root, variables);
  }
}

function operand(word: string, dot: unknown, root: unknown, variables: Map<string, unknown>): unknown {
  if (word.startsWith('"')) return JSON.parse(word) as string;
  if (word.startsWith('`')) return word.slice(1, -1);
  if (word.startsWith('(')) return evaluate(word.slice(1, -1), dot, root, variables);
  if (/^-?\d+$/.test(word)) return Number(word);
  const path = /^(\$\w*)?((?:\.\w*)*)$/.exec(word);
  if (path === null) throw fault(`function "${word}" not defined`);
  const start = path[1] === undefined ? dot : path[1] === '$' ? root : variables.get(path[1]);
  return (path[2] ?? '')
    .split('.')
    .filter((name) => name !== '')
    .reduce<unknown>((value, name) => field(value, name), start);
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = (value as Record<string, unknown>)[name];
  if (found === undefined && !Array.isArray(value) && !(name in value)) {
    if (MISSING_IS_ERROR.test(name))
      throw new CliError(`Template parsing error: template: :1:2: executing "" at <.${name}>: map has no entry for key "${name}"`, 64);
  }
  return found;
}

/** Names of the API's fields start with a capital; anything else is a key of a map. */
const MISSING_IS_ERROR = /^[A-Z]/;

function show(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  if (typeof value === 'object') {
    return `map[${Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${key}:${show(item)}`)
      .join(' ')}]`;
  }
  return String(value as string | number | boolean);
}
