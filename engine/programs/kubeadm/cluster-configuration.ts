// What kubeadm v1.20 decides for a cluster before it starts: versions, addresses, names.

export interface ClusterConfiguration {
  readonly kubernetesVersion: string;
  readonly imageRepository: string;
  readonly nodeName: string;
  readonly advertiseAddress: string;
  readonly bindPort: number;
  readonly podSubnet: string | undefined;
  readonly serviceSubnet: string;
  readonly dnsDomain: string;
  readonly token: string;
  /** Milliseconds a bootstrap token lives; 0 never ends. */
  readonly tokenTtlMs: number;
  readonly criSocket: string;
}

/** The version this kubeadm installs. */
export const VERSION = 'v1.20.2';

export const IMAGES = {
  apiserver: 'kube-apiserver:v1.20.2',
  controllerManager: 'kube-controller-manager:v1.20.2',
  scheduler: 'kube-scheduler:v1.20.2',
  proxy: 'kube-proxy:v1.20.2',
  pause: 'pause:3.2',
  etcd: 'etcd:3.4.13-0',
  coredns: 'coredns:1.7.0',
} as const;

export const PKI = '/etc/kubernetes/pki';
export const MANIFESTS = '/etc/kubernetes/manifests';

/** The first address of the service network: the `kubernetes` service. The tenth is the cluster's DNS. */
export function serviceAddress(config: Pick<ClusterConfiguration, 'serviceSubnet'>, offset: number): string {
  const [network = ''] = config.serviceSubnet.split('/');
  const octets = network.split('.').map(Number);
  let value = octets.reduce((sum, octet) => sum * 256 + octet, 0) + offset;
  const out: number[] = [];
  for (let i = 0; i < 4; i++) {
    out.unshift(value % 256);
    value = Math.floor(value / 256);
  }
  return out.join('.');
}

/** The ClusterConfiguration document that kubeadm keeps in the kubeadm-config ConfigMap. */
export function clusterConfigurationYaml(config: ClusterConfiguration): string {
  return `apiServer:
  extraArgs:
    authorization-mode: Node,RBAC
  timeoutForControlPlane: 4m0s
apiVersion: kubeadm.k8s.io/v1beta2
certificatesDir: ${PKI}
clusterName: kubernetes
controllerManager: {}
dns:
  type: CoreDNS
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: ${config.imageRepository}
kind: ClusterConfiguration
kubernetesVersion: ${config.kubernetesVersion}
networking:
  dnsDomain: ${config.dnsDomain}
${config.podSubnet === undefined ? '' : `  podSubnet: ${config.podSubnet}\n`}  serviceSubnet: ${config.serviceSubnet}
scheduler: {}
`;
}

/** ClusterStatus: which control planes exist. */
export function clusterStatusYaml(config: ClusterConfiguration): string {
  return `apiEndpoints:
  ${config.nodeName}:
    advertiseAddress: ${config.advertiseAddress}
    bindPort: ${config.bindPort}
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterStatus
`;
}

/** The kubelet's configuration, the same for every node. */
export function kubeletConfigurationYaml(config: Pick<ClusterConfiguration, 'serviceSubnet' | 'dnsDomain'>): string {
  return `apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: ${PKI}/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
clusterDNS:
- ${serviceAddress(config, 10)}
clusterDomain: ${config.dnsDomain}
cpuManagerReconcilePeriod: 0s
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: ${MANIFESTS}
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
`;
}
