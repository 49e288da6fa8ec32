// Models VirtualBox's NAT adapter: a private network per machine with gateway 10.0.2.2 (DHCP, DNS at 10.0.2.3, translation to
// the internet), and port forwards from the learner's computer into the guest.

import type { Clock } from '../../sim/clock.ts';
import { SysError } from '../../sim/errno.ts';
import type { Rng } from '../../sim/rng.ts';
import type { Connection } from '../../sim/stream.ts';
import { decodeDhcp, encodeDhcp, type DhcpMessage } from '../dhcp.ts';
import type { EthernetPort, OwnedNetStack, UdpSocket } from '../net-stack.ts';
import { createNetStack } from '../stack.ts';
import { EthernetSwitch, type SwitchPort } from '../switch.ts';
import { FixedNetHost } from './fixed-host.ts';
import type { Internet } from './internet.ts';

export const NAT_GATEWAY = '10.0.2.2';
export const NAT_NAME_SERVER = '10.0.2.3';
export const NAT_GUEST = '10.0.2.15';
/** VirtualBox leases for a day. */
const LEASE_SECONDS = 86_400;
const GATEWAY_MAC = '52:54:00:12:35:02';

export class NatNetwork {
  /** What the machine's adapter 1 is plugged into. */
  readonly port: EthernetPort & { setPlugged(isPlugged: boolean): void };
  readonly #gateway: OwnedNetStack;
  readonly #guestPort: SwitchPort;

  /** `index` tells the machines' networks apart on their way out. */
  constructor(options: {
    readonly name: string;
    readonly index: number;
    readonly internet: Internet;
    readonly clock: Clock;
    readonly rng: Rng;
  }) {
    const wire = new EthernetSwitch();
    this.#guestPort = wire.plug();
    this.port = this.#guestPort;
    this.#gateway = createNetStack({
      namespace: `nat of ${options.name}`,
      clock: options.clock,
      rng: options.rng.fork(`nat ${options.name}`),
      host: new FixedNetHost({ 'net.ipv4.ip_forward': '1' }),
    });
    const gateway = this.#gateway;
    const { internet } = options;
    gateway.setLink('lo', { isUp: true });
    gateway.attach('guest', { mac: GATEWAY_MAC, port: wire.plug() });
    gateway.setLink('guest', { isUp: true });
    gateway.addAddress('guest', `${NAT_GATEWAY}/24`);
    gateway.addAddress('guest', `${NAT_NAME_SERVER}/24`);
    gateway.addLink({ name: 'wan', kind: 'veth', peer: { name: `line${options.index}`, stack: internet.net } });
    gateway.setLink('wan', { isUp: true });
    gateway.addAddress('wan', `100.64.${options.index}.2/24`);
    internet.net.setLink(`line${options.index}`, { isUp: true });
    internet.net.addAddress(`line${options.index}`, `100.64.${options.index}.1/24`);
    gateway.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: `100.64.${options.index}.1`, protocol: 'static', scope: 'global' });
    gateway.netfilter.execute('nat', ['-A', 'POSTROUTING', '-o', 'wan', '-j', 'MASQUERADE']);
    void internet.serveNames(gateway.udp({ address: NAT_NAME_SERVER, port: 53 }));
    void serveLeases(gateway.udp({ port: 67, device: 'guest' }));
  }

  /** Whether a machine with its power on is plugged in. */
  get isGuestOn(): boolean {
    return this.#guestPort.receive !== undefined;
  }

  /**
   * A connection to a forwarded port of the learner's computer. As with VirtualBox the computer's side accepts at once and the
   * guest is asked afterwards: a guest that refuses resets the connection, one that swallows the packets leaves it hanging.
   * ECONNREFUSED when the machine is off: nobody listens then.
   */
  forward(guestPort: number): Promise<Connection> {
    if (!this.isGuestOn) return Promise.reject(new SysError('ECONNREFUSED', `127.0.0.1 -> ${guestPort}`));
    return Promise.resolve(new ForwardedConnection(this.#gateway, guestPort));
  }

  dispose(): void {
    this.#gateway.dispose();
    this.#guestPort.dispose();
  }
}

/** Accepted already; what is read and written waits for the guest. */
class ForwardedConnection implements Connection {
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly #guest: Promise<Connection>;
  readonly #giveUp = new AbortController();
  #writes: Promise<unknown> = Promise.resolve();

  constructor(gateway: OwnedNetStack, guestPort: number) {
    this.localAddress = '127.0.0.1:0';
    this.remoteAddress = `127.0.0.1:${guestPort}`;
    this.#guest = gateway
      .connect({ address: NAT_GUEST, port: guestPort, sourceAddress: NAT_GATEWAY, signal: this.#giveUp.signal })
      .catch((error: unknown) => {
        throw error instanceof SysError ? new SysError('ECONNRESET') : error;
      });
    // Whoever reads or writes hears of a failure; without anybody it is nobody's.
    this.#guest.catch(() => NOBODY_CARES);
  }

  async read(maxBytes?: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const guest = await abortable(this.#guest, signal);
    return guest.read(maxBytes, signal);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await (await this.#guest).write(bytes);
  }

  shutdownWrite(): void {
    this.#later((guest) => guest.shutdownWrite());
  }

  close(options?: { readonly reset?: boolean }): void {
    this.#giveUp.abort(new SysError('ECONNRESET'));
    this.#later((guest) => guest.close(options));
  }

  #later(work: (guest: Connection) => void): void {
    this.#writes = this.#guest.then(work, () => NOBODY_CARES);
  }
}

const NOBODY_CARES = 'a connection that failed needs no closing';

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** The DHCP server: every guest gets the same address. */
async function serveLeases(socket: UdpSocket): Promise<void> {
  for (;;) {
    let datagram;
    try {
      datagram = await socket.receive();
    } catch (error) {
      if (error instanceof SysError && error.errno === 'EBADF') return;
      throw error;
    }
    const request = decodeDhcp(datagram.bytes);
    if (request === undefined || (request.kind !== 'DISCOVER' && request.kind !== 'REQUEST')) continue;
    const wanted = request.requested ?? request.clientAddress ?? NAT_GUEST;
    const isRefused = request.kind === 'REQUEST' && wanted !== NAT_GUEST;
    const answer: DhcpMessage = {
      kind: request.kind === 'DISCOVER' ? 'OFFER' : isRefused ? 'NAK' : 'ACK',
      transaction: request.transaction,
      mac: request.mac,
      server: NAT_GATEWAY,
      ...(isRefused
        ? {}
        : {
            yourAddress: NAT_GUEST,
            netmask: '255.255.255.0',
            router: NAT_GATEWAY,
            nameServers: [NAT_NAME_SERVER],
            leaseSeconds: LEASE_SECONDS,
          }),
    };
    socket.send(encodeDhcp(answer), { address: '255.255.255.255', port: 68 });
  }
}
