// What the commands of `kubectl set` share: pod templates of any kind, changed and patched.

import { ApiError } from '../../../kube/machinery/api-error.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { objects, text } from '../describe/values.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import type { Info } from '../resource/infos.ts';
import { strategicDiff } from '../resource/strategic-merge.ts';
import { annotated, at, CHANGE_CAUSE, dryRunOf, recordedCommand, ResultPrinter, shouldRecord } from './common.ts';
import { forEach, patchObject, selectObjects } from './patching.ts';

/** Changes a pod spec; false leaves the object out. */
type Change = (spec: JsonObject, info: Info) => JsonObject | undefined;

export async function changeTemplates(
  context: Context,
  resources: readonly string[],
  done: string,
  change: Change,
  failure = '',
): Promise<void> {
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, dryRun);
  const isLocal = context.flags.bool('local');
  const { infos, errors } = await selectObjects(context, { args: resources, local: isLocal, all: context.flags.bool('all') });
  await forEach(infos, errors, async (info) => {
    const before = info.object ?? {};
    if (podSpecOf(before) === undefined)
      throw new CliError(`error: ${info.mapping.resource}/${info.name} ${noTemplate(before, info.mapping.version)}\n`);
    const changed = withPodSpec(before, (spec) => change(spec, info));
    if (changed === undefined) return;
    const after = shouldRecord(context) ? annotated(changed, CHANGE_CAUSE, recordedCommand(context)) : changed;
    if (isLocal || dryRun === 'client') {
      await printer.print(after, done);
      return;
    }
    const patch = strategicDiff(before, after);
    if (Object.keys(patch).length === 0) return;
    try {
      await printer.print(await patchObject(context, info, { body: patch, dryRun }), done);
    } catch (error) {
      if (!(error instanceof ApiError) || failure === '') throw error;
      throw new CliError(`${failure}: ${error.message}`);
    }
  });
}

/** Puts a changed pod spec back where the kind has it. */
export function withPodSpec(object: JsonObject, change: (spec: JsonObject) => JsonObject | undefined): JsonObject | undefined {
  const path = specPathOf(object);
  const spec = podSpecOf(object);
  if (spec === undefined) throw new CliError(noTemplate(object, text(object['apiVersion']).replace(/^.*\//, '')));
  const next = change(spec);
  if (next === undefined) return undefined;
  const put = (target: JsonObject, keys: readonly string[]): JsonObject => {
    const [key = '', ...rest] = keys;
    return { ...target, [key]: rest.length === 0 ? next : put((target[key] ?? {}) as JsonObject, rest) };
  };
  return put(object, path);
}

function specPathOf(object: JsonObject): readonly string[] {
  if (object['kind'] === 'Pod') return ['spec'];
  return object['kind'] === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template', 'spec'] : ['spec', 'template', 'spec'];
}

function podSpecOf(object: JsonObject): JsonObject | undefined {
  const spec = at(object, ...specPathOf(object));
  return isObject(spec) ? spec : undefined;
}

function noTemplate(object: JsonObject, version: string): string {
  return `the object is not a pod or does not have a pod template: *${version}.${text(object['kind'])}`;
}

export function split(
  context: Context,
  isPair: (arg: string) => boolean,
): { readonly resources: readonly string[]; readonly pairs: readonly string[] } {
  const first = context.args.findIndex(isPair);
  return first < 0 ? { resources: context.args, pairs: [] } : { resources: context.args.slice(0, first), pairs: context.args.slice(first) };
}

/** Containers whose name fits a pattern with `*`. */
export function mapContainers(
  spec: JsonObject,
  pattern: string,
  change: (container: JsonObject) => JsonObject,
): { readonly spec: JsonObject; readonly count: number } {
  const expression = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')}$`);
  let count = 0;
  const containers = objects(spec['containers']).map((container) => {
    if (!expression.test(text(container['name']))) return container;
    count++;
    return change(container);
  });
  return { spec: { ...spec, containers }, count };
}
