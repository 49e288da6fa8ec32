// Models `kubeadm join` for a worker: discovery, then a kubelet that bootstraps its own certificate.

import type { Process } from '../../kernel/process.ts';
import { connectTls, TlsError } from '../../net/tls.ts';
import { HttpClient } from '../../net/http-client.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { X509Error } from '../../net/x509.ts';
import { fromBase64, text } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import { caCertHash } from './tokens.ts';
import { KubeadmError, sayOn } from './console.ts';
import { parseFlags, UsageError } from './flags.ts';
import { startKubelet } from './init.ts';
import { kubeconfigYaml } from './kubeconfig-files.ts';
import { preflightJoin } from './preflight.ts';
import { PKI } from './cluster-configuration.ts';

const DISCOVERY_TIMEOUT_MS = 5 * 60 * 1000;
const TLS_BOOTSTRAP_TIMEOUT_MS = 5 * 60 * 1000;
const RETRY_MS = 5000;

export async function join(process: Process, args: readonly string[]): Promise<number> {
  const { values, words } = parseFlags(args, [
    { name: 'token', kind: 'string' },
    { name: 'discovery-token', kind: 'string' },
    { name: 'tls-bootstrap-token', kind: 'string' },
    { name: 'discovery-token-unsafe-skip-ca-verification', kind: 'bool' },
    { name: 'discovery-token-ca-cert-hash', kind: 'string' },
    { name: 'node-name', kind: 'string' },
    { name: 'ignore-preflight-errors', kind: 'string' },
  ]);
  const endpoint = words[0];
  if (endpoint === undefined) throw new KubeadmError('discovery: Invalid value: "": bootstrapToken or file must be set');
  if (words.length > 1) throw new UsageError(`accepts at most 1 arg(s), received ${words.length}`);
  const token = values.get('discovery-token') ?? values.get('token');
  if (token === undefined) throw new KubeadmError('discovery: Invalid value: "": bootstrapToken or file must be set');
  const hash = values.get('discovery-token-ca-cert-hash');
  if (hash === undefined && values.get('discovery-token-unsafe-skip-ca-verification') !== 'true') {
    throw new KubeadmError(
      'discovery.bootstrapToken: Invalid value: "": using token-based discovery without caCertHashes can be unsafe. Set unsafeSkipCAVerification as true in your kubeadm config file or pass --discovery-token-unsafe-skip-ca-verification flag to continue',
    );
  }
  const say = sayOn(process);
  await preflightJoin(process, say, (values.get('ignore-preflight-errors') ?? '').split(','));
  await say('[preflight] Reading configuration from the cluster...');
  await say("[preflight] FYI: You can look at this config file with 'kubectl -n kube-system get cm kubeadm-config -o yaml'");
  const cluster = await discover(process, endpoint);
  if (hash !== undefined && caCertHash(cluster.caPem) !== hash) {
    throw new KubeadmError(
      `couldn't validate the identity of the API Server: cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "${caCertHash(cluster.caPem)}" are pinned`,
    );
  }
  const { sys } = process;
  sys.mkdir(PKI, { recursive: true });
  sys.mkdir('/etc/kubernetes/manifests', { recursive: true });
  sys.writeFile(`${PKI}/ca.crt`, cluster.caPem, { mode: 0o644 });
  const bootstrap = kubeconfigYaml({
    server: cluster.server,
    caPem: cluster.caPem,
    user: 'tls-bootstrap-token-user',
    // Quoted: a token of digits alone would be read as a number.
    credentials: `    token: "${values.get('tls-bootstrap-token') ?? token}"\n`,
  });
  sys.writeFile('/etc/kubernetes/bootstrap-kubelet.conf', bootstrap, { mode: 0o600 });
  await startKubelet(process, { serviceSubnet: '10.96.0.0/12', dnsDomain: 'cluster.local', imageRepository: 'k8s.gcr.io' }, say);
  await say('[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap...');
  const startMs = sys.now();
  while (!sys.exists('/etc/kubernetes/kubelet.conf')) {
    if (sys.now() - startMs > TLS_BOOTSTRAP_TIMEOUT_MS)
      throw new KubeadmError('error execution phase kubelet-start: timed out waiting for the condition');
    await sys.sleep(500);
  }
  sys.unlink('/etc/kubernetes/bootstrap-kubelet.conf');
  await say(`
This node has joined the cluster:
* Certificate signing request was sent to apiserver and a response was received.
* The Kubelet was informed of the new secure connection details.

Run 'kubectl get nodes' on the control-plane to see this node join the cluster.
`);
  return 0;
}

/** The cluster-info ConfigMap, read without credentials. */
async function discover(process: Process, endpoint: string): Promise<{ readonly caPem: string; readonly server: string }> {
  const match = /^([^:]+):(\d+)$/.exec(endpoint);
  if (match === null)
    throw new KubeadmError(
      `discovery.bootstrapToken.apiServerEndpoint: Invalid value: "${endpoint}": address ${endpoint}: missing port in address`,
    );
  const [, host = '', port = ''] = match;
  const startMs = process.sys.now();
  for (;;) {
    try {
      return await readClusterInfo(process, host, Number(port));
    } catch (error) {
      if (!isSysError(error) && !(error instanceof TlsError) && !(error instanceof X509Error)) throw error;
      if (process.sys.now() - startMs > DISCOVERY_TIMEOUT_MS) {
        throw new KubeadmError(
          `error execution phase preflight: couldn't validate the identity of the API Server: Get "https://${endpoint}/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s": dial tcp ${endpoint}: ${isSysError(error) ? `connect: ${error.strerror.toLowerCase()}` : error.message}`,
        );
      }
    }
    await process.sys.sleep(RETRY_MS);
  }
}

async function readClusterInfo(process: Process, host: string, port: number): Promise<{ readonly caPem: string; readonly server: string }> {
  const { sys } = process;
  const client = new HttpClient({
    host: `${host}:${port}`,
    connect: async () =>
      connectTls(await sys.net.connect({ address: host, port, pid: process.pid }), {
        serverName: host,
        insecure: true,
        nowMs: sys.now(),
        rng: sys.rng,
      }),
  });
  try {
    const answer = await client.request({ method: 'GET', target: '/api/v1/namespaces/kube-public/configmaps/cluster-info' });
    const body = text(await readAllBytes(answer.body));
    if (answer.status !== 200) throw new KubeadmError(`failed to request the cluster-info ConfigMap: ${body}`);
    const kubeconfig = (JSON.parse(body) as { data: { kubeconfig: string } }).data.kubeconfig;
    const ca = /certificate-authority-data: (\S+)/.exec(kubeconfig)?.[1] ?? '';
    const server = /server: (\S+)/.exec(kubeconfig)?.[1] ?? '';
    return { caPem: text(fromBase64(ca)), server };
  } finally {
    client.close();
  }
}
