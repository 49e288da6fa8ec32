// Models `kubectl edit` and `kubectl apply edit-last-applied`.

import { CliError, throwAll } from '../errors.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { infosOfSource, NOTHING_SELECTED, type Info } from '../resource/infos.ts';
import { annotationOf, filenamesOf, LAST_APPLIED } from './common.ts';
import { editTogether } from './editing.ts';
import { selectObjects } from './patching.ts';

export const edit: Command = { name: 'edit', run };

async function run(context: Context): Promise<void> {
  const infos = await selected(context);
  if (infos.length === 0) throw new CliError('edit cancelled, no objects found');
  await editTogether(context, infos, 'edit');
}

/** What was applied last of the objects named, edited and put back as what was applied last. */
export async function editLastApplied(context: Context): Promise<void> {
  const infos: Info[] = [];
  for (const { object } of await selected(context)) {
    const text = annotationOf(object, LAST_APPLIED);
    if (text === undefined) continue;
    const source = { source: 'edited-file', read: () => Promise.resolve(text) };
    infos.push(...(await infosOfSource(context, source, { recursive: false, namespace: '', enforceNamespace: false })).slice(0, 1));
  }
  if (infos.length === 0)
    throw new CliError(
      'no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`',
    );
  await editTogether(context, infos, 'last applied');
}

async function selected(context: Context): Promise<readonly Info[]> {
  if (context.args.length === 0 && filenamesOf(context).length === 0) throw new CliError(NOTHING_SELECTED);
  const { infos, errors } = await selectObjects(context, { args: context.args, all: true });
  throwAll(errors);
  return infos;
}
