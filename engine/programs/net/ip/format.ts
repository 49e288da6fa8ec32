// How ip(8) of iproute 4.11 (CentOS 7) shows links, addresses, routes and neighbours.

import { linkLocal6 } from '../../../net/address.ts';
import type { AddressView, LinkView, Neighbour, NetStack, Route } from '../../../net/net-stack.ts';

export interface Style {
  readonly brief: boolean;
  readonly oneLine: boolean;
  readonly statistics: boolean;
  readonly details: boolean;
  readonly family: 4 | 6 | undefined;
}

/** Namespaces of peers are numbered in the order in which they are seen. */
export function namespaceIds(net: NetStack): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const { peer } of net.links()) {
    if (peer !== undefined && peer.namespace !== net.namespace && !ids.has(peer.namespace)) ids.set(peer.namespace, ids.size);
  }
  return ids;
}

export function linkName(link: LinkView, net: NetStack): string {
  if (link.kind === 'ipip') return `${link.name}@NONE`;
  if (link.peer === undefined) return link.name;
  if (link.peer.namespace !== net.namespace) return `${link.name}@if${link.peer.index}`;
  return `${link.name}@${net.links().find((other) => other.index === link.peer!.index)?.name ?? 'NONE'}`;
}

export function linkState(link: LinkView): string {
  if (link.kind === 'loopback' || link.kind === 'ipip' || link.kind === 'dummy') return link.isUp ? 'UNKNOWN' : 'DOWN';
  if (!link.isUp) return 'DOWN';
  if (link.hasCarrier) return 'UP';
  return link.kind === 'veth' ? 'LOWERLAYERDOWN' : 'DOWN';
}

function flags(link: LinkView): string {
  const names: string[] = [];
  if (link.isUp && !link.hasCarrier) names.push('NO-CARRIER');
  if (link.kind === 'loopback') names.push('LOOPBACK');
  else if (link.kind === 'ipip') names.push('NOARP');
  else if (link.kind === 'dummy') names.push('BROADCAST', 'NOARP');
  else names.push('BROADCAST', 'MULTICAST');
  if (link.isUp) names.push('UP');
  if (link.isUp && link.hasCarrier) names.push('LOWER_UP');
  return names.join(',');
}

function queueing(link: LinkView): string {
  if (!link.isUp && link.kind !== 'ethernet') return 'noop';
  if (!link.isUp) return 'pfifo_fast';
  return link.kind === 'ethernet' ? 'pfifo_fast' : 'noqueue';
}

function hardware(link: LinkView): string {
  if (link.kind === 'loopback') return 'link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00';
  if (link.kind === 'ipip') return 'link/ipip 0.0.0.0 brd 0.0.0.0';
  return `link/ether ${link.mac} brd ff:ff:ff:ff:ff:ff`;
}

export function formatLink(link: LinkView, net: NetStack, style: Style): string {
  if (style.brief) {
    return `${linkName(link, net).padEnd(16)} ${linkState(link).padEnd(14)} ${link.kind === 'ipip' ? '0.0.0.0' : link.mac} <${flags(link)}> \n`;
  }
  const separator = style.oneLine ? '\\    ' : '\n    ';
  const master = link.master === undefined ? '' : ` master ${link.master}`;
  const queueLength = link.kind === 'ethernet' || link.kind === 'loopback' || link.kind === 'ipip' ? ' qlen 1000' : ' ';
  let text = `${link.index}: ${linkName(link, net)}: <${flags(link)}> mtu ${link.mtu} qdisc ${queueing(link)}${master} state ${linkState(link)} mode DEFAULT group default${queueLength}`;
  text += `${separator}${hardware(link)}${namespaceSuffix(link, net)}`;
  if (style.details) text += `${details(link)} `;
  if (style.statistics) text += statistics(link, separator);
  return `${text}\n`;
}

export function formatAddresses(link: LinkView, addresses: readonly AddressView[], net: NetStack, style: Style, nowMs: number): string {
  const own = addresses.filter((one) => one.link === link.name);
  const six = style.family === 4 ? [] : addresses6(link);
  const four = style.family === 6 ? [] : own;
  if (style.brief) {
    const list = [...four.map((one) => `${one.address}/${one.prefixLength}`), ...six.map((one) => one.address)];
    return `${linkName(link, net).padEnd(16)} ${linkState(link).padEnd(14)} ${list.map((one) => `${one} `).join('')}\n`;
  }
  const lifetime = (one: AddressView): string => {
    if (one.validUntilMs === undefined) return 'valid_lft forever preferred_lft forever';
    const left = Math.max(0, Math.round((one.validUntilMs - nowMs) / 1000));
    return `valid_lft ${left}sec preferred_lft ${left}sec`;
  };
  const fourText = (one: AddressView): string =>
    `inet ${one.address}/${one.prefixLength}${one.broadcast === undefined ? '' : ` brd ${one.broadcast}`} scope ${one.scope}` +
    `${one.isNoPrefixRoute ? ' noprefixroute' : ''}${one.isDynamic ? ' dynamic' : ''} ${one.label}`;
  if (style.oneLine) {
    let text = '';
    for (const one of four) text += `${link.index}: ${link.name}    ${fourText(one)}\\       ${lifetime(one)}\n`;
    for (const one of six)
      text += `${link.index}: ${link.name}    inet6 ${one.address} scope ${one.scope} \\       valid_lft forever preferred_lft forever\n`;
    return text;
  }
  const queueLength = link.kind === 'ethernet' || link.kind === 'loopback' || link.kind === 'ipip' ? ' qlen 1000' : ' ';
  const master = link.master === undefined ? '' : ` master ${link.master}`;
  let text = `${link.index}: ${linkName(link, net)}: <${flags(link)}> mtu ${link.mtu} qdisc ${queueing(link)}${master} state ${linkState(link)} group default${queueLength}\n`;
  if (style.family !== 4 && style.family !== 6)
    text += `    ${hardware(link)}${namespaceSuffix(link, net)}${style.details ? `${details(link)} ` : ''}\n`;
  for (const one of four) text += `    ${fourText(one)}\n       ${lifetime(one)}\n`;
  for (const one of six) text += `    inet6 ${one.address} scope ${one.scope} \n       valid_lft forever preferred_lft forever\n`;
  return text;
}

/** What every link that is up has of IPv6: shown, not spoken. */
export function addresses6(link: LinkView): readonly { readonly address: string; readonly scope: string }[] {
  if (!link.isUp) return [];
  if (link.kind === 'loopback') return [{ address: '::1/128', scope: 'host' }];
  if (link.kind === 'ipip' || link.master !== undefined || !link.hasCarrier) return [];
  return [{ address: `${linkLocal6(link.mac)}/64`, scope: 'link' }];
}

export function formatRoute(route: Route): string {
  const destination = route.destination === '0.0.0.0/0' ? 'default' : route.destination.replace(/\/32$/, '');
  let text = route.type === 'unicast' ? '' : `${route.type} `;
  text += destination;
  if (route.via !== undefined) text += ` via ${route.via}`;
  if (route.device !== undefined) text += ` dev ${route.device}`;
  if (route.protocol !== 'boot') text += ` proto ${route.protocol}`;
  if (route.scope !== 'global') text += ` scope ${route.scope}`;
  if (route.source !== undefined) text += ` src ${route.source}`;
  if (route.metric !== undefined) text += ` metric ${route.metric}`;
  if (route.onLink === true) text += ' onlink';
  return `${text} \n`;
}

export function formatNeighbour(neighbour: Neighbour): string {
  const mac = neighbour.state === 'INCOMPLETE' || neighbour.state === 'FAILED' ? '' : ` lladdr ${neighbour.mac}`;
  return `${neighbour.address} dev ${neighbour.device}${mac} ${neighbour.state}\n`;
}

function namespaceSuffix(link: LinkView, net: NetStack): string {
  if (link.peer === undefined || link.peer.namespace === net.namespace) return '';
  return ` link-netnsid ${namespaceIds(net).get(link.peer.namespace) ?? 0}`;
}

function details(link: LinkView): string {
  const kind = link.kind === 'ethernet' || link.kind === 'loopback' ? '' : `\n    ${link.kind}`;
  return ` promiscuity ${link.master === undefined ? 0 : 1}${kind} addrgenmode eui64 numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535`;
}

function statistics(link: LinkView, separator: string): string {
  const { rxBytes, rxPackets, rxDropped, txBytes, txPackets } = link.statistics;
  const row = (...values: readonly number[]): string =>
    values.map((value, at) => String(value).padEnd(at === 0 ? 10 : at === 5 ? 7 : 8)).join(' ');
  return (
    `${separator}RX: bytes  packets  errors  dropped overrun mcast   ${separator}${row(rxBytes, rxPackets, 0, rxDropped, 0, 0)}` +
    `${separator}TX: bytes  packets  errors  dropped carrier collsns ${separator}${row(txBytes, txPackets, 0, 0, 0, 0)}`
  );
}
