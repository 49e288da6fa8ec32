// Models kubectl v1.20: the tree of its commands.

import type { Program } from '../../kernel/process.ts';
import { runCommandLine, type Command } from './command.ts';
import { apply } from './commands/apply.ts';
import { create } from './commands/create.ts';
import { deleteCommand } from './commands/delete.ts';
import { describe } from './commands/describe.ts';
import { exec } from './commands/exec.ts';
import { expose } from './commands/expose.ts';
import { get } from './commands/get.ts';
import { logs } from './commands/logs.ts';
import { run } from './commands/run.ts';
import { scale } from './commands/scale.ts';

const root: Command = {
  name: 'kubectl',
  // In the order in which kubectl adds them: suggestions follow it.
  subcommands: [create, expose, run, get, deleteCommand, scale, describe, logs, exec, apply],
};

export const kubectl: Program = {
  name: 'kubectl',
  main: (process) => runCommandLine(root, process),
};
