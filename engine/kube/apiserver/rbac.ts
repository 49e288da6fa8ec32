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

export interface RoleReference {
  readonly kind: string;
  readonly name: string;
}

/** One binding that concerns a user, with the rules of its role; without them the role is missing. */
interface Grant {
  readonly binding: ApiObject;
  readonly subject: Subject;
  readonly rules: readonly PolicyRule[] | undefined;
}

/** A binding and the subject of it that is meant. */
interface Named {
  readonly order: number;
  readonly binding: ApiObject;
  readonly subject: Subject;
}

const RBAC = 'rbac.authorization.k8s.io';

export class RbacAuthorizer implements Authorizer {
  readonly #reader: ClusterReader;
  #indexed: readonly unknown[] | undefined;
  #bySubject = new Map<string, Named[]>();

  constructor(reader: ClusterReader) {
    this.#reader = reader;
  }

  authorize(user: User, at: AuthorizationAttributes): Decision {
    const errors = new Set<string>();
    for (const grant of this.#grantsOf(user, at.namespace)) {
      if (grant.rules === undefined) {
        errors.add(missingRole(referenceOf(grant.binding)));
        continue;
      }
      for (const rule of grant.rules) if (allows(rule, at)) return { isAllowed: true, reason: `RBAC: allowed by ${described(grant)}` };
    }
    return { isAllowed: false, reason: errors.size === 0 ? '' : `RBAC: ${aggregate([...errors])}` };
  }

  /** Every rule that holds for a user in a namespace (without one only those of the whole cluster), and what could not be resolved. */
  resolve(user: User, namespace: string): { readonly rules: readonly PolicyRule[]; readonly errors: readonly string[] } {
    const rules: PolicyRule[] = [];
    const errors: string[] = [];
    for (const grant of this.#grantsOf(user, namespace)) {
      if (grant.rules === undefined) errors.push(missingRole(referenceOf(grant.binding)));
      else rules.push(...grant.rules);
    }
    return { rules, errors };
  }

  /** The rules of a role; undefined when there is no such role. */
  rulesOf({ kind, name }: RoleReference, namespace: string): readonly PolicyRule[] | undefined {
    const role =
      kind === 'ClusterRole'
        ? this.#reader.store(RBAC, 'clusterroles').get(undefined, name)
        : this.#reader.store(RBAC, 'roles').get(namespace, name);
    return role === undefined ? undefined : ((role.object['rules'] as readonly PolicyRule[] | null | undefined) ?? []);
  }

  *#grantsOf(user: User, namespace: string): Iterable<Grant> {
    for (const { binding, subject } of this.#cluster(user)) yield { binding, subject, rules: this.rulesOf(referenceOf(binding), '') };
    if (namespace === '') return;
    for (const { object: binding } of this.#reader.store(RBAC, 'rolebindings').list(namespace)) {
      const subject = subjectFor(binding, user, namespace);
      if (subject !== undefined) yield { binding, subject, rules: this.rulesOf(referenceOf(binding), namespace) };
    }
  }

  /** Bindings of the whole cluster that name the user, in their order. Every request asks, so they are kept by whom they name. */
  #cluster(user: User): readonly Named[] {
    const store = this.#reader.store(RBAC, 'clusterrolebindings');
    const bindings = store.list();
    if (bindings !== this.#indexed) {
      this.#indexed = bindings;
      this.#bySubject = new Map();
      for (const [order, { object: binding }] of bindings.entries()) {
        for (const subject of (binding['subjects'] as readonly Subject[] | undefined) ?? []) {
          const key = keyOf(subject);
          const list = this.#bySubject.get(key);
          if (list === undefined) this.#bySubject.set(key, [{ order, binding, subject }]);
          else list.push({ order, binding, subject });
        }
      }
    }
    const found = [...(this.#bySubject.get(`User ${user.name}`) ?? [])];
    for (const group of user.groups) found.push(...(this.#bySubject.get(`Group ${group}`) ?? []));
    return found.sort((a, b) => a.order - b.order);
  }
}

/** Service accounts are users with a name of their own. */
function keyOf({ kind, name, namespace = '' }: Subject): string {
  if (kind === 'ServiceAccount') return `User system:serviceaccount:${namespace}:${name}`;
  return `${kind} ${name}`;
}

/** Members of system:masters may do everything, whatever the roles say. */
export const PRIVILEGED: Authorizer = {
  authorize: (user) => ({ isAllowed: user.groups.includes(MASTERS), reason: '' }),
};

function referenceOf(binding: ApiObject): RoleReference {
  return binding['roleRef'] as RoleReference;
}

/** As the server's lister names what it does not find. */
function missingRole({ kind, name }: RoleReference): string {
  return `${kind.toLowerCase()}.${RBAC} "${name}" not found`;
}

/** Several errors as one, each once. */
export function aggregate(errors: readonly string[]): string {
  const unique = [...new Set(errors)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`;
}

function described({ binding, subject }: Grant): string {
  const { name, namespace } = binding.metadata;
  const role = referenceOf(binding);
  const who =
    subject.kind === 'ServiceAccount'
      ? `${subject.name}/${subject.namespace === undefined || subject.namespace === '' ? (namespace ?? '') : subject.namespace}`
      : subject.name;
  const what = binding.kind === 'RoleBinding' ? `RoleBinding "${name}/${namespace ?? ''}"` : `ClusterRoleBinding "${name}"`;
  return `${what} of ${role.kind} "${role.name}" to ${subject.kind} "${who}"`;
}

function subjectFor(binding: ApiObject, user: User, namespace: string): Subject | undefined {
  return ((binding['subjects'] as readonly Subject[] | undefined) ?? []).find((subject) => {
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
