// Models dockershim's own socket, which crictl talks to: one JSON request and one JSON answer per HTTP exchange.

import { text } from '../../sim/bytes.ts';
import { serveHttp } from '../../net/http-server.ts';
import type { Process } from '../../kernel/process.ts';
import { RuntimeError } from '../kubelet/container-runtime.ts';
import type { Dockershim } from './dockershim.ts';
import { readAll } from './docker/registry-client.ts';
import { Query } from './query.ts';

export const CRI_SOCKET = '/var/run/dockershim.sock';

export async function serveCri(process: Process, runtime: Dockershim, signal: AbortSignal): Promise<void> {
  const { sys } = process;
  if (sys.exists(CRI_SOCKET)) sys.unlink(CRI_SOCKET);
  const listener = sys.listenUnix(CRI_SOCKET, 0o660);
  await serveHttp(
    listener,
    async (request, respond) => {
      const [path = '', query = ''] = request.target.split('?');
      const values = new Query(query);
      const id = values.get('id') ?? '';
      const body = async (): Promise<unknown> => {
        switch (path) {
          case '/version':
            return runtime.version();
          case '/containers':
            return runtime.containers();
          case '/container':
            return runtime.containerStatus(id);
          case '/sandboxes':
            return runtime.sandboxes();
          case '/images':
            return runtime.images();
          case '/pull':
            return { id: await runtime.pullImage(id) };
          case '/stop':
            return runtime.stopContainer(id, Number(values.get('timeout') ?? '0') * 1000);
          case '/remove':
            return runtime.removeContainer(id);
          default:
            throw new RuntimeError('unknown method');
        }
      };
      try {
        if (path === '/logs') {
          const stream = await respond.stream({ status: 200 });
          const sink = { write: (bytes: Uint8Array): Promise<void> => stream.write(bytes) };
          const tail = values.get('tail');
          await runtime.logs(
            id,
            {
              follow: values.isTrue('follow'),
              tail: tail === null ? undefined : Number(tail),
              sinceMs: 0,
              timestamps: values.isTrue('timestamps'),
            },
            sink,
            sink,
            respond.signal,
          );
          await stream.end();
          return;
        }
        if (path === '/exec') {
          const argv = JSON.parse(text(await readAll(request.body))) as string[];
          await respond.send({ status: 200 }, JSON.stringify(await runtime.execSync(id, argv, 0)));
          return;
        }
        await respond.send({ status: 200 }, JSON.stringify((await body()) ?? {}));
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        await respond.send({ status: 500 }, error.message);
      }
    },
    { clock: sys.clock, signal },
  );
}
