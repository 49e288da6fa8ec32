// Models the CNI plugin portmap: host ports of pods, by DNAT rules of their own chains.

import { sha512 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../../sim/bytes.ts';
import { IptablesError, type Netfilter } from '../../net/net-stack.ts';
import { PluginError, type CniResult, type PluginCall } from './plugin.ts';

const DNAT = 'CNI-HOSTPORT-DNAT';
const SET_MARK = 'CNI-HOSTPORT-SETMARK';
const MASQUERADE = 'CNI-HOSTPORT-MASQ';
const MARK = '0x2000/0x2000';

export function portMapAdd(call: PluginCall): Promise<CniResult> {
  const previous = call.input.prevResult;
  if (previous === undefined) return Promise.reject(new PluginError('must be called as chained plugin'));
  const mappings = (call.input.runtimeConfig?.portMappings ?? []).filter((mapping) => mapping.hostPort > 0);
  const address = previous.ips?.[0]?.address.split('/')[0];
  if (mappings.length === 0 || address === undefined) return Promise.resolve(previous);
  const { netfilter } = call.process.sys.net;
  ensureChains(netfilter);
  const chain = chainOf(call);
  if (!netfilter.hasChain('nat', chain)) netfilter.execute('nat', ['-N', chain]);
  const id = `"${call.input.name ?? ''}" id: "${call.containerId}"`;
  for (const { hostPort, containerPort, protocol, hostIP } of mappings) {
    const lower = protocol.toLowerCase();
    const host = hostIP === undefined || hostIP === '' || hostIP === '0.0.0.0' ? [] : ['-d', `${hostIP}/32`];
    const match = ['-p', lower, ...host, '--dport', String(hostPort)];
    netfilter.execute('nat', ['-A', chain, '-s', `${address}/32`, ...match, '-j', SET_MARK]);
    netfilter.execute('nat', ['-A', chain, '-s', '127.0.0.1/32', ...match, '-j', SET_MARK]);
    netfilter.execute('nat', ['-A', chain, ...match, '-j', 'DNAT', '--to-destination', `${address}:${containerPort}`]);
    const dports = ['-p', lower, '-m', 'comment', '--comment', `dnat name: ${id}`, '-m', 'multiport', '--dports', String(hostPort)];
    netfilter.execute('nat', ['-A', DNAT, ...dports, '-j', chain]);
  }
  return Promise.resolve(previous);
}

export function portMapDel(call: PluginCall): Promise<void> {
  const { netfilter } = call.process.sys.net;
  const chain = chainOf(call);
  if (!netfilter.hasChain('nat', chain)) return Promise.resolve();
  const jumps = netfilter
    .save('nat')
    .split('\n')
    .filter((line) => line.startsWith(`-A ${DNAT} `) && line.endsWith(`-j ${chain}`));
  for (const _jump of jumps) removeFirstJump(netfilter, chain);
  netfilter.execute('nat', ['-F', chain]);
  netfilter.execute('nat', ['-X', chain]);
  return Promise.resolve();
}

function removeFirstJump(netfilter: Netfilter, chain: string): void {
  const rules = netfilter
    .save('nat')
    .split('\n')
    .filter((line) => line.startsWith(`-A ${DNAT} `));
  const at = rules.findIndex((line) => line.endsWith(`-j ${chain}`));
  if (at >= 0) netfilter.execute('nat', ['-D', DNAT, String(at + 1)]);
}

function chainOf(call: PluginCall): string {
  return `CNI-DN-${toHex(sha512(utf8(`${call.input.name ?? ''}${call.containerId}`))).slice(0, 21)}`;
}

function ensureChains(netfilter: Netfilter): void {
  for (const chain of [DNAT, SET_MARK, MASQUERADE]) if (!netfilter.hasChain('nat', chain)) netfilter.execute('nat', ['-N', chain]);
  const ensure = (chain: string, args: readonly string[]): void => {
    if (!hasRule(netfilter, chain, args)) netfilter.execute('nat', ['-A', chain, ...args]);
  };
  const note = (text: string): readonly string[] => ['-m', 'comment', '--comment', text];
  ensure(SET_MARK, [...note('CNI portfwd masquerade mark'), '-j', 'MARK', '--set-xmark', MARK]);
  ensure(MASQUERADE, ['-m', 'mark', '--mark', MARK, '-j', 'MASQUERADE']);
  ensure('POSTROUTING', [...note('CNI portfwd requiring masquerade'), '-j', MASQUERADE]);
  for (const chain of ['PREROUTING', 'OUTPUT']) ensure(chain, ['-m', 'addrtype', '--dst-type', 'LOCAL', '-j', DNAT]);
}

function hasRule(netfilter: Netfilter, chain: string, args: readonly string[]): boolean {
  try {
    netfilter.execute('nat', ['-C', chain, ...args]);
    return true;
  } catch (error) {
    if (error instanceof IptablesError) return false;
    throw error;
  }
}
