// kubeadm v1.20.2: init, join, reset, token, version and config images. Not modelled: upgrade, certs renew, high availability.

import type { Process, Program } from '../../kernel/process.ts';
import { ApiError } from '../../kube/machinery/api-error.ts';
import { utf8 } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import { IMAGES, VERSION } from './cluster-configuration.ts';
import { KubeadmError, sayOn } from './console.ts';
import { parseFlags, UsageError } from './flags.ts';
import { init } from './init.ts';
import { join } from './join.ts';
import { pullImages } from './preflight.ts';
import { reset } from './reset.ts';
import { token } from './tokens.ts';

type Command = (process: Process, args: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = { init, join, reset, token, version, config: images };

const kubeadm: Program = {
  name: 'kubeadm',
  async main(process) {
    const [name, ...args] = process.argv.slice(1);
    const complain = (message: string): Promise<void> =>
      process.stderr.write(utf8(`${message}\nTo see the stack trace of this error execute with --v=5 or higher\n`));
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      await process.stdout.write(utf8(HELP));
      return 0;
    }
    const command = COMMANDS[name];
    if (command === undefined) {
      await complain(`unknown command "${name}" for "kubeadm"`);
      return 1;
    }
    try {
      return await command(process, args);
    } catch (error) {
      if (error instanceof UsageError || error instanceof KubeadmError) await complain(error.message);
      else if (error instanceof ApiError) await complain(`error execution phase ${name}: ${error.message}`);
      else if (error instanceof SysError) await complain(`error execution phase ${name}: ${error.message}`);
      else throw error;
      return 1;
    }
  },
};

async function version(process: Process, args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, [{ name: 'output', short: 'o', kind: 'string' }]);
  const output = values.get('output');
  if (output !== undefined && output !== 'short') throw new UsageError(`invalid output format: ${output}`);
  const info = `&version.Info{Major:"1", Minor:"20", GitVersion:"${VERSION}", GitCommit:"faecb196815e248d3ecfb03c680a4507229c2a56", GitTreeState:"clean", BuildDate:"2021-01-13T13:25:59Z", GoVersion:"go1.15.5", Compiler:"gc", Platform:"linux/amd64"}`;
  await sayOn(process)(output === 'short' ? VERSION : `kubeadm version: ${info}`);
  return 0;
}

async function images(process: Process, args: readonly string[]): Promise<number> {
  const [what, verb, ...rest] = args;
  const { values } = parseFlags(rest, [{ name: 'image-repository', kind: 'string' }]);
  if (what !== 'images' || (verb !== 'list' && verb !== 'pull'))
    throw new UsageError(`unknown command "${what ?? ''}" for "kubeadm config"`);
  const imageRepository = values.get('image-repository') ?? 'k8s.gcr.io';
  const say = sayOn(process);
  const all = Object.values(IMAGES);
  if (verb === 'list') for (const image of all) await say(`${imageRepository}/${image}`);
  else await pullImages(process, { imageRepository }, all, (image) => say(`[config/images] Pulled ${image}`));
  return 0;
}

const HELP = `Usage:
  kubeadm [command]

Available Commands:
  config      Show or pull the images a cluster is made of
  init        Make this machine a control plane
  join        Make this machine a node of a cluster
  reset       Undo what init or join did on this machine
  token       Work with bootstrap tokens
  version     Print the version
`;

export const programs: readonly Program[] = [kubeadm];
