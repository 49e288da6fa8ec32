// Passes bytes on between kubectl and the door, and knows when they last talked.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class QuietRelay {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #lastMs = 0;

  /** Relays to `port` on loopback; gives the port that takes its place. */
  async listen(port: number): Promise<number> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      const door = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
      for (const [from, to] of [
        [client, door],
        [door, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', () => this.touch());
        from.on('error', () => to.destroy());
        from.on('close', () => this.#sockets.delete(from));
        from.pipe(to);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  touch(): void {
    this.#lastMs = performance.now();
  }

  /** Milliseconds since the last byte. */
  get quietMs(): number {
    return performance.now() - this.#lastMs;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => (this.#server === undefined ? resolve() : this.#server.close(() => resolve())));
  }
}
