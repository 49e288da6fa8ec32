// Models `kubectl delete`: asks for each deletion, prints it, and waits until the objects are gone.

import { isNotFound } from '../../../kube/machinery/api-error.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll, withSource } from '../errors.ts';
import { groupKind, pathOf, query } from '../factory/rest-mapper.ts';
import { type JsonObject } from '../printers/json.ts';
import { objectsOf, type Info } from '../resource/infos.ts';
import { at, dryRunOf, filenamesOf, type DryRun } from './common.ts';
import { rawRequest } from './get.ts';
import { waitForDeletion } from './wait-deleted.ts';

export const deleteCommand: Command = { name: 'delete', run };

export interface Deletion {
  readonly graceSeconds: number;
  readonly cascade: 'Background' | 'Foreground' | 'Orphan';
  readonly dryRun: DryRun;
}

async function run(context: Context): Promise<void> {
  const { flags } = context;
  const raw = flags.string('raw');
  if (raw !== '') {
    await context.out(await rawRequest(context, 'DELETE', raw));
    return;
  }
  const output = flags.string('output');
  const cascade = await cascadeOf(context);
  const dryRun = await dryRunOf(context);
  const files = filenamesOf(context);
  if (output !== '' && output !== 'name') throw new CliError(`unexpected -o output mode: ${output}. We only support '-o name'`);
  if (flags.bool('all') && flags.string('selector') !== '') throw new CliError("setting 'all' parameter but found a non empty selector. ");
  if (flags.bool('all') && flags.string('field-selector') !== '')
    throw new CliError('cannot set --all and --field-selector at the same time');
  const graceSeconds = await graceOf(context);
  const { infos, errors } = await objectsOf(context, {
    args: context.args,
    filenames: files,
    recursive: flags.bool('recursive'),
    selector: flags.string('selector'),
    fieldSelector: flags.string('field-selector'),
    all: flags.bool('all'),
    refusesNamesWithAll: true,
    allNamespaces: flags.bool('all-namespaces'),
    latest: false,
  });
  await context.flushWarnings();
  const ignoresMissing = flags.bool('ignore-not-found') || flags.bool('all');
  const failures: Error[] = [...errors];
  const deleted: { readonly info: Info; readonly uid: string }[] = [];
  let found = 0;
  for (const info of infos) {
    found++;
    if (!info.mapping.isNamespaced && flags.isChanged('namespace'))
      await context.err('warning: deleting cluster-scoped resources, not scoped to the provided namespace\n');
    try {
      const uid = dryRun === 'client' ? '' : await deleteObject(context, info, { graceSeconds, cascade, dryRun });
      deleted.push({ info, uid });
      await printDeleted(context, info, graceSeconds, dryRun);
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      if (!(ignoresMissing && isNotFound(error))) failures.push(withSource('deleting', info.source, error));
      else found--;
    }
  }
  throwAll(failures);
  if (found === 0 && !(ignoresMissing && infos.length > 0)) {
    await context.out('No resources found\n');
    return;
  }
  if (!flags.bool('wait') || dryRun !== 'none') return;
  await waitForDeletion(context, deleted, flags.duration('timeout'));
}

/** --now, --grace-period and --force as one number; negative leaves it to the object. */
async function graceOf(context: Context): Promise<number> {
  const { flags } = context;
  let seconds = flags.int('grace-period');
  const isForced = flags.bool('force');
  if (flags.bool('now')) {
    if (seconds !== -1) throw new CliError('--now and --grace-period cannot be specified together');
    seconds = 1;
  }
  // Without --force nobody gets less than a second.
  if (seconds === 0 && !isForced) seconds = 1;
  if (isForced && seconds < 0) seconds = 0;
  if (isForced && seconds > 0) throw new CliError('--force and --grace-period greater than 0 cannot be specified together');
  if (isForced) {
    await context.err(
      'warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
    );
  }
  return seconds;
}

export async function cascadeOf(context: Context): Promise<Deletion['cascade']> {
  const value = context.flags.string('cascade');
  if (value === 'background' || value === 'true') {
    if (value === 'true')
      await context.err('warning: --cascade=true is deprecated (boolean value) and can be replaced with --cascade=background.\n');
    return 'Background';
  }
  if (value === 'false') {
    await context.err('warning: --cascade=false is deprecated (boolean value) and can be replaced with --cascade=orphan.\n');
    return 'Orphan';
  }
  if (value === 'orphan') return 'Orphan';
  if (value === 'foreground') return 'Foreground';
  throw new CliError(`invalid cascade value (${value}). Must be "background", "foreground", or "orphan"`);
}

/** Asks the server; returns the uid of what is being deleted. */
export async function deleteObject(context: Context, info: Info, deletion: Deletion): Promise<string> {
  const answer = await context.rest.json<JsonObject>(
    'DELETE',
    pathOf(info.mapping, { namespace: info.namespace, name: info.name }) +
      query({ dryRun: deletion.dryRun === 'server' ? 'All' : undefined }),
    {
      accept: 'application/json',
      body: {
        ...(deletion.graceSeconds >= 0 ? { gracePeriodSeconds: deletion.graceSeconds } : {}),
        propagationPolicy: deletion.cascade,
        ...(deletion.dryRun === 'server' ? { dryRun: ['All'] } : {}),
      },
    },
  );
  return String(at(answer, 'metadata', 'uid') ?? at(answer, 'details', 'uid') ?? '');
}

async function printDeleted(context: Context, info: Info, graceSeconds: number, dryRun: DryRun): Promise<void> {
  const kind = groupKind(info.mapping);
  if (context.flags.string('output') === 'name') {
    await context.out(`${kind}/${info.name}\n`);
    return;
  }
  const suffix = dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : '';
  await context.out(`${kind} "${info.name}" ${graceSeconds === 0 ? 'force deleted' : 'deleted'}${suffix}\n`);
}
