// Models kube-controller-manager v1.20: flags, leader election, and all controllers over one set of informers.
// Not modelled: a client of its own for every controller (--use-service-account-credentials); all writes are the manager's.

import { CorrelatingRecorder } from '../../kube/client/event-recorder.ts';
import { SharedInformers } from '../../kube/client/informer.ts';
import { createClient, userAgentOf } from '../../kube/client/connect.ts';
import { loadClientConfig } from '../../kube/client/kubeconfig.ts';
import { LeaderElector } from '../../kube/client/leader-election.ts';
import { RateLimitingQueue } from '../../kube/client/work-queue.ts';
import { startBootstrapSigner, startTokenCleaner } from '../../kube/controllers/bootstrap.ts';
import { startCsrApproving, startCsrSigning } from '../../kube/controllers/certificates.ts';
import { startClusterRoleAggregation } from '../../kube/controllers/cluster-roles.ts';
import type { ControllerContext } from '../../kube/controllers/controller.ts';
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
import { startReplicaSet, startReplicationController } from '../../kube/controllers/replicaset.ts';
import { startRootCa, startServiceAccount, startTokens } from '../../kube/controllers/service-accounts.ts';
import { startStatefulSet } from '../../kube/controllers/statefulset.ts';
import { startTaintManager } from '../../kube/controllers/taint-manager.ts';
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
  const client = createClient(process, loadClientConfig(process, { kubeconfig: flags.get('kubeconfig') ?? '' }), {
    userAgent: userAgentOf('kube-controller-manager'),
    maxIdle: 100,
  });
  const recorder = (component: string): CorrelatingRecorder =>
    new CorrelatingRecorder({ client, clock: sys.clock, rng: sys.rng, component });
  const elect = async (): Promise<number> => {
    if (flags.get('leader-elect') !== 'false') {
      const elector = new LeaderElector({
        client,
        clock: sys.clock,
        rng: sys.rng,
        namespace: 'kube-system',
        name: 'kube-controller-manager',
        identity,
        recorder: recorder(identity),
        log: (line) => klog(process, 'leaderelection.go:243')('I', line),
      });
      await elector.acquire(signal);
      startControllers(process, flags, contextOf(process, client, recorder, signal));
      await elector.renew(signal);
      klog(process, 'controllermanager.go:294')('E', 'leaderelection lost');
      return 255;
    }
    startControllers(process, flags, contextOf(process, client, recorder, signal));
    return sys.block<number>(() => undefined);
  };
  return Promise.race([elect(), health.then(() => 1)]);
}

function contextOf(
  process: Process,
  client: ControllerContext['client'],
  recorder: ControllerContext['recorder'],
  signal: AbortSignal,
): ControllerContext {
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
    recorder,
    queue: () => new RateLimitingQueue(sys.clock),
    log,
  };
}

function startControllers(process: Process, flags: Flags, context: ControllerContext): void {
  const { sys } = process;
  const read = (flag: string): string | undefined => {
    const path = flags.get(flag);
    return path === undefined ? undefined : sys.readTextFile(path);
  };
  const rootCa = read('root-ca-file');
  const accountKey = read('service-account-private-key-file');
  const signingCert = read('cluster-signing-cert-file');
  const signingKey = read('cluster-signing-key-file');
  const controllers: readonly (readonly [string, (() => void) | undefined])[] = [
    [
      'serviceaccount-token',
      accountKey === undefined ? undefined : () => startTokens(context, { privateKeyPem: accountKey, rootCa: rootCa ?? '' }),
    ],
    ['endpoint', () => startEndpoints(context)],
    ['endpointslice', () => startEndpointSlices(context)],
    ['replicationcontroller', () => startReplicationController(context)],
    ['podgc', () => startPodGc(context, numberFlag(flags, 'terminated-pod-gc-threshold', 12_500))],
    ['namespace', () => startNamespace(context)],
    ['serviceaccount', () => startServiceAccount(context)],
    ['garbagecollector', () => startGarbageCollector(context)],
    ['daemonset', () => startDaemonSet(context)],
    ['job', () => startJob(context)],
    ['deployment', () => startDeployment(context)],
    ['replicaset', () => startReplicaSet(context)],
    ['disruption', () => startDisruption(context)],
    ['statefulset', () => startStatefulSet(context)],
    [
      'csrsigning',
      signingCert === undefined || signingKey === undefined
        ? undefined
        : () =>
            startCsrSigning(
              context,
              { certificatePem: signingCert, privateKeyPem: signingKey },
              durationMs(flags, 'cluster-signing-duration', 8760 * 3_600_000),
            ),
    ],
    ['cronjob', () => startCronJob(context)],
    ['csrapproving', () => startCsrApproving(context)],
    ['ttl', () => startTtl(context)],
    ['bootstrapsigner', () => startBootstrapSigner(context)],
    ['tokencleaner', () => startTokenCleaner(context)],
    [
      'nodeipam',
      flags.get('allocate-node-cidrs') === 'true' && flags.has('cluster-cidr')
        ? () => startNodeIpam(context, flags.get('cluster-cidr')!, numberFlag(flags, 'node-cidr-mask-size', 24))
        : undefined,
    ],
    ['nodelifecycle', () => startNodes(flags, context)],
    ['clusterrole-aggregation', () => startClusterRoleAggregation(context)],
    ['root-ca-cert-publisher', rootCa === undefined ? undefined : () => startRootCa(context, rootCa)],
  ];
  const listed = (flags.get('controllers') ?? '*').split(',');
  const offByDefault = new Set(['bootstrapsigner', 'tokencleaner']);
  for (const [name, start] of controllers) {
    const isOn = !listed.includes(`-${name}`) && (listed.includes(name) || (listed.includes('*') && !offByDefault.has(name)));
    if (!isOn) {
      context.log('W', `"${name}" is disabled`);
      continue;
    }
    if (start === undefined) {
      context.log('W', `Skipping "${name}"`);
      continue;
    }
    start();
    if (!process.resumed) context.log('I', `Started "${name}"`);
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
