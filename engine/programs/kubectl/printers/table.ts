// Models kubectl's printer of server-side tables and the decoration of their columns.

import { humanDuration } from '../flags/duration.ts';
import { compareBytes, isObject } from './json.ts';
import { TABLE_LAYOUT, TabWriter } from './tab-writer.ts';

export interface ColumnDefinition {
  readonly name: string;
  readonly type?: string;
  readonly priority?: number;
}

export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object?: unknown;
}

/** meta.k8s.io/v1 Table. */
export interface Table {
  readonly columnDefinitions?: readonly ColumnDefinition[] | null;
  readonly rows?: readonly TableRow[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

export interface TableOptions {
  readonly noHeaders: boolean;
  readonly wide: boolean;
  readonly withNamespace: boolean;
  /** `pod`, `deployment.apps`: put before names. */
  readonly kind: string | undefined;
  readonly showLabels: boolean;
  readonly labelColumns: readonly string[];
}

/** Prints tables of one kind: headers once, columns aligned over everything printed. */
export class TablePrinter {
  readonly #options: TableOptions;
  #lastColumns: readonly ColumnDefinition[] = [];
  #printedHeaders = false;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /** Writes rows into `writer`; `event` is the type of a watch event. */
  print(table: Table, writer: TabWriter, event?: string): void {
    let columns = table.columnDefinitions ?? [];
    const rows = table.rows ?? [];
    let noHeaders = this.#options.noHeaders;
    const isSame = JSON.stringify(columns) === JSON.stringify(this.#lastColumns);
    if (this.#printedHeaders && (columns.length === 0 || isSame)) noHeaders = true;
    if (columns.length === 0) columns = this.#lastColumns;
    else if (!isSame) this.#lastColumns = columns;
    if (rows.length > 0) this.#printedHeaders = true;
    if (!noHeaders && rows.length === 0) return;
    const lines: string[][] = [];
    if (!noHeaders) lines.push(this.#header(columns, event));
    for (const row of rows) lines.push(this.#row(columns, row, event));
    for (const line of lines) writer.write(`${line.join('\t')}\n`);
  }

  #header(columns: readonly ColumnDefinition[], event: string | undefined): string[] {
    const { withNamespace, showLabels, labelColumns } = this.#options;
    return [
      ...(event === undefined ? [] : ['EVENT']),
      ...(withNamespace ? ['NAMESPACE'] : []),
      ...this.#visible(columns).map((column) => column.name.toUpperCase()),
      ...labelColumns.map((label) => (label.split('/').pop() ?? '').toUpperCase()),
      ...(showLabels ? ['LABELS'] : []),
    ];
  }

  #row(columns: readonly ColumnDefinition[], row: TableRow, event: string | undefined): string[] {
    const { withNamespace, showLabels, labelColumns, kind, wide } = this.#options;
    const metadata = isObject(row.object) && isObject(row.object['metadata']) ? row.object['metadata'] : {};
    const labels = isObject(metadata['labels']) ? metadata['labels'] : {};
    const cells: string[] = [];
    let nameIndex = columns.findIndex((column) => column.name === 'Name');
    if (nameIndex < 0) nameIndex = columns.findIndex((column) => (column as { format?: string }).format === 'name');
    row.cells.forEach((cell, index) => {
      const column = columns[index];
      if (column === undefined || (!wide && (column.priority ?? 0) !== 0)) return;
      const shown = cellText(cell);
      cells.push(index === nameIndex && kind !== undefined ? `${kind}/${shown}` : shown);
    });
    return [
      ...(event === undefined ? [] : [event]),
      ...(withNamespace ? [cellText(metadata['namespace'])] : []),
      ...cells,
      ...labelColumns.map((label) => (labels[label] === undefined ? '' : String(labels[label]))),
      ...(showLabels ? [formatLabels(labels)] : []),
    ];
  }

  #visible(columns: readonly ColumnDefinition[]): readonly ColumnDefinition[] {
    return this.#options.wide ? columns : columns.filter((column) => (column.priority ?? 0) === 0);
  }
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  const shown = typeof cell === 'object' ? JSON.stringify(cell) : String(cell as string | number | boolean);
  const newline = shown.indexOf('\n');
  return newline < 0 ? shown : `${shown.slice(0, newline)}...`;
}

/** `a=1,b=2`, or `<none>`. */
export function formatLabels(labels: unknown, separator = '='): string {
  if (!isObject(labels) || Object.keys(labels).length === 0) return '<none>';
  return Object.keys(labels)
    .sort(compareBytes)
    .map((key) => `${key}${separator}${String(labels[key])}`)
    .join(',');
}

/** Prints rows of plain cells as kubectl's own tables (config get-contexts, api-resources). */
export function plainTable(rows: readonly (readonly string[])[]): string {
  const writer = new TabWriter(TABLE_LAYOUT);
  for (const row of rows) writer.write(`${row.join('\t')}\n`);
  return writer.flush();
}

/** What is printed for kinds that a client must print alone: name and age. */
export function clientTable(objects: readonly Record<string, unknown>[], nowMs: number): Table {
  return {
    columnDefinitions: [{ name: 'Name' }, { name: 'Age' }],
    rows: objects.map((object) => {
      const metadata = (isObject(object['metadata']) ? object['metadata'] : {}) as { name?: string; creationTimestamp?: string };
      const age = metadata.creationTimestamp === undefined ? '<unknown>' : humanDuration(nowMs - Date.parse(metadata.creationTimestamp));
      return { cells: [metadata.name ?? '', age], object };
    }),
  };
}
