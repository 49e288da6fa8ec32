// Models kubectl's way to an editor: a file in /tmp, and the program of $KUBE_EDITOR or $EDITOR on the terminal.

import { isSysError } from '../../../sim/errno.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

const NAME_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const NAME_LENGTH = 5;

/** Writes the file to edit and returns its path. */
export function writeTemporary(context: Context, extension: string, contents: string): string {
  const { sys, env } = context.process;
  const name = Array.from({ length: NAME_LENGTH }, () => NAME_LETTERS[sys.rng.int(NAME_LETTERS.length)] ?? 'x').join('');
  const path = `${env.get('TMPDIR') ?? '/tmp'}/kubectl-edit-${name}.${extension}`;
  sys.writeFile(path, contents, { mode: 0o600 });
  return path;
}

/** Removes a file, which the user may have removed already. */
export function removeFile(context: Context, path: string): void {
  if (context.process.sys.exists(path)) context.process.sys.unlink(path);
}

/** Runs the editor on the file; throws when it fails. */
export async function runEditor(context: Context, path: string): Promise<void> {
  const { sys, env } = context.process;
  const given = env.get('KUBE_EDITOR') || env.get('EDITOR') || 'vi';
  const isSimple = !/["'\\]/.test(given);
  // Blanks divide the words; what has quotes is left to a shell.
  const shell = [env.get('SHELL') || '/bin/bash', '-c'];
  const words = isSimple || !given.includes(' ') ? given.split(' ') : [...shell, given];
  const argv = isSimple || !given.includes(' ') ? [...words, path] : [...shell, `${given} ${JSON.stringify(path)}`];
  const [name = ''] = argv;
  const program = name.includes('/') ? name : lookUp(context, name);
  const shown = JSON.stringify(words.join(' '));
  if (program === undefined || !sys.exists(program)) throw new CliError(`unable to launch the editor ${shown}`);
  const pid = sys.spawn(program, argv, { env });
  const result = await sys.wait(pid);
  if (result?.kind !== 'exited' || result.status !== 0) throw new CliError(`there was a problem with the editor ${shown}`);
}

/** Finds a program on the PATH. */
export function lookUp(context: Context, name: string): string | undefined {
  for (const folder of (context.process.env.get('PATH') ?? '/usr/bin:/bin').split(':')) {
    const path = `${folder}/${name}`;
    try {
      context.process.sys.access(path, { execute: true });
      return path;
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
  }
  return undefined;
}
