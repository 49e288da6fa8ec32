// Models the process table: fork, exec, exit, wait, signals, groups, sessions and pid namespaces.

import { SysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import { invariant } from '../sim/invariant.ts';
import { ProcessExit } from '../sim/stream.ts';
import type { Mount } from '../fs/location.ts';
import type { Walker } from '../fs/vfs.ts';
import { FileDescription, type Description } from './description.ts';
import { baseName, type Loaded } from './executable.ts';
import type { LinuxKernel } from './linux-kernel.ts';
import { PipeBuffer, PipeEnd } from './pipe.ts';
import { ProcessCalls } from './process-calls.ts';
import { TerminalHandle } from './process-files.ts';
import { ProcessRecords } from './process-records.ts';
import type { Process, ProcessInfo, Program, SignalName, SpawnOptions, WaitResult } from './process.ts';
import { defaultAction } from './signals.ts';
import { Task, type EndOfTask, type PidNamespace, type UtsNamespace } from './task.ts';
import { Terminal, type JobControl } from './tty.ts';

const MAX_PID = 32768;
/** Where numbers start again after MAX_PID, as in Linux. */
const RESERVED_PIDS = 300;
const FIRST_USER_PID = 300;
const MAX_DESCRIPTORS = 1024 * 1024;
/** What fork and exec cost on the lab's hardware. */
const SPAWN_US = 300;

const TOOL_MEMORY = { residentBytes: 900 * 1024, virtualBytes: 110 * 1024 * 1024 };

export class ProcessTable implements JobControl {
  readonly #kernel: LinuxKernel;
  readonly #byPid = new Map<number, Task>();
  readonly rootNamespace: PidNamespace;
  readonly hostUts: UtsNamespace;
  readonly records: ProcessRecords;
  lastPid = FIRST_USER_PID - 1;
  readonly onEnd = new Emitter<{ pid: number; status: number; signal: string | undefined; cgroup: string }>();
  /** A program failed in a way that is a fault of ours. */
  readonly onCrash = new Emitter<{ readonly task: Task; readonly error: unknown }>();
  #nextPipe = 20_000;
  #nextNamespace = 1;
  readonly #virtualBytes = new WeakMap<Task, number>();
  #isDisposed = false;

  constructor(kernel: LinuxKernel) {
    this.#kernel = kernel;
    const tasks = this.#byPid;
    this.rootNamespace = { id: 0, init: undefined, tasks, lastPid: 0 };
    this.hostUts = {
      get hostname() {
        return kernel.hostname;
      },
      set hostname(name: string) {
        kernel.hostname = name;
      },
    };
    this.records = new ProcessRecords(kernel, this);
  }

  get tasks(): Iterable<Task> {
    return this.#byPid.values();
  }

  find(pid: number): Task | undefined {
    return this.#byPid.get(pid);
  }

  // Making processes

  startInit(path: string, argv: readonly string[]): void {
    const root = this.#kernel.vfs.root;
    const walker: Walker = { identity: { uid: 0, gid: 0, groups: [] }, root, cwd: root };
    const loaded = this.#kernel.loader.load(walker, path, argv);
    const init = this.#newInit(loaded.argv, loaded.command, loaded.path, new Map());
    init.isDurable = true;
    this.changed(init);
    this.run(init, loaded.program);
  }

  #newInit(argv: readonly string[], command: string, executable: string, environment: Map<string, string>): Task {
    const root = this.#kernel.vfs.root;
    const init = new Task(1, {
      pidNamespace: this.rootNamespace,
      parent: undefined,
      group: 1,
      session: undefined,
      argv,
      command,
      executable,
      environment,
      identity: { uid: 0, gid: 0, groups: [] },
      umask: 0o022,
      cwd: root,
      root,
      uts: this.hostUts,
      netNamespace: 'host',
      cgroup: '/',
      startMs: this.#kernel.now(),
    });
    this.#byPid.set(1, init);
    for (let fd = 0; fd < 3; fd++) this.installAt(init, fd, this.openNull(init));
    return init;
  }

  spawn(parent: Task, walker: Walker, path: string, argv: readonly string[], options: SpawnOptions): Task {
    this.#assertMay(parent, options);
    const inside = options.namespaces?.root === undefined ? walker : this.#rootedWalker(walker, options);
    const identity =
      options.credentials === undefined ? walker.identity : { ...options.credentials, groups: [...options.credentials.groups] };
    const cwd = options.cwd === undefined ? inside.cwd : this.#kernel.vfs.find({ ...inside, identity }, options.cwd);
    if (cwd.inode.kind !== 'directory') throw new SysError('ENOTDIR', options.cwd);
    const loaded = this.#kernel.loader.load({ ...inside, cwd, identity }, path, argv);
    const child = this.#newTask(parent, options, {
      argv: loaded.argv,
      command: loaded.command,
      executable: loaded.path,
      environment: new Map(options.env ?? parent.environment),
      cwd,
      root: inside.root,
    });
    this.#applyLoaded(child, loaded);
    this.#inherit(parent, child, options);
    parent.debtUs += SPAWN_US;
    parent.cpuUs += SPAWN_US / 2;
    this.changed(child);
    this.run(child, loaded.program);
    return child;
  }

  fork(parent: Task, main: (child: Process) => Promise<number>, options: SpawnOptions): Task {
    this.#assertMay(parent, options);
    const walker = options.namespaces?.root === undefined ? parent : this.#rootedWalker(parent, options);
    const cwd = options.cwd === undefined ? walker.cwd : this.#kernel.vfs.find(walker, options.cwd);
    const child = this.#newTask(parent, options, {
      argv: options.title === undefined ? parent.argv : [options.title],
      command: options.title === undefined ? parent.command : baseName(options.title.split(' ', 1)[0]!).slice(0, 15),
      executable: parent.executable,
      environment: new Map(options.env ?? parent.environment),
      cwd,
      root: walker.root,
    });
    child.residentBytes = parent.residentBytes;
    this.#virtualBytes.set(child, this.#virtualBytes.get(parent) ?? TOOL_MEMORY.virtualBytes);
    for (const [signal, disposition] of parent.dispositions) if (disposition === 'ignore') child.dispositions.set(signal, 'ignore');
    if (options.fds !== undefined) this.#inherit(parent, child, options);
    else for (const [fd, slot] of parent.slots) this.installAt(child, fd, slot.description, slot.closeOnExec);
    this.#placeInJob(parent, child, options);
    parent.debtUs += SPAWN_US / 2;
    parent.cpuUs += SPAWN_US / 4;
    this.run(child, { name: child.command, main });
    return child;
  }

  exec(task: Task, walker: Walker, path: string, argv: readonly string[], env: ReadonlyMap<string, string>): void {
    const loaded = this.#kernel.loader.load(walker, path, argv);
    task.calls?.abandon();
    task.argv = loaded.argv;
    task.title = undefined;
    task.command = loaded.command;
    task.executable = loaded.path;
    task.environment = new Map(env);
    task.hasExecuted.value = true;
    this.#applyLoaded(task, loaded);
    for (const [signal, disposition] of [...task.dispositions]) if (disposition !== 'ignore') task.dispositions.delete(signal);
    for (const [fd, slot] of [...task.slots]) if (slot.closeOnExec) this.closeSlot(task, fd);
    task.cpuUs += SPAWN_US / 2;
    this.changed(task);
    this.run(task, loaded.program);
  }

  /** Starts a program in a task; its result ends the task unless another program took its place meanwhile. */
  run(task: Task, program: Program): void {
    const calls = new ProcessCalls(this.#kernel, task);
    task.calls = calls;
    queueMicrotask(() => {
      if (calls.isGone) return;
      const handle = (fd: number): Process['stdin'] => {
        if (!task.slots.has(fd)) this.installAt(task, fd, this.openNull(task));
        return calls.file(fd);
      };
      const process: Process = {
        pid: task.namespacePid,
        argv: task.argv,
        env: task.environment,
        sys: calls,
        stdin: handle(0),
        stdout: handle(1),
        stderr: handle(2),
        resumed: task.isResumed && !task.hasExecuted.value,
      };
      this.#main(program, process).then(
        (status) => {
          if (task.calls === calls && !task.isZombie) this.terminate(task, { kind: 'exited', status: status & 0xff });
        },
        (error: unknown) => this.#failed(task, calls, error),
      );
    });
  }

  async #main(program: Program, process: Process): Promise<number> {
    return program.main(process);
  }

  #failed(task: Task, calls: ProcessCalls, error: unknown): void {
    if (error instanceof ProcessExit) {
      // exec and signals have done their part; a program that lets an exit pass on its own has ended too.
      if (task.calls === calls && !task.isZombie && !calls.isGone) this.terminate(task, { kind: 'exited', status: 0 });
      return;
    }
    if (task.calls !== calls || task.isZombie) return;
    this.#kernel.log(`${task.command}[${task.pid}]: ${error instanceof Error ? error.message : String(error)}`, 3);
    this.onCrash.emit({ task, error });
    if (!task.isZombie) this.terminate(task, { kind: 'signaled', signal: 'SIGABRT' });
  }

  /** Only root becomes somebody else or leaves its namespaces. */
  #assertMay(parent: Task, options: SpawnOptions): void {
    if (parent.identity.uid === 0) return;
    const { credentials, namespaces } = options;
    const isOther = credentials !== undefined && (credentials.uid !== parent.identity.uid || credentials.gid !== parent.identity.gid);
    if (isOther || namespaces !== undefined || options.cgroup !== undefined) throw new SysError('EPERM');
  }

  #newTask(
    parent: Task,
    options: SpawnOptions,
    image: Pick<Task, 'argv' | 'command' | 'executable' | 'environment' | 'cwd' | 'root'>,
  ): Task {
    const pid = this.#newPid();
    const startMs = this.#kernel.now();
    const isLeader = options.newSession === true;
    const child = new Task(pid, {
      ...image,
      pidNamespace: this.#pidNamespace(parent, options),
      parent,
      group: isLeader || options.processGroup === 0 ? pid : parent.group,
      session: isLeader ? undefined : parent.session,
      identity:
        options.credentials === undefined
          ? parent.identity
          : { uid: options.credentials.uid, gid: options.credentials.gid, groups: [...options.credentials.groups] },
      umask: options.umask ?? parent.umask,
      uts: options.namespaces?.hostname === undefined ? this.#utsOf(parent, options) : { hostname: options.namespaces.hostname },
      netNamespace: options.namespaces?.net ?? parent.netNamespace,
      cgroup: options.cgroup ?? parent.cgroup,
      startMs,
    });
    if (options.namespaces?.net !== undefined) this.#kernel.netNamespaces.get(options.namespaces.net);
    if (options.credentials === undefined) child.realUid = parent.realUid;
    else if (options.credentials.realUid !== undefined) child.realUid = options.credentials.realUid;
    child.title = options.title;
    child.isDurable = options.durable === true;
    this.#byPid.set(pid, child);
    this.#enterNamespace(child, options.namespaces?.pid === 'new');
    parent.children.add(child);
    return child;
  }

  #utsOf(parent: Task, options: SpawnOptions): UtsNamespace {
    const joined = typeof options.namespaces?.pid === 'number' ? this.#byPid.get(options.namespaces.pid) : undefined;
    return joined?.uts ?? parent.uts;
  }

  #pidNamespace(parent: Task, options: SpawnOptions): PidNamespace {
    const wanted = options.namespaces?.pid;
    if (typeof wanted !== 'number') return parent.pidNamespace;
    const joined = this.#byPid.get(wanted);
    if (joined === undefined || joined.isZombie) throw new SysError('ESRCH', String(wanted));
    return joined.pidNamespace;
  }

  #enterNamespace(child: Task, isNew: boolean): void {
    if (isNew) {
      child.pidNamespace = { id: this.#nextNamespace++, init: child, tasks: new Map([[1, child]]), lastPid: 1 };
      child.namespacePid = 1;
      return;
    }
    const { pidNamespace } = child;
    if (pidNamespace.init === undefined) return;
    do pidNamespace.lastPid++;
    while (pidNamespace.tasks.has(pidNamespace.lastPid));
    child.namespacePid = pidNamespace.lastPid;
    pidNamespace.tasks.set(child.namespacePid, child);
  }

  #inherit(parent: Task, child: Task, options: SpawnOptions): void {
    for (const signal of options.ignoredSignals ?? []) child.dispositions.set(signal, 'ignore');
    for (const [signal, disposition] of parent.dispositions) if (disposition === 'ignore') child.dispositions.set(signal, 'ignore');
    const fds = options.fds ?? new Map([0, 1, 2].filter((fd) => parent.slots.has(fd)).map((fd) => [fd, fd] as const));
    for (const [fd, from] of fds) {
      const slot = parent.slots.get(from);
      if (slot === undefined) {
        this.#discard(child);
        throw new SysError('EBADF', String(from));
      }
      this.installAt(child, fd, slot.description);
    }
    this.#placeInJob(parent, child, options);
  }

  #placeInJob(parent: Task, child: Task, options: SpawnOptions): void {
    const wanted = options.processGroup;
    if (wanted !== undefined && wanted !== 0 && options.newSession !== true) child.group = this.numberOf(wanted, parent.pidNamespace);
    if (options.controllingTty !== undefined) {
      const terminal = terminalOf(options.controllingTty);
      if (terminal.owner !== undefined) terminal.disown();
      terminal.owner = child.session;
      child.session.tty = terminal;
      terminal.foregroundGroup = child.group;
    }
    if (options.foreground === true && child.session.tty !== undefined) child.session.tty.foregroundGroup = child.group;
  }

  #discard(child: Task): void {
    for (const fd of [...child.slots.keys()]) this.closeSlot(child, fd);
    child.parent?.children.delete(child);
    this.#byPid.delete(child.pid);
    child.pidNamespace.tasks.delete(child.namespacePid);
  }

  #applyLoaded(task: Task, loaded: Loaded): void {
    const memory = loaded.program.memory ?? TOOL_MEMORY;
    task.residentBytes = memory.residentBytes;
    this.#virtualBytes.set(task, memory.virtualBytes);
    if (loaded.setUid !== undefined || loaded.setGid !== undefined) {
      task.realUid = task.identity.uid;
      task.identity = { uid: loaded.setUid ?? task.identity.uid, gid: loaded.setGid ?? task.identity.gid, groups: task.identity.groups };
    }
  }

  #rootedWalker(walker: Walker, options: SpawnOptions): Walker {
    // Paths of roots are those of the machine's tree, whoever asks.
    const machine = this.#kernel.vfs.root;
    const asRoot: Walker = { identity: { uid: 0, gid: 0, groups: [] }, root: machine, cwd: machine };
    const root = this.#kernel.vfs.find(asRoot, options.namespaces!.root!);
    if (root.inode.kind !== 'directory') throw new SysError('ENOTDIR', options.namespaces!.root!);
    return { identity: walker.identity, root, cwd: root };
  }

  #newPid(): number {
    for (let tries = 0; tries < MAX_PID; tries++) {
      this.lastPid++;
      if (this.lastPid >= MAX_PID) this.lastPid = RESERVED_PIDS;
      if (!this.#byPid.has(this.lastPid)) {
        this.#kernel.changedState();
        return this.lastPid;
      }
    }
    throw new SysError('EAGAIN');
  }

  // Descriptors

  install(task: Task, description: Description, atLeast = 0): number {
    let fd = atLeast;
    while (task.slots.has(fd)) fd++;
    if (fd >= MAX_DESCRIPTORS) throw new SysError('EMFILE');
    this.installAt(task, fd, description);
    return fd;
  }

  installAt(task: Task, fd: number, description: Description, closeOnExec = false): void {
    description.refs++;
    if (task.slots.has(fd)) this.closeSlot(task, fd);
    task.slots.set(fd, { description, closeOnExec });
    if (task.isDurable) this.changed(task);
  }

  closeSlot(task: Task, fd: number): void {
    const slot = task.slots.get(fd);
    if (slot === undefined) {
      if (task.isZombie) return;
      throw new SysError('EBADF');
    }
    task.slots.delete(fd);
    if (--slot.description.refs === 0) slot.description.release();
    if (task.isDurable) this.changed(task);
  }

  newPipeBuffer(): PipeBuffer {
    return new PipeBuffer(this.#nextPipe++);
  }

  newPipe(): readonly [PipeEnd, PipeEnd] {
    const buffer = this.newPipeBuffer();
    const now = (): number => this.#kernel.now();
    return [new PipeEnd(buffer, 'read', { now }), new PipeEnd(buffer, 'write', { now })];
  }

  reservePipes(above: number): void {
    this.#nextPipe = Math.max(this.#nextPipe, above + 1);
  }

  openNull(task: Task): Description {
    const { vfs, files } = this.#kernel;
    const root = vfs.root;
    return files.open({ identity: { uid: 0, gid: 0, groups: [] }, root, cwd: root }, task, '/dev/null', { read: true, write: true });
  }

  /** Whether a process works in a mount or has a file of it open. */
  uses(mount: Mount): boolean {
    for (const task of this.#byPid.values()) {
      if (task.isZombie) continue;
      if (task.cwd.mount === mount || task.root.mount === mount) return true;
      for (const { description } of task.slots.values()) {
        if (description instanceof FileDescription && description.location.mount === mount) return true;
      }
    }
    return false;
  }

  // Ending

  terminate(task: Task, end: EndOfTask): void {
    if (task.isZombie) return;
    task.end = end;
    task.isStopped = false;
    task.calls?.abandon();
    for (const fd of [...task.slots.keys()]) this.closeSlot(task, fd);
    this.records.forget(task);
    task.residentBytes = 0;
    if (this.#isDisposed) return;
    this.#leaveSession(task);
    const orphanedBefore = this.#groupsOfChildren(task);
    this.#giveAwayChildren(task);
    if (task.isNamespaceInit && task.pidNamespace.init === task) {
      for (const other of [...task.pidNamespace.tasks.values()])
        if (other !== task) this.terminate(other, { kind: 'signaled', signal: 'SIGKILL' });
    }
    for (const group of orphanedBefore) this.#hangUpIfOrphanedAndStopped(group);
    const { parent } = task;
    const isIgnored = parent === undefined || parent.isZombie || parent.isKernelThread || parent.dispositions.get('SIGCHLD') === 'ignore';
    if (isIgnored) this.#reap(task);
    this.onEnd.emit({
      pid: task.pid,
      status: end.kind === 'exited' ? end.status : 0,
      signal: end.kind === 'signaled' ? end.signal : undefined,
      cgroup: task.cgroup,
    });
    if (task.pid === 1) {
      this.#kernel.log(`Kernel panic - not syncing: Attempted to kill init! exitcode=0x${exitCode(end).toString(16).padStart(8, '0')}`, 0);
      this.#kernel.power('halt');
      return;
    }
    if (parent !== undefined && !parent.isZombie) {
      this.deliver(parent, 'SIGCHLD', { isForced: false });
      parent.onChild.emit();
    }
  }

  #leaveSession(task: Task): void {
    if (task.session.leader !== task || task.session.tty === undefined) return;
    const { tty } = task.session;
    const foreground = tty.foregroundGroup;
    tty.disown();
    if (foreground > 0) {
      this.signalGroup(foreground, 'SIGHUP');
      this.signalGroup(foreground, 'SIGCONT');
    }
  }

  #groupsOfChildren(task: Task): ReadonlySet<number> {
    return new Set([...task.children].filter((child) => !child.isZombie).map((child) => child.group));
  }

  #giveAwayChildren(task: Task): void {
    if (task.children.size === 0) return;
    const init = task.pidNamespace.init;
    const heir = init !== undefined && init !== task && !init.isZombie ? init : this.#byPid.get(1);
    for (const child of [...task.children]) {
      task.children.delete(child);
      child.parent = heir;
      if (heir === undefined || heir === task) {
        if (child.isZombie) this.#reap(child);
        continue;
      }
      heir.children.add(child);
      this.changed(child);
      if (child.isZombie) {
        this.deliver(heir, 'SIGCHLD', { isForced: false });
        heir.onChild.emit();
      }
    }
  }

  #reap(task: Task): void {
    task.parent?.children.delete(task);
    this.#byPid.delete(task.pid);
    task.pidNamespace.tasks.delete(task.namespacePid);
  }

  #hangUpIfOrphanedAndStopped(group: number): void {
    const members = this.#group(group);
    if (!members.some((task) => task.isStopped) || !this.isOrphaned(group)) return;
    this.signalGroup(group, 'SIGHUP');
    this.signalGroup(group, 'SIGCONT');
  }

  // Waiting

  async wait(
    calls: ProcessCalls,
    pid: number,
    options: { readonly noHang?: boolean; readonly untraced?: boolean; readonly signal?: AbortSignal },
  ): Promise<WaitResult | undefined> {
    const { task } = calls;
    for (;;) {
      calls.assertAlive();
      options.signal?.throwIfAborted();
      const candidates = this.#candidates(task, pid);
      if (candidates.length === 0) throw new SysError('ECHILD');
      for (const child of candidates) {
        const result = this.#resultOf(child, task.pidNamespace, options.untraced === true);
        if (result !== undefined) {
          const debt = calls.charge(20);
          if (debt !== undefined) await debt;
          return result;
        }
      }
      if (options.noHang === true) return undefined;
      const debt = calls.charge(0);
      if (debt !== undefined) {
        await debt;
        continue;
      }
      await calls.waitFor(task.onChild, options.signal);
    }
  }

  #candidates(task: Task, pid: number): readonly Task[] {
    if (pid > 0) {
      const child = task.pidNamespace.tasks.get(pid);
      return child !== undefined && task.children.has(child) ? [child] : [];
    }
    const group = pid === 0 ? task.group : pid < -1 ? this.numberOf(-pid, task.pidNamespace) : undefined;
    return [...task.children].filter((child) => group === undefined || child.group === group);
  }

  #resultOf(child: Task, viewer: PidNamespace, withStops: boolean): WaitResult | undefined {
    const pid = child.pidIn(viewer) ?? 0;
    if (child.end !== undefined) {
      this.#reap(child);
      return child.end.kind === 'exited'
        ? { pid, kind: 'exited', status: child.end.status }
        : { pid, kind: 'signaled', signal: child.end.signal };
    }
    const { unreported } = child;
    if (!withStops || unreported === undefined) return undefined;
    child.unreported = undefined;
    return unreported.kind === 'stopped' ? { pid, kind: 'stopped', signal: unreported.signal } : { pid, kind: 'continued' };
  }

  // Signals

  kill(sender: Task, pid: number, signal: SignalName | 0): void {
    const targets = this.#targets(sender, pid);
    if (targets.length === 0) throw new SysError('ESRCH');
    const allowed = targets.filter((target) => this.#maySignal(sender, target, signal));
    if (allowed.length === 0) throw new SysError('EPERM');
    if (signal === 0) return;
    for (const target of allowed) {
      // A namespace's init is out of reach for signals it does not handle; from outside, SIGKILL and SIGSTOP do reach it.
      const isOutside = target.pidNamespace !== sender.pidNamespace;
      this.deliver(target, signal, { isForced: isOutside });
    }
  }

  #targets(sender: Task, pid: number): readonly Task[] {
    const visible = [...sender.pidNamespace.tasks.values()].filter((task) => !task.isKernelThread);
    if (pid > 0) {
      const target = sender.pidNamespace.tasks.get(pid);
      return target === undefined ? [] : [target];
    }
    if (pid === -1) return visible.filter((task) => task !== sender && task.namespacePid !== 1 && task.pid !== 1);
    const group = pid === 0 ? sender.group : this.numberOf(-pid, sender.pidNamespace);
    return visible.filter((task) => task.group === group && !(task.isZombie && task.parent === undefined));
  }

  #maySignal(sender: Task, target: Task, signal: SignalName | 0): boolean {
    if (sender.identity.uid === 0) return true;
    if (signal === 'SIGCONT' && sender.session === target.session) return true;
    const own = [sender.identity.uid, sender.realUid];
    return own.includes(target.identity.uid) || own.includes(target.realUid);
  }

  signalGroup(group: number, signal: SignalName): void {
    for (const task of this.#group(group)) this.deliver(task, signal, { isForced: false });
  }

  /** Brings a signal to a process. `isForced`: it comes from outside the process's pid namespace. */
  deliver(task: Task, signal: SignalName, options: { readonly isForced: boolean }): void {
    if (task.isZombie || task.isKernelThread) return;
    if (this.#isShielded(task, signal, options.isForced)) return;
    if (signal === 'SIGKILL') {
      this.terminate(task, { kind: 'signaled', signal });
      return;
    }
    if (signal === 'SIGCONT') this.#continue(task);
    const disposition = task.dispositions.get(signal);
    if (disposition === 'ignore') return;
    if (disposition !== undefined) {
      if (task.isStopped) {
        if (!task.pendingSignals.includes(signal)) task.pendingSignals.push(signal);
        return;
      }
      this.#handle(task, disposition);
      return;
    }
    switch (defaultAction(signal)) {
      case 'terminate':
        if (task.isStopped) task.pendingSignals.push(signal);
        else this.terminate(task, { kind: 'signaled', signal });
        return;
      case 'stop':
        if (signal !== 'SIGSTOP' && this.isOrphaned(task.group)) return;
        this.#stop(task, signal);
        return;
      default:
    }
  }

  isIgnored(task: Task, signal: SignalName): boolean {
    return task.dispositions.get(signal) === 'ignore';
  }

  /** No member's parent is in another group of the same session: nobody could continue it. */
  isOrphaned(group: number): boolean {
    return !this.#group(group).some((task) => {
      const { parent } = task;
      return parent !== undefined && !parent.isZombie && parent.session === task.session && parent.group !== group;
    });
  }

  #isShielded(task: Task, signal: SignalName, isForced: boolean): boolean {
    if (task.pid !== 1 && !(task.isNamespaceInit && task.pidNamespace.init === task)) return false;
    if (isForced && (signal === 'SIGKILL' || signal === 'SIGSTOP')) return false;
    return typeof task.dispositions.get(signal) !== 'function';
  }

  #handle(task: Task, handler: () => void): void {
    try {
      handler();
    } catch (error) {
      // A handler may end its process.
      if (!(error instanceof ProcessExit)) throw error;
    }
  }

  #stop(task: Task, signal: SignalName): void {
    if (task.isStopped) return;
    task.isStopped = true;
    task.unreported = { kind: 'stopped', signal };
    this.#tellParent(task);
  }

  #continue(task: Task): void {
    if (!task.isStopped) return;
    task.isStopped = false;
    task.unreported = { kind: 'continued', signal: 'SIGCONT' };
    this.#tellParent(task);
    for (const pending of task.pendingSignals.splice(0)) this.deliver(task, pending, { isForced: false });
    if (!task.isZombie && !task.isStopped) task.calls?.goOn();
  }

  #tellParent(task: Task): void {
    const { parent } = task;
    if (parent === undefined || parent.isZombie) return;
    this.deliver(parent, 'SIGCHLD', { isForced: false });
    parent.onChild.emit();
  }

  // Groups and sessions

  setProcessGroup(caller: Task, pid: number, group: number): void {
    const task = pid === 0 ? caller : caller.pidNamespace.tasks.get(pid);
    if (task === undefined || (task !== caller && task.parent !== caller)) throw new SysError('ESRCH');
    if (task.session !== caller.session || task.session.leader === task) throw new SysError('EPERM');
    if (task !== caller && task.hasExecuted.value) throw new SysError('EACCES');
    const wanted = group === 0 ? task.pid : this.numberOf(group, caller.pidNamespace);
    if (wanted !== task.pid && !this.#group(wanted).some((member) => member.session === task.session)) throw new SysError('EPERM');
    task.group = wanted;
  }

  setSession(task: Task): void {
    if (this.#group(task.pid).length > 0 && task.group === task.pid) throw new SysError('EPERM');
    task.session = { id: task.pid, leader: task, tty: undefined };
    task.group = task.pid;
  }

  /** The machine's number of a process, group or session as another namespace sees it. */
  numberIn(pid: number, viewer: PidNamespace): number {
    if (viewer.init === undefined || pid === 0) return pid;
    return this.#byPid.get(pid)?.pidIn(viewer) ?? 0;
  }

  numberOf(pid: number, viewer: PidNamespace): number {
    if (viewer.init === undefined) return pid;
    return viewer.tasks.get(pid)?.pid ?? -1;
  }

  #group(group: number): readonly Task[] {
    const members: Task[] = [];
    for (const task of this.#byPid.values()) if (task.group === group && !task.isZombie && !task.isKernelThread) members.push(task);
    return members;
  }

  // Looking

  processesIn(viewer: PidNamespace): readonly ProcessInfo[] {
    return [...viewer.tasks.values()].map((task) => this.infoOf(task, viewer)).sort((a, b) => a.pid - b.pid);
  }

  infoOf(task: Task, viewer: PidNamespace): ProcessInfo {
    const { tty } = task.session;
    return {
      pid: task.pidIn(viewer) ?? task.pid,
      namespacePid: task.namespacePid,
      parent: task.isKernelThread ? (task.parent?.pid ?? 0) : (task.parent?.pidIn(viewer) ?? 0),
      group: this.numberIn(task.group, viewer),
      session: this.numberIn(task.session.id, viewer),
      argv: task.title === undefined ? task.argv : [task.title],
      command: task.command,
      state: task.isZombie ? 'Z' : task.isStopped ? 'T' : task === this.#kernel.viewer ? 'R' : 'S',
      uid: task.identity.uid,
      tty: tty?.name,
      foregroundGroup: tty === undefined ? -1 : this.numberIn(tty.foregroundGroup, viewer),
      startMs: task.startMs,
      cpuMs: Math.floor(task.cpuUs / 1000),
      residentBytes: task.residentBytes,
      virtualBytes: task.isKernelThread || task.isZombie ? 0 : (this.#virtualBytes.get(task) ?? TOOL_MEMORY.virtualBytes),
      cgroup: task.cgroup,
      netNamespace: task.netNamespace,
    };
  }

  /** Something of a durable process's record changed. */
  changed(task: Task): void {
    if (task.isDurable) this.records.touch(task);
  }

  /** Puts a task of a stored record into the table (opening a lab). */
  adopt(task: Task): void {
    this.#byPid.set(task.pid, task);
    this.#virtualBytes.set(task, TOOL_MEMORY.virtualBytes);
  }

  applyProgram(task: Task, program: Program): void {
    const memory = program.memory ?? TOOL_MEMORY;
    task.residentBytes = memory.residentBytes;
    this.#virtualBytes.set(task, memory.virtualBytes);
  }

  namespaceNumber(atLeast: number): number {
    this.#nextNamespace = Math.max(this.#nextNamespace, atLeast + 1);
    return atLeast;
  }

  addKernelThreads(): void {
    const root = this.#kernel.vfs.root;
    const names = kernelThreads(this.#kernel.cpus);
    let kthreadd: Task | undefined;
    names.forEach((name, index) => {
      const pid = index === 0 ? 2 : index + 3;
      const thread = new Task(pid, {
        pidNamespace: this.rootNamespace,
        parent: kthreadd,
        group: 0,
        session: undefined,
        argv: [],
        command: name,
        executable: '',
        environment: new Map(),
        identity: { uid: 0, gid: 0, groups: [] },
        umask: 0,
        cwd: root,
        root,
        uts: this.hostUts,
        netNamespace: 'host',
        cgroup: '/',
        startMs: this.#kernel.bootMs + this.#kernel.clockOffsetMs,
      });
      thread.isKernelThread = true;
      kthreadd ??= thread;
      this.#byPid.set(pid, thread);
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    this.records.dispose();
    for (const task of this.#byPid.values()) {
      if (task.isZombie) continue;
      task.end = { kind: 'signaled', signal: 'SIGKILL' };
      task.calls?.abandon();
    }
    for (const task of this.#byPid.values()) {
      for (const slot of task.slots.values()) if (--slot.description.refs === 0) slot.description.release();
      task.slots.clear();
    }
  }
}

function terminalOf(tty: object): Terminal {
  if (tty instanceof TerminalHandle) return tty.terminal;
  invariant(tty instanceof Terminal, 'a tty comes from this kernel');
  return tty;
}

function exitCode(end: EndOfTask): number {
  return end.kind === 'exited' ? end.status << 8 : 9;
}

function kernelThreads(cpus: number): readonly string[] {
  const names = ['kthreadd', 'kworker/0:0H', 'ksoftirqd/0', 'migration/0', 'rcu_bh', 'rcu_sched', 'lru-add-drain', 'watchdog/0'];
  for (let cpu = 1; cpu < cpus; cpu++) names.push(`watchdog/${cpu}`, `migration/${cpu}`, `ksoftirqd/${cpu}`, `kworker/${cpu}:0H`);
  names.push('kdevtmpfs', 'netns', 'khungtaskd', 'writeback', 'kintegrityd', 'bioset', 'kblockd', 'md', 'edac-poller', 'watchdogd');
  names.push('kswapd0', 'ksmd', 'crypto', 'kthrotld', 'kmpath_rdacd', 'kaluad', 'kpsmoused', 'ipv6_addrconf', 'deferwq', 'kauditd');
  names.push('ata_sff', 'scsi_eh_0', 'scsi_tmf_0', 'kdmflush', 'xfsalloc', 'xfs_mru_cache', 'xfs-buf/dm-0', 'xfsaild/dm-0');
  return names;
}
