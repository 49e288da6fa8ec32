// Models the NodeRestriction plugin: a kubelet writes its own node and the pods bound to it, nothing else.

import { isDeepEqual } from '../../machinery/deep.ts';
import { notFound } from '../../machinery/status.ts';
import type { Node, Pod } from '../../machinery/types.ts';
import { refusal, type AdmissionPlugin, type AdmissionRequest, type ClusterReader } from '../admission.ts';
import { nodeOf } from '../node-authorizer.ts';
import { namesIn } from './pod-references.ts';

const MIRROR = 'kubernetes.io/config.mirror';

/** Labels a kubelet may set on its node although they are Kubernetes' own. */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);
const KUBELET_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

export function nodeRestriction(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    admit(request) {
      const node = nodeOf(request.user);
      if (node === undefined) return;
      const check = CHECKS[`${request.definition.plural}.${request.definition.group}`];
      check?.(request, node, reader);
    },
  };
}

type Check = (request: AdmissionRequest, node: string, reader: ClusterReader) => void;

const CHECKS: Readonly<Record<string, Check>> = {
  'pods.': pods,
  'nodes.': nodes,
  'persistentvolumeclaims.': claims,
  'serviceaccounts.': tokens,
  'leases.coordination.k8s.io': leases,
  'csinodes.storage.k8s.io': csiNodes,
};

function pods(request: AdmissionRequest, node: string, reader: ClusterReader): void {
  const { operation, subresource } = request;
  const existing = (): Pod | undefined =>
    (request.old ?? reader.store('', 'pods').get(request.namespace, request.name)?.object) as unknown as Pod | undefined;
  const isBound = (): boolean => {
    const pod = existing();
    if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, request.name);
    return pod.spec?.nodeName === node;
  };
  const own = 'pods with spec.nodeName set to itself';
  if (subresource === '') {
    if (operation === 'CREATE') return createPod(request, node, reader);
    if (operation !== 'DELETE')
      throw refusal(
        request,
        `unexpected operation ${JSON.stringify(operation)}, node ${JSON.stringify(node)} can only create and delete mirror pods`,
      );
    if (!isBound()) throw refusal(request, `node ${JSON.stringify(node)} can only delete ${own}`);
  } else if (subresource === 'status') {
    if (operation !== 'UPDATE') throw refusal(request, `unexpected operation ${JSON.stringify(operation)}`);
    if (!isBound()) throw refusal(request, `node ${JSON.stringify(node)} can only update pod status for ${own}`);
    if (!isDeepEqual(request.old?.metadata.labels ?? {}, request.object?.metadata.labels ?? {}))
      throw refusal(request, `node ${JSON.stringify(node)} cannot update labels through pod status`);
  } else if (subresource === 'eviction') {
    if (operation !== 'CREATE') throw refusal(request, `unexpected operation ${operation}`);
    if (!isBound()) throw refusal(request, `node ${node} can only evict ${own}`);
  } else {
    throw refusal(request, `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`);
  }
}

function createPod(request: AdmissionRequest, node: string, reader: ClusterReader): void {
  const pod = request.object as unknown as Pod;
  const name = JSON.stringify(node);
  const refuse = (why: string): never => {
    throw refusal(request, why);
  };
  if (pod.metadata.annotations?.[MIRROR] === undefined)
    refuse(`pod does not have "${MIRROR}" annotation, node ${name} can only create mirror pods`);
  if (pod.spec?.nodeName !== node) refuse(`node ${name} can only create pods with spec.nodeName set to itself`);
  const owners = pod.metadata.ownerReferences ?? [];
  if (owners.length > 1) refuse(`node ${name} can only create pods with a single owner reference set to itself`);
  const owner = owners[0];
  if (owner === undefined || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    throw refusal(request, `node ${name} can only create pods with an owner reference set to itself`);
  if (owner.controller !== true) refuse(`node ${name} can only create pods with a controller owner reference set to itself`);
  if (owner.blockOwnerDeletion === true) refuse(`node ${name} must not set blockOwnerDeletion on an owner reference`);
  const stored = reader.store('', 'nodes').get(undefined, node)?.object;
  if (stored === undefined) throw notFound({ group: '', resource: 'node' }, node);
  if (owner.uid !== stored.metadata.uid) refuse(`node ${node} UID mismatch: expected ${owner.uid} got ${stored.metadata.uid}`);
  if ((pod.spec?.serviceAccountName ?? '') !== '') refuse(`node ${name} can not create pods that reference a service account`);
  for (const kind of ['secrets', 'configmaps', 'persistentvolumeclaims'] as const)
    if (namesIn(pod, kind).size > 0) refuse(`node ${name} can not create pods that reference ${kind}`);
}

function nodes(request: AdmissionRequest, node: string): void {
  const { operation } = request;
  const next = request.object as unknown as Node | undefined;
  if (operation === 'CREATE') {
    if (next?.spec?.configSource !== undefined)
      throw refusal(request, `node ${JSON.stringify(node)} is not allowed to create pods with a non-nil configSource`);
    const labels = forbiddenLabels(next?.metadata.labels, undefined);
    if (labels.length > 0) throw refusal(request, `is not allowed to set the following labels: ${labels.join(', ')}`);
  }
  if (request.name !== node)
    throw refusal(request, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(request.name)}`);
  if (operation !== 'UPDATE') return;
  const old = request.old as unknown as Node;
  if (next?.spec?.configSource !== undefined && !isDeepEqual(next.spec.configSource, old.spec?.configSource))
    throw refusal(request, `node ${JSON.stringify(node)} is not allowed to update configSource to a new non-nil configSource`);
  if (!isDeepEqual(next?.spec?.taints ?? [], old.spec?.taints ?? []))
    throw refusal(request, `node ${JSON.stringify(node)} is not allowed to modify taints`);
  const labels = forbiddenLabels(next?.metadata.labels, old.metadata.labels);
  if (labels.length > 0) throw refusal(request, `is not allowed to modify labels: ${labels.join(', ')}`);
}

type Labels = Readonly<Record<string, string>>;

function forbiddenLabels(next: Labels = {}, old: Labels = {}): readonly string[] {
  const changed = [...new Set([...Object.keys(next), ...Object.keys(old)])].filter((key) => next[key] !== old[key]);
  return changed.filter(isForbiddenLabel).sort();
}

const isIn = (namespace: string, parent: string): boolean => namespace === parent || namespace.endsWith(`.${parent}`);

function isForbiddenLabel(label: string): boolean {
  const slash = label.indexOf('/');
  const namespace = slash < 0 ? '' : label.slice(0, slash);
  if (isIn(namespace, 'node-restriction.kubernetes.io')) return true;
  const isKubernetes = isIn(namespace, 'kubernetes.io') || isIn(namespace, 'k8s.io');
  return isKubernetes && !KUBELET_LABELS.has(label) && !KUBELET_NAMESPACES.some((each) => isIn(namespace, each));
}

function claims(request: AdmissionRequest, node: string): void {
  if (request.subresource !== 'status')
    throw refusal(
      request,
      `may only update PVC status, node ${JSON.stringify(node)} unexpected subresource ${JSON.stringify(request.subresource)}`,
    );
}

function tokens(request: AdmissionRequest, node: string, reader: ClusterReader): void {
  if (request.operation !== 'CREATE' || request.subresource !== 'token') return;
  const spec = request.object?.['spec'] as
    { boundObjectRef?: { apiVersion?: string; kind?: string; name?: string; uid?: string } } | undefined;
  const reference = spec?.boundObjectRef;
  if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || (reference.name ?? '') === '')
    throw refusal(request, 'node requested token not bound to a pod');
  if ((reference.uid ?? '') === '') throw refusal(request, 'node requested token with a pod binding without a uid');
  const pod = reader.store('', 'pods').get(request.namespace, reference.name!)?.object as unknown as Pod | undefined;
  if (pod === undefined) throw notFound({ group: '', resource: 'pod' }, reference.name!);
  if (reference.uid !== pod.metadata.uid)
    throw refusal(
      request,
      `the UID in the bound object reference (${reference.uid!}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (pod.spec?.nodeName !== node) throw refusal(request, 'node requested token bound to a pod scheduled on a different node');
}

function leases(request: AdmissionRequest, node: string): void {
  if (request.namespace !== 'kube-node-lease') throw refusal(request, 'can only access leases in the "kube-node-lease" system namespace');
  const name = request.name || (request.object?.metadata.name ?? '');
  if (name !== node) throw refusal(request, 'can only access node lease with the same name as the requesting node');
}

function csiNodes(request: AdmissionRequest, node: string): void {
  const name = request.name || (request.object?.metadata.name ?? '');
  if (name !== node) throw refusal(request, 'can only access CSINode with the same name as the requesting node');
}
