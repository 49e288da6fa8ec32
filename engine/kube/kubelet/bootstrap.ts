// Models the kubelet's TLS bootstrap and its certificates under /var/lib/kubelet/pki.

import { parse, stringify } from 'yaml';
import { fromBase64, text, toBase64, utf8 } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import { createCertificate, createCertificateRequest, generateKeyPair } from '../../net/x509.ts';
import type { Identity } from '../../net/tls.ts';
import type { Process, Syscalls } from '../../kernel/process.ts';
import { createClient, userAgentOf } from '../client/connect.ts';
import { loadClientConfig } from '../client/kubeconfig.ts';
import { ApiError } from '../machinery/api-error.ts';
import { CERTIFICATE_SIGNING_REQUEST } from '../machinery/resources.ts';
import type { KubeObject } from '../machinery/types.ts';
import type { KubeletConfig } from './config.ts';
import type { Klog } from './klog.ts';

const PKI = '/var/lib/kubelet/pki';
export const CLIENT_CURRENT = `${PKI}/kubelet-client-current.pem`;
const YEAR_MS = 365 * 86_400_000;
const POLL_MS = 1_000;

interface Csr extends KubeObject {
  readonly status?: {
    readonly certificate?: string;
    readonly conditions?: readonly { readonly type: string; readonly message?: string }[];
  };
}

/** Gets a client certificate with the bootstrap token and writes the kubeconfig that uses it. */
export async function bootstrap(process: Process, config: KubeletConfig, log: Klog): Promise<void> {
  const { sys } = process;
  log('I', 'bootstrap.go:83', 'No valid private key and/or certificate found, reusing existing private key or creating a new one');
  const client = createClient(process, loadClientConfig(process, { kubeconfig: config.bootstrapKubeconfig! }), {
    userAgent: userAgentOf('kubelet'),
  });
  const pair = generateKeyPair(sys.rng);
  const request = createCertificateRequest({
    subject: { commonName: `system:node:${config.nodeName}`, organizations: ['system:nodes'] },
    privateKeyPem: pair.privateKeyPem,
  });
  try {
    const certificate = await signed(sys, client, request, log);
    const name = storeClient(sys, certificate, pair.privateKeyPem);
    log('I', 'bootstrap.go', `Wrote client certificate ${name}`);
    writeKubeconfig(sys, config);
  } finally {
    client.close();
  }
}

async function signed(sys: Syscalls, client: ReturnType<typeof createClient>, request: string, log: Klog): Promise<string> {
  let name: string | undefined;
  for (;;) {
    try {
      if (name === undefined) {
        const created = await client.create<Csr>(CERTIFICATE_SIGNING_REQUEST, {
          apiVersion: 'certificates.k8s.io/v1',
          kind: 'CertificateSigningRequest',
          metadata: { generateName: 'csr-' },
          spec: {
            request: toBase64(utf8(request)),
            signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
            usages: ['digital signature', 'key encipherment', 'client auth'],
          },
        } as unknown as Csr);
        name = created.metadata.name;
        log('I', 'csr.go:249', `certificate signing request ${name} is created, waiting for approval`);
      }
      const current = await client.get<Csr>(CERTIFICATE_SIGNING_REQUEST, name);
      if (current.status?.certificate !== undefined && current.status.certificate !== '') {
        log('I', 'csr.go:245', `certificate signing request ${name} is issued`);
        return text(fromBase64(current.status.certificate));
      }
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof SysError)) throw error;
      log('E', 'certificate_manager.go:437', `Failed while requesting a signed certificate from the master: ${error.message}`);
    }
    await sys.sleep(POLL_MS);
  }
}

function storeClient(sys: Syscalls, certificatePem: string, privateKeyPem: string): string {
  sys.mkdir(PKI, { recursive: true });
  const name = `${PKI}/kubelet-client-${new Date(sys.now()).toISOString().slice(0, 19).replace('T', '-').replace(/:/g, '-')}.pem`;
  sys.writeFile(name, `${certificatePem.trimEnd()}\n${privateKeyPem.trimEnd()}\n`, { mode: 0o600 });
  if (sys.exists(CLIENT_CURRENT)) sys.unlink(CLIENT_CURRENT);
  sys.symlink(name, CLIENT_CURRENT);
  return name;
}

function writeKubeconfig(sys: Syscalls, config: KubeletConfig): void {
  const given = parse(sys.readTextFile(config.bootstrapKubeconfig!)) as {
    readonly clusters: readonly { readonly name: string; readonly cluster: unknown }[];
  };
  const [cluster] = given.clusters;
  const contents = {
    apiVersion: 'v1',
    clusters: [{ cluster: cluster!.cluster, name: 'default-cluster' }],
    contexts: [{ context: { cluster: 'default-cluster', namespace: 'default', user: 'default-auth' }, name: 'default-context' }],
    'current-context': 'default-context',
    kind: 'Config',
    preferences: {},
    users: [{ name: 'default-auth', user: { 'client-certificate': CLIENT_CURRENT, 'client-key': CLIENT_CURRENT } }],
  };
  sys.writeFile(config.kubeconfig, stringify(contents), { mode: 0o600 });
}

/** A kubeconfig that carries its certificate in it: the kubelet keeps a copy that it can renew. */
export function adoptEmbeddedCertificate(sys: Syscalls, config: KubeletConfig): void {
  if (sys.exists(CLIENT_CURRENT)) return;
  const given = parse(sys.readTextFile(config.kubeconfig)) as {
    readonly users?: readonly { readonly user?: Readonly<Record<string, string>> }[];
  };
  const user = given.users?.[0]?.user;
  const certificate = user?.['client-certificate-data'];
  const key = user?.['client-key-data'];
  if (certificate !== undefined && key !== undefined) storeClient(sys, text(fromBase64(certificate)), text(fromBase64(key)));
}

/** The certificate of port 10250: signed by itself, made once. */
export function servingIdentity(sys: Syscalls, nodeName: string): Identity {
  const [certificate, key] = [`${PKI}/kubelet.crt`, `${PKI}/kubelet.key`] as const;
  if (!sys.exists(certificate) || !sys.exists(key)) {
    const pair = generateKeyPair(sys.rng);
    sys.mkdir(PKI, { recursive: true });
    const pem = createCertificate({
      subject: { commonName: `${nodeName}@${Math.floor(sys.now() / 1000)}`, organizations: [] },
      publicKeyPem: pair.publicKeyPem,
      issuer: { selfSignedBy: pair.privateKeyPem },
      serial: sys.rng.bytes(8),
      notBeforeMs: sys.now(),
      notAfterMs: sys.now() + YEAR_MS,
      dnsNames: [nodeName],
      usages: ['server'],
    });
    sys.writeFile(certificate, pem);
    sys.writeFile(key, pair.privateKeyPem, { mode: 0o600 });
  }
  return { certificatePem: sys.readTextFile(certificate), privateKeyPem: sys.readTextFile(key) };
}
