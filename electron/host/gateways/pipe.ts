// Joins a real socket to an emulated connection, both ways, with back-pressure and half closes.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { isSysError } from '#engine/sim/errno.ts';
import type { Connection } from '#engine/sim/stream.ts';

export interface PipeHooks {
  /** Something came in from the real world. */
  poke(): void;
  /** Something is about to leave for it. */
  flush(): void;
}

/** Resolves when both directions have ended. */
export async function pipe(socket: Duplex, connection: Connection, hooks: PipeHooks): Promise<void> {
  const abort = (): void => connection.close();
  socket.on('error', abort);
  socket.once('close', abort);
  await Promise.all([inward(socket, connection, hooks), outward(socket, connection, hooks)]);
}

async function inward(socket: Duplex, connection: Connection, hooks: PipeHooks): Promise<void> {
  try {
    for await (const chunk of socket as AsyncIterable<Uint8Array>) {
      hooks.poke();
      await connection.write(Uint8Array.from(chunk));
    }
    connection.shutdownWrite();
  } catch (error) {
    // Either side may go away at any moment; that ends the connection, and is no failure of ours.
    if (!isGone(error)) throw error;
    connection.close();
  }
}

async function outward(socket: Duplex, connection: Connection, hooks: PipeHooks): Promise<void> {
  try {
    for (;;) {
      const chunk = await connection.read();
      if (chunk === undefined) break;
      hooks.flush();
      if (!socket.write(chunk) && !socket.destroyed) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    }
    socket.end();
  } catch (error) {
    if (!isGone(error)) throw error;
    socket.destroy();
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return (
    isSysError(error) || ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ABORT_ERR'].includes(code ?? '')
  );
}
