// Models the types that decode themselves: what they refuse, in their own words. Values are given as JSON text.

import { Quantity, QuantityError } from '../quantity.ts';
import type { TypeRef } from './schema.ts';

/** What the type of a value that decodes itself has against it; undefined when it is fine. */
export function ownProblem(kind: TypeRef['kind'], json: string): string | undefined {
  if (json === 'null') return undefined;
  switch (kind) {
    case 'quantity':
      return quantityProblem(json.startsWith('"') ? (JSON.parse(json) as string) : json);
    case 'intstr':
      return json.startsWith('"') ? undefined : jsonProblem(json, 'int32');
    case 'time':
      return jsonProblem(json, 'string') ?? timeProblem(JSON.parse(json) as string, 'Z07:00', '2006-01-02T15:04:05Z07:00');
    case 'microtime':
      return jsonProblem(json, 'string') ?? timeProblem(JSON.parse(json) as string, '.000000Z07:00', '2006-01-02T15:04:05.000000Z07:00');
    case 'duration':
      return jsonProblem(json, 'string');
    default:
      return undefined;
  }
}

function quantityProblem(text: string): string | undefined {
  try {
    Quantity.parse(text.trim());
    return undefined;
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    return error.message;
  }
}

const MAX_INT32 = 2 ** 31 - 1;

/** encoding/json into a plain type. */
function jsonProblem(json: string, type: 'string' | 'int32'): string | undefined {
  const first = json[0]!;
  const what =
    first === '{' ? 'object' : first === '[' ? 'array' : first === '"' ? 'string' : first === 't' || first === 'f' ? 'bool' : 'number';
  if (type === 'string') return what === 'string' ? undefined : `json: cannot unmarshal ${what} into Go value of type string`;
  if (what !== 'number') return `json: cannot unmarshal ${what} into Go value of type int32`;
  const value = Number(json);
  if (/^-?\d+$/.test(json) && value <= MAX_INT32 && value >= -MAX_INT32 - 1) return undefined;
  return `json: cannot unmarshal number ${json} into Go value of type int32`;
}

/** Parts of RFC 3339 as time.Parse reads them; `shown` is how its layout writes them. */
const TIME_PARTS: readonly { readonly shown: string; readonly read: RegExp; readonly range?: readonly [string, number, number] }[] = [
  { shown: '2006', read: /^\d{4}/ },
  { shown: '-', read: /^-/ },
  { shown: '01', read: /^\d\d/, range: ['month', 1, 12] },
  { shown: '-', read: /^-/ },
  { shown: '02', read: /^\d\d/, range: ['day', 1, 31] },
  { shown: 'T', read: /^T/ },
  { shown: '15', read: /^\d\d/, range: ['hour', 0, 23] },
  { shown: ':', read: /^:/ },
  { shown: '04', read: /^\d\d/, range: ['minute', 0, 59] },
  { shown: ':', read: /^:/ },
  // A fraction may follow though the layout has none.
  { shown: '05', read: /^\d\d(\.\d+)?/, range: ['second', 0, 59] },
];
const ZONE = /^(Z|[+-]\d\d:\d\d)/;
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function timeProblem(text: string, tail: string, layout: string): string | undefined {
  const intro = `parsing time ${JSON.stringify(text)}`;
  const asLayout = `${intro} as ${JSON.stringify(layout)}`;
  const cannot = (rest: string, shown: string): string => `${asLayout}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(shown)}`;
  let rest = text;
  const values: number[] = [];
  for (const { shown, read, range } of TIME_PARTS) {
    const found = read.exec(rest);
    if (found === null) return cannot(rest, shown);
    const value = Math.trunc(Number(found[0]));
    if (range !== undefined && (value < range[1] || value > range[2])) return `${intro}: ${range[0]} out of range`;
    values.push(value);
    rest = rest.slice(found[0].length);
  }
  if (tail.startsWith('.') && !/\.\d{6}$/.test(text.slice(0, text.length - rest.length))) return cannot(rest, '.000000');
  const zone = ZONE.exec(rest);
  if (zone === null) return cannot(rest, 'Z07:00');
  rest = rest.slice(zone[0].length);
  if (rest !== '') return `${intro}: extra text: ${JSON.stringify(rest)}`;
  const [year = 0, , month = 1, , day = 1] = values;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && !isLeap ? 28 : MONTH_DAYS[month - 1]!;
  return day > days ? `${intro}: day out of range` : undefined;
}

/** Where base64.StdEncoding stops, as its error names it; undefined when the text is fine. */
export function base64Problem(text: string): string | undefined {
  const at = base64Fault(text);
  return at === undefined ? undefined : `illegal base64 data at input byte ${at}`;
}

function base64Fault(text: string): number | undefined {
  const skipLineEnds = (from: number): number => {
    let to = from;
    while (text[to] === '\n' || text[to] === '\r') to++;
    return to;
  };
  for (let at = 0; ;) {
    for (let digit = 0; digit < 4; digit++) {
      at = skipLineEnds(at);
      if (at === text.length) return digit === 0 ? undefined : at - digit;
      const character = text[at++]!;
      if (/[A-Za-z0-9+/]/.test(character)) continue;
      if (character !== '=' || digit < 2) return at - 1;
      if (digit === 2) {
        at = skipLineEnds(at);
        if (at === text.length) return at;
        if (text[at] !== '=') return at - 1;
        at++;
      }
      at = skipLineEnds(at);
      return at < text.length ? at : undefined;
    }
  }
}
