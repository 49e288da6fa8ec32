// Validation of probes and lifecycle hooks.

import { FieldError } from '../../machinery/field-errors.ts';
import { httpHeaderName, portName, portNumber } from '../../machinery/names.ts';
import { list, nonNegative, number, problems, record, required, text } from '../checks.ts';
import type { Json } from '../definition.ts';

export function validateProbe(errors: FieldError[], given: unknown, path: string, options: { readonly succeedsOnce: boolean }): void {
  const probe = record(given);
  if (probe === undefined) return;
  validateHandler(errors, probe, path);
  for (const field of PERIODS) nonNegative(errors, `${path}.${field}`, probe[field]);
  const threshold = number(probe['successThreshold']);
  if (options.succeedsOnce && threshold !== 1) errors.push(FieldError.invalid(`${path}.successThreshold`, threshold, 'must be 1'));
}

const PERIODS = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const;

export function validateLifecycle(errors: FieldError[], given: unknown, path: string): void {
  const lifecycle = record(given);
  if (lifecycle === undefined) return;
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = record(lifecycle[hook]);
    if (handler !== undefined) validateHandler(errors, handler, `${path}.${hook}`);
  }
}

const MORE_THAN_ONE = 'may not specify more than 1 handler type';

function validateHandler(errors: FieldError[], handler: Json, path: string): void {
  const exec = record(handler['exec']);
  const http = record(handler['httpGet']);
  const tcp = record(handler['tcpSocket']);
  if (exec !== undefined && list(exec['command']).length === 0) errors.push(FieldError.required(`${path}.exec.command`, ''));
  if (http !== undefined) {
    if (exec !== undefined) errors.push(FieldError.forbidden(`${path}.httpGet`, MORE_THAN_ONE));
    else httpGet(errors, http, `${path}.httpGet`);
  }
  if (tcp !== undefined) {
    if (exec !== undefined || http !== undefined) errors.push(FieldError.forbidden(`${path}.tcpSocket`, MORE_THAN_ONE));
    else portNumberOrName(errors, tcp['port'], `${path}.tcpSocket.port`);
  }
  if (exec === undefined && http === undefined && tcp === undefined) errors.push(FieldError.required(path, 'must specify a handler type'));
}

const SCHEMES = ['HTTP', 'HTTPS'];

function httpGet(errors: FieldError[], http: Json, path: string): void {
  required(errors, `${path}.path`, http['path']);
  portNumberOrName(errors, http['port'], `${path}.port`);
  const scheme = text(http['scheme']);
  if (!SCHEMES.includes(scheme)) errors.push(FieldError.notSupported(`${path}.scheme`, scheme, SCHEMES));
  for (const header of list(http['httpHeaders'])) {
    const name = text((header as Json)['name']);
    problems(errors, `${path}.httpHeaders`, name, httpHeaderName(name));
  }
}

export function portNumberOrName(errors: FieldError[], port: unknown, path: string): void {
  if (typeof port === 'string') problems(errors, path, port, portName(port));
  else problems(errors, path, number(port), portNumber(number(port)));
}
