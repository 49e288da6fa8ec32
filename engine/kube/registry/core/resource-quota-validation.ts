// Models ValidateResourceQuota and its updates.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { GoSyntax, goStrings, goStruct } from '../../machinery/go-syntax.ts';
import type { ResourceQuota } from '../../machinery/kinds.ts';
import type { Json, MetaErrors } from '../definition.ts';
import { records, specOf } from '../object-access.ts';
import { str, strings } from '../rules.ts';
import { isStandardQuotaResource, quotaResourceNameErrors, resourceQuantityErrors } from './resource-names.ts';

const SCOPES = ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'PriorityClass'];
const COMPUTE = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];
const PAIRS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

export function validateResourceQuota(quota: ResourceQuota): FieldError[] {
  return [...validateSpec(specOf(quota)), ...statusErrors(quota)];
}

export function validateResourceQuotaUpdate(next: ResourceQuota, current: ResourceQuota, meta: MetaErrors): FieldError[] {
  const spec = specOf(next);
  const errors = [...meta.object, ...validateResourceQuota(next), ...meta.update, ...validateSpec(spec)];
  const [after, before] = [new Set(strings(spec['scopes'])), new Set(strings(specOf(current)['scopes']))];
  if (after.size !== before.size || [...after].some((scope) => !before.has(scope)))
    errors.push(FieldError.invalid('spec.scopes', goScopes(spec), 'field is immutable'));
  return errors;
}

export function statusErrors(quota: ResourceQuota): FieldError[] {
  const { status } = quota as unknown as { status?: Json };
  return [...amountErrors(status?.['hard'], 'status.hard'), ...amountErrors(status?.['used'], 'status.used')];
}

function amountErrors(amounts: unknown, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!isRecord(amounts)) return errors;
  for (const [name, amount] of Object.entries(amounts)) {
    const at = `${path}[${name}]`;
    errors.push(...quotaResourceNameErrors(name, at), ...resourceQuantityErrors(name, String(amount), at));
  }
  return errors;
}

function validateSpec(spec: Json): FieldError[] {
  return [...amountErrors(spec['hard'], 'spec.hard'), ...scopeErrors(spec), ...selectorErrors(spec)];
}

function goScopes(spec: Json): GoSyntax {
  return goStrings(spec['scopes'] as string[] | undefined, 'core.ResourceQuotaScope');
}

function isScopeFor(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods';
  return !SCOPES.includes(scope) || resource === 'pods' || COMPUTE.includes(resource);
}

function limited(spec: Json): readonly string[] {
  return isRecord(spec['hard']) ? Object.keys(spec['hard']).filter(isStandardQuotaResource).sort() : [];
}

function scopeErrors(spec: Json): FieldError[] {
  const errors: FieldError[] = [];
  const scopes = strings(spec['scopes']);
  const path = 'spec.scopes';
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) errors.push(FieldError.invalid(path, goScopes(spec), 'unsupported scope'));
    for (const name of limited(spec))
      if (!isScopeFor(scope, name)) errors.push(FieldError.invalid(path, goScopes(spec), 'unsupported scope applied to resource'));
  }
  for (const [one, other] of PAIRS)
    if (scopes.includes(one) && scopes.includes(other)) errors.push(FieldError.invalid(path, goScopes(spec), 'conflicting scopes'));
  return errors;
}

const EXISTS_ONLY =
  "must be 'Exist' only operator when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort and ResourceQuotaScopeNotBestEffort";

function selectorErrors(spec: Json): FieldError[] {
  const errors: FieldError[] = [];
  const selector = spec['scopeSelector'];
  if (!isRecord(selector)) return errors;
  const path = 'spec.scopeSelector.matchExpressions';
  const seen = new Set<string>();
  for (const requirement of records(selector['matchExpressions'])) {
    const [scope, operator, values] = [str(requirement['scopeName']), str(requirement['operator']), strings(requirement['values'])];
    if (!SCOPES.includes(scope)) errors.push(FieldError.invalid(`${path}.scopeName`, scope, 'unsupported scope'));
    for (const name of limited(spec)) {
      if (!isScopeFor(scope, name))
        errors.push(FieldError.invalid(path, goStruct('core/v1.ScopeSelector', selector), 'unsupported scope applied to resource'));
    }
    if (scope !== 'PriorityClass' && SCOPES.includes(scope) && operator !== 'Exists')
      errors.push(FieldError.invalid(`${path}.operator`, operator, EXISTS_ONLY));
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        errors.push(
          FieldError.required(`${path}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"),
        );
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        errors.push(
          FieldError.invalid(`${path}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"),
        );
    } else errors.push(FieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
    seen.add(scope);
  }
  for (const [one, other] of PAIRS)
    if (seen.has(one) && seen.has(other)) errors.push(FieldError.invalid(path, goScopes(spec), 'conflicting scopes'));
  return errors;
}
