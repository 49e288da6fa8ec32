// Joins a real socket to an emulated connection, both ways, with back-pressure and half closes.

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
  const drained = new Signal();
  socket.on('drain', () => drained.raise());
  socket.on('error', () => connection.close());
  socket.once('close', () => {
    connection.close();
    drained.raise();
  });
  await Promise.all([inward(socket, connection, hooks), outward(socket, connection, { ...hooks, drained })]);
}

/** Bytes go on as they come; while the lab has no room for more, the socket is not read. */
function inward(socket: Duplex, connection: Connection, hooks: PipeHooks): Promise<void> {
  return new Promise((resolve, reject) => {
    let writing = 0;
    let isOver = false;
    const fail = (error: unknown): void => {
      // Either side may go away at any moment; that ends the connection, and is no failure of ours.
      connection.close();
      if (isSysError(error) || (error instanceof Error && error.name === 'TlsError')) resolve();
      else reject(error instanceof Error ? error : new Error(String(error)));
    };
    socket.on('data', (chunk: Buffer) => {
      hooks.poke();
      writing++;
      // A view, not a copy: the socket hands out memory that is not used again.
      connection.write(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)).then(() => {
        writing--;
        if (writing === 0 && !isOver) socket.resume();
      }, fail);
      if (writing > MOST_WRITES) socket.pause();
    });
    socket.once('end', () => {
      isOver = true;
      hooks.poke();
      connection.shutdownWrite();
      resolve();
    });
    socket.once('close', () => {
      isOver = true;
      resolve();
    });
  });
}

/** Chunks on their way into the lab before the socket is paused. */
const MOST_WRITES = 4;

async function outward(socket: Duplex, connection: Connection, hooks: PipeHooks & { readonly drained: Signal }): Promise<void> {
  try {
    for (;;) {
      const chunk = await connection.read();
      if (chunk === undefined) break;
      hooks.flush();
      if (socket.destroyed) return;
      if (!socket.write(chunk)) await hooks.drained.next();
    }
    socket.end();
  } catch (error) {
    if (!isSysError(error) && !(error instanceof Error && error.name === 'TlsError')) throw error;
    socket.destroy();
  }
}

/** Something that happens again and again, and one who waits for the next time. */
class Signal {
  #resume: (() => void) | undefined;

  raise(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  next(): Promise<void> {
    return new Promise((resolve) => (this.#resume = resolve));
  }
}
