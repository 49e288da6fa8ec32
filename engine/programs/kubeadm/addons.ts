// Models what kubeadm v1.20 puts into a new cluster: configuration, bootstrap rights, CoreDNS and kube-proxy.

import type { KubeObject, ResourceReference } from '../../kube/machinery/types.ts';
import {
  CLUSTER_ROLE,
  CLUSTER_ROLE_BINDING,
  CONFIG_MAP,
  DAEMON_SET,
  DEPLOYMENT,
  ROLE,
  ROLE_BINDING,
  SERVICE,
  SERVICE_ACCOUNT,
} from '../../kube/machinery/resources.ts';
import { kubeconfigYaml } from './kubeconfig-files.ts';
import {
  clusterConfigurationYaml,
  clusterStatusYaml,
  IMAGES,
  kubeletConfigurationYaml,
  serviceAddress,
  type ClusterConfiguration,
} from './cluster-configuration.ts';

/** An object to create, without what the server fills in. */
export interface NewObject {
  readonly resource: ResourceReference;
  readonly object: Omit<KubeObject, 'metadata'> & { metadata: Partial<KubeObject['metadata']> } & Record<string, unknown>;
}

const RBAC = 'rbac.authorization.k8s.io/v1';
const BOOTSTRAPPERS = 'system:bootstrappers:kubeadm:default-node-token';

interface Subject {
  readonly kind: 'Group' | 'User' | 'ServiceAccount';
  readonly name: string;
  readonly namespace?: string;
}

function bind(
  kind: 'RoleBinding' | 'ClusterRoleBinding',
  name: string,
  role: { kind: 'Role' | 'ClusterRole'; name: string },
  subjects: readonly Subject[],
  namespace?: string,
): NewObject {
  return {
    resource: kind === 'RoleBinding' ? ROLE_BINDING : CLUSTER_ROLE_BINDING,
    object: {
      apiVersion: RBAC,
      kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...role },
      subjects: subjects.map((subject) =>
        subject.kind === 'ServiceAccount' ? subject : { apiGroup: 'rbac.authorization.k8s.io', ...subject },
      ),
    },
  };
}

function role(kind: 'Role' | 'ClusterRole', name: string, rules: readonly unknown[], namespace?: string): NewObject {
  return {
    resource: kind === 'Role' ? ROLE : CLUSTER_ROLE,
    object: { apiVersion: RBAC, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, rules },
  };
}

function configMap(name: string, namespace: string, data: Readonly<Record<string, string>>, labels?: Record<string, string>): NewObject {
  return {
    resource: CONFIG_MAP,
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ...(labels === undefined ? {} : { labels }) }, data },
  };
}

/** The upload-config and kubelet phases. */
export function configurationObjects(config: ClusterConfiguration): readonly NewObject[] {
  const read = (name: string): unknown => ({ apiGroups: [''], resourceNames: [name], resources: ['configmaps'], verbs: ['get'] });
  const readers: readonly Subject[] = [
    { kind: 'Group', name: BOOTSTRAPPERS },
    { kind: 'Group', name: 'system:nodes' },
  ];
  const kubelet = 'kubelet-config-1.20';
  return [
    configMap('kubeadm-config', 'kube-system', {
      ClusterConfiguration: clusterConfigurationYaml(config),
      ClusterStatus: clusterStatusYaml(config),
    }),
    role('Role', 'kubeadm:nodes-kubeadm-config', [read('kubeadm-config')], 'kube-system'),
    bind('RoleBinding', 'kubeadm:nodes-kubeadm-config', { kind: 'Role', name: 'kubeadm:nodes-kubeadm-config' }, readers, 'kube-system'),
    configMap(kubelet, 'kube-system', { kubelet: kubeletConfigurationYaml(config) }),
    role('Role', `kubeadm:${kubelet}`, [read(kubelet)], 'kube-system'),
    bind('RoleBinding', `kubeadm:${kubelet}`, { kind: 'Role', name: `kubeadm:${kubelet}` }, readers, 'kube-system'),
  ];
}

/** The bootstrap-token phase without the token itself. */
export function bootstrapObjects(config: ClusterConfiguration, caPem: string): readonly NewObject[] {
  const bootstrappers: readonly Subject[] = [{ kind: 'Group', name: BOOTSTRAPPERS }];
  const clusterInfo = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${/data: (\S+)/.exec(kubeconfigYaml({ server: '', caPem, user: '', credentials: '' }))![1]!}
    server: https://${config.advertiseAddress}:${config.bindPort}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`;
  return [
    role('ClusterRole', 'kubeadm:get-nodes', [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]),
    bind('ClusterRoleBinding', 'kubeadm:get-nodes', { kind: 'ClusterRole', name: 'kubeadm:get-nodes' }, bootstrappers),
    bind('ClusterRoleBinding', 'kubeadm:kubelet-bootstrap', { kind: 'ClusterRole', name: 'system:node-bootstrapper' }, bootstrappers),
    bind(
      'ClusterRoleBinding',
      'kubeadm:node-autoapprove-bootstrap',
      { kind: 'ClusterRole', name: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient' },
      bootstrappers,
    ),
    bind(
      'ClusterRoleBinding',
      'kubeadm:node-autoapprove-certificate-rotation',
      { kind: 'ClusterRole', name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient' },
      [{ kind: 'Group', name: 'system:nodes' }],
    ),
    configMap('cluster-info', 'kube-public', { kubeconfig: clusterInfo }),
    role(
      'Role',
      'kubeadm:bootstrap-signer-clusterinfo',
      [{ apiGroups: [''], resourceNames: ['cluster-info'], resources: ['configmaps'], verbs: ['get'] }],
      'kube-public',
    ),
    bind(
      'RoleBinding',
      'kubeadm:bootstrap-signer-clusterinfo',
      { kind: 'Role', name: 'kubeadm:bootstrap-signer-clusterinfo' },
      [{ kind: 'User', name: 'system:anonymous' }],
      'kube-public',
    ),
  ];
}

const COREFILE = (domain: string): string => `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes ${domain} in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`;

export function corednsObjects(config: ClusterConfiguration): readonly NewObject[] {
  const labels = { 'k8s-app': 'kube-dns' };
  const account: Subject = { kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' };
  return [
    configMap('coredns', 'kube-system', { Corefile: COREFILE(config.dnsDomain) }),
    role('ClusterRole', 'system:coredns', [
      { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
    ]),
    bind('ClusterRoleBinding', 'system:coredns', { kind: 'ClusterRole', name: 'system:coredns' }, [account]),
    {
      resource: SERVICE_ACCOUNT,
      object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'coredns', namespace: 'kube-system' } },
    },
    {
      resource: DEPLOYMENT,
      object: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'coredns', namespace: 'kube-system', labels },
        spec: {
          replicas: 2,
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: corednsPod(config) },
        },
      },
    },
    {
      resource: SERVICE,
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: {
          name: 'kube-dns',
          namespace: 'kube-system',
          labels: { ...labels, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'KubeDNS' },
          annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
        },
        spec: {
          clusterIP: serviceAddress(config, 10),
          ports: [
            { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
            { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
            { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
          ],
          selector: labels,
        },
      },
    },
  ];
}

function corednsPod(config: ClusterConfiguration): unknown {
  const port = (containerPort: number, name: string, protocol: string): unknown => ({ containerPort, name, protocol });
  return {
    priorityClassName: 'system-cluster-critical',
    serviceAccountName: 'coredns',
    tolerations: [
      { key: 'CriticalAddonsOnly', operator: 'Exists' },
      { effect: 'NoSchedule', key: 'node-role.kubernetes.io/master' },
      { effect: 'NoSchedule', key: 'node-role.kubernetes.io/control-plane' },
    ],
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    containers: [
      {
        name: 'coredns',
        image: `${config.imageRepository}/${IMAGES.coredns}`,
        imagePullPolicy: 'IfNotPresent',
        resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
        args: ['-conf', '/etc/coredns/Corefile'],
        volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
        ports: [port(53, 'dns', 'UDP'), port(53, 'dns-tcp', 'TCP'), port(9153, 'metrics', 'TCP')],
        livenessProbe: {
          httpGet: { path: '/health', port: 8080, scheme: 'HTTP' },
          initialDelaySeconds: 60,
          timeoutSeconds: 5,
          successThreshold: 1,
          failureThreshold: 5,
        },
        readinessProbe: { httpGet: { path: '/ready', port: 8181, scheme: 'HTTP' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { add: ['NET_BIND_SERVICE'], drop: ['all'] },
          readOnlyRootFilesystem: true,
        },
      },
    ],
    dnsPolicy: 'Default',
    volumes: [{ name: 'config-volume', configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] } }],
  };
}

export function kubeProxyObjects(config: ClusterConfiguration): readonly NewObject[] {
  const labels = { 'k8s-app': 'kube-proxy' };
  return [
    {
      resource: SERVICE_ACCOUNT,
      object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'kube-proxy', namespace: 'kube-system' } },
    },
    bind('ClusterRoleBinding', 'kubeadm:node-proxier', { kind: 'ClusterRole', name: 'system:node-proxier' }, [
      { kind: 'ServiceAccount', name: 'kube-proxy', namespace: 'kube-system' },
    ]),
    role(
      'Role',
      'kube-proxy',
      [{ apiGroups: [''], resourceNames: ['kube-proxy'], resources: ['configmaps'], verbs: ['get'] }],
      'kube-system',
    ),
    bind('RoleBinding', 'kube-proxy', { kind: 'Role', name: 'kube-proxy' }, [{ kind: 'Group', name: BOOTSTRAPPERS }], 'kube-system'),
    configMap(
      'kube-proxy',
      'kube-system',
      { 'config.conf': kubeProxyConfiguration(config), 'kubeconfig.conf': kubeProxyKubeconfig(config) },
      { app: 'kube-proxy' },
    ),
    {
      resource: DAEMON_SET,
      object: {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'kube-proxy', namespace: 'kube-system', labels },
        spec: {
          selector: { matchLabels: labels },
          updateStrategy: { type: 'RollingUpdate' },
          template: { metadata: { labels }, spec: kubeProxyPod(config) },
        },
      },
    },
  ];
}

function kubeProxyPod(config: ClusterConfiguration): unknown {
  return {
    priorityClassName: 'system-node-critical',
    containers: [
      {
        name: 'kube-proxy',
        image: `${config.imageRepository}/${IMAGES.proxy}`,
        imagePullPolicy: 'IfNotPresent',
        command: ['/usr/local/bin/kube-proxy', '--config=/var/lib/kube-proxy/config.conf', '--hostname-override=$(NODE_NAME)'],
        securityContext: { privileged: true },
        volumeMounts: [
          { mountPath: '/var/lib/kube-proxy', name: 'kube-proxy' },
          { mountPath: '/run/xtables.lock', name: 'xtables-lock', readOnly: false },
          { mountPath: '/lib/modules', name: 'lib-modules', readOnly: true },
        ],
        env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
      },
    ],
    hostNetwork: true,
    serviceAccountName: 'kube-proxy',
    volumes: [
      { name: 'kube-proxy', configMap: { name: 'kube-proxy' } },
      { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
      { name: 'lib-modules', hostPath: { path: '/lib/modules' } },
    ],
    tolerations: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }, { operator: 'Exists' }],
    nodeSelector: { 'kubernetes.io/os': 'linux' },
  };
}

function kubeProxyConfiguration(config: ClusterConfiguration): string {
  return `apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection:
  acceptContentTypes: ""
  burst: 0
  contentType: ""
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
  qps: 0
clusterCIDR: ${config.podSubnet ?? '""'}
configSyncPeriod: 0s
conntrack:
  maxPerCore: null
  min: null
  tcpCloseWaitTimeout: null
  tcpEstablishedTimeout: null
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables:
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
kind: KubeProxyConfiguration
metricsBindAddress: ""
mode: ""
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
`;
}

function kubeProxyKubeconfig(config: ClusterConfiguration): string {
  const account = '/var/run/secrets/kubernetes.io/serviceaccount';
  return `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority: ${account}/ca.crt
    server: https://${config.advertiseAddress}:${config.bindPort}
  name: default
contexts:
- context:
    cluster: default
    namespace: default
    user: default
  name: default
current-context: default
users:
- name: default
  user:
    tokenFile: ${account}/token
`;
}
