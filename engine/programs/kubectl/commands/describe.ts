// Models `kubectl describe`.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { isNotFound } from '../../../kube/machinery/api-error.ts';
import { describeObject } from '../describe/index.ts';
import { objectsOf, type Info } from '../resource/infos.ts';
import { filenamesOf } from './common.ts';

export const describe: Command = { name: 'describe', run };

async function run(context: Context): Promise<void> {
  const { flags, args } = context;
  const files = filenamesOf(context);
  if (args.length === 0 && files.length === 0) {
    throw new CliError(
      'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported resources.',
    );
  }
  const isAll = flags.bool('all-namespaces');
  const found = await objectsOf(context, {
    args,
    filenames: files,
    recursive: flags.bool('recursive'),
    selector: flags.string('selector'),
    all: true,
    allNamespaces: isAll,
    latest: true,
  });
  await context.flushWarnings();
  let infos = found.infos;
  const errors: Error[] = [...found.errors];
  if (args.length === 2 && files.length === 0 && errors.length === 1 && isNotFound(errors[0])) {
    const byPrefix = await prefixMatches(context, args);
    if (byPrefix.length > 0) {
      infos = byPrefix;
      errors.length = 0;
    }
  }
  let isFirst = true;
  for (const info of infos) {
    const shown = await describeObject(context, info, flags.bool('show-events'));
    await context.out(`${isFirst ? '' : '\n\n'}${shown}`);
    isFirst = false;
  }
  if (infos.length === 0 && errors.length === 0) {
    await context.err(isAll ? 'No resources found\n' : `No resources found in ${context.namespace().name} namespace.\n`);
  }
  throwAll(errors);
}

/** A name that is none may be the beginning of names. */
async function prefixMatches(context: Context, args: readonly string[]): Promise<readonly Info[]> {
  const [type = '', prefix = ''] = args;
  const { infos } = await objectsOf(context, { args: [type], filenames: [], recursive: false, selector: '', all: true, latest: true });
  return infos.filter(({ name }) => name.startsWith(prefix));
}
