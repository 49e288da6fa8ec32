// Models the tables of custom objects: columns that JSON paths lead to.

import { goValue } from '../../machinery/go-values.ts';
import { JsonPath, JsonPathError } from '../../machinery/json-path.ts';
import { humanDuration } from '../../machinery/time.ts';
import { AGE_COLUMN, type ApiObject, type ColumnDefinition, NAME_COLUMN, type TableDefinition } from '../definition.ts';
import type { Column } from './types.ts';

/** What v1 shows where a definition says nothing. */
export const AGE: Column = {
  name: 'Age',
  type: 'date',
  description: AGE_COLUMN.description!,
  JSONPath: '.metadata.creationTimestamp',
};

export function tableOfColumns(given: readonly Column[] | undefined): TableDefinition<ApiObject> {
  const columns: { readonly column: Column; readonly path: JsonPath }[] = [];
  for (const column of (given ?? []).length === 0 ? [AGE] : given!) {
    const path = parse(column.JSONPath);
    // A path that does not parse ends the list there; what came before is shown.
    if (path === undefined) break;
    columns.push({ column, path });
  }
  return {
    columns: [NAME_COLUMN, ...columns.map(({ column }) => shownColumn(column))],
    cells: (object, nowMs) => [object.metadata.name, ...columns.map(({ column, path }) => cellOf(column, path, object, nowMs))],
  };
}

function parse(path: string): JsonPath | undefined {
  try {
    return new JsonPath(`{${path}}`, { allowMissingKeys: true });
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    return undefined;
  }
}

function shownColumn({ name, type, format, description, priority, JSONPath }: Column): ColumnDefinition {
  return {
    name,
    type: type as ColumnDefinition['type'],
    ...(format === undefined ? {} : { format }),
    description: (description ?? '') === '' ? `Custom resource definition column (in JSONPath format): ${JSONPath}` : description!,
    ...(priority === undefined ? {} : { priority }),
  };
}

function cellOf({ type }: Column, path: JsonPath, object: ApiObject, nowMs: number): unknown {
  let results: readonly unknown[] | undefined;
  try {
    results = path.find(object)[0];
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    return null;
  }
  // Paths are meant to lead to one value; of several the first is shown.
  const value = results?.[0];
  if (results === undefined || results.length === 0) return null;
  switch (type) {
    case 'string':
      return value === null || value === undefined ? '<no value>' : typeof value === 'object' ? JSON.stringify(value) : goValue(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date': {
      if (typeof value !== 'string') return null;
      if (value === '') return '<unknown>';
      const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : Number.NaN;
      return Number.isNaN(time) ? '<invalid>' : humanDuration(nowMs - time);
    }
    default:
      return null;
  }
}
