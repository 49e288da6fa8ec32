// Models the kubelet: follows the pods bound to its node and the manifests in its directory, and makes the runtime agree.

import type { Disposable } from '../../sim/disposable.ts';
import { SysError, isSysError } from '../../sim/errno.ts';
import { ProcessExit } from '../../sim/stream.ts';
import type { Process, Syscalls } from '../../kernel/process.ts';
import type { EventRecorder, Informer, InformerSet, KubeClient, Lister } from '../client/contracts.ts';
import { ApiError, isNotFound } from '../machinery/api-error.ts';
import { keyOf, CONFIG_MAP, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, SECRET, SERVICE } from '../machinery/resources.ts';
import type { ConfigMap, Container, KubeObject, Pod, Secret, Service } from '../machinery/types.ts';
import { Backoff } from './backoff.ts';
import type { KubeletConfig } from './config.ts';
import { RuntimeError, type ContainerRuntime } from './container-runtime.ts';
import type { EnvironmentSources } from './environment.ts';
import { admit } from './admission.ts';
import { ensureKubeletChains } from './iptables.ts';
import type { Klog } from './klog.ts';
import { NodeStatus } from './node-status.ts';
import type { ObservedPod } from './pod-actions.ts';
import { generatePodStatus, type PodStatus } from './pod-status.ts';
import { formatPod, PodSyncer, SyncError } from './pod-syncer.ts';
import { Prober, type ProbeTarget } from './probes.ts';
import { CONFIG_HASH, CONFIG_MIRROR, isMirror, isStatic, readManifests } from './static-pods.ts';
import { StatusManager } from './status-manager.ts';
import { podDirectory, setUpVolumes, tearDownVolumes, VolumeError, type VolumeSources } from './volumes.ts';

/** updateRuntimeUp. */
const RUNTIME_CHECK_MS = 5_000;
/** How long the runtime may be silent before the node is not ready. */
const RUNTIME_THRESHOLD_MS = 30_000;
const REPORTS_WAIT_MS = 10_000;
const PLEG_THRESHOLD_MS = 180_000;
/** The pod lifecycle event generator looks once a second. */
const RELIST_MS = 1_000;
const LEASE_MS = 10_000;
/** A sync that failed is repeated after ten to fifteen seconds. */
const RETRY_MS = { least: 10_000, jitter: 5_000 } as const;
/** A pod in order is looked at again after a minute to a minute and a half. */
const RESYNC_MS = { least: 60_000, jitter: 30_000 } as const;
const OBJECT_TTL_MS = 60_000;

export interface KubeletOptions {
  readonly process: Process;
  readonly config: KubeletConfig;
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly recorder: EventRecorder & {
    event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, options?: { readonly fieldPath?: string }): void;
  };
  readonly runtime: ContainerRuntime;
  readonly log: Klog;
  readonly signal: AbortSignal;
}

interface Worker {
  isRunning: boolean;
  isPending: boolean;
  timer: Disposable | undefined;
  /** The last version of a pod whose source is gone. */
  last: Pod;
}

export class Kubelet {
  readonly #o: KubeletOptions;
  readonly #sys: Syscalls;
  readonly #desired = new Map<string, Pod>();
  readonly #workers = new Map<string, Worker>();
  readonly #rejected = new Map<string, { readonly reason: string; readonly message: string }>();
  readonly #admitted = new Set<string>();
  readonly #objects = new Map<string, { readonly atMs: number; readonly object: Promise<unknown> }>();
  readonly #services: Informer<Service>;
  readonly #apiPods: Lister<Pod>;
  readonly #statuses: StatusManager;
  readonly #prober: Prober;
  readonly #syncer: PodSyncer;
  readonly node: NodeStatus;
  readonly #crashes: Backoff;
  readonly #pulls: Backoff;
  readonly #faults: { fail: (error: unknown) => void } = { fail: () => undefined };
  #dirty = new Set<string>();
  #isAllDirty = false;
  #relist: Disposable | undefined;
  #runtimeSyncMs = 0;
  #plegMs = 0;
  #isWatching = false;
  #networkProblem: string | undefined;
  #isApiSynced = false;
  readonly #startedMs: number;

  constructor(options: KubeletOptions) {
    this.#o = options;
    const { process, config, client, runtime, log, recorder } = options;
    this.#sys = process.sys;
    this.#startedMs = process.sys.now();
    const sys = this.#sys;
    const fault = (error: unknown): void => this.#faults.fail(error);
    this.#crashes = new Backoff(sys.clock);
    this.#pulls = new Backoff(sys.clock);
    this.#services = options.informers.for<Service>(SERVICE);
    const pods = options.informers.for<Pod>(POD, { fieldSelector: `spec.nodeName=${config.nodeName}` });
    this.#apiPods = pods.lister;
    pods.onChange((change) => this.#onApiPod(change.type === 'removed', change.object));
    pods.synced.then(
      () => {
        this.#isApiSynced = true;
        this.#removeOrphans();
        if (process.resumed) this.#wakeAll();
      },
      (error: unknown) => {
        if (!options.signal.aborted) fault(error);
      },
    );
    this.node = new NodeStatus({
      sys,
      config,
      client,
      runtime,
      log,
      recorder,
      isResumed: process.resumed,
      problems: () => this.#problems(),
    });
    this.#statuses = new StatusManager({
      client,
      clock: sys.clock,
      log,
      apiPod: (pod) => this.#apiPodOf(pod),
      onFault: (error) => this.#onFault(error),
    });
    this.#prober = new Prober({
      process,
      runtime,
      onResult: (uid) => this.#wake(uid),
      event: (pod, container, type, reason, message) => this.#event(pod, type, reason, message, container),
      onFault: fault,
    });
    this.#syncer = new PodSyncer({
      process,
      runtime,
      prober: this.#prober,
      crashes: this.#crashes,
      pulls: this.#pulls,
      event: (pod, type, reason, message, container) => this.#event(pod, type, reason, message, container),
      log,
      nodeName: config.nodeName,
      serializesPulls: config.serializesPulls,
      clusterDns: config.clusterDns,
      clusterDomain: config.clusterDomain,
      resolvConf: config.resolvConf,
      environment: () => this.#environment(),
      observe: (pod) => this.#observe(pod.metadata.uid),
    });
  }

  /** Runs until `signal` aborts. */
  async run(): Promise<void> {
    const { signal, process, config, log } = this.#o;
    const fault = new Promise<never>((_, reject) => {
      this.#faults.fail = reject;
    });
    fault.catch(stopped);
    for (const directory of ['/var/lib/kubelet/pods', '/var/log/pods', '/var/log/containers'])
      this.#sys.mkdir(directory, { recursive: true });
    ensureKubeletChains(this.#sys, log);
    await this.#checkRuntime();
    if (config.staticPodPath !== undefined) this.#watchManifests(config.staticPodPath);
    const tasks = [
      this.#every(RUNTIME_CHECK_MS, () => this.#checkRuntime()),
      this.#followRuntime(),
      this.#heartbeat(),
      this.#every(60_000, () => this.#housekeeping()),
    ];
    if (!process.resumed) this.#o.recorder.event(this.node.reference, 'Normal', 'Starting', 'Starting kubelet.');
    try {
      await Promise.race([fault, ...tasks]);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #onFault(error: unknown): void {
    if (error instanceof ProcessExit || this.#o.signal.aborted) return;
    this.#faults.fail(error);
  }

  async #every(periodMs: number, act: () => Promise<void>): Promise<void> {
    const { signal } = this.#o;
    for (;;) {
      await this.#sys.sleep(periodMs, signal);
      await act();
    }
  }

  async #heartbeat(): Promise<void> {
    const { signal, config, process } = this.#o;
    await this.node.register();
    if (process.resumed) await this.#settle();
    await this.#every0(
      () => this.node.renewLease(),
      () => this.node.update(),
      Math.min(LEASE_MS, config.statusUpdateMs),
      signal,
    );
  }

  /** A kubelet that goes on has not lost its runtime because it has not asked yet: what it last reported stands until it knows. */
  async #settle(): Promise<void> {
    await this.node.renewLease();
    for (let waited = 0; waited < RUNTIME_THRESHOLD_MS && this.#problems().length > 0; waited += 1000)
      await this.#sys.sleep(1000, this.#o.signal);
  }

  async #every0(lease: () => Promise<void>, status: () => Promise<void>, periodMs: number, signal: AbortSignal): Promise<void> {
    let wasReady = false;
    for (;;) {
      await lease();
      await status();
      const isReady = this.#problems().length === 0;
      // The first ready status goes out as soon as there is one.
      for (let waited = 0; !wasReady && !isReady && waited < periodMs; waited += 1000) {
        await this.#sys.sleep(1000, signal);
        if (this.#problems().length === 0) break;
      }
      if (!wasReady && !isReady && this.#problems().length === 0) {
        wasReady = true;
        continue;
      }
      wasReady ||= isReady;
      if (wasReady) await this.#sys.sleep(periodMs, signal);
    }
  }

  // The runtime

  #problems(): readonly string[] {
    const nowMs = this.#sys.now();
    const problems: string[] = [];
    if (this.#runtimeSyncMs === 0) problems.push('container runtime status check may not have completed yet');
    else if (nowMs - this.#runtimeSyncMs > RUNTIME_THRESHOLD_MS) problems.push('container runtime is down');
    if (this.#plegMs === 0) problems.push('PLEG is not healthy: pleg has yet to be successful');
    else if (!this.#isWatching && nowMs - this.#plegMs > PLEG_THRESHOLD_MS) {
      const silentSeconds = Math.floor((nowMs - this.#plegMs) / 1000);
      problems.push(
        `PLEG is not healthy: pleg was last seen active ${Math.floor(silentSeconds / 60)}m${silentSeconds % 60}s ago; threshold is 3m0s`,
      );
    }
    if (this.#networkProblem !== undefined) problems.push(this.#networkProblem);
    return problems;
  }

  get #isRuntimeUp(): boolean {
    return this.#runtimeSyncMs > 0 && this.#isWatching;
  }

  async #checkRuntime(): Promise<void> {
    const { runtime, log } = this.#o;
    const wasUp = this.#isRuntimeUp;
    try {
      const status = await runtime.status();
      const before = this.#networkProblem;
      this.#networkProblem = status.networkReady
        ? undefined
        : `runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${status.networkMessage}`;
      if (this.#networkProblem !== undefined) {
        log('W', 'cni.go:239', 'Unable to update cni config: no networks found in /etc/cni/net.d');
        log(
          'E',
          'kubelet.go:2163',
          `Container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${status.networkMessage}`,
        );
      } else if (before !== undefined) this.#wakeAll();
      this.#runtimeSyncMs = this.#sys.now();
      // What came while the runtime was away has waited for this.
      if (!wasUp && this.#isRuntimeUp) this.#wakeAll();
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      log('E', 'kubelet.go:2183', `Container runtime sanity check failed: rpc error: code = Unknown desc = ${error.message}`);
    }
  }

  async #followRuntime(): Promise<void> {
    const { runtime, signal, log } = this.#o;
    for (;;) {
      try {
        await runtime.watchEvents((uid) => {
          const isFirst = !this.#isWatching;
          this.#isWatching = true;
          // Everything goes on at the same instant in a resumed machine: docker was a moment behind the first question.
          if (isFirst && this.#o.process.resumed && this.#runtimeSyncMs === 0) this.#background(this.#checkRuntime());
          this.#plegMs = this.#sys.now();
          if (uid === undefined) this.#isAllDirty = true;
          else this.#dirty.add(uid);
          this.#scheduleRelist();
        }, signal);
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        if (this.#isWatching)
          log('E', 'generic.go:205', `GenericPLEG: Unable to retrieve pods: rpc error: code = Unknown desc = ${error.message}`);
      }
      if (this.#isWatching) this.#plegMs = this.#sys.now();
      this.#isWatching = false;
      await this.#sys.sleep(RELIST_MS, signal);
    }
  }

  #scheduleRelist(): void {
    this.#relist ??= this.#sys.clock.setTimer(RELIST_MS, () => {
      this.#relist = undefined;
      const uids = this.#dirty;
      this.#dirty = new Set();
      const isAll = this.#isAllDirty;
      this.#isAllDirty = false;
      if (this.#o.signal.aborted) return;
      if (isAll) {
        this.#wakeAll();
        this.#removeOrphans();
      } else for (const uid of uids) this.#wake(uid);
    });
  }

  async #observe(uid: string): Promise<ObservedPod> {
    const { runtime } = this.#o;
    const [sandboxes, containers] = await Promise.all([runtime.sandboxes(uid), runtime.containers(uid)]);
    return {
      sandboxes: [...sandboxes].sort((a, b) => b.attempt - a.attempt || b.createdMs - a.createdMs),
      containers: [...containers].sort((a, b) => b.createdMs - a.createdMs || b.attempt - a.attempt),
    };
  }

  // Where pods come from

  #onApiPod(isRemoved: boolean, pod: Pod): void {
    if (isMirror(pod)) {
      const owner = this.#staticPodOf(pod);
      if (owner !== undefined) {
        this.#wake(owner.metadata.uid);
        this.#statuses.refresh(owner.metadata.uid);
      } else if (!isRemoved) this.#background(this.#deleteMirror(pod));
      return;
    }
    const { uid } = pod.metadata;
    if (isRemoved) this.#desired.delete(uid);
    else {
      const old = this.#desired.get(uid);
      this.#desired.set(uid, pod);
      // Only the status changed, and it was us who changed it.
      if (old !== undefined && isSameToKubelet(old, pod)) return;
    }
    this.#wake(uid, pod);
  }

  #watchManifests(directory: string): void {
    const { log, config } = this.#o;
    const seen = new Map<string, Pod>();
    const read = (): void => {
      const pods = readManifests(this.#sys, directory, config.nodeName, log);
      const found = new Map(pods.map((pod) => [pod.metadata.uid, pod]));
      for (const [uid, pod] of seen) {
        if (found.has(uid)) continue;
        seen.delete(uid);
        this.#desired.delete(uid);
        this.#wake(uid, pod);
      }
      for (const [uid, pod] of found) {
        if (seen.has(uid)) continue;
        seen.set(uid, pod);
        this.#desired.set(uid, pod);
        this.#wake(uid, pod);
      }
    };
    if (this.#sys.exists(directory)) this.#sys.watch(directory, read);
    read();
    this.#background(
      this.#every(config.fileCheckMs, () => {
        read();
        return Promise.resolve();
      }),
    );
  }

  #staticPodOf(mirror: Pod): Pod | undefined {
    const key = keyOf(mirror);
    return [...this.#desired.values()].find((pod) => isStatic(pod) && keyOf(pod) === key);
  }

  #mirrorOf(pod: Pod): Pod | undefined {
    const found = this.#apiPods.get(keyOf(pod));
    return found !== undefined && isMirror(found) ? found : undefined;
  }

  #apiPodOf(pod: Pod): Pod | undefined {
    if (!isStatic(pod)) return pod;
    const mirror = this.#mirrorOf(pod);
    return mirror?.metadata.annotations?.[CONFIG_MIRROR] === pod.metadata.annotations?.[CONFIG_HASH] ? mirror : undefined;
  }

  /** False when the server would not take it: the pod runs all the same, and the mirror is tried again. */
  async #ensureMirror(pod: Pod): Promise<boolean> {
    const { client, config, log } = this.#o;
    if (!this.#isApiSynced || this.node.uid === undefined) return true;
    const mirror = this.#mirrorOf(pod);
    const hash = pod.metadata.annotations![CONFIG_HASH]!;
    if (mirror !== undefined) {
      const isOld = mirror.metadata.annotations?.[CONFIG_MIRROR] !== hash;
      if (mirror.metadata.deletionTimestamp === undefined && !isOld) return true;
      log('W', 'kubelet.go:1638', `Deleting mirror pod "${formatPod(mirror)}" because it is outdated`);
      await this.#deleteMirror(mirror);
    }
    const { name, namespace, labels, annotations } = pod.metadata;
    try {
      await client.create<Pod>(POD, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name,
          namespace: namespace!,
          ...(labels === undefined ? {} : { labels }),
          annotations: { ...annotations, [CONFIG_MIRROR]: hash },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: config.nodeName, uid: this.node.uid, controller: true }],
        },
        spec: pod.spec!,
      });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status.reason === 'AlreadyExists') return true;
      if (!(error instanceof ApiError) && !(error instanceof SysError)) throw error;
      log('E', 'kubelet.go:1656', `Failed creating a mirror pod for "${formatPod(pod)}": ${error.message}`);
      return false;
    }
  }

  async #deleteMirror(mirror: Pod): Promise<void> {
    try {
      await this.#statuses.finishDeletion(mirror);
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof SysError)) throw error;
      this.#o.log(
        'E',
        'mirror_client.go:142',
        `Failed deleting a mirror pod "${mirror.metadata.name}_${mirror.metadata.namespace ?? ''}": ${error.message}`,
      );
    }
  }

  // Workers

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#onFault(error));
  }

  #wakeAll(): void {
    for (const uid of new Set([...this.#desired.keys(), ...this.#workers.keys()])) this.#wake(uid);
  }

  #wake(uid: string, pod: Pod | undefined = this.#desired.get(uid)): void {
    let worker = this.#workers.get(uid);
    if (worker === undefined) {
      if (pod === undefined) return;
      worker = { isRunning: false, isPending: false, timer: undefined, last: pod };
      this.#workers.set(uid, worker);
    }
    if (pod !== undefined) worker.last = pod;
    worker.timer?.dispose();
    worker.timer = undefined;
    worker.isPending = true;
    if (!worker.isRunning) this.#background(this.#work(uid, worker));
  }

  async #work(uid: string, worker: Worker): Promise<void> {
    worker.isRunning = true;
    try {
      while (worker.isPending && !this.#o.signal.aborted) {
        worker.isPending = false;
        const outcome = await this.#attempt(uid, worker);
        if (outcome === 'done') {
          if (!worker.isPending) this.#workers.delete(uid);
          return;
        }
        const { least, jitter } = outcome === 'again' ? RETRY_MS : RESYNC_MS;
        if (!worker.isPending) worker.timer = this.#sys.clock.setTimer(least + this.#sys.rng.float() * jitter, () => this.#wake(uid));
      }
    } finally {
      worker.isRunning = false;
    }
  }

  async #attempt(uid: string, worker: Worker): Promise<'done' | 'settled' | 'again'> {
    const { log } = this.#o;
    if (!this.#isRuntimeUp || this.#awaitsReports()) return 'again';
    const pod = this.#desired.get(uid);
    try {
      if (pod === undefined) return await this.#remove(worker.last, undefined);
      if (pod.metadata.deletionTimestamp !== undefined && !isStatic(pod)) return await this.#terminate(pod);
      return (await this.#syncPod(pod)) ? 'settled' : 'again';
    } catch (error) {
      if (error instanceof SyncError || error instanceof RuntimeError || error instanceof ApiError || isSysError(error)) {
        log('E', 'pod_workers.go:191', `Error syncing pod ${uid} ("${formatPod(worker.last)}"), skipping: ${error.message}`);
        return 'again';
      }
      throw error;
    }
  }

  /** A kubelet that goes on asks first what it last reported of its pods: their probes start from there. Without an API it does not wait for long. */
  #awaitsReports(): boolean {
    return this.#o.process.resumed && !this.#isApiSynced && this.#sys.now() - this.#startedMs < REPORTS_WAIT_MS;
  }

  /** False when something is left to be tried again soon. */
  async #syncPod(pod: Pod): Promise<boolean> {
    const { uid } = pod.metadata;
    const observed = await this.#observe(uid);
    if (!this.#checkAdmission(pod, observed)) return true;
    const status = this.#report(pod, observed);
    // The server itself may be the pod: it must start without a mirror.
    const isMirrored = !isStatic(pod) || (await this.#ensureMirror(pod));
    if (status.phase === 'Failed' || status.phase === 'Succeeded') {
      if (observed.sandboxes.some((sandbox) => sandbox.state === 'ready')) await this.#syncer.killPod(pod, observed, undefined);
      return isMirrored;
    }
    if (this.#networkProblem !== undefined && pod.spec!.hostNetwork !== true) {
      this.#event(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${this.#networkProblem}`);
      throw new SyncError(`network is not ready: ${this.#networkProblem}`);
    }
    await this.#waitForNamesake(pod);
    const volumes = await this.#volumes(pod, observed);
    try {
      await this.#syncer.sync(pod, observed, volumes);
    } finally {
      await this.#reportAfter(pod);
    }
    return isMirrored;
  }

  async #reportAfter(pod: Pod): Promise<void> {
    try {
      const observed = await this.#observe(pod.metadata.uid);
      this.#report(this.#desired.get(pod.metadata.uid) ?? pod, observed);
      await this.#collect(observed);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
    }
  }

  #checkAdmission(pod: Pod, observed: ObservedPod): boolean {
    const { uid } = pod.metadata;
    if (this.#admitted.has(uid)) return true;
    const rejected = this.#rejected.get(uid);
    if (rejected !== undefined) return false;
    const isKnown = isStatic(pod) || pod.status?.startTime !== undefined || observed.sandboxes.length > 0;
    const others = [...this.#desired.values()].filter(
      (other) =>
        other.metadata.uid !== uid &&
        (this.#admitted.has(other.metadata.uid) || other.status?.startTime !== undefined) &&
        other.status?.phase !== 'Failed' &&
        other.status?.phase !== 'Succeeded',
    );
    const reason = isKnown ? undefined : admit(pod, others, { ...this.node.capacity, maxPods: this.#o.config.maxPods });
    if (reason === undefined) {
      this.#admitted.add(uid);
      return true;
    }
    this.#rejected.set(uid, reason);
    this.#event(pod, 'Warning', reason.reason, reason.message);
    this.#statuses.set(pod, {
      phase: 'Failed',
      reason: reason.reason,
      message: `Pod ${reason.message}`,
      startTime: new Date(Math.floor(this.#sys.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z'),
    });
    return false;
  }

  /** A static pod whose manifest changed starts only after its old self has gone. */
  async #waitForNamesake(pod: Pod): Promise<void> {
    if (!isStatic(pod)) return;
    const sandboxes = await this.#o.runtime.sandboxes();
    const old = sandboxes.find(
      (sandbox) =>
        sandbox.state === 'ready' &&
        sandbox.podUid !== pod.metadata.uid &&
        sandbox.name === pod.metadata.name &&
        sandbox.namespace === pod.metadata.namespace,
    );
    if (old === undefined) return;
    if (!this.#workers.has(old.podUid)) this.#removeOrphans();
    throw new SyncError(`pod "${formatPod(pod)}" waits for the end of the pod it replaces`);
  }

  async #volumes(pod: Pod, observed: ObservedPod): Promise<ReadonlyMap<string, string>> {
    try {
      return await setUpVolumes(pod, this.#volumeSources(observed));
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      this.#event(pod, 'Warning', 'FailedMount', error.message);
      // What runs goes on with what it has.
      throw new SyncError(error.message);
    }
  }

  #report(pod: Pod, observed: ObservedPod): PodStatus {
    const { uid } = pod.metadata;
    const all = pod.spec!.containers;
    const address =
      pod.spec!.hostNetwork === true ? this.node.address : observed.sandboxes.find((sandbox) => sandbox.state === 'ready')?.address;
    const previous = this.#statuses.get(uid) ?? (isStatic(pod) ? this.#mirrorOf(pod)?.status : pod.status) ?? {};
    const targets: ProbeTarget[] = observed.containers
      .filter((container) => container.state === 'running')
      .flatMap((status) => {
        const container = all.find((candidate) => candidate.name === status.name);
        if (container === undefined || address === undefined) return [];
        const old = this.#o.process.resumed
          ? previous.containerStatuses?.find((candidate) => candidate.containerID === `docker://${status.id}`)
          : undefined;
        const resumed = old === undefined ? undefined : { isReady: old.ready, isStarted: old.started === true };
        return [{ pod, container, containerId: status.id, startedMs: status.startedMs, address, resumed }];
      });
    this.#prober.follow(uid, pod.metadata.deletionTimestamp === undefined ? targets : []);
    const status = generatePodStatus({
      pod,
      observed,
      previous,
      nowMs: this.#sys.now(),
      hostAddress: this.node.address,
      waiting: (name) => this.#syncer.waitingReason(uid, name),
      isStarted: (container, id) => this.#prober.isStarted(container, id),
      isReady: (container, id) => this.#prober.isReady(container, id),
    });
    this.#statuses.set(pod, status);
    return status;
  }

  /** A pod being deleted: ends it, cleans up, and takes it out of the API. */
  async #terminate(pod: Pod): Promise<'done' | 'again'> {
    const observed = await this.#observe(pod.metadata.uid);
    this.#report(pod, observed);
    await this.#syncer.killPod(pod, observed, pod.metadata.deletionGracePeriodSeconds);
    const after = await this.#observe(pod.metadata.uid);
    this.#report(pod, after);
    await this.#statuses.finishDeletion(pod);
    await this.#cleanUp(pod.metadata.uid, after);
    return 'done';
  }

  /** A pod whose source is gone. */
  async #remove(pod: Pod, graceSeconds: number | undefined): Promise<'done' | 'again'> {
    const observed = await this.#observe(pod.metadata.uid);
    await this.#syncer.killPod(pod, observed, graceSeconds);
    await this.#cleanUp(pod.metadata.uid, await this.#observe(pod.metadata.uid));
    const mirror = isStatic(pod) ? this.#mirrorOf(pod) : undefined;
    if (mirror !== undefined && this.#staticPodOf(mirror) === undefined) await this.#deleteMirror(mirror);
    for (const other of this.#desired.values()) if (isStatic(other) && keyOf(other) === keyOf(pod)) this.#wake(other.metadata.uid);
    return 'done';
  }

  async #cleanUp(uid: string, observed: ObservedPod): Promise<void> {
    const { runtime } = this.#o;
    this.#prober.follow(uid, []);
    for (const container of observed.containers) await runtime.removeContainer(container.id);
    for (const sandbox of observed.sandboxes) await runtime.removeSandbox(sandbox.id);
    tearDownVolumes(this.#sys, uid);
    this.#statuses.forget(uid);
    this.#syncer.forget(uid);
    this.#admitted.delete(uid);
    this.#rejected.delete(uid);
  }

  /** Keeps one dead container of each name and the newest sandbox. */
  async #collect(observed: ObservedPod): Promise<void> {
    const { runtime } = this.#o;
    const removed = new Set<string>();
    const seen = new Set<string>();
    for (const container of observed.containers) {
      const isDead = container.state !== 'running' && container.state !== 'created';
      if (isDead && seen.has(container.name)) removed.add(container.id);
      if (isDead) seen.add(container.name);
    }
    for (const id of removed) await runtime.removeContainer(id);
    // Removing a sandbox takes its containers with it, and the newest dead one of a name is what restarts are counted from.
    for (const sandbox of observed.sandboxes.slice(1)) {
      const isUsed = observed.containers.some((container) => container.sandboxId === sandbox.id && !removed.has(container.id));
      if (sandbox.state !== 'ready' && !isUsed) await runtime.removeSandbox(sandbox.id).catch(keepForLater);
    }
  }

  /** What the runtime has of pods that nobody wants any more. */
  #removeOrphans(): void {
    if (!this.#isApiSynced || !this.#isRuntimeUp) return;
    const find = async (): Promise<void> => {
      try {
        for (const sandbox of await this.#o.runtime.sandboxes()) {
          const { podUid: uid, name, namespace } = sandbox;
          if (this.#desired.has(uid) || this.#workers.has(uid)) continue;
          this.#wake(uid, {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name, namespace, uid, resourceVersion: '', creationTimestamp: '' },
            spec: { containers: [], hostNetwork: sandbox.hostNetwork },
          });
        }
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
      }
    };
    this.#background(find());
  }

  async #housekeeping(): Promise<void> {
    this.#crashes.collect();
    this.#pulls.collect();
    ensureKubeletChains(this.#sys, this.#o.log);
    if (!this.#isApiSynced) return;
    const root = podDirectory('').slice(0, -1);
    for (const uid of this.#sys.readdir(root)) if (!this.#desired.has(uid) && !this.#workers.has(uid)) tearDownVolumes(this.#sys, uid);
    await Promise.resolve();
  }

  // What pods need to know

  #event(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string, container?: Container): void {
    const about = isStatic(pod) ? pod : (this.#desired.get(pod.metadata.uid) ?? pod);
    const isInit = container !== undefined && (pod.spec!.initContainers ?? []).some((candidate) => candidate.name === container.name);
    const fieldPath = container === undefined ? undefined : `spec.${isInit ? 'initContainers' : 'containers'}{${container.name}}`;
    this.#o.recorder.event(about, type, reason, message, fieldPath === undefined ? {} : { fieldPath });
  }

  #environment(): Omit<EnvironmentSources, 'podAddress'> {
    return {
      services: this.#services.lister.list(),
      areServicesKnown: this.#services.hasSynced,
      configMap: (namespace, name) =>
        this.#object<ConfigMap>(`configmap/${namespace}/${name}`, () => this.#o.client.get<ConfigMap>(CONFIG_MAP, name, namespace)),
      secret: (namespace, name) =>
        this.#object<Secret>(`secret/${namespace}/${name}`, () => this.#o.client.get<Secret>(SECRET, name, namespace)),
      hostAddress: this.node.address,
      isNotFound,
      node: this.node.capacity,
    };
  }

  #volumeSources(observed: ObservedPod): VolumeSources {
    const environment = this.#environment();
    const { client } = this.#o;
    return {
      sys: this.#sys,
      configMap: environment.configMap,
      secret: environment.secret,
      isNotFound,
      environment: { ...environment, podAddress: observed.sandboxes.find((sandbox) => sandbox.state === 'ready')?.address },
      serviceAccountToken: async (namespace, name, expirationSeconds, audience) => {
        const request = {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { audiences: audience === undefined ? [] : [audience], expirationSeconds },
        };
        const answer = (await client.createSubresource(
          { group: '', version: 'v1', resource: 'serviceaccounts', kind: 'ServiceAccount', isNamespaced: true },
          name,
          namespace,
          'token',
          request,
        )) as { readonly status: { readonly token: string } };
        return answer.status.token;
      },
      claim: async (namespace, name) => {
        const claim = await client.get<KubeObject & { spec: { volumeName?: string } }>(PERSISTENT_VOLUME_CLAIM, name, namespace);
        if (claim.spec.volumeName === undefined) throw new SyncError(`persistentvolumeclaim "${name}" is not bound`);
        const volume = await client.get<KubeObject & { spec: { nfs?: { server: string; path: string }; hostPath?: { path: string } } }>(
          PERSISTENT_VOLUME,
          claim.spec.volumeName,
        );
        return volume.spec;
      },
    };
  }

  /** Objects that pods use are asked for once a minute at most. */
  async #object<T>(key: string, get: () => Promise<T>): Promise<T> {
    const nowMs = this.#sys.now();
    const known = this.#objects.get(key);
    if (known !== undefined && nowMs - known.atMs < OBJECT_TTL_MS) return known.object as Promise<T>;
    const object = get();
    this.#objects.set(key, { atMs: nowMs, object });
    object.catch(() => this.#objects.delete(key));
    return object;
  }

  /** For the server. */
  pods(): readonly Pod[] {
    return [...this.#desired.values()].map((pod) => ({ ...pod, status: this.#statuses.get(pod.metadata.uid) ?? pod.status ?? {} }));
  }

  /** A pod by name, as the server's paths have it. */
  find(namespace: string, name: string): Pod | undefined {
    return this.pods().find((pod) => pod.metadata.namespace === namespace && pod.metadata.name === name);
  }

  observe(uid: string): Promise<ObservedPod> {
    return this.#observe(uid);
  }
}

/** Metadata and spec as far as the kubelet acts on them. */
function isSameToKubelet(a: Pod, b: Pod): boolean {
  const { metadata: x } = a;
  const { metadata: y } = b;
  return (
    x.deletionTimestamp === y.deletionTimestamp &&
    x.deletionGracePeriodSeconds === y.deletionGracePeriodSeconds &&
    JSON.stringify([a.spec, x.labels, x.annotations]) === JSON.stringify([b.spec, y.labels, y.annotations])
  );
}

/** A sandbox that cannot be removed now is met again at the next turn. */
function keepForLater(error: unknown): void {
  if (!(error instanceof RuntimeError)) throw error;
}

function stopped(_error: unknown): void {
  // `run` reports it.
}
