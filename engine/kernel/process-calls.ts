// Models the system-call layer: what one running program may ask of its kernel.

import { text, utf8 } from '../sim/bytes.ts';
import type { Clock } from '../sim/clock.ts';
import { disposable, type Disposable } from '../sim/disposable.ts';
import { SysError } from '../sim/errno.ts';
import type { Emitter } from '../sim/event.ts';
import type { Rng } from '../sim/rng.ts';
import { DONE, ProcessExit, type Connection, type Listener } from '../sim/stream.ts';
import type { NetStack } from '../net/net-stack.ts';
import type { NodeChange } from '../fs/inode.ts';
import type { Location } from '../fs/location.ts';
import { EXECUTE, READ, WRITE, type Walker } from '../fs/vfs.ts';
import { statOf, notifyModified, type Description } from './description.ts';
import { makeDevice } from './devices.ts';
import type { Database, Kernel } from './kernel.ts';
import type { LinuxKernel } from './linux-kernel.ts';
import { ProcessClock } from './process-clock.ts';
import { FileHandle, TerminalHandle } from './process-files.ts';
import { OwnedConnection, OwnedListener, processNet } from './process-net.ts';
import type {
  Credentials,
  FileChange,
  OpenFile,
  OpenFlags,
  Process,
  ProcessInfo,
  SignalName,
  SpawnOptions,
  Stat,
  StatFs,
  Syscalls,
  Tty,
  WaitResult,
} from './process.ts';
import { UnixListener } from './stream-pair.ts';
import type { Task } from './task.ts';
import type { Terminal } from './tty.ts';

/** A process that has charged this much CPU time lets it pass before it goes on. */
const SLICE_US = 10_000;

interface Wait {
  /** Ends it by ProcessExit. */
  end(): void;
}

/** A wait for a promise of somebody else. */
class UntilWait implements Wait {
  readonly #pid: number;
  readonly #waits: Set<Wait>;
  readonly #reject: (error: Error) => void;
  isDone = false;

  constructor(pid: number, waits: Set<Wait>, reject: (error: Error) => void) {
    this.#pid = pid;
    this.#waits = waits;
    this.#reject = reject;
  }

  finish<T>(deliver: (value: T) => void, value: T): void {
    if (this.isDone) return;
    this.isDone = true;
    this.#waits.delete(this);
    deliver(value);
  }

  end(): void {
    this.finish(this.#reject, new ProcessExit(`process ${this.#pid} has ended`));
  }
}

export class ProcessCalls implements Syscalls {
  readonly task: Task;
  readonly #kernel: LinuxKernel;
  readonly #waits = new Set<Wait>();
  readonly #owned = new Set<Disposable>();
  /** What came while the process was stopped. */
  #held: (() => void)[] = [];
  #isGone = false;
  readonly #handles = new WeakMap<Description, FileHandle>();
  readonly #terminals = new WeakMap<Terminal, TerminalHandle>();
  #rng: Rng | undefined;
  #clock: Clock | undefined;
  #net: NetStack | undefined;

  constructor(kernel: LinuxKernel, task: Task) {
    this.#kernel = kernel;
    this.task = task;
  }

  get clock(): Clock {
    this.#clock ??= new ProcessClock(this, this.#kernel.clock);
    return this.#clock;
  }

  get rng(): Rng {
    this.#rng ??= this.#kernel.rng.fork(`process-${this.task.pid}-${this.task.startMs}`);
    return this.#rng;
  }

  // Life of the program

  get isGone(): boolean {
    return this.#isGone;
  }

  /** The program ended or was replaced: every wait of its ends, and nothing more is done for it. */
  abandon(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#held = [];
    for (const wait of [...this.#waits]) wait.end();
    for (const owned of [...this.#owned].reverse()) owned.dispose();
    this.#owned.clear();
  }

  /** SIGCONT: what came meanwhile goes on. */
  goOn(): void {
    const held = this.#held;
    this.#held = [];
    for (const deliver of held) deliver();
  }

  assertAlive(): void {
    if (this.#isGone) throw new ProcessExit(`process ${this.task.pid} has ended`);
  }

  /** Disposed with the program at the latest. */
  own<T extends Disposable>(owned: T): T {
    this.#owned.add(owned);
    return owned;
  }

  disown(owned: Disposable): void {
    this.#owned.delete(owned);
  }

  block<T>(start: (resolve: (value: T) => void, reject: (error: Error) => void) => Disposable | undefined): Promise<T> {
    if (this.#isGone) return Promise.reject(new ProcessExit(`process ${this.task.pid} has ended`));
    return new Promise<T>((resolve, reject) => {
      let cleanup: Disposable | undefined;
      let isDone = false;
      const finish = (deliver: () => void): void => {
        if (isDone) return;
        isDone = true;
        cleanup?.dispose();
        if (this.task.isStopped) {
          this.#held.push(() => {
            this.#waits.delete(wait);
            deliver();
          });
        } else {
          this.#waits.delete(wait);
          deliver();
        }
      };
      const wait: Wait = {
        end: () => {
          this.#waits.delete(wait);
          if (!isDone) {
            isDone = true;
            cleanup?.dispose();
          }
          reject(new ProcessExit(`process ${this.task.pid} has ended`));
        },
      };
      this.#waits.add(wait);
      cleanup = start(
        (value) => finish(() => resolve(value)),
        (error) => finish(() => reject(error)),
      );
      if (isDone) cleanup?.dispose();
    });
  }

  /** Waits for somebody else's work as a wait of this process. A program that has ended starts none. */
  until<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isGone) return Promise.reject(new ProcessExit(`process ${this.task.pid} has ended`));
    let promise: Promise<T>;
    try {
      promise = work();
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    // Done at once; a stopped process hears of it when it goes on.
    if (promise === (DONE as unknown) && !this.task.isStopped) return promise;
    return new Promise<T>((resolve, reject) => {
      const wait = new UntilWait(this.task.pid, this.#waits, reject);
      if (this.#isGone) wait.end();
      else this.#waits.add(wait);
      promise.then(
        (value) => {
          if (!this.task.isStopped) wait.finish(resolve, value);
          else if (!wait.isDone) this.#held.push(() => wait.finish(resolve, value));
        },
        (error: unknown) => {
          if (!this.task.isStopped) wait.finish(reject, error);
          else if (!wait.isDone) this.#held.push(() => wait.finish(reject, error));
        },
      );
    });
  }

  waitFor(event: Emitter<void>, signal?: AbortSignal): Promise<void> {
    return this.block<void>((resolve, reject) => {
      const subscription = event.on(() => resolve());
      if (signal === undefined) return subscription;
      const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      signal.addEventListener('abort', abort, { once: true });
      return disposable(() => {
        subscription.dispose();
        signal.removeEventListener('abort', abort);
      });
    });
  }

  /** Goes on at once, or when a stopped process is continued. */
  pause(): Promise<void> {
    return this.block<void>((resolve) => {
      resolve();
      return undefined;
    });
  }

  /** Adds CPU time; returns a promise when the process has to let time pass. */
  charge(microseconds: number): Promise<void> | undefined {
    const { task } = this;
    task.cpuUs += microseconds;
    task.debtUs += microseconds;
    if (task.debtUs < SLICE_US) return undefined;
    const delayMs = task.debtUs / 1000;
    task.debtUs = 0;
    return this.sleep(delayMs);
  }

  async spendCpu(microseconds: number): Promise<void> {
    this.assertAlive();
    const debt = this.charge(microseconds);
    if (debt !== undefined) await debt;
    // A place where a stopped process stands still.
    else if (this.task.isStopped) await this.pause();
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.block<void>((resolve, reject) => {
      const timer = this.#kernel.clock.setTimer(delayMs, () => resolve());
      if (signal === undefined) return timer;
      const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
      return disposable(() => {
        timer.dispose();
        signal.removeEventListener('abort', abort);
      });
    });
  }

  now(): number {
    return this.#kernel.now();
  }

  uptimeMs(): number {
    return this.#kernel.clock.now() - this.#kernel.bootMs;
  }

  // Descriptors

  open(path: string, flags: OpenFlags): number {
    const walker = this.#enter();
    const description = this.#kernel.files.open(walker, this.task, path, flags);
    return this.#kernel.table.install(this.task, description);
  }

  close(fd: number): void {
    this.#kernel.table.closeSlot(this.task, fd);
  }

  file(fd: number): OpenFile {
    const slot = this.task.slots.get(fd);
    if (slot === undefined) throw new SysError('EBADF');
    let handle = this.#handles.get(slot.description);
    if (handle === undefined) this.#handles.set(slot.description, (handle = new FileHandle(this, slot.description)));
    return handle;
  }

  descriptors(): readonly number[] {
    return [...this.task.slots.keys()].sort((a, b) => a - b);
  }

  dup(fd: number, atLeast = 0): number {
    this.assertAlive();
    return this.#kernel.table.install(this.task, this.#slot(fd).description, atLeast);
  }

  dup2(fd: number, target: number): void {
    this.assertAlive();
    const { description } = this.#slot(fd);
    if (fd !== target) this.#kernel.table.installAt(this.task, target, description);
  }

  setCloseOnExec(fd: number, isSet: boolean): void {
    this.#slot(fd).closeOnExec = isSet;
  }

  pipe(): readonly [number, number] {
    this.assertAlive();
    const [read, write] = this.#kernel.table.newPipe();
    return [this.#kernel.table.install(this.task, read), this.#kernel.table.install(this.task, write)];
  }

  // Files

  stat(path: string): Stat {
    return statOf(this.#find(path).inode);
  }
  lstat(path: string): Stat {
    return statOf(this.#find(path, { noFollow: true }).inode);
  }
  statfs(path: string): StatFs {
    return this.#kernel.mounts.describe(this.#find(path).mount, this.task.root);
  }
  mounts(): readonly StatFs[] {
    this.#enter();
    return this.#kernel.mounts.list(this.task.root);
  }

  exists(path: string): boolean {
    try {
      this.#find(path);
      return true;
    } catch (error) {
      if (error instanceof SysError) return false;
      throw error;
    }
  }

  access(path: string, mode: { readonly read?: boolean; readonly write?: boolean; readonly execute?: boolean }): void {
    const location = this.#find(path);
    const mask = (mode.read === true ? READ : 0) | (mode.write === true ? WRITE : 0) | (mode.execute === true ? EXECUTE : 0);
    this.#kernel.vfs.permit(location.inode, this.task.identity, mask, path);
    if (mode.write === true && location.isReadOnly) throw new SysError('EROFS', path);
  }

  readdir(path: string): readonly string[] {
    const { inode } = this.#find(path);
    if (inode.kind !== 'directory') throw new SysError('ENOTDIR', path);
    this.#kernel.vfs.permit(inode, this.task.identity, READ, path);
    return inode.names();
  }

  readFile(path: string): Uint8Array {
    const { inode } = this.#find(path);
    if (inode.kind === 'directory') throw new SysError('EISDIR', path);
    this.#kernel.vfs.permit(inode, this.task.identity, READ, path);
    if (inode.kind !== 'file') return this.#readSpecial(path);
    this.#note(1);
    return inode.read(0, Infinity);
  }

  database(path: string): Database {
    return this.#kernel.database(this.realpath(path.slice(0, path.lastIndexOf('/'))) + path.slice(path.lastIndexOf('/')), this.task.root);
  }

  readTextFile(path: string): string {
    return text(this.readFile(path));
  }

  writeFile(path: string, contents: Uint8Array | string, options?: { readonly mode?: number; readonly append?: boolean }): void {
    const walker = this.#enter();
    const description = this.#kernel.files.open(walker, this.task, path, {
      write: true,
      create: true,
      ...(options?.append === true ? { append: true } : { truncate: true }),
      ...(options?.mode === undefined ? {} : { mode: options.mode }),
    });
    description.refs++;
    try {
      const bytes = typeof contents === 'string' ? utf8(contents) : contents;
      if (bytes.length > 0) description.tryWrite(bytes, this.task);
    } finally {
      if (--description.refs === 0) description.release();
    }
  }

  mkdir(path: string, options?: { readonly mode?: number; readonly recursive?: boolean }): void {
    const walker = this.#enter();
    const mode = (options?.mode ?? 0o777) & ~this.task.umask;
    if (options?.recursive !== true) {
      this.#kernel.vfs.create(walker, path.replace(/\/+$/, '') || '/', { kind: 'directory', mode });
      return;
    }
    const names = path.split('/').filter((name) => name !== '');
    let at = path.startsWith('/') ? '' : '.';
    names.forEach((name, index) => {
      at = `${at}/${name}`;
      const isLast = index === names.length - 1;
      const { location } = this.#kernel.vfs.findEntry(walker, at, { follow: true });
      if (location === undefined) {
        // mkdir -p gives the directories on the way u+wx, whatever the umask.
        this.#kernel.vfs.create(walker, at, { kind: 'directory', mode: isLast ? mode : (0o777 & ~this.task.umask) | 0o300 });
      } else if (location.inode.kind !== 'directory') {
        throw new SysError(isLast ? 'EEXIST' : 'ENOTDIR', at);
      }
    });
  }

  rmdir(path: string): void {
    this.#kernel.vfs.rmdir(this.#enter(), path);
  }
  unlink(path: string): void {
    this.#kernel.files.unlink(this.#enter(), path);
  }
  rename(from: string, to: string): void {
    this.#kernel.vfs.rename(this.#enter(), from, to);
  }
  link(from: string, to: string): void {
    this.#kernel.vfs.link(this.#enter(), from, to);
  }
  symlink(target: string, path: string): void {
    this.#kernel.vfs.create(this.#enter(), path, { kind: 'symlink', mode: 0o777, target });
  }

  readlink(path: string): string {
    const { inode } = this.#find(path, { noFollow: true });
    if (inode.kind !== 'symlink') throw new SysError('EINVAL', path);
    return inode.target();
  }

  realpath(path: string): string {
    return this.#find(path).path(this.task.root);
  }

  chmod(path: string, mode: number): void {
    const location = this.#find(path);
    const { uid } = location.inode.attributes();
    this.#assertOwner(uid, location);
    location.inode.setAttributes({ mode: mode & 0o7777 });
    notifyModified(location);
  }

  chown(path: string, uid: number, gid: number, options?: { readonly followSymlink?: boolean }): void {
    const location = this.#find(path, { noFollow: options?.followSymlink === false });
    const { identity } = this.task;
    const attributes = location.inode.attributes();
    const isOwnGroup = identity.gid === gid || identity.groups.includes(gid);
    if (identity.uid !== 0 && (attributes.uid !== identity.uid || uid !== attributes.uid || !isOwnGroup)) throw new SysError('EPERM', path);
    if (location.isReadOnly) throw new SysError('EROFS', path);
    // Changing the owner takes the set-id bits away.
    const mode = location.inode.kind === 'file' ? { mode: attributes.mode & ~0o6000 } : {};
    location.inode.setAttributes({ uid, gid, ...mode });
  }

  utimes(path: string, atimeMs: number, mtimeMs: number): void {
    const location = this.#find(path);
    if (this.task.identity.uid !== location.inode.attributes().uid && this.task.identity.uid !== 0) {
      this.#kernel.vfs.permit(location.inode, this.task.identity, WRITE, path);
    }
    if (location.isReadOnly) throw new SysError('EROFS', path);
    location.inode.setAttributes({ atimeMs, mtimeMs });
  }

  mknod(
    path: string,
    kind: 'pipe' | 'socket' | 'character' | 'block',
    mode: number,
    device?: { readonly major: number; readonly minor: number },
  ): void {
    if (kind === 'character' || kind === 'block') this.#assertRoot();
    const rdev = device === undefined ? 0 : makeDevice(device.major, device.minor);
    this.#kernel.vfs.create(this.#enter(), path, { kind, mode: mode & ~this.task.umask, rdev });
  }

  watch(path: string, listener: (change: FileChange) => void): Disposable {
    const { inode } = this.#find(path);
    const watcher = (change: NodeChange): void => {
      listener({ type: change.type, path: change.name === undefined ? path : `${path.replace(/\/$/, '')}/${change.name}` });
    };
    (inode.watchers ??= new Set()).add(watcher);
    const watch = disposable(() => {
      inode.watchers?.delete(watcher);
      this.disown(watch);
    });
    return this.own(watch);
  }

  mount(request: { readonly source: string; readonly target: string; readonly type: string; readonly options?: string }): void {
    this.#assertRoot();
    this.#kernel.mounts.mount(this.#enter(), request);
  }

  umount(target: string, options?: { readonly lazy?: boolean }): void {
    this.#assertRoot();
    this.#kernel.mounts.unmount(this.#enter(), target, options);
  }

  // The process

  cwd(): string {
    return this.task.cwd.path(this.task.root);
  }

  chdir(path: string): void {
    const location = this.#find(path);
    if (location.inode.kind !== 'directory') throw new SysError('ENOTDIR', path);
    this.#kernel.vfs.permit(location.inode, this.task.identity, EXECUTE, path);
    this.task.cwd = location;
    this.#kernel.table.changed(this.task);
  }

  chroot(path: string): void {
    this.#assertRoot();
    const location = this.#find(path);
    if (location.inode.kind !== 'directory') throw new SysError('ENOTDIR', path);
    this.task.root = location;
    this.#kernel.table.changed(this.task);
  }

  umask(mask?: number): number {
    const old = this.task.umask;
    if (mask !== undefined) this.task.umask = mask & 0o777;
    return old;
  }

  credentials(): Credentials {
    return { ...this.task.identity, realUid: this.task.realUid };
  }

  setCredentials(credentials: Credentials): void {
    this.assertAlive();
    const { identity, realUid } = this.task;
    const isOwn = credentials.uid === identity.uid || credentials.uid === realUid;
    if (identity.uid !== 0 && (!isOwn || credentials.gid !== identity.gid)) throw new SysError('EPERM');
    this.task.identity = { uid: credentials.uid, gid: credentials.gid, groups: [...credentials.groups] };
    this.task.realUid = credentials.realUid ?? credentials.uid;
    this.#kernel.table.changed(this.task);
  }

  hostname(): string {
    return this.task.uts.hostname;
  }

  setHostname(name: string): void {
    this.#assertRoot();
    this.#kernel.setHostname(this.task, name);
  }

  spawn(path: string, argv: readonly string[], options?: SpawnOptions): number {
    const walker = this.#enter();
    return this.#seen(this.#kernel.table.spawn(this.task, walker, path, argv, options ?? {}));
  }

  fork(main: (child: Process) => Promise<number>, options?: SpawnOptions): number {
    this.assertAlive();
    return this.#seen(this.#kernel.table.fork(this.task, main, options ?? {}));
  }

  async exec(path: string, argv: readonly string[], env: ReadonlyMap<string, string>): Promise<never> {
    const walker = this.#enter();
    this.#kernel.table.exec(this.task, walker, path, argv, env);
    // The old program never goes on; what it was waiting for has ended.
    throw new ProcessExit('replaced by exec');
  }

  wait(
    pid: number,
    options?: { readonly noHang?: boolean; readonly untraced?: boolean; readonly signal?: AbortSignal },
  ): Promise<WaitResult | undefined> {
    return this.#kernel.table.wait(this, pid, options ?? {});
  }

  kill(pid: number, signal: SignalName | 0): void {
    this.assertAlive();
    this.#kernel.table.kill(this.task, pid, signal);
    this.assertAlive();
  }

  /** Sends a signal to this process itself. */
  raise(signal: SignalName): void {
    this.#kernel.table.deliver(this.task, signal, { isForced: false });
    this.assertAlive();
  }

  onSignal(signal: SignalName, disposition: 'default' | 'ignore' | (() => void)): void {
    this.assertAlive();
    if (signal === 'SIGKILL' || signal === 'SIGSTOP') throw new SysError('EINVAL');
    if (disposition === 'default') this.task.dispositions.delete(signal);
    else this.task.dispositions.set(signal, disposition);
  }

  setProcessGroup(pid: number, group: number): void {
    this.assertAlive();
    this.#kernel.table.setProcessGroup(this.task, pid, group);
  }

  setSession(): void {
    this.assertAlive();
    this.#kernel.table.setSession(this.task);
  }

  controllingTty(): Tty | undefined {
    const { tty } = this.task.session;
    return tty === undefined ? undefined : this.terminalHandle(tty);
  }

  exit(status: number): never {
    if (!this.#isGone) this.#kernel.table.terminate(this.task, { kind: 'exited', status: status & 0xff });
    throw new ProcessExit(`exit ${status}`);
  }

  processes(): readonly ProcessInfo[] {
    return this.#kernel.table.processesIn(this.task.pidNamespace);
  }

  // Sockets

  get net(): NetStack {
    const stack = this.#kernel.netNamespaces.get(this.task.netNamespace);
    if (this.#net === undefined) this.#net = processNet(this, stack);
    return this.#net;
  }

  adopt(connection: Connection): Connection {
    const inner = connection instanceof OwnedConnection ? connection.release() : connection;
    return new OwnedConnection(this, inner);
  }

  async connectUnix(path: string): Promise<Connection> {
    const { inode } = this.#find(path);
    if (inode.kind !== 'socket') throw new SysError('ECONNREFUSED', path);
    this.#kernel.vfs.permit(inode, this.task.identity, WRITE, path);
    const listener = inode.attachment;
    if (!(listener instanceof UnixListener) || listener.isClosed) throw new SysError('ECONNREFUSED', path);
    return new OwnedConnection(this, listener.connect());
  }

  listenUnix(path: string, mode = 0o777): Listener {
    const walker = this.#enter();
    const { location } = this.#kernel.vfs.findEntry(walker, path);
    if (location !== undefined) throw new SysError('EADDRINUSE', path);
    const created = this.#kernel.vfs.create(walker, path, { kind: 'socket', mode: mode & ~this.task.umask });
    const listener = new UnixListener(path);
    created.inode.attachment = listener;
    return new OwnedListener(this, listener);
  }

  get kernel(): Kernel {
    this.#assertRoot();
    return this.#kernel;
  }

  // For handles

  terminalHandle(terminal: Terminal): TerminalHandle {
    let handle = this.#terminals.get(terminal);
    if (handle === undefined) this.#terminals.set(terminal, (handle = new TerminalHandle(this, terminal)));
    return handle;
  }

  /** A group's or session's number as this process's pid namespace has it; 0 when it is outside. */
  groupAsSeen(group: number): number {
    return this.#kernel.table.numberIn(group, this.task.pidNamespace);
  }

  groupOfSeen(group: number): number {
    return this.#kernel.table.numberOf(group, this.task.pidNamespace);
  }

  #seen(task: Task): number {
    return task.pidIn(this.task.pidNamespace) ?? task.pid;
  }

  #slot(fd: number): { readonly description: Description; closeOnExec: boolean } {
    const slot = this.task.slots.get(fd);
    if (slot === undefined) throw new SysError('EBADF');
    return slot;
  }

  #readSpecial(path: string): Uint8Array {
    const description = this.#kernel.files.open(this.#enter(), this.task, path, { read: true });
    const got = description.tryRead(64 * 1024, this.task);
    description.release();
    return got instanceof Uint8Array ? got : new Uint8Array(0);
  }

  /** Every call on files starts here: a program that has ended does nothing more. */
  #enter(): Walker {
    this.assertAlive();
    this.#note(0.5);
    this.#kernel.viewer = this.task;
    return this.task;
  }

  #note(microseconds: number): void {
    this.task.cpuUs += microseconds;
    this.task.debtUs += microseconds;
  }

  #find(path: string, options?: { readonly noFollow?: boolean }): Location {
    return this.#kernel.vfs.find(this.#enter(), path, options);
  }

  #assertOwner(uid: number, location: Location): void {
    if (this.task.identity.uid !== 0 && this.task.identity.uid !== uid) throw new SysError('EPERM', location.path());
    if (location.isReadOnly) throw new SysError('EROFS', location.path());
  }

  #assertRoot(): void {
    this.assertAlive();
    if (this.task.identity.uid !== 0) throw new SysError('EPERM');
  }
}
