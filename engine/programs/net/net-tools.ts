// Models net-tools 2.0: ifconfig, route, arp; and bridge-utils' brctl.

import type { Process, Program } from '../../kernel/process.ts';
import { formatIp, lengthOfMask, linkLocal6, maskOf, networkOf, parseIp, parsePrefix } from '../../net/address.ts';
import type { LinkView } from '../../net/net-stack.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import { err, out } from './io.ts';
import { kernelRoutes } from './sockets.ts';

export const ifconfig: Program = {
  name: 'ifconfig',
  paths: ['/usr/sbin/ifconfig'],
  async main(process) {
    const args = process.argv.slice(1);
    const { net } = process.sys;
    const all = args[0] === '-a';
    if (all) args.shift();
    const name = args.shift();
    if (name === undefined) {
      await out(
        process,
        net
          .links()
          .filter((link) => all || link.isUp)
          .map((link) => describe(process, link))
          .join(''),
      );
      return 0;
    }
    const link = net.links().find((one) => one.name === name);
    if (link === undefined) {
      await err(process, `${name}: error fetching interface information: Device not found\n`);
      return 1;
    }
    if (args.length === 0) {
      await out(process, describe(process, link));
      return 0;
    }
    try {
      configure(process, name, args);
      return 0;
    } catch (error) {
      if (!isSysError(error)) throw error;
      await err(process, `SIOCSIFADDR: ${error.strerror}\n`);
      return 255;
    }
  },
};

function describe(process: Process, link: LinkView): string {
  const addresses = process.sys.net.addresses().filter((one) => one.link === link.name);
  const flags: (readonly [string, number])[] = [];
  if (link.isUp) flags.push(['UP', 1]);
  if (link.kind === 'ethernet' || link.kind === 'veth' || link.kind === 'bridge') flags.push(['BROADCAST', 2]);
  if (link.kind === 'loopback') flags.push(['LOOPBACK', 8]);
  if (link.hasCarrier) flags.push(['RUNNING', 64]);
  if (link.kind === 'ipip') flags.push(['NOARP', 128]);
  if (link.kind === 'ethernet' || link.kind === 'veth' || link.kind === 'bridge') flags.push(['MULTICAST', 4096]);
  const sum = flags.reduce((total, [, bit]) => total + bit, 0);
  let text = `${link.name}: flags=${sum}<${flags.map(([flag]) => flag).join(',')}>  mtu ${link.mtu}\n`;
  const first = addresses[0];
  if (first !== undefined) {
    const broadcast = first.broadcast === undefined ? '' : `  broadcast ${first.broadcast}`;
    text += `        inet ${first.address}  netmask ${formatIp(maskOf(first.prefixLength))}${broadcast}\n`;
  }
  if (link.kind === 'loopback' && link.isUp)
    text += '        inet6 ::1  prefixlen 128  scopeid 0x10<host>\n        loop  txqueuelen 1000  (Local Loopback)\n';
  else if (link.kind === 'ipip') text += '        tunnel   txqueuelen 1000  (IPIP Tunnel)\n';
  else {
    if (link.hasCarrier && link.master === undefined) text += `        inet6 ${linkLocal6(link.mac)}  prefixlen 64  scopeid 0x20<link>\n`;
    text += `        ether ${link.mac}  txqueuelen ${link.kind === 'ethernet' ? 1000 : 0}  (Ethernet)\n`;
  }
  const { rxBytes, rxPackets, rxDropped, txBytes, txPackets } = link.statistics;
  text += `        RX packets ${rxPackets}  bytes ${rxBytes} (${human(rxBytes)})\n        RX errors 0  dropped ${rxDropped}  overruns 0  frame 0\n`;
  text += `        TX packets ${txPackets}  bytes ${txBytes} (${human(txBytes)})\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n`;
  return text;
}

function configure(process: Process, name: string, args: string[]): void {
  const { net } = process.sys;
  if (process.sys.credentials().uid !== 0) throw new SysError('EPERM');
  let address: string | undefined;
  let mask: string | undefined;
  while (args.length > 0) {
    const word = args.shift()!;
    if (word === 'up') net.setLink(name, { isUp: true });
    else if (word === 'down') net.setLink(name, { isUp: false });
    else if (word === 'mtu') net.setLink(name, { mtu: Number(args.shift()) });
    else if (word === 'netmask') mask = args.shift();
    else if (word === 'broadcast') args.shift();
    else address = word;
  }
  if (address === undefined) return;
  const prefix = parsePrefix(address);
  if (prefix === undefined) throw new SysError('EINVAL', address);
  const length =
    mask !== undefined ? (lengthOfMask(parseIp(mask) ?? 0) ?? 24) : address.includes('/') ? prefix.length : classLength(prefix.address);
  for (const one of net.addresses()) if (one.link === name) net.deleteAddress(name, `${one.address}/${one.prefixLength}`);
  net.addAddress(name, `${formatIp(prefix.address)}/${length}`, { broadcast: formatIp((prefix.address | ~maskOf(length)) >>> 0) });
  net.setLink(name, { isUp: true });
}

function classLength(address: number): number {
  return address >>> 31 === 0 ? 8 : address >>> 30 === 2 ? 16 : 24;
}

function human(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < 3) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]!}`;
}

export const route: Program = {
  name: 'route',
  paths: ['/usr/sbin/route'],
  async main(process) {
    const args = process.argv.slice(1).filter((arg) => !/^-[nev46]+$/.test(arg));
    const command = args.shift();
    if (command === undefined) {
      await out(process, kernelRoutes(process, true));
      return 0;
    }
    if (command !== 'add' && command !== 'del') {
      await err(process, 'Usage: route [-nNvee] [-FC] [<AF>]           List kernel routing tables\n');
      return 4;
    }
    let destination = '0.0.0.0/0';
    let mask: string | undefined;
    let isHost = false;
    let via: string | undefined;
    let device: string | undefined;
    let metric: number | undefined;
    while (args.length > 0) {
      const word = args.shift()!;
      if (word === '-net' || word === '-host') {
        isHost = word === '-host';
        destination = args.shift() ?? '';
      } else if (word === 'default') destination = '0.0.0.0/0';
      else if (word === 'netmask') mask = args.shift();
      else if (word === 'gw') via = args.shift();
      else if (word === 'dev') device = args.shift();
      else if (word === 'metric') metric = Number(args.shift());
      else if (process.sys.net.links().some((link) => link.name === word)) device = word;
      else destination = word;
    }
    const prefix = parsePrefix(destination);
    if (prefix === undefined) {
      await err(process, `route: bogus netmask ${destination}\n`);
      return 4;
    }
    const length = mask === undefined ? (isHost ? 32 : prefix.length) : (lengthOfMask(parseIp(mask) ?? 0) ?? 32);
    const target = `${formatIp(networkOf(prefix.address, length))}/${length}`;
    const given = {
      ...(via === undefined ? {} : { via }),
      ...(device === undefined ? {} : { device }),
      ...(metric === undefined ? {} : { metric }),
    };
    try {
      if (process.sys.credentials().uid !== 0) throw new SysError('EPERM');
      if (command === 'del') process.sys.net.deleteRoute({ destination: target, ...given });
      else
        process.sys.net.addRoute({
          destination: target,
          type: 'unicast',
          protocol: 'boot',
          scope: via === undefined ? 'link' : 'global',
          ...given,
        });
      return 0;
    } catch (error) {
      if (!isSysError(error)) throw error;
      await err(process, `${command === 'add' ? 'SIOCADDRT' : 'SIOCDELRT'}: ${error.strerror}\n`);
      return 7;
    }
  },
};

export const arp: Program = {
  name: 'arp',
  paths: ['/usr/sbin/arp'],
  async main(process) {
    const args = process.argv.slice(1);
    const { net } = process.sys;
    if (args[0] === '-d') {
      const entry = net.neighbours().find((one) => one.address === args[1]);
      if (entry === undefined) {
        await err(process, `SIOCDARP(dontpub): No such file or directory\n`);
        return 255;
      }
      net.deleteNeighbour(entry.address, entry.device);
      return 0;
    }
    if (args[0] === '-s') {
      const [, address = '', mac = ''] = args;
      net.addNeighbour({ address, mac, device: net.lookupRoute(address).device ?? '', state: 'PERMANENT' });
      return 0;
    }
    const host = args.find((arg) => !arg.startsWith('-'));
    const entries = net.neighbours().filter((one) => host === undefined || one.address === host);
    if (args.some((arg) => /^-\w*a/.test(arg))) {
      await out(
        process,
        entries
          .map(
            (one) =>
              `? (${one.address}) at ${isKnown(one.state) ? `${one.mac} [ether]` : '<incomplete>'}${one.state === 'PERMANENT' ? ' PERM' : ''} on ${one.device}\n`,
          )
          .join(''),
      );
      return 0;
    }
    if (host !== undefined && entries.length === 0) {
      await out(process, `${host} (${host}) -- no entry\n`);
      return 1;
    }
    if (entries.length === 0) return 0;
    let text = 'Address                  HWtype  HWaddress           Flags Mask            Iface\n';
    for (const one of entries) {
      text += isKnown(one.state)
        ? `${one.address.padEnd(24)} ether   ${one.mac.padEnd(19)} ${(one.state === 'PERMANENT' ? 'CM' : 'C').padEnd(21)} ${one.device}\n`
        : `${one.address.padEnd(24)}         ${'(incomplete)'.padEnd(41)} ${one.device}\n`;
    }
    await out(process, text);
    return 0;
  },
};

function isKnown(state: string): boolean {
  return state !== 'INCOMPLETE' && state !== 'FAILED';
}

export const brctl: Program = {
  name: 'brctl',
  paths: ['/usr/sbin/brctl'],
  async main(process) {
    const [command, bridge, port] = process.argv.slice(1);
    const { net } = process.sys;
    const isBridge = (name: string | undefined): boolean => net.links().some((link) => link.name === name && link.kind === 'bridge');
    try {
      switch (command) {
        case 'show': {
          let text = 'bridge name\tbridge id\t\tSTP enabled\tinterfaces\n';
          for (const link of net.links()) {
            if (link.kind !== 'bridge' || (bridge !== undefined && link.name !== bridge)) continue;
            const ports = net
              .links()
              .filter((one) => one.master === link.name)
              .map((one) => one.name);
            text += `${link.name}\t\t8000.${link.mac.replace(/:/g, '')}\tno\t\t${ports.join('\n\t\t\t\t\t\t\t')}\n`;
          }
          await out(process, text);
          return 0;
        }
        case 'showmacs': {
          if (!isBridge(bridge)) break;
          const ports = net.links().filter((one) => one.master === bridge);
          let text = 'port no\tmac addr\t\tis local?\tageing timer\n';
          for (const [at, one] of ports.entries()) text += `  ${at + 1}\t${one.mac}\tyes\t\t   0.00\n`;
          for (const one of net.learnedMacs(bridge!))
            text += `  ${ports.findIndex((link) => link.name === one.port) + 1}\t${one.mac}\tno\t\t${(one.ageMs / 1000).toFixed(2).padStart(7)}\n`;
          await out(process, text);
          return 0;
        }
        case 'addbr':
          if (bridge === undefined) break;
          if (net.links().some((link) => link.name === bridge)) {
            await err(process, `device ${bridge} already exists; can't create bridge with the same name\n`);
            return 1;
          }
          process.sys.kernel.modules.load('bridge');
          net.addLink({ name: bridge, kind: 'bridge' });
          return 0;
        case 'delbr':
          if (!isBridge(bridge)) break;
          if (net.links().find((link) => link.name === bridge)!.isUp) {
            await err(process, `bridge ${bridge} is still up; can't delete it\n`);
            return 1;
          }
          net.deleteLink(bridge!);
          return 0;
        case 'addif':
        case 'delif':
          if (!isBridge(bridge) || port === undefined) break;
          if (!net.links().some((link) => link.name === port)) {
            await err(process, `interface ${port} does not exist!\n`);
            return 1;
          }
          net.setLink(port, { master: command === 'addif' ? bridge : undefined });
          return 0;
        default:
          await err(process, `never heard of command [${command ?? ''}]\nUsage: brctl [commands]\n`);
          return 1;
      }
      await err(process, `bridge ${bridge ?? ''} does not exist!\n`);
      return 1;
    } catch (error) {
      if (!isSysError(error)) throw error;
      await err(process, `${error.strerror}\n`);
      return 1;
    }
  },
};
