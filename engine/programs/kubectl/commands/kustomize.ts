// Models `kubectl kustomize`.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError } from '../errors.ts';
import { kustomized } from '../resource/kustomize.ts';

export const kustomize: Command = { name: 'kustomize', run };

async function run(context: Context): Promise<void> {
  const [path = './', ...more] = context.args;
  // This command hands its errors to cobra, which has a word of its own for them.
  if (more.length > 0) throw new ExitError(1, 'Error: specify one path to a kustomization directory');
  try {
    await context.out(kustomized(context, path));
  } catch (error) {
    if (error instanceof CliError) throw new ExitError(1, `Error: ${error.message}\n`);
    throw error;
  }
}
