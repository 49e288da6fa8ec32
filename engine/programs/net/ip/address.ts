// Models `ip address`.

import { formatIp, maskOf, parsePrefix } from '../../../net/address.ts';
import { formatAddresses } from './format.ts';
import { IpError, isCommand, nextArgument, requireRoot, unknownCommand, type IpContext } from './context.ts';

export function addressCommand(args: string[], context: IpContext): string {
  const command = args[0];
  if (command === undefined || isCommand(command, 'show', 'list', 'lst')) return show(args.slice(1), context);
  if (isCommand(command, 'add', 'replace', 'change')) return change(args.slice(1), context, 'add');
  if (isCommand(command, 'delete')) return change(args.slice(1), context, 'delete');
  if (isCommand(command, 'flush')) return flush(args.slice(1), context);
  if (command === 'help') throw new IpError('Usage: ip address {add|change|replace} IFADDR dev IFNAME [ LIFETIME ]');
  throw unknownCommand(command, 'address');
}

function show(args: string[], { process, style }: IpContext): string {
  const { net } = process.sys;
  let device: string | undefined;
  let onlyUp = false;
  while (args.length > 0) {
    const word = args.shift()!;
    if (word === 'dev') device = nextArgument(args);
    else if (word === 'up') onlyUp = true;
    else if (word === 'scope' || word === 'label' || word === 'to' || word === 'type' || word === 'master') nextArgument(args);
    else device = word;
  }
  const links = net.links().filter((link) => (device === undefined || link.name === device) && (!onlyUp || link.isUp));
  if (device !== undefined && links.length === 0 && !net.links().some((link) => link.name === device)) {
    throw new IpError(`Device "${device}" does not exist.`, 1);
  }
  const addresses = net.addresses();
  const now = process.sys.clock.now();
  return links
    .filter((link) => style.family !== 4 || style.brief || addresses.some((one) => one.link === link.name))
    .map((link) => formatAddresses(link, addresses, net, style, now))
    .join('');
}

function change(args: string[], context: IpContext, what: 'add' | 'delete'): string {
  let address: string | undefined;
  let device: string | undefined;
  let broadcast: string | undefined;
  let scope: 'global' | 'link' | 'host' | undefined;
  let label: string | undefined;
  let noPrefixRoute = false;
  while (args.length > 0) {
    const word = args.shift()!;
    if (word === 'dev') device = nextArgument(args);
    else if (word === 'brd' || word === 'broadcast') broadcast = nextArgument(args);
    else if (word === 'scope') scope = nextArgument(args) as 'global' | 'link' | 'host';
    else if (word === 'label') label = nextArgument(args);
    else if (word === 'noprefixroute') noPrefixRoute = true;
    else if (word === 'local') address = nextArgument(args);
    else if (word === 'valid_lft' || word === 'preferred_lft') nextArgument(args);
    else if (address === undefined) address = word;
    else throw new IpError(`Error: either "local" is duplicate, or "${word}" is a garbage.`);
  }
  const prefix = address === undefined ? undefined : parsePrefix(address);
  if (address === undefined || prefix === undefined)
    throw new IpError(`Error: any valid prefix is expected rather than "${address ?? ''}".`, 1);
  if (device === undefined) throw new IpError('Not enough information: "dev" argument is required.');
  const { net } = context.process.sys;
  if (!net.links().some((link) => link.name === device)) throw new IpError(`Cannot find device "${device}"`, 1);
  requireRoot(context);
  if (what === 'delete') {
    net.deleteAddress(device, address);
    return '';
  }
  if (broadcast === '+') broadcast = formatIp((prefix.address | ~maskOf(prefix.length)) >>> 0);
  net.addAddress(device, address, {
    noPrefixRoute,
    ...(scope === undefined ? {} : { scope }),
    ...(label === undefined ? {} : { label }),
    ...(broadcast === undefined ? {} : { broadcast }),
  });
  return '';
}

function flush(args: string[], context: IpContext): string {
  const word = args.shift();
  const device = word === 'dev' ? args.shift() : word;
  if (device === undefined) throw new IpError('Flush requires arguments.');
  const { net } = context.process.sys;
  if (!net.links().some((link) => link.name === device)) throw new IpError(`Device "${device}" does not exist.`, 1);
  requireRoot(context);
  for (const one of net.addresses()) if (one.link === device) net.deleteAddress(device, `${one.address}/${one.prefixLength}`);
  return '';
}
