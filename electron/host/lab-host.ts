// A lab with its store and its clock: what every door of the host (screen, SSH, HTTPS, scripts) opens onto.

import { SqliteStore } from './sqlite/sqlite-store.ts';
import { VirtualClock } from '#engine/sim/clock.ts';
import { Emitter } from '#engine/sim/event.ts';
import type { Disposable } from '#engine/sim/disposable.ts';
import type { Connection } from '#engine/sim/stream.ts';
import { History, type RestorePoint, type Snapshot } from '#engine/store/history.ts';
import { Journal } from '#engine/store/journal.ts';
import type { KvStore } from '#engine/store/kv-store.ts';
import { MemoryStore } from '#engine/store/memory-store.ts';
import { SessionLostError } from '#engine/lab/agent.ts';
import { ClusterWatch } from '#engine/lab/cluster-watch.ts';
import { Lab } from '#engine/lab/lab.ts';
import { provision } from '#engine/lab/provision.ts';
import type { KubeObject } from '#engine/kube/machinery/types.ts';
import { useApiDocs } from './api-docs.ts';
import { describeChanges } from './changes.ts';
import { DriveLoop } from './drive-loop.ts';
import type { DrivenLab, RunOptions, RunResult, Size } from './driven-lab.ts';
import { DrivenSessions } from './driven-sessions.ts';
import type { ClusterPki, HostedLab, HostedMachine, HostedRestorePoint, HostedSnapshot, HostedTerminal } from './hosted-lab.ts';
import { requestHttp } from './host-http.ts';
import { exportLab, importLab, readLabFile } from './lab-file.ts';
import { reportCrash } from './report-crash.ts';
import { settle } from './settle.ts';
import { summarize } from './summary.ts';
import { LAB_START_MS, readTemplate } from './template.ts';
import { openTerminal } from './lab-terminal.ts';
import { traceConnection } from './trace.ts';

export interface OpenOptions {
  /** Left out: a lab in memory that is gone at the end. A file that does not exist is created as a new lab. */
  readonly path?: string | undefined;
  readonly seed?: number | undefined;
  /** Where a new lab's template lies; beside the bundled host if left out. */
  readonly template?: string | undefined;
}

/** Status of a command that a time-out interrupted, as timeout(1) has it. */
const TIMED_OUT_STATUS = 124;

/** Status of a command whose session was lost, as ssh(1) has it. */
const LOST_STATUS = 255;

/** Lab time that typing into a session gives the programs to answer. */
const TYPE_ADVANCE_MS = 20;

/** Opens or creates a lab. Throws LabFileError when the file cannot be one. */
export async function openLab(options: OpenOptions): Promise<LabHost> {
  useApiDocs();
  const store: KvStore = options.path === undefined ? new MemoryStore() : new SqliteStore(options.path);
  try {
    const isNew = store.revision === 0;
    const template = isNew ? readTemplate(options.template) : undefined;
    if (template !== undefined) importLab(store, template);
    const host = new LabHost(store, options);
    if (isNew && template === undefined) {
      await host.loop.during(provision(host.lab, (machine, line) => process.stderr.write(`${machine}: ${line}\n`)));
      host.flush();
    }
    return host;
  } catch (error) {
    store.close();
    throw error;
  }
}

/** How exactly a lab that was killed knows what time it was. */
const CLOCK_GRAIN_MS = 1000;

export class LabHost implements HostedLab, DrivenLab {
  readonly name: string;
  readonly path: string | undefined;
  readonly clock: VirtualClock;
  readonly loop: DriveLoop;
  readonly #store: KvStore;
  readonly #history: History;
  readonly #sessions: DrivenSessions;
  readonly #changed = new Emitter<void>();
  readonly #restored = new Emitter<void>();
  readonly #closing = new Emitter<void>();
  #journal: Journal;
  #lab: Lab;
  #watch: ClusterWatch | undefined;

  constructor(store: KvStore, options: OpenOptions) {
    this.path = options.path;
    this.name = options.path === undefined ? 'lab' : options.path.replace(/^.*[\\/]/, '').replace(/\.nobox$/, '');
    this.#store = store;
    this.#history = new History(store);
    this.#journal = new Journal(store);
    this.clock = new VirtualClock({ startMs: Number(this.#journal.get('lab/clock') ?? LAB_START_MS), settle });
    this.loop = new DriveLoop(this.clock);
    this.#lab = this.#openEngine(options.seed);
    this.#sessions = new DrivenSessions((machine, size, isConsole) => this.openTerminal({ machine, console: isConsole }, size));
  }

  get lab(): Lab {
    return this.#lab;
  }

  now(): number {
    return this.clock.now();
  }

  // What scripts drive

  machineNames(): readonly string[] {
    return this.#lab.machines.map((machine) => machine.name);
  }

  prompt(machine: string): string {
    return this.#lab.agent(machine).prompt;
  }

  async run(machine: string, command: string, options: RunOptions = {}): Promise<RunResult> {
    const agent = this.#lab.agent(machine);
    if (options.isQuiet !== true) this.markPoint(command);
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    const output = { stdout: '', stderr: '' };
    const take = (stream: 'stdout' | 'stderr') => (bytes: Uint8Array) => {
      output[stream] += decoders[stream].decode(bytes, { stream: true });
    };
    const onStdout = take('stdout');
    const running = agent.run(command, {
      onStdout,
      onStderr: options.isMerged === true ? onStdout : take('stderr'),
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    });
    let isTimedOut = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : this.clock.setTimer(options.timeoutMs, () => {
            isTimedOut = true;
            agent.interrupt();
          });
    try {
      const exit = await this.loop.during(running);
      return isTimedOut ? { ...output, exit: TIMED_OUT_STATUS, timed_out: true } : { ...output, exit };
    } catch (error) {
      if (!(error instanceof SessionLostError)) throw error;
      // What ssh says of a machine that reboots under it.
      output[options.isMerged === true ? 'stdout' : 'stderr'] += 'Connection to 127.0.0.1 closed by remote host.\n';
      return { ...output, exit: LOST_STATUS };
    } finally {
      timer?.dispose();
    }
  }

  advance(durationMs: number): Promise<void> {
    return this.loop.advance(durationMs);
  }

  power(machine: string, action: 'on' | 'off' | 'reset' | 'acpi'): void {
    if (action === 'on') this.powerOn(machine);
    else if (action === 'reset') this.reset(machine);
    else this.powerOff(machine, action === 'acpi' ? 'acpi' : 'hard');
  }

  async openSession(machine: string, size: Size, options: { readonly console: boolean }): Promise<string> {
    return this.loop.during(this.#sessions.open(this.#lab.machine(machine).name, size, options.console));
  }

  async type(session: string, text: string): Promise<void> {
    this.#sessions.type(session, text);
    await this.loop.advance(TYPE_ADVANCE_MS);
  }

  screen(session: string): Promise<{ readonly lines: readonly string[]; readonly cursor: readonly [number, number] }> {
    return this.#sessions.screen(session);
  }

  resize(session: string, size: Size): void {
    this.#sessions.resize(session, size);
  }

  closeSession(session: string): void {
    this.#sessions.close(session);
  }

  http(request: { readonly from: string; readonly url: string; readonly method?: string | undefined }): Promise<object> {
    return this.loop.during(requestHttp(this.#lab, request));
  }

  trace(machine: string, to: string): Promise<readonly object[]> {
    return this.loop.during(traceConnection(this.#lab, machine, to));
  }

  // Machines and their doors

  machines(): readonly HostedMachine[] {
    return this.#lab.machines.map((machine) => ({
      name: machine.name,
      power: machine.power,
      address: machine.spec.address,
      sshPort: machine.spec.sshPort,
      cpus: machine.spec.cpus,
      memoryBytes: machine.spec.memoryBytes,
      services: machine.power === 'off' ? [] : ['kubelet', 'docker'].map((name) => ({ name, state: machine.unitState(`${name}.service`) })),
    }));
  }

  powerOn(name: string): void {
    this.#lab.machine(name).powerOn();
  }

  powerOff(name: string, how: 'acpi' | 'hard'): void {
    this.#lab.machine(name).powerOff(how);
  }

  reset(name: string): void {
    this.#lab.machine(name).reset();
  }

  openTerminal(target: { readonly machine: string; readonly console?: boolean }, size: Size): HostedTerminal {
    return openTerminal(this.#lab, target, size, (commandLine) => this.markPoint(commandLine));
  }

  connectForward(hostPort: number): Promise<Connection> {
    return this.#lab.connectForward(hostPort);
  }

  connectHostOnly(address: string, port: number): Promise<Connection> {
    return this.#lab.networks.host.connect({ address, port });
  }

  clusterPki(): ClusterPki | undefined {
    const machine = this.#lab.machine(this.#lab.profile.controlPlane);
    const read = (path: string): string | undefined => machine.readTextFile(path);
    const caPem = read('/etc/kubernetes/pki/ca.crt');
    const caKeyPem = read('/etc/kubernetes/pki/ca.key');
    const adminKubeconfigYaml = read('/etc/kubernetes/admin.conf');
    return caPem === undefined || caKeyPem === undefined || adminKubeconfigYaml === undefined
      ? undefined
      : { caPem, caKeyPem, adminKubeconfigYaml };
  }

  // The cluster on the screen

  objects(kind: 'nodes' | 'pods'): readonly KubeObject[] {
    return this.#clusterWatch().list(kind);
  }

  get isStale(): boolean {
    return this.#clusterWatch().isStale;
  }

  // History

  snapshots(): readonly HostedSnapshot[] {
    return this.#history.snapshots().map(hosted);
  }

  saveSnapshot(name: string, note?: string): HostedSnapshot {
    this.#flushAll();
    const summary = summarize(this.#lab, this.#watch);
    const saved = this.#history.save({
      name,
      timeMs: this.now(),
      createdAtMs: Date.now(),
      summary,
      ...(note === undefined ? {} : { note }),
    });
    this.#changed.emit();
    return hosted(saved);
  }

  async restoreSnapshot(idOrName: string): Promise<void> {
    const snapshot = this.#history.find(idOrName);
    this.markPoint(`restore "${snapshot.name}"`);
    await this.#reopenAt(snapshot.revision, snapshot.id);
  }

  deleteSnapshot(idOrName: string): void {
    this.#history.delete(idOrName);
    this.#changed.emit();
  }

  renameSnapshot(id: string, name: string, note?: string): void {
    this.#history.rename(id, { name, ...(note === undefined ? {} : { note }) });
    this.#changed.emit();
  }

  restorePoints(): readonly HostedRestorePoint[] {
    return this.#history.points();
  }

  async restorePoint(revision: number): Promise<void> {
    const point = this.#history.points().find((candidate: RestorePoint) => candidate.revision === revision);
    if (point === undefined) throw new Error(`there is no restore point ${revision}`);
    this.markPoint(`back to before "${point.label}"`);
    await this.#reopenAt(point.revision);
  }

  /** Remembers the present under the command line that is about to change it. */
  markPoint(label: string): void {
    this.#flushAll();
    this.#history.mark(label, this.now());
  }

  diff(name: string, other?: string): readonly string[] {
    this.flush();
    const from = other === undefined ? this.#store.revision : this.#history.find(other).revision;
    return describeChanges(this.#store, this.#history, this.#history.find(name).revision, from);
  }

  export(file: string, name?: string): object {
    this.#flushAll();
    return exportLab(this.#store, name === undefined ? this.#store.revision : this.#history.find(name).revision, file);
  }

  async import(file: string): Promise<void> {
    const imported = readLabFile(file);
    this.markPoint(`import ${file}`);
    await this.#reopen(() => importLab(this.#store, imported));
  }

  // Life

  onChanged(listener: () => void): Disposable {
    return this.#changed.on(listener);
  }

  onRestored(listener: () => void): Disposable {
    return this.#restored.on(listener);
  }

  flush(): void {
    this.#journal.flush();
  }

  /** Everything, the time of the lab to the millisecond included. */
  #flushAll(): void {
    this.#journal.put('lab/clock', String(this.now()));
    this.#journal.flush();
  }

  async close(): Promise<void> {
    this.#flushAll();
    this.#closing.emit();
    this.#sessions.closeAll();
    this.#watch?.dispose();
    this.#lab.dispose();
    await settle();
    this.#store.close();
  }

  #openEngine(seed?: number): Lab {
    const lab = new Lab({ journal: this.#journal, clock: this.clock, ...(seed === undefined ? {} : { seed }) });
    let savedMs = -1;
    this.#journal.onBeforeFlush.on(() => {
      // Time that passes alone is worth no transaction, and a lab that was killed may go back by a moment.
      if (this.#journal.isClean || Math.abs(this.clock.now() - savedMs) < CLOCK_GRAIN_MS) return;
      savedMs = this.clock.now();
      this.#journal.put('lab/clock', String(savedMs));
    });
    lab.onPower.on(() => this.#changed.emit());
    lab.onCrash.on(reportCrash);
    return lab;
  }

  #clusterWatch(): ClusterWatch {
    if (this.#watch === undefined) {
      this.#watch = new ClusterWatch(this.#lab.machine(this.#lab.profile.controlPlane));
      this.#watch.onChange.on(() => this.#changed.emit());
    }
    return this.#watch;
  }

  #reopenAt(revision: number, current?: string): Promise<void> {
    return this.#reopen(() => this.#history.restore(revision, current));
  }

  /** Puts the running engine away, lets `change` write the store, and resumes what is there now. */
  async #reopen(change: () => void): Promise<void> {
    const wasWatching = this.#watch !== undefined;
    this.#watch?.dispose();
    this.#watch = undefined;
    this.#sessions.closeAll();
    this.#lab.dispose();
    await settle();
    change();
    this.#journal = new Journal(this.#store);
    this.clock.reset(Number(this.#journal.get('lab/clock') ?? LAB_START_MS));
    this.#lab = this.#openEngine();
    await settle();
    if (wasWatching) this.#clusterWatch();
    this.#restored.emit();
    this.#changed.emit();
  }
}

function hosted(snapshot: Snapshot): HostedSnapshot {
  return {
    id: snapshot.id,
    name: snapshot.name,
    note: snapshot.note,
    parent: snapshot.parent,
    timeMs: snapshot.timeMs,
    createdAt: snapshot.createdAtMs,
    summary: snapshot.summary.join('\n'),
  };
}
