// Models a service unit's life (systemd.service(5)): start, readiness, restarts and stopping of its control group.
// Not modelled: watchdogs, socket activation, resource limits.

import type { Credentials, Process, SignalName } from '../kernel/process.ts';
import { signalNumber } from '../kernel/signals.ts';
import { isSysError } from '../sim/errno.ts';
import { parseEnvironment, parseEnvironmentFile, parseExecCommand, type ExecCommand } from './exec-command.ts';
import type { Journald } from './journal.ts';
import { emptied, membersOf, signalIfAlive, type Ended, type Reaper } from './processes.ts';
import { OutputReader } from './output.ts';
import type { LoadedUnit } from './unit-loader.ts';
import type { ActiveState, UnitState } from './unit-state.ts';

/** Ends that count as a success for a daemon that was asked to stop. */
const CLEAN_SIGNALS: readonly string[] = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE'];

/** exit statuses of the exec step, systemd.exec(5). */
const EXIT_EXEC = 203;
const EXIT_USER = 217;

export interface ServiceHost {
  readonly process: Process;
  readonly reaper: Reaper;
  readonly journal: Journald;
  /** Something of the unit's state changed. */
  changed(service: Service): void;
  /** The service came back by itself or failed: the manager's dependants may care. */
  say(unit: string, message: string, priority?: number): void;
  /** Reads READY=1 of the service's main process. */
  waitReady(service: Service, timeoutMs: number): Promise<boolean>;
  /** Calls `action` when the jobs of the present transaction are done; false when there are none. */
  whenIdle(action: () => void): boolean;
}

export class Service {
  unit: LoadedUnit;
  readonly state: UnitState;
  readonly #host: ServiceHost;
  readonly #output: OutputReader;
  #isStopping = false;
  #restartTimer: { dispose(): void } | undefined;

  constructor(host: ServiceHost, unit: LoadedUnit, state: UnitState) {
    this.#host = host;
    this.unit = unit;
    this.state = state;
    this.#output = new OutputReader(host.process, (line, priority) => {
      host.journal.append({ unit: unit.name, identifier: this.#identifier(), pid: state.mainPid, priority, message: line });
    });
  }

  get cgroup(): string {
    const slice = this.unit.file.get('Service', 'Slice') ?? 'system.slice';
    return `/${slice}/${this.unit.name}`;
  }

  get description(): string {
    return this.unit.file.get('Unit', 'Description') ?? this.unit.name;
  }

  /** Takes a service over that a saved machine had running. */
  resume(): void {
    const { process, reaper } = this.#host;
    this.#output.resume([this.state.outputFd, this.state.outputWriteFd]);
    if (this.state.active === 'activating' && this.state.sub === 'auto-restart') this.#scheduleRestart();
    if (this.state.mainPid === 0) return;
    const isAlive = process.sys.processes().some((info) => info.pid === this.state.mainPid && info.state !== 'Z');
    if (isAlive) reaper.watch(this.state.mainPid, (ended) => this.#mainEnded(ended));
    else this.#mainEnded({ pid: this.state.mainPid, kind: 'signaled', signal: 'SIGKILL' });
  }

  /** Resolves when the service is up or has failed; `state` tells which. */
  async start(): Promise<void> {
    this.#restartTimer?.dispose();
    if (this.state.active === 'active') return;
    if (!this.#withinStartLimit()) {
      this.#set('failed', 'failed', 'start-limit');
      this.#host.say(this.unit.name, `start request repeated too quickly for ${this.unit.name}`, 4);
      this.#sayFailed();
      return;
    }
    this.#isStopping = false;
    this.state.result = 'success';
    this.state.mainExit = undefined;
    this.#host.say(this.unit.name, `Starting ${this.description}...`);
    this.#set('activating', 'start-pre');
    const environment = this.#environment();
    if (!(await this.#runAll('ExecStartPre', environment))) return this.#failedToStart();
    const type = this.unit.file.get('Service', 'Type') ?? 'simple';
    const commands = this.unit.file.all('Service', 'ExecStart');
    if (type === 'oneshot') await this.#startOneshot(commands, environment);
    else await this.#startDaemon(type, commands[0], environment);
  }

  async stop(): Promise<void> {
    this.#restartTimer?.dispose();
    this.#restartTimer = undefined;
    if (this.state.active === 'inactive' || this.state.active === 'failed') return;
    this.#isStopping = true;
    this.#host.say(this.unit.name, `Stopping ${this.description}...`);
    this.#set('deactivating', 'stop');
    await this.#runAll('ExecStop', this.#environment());
    await this.#killGroup();
    await this.#runAll('ExecStopPost', this.#environment());
    this.#output.close();
    [this.state.outputFd, this.state.outputWriteFd] = this.#output.ends;
    this.state.mainPid = 0;
    const hasFailed = this.state.result !== 'success';
    this.#set(hasFailed ? 'failed' : 'inactive', hasFailed ? 'failed' : 'dead');
    this.#host.say(this.unit.name, `Stopped ${this.description}.`);
    this.#isStopping = false;
  }

  /** False when the unit has no way to reload. */
  async reload(): Promise<boolean> {
    if (this.unit.file.all('Service', 'ExecReload').length === 0) return false;
    await this.#runAll('ExecReload', this.#environment());
    return true;
  }

  resetFailed(): void {
    this.state.starts = [];
    if (this.state.active === 'failed') this.#set('inactive', 'dead', 'success');
  }

  async #startOneshot(commands: readonly string[], environment: ReadonlyMap<string, string>): Promise<void> {
    this.#set('activating', 'start');
    for (const text of commands) {
      const command = parseExecCommand(text, environment);
      if (command !== undefined && !(await this.#runControl(command, environment))) return this.#failedToStart();
    }
    await this.#runAll('ExecStartPost', environment);
    this.#host.say(this.unit.name, `Started ${this.description}.`);
    if (this.unit.file.flag('Service', 'RemainAfterExit', false)) this.#set('active', 'exited');
    else this.#set('inactive', 'dead');
  }

  async #startDaemon(type: string, text: string | undefined, environment: ReadonlyMap<string, string>): Promise<void> {
    const command = text === undefined ? undefined : parseExecCommand(text, environment);
    if (command === undefined) return this.#failedToStart();
    this.#set('activating', 'start');
    if (type === 'idle' && this.#host.whenIdle(() => this.#startIdle(command, environment))) {
      this.#set('active', 'running');
      this.#host.say(this.unit.name, `Started ${this.description}.`);
      return;
    }
    const pid = this.#spawn(command, environment);
    if (pid === undefined) return this.#failedToStart();
    const timeoutMs = this.unit.file.timeSpan('Service', 'TimeoutStartSec', 90_000);
    if (type === 'forking') {
      const ended = await this.#host.reaper.ended(pid);
      if (!isClean(ended)) {
        this.#fail(ended);
        return this.#failedToStart();
      }
      this.#adoptForked();
    } else {
      this.state.mainPid = pid;
      this.#host.changed(this);
      if (type === 'notify') {
        const isReady = await this.#host.waitReady(this, timeoutMs);
        if (!isReady) {
          if (this.state.mainPid !== 0) {
            this.state.result = 'timeout';
            await this.#killGroup();
          }
          return this.#failedToStart();
        }
      }
    }
    if (this.state.mainPid === 0 && this.state.result !== 'success') return this.#failedToStart();
    this.#set('active', 'running');
    await this.#runAll('ExecStartPost', environment);
    this.#host.say(this.unit.name, `Started ${this.description}.`);
  }

  /** Type=idle: the program begins once no job is left, so that its output stands below the manager's. */
  #startIdle(command: ExecCommand, environment: ReadonlyMap<string, string>): void {
    if (this.state.active !== 'active' || this.state.mainPid !== 0) return;
    const pid = this.#spawn(command, environment);
    if (pid === undefined) return this.#failedToStart();
    this.state.mainPid = pid;
    this.#host.changed(this);
  }

  /** The main process of a forking service: what its pid file says, or what is left in its group. */
  #adoptForked(): void {
    const { process, reaper } = this.#host;
    const pidFile = this.unit.file.get('Service', 'PIDFile');
    const fromFile = pidFile !== undefined && process.sys.exists(pidFile) ? Number(process.sys.readTextFile(pidFile).trim()) : NaN;
    const pid = Number.isInteger(fromFile) ? fromFile : membersOf(process, this.cgroup)[0];
    this.state.mainPid = pid ?? 0;
    if (pid !== undefined) reaper.watch(pid, (ended) => this.#mainEnded(ended));
  }

  #spawn(command: ExecCommand, environment: ReadonlyMap<string, string>, isMain = true): number | undefined {
    const { process, reaper } = this.#host;
    const credentials = this.#credentials();
    if (credentials === undefined) {
      this.#fail({ pid: 0, kind: 'exited', status: EXIT_USER });
      return undefined;
    }
    const output = this.#output.descriptor();
    [this.state.outputFd, this.state.outputWriteFd] = this.#output.ends;
    try {
      const pid = process.sys.spawn(command.path, command.argv, {
        env: environment,
        cwd: this.unit.file.get('Service', 'WorkingDirectory')?.replace(/^-/, '') ?? '/',
        fds: new Map([
          [0, this.#output.nullDescriptor()],
          [1, output],
          [2, output],
        ]),
        processGroup: 0,
        newSession: true,
        cgroup: this.cgroup,
        durable: isMain,
        umask: 0o022,
        ...(credentials === 'root' ? {} : { credentials }),
      });
      if (isMain) {
        this.state.mainExit = undefined;
        this.state.mainCommand = command.path;
        this.state.mainStartMs = process.sys.now();
        reaper.watch(pid, (ended) => this.#mainEnded(ended));
      }
      return pid;
    } catch (error) {
      if (!isSysError(error)) throw error;
      this.#host.say(this.unit.name, `Failed at step EXEC spawning ${command.path}: ${error.strerror}`, 3);
      this.#fail({ pid: 0, kind: 'exited', status: EXIT_EXEC });
      return undefined;
    }
  }

  #mainEnded(ended: Ended): void {
    if (ended.pid !== this.state.mainPid && this.state.mainPid !== 0) return;
    this.state.mainExit = {
      pid: ended.pid,
      // As written in the unit, variables and all.
      command: this.unit.file.all('Service', 'ExecStart')[0]?.replace(/^[-@+!]+/, '') ?? '',
      startMs: this.state.mainStartMs,
      exitMs: this.#host.process.sys.now(),
      code: ended.kind === 'exited' ? 'exited' : 'killed',
      status: ended.kind === 'exited' ? ended.status : signalNumber(ended.signal),
      ...(ended.kind === 'signaled' ? { signal: ended.signal } : {}),
    };
    this.state.mainPid = 0;
    if (!isClean(ended) && !this.#isSuccessStatus(ended)) this.#fail(ended);
    this.#host.changed(this);
    if (this.#isStopping || this.state.active === 'activating') return;
    void this.#afterMainEnded(ended);
  }

  async #afterMainEnded(ended: Ended): Promise<void> {
    if (ended.kind === 'exited' && ended.status !== 0)
      this.#host.say(
        this.unit.name,
        `${this.unit.name}: main process exited, code=exited, status=${ended.status}/${statusName(ended.status)}`,
        5,
      );
    if (ended.kind === 'signaled')
      this.#host.say(
        this.unit.name,
        `${this.unit.name}: main process exited, code=killed, status=${signalNumber(ended.signal)}/${ended.signal.slice(3)}`,
        5,
      );
    this.#isStopping = true;
    await this.#killGroup();
    await this.#runAll('ExecStopPost', this.#environment());
    this.#isStopping = false;
    const hasFailed = this.state.result !== 'success';
    if (hasFailed) this.#sayFailed();
    if (this.#wantsRestart(hasFailed, ended)) {
      this.#set('activating', 'auto-restart');
      this.#scheduleRestart();
    } else this.#set(hasFailed ? 'failed' : 'inactive', hasFailed ? 'failed' : 'dead');
  }

  #scheduleRestart(): void {
    const delayMs = this.unit.file.timeSpan('Service', 'RestartSec', 100);
    this.#restartTimer = this.#host.process.sys.clock.setTimer(delayMs === Infinity ? 0 : delayMs, () => {
      this.#host.say(this.unit.name, `${this.unit.name} holdoff time over, scheduling restart.`);
      this.state.restarts++;
      this.state.active = 'inactive';
      void this.start();
    });
  }

  #wantsRestart(hasFailed: boolean, ended: Ended): boolean {
    const policy = this.unit.file.get('Service', 'Restart') ?? 'no';
    if (ended.kind === 'exited' && this.unit.file.words('Service', 'RestartPreventExitStatus').includes(String(ended.status))) return false;
    switch (policy) {
      case 'always':
        return true;
      case 'on-success':
        return !hasFailed;
      case 'on-failure':
        return hasFailed;
      case 'on-abnormal':
        return ended.kind === 'signaled' && hasFailed;
      case 'on-abort':
        return ended.kind === 'signaled' && hasFailed;
      default:
        return false;
    }
  }

  async #killGroup(): Promise<void> {
    const { process } = this.#host;
    const mode = this.unit.file.get('Service', 'KillMode') ?? 'control-group';
    if (mode === 'none') return;
    const targets = (): readonly number[] => {
      const members = membersOf(process, this.cgroup);
      return mode === 'control-group' ? members : members.filter((pid) => pid === this.state.mainPid);
    };
    const signal = `SIG${(this.unit.file.get('Service', 'KillSignal') ?? 'SIGTERM').replace(/^SIG/, '')}` as SignalName;
    for (const pid of targets()) signalIfAlive(process, pid, signal);
    if (await emptied(process, targets, this.unit.file.timeSpan('Service', 'TimeoutStopSec', 90_000))) return;
    this.#host.say(this.unit.name, `${this.unit.name} stop-sigterm timed out. Killing.`, 4);
    for (const pid of targets()) signalIfAlive(process, pid, 'SIGKILL');
    await emptied(process, targets, 90_000);
    this.state.result = 'timeout';
  }

  /** Runs the commands of a setting one after another; false when one failed that counts. */
  async #runAll(setting: string, environment: ReadonlyMap<string, string>): Promise<boolean> {
    const withMain = new Map(environment);
    if (this.state.mainPid !== 0) withMain.set('MAINPID', String(this.state.mainPid));
    for (const text of this.unit.file.all('Service', setting)) {
      const command = parseExecCommand(text, withMain);
      if (command !== undefined && !(await this.#runControl(command, withMain))) return false;
    }
    return true;
  }

  async #runControl(command: ExecCommand, environment: ReadonlyMap<string, string>): Promise<boolean> {
    const pid = this.#spawn(command, environment, false);
    if (pid === undefined) return command.ignoresFailure;
    const ended = await this.#host.reaper.ended(pid);
    if (isClean(ended) || command.ignoresFailure) return true;
    this.#host.say(
      this.unit.name,
      `${this.unit.name}: control process exited, code=${ended.kind === 'exited' ? 'exited' : 'killed'} status=${ended.kind === 'exited' ? ended.status : ended.signal.slice(3)}`,
      5,
    );
    this.#fail(ended);
    return false;
  }

  #failedToStart(): void {
    if (this.state.result === 'success') this.state.result = 'exit-code';
    this.#host.say(this.unit.name, `Failed to start ${this.description}.`, 3);
    this.#sayFailed();
    const ended: Ended = { pid: 0, kind: 'exited', status: 1 };
    if (this.#wantsRestart(true, ended) && !this.#isStopping) {
      this.#set('activating', 'auto-restart');
      this.#scheduleRestart();
    } else this.#set('failed', 'failed');
  }

  #sayFailed(): void {
    this.#host.say(this.unit.name, `Unit ${this.unit.name} entered failed state.`, 5);
    this.#host.say(this.unit.name, `${this.unit.name} failed.`, 4);
  }

  #fail(ended: Ended): void {
    if (this.state.result !== 'success') return;
    this.state.result = ended.kind === 'exited' ? 'exit-code' : 'signal';
  }

  #isSuccessStatus(ended: Ended): boolean {
    const listed = this.unit.file.words('Service', 'SuccessExitStatus');
    return ended.kind === 'exited'
      ? listed.includes(String(ended.status))
      : listed.includes(ended.signal) || listed.includes(ended.signal.slice(3));
  }

  #withinStartLimit(): boolean {
    const interval = this.unit.file.timeSpan(
      'Service',
      'StartLimitInterval',
      this.unit.file.timeSpan('Unit', 'StartLimitIntervalSec', 10_000),
    );
    const burst = Number(this.unit.file.get('Service', 'StartLimitBurst') ?? this.unit.file.get('Unit', 'StartLimitBurst') ?? '5');
    // An interval of zero switches the limit off.
    if (interval === Infinity) return true;
    const nowMs = this.#host.process.sys.clock.now();
    this.state.starts = this.state.starts.filter((startedMs) => nowMs - startedMs < interval);
    if (this.state.starts.length >= burst) return false;
    this.state.starts.push(nowMs);
    return true;
  }

  #environment(): ReadonlyMap<string, string> {
    const { sys } = this.#host.process;
    const environment = new Map([
      ['LANG', 'en_US.UTF-8'],
      ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'],
    ]);
    const user = this.unit.file.get('Service', 'User');
    if (user !== undefined) environment.set('USER', user);
    for (const setting of this.unit.file.all('Service', 'Environment'))
      for (const [name, value] of parseEnvironment(setting)) environment.set(name, value);
    for (const setting of this.unit.file.all('Service', 'EnvironmentFile')) {
      const path = setting.replace(/^-/, '');
      if (!sys.exists(path)) continue;
      for (const [name, value] of parseEnvironmentFile(sys.readTextFile(path))) environment.set(name, value);
    }
    if (this.unit.file.get('Service', 'Type') === 'notify') environment.set('NOTIFY_SOCKET', '/run/systemd/notify');
    return environment;
  }

  #credentials(): Credentials | 'root' | undefined {
    const user = this.unit.file.get('Service', 'User');
    if (user === undefined || user === 'root') return 'root';
    const line = this.#host.process.sys
      .readTextFile('/etc/passwd')
      .split('\n')
      .map((each) => each.split(':'))
      .find((fields) => fields[0] === user);
    return line === undefined ? undefined : { uid: Number(line[2]), gid: Number(line[3]), groups: [] };
  }

  #identifier(): string {
    const configured = this.unit.file.get('Service', 'SyslogIdentifier');
    if (configured !== undefined) return configured;
    return this.state.mainCommand === ''
      ? this.unit.name.replace(/\.service$/, '')
      : this.state.mainCommand.slice(this.state.mainCommand.lastIndexOf('/') + 1);
  }

  #set(active: ActiveState, sub: string, result?: string): void {
    const { state } = this;
    const nowMs = this.#host.process.sys.now();
    if (result !== undefined) state.result = result;
    if (state.active !== active) {
      state.sinceMs = nowMs;
      if (active === 'active') state.activeEnterMs = nowMs;
      if (active === 'inactive' || active === 'failed') state.inactiveEnterMs = nowMs;
    }
    state.active = active;
    state.sub = sub;
    this.#host.changed(this);
  }
}

function isClean(ended: Ended): boolean {
  return ended.kind === 'exited' ? ended.status === 0 : CLEAN_SIGNALS.includes(ended.signal);
}

/** The name systemctl shows for an exit status. */
export function statusName(status: number): string {
  const names: Readonly<Record<number, string>> = { 0: 'SUCCESS', 1: 'FAILURE', 2: 'INVALIDARGUMENT', 203: 'EXEC', 217: 'USER' };
  return names[status] ?? 'n/a';
}
