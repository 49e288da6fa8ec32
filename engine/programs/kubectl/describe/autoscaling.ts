// Models the describer of horizontal pod autoscalers.

import type { Context } from '../context.ts';
import { at } from '../commands/common.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { eventsOf, writeEvents } from './events.ts';
import { objects, text } from './values.ts';
import { startWithLabels, type DescribeWriter } from './writer.ts';

const UNKNOWN = '<unknown>';

/** Whatever version was asked for, autoscaling/v2beta2 is shown: it knows all of it. */
export async function describeAutoscaler(context: Context, given: JsonObject, showEvents: boolean): Promise<string> {
  const { namespace, name } = given['metadata'] as { readonly namespace: string; readonly name: string };
  const autoscaler = await context.rest.json<JsonObject>(
    'GET',
    `/apis/autoscaling/v2beta2/namespaces/${namespace}/horizontalpodautoscalers/${name}`,
  );
  const writer = startWithLabels(autoscaler, { withNamespace: true, zone: context.zone });
  const spec = (...path: readonly string[]): unknown => at(autoscaler, 'spec', ...path);
  const status = (...path: readonly string[]): unknown => at(autoscaler, 'status', ...path);
  writer.line(0, `CreationTimestamp:\t${writer.time(at(autoscaler, 'metadata', 'creationTimestamp'))}`);
  const kind = text(spec('scaleTargetRef', 'kind'));
  writer.line(0, `Reference:\t${kind}/${text(spec('scaleTargetRef', 'name'))}`);
  writer.line(0, 'Metrics:\t( current / target )');
  const current = objects(status('currentMetrics'));
  objects(spec('metrics')).forEach((metric, index) => writeMetric(writer, metric, current[index]));
  writer.line(0, `Min replicas:\t${text(spec('minReplicas') ?? '<unset>')}`);
  writer.line(0, `Max replicas:\t${text(spec('maxReplicas'))}`);
  if (isObject(spec('behavior'))) {
    writer.line(0, 'Behavior:');
    writeDirection(writer, 'Scale Up', spec('behavior', 'scaleUp'));
    writeDirection(writer, 'Scale Down', spec('behavior', 'scaleDown'));
  }
  writer.line(0, `${kind} pods:\t${text(status('currentReplicas') ?? 0)} current / ${text(status('desiredReplicas') ?? 0)} desired`);
  const conditions = objects(status('conditions'));
  if (conditions.length > 0) {
    writer.line(0, 'Conditions:');
    writer.line(1, 'Type\tStatus\tReason\tMessage');
    writer.line(1, '----\t------\t------\t-------');
    for (const condition of conditions)
      writer.line(1, ['type', 'status', 'reason', 'message'].map((key) => text(condition[key])).join('\t'));
  }
  if (showEvents) writeEvents(context, writer, await eventsOf(context, autoscaler));
  return writer.toString();
}

function writeMetric(writer: DescribeWriter, metric: JsonObject, current: JsonObject | undefined): void {
  const now = (source: string, key: string): string => text(at(current, source, 'current', key) ?? UNKNOWN);
  const target = (source: string, key: string): unknown => at(metric, source, 'target', key);
  const line = (value: string): void => writer.line(1, value);
  switch (metric['type']) {
    case 'Resource':
      writeResource(writer, `resource ${text(at(metric, 'resource', 'name'))} on pods`, 'resource', metric, current);
      return;
    case 'ContainerResource': {
      const { name, container } = (metric['containerResource'] ?? {}) as { readonly name?: string; readonly container?: string };
      writeResource(writer, `resource ${text(name)} of container "${text(container)}" on pods`, 'containerResource', metric, current);
      return;
    }
    case 'Pods':
      line(
        `"${text(at(metric, 'pods', 'metric', 'name'))}" on pods:\t${now('pods', 'averageValue')} / ${text(target('pods', 'averageValue'))}`,
      );
      return;
    case 'Object': {
      const described = at(metric, 'object', 'describedObject');
      const head = `"${text(at(metric, 'object', 'metric', 'name'))}" on ${text(at(described, 'kind'))}/${text(at(described, 'name'))}`;
      const isAverage = target('object', 'type') === 'AverageValue';
      const key = isAverage ? 'averageValue' : 'value';
      line(`${head} (target ${isAverage ? 'average ' : ''}value):\t${now('object', key)} / ${text(target('object', key))}`);
      return;
    }
    case 'External': {
      const isAverage = target('external', 'averageValue') !== undefined;
      const key = isAverage ? 'averageValue' : 'value';
      line(
        `"${text(at(metric, 'external', 'metric', 'name'))}" (target ${isAverage ? 'average ' : ''}value):\t${now('external', key)} / ${text(target('external', key))}`,
      );
      return;
    }
    default:
      line(`<unknown metric type ${JSON.stringify(text(metric['type']))}>`);
  }
}

function writeResource(writer: DescribeWriter, title: string, source: string, metric: JsonObject, current: JsonObject | undefined): void {
  const average = at(metric, source, 'target', 'averageValue');
  const value = at(current, source, 'current', 'averageValue');
  if (average !== undefined) {
    writer.line(1, `${title}:\t${text(value ?? UNKNOWN)} / ${text(average)}`);
    return;
  }
  const utilization = at(current, source, 'current', 'averageUtilization');
  const wanted = at(metric, source, 'target', 'averageUtilization');
  writer.line(
    1,
    `${title}  (as a percentage of request):\t${utilization === undefined ? UNKNOWN : `${text(utilization)}% (${text(value)})`} / ${wanted === undefined ? '<auto>' : `${text(wanted)}%`}`,
  );
}

function writeDirection(writer: DescribeWriter, direction: string, rules: unknown): void {
  if (!isObject(rules)) return;
  writer.line(1, `${direction}:`);
  if (rules['stabilizationWindowSeconds'] !== undefined)
    writer.line(2, `Stabilization Window: ${text(rules['stabilizationWindowSeconds'])} seconds`);
  const policies = objects(rules['policies']);
  if (policies.length === 0) return;
  writer.line(2, `Select Policy: ${text(rules['selectPolicy'] ?? 'Max')}`);
  writer.line(2, 'Policies:');
  for (const policy of policies)
    writer.line(3, `- Type: ${text(policy['type'])}\tValue: ${text(policy['value'])}\tPeriod: ${text(policy['periodSeconds'])} seconds`);
}
