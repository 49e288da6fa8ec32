import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTestApi, type TestApi } from '#engine/kube/apiserver/test-api.ts';
import { CorrelatingRecorder } from '#engine/kube/client/event-recorder.ts';
import { SharedInformers } from '#engine/kube/client/informer.ts';
import { RateLimitingQueue } from '#engine/kube/client/work-queue.ts';
import type { ControllerContext } from '#engine/kube/controllers/controller.ts';
import { startCronJob } from '#engine/kube/controllers/cronjob.ts';
import { startDaemonSet } from '#engine/kube/controllers/daemonset.ts';
import { startDeployment } from '#engine/kube/controllers/deployment.ts';
import { startEndpoints } from '#engine/kube/controllers/endpoints.ts';
import { startEndpointSlices } from '#engine/kube/controllers/endpoint-slices.ts';
import { startGarbageCollector } from '#engine/kube/controllers/garbage-collector.ts';
import { startDisruption } from '#engine/kube/controllers/disruption.ts';
import { startJob } from '#engine/kube/controllers/job.ts';
import { startNamespace } from '#engine/kube/controllers/namespace.ts';
import { startNodeLifecycle } from '#engine/kube/controllers/node-lifecycle.ts';
import { startPodGc } from '#engine/kube/controllers/pod-gc.ts';
import { startReplicaSet } from '#engine/kube/controllers/replicaset.ts';
import { startServiceAccount, startTokens } from '#engine/kube/controllers/service-accounts.ts';
import { startStatefulSet } from '#engine/kube/controllers/statefulset.ts';
import { startTaintManager } from '#engine/kube/controllers/taint-manager.ts';
import {
  CRON_JOB,
  DAEMON_SET,
  DEPLOYMENT,
  ENDPOINTS,
  ENDPOINT_SLICE,
  EVENT,
  JOB,
  LEASE,
  NAMESPACE,
  NODE,
  POD,
  POD_DISRUPTION_BUDGET,
  REPLICA_SET,
  SECRET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from '#engine/kube/machinery/resources.ts';
import { rfc3339, rfc3339Micro } from '#engine/kube/machinery/time.ts';
import type {
  DaemonSet,
  Deployment,
  Endpoints,
  Event,
  KubeObject,
  Lease,
  Node,
  Pod,
  ReplicaSet,
  Secret,
} from '#engine/kube/machinery/types.ts';
import { generateKeyPair } from '#engine/net/x509.ts';
import { VirtualClock } from '#engine/sim/clock.ts';
import { SeededRng } from '#engine/sim/rng.ts';

const START_MS = Date.parse('2026-11-21T01:00:00Z');
let clock: VirtualClock;
let api: TestApi;
let stop: AbortController;
let log: string[];

beforeEach(async () => {
  clock = new VirtualClock({ startMs: START_MS, settle: () => new Promise((resolve) => setImmediate(resolve)) });
  api = await openTestApi({ clock });
  stop = new AbortController();
  log = [];
  const rng = new SeededRng(1);
  const { client } = api;
  const informers = new SharedInformers({ client, clock, rng });
  informers.start(stop.signal);
  const context: ControllerContext = {
    client,
    informers,
    clock,
    rng,
    signal: stop.signal,
    recorder: (component) => new CorrelatingRecorder({ client, clock, rng, component }),
    queue: () => new RateLimitingQueue(clock),
    log: (severity, text) => log.push(`${severity} ${text}`),
  };
  startDeployment(context);
  startReplicaSet(context);
  startDaemonSet(context);
  startEndpoints(context);
  startEndpointSlices(context);
  startGarbageCollector(context);
  startJob(context);
  startCronJob(context);
  startStatefulSet(context);
  startDisruption(context);
  startNamespace(context);
  startNodeLifecycle(context);
  startTaintManager(context);
  startPodGc(context);
  startServiceAccount(context);
  startTokens(context, { privateKeyPem: generateKeyPair(rng).privateKeyPem, rootCa: 'CA' });
  await clock.advance(2_000);
});

afterEach(async () => {
  stop.abort(new Error('test over'));
  await api[Symbol.asyncDispose]();
});

const list = async <T extends KubeObject>(resource: typeof POD, namespace?: string): Promise<readonly T[]> =>
  (await api.client.list<T>(resource, namespace === undefined ? {} : { namespace })).items;

async function addNode(name: string, taints: object[] = []): Promise<void> {
  await api.client.create<Node>(NODE, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    spec: { taints } as never,
  });
  await heartbeat(name);
  await clock.advance(0);
}

async function heartbeat(name: string): Promise<void> {
  const now = rfc3339(clock.now());
  const node = await api.client.get<Node>(NODE, name);
  const conditions = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => {
    const status = type === 'Ready' ? 'True' : 'False';
    const former = node.status?.conditions?.find((condition) => condition.type === type);
    return {
      type,
      status,
      reason: 'Kubelet',
      message: 'kubelet is posting',
      lastHeartbeatTime: now,
      lastTransitionTime: former?.status === status ? (former.lastTransitionTime ?? now) : now,
    };
  });
  await api.client.patch<Node>(NODE, { name, subresource: 'status' }, 'application/strategic-merge-patch+json', { status: { conditions } });
  const renewTime = rfc3339Micro(clock.now());
  const leases = await list<Lease>(LEASE, 'kube-node-lease');
  const lease = leases.find((candidate) => candidate.metadata.name === name);
  if (lease === undefined) {
    await api.client.create<Lease>(LEASE, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: 'kube-node-lease' },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime },
    });
  } else await api.client.update<Lease>(LEASE, { ...lease, spec: { ...lease.spec, renewTime } });
}

/** Time goes on while these nodes' kubelets live. */
async function liveOn(nodes: readonly string[], ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    for (const node of nodes) await heartbeat(node);
    await clock.advance(10_000);
  }
}

let address = 1;
async function run(pod: Pod, node: string): Promise<void> {
  if (pod.spec?.nodeName === undefined) {
    await api.client.createSubresource(POD, pod.metadata.name, pod.metadata.namespace, 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    });
  }
  const bound = await api.client.get<Pod>(POD, pod.metadata.name, pod.metadata.namespace);
  const now = rfc3339(clock.now());
  await api.client.updateStatus<Pod>(POD, {
    ...bound,
    status: {
      phase: 'Running',
      podIP: `172.16.0.${address++}`,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }],
    },
  });
}

async function runAll(namespace: string, nodes: readonly string[]): Promise<void> {
  let i = 0;
  for (const pod of await list<Pod>(POD, namespace)) {
    if (pod.metadata.deletionTimestamp !== undefined) {
      await api.client.delete(POD, pod.metadata.name, namespace, { gracePeriodSeconds: 0 });
    } else if (pod.status?.phase !== 'Running') await run(pod, nodes[i++ % nodes.length]!);
  }
  await clock.advance(1_000);
}

const nginx = (image: string, replicas: number): Parameters<TestApi['client']['create']>[1] =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'nginx', image }] } },
    },
  }) as never;

describe('the controllers against the API server', () => {
  test('a deployment of three becomes one replica set and three pods, and says so', async () => {
    await addNode('w1-k8s');
    await api.client.create(DEPLOYMENT, nginx('nginx:1.16', 3));
    await clock.advance(1_000);
    const sets = await list<ReplicaSet>(REPLICA_SET, 'default');
    expect(sets.map((set) => set.spec?.replicas)).toEqual([3]);
    expect((await list<Pod>(POD, 'default')).map((pod) => pod.metadata.generateName)).toEqual(Array(3).fill(`${sets[0]!.metadata.name}-`));
    await runAll('default', ['w1-k8s']);
    const deployment = await api.client.get<Deployment>(DEPLOYMENT, 'web', 'default');
    expect(deployment.status).toMatchObject({ replicas: 3, readyReplicas: 3, availableReplicas: 3, updatedReplicas: 3 });
    expect(deployment.status?.conditions?.map((condition) => `${condition.type} ${condition.reason}`)).toEqual([
      'Available MinimumReplicasAvailable',
      'Progressing NewReplicaSetAvailable',
    ]);
    expect(deployment.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
    const events = (await list<Event>(EVENT, 'default')).map((event) => `${event.reason}: ${event.message}`);
    expect(events).toContain(`ScalingReplicaSet: Scaled up replica set ${sets[0]!.metadata.name} to 3`);
    expect(log).toEqual([]);
  });

  test('a new image rolls over one by one, within surge 1 and unavailable 0', async () => {
    await addNode('w1-k8s');
    await api.client.create(DEPLOYMENT, nginx('nginx:1.16', 3));
    await clock.advance(1_000);
    await runAll('default', ['w1-k8s']);
    const sizes: string[] = [];
    await api.client.patch(DEPLOYMENT, { name: 'web', namespace: 'default' }, 'application/strategic-merge-patch+json', {
      spec: { template: { spec: { containers: [{ name: 'nginx', image: 'nginx:1.17' }] } } },
    });
    for (let i = 0; i < 8; i++) {
      await clock.advance(1_000);
      const sets = [...(await list<ReplicaSet>(REPLICA_SET, 'default'))].sort((a, b) =>
        a.spec!.template!.spec!.containers[0]!.image! < b.spec!.template!.spec!.containers[0]!.image! ? -1 : 1,
      );
      sizes.push(sets.map((set) => set.spec?.replicas).join('/'));
      await runAll('default', ['w1-k8s']);
    }
    expect(sizes.filter((size, i) => size !== sizes[i - 1])).toEqual(['3/1', '2/2', '1/3', '0/3']);
    expect(log.filter((line) => line.startsWith('E'))).toEqual([]);
  });

  test('deleting the deployment takes its sets and pods with it', async () => {
    await addNode('w1-k8s');
    await api.client.create(DEPLOYMENT, nginx('nginx:1.16', 2));
    await liveOn(['w1-k8s'], 40_000);
    await api.client.delete(DEPLOYMENT, 'web', 'default', { propagationPolicy: 'Background' });
    await liveOn(['w1-k8s'], 20_000);
    expect(await list(REPLICA_SET, 'default')).toEqual([]);
    expect(await list(POD, 'default')).toEqual([]);
  });

  test('endpoints and slices follow the ready pods of a service', async () => {
    await addNode('w1-k8s');
    await api.client.create(DEPLOYMENT, nginx('nginx:1.16', 2));
    await api.client.create(SERVICE, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    } as never);
    await clock.advance(1_000);
    await runAll('default', ['w1-k8s']);
    const endpoints = await api.client.get<Endpoints>(ENDPOINTS, 'web', 'default');
    expect(endpoints.subsets?.[0]?.addresses).toHaveLength(2);
    const slices = (await list(ENDPOINT_SLICE, 'default')).filter((slice) => slice.metadata.name.startsWith('web-'));
    expect(slices).toHaveLength(1);
  });

  test('a daemon set runs on every node whose taints it bears', async () => {
    await addNode('m-k8s', [{ key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' }]);
    await addNode('w1-k8s');
    await addNode('w2-k8s');
    await api.client.create<DaemonSet>(DAEMON_SET, {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: 'agent' } },
        template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'a', image: 'busybox' }] } },
      },
    });
    await clock.advance(1_000);
    expect(await list(POD, 'default')).toHaveLength(2);
    expect((await api.client.get<DaemonSet>(DAEMON_SET, 'agent', 'default')).status?.desiredNumberScheduled).toBe(2);
  });

  test('a silent kubelet: NotReady after 40 s, pods not ready, and evicted 5 minutes later', async () => {
    for (const node of ['w1-k8s', 'w2-k8s', 'w3-k8s']) await addNode(node);
    await api.client.create(DEPLOYMENT, nginx('nginx:1.16', 3));
    await clock.advance(1_000);
    await runAll('default', ['w1-k8s', 'w2-k8s', 'w3-k8s']);
    await liveOn(['w1-k8s', 'w2-k8s', 'w3-k8s'], 20_000);
    await liveOn(['w1-k8s', 'w2-k8s'], 60_000);
    const node = await api.client.get<Node>(NODE, 'w3-k8s');
    const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
    expect([ready?.status, ready?.reason, ready?.message]).toEqual([
      'Unknown',
      'NodeStatusUnknown',
      'Kubelet stopped posting node status.',
    ]);
    expect(node.spec?.taints?.map((taint) => `${taint.key}:${taint.effect}`).sort()).toEqual([
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/unreachable:NoSchedule',
    ]);
    const pod = (await list<Pod>(POD, 'default')).find((candidate) => candidate.spec?.nodeName === 'w3-k8s')!;
    expect(pod.status?.conditions?.[0]?.status).toBe('False');
    expect(pod.metadata.deletionTimestamp).toBeUndefined();
    await liveOn(['w1-k8s', 'w2-k8s'], 300_000);
    const pods = await list<Pod>(POD, 'default');
    expect(
      pods.filter((candidate) => candidate.metadata.deletionTimestamp !== undefined).map((candidate) => candidate.spec?.nodeName),
    ).toEqual(['w3-k8s']);
    expect(pods).toHaveLength(4);
    expect(log.filter((line) => line.startsWith('E'))).toEqual([]);
  });

  test('every namespace gets its account, with a token; deleting it empties it', async () => {
    await api.client.create(NAMESPACE, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    await clock.advance(2_000);
    const account = (await list<KubeObject & { secrets?: { name: string }[] }>(SERVICE_ACCOUNT, 'shop'))[0]!;
    expect(account.secrets?.[0]?.name).toMatch(/^default-token-[b-z2-9]{5}$/);
    expect(Object.keys((await list<Secret>(SECRET, 'shop'))[0]?.data ?? {}).sort()).toEqual(['ca.crt', 'namespace', 'token']);
    await api.client.delete(NAMESPACE, 'shop');
    await clock.advance(60_000);
    expect((await list(NAMESPACE)).map((namespace) => namespace.metadata.name)).not.toContain('shop');
  });

  test('a stateful set makes its pods in order, each when the one before is ready, and removes the last first', async () => {
    await addNode('w1-k8s');
    await api.client.create(STATEFUL_SET, {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'default' },
      spec: {
        replicas: 2,
        serviceName: 'db',
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
      },
    } as never);
    await clock.advance(1_000);
    const names = async (): Promise<readonly string[]> => (await list<Pod>(POD, 'default')).map((pod) => pod.metadata.name).sort();
    expect(await names()).toEqual(['db-0']);
    await runAll('default', ['w1-k8s']);
    expect(await names()).toEqual(['db-0', 'db-1']);
    await runAll('default', ['w1-k8s']);
    await api.client.patch(STATEFUL_SET, { name: 'db', namespace: 'default' }, 'application/merge-patch+json', { spec: { replicas: 1 } });
    await clock.advance(1_000);
    await runAll('default', ['w1-k8s']);
    expect(await names()).toEqual(['db-0']);
    expect(log.filter((line) => line.startsWith('E'))).toEqual([]);
  });

  test('a job runs two pods at a time until three have succeeded', async () => {
    await addNode('w1-k8s');
    await api.client.create(JOB, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'sum', namespace: 'default' },
      spec: {
        parallelism: 2,
        completions: 3,
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } },
      },
    } as never);
    const counts: number[] = [];
    for (let i = 0; i < 4; i++) {
      await clock.advance(1_000);
      const pods = (await list<Pod>(POD, 'default')).filter((pod) => pod.status?.phase === 'Pending');
      counts.push(pods.length);
      for (const pod of pods) {
        await api.client.updateStatus<Pod>(POD, { ...pod, status: { ...pod.status, phase: 'Succeeded' } });
      }
    }
    expect(counts).toEqual([2, 1, 0, 0]);
    const job = await api.client.get<KubeObject & { status?: { succeeded?: number; conditions?: { type: string }[] } }>(
      JOB,
      'sum',
      'default',
    );
    expect(job.status).toMatchObject({ succeeded: 3, conditions: [{ type: 'Complete' }] });
  });

  test('a budget allows as many disruptions as there are ready pods too many', async () => {
    await addNode('w1-k8s');
    await api.client.create(DEPLOYMENT, nginx('nginx:1.16', 3));
    await api.client.create(POD_DISRUPTION_BUDGET, {
      apiVersion: 'policy/v1beta1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'default' },
      spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
    } as never);
    await clock.advance(1_000);
    await runAll('default', ['w1-k8s']);
    const budget = await api.client.get<KubeObject & { status?: object }>(POD_DISRUPTION_BUDGET, 'web', 'default');
    expect(budget.status).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 });
  });

  test('a cron job starts a job at every minute, named after the second it was due', async () => {
    await api.client.create(CRON_JOB, {
      apiVersion: 'batch/v1beta1',
      kind: 'CronJob',
      metadata: { name: 'tick', namespace: 'default' },
      spec: {
        schedule: '*/1 * * * *',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } } } },
      },
    } as never);
    await clock.advance(130_000);
    const due = [60, 120].map((seconds) => `tick-${START_MS / 1000 + seconds}`);
    expect((await list(JOB, 'default')).map((job) => job.metadata.name)).toEqual(due);
  });
});
