// Rules that the kinds which make pods from a template share.

import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import type { LabelSelector } from '../../machinery/selectors.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { hasMembers, IS_IMMUTABLE, isEmptySelector, labelSelector, nonNegative, number, record, selectorOf, text } from '../checks.ts';
import { validatePodTemplate, validateSharedDisks } from '../core/pod-spec-validation.ts';
import type { Json } from '../definition.ts';
import { specOf } from '../object-access.ts';

const MISMATCH = '`selector` does not match template `labels`';

/** A selector that must be there and must ask for something; `owner` is what the message calls the kind. */
export function neededSelector(errors: FieldError[], selector: unknown, owner: string): void {
  const path = 'spec.selector';
  if (selector === undefined || selector === null) errors.push(FieldError.required(path, ''));
  else {
    labelSelector(errors, path, selector);
    emptySelector(errors, selector, owner);
  }
}

export function emptySelector(errors: FieldError[], selector: unknown, owner: string): void {
  if (isEmptySelector(selector))
    errors.push(FieldError.invalidOf('spec.selector', 'v1.LabelSelector', selector, `empty selector is invalid for ${owner}`));
}

/** The selector as one can ask it; what makes no sense is told with `why`. */
export function usableSelector(errors: FieldError[], selector: unknown, why: string): LabelSelector | undefined {
  const usable = selectorOf(selector);
  if (usable === undefined) errors.push(FieldError.invalidOf('spec.selector', 'v1.LabelSelector', selector, why));
  return usable;
}

export function templateLabelsMatch(errors: FieldError[], selector: LabelSelector, template: Json | undefined, path: string): void {
  const labels = record(template?.['metadata'])?.['labels'] as Readonly<Record<string, string>> | undefined;
  if (!selector.matches(labels)) errors.push(FieldError.invalidOf(`${path}.metadata.labels`, 'map[string]string', labels, MISMATCH));
}

/** ValidatePodTemplateSpecForReplicaSet, which deployments use as well; an empty selector matches what it likes. */
export function replicatedTemplate(errors: FieldError[], spec: Json, selector: LabelSelector, path: string): void {
  const template = record(spec['template']);
  if (!isEmptySelector(spec['selector'])) templateLabelsMatch(errors, selector, template, path);
  validatePodTemplate(errors, template, path);
  const pod = record(template?.['spec']);
  if (number(spec['replicas']) > 1) validateSharedDisks(errors, pod?.['volumes'], `${path}.spec.volumes`);
  runsForever(errors, pod, path, 'ReplicaSet');
}

/** Pods that are replaced for ever: they restart always and have no deadline. */
export function runsForever(errors: FieldError[], pod: Json | undefined, path: string, owner: string): void {
  const policy = text(pod?.['restartPolicy']);
  if (policy !== 'Always') errors.push(FieldError.notSupported(`${path}.spec.restartPolicy`, policy, ['Always']));
  if (pod?.['activeDeadlineSeconds'] !== undefined)
    errors.push(FieldError.forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${owner} is not Supported`));
}

export function immutableSelector(next: KubeObject, current: KubeObject): readonly FieldError[] {
  const [ours, theirs] = [specOf(next)['selector'], specOf(current)['selector']];
  if (isDeepEqual(ours, theirs)) return [];
  return [FieldError.invalidOf('spec.selector', 'v1.LabelSelector', ours, IS_IMMUTABLE)];
}

export const templateOf = (object: KubeObject): Json | undefined => record(specOf(object)['template']);

export const statusOf = (object: KubeObject): Json => record((object as unknown as Json)['status']) ?? {};

/** Counts of a status: none is negative, and those of `parts` are parts of the replicas. */
export function statusCounts(errors: FieldError[], status: Json, fields: readonly string[], parts: readonly string[]): void {
  for (const field of fields) nonNegative(errors, `status.${field}`, status[field]);
  for (const field of parts) {
    if (number(status[field]) > number(status['replicas']))
      errors.push(FieldError.invalid(`status.${field}`, number(status[field]), 'cannot be greater than status.replicas'));
  }
}

export function availableAmongReady(errors: FieldError[], status: Json): void {
  const available = number(status['availableReplicas']);
  if (available > number(status['readyReplicas']))
    errors.push(FieldError.invalid('status.availableReplicas', available, 'cannot be greater than readyReplicas'));
}

export function collisionsOnlyGrow(errors: FieldError[], next: Json, current: Json): void {
  const before = current['collisionCount'];
  if (typeof before !== 'number') return;
  const now = next['collisionCount'];
  if (typeof now !== 'number' || now < before)
    errors.push(FieldError.invalid('status.collisionCount', number(now), 'cannot be decremented'));
}

/** Annotations are part of what a deployment is asked to be: a change of them counts as one of the spec. */
export function annotationsBumpGeneration(next: KubeObject, current: KubeObject): void {
  const [ours, theirs] = [next.metadata.annotations, current.metadata.annotations];
  if (isDeepEqual(ours, theirs) || (!hasMembers(ours) && !hasMembers(theirs))) return;
  (next.metadata as { generation?: number }).generation = (current.metadata.generation ?? 0) + 1;
}
