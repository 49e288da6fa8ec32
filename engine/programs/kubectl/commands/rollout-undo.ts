// Models `kubectl rollout undo`: the template of an earlier revision becomes the present one.

import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { withoutHash } from '../describe/workloads.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import type { Info } from '../resource/infos.ts';
import { equal } from '../resource/strategic-merge.ts';
import { at, dryRunOf, LAST_APPLIED, ResultPrinter, type DryRun } from './common.ts';
import { forEach, patchObject, requireResource, selectObjects } from './patching.ts';
import { revisionsOf, templateText, type Revision } from './rollout-history.ts';

/** Annotations that stay the deployment's own. */
const KEPT = [
  LAST_APPLIED,
  'deployment.kubernetes.io/revision',
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
];

export async function undo(context: Context): Promise<void> {
  requireResource(context);
  const dryRun = await dryRunOf(context);
  const wanted = context.flags.int('to-revision');
  const printer = new ResultPrinter(context, dryRun);
  const { infos, errors } = await selectObjects(context, { args: context.args, all: true });
  await forEach(infos, errors, async (info) => {
    if (wanted < 0) throw new CliError(`unable to find specified revision ${wanted} in history`);
    const message = await rollBack(context, info, wanted, dryRun);
    await printer.print(info.object ?? {}, message);
  });
}

async function rollBack(context: Context, info: Info, wanted: number, dryRun: DryRun): Promise<string> {
  const object = info.object ?? {};
  if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(info.mapping.kind))
    throw new CliError(`no rollbacker has been implemented for "${info.mapping.kind}"`);
  const revision = choose(await revisionsOf(context, info), wanted, info);
  if (dryRun === 'client') return templateText(revision.template, '');
  if (at(object, 'spec', 'paused') === true)
    throw new CliError(
      `you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume deployment/${info.name}' and try again`,
    );
  if (equal(withoutHash(revision.template), withoutHash(at(object, 'spec', 'template'))))
    return `skipped rollback (current template already matches revision ${revision.number})`;
  if (info.mapping.kind === 'Deployment') {
    await patchObject(context, info, {
      body: [
        { op: 'replace', path: '/spec/template', value: withoutHash(revision.template) },
        { op: 'replace', path: '/metadata/annotations', value: annotationsAfter(object, revision.object) },
      ],
      type: 'application/json-patch+json',
      dryRun,
    });
  } else await patchObject(context, info, { body: revision.object['data'], dryRun });
  return 'rolled back';
}

function choose(revisions: readonly Revision[], wanted: number, info: Info): Revision {
  if (wanted > 0) {
    const found = revisions.find(({ number }) => number === wanted);
    if (found === undefined) throw new CliError(`unable to find specified revision ${wanted} in history`);
    return found;
  }
  const previous = revisions[revisions.length - 2];
  if (previous !== undefined) return previous;
  throw new CliError(
    info.mapping.kind === 'Deployment' ? `no rollout history found for deployment "${info.name}"` : `no last revision to roll back to`,
  );
}

function annotationsAfter(deployment: JsonObject, set: JsonObject): JsonObject {
  const own = at(deployment, 'metadata', 'annotations');
  const other = at(set, 'metadata', 'annotations');
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(isObject(own) ? own : {})) if (KEPT.includes(key)) out[key] = value;
  for (const [key, value] of Object.entries(isObject(other) ? other : {})) if (!KEPT.includes(key)) out[key] = value;
  return out;
}
