// The emulated API server, with an etcd of its own and no machines behind it, on a port of this computer over plain HTTP.

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { VirtualClock } from '../../engine/sim/clock.ts';
import { provideApiDocs } from '../../engine/kube/machinery/schema/docs.ts';
import { apiDocs } from '../../scripts/lib/api-docs.mjs';
import { openTestApi } from '../../engine/kube/apiserver/test-api.ts';

export interface PlainFront extends AsyncDisposable {
  readonly port: number;
}

/** How often lab time catches up with the wall clock. */
const TICK_MS = 50;

export async function openPlainFront(port = 0): Promise<PlainFront> {
  provideApiDocs(apiDocs);
  const clock = new VirtualClock({ startMs: Date.now(), settle: () => setImmediate() as Promise<void> });
  const api = await openTestApi({ clock });
  const ticking = setInterval(() => void clock.advance(Math.max(0, Date.now() - clock.now())), TICK_MS);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const connection = api.connect();
    socket.on('data', (chunk) => void connection.write(new Uint8Array(chunk)).catch(() => socket.destroy()));
    socket.on('end', () => connection.shutdownWrite());
    socket.on('error', () => connection.close());
    void (async () => {
      for (;;) {
        const chunk = await connection.read();
        if (chunk === undefined) break;
        socket.write(chunk);
      }
      socket.end();
    })().catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      clearInterval(ticking);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await api[Symbol.asyncDispose]();
    },
  };
}
