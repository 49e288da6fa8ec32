// Models the fields in which kustomize v2.0.3 follows names of other objects, its slips included.

import type { FieldSpec } from './mutate.ts';

/** The kind that is referred to, and the fields that do so. */
export interface NameReference {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly fields: readonly FieldSpec[];
}

const RBAC = 'rbac.authorization.k8s.io';
const TEMPLATE = 'spec/template/spec';
const CRON_TEMPLATE = 'spec/jobTemplate/spec/template/spec';

/** Where each kind that runs pods has its pod spec. */
const POD_SPECS: readonly (readonly [string, string])[] = [
  ['Pod', 'spec'],
  ['Deployment', TEMPLATE],
  ['ReplicaSet', TEMPLATE],
  ['DaemonSet', TEMPLATE],
  ['StatefulSet', TEMPLATE],
  ['Job', TEMPLATE],
  ['CronJob', CRON_TEMPLATE],
];

/** Kinds whose projected volumes are looked into. */
const PROJECTED = ['Deployment', 'StatefulSet'];

function inPodSpecs(fields: (kind: string) => readonly string[]): readonly FieldSpec[] {
  return POD_SPECS.flatMap(([kind, at]) =>
    fields(kind).map((field) => ({ kind, path: `${at}/${field}`, ...(kind === 'Pod' ? { version: 'v1' } : {}) })),
  );
}

const CONFIG_MAP_FIELDS = inPodSpecs((kind) => [
  'volumes/configMap/name',
  'containers/env/valueFrom/configMapKeyRef/name',
  'initContainers/env/valueFrom/configMapKeyRef/name',
  'containers/envFrom/configMapRef/name',
  // The table of v2.0.3 misspells this one.
  kind === 'CronJob' ? 'initContainers/envFrom/configmapRef/name' : 'initContainers/envFrom/configMapRef/name',
  ...(PROJECTED.includes(kind) ? ['volumes/projected/sources/configMap/name'] : []),
]);

const SECRET_FIELDS = inPodSpecs((kind) => [
  'volumes/secret/secretName',
  'containers/env/valueFrom/secretKeyRef/name',
  'initContainers/env/valueFrom/secretKeyRef/name',
  'containers/envFrom/secretRef/name',
  'initContainers/envFrom/secretRef/name',
  'imagePullSecrets/name',
  ...(PROJECTED.includes(kind) ? ['volumes/projected/sources/secret/name'] : []),
]);

const scaled: readonly FieldSpec[] = [{ kind: 'HorizontalPodAutoscaler', path: 'spec/scaleTargetRef/name' }];

export const NAME_REFERENCES: readonly NameReference[] = [
  { kind: 'Deployment', fields: scaled },
  { kind: 'ReplicationController', fields: scaled },
  { kind: 'ReplicaSet', fields: scaled },
  { kind: 'ConfigMap', version: 'v1', fields: CONFIG_MAP_FIELDS },
  {
    kind: 'Secret',
    version: 'v1',
    fields: [
      ...SECRET_FIELDS,
      { kind: 'Ingress', path: 'spec/tls/secretName' },
      { kind: 'Ingress', path: 'metadata/annotations/ingress.kubernetes.io\\/auth-secret' },
      { kind: 'Ingress', path: 'metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret' },
      { kind: 'ServiceAccount', path: 'imagePullSecrets/name' },
      ...['secretName', 'adminSecretName', 'userSecretName', 'secretRef'].map((key) => ({
        kind: 'StorageClass',
        path: `parameters/${key}`,
      })),
      { kind: 'Role', path: 'rules/resourceNames' },
      { kind: 'ClusterRole', path: 'rules/resourceNames' },
    ],
  },
  {
    kind: 'Service',
    version: 'v1',
    fields: [
      { group: 'apps', kind: 'StatefulSet', path: 'spec/serviceName' },
      { kind: 'Ingress', path: 'spec/rules/http/paths/backend/serviceName' },
      { kind: 'Ingress', path: 'spec/backend/serviceName' },
      { group: 'apiregistration.k8s.io', kind: 'APIService', path: 'spec/service/name' },
    ],
  },
  { group: RBAC, kind: 'Role', fields: [{ group: RBAC, kind: 'RoleBinding', path: 'roleRef/name' }] },
  {
    group: RBAC,
    kind: 'ClusterRole',
    fields: ['RoleBinding', 'ClusterRoleBinding'].map((kind) => ({ group: RBAC, kind, path: 'roleRef/name' })),
  },
  {
    kind: 'ServiceAccount',
    version: 'v1',
    fields: [
      ...['RoleBinding', 'ClusterRoleBinding'].map((kind) => ({ group: RBAC, kind, path: 'subjects/name' })),
      { kind: 'Pod', path: 'spec/serviceAccountName' },
      { kind: 'CronJob', path: `${CRON_TEMPLATE}/serviceAccountName` },
      // Jobs are not followed: their entry is written `job`.
      ...['StatefulSet', 'Deployment', 'ReplicationController', 'DaemonSet'].map((kind) => ({
        kind,
        path: `${TEMPLATE}/serviceAccountName`,
      })),
    ],
  },
  {
    kind: 'PersistentVolumeClaim',
    version: 'v1',
    fields: [
      { kind: 'Pod', path: 'spec/volumes/persistentVolumeClaim/claimName' },
      { kind: 'CronJob', path: `${CRON_TEMPLATE}/volumes/persistentVolumeClaim/claimName` },
      ...['StatefulSet', 'Deployment', 'ReplicationController', 'Job', 'DaemonSet'].map((kind) => ({
        kind,
        path: `${TEMPLATE}/volumes/persistentVolumeClaim/claimName`,
      })),
    ],
  },
  { kind: 'PersistentVolume', version: 'v1', fields: [{ kind: 'PersistentVolumeClaim', path: 'spec/volumeName' }] },
];
