// Models BIRD in calico-node: BGP sessions with every other node, and routes to their blocks through the tunnel.

import type { Clock } from '../../sim/clock.ts';
import { concat } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import { ProcessExit, type Connection } from '../../sim/stream.ts';
import type { NetStack } from '../../net/net-stack.ts';
import { addressNumber } from './blocks.ts';
import { BgpError, decodeBgp, encodeBgp, type BgpMessage } from './bgp-messages.ts';

const PORT = 179;
const AS_NUMBER = 64512;
const HOLD_SECONDS = 240;
const KEEPALIVE_MS = 80_000;
const CONNECT_RETRY_MS = 5_000;
/** Routes of a peer whose connection ended without a word stay this long (graceful restart). */
const RESTART_MS = 120_000;
const HOLD_TIMER_EXPIRED = 4;
const CEASE = 6;
const ADMINISTRATIVE_SHUTDOWN = 2;

export interface BirdOptions {
  readonly net: NetStack;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly pid: number;
  readonly address: string;
  /** The host's own blocks. */
  blocks(): readonly string[];
  log(text: string): void;
}

interface Peer {
  readonly address: string;
  state: 'Idle' | 'Connect' | 'OpenConfirm' | 'Established';
  connection: Connection | undefined;
  readonly routes: Set<string>;
  readonly stop: AbortController;
  staleTimer: { dispose(): void } | undefined;
}

export class Bird {
  readonly #options: BirdOptions;
  readonly #peers = new Map<string, Peer>();
  #announced: readonly string[] = [];

  constructor(options: BirdOptions) {
    this.#options = options;
  }

  /** Addresses of peers without a session. */
  get notEstablished(): readonly string[] {
    return [...this.#peers.values()].filter((peer) => peer.state !== 'Established').map((peer) => peer.address);
  }

  get established(): number {
    return this.#peers.size - this.notEstablished.length;
  }

  /** Listens until the signal aborts. */
  async run(): Promise<void> {
    const { net, pid, signal } = this.#options;
    const listener = net.listen({ address: '0.0.0.0', port: PORT, pid });
    signal.addEventListener('abort', () => this.#shutDown(), { once: true });
    this.refresh();
    try {
      for (;;) {
        const connection = await listener.accept(signal);
        const peer = this.#peers.get(connection.remoteAddress.slice(0, connection.remoteAddress.lastIndexOf(':')));
        if (peer === undefined) connection.close({ reset: true });
        else {
          peer.connection?.close();
          this.#background(this.#converse(peer, connection));
        }
      }
    } finally {
      listener.close();
    }
  }

  /** The mesh as the cluster's nodes make it. Of two peers the one with the higher address connects. */
  setPeers(addresses: readonly string[]): void {
    for (const [address, peer] of this.#peers) {
      if (addresses.includes(address)) continue;
      this.#peers.delete(address);
      peer.stop.abort(new Error('the peer was removed'));
      peer.connection?.close();
      this.#dropRoutes(peer);
    }
    for (const address of addresses) {
      if (this.#peers.has(address) || address === this.#options.address) continue;
      const peer: Peer = {
        address,
        state: 'Idle',
        connection: undefined,
        routes: new Set(),
        stop: new AbortController(),
        staleTimer: undefined,
      };
      this.#peers.set(address, peer);
      if (addressNumber(this.#options.address) > addressNumber(address)) this.#background(this.#keepConnecting(peer));
    }
  }

  /** Own blocks are black holes here, so that nothing for a free address wanders; and peers are told of new ones. */
  refresh(): void {
    const { net } = this.#options;
    const blocks = this.#options.blocks();
    const routes = net.routes();
    for (const destination of blocks) {
      if (!routes.some((route) => route.destination === destination && route.type === 'blackhole')) {
        net.addRoute({ destination, type: 'blackhole', protocol: 'bird', scope: 'global' }, { replace: true });
      }
    }
    for (const peer of this.#peers.values()) {
      for (const destination of peer.routes) {
        if (!routes.some((route) => route.destination === destination && route.protocol === 'bird')) this.#install(peer, destination);
      }
    }
    const fresh = blocks.filter((block) => !this.#announced.includes(block));
    this.#announced = blocks;
    if (fresh.length === 0) return;
    for (const peer of this.#peers.values()) if (peer.state === 'Established') this.#background(this.#announce(peer, fresh));
  }

  async #keepConnecting(peer: Peer): Promise<void> {
    const { net, pid, clock, signal } = this.#options;
    const ended = AbortSignal.any([signal, peer.stop.signal]);
    while (!ended.aborted) {
      peer.state = 'Connect';
      try {
        const connection = await net.connect({
          address: peer.address,
          port: PORT,
          pid,
          sourceAddress: this.#options.address,
          signal: ended,
        });
        await this.#converse(peer, connection);
      } catch (error) {
        if (ended.aborted || !isSysError(error)) throw error;
        peer.state = 'Idle';
      }
      await clock.sleep(CONNECT_RETRY_MS, ended);
    }
  }

  /** One session, from OPEN to its end. */
  async #converse(peer: Peer, connection: Connection): Promise<void> {
    const { clock, log } = this.#options;
    peer.connection = connection;
    setState(peer, 'OpenConfirm');
    let lastHeardMs = clock.now();
    let isSilent = false;
    let wasTold = false;
    const beat = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(KEEPALIVE_MS, this.#options.signal);
        if (peer.connection !== connection) return;
        if (clock.now() - lastHeardMs >= HOLD_SECONDS * 1000) {
          isSilent = true;
          await send(connection, { type: 'notification', code: HOLD_TIMER_EXPIRED, subcode: 0 });
          connection.close();
          return;
        }
        await send(connection, { type: 'keepalive' });
      }
    };
    this.#background(beat());
    try {
      await send(connection, { type: 'open', asNumber: AS_NUMBER, holdSeconds: HOLD_SECONDS, routerId: this.#options.address });
      for await (const message of messagesOf(connection)) {
        lastHeardMs = clock.now();
        if (message.type === 'open') await send(connection, { type: 'keepalive' });
        if (message.type === 'keepalive' && peer.state !== 'Established') await this.#establish(peer);
        if (message.type === 'update') this.#learn(peer, message);
        if (message.type === 'notification') {
          wasTold = true;
          break;
        }
      }
    } catch (error) {
      if (error instanceof ProcessExit || this.#options.signal.aborted) throw error;
      if (!isSysError(error) && !(error instanceof BgpError)) throw error;
    }
    connection.close();
    if (peer.connection !== connection) return;
    peer.connection = undefined;
    peer.state = 'Idle';
    log(`bird: Mesh_${peer.address.replaceAll('.', '_')}: State changed to start`);
    if (isSilent || wasTold) this.#dropRoutes(peer);
    else this.#keepStale(peer);
  }

  async #establish(peer: Peer): Promise<void> {
    peer.state = 'Established';
    peer.staleTimer?.dispose();
    peer.staleTimer = undefined;
    this.#options.log(`bird: Mesh_${peer.address.replaceAll('.', '_')}: State changed to feed`);
    await this.#announce(peer, this.#options.blocks());
  }

  async #announce(peer: Peer, blocks: readonly string[]): Promise<void> {
    if (peer.connection === undefined || blocks.length === 0) return;
    await send(peer.connection, { type: 'update', announced: blocks, withdrawn: [], nextHop: this.#options.address });
  }

  #learn(peer: Peer, update: Extract<BgpMessage, { type: 'update' }>): void {
    for (const destination of update.withdrawn) if (peer.routes.delete(destination)) this.#uninstall(destination);
    for (const destination of update.announced) {
      peer.routes.add(destination);
      this.#install(peer, destination);
    }
  }

  #install(peer: Peer, destination: string): void {
    const { net } = this.#options;
    if (net.links().find((link) => link.name === 'tunl0')?.isUp !== true) return;
    net.addRoute(
      { destination, type: 'unicast', via: peer.address, device: 'tunl0', protocol: 'bird', scope: 'global', onLink: true },
      { replace: true },
    );
  }

  #uninstall(destination: string): void {
    const { net } = this.#options;
    if (net.routes().some((route) => route.destination === destination && route.protocol === 'bird' && route.type === 'unicast')) {
      net.deleteRoute({ destination, protocol: 'bird' });
    }
  }

  #keepStale(peer: Peer): void {
    peer.staleTimer?.dispose();
    peer.staleTimer = this.#options.clock.setTimer(RESTART_MS, () => {
      peer.staleTimer = undefined;
      if (peer.state !== 'Established') this.#dropRoutes(peer);
    });
  }

  #dropRoutes(peer: Peer): void {
    peer.staleTimer?.dispose();
    peer.staleTimer = undefined;
    // Forgotten before they are removed: the removal is a change of routes, and refresh restores those we still want.
    const gone = [...peer.routes];
    peer.routes.clear();
    for (const destination of gone) this.#uninstall(destination);
  }

  /** Takes leave of every peer: they drop the routes to here at once, while ours stay in the kernel (`persist`). */
  async cease(): Promise<void> {
    for (const peer of this.#peers.values()) {
      if (peer.connection === undefined) continue;
      try {
        await send(peer.connection, { type: 'notification', code: CEASE, subcode: ADMINISTRATIVE_SHUTDOWN });
      } catch (error) {
        if (!isSysError(error)) throw error;
      }
    }
  }

  /** The process ends: sessions break off, routes stay in the kernel. */
  #shutDown(): void {
    for (const peer of this.#peers.values()) {
      peer.staleTimer?.dispose();
      peer.connection?.close();
    }
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (error instanceof ProcessExit || this.#options.signal.aborted || isSysError(error)) return;
      if (error instanceof Error && error.message === 'the peer was removed') return;
      throw error;
    });
  }
}

function setState(peer: Peer, state: Peer['state']): void {
  peer.state = state;
}

async function send(connection: Connection, message: BgpMessage): Promise<void> {
  await connection.write(encodeBgp(message));
}

async function* messagesOf(connection: Connection): AsyncGenerator<BgpMessage> {
  let buffer: Uint8Array = new Uint8Array();
  for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) {
    buffer = concat([buffer, chunk]);
    for (let next = decodeBgp(buffer); next !== undefined; next = decodeBgp(buffer)) {
      buffer = buffer.subarray(next.length);
      yield next.message;
    }
  }
}
