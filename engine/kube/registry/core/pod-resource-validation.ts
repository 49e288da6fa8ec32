// Validation of what a container asks for and may use (ValidateResourceRequirements).

import { FieldError } from '../../machinery/field-errors.ts';
import { Quantity } from '../../machinery/quantity.ts';
import { record } from '../checks.ts';
import type { Json } from '../definition.ts';
import { containerResourceNameErrors, isHugePages, isOvercommitAllowed, resourceQuantityErrors } from './resource-names.ts';

export function validateResources(errors: FieldError[], given: unknown, path: string): void {
  const resources = record(given);
  if (resources === undefined) return;
  const limits = record(resources['limits']);
  const requests = record(resources['requests']);
  if (limits === undefined && requests === undefined) return;
  let hasCompute = false;
  let hasHugePages = false;
  const look = (name: string): void => {
    if (isHugePages(name)) hasHugePages = true;
    if (name === 'cpu' || name === 'memory') hasCompute = true;
  };
  for (const name in limits) {
    look(name);
    oneResource(errors, name, String(limits[name]), `${path}.limits[${name}]`);
  }
  for (const name in requests) {
    look(name);
    oneResource(errors, name, String(requests[name]), `${path}.requests[${name}]`);
    compareWithLimit(errors, name, Quantity.parse(String(requests[name])), limits, path);
  }
  if (!hasCompute && hasHugePages) errors.push(FieldError.forbidden(path, 'HugePages require cpu or memory'));
}

function oneResource(errors: FieldError[], name: string, amount: string, path: string): void {
  errors.push(...containerResourceNameErrors(name, path), ...resourceQuantityErrors(name, amount, path));
}

function compareWithLimit(errors: FieldError[], name: string, amount: Quantity, limits: Json | undefined, path: string): void {
  const given = limits?.[name];
  if (given !== undefined) {
    const order = amount.compare(Quantity.parse(String(given)));
    // What cannot be overcommitted is asked for in full.
    if (order !== 0 && !isOvercommitAllowed(name))
      errors.push(FieldError.invalid(`${path}.requests`, amount.toString(), `must be equal to ${name} limit`));
    else if (order > 0)
      errors.push(FieldError.invalid(`${path}.requests`, amount.toString(), `must be less than or equal to ${name} limit`));
  } else if (!isOvercommitAllowed(name))
    errors.push(FieldError.required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
}
