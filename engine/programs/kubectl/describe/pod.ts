// Models the describer of pods, and the part on pod templates that workloads share.

import type { Context } from '../context.ts';
import { ageSince } from '../flags/duration.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { at } from '../commands/common.ts';
import { writeContainers } from './containers.ts';
import { eventsOf, writeEvents } from './events.ts';
import { controllerOf, objects, text } from './values.ts';
import { writeVolumes } from './volumes.ts';
import { DescribeWriter, writeAnnotations, writeLabels } from './writer.ts';

export async function describePod(context: Context, pod: JsonObject, showEvents: boolean): Promise<string> {
  const writer = new DescribeWriter(context.zone);
  const line = (value: string): void => writer.line(0, value);
  line(`Name:\t${text(at(pod, 'metadata', 'name'))}`);
  line(`Namespace:\t${text(at(pod, 'metadata', 'namespace'))}`);
  if (at(pod, 'spec', 'priority') !== undefined) line(`Priority:\t${text(at(pod, 'spec', 'priority'))}`);
  if (text(at(pod, 'spec', 'priorityClassName')) !== '') line(`Priority Class Name:\t${text(at(pod, 'spec', 'priorityClassName'))}`);
  const node = text(at(pod, 'spec', 'nodeName'));
  line(`Node:\t${node === '' ? '<none>' : `${node}/${text(at(pod, 'status', 'hostIP'))}`}`);
  if (at(pod, 'status', 'startTime') !== undefined) line(`Start Time:\t${writer.time(at(pod, 'status', 'startTime'))}`);
  writeLabels(writer, 0, 'Labels', at(pod, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(pod, 'metadata', 'annotations'));
  const deleted = at(pod, 'metadata', 'deletionTimestamp');
  if (typeof deleted === 'string') {
    line(`Status:\tTerminating (lasts ${ageSince(deleted, context.now())})`);
    line(`Termination Grace Period:\t${text(at(pod, 'metadata', 'deletionGracePeriodSeconds') ?? 0)}s`);
  } else line(`Status:\t${text(at(pod, 'status', 'phase'))}`);
  if (text(at(pod, 'status', 'reason')) !== '') line(`Reason:\t${text(at(pod, 'status', 'reason'))}`);
  if (text(at(pod, 'status', 'message')) !== '') line(`Message:\t${text(at(pod, 'status', 'message'))}`);
  line(`IP:\t${text(at(pod, 'status', 'podIP'))}`);
  const addresses = objects(at(pod, 'status', 'podIPs'));
  line(addresses.length === 0 ? 'IPs:\t<none>' : 'IPs:');
  for (const address of addresses) writer.line(1, `IP:\t${text(address['ip'])}`);
  const controller = controllerOf(pod);
  if (controller !== '') line(`Controlled By:\t${controller}`);
  if (text(at(pod, 'status', 'nominatedNodeName')) !== '') line(`NominatedNodeName:\t${text(at(pod, 'status', 'nominatedNodeName'))}`);
  const init = objects(at(pod, 'spec', 'initContainers'));
  if (init.length > 0) writeContainers(writer, 'Init Containers', init, objects(at(pod, 'status', 'initContainerStatuses')), '', pod);
  writeContainers(writer, 'Containers', objects(at(pod, 'spec', 'containers')), objects(at(pod, 'status', 'containerStatuses')), '', pod);
  const conditions = objects(at(pod, 'status', 'conditions'));
  if (conditions.length > 0) {
    writer.write(0, 'Conditions:\n  Type\tStatus\n');
    for (const condition of conditions) writer.line(1, `${text(condition['type'])} \t${text(condition['status'])} `);
  }
  writeVolumes(writer, objects(at(pod, 'spec', 'volumes')), '');
  line(`QoS Class:\t${text(at(pod, 'status', 'qosClass')) || 'BestEffort'}`);
  writeLabels(writer, 0, 'Node-Selectors', at(pod, 'spec', 'nodeSelector'));
  writeTolerations(writer, objects(at(pod, 'spec', 'tolerations')));
  if (showEvents) writeEvents(context, writer, await eventsOf(context, pod));
  return writer.toString();
}

function writeTolerations(writer: DescribeWriter, tolerations: readonly JsonObject[]): void {
  writer.write(0, 'Tolerations:\t');
  if (tolerations.length === 0) writer.write(0, '<none>\n');
  [...tolerations]
    .sort((a, b) => (text(a['key']) < text(b['key']) ? -1 : text(a['key']) > text(b['key']) ? 1 : 0))
    .forEach((toleration, index) => {
      const key = text(toleration['key']);
      const value = text(toleration['value']);
      const effect = text(toleration['effect']);
      const exists = toleration['operator'] === 'Exists' && value === '' ? `${key === '' && effect === '' ? '' : ' '}op=Exists` : '';
      const seconds = toleration['tolerationSeconds'] === undefined ? '' : ` for ${text(toleration['tolerationSeconds'])}s`;
      writer.line(
        0,
        `${index === 0 ? '' : '\t'}${key}${value === '' ? '' : `=${value}`}${effect === '' ? '' : `:${effect}`}${exists}${seconds}`,
      );
    });
}

/** `Pod Template:` of workloads. */
export function writePodTemplate(writer: DescribeWriter, template: unknown): void {
  writer.line(0, 'Pod Template:');
  if (!isObject(template)) {
    writer.write(1, '<unset>');
    return;
  }
  writeLabels(writer, 0, '  Labels', at(template, 'metadata', 'labels'));
  const annotations = at(template, 'metadata', 'annotations');
  if (isObject(annotations) && Object.keys(annotations).length > 0) writeAnnotations(writer, 0, '  Annotations', annotations);
  if (text(at(template, 'spec', 'serviceAccountName')) !== '')
    writer.line(1, `Service Account:\t${text(at(template, 'spec', 'serviceAccountName'))}`);
  const init = objects(at(template, 'spec', 'initContainers'));
  if (init.length > 0) writeContainers(writer, 'Init Containers', init, undefined, '  ');
  writeContainers(writer, 'Containers', objects(at(template, 'spec', 'containers')), undefined, '  ');
  writeVolumes(writer, objects(at(template, 'spec', 'volumes')), '  ');
  if (text(at(template, 'spec', 'priorityClassName')) !== '')
    writer.line(0, `  Priority Class Name:\t${text(at(template, 'spec', 'priorityClassName'))}`);
}
