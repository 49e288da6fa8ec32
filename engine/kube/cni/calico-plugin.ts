// Models the CNI plugins calico and calico-ipam v3.17: a veth with a /32, a gateway that answers by proxy ARP, an address.

import { isSysError } from '../../sim/errno.ts';
import type { NetStack } from '../../net/net-stack.ts';
import type { Syscalls } from '../../kernel/process.ts';
import { findEndpoint, hostInterface, removeEndpoint, saveEndpoint } from './endpoints.ts';
import { CALICO_DIRECTORY, HostIpam, NODE_NAME_FILE } from './ipam.ts';
import { PluginError, delegate, type CniResult, type PluginCall } from './plugin.ts';

const GATEWAY = '169.254.1.1';
const HOST_MAC = 'ee:ee:ee:ee:ee:ee';
const DEFAULT_MTU = 1480;
const NETWORK = 'k8s-pod-network';

export async function calicoAdd(call: PluginCall): Promise<CniResult> {
  const { sys } = call.process;
  nodeName(sys);
  if (call.netns === undefined)
    throw new PluginError(`failed to open netns "${call.process.env.get('CNI_NETNS') ?? ''}": no such file or directory`);
  const namespace = call.args.get('K8S_POD_NAMESPACE') ?? '';
  const pod = call.args.get('K8S_POD_NAME') ?? '';
  const host = hostInterface(namespace, pod);
  const result = await delegate(call, call.input.ipam?.type ?? 'calico-ipam');
  const address = result.ips?.[0]?.address.split('/')[0];
  if (address === undefined) throw new PluginError('IPAM plugin returned missing IP config');
  // Felix knows the workload before its interface appears, so no packet of it is dropped as unknown.
  saveEndpoint(sys, { interface: host, address, namespace, pod, containerId: call.containerId });
  connect(sys.net, call.netns, { host, container: call.ifname, address, mtu: mtuOf(sys, call) });
  return { interfaces: [{ name: host }], ips: [{ version: '4', address: `${address}/32` }], dns: {} };
}

function connect(
  hostNet: NetStack,
  podNet: NetStack,
  at: { readonly host: string; readonly container: string; readonly address: string; readonly mtu: number },
): void {
  if (hostNet.links().some((link) => link.name === at.host)) hostNet.deleteLink(at.host);
  hostNet.addLink({ name: at.host, kind: 'veth', mac: HOST_MAC, mtu: at.mtu, peer: { name: at.container, stack: podNet } });
  podNet.setLink(at.container, { isUp: true, mtu: at.mtu });
  hostNet.setLink(at.host, { isUp: true, proxyArp: true });
  podNet.addRoute({ destination: `${GATEWAY}/32`, type: 'unicast', device: at.container, protocol: 'boot', scope: 'link' });
  podNet.addAddress(at.container, `${at.address}/32`, { scope: 'global' });
  podNet.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: GATEWAY, device: at.container, protocol: 'boot', scope: 'global' });
  hostNet.addRoute(
    { destination: `${at.address}/32`, type: 'unicast', device: at.host, protocol: 'boot', scope: 'link' },
    { replace: true },
  );
}

export async function calicoDel(call: PluginCall): Promise<void> {
  const { sys } = call.process;
  const host = hostInterface(call.args.get('K8S_POD_NAMESPACE') ?? '', call.args.get('K8S_POD_NAME') ?? '');
  await delegate(call, call.input.ipam?.type ?? 'calico-ipam');
  const endpoint = findEndpoint(sys, host);
  // A pod of the same name may have got a new sandbox already; its interface is not ours to take.
  if (endpoint !== undefined && endpoint.containerId !== call.containerId) return;
  removeEndpoint(sys, host);
  try {
    if (sys.net.links().some((link) => link.name === host)) sys.net.deleteLink(host);
  } catch (error) {
    if (!isSysError(error, 'ENODEV')) throw error;
  }
}

export function calicoCheck(call: PluginCall): Promise<void> {
  const host = hostInterface(call.args.get('K8S_POD_NAMESPACE') ?? '', call.args.get('K8S_POD_NAME') ?? '');
  if (!call.process.sys.net.links().some((link) => link.name === host)) {
    return Promise.reject(new PluginError(`interface ${host} not found`));
  }
  return Promise.resolve();
}

export function ipamAdd(call: PluginCall): Promise<CniResult> {
  const { sys } = call.process;
  const address = new HostIpam(sys, nodeName(sys)).assign(handleOf(call));
  if (address === undefined)
    return Promise.reject(new PluginError('failed to request IPv4 addresses: no configured Calico pools for IP version 4'));
  return Promise.resolve({ ips: [{ version: '4', address: `${address}/26` }] });
}

export function ipamDel(call: PluginCall): Promise<void> {
  const { sys } = call.process;
  // Without calico-node nothing was ever handed out, and a failed ADD must be undoable.
  if (sys.exists(NODE_NAME_FILE)) new HostIpam(sys, nodeName(sys)).release(handleOf(call));
  return Promise.resolve();
}

function handleOf(call: PluginCall): string {
  return `${NETWORK}.${call.containerId}`;
}

function nodeName(sys: Syscalls): string {
  if (sys.exists(NODE_NAME_FILE)) return sys.readTextFile(NODE_NAME_FILE).trim();
  throw new PluginError(
    `stat ${NODE_NAME_FILE}: no such file or directory: check that the calico/node container is running and has mounted ${CALICO_DIRECTORY}/`,
  );
}

function mtuOf(sys: Syscalls, call: PluginCall): number {
  if (call.input.mtu !== undefined && call.input.mtu > 0) return call.input.mtu;
  const path = `${CALICO_DIRECTORY}/mtu`;
  return sys.exists(path) ? Number(sys.readTextFile(path)) : DEFAULT_MTU;
}
