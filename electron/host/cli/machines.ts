// `nobox up|halt|reload|status`: the machines of a lab file, as vagrant's verbs.

import { openLab, type LabHost } from '../lab-host.ts';
import { CliError, parseOptions } from './options.ts';
import { defaultLabPath } from './state.ts';

/** Lab time a machine may take to come up or go down. */
const LIMIT_MS = 300_000;

export async function up(args: readonly string[]): Promise<number> {
  return withMachines(args, async (lab, names) => {
    for (const name of names) {
      if (lab.lab.machine(name).power === 'on') say(name, 'Machine already running.');
      else {
        say(name, 'Booting VM...');
        lab.powerOn(name);
        await reach(lab, name, 'on');
        say(name, 'Machine booted and ready!');
      }
    }
  });
}

export async function halt(args: readonly string[]): Promise<number> {
  return withMachines(args, async (lab, names) => {
    for (const name of names) {
      if (lab.lab.machine(name).power === 'off') continue;
      say(name, 'Attempting graceful shutdown of VM...');
      lab.powerOff(name, 'acpi');
      await reach(lab, name, 'off');
    }
  });
}

export async function reload(args: readonly string[]): Promise<number> {
  const halted = await halt(args);
  return halted === 0 ? up(args) : halted;
}

export async function status(args: readonly string[]): Promise<number> {
  return withMachines(args, async (lab, names) => {
    process.stdout.write('Current machine states:\n\n');
    for (const name of names)
      process.stdout.write(`${name.padEnd(25)} ${lab.lab.machine(name).power === 'off' ? 'poweroff' : 'running'} (nobox)\n`);
    await Promise.resolve();
  });
}

async function withMachines(args: readonly string[], work: (lab: LabHost, names: readonly string[]) => Promise<void>): Promise<number> {
  const { values, words } = parseOptions(args, { state: 'string' });
  const lab = await openLab({ path: values['state'] ?? defaultLabPath() });
  try {
    const unknown = words.find((word) => !lab.machineNames().includes(word));
    if (unknown !== undefined) throw new CliError(`no machine is named "${unknown}" (there are ${lab.machineNames().join(', ')})`, 1);
    await work(lab, words.length > 0 ? words : lab.machineNames());
    return 0;
  } finally {
    await lab.close();
  }
}

async function reach(lab: LabHost, name: string, power: 'on' | 'off'): Promise<void> {
  const startMs = lab.now();
  while (lab.lab.machine(name).power !== power) {
    if (lab.now() - startMs > LIMIT_MS)
      throw new CliError(`${name} is still ${lab.lab.machine(name).power} after ${LIMIT_MS / 1000} s of lab time`, 1);
    await lab.advance(500);
  }
}

function say(name: string, text: string): void {
  process.stdout.write(`==> ${name}: ${text}\n`);
}
