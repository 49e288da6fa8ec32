// Models the options of requests as they stand in the query or a body, and what upstream finds wrong with them.

import { FieldError } from '../machinery/field-errors.ts';
import { isRecord } from '../machinery/deep.ts';
import { badRequest, invalid } from '../machinery/status.ts';
import type { DeleteRequest } from './deletion.ts';
import type { RequestInfo } from './request-info.ts';
import { queryValues } from './request-info.ts';

const META_GROUP = 'meta.k8s.io';

export interface ListOptions {
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly limit: number;
  readonly continueToken: string;
  readonly timeoutSeconds: number;
  readonly allowWatchBookmarks: boolean;
}

export function listOptionsOf(info: RequestInfo): ListOptions {
  const { query } = info;
  const options: ListOptions = {
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: integerOf(query, 'limit') ?? 0,
    continueToken: query.get('continue') ?? '',
    timeoutSeconds: integerOf(query, 'timeoutSeconds') ?? 0,
    allowWatchBookmarks: booleanOf(query, 'allowWatchBookmarks') ?? false,
  };
  const errors = matchErrors(options, info.verb === 'watch');
  if (errors.length > 0) throw invalid({ group: META_GROUP, kind: 'ListOptions' }, '', errors);
  return options;
}

function matchErrors({ resourceVersionMatch: match, resourceVersion, continueToken }: ListOptions, isWatch: boolean): FieldError[] {
  if (match === '') return [];
  const field = 'resourceVersionMatch';
  const errors: FieldError[] = [];
  if (isWatch) errors.push(FieldError.forbidden(field, 'resourceVersionMatch is forbidden for watch'));
  if (resourceVersion === '')
    errors.push(FieldError.forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
  if (continueToken !== '') errors.push(FieldError.forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'));
  if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(FieldError.notSupported(field, match, ['Exact', 'NotOlderThan', '']));
  if (match === 'Exact' && resourceVersion === '0')
    errors.push(FieldError.forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  return errors;
}

function dryRunErrors(dryRun: readonly string[]): FieldError[] {
  if (dryRun.every((each) => each === 'All')) return [];
  return [FieldError.notSupported('dryRun', dryRun, ['All'])];
}

/** From the body when there is one, otherwise from the query. */
export function deleteOptionsOf(body: unknown, info: RequestInfo, target: string): DeleteRequest {
  const options = body === undefined ? deleteOptionsOfQuery(info, target) : deleteOptionsOfBody(body);
  const errors: FieldError[] = [];
  const policy = options.propagationPolicy ?? undefined;
  if ((options.orphanDependents ?? undefined) !== undefined && policy !== undefined) {
    errors.push(FieldError.invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (policy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(policy)) {
    errors.push(FieldError.notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']));
  }
  errors.push(...dryRunErrors(options.dryRun ?? []));
  if (errors.length > 0) throw invalid({ group: META_GROUP, kind: 'DeleteOptions' }, '', errors);
  return options;
}

function deleteOptionsOfQuery({ query }: RequestInfo, target: string): DeleteRequest {
  return {
    gracePeriodSeconds: integerOf(query, 'gracePeriodSeconds'),
    propagationPolicy: query.get('propagationPolicy'),
    orphanDependents: booleanOf(query, 'orphanDependents'),
    dryRun: query.has('dryRun') ? queryValues(target, 'dryRun') : [],
  };
}

const DELETE_OPTIONS: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  gracePeriodSeconds: (value) => (Number.isSafeInteger(value) ? undefined : 'int64'),
  propagationPolicy: (value) => (typeof value === 'string' ? undefined : 'v1.DeletionPropagation'),
  orphanDependents: (value) => (typeof value === 'boolean' ? undefined : 'bool'),
  preconditions: (value) => (isRecord(value) ? undefined : 'v1.Preconditions'),
  dryRun: (value) => (Array.isArray(value) && value.every((each) => typeof each === 'string') ? undefined : '[]string'),
};

function deleteOptionsOfBody(body: unknown): DeleteRequest {
  if (!isRecord(body))
    throw unmarshalError(body, 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }');
  const kind = body['kind'] ?? '';
  if (kind !== '' && kind !== 'DeleteOptions') throw badRequest('decoded object cannot be converted to DeleteOptions');
  for (const [field, problem] of Object.entries(DELETE_OPTIONS)) {
    const value = body[field];
    const type = value === undefined || value === null ? undefined : problem(value);
    if (type !== undefined)
      throw badRequest(
        `v1.DeleteOptions.${upper(field)}: unmarshalerDecoder: json: cannot unmarshal ${jsonKind(value)} into Go struct field DeleteOptions.${field} of type ${type}`,
      );
  }
  return body as DeleteRequest;
}

function unmarshalError(value: unknown, type: string): Error {
  return badRequest(`couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonKind(value)} into Go value of type ${type}`);
}

export function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : value === null ? 'null' : typeof value;
}

function upper(field: string): string {
  return field.charAt(0).toUpperCase() + field.slice(1);
}

/** strconv.ParseInt; undefined when it is not given. */
export function integerOf(query: ReadonlyMap<string, string>, name: string): number | undefined {
  const given = query.get(name);
  if (given === undefined) return undefined;
  if (!/^[+-]?\d+$/.test(given)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(given)}: invalid syntax`);
  const value = Number(given);
  if (Math.abs(value) > 2 ** 63) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(given)}: value out of range`);
  return value;
}

/** Everything but `false` and `0` is true, nothing at all too. */
export function booleanOf(query: ReadonlyMap<string, string>, name: string): boolean | undefined {
  const given = query.get(name);
  if (given === undefined) return undefined;
  return given.toLowerCase() !== 'false' && given !== '0';
}

/** strconv.ParseUint's complaint; undefined for what is a version. */
export function versionProblem(version: string): string | undefined {
  if (version === '' || /^\d+$/.test(version)) {
    return Number(version) < 2 ** 64 ? undefined : describe(version, 'value out of range');
  }
  return describe(version, 'invalid syntax');
}

function describe(version: string, why: string): string {
  const shown = JSON.stringify(version);
  return `resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: ${why}`;
}
