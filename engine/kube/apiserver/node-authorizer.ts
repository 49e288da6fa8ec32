// Models the Node authoriser: what a kubelet may read is what its pods refer to.

import type { Pod } from '../machinery/types.ts';
import type { ClusterReader } from './admission.ts';
import { namesIn } from './admission/pod-references.ts';
import type { AuthorizationAttributes, Authorizer, Decision } from './authorization.ts';
import { bootstrapPolicy } from './bootstrap-policy.ts';
import { allows, type PolicyRule } from './rbac.ts';
import type { User } from './user.ts';

const ALLOWED: Decision = { isAllowed: true, reason: '' };
const NO_OPINION: Decision = { isAllowed: false, reason: '' };

/** The node a user is, when it is one. */
export function nodeOf(user: User): string | undefined {
  return user.name.startsWith('system:node:') && user.groups.includes('system:nodes') ? user.name.slice('system:node:'.length) : undefined;
}

type Judge = (node: string, at: AuthorizationAttributes) => Decision;

export class NodeAuthorizer implements Authorizer {
  readonly #reader: ClusterReader;
  readonly #rules: readonly PolicyRule[];
  /** `resource.group` to who judges it; what is not here is for the rules of the role alone. */
  readonly #judges: Readonly<Record<string, Judge>>;

  constructor(reader: ClusterReader) {
    this.#reader = reader;
    const role = bootstrapPolicy().find(
      ({ object }) => (object['metadata'] as { name: string }).name === 'system:node' && object['kind'] === 'ClusterRole',
    )!;
    this.#rules = role.object['rules'] as readonly PolicyRule[];
    const read: Judge = (node, at) => this.#read(node, at);
    this.#judges = {
      'secrets.': read,
      'configmaps.': read,
      'persistentvolumeclaims.': (node, at) => (at.subresource === 'status' ? this.#updateStatus(node, at) : this.#get(node, at)),
      'persistentvolumes.': (node, at) => this.#get(node, at),
      'volumeattachments.storage.k8s.io': (node, at) => this.#get(node, at),
      'serviceaccounts.': (node, at) => this.#createToken(node, at),
      'leases.coordination.k8s.io': lease,
      'csinodes.storage.k8s.io': csiNode,
    };
  }

  authorize(user: User, at: AuthorizationAttributes): Decision {
    const node = nodeOf(user);
    if (node === undefined) return NO_OPINION;
    if (node === '') return no(`unknown node for user ${JSON.stringify(user.name)}`);
    const judge = at.isResource ? this.#judges[`${at.resource}.${at.group}`] : undefined;
    if (judge !== undefined) return judge(node, at);
    return this.#rules.some((rule) => allows(rule, at)) ? ALLOWED : NO_OPINION;
  }

  /** Lists and watches are for one object by name, which the path or the field selector gives. */
  #read(node: string, at: AuthorizationAttributes): Decision {
    if (!['get', 'list', 'watch'].includes(at.verb)) return no('can only read resources of this type');
    if (at.namespace === '') return no('can only read namespaced object of this type');
    return this.#related(node, at);
  }

  #get(node: string, at: AuthorizationAttributes): Decision {
    if (at.verb !== 'get') return no('can only get individual resources of this type');
    return this.#related(node, at);
  }

  #updateStatus(node: string, at: AuthorizationAttributes): Decision {
    if (!['get', 'update', 'patch'].includes(at.verb)) return no('can only get/update/patch this type');
    return this.#related(node, { ...at, subresource: '' });
  }

  #createToken(node: string, at: AuthorizationAttributes): Decision {
    if (at.verb !== 'create' || at.name === '') return no('can only create tokens for individual service accounts');
    if (at.subresource !== 'token') return no('can only create token subresource of service account');
    return this.#related(node, { ...at, subresource: '' });
  }

  #related(node: string, at: AuthorizationAttributes): Decision {
    if (at.subresource !== '') return no('cannot get subresource');
    if (at.name === '') return no('No Object name found');
    return this.#hasPath(node, at) ? ALLOWED : no(`no relationship found between node '${node}' and this object`);
  }

  #hasPath(node: string, { resource, namespace, name }: AuthorizationAttributes): boolean {
    if (resource === 'volumeattachments') {
      const attachment = this.#reader.store('storage.k8s.io', 'volumeattachments').get(undefined, name)?.object;
      return (attachment?.['spec'] as { nodeName?: string } | undefined)?.nodeName === node;
    }
    const isVolume = resource === 'persistentvolumes';
    for (const pod of this.#podsOf(node, isVolume ? undefined : namespace)) {
      if (resource === 'serviceaccounts') {
        if (pod.spec?.serviceAccountName === name) return true;
      } else if (isVolume) {
        if (this.#volumesOf(pod).has(name)) return true;
      } else if (namesIn(pod, resource as 'secrets' | 'configmaps' | 'persistentvolumeclaims').has(name)) return true;
      else if (resource === 'secrets' && this.#volumeSecretsOf(pod).has(name)) return true;
    }
    return false;
  }

  *#podsOf(node: string, namespace: string | undefined): Iterable<Pod> {
    for (const { object } of this.#reader.store('', 'pods').list(namespace)) {
      const pod = object as unknown as Pod;
      if (pod.spec?.nodeName === node) yield pod;
    }
  }

  /** Volumes bound to the claims of a pod. */
  #volumesOf(pod: Pod): ReadonlySet<string> {
    const claims = this.#reader.store('', 'persistentvolumeclaims');
    const names = new Set<string>();
    for (const claim of namesIn(pod, 'persistentvolumeclaims')) {
      const spec = claims.get(pod.metadata.namespace, claim)?.object['spec'] as { volumeName?: string } | undefined;
      if ((spec?.volumeName ?? '') !== '') names.add(spec!.volumeName!);
    }
    return names;
  }

  /** Secrets of a pod's namespace by which its volumes are reached. */
  #volumeSecretsOf(pod: Pod): ReadonlySet<string> {
    const names = new Set<string>();
    for (const name of this.#volumesOf(pod)) {
      const spec = this.#reader.store('', 'persistentvolumes').get(undefined, name)?.object['spec'] as Record<string, unknown> | undefined;
      for (const source of Object.values(spec ?? {})) {
        if (typeof source !== 'object' || source === null) continue;
        for (const [key, reference] of Object.entries(source as Record<string, unknown>)) {
          if (!/secretRef$/i.test(key) || typeof reference !== 'object' || reference === null) continue;
          const { name: secret, namespace = pod.metadata.namespace } = reference as { name?: string; namespace?: string };
          if (secret !== undefined && namespace === pod.metadata.namespace) names.add(secret);
        }
      }
    }
    return names;
  }
}

const lease: Judge = (node, at) => {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(at.verb))
    return no('can only get, create, update, patch, or delete a node lease');
  if (at.namespace !== 'kube-node-lease') return no('can only access leases in the "kube-node-lease" system namespace');
  // What is created is named by its body, which admission looks at.
  if (at.verb !== 'create' && at.name !== node) return no('can only access node lease with the same name as the requesting node');
  return ALLOWED;
};

const csiNode: Judge = (node, at) => {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(at.verb))
    return no('can only get, create, update, patch, or delete a CSINode');
  if (at.subresource !== '') return no('cannot authorize CSINode subresources');
  if (at.verb !== 'create' && at.name !== node) return no('can only access CSINode with the same name as the requesting node');
  return ALLOWED;
};

function no(reason: string): Decision {
  return { isAllowed: false, reason };
}
