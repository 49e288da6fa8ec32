// Models `kubectl rollout`: pause, resume, restart and status; history and undo are in files of their own.

import { errorOf } from '../../../kube/client/rest-client.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import type { Status } from '../../../kube/machinery/types.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { pathOf, query } from '../factory/rest-mapper.ts';
import { linesOf } from '../factory/stream.ts';
import type { JsonObject } from '../printers/json.ts';
import type { Info } from '../resource/infos.ts';
import { objects, text } from '../describe/values.ts';
import { at, ResultPrinter } from './common.ts';
import { forEach, patchObject, refusal, requireResource, selectObjects } from './patching.ts';
import { history } from './rollout-history.ts';
import { undo } from './rollout-undo.ts';

export const rollout: Command = {
  name: 'rollout',
  group: { stream: 'out', status: 1 },
  subcommands: [
    { name: 'history', run: history },
    { name: 'pause', run: pause },
    { name: 'resume', run: resume },
    { name: 'undo', run: undo },
    { name: 'status', run: status },
    { name: 'restart', run: restart },
  ],
};

async function pause(context: Context): Promise<void> {
  requireResource(context);
  const printer = new ResultPrinter(context, 'none');
  const { infos, errors } = await selectObjects(context, { args: context.args, all: true });
  await forEach(infos, errors, async (info) => {
    if (info.mapping.kind !== 'Deployment') throw refusal(info, 'pausing is not supported');
    if (at(info.object, 'spec', 'paused') === true) throw refusal(info, 'is already paused');
    await printer.print(await patchObject(context, info, { body: { spec: { paused: true } } }), 'paused');
  });
}

async function resume(context: Context): Promise<void> {
  requireResource(context);
  const printer = new ResultPrinter(context, 'none');
  const { infos, errors } = await selectObjects(context, { args: context.args, all: true });
  await forEach(infos, errors, async (info) => {
    if (info.mapping.kind !== 'Deployment') throw refusal(info, 'resuming is not supported');
    if (at(info.object, 'spec', 'paused') !== true) throw refusal(info, 'is not paused');
    await printer.print(await patchObject(context, info, { body: { spec: { paused: null } } }), 'resumed');
  });
}

async function restart(context: Context): Promise<void> {
  requireResource(context);
  const printer = new ResultPrinter(context, 'none');
  const { infos, errors } = await selectObjects(context, { args: context.args, all: true });
  await forEach(infos, errors, async (info) => {
    if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(info.mapping.kind)) throw refusal(info, 'restarting is not supported');
    if (at(info.object, 'spec', 'paused') === true) throw refusal(info, "can't restart paused deployment (run rollout resume first)");
    const restartedAt = new Date(context.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const body = { spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': restartedAt } } } } };
    await printer.print(await patchObject(context, info, { body }), 'restarted');
  });
}

interface Progress {
  readonly message: string;
  readonly isDone: boolean;
}

async function status(context: Context): Promise<void> {
  requireResource(context);
  const { infos, errors } = await selectObjects(context, { args: context.args, all: true });
  if (errors[0] !== undefined) throw errors[0];
  const [info] = infos;
  if (info?.object === undefined || infos.length !== 1)
    throw new CliError(
      `rollout status is only supported on individual resources and resource collections - ${infos.length} resources were found`,
    );
  if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(info.mapping.kind))
    throw new CliError(`no status viewer has been implemented for ${info.mapping.kind}`);
  const isDone = await show(context, info.object);
  if (isDone || !context.flags.bool('watch')) return;
  await follow(context, info);
}

async function show(context: Context, object: JsonObject): Promise<boolean> {
  const wanted = context.flags.int('revision');
  const current = Number(at(object, 'metadata', 'annotations', 'deployment.kubernetes.io/revision') ?? 0);
  if (wanted > 0 && wanted !== current)
    throw new CliError(`desired revision (${wanted}) is different from the running revision (${current})`);
  const { message, isDone } = progressOf(object);
  await context.out(message);
  return isDone;
}

async function follow(context: Context, info: Info): Promise<void> {
  const { clock } = context.process.sys;
  const path = pathOf(info.mapping, { namespace: info.namespace });
  const fieldSelector = `metadata.name=${info.name}`;
  const controller = new AbortController();
  const timeoutMs = context.flags.duration('timeout');
  const timer =
    timeoutMs === 0 ? undefined : clock.setTimer(timeoutMs, () => controller.abort(new CliError('timed out waiting for the condition')));
  let resourceVersion = String(at(info.object, 'metadata', 'resourceVersion') ?? '');
  try {
    for (;;) {
      const response = await context.rest.send({
        method: 'GET',
        target: path + query({ fieldSelector, resourceVersion, watch: 'true' }),
        headers: { accept: 'application/json' },
        signal: controller.signal,
      });
      if (response.status >= 400) throw await errorOf(response);
      for await (const line of linesOf(response.body, controller.signal)) {
        const event = JSON.parse(line) as { readonly type: string; readonly object: JsonObject };
        if (event.type === 'ERROR') throw new ApiError(event.object as unknown as Status);
        if (event.type === 'DELETED') throw new CliError('object has been deleted');
        resourceVersion = String(at(event.object, 'metadata', 'resourceVersion') ?? resourceVersion);
        if (event.type !== 'BOOKMARK' && (await show(context, { ...event.object, kind: info.mapping.kind }))) return;
      }
    }
  } finally {
    timer?.dispose();
    controller.abort();
  }
}

function progressOf(object: JsonObject): Progress {
  switch (object['kind']) {
    case 'DaemonSet':
      return daemonSetProgress(object);
    case 'StatefulSet':
      return statefulSetProgress(object);
    default:
      return deploymentProgress(object);
  }
}

function counts(object: JsonObject): { readonly name: string; readonly isObserved: boolean; of(key: string): number } {
  return {
    name: text(at(object, 'metadata', 'name')),
    isObserved: Number(at(object, 'metadata', 'generation') ?? 0) <= Number(at(object, 'status', 'observedGeneration') ?? 0),
    of: (key) => Number(at(object, 'status', key) ?? 0),
  };
}

function deploymentProgress(object: JsonObject): Progress {
  const { name, isObserved, of } = counts(object);
  if (!isObserved) return { message: 'Waiting for deployment spec update to be observed...\n', isDone: false };
  const progressing = objects(at(object, 'status', 'conditions')).find((condition) => condition['type'] === 'Progressing');
  if (progressing?.['reason'] === 'ProgressDeadlineExceeded') throw new CliError(`deployment "${name}" exceeded its progress deadline`);
  const wait = (what: string): Progress => ({ message: `Waiting for deployment "${name}" rollout to finish: ${what}...\n`, isDone: false });
  const replicas = Number(at(object, 'spec', 'replicas') ?? 1);
  const updated = of('updatedReplicas');
  if (updated < replicas) return wait(`${updated} out of ${replicas} new replicas have been updated`);
  if (of('replicas') > updated) return wait(`${of('replicas') - updated} old replicas are pending termination`);
  if (of('availableReplicas') < updated) return wait(`${of('availableReplicas')} of ${updated} updated replicas are available`);
  return { message: `deployment "${name}" successfully rolled out\n`, isDone: true };
}

function daemonSetProgress(object: JsonObject): Progress {
  const { name, isObserved, of } = counts(object);
  if (at(object, 'spec', 'updateStrategy', 'type') !== 'RollingUpdate')
    throw new CliError('rollout status is only available for RollingUpdate strategy type');
  if (!isObserved) return { message: 'Waiting for daemon set spec update to be observed...\n', isDone: false };
  const desired = of('desiredNumberScheduled');
  const wait = (what: string): Progress => ({ message: `Waiting for daemon set "${name}" rollout to finish: ${what}...\n`, isDone: false });
  if (of('updatedNumberScheduled') < desired) return wait(`${of('updatedNumberScheduled')} out of ${desired} new pods have been updated`);
  if (of('numberAvailable') < desired) return wait(`${of('numberAvailable')} of ${desired} updated pods are available`);
  return { message: `daemon set "${name}" successfully rolled out\n`, isDone: true };
}

function statefulSetProgress(object: JsonObject): Progress {
  const { isObserved, of } = counts(object);
  if (at(object, 'spec', 'updateStrategy', 'type') !== 'RollingUpdate')
    throw new CliError('rollout status is only available for RollingUpdate strategy type');
  if (!isObserved || of('observedGeneration') === 0)
    return { message: 'Waiting for statefulset spec update to be observed...\n', isDone: false };
  const replicas = Number(at(object, 'spec', 'replicas') ?? 1);
  if (of('readyReplicas') < replicas)
    return { message: `Waiting for ${replicas - of('readyReplicas')} pods to be ready...\n`, isDone: false };
  // A partition of 0, the default, is one too.
  const partition = Number(at(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0);
  if (at(object, 'spec', 'updateStrategy', 'rollingUpdate') !== undefined) {
    const updated = of('updatedReplicas');
    if (updated < replicas - partition)
      return {
        message: `Waiting for partitioned roll out to finish: ${updated} out of ${replicas - partition} new pods have been updated...\n`,
        isDone: false,
      };
    return { message: `partitioned roll out complete: ${updated} new pods have been updated...\n`, isDone: true };
  }
  const revision = text(at(object, 'status', 'updateRevision'));
  if (revision !== text(at(object, 'status', 'currentRevision')))
    return {
      message: `waiting for statefulset rolling update to complete ${of('updatedReplicas')} pods at revision ${revision}...\n`,
      isDone: false,
    };
  return {
    message: `statefulset rolling update complete ${of('currentReplicas')} pods at revision ${text(at(object, 'status', 'currentRevision'))}...\n`,
    isDone: true,
  };
}
