// Models the kube-proxy program: its configuration file, its sysctls, and its health and metrics ports.

import { parse, YAMLParseError } from 'yaml';
import { isSysError } from '../../sim/errno.ts';
import { utf8 } from '../../sim/bytes.ts';
import { createClient, userAgentOf } from '../../kube/client/connect.ts';
import { CorrelatingRecorder } from '../../kube/client/event-recorder.ts';
import { SharedInformers } from '../../kube/client/informer.ts';
import { loadClientConfig } from '../../kube/client/kubeconfig.ts';
import { Proxier } from '../../kube/proxy/proxy.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { flagsOrExit, klog, parseFlags, servePort, untilEnd, type Flags } from './component.ts';

interface Configuration {
  readonly clientConnection?: { readonly kubeconfig?: string };
  readonly clusterCIDR?: string;
  readonly healthzBindAddress?: string;
  readonly metricsBindAddress?: string;
  readonly mode?: string;
  readonly iptables?: { readonly masqueradeAll?: boolean; readonly masqueradeBit?: number | null };
}

const VALUES = ['config', 'hostname-override', 'kubeconfig', 'cluster-cidr', 'proxy-mode', 'v'];

export const kubeProxy: Program = {
  name: 'kube-proxy',
  paths: [],
  main: async (process) => {
    const flags = await flagsOrExit(process, () => parseFlags(process.argv, { values: VALUES, booleans: ['masquerade-all', 'cleanup'] }));
    return flags === undefined ? 1 : untilEnd(process, (signal) => run(process, flags, signal));
  },
};

async function run(process: Process, flags: Flags, signal: AbortSignal): Promise<number> {
  const { sys } = process;
  const log = klog(process, 'server_others.go:258');
  const nodeName = (flags.get('hostname-override') ?? sys.hostname()).trim().toLowerCase();
  let config: Configuration = {};
  try {
    const path = flags.get('config');
    if (path !== undefined) config = (parse(sys.readTextFile(path)) ?? {}) as Configuration;
  } catch (error) {
    if (!isSysError(error) && !(error instanceof YAMLParseError)) throw error;
    klog(process, 'server.go:490')('E', `failed complete: ${error.message}`);
    return 1;
  }
  const client = createClient(
    process,
    loadClientConfig(process, { kubeconfig: config.clientConnection?.kubeconfig ?? flags.get('kubeconfig') ?? '' }),
    {
      userAgent: userAgentOf('kube-proxy'),
    },
  );
  if (!process.resumed) {
    if ((config.mode ?? '') === '') log('W', 'Unknown proxy mode "", assuming iptables proxy');
    log('I', 'Using iptables Proxier.');
    klog(process, 'server.go:650')('I', 'Version: v1.20.2');
  }
  setSysctls(process);
  const recorder = new CorrelatingRecorder({ client, clock: sys.clock, rng: sys.rng, component: 'kube-proxy', host: nodeName });
  const informers = new SharedInformers({
    client,
    clock: sys.clock,
    rng: sys.rng,
    onError: (resource, error) =>
      klog(process, 'reflector.go:138')(
        'E',
        `k8s.io/client-go/informers/factory.go:134: Failed to watch *v1.${resource.kind}: ${error.message}`,
      ),
  });
  informers.start(signal);
  let syncedMs = sys.now();
  const proxier = new Proxier({
    informers,
    net: sys.net,
    clock: sys.clock,
    signal,
    pid: process.pid,
    nodeName,
    clusterCidr:
      (config.clusterCIDR ?? flags.get('cluster-cidr') ?? '') === '' ? undefined : (config.clusterCIDR ?? flags.get('cluster-cidr')),
    masqueradeAll: config.iptables?.masqueradeAll === true,
    masqueradeBit: config.iptables?.masqueradeBit ?? 14,
    onSynced: () => (syncedMs = sys.now()),
    log: klog(process, 'proxier.go:1610'),
  });
  if (!process.resumed) {
    const about = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, uid: nodeName, resourceVersion: '', creationTimestamp: '' },
    };
    recorder.event(about, 'Normal', 'Starting', 'Starting kube-proxy.');
  }
  const health = servePort(process, {
    address: '0.0.0.0',
    port: 10256,
    signal,
    handler: async (request, respond) => {
      const isHealth = request.target.split('?')[0] === '/healthz';
      const body = `{"lastUpdated": "${goTime(syncedMs)}","currentTime": "${goTime(sys.now())}"}`;
      if (isHealth) await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, body);
      else await respond.send({ status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } }, '404 page not found\n');
    },
  });
  const metrics = servePort(process, {
    address: '127.0.0.1',
    port: 10249,
    signal,
    handler: async (request, respond) => {
      const answers: Readonly<Record<string, string>> = {
        '/healthz': 'ok',
        '/proxyMode': 'iptables',
        '/metrics': `# TYPE kubeproxy_sync_proxy_rules_last_timestamp_seconds gauge\nkubeproxy_sync_proxy_rules_last_timestamp_seconds ${syncedMs / 1000}\n`,
      };
      const answer = answers[request.target.split('?')[0] ?? ''];
      if (answer === undefined) await respond.send({ status: 404 }, utf8('404 page not found\n'));
      else await respond.send({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } }, answer);
    },
  });
  await Promise.race([proxier.run(), health, metrics]);
  return 1;
}

/** Time as Go prints it with String(). */
function goTime(ms: number): string {
  return `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '000000')} +0000 UTC`;
}

function setSysctls(process: Process): void {
  const { kernel } = process.sys;
  const log = klog(process, 'conntrack.go:52');
  const most = Math.max(131_072, kernel.cpus * 32_768);
  const wanted: readonly (readonly [string, string])[] = [
    ['net.ipv4.conf.all.route_localnet', '1'],
    ['net.netfilter.nf_conntrack_max', String(most)],
    ['net.netfilter.nf_conntrack_tcp_timeout_established', '86400'],
    ['net.netfilter.nf_conntrack_tcp_timeout_close_wait', '3600'],
  ];
  for (const [key, value] of wanted) {
    try {
      if (kernel.sysctl.get(key) === value) continue;
      kernel.sysctl.set(key, value);
      if (!process.resumed) log('I', `Setting ${key.replace(/^net\.netfilter\./, '')} to ${value}`);
    } catch (error) {
      if (!isSysError(error)) throw error;
      log('E', `Failed to set ${key.replaceAll('.', '/')} to ${value}: ${error.strerror.toLowerCase()}`);
    }
  }
  if (!isBridgeFiltered(process)) {
    klog(process, 'proxier.go:281')('I', 'missing br-netfilter module or unset sysctl br-nf-call-iptables; proxy may not work as intended');
  }
}

function isBridgeFiltered(process: Process): boolean {
  try {
    return process.sys.kernel.sysctl.get('net.bridge.bridge-nf-call-iptables') === '1';
  } catch (error) {
    if (isSysError(error, 'ENOENT')) return false;
    throw error;
  }
}
