// Models ip(8) of iproute 4.11: link, address, route, neighbour, rule and netns.
// Not modelled: tunnels by `ip tunnel`, policy routing, monitor.

import type { Program } from '../../../kernel/process.ts';
import { isSysError } from '../../../sim/errno.ts';
import { err, out } from '../io.ts';
import { addressCommand } from './address.ts';
import type { Style } from './format.ts';
import { IpError, type IpContext } from './context.ts';
import { linkCommand } from './link.ts';
import { netnsCommand } from './netns.ts';
import { neighbourCommand, routeCommand, ruleCommand } from './route.ts';

type Command = (args: string[], context: IpContext) => string | Promise<string | number>;

const OBJECTS: readonly (readonly [name: string, command: Command])[] = [
  ['address', addressCommand],
  ['addr', addressCommand],
  ['link', linkCommand],
  ['route', routeCommand],
  ['rule', ruleCommand],
  ['neighbour', neighbourCommand],
  ['neighbor', neighbourCommand],
  ['neigh', neighbourCommand],
  ['netns', netnsCommand],
];

const USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
       ip [ -force ] -batch filename
where  OBJECT := { link | address | addrlabel | route | rule | neigh | ntable |
                   tunnel | tuntap | maddress | mroute | mrule | monitor | xfrm |
                   netns | l2tp | fou | macsec | tcp_metrics | token | netconf | ila }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -r[esolve] |
                    -h[uman-readable] | -iec |
                    -f[amily] { inet | inet6 | ipx | dnet | mpls | bridge | link } |
                    -4 | -6 | -I | -D | -B | -0 |
                    -l[oops] { maximum-addr-flush-attempts } | -br[ief] |
                    -o[neline] | -t[imestamp] | -ts[hort] | -b[atch] [filename] |
                    -rc[vbuf] [size] | -n[etns] name | -a[ll] | -c[olor]}
`;

export const ip: Program = {
  name: 'ip',
  paths: ['/usr/sbin/ip'],
  async main(process) {
    const args = process.argv.slice(1);
    let style: Style = { brief: false, oneLine: false, statistics: false, details: false, family: undefined };
    while (args[0]?.startsWith('-') === true) {
      const option = args.shift()!.replace(/^--?/, '');
      if (option === '4') style = { ...style, family: 4 };
      else if (option === '6') style = { ...style, family: 6 };
      else if (option === 'o' || 'oneline'.startsWith(option)) style = { ...style, oneLine: true };
      else if (option === 'br' || option === 'brief') style = { ...style, brief: true };
      else if ('statistics'.startsWith(option) || option === 'stats') style = { ...style, statistics: true };
      else if ('details'.startsWith(option)) style = { ...style, details: true };
      else if ('color'.startsWith(option) || 'resolve'.startsWith(option)) continue;
      else if ('Version'.startsWith(option)) return (await out(process, 'ip utility, iproute2-ss170501\n'), 0);
      else if (option === 'f' || option === 'family') style = { ...style, family: args.shift() === 'inet6' ? 6 : 4 };
      else {
        await err(process, `Option "-${option}" is unknown, try "ip -help".\n`);
        return 255;
      }
    }
    const object = args.shift();
    if (object === undefined || object === 'help') {
      await err(process, USAGE);
      return 255;
    }
    const command = OBJECTS.find(([name]) => name.startsWith(object));
    if (command === undefined) {
      await err(process, `Object "${object}" is unknown, try "ip help".\n`);
      return 1;
    }
    try {
      const result = await command[1](args, { process, style });
      if (typeof result === 'number') return result;
      if (result !== '') await out(process, result);
      return 0;
    } catch (error) {
      if (error instanceof IpError) {
        await err(process, `${error.message}\n`);
        return error.status;
      }
      if (!isSysError(error)) throw error;
      await err(process, `RTNETLINK answers: ${error.strerror}\n`);
      return 2;
    }
  },
};
