// Models docker's userland proxy: it holds a published port on the host and carries what reaches it past the NAT rules.

import { utf8 } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import type { ByteSink, ByteSource, Connection } from '../../sim/stream.ts';
import type { Process, Program } from '../../kernel/process.ts';

export const dockerProxy: Program = { name: 'docker-proxy', paths: ['/usr/bin/docker-proxy'], main };

async function main(process: Process): Promise<number> {
  const { sys } = process;
  const option = (name: string): string => process.argv[process.argv.indexOf(name) + 1] ?? '';
  const hostPort = Number(option('-host-port'));
  const target = { address: option('-container-ip'), port: Number(option('-container-port')), pid: process.pid };
  if (option('-proto') === 'udp') {
    // The rules in the nat table do the work; the socket only keeps the port.
    sys.net.udp({ address: option('-host-ip'), port: hostPort, pid: process.pid });
    return sys.block<number>(() => undefined);
  }
  let listener;
  try {
    listener = sys.net.listen({ address: option('-host-ip'), port: hostPort, pid: process.pid });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await process.stderr.write(utf8(`listen tcp ${option('-host-ip')}:${hostPort}: bind: ${error.strerror.toLowerCase()}\n`));
    return 1;
  }
  for (;;) {
    const client = await listener.accept();
    void relay(client, () => sys.net.connect(target));
  }
}

async function relay(client: Connection, connect: () => Promise<Connection>): Promise<void> {
  try {
    const server = await connect();
    await Promise.all([copy(client, server).then(() => server.shutdownWrite()), copy(server, client).then(() => client.shutdownWrite())]);
    server.close();
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  } finally {
    client.close();
  }
}

async function copy(from: ByteSource, to: ByteSink): Promise<void> {
  for (;;) {
    const chunk = await from.read();
    if (chunk === undefined) return;
    await to.write(chunk);
  }
}
