// Models `kubectl set`: image, resources, selector, serviceaccount and subject.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { objects, text } from '../describe/values.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { NOTHING_SELECTED } from '../resource/infos.ts';
import { selectorProblem } from '../resource/selector-problem.ts';
import { strategicDiff } from '../resource/strategic-merge.ts';
import { dryRunOf, filenamesOf, ResultPrinter } from './common.ts';
import { selectorObject } from './create-generators.ts';
import { forEach, patchObject, selectObjects } from './patching.ts';
import { quantities } from './run.ts';
import { setEnv } from './set-env.ts';
import { changeTemplates, mapContainers, split } from './set-template.ts';

export const set: Command = {
  name: 'set',
  group: { stream: 'err', status: 1 },
  subcommands: [
    { name: 'image', run: setImage },
    { name: 'resources', run: setResources },
    { name: 'selector', run: setSelector },
    { name: 'serviceaccount', aliases: ['sa'], run: setServiceAccount },
    { name: 'subject', run: setSubject },
    { name: 'env', run: setEnv },
  ],
};

async function setImage(context: Context): Promise<void> {
  const { resources, pairs } = split(context, (arg) => arg.includes('='));
  if (resources.length === 0 && filenamesOf(context).length === 0) throw new CliError(NOTHING_SELECTED);
  if (pairs.length === 0) {
    await selectObjects(context, { args: resources });
    throw new CliError('at least one image update is required');
  }
  const images = new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const));
  if (images.has('*') && images.size > 1)
    throw new CliError('all containers are already specified by *, but saw more than one container_name=container_image pairs');
  await changeTemplates(context, resources, 'image updated', (spec) => {
    const out = { ...spec };
    for (const [name, image] of images) {
      let isFound = false;
      for (const field of ['initContainers', 'containers']) {
        if (!Array.isArray(out[field])) continue;
        out[field] = objects(out[field]).map((container) => {
          if (container['name'] !== name && name !== '*') return container;
          isFound = true;
          return { ...container, image };
        });
      }
      if (!isFound) throw new CliError(`unable to find container named "${name}"`);
    }
    return out;
  });
}

async function setResources(context: Context): Promise<void> {
  const { flags } = context;
  const limits = quantities(flags.string('limits'));
  const requests = quantities(flags.string('requests'));
  if (context.args.length === 0 && filenamesOf(context).length === 0) throw new CliError(NOTHING_SELECTED);
  if (limits === undefined && requests === undefined)
    throw new CliError('you must specify an update to requests or limits (in the form of --requests/--limits)');
  const pattern = flags.string('containers');
  await changeTemplates(context, context.args, 'resource requirements updated', (spec) => {
    const changed = mapContainers(spec, pattern, (container) => {
      const old = isObject(container['resources']) ? container['resources'] : {};
      const merged = (key: string, more: JsonObject | undefined): JsonObject =>
        more === undefined ? {} : { [key]: { ...((old[key] ?? {}) as JsonObject), ...more } };
      return { ...container, resources: { ...old, ...merged('limits', limits), ...merged('requests', requests) } };
    });
    if (changed.count === 0) throw new CliError(`unable to find container named ${pattern}`);
    return changed.spec;
  });
}

async function setServiceAccount(context: Context): Promise<void> {
  const { args } = context;
  const account = args[args.length - 1];
  if (account === undefined || (args.length < 2 && filenamesOf(context).length === 0)) {
    throw new CliError(args.length === 0 ? 'serviceaccount is required' : NOTHING_SELECTED);
  }
  await changeTemplates(context, args.slice(0, -1), 'serviceaccount updated', (spec) => ({
    ...spec,
    serviceAccountName: account,
    ...(spec['serviceAccount'] === undefined ? {} : { serviceAccount: account }),
  }));
}

async function setSelector(context: Context): Promise<void> {
  const { args } = context;
  const expression = args[args.length - 1];
  if (expression === undefined || args.length < 2)
    throw new CliError('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, dryRun);
  const { infos, errors } = await selectObjects(context, { args: args.slice(0, -1), local: context.flags.bool('local') });
  const problem = selectorProblem(expression);
  if (problem !== undefined) throw new CliError(`couldn't parse the selector string ${JSON.stringify(expression)}: ${problem}`);
  const labels = selectorObject(expression)['matchLabels'] ?? {};
  await forEach(infos, errors, async (info) => {
    if (info.mapping.kind !== 'Service') throw new CliError(`setting a selector is only supported for Services`);
    const after = { ...info.object, spec: { ...((info.object?.['spec'] ?? {}) as JsonObject), selector: labels } };
    if (dryRun === 'client' || context.flags.bool('local')) await printer.print(after, 'selector updated');
    else
      await printer.print(await patchObject(context, info, { body: strategicDiff(info.object ?? {}, after), dryRun }), 'selector updated');
  });
}

/** Adds subjects to role bindings. */
async function setSubject(context: Context): Promise<void> {
  const { flags } = context;
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, dryRun);
  const isLocal = flags.bool('local');
  const { infos, errors } = await selectObjects(context, { args: context.args, local: isLocal, all: flags.bool('all') });
  if (errors[0] !== undefined) throw errors[0];
  const sorted = (flag: string): readonly string[] => [...new Set(flags.list(flag))].sort();
  const accounts = sorted('serviceaccount').map((account) => account.split(':'));
  if (accounts.length + sorted('user').length + sorted('group').length === 0)
    throw new CliError('you must specify at least one value of user, group or serviceaccount');
  for (const parts of accounts) {
    if (parts.length !== 2 || parts[1] === '') throw new CliError('serviceaccount must be <namespace>:<name>');
    if (parts[0] === '' && infos.some(({ mapping }) => mapping.kind === 'ClusterRoleBinding'))
      throw new CliError('serviceaccount must be <namespace>:<name>, namespace must be specified');
  }
  const apiGroup = 'rbac.authorization.k8s.io';
  const subjects: readonly JsonObject[] = [
    ...sorted('user').map((name) => ({ kind: 'User', apiGroup, name })),
    ...sorted('group').map((name) => ({ kind: 'Group', apiGroup, name })),
    ...accounts.map(([namespace, name]) => ({ kind: 'ServiceAccount', name, namespace: namespace || context.namespace().name })),
  ];
  await forEach(infos, [], async (info) => {
    if (!info.mapping.kind.endsWith('RoleBinding'))
      throw new CliError('setting subjects is only supported for RoleBinding/ClusterRoleBinding');
    const old = objects(info.object?.['subjects']);
    const same = (a: JsonObject, b: JsonObject): boolean =>
      (['kind', 'name', 'namespace', 'apiGroup'] as const).every((key) => text(a[key]) === text(b[key]));
    const added = subjects.filter((subject) => !old.some((other) => same(other, subject)));
    if (added.length === 0) return;
    const after = { ...info.object, subjects: [...old, ...added] };
    if (isLocal || dryRun === 'client') await printer.print(after, 'subjects updated');
    else
      await printer.print(await patchObject(context, info, { body: strategicDiff(info.object ?? {}, after), dryRun }), 'subjects updated');
  });
}
