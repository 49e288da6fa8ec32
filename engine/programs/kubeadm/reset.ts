// Models `kubeadm reset`: stops what kubeadm started and removes what it wrote.

import type { Process } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';
import { utf8 } from '../../sim/bytes.ts';
import { MANIFESTS } from './cluster-configuration.ts';
import { KubeadmError, run, sayOn } from './console.ts';
import { parseFlags } from './flags.ts';

const FILES = ['admin.conf', 'kubelet.conf', 'bootstrap-kubelet.conf', 'controller-manager.conf', 'scheduler.conf'].map(
  (name) => `/etc/kubernetes/${name}`,
);

export async function reset(process: Process, args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, [{ name: 'force', short: 'f', kind: 'bool' }]);
  const { sys } = process;
  const say = sayOn(process);
  if (sys.credentials().uid !== 0)
    throw new KubeadmError('[preflight] Some fatal errors occurred:\n\t[ERROR IsPrivilegedUser]: user is not running as root');
  if (values.get('force') !== 'true') {
    await say("[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be reverted.");
    await process.stdout.write(utf8('[reset] Are you sure you want to proceed? [y/N]: '));
    const answer = await process.stdin.read();
    if (answer === undefined || !/^y(es)?$/i.test(new TextDecoder().decode(answer).trim()))
      throw new KubeadmError('Aborted reset operation');
  }
  await say('[preflight] Running pre-flight checks');
  const isControlPlane = sys.exists(`${MANIFESTS}/kube-apiserver.yaml`);
  if (!isControlPlane) await say('[reset] No etcd config found. Assuming external etcd');
  await say('[reset] Stopping the kubelet service');
  await run(process, ['/usr/bin/systemctl', 'stop', 'kubelet']);
  await say('[reset] Unmounting mounted directories in "/var/lib/kubelet"');
  for (const mount of sys.mounts().filter((each) => each.target.startsWith('/var/lib/kubelet/'))) sys.umount(mount.target);
  const ids = (await run(process, ['/usr/bin/docker', 'ps', '-a', '--filter', 'name=k8s_', '-q'])).output
    .split('\n')
    .filter((id) => id !== '');
  for (const id of ids) await run(process, ['/usr/bin/docker', 'rm', '--force', '--volumes', id]);
  await say(`[reset] Deleting contents of config directories: [${MANIFESTS} /etc/kubernetes/pki]`);
  removeContents(process, MANIFESTS);
  removeContents(process, '/etc/kubernetes/pki');
  await say(`[reset] Deleting files: [${FILES.join(' ')}]`);
  for (const file of FILES) if (sys.exists(file)) sys.unlink(file);
  const directories = [
    ...(isControlPlane ? ['/var/lib/etcd'] : []),
    '/var/lib/kubelet',
    '/var/lib/dockershim',
    '/var/run/kubernetes',
    '/var/lib/cni',
  ];
  await say(`[reset] Deleting contents of stateful directories: [${directories.join(' ')}]`);
  for (const directory of directories) removeContents(process, directory);
  await say(`
The reset process does not clean CNI configuration. To do so, you must remove /etc/cni/net.d

The reset process does not reset or clean up iptables rules or IPVS tables.
If you wish to reset iptables, you must do so manually by using the "iptables" command.
`);
  return 0;
}

function removeContents(process: Process, directory: string): void {
  const { sys } = process;
  if (!sys.exists(directory)) return;
  for (const name of sys.readdir(directory)) {
    const path = `${directory}/${name}`;
    if (sys.lstat(path).kind === 'directory') {
      removeContents(process, path);
      try {
        sys.rmdir(path);
      } catch (error) {
        if (!isSysError(error, 'EBUSY')) throw error;
      }
    } else sys.unlink(path);
  }
}
