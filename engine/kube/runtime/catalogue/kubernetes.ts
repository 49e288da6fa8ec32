// The control plane's images. Their binaries are programs of the lab; nothing else is in them.

import { bare, debian, BUSTER, DEBIAN_LAYERS, entries, program, directory, type Entries } from './bases.ts';
import { layer, step, type ImageSpec } from './image.ts';

const ENV = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'];
const CREATED = '2021-01-13T15:22:33.000000000Z';

interface Component {
  readonly name: string;
  readonly tag: string;
  readonly megabytes: number;
  readonly idPrefix: string;
  readonly created?: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly exposedPorts?: readonly string[];
  readonly entries: Entries;
}

const KUBE = 'v1.20.2';

const COMPONENTS: readonly Component[] = [
  {
    name: 'pause',
    tag: '3.2',
    megabytes: 0.683,
    idPrefix: '80d28bedfe5d',
    created: '2020-02-14T10:51:50.000000000Z',
    entrypoint: ['/pause'],
    entries: [program('/pause', 'pause')],
  },
  {
    name: 'etcd',
    tag: '3.4.13-0',
    megabytes: 253.4,
    idPrefix: '0369cf4303ff',
    created: '2020-08-27T18:06:05.000000000Z',
    exposedPorts: ['2379/tcp', '2380/tcp', '4001/tcp', '7001/tcp'],
    entries: [program('/usr/local/bin/etcd', 'etcd'), program('/usr/local/bin/etcdctl', 'etcdctl'), program('/bin/sh', 'sh')],
  },
  {
    name: 'coredns',
    tag: '1.7.0',
    megabytes: 45.2,
    idPrefix: 'bfe3a36ebd25',
    created: '2020-06-15T21:05:41.000000000Z',
    entrypoint: ['/coredns'],
    exposedPorts: ['53/tcp', '53/udp'],
    entries: [program('/coredns', 'coredns')],
  },
  {
    name: 'kube-apiserver',
    tag: KUBE,
    megabytes: 121.7,
    idPrefix: 'a8c2fdb8bf76',
    entries: [program('/usr/local/bin/kube-apiserver', 'kube-apiserver')],
  },
  {
    name: 'kube-controller-manager',
    tag: KUBE,
    megabytes: 116.4,
    idPrefix: 'a27166429d98',
    entries: [program('/usr/local/bin/kube-controller-manager', 'kube-controller-manager')],
  },
  {
    name: 'kube-scheduler',
    tag: KUBE,
    megabytes: 46.4,
    idPrefix: 'ed2c44fbdd78',
    entries: [program('/usr/local/bin/kube-scheduler', 'kube-scheduler')],
  },
  {
    name: 'kube-proxy',
    tag: KUBE,
    megabytes: 118.4,
    idPrefix: '43154ddb57a8',
    entries: [
      ...debian(BUSTER),
      program('/usr/local/bin/kube-proxy', 'kube-proxy'),
      ...['iptables', 'iptables-save', 'iptables-restore', 'ip6tables'].map((name) => program(`/usr/sbin/${name}`, name)),
      program('/usr/sbin/conntrack', 'conntrack'),
      directory('/var/lib/kube-proxy'),
    ],
  },
  {
    name: 'metrics-server-amd64',
    tag: 'v0.3.6',
    megabytes: 39.9,
    idPrefix: '9dd718864ce6',
    created: '2019-10-14T16:46:43.000000000Z',
    entrypoint: ['/metrics-server'],
    entries: [program('/metrics-server', 'metrics-server'), directory('/tmp')],
  },
];

export function kubernetesImages(): readonly ImageSpec[] {
  return COMPONENTS.map((component) => ({
    repository: `k8s.gcr.io/${component.name}`,
    tags: [component.tag],
    created: component.created ?? CREATED,
    config: {
      ...(component.entrypoint === undefined ? {} : { entrypoint: component.entrypoint }),
      ...(component.cmd === undefined ? {} : { cmd: component.cmd }),
      ...(component.exposedPorts === undefined ? {} : { exposedPorts: component.exposedPorts }),
      env: ENV,
    },
    layers:
      component.name === 'kube-proxy'
        ? [
            DEBIAN_LAYERS.buster,
            layer(`${component.name}:${component.tag}`, component.megabytes - 69.3, `COPY /${component.name} /usr/local/bin/ # buildkit`),
          ]
        : [layer(`${component.name}:${component.tag}`, component.megabytes, `COPY /${component.name} / # buildkit`), step('ENTRYPOINT []')],
    entries: entries(bare(), component.entries),
    idPrefix: component.idPrefix,
  }));
}
