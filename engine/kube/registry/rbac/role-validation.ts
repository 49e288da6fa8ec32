// Models the validation of roles and their bindings.

import { FieldError } from '../../machinery/field-errors.ts';
import { goStrings, goStruct } from '../../machinery/go-syntax.ts';
import { dns1123Subdomain, pathSegment } from '../../machinery/names.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { labelSelector } from '../checks.ts';
import type { Json, MetaErrors } from '../definition.ts';
import { records } from '../object-access.ts';
import { findings, str, strings } from '../rules.ts';

const GROUP = 'rbac.authorization.k8s.io';

export function validateRole(role: KubeObject): FieldError[] {
  return ruleErrors(role, true);
}

export function validateClusterRole(role: KubeObject): FieldError[] {
  const errors = ruleErrors(role, false);
  const { aggregationRule } = role as unknown as { aggregationRule?: unknown };
  if (!isRecord(aggregationRule)) return errors;
  const path = 'aggregationRule.clusterRoleSelectors';
  const selectors = records(aggregationRule['clusterRoleSelectors']);
  if (selectors.length === 0)
    errors.push(FieldError.required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  for (const [index, selector] of selectors.entries()) labelSelector(errors, `${path}[${index}]`, selector);
  return errors;
}

function ruleErrors(role: KubeObject, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, rule] of records((role as unknown as Json)['rules']).entries()) {
    const path = `rules[${index}]`;
    const count = (field: string): number => strings(rule[field]).length;
    if (count('verbs') === 0) errors.push(FieldError.required(`${path}.verbs`, 'verbs must contain at least one value'));
    if (count('nonResourceURLs') > 0) {
      const fault = (detail: string): void =>
        void errors.push(FieldError.invalid(`${path}.nonResourceURLs`, goStrings(strings(rule['nonResourceURLs'])), detail));
      if (isNamespaced) fault('namespaced rules cannot apply to non-resource URLs');
      if (count('apiGroups') + count('resources') + count('resourceNames') > 0)
        fault('rules cannot apply to both regular resources and non-resource URLs');
      continue;
    }
    if (count('apiGroups') === 0)
      errors.push(FieldError.required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
    if (count('resources') === 0) errors.push(FieldError.required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

export function validateBinding(binding: KubeObject, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { roleRef, subjects } = binding as unknown as { roleRef?: Json; subjects?: unknown };
  const [group, kind, name] = [str(roleRef?.['apiGroup']), str(roleRef?.['kind']), str(roleRef?.['name'])];
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (group !== GROUP) errors.push(FieldError.notSupported('roleRef.apiGroup', group, [GROUP]));
  if (!kinds.includes(kind)) errors.push(FieldError.notSupported('roleRef.kind', kind, kinds));
  if (name === '') errors.push(FieldError.required('roleRef.name', ''));
  else findings(errors, 'roleRef.name', name, pathSegment(name));
  for (const [index, subject] of records(subjects).entries()) errors.push(...subjectErrors(subject, `subjects[${index}]`, isNamespaced));
  return errors;
}

const SUBJECTS = ['ServiceAccount', 'User', 'Group'];

function subjectErrors(subject: Json, path: string, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const [kind, name, group] = [str(subject['kind']), str(subject['name']), str(subject['apiGroup'])];
  if (name === '') errors.push(FieldError.required(`${path}.name`, ''));
  if (!SUBJECTS.includes(kind)) errors.push(FieldError.notSupported(`${path}.kind`, kind, SUBJECTS));
  else if (kind !== 'ServiceAccount') {
    if (group !== GROUP) errors.push(FieldError.notSupported(`${path}.apiGroup`, group, [GROUP]));
  } else {
    if (name !== '') findings(errors, `${path}.name`, name, dns1123Subdomain(name));
    if (group !== '') errors.push(FieldError.notSupported(`${path}.apiGroup`, group, ['']));
    if (!isNamespaced && str(subject['namespace']) === '') errors.push(FieldError.required(`${path}.namespace`, ''));
  }
  return errors;
}

export function validateBindingUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors, isNamespaced: boolean): FieldError[] {
  const errors = [...meta.object, ...validateBinding(next, isNamespaced), ...meta.update];
  const [after, before] = [next, current].map((binding) => (binding as unknown as Json)['roleRef']);
  if (!isDeepEqual(after, before)) errors.push(FieldError.invalid('roleRef', goStruct('rbac/v1.RoleRef', after), 'cannot change roleRef'));
  return errors;
}
