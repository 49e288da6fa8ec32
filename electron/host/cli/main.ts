// The nobox command: what it can do is one line here each.

import '../heap.ts';
import '../signatures.ts';
import { LabFileError } from '../sqlite/sqlite-store.ts';
import { LabImportError } from '../lab-file.ts';
import { HistoryError } from '#engine/store/history.ts';
import { onUnhandledRejection } from '../rejections.ts';
import { drive } from './drive.ts';
import { CliError } from './options.ts';
import { run } from './run.ts';
import { serve } from './serve.ts';
import { template } from './template.ts';
import { halt, reload, status, up } from './machines.ts';
import { snapshot } from './snapshot.ts';
import { ssh } from './ssh.ts';

type Command = (args: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  run,
  drive,
  serve,
  up,
  halt,
  reload,
  status,
  ssh,
  snapshot,
  template,
};

const USAGE = `usage: nobox COMMAND [ARGUMENTS]

  run FILE.lab [--json] [--state FILE] [--seed N]   play a session script in virtual time
  drive [--state FILE] [--seed N]                   requests and answers as JSON lines
  serve [--port N] [--json] [--state FILE]          the lab for browsers, SSH and kubectl
  up [VM] | halt [VM] | reload [VM] | status        the machines of a lab file
  ssh VM [-- COMMAND]                               a command on a machine of a lab file
  snapshot save|restore|list|delete|diff|export|import ...
`;

async function main(): Promise<number> {
  onUnhandledRejection((error) => {
    throw error;
  });
  // Whoever read our output has seen enough (`| head`): end as a program does that gets SIGPIPE.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(141);
  });
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(USAGE);
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS[name];
  if (command === undefined) throw new CliError(`unknown command "${name}"\n${USAGE}`);
  return command(args);
}

try {
  process.exitCode = await main();
} catch (error) {
  const isPlain =
    error instanceof CliError || error instanceof LabFileError || error instanceof LabImportError || error instanceof HistoryError;
  process.stderr.write(
    isPlain ? `nobox: ${error.message}\n` : `nobox: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = error instanceof CliError ? error.status : 1;
}
