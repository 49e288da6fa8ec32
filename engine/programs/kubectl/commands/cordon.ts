// Models `kubectl cordon`, `uncordon` and `drain`.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, describeError, ExitError } from '../errors.ts';
import type { JsonObject } from '../printers/json.ts';
import { objectsOf, type Info } from '../resource/infos.ts';
import { at, dryRunOf, type DryRun } from './common.ts';
import { evictPods, podsToLeave } from './drain-pods.ts';
import { selectorProblem } from '../resource/selector-problem.ts';
import { patchObject } from './patching.ts';

export const cordon: Command = { name: 'cordon', run: (context) => runCordon(context, true) };
export const uncordon: Command = { name: 'uncordon', run: (context) => runCordon(context, false) };
export const drain: Command = { name: 'drain', run: runDrain };

async function runCordon(context: Context, isCordon: boolean): Promise<void> {
  const dryRun = await dryRunOf(context);
  const nodes = await nodesOf(context);
  for (const node of nodes) await setSchedulable(context, node, isCordon, dryRun);
}

async function nodesOf(context: Context): Promise<readonly Info[]> {
  const selector = context.flags.string('selector');
  const { args } = context;
  if (args.length > 0 && selector !== '') throw context.usage('error: cannot specify both a node name and a --selector option');
  if (args.length === 0 && selector === '') throw context.usage(`USAGE: ${context.path} NODE [flags]`);
  const names = args.map((arg) => arg.replace(/^nodes?\//, ''));
  const { infos, errors } = await objectsOf(context, {
    args: ['nodes', ...names],
    filenames: [],
    recursive: false,
    selector,
    all: false,
    latest: true,
  });
  await context.flushWarnings();
  if (errors[0] !== undefined) throw errors[0];
  return infos;
}

async function setSchedulable(context: Context, node: Info, isCordon: boolean, dryRun: DryRun): Promise<void> {
  const word = isCordon ? 'cordoned' : 'uncordoned';
  const suffix = dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : '';
  const isAlready = (at(node.object, 'spec', 'unschedulable') === true) === isCordon;
  if (!isAlready && dryRun !== 'client')
    await patchObject(context, node, { body: { spec: { unschedulable: isCordon ? true : null } }, dryRun });
  await context.out(`node/${node.name} ${isAlready ? 'already ' : ''}${word}${suffix}\n`);
}

async function runDrain(context: Context): Promise<void> {
  const dryRun = await dryRunOf(context);
  if (selectorProblem(context.flags.string('pod-selector')) !== undefined)
    throw new CliError('--pod-selector=<pod_selector> must be a valid label selector');
  const nodes = await nodesOf(context);
  for (const node of nodes) await setSchedulable(context, node, true, dryRun);
  const drained = new Set<string>();
  for (const node of nodes) {
    try {
      const operation = await drainNode(context, node, dryRun);
      drained.add(node.name);
      await context.out(`node/${node.name} ${operation}\n`);
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      await context.err(`error: unable to drain node "${node.name}", aborting command...\n\n`);
      await context.err(
        `There are pending nodes to be drained:\n${nodes
          .filter(({ name }) => !drained.has(name))
          .map(({ name }) => ` ${name}\n`)
          .join('')}`,
      );
      const { text, status } = describeError(error);
      throw new ExitError(status, text);
    }
  }
}

/** Returns the word kubectl ends with: that of the last pod, for it uses one printer for both. */
async function drainNode(context: Context, node: Info, dryRun: DryRun): Promise<string> {
  const list = await context.rest.json<JsonObject>(
    'GET',
    `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${node.name}`)}${podSelector(context)}`,
  );
  const pods = Array.isArray(list['items']) ? (list['items'] as JsonObject[]) : [];
  const { leaving, warnings, errors } = await podsToLeave(context, pods);
  if (errors.length > 0) {
    if (errors.length === 1) throw new CliError(errors[0] ?? '');
    throw new ExitError(1, `${errors.join('\n')}\n`);
  }
  if (warnings !== '') await context.err(`WARNING: ${warnings}\n`);
  const verb = await evictPods(context, node.name, leaving, dryRun);
  if (dryRun !== 'none') return `drained (${dryRun === 'client' ? 'dry run' : 'server dry run'})`;
  return leaving.length === 0 ? 'drained' : verb;
}

function podSelector(context: Context): string {
  const selector = context.flags.string('pod-selector');
  return selector === '' ? '' : `&labelSelector=${encodeURIComponent(selector)}`;
}
