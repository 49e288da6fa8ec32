// Validation of what a container asks for and may use (ValidateResourceRequirements).

import { FieldError } from '../../machinery/field-errors.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { Quantity } from '../../machinery/quantity.ts';
import { IS_NEGATIVE, problems, record } from '../checks.ts';
import type { Json } from '../definition.ts';

const HUGE_PAGES = 'hugepages-';

export function validateResources(errors: FieldError[], given: unknown, path: string): void {
  const resources = record(given);
  if (resources === undefined) return;
  const limits = record(resources['limits']);
  const requests = record(resources['requests']);
  if (limits === undefined && requests === undefined) return;
  let hasCompute = false;
  let hasHugePages = false;
  const look = (name: string): void => {
    if (name.startsWith(HUGE_PAGES)) hasHugePages = true;
    if (name === 'cpu' || name === 'memory') hasCompute = true;
  };
  for (const name in limits) {
    look(name);
    containerResourceName(errors, name, `${path}.limits[${name}]`);
    resourceQuantity(errors, name, Quantity.parse(String(limits[name])), `${path}.limits[${name}]`);
  }
  for (const name in requests) {
    look(name);
    const amount = Quantity.parse(String(requests[name]));
    containerResourceName(errors, name, `${path}.requests[${name}]`);
    resourceQuantity(errors, name, amount, `${path}.requests[${name}]`);
    compareWithLimit(errors, name, amount, limits, path);
  }
  if (!hasCompute && hasHugePages) errors.push(FieldError.forbidden(path, 'HugePages require cpu or memory'));
}

function compareWithLimit(errors: FieldError[], name: string, amount: Quantity, limits: Json | undefined, path: string): void {
  const given = limits?.[name];
  if (given !== undefined) {
    const order = amount.compare(Quantity.parse(String(given)));
    // What cannot be overcommitted is asked for in full.
    if (order !== 0 && !mayBeOvercommitted(name))
      errors.push(FieldError.invalid(`${path}.requests`, amount.toString(), `must be equal to ${name} limit`));
    else if (order > 0)
      errors.push(FieldError.invalid(`${path}.requests`, amount.toString(), `must be less than or equal to ${name} limit`));
  } else if (!mayBeOvercommitted(name))
    errors.push(FieldError.required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
}

const STANDARD_FOR_CONTAINERS = new Set(['cpu', 'memory', 'ephemeral-storage']);
const COUNTED = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const INTEGERS = new Set(COUNTED);
const STANDARD = new Set([
  ...COUNTED,
  ...STANDARD_FOR_CONTAINERS,
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'storage',
  'requests.storage',
]);

/** validateResourceName: the name of any resource. False when it is no qualified name or no standard one. */
export function resourceName(errors: FieldError[], name: string, path: string): void {
  if (STANDARD_FOR_CONTAINERS.has(name)) return;
  const found = qualifiedName(name);
  problems(errors, path, name, found);
  if (found.length > 0 || name.includes('/')) return;
  if (!STANDARD.has(name) && !name.startsWith(HUGE_PAGES) && !name.startsWith(`requests.${HUGE_PAGES}`))
    errors.push(FieldError.invalid(path, name, 'must be a standard resource type or fully qualified'));
}

function containerResourceName(errors: FieldError[], name: string, path: string): void {
  if (STANDARD_FOR_CONTAINERS.has(name)) return;
  resourceName(errors, name, path);
  const parts = name.split('/').length;
  if (parts === 1) {
    if (!name.startsWith(HUGE_PAGES)) errors.push(FieldError.invalid(path, name, 'must be a standard resource for containers'));
  } else if (!isNative(name) && !isExtended(name)) {
    errors.push(FieldError.invalid(path, name, "doesn't follow extended resource name standard"));
  }
}

/** ValidateResourceQuantityValue: nothing below zero, and whole numbers of what is counted. */
export function resourceQuantity(errors: FieldError[], name: string, amount: Quantity, path: string): void {
  if (amount.nanos < 0n) errors.push(FieldError.invalid(path, amount.toString(), IS_NEGATIVE));
  if (STANDARD_FOR_CONTAINERS.has(name)) return;
  if ((INTEGERS.has(name) || isExtended(name)) && amount.milli % 1000 !== 0)
    errors.push(FieldError.invalidOf(path, 'resource.Quantity', amount.toString(), 'must be an integer'));
}

function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0;
}

function mayBeOvercommitted(name: string): boolean {
  return isNative(name) && !name.startsWith(HUGE_PAGES);
}
