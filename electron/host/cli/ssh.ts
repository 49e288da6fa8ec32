// `nobox ssh VM [-- COMMAND]`: a command, or line after line of standard input, on a machine of a lab file.

import { createInterface } from 'node:readline';
import { openLab } from '../lab-host.ts';
import { CliError, parseOptions } from './options.ts';
import { defaultLabPath } from './state.ts';

export async function ssh(args: readonly string[]): Promise<number> {
  const at = args.indexOf('--');
  const { values, words } = parseOptions(at < 0 ? args : args.slice(0, at), { state: 'string' });
  const [machine] = words;
  if (machine === undefined || words.length > 1) throw new CliError('usage: nobox ssh VM [--state FILE] [-- COMMAND]');
  const lab = await openLab({ path: values['state'] ?? defaultLabPath() });
  try {
    const run = async (command: string): Promise<number> => {
      const { stdout, stderr, exit } = await lab.run(machine, command);
      lab.flush();
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      return exit;
    };
    if (at >= 0) return await run(args.slice(at + 1).join(' '));
    let status = 0;
    const isTty = process.stdin.isTTY;
    if (isTty) process.stdout.write(lab.prompt(machine));
    for await (const line of createInterface({ input: process.stdin })) {
      if (line.trim() === 'exit') break;
      status = await run(line);
      if (isTty) process.stdout.write(lab.prompt(machine));
    }
    return status;
  } finally {
    await lab.close();
  }
}
