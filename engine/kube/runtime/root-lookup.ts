// Paths as seen from inside another root: what runc does before it starts a process there.

import { isSysError } from '../../sim/errno.ts';
import type { Syscalls } from '../../kernel/process.ts';

const MAX_LINKS = 40;

/** Follows symlinks as if `root` were /; returns the path below `root` ('/usr/bin/x'), whether it exists or not. */
export function resolveInRoot(sys: Syscalls, root: string, path: string): string {
  const pending = path.split('/').filter((part) => part !== '' && part !== '.');
  let at: string[] = [];
  for (let links = 0; pending.length > 0;) {
    const part = pending.shift()!;
    if (part === '..') {
      at.pop();
      continue;
    }
    const inside = `/${[...at, part].join('/')}`;
    const target = readLink(sys, root + inside);
    if (target === undefined || links++ > MAX_LINKS) {
      at.push(part);
      continue;
    }
    if (target.startsWith('/')) at = [];
    pending.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'));
  }
  return `/${at.join('/')}`;
}

function readLink(sys: Syscalls, path: string): string | undefined {
  try {
    return sys.lstat(path).kind === 'symlink' ? sys.readlink(path) : undefined;
  } catch (error) {
    if (isSysError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Finds an executable as Go's LookPath does inside `root`. The error is what runc says after `exec: "NAME": `. */
export function lookPath(sys: Syscalls, root: string, name: string, path: string): { readonly path: string } | { readonly error: string } {
  const check = (candidate: string): 'ok' | 'missing' | 'denied' => {
    const real = root + resolveInRoot(sys, root, candidate);
    if (!sys.exists(real)) return 'missing';
    const stat = sys.stat(real);
    return stat.kind !== 'directory' && (stat.mode & 0o111) !== 0 ? 'ok' : 'denied';
  };
  if (name.includes('/')) {
    const found = check(name);
    if (found === 'ok') return { path: name };
    return { error: found === 'missing' ? `stat ${name}: no such file or directory` : 'permission denied' };
  }
  for (const directory of path.split(':')) {
    const candidate = `${directory === '' ? '.' : directory}/${name}`;
    if (check(candidate) === 'ok') return { path: candidate };
  }
  return { error: 'executable file not found in $PATH' };
}
