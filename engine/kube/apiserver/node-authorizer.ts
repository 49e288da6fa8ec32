// Models the Node authoriser: what a kubelet may read is what its pods refer to.

import type { Pod } from '../machinery/types.ts';
import type { ClusterReader } from './admission.ts';
import type { AuthorizationAttributes, Authorizer, Decision } from './authorization.ts';
import { bootstrapPolicy } from './bootstrap-policy.ts';
import { allows, type PolicyRule } from './rbac.ts';
import type { User } from './user.ts';

const ALLOWED: Decision = { isAllowed: true, reason: '' };
const NO_OPINION: Decision = { isAllowed: false, reason: '' };
/** Kinds whose single objects are judged by the pods of the node. */
const GUARDED = new Set(['secrets', 'configmaps', 'persistentvolumeclaims', 'persistentvolumes', 'serviceaccounts']);

/** The node a user is, when it is one. */
export function nodeOf(user: User): string | undefined {
  return user.name.startsWith('system:node:') && user.groups.includes('system:nodes') ? user.name.slice('system:node:'.length) : undefined;
}

export class NodeAuthorizer implements Authorizer {
  readonly #reader: ClusterReader;
  readonly #rules: readonly PolicyRule[];

  constructor(reader: ClusterReader) {
    this.#reader = reader;
    const role = bootstrapPolicy().find(
      ({ object }) => (object['metadata'] as { name: string }).name === 'system:node' && object['kind'] === 'ClusterRole',
    )!;
    this.#rules = role.object['rules'] as readonly PolicyRule[];
  }

  authorize(user: User, at: AuthorizationAttributes): Decision {
    const node = nodeOf(user);
    if (node === undefined) return NO_OPINION;
    if (at.isResource && at.group === '' && GUARDED.has(at.resource) && at.subresource === '') return this.#guarded(node, at);
    if (at.group === 'coordination.k8s.io' && at.resource === 'leases') {
      if (at.namespace !== 'kube-node-lease') return no('can only access leases in the "kube-node-lease" system namespace');
      if (at.verb !== 'create' && at.name !== node) return no('can only access node lease with the same name as the requesting node');
    }
    return this.#rules.some((rule) => allows(rule, at)) ? ALLOWED : NO_OPINION;
  }

  #guarded(node: string, at: AuthorizationAttributes): Decision {
    if (!['get', 'list', 'watch'].includes(at.verb)) return no(`can only read resources of this type`);
    if (at.name === '') return no(`No Object name found`);
    // Lists and watches are for one object by name, which the path or the field selector gives.
    const pods = this.#reader.store('', 'pods').list(at.resource === 'persistentvolumes' ? undefined : at.namespace);
    for (const { object } of pods) {
      const pod = object as unknown as Pod;
      if (pod.spec?.nodeName === node && refersTo(pod, at.resource, at.name)) return ALLOWED;
    }
    return no(`no relationship found between node '${node}' and this object`);
  }
}

function no(reason: string): Decision {
  return { isAllowed: false, reason };
}

function refersTo(pod: Pod, resource: string, name: string): boolean {
  const { spec } = pod;
  if (spec === undefined) return false;
  if (resource === 'persistentvolumes') return true;
  if (resource === 'serviceaccounts') return spec.serviceAccountName === name;
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const isSecret = resource === 'secrets';
  if (isSecret && (spec.imagePullSecrets ?? []).some((secret) => secret.name === name)) return true;
  for (const container of containers) {
    for (const variable of container.env ?? []) {
      const from = isSecret ? variable.valueFrom?.secretKeyRef : variable.valueFrom?.configMapKeyRef;
      if (from?.name === name) return true;
    }
    for (const source of container.envFrom ?? []) if ((isSecret ? source.secretRef : source.configMapRef)?.name === name) return true;
  }
  for (const volume of spec.volumes ?? []) {
    if (resource === 'persistentvolumeclaims' && volume.persistentVolumeClaim?.claimName === name) return true;
    if (isSecret ? volume.secret?.secretName === name : volume.configMap?.name === name) return true;
    for (const source of volume.projected?.sources ?? []) if ((isSecret ? source.secret : source.configMap)?.name === name) return true;
  }
  return false;
}
