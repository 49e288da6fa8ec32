// Calico's images. Their binaries are programs of the lab.

import { bare, directory, entries, file, program, type Entries } from './bases.ts';
import { layer, type ImageSpec } from './image.ts';

const CREATED = '2020-12-14T21:02:25.000000000Z';
const ENV = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

interface Component {
  readonly name: string;
  readonly megabytes: number;
  readonly idPrefix: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly entries: Entries;
}

const TOOLS: Entries = [
  program('/bin/sh', 'sh'),
  program('/bin/bash', 'bash'),
  program('/bin/ls', 'ls'),
  program('/bin/cat', 'cat'),
  program('/usr/sbin/ip', 'ip'),
  program('/usr/sbin/iptables', 'iptables'),
  program('/usr/sbin/iptables-save', 'iptables-save'),
];

const COMPONENTS: readonly Component[] = [
  {
    name: 'node',
    megabytes: 165,
    idPrefix: '183b53858d7d',
    cmd: ['calico-node'],
    entries: [program('/bin/calico-node', 'calico-node'), directory('/var/lib/calico'), directory('/var/run/calico'), ...TOOLS],
  },
  {
    name: 'cni',
    megabytes: 128,
    idPrefix: '64e5dfd8d597',
    entrypoint: ['/opt/cni/bin/install'],
    entries: [
      program('/opt/cni/bin/install', 'calico-install-cni'),
      program('/opt/cni/bin/calico', 'calico'),
      program('/opt/cni/bin/calico-ipam', 'calico-ipam'),
      program('/opt/cni/bin/bandwidth', 'bandwidth'),
      program('/opt/cni/bin/portmap', 'portmap'),
      program('/opt/cni/bin/loopback', 'loopback'),
      directory('/host/opt/cni/bin'),
      directory('/host/etc/cni/net.d'),
    ],
  },
  {
    name: 'pod2daemon-flexvol',
    megabytes: 21.7,
    idPrefix: '819d15844f0c',
    entrypoint: ['/usr/local/bin/flexvol.sh', '-s', '/usr/local/bin/flexvol', '-i', 'flexvoldriver'],
    entries: [
      program('/usr/local/bin/flexvol.sh', 'flexvol-installer'),
      file('/usr/local/bin/flexvol', '', 0o755),
      directory('/host/driver'),
    ],
  },
  {
    name: 'kube-controllers',
    megabytes: 49.4,
    idPrefix: '2b7fa9ab3cb5',
    entrypoint: ['/usr/bin/kube-controllers'],
    entries: [program('/usr/bin/kube-controllers', 'calico-kube-controllers'), program('/usr/bin/check-status', 'check-status')],
  },
];

export function calicoImages(): readonly ImageSpec[] {
  return COMPONENTS.map((component) => ({
    repository: `docker.io/calico/${component.name}`,
    tags: ['v3.17.1'],
    created: CREATED,
    config: {
      ...(component.entrypoint === undefined ? {} : { entrypoint: component.entrypoint }),
      ...(component.cmd === undefined ? {} : { cmd: component.cmd }),
      env: ENV,
    },
    layers: [layer(`calico/${component.name}:v3.17.1`, component.megabytes, `COPY bin/ / # buildkit`)],
    entries: entries(bare(), component.entries),
    idPrefix: component.idPrefix,
  }));
}
