// Lines as klog writes them: `I1121 02:00:00.123456       1 server.go:163] text`.

import type { Process } from '../../kernel/process.ts';
import { utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';

/** Writes a line to stderr without waiting; a reader that is gone loses it. */
export function logLine(process: Process, level: 'I' | 'W' | 'E' | 'F', where: string, message: string): void {
  const iso = new Date(process.sys.now()).toISOString();
  const stamp = `${iso.slice(5, 7)}${iso.slice(8, 10)} ${iso.slice(11, 23)}000`;
  const pid = String(process.sys.processes().find((each) => each.pid === process.pid)?.namespacePid ?? process.pid).padStart(7);
  process.stderr.write(utf8(`${level}${stamp} ${pid} ${where}] ${message}\n`)).then(undefined, (error: unknown) => {
    if (!isSysError(error) && !(error instanceof Error && error.name === 'ProcessExit')) throw error;
  });
}
