// Models `kubectl rollout history`: revisions of deployments (replica sets), daemon sets and stateful sets (controller revisions).

import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { DescribeWriter } from '../describe/writer.ts';
import { writePodTemplate } from '../describe/pod.ts';
import { objects } from '../describe/values.ts';
import { replicaSetsOf } from '../describe/workloads.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { alignTabs, DESCRIBE_LAYOUT } from '../printers/tab-writer.ts';
import type { Info } from '../resource/infos.ts';
import { labelSelector } from '../resource/pods-of.ts';
import { annotationOf, at, CHANGE_CAUSE, ResultPrinter } from './common.ts';
import { forEach, requireResource, selectObjects } from './patching.ts';

export interface Revision {
  readonly number: number;
  readonly cause: string;
  readonly template: unknown;
  /** The replica set or controller revision. */
  readonly object: JsonObject;
}

const REVISION = 'deployment.kubernetes.io/revision';

export async function history(context: Context): Promise<void> {
  requireResource(context);
  const wanted = context.flags.int('revision');
  if (wanted < 0) throw new CliError('revision must be a positive integer: ' + wanted);
  const printer = new ResultPrinter(context, 'none');
  const { infos, errors } = await selectObjects(context, { args: context.args, all: true });
  await forEach(infos, errors, async (info) => {
    const revisions = await revisionsOf(context, info);
    if (wanted === 0) {
      const rows = revisions.map(({ number, cause }) => `${number}\t${cause === '' ? '<none>' : cause}\n`);
      const table =
        revisions.length === 0 ? 'No rollout history found.' : alignTabs(`REVISION\tCHANGE-CAUSE\n${rows.join('')}`, DESCRIBE_LAYOUT);
      await printer.print(info.object ?? {}, `\n${table}`);
      return;
    }
    const revision = revisions.find(({ number }) => number === wanted);
    if (revision === undefined) throw new CliError('unable to find the specified revision');
    await printer.print(info.object ?? {}, `with revision #${wanted}\n${templateText(revision.template, revision.cause)}`);
  });
}

/** The template as history and undo show it, tabs and all. */
export function templateText(template: unknown, cause: string): string {
  const writer = new DescribeWriter();
  const annotations = {
    ...((at(template, 'metadata', 'annotations') ?? {}) as JsonObject),
    ...(cause === '' ? {} : { [CHANGE_CAUSE]: cause }),
  };
  writePodTemplate(
    writer,
    isObject(template) ? { ...template, metadata: { ...((template['metadata'] ?? {}) as JsonObject), annotations } } : template,
  );
  return writer.raw;
}

/** Revisions, oldest first. */
export async function revisionsOf(context: Context, info: Info): Promise<readonly Revision[]> {
  const object = info.object ?? {};
  if (info.mapping.kind === 'Deployment') {
    const sets = await replicaSetsOf(context, object);
    return sets
      .map((set) => ({
        number: Number(annotationOf(set, REVISION) ?? 0),
        cause: annotationOf(set, CHANGE_CAUSE) ?? '',
        template: at(set, 'spec', 'template'),
        object: set,
      }))
      .filter(({ number }) => number > 0)
      .sort((a, b) => a.number - b.number);
  }
  if (info.mapping.kind !== 'DaemonSet' && info.mapping.kind !== 'StatefulSet') throw new CliError(noHistory(info));
  const selector = labelSelector(at(object, 'spec', 'selector'));
  const list = await context.rest.json<JsonObject>(
    'GET',
    `/apis/apps/v1/namespaces/${info.namespace}/controllerrevisions?labelSelector=${encodeURIComponent(selector)}`,
  );
  const uid = at(object, 'metadata', 'uid');
  return objects(list['items'])
    .filter((revision) => objects(at(revision, 'metadata', 'ownerReferences')).some((owner) => owner['uid'] === uid))
    .map((revision) => ({
      number: Number(revision['revision'] ?? 0),
      cause: annotationOf(revision, CHANGE_CAUSE) ?? '',
      template: at(revision, 'data', 'spec', 'template'),
      object: revision,
    }))
    .sort((a, b) => a.number - b.number);
}

/** Kinds with pods are known to have no history; of others nothing is known. */
const WITH_PODS = ['DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet', 'ReplicationController', 'StatefulSet', 'CronJob'];

function noHistory({ mapping: { group, kind } }: Info): string {
  if (WITH_PODS.includes(kind)) return `no history viewer has been implemented for "${kind}"`;
  return `error retrieving history for "${kind}", no visitor method exists for {${group} ${kind}}`;
}
