// Prepares what a container sees as /: the overlay of its image, the kernel's file systems, and what is bound into it.

import { isSysError } from '../../../sim/errno.ts';
import type { Syscalls } from '../../../kernel/process.ts';
import { resolveInRoot } from '../root-lookup.ts';
import { resolvConf } from '../resolver.ts';
import { DockerError, type ContainerRecord, type HostConfigJson } from './types.ts';

const OVERLAY = '/var/lib/docker/overlay2';
export const CONTAINERS = '/var/lib/docker/containers';

export const rootOf = (id: string): string => `${OVERLAY}/${id}/merged`;
export const upperOf = (id: string): string => `${OVERLAY}/${id}/diff`;

/** Mounts everything; returns the root's path. */
export function mountRoot(sys: Syscalls, record: ContainerRecord, host: HostConfigJson): string {
  const root = rootOf(record.ID);
  const image = record.Image.slice('sha256:'.length);
  for (const directory of ['merged', 'diff', 'work'])
    sys.mkdir(`${OVERLAY}/${record.ID}/${directory}`, { recursive: true, mode: directory === 'diff' ? 0o755 : 0o700 });
  const options = `lowerdir=image:${image},upperdir=${upperOf(record.ID)},workdir=${OVERLAY}/${record.ID}/work`;
  sys.mount({ source: 'overlay', target: root, type: 'overlay', options });
  try {
    kernelFileSystems(sys, root);
    const directory = `${CONTAINERS}/${record.ID}`;
    writeNetworkFiles(sys, record, host);
    const asked = new Set(record.MountPoints.map((mount) => mount.Destination));
    for (const name of ['resolv.conf', 'hostname', 'hosts']) {
      if (!asked.has(`/etc/${name}`) && sys.exists(`${directory}/${name}`))
        bind(sys, root, { source: `${directory}/${name}`, target: `/etc/${name}`, isReadOnly: false });
    }
    // Outer directories first: a mount over /data must not hide one over /data/x.
    const mounts = [...record.MountPoints].sort((a, b) => a.Destination.split('/').length - b.Destination.split('/').length);
    for (const mount of mounts) bind(sys, root, { source: mount.Source, target: mount.Destination, isReadOnly: !mount.RW });
    return root;
  } catch (error) {
    unmountRoot(sys, record.ID);
    throw error;
  }
}

function kernelFileSystems(sys: Syscalls, root: string): void {
  const mount = (target: string, type: string, source: string, options: string): void => {
    const path = root + resolveInRoot(sys, root, target);
    if (!sys.exists(path)) sys.mkdir(path, { recursive: true });
    sys.mount({ source, target: path, type, options });
  };
  mount('/proc', 'proc', 'proc', 'rw,nosuid,nodev,noexec,relatime');
  mount('/dev', 'devtmpfs', 'tmpfs', 'rw,nosuid,size=65536k,mode=755');
  mount('/sys', 'sysfs', 'sysfs', 'ro,nosuid,nodev,noexec,relatime');
}

/** Binds a file or directory into the root, making the place for it as runc does. */
export function bind(
  sys: Syscalls,
  root: string,
  request: { readonly source: string; readonly target: string; readonly isReadOnly: boolean },
): void {
  const target = root + resolveInRoot(sys, root, request.target);
  const kind = sys.stat(request.source).kind;
  if (!sys.exists(target)) {
    if (kind === 'directory') sys.mkdir(target, { recursive: true });
    else {
      sys.mkdir(target.slice(0, target.lastIndexOf('/')), { recursive: true });
      sys.writeFile(target, '');
    }
  }
  sys.mount({ source: request.source, target, type: 'none', options: request.isReadOnly ? 'bind,ro' : 'bind,rw' });
}

function writeNetworkFiles(sys: Syscalls, record: ContainerRecord, host: HostConfigJson): void {
  const directory = `${CONTAINERS}/${record.ID}`;
  const isShared = host.NetworkMode.startsWith('container:');
  if (isShared) {
    // The files of the container whose network it shares.
    const other = `${CONTAINERS}/${host.NetworkMode.slice('container:'.length)}`;
    for (const name of ['hostname', 'hosts', 'resolv.conf']) {
      if (sys.exists(`${other}/${name}`)) sys.writeFile(`${directory}/${name}`, sys.readFile(`${other}/${name}`));
    }
    return;
  }
  const isHost = host.NetworkMode === 'host';
  sys.writeFile(`${directory}/hostname`, `${record.Config.Hostname}\n`);
  if (isHost && sys.exists('/etc/hosts')) sys.writeFile(`${directory}/hosts`, sys.readFile('/etc/hosts'));
  else {
    const address = record.NetworkSettings.Networks['bridge']?.IPAddress ?? '';
    const lines = [
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::0\tip6-localnet',
      'ff00::0\tip6-mcastprefix',
      'ff02::1\tip6-allnodes',
      'ff02::2\tip6-allrouters',
    ];
    for (const extra of host.ExtraHosts ?? []) {
      const at = extra.indexOf(':');
      lines.push(`${extra.slice(at + 1)}\t${extra.slice(0, at)}`);
    }
    if (address !== '') lines.push(`${address}\t${record.Config.Hostname}`);
    sys.writeFile(`${directory}/hosts`, `${lines.join('\n')}\n`);
  }
  const custom = [
    ...host.Dns.map((server) => `nameserver ${server}`),
    ...(host.DnsSearch.length === 0 ? [] : [`search ${host.DnsSearch.join(' ')}`]),
    ...(host.DnsOptions.length === 0 ? [] : [`options ${host.DnsOptions.join(' ')}`]),
  ];
  sys.writeFile(`${directory}/resolv.conf`, custom.length > 0 ? `${custom.join('\n')}\n` : resolvConf(sys));
}

/** Takes down whatever is mounted at and below the container's root. */
export function unmountRoot(sys: Syscalls, id: string): void {
  const root = rootOf(id);
  const targets = sys
    .mounts()
    .map((mount) => mount.target)
    .filter((target) => target === root || target.startsWith(`${root}/`));
  for (const target of targets.sort((a, b) => b.length - a.length)) {
    try {
      sys.umount(target);
    } catch (error) {
      if (!isSysError(error, 'EINVAL', 'EBUSY', 'ENOENT')) throw error;
    }
  }
}

/** Deletes the writable layer. */
export function removeLayer(sys: Syscalls, id: string): void {
  unmountRoot(sys, id);
  removeTree(sys, `${OVERLAY}/${id}`);
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

/** `nginx`, `1000:1000`, `` to numbers, from the image's own /etc/passwd and /etc/group. */
export function userOf(
  sys: Syscalls,
  root: string,
  user: string,
): { readonly uid: number; readonly gid: number; readonly groups: readonly number[]; readonly home: string } {
  const [name = '', group] = user.split(':');
  const read = (path: string): readonly string[][] => {
    const real = root + resolveInRoot(sys, root, path);
    return sys.exists(real)
      ? sys
          .readTextFile(real)
          .split('\n')
          .map((line) => line.split(':'))
      : [];
  };
  const wanted = name === '' ? '0' : name;
  const entry = read('/etc/passwd').find((fields) => fields[0] === wanted || fields[2] === wanted);
  if (entry === undefined && !/^\d+$/.test(wanted))
    throw new DockerError(400, `linux spec user: unable to find user ${wanted}: no matching entries in passwd file`);
  const uid = entry === undefined ? Number(wanted) : Number(entry[2]);
  let gid = entry === undefined ? 0 : Number(entry[3]);
  if (group !== undefined && group !== '') {
    const found = read('/etc/group').find((fields) => fields[0] === group || fields[2] === group);
    if (found === undefined && !/^\d+$/.test(group))
      throw new DockerError(400, `linux spec user: unable to find group ${group}: no matching entries in group file`);
    gid = found === undefined ? Number(group) : Number(found[2]);
  }
  return { uid, gid, groups: [gid], home: entry?.[5] ?? '/' };
}
