// Models `kubectl taint`.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { objects } from '../describe/values.ts';
import type { JsonObject } from '../printers/json.ts';
import { objectsOf } from '../resource/infos.ts';
import { equal } from '../resource/strategic-merge.ts';
import { at, dryRunOf, ResultPrinter } from './common.ts';
import { forEach, patchObject } from './patching.ts';

export const taint: Command = { name: 'taint', run };

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

async function run(context: Context): Promise<void> {
  const { flags, args } = context;
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, 'none');
  const first = args.findIndex((arg) => /[=:]/.test(arg) || arg.endsWith('-'));
  const resources = first < 0 ? args : args.slice(0, first);
  const specs = first < 0 ? [] : args.slice(first);
  const late = specs.find((spec) => !/[=:]/.test(spec) && !spec.endsWith('-'));
  if (late !== undefined) throw new CliError(`all resources must be specified before taint changes: ${late}`);
  const [type, ...names] = resources;
  if (type === undefined) throw new CliError('one or more resources must be specified as <resource> <name>');
  const mapping = await context.mapper.resourceFor(type.split('/')[0] ?? type);
  if (mapping.kind !== 'Node') throw new CliError(`invalid resource type ${type}, only node types are supported`);
  if (specs.length === 0) throw new CliError('at least one taint update is required');
  const additions: Taint[] = [];
  const removals: Taint[] = [];
  for (const spec of specs) (spec.endsWith('-') ? removals : additions).push(parse(context, spec));
  const selector = flags.string('selector');
  const { infos, errors } = await objectsOf(context, {
    args: type.includes('/') ? resources : [type, ...names],
    filenames: [],
    recursive: false,
    selector,
    all: flags.bool('all'),
    latest: true,
  });
  await context.flushWarnings();
  await forEach(infos, errors, async (info) => {
    const old = objects(at(info.object, 'spec', 'taints'));
    const { taints, operation } = change(info.name, old, additions, removals, flags.bool('overwrite'));
    const changed: JsonObject = { ...info.object, spec: { ...((info.object?.['spec'] ?? {}) as JsonObject), taints } };
    if (dryRun === 'client') {
      await printer.print(changed, operation);
      return;
    }
    const answer = equal(old, taints)
      ? (info.object ?? {})
      : await patchObject(context, info, { body: { spec: { taints: taints.length === 0 ? null : taints } }, dryRun });
    await printer.print(answer, operation);
  });
}

/** `key=value:effect`, `key:effect`, `key:effect-`, `key-`. */
function parse(context: Context, spec: string): Taint {
  const isRemoval = spec.endsWith('-');
  const bare = isRemoval ? spec.slice(0, -1) : spec;
  const parts = bare.split(':');
  if (parts.length > 2) throw context.usage(`invalid taint spec: ${bare}`);
  const [pair = '', effect = ''] = parts;
  if (effect === '' && !isRemoval) throw context.usage(`invalid taint spec: ${bare}`);
  if (effect !== '' && !EFFECTS.includes(effect)) throw context.usage(`invalid taint effect: ${effect}, unsupported taint effect`);
  const [key = '', value = '', ...rest] = pair.split('=');
  if (rest.length > 0 || key === '') throw context.usage(`invalid taint spec: ${bare}`);
  return { key, value, effect };
}

function change(
  node: string,
  old: readonly JsonObject[],
  additions: readonly Taint[],
  removals: readonly Taint[],
  overwrite: boolean,
): { readonly taints: readonly JsonObject[]; readonly operation: string } {
  const isSame = (a: JsonObject, b: Taint): boolean => a['key'] === b.key && a['effect'] === b.effect;
  const taken = additions.filter((taint) => old.some((other) => isSame(other, taint)));
  if (taken.length > 0 && !overwrite) {
    const keys = [...new Set(taken.map(({ key }) => key))].join(',');
    throw new CliError(`node ${node} already has ${keys} taint(s) with same effect(s) and --overwrite is false`);
  }
  let taints: JsonObject[] = [
    ...additions.map(({ key, value, effect }) => ({ effect, key, ...(value === '' ? {} : { value }) })),
    ...old.filter((other) => !additions.some((taint) => isSame(other, taint))),
  ];
  for (const { key, effect } of removals) {
    const kept = taints.filter((other) => !(other['key'] === key && (effect === '' || other['effect'] === effect)));
    if (kept.length === taints.length) throw new CliError(`taint "${key}${effect === '' ? '' : `:${effect}`}" not found`);
    taints = kept;
  }
  const operation = removals.length === 0 ? (taken.length > 0 ? 'modified' : 'tainted') : additions.length === 0 ? 'untainted' : 'modified';
  return { taints, operation };
}
