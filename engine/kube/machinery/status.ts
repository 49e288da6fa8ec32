// Constructors of meta/v1 Status, with the messages of apimachinery's api/errors.

import { ApiError } from './api-error.ts';
import type { FieldError } from './field-errors.ts';
import type { Status } from './types.ts';

interface Names {
  readonly group: string;
  readonly resource: string;
}

type Details = NonNullable<Status['details']>;

function failure(code: number, reason: string, message: string, details?: Details): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  });
}

function detailsOf(of: Names, name: string, more: Partial<Details> = {}): Details {
  return { ...(name === '' ? {} : { name }), ...(of.group === '' ? {} : { group: of.group }), kind: of.resource, ...more };
}

/** `pods`, `deployments.apps`. */
export function qualified(of: Names): string {
  return of.group === '' ? of.resource : `${of.resource}.${of.group}`;
}

export function notFound(of: Names, name: string): ApiError {
  return failure(404, 'NotFound', `${qualified(of)} "${name}" not found`, detailsOf(of, name));
}

export function alreadyExists(of: Names, name: string): ApiError {
  return failure(409, 'AlreadyExists', `${qualified(of)} "${name}" already exists`, detailsOf(of, name));
}

export function conflict(of: Names, name: string, why: string): ApiError {
  return failure(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(of)} "${name}": ${why}`, detailsOf(of, name));
}

export const OBJECT_WAS_MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function badRequest(message: string): ApiError {
  return failure(400, 'BadRequest', message);
}

export function forbidden(of: Names, name: string, why: string): ApiError {
  const message =
    of.resource === ''
      ? `forbidden: ${why}`
      : name === ''
        ? `${qualified(of)} is forbidden: ${why}`
        : `${qualified(of)} "${name}" is forbidden: ${why}`;
  return failure(403, 'Forbidden', message, of.resource === '' ? {} : detailsOf(of, name));
}

export function unauthorized(): ApiError {
  return failure(401, 'Unauthorized', 'Unauthorized');
}

export function methodNotSupported(of: Names, action: string): ApiError {
  return failure(405, 'MethodNotAllowed', `${action} is not supported on resources of kind "${qualified(of)}"`, detailsOf(of, ''));
}

export function gone(message: string): ApiError {
  return failure(410, 'Expired', message);
}

export function internalError(message: string): ApiError {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

export function serverTimeout(of: { readonly group: string; readonly kind: string }, operation: string): ApiError {
  return failure(
    500,
    'ServerTimeout',
    `The ${operation} operation against ${qualified({ group: of.group, resource: of.kind })} could not be completed at this time, please try again.`,
    {
      name: operation,
      ...(of.group === '' ? {} : { group: of.group }),
      kind: of.kind,
    },
  );
}

/** An error of the server that is no status: it shows as it is, without a reason. */
export function plainError(message: string): ApiError {
  return new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 });
}

export function timeout(message: string, retryAfterSeconds: number): ApiError {
  return failure(504, 'Timeout', `Timeout: ${message}`, retryAfterSeconds === 0 ? {} : { retryAfterSeconds });
}

/** A version that the server has not reached. */
export function tooLargeVersion(wanted: number, current: number): ApiError {
  return failure(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export function isTooLargeVersion(error: unknown): boolean {
  return error instanceof ApiError && error.status.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') === true;
}

export function entityTooLarge(message: string): ApiError {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
}

export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
  return failure(429, 'TooManyRequests', message, retryAfterSeconds === 0 ? {} : { retryAfterSeconds });
}

export function serviceUnavailable(message: string): ApiError {
  return failure(503, 'ServiceUnavailable', message);
}

export function unsupportedMediaType(message: string): ApiError {
  return failure(415, 'UnsupportedMediaType', message);
}

export function notAcceptable(message: string): ApiError {
  return failure(406, 'NotAcceptable', message);
}

/** The path is none of ours. */
export function noSuchResource(): ApiError {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 422 with one cause for each field. `kind` is the kind, not the resource: `Deployment.apps "x" is invalid: ...`. */
export function invalid(of: { readonly group: string; readonly kind: string }, name: string, errors: readonly FieldError[]): ApiError {
  const shown = errors.map((error) => error.toString());
  const unique = [...new Set(shown)];
  const aggregate = unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`;
  const qualifiedKind = of.group === '' ? of.kind : `${of.kind}.${of.group}`;
  return failure(422, 'Invalid', `${qualifiedKind} "${name}" is invalid: ${aggregate}`, {
    ...(name === '' ? {} : { name }),
    ...(of.group === '' ? {} : { group: of.group }),
    kind: of.kind,
    causes: errors.map((error) => ({ reason: error.reason, message: error.body, field: error.field })),
  });
}
