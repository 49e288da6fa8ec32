// Models dockerd: its services put together, its start and its stop.

import { Emitter } from '../../../sim/event.ts';
import { SysError } from '../../../sim/errno.ts';
import { serveHttp } from '../../../net/http-server.ts';
import type { Process, Syscalls } from '../../../kernel/process.ts';
import { catalogue } from '../catalogue/index.ts';
import { sha256Hex } from '../catalogue/image.ts';
import { CONTAINERD_VERSION } from '../containerd.ts';
import { logfmt, type LogLevel } from '../logfmt.ts';
import { parseNano, rfc3339Nano } from '../nano-time.ts';
import { dockerApi } from './api.ts';
import { ContainerStore } from './container-store.ts';
import { Containers } from './containers.ts';
import { Execs } from './execs.ts';
import { ImageService } from './image-service.ts';
import { listContainers } from './listing.ts';
import { DockerNetworks } from './network.ts';
import { RegistryClient } from './registry-client.ts';
import { DockerError, type DockerEvent, type ImageSummary } from './types.ts';
import { VolumeService } from './volumes.ts';
import { notifyReady } from '../../../kernel/sd-notify.ts';

export const DOCKER_SOCKET = '/var/run/docker.sock';
export const DOCKER_VERSION = '19.03.14';
export const API_VERSION = '1.40';
const PID_FILE = '/var/run/docker.pid';

export class Daemon {
  readonly sys: Syscalls;
  readonly store: ContainerStore;
  readonly images: ImageService;
  readonly networks: DockerNetworks;
  readonly volumes: VolumeService;
  readonly containers: Containers;
  readonly execs: Execs;
  readonly events = new Emitter<DockerEvent>();
  #eventNumber = 0;

  constructor(process: Process, onFault: (error: unknown) => void) {
    const { sys } = process;
    this.sys = sys;
    const emit = this.#emit.bind(this);
    this.store = new ContainerStore(sys);
    this.images = new ImageService(sys, new RegistryClient(sys), emit);
    this.networks = new DockerNetworks(sys);
    this.volumes = new VolumeService(sys);
    const { store, images, networks, volumes } = this;
    this.containers = new Containers({ process, store, images, networks, volumes, emit, onFault });
    this.execs = new Execs(sys, store, this.containers, emit);
  }

  #emit(type: DockerEvent['Type'], action: string, id: string, attributes: Record<string, string>): void {
    const nowMs = this.sys.now();
    const isOld = type === 'container' || type === 'image';
    this.events.emit({
      ...(isOld ? { status: action, id } : {}),
      ...(isOld && attributes['image'] !== undefined ? { from: attributes['image'] } : {}),
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Math.floor(nowMs / 1000),
      timeNano: nowMs * 1_000_000 + this.#eventNumber++,
    });
  }

  version(): unknown {
    const { release } = this.sys.kernel;
    const details = {
      ApiVersion: API_VERSION,
      Arch: 'amd64',
      BuildTime: '2020-12-01T19:08:14.000000000+00:00',
      Experimental: 'false',
      GitCommit: '5eb3275d40',
      GoVersion: 'go1.13.15',
      KernelVersion: release,
      MinAPIVersion: '1.12',
      Os: 'linux',
    };
    return {
      Platform: { Name: 'Docker Engine - Community' },
      Components: [
        { Name: 'Engine', Version: DOCKER_VERSION, Details: details },
        { Name: 'containerd', Version: CONTAINERD_VERSION, Details: { GitCommit: 'ea765aba0d05254012b0b9e595e995c09186427f' } },
        { Name: 'runc', Version: '1.0.0-rc10', Details: { GitCommit: 'dc9208a3303feef5b3839f4323d9beb36df0a9dd' } },
        { Name: 'docker-init', Version: '0.18.0', Details: { GitCommit: 'fec3683' } },
      ],
      Version: DOCKER_VERSION,
      ApiVersion: API_VERSION,
      MinAPIVersion: '1.12',
      GitCommit: '5eb3275d40',
      GoVersion: 'go1.13.15',
      Os: 'linux',
      Arch: 'amd64',
      KernelVersion: release,
      BuildTime: '2020-12-01T19:08:14.000000000+00:00',
    };
  }

  info(): unknown {
    const { sys } = this;
    const records = this.store.records();
    const count = (status: string): number => records.filter((record) => record.State.Status === status).length;
    const bridged = (key: string): boolean => {
      const name = `net.bridge.${key}`;
      return sys.kernel.sysctl.keys().includes(name) && sys.kernel.sysctl.get(name) === '1';
    };
    return {
      ID: sha256Hex(`${sys.kernel.machine}/docker`)
        .slice(0, 48)
        .toUpperCase()
        .replace(/(.{4})(?=.)/g, '$1:'),
      Containers: records.length,
      ContainersRunning: count('running'),
      ContainersPaused: 0,
      ContainersStopped: records.length - count('running'),
      Images: this.images.list().length,
      Driver: 'overlay2',
      DriverStatus: [
        ['Backing Filesystem', 'xfs'],
        ['Supports d_type', 'true'],
        ['Native Overlay Diff', 'true'],
      ],
      Plugins: {
        Volume: ['local'],
        Network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null', 'overlay'],
        Authorization: null,
        Log: ['awslogs', 'fluentd', 'gcplogs', 'gelf', 'journald', 'json-file', 'local', 'logentries', 'splunk', 'syslog'],
      },
      MemoryLimit: true,
      SwapLimit: true,
      BridgeNfIptables: bridged('bridge-nf-call-iptables'),
      BridgeNfIp6tables: bridged('bridge-nf-call-ip6tables'),
      IPv4Forwarding: sys.kernel.sysctl.get('net.ipv4.ip_forward') === '1',
      Debug: false,
      NFd: sys.descriptors().length,
      NGoroutines: 35 + records.length * 6,
      LoggingDriver: 'json-file',
      CgroupDriver: 'cgroupfs',
      NEventsListener: this.events.listenerCount,
      KernelVersion: sys.kernel.release,
      OperatingSystem: 'CentOS Linux 7 (Core)',
      OSType: 'linux',
      Architecture: 'x86_64',
      NCPU: sys.kernel.cpus,
      MemTotal: sys.kernel.memoryBytes,
      DockerRootDir: '/var/lib/docker',
      HttpProxy: '',
      Name: sys.hostname(),
      Labels: [],
      ExperimentalBuild: false,
      ServerVersion: DOCKER_VERSION,
      DefaultRuntime: 'runc',
      LiveRestoreEnabled: false,
      IndexServerAddress: 'https://index.docker.io/v1/',
      InitBinary: 'docker-init',
      ContainerdCommit: { ID: 'ea765aba0d05254012b0b9e595e995c09186427f' },
      RuncCommit: { ID: 'dc9208a3303feef5b3839f4323d9beb36df0a9dd' },
      SecurityOptions: ['name=seccomp,profile=default'],
      Warnings: null,
    };
  }

  imageSummaries(filters: Readonly<Record<string, readonly string[]>>): readonly ImageSummary[] {
    const records = this.store.records();
    const all = this.images.summaries((id) => records.filter((record) => record.Image === id).length);
    const wanted = filters['reference'];
    const isDangling = filters['dangling']?.[0];
    return all
      .filter((image) => isDangling === undefined || (image.RepoTags === null) === (isDangling === 'true' || isDangling === '1'))
      .flatMap((image) => {
        if (wanted === undefined) return [image];
        const matching = (names: string[] | null): string[] =>
          (names ?? []).filter((name) => wanted.some((pattern) => matchesReference(name, pattern)));
        const tags = matching(image.RepoTags);
        return tags.length === 0 && matching(image.RepoDigests).length === 0 ? [] : [{ ...image, RepoTags: tags }];
      });
  }

  inspectImage(name: string): unknown {
    const image = this.images.get(name);
    const { config } = image;
    return {
      Id: image.id,
      RepoTags: image.tags,
      RepoDigests: image.digests,
      Parent: '',
      Comment: '',
      Created: config.created,
      Container: '',
      DockerVersion: config.docker_version ?? '',
      Author: '',
      Config: config.config,
      Architecture: config.architecture,
      Os: config.os,
      Size: image.sizeBytes,
      VirtualSize: image.sizeBytes,
      GraphDriver: { Data: { MergedDir: '', UpperDir: '', WorkDir: '' }, Name: 'overlay2' },
      RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
      Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
    };
  }

  history(name: string): unknown {
    const image = this.images.get(name);
    const known = catalogue().find((candidate) => `sha256:${candidate.id}` === image.id);
    return image.config.history
      .map((entry, index) => ({
        Comment: '',
        Created: Math.floor(parseNano(entry.created) / 1000),
        CreatedBy: entry.created_by,
        Id: index === image.config.history.length - 1 ? image.id : '<missing>',
        Size: known?.layers[index]?.sizeBytes ?? 0,
        Tags: index === image.config.history.length - 1 ? image.tags : null,
      }))
      .reverse();
  }

  removeImage(name: string, force: boolean): unknown {
    return this.images.remove(name, {
      force,
      usedBy: (id) => {
        const users = this.store.records().filter((record) => record.Image === id);
        const user = users.find((record) => record.State.Running) ?? users[0];
        return user === undefined ? undefined : { id: user.ID, running: user.State.Running };
      },
    });
  }

  /** What Docker Hub finds for a term. */
  search(term: string): unknown {
    const names = new Set(
      catalogue()
        .filter((image) => image.repository.startsWith('docker.io/'))
        .map((image) => image.repository.slice('docker.io/'.length)),
    );
    return [...names]
      .filter((name) => name.includes(term.toLowerCase()))
      .map((name) => ({
        name: name.replace(/^library\//, ''),
        description: '',
        star_count: name.startsWith('library/') ? 1000 : 0,
        is_official: name.startsWith('library/'),
        is_automated: false,
      }));
  }

  inspectNetwork(name: string): unknown {
    const network = this.networks.list().find((candidate) => candidate.Name === name || candidate.Id.startsWith(name));
    if (network === undefined) throw new DockerError(404, `network ${name} not found`);
    const members = this.store
      .records()
      .filter((record) => record.State.Running && record.NetworkSettings.Networks[network.Name] !== undefined);
    return {
      ...network,
      Containers: Object.fromEntries(
        members.map((record) => {
          const endpoint = record.NetworkSettings.Networks[network.Name]!;
          const address = endpoint.IPAddress === '' ? '' : `${endpoint.IPAddress}/${endpoint.IPPrefixLen}`;
          return [
            record.ID,
            {
              Name: record.Name.slice(1),
              EndpointID: endpoint.EndpointID,
              MacAddress: endpoint.MacAddress,
              IPv4Address: address,
              IPv6Address: '',
            },
          ];
        }),
      ),
      Options: {},
      Labels: {},
    };
  }

  removeVolume(name: string): void {
    const users = this.store.records().filter((record) => record.MountPoints.some((mount) => mount.Name === name));
    this.volumes.remove(
      name,
      users.map((record) => record.ID),
    );
  }

  top(key: string): unknown {
    const { record } = this.store.get(key);
    if (!record.State.Running) throw new DockerError(409, `Container ${record.ID} is not running`);
    const processes = this.sys.kernel.processes().filter((process) => process.cgroup.endsWith(`/${record.ID}`));
    const time = (ms: number): string => new Date(ms).toISOString().slice(11, 16);
    return {
      Titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
      Processes: processes.map((process) => [
        process.uid === 0 ? 'root' : String(process.uid),
        String(process.pid),
        String(process.parent),
        '0',
        time(process.startMs),
        process.tty ?? '?',
        new Date(process.cpuMs).toISOString().slice(11, 19),
        process.argv.join(' '),
      ]),
    };
  }

  stats(key: string): unknown {
    const { record } = this.store.get(key);
    const processes = this.sys.kernel.processes().filter((process) => process.cgroup.endsWith(`/${record.ID}`));
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      read: rfc3339Nano(this.sys.now()),
      name: record.Name,
      id: record.ID,
      pids_stats: { current: processes.length },
      cpu_stats: {
        cpu_usage: { total_usage: sum(processes.map((process) => process.cpuMs)) * 1_000_000 },
        system_cpu_usage: this.sys.uptimeMs() * this.sys.kernel.cpus * 1_000_000,
        online_cpus: this.sys.kernel.cpus,
      },
      memory_stats: {
        usage: sum(processes.map((process) => process.residentBytes)),
        limit: this.store.get(key).host.Memory || this.sys.kernel.memoryBytes,
      },
    };
  }

  diskUsage(): unknown {
    const options = { isAll: true, limit: 0, filters: {}, imageId: () => undefined };
    const images = this.imageSummaries({});
    return {
      LayersSize: images.reduce((total, image) => total + image.Size, 0),
      Images: images,
      Containers: listContainers(this.store, options, this.sys.now()).map((container) => ({ ...container, SizeRw: 0 })),
      Volumes: this.volumes.list(),
      BuildCache: [],
    };
  }
}

function matchesReference(name: string, pattern: string): boolean {
  const escape = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '[^/]*')
    .replace(/\?/g, '.');
  const expression = new RegExp(`^${escape}$`);
  return expression.test(name) || expression.test(name.split('@')[0]!.replace(/:[^/:]*$/, ''));
}

/** The dockerd program. */
export async function runDockerd(process: Process): Promise<number> {
  const { sys } = process;
  const log = logfmt(process);
  const note = async (level: LogLevel, message: string, fields?: Readonly<Record<string, string>>): Promise<void> => {
    if (!process.resumed) await log(level, message, fields);
  };
  if (sys.credentials().uid !== 0) {
    await process.stderr.write(
      new TextEncoder().encode(
        'dockerd needs to be started with root. To see how to run dockerd in rootless mode with unprivileged user, see the documentation\n',
      ),
    );
    return 1;
  }
  if (sys.exists(PID_FILE)) {
    const other = Number(sys.readTextFile(PID_FILE));
    if (other !== process.pid && sys.kernel.process(other)?.command === 'dockerd') {
      await log('info', 'Starting up');
      await process.stderr.write(
        new TextEncoder().encode(`failed to start daemon: pid file found, ensure docker is not running or delete ${PID_FILE}\n`),
      );
      return 1;
    }
  }
  sys.writeFile(PID_FILE, String(process.pid));
  // Opened anew below.
  if (process.resumed) for (const fd of sys.descriptors()) if (fd > 2) sys.close(fd);
  await note('info', 'Starting up');
  const stopping = new AbortController();
  const faults: { fail: (error: unknown) => void } = { fail: () => undefined };
  const fault = new Promise<never>((_, reject) => {
    faults.fail = reject;
  });
  const daemon = new Daemon(process, (error) => faults.fail(error));
  await note('info', 'Loading containers: start.');
  if (!process.resumed) daemon.networks.setUp();
  if (sys.exists(DOCKER_SOCKET)) sys.unlink(DOCKER_SOCKET);
  await daemon.containers.restore(process.resumed);
  await note(
    'info',
    'Default bridge (docker0) is assigned with an IP address 172.17.0.0/16. Daemon option --bip can be used to set a preferred IP address',
  );
  await note('info', 'Loading containers: done.');
  await note('info', 'Docker daemon', { commit: '5eb3275d40', 'graphdriver(s)': 'overlay2', version: DOCKER_VERSION });
  await note('info', 'Daemon has completed initialization');
  const listener = sys.listenUnix(DOCKER_SOCKET, 0o660);
  const shutDown = async (signal: string): Promise<void> => {
    if (stopping.signal.aborted) return;
    await log('info', `Processing signal '${signal}'`);
    // Clients are cut off first: what they still want would only start new work.
    stopping.abort(new SysError('ECONNRESET'));
    await daemon.containers.shutdown();
  };
  let ending: Promise<void> = Promise.resolve();
  for (const [name, text] of [
    ['SIGTERM', 'terminated'],
    ['SIGINT', 'interrupt'],
  ] as const) {
    sys.onSignal(name, () => {
      ending = shutDown(text);
    });
  }
  sys.onSignal('SIGCHLD', () => void reap(sys));
  if (!process.resumed) await notifyReady(process);
  await note('info', 'API listen on /var/run/docker.sock');
  await Promise.race([
    fault,
    serveHttp(listener, dockerApi(daemon), { clock: sys.clock, signal: stopping.signal, serverName: `Docker/${DOCKER_VERSION} (linux)` }),
  ]);
  await Promise.race([fault, ending]);
  await log('info', 'Daemon shutdown complete');
  for (const path of [DOCKER_SOCKET, PID_FILE]) if (sys.exists(path)) sys.unlink(path);
  return 0;
}

/** docker-proxy processes that have ended. */
async function reap(sys: Syscalls): Promise<void> {
  try {
    while ((await sys.wait(-1, { noHang: true })) !== undefined);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
}
