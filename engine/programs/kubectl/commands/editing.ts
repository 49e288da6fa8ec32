// Models kubectl's editing: objects in an editor as one file, again with their errors when they are refused.

import { ApiError, isNotFound } from '../../../kube/machinery/api-error.ts';
import { decodeYaml, YamlError } from '../../../kube/machinery/yaml-decode.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError } from '../errors.ts';
import { pathOf, query } from '../factory/rest-mapper.ts';
import { isObject, marshal, sortKeys, type JsonObject } from '../printers/json.ts';
import { toYaml } from '../printers/yaml.ts';
import { infosOfSource, type Info } from '../resource/infos.ts';
import { OpenApi } from '../resource/openapi.ts';
import { equal, isKnownKind, mergePatchDiff, strategicDiff } from '../resource/strategic-merge.ts';
import { validate } from '../resource/validation.ts';
import { at, LAST_APPLIED, ResultPrinter } from './common.ts';
import { removeFile, runEditor, writeTemporary } from './editor.ts';
import { patchObject, withRecords } from './patching.ts';

/** What becomes of the edited objects: patches, new objects, or what counts as applied last. */
export type EditMode = 'edit' | 'create' | 'last applied';

/** Why the editor opens again. */
interface Reason {
  readonly head: string;
  readonly causes: readonly string[];
}

/** What saving came to. */
interface Outcome {
  readonly reasons: Reason[];
  /** Objects that were refused for a passing reason, and objects that are gone. */
  retryable: number;
  missing: number;
}

const HEADERS: Readonly<Record<EditMode, string>> = {
  edit: "# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant failures.\n#\n",
  create:
    "# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant failures.\n#\n",
  'last applied':
    "# Please edit the 'last-applied-configuration' annotations below.\n# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.\n#\n",
};

export async function editTogether(context: Context, infos: readonly Info[], mode: EditMode): Promise<void> {
  const output = context.flags.string('output');
  if (!['', 'json', 'yaml'].includes(output))
    throw new CliError(
      `unable to match a printer suitable for the output format ${JSON.stringify(output)}, allowed formats are: json,yaml`,
    );
  const isJson = output === 'json';
  const originals = infos.map((info) => ({ ...info, object: withoutManagedFields(info.object ?? {}) }));
  const originalText = render(originals, isJson);
  let contents = originalText;
  let reasons: readonly Reason[] = [];
  let lastPath: string | undefined;
  for (;;) {
    const shown = `${isJson ? '' : headerOf(mode, reasons)}${contents}`;
    const path = writeTemporary(context, isJson ? 'json' : 'yaml', shown);
    await runEditor(context, path);
    const text = context.readTextFile(path);
    if (reasons.length > 0 && isSameValue(contents, text)) {
      await sayStored(context, path);
      throw new CliError('Edit cancelled, no valid changes were saved.');
    }
    if (lastPath !== undefined) removeFile(context, lastPath);
    lastPath = path;
    contents = withoutRemarks(text);
    const problem = await validationProblem(context, text);
    if (problem !== undefined) {
      const label = labelOf(originals[0]);
      await context.err(`error: ${label} is invalid\n`);
      const cause = `<nil>: Invalid value: "The edited file failed validation": ${problem}`;
      reasons = [{ head: `${label} was not valid`, causes: [cause] }];
      continue;
    }
    if (isSameValue(originalText, text) || withoutRemarks(text).trim() === '') {
      removeFile(context, path);
      await context.err(`Edit cancelled, ${isSameValue(originalText, text) ? 'no changes made' : 'saved file was empty'}.\n`);
      return;
    }
    const edited = await parsedObjects(context, text);
    if (edited instanceof CliError) {
      reasons = [{ head: `The edited file had a syntax error: ${edited.message}`, causes: [] }];
      continue;
    }
    const outcome: Outcome = { reasons: [], retryable: 0, missing: 0 };
    try {
      for (const info of edited) await save(context, inNamespace(context, info), originals, mode, outcome);
    } catch (error) {
      if (error instanceof Error && error.name !== 'ProcessExit') await sayStored(context, path);
      throw error;
    }
    if (outcome.retryable > 0)
      throw new ExitError(1, await told(context, `You can run \`kubectl replace -f ${path}\` to try this update again.\n`));
    if (outcome.missing > 0)
      throw new ExitError(1, await told(context, `The edits you made on deleted resources have been saved to ${JSON.stringify(path)}\n`));
    if (outcome.reasons.length === 0) {
      removeFile(context, path);
      return;
    }
    reasons = outcome.reasons;
  }
}

async function told(context: Context, text: string): Promise<string> {
  await context.err(text);
  return '';
}

async function sayStored(context: Context, path: string): Promise<void> {
  if (context.process.sys.exists(path)) await context.err(`A copy of your changes has been stored to ${JSON.stringify(path)}\n`);
}

function render(infos: readonly Info[], isJson: boolean): string {
  const [first] = infos;
  const value =
    infos.length === 1
      ? (first?.object ?? {})
      : { apiVersion: 'v1', items: infos.map((info) => info.object ?? {}), kind: 'List', metadata: {} };
  return isJson ? `${marshal(sortKeys(value), '    ')}\n` : toYaml(value);
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const { managedFields, ...metadata } = isObject(object['metadata']) ? object['metadata'] : {};
  void managedFields;
  return { ...object, metadata };
}

function headerOf(mode: EditMode, reasons: readonly Reason[]): string {
  const commented = (text: string): string => text.replace(/\n(?=[^#])/g, '\n# ');
  const parts = reasons.map(({ head, causes }) => {
    const lines = causes.map((cause) => `# * ${commented(cause)}\n`).join('');
    return `# ${commented(head)}${causes.length > 0 ? ':' : ''}\n${lines}#\n`;
  });
  return HEADERS[mode] + parts.join('');
}

function withoutRemarks(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .join('\n');
}

/** Compares what the texts mean where they can be read, their lines where not. */
function isSameValue(a: string, b: string): boolean {
  try {
    return equal(decodeYaml(a), decodeYaml(b));
  } catch (error) {
    if (error instanceof YamlError) return withoutRemarks(a) === withoutRemarks(b);
    throw error;
  }
}

/** What --validate finds; undefined when all is well. */
async function validationProblem(context: Context, text: string): Promise<string | undefined> {
  const { flags } = context;
  if (flags.has('validate') && !flags.bool('validate')) return undefined;
  let value: unknown;
  try {
    value = decodeYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    // Two checks read the file, the second of them as JSON.
    const [first = ''] = withoutRemarks(text).trim();
    return `[yaml: ${error.message}, invalid character '${first}' looking for beginning of value]`;
  }
  const problems = flags.has('validate') ? validate(await schemaOf(context), value) : [];
  if (problems.length === 0) return undefined;
  return problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
}

async function schemaOf(context: Context): Promise<OpenApi> {
  try {
    return await OpenApi.load(context);
  } catch (error) {
    if (isNotFound(error)) return new OpenApi({});
    throw error;
  }
}

async function parsedObjects(context: Context, text: string): Promise<readonly Info[] | CliError> {
  try {
    const source = { source: 'edited-file', read: () => Promise.resolve(text) };
    return await infosOfSource(context, source, { recursive: false, namespace: '', enforceNamespace: false });
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
}

/** The namespace of an object must not be changed while it is edited. */
function inNamespace(context: Context, info: Info): Info {
  if (!info.mapping.isNamespaced) return info;
  const wanted = context.namespace().name;
  if (info.namespace === '') {
    const object = info.object ?? {};
    const metadata = isObject(object['metadata']) ? object['metadata'] : {};
    return { ...info, namespace: wanted, object: { ...object, metadata: { ...metadata, namespace: wanted } } };
  }
  if (info.namespace === wanted) return info;
  throw new CliError(
    `the namespace from the provided object "${info.namespace}" does not match the namespace "${wanted}". You must pass '--namespace=${info.namespace}' to perform this operation.`,
  );
}

function labelOf(info: Info | undefined): string {
  if (info === undefined) return '';
  const { resource, group } = info.mapping;
  return `${group === '' ? resource : `${resource}.${group}`} ${JSON.stringify(info.name)}`;
}

async function save(context: Context, info: Info, originals: readonly Info[], mode: EditMode, outcome: Outcome): Promise<void> {
  const printer = new ResultPrinter(context, 'none');
  const edited = info.object ?? {};
  if (mode === 'create') {
    const target = pathOf(info.mapping, { namespace: info.namespace }) + query({ fieldManager: 'kubectl-create' });
    const body = sortKeys(withRecords(context, edited));
    await printer.print(await context.rest.json<JsonObject>('POST', target, { body, accept: 'application/json' }), 'created');
    return;
  }
  const uid = at(edited, 'metadata', 'uid');
  const original = originals.find((each) => at(each.object, 'metadata', 'uid') === uid);
  if (original === undefined) throw new CliError('no original object found');
  const before = inNamespace(context, original).object ?? {};
  if (mode === 'last applied') {
    const isSame = equal(before, edited);
    if (!isSame) {
      const annotations = { [LAST_APPLIED]: `${marshal(sortKeys(edited))}\n` };
      await patchObject(context, info, { body: { metadata: { annotations } }, type: 'application/merge-patch+json' });
    }
    await printer.print(edited, isSame ? 'skipped' : 'edited');
    return;
  }
  const next = withRecords(context, edited);
  if (equal(before, next)) {
    await printer.print(edited, 'skipped');
    return;
  }
  for (const path of [['apiVersion'], ['kind'], ['metadata', 'name']]) {
    if (at(before, ...path) !== at(next, ...path)) throw new CliError('At least one of apiVersion, kind and name was changed');
  }
  await patch(context, info, { before, next }, printer, outcome);
}

async function patch(
  context: Context,
  info: Info,
  { before, next }: { readonly before: JsonObject; readonly next: JsonObject },
  printer: ResultPrinter,
  outcome: Outcome,
): Promise<void> {
  const isStrategic = isKnownKind(info.mapping);
  const body = isStrategic ? strategicDiff(before, next) : mergePatchDiff(before, next);
  if (context.flags.bool('output-patch')) await context.out(`Patch: ${marshal(body)}\n`);
  const type = isStrategic ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json';
  try {
    await printer.print(await patchObject(context, info, { body, type }), 'edited');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const label = labelOf(info);
    if (error.status.reason === 'Invalid') {
      const causes = (error.status.details?.causes ?? []).map((cause) => `${cause.field ?? ''}: ${cause.message ?? ''}`);
      outcome.reasons.push({ head: `${label} was not valid`, causes });
      await context.err(`error: ${label} is invalid\n`);
    } else if (error.status.reason === 'NotFound') {
      outcome.missing++;
      await context.err(`error: ${label} could not be found on the server\n`);
    } else {
      outcome.retryable++;
      await context.err(`error: ${label} could not be patched: ${error.message}\n`);
    }
  }
}
