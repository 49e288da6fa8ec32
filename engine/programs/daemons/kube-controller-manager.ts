// Models kube-controller-manager v1.20: flags, leader election, and all controllers over one set of informers, each with the
// credentials of its own service account when --use-service-account-credentials says so.

import { CorrelatingRecorder } from '../../kube/client/event-recorder.ts';
import { SharedInformers } from '../../kube/client/informer.ts';
import { AccountTransport } from '../../kube/client/account-transport.ts';
import { createClient, createTransport, userAgentOf } from '../../kube/client/connect.ts';
import { loadClientConfig, type ClientConfig } from '../../kube/client/kubeconfig.ts';
import { LeaderElector } from '../../kube/client/leader-election.ts';
import { RestClient } from '../../kube/client/rest-client.ts';
import { RateLimitingQueue } from '../../kube/client/work-queue.ts';
import { startBootstrapSigner, startTokenCleaner } from '../../kube/controllers/bootstrap.ts';
import { startCsrApproving, startCsrSigning } from '../../kube/controllers/certificates.ts';
import { startClusterRoleAggregation } from '../../kube/controllers/cluster-roles.ts';
import { inBackground, type ControllerContext } from '../../kube/controllers/controller.ts';
import { startCronJob } from '../../kube/controllers/cronjob.ts';
import { startDaemonSet } from '../../kube/controllers/daemonset.ts';
import { startDeployment } from '../../kube/controllers/deployment.ts';
import { startDisruption } from '../../kube/controllers/disruption.ts';
import { startEndpointSlices } from '../../kube/controllers/endpoint-slices.ts';
import { startEndpoints } from '../../kube/controllers/endpoints.ts';
import { startGarbageCollector } from '../../kube/controllers/garbage-collector.ts';
import { startJob } from '../../kube/controllers/job.ts';
import { startNamespace } from '../../kube/controllers/namespace.ts';
import { startNodeIpam, startTtl } from '../../kube/controllers/node-ipam.ts';
import { NODE_LIFECYCLE_DEFAULTS, startNodeLifecycle } from '../../kube/controllers/node-lifecycle.ts';
import { startPodGc } from '../../kube/controllers/pod-gc.ts';
import { startResourceQuota } from '../../kube/controllers/resource-quota.ts';
import { startReplicaSet, startReplicationController } from '../../kube/controllers/replicaset.ts';
import { startRootCa, startServiceAccount, startTokens } from '../../kube/controllers/service-accounts.ts';
import { startStatefulSet } from '../../kube/controllers/statefulset.ts';
import { startPvcProtection, startPvProtection } from '../../kube/controllers/storage-protection.ts';
import { startTaintManager } from '../../kube/controllers/taint-manager.ts';
import type { KubeClient } from '../../kube/client/contracts.ts';
import type { Process, Program } from '../../kernel/process.ts';
import {
  durationMs,
  flagsOrExit,
  healthHandler,
  klog,
  numberFlag,
  parseFlags,
  servePort,
  untilEnd,
  electionIdentity,
  type Flags,
} from './component.ts';

const VALUES = [
  'authentication-kubeconfig',
  'authorization-kubeconfig',
  'bind-address',
  'client-ca-file',
  'cluster-cidr',
  'cluster-name',
  'cluster-signing-cert-file',
  'cluster-signing-key-file',
  'cluster-signing-duration',
  'controllers',
  'kubeconfig',
  'large-cluster-size-threshold',
  'node-cidr-mask-size',
  'node-eviction-rate',
  'node-monitor-grace-period',
  'node-monitor-period',
  'node-startup-grace-period',
  'port',
  'requestheader-client-ca-file',
  'root-ca-file',
  'secondary-node-eviction-rate',
  'secure-port',
  'service-account-private-key-file',
  'service-cluster-ip-range',
  'terminated-pod-gc-threshold',
  'unhealthy-zone-threshold',
  'v',
];
const BOOLEANS = ['allocate-node-cidrs', 'leader-elect', 'use-service-account-credentials'];

const NAME = 'kube-controller-manager';

export const kubeControllerManager: Program = {
  name: 'kube-controller-manager',
  paths: [],
  main: async (process) => {
    const flags = await flagsOrExit(process, () => parseFlags(process.argv, { values: VALUES, booleans: BOOLEANS }));
    return flags === undefined ? 1 : untilEnd(process, (signal) => run(process, flags, signal));
  },
};

async function run(process: Process, flags: Flags, signal: AbortSignal): Promise<number> {
  const { sys } = process;
  const identity = electionIdentity(process);
  if (!process.resumed) klog(process, 'serving.go:331')('I', 'Generated self-signed cert in-memory');
  const port = numberFlag(flags, 'secure-port', 10257);
  const health = servePort(process, {
    address: flags.get('bind-address') ?? '0.0.0.0',
    port,
    tls: 'localhost',
    handler: healthHandler(),
    signal,
  });
  if (!process.resumed) klog(process, 'secure_serving.go:197')('I', `Serving securely on ${flags.get('bind-address') ?? '[::]'}:${port}`);
  const config = loadClientConfig(process, { kubeconfig: flags.get('kubeconfig') ?? '' });
  const client = createClient(process, config, { userAgent: userAgentOf(NAME), maxIdle: 100 });
  const begin = (): void => {
    const root = contextOf(process, client, signal);
    startControllers(process, flags, root, clientsOf(process, config, root, flags));
  };
  const elect = async (): Promise<number> => {
    if (flags.get('leader-elect') !== 'false') {
      const elector = new LeaderElector({
        client,
        clock: sys.clock,
        rng: sys.rng,
        namespace: 'kube-system',
        name: 'kube-controller-manager',
        identity,
        recorder: recorderWith(process, client)(identity),
        log: (line) => klog(process, 'leaderelection.go:243')('I', line),
      });
      await elector.acquire(signal);
      begin();
      await elector.renew(signal);
      klog(process, 'controllermanager.go:294')('E', 'leaderelection lost');
      return 255;
    }
    begin();
    return sys.block<number>(() => undefined);
  };
  return Promise.race([elect(), health.then(() => 1)]);
}

function recorderWith(process: Process, client: KubeClient): ControllerContext['recorder'] {
  const { clock, rng } = process.sys;
  return (component) => new CorrelatingRecorder({ client, clock, rng, component });
}

/** The client of the service account a controller acts as. */
type ClientFor = (account: string) => KubeClient;

function clientsOf(process: Process, config: ClientConfig, root: ControllerContext, flags: Flags): ClientFor {
  if (flags.get('use-service-account-credentials') !== 'true') return () => root.client;
  const clients = new Map<string, KubeClient>();
  // A certificate would say who asks before a token is looked at.
  const transport = createTransport(process, { ...config, certificate: undefined }, { maxIdle: 100 });
  const { clock } = process.sys;
  return (name) => {
    let client = clients.get(name);
    if (client === undefined) {
      const own = new AccountTransport({ namespace: 'kube-system', name, root: root.client, transport, clock });
      inBackground(root, `service account ${name}`, () => own.ensureAccount());
      const userAgent = `${userAgentOf(NAME)}/system:serviceaccount:kube-system:${name}`;
      clients.set(name, (client = new RestClient({ transport: own, userAgent })));
    }
    return client;
  };
}

function contextOf(process: Process, client: KubeClient, signal: AbortSignal): ControllerContext {
  const { sys } = process;
  const log = klog(process, 'controllermanager.go:574');
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
  return {
    client,
    informers,
    clock: sys.clock,
    rng: sys.rng,
    signal,
    isResumed: process.resumed,
    recorder: recorderWith(process, client),
    queue: () => new RateLimitingQueue(sys.clock),
    log,
  };
}

/** A controller's name in --controllers, the account it acts as (none: the manager itself), and how it starts. */
type Entry = readonly [name: string, account: string | undefined, start: ((context: ControllerContext) => void) | undefined];

function startControllers(process: Process, flags: Flags, root: ControllerContext, clientFor: ClientFor): void {
  const { sys } = process;
  const read = (flag: string): string | undefined => {
    const path = flags.get(flag);
    return path === undefined ? undefined : sys.readTextFile(path);
  };
  const rootCa = read('root-ca-file');
  const accountKey = read('service-account-private-key-file');
  const signingCert = read('cluster-signing-cert-file');
  const signingKey = read('cluster-signing-key-file');
  const signing =
    signingCert === undefined || signingKey === undefined ? undefined : { certificatePem: signingCert, privateKeyPem: signingKey };
  const signingMs = durationMs(flags, 'cluster-signing-duration', 8760 * 3_600_000);
  const hasCidrs = flags.get('allocate-node-cidrs') === 'true' && flags.has('cluster-cidr');
  const controllers: readonly Entry[] = [
    [
      'serviceaccount-token',
      undefined,
      accountKey === undefined ? undefined : (context) => startTokens(context, { privateKeyPem: accountKey, rootCa: rootCa ?? '' }),
    ],
    ['endpoint', 'endpoint-controller', startEndpoints],
    ['endpointslice', 'endpointslice-controller', startEndpointSlices],
    ['replicationcontroller', 'replication-controller', startReplicationController],
    ['podgc', 'pod-garbage-collector', (context) => startPodGc(context, numberFlag(flags, 'terminated-pod-gc-threshold', 12_500))],
    ['resourcequota', 'resourcequota-controller', startResourceQuota],
    ['namespace', 'namespace-controller', startNamespace],
    ['serviceaccount', 'service-account-controller', startServiceAccount],
    ['garbagecollector', 'generic-garbage-collector', startGarbageCollector],
    ['daemonset', 'daemon-set-controller', startDaemonSet],
    ['job', 'job-controller', startJob],
    ['deployment', 'deployment-controller', startDeployment],
    ['replicaset', 'replicaset-controller', startReplicaSet],
    ['disruption', 'disruption-controller', startDisruption],
    ['statefulset', 'statefulset-controller', startStatefulSet],
    ['cronjob', 'cronjob-controller', startCronJob],
    ['csrsigning', 'certificate-controller', signing === undefined ? undefined : (context) => startCsrSigning(context, signing, signingMs)],
    ['csrapproving', 'certificate-controller', startCsrApproving],
    ['ttl', 'ttl-controller', startTtl],
    ['bootstrapsigner', 'bootstrap-signer', startBootstrapSigner],
    ['tokencleaner', 'token-cleaner', startTokenCleaner],
    [
      'nodeipam',
      'node-controller',
      hasCidrs ? (context) => startNodeIpam(context, flags.get('cluster-cidr')!, numberFlag(flags, 'node-cidr-mask-size', 24)) : undefined,
    ],
    ['nodelifecycle', 'node-controller', (context) => startNodes(flags, context)],
    ['clusterrole-aggregation', 'clusterrole-aggregation-controller', startClusterRoleAggregation],
    ['pvc-protection', 'pvc-protection-controller', startPvcProtection],
    ['pv-protection', 'pv-protection-controller', startPvProtection],
    ['root-ca-cert-publisher', 'root-ca-cert-publisher', rootCa === undefined ? undefined : (context) => startRootCa(context, rootCa)],
  ];
  const listed = (flags.get('controllers') ?? '*').split(',');
  const offByDefault = new Set(['bootstrapsigner', 'tokencleaner']);
  for (const [name, account, start] of controllers) {
    const isOn = !listed.includes(`-${name}`) && (listed.includes(name) || (listed.includes('*') && !offByDefault.has(name)));
    if (!isOn) {
      root.log('W', `"${name}" is disabled`);
      continue;
    }
    if (start === undefined) {
      root.log('W', `Skipping "${name}"`);
      continue;
    }
    const client = account === undefined ? root.client : clientFor(account);
    start({ ...root, client, recorder: recorderWith(process, client) });
    if (!process.resumed) root.log('I', `Started "${name}"`);
  }
}

function startNodes(flags: Flags, context: ControllerContext): void {
  const defaults = NODE_LIFECYCLE_DEFAULTS;
  startNodeLifecycle(context, {
    monitorPeriodMs: durationMs(flags, 'node-monitor-period', defaults.monitorPeriodMs),
    gracePeriodMs: durationMs(flags, 'node-monitor-grace-period', defaults.gracePeriodMs),
    startupGracePeriodMs: durationMs(flags, 'node-startup-grace-period', defaults.startupGracePeriodMs),
    evictionRate: numberFlag(flags, 'node-eviction-rate', defaults.evictionRate),
    secondaryEvictionRate: numberFlag(flags, 'secondary-node-eviction-rate', defaults.secondaryEvictionRate),
    largeClusterSize: numberFlag(flags, 'large-cluster-size-threshold', defaults.largeClusterSize),
    unhealthyThreshold: numberFlag(flags, 'unhealthy-zone-threshold', defaults.unhealthyThreshold),
  });
  startTaintManager(context);
}
