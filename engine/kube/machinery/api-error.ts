import type { Status } from './types.ts';

/** An answer of the API server that is an error; `status` is what it sent. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? status.reason ?? String(status.code));
    this.status = status;
  }
}

function hasReason(error: unknown, reason: string): error is ApiError {
  return error instanceof ApiError && error.status.reason === reason;
}

export const isNotFound = (error: unknown): error is ApiError => hasReason(error, 'NotFound');
export const isConflict = (error: unknown): error is ApiError => hasReason(error, 'Conflict');
export const isAlreadyExists = (error: unknown): error is ApiError => hasReason(error, 'AlreadyExists');
export const isForbidden = (error: unknown): error is ApiError => hasReason(error, 'Forbidden');
export const isGone = (error: unknown): error is ApiError => hasReason(error, 'Gone') || hasReason(error, 'Expired');
