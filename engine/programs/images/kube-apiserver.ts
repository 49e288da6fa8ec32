// Models the kube-apiserver program: flags, certificates, listener.

import type { Process, Program } from '../../kernel/process.ts';
import { EtcdClient } from '../../etcd/client.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import { HttpClient } from '../../net/http-client.ts';
import { serveHttp } from '../../net/http-server.ts';
import { connectTls, TlsError } from '../../net/tls.ts';
import { parseCertificate } from '../../net/x509.ts';
import { utf8 } from '../../sim/bytes.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import type { Connection } from '../../sim/stream.ts';
import { assembleApiServer } from '../../kube/apiserver/assemble.ts';
import { FlagError, type Flags } from '../../kube/apiserver/flags.ts';
import { loadedPlugins, pluginNames } from '../../kube/apiserver/admission/chain.ts';
import { resolveHost } from '../../kube/runtime/resolver.ts';
import { logLine } from './klog.ts';
import { EtcdTimes, processMetrics } from './kube-apiserver-metrics.ts';
import { apiserverFlags, durationSeconds, integerFlag } from './kube-apiserver-flags.ts';

export const kubeApiserver: Program = {
  name: 'kube-apiserver',
  paths: [],
  async main(process) {
    try {
      return await run(process, apiserverFlags(process.argv.slice(1)));
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
  const etcdTimes = new EtcdTimes();
  let etcd: EtcdClient;
  let kubeletIdentity: { certificatePem: string; privateKeyPem: string } | undefined;
  let proxyIdentity: { certificatePem: string; privateKeyPem: string } | undefined;
  let tokenFile: { readonly path: string; readonly contents: string } | undefined;
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
      observe: (call, ms) => etcdTimes.observe(call, ms),
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
    const tokens = file('token-auth-file');
    if (tokens !== undefined) tokenFile = { path: flags.get('token-auth-file')!, contents: tokens };
    if (publicPem !== undefined) serviceAccountKeys = { publicPem, privatePem: file('service-account-signing-key-file') };
  } catch (error) {
    if (!isSysError(error, 'ENOENT', 'EACCES', 'ENOTDIR', 'EISDIR')) throw error;
    await process.stderr.write(utf8(`Error: open ${error.message.replace(/^(.*): (.*)$/, '$2: $1').toLowerCase()}\n`));
    return 1;
  }

  const verbosity = integerFlag(flags, 'v', 0);
  const modes = flags.has('authorization-mode') ? flags.list('authorization-mode') : ['AlwaysAllow'];
  let isAnonymousAllowed = flags.or('anonymous-auth', 'true') === 'true';
  if (!process.resumed) {
    if (flags.has('insecure-port'))
      await process.stderr.write(
        utf8('Flag --insecure-port has been deprecated, This flag has no effect now and will be removed in v1.24.\n'),
      );
    log('I', 'server.go:632', `external host was not specified, using ${advertise}`);
    log('I', 'server.go:182', 'Version: v1.20.2');
  }
  if (isAnonymousAllowed && modes.length === 1 && modes[0] === 'AlwaysAllow') {
    isAnonymousAllowed = false;
    log(
      'W',
      'authentication.go:519',
      'AnonymousAuth is not allowed with the AlwaysAllow authorizer. Resetting AnonymousAuth to false. You should use a different authorizer',
    );
  }
  if (!process.resumed && !(await reachesEtcd(etcd))) {
    await process.stderr.write(utf8('Error: context deadline exceeded\n'));
    etcd.close();
    return 1;
  }
  const stop = new AbortController();
  const server = assembleApiServer({
    clock: sys.clock,
    rng: sys.rng,
    etcd,
    subjectOf: (pem) => parseCertificate(pem).subject,
    authorizationModes: modes,
    admissionPlugins: { enabled: flags.list('enable-admission-plugins'), disabled: flags.list('disable-admission-plugins') },
    serviceAccount:
      serviceAccountKeys === undefined
        ? undefined
        : {
            ...serviceAccountKeys,
            issuer: flags.or('service-account-issuer', 'kubernetes/serviceaccount'),
            ...(flags.has('api-audiences') ? { audiences: flags.list('api-audiences') } : {}),
          },
    tokenFile,
    isAnonymousAllowed,
    maxReading: integerFlag(flags, 'max-requests-inflight', 400),
    maxWriting: integerFlag(flags, 'max-mutating-requests-inflight', 200),
    hasProfiling: flags.or('profiling', 'true') === 'true',
    hasLogs: flags.or('enable-logs-handler', 'true') === 'true',
    eventTtlSeconds: durationSeconds(flags, 'event-ttl', 3600),
    addMetrics: (metrics) => {
      processMetrics(process, metrics);
      etcdTimes.publish(metrics);
    },
    ...(verbosity >= 3 ? { access: (line: string) => log('I', 'httplog.go:89', line) } : {}),
    ...(verbosity >= 2 ? { logInfo: (line: string) => log('I', 'healthz.go:258', line) } : {}),
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
      const [resolved = address] = await resolveHost(sys, address, signal);
      const connection = await sys.net.connect({
        address: resolved,
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
    log: (message) => log('E', message.startsWith('Unable to authenticate') ? 'authentication.go:53' : 'watcher.go:214', message),
  });
  sys.onSignal('SIGTERM', () => stop.abort(new SysError('EINTR')));
  sys.onSignal('SIGINT', () => stop.abort(new SysError('EINTR')));

  if (!process.resumed) {
    // The server of the API itself and the aggregating one in front of it each say what they loaded.
    const loaded = loadedPlugins(pluginNames(flags.list('enable-admission-plugins'), flags.list('disable-admission-plugins')));
    for (const [mutating, validating] of [loaded, loaded]) {
      log('I', 'plugins.go:158', mutating!);
      log('I', 'plugins.go:161', validating!);
    }
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

/** How long a server that starts waits for its storage. */
const ETCD_DIAL_TIMEOUT_MS = 20_000;

async function reachesEtcd(etcd: EtcdClient): Promise<boolean> {
  try {
    await etcd.status({ timeoutMs: ETCD_DIAL_TIMEOUT_MS });
    return true;
  } catch (error) {
    if (error instanceof EtcdError) return false;
    throw error;
  }
}
