// Models the addresses of links and what follows from them: the local table, broadcasts, connected routes, source addresses.

import { SysError } from '../sim/errno.ts';
import { ANY, formatIp, formatPrefix, isIn, isLoopback, maskOf, networkOf, parseIp, type Ip, type Prefix } from './address.ts';
import type { Link } from './link.ts';
import type { AddressView, NetStack } from './net-stack.ts';
import type { RouteTable } from './route-table.ts';

type AddOptions = NonNullable<Parameters<NetStack['addAddress']>[2]>;

interface Entry {
  readonly link: Link;
  readonly address: Ip;
  readonly length: number;
  readonly broadcast: Ip | undefined;
  readonly scope: AddressView['scope'];
  label: string;
  readonly isDynamic: boolean;
  readonly isNoPrefixRoute: boolean;
  readonly validUntilMs: number | undefined;
}

export class AddressTable {
  readonly #routes: RouteTable;
  readonly #entries: Entry[] = [];
  readonly #local = new Map<Ip, Entry>();

  constructor(routes: RouteTable) {
    this.#routes = routes;
  }

  list(): readonly AddressView[] {
    return this.#entries.map((entry) => ({
      link: entry.link.name,
      address: formatIp(entry.address),
      prefixLength: entry.length,
      broadcast: entry.broadcast === undefined ? undefined : formatIp(entry.broadcast),
      scope: entry.scope,
      label: entry.label,
      isDynamic: entry.isDynamic,
      isNoPrefixRoute: entry.isNoPrefixRoute,
      validUntilMs: entry.validUntilMs,
    }));
  }

  has(link: Link): boolean {
    return this.#entries.some((entry) => entry.link === link);
  }

  add(link: Link, prefix: Prefix, options: AddOptions): void {
    if (this.#entries.some((entry) => entry.link === link && entry.address === prefix.address && entry.length === prefix.length)) {
      throw new SysError('EEXIST', formatPrefix(prefix));
    }
    const entry: Entry = {
      link,
      address: prefix.address,
      length: prefix.length,
      broadcast: options.broadcast === undefined ? undefined : parseIp(options.broadcast),
      scope: options.scope ?? (isLoopback(prefix.address) ? 'host' : 'global'),
      label: options.label ?? link.name,
      isDynamic: options.isDynamic ?? false,
      isNoPrefixRoute: options.noPrefixRoute ?? false,
      validUntilMs: options.validUntilMs,
    };
    this.#entries.push(entry);
    this.#reindex();
    if (link.isUp) this.#connect(entry);
  }

  /** EADDRNOTAVAIL when there is none; without a length in the text any prefix of that address goes. */
  delete(link: Link, prefix: Prefix, hasLength: boolean): void {
    const at = this.#entries.findIndex(
      (entry) => entry.link === link && entry.address === prefix.address && (!hasLength || entry.length === prefix.length),
    );
    if (at < 0) throw new SysError('EADDRNOTAVAIL', formatPrefix(prefix));
    const [entry] = this.#entries.splice(at, 1);
    this.#reindex();
    this.#disconnect(entry!);
  }

  linkUp(link: Link): void {
    for (const entry of this.#entries) if (entry.link === link) this.#connect(entry);
  }

  /** Routes through a link that goes down are gone for good; its addresses stay. */
  linkDown(link: Link): void {
    this.#routes.prune((route) => route.link === link);
  }

  linkGone(link: Link): void {
    for (let at = this.#entries.length - 1; at >= 0; at--) if (this.#entries[at]!.link === link) this.#entries.splice(at, 1);
    this.#reindex();
    this.#routes.prune((route) => route.link === link);
  }

  renamed(link: Link, from: string): void {
    for (const entry of this.#entries) if (entry.link === link && entry.label === from) entry.label = link.name;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#reindex();
  }

  /** `address` itself when it is ours (127.0.0.0/8 included), to answer from. */
  local(address: Ip): Ip | undefined {
    if (this.#local.has(address)) return address;
    if (!isLoopback(address)) return undefined;
    return this.#entries.some((entry) => entry.scope === 'host' && entry.link.isUp && isIn(address, entry.address, entry.length))
      ? address
      : undefined;
  }

  isBroadcast(link: Link, address: Ip): boolean {
    for (const entry of this.#entries) {
      if (entry.link !== link || entry.length > 30) continue;
      if (address === (entry.address | ~maskOf(entry.length)) >>> 0 || address === networkOf(entry.address, entry.length)) return true;
    }
    return false;
  }

  sourceFor(link: Link, target: Ip): Ip {
    let first: Ip | undefined;
    for (const entry of this.#entries) {
      if (entry.link !== link || (entry.scope === 'host' && !isLoopback(target))) continue;
      if (isIn(target, entry.address, entry.length)) return entry.address;
      first ??= entry.address;
    }
    if (first !== undefined) return first;
    // A link without addresses borrows one, as inet_select_addr does.
    return this.#entries.find((entry) => entry.scope === 'global')?.address ?? ANY;
  }

  #connect(entry: Entry): void {
    if (entry.isNoPrefixRoute || entry.length === 32 || entry.scope === 'host') return;
    const network = networkOf(entry.address, entry.length);
    this.#routes.add(
      {
        network,
        length: entry.length,
        metric: 0,
        via: undefined,
        link: entry.link,
        source: entry.address,
        route: {
          destination: formatPrefix({ address: network, length: entry.length }),
          type: 'unicast',
          device: entry.link.name,
          source: formatIp(entry.address),
          protocol: 'kernel',
          scope: 'link',
        },
      },
      { replace: true },
    );
  }

  #disconnect(entry: Entry): void {
    // Routes that prefer the address as their source go with it.
    if (!this.#local.has(entry.address)) this.#routes.prune((route) => route.source === entry.address);
  }

  #reindex(): void {
    this.#local.clear();
    for (const entry of this.#entries) this.#local.set(entry.address, entry);
  }
}
