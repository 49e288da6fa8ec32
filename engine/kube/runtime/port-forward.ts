// Models dockershim's way into a pod's network for one forwarded connection: nsenter and socat.

import { text } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import type { ByteSink, ByteSource } from '../../sim/stream.ts';
import type { Process, Syscalls } from '../../kernel/process.ts';
import { RuntimeError } from '../kubelet/container-runtime.ts';

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Runs until the connection has ended; RuntimeError with what the commands said when it could not be made. */
export async function forwardPort(
  { sys }: Process,
  to: { readonly pid: number; readonly port: number },
  stream: ByteSource & ByteSink,
  gone: AbortSignal,
): Promise<void> {
  const socat = find(sys, 'socat');
  if (socat === undefined) throw new RuntimeError('unable to do port forwarding: socat not found');
  const nsenter = find(sys, 'nsenter');
  if (nsenter === undefined) throw new RuntimeError('unable to do port forwarding: nsenter not found');
  const [input, feed] = sys.pipe();
  const [result, output] = sys.pipe();
  const [complaint, errors] = sys.pipe();
  const argv = [nsenter, '-t', String(to.pid), '-n', socat, '-', `TCP4:localhost:${to.port}`];
  const pid = sys.spawn(nsenter, argv, {
    fds: new Map([
      [0, input],
      [1, output],
      [2, errors],
    ]),
  });
  for (const fd of [input, output, errors]) sys.close(fd);
  const ended = new AbortController();
  const incoming = (async () => {
    try {
      await copy(stream, sys.file(feed), AbortSignal.any([ended.signal, gone]));
    } finally {
      sys.close(feed);
    }
  })();
  const outgoing = copy(sys.file(result), stream, undefined);
  const said = readAll(sys, complaint);
  const status = await sys.wait(pid);
  ended.abort(new Error('the connection has ended'));
  const message = await said;
  await Promise.all([incoming, outgoing]);
  for (const fd of [result, complaint]) sys.close(fd);
  if (status?.kind === 'exited' && status.status !== 0) throw new RuntimeError(`exit status ${status.status}: ${message}`);
  if (status?.kind === 'signaled') throw new RuntimeError(`signal: ${status.signal === 'SIGKILL' ? 'killed' : 'terminated'}: ${message}`);
}

/** Until the source ends, or either side breaks. */
async function copy(from: ByteSource, to: ByteSink, signal: AbortSignal | undefined): Promise<void> {
  try {
    for (;;) {
      const chunk = await from.read(undefined, signal);
      if (chunk === undefined) return;
      await to.write(chunk);
    }
  } catch (error) {
    if (signal?.aborted !== true && !isSysError(error)) throw error;
  }
}

async function readAll(sys: Syscalls, fd: number): Promise<string> {
  let all = '';
  for (;;) {
    const chunk = await sys.file(fd).read();
    if (chunk === undefined) return all;
    all += text(chunk);
  }
}

function find(sys: Syscalls, name: string): string | undefined {
  return PATH.map((folder) => `${folder}/${name}`).find((path) => sys.exists(path));
}
