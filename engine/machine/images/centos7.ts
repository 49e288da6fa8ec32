// The base image of the lab's machines: CentOS 7 with docker-ce 19.03.14 and the Kubernetes 1.20.2 packages, as the
// provisioning scripts leave it before kubeadm runs.

import type { ImageEntry, ImageTree } from '../../fs/image-tree.ts';
import type { Program } from '../../kernel/process.ts';
import { MODULE_CATALOGUE } from '../../kernel/module-catalogue.ts';
import { ACCOUNT_FILES } from './centos7-accounts.ts';
import { ETC_FILES } from './centos7-etc.ts';
import { UNIT_FILES, UNIT_LINKS } from './centos7-units.ts';

export const KERNEL_RELEASE = '3.10.0-1160.90.1.el7.x86_64';

/** Programs as the registry has them. */
export interface ProgramSource {
  names(): readonly string[];
  get(name: string): Program | undefined;
}

/** Directories that no file of the image brings along, with their modes. */
const DIRECTORIES: readonly (readonly [path: string, mode: number])[] = [
  ['/boot', 0o555],
  ['/dev', 0o755],
  ['/home', 0o755],
  ['/media', 0o755],
  ['/mnt', 0o755],
  ['/opt', 0o755],
  ['/opt/cni/bin', 0o755],
  ['/proc', 0o555],
  ['/root', 0o550],
  ['/run', 0o755],
  ['/srv', 0o755],
  ['/sys', 0o555],
  ['/tmp', 0o1777],
  ['/usr/games', 0o755],
  ['/usr/include', 0o755],
  ['/usr/lib64', 0o555],
  ['/usr/local/bin', 0o755],
  ['/usr/local/sbin', 0o755],
  ['/usr/src', 0o755],
  ['/vagrant', 0o755],
  ['/var/cache', 0o755],
  ['/var/empty/sshd', 0o711],
  ['/var/lib/rpm', 0o755],
  ['/var/lib/docker', 0o711],
  ['/var/lib/kubelet', 0o755],
  ['/var/lib/dhclient', 0o755],
  ['/var/local', 0o755],
  ['/var/log/audit', 0o700],
  ['/var/log/tuned', 0o755],
  ['/var/opt', 0o755],
  ['/var/spool/cron', 0o700],
  ['/var/spool/mail', 0o775],
  ['/var/spool/postfix', 0o755],
  ['/var/tmp', 0o1777],
  ['/etc/cni/net.d', 0o755],
  ['/etc/docker', 0o700],
  ['/etc/kubernetes/manifests', 0o755],
  ['/etc/modprobe.d', 0o755],
  ['/etc/modules-load.d', 0o755],
  ['/etc/profile.d', 0o755],
  ['/etc/skel', 0o755],
  ['/etc/ssh', 0o755],
  ['/etc/systemd/system', 0o755],
  ['/etc/cron.d', 0o755],
  ['/usr/libexec/kubernetes/kubelet-plugins/volume/exec', 0o755],
];

const LINKS: readonly (readonly [path: string, target: string])[] = [
  ['/bin', 'usr/bin'],
  ['/sbin', 'usr/sbin'],
  ['/lib', 'usr/lib'],
  ['/lib64', 'usr/lib64'],
  ['/var/run', '../run'],
  ['/var/lock', '../run/lock'],
  ['/var/mail', 'spool/mail'],
  ['/etc/mtab', '/proc/self/mounts'],
  ['/etc/localtime', '../usr/share/zoneinfo/Asia/Seoul'],
  ['/etc/system-release', 'centos-release'],
  ['/etc/redhat-release', 'centos-release'],
  ['/etc/rc.local', 'rc.d/rc.local'],
  ['/etc/init.d', 'rc.d/init.d'],
  ['/etc/os-release', '../usr/lib/os-release'],
  ['/etc/grub2.cfg', '../boot/grub2/grub.cfg'],
  ['/etc/systemd/system/default.target', '/usr/lib/systemd/system/multi-user.target'],
];

/** Set-uid programs: they start as root whoever calls them. */
const SET_UID = new Set(['su', 'sudo', 'passwd', 'mount', 'umount', 'chsh', 'newgrp', 'chage', 'gpasswd', 'crontab']);

/** The image with every program of the registry at its place. */
export function centos7Image(programs: ProgramSource): ImageTree {
  const entries = new Map<string, ImageEntry>();
  for (const [path, target] of LINKS) entries.set(path, { kind: 'symlink', target });
  for (const [path, mode] of DIRECTORIES) entries.set(path, { kind: 'directory', mode });
  entries.set('/home/vagrant', { kind: 'directory', mode: 0o700, uid: 1000, gid: 1000 });
  for (const [path, entry] of [...ETC_FILES, ...ACCOUNT_FILES]) entries.set(path, entry);
  for (const [name, contents] of UNIT_FILES) entries.set(unitPath(name), { kind: 'file', contents });
  for (const [path, target] of UNIT_LINKS) entries.set(path, { kind: 'symlink', target });
  addModules(entries);
  for (const name of programs.names()) {
    for (const path of programs.get(name)?.paths ?? [`/usr/bin/${name}`]) {
      const mode = SET_UID.has(name) ? 0o4755 : 0o755;
      entries.set(mergedPath(path), { kind: 'program', program: name, mode });
    }
  }
  return { name: 'centos7-k8s', entries };
}

/** /bin, /sbin and /lib are links into /usr since CentOS 7. */
function mergedPath(path: string): string {
  return path.replace(/^\/(bin|sbin|lib|lib64)\//, '/usr/$1/').replace(/^\/var\/run\//, '/run/');
}

function unitPath(name: string): string {
  return name.startsWith('/') ? name : `/usr/lib/systemd/system/${name}`;
}

function addModules(entries: Map<string, ImageEntry>): void {
  const root = `/usr/lib/modules/${KERNEL_RELEASE}`;
  const dependencies: string[] = [];
  for (const [name, module] of MODULE_CATALOGUE) {
    if (module.isBuiltIn === true) continue;
    entries.set(`${root}/${module.path}`, { kind: 'file', contents: `${name}\n` });
    dependencies.push(`${module.path}:${module.needs.map((need) => ` ${MODULE_CATALOGUE.get(need)?.path ?? need}`).join('')}`);
  }
  entries.set(`${root}/modules.dep`, { kind: 'file', contents: `${dependencies.join('\n')}\n` });
  entries.set(`${root}/modules.builtin`, { kind: 'file', contents: 'kernel/net/ipv6/ipv6.ko\nkernel/net/unix/unix.ko\n' });
}
