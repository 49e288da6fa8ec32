// Models `kubectl edit`: the object in an editor, again with its errors when it is refused.

import { ApiError } from '../../../kube/machinery/api-error.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError, throwAll } from '../errors.ts';
import { isObject, marshal, sortKeys, type JsonObject } from '../printers/json.ts';
import { toYaml } from '../printers/yaml.ts';
import { NOTHING_SELECTED, type Info } from '../resource/infos.ts';
import { OpenApi } from '../resource/openapi.ts';
import { isKnownKind, mergePatchDiff, strategicDiff } from '../resource/strategic-merge.ts';
import { validate } from '../resource/validation.ts';
import { decodeYaml, YamlError } from '../../../kube/machinery/yaml-decode.ts';
import { filenamesOf } from './common.ts';
import { patchObject, selectObjects, withRecords } from './patching.ts';

export const edit: Command = { name: 'edit', run };

const HEADER =
  "# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant failures.\n#\n";
const NAME_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

async function run(context: Context): Promise<void> {
  if (context.args.length === 0 && filenamesOf(context).length === 0) throw new CliError(NOTHING_SELECTED);
  const { infos, errors } = await selectObjects(context, { args: context.args, all: true });
  throwAll(errors);
  if (infos.length === 0) throw new CliError('edit cancelled, no objects found');
  for (const info of infos) await editOne(context, info);
}

async function editOne(context: Context, info: Info): Promise<void> {
  const isJson = context.flags.string('output') === 'json';
  const object = withoutManagedFields(info.object ?? {});
  const render = (value: JsonObject): string => (isJson ? `${marshal(sortKeys(value), '    ')}\n` : toYaml(value));
  const original = render(object);
  let contents = original;
  let failures: readonly string[] = [];
  let last: { readonly path: string; readonly text: string } | undefined;
  const label = `${info.mapping.resource}${info.mapping.group === '' ? '' : `.${info.mapping.group}`} "${info.name}"`;
  for (;;) {
    const shown = `${isJson ? '' : headerOf(label, failures)}${contents}`;
    const path = writeTemporary(context, isJson ? 'json' : 'yaml', shown);
    const status = await openEditor(context, path);
    if (status !== 0) throw new CliError(`there was a problem with the editor "${editorOf(context).join(' ')}"`);
    const text = context.readTextFile(path);
    const body = stripComments(text);
    if (failures.length > 0 && last !== undefined && body === stripComments(last.text)) {
      await context.err(`error: ${label} is invalid\nA copy of your changes has been stored to "${path}"\n`);
      throw new CliError('Edit cancelled, no valid changes were saved.');
    }
    if (failures.length > 0 && last !== undefined) context.process.sys.unlink(last.path);
    if (body === stripComments(original)) {
      context.process.sys.unlink(path);
      await context.err('Edit cancelled, no changes made.\n');
      return;
    }
    if (body.trim() === '') {
      context.process.sys.unlink(path);
      await context.err('Edit cancelled, saved file was empty.\n');
      return;
    }
    last = { path, text };
    contents = body;
    const problem = await save(context, info, object, body);
    if (problem === undefined) {
      context.process.sys.unlink(path);
      return;
    }
    failures = problem;
  }
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const { managedFields, ...rest } = metadata;
  void managedFields;
  return { ...object, metadata: rest };
}

function headerOf(label: string, failures: readonly string[]): string {
  if (failures.length === 0) return HEADER;
  return `${HEADER}# ${label} was not valid:\n${failures.map((failure) => `# * ${failure}\n`).join('')}#\n`;
}

function stripComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
}

/** Tries to save; returns what was wrong, or nothing when it is done. */
async function save(context: Context, info: Info, original: JsonObject, text: string): Promise<readonly string[] | undefined> {
  let edited: unknown;
  try {
    edited = decodeYaml(text);
  } catch (error) {
    if (error instanceof YamlError)
      return [
        `<nil>: Invalid value: "The edited file had a syntax error": error parsing edited-file: error converting YAML to JSON: yaml: ${error.message}`,
      ];
    throw error;
  }
  if (!isObject(edited)) return ['<nil>: Invalid value: "The edited file failed validation": invalid object to validate'];
  if (context.flags.bool('validate')) {
    const problems = validate(await schemaOf(context), edited);
    if (problems.length > 0)
      return [
        `<nil>: Invalid value: "The edited file failed validation": ${problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`}`,
      ];
  }
  const next = withRecords(context, edited);
  const patch = isKnownKind(info.mapping) ? strategicDiff(original, next) : mergePatchDiff(original, next);
  try {
    const answer = await patchObject(context, info, {
      body: patch,
      type: isKnownKind(info.mapping) ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json',
    });
    if (context.flags.bool('output-patch')) await context.out(`Patch: ${marshal(patch)}\n`);
    await context.out(`${nameLine(answer, info)}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status.reason === 'Invalid')
      return (error.status.details?.causes ?? []).map((cause) => `${cause.field ?? ''}: ${cause.message ?? ''}`);
    if (error.status.reason === 'NotFound')
      throw new ExitError(1, `error: ${info.mapping.resource} "${info.name}" could not be found on the server`);
    return [error.message];
  }
}

function nameLine(answer: JsonObject, info: Info): string {
  const kind = String(answer['kind'] ?? info.mapping.kind).toLowerCase();
  return `${kind}${info.mapping.group === '' ? '' : `.${info.mapping.group}`}/${info.name} edited\n`;
}

async function schemaOf(context: Context): Promise<OpenApi> {
  try {
    return await OpenApi.load(context);
  } catch (error) {
    if (error instanceof ApiError && error.status.reason === 'NotFound') return new OpenApi({});
    throw error;
  }
}

function writeTemporary(context: Context, extension: string, contents: string): string {
  const { sys } = context.process;
  const name = Array.from({ length: 5 }, () => NAME_LETTERS[sys.rng.int(NAME_LETTERS.length)] ?? 'x').join('');
  const path = `${context.process.env.get('TMPDIR') ?? '/tmp'}/kubectl-edit-${name}.${extension}`;
  sys.writeFile(path, contents, { mode: 0o600 });
  return path;
}

function editorOf(context: Context): readonly string[] {
  const { env } = context.process;
  const given = env.get('KUBE_EDITOR') || env.get('EDITOR') || 'vi';
  return given.split(/\s+/).filter((word) => word !== '');
}

/** Runs the editor on the terminal; its exit status. */
async function openEditor(context: Context, path: string): Promise<number> {
  const { sys, env } = context.process;
  const [name = 'vi', ...args] = editorOf(context);
  const program = name.includes('/') ? name : lookUp(context, name);
  if (program === undefined) throw new CliError(`unable to launch the editor "${name}"`);
  const pid = sys.spawn(program, [name, ...args, path], { env });
  const result = await sys.wait(pid);
  return result?.kind === 'exited' ? result.status : 1;
}

/** Finds a program on the PATH. */
export function lookUp(context: Context, name: string): string | undefined {
  for (const folder of (context.process.env.get('PATH') ?? '/usr/bin:/bin').split(':')) {
    const path = `${folder}/${name}`;
    try {
      context.process.sys.access(path, { execute: true });
      return path;
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
  }
  return undefined;
}
