// Models `kubectl alpha`: the group of commands that are not for everyday use yet; in v1.20 an old name of `debug`.

import type { Command } from '../command.ts';
import { debug } from './debug.ts';

export const alpha: Command = {
  name: 'alpha',
  group: { stream: 'out', status: 0 },
  subcommands: [
    {
      name: 'debug',
      isHidden: true,
      run: async (context) => {
        await context.err(
          'NOTE: "kubectl alpha debug" is deprecated and will be removed in release 1.21. Please use "kubectl debug" instead.\n\n',
        );
        await debug.run?.(context);
      },
    },
  ],
};
