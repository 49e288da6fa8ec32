// Models RBAC's guard against escalation: nobody hands out rights that are not his own, unless he may `escalate` or `bind`.

import { isDeepEqual } from '../machinery/deep.ts';
import { missingRules } from '../machinery/policy-rules.ts';
import { forbidden, notFound } from '../machinery/status.ts';
import type { ApiObject } from '../registry/definition.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import type { Authorizer } from './authorization.ts';
import { type PolicyRule, type RbacAuthorizer, type RoleReference } from './rbac.ts';
import { MASTERS } from './user.ts';

const GROUP = 'rbac.authorization.k8s.io';
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Runs behind the plugins that may change an object; upstream does it in the storage of roles and bindings. */
export function escalationGuard(rbac: () => RbacAuthorizer, authorizer: () => Authorizer): AdmissionPlugin {
  return {
    name: 'rbac/escalation',
    admit(request) {
      const { definition, operation, subresource, user } = request;
      if (definition.group !== GROUP || subresource !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
      if (user.groups.includes(MASTERS)) return;
      if (request.old !== undefined && changesOnlyOwnership(request.object!, request.old)) return;
      if (definition.plural === 'roles' || definition.plural === 'clusterroles') checkRole(request, rbac(), authorizer());
      else checkBinding(request, rbac(), authorizer());
    },
  };
}

function checkRole(request: AdmissionRequest, rbac: RbacAuthorizer, authorizer: Authorizer): void {
  const { definition, object, namespace, user } = request;
  const name = request.name || object!.metadata.name;
  const at = { isResource: true, verb: 'escalate', group: GROUP, resource: definition.plural, subresource: '', namespace, name, path: '' };
  if (authorizer.authorize(user, at).isAllowed) return;
  const rules = (object!['rules'] ?? []) as readonly PolicyRule[];
  const problem = escalation(request, rbac, rules);
  if (problem !== undefined) throw forbidden({ group: GROUP, resource: definition.plural }, name, problem);
  // What is aggregated is not known yet, so it may be everything.
  if (((object!['aggregationRule'] as { clusterRoleSelectors?: readonly unknown[] } | undefined)?.clusterRoleSelectors ?? []).length === 0)
    return;
  const more = escalation(request, rbac, EVERYTHING);
  if (more !== undefined)
    throw forbidden(
      { group: GROUP, resource: definition.plural },
      name,
      `must have cluster-admin privileges to use an aggregationRule: ${more}`,
    );
}

function checkBinding(request: AdmissionRequest, rbac: RbacAuthorizer, authorizer: Authorizer): void {
  const { definition, object, namespace, user } = request;
  const role = object!['roleRef'] as RoleReference | undefined;
  if (role === undefined) return;
  const resource = role.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  const at = { isResource: true, verb: 'bind', group: GROUP, resource, subresource: '', namespace, name: role.name, path: '' };
  if (authorizer.authorize(user, at).isAllowed) return;
  const rules = rbac.rulesOf(role, namespace);
  if (rules === undefined) throw notFound({ group: GROUP, resource }, role.name);
  const problem = escalation(request, rbac, rules);
  if (problem !== undefined) throw forbidden({ group: GROUP, resource: definition.plural }, request.name || object!.metadata.name, problem);
}

/** What is wrong with handing out `rules`; undefined when the user holds all of them. */
function escalation({ user, namespace }: AdmissionRequest, rbac: RbacAuthorizer, rules: readonly PolicyRule[]): string | undefined {
  const held = rbac.resolve(user, namespace);
  const missing = missingRules(held.rules, rules);
  if (missing.length === 0) return undefined;
  const lines = [...new Set(compacted(missing).map(shown))].sort();
  const groups = `[${user.groups.map((group) => JSON.stringify(group)).join(' ')}]`;
  const errors = held.errors.length === 0 ? '' : `; resolution errors: [${held.errors.join(', ')}]`;
  return `user ${JSON.stringify(user.name)} (groups=${groups}) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}${errors}`;
}

/** Rules about the same single resource become one with all their verbs. */
export function compacted(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const out: PolicyRule[] = [];
  const simple = new Map<string, PolicyRule & { readonly verbs: string[] }>();
  for (const rule of rules) {
    const isSimple =
      (rule.nonResourceURLs ?? []).length === 0 &&
      rule.apiGroups?.length === 1 &&
      rule.resources?.length === 1 &&
      (rule.resourceNames ?? []).length <= 1;
    if (!isSimple) {
      out.push(rule);
      continue;
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames ?? []]);
    const found = simple.get(key);
    if (found === undefined) simple.set(key, { ...rule, verbs: [...rule.verbs] });
    else found.verbs.push(...rule.verbs);
  }
  return [...out, ...simple.values()];
}

function shown(rule: PolicyRule): string {
  const parts: string[] = [];
  for (const [name, list] of [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ] as const)
    if ((list ?? []).length > 0) parts.push(`${name}:[${list!.map((each) => JSON.stringify(each)).join(' ')}]`);
  return `{${parts.join(', ')}}`;
}

/** The garbage collector must get by with what it finds. */
function changesOnlyOwnership(next: ApiObject, old: ApiObject): boolean {
  const without = ({ metadata, ...rest }: ApiObject): unknown => {
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, resourceVersion: _version, ...kept } = metadata;
    return { ...rest, metadata: kept };
  };
  const { ownerReferences, finalizers } = next.metadata;
  if (isDeepEqual(ownerReferences, old.metadata.ownerReferences) && isDeepEqual(finalizers, old.metadata.finalizers)) return false;
  return isDeepEqual(without(next), without(old));
}
