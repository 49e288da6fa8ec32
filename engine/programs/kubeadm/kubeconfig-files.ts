// Models kubeadm's kubeconfig phase.

import type { Process } from '../../kernel/process.ts';
import { toBase64, utf8 } from '../../sim/bytes.ts';
import { clientIdentity, type Authority } from './certs.ts';
import type { ClusterConfiguration } from './cluster-configuration.ts';

const FILES = [
  { file: 'admin.conf', user: 'kubernetes-admin', organizations: ['system:masters'] },
  { file: 'kubelet.conf', user: 'system:node:', organizations: ['system:nodes'] },
  { file: 'controller-manager.conf', user: 'system:kube-controller-manager', organizations: [] },
  { file: 'scheduler.conf', user: 'system:kube-scheduler', organizations: [] },
] as const;

/** Writes admin.conf, kubelet.conf, controller-manager.conf and scheduler.conf under /etc/kubernetes. */
export async function writeKubeconfigs(
  process: Process,
  config: ClusterConfiguration,
  ca: Authority,
  say: (line: string) => Promise<void>,
): Promise<void> {
  await say('[kubeconfig] Using kubeconfig folder "/etc/kubernetes"');
  for (const { file, user, organizations } of FILES) {
    const path = `/etc/kubernetes/${file}`;
    if (process.sys.exists(path)) {
      await say(`[kubeconfig] Using existing kubeconfig file: "${path}"`);
      continue;
    }
    await say(`[kubeconfig] Writing "${file}" kubeconfig file`);
    const commonName = user === 'system:node:' ? `${user}${config.nodeName}` : user;
    const identity = clientIdentity(process, ca, { commonName, organizations });
    const contents = kubeconfigYaml({
      server: `https://${config.advertiseAddress}:${config.bindPort}`,
      caPem: ca.certificatePem,
      user: commonName,
      credentials: `    client-certificate-data: ${base64(identity.certificatePem)}\n    client-key-data: ${base64(identity.privateKeyPem)}\n`,
    });
    process.sys.writeFile(path, contents, { mode: 0o600 });
  }
}

/** A kubeconfig with one cluster, one user and one context. `credentials` are the user's fields, indented by four. */
export function kubeconfigYaml(options: {
  readonly server: string;
  readonly caPem: string | undefined;
  readonly user: string;
  readonly credentials: string;
}): string {
  const context = `${options.user}@kubernetes`;
  const authority =
    options.caPem === undefined ? '    insecure-skip-tls-verify: true\n' : `    certificate-authority-data: ${base64(options.caPem)}\n`;
  return `apiVersion: v1
clusters:
- cluster:
${authority}    server: ${options.server}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: ${options.user}
  name: ${context}
current-context: ${context}
kind: Config
preferences: {}
users:
- name: ${options.user}
  user:
${options.credentials}`;
}

function base64(pem: string): string {
  return toBase64(utf8(pem));
}
