// Models the IPv4 layer: what happens to a packet between a link and a socket. One walk: prerouting, routing, then input,
// or forward and postrouting; local traffic starts at output. netfilter and conntrack hang on the same five hooks as in Linux.

import type { Errno } from '../sim/errno.ts';
import { ANY, formatIp, isLoopback, isMulticast, LIMITED_BROADCAST, type Ip } from './address.ts';
import { ICMP, ICMP_ECHO_REQUEST, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE, IPIP, Packet, RST, TCP, UDP } from './packet.ts';
import type { Link } from './link.ts';
import type { Hook } from './net-stack.ts';
import type { RouteEntry } from './route-table.ts';
import type { Stack } from './stack.ts';

export const UNREACHABLE_NET = 0;
export const UNREACHABLE_HOST = 1;
export const UNREACHABLE_PROTOCOL = 2;
export const UNREACHABLE_PORT = 3;
export const FRAGMENTATION_NEEDED = 4;
export const ADMIN_PROHIBITED = 13;

/** Outcome of a local send: `EPERM` when a rule of OUTPUT dropped it. */
export type SendResult = 'sent' | Errno;

export interface OutRoute {
  readonly link: Link;
  readonly nextHop: Ip;
  readonly source: Ip;
  readonly isLocal: boolean;
}

/** A route to nowhere and how to say so. */
export interface NoRoute {
  readonly errno: Errno;
  readonly icmpCode: number | undefined;
}

export class IpLayer {
  readonly #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** A packet that a link has taken off the wire. */
  receive(packet: Packet, link: Link, isPreroutingDone: boolean): void {
    const stack = this.#stack;
    if (packet.protocol === UDP && stack.udpLayer.receiveRaw(packet, link)) return;
    if (!isPreroutingDone && !this.#hook('prerouting', packet, link, undefined)) return;
    if (this.#isMartian(packet, link)) {
      stack.dropped(packet, 'martian source');
      return;
    }
    if (stack.isLocalDestination(packet.destination, link)) {
      this.#deliver(packet, link);
      return;
    }
    this.#forward(packet, link);
  }

  /** Sends a packet of this machine's own. `source` 0 is filled in from the route. */
  send(packet: Packet, options: { readonly link?: Link } = {}): SendResult {
    const stack = this.#stack;
    return stack.isBusy ? this.#send(packet, options.link) : stack.exclusively(() => this.#send(packet, options.link));
  }

  #send(packet: Packet, bound: Link | undefined): SendResult {
    const stack = this.#stack;
    let route = bound === undefined ? this.route(packet.destination) : this.#routeOn(bound, packet.destination);
    if ('errno' in route) return route.errno;
    if (packet.source === ANY && packet.destination !== LIMITED_BROADCAST) packet.source = route.source;
    if (bound !== undefined) {
      // DHCP clients and servers speak to the link itself (packet sockets), past routes and rules.
      this.#transmit(packet, route, undefined);
      return 'sent';
    }
    const { source, destination, mark } = packet;
    if (!this.#hook('output', packet, undefined, route.link)) return 'EPERM';
    if (packet.destination !== destination || packet.mark !== mark || packet.source !== source) {
      route = this.route(packet.destination);
      if ('errno' in route) {
        stack.dropped(packet, 'no route after NAT');
        return route.errno;
      }
    }
    return this.#output(packet, route, undefined) ? 'sent' : 'EPERM';
  }

  /** Where a packet to `destination` goes. */
  route(destination: Ip): OutRoute | NoRoute {
    const stack = this.#stack;
    const local = stack.localAddress(destination);
    if (local !== undefined) return { link: stack.loopback, nextHop: destination, source: local, isLocal: true };
    const entry = stack.routeTable.lookup(destination);
    return entry === undefined ? { errno: 'ENETUNREACH', icmpCode: UNREACHABLE_NET } : this.#through(entry, destination);
  }

  #through(entry: RouteEntry, destination: Ip): OutRoute | NoRoute {
    if (entry.link === undefined) {
      // ip-route(8): blackhole discards silently (EINVAL for local senders), unreachable answers.
      return entry.route.type === 'blackhole'
        ? { errno: 'EINVAL', icmpCode: undefined }
        : { errno: 'EHOSTUNREACH', icmpCode: UNREACHABLE_HOST };
    }
    const nextHop = entry.via ?? destination;
    return { link: entry.link, nextHop, source: entry.source ?? this.#stack.sourceFor(entry.link, nextHop), isLocal: false };
  }

  #routeOn(link: Link, destination: Ip): OutRoute {
    return { link, nextHop: destination, source: this.#stack.sourceFor(link, destination), isLocal: false };
  }

  #deliver(packet: Packet, link: Link): void {
    const stack = this.#stack;
    if (!this.#hook('input', packet, link, undefined)) return;
    if (!this.#confirm(packet)) {
      stack.dropped(packet, 'conntrack clash');
      return;
    }
    switch (packet.protocol) {
      case TCP:
        stack.tcp.receive(packet);
        return;
      case UDP:
        stack.udpLayer.receive(packet, link);
        return;
      case ICMP:
        stack.icmp.receive(packet, link);
        return;
      case IPIP: {
        const tunnel = stack.tunnelFor(packet.destination, packet.source);
        if (tunnel !== undefined && packet.inner !== undefined) {
          const inner = packet.inner;
          inner.scrub();
          tunnel.rxPackets++;
          tunnel.rxBytes += inner.sizeBytes;
          stack.tap(tunnel, { source: tunnel.mac, destination: tunnel.mac, payload: inner, hops: 0 }, 'in');
          stack.hop(packet, () => ({ step: 'link', namespace: stack.namespace, from: link.name, to: tunnel.name }));
          this.receive(inner, tunnel, false);
          return;
        }
      }
    }
    this.sendError(packet, ICMP_UNREACHABLE, UNREACHABLE_PROTOCOL, link);
  }

  #forward(packet: Packet, link: Link): void {
    const stack = this.#stack;
    // With forwarding off Linux counts the packet as an address error and says nothing.
    if (!stack.isForwarding(link)) {
      stack.dropped(packet, 'forwarding is off');
      return;
    }
    if (packet.destination === LIMITED_BROADCAST || isMulticast(packet.destination)) return;
    const entry = stack.routeTable.lookup(packet.destination);
    const route: OutRoute | NoRoute =
      entry === undefined ? { errno: 'ENETUNREACH', icmpCode: UNREACHABLE_NET } : this.#through(entry, packet.destination);
    if ('errno' in route) {
      stack.dropped(packet, entry === undefined ? 'no route' : `${entry.route.type} route`);
      if (route.icmpCode !== undefined) this.sendError(packet, ICMP_UNREACHABLE, route.icmpCode, link);
      return;
    }
    if (packet.ttl <= 1) {
      stack.dropped(packet, 'TTL exceeded');
      this.sendError(packet, ICMP_TIME_EXCEEDED, 0, link);
      return;
    }
    // Large TCP packets stand for trains of segments (GSO), which the link would cut up itself.
    if (packet.protocol !== TCP && packet.sizeBytes > route.link.mtu && packet.dontFragment) {
      stack.dropped(packet, 'fragmentation needed');
      this.sendError(packet, ICMP_UNREACHABLE, FRAGMENTATION_NEEDED, link, route.link.mtu);
      return;
    }
    packet.ttl--;
    if (!this.#hook('forward', packet, link, route.link)) return;
    this.#output(packet, route, link);
  }

  /** Postrouting and the link. */
  #output(packet: Packet, route: OutRoute, inLink: Link | undefined): boolean {
    const stack = this.#stack;
    if (stack.isTraced) this.#publishRoute(packet, route);
    if (!this.#hook('postrouting', packet, undefined, route.link)) return false;
    if (!this.#confirm(packet)) {
      stack.dropped(packet, 'conntrack clash');
      return false;
    }
    this.#transmit(packet, route, inLink);
    return true;
  }

  #publishRoute(packet: Packet, route: OutRoute): void {
    const { namespace } = this.#stack;
    this.#stack.hop(packet, () => ({
      step: 'route',
      namespace,
      destination: formatIp(packet.destination),
      via: route.nextHop === packet.destination ? undefined : formatIp(route.nextHop),
      device: route.link.name,
    }));
  }

  #transmit(packet: Packet, route: OutRoute, inLink: Link | undefined): void {
    const stack = this.#stack;
    const { link } = route;
    if (link.kind === 'loopback') {
      if (!link.isUp) return;
      link.txPackets++;
      link.txBytes += packet.sizeBytes;
      const frame = { source: link.mac, destination: link.mac, payload: packet, hops: 0 };
      stack.tap(link, frame, 'out');
      stack.receive(link, frame);
      return;
    }
    if (link.kind === 'ipip') {
      this.#encapsulate(packet, route, inLink);
      return;
    }
    if (link.kind === 'dummy') {
      link.txPackets++;
      link.txBytes += packet.sizeBytes + 14;
      return;
    }
    if (packet.destination === LIMITED_BROADCAST || stack.isBroadcastOf(link, packet.destination)) {
      packet.flow = undefined;
      link.transmit({ source: link.mac, destination: 'ff:ff:ff:ff:ff:ff', payload: packet, hops: 0 });
      return;
    }
    const known = stack.neighbourTable.known(link, route.nextHop);
    if (known !== undefined && stack.isBusy) link.transmit({ source: link.mac, destination: known, payload: packet, hops: 0 });
    else this.#transmitWhenResolved(packet, route, inLink);
  }

  #transmitWhenResolved(packet: Packet, route: OutRoute, inLink: Link | undefined): void {
    const stack = this.#stack;
    const { link } = route;
    stack.neighbourTable.resolve(
      link,
      route.nextHop,
      packet,
      (mac) => stack.exclusively(() => link.transmit({ source: link.mac, destination: mac, payload: packet, hops: 0 })),
      (lost) => {
        stack.dropped(lost, 'no answer to ARP');
        this.sendError(lost, ICMP_UNREACHABLE, UNREACHABLE_HOST, inLink ?? stack.loopback);
      },
    );
  }

  #encapsulate(packet: Packet, route: OutRoute, inLink: Link | undefined): void {
    const stack = this.#stack;
    const { link } = route;
    if (!link.isUp) return;
    if (packet.protocol !== TCP && packet.sizeBytes > link.mtu && packet.dontFragment) {
      this.sendError(packet, ICMP_UNREACHABLE, FRAGMENTATION_NEEDED, inLink ?? stack.loopback, link.mtu);
      return;
    }
    link.txPackets++;
    link.txBytes += packet.sizeBytes;
    stack.tap(link, { source: link.mac, destination: link.mac, payload: packet, hops: 0 }, 'out');
    const remote = link.tunnel?.remote ?? route.nextHop;
    const outer = new Packet(packet.id, IPIP);
    outer.inner = packet;
    outer.source = link.tunnel?.local ?? ANY;
    outer.destination = remote;
    outer.mark = packet.mark;
    packet.flow = undefined;
    packet.isReply = false;
    const result = this.#send(outer, undefined);
    if (result !== 'sent' && result !== 'EPERM') this.sendError(packet, ICMP_UNREACHABLE, UNREACHABLE_HOST, inLink ?? stack.loopback);
  }

  /** ICMP about a packet, to its sender. Never about errors, broadcasts, or resets. */
  sendError(about: Packet, type: number, code: number, inLink: Link, mtu = 0): void {
    const stack = this.#stack;
    if (about.isIcmpError || isMulticast(about.destination) || about.destination === LIMITED_BROADCAST || about.source === ANY) return;
    if (about.protocol === TCP && about.flags & RST && type === ICMP_UNREACHABLE && code === UNREACHABLE_PORT) return;
    const error = new Packet(about.id, ICMP);
    error.icmpType = type;
    error.icmpCode = code;
    error.icmpMtu = mtu;
    error.inner = quote(about);
    error.destination = about.source;
    error.tos = 0xc0;
    // The error of a local destination comes from that address, else from the interface the packet came by.
    error.source =
      stack.localAddress(about.destination) !== undefined
        ? about.destination
        : inLink === stack.loopback
          ? ANY
          : stack.sourceFor(inLink, about.source);
    if (about.flow !== undefined) {
      error.flow = about.flow;
      error.isReply = !about.isReply;
      error.isRelated = true;
    }
    this.send(error);
  }

  /** nf_bridge's prerouting for a bridged packet; false: it is gone. */
  bridgePrerouting(packet: Packet, bridge: Link): boolean {
    return this.#hook('prerouting', packet, bridge, undefined);
  }

  /** nf_bridge's forward and postrouting. */
  bridgeForward(packet: Packet, bridge: Link): boolean {
    if (!this.#hook('forward', packet, bridge, bridge)) return false;
    if (!this.#hook('postrouting', packet, undefined, bridge)) return false;
    return this.#confirm(packet);
  }

  /** A flow's first packet puts it into the table; an error about a packet that was dropped does not. */
  #confirm(packet: Packet): boolean {
    const { flow } = packet;
    return flow === undefined || flow.isConfirmed || packet.isReply || packet.isRelated || this.#stack.flows.confirm(flow);
  }

  #hook(hook: Hook, packet: Packet, inLink: Link | undefined, outLink: Link | undefined): boolean {
    return this.#stack.netfilter.run(hook, packet, inLink, outLink);
  }

  #isMartian(packet: Packet, link: Link): boolean {
    const stack = this.#stack;
    if (link === stack.loopback) return false;
    if (isLoopback(packet.source) || packet.source === LIMITED_BROADCAST || isMulticast(packet.source)) return true;
    if (isLoopback(packet.destination) && !stack.isLocalnetRouted(link)) return true;
    if (packet.source === ANY) return false;
    // A packet that claims to come from ourselves never arrives by a link.
    if (stack.localAddress(packet.source) !== undefined) return true;
    if (!stack.isReversePathChecked(link)) return false;
    const back = stack.routeTable.lookup(packet.source);
    return back === undefined || back.link !== link;
  }
}

function quote(packet: Packet): Packet {
  const quoted = packet.copy();
  quoted.payload = quoted.payload.subarray(0, 0);
  quoted.inner = undefined;
  quoted.scrub();
  return quoted;
}

/** Whether this is somebody's echo request. */
export function isEchoRequest(packet: Packet): boolean {
  return packet.protocol === ICMP && packet.icmpType === ICMP_ECHO_REQUEST;
}
