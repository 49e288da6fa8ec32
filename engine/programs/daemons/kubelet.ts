// The kubelet program: flags, certificates, runtime, informers, server.

import { utf8 } from '../../sim/bytes.ts';
import { serveHttp } from '../../net/http-server.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { createClient, userAgentOf } from '../../kube/client/connect.ts';
import { CorrelatingRecorder } from '../../kube/client/event-recorder.ts';
import { SharedInformers } from '../../kube/client/informer.ts';
import { KubeconfigError, loadClientConfig } from '../../kube/client/kubeconfig.ts';
import { adoptEmbeddedCertificate, bootstrap, servingIdentity } from '../../kube/kubelet/bootstrap.ts';
import { KubeletConfigError, loadConfig, type KubeletConfig } from '../../kube/kubelet/config.ts';
import { RuntimeError } from '../../kube/kubelet/container-runtime.ts';
import { klog, type Klog } from '../../kube/kubelet/klog.ts';
import { Kubelet } from '../../kube/kubelet/kubelet.ts';
import { KUBELET_VERSION } from '../../kube/kubelet/node-status.ts';
import { Access } from '../../kube/kubelet/server/access.ts';
import { kubeletServer } from '../../kube/kubelet/server/server.ts';
import { Dockershim } from '../../kube/runtime/dockershim.ts';
import { serveCri } from '../../kube/runtime/cri-socket.ts';

export const kubelet: Program = { name: 'kubelet', paths: ['/usr/bin/kubelet'], main };

/** klog's Fatal. */
const FATAL_STATUS = 255;

async function main(process: Process): Promise<number> {
  const { sys } = process;
  const log = klog(process);
  if (process.argv.includes('--version')) {
    await process.stdout.write(utf8(`Kubernetes ${KUBELET_VERSION}\n`));
    return 0;
  }
  let config: KubeletConfig;
  try {
    config = loadConfig(process);
  } catch (error) {
    if (!(error instanceof KubeletConfigError)) throw error;
    return fatal(process, log, 'server.go:198', error.message);
  }
  const stopping = new AbortController();
  sys.onSignal('SIGTERM', () => stopping.abort(new Error('terminated')));
  sys.onSignal('SIGINT', () => stopping.abort(new Error('interrupted')));
  if (!process.resumed) log('I', 'server.go:416', `Version: ${KUBELET_VERSION}`);
  if (!sys.exists(config.kubeconfig)) {
    if (config.bootstrapKubeconfig === undefined || !sys.exists(config.bootstrapKubeconfig)) {
      const missing = config.bootstrapKubeconfig ?? config.kubeconfig;
      return fatal(
        process,
        log,
        'server.go:269',
        `failed to run Kubelet: unable to load bootstrap kubeconfig: stat ${missing}: no such file or directory`,
      );
    }
    await bootstrap(process, config, log);
  }
  const clientConfig = loadKubeconfig(process, config);
  if (typeof clientConfig === 'string') return fatal(process, log, 'server.go:269', `failed to run Kubelet: ${clientConfig}`);
  adoptEmbeddedCertificate(sys, config);
  const runtime = new Dockershim(process, { pauseImage: config.pauseImage });
  if (!process.resumed) {
    try {
      await runtime.version();
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      return fatal(process, log, 'server.go:269', `failed to run Kubelet: failed to get docker version: ${error.message}`);
    }
  }
  await serve(process, config, clientConfig, runtime, log, stopping.signal);
  return 0;
}

function loadKubeconfig(process: Process, config: KubeletConfig): ReturnType<typeof loadClientConfig> | string {
  try {
    return loadClientConfig(process, { kubeconfig: config.kubeconfig });
  } catch (error) {
    if (error instanceof KubeconfigError) return error.message;
    throw error;
  }
}

async function fatal(process: Process, log: Klog, source: string, message: string): Promise<number> {
  log('F', source, message);
  await process.sys.sleep(0);
  return FATAL_STATUS;
}

async function serve(
  process: Process,
  config: KubeletConfig,
  clientConfig: ReturnType<typeof loadClientConfig>,
  runtime: Dockershim,
  log: Klog,
  signal: AbortSignal,
): Promise<void> {
  const { sys } = process;
  const client = createClient(process, clientConfig, { userAgent: userAgentOf('kubelet'), maxIdle: 8 });
  const recorder = new CorrelatingRecorder({
    client,
    clock: sys.clock,
    rng: sys.rng.fork('events'),
    component: 'kubelet',
    host: config.nodeName,
  });
  const informers = new SharedInformers({
    client,
    clock: sys.clock,
    rng: sys.rng.fork('informers'),
    onError: (resource, error) =>
      log(
        'E',
        'reflector.go:138',
        `k8s.io/client-go/informers/factory.go:134: Failed to watch *v1.${resource.kind}: failed to list *v1.${resource.kind}: ${error.message}`,
      ),
  });
  const kubelet = new Kubelet({ process, config, client, informers, recorder, runtime, log, signal });
  const identity = servingIdentity(sys, config.nodeName);
  const ca = (): string | undefined =>
    config.clientCaFile !== undefined && sys.exists(config.clientCaFile) ? sys.readTextFile(config.clientCaFile) : undefined;
  const access = new Access({
    clock: sys.clock,
    client,
    nowMs: () => sys.now(),
    clientCa: ca,
    isAnonymous: config.isAnonymous,
    reviewsTokens: config.reviewsTokens,
    authorizationMode: config.authorizationMode,
    nodeName: config.nodeName,
    log: (line) => log('E', 'server.go:249', line),
  });
  const handler = kubeletServer({
    process,
    kubelet,
    runtime,
    access,
    config,
    startMs: sys.kernel.process(process.pid)?.startMs ?? sys.now(),
  });
  const listener = sys.net.listen({ address: config.address, port: config.port, pid: process.pid });
  const healthz = sys.net.listen({ address: config.healthzAddress, port: config.healthzPort, pid: process.pid });
  const clientCa = ca();
  const servers = [
    serveHttp(listener, handler, {
      clock: sys.clock,
      rng: sys.rng,
      signal,
      tls: { certificate: identity, verifiesClient: false, ...(clientCa === undefined ? {} : { clientCa }) },
    }),
    serveHttp(
      healthz,
      async (request, respond) =>
        respond.send(
          { status: request.target.startsWith('/healthz') ? 200 : 404, headers: { 'content-type': 'text/plain; charset=utf-8' } },
          request.target.startsWith('/healthz') ? 'ok' : '404 page not found\n',
        ),
      {
        clock: sys.clock,
        signal,
      },
    ),
    serveCri(process, runtime, signal),
  ];
  informers.start(signal);
  await Promise.race([kubelet.run(), ...servers]);
  client.close();
}
