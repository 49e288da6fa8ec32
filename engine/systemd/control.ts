// The private line between systemctl and the manager: one JSON request and one JSON answer a connection.

import { ProcessExit, type Connection, type Process, type SignalName } from '../kernel/process.ts';
import { concat, text, utf8 } from '../sim/bytes.ts';
import { isSysError } from '../sim/errno.ts';
import type { JobResult, Manager, UnitView } from './manager.ts';

export const CONTROL_PATH = '/run/systemd/private';

export type ControlRequest =
  | { readonly verb: 'start' | 'stop' | 'restart' | 'reload' | 'try-restart' | 'reload-or-restart' | 'isolate'; readonly unit: string }
  | { readonly verb: 'kill'; readonly unit: string; readonly signal: SignalName; readonly isMainOnly: boolean }
  | { readonly verb: 'reset-failed'; readonly unit?: string }
  | { readonly verb: 'daemon-reload' }
  | { readonly verb: 'view'; readonly unit: string }
  | { readonly verb: 'views' }
  | { readonly verb: 'power'; readonly action: 'off' | 'reboot' | 'halt' };

export interface ControlAnswer {
  readonly result?: JobResult;
  readonly views?: readonly UnitView[];
}

/** Serves until the manager ends. */
export async function serveControl(process: Process, manager: Manager): Promise<void> {
  if (process.sys.exists(CONTROL_PATH)) process.sys.unlink(CONTROL_PATH);
  const listener = process.sys.listenUnix(CONTROL_PATH, 0o600);
  for (;;) {
    const connection = await listener.accept();
    answer(connection, manager).catch((error: unknown) => {
      if (!(error instanceof ProcessExit) && !isSysError(error, 'EPIPE', 'ECONNRESET')) throw error;
    });
  }
}

/** Asks the manager. SysError ECONNREFUSED or ENOENT when there is none. */
export async function askManager(process: Process, request: ControlRequest): Promise<ControlAnswer> {
  const connection = await process.sys.connectUnix(CONTROL_PATH);
  await connection.write(utf8(JSON.stringify(request)));
  connection.shutdownWrite();
  const reply = await readAll(connection);
  connection.close();
  return reply === '' ? {} : (JSON.parse(reply) as ControlAnswer);
}

async function answer(connection: Connection, manager: Manager): Promise<void> {
  const request = JSON.parse(await readAll(connection)) as ControlRequest;
  await connection.write(utf8(JSON.stringify(await perform(manager, request))));
  connection.close();
}

async function perform(manager: Manager, request: ControlRequest): Promise<ControlAnswer> {
  switch (request.verb) {
    case 'start':
    case 'stop':
    case 'restart':
    case 'reload':
    case 'isolate':
      return { result: await manager[request.verb](request.unit) };
    case 'try-restart':
      return { result: manager.view(request.unit).state.active === 'active' ? await manager.restart(request.unit) : 'done' };
    case 'reload-or-restart': {
      const reloaded = await manager.reload(request.unit);
      return { result: reloaded === 'no-reload' ? await manager.restart(request.unit) : reloaded };
    }
    case 'kill':
      return { result: manager.kill(request.unit, request.signal, request.isMainOnly) };
    case 'reset-failed':
      manager.resetFailed(request.unit);
      return {};
    case 'daemon-reload':
      manager.daemonReload();
      return {};
    case 'view':
      return { views: [manager.view(request.unit)] };
    case 'views':
      return { views: manager.views() };
    case 'power':
      // The asker's own session goes down with the machine: it gets its answer first.
      void manager.shutdown(request.action);
      return {};
  }
}

async function readAll(connection: Connection): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) chunks.push(chunk);
  return text(concat(chunks));
}
