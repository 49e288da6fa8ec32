// The JSON of the Engine API v1.40 and of the files under /var/lib/docker, as far as the lab uses it.

export interface ContainerConfigJson {
  Hostname: string;
  Domainname: string;
  User: string;
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
  ExposedPorts?: Record<string, Record<string, never>>;
  Tty: boolean;
  OpenStdin: boolean;
  StdinOnce: boolean;
  Env: string[];
  Cmd: string[] | null;
  Image: string;
  Volumes: Record<string, Record<string, never>> | null;
  WorkingDir: string;
  Entrypoint: string[] | null;
  Labels: Record<string, string>;
  StopSignal?: string;
  StopTimeout?: number;
}

export interface PortBinding {
  HostIp: string;
  HostPort: string;
}

export interface HostConfigJson {
  Binds: string[] | null;
  LogConfig: { Type: string; Config: Record<string, string> };
  NetworkMode: string;
  PortBindings: Record<string, PortBinding[]>;
  RestartPolicy: { Name: string; MaximumRetryCount: number };
  AutoRemove: boolean;
  Dns: string[];
  DnsOptions: string[];
  DnsSearch: string[];
  ExtraHosts: string[] | null;
  IpcMode: string;
  PidMode: string;
  OomScoreAdj: number;
  Privileged: boolean;
  CgroupParent: string;
  CpuShares: number;
  CpuPeriod: number;
  CpuQuota: number;
  Memory: number;
}

export interface ContainerStateJson {
  Status: 'created' | 'running' | 'restarting' | 'exited' | 'removing' | 'dead';
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  Pid: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
}

export interface EndpointJson {
  NetworkID: string;
  EndpointID: string;
  Gateway: string;
  IPAddress: string;
  IPPrefixLen: number;
  MacAddress: string;
}

/** config.v2.json: what the daemon knows of a container. */
export interface ContainerRecord {
  ID: string;
  Created: string;
  Path: string;
  Args: string[];
  /** With docker's leading slash. */
  Name: string;
  /** `sha256:...`. */
  Image: string;
  Driver: string;
  LogPath: string;
  RestartCount: number;
  HasBeenManuallyStopped: boolean;
  Config: ContainerConfigJson;
  State: ContainerStateJson;
  NetworkSettings: {
    SandboxKey: string;
    Networks: Record<string, EndpointJson>;
    /** Host ports that were picked at start. */
    Ports: Record<string, PortBinding[] | null>;
    /** Host end of the veth. */
    HostLink: string;
    ProxyPids: number[];
  };
  MountPoints: MountPoint[];
  StreamConfig: Record<string, never>;
}

export interface MountPoint {
  Type: 'bind' | 'volume';
  Name?: string;
  Source: string;
  Destination: string;
  RW: boolean;
}

export interface CreateRequest extends Partial<Omit<ContainerConfigJson, 'Cmd' | 'Entrypoint' | 'Env'>> {
  Image: string;
  Cmd?: string[] | null;
  Entrypoint?: string[] | null;
  Env?: string[] | null;
  HostConfig?: Partial<HostConfigJson>;
}

export interface ContainerSummary {
  Id: string;
  Names: string[];
  Image: string;
  ImageID: string;
  Command: string;
  Created: number;
  Ports: { IP?: string; PrivatePort: number; PublicPort?: number; Type: string }[];
  Labels: Record<string, string>;
  State: string;
  Status: string;
  HostConfig: { NetworkMode: string };
  Mounts: MountPoint[];
  SizeRw?: number;
}

export interface ContainerInspect {
  Id: string;
  Created: string;
  Path: string;
  Args: string[];
  State: ContainerStateJson;
  Image: string;
  ResolvConfPath: string;
  HostnamePath: string;
  HostsPath: string;
  LogPath: string;
  Name: string;
  RestartCount: number;
  Driver: string;
  Platform: string;
  HostConfig: HostConfigJson;
  GraphDriver: { Data: Record<string, string>; Name: string };
  Mounts: (MountPoint & { Mode: string; Propagation: string })[];
  Config: ContainerConfigJson;
  NetworkSettings: {
    Bridge: string;
    SandboxID: string;
    SandboxKey: string;
    Ports: Record<string, PortBinding[] | null>;
    Gateway: string;
    IPAddress: string;
    IPPrefixLen: number;
    MacAddress: string;
    Networks: Record<string, EndpointJson>;
  };
}

export interface ImageSummary {
  Id: string;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
  Created: number;
  Size: number;
  VirtualSize: number;
  Labels: Record<string, string> | null;
  ParentId: string;
  Containers: number;
  SharedSize: number;
}

/** The configuration blob of an image. */
export interface ImageConfigJson {
  architecture: string;
  os: string;
  created: string;
  docker_version?: string;
  config: {
    User: string;
    Env: string[] | null;
    Cmd: string[] | null;
    Entrypoint: string[] | null;
    WorkingDir: string;
    ExposedPorts?: Record<string, Record<string, never>>;
    Volumes: Record<string, Record<string, never>> | null;
    Labels: Record<string, string> | null;
    StopSignal?: string;
  };
  history: { created: string; created_by: string; empty_layer?: boolean }[];
  rootfs: { type: string; diff_ids: string[] };
}

export interface DockerEvent {
  status?: string;
  id?: string;
  from?: string;
  Type: 'container' | 'image' | 'network' | 'volume' | 'daemon';
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: 'local';
  time: number;
  timeNano: number;
}

/** An answer of the daemon that is an error. */
export class DockerError extends Error {
  override readonly name = 'DockerError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const ZERO_TIME = '0001-01-01T00:00:00Z';
