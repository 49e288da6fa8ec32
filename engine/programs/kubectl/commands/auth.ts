// Models `kubectl auth can-i`, `kubectl top` and `kubectl certificate`.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError, NoResourceError, throwAll } from '../errors.ts';
import { objects, text } from '../describe/values.ts';
import type { JsonObject } from '../printers/json.ts';
import { plainTable } from '../printers/table.ts';
import { objectsOf } from '../resource/infos.ts';
import { goList, shownRules } from '../resource/rbac-rules.ts';
import { quantity } from '../resource/sorting.ts';
import { authReconcile } from './auth-reconcile.ts';
import { at, ResultPrinter } from './common.ts';

export const auth: Command = {
  name: 'auth',
  group: { stream: 'err', status: 1 },
  subcommands: [{ name: 'can-i', run: canI }, authReconcile],
};

export const certificate: Command = {
  name: 'certificate',
  group: { stream: 'out', status: 0 },
  subcommands: [
    { name: 'approve', run: (context) => decide(context, 'Approved') },
    { name: 'deny', run: (context) => decide(context, 'Denied') },
  ],
};

export const top: Command = {
  name: 'top',
  group: { stream: 'err', status: 1 },
  subcommands: [
    { name: 'node', aliases: ['nodes', 'no'], run: topNodes },
    { name: 'pod', aliases: ['pods', 'po'], run: topPods },
  ],
};

async function canI(context: Context): Promise<void> {
  const { flags, args } = context;
  const namespace = flags.bool('all-namespaces') ? '' : context.namespace().name;
  await context.flushWarnings();
  if (flags.bool('list')) {
    if (args.length > 0) throw new CliError('list option must be specified with no arguments');
    await listRules(context, namespace);
    return;
  }
  if (args.length < 2 || args.length > 3)
    throw new CliError('you must specify two or three arguments: verb, resource, and optional resourceName');
  const [verb = '', target = '', third] = args;
  const [type = '', named] = target.startsWith('/') ? [target] : target.split('/');
  const name = third ?? named;
  let spec: JsonObject;
  if (type.startsWith('/')) spec = { nonResourceAttributes: { path: type, verb } };
  else {
    const mapping = await resolve(context, type);
    if (!mapping.isNamespaced && namespace !== '')
      await context.err(
        `Warning: resource '${mapping.resource}' is not namespace scoped${mapping.group === '' ? '' : ` in group '${mapping.group}'`}\n`,
      );
    const subresource = flags.string('subresource');
    spec = {
      resourceAttributes: {
        ...(namespace === '' ? {} : { namespace }),
        verb,
        ...(mapping.group === '' ? {} : { group: mapping.group }),
        resource: mapping.resource,
        ...(subresource === '' ? {} : { subresource }),
        ...(name === undefined ? {} : { name }),
      },
    };
  }
  const review = await context.rest.json<JsonObject>('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: { creationTimestamp: null },
      spec,
      status: { allowed: false },
    },
  });
  const isAllowed = at(review, 'status', 'allowed') === true;
  const reason = text(at(review, 'status', 'reason'));
  const failure = text(at(review, 'status', 'evaluationError'));
  if (!flags.bool('quiet')) {
    await context.out(isAllowed ? 'yes\n' : `no${reason === '' ? '' : ` - ${reason}`}${failure === '' ? '' : ` - ${failure}`}\n`);
  }
  if (!isAllowed) throw new ExitError(1);
}

async function resolve(
  context: Context,
  type: string,
): Promise<{ readonly group: string; readonly resource: string; readonly isNamespaced: boolean }> {
  if (type === '*') return { group: '', resource: '*', isNamespaced: true };
  try {
    return await context.mapper.resourceOrNone(type);
  } catch (error) {
    if (!(error instanceof NoResourceError)) throw error;
    const [resource = '', ...group] = type.split('.');
    await context.err(
      `Warning: the server doesn't have a resource type '${resource}'${group.length === 0 ? '' : ` in group '${group.join('.')}'`}\n`,
    );
    return { group: group.join('.'), resource, isNamespaced: true };
  }
}

async function listRules(context: Context, namespace: string): Promise<void> {
  const review = await context.rest.json<JsonObject>('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    body: {
      kind: 'SelfSubjectRulesReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: { creationTimestamp: null },
      spec: { namespace },
      status: { resourceRules: null, nonResourceRules: null, incomplete: false },
    },
  });
  const rules = [...objects(at(review, 'status', 'resourceRules')), ...objects(at(review, 'status', 'nonResourceRules'))];
  const rows = shownRules(rules).map(({ resource, urls, names, verbs }) => [resource, goList(urls), goList(names), goList(verbs)]);
  await context.out(
    plainTable([...(context.flags.bool('no-headers') ? [] : [['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs']]), ...rows]),
  );
}

async function decide(context: Context, type: 'Approved' | 'Denied'): Promise<void> {
  const { flags, args } = context;
  const files = flags.list('filename');
  if (args.length === 0 && files.length === 0) throw new CliError('one or more CSRs must be specified as <name> or -f <filename>');
  const { infos, errors } = await objectsOf(context, {
    args: files.length > 0 ? [] : ['csr', ...args],
    filenames: files,
    recursive: flags.bool('recursive'),
    selector: '',
    all: false,
    latest: true,
  });
  throwAll(errors);
  const printer = new ResultPrinter(context, 'none');
  for (const info of infos) {
    const verb = type === 'Approved' ? 'Approve' : 'Deny';
    const conditions = objects(at(info.object, 'status', 'conditions'));
    const now = new Date(context.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const next = {
      type,
      status: 'True',
      reason: `Kubectl${verb}`,
      message: `This CSR was ${type.toLowerCase()} by kubectl certificate ${verb.toLowerCase()}.`,
      lastUpdateTime: now,
    };
    const has = conditions.some((condition) => condition['type'] === type);
    let answer = info.object ?? {};
    if (!has || flags.bool('force')) {
      const body = { ...info.object, status: { ...((info.object?.['status'] ?? {}) as JsonObject), conditions: [...conditions, next] } };
      answer = await context.rest.json<JsonObject>(
        'PUT',
        `/apis/${info.mapping.group}/${info.mapping.version}/certificatesigningrequests/${info.name}/approval`,
        { body },
      );
    }
    await printer.print(answer, type.toLowerCase());
  }
}

const METRICS = '/apis/metrics.k8s.io/v1beta1';

async function metrics(context: Context, path: string): Promise<JsonObject> {
  const groups = await context.discovery.groups();
  if (!groups.some((group) => group.name === 'metrics.k8s.io')) throw new CliError('Metrics API not available');
  return context.rest.json<JsonObject>('GET', `${METRICS}${path}`);
}

function selectorQuery(context: Context): string {
  const selector = context.flags.string('selector');
  return selector === '' ? '' : `?labelSelector=${encodeURIComponent(selector)}`;
}

async function topNodes(context: Context): Promise<void> {
  const { args, flags } = context;
  if (args.length > 1 || (args.length === 1 && flags.string('selector') !== '')) throw context.usage('node [NAME | -l label]');
  const answer = await metrics(context, args[0] === undefined ? `/nodes${selectorQuery(context)}` : `/nodes/${args[0]}`);
  const found = args[0] === undefined ? objects(answer['items']) : [answer];
  if (found.length === 0) throw new CliError('metrics not available yet');
  const nodes = await context.rest.json<JsonObject>('GET', '/api/v1/nodes');
  const sorted = sortMetrics(found, flags.string('sort-by'), (item) => at(item, 'usage'));
  const rows = sorted.map((item) => {
    const name = text(at(item, 'metadata', 'name'));
    const node = objects(nodes['items']).find((candidate) => at(candidate, 'metadata', 'name') === name);
    const cpu = quantity(at(item, 'usage', 'cpu')) ?? 0;
    const memory = quantity(at(item, 'usage', 'memory')) ?? 0;
    const percent = (amount: number, resource: string): string => {
      const whole = quantity(at(node, 'status', 'allocatable', resource)) ?? 0;
      return whole === 0 ? '<unknown>' : `${Math.trunc((amount / whole) * 100)}%`;
    };
    return [name, `${Math.ceil(cpu * 1000)}m`, percent(cpu, 'cpu'), `${Math.trunc(memory / 2 ** 20)}Mi`, percent(memory, 'memory')];
  });
  await context.out(topTable(flags.bool('no-headers') ? rows : [['NAME', 'CPU(cores)', 'CPU%', 'MEMORY(bytes)', 'MEMORY%'], ...rows]));
}

async function topPods(context: Context): Promise<void> {
  const { args, flags } = context;
  if (args.length > 1 || (args.length === 1 && flags.string('selector') !== '')) throw context.usage('pod [NAME | -l label]');
  const isAll = flags.bool('all-namespaces');
  const namespace = context.namespace().name;
  const base = isAll ? '/pods' : `/namespaces/${namespace}/pods`;
  const answer = await metrics(context, args[0] === undefined ? `${base}${selectorQuery(context)}` : `${base}/${args[0]}`);
  const found = args[0] === undefined ? objects(answer['items']) : [answer];
  if (found.length === 0) {
    await context.err(isAll ? 'No resources found\n' : `No resources found in ${namespace} namespace.\n`);
    return;
  }
  const sum = (item: JsonObject, resource: string): number =>
    objects(item['containers']).reduce((total, container) => total + (quantity(at(container, 'usage', resource)) ?? 0), 0);
  const sorted = sortMetrics(found, flags.string('sort-by'), (item) => ({ cpu: sum(item, 'cpu'), memory: sum(item, 'memory') }));
  const withContainers = flags.bool('containers');
  const rows = sorted.flatMap((item) => {
    const head = [...(isAll ? [text(at(item, 'metadata', 'namespace'))] : [])];
    const name = text(at(item, 'metadata', 'name'));
    const cells = (cpu: number, memory: number): readonly string[] => [`${Math.ceil(cpu * 1000)}m`, `${Math.trunc(memory / 2 ** 20)}Mi`];
    if (!withContainers) return [[...head, name, ...cells(sum(item, 'cpu'), sum(item, 'memory'))]];
    return objects(item['containers']).map((container) => [
      ...head,
      name,
      text(container['name']),
      ...cells(quantity(at(container, 'usage', 'cpu')) ?? 0, quantity(at(container, 'usage', 'memory')) ?? 0),
    ]);
  });
  const header = [...(isAll ? ['NAMESPACE'] : []), ...(withContainers ? ['POD', 'NAME'] : ['NAME']), 'CPU(cores)', 'MEMORY(bytes)'];
  await context.out(topTable(flags.bool('no-headers') ? rows : [header, ...rows]));
}

/** top ends every cell, the last one too, with a tab. */
function topTable(rows: readonly (readonly string[])[]): string {
  return plainTable(rows.map((row) => [...row, '']));
}

function sortMetrics(items: readonly JsonObject[], by: string, usage: (item: JsonObject) => unknown): readonly JsonObject[] {
  if (by !== '' && by !== 'cpu' && by !== 'memory') throw new CliError('--sort-by accepts only cpu or memory');
  const name = (item: JsonObject): string => `${text(at(item, 'metadata', 'namespace'))}/${text(at(item, 'metadata', 'name'))}`;
  return [...items].sort((a, b) =>
    by === '' ? (name(a) < name(b) ? -1 : 1) : (quantity(at(usage(b), by)) ?? 0) - (quantity(at(usage(a), by)) ?? 0),
  );
}
