// Models the roles that `kubectl create role` and `create clusterrole` make.

import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import type { JsonObject } from '../printers/json.ts';
import { newMetadata, selectorObject } from './create-generators.ts';

const VERBS = [
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'use',
  'bind',
  'escalate',
  'impersonate',
  'approve',
  'sign',
  'proxy',
  '*',
];

const NON_RESOURCE_VERBS = ['get', 'post', 'put', 'delete', 'patch', 'head', 'options', '*'];

export async function role(context: Context, name: string): Promise<JsonObject> {
  requireRules(context);
  return { kind: 'Role', apiVersion: 'rbac.authorization.k8s.io/v1', metadata: newMetadata(name), rules: await resourceRules(context) };
}

export async function clusterRole(context: Context, name: string): Promise<JsonObject> {
  const { flags } = context;
  const aggregation = flags.string('aggregation-rule');
  const head = { kind: 'ClusterRole', apiVersion: 'rbac.authorization.k8s.io/v1', metadata: newMetadata(name) };
  if (aggregation !== '') {
    if (
      flags.list('non-resource-url').length +
        flags.list('verb').length +
        flags.list('resource').length +
        flags.list('resource-name').length >
      0
    ) {
      throw new CliError('aggregation rule must be specified without nonResourceURLs, resources or verbs');
    }
    return { ...head, rules: null, aggregationRule: { clusterRoleSelectors: [selectorObject(aggregation)] } };
  }
  const urls = flags.list('non-resource-url');
  if (flags.list('verb').length === 0) throw new CliError('at least one verb must be specified');
  if (urls.length === 0 && flags.list('resource').length === 0) throw new CliError('one of resource or nonResourceURL must be specified');
  const rules = flags.list('resource').length === 0 ? [] : await resourceRules(context);
  if (urls.length > 0)
    for (const verb of flags.list('verb'))
      if (!NON_RESOURCE_VERBS.includes(verb)) throw new CliError(`invalid verb: '${verb}' for nonResourceURL`);
  if (urls.length > 0) rules.push({ verbs: verbsOf(context), nonResourceURLs: [...new Set(urls)] });
  return { ...head, rules };
}

function requireRules(context: Context): void {
  if (context.flags.list('verb').length === 0) throw new CliError('at least one verb must be specified');
  if (context.flags.list('resource').length === 0) throw new CliError('at least one resource must be specified');
}

function verbsOf(context: Context): readonly string[] {
  const verbs = [...new Set(context.flags.list('verb'))];
  return verbs.includes('*') ? ['*'] : verbs;
}

/** One rule per API group, in the order in which the groups come up. */
async function resourceRules(context: Context): Promise<JsonObject[]> {
  const verbs = verbsOf(context);
  for (const verb of verbs) if (!VERBS.includes(verb)) await context.err(`Warning: '${verb}' is not a standard resource verb\n`);
  const groups = new Map<string, string[]>();
  for (const text of [...new Set(context.flags.list('resource'))]) {
    const [resource = '', subresource] = text.split('/');
    const mapping = resource === '*' ? { group: '*', resource: '*' } : await context.mapper.resourceOrNone(resource);
    const shown = subresource === undefined || subresource === '' ? mapping.resource : `${mapping.resource}/${subresource}`;
    groups.set(mapping.group, [...(groups.get(mapping.group) ?? []), shown]);
  }
  const names = [...new Set(context.flags.list('resource-name'))];
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, resources]) => ({ verbs, apiGroups: [group], resources, ...(names.length === 0 ? {} : { resourceNames: names }) }));
}
