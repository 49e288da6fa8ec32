// Models the kubelet's file source: manifests in a directory become pods of this node.

import { md5 } from '@noble/hashes/legacy.js';
import { parseAllDocuments } from 'yaml';
import { toHex, utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import type { Syscalls } from '../../kernel/process.ts';
import { isRecord } from '../machinery/deep.ts';
import type { Pod } from '../machinery/types.ts';
import { withPodDefaults } from './defaults.ts';
import type { Klog } from './klog.ts';

export const CONFIG_SOURCE = 'kubernetes.io/config.source';
export const CONFIG_HASH = 'kubernetes.io/config.hash';
export const CONFIG_SEEN = 'kubernetes.io/config.seen';
export const CONFIG_MIRROR = 'kubernetes.io/config.mirror';

export const isStatic = (pod: Pod): boolean =>
  pod.metadata.annotations?.[CONFIG_SOURCE] !== undefined && pod.metadata.annotations[CONFIG_SOURCE] !== 'api';
export const isMirror = (pod: Pod): boolean => pod.metadata.annotations?.[CONFIG_MIRROR] !== undefined;

/** Reads every manifest; what cannot be read is reported and left out. */
export function readManifests(sys: Syscalls, directory: string, nodeName: string, log: Klog): readonly Pod[] {
  let names: readonly string[];
  try {
    names = sys.readdir(directory);
  } catch (error) {
    if (!isSysError(error, 'ENOENT', 'ENOTDIR')) throw error;
    log('E', 'file_linux.go:60', `Unable to read config path "${directory}": path does not exist, ignoring`);
    return [];
  }
  const pods: Pod[] = [];
  for (const name of [...names].sort()) {
    // Editors' and hidden files are no manifests.
    if (name.startsWith('.')) continue;
    const path = `${directory}/${name}`;
    try {
      if (sys.stat(path).kind !== 'file') continue;
      pods.push(podOf(sys.readTextFile(path), path, nodeName, sys.now()));
    } catch (error) {
      if (!isSysError(error) && !(error instanceof ManifestError)) throw error;
      log('E', 'file.go:187', `Can't process manifest file "${path}": ${error.message}`);
    }
  }
  return pods;
}

class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

// The same few files are read every twenty seconds; what a text says does not change. Kept as JSON: every reader gets its own.
const manifests = new Map<string, string>();
const MANIFESTS_LIMIT = 64;

function parseManifest(contents: string, path: string): unknown {
  const known = manifests.get(contents);
  if (known !== undefined) return JSON.parse(known) as unknown;
  const [document] = parseAllDocuments(contents);
  const fault = document !== undefined && 'errors' in document ? document.errors[0] : undefined;
  if (fault !== undefined) {
    const line = fault.linePos?.[0].line ?? 1;
    throw new ManifestError(
      `${path}: couldn't parse as pod(yaml: line ${line}: ${fault.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '')}), please check config file`,
    );
  }
  const object: unknown = document !== undefined && 'toJS' in document ? document.toJS() : undefined;
  if (manifests.size >= MANIFESTS_LIMIT) manifests.clear();
  if (object !== undefined) manifests.set(contents, JSON.stringify(object));
  return object;
}

function podOf(contents: string, path: string, nodeName: string, nowMs: number): Pod {
  const object = parseManifest(contents, path);
  if (!isRecord(object) || object['kind'] !== 'Pod' || !isRecord(object['metadata']) || !isRecord(object['spec'])) {
    throw new ManifestError(
      `${path}: couldn't parse as pod(Object 'Kind' is missing in '${contents.slice(0, 60).trim()}'), please check config file`,
    );
  }
  const read = object as unknown as Pod;
  if (!Array.isArray(read.spec?.containers)) throw new ManifestError(`invalid pod: [spec.containers: Required value]`);
  // The uid of a static pod is the hash of where it comes from and what it says.
  const hash = toHex(md5(utf8(`host:${nodeName}\nfile:${path}\n${JSON.stringify(object)}`)));
  return withPodDefaults({
    ...read,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...read.metadata,
      name: `${read.metadata.name}-${nodeName}`,
      namespace: read.metadata.namespace ?? 'default',
      uid: hash,
      resourceVersion: '',
      creationTimestamp: new Date(Math.floor(nowMs / 1000) * 1000).toISOString().replace('.000Z', 'Z'),
      annotations: {
        ...read.metadata.annotations,
        [CONFIG_HASH]: hash,
        [CONFIG_SEEN]: `${new Date(nowMs).toISOString().slice(0, -1)}000000Z`,
        [CONFIG_SOURCE]: 'file',
      },
    },
    spec: { ...read.spec, nodeName, tolerations: [...(read.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }] },
    status: { phase: 'Pending' },
  });
}
