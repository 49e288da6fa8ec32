// Models kuberuntime's SyncPod and KillPod: carries out what computePodActions decided.

import { md5 } from '@noble/hashes/legacy.js';
import { toHex, utf8 } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import { ApiError } from '../machinery/api-error.ts';
import type { Container, Pod } from '../machinery/types.ts';
import { HttpClient } from '../../net/http-client.ts';
import type { Process, Syscalls } from '../../kernel/process.ts';
import type { Backoff } from './backoff.ts';
import { goDuration } from './backoff.ts';
import {
  RuntimeError,
  type ContainerConfig,
  type ContainerRuntime,
  type ContainerStatus,
  type SandboxConfig,
} from './container-runtime.ts';
import { ContainerConfigError, environmentOf, expand, quantity, type EnvironmentSources } from './environment.ts';
import type { Klog } from './klog.ts';
import { computePodActions, statusOf, type ObservedPod } from './pod-actions.ts';
import { qosClassOf, restartCountOf } from './pod-status.ts';
import { portOf, type Prober } from './probes.ts';
import { mountsOf, podDirectory, VolumeError } from './volumes.ts';

/** docker never gets less time than this to stop a container. */
const MIN_GRACE_SECONDS = 2;

export type PodEvent = (pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string, container?: Container) => void;

export interface SyncerOptions {
  readonly process: Process;
  readonly runtime: ContainerRuntime;
  readonly prober: Prober;
  readonly crashes: Backoff;
  readonly pulls: Backoff;
  readonly event: PodEvent;
  readonly log: Klog;
  readonly nodeName: string;
  readonly serializesPulls: boolean;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly resolvConf: string;
  readonly environment: () => Omit<EnvironmentSources, 'podAddress'>;
  /** Observes the pod afresh. */
  readonly observe: (pod: Pod) => Promise<ObservedPod>;
}

/** Why a sync did not get to its end; the worker tries again later. */
export class SyncError extends Error {
  override readonly name = 'SyncError';
}

interface Waiting {
  readonly reason: string;
  readonly message: string;
}

export class PodSyncer {
  readonly #o: SyncerOptions;
  readonly #sys: Syscalls;
  /** Why containers are not started, by pod uid and name. */
  readonly #waiting = new Map<string, Waiting>();
  #pulling: Promise<unknown> = Promise.resolve();

  constructor(options: SyncerOptions) {
    this.#o = options;
    this.#sys = options.process.sys;
  }

  waitingReason(uid: string, name: string): Waiting | undefined {
    return this.#waiting.get(`${uid}/${name}`);
  }

  forget(uid: string): void {
    for (const key of this.#waiting.keys()) if (key.startsWith(`${uid}/`)) this.#waiting.delete(key);
  }

  /** One step towards the pod's spec; throws SyncError when something has to be tried again. */
  async sync(pod: Pod, observed: ObservedPod, volumes: ReadonlyMap<string, string>): Promise<void> {
    const actions = computePodActions(pod, observed, {
      hashOf: containerHash,
      hasFailedLiveness: (id) => this.#o.prober.hasFailed(id, 'liveness'),
      hasFailedStartup: (id) => this.#o.prober.hasFailed(id, 'startup'),
    });
    if (actions.createSandbox && actions.sandboxId !== '') {
      this.#o.event(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    }
    if (actions.killPod) {
      await this.killPod(pod, observed, undefined);
    } else {
      await Promise.all(
        actions.containersToKill.map((doomed) => this.#killContainer(pod, doomed.container, doomed.id, doomed.message, undefined)),
      );
    }
    let sandboxId = actions.sandboxId;
    let current = observed;
    const config = this.#sandboxConfig(pod, actions.attempt);
    if (actions.createSandbox) {
      // In the new sandbox initialisation starts from its beginning.
      const inits = new Set((pod.spec!.initContainers ?? []).map((container) => container.name));
      for (const old of observed.containers) if (inits.has(old.name)) await this.#o.runtime.removeContainer(old.id);
      sandboxId = await this.#createSandbox(pod, config);
      current = { ...(await this.#o.observe(pod)), containers: observed.containers };
    }
    const address =
      pod.spec!.hostNetwork === true
        ? this.#o.environment().hostAddress
        : current.sandboxes.find((sandbox) => sandbox.id === sandboxId)?.address;
    const failures: string[] = [];
    const start = async (container: Container): Promise<void> => {
      const failure = await this.#startUnlessBackingOff(pod, container, { sandboxId, config, observed: current, address, volumes });
      if (failure !== undefined) failures.push(`failed to "StartContainer" for "${container.name}" with ${failure}`);
    };
    if (actions.initContainerToStart !== undefined) await start(actions.initContainerToStart);
    for (const container of actions.containersToStart) await start(container);
    if (failures.length > 0) throw new SyncError(failures.join(', '));
  }

  async #createSandbox(pod: Pod, config: SandboxConfig): Promise<string> {
    try {
      this.#sys.mkdir(config.logDirectory, { recursive: true });
      return await this.#o.runtime.runSandbox(config);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      const message = `rpc error: code = Unknown desc = ${error.message}`;
      this.#o.log('E', 'kuberuntime_manager.go:755', `createPodSandbox for pod "${formatPod(pod)}" failed: ${message}`);
      this.#o.event(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${message}`);
      throw new SyncError(
        `failed to "CreatePodSandbox" for "${formatPod(pod)}" with CreatePodSandboxError: "CreatePodSandbox for pod \\"${formatPod(pod)}\\" failed: ${message}"`,
      );
    }
  }

  /** Why the container was not started, as syncPod reports it; undefined when it was. */
  async #startUnlessBackingOff(pod: Pod, container: Container, context: StartContext): Promise<string | undefined> {
    const key = `${pod.metadata.uid}/${container.name}`;
    const last = context.observed.containers.find((status) => status.name === container.name && status.state === 'exited');
    const backoffKey = `${pod.metadata.name}_${pod.metadata.namespace ?? ''}_${pod.metadata.uid}_${container.name}_${containerHash(container)}`;
    if (last !== undefined) {
      if (this.#o.crashes.isWaitingSince(backoffKey, last.finishedMs)) {
        this.#o.event(pod, 'Warning', 'BackOff', 'Back-off restarting failed container', container);
        const message = `back-off ${goDuration(this.#o.crashes.delayOf(backoffKey))} restarting failed container=${container.name} pod=${formatPod(pod)}`;
        this.#waiting.set(key, { reason: 'CrashLoopBackOff', message });
        return `CrashLoopBackOff: ${JSON.stringify(message)}`;
      }
      this.#o.crashes.next(backoffKey, last.finishedMs);
    }
    const failure = await this.#start(pod, container, context);
    if (failure === undefined) {
      this.#waiting.delete(key);
      return undefined;
    }
    this.#waiting.set(key, failure);
    this.#o.log(
      'E',
      'pod_workers.go:191',
      `Error syncing pod ${pod.metadata.uid} ("${formatPod(pod)}"), skipping: failed to "StartContainer" for "${container.name}" with ${failure.reason}: ${JSON.stringify(failure.message)}`,
    );
    return `${failure.reason}: ${JSON.stringify(failure.message)}`;
  }

  async #start(pod: Pod, container: Container, context: StartContext): Promise<Waiting | undefined> {
    const { runtime } = this.#o;
    const image = await this.#ensureImage(pod, container);
    if ('reason' in image) return image;
    const previous = statusOf(container.name, context.observed);
    const attempt = previous === undefined ? 0 : restartCountOf(previous) + 1;
    let config: ContainerConfig;
    try {
      config = await this.#containerConfig(pod, container, image.id, attempt, context);
    } catch (error) {
      if (
        !(error instanceof ContainerConfigError) &&
        !(error instanceof VolumeError) &&
        !(error instanceof ApiError) &&
        !(error instanceof SysError)
      )
        throw error;
      this.#o.event(pod, 'Warning', 'Failed', `Error: ${error.message}`, container);
      return { reason: 'CreateContainerConfigError', message: error.message };
    }
    let id: string;
    try {
      id = await runtime.createContainer(context.sandboxId, config, context.config);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.#o.event(pod, 'Warning', 'Failed', `Error: ${error.message}`, container);
      return { reason: 'CreateContainerError', message: error.message };
    }
    this.#o.event(pod, 'Normal', 'Created', `Created container ${container.name}`, container);
    try {
      await runtime.startContainer(id);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      // An event names the container: with the id, which each try has anew, no two of them would be equal.
      this.#o.event(pod, 'Warning', 'Failed', `Error: ${error.message.replaceAll(id, container.name)}`, container);
      return { reason: 'RunContainerError', message: error.message };
    }
    this.#o.event(pod, 'Normal', 'Started', `Started container ${container.name}`, container);
    this.#linkLog(pod, container, id, `${context.config.logDirectory}/${config.logPath}`);
    return this.#postStart(pod, container, id, context.address);
  }

  /** /var/log/containers/POD_NAMESPACE_NAME-ID.log, for log collectors. */
  #linkLog(pod: Pod, container: Container, id: string, target: string): void {
    this.#sys.mkdir('/var/log/containers', { recursive: true });
    const path = `/var/log/containers/${pod.metadata.name}_${pod.metadata.namespace ?? ''}_${container.name}-${id}.log`;
    if (!this.#sys.exists(path)) this.#sys.symlink(target, path);
  }

  async #postStart(pod: Pod, container: Container, id: string, address: string | undefined): Promise<Waiting | undefined> {
    const hook = container.lifecycle?.postStart;
    if (hook === undefined) return undefined;
    const failure = await this.#runHook(pod, container, id, hook, address);
    if (failure === undefined) return undefined;
    this.#o.event(pod, 'Warning', 'FailedPostStartHook', failure, container);
    await this.#killContainer(pod, container, id, 'FailedPostStartHook', undefined);
    return { reason: 'PostStartHookError', message: failure.replace(/^.* - error: /, '') };
  }

  async #runHook(
    pod: Pod,
    container: Container,
    id: string,
    hook: NonNullable<NonNullable<Container['lifecycle']>['postStart']>,
    address: string | undefined,
  ): Promise<string | undefined> {
    const about = `for Container "${container.name}" in Pod "${formatPod(pod)}" failed`;
    if (hook.exec !== undefined) {
      const command = hook.exec.command ?? [];
      try {
        const { exitCode, output } = await this.#o.runtime.execSync(id, command, 0);
        if (exitCode === 0) return undefined;
        return `Exec lifecycle hook (${`[${command.join(' ')}]`}) ${about} - error: command '${command.join(' ')}' exited with ${exitCode}: , message: ${JSON.stringify(output)}`;
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        return `Exec lifecycle hook (${`[${command.join(' ')}]`}) ${about} - error: ${error.message}, message: ""`;
      }
    }
    if (hook.httpGet !== undefined) {
      const host = hook.httpGet.host ?? address ?? '';
      const port = portOf(container, hook.httpGet.port);
      const client = new HttpClient({ host: `${host}:${port}`, maxIdle: 0, connect: () => this.#sys.net.connect({ address: host, port }) });
      try {
        const response = await client.request({ method: 'GET', target: hook.httpGet.path ?? '/' });
        return response.status < 400
          ? undefined
          : `Http lifecycle hook (${hook.httpGet.path ?? '/'}) ${about} - error: ${response.status}, message: ""`;
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        return `Http lifecycle hook (${hook.httpGet.path ?? '/'}) ${about} - error: Get "http://${host}:${port}/${(hook.httpGet.path ?? '/').replace(/^\//, '')}": dial tcp ${host}:${port}: connect: ${error.strerror.toLowerCase()}, message: ""`;
      } finally {
        client.close();
      }
    }
    return undefined;
  }

  async #ensureImage(pod: Pod, container: Container): Promise<{ readonly id: string } | Waiting> {
    const { runtime, event, pulls } = this.#o;
    const image = container.image ?? '';
    const reference = withTag(image);
    if (
      /[A-Z]/.test(
        reference
          .replace(/:[^:/]*$/, '')
          .replace(/@.*$/, '')
          .replace(/^[^/]*[.:][^/]*\//, ''),
      )
    ) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image reference "${image}": invalid reference format: repository name must be lowercase`;
      event(pod, 'Warning', 'InspectFailed', message, container);
      event(pod, 'Warning', 'Failed', 'Error: InvalidImageName', container);
      return { reason: 'InvalidImageName', message };
    }
    let present;
    try {
      present = await runtime.imageStatus(reference);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      event(pod, 'Warning', 'InspectFailed', `Failed to inspect image "${image}": ${error.message}`, container);
      return { reason: 'ImageInspectError', message: `Failed to inspect image "${image}": ${error.message}` };
    }
    const policy = container.imagePullPolicy ?? 'IfNotPresent';
    if (policy !== 'Always' && present !== undefined) {
      event(pod, 'Normal', 'Pulled', `Container image "${image}" already present on machine`, container);
      return { id: present.id };
    }
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      event(pod, 'Warning', 'ErrImageNeverPull', message, container);
      event(pod, 'Warning', 'Failed', 'Error: ErrImageNeverPull', container);
      return { reason: 'ErrImageNeverPull', message };
    }
    const key = `${pod.metadata.uid}_${image}`;
    if (pulls.isWaiting(key)) {
      const message = `Back-off pulling image "${image}"`;
      event(pod, 'Normal', 'BackOff', message, container);
      event(pod, 'Warning', 'Failed', 'Error: ImagePullBackOff', container);
      return { reason: 'ImagePullBackOff', message };
    }
    event(pod, 'Normal', 'Pulling', `Pulling image "${image}"`, container);
    const startMs = this.#sys.now();
    try {
      const id = await this.#inTurn(() => runtime.pullImage(reference));
      event(
        pod,
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${goDuration(this.#sys.now() - startMs + this.#sys.rng.float())}`,
        container,
      );
      return { id };
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      const message = `rpc error: code = Unknown desc = ${error.message}`;
      event(pod, 'Warning', 'Failed', `Failed to pull image "${image}": ${message}`, container);
      event(pod, 'Warning', 'Failed', 'Error: ErrImagePull', container);
      pulls.next(key, this.#sys.now());
      return { reason: 'ErrImagePull', message };
    }
  }

  /** Pulls one after another, as serializeImagePulls wants it. */
  #inTurn<T>(pull: () => Promise<T>): Promise<T> {
    if (!this.#o.serializesPulls) return pull();
    const next = this.#pulling.then(pull, pull);
    this.#pulling = next.catch((error: unknown) => error);
    return next;
  }

  async #containerConfig(
    pod: Pod,
    container: Container,
    imageId: string,
    attempt: number,
    context: StartContext,
  ): Promise<ContainerConfig> {
    const sys = this.#sys;
    const sources = { ...this.#o.environment(), podAddress: context.address };
    const env = await environmentOf(pod, container, sources);
    const value = (name: string): string | undefined => env.find((entry) => entry.name === name)?.value;
    const mounts = [...mountsOf(pod, container, context.volumes, sys, (path) => expand(path, value))];
    const directory = podDirectory(pod.metadata.uid);
    if (!mounts.some((mount) => mount.containerPath === '/etc/hosts')) {
      sys.mkdir(directory, { recursive: true });
      sys.writeFile(`${directory}/etc-hosts`, hostsFile(pod, context.address, sys));
      mounts.push({ hostPath: `${directory}/etc-hosts`, containerPath: '/etc/hosts', readOnly: false });
    }
    const messagePath = container.terminationMessagePath ?? '/dev/termination-log';
    const messageFile = `${directory}/containers/${container.name}/${String(sys.rng.int(0xffffffff).toString(16)).padStart(8, '0')}`;
    sys.mkdir(`${directory}/containers/${container.name}`, { recursive: true });
    sys.writeFile(messageFile, '', { mode: 0o666 });
    // A file bound below /dev would need a place in the kernel's own tree; elsewhere it is a plain bind.
    if (!messagePath.startsWith('/dev/')) mounts.push({ hostPath: messageFile, containerPath: messagePath, readOnly: false });
    const security = { ...pod.spec!.securityContext, ...container.securityContext } as {
      runAsUser?: number;
      runAsGroup?: number;
      privileged?: boolean;
    };
    const resources = container.resources ?? {};
    const limits = (resources.limits ?? {}) as Record<string, string | number>;
    const requests = (resources.requests ?? {}) as Record<string, string | number>;
    const cpu = quantity(requests['cpu'] ?? limits['cpu'] ?? 0);
    const labels: Record<string, string> = {
      'io.kubernetes.pod.name': pod.metadata.name,
      'io.kubernetes.pod.namespace': pod.metadata.namespace ?? '',
      'io.kubernetes.pod.uid': pod.metadata.uid,
      'io.kubernetes.container.name': container.name,
      'io.kubernetes.container.hash': containerHash(container),
    };
    return {
      name: container.name,
      image: imageId,
      attempt,
      command: (container.command ?? []).map((argument) => expand(argument, value)),
      args: (container.args ?? []).map((argument) => expand(argument, value)),
      workingDirectory: container.workingDir,
      env,
      mounts,
      labels,
      annotations: {
        'io.kubernetes.container.hash': containerHash(container),
        'io.kubernetes.container.restartCount': String(attempt),
        'io.kubernetes.container.terminationMessagePath': messagePath,
        'io.kubernetes.container.terminationMessagePolicy': container.terminationMessagePolicy ?? 'File',
        'io.kubernetes.pod.terminationGracePeriod': String(pod.spec!.terminationGracePeriodSeconds ?? 30),
      },
      stdin: container.stdin === true,
      stdinOnce: container.stdinOnce === true,
      tty: container.tty === true,
      privileged: security.privileged === true,
      user: security.runAsUser === undefined ? undefined : { uid: security.runAsUser, gid: security.runAsGroup ?? 0 },
      resources: {
        cpuShares: Math.max(2, Math.floor(cpu * 1024)),
        cpuQuota: limits['cpu'] === undefined ? 0 : Math.floor(quantity(limits['cpu']) * 100_000),
        memoryLimitBytes: limits['memory'] === undefined ? 0 : quantity(limits['memory']),
        oomScoreAdj: { Guaranteed: -998, Burstable: 999, BestEffort: 1000 }[qosClassOf(pod)],
      },
      logPath: `${container.name}/${attempt}.log`,
    };
  }

  #sandboxConfig(pod: Pod, attempt: number): SandboxConfig {
    const spec = pod.spec!;
    const qos = qosClassOf(pod).toLowerCase();
    return {
      podUid: pod.metadata.uid,
      name: pod.metadata.name,
      namespace: pod.metadata.namespace ?? 'default',
      attempt,
      hostname: (spec.hostname ?? pod.metadata.name).slice(0, 63),
      hostNetwork: spec.hostNetwork === true,
      hostPid: spec.hostPID === true,
      labels: pod.metadata.labels ?? {},
      logDirectory: `/var/log/pods/${pod.metadata.namespace ?? 'default'}_${pod.metadata.name}_${pod.metadata.uid}`,
      dns: this.#dns(pod),
      cgroupParent: `/kubepods${qos === 'guaranteed' ? '' : `/${qos}`}/pod${pod.metadata.uid}`,
      portMappings: spec.containers.flatMap((container) =>
        (container.ports ?? [])
          .filter((port) => (port.hostPort ?? 0) > 0 && spec.hostNetwork !== true)
          .map((port) => ({
            protocol: port.protocol ?? 'TCP',
            containerPort: port.containerPort,
            hostPort: port.hostPort!,
            hostAddress: port.hostIP ?? '',
          })),
      ),
    };
  }

  #dns(pod: Pod): SandboxConfig['dns'] {
    const spec = pod.spec!;
    const host = this.#hostDns();
    const policy = spec.dnsPolicy ?? 'ClusterFirst';
    const custom = {
      servers: spec.dnsConfig?.nameservers ?? [],
      searches: spec.dnsConfig?.searches ?? [],
      options: (spec.dnsConfig?.options ?? []).map((option) =>
        option.value === undefined ? (option.name ?? '') : `${option.name ?? ''}:${option.value}`,
      ),
    };
    const isCluster = (policy === 'ClusterFirst' && spec.hostNetwork !== true) || policy === 'ClusterFirstWithHostNet';
    const { clusterDomain: domain } = this.#o;
    const base =
      policy === 'None'
        ? { servers: [], searches: [], options: [] }
        : isCluster && this.#o.clusterDns.length > 0
          ? {
              servers: this.#o.clusterDns,
              searches: [`${pod.metadata.namespace ?? 'default'}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches],
              options: ['ndots:5'],
            }
          : host;
    return {
      servers: [...base.servers, ...custom.servers],
      searches: [...base.searches, ...custom.searches],
      options: [...base.options, ...custom.options],
    };
  }

  #hostDns(): { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] } {
    const contents = this.#sys.exists(this.#o.resolvConf) ? this.#sys.readTextFile(this.#o.resolvConf) : '';
    const words = (name: string): string[] =>
      [...contents.matchAll(new RegExp(`^\\s*${name}\\s+([^#;\\n]*)`, 'gm'))].flatMap((match) => match[1]!.trim().split(/\s+/));
    return { servers: words('nameserver').slice(0, 3), searches: words('search'), options: words('options') };
  }

  /** Ends all containers, then the sandboxes. */
  async killPod(pod: Pod, observed: ObservedPod, graceSeconds: number | undefined): Promise<void> {
    const all = [...(pod.spec!.initContainers ?? []), ...pod.spec!.containers];
    const running = observed.containers.filter((status) => status.state === 'running');
    await Promise.all(
      running.map((status) =>
        this.#killContainer(
          pod,
          all.find((container) => container.name === status.name),
          status.id,
          undefined,
          graceSeconds,
          status,
        ),
      ),
    );
    for (const sandbox of observed.sandboxes)
      if (sandbox.state === 'ready' || !sandbox.hostNetwork) await this.#stopSandbox(pod, sandbox.id);
  }

  async #stopSandbox(pod: Pod, id: string): Promise<void> {
    try {
      await this.#o.runtime.stopSandbox(id);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.#o.log('E', 'kuberuntime_sandbox.go', `StopPodSandbox "${id}" failed: ${error.message}`);
      this.#o.event(
        pod,
        'Warning',
        'FailedKillPod',
        `error killing pod: failed to "KillPodSandbox" for "${pod.metadata.uid}" with KillPodSandboxError: "rpc error: code = Unknown desc = ${error.message}"`,
      );
      throw new SyncError(error.message);
    }
  }

  async #killContainer(
    pod: Pod,
    container: Container | undefined,
    id: string,
    message: string | undefined,
    graceOverride: number | undefined,
    status?: ContainerStatus,
  ): Promise<void> {
    const name = container?.name ?? status?.name ?? '';
    let graceSeconds = graceOverride ?? pod.metadata.deletionGracePeriodSeconds ?? pod.spec!.terminationGracePeriodSeconds ?? 30;
    this.#o.event(pod, 'Normal', 'Killing', message ?? `Stopping container ${name}`, container);
    const hook = container?.lifecycle?.preStop;
    if (hook !== undefined && graceSeconds > 0) {
      const startMs = this.#sys.now();
      const limit = new AbortController();
      const expired = this.#sys.sleep(graceSeconds * 1000, limit.signal).then(
        () => undefined,
        (error: unknown) => {
          if (!limit.signal.aborted) throw error;
          return undefined;
        },
      );
      const failure = await Promise.race([this.#runHook(pod, container!, id, hook, undefined), expired]);
      limit.abort(new Error('the hook has ended'));
      if (failure !== undefined) this.#o.event(pod, 'Warning', 'FailedPreStopHook', failure, container);
      graceSeconds -= Math.floor((this.#sys.now() - startMs) / 1000);
    }
    try {
      await this.#o.runtime.stopContainer(id, Math.max(graceSeconds, graceOverride === 0 ? 0 : MIN_GRACE_SECONDS) * 1000);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      if (/No such container/.test(error.message)) return;
      throw new SyncError(error.message);
    }
  }
}

interface StartContext {
  readonly sandboxId: string;
  readonly config: SandboxConfig;
  readonly observed: ObservedPod;
  readonly address: string | undefined;
  readonly volumes: ReadonlyMap<string, string>;
}

/** `nginx` stands for `nginx:latest`. */
function withTag(image: string): string {
  return /@/.test(image) || /:[^/]+$/.test(image) ? image : `${image}:latest`;
}

/** `name_namespace(uid)`, as the kubelet writes of pods. */
export function formatPod(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})`;
}

/** Changes whenever the container's definition does. */
export function containerHash(container: Container): string {
  return toHex(md5(utf8(JSON.stringify(sorted(container))))).slice(0, 8);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

function hostsFile(pod: Pod, address: string | undefined, sys: Syscalls): string {
  const aliases = (pod.spec!.hostAliases ?? []).map((alias) => `${alias.ip ?? ''}\t${(alias.hostnames ?? []).join('\t')}\n`);
  const added = aliases.length === 0 ? '' : `\n# Entries added by HostAliases.\n${aliases.join('')}`;
  if (pod.spec!.hostNetwork === true) {
    const own = sys.exists('/etc/hosts') ? sys.readTextFile('/etc/hosts') : '';
    return `# Kubernetes-managed hosts file (host network).\n${own}${added}`;
  }
  const name = pod.spec!.hostname ?? pod.metadata.name;
  const domain =
    pod.spec!.subdomain === undefined ? '' : `${name}.${pod.spec!.subdomain}.${pod.metadata.namespace ?? ''}.svc.cluster.local\t`;
  return `# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n${address ?? ''}\t${domain}${name}\n${added}`;
}
