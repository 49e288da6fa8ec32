// Models the checks kubeadm makes before it touches a machine, as far as this machine can fail them.

import type { Process } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';
import { type ClusterConfiguration } from './cluster-configuration.ts';
import { DaemonUnreachable, DockerClient } from '../../kube/runtime/docker/client.ts';
import { DockerError } from '../../kube/runtime/docker/types.ts';
import { KubeadmError, type Say } from './console.ts';

interface Check {
  readonly name: string;
  /** What is wrong, or undefined. */
  readonly problem: () => string | undefined | Promise<string | undefined>;
}

const CONTROL_PLANE_PORTS = [6443, 10259, 10257];
const ETCD_PORTS = [2379, 2380];
const KUBELET_PORT = 10250;

/** Throws KubeadmError with the list of what is wrong. */
export async function preflightInit(process: Process, say: Say, ignored: readonly string[]): Promise<void> {
  await say('[preflight] Running pre-flight checks');
  const { sys } = process;
  const manifests = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'];
  await check(process, ignored, [
    { name: 'NumCPU', problem: () => (sys.kernel.cpus < 2 ? 'the number of available CPUs 1 is less than the required 2' : undefined) },
    {
      name: 'Mem',
      problem: () =>
        sys.kernel.memoryBytes < 1700 * 1000 * 1000
          ? `the system RAM (${Math.floor(sys.kernel.memoryBytes / 1048576)} MB) is less than the minimum 1700 MB`
          : undefined,
    },
    ...CONTROL_PLANE_PORTS.map((port) => portCheck(process, port)),
    ...manifests.map((name) => absentFile(process, `/etc/kubernetes/manifests/${name}.yaml`)),
    ...machineChecks(process),
    portCheck(process, KUBELET_PORT),
    ...ETCD_PORTS.map((port) => portCheck(process, port)),
    {
      name: 'DirAvailable--var-lib-etcd',
      problem: () => (sys.exists('/var/lib/etcd') && sys.readdir('/var/lib/etcd').length > 0 ? '/var/lib/etcd is not empty' : undefined),
    },
  ]);
  await cgroupWarning(process);
  await say('[preflight] Pulling images required for setting up a Kubernetes cluster');
  await say('[preflight] This might take a minute or two, depending on the speed of your internet connection');
  await say("[preflight] You can also perform this action in beforehand using 'kubeadm config images pull'");
}

export async function preflightJoin(process: Process, say: Say, ignored: readonly string[]): Promise<void> {
  await say('[preflight] Running pre-flight checks');
  await check(process, ignored, [
    ...machineChecks(process),
    absentFile(process, '/etc/kubernetes/kubelet.conf'),
    absentFile(process, '/etc/kubernetes/bootstrap-kubelet.conf'),
    absentFile(process, '/etc/kubernetes/pki/ca.crt'),
    portCheck(process, KUBELET_PORT),
  ]);
  await cgroupWarning(process);
}

/** Every image of a control plane that docker does not have yet. */
export async function pullImages(
  process: Process,
  config: Pick<ClusterConfiguration, 'imageRepository'>,
  images: readonly string[],
  onPulled?: (image: string) => Promise<void>,
): Promise<void> {
  const docker = new DockerClient(process.sys);
  try {
    const present = new Set((await docker.images()).flatMap((image) => image.RepoTags ?? []));
    for (const image of images) {
      const reference = `${config.imageRepository}/${image}`;
      if (!present.has(reference)) await docker.pull(reference, () => undefined);
      await onPulled?.(reference);
    }
  } catch (error) {
    if (!(error instanceof DockerError) && !(error instanceof DaemonUnreachable)) throw error;
    throw new KubeadmError(
      `[preflight] Some fatal errors occurred:\n\t[ERROR ImagePull]: failed to pull image: ${error.message}\n, error: exit status 1`,
    );
  } finally {
    docker.close();
  }
}

function machineChecks(process: Process): readonly Check[] {
  const { sys } = process;
  const sysctl = (path: string): string | undefined => (sys.exists(path) ? sys.readTextFile(path).trim() : undefined);
  const mustBeOne = (path: string): Check => ({
    name: `FileContent-${path.replace(/\//g, '-')}`,
    problem: () => {
      const value = sysctl(path);
      if (value === undefined) return `${path} does not exist`;
      return value === '1' ? undefined : `${path} contents are not set to 1`;
    },
  });
  return [
    { name: 'IsPrivilegedUser', problem: () => (sys.credentials().uid === 0 ? undefined : 'user is not running as root') },
    { name: 'IsDockerSystemdCheck', problem: () => (sys.exists('/var/run/docker.sock') ? undefined : 'docker is not running') },
    mustBeOne('/proc/sys/net/bridge/bridge-nf-call-iptables'),
    mustBeOne('/proc/sys/net/ipv4/ip_forward'),
    {
      name: 'Swap',
      problem: () =>
        sys.readTextFile('/proc/swaps').trim().split('\n').length > 1
          ? 'running with swap on is not supported. Please disable swap'
          : undefined,
    },
  ];
}

async function cgroupWarning(process: Process): Promise<void> {
  const text =
    '\t[WARNING IsDockerSystemdCheck]: detected "cgroupfs" as the Docker cgroup driver. The recommended driver is "systemd". Please follow the guide at https://kubernetes.io/docs/setup/cri/\n';
  await process.stderr.write(new TextEncoder().encode(text));
}

function portCheck(process: Process, port: number): Check {
  return {
    name: `Port-${port}`,
    problem: () => {
      try {
        process.sys.net.listen({ address: '0.0.0.0', port, pid: process.pid }).close();
        return undefined;
      } catch (error) {
        if (!isSysError(error, 'EADDRINUSE')) throw error;
        return `Port ${port} is in use`;
      }
    },
  };
}

function absentFile(process: Process, path: string): Check {
  return {
    name: `FileAvailable-${path.replace(/\//g, '-')}`,
    problem: () => (process.sys.exists(path) ? `${path} already exists` : undefined),
  };
}

async function check(process: Process, ignored: readonly string[], checks: readonly Check[]): Promise<void> {
  const errors: string[] = [];
  for (const { name, problem } of checks) {
    const found = await problem();
    if (found === undefined) continue;
    if (ignored.includes('all') || ignored.some((each) => each.toLowerCase() === name.toLowerCase())) {
      await process.stderr.write(new TextEncoder().encode(`\t[WARNING ${name}]: ${found}\n`));
    } else errors.push(`\t[ERROR ${name}]: ${found}\n`);
  }
  if (errors.length === 0) return;
  throw new KubeadmError(
    `[preflight] Some fatal errors occurred:\n${errors.join('')}[preflight] If you know what you are doing, you can make a check non-fatal with \`--ignore-preflight-errors=...\``,
  );
}
