// Models the calico-node container v3.17: startup, felix and BIRD in one process, and the probes that ask for them.

import { createClient, userAgentOf } from '../../kube/client/connect.ts';
import { SharedInformers } from '../../kube/client/informer.ts';
import { loadClientConfig } from '../../kube/client/kubeconfig.ts';
import { ApiError } from '../../kube/machinery/api-error.ts';
import { CONFIG_MAP, NODE } from '../../kube/machinery/resources.ts';
import type { ConfigMap, Node } from '../../kube/machinery/types.ts';
import { Bird } from '../../kube/cni/bird.ts';
import { Felix } from '../../kube/cni/felix.ts';
import { CALICO_DIRECTORY, HostIpam, NODE_NAME_FILE } from '../../kube/cni/ipam.ts';
import type { KubeClient } from '../../kube/client/contracts.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { HttpClient } from '../../net/http-client.ts';
import { isSysError } from '../../sim/errno.ts';
import { text, utf8 } from '../../sim/bytes.ts';
import { parse } from 'yaml';
import { readAll } from '../../kube/client/rest-client.ts';
import { servePort, untilEnd } from './component.ts';

const HEALTH_PORT = 9099;
const RETRY_MS = 1_000;
/** 1500 less the 20 bytes of the outer header. */
const TUNNEL_MTU = 1480;
const DEFAULT_POOL = '192.168.0.0/16';
const ADDRESS_ANNOTATION = 'projectcalico.org/IPv4Address';
const TUNNEL_ANNOTATION = 'projectcalico.org/IPv4IPIPTunnelAddr';

export const calicoNode: Program = {
  name: 'calico-node',
  paths: [],
  main: async (process) => {
    const probes = process.argv.slice(1).filter((argument) => /^-(felix|bird)-(live|ready)$/.test(argument));
    if (probes.length > 0) return probe(process, probes);
    const unknown = process.argv.slice(1).find((argument) => argument !== '-felix' && argument !== '-startup');
    if (unknown !== undefined) {
      await process.stderr.write(utf8(`flag provided but not defined: ${unknown}\nUsage of Calico:\n`));
      return 2;
    }
    return untilEnd(process, (signal, onTerminate) => run(process, signal, onTerminate));
  },
};

type Log = (severity: 'INFO' | 'WARNING' | 'ERROR', line: string) => void;

function logOf(process: Process): Log {
  return (severity, line) => {
    const now = new Date(process.sys.now()).toISOString().replace('T', ' ').replace('Z', '');
    process.stdout.write(utf8(`${now} [${severity}][${process.pid}] ${line}\n`)).catch((): void => {});
  };
}

async function run(process: Process, signal: AbortSignal, onTerminate: (farewell: () => Promise<void>) => void): Promise<number> {
  const { sys, env } = process;
  const log = logOf(process);
  const nodeName = env.get('NODENAME') ?? sys.hostname();
  const client = createClient(process, loadClientConfig(process), { userAgent: userAgentOf('calico-node') });
  sys.mkdir(CALICO_DIRECTORY, { recursive: true });
  const ipam = new HostIpam(sys, nodeName);
  const poolCidr = ipam.pool ?? (await untilAnswered(process, signal, () => detectPool(process, client)));
  ipam.ensurePool(poolCidr);
  const tunnelAddress = ipam.assign(`ipip-tunnel-addr-${nodeName}`);
  if (tunnelAddress === undefined) {
    log('ERROR', 'startup/startup.go 1035: Unable to assign a tunnel address');
    return 1;
  }
  const address = ownAddress(process, env.get('IP_AUTODETECTION_METHOD') ?? 'first-found');
  if (address === undefined) {
    log('WARNING', 'startup/startup.go 707: Unable to auto-detect an IPv4 address: no valid IPv4 addresses found on the host interfaces');
    log(
      'WARNING',
      "startup/startup.go 729: Couldn't autodetect an IPv4 address. If auto-detecting, choose a different autodetection method. Otherwise provide an explicit address.",
    );
    return 1;
  }
  if (!process.resumed) {
    log('INFO', `startup/startup.go 792: Using autodetected IPv4 address on interface ${address.link}: ${address.cidr}`);
  }
  await untilAnswered(process, signal, () =>
    client.patch<Node>(NODE, { name: nodeName }, 'application/strategic-merge-patch+json', {
      metadata: { annotations: { [ADDRESS_ANNOTATION]: address.cidr, [TUNNEL_ANNOTATION]: tunnelAddress } },
    }),
  );
  await untilAnswered(process, signal, () => markNetworkUp(process, client, nodeName));
  sys.writeFile(`${CALICO_DIRECTORY}/mtu`, `${TUNNEL_MTU}`);
  sys.writeFile(NODE_NAME_FILE, nodeName);
  if (!process.resumed) log('INFO', 'startup/startup.go 202: Using node name: ' + nodeName);

  const felix = new Felix({ process, poolCidr, tunnelAddress, mtu: TUNNEL_MTU, signal, log });
  const bird = new Bird({
    net: sys.net,
    clock: sys.clock,
    signal,
    pid: process.pid,
    address: address.cidr.split('/')[0]!,
    blocks: () => ipam.blocks,
    log: (line) => log('INFO', line),
  });
  onTerminate(() => bird.cease());
  const felixRun = felix.run();
  followNodes(process, client, signal, nodeName, bird, log);
  const refresh = sys.net.onChange(() => bird.refresh());
  signal.addEventListener('abort', () => refresh.dispose(), { once: true });
  const health = servePort(process, {
    address: '127.0.0.1',
    port: HEALTH_PORT,
    signal,
    handler: async (request, respond) => {
      const path = request.target.split('?')[0];
      if (path === '/liveness') await respond.send({ status: 200 }, '');
      else if (path === '/readiness') await respond.send({ status: felix.isReady ? 200 : 503 }, '');
      else if (path === '/bird')
        await respond.send({ status: 200 }, JSON.stringify({ established: bird.established, missing: bird.notEstablished }));
      else await respond.send({ status: 404 }, '404 page not found\n');
    },
  });
  await Promise.race([felixRun, bird.run(), health]);
  return 1;
}

/** Asks again until the server answers: calico-node waits for the datastore. */
async function untilAnswered<T>(process: Process, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (
        signal.aborted ||
        !(isSysError(error) || error instanceof ApiError || (error instanceof Error && /^(Tls|X509)Error$/.test(error.name)))
      )
        throw error;
      logOf(process)('ERROR', `startup/startup.go 154: failed to query the datastore: ${error.message}`);
      await process.sys.clock.sleep(RETRY_MS, signal);
    }
  }
}

/** CALICO_IPV4POOL_CIDR, what kubeadm was told, or Calico's default. */
async function detectPool(process: Process, client: KubeClient): Promise<string> {
  const given = process.env.get('CALICO_IPV4POOL_CIDR');
  if (given !== undefined && given !== '') return given;
  try {
    const kubeadm = await client.get<ConfigMap>(CONFIG_MAP, 'kubeadm-config', 'kube-system');
    const config = parse(kubeadm.data?.['ClusterConfiguration'] ?? '') as { readonly networking?: { readonly podSubnet?: string } } | null;
    return config?.networking?.podSubnet ?? DEFAULT_POOL;
  } catch (error) {
    if (error instanceof ApiError && error.status.code === 404) return DEFAULT_POOL;
    throw error;
  }
}

/** `first-found`, or `can-reach=ADDRESS`: the address a packet there would leave with. */
function ownAddress(process: Process, method: string): { readonly link: string; readonly cidr: string } | undefined {
  const { net } = process.sys;
  const reach = /^can-reach=(.+)$/.exec(method)?.[1];
  const wanted = /^interface=(.+)$/.exec(method)?.[1];
  const views = net.addresses().filter((view) => !/^(docker|br-|virbr|lxc|veth|lo$|cali|tunl|flannel|kube-ipvs|cni)/.test(view.link));
  if (reach !== undefined) {
    try {
      const { source } = net.lookupRoute(reach);
      const view = net.addresses().find((candidate) => candidate.address === source);
      return view === undefined ? undefined : { link: view.link, cidr: `${view.address}/${view.prefixLength}` };
    } catch (error) {
      if (isSysError(error)) return undefined;
      throw error;
    }
  }
  const found = views.find((view) => wanted === undefined || new RegExp(wanted).test(view.link));
  return found === undefined ? undefined : { link: found.link, cidr: `${found.address}/${found.prefixLength}` };
}

async function markNetworkUp(process: Process, client: KubeClient, nodeName: string): Promise<void> {
  const node = await client.get<Node>(NODE, nodeName);
  const current = node.status?.conditions?.find((condition) => condition.type === 'NetworkUnavailable');
  if (current?.status === 'False' && current.reason === 'CalicoIsUp') return;
  const now = new Date(process.sys.now()).toISOString().replace(/\.\d+Z/, 'Z');
  const condition = {
    type: 'NetworkUnavailable',
    status: 'False',
    reason: 'CalicoIsUp',
    message: 'Calico is running on this node',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  await client.patch(NODE, { name: nodeName, subresource: 'status' }, 'application/strategic-merge-patch+json', {
    status: { conditions: [condition] },
  });
}

/** The mesh has every node that has said where it is. */
function followNodes(process: Process, client: KubeClient, signal: AbortSignal, own: string, bird: Bird, log: Log): void {
  const { sys } = process;
  const informers = new SharedInformers({
    client,
    clock: sys.clock,
    rng: sys.rng,
    onError: (resource, error) =>
      log(
        'WARNING',
        `watchercache.go 95: Failed to perform list of current data during resync ListRoot=${resource.resource} error=${error.message}`,
      ),
  });
  const nodes = informers.for<Node>(NODE);
  const update = (): void => {
    if (!nodes.hasSynced) return;
    const addresses = nodes.lister
      .list()
      .filter((node) => node.metadata.name !== own)
      .map((node) => node.metadata.annotations?.[ADDRESS_ANNOTATION]?.split('/')[0])
      .filter((address) => address !== undefined);
    bird.setPeers(addresses.sort());
  };
  nodes.onChange(update);
  informers.start(signal);
  nodes.synced.then(update, (error: unknown) => log('ERROR', String(error)));
}

/** What the exec probes of the manifest call. */
async function probe(process: Process, probes: readonly string[]): Promise<number> {
  const { sys } = process;
  const client = new HttpClient({
    connect: () => sys.net.connect({ address: '127.0.0.1', port: HEALTH_PORT, pid: process.pid }),
    host: `localhost:${HEALTH_PORT}`,
  });
  const fail = async (message: string): Promise<number> => {
    await process.stderr.write(utf8(`calico/node is not ready: ${message}\n`));
    return 1;
  };
  try {
    for (const asked of probes) {
      if (asked === '-bird-live') continue;
      if (asked.startsWith('-felix')) {
        const path = asked === '-felix-live' ? '/liveness' : '/readiness';
        const { status } = await client.request({ method: 'GET', target: path });
        if (status !== 200) return await fail(`felix is not ready: readiness probe reporting ${status}`);
        continue;
      }
      const response = await client.request({ method: 'GET', target: '/bird' });
      const { missing } = JSON.parse(text(await readAll(response.body))) as { readonly missing: readonly string[] };
      if (missing.length > 0) return await fail(`BIRD is not ready: BGP not established with ${missing.join(',')}`);
    }
    return 0;
  } catch (error) {
    if (!isSysError(error)) throw error;
    const path = probes.includes('-felix-live') ? 'liveness' : 'readiness';
    return await fail(
      `felix is not ready: Get "http://localhost:${HEALTH_PORT}/${path}": dial tcp 127.0.0.1:${HEALTH_PORT}: connect: ${error.strerror.toLowerCase()}`,
    );
  } finally {
    client.close();
  }
}
