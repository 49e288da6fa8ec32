// What the rules of many kinds need: values read from decoded objects, and findings put into field errors.

import { FieldError } from '../machinery/field-errors.ts';
import { dns1123Label, dns1123Subdomain, inRange, isIpv4, isIpv6, portName, portNumber } from '../machinery/names.ts';
import { Quantity } from '../machinery/quantity.ts';

export { isIp } from '../machinery/names.ts';

/** The text, or '' when it is not set. */
export function str(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The number, or 0 when it is not set. */
export function int(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** One error for each finding about the value. */
export function findings(errors: FieldError[], path: string, value: unknown, problems: readonly string[]): void {
  for (const problem of problems) errors.push(FieldError.invalid(path, value, problem));
}

export function labelAt(errors: FieldError[], path: string, value: string): void {
  findings(errors, path, value, dns1123Label(value));
}

export function subdomainAt(errors: FieldError[], path: string, value: string): void {
  findings(errors, path, value, dns1123Subdomain(value));
}

export function rangeAt(errors: FieldError[], path: string, value: number, [least, most]: readonly [number, number]): void {
  findings(errors, path, value, inRange(value, least, most));
}

/** Required, and one of these (which upstream lists sorted). */
export function oneOf(errors: FieldError[], path: string, value: unknown, supported: readonly string[]): void {
  if (str(value) === '') errors.push(FieldError.required(path, ''));
  else if (!supported.includes(str(value))) errors.push(FieldError.notSupported(path, value, supported));
}

/** ValidatePortNumOrName. */
export function portAt(errors: FieldError[], path: string, value: unknown): void {
  if (typeof value === 'string') findings(errors, path, value, portName(value));
  else findings(errors, path, int(value), portNumber(int(value)));
}

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

/** net.ParseCIDR would take it. */
export function isCidr(value: string): boolean {
  const slash = value.indexOf('/');
  if (slash < 0) return false;
  const [address, bits] = [value.slice(0, slash), value.slice(slash + 1)];
  if (!/^\d{1,3}$/.test(bits)) return false;
  return isIpv4(address) ? Number(bits) <= 32 : isIpv6(address) && Number(bits) <= 128;
}

/** A quantity of a decoded object: it was parsed when it came. */
export function quantity(value: unknown): Quantity {
  return Quantity.parse(typeof value === 'string' && value !== '' ? value : String(value ?? 0));
}

export const NOT_NEGATIVE = 'must be greater than or equal to 0';

export function nonNegativeAt(errors: FieldError[], path: string, value: number): void {
  if (value < 0) errors.push(FieldError.invalid(path, value, NOT_NEGATIVE));
}

export function nonNegativeQuantityAt(errors: FieldError[], path: string, value: Quantity): void {
  if (value.nanos < 0n) errors.push(FieldError.invalid(path, value.toString(), NOT_NEGATIVE));
}

export function positiveQuantityAt(errors: FieldError[], path: string, value: Quantity): void {
  if (value.nanos <= 0n) errors.push(FieldError.invalid(path, value.toString(), 'must be greater than zero'));
}
