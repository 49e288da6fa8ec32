// Models the manifests of the control plane that kubeadm v1.20 writes for the kubelet.

import { stringify } from 'yaml';
import { IMAGES, MANIFESTS, PKI, type ClusterConfiguration } from './cluster-configuration.ts';

interface Probe {
  readonly path: string;
  readonly port: number;
  readonly host: string;
  readonly scheme: 'HTTP' | 'HTTPS';
}

interface Component {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly requests: Readonly<Record<string, string>>;
  readonly liveness: Probe;
  readonly readiness?: Probe;
  readonly mounts: readonly { readonly name: string; readonly path: string; readonly readOnly: boolean; readonly type: string }[];
}

/** File names below /etc/kubernetes/manifests to their contents. */
export function staticPodManifests(config: ClusterConfiguration): ReadonlyMap<string, string> {
  const components = [etcd(config), apiserver(config), controllerManager(config), scheduler(config)];
  return new Map(components.map((component) => [`${MANIFESTS}/${component.name}.yaml`, manifest(config, component)]));
}

function apiserver(config: ClusterConfiguration): Component {
  const port = String(config.bindPort);
  const probe = (path: string): Probe => ({ path, port: config.bindPort, host: config.advertiseAddress, scheme: 'HTTPS' });
  return {
    name: 'kube-apiserver',
    image: IMAGES.apiserver,
    annotations: { 'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${config.advertiseAddress}:${port}` },
    command: [
      'kube-apiserver',
      `--advertise-address=${config.advertiseAddress}`,
      '--allow-privileged=true',
      '--authorization-mode=Node,RBAC',
      `--client-ca-file=${PKI}/ca.crt`,
      '--enable-admission-plugins=NodeRestriction',
      '--enable-bootstrap-token-auth=true',
      `--etcd-cafile=${PKI}/etcd/ca.crt`,
      `--etcd-certfile=${PKI}/apiserver-etcd-client.crt`,
      `--etcd-keyfile=${PKI}/apiserver-etcd-client.key`,
      '--etcd-servers=https://127.0.0.1:2379',
      '--insecure-port=0',
      `--kubelet-client-certificate=${PKI}/apiserver-kubelet-client.crt`,
      `--kubelet-client-key=${PKI}/apiserver-kubelet-client.key`,
      '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
      `--proxy-client-cert-file=${PKI}/front-proxy-client.crt`,
      `--proxy-client-key-file=${PKI}/front-proxy-client.key`,
      '--requestheader-allowed-names=front-proxy-client',
      `--requestheader-client-ca-file=${PKI}/front-proxy-ca.crt`,
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-username-headers=X-Remote-User',
      `--secure-port=${port}`,
      `--service-account-issuer=https://kubernetes.default.svc.${config.dnsDomain}`,
      `--service-account-key-file=${PKI}/sa.pub`,
      `--service-account-signing-key-file=${PKI}/sa.key`,
      `--service-cluster-ip-range=${config.serviceSubnet}`,
      `--tls-cert-file=${PKI}/apiserver.crt`,
      `--tls-private-key-file=${PKI}/apiserver.key`,
    ],
    requests: { cpu: '250m' },
    liveness: probe('/livez'),
    readiness: probe('/readyz'),
    mounts: [
      { name: 'ca-certs', path: '/etc/ssl/certs', readOnly: true, type: 'DirectoryOrCreate' },
      { name: 'etc-pki', path: '/etc/pki', readOnly: true, type: 'DirectoryOrCreate' },
      { name: 'k8s-certs', path: PKI, readOnly: true, type: 'DirectoryOrCreate' },
    ],
  };
}

function controllerManager(config: ClusterConfiguration): Component {
  const conf = '/etc/kubernetes/controller-manager.conf';
  return {
    name: 'kube-controller-manager',
    image: IMAGES.controllerManager,
    command: [
      'kube-controller-manager',
      ...(config.podSubnet === undefined ? [] : ['--allocate-node-cidrs=true']),
      `--authentication-kubeconfig=${conf}`,
      `--authorization-kubeconfig=${conf}`,
      '--bind-address=127.0.0.1',
      `--client-ca-file=${PKI}/ca.crt`,
      ...(config.podSubnet === undefined ? [] : [`--cluster-cidr=${config.podSubnet}`]),
      '--cluster-name=kubernetes',
      `--cluster-signing-cert-file=${PKI}/ca.crt`,
      `--cluster-signing-key-file=${PKI}/ca.key`,
      '--controllers=*,bootstrapsigner,tokencleaner',
      `--kubeconfig=${conf}`,
      '--leader-elect=true',
      '--port=0',
      `--requestheader-client-ca-file=${PKI}/front-proxy-ca.crt`,
      `--root-ca-file=${PKI}/ca.crt`,
      `--service-account-private-key-file=${PKI}/sa.key`,
      ...(config.podSubnet === undefined ? [] : [`--service-cluster-ip-range=${config.serviceSubnet}`]),
      '--use-service-account-credentials=true',
    ],
    requests: { cpu: '200m' },
    liveness: { path: '/healthz', port: 10257, host: '127.0.0.1', scheme: 'HTTPS' },
    mounts: [
      { name: 'ca-certs', path: '/etc/ssl/certs', readOnly: true, type: 'DirectoryOrCreate' },
      { name: 'etc-pki', path: '/etc/pki', readOnly: true, type: 'DirectoryOrCreate' },
      { name: 'flexvolume-dir', path: '/usr/libexec/kubernetes/kubelet-plugins/volume/exec', readOnly: false, type: 'DirectoryOrCreate' },
      { name: 'k8s-certs', path: PKI, readOnly: true, type: 'DirectoryOrCreate' },
      { name: 'kubeconfig', path: conf, readOnly: true, type: 'FileOrCreate' },
    ],
  };
}

function scheduler(_config: ClusterConfiguration): Component {
  const conf = '/etc/kubernetes/scheduler.conf';
  return {
    name: 'kube-scheduler',
    image: IMAGES.scheduler,
    command: [
      'kube-scheduler',
      `--authentication-kubeconfig=${conf}`,
      `--authorization-kubeconfig=${conf}`,
      '--bind-address=127.0.0.1',
      `--kubeconfig=${conf}`,
      '--leader-elect=true',
      '--port=0',
    ],
    requests: { cpu: '100m' },
    liveness: { path: '/healthz', port: 10259, host: '127.0.0.1', scheme: 'HTTPS' },
    mounts: [{ name: 'kubeconfig', path: conf, readOnly: true, type: 'FileOrCreate' }],
  };
}

function etcd(config: ClusterConfiguration): Component {
  const own = config.advertiseAddress;
  return {
    name: 'etcd',
    image: IMAGES.etcd,
    annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': `https://${own}:2379` },
    command: [
      'etcd',
      `--advertise-client-urls=https://${own}:2379`,
      `--cert-file=${PKI}/etcd/server.crt`,
      '--client-cert-auth=true',
      '--data-dir=/var/lib/etcd',
      `--initial-advertise-peer-urls=https://${own}:2380`,
      `--initial-cluster=${config.nodeName}=https://${own}:2380`,
      `--key-file=${PKI}/etcd/server.key`,
      `--listen-client-urls=https://127.0.0.1:2379,https://${own}:2379`,
      '--listen-metrics-urls=http://127.0.0.1:2381',
      `--listen-peer-urls=https://${own}:2380`,
      `--name=${config.nodeName}`,
      `--peer-cert-file=${PKI}/etcd/peer.crt`,
      '--peer-client-cert-auth=true',
      `--peer-key-file=${PKI}/etcd/peer.key`,
      `--peer-trusted-ca-file=${PKI}/etcd/ca.crt`,
      '--snapshot-count=10000',
      `--trusted-ca-file=${PKI}/etcd/ca.crt`,
    ],
    requests: { cpu: '100m', 'ephemeral-storage': '100Mi', memory: '100Mi' },
    liveness: { path: '/health', port: 2381, host: '127.0.0.1', scheme: 'HTTP' },
    mounts: [
      { name: 'etcd-data', path: '/var/lib/etcd', readOnly: false, type: 'DirectoryOrCreate' },
      { name: 'etcd-certs', path: `${PKI}/etcd`, readOnly: false, type: 'DirectoryOrCreate' },
    ],
  };
}

function manifest(config: ClusterConfiguration, component: Component): string {
  const probe = (of: Probe, timing: Readonly<Record<string, number>>): unknown => ({
    failureThreshold: timing['failureThreshold'],
    httpGet: { host: of.host, path: of.path, port: of.port, scheme: of.scheme },
    ...(timing['initialDelaySeconds'] === undefined ? {} : { initialDelaySeconds: timing['initialDelaySeconds'] }),
    periodSeconds: timing['periodSeconds'],
    timeoutSeconds: 15,
  });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(component.annotations === undefined ? {} : { annotations: component.annotations }),
      creationTimestamp: null,
      labels: { component: component.name, tier: 'control-plane' },
      name: component.name,
      namespace: 'kube-system',
    },
    spec: {
      containers: [
        {
          command: component.command,
          image: `${config.imageRepository}/${component.image}`,
          imagePullPolicy: 'IfNotPresent',
          livenessProbe: probe(component.liveness, { failureThreshold: 8, initialDelaySeconds: 10, periodSeconds: 10 }),
          name: component.name,
          ...(component.readiness === undefined
            ? {}
            : { readinessProbe: probe(component.readiness, { failureThreshold: 3, periodSeconds: 1 }) }),
          resources: { requests: component.requests },
          startupProbe: probe(component.liveness, { failureThreshold: 24, initialDelaySeconds: 10, periodSeconds: 10 }),
          volumeMounts: component.mounts.map((mount) => ({
            mountPath: mount.path,
            name: mount.name,
            ...(mount.readOnly ? { readOnly: true } : {}),
          })),
        },
      ],
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      volumes: component.mounts.map((mount) => ({ hostPath: { path: mount.path, type: mount.type }, name: mount.name })),
    },
    status: {},
  };
  return stringify(pod, { lineWidth: 0, indentSeq: false });
}
