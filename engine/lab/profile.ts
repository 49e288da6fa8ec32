// A lab as data: its machines and what they are made of. What differs between versions of the book lives here.

import type { MachineSpec } from '../machine/machine.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

export interface LabProfile {
  readonly name: string;
  readonly kubernetesVersion: string;
  readonly podNetwork: string;
  /** The bootstrap token of the provisioning scripts; it never ends. */
  readonly token: string;
  readonly controlPlane: string;
  readonly machines: readonly MachineSpec[];
}

function machine(
  name: string,
  options: { readonly host: number; readonly sshPort: number; readonly cpus: number; readonly memoryMib: number },
): MachineSpec {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return {
    name,
    cpus: options.cpus,
    memoryBytes: options.memoryMib * MIB,
    // The NAT adapter keeps the box's MAC, so it is the same on every machine, as with Vagrant.
    natMac: '08:00:27:4d:77:d3',
    address: `192.168.1.${options.host}`,
    mac: `08:00:27:5e:1a:${hex(options.host)}`,
    sshPort: options.sshPort,
    image: 'centos7-k8s',
    diskBytes: 37 * GIB,
  };
}

/** The default lab: the lecture kit's Kubernetes v1.20.2 on four machines. */
export const LECTURE_1_20: LabProfile = {
  name: 'lecture-1.20',
  kubernetesVersion: 'v1.20.2',
  podNetwork: '172.16.0.0/16',
  token: '123456.1234567890123456',
  controlPlane: 'm-k8s',
  machines: [
    machine('m-k8s', { host: 10, sshPort: 60010, cpus: 2, memoryMib: 1746 }),
    ...[1, 2, 3].map((n) => machine(`w${n}-k8s`, { host: 100 + n, sshPort: 60100 + n, cpus: 1, memoryMib: 1024 })),
  ],
};

export const PROFILES: readonly LabProfile[] = [LECTURE_1_20];
