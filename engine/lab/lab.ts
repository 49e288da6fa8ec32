// A whole lab: machines on their networks, assembled from what the store holds. Opening a saved lab resumes it.

import type { Clock } from '../sim/clock.ts';
import { SysError } from '../sim/errno.ts';
import type { Connection } from '../sim/stream.ts';
import { DisposableStore, type Disposable } from '../sim/disposable.ts';
import { Emitter } from '../sim/event.ts';
import { SeededRng, type Rng } from '../sim/rng.ts';
import type { Journal } from '../store/journal.ts';
import { allPrograms } from '../programs/index.ts';
import { AgentShell } from './agent.ts';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { LabNetworks } from '../net/hypervisor/lab-networks.ts';
import { createNetStack } from '../net/stack.ts';
import { labImages } from './images.ts';
import { PROFILES, type LabProfile } from './profile.ts';
import { registerSites } from './sites.ts';

const SETTINGS = 'lab/settings';

/** What a lab is made from; kept in the store, so that it opens again as the same lab. */
interface Settings {
  readonly profile: string;
  readonly seed: number;
  /** Counts openings: each gets streams of chance of its own, so that no name is drawn twice. */
  readonly epoch: number;
}

export interface LabOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** For a new lab, or to go on with another seed from here. */
  readonly seed?: number;
}

export class Lab implements Disposable {
  readonly profile: LabProfile;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly rng: Rng;
  readonly networks: LabNetworks;
  readonly machines: readonly EmulatedMachine[];
  readonly onPower = new Emitter<EmulatedMachine>();
  /** A program failed by a fault of ours. */
  readonly onCrash = new Emitter<{ readonly machine: string; readonly command: string; readonly error: unknown }>();
  readonly #agents = new Map<string, AgentShell>();
  readonly #owned = new DisposableStore();

  /** Reads the journal; machines that were on go on, and a new lab has its machines switched off. */
  constructor(options: LabOptions) {
    const { journal, clock } = options;
    this.journal = journal;
    this.clock = clock;
    const saved = journal.get(SETTINGS);
    const before = saved === undefined ? undefined : (JSON.parse(saved) as Settings);
    const settings: Settings = {
      profile: before?.profile ?? PROFILES[0]!.name,
      seed: options.seed ?? before?.seed ?? 1,
      epoch: (before?.epoch ?? 0) + 1,
    };
    journal.put(SETTINGS, JSON.stringify(settings));
    const profile = PROFILES.find((candidate) => candidate.name === settings.profile);
    if (profile === undefined) throw new Error(`this NoBox has no lab profile named "${settings.profile}"`);
    this.profile = profile;
    this.rng = new SeededRng(settings.seed).fork(`epoch ${settings.epoch}`);
    this.networks = this.#owned.add(new LabNetworks({ clock, rng: this.rng.fork('networks') }));
    registerSites(this.networks.internet, clock);
    const programs = allPrograms();
    const images = labImages(programs, { trustedPem: () => this.networks.internet.authorityPem });
    const hosts = profile.machines.map(({ name, address }) => ({ name, address }));
    this.machines = profile.machines.map((spec) => {
      const machine = new EmulatedMachine(spec, {
        clock,
        journal,
        programs,
        hosts,
        createNetStack,
        rng: this.rng.fork(spec.name),
        images: (name) => images.get(name),
        natPort: this.networks.natOf(spec.name).port,
        hostOnlyPort: this.networks.plugHostOnly(),
      });
      this.#owned.add(machine);
      this.#owned.add(machine.onPower(() => this.onPower.emit(machine)));
      this.#owned.add(machine.onCrash(({ command, error }) => this.onCrash.emit({ machine: spec.name, command, error })));
      return machine;
    });
    for (const machine of this.machines) machine.restore();
  }

  /** Throws when there is no such machine. */
  machine(name: string): EmulatedMachine {
    const found = this.machines.find((machine) => machine.name === name);
    if (found === undefined)
      throw new Error(`no machine is named "${name}" (there are ${this.machines.map((machine) => machine.name).join(', ')})`);
    return found;
  }

  /** The shell that scripts type into. */
  agent(name: string): AgentShell {
    let agent = this.#agents.get(name);
    if (agent === undefined) {
      agent = new AgentShell(this.machine(name));
      this.#agents.set(name, agent);
    }
    return agent;
  }

  /** What answers on the learner's computer at a forwarded port. Rejects with SysError as VirtualBox's forward fails. */
  connectForward(hostPort: number): Promise<Connection> {
    const spec = this.profile.machines.find((machine) => machine.sshPort === hostPort);
    if (spec === undefined) return Promise.reject(new SysError('ECONNREFUSED', `127.0.0.1:${hostPort}`));
    return this.networks.natOf(spec.name).forward(22);
  }

  /** Stops everything without a word to the guests: the store is what remains. */
  dispose(): void {
    this.#owned.dispose();
  }
}
