// Models sigs.k8s.io/yaml's output: go-yaml v2's emitter with its choice of styles, folding and order of keys.

import { isObject } from './json.ts';

/** Column after which a plain or quoted scalar is broken at its next space. */
const BEST_WIDTH = 80;

/** The YAML text of a JSON value. */
export function toYaml(value: unknown): string {
  const emitter = new Emitter();
  emitter.node(value, { indent: -1, isSequenceEntry: false, isMappingValue: false });
  return emitter.text;
}

interface Place {
  readonly indent: number;
  readonly isSequenceEntry: boolean;
  readonly isMappingValue: boolean;
}

class Emitter {
  text = '';
  #column = 0;

  node(value: unknown, place: Place): void {
    if (Array.isArray(value)) this.#sequence(value, place);
    else if (isObject(value)) this.#mapping(value, place);
    else {
      if (place.isMappingValue) this.#put(' ');
      this.#scalar(value, Math.max(place.indent, 0) + (place.isMappingValue ? 2 : 0));
      this.#newline();
    }
  }

  #sequence(items: readonly unknown[], place: Place): void {
    if (items.length === 0) {
      this.#put(place.isMappingValue ? ' []' : '[]');
      this.#newline();
      return;
    }
    // A sequence in a mapping is not indented; one in a sequence starts on the same line.
    const indent = place.isMappingValue ? place.indent : place.indent + (place.isSequenceEntry ? 2 : 0);
    const own = place.indent < 0 ? 0 : indent;
    if (place.isMappingValue) this.#newline();
    items.forEach((item, index) => {
      if (index > 0 || !place.isSequenceEntry) this.#indent(own);
      this.#put('- ');
      this.node(item, { indent: own, isSequenceEntry: true, isMappingValue: false });
    });
  }

  #mapping(object: Record<string, unknown>, place: Place): void {
    const keys = Object.keys(object)
      .filter((key) => object[key] !== undefined)
      .sort(compareKeys);
    if (keys.length === 0) {
      this.#put(place.isMappingValue ? ' {}' : '{}');
      this.#newline();
      return;
    }
    const own = place.indent < 0 ? 0 : place.indent + 2;
    if (place.isMappingValue) this.#newline();
    keys.forEach((key, index) => {
      if (index > 0 || !place.isSequenceEntry) this.#indent(own);
      if ([...key].length > 128) {
        this.#put('? ');
        this.#scalar(key, own + 2);
        this.#newline();
        this.#indent(own);
      } else this.#key(key);
      this.#put(':');
      this.node(object[key], { indent: own, isSequenceEntry: false, isMappingValue: true });
    });
  }

  #key(key: string): void {
    const style = styleOf(key, true);
    if (style === 'plain') this.#put(key);
    else if (style === 'single') this.#put(`'${key.replace(/'/g, "''")}'`);
    else this.#doubleQuoted(key, 0, false);
  }

  #scalar(value: unknown, indent: number): void {
    if (value === null || value === undefined) this.#put('null');
    else if (typeof value === 'number') this.#put(goNumber(value));
    else if (typeof value === 'boolean') this.#put(String(value));
    else this.#string(String(value), indent);
  }

  #string(text: string, indent: number): void {
    switch (styleOf(text, false)) {
      case 'plain':
        this.#folded(text, indent, (char) => char);
        break;
      case 'single':
        this.#put("'");
        this.#folded(text, indent, (char) => (char === "'" ? "''" : char));
        this.#put("'");
        break;
      case 'double':
        this.#doubleQuoted(text, indent, true);
        break;
      case 'literal':
        this.#literal(text, indent);
        break;
    }
  }

  /** Words of a plain or single quoted scalar; a lone space past the best width becomes a line break. */
  #folded(text: string, indent: number, write: (char: string) => string): void {
    const chars = [...text];
    let wasSpace = false;
    chars.forEach((char, at) => {
      const isInner = at > 0 && at < chars.length - 1;
      if (char === ' ' && !wasSpace && this.#column > BEST_WIDTH && isInner && chars[at + 1] !== ' ') {
        this.#newline();
        this.#indent(indent);
      } else this.#put(write(char));
      wasSpace = char === ' ';
    });
  }

  #doubleQuoted(text: string, indent: number, allowBreaks: boolean): void {
    this.#put('"');
    const chars = [...text];
    let wasSpace = false;
    chars.forEach((char, at) => {
      const isInner = at > 0 && at < chars.length - 1;
      if (!isPrintable(char) || char === '"' || char === '\\') {
        this.#put(escapeOf(char));
        wasSpace = false;
      } else if (char === ' ') {
        if (allowBreaks && !wasSpace && this.#column > BEST_WIDTH && isInner) {
          this.#newline();
          this.#indent(indent);
          if (chars[at + 1] === ' ') this.#put('\\');
        } else this.#put(' ');
        wasSpace = true;
      } else {
        this.#put(char);
        wasSpace = false;
      }
    });
    this.#put('"');
  }

  #literal(text: string, indent: number): void {
    const hint = text.startsWith(' ') || text.startsWith('\n') ? '2' : '';
    const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
    this.#put(`|${hint}${chomp}`);
    const lines = text.split('\n');
    if (text.endsWith('\n')) lines.pop();
    for (const line of lines) {
      this.#newline();
      if (line !== '') {
        this.#indent(indent);
        this.#put(line);
      }
    }
  }

  #put(text: string): void {
    this.text += text;
    this.#column += [...text].length;
  }

  #newline(): void {
    this.text += '\n';
    this.#column = 0;
  }

  #indent(width: number): void {
    this.#put(' '.repeat(width));
  }
}

type Style = 'plain' | 'single' | 'double' | 'literal';

function styleOf(text: string, isKey: boolean): Style {
  const traits = analyse(text);
  if (text.includes('\n')) return traits.isBlockAllowed && !isKey ? 'literal' : 'double';
  if (isOtherType(text)) return 'double';
  if (traits.isPlainAllowed) return 'plain';
  return traits.isSingleAllowed ? 'single' : 'double';
}

function analyse(text: string): { isPlainAllowed: boolean; isSingleAllowed: boolean; isBlockAllowed: boolean } {
  const chars = [...text];
  let hasIndicators = text.startsWith('---') || text.startsWith('...');
  let hasSpecial = false;
  let hasBreaks = false;
  let spaceBeforeBreak = false;
  let breakBeforeSpace = false;
  chars.forEach((char, at) => {
    const next = chars[at + 1];
    const isFollowedByBlank = next === undefined || /[ \t\n\r\u0085\u2028\u2029]/.test(next);
    if (at === 0) {
      if ('#,[]{}&*!|>\'"%@`'.includes(char)) hasIndicators = true;
      if ('?:-'.includes(char) && isFollowedByBlank) hasIndicators = true;
    } else {
      if (char === ':' && isFollowedByBlank) hasIndicators = true;
      if (char === '#' && /[ \t\n\r\u0085\u2028\u2029]/.test(chars[at - 1] ?? '')) hasIndicators = true;
    }
    if (!isPrintable(char)) hasSpecial = true;
    const isBreak = /[\n\r\u0085\u2028\u2029]/.test(char);
    if (isBreak) {
      hasBreaks = true;
      if (chars[at - 1] === ' ') spaceBeforeBreak = true;
    }
    if (char === ' ' && /[\n\r\u0085\u2028\u2029]/.test(chars[at - 1] ?? '')) breakBeforeSpace = true;
  });
  const hasEdgeSpace = /^[ \n\r]|[ \n\r]$/.test(text);
  const isBad = spaceBeforeBreak || hasSpecial;
  return {
    isPlainAllowed: !hasEdgeSpace && !breakBeforeSpace && !isBad && !hasBreaks && !hasIndicators,
    isSingleAllowed: !breakBeforeSpace && !isBad,
    isBlockAllowed: !text.endsWith(' ') && !isBad,
  };
}

function isPrintable(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  if (code === 0x0a) return true;
  if (code >= 0x20 && code <= 0x7e) return true;
  if (code >= 0xa0 && code <= 0xd7ff) return true;
  if (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff) return true;
  return false;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\u000b': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeOf(char: string): string {
  const short = ESCAPES[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return `\\U${code.toString(16).toUpperCase().padStart(8, '0')}`;
}

const RESERVED =
  /^(|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|\.nan|\.NaN|\.NAN|[+-]?\.inf|[+-]?\.Inf|[+-]?\.INF|<<)$/;
const DATE = /^\d{4}-\d{1,2}-\d{1,2}([Tt ]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?( ?(Z|[+-]\d{1,2}(:\d\d)?))?)?$/;

/** True when go-yaml would read the plain text as anything but a string. */
export function isOtherType(text: string): boolean {
  if (RESERVED.test(text)) return true;
  if (/^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/.test(text)) return true;
  const plain = text.replace(/_/g, '');
  if (
    /^[-+]?(0|[1-9]\d*)$/.test(plain) ||
    /^[-+]?0[xX][0-9a-fA-F]+$/.test(plain) ||
    /^[-+]?0[0-7]+$/.test(plain) ||
    /^[-+]?0b[01]+$/.test(plain)
  )
    return true;
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) return true;
  return DATE.test(text) && !Number.isNaN(Date.parse(text.replace(/ /, 'T')));
}

function goNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** go-yaml's natural order of keys: letters after others, runs of digits by their number. */
export function compareKeys(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let at = 0; at < left.length && at < right.length; at++) {
    const l = left[at] ?? '';
    const r = right[at] ?? '';
    if (l === r) continue;
    const isLeftLetter = /\p{L}/u.test(l);
    const isRightLetter = /\p{L}/u.test(r);
    if (isLeftLetter && isRightLetter) return (l.codePointAt(0) ?? 0) - (r.codePointAt(0) ?? 0);
    if (isLeftLetter || isRightLetter) return isRightLetter ? -1 : 1;
    let seed = 0;
    if (l === '0' || r === '0') {
      for (let back = at - 1; back >= 0 && /\d/.test(left[back] ?? ''); back--) {
        if (left[back] !== '0') {
          seed = 1;
          break;
        }
      }
    }
    const [leftNumber, leftEnd] = digits(left, at, seed);
    const [rightNumber, rightEnd] = digits(right, at, seed);
    if (leftNumber !== rightNumber) return leftNumber - rightNumber;
    if (leftEnd !== rightEnd) return leftEnd - rightEnd;
    return (l.codePointAt(0) ?? 0) - (r.codePointAt(0) ?? 0);
  }
  return left.length - right.length;
}

function digits(chars: readonly string[], from: number, seed: number): readonly [number, number] {
  let at = from;
  let number = seed;
  for (; at < chars.length && /\d/.test(chars[at] ?? ''); at++) number = number * 10 + Number(chars[at]);
  return [number, at];
}
