// Autoscalers between their versions. Stored is v1; what v1 has no field for goes into annotations, as upstream writes them.

import { isRecord } from '../../machinery/deep.ts';
import { DecodeError, normalize } from '../../machinery/schema/codec.ts';
import type { ApiObject, Json } from '../definition.ts';
import { foldMetrics, unfoldMetrics, type Metric } from './hpa-metrics.ts';

const PREFIX = 'autoscaling.alpha.kubernetes.io/';
const METRICS = `${PREFIX}metrics`;
const BEHAVIOR = `${PREFIX}behavior`;
const CURRENT_METRICS = `${PREFIX}current-metrics`;
const CONDITIONS = `${PREFIX}conditions`;
/** Annotations that stand for parts of the spec, and of the status. */
export const SPEC_ANNOTATIONS = [METRICS, BEHAVIOR];
export const STATUS_ANNOTATIONS = [CURRENT_METRICS, CONDITIONS];
const ALL_ANNOTATIONS = [...SPEC_ANNOTATIONS, ...STATUS_ANNOTATIONS];

const DEFAULT_CPU_UTILIZATION = 80;
const DEFAULT_METRIC: Metric = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: DEFAULT_CPU_UTILIZATION } },
};

type Annotations = Readonly<Record<string, string>>;

const partOf = (object: ApiObject, part: 'spec' | 'status'): Json => (isRecord(object[part]) ? object[part] : {});

/** What an annotation stands for; undefined when there is none, or nothing that fits. */
function parsed(annotations: Annotations | undefined, name: string): unknown {
  const text = annotations?.[name];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (name === BEHAVIOR) return normalize('autoscaling/v2beta2.HorizontalPodAutoscalerBehavior', behaviorFromGo(value) ?? {});
    return Array.isArray(value)
      ? (value as unknown[]).map((element) => normalize(ELEMENTS[name]!, isRecord(element) ? element : {}))
      : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

/** Types of the elements of lists in annotations. */
const ELEMENTS: Readonly<Record<string, string>> = {
  [METRICS]: 'autoscaling/v1.MetricSpec',
  [CURRENT_METRICS]: 'autoscaling/v1.MetricStatus',
  [CONDITIONS]: 'autoscaling/v1.HorizontalPodAutoscalerCondition',
};

function withAnnotations(object: ApiObject, given: Annotations | undefined, added: Annotations = {}): ApiObject {
  const { annotations: _, ...metadata } = object.metadata;
  const others = Object.fromEntries(Object.entries(given ?? {}).filter(([name]) => !ALL_ANNOTATIONS.includes(name)));
  const annotations = { ...others, ...added };
  return { ...object, metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) } } as ApiObject;
}

/** The metrics that a stored autoscaler looks at, in v2beta2's form. */
export function metricsOf(object: ApiObject): readonly Metric[] {
  const target = partOf(object, 'spec')['targetCPUUtilizationPercentage'];
  const others = unfoldMetrics(parsed(object.metadata.annotations, METRICS), false);
  if (typeof target !== 'number') return others;
  return [...others, { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } }];
}

/** What the metrics are at. */
/** What the annotations say of how it scales; undefined when they say nothing. */
export function behaviorOf(object: ApiObject): Json | undefined {
  return parsed(object.metadata.annotations, BEHAVIOR) as Json | undefined;
}

export function currentMetricsOf(object: ApiObject): readonly Metric[] {
  const kept = parsed(object.metadata.annotations, CURRENT_METRICS);
  if (kept !== undefined) return unfoldMetrics(kept, true);
  const current = partOf(object, 'status')['currentCPUUtilizationPercentage'];
  if (typeof current !== 'number') return [];
  return [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } }];
}

/** Stored (v1) to v2beta2. */
export function autoscalerToV2beta2(object: ApiObject): ApiObject {
  const { targetCPUUtilizationPercentage: _target, ...spec } = partOf(object, 'spec');
  const { currentCPUUtilizationPercentage: _current, ...status } = partOf(object, 'status');
  const { annotations } = object.metadata;
  const behavior = parsed(annotations, BEHAVIOR) as Json | undefined;
  const currentMetrics = currentMetricsOf(object);
  const conditions = parsed(annotations, CONDITIONS);
  return {
    ...withAnnotations(object, annotations),
    spec: { ...spec, metrics: metricsOf(object), ...(behavior === undefined ? {} : { behavior }) },
    status: {
      ...status,
      currentMetrics: currentMetrics.length === 0 ? null : currentMetrics,
      conditions: conditions ?? null,
    },
  };
}

/** v2beta2 to what is stored (v1), with v2beta2's defaults. */
export function autoscalerFromV2beta2(object: ApiObject): ApiObject {
  const { metrics, behavior, ...spec } = partOf(object, 'spec');
  const { currentMetrics, conditions, ...status } = partOf(object, 'status');
  return stored(object, {
    spec,
    status,
    metrics: (metrics ?? []) as readonly Metric[],
    behavior: isRecord(behavior) ? withBehaviorDefaults(behavior) : undefined,
    currentMetrics: (currentMetrics ?? []) as readonly Metric[],
    conditions: (conditions ?? []) as readonly unknown[],
  });
}

/** Stored (v1) to v2beta1, which knows no behaviour: that stays an annotation. */
export function autoscalerToV2beta1(object: ApiObject): ApiObject {
  const converted = autoscalerToV2beta2(object);
  const { metrics, behavior, ...spec } = converted['spec'] as Json & { metrics: readonly Metric[] };
  const { currentMetrics, ...status } = converted['status'] as Json & { currentMetrics: readonly Metric[] | null };
  const kept = isRecord(behavior) ? { [BEHAVIOR]: JSON.stringify(behaviorToGo(behavior)) } : {};
  return {
    ...withAnnotations(converted, converted.metadata.annotations, kept),
    spec: { ...spec, metrics: foldMetrics(metrics, false) },
    status: { ...status, currentMetrics: currentMetrics === null ? null : foldMetrics(currentMetrics, true) },
  };
}

export function autoscalerFromV2beta1(object: ApiObject): ApiObject {
  const { metrics, ...spec } = partOf(object, 'spec');
  const { currentMetrics, conditions, ...status } = partOf(object, 'status');
  return stored(object, {
    spec,
    status,
    metrics: unfoldMetrics(metrics, false),
    behavior: parsed(object.metadata.annotations, BEHAVIOR) as Json | undefined,
    currentMetrics: unfoldMetrics(currentMetrics, true),
    conditions: (conditions ?? []) as readonly unknown[],
  });
}

interface Parts {
  readonly spec: Json;
  readonly status: Json;
  readonly metrics: readonly Metric[];
  readonly behavior: Json | undefined;
  readonly currentMetrics: readonly Metric[];
  readonly conditions: readonly unknown[];
}

const isCpu = (metric: Metric): boolean => metric.type === 'Resource' && metric.resource?.name === 'cpu';

function stored(object: ApiObject, given: Parts): ApiObject {
  const metrics = given.metrics.length === 0 ? [DEFAULT_METRIC] : given.metrics;
  const target = metrics.find(isCpu)?.resource?.target?.averageUtilization;
  const others = metrics.filter((metric) => !isCpu(metric) || metric.resource?.target?.averageUtilization === undefined);
  const current = given.currentMetrics.filter(isCpu).at(-1)?.resource?.current?.averageUtilization;
  const added = {
    ...(others.length === 0 ? {} : { [METRICS]: JSON.stringify(foldMetrics(others, false)) }),
    ...(given.behavior === undefined ? {} : { [BEHAVIOR]: JSON.stringify(behaviorToGo(given.behavior)) }),
    ...(given.currentMetrics.length === 0 ? {} : { [CURRENT_METRICS]: JSON.stringify(foldMetrics(given.currentMetrics, true)) }),
    ...(given.conditions.length === 0 ? {} : { [CONDITIONS]: JSON.stringify(given.conditions) }),
  };
  return {
    ...withAnnotations(object, object.metadata.annotations, added),
    spec: { ...given.spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: { ...given.status, ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }) },
  };
}

/** A v1 autoscaler that names no metric at all looks at the CPU. */
export function defaultTarget(object: ApiObject): void {
  if (metricsOf(object).length > 0) return;
  const spec = partOf(object, 'spec');
  spec['targetCPUUtilizationPercentage'] = DEFAULT_CPU_UTILIZATION;
  object['spec'] = spec;
}

/** Annotations `names` as `current` has them: what a write may not touch. */
export function keepAnnotations(next: ApiObject, current: ApiObject | undefined, names: readonly string[]): void {
  const before = current?.metadata.annotations;
  const { annotations } = next.metadata;
  if (!names.some((name) => annotations?.[name] !== before?.[name])) return;
  const kept = Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => !names.includes(name)));
  for (const name of names) if (before?.[name] !== undefined) kept[name] = before[name];
  if (Object.keys(kept).length === 0) delete next.metadata.annotations;
  else next.metadata.annotations = kept;
}

const SCALE_UP = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const SCALE_DOWN = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

function withBehaviorDefaults(behavior: Json): Json {
  const rules = (given: unknown, defaults: Json): Json => ({
    ...defaults,
    ...Object.fromEntries(Object.entries(isRecord(given) ? given : {}).filter(([, value]) => value !== undefined && value !== null)),
  });
  return { scaleUp: rules(behavior['scaleUp'], SCALE_UP), scaleDown: rules(behavior['scaleDown'], SCALE_DOWN) };
}

/** The annotation is written from Go's own type, which has no names for JSON: members are called as in Go, missing ones null. */
function behaviorToGo(behavior: Json): Json {
  const rules = (given: unknown): Json | null =>
    isRecord(given)
      ? {
          StabilizationWindowSeconds: given['stabilizationWindowSeconds'] ?? null,
          SelectPolicy: given['selectPolicy'] ?? null,
          Policies: policies(given['policies']),
        }
      : null;
  const policies = (list: unknown): unknown =>
    Array.isArray(list)
      ? (list as unknown[])
          .filter(isRecord)
          .map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds }))
      : null;
  return { ScaleUp: rules(behavior['scaleUp']), ScaleDown: rules(behavior['scaleDown']) };
}

function behaviorFromGo(annotation: unknown): Json | undefined {
  if (!isRecord(annotation)) return undefined;
  const lower = (given: unknown): unknown => {
    if (Array.isArray(given)) return given.map(lower);
    if (!isRecord(given)) return given;
    return Object.fromEntries(
      Object.entries(given)
        .filter(([, value]) => value !== null)
        .map(([key, value]) => [`${key.slice(0, 1).toLowerCase()}${key.slice(1)}`, lower(value)]),
    );
  };
  return lower(annotation) as Json;
}
