// How ssh talks to the person in front of it: through the controlling terminal, whatever its descriptors are.

import type { Process } from '../../../kernel/process.ts';
import { text, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';

export function say(process: Process, message: string): Promise<void> {
  return process.stderr.write(utf8(message));
}

/** Asks on /dev/tty; undefined when there is no terminal or it was closed. */
export async function ask(process: Process, question: string, options: { readonly echo: boolean }): Promise<string | undefined> {
  const { sys } = process;
  let fd: number;
  try {
    fd = sys.open('/dev/tty', { read: true, write: true });
  } catch (error) {
    if (isSysError(error, 'ENXIO', 'ENOENT', 'EIO', 'EACCES')) return undefined;
    throw error;
  }
  const file = sys.file(fd);
  const tty = file.tty;
  const before = tty?.termios;
  try {
    if (tty !== undefined && before !== undefined) tty.termios = { ...before, canonical: true, echo: options.echo };
    await file.write(utf8(question));
    let line = '';
    while (!line.endsWith('\n')) {
      const bytes = await file.read();
      if (bytes === undefined || bytes.length === 0) return undefined;
      line += text(bytes);
    }
    if (!options.echo) await file.write(utf8('\n'));
    return line.replace(/\r?\n$/, '');
  } finally {
    if (tty !== undefined && before !== undefined) tty.termios = before;
    sys.close(fd);
  }
}
