// Models dockerd's containers: create, start, stop, restart, remove; their processes run below containerd's shims.

import { toHex } from '../../../sim/bytes.ts';
import { Emitter } from '../../../sim/event.ts';
import { SysError } from '../../../sim/errno.ts';
import { ProcessExit } from '../../../sim/stream.ts';
import type { Process, SignalName, Syscalls } from '../../../kernel/process.ts';
import { rfc3339Nano, parseNano } from '../nano-time.ts';
import {
  ask,
  CONTAINERD_SOCKET,
  SHIM_STATE,
  shimSocket,
  type BundleSpec,
  type ProcessSpec,
  type ShimReply,
  type ShimRequest,
} from '../shim-protocol.ts';
import { parseSignal } from '../../../kernel/signals.ts';
import type { ContainerStore, StoredContainer } from './container-store.ts';
import { randomName } from './container-names.ts';
import type { ImageService, StoredImage } from './image-service.ts';
import { JsonLogWriter, type LogEntry } from './json-log.ts';
import { namespaceOf, type DockerNetworks } from './network.ts';
import { ProcessIo } from './process-io.ts';
import { CONTAINERS, mountRoot, removeTree, rootOf, unmountRoot, userOf } from './root-setup.ts';
import type { VolumeService } from './volumes.ts';
import { DockerError, ZERO_TIME, type ContainerRecord, type CreateRequest, type DockerEvent, type HostConfigJson } from './types.ts';

const KILLED = 137;
/** docker's own back-off for `--restart`: doubled at each restart, from the start again after ten seconds of life. */
const RESTART_DELAY_MS = { first: 100, last: 60_000, healthyAfter: 10_000 } as const;
const DEFAULT_STOP_SECONDS = 10;

/** What the daemon holds of a running container besides its record. */
interface Live {
  readonly io: ProcessIo;
  readonly log: JsonLogWriter;
  readonly logged: Emitter<readonly LogEntry[]>;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

export type EmitEvent = (type: DockerEvent['Type'], action: string, id: string, attributes: Record<string, string>) => void;

export interface ContainersOptions {
  readonly process: Process;
  readonly store: ContainerStore;
  readonly images: ImageService;
  readonly networks: DockerNetworks;
  readonly volumes: VolumeService;
  readonly emit: EmitEvent;
  /** A fault of our own in something nobody waits for. */
  readonly onFault: (error: unknown) => void;
}

export class Containers {
  readonly #sys: Syscalls;
  readonly #o: ContainersOptions;
  readonly #live = new Map<string, Live>();
  readonly #restartDelays = new Map<string, number>();
  /** Resolvers of `docker wait` on containers that do not run yet. */
  readonly #removed = new Emitter<string>();
  readonly #stopped = new Emitter<string>();
  readonly #appeared = new Emitter<string>();
  #isShuttingDown = false;

  constructor(options: ContainersOptions) {
    this.#o = options;
    this.#sys = options.process.sys;
  }

  create(request: CreateRequest, name: string | undefined): { readonly id: string } {
    const { store, images, volumes } = this.#o;
    const sys = this.#sys;
    const image = images.get(request.Image);
    const id = toHex(sys.rng.bytes(32));
    const fullName = `/${name ?? randomName(sys.rng, (candidate) => store.find(candidate) !== undefined)}`;
    if (!/^\/[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(fullName)) {
      throw new DockerError(400, `Invalid container name (${fullName.slice(1)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
    }
    const other = store.all().find((container) => container.record.Name === fullName);
    if (other !== undefined) {
      throw new DockerError(
        409,
        `Conflict. The container name "${fullName}" is already in use by container "${other.record.ID}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    }
    const host = hostConfigOf(request.HostConfig ?? {});
    const config = configOf(request, image, id);
    const argv = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
    if (argv.length === 0) throw new DockerError(400, 'No command specified');
    const record: ContainerRecord = {
      ID: id,
      Created: rfc3339Nano(sys.now()),
      Path: argv[0]!,
      Args: argv.slice(1),
      Name: fullName,
      Image: image.id,
      Driver: 'overlay2',
      LogPath: `${CONTAINERS}/${id}/${id}-json.log`,
      RestartCount: 0,
      HasBeenManuallyStopped: false,
      Config: config,
      State: {
        Status: 'created',
        Running: false,
        Paused: false,
        Restarting: false,
        OOMKilled: false,
        Dead: false,
        Pid: 0,
        ExitCode: 0,
        Error: '',
        StartedAt: ZERO_TIME,
        FinishedAt: ZERO_TIME,
      },
      NetworkSettings: { SandboxKey: '', Networks: {}, Ports: {}, HostLink: '', ProxyPids: [] },
      MountPoints: volumes.mountPointsOf(host.Binds ?? [], Object.keys(config.Volumes ?? {})),
      StreamConfig: {},
    };
    store.add({ record, host });
    this.#event(record, 'create');
    return { id };
  }

  async start(key: string): Promise<'started' | 'already'> {
    const container = this.#o.store.get(key);
    const { record } = container;
    if (record.State.Running) return 'already';
    record.HasBeenManuallyStopped = false;
    record.RestartCount = 0;
    this.#restartDelays.delete(record.ID);
    await this.#launch(container);
    return 'started';
  }

  async #launch(container: StoredContainer): Promise<void> {
    const { record, host } = container;
    const sys = this.#sys;
    let io: ProcessIo | undefined;
    try {
      const netNamespace = this.#o.networks.connect(record, host, this.#o.store.records());
      const root = mountRoot(sys, record, host);
      const spec: BundleSpec = {
        process: this.#processSpec(container, root),
        root,
        hostname: record.Config.Hostname,
        netNamespace,
        pidNamespace: this.#pidNamespace(host),
        cgroup: `${host.CgroupParent === '' ? '/docker' : host.CgroupParent}/${record.ID}`,
      };
      const bundle = `${SHIM_STATE}/${record.ID}`;
      removeTree(sys, bundle);
      sys.mkdir(bundle, { recursive: true, mode: 0o700 });
      sys.writeFile(`${bundle}/config.json`, JSON.stringify(spec));
      io = this.#io(record);
      io.open();
      this.#goLive(record, io);
      await this.#askContainerd(record.ID);
      const reply = await this.#ask(record.ID, { op: 'start' });
      if (!reply.ok) throw new DockerError(400, reply.error);
      record.State = {
        ...record.State,
        Status: 'running',
        Running: true,
        Restarting: false,
        OOMKilled: false,
        Pid: reply.pid ?? 0,
        ExitCode: 0,
        Error: '',
        StartedAt: rfc3339Nano(sys.now()),
      };
      this.#o.store.save(record);
      this.#follow(container);
      this.#event(record, 'start');
    } catch (error) {
      if (error instanceof ProcessExit) throw error;
      await io?.finish();
      this.#live.get(record.ID)?.end();
      this.#live.delete(record.ID);
      if (sys.exists(shimSocket(record.ID))) await this.#askQuietly(record.ID, { op: 'delete' });
      this.#disconnect(record);
      unmountRoot(sys, record.ID);
      const message = error instanceof Error ? error.message : String(error);
      record.State = {
        ...record.State,
        Status: record.State.StartedAt === ZERO_TIME ? 'created' : 'exited',
        Running: false,
        Restarting: false,
        Pid: 0,
        ExitCode: startFailure(message),
        Error: message,
      };
      this.#o.store.save(record);
      this.#event(record, 'die', { exitCode: String(record.State.ExitCode) });
      throw error;
    }
  }

  #io(record: ContainerRecord): ProcessIo {
    return new ProcessIo(this.#sys, {
      containerId: record.ID,
      processId: 'init',
      isTty: record.Config.Tty,
      hasStdin: record.Config.OpenStdin,
    });
  }

  #processSpec({ record }: StoredContainer, root: string): ProcessSpec {
    const user = userOf(this.#sys, root, record.Config.User);
    const io = this.#io(record);
    return {
      argv: [record.Path, ...record.Args],
      env: processEnv(record, user.home),
      cwd: record.Config.WorkingDir,
      user: { uid: user.uid, gid: user.gid, groups: user.groups },
      isTty: record.Config.Tty,
      stdin: record.Config.OpenStdin ? io.stdinPath : undefined,
      stdout: io.stdoutPath,
      stderr: io.stderrPath,
    };
  }

  #pidNamespace(host: HostConfigJson): BundleSpec['pidNamespace'] {
    if (host.PidMode === 'host') return 'host';
    if (!host.PidMode.startsWith('container:')) return 'new';
    const other = this.#o.store.get(host.PidMode.slice('container:'.length));
    if (!other.record.State.Running) throw new DockerError(409, `cannot join PID of a non running container: ${other.record.ID}`);
    return other.record.State.Pid;
  }

  /** Copies output to the log, from before the first byte on. */
  #goLive(record: ContainerRecord, io: ProcessIo): void {
    const logged = new Emitter<readonly LogEntry[]>();
    const log = new JsonLogWriter(this.#sys, record.LogPath, (entries) => logged.emit(entries));
    io.onOutput((stream, bytes) => log.write(stream, bytes));
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#live.set(record.ID, { io, log, logged, ended, end });
    this.#appeared.emit(record.ID);
  }

  /** Waits for the container's end. */
  #follow(container: StoredContainer): void {
    const live = this.#live.get(container.record.ID)!;
    this.#awaitEnd(container, live)
      .catch((error: unknown) => {
        if (!(error instanceof ProcessExit)) this.#o.onFault(error);
      })
      .finally(live.end)
      .catch(this.#o.onFault);
  }

  /** The streams of a container once it starts. */
  async nextIo(id: string): Promise<ProcessIo | undefined> {
    await this.#sys.block<void>((resolve) =>
      this.#appeared.on((started) => {
        if (started === id) resolve();
      }),
    );
    return this.#live.get(id)?.io;
  }

  async #awaitEnd(container: StoredContainer, { io, log }: Live): Promise<void> {
    const { record, host } = container;
    const sys = this.#sys;
    let exitCode = KILLED;
    let isOomKilled = false;
    try {
      const reply = await this.#ask(record.ID, { op: 'wait', id: 'init' });
      if (reply.ok) {
        exitCode = reply.exitCode ?? KILLED;
        isOomKilled = reply.isOomKilled === true;
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      // The shim is gone: containerd then kills what it left behind.
      this.#killPid(record.State.Pid);
    }
    await io.finish();
    log.finish();
    await this.#askQuietly(record.ID, { op: 'delete' });
    removeTree(sys, `${SHIM_STATE}/${record.ID}`);
    this.#disconnect(record);
    unmountRoot(sys, record.ID);
    const ranMs = sys.now() - parseNano(record.State.StartedAt);
    record.State = {
      ...record.State,
      Status: 'exited',
      Running: false,
      Pid: 0,
      ExitCode: exitCode,
      OOMKilled: isOomKilled,
      FinishedAt: rfc3339Nano(sys.now()),
    };
    this.#live.delete(record.ID);
    const isRestarted = this.#shouldRestart(record, host);
    if (isRestarted) record.State = { ...record.State, Status: 'restarting', Restarting: true };
    this.#o.store.save(record);
    this.#event(record, 'die', { exitCode: String(exitCode) });
    this.#stopped.emit(record.ID);
    if (isRestarted) void this.#restartLater(container, ranMs);
    else if (host.AutoRemove && !this.#isShuttingDown) this.#delete(container, true);
  }

  #disconnect(record: ContainerRecord): void {
    this.#o.networks.disconnect(record);
    this.#o.networks.collect(this.#o.store.records());
  }

  #killPid(pid: number): void {
    if (pid <= 0 || this.#sys.kernel.process(pid) === undefined) return;
    this.#sys.kill(pid, 'SIGKILL');
  }

  #shouldRestart(record: ContainerRecord, host: HostConfigJson): boolean {
    if (this.#isShuttingDown || record.HasBeenManuallyStopped) return false;
    const { Name, MaximumRetryCount } = host.RestartPolicy;
    if (Name === 'always' || Name === 'unless-stopped') return true;
    return Name === 'on-failure' && record.State.ExitCode !== 0 && (MaximumRetryCount === 0 || record.RestartCount < MaximumRetryCount);
  }

  async #restartLater(container: StoredContainer, ranMs: number): Promise<void> {
    const { record } = container;
    const before = ranMs >= RESTART_DELAY_MS.healthyAfter ? 0 : (this.#restartDelays.get(record.ID) ?? 0);
    const delayMs = before === 0 ? RESTART_DELAY_MS.first : Math.min(before * 2, RESTART_DELAY_MS.last);
    this.#restartDelays.set(record.ID, delayMs);
    try {
      await this.#sys.sleep(delayMs);
      if (!record.State.Restarting || this.#isShuttingDown || this.#o.store.find(record.ID) === undefined) return;
      record.RestartCount++;
      await this.#launch(container);
    } catch (error) {
      // The container's State.Error and its die event tell it.
      if (!(error instanceof DockerError) && !(error instanceof ProcessExit)) this.#o.onFault(error);
    }
  }

  /** SIGTERM (or the image's signal), then SIGKILL after `seconds`. */
  async stop(key: string, seconds: number | undefined): Promise<'stopped' | 'already'> {
    const { record } = this.#o.store.get(key);
    record.HasBeenManuallyStopped = true;
    if (!record.State.Running) {
      if (!record.State.Restarting) return 'already';
      record.State = { ...record.State, Status: 'exited', Restarting: false };
      this.#o.store.save(record);
      return 'stopped';
    }
    this.#o.store.save(record);
    await this.#end(record, seconds ?? record.Config.StopTimeout ?? DEFAULT_STOP_SECONDS);
    this.#event(record, 'stop');
    return 'stopped';
  }

  async #end(record: ContainerRecord, seconds: number): Promise<void> {
    const signal = parseSignal(record.Config.StopSignal ?? 'SIGTERM') ?? 'SIGTERM';
    await this.#signal(record, signal);
    const live = this.#live.get(record.ID);
    if (live === undefined) return;
    const grace = new AbortController();
    const expired = this.#sys.sleep(Math.max(0, seconds) * 1000, grace.signal).then(
      () => true,
      (error: unknown) => {
        if (grace.signal.aborted) return false;
        throw error;
      },
    );
    const isLate = seconds >= 0 && (await Promise.race([expired, live.ended.then(() => false)]));
    grace.abort(new Error('ended in time'));
    if (isLate) await this.#signal(record, 'SIGKILL');
    await live.ended;
  }

  async kill(key: string, signalText: string | undefined): Promise<void> {
    const { record } = this.#o.store.get(key);
    const signal = parseSignal(signalText ?? 'SIGKILL');
    if (signal === undefined) throw new DockerError(400, `Invalid signal: ${signalText ?? ''}`);
    if (!record.State.Running) throw new DockerError(409, `Cannot kill container: ${key}: Container ${record.ID} is not running`);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') record.HasBeenManuallyStopped = true;
    const live = this.#live.get(record.ID);
    await this.#signal(record, signal);
    if (signal === 'SIGKILL') await live?.ended;
  }

  async #signal(record: ContainerRecord, signal: SignalName): Promise<void> {
    await this.#askQuietly(record.ID, { op: 'kill', id: 'init', signal });
    this.#event(record, 'kill', { signal: String(signal) });
  }

  async restart(key: string, seconds: number | undefined): Promise<void> {
    const container = this.#o.store.get(key);
    const { record } = container;
    if (record.State.Running) {
      record.HasBeenManuallyStopped = true;
      await this.#end(record, seconds ?? DEFAULT_STOP_SECONDS);
    }
    record.HasBeenManuallyStopped = false;
    await this.#launch(container);
    this.#event(record, 'restart');
  }

  async remove(key: string, options: { readonly force: boolean; readonly withVolumes: boolean }): Promise<void> {
    const container = this.#o.store.get(key);
    const { record } = container;
    if (record.State.Running) {
      if (!options.force) {
        throw new DockerError(
          409,
          `You cannot remove a running container ${record.ID}. Stop the container before attempting removal or force remove`,
        );
      }
      record.HasBeenManuallyStopped = true;
      const live = this.#live.get(record.ID);
      await this.#signal(record, 'SIGKILL');
      await live?.ended;
    }
    record.State.Restarting = false;
    if (this.#o.store.find(record.ID) !== undefined) this.#delete(container, options.withVolumes);
  }

  #delete({ record }: StoredContainer, withVolumes: boolean): void {
    this.#o.store.remove(record);
    if (withVolumes) this.#o.volumes.removeAnonymous(record);
    this.#event(record, 'destroy');
    this.#removed.emit(record.ID);
  }

  /** Resolves with the exit code once the container does not run. */
  async wait(key: string, condition: string, signal: AbortSignal): Promise<number> {
    const { record } = this.#o.store.get(key);
    if (condition === 'removed') {
      await this.#until(this.#removed, record.ID, signal);
      return record.State.ExitCode;
    }
    const mayStart = condition === 'next-exit';
    if (record.State.Running || mayStart) await this.#until(this.#stopped, record.ID, signal);
    return record.State.ExitCode;
  }

  async #until(emitter: Emitter<string>, id: string, signal: AbortSignal): Promise<void> {
    await this.#sys.block<void>((resolve, reject) => {
      const subscription = emitter.on((ended) => {
        if (ended === id) resolve();
      });
      signal.addEventListener('abort', () => reject(new SysError('ECONNRESET')), { once: true });
      return subscription;
    });
  }

  io(id: string): ProcessIo | undefined {
    return this.#live.get(id)?.io;
  }

  onLog(id: string, listener: (entries: readonly LogEntry[]) => void): { dispose(): void } | undefined {
    return this.#live.get(id)?.logged.on(listener);
  }

  /** Fires with the id of a container that has ended. */
  get stopped(): Emitter<string> {
    return this.#stopped;
  }

  shimOf(id: string): (request: ShimRequest) => Promise<ShimReply> {
    return (request) => this.#ask(id, request);
  }

  /** After a start of the daemon: what runs is kept when a saved lab goes on, otherwise what the last one left is cleared away. */
  async restore(resumed: boolean): Promise<void> {
    const starts: StoredContainer[] = [];
    for (const container of this.#o.store.all()) {
      const { record, host } = container;
      const isAlive =
        record.State.Running && this.#sys.kernel.process(record.State.Pid) !== undefined && this.#sys.exists(shimSocket(record.ID));
      if (resumed && isAlive) {
        const io = this.#io(record);
        io.open();
        this.#goLive(record, io);
        this.#follow(container);
        continue;
      }
      if (record.State.Running || record.State.Restarting) {
        if (isAlive) this.#killPid(record.State.Pid);
        this.#disconnect(record);
        unmountRoot(this.#sys, record.ID);
        const finished = record.State.Running ? rfc3339Nano(this.#sys.now()) : record.State.FinishedAt;
        const exitCode = record.State.Running ? (isAlive ? KILLED : 255) : record.State.ExitCode;
        record.State = {
          ...record.State,
          Status: 'exited',
          Running: false,
          Restarting: false,
          Pid: 0,
          ExitCode: exitCode,
          FinishedAt: finished,
        };
        this.#o.store.save(record);
      }
      const policy = host.RestartPolicy.Name;
      if (!resumed && (policy === 'always' || (policy === 'unless-stopped' && !record.HasBeenManuallyStopped))) starts.push(container);
    }
    await Promise.all(starts.map((container) => this.#launch(container).catch((error: unknown) => this.#reportStart(error))));
  }

  #reportStart(error: unknown): void {
    if (!(error instanceof DockerError)) throw error;
  }

  /** SIGTERM to everything at once, SIGKILL after ten seconds. */
  async shutdown(): Promise<void> {
    this.#isShuttingDown = true;
    const running = this.#o.store.all().filter((container) => container.record.State.Running);
    await Promise.all(running.map((container) => this.#end(container.record, container.record.Config.StopTimeout ?? DEFAULT_STOP_SECONDS)));
  }

  async #ask(id: string, request: ShimRequest): Promise<ShimReply> {
    return ask(this.#sys, shimSocket(id), request);
  }

  /** For requests whose addressee may have gone meanwhile. */
  async #askQuietly(id: string, request: ShimRequest): Promise<void> {
    try {
      await this.#ask(id, request);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }

  async #askContainerd(id: string): Promise<void> {
    try {
      const reply = await ask(this.#sys, CONTAINERD_SOCKET, { op: 'create', id });
      if (!reply.ok) throw new DockerError(500, reply.error);
    } catch (error) {
      if (error instanceof SysError) {
        throw new DockerError(
          500,
          `connection error: desc = "transport: error while dialing: dial unix ${CONTAINERD_SOCKET}: ${error.strerror.toLowerCase()}": unavailable`,
        );
      }
      throw error;
    }
  }

  #event(record: ContainerRecord, action: string, attributes: Record<string, string> = {}): void {
    this.#o.emit('container', action, record.ID, {
      ...record.Config.Labels,
      ...attributes,
      image: record.Config.Image,
      name: record.Name.slice(1),
    });
  }
}

export function netNamespaceOf(store: ContainerStore, container: StoredContainer): string {
  const mode = container.host.NetworkMode;
  return mode.startsWith('container:') ? namespaceOf(store.get(mode.slice('container:'.length)).record) : namespaceOf(container.record);
}

/** The environment of a container's processes: docker's own entries first. */
export function processEnv(record: ContainerRecord, home: string): string[] {
  const given = record.Config.Env;
  const has = (name: string): boolean => given.some((entry) => entry.startsWith(`${name}=`));
  return [
    ...(has('PATH') ? [] : ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']),
    ...(has('HOSTNAME') ? [] : [`HOSTNAME=${record.Config.Hostname}`]),
    ...(record.Config.Tty && !has('TERM') ? ['TERM=xterm'] : []),
    ...given,
    ...(has('HOME') ? [] : [`HOME=${home}`]),
  ];
}

export { rootOf };

function startFailure(message: string): number {
  if (/executable file not found|no such file or directory/.test(message)) return 127;
  if (/permission denied|is a directory/.test(message)) return 126;
  return 128;
}

function hostConfigOf(given: Partial<HostConfigJson>): HostConfigJson {
  return {
    Binds: given.Binds ?? null,
    LogConfig: { Type: 'json-file', Config: {} },
    NetworkMode: given.NetworkMode === undefined || given.NetworkMode === '' ? 'default' : given.NetworkMode,
    PortBindings: given.PortBindings ?? {},
    RestartPolicy: given.RestartPolicy ?? { Name: '', MaximumRetryCount: 0 },
    AutoRemove: given.AutoRemove ?? false,
    Dns: given.Dns ?? [],
    DnsOptions: given.DnsOptions ?? [],
    DnsSearch: given.DnsSearch ?? [],
    ExtraHosts: given.ExtraHosts ?? null,
    IpcMode: given.IpcMode ?? 'private',
    PidMode: given.PidMode ?? '',
    OomScoreAdj: given.OomScoreAdj ?? 0,
    Privileged: given.Privileged ?? false,
    CgroupParent: given.CgroupParent ?? '',
    CpuShares: given.CpuShares ?? 0,
    CpuPeriod: given.CpuPeriod ?? 0,
    CpuQuota: given.CpuQuota ?? 0,
    Memory: given.Memory ?? 0,
  };
}

function configOf(request: CreateRequest, image: StoredImage, id: string): ContainerRecord['Config'] {
  const base = image.config.config;
  const env = new Map<string, string>();
  for (const entry of [...(base.Env ?? []), ...(request.Env ?? [])]) env.set(entry.split('=')[0] ?? '', entry);
  const ports = { ...base.ExposedPorts, ...request.ExposedPorts };
  const hasEntrypoint = request.Entrypoint !== undefined && request.Entrypoint !== null && request.Entrypoint.length > 0;
  const hasCmd = request.Cmd !== undefined && request.Cmd !== null && request.Cmd.length > 0;
  const stopSignal = request.StopSignal ?? base.StopSignal;
  return {
    Hostname: request.Hostname === undefined || request.Hostname === '' ? id.slice(0, 12) : request.Hostname,
    Domainname: request.Domainname ?? '',
    User: request.User === undefined || request.User === '' ? base.User : request.User,
    AttachStdin: request.AttachStdin ?? false,
    AttachStdout: request.AttachStdout ?? false,
    AttachStderr: request.AttachStderr ?? false,
    ...(Object.keys(ports).length === 0 ? {} : { ExposedPorts: ports }),
    Tty: request.Tty ?? false,
    OpenStdin: request.OpenStdin ?? false,
    StdinOnce: request.StdinOnce ?? false,
    Env: [...env.values()],
    // A new entry point makes the image's arguments meaningless.
    Cmd: hasCmd ? [...request.Cmd!] : hasEntrypoint ? null : base.Cmd,
    Image: request.Image,
    Volumes: base.Volumes,
    WorkingDir: request.WorkingDir === undefined || request.WorkingDir === '' ? base.WorkingDir : request.WorkingDir,
    Entrypoint: hasEntrypoint ? [...request.Entrypoint!] : base.Entrypoint,
    Labels: { ...base.Labels, ...request.Labels },
    ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
    ...(request.StopTimeout === undefined ? {} : { StopTimeout: request.StopTimeout }),
  };
}
