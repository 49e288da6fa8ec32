// Models `ip netns`: named network namespaces under /var/run/netns.

import { isSysError } from '../../../sim/errno.ts';
import { IpError, nextArgument, requireRoot, unknownCommand, type IpContext } from './context.ts';

const DIRECTORY = '/var/run/netns';

export async function netnsCommand(args: string[], context: IpContext): Promise<string | number> {
  const { process } = context;
  const { sys } = process;
  const command = args.shift() ?? 'list';
  switch (command) {
    case 'list':
    case 'ls':
    case 'show':
      return sys.exists(DIRECTORY)
        ? [...sys.readdir(DIRECTORY)]
            .sort()
            .map((name) => `${name}\n`)
            .join('')
        : '';
    case 'add': {
      const name = nextArgument(args);
      requireRoot(context);
      sys.mkdir(DIRECTORY, { recursive: true });
      if (sys.exists(`${DIRECTORY}/${name}`)) throw new IpError(`Cannot create namespace file "/var/run/netns/${name}": File exists`, 1);
      sys.kernel.netNamespaces.create(name);
      sys.writeFile(`${DIRECTORY}/${name}`, '', { mode: 0 });
      return '';
    }
    case 'delete':
    case 'del': {
      const name = nextArgument(args);
      requireRoot(context);
      if (!sys.exists(`${DIRECTORY}/${name}`))
        throw new IpError(`Cannot remove namespace file "/var/run/netns/${name}": No such file or directory`, 1);
      sys.unlink(`${DIRECTORY}/${name}`);
      sys.kernel.netNamespaces.delete(name);
      return '';
    }
    case 'exec': {
      const name = nextArgument(args);
      const program = nextArgument(args);
      requireRoot(context);
      if (!sys.exists(`${DIRECTORY}/${name}`)) throw new IpError(`Cannot open network namespace "${name}": No such file or directory`, 1);
      return execIn(context, name, program, args);
    }
    default:
      throw unknownCommand(command, 'netns');
  }
}

async function execIn({ process }: IpContext, namespace: string, program: string, args: readonly string[]): Promise<number> {
  const { sys } = process;
  const paths = program.includes('/')
    ? [program]
    : (process.env.get('PATH') ?? '/usr/sbin:/usr/bin').split(':').map((folder) => `${folder}/${program}`);
  for (const path of paths) {
    try {
      const pid = sys.spawn(path, [program, ...args], { env: process.env, namespaces: { net: namespace } });
      const ended = await sys.wait(pid);
      if (ended?.kind === 'exited') return ended.status;
      return 1;
    } catch (error) {
      if (!isSysError(error, 'ENOENT', 'EACCES', 'ENOTDIR')) throw error;
    }
  }
  throw new IpError(`exec of "${program}" failed: No such file or directory`, 1);
}
