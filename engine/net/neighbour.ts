// Models ARP and the neighbour table: requests that are really sent, three tries a second apart, entries that go stale.

import type { Clock } from '../sim/clock.ts';
import type { Disposable } from '../sim/disposable.ts';
import { BROADCAST_MAC, formatIp, type Ip } from './address.ts';
import type { Link } from './link.ts';
import type { Neighbour } from './net-stack.ts';
import { arpMessage, type ArpMessage, type Packet } from './packet.ts';

/** base_reachable_time; Linux draws from half to one and a half of it, we take the middle. */
const REACHABLE_MS = 30_000;
/** delay_first_probe_time: how long an entry in use may stay unconfirmed before it is probed. */
const DELAY_MS = 5_000;
const RETRANSMIT_MS = 1_000;
const MAX_PROBES = 3;
/** unres_qlen: packets that wait for an answer. */
const MAX_WAITING = 3;
const NO_MAC = '00:00:00:00:00:00';

interface Entry {
  readonly address: Ip;
  readonly link: Link;
  mac: string;
  state: 'PERMANENT' | 'REACHABLE' | 'DELAY' | 'FAILED' | 'INCOMPLETE';
  confirmedMs: number;
  probes: number;
  timer: Disposable | undefined;
  waiting: { packet: Packet; give: (mac: string) => void; fail: (packet: Packet) => void }[];
}

export class NeighbourTable {
  readonly #clock: Clock;
  readonly #sourceFor: (link: Link, target: Ip) => Ip;
  readonly #changed: () => void;
  readonly #entries = new Map<Link, Map<Ip, Entry>>();

  constructor(clock: Clock, sourceFor: (link: Link, target: Ip) => Ip, changed: () => void) {
    this.#clock = clock;
    this.#sourceFor = sourceFor;
    this.#changed = changed;
  }

  /** The MAC of a neighbour that nothing has to be asked about: what `resolve` would give at once. */
  known(link: Link, address: Ip): string | undefined {
    const entry = this.#entries.get(link)?.get(address);
    if (entry?.state !== 'REACHABLE' || entry.mac === NO_MAC) return undefined;
    return this.#clock.now() - entry.confirmedMs > REACHABLE_MS ? undefined : entry.mac;
  }

  /** Calls `give` with the next hop's MAC, now or when an answer comes, or `fail` when none does. */
  resolve(link: Link, address: Ip, packet: Packet, give: (mac: string) => void, fail: (packet: Packet) => void): void {
    const entry = this.#entries.get(link)?.get(address);
    if (entry !== undefined && entry.mac !== NO_MAC && entry.state !== 'FAILED') {
      if (entry.state === 'REACHABLE' && this.#clock.now() - entry.confirmedMs > REACHABLE_MS) this.#delay(entry);
      // The probe above may have been answered, or not; either way the old address is used meanwhile.
      give(entry.mac);
      return;
    }
    if (entry !== undefined && entry.state === 'INCOMPLETE') {
      if (entry.waiting.length >= MAX_WAITING) entry.waiting.shift();
      entry.waiting.push({ packet, give, fail });
      return;
    }
    const fresh: Entry = {
      address,
      link,
      mac: NO_MAC,
      state: 'INCOMPLETE',
      confirmedMs: 0,
      probes: 0,
      timer: undefined,
      waiting: [{ packet, give, fail }],
    };
    this.#put(fresh);
    this.#probe(fresh);
  }

  /** An ARP message about somebody: what it says is noted for known entries, and for unknown ones when `create` is set. */
  learn(link: Link, address: Ip, mac: string, options: { readonly create: boolean; readonly isReply: boolean }): void {
    let entry = this.#entries.get(link)?.get(address);
    if (entry === undefined) {
      if (!options.create) return;
      entry = { address, link, mac, state: 'REACHABLE', confirmedMs: this.#clock.now(), probes: 0, timer: undefined, waiting: [] };
      this.#put(entry);
      return;
    }
    if (entry.state === 'PERMANENT') return;
    if (!options.isReply && entry.mac === mac && entry.state !== 'INCOMPLETE') return;
    entry.mac = mac;
    this.#confirm(entry);
  }

  /** Traffic came back from it (TCP made progress): it is alive. */
  confirm(link: Link, address: Ip): void {
    const entry = this.#entries.get(link)?.get(address);
    if (entry !== undefined && (entry.state === 'REACHABLE' || entry.state === 'DELAY')) this.#confirm(entry);
  }

  set(neighbour: Omit<Neighbour, 'device' | 'address'>, link: Link, address: Ip): void {
    this.delete(link, address);
    const state = neighbour.state === 'PERMANENT' ? 'PERMANENT' : 'REACHABLE';
    const confirmedMs = neighbour.state === 'STALE' ? this.#clock.now() - REACHABLE_MS - 1 : this.#clock.now();
    this.#put({ address, link, mac: neighbour.mac, state, confirmedMs, probes: 0, timer: undefined, waiting: [] });
    this.#changed();
  }

  /** Tells whether there was one. */
  delete(link: Link, address: Ip): boolean {
    const table = this.#entries.get(link);
    const entry = table?.get(address);
    if (entry === undefined) return false;
    entry.timer?.dispose();
    table!.delete(address);
    this.#changed();
    return true;
  }

  /** Forgets all of a link, as when it goes down. */
  flush(link: Link, options: { readonly keepPermanent?: boolean } = {}): void {
    for (const entry of [...(this.#entries.get(link)?.values() ?? [])]) {
      if (options.keepPermanent === true && entry.state === 'PERMANENT') continue;
      this.delete(link, entry.address);
    }
  }

  list(): readonly Neighbour[] {
    const out: Neighbour[] = [];
    for (const [link, table] of this.#entries) {
      for (const entry of table.values()) {
        const isOld = entry.state === 'REACHABLE' && this.#clock.now() - entry.confirmedMs > REACHABLE_MS;
        out.push({ address: formatIp(entry.address), mac: entry.mac, device: link.name, state: isOld ? 'STALE' : entry.state });
      }
    }
    return out;
  }

  dispose(): void {
    for (const table of this.#entries.values()) for (const entry of table.values()) entry.timer?.dispose();
    this.#entries.clear();
  }

  #put(entry: Entry): void {
    let table = this.#entries.get(entry.link);
    if (table === undefined) this.#entries.set(entry.link, (table = new Map()));
    table.set(entry.address, entry);
  }

  #confirm(entry: Entry): void {
    entry.timer?.dispose();
    entry.timer = undefined;
    entry.state = 'REACHABLE';
    entry.confirmedMs = this.#clock.now();
    entry.probes = 0;
    if (entry.waiting.length === 0) return;
    const waiting = entry.waiting;
    entry.waiting = [];
    for (const one of waiting) one.give(entry.mac);
  }

  /** A stale entry is in use: ask its owner at once (an answer costs no time here), and give it until the delay is over. */
  #delay(entry: Entry): void {
    entry.state = 'DELAY';
    entry.probes = 0;
    entry.timer = this.#clock.setTimer(DELAY_MS, () => this.#probe(entry));
    this.#ask(entry, entry.mac);
  }

  #probe(entry: Entry): void {
    if (entry.probes >= MAX_PROBES) {
      entry.state = 'FAILED';
      entry.mac = NO_MAC;
      entry.timer = undefined;
      const waiting = entry.waiting;
      entry.waiting = [];
      for (const one of waiting) one.fail(one.packet);
      return;
    }
    entry.probes++;
    entry.timer = this.#clock.setTimer(RETRANSMIT_MS, () => this.#probe(entry));
    this.#ask(entry, entry.state === 'DELAY' ? entry.mac : BROADCAST_MAC);
  }

  #ask(entry: Entry, destination: string): void {
    const { link } = entry;
    const payload: ArpMessage = arpMessage({
      operation: 'request',
      senderMac: link.mac,
      senderIp: this.#sourceFor(link, entry.address),
      targetMac: NO_MAC,
      targetIp: entry.address,
    });
    link.stack.exclusively(() => link.transmit({ source: link.mac, destination, payload, hops: 0 }));
  }
}
