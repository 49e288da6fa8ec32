// Models sd_notify(3): services say READY=1 on a socket. Ours is a stream: one connection a message, `PID\tMESSAGE`.

import { utf8 } from '../sim/bytes.ts';
import { isSysError } from '../sim/errno.ts';
import type { Process } from './process.ts';

/** Tells the service manager that this process is ready. Does nothing when nobody asked. */
export async function notifyReady(process: Process): Promise<void> {
  const path = process.env.get('NOTIFY_SOCKET');
  if (path === undefined || process.resumed) return;
  try {
    const connection = await process.sys.connectUnix(path);
    await connection.write(utf8(`${process.pid}\tREADY=1\n`));
    connection.close();
  } catch (error) {
    if (!isSysError(error)) throw error;
  }
}
