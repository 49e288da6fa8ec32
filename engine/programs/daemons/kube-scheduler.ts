// Models kube-scheduler v1.20: flags, leader election, and the scheduling loop.

import { createClient, userAgentOf } from '../../kube/client/connect.ts';
import { CorrelatingRecorder } from '../../kube/client/event-recorder.ts';
import { SeriesRecorder } from '../../kube/client/series-recorder.ts';
import { SharedInformers } from '../../kube/client/informer.ts';
import { loadClientConfig } from '../../kube/client/kubeconfig.ts';
import { LeaderElector } from '../../kube/client/leader-election.ts';
import { runScheduler } from '../../kube/scheduler/scheduler.ts';
import type { Process, Program } from '../../kernel/process.ts';
import {
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

const VALUES = ['authentication-kubeconfig', 'authorization-kubeconfig', 'bind-address', 'kubeconfig', 'port', 'secure-port', 'v'];
const BOOLEANS = ['leader-elect'];

export const kubeScheduler: Program = {
  name: 'kube-scheduler',
  paths: [],
  main: async (process) => {
    const flags = await flagsOrExit(process, () => parseFlags(process.argv, { values: VALUES, booleans: BOOLEANS }));
    return flags === undefined ? 1 : untilEnd(process, (signal) => run(process, flags, signal));
  },
};

async function run(process: Process, flags: Flags, signal: AbortSignal): Promise<number> {
  const { sys } = process;
  const identity = electionIdentity(process);
  const address = flags.get('bind-address') ?? '0.0.0.0';
  const port = numberFlag(flags, 'secure-port', 10259);
  const health = servePort(process, { address, port, tls: 'localhost', handler: healthHandler(), signal });
  if (!process.resumed) {
    klog(process, 'serving.go:331')('I', 'Generated self-signed cert in-memory');
    klog(process, 'secure_serving.go:197')('I', `Serving securely on ${address}:${port}`);
  }
  const client = createClient(process, loadClientConfig(process, { kubeconfig: flags.get('kubeconfig') ?? '' }), {
    userAgent: userAgentOf('kube-scheduler'),
    maxIdle: 20,
  });
  const recorder = (component: string): CorrelatingRecorder =>
    new CorrelatingRecorder({ client, clock: sys.clock, rng: sys.rng, component });
  const informers = new SharedInformers({
    // A pending pod whose fields change hands is tried again, as upstream does (PriorityQueue.Update).
    keepsManagedFields: true,
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
  const schedule = (): Promise<void> =>
    runScheduler({
      client,
      informers,
      events: new SeriesRecorder({ client, clock: sys.clock, controller: 'default-scheduler', host: sys.hostname() }),
      clock: sys.clock,
      rng: sys.rng,
      signal,
      log: klog(process, 'scheduler.go:604'),
    });
  const elect = async (): Promise<number> => {
    const elector = new LeaderElector({
      client,
      clock: sys.clock,
      rng: sys.rng,
      namespace: 'kube-system',
      name: 'kube-scheduler',
      identity,
      recorder: recorder(identity),
      log: (line) => klog(process, 'leaderelection.go:243')('I', line),
    });
    await elector.acquire(signal);
    await Promise.race([schedule(), elector.renew(signal)]);
    klog(process, 'server.go:205')('E', 'leaderelection lost');
    return 255;
  };
  const lead = flags.get('leader-elect') === 'false' ? schedule().then(() => 1) : elect();
  return Promise.race([lead, health.then(() => 1)]);
}
