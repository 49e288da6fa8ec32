// Models the main routing table: longest prefix first, then the smallest metric, with a cache of answers.
// Not modelled: policy routing (the three default rules alone), multipath.

import { formatIp, formatPrefix, isIn, parseIp, parsePrefix, type Ip } from './address.ts';
import { SysError } from '../sim/errno.ts';
import type { Link } from './link.ts';
import type { Route } from './net-stack.ts';

export interface RouteEntry {
  readonly network: Ip;
  readonly length: number;
  readonly metric: number;
  readonly via: Ip | undefined;
  readonly link: Link | undefined;
  readonly source: Ip | undefined;
  readonly route: Route;
}

export class RouteTable {
  #entries: RouteEntry[] = [];
  readonly #cache = new Map<Ip, RouteEntry | undefined>();

  /** In the order `ip route` shows: by prefix, the default route first. */
  list(): readonly RouteEntry[] {
    return [...this.#entries].sort(
      (a, b) => (a.length === 0 ? -1 : a.network) - (b.length === 0 ? -1 : b.network) || b.length - a.length || a.metric - b.metric,
    );
  }

  lookup(address: Ip): RouteEntry | undefined {
    if (this.#cache.has(address)) return this.#cache.get(address);
    const found = this.#entries.find((entry) => isUsable(entry) && isIn(address, entry.network, entry.length));
    if (this.#cache.size > 4096) this.#cache.clear();
    this.#cache.set(address, found);
    return found;
  }

  /** Links went up or down. */
  forget(): void {
    this.#cache.clear();
  }

  add(entry: RouteEntry, options: { readonly replace: boolean }): void {
    const same = this.#entries.findIndex(
      (other) => other.network === entry.network && other.length === entry.length && other.metric === entry.metric,
    );
    if (same >= 0) {
      if (!options.replace) throw new SysError('EEXIST', entry.route.destination);
      this.#entries[same] = entry;
    } else {
      const at = this.#entries.findIndex(
        (other) => other.length < entry.length || (other.length === entry.length && other.metric > entry.metric),
      );
      this.#entries.splice(at < 0 ? this.#entries.length : at, 0, entry);
    }
    this.#cache.clear();
  }

  /** Removes the first route that agrees with everything given; ESRCH when none does. */
  delete(wanted: Pick<Route, 'destination'> & Partial<Route>): void {
    const prefix = prefixOf(wanted.destination);
    const at = this.#entries.findIndex(
      (entry) =>
        entry.network === prefix.address &&
        entry.length === prefix.length &&
        (wanted.via === undefined || entry.via === parseIp(wanted.via)) &&
        (wanted.device === undefined || entry.link?.name === wanted.device) &&
        (wanted.type === undefined || entry.route.type === wanted.type) &&
        (wanted.metric === undefined || entry.metric === wanted.metric) &&
        (wanted.protocol === undefined || entry.route.protocol === wanted.protocol) &&
        (wanted.source === undefined || entry.route.source === wanted.source),
    );
    if (at < 0) throw new SysError('ESRCH', wanted.destination);
    this.#entries.splice(at, 1);
    this.#cache.clear();
  }

  /** Removes all that `doomed` says yes to; tells whether there were any. */
  prune(doomed: (entry: RouteEntry) => boolean): boolean {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => !doomed(entry));
    this.#cache.clear();
    return this.#entries.length !== before;
  }
}

/** The network of a route's destination; host bits are an error (EINVAL), as for ip(8). */
export function prefixOf(destination: string): { readonly address: Ip; readonly length: number } {
  const prefix = destination === 'default' ? { address: 0, length: 0 } : parsePrefix(destination);
  if (prefix === undefined) throw new SysError('EINVAL', destination);
  if (!isIn(prefix.address, 0, 0) || (prefix.length < 32 && (prefix.address << prefix.length) >>> 0 !== 0))
    throw new SysError('EINVAL', destination);
  return prefix;
}

export function viewOf(entry: RouteEntry): Route {
  return {
    destination: formatPrefix({ address: entry.network, length: entry.length }),
    type: entry.route.type,
    ...(entry.via === undefined ? {} : { via: formatIp(entry.via) }),
    ...(entry.link === undefined ? {} : { device: entry.link.name }),
    ...(entry.route.source === undefined ? {} : { source: entry.route.source }),
    protocol: entry.route.protocol,
    scope: entry.route.scope,
    ...(entry.metric === 0 ? {} : { metric: entry.metric }),
    ...(entry.route.onLink === true ? { onLink: true } : {}),
  };
}

function isUsable(entry: RouteEntry): boolean {
  return entry.link === undefined || entry.link.isUp;
}
