// Deployment.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { ageOf } from '../../machinery/time.ts';
import type { Deployment } from '../../machinery/types.ts';
import { selectorCell, templateCells, WORKLOAD_COLUMNS } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults, specOf } from '../object-access.ts';
import { immutableSelector, validateWorkload } from './workload-validation.ts';

export const DEPLOYMENT: ResourceDefinition = defineResource<Deployment>({
  group: 'apps',
  version: 'v1',
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  hasScale: true,
  strategy: {
    setDefaults(deployment) {
      const spec = specOf(deployment);
      defaults(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
      if (!isRecord(spec['strategy'])) spec['strategy'] = {};
      const strategy = spec['strategy'] as Json;
      defaults(strategy, { type: 'RollingUpdate' });
      if (strategy['type'] === 'RollingUpdate') {
        if (!isRecord(strategy['rollingUpdate'])) strategy['rollingUpdate'] = {};
        defaults(strategy['rollingUpdate'] as Json, { maxUnavailable: '25%', maxSurge: '25%' });
      }
      spec['template'] ??= {};
      defaultPodTemplate(spec['template']);
    },
    prepareForCreate(deployment) {
      Object.assign(deployment, { status: {} });
    },
    validate: (deployment) => validateDeployment(deployment),
    validateUpdate: (next, current) => [...validateDeployment(next), ...immutableSelector(next, current)],
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Ready', type: 'string', description: 'Number of the pod with ready state' },
      {
        name: 'Up-to-date',
        type: 'string',
        description: 'Total number of non-terminated pods targeted by this deployment that have the desired template spec.',
      },
      {
        name: 'Available',
        type: 'string',
        description: 'Total number of available pods (ready for at least minReadySeconds) targeted by this deployment.',
      },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
      status?.updatedReplicas ?? 0,
      status?.availableReplicas ?? 0,
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
      selectorCell(spec?.selector),
    ],
  },
});

function validateDeployment(deployment: Deployment): readonly FieldError[] {
  const errors = validateWorkload(deployment, { needsAlwaysRestart: true, kindOfSelector: 'deployment' });
  const spec = specOf(deployment);
  const strategy = spec['strategy'] as Json;
  if (strategy['type'] === 'Recreate' && strategy['rollingUpdate'] !== undefined) {
    errors.push(FieldError.forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"));
  } else if (strategy['type'] !== 'Recreate' && strategy['type'] !== 'RollingUpdate') {
    errors.push(FieldError.notSupported('spec.strategy', spec['strategy'], ['Recreate', 'RollingUpdate']));
  } else if (isRecord(strategy['rollingUpdate'])) {
    const { maxSurge, maxUnavailable } = strategy['rollingUpdate'];
    if (isZeroAmount(maxSurge) && isZeroAmount(maxUnavailable)) {
      errors.push(FieldError.invalid('spec.strategy.rollingUpdate.maxUnavailable', maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    }
  }
  const deadline = Number(spec['progressDeadlineSeconds'] ?? 0);
  const minimum = Number(spec['minReadySeconds'] ?? 0);
  if (deadline <= minimum)
    errors.push(FieldError.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  return errors;
}

function isZeroAmount(amount: unknown): boolean {
  return amount === 0 || amount === '0%' || amount === '0';
}
