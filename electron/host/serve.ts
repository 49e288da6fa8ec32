// Answers HostCalls and emits HostEvents, for any number of screens over any kind of port.

import { PROTOCOL_VERSION } from '#shared/protocol/version.ts';
import type { CallName, ClientFrame, HostCalls, HostEvents, HostFrame, Welcome } from '#shared/protocol/protocol.ts';
import type { DoorsView, TerminalTarget } from '#shared/views/views.ts';
import type { Disposable } from '#engine/sim/disposable.ts';
import { isSysError } from '#engine/sim/errno.ts';
import { isCallName, parseArguments, parseFrame } from './calls.ts';
import { ClockDriver } from './clock-driver.ts';
import type { HostedLab, HostedTerminal } from './hosted-lab.ts';
import { ReadModel } from './read-model/read-model.ts';
import { Terminals, type TerminalScreen } from './terminals.ts';

/** One screen's end of a MessagePort or WebSocket. */
export interface Port {
  send(frame: HostFrame): void;
}

export interface Doors {
  view(): DoorsView;
  set(door: 'ssh' | 'api', isOpen: boolean): Promise<void>;
  kubeconfig(): Promise<string>;
}

export interface LabServiceOptions {
  readonly lab: HostedLab;
  readonly doors: (service: LabService) => Doors;
  /** A shell of the user's own computer; undefined where there is none to offer. */
  readonly openHostShell?: (size: { readonly columns: number; readonly rows: number }) => HostedTerminal;
  readonly onError: (error: unknown) => void;
  readonly onFault: (error: unknown) => void;
}

/** Tries to log in again this often after a machine came up: sshd is started late in the boot. */
const RECONNECT_ATTEMPTS = 20;
const RECONNECT_INTERVAL_MS = 1500;

/** Until a screen says how large it is. */
const FIRST_SIZE = { columns: 80, rows: 24 };

export class LabService {
  readonly lab: HostedLab;
  readonly driver: ClockDriver;
  readonly terminals: Terminals;
  readonly #readModel: ReadModel;
  readonly #doors: Doors;
  readonly #options: LabServiceOptions;
  readonly #sessions = new Set<PortSession>();
  readonly #owned: Disposable[] = [];
  readonly #power = new Map<string, string>();
  readonly #retries = new Map<string, NodeJS.Timeout>();
  #hasShown = false;
  #fault: HostEvents['hostFault'] | undefined;

  constructor(options: LabServiceOptions) {
    this.#options = options;
    const lab = options.lab;
    this.lab = lab;
    this.driver = new ClockDriver({ clock: lab.clock, onFault: (error) => this.fault(error) });
    this.terminals = new Terminals({
      driver: this.driver,
      open: (target, size) => this.#openSession(target, size),
      flush: () => lab.flush(),
    });
    this.#doors = options.doors(this);
    this.#readModel = new ReadModel({
      lab,
      clock: () => ({ labMs: lab.clock.now(), speed: this.driver.speed, isHeld: this.driver.isHeld }),
      doors: () => this.#doors.view(),
      terminals: () => this.terminals.views(),
      about: () => ({
        name: lab.name,
        path: lab.path,
        basedOn: undefined,
        hasHostShell: options.openHostShell !== undefined,
      }),
    });
    for (const machine of lab.machines()) this.#power.set(machine.name, machine.power);
    this.#owned.push(
      lab.onChanged(() => this.#changed()),
      lab.onRestored(() => this.#restored()),
      this.terminals.onChange.on(() => this.#readModel.touch()),
      this.driver.onChange.on(() => this.#readModel.touch()),
      this.#readModel.onDelta.on((delta) => {
        lab.flush();
        for (const session of this.#sessions) session.send({ type: 'event', name: 'labChanged', value: delta });
      }),
    );
    this.driver.start();
  }

  connect(port: Port): PortSession {
    const session = new PortSession(this, port, () => this.#sessions.delete(session));
    return session;
  }

  /** Called by a session that has said hello: from now on it gets the deltas. */
  admit(session: PortSession): Welcome {
    if (!this.#hasShown) this.#openFirstTerminals();
    const lab = this.#readModel.whole();
    this.#sessions.add(session);
    if (this.#fault !== undefined) session.send({ type: 'event', name: 'hostFault', value: this.#fault });
    return { version: PROTOCOL_VERSION, lab };
  }

  /** As the book has it: one tab for each machine. */
  #openFirstTerminals(): void {
    this.#hasShown = true;
    for (const { name } of this.lab.machines()) this.terminals.open({ machine: name }, FIRST_SIZE);
  }

  touch(): void {
    this.#readModel.touch();
  }

  /** A bug of ours: the lab stands still from here, and every screen says so. */
  fault(error: unknown): void {
    if (isSysError(error)) {
      // A program of the lab did not wait for its own failure: told, and no reason to stop the lab for everyone.
      this.#options.onError(error);
      return;
    }
    this.#options.onFault(error);
    if (this.#fault !== undefined) return;
    const message = error instanceof Error ? error.message : String(error);
    const report = error instanceof Error ? (error.stack ?? message) : message;
    this.#fault = { message, report };
    void this.driver.stop();
    for (const session of this.#sessions) session.send({ type: 'event', name: 'hostFault', value: this.#fault });
  }

  async call(name: CallName, args: readonly unknown[], session: PortSession): Promise<unknown> {
    this.driver.poke();
    const answer = await this.#answer(name, args, session);
    this.lab.flush();
    this.#readModel.touch();
    return answer;
  }

  async close(): Promise<void> {
    for (const owned of this.#owned) owned.dispose();
    for (const retry of this.#retries.values()) clearTimeout(retry);
    this.#readModel.dispose();
    this.terminals.dispose();
    await this.driver.stop();
    this.lab.flush();
    await this.lab.close();
  }

  #answer(name: CallName, args: readonly unknown[], session: PortSession): unknown {
    const { lab, terminals } = this;
    const calls: {
      [Name in CallName]: (
        ...args: Parameters<HostCalls[Name]>
      ) => ReturnType<HostCalls[Name]> | Promise<Awaited<ReturnType<HostCalls[Name]>>>;
    } = {
      hello: (version) => {
        if (version !== PROTOCOL_VERSION)
          throw new Error(`this page speaks version ${version} of the protocol, the host ${PROTOCOL_VERSION}: reload`);
        return this.admit(session);
      },
      powerOn: (machine) => lab.powerOn(machine),
      powerOff: (machine, how) => lab.powerOff(machine, how),
      reset: (machine) => lab.reset(machine),
      setSpeed: (speed) => this.driver.setSpeed(speed),
      saveSnapshot: (snapshot, note) => {
        const { id, timeMs, createdAt, parent, summary } = lab.saveSnapshot(snapshot, note);
        return { id, name: snapshot, note, parent, labMs: timeMs, createdMs: createdAt, summary };
      },
      restoreSnapshot: (id) => this.driver.whileStopped(() => lab.restoreSnapshot(id)),
      deleteSnapshot: (id) => lab.deleteSnapshot(id),
      renameSnapshot: (id, snapshot, note) => lab.renameSnapshot(id, snapshot, note),
      restorePoints: () =>
        [...lab.restorePoints()]
          .sort((a, b) => b.revision - a.revision)
          .map(({ revision, label, timeMs }) => ({ revision, label, labMs: timeMs })),
      restorePoint: (revision) => this.driver.whileStopped(() => lab.restorePoint(revision)),
      openTerminal: (target, size) => terminals.open(target, size),
      attachTerminal: (id, size) => terminals.get(id).attach(session, size),
      closeTerminal: (id) => terminals.close(id),
      reconnectTerminal: (id) => terminals.get(id).connect(),
      setDoor: (door, isOpen) => this.#doors.set(door, isOpen),
      kubeconfig: () => this.#doors.kubeconfig(),
    };
    const call = calls[name] as (...args: unknown[]) => unknown;
    return call(...parseArguments(name, args));
  }

  #openSession(target: TerminalTarget, size: { readonly columns: number; readonly rows: number }): HostedTerminal {
    if ('machine' in target) return this.lab.openTerminal(target, size);
    if (this.#options.openHostShell === undefined) throw new Error('this host offers no shell of its own computer');
    return this.#options.openHostShell(size);
  }

  #changed(): void {
    for (const machine of this.lab.machines()) {
      const before = this.#power.get(machine.name);
      this.#power.set(machine.name, machine.power);
      if (machine.power === 'on' && before !== undefined && before !== 'on') this.#reconnect(machine.name, RECONNECT_ATTEMPTS);
    }
    this.#readModel.touch();
  }

  #restored(): void {
    this.terminals.drop('Connection to 127.0.0.1 closed by remote host.');
    for (const machine of this.lab.machines()) {
      this.#power.set(machine.name, machine.power);
      if (machine.power === 'on') this.#reconnect(machine.name, RECONNECT_ATTEMPTS);
    }
    this.#readModel.touch();
  }

  /** Tabs of a machine that has come back log in again; whoever closed a session on purpose (exit) closed the tab with it. */
  #reconnect(machine: string, attempts: number): void {
    clearTimeout(this.#retries.get(machine));
    this.#retries.delete(machine);
    if (attempts === 0 || this.lab.machines().find((candidate) => candidate.name === machine)?.power !== 'on') return;
    const views = this.terminals.views().filter(({ target }) => 'machine' in target && target.machine === machine);
    if (views.every((view) => view.state === 'open')) return;
    this.terminals.reconnect(machine);
    this.#retries.set(
      machine,
      setTimeout(() => this.#reconnect(machine, attempts - 1), RECONNECT_INTERVAL_MS),
    );
  }
}

let sessionCount = 0;

/** One connected screen. */
export class PortSession implements TerminalScreen {
  readonly name = `screen${++sessionCount}`;
  readonly #service: LabService;
  readonly #port: Port;
  readonly #forget: () => void;
  #isGreeted = false;

  constructor(service: LabService, port: Port, forget: () => void) {
    this.#service = service;
    this.#port = port;
    this.#forget = forget;
  }

  send(frame: HostFrame): void {
    this.#port.send(frame);
  }

  show(terminal: string, data: string, isReplay: boolean): void {
    this.send(isReplay ? { type: 'data', terminal, data, isReplay } : { type: 'data', terminal, data });
  }

  /** Takes one message of the port. Throws when it is none of the protocol's: the caller ends the connection. */
  receive(message: unknown): void {
    const frame = parseFrame(message);
    if (frame.type === 'ping') this.send({ type: 'pong' });
    else if (frame.type === 'call') void this.#call(frame);
    else if (this.#isGreeted) this.#terminalFrame(frame);
  }

  disconnected(): void {
    this.#forget();
    this.#service.terminals.forget(this);
  }

  #terminalFrame(frame: Exclude<ClientFrame, { type: 'ping' | 'call' }>): void {
    // A frame for a terminal that another screen has just closed is late, not wrong.
    const terminal = this.#service.terminals.find(frame.terminal);
    if (terminal === undefined) return;
    if (frame.type === 'write') {
      this.#service.driver.poke();
      terminal.write(frame.data);
    } else if (frame.type === 'resize') terminal.resize({ columns: frame.columns, rows: frame.rows });
    else terminal.acknowledge(this, frame.characters);
  }

  async #call(frame: { readonly id: number; readonly name: string; readonly args: readonly unknown[] }): Promise<void> {
    try {
      if (!isCallName(frame.name)) throw new Error(`unknown call ${frame.name}`);
      if (!this.#isGreeted && frame.name !== 'hello') throw new Error('say hello first');
      const value = await this.#service.call(frame.name, frame.args, this);
      this.#isGreeted = true;
      this.send({ type: 'answer', id: frame.id, value });
    } catch (error) {
      this.send({ type: 'failure', id: frame.id, message: error instanceof Error ? error.message : String(error) });
    }
  }
}
