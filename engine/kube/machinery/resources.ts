// Where the built-in kinds are served.

import type { KubeObject, ResourceReference } from './types.ts';

const namespaced = (group: string, version: string, resource: string, kind: string): ResourceReference => ({
  group,
  version,
  resource,
  kind,
  isNamespaced: true,
});
const cluster = (group: string, version: string, resource: string, kind: string): ResourceReference => ({
  group,
  version,
  resource,
  kind,
  isNamespaced: false,
});

export const NODE = cluster('', 'v1', 'nodes', 'Node');
export const NAMESPACE = cluster('', 'v1', 'namespaces', 'Namespace');
export const POD = namespaced('', 'v1', 'pods', 'Pod');
export const SERVICE = namespaced('', 'v1', 'services', 'Service');
export const ENDPOINTS = namespaced('', 'v1', 'endpoints', 'Endpoints');
export const SERVICE_ACCOUNT = namespaced('', 'v1', 'serviceaccounts', 'ServiceAccount');
export const CONFIG_MAP = namespaced('', 'v1', 'configmaps', 'ConfigMap');
export const SECRET = namespaced('', 'v1', 'secrets', 'Secret');
export const EVENT = namespaced('', 'v1', 'events', 'Event');
export const REPLICATION_CONTROLLER = namespaced('', 'v1', 'replicationcontrollers', 'ReplicationController');
export const PERSISTENT_VOLUME = cluster('', 'v1', 'persistentvolumes', 'PersistentVolume');
export const PERSISTENT_VOLUME_CLAIM = namespaced('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim');
export const LIMIT_RANGE = namespaced('', 'v1', 'limitranges', 'LimitRange');
export const RESOURCE_QUOTA = namespaced('', 'v1', 'resourcequotas', 'ResourceQuota');
export const POD_TEMPLATE = namespaced('', 'v1', 'podtemplates', 'PodTemplate');
export const COMPONENT_STATUS = cluster('', 'v1', 'componentstatuses', 'ComponentStatus');
export const DEPLOYMENT = namespaced('apps', 'v1', 'deployments', 'Deployment');
export const REPLICA_SET = namespaced('apps', 'v1', 'replicasets', 'ReplicaSet');
export const DAEMON_SET = namespaced('apps', 'v1', 'daemonsets', 'DaemonSet');
export const STATEFUL_SET = namespaced('apps', 'v1', 'statefulsets', 'StatefulSet');
export const CONTROLLER_REVISION = namespaced('apps', 'v1', 'controllerrevisions', 'ControllerRevision');
export const JOB = namespaced('batch', 'v1', 'jobs', 'Job');
export const CRON_JOB = namespaced('batch', 'v1beta1', 'cronjobs', 'CronJob');
export const HORIZONTAL_POD_AUTOSCALER = namespaced('autoscaling', 'v1', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler');
export const LEASE = namespaced('coordination.k8s.io', 'v1', 'leases', 'Lease');
export const ENDPOINT_SLICE = namespaced('discovery.k8s.io', 'v1beta1', 'endpointslices', 'EndpointSlice');
export const INGRESS = namespaced('networking.k8s.io', 'v1', 'ingresses', 'Ingress');
export const INGRESS_CLASS = cluster('networking.k8s.io', 'v1', 'ingressclasses', 'IngressClass');
export const NETWORK_POLICY = namespaced('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy');
export const POD_DISRUPTION_BUDGET = namespaced('policy', 'v1beta1', 'poddisruptionbudgets', 'PodDisruptionBudget');
export const STORAGE_CLASS = cluster('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass');
export const CSI_NODE = cluster('storage.k8s.io', 'v1', 'csinodes', 'CSINode');
export const CSI_DRIVER = cluster('storage.k8s.io', 'v1', 'csidrivers', 'CSIDriver');
export const VOLUME_ATTACHMENT = cluster('storage.k8s.io', 'v1', 'volumeattachments', 'VolumeAttachment');
export const ROLE = namespaced('rbac.authorization.k8s.io', 'v1', 'roles', 'Role');
export const ROLE_BINDING = namespaced('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding');
export const CLUSTER_ROLE = cluster('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole');
export const CLUSTER_ROLE_BINDING = cluster('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', 'ClusterRoleBinding');
export const PRIORITY_CLASS = cluster('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass');
export const RUNTIME_CLASS = cluster('node.k8s.io', 'v1', 'runtimeclasses', 'RuntimeClass');
export const CERTIFICATE_SIGNING_REQUEST = cluster('certificates.k8s.io', 'v1', 'certificatesigningrequests', 'CertificateSigningRequest');
export const CUSTOM_RESOURCE_DEFINITION = cluster('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition');
export const API_SERVICE = cluster('apiregistration.k8s.io', 'v1', 'apiservices', 'APIService');

/** `v1`, `apps/v1`. */
export function apiVersionOf(resource: { readonly group: string; readonly version: string }): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `namespace/name`, or `name` for cluster kinds: the key of listers and work queues. */
export function keyOf(object: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** The reverse of keyOf. */
export function splitKey(key: string): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: undefined, name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** `/api/v1/namespaces/default/pods/web/status`: the path of a collection, an object or a subresource. */
export function resourcePath(
  resource: ResourceReference,
  at: { readonly namespace?: string | undefined; readonly name?: string | undefined; readonly subresource?: string | undefined } = {},
): string {
  let path = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (resource.isNamespaced && at.namespace !== undefined && at.namespace !== '') path += `/namespaces/${encodeURIComponent(at.namespace)}`;
  path += `/${resource.resource}`;
  if (at.name !== undefined) path += `/${encodeURIComponent(at.name)}`;
  if (at.subresource !== undefined) path += `/${at.subresource}`;
  return path;
}

/** The owner that controls this object, if any. */
export function controllerOf(object: KubeObject): NonNullable<KubeObject['metadata']['ownerReferences']>[number] | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** The object for those who only want to know how it is, not who made it so: managedFields are most of its memory. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  const known = stripped.get(object);
  if (known !== undefined) return known as T;
  const { managedFields: _, ...metadata } = object.metadata;
  const lighter = { ...object, metadata };
  stripped.set(object, lighter);
  return lighter;
}

/** Several followers of a resource may be given the same object, and then keep the same one. */
const stripped = new WeakMap<KubeObject, KubeObject>();
