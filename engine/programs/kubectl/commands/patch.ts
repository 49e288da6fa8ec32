// Models `kubectl patch` and `kubectl replace`.

import { isNotFound } from '../../../kube/machinery/api-error.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll, withSource } from '../errors.ts';
import { groupKind, pathOf, query } from '../factory/rest-mapper.ts';
import { marshal, sortKeys, type JsonObject } from '../printers/json.ts';
import { getObject, infosFromFiles, objectsOf, type Info } from '../resource/infos.ts';
import { decodeYaml, YamlError } from '../../../kube/machinery/yaml-decode.ts';
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
  withConfiguration,
} from './common.ts';
import { deleteObject } from './delete.ts';
import { forEach, patchObject, recordChange } from './patching.ts';
import { waitForDeletion } from './wait-deleted.ts';
import { equal } from '../resource/strategic-merge.ts';
import { rawRequest } from './get.ts';
import { applyJsonPatch, applyMergePatch, PatchError, type JsonPatchOperation } from '../../../kube/machinery/json-patch.ts';
import { structOf } from '../../../kube/machinery/schema/schema.ts';
import { applyStrategicMergePatch, StrategicError } from '../../../kube/machinery/strategic-merge.ts';
import { sourcesOf } from '../resource/files.ts';

export const patch: Command = { name: 'patch', run: runPatch };
export const replace: Command = { name: 'replace', run: runReplace };

const TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

async function runPatch(context: Context): Promise<void> {
  const { flags } = context;
  const given = flags.string('patch');
  const file = flags.string('patch-file');
  if (given === '' && file === '') throw new CliError('must specify --patch or --patch-file containing the contents of the patch');
  if (given !== '' && file !== '') throw new CliError('cannot specify --patch and --patch-file together');
  const typeName = flags.string('type').toLowerCase();
  if (!(typeName in TYPES)) throw new CliError(`--type must be one of [json merge strategic], not "${flags.string('type')}"`);
  const type = TYPES[typeName as keyof typeof TYPES];
  const body = patchBody(file === '' ? given : context.readTextFile(file));
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, 'none');
  const isLocal = flags.bool('local');
  const files = filenamesOf(context);
  const { infos, errors } = await objectsOf(context, {
    args: context.args,
    filenames: files,
    recursive: flags.bool('recursive'),
    selector: '',
    all: false,
    // The object of a file is not read from the server: what the patch changes is told against the file.
    latest: files.length === 0,
    ...(isLocal ? { local: true } : {}),
  });
  await context.flushWarnings();
  await forEach(infos, errors, async (info) => {
    if (isLocal || dryRun === 'client') {
      const patched = patchedLocally(info, body, type);
      await printer.print(patched, equal(info.object, patched) ? 'patched (no change)' : 'patched');
      return;
    }
    const answer = await patchObject(context, info, { body, type, dryRun });
    await recordChange(context, info);
    await printer.print(answer, equal(info.object, answer) ? 'patched (no change)' : 'patched');
  });
  if (infos.length === 0 && errors.length === 0) throw new CliError('no objects passed to patch');
}

/** What the server would make of it, but for defaults and checks. */
function patchedLocally(info: Info, body: string, type: (typeof TYPES)[keyof typeof TYPES]): JsonObject {
  const object = info.object ?? {};
  const patch = JSON.parse(body) as unknown;
  try {
    if (type === TYPES.json) return applyJsonPatch(object, patch as readonly JsonPatchOperation[]) as JsonObject;
    if (type === TYPES.merge) return applyMergePatch(object, patch) as JsonObject;
    const { group, version, kind } = info.mapping;
    const struct = structOf(group, version, kind);
    if (struct === undefined)
      throw new CliError(`cannot apply strategic merge patch for ${group}/${version}, Kind=${kind} locally, try --type merge`);
    return applyStrategicMergePatch(object, patch as JsonObject, struct);
  } catch (error) {
    if (error instanceof PatchError || error instanceof StrategicError) throw new CliError(error.message);
    throw error;
  }
}

/** JSON, or YAML made JSON. */
function patchBody(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  try {
    return marshal(sortKeys(decodeYaml(text)));
  } catch (error) {
    if (error instanceof YamlError) throw new CliError(`unable to parse "${text}": yaml: ${error.message}`);
    throw error;
  }
}

async function runReplace(context: Context): Promise<void> {
  const { flags } = context;
  const files = filenamesOf(context, { required: true });
  const raw = flags.string('raw');
  if (raw !== '') {
    const body = await (sourcesOf(context, files, false)[0]?.read() ?? Promise.resolve(''));
    await context.out(await rawRequest(context, 'PUT', raw, body));
    return;
  }
  if (flags.int('grace-period') >= 0 && !flags.bool('force')) throw new CliError('--grace-period must have --force specified');
  if (flags.duration('timeout') !== 0 && !flags.bool('force')) throw new CliError('--timeout must have --force specified');
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, dryRun);
  const namespace = context.namespace();
  const validate = validation(context);
  const found = await infosFromFiles(context, {
    filenames: files,
    recursive: flags.bool('recursive'),
    namespace: namespace.name,
    enforceNamespace: namespace.isExplicit,
    ...(validate === undefined ? {} : { validate }),
  });
  throwAll(found.errors);
  if (flags.bool('force')) await forceDelete(context, found.infos);
  await forEach(found.infos, [], async (info) => {
    const object = withRecord(context, info.object ?? {});
    if (dryRun === 'client') {
      await printer.print(object, 'replaced');
      return;
    }
    try {
      await printer.print(
        await (flags.bool('force') ? post(context, info, object) : put(context, info, object, dryRun === 'server')),
        'replaced',
      );
    } catch (error) {
      throw withSource('replacing', info.source, error);
    }
  });
}

function withRecord(context: Context, object: JsonObject): JsonObject {
  const recorded = shouldRecord(context) ? annotated(object, CHANGE_CAUSE, recordedCommand(context)) : object;
  if (context.flags.bool('save-config') || annotationOf(object, LAST_APPLIED) !== undefined) return withConfiguration(recorded);
  return recorded;
}

async function put(context: Context, info: Info, object: JsonObject, isServerDryRun: boolean): Promise<JsonObject> {
  const version = at(object, 'metadata', 'resourceVersion') ?? at(await getObject(context, info), 'metadata', 'resourceVersion');
  const body = sortKeys({ ...object, metadata: { ...(object['metadata'] as JsonObject), resourceVersion: version } });
  const target =
    pathOf(info.mapping, { namespace: info.namespace, name: info.name }) +
    query({ fieldManager: context.flags.string('field-manager'), dryRun: isServerDryRun ? 'All' : undefined });
  return context.rest.json<JsonObject>('PUT', target, { body, accept: 'application/json' });
}

function post(context: Context, info: Info, object: JsonObject): Promise<JsonObject> {
  return context.rest.json<JsonObject>(
    'POST',
    pathOf(info.mapping, { namespace: info.namespace }) + query({ fieldManager: context.flags.string('field-manager') }),
    { body: sortKeys(object), accept: 'application/json' },
  );
}

async function forceDelete(context: Context, infos: readonly Info[]): Promise<void> {
  const deleted: { info: Info; uid: string }[] = [];
  for (const info of infos) {
    try {
      deleted.push({
        info,
        uid: await deleteObject(context, info, { graceSeconds: context.flags.int('grace-period'), cascade: 'Background', dryRun: 'none' }),
      });
      await context.out(`${groupKind(info.mapping)} "${info.name}" deleted\n`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  await waitForDeletion(context, deleted, context.flags.duration('timeout'));
}
