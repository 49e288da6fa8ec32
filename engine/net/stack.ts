// Models one network namespace: its links, addresses, routes, neighbours, netfilter and sockets, put together.

import type { Clock } from '../sim/clock.ts';
import type { Disposable } from '../sim/disposable.ts';
import { SysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import { invariant } from '../sim/invariant.ts';
import type { Rng } from '../sim/rng.ts';
import type { Connection, Listener } from '../sim/stream.ts';
import { AddressTable } from './address-table.ts';
import { ANY, BROADCAST_MAC, formatIp, isLoopback, LIMITED_BROADCAST, parseIp, parsePrefix, type Ip } from './address.ts';
import { Bridge } from './bridge.ts';
import { describeFrame } from './capture.ts';
import { Conntrack, formatFlow } from './conntrack.ts';
import { IcmpLayer } from './icmp.ts';
import { IpLayer } from './ip.ts';
import { Link } from './link.ts';
import { NeighbourTable } from './neighbour.ts';
import { NetSettings } from './net-settings.ts';
import type {
  AddressView,
  CapturedFrame,
  ConnectOptions,
  EchoReply,
  EthernetPort,
  Frame,
  FramePayload,
  Hop,
  LinkView,
  Neighbour,
  NetStack,
  NetStackOptions,
  OwnedNetStack,
  Route,
  SocketView,
  UdpSocket,
} from './net-stack.ts';
import { NetfilterTables } from './netfilter/netfilter.ts';
import { arpMessage, Packet, type ArpMessage } from './packet.ts';
import { prefixOf, RouteTable, viewOf } from './route-table.ts';
import { restoreStack, saveStack } from './stack-state.ts';
import { TcpLayer } from './tcp.ts';
import { UdpLayer } from './udp.ts';

const NO_MAC = '00:00:00:00:00:00';
const LOOPBACK_MTU = 65_536;
const ETHERNET_MTU = 1_500;
const IPIP_MTU = 1_480;
const EPHEMERAL_FIRST = 32_768;
const EPHEMERAL_LAST = 60_999;

interface LinkSettings {
  readonly version: number;
  readonly name: string;
  readonly isForwarding: boolean;
  readonly isLocalnetRouted: boolean;
  readonly isReversePathChecked: boolean;
}

/** Makes a network namespace with a loopback link that is down. */
export function createNetStack(options: NetStackOptions): OwnedNetStack {
  return new Stack(options);
}

export class Stack implements OwnedNetStack {
  readonly namespace: string;
  readonly clock: Clock;
  readonly settings: NetSettings;
  readonly addressTable: AddressTable;
  readonly routeTable: RouteTable;
  readonly neighbourTable: NeighbourTable;
  readonly flows: Conntrack;
  readonly netfilter: NetfilterTables;
  readonly ip: IpLayer;
  readonly icmp: IcmpLayer;
  readonly tcp: TcpLayer;
  readonly udpLayer: UdpLayer;
  readonly loopback: Link;
  readonly rng: Rng;
  readonly #links = new Map<string, Link>();
  readonly #changed = new Emitter<void>();
  readonly #hops = new Emitter<{ readonly packetId: number; readonly hop: Hop }>();
  readonly #captures: { readonly link: string; readonly listener: (line: CapturedFrame) => void }[] = [];
  readonly #inbox: { readonly link: Link; readonly frame: Frame }[] = [];
  readonly #packetIdBase: number;
  readonly #linkSettings = new WeakMap<Link, LinkSettings>();
  #isBusy = false;
  #isDisposed = false;
  #isRestoring = false;
  #nextIndex = 2;
  #packetCount = 0;
  #ephemeral: number;

  constructor(options: NetStackOptions) {
    this.namespace = options.namespace;
    this.clock = options.clock;
    this.rng = options.rng;
    // Packet ids are unique in the lab: a stack's own random part, then a count.
    this.#packetIdBase = options.rng.int(0x100000) * 0x1_0000_0000;
    this.#ephemeral = options.rng.int(EPHEMERAL_LAST - EPHEMERAL_FIRST + 1);
    this.settings = new NetSettings(options.namespace, options.host);
    this.loopback = new Link(this, { index: 1, name: 'lo', kind: 'loopback', mac: NO_MAC, mtu: LOOPBACK_MTU });
    this.#links.set('lo', this.loopback);
    this.routeTable = new RouteTable();
    this.addressTable = new AddressTable(this.routeTable);
    this.flows = new Conntrack(options.clock, (key, otherwise) => this.settings.number(key, otherwise));
    this.neighbourTable = new NeighbourTable(
      options.clock,
      (link, target) => this.sourceFor(link, target),
      () => this.changed(),
    );
    this.netfilter = new NetfilterTables(this, options.host);
    this.ip = new IpLayer(this);
    this.icmp = new IcmpLayer(this, options.clock);
    this.tcp = new TcpLayer(this, options.clock);
    this.udpLayer = new UdpLayer(this);
    this.netfilter.onChange(() => this.changed());
  }

  // What happens to frames

  /** A frame arrives. While another one is on its walk it waits, so that packets take their turns instead of nesting. */
  receive(link: Link, frame: Frame): void {
    if (this.#isDisposed) return;
    this.#inbox.push({ link, frame });
    if (!this.#isBusy) this.exclusively(nothing);
  }

  /** Runs `work` and then everything that arrived meanwhile. */
  exclusively<T>(work: () => T): T {
    if (this.#isBusy) return work();
    this.#isBusy = true;
    try {
      const result = work();
      for (let at = 0; at < this.#inbox.length; at++) {
        const { link, frame } = this.#inbox[at]!;
        this.#take(link, frame);
        if (at > 1000) {
          this.#inbox.splice(0, at + 1);
          at = -1;
        }
      }
      this.#inbox.length = 0;
      this.tcp.settle();
      return result;
    } finally {
      this.#inbox.length = 0;
      this.#isBusy = false;
    }
  }

  /** What the link layer hands up: to ARP or to IP. */
  input(link: Link, frame: Frame, isPreroutingDone: boolean): void {
    const { payload } = frame;
    if (payload.kind === 'arp') {
      this.#receiveArp(link, payload as ArpMessage);
      return;
    }
    invariant(payload instanceof Packet, 'a frame carries a packet of ours');
    if (link.usesArp && frame.destination !== link.mac && frame.destination !== BROADCAST_MAC) return;
    if (!isPreroutingDone) payload.sourceMac = frame.source;
    this.ip.receive(payload, link, isPreroutingDone);
  }

  #take(link: Link, frame: Frame): void {
    if (!link.isUp) {
      link.rxDropped++;
      return;
    }
    link.rxPackets++;
    link.rxBytes += frame.payload.sizeBytes + (link === this.loopback ? 0 : 14);
    this.tap(link, frame, 'in');
    // Crossing a wire, or into another namespace, a packet loses what its last place noted about it.
    if (link !== this.loopback && frame.payload instanceof Packet) frame.payload.scrub();
    if (link.master !== undefined) {
      link.master.bridge!.receive(link, frame);
      return;
    }
    this.input(link, frame, false);
  }

  #receiveArp(link: Link, message: ArpMessage): void {
    if (!link.usesArp) return;
    const isForUs = this.localAddress(message.targetIp) !== undefined && !isLoopback(message.targetIp);
    this.neighbourTable.learn(link, message.senderIp, message.senderMac, {
      create: isForUs && message.operation === 'request' && message.senderIp !== ANY,
      isReply: message.operation === 'reply',
    });
    if (message.operation !== 'request') return;
    if (!isForUs && !this.#answersForOthers(link, message)) return;
    const payload = arpMessage({
      operation: 'reply',
      senderMac: link.mac,
      senderIp: message.targetIp,
      targetMac: message.senderMac,
      targetIp: message.senderIp,
    });
    link.transmit({ source: link.mac, destination: message.senderMac, payload, hops: 0 });
  }

  /** proxy_arp(7): for anything routed through another link. */
  #answersForOthers(link: Link, message: ArpMessage): boolean {
    if (!link.proxyArp && !this.settings.isOn(`net.ipv4.conf.${link.name}.proxy_arp`)) return false;
    if (!this.isForwarding(link)) return false;
    const route = this.routeTable.lookup(message.targetIp);
    return route?.link !== undefined && route.link !== link;
  }

  // What the layers ask

  routes(): readonly Route[] {
    return this.routeTable.list().map(viewOf);
  }

  conntrack(): readonly string[] {
    return this.flows.flows().map((flow) => formatFlow(flow, this.flows.secondsLeft(flow)));
  }

  deleteFlows(isDoomed: (line: string) => boolean): number {
    let count = 0;
    for (const flow of this.flows.flows()) {
      if (!isDoomed(formatFlow(flow, this.flows.secondsLeft(flow)))) continue;
      this.flows.delete(flow);
      count++;
    }
    return count;
  }

  /** The address to answer from when `address` is one of this machine's own; undefined when it is not. */
  localAddress(address: Ip): Ip | undefined {
    return this.addressTable.local(address);
  }

  isLocalDestination(address: Ip, link: Link): boolean {
    if (this.localAddress(address) !== undefined) return true;
    return address === LIMITED_BROADCAST || this.isBroadcastOf(link, address);
  }

  isBroadcastOf(link: Link, address: Ip): boolean {
    return this.addressTable.isBroadcast(link, address);
  }

  /** Source for packets that leave by `link` towards `target`: an address of the link, else any global one. */
  sourceFor(link: Link, target: Ip): Ip {
    return this.addressTable.sourceFor(link, target);
  }

  tunnelFor(local: Ip, remote: Ip): Link | undefined {
    for (const link of this.#links.values()) {
      if (link.kind !== 'ipip' || !link.isUp) continue;
      const { tunnel } = link;
      if (tunnel?.local !== undefined && tunnel.local !== local) continue;
      if (tunnel?.remote !== undefined && tunnel.remote !== remote) continue;
      return link;
    }
    return undefined;
  }

  /** ENODEV. */
  link(name: string): Link {
    const link = this.#links.get(name);
    if (link === undefined) throw new SysError('ENODEV', name);
    return link;
  }

  allLinks(): readonly Link[] {
    return [...this.#links.values()];
  }

  isForwarding(link: Link): boolean {
    return this.#settingsOf(link).isForwarding;
  }

  isLocalnetRouted(link: Link): boolean {
    return this.#settingsOf(link).isLocalnetRouted;
  }

  /** rp_filter: strict when the larger of `all` and the link's own is 1. */
  isReversePathChecked(link: Link): boolean {
    return this.#settingsOf(link).isReversePathChecked;
  }

  #settingsOf(link: Link): LinkSettings {
    const { settings } = this;
    const kept = this.#linkSettings.get(link);
    if (kept !== undefined && kept.version === settings.version && kept.name === link.name) return kept;
    const conf = `net.ipv4.conf.${link.name}`;
    const fresh: LinkSettings = {
      version: settings.version,
      name: link.name,
      isForwarding: settings.isOn('net.ipv4.ip_forward') || settings.isOn(`${conf}.forwarding`),
      isLocalnetRouted: settings.isOn('net.ipv4.conf.all.route_localnet') || settings.isOn(`${conf}.route_localnet`),
      isReversePathChecked: Math.max(settings.number('net.ipv4.conf.all.rp_filter', 0), settings.number(`${conf}.rp_filter`, 0)) === 1,
    };
    this.#linkSettings.set(link, fresh);
    return fresh;
  }

  isEchoIgnored(): boolean {
    return this.settings.isOn('net.ipv4.icmp_echo_ignore_all');
  }

  isBridgeFiltered(): boolean {
    return this.settings.hasModule('br_netfilter') && this.settings.isOn('net.bridge.bridge-nf-call-iptables');
  }

  confirmNeighbour(remote: Ip): void {
    const entry = this.routeTable.lookup(remote);
    if (entry?.link !== undefined) this.neighbourTable.confirm(entry.link, entry.via ?? remote);
  }

  nextPacketId(): number {
    return this.#packetIdBase + ++this.#packetCount;
  }

  initialSequence(): number {
    return 1 + this.rng.int(0x7fffffff);
  }

  /** Round-trip times wander a little. */
  jitter(): number {
    return 0.8 + this.rng.float() * 0.5;
  }

  ephemeralPort(isFree: (port: number) => boolean): number {
    const range = (this.settings.text('net.ipv4.ip_local_port_range') ?? '').trim().split(/\s+/).map(Number);
    const first = range.length === 2 && range[0]! > 0 ? range[0]! : EPHEMERAL_FIRST;
    const last = range.length === 2 && range[1]! >= first ? range[1]! : EPHEMERAL_LAST;
    const count = last - first + 1;
    for (let tried = 0; tried < count; tried++) {
      this.#ephemeral = (this.#ephemeral + 1) % count;
      const port = first + this.#ephemeral;
      if (isFree(port)) return port;
    }
    throw new SysError('EADDRNOTAVAIL');
  }

  /** Publishes a hop; costs nothing while nobody listens. */
  hop(payload: FramePayload, hop: () => Hop): void {
    if (this.#hops.listenerCount > 0 && payload instanceof Packet) this.#hops.emit({ packetId: payload.id, hop: hop() });
  }

  /** A packet is on its walk, and what arrives meanwhile waits. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  get isTraced(): boolean {
    return this.#hops.listenerCount > 0;
  }

  delivered(packet: Packet, socket: string): void {
    if (this.isTraced) this.hop(packet, () => ({ step: 'delivered', namespace: this.namespace, socket }));
  }

  dropped(packet: Packet, reason: string): void {
    this.hop(packet, () => ({ step: 'dropped', namespace: this.namespace, reason }));
  }

  tap(link: Link, frame: Frame, direction: 'in' | 'out'): void {
    if (this.#captures.length === 0) return;
    for (const capture of [...this.#captures]) {
      if (capture.link === link.name || capture.link === 'any') capture.listener(describeFrame(link.name, frame, direction));
    }
  }

  // NetStack: links

  links(): readonly LinkView[] {
    return [...this.#links.values()].sort((a, b) => a.index - b.index).map((link) => link.view());
  }

  attach(name: string, options: { readonly mac: string; readonly port: EthernetPort; readonly mtu?: number }): void {
    const link = this.createLink({ name, kind: 'ethernet', mac: options.mac, mtu: options.mtu ?? ETHERNET_MTU });
    link.port = options.port;
    options.port.receive = (frame) => this.receive(link, frame);
    link.carrierListener = options.port.onCarrier(() => this.linkChanged());
    this.changed();
  }

  addLink(spec: Parameters<NetStack['addLink']>[0]): void {
    if (this.#links.has(spec.name)) throw new SysError('EEXIST', spec.name);
    const peerStack = spec.peer?.stack;
    invariant(peerStack === undefined || peerStack instanceof Stack, 'a veth peer lives in one of our stacks');
    if (spec.kind === 'veth' && (spec.peer === undefined || peerStack === undefined)) throw new SysError('EINVAL', spec.name);
    if (spec.peer !== undefined && peerStack!.#links.has(spec.peer.name)) throw new SysError('EEXIST', spec.peer.name);
    if (spec.kind === 'loopback') throw new SysError('EOPNOTSUPP', spec.name);
    const defaultMtu = spec.kind === 'ipip' ? IPIP_MTU : ETHERNET_MTU;
    const link = this.createLink({
      name: spec.name,
      kind: spec.kind,
      mac: spec.kind === 'ipip' ? NO_MAC : (spec.mac ?? this.#randomMac()),
      mtu: spec.mtu ?? defaultMtu,
    });
    if (spec.kind === 'ipip') {
      const address = (text: string | undefined): Ip | undefined => (text === undefined ? undefined : parseIp(text));
      link.tunnel = { local: address(spec.tunnel?.local), remote: address(spec.tunnel?.remote) };
    }
    if (spec.peer !== undefined && peerStack !== undefined) {
      const other = peerStack.createLink({
        name: spec.peer.name,
        kind: 'veth',
        mac: spec.peer.mac ?? this.#randomMac(),
        mtu: spec.mtu ?? defaultMtu,
      });
      link.peer = other;
      other.peer = link;
      peerStack.changed();
    }
    this.changed();
  }

  /** Makes a link without telling anybody; `index` only when a saved one comes back. */
  createLink(spec: {
    readonly name: string;
    readonly kind: LinkView['kind'];
    readonly mac: string;
    readonly mtu: number;
    readonly index?: number;
  }): Link {
    const index = spec.index ?? this.#nextIndex;
    this.#nextIndex = Math.max(this.#nextIndex, index) + (index >= this.#nextIndex ? 1 : 0);
    const link = new Link(this, { ...spec, index });
    if (spec.kind === 'bridge') link.bridge = new Bridge(link, this.clock);
    this.#links.set(spec.name, link);
    return link;
  }

  deleteLink(name: string): void {
    const link = this.link(name);
    if (link.kind === 'loopback' || link.kind === 'ethernet') throw new SysError('EOPNOTSUPP', name);
    const { peer } = link;
    this.#dropLink(link);
    if (peer !== undefined) {
      peer.peer = undefined;
      peer.stack.#dropLink(peer);
      peer.stack.changed();
    }
    this.changed();
  }

  setLink(name: string, change: Parameters<NetStack['setLink']>[1]): void {
    const link = this.link(name);
    if (change.name !== undefined && change.name !== name) {
      if (this.#links.has(change.name)) throw new SysError('EEXIST', change.name);
      if (link.isUp) throw new SysError('EBUSY', name);
      this.#links.delete(name);
      link.name = change.name;
      this.#links.set(change.name, link);
      this.addressTable.renamed(link, name);
    }
    if (change.mtu !== undefined) {
      if (change.mtu < 68 || change.mtu > 65_536) throw new SysError('EINVAL', name);
      link.mtu = change.mtu;
    }
    if (change.mac !== undefined) link.mac = change.mac.toLowerCase();
    if (change.proxyArp !== undefined) link.proxyArp = change.proxyArp;
    if ('master' in change) this.#setMaster(link, change.master);
    if (change.isUp !== undefined && change.isUp !== link.isUp) this.#setUp(link, change.isUp);
    this.linkChanged();
  }

  // NetStack: addresses, routes, neighbours

  addresses(): readonly AddressView[] {
    return this.addressTable.list();
  }

  addAddress(linkName: string, address: string, options: Parameters<NetStack['addAddress']>[2] = {}): void {
    const link = this.link(linkName);
    const prefix = parsePrefix(address);
    if (prefix === undefined) throw new SysError('EINVAL', address);
    this.addressTable.add(link, prefix, options);
    this.changed();
  }

  deleteAddress(linkName: string, address: string): void {
    const link = this.link(linkName);
    const prefix = parsePrefix(address);
    if (prefix === undefined) throw new SysError('EINVAL', address);
    this.addressTable.delete(link, prefix, address.includes('/'));
    this.changed();
  }

  addRoute(route: Route, options: { readonly replace?: boolean } = {}): void {
    const prefix = prefixOf(route.destination);
    const via = route.via === undefined ? undefined : parseIp(route.via);
    if (route.via !== undefined && via === undefined) throw new SysError('EINVAL', route.via);
    const source = route.source === undefined ? undefined : parseIp(route.source);
    if (source !== undefined && this.localAddress(source) === undefined && !this.#isRestoring) throw new SysError('EINVAL', route.source);
    let link = route.device === undefined ? undefined : this.link(route.device);
    const isUnicast = route.type === 'unicast' || route.type === 'local' || route.type === 'broadcast';
    if (isUnicast && !this.#isRestoring) {
      if (link !== undefined && !link.isUp) throw new SysError('ENETDOWN', route.device);
      if (via !== undefined && route.onLink !== true) {
        const towards = this.routeTable.lookup(via);
        if (towards?.link === undefined || towards.via !== undefined || (link !== undefined && towards.link !== link))
          throw new SysError('ENETUNREACH', route.via);
        link ??= towards.link;
      }
      if (link === undefined) throw new SysError('ENODEV', route.destination);
    }
    this.routeTable.add(
      { network: prefix.address, length: prefix.length, metric: route.metric ?? 0, via, link: isUnicast ? link : undefined, source, route },
      { replace: options.replace === true },
    );
    this.changed();
  }

  deleteRoute(route: Pick<Route, 'destination'> & Partial<Route>): void {
    this.routeTable.delete(route);
    this.changed();
  }

  lookupRoute(address: string): Route & { readonly source: string } {
    const target = parseIp(address);
    if (target === undefined) throw new SysError('EINVAL', address);
    const found = this.ip.route(target);
    if ('errno' in found) throw new SysError(found.errno, address);
    if (found.isLocal) {
      return { destination: address, type: 'local', device: 'lo', source: formatIp(found.source), protocol: 'kernel', scope: 'host' };
    }
    return { ...viewOf(this.routeTable.lookup(target)!), source: formatIp(found.source) };
  }

  neighbours(): readonly Neighbour[] {
    return this.neighbourTable.list();
  }

  addNeighbour(neighbour: Neighbour): void {
    const address = parseIp(neighbour.address);
    if (address === undefined) throw new SysError('EINVAL', neighbour.address);
    this.neighbourTable.set(neighbour, this.link(neighbour.device), address);
  }

  deleteNeighbour(address: string, device: string): void {
    const ip = parseIp(address);
    if (ip === undefined || !this.neighbourTable.delete(this.link(device), ip)) throw new SysError('ENOENT', address);
  }

  learnedMacs(bridge: string): ReturnType<NetStack['learnedMacs']> {
    const link = this.link(bridge);
    if (link.bridge === undefined) throw new SysError('EINVAL', bridge);
    return link.bridge.learned();
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.on(listener);
  }

  onStateChange(listener: () => void): Disposable {
    return this.#changed.on(listener);
  }

  // NetStack: sockets

  connect(options: ConnectOptions): Promise<Connection> {
    return this.tcp.connect(options);
  }

  listen(options: Parameters<NetStack['listen']>[0]): Listener {
    return this.tcp.listen(options);
  }

  udp(options: Parameters<NetStack['udp']>[0]): UdpSocket {
    return this.udpLayer.open(options);
  }

  ping(options: Parameters<NetStack['ping']>[0]): Promise<EchoReply | undefined> {
    return this.icmp.ping(options);
  }

  sockets(): readonly SocketView[] {
    const udp = this.udpLayer.list().map((socket): SocketView => ({
      protocol: 'udp',
      state: 'UNCONN',
      localAddress: formatIp(socket.address),
      localPort: socket.port,
      remoteAddress: '0.0.0.0',
      remotePort: 0,
      pid: socket.pid,
      receiveQueueBytes: 0,
      sendQueueBytes: 0,
    }));
    return [...udp, ...this.tcp.views()];
  }

  onHop(listener: (packetId: number, hop: Hop) => void): Disposable {
    return this.#hops.on(({ packetId, hop }) => listener(packetId, hop));
  }

  onCapture(link: string, listener: (line: CapturedFrame) => void): Disposable {
    const capture = { link, listener };
    this.#captures.push(capture);
    return {
      dispose: () => {
        const at = this.#captures.indexOf(capture);
        if (at >= 0) this.#captures.splice(at, 1);
      },
    };
  }

  // Life

  save(): string {
    return saveStack(this);
  }

  restore(saved: string, peerStack: (namespace: string) => NetStack | undefined): void {
    this.#isRestoring = true;
    try {
      restoreStack(this, saved, peerStack);
    } finally {
      this.#isRestoring = false;
    }
    this.linkChanged();
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.tcp.dispose();
    this.udpLayer.dispose();
    this.icmp.dispose();
    this.neighbourTable.dispose();
    for (const link of this.#links.values()) {
      link.carrierListener?.dispose();
      if (link.port !== undefined) link.port.receive = undefined;
      const { peer } = link;
      if (peer === undefined || peer.stack === this) continue;
      peer.peer = undefined;
      peer.stack.#dropLink(peer);
      peer.stack.changed();
    }
    this.netfilter.dispose();
    this.settings.dispose();
  }

  changed(): void {
    if (!this.#isRestoring && !this.#isDisposed) this.#changed.emit();
  }

  /** A carrier came or went, or a link changed: cached routes may be wrong. */
  linkChanged(): void {
    this.routeTable.forget();
    this.changed();
  }

  #setUp(link: Link, isUp: boolean): void {
    link.isUp = isUp;
    if (isUp) {
      if (link === this.loopback && !this.addressTable.has(link))
        this.addressTable.add(link, { address: parseIp('127.0.0.1')!, length: 8 }, { scope: 'host' });
      this.addressTable.linkUp(link);
    } else {
      this.addressTable.linkDown(link);
      this.neighbourTable.flush(link);
    }
    // The other end of a veth pair gained or lost its carrier.
    link.peer?.stack.linkChanged();
  }

  #setMaster(link: Link, name: string | undefined): void {
    const master = name === undefined ? undefined : this.link(name);
    if (master !== undefined && master.bridge === undefined) throw new SysError('EINVAL', name);
    if (master !== undefined && link.master === master) return;
    link.master?.bridge!.remove(link);
    link.master = master;
    master?.bridge!.add(link);
  }

  #dropLink(link: Link): void {
    link.isUp = false;
    link.master?.bridge!.remove(link);
    for (const port of [...(link.bridge?.ports ?? [])]) port.master = undefined;
    this.addressTable.linkGone(link);
    this.neighbourTable.flush(link);
    this.#links.delete(link.name);
    this.routeTable.forget();
  }

  #randomMac(): string {
    const bytes = this.rng.bytes(6);
    // Locally administered, unicast.
    bytes[0] = (bytes[0]! & 0xfe) | 0x02;
    return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
  }
}

function nothing(): void {
  // The walk is what its caller is after.
}
