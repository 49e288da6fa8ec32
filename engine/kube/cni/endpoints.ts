// The workloads of one host, as the plugin leaves them for felix: a file for every pod in the directory both share.

import { sha1 } from '@noble/hashes/legacy.js';
import { toHex, utf8 } from '../../sim/bytes.ts';
import type { Syscalls } from '../../kernel/process.ts';
import { CALICO_DIRECTORY } from './ipam.ts';

const DIRECTORY = `${CALICO_DIRECTORY}/endpoints`;

export interface WorkloadEndpoint {
  readonly interface: string;
  readonly address: string;
  readonly namespace: string;
  readonly pod: string;
  readonly containerId: string;
}

/** `cali` and eleven hex digits of the SHA-1 of `namespace.pod`. */
export function hostInterface(namespace: string, pod: string): string {
  return `cali${toHex(sha1(utf8(`${namespace}.${pod}`))).slice(0, 11)}`;
}

export function saveEndpoint(sys: Syscalls, endpoint: WorkloadEndpoint): void {
  sys.mkdir(DIRECTORY, { recursive: true });
  sys.writeFile(`${DIRECTORY}/${endpoint.interface}`, JSON.stringify(endpoint));
}

export function findEndpoint(sys: Syscalls, interfaceName: string): WorkloadEndpoint | undefined {
  const path = `${DIRECTORY}/${interfaceName}`;
  return sys.exists(path) ? (JSON.parse(sys.readTextFile(path)) as WorkloadEndpoint) : undefined;
}

export function removeEndpoint(sys: Syscalls, interfaceName: string): void {
  const path = `${DIRECTORY}/${interfaceName}`;
  if (sys.exists(path)) sys.unlink(path);
}

/** In order of interfaces. */
export function listEndpoints(sys: Syscalls): readonly WorkloadEndpoint[] {
  if (!sys.exists(DIRECTORY)) return [];
  return [...sys.readdir(DIRECTORY)].sort().map((name) => JSON.parse(sys.readTextFile(`${DIRECTORY}/${name}`)) as WorkloadEndpoint);
}
