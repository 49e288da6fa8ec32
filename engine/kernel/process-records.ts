// The durable side of the process table: what main processes of units and of containers are started from again.

import type { Disposable } from '../sim/disposable.ts';
import { isSysError } from '../sim/errno.ts';
import { prefixEnd } from '../store/kv-store.ts';
import type { Walker } from '../fs/vfs.ts';
import type { SavedDescription } from './description.ts';
import type { LinuxKernel } from './linux-kernel.ts';
import { PipeBuffer, PipeEnd } from './pipe.ts';
import type { ProcessTable } from './process-table.ts';
import { Task, type PidNamespace } from './task.ts';

interface Record {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly path: string;
  readonly argv: readonly string[];
  readonly command: string;
  readonly title?: string;
  readonly env: readonly (readonly [string, string])[];
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly realUid: number;
  readonly umask: number;
  readonly cwd: string;
  readonly root: string;
  readonly hostname?: string;
  readonly net: string;
  readonly cgroup: string;
  readonly startMs: number;
  readonly cpuMs: number;
  /** Pid namespace: its number, the own pid in it and the last one given out. */
  readonly namespace?: { readonly id: number; readonly pid: number; readonly last: number };
  readonly fds: readonly (readonly [number, SavedDescription])[];
}

export class ProcessRecords implements Disposable {
  readonly #kernel: LinuxKernel;
  readonly #table: ProcessTable;
  readonly #prefix: string;
  readonly #stored = new Set<number>();

  constructor(kernel: LinuxKernel, table: ProcessTable) {
    this.#kernel = kernel;
    this.#table = table;
    this.#prefix = `${kernel.prefix}process/`;
  }

  touch(task: Task): void {
    if (task.isZombie) return;
    this.#stored.add(task.pid);
    this.#kernel.journal.putLater(this.#key(task.pid), () => (task.isZombie ? undefined : JSON.stringify(this.#recordOf(task))));
  }

  forget(task: Task): void {
    if (this.#stored.delete(task.pid)) this.#kernel.journal.delete(this.#key(task.pid));
  }

  /** Starts every recorded process again under its old number. */
  resume(): void {
    const { journal } = this.#kernel;
    const records = journal.list(this.#prefix, prefixEnd(this.#prefix)).map(({ value }) => JSON.parse(value) as Record);
    records.sort((a, b) => a.pid - b.pid);
    const namespaces = new Map<number, PidNamespace>();
    const tasks = records.map((record) => ({ record, task: this.#restoreTask(record, namespaces) }));
    for (const { record, task } of tasks) {
      const parent = record.pid === 1 ? undefined : (this.#table.find(record.parent) ?? this.#table.find(1));
      task.parent = parent;
      parent?.children.add(task);
      const leader = this.#table.find(record.session);
      if (leader !== undefined && leader !== task) task.session = leader.session;
    }
    this.#restoreDescriptors(tasks);
    for (const { record, task } of tasks) this.#start(record, task);
  }

  dispose(): void {
    for (const pid of this.#stored) {
      const task = this.#table.find(pid);
      if (task !== undefined && !task.isZombie) this.#kernel.journal.put(this.#key(pid), JSON.stringify(this.#recordOf(task)));
    }
  }

  #key(pid: number): string {
    return `${this.#prefix}${String(pid).padStart(5, '0')}`;
  }

  #recordOf(task: Task): Record {
    const fds: (readonly [number, SavedDescription])[] = [];
    for (const [fd, { description }] of task.slots) {
      const saved = description.save();
      if (saved !== undefined) fds.push([fd, saved]);
    }
    const { pidNamespace } = task;
    return {
      pid: task.pid,
      parent: task.parent?.pid ?? 0,
      group: task.group,
      session: task.session.id,
      path: task.executable,
      argv: task.argv,
      command: task.command,
      ...(task.title === undefined ? {} : { title: task.title }),
      env: [...task.environment],
      uid: task.identity.uid,
      gid: task.identity.gid,
      groups: task.identity.groups,
      realUid: task.realUid,
      umask: task.umask,
      cwd: task.cwd.path(),
      root: task.root.path(),
      ...(task.uts === this.#table.hostUts ? {} : { hostname: task.uts.hostname }),
      net: task.netNamespace,
      cgroup: task.cgroup,
      startMs: task.startMs,
      cpuMs: Math.floor(task.cpuUs / 1000),
      ...(pidNamespace.init === undefined
        ? {}
        : { namespace: { id: pidNamespace.id, pid: task.namespacePid, last: pidNamespace.lastPid } }),
      fds,
    };
  }

  #restoreTask(record: Record, namespaces: Map<number, PidNamespace>): Task {
    const { vfs } = this.#kernel;
    const walker: Walker = { identity: { uid: 0, gid: 0, groups: [] }, root: vfs.root, cwd: vfs.root };
    const task = new Task(record.pid, {
      pidNamespace: this.#table.rootNamespace,
      parent: undefined,
      group: record.group,
      session: undefined,
      argv: record.argv,
      command: record.command,
      executable: record.path,
      environment: new Map(record.env),
      identity: { uid: record.uid, gid: record.gid, groups: record.groups },
      umask: record.umask,
      cwd: this.#findOr(walker, record.cwd),
      root: this.#findOr(walker, record.root),
      uts: record.hostname === undefined ? this.#table.hostUts : { hostname: record.hostname },
      netNamespace: record.net,
      cgroup: record.cgroup,
      startMs: record.startMs,
    });
    task.title = record.title;
    task.realUid = record.realUid;
    task.cpuUs = record.cpuMs * 1000;
    task.isDurable = true;
    task.isResumed = true;
    this.#stored.add(record.pid);
    this.#table.adopt(task);
    if (record.namespace !== undefined) this.#joinNamespace(task, record.namespace, namespaces);
    return task;
  }

  #joinNamespace(task: Task, saved: NonNullable<Record['namespace']>, namespaces: Map<number, PidNamespace>): void {
    let namespace = namespaces.get(saved.id);
    if (namespace === undefined) {
      namespace = { id: this.#table.namespaceNumber(saved.id), init: task, tasks: new Map(), lastPid: saved.last };
      namespaces.set(saved.id, namespace);
    }
    task.pidNamespace = namespace;
    task.namespacePid = saved.pid;
    namespace.tasks.set(saved.pid, task);
  }

  /** A directory that is gone leaves its process at the root. */
  #findOr(walker: Walker, path: string): Task['cwd'] {
    try {
      return this.#kernel.vfs.find(walker, path);
    } catch (error) {
      if (isSysError(error)) return walker.root;
      throw error;
    }
  }

  #restoreDescriptors(tasks: readonly { readonly record: Record; readonly task: Task }[]): void {
    const pipes = new Map<number, PipeBuffer>();
    const ends = new Map<string, PipeEnd>();
    const now = (): number => this.#kernel.now();
    for (const { record, task } of tasks) {
      for (const [fd, saved] of record.fds) {
        if (saved.type === 'pipe') {
          let pipe = pipes.get(saved.id);
          if (pipe === undefined) pipes.set(saved.id, (pipe = new PipeBuffer(saved.id)));
          this.#table.reservePipes(saved.id);
          const key = `${saved.id} ${saved.end}`;
          let end = ends.get(key);
          if (end === undefined) ends.set(key, (end = new PipeEnd(pipe, saved.end, { now })));
          this.#table.installAt(task, fd, end);
        } else if (saved.type === 'pty') {
          const pty = this.#kernel.devices.ptyForResume(saved.id, { uid: task.identity.uid });
          this.#table.installAt(task, fd, saved.end === 'master' ? this.#kernel.devices.master(pty) : this.#kernel.devices.slave(pty));
        } else {
          this.#restoreFile(task, fd, saved);
        }
      }
    }
    // The other side was no durable process: such an end goes nowhere instead of breaking.
    for (const pipe of pipes.values()) if (pipe.readers === 0 || pipe.writers === 0) pipe.isDetached = true;
  }

  #restoreFile(task: Task, fd: number, saved: SavedDescription & { readonly type: 'path' }): void {
    const { vfs, files } = this.#kernel;
    const walker: Walker = { identity: { uid: 0, gid: 0, groups: [] }, root: vfs.root, cwd: vfs.root };
    try {
      const description = files.open(walker, task, saved.path, { read: saved.read, write: saved.write, append: saved.append });
      if (saved.offset > 0) description.seek(saved.offset, 'set');
      this.#table.installAt(task, fd, description);
    } catch (error) {
      if (!isSysError(error)) throw error;
      this.#table.installAt(task, fd, this.#table.openNull(task));
    }
  }

  #start(record: Record, task: Task): void {
    const { loader } = this.#kernel;
    try {
      const { program } = loader.load(
        { identity: { uid: 0, gid: 0, groups: [] }, root: task.root, cwd: task.cwd },
        record.path,
        record.argv,
      );
      this.#table.applyProgram(task, program);
      this.#table.run(task, program);
      this.touch(task);
    } catch (error) {
      if (!isSysError(error)) throw error;
      this.#table.terminate(task, { kind: 'signaled', signal: 'SIGKILL' });
    }
  }
}
