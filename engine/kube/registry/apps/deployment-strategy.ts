// What happens to deployments on their way into the store (pkg/registry/apps/deployment).

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import type { Deployment } from '../../machinery/types.ts';
import { amountOf, countOrPercent, nonNegative, notMoreThanAll, number, record, text } from '../checks.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { dropDisabledTemplateFields } from '../core/pod-fields.ts';
import type { Json, Strategy } from '../definition.ts';
import { specOf } from '../object-access.ts';
import * as workload from './workload-validation.ts';

export const DEPLOYMENT_STRATEGY: Strategy<Deployment> = {
  setDefaults: (deployment) => setDefaults(specOf(deployment)),
  prepareForCreate(deployment) {
    Object.assign(deployment, { status: {} });
    dropDisabledTemplateFields(workload.templateOf(deployment), undefined);
  },
  validate(deployment) {
    const errors: FieldError[] = [];
    validateSpec(errors, specOf(deployment));
    return errors;
  },
  prepareForUpdate(next, current) {
    dropDisabledTemplateFields(workload.templateOf(next), workload.templateOf(current));
    workload.annotationsBumpGeneration(next, current);
  },
  validateUpdate(next, current, meta) {
    const errors = [...meta.update];
    validateSpec(errors, specOf(next));
    errors.push(...workload.immutableSelector(next, current));
    return errors;
  },
  prepareForStatusUpdate(next, current) {
    const { metadata } = next;
    if (current.metadata.labels === undefined) delete metadata.labels;
    else metadata.labels = current.metadata.labels;
  },
  validateStatusUpdate(next, current, meta) {
    const errors = [...meta.update];
    const status = workload.statusOf(next);
    workload.statusCounts(errors, status, COUNTS, ['updatedReplicas', 'readyReplicas', 'availableReplicas']);
    workload.availableAmongReady(errors, status);
    workload.collisionsOnlyGrow(errors, status, workload.statusOf(current));
    return errors;
  },
};

const COUNTS = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'collisionCount',
];

function setDefaults(spec: Json): void {
  spec['replicas'] ??= 1;
  spec['revisionHistoryLimit'] ??= 10;
  spec['progressDeadlineSeconds'] ??= 600;
  if (!isRecord(spec['strategy'])) spec['strategy'] = {};
  const strategy = spec['strategy'] as Json;
  if (text(strategy['type']) === '') strategy['type'] = 'RollingUpdate';
  if (strategy['type'] === 'RollingUpdate') {
    if (!isRecord(strategy['rollingUpdate'])) strategy['rollingUpdate'] = {};
    const rolling = strategy['rollingUpdate'] as Json;
    rolling['maxUnavailable'] ??= '25%';
    rolling['maxSurge'] ??= '25%';
  }
  spec['template'] ??= {};
  defaultPodTemplate(spec['template']);
}

function validateSpec(errors: FieldError[], spec: Json): void {
  nonNegative(errors, 'spec.replicas', spec['replicas']);
  workload.neededSelector(errors, spec['selector'], 'deployment');
  const selector = workload.usableSelector(errors, spec['selector'], 'invalid label selector');
  if (selector !== undefined) workload.replicatedTemplate(errors, spec, selector, 'spec.template');
  validateStrategy(errors, record(spec['strategy']) ?? {}, 'spec.strategy');
  nonNegative(errors, 'spec.minReadySeconds', spec['minReadySeconds']);
  nonNegative(errors, 'spec.revisionHistoryLimit', spec['revisionHistoryLimit']);
  const deadline = spec['progressDeadlineSeconds'];
  if (typeof deadline !== 'number') return;
  nonNegative(errors, 'spec.progressDeadlineSeconds', deadline);
  if (deadline <= number(spec['minReadySeconds']))
    errors.push(FieldError.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
}

function validateStrategy(errors: FieldError[], strategy: Json, path: string): void {
  const rolling = record(strategy['rollingUpdate']);
  switch (strategy['type']) {
    case 'Recreate':
      if (rolling !== undefined)
        errors.push(FieldError.forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'"));
      return;
    case 'RollingUpdate':
      if (rolling === undefined) errors.push(FieldError.required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil'));
      else rollingUpdate(errors, rolling, `${path}.rollingUpdate`);
      return;
    default:
      errors.push(FieldError.notSupportedOf(path, 'apps.DeploymentStrategy', strategy, ['Recreate', 'RollingUpdate']));
  }
}

function rollingUpdate(errors: FieldError[], { maxUnavailable, maxSurge }: Json, path: string): void {
  countOrPercent(errors, `${path}.maxUnavailable`, maxUnavailable);
  countOrPercent(errors, `${path}.maxSurge`, maxSurge);
  if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) {
    const why = 'may not be 0 when `maxSurge` is 0';
    errors.push(FieldError.invalidOf(`${path}.maxUnavailable`, 'intstr.IntOrString', maxUnavailable ?? 0, why));
  }
  notMoreThanAll(errors, `${path}.maxUnavailable`, maxUnavailable);
}
