// Models `ip route`, `ip neigh` and `ip rule`.

import { parseIp, parsePrefix, formatIp } from '../../../net/address.ts';
import type { Neighbour, Route } from '../../../net/net-stack.ts';
import { isSysError } from '../../../sim/errno.ts';
import { formatNeighbour, formatRoute } from './format.ts';
import { IpError, isCommand, nextArgument, requireRoot, unknownCommand, type IpContext } from './context.ts';

export function routeCommand(args: string[], context: IpContext): string {
  const command = args[0];
  if (command === undefined || isCommand(command, 'show', 'list', 'lst')) return show(args.slice(1), context);
  if (isCommand(command, 'get')) return get(args.slice(1), context);
  if (isCommand(command, 'add', 'append', 'prepend')) return change(args.slice(1), context, 'add');
  if (isCommand(command, 'replace', 'change')) return change(args.slice(1), context, 'replace');
  if (isCommand(command, 'delete')) return change(args.slice(1), context, 'delete');
  if (isCommand(command, 'flush')) return flush(args.slice(1), context);
  throw unknownCommand(command, 'route');
}

function show(args: string[], { process, style }: IpContext): string {
  if (style.family === 6) return 'unreachable ::/96 dev lo metric 1024 error -113 \n';
  const filter = selector(args);
  return process.sys.net.routes().filter(filter).map(formatRoute).join('');
}

/** Which routes `show` and `flush` mean. */
function selector(args: string[]): (route: Route) => boolean {
  const tests: ((route: Route) => boolean)[] = [];
  while (args.length > 0) {
    const word = args.shift()!;
    if (word === 'dev') {
      const device = nextArgument(args);
      tests.push((route) => route.device === device);
    } else if (word === 'proto') {
      const protocol = nextArgument(args);
      tests.push((route) => route.protocol === protocol);
    } else if (word === 'via') {
      const via = nextArgument(args);
      tests.push((route) => route.via === via);
    } else if (word === 'scope') {
      const scope = nextArgument(args);
      tests.push((route) => route.scope === scope);
    } else if (word === 'table') {
      const table = nextArgument(args);
      tests.push(() => table === 'main' || table === 'all' || table === '254');
    } else if (word === 'type') {
      const type = nextArgument(args);
      tests.push((route) => route.type === type);
    } else if (word === 'exact' || word === 'match' || word === 'root' || word === 'cache') continue;
    else {
      const wanted = destinationOf(word);
      tests.push((route) => route.destination === wanted);
    }
  }
  return (route) => tests.every((test) => test(route));
}

function get(args: string[], { process }: IpContext): string {
  const address = (args[0] === 'to' ? args[1] : args[0])?.replace(/\/32$/, '');
  if (address === undefined) throw new IpError('need at least a destination address');
  if (parseIp(address) === undefined) throw new IpError(`Error: inet prefix is expected rather than "${address}".`, 1);
  const route = process.sys.net.lookupRoute(address);
  const local = route.type === 'local' ? 'local ' : '';
  const via = route.via === undefined ? '' : `via ${route.via} `;
  return `${local}${address} ${via}dev ${route.device ?? ''} src ${route.source} \n    cache ${route.type === 'local' ? '<local> ' : ''}\n`;
}

function change(args: string[], context: IpContext, what: 'add' | 'replace' | 'delete'): string {
  let type: Route['type'] = 'unicast';
  let destination: string | undefined;
  let hasType = false;
  const route: {
    via?: string;
    device?: string;
    source?: string;
    protocol?: string;
    scope?: Route['scope'];
    metric?: number;
    onLink?: boolean;
  } = {};
  while (args.length > 0) {
    const word = args.shift()!;
    switch (word) {
      case 'via':
        route.via = nextArgument(args);
        if (parseIp(route.via) === undefined) throw new IpError(`Error: inet address is expected rather than "${route.via}".`, 1);
        break;
      case 'dev':
        route.device = nextArgument(args);
        break;
      case 'src':
        route.source = nextArgument(args);
        break;
      case 'proto':
        route.protocol = nextArgument(args);
        break;
      case 'scope':
        route.scope = nextArgument(args) as Route['scope'];
        break;
      case 'metric':
      case 'preference':
        route.metric = Number(nextArgument(args));
        break;
      case 'onlink':
        route.onLink = true;
        break;
      case 'table':
      case 'mtu':
        nextArgument(args);
        break;
      case 'unicast':
      case 'blackhole':
      case 'unreachable':
      case 'local':
      case 'broadcast':
        type = word;
        hasType = true;
        break;
      case 'to':
        destination = destinationOf(nextArgument(args));
        break;
      default:
        if (destination !== undefined) throw new IpError(`Error: either "to" is duplicate, or "${word}" is a garbage.`);
        destination = destinationOf(word);
    }
  }
  const { net } = context.process.sys;
  if (destination === undefined) throw new IpError('RTNETLINK answers: Invalid argument', 2);
  if (route.device !== undefined && !net.links().some((link) => link.name === route.device))
    throw new IpError(`Cannot find device "${route.device}"`, 1);
  requireRoot(context);
  if (what === 'delete') {
    net.deleteRoute({ destination, ...route, ...(hasType ? { type } : {}) });
    return '';
  }
  const scope = route.scope ?? (type === 'unicast' && route.via === undefined ? 'link' : 'global');
  net.addRoute({ destination, type, protocol: 'boot', ...route, scope }, { replace: what === 'replace' });
  return '';
}

function flush(args: string[], context: IpContext): string {
  if (args.length === 0) throw new IpError('"ip route flush" requires arguments.');
  requireRoot(context);
  if (args[0] === 'cache') return '';
  const filter = selector(args);
  const { net } = context.process.sys;
  for (const route of net.routes()) {
    if (!filter(route)) continue;
    try {
      net.deleteRoute(route);
    } catch (error) {
      if (!isSysError(error, 'ESRCH')) throw error;
    }
  }
  return '';
}

function destinationOf(text: string): string {
  if (text === 'default' || text === 'any' || text === 'all') return '0.0.0.0/0';
  const shortened = /^(\d+(?:\.\d+){0,2})\/(\d+)$/.exec(text);
  const full = shortened === null ? text : `${shortened[1]}${'.0'.repeat(3 - (shortened[1]!.match(/\./g)?.length ?? 0))}/${shortened[2]}`;
  const prefix = parsePrefix(full);
  if (prefix === undefined) throw new IpError(`Error: inet prefix is expected rather than "${text}".`, 1);
  return `${formatIp(prefix.address)}/${prefix.length}`;
}

export function neighbourCommand(args: string[], context: IpContext): string {
  const command = args[0];
  const { net } = context.process.sys;
  if (command === undefined || isCommand(command, 'show', 'list', 'lst')) {
    const rest = args.slice(1);
    let device: string | undefined;
    let address: string | undefined;
    while (rest.length > 0) {
      const word = rest.shift()!;
      if (word === 'dev') device = nextArgument(rest);
      else if (word === 'to') address = nextArgument(rest);
      else if (word === 'nud') nextArgument(rest);
      else address = word;
    }
    return net
      .neighbours()
      .filter((one) => (device === undefined || one.device === device) && (address === undefined || one.address === address))
      .map(formatNeighbour)
      .join('');
  }
  const isAdd = isCommand(command, 'add', 'replace', 'change');
  if (!isAdd && !isCommand(command, 'delete', 'flush')) throw unknownCommand(command, 'neigh');
  const rest = args.slice(1);
  let address: string | undefined;
  let device: string | undefined;
  let mac: string | undefined;
  let state: Neighbour['state'] = 'PERMANENT';
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (word === 'dev') device = nextArgument(rest);
    else if (word === 'lladdr') mac = nextArgument(rest);
    else if (word === 'nud') state = nextArgument(rest).toUpperCase() as Neighbour['state'];
    else address = word;
  }
  requireRoot(context);
  if (isCommand(command, 'flush') && command.length > 1) {
    for (const one of net.neighbours()) {
      if (one.state !== 'PERMANENT' && (device === undefined || one.device === device)) net.deleteNeighbour(one.address, one.device);
    }
    return '';
  }
  if (address === undefined || device === undefined) throw new IpError('Device and destination are required arguments.');
  if (!isAdd) net.deleteNeighbour(address, device);
  else net.addNeighbour({ address, device, mac: mac ?? '00:00:00:00:00:00', state });
  return '';
}

export function ruleCommand(args: string[]): string {
  const command = args[0];
  if (command !== undefined && !isCommand(command, 'show', 'list', 'lst')) throw new IpError('not emulated: policy routing rules', 1);
  return '0:\tfrom all lookup local \n32766:\tfrom all lookup main \n32767:\tfrom all lookup default \n';
}
