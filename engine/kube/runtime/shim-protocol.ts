// What dockerd, containerd and the shims say to each other: one JSON line each way over a unix socket.

import { concat, text, utf8 } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import type { Connection } from '../../sim/stream.ts';
import type { SignalName, Syscalls, TerminalSize } from '../../kernel/process.ts';

export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
export const SHIM_STATE = '/run/containerd/io.containerd.runtime.v1.linux/moby';

/** One process of a container. */
export interface ProcessSpec {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  readonly isTty: boolean;
  /** FIFOs; stdin may be missing. With a tty everything goes through `stdin` and `stdout`. */
  readonly stdin: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** The bundle's config.json. */
export interface BundleSpec {
  readonly process: ProcessSpec;
  readonly root: string;
  readonly hostname: string;
  /** Name of the kernel's network namespace. */
  readonly netNamespace: string;
  /** `new`, `host`, or the pid of another container's init. */
  readonly pidNamespace: 'new' | 'host' | number;
  readonly cgroup: string;
}

export type ShimRequest =
  | { readonly op: 'start' }
  | { readonly op: 'exec'; readonly id: string; readonly process: ProcessSpec }
  | { readonly op: 'wait'; readonly id: string }
  | { readonly op: 'kill'; readonly id: string; readonly signal: SignalName }
  | { readonly op: 'resize'; readonly id: string; readonly size: TerminalSize }
  | { readonly op: 'delete' };

export type ContainerdRequest = { readonly op: 'create'; readonly id: string } | { readonly op: 'version' };

export type ShimReply =
  | { readonly ok: true; readonly pid?: number; readonly exitCode?: number; readonly isOomKilled?: boolean; readonly version?: string }
  | { readonly ok: false; readonly error: string };

/** Sends one request and waits for its answer. Throws SysError when the other side is not there or goes away. */
export async function ask(
  sys: Syscalls,
  socket: string,
  request: ShimRequest | ContainerdRequest,
  signal?: AbortSignal,
): Promise<ShimReply> {
  const connection = await sys.connectUnix(socket);
  try {
    await connection.write(utf8(`${JSON.stringify(request)}\n`));
    const line = await readLine(connection, signal);
    if (line === undefined) throw new SysError('ECONNRESET', socket);
    return JSON.parse(line) as ShimReply;
  } finally {
    connection.close();
  }
}

/** Answers every connection's line with what `handle` returns. Never throws for a broken connection. */
export async function answer(connection: Connection, handle: (line: string) => Promise<ShimReply>): Promise<void> {
  try {
    const line = await readLine(connection);
    if (line !== undefined) await connection.write(utf8(`${JSON.stringify(await handle(line))}\n`));
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  } finally {
    connection.close();
  }
}

async function readLine(connection: Connection, signal?: AbortSignal): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await connection.read(undefined, signal);
    if (chunk === undefined) return chunks.length === 0 ? undefined : text(concat(chunks));
    chunks.push(chunk);
    if (chunk.includes(10)) return text(concat(chunks)).split('\n')[0];
  }
}

export const shimSocket = (id: string): string => `${SHIM_STATE}/${id}/shim.sock`;
