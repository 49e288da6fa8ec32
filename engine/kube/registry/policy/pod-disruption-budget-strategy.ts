// What happens to disruption budgets on their way into the store (pkg/registry/policy/poddisruptionbudget).

import { FieldError } from '../../machinery/field-errors.ts';
import { statusOf } from '../apps/workload-validation.ts';
import { countOrPercent, labelSelector, nonNegative, notMoreThanAll } from '../checks.ts';
import type { ApiObject, Strategy } from '../definition.ts';
import { specOf } from '../object-access.ts';

export const POD_DISRUPTION_BUDGET_STRATEGY: Strategy<ApiObject> = {
  prepareForCreate(budget) {
    budget['status'] = {};
  },
  validate: (budget) => budgetErrors(budget),
  validateUpdate: (next) => budgetErrors(next),
  validateStatusUpdate: () => [],
  requiresVersionOnUpdate: true,
};

const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'];

function budgetErrors(budget: ApiObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(budget);
  if (spec['minAvailable'] !== undefined && spec['maxUnavailable'] !== undefined)
    errors.push(FieldError.invalidOf('spec', 'policy.PodDisruptionBudgetSpec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    countOrPercent(errors, `spec.${field}`, spec[field]);
    notMoreThanAll(errors, `spec.${field}`, spec[field]);
  }
  labelSelector(errors, 'spec.selector', spec['selector']);
  for (const field of COUNTS) nonNegative(errors, `status.${field}`, statusOf(budget)[field]);
  return errors;
}
