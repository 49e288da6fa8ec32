// What commands that change one object share: selecting objects, patching them, printing what became of them.

import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { pathOf, query } from '../factory/rest-mapper.ts';
import type { JsonObject } from '../printers/json.ts';
import { objectsOf, type Info } from '../resource/infos.ts';
import {
  annotated,
  annotationOf,
  CHANGE_CAUSE,
  filenamesOf,
  LAST_APPLIED,
  recordedCommand,
  shouldRecord,
  type DryRun,
  withConfiguration,
} from './common.ts';

export interface Selection {
  readonly args: readonly string[];
  readonly local?: boolean;
  readonly all?: boolean;
}

/** The objects that the arguments, files and selectors of a command name, read from the server. */
export async function selectObjects(
  context: Context,
  selection: Selection,
): Promise<{ readonly infos: readonly Info[]; readonly errors: readonly Error[] }> {
  const { flags } = context;
  const text = (name: string): string => (flags.has(name) ? flags.string(name) : '');
  const result = await objectsOf(context, {
    args: selection.args,
    filenames: filenamesOf(context),
    recursive: flags.bool('recursive'),
    selector: text('selector'),
    fieldSelector: text('field-selector'),
    all: selection.all ?? flags.bool('all'),
    latest: selection.local !== true,
    ...(selection.local === undefined ? {} : { local: selection.local }),
  });
  await context.flushWarnings();
  return result;
}

export interface PatchRequest {
  readonly body: unknown;
  readonly type?: 'application/strategic-merge-patch+json' | 'application/merge-patch+json' | 'application/json-patch+json';
  readonly dryRun?: DryRun;
  readonly manager?: string;
}

export function patchObject(context: Context, info: Info, request: PatchRequest): Promise<JsonObject> {
  const manager = request.manager ?? (context.flags.has('field-manager') ? context.flags.string('field-manager') : undefined);
  return context.rest.json<JsonObject>(
    'PATCH',
    pathOf(info.mapping, { namespace: info.namespace, name: info.name }) +
      query({ fieldManager: manager, dryRun: request.dryRun === 'server' ? 'All' : undefined }),
    { body: request.body, contentType: request.type ?? 'application/strategic-merge-patch+json', accept: 'application/json' },
  );
}

/** Notes the command line as the change's cause when --record asks for it. */
export async function recordChange(context: Context, info: Info): Promise<void> {
  if (!shouldRecord(context)) return;
  await patchObject(context, info, { body: { metadata: { annotations: { [CHANGE_CAUSE]: recordedCommand(context) } } } });
}

/** The object with --record's annotation, and apply's renewed where it is or --save-config asks for it. */
export function withRecords(context: Context, object: JsonObject): JsonObject {
  const recorded = shouldRecord(context) ? annotated(object, CHANGE_CAUSE, recordedCommand(context)) : object;
  if (context.flags.bool('save-config')) return withConfiguration(recorded);
  return annotationOf(object, LAST_APPLIED) === undefined ? recorded : withConfiguration(recorded);
}

/** Runs `work` for each and throws what failed at the end. */
export async function forEach(infos: readonly Info[], errors: readonly Error[], work: (info: Info) => Promise<void>): Promise<void> {
  const failures: Error[] = [...errors];
  for (const info of infos) {
    try {
      await work(info);
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      failures.push(error);
    }
  }
  throwAll(failures);
}

/** `resource "name" why`, as rollout words its refusals. */
export function refusal(info: Info, why: string): CliError {
  const resource = info.mapping.group === '' ? info.mapping.resource : `${info.mapping.resource}.${info.mapping.group}`;
  return new CliError(`${resource} "${info.name}" ${why}`);
}

/** rollout's commands want something to work on. */
export function requireResource(context: Context): void {
  if (context.args.length === 0 && filenamesOf(context).length === 0) throw new CliError('required resource not specified');
}
