// HorizontalPodAutoscaler.

import { FieldError } from '../../machinery/field-errors.ts';
import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { specOf } from '../object-access.ts';

type Autoscaler = KubeObject & {
  spec?: {
    scaleTargetRef?: { kind?: string; name?: string };
    minReplicas?: number;
    maxReplicas?: number;
    targetCPUUtilizationPercentage?: number;
  };
  status?: { currentReplicas: number; desiredReplicas: number; currentCPUUtilizationPercentage?: number };
};

export const HORIZONTAL_POD_AUTOSCALER: ResourceDefinition = defineResource<Autoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  strategy: {
    setDefaults: (scaler) => {
      specOf(scaler)['minReplicas'] ??= 1;
    },
    prepareForCreate(scaler) {
      scaler.status = { currentReplicas: 0, desiredReplicas: 0 };
    },
    validate({ spec }) {
      const errors: FieldError[] = [];
      const most = spec?.maxReplicas ?? 0;
      if (most < 1) errors.push(FieldError.invalid('spec.maxReplicas', most, 'must be greater than 0'));
      if (most < (spec?.minReplicas ?? 1))
        errors.push(FieldError.invalid('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`'));
      return errors;
    },
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Reference', type: 'string', description: 'What is scaled.' },
      { name: 'Targets', type: 'string', description: 'Current and wanted metrics.' },
      { name: 'MinPods', type: 'string', description: 'Lower limit of replicas.' },
      { name: 'MaxPods', type: 'string', description: 'Upper limit of replicas.' },
      { name: 'Replicas', type: 'string', description: 'Current replicas.' },
      AGE_COLUMN,
    ],
    cells({ metadata, spec, status }, nowMs) {
      const current = status?.currentCPUUtilizationPercentage;
      const target = spec?.targetCPUUtilizationPercentage;
      return [
        metadata.name,
        `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`,
        target === undefined ? '<none>' : `${current === undefined ? '<unknown>' : `${current}%`}/${target}%`,
        String(spec?.minReplicas ?? '<unset>'),
        spec?.maxReplicas ?? 0,
        status?.currentReplicas ?? 0,
        ageOf(metadata.creationTimestamp, nowMs),
      ];
    },
  },
});
