// Models ValidateLimitRange and the defaults of its items.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goQuantity } from '../../machinery/go-syntax.ts';
import { qualifiedName } from '../../machinery/names.ts';
import type { Quantity } from '../../machinery/quantity.ts';
import type { KubeObject } from '../../machinery/types.ts';
import type { Json } from '../definition.ts';
import { records, specOf } from '../object-access.ts';
import { findings, quantity, str } from '../rules.ts';
import { containerResourceNameErrors, isOvercommitAllowed, resourceNameErrors } from './resource-names.ts';
import { roundResources } from './pod-defaults.ts';

type Amounts = Readonly<Record<string, string>>;
const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim'];
const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
type ListName = (typeof LISTS)[number];

/** For containers, what is not said follows from what is: the limit from max, the request from the limit or from min. */
export function defaultLimits(range: KubeObject): void {
  for (const item of records(specOf(range)['limits'])) {
    for (const list of LISTS) roundResources(item[list]);
    if (item['type'] !== 'Container') continue;
    const limit: Record<string, unknown> = { ...amounts(item, 'max'), ...amounts(item, 'default') };
    const request = { ...amounts(item, 'min'), ...limit, ...amounts(item, 'defaultRequest') };
    item['default'] = limit;
    item['defaultRequest'] = request;
  }
}

function amounts(item: Json, list: ListName): Amounts {
  const given = item[list];
  return isRecord(given) ? (given as Amounts) : {};
}

export function validateLimitRange(range: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  for (const [index, item] of records(specOf(range)['limits']).entries()) {
    const path = `spec.limits[${index}]`;
    const type = str(item['type']);
    const problems = qualifiedName(type);
    findings(errors, `${path}.type`, type, problems);
    if (problems.length === 0 && !type.includes('/') && !TYPES.includes(type))
      errors.push(FieldError.invalid(`${path}.type`, type, 'must be a standard limit type or fully qualified'));
    if (types.has(type)) errors.push(FieldError.duplicate(`${path}.type`, type));
    types.add(type);
    validateItem(errors, item, type, path);
  }
  return errors;
}

function validateItem(errors: FieldError[], item: Json, type: string, path: string): void {
  const nameErrors = type === 'Pod' || type === 'Container' ? containerResourceNameErrors : resourceNameErrors;
  const parsed = new Map<ListName, ReadonlyMap<string, Quantity>>();
  const names = new Set<string>();
  for (const list of LISTS) {
    const given = amounts(item, list);
    if (type === 'Pod' && (list === 'default' || list === 'defaultRequest')) {
      if (Object.keys(given).length > 0) errors.push(FieldError.forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"));
      continue;
    }
    if (list === 'maxLimitRequestRatio' && type === 'PersistentVolumeClaim' && !hasStorage(item)) {
      const detail = 'either minimum or maximum storage value is required, but neither was provided';
      errors.push(FieldError.required(`${path}.limits`, detail));
    }
    for (const name of Object.keys(given)) {
      errors.push(...nameErrors(name, `${path}.${list}[${name}]`));
      names.add(name);
    }
    parsed.set(list, new Map(Object.entries(given).map(([name, amount]) => [name, quantity(amount)])));
  }
  for (const name of [...names].sort()) compare(errors, name, path, (list) => parsed.get(list)?.get(name));
}

function hasStorage(item: Json): boolean {
  return amounts(item, 'min')['storage'] !== undefined || amounts(item, 'max')['storage'] !== undefined;
}

function compare(errors: FieldError[], name: string, path: string, of: (list: ListName) => Quantity | undefined): void {
  const [min, max, limit, request, ratio] = [of('min'), of('max'), of('default'), of('defaultRequest'), of('maxLimitRequestRatio')];
  const fault = (list: ListName, value: Quantity, detail: string): void =>
    void errors.push(FieldError.invalid(`${path}.${list}[${name}]`, goQuantity(value.toString()), detail));
  const isMore = (a: Quantity | undefined, b: Quantity | undefined): boolean => a !== undefined && b !== undefined && a.compare(b) > 0;
  const shown = (value: Quantity | undefined): string => value!.toString();
  if (isMore(min, max)) fault('min', min!, `min value ${shown(min)} is greater than max value ${shown(max)}`);
  if (isMore(min, request))
    fault('defaultRequest', request!, `min value ${shown(min)} is greater than default request value ${shown(request)}`);
  if (isMore(request, max))
    fault('defaultRequest', request!, `default request value ${shown(request)} is greater than max value ${shown(max)}`);
  if (isMore(request, limit)) {
    const detail = `default request value ${shown(request)} is greater than default limit value ${shown(limit)}`;
    fault('defaultRequest', request!, detail);
  }
  if (isMore(min, limit)) fault('default', min!, `min value ${shown(min)} is greater than default value ${shown(limit)}`);
  if (isMore(limit, max)) fault('default', max!, `default value ${shown(limit)} is greater than max value ${shown(max)}`);
  if (ratio !== undefined) {
    if (ratio.nanos < 1_000_000_000n) fault('maxLimitRequestRatio', ratio, `ratio ${shown(ratio)} is less than 1`);
    if (min !== undefined && max !== undefined) {
      const most = max.milli / min.milli;
      if (ratio.milli / 1000 > most)
        fault('maxLimitRequestRatio', ratio, `ratio ${shown(ratio)} is greater than max/min = ${most.toFixed(6)}`);
    }
  }
  if (!isOvercommitAllowed(name) && limit !== undefined && request !== undefined && limit.compare(request) !== 0) {
    const detail = `default value ${shown(limit)} must equal to defaultRequest value ${shown(request)} in ${name}`;
    fault('defaultRequest', request, detail);
  }
}
