// Models --sort-by: objects or rows of a table by the value of a field.

import { CliError } from '../errors.ts';
import { JsonPath, JsonPathError, relaxedExpression } from '../printers/jsonpath.ts';
import type { JsonObject } from '../printers/json.ts';
import type { Table } from '../printers/table.ts';

/** The jsonpath of `.x`, `x`, `{.x}`. Throws CliError when it is none. */
export function sortByExpression(field: string): JsonPath {
  const expression = relaxedExpression(field);
  if (expression === undefined)
    throw new CliError("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'");
  try {
    return new JsonPath(expression, { allowMissingKeys: true });
  } catch (error) {
    if (error instanceof JsonPathError) throw new CliError(error.message);
    throw error;
  }
}

/** The table with its rows sorted; undefined when no row has the field, which kubectl then does not print. */
export function sortTable(table: Table, path: JsonPath): Table | undefined {
  const rows = (table.rows ?? []).map((row) => ({ row, value: path.find(row.object).flat()[0] }));
  if (rows.length > 0 && rows.every(({ value }) => value === undefined)) return undefined;
  rows.sort((a, b) => compareValues(a.value, b.value));
  return { ...table, rows: rows.map(({ row }) => row) };
}

export function sortObjects(objects: readonly JsonObject[], path: JsonPath): readonly JsonObject[] {
  const entries = objects.map((object) => ({ object, value: path.find(object).flat()[0] }));
  return entries.sort((a, b) => compareValues(a.value, b.value)).map(({ object }) => object);
}

/** Missing values first; numbers and quantities by size; texts in natural order. */
function compareValues(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = quantity(a);
  const right = quantity(b);
  if (left !== undefined && right !== undefined) return left - right;
  return naturalCompare(String(a), String(b));
}

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The size of a resource quantity; undefined for other text. */
export function quantity(value: unknown): number | undefined {
  const match = /^([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE])?$/.exec(String(value));
  if (match === null) return undefined;
  const suffix = match[2] ?? '';
  if (/^[eE][+-]?\d+$/.test(suffix)) return Number(`${match[1] ?? ''}${suffix}`);
  const factor = SUFFIXES[suffix];
  return factor === undefined ? undefined : Number(match[1]) * factor;
}

function naturalCompare(a: string, b: string): number {
  const left = a.match(/\d+|\D/g) ?? [];
  const right = b.match(/\d+|\D/g) ?? [];
  for (let at = 0; at < left.length && at < right.length; at++) {
    const l = left[at] ?? '';
    const r = right[at] ?? '';
    if (l === r) continue;
    if (/^\d/.test(l) && /^\d/.test(r)) return Number(l) - Number(r) || l.length - r.length;
    return l < r ? -1 : 1;
  }
  return left.length - right.length;
}
