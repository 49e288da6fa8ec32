// Models which names of resources count where: in quotas, limits and containers.

import { FieldError } from '../../machinery/field-errors.ts';
import { goQuantity } from '../../machinery/go-syntax.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { findings, nonNegativeQuantityAt, quantity } from '../rules.ts';

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
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
const PREFIXED = COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`]);
const QUOTA = new Set([...COMPUTE, ...PREFIXED, 'requests.storage', ...COUNTED]);
const STANDARD = new Set([...QUOTA, 'storage']);
const INTEGER = new Set(COUNTED);
const CONTAINER = new Set(COMPUTE);

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isQuotaHugePages = (name: string): boolean => isHugePages(name) || name.startsWith('requests.hugepages-');
export const isStandardQuotaResource = (name: string): boolean => QUOTA.has(name) || isQuotaHugePages(name);
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name);

export function isExtendedResource(name: string): boolean {
  return !isNativeResource(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0;
}

export function isIntegerResource(name: string): boolean {
  return INTEGER.has(name) || isExtendedResource(name);
}

/** validateResourceName. */
export function resourceNameErrors(name: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  findings(errors, path, name, qualifiedName(name));
  if (errors.length === 0 && !name.includes('/') && !STANDARD.has(name) && !isQuotaHugePages(name))
    errors.push(FieldError.invalid(path, name, 'must be a standard resource type or fully qualified'));
  return errors;
}

/** validateContainerResourceName. */
export function containerResourceNameErrors(name: string, path: string): FieldError[] {
  const errors = resourceNameErrors(name, path);
  if (!name.includes('/')) {
    if (!CONTAINER.has(name) && !isHugePages(name))
      errors.push(FieldError.invalid(path, name, 'must be a standard resource for containers'));
  } else if (!isNativeResource(name) && !isExtendedResource(name))
    errors.push(FieldError.invalid(path, name, "doesn't follow extended resource name standard"));
  return errors;
}

/** ValidateResourceQuotaResourceName. */
export function quotaResourceNameErrors(name: string, path: string): FieldError[] {
  const errors = resourceNameErrors(name, path);
  if (!name.includes('/') && !isStandardQuotaResource(name))
    errors.push(FieldError.invalid(path, name, 'must be a standard resource for quota'));
  return errors;
}

/** ValidateResourceQuantityValue. */
export function resourceQuantityErrors(name: string, amount: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const value = quantity(amount);
  nonNegativeQuantityAt(errors, path, value);
  if (isIntegerResource(name) && value.nanos % 1_000_000_000n !== 0n)
    errors.push(FieldError.invalid(path, goQuantity(amount), 'must be an integer'));
  return errors;
}
