// The contract between a program and its kernel: what a process may ask for. Programs, the shell, daemons and containers
// know nothing below it. Calls on the file system answer at once (the disk is memory); what can block returns a promise.
// Every blocking call ends when the process is killed: it rejects with ProcessExit, which programs must let pass.

import type { Disposable } from '../sim/disposable.ts';
import type { Clock } from '../sim/clock.ts';
import type { Rng } from '../sim/rng.ts';
import type { NetStack } from '../net/net-stack.ts';
import type { ByteSink, ByteSource, Connection, Listener } from '../sim/stream.ts';
import type { Database, Kernel } from './kernel.ts';

export { ProcessExit, type ByteSink, type ByteSource, type Connection, type Listener } from '../sim/stream.ts';

export type SignalName =
  | 'SIGHUP'
  | 'SIGINT'
  | 'SIGQUIT'
  | 'SIGILL'
  | 'SIGTRAP'
  | 'SIGABRT'
  | 'SIGBUS'
  | 'SIGFPE'
  | 'SIGKILL'
  | 'SIGUSR1'
  | 'SIGSEGV'
  | 'SIGUSR2'
  | 'SIGPIPE'
  | 'SIGALRM'
  | 'SIGTERM'
  | 'SIGCHLD'
  | 'SIGCONT'
  | 'SIGSTOP'
  | 'SIGTSTP'
  | 'SIGTTIN'
  | 'SIGTTOU'
  | 'SIGWINCH';

export type FileKind = 'file' | 'directory' | 'symlink' | 'pipe' | 'character' | 'block' | 'socket';

export interface Stat {
  readonly kind: FileKind;
  readonly dev: number;
  readonly ino: number;
  /** Permission bits with setuid, setgid and sticky, without the file type. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly sizeBytes: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

export interface StatFs {
  readonly source: string;
  readonly type: string;
  readonly target: string;
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly availableBytes: number;
  readonly totalInodes: number;
  readonly usedInodes: number;
  readonly options: string;
}

export interface OpenFlags {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  readonly append?: boolean;
  /** ENOTDIR unless the path is a directory. */
  readonly directory?: boolean;
  /** Mode of a created file before the umask; 0o666 if left out. */
  readonly mode?: number;
}

/** An open file description: descriptors made by dup, fork and spawn share it, its offset included. */
export interface OpenFile extends ByteSource, ByteSink {
  readonly kind: FileKind;
  /** The path it was opened by, or `pipe:[n]`, `socket:[n]`: what /proc/PID/fd shows. */
  readonly path: string;
  /** Of a pseudo terminal's master (`/dev/ptmx`) too: `tty.name` tells the other end, /dev/pts/N. */
  readonly tty: Tty | undefined;
  stat(): Stat;
  /** Returns the new offset; ESPIPE on pipes, ttys and sockets. */
  seek(offset: number, whence: 'set' | 'current' | 'end'): number;
  truncate(sizeBytes: number): void;
  /** True when a read would not wait (data, end of file or an error is there). */
  readonly isReadable: boolean;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** termios(3), as far as the line discipline obeys it. */
export interface Termios {
  readonly canonical: boolean;
  readonly echo: boolean;
  readonly signals: boolean;
  /** Input CR becomes NL. */
  readonly inputCrToNl: boolean;
  /** Output NL becomes CR NL. */
  readonly outputNlToCrNl: boolean;
  /** ^S and ^Q stop and start output. */
  readonly flowControl: boolean;
}

export interface Tty {
  /** `pts/0`, `tty1`. */
  readonly name: string;
  readonly size: TerminalSize;
  /** TIOCSWINSZ: tells the foreground group by SIGWINCH. */
  resize(size: TerminalSize): void;
  /** TCIFLUSH: drops what was typed and not read. */
  flushInput(): void;
  termios: Termios;
  /** Process group that gets its input and its signals; setting it from a background group raises SIGTTOU as tcsetpgrp does. */
  foregroundGroup: number;
  readonly session: number;
  onResize(listener: (size: TerminalSize) => void): Disposable;
}

export type WaitResult =
  | { readonly pid: number; readonly kind: 'exited'; readonly status: number }
  | { readonly pid: number; readonly kind: 'signaled'; readonly signal: SignalName }
  | { readonly pid: number; readonly kind: 'stopped'; readonly signal: SignalName }
  | { readonly pid: number; readonly kind: 'continued' };

export interface Credentials {
  /** Effective: what permissions are checked against. */
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Who started a set-uid program; left out: the same as uid. */
  readonly realUid?: number;
}

export interface SpawnOptions {
  readonly env?: ReadonlyMap<string, string>;
  readonly cwd?: string;
  /** Child descriptor to a descriptor of the parent. Left out: 0, 1 and 2 are inherited and nothing else. */
  readonly fds?: ReadonlyMap<number, number>;
  /** 0 makes the child leader of a new group, as setpgid(0, 0) before its first step; left out: the parent's group. */
  readonly processGroup?: number;
  /** setsid(2) before the first step. */
  readonly newSession?: boolean;
  /** Makes this tty the controlling terminal of the new session. */
  readonly controllingTty?: Tty;
  /** Gives the terminal to the child's group before its first step (a shell's foreground job). */
  readonly foreground?: boolean;
  readonly credentials?: Credentials;
  readonly umask?: number;
  /** Signals that start out ignored, as `nohup` and shells set them. */
  readonly ignoredSignals?: readonly SignalName[];
  readonly namespaces?: NamespaceRequest;
  /** cgroup path, `/system.slice/docker.service`; left out: the parent's. */
  readonly cgroup?: string;
  /**
   * This process is part of the machine's saved state: when a saved lab is opened again it is started once more
   * under its old pid with `resumed` set, instead of being gone. For main processes of units and of containers.
   */
  readonly durable?: boolean;
  /** ps(1) shows this instead of argv. */
  readonly title?: string;
}

export interface NamespaceRequest {
  /** Name of a network namespace of this kernel (Kernel.netNamespaces). */
  readonly net?: string;
  /** The process sees this directory (of the machine's tree) as /. */
  readonly root?: string;
  readonly hostname?: string;
  /** `new`: the child is pid 1 of a new pid namespace; a number: joins that process's namespace. */
  readonly pid?: 'new' | number;
}

export interface ProcessInfo {
  readonly pid: number;
  /** The pid as seen inside its own pid namespace. */
  readonly namespacePid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly argv: readonly string[];
  /** Name of the executable, at most 15 characters (comm). */
  readonly command: string;
  readonly state: 'R' | 'S' | 'D' | 'T' | 'Z';
  readonly uid: number;
  readonly tty: string | undefined;
  readonly foregroundGroup: number;
  readonly startMs: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  readonly cgroup: string;
  readonly netNamespace: string;
}

export interface FileChange {
  readonly type: 'created' | 'modified' | 'deleted' | 'moved-to' | 'moved-from';
  readonly path: string;
}

export interface Syscalls {
  readonly clock: Clock;
  /** A stream of this process's own (seeded by machine and pid). */
  readonly rng: Rng;

  // Descriptors
  /** The lowest free descriptor. Opening a FIFO does not wait for the other side. */
  open(path: string, flags: OpenFlags): number;
  close(fd: number): void;
  /** EBADF when closed. */
  file(fd: number): OpenFile;
  descriptors(): readonly number[];
  dup(fd: number, atLeast?: number): number;
  dup2(fd: number, target: number): void;
  setCloseOnExec(fd: number, isSet: boolean): void;
  /** [read end, write end]; a full pipe (64 KiB) holds its writer. */
  pipe(): readonly [number, number];

  // Files; relative paths start at the working directory
  stat(path: string): Stat;
  lstat(path: string): Stat;
  statfs(path: string): StatFs;
  mounts(): readonly StatFs[];
  exists(path: string): boolean;
  /** access(2): throws EACCES or ENOENT. */
  access(path: string, mode: { readonly read?: boolean; readonly write?: boolean; readonly execute?: boolean }): void;
  /** Names in no particular order, without . and .. */
  readdir(path: string): readonly string[];
  readFile(path: string): Uint8Array;
  readTextFile(path: string): string;
  /** Opens or creates a keyed database file (Kernel.database) among the files this process sees. */
  database(path: string): Database;
  /** Creates or truncates. */
  writeFile(path: string, contents: Uint8Array | string, options?: { readonly mode?: number; readonly append?: boolean }): void;
  mkdir(path: string, options?: { readonly mode?: number; readonly recursive?: boolean }): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  link(from: string, to: string): void;
  symlink(target: string, path: string): void;
  readlink(path: string): string;
  realpath(path: string): string;
  chmod(path: string, mode: number): void;
  chown(path: string, uid: number, gid: number, options?: { readonly followSymlink?: boolean }): void;
  utimes(path: string, atimeMs: number, mtimeMs: number): void;
  /** Devices only for root. */
  mknod(
    path: string,
    kind: 'pipe' | 'socket' | 'character' | 'block',
    mode: number,
    device?: { readonly major: number; readonly minor: number },
  ): void;
  /** inotify(7) on a file or on a directory's entries. */
  watch(path: string, listener: (change: FileChange) => void): Disposable;
  mount(request: { readonly source: string; readonly target: string; readonly type: string; readonly options?: string }): void;
  umount(target: string, options?: { readonly lazy?: boolean }): void;

  // The process
  cwd(): string;
  chdir(path: string): void;
  chroot(path: string): void;
  umask(mask?: number): number;
  credentials(): Credentials;
  setCredentials(credentials: Credentials): void;
  hostname(): string;
  setHostname(name: string): void;
  /** Looks the executable up by path only (PATH is the shell's matter). Throws ENOENT, EACCES, ENOEXEC. Returns the pid. */
  spawn(path: string, argv: readonly string[], options?: SpawnOptions): number;
  /** fork(2) whose child runs `main`: copies of descriptors, working directory, umask and environment. Returns the pid. */
  fork(main: (child: Process) => Promise<number>, options?: SpawnOptions): number;
  /** Replaces this process's program; returns only by throwing. */
  exec(path: string, argv: readonly string[], env: ReadonlyMap<string, string>): Promise<never>;
  /** waitpid(2): pid > 0 that child, -1 any child, < -1 any of that group. ECHILD when there is none. */
  wait(
    pid: number,
    options?: { readonly noHang?: boolean; readonly untraced?: boolean; readonly signal?: AbortSignal },
  ): Promise<WaitResult | undefined>;
  /** pid > 0 a process, < -1 a group, 0 the own group, -1 everything one may signal. ESRCH, EPERM. `signal` 0 only checks. */
  kill(pid: number, signal: SignalName | 0): void;
  /** Replaces the disposition. A handler runs at once when the signal arrives; the interrupted call goes on (SA_RESTART). */
  onSignal(signal: SignalName, disposition: 'default' | 'ignore' | (() => void)): void;
  setProcessGroup(pid: number, group: number): void;
  setSession(): void;
  controllingTty(): Tty | undefined;
  exit(status: number): never;
  processes(): readonly ProcessInfo[];

  // Time
  /** Wall clock of this machine in ms since the epoch (lab time plus what `date -s` moved). */
  now(): number;
  /** Milliseconds since boot. */
  uptimeMs(): number;
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Charges simulated CPU time; the way out of a busy loop and a place where a killed process stops. */
  spendCpu(microseconds: number): Promise<void>;
  /** Waits for anything else: `start` gets called once and returns how to give up. Ends by ProcessExit like every blocking call. */
  block<T>(start: (resolve: (value: T) => void, reject: (error: Error) => void) => Disposable | undefined): Promise<T>;

  // Sockets
  /**
   * The network namespace this process lives in. Sockets opened through it belong to the process: their calls end when it
   * is killed, and its end closes them.
   */
  readonly net: NetStack;
  /** Takes over a connection that another process opened, as a child that inherited the descriptor and whose parent closed it. */
  adopt(connection: Connection): Connection;
  /** Unix stream sockets; ECONNREFUSED when nobody listens, ENOENT when there is no such file. */
  connectUnix(path: string): Promise<Connection>;
  listenUnix(path: string, mode?: number): Listener;

  /** Privileged doors (modules, sysctl, namespaces, kernel log). Throws EPERM unless uid is 0. */
  readonly kernel: Kernel;
}

export interface Process {
  readonly pid: number;
  readonly argv: readonly string[];
  /** The process's own copy; changing it changes nobody else's. */
  readonly env: Map<string, string>;
  readonly sys: Syscalls;
  /** Descriptors 0, 1 and 2 at the time of the call. */
  readonly stdin: OpenFile;
  readonly stdout: OpenFile;
  readonly stderr: OpenFile;
  /** True when a saved machine goes on: state on disk is as this process left it, and start messages are not printed again. */
  readonly resumed: boolean;
}

/** An executable's behaviour. A file of the virtual disk names it, so `which`, `chmod -x` and `rm` mean what they say. */
export interface Program {
  readonly name: string;
  /** Where the machines' base image installs it; left out: /usr/bin/NAME. Empty for programs of container images alone. */
  readonly paths?: readonly string[];
  /** What ps(1) shows as resident and virtual size; left out: those of a small tool. */
  readonly memory?: { readonly residentBytes: number; readonly virtualBytes: number };
  /** Returns the exit status; prints its own errors. */
  main(process: Process): Promise<number>;
}
