// A network namespace as JSON, for the saved lab: links, addresses, routes, permanent neighbours, netfilter and IP sets.

import { formatIp, parseIp } from './address.ts';
import type { LinkView, NetStack, Route } from './net-stack.ts';
import type { Stack } from './stack.ts';

interface SavedLink {
  readonly index: number;
  readonly name: string;
  readonly kind: LinkView['kind'];
  readonly mac: string;
  readonly mtu: number;
  readonly isUp: boolean;
  readonly proxyArp: boolean;
  readonly master?: string;
  readonly peer?: { readonly namespace: string; readonly name: string };
  readonly tunnel?: { readonly local?: string; readonly remote?: string };
}

interface SavedStack {
  readonly links: readonly SavedLink[];
  readonly addresses: readonly {
    readonly link: string;
    readonly address: string;
    readonly broadcast?: string;
    readonly scope: 'global' | 'link' | 'host';
    readonly label: string;
    readonly isDynamic: boolean;
    readonly noPrefixRoute: boolean;
    readonly validUntilMs?: number;
  }[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly { readonly address: string; readonly mac: string; readonly device: string }[];
  readonly netfilter: string;
  readonly sets: string;
}

export function saveStack(stack: Stack): string {
  const saved: SavedStack = {
    links: stack.allLinks().map((link) => ({
      index: link.index,
      name: link.name,
      kind: link.kind,
      mac: link.mac,
      mtu: link.mtu,
      isUp: link.isUp,
      proxyArp: link.proxyArp,
      ...(link.master === undefined ? {} : { master: link.master.name }),
      ...(link.peer === undefined ? {} : { peer: { namespace: link.peer.stack.namespace, name: link.peer.name } }),
      ...(link.tunnel === undefined
        ? {}
        : {
            tunnel: {
              ...(link.tunnel.local === undefined ? {} : { local: formatIp(link.tunnel.local) }),
              ...(link.tunnel.remote === undefined ? {} : { remote: formatIp(link.tunnel.remote) }),
            },
          }),
    })),
    addresses: stack.addresses().map((address) => ({
      link: address.link,
      address: `${address.address}/${address.prefixLength}`,
      ...(address.broadcast === undefined ? {} : { broadcast: address.broadcast }),
      scope: address.scope,
      label: address.label,
      isDynamic: address.isDynamic,
      noPrefixRoute: address.isNoPrefixRoute,
      ...(address.validUntilMs === undefined ? {} : { validUntilMs: address.validUntilMs }),
    })),
    routes: stack.routes(),
    neighbours: stack.neighbours().filter((one) => one.state === 'PERMANENT'),
    netfilter: stack.netfilter.save(undefined, { counters: true }),
    sets: stack.netfilter.sets.save(),
  };
  return JSON.stringify(saved);
}

export function restoreStack(stack: Stack, json: string, peerStack: (namespace: string) => NetStack | undefined): void {
  const saved = JSON.parse(json) as SavedStack;
  for (const link of saved.links) restoreLink(stack, link, peerStack);
  for (const link of saved.links) {
    const restored = stack.allLinks().find((other) => other.name === link.name);
    if (restored === undefined) continue;
    if (link.master !== undefined && restored.master === undefined) stack.setLink(link.name, { master: link.master });
    restored.isUp = link.isUp;
  }
  stack.addressTable.clear();
  for (const { link, address, ...options } of saved.addresses) {
    if (stack.allLinks().some((other) => other.name === link)) stack.addAddress(link, address, options);
  }
  stack.routeTable.prune(() => true);
  for (const route of saved.routes) {
    if (route.device === undefined || stack.allLinks().some((other) => other.name === route.device))
      stack.addRoute(route, { replace: true });
  }
  for (const one of saved.neighbours) stack.addNeighbour({ ...one, state: 'PERMANENT' });
  stack.netfilter.sets.restore(saved.sets);
  if (saved.netfilter !== '') stack.netfilter.restore(saved.netfilter, { counters: true });
}

function restoreLink(stack: Stack, saved: SavedLink, peerStack: (namespace: string) => NetStack | undefined): void {
  let link = stack.allLinks().find((other) => other.name === saved.name);
  if (link === undefined) {
    // Ethernet devices are hardware: the machine attaches them.
    if (saved.kind === 'ethernet' || saved.kind === 'loopback') return;
    link = stack.createLink(saved);
  }
  link.mac = saved.mac;
  link.mtu = saved.mtu;
  link.proxyArp = saved.proxyArp;
  const address = (text: string | undefined): number | undefined => (text === undefined ? undefined : parseIp(text));
  if (saved.tunnel !== undefined) link.tunnel = { local: address(saved.tunnel.local), remote: address(saved.tunnel.remote) };
  if (saved.peer === undefined || link.peer !== undefined) return;
  const other = saved.peer.namespace === stack.namespace ? stack : peerStack(saved.peer.namespace);
  if (!(other instanceof (stack.constructor as typeof Stack))) return;
  const end = other
    .allLinks()
    .find((candidate) => candidate.name === saved.peer!.name && candidate.kind === 'veth' && candidate.peer === undefined);
  if (end === undefined || end === link) return;
  link.peer = end;
  end.peer = link;
}
