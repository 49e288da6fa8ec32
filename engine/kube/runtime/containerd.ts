// Models containerd as docker uses it: it starts one shim per container and lets it live on its own.

import type { Process } from '../../kernel/process.ts';
import { answer, CONTAINERD_SOCKET, SHIM_STATE, shimSocket, type ContainerdRequest, type ShimReply } from './shim-protocol.ts';
import { logfmt } from './logfmt.ts';

export const CONTAINERD_VERSION = '1.3.9';
const SHIM = '/usr/bin/containerd-shim';

export async function runContainerd(process: Process): Promise<number> {
  const { sys } = process;
  const log = logfmt(process);
  sys.mkdir(SHIM_STATE, { recursive: true, mode: 0o711 });
  sys.mkdir('/var/lib/containerd', { recursive: true, mode: 0o711 });
  if (!process.resumed)
    await log('info', 'starting containerd', { revision: 'ea765aba0d05254012b0b9e595e995c09186427f', version: CONTAINERD_VERSION });
  if (sys.exists(CONTAINERD_SOCKET)) sys.unlink(CONTAINERD_SOCKET);
  const listener = sys.listenUnix(CONTAINERD_SOCKET, 0o660);
  const done = new AbortController();
  sys.onSignal('SIGTERM', () => done.abort());
  sys.onSignal('SIGINT', () => done.abort());
  sys.onSignal('SIGCHLD', () => void reap(process));
  if (!process.resumed) {
    await log('info', 'serving...', { address: CONTAINERD_SOCKET });
    await log('info', 'containerd successfully booted in 0.021476s', {});
  }
  try {
    for (;;) {
      const connection = await listener.accept(done.signal);
      void answer(connection, async (line) => handle(process, JSON.parse(line) as ContainerdRequest, log));
    }
  } catch (error) {
    if (!done.signal.aborted) throw error;
    return 0;
  } finally {
    listener.close();
  }
}

async function handle(process: Process, request: ContainerdRequest, log: ReturnType<typeof logfmt>): Promise<ShimReply> {
  if (request.op === 'version') return { ok: true, version: CONTAINERD_VERSION };
  const { sys } = process;
  const workdir = `/var/lib/containerd/io.containerd.runtime.v1.linux/moby/${request.id}`;
  const argv = [
    'containerd-shim',
    '-namespace',
    'moby',
    '-workdir',
    workdir,
    '-address',
    CONTAINERD_SOCKET,
    '-containerd-binary',
    '/usr/bin/containerd',
    '-runtime-root',
    '/var/run/docker/runtime-runc',
  ];
  const none = sys.open('/dev/null', { read: true, write: true });
  try {
    const pid = sys.spawn(SHIM, argv, {
      fds: new Map([
        [0, none],
        [1, none],
        [2, none],
      ]),
      newSession: true,
      durable: true,
    });
    await log('info', 'shim containerd-shim started', {
      address: `/containerd-shim/${request.id.slice(0, 12)}.sock`,
      debug: 'false',
      pid: String(pid),
    });
    await untilListening(process, request.id);
    return { ok: true, pid };
  } finally {
    sys.close(none);
  }
}

/** The shim's first step is to listen; its socket file appears then. */
async function untilListening(process: Process, id: string): Promise<void> {
  const { sys } = process;
  const path = shimSocket(id);
  await sys.block<void>((resolve) => {
    const watch = sys.watch(`${SHIM_STATE}/${id}`, () => {
      if (sys.exists(path)) finish();
    });
    const finish = (): void => {
      watch.dispose();
      resolve();
    };
    if (sys.exists(path)) finish();
    return watch;
  });
}

async function reap(process: Process): Promise<void> {
  while ((await process.sys.wait(-1, { noHang: true }).catch(noChild)) !== undefined);
}

function noChild(error: unknown): undefined {
  if (error instanceof Error && error.name === 'SysError') return undefined;
  throw error;
}
