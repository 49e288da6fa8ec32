// Models metrics-server v0.3.6: it asks the kubelets once a minute and serves metrics.k8s.io to the API server's aggregator.
// Not modelled: --source and the other flags of long ago; metrics of its own.

import { utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Process, Program } from '../../../kernel/process.ts';
import { serveHttp } from '../../../net/http-server.ts';
import { createCertificate, generateKeyPair } from '../../../net/x509.ts';
import { createClient } from '../../../kube/client/connect.ts';
import { KubeconfigError, loadClientConfig } from '../../../kube/client/kubeconfig.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import { CONFIG_MAP } from '../../../kube/machinery/resources.ts';
import type { ConfigMap } from '../../../kube/machinery/types.ts';
import { durationMs, FlagError, numberFlag, parseFlags } from '../../daemons/component.ts';
import { logLine } from '../klog.ts';
import { metricsApi } from './api.ts';
import { Scraper } from './scraper.ts';

export const metricsServer: Program = {
  name: 'metrics-server',
  paths: [],
  memory: { residentBytes: 18_000_000, virtualBytes: 140_000_000 },
  main,
};

const VALUES = [
  'kubelet-preferred-address-types',
  'cert-dir',
  'secure-port',
  'metric-resolution',
  'kubelet-port',
  'v',
  'kubeconfig',
  'tls-cert-file',
  'tls-private-key-file',
];
const BOOLEANS = ['kubelet-insecure-tls', 'logtostderr', 'deprecated-kubelet-completely-insecure'];
const DEFAULT_TYPES = 'Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP';
const DEFAULT_RESOLUTION_MS = 60_000;

async function main(process: Process): Promise<number> {
  const { sys } = process;
  const fail = async (message: string): Promise<number> => {
    await process.stderr.write(utf8(`${message}\n`));
    return 1;
  };
  let flags;
  let config;
  let resolutionMs;
  try {
    flags = parseFlags(process.argv, { values: VALUES, booleans: BOOLEANS });
    resolutionMs = durationMs(flags, 'metric-resolution', DEFAULT_RESOLUTION_MS);
    const kubeconfig = flags.get('kubeconfig');
    config = loadClientConfig(process, kubeconfig === undefined ? {} : { kubeconfig });
  } catch (error) {
    if (error instanceof FlagError) return fail(`Error: ${error.message}`);
    if (error instanceof KubeconfigError) return fail(`panic: unable to construct main lister client config: ${error.message}`);
    if (isSysError(error, 'ENOENT', 'EACCES')) return fail(`panic: ${error.message}`);
    throw error;
  }
  const client = createClient(process, config, { userAgent: 'metrics-server/v0.0.0 (linux/amd64) kubernetes/$Format' });
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) sys.onSignal(signal, () => stop.abort(new Error('caught a signal')));
  const scraper = new Scraper({
    process,
    client,
    token: config.token ?? (() => ''),
    ca: config.ca ?? '',
    isInsecure: flags.get('kubelet-insecure-tls') === 'true',
    addressTypes: (flags.get('kubelet-preferred-address-types') ?? DEFAULT_TYPES).split(','),
    port: flags.has('kubelet-port') ? numberFlag(flags, 'kubelet-port', 0) : undefined,
  });
  const directory = flags.get('cert-dir') ?? 'apiserver.local.config/certificates';
  if (!process.resumed)
    logLine(process, 'I', 'serving.go:312', `Generated self-signed cert (${directory}/apiserver.crt, ${directory}/apiserver.key)`);
  const port = numberFlag(flags, 'secure-port', 443);
  let listener;
  try {
    listener = sys.net.listen({ address: '0.0.0.0', port, pid: process.pid });
  } catch (error) {
    if (!isSysError(error, 'EADDRINUSE', 'EACCES')) throw error;
    return fail(
      `panic: failed to create listener: failed to listen on 0.0.0.0:${port}: listen tcp 0.0.0.0:${port}: bind: ${error.strerror.toLowerCase()}`,
    );
  }
  let proxyCa: string | undefined;
  const readProxyCa = async (): Promise<void> => {
    const published = await client.get<ConfigMap>(CONFIG_MAP, 'extension-apiserver-authentication', 'kube-system');
    proxyCa = published.data?.['requestheader-client-ca-file'];
  };
  const collect = async (): Promise<void> => {
    for (;;) {
      try {
        await readProxyCa();
        const problems = await scraper.scrape(stop.signal);
        if (problems.length > 0)
          logLine(
            process,
            'E',
            'manager.go:111',
            `unable to fully collect metrics: ${problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`}`,
          );
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiError) && !isSysError(error)) throw error;
        logLine(process, 'E', 'reflector.go:126', `Failed to list *v1.Node: ${error.message}`);
      }
      await sys.clock.sleep(resolutionMs, stop.signal);
    }
  };
  if (!process.resumed) logLine(process, 'I', 'secure_serving.go:116', `Serving securely on [::]:${port}`);
  const serving = serveHttp(listener, metricsApi({ scraper, client, nowMs: () => sys.now(), proxyCa: () => proxyCa }), {
    clock: sys.clock,
    rng: sys.rng,
    signal: stop.signal,
    // Any certificate is asked for; whose it is the API looks at, by the authority that the API server has published.
    tls: { certificate: selfSigned(process), clientCa: '', verifiesClient: false },
  });
  const collecting = collect().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  try {
    await Promise.race([Promise.all([serving, collecting]), aborted(stop.signal)]);
  } finally {
    stop.abort(new Error('over'));
    listener.close();
    client.close();
  }
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function selfSigned({ sys }: Process): { readonly certificatePem: string; readonly privateKeyPem: string } {
  const keys = generateKeyPair(sys.rng);
  const nowMs = sys.now();
  const certificatePem = createCertificate({
    subject: { commonName: `localhost@${Math.floor(nowMs / 1000)}`, organizations: [] },
    publicKeyPem: keys.publicKeyPem,
    issuer: { selfSignedBy: keys.privateKeyPem },
    serial: Uint8Array.from([2]),
    notBeforeMs: nowMs - 3_600_000,
    notAfterMs: nowMs + 365 * 86_400_000,
    dnsNames: ['localhost'],
    addresses: ['127.0.0.1'],
    usages: ['server'],
  });
  return { certificatePem, privateKeyPem: keys.privateKeyPem };
}
