// The contract of one network namespace: links, addresses, routes, netfilter, conntrack and sockets.
// Every packet takes one walk: conntrack, prerouting, routing, then input and a socket, or forward, postrouting and the
// next link. Nothing delivers past it.

import type { Clock } from '../sim/clock.ts';
import type { Disposable } from '../sim/disposable.ts';
import type { Rng } from '../sim/rng.ts';
import type { Connection, Listener } from '../sim/stream.ts';
import type { IpSets } from './netfilter/ip-sets.ts';

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
export type TableName = 'raw' | 'mangle' | 'nat' | 'filter';

export interface LinkView {
  readonly index: number;
  readonly name: string;
  readonly kind: 'loopback' | 'ethernet' | 'veth' | 'bridge' | 'ipip' | 'dummy';
  readonly mac: string;
  readonly mtu: number;
  readonly isUp: boolean;
  /** The cable is in and the other side is up. */
  readonly hasCarrier: boolean;
  readonly isProxyArp: boolean;
  /** Bridge it is a port of. */
  readonly master: string | undefined;
  /** Index and namespace of a veth's other end. */
  readonly peer: { readonly index: number; readonly namespace: string } | undefined;
  readonly statistics: {
    readonly rxBytes: number;
    readonly rxPackets: number;
    readonly txBytes: number;
    readonly txPackets: number;
    readonly rxDropped: number;
  };
}

export interface AddressView {
  readonly link: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly broadcast: string | undefined;
  readonly scope: 'global' | 'link' | 'host';
  readonly label: string;
  readonly isDynamic: boolean;
  /** No route to its subnet came with it. */
  readonly isNoPrefixRoute: boolean;
  /** End of a lease, in lab time; undefined: forever. */
  readonly validUntilMs: number | undefined;
}

export interface Route {
  /** `0.0.0.0/0` is the default route. */
  readonly destination: string;
  readonly type: 'unicast' | 'blackhole' | 'unreachable' | 'local' | 'broadcast';
  readonly via?: string;
  readonly device?: string;
  readonly source?: string;
  /** kernel, boot, static, dhcp, bird: who set it. */
  readonly protocol: string;
  readonly scope: 'global' | 'link' | 'host';
  readonly metric?: number;
  /** The gateway need not be on the link (`onlink`). */
  readonly onLink?: boolean;
}

export interface Neighbour {
  readonly address: string;
  readonly mac: string;
  readonly device: string;
  readonly state: 'PERMANENT' | 'REACHABLE' | 'STALE' | 'DELAY' | 'FAILED' | 'INCOMPLETE';
}

/** netfilter as iptables(8) 1.4.21 shows and sets it; text is the format of iptables-save. */
export interface Netfilter {
  /** Throws IptablesError with the tool's message. Without `noFlush` the tables named in the text are emptied first. */
  restore(text: string, options?: { readonly noFlush?: boolean; readonly counters?: boolean }): void;
  /** One table or all, in iptables-save's form. */
  save(table?: TableName, options?: { readonly counters?: boolean }): string;
  /** One change, given as iptables(8) takes it after `-t TABLE`: `['-A', 'INPUT', '-p', 'tcp', ...]`. Throws IptablesError. */
  execute(table: TableName, args: readonly string[]): void;
  /**
   * A whole command line of iptables(8) without the program's name (`-t` included); returns what it prints on stdout.
   * `nameOf` names addresses in listings, `lookup` resolves host names in rules.
   */
  command(
    table: TableName,
    args: readonly string[],
    names?: { nameOf?(address: string): string | undefined; lookup?(name: string): readonly string[] },
  ): string;
  /** Tables in use, the newest first. */
  tableNames(): readonly TableName[];
  hasChain(table: TableName, chain: string): boolean;
  readonly sets: IpSets;
  onChange(listener: () => void): Disposable;
}

/**
 * What iptables refuses. Status 1: printed as `iptables: MESSAGE`; 2: as `iptables v1.4.21: MESSAGE` and a line that points to
 * --help; 3: as 2 without that line. From `restore` the message is complete.
 */
export class IptablesError extends Error {
  override readonly name = 'IptablesError';
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

export type Hop =
  | {
      readonly step: 'hook';
      readonly namespace: string;
      readonly hook: Hook;
      readonly table: TableName;
      readonly chain: string;
      readonly rule: number;
      readonly verdict: string;
      readonly text: string;
    }
  | {
      readonly step: 'route';
      readonly namespace: string;
      readonly destination: string;
      readonly via: string | undefined;
      readonly device: string;
    }
  | { readonly step: 'link'; readonly namespace: string; readonly from: string; readonly to: string }
  | { readonly step: 'delivered'; readonly namespace: string; readonly socket: string }
  | { readonly step: 'dropped'; readonly namespace: string; readonly reason: string };

export interface SocketView {
  readonly protocol: 'tcp' | 'udp';
  readonly state:
    | 'LISTEN'
    | 'ESTAB'
    | 'SYN-SENT'
    | 'SYN-RECV'
    | 'FIN-WAIT-1'
    | 'FIN-WAIT-2'
    | 'TIME-WAIT'
    | 'CLOSE-WAIT'
    | 'CLOSING'
    | 'LAST-ACK'
    | 'UNCONN';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly pid: number | undefined;
  /** ss(8) Recv-Q and Send-Q; for listeners the waiting connections and the backlog. */
  readonly receiveQueueBytes: number;
  readonly sendQueueBytes: number;
}

export interface UdpSocket extends Disposable {
  readonly port: number;
  /** ENETUNREACH and the like throw (EPERM: a rule of OUTPUT dropped it). `from` chooses the source address. A refused datagram (ICMP port unreachable) rejects the next `receive` with ECONNREFUSED. */
  send(bytes: Uint8Array, to: { readonly address: string; readonly port: number }, from?: string): void;
  receive(
    signal?: AbortSignal,
  ): Promise<{ readonly bytes: Uint8Array; readonly from: { readonly address: string; readonly port: number }; readonly to: string }>;
}

export interface EchoReply {
  readonly kind: 'reply' | 'host-unreachable' | 'net-unreachable' | 'port-unreachable' | 'admin-prohibited' | 'ttl-exceeded';
  readonly from: string;
  readonly ttl: number;
  /** Time the packets spent on links, microseconds. */
  readonly roundTripUs: number;
}

export interface ConnectOptions {
  readonly address: string;
  readonly port: number;
  /** Owner, for ss(8) and the owner match. */
  readonly pid?: number;
  readonly sourceAddress?: string;
  readonly sourcePort?: number;
  /** uid of the owner, for the owner match. */
  readonly uid?: number;
  /** Probes an idle connection after this time; a peer that stays silent for nine more probes is gone (ETIMEDOUT). Left out: never. */
  readonly keepAliveMs?: number;
  readonly signal?: AbortSignal;
}

/** What a stack asks of its kernel. */
export interface NetHost {
  isModuleLoaded(name: string): boolean;
  /** request_module(): the first use of a netfilter table or of a match loads the module behind it. Unknown names are ignored. */
  requestModule(name: string): void;
  /** Undefined when the key does not exist (its module is not loaded). Values are cached until `onChange` fires. */
  sysctl(namespace: string, key: string): string | undefined;
  /** Fires after a module was loaded or unloaded and after a net.* key was set. */
  onChange(listener: (change: { readonly module?: string; readonly isLoaded?: boolean; readonly sysctl?: string }) => void): Disposable;
  /** A line for dmesg(1): the LOG target, a full conntrack table. */
  log(text: string): void;
}

/** One end of a cable: what an ethernet device is plugged into. */
export interface EthernetPort {
  transmit(frame: Frame): void;
  /** The device sets it; frames arrive here. */
  receive: ((frame: Frame) => void) | undefined;
  readonly hasCarrier: boolean;
  onCarrier(listener: () => void): Disposable;
}

/** An ethernet frame. Its payload is one of engine/net's own packets; only net looks inside. */
export interface Frame {
  readonly source: string;
  readonly destination: string;
  readonly payload: FramePayload;
  /** Bridges count, so that a loop of bridges ends. */
  readonly hops: number;
}
export interface FramePayload {
  readonly kind: 'ip' | 'arp';
  readonly sizeBytes: number;
}

export interface NetStackOptions {
  readonly namespace: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly host: NetHost;
}

/**
 * A stack as its kernel holds it. `createNetStack(options)` (net/stack.ts) makes one with a loopback link that is down;
 * bringing `lo` up gives it 127.0.0.1/8.
 */
export interface OwnedNetStack extends NetStack, Disposable {
  /** Plugs an ethernet device in. */
  attach(name: string, options: { readonly mac: string; readonly port: EthernetPort; readonly mtu?: number }): void;
  /** Links, addresses, routes, neighbours and netfilter as JSON; sockets and connection tracking are not kept. */
  save(): string;
  /**
   * Puts the saved state back. Ethernet devices must be attached before. A veth pair comes back when its second end is
   * restored: `peerStack` gives the stack of a namespace, or undefined while there is none yet.
   */
  restore(saved: string, peerStack: (namespace: string) => NetStack | undefined): void;
  /** Fires after anything that `save` would write has changed (counters aside). */
  onStateChange(listener: () => void): Disposable;
  /** Drops everything without sending a packet: power cut, namespace deleted. Veth peers vanish. */
  dispose(): void;
}

export interface NetStack {
  readonly namespace: string;

  links(): readonly LinkView[];
  /** EEXIST; a veth gets both ends at once, the peer in `peer.stack`. */
  addLink(spec: {
    readonly name: string;
    readonly kind: LinkView['kind'];
    readonly mac?: string;
    readonly mtu?: number;
    readonly peer?: { readonly name: string; readonly stack: NetStack; readonly mac?: string };
    readonly tunnel?: { readonly local: string | undefined; readonly remote: string | undefined };
  }): void;
  /** ENODEV. A veth takes its other end with it. */
  deleteLink(name: string): void;
  /** Routes through a link that goes down are gone, as in Linux. */
  setLink(
    name: string,
    change: {
      readonly isUp?: boolean;
      readonly mtu?: number;
      readonly master?: string | undefined;
      readonly name?: string;
      readonly mac?: string;
      readonly proxyArp?: boolean;
    },
  ): void;
  addresses(): readonly AddressView[];
  addAddress(
    link: string,
    address: string,
    options?: {
      readonly scope?: AddressView['scope'];
      readonly label?: string;
      readonly isDynamic?: boolean;
      readonly noPrefixRoute?: boolean;
      /** `ip addr add` without `brd` sets none. */
      readonly broadcast?: string;
      readonly validUntilMs?: number;
    },
  ): void;
  deleteAddress(link: string, address: string): void;
  routes(): readonly Route[];
  /** EEXIST, ENETUNREACH (the gateway is on no link), ENODEV. */
  addRoute(route: Route, options?: { readonly replace?: boolean }): void;
  /** ESRCH. */
  deleteRoute(route: Pick<Route, 'destination'> & Partial<Route>): void;
  /** The route a packet to `address` would take; ENETUNREACH, EHOSTUNREACH. */
  lookupRoute(address: string): Route & { readonly source: string };
  neighbours(): readonly Neighbour[];
  addNeighbour(neighbour: Neighbour): void;
  /** ENOENT. */
  deleteNeighbour(address: string, device: string): void;
  /** What a bridge has learned; ENODEV, EINVAL when it is none. */
  learnedMacs(bridge: string): readonly { readonly mac: string; readonly port: string; readonly ageMs: number }[];
  onChange(listener: () => void): Disposable;

  readonly netfilter: Netfilter;
  conntrack(): readonly string[];
  /** Forgets the flows whose line (as `conntrack` gives it) the function says yes to; returns how many. */
  deleteFlows(isDoomed: (line: string) => boolean): number;

  /** ECONNREFUSED, ECONNRESET, ETIMEDOUT (127 s of SYN retries), EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL. */
  connect(options: ConnectOptions): Promise<Connection>;
  /** `0.0.0.0` is every address. EADDRINUSE, EADDRNOTAVAIL, EACCES. */
  listen(options: {
    readonly address: string;
    readonly port: number;
    readonly pid?: number;
    readonly backlog?: number;
    readonly keepAliveMs?: number;
  }): Listener;
  udp(options: {
    readonly address?: string;
    readonly port?: number;
    readonly pid?: number;
    readonly uid?: number;
    /** SO_BINDTODEVICE; such a socket may send before the link has an address (DHCP). */
    readonly device?: string;
  }): UdpSocket;
  /** One echo request; resolves with undefined when nothing came back within `timeoutMs`. */
  ping(options: {
    readonly address: string;
    readonly ttl?: number;
    readonly sizeBytes?: number;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
    readonly source?: string;
    /** icmp_seq and id; they matter to conntrack and tcpdump. */
    readonly sequence?: number;
    readonly identifier?: number;
  }): Promise<EchoReply | undefined>;
  sockets(): readonly SocketView[];
  onHop(listener: (packetId: number, hop: Hop) => void): Disposable;
  /** Frames that cross a link (`any` for all), as tcpdump(8) prints them without the time. */
  onCapture(link: string, listener: (line: CapturedFrame) => void): Disposable;
}

export interface CapturedFrame {
  readonly link: string;
  readonly direction: 'in' | 'out';
  /** Everything after the time stamp: `IP 10.0.0.1.80 > 10.0.0.2.4000: Flags [S], ...`. */
  readonly text: string;
  readonly sizeBytes: number;
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'arp' | 'ipip';
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}
