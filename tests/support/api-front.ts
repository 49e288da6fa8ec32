// Serves the emulated API server (with an etcd of its own, no machines behind) on 127.0.0.1 over plain HTTP, so that a real kubectl
// can be tried against it: node tests/support/api-front.ts 8080; kubectl -s http://127.0.0.1:8080 get ns
import { createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { VirtualClock } from '../../engine/sim/clock.ts';
import { provideApiDocs } from '../../engine/kube/machinery/schema/docs.ts';
import { apiDocs } from '../../scripts/lib/api-docs.mjs';
import { openTestApi } from '../../engine/kube/apiserver/test-api.ts';

provideApiDocs(apiDocs);
const clock = new VirtualClock({ startMs: Date.now(), settle: () => setImmediate() as Promise<void> });
const api = await openTestApi({ clock });
setInterval(() => void clock.advance(Math.max(0, Date.now() - clock.now())), 50);
createServer((socket) => {
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
}).listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => process.stdout.write('ready\n'));
