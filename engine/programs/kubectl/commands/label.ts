// Models `kubectl label` and `kubectl annotate`.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { equal } from '../resource/strategic-merge.ts';
import { at, CHANGE_CAUSE, dryRunOf, filenamesOf, recordedCommand, ResultPrinter, shouldRecord } from './common.ts';
import { forEach, patchObject, selectObjects } from './patching.ts';

interface Kind {
  readonly field: 'labels' | 'annotations';
  readonly noun: 'label' | 'annotation';
  readonly done: 'labeled' | 'annotated';
}

const LABEL: Kind = { field: 'labels', noun: 'label', done: 'labeled' };
const ANNOTATION: Kind = { field: 'annotations', noun: 'annotation', done: 'annotated' };

export const label: Command = { name: 'label', run: (context) => run(context, LABEL) };
export const annotate: Command = { name: 'annotate', run: (context) => run(context, ANNOTATION) };

const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const VALUE_HINT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

async function run(context: Context, kind: Kind): Promise<void> {
  const { flags } = context;
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, kind === LABEL ? 'none' : dryRun);
  const { resources, pairs } = split(context.args, kind);
  const { changes, removals } = parse(pairs, kind);
  const files = filenamesOf(context);
  if (resources.length === 0 && files.length === 0)
    throw new CliError('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  if (pairs.length === 0 && !flags.bool('list')) throw new CliError(`at least one ${kind.noun} update is required`);
  const isLocal = flags.bool('local');
  const { infos, errors } = await selectObjects(context, { args: resources, local: isLocal });
  await forEach(infos, errors, async (info) => {
    const object = info.object ?? {};
    const old = at(object, 'metadata', kind.field);
    const present: JsonObject = isObject(old) ? old : {};
    if (flags.bool('list')) {
      const isOne = infos.length === 1;
      const { kind: objectKind, group } = info.mapping;
      if (!isOne) await context.out(`Listing ${kind.field} for ${objectKind}.${group}/${info.name}:\n`);
      for (const key of Object.keys(present).sort()) await context.out(`${isOne ? '' : ' '}${key}=${String(present[key])}\n`);
      return;
    }
    if (!flags.bool('overwrite')) refuseOverwrites(changes, present, kind);
    for (const key of removals) if (!(key in present) && kind === LABEL) await context.out(`label "${key}" not found.\n`);
    const next: JsonObject = { ...present, ...changes };
    for (const key of removals) delete next[key];
    const record = shouldRecord(context) ? recordedCommand(context) : undefined;
    const version = flags.string('resource-version');
    const changed = { ...object, metadata: { ...(object['metadata'] as JsonObject), [kind.field]: next } };
    const isUnchanged = equal(present, next) && record === undefined && version === '';
    const operation = equal(present, next) && kind === LABEL ? 'not labeled' : kind.done;
    if (isLocal || dryRun === 'client' || (isUnchanged && kind === LABEL)) {
      await printer.print(changed, operation);
      return;
    }
    const delta: JsonObject = Object.fromEntries([
      ...Object.entries(changes).filter(([key, value]) => present[key] !== value),
      ...removals.filter((key) => key in present).map((key) => [key, null]),
    ]);
    const metadata: JsonObject = Object.keys(delta).length === 0 ? {} : { [kind.field]: delta };
    if (record !== undefined) metadata['annotations'] = { ...((metadata['annotations'] ?? {}) as JsonObject), [CHANGE_CAUSE]: record };
    if (version !== '') metadata['resourceVersion'] = version;
    const answer = await patchObject(context, info, {
      body: Object.keys(metadata).length === 0 ? {} : { metadata },
      type: 'application/merge-patch+json',
      dryRun,
    });
    await printer.print(answer, operation);
  });
}

/** Resources first, then `key=value` and `key-`. */
function split(args: readonly string[], kind: Kind): { readonly resources: readonly string[]; readonly pairs: readonly string[] } {
  const isPair = (arg: string): boolean => (arg.includes('=') && !arg.startsWith('=')) || arg.endsWith('-');
  const first = args.findIndex(isPair);
  if (first < 0) return { resources: args, pairs: [] };
  const late = args.slice(first).find((arg) => !isPair(arg));
  if (late !== undefined) throw new CliError(`all resources must be specified before ${kind.noun} changes: ${late}`);
  return { resources: args.slice(0, first), pairs: args.slice(first) };
}

function parse(
  pairs: readonly string[],
  kind: Kind,
): { readonly changes: Readonly<Record<string, string>>; readonly removals: readonly string[] } {
  const changes: Record<string, string> = {};
  const removals: string[] = [];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 0) {
      removals.push(pair.slice(0, -1));
      continue;
    }
    const key = pair.slice(0, equals);
    const value = pair.slice(equals + 1);
    if (kind === LABEL && value.includes('=')) throw new CliError(`invalid label spec: ${pair}`);
    if (kind === LABEL && !VALUE.test(value)) throw new CliError(`invalid label value: "${pair}": ${VALUE_HINT}`);
    changes[key] = value;
  }
  const both = removals.find((key) => key in changes);
  if (both !== undefined)
    throw new CliError(
      kind === LABEL
        ? 'can not both modify and remove a label in the same command'
        : `can not both modify and remove the following annotation(s) in the same command: ${both}`,
    );
  return { changes, removals };
}

function refuseOverwrites(changes: Readonly<Record<string, string>>, present: JsonObject, kind: Kind): void {
  const taken = Object.keys(changes)
    .sort()
    .filter((key) => key in present && !(kind === ANNOTATION && key === CHANGE_CAUSE));
  if (taken.length === 0) return;
  const texts = taken.map((key) => `'${key}' already has a value (${String(present[key])})`);
  if (kind === LABEL) throwAll(texts.map((each) => new CliError(`${each}, and --overwrite is false`)));
  throw new CliError(`--overwrite is false but found the following declared annotation(s): ${texts.join('; ')}`);
}
