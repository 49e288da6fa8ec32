// Models reading YAML as Kubernetes does (go-yaml v2 by sigs.k8s.io/yaml): YAML 1.1 scalars, go-yaml's messages.

import { LineCounter, parseDocument, type Document, type YAMLError } from 'yaml';

export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/** A point without a digit is no number. */
const FRACTION = /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)$/;

/** The JSON value of one YAML (or JSON) document. Throws YamlError with go-yaml's text after `yaml: `. */
export function decodeYaml(source: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(source, {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    customTags: (tags) =>
      tags
        .filter((tag) => typeof tag === 'string' || !isForeign(tag as { readonly tag?: string; readonly format?: string }))
        .map((tag) =>
          typeof tag === 'object' && tag.collection === undefined && tag.test?.test('.') === true ? { ...tag, test: FRACTION } : tag,
        ),
  });
  const [error] = document.errors;
  if (error !== undefined) throw new YamlError(wording(error, lines, source));
  return plain(document);
}

/** Types that go-yaml v2 leaves strings: base 60 numbers and timestamps. */
function isForeign(tag: { readonly tag?: string; readonly format?: string }): boolean {
  return (
    tag.format === 'TIME' ||
    (tag.tag ?? '').endsWith(':timestamp') ||
    (tag.tag ?? '').endsWith(':set') ||
    (tag.tag ?? '').endsWith(':omap') ||
    (tag.tag ?? '').endsWith(':pairs')
  );
}

function plain(document: Document): unknown {
  return normalise(document.toJS({ mapAsMap: true, maxAliasCount: 10000 }));
}

/** Keys become strings, as they must be in JSON. */
function normalise(value: unknown): unknown {
  if (value instanceof Map) {
    const out: Record<string, unknown> = {};
    for (const [key, item] of value) out[String(key)] = normalise(item);
    return out;
  }
  if (Array.isArray(value)) return value.map(normalise);
  if (typeof value === 'bigint') return Number(value);
  return value;
}

/** go-yaml counts a parser's error from the line before, a scanner's from its own. */
function wording(error: YAMLError, lines: LineCounter, source: string): string {
  const line = lines.linePos(error.pos[0]).line;
  const last = source.split('\n').length;
  const at = (number: number, text: string): string => (number <= 0 ? text : `line ${number}: ${text}`);
  const current = source.split('\n')[line - 1] ?? '';
  if (/[[{]\s*$/.test(source)) return at(last - 1, 'did not find expected node content');
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return at(line, 'found character that cannot start any token');
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW': {
      // The scanner stops at the colon, which may stand lines after the scalar it cannot follow.
      const found = lines.linePos(colonAfter(error, source)).line;
      return at(found === 1 ? 0 : found, 'mapping values are not allowed in this context');
    }
    case 'MULTILINE_IMPLICIT_KEY':
      // In a list the lines are one scalar; in a mapping the first of them must be a key.
      if (/^\s*- /.test(current))
        return at(lines.linePos(colonAfter(error, source)).line, 'mapping values are not allowed in this context');
      return at(line + 1, "could not find expected ':'");
    case 'KEY_OVER_1024_CHARS':
      return at(line + 1, "could not find expected ':'");
    case 'MISSING_CHAR':
      if (/quote/.test(error.message)) return at(last === 1 ? 0 : last, 'found unexpected end of stream');
      if (/colon|:|Implicit map keys/.test(error.message)) return at(line + 1, "could not find expected ':'");
      if (/[[{]\s*$/.test(source.trimEnd())) return at(last - 1, 'did not find expected node content');
      return at(line - 1 || 1, `did not find expected ',' or '${source.includes('[') ? ']' : '}'}'`);
    case 'BAD_ALIAS':
      return at(
        line,
        /unresolved/i.test(error.message)
          ? error.message.replace(/.*alias /, 'unknown anchor ')
          : 'did not find expected alphabetic or numeric character',
      );
    case 'BAD_SCALAR_START':
      return at(line, 'found character that cannot start any token');
    default: {
      const closer = /^Flow .* end with a (.)$/.exec(error.message)?.[1];
      if (closer !== undefined) return at(line - 1, `did not find expected ',' or '${closer}'`);
      if (current.startsWith('\t') || /^\s*\t/.test(current)) return at(line, 'found character that cannot start any token');
      return at(line - 1, /^\s*- /.test(current) ? "did not find expected '-' indicator" : 'did not find expected key');
    }
  }
}

/** Where the next colon of a mapping is, or the error itself. */
function colonAfter(error: YAMLError, source: string): number {
  return error.pos[0] + (/:(?=\s|$)/.exec(source.slice(error.pos[0]))?.index ?? 0);
}
