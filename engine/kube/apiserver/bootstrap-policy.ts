// The roles and bindings a new API server makes: v1.20's bootstrap policy.

import type { PolicyRule } from './rbac.ts';

interface Role {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly aggregates?: readonly string[];
}
interface Binding {
  readonly name: string;
  readonly role: string;
  readonly subjects: readonly Subject[];
}
interface Subject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  readonly namespace?: string;
}

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const ALL = ['*'];

/** `verbs` on `resources` of the named groups. */
const rule = (verbs: readonly string[], apiGroups: readonly string[] | string, ...resources: readonly string[]): PolicyRule => ({
  verbs: [...verbs].sort(),
  apiGroups: typeof apiGroups === 'string' ? [apiGroups] : apiGroups,
  resources: [...resources].sort(),
});
const named = (verbs: readonly string[], group: string, resource: string, ...resourceNames: readonly string[]): PolicyRule => ({
  verbs,
  apiGroups: [group],
  resources: [resource],
  resourceNames,
});
const paths = (...nonResourceURLs: readonly string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });
const EVENTS = rule(['create', 'patch', 'update'], ['', 'events.k8s.io'], 'events');

const ADMIN_RULES: readonly PolicyRule[] = [
  rule(READ, '', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'),
  rule(['impersonate'], '', 'serviceaccounts'),
  rule(WRITE, '', 'pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'),
  rule(
    WRITE,
    '',
    'configmaps',
    'endpoints',
    'persistentvolumeclaims',
    'replicationcontrollers',
    'replicationcontrollers/scale',
    'secrets',
    'serviceaccounts',
    'services',
    'services/proxy',
  ),
  rule(
    WRITE,
    'apps',
    'daemonsets',
    'deployments',
    'deployments/rollback',
    'deployments/scale',
    'replicasets',
    'replicasets/scale',
    'statefulsets',
    'statefulsets/scale',
  ),
  rule(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
  rule(WRITE, 'batch', 'cronjobs', 'jobs'),
  rule(
    WRITE,
    'extensions',
    'daemonsets',
    'deployments',
    'deployments/rollback',
    'deployments/scale',
    'ingresses',
    'networkpolicies',
    'replicasets',
    'replicasets/scale',
    'replicationcontrollers/scale',
  ),
  rule(WRITE, 'policy', 'poddisruptionbudgets'),
  rule(WRITE, 'networking.k8s.io', 'ingresses', 'networkpolicies'),
];
const VIEW_RULES: readonly PolicyRule[] = [
  rule(
    READ,
    '',
    'configmaps',
    'endpoints',
    'persistentvolumeclaims',
    'persistentvolumeclaims/status',
    'pods',
    'replicationcontrollers',
    'replicationcontrollers/scale',
    'serviceaccounts',
    'services',
    'services/status',
  ),
  rule(
    READ,
    '',
    'bindings',
    'events',
    'limitranges',
    'namespaces/status',
    'pods/log',
    'pods/status',
    'replicationcontrollers/status',
    'resourcequotas',
    'resourcequotas/status',
  ),
  rule(READ, '', 'namespaces'),
  rule(
    READ,
    'apps',
    'controllerrevisions',
    'daemonsets',
    'daemonsets/status',
    'deployments',
    'deployments/scale',
    'deployments/status',
    'replicasets',
    'replicasets/scale',
    'replicasets/status',
    'statefulsets',
    'statefulsets/scale',
    'statefulsets/status',
  ),
  rule(READ, 'autoscaling', 'horizontalpodautoscalers', 'horizontalpodautoscalers/status'),
  rule(READ, 'batch', 'cronjobs', 'cronjobs/status', 'jobs', 'jobs/status'),
  rule(
    READ,
    'extensions',
    'daemonsets',
    'daemonsets/status',
    'deployments',
    'deployments/scale',
    'deployments/status',
    'ingresses',
    'ingresses/status',
    'networkpolicies',
    'replicasets',
    'replicasets/scale',
    'replicasets/status',
    'replicationcontrollers/scale',
  ),
  rule(READ, 'policy', 'poddisruptionbudgets', 'poddisruptionbudgets/status'),
  rule(READ, 'networking.k8s.io', 'ingresses', 'ingresses/status', 'networkpolicies'),
];
const OWNERSHIP_RULES: readonly PolicyRule[] = [
  rule(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
  rule([...WRITE, ...READ], 'rbac.authorization.k8s.io', 'rolebindings', 'roles'),
];

const AGGREGATE = 'rbac.authorization.k8s.io/aggregate-to-';

const ROLES: readonly Role[] = [
  { name: 'cluster-admin', rules: [rule(ALL, '*', '*'), { verbs: ALL, nonResourceURLs: ['*'] }] },
  // Rules of these three are gathered from others by a controller.
  { name: 'admin', rules: [], aggregates: ['admin'] },
  { name: 'edit', rules: [], labels: { [`${AGGREGATE}admin`]: 'true' }, aggregates: ['edit'] },
  { name: 'view', rules: [], labels: { [`${AGGREGATE}edit`]: 'true' }, aggregates: ['view'] },
  { name: 'system:aggregate-to-admin', rules: OWNERSHIP_RULES, labels: { [`${AGGREGATE}admin`]: 'true' } },
  { name: 'system:aggregate-to-edit', rules: ADMIN_RULES, labels: { [`${AGGREGATE}edit`]: 'true' } },
  { name: 'system:aggregate-to-view', rules: VIEW_RULES, labels: { [`${AGGREGATE}view`]: 'true' } },
  {
    name: 'system:discovery',
    rules: [
      paths('/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*', '/readyz', '/version', '/version/'),
    ],
  },
  { name: 'system:public-info-viewer', rules: [paths('/healthz', '/livez', '/readyz', '/version', '/version/')] },
  { name: 'system:monitoring', rules: [paths('/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/readyz', '/readyz/*')] },
  { name: 'system:basic-user', rules: [rule(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews')] },
  {
    name: 'system:auth-delegator',
    rules: [rule(['create'], 'authentication.k8s.io', 'tokenreviews'), rule(['create'], 'authorization.k8s.io', 'subjectaccessreviews')],
  },
  { name: 'system:heapster', rules: [rule(READ, '', 'events', 'namespaces', 'nodes', 'pods'), rule(READ, 'extensions', 'deployments')] },
  { name: 'system:kube-aggregator', rules: [rule(READ, '', 'endpoints', 'services')] },
  {
    name: 'system:kube-controller-manager',
    rules: [
      EVENTS,
      rule(['create'], 'coordination.k8s.io', 'leases'),
      named(['get', 'update'], 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
      rule(['create'], '', 'endpoints'),
      named(['get', 'update'], '', 'endpoints', 'kube-controller-manager'),
      rule(['create'], '', 'secrets', 'serviceaccounts'),
      rule(['delete'], '', 'secrets'),
      rule(['get'], '', 'configmaps', 'namespaces', 'secrets', 'serviceaccounts'),
      rule(['update'], '', 'secrets', 'serviceaccounts'),
      rule(['create'], 'authentication.k8s.io', 'tokenreviews'),
      rule(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
      rule(['list', 'watch'], '*', '*'),
      rule(['create'], '', 'serviceaccounts/token'),
    ],
  },
  { name: 'system:kube-dns', rules: [rule(['list', 'watch'], '', 'endpoints', 'services')] },
  {
    name: 'system:kube-scheduler',
    rules: [
      EVENTS,
      rule(['create'], 'coordination.k8s.io', 'leases'),
      named(['get', 'update'], 'coordination.k8s.io', 'leases', 'kube-scheduler'),
      rule(['create'], '', 'endpoints'),
      named(['get', 'update'], '', 'endpoints', 'kube-scheduler'),
      rule(READ, '', 'nodes'),
      rule(['delete', ...READ], '', 'pods'),
      rule(['create'], '', 'bindings', 'pods/binding'),
      rule(['patch', 'update'], '', 'pods/status'),
      rule(READ, '', 'replicationcontrollers', 'services'),
      rule(READ, ['apps', 'extensions'], 'replicasets'),
      rule(READ, 'apps', 'statefulsets'),
      rule(READ, 'policy', 'poddisruptionbudgets'),
      rule(READ, '', 'persistentvolumeclaims', 'persistentvolumes'),
      rule(['create'], 'authentication.k8s.io', 'tokenreviews'),
      rule(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
      rule(READ, 'storage.k8s.io', 'csinodes'),
    ],
  },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      rule(READ, '', 'nodes'),
      rule(['proxy'], '', 'nodes'),
      rule(ALL, '', 'nodes/log', 'nodes/metrics', 'nodes/proxy', 'nodes/spec', 'nodes/stats'),
    ],
  },
  {
    name: 'system:node',
    rules: [
      rule(['create'], 'authentication.k8s.io', 'tokenreviews'),
      rule(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews', 'subjectaccessreviews'),
      rule(READ, '', 'services'),
      rule(['create', 'get', 'list', 'watch'], '', 'nodes'),
      rule(['patch', 'update'], '', 'nodes/status'),
      rule(['patch', 'update'], '', 'nodes'),
      EVENTS,
      rule(READ, '', 'pods'),
      rule(['create', 'delete'], '', 'pods'),
      rule(['patch', 'update'], '', 'pods/status'),
      rule(['create'], '', 'pods/eviction'),
      rule(READ, '', 'configmaps', 'secrets'),
      rule(['get'], '', 'persistentvolumeclaims', 'persistentvolumes'),
      rule(['get'], '', 'endpoints'),
      rule(['create', 'get', 'list', 'watch'], 'certificates.k8s.io', 'certificatesigningrequests'),
      rule(['create', 'delete', 'get', 'patch', 'update'], 'coordination.k8s.io', 'leases'),
      rule(['get'], 'storage.k8s.io', 'volumeattachments'),
      rule(['create'], '', 'serviceaccounts/token'),
      rule(['get', 'patch', 'update'], '', 'persistentvolumeclaims/status'),
      rule(READ, 'storage.k8s.io', 'csidrivers'),
      rule(['create', 'delete', 'get', 'patch', 'update'], 'storage.k8s.io', 'csinodes'),
      rule(READ, 'node.k8s.io', 'runtimeclasses'),
    ],
  },
  { name: 'system:node-bootstrapper', rules: [rule(['create', ...READ], 'certificates.k8s.io', 'certificatesigningrequests')] },
  { name: 'system:node-problem-detector', rules: [rule(['get'], '', 'nodes'), rule(['patch'], '', 'nodes/status'), EVENTS] },
  {
    name: 'system:node-proxier',
    rules: [
      rule(['list', 'watch'], '', 'endpoints', 'services'),
      rule(READ, '', 'nodes'),
      EVENTS,
      rule(['list', 'watch'], 'discovery.k8s.io', 'endpointslices'),
    ],
  },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      rule(['create', 'delete', ...READ], '', 'persistentvolumes'),
      rule([...READ, 'update'], '', 'persistentvolumeclaims'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule(['watch'], '', 'events'),
      EVENTS,
    ],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      rule(['get', 'list', 'patch', 'update', 'watch'], '', 'persistentvolumes'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule(['get', 'list', 'patch', 'update', 'watch'], '', 'persistentvolumeclaims'),
    ],
  },
  {
    name: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    rules: [rule(['create'], 'certificates.k8s.io', 'certificatesigningrequests/nodeclient')],
  },
  {
    name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    rules: [rule(['create'], 'certificates.k8s.io', 'certificatesigningrequests/selfnodeclient')],
  },
  ...(
    [
      'kube-apiserver-client-approver',
      'kube-apiserver-client-kubelet-approver',
      'kubelet-serving-approver',
      'legacy-unknown-approver',
    ] as const
  ).map((approver) => ({
    name: `system:certificates.k8s.io:${approver}`,
    rules: [named(['approve'], 'certificates.k8s.io', 'signers', `kubernetes.io/${approver.replace(/-approver$/, '')}`)],
  })),
  { name: 'system:service-account-issuer-discovery', rules: [paths('/.well-known/openid-configuration', '/openid/v1/jwks')] },
];

/** Controllers' own roles; each is bound to a service account of kube-system. */
const CONTROLLERS: Readonly<Record<string, readonly PolicyRule[]>> = {
  'attachdetach-controller': [
    rule(['list', 'watch'], '', 'persistentvolumeclaims', 'persistentvolumes'),
    rule(READ, '', 'nodes'),
    rule(['patch', 'update'], '', 'nodes/status'),
    rule(['list', 'watch'], '', 'pods'),
    EVENTS,
    rule(['create', 'delete', ...READ], 'storage.k8s.io', 'volumeattachments'),
    rule(READ, 'storage.k8s.io', 'csidrivers'),
    rule(READ, 'storage.k8s.io', 'csinodes'),
  ],
  'certificate-controller': [
    rule(['delete', ...READ], 'certificates.k8s.io', 'certificatesigningrequests'),
    rule(['update'], 'certificates.k8s.io', 'certificatesigningrequests/approval', 'certificatesigningrequests/status'),
    named(['approve'], 'certificates.k8s.io', 'signers', 'kubernetes.io/kube-apiserver-client-kubelet'),
    named(
      ['sign'],
      'certificates.k8s.io',
      'signers',
      'kubernetes.io/kube-apiserver-client',
      'kubernetes.io/kube-apiserver-client-kubelet',
      'kubernetes.io/kubelet-serving',
      'kubernetes.io/legacy-unknown',
    ),
    rule(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
    EVENTS,
  ],
  'clusterrole-aggregation-controller': [
    rule(['escalate', 'get', 'list', 'patch', 'update', 'watch'], 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'cronjob-controller': [
    rule([...READ, 'update'], 'batch', 'cronjobs'),
    rule(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'], 'batch', 'jobs'),
    rule(['update'], 'batch', 'cronjobs/status'),
    rule(['update'], 'batch', 'cronjobs/finalizers'),
    rule(['delete', 'list'], '', 'pods'),
    EVENTS,
  ],
  'daemon-set-controller': [
    rule(READ, ['apps', 'extensions'], 'daemonsets'),
    rule(['update'], ['apps', 'extensions'], 'daemonsets/status'),
    rule(['update'], ['apps', 'extensions'], 'daemonsets/finalizers'),
    rule(['list', 'watch'], '', 'nodes'),
    rule(['create', 'delete', 'list', 'patch', 'watch'], '', 'pods'),
    rule(['create'], '', 'pods/binding'),
    rule(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'], 'apps', 'controllerrevisions'),
    EVENTS,
  ],
  'deployment-controller': [
    rule([...READ, 'update'], ['apps', 'extensions'], 'deployments'),
    rule(['update'], ['apps', 'extensions'], 'deployments/status'),
    rule(['update'], ['apps', 'extensions'], 'deployments/finalizers'),
    rule(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'], ['apps', 'extensions'], 'replicasets'),
    rule([...READ, 'update'], '', 'pods'),
    EVENTS,
  ],
  'disruption-controller': [
    rule(READ, ['apps', 'extensions'], 'deployments'),
    rule(READ, ['apps', 'extensions'], 'replicasets'),
    rule(READ, '', 'replicationcontrollers'),
    rule(READ, 'policy', 'poddisruptionbudgets'),
    rule(READ, 'apps', 'statefulsets'),
    rule(['update'], 'policy', 'poddisruptionbudgets/status'),
    rule(['get'], '*', '*/scale'),
    EVENTS,
  ],
  'endpoint-controller': [
    rule(READ, '', 'pods', 'services'),
    rule(['create', 'delete', 'get', 'list', 'update'], '', 'endpoints'),
    rule(['create'], '', 'endpoints/restricted'),
    EVENTS,
  ],
  'endpointslice-controller': [
    rule(READ, '', 'nodes', 'pods', 'services'),
    rule(['update'], '', 'services/finalizers'),
    rule(['create', 'delete', 'get', 'list', 'update'], 'discovery.k8s.io', 'endpointslices'),
    EVENTS,
  ],
  'endpointslicemirroring-controller': [
    rule(READ, '', 'endpoints', 'services'),
    rule(['update'], '', 'services/finalizers'),
    rule(['update'], '', 'endpoints/finalizers'),
    rule(['create', 'delete', 'get', 'list', 'update'], 'discovery.k8s.io', 'endpointslices'),
    EVENTS,
  ],
  'expand-controller': [
    rule(['get', 'list', 'patch', 'update', 'watch'], '', 'persistentvolumes'),
    rule(['patch', 'update'], '', 'persistentvolumeclaims/status'),
    rule(READ, '', 'persistentvolumeclaims'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule(['get'], '', 'endpoints', 'services'),
    rule(['get'], '', 'secrets'),
    EVENTS,
  ],
  'generic-garbage-collector': [rule(['delete', 'get', 'list', 'patch', 'update', 'watch'], '*', '*'), EVENTS],
  'horizontal-pod-autoscaler': [
    rule(READ, 'autoscaling', 'horizontalpodautoscalers'),
    rule(['update'], 'autoscaling', 'horizontalpodautoscalers/status'),
    rule(['get', 'update'], '*', '*/scale'),
    rule(['list'], '', 'pods'),
    named(['get'], '', 'services/proxy', 'http:heapster:', 'https:heapster:'),
    rule(['list'], 'metrics.k8s.io', 'pods'),
    rule(['get', 'list'], 'custom.metrics.k8s.io', '*'),
    EVENTS,
  ],
  'job-controller': [
    rule([...READ, 'update'], 'batch', 'jobs'),
    rule(['update'], 'batch', 'jobs/status'),
    rule(['update'], 'batch', 'jobs/finalizers'),
    rule(['create', 'delete', 'list', 'patch', 'watch'], '', 'pods'),
    EVENTS,
  ],
  'namespace-controller': [
    rule(['delete', ...READ], '', 'namespaces'),
    rule(['update'], '', 'namespaces/finalize', 'namespaces/status'),
    rule(['delete', 'deletecollection', 'get', 'list'], '*', '*'),
  ],
  'node-controller': [
    rule(['delete', 'get', 'list', 'patch', 'update'], '', 'nodes'),
    rule(['patch', 'update'], '', 'nodes/status'),
    rule(['update'], '', 'pods/status'),
    rule(['delete', 'list'], '', 'pods'),
    EVENTS,
  ],
  'persistent-volume-binder': [
    rule(['create', 'delete', ...READ, 'update'], '', 'persistentvolumes'),
    rule(['update'], '', 'persistentvolumes/status'),
    rule([...READ, 'update'], '', 'persistentvolumeclaims'),
    rule(['update'], '', 'persistentvolumeclaims/status'),
    rule(['create', 'delete', ...READ], '', 'pods'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule(['create', 'delete', 'get', 'update'], '', 'endpoints'),
    rule(['create', 'delete', 'get'], '', 'services'),
    rule(['get'], '', 'secrets'),
    rule(['get', 'list'], '', 'nodes'),
    rule(['watch'], '', 'events'),
    EVENTS,
  ],
  'pod-garbage-collector': [rule(['delete', 'list', 'watch'], '', 'pods'), rule(['get', 'list'], '', 'nodes')],
  'pv-protection-controller': [rule([...READ, 'update'], '', 'persistentvolumes'), EVENTS],
  'pvc-protection-controller': [rule([...READ, 'update'], '', 'persistentvolumeclaims'), rule(READ, '', 'pods'), EVENTS],
  'replicaset-controller': [
    rule([...READ, 'update'], ['apps', 'extensions'], 'replicasets'),
    rule(['update'], ['apps', 'extensions'], 'replicasets/status'),
    rule(['update'], ['apps', 'extensions'], 'replicasets/finalizers'),
    rule(['create', 'delete', 'list', 'patch', 'watch'], '', 'pods'),
    EVENTS,
  ],
  'replication-controller': [
    rule([...READ, 'update'], '', 'replicationcontrollers'),
    rule(['update'], '', 'replicationcontrollers/status'),
    rule(['update'], '', 'replicationcontrollers/finalizers'),
    rule(['create', 'delete', 'list', 'patch', 'watch'], '', 'pods'),
    EVENTS,
  ],
  'resourcequota-controller': [rule(['list', 'watch'], '*', '*'), rule(['update'], '', 'resourcequotas/status'), EVENTS],
  'root-ca-cert-publisher': [rule(['create', 'update'], '', 'configmaps'), EVENTS],
  'route-controller': [rule(['list', 'watch'], '', 'nodes'), rule(['patch'], '', 'nodes/status'), EVENTS],
  'service-account-controller': [rule(['create'], '', 'serviceaccounts'), EVENTS],
  'service-controller': [
    rule(READ, '', 'services'),
    rule(['patch', 'update'], '', 'services/status'),
    rule(['list', 'watch'], '', 'nodes'),
    EVENTS,
  ],
  'statefulset-controller': [
    rule(['list', 'watch'], '', 'pods'),
    rule(READ, 'apps', 'statefulsets'),
    rule(['update'], 'apps', 'statefulsets/status'),
    rule(['update'], 'apps', 'statefulsets/finalizers'),
    rule(['create', 'delete', 'get', 'patch', 'update'], '', 'pods'),
    rule(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'], 'apps', 'controllerrevisions'),
    rule(['create', 'get'], '', 'persistentvolumeclaims'),
    EVENTS,
  ],
  'ttl-controller': [rule(['list', 'patch', 'update', 'watch'], '', 'nodes'), EVENTS],
};

const user = (name: string): Subject => ({ kind: 'User', name });
const group = (name: string): Subject => ({ kind: 'Group', name });
const account = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' });
const bind = (role: string, ...subjects: readonly Subject[]): Binding => ({ name: role, role, subjects });

const BINDINGS: readonly Binding[] = [
  bind('cluster-admin', group('system:masters')),
  bind('system:monitoring', group('system:monitoring')),
  bind('system:discovery', group('system:authenticated')),
  bind('system:basic-user', group('system:authenticated')),
  bind('system:public-info-viewer', group('system:authenticated'), group('system:unauthenticated')),
  bind('system:node-proxier', user('system:kube-proxy')),
  bind('system:kube-controller-manager', user('system:kube-controller-manager')),
  bind('system:kube-dns', account('kube-dns')),
  bind('system:kube-scheduler', user('system:kube-scheduler')),
  bind('system:volume-scheduler', user('system:kube-scheduler')),
  { name: 'system:node', role: 'system:node', subjects: [] },
  bind('system:service-account-issuer-discovery', group('system:serviceaccounts')),
  ...Object.keys(CONTROLLERS).map((name) => bind(`system:controller:${name}`, account(name))),
];

const EXTENSION_AUTH = 'extension-apiserver-authentication-reader';

/** Roles of kube-system and kube-public, and who holds them. */
const NAMESPACED: readonly {
  readonly namespace: string;
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  readonly subjects: readonly Subject[];
}[] = [
  {
    namespace: 'kube-system',
    name: EXTENSION_AUTH,
    rules: [named(['get', 'list', 'watch'], '', 'configmaps', 'extension-apiserver-authentication')],
    subjects: [],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    rules: [rule(['watch'], '', 'configmaps'), named(['get', 'update'], '', 'configmaps', 'kube-controller-manager')],
    subjects: [user('system:kube-controller-manager'), account('kube-controller-manager')],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    rules: [rule(['watch'], '', 'configmaps'), named(['get', 'update'], '', 'configmaps', 'kube-scheduler')],
    subjects: [user('system:kube-scheduler'), account('kube-scheduler')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:bootstrap-signer',
    rules: [rule(READ, '', 'secrets')],
    subjects: [account('bootstrap-signer')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:cloud-provider',
    rules: [rule(['create', 'get', 'list', 'watch'], '', 'configmaps')],
    subjects: [account('cloud-provider')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:token-cleaner',
    rules: [rule(['delete', ...READ], '', 'secrets'), EVENTS],
    subjects: [account('token-cleaner')],
  },
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: [rule(READ, '', 'configmaps'), named(['update'], '', 'configmaps', 'cluster-info'), EVENTS],
    subjects: [account('bootstrap-signer')],
  },
];

type Json = Record<string, unknown>;

const GROUP = 'rbac.authorization.k8s.io';
const API_VERSION = `${GROUP}/v1`;
const metadata = (name: string, more: Json = {}): Json => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...(more['labels'] as object | undefined) },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  ...(more['namespace'] === undefined ? {} : { namespace: more['namespace'] }),
});
const subjectsOf = (subjects: readonly Subject[]): readonly Json[] =>
  subjects.map((subject) =>
    subject.kind === 'ServiceAccount' ? { ...subject } : { kind: subject.kind, apiGroup: GROUP, name: subject.name },
  );

/** Everything as objects, by resource, in the order of creation. */
export function bootstrapPolicy(): readonly { readonly resource: string; readonly object: Json }[] {
  const out: { resource: string; object: Json }[] = [];
  const roles = [
    ...ROLES,
    ...Object.entries(CONTROLLERS).map(([name, rules]) => ({ name: `system:controller:${name}`, rules })),
  ] as readonly Role[];
  for (const { name, rules, labels, aggregates } of roles) {
    out.push({
      resource: 'clusterroles',
      object: {
        kind: 'ClusterRole',
        apiVersion: API_VERSION,
        metadata: metadata(name, labels === undefined ? {} : { labels }),
        rules: aggregates === undefined ? rules : null,
        ...(aggregates === undefined
          ? {}
          : {
              aggregationRule: { clusterRoleSelectors: aggregates.map((each) => ({ matchLabels: { [`${AGGREGATE}${each}`]: 'true' } })) },
            }),
      },
    });
  }
  for (const { name, role, subjects } of BINDINGS) {
    out.push({
      resource: 'clusterrolebindings',
      object: {
        kind: 'ClusterRoleBinding',
        apiVersion: API_VERSION,
        metadata: metadata(name),
        ...(subjects.length === 0 ? {} : { subjects: subjectsOf(subjects) }),
        roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: role },
      },
    });
  }
  for (const { namespace, name, rules, subjects } of NAMESPACED) {
    out.push({ resource: 'roles', object: { kind: 'Role', apiVersion: API_VERSION, metadata: metadata(name, { namespace }), rules } });
    if (subjects.length === 0) continue;
    out.push({
      resource: 'rolebindings',
      object: {
        kind: 'RoleBinding',
        apiVersion: API_VERSION,
        metadata: metadata(name, { namespace }),
        subjects: subjectsOf(subjects),
        roleRef: { apiGroup: GROUP, kind: 'Role', name },
      },
    });
  }
  return out;
}
