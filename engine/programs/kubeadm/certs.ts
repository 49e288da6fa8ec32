// Models kubeadm's certs phase: three authorities, and what they sign for a control plane.

import type { Process } from '../../kernel/process.ts';
import { createCertificate, generateKeyPair, type CertificateOptions, type KeyPair } from '../../net/x509.ts';
import { PKI, serviceAddress, type ClusterConfiguration } from './cluster-configuration.ts';

const YEAR_MS = 365 * 24 * 3600 * 1000;

export interface Authority extends KeyPair {
  readonly certificatePem: string;
}

export interface Authorities {
  readonly cluster: Authority;
  readonly frontProxy: Authority;
  readonly etcd: Authority;
}

interface LeafSpec {
  readonly file: string;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly usages: readonly ('server' | 'client')[];
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}

/** Writes what is missing under /etc/kubernetes/pki; certificates that are there stay. */
export async function writeCertificates(
  process: Process,
  config: ClusterConfiguration,
  say: (line: string) => Promise<void>,
): Promise<Authorities> {
  await say(`[certs] Using certificateDir folder "${PKI}"`);
  process.sys.mkdir(`${PKI}/etcd`, { recursive: true });
  const cluster = await authority(process, 'ca', 'kubernetes', say);
  const names = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${config.dnsDomain}`,
    config.nodeName,
  ].sort();
  const addresses = [serviceAddress(config, 1), config.advertiseAddress];
  await leaf(process, cluster, { file: 'apiserver', commonName: 'kube-apiserver', usages: ['server'], dnsNames: names, addresses }, say);
  await leaf(
    process,
    cluster,
    {
      file: 'apiserver-kubelet-client',
      commonName: 'kube-apiserver-kubelet-client',
      organizations: ['system:masters'],
      usages: ['client'],
    },
    say,
  );
  const frontProxy = await authority(process, 'front-proxy-ca', 'front-proxy-ca', say);
  await leaf(process, frontProxy, { file: 'front-proxy-client', commonName: 'front-proxy-client', usages: ['client'] }, say);
  const etcd = await authority(process, 'etcd/ca', 'etcd-ca', say);
  const peer = {
    dnsNames: ['localhost', config.nodeName],
    addresses: [config.advertiseAddress, '127.0.0.1'],
    usages: ['server', 'client'],
  } as const;
  await leaf(process, etcd, { file: 'etcd/server', commonName: config.nodeName, ...peer }, say);
  await leaf(process, etcd, { file: 'etcd/peer', commonName: config.nodeName, ...peer }, say);
  await leaf(
    process,
    etcd,
    { file: 'etcd/healthcheck-client', commonName: 'kube-etcd-healthcheck-client', organizations: ['system:masters'], usages: ['client'] },
    say,
  );
  await leaf(
    process,
    etcd,
    { file: 'apiserver-etcd-client', commonName: 'kube-apiserver-etcd-client', organizations: ['system:masters'], usages: ['client'] },
    say,
  );
  if (!process.sys.exists(`${PKI}/sa.key`)) {
    await say('[certs] Generating "sa" key and public key');
    const key = generateKeyPair(process.sys.rng);
    writeSecret(process, `${PKI}/sa.key`, key.privateKeyPem);
    writeSecret(process, `${PKI}/sa.pub`, key.publicKeyPem);
  }
  return { cluster, frontProxy, etcd };
}

/** A client certificate of the cluster's authority, as the kubeconfig phase embeds it. */
export function clientIdentity(
  process: Process,
  issuer: Authority,
  name: { readonly commonName: string; readonly organizations: readonly string[] },
): { certificatePem: string; privateKeyPem: string } {
  const key = generateKeyPair(process.sys.rng);
  return { certificatePem: sign(process, issuer, key, { file: '', usages: ['client'], ...name }), privateKeyPem: key.privateKeyPem };
}

async function authority(process: Process, file: string, commonName: string, say: (line: string) => Promise<void>): Promise<Authority> {
  const { sys } = process;
  const path = `${PKI}/${file}`;
  if (sys.exists(`${path}.crt`)) {
    await say(`[certs] Using existing ${file} certificate authority`);
    return { certificatePem: sys.readTextFile(`${path}.crt`), privateKeyPem: sys.readTextFile(`${path}.key`), publicKeyPem: '' };
  }
  await say(`[certs] Generating "${file}" certificate and key`);
  const key = generateKeyPair(sys.rng);
  const nowMs = sys.now();
  const certificatePem = createCertificate({
    subject: { commonName, organizations: [] },
    publicKeyPem: key.publicKeyPem,
    issuer: { selfSignedBy: key.privateKeyPem },
    serial: Uint8Array.from([0]),
    notBeforeMs: nowMs,
    notAfterMs: nowMs + 10 * YEAR_MS,
    isCa: true,
  });
  sys.writeFile(`${path}.crt`, certificatePem, { mode: 0o644 });
  writeSecret(process, `${path}.key`, key.privateKeyPem);
  return { ...key, certificatePem };
}

async function leaf(process: Process, issuer: Authority, spec: LeafSpec, say: (line: string) => Promise<void>): Promise<void> {
  const path = `${PKI}/${spec.file}`;
  if (process.sys.exists(`${path}.crt`)) {
    await say(`[certs] Using existing ${spec.file} certificate and key on disk`);
    return;
  }
  await say(`[certs] Generating "${spec.file}" certificate and key`);
  if (spec.dnsNames !== undefined && spec.addresses !== undefined) {
    const what = spec.file.startsWith('etcd/') ? spec.file : 'apiserver';
    const list = what === 'apiserver' ? spec.dnsNames : [...spec.dnsNames].sort();
    const hosts = `DNS names [${list.join(' ')}] and IPs [${(what === 'apiserver' ? spec.addresses : [...spec.addresses, '::1']).join(' ')}]`;
    await say(`[certs] ${what} serving cert is signed for ${hosts}`);
  }
  const key = generateKeyPair(process.sys.rng);
  process.sys.writeFile(`${path}.crt`, sign(process, issuer, key, spec), { mode: 0o644 });
  writeSecret(process, `${path}.key`, key.privateKeyPem);
}

function sign(process: Process, issuer: Authority, key: KeyPair, spec: LeafSpec): string {
  const { sys } = process;
  const nowMs = sys.now();
  const serial = sys.rng.bytes(8);
  serial[0] = serial[0]! & 0x7f;
  const options: CertificateOptions = {
    subject: { commonName: spec.commonName, organizations: spec.organizations ?? [] },
    publicKeyPem: key.publicKeyPem,
    issuer: { certificatePem: issuer.certificatePem, privateKeyPem: issuer.privateKeyPem },
    serial,
    notBeforeMs: nowMs,
    notAfterMs: nowMs + YEAR_MS,
    usages: spec.usages,
    ...(spec.dnsNames === undefined ? {} : { dnsNames: spec.dnsNames }),
    ...(spec.addresses === undefined ? {} : { addresses: spec.addresses }),
  };
  return createCertificate(options);
}

function writeSecret(process: Process, path: string, contents: string): void {
  process.sys.writeFile(path, contents, { mode: path.endsWith('.pub') ? 0o644 : 0o600 });
}
