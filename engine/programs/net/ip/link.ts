// Models `ip link`.

import type { LinkView } from '../../../net/net-stack.ts';
import { SysError } from '../../../sim/errno.ts';
import { formatLink } from './format.ts';
import { IpError, isCommand, nextArgument, requireRoot, unknownCommand, type IpContext } from './context.ts';

const KINDS: readonly LinkView['kind'][] = ['veth', 'bridge', 'ipip', 'dummy'];

export function linkCommand(args: string[], context: IpContext): string {
  const command = args[0];
  if (command === undefined || isCommand(command, 'show', 'list', 'lst')) return show(args.slice(1), context);
  if (isCommand(command, 'set')) return set(args.slice(1), context);
  if (isCommand(command, 'add')) return add(args.slice(1), context);
  if (isCommand(command, 'delete')) return remove(args.slice(1), context);
  throw unknownCommand(command, 'link');
}

function show(args: string[], { process, style }: IpContext): string {
  const { net } = process.sys;
  let device: string | undefined;
  let master: string | undefined;
  let kind: string | undefined;
  let onlyUp = false;
  while (args.length > 0) {
    const word = args.shift()!;
    if (word === 'dev') device = nextArgument(args);
    else if (word === 'master') master = nextArgument(args);
    else if (word === 'type') kind = nextArgument(args);
    else if (word === 'up') onlyUp = true;
    else device = word;
  }
  if (device !== undefined && !net.links().some((link) => link.name === device)) throw new IpError(`Device "${device}" does not exist.`, 1);
  return net
    .links()
    .filter(
      (link) =>
        (device === undefined || link.name === device) &&
        (master === undefined || link.master === master) &&
        (kind === undefined || link.kind === kind) &&
        (!onlyUp || link.isUp),
    )
    .map((link) => formatLink(link, net, style))
    .join('');
}

function set(args: string[], context: IpContext): string {
  const { net, kernel } = context.process.sys;
  let device: string | undefined;
  const change: { isUp?: boolean; mtu?: number; master?: string | undefined; name?: string; mac?: string } = {};
  let namespace: string | undefined;
  while (args.length > 0) {
    const word = args.shift()!;
    if (word === 'up') change.isUp = true;
    else if (word === 'down') change.isUp = false;
    else if (word === 'mtu') change.mtu = Number(nextArgument(args));
    else if (word === 'master') change.master = nextArgument(args);
    else if (word === 'nomaster') change.master = undefined;
    else if (word === 'name') change.name = nextArgument(args);
    else if (word === 'address') change.mac = nextArgument(args);
    else if (word === 'netns') namespace = nextArgument(args);
    else if (word === 'dev') device = nextArgument(args);
    else if (device === undefined) device = word;
    else throw new IpError(`Error: either "dev" is duplicate, or "${word}" is a garbage.`);
  }
  if (device === undefined) throw new IpError('Not enough of information: "dev" argument is required.');
  const link = net.links().find((one) => one.name === device);
  if (link === undefined) throw new IpError(`Cannot find device "${device}"`, 1);
  requireRoot(context);
  if (namespace !== undefined) {
    if (link.kind !== 'veth' || link.peer === undefined) throw new SysError('EINVAL', device);
    const target = kernel.netNamespaces.names().includes(namespace) ? kernel.netNamespaces.get(namespace) : undefined;
    if (target === undefined) throw new IpError(`Invalid "netns" value`, 255);
    moveVeth(context, link, namespace);
    return '';
  }
  if (change.master !== undefined && !net.links().some((one) => one.name === change.master)) {
    throw new IpError(`Error: argument "${change.master}" is wrong: Device does not exist`);
  }
  net.setLink(device, change);
  return '';
}

/** A veth end goes to another namespace: the pair is laid anew between the two. */
function moveVeth(context: IpContext, link: LinkView, namespace: string): void {
  const { net, kernel } = context.process.sys;
  const target = kernel.netNamespaces.get(namespace);
  const peerStack = link.peer!.namespace === net.namespace ? net : kernel.netNamespaces.get(link.peer!.namespace);
  const peer = peerStack.links().find((one) => one.index === link.peer!.index)!;
  net.deleteLink(link.name);
  peerStack.addLink({
    name: peer.name,
    kind: 'veth',
    mac: peer.mac,
    mtu: peer.mtu,
    peer: { name: link.name, mac: link.mac, stack: target },
  });
  if (peer.master !== undefined) peerStack.setLink(peer.name, { master: peer.master });
  if (peer.isUp) peerStack.setLink(peer.name, { isUp: true });
}

function add(args: string[], context: IpContext): string {
  const { net, kernel } = context.process.sys;
  let name: string | undefined;
  let kind: string | undefined;
  let mac: string | undefined;
  let mtu: number | undefined;
  let peerName: string | undefined;
  let peerNamespace: string | undefined;
  let local: string | undefined;
  let remote: string | undefined;
  while (args.length > 0) {
    const word = args.shift()!;
    if (word === 'type') kind = nextArgument(args);
    else if (word === 'peer') {
      const next = nextArgument(args);
      peerName = next === 'name' ? nextArgument(args) : next;
      if (args[0] === 'netns') {
        args.shift();
        peerNamespace = nextArgument(args);
      }
    } else if (word === 'address') mac = nextArgument(args);
    else if (word === 'mtu') mtu = Number(nextArgument(args));
    else if (word === 'local') local = nextArgument(args);
    else if (word === 'remote') remote = nextArgument(args);
    else if (word === 'name' || word === 'dev') name = nextArgument(args);
    else if (name === undefined) name = word;
    else throw new IpError(`Error: either "dev" is duplicate, or "${word}" is a garbage.`);
  }
  if (kind === undefined) throw new IpError('Not enough information: "type" argument is required');
  if (!KINDS.includes(kind as LinkView['kind'])) throw new SysError('EOPNOTSUPP', kind);
  requireRoot(context);
  kernel.modules.load(kind === 'ipip' ? 'ipip' : kind);
  const number = net.links().filter((link) => link.kind === kind).length;
  const own = name ?? `${kind}${number}`;
  net.addLink({
    name: own,
    kind: kind as LinkView['kind'],
    ...(mac === undefined ? {} : { mac }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(kind === 'veth'
      ? {
          peer: {
            name: peerName ?? `veth${number + 1}`,
            stack: peerNamespace === undefined ? net : kernel.netNamespaces.get(peerNamespace),
          },
        }
      : {}),
    ...(kind === 'ipip' ? { tunnel: { local, remote } } : {}),
  });
  return '';
}

function remove(args: string[], context: IpContext): string {
  const word = args.shift();
  const device = word === 'dev' ? args.shift() : word;
  if (device === undefined) throw new IpError('Not enough of information: "dev" argument is required.');
  const { net } = context.process.sys;
  if (!net.links().some((link) => link.name === device)) throw new IpError(`Cannot find device "${device}"`, 1);
  requireRoot(context);
  net.deleteLink(device);
  return '';
}
