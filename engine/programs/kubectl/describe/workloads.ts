// Models the describers of deployments, replica sets, daemon sets, stateful sets, jobs and cron jobs.

import type { Context } from '../context.ts';
import { humanDuration } from '../flags/duration.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { labelSelector, listPods } from '../resource/pods-of.ts';
import { equal } from '../resource/strategic-merge.ts';
import { at } from '../commands/common.ts';
import { eventsOf, writeEvents } from './events.ts';
import { writePodTemplate } from './pod.ts';
import { controllerOf, objects, selectorText, text, titleBool } from './values.ts';
import { DescribeWriter, writeAnnotations, writeLabels } from './writer.ts';

export async function describeDeployment(context: Context, deployment: JsonObject, showEvents: boolean): Promise<string> {
  const writer = start(context, deployment, { withNamespace: true, withCreation: true });
  writeLabels(writer, 0, 'Labels', at(deployment, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(deployment, 'metadata', 'annotations'));
  writer.line(0, `Selector:\t${selectorText(at(deployment, 'spec', 'selector'))}`);
  const count = (key: string): string => text(at(deployment, 'status', key) ?? 0);
  writer.line(
    0,
    `Replicas:\t${text(at(deployment, 'spec', 'replicas') ?? 1)} desired | ${count('updatedReplicas')} updated | ${count('replicas')} total | ${count('availableReplicas')} available | ${count('unavailableReplicas')} unavailable`,
  );
  writer.line(0, `StrategyType:\t${text(at(deployment, 'spec', 'strategy', 'type'))}`);
  writer.line(0, `MinReadySeconds:\t${text(at(deployment, 'spec', 'minReadySeconds') ?? 0)}`);
  const rolling = at(deployment, 'spec', 'strategy', 'rollingUpdate');
  if (isObject(rolling))
    writer.line(0, `RollingUpdateStrategy:\t${text(rolling['maxUnavailable'])} max unavailable, ${text(rolling['maxSurge'])} max surge`);
  writePodTemplate(writer, at(deployment, 'spec', 'template'));
  writeConditions(writer, deployment);
  const sets = await replicaSetsOf(context, deployment);
  const current = newReplicaSet(deployment, sets);
  const name = (set: JsonObject): string =>
    `${text(at(set, 'metadata', 'name'))} (${text(at(set, 'status', 'replicas') ?? 0)}/${text(at(set, 'spec', 'replicas') ?? 0)} replicas created)`;
  const old = sets.filter((set) => set !== current && Number(at(set, 'spec', 'replicas') ?? 0) !== 0);
  writer.line(0, `OldReplicaSets:\t${old.length === 0 ? '<none>' : old.map(name).join(', ')}`);
  writer.line(0, `NewReplicaSet:\t${current === undefined ? '<none>' : name(current)}`);
  if (showEvents) writeEvents(context, writer, await eventsOf(context, deployment));
  return writer.toString();
}

/** The replica sets a deployment owns. */
export async function replicaSetsOf(context: Context, deployment: JsonObject): Promise<readonly JsonObject[]> {
  const namespace = text(at(deployment, 'metadata', 'namespace'));
  const selector = labelSelector(at(deployment, 'spec', 'selector'));
  const list = await context.rest.json<JsonObject>(
    'GET',
    `/apis/apps/v1/namespaces/${namespace}/replicasets?labelSelector=${encodeURIComponent(selector)}`,
  );
  const uid = at(deployment, 'metadata', 'uid');
  return objects(list['items']).filter((set) =>
    objects(at(set, 'metadata', 'ownerReferences')).some((owner) => owner['controller'] === true && owner['uid'] === uid),
  );
}

/** The replica set whose template is the deployment's; the oldest when there are more. */
export function newReplicaSet(deployment: JsonObject, sets: readonly JsonObject[]): JsonObject | undefined {
  const wanted = withoutHash(at(deployment, 'spec', 'template'));
  return [...sets]
    .sort((a, b) => Date.parse(text(at(a, 'metadata', 'creationTimestamp'))) - Date.parse(text(at(b, 'metadata', 'creationTimestamp'))))
    .find((set) => equal(withoutHash(at(set, 'spec', 'template')), wanted));
}

export function withoutHash(template: unknown): unknown {
  const labels = at(template, 'metadata', 'labels');
  if (!isObject(template) || !isObject(labels)) return template;
  const { 'pod-template-hash': hash, ...rest } = labels;
  void hash;
  return { ...template, metadata: { ...(template['metadata'] as JsonObject), labels: rest } };
}

export async function describeReplicaSet(context: Context, set: JsonObject, showEvents: boolean): Promise<string> {
  const writer = start(context, set, { withNamespace: true, withCreation: false });
  writer.line(
    0,
    `Selector:\t${set['kind'] === 'ReplicationController' ? selectorText({ matchLabels: at(set, 'spec', 'selector') }) : selectorText(at(set, 'spec', 'selector'))}`,
  );
  writeLabels(writer, 0, 'Labels', at(set, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(set, 'metadata', 'annotations'));
  const controller = controllerOf(set);
  if (controller !== '') writer.line(0, `Controlled By:\t${controller}`);
  writer.line(0, `Replicas:\t${text(at(set, 'status', 'replicas') ?? 0)} current / ${text(at(set, 'spec', 'replicas') ?? 1)} desired`);
  writer.line(0, `Pods Status:\t${await podCounts(context, set)}`);
  writePodTemplate(writer, at(set, 'spec', 'template'));
  writeConditions(writer, set);
  if (showEvents) writeEvents(context, writer, await eventsOf(context, set));
  return writer.toString();
}

export async function describeDaemonSet(context: Context, set: JsonObject, showEvents: boolean): Promise<string> {
  const writer = start(context, set, { withNamespace: false, withCreation: false });
  writer.line(0, `Selector:\t${selectorText(at(set, 'spec', 'selector'))}`);
  writer.line(0, `Node-Selector:\t${selectorText({ matchLabels: at(set, 'spec', 'template', 'spec', 'nodeSelector') })}`);
  writeLabels(writer, 0, 'Labels', at(set, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(set, 'metadata', 'annotations'));
  const count = (key: string): string => text(at(set, 'status', key) ?? 0);
  writer.line(0, `Desired Number of Nodes Scheduled: ${count('desiredNumberScheduled')}`);
  writer.line(0, `Current Number of Nodes Scheduled: ${count('currentNumberScheduled')}`);
  writer.line(0, `Number of Nodes Scheduled with Up-to-date Pods: ${count('updatedNumberScheduled')}`);
  writer.line(0, `Number of Nodes Scheduled with Available Pods: ${count('numberAvailable')}`);
  writer.line(0, `Number of Nodes Misscheduled: ${count('numberMisscheduled')}`);
  writer.line(0, `Pods Status:\t${await podCounts(context, set)}`);
  writePodTemplate(writer, at(set, 'spec', 'template'));
  if (showEvents) writeEvents(context, writer, await eventsOf(context, set));
  return writer.toString();
}

export async function describeStatefulSet(context: Context, set: JsonObject, showEvents: boolean): Promise<string> {
  const writer = start(context, set, { withNamespace: true, withCreation: true });
  writer.line(0, `Selector:\t${selectorText(at(set, 'spec', 'selector'))}`);
  writeLabels(writer, 0, 'Labels', at(set, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(set, 'metadata', 'annotations'));
  writer.line(0, `Replicas:\t${text(at(set, 'spec', 'replicas') ?? 1)} desired | ${text(at(set, 'status', 'replicas') ?? 0)} total`);
  writer.line(0, `Update Strategy:\t${text(at(set, 'spec', 'updateStrategy', 'type'))}`);
  const partition = at(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  if (partition !== undefined) writer.line(1, `Partition:\t${text(partition)}`);
  writer.line(0, `Pods Status:\t${await podCounts(context, set)}`);
  writePodTemplate(writer, at(set, 'spec', 'template'));
  writeClaimTemplates(writer, objects(at(set, 'spec', 'volumeClaimTemplates')));
  if (showEvents) writeEvents(context, writer, await eventsOf(context, set));
  return writer.toString();
}

function writeClaimTemplates(writer: DescribeWriter, templates: readonly JsonObject[]): void {
  if (templates.length === 0) {
    writer.line(0, 'Volume Claims:\t<none>');
    return;
  }
  writer.line(0, 'Volume Claims:');
  for (const template of templates) {
    writer.line(1, `Name:\t${text(at(template, 'metadata', 'name'))}`);
    writer.line(1, `StorageClass:\t${text(at(template, 'spec', 'storageClassName'))}`);
    writeLabels(writer, 1, 'Labels', at(template, 'metadata', 'labels'));
    writeAnnotations(writer, 1, 'Annotations', at(template, 'metadata', 'annotations'));
    writer.line(1, `Capacity:\t${text(at(template, 'spec', 'resources', 'requests', 'storage') ?? '<default>')}`);
    const modes = at(template, 'spec', 'accessModes');
    writer.line(1, `Access Modes:\t[${Array.isArray(modes) ? modes.map(text).join(' ') : ''}]`);
  }
}

export async function describeJob(context: Context, job: JsonObject, showEvents: boolean): Promise<string> {
  const writer = start(context, job, { withNamespace: true, withCreation: false });
  writer.line(0, `Selector:\t${selectorText(at(job, 'spec', 'selector'))}`);
  writeLabels(writer, 0, 'Labels', at(job, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(job, 'metadata', 'annotations'));
  const controller = controllerOf(job);
  if (controller !== '') writer.line(0, `Controlled By:\t${controller}`);
  writer.line(0, `Parallelism:\t${text(at(job, 'spec', 'parallelism') ?? '<unset>')}`);
  writer.line(0, `Completions:\t${text(at(job, 'spec', 'completions') ?? '<unset>')}`);
  const started = at(job, 'status', 'startTime');
  const completed = at(job, 'status', 'completionTime');
  if (started !== undefined) writer.line(0, `Start Time:\t${writer.time(started)}`);
  if (completed !== undefined) writer.line(0, `Completed At:\t${writer.time(completed)}`);
  if (started !== undefined && completed !== undefined)
    writer.line(0, `Duration:\t${humanDuration(Date.parse(text(completed)) - Date.parse(text(started)))}`);
  const deadline = at(job, 'spec', 'activeDeadlineSeconds');
  if (deadline !== undefined) writer.line(0, `Active Deadline Seconds:\t${text(deadline)}s`);
  const count = (key: string): string => text(at(job, 'status', key) ?? 0);
  writer.line(0, `Pods Statuses:\t${count('active')} Running / ${count('succeeded')} Succeeded / ${count('failed')} Failed`);
  writePodTemplate(writer, at(job, 'spec', 'template'));
  if (showEvents) writeEvents(context, writer, await eventsOf(context, job));
  return writer.toString();
}

export async function describeCronJob(context: Context, cronJob: JsonObject, showEvents: boolean): Promise<string> {
  const writer = start(context, cronJob, { withNamespace: true, withCreation: false });
  const spec = (key: string): unknown => at(cronJob, 'spec', key);
  writeLabels(writer, 0, 'Labels', at(cronJob, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(cronJob, 'metadata', 'annotations'));
  writer.line(0, `Schedule:\t${text(spec('schedule'))}`);
  writer.line(0, `Concurrency Policy:\t${text(spec('concurrencyPolicy'))}`);
  writer.line(0, `Suspend:\t${titleBool(spec('suspend'))}`);
  writer.line(0, `Successful Job History Limit:\t${text(spec('successfulJobsHistoryLimit') ?? '<unset>')}`);
  writer.line(0, `Failed Job History Limit:\t${text(spec('failedJobsHistoryLimit') ?? '<unset>')}`);
  writer.line(
    0,
    `Starting Deadline Seconds:\t${spec('startingDeadlineSeconds') === undefined ? '<unset>' : `${text(spec('startingDeadlineSeconds'))}s`}`,
  );
  const job = at(cronJob, 'spec', 'jobTemplate', 'spec');
  writer.line(0, `Selector:\t${at(job, 'selector') === undefined ? '<unset>' : selectorText(at(job, 'selector'))}`);
  writer.line(0, `Parallelism:\t${text(at(job, 'parallelism') ?? '<unset>')}`);
  writer.line(0, `Completions:\t${text(at(job, 'completions') ?? '<unset>')}`);
  const deadline = at(job, 'activeDeadlineSeconds');
  if (deadline !== undefined) writer.line(0, `Active Deadline Seconds:\t${text(deadline)}s`);
  writePodTemplate(writer, at(job, 'template'));
  const last = at(cronJob, 'status', 'lastScheduleTime');
  writer.line(0, `Last Schedule Time:\t${last === undefined ? '<unset>' : writer.time(last)}`);
  const active = objects(at(cronJob, 'status', 'active')).map((reference) => text(reference['name']));
  writer.line(0, `Active Jobs:\t${active.length === 0 ? '<none>' : active.join(', ')}`);
  if (showEvents) writeEvents(context, writer, await eventsOf(context, cronJob));
  return writer.toString();
}

function start(
  context: Context,
  object: JsonObject,
  options: { readonly withNamespace: boolean; readonly withCreation: boolean },
): DescribeWriter {
  const writer = new DescribeWriter(context.zone);
  writer.line(0, `Name:\t${text(at(object, 'metadata', 'name'))}`);
  if (options.withNamespace) writer.line(0, `Namespace:\t${text(at(object, 'metadata', 'namespace'))}`);
  if (options.withCreation) writer.line(0, `CreationTimestamp:\t${writer.time(at(object, 'metadata', 'creationTimestamp'))}`);
  return writer;
}

function writeConditions(writer: DescribeWriter, object: JsonObject): void {
  const conditions = objects(at(object, 'status', 'conditions'));
  if (conditions.length === 0) return;
  writer.write(0, 'Conditions:\n  Type\tStatus\tReason\n');
  writer.line(1, '----\t------\t------');
  for (const condition of conditions)
    writer.line(1, `${text(condition['type'])} \t${text(condition['status'])}\t${text(condition['reason'])}`);
}

async function podCounts(context: Context, owner: JsonObject): Promise<string> {
  const selector =
    owner['kind'] === 'ReplicationController' ? { matchLabels: at(owner, 'spec', 'selector') } : at(owner, 'spec', 'selector');
  const uid = at(owner, 'metadata', 'uid');
  const pods = (await listPods(context, text(at(owner, 'metadata', 'namespace')), labelSelector(selector))).filter((pod) =>
    objects(at(pod, 'metadata', 'ownerReferences')).some((reference) => reference['controller'] === true && reference['uid'] === uid),
  );
  const phase = (name: string): number => pods.filter((pod) => at(pod, 'status', 'phase') === name).length;
  return `${phase('Running')} Running / ${phase('Pending')} Waiting / ${phase('Succeeded')} Succeeded / ${phase('Failed')} Failed`;
}
