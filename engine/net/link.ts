// Models net_device: loopback, ethernet, veth, bridge, IP-in-IP tunnel and dummy links with their counters.

import type { Disposable } from '../sim/disposable.ts';
import type { Ip } from './address.ts';
import type { Bridge } from './bridge.ts';
import type { EthernetPort, Frame, LinkView } from './net-stack.ts';
import type { Stack } from './stack.ts';

export type LinkKind = LinkView['kind'];

export class Link {
  readonly index: number;
  name: string;
  readonly kind: LinkKind;
  mac: string;
  mtu: number;
  isUp = false;
  /** The bridge this link is a port of. */
  master: Link | undefined = undefined;
  /** Ports and forwarding table, when this link is a bridge. */
  bridge: Bridge | undefined = undefined;
  proxyArp = false;
  readonly stack: Stack;
  /** Other end of a veth pair. */
  peer: Link | undefined = undefined;
  /** What an ethernet device is plugged into. */
  port: EthernetPort | undefined = undefined;
  carrierListener: Disposable | undefined = undefined;
  tunnel: { readonly local: Ip | undefined; readonly remote: Ip | undefined } | undefined = undefined;
  rxBytes = 0;
  rxPackets = 0;
  txBytes = 0;
  txPackets = 0;
  rxDropped = 0;

  constructor(
    stack: Stack,
    options: { readonly index: number; readonly name: string; readonly kind: LinkKind; readonly mac: string; readonly mtu: number },
  ) {
    this.stack = stack;
    this.index = options.index;
    this.name = options.name;
    this.kind = options.kind;
    this.mac = options.mac;
    this.mtu = options.mtu;
  }

  get hasCarrier(): boolean {
    if (!this.isUp) return false;
    switch (this.kind) {
      case 'veth':
        return this.peer?.isUp === true;
      case 'ethernet':
        return this.port?.hasCarrier === true;
      case 'bridge':
        return this.bridge!.ports.some((port) => port.hasCarrier);
      default:
        return true;
    }
  }

  /** Whether neighbours are found by ARP: not on loopback, tunnels and dummies. */
  get usesArp(): boolean {
    return this.kind === 'ethernet' || this.kind === 'veth' || this.kind === 'bridge';
  }

  /** Puts a frame on the wire. A link that is down or has no carrier swallows it. */
  transmit(frame: Frame): void {
    if (!this.isUp) return;
    this.txPackets++;
    this.txBytes += frame.payload.sizeBytes + 14;
    this.stack.tap(this, frame, 'out');
    if (this.kind === 'veth') {
      const peer = this.peer;
      if (peer === undefined || !peer.isUp) return;
      if (this.stack.isTraced) this.#publish(frame, `${peer.stack.namespace}/${peer.name}`);
      peer.stack.receive(peer, frame);
    } else if (this.kind === 'ethernet') {
      if (this.stack.isTraced) this.#publish(frame, 'wire');
      this.port?.transmit(frame);
    } else if (this.kind === 'bridge') {
      this.bridge!.transmit(frame);
    }
  }

  #publish(frame: Frame, to: string): void {
    this.stack.hop(frame.payload, () => ({ step: 'link', namespace: this.stack.namespace, from: this.name, to }));
  }

  view(): LinkView {
    return {
      index: this.index,
      name: this.name,
      kind: this.kind,
      mac: this.mac,
      mtu: this.mtu,
      isUp: this.isUp,
      hasCarrier: this.hasCarrier,
      master: this.master?.name,
      peer: this.peer === undefined ? undefined : { index: this.peer.index, namespace: this.peer.stack.namespace },
      isProxyArp: this.proxyArp,
      statistics: {
        rxBytes: this.rxBytes,
        rxPackets: this.rxPackets,
        txBytes: this.txBytes,
        txPackets: this.txPackets,
        rxDropped: this.rxDropped,
      },
    };
  }
}
