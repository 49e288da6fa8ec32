// Models the describers of volumes, claims, storage classes and CSI nodes.

import type { Context } from '../context.ts';
import { at } from '../commands/common.ts';
import { ageSince } from '../flags/duration.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { volumeLines } from './volumes.ts';
import { eventsOf, writeEvents } from './events.ts';
import { labelsText, objects, text } from './values.ts';
import { DescribeWriter, startWithLabels, writeAnnotations, writeLabels } from './writer.ts';

export async function describePersistentVolume(context: Context, volume: JsonObject, showEvents: boolean): Promise<string> {
  const writer = startWithLabels(volume, { withNamespace: false });
  const spec = (...path: readonly string[]): unknown => at(volume, 'spec', ...path);
  writer.line(0, `Finalizers:\t${listText(at(volume, 'metadata', 'finalizers'))}`);
  writer.line(0, `StorageClass:\t${text(spec('storageClassName'))}`);
  writer.line(0, `Status:\t${statusOf(context, volume)}`);
  const claim = spec('claimRef');
  writer.line(0, `Claim:\t${isObject(claim) ? `${text(claim['namespace'])}/${text(claim['name'])}` : ''}`);
  writer.line(0, `Reclaim Policy:\t${text(spec('persistentVolumeReclaimPolicy'))}`);
  writer.line(0, `Access Modes:\t${accessModes(spec('accessModes'))}`);
  if (spec('volumeMode') !== undefined) writer.line(0, `VolumeMode:\t${text(spec('volumeMode'))}`);
  writer.line(0, `Capacity:\t${text(spec('capacity', 'storage') ?? 0)}`);
  writeNodeAffinity(writer, spec('nodeAffinity', 'required'));
  writer.line(0, `Message:\t${text(at(volume, 'status', 'message'))}`);
  writer.line(0, 'Source:');
  const lines = volumeLines(isObject(volume['spec']) ? volume['spec'] : {});
  for (const line of lines) writer.line(line === '<unknown>' ? 1 : 2, line);
  if (showEvents) writeEvents(context, writer, await eventsOf(context, volume));
  return writer.toString();
}

export async function describeClaim(context: Context, claim: JsonObject): Promise<string> {
  const writer = new DescribeWriter(context.zone);
  const name = text(at(claim, 'metadata', 'name'));
  const namespace = text(at(claim, 'metadata', 'namespace'));
  writer.line(0, `Name:\t${name}`);
  writer.line(0, `Namespace:\t${namespace}`);
  writer.line(0, `StorageClass:\t${text(at(claim, 'spec', 'storageClassName'))}`);
  writer.line(0, `Status:\t${statusOf(context, claim)}`);
  const volume = text(at(claim, 'spec', 'volumeName'));
  writer.line(0, `Volume:\t${volume}`);
  writeLabels(writer, 0, 'Labels', at(claim, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(claim, 'metadata', 'annotations'));
  writer.line(0, `Finalizers:\t${listText(at(claim, 'metadata', 'finalizers'))}`);
  writer.line(0, `Capacity:\t${volume === '' ? '' : text(at(claim, 'status', 'capacity', 'storage') ?? 0)}`);
  writer.line(0, `Access Modes:\t${volume === '' ? '' : accessModes(at(claim, 'status', 'accessModes'))}`);
  if (at(claim, 'spec', 'volumeMode') !== undefined) writer.line(0, `VolumeMode:\t${text(at(claim, 'spec', 'volumeMode'))}`);
  const source = at(claim, 'spec', 'dataSource');
  if (isObject(source)) {
    writer.line(0, 'DataSource:');
    if (source['apiGroup'] !== undefined) writer.line(1, `APIGroup:\t${text(source['apiGroup'])}`);
    writer.line(1, `Kind:\t${text(source['kind'])}`);
    writer.line(1, `Name:\t${text(source['name'])}`);
  }
  const users = await podsUsing(context, namespace, name);
  writer.write(0, 'Used By:\t');
  if (users.length === 0) writer.line(0, '<none>');
  users.forEach((user, index) => writer.line(0, `${index === 0 ? '' : '\t'}${user}`));
  const conditions = objects(at(claim, 'status', 'conditions'));
  if (conditions.length > 0) {
    writer.line(0, 'Conditions:');
    writer.line(1, 'Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage');
    writer.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
    for (const condition of conditions) {
      const times = ['lastProbeTime', 'lastTransitionTime'].map((key) => writer.time(condition[key] ?? '0001-01-01T00:00:00Z'));
      writer.line(
        1,
        `${text(condition['type'])} \t${text(condition['status'])} \t${times.join(' \t')} \t${text(condition['reason'])} \t${text(condition['message'])}`,
      );
    }
  }
  // Events are shown whatever --show-events says.
  writeEvents(context, writer, await eventsOf(context, claim));
  return writer.toString();
}

export async function describeStorageClass(context: Context, storageClass: JsonObject, showEvents: boolean): Promise<string> {
  const writer = new DescribeWriter(context.zone);
  const annotations = at(storageClass, 'metadata', 'annotations');
  const isDefault = ['', 'beta.'].some((beta) => at(annotations, `storageclass.${beta}kubernetes.io/is-default-class`) === 'true');
  writer.line(0, `Name:\t${text(at(storageClass, 'metadata', 'name'))}`);
  writer.line(0, `IsDefaultClass:\t${isDefault ? 'Yes' : 'No'}`);
  writer.line(0, `Annotations:\t${labelsText(annotations)}`);
  writer.line(0, `Provisioner:\t${text(storageClass['provisioner'])}`);
  writer.line(0, `Parameters:\t${labelsText(storageClass['parameters'])}`);
  const expansion = storageClass['allowVolumeExpansion'];
  writer.line(0, `AllowVolumeExpansion:\t${expansion === undefined ? '<unset>' : expansion === true ? 'True' : 'False'}`);
  const options = Array.isArray(storageClass['mountOptions']) ? (storageClass['mountOptions'] as unknown[]) : [];
  writer.line(0, options.length === 0 ? 'MountOptions:\t<none>' : 'MountOptions:');
  for (const option of options) writer.line(1, text(option));
  for (const [title, key] of [
    ['ReclaimPolicy', 'reclaimPolicy'],
    ['VolumeBindingMode', 'volumeBindingMode'],
  ] as const)
    if (storageClass[key] !== undefined) writer.line(0, `${title}:\t${text(storageClass[key])}`);
  if (Array.isArray(storageClass['allowedTopologies'])) {
    writer.line(0, 'AllowedTopologies:\t');
    objects(storageClass['allowedTopologies']).forEach((term, index) =>
      writeTerm(writer, 1, `Term ${index}`, objects(term['matchLabelExpressions'])),
    );
  }
  if (showEvents) writeEvents(context, writer, await eventsOf(context, storageClass));
  return writer.toString();
}

export async function describeCsiNode(context: Context, node: JsonObject, showEvents: boolean): Promise<string> {
  const writer = startWithLabels(node, { withNamespace: false, zone: context.zone });
  writer.line(0, `CreationTimestamp:\t${writer.time(at(node, 'metadata', 'creationTimestamp'))}`);
  writer.line(0, 'Spec:');
  const drivers = at(node, 'spec', 'drivers');
  if (Array.isArray(drivers)) writer.line(1, 'Drivers:');
  for (const driver of objects(drivers)) {
    writer.line(2, `${text(driver['name'])}:`);
    writer.line(3, `Node ID:\t${text(driver['nodeID'])}`);
    const count = at(driver, 'allocatable', 'count');
    if (count !== undefined) {
      writer.line(3, 'Allocatables:');
      writer.line(4, `Count:\t${text(count)}`);
    }
    if (Array.isArray(driver['topologyKeys'])) writer.line(3, `Topology Keys:\t${listText(driver['topologyKeys'])}`);
  }
  if (showEvents) writeEvents(context, writer, await eventsOf(context, node));
  return writer.toString();
}

function statusOf(context: Context, object: JsonObject): string {
  const deleted = at(object, 'metadata', 'deletionTimestamp');
  return typeof deleted === 'string' ? `Terminating (lasts ${ageSince(deleted, context.now())})` : text(at(object, 'status', 'phase'));
}

async function podsUsing(context: Context, namespace: string, claim: string): Promise<readonly string[]> {
  const pods = await context.rest.json<JsonObject>('GET', `/api/v1/namespaces/${namespace}/pods`);
  return objects(pods['items'])
    .filter((pod) => objects(at(pod, 'spec', 'volumes')).some((volume) => at(volume, 'persistentVolumeClaim', 'claimName') === claim))
    .map((pod) => text(at(pod, 'metadata', 'name')))
    .sort();
}

const SHORT_MODES: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX' };

function accessModes(modes: unknown): string {
  const given = Array.isArray(modes) ? (modes as unknown[]).map(text) : [];
  return Object.keys(SHORT_MODES)
    .filter((mode) => given.includes(mode))
    .map((mode) => SHORT_MODES[mode]!)
    .join(',');
}

function writeNodeAffinity(writer: DescribeWriter, required: unknown): void {
  if (!isObject(required)) {
    writer.line(0, 'Node Affinity:\t<none>');
    return;
  }
  writer.line(0, 'Node Affinity:\t');
  const terms = objects(required['nodeSelectorTerms']);
  writer.line(1, `Required Terms:\t${terms.length === 0 ? '<none>' : ''}`);
  terms.forEach((term, index) => writeTerm(writer, 2, `Term ${index}`, objects(term['matchExpressions'])));
}

function writeTerm(writer: DescribeWriter, level: number, title: string, requirements: readonly JsonObject[]): void {
  writer.write(level, `${title}:\t`);
  if (requirements.length === 0) writer.line(0, '<none>');
  requirements.forEach((requirement, index) => {
    const values = Array.isArray(requirement['values']) ? (requirement['values'] as unknown[]).map(text) : [];
    const shown = `${text(requirement['key'])} ${text(requirement['operator'] ?? 'In').toLowerCase()}${values.length === 0 ? '' : ` [${values.join(', ')}]`}`;
    writer.write(index === 0 ? 0 : level, `${index === 0 ? '' : '\t'}${shown}\n`);
  });
}

function listText(value: unknown): string {
  return `[${Array.isArray(value) ? (value as unknown[]).map(text).join(' ') : ''}]`;
}
