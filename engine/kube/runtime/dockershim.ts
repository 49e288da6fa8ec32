// Models dockershim: the kubelet's runtime interface spoken to docker's socket, with CNI for the pods' network.

import { concat, text } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import type { ByteSink, ByteSource } from '../../sim/stream.ts';
import type { Process, Syscalls } from '../../kernel/process.ts';
import {
  RuntimeError,
  type ContainerConfig,
  type ContainerRuntime,
  type ContainerStatus,
  type ExecStreams,
  type LogOptions,
  type SandboxConfig,
  type SandboxStatus,
} from '../kubelet/container-runtime.ts';
import { addNetwork, CniError, deleteNetwork, loadNetworkConfig, type CniRequest } from './cni.ts';
import { DaemonUnreachable, DockerClient } from './docker/client.ts';
import { DockerError, ZERO_TIME, type ContainerInspect, type ContainerSummary } from './docker/types.ts';
import { parseNano } from './nano-time.ts';
import { forwardPort } from './port-forward.ts';

const TYPE = 'io.kubernetes.docker.type';
const POD_NAME = 'io.kubernetes.pod.name';
const POD_NAMESPACE = 'io.kubernetes.pod.namespace';
const POD_UID = 'io.kubernetes.pod.uid';
const CONTAINER_NAME = 'io.kubernetes.container.name';
const SANDBOX_ID = 'io.kubernetes.sandbox.id';
const LOG_PATH = 'io.kubernetes.container.logpath';
const ANNOTATION = 'annotation.';
const CHECKPOINTS = '/var/lib/dockershim/sandbox';

export class Dockershim implements ContainerRuntime {
  readonly #process: Process;
  readonly #sys: Syscalls;
  readonly #docker: DockerClient;
  readonly #pauseImage: string;

  constructor(process: Process, options: { readonly pauseImage: string }) {
    this.#process = process;
    this.#sys = process.sys;
    this.#docker = new DockerClient(process.sys);
    this.#pauseImage = options.pauseImage;
    this.#sys.mkdir(CHECKPOINTS, { recursive: true });
  }

  async version(): Promise<{ readonly name: string; readonly version: string; readonly apiVersion: string }> {
    const version = await this.#ask(this.#docker.call<{ Version: string; ApiVersion: string }>('GET', '/version'));
    // Semantic versions have no leading zeros: 19.03.14 becomes 19.3.14.
    return { name: 'docker', version: version.Version.replace(/\.0+(\d)/g, '.$1'), apiVersion: `${version.ApiVersion}.0` };
  }

  async status(): Promise<{ readonly runtimeReady: boolean; readonly networkReady: boolean; readonly networkMessage: string }> {
    await this.#ask(this.#docker.call('GET', '/version'));
    const isReady = loadNetworkConfig(this.#sys) !== undefined;
    return {
      runtimeReady: true,
      networkReady: isReady,
      networkMessage: isReady ? '' : 'docker: network plugin is not ready: cni config uninitialized',
    };
  }

  async runSandbox(config: SandboxConfig): Promise<string> {
    if ((await this.imageStatus(this.#pauseImage)) === undefined) await this.pullImage(this.#pauseImage);
    const name = `k8s_POD_${config.name}_${config.namespace}_${config.podUid}_${config.attempt}`;
    const created = await this.#ask(
      this.#docker.create(
        {
          Image: this.#pauseImage,
          Hostname: config.hostNetwork ? this.#sys.hostname() : config.hostname,
          Labels: {
            ...config.labels,
            [TYPE]: 'podsandbox',
            [CONTAINER_NAME]: 'POD',
            [POD_NAME]: config.name,
            [POD_NAMESPACE]: config.namespace,
            [POD_UID]: config.podUid,
          },
          HostConfig: {
            NetworkMode: config.hostNetwork ? 'host' : 'none',
            PidMode: config.hostPid ? 'host' : '',
            IpcMode: 'shareable',
            CgroupParent: config.cgroupParent,
            CpuShares: 2,
            OomScoreAdj: -998,
          },
        },
        name,
      ),
      `failed to create a sandbox for pod "${config.name}"`,
    );
    const id = created.Id;
    this.#sys.writeFile(
      `${CHECKPOINTS}/${id}`,
      JSON.stringify({
        version: 'v1',
        name: config.name,
        namespace: config.namespace,
        data: { host_network: config.hostNetwork, port_mappings: config.portMappings },
      }),
    );
    await this.#ask(this.#docker.start(id), `failed to start sandbox container for pod "${config.name}"`);
    const inspected = await this.#ask(this.#docker.inspect(id));
    if (config.dns !== undefined) this.#sys.writeFile(inspected.ResolvConfPath, resolvConfOf(config.dns));
    if (config.hostNetwork) return id;
    try {
      await this.#setUpNetwork(id, inspected.State.Pid, config);
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      await this.#ask(this.#docker.stop(id, 0));
      throw new RuntimeError(
        `failed to set up sandbox container "${id}" network for pod "${config.name}": networkPlugin cni failed to set up pod "${config.name}_${config.namespace}" network: ${error.message}`,
      );
    }
    return id;
  }

  async #setUpNetwork(id: string, pid: number, config: SandboxConfig): Promise<void> {
    const network = loadNetworkConfig(this.#sys);
    if (network === undefined) throw new CniError('cni config uninitialized');
    await addNetwork(this.#process, network, {
      containerId: id,
      netns: `/proc/${pid}/ns/net`,
      ifname: 'eth0',
      podNamespace: config.namespace,
      podName: config.name,
      portMappings: config.portMappings.map((port) => ({
        hostPort: port.hostPort,
        containerPort: port.containerPort,
        protocol: port.protocol.toLowerCase(),
        hostIP: port.hostAddress,
      })),
    });
  }

  async stopSandbox(id: string): Promise<void> {
    const inspected = await this.#inspect(id);
    if (inspected === undefined) return;
    if (inspected.HostConfig.NetworkMode !== 'host') await this.#tearDownNetwork(inspected);
    await this.#ask(this.#docker.stop(id, 10), `failed to stop sandbox container "${id}"`);
  }

  async #tearDownNetwork(sandbox: ContainerInspect): Promise<void> {
    const network = loadNetworkConfig(this.#sys);
    const labels = sandbox.Config.Labels;
    const name = labels[POD_NAME] ?? '';
    const namespace = labels[POD_NAMESPACE] ?? '';
    const request: CniRequest = {
      containerId: sandbox.Id,
      netns: sandbox.State.Running ? `/proc/${sandbox.State.Pid}/ns/net` : '',
      ifname: 'eth0',
      podNamespace: namespace,
      podName: name,
      portMappings: this.#checkpointedPorts(sandbox.Id),
    };
    try {
      if (network === undefined) throw new CniError('cni config uninitialized');
      await deleteNetwork(this.#process, network, request);
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      throw new RuntimeError(`networkPlugin cni failed to teardown pod "${name}_${namespace}" network: ${error.message}`);
    }
  }

  #checkpointedPorts(id: string): CniRequest['portMappings'] {
    const path = `${CHECKPOINTS}/${id}`;
    if (!this.#sys.exists(path)) return [];
    const { data } = JSON.parse(this.#sys.readTextFile(path)) as {
      readonly data: { readonly port_mappings?: SandboxConfig['portMappings'] };
    };
    return (data.port_mappings ?? []).map((port) => ({
      hostPort: port.hostPort,
      containerPort: port.containerPort,
      protocol: port.protocol.toLowerCase(),
      hostIP: port.hostAddress,
    }));
  }

  async removeSandbox(id: string): Promise<void> {
    for (const container of await this.#list({ [SANDBOX_ID]: id })) await this.removeContainer(container.Id);
    await this.removeContainer(id);
    const checkpoint = `${CHECKPOINTS}/${id}`;
    if (this.#sys.exists(checkpoint)) this.#sys.unlink(checkpoint);
  }

  async sandboxes(podUid?: string): Promise<readonly SandboxStatus[]> {
    const found = await this.#list({ [TYPE]: 'podsandbox', ...(podUid === undefined ? {} : { [POD_UID]: podUid }) });
    return Promise.all(found.map((summary) => this.#sandboxOf(summary)));
  }

  async #sandboxOf(summary: ContainerSummary): Promise<SandboxStatus> {
    const isReady = summary.State === 'running';
    const hostNetwork = summary.HostConfig.NetworkMode === 'host';
    const inspected = isReady && !hostNetwork ? await this.#inspect(summary.Id) : undefined;
    return {
      id: summary.Id,
      podUid: summary.Labels[POD_UID] ?? '',
      name: summary.Labels[POD_NAME] ?? '',
      namespace: summary.Labels[POD_NAMESPACE] ?? '',
      attempt: attemptOf(summary.Names[0] ?? ''),
      state: isReady ? 'ready' : 'not-ready',
      address: inspected === undefined ? undefined : this.#addressOf(inspected.State.Pid),
      hostNetwork,
      createdMs: summary.Created * 1000,
    };
  }

  /** What `nsenter -n ip -4 addr show dev eth0` finds in the sandbox. */
  #addressOf(pid: number): string | undefined {
    const namespace = this.#sys.kernel.process(pid)?.netNamespace;
    if (namespace === undefined || !this.#sys.kernel.netNamespaces.names().includes(namespace)) return undefined;
    return this.#sys.kernel.netNamespaces
      .get(namespace)
      .addresses()
      .find((address) => address.link === 'eth0')
      ?.address.split('/')[0];
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string> {
    const name = `k8s_${config.name}_${sandbox.name}_${sandbox.namespace}_${sandbox.podUid}_${config.attempt}`;
    const logPath = `${sandbox.logDirectory}/${config.logPath}`;
    const annotations = Object.entries(config.annotations).map(([key, value]) => [ANNOTATION + key, value] as const);
    const { Id: id } = await this.#ask(
      this.#docker.create(
        {
          Image: config.image,
          ...(config.command.length === 0 ? {} : { Entrypoint: [...config.command] }),
          ...(config.args.length === 0 ? {} : { Cmd: [...config.args] }),
          Env: config.env.map(({ name: variable, value }) => `${variable}=${value}`),
          ...(config.workingDirectory === undefined ? {} : { WorkingDir: config.workingDirectory }),
          ...(config.user === undefined ? {} : { User: `${config.user.uid}:${config.user.gid}` }),
          Hostname: sandbox.hostNetwork ? this.#sys.hostname() : sandbox.hostname,
          OpenStdin: config.stdin,
          StdinOnce: config.stdinOnce,
          Tty: config.tty,
          Labels: {
            ...config.labels,
            ...Object.fromEntries(annotations),
            [TYPE]: 'container',
            [CONTAINER_NAME]: config.name,
            [POD_NAME]: sandbox.name,
            [POD_NAMESPACE]: sandbox.namespace,
            [POD_UID]: sandbox.podUid,
            [SANDBOX_ID]: sandboxId,
            [LOG_PATH]: logPath,
          },
          HostConfig: {
            Binds: config.mounts.map((mount) => `${mount.hostPath}:${mount.containerPath}${mount.readOnly ? ':ro' : ''}`),
            NetworkMode: sandbox.hostNetwork ? 'host' : `container:${sandboxId}`,
            IpcMode: `container:${sandboxId}`,
            PidMode: sandbox.hostPid ? 'host' : '',
            CgroupParent: sandbox.cgroupParent,
            CpuShares: config.resources.cpuShares,
            CpuPeriod: config.resources.cpuQuota > 0 ? 100_000 : 0,
            CpuQuota: config.resources.cpuQuota,
            Memory: config.resources.memoryLimitBytes,
            OomScoreAdj: config.resources.oomScoreAdj,
            Privileged: config.privileged,
          },
        },
        name,
      ),
    );
    return id;
  }

  async startContainer(id: string): Promise<void> {
    const inspected = await this.#inspect(id);
    try {
      await this.#docker.start(id);
    } catch (error) {
      throw runtimeError(error, `failed to start container "${inspected?.Id ?? id}"`);
    } finally {
      if (inspected !== undefined) this.#linkLog(inspected);
    }
  }

  /** /var/log/pods/... leads to docker's own log file. */
  #linkLog(container: ContainerInspect): void {
    const path = container.Config.Labels[LOG_PATH];
    if (path === undefined) return;
    this.#sys.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
    if (!this.#sys.exists(container.LogPath)) this.#sys.writeFile(container.LogPath, '', { mode: 0o640 });
    removeLink(this.#sys, path);
    this.#sys.symlink(container.LogPath, path);
  }

  async stopContainer(id: string, graceMs: number): Promise<void> {
    await this.#ask(this.#docker.stop(id, Math.ceil(graceMs / 1000)));
  }

  async removeContainer(id: string): Promise<void> {
    const inspected = await this.#inspect(id);
    if (inspected === undefined) return;
    const logPath = inspected.Config.Labels[LOG_PATH];
    if (logPath !== undefined) removeLink(this.#sys, logPath);
    await this.#ask(this.#docker.remove(id, { force: true, volumes: true }));
  }

  async containers(podUid?: string): Promise<readonly ContainerStatus[]> {
    const found = await this.#list({ [TYPE]: 'container', ...(podUid === undefined ? {} : { [POD_UID]: podUid }) });
    const statuses = await Promise.all(
      found.map(async (summary) => {
        const inspected = await this.#inspect(summary.Id);
        return inspected === undefined ? undefined : this.#statusOf(inspected);
      }),
    );
    return statuses.filter((status): status is ContainerStatus => status !== undefined);
  }

  async containerStatus(id: string): Promise<ContainerStatus> {
    return this.#statusOf(await this.#ask(this.#docker.inspect(id)));
  }

  async #statusOf(container: ContainerInspect): Promise<ContainerStatus> {
    const labels = container.Config.Labels;
    const image = await this.imageStatus(container.Image);
    const state = stateOf(container);
    return {
      id: container.Id,
      sandboxId: labels[SANDBOX_ID] ?? '',
      podUid: labels[POD_UID] ?? '',
      name: labels[CONTAINER_NAME] ?? '',
      attempt: attemptOf(container.Name),
      image: image?.tags[0] ?? container.Config.Image,
      imageId: image?.digests[0] === undefined ? `docker://${container.Image}` : `docker-pullable://${image.digests[0]}`,
      ...state,
      createdMs: parseNano(container.Created),
      message: container.State.Error,
      labels,
      annotations: Object.fromEntries(
        Object.entries(labels).flatMap(([key, value]) => (key.startsWith(ANNOTATION) ? [[key.slice(ANNOTATION.length), value]] : [])),
      ),
      logPath: labels[LOG_PATH] ?? '',
    };
  }

  async pullImage(reference: string): Promise<string> {
    try {
      await this.#docker.pull(reference, () => undefined);
    } catch (error) {
      throw runtimeError(error, undefined);
    }
    return (await this.imageStatus(reference))?.id ?? '';
  }

  async imageStatus(
    reference: string,
  ): Promise<
    { readonly id: string; readonly sizeBytes: number; readonly tags: readonly string[]; readonly digests: readonly string[] } | undefined
  > {
    try {
      const image = await this.#docker.call<{ Id: string; Size: number; RepoTags: string[]; RepoDigests: string[] }>(
        'GET',
        `/images/${encodeURIComponent(reference)}/json`,
      );
      return { id: image.Id, sizeBytes: image.Size, tags: image.RepoTags, digests: image.RepoDigests };
    } catch (error) {
      if (error instanceof DockerError && error.status === 404) return undefined;
      throw runtimeError(error, undefined);
    }
  }

  async images(): ReturnType<ContainerRuntime['images']> {
    const images = await this.#ask(this.#docker.images());
    return images.map((image) => ({ id: image.Id, tags: image.RepoTags ?? [], digests: image.RepoDigests ?? [], sizeBytes: image.Size }));
  }

  async removeImage(reference: string): Promise<void> {
    await this.#ask(this.#docker.call('DELETE', `/images/${encodeURIComponent(reference)}`));
  }

  async exec(id: string, argv: readonly string[], streams: ExecStreams, signal: AbortSignal): Promise<number> {
    await this.#checkRunning(id);
    return this.#ask(this.#docker.exec(id, { Cmd: argv }, streams, signal));
  }

  async #checkRunning(id: string): Promise<void> {
    const { Id, State: state } = await this.#ask(this.#docker.inspect(id));
    if (!state.Running) throw new RuntimeError(`container not running (${Id})`);
  }

  async attach(id: string, streams: ExecStreams, signal: AbortSignal): Promise<void> {
    await this.#checkRunning(id);
    await this.#ask(this.#docker.attach(id, streams, signal));
  }

  async portForward(sandboxId: string, port: number, stream: ByteSource & ByteSink, gone: AbortSignal): Promise<void> {
    const inspected = await this.#ask(this.#docker.inspect(sandboxId));
    if (!inspected.State.Running) throw new RuntimeError(`container not running (${inspected.Id})`);
    await forwardPort(this.#process, { pid: inspected.State.Pid, port }, stream, gone);
  }

  async execSync(id: string, argv: readonly string[], timeoutMs: number): Promise<{ readonly exitCode: number; readonly output: string }> {
    const chunks: Uint8Array[] = [];
    const sink = {
      write: (bytes: Uint8Array): Promise<void> => {
        chunks.push(bytes);
        return Promise.resolve();
      },
    };
    const timeout = new AbortController();
    const timer = timeoutMs > 0 ? this.#sys.clock.setTimer(timeoutMs, () => timeout.abort(new RuntimeError('timeout'))) : undefined;
    try {
      const exitCode = await this.exec(
        id,
        argv,
        { stdin: undefined, stdout: sink, stderr: sink, tty: false, resize: undefined },
        timeout.signal,
      );
      if (timeout.signal.aborted) throw new RuntimeError(`command ${JSON.stringify(argv.join(' '))} timed out`);
      return { exitCode, output: chunks.length === 0 ? '' : text(concat(chunks)) };
    } finally {
      timer?.dispose();
    }
  }

  async logs(id: string, options: LogOptions, stdout: ByteSink, stderr: ByteSink, signal: AbortSignal): Promise<void> {
    await this.#ask(this.#docker.logs(id, options, { stdout, stderr }, signal));
  }

  async watchEvents(onEvent: (podUid: string | undefined) => void, signal: AbortSignal): Promise<void> {
    await this.#ask(
      this.#docker.events(
        (event) => {
          const isExec = event.Action.startsWith('exec_');
          if (event.Type === 'container' && !isExec) onEvent(event.Actor.Attributes[POD_UID]);
        },
        signal,
        () => onEvent(undefined),
      ),
    );
  }

  #list(labels: Readonly<Record<string, string>>): Promise<ContainerSummary[]> {
    const filters = { label: Object.entries(labels).map(([key, value]) => `${key}=${value}`) };
    return this.#ask(this.#docker.containers({ all: true, filters }));
  }

  async #inspect(id: string): Promise<ContainerInspect | undefined> {
    try {
      return await this.#docker.inspect(id);
    } catch (error) {
      if (error instanceof DockerError && error.status === 404) return undefined;
      throw runtimeError(error, undefined);
    }
  }

  async #ask<T>(answer: Promise<T>, context?: string): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw runtimeError(error, context);
    }
  }
}

/** Errors of docker as the kubelet reports them; everything else is not the runtime's. */
function runtimeError(error: unknown, context: string | undefined): unknown {
  const prefix = context === undefined ? '' : `${context}: `;
  if (error instanceof DockerError) return new RuntimeError(`${prefix}Error response from daemon: ${error.message}`);
  if (error instanceof DaemonUnreachable) return new RuntimeError(`${prefix}${error.message}`);
  if (isSysError(error)) return new RuntimeError(`${prefix}error during connect: ${error.strerror.toLowerCase()}`);
  return error;
}

function stateOf(container: ContainerInspect): Pick<ContainerStatus, 'state' | 'startedMs' | 'finishedMs' | 'exitCode' | 'reason'> {
  const { State: state } = container;
  const startedMs = parseNano(state.StartedAt);
  if (state.Running) return { state: 'running', startedMs, finishedMs: 0, exitCode: 0, reason: '' };
  if (state.FinishedAt !== ZERO_TIME) {
    const reason = state.OOMKilled ? 'OOMKilled' : state.ExitCode === 0 ? 'Completed' : 'Error';
    return { state: 'exited', startedMs, finishedMs: parseNano(state.FinishedAt), exitCode: state.ExitCode, reason };
  }
  const createdMs = parseNano(container.Created);
  if (state.ExitCode !== 0)
    return { state: 'exited', startedMs: createdMs, finishedMs: createdMs, exitCode: state.ExitCode, reason: 'ContainerCannotRun' };
  return { state: 'created', startedMs: 0, finishedMs: 0, exitCode: 0, reason: '' };
}

/** The last part of `k8s_NAME_POD_NAMESPACE_UID_ATTEMPT`. */
function attemptOf(name: string): number {
  const attempt = Number(name.split('_')[5] ?? '0');
  return Number.isNaN(attempt) ? 0 : attempt;
}

function resolvConfOf(dns: NonNullable<SandboxConfig['dns']>): string {
  return [
    ...dns.servers.map((server) => `nameserver ${server}\n`),
    ...(dns.searches.length === 0 ? [] : [`search ${dns.searches.join(' ')}\n`]),
    ...(dns.options.length === 0 ? [] : [`options ${dns.options.join(' ')}\n`]),
  ].join('');
}

function removeLink(sys: Syscalls, path: string): void {
  try {
    sys.unlink(path);
  } catch (error) {
    if (!isSysError(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}
