// Models kustomize's Gvk: a kind with its group and version, and the order in which kinds are printed.

import { compareBytes, isObject, type JsonObject } from '../kube/machinery/go-values.ts';

export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Kinds that others refer to come first; kinds that are not here follow, by name. */
const ORDER = [
  'Namespace',
  'StorageClass',
  'CustomResourceDefinition',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'ServiceAccount',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];

/** The kinds that kustomize v2 knows to be outside of namespaces. */
const CLUSTER_KINDS = ['APIService', 'ClusterRoleBinding', 'ClusterRole', 'CustomResourceDefinition', 'Namespace', 'PersistentVolume'];

export function gvkOf(object: JsonObject): Gvk {
  const apiVersion = typeof object['apiVersion'] === 'string' ? object['apiVersion'] : '';
  const kind = typeof object['kind'] === 'string' ? object['kind'] : '';
  const slash = apiVersion.indexOf('/');
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind };
}

export function gvkText({ group, version, kind }: Gvk): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
}

export function isSameGvk(a: Gvk, b: Gvk): boolean {
  return a.group === b.group && a.version === b.version && a.kind === b.kind;
}

/** True when every field that `selector` has is the same; empty ones match anything. */
export function isSelected(gvk: Gvk, selector: Partial<Gvk>): boolean {
  const matches = (wanted: string | undefined, found: string): boolean => (wanted ?? '') === '' || wanted === found;
  return matches(selector.group, gvk.group) && matches(selector.version, gvk.version) && matches(selector.kind, gvk.kind);
}

export function isClusterKind({ kind }: Gvk): boolean {
  return CLUSTER_KINDS.includes(kind);
}

export function compareGvk(a: Gvk, b: Gvk): number {
  const left = ORDER.indexOf(a.kind);
  const right = ORDER.indexOf(b.kind);
  if (left !== right && left >= 0 && right >= 0) return left - right;
  if (left >= 0 !== right >= 0) return left >= 0 ? -1 : 1;
  return compareBytes(gvkText(a), gvkText(b));
}

/** The string at a path of keys; undefined when there is none. */
export function stringAt(object: unknown, ...keys: readonly string[]): string | undefined {
  let current = object;
  for (const key of keys) current = isObject(current) ? current[key] : undefined;
  return typeof current === 'string' ? current : undefined;
}
