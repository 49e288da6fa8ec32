// Models the RBAC authoriser: roles and bindings, read from the server's own stores.

import type { ApiObject } from '../registry/definition.ts';
import type { ClusterReader } from './admission.ts';
import type { AuthorizationAttributes, Authorizer, Decision } from './authorization.ts';
import { MASTERS, type User } from './user.ts';

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

const RBAC = 'rbac.authorization.k8s.io';

export class RbacAuthorizer implements Authorizer {
  readonly #reader: ClusterReader;

  constructor(reader: ClusterReader) {
    this.#reader = reader;
  }

  authorize(user: User, at: AuthorizationAttributes): Decision {
    for (const rule of this.rulesFor(user, at.namespace)) if (allows(rule, at)) return { isAllowed: true, reason: '' };
    return { isAllowed: false, reason: '' };
  }

  /** Every rule that holds for a user in a namespace; without one only those of the whole cluster. */
  *rulesFor(user: User, namespace: string): Iterable<PolicyRule> {
    for (const { object } of this.#reader.store(RBAC, 'clusterrolebindings').list()) {
      if (appliesTo(object, user, '')) yield* this.#rulesOf(object, '');
    }
    if (namespace === '') return;
    for (const { object } of this.#reader.store(RBAC, 'rolebindings').list(namespace)) {
      if (appliesTo(object, user, namespace)) yield* this.#rulesOf(object, namespace);
    }
  }

  #rulesOf(binding: ApiObject, namespace: string): readonly PolicyRule[] {
    const { kind, name } = binding['roleRef'] as { readonly kind: string; readonly name: string };
    const store = kind === 'ClusterRole' ? this.#reader.store(RBAC, 'clusterroles') : this.#reader.store(RBAC, 'roles');
    const role = store.get(kind === 'ClusterRole' ? undefined : namespace, name);
    return (role?.object['rules'] as readonly PolicyRule[] | null | undefined) ?? [];
  }
}

/** Members of system:masters may do everything, whatever the roles say. */
export const PRIVILEGED: Authorizer = {
  authorize: (user) => ({ isAllowed: user.groups.includes(MASTERS), reason: '' }),
};

function appliesTo(binding: ApiObject, user: User, namespace: string): boolean {
  return ((binding['subjects'] as readonly Subject[] | undefined) ?? []).some((subject) => {
    if (subject.kind === 'User') return subject.name === user.name;
    if (subject.kind === 'Group') return user.groups.includes(subject.name);
    return user.name === `system:serviceaccount:${subject.namespace ?? namespace}:${subject.name}`;
  });
}

/** Whether a rule allows a request. */
export function allows(rule: PolicyRule, at: AuthorizationAttributes): boolean {
  if (!has(rule.verbs, at.verb)) return false;
  if (!at.isResource) {
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === '*' || url === at.path || (url.endsWith('*') && at.path.startsWith(url.slice(0, -1))),
    );
  }
  if (!has(rule.apiGroups, at.group)) return false;
  const resource = at.subresource === '' ? at.resource : `${at.resource}/${at.subresource}`;
  const isResource = (rule.resources ?? []).some(
    (each) => each === '*' || each === resource || (at.subresource !== '' && each === `*/${at.subresource}`),
  );
  if (!isResource) return false;
  return (rule.resourceNames ?? []).length === 0 || rule.resourceNames!.includes(at.name);
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list?.some((each) => each === '*' || each === value) === true;
}
