// Calico v3.17.1's manifest for clusters of up to 50 nodes, as `kubectl apply -f` takes it: the objects, names, labels
// and images of the original in our own writing. Its custom resources are declared without schemas.

const CRDS: readonly (readonly [string, string, string, 'Cluster' | 'Namespaced'])[] = [
  ['bgpconfigurations', 'bgpconfiguration', 'BGPConfiguration', 'Cluster'],
  ['bgppeers', 'bgppeer', 'BGPPeer', 'Cluster'],
  ['blockaffinities', 'blockaffinity', 'BlockAffinity', 'Cluster'],
  ['clusterinformations', 'clusterinformation', 'ClusterInformation', 'Cluster'],
  ['felixconfigurations', 'felixconfiguration', 'FelixConfiguration', 'Cluster'],
  ['globalnetworkpolicies', 'globalnetworkpolicy', 'GlobalNetworkPolicy', 'Cluster'],
  ['globalnetworksets', 'globalnetworkset', 'GlobalNetworkSet', 'Cluster'],
  ['hostendpoints', 'hostendpoint', 'HostEndpoint', 'Cluster'],
  ['ipamblocks', 'ipamblock', 'IPAMBlock', 'Cluster'],
  ['ipamconfigs', 'ipamconfig', 'IPAMConfig', 'Cluster'],
  ['ipamhandles', 'ipamhandle', 'IPAMHandle', 'Cluster'],
  ['ippools', 'ippool', 'IPPool', 'Cluster'],
  ['kubecontrollersconfigurations', 'kubecontrollersconfiguration', 'KubeControllersConfiguration', 'Cluster'],
  ['networkpolicies', 'networkpolicy', 'NetworkPolicy', 'Namespaced'],
  ['networksets', 'networkset', 'NetworkSet', 'Namespaced'],
];

const CONFIG = `kind: ConfigMap
apiVersion: v1
metadata:
  name: calico-config
  namespace: kube-system
data:
  typha_service_name: "none"
  calico_backend: "bird"
  veth_mtu: "0"
  cni_network_config: |-
    {
      "name": "k8s-pod-network",
      "cniVersion": "0.3.1",
      "plugins": [
        {
          "type": "calico",
          "log_level": "info",
          "log_file_path": "/var/log/calico/cni/cni.log",
          "datastore_type": "kubernetes",
          "nodename": "__KUBERNETES_NODE_NAME__",
          "mtu": __CNI_MTU__,
          "ipam": {
              "type": "calico-ipam"
          },
          "policy": {
              "type": "k8s"
          },
          "kubernetes": {
              "kubeconfig": "__KUBECONFIG_FILEPATH__"
          }
        },
        {
          "type": "portmap",
          "snat": true,
          "capabilities": {"portMappings": true}
        },
        {
          "type": "bandwidth",
          "capabilities": {"bandwidth": true}
        }
      ]
    }
`;

const crd = ([plural, singular, kind, scope]: (typeof CRDS)[number]): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${plural}.crd.projectcalico.org
spec:
  group: crd.projectcalico.org
  names:
    kind: ${kind}
    listKind: ${kind}List
    plural: ${plural}
    singular: ${singular}
  scope: ${scope}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        x-kubernetes-preserve-unknown-fields: true
    served: true
    storage: true
`;

const rule = (group: string, resources: readonly string[], verbs: readonly string[]): string =>
  `- apiGroups: [${JSON.stringify(group)}]\n  resources: ${JSON.stringify(resources)}\n  verbs: ${JSON.stringify(verbs)}\n`;
const CALICO_GROUP = 'crd.projectcalico.org';
const READ = ['get', 'list', 'watch'];

const role = (name: string, rules: readonly string[]): string => `kind: ClusterRole
apiVersion: rbac.authorization.k8s.io/v1
metadata:
  name: ${name}
rules:
${rules.join('')}`;
const binding = (name: string): string => `kind: ClusterRoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata:
  name: ${name}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: ${name}
subjects:
- kind: ServiceAccount
  name: ${name}
  namespace: kube-system
`;
const account = (name: string): string => `apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
  namespace: kube-system
`;

const CONTROLLERS_ROLE = role('calico-kube-controllers', [
  rule('', ['nodes'], READ),
  rule('', ['pods'], ['get']),
  rule(CALICO_GROUP, ['ippools'], ['list']),
  rule(CALICO_GROUP, ['blockaffinities', 'ipamblocks', 'ipamhandles'], ['get', 'list', 'create', 'update', 'delete']),
  rule(CALICO_GROUP, ['hostendpoints'], ['get', 'list', 'create', 'update', 'delete']),
  rule(CALICO_GROUP, ['clusterinformations'], ['get', 'create', 'update']),
  rule(CALICO_GROUP, ['kubecontrollersconfigurations'], ['get', 'create', 'update', 'watch']),
]);
const NODE_ROLE = role('calico-node', [
  rule('', ['pods', 'nodes', 'namespaces'], ['get']),
  rule('', ['endpoints', 'services'], ['watch', 'list', 'get']),
  rule('', ['configmaps'], ['get']),
  rule('', ['nodes/status'], ['patch', 'update']),
  rule('networking.k8s.io', ['networkpolicies'], ['watch', 'list']),
  rule('', ['pods', 'namespaces', 'serviceaccounts'], ['list', 'watch']),
  rule('', ['pods/status'], ['patch']),
  rule(
    CALICO_GROUP,
    CRDS.map(([plural]) => plural),
    READ,
  ),
  rule(CALICO_GROUP, ['ippools', 'felixconfigurations', 'clusterinformations'], ['create', 'update']),
  rule('', ['nodes'], ['get', 'list', 'watch', 'update', 'patch']),
  rule(CALICO_GROUP, ['bgpconfigurations', 'bgppeers'], ['create', 'update']),
  rule(CALICO_GROUP, ['blockaffinities', 'ipamblocks', 'ipamhandles'], ['get', 'list', 'create', 'update', 'delete']),
  rule(CALICO_GROUP, ['ipamconfigs'], ['get']),
  rule(CALICO_GROUP, ['blockaffinities'], ['watch']),
  rule('apps', ['daemonsets'], ['get']),
]);

const CONFIG_KEY = (key: string): string => `valueFrom: {configMapKeyRef: {name: calico-config, key: ${key}}}`;
const NODE_NAME = 'valueFrom: {fieldRef: {fieldPath: spec.nodeName}}';

const DAEMON_SET = `kind: DaemonSet
apiVersion: apps/v1
metadata:
  name: calico-node
  namespace: kube-system
  labels:
    k8s-app: calico-node
spec:
  selector:
    matchLabels:
      k8s-app: calico-node
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 1
  template:
    metadata:
      labels:
        k8s-app: calico-node
    spec:
      nodeSelector:
        kubernetes.io/os: linux
      hostNetwork: true
      tolerations:
      - {effect: NoSchedule, operator: Exists}
      - {key: CriticalAddonsOnly, operator: Exists}
      - {effect: NoExecute, operator: Exists}
      serviceAccountName: calico-node
      terminationGracePeriodSeconds: 0
      priorityClassName: system-node-critical
      initContainers:
      - name: upgrade-ipam
        image: docker.io/calico/cni:v3.17.1
        command: ["/opt/cni/bin/calico-ipam", "-upgrade"]
        envFrom:
        - configMapRef: {name: kubernetes-services-endpoint, optional: true}
        env:
        - {name: KUBERNETES_NODE_NAME, ${NODE_NAME}}
        - {name: CALICO_NETWORKING_BACKEND, ${CONFIG_KEY('calico_backend')}}
        volumeMounts:
        - {mountPath: /var/lib/cni/networks, name: host-local-net-dir}
        - {mountPath: /host/opt/cni/bin, name: cni-bin-dir}
        securityContext: {privileged: true}
      - name: install-cni
        image: docker.io/calico/cni:v3.17.1
        command: ["/opt/cni/bin/install"]
        envFrom:
        - configMapRef: {name: kubernetes-services-endpoint, optional: true}
        env:
        - {name: CNI_CONF_NAME, value: "10-calico.conflist"}
        - {name: CNI_NETWORK_CONFIG, ${CONFIG_KEY('cni_network_config')}}
        - {name: KUBERNETES_NODE_NAME, ${NODE_NAME}}
        - {name: CNI_MTU, ${CONFIG_KEY('veth_mtu')}}
        - {name: SLEEP, value: "false"}
        volumeMounts:
        - {mountPath: /host/opt/cni/bin, name: cni-bin-dir}
        - {mountPath: /host/etc/cni/net.d, name: cni-net-dir}
        securityContext: {privileged: true}
      - name: flexvol-driver
        image: docker.io/calico/pod2daemon-flexvol:v3.17.1
        volumeMounts:
        - {name: flexvol-driver-host, mountPath: /host/driver}
        securityContext: {privileged: true}
      containers:
      - name: calico-node
        image: docker.io/calico/node:v3.17.1
        envFrom:
        - configMapRef: {name: kubernetes-services-endpoint, optional: true}
        env:
        - {name: DATASTORE_TYPE, value: "kubernetes"}
        - {name: WAIT_FOR_DATASTORE, value: "true"}
        - {name: NODENAME, ${NODE_NAME}}
        - {name: CALICO_NETWORKING_BACKEND, ${CONFIG_KEY('calico_backend')}}
        - {name: CLUSTER_TYPE, value: "k8s,bgp"}
        - {name: IP, value: "autodetect"}
        - {name: IP_AUTODETECTION_METHOD, value: "can-reach=192.168.1.10"}
        - {name: CALICO_IPV4POOL_IPIP, value: "Always"}
        - {name: CALICO_IPV4POOL_VXLAN, value: "Never"}
        - {name: FELIX_IPINIPMTU, ${CONFIG_KEY('veth_mtu')}}
        - {name: FELIX_VXLANMTU, ${CONFIG_KEY('veth_mtu')}}
        - {name: FELIX_WIREGUARDMTU, ${CONFIG_KEY('veth_mtu')}}
        - {name: CALICO_DISABLE_FILE_LOGGING, value: "true"}
        - {name: FELIX_DEFAULTENDPOINTTOHOSTACTION, value: "ACCEPT"}
        - {name: FELIX_IPV6SUPPORT, value: "false"}
        - {name: FELIX_LOGSEVERITYSCREEN, value: "info"}
        - {name: FELIX_HEALTHENABLED, value: "true"}
        securityContext: {privileged: true}
        resources:
          requests: {cpu: 250m}
        livenessProbe:
          exec:
            command: [/bin/calico-node, -felix-live, -bird-live]
          periodSeconds: 10
          initialDelaySeconds: 10
          failureThreshold: 6
        readinessProbe:
          exec:
            command: [/bin/calico-node, -felix-ready, -bird-ready]
          periodSeconds: 10
        volumeMounts:
        - {mountPath: /lib/modules, name: lib-modules, readOnly: true}
        - {mountPath: /run/xtables.lock, name: xtables-lock, readOnly: false}
        - {mountPath: /var/run/calico, name: var-run-calico, readOnly: false}
        - {mountPath: /var/lib/calico, name: var-lib-calico, readOnly: false}
        - {name: policysync, mountPath: /var/run/nodeagent}
        - {name: sysfs, mountPath: /sys/fs/, mountPropagation: Bidirectional}
        - {name: cni-log-dir, mountPath: /var/log/calico/cni, readOnly: true}
      volumes:
      - {name: lib-modules, hostPath: {path: /lib/modules}}
      - {name: var-run-calico, hostPath: {path: /var/run/calico}}
      - {name: var-lib-calico, hostPath: {path: /var/lib/calico}}
      - {name: xtables-lock, hostPath: {path: /run/xtables.lock, type: FileOrCreate}}
      - {name: sysfs, hostPath: {path: /sys/fs/, type: DirectoryOrCreate}}
      - {name: cni-bin-dir, hostPath: {path: /opt/cni/bin}}
      - {name: cni-net-dir, hostPath: {path: /etc/cni/net.d}}
      - {name: cni-log-dir, hostPath: {path: /var/log/calico/cni}}
      - {name: host-local-net-dir, hostPath: {path: /var/lib/cni/networks}}
      - {name: policysync, hostPath: {type: DirectoryOrCreate, path: /var/run/nodeagent}}
      - name: flexvol-driver-host
        hostPath: {type: DirectoryOrCreate, path: /usr/libexec/kubernetes/kubelet-plugins/volume/exec/nodeagent~uds}
`;

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: calico-kube-controllers
  namespace: kube-system
  labels:
    k8s-app: calico-kube-controllers
spec:
  replicas: 1
  selector:
    matchLabels:
      k8s-app: calico-kube-controllers
  strategy:
    type: Recreate
  template:
    metadata:
      name: calico-kube-controllers
      namespace: kube-system
      labels:
        k8s-app: calico-kube-controllers
    spec:
      nodeSelector:
        kubernetes.io/os: linux
      tolerations:
      - {key: CriticalAddonsOnly, operator: Exists}
      - {key: node-role.kubernetes.io/master, effect: NoSchedule}
      serviceAccountName: calico-kube-controllers
      priorityClassName: system-cluster-critical
      containers:
      - name: calico-kube-controllers
        image: docker.io/calico/kube-controllers:v3.17.1
        env:
        - {name: ENABLED_CONTROLLERS, value: node}
        - {name: DATASTORE_TYPE, value: kubernetes}
        readinessProbe:
          exec:
            command: [/usr/bin/check-status, -r]
`;

const BUDGET = `apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata:
  name: calico-kube-controllers
  namespace: kube-system
  labels:
    k8s-app: calico-kube-controllers
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      k8s-app: calico-kube-controllers
`;

export const calicoManifest: string = [
  CONFIG,
  ...CRDS.map(crd),
  CONTROLLERS_ROLE,
  binding('calico-kube-controllers'),
  NODE_ROLE,
  binding('calico-node'),
  DAEMON_SET,
  account('calico-node'),
  DEPLOYMENT,
  account('calico-kube-controllers'),
  BUDGET,
].join('---\n');
