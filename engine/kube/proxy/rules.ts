// Models the rules kube-proxy v1.20 writes in iptables mode, as text for iptables-restore.

import { endpointChain, serviceChain } from './chains.ts';
import type { ServicePort } from './service-ports.ts';

export interface RuleOptions {
  /** Traffic from outside of it to a cluster address is masqueraded; undefined: nothing is. */
  readonly clusterCidr: string | undefined;
  readonly masqueradeAll: boolean;
  readonly masqueradeBit: number;
  /** Chains of ours that the nat table has now; those no longer wanted go. */
  readonly presentChains: readonly string[];
  /** Ports that could not be held open get no rules. */
  readonly blockedNodePorts: ReadonlySet<string>;
}

const LAST_RULE = 'kubernetes service nodeports; NOTE: this must be the last rule in this chain';
const OURS = /^KUBE-(SVC|SEP|FW|XLB)-/;

const hexMark = (bit: number): string => `0x${(1 << bit).toString(16).padStart(8, '0')}`;
const comment = (text: string): string => `-m comment --comment ${JSON.stringify(text)}`;
/** 1.20 prints ten digits; the kernel keeps 31 bits of it. */
const probability = (n: number): string => (1 / n).toFixed(10);

export function proxyRules(ports: readonly ServicePort[], options: RuleOptions): string {
  const filter: string[] = [];
  const nat: string[] = [];
  const chains: string[] = ['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-POSTROUTING', 'KUBE-MARK-MASQ'];
  const mark = hexMark(options.masqueradeBit);
  nat.push(
    `-A KUBE-POSTROUTING -m mark ! --mark ${mark}/${mark} -j RETURN`,
    `-A KUBE-POSTROUTING -j MARK --xor-mark ${mark}`,
    `-A KUBE-POSTROUTING ${comment('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully`,
    `-A KUBE-MARK-MASQ -j MARK --or-mark ${mark}`,
  );
  for (const port of ports) writeService(port, options, { filter, nat, chains });
  const active = new Set(chains);
  const stale = options.presentChains.filter((chain) => OURS.test(chain) && !active.has(chain));
  nat.push(`-A KUBE-SERVICES ${comment(LAST_RULE)} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`);
  filter.push(
    '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
    `-A KUBE-FORWARD ${comment('kubernetes forwarding rules')} -m mark --mark ${mark}/${mark} -j ACCEPT`,
    `-A KUBE-FORWARD ${comment('kubernetes forwarding conntrack pod source rule')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-A KUBE-FORWARD ${comment('kubernetes forwarding conntrack pod destination rule')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  );
  const declare = (names: readonly string[]): string[] => names.map((name) => `:${name} - [0:0]`);
  return [
    '*filter',
    ...declare(['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-FORWARD']),
    ...filter,
    'COMMIT',
    '*nat',
    ...declare([...chains, ...stale]),
    ...nat,
    ...stale.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ].join('\n');
}

interface Output {
  readonly filter: string[];
  readonly nat: string[];
  readonly chains: string[];
}

function writeService(port: ServicePort, options: RuleOptions, out: Output): void {
  const { name, protocol } = port;
  const hasEndpoints = port.endpoints.length > 0;
  const service = serviceChain('SVC', name, protocol);
  const local = serviceChain('XLB', name, protocol);
  const external = port.isNodeLocal ? local : service;
  const match = `-m ${protocol} -p ${protocol}`;
  const to = (address: string): string => `${match} -d ${address}/32 --dport ${port.port}`;
  const nothing = comment(`${name} has no endpoints`);
  if (hasEndpoints) out.chains.push(service, ...(port.isNodeLocal ? [local] : []));

  if (hasEndpoints) {
    const args = `-A KUBE-SERVICES ${comment(`${name} cluster IP`)} ${to(port.clusterAddress)}`;
    if (options.masqueradeAll) out.nat.push(`${args} -j KUBE-MARK-MASQ`);
    else if (options.clusterCidr !== undefined) out.nat.push(`${args} ! -s ${options.clusterCidr} -j KUBE-MARK-MASQ`);
    out.nat.push(`${args} -j ${service}`);
  } else out.filter.push(`-A KUBE-SERVICES ${nothing} ${to(port.clusterAddress)} -j REJECT`);

  for (const address of port.externalAddresses) {
    if (!hasEndpoints) {
      out.filter.push(`-A KUBE-EXTERNAL-SERVICES ${nothing} ${to(address)} -j REJECT`);
      continue;
    }
    const args = `-A KUBE-SERVICES ${comment(`${name} external IP`)} ${to(address)}`;
    if (!port.isNodeLocal) out.nat.push(`${args} -j KUBE-MARK-MASQ`);
    out.nat.push(`${args} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ${external}`);
    out.nat.push(`${args} -m addrtype --dst-type LOCAL -j ${external}`);
  }

  if (port.ingressAddresses.length > 0) writeLoadBalancer(port, { service: external, to, nothing, hasEndpoints }, out);

  if (port.nodePort > 0 && !options.blockedNodePorts.has(`${protocol}/${port.nodePort}`)) {
    const dport = `${match} --dport ${port.nodePort}`;
    if (!hasEndpoints) out.filter.push(`-A KUBE-EXTERNAL-SERVICES ${nothing} -m addrtype --dst-type LOCAL ${dport} -j REJECT`);
    else {
      const args = `-A KUBE-NODEPORTS ${comment(name)} ${dport}`;
      out.nat.push(port.isNodeLocal ? `${args} -s 127.0.0.0/8 -j KUBE-MARK-MASQ` : `${args} -j KUBE-MARK-MASQ`);
      out.nat.push(`${args} -j ${external}`);
    }
  }
  if (hasEndpoints) writeEndpoints(port, service, out);
  if (hasEndpoints && port.isNodeLocal) writeLocal(port, service, local, options, out);
}

function writeLoadBalancer(
  port: ServicePort,
  at: { readonly service: string; readonly to: (address: string) => string; readonly nothing: string; readonly hasEndpoints: boolean },
  out: Output,
): void {
  const firewall = serviceChain('FW', port.name, port.protocol);
  if (at.hasEndpoints) out.chains.push(firewall);
  const label = comment(`${port.name} loadbalancer IP`);
  for (const address of port.ingressAddresses) {
    if (!at.hasEndpoints) {
      out.filter.push(`-A KUBE-EXTERNAL-SERVICES ${at.nothing} ${at.to(address)} -j REJECT`);
      continue;
    }
    out.nat.push(`-A KUBE-SERVICES ${label} ${at.to(address)} -j ${firewall}`);
    const args = `-A ${firewall} ${label}`;
    if (!port.isNodeLocal) out.nat.push(`${args} -j KUBE-MARK-MASQ`);
    if (port.sourceRanges.length === 0) out.nat.push(`${args} -j ${at.service}`);
    else for (const range of port.sourceRanges) out.nat.push(`${args} -s ${range} -j ${at.service}`);
    out.nat.push(`${args} -j KUBE-MARK-DROP`);
  }
}

function writeEndpoints(port: ServicePort, service: string, out: Output): void {
  const { name, protocol, affinitySeconds } = port;
  const label = comment(name);
  const endpoints = port.endpoints.map((endpoint) => ({
    ...endpoint,
    chain: endpointChain(name, protocol, `${endpoint.address}:${endpoint.port}`),
  }));
  out.chains.push(...endpoints.map((endpoint) => endpoint.chain));
  if (affinitySeconds !== undefined) {
    for (const { chain } of endpoints) {
      out.nat.push(`-A ${service} ${label} -m recent --name ${chain} --rcheck --seconds ${affinitySeconds} --reap -j ${chain}`);
    }
  }
  for (const [i, endpoint] of endpoints.entries()) {
    const left = endpoints.length - i;
    const chance = left > 1 ? ` -m statistic --mode random --probability ${probability(left)}` : '';
    out.nat.push(`-A ${service} ${label}${chance} -j ${endpoint.chain}`);
    out.nat.push(`-A ${endpoint.chain} ${label} -s ${endpoint.address}/32 -j KUBE-MARK-MASQ`);
    const remember = affinitySeconds === undefined ? '' : ` -m recent --name ${endpoint.chain} --set`;
    out.nat.push(
      `-A ${endpoint.chain} ${label}${remember} -m ${protocol} -p ${protocol} -j DNAT --to-destination ${endpoint.address}:${endpoint.port}`,
    );
  }
}

/** externalTrafficPolicy Local: only endpoints of this node, and the client's address stays. */
function writeLocal(port: ServicePort, service: string, local: string, options: RuleOptions, out: Output): void {
  const { name, protocol } = port;
  if (options.clusterCidr !== undefined) {
    const label = comment('Redirect pods trying to reach external loadbalancer VIP to clusterIP');
    out.nat.push(`-A ${local} ${label} -s ${options.clusterCidr} -j ${service}`);
  }
  out.nat.push(`-A ${local} ${comment(`masquerade LOCAL traffic for ${name} LB IP`)} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`);
  out.nat.push(
    `-A ${local} ${comment(`route LOCAL traffic for ${name} LB IP to service chain`)} -m addrtype --src-type LOCAL -j ${service}`,
  );
  const here = port.endpoints.filter((endpoint) => endpoint.isLocal);
  if (here.length === 0) {
    out.nat.push(`-A ${local} ${comment(`${name} has no local endpoints`)} -j KUBE-MARK-DROP`);
    return;
  }
  for (const [i, endpoint] of here.entries()) {
    const left = here.length - i;
    const chance = left > 1 ? ` -m statistic --mode random --probability ${probability(left)}` : '';
    const chain = endpointChain(name, protocol, `${endpoint.address}:${endpoint.port}`);
    out.nat.push(`-A ${local} ${comment(`Balancing rule ${i} for ${name}`)}${chance} -j ${chain}`);
  }
}

/** Jumps into our chains from the kernel's, and chains that only have to exist: table, chain, from where, conditions. */
export const JUMPS: readonly {
  readonly table: 'filter' | 'nat';
  readonly chain: string;
  readonly from: string;
  readonly args: readonly string[];
}[] = [
  jump('filter', 'KUBE-EXTERNAL-SERVICES', 'INPUT', 'kubernetes externally-visible service portals', true),
  jump('filter', 'KUBE-SERVICES', 'FORWARD', 'kubernetes service portals', true),
  jump('filter', 'KUBE-SERVICES', 'OUTPUT', 'kubernetes service portals', true),
  jump('filter', 'KUBE-FORWARD', 'FORWARD', 'kubernetes forwarding rules', false),
  jump('nat', 'KUBE-SERVICES', 'OUTPUT', 'kubernetes service portals', false),
  jump('nat', 'KUBE-SERVICES', 'PREROUTING', 'kubernetes service portals', false),
  jump('nat', 'KUBE-POSTROUTING', 'POSTROUTING', 'kubernetes postrouting rules', false),
];

function jump(table: 'filter' | 'nat', chain: string, from: string, label: string, onlyNew: boolean): (typeof JUMPS)[number] {
  const state = onlyNew ? ['-m', 'conntrack', '--ctstate', 'NEW'] : [];
  return { table, chain, from, args: [...state, '-m', 'comment', '--comment', label, '-j', chain] };
}
