// Models label selectors (labels.Parse, metav1.LabelSelector) and field selectors.

import { labelValue, qualifiedName } from './names.ts';

export type Labels = Readonly<Record<string, string>>;
export type Operator = 'in' | 'notin' | '=' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** What a selector cannot be; the message is that of apimachinery. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

export class LabelSelector {
  readonly requirements: readonly Requirement[];
  readonly #matchesNothing: boolean;

  constructor(requirements: readonly Requirement[], options: { readonly matchesNothing?: boolean } = {}) {
    this.requirements = requirements;
    this.#matchesNothing = options.matchesNothing === true;
  }

  get isEmpty(): boolean {
    return this.requirements.length === 0 && !this.#matchesNothing;
  }

  matches(labels: Labels | undefined): boolean {
    if (this.#matchesNothing) return false;
    return this.requirements.every((requirement) => meets(requirement, labels ?? {}));
  }

  toString(): string {
    return this.requirements.map(printRequirement).join(',');
  }
}

export const EVERYTHING = new LabelSelector([]);
export const NOTHING = new LabelSelector([], { matchesNothing: true });

/** labels.Parse: `a=b,c!=d,e in (f,g),h,!i`. Throws SelectorError. */
export function parseLabelSelector(text: string): LabelSelector {
  const requirements = new Parser(text).parse();
  return new LabelSelector([...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}

export interface LabelSelectorSpec {
  readonly matchLabels?: Labels | null;
  readonly matchExpressions?:
    readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | null }[] | null;
}

/** metav1.LabelSelectorAsSelector: a null selector selects nothing, an empty one everything. */
export function labelSelectorOf(spec: LabelSelectorSpec | null | undefined): LabelSelector {
  if (spec === undefined || spec === null) return NOTHING;
  const requirements: Requirement[] = Object.entries(spec.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }));
  for (const { key, operator, values } of spec.matchExpressions ?? []) {
    const operators: Record<string, Operator> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };
    const known = operators[operator];
    if (known === undefined) throw new SelectorError(`"${operator}" is not a valid pod selector operator`);
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  return new LabelSelector(requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}

/** A map of labels as selector (Service.spec.selector). */
export function selectorFromSet(labels: Labels | undefined | null): LabelSelector {
  return labelSelectorOf({ matchLabels: labels ?? {} });
}

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const has = Object.hasOwn(labels, key);
  const value = labels[key] ?? '';
  switch (operator) {
    case 'in':
    case '=':
      return has && values.includes(value);
    case 'notin':
    case '!=':
      return !has || !values.includes(value);
    case 'exists':
      return has;
    case '!':
      return !has;
    case 'gt':
      return has && /^[+-]?\d+$/.test(value) && BigInt(value) > BigInt(values[0]!);
    case 'lt':
      return has && /^[+-]?\d+$/.test(value) && BigInt(value) < BigInt(values[0]!);
  }
}

function printRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case '!':
      return `!${key}`;
    case 'exists':
      return key;
    case '=':
      return `${key}=${values[0]!}`;
    case '!=':
      return `${key}!=${values[0]!}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${[...values].sort().join(',')})`;
    case 'gt':
      return `${key}>${values[0]!}`;
    case 'lt':
      return `${key}<${values[0]!}`;
  }
}

type TokenKind = ')' | ',' | '!' | '==' | '=' | '!=' | '(' | '>' | '<' | 'in' | 'notin' | 'identifier' | 'end' | 'error';
interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

class Parser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = lex(text);
  }

  parse(): readonly Requirement[] {
    const out: Requirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'identifier' || token.kind === 'in' || token.kind === 'notin' || token.kind === '!') {
        out.push(this.#understood());
        const next = this.#next();
        if (next.kind === 'end') return out;
        if (next.kind !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
        const after = this.#peek(true);
        if (after.kind !== 'identifier' && after.kind !== '!')
          throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
      } else if (token.kind === 'end') return out;
      else throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    }
  }

  #understood(): Requirement {
    try {
      return this.#requirement();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`);
    }
  }

  #requirement(): Requirement {
    let isNegated = false;
    if (this.#peek().kind === '!') {
      this.#next();
      isNegated = true;
    }
    const token = this.#next(true);
    if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const problem = qualifiedName(key)[0];
    if (problem !== undefined) throw new SelectorError(`invalid label key "${key}": ${qualifiedName(key).join('; ')}`);
    const next = this.#peek();
    if (isNegated || next.kind === 'end' || next.kind === ',') {
      return { key, operator: isNegated ? '!' : 'exists', values: [] };
    }
    const operator = this.#next();
    const operators: Partial<Record<TokenKind, Operator>> = {
      in: 'in',
      notin: 'notin',
      '=': '=',
      '==': '=',
      '!=': '!=',
      '>': 'gt',
      '<': 'lt',
    };
    const known = operators[operator.kind];
    if (known === undefined) throw new SelectorError(`found '${operator.text}', expected: '=', '!=', '==', 'in', notin'`);
    const values = known === 'in' || known === 'notin' ? this.#set() : [this.#exactValue()];
    for (const value of values) {
      const problems = labelValue(value);
      if (problems.length > 0) throw new SelectorError(`invalid label value: "${value}": at key: "${key}": ${problems.join('; ')}`);
    }
    if ((known === 'gt' || known === 'lt') && !/^[+-]?\d+$/.test(values[0]!)) {
      throw new SelectorError(`for 'Gt', 'Lt' operators, the value must be an integer`);
    }
    return { key, operator: known, values };
  }

  #set(): readonly string[] {
    const open = this.#next(true);
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.#peek(true);
    if (first.kind === ')') {
      this.#next(true);
      return [''];
    }
    if (first.kind !== 'identifier' && first.kind !== ',')
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    const values = new Set<string>();
    for (;;) {
      const token = this.#next(true);
      if (token.kind === 'identifier') {
        values.add(token.text);
        const after = this.#peek(true);
        if (after.kind === ',') continue;
        if (after.kind !== ')') throw new SelectorError(`found '${after.text}', expected: ',' or ')'`);
        break;
      }
      if (token.kind !== ',') throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
      // Nothing between commas is the empty value.
      if (values.size === 0) values.add('');
      const after = this.#peek(true);
      if (after.kind === ')') {
        values.add('');
        break;
      }
      if (after.kind === ',') {
        this.#next(true);
        values.add('');
      }
    }
    this.#next(true);
    return [...values];
  }

  #exactValue(): string {
    const token = this.#peek(true);
    if (token.kind === 'end' || token.kind === ',') return '';
    this.#next(true);
    if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  /** As a value, `in` and `notin` are plain words. */
  #peek(asValue = false): Token {
    const token = this.#tokens[this.#at] ?? { kind: 'end', text: '' };
    return asValue && (token.kind === 'in' || token.kind === 'notin') ? { kind: 'identifier', text: token.text } : token;
  }

  #next(asValue = false): Token {
    const token = this.#peek(asValue);
    this.#at++;
    return token;
  }
}

function lex(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (/\s/.test(char)) {
      at++;
      continue;
    }
    const symbol = /^(==|!=|[()=,!<>])/.exec(text.slice(at))?.[0];
    if (symbol !== undefined) {
      tokens.push({ kind: symbol as TokenKind, text: symbol });
      at += symbol.length;
      continue;
    }
    const word = /^[^\s()=,!<>]+/.exec(text.slice(at))![0];
    tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
    at += word.length;
  }
  return tokens;
}

export interface FieldRequirement {
  readonly field: string;
  readonly isEqual: boolean;
  readonly value: string;
}

/** fields.ParseSelector: `status.phase=Running,spec.nodeName!=w1`. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  const out: FieldRequirement[] = [];
  for (const part of splitTerms(text)) {
    if (part === '') continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(part);
    if (match === null) throw new SelectorError(`invalid selector: '${text}'; can't understand '${part}'`);
    out.push({ field: match[1]!, isEqual: match[2] !== '!=', value: unescapeValue(match[3]!) });
  }
  return out;
}

export function matchesFields(requirements: readonly FieldRequirement[], valueOf: (field: string) => string): boolean {
  return requirements.every(({ field, isEqual, value }) => (valueOf(field) === value) === isEqual);
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      terms.push(text.slice(from, at));
      from = at + 1;
    }
  }
  terms.push(text.slice(from));
  return terms;
}

function unescapeValue(value: string): string {
  return value.replace(/\\([\\,=])/g, '$1');
}
