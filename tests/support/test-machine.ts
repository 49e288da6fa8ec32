// A whole machine with every program of the lab, in virtual time.

import { text, utf8 } from '#engine/sim/bytes.ts';
import type { VirtualClock } from '#engine/sim/clock.ts';
import { SeededRng } from '#engine/sim/rng.ts';
import type { Process } from '#engine/kernel/process.ts';
import { EmulatedMachine } from '#engine/machine/emulated-machine.ts';
import { centos7Image } from '#engine/machine/images/centos7.ts';
import type { ConsoleSession } from '#engine/machine/machine.ts';
import { createNetStack } from '#engine/net/stack.ts';
import { EthernetSwitch } from '#engine/net/switch.ts';
import { allPrograms } from '#engine/programs/index.ts';
import { Journal } from '#engine/store/journal.ts';
import { MemoryStore } from '#engine/store/memory-store.ts';
import { newClock } from './test-kernel.ts';

const programs = allPrograms();
const image = centos7Image(programs);

export class TestMachine {
  readonly clock: VirtualClock;
  readonly journal: Journal;
  readonly machine: EmulatedMachine;
  screen = '';
  readonly #console: ConsoleSession;
  readonly crashes: unknown[] = [];

  constructor(options: { readonly journal?: Journal; readonly clock?: VirtualClock } = {}) {
    this.clock = options.clock ?? newClock();
    this.journal = options.journal ?? new Journal(new MemoryStore());
    this.machine = new EmulatedMachine(
      {
        name: 'm-k8s',
        cpus: 2,
        memoryBytes: 1746 * 1024 ** 2,
        natMac: '08:00:27:4d:77:d3',
        address: '192.168.1.10',
        mac: '08:00:27:5e:1a:0a',
        sshPort: 60010,
        image: image.name,
        diskBytes: 37 * 1024 ** 3,
      },
      {
        clock: this.clock,
        rng: new SeededRng(5),
        journal: this.journal,
        programs,
        images: (name) => (name === image.name ? image : undefined),
        createNetStack,
        natPort: new EthernetSwitch().plug(),
        hostOnlyPort: new EthernetSwitch().plug(),
        hosts: [{ name: 'm-k8s', address: '192.168.1.10' }],
      },
    );
    this.machine.onCrash((crash) => this.crashes.push(crash));
    this.#console = this.machine.openConsole({ columns: 100, rows: 40 });
    this.#console.onData((bytes) => (this.screen += text(bytes)));
  }

  /** Types at the machine's own screen. */
  type(keys: string): void {
    this.#console.write(utf8(keys));
  }

  async boot(): Promise<void> {
    this.machine.powerOn();
    for (let s = 0; s < 120 && this.machine.power !== 'on'; s++) await this.clock.advance(1000);
  }

  /** Runs one executable as root and returns what it printed. */
  async run(
    path: string,
    ...args: readonly string[]
  ): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
    return this.inside(async (process) => {
      const { sys } = process;
      const [outRead, outWrite] = sys.pipe();
      const [errRead, errWrite] = sys.pipe();
      const pid = sys.spawn(path, [path.slice(path.lastIndexOf('/') + 1), ...args], {
        fds: new Map([
          [0, 0],
          [1, outWrite],
          [2, errWrite],
        ]),
      });
      sys.close(outWrite);
      sys.close(errWrite);
      const read = async (fd: number): Promise<string> => {
        let all = '';
        for (let chunk = await sys.file(fd).read(); chunk !== undefined; chunk = await sys.file(fd).read()) all += text(chunk);
        return all;
      };
      const [stdout, stderr] = await Promise.all([read(outRead), read(errRead)]);
      const ended = await sys.wait(pid);
      return { status: ended?.kind === 'exited' ? ended.status : 255, stdout, stderr };
    });
  }

  async inside<T>(main: (process: Process) => Promise<T>): Promise<T> {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    this.machine.spawnAgentAnyway(async (process) => {
      try {
        outcome = { value: await main(process) };
      } catch (error) {
        outcome = { error };
      }
      return 0;
    });
    await this.clock.settle();
    for (let spent = 0; outcome === undefined && spent < 600; spent++) await this.clock.advance(100);
    if (outcome === undefined) throw new Error('did not end in time');
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }
}
