import { describe, expect, it } from 'vitest';
import { newClock } from '../../tests/support/test-kernel.ts';
import { text, utf8 } from '../sim/bytes.ts';
import { SeededRng } from '../sim/rng.ts';
import type { Process, Program } from '../kernel/process.ts';
import { createNetStack } from '../net/stack.ts';
import { EthernetSwitch } from '../net/switch.ts';
import { Journal } from '../store/journal.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { EmulatedMachine } from './emulated-machine.ts';
import { centos7Image } from './images/centos7.ts';
import type { MachineSpec } from './machine.ts';

/** Stands in for systemd: says that the default target is reached and waits for signals. */
const init: Program = {
  name: 'systemd',
  paths: ['/usr/lib/systemd/systemd'],
  async main({ sys, resumed }) {
    sys.mkdir('/run/systemd', { recursive: true });
    sys.kernel.database('/run/systemd/units').put('multi-user.target', JSON.stringify({ active: 'active' }));
    const console = sys.open('/dev/console', { write: true });
    await sys.file(console).write(utf8(`${resumed ? 'resumed' : 'Welcome to CentOS'}\n`));
    for (;;) await sys.sleep(60_000);
  },
};
const poweroff: Program = {
  name: 'poweroff',
  paths: ['/usr/sbin/poweroff'],
  async main({ sys }) {
    sys.kernel.power('off');
    return 0;
  },
};
const programs = new Map([init, poweroff].map((program) => [program.name, program]));
const source = { names: () => [...programs.keys()], get: (name: string) => programs.get(name) };
const image = centos7Image(source);

const SPEC: MachineSpec = {
  name: 'm-k8s',
  cpus: 2,
  memoryBytes: 2 * 1024 ** 3,
  natMac: '08:00:27:4d:77:d3',
  address: '192.168.1.10',
  mac: '08:00:27:5e:1a:0a',
  sshPort: 60010,
  image: 'centos7-k8s',
  diskBytes: 37 * 1024 ** 3,
};

function build(journal: Journal, clock = newClock()): { machine: EmulatedMachine; clock: ReturnType<typeof newClock> } {
  const network = new EthernetSwitch();
  const machine = new EmulatedMachine(SPEC, {
    clock,
    rng: new SeededRng(1),
    journal,
    programs: source,
    images: (name) => (name === image.name ? image : undefined),
    createNetStack,
    natPort: new EthernetSwitch().plug(),
    hostOnlyPort: network.plug(),
    hosts: [{ name: 'm-k8s', address: '192.168.1.10' }],
  });
  machine.onCrash(({ error }) => {
    throw error;
  });
  return { machine, clock };
}

async function agent<T>(machine: EmulatedMachine, clock: ReturnType<typeof newClock>, main: (process: Process) => T): Promise<T> {
  let result: { value: T } | undefined;
  machine.spawnAgent(async (process) => {
    result = { value: main(process) };
    return 0;
  });
  await clock.settle();
  return result!.value;
}

describe('a machine', () => {
  it('boots with messages on its screen, has its own files, and switches off', async () => {
    const { machine, clock } = build(new Journal(new MemoryStore()));
    let screen = '';
    machine.openConsole({ columns: 80, rows: 24 }).onData((bytes) => (screen += text(bytes)));
    machine.powerOn();
    expect(machine.power).toBe('booting');
    await clock.advance(20_000);
    expect(machine.power).toBe('on');
    expect(screen).toMatch(/Linux version 3\.10\.0[\s\S]*Welcome to CentOS\r\n/);
    expect(machine.readTextFile('/etc/hostname')).toBe('m-k8s\n');
    expect(machine.readTextFile('/etc/hosts')).toContain('192.168.1.10 m-k8s\n');
    const links = await agent(machine, clock, ({ sys }) => sys.net.links().map((link) => link.name));
    expect(links).toEqual(['lo', 'eth0', 'eth1']);
    machine.powerOff('acpi');
    await clock.advance(1000);
    expect(machine.power).toBe('off');
    expect(() => machine.spawnAgent(async () => 0)).toThrow();
    machine.dispose();
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes on where it was when a saved lab is opened, and forgets memory over a hard power-off', async () => {
    const journal = new Journal(new MemoryStore());
    const first = build(journal);
    first.machine.powerOn();
    await first.clock.advance(20_000);
    await agent(first.machine, first.clock, ({ sys }) => {
      sys.writeFile('/run/x', '1');
      sys.writeFile('/root/y', '2');
    });
    const bootMs = first.machine.kernel!.bootMs;
    journal.flush();
    first.machine.dispose();
    const second = build(journal, first.clock);
    second.machine.restore();
    expect(second.machine.power).toBe('on');
    await second.clock.settle();
    expect(second.machine.kernel!.bootMs).toBe(bootMs);
    expect(second.machine.readTextFile('/run/x')).toBe('1');
    expect(second.machine.unitState('multi-user.target')).toBe('active');
    second.machine.reset();
    await second.clock.advance(20_000);
    expect(second.machine.power).toBe('on');
    expect(second.machine.readTextFile('/run/x')).toBeUndefined();
    expect(second.machine.readTextFile('/root/y')).toBe('2');
    second.machine.dispose();
  });
});
