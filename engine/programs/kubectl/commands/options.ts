// Models `kubectl options` and `kubectl plugin list`.

import { isSysError } from '../../../sim/errno.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { optionsText } from '../help.ts';

export const options: Command = {
  name: 'options',
  isHidden: true,
  run: async (context) => {
    await context.out(optionsText(context.process.env.get('HOME') ?? ''));
  },
};

export const plugin: Command = { name: 'plugin', group: { stream: 'err', status: 1 }, subcommands: [{ name: 'list', run: listPlugins }] };

async function listPlugins(context: Context): Promise<void> {
  const { sys, env } = context.process;
  const found: string[] = [];
  for (const folder of (env.get('PATH') ?? '').split(':')) {
    let names: readonly string[];
    try {
      names = sys.readdir(folder);
    } catch (error) {
      if (isSysError(error)) continue;
      throw error;
    }
    for (const name of [...names].sort())
      if (name.startsWith('kubectl-')) found.push(context.flags.bool('name-only') ? name : `${folder}/${name}`);
  }
  if (found.length === 0) throw new CliError('unable to find any kubectl plugins in your PATH');
  await context.out(`The following compatible plugins are available:\n\n${found.map((name) => `${name}\n`).join('')}`);
}
