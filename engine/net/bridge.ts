// Models the Linux bridge: learning, flooding, the bridge's own device, and br_netfilter's hooks for bridged IP packets.
// Not modelled: spanning tree, VLAN filtering.

import type { Clock } from '../sim/clock.ts';
import { BROADCAST_MAC } from './address.ts';
import type { Link } from './link.ts';
import type { Frame } from './net-stack.ts';
import { Packet } from './packet.ts';

/** Linux's default ageing time of the forwarding table. */
const AGEING_MS = 300_000;
/** A frame that crossed this many bridges is going round in a loop. */
const MAX_BRIDGE_HOPS = 32;

export class Bridge {
  readonly ports: Link[] = [];
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #table = new Map<string, { port: Link; seenMs: number }>();

  constructor(link: Link, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
  }

  add(port: Link): void {
    this.ports.push(port);
  }

  remove(port: Link): void {
    const at = this.ports.indexOf(port);
    if (at >= 0) this.ports.splice(at, 1);
    for (const [mac, entry] of this.#table) if (entry.port === port) this.#table.delete(mac);
  }

  /** What brctl showmacs lists, without the ports' own addresses. */
  learned(): readonly { readonly mac: string; readonly port: string; readonly ageMs: number }[] {
    const now = this.#clock.now();
    return [...this.#table]
      .filter(([, entry]) => now - entry.seenMs < AGEING_MS)
      .map(([mac, entry]) => ({ mac, port: entry.port.name, ageMs: now - entry.seenMs }));
  }

  /** A frame that arrived on a port. */
  receive(port: Link, frame: Frame): void {
    const bridge = this.#link;
    if (!bridge.isUp || frame.hops > MAX_BRIDGE_HOPS) return;
    this.#table.set(frame.source, { port, seenMs: this.#clock.now() });
    if (frame.payload instanceof Packet && bridge.stack.isBridgeFiltered()) {
      const packet = frame.payload;
      packet.physicalIn = port.name;
      const before = packet.destination;
      if (!bridge.stack.ip.bridgePrerouting(packet, bridge)) return;
      if (packet.destination !== before && frame.destination !== bridge.mac) {
        // DNAT turned it elsewhere: the frame's MAC means nothing any more, so the IP layer takes over.
        this.#passUp({ ...frame, destination: bridge.mac }, true);
        return;
      }
      this.#forward(port, frame, true);
      return;
    }
    this.#forward(port, frame, false);
  }

  /** A frame the machine itself sends through the bridge device. */
  transmit(frame: Frame): void {
    const entry = this.#lookup(frame.destination);
    if (entry !== undefined) this.#send(entry, frame);
    else this.#flood(undefined, frame, false);
  }

  #forward(from: Link, frame: Frame, isFiltered: boolean): void {
    const bridge = this.#link;
    if (frame.destination === bridge.mac || this.ports.some((port) => port.mac === frame.destination)) {
      this.#passUp({ ...frame, destination: bridge.mac }, isFiltered);
      return;
    }
    if (frame.destination === BROADCAST_MAC || frame.destination.startsWith('01:')) {
      this.#flood(from, frame, isFiltered);
      this.#passUp(copyOf(frame), isFiltered);
      return;
    }
    const port = this.#lookup(frame.destination);
    if (port === from) return;
    if (port !== undefined) this.#bridgeOut(from, port, frame, isFiltered);
    else this.#flood(from, frame, isFiltered);
  }

  #lookup(mac: string): Link | undefined {
    const entry = this.#table.get(mac);
    if (entry === undefined) return undefined;
    if (this.#clock.now() - entry.seenMs < AGEING_MS && entry.port.isUp) return entry.port;
    this.#table.delete(mac);
    return undefined;
  }

  #flood(from: Link | undefined, frame: Frame, isFiltered: boolean): void {
    for (const port of [...this.ports]) {
      if (port === from || !port.isUp) continue;
      if (from === undefined) this.#send(port, copyOf(frame));
      else this.#bridgeOut(from, port, copyOf(frame), isFiltered);
    }
  }

  #bridgeOut(from: Link, to: Link, frame: Frame, isFiltered: boolean): void {
    if (isFiltered && frame.payload instanceof Packet) {
      frame.payload.physicalIn = from.name;
      frame.payload.physicalOut = to.name;
      if (!this.#link.stack.ip.bridgeForward(frame.payload, this.#link)) return;
    }
    this.#send(to, frame);
  }

  #send(port: Link, frame: Frame): void {
    port.transmit({ ...frame, hops: frame.hops + 1 });
  }

  #passUp(frame: Frame, isPreroutingDone: boolean): void {
    const bridge = this.#link;
    bridge.rxPackets++;
    bridge.rxBytes += frame.payload.sizeBytes + 14;
    bridge.stack.tap(bridge, frame, 'in');
    bridge.stack.input(bridge, frame, isPreroutingDone);
  }
}

function copyOf(frame: Frame): Frame {
  return frame.payload instanceof Packet ? { ...frame, payload: frame.payload.copy() } : frame;
}
