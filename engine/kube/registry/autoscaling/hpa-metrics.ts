// Metrics of autoscalers: flat as v2beta1 (and v1's annotations) write them, or in parts as v2beta2 does.

import { isRecord } from '../../machinery/deep.ts';
import type { Json } from '../definition.ts';

/** A metric, or the state of one, in v2beta2's form. */
export interface Metric {
  readonly type: string;
  readonly resource?: ResourceMetric;
  readonly containerResource?: ResourceMetric & { readonly container: string };
  readonly pods?: NamedMetric;
  readonly object?: NamedMetric & { readonly describedObject?: Json };
  readonly external?: NamedMetric;
}
export interface Value {
  readonly type?: string;
  readonly value?: string;
  readonly averageValue?: string;
  readonly averageUtilization?: number;
}
interface ResourceMetric {
  readonly name: string;
  readonly target?: Value;
  readonly current?: Value;
}
interface NamedMetric {
  readonly metric?: { readonly name: string; readonly selector?: unknown };
  readonly target?: Value;
  readonly current?: Value;
}

/** Without the members that are not there. */
function present(values: Json): Json {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));
}

const identifier = (given: Json, selector: string): Json => present({ name: given['metricName'] ?? '', selector: given[selector] });

/** How a flat source of each type becomes parts. `value` is what it aims at or, in a status, what it is at. */
const UNFOLD: Readonly<Record<string, (given: Json, isStatus: boolean) => Json>> = {
  resource: unfoldResource,
  containerResource: (given, isStatus) => ({ ...unfoldResource(given, isStatus), container: given['container'] }),
  pods: (given, isStatus) => ({
    metric: identifier(given, 'selector'),
    ...(isStatus
      ? { current: { averageValue: given['currentAverageValue'] ?? '0' } }
      : { target: { type: 'AverageValue', averageValue: given['targetAverageValue'] ?? '0' } }),
  }),
  object: (given, isStatus) => ({
    metric: identifier(given, 'selector'),
    describedObject: given['target'],
    ...(isStatus
      ? { current: present({ value: given['currentValue'] ?? '0', averageValue: given['averageValue'] }) }
      : {
          target: present({
            type: given['averageValue'] === undefined ? 'Value' : 'AverageValue',
            value: given['targetValue'] ?? '0',
            averageValue: given['averageValue'],
          }),
        }),
  }),
  external: (given, isStatus) => ({
    metric: identifier(given, 'metricSelector'),
    ...(isStatus
      ? { current: present({ value: given['currentValue'] ?? '0', averageValue: given['currentAverageValue'] }) }
      : {
          target: present({
            type: given['targetValue'] === undefined ? 'AverageValue' : 'Value',
            value: given['targetValue'],
            averageValue: given['targetAverageValue'],
          }),
        }),
  }),
};

function unfoldResource(given: Json, isStatus: boolean): Json {
  const { name } = given;
  if (isStatus) {
    const { currentAverageValue: averageValue = '0', currentAverageUtilization: averageUtilization } = given;
    return { name, current: present({ averageValue, averageUtilization }) };
  }
  const { targetAverageValue: averageValue, targetAverageUtilization: averageUtilization } = given;
  const type = averageUtilization === undefined ? 'AverageValue' : 'Utilization';
  return { name, target: present({ type, averageValue, averageUtilization }) };
}

const FOLD: Readonly<Record<string, (given: Json, isStatus: boolean) => Json>> = {
  resource: foldResource,
  containerResource: (given, isStatus) => ({ ...foldResource(given, isStatus), container: given['container'] }),
  pods(given, isStatus) {
    const { averageValue = '0' } = valueOf(given, isStatus);
    const { name, selector } = metricOf(given);
    return present({ metricName: name, [isStatus ? 'currentAverageValue' : 'targetAverageValue']: averageValue, selector });
  },
  object(given, isStatus) {
    const { value = '0', averageValue } = valueOf(given, isStatus);
    const { name, selector } = metricOf(given);
    return present({
      target: given['describedObject'],
      metricName: name,
      [isStatus ? 'currentValue' : 'targetValue']: value,
      selector,
      averageValue,
    });
  },
  external(given, isStatus) {
    const { value, averageValue } = valueOf(given, isStatus);
    const { name, selector } = metricOf(given);
    return present({
      metricName: name,
      metricSelector: selector,
      ...(isStatus
        ? { currentValue: value ?? '0', currentAverageValue: averageValue }
        : { targetValue: value, targetAverageValue: averageValue }),
    });
  },
};

function foldResource(given: Json, isStatus: boolean): Json {
  const { averageValue, averageUtilization } = valueOf(given, isStatus);
  const { name } = given;
  return isStatus
    ? present({ name, currentAverageUtilization: averageUtilization, currentAverageValue: averageValue ?? '0' })
    : present({ name, targetAverageUtilization: averageUtilization, targetAverageValue: averageValue });
}

function valueOf(given: Json, isStatus: boolean): Value {
  const value = given[isStatus ? 'current' : 'target'];
  return isRecord(value) ? value : {};
}

function metricOf(given: Json): { readonly name: unknown; readonly selector: unknown } {
  const { name = '', selector } = isRecord(given['metric']) ? given['metric'] : {};
  return { name, selector };
}

function each(list: unknown, change: Readonly<Record<string, (given: Json, isStatus: boolean) => Json>>, isStatus: boolean): Json[] {
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).filter(isRecord).map((metric) =>
    Object.fromEntries(
      Object.entries(metric).map(([key, source]) => {
        const convert = Object.hasOwn(change, key) ? change[key] : undefined;
        return [key, convert !== undefined && isRecord(source) ? convert(source, isStatus) : source];
      }),
    ),
  );
}

/** From the flat form. */
export function unfoldMetrics(list: unknown, isStatus: boolean): readonly Metric[] {
  return each(list, UNFOLD, isStatus) as unknown as readonly Metric[];
}

/** To the flat form. */
export function foldMetrics(list: readonly Metric[], isStatus: boolean): readonly Json[] {
  return each(list, FOLD, isStatus);
}
