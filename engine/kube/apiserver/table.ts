// Models the Table answer of the API server, and PartialObjectMetadata.

import { badRequest } from '../machinery/status.ts';
import type { ApiObject, ResourceDefinition, RowCondition, ServedVersion } from '../registry/definition.ts';
import { fromStorage } from './version-conversion.ts';

export type Representation =
  | { readonly kind: 'object' }
  | { readonly kind: 'table'; readonly version: string }
  | { readonly kind: 'partial'; readonly version: string };

/** The first representation of an Accept header that we have; undefined when there is none. */
export function negotiate(accept: string | undefined, hasProtobuf = true): Representation | undefined {
  if (accept === undefined || accept === '') return { kind: 'object' };
  for (const clause of accept.split(',')) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    const isProtobuf = type === 'application/vnd.kubernetes.protobuf' && hasProtobuf;
    if (!isProtobuf && !['application/json', 'application/*', '*/*', 'application/yaml'].includes(type)) continue;
    const given = new Map(parameters.map((parameter) => parameter.split('=') as [string, string]));
    const as = given.get('as');
    if (as === undefined) return { kind: 'object' };
    const version = given.get('v') ?? 'v1';
    if (given.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue;
    if (as === 'Table' && isProtobuf) continue;
    if (as === 'Table') return { kind: 'table', version };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { kind: 'partial', version };
  }
  return undefined;
}

export type Include = 'None' | 'Metadata' | 'Object';
const INCLUDES: readonly string[] = ['None', 'Metadata', 'Object'];

/** What the rows of a table carry beside their cells; only tables look at it. */
export function includeOf(query: ReadonlyMap<string, string>, representation: Representation): Include {
  const asked = query.get('includeObject') ?? '';
  if (asked === '' || representation.kind !== 'table') return 'Metadata';
  if (!INCLUDES.includes(asked)) throw badRequest(`unrecognized includeObject value: ${JSON.stringify(asked)}`);
  return asked as Include;
}

export interface TableOptions {
  readonly version: string;
  readonly nowMs: number;
  /** includeObject: what each row carries beside its cells. */
  readonly include: Include;
  readonly resourceVersion: string;
  readonly more?: { readonly continue?: string; readonly remainingItemCount?: number };
  readonly withoutHeaders?: boolean;
  /** The version shown, where it has a table of its own. */
  readonly served?: ServedVersion;
}

/** Rows of objects as they are stored: what is printed does not depend on the version that is asked for. */
export function tableOf(definition: ResourceDefinition, objects: readonly ApiObject[], options: TableOptions): string {
  const table = options.served?.table ?? definition.table;
  const columns = table.columns.map((column) => ({
    name: column.name,
    type: column.type,
    format: column.format ?? '',
    description: column.description ?? '',
    priority: column.priority ?? 0,
  }));
  const { order } = table;
  const ordered = order === undefined ? objects : [...objects].sort((a, b) => order(a, b));
  const rows = ordered.map((object) => ({
    cells: table.cells(object, options.nowMs),
    ...conditionsOf(table.conditions?.(object)),
    ...(options.include === 'None' ? {} : { object: rowObject(definition, object, options) }),
  }));
  return JSON.stringify({
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata: { ...(options.resourceVersion === '' ? {} : { resourceVersion: options.resourceVersion }), ...options.more },
    columnDefinitions: options.withoutHeaders === true ? null : columns,
    rows,
  });
}

function rowObject(definition: ResourceDefinition, stored: ApiObject, { include, served = definition, version }: TableOptions): unknown {
  const object = fromStorage(stored, definition, served);
  return include === 'Object' ? object : partialOf(object, version);
}

function conditionsOf(conditions: readonly RowCondition[] | undefined): { readonly conditions?: readonly RowCondition[] } {
  return conditions === undefined || conditions.length === 0 ? {} : { conditions };
}

export function partialOf(object: ApiObject, version: string): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}
