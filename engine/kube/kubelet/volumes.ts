// Models the kubelet's volumes: what is put below /var/lib/kubelet/pods/UID/volumes and bound into containers.

import { fromBase64, text, utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import type { Syscalls } from '../../kernel/process.ts';
import type { ConfigMap, Container, Pod, Secret } from '../machinery/types.ts';
import type { Mount } from './container-runtime.ts';
import { fieldValue, resourceValue, type EnvironmentSources } from './environment.ts';

type Volume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];

export interface VolumeSources {
  readonly sys: Syscalls;
  readonly configMap: (namespace: string, name: string) => Promise<ConfigMap>;
  readonly secret: (namespace: string, name: string) => Promise<Secret>;
  readonly serviceAccountToken: (
    namespace: string,
    name: string,
    expirationSeconds: number,
    audience: string | undefined,
  ) => Promise<string>;
  /** nfs server and path behind a claim. */
  readonly claim: (
    namespace: string,
    name: string,
  ) => Promise<{ readonly nfs?: { readonly server: string; readonly path: string }; readonly hostPath?: { readonly path: string } }>;
  readonly isNotFound: (error: unknown) => boolean;
  readonly environment: Pick<EnvironmentSources, 'podAddress' | 'hostAddress' | 'node'>;
}

/** A volume that cannot be set up; `message` is the FailedMount event's. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  readonly volume: string;
  constructor(volume: string, message: string) {
    super(message);
    this.volume = volume;
  }
}

export const podDirectory = (uid: string): string => `/var/lib/kubelet/pods/${uid}`;

/** Sets up every volume of a pod (again: contents that changed are written anew); host paths by volume name. */
export async function setUpVolumes(pod: Pod, sources: VolumeSources): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  for (const volume of pod.spec!.volumes ?? []) {
    try {
      paths.set(volume.name, await setUpVolume(pod, volume, sources));
    } catch (error) {
      if (error instanceof VolumeError) throw error;
      if (isSysError(error))
        throw new VolumeError(volume.name, `MountVolume.SetUp failed for volume "${volume.name}" : ${error.strerror.toLowerCase()}`);
      if (error instanceof Error && (sources.isNotFound(error) || error.name === 'ApiError'))
        throw new VolumeError(volume.name, `MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`);
      throw error;
    }
  }
  return paths;
}

async function setUpVolume(pod: Pod, volume: Volume, sources: VolumeSources): Promise<string> {
  const { sys } = sources;
  const namespace = pod.metadata.namespace ?? 'default';
  const at = (plugin: string): string => `${podDirectory(pod.metadata.uid)}/volumes/kubernetes.io~${plugin}/${volume.name}`;
  if (volume.hostPath !== undefined) {
    checkHostPath(sys, volume.name, volume.hostPath.path, volume.hostPath.type ?? '');
    return volume.hostPath.path;
  }
  if (volume.emptyDir !== undefined) {
    const path = at('empty-dir');
    const isNew = !sys.exists(path);
    sys.mkdir(path, { recursive: true });
    sys.chmod(path, 0o777);
    if (isNew && volume.emptyDir.medium === 'Memory') sys.mount({ source: 'tmpfs', target: path, type: 'tmpfs', options: 'rw,relatime' });
    return path;
  }
  if (volume.configMap !== undefined) {
    const { configMap } = volume;
    const found = await optional(() => sources.configMap(namespace, configMap.name ?? ''), configMap.optional === true, sources);
    const data = found === undefined ? {} : payloadOfConfigMap(found);
    writePayload(sys, at('configmap'), selected(data, configMap.items, configMap.optional === true, volume.name), configMap.defaultMode);
    return at('configmap');
  }
  if (volume.secret !== undefined) {
    const { secret } = volume;
    const found = await optional(() => sources.secret(namespace, secret.secretName ?? ''), secret.optional === true, sources);
    const data = found === undefined ? {} : payloadOfSecret(found);
    const path = at('secret');
    ensureTmpfs(sys, path);
    writePayload(sys, path, selected(data, secret.items, secret.optional === true, volume.name), secret.defaultMode);
    return path;
  }
  if (volume.downwardAPI !== undefined) {
    writePayload(sys, at('downward-api'), downward(pod, volume.downwardAPI.items ?? [], sources), volume.downwardAPI.defaultMode);
    return at('downward-api');
  }
  if (volume.projected !== undefined) {
    const path = at('projected');
    ensureTmpfs(sys, path);
    writePayload(sys, path, await projected(pod, volume, sources), volume.projected.defaultMode);
    return path;
  }
  if (volume.nfs !== undefined) return mountNfs(sys, at('nfs'), volume.name, `${volume.nfs.server}:${volume.nfs.path}`);
  if (volume.persistentVolumeClaim !== undefined) {
    const claim = await sources.claim(namespace, volume.persistentVolumeClaim.claimName);
    if (claim.hostPath !== undefined) return claim.hostPath.path;
    if (claim.nfs !== undefined) return mountNfs(sys, at('nfs'), volume.name, `${claim.nfs.server}:${claim.nfs.path}`);
  }
  throw new VolumeError(volume.name, `MountVolume.SetUp failed for volume "${volume.name}" : no volume plugin matched`);
}

function mountNfs(sys: Syscalls, path: string, name: string, source: string): string {
  if (sys.mounts().some((mount) => mount.target === path)) return path;
  sys.mkdir(path, { recursive: true });
  try {
    sys.mount({ source, target: path, type: 'nfs', options: 'rw,relatime,vers=4.1' });
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new VolumeError(
      name,
      `MountVolume.SetUp failed for volume "${name}" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs ${source} ${path}\nOutput: mount.nfs: ${error.strerror}`,
    );
  }
  return path;
}

function ensureTmpfs(sys: Syscalls, path: string): void {
  if (sys.mounts().some((mount) => mount.target === path)) return;
  sys.mkdir(path, { recursive: true });
  sys.mount({ source: 'tmpfs', target: path, type: 'tmpfs', options: 'rw,relatime' });
}

function checkHostPath(sys: Syscalls, volume: string, path: string, type: string): void {
  const fail = (what: string): never => {
    throw new VolumeError(volume, `MountVolume.SetUp failed for volume "${volume}" : hostPath type check failed: ${path} ${what}`);
  };
  const kind = sys.exists(path) ? sys.stat(path).kind : undefined;
  switch (type) {
    case 'DirectoryOrCreate':
      if (kind === undefined) sys.mkdir(path, { recursive: true });
      else if (kind !== 'directory') fail('is not a directory');
      return;
    case 'FileOrCreate':
      if (kind === undefined) sys.writeFile(path, '');
      else if (kind !== 'file') fail('is not a file');
      return;
    case 'Directory':
      if (kind !== 'directory') fail('is not a directory');
      return;
    case 'File':
      if (kind !== 'file') fail('is not a file');
      return;
    case 'Socket':
      if (kind !== 'socket') fail('is not a socket file');
      return;
    default:
      // docker makes a missing source a directory.
      if (kind === undefined) sys.mkdir(path, { recursive: true });
  }
}

async function optional<T>(get: () => Promise<T>, isOptional: boolean, sources: VolumeSources): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (isOptional && sources.isNotFound(error)) return undefined;
    throw error;
  }
}

type Payload = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly mode: number | undefined }>;

function payloadOfConfigMap(configMap: ConfigMap): Record<string, Uint8Array> {
  return {
    ...Object.fromEntries(Object.entries(configMap.data ?? {}).map(([key, value]) => [key, utf8(value)])),
    ...Object.fromEntries(Object.entries(configMap.binaryData ?? {}).map(([key, value]) => [key, fromBase64(value)])),
  };
}

function payloadOfSecret(secret: Secret): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, fromBase64(value)]));
}

interface Item {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

function selected(
  data: Readonly<Record<string, Uint8Array>>,
  items: readonly Item[] | undefined,
  isOptional: boolean,
  volume: string,
): Payload {
  if (items === undefined) return new Map(Object.entries(data).map(([key, bytes]) => [key, { bytes, mode: undefined }]));
  const payload = new Map<string, { bytes: Uint8Array; mode: number | undefined }>();
  for (const item of items) {
    const bytes = data[item.key];
    if (bytes !== undefined) payload.set(item.path, { bytes, mode: item.mode });
    else if (!isOptional)
      throw new VolumeError(volume, `MountVolume.SetUp failed for volume "${volume}" : references non-existent config key: ${item.key}`);
  }
  return payload;
}

type DownwardItem = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

function downward(pod: Pod, items: readonly DownwardItem[], sources: VolumeSources): Payload {
  return new Map(
    items.map((item) => {
      const value =
        item.fieldRef !== undefined
          ? fieldValue(pod, item.fieldRef.fieldPath, sources.environment)
          : item.resourceFieldRef !== undefined
            ? resourceValue(pod, undefined, item.resourceFieldRef, sources.environment)
            : '';
      return [item.path, { bytes: utf8(value), mode: item.mode }];
    }),
  );
}

async function projected(pod: Pod, volume: Volume, sources: VolumeSources): Promise<Payload> {
  const namespace = pod.metadata.namespace ?? 'default';
  const payload = new Map<string, { bytes: Uint8Array; mode: number | undefined }>();
  const add = (part: Payload): void => {
    for (const [path, entry] of part) payload.set(path, entry);
  };
  for (const source of volume.projected?.sources ?? []) {
    if (source.secret !== undefined) {
      const { secret } = source;
      const found = await optional(() => sources.secret(namespace, secret.name ?? ''), secret.optional === true, sources);
      add(selected(found === undefined ? {} : payloadOfSecret(found), secret.items, secret.optional === true, volume.name));
    } else if (source.configMap !== undefined) {
      const { configMap } = source;
      const found = await optional(() => sources.configMap(namespace, configMap.name ?? ''), configMap.optional === true, sources);
      add(selected(found === undefined ? {} : payloadOfConfigMap(found), configMap.items, configMap.optional === true, volume.name));
    } else if (source.downwardAPI !== undefined) add(downward(pod, source.downwardAPI.items ?? [], sources));
    else if (source.serviceAccountToken !== undefined) {
      const { expirationSeconds, audience, path } = source.serviceAccountToken;
      const token = await sources.serviceAccountToken(
        namespace,
        pod.spec!.serviceAccountName ?? 'default',
        expirationSeconds ?? 3600,
        audience,
      );
      payload.set(path, { bytes: utf8(token), mode: 0o600 });
    }
  }
  return payload;
}

/** Models the atomic writer: files are links through ..data to a dated directory, swapped at once. */
function writePayload(sys: Syscalls, directory: string, payload: Payload, defaultMode: number | undefined): void {
  const mode = defaultMode ?? 0o644;
  sys.mkdir(directory, { recursive: true });
  if (isCurrent(sys, directory, payload)) return;
  const stamp = new Date(sys.now())
    .toISOString()
    .replace('T', '_')
    .replace(/[-:]/g, (mark) => (mark === '-' ? '_' : '_'))
    .replace(/Z$/, '');
  const versioned = `..${stamp}${String(sys.rng.int(1_000_000_000)).padStart(9, '0')}`;
  sys.mkdir(`${directory}/${versioned}`);
  for (const [path, entry] of payload) {
    const file = `${directory}/${versioned}/${path}`;
    sys.mkdir(file.slice(0, file.lastIndexOf('/')), { recursive: true });
    sys.writeFile(file, entry.bytes);
    sys.chmod(file, entry.mode ?? mode);
  }
  const old = sys.exists(`${directory}/..data`) ? sys.readlink(`${directory}/..data`) : undefined;
  sys.symlink(versioned, `${directory}/..data_tmp`);
  sys.rename(`${directory}/..data_tmp`, `${directory}/..data`);
  const tops = new Set([...payload.keys()].map((path) => path.split('/')[0]!));
  for (const name of sys.readdir(directory)) if (!name.startsWith('..') && !tops.has(name)) sys.unlink(`${directory}/${name}`);
  for (const name of tops) if (!exists(sys, `${directory}/${name}`)) sys.symlink(`..data/${name}`, `${directory}/${name}`);
  if (old !== undefined) removeTree(sys, `${directory}/${old}`);
}

function exists(sys: Syscalls, path: string): boolean {
  try {
    sys.lstat(path);
    return true;
  } catch (error) {
    if (isSysError(error, 'ENOENT')) return false;
    throw error;
  }
}

function isCurrent(sys: Syscalls, directory: string, payload: Payload): boolean {
  const data = `${directory}/..data`;
  if (!sys.exists(data)) return false;
  const names = [...sys.readdir(`${data}/`)].sort();
  const tops = [...new Set([...payload.keys()].map((path) => path.split('/')[0]!))].sort();
  if (names.join('\n') !== tops.join('\n')) return false;
  return [...payload].every(
    ([path, entry]) => sys.exists(`${data}/${path}`) && text(sys.readFile(`${data}/${path}`)) === text(entry.bytes),
  );
}

/** Takes down what `setUpVolumes` made, and the pod's directory. */
export function tearDownVolumes(sys: Syscalls, uid: string): void {
  const directory = podDirectory(uid);
  const targets = sys
    .mounts()
    .map((mount) => mount.target)
    .filter((target) => target.startsWith(`${directory}/`));
  for (const target of targets.sort((a, b) => b.length - a.length)) sys.umount(target);
  removeTree(sys, directory);
}

export function removeTree(sys: Syscalls, path: string): void {
  let kind: string;
  try {
    kind = sys.lstat(path).kind;
  } catch (error) {
    if (isSysError(error, 'ENOENT')) return;
    throw error;
  }
  if (kind !== 'directory') return sys.unlink(path);
  for (const name of sys.readdir(path)) removeTree(sys, `${path}/${name}`);
  sys.rmdir(path);
}

/** The binds of one container. */
export function mountsOf(
  pod: Pod,
  container: Container,
  volumes: ReadonlyMap<string, string>,
  sys: Syscalls,
  expandPath: (path: string) => string,
): readonly Mount[] {
  return (container.volumeMounts ?? []).map((mount) => {
    const base = volumes.get(mount.name);
    if (base === undefined)
      throw new VolumeError(mount.name, `cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    const sub = mount.subPathExpr === undefined ? mount.subPath : expandPath(mount.subPathExpr);
    const hostPath = sub === undefined || sub === '' ? base : `${base}/${sub}`;
    if (!sys.exists(hostPath)) sys.mkdir(hostPath, { recursive: true });
    return {
      hostPath,
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      readOnly: mount.readOnly === true,
    };
  });
}
