// Models systemd 219 as pid 1: units with their dependencies, jobs in order, and the doors for systemctl.
// Not modelled: sockets, timers, mounts and paths as active units; they count as started when asked for.

import type { Process } from '../kernel/process.ts';
import type { Database } from '../kernel/kernel.ts';
import { utf8 } from '../sim/bytes.ts';
import { isSysError } from '../sim/errno.ts';
import { Journald } from './journal.ts';
import { Reaper, membersOf, signalIfAlive } from './processes.ts';
import { Service, type ServiceHost } from './service.ts';
import { linkedUnits, loadUnit, type LoadedUnit } from './unit-loader.ts';
import { newUnitState, UNITS_PATH, type UnitState } from './unit-state.ts';
import { ReadyNotifications } from './notify.ts';
import type { SignalName } from '../kernel/process.ts';

export interface UnitView {
  readonly name: string;
  readonly load: LoadedUnit['load'];
  readonly description: string;
  readonly path: string | undefined;
  readonly dropIns: readonly string[];
  readonly state: UnitState;
  readonly cgroup: string | undefined;
  readonly documentation: readonly string[];
  /** The file on disk is newer than what the manager has read. */
  readonly needsReload: boolean;
}

export type JobResult = 'done' | 'failed' | 'not-found' | 'masked' | 'dependency' | 'no-reload';

type PowerAction = 'off' | 'reboot' | 'halt';

/** Names what a shutdown in progress leads to, for the manager of a machine that was saved in the midst of it. */
const SHUTDOWN_FILE = '/run/systemd/shutting-down';

export class Manager {
  readonly process: Process;
  readonly #journal: Journald;
  readonly #database: Database;
  readonly #reaper: Reaper;
  readonly #notifications: ReadyNotifications;
  readonly #units = new Map<string, Service>();
  readonly #jobs = new Map<string, { readonly kind: 'start' | 'stop'; readonly done: Promise<void> }>();
  readonly #readAtMs = new Map<string, number>();
  readonly #host: ServiceHost;
  #isConsoleShown = false;
  #isShuttingDown = false;
  /** What services of Type=idle wait with until the boot is over. */
  readonly #idleActions: (() => void)[] = [];

  constructor(process: Process) {
    this.process = process;
    const { sys } = process;
    this.#journal = new Journald(sys, { isNewBoot: !process.resumed });
    sys.mkdir('/run/systemd', { recursive: true });
    this.#database = sys.kernel.database(UNITS_PATH);
    if (!process.resumed) for (const [name] of this.#database.entries()) this.#database.delete(name);
    this.#reaper = new Reaper(process);
    this.#notifications = new ReadyNotifications(process);
    this.#host = {
      process,
      reaper: this.#reaper,
      journal: this.#journal,
      changed: (service) => this.#save(service),
      say: (unit, message, priority) => this.#say(unit, message, priority),
      whenIdle: (action) => {
        if (!this.#isConsoleShown) return false;
        this.#idleActions.push(action);
        return true;
      },
      waitReady: (service, timeoutMs) => this.#notifications.wait(() => service.state.mainPid, timeoutMs),
    };
  }

  /** Takes over what a saved machine had running. */
  resume(): void {
    const saved = this.#database.entries().map(([name, json]) => ({ name, state: JSON.parse(json) as UnitState }));
    for (const { name, state } of saved) this.#add(loadUnit(this.process.sys, name), { ...newUnitState(), ...state }).resume();
    const { sys } = this.process;
    if (sys.exists(SHUTDOWN_FILE)) void this.shutdown(sys.readTextFile(SHUTDOWN_FILE) as PowerAction);
  }

  /** Starts the default target and what it wants, with the lines a console shows. */
  async boot(): Promise<void> {
    // What systemd-tmpfiles makes of an empty /run.
    for (const path of ['/run/lock/subsys', '/run/user', '/run/log']) this.process.sys.mkdir(path, { recursive: true });
    this.#isConsoleShown = true;
    await this.start('default.target');
    this.#isConsoleShown = false;
    for (const action of this.#idleActions.splice(0)) action();
  }

  /** Stops everything in reverse order and cuts the power or resets. */
  async shutdown(action: PowerAction): Promise<void> {
    if (this.#isShuttingDown) return;
    this.#isShuttingDown = true;
    this.process.sys.writeFile(SHUTDOWN_FILE, action);
    this.#endSessions();
    this.#isConsoleShown = true;
    const running = [...this.#units.values()].filter((unit) => ['active', 'activating', 'deactivating'].includes(unit.state.active));
    await this.#inOrder(
      running.map((unit) => unit.unit.name),
      'stop',
      (name) => this.#stopOne(name),
    );
    for (const info of this.process.sys.processes())
      if (info.pid !== 1 && info.parent !== 0) signalIfAlive(this.process, info.pid, 'SIGKILL');
    this.process.sys.kernel.power(action);
  }

  /** Session scopes stop first, while the network still carries their farewell: a shell heeds SIGHUP, the rest SIGTERM. */
  #endSessions(): void {
    for (const { pid, cgroup, tty } of this.process.sys.processes()) {
      // A login on a console belongs to its getty, which is a unit.
      if (!cgroup.startsWith('/user.slice/') || (tty !== undefined && !tty.startsWith('pts/'))) continue;
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) signalIfAlive(this.process, pid, signal);
    }
  }

  /** Starts a unit and what it needs, in order. */
  async start(name: string): Promise<JobResult> {
    const unit = this.#find(name);
    if (unit.unit.load === 'not-found') return 'not-found';
    if (unit.unit.load === 'masked') return 'masked';
    const wanted = this.#closure(unit.unit.name);
    await this.#inOrder(wanted, 'start', async (each) => {
      for (const conflict of this.#units.get(each)?.unit.file.words('Unit', 'Conflicts') ?? []) {
        if (this.#units.get(conflict)?.state.active === 'active') await this.#stopOne(conflict);
      }
      const required = this.#units.get(each)?.unit.file.words('Unit', 'Requires') ?? [];
      if (required.some((other) => wanted.includes(other) && this.#units.get(other)?.state.active === 'failed')) return;
      await this.#startOne(each);
    });
    const { active, sub } = unit.state;
    return active === 'active' || sub === 'dead' ? 'done' : 'failed';
  }

  /** Stops a unit and what needs it. */
  async stop(name: string): Promise<JobResult> {
    const unit = this.#find(name);
    if (unit.unit.load === 'not-found' && unit.state.active === 'inactive') return 'not-found';
    await this.#inOrder([...this.#dependants(unit.unit.name), unit.unit.name], 'stop', (each) => this.#stopOne(each));
    return 'done';
  }

  async restart(name: string): Promise<JobResult> {
    const unit = this.#find(name);
    if (unit.unit.load === 'not-found') return 'not-found';
    if (unit.unit.load === 'masked') return 'masked';
    const dependants = this.#dependants(unit.unit.name).filter((each) => this.#isUp(each));
    await this.stop(name);
    const result = await this.start(name);
    for (const dependant of dependants) await this.start(dependant);
    return result;
  }

  async reload(name: string): Promise<JobResult> {
    const unit = this.#find(name);
    if (unit.unit.load === 'not-found') return 'not-found';
    return (await unit.reload()) ? 'done' : 'no-reload';
  }

  kill(name: string, signal: SignalName, isMainOnly: boolean): JobResult {
    const unit = this.#find(name);
    if (unit.unit.load === 'not-found') return 'not-found';
    const pids = isMainOnly ? [unit.state.mainPid].filter((pid) => pid !== 0) : membersOf(this.process, unit.cgroup);
    for (const pid of pids) signalIfAlive(this.process, pid, signal);
    return 'done';
  }

  /** Starts a target and stops every service it does not want. */
  async isolate(name: string): Promise<JobResult> {
    const unit = this.#find(name);
    if (unit.unit.load === 'not-found') return 'not-found';
    const wanted = new Set(this.#closure(unit.unit.name));
    const others = [...this.#units.values()].filter(
      (each) => this.#isUp(each.unit.name) && !wanted.has(each.unit.name) && !each.unit.file.flag('Unit', 'IgnoreOnIsolate', false),
    );
    await this.#inOrder(
      others.map((each) => each.unit.name),
      'stop',
      (each) => this.#stopOne(each),
    );
    return this.start(name);
  }

  resetFailed(name: string | undefined): void {
    for (const unit of name === undefined ? this.#units.values() : [this.#find(name)]) unit.resetFailed();
  }

  /** Reads every unit file again; states stay. */
  daemonReload(): void {
    for (const unit of this.#units.values()) {
      unit.unit = { ...loadUnit(this.process.sys, unit.unit.name), name: unit.unit.name };
      this.#readAtMs.set(unit.unit.name, this.process.sys.now());
    }
    this.#say(undefined, 'Reloading.');
  }

  view(name: string): UnitView {
    return this.#viewOf(this.#find(name));
  }

  views(): readonly UnitView[] {
    return [...this.#units.values()].map((unit) => this.#viewOf(unit)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #viewOf(unit: Service): UnitView {
    const { file, path, dropIns, load, name } = unit.unit;
    const readAt = this.#readAtMs.get(name) ?? 0;
    const isNewer = (each: string): boolean => {
      try {
        return this.process.sys.stat(each).mtimeMs > readAt;
      } catch (error) {
        if (isSysError(error, 'ENOENT')) return true;
        throw error;
      }
    };
    return {
      name,
      load,
      description: unit.description,
      path,
      dropIns,
      state: unit.state,
      cgroup: name.endsWith('.service') ? unit.cgroup : undefined,
      documentation: file.words('Unit', 'Documentation'),
      needsReload: unit.state.active !== 'inactive' && path !== undefined && [path, ...dropIns].some(isNewer),
    };
  }

  #find(name: string): Service {
    return this.#units.get(name) ?? this.#add(loadUnit(this.process.sys, name), newUnitState());
  }

  #add(unit: LoadedUnit, state: UnitState): Service {
    const known = this.#units.get(unit.name);
    if (known !== undefined) return known;
    const service = new Service(this.#host, unit, state);
    if (unit.load !== 'not-found') {
      this.#units.set(unit.name, service);
      this.#readAtMs.set(unit.name, this.process.sys.now());
    }
    return service;
  }

  /** The unit and everything that starting it pulls in. */
  #closure(name: string): readonly string[] {
    const found = new Set<string>();
    const visit = (each: string): void => {
      const unit = this.#find(each);
      if (found.has(unit.unit.name) || unit.unit.load !== 'loaded') return;
      if (each !== name && this.#isUp(unit.unit.name)) return;
      found.add(unit.unit.name);
      const { file } = unit.unit;
      for (const setting of ['Requires', 'Wants', 'BindsTo', 'Requisite']) for (const other of file.words('Unit', setting)) visit(other);
      for (const kind of ['wants', 'requires'] as const)
        for (const other of linkedUnits(this.process.sys, unit.unit.name, kind)) visit(other);
    };
    visit(name);
    return [...found];
  }

  /** Units that go down with this one. */
  #dependants(name: string): readonly string[] {
    const found = new Set<string>();
    const visit = (of: string): void => {
      for (const [other, unit] of this.#units) {
        if (found.has(other) || other === name || !this.#isUp(other)) continue;
        const needs = ['Requires', 'BindsTo', 'PartOf'].some((setting) => unit.unit.file.words('Unit', setting).includes(of));
        if (!needs) continue;
        found.add(other);
        visit(other);
      }
    };
    visit(name);
    return [...found];
  }

  #isUp(name: string): boolean {
    const active = this.#units.get(name)?.state.active;
    return active === 'active' || active === 'activating' || active === 'reloading';
  }

  /** Runs a job per unit; units wait for those they are ordered after (before, when stopping) as far as these take part. */
  async #inOrder(names: readonly string[], direction: 'start' | 'stop', job: (name: string) => Promise<void>): Promise<void> {
    const started = new Map<string, Promise<void>>();
    const visiting = new Set<string>();
    const run = (name: string): Promise<void> => {
      const known = started.get(name);
      if (known !== undefined) return known;
      // A circle of After= is broken where it is found, as systemd does by dropping a job's ordering.
      if (visiting.has(name)) return Promise.resolve();
      visiting.add(name);
      const first = names.filter(
        (other) => other !== name && (direction === 'start' ? this.#isAfter(name, other) : this.#isAfter(other, name)),
      );
      const waits = first.map((other) => run(other));
      const done = Promise.all(waits).then(() => job(name));
      started.set(name, done);
      return done;
    };
    await Promise.all(names.map((name) => run(name)));
  }

  #isAfter(name: string, other: string): boolean {
    const own = this.#units.get(name)?.unit.file;
    const theirs = this.#units.get(other)?.unit.file;
    if (own?.words('Unit', 'After').includes(other) === true || theirs?.words('Unit', 'Before').includes(name) === true) return true;
    // Services of the running system come after the early boot, and go down before it is undone.
    const isLate = name.endsWith('.service') && own?.flag('Unit', 'DefaultDependencies', true) === true;
    if (isLate && (other === 'sysinit.target' || other === 'basic.target')) return true;
    // Targets come after what they want unless told otherwise.
    const isTarget = name.endsWith('.target') && own?.flag('Unit', 'DefaultDependencies', true) === true;
    if (!isTarget || theirs?.words('Unit', 'After').includes(name) === true) return false;
    const wanted = [
      ...(own?.words('Unit', 'Wants') ?? []),
      ...(own?.words('Unit', 'Requires') ?? []),
      ...linkedUnits(this.process.sys, name, 'wants'),
    ];
    return wanted.includes(other);
  }

  async #startOne(name: string): Promise<void> {
    const unit = this.#units.get(name);
    if (unit === undefined || unit.state.active === 'active') return;
    await this.#job(name, 'start', async () => {
      if (!name.endsWith('.service')) {
        this.#setPassive(unit, 'active');
        return;
      }
      if (!this.#conditionsHold(unit)) return;
      await unit.start();
      this.#showOnConsole(
        unit.state.active === 'failed' ? 'FAILED' : '  OK  ',
        `${unit.state.active === 'failed' ? 'Failed to start' : 'Started'} ${unit.description}.`,
      );
    });
  }

  async #stopOne(name: string): Promise<void> {
    const unit = this.#units.get(name);
    if (unit === undefined || unit.state.active === 'inactive' || unit.state.active === 'failed') return;
    await this.#job(name, 'stop', async () => {
      if (!name.endsWith('.service')) {
        this.#setPassive(unit, 'inactive');
        return;
      }
      await unit.stop();
      this.#showOnConsole('  OK  ', `Stopped ${unit.description}.`);
    });
  }

  /** One job a unit at a time; the same job asked for again is waited for. */
  async #job(name: string, kind: 'start' | 'stop', work: () => Promise<void>): Promise<void> {
    const running = this.#jobs.get(name);
    if (running?.kind === kind) return running.done;
    // A stop does not wait for a start that may take minutes: the service itself sorts that out.
    if (running !== undefined && kind === 'start') await running.done;
    const done = work().finally(() => {
      if (this.#jobs.get(name)?.done === done) this.#jobs.delete(name);
    });
    this.#jobs.set(name, { kind, done });
    return done;
  }

  #setPassive(unit: Service, active: 'active' | 'inactive'): void {
    const nowMs = this.process.sys.now();
    const subs: Readonly<Record<string, string>> = {
      socket: 'listening',
      mount: 'mounted',
      timer: 'waiting',
      path: 'waiting',
      swap: 'active',
    };
    const kind = unit.unit.name.slice(unit.unit.name.lastIndexOf('.') + 1);
    unit.state.active = active;
    unit.state.sub = active === 'active' ? (subs[kind] ?? 'active') : 'dead';
    unit.state.sinceMs = nowMs;
    if (active === 'active') unit.state.activeEnterMs = nowMs;
    this.#save(unit);
    if (active === 'active' && kind === 'target') {
      this.#say(unit.unit.name, `Reached target ${unit.description}.`);
      this.#showOnConsole('  OK  ', `Reached target ${unit.description}.`);
    }
  }

  #conditionsHold(unit: Service): boolean {
    const { sys } = this.process;
    const test = (value: string, holds: (path: string) => boolean): boolean =>
      value.startsWith('!') ? !holds(value.slice(1)) : holds(value);
    const { file } = unit.unit;
    const isPathThere = (path: string): boolean => sys.exists(path);
    return (
      file.all('Unit', 'ConditionPathExists').every((value) => test(value, isPathThere)) &&
      file.all('Unit', 'ConditionFileIsExecutable').every((value) => test(value, isPathThere)) &&
      file.all('Unit', 'ConditionFileNotEmpty').every((value) => test(value, (path) => sys.exists(path) && sys.stat(path).sizeBytes > 0))
    );
  }

  #save(unit: Service): void {
    const { name } = unit.unit;
    const { state } = unit;
    // Units that were looked at but never ran need no record.
    if (state.active === 'inactive' && state.activeEnterMs === 0 && state.inactiveEnterMs === 0) return;
    this.#database.put(name, JSON.stringify(state));
  }

  #say(unit: string | undefined, message: string, priority = 6): void {
    this.#journal.append({ unit, identifier: 'systemd', pid: 1, priority, message });
  }

  #showOnConsole(tag: string, message: string): void {
    if (!this.#isConsoleShown) return;
    const color = tag === 'FAILED' ? '31' : '32';
    const { sys } = this.process;
    const show = async (): Promise<void> => {
      const fd = sys.open('/dev/console', { write: true });
      await sys.file(fd).write(utf8(`[\x1b[${color}m${tag}\x1b[0m] ${message}\n`));
      sys.close(fd);
    };
    // Nobody waits for the console; the power may go while it is still being written to.
    show().catch((error: unknown) => {
      if (!isSysError(error) && !(error instanceof Error && error.name === 'ProcessExit')) throw error;
    });
  }
}
