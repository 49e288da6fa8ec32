// Reads a shell source one complete line at a time: what may run, where it ends, and bash's words for what is wrong with it.

import { forEachChild, parse, type ParsedScript, type ParseError, type Statement, type SyntaxNode } from 'unbash';

export interface SyntaxFailure {
  readonly message: string;
  /** Offset in the source. */
  readonly at: number;
  /** The input ended within something: an interactive shell asks for more. */
  readonly isIncomplete: boolean;
}

export interface ScriptUnit {
  readonly statements: readonly Statement[];
  readonly pos: number;
  readonly end: number;
}

export interface ReadScript {
  readonly source: string;
  /** Statements grouped by the lines on which they begin. */
  readonly units: readonly ScriptUnit[];
  readonly failure: SyntaxFailure | undefined;
  /** Here-documents that were ended by the end of the input. */
  readonly openHereDocs: readonly { readonly delimiter: string; readonly at: number }[];
}

const cache = new Map<string, ReadScript>();

/** Parses a whole source. What stands on lines before a syntax error is still runnable. */
export function readScript(source: string): ReadScript {
  const known = cache.get(source);
  if (known !== undefined) return known;
  const read = readAnew(source);
  if (cache.size > 500) cache.clear();
  if (source.length < 10_000) cache.set(source, read);
  return read;
}

function readAnew(source: string): ReadScript {
  const script = parse(source);
  const failure = findFailure(source, script);
  const units: { statements: Statement[]; pos: number; end: number }[] = [];
  for (const statement of script.commands) {
    const end = endOf(source, statement);
    const last = units.at(-1);
    if (last !== undefined && !source.slice(last.end, statement.pos).includes('\n')) {
      last.statements.push(statement);
      last.end = Math.max(last.end, end);
    } else units.push({ statements: [statement], pos: statement.pos, end });
  }
  if (failure !== undefined) {
    const lineStart = source.lastIndexOf('\n', failure.at - 1) + 1;
    // What recovery made of the broken command has no length, or lies on the line of the error: it may not run.
    const broken = units.findIndex(
      (unit) => unit.end > failure.at || unit.end > lineStart || unit.statements.some((one) => one.end <= one.pos),
    );
    if (broken >= 0) units.splice(broken);
    else if (units.length > 0 && lineStart === 0) units.length = 0;
  }
  return { source, units, failure, openHereDocs: source.includes('<<') ? findOpenHereDocs(source, script) : [] };
}

/** The end of a statement with its here-documents. */
function endOf(source: string, statement: Statement): number {
  let end = statement.end;
  if (!source.slice(statement.pos, statement.end).includes('<<')) return end;
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'HereDoc') end = Math.max(end, node.body.end, node.closing?.end ?? 0);
    else if (node.type !== 'Word') forEachChild(node, visit);
  };
  visit(statement);
  return end;
}

function findOpenHereDocs(source: string, script: ParsedScript): { delimiter: string; at: number }[] {
  const out: { delimiter: string; at: number }[] = [];
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'HereDoc') {
      if (node.closing === undefined) out.push({ delimiter: node.delimiter?.value ?? '', at: node.pos });
    } else if (node.type !== 'Word') forEachChild(node, visit);
  };
  visit(script);
  void source;
  return out;
}

const CLOSERS: Readonly<Record<string, string>> = {
  'double quote': '"',
  'single quote': "'",
  backtick: '`',
  'command substitution': ')',
  'arithmetic expansion': ')',
  'arithmetic command': ')',
  'parameter expansion': '}',
  'extended glob': ')',
};

function findFailure(source: string, script: ParsedScript): SyntaxFailure | undefined {
  const errors = [...(script.errors ?? [])].sort((a, b) => a.pos - b.pos);
  if (errors.length === 0) {
    const slashes = /(\\+)\n?$/.exec(source);
    if (slashes !== null && slashes[1]!.length % 2 === 1 && source.endsWith('\n') && !/(^|\s)#[^\n]*\n$/.test(source))
      return { message: 'syntax error: unexpected end of file', at: source.length, isIncomplete: true };
    return undefined;
  }
  const tail = source.trimEnd().length;
  const isSoft = (error: ParseError): boolean =>
    error.message.startsWith('unterminated') || (error.pos >= tail && !error.message.includes('redirect target'));
  const closes = errors.some(
    (error) => error.pos >= tail && / to close |after '(?:&&|\|\||\|&?)'|after 'case'|function body/.test(error.message),
  );
  const unterminated = errors.find((error) => error.message.startsWith('unterminated'));
  const hard = errors.find(
    (error) =>
      !isSoft(error) &&
      !(error.message.startsWith('expected command') && (closes || source.slice(error.pos).trim().length <= 1)) &&
      !(unterminated !== undefined && error.pos >= unterminated.pos),
  );
  if (hard === undefined && unterminated !== undefined) {
    const closer = CLOSERS[unterminated.message.replace('unterminated ', '')] ?? ')';
    return { message: `unexpected EOF while looking for matching \`${closer}'`, at: unterminated.pos, isIncomplete: true };
  }
  const missing = errors.find((error) => /^expected '(?:do|then)'$/.test(error.message));
  if (hard === undefined && (missing === undefined || closes))
    return { message: 'syntax error: unexpected end of file', at: source.length, isIncomplete: true };
  const error = hard ?? missing!;
  return { message: `syntax error near unexpected token \`${tokenAt(source, error)}'`, at: error.pos, isIncomplete: false };
}

function tokenAt(source: string, error: ParseError): string {
  const named = /^unexpected token '(.+)'$/.exec(error.message);
  const rest = source.slice(error.pos).replace(/^[ \t]+/, '');
  if (rest.startsWith('\n') || (rest === '' && error.message.includes('redirect'))) return 'newline';
  if (rest !== '') {
    const token = /^(?:;;&|;;|;&|&&|\|\||\|&|<<<|<<-|<<|>>|<&|>&|<>|>\||&>>|&>|[;&|()<>]|[^\s;&|()<>]+)/.exec(rest);
    if (token !== null) return token[0];
  }
  if (named !== null) return named[1]!;
  const words = source.trimEnd().match(/[;&|()<>]|[^\s;&|()<>]+/g);
  return words?.at(-1) ?? 'newline';
}

/** The line (from 1) on which an offset lies. */
export function lineAt(source: string, at: number): number {
  let line = 1;
  for (let i = source.indexOf('\n'); i >= 0 && i < at; i = source.indexOf('\n', i + 1)) line++;
  return line;
}

/** Replaces aliases at command positions, as bash does when it reads a line. */
export function expandAliases(source: string, aliases: ReadonlyMap<string, string>): string {
  if (aliases.size === 0) return source;
  let textNow = source;
  let regions: { from: number; to: number; names: ReadonlySet<string> }[] = [];
  const candidates = new Set<number>();
  for (let round = 0; round < 100; round++) {
    let hit: { at: number; name: string } | undefined;
    const consider = (name: string, at: number): void => {
      if (!aliases.has(name) || textNow.slice(at, at + name.length) !== name) return;
      if (regions.some((r) => at >= r.from && at < r.to && r.names.has(name))) return;
      if (hit === undefined || at < hit.at) hit = { at, name };
    };
    const visit = (node: SyntaxNode): void => {
      if (node.type === 'Word' || node.type === 'HereDoc') return;
      if (node.type === 'Command' && node.name !== undefined) consider(node.name.text, node.name.pos);
      forEachChild(node, visit);
    };
    visit(parse(textNow));
    for (const at of candidates) {
      const word = /^[^\s;|&<>()'"`$\\]+/.exec(textNow.slice(at));
      if (word !== null) consider(word[0], at);
    }
    if (hit === undefined) return textNow;
    const { at, name } = hit as { at: number; name: string };
    const value = aliases.get(name)!;
    const grow = value.length - name.length;
    const outer = regions.filter((r) => at >= r.from && at < r.to).flatMap((r) => [...r.names]);
    regions = regions.map((r) => ({ ...r, from: r.from > at ? r.from + grow : r.from, to: r.to > at ? r.to + grow : r.to }));
    regions.push({ from: at, to: at + value.length, names: new Set([...outer, name]) });
    const moved = [...candidates].map((c) => (c > at ? c + grow : c));
    candidates.clear();
    for (const c of moved) candidates.add(c);
    textNow = textNow.slice(0, at) + value + textNow.slice(at + name.length);
    if (/[ \t]$/.test(value)) {
      const blank = /^[ \t]*/.exec(textNow.slice(at + value.length))![0].length;
      candidates.add(at + value.length + blank);
    }
  }
  return textNow;
}
