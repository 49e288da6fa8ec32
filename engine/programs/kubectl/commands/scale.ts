// Models `kubectl scale`.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll, withSource } from '../errors.ts';
import { pathOf } from '../factory/rest-mapper.ts';
import type { JsonObject } from '../printers/json.ts';
import { getObject, objectsOf, type Info } from '../resource/infos.ts';
import { at, CHANGE_CAUSE, dryRunOf, filenamesOf, recordedCommand, ResultPrinter, shouldRecord } from './common.ts';

export const scale: Command = { name: 'scale', run };

/** How often --timeout looks whether the replicas are there. */
const POLL_MS = 100;

async function run(context: Context): Promise<void> {
  const { flags } = context;
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, 'none');
  const replicas = flags.int('replicas');
  if (replicas < 0) throw new CliError('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
  const { infos, errors } = await objectsOf(context, {
    args: context.args,
    filenames: filenamesOf(context),
    recursive: flags.bool('recursive'),
    selector: flags.string('selector'),
    all: flags.bool('all'),
    latest: true,
  });
  await context.flushWarnings();
  if (infos.length > 1 && flags.string('resource-version') !== '')
    throw new CliError('cannot use --resource-version with multiple resources');
  const failures: Error[] = [...errors];
  for (const info of infos) {
    try {
      if (dryRun !== 'client') await scaleOne(context, info, replicas, dryRun === 'server');
      if (flags.duration('timeout') > 0 && dryRun === 'none') await waitForReplicas(context, info, replicas);
      await printer.print(info.object ?? {}, 'scaled');
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      failures.push(withSource('scaling', info.source, error));
    }
  }
  throwAll(failures);
  if (infos.length === 0) throw new CliError('no objects passed to scale');
}

async function scaleOne(context: Context, info: Info, replicas: number, isServerDryRun: boolean): Promise<void> {
  const { flags } = context;
  const query = isServerDryRun ? '?dryRun=All' : '';
  const path = pathOf(info.mapping, { namespace: info.namespace, name: info.name, subresource: 'scale' }) + query;
  const expected = flags.int('current-replicas');
  const version = flags.string('resource-version');
  if (expected < 0 && version === '') {
    await context.rest.json('PATCH', path, { body: { spec: { replicas } }, contentType: 'application/merge-patch+json' });
  } else {
    const current = await context.rest.json<JsonObject>('GET', path);
    const now = Number(at(current, 'spec', 'replicas') ?? 0);
    if (expected >= 0 && now !== expected) throw new CliError(`Expected replicas to be ${expected}, was ${now}`);
    const has = String(at(current, 'metadata', 'resourceVersion') ?? '');
    if (version !== '' && has !== version) throw new CliError(`Expected resource version to be ${version}, was ${has}`);
    await context.rest.json('PUT', path, { body: { ...current, spec: { replicas } } });
  }
  if (!shouldRecord(context)) return;
  const recorded = { metadata: { annotations: { [CHANGE_CAUSE]: recordedCommand(context) } } };
  await context.rest.json('PATCH', pathOf(info.mapping, { namespace: info.namespace, name: info.name }) + '?fieldManager=kubectl-scale', {
    body: recorded,
    contentType: 'application/strategic-merge-patch+json',
    accept: 'application/json',
  });
}

async function waitForReplicas(context: Context, info: Info, replicas: number): Promise<void> {
  const untilMs = context.process.sys.clock.now() + context.flags.duration('timeout');
  for (;;) {
    const object = await getObject(context, info);
    const generation = Number(at(object, 'metadata', 'generation') ?? 0);
    const isSeen = Number(at(object, 'status', 'observedGeneration') ?? generation) >= generation;
    if (isSeen && Number(at(object, 'status', 'replicas') ?? 0) === replicas) return;
    if (context.process.sys.clock.now() >= untilMs) throw new CliError('timed out waiting for the condition');
    await context.process.sys.sleep(POLL_MS);
  }
}
