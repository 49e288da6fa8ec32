// The docker command.

import { SysError } from '../../sim/errno.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { DaemonUnreachable, DockerClient } from '../../kube/runtime/docker/client.ts';
import { DockerError } from '../../kube/runtime/docker/types.ts';
import { CliError, consoleOf, type Console } from './console.ts';
import * as containers from './containers.ts';
import * as images from './images.ts';
import * as running from './run.ts';
import * as system from './system.ts';

export const docker: Program = { name: 'docker', main };

type Command = (console: Console, args: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  attach: running.attach,
  create: running.create,
  events: system.events,
  exec: running.exec,
  history: images.history,
  images: images.images,
  info: system.info,
  inspect: containers.inspect,
  kill: containers.kill,
  logs: containers.logs,
  network: system.network,
  port: containers.port,
  ps: containers.ps,
  pull: images.pull,
  restart: containers.restart,
  rm: containers.rm,
  rmi: images.rmi,
  run: running.run,
  search: images.search,
  start: running.start,
  stats: containers.stats,
  stop: containers.stop,
  tag: images.tag,
  top: containers.top,
  version: system.version,
  volume: system.volume,
  wait: containers.wait,
};

/** `docker container ls` and the like: the same commands by their newer names. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, Command>>>> = {
  container: { ...COMMANDS, ls: containers.ps, list: containers.ps },
  image: {
    ls: images.images,
    list: images.images,
    pull: images.pull,
    rm: images.rmi,
    tag: images.tag,
    history: images.history,
    inspect: images.inspectImages,
  },
  system: { df: (console) => system.systemDf(console), info: system.info, events: system.events },
};

const USAGE = `
Usage:  docker [OPTIONS] COMMAND

A self-sufficient runtime for containers

Commands:
${Object.keys({ ...COMMANDS, ...GROUPS })
  .sort()
  .map((name) => `  ${name}\n`)
  .join('')}
Run 'docker COMMAND --help' for more information on a command.
`;

async function main(process: Process): Promise<number> {
  const client = new DockerClient(process.sys);
  const console = consoleOf(process, client);
  try {
    return await dispatch(console, process.argv.slice(1));
  } catch (error) {
    const failure = messageOf(error);
    if (failure === undefined) throw error;
    await console.err(`${failure.message}\n`);
    return failure.status;
  } finally {
    client.close();
  }
}

async function dispatch(console: Console, args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  if (name === '' || name === '--help' || name === 'help') {
    await console.out(USAGE);
    return 0;
  }
  if (name === '-v' || name === '--version') {
    await console.out('Docker version 19.03.14, build 5eb3275d40\n');
    return 0;
  }
  const group = GROUPS[name];
  const command = group === undefined ? COMMANDS[name] : group[rest[0] ?? ''];
  if (command === undefined) {
    if (name.startsWith('-')) throw new CliError(`unknown flag: ${name}\nSee 'docker --help'.`, 125);
    if (group !== undefined) throw new CliError(`docker: '${rest[0] ?? ''}' is not a docker command.\nSee 'docker ${name} --help'`);
    throw new CliError(`docker: '${name}' is not a docker command.\nSee 'docker --help'`);
  }
  return command(console, group === undefined ? rest : rest.slice(1));
}

function messageOf(error: unknown): { readonly message: string; readonly status: number } | undefined {
  if (error instanceof CliError) return { message: error.message, status: error.status };
  if (error instanceof DaemonUnreachable) return { message: error.message, status: 1 };
  if (error instanceof DockerError) {
    return {
      message: error.message.startsWith('No such') ? `Error: ${error.message}` : `Error response from daemon: ${error.message}`,
      status: 1,
    };
  }
  if (error instanceof SysError && error.errno !== 'EPIPE')
    return { message: `error during connect: ${error.strerror.toLowerCase()}`, status: 1 };
  return undefined;
}
