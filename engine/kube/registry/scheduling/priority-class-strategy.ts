// What happens to priority classes on their way into the store (pkg/registry/scheduling/priorityclass).

import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { IS_IMMUTABLE, number } from '../checks.ts';
import { validatePreemptionPolicy } from '../core/pod-spec-validation.ts';
import type { ApiObject, Strategy } from '../definition.ts';

const SYSTEM_PREFIX = 'system-';
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};
const MAX_USER_VALUE = 1_000_000_000;

export const PRIORITY_CLASS_STRATEGY: Strategy<ApiObject> = {
  setDefaults: (object) => void (object['preemptionPolicy'] ??= 'PreemptLowerPriority'),
  validate(object) {
    const errors: FieldError[] = [];
    const { name } = object.metadata;
    if (name.startsWith(SYSTEM_PREFIX)) {
      const problem = systemProblem(object);
      if (problem !== undefined) {
        const why = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${problem}`;
        errors.push(FieldError.forbidden('metadata.name', why));
      }
    } else if (number(object['value']) > MAX_USER_VALUE)
      errors.push(FieldError.forbidden('value', `maximum allowed value of a user defined priority is ${MAX_USER_VALUE}`));
    validatePreemptionPolicy(errors, object['preemptionPolicy'], 'preemptionPolicy');
    return errors;
  },
  validateUpdate(next, current, meta) {
    const errors = [...meta.update];
    if (number(next['value']) !== number(current['value'])) errors.push(FieldError.forbidden('Value', 'may not be changed in an update.'));
    if (!isDeepEqual(next['preemptionPolicy'], current['preemptionPolicy']))
      errors.push(FieldError.invalid('preemptionPolicy', next['preemptionPolicy'], IS_IMMUTABLE));
    return errors;
  },
};

function systemProblem(object: ApiObject): string | undefined {
  const { name } = object.metadata;
  const value = SYSTEM_CLASSES[name];
  if (value === undefined) return `${name} is not a known system priority class`;
  if (number(object['value']) !== value) return `value of ${name} PriorityClass must be ${value}`;
  return object['globalDefault'] === true ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
