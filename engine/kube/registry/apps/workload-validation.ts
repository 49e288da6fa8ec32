// Rules that the kinds which make pods from a template share.

import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { labelSelectorOf, type LabelSelectorSpec, SelectorError } from '../../machinery/selectors.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { validatePodSpec } from '../core/pod-validation.ts';
import type { Json } from '../definition.ts';
import { validateAnnotations, validateLabels } from '../meta-validation.ts';
import { specOf } from '../object-access.ts';

interface WorkloadRules {
  readonly needsAlwaysRestart: boolean;
  readonly kindOfSelector: 'deployment' | 'set';
}

/** Replicas, selector and template, as deployments, replica sets, daemon sets and stateful sets have them. */
export function validateWorkload(object: KubeObject, rules: WorkloadRules): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(object);
  const replicas = spec['replicas'];
  if (typeof replicas === 'number' && replicas < 0)
    errors.push(FieldError.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'));
  const minimum = spec['minReadySeconds'];
  if (typeof minimum === 'number' && minimum < 0)
    errors.push(FieldError.invalid('spec.minReadySeconds', minimum, 'must be greater than or equal to 0'));
  const selector = spec['selector'] as LabelSelectorSpec | undefined;
  const template = (spec['template'] ?? {}) as {
    metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
    spec?: Json;
  };
  const labels = template.metadata?.labels;
  if (selector === undefined || selector === null) errors.push(FieldError.required('spec.selector', ''));
  else if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0) {
    errors.push(
      FieldError.invalid(
        'spec.selector',
        selector,
        `empty selector is invalid for ${rules.kindOfSelector === 'deployment' ? 'deployment' : object.kind.toLowerCase()}`,
      ),
    );
  }
  try {
    if (!labelSelectorOf(selector).matches(labels)) {
      errors.push(FieldError.invalidGo('spec.template.metadata.labels', goMap(labels), '`selector` does not match template `labels`'));
    }
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    errors.push(FieldError.invalid('spec.selector', selector, error.message));
  }
  errors.push(
    ...validateLabels(labels, 'spec.template.labels'),
    ...validateAnnotations(template.metadata?.annotations, 'spec.template.annotations'),
  );
  errors.push(...validatePodSpec(template.spec ?? {}, 'spec.template.spec'));
  if (
    rules.needsAlwaysRestart &&
    (template.spec?.['restartPolicy'] ?? 'Always') !== 'Always' &&
    ['OnFailure', 'Never'].includes(String(template.spec?.['restartPolicy']))
  ) {
    errors.push(FieldError.notSupported('spec.template.spec.restartPolicy', template.spec?.['restartPolicy'], ['Always']));
  }
  return errors;
}

/** A map as Go's %#v prints it. */
function goMap(labels: Readonly<Record<string, string>> | undefined): string {
  if (labels === undefined || Object.keys(labels).length === 0) return 'map[string]string(nil)';
  const members = Object.keys(labels)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(labels[key])}`);
  return `map[string]string{${members.join(', ')}}`;
}

export function immutableSelector(next: KubeObject, current: KubeObject): readonly FieldError[] {
  const [ours, theirs] = [specOf(next)['selector'] as LabelSelectorSpec, specOf(current)['selector'] as LabelSelectorSpec];
  if (isDeepEqual(ours, theirs)) return [];
  return [FieldError.invalidGo('spec.selector', goSelector(ours), 'field is immutable')];
}

function goSelector(selector: LabelSelectorSpec | undefined): string {
  if (selector === undefined || selector === null) return '(*v1.LabelSelector)(nil)';
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values }) =>
      `v1.LabelSelectorRequirement{Key:${JSON.stringify(key)}, Operator:${JSON.stringify(operator)}, Values:[]string{${(values ?? []).map((value) => JSON.stringify(value)).join(', ')}}}`,
  );
  const shown =
    expressions.length === 0 ? '[]v1.LabelSelectorRequirement(nil)' : `[]v1.LabelSelectorRequirement{${expressions.join(', ')}}`;
  return `v1.LabelSelector{MatchLabels:${goMap(selector.matchLabels ?? undefined)}, MatchExpressions:${shown}}`;
}
