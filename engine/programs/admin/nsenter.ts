// Models nsenter of util-linux 2.23 for the network and pid namespaces.
// Not modelled: the other namespaces, which it says.

import { isSysError } from '../../sim/errno.ts';
import type { Process, Program } from '../../kernel/process.ts';
import { Failure, parseOptions, program } from './support.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin';

async function nsenter(process: Process): Promise<number> {
  const { sys } = process;
  const options = parseOptions(process.argv, {
    short: 't:muinpUFrw',
    long: {
      'target=': 't',
      mount: 'm',
      uts: 'u',
      ipc: 'i',
      net: 'n',
      pid: 'p',
      user: 'U',
      'no-fork': 'F',
      root: 'r',
      wd: 'w',
    },
    stopsAtOperand: true,
    hint: '',
  });
  for (const [letter, name] of [
    ['m', 'mount'],
    ['u', 'uts'],
    ['i', 'ipc'],
    ['U', 'user'],
    ['r', 'root'],
    ['w', 'wd'],
  ] as const)
    if (options.has(letter)) throw new Failure(`nsenter: not emulated: --${name}\n`, 1);
  const target = options.value('t');
  if (target !== undefined && !/^\d+$/.test(target)) throw new Failure(`nsenter: failed to parse pid: '${target}'\n`, 1);
  if (target === undefined && (options.has('n') || options.has('p')))
    throw new Failure('nsenter: no target PID specified for --' + (options.has('n') ? 'net' : 'pid') + '\n', 1);
  if (sys.credentials().uid !== 0) throw new Failure("nsenter: reassociate to namespace 'ns/net' failed: Operation not permitted\n", 1);
  const info = target === undefined ? undefined : sys.kernel.process(Number(target));
  if (target !== undefined && info === undefined)
    throw new Failure(`nsenter: cannot open /proc/${target}/ns/${options.has('n') ? 'net' : 'pid'}: No such file or directory\n`, 1);
  const argv = options.operands.length === 0 ? [process.env.get('SHELL') ?? '/bin/sh'] : options.operands;
  const path = find(process, argv[0]!);
  if (path === undefined) throw new Failure(`nsenter: failed to execute ${argv[0]!}: No such file or directory\n`, 1);
  const pid = sys.spawn(path, argv, {
    env: process.env,
    namespaces: {
      ...(options.has('n') && info !== undefined ? { net: info.netNamespace } : {}),
      ...(options.has('p') && info !== undefined ? { pid: info.pid } : {}),
    },
  });
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) sys.onSignal(signal, 'ignore');
  // With --net alone the real one is replaced by its command: what ends it ends the command.
  sys.onSignal('SIGTERM', () => sys.kill(pid, 'SIGTERM'));
  const ended = await sys.wait(pid);
  return ended?.kind === 'exited' ? ended.status : 130;
}

function find(process: Process, name: string): string | undefined {
  const candidates = name.includes('/') ? [name] : (process.env.get('PATH') ?? PATH).split(':').map((folder) => `${folder}/${name}`);
  for (const path of candidates) {
    try {
      process.sys.access(path, { execute: true });
      return path;
    } catch (error) {
      if (!isSysError(error, 'ENOENT', 'EACCES', 'ENOTDIR')) throw error;
    }
  }
  return undefined;
}

export const programs: readonly Program[] = [program('nsenter', nsenter)];
