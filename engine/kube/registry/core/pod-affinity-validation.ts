// Validation of where a pod may and would like to run: affinity, spreading, tolerations.

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../machinery/names.ts';
import { labelSelector, list, number, problems, record, text } from '../checks.ts';
import type { Json } from '../definition.ts';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

export function validateAffinity(errors: FieldError[], given: unknown, path: string): void {
  const affinity = record(given);
  if (affinity === undefined) return;
  const node = record(affinity['nodeAffinity']);
  if (node !== undefined) {
    const needed = record(node[REQUIRED]);
    if (needed !== undefined) nodeSelector(errors, needed, `${path}.nodeAffinity.${REQUIRED}`);
    for (const [index, each] of list(node[PREFERRED]).entries()) {
      const at = `${path}.nodeAffinity.${PREFERRED}[${index}]`;
      weight(errors, each as Json, at);
      nodeSelectorTerm(errors, record((each as Json)['preference']) ?? {}, `${at}.preference`);
    }
  }
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const pods = record(affinity[kind]);
    if (pods === undefined) continue;
    for (const [index, term] of list(pods[REQUIRED]).entries()) podTerm(errors, term as Json, `${path}.${kind}.${REQUIRED}[${index}]`);
    for (const [index, each] of list(pods[PREFERRED]).entries()) {
      const at = `${path}.${kind}.${PREFERRED}[${index}]`;
      weight(errors, each as Json, at);
      podTerm(errors, record((each as Json)['podAffinityTerm']) ?? {}, `${at}.podAffinityTerm`);
    }
  }
}

const MAX_WEIGHT = 100;

function weight(errors: FieldError[], term: Json, path: string): void {
  const given = number(term['weight']);
  if (given <= 0 || given > MAX_WEIGHT) errors.push(FieldError.invalid(`${path}.weight`, given, 'must be in the range 1-100'));
}

/** ValidateNodeSelector. */
export function nodeSelector(errors: FieldError[], selector: Json, path: string): void {
  const terms = list(selector['nodeSelectorTerms']);
  if (terms.length === 0) errors.push(FieldError.required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term'));
  for (const [index, term] of terms.entries()) nodeSelectorTerm(errors, term as Json, `${path}.nodeSelectorTerms[${index}]`);
}

function nodeSelectorTerm(errors: FieldError[], term: Json, path: string): void {
  for (const [index, each] of list(term['matchExpressions']).entries()) {
    const requirement = each as Json;
    const at = `${path}.matchExpressions[${index}]`;
    const count = list(requirement['values']).length;
    switch (requirement['operator']) {
      case 'In':
      case 'NotIn':
        if (count === 0) errors.push(FieldError.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (count > 0)
          errors.push(FieldError.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
        break;
      case 'Gt':
      case 'Lt':
        if (count !== 1) errors.push(FieldError.required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
        break;
      default:
        errors.push(FieldError.invalid(`${at}.operator`, text(requirement['operator']), 'not a valid selector operator'));
    }
    const key = text(requirement['key']);
    problems(errors, `${at}.key`, key, qualifiedName(key));
  }
  for (const [index, each] of list(term['matchFields']).entries()) fieldRequirement(errors, each as Json, `${path}.matchFields[${index}]`);
}

function fieldRequirement(errors: FieldError[], requirement: Json, path: string): void {
  const operator = text(requirement['operator']);
  const values = list(requirement['values']);
  if (operator !== 'In' && operator !== 'NotIn')
    errors.push(FieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  else if (values.length !== 1) {
    const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(FieldError.required(`${path}.values`, why));
  }
  const key = text(requirement['key']);
  if (key !== 'metadata.name') errors.push(FieldError.invalid(`${path}.key`, key, 'not a valid field selector key'));
  else for (const [index, value] of values.entries()) problems(errors, `${path}.values[${index}]`, value, dns1123Subdomain(text(value)));
}

function podTerm(errors: FieldError[], term: Json, path: string): void {
  labelSelector(errors, `${path}.matchExpressions`, term['labelSelector']);
  for (const namespace of list(term['namespaces'])) problems(errors, `${path}.namespace`, namespace, dns1123Label(text(namespace)));
  const key = text(term['topologyKey']);
  if (key === '') errors.push(FieldError.required(`${path}.topologyKey`, 'can not be empty'));
  problems(errors, `${path}.topologyKey`, key, qualifiedName(key));
}

const ACTIONS = ['DoNotSchedule', 'ScheduleAnyway'];

export function validateTopologySpread(errors: FieldError[], given: unknown, path: string): void {
  const constraints = list(given) as readonly Json[];
  for (const [index, constraint] of constraints.entries()) {
    const at = `${path}[${index}]`;
    const skew = number(constraint['maxSkew']);
    const key = text(constraint['topologyKey']);
    const action = text(constraint['whenUnsatisfiable']);
    if (skew <= 0) errors.push(FieldError.invalid(`${at}.maxSkew`, skew, 'must be greater than zero'));
    if (key === '') errors.push(FieldError.required(`${at}.topologyKey`, 'can not be empty'));
    if (!ACTIONS.includes(action)) errors.push(FieldError.notSupported(`${at}.whenUnsatisfiable`, action, ACTIONS));
    const isRepeated = constraints
      .slice(index + 1)
      .some((other) => text(other['topologyKey']) === key && text(other['whenUnsatisfiable']) === action);
    if (isRepeated) errors.push(FieldError.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${key}, ${action}}`));
  }
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateTolerations(errors: FieldError[], given: unknown, path: string): void {
  for (const [index, each] of list(given).entries()) {
    const toleration = each as Json;
    const at = `${path}[${index}]`;
    const key = text(toleration['key']);
    const operator = text(toleration['operator']);
    const value = text(toleration['value']);
    const effect = text(toleration['effect']);
    if (key !== '') problems(errors, `${at}.key`, key, qualifiedName(key));
    else if (operator !== 'Exists') {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(FieldError.invalid(`${at}.operator`, operator, why));
    }
    if (toleration['tolerationSeconds'] !== undefined && effect !== 'NoExecute')
      errors.push(FieldError.invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === 'Equal' || operator === '') {
      const found = labelValue(value);
      if (found.length > 0) errors.push(FieldError.invalid(`${at}.operator`, value, found.join(';')));
    } else if (operator === 'Exists') {
      if (value !== '')
        errors.push(
          FieldError.invalidOf(`${at}.operator`, 'core.Toleration', toleration, "value must be empty when `operator` is 'Exists'"),
        );
    } else errors.push(FieldError.notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    if (effect !== '' && !EFFECTS.includes(effect)) errors.push(FieldError.notSupported(`${at}.effect`, effect, EFFECTS));
  }
}
