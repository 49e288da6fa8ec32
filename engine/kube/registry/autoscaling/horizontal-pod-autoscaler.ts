// HorizontalPodAutoscaler.

import type { FieldError } from '../../machinery/field-errors.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { nonNegative } from '../checks.ts';
import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ApiObject, type ResourceDefinition } from '../definition.ts';
import { specOf } from '../object-access.ts';
import type { Metric, Value } from './hpa-metrics.ts';
import { validateAutoscaler } from './hpa-validation.ts';
import {
  autoscalerFromV2beta1,
  autoscalerFromV2beta2,
  autoscalerToV2beta1,
  autoscalerToV2beta2,
  currentMetricsOf,
  defaultTarget,
  keepAnnotations,
  metricsOf,
  SPEC_ANNOTATIONS,
  STATUS_ANNOTATIONS,
} from './hpa-versions.ts';

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
  alsoServedAs: [
    { group: 'autoscaling', version: 'v2beta1', toStorage: autoscalerFromV2beta1, fromStorage: autoscalerToV2beta1 },
    { group: 'autoscaling', version: 'v2beta2', toStorage: autoscalerFromV2beta2, fromStorage: autoscalerToV2beta2 },
  ],
  strategy: {
    setDefaults: (scaler) => {
      specOf(scaler)['minReplicas'] ??= 1;
      defaultTarget(scaler as ApiObject);
    },
    prepareForCreate(scaler) {
      scaler.status = { currentReplicas: 0, desiredReplicas: 0 };
      keepAnnotations(scaler as ApiObject, undefined, STATUS_ANNOTATIONS);
    },
    prepareForUpdate: (next, current) => keepAnnotations(next as ApiObject, current as ApiObject, STATUS_ANNOTATIONS),
    prepareForStatusUpdate: (next, current) => keepAnnotations(next as ApiObject, current as ApiObject, SPEC_ANNOTATIONS),
    validate(scaler) {
      const errors: FieldError[] = [];
      validateAutoscaler(errors, scaler as ApiObject);
      return errors;
    },
    validateUpdate(next, _current, meta) {
      const errors = [...meta.update];
      validateAutoscaler(errors, next as ApiObject);
      return errors;
    },
    validateStatusUpdate(next, _current, meta) {
      const errors = [...meta.update];
      for (const field of ['currentReplicas', 'desiredReplicas'] as const) nonNegative(errors, `status.${field}`, next.status?.[field]);
      return errors;
    },
  },
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Reference', 'What is scaled.'),
      textColumn('Targets', 'What the metrics are at, and should be at.'),
      textColumn('MinPods', 'Lower limit of replicas.'),
      textColumn('MaxPods', 'Upper limit of replicas.'),
      textColumn('Replicas', 'Current replicas.'),
      AGE_COLUMN,
    ],
    cells: (scaler, nowMs) => [
      scaler.metadata.name,
      `${scaler.spec?.scaleTargetRef?.kind ?? ''}/${scaler.spec?.scaleTargetRef?.name ?? ''}`,
      targetsCell(metricsOf(scaler as ApiObject), currentMetricsOf(scaler as ApiObject)),
      String(scaler.spec?.minReplicas ?? '<unset>'),
      scaler.spec?.maxReplicas ?? 0,
      scaler.status?.currentReplicas ?? 0,
      ageCell(scaler, nowMs),
    ],
  },
});

/** More metrics than this are only counted. */
const SHOWN_METRICS = 2;

function targetsCell(metrics: readonly Metric[], statuses: readonly Metric[]): string {
  if (metrics.length === 0) return '<none>';
  const list = metrics.slice(0, SHOWN_METRICS).map((metric, index) => targetOf(metric, statuses[index]));
  const rest = metrics.length - SHOWN_METRICS;
  return `${list.join(', ')}${rest > 0 ? ` + ${rest} more...` : ''}`;
}

function targetOf(metric: Metric, status: Metric | undefined): string {
  switch (metric.type) {
    case 'External':
      return amounts(metric.external?.target, status?.external?.current);
    case 'Object':
      return amounts(metric.object?.target, status?.object?.current);
    case 'Pods':
      return `${status?.pods?.current?.averageValue ?? '<unknown>'}/${metric.pods?.target?.averageValue ?? '0'}`;
    case 'Resource':
      return utilization(metric.resource?.target, status?.resource?.current);
    case 'ContainerResource':
      return utilization(metric.containerResource?.target, status?.containerResource?.current);
    default:
      return '<unknown type>';
  }
}

function amounts(target: Value | undefined, current: Value | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`;
  return `${current?.value ?? '<unknown>'}/${target?.value ?? '0'}`;
}

function utilization(target: Value | undefined, current: Value | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`;
  const percent = (value: number | undefined, none: string): string => (value === undefined ? none : `${value}%`);
  return `${percent(current?.averageUtilization, '<unknown>')}/${percent(target?.averageUtilization, '<auto>')}`;
}
