// Models kubectl's error handling (cmdutil.CheckErr): how each kind of error is worded and with which status it ends.

import { ApiError } from '../../kube/machinery/api-error.ts';
import type { Status } from '../../kube/machinery/types.ts';

/** An error of kubectl itself; printed after `error: ` unless it is a usage error. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/** Ends with this status and prints the message alone (nothing when empty). */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly status: number;
  constructor(status: number, message = '') {
    super(message);
    this.status = status;
  }
}

/** Go's *url.Error: a request that got no answer. */
export class UrlError extends Error {
  override readonly name = 'UrlError';
  readonly method: string;
  readonly url: string;
  /** The inner error's text. */
  readonly why: string;
  constructor(method: string, url: string, why: string) {
    super(`${method[0] ?? ''}${method.slice(1).toLowerCase()} "${url}": ${why}`);
    this.method = method;
    this.url = url;
    this.why = why;
  }
}

/** meta.NoResourceMatchError. */
export class NoResourceError extends Error {
  override readonly name = 'NoResourceError';
}

/** Several errors; printed one per line. */
export class Aggregate extends Error {
  override readonly name = 'Aggregate';
  readonly errors: readonly Error[];
  constructor(errors: readonly Error[]) {
    const messages = [...new Set(errors.map((error) => error.message))];
    super(messages.length === 1 ? (messages[0] ?? '') : `[${messages.join(', ')}]`);
    this.errors = errors;
  }
}

/** Throws what the errors amount to: nothing, the only one, or all of them. */
export function throwAll(errors: readonly Error[]): void {
  const [first] = errors;
  if (first === undefined) return;
  throw errors.length === 1 ? first : new Aggregate(errors);
}

export function usageError(commandPath: string, message: string): CliError {
  return new CliError(`${message}\nSee '${commandPath} -h' for help and examples`);
}

/** The text for stderr (with its line end) and the exit status of an error. */
export function describeError(error: unknown): { readonly text: string; readonly status: number } {
  const text = (message: string, status = 1): { text: string; status: number } => ({
    text: message === '' || message.endsWith('\n') ? message : `${message}\n`,
    status,
  });
  if (error instanceof Aggregate) {
    const [first] = error.errors;
    if (error.errors.length === 1 && first !== undefined) return describeError(first);
    return text(error.errors.map((each) => `${messageFor(each)}\n`).join(''));
  }
  if (error instanceof ExitError) return text(error.message, error.status);
  if (error instanceof ApiError && error.status.reason === 'Invalid') return text(invalidMessage(error.status));
  if (error instanceof NoResourceError) return text(error.message);
  if (!(error instanceof Error)) throw error;
  const standard = standardMessage(error);
  if (standard !== undefined) return text(standard);
  return text(error.message.startsWith('error: ') ? error.message : `error: ${error.message}`);
}

function messageFor(error: Error): string {
  return standardMessage(error) ?? error.message;
}

/** The wording of answers of the server and of requests without one; undefined for other errors. */
function standardMessage(error: Error): string | undefined {
  if (error instanceof ApiError) {
    if (error.status.reason === 'Unauthorized') return `error: You must be logged in to the server (${error.status.message ?? ''})`;
    if ((error.status.reason ?? '') !== '') return `Error from server (${error.status.reason ?? ''}): ${error.message}`;
    return `Error from server: ${error.message}`;
  }
  if (error instanceof UrlError) {
    if (error.why.includes('connection refused')) {
      const host = /^[a-z]+:\/\/([^/]*)/.exec(error.url)?.[1] ?? error.url;
      return `The connection to the server ${host} was refused - did you specify the right host or port?`;
    }
    return `Unable to connect to the server: ${error.why}`;
  }
  return undefined;
}

function invalidMessage(status: Status): string {
  const details = status.details;
  let message = 'The request is invalid';
  if (details === undefined) return message;
  const causes = details.causes ?? [];
  if ((details.kind ?? '') !== '' || (details.name ?? '') !== '') message = `The ${details.kind ?? ''} "${details.name ?? ''}" is invalid`;
  if (causes.length === 0) return message;
  const lines = [...new Set(causes.map((cause) => `${cause.field ?? ''}: ${cause.message ?? ''}`))];
  if (lines.length === 1) return `${message}: ${lines[0] ?? ''}`;
  return `${message}: \n${lines.map((line) => `* ${line}\n`).join('')}`;
}

/** Puts `error when creating "x.yaml": ` before a message, keeping the kind of error. */
export function withSource(verb: string, source: string, error: unknown): Error {
  if (!(error instanceof Error)) throw error;
  if (source === '') return error;
  const prefix = `error when ${verb} "${source}": `;
  return withPrefix(prefix, error);
}

/** An ApiError keeps its status with a longer message; other errors become plain ones. */
export function withPrefix(prefix: string, error: Error): Error {
  if (error instanceof ApiError) return new ApiError({ ...error.status, message: `${prefix}${error.status.message ?? ''}` });
  return new CliError(`${prefix}${error.message}`);
}
