// Validation of a container's environment (ValidateEnv, ValidateEnvFrom).

import { FieldError } from '../../machinery/field-errors.ts';
import { configMapKey, dns1123Subdomain, envVarName } from '../../machinery/names.ts';
import { list, problems, record, text } from '../checks.ts';
import type { Json } from '../definition.ts';
import { ENV_FIELDS, objectFieldSelector, resourceFieldSelector } from './pod-field-selector-validation.ts';

export function validateEnv(errors: FieldError[], given: unknown, path: string): void {
  for (const [index, each] of list(given).entries()) {
    const variable = each as Json;
    const at = `${path}[${index}]`;
    const name = text(variable['name']);
    if (name === '') errors.push(FieldError.required(`${at}.name`, ''));
    else problems(errors, `${at}.name`, name, envVarName(name));
    const from = record(variable['valueFrom']);
    if (from !== undefined) valueFrom(errors, from, text(variable['value']) !== '', `${at}.valueFrom`);
  }
}

function valueFrom(errors: FieldError[], from: Json, hasValue: boolean, path: string): void {
  let count = 0;
  const field = record(from['fieldRef']);
  if (field !== undefined) {
    count++;
    objectFieldSelector(errors, field, ENV_FIELDS, `${path}.fieldRef`);
  }
  const resource = record(from['resourceFieldRef']);
  if (resource !== undefined) {
    count++;
    resourceFieldSelector(errors, resource, `${path}.resourceFieldRef`, { isVolume: false });
  }
  for (const member of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = record(from[member]);
    if (reference === undefined) continue;
    count++;
    keySelector(errors, reference, `${path}.${member}`);
  }
  if (count === 0) {
    const why = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`';
    errors.push(FieldError.invalid(path, '', why));
  } else if (hasValue) errors.push(FieldError.invalid(path, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) errors.push(FieldError.invalid(path, '', 'may not have more than one field specified at a time'));
}

function keySelector(errors: FieldError[], reference: Json, path: string): void {
  const name = text(reference['name']);
  const key = text(reference['key']);
  problems(errors, `${path}.name`, name, dns1123Subdomain(name));
  if (key === '') errors.push(FieldError.required(`${path}.key`, ''));
  else problems(errors, `${path}.key`, key, configMapKey(key));
}

export function validateEnvFrom(errors: FieldError[], given: unknown, path: string): void {
  for (const [index, each] of list(given).entries()) {
    const source = each as Json;
    const at = `${path}[${index}]`;
    const prefix = text(source['prefix']);
    if (prefix !== '') problems(errors, `${at}.prefix`, prefix, envVarName(prefix));
    let count = 0;
    for (const member of ['configMapRef', 'secretRef'] as const) {
      const reference = record(source[member]);
      if (reference === undefined) continue;
      count++;
      const name = text(reference['name']);
      if (name === '') errors.push(FieldError.required(`${at}.${member}.name`, ''));
      // Trailing dashes pass here: the name may be meant as a prefix.
      else problems(errors, `${at}.${member}.name`, name, dns1123Subdomain(maskTrailingDash(name)));
    }
    if (count === 0) errors.push(FieldError.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (count > 1) errors.push(FieldError.invalid(path, '', 'may not have more than one field specified at a time'));
  }
}

function maskTrailingDash(name: string): string {
  return name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}
