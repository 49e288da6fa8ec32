// Models execve(2)'s search for what runs a file: an ELF names its program, a script its interpreter.

import { text } from '../sim/bytes.ts';
import { SysError } from '../sim/errno.ts';
import { programOf } from '../fs/image-tree.ts';
import type { Inode } from '../fs/inode.ts';
import { EXECUTE, type Vfs, type Walker } from '../fs/vfs.ts';
import type { Program } from './process.ts';

/** What the kernel reads to decide. */
const HEAD_BYTES = 256;
const MAX_INTERPRETERS = 4;

export interface Loaded {
  readonly program: Program;
  readonly argv: readonly string[];
  /** File that is executed in the end: /proc/PID/exe. */
  readonly path: string;
  /** At most 15 characters of the file's name: comm. */
  readonly command: string;
  readonly setUid: number | undefined;
  readonly setGid: number | undefined;
}

export class Loader {
  readonly #vfs: Vfs;
  readonly #programs: { get(name: string): Program | undefined };
  readonly #heads = new WeakMap<Inode, { readonly version: number; readonly head: string }>();

  constructor(vfs: Vfs, programs: { get(name: string): Program | undefined }) {
    this.#vfs = vfs;
    this.#programs = programs;
  }

  /** ENOENT, EACCES, ENOEXEC. */
  load(walker: Walker, path: string, argv: readonly string[], depth = 0, command?: string): Loaded {
    const location = this.#vfs.find(walker, path);
    const { inode } = location;
    if (inode.kind !== 'file') throw new SysError('EACCES', path);
    this.#vfs.permit(inode, walker.identity, EXECUTE, path);
    if (location.mount.options.split(',').includes('noexec')) throw new SysError('EACCES', path);
    const head = this.#head(inode);
    const own = command ?? baseName(path).slice(0, 15);
    if (head.startsWith('#!')) {
      if (depth >= MAX_INTERPRETERS) throw new SysError('ELOOP', path);
      const [interpreter, argument] = shebang(head);
      if (interpreter === undefined) throw new SysError('ENOEXEC', path);
      const rest = [path, ...argv.slice(1)];
      const next = argument === undefined ? [interpreter, ...rest] : [interpreter, argument, ...rest];
      return this.load(walker, interpreter, next, depth + 1, own);
    }
    const name = programOf(head);
    const program = name === undefined ? undefined : this.#programs.get(name);
    if (program === undefined) throw new SysError('ENOEXEC', path);
    const { mode, uid, gid } = inode.attributes();
    return {
      program,
      argv,
      path: location.path(walker.root),
      command: own,
      setUid: (mode & 0o4000) === 0 ? undefined : uid,
      setGid: (mode & 0o2000) === 0 ? undefined : gid,
    };
  }

  #head(inode: Inode): string {
    const known = this.#heads.get(inode);
    if (known !== undefined && known.version === inode.version) return known.head;
    const head = text(inode.read(0, HEAD_BYTES));
    this.#heads.set(inode, { version: inode.version, head });
    return head;
  }
}

/** `#! /bin/sh -e`: the interpreter and everything after it as one argument. */
function shebang(head: string): readonly [string | undefined, string | undefined] {
  const line = head.slice(2).split('\n', 1)[0]!.trim();
  const match = /^(\S+)(?:\s+(.*))?$/.exec(line);
  return [match?.[1], match?.[2]];
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
