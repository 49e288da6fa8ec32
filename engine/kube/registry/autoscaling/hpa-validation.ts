// Validation of autoscalers. Messages speak of the internal version, whose metrics are those of v2beta2 whatever a client sent.

import { FieldError } from '../../machinery/field-errors.ts';
import { pathSegment } from '../../machinery/names.ts';
import { Quantity } from '../../machinery/quantity.ts';
import { list, number, problems, record, text } from '../checks.ts';
import type { ApiObject, Json } from '../definition.ts';
import { behaviorOf, metricsOf } from './hpa-versions.ts';

export function validateAutoscaler(errors: FieldError[], scaler: ApiObject): void {
  const spec = record(scaler['spec']) ?? {};
  const least = spec['minReplicas'];
  const most = number(spec['maxReplicas']);
  if (typeof least === 'number' && least < 1)
    errors.push(FieldError.invalid('spec.minReplicas', least, 'must be greater than or equal to 1'));
  if (most < 1) errors.push(FieldError.invalid('spec.maxReplicas', most, 'must be greater than 0'));
  if (typeof least === 'number' && most < least)
    errors.push(FieldError.invalid('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`'));
  crossReference(errors, record(spec['scaleTargetRef']) ?? {}, 'spec.scaleTargetRef');
  for (const [index, metric] of metricsOf(scaler).entries()) validateMetric(errors, metric as unknown as Json, `spec.metrics[${index}]`);
  const behavior = behaviorOf(scaler);
  for (const direction of ['scaleUp', 'scaleDown'] as const)
    scalingRules(errors, record(behavior?.[direction]), `spec.behavior.${direction}`);
}

export function crossReference(errors: FieldError[], reference: Json, path: string): void {
  for (const field of ['kind', 'name'] as const) {
    const value = text(reference[field]);
    if (value === '') errors.push(FieldError.required(`${path}.${field}`, ''));
    else problems(errors, `${path}.${field}`, value, pathSegment(value));
  }
}

const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
/** In the order they are looked at. */
const SOURCES: readonly (readonly [member: string, type: string, rule: (errors: FieldError[], source: Json, path: string) => void])[] = [
  ['object', 'Object', objectSource],
  ['external', 'External', externalSource],
  ['pods', 'Pods', podsSource],
  ['resource', 'Resource', resourceSource],
];

function validateMetric(errors: FieldError[], metric: Json, path: string): void {
  const type = text(metric['type']);
  if (type === '') errors.push(FieldError.required(`${path}.type`, 'must specify a metric source type'));
  if (!TYPES.includes(type)) errors.push(FieldError.notSupported(`${path}.type`, type, TYPES));
  const present = SOURCES.filter(([member]) => record(metric[member]) !== undefined);
  const [first] = present;
  if (first !== undefined) first[2](errors, record(metric[first[0]])!, `${path}.${first[0]}`);
  const expected = SOURCES.find(([, each]) => each === type)?.[0] ?? (type === 'ContainerResource' ? 'containerResource' : undefined);
  if (expected === undefined) errors.push(FieldError.notSupported(`${path}.type`, type, TYPES));
  else if (record(metric[expected]) === undefined)
    errors.push(FieldError.required(`${path}.${expected}`, 'must populate information for the given metric source'));
  if (present.length === 1) return;
  for (const [member] of present)
    if (member !== expected) errors.push(FieldError.forbidden(`${path}.${member}`, 'must populate the given metric source only'));
}

const EITHER_TARGET = 'must set either a target value for metric or a per-pod target';

function objectSource(errors: FieldError[], source: Json, path: string): void {
  crossReference(errors, record(source['describedObject']) ?? {}, `${path}.describedObject`);
  identifier(errors, source, path);
  const { value, averageValue } = target(errors, source, path);
  if (value === undefined && averageValue === undefined) errors.push(FieldError.required(`${path}.target.averageValue`, EITHER_TARGET));
}

function externalSource(errors: FieldError[], source: Json, path: string): void {
  identifier(errors, source, path);
  const { value, averageValue } = target(errors, source, path);
  if (value === undefined && averageValue === undefined) errors.push(FieldError.required(`${path}.target.averageValue`, EITHER_TARGET));
  if (value !== undefined && averageValue !== undefined)
    errors.push(FieldError.forbidden(`${path}.target.value`, 'may not set both a target value for metric and a per-pod target'));
}

function podsSource(errors: FieldError[], source: Json, path: string): void {
  identifier(errors, source, path);
  const { averageValue } = target(errors, source, path);
  if (averageValue === undefined || !isPositive(averageValue))
    errors.push(FieldError.required(`${path}.target.averageValue`, 'must specify a positive target averageValue'));
}

function resourceSource(errors: FieldError[], source: Json, path: string): void {
  if (text(source['name']) === '') errors.push(FieldError.required(`${path}.name`, 'must specify a resource name'));
  const { averageUtilization, averageValue } = target(errors, source, path);
  if (averageUtilization === undefined && averageValue === undefined)
    errors.push(FieldError.required(`${path}.target.averageUtilization`, 'must set either a target raw value or a target utilization'));
  if (averageUtilization !== undefined && averageValue !== undefined)
    errors.push(FieldError.forbidden(`${path}.target.averageValue`, 'may not set both a target raw value and a target utilization'));
}

function identifier(errors: FieldError[], source: Json, path: string): void {
  const name = text(record(source['metric'])?.['name']);
  if (name === '') errors.push(FieldError.required(`${path}.metric.name`, 'must specify a metric name'));
  else problems(errors, `${path}.metric.name`, name, pathSegment(name));
}

function target(errors: FieldError[], source: Json, path: string): Json {
  const given = record(source['target']) ?? {};
  const at = `${path}.target`;
  const type = text(given['type']);
  if (type === '') errors.push(FieldError.required(`${at}.type`, 'must specify a metric target type'));
  if (type !== 'Utilization' && type !== 'Value' && type !== 'AverageValue')
    errors.push(FieldError.invalid(`${at}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  for (const field of ['value', 'averageValue'] as const) {
    const amount = given[field];
    if (amount !== undefined && !isPositive(amount))
      errors.push(FieldError.invalidOf(`${at}.${field}`, 'resource.Quantity', amount, 'must be positive'));
  }
  const percent = given['averageUtilization'];
  if (typeof percent === 'number' && percent < 1)
    errors.push(FieldError.invalid(`${at}.averageUtilization`, percent, 'must be greater than 0'));
  return given;
}

const isPositive = (amount: unknown): boolean => Quantity.parse(String(amount)).nanos > 0n;

const SELECT_POLICIES = ['Disabled', 'Max', 'Min'];
const MAX_STABILIZATION_SECONDS = 3600;
const MAX_PERIOD_SECONDS = 1800;

function scalingRules(errors: FieldError[], rules: Json | undefined, path: string): void {
  if (rules === undefined) return;
  const { stabilizationWindowSeconds: stable, selectPolicy } = rules;
  const at = `${path}.stabilizationWindowSeconds`;
  if (typeof stable === 'number' && stable < 0) errors.push(FieldError.invalid(at, stable, 'must be greater than or equal to zero'));
  if (typeof stable === 'number' && stable > MAX_STABILIZATION_SECONDS)
    errors.push(FieldError.invalid(at, stable, `must be less than or equal to ${MAX_STABILIZATION_SECONDS}`));
  if (typeof selectPolicy === 'string' && !SELECT_POLICIES.includes(selectPolicy))
    errors.push(FieldError.notSupported(`${path}.selectPolicy`, selectPolicy, SELECT_POLICIES));
  const policies = list(rules['policies']);
  if (policies.length === 0) errors.push(FieldError.required(`${path}.policies`, 'must specify at least one Policy'));
  for (const [index, policy] of policies.entries()) scalingPolicy(errors, policy as Json, `${path}.policies[${index}]`);
}

function scalingPolicy(errors: FieldError[], policy: Json, path: string): void {
  const type = text(policy['type']);
  const value = number(policy['value']);
  const period = number(policy['periodSeconds']);
  if (type !== 'Pods' && type !== 'Percent') errors.push(FieldError.notSupported(`${path}.type`, type, ['Pods', 'Percent']));
  if (value <= 0) errors.push(FieldError.invalid(`${path}.value`, value, 'must be greater than zero'));
  if (period <= 0) errors.push(FieldError.invalid(`${path}.periodSeconds`, period, 'must be greater than zero'));
  if (period > MAX_PERIOD_SECONDS)
    errors.push(FieldError.invalid(`${path}.periodSeconds`, period, `must be less than or equal to ${MAX_PERIOD_SECONDS}`));
}
