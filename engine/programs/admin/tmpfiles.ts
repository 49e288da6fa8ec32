// Models systemd-tmpfiles(8) as far as the base image's configuration asks: directories, links and files made at boot.

import { isSysError } from '../../sim/errno.ts';
import type { Process } from '../../kernel/process.ts';
import { accounts, complain, groups, parseOptions, program, readLines } from './support.ts';

const DIRECTORIES = ['/etc/tmpfiles.d', '/run/tmpfiles.d', '/usr/lib/tmpfiles.d'];

async function tmpfiles(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'E',
    long: { create: 'c', remove: 'r', clean: 'n', boot: 'b', 'prefix=': 'p', 'exclude-prefix=': 'x' },
  });
  if (!options.has('c')) return 0;
  const { sys } = process;
  const byName = new Map<string, string>();
  for (const directory of DIRECTORIES) {
    if (!sys.exists(directory)) continue;
    for (const name of sys.readdir(directory)) if (name.endsWith('.conf') && !byName.has(name)) byName.set(name, `${directory}/${name}`);
  }
  let status = 0;
  for (const [, file] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const line of readLines(sys, file)) {
      if (/^\s*#/.test(line)) continue;
      try {
        apply(process, line.trim().split(/\s+/));
      } catch (error) {
        if (!isSysError(error)) throw error;
        await complain(process, `[${file}] ${line}: ${error.strerror}\n`);
        status = 1;
      }
    }
  }
  return status;
}

function apply(process: Process, [type = '', path = '', mode = '-', user = '-', group = '-', , argument = '']: readonly string[]): void {
  const { sys } = process;
  switch (type[0]) {
    case 'd':
    case 'D':
      if (!sys.exists(path)) sys.mkdir(path, { recursive: true });
      break;
    case 'L':
      if (!sys.exists(path)) sys.symlink(argument, path);
      return;
    case 'f':
    case 'F':
      if (!sys.exists(path) || type[0] === 'F') sys.writeFile(path, argument === '' ? '' : `${argument}\n`);
      break;
    default:
      return;
  }
  if (mode !== '-') sys.chmod(path, parseInt(mode, 8));
  const uid = accounts(sys).find((account) => account.name === user)?.uid ?? 0;
  const gid = groups(sys).find((each) => each.name === group)?.gid ?? 0;
  sys.chown(path, uid, gid);
}

export const programs = [program('systemd-tmpfiles', tmpfiles)];
