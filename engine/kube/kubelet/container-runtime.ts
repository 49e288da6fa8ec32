// The container runtime interface (CRI v1alpha2) as the kubelet uses it; dockershim implements it over docker's socket.

import type { ByteSink, ByteSource } from '../../sim/stream.ts';
import type { TerminalSize } from '../../kernel/process.ts';

export interface SandboxConfig {
  readonly podUid: string;
  readonly name: string;
  readonly namespace: string;
  readonly attempt: number;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly logDirectory: string;
  readonly dns:
    { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] } | undefined;
  readonly cgroupParent: string;
  readonly portMappings: readonly {
    readonly protocol: string;
    readonly containerPort: number;
    readonly hostPort: number;
    readonly hostAddress: string;
  }[];
}

export interface SandboxStatus {
  readonly id: string;
  readonly podUid: string;
  readonly name: string;
  readonly namespace: string;
  readonly attempt: number;
  readonly state: 'ready' | 'not-ready';
  readonly address: string | undefined;
  readonly hostNetwork: boolean;
  readonly createdMs: number;
}

export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
}

export interface ContainerConfig {
  readonly name: string;
  readonly image: string;
  readonly attempt: number;
  /** Empty: the image's entry point. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDirectory: string | undefined;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly privileged: boolean;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly resources: {
    readonly cpuShares: number;
    readonly cpuQuota: number;
    readonly memoryLimitBytes: number;
    readonly oomScoreAdj: number;
  };
  /** Relative to the sandbox's log directory: `nginx/0.log`. */
  readonly logPath: string;
}

export interface ContainerStatus {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly name: string;
  readonly attempt: number;
  readonly image: string;
  readonly imageId: string;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
  readonly createdMs: number;
  readonly startedMs: number;
  readonly finishedMs: number;
  readonly exitCode: number;
  /** Completed, Error, OOMKilled, ContainerCannotRun. */
  readonly reason: string;
  readonly message: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly logPath: string;
}

export interface ExecStreams {
  readonly stdin: ByteSource | undefined;
  readonly stdout: ByteSink | undefined;
  readonly stderr: ByteSink | undefined;
  readonly tty: boolean;
  readonly resize: AsyncIterable<TerminalSize> | undefined;
}

export interface LogOptions {
  readonly follow: boolean;
  /** Number of last lines; undefined for all. */
  readonly tail: number | undefined;
  readonly sinceMs: number;
  readonly timestamps: boolean;
}

/** What an implementation throws; the message is what the real runtime would answer. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}

export interface ContainerRuntime {
  version(): Promise<{ readonly name: string; readonly version: string; readonly apiVersion: string }>;
  status(): Promise<{ readonly runtimeReady: boolean; readonly networkReady: boolean; readonly networkMessage: string }>;
  runSandbox(config: SandboxConfig): Promise<string>;
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  /** Of one pod, or all. */
  sandboxes(podUid?: string): Promise<readonly SandboxStatus[]>;
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** SIGTERM, then SIGKILL after the grace. */
  stopContainer(id: string, graceMs: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  /** Of one pod, or all. */
  containers(podUid?: string): Promise<readonly ContainerStatus[]>;
  containerStatus(id: string): Promise<ContainerStatus>;
  pullImage(reference: string): Promise<string>;
  /** undefined when the node does not have it. */
  imageStatus(
    reference: string,
  ): Promise<{ readonly id: string; readonly sizeBytes: number; readonly tags: readonly string[] } | undefined>;
  images(): Promise<
    readonly { readonly id: string; readonly tags: readonly string[]; readonly digests: readonly string[]; readonly sizeBytes: number }[]
  >;
  removeImage(reference: string): Promise<void>;
  exec(id: string, argv: readonly string[], streams: ExecStreams, signal: AbortSignal): Promise<number>;
  attach(id: string, streams: ExecStreams, signal: AbortSignal): Promise<void>;
  /** Carries one connection to a port in the sandbox's network; RuntimeError when it can't be made. `gone` aborts with the client. */
  portForward(sandboxId: string, port: number, stream: ByteSource & ByteSink, gone: AbortSignal): Promise<void>;
  /** A container's log; with `follow` until it ends or `signal` aborts. */
  logs(id: string, options: LogOptions, stdout: ByteSink, stderr: ByteSink, signal: AbortSignal): Promise<void>;
  /** Something happened to a container or sandbox of this pod (undefined: the stream of events was interrupted, anything may have). Ends when `signal` aborts. */
  watchEvents(onEvent: (podUid: string | undefined) => void, signal: AbortSignal): Promise<void>;
  execSync(id: string, argv: readonly string[], timeoutMs: number): Promise<{ readonly exitCode: number; readonly output: string }>;
}
