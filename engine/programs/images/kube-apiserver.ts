// Models the kube-apiserver program: flags, certificates, listener.

import type { Process, Program } from '../../kernel/process.ts';
import { EtcdClient } from '../../etcd/client.ts';
import { HttpClient } from '../../net/http-client.ts';
import { serveHttp } from '../../net/http-server.ts';
import { connectTls, TlsError } from '../../net/tls.ts';
import { parseCertificate } from '../../net/x509.ts';
import { utf8 } from '../../sim/bytes.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import type { Connection } from '../../sim/stream.ts';
import { assembleApiServer } from '../../kube/apiserver/assemble.ts';
import { FlagError, Flags } from '../../kube/apiserver/flags.ts';
import { logLine } from './klog.ts';

const KNOWN = {
  'advertise-address': 'value',
  'allow-privileged': 'boolean',
  'anonymous-auth': 'boolean',
  'authorization-mode': 'value',
  'bind-address': 'value',
  'client-ca-file': 'value',
  'disable-admission-plugins': 'value',
  'enable-admission-plugins': 'value',
  'enable-bootstrap-token-auth': 'boolean',
  'etcd-cafile': 'value',
  'etcd-certfile': 'value',
  'etcd-keyfile': 'value',
  'etcd-servers': 'value',
  'event-ttl': 'value',
  'insecure-port': 'value',
  'kubelet-client-certificate': 'value',
  'kubelet-client-key': 'value',
  'kubelet-preferred-address-types': 'value',
  'proxy-client-cert-file': 'value',
  'proxy-client-key-file': 'value',
  'requestheader-allowed-names': 'value',
  'requestheader-client-ca-file': 'value',
  'requestheader-extra-headers-prefix': 'value',
  'requestheader-group-headers': 'value',
  'requestheader-username-headers': 'value',
  'secure-port': 'value',
  'service-account-issuer': 'value',
  'service-account-key-file': 'value',
  'service-account-signing-key-file': 'value',
  'service-cluster-ip-range': 'value',
  'service-node-port-range': 'value',
  'tls-cert-file': 'value',
  'tls-private-key-file': 'value',
  v: 'value',
} as const;

export const kubeApiserver: Program = {
  name: 'kube-apiserver',
  paths: [],
  async main(process) {
    try {
      return await run(process, new Flags(process.argv.slice(1), KNOWN));
    } catch (error) {
      if (!(error instanceof FlagError)) throw error;
      await process.stderr.write(utf8(`Error: ${error.message}\n`));
      return 1;
    }
  },
};

async function run(process: Process, flags: Flags): Promise<number> {
  const { sys } = process;
  const log = (level: 'I' | 'W' | 'E' | 'F', where: string, message: string): void => logLine(process, level, where, message);
  const file = (flag: string): string | undefined => {
    const path = flags.get(flag);
    return path === undefined ? undefined : sys.readTextFile(path);
  };
  const port = Number(flags.or('secure-port', '6443'));
  const advertise = flags.or('advertise-address', '127.0.0.1');
  let certificate: { certificatePem: string; privateKeyPem: string };
  let clientCa: string | undefined;
  let etcd: EtcdClient;
  let kubeletIdentity: { certificatePem: string; privateKeyPem: string } | undefined;
  let proxyIdentity: { certificatePem: string; privateKeyPem: string } | undefined;
  let serviceAccountKeys: { readonly publicPem: string; readonly privatePem: string | undefined } | undefined;
  try {
    certificate = { certificatePem: file('tls-cert-file') ?? '', privateKeyPem: file('tls-private-key-file') ?? '' };
    clientCa = file('client-ca-file');
    const etcdCa = file('etcd-cafile');
    const etcdCertificate = file('etcd-certfile');
    const etcdKey = file('etcd-keyfile');
    const server = /^(https?):\/\/([^:/]+):(\d+)/.exec(flags.list('etcd-servers')[0] ?? '');
    if (server === null) {
      await process.stderr.write(utf8('Error: --etcd-servers must be specified\n'));
      return 1;
    }
    const [, scheme, host = '', etcdPort = '2379'] = server;
    const target = `${scheme}://${host}:${etcdPort}`;
    const dial = async (): Promise<Connection> => {
      const connection = await sys.net.connect({ address: host, port: Number(etcdPort), pid: process.pid });
      if (scheme === 'http') return connection;
      return connectTls(connection, {
        serverName: host,
        nowMs: sys.now(),
        rng: sys.rng,
        ...(etcdCa === undefined ? {} : { ca: etcdCa }),
        ...(etcdCertificate === undefined || etcdKey === undefined
          ? {}
          : { certificate: { certificatePem: etcdCertificate, privateKeyPem: etcdKey } }),
      });
    };
    etcd = new EtcdClient({
      clock: sys.clock,
      dial: async () => {
        try {
          return await dial();
        } catch (error) {
          if (isSysError(error) || error instanceof TlsError) {
            const why = isSysError(error)
              ? `transport: Error while dialing dial tcp ${host}:${etcdPort}: connect: ${error.strerror.toLowerCase()}`
              : `transport: authentication handshake failed: ${error.message}`;
            log(
              'W',
              'clientconn.go:1223',
              `grpc: addrConn.createTransport failed to connect to {${target}  <nil> 0 <nil>}. Err :connection error: desc = "${why}". Reconnecting...`,
            );
          }
          throw error;
        }
      },
    });
    const kubeletCertificate = file('kubelet-client-certificate');
    const kubeletKey = file('kubelet-client-key');
    if (kubeletCertificate !== undefined && kubeletKey !== undefined)
      kubeletIdentity = { certificatePem: kubeletCertificate, privateKeyPem: kubeletKey };
    const proxyCertificate = file('proxy-client-cert-file');
    const proxyKey = file('proxy-client-key-file');
    if (proxyCertificate !== undefined && proxyKey !== undefined)
      proxyIdentity = { certificatePem: proxyCertificate, privateKeyPem: proxyKey };
    const publicPem = file('service-account-key-file');
    if (publicPem !== undefined) serviceAccountKeys = { publicPem, privatePem: file('service-account-signing-key-file') };
  } catch (error) {
    if (!isSysError(error, 'ENOENT', 'EACCES', 'ENOTDIR', 'EISDIR')) throw error;
    await process.stderr.write(utf8(`Error: open ${error.message.replace(/^(.*): (.*)$/, '$2: $1').toLowerCase()}\n`));
    return 1;
  }

  const stop = new AbortController();
  const server = assembleApiServer({
    clock: sys.clock,
    rng: sys.rng,
    etcd,
    subjectOf: (pem) => parseCertificate(pem).subject,
    authorizationModes: flags.has('authorization-mode') ? flags.list('authorization-mode') : ['AlwaysAllow'],
    admissionPlugins: { enabled: flags.list('enable-admission-plugins'), disabled: flags.list('disable-admission-plugins') },
    serviceAccount:
      serviceAccountKeys === undefined
        ? undefined
        : { ...serviceAccountKeys, issuer: flags.or('service-account-issuer', 'kubernetes/serviceaccount') },
    bootstrapTokens: flags.isTrue('enable-bootstrap-token-auth'),
    serviceClusterIpRange: flags.or('service-cluster-ip-range', '10.0.0.0/24'),
    serviceNodePortRange: flags.or('service-node-port-range', '30000-32767'),
    advertised: { address: advertise, port },
    clientCa,
    requestHeader: {
      clientCa: file('requestheader-client-ca-file'),
      allowedNames: flags.list('requestheader-allowed-names'),
      extraHeaderPrefixes: flags.list('requestheader-extra-headers-prefix'),
      groupHeaders: flags.list('requestheader-group-headers'),
      usernameHeaders: flags.list('requestheader-username-headers'),
    },
    connectBackend: async ({ address, port: backendPort, isTls, tls, signal }) => {
      const connection = await sys.net.connect({
        address,
        port: backendPort,
        pid: process.pid,
        ...(signal === undefined ? {} : { signal }),
      });
      if (!isTls) return connection;
      if (tls !== undefined) {
        const { serverName, ca, insecure, identity } = tls;
        return connectTls(connection, {
          serverName,
          nowMs: sys.now(),
          rng: sys.rng,
          ...(ca === undefined ? {} : { ca }),
          ...(insecure === undefined ? {} : { insecure }),
          ...(identity === undefined || proxyIdentity === undefined ? {} : { certificate: proxyIdentity }),
        });
      }
      // The kubelet's serving certificate is its own; kubeadm's server does not check it.
      return connectTls(connection, {
        serverName: address,
        insecure: true,
        nowMs: sys.now(),
        rng: sys.rng,
        ...(kubeletIdentity === undefined ? {} : { certificate: kubeletIdentity }),
      });
    },
    newHttpClient: (connect, host) => new HttpClient({ connect, host, maxIdle: 0 }),
    log: (message) => log('E', 'watcher.go:214', message),
  });
  sys.onSignal('SIGTERM', () => stop.abort(new SysError('EINTR')));
  sys.onSignal('SIGINT', () => stop.abort(new SysError('EINTR')));

  if (!process.resumed) {
    log('I', 'server.go:163', 'Version: v1.20.2');
    log(
      'I',
      'plugins.go:158',
      'Loaded 12 mutating admission controller(s) successfully in the following order: NamespaceLifecycle,LimitRanger,ServiceAccount,NodeRestriction,TaintNodesByCondition,Priority,DefaultTolerationSeconds,DefaultStorageClass,StorageObjectInUseProtection,RuntimeClass,DefaultIngressClass,MutatingAdmissionWebhook.',
    );
  }
  let listener;
  try {
    listener = sys.net.listen({ address: flags.or('bind-address', '0.0.0.0'), port, pid: process.pid });
  } catch (error) {
    if (!isSysError(error, 'EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL')) throw error;
    const { strerror } = error;
    await process.stderr.write(
      utf8(
        `Error: failed to create listener: failed to listen on 0.0.0.0:${port}: listen tcp 0.0.0.0:${port}: bind: ${strerror.toLowerCase()}\n`,
      ),
    );
    return 1;
  }
  const serving = serveHttp(listener, (request, respond) => server.handle(request, respond), {
    clock: sys.clock,
    rng: sys.rng,
    signal: stop.signal,
    tls: { certificate, ...(clientCa === undefined ? {} : { clientCa, verifiesClient: false }) },
  });
  if (!process.resumed) log('I', 'secure_serving.go:197', `Serving securely on [::]:${port}`);
  try {
    await Promise.race([Promise.all([serving, server.start(stop.signal)]), sys.block<never>(() => undefined), aborted(stop.signal)]);
  } finally {
    stop.abort(new SysError('EINTR'));
    etcd.close();
    listener.close();
  }
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
