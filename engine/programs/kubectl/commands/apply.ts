// Models `kubectl apply`, on the client's side and (--server-side) the server's.

import { ApiError, isConflict, isNotFound } from '../../../kube/machinery/api-error.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll, withPrefix, withSource } from '../errors.ts';
import { pathOf, query } from '../factory/rest-mapper.ts';
import { isObject, marshal, sortKeys, type JsonObject } from '../printers/json.ts';
import { toYaml } from '../printers/yaml.ts';
import { getObject, infosFromFiles, objectsOf, type Info } from '../resource/infos.ts';
import { isKnownKind, threeWayMerge, threeWayStrategic } from '../resource/strategic-merge.ts';
import {
  annotated,
  annotationOf,
  at,
  CHANGE_CAUSE,
  dryRunOf,
  filenamesOf,
  LAST_APPLIED,
  recordedCommand,
  ResultPrinter,
  shouldRecord,
  validation,
  type DryRun,
  withConfiguration,
} from './common.ts';
import { editLastApplied } from './edit.ts';
import { deleteObject } from './delete.ts';
import { waitForDeletion } from './wait-deleted.ts';
import { prune } from './apply-prune.ts';

const MAX_PATCH_TRIES = 5;

export const apply: Command = {
  name: 'apply',
  run,
  subcommands: [
    { name: 'view-last-applied', run: viewLastApplied },
    { name: 'set-last-applied', run: setLastApplied },
    { name: 'edit-last-applied', run: editLastApplied },
  ],
};

async function run(context: Context): Promise<void> {
  const { flags } = context;
  const files = filenamesOf(context, { required: true });
  if (context.args.length > 0) throw context.usage(`Unexpected args: [${context.args.join(' ')}]`);
  const isServerSide = flags.bool('server-side');
  const dryRun = await dryRunOf(context);
  if (flags.bool('force-conflicts') && !isServerSide) throw new CliError('--force-conflicts only works with --server-side');
  if (dryRun === 'client' && isServerSide)
    throw new CliError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  if (flags.bool('prune') && !flags.bool('all') && flags.string('selector') === '')
    throw new CliError(
      'all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector',
    );
  const printer = new ResultPrinter(context, dryRun);
  const namespace = context.namespace();
  await context.flushWarnings();
  const validate = validation(context);
  const found = await infosFromFiles(context, {
    filenames: files,
    recursive: flags.bool('recursive'),
    namespace: namespace.name,
    enforceNamespace: namespace.isExplicit,
    ...(validate === undefined ? {} : { validate }),
  });
  const errors: Error[] = [...found.errors];
  const applied: Info[] = [];
  const selector = flags.string('selector');
  const wanted = selector === '' ? found.infos : found.infos.filter((info) => matches(selector, info));
  for (const info of wanted) {
    try {
      await applyOne(context, info, { dryRun, printer, isServerSide });
      applied.push(info);
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      errors.push(error);
    }
  }
  if (errors.length === 0 && found.infos.length === 0) throw new CliError('no objects passed to apply');
  throwAll(errors);
  if (flags.bool('prune')) await prune(context, applied, { dryRun, selector });
}

/** Equality selectors of -l, which apply looks at itself. */
function matches(selector: string, info: Info): boolean {
  const labels = at(info.object, 'metadata', 'labels');
  return selector.split(',').every((part) => {
    const [key = '', value] = part.split(/==?/);
    return isObject(labels) && (value === undefined ? key in labels : labels[key] === value);
  });
}

interface Applying {
  readonly dryRun: DryRun;
  readonly printer: ResultPrinter;
  readonly isServerSide: boolean;
}

async function applyOne(context: Context, info: Info, how: Applying): Promise<void> {
  if (info.name === '' && typeof at(info.object, 'metadata', 'generateName') === 'string') {
    throw new CliError(`from ${String(at(info.object, 'metadata', 'generateName'))}: cannot use generate name with apply`);
  }
  let object = info.object ?? {};
  if (shouldRecord(context)) object = annotated(object, CHANGE_CAUSE, recordedCommand(context));
  if (how.isServerSide) {
    await serverSide(context, info, object, how);
    return;
  }
  const modified = withConfiguration(object);
  const current = await currentOf(context, info);
  if (current === undefined) {
    const created = how.dryRun === 'client' ? modified : await createIt(context, info, modified, how.dryRun);
    await how.printer.print(created, 'created');
    return;
  }
  if (annotationOf(current, LAST_APPLIED) === undefined) {
    await context.err(
      `Warning: resource ${info.mapping.resource}/${info.name} is missing the ${LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n`,
    );
  }
  if (how.dryRun === 'client') {
    await how.printer.print(current, 'configured');
    return;
  }
  const result = await patchIt(context, info, { modified, current, dryRun: how.dryRun });
  const isUnchanged = result.patch === '{}' && !how.printer.isStructured;
  await how.printer.print(result.object, isUnchanged ? 'unchanged' : 'configured');
}

async function currentOf(context: Context, info: Info): Promise<JsonObject | undefined> {
  try {
    return await getObject(context, info);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
    throw withSourceOf(`retrieving current configuration of:\n${describeInfo(info)}\nfrom server for:`, info.source, error);
  }
}

function withSourceOf(verb: string, source: string, error: Error): Error {
  return withPrefix(`error when ${verb} "${source}": `, error);
}

function describeInfo(info: Info): string {
  const { group, version, resource, kind } = info.mapping;
  return `Resource: "${group}/${version}, Resource=${resource}", GroupVersionKind: "${group}/${version}, Kind=${kind}"\nName: "${info.name}", Namespace: "${info.namespace}"`;
}

async function createIt(context: Context, info: Info, object: JsonObject, dryRun: DryRun): Promise<JsonObject> {
  try {
    return await context.rest.json<JsonObject>('POST', pathOf(info.mapping, { namespace: info.namespace }) + writeQuery(context, dryRun), {
      body: sortKeys(object),
      accept: 'application/json',
    });
  } catch (error) {
    if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
    throw withSource('creating', info.source, error);
  }
}

function writeQuery(context: Context, dryRun: DryRun, more: Readonly<Record<string, string | undefined>> = {}): string {
  return query({ fieldManager: context.flags.string('field-manager'), dryRun: dryRun === 'server' ? 'All' : undefined, ...more });
}

interface Patching {
  readonly modified: JsonObject;
  readonly current: JsonObject;
  readonly dryRun: DryRun;
}

async function patchIt(context: Context, info: Info, what: Patching): Promise<{ readonly patch: string; readonly object: JsonObject }> {
  let { current } = what;
  for (let tries = 1; ; tries++) {
    const patch = patchFor(info, what.modified, current);
    const text = marshal(sortKeys(patch));
    if (text === '{}') return { patch: text, object: current };
    try {
      const object = await context.rest.json<JsonObject>(
        'PATCH',
        pathOf(info.mapping, { namespace: info.namespace, name: info.name }) + writeQuery(context, what.dryRun),
        {
          body: text,
          contentType: isKnownKind(info.mapping) ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json',
          accept: 'application/json',
        },
      );
      return { patch: text, object };
    } catch (error) {
      if (isConflict(error) && tries < MAX_PATCH_TRIES) {
        current = await getObject(context, info);
        continue;
      }
      if (
        context.flags.bool('force') &&
        error instanceof ApiError &&
        (error.status.reason === 'Invalid' || error.status.reason === 'Conflict')
      ) {
        return { patch: text, object: await recreate(context, info, what.modified) };
      }
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      throw withSourceOf(`applying patch:\n${text}\nto:\n${describeInfo(info)}\nfor:`, info.source, error);
    }
  }
}

export function patchFor(info: Info, modified: JsonObject, current: JsonObject): JsonObject {
  const annotation = annotationOf(current, LAST_APPLIED);
  let original: JsonObject | undefined;
  if (annotation !== undefined && annotation.trim() !== '') {
    try {
      original = JSON.parse(annotation) as JsonObject;
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new CliError(
          `error when creating patch with:\noriginal:\n${annotation}\nmodified:\n${marshal(modified)}\ncurrent:\n${marshal(current)}\nfor: "${info.source}": invalid character`,
        );
      throw error;
    }
  }
  return isKnownKind(info.mapping) ? threeWayStrategic(original, modified, current) : threeWayMerge(original, modified, current);
}

/** --force: what cannot be patched is deleted and made anew. */
async function recreate(context: Context, info: Info, modified: JsonObject): Promise<JsonObject> {
  const uid = await deleteObject(context, info, { graceSeconds: context.flags.int('grace-period'), cascade: 'Background', dryRun: 'none' });
  await waitForDeletion(context, [{ info, uid }], context.flags.duration('timeout'));
  return createIt(context, info, modified, 'none');
}

async function serverSide(context: Context, info: Info, object: JsonObject, how: Applying): Promise<void> {
  const { flags } = context;
  const manager = flags.isChanged('field-manager') ? flags.string('field-manager') : 'kubectl';
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  if (Array.isArray(metadata['managedFields'])) throw new CliError('metadata.managedFields must be nil');
  try {
    const answer = await context.rest.json<JsonObject>(
      'PATCH',
      pathOf(info.mapping, { namespace: info.namespace, name: info.name }) +
        query({
          fieldManager: manager,
          force: flags.bool('force-conflicts') ? 'true' : 'false',
          dryRun: how.dryRun === 'server' ? 'All' : undefined,
        }),
      { body: marshal(sortKeys(object)), contentType: 'application/apply-patch+yaml', accept: 'application/json' },
    );
    await how.printer.print(answer, 'serverside-applied');
  } catch (error) {
    if (!isConflict(error)) throw error;
    throw new CliError(
      `${error.message}\nPlease review the fields above--they currently have other managers. Here\nare the ways you can resolve this warning:\n` +
        '* If you intend to manage all of these fields, please re-run the apply\n  command with the `--force-conflicts` flag.\n' +
        '* If you do not intend to manage all of the fields, please edit your\n  manifest to remove references to the fields that should keep their\n  current managers.\n' +
        "* You may co-own fields by updating your manifest to match the existing\n  value; in this case, you'll become the manager if the other manager(s)\n  stop managing the field (remove it from their configuration).\n" +
        'See http://k8s.io/docs/reference/using-api/api-concepts/#conflicts',
    );
  }
}

async function viewLastApplied(context: Context): Promise<void> {
  const { flags } = context;
  const { infos, errors } = await objectsOf(context, {
    args: context.args,
    filenames: filenamesOf(context),
    recursive: flags.bool('recursive'),
    selector: flags.string('selector'),
    all: flags.bool('all'),
    latest: true,
  });
  throwAll(errors);
  const output = flags.string('output') || 'yaml';
  if (output !== 'yaml' && output !== 'json')
    throw context.usage(`Unexpected -o output mode: ${output}, the flag 'output' must be one of yaml|json`);
  let isFirst = true;
  for (const info of infos) {
    const text = annotationOf(info.object, LAST_APPLIED);
    if (text === undefined) throw new CliError(`no last-applied-configuration annotation found on resource: ${info.name}`);
    const value = sortKeys(JSON.parse(text));
    if (output === 'json') await context.out(`${marshal(value, '  ')}\n`);
    else await context.out(`${isFirst ? '' : '---\n'}${toYaml(value)}`);
    isFirst = false;
  }
}

async function setLastApplied(context: Context): Promise<void> {
  const { flags } = context;
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, dryRun);
  const files = filenamesOf(context);
  const { infos, errors } = await objectsOf(context, {
    args: context.args,
    filenames: files,
    recursive: false,
    selector: '',
    all: false,
    latest: false,
  });
  throwAll(errors);
  for (const info of infos) {
    const wanted = `${marshal(sortKeys(info.object ?? {}))}\n`;
    const live = await getObject(context, info);
    const present = annotationOf(live, LAST_APPLIED);
    if (present === undefined && !flags.bool('create-annotation')) {
      throw new CliError(
        `no last-applied-configuration annotation found on resource: ${info.name}, to create the annotation, run the command with --create-annotation`,
      );
    }
    if (present === wanted) {
      await printer.print(live, 'configured');
      continue;
    }
    const answer =
      dryRun === 'client'
        ? live
        : await context.rest.json<JsonObject>(
            'PATCH',
            pathOf(info.mapping, { namespace: info.namespace, name: info.name }) +
              query({ dryRun: dryRun === 'server' ? 'All' : undefined }),
            {
              body: { metadata: { annotations: { [LAST_APPLIED]: wanted } } },
              contentType: 'application/merge-patch+json',
              accept: 'application/json',
            },
          );
    await printer.print(answer, 'configured');
  }
}
